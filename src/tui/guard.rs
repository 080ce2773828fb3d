//! Taking the terminal and giving it back, on every way out: return, error,
//! panic, signal, suspension.
//!
//! A process has one terminal, so the state is global: [`restore`] can be called
//! from anywhere, any number of times, and only the first call after the terminal
//! was taken does anything. Nothing here decides when to quit, reads input, or
//! draws. The mouse is never captured: selecting text stays with the terminal.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fs::File;
use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::thread::{self, ThreadId};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::queue;
use crossterm::style::{Attribute, SetAttribute};
use crossterm::terminal::{
    EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

/// Where the screen is drawn. stdout belongs to the data wherever a command
/// prints some, so a command with a screen *and* a result draws elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// The explorer.
    Stdout,
    /// A command whose stdout is read by a program.
    Stderr,
    /// The same, where stderr is redirected too: `/dev/tty`.
    ControllingTerminal,
}

impl Output {
    /// A handle to draw on. Unbuffered beyond what the standard library does;
    /// bytes written through different handles on one output keep their order
    /// once each is flushed.
    ///
    /// # Errors
    /// [`Output::ControllingTerminal`] where the process has none.
    pub fn writer(self) -> io::Result<Box<dyn Write + Send>> {
        Ok(match self {
            Self::Stdout => Box::new(io::stdout()),
            Self::Stderr => Box::new(io::stderr()),
            Self::ControllingTerminal => Box::new(File::options().write(true).open("/dev/tty")?),
        })
    }

    const fn as_mark(self) -> u8 {
        match self {
            Self::Stdout => 1,
            Self::Stderr => 2,
            Self::ControllingTerminal => 3,
        }
    }

    const fn from_mark(mark: u8) -> Option<Self> {
        match mark {
            1 => Some(Self::Stdout),
            2 => Some(Self::Stderr),
            3 => Some(Self::ControllingTerminal),
            _ => None,
        }
    }
}

/// The mark of the output that the terminal was taken through; [`FREE`] while it
/// is not taken.
static TAKEN: AtomicU8 = AtomicU8::new(FREE);
const FREE: u8 = 0;

/// The thread that holds the guard, and so draws.
static HOLDER: Mutex<Option<ThreadId>> = Mutex::new(None);

/// Reports of panics on other threads, held back while the screen is in use.
static HELD_BACK: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The terminal in raw mode, on its alternate screen, with bracketed paste and
/// no cursor; back as it was when this is dropped.
#[must_use = "the terminal is given back when this is dropped"]
#[derive(Debug)]
pub struct TerminalGuard {
    output: Output,
}

impl TerminalGuard {
    /// Takes the terminal. Whether there is one is the caller's to check first.
    ///
    /// From here on a panic on this thread gives the terminal back before it is
    /// reported. A panic on another thread leaves the screen alone, and is
    /// reported on stderr once the terminal has been given back.
    ///
    /// # Errors
    /// What the terminal refused. Whatever was done by then is undone. Also where
    /// the terminal is taken already.
    pub fn enter(output: Output) -> io::Result<Self> {
        install_panic_hook();
        if TAKEN.load(Ordering::SeqCst) != FREE {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the terminal is in use already"));
        }
        take(output)?;
        Ok(Self { output })
    }

    /// Where this screen is drawn.
    #[must_use]
    pub const fn output(&self) -> Output {
        self.output
    }

    /// Gives the terminal back for a while, to suspend or to run another program.
    ///
    /// # Errors
    /// What the terminal refused.
    pub fn leave(&mut self) -> io::Result<()> {
        restore()
    }

    /// Takes the terminal again after [`TerminalGuard::leave`], or after a SIGCONT
    /// that came without it: a stop from outside lets a shell change the terminal
    /// behind our back. Once more than needed does no harm. The screen must then
    /// be drawn in full.
    ///
    /// # Errors
    /// What the terminal refused; it then is as after `leave`.
    pub fn reenter(&mut self) -> io::Result<()> {
        // crossterm remembers raw mode instead of asking the terminal, and a
        // terminal on its alternate screen may lose the cursor of the other one
        // when it is sent there again. Off and on is what makes both true.
        restore()?;
        take(self.output)
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        // Nobody is left to tell; a terminal that refuses this is gone.
        let _ = restore();
    }
}

/// Gives the terminal back, if it is taken. Safe to call from any thread and any
/// number of times. Reports of panics that were held back go to stderr then.
///
/// # Errors
/// What the terminal refused. Everything is tried nevertheless.
pub fn restore() -> io::Result<()> {
    let Some(output) = Output::from_mark(TAKEN.swap(FREE, Ordering::SeqCst)) else {
        return Ok(());
    };
    // Raw mode first: it cannot block, whereas writing to a terminal that has
    // stopped its output (Ctrl+S, a dead connection) can.
    let modes = disable_raw_mode();
    let screen = write_leaving(output);
    report_held_back();
    modes.and(screen)
}

fn take(output: Output) -> io::Result<()> {
    *lock(&HOLDER) = Some(thread::current().id());
    // Marked before anything is done, so that a panic or a signal in the middle
    // undoes what there is.
    TAKEN.store(output.as_mark(), Ordering::SeqCst);
    let taken = enable_raw_mode().and_then(|()| write_entering(output));
    if taken.is_err() {
        let _ = restore();
    }
    taken
}

fn write_entering(output: Output) -> io::Result<()> {
    let mut bytes = Vec::new();
    queue!(bytes, EnterAlternateScreen, EnableBracketedPaste, Hide)?;
    write_at_once(output, &bytes)
}

fn write_leaving(output: Output) -> io::Result<()> {
    let mut bytes = Vec::new();
    queue!(
        bytes,
        // A frame that was cut short may have left either of these on.
        EndSynchronizedUpdate,
        SetAttribute(Attribute::Reset),
        DisableBracketedPaste,
        LeaveAlternateScreen,
        Show,
    )?;
    write_at_once(output, &bytes)
}

fn write_at_once(output: Output, bytes: &[u8]) -> io::Result<()> {
    let mut writer = output.writer()?;
    writer.write_all(bytes)?;
    writer.flush()
}

/// Installs the hook once for the life of the process, around the hook that was
/// there.
fn install_panic_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let taken = TAKEN.load(Ordering::SeqCst) != FREE;
            if taken && *lock(&HOLDER) != Some(thread::current().id()) {
                lock(&HELD_BACK).push(report(info));
                return;
            }
            let _ = restore();
            previous(info);
        }));
    });
}

/// What the standard hook would have printed.
fn report(info: &PanicHookInfo<'_>) -> String {
    let thread = thread::current();
    let name = thread.name().unwrap_or("<unnamed>");
    let backtrace = Backtrace::capture();
    let trace = match backtrace.status() {
        BacktraceStatus::Captured => format!("\nstack backtrace:\n{backtrace}"),
        _ => String::new(),
    };
    format!("thread '{name}' {info}{trace}\n")
}

fn report_held_back() {
    let reports = std::mem::take(&mut *lock(&HELD_BACK));
    for report in reports {
        let _ = io::stderr().write_all(report.as_bytes());
    }
}

/// The state behind these locks is whole at any moment, so a panic elsewhere does
/// not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
