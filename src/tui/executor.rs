//! Carries out effects: each becomes a task, and what comes of it an answer.
//!
//! It decides nothing: which answer still counts is `update`'s to say, by generation and ticket.

use std::collections::HashMap;
use std::io;

use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, Id, JoinSet};

use super::runtime::WriteEscape;
use crate::app::{Effect, Generation, Lines, Message, Ticket};
use crate::clipboard::{Clipboard, Outcome};
use crate::domain::catalog::Described;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::loading::{LoadEvent, Part};
use crate::domain::place::Place;
use crate::domain::text::{printable, printable_lines};
use crate::kms::{self, Clients, loader};
use crate::session::Session;

/// Batches of a catalog that may wait to be taken in. A full channel holds the loader up.
const BATCHES: usize = 8;

/// What came of an effect.
pub enum Answer {
    Connected { generation: Generation, clients: Box<Clients> },
    Copied { what: String, outcome: Outcome },
    Message(Box<Message>),
}

/// A catalog that is being read. Dropped, it stops being read.
struct Load {
    generation: Generation,
    events: mpsc::Receiver<LoadEvent>,
    wanted: mpsc::UnboundedSender<Vec<String>>,
    task: AbortHandle,
}

impl Drop for Load {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a task is for.
#[derive(Clone, Copy, Debug)]
enum Purpose {
    Connect(Generation),
    Load(Generation),
    Describe(Ticket),
    Generate(Ticket),
}

/// What the executor has to tell.
pub enum News {
    /// A piece of the catalog.
    Loaded(Generation, LoadEvent),
    /// What came of a task that broke.
    Broken(Box<Message>),
    /// A task has ended. Its answer comes by itself.
    Ended,
}

/// How a connection turned out, once it did.
type Connecting = watch::Receiver<Option<Result<Clients, Failure>>>;

/// Tasks under way, and what they need.
pub struct Executor {
    session: Session,
    clipboard: Clipboard,
    answers: mpsc::UnboundedSender<Answer>,
    tasks: JoinSet<()>,
    purposes: HashMap<Id, Purpose>,
    /// The connection that was asked for last.
    connecting: Option<(Generation, Connecting, AbortHandle)>,
    load: Option<Load>,
    calls: HashMap<Ticket, AbortHandle>,
    /// Copies that have not ended.
    copies: usize,
}

impl Executor {
    /// An executor that has begun nothing, and where its answers come out.
    #[must_use]
    pub fn new(session: Session, clipboard: Clipboard) -> (Self, mpsc::UnboundedReceiver<Answer>) {
        let (answers, receiver) = mpsc::unbounded_channel();
        let executor = Self {
            session,
            clipboard,
            answers,
            tasks: JoinSet::new(),
            purposes: HashMap::new(),
            connecting: None,
            load: None,
            calls: HashMap::new(),
            copies: 0,
        };
        (executor, receiver)
    }

    /// Where requests go, as far as it is known.
    #[must_use]
    pub fn place(&self) -> Place {
        self.session.place()
    }

