//! Carries out effects: each becomes a task, and what comes of it an answer.
//!
//! It decides nothing: which answer still counts is `update`'s to say, by generation and ticket.

use std::collections::HashMap;
use std::io;

use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use super::runtime::WriteEscape;
use crate::app::{Effect, Generation, Message, Ticket};
use crate::clipboard::{Clipboard, Outcome};
use crate::domain::catalog::Described;
use crate::domain::loading::LoadEvent;
use crate::domain::place::Place;
use crate::domain::text::printable_lines;
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

/// A catalog that is being read.
struct Load {
    generation: Generation,
    events: mpsc::Receiver<LoadEvent>,
    wanted: mpsc::UnboundedSender<Vec<String>>,
    task: AbortHandle,
}

/// Tasks under way, and what they need.
pub struct Executor {
    session: Session,
    clipboard: Clipboard,
    answers: mpsc::UnboundedSender<Answer>,
    tasks: JoinSet<()>,
    clients: Option<Clients>,
    connecting: Option<AbortHandle>,
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
            clients: None,
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
            Effect::Describe { ticket, arn } => self.call(ticket, move |clients| async move {
                let described = match clients {
                    Ok(clients) => kms::describe_key(&clients, &arn).await,
                    Err(failure) => Err(failure),
                };
                let described = match described {
                    Ok(metadata) => Described::Known(Box::new(metadata)),
                    Err(failure) => Described::Refused(Box::new(failure)),
                };
                Message::Described { ticket, arn, described }
            }),
            Effect::Generate { ticket, request } => self.call(ticket, move |clients| async move {
                let result = match clients {
                    Ok(clients) => kms::generate_data_key(&clients, &request).await,
                    Err(failure) => Err(failure),
                };
                Message::Answered { ticket, result }
            }),
            Effect::Cancel { ticket } => {
                if let Some(task) = self.calls.remove(&ticket) {
                    task.abort();
                }
            }
            Effect::Copy { what, text } => self.copy(what, &text),
            Effect::Quit | Effect::Suspend => {}
        }
    }

    fn connect(&mut self, generation: Generation) {
        if let Some(task) = self.connecting.take() {
            task.abort();
        }
        if let Some(load) = self.load.take() {
            load.task.abort();
        }
        let (session, answers) = (self.session.clone(), self.answers.clone());
        self.connecting = Some(self.tasks.spawn(async move {
            let answer = match session.connect().await {
                Ok(clients) => Answer::Connected { generation, clients: Box::new(clients) },
                Err(failure) => Answer::Message(Box::new(Message::NotConnected { generation, failure })),
            };
            // The loop that listened has ended.
            let _ = answers.send(answer);
        }));
    }

    /// Reads the catalog of a connection that was made.
    pub fn load(&mut self, generation: Generation, clients: Clients) {
        self.clients = Some(clients.clone());
        let (sender, events) = mpsc::channel(BATCHES);
        let (wanted, wishes) = mpsc::unbounded_channel();
        let task = self.tasks.spawn(loader::load(clients, loader::Rate::default(), sender, wishes));
        self.load = Some(Load { generation, events, wanted, task });
    }

    /// Makes a call in a task of its own. Without a connection it makes one for itself.
    fn call<F, Fut>(&mut self, ticket: Ticket, call: F)
    where
        F: FnOnce(Result<Clients, crate::domain::failure::Failure>) -> Fut + Send + 'static,
        Fut: Future<Output = Message> + Send,
    {
        let (session, answers, known) = (self.session.clone(), self.answers.clone(), self.clients.clone());
        self.calls.retain(|_, task| !task.is_finished());
        let task = self.tasks.spawn(async move {
            let clients = match known {
                Some(clients) => Ok(clients),
                None => session.connect().await,
            };
            let _ = answers.send(Answer::Message(Box::new(call(clients).await)));
        });
        self.calls.insert(ticket, task);
    }

    fn copy(&mut self, what: String, text: &str) {
        self.copies += 1;
        let answers = self.answers.clone();
        // Nothing that a terminal obeys gets onto a clipboard.
        self.clipboard.copy(printable_lines(text), move |outcome| {
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

    /// Waits until a task ends (`None`) or the next piece of the catalog has come. Never ends where
    /// nothing is under way. Nothing is lost when it is dropped.
    pub async fn next(&mut self) -> Option<(Generation, LoadEvent)> {
        loop {
            let Self { load, tasks, .. } = self;
            let piece = async {
                match load {
                    Some(load) => load.events.recv().await.map(|event| (load.generation, event)),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                piece = piece => match piece {
                    Some(piece) => return Some(piece),
                    // The loader has ended.
                    None => self.load = None,
                },
                Some(_) = tasks.join_next() => return None,
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
