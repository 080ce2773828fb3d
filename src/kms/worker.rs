//! One call a key for many keys, what is on the screen first, within a budget: describing and scans
//! share it.
//!
//! A throttled call is not the key's fault: it is made again as soon as the pace allows, and the
//! pace adapts. Any other call that fails in passing frees its place and is made again after a pause
//! that grows with each failure of its key, so that keys that keep failing never hold up the others.
//! A refusal is an answer. A failure that is about the caller ends the work: it would be the same for
//! every key. What the calls are and what is told of them is the owner's to say.

mod budget;
mod keys;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use self::budget::Budget;
pub(super) use self::keys::{Keys, Number};
use super::loader::{Control, Rate};
use crate::domain::failure::{Failure, FailureKind};

/// Calls under way at once, at most, at a pace that a person chose.
const IN_FLIGHT: usize = 32;
/// The same where the service alone sets the pace: 2,000 calls a second of 20 ms each are 40 under
/// way, and some services are slower.
const IN_FLIGHT_ADAPTIVE: usize = 128;
/// Answers that are told together.
const BATCH: usize = 256;
/// How long an answer waits for others to be told with.
const BATCH_TIME: Duration = Duration::from_millis(8);
/// Failures in passing of one key from which on a person hears of it.
const WORTH_TELLING: u32 = 2;
/// A person hears of throttling where it lets nothing through for so long.
const STANDSTILL: Duration = Duration::from_secs(3);
/// The pace is told so often at most.
const PACE_TIME: Duration = Duration::from_millis(500);

/// Keys that several tasks look at. Locked for moments, never while something is waited for.
pub(super) type SharedKeys = Arc<Mutex<Keys>>;

/// Looks at the keys. A panic elsewhere leaves them as good as they were.
pub(super) fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a call for a key brought.
pub(super) struct Outcome<A> {
    pub(super) answer: Result<A, Failure>,
    /// Calls that it took beside the first: an answer may come in pages.
    pub(super) more_calls: u32,
}

impl<A> From<Result<A, Failure>> for Outcome<A> {
    fn from(answer: Result<A, Failure>) -> Self {
        Self { answer, more_calls: 0 }
    }
}

/// Answers, each with the ARN of its key.
pub(super) type Answered<A> = Vec<(String, Result<A, Box<Failure>>)>;

/// What there is to tell.
pub(super) enum Told<A> {
    Answers(Answered<A>),
    /// Calls keep failing in passing, and are made again.
    Retrying(Failure),
    /// They no longer do.
    Recovered,
    /// Answers a second, of late.
    Pace(u32),
}

/// A call that is to be made again.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Delayed {
    not_before: Instant,
    number: Number,
}

/// A call that has ended.
struct Ended<A> {
    number: Number,
    sent: Instant,
    outcome: Outcome<A>,
}

/// Makes calls for keys. `C` makes one, `E` is what is told.
pub(super) struct Worker<A, E, C> {
    call: C,
    tell: fn(Told<A>) -> Option<E>,
    events: mpsc::Sender<E>,
    keys: SharedKeys,
    budget: Budget,
    in_flight: usize,
    /// What the screen shows, to be asked for first; and what of it is not found yet.
    shown: Vec<Number>,
    shown_unknown: Vec<String>,
    /// Whether only what the screen shows is asked for.
    paused: bool,
    /// To be asked for again, before others.
    again: VecDeque<Number>,
    delayed: BinaryHeap<Reverse<Delayed>>,
    /// How often in a row a key's call failed in passing.
    failures: HashMap<Number, u32>,
    throttled_since: Option<Instant>,
    running: JoinSet<Ended<A>>,
    /// Answers to be told, and by when.
    batch: Vec<(Number, Result<A, Box<Failure>>)>,
    batch_due: Instant,
    /// Whether a person was told that calls are made again.
    told: bool,
    pace_told: Instant,
    jitter: RandomState,
}

