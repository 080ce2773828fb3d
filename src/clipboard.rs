//! Copying text out of kmx: which routes there are, in which order they are
//! tried, and an honest word about what happened.
//!
//! A copy goes to the system clipboard, to a tmux buffer, or to the terminal as
//! an OSC 52 escape sequence. Which of them reaches the person depends on where
//! kmx runs: over SSH the system clipboard is that of the wrong machine, and in
//! tmux a plain OSC 52 is swallowed unless `set-clipboard` is `on`, which is not
//! the default. [`Surroundings`] says where we are, [`Clipboard::copy`] does the
//! rest on threads of its own, and [`Outcome`] says what came of it.
//!
//! This module uses nothing else of kmx, and never writes to stdout or stderr:
//! the screen has one owner. An escape sequence for the terminal is handed back
//! in the outcome, to be written between two frames.

mod native;
mod surroundings;
mod terminal;
mod tmux;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use native::Native;
pub use surroundings::{Preference, Surroundings};
use tmux::Loaded;

/// Copies text. Clones share the threads and the one handle on the system
/// clipboard, which lives as long as the last of them: on X11 and Wayland a
/// dropped handle takes the text with it.
#[derive(Clone)]
pub struct Clipboard {
    shared: Arc<Shared>,
}

/// What came of a copy. Its `Display` is the fragment for the status line:
/// `system clipboard`, `tmux buffer; sent to the terminal`, `not copied: …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The route confirmed that it has the text.
    Copied {
        /// Where the text is.
        route: Route,
        /// The routes tried before this one, and why each failed.
        missed: Vec<Miss>,
    },
    /// The caller must write `escape` to the terminal, between frames. The
    /// terminal gives no answer, so this is "sent", never "copied".
    SendToTerminal {
        /// The complete escape sequence.
        escape: String,
        /// A route that has the text already.
        after: Option<Route>,
        /// The routes tried before this one, and why each failed.
        missed: Vec<Miss>,
    },
    /// No route took the text. The list is in the order of the attempts.
    Failed {
        /// The routes tried, and why each failed.
        attempts: Vec<Miss>,
    },
    /// Nothing was tried, for the reason given: copying is switched off, or
    /// `KMX_CLIPBOARD` asks for something that does not exist.
    Refused {
        /// Why, as a fragment that follows `not copied: `.
        reason: String,
    },
}

/// A route that was tried, and why it failed, in words for a person.
pub type Miss = (Route, String);

/// A way for text to leave kmx.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// The clipboard of the desktop: X11, Wayland, macOS, Windows.
    Native,
    /// A tmux buffer, which tmux then passes on to the terminal it runs in.
    Tmux,
    /// A tmux buffer alone: this tmux cannot pass a buffer on (before 3.2).
    TmuxBuffer,
    /// OSC 52, written to the terminal.
    Terminal,
}

/// The two routes that reach outside this process, so that the policy can be
/// tested without a display and without a tmux.
struct Tools {
    native: Native,
    tmux: LoadBuffer,
}

/// Fills a tmux buffer, or says why not.
type LoadBuffer = Box<dyn FnMut(&str) -> Result<Loaded, String> + Send>;

struct Shared {
    surroundings: Surroundings,
    worker: Mutex<Worker>,
}

enum Worker {
    NotStarted(Box<Tools>),
    Running(mpsc::Sender<Job>),
    /// The thread could not be started, or has ended; the reason is for a person.
    Unusable(String),
}

struct Job {
    text: String,
    done: Box<dyn FnOnce(Outcome) + Send>,
}

impl Clipboard {
    /// Starts no thread and touches nothing: the first copy does.
    #[must_use]
    pub fn new(surroundings: Surroundings) -> Self {
        Self::with_tools(surroundings, Tools { native: Native::system(), tmux: Box::new(tmux::load_buffer) })
    }

    fn with_tools(surroundings: Surroundings, tools: Tools) -> Self {
        Self {
            shared: Arc::new(Shared {
                surroundings,
                worker: Mutex::new(Worker::NotStarted(Box::new(tools))),
            }),
        }
    }

    /// Copies `text` and returns at once. `done` is called exactly once, on a
    /// thread of this module (on the caller's where that thread cannot be had),
    /// after at most 300 ms for the system clipboard and 2 s for tmux. Copies are
    /// carried out one after the other, so that the last one wins.
    pub fn copy(&self, text: String, done: impl FnOnce(Outcome) + Send + 'static) {
        let job = Job { text, done: Box::new(done) };
        if let Err((job, reason)) = self.shared.hand_over(job) {
            (job.done)(Outcome::Refused { reason });
        }
    }
}

