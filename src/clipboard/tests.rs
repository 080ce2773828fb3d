//! The policy as a table, over routes that succeed, fail or hang as told; the
//! escape sequences and the tmux runner beside it. No display, no tmux.

use std::ffi::OsString;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::native::{Native, Open, Put};
use super::tmux::{Failure, Loaded, load_buffer_with, run};
use super::*;

/// Longer than any of these tests can take.
const PLENTY: Duration = Duration::from_mins(1);

fn surroundings(variables: &[(&str, &str)]) -> Surroundings {
    Surroundings::from_env(|name| {
        variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
    })
}

/// A system clipboard that gives each text the same answer.
fn native(answer: Result<(), &'static str>) -> Native {
    let open: Open = Box::new(move || {
        let put: Put = Box::new(move |_| answer.map_err(str::to_owned));
        Ok(put)
    });
    Native::new(open, PLENTY)
}

fn tools(native_answer: Result<(), &'static str>, tmux: Result<Loaded, &'static str>) -> Tools {
    Tools { native: native(native_answer), tmux: Box::new(move |_| tmux.map_err(str::to_owned)) }
}

const NO_DISPLAY: Result<(), &str> = Err("no display");
const PASSED_ON: Result<Loaded, &str> = Ok(Loaded::AndPassedOn);
const BUFFER: Result<Loaded, &str> = Ok(Loaded::BufferOnly);
const NO_TMUX: Result<Loaded, &str> = Err("no server");

const SSH: (&str, &str) = ("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22");
const TMUX: (&str, &str) = ("TMUX", "/tmp/tmux-1000/default,1,0");
const X11: (&str, &str) = ("DISPLAY", ":0");
const WAYLAND: (&str, &str) = ("WAYLAND_DISPLAY", "wayland-0");

const fn ask(value: &'static str) -> (&'static str, &'static str) {
    ("KMX_CLIPBOARD", value)
}

/// One row of the table: the environment, how the routes fare, and what the
/// person reads.
struct Row(
    &'static [(&'static str, &'static str)],
    Result<(), &'static str>,
    Result<Loaded, &'static str>,
    &'static str,
);

fn check(rows: &[Row]) {
    for Row(variables, native, tmux, expected) in rows {
        let outcome = tools(*native, *tmux).copy(&surroundings(variables), "text");
        assert_eq!(outcome.to_string(), *expected, "with {variables:?}");
    }
}

#[test]
fn at_the_desk_the_system_clipboard_goes_first_and_the_terminal_last() {
    check(&[
        Row(&[X11], Ok(()), NO_TMUX, "system clipboard"),
        Row(&[WAYLAND], Ok(()), NO_TMUX, "system clipboard"),
        Row(&[X11, TMUX], Ok(()), PASSED_ON, "system clipboard"),
        Row(&[X11], NO_DISPLAY, PASSED_ON, "sent to the terminal (system clipboard: no display)"),
        Row(
            &[X11, TMUX],
            NO_DISPLAY,
            PASSED_ON,
            "tmux buffer; sent to the terminal (system clipboard: no display)",
        ),
        Row(
            &[X11, TMUX],
            NO_DISPLAY,
            NO_TMUX,
            "sent to the terminal (system clipboard: no display; tmux buffer: no server)",
        ),
    ]);
}

#[test]
fn without_a_display_the_system_clipboard_is_not_asked() {
    check(&[
        Row(&[], Ok(()), PASSED_ON, "sent to the terminal"),
        Row(&[("DISPLAY", "")], Ok(()), PASSED_ON, "sent to the terminal"),
        Row(&[TMUX], Ok(()), PASSED_ON, "tmux buffer; sent to the terminal"),
    ]);
}

