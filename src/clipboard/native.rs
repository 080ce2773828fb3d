//! The system clipboard, through arboard, on a thread of its own.
//!
//! The one handle is made at the first copy and kept: a dropped handle takes the
//! text with it. Opening it can block for as long as a display likes (a half-dead
//! `ssh -X` accepts and says nothing), so nobody waits for it longer than the
//! deadline. A clipboard that let a deadline pass is not asked again until it has
//! answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, TryRecvError};
use std::thread;
use std::time::Duration;

use super::one_line;

/// How long the clipboard may take to answer. A healthy X server takes between
/// half a millisecond and 40 ms to open, and a tenth of a millisecond afterwards.
const DEADLINE: Duration = Duration::from_millis(300);

/// Puts a text on an open clipboard and confirms that it is there.
pub(super) type Put = Box<dyn FnMut(String) -> Result<(), String>>;

/// Opens the clipboard. Called on the clipboard's thread.
pub(super) type Open = Box<dyn FnMut() -> Result<Put, String> + Send>;

/// The asking side. Used from one thread, the one that carries out the copies.
pub(super) struct Native {
    deadline: Duration,
    thread: Thread,
    /// The last deadline passed without an answer.
    stuck: bool,
}

enum Thread {
    NotStarted(Open),
    Running { requests: mpsc::Sender<Request>, answers: mpsc::Receiver<Result<(), String>> },
    Ended,
}

struct Request {
    text: String,
    /// Becomes false when the deadline passes. A clipboard that opens late must
    /// not put down a text that has gone another way meanwhile, and perhaps has a
    /// successor.
    wanted: Arc<AtomicBool>,
}

impl Native {
    /// The clipboard of this system.
    pub(super) fn system() -> Self {
        Self::new(Box::new(open_system_clipboard), DEADLINE)
    }

    pub(super) fn new(open: Open, deadline: Duration) -> Self {
        Self { deadline, thread: Thread::NotStarted(open), stuck: false }
    }

    #[cfg(test)]
    pub(super) fn set_deadline(&mut self, deadline: Duration) {
        self.deadline = deadline;
    }

    /// Puts a text on the clipboard, or says why it is not there.
    pub(super) fn put(&mut self, text: &str) -> Result<(), String> {
        self.start()?;
        let Thread::Running { requests, answers } = &self.thread else {
            return Err(ENDED.to_owned());
        };
        if self.stuck {
            match answers.try_recv() {
                Ok(_to_an_earlier_request) => self.stuck = false,
                Err(TryRecvError::Empty) => {
                    return Err("it has still not answered an earlier copy".to_owned());
                }
                Err(TryRecvError::Disconnected) => {
                    self.thread = Thread::Ended;
                    return Err(ENDED.to_owned());
                }
            }
        }
        let wanted = Arc::new(AtomicBool::new(true));
        let request = Request { text: text.to_owned(), wanted: Arc::clone(&wanted) };
        if requests.send(request).is_err() {
            self.thread = Thread::Ended;
            return Err(ENDED.to_owned());
        }
        match answers.recv_timeout(self.deadline) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => {
                wanted.store(false, Ordering::SeqCst);
                self.stuck = true;
                Err(format!("it did not answer within {} ms", self.deadline.as_millis()))
            }
            Err(RecvTimeoutError::Disconnected) => {
                self.thread = Thread::Ended;
                Err(ENDED.to_owned())
            }
        }
    }

    /// Starts the clipboard's thread where it has not been started.
    fn start(&mut self) -> Result<(), String> {
        self.thread = match std::mem::replace(&mut self.thread, Thread::Ended) {
            Thread::NotStarted(open) => Thread::begin(open)?,
            started => started,
        };
        Ok(())
    }
}

impl Thread {
    fn begin(open: Open) -> Result<Self, String> {
        let (requests, incoming) = mpsc::channel();
        let (answer, answers) = mpsc::channel();
        thread::Builder::new()
            .name("clipboard-native".to_owned())
            .spawn(move || serve(open, &incoming, &answer))
            .map_err(|error| format!("no thread for it: {error}"))?;
        Ok(Self::Running { requests, answers })
    }
}

const ENDED: &str = "its thread has ended";

/// The answering side: opens the clipboard when it is first needed, and again
/// after an error, since a display that went away comes back as a new one.
fn serve(mut open: Open, incoming: &mpsc::Receiver<Request>, answer: &mpsc::Sender<Result<(), String>>) {
    let mut clipboard: Option<Put> = None;
    for Request { text, wanted } in incoming {
        let opened = match clipboard.take() {
            Some(put) => Ok(put),
            None => open(),
        };
        let answered = opened.and_then(|mut put| {
            if !wanted.load(Ordering::SeqCst) {
                clipboard = Some(put);
                return Err("too late".to_owned());
            }
            put(text)?;
            clipboard = Some(put);
            Ok(())
        });
        if answer.send(answered).is_err() {
            return;
        }
    }
}

fn open_system_clipboard() -> Result<Put, String> {
    let mut clipboard = arboard::Clipboard::new().map_err(in_words)?;
    Ok(Box::new(move |text| {
        clipboard.set_text(text.as_str()).map_err(in_words)?;
        confirm(&mut clipboard, &text)
    }))
}

/// On X11 and Wayland a text that was set is only announced. Reading it back
/// makes the round trip to the server that tells whether it holds.
#[cfg(all(unix, not(target_os = "macos")))]
fn confirm(clipboard: &mut arboard::Clipboard, text: &str) -> Result<(), String> {
    match clipboard.get_text() {
        Ok(held) if held == text => Ok(()),
        Ok(_) | Err(arboard::Error::ContentNotAvailable) => {
            Err("it took the text but does not hold it".to_owned())
        }
        Err(error) => Err(in_words(error)),
    }
}

/// On macOS and Windows the call that sets the text also answers for it.
#[cfg(not(all(unix, not(target_os = "macos"))))]
fn confirm(_: &mut arboard::Clipboard, _: &str) -> Result<(), String> {
    Ok(())
}

/// arboard's errors for a person. Its word for a display that refuses, or does
/// not exist, is that a connection timed out, which is not what happened.
fn in_words(error: arboard::Error) -> String {
    match error {
        arboard::Error::Unknown { description } if description.contains("unreachable") => {
            "no display could be reached (`DISPLAY`, `WAYLAND_DISPLAY`)".to_owned()
        }
        // arboard keeps one connection for the process and has no way back from
        // its end (as of 3.7.0): opening it again gives the same dead one.
        arboard::Error::Unknown { description } if description.contains("handler thread") => {
            "its display has gone away; kmx started anew can reach another".to_owned()
        }
        arboard::Error::Unknown { description } => one_line(&description),
        arboard::Error::ClipboardNotSupported => "this desktop does not offer one".to_owned(),
        arboard::Error::ClipboardOccupied => "another program keeps hold of it".to_owned(),
        other => one_line(&other.to_string()),
    }
}
