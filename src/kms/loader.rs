//! Reads the catalog of a place: ListKeys and ListAliases side by side, DescribeKey for each key,
//! what is on the screen first, within a budget.
//!
//! Events come in batches over a bounded channel: where nobody takes them, loading waits. Dropping
//! the future stops everything. A transient failure is tried again with growing pauses until it
//! succeeds; only before the first page, where nobody knows yet whether a KMS is there at all, does
//! it end the list after a few tries. A refusal is an answer. Predefined aliases without a target are
//! never described: that call would create a key (KMS API: DescribeKey).

mod budget;
mod describer;

use std::collections::HashSet;
use std::time::Duration;

use tokio::sync::mpsc;

use self::describer::Describer;
use super::Clients;
use super::error::failure_of;
use crate::domain::catalog::{ListedAlias, ListedKey};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::loading::{List, LoadEvent, Part};

/// Keys that a page of ListKeys holds at most (KMS API: ListKeys).
const KEYS_A_PAGE: i32 = 1000;
/// Aliases that a page of ListAliases holds at most (KMS API: ListAliases).
const ALIASES_A_PAGE: i32 = 100;
/// How often the first page is tried again where what answers may be no KMS.
const FIRST_PAGE_RETRIES: u32 = 2;

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

/// Loads everything once, until it is done or dropped. To be dropped with the receiver of its events.
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

/// Sends an event. Where the other side has gone, this never ends: the future is to be dropped.
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
    /// Markers that were followed: one that comes again would lead round for ever.
    followed: HashSet<String>,
    first: bool,
    failures: u32,
}

impl Pages {
    fn new(list: List) -> Self {
        Self { list, marker: None, followed: HashSet::new(), first: true, failures: 0 }
    }

    /// Looks at an answer: `None` ends the list, `Some(None)` asks for the same page again.
    async fn judge<T>(
        &mut self,
        events: &mpsc::Sender<LoadEvent>,
        answer: Result<T, Failure>,
    ) -> Option<Option<T>> {
        let part = Part::of(self.list);
        match answer {
            Ok(answer) => {
                if std::mem::take(&mut self.failures) > 0 {
                    send(events, LoadEvent::Recovered(part)).await;
                }
                self.first = false;
                Some(Some(answer))
            }
            Err(failure) if failure.is_transient() && !self.gives_up(&failure) => {
                send(events, LoadEvent::Retrying(part, failure)).await;
                tokio::time::sleep(pause(self.failures)).await;
                self.failures += 1;
                Some(None)
            }
            Err(failure) => {
                send(events, LoadEvent::Failed(part, failure)).await;
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

    /// Goes to the next page; `false` where there is none.
    ///
    /// An endpoint that says there is more and names no page, or one that was read, has not told the
    /// whole list: what is missing may not be taken for gone.
    async fn turn(&mut self, events: &mpsc::Sender<LoadEvent>, truncated: bool, next: Option<&str>) -> bool {
        if !truncated {
            send(events, LoadEvent::Complete(self.list)).await;
            return false;
        }
        if let Some(next) = next
            && self.followed.insert(next.to_owned())
        {
            self.marker = Some(next.to_owned());
            return true;
        }
        let sentence = "the endpoint says that there is more, and names no next page";
        let failure =
            Failure::new(FailureKind::ServiceFault, sentence).hint("check that the endpoint is a KMS");
        send(events, LoadEvent::Failed(Part::of(self.list), failure)).await;
        false
    }
}

/// The pause before another try: half a second, doubled each time, at most 20 seconds.
fn pause(failures: u32) -> Duration {
    Duration::from_millis(500 * 2u64.saturating_pow(failures.min(6))).min(Duration::from_secs(20))
}