#[test]
fn over_ssh_the_display_of_the_far_side_is_not_asked() {
    check(&[
        Row(&[SSH], Ok(()), PASSED_ON, "sent to the terminal"),
        Row(&[SSH, X11], Ok(()), PASSED_ON, "sent to the terminal"),
        Row(&[("SSH_TTY", "/dev/pts/0"), X11], Ok(()), PASSED_ON, "sent to the terminal"),
        Row(&[("SSH_CLIENT", "10.0.0.1 1 22"), X11], Ok(()), PASSED_ON, "sent to the terminal"),
        Row(&[SSH, X11, TMUX], Ok(()), PASSED_ON, "tmux buffer; sent to the terminal"),
        Row(&[SSH, TMUX], Ok(()), BUFFER, "tmux buffer; sent to the terminal"),
        Row(&[SSH, TMUX], Ok(()), NO_TMUX, "sent to the terminal (tmux buffer: no server)"),
    ]);
}

#[test]
fn a_preference_goes_before_the_surroundings() {
    const OFF: &str = "not copied: copying is off (`KMX_CLIPBOARD=off`)";
    const UNKNOWN: &str =
        "not copied: `KMX_CLIPBOARD=x\\u{1b}[31m` is not one of auto, native, tmux, osc52, off";
    check(&[
        Row(&[X11, const { ask("auto") }], Ok(()), NO_TMUX, "system clipboard"),
        Row(&[X11, const { ask("") }], Ok(()), NO_TMUX, "system clipboard"),
        Row(&[SSH, const { ask("native") }], Ok(()), NO_TMUX, "system clipboard"),
        Row(
            &[SSH, const { ask("native") }],
            NO_DISPLAY,
            PASSED_ON,
            "not copied: system clipboard: no display",
        ),
        Row(&[X11, const { ask("tmux") }], Ok(()), PASSED_ON, "tmux buffer; sent to the terminal"),
        Row(&[X11, const { ask("tmux") }], Ok(()), NO_TMUX, "not copied: tmux buffer: no server"),
        Row(&[X11, TMUX, const { ask("osc52") }], Ok(()), PASSED_ON, "sent to the terminal"),
        Row(&[X11, const { ask("off") }], Ok(()), PASSED_ON, OFF),
        Row(&[X11, const { ask("x\x1b[31m") }], Ok(()), PASSED_ON, UNKNOWN),
    ]);
}

#[test]
fn what_is_sent_to_the_terminal_is_the_text_in_base64() {
    let outcome = tools(NO_DISPLAY, NO_TMUX).copy(&surroundings(&[]), "schlüssel");
    let expected = Outcome::SendToTerminal {
        escape: format!("\x1b]52;c;{}\x1b\\", BASE64_STANDARD.encode("schlüssel")),
        after: None,
        missed: Vec::new(),
    };
    assert_eq!(outcome, expected);
}

#[test]
fn an_old_tmux_gets_the_sequence_wrapped_so_that_it_passes_through() {
    let tmux = surroundings(&[("TMUX", "x"), ("KMX_CLIPBOARD", "tmux")]);
    let expected = Outcome::SendToTerminal {
        escape: "\x1bPtmux;\x1b\x1b]52;c;dGV4dA==\x1b\x1b\\\x1b\\".to_owned(),
        after: Some(Route::TmuxBuffer),
        missed: Vec::new(),
    };
    assert_eq!(tools(NO_DISPLAY, BUFFER).copy(&tmux, "text"), expected);
}

#[test]
fn a_text_too_long_for_the_terminal_says_how_long_it_may_be() {
    let fits = "k".repeat(74_991);
    let too_long = "k".repeat(74_992);
    let nowhere = surroundings(&[]);
    let Outcome::SendToTerminal { escape, .. } = tools(NO_DISPLAY, NO_TMUX).copy(&nowhere, &fits) else {
        panic!("the longest text was not sent");
    };
    assert!(escape.len() <= 100_000, "{} bytes", escape.len());
    assert_eq!(
        tools(NO_DISPLAY, NO_TMUX).copy(&nowhere, &too_long).to_string(),
        "not copied: terminal: 74992 bytes are too many for an escape sequence, \
         which carries 74991 at most",
    );
}

#[test]
fn over_ssh_a_text_too_long_for_the_terminal_goes_to_the_forwarded_display() {
    let forwarded = surroundings(&[("SSH_TTY", "/dev/pts/0"), ("DISPLAY", "localhost:10.0")]);
    let outcome = tools(Ok(()), NO_TMUX).copy(&forwarded, &"k".repeat(80_000));
    assert!(
        matches!(&outcome, Outcome::Copied { route: Route::Native, missed } if missed.len() == 1),
        "{outcome}"
    );
}

