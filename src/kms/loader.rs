//! Reads the catalog of a place: ListKeys and ListAliases side by side, DescribeKey for each key,
//! what is on the screen first, within a budget.
//!
//! Events come in batches over a bounded channel: where nobody takes them, loading waits. Dropping
//! the future stops everything. A transient failure is tried again with growing pauses until it
//! succeeds; only before the first page, where nobody knows yet whether a KMS is there at all, does
//! it end the list after a few tries. A refusal is an answer. Predefined aliases without a target are
//! never described: that call would create a key (KMS API: DescribeKey).

mod describer;
mod progress;

use std::hash::{BuildHasher as _, RandomState};

use tokio::sync::mpsc;

pub use self::progress::Progress;
use super::Clients;
use super::error::failure_of;
use super::worker::{pause, send, with_jitter};
use crate::domain::catalog::{ListedAlias, ListedKey};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::loading::{List, LoadEvent, Part};

/// Keys that a page of ListKeys holds at most (KMS API: ListKeys).
const KEYS_A_PAGE: i32 = 1000;
/// Aliases that a page of ListAliases holds at most (KMS API: ListAliases).
const ALIASES_A_PAGE: i32 = 100;
/// How often the first page is tried again where what answers may be no KMS.
const FIRST_PAGE_RETRIES: u32 = 2;

/// How fast a key's call may be made: DescribeKey, or that of a scan. The quotas are shared with
/// everything that runs in the account (DescribeKey: 2,000 a second by default; KMS Developer Guide:
/// request quotas). Where the service throttles, calls are made more slowly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Calls a second, at least 1, at most 32 of them under way; `None` is as fast as the service
    /// lets, at most 128 under way.
    pub per_second: Option<u32>,
}

impl Rate {
    /// So many calls a second; 0 is as fast as the service lets.
    #[must_use]
    pub const fn new(per_second: u32) -> Self {
        Self { per_second: if per_second == 0 { None } else { Some(per_second) } }
    }
}

impl Default for Rate {
    fn default() -> Self {
        Self::new(200)
    }
}

/// What may be asked of a load that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// Key ARNs to describe before all others, also during a pause, in place of those asked for
    /// before. One that ListKeys has not brought yet waits until it has.
    Want(Vec<String>),
    /// Describe nothing but what is wanted. The lists are read on.
    Pause,
    /// Describe everything again. Dropping the sender of controls means the same.
    Resume,
}

/// Loads what `progress` has not read yet, until it is done or dropped. To be dropped with the
/// receiver of its events.
///
/// A list that failed in the middle goes on from its page; one that was complete is not read or told
/// of again, nor is a key that was described.
pub async fn load(
    clients: Clients,
    rate: Rate,
    progress: Progress,
    events: mpsc::Sender<LoadEvent>,
    controls: mpsc::UnboundedReceiver<Control>,
) {
    let (tell, found) = mpsc::unbounded_channel();
    let keys = list_keys(&clients, &progress, &events, tell);
    let aliases = list_aliases(&clients, &progress, &events);
    let describe = describer::describe(&clients, rate, progress.keys().clone(), &events, found, controls);
    tokio::join!(keys, aliases, describe);
    send(&events, LoadEvent::Finished).await;
}

async fn list_keys(
    clients: &Clients,
    progress: &Progress,
    events: &mpsc::Sender<LoadEvent>,
    found: mpsc::UnboundedSender<()>,
) {
    let mut pages = Pages::new(List::Keys, progress, events);
    while !progress.is_complete(List::Keys) {
        let marker = progress.marker(List::Keys);
        let call = clients.background.list_keys().limit(KEYS_A_PAGE).set_marker(marker);
        let answer = call.send().await;
        let answer = answer.map_err(|error| failure_of("ListKeys", None, &clients.place, &error));
        let Some(answer) = pages.judge(answer).await else { return };
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
        progress.add_keys(page.iter().map(|key| &*key.arn));
        // An error means that the describer has gone.
        let _ = found.send(());
        send(events, LoadEvent::Keys(page)).await;
        if !pages.turn(answer.truncated(), answer.next_marker()).await {
            return;
        }
    }
}

