//! The terminal is given back on every way out, and what happens outside reaches
//! the loop: a small program around the guard and the input threads, run in a
//! real terminal. The program is this test binary once more.

use std::env;
use std::io::Write;
use std::process;
use std::thread;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use kmx::tui::guard::{Output, TerminalGuard};
use kmx::tui::input::{self, InputEvent, Signal};
use rustix::process::Signal as Send;
use tokio::sync::mpsc;

use crate::terminal::{Launch, Terminal, keys};

/// Set for the run of this binary that is the program.
const IS_PROGRAM: &str = "KMX_TEST_IS_PROGRAM";

fn program() -> Launch {
    launch(env::current_exe().expect("this binary has a path"), &[])
}

/// A program under something that starts it: `"$@"` in a shell script.
fn under_shell(script: &str) -> Launch {
    let this = env::current_exe().expect("this binary has a path");
    let this = this.to_str().expect("a path in UTF-8");
    launch("/bin/sh", &["-c", script, "sh", this])
}

fn launch(program: impl Into<std::path::PathBuf>, before: &[&str]) -> Launch {
    const ITSELF: [&str; 4] = ["--exact", "guard::the_program_itself", "--nocapture", "--test-threads=1"];
    Launch::new(program).args(before).args(ITSELF).env(IS_PROGRAM, "1")
}

fn started(launch: Launch) -> Terminal {
    let terminal = launch.start();
    terminal.wait_for_text("ready");
    assert!(terminal.alternate_screen());
    assert!(!terminal.modes_as_before(), "not in raw mode");
    terminal
}

/// The program: it lists the events that it gets, and does as some keys say. When
/// the tests are run it is none of them, and proves nothing by itself.
#[test]
#[expect(clippy::exit, reason = "the program ends as a program does")]
fn the_program_itself() {
    if env::var_os(IS_PROGRAM).is_none() {
        return;
    }
    let (sender, mut events) = mpsc::unbounded_channel();
    input::spawn(sender).expect("the input threads start");
    let mut guard = TerminalGuard::enter(Output::Stdout).expect("the terminal is taken");
    let mut screen = guard.output().writer().expect("the terminal can be drawn on");
    let mut lines = vec!["ready".to_owned()];
    let mut number_of_events = 0;
    loop {
        // One frame for all the events that are there.
        if events.is_empty() {
            let shown = lines[lines.len().saturating_sub(10)..].join("\r\n");
            let frame = format!("\x1b[2J\x1b[H{shown}\r\n{number_of_events} events");
            // A terminal that is gone takes no more frames; its end comes as an event.
            let _ = screen.write_all(frame.as_bytes()).and_then(|()| screen.flush());
        }
        let event = events.blocking_recv().expect("the input threads go on");
        lines.push(format!("{event:?}"));
        number_of_events += 1;
        match event {
            InputEvent::Key(key) => match (key.modifiers, key.code) {
                (KeyModifiers::CONTROL, KeyCode::Char('z')) => {
                    guard.leave().expect("the terminal is given back");
                    input::suspend().expect("the program is stopped");
                    guard.reenter().expect("the terminal is taken again");
                }
                (KeyModifiers::NONE, KeyCode::Char('q')) => return,
                (KeyModifiers::NONE, KeyCode::Char('p')) => panic!("as the key says"),
                (KeyModifiers::NONE, KeyCode::Char('t')) => {
                    let _ = thread::Builder::new()
                        .name("worker".to_owned())
                        .spawn(|| panic!("in a worker"))
                        .expect("a thread starts")
                        .join();
                    lines.push("the worker is gone".to_owned());
                }
                (KeyModifiers::NONE, KeyCode::Char('e')) => {
                    let second = TerminalGuard::enter(Output::Stdout).map(drop);
                    lines.push(format!("second: {}", second.expect_err("taken already")));
                }
                (KeyModifiers::NONE, KeyCode::Char('s')) => {
                    let _ = screen.write_all(b"\r\nstuck").and_then(|()| screen.flush());
                    let unheeded = events.blocking_recv();
                    let _ = write!(screen, "\r\n{unheeded:?}").and_then(|()| screen.flush());
                    loop {
                        thread::park();
                    }
                }
                (KeyModifiers::NONE, KeyCode::Char('d')) => {
                    drop(events);
                    let _ = screen.write_all(b"\r\ndeaf").and_then(|()| screen.flush());
                    loop {
                        thread::park();
                    }
                }
                _ => {}
            },
            InputEvent::Signal(Signal::Continue) => {
                guard.reenter().expect("the terminal is taken again");
            }
            InputEvent::Signal(signal) => {
                drop(guard);
                process::exit(signal.exit_code().map_or(1, i32::from));
            }
            InputEvent::Closed(_) => {
                std::fs::write("closed", lines.join("\n")).expect("the working directory");
                process::exit(9);
            }
            InputEvent::Paste(_) | InputEvent::Resize { .. } => {}
        }
    }
}

