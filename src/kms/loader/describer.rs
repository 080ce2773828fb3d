//! DescribeKey for every key that ListKeys finds, within a budget.
//!
//! A call that fails in passing frees its place and waits its turn to be made again, so that keys
//! that keep failing never hold up the others. A failure that is about the caller, not about the
//! key, ends describing: it would be the same for every key.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::budget::Budget;
use super::{Rate, pause, send};
use crate::domain::catalog::Described;
use crate::domain::failure::Failure;
use crate::domain::key::KeyMetadata;
use crate::domain::loading::{LoadEvent, Part};
use crate::kms::Clients;
use crate::kms::describe::describe_with;

/// Calls under way at once, at most.
const IN_FLIGHT: usize = 32;
/// Answers that are sent on together.
const BATCH: usize = 256;
/// How long an answer waits for others to be sent on with.
const BATCH_TIME: Duration = Duration::from_millis(8);
/// Failures in passing of one key from which on a person hears of it.
const WORTH_TELLING: u32 = 2;

/// A call that is to be made again.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Delayed {
    not_before: Instant,
    failures: u32,
    arn: Arc<str>,
}

/// A call that has ended.
struct Ended {
    arn: Arc<str>,
    failures: u32,
    answer: Result<KeyMetadata, Failure>,
}

pub(super) struct Describer {
    clients: Clients,
    budget: Budget,
    events: mpsc::Sender<LoadEvent>,
    /// In the order in which they were found.
    queue: VecDeque<Arc<str>>,
    /// What the screen shows, to be asked for first.
    wanted: VecDeque<Arc<str>>,
    /// Found and not asked for yet.
    open: HashSet<Arc<str>>,
    delayed: BinaryHeap<Reverse<Delayed>>,
    running: JoinSet<Ended>,
    /// Answers to be sent on, and by when.
    batch: Vec<(String, Described)>,
    batch_due: Instant,
    /// Whether a person was told that calls are made again.
    told: bool,
}

impl Describer {
    pub(super) fn new(clients: Clients, rate: Rate, events: mpsc::Sender<LoadEvent>) -> Self {
        Self {
            clients,
            budget: Budget::new(rate),
            events,
            queue: VecDeque::new(),
            wanted: VecDeque::new(),
            open: HashSet::new(),
            delayed: BinaryHeap::new(),
            running: JoinSet::new(),
            batch: Vec::new(),
            batch_due: Instant::now(),
            told: false,
        }
    }

    /// Works until everything found is described, or the caller may not go on.
    pub(super) async fn run(
        mut self,
        mut found: mpsc::UnboundedReceiver<Vec<String>>,
        mut wanted: mpsc::UnboundedReceiver<Vec<String>>,
    ) {
        let (mut more_to_come, mut somebody_looks) = (true, true);
        while more_to_come || self.has_work() {
            let has_room = self.running.len() < IN_FLIGHT;
            let may_start = has_room && (!self.open.is_empty() || self.first_delayed_is_due());
            let next_delayed = self.delayed.peek().map(|Reverse(delayed)| delayed.not_before);
            tokio::select! {
                biased;
                message = wanted.recv(), if somebody_looks => match message {
                    Some(arns) => self.wanted = arns.into_iter().map(Into::into).collect(),
                    None => somebody_looks = false,
                },
                message = found.recv(), if more_to_come => match message {
                    Some(arns) => for arn in arns {
                        let arn: Arc<str> = arn.into();
                        self.open.insert(Arc::clone(&arn));
                        self.queue.push_back(arn);
                    },
                    None => more_to_come = false,
                },
                Some(ended) = self.running.join_next() => {
                    // A panic of a call is the SDK's own; the key stays open to no one.
                    let Ok(ended) = ended else { continue };
                    if let Err(failure) = self.take_in(ended).await {
                        self.send_batch().await;
                        send(&self.events, LoadEvent::Failed(Part::Descriptions, failure)).await;
                        return;
                    }
                }
                () = tokio::time::sleep_until(self.batch_due), if !self.batch.is_empty() => {
                    self.send_batch().await;
                }
                () = self.budget.take(), if may_start => self.start(),
                () = tokio::time::sleep_until(next_delayed.unwrap_or(self.batch_due)),
                    if has_room && next_delayed.is_some() && !may_start => {}
            }
        }
        self.send_batch().await;
    }

    fn has_work(&self) -> bool {
        !(self.open.is_empty() && self.running.is_empty() && self.delayed.is_empty())
    }

    fn first_delayed_is_due(&self) -> bool {
        self.delayed.peek().is_some_and(|Reverse(delayed)| delayed.not_before <= Instant::now())
    }

    /// Starts the next call: what the screen shows, what is due again, what was found. The budget
    /// has been paid.
    fn start(&mut self) {
        let delayed_is_due = self.first_delayed_is_due();
        let Self { open, wanted, queue, delayed, .. } = self;
        let shown = std::iter::from_fn(|| wanted.pop_front()).find(|arn| open.remove(arn));
        if let Some(arn) = shown {
            self.call(arn, 0);
        } else if delayed_is_due {
            if let Some(Reverse(again)) = delayed.pop() {
                self.call(again.arn, again.failures);
            }
        } else if let Some(arn) = std::iter::from_fn(|| queue.pop_front()).find(|arn| open.remove(arn)) {
            self.call(arn, 0);
        }
    }

    fn call(&mut self, arn: Arc<str>, failures: u32) {
        let clients = self.clients.clone();
        self.running.spawn(async move {
            let answer = describe_with(&clients.background, &clients.place, &arn).await;
            Ended { arn, failures, answer }
        });
    }

    /// Takes in what came of a call: an answer, a call to be made again, or, as an error, a failure
    /// that ends describing.
    async fn take_in(&mut self, ended: Ended) -> Result<(), Failure> {
        let Ended { arn, failures, answer } = ended;
        let described = match answer {
            Ok(metadata) => Described::Known(Box::new(metadata)),
            Err(failure) if failure.is_transient() => {
                let not_before = Instant::now() + with_jitter(pause(failures), &arn);
                let failures = failures + 1;
                self.delayed.push(Reverse(Delayed { not_before, failures, arn }));
                if failures > WORTH_TELLING && !std::mem::replace(&mut self.told, true) {
                    send(&self.events, LoadEvent::Retrying(Part::Descriptions, failure)).await;
                }
                return Ok(());
            }
            Err(failure) if failure.is_about_the_caller() => return Err(failure),
            Err(failure) => Described::Refused(Box::new(failure)),
        };
        if self.batch.is_empty() {
            self.batch_due = Instant::now() + BATCH_TIME;
        }
        self.batch.push((arn.to_string(), described));
        let nothing_else = self.running.is_empty() && self.open.is_empty();
        if self.batch.len() >= BATCH || nothing_else {
            self.send_batch().await;
        }
        if self.told && self.delayed.is_empty() {
            self.told = false;
            send(&self.events, LoadEvent::Recovered(Part::Descriptions)).await;
        }
        Ok(())
    }

    async fn send_batch(&mut self) {
        if !self.batch.is_empty() {
            send(&self.events, LoadEvent::Described(std::mem::take(&mut self.batch))).await;
        }
    }
}

/// A pause a quarter longer or shorter, another for each key: calls that failed together are not
/// made again together.
fn with_jitter(pause: Duration, arn: &str) -> Duration {
    let mut hasher = DefaultHasher::new();
    arn.hash(&mut hasher);
    pause * u32::try_from(768 + hasher.finish() % 512).unwrap_or(1024) / 1024
}