#[test]
fn an_old_tmux_keeps_a_text_too_long_for_the_terminal_to_itself_and_says_so() {
    let tmux = surroundings(&[("TMUX", "x")]);
    let outcome = tools(NO_DISPLAY, BUFFER).copy(&tmux, &"k".repeat(80_000));
    assert_eq!(
        outcome.to_string(),
        "tmux buffer (terminal: 80000 bytes are too many for an escape sequence, \
         which carries 74991 at most)",
    );
}

#[test]
fn copies_are_carried_out_in_their_order_and_each_is_answered() {
    let (send, texts) = mpsc::channel();
    let open: Open = Box::new(move || {
        let send = send.clone();
        let put: Put = Box::new(move |text| send.send(text).map_err(|error| error.to_string()));
        Ok(put)
    });
    let clipboard = Clipboard::with_tools(
        surroundings(&[("DISPLAY", ":0")]),
        Tools { native: Native::new(open, PLENTY), tmux: Box::new(|_| Err("no server".to_owned())) },
    );
    let (done, outcomes) = mpsc::channel();
    for text in ["one", "two", "three"] {
        let done = done.clone();
        clipboard.clone().copy(text.to_owned(), move |outcome| {
            done.send((text, outcome)).expect("the test is waiting");
        });
    }
    for text in ["one", "two", "three"] {
        let (answered, outcome) = outcomes.recv_timeout(PLENTY).expect("an answer");
        assert_eq!((answered, outcome.to_string().as_str()), (text, "system clipboard"));
        assert_eq!(texts.recv_timeout(PLENTY).as_deref(), Ok(text));
    }
}

#[test]
fn nothing_is_opened_before_the_first_copy() {
    let open: Open = Box::new(|| panic!("opened without a copy"));
    let native = Native::new(open, PLENTY);
    drop(Clipboard::with_tools(
        surroundings(&[("DISPLAY", ":0")]),
        Tools { native, tmux: Box::new(|_| panic!("tmux started without a copy")) },
    ));
}

#[test]
fn a_display_that_hangs_is_left_alone_until_it_has_answered() {
    let (release, released) = mpsc::channel::<()>();
    let (put_down, texts) = mpsc::channel();
    let (opened, opening) = mpsc::channel();
    let open: Open = Box::new(move || {
        released.recv().map_err(|error| error.to_string())?;
        opened.send(()).map_err(|error| error.to_string())?;
        let put_down = put_down.clone();
        let put: Put = Box::new(move |text| put_down.send(text).map_err(|error| error.to_string()));
        Ok(put)
    });
    // The deadline of the stuck copies has passed when they are made.
    let mut native = Native::new(open, Duration::ZERO);
    assert_eq!(native.put("one"), Err("it did not answer within 0 ms".to_owned()));
    assert_eq!(native.put("two"), Err("it has still not answered an earlier copy".to_owned()));

    release.send(()).expect("the clipboard is waiting to open");
    opening.recv_timeout(PLENTY).expect("the clipboard opens");
    native.set_deadline(PLENTY);
    // Its late answer comes at a moment of its own choosing.
    while native.put("three").is_err() {
        std::thread::yield_now();
    }
    assert_eq!(
        texts.try_iter().collect::<Vec<_>>(),
        ["three"],
        "a text that had gone another way was put down late"
    );
}

#[test]
fn a_clipboard_that_could_not_be_opened_is_opened_again_for_the_next_copy() {
    let mut displays = [Err("no display"), Ok(())].into_iter();
    let open: Open = Box::new(move || {
        displays.next().expect("opened more than twice").map_err(str::to_owned)?;
        let put: Put = Box::new(|_| Ok(()));
        Ok(put)
    });
    let mut native = Native::new(open, PLENTY);
    assert_eq!(native.put("one"), Err("no display".to_owned()));
    assert_eq!(native.put("two"), Ok(()));
    assert_eq!(native.put("three"), Ok(()), "the handle was not kept");
}

