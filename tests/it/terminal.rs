//! A terminal to run programs in: a pseudo-terminal whose output goes through a
//! terminal emulator, so that a test looks at the screen as a person does.
//!
//! Nothing here sleeps. A test says what it waits for, and gets it as soon as it
//! is there, or fails with a picture of the screen. Wait for what stays: a text
//! that is overwritten a millisecond later may never be seen.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use portable_pty::{CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tempfile::TempDir;

/// How long anything may take before the test fails. Long, because a busy machine
/// must not fail a test; a test that passes does not wait.
const DEADLINE: Duration = Duration::from_secs(10);

/// What a keyboard sends.
pub mod keys {
    pub const ENTER: &str = "\r";
    pub const ESC: &str = "\x1b";
    pub const TAB: &str = "\t";
    pub const BACK_TAB: &str = "\x1b[Z";
    pub const BACKSPACE: &str = "\x7f";
    pub const UP: &str = "\x1b[A";
    pub const DOWN: &str = "\x1b[B";
    pub const RIGHT: &str = "\x1b[C";
    pub const LEFT: &str = "\x1b[D";
    pub const PAGE_UP: &str = "\x1b[5~";
    pub const PAGE_DOWN: &str = "\x1b[6~";
    pub const HOME: &str = "\x1b[H";
    pub const END: &str = "\x1b[F";
    pub const F1: &str = "\x1bOP";

    /// Ctrl and a letter.
    pub fn ctrl(letter: char) -> String {
        char::from(u8::try_from(letter).expect("an ASCII letter") & 0x1f).to_string()
    }

    /// Alt and a character.
    pub fn alt(character: char) -> String {
        format!("\x1b{character}")
    }
}

/// A program to be run in a [`Terminal`], with an environment that holds nothing
/// of ours: `HOME` and the working directory are a fresh folder. (`SHELL` is
/// portable-pty's: the login shell of the user.)
pub struct Launch {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    home: Option<PathBuf>,
    columns: u16,
    rows: u16,
}

impl Launch {
    /// A program by its absolute path, in a terminal of 100 by 30.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            home: None,
            columns: 100,
            rows: 30,
        }
    }

    /// The kmx that was built with these tests.
    pub fn kmx() -> Self {
        Self::new(env!("CARGO_BIN_EXE_kmx"))
    }

    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        let arguments = arguments.into_iter().map(|argument| argument.as_ref().to_owned());
        self.arguments.extend(arguments);
        self
    }

    /// Sets a variable. The last value given counts, over the defaults too.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// A home that outlives the terminal, to start a program in it once more.
    pub fn home(mut self, home: impl Into<PathBuf>) -> Self {
        self.home = Some(home.into());
        self
    }

    pub fn size(mut self, columns: u16, rows: u16) -> Self {
        (self.columns, self.rows) = (columns, rows);
        self
    }

    pub fn start(self) -> Terminal {
        Terminal::start(&self)
    }
}

/// A running program and the terminal it runs in. Dropped, it kills the program.
pub struct Terminal {
    shared: Arc<Shared>,
    /// `None` once the terminal has hung up.
    master: Option<Box<dyn MasterPty + Send>>,
    /// `None` once the terminal has hung up. Text goes through a thread, so that
    /// a program that does not read cannot hold up a test.
    keyboard: Option<mpsc::Sender<String>>,
    threads: Vec<JoinHandle<()>>,
    pid: Pid,
    home: PathBuf,
    /// The modes of the terminal before the program started.
    modes: String,
    /// Removed with the terminal; `None` for a home that the test brought.
    _own_home: Option<TempDir>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    parser: vt100::Parser<Heard>,
    raw: Vec<u8>,
    /// All that the program and its children wrote has been read.
    at_end: bool,
    /// Set by a test that lets the terminal hang up.
    hang_up: bool,
    exit: Option<ExitStatus>,
}

/// What a program said to the terminal beside its screen.
#[derive(Default)]
struct Heard {
    copies: Vec<String>,
}

impl vt100::Callbacks for Heard {
    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _selection: &[u8], data: &[u8]) {
        let text = BASE64_STANDARD.decode(data).expect("OSC 52 carries Base64");
        self.copies.push(String::from_utf8(text).expect("OSC 52 carries UTF-8"));
    }
}