#[test]
fn a_return_gives_the_terminal_back() {
    let terminal = started(program());
    terminal.send("q");
    assert!(terminal.wait_exit().success(), "{}", terminal.text());
    terminal.assert_given_back();
}

#[test]
fn a_panic_is_read_on_the_normal_screen() {
    let terminal = started(program());
    terminal.send("p");
    assert_eq!(terminal.wait_exit().exit_code(), 101);
    terminal.assert_given_back();
    let text = terminal.text();
    assert!(text.contains("as the key says"), "{text}");
}

#[test]
fn a_panic_on_another_thread_leaves_the_screen_alone_and_is_read_at_the_end() {
    let terminal = started(program());
    terminal.send("t");
    let text = terminal.wait_for_text("the worker is gone");
    assert!(terminal.alternate_screen() && !terminal.modes_as_before(), "{text}");
    assert!(!text.contains("in a worker"), "{text}");
    terminal.send("q");
    assert!(terminal.wait_exit().success());
    terminal.assert_given_back();
    let text = terminal.text();
    assert!(text.contains("thread 'worker' panicked") && text.contains("in a worker"), "{text}");
}

#[test]
fn the_terminal_is_taken_once() {
    let terminal = started(program());
    terminal.send("e");
    terminal.wait_for_text("second: the terminal is in use already");
    assert!(terminal.alternate_screen() && !terminal.modes_as_before());
    terminal.send("q");
    terminal.wait_exit();
    terminal.assert_given_back();
}

