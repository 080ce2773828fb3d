//! Carries out effects: each becomes a task, and what comes of it an answer.
//!
//! It decides nothing: which answer still counts is `update`'s to say, by generation and ticket.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, Id, JoinSet};

use super::runtime::WriteEscape;
use crate::app::details::{KeyPart, Told};
use crate::app::{Effect, Generation, Lines, Message, Ticket};
use crate::clipboard::{Clipboard, Outcome};
use crate::domain::catalog::{Described, Remembered};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::loading::{LoadEvent, Part};
use crate::domain::place::{Destination, Place, PlaceKind};
use crate::domain::scan::{ScanEvent, ScanKind};
use crate::domain::text::{printable, printable_lines};
use crate::files::catalog_cache::{CacheKey, CatalogCache};
use crate::kms::{self, CallLog, Clients, loader, scanner};
use crate::session::Session;

/// Batches of a catalog that may wait to be taken in. A full channel holds the loader up.
const BATCHES: usize = 8;

/// What came of an effect.
pub enum Answer {
    Connected { generation: Generation, clients: Box<Clients>, remembered: Option<Remembered> },
    Copied { what: String, outcome: Outcome },
    Message(Box<Message>),
}

/// A catalog that is being read. Dropped, it stops being read.
struct Load {
    events: mpsc::Receiver<LoadEvent>,
    controls: mpsc::UnboundedSender<loader::Control>,
    task: AbortHandle,
}

impl Drop for Load {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A scan under way. Dropped, it stops.
struct Scan {
    generation: Generation,
    events: mpsc::Receiver<ScanEvent>,
    task: AbortHandle,
}

impl Drop for Scan {
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
    Read(Ticket),
    Generate(Ticket),
    Scan(Ticket),
    ReadProfiles(Ticket),
}

/// What the executor has to tell.
pub enum News {
    /// A piece of the catalog.
    Loaded(Generation, LoadEvent),
    /// A piece of a scan.
    Scanned(Ticket, ScanEvent),
    /// What came of a task that broke.
    Broken(Box<Message>),
    /// A task has ended. Its answer comes by itself.
    Ended,
}

/// How a connection turned out, once it did.
type Connecting = watch::Receiver<Option<Result<Clients, Failure>>>;

/// A connection, made or in the making. Dropped, it stops with all that is read over it.
struct Connection {
    to: Destination,
    outcome: Connecting,
    task: AbortHandle,
    progress: loader::Progress,
    load: Option<Load>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Tasks under way, and what they need.
pub struct Executor {
    session: Session,
    describe_rate: loader::Rate,
    clipboard: Clipboard,
    answers: mpsc::UnboundedSender<Answer>,
    tasks: JoinSet<()>,
    purposes: HashMap<Id, Purpose>,
    connections: HashMap<Generation, Connection>,
    /// The order in which catalogs are asked for their next piece: each is first in its turn.
    turns: VecDeque<Generation>,
    calls: HashMap<Ticket, AbortHandle>,
    scans: HashMap<Ticket, Scan>,
    /// Copies that have not ended.
    copies: usize,
    /// Where catalogs are kept for the next run.
    cache: Option<Arc<CatalogCache>>,
}

impl Executor {
    /// An executor that has begun nothing, and where its answers come out.
    #[must_use]
    pub fn new(session: Session, clipboard: Clipboard) -> (Self, mpsc::UnboundedReceiver<Answer>) {
        let (answers, receiver) = mpsc::unbounded_channel();
        let executor = Self {
            session,
            describe_rate: loader::Rate::default(),
            clipboard,
            answers,
            tasks: JoinSet::new(),
            purposes: HashMap::new(),
            connections: HashMap::new(),
            turns: VecDeque::new(),
            calls: HashMap::new(),
            scans: HashMap::new(),
            copies: 0,
            cache: None,
        };
        (executor, receiver)
    }

    /// Remembers catalogs from now on, and those of earlier runs.
    #[must_use]
    pub fn remembering(mut self, cache: CatalogCache) -> Self {
        self.cache = Some(Arc::new(cache));
        self
    }

    /// Where requests go, as far as it is known.
    #[must_use]
    pub fn places(&self) -> Vec<(Destination, Place)> {
        let with_place = |to| {
            let place = self.session.place(&to);
            (to, place)
        };
        self.session.destinations().into_iter().map(with_place).collect()
    }

    /// Describes keys at that rate from now on, in each region.
    #[must_use]
    pub fn describing_at(mut self, rate: loader::Rate) -> Self {
        self.describe_rate = rate;
        self
    }