impl Terminal {
    fn start(launch: &Launch) -> Self {
        let size = PtySize { rows: launch.rows, cols: launch.columns, ..PtySize::default() };
        let pty = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let own_home = launch.home.is_none().then(|| TempDir::new().expect("a temporary folder"));
        let home = match (&launch.home, &own_home) {
            (Some(home), _) => home.clone(),
            (None, Some(own)) => own.path().to_owned(),
            (None, None) => unreachable!("a launch without a home gets one"),
        };

        let mut command = CommandBuilder::new(&launch.program);
        command.args(&launch.arguments);
        command.cwd(&home);
        command.env_clear();
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("PATH", "/usr/bin:/bin")] {
            command.env(name, value);
        }
        command.env("HOME", &home);
        for (name, value) in &launch.environment {
            command.env(name, value);
        }

        let modes = modes_of(&*pty.master);
        let mut child = pty.slave.spawn_command(command).expect("the program starts");
        // Ours would keep the terminal from ever coming to its end.
        drop(pty.slave);
        let pid = child.process_id().expect("a process has an id");
        let pid = Pid::from_raw(i32::try_from(pid).expect("a process id fits")).expect("not 0");

        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                parser: vt100::Parser::new_with_callbacks(
                    cells(launch.rows),
                    cells(launch.columns),
                    0,
                    Heard::default(),
                ),
                raw: Vec::new(),
                at_end: false,
                hang_up: false,
                exit: None,
            }),
            changed: Condvar::new(),
        });
        let mut output = pty.master.try_clone_reader().expect("the output of the terminal");
        let mut input = pty.master.take_writer().expect("the input of the terminal");
        let (keyboard, typed) = mpsc::channel::<String>();
        let to_reader = Arc::clone(&shared);
        let to_waiter = Arc::clone(&shared);
        let threads = vec![
            thread::spawn(move || to_reader.read(&mut *output)),
            thread::spawn(move || {
                for text in typed {
                    // A program that has ended reads nothing any more.
                    let _ = input.write_all(text.as_bytes()).and_then(|()| input.flush());
                }
            }),
            thread::spawn(move || {
                let exit = child.wait().expect("the program can be waited for");
                to_waiter.change(|state| state.exit = Some(exit));
            }),
        ];
        Self {
            shared,
            master: Some(pty.master),
            keyboard: Some(keyboard),
            threads,
            pid,
            home,
            modes,
            _own_home: own_home,
        }
    }

    /// The program's `HOME` and working directory.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Types.
    pub fn send(&self, text: impl Into<String>) {
        let keyboard = self.keyboard.as_ref().expect("the terminal has hung up");
        // An error means that the writing thread met the end of the program.
        let _ = keyboard.send(text.into());
    }

    /// Pastes, as a terminal does for a program that asked for bracketed pastes.
    #[track_caller]
    pub fn paste(&self, text: &str) {
        assert!(self.lock().parser.screen().bracketed_paste(), "pastes are not bracketed");
        self.send(format!("\x1b[200~{text}\x1b[201~"));
    }

    /// Gives the terminal another size, of which the program is told by SIGWINCH.
    pub fn resize(&self, columns: u16, rows: u16) {
        // The emulator first: what the program draws then finds room.
        self.shared.change(|state| state.parser.set_size(cells(rows), cells(columns)));
        let size = PtySize { rows, cols: columns, ..PtySize::default() };
        let master = self.master.as_ref().expect("the terminal has hung up");
        master.resize(size).expect("the terminal takes its size");
    }

    /// Sends the program a signal.
    pub fn kill(&self, signal: Signal) {
        kill_process(self.pid, signal).expect("the program is running");
    }

    /// Sends a signal to the job in the foreground, as the terminal does itself.
    pub fn kill_foreground(&self, signal: Signal) {
        let master = self.master.as_ref().expect("the terminal has hung up");
        let group = master.process_group_leader().and_then(Pid::from_raw);
        let group = group.expect("a job in the foreground");
        kill_process_group(group, signal).expect("the job is running");
    }

    /// Closes the terminal as a person closes its window. `nudge` is typed last,
    /// and must make the program write something.
    pub fn hang_up(&mut self, nudge: &str) {
        self.lock().hang_up = true;
        self.send(nudge);
        self.keyboard = None;
        self.wait_for_state("the terminal to hang up", |state| state.at_end);
        self.master = None;
    }

    /// Waits until the screen is as the test says, and returns its text.
    #[track_caller]
    pub fn wait_for(&self, wanted: impl Fn(&vt100::Screen) -> bool) -> String {
        self.wait_for_state("the screen", |state| wanted(state.parser.screen()));
        self.text()
    }

    /// Waits until the screen holds a text, and returns all of its text.
    #[track_caller]
    pub fn wait_for_text(&self, wanted: &str) -> String {
        let waiting_for = format!("{wanted:?} on the screen");
        self.wait_for_state(&waiting_for, |state| state.parser.screen().contents().contains(wanted));
        self.text()
    }

    /// Waits for the program to end and for all of its output.
    #[track_caller]
    pub fn wait_exit(&self) -> ExitStatus {
        self.wait_for_state("the end of the program", |state| state.at_end && state.exit.is_some());
        self.lock().exit.clone().expect("waited for it")
    }

    /// Waits until so many texts were sent to the clipboard by OSC 52, and returns
    /// all there are.
    #[track_caller]
    pub fn wait_for_copies(&self, number: usize) -> Vec<String> {
        let waiting_for = format!("{number} copies");
        self.wait_for_state(&waiting_for, |state| state.parser.callbacks().copies.len() >= number);
        self.lock().parser.callbacks().copies.clone()
    }

    /// The text of the screen, a line a row, without the blanks at their ends.
    pub fn text(&self) -> String {
        self.lock().parser.screen().contents()
    }

    /// All bytes that the program has written so far.
    pub fn raw(&self) -> Vec<u8> {
        self.lock().raw.clone()
    }

    /// The program draws beside what was on the terminal before.
    pub fn alternate_screen(&self) -> bool {
        self.lock().parser.screen().alternate_screen()
    }

    /// The modes of the line (cooked, echo, …) are those from before the program.
    pub fn modes_as_before(&self) -> bool {
        let master = self.master.as_ref().expect("the terminal has hung up");
        modes_of(&**master) == self.modes
    }

    /// The terminal is as it was before the program started. To be asked after
    /// the end of the program, or when it is stopped.
    #[track_caller]
    pub fn assert_given_back(&self) {
        let mut kept = String::new();
        {
            let state = self.lock();
            let screen = state.parser.screen();
            let mouse = screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None;
            for (is_kept, what) in [
                (screen.alternate_screen(), "the alternate screen"),
                (screen.hide_cursor(), "the cursor"),
                (screen.bracketed_paste(), "bracketed paste"),
                (screen.application_cursor(), "the cursor keys"),
                (mouse, "the mouse"),
            ] {
                if is_kept {
                    let _ = write!(kept, " {what},");
                }
            }
        }
        if !self.modes_as_before() {
            kept.push_str(" the modes of the line,");
        }
        assert!(kept.is_empty(), "the program kept{kept} and left:\n{}", self.picture());
    }

    #[track_caller]
    fn wait_for_state(&self, waiting_for: &str, wanted: impl Fn(&State) -> bool) {
        let until = Instant::now() + DEADLINE;
        let mut state = self.lock();
        while !wanted(&state) {
            let left = until.saturating_duration_since(Instant::now());
            let over = state.at_end && state.exit.is_some();
            if over || left.is_zero() {
                let ended = match &state.exit {
                    Some(exit) => format!("the program has ended ({exit:?})"),
                    None => "the program is running".to_owned(),
                };
                drop(state);
                panic!("waited for {waiting_for} in vain; {ended}:\n{}", self.picture());
            }
            (state, _) =
                self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The screen in a frame, for the message of a failed test.
    fn picture(&self) -> String {
        let state = self.lock();
        let screen = state.parser.screen();
        let (_, columns) = screen.size();
        let line = "-".repeat(usize::from(columns.get()));
        let mut picture = format!("+{line}\n");
        for row in screen.rows(0, columns.get()) {
            let _ = writeln!(picture, "|{row}");
        }
        picture.push('+');
        picture.push_str(&line);
        picture
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.lock()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if self.lock().exit.is_none() {
            let _ = kill_process(self.pid, Signal::KILL);
        }
        self.keyboard = None;
        // The threads end with the program, or, where it leaves a child behind,
        // with that child: nobody waits for them here.
        self.threads.clear();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Feeds the emulator until the program and its children have ended, which
    /// Linux reports as an error (EIO) and others as an end of file.
    fn read(&self, output: &mut dyn Read) {
        let mut bytes = [0; 8192];
        while let Ok(length @ 1..) = output.read(&mut bytes) {
            self.change(|state| {
                state.raw.extend_from_slice(&bytes[..length]);
                state.parser.process(&bytes[..length]);
            });
            if self.lock().hang_up {
                break;
            }
        }
        self.change(|state| state.at_end = true);
    }
}

/// The modes of the line, in words that can be compared.
fn modes_of(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().expect("a terminal has modes"))
}

fn cells(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).expect("a terminal has rows and columns")
}

