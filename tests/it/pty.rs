//! The real binary in a real terminal.

use kmx::domain::text::is_hidden;
use rustix::process::Signal;

use crate::terminal::{Launch, Terminal, keys};

/// The demo, with its keys on the screen.
fn demo() -> Terminal {
    let terminal = Launch::kmx().args(["--demo"]).env("TERM", "xterm-256color").start();
    terminal.wait_for_text("44 keys");
    terminal
}

#[test]
fn the_demo_takes_the_terminal_and_q_gives_it_back() {
    let terminal = demo();
    assert!(terminal.alternate_screen());
    assert!(terminal.text().contains("alias/demo/orders"), "{}", terminal.text());
    terminal.send("q");
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.assert_given_back();
}

#[test]
fn ctrl_c_quits_from_anywhere_even_from_a_text_field() {
    let terminal = demo();
    terminal.send("n");
    terminal.wait_for_text("New data key");
    terminal.send(keys::ctrl('c'));
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.assert_given_back();
}

#[test]
fn a_signal_ends_it_with_its_code_and_gives_the_terminal_back() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let terminal = demo();
        terminal.kill(signal);
        assert_eq!(terminal.wait_exit().exit_code(), code);
        terminal.assert_given_back();
    }
}

#[test]
fn suspended_and_continued_it_draws_itself_anew() {
    let script = r#"set -m; "$@"; echo "the shell has the terminal"; read answer; fg >/dev/null"#;
    let terminal = Launch::new("/bin/sh")
        .args(["-c", script, "sh", env!("CARGO_BIN_EXE_kmx"), "--demo"])
        .env("TERM", "xterm-256color")
        .start();
    terminal.wait_for_text("44 keys");
    terminal.send(keys::ctrl('z'));
    terminal.wait_for_text("the shell has the terminal");
    terminal.assert_given_back();
    terminal.send("go\n");
    terminal.wait_for(|screen| screen.alternate_screen() && screen.contents().contains("44 keys"));
    terminal.send("q");
    terminal.wait_exit();
    terminal.assert_given_back();
}

#[test]
fn a_data_key_goes_to_the_clipboard_of_the_terminal_over_ssh() {
    let terminal = Launch::kmx()
        .args(["--demo"])
        .env("TERM", "xterm-256color")
        .env("SSH_TTY", "/dev/pts/9")
        .size(140, 40)
        .start();
    terminal.wait_for_text("44 keys");
    terminal.send("/alias/demo/orders");
    terminal.send(keys::ENTER);
    terminal.send("n");
    terminal.wait_for_text("New data key");
    terminal.paste("tenant=42,purpose=orders");
    terminal.wait_for_text("\"purpose\": \"orders\"");
    terminal.send(keys::ctrl('r'));
    terminal.wait_for_text("CiphertextBlob");
    terminal.send("y");
    let copies = terminal.wait_for_copies(1);
    assert!(copies[0].starts_with("TE9DQUxLTVM"), "{copies:?}");
    terminal.wait_for_text("sent to the terminal");
    terminal.send(keys::ctrl('c'));
    terminal.wait_exit();
    terminal.assert_given_back();
}

#[test]
fn a_terminal_that_changes_its_size_is_followed() {
    let terminal = demo();
    terminal.resize(60, 12);
    terminal.wait_for(|screen| {
        let lines: Vec<String> = screen.rows(0, 60).collect();
        lines.get(10).is_some_and(|line| line.starts_with('╰')) && lines[1].ends_with('╮')
    });
    terminal.send("q");
    terminal.wait_exit();
}

#[test]
fn without_credentials_the_explorer_says_so_and_stays_usable() {
    let terminal = Launch::kmx()
        .env("TERM", "xterm-256color")
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .start();
    terminal.wait_for_text("no credentials");
    let text = terminal.text();
    for part in ["kms.eu-central-1.amazonaws.com", "aws configure sso", "r try again", "n form anyway"] {
        assert!(text.contains(part), "no {part:?} on\n{text}");
    }
    terminal.send("n");
    terminal.wait_for_text("New data key");
    terminal.send(keys::ESC);
    terminal.wait_for_text("no credentials");
    terminal.send("q");
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.assert_given_back();
}

