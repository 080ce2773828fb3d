//! The rules of the tree: which module may use which, what none of them may do, and that each file
//! says what it is for. `src/lib.rs` gives the reasons.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A module, the modules of ours that it may use, and the crates and paths that it must not name.
struct Room {
    name: &'static str,
    may_use: &'static [&'static str],
    must_not_name: &'static [&'static str],
}

/// Crates that wait, draw, call or keep.
const WAITS: [&str; 4] = ["tokio", "aws_sdk_kms", "aws_config", "arboard"];

const ROOMS: [Room; 10] = [
    Room {
        name: "domain",
        may_use: &["domain"],
        must_not_name: &[
            "std::fs",
            "std::env",
            "std::net::Tcp",
            "std::thread",
            "std::process",
            "::now()",
            "async ",
            "ratatui",
            "crossterm",
            "redb",
        ],
    },
    Room {
        name: "app",
        may_use: &["app", "domain"],
        must_not_name: &[
            "std::fs",
            "std::env",
            "std::thread",
            "std::process",
            "::now()",
            "async ",
            "ratatui::widgets",
            "ratatui::Frame",
            "redb",
        ],
    },
    Room {
        name: "view",
        may_use: &["view", "app", "domain"],
        must_not_name: &["std::fs", "std::env", "std::io", "::now()", "async ", "&mut State", "redb"],
    },
    Room { name: "kms", may_use: &["kms", "domain"], must_not_name: &["std::fs", "std::env", "ratatui"] },
    Room { name: "local", may_use: &["local"], must_not_name: &["ratatui", "std::env"] },
    Room { name: "session", may_use: &["session", "kms", "local", "domain"], must_not_name: &["ratatui"] },
    Room {
        name: "files",
        may_use: &["files", "domain"],
        must_not_name: &["aws_sdk_kms", "aws_config", "tokio", "async ", "std::env", "ratatui", "crossterm"],
    },
    Room { name: "clipboard", may_use: &["clipboard"], must_not_name: &["tokio", "ratatui"] },
    Room {
        name: "tui",
        may_use: &["tui", "view", "app", "session", "kms", "files", "clipboard", "domain"],
        must_not_name: &["aws_sdk_kms"],
    },
    Room {
        name: "cli",
        may_use: &["cli", "tui", "session", "kms", "files", "clipboard", "local", "domain"],
        must_not_name: &["aws_sdk_kms", "ratatui"],
    },
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(below: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(below)];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    assert!(!found.is_empty(), "no files below {below}");
    found.sort();
    found
}

fn name(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

fn is_test(path: &Path) -> bool {
    let name = name(path);
    name.ends_with("tests.rs") || name.contains("/tests/") || name.starts_with("tests/")
}

/// The code of a file: no comments, and nothing after `mod tests {`.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn files_of(room: &str) -> impl Iterator<Item = PathBuf> {
    let (file, folder) = (format!("src/{room}.rs"), format!("src/{room}/"));
    rust_files("src").into_iter().filter(move |path| {
        let name = name(path);
        !is_test(path) && (name == file || name.starts_with(&folder))
    })
}