/// The harness itself, proved with a program that everybody knows.
mod tests {
    use super::*;

    fn shell(script: &str) -> Terminal {
        Launch::new("/bin/sh").args(["-c", script]).start()
    }

    #[test]
    fn the_screen_shows_what_a_program_prints_and_the_end_tells_how() {
        let terminal = shell("printf 'one\\r\\n\\033[31mtwo\\033[0m'; exit 7");
        assert_eq!(terminal.wait_exit().exit_code(), 7);
        assert_eq!(terminal.text(), "one\ntwo");
        assert!(terminal.raw().starts_with(b"one\r"), "{:?}", terminal.raw());
        terminal.assert_given_back();
    }

    #[test]
    fn a_program_gets_what_is_typed_and_pasted() {
        let terminal =
            shell("printf '\\033[?2004h'; read line; echo \"<$line>\"; read line; echo \"<$line>\"");
        terminal.wait_for(vt100::Screen::bracketed_paste);
        terminal.send("typed\n");
        terminal.wait_for_text("<typed>");
        terminal.paste("pasted");
        terminal.send("\n");
        terminal.wait_exit();
        let raw = String::from_utf8(terminal.raw()).expect("UTF-8");
        assert!(raw.contains("<\x1b[200~pasted\x1b[201~>"), "{raw:?}");
    }