    /// Begins to carry out an effect. `Quit` and `Suspend` are the loop's.
    pub fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Connect { generation } => self.connect(generation),
            Effect::Want { arns } => {
                if let Some(load) = &self.load {
                    // A loader that has ended wants nothing more.
                    let _ = load.wanted.send(arns);
                }
            }
            Effect::Describe { ticket, arn } => {
                self.call(ticket, Purpose::Describe(ticket), move |clients| async move {
                    let described = match clients {
                        Ok(clients) => kms::describe_key(&clients, &arn).await,
                        Err(failure) => Err(failure),
                    };
                    let described = match described {
                        Ok(metadata) => Described::Known(Box::new(metadata)),
                        Err(failure) => Described::Refused(Box::new(failure)),
                    };
                    Message::Described { ticket, arn, described }
                });
            }
            Effect::Generate { ticket, request } => {
                self.call(ticket, Purpose::Generate(ticket), move |clients| async move {
                    let result = match clients {
                        Ok(clients) => kms::generate_data_key(&clients, &request).await,
                        Err(failure) => Err(failure),
                    };
                    Message::Answered { ticket, result }
                });
            }
            Effect::Cancel { ticket } => {
                if let Some(task) = self.calls.remove(&ticket) {
                    task.abort();
                }
            }
            Effect::Copy { what, text, lines } => self.copy(what, &text, lines),
            Effect::Quit | Effect::Suspend => {}
        }
    }

    fn connect(&mut self, generation: Generation) {
        if let Some((.., task)) = self.connecting.take() {
            task.abort();
        }
        self.load = None;
        let (session, answers) = (self.session.clone(), self.answers.clone());
        let (tell, outcome) = watch::channel(None);
        let task = self.tasks.spawn(async move {
            let connected = session.connect().await;
            // Whoever listened may have gone.
            let _ = tell.send(Some(connected.clone()));
            let _ = answers.send(match connected {
                Ok(clients) => Answer::Connected { generation, clients: Box::new(clients) },
                Err(failure) => Answer::Message(Box::new(Message::NotConnected { generation, failure })),
            });
        });
        self.purposes.insert(task.id(), Purpose::Connect(generation));
        self.connecting = Some((generation, outcome, task));
    }

    /// Reads the catalog over the connection that was asked for last; whether it is this one.
    pub fn load(&mut self, generation: Generation, clients: Clients) -> bool {
        if self.connecting.as_ref().is_none_or(|(asked, ..)| *asked != generation) {
            return false;
        }
        let (sender, events) = mpsc::channel(BATCHES);
        let (wanted, wishes) = mpsc::unbounded_channel();
        let task = self.tasks.spawn(loader::load(clients, loader::Rate::default(), sender, wishes));
        self.purposes.insert(task.id(), Purpose::Load(generation));
        self.load = Some(Load { generation, events, wanted, task });
        true
    }

    /// Makes a call in a task of its own, over the connection that was asked for last. Where that
    /// failed it makes another for itself: what was wrong may have been mended.
    fn call<F, Fut>(&mut self, ticket: Ticket, purpose: Purpose, call: F)
    where
        F: FnOnce(Result<Clients, Failure>) -> Fut + Send + 'static,
        Fut: Future<Output = Message> + Send,
    {
        let (session, answers) = (self.session.clone(), self.answers.clone());
        let connecting = self.connecting.as_ref().map(|(_, outcome, _)| outcome.clone());
        self.calls.retain(|_, task| !task.is_finished());
        let task = self.tasks.spawn(async move {
            let clients = match connected(connecting).await {
                Some(clients) => Ok(clients),
                None => session.connect().await,
            };
            let _ = answers.send(Answer::Message(Box::new(call(clients).await)));
        });
        self.purposes.insert(task.id(), purpose);
        self.calls.insert(ticket, task);
    }

    fn copy(&mut self, what: String, text: &str, lines: Lines) {
        self.copies += 1;
        let answers = self.answers.clone();
        // Nothing that a terminal obeys gets onto a clipboard.
        let text = match lines {
            Lines::One => printable(text).into_owned(),
            Lines::Many => printable_lines(text),
        };
        self.clipboard.copy(text, move |outcome| {
            let _ = answers.send(Answer::Copied { what, outcome });
        });
    }

    /// Ends a copy: writes to the terminal what is to be written there. The words say the route, or
    /// why there was none.
    ///
    /// # Errors
    /// The words for a copy that failed.
    pub fn copied(&mut self, outcome: Outcome, write_escape: &mut WriteEscape) -> Result<String, String> {
        self.copies = self.copies.saturating_sub(1);
        let words = outcome.to_string();
        match outcome {
            Outcome::Copied { .. } => Ok(words),
            Outcome::SendToTerminal { escape, .. } => {
                write_escape(&escape).map_err(|error: io::Error| error.to_string())?;
                Ok(words)
            }
            Outcome::Failed { .. } | Outcome::Refused { .. } => {
                Err(words.strip_prefix("not copied: ").map_or(words.clone(), str::to_owned))
            }
        }
    }

    /// Waits for the next piece of the catalog, or for a task to end. Never ends where nothing is
    /// under way. Nothing is lost when it is dropped.
    pub async fn next(&mut self) -> News {
        loop {
            let Self { load, tasks, purposes, .. } = self;
            let piece = async {
                match load {
                    Some(load) => load.events.recv().await.map(|event| (load.generation, event)),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                piece = piece => match piece {
                    Some((generation, event)) => return News::Loaded(generation, event),
                    // The loader has ended.
                    None => self.load = None,
                },
                Some(ended) = tasks.join_next_with_id() => {
                    let (id, broke) = match &ended {
                        Ok((id, ())) => (*id, false),
                        Err(error) => (error.id(), error.is_panic()),
                    };
                    let purpose = purposes.remove(&id);
                    return match purpose.filter(|_| broke) {
                        Some(purpose) => News::Broken(Box::new(broken(purpose))),
                        None => News::Ended,
                    };
                }
                else => std::future::pending().await,
            }
        }
    }

    /// Whether anything may still come out: a task's answer, a piece of a catalog, a copy's end.
    #[must_use]
    pub fn is_expecting(&self) -> bool {
        !self.tasks.is_empty() || self.copies > 0 || self.load.is_some()
    }
}

/// The clients of a connection, once it is made; `None` where it failed or was never asked for.
async fn connected(connecting: Option<Connecting>) -> Option<Clients> {
    let mut connecting = connecting?;
    // An error says that the task has gone without a word: aborted, or broken.
    let outcome = connecting.wait_for(Option::is_some).await.ok()?;
    outcome.as_ref()?.as_ref().ok().cloned()
}

/// What to tell of a task that panicked: nobody waits for it in vain.
fn broken(purpose: Purpose) -> Message {
    let failure = Failure::new(FailureKind::Other, "kmx made a mistake of its own and lost this call")
        .hint("try again; what happened is told on stderr when kmx ends");
    match purpose {
        Purpose::Connect(generation) => Message::NotConnected { generation, failure },
        Purpose::Load(generation) => {
            Message::Loaded { generation, event: LoadEvent::Failed(Part::Keys, failure) }
        }
        Purpose::Describe(ticket) => Message::Described {
            ticket,
            arn: String::new(),
            described: Described::Refused(Box::new(failure)),
        },
        Purpose::Generate(ticket) => Message::Answered { ticket, result: Err(failure) },
    }
}