async fn list_aliases(clients: &Clients, progress: &Progress, events: &mpsc::Sender<LoadEvent>) {
    let mut pages = Pages::new(List::Aliases, progress, events);
    while !progress.is_complete(List::Aliases) {
        let marker = progress.marker(List::Aliases);
        let call = clients.background.list_aliases().limit(ALIASES_A_PAGE).set_marker(marker);
        let answer = call.send().await;
        let answer = answer.map_err(|error| failure_of("ListAliases", None, &clients.place, &error));
        let Some(answer) = pages.judge(answer).await else { return };
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
        if !pages.turn(answer.truncated(), answer.next_marker()).await {
            return;
        }
    }
}

/// How reading a list goes.
struct Pages<'a> {
    list: List,
    progress: &'a Progress,
    events: &'a mpsc::Sender<LoadEvent>,
    /// Whether no page has come yet.
    first: bool,
    /// Whether it was begun again, its marker being no good any more.
    restarted: bool,
    failures: u32,
    jitter: RandomState,
}

impl<'a> Pages<'a> {
    fn new(list: List, progress: &'a Progress, events: &'a mpsc::Sender<LoadEvent>) -> Self {
        let first = progress.marker(list).is_none();
        Self { list, progress, events, first, restarted: false, failures: 0, jitter: RandomState::new() }
    }

    /// Looks at an answer: `None` ends the list, `Some(None)` asks for the same page again, or for
    /// the first.
    async fn judge<T>(&mut self, answer: Result<T, Failure>) -> Option<Option<T>> {
        let part = Part::of(self.list);
        match answer {
            Ok(answer) => {
                if std::mem::take(&mut self.failures) > 0 {
                    send(self.events, LoadEvent::Recovered(part)).await;
                }
                self.first = false;
                Some(Some(answer))
            }
            Err(failure) if failure.is_transient() && !self.gives_up(&failure) => {
                send(self.events, LoadEvent::Retrying(part, failure)).await;
                let random = self.jitter.hash_one(self.failures);
                tokio::time::sleep(with_jitter(pause(self.failures), random)).await;
                self.failures += 1;
                Some(None)
            }
            Err(failure) if self.marker_is_no_good(&failure) => {
                self.restarted = true;
                self.progress.restart(self.list);
                Some(None)
            }
            Err(failure) => {
                send(self.events, LoadEvent::Failed(part, failure)).await;
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

    /// Whether the list may be begun again: markers do not last for ever, and how long is not
    /// documented (KMS API: ListKeys, `InvalidMarkerException`). Once is enough.
    fn marker_is_no_good(&self, failure: &Failure) -> bool {
        let is_refused = failure.code.as_deref() == Some("InvalidMarkerException");
        is_refused && !self.restarted && self.progress.marker(self.list).is_some()
    }

    /// Goes to the next page; `false` where there is none.
    ///
    /// An endpoint that says there is more and names no page, or one that was read, has not told the
    /// whole list: what is missing may not be taken for gone.
    async fn turn(&mut self, truncated: bool, next: Option<&str>) -> bool {
        if !truncated {
            send(self.events, LoadEvent::Complete(self.list)).await;
            self.progress.complete(self.list);
            return false;
        }
        if next.is_some_and(|next| self.progress.follow(self.list, next)) {
            return true;
        }
        let sentence = "the endpoint says that there is more, and names no next page";
        let failure =
            Failure::new(FailureKind::ServiceFault, sentence).hint("check that the endpoint is a KMS");
        // Where to go on is not known: a later load reads the list from its beginning.
        self.progress.restart(self.list);
        send(self.events, LoadEvent::Failed(Part::of(self.list), failure)).await;
        false
    }
}
