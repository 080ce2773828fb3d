//! Reads the catalog of a place: ListKeys and ListAliases side by side, DescribeKey for each key,
//! what is on the screen first, within a budget.
//!
//! Events come in batches over a bounded channel: where nobody takes them, loading waits. Dropping
//! the future stops everything. A transient failure is tried again with growing pauses until it
//! succeeds; only before the first page, where nobody knows yet whether a KMS is there at all, does
//! it end the list after a few tries. A refusal is an answer. Predefined aliases without a target are never described: that call would
//! create a key (KMS API: DescribeKey).

mod budget;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use self::budget::Budget;
use super::Clients;
use super::describe::describe_with;
use super::error::failure_of;
use crate::domain::catalog::{Described, ListedAlias, ListedKey};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::loading::{List, LoadEvent};

/// Keys that a page of ListKeys holds at most (KMS API: ListKeys).
const KEYS_A_PAGE: i32 = 1000;
/// Aliases that a page of ListAliases holds at most (KMS API: ListAliases).
const ALIASES_A_PAGE: i32 = 100;
/// How often the first page is tried again where what answers may be no KMS.
const FIRST_PAGE_RETRIES: u32 = 2;
/// DescribeKey calls under way at once, at most.
const IN_FLIGHT: usize = 32;

/// How fast DescribeKey may be called. The quota is shared with everything that runs in the
/// account (2,000 a second by default; KMS Developer Guide: request quotas).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Calls a second; `None` is as fast as the service answers.
    pub per_second: Option<u32>,
}

impl Default for Rate {
    fn default() -> Self {
        Self { per_second: Some(200) }
    }
}

/// Loads everything once, until it is done or dropped.
///
/// `wanted` brings key ARNs to describe before all others, each message in place of the one before.
pub async fn load(
    clients: Clients,
    rate: Rate,
    events: mpsc::Sender<LoadEvent>,
    wanted: mpsc::UnboundedReceiver<Vec<String>>,
) {
    let (found, to_describe) = mpsc::unbounded_channel();
    let keys = list_keys(&clients, &events, found);
    let aliases = list_aliases(&clients, &events);
    let describe = Describer::new(clients.clone(), rate, events.clone()).run(to_describe, wanted);
    tokio::join!(keys, aliases, describe);
    send(&events, LoadEvent::Finished).await;
}