#[test]
fn a_clipboard_that_lost_its_display_is_opened_again() {
    let mut displays = [Err("broken pipe"), Ok(())].into_iter();
    let open: Open = Box::new(move || {
        let answer = displays.next().expect("opened more than twice");
        let put: Put = Box::new(move |_| answer.map_err(str::to_owned));
        Ok(put)
    });
    let mut native = Native::new(open, PLENTY);
    assert_eq!(native.put("one"), Err("broken pipe".to_owned()));
    assert_eq!(native.put("two"), Ok(()));
}

#[test]
fn tmux_is_asked_to_pass_the_buffer_on() {
    let mut calls = Vec::new();
    let loaded = load_buffer_with(|arguments| {
        calls.push(arguments.join(" "));
        Ok(())
    });
    assert_eq!(loaded, Ok(Loaded::AndPassedOn));
    assert_eq!(calls, ["load-buffer -w -"]);
}

#[test]
fn a_tmux_that_does_not_know_the_flag_is_asked_without_it() {
    let mut calls = Vec::new();
    let loaded = load_buffer_with(|arguments| {
        calls.push(arguments.join(" "));
        if arguments.contains(&"-w") {
            let said = "usage: load-buffer [-b buffer-name] path\n".to_owned();
            return Err(Failure::Ended("exit status: 1".to_owned(), said));
        }
        Ok(())
    });
    assert_eq!(loaded, Ok(Loaded::BufferOnly));
    assert_eq!(calls, ["load-buffer -w -", "load-buffer -"]);
}

#[test]
fn what_goes_wrong_with_tmux_is_said_in_one_clean_line() {
    let said = |status: &str, stderr: &str| {
        load_buffer_with(|_| Err(Failure::Ended(status.to_owned(), stderr.to_owned())))
    };
    let no_server = "\nno server running on /tmp/\x1b[31mtmux-0/default\nand more\n";
    assert_eq!(
        said("exit status: 1", no_server),
        Err("no server running on /tmp/[31mtmux-0/default".to_owned())
    );
    assert_eq!(said("signal: 9", ""), Err("tmux ended with signal: 9".to_owned()));
    assert_eq!(load_buffer_with(|_| Err(Failure::TooSlow)), Err("tmux did not answer within 1 s".to_owned()));
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let failure = run(Command::new("/nonexistent/tmux"), "text", PLENTY);
    assert_eq!(failure, Err(Failure::NotStarted("tmux is not installed here".to_owned())));
}

#[cfg(unix)]
fn shell(script: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]);
    command
}

#[cfg(unix)]
#[test]
fn a_child_gets_the_text_to_the_letter_and_then_the_end_of_its_input() {
    let script = "test \"$(cat)\" = \"two words\" || { echo differs >&2; exit 1; }";
    assert_eq!(run(shell(script), "two words", PLENTY), Ok(()));
    let differs = run(shell(script), "others", PLENTY);
    assert!(matches!(&differs, Err(Failure::Ended(_, said)) if said == "differs\n"), "{differs:?}");
}

#[cfg(unix)]
#[test]
fn a_child_that_ends_without_reading_is_judged_by_its_status() {
    let long = "k".repeat(1 << 20);
    assert_eq!(run(shell("exit 0"), &long, PLENTY), Ok(()));
    let refused = run(shell("echo no >&2; exit 3"), &long, PLENTY);
    assert_eq!(refused, Err(Failure::Ended("exit status: 3".to_owned(), "no\n".to_owned())));
}

#[cfg(unix)]
#[test]
fn a_child_that_does_not_end_is_killed_at_the_deadline() {
    assert_eq!(run(shell("exec sleep 600"), "text", Duration::ZERO), Err(Failure::TooSlow));
}

#[test]
fn a_value_that_is_not_known_is_kept() {
    let asked = surroundings(&[("KMX_CLIPBOARD", "OSC52")]);
    assert_eq!(asked.preference, Preference::Unknown("OSC52".to_owned()));
}