#[test]
fn without_a_region_it_says_so_and_no_colour_is_used_where_none_is_wanted() {
    let terminal = Launch::kmx()
        .env("TERM", "xterm-256color")
        .env("NO_COLOR", "1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .start();
    terminal.wait_for_text("no region");
    assert!(terminal.text().contains("AWS_REGION"));
    terminal.send("q");
    terminal.wait_exit();
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    let sequences = raw.split("\u{1b}[").skip(1);
    let styles = sequences.filter_map(|sequence| {
        let end = sequence.find(|character: char| character.is_ascii_alphabetic())?;
        sequence[end..].starts_with('m').then(|| &sequence[..end])
    });
    let styles: Vec<&str> = styles.collect();
    assert!(styles.contains(&"1"), "bold is no colour: {styles:?}");
    for style in styles {
        let numbers = style.split(';').map(|number| number.parse().unwrap_or(0));
        assert!(numbers.into_iter().all(|number: u8| number < 30 || number == 39 || number == 49), "{style}");
    }
    assert!(!terminal.text().chars().any(|character| character != '\n' && is_hidden(character)));
}

#[test]
fn a_store_that_another_process_holds_is_named_with_the_way_out() {
    let first = demo();
    let second = Launch::kmx().args(["--demo"]).env("TERM", "xterm-256color").home(first.home()).start();
    second.wait_for_text("is in use by another");
    second.wait_for_text("kmx serve");
    second.wait_for_text("--demo-store");
    // The first one is left: now there is a way.
    first.send("q");
    first.wait_exit();
    second.send("r");
    second.wait_for_text("44 keys");
    second.send("q");
    second.wait_exit();
}

#[test]
fn profiles_come_from_the_configuration_and_one_that_asks_first_asks() {
    let home = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(home.path().join(name), text).unwrap();
    let secrets = "aws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = secret\n";
    write("credentials", &format!("[dev]\n{secrets}[prod]\n{secrets}"));
    let role = "role_arn = arn:aws:iam::444455556666:role/admin\nsource_profile = dev\n";
    write(
        "config",
        &format!(
            "[profile dev]\nregion = eu-west-1\n[profile prod]\nregion = eu-central-1\n\
             [profile admin]\n{role}mfa_serial = arn:aws:iam::444455556666:mfa/me\n"
        ),
    );
    write("config.toml", "[profiles.prod]\nword = \"production\"\nconfirm = true\n");
    let at = |name: &str| home.path().join(name);
    let terminal = Launch::kmx()
        .args(["--profile", "dev", "--config"])
        .args([at("config.toml")])
        .home(home.path())
        .env("AWS_CONFIG_FILE", at("config"))
        .env("AWS_SHARED_CREDENTIALS_FILE", at("credentials"))
        .env("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:1")
        .start();
    terminal.wait_for_text("dev (keys)");
    terminal.send("P");
    terminal.wait_for_text("role 444455556666");
    assert!(terminal.text().contains("needs MFA"), "{}", terminal.text());
    terminal.send("admin\r");
    terminal.wait_for_text("profile admin needs an MFA code");
    terminal.send(format!("{}pro\r", keys::ctrl('u')));
    terminal.wait_for_text("prod (keys)");
    let header = terminal.text().lines().next().unwrap_or_default().to_owned();
    assert!(header.contains("production") && header.contains("eu-central-1"), "{header}");
    terminal.send("nalias/orders");
    terminal.wait_for_text("alias/orders");
    terminal.send(keys::ctrl('r'));
    terminal.wait_for_text("Run this?");
    assert!(terminal.text().contains("prod, production"), "{}", terminal.text());
    terminal.send("q");
    terminal.wait_for(|screen| !screen.contents().contains("Run this?"));
    terminal.send(keys::ctrl('c'));
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.assert_given_back();
}