/// Sends an event. Where the other side has gone, whoever dropped it drops this future too.
async fn send(events: &mpsc::Sender<LoadEvent>, event: LoadEvent) {
    if events.send(event).await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn list_keys(
    clients: &Clients,
    events: &mpsc::Sender<LoadEvent>,
    found: mpsc::UnboundedSender<Vec<String>>,
) {
    let mut pages = Pages::new(List::Keys);
    loop {
        let call = clients.background.list_keys().limit(KEYS_A_PAGE).set_marker(pages.marker.clone());
        let answer = call.send().await;
        let answer = answer.map_err(|error| failure_of("ListKeys", None, &clients.place, &error));
        let Some(answer) = pages.judge(events, answer).await else { return };
        let Some(answer) = answer else { continue };
        let page: Vec<ListedKey> = answer
            .keys()
            .iter()
            .filter_map(|entry| {
                let key_id = entry.key_id()?.to_owned();
                let arn = entry.key_arn().map_or_else(|| key_id.clone(), str::to_owned);
                Some(ListedKey { key_id, arn })
            })
            .collect();
        // The describer ends with the last sender: an error here means that it has gone.
        let _ = found.send(page.iter().map(|key| key.arn.clone()).collect());
        send(events, LoadEvent::Keys(page)).await;
        if !pages.turn(events, answer.truncated(), answer.next_marker()).await {
            return;
        }
    }
}

async fn list_aliases(clients: &Clients, events: &mpsc::Sender<LoadEvent>) {
    let mut pages = Pages::new(List::Aliases);
    loop {
        let call = clients.background.list_aliases().limit(ALIASES_A_PAGE).set_marker(pages.marker.clone());
        let answer = call.send().await;
        let answer = answer.map_err(|error| failure_of("ListAliases", None, &clients.place, &error));
        let Some(answer) = pages.judge(events, answer).await else { return };
        let Some(answer) = answer else { continue };
        let page = answer
            .aliases()
            .iter()
            .filter_map(|entry| {
                Some(ListedAlias {
                    name: entry.alias_name()?.to_owned(),
                    arn: entry.alias_arn().unwrap_or_default().to_owned(),
                    target_key_id: entry.target_key_id().map(str::to_owned),
                })
            })
            .collect();
        send(events, LoadEvent::Aliases(page)).await;
        if !pages.turn(events, answer.truncated(), answer.next_marker()).await {
            return;
        }
    }
}

/// Where a list stands.
struct Pages {
    list: List,
    marker: Option<String>,
    first: bool,
    failures: u32,
}

impl Pages {
    const fn new(list: List) -> Self {
        Self { list, marker: None, first: true, failures: 0 }
    }

    /// Looks at an answer: `None` ends the list, `Some(None)` asks for the same page again.
    async fn judge<T>(
        &mut self,
        events: &mpsc::Sender<LoadEvent>,
        answer: Result<T, Failure>,
    ) -> Option<Option<T>> {
        match answer {
            Ok(answer) => {
                self.failures = 0;
                self.first = false;
                Some(Some(answer))
            }
            Err(failure) if failure.is_transient() && !self.gives_up(&failure) => {
                send(events, LoadEvent::Retrying(failure)).await;
                tokio::time::sleep(pause(self.failures)).await;
                self.failures += 1;
                Some(None)
            }
            Err(failure) => {
                send(events, LoadEvent::Failed(self.list, failure)).await;
                None
            }
        }
    }

    /// Before the first page a host that cannot be reached, or whose answers mean nothing, may be the
    /// wrong one: a person hears of it soon. A time-out has been waited for long enough.
    fn gives_up(&self, failure: &Failure) -> bool {
        let may_be_the_wrong_host = self.first && !failure.is_answer();
        may_be_the_wrong_host
            && (failure.kind == FailureKind::TimedOut || self.failures >= FIRST_PAGE_RETRIES)
    }

    /// Goes to the next page; `false` where there is none. A page that says there are more and
    /// names no marker, or the same one again, would be asked for for ever: it ends the list.
    async fn turn(&mut self, events: &mpsc::Sender<LoadEvent>, truncated: bool, next: Option<&str>) -> bool {
        let next = next.map(str::to_owned);
        let more = truncated && next.is_some() && next != self.marker;
        if more {
            self.marker = next;
        } else {
            send(events, LoadEvent::Complete(self.list)).await;
        }
        more
    }
}

/// The pause before another try: half a second, doubled each time, at most 20 seconds.
fn pause(failures: u32) -> Duration {
    Duration::from_millis(500 * 2u64.saturating_pow(failures.min(6))).min(Duration::from_secs(20))
}

/// Calls DescribeKey for everything that ListKeys finds.
struct Describer {
    clients: Clients,
    budget: Arc<Budget>,
    events: mpsc::Sender<LoadEvent>,
    /// In the order in which they were found.
    queue: VecDeque<String>,
    /// What the screen shows, to be asked for first.
    wanted: VecDeque<String>,
    /// Found and not asked for yet.
    open: HashSet<String>,
    running: JoinSet<(String, Described)>,
}

impl Describer {
    fn new(clients: Clients, rate: Rate, events: mpsc::Sender<LoadEvent>) -> Self {
        Self {
            clients,
            budget: Arc::new(Budget::new(rate)),
            events,
            queue: VecDeque::new(),
            wanted: VecDeque::new(),
            open: HashSet::new(),
            running: JoinSet::new(),
        }
    }

    async fn run(
        mut self,
        mut found: mpsc::UnboundedReceiver<Vec<String>>,
        mut wanted: mpsc::UnboundedReceiver<Vec<String>>,
    ) {
        let (mut more_to_come, mut somebody_looks) = (true, true);
        while more_to_come || !self.open.is_empty() || !self.running.is_empty() {
            let may_start = !self.open.is_empty() && self.running.len() < IN_FLIGHT;
            tokio::select! {
                biased;
                message = wanted.recv(), if somebody_looks => match message {
                    Some(arns) => self.wanted = arns.into(),
                    None => somebody_looks = false,
                },
                message = found.recv(), if more_to_come => match message {
                    Some(arns) => {
                        self.open.extend(arns.iter().cloned());
                        self.queue.extend(arns);
                    }
                    None => more_to_come = false,
                },
                Some(answer) = self.running.join_next() => self.report(answer).await,
                () = self.budget.take(), if may_start => self.start(),
            }
        }
    }

    /// Starts the next call; the budget has been paid.
    fn start(&mut self) {
        let open = &mut self.open;
        let next = std::iter::from_fn(|| self.wanted.pop_front().or_else(|| self.queue.pop_front()));
        let mut next = next;
        let Some(arn) = next.find(|arn| open.remove(arn)) else { return };
        let (clients, events) = (self.clients.clone(), self.events.clone());
        let budget = Arc::clone(&self.budget);
        self.running.spawn(async move {
            let described = describe_until_answered(&clients, &budget, &events, &arn).await;
            (arn, described)
        });
    }

    /// Sends on an answer, together with all others that are ready.
    async fn report(&mut self, first: Result<(String, Described), tokio::task::JoinError>) {
        let mut batch: Vec<(String, Described)> = first.into_iter().collect();
        while let Some(answer) = self.running.try_join_next() {
            batch.extend(answer);
        }
        send(&self.events, LoadEvent::Described(batch)).await;
    }
}

async fn describe_until_answered(
    clients: &Clients,
    budget: &Budget,
    events: &mpsc::Sender<LoadEvent>,
    arn: &str,
) -> Described {
    let mut failures = 0;
    loop {
        match describe_with(&clients.background, &clients.place, arn).await {
            Ok(metadata) => return Described::Known(Box::new(metadata)),
            Err(failure) if failure.is_transient() => {
                if failures == 2 {
                    send(events, LoadEvent::Retrying(failure)).await;
                }
                tokio::time::sleep(pause(failures)).await;
                failures += 1;
                budget.take().await;
            }
            Err(failure) => return Described::Refused(Box::new(failure)),
        }
    }
}
