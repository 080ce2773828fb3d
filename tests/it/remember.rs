//! What the explorer knew at the last start, shown at the next: the real binary in a real terminal,
//! against a served local KMS.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::serve::{Serving, home};
use crate::terminal::{Launch, Terminal};

const KEYS: usize = 120;

/// A served local KMS with made-up keys.
fn serving(folder: &TempDir) -> Serving {
    Serving::start(folder, &["--listen", "127.0.0.1:0", "--demo-store", "keys.redb", "--seed-keys", "120"])
}

fn explorer(home: &Path, endpoint: &str, arguments: &[&str]) -> Terminal {
    Launch::kmx()
        .args(["--endpoint-url", endpoint, "--region", "us-east-1"])
        .args(arguments.iter().copied())
        .env("TERM", "xterm-256color")
        .env("AWS_ACCESS_KEY_ID", "any")
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .home(home)
        .size(140, 40)
        .start()
}

/// The files of remembered catalogs, once there are some.
fn remembered(home: &Path) -> Vec<PathBuf> {
    let folder = home.join(".cache/kmx/catalogs");
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let whole = entries.map(|entry| entry.path()).filter(|path| path.extension().is_some());
        let files: Vec<PathBuf> =
            whole.filter(|path| path.extension().is_some_and(|extension| extension == "catalog")).collect();
        if !files.is_empty() || Instant::now() > deadline {
            return files;
        }
        std::thread::yield_now();
    }
}

/// Loads the catalog once, so that it is remembered; the endpoint is gone afterwards.
fn load_once(person: &Path) -> String {
    let folder = home();
    let serving = serving(&folder);
    let terminal = explorer(person, &serving.url, &[]);
    terminal.wait_for_text(&format!("{KEYS} keys"));
    assert_eq!(remembered(person).len(), 1);
    terminal.send("q");
    terminal.wait_exit();
    serving.url.clone()
}

#[test]
fn the_next_start_shows_what_the_last_one_knew_even_with_nobody_there() {
    let person = tempfile::tempdir().unwrap();
    let endpoint = load_once(person.path());
    let terminal = explorer(person.path(), &endpoint, &[]);
    let screen = terminal.wait_for_text("could not connect");
    assert!(screen.contains("1 of 120") && screen.contains("● Enabled"), "{screen}");
    terminal.send("\r");
    let screen = terminal.wait_for_text("! as remembered from");
    assert!(screen.contains("[1 Overview]") && screen.contains("SYMMETRIC_DEFAULT"), "{screen}");
    terminal.send("\x1b");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let file = remembered(person.path()).remove(0);
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    terminal.send("q");
    terminal.wait_exit();
}

#[test]
fn nothing_is_remembered_where_a_person_wants_none_or_the_file_is_damaged() {
    let person = tempfile::tempdir().unwrap();
    let endpoint = load_once(person.path());
    let terminal = explorer(person.path(), &endpoint, &["--no-cache"]);
    let screen = terminal.wait_for_text("could not connect");
    assert!(!screen.contains("of 120"), "{screen}");
    terminal.send("q");
    terminal.wait_exit();

    let file = remembered(person.path()).remove(0);
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let log = person.path().join("log").display().to_string();
    let terminal = explorer(person.path(), &endpoint, &["--log-file", &log]);
    let screen = terminal.wait_for_text("could not connect");
    assert!(!screen.contains("of 120"), "{screen}");
    terminal.send("q");
    terminal.wait_exit();
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("catalog"), "{log}");
}
