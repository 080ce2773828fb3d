//! What comes from outside: keys, pastes, sizes, signals, and the end of the
//! terminal, all through one channel into the loop.
//!
//! Every source blocks on a thread of its own: while nothing happens nothing
//! wakes up. No event is interpreted here, and none is dropped that the loop
//! could want.
//!
//! # When the loop no longer listens
//!
//! - A **second SIGTERM** ends the process half a second later, whatever the loop
//!   does: the thread that receives signals gives the terminal back itself and
//!   exits with 143. A second SIGHUP does not count, since the end of a terminal
//!   brings several at once; neither does SIGINT, which may mean something to a
//!   running batch.
//! - A **terminal that is gone** is reported as [`InputEvent::Closed`]; a loop that
//!   has not ended five seconds later is ended with 129. Until then crossterm's
//!   reader spins (it takes no notice of a hang-up, as of 0.29), and no signal
//!   need ever come: SIGHUP reaches the session's leader, which may keep it to
//!   itself.
//! - Once the **receiver is dropped** the signals do again what they do by default,
//!   after the terminal was given back. Keep it until all that must be saved is.

use std::io;
use std::thread;

use crossterm::event::{self, Event, KeyEvent, KeyEventKind};
use tokio::sync::mpsc::UnboundedSender;

/// Something that the loop is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputEvent {
    /// A key was pressed, or repeats while it is held. Never a release, which
    /// Windows reports for every key.
    Key(KeyEvent),
    /// A bracketed paste, as one text. What came in it is not for the keymap.
    Paste(String),
    /// The terminal has another size.
    Resize {
        /// In cells.
        columns: u16,
        /// In cells.
        rows: u16,
    },
    /// The process got a signal. Unix only.
    Signal(Signal),
    /// No more input will come: the terminal is gone, or reading from it failed,
    /// for the reason given. May come more than once.
    Closed(String),
}

/// The signals that mean something to the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: end now, saving what must be saved.
    Terminate,
    /// SIGHUP: the terminal went away; otherwise as `Terminate`.
    HangUp,
    /// SIGINT: from `kill`, or from a terminal that is not in raw mode.
    Interrupt,
    /// SIGCONT: the process was stopped and goes on. The terminal must be taken
    /// again, and drawn in full.
    Continue,
}

impl Signal {
    /// The exit code that says that this signal ended the process, as a shell
    /// puts it. `None` for a signal that ends nothing.
    #[must_use]
    pub const fn exit_code(self) -> Option<u8> {
        match self {
            Self::HangUp => Some(129),
            Self::Interrupt => Some(130),
            Self::Terminate => Some(143),
            Self::Continue => None,
        }
    }
}

/// Starts the threads. Call it before the terminal is taken, so that no signal
/// finds it taken and itself unhandled; and once, since the events of a terminal
/// cannot be shared. The threads last as long as the process.
///
/// # Errors
/// Where a thread cannot be started or a signal cannot be handled.
pub fn spawn(sender: UnboundedSender<InputEvent>) -> io::Result<()> {
    #[cfg(unix)]
    unix::spawn(&sender)?;
    thread::Builder::new().name("input".to_owned()).spawn(move || read_events(&sender))?;
    Ok(())
}

/// Stops the process as Ctrl+Z does, and returns when it goes on. To be called
/// after the guard has left the terminal, and after [`spawn`]. The loop gets a
/// [`Signal::Continue`] as well.
///
/// The whole foreground job stops, as it would had the terminal sent the signal:
/// in `kmx form … | jq …` a shell waits until every process of the pipeline has
/// stopped. Where nobody could ever continue the process (it is what the terminal
/// runs, with no shell in between), the system ignores the signal, and this
/// returns after half a second.
///
/// # Errors
/// Where the signal could not be sent, or there is no such thing (Windows).
pub fn suspend() -> io::Result<()> {
    #[cfg(unix)]
    return unix::suspend();
    #[cfg(not(unix))]
    Err(io::ErrorKind::Unsupported.into())
}

fn read_events(sender: &UnboundedSender<InputEvent>) {
    loop {
        let event = match event::read() {
            Ok(event) => translate(event),
            Err(error) => {
                // No second attempt: an error that stays would be read for ever.
                let _ = sender.send(InputEvent::Closed(error.to_string()));
                return;
            }
        };
        if let Some(event) = event
            && sender.send(event).is_err()
        {
            return;
        }
    }
}

fn translate(event: Event) -> Option<InputEvent> {
    match event {
        Event::Key(key) => match key.kind {
            KeyEventKind::Press | KeyEventKind::Repeat => Some(InputEvent::Key(key)),
            KeyEventKind::Release => None,
        },
        Event::Paste(text) => Some(InputEvent::Paste(text)),
        Event::Resize(columns, rows) => Some(InputEvent::Resize { columns, rows }),
        // Neither is ever asked for.
        Event::Mouse(_) | Event::FocusGained | Event::FocusLost => None,
    }
}

#[cfg(unix)]
mod unix {
    //! Signals, and the watch for a terminal that is gone.

