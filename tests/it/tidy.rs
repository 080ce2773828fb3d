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

const ROOMS: [Room; 9] = [
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
    Room { name: "clipboard", may_use: &["clipboard"], must_not_name: &["tokio", "ratatui"] },
    Room {
        name: "tui",
        may_use: &["tui", "view", "app", "session", "kms", "clipboard", "domain"],
        must_not_name: &["aws_sdk_kms"],
    },
    Room {
        name: "cli",
        may_use: &["cli", "tui", "session", "kms", "clipboard", "local", "domain"],
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
            for other in &rooms {
                if code.contains(&format!("crate::{other}::")) && !room.may_use.contains(other) {
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
            for operation in ALL_OPERATIONS {
                if code.contains(&format!(".{operation}()")) {
                    called.insert(operation);
                }
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

/// Operations of KMS as the SDK spells them, as far as a client could want them.
const ALL_OPERATIONS: [&str; 40] = [
    "cancel_key_deletion",
    "create_alias",
    "create_grant",
    "create_key",
    "decrypt",
    "delete_alias",
    "derive_shared_secret",
    "describe_custom_key_stores",
    "describe_key",
    "disable_key",
    "disable_key_rotation",
    "enable_key",
    "enable_key_rotation",
    "encrypt",
    "generate_data_key",
    "generate_data_key_pair",
    "generate_data_key_pair_without_plaintext",
    "generate_data_key_without_plaintext",
    "generate_mac",
    "generate_random",
    "get_key_policy",
    "get_key_rotation_status",
    "get_public_key",
    "list_aliases",
    "list_grants",
    "list_key_policies",
    "list_key_rotations",
    "list_keys",
    "list_resource_tags",
    "put_key_policy",
    "re_encrypt",
    "retire_grant",
    "revoke_grant",
    "rotate_key_on_demand",
    "schedule_key_deletion",
    "sign",
    "tag_resource",
    "untag_resource",
    "update_alias",
    "update_key_description",
];

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