#[test]
fn pastes_and_sizes_reach_the_loop() {
    let terminal = started(program());
    terminal.paste("a=b\rc=d");
    terminal.wait_for_text(r#"Paste("a=b\rc=d")"#);
    terminal.resize(80, 20);
    terminal.wait_for_text("Resize { columns: 80, rows: 20 }");
    terminal.send("q");
    assert!(terminal.wait_exit().success());
}

#[test]
fn many_keys_at_once_are_read_to_the_last() {
    let terminal = started(program());
    terminal.send("x".repeat(3000));
    terminal.wait_for_text("3000 events");
    terminal.send("q");
    assert!(terminal.wait_exit().success());
}

#[test]
fn keys_reach_the_loop_as_what_they_are() {
    let terminal = started(program());
    for (sent, modifiers, code) in [
        (keys::ENTER, KeyModifiers::NONE, KeyCode::Enter),
        (keys::ESC, KeyModifiers::NONE, KeyCode::Esc),
        (keys::TAB, KeyModifiers::NONE, KeyCode::Tab),
        (keys::BACK_TAB, KeyModifiers::SHIFT, KeyCode::BackTab),
        (keys::BACKSPACE, KeyModifiers::NONE, KeyCode::Backspace),
        (keys::UP, KeyModifiers::NONE, KeyCode::Up),
        (keys::DOWN, KeyModifiers::NONE, KeyCode::Down),
        (keys::RIGHT, KeyModifiers::NONE, KeyCode::Right),
        (keys::LEFT, KeyModifiers::NONE, KeyCode::Left),
        (keys::PAGE_UP, KeyModifiers::NONE, KeyCode::PageUp),
        (keys::PAGE_DOWN, KeyModifiers::NONE, KeyCode::PageDown),
        (keys::HOME, KeyModifiers::NONE, KeyCode::Home),
        (keys::END, KeyModifiers::NONE, KeyCode::End),
        (keys::F1, KeyModifiers::NONE, KeyCode::F(1)),
        (&keys::ctrl('c'), KeyModifiers::CONTROL, KeyCode::Char('c')),
        (&keys::alt('b'), KeyModifiers::ALT, KeyCode::Char('b')),
    ] {
        terminal.send(sent);
        terminal.wait_for_text(&format!("{:?}", KeyEvent::new(code, modifiers)));
    }
    terminal.send("q");
    assert!(terminal.wait_exit().success());
}

#[test]
fn a_signal_reaches_the_loop_which_ends_with_its_code() {
    for (signal, code) in [(Send::TERM, 143), (Send::HUP, 129), (Send::INT, 130)] {
        let terminal = started(program());
        terminal.kill(signal);
        assert_eq!(terminal.wait_exit().exit_code(), code);
        terminal.assert_given_back();
    }
}

#[test]
fn a_second_sigterm_ends_a_program_whose_loop_is_stuck() {
    let terminal = started(program());
    terminal.send("s");
    terminal.wait_for_text("stuck");
    terminal.kill(Send::TERM);
    // A signal that is still waiting is not sent again, so the first comes first.
    terminal.wait_for_text("Signal(Terminate)");
    terminal.kill(Send::TERM);
    assert_eq!(terminal.wait_exit().exit_code(), 143);
    terminal.assert_given_back();
}

#[test]
fn a_signal_after_the_loop_has_gone_ends_the_program() {
    let terminal = started(program());
    terminal.send("d");
    terminal.wait_for_text("deaf");
    terminal.kill(Send::INT);
    assert_eq!(terminal.wait_exit().exit_code(), 130);
    terminal.assert_given_back();
}

#[test]
fn suspended_and_continued_the_program_takes_the_terminal_again() {
    let script = r#"set -m; "$@"; echo "the shell has the terminal"; read answer; fg >/dev/null; echo "ended with $?""#;
    let terminal = started(under_shell(script));
    terminal.send(keys::ctrl('z'));
    terminal.wait_for_text("the shell has the terminal");
    terminal.assert_given_back();
    terminal.send("go\n");
    terminal.wait_for(|screen| screen.alternate_screen() && screen.contents().contains("Signal(Continue)"));
    assert!(!terminal.modes_as_before(), "not in raw mode again");
    terminal.send("q");
    terminal.wait_exit();
    terminal.assert_given_back();
    let text = terminal.text();
    assert!(text.contains("ended with 0"), "{text}");
}

#[test]
fn a_stop_from_outside_is_recovered_from() {
    let script = r#"set -m; "$@"; stty sane; printf '\033[?1049lstopped'; read answer; fg >/dev/null"#;
    let terminal = started(under_shell(script));
    terminal.kill_foreground(Send::TSTP);
    terminal.wait_for_text("stopped");
    terminal.send("go\n");
    terminal.wait_for(|screen| screen.alternate_screen() && screen.contents().contains("Signal(Continue)"));
    assert!(!terminal.modes_as_before(), "not in raw mode again");
    terminal.send("q");
    terminal.wait_exit();
    terminal.assert_given_back();
}

#[test]
fn suspended_with_no_shell_to_continue_it_the_program_goes_on() {
    let terminal = started(program());
    terminal.send(keys::ctrl('z'));
    terminal.wait_for_text("Char('z')");
    terminal.send("q");
    assert!(terminal.wait_exit().success());
    terminal.assert_given_back();
}

#[test]
fn a_terminal_that_is_gone_is_noticed_without_a_signal() {
    // A leader of the session that keeps SIGHUP to itself, as under `ssh -t` or
    // in a pane; the program is not in the foreground job either.
    let mut terminal = started(under_shell(r#"trap "" HUP; "$@""#));
    terminal.hang_up("x");
    assert_eq!(terminal.wait_exit().exit_code(), 9, "{}", terminal.text());
    let told = std::fs::read_to_string(terminal.home().join("closed")).expect("it was told");
    assert!(told.ends_with(r#"Closed("the terminal is gone")"#), "{told}");
}