impl<A, E, C, F> Worker<A, E, C>
where
    A: Send + 'static,
    C: Fn(String) -> F,
    F: Future<Output = Outcome<A>> + Send + 'static,
{
    pub(super) fn new(
        keys: SharedKeys,
        rate: Rate,
        events: mpsc::Sender<E>,
        call: C,
        tell: fn(Told<A>) -> Option<E>,
    ) -> Self {
        let now = Instant::now();
        locked(&keys).reopen();
        Self {
            call,
            tell,
            events,
            keys,
            budget: Budget::new(rate, now),
            in_flight: if rate.per_second.is_some() { IN_FLIGHT } else { IN_FLIGHT_ADAPTIVE },
            shown: Vec::new(),
            shown_unknown: Vec::new(),
            paused: false,
            again: VecDeque::new(),
            delayed: BinaryHeap::new(),
            failures: HashMap::new(),
            throttled_since: None,
            running: JoinSet::new(),
            batch: Vec::new(),
            batch_due: now,
            told: false,
            pace_told: now,
            jitter: RandomState::new(),
        }
    }

    /// Works until every key is done. `found` says that keys were added; it is closed when no more
    /// come.
    ///
    /// # Errors
    /// The caller may not go on.
    pub(super) async fn run(
        mut self,
        mut found: mpsc::UnboundedReceiver<()>,
        mut controls: mpsc::UnboundedReceiver<Control>,
    ) -> Result<(), Failure> {
        let (mut more_to_come, mut somebody_controls) = (true, true);
        while more_to_come || self.has_work() {
            let may_start = self.running.len() < self.in_flight && self.has_something_to_start();
            let next_delayed = self.delayed.peek().map(|Reverse(delayed)| delayed.not_before);
            tokio::select! {
                biased;
                message = controls.recv(), if somebody_controls => match message {
                    Some(Control::Want(arns)) => {
                        self.shown_unknown = arns;
                        self.shown.clear();
                        self.find_shown();
                    }
                    Some(Control::Pause) => self.paused = true,
                    Some(Control::Resume) => self.paused = false,
                    // Nobody could end a pause any more.
                    None => (somebody_controls, self.paused) = (false, false),
                },
                message = found.recv(), if more_to_come => match message {
                    Some(()) => self.find_shown(),
                    None => more_to_come = false,
                },
                Some(ended) = self.running.join_next() => {
                    // A panic of a call is the SDK's own; the key is left as it is.
                    let Ok(ended) = ended else { continue };
                    if let Err(failure) = self.take_in(ended).await {
                        self.tell_batch().await;
                        return Err(failure);
                    }
                }
                () = tokio::time::sleep_until(self.batch_due), if !self.batch.is_empty() => {
                    self.tell_batch().await;
                }
                () = tokio::time::sleep_until(self.budget.due()), if may_start => self.start(),
                () = tokio::time::sleep_until(next_delayed.unwrap_or(self.batch_due)),
                    if next_delayed.is_some() => self.wake(),
            }
        }
        Ok(())
    }

    fn has_work(&self) -> bool {
        let idle = self.running.is_empty() && self.delayed.is_empty() && self.batch.is_empty();
        !idle || locked(&self.keys).open() > 0
    }

    fn has_something_to_start(&self) -> bool {
        let keys = locked(&self.keys);
        if self.paused { self.shown.iter().any(|number| keys.is_open(*number)) } else { keys.open() > 0 }
    }

    /// Looks for what the screen shows among the keys that are there.
    fn find_shown(&mut self) {
        let keys = locked(&self.keys);
        let shown = &mut self.shown;
        self.shown_unknown.retain(|arn| {
            let number = keys.find(arn);
            shown.extend(number);
            number.is_none()
        });
    }

    /// Puts keys whose pause is over back among those to be asked for.
    fn wake(&mut self) {
        let now = Instant::now();
        while self.delayed.peek().is_some_and(|Reverse(delayed)| delayed.not_before <= now) {
            if let Some(Reverse(delayed)) = self.delayed.pop() {
                locked(&self.keys).give_back(delayed.number);
                self.again.push_back(delayed.number);
            }
        }
    }

    /// Starts the next call: what the screen shows, what is due again, what was found.
    fn start(&mut self) {
        let mut keys = locked(&self.keys);
        let shown = self.shown.iter().copied().find(|number| keys.is_open(*number));
        let next = match shown {
            None if self.paused => None,
            None => std::iter::from_fn(|| self.again.pop_front())
                .find(|number| keys.is_open(*number))
                .or_else(|| keys.next_open()),
            shown => shown,
        };
        let Some(number) = next else { return };
        keys.take(number);
        let call = (self.call)(keys.arn(number));
        drop(keys);
        let sent = Instant::now();
        self.budget.take(sent);
        self.running.spawn(async move { Ended { number, sent, outcome: call.await } });
    }

    /// Takes in what came of a call: an answer, a call to be made again, or, as an error, a failure
    /// that ends the work.
    async fn take_in(&mut self, ended: Ended<A>) -> Result<(), Failure> {
        let Ended { number, sent, outcome } = ended;
        let now = Instant::now();
        self.budget.charge(outcome.more_calls);
        let answer = match outcome.answer {
            Err(failure) if failure.kind == FailureKind::Throttled => {
                self.budget.throttled(sent, now);
                locked(&self.keys).give_back(number);
                self.again.push_front(number);
                let since = *self.throttled_since.get_or_insert(now);
                if now.saturating_duration_since(since) >= STANDSTILL {
                    self.tell_retrying(failure).await;
                }
                return Ok(());
            }
            Err(failure) if failure.is_transient() => {
                let failures = self.failures.entry(number).or_default();
                let pause = with_jitter(pause(*failures), self.jitter.hash_one((number, *failures)));
                *failures += 1;
                let is_worth_telling = *failures > WORTH_TELLING;
                self.delayed.push(Reverse(Delayed { not_before: now + pause, number }));
                if is_worth_telling {
                    self.tell_retrying(failure).await;
                }
                return Ok(());
            }
            Err(failure) if failure.is_about_the_caller() => return Err(failure),
            Err(failure) => Err(Box::new(failure)),
            Ok(answer) => Ok(answer),
        };
        let has_room = self.running.len() + 1 < self.in_flight;
        self.budget.answered(sent, now, has_room);
        self.throttled_since = None;
        self.failures.remove(&number);
        if self.batch.is_empty() {
            self.batch_due = now + BATCH_TIME;
        }
        self.batch.push((number, answer));
        let nothing_else = self.running.is_empty() && !self.has_something_to_start();
        if self.batch.len() >= BATCH || nothing_else {
            self.tell_batch().await;
        }
        if self.told && self.failures.values().all(|failures| *failures <= WORTH_TELLING) {
            self.told = false;
            self.tell(Told::Recovered).await;
        }
        Ok(())
    }

    async fn tell_retrying(&mut self, failure: Failure) {
        if !std::mem::replace(&mut self.told, true) {
            self.tell(Told::Retrying(failure)).await;
        }
    }

    async fn tell_batch(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let batch = std::mem::take(&mut self.batch);
        let numbers: Vec<Number> = batch.iter().map(|(number, _)| *number).collect();
        let answers = {
            let keys = locked(&self.keys);
            batch.into_iter().map(|(number, answer)| (keys.arn(number), answer)).collect()
        };
        self.tell(Told::Answers(answers)).await;
        self.have_done(&numbers);
        let now = Instant::now();
        if now.saturating_duration_since(self.pace_told) >= PACE_TIME
            && let Some(pace) = self.budget.answers_a_second(now)
        {
            self.pace_told = now;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "positive and small"
            )]
            self.tell(Told::Pace(pace.round().max(1.0) as u32)).await;
        }
    }

    fn have_done(&self, numbers: &[Number]) {
        let mut keys = locked(&self.keys);
        for number in numbers {
            keys.done(*number);
        }
    }

    async fn tell(&self, told: Told<A>) {
        if let Some(event) = (self.tell)(told) {
            send(&self.events, event).await;
        }
    }
}

/// Sends an event. Where the other side has gone, this never ends: the future is to be dropped.
pub(super) async fn send<E>(events: &mpsc::Sender<E>, event: E) {
    if events.send(event).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The pause before another try: half a second, doubled each time, at most 20 seconds.
pub(super) fn pause(failures: u32) -> Duration {
    Duration::from_millis(500 * 2u64.saturating_pow(failures.min(6))).min(Duration::from_secs(20))
}

/// A pause a quarter longer or shorter, as a random number has it: calls that failed together are
/// not made again together.
pub(super) fn with_jitter(pause: Duration, random: u64) -> Duration {
    pause * u32::try_from(768 + random % 512).unwrap_or(1024) / 1024
}