    use std::fs::File;
    use std::io::{self, IsTerminal as _};
    use std::os::fd::{AsFd as _, OwnedFd};
    use std::sync::{Condvar, Mutex, PoisonError, mpsc};
    use std::thread;
    use std::time::Duration;

    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::process::kill_current_process_group;
    use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level;
    use tokio::sync::mpsc::UnboundedSender;

    use super::{InputEvent, Signal};
    use crate::tui::guard;

    /// What a loop has left to end in after a second SIGTERM.
    const AFTER_SECOND_TERMINATE: Duration = Duration::from_millis(500);

    /// What a loop has left to end in without a terminal.
    const AFTER_CLOSED: Duration = Duration::from_secs(5);

    /// How long giving the terminal back may take when the process ends here. A
    /// terminal that has stopped its output would hold it up for ever.
    const RESTORE: Duration = Duration::from_millis(500);

    /// How long the system may take to stop a process that has been told to. It is
    /// mostly done before the call returns, but any thread may be the one that
    /// takes the signal.
    const TO_STOP: Duration = Duration::from_millis(500);

    /// How often the process was continued, and word of each time.
    static CONTINUED: Mutex<u64> = Mutex::new(0);
    static CONTINUES: Condvar = Condvar::new();

    pub(super) fn spawn(sender: &UnboundedSender<InputEvent>) -> io::Result<()> {
        let signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGCONT])?;
        let to_loop = sender.clone();
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || receive_signals(signals, &to_loop))?;
        // Found here and not on the thread: a terminal that has hung up by the time
        // the thread runs could no longer be told from a file.
        if let Ok(terminal) = terminal() {
            let to_loop = sender.clone();
            thread::Builder::new()
                .name("hang-up".to_owned())
                .spawn(move || watch_terminal(&terminal, &to_loop))?;
        }
        Ok(())
    }

    fn receive_signals(mut signals: Signals, to_loop: &UnboundedSender<InputEvent>) {
        let mut terminated_before = false;
        for number in signals.forever() {
            let Some(signal) = Signal::from_number(number) else {
                continue;
            };
            if signal == Signal::Continue {
                *CONTINUED.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                CONTINUES.notify_all();
            }
            let heard = to_loop.send(InputEvent::Signal(signal)).is_ok();
            let Some(code) = signal.exit_code() else {
                continue;
            };
            if !heard {
                end(code);
            }
            if signal == Signal::Terminate {
                if terminated_before {
                    thread::sleep(AFTER_SECOND_TERMINATE);
                    end(code);
                }
                terminated_before = true;
            }
        }
    }

    pub(super) fn suspend() -> io::Result<()> {
        // Locked until the wait begins, so that no continuation is missed.
        let before = CONTINUED.lock().unwrap_or_else(PoisonError::into_inner);
        let number = *before;
        kill_current_process_group(rustix::process::Signal::TSTP)?;
        // Returning any earlier would take the terminal again just before the
        // stop. The time that the process is stopped counts, which is as well:
        // when it is over the process has been continued.
        let _ = CONTINUES.wait_timeout_while(before, TO_STOP, |now| *now == number);
        Ok(())
    }

    /// The terminal that input comes from, by the same choice as crossterm's:
    /// stdin, or else the terminal of the session.
    fn terminal() -> io::Result<OwnedFd> {
        let stdin = io::stdin();
        if stdin.is_terminal() {
            stdin.as_fd().try_clone_to_owned()
        } else {
            File::open("/dev/tty").map(OwnedFd::from)
        }
    }

    /// Waits for the terminal to hang up, and for nothing else: input is left to
    /// the reader, and wakes nobody here.
    fn watch_terminal(terminal: &OwnedFd, to_loop: &UnboundedSender<InputEvent>) {
        // No flags: POLLHUP and POLLERR are reported unasked.
        let mut watched = [PollFd::new(terminal, PollFlags::empty())];
        loop {
            match poll(&mut watched, None) {
                // A system that cannot poll this terminal (macOS, for `/dev/tty`).
                Ok(_) if watched[0].revents().contains(PollFlags::NVAL) => return,
                Ok(_) => break,
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
        }
        let _ = to_loop.send(InputEvent::Closed("the terminal is gone".to_owned()));
        thread::sleep(AFTER_CLOSED);
        end(129);
    }

    /// Ends the process without the loop: gives the terminal back, as far as it
    /// lets us in the time, and exits. Destructors and exit handlers do not run;
    /// one of them may be what is stuck.
    fn end(code: u8) -> ! {
        let (done, restored) = mpsc::channel();
        let restoring = thread::Builder::new().spawn(move || {
            let _ = guard::restore();
            let _ = done.send(());
        });
        if restoring.is_ok() {
            let _ = restored.recv_timeout(RESTORE);
        }
        low_level::exit(i32::from(code))
    }

    impl Signal {
        fn from_number(number: i32) -> Option<Self> {
            match number {
                SIGTERM => Some(Self::Terminate),
                SIGHUP => Some(Self::HangUp),
                SIGINT => Some(Self::Interrupt),
                SIGCONT => Some(Self::Continue),
                _ => None,
            }
        }
    }
}

#[cfg(test)]
mod tests;