#[test]
fn every_module_uses_only_what_it_may() {
    let rooms: BTreeSet<&str> = ROOMS.iter().map(|room| room.name).collect();
    let mut wrong = Vec::new();
    for room in &ROOMS {
        for path in files_of(room.name) {
            let code = code(&path);
            let named = modules_named(&code, name(&path).matches('/').count());
            for other in &rooms {
                if named.contains(*other) && !room.may_use.contains(other) {
                    wrong.push(format!("{} uses {other}", name(&path)));
                }
            }
            let waits = WAITS.iter().filter(|_| matches!(room.name, "domain" | "app" | "view"));
            for word in room.must_not_name.iter().chain(waits) {
                if code.contains(word) {
                    wrong.push(format!("{} names {word}", name(&path)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_module_of_the_crate_has_its_rules() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let modules: BTreeSet<&str> =
        lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert_eq!(modules, ROOMS.iter().map(|room| room.name).collect());
}

#[test]
fn one_module_knows_the_sdk_and_it_calls_nothing_that_returns_a_plaintext() {
    let mut called = BTreeSet::new();
    for path in rust_files("src").iter().filter(|path| !is_test(path)) {
        let code = code(path);
        let in_kms = name(path).starts_with("src/kms");
        assert!(in_kms || !code.contains("aws_sdk_kms"), "{}", name(path));
        if in_kms {
            // Calls of the SDK's fluent builders: `.interactive.describe_key()`, `client.list_keys()`.
            called.extend(names_after(&code, &[".interactive.", ".background.", "client."]));
            // However the client is called: not these.
            for operation in ["decrypt", "re_encrypt", "generate_data_key", "generate_random"] {
                assert!(!code.contains(&format!(".{operation}()")), "{} {operation}", name(path));
            }
        }
    }
    let names: Vec<String> = called.iter().map(|operation| pascal(operation)).collect();
    let mut known = kmx::kms::OPERATIONS.to_vec();
    known.sort_unstable();
    assert_eq!(names, known);
    for returns_plaintext in ["Decrypt", "GenerateDataKey", "GenerateDataKeyPair", "GenerateRandom"] {
        assert!(!known.contains(&returns_plaintext));
    }
}

fn is_of_a_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// The code without blanks and line breaks, but for those that keep two words apart.
fn dense(code: &str) -> String {
    let mut dense = String::with_capacity(code.len());
    for word in code.split_whitespace() {
        if dense.ends_with(is_of_a_name) && word.starts_with(is_of_a_name) {
            dense.push(' ');
        }
        dense.push_str(word);
    }
    dense
}

/// Names that stand directly after one of these, blanks and line breaks between them left out.
fn names_after(code: &str, receivers: &[&str]) -> BTreeSet<String> {
    let dense = dense(code);
    let of = |receiver: &&str| {
        let parts: Vec<String> = dense
            .match_indices(receiver)
            .filter(|(at, _)| receiver.starts_with('.') || !dense[..*at].ends_with(is_of_a_name))
            .map(|(at, _)| {
                let rest = &dense[at + receiver.len()..];
                rest.chars().take_while(|character| is_of_a_name(*character)).collect()
            })
            .collect();
        parts
    };
    receivers.iter().flat_map(of).collect()
}

/// Modules of the crate that a file names: `crate::domain::…`, `crate::{app, domain::…}`, and
/// `super::super::…` from so deep that it comes out at the crate.
fn modules_named(code: &str, depth: usize) -> BTreeSet<String> {
    let dense = dense(code);
    let out = "super::".repeat(depth);
    let mut named = names_after(code, &["crate::", &out]);
    for opening in ["crate::{".to_owned(), format!("{out}{{")] {
        for (at, _) in dense.match_indices(&opening) {
            let mut open = 0;
            let mut entry = String::new();
            for character in dense[at + opening.len()..].chars() {
                match character {
                    '}' if open == 0 => break,
                    '{' => open += 1,
                    '}' => open -= 1,
                    ',' if open == 0 => drop(named.insert(std::mem::take(&mut entry))),
                    _ => {}
                }
                if open == 0 && character != ',' {
                    entry.push(character);
                }
            }
            named.insert(entry);
        }
    }
    named.iter().filter_map(|entry| entry.split("::").next()).map(str::to_owned).collect()
}

#[test]
fn every_way_to_name_a_module_is_seen() {
    for (code, depth, named) in [
        ("use crate::kms;", 2, vec!["kms"]),
        ("use crate::{\n    app::{State, layout},\n    tui,\n};", 2, vec!["app", "tui"]),
        ("super::super::domain::text::width(x)", 2, vec!["domain"]),
        ("use super::super::{State, layout};", 3, vec![]),
    ] {
        let seen = modules_named(code, depth);
        let seen: Vec<&str> = seen.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
        assert_eq!(seen, named, "{code}");
    }
}

fn pascal(snake: &str) -> String {
    let words = snake.split('_').map(|word| word[..1].to_uppercase() + &word[1..]);
    words.collect()
}

#[test]
fn every_file_says_what_it_is_for() {
    for path in rust_files("src").into_iter().chain(rust_files("tests")) {
        if name(&path).ends_with("/tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{} begins without a word on what it is for", name(&path));
    }
}

#[test]
fn no_check_is_silenced_and_no_test_is_skipped_or_asleep() {
    // Built from parts, so that this file is not among those that it finds.
    let forbidden = ["allow(", "ignore", "should_panic"].map(|word| format!("#[{word}"));
    let asleep = ["thread::", "sleep("].concat();
    let unfinished = ["todo", "unimplemented"].map(|word| format!("{word}!("));
    let mut wrong = Vec::new();
    for path in rust_files("src").into_iter().chain(rust_files("tests")) {
        let text = fs::read_to_string(&path).unwrap();
        for word in forbidden.iter().chain(&unfinished) {
            if text.contains(word.as_str()) {
                wrong.push(format!("{}: {word}", name(&path)));
            }
        }
        if is_test(&path) && text.contains(&asleep) {
            wrong.push(format!("{}: {asleep}", name(&path)));
        }
        assert!(!name(&path).ends_with("/mod.rs"), "modules are foo.rs and foo/, not {}", name(&path));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