impl Shared {
    /// Gives a job to the worker thread, which is started where it is not yet
    /// running; gives it back, with the reason, where there can be no worker.
    fn hand_over(&self, job: Job) -> Result<(), (Job, String)> {
        // The lock is held for a few instructions, and for the start of a thread
        // once in the life of the process.
        let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *worker, Worker::Unusable(String::new()));
        *worker = before.started(&self.surroundings);
        let sent = match &*worker {
            Worker::Running(jobs) => jobs
                .send(job)
                .map_err(|mpsc::SendError(job)| (job, "the clipboard thread has ended".to_owned())),
            Worker::Unusable(reason) => Err((job, reason.clone())),
            Worker::NotStarted(_) => Err((job, "the clipboard thread has not started".to_owned())),
        };
        if let Err((_, reason)) = &sent {
            *worker = Worker::Unusable(reason.clone());
        }
        sent
    }
}

impl Worker {
    fn started(self, surroundings: &Surroundings) -> Self {
        let Self::NotStarted(mut tools) = self else {
            return self;
        };
        let (jobs, incoming) = mpsc::channel::<Job>();
        let surroundings = surroundings.clone();
        let thread = thread::Builder::new().name("clipboard".to_owned()).spawn(move || {
            for job in incoming {
                (job.done)(tools.copy(&surroundings, &job.text));
            }
        });
        match thread {
            Ok(_detached) => Self::Running(jobs),
            Err(error) => Self::Unusable(format!("no thread for the clipboard: {error}")),
        }
    }
}

impl Tools {
    /// Tries the routes in their order until one takes the text.
    fn copy(&mut self, surroundings: &Surroundings, text: &str) -> Outcome {
        let routes = match surroundings.routes() {
            Ok(routes) => routes,
            Err(reason) => return Outcome::Refused { reason },
        };
        let mut missed = Vec::new();
        for &route in routes {
            match self.try_route(route, text) {
                Ok(Taken::Confirmed(route)) => return Outcome::Copied { route, missed },
                Ok(Taken::ToSend { escape, after }) => {
                    return Outcome::SendToTerminal { escape, after, missed };
                }
                Ok(Taken::InPart { route, miss }) => {
                    missed.push(miss);
                    return Outcome::Copied { route, missed };
                }
                Err(reason) => missed.push((route, reason)),
            }
        }
        Outcome::Failed { attempts: missed }
    }

    fn try_route(&mut self, route: Route, text: &str) -> Result<Taken, String> {
        match route {
            Route::Native => {
                self.native.put(text)?;
                Ok(Taken::Confirmed(Route::Native))
            }
            Route::Tmux | Route::TmuxBuffer => Ok(match (self.tmux)(text)? {
                Loaded::AndPassedOn => Taken::Confirmed(Route::Tmux),
                // An old tmux keeps the buffer to itself, but such a tmux also
                // lets wrapped sequences through to the terminal unconditionally.
                Loaded::BufferOnly => match terminal::escape(text) {
                    Ok(escape) => Taken::ToSend {
                        escape: terminal::through_tmux(&escape),
                        after: Some(Route::TmuxBuffer),
                    },
                    Err(reason) => {
                        Taken::InPart { route: Route::TmuxBuffer, miss: (Route::Terminal, reason) }
                    }
                },
            }),
            Route::Terminal => Ok(Taken::ToSend { escape: terminal::escape(text)?, after: None }),
        }
    }
}

/// How a route took the text.
enum Taken {
    Confirmed(Route),
    ToSend { escape: String, after: Option<Route> },
    InPart { route: Route, miss: Miss },
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Native => "system clipboard",
            Self::Tmux | Self::TmuxBuffer => "tmux buffer",
            Self::Terminal => "terminal",
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SENT: &str = "sent to the terminal";
        let missed = match self {
            Self::Copied { route, missed } => {
                match route {
                    Route::Tmux => write!(f, "{route}; {SENT}")?,
                    _ => write!(f, "{route}")?,
                }
                missed
            }
            Self::SendToTerminal { after, missed, .. } => {
                match after {
                    Some(route) => write!(f, "{route}; {SENT}")?,
                    None => f.write_str(SENT)?,
                }
                missed
            }
            Self::Failed { attempts } => {
                f.write_str("not copied: ")?;
                return write_misses(f, attempts);
            }
            Self::Refused { reason } => return write!(f, "not copied: {reason}"),
        };
        if missed.is_empty() {
            return Ok(());
        }
        f.write_str(" (")?;
        write_misses(f, missed)?;
        f.write_str(")")
    }
}

fn write_misses(f: &mut fmt::Formatter<'_>, misses: &[Miss]) -> fmt::Result {
    for (index, (route, reason)) in misses.iter().enumerate() {
        let separator = if index == 0 { "" } else { "; " };
        write!(f, "{separator}{route}: {reason}")?;
    }
    Ok(())
}

/// The first line of what some other program said, without its control
/// characters, at a length that fits a status line.
fn one_line(said: &str) -> String {
    const LONGEST: usize = 160;
    said.lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default()
        .chars()
        .filter(|character| !character.is_control())
        .take(LONGEST)
        .collect()
}

#[cfg(test)]
mod tests;