    #[test]
    fn a_program_learns_of_another_size() {
        let terminal = shell("trap 'stty size; exit' WINCH; echo ready; while :; do read line; done");
        terminal.wait_for_text("ready");
        terminal.resize(61, 17);
        terminal.wait_for_text("17 61");
        terminal.wait_exit();
    }

    #[test]
    fn a_signal_that_ends_a_program_is_seen() {
        let terminal = shell("echo ready; read line");
        terminal.wait_for_text("ready");
        terminal.kill(Signal::TERM);
        assert_eq!(terminal.wait_exit().signal(), Some("Terminated"));
    }

    #[test]
    fn copies_are_heard_in_their_order() {
        let terminal = shell("printf '\\033]52;c;b25l\\033\\\\'; read line; printf '\\033]52;c;dHdv\\007'");
        assert_eq!(terminal.wait_for_copies(1), ["one"]);
        terminal.send("\n");
        assert_eq!(terminal.wait_for_copies(2), ["one", "two"]);
        terminal.wait_exit();
    }

    #[test]
    fn the_environment_is_what_the_test_says_and_no_more() {
        let terminal = Launch::new("/usr/bin/env").env("KMX_CLIPBOARD", "off").start();
        terminal.wait_exit();
        let text = terminal.text();
        let mut names: Vec<_> = text.lines().filter_map(|line| line.split('=').next()).collect();
        names.sort_unstable();
        assert_eq!(names, ["HOME", "KMX_CLIPBOARD", "LANG", "PATH", "SHELL", "TERM"]);
        assert!(text.contains(&format!("HOME={}", terminal.home().display())), "{text}");
    }

    #[test]
    fn a_home_can_be_used_twice() {
        let home = TempDir::new().expect("a temporary folder");
        let run = |script| {
            let terminal = Launch::new("/bin/sh").args(["-c", script]).home(home.path()).start();
            assert!(terminal.wait_exit().success(), "{}", terminal.text());
        };
        run("echo kept > file");
        run("grep -q kept ~/file");
    }

    #[test]
    fn what_a_program_keeps_of_the_terminal_is_named() {
        let terminal = shell("printf '\\033[?1049h\\033[?25l'; stty -icanon; echo ready");
        terminal.wait_exit();
        assert!(terminal.alternate_screen());
        assert!(!terminal.modes_as_before());
        let message = message_of(|| terminal.assert_given_back());
        let expected = "the program kept the alternate screen, the cursor, the modes of the line,";
        assert!(message.starts_with(expected), "{message}");
    }

    #[test]
    fn a_wait_in_vain_shows_the_screen() {
        let terminal = Launch::new("/bin/sh").args(["-c", "echo something else"]).size(20, 2).start();
        let message = message_of(|| drop(terminal.wait_for_text("this")));
        assert!(
            message.starts_with("waited for \"this\" on the screen in vain; the program has ended"),
            "{message}"
        );
        assert!(message.contains("|something else\n"), "{message}");
    }

    #[test]
    fn a_program_learns_that_its_terminal_is_gone() {
        let mut terminal = shell(
            "trap 'echo hung up > mark; exit 3' HUP; echo ready; while :; do read line; echo again; done",
        );
        terminal.wait_for_text("ready");
        terminal.hang_up("\n");
        assert_eq!(terminal.wait_exit().exit_code(), 3);
        let mark = std::fs::read_to_string(terminal.home().join("mark")).expect("the mark");
        assert_eq!(mark, "hung up\n");
    }

    fn message_of(run: impl FnOnce()) -> String {
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
        *panic.expect_err("it should have failed").downcast().expect("a message")
    }
}