    /// How fast keys are described, in each region.
    #[must_use]
    pub const fn describe_rate(&self) -> loader::Rate {
        self.describe_rate
    }

    /// The log of the calls that are made here.
    #[must_use]
    pub const fn calls_made(&self) -> &CallLog {
        self.session.calls()
    }

    /// Begins to carry out an effect. `Quit` and `Suspend` are the loop's.
    pub fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Connect { generation, over, resume, to } => {
                let over = over.map(|over| self.disconnect(over));
                // What is on the screen is newer than what was kept.
                let cache = self.cache.clone().filter(|_| over.is_none());
                let over = over.flatten().filter(|_| resume);
                let progress = over.map(|over| self.take_over(over, generation));
                self.connect(generation, to, progress.unwrap_or_default(), cache);
            }
            Effect::Remember { generation, bytes } => self.remember(generation, bytes),
            Effect::Disconnect { generation } => drop(self.disconnect(generation)),
            Effect::Want { generation, arns } => {
                if let Some(load) = self.connections.get(&generation).and_then(|it| it.load.as_ref()) {
                    // A loader that has ended wants nothing more.
                    let _ = load.controls.send(loader::Control::Want(arns));
                }
            }
            Effect::Backfill { generation, paused } => {
                if let Some(load) = self.connections.get(&generation).and_then(|it| it.load.as_ref()) {
                    let control = if paused { loader::Control::Pause } else { loader::Control::Resume };
                    // A loader that has ended has nothing more to do.
                    let _ = load.controls.send(control);
                }
            }
            Effect::Describe { ticket, generation, arn } => {
                self.call(generation, ticket, Purpose::Describe(ticket), move |clients| async move {
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
            Effect::Read { ticket, generation, part, arn, custom_key_store_id } => {
                self.call(generation, ticket, Purpose::Read(ticket), move |clients| async move {
                    let result = match clients {
                        Ok(clients) => read(&clients, part, &arn, custom_key_store_id.as_deref()).await,
                        Err(failure) => Err(failure),
                    };
                    Message::Read { ticket, result }
                });
            }
            Effect::Generate { ticket, generation, request } => {
                self.call(generation, ticket, Purpose::Generate(ticket), move |clients| async move {
                    let result = match clients {
                        Ok(clients) => kms::generate_data_key(&clients, &request).await,
                        Err(failure) => Err(failure),
                    };
                    Message::Answered { ticket, result }
                });
            }
            Effect::ReadProfiles { ticket } => self.read_profiles(ticket),
            Effect::Cancel { ticket } => {
                if let Some(task) = self.calls.remove(&ticket) {
                    task.abort();
                }
            }
            Effect::Scan { generation, kind, arns, ticket } => self.scan(generation, kind, arns, ticket),
            Effect::StopScan { ticket } => drop(self.scans.remove(&ticket)),
            Effect::Copy { what, text, lines } => self.copy(what, &text, lines),
            Effect::Quit | Effect::Suspend => {}
        }
    }

    fn connect(
        &mut self,
        generation: Generation,
        to: Destination,
        progress: loader::Progress,
        cache: Option<Arc<CatalogCache>>,
    ) {
        let (session, answers) = (self.session.clone(), self.answers.clone());
        let (tell, outcome) = watch::channel(None);
        let destination = to.clone();
        let task = self.tasks.spawn(async move {
            let connected = session.connect(&destination).await;
            // Whoever listened may have gone.
            let _ = tell.send(Some(connected.clone()));
            let _ = answers.send(match connected {
                Ok(clients) => {
                    let remembered = remembered(cache, clients.place()).await;
                    Answer::Connected { generation, clients: Box::new(clients), remembered }
                }
                Err(failure) => Answer::Message(Box::new(Message::NotConnected { generation, failure })),
            });
        });
        self.purposes.insert(task.id(), Purpose::Connect(generation));
        self.connections.insert(generation, Connection { to, outcome, task, progress, load: None });
        self.turns.push_back(generation);
    }

    fn remember(&mut self, generation: Generation, bytes: Vec<u8>) {
        let (Some(cache), Some(connection)) = (self.cache.clone(), self.connections.get(&generation)) else {
            return;
        };
        let key =
            connection.outcome.borrow().as_ref().and_then(|outcome| key_of(outcome.as_ref().ok()?.place()));
        let Some(key) = key else { return };
        self.tasks.spawn(async move {
            // A failure is in the log: the next start is slower, and nothing else is.
            let _ = tokio::task::spawn_blocking(move || cache.write(&key, &bytes)).await;
        });
    }

    fn disconnect(&mut self, generation: Generation) -> Option<Connection> {
        self.turns.retain(|other| *other != generation);
        self.scans.retain(|_, scan| scan.generation != generation);
        self.connections.remove(&generation)
    }

    /// What a reading that is to go on has done. What it has told and nobody has taken in yet counts
    /// as told: it is taken in for the one that goes on.
    fn take_over(&self, mut over: Connection, generation: Generation) -> loader::Progress {
        if let Some(load) = &mut over.load {
            load.events.close();
            while let Ok(event) = load.events.try_recv() {
                let _ = self.answers.send(Answer::Message(Box::new(Message::Loaded { generation, event })));
            }
        }
        over.progress.clone()
    }

    /// Reads the catalog over a connection; whether there is still such a one.
    pub fn load(&mut self, generation: Generation, clients: Clients) -> bool {
        let Some(connection) = self.connections.get_mut(&generation) else { return false };
        let (sender, events) = mpsc::channel(BATCHES);
        let (controls, orders) = mpsc::unbounded_channel();
        let (rate, progress) = (self.describe_rate, connection.progress.clone());
        let task = self.tasks.spawn(loader::load(clients, rate, progress, sender, orders));
        self.purposes.insert(task.id(), Purpose::Load(generation));
        connection.load = Some(Load { events, controls, task });
        true
    }

    /// Scans keys over a connection, in a task of its own.
    fn scan(&mut self, generation: Generation, kind: ScanKind, arns: Vec<String>, ticket: Ticket) {
        let (sender, events) = mpsc::channel(BATCHES);
        let session = self.session.clone();
        let connection = self.connections.get(&generation);
        let connecting = connection.map(|it| it.outcome.clone());
        let to = connection.map(|it| it.to.clone()).unwrap_or_default();
        let rate = self.describe_rate;
        let task = self.tasks.spawn(async move {
            let clients = match connected(connecting).await {
                Some(clients) => Ok(clients),
                None => session.connect(&to).await,
            };
            match clients {
                Ok(clients) => scanner::scan(clients, kind, arns, rate, sender).await,
                // Whoever listened may have gone.
                Err(failure) => drop(sender.send(ScanEvent::Failed(failure)).await),
            }
        });
        self.purposes.insert(task.id(), Purpose::Scan(ticket));
        self.scans.insert(ticket, Scan { generation, events, task });
    }

    /// Makes a call in a task of its own, over a connection. Where that failed it makes another for
    /// itself: what was wrong may have been mended.
    fn call<F, Fut>(&mut self, generation: Generation, ticket: Ticket, purpose: Purpose, call: F)
    where
        F: FnOnce(Result<Clients, Failure>) -> Fut + Send + 'static,
        Fut: Future<Output = Message> + Send,
    {
        let (session, answers) = (self.session.clone(), self.answers.clone());
        let connection = self.connections.get(&generation);
        let connecting = connection.map(|it| it.outcome.clone());
        let to = connection.map(|it| it.to.clone()).unwrap_or_default();
        self.calls.retain(|_, task| !task.is_finished());
        let task = self.tasks.spawn(async move {
            let clients = match connected(connecting).await {
                Some(clients) => Ok(clients),
                None => session.connect(&to).await,
            };
            let _ = answers.send(Answer::Message(Box::new(call(clients).await)));
        });
        self.purposes.insert(task.id(), purpose);
        self.calls.insert(ticket, task);
    }

    fn read_profiles(&mut self, ticket: Ticket) {
        let (session, answers) = (self.session.clone(), self.answers.clone());
        let task = self.tasks.spawn(async move {
            let result = session.profiles().await;
            let _ = answers.send(Answer::Message(Box::new(Message::ProfilesRead { ticket, result })));
        });
        self.purposes.insert(task.id(), Purpose::ReadProfiles(ticket));
    }

    fn copy(&mut self, what: String, text: &str, lines: Lines) {
        self.copies += 1;
        let answers = self.answers.clone();
        // Nothing that a terminal obeys gets onto a clipboard, but tabs where they part columns.
        let columns = |line: &str| line.split('\t').map(printable).collect::<Vec<_>>().join("\t");
        let text = match lines {
            Lines::One => printable(text).into_owned(),
            Lines::Many => printable_lines(text),
            Lines::Columns => columns(text),
            Lines::Table => text.split('\n').map(columns).collect::<Vec<_>>().join("\n"),
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
            let Self { connections, turns, tasks, purposes, scans, .. } = self;
            let piece = std::future::poll_fn(|context| next_piece(connections, turns, context));
            let finding = std::future::poll_fn(|context| next_finding(scans, context));
            tokio::select! {
                biased;
                (ticket, event) = finding => return News::Scanned(ticket, event),
                (generation, event) = piece => return News::Loaded(generation, event),
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
        !self.tasks.is_empty()
            || self.copies > 0
            || !self.scans.is_empty()
            || self.connections.values().any(|it| it.load.is_some())
    }
}

/// The name under which a place is remembered. The local KMS answers sooner than a file is read.
/// Credentials of the environment go before a profile's, and may be another account's.
fn key_of(place: &Place) -> Option<CacheKey> {
    let of_the_profile =
        place.profile.clone().filter(|_| place.credentials.as_deref() != Some("environment"));
    (place.kind == PlaceKind::Aws).then(|| CacheKey {
        profile: of_the_profile,
        region: place.region.clone().unwrap_or_default(),
        endpoint: place.endpoint_url.clone(),
        demo: false,
    })
}

/// What an earlier run knew of a place.
async fn remembered(cache: Option<Arc<CatalogCache>>, place: &Place) -> Option<Remembered> {
    let (cache, key) = (cache?, key_of(place)?);
    let read = tokio::task::spawn_blocking(move || {
        let remembered = Remembered::read(cache.read(&key).ok()?);
        if let Err(error) = &remembered {
            tracing::warn!(reason = %error, "remembered catalog ignored");
        }
        remembered.ok()
    });
    read.await.ok().flatten()
}

/// The next piece of any catalog, each first in its turn. A catalog whose loader has ended is not asked
/// again.
fn next_piece(
    connections: &mut HashMap<Generation, Connection>,
    turns: &mut VecDeque<Generation>,
    context: &mut Context<'_>,
) -> Poll<(Generation, LoadEvent)> {
    for _ in 0..turns.len() {
        turns.rotate_left(1);
        let Some(generation) = turns.back().copied() else { break };
        let Some(connection) = connections.get_mut(&generation) else { continue };
        let Some(load) = &mut connection.load else { continue };
        match load.events.poll_recv(context) {
            Poll::Ready(Some(event)) => return Poll::Ready((generation, event)),
            Poll::Ready(None) => connection.load = None,
            Poll::Pending => {}
        }
    }
    Poll::Pending
}

/// The next piece of any scan. One that has ended is forgotten.
fn next_finding(scans: &mut HashMap<Ticket, Scan>, context: &mut Context<'_>) -> Poll<(Ticket, ScanEvent)> {
    let mut found = None;
    scans.retain(|ticket, scan| {
        if found.is_some() {
            return true;
        }
        match scan.events.poll_recv(context) {
            Poll::Ready(Some(event)) => {
                found = Some((*ticket, event));
                true
            }
            Poll::Ready(None) => false,
            Poll::Pending => true,
        }
    });
    found.map_or(Poll::Pending, Poll::Ready)
}

/// The clients of a connection, once it is made; `None` where it failed or was never asked for.
async fn connected(connecting: Option<Connecting>) -> Option<Clients> {
    let mut connecting = connecting?;
    // An error says that the task has gone without a word: aborted, or broken.
    let outcome = connecting.wait_for(Option::is_some).await.ok()?;
    outcome.as_ref()?.as_ref().ok().cloned()
}

/// Reads a part of a key's details.
async fn read(clients: &Clients, part: KeyPart, arn: &str, store: Option<&str>) -> Result<Told, Failure> {
    match part {
        KeyPart::Aliases => kms::read_aliases(clients, arn).await.map(Told::Aliases),
        KeyPart::Aspect(aspect) => {
            let detail = kms::read_detail(clients, aspect, arn, store).await?;
            Ok(Told::Detail(Box::new(detail)))
        }
    }
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
        Purpose::Scan(ticket) => Message::Scanned { ticket, event: ScanEvent::Failed(failure) },
        Purpose::Read(ticket) => Message::Read { ticket, result: Err(failure) },
        Purpose::Generate(ticket) => Message::Answered { ticket, result: Err(failure) },
        Purpose::ReadProfiles(ticket) => Message::ProfilesRead { ticket, result: Err(failure) },
    }
}
