//! Scans: a call a key beyond DescribeKey, within a budget, over keys that a person chose.
//!
//! It must not schedule calls: the worker does. Keys are asked for by their ARN, since these
//! operations know no aliases.

use tokio::sync::mpsc;

use super::Clients;
use super::describe::timestamp;
use super::error::failure_of;
use super::loader::Rate;
use super::worker::{Keys, Outcome, SharedKeys, Told, Worker, locked, send};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::scan::{Finding, ScanEvent, ScanKind};

/// Tags that a page holds at most (KMS API: `ListResourceTags`). A key has 50 at most.
const TAGS_A_PAGE: i32 = 50;
/// Pages of one key's tags at most: an endpoint that always has one more would lead on for ever.
const MOST_PAGES: u32 = 50;

/// Scans keys, each once, until all are done or it is dropped. To be dropped with the receiver of its
/// events.
///
/// At most [`ScanKind::most_a_second`] calls a second, and at most the rate.
pub async fn scan(
    clients: Clients,
    kind: ScanKind,
    arns: Vec<String>,
    rate: Rate,
    events: mpsc::Sender<ScanEvent>,
) {
    let keys = SharedKeys::default();
    fill(&mut locked(&keys), &arns);
    drop(arns);
    // Everything is there, and nobody asks for anything else.
    let (_, found) = mpsc::unbounded_channel();
    let (_, controls) = mpsc::unbounded_channel();
    let call = |arn: String| {
        let clients = clients.clone();
        async move {
            match kind {
                ScanKind::Rotation => rotation(&clients, &arn).await.into(),
                ScanKind::Tags => tags(&clients, &arn).await,
                ScanKind::LastUse => last_use(&clients, &arn).await.into(),
            }
        }
    };
    let worker = Worker::new(keys, rate_of(kind, rate), events.clone(), call, event);
    if let Err(failure) = worker.run(found, controls).await {
        send(&events, ScanEvent::Failed(failure)).await;
    }
    send(&events, ScanEvent::Finished).await;
}

fn fill(keys: &mut Keys, arns: &[String]) {
    for arn in arns {
        keys.add(arn);
    }
}

fn rate_of(kind: ScanKind, rate: Rate) -> Rate {
    match (rate.per_second, kind) {
        (Some(rate), _) => Rate::new(rate.clamp(1, kind.most_a_second())),
        // A quota as small is not to be felt for.
        (None, ScanKind::LastUse) => Rate::new(kind.most_a_second()),
        (None, _) => rate,
    }
}

fn event(told: Told<Finding>) -> Option<ScanEvent> {
    Some(match told {
        Told::Answers(answers) => {
            let finding = |answer: Result<Finding, Box<Failure>>| answer.unwrap_or_else(Finding::Refused);
            ScanEvent::Found(answers.into_iter().map(|(arn, answer)| (arn, finding(answer))).collect())
        }
        Told::Retrying(failure) => ScanEvent::Retrying(failure),
        Told::Recovered => ScanEvent::Recovered,
        Told::Pace(_) => return None,
    })
}

async fn rotation(clients: &Clients, arn: &str) -> Result<Finding, Failure> {
    let answer = clients.background.get_key_rotation_status().key_id(arn).send().await;
    let answer =
        answer.map_err(|error| failure_of("GetKeyRotationStatus", Some(arn), &clients.place, &error));
    match answer {
        Ok(answer) => Ok(Finding::Rotation {
            enabled: answer.key_rotation_enabled(),
            period_days: answer.rotation_period_in_days(),
            next: answer.next_rotation_date().and_then(timestamp),
        }),
        Err(failure) if failure.code.as_deref() == Some("UnsupportedOperationException") => {
            Ok(Finding::NotApplicable)
        }
        Err(failure) => Err(failure),
    }
}

/// All pages of a key's tags. Where one fails in passing, all are read again.
async fn tags(clients: &Clients, arn: &str) -> Outcome<Finding> {
    let mut tags = Vec::new();
    let mut marker = None;
    for more_calls in 0..MOST_PAGES {
        let call = clients.background.list_resource_tags().key_id(arn).limit(TAGS_A_PAGE);
        let answer = match call.set_marker(marker).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let failure = failure_of("ListResourceTags", Some(arn), &clients.place, &error);
                return Outcome { answer: Err(failure), more_calls };
            }
        };
        let page = answer.tags().iter();
        tags.extend(page.map(|tag| (tag.tag_key().to_owned(), tag.tag_value().to_owned())));
        if !answer.truncated() {
            return Outcome { answer: Ok(Finding::Tags(tags)), more_calls };
        }
        marker = answer.next_marker().map(str::to_owned);
        if marker.is_none() {
            break;
        }
    }
    let sentence = "the endpoint says that there are more tags, and does not come to an end";
    let failure = Failure::new(FailureKind::Other, sentence).hint("check that the endpoint is a KMS");
    Outcome::from(Err(failure))
}

async fn last_use(clients: &Clients, arn: &str) -> Result<Finding, Failure> {
    let answer = clients.background.get_key_last_usage().key_id(arn).send().await;
    let answer = answer.map_err(|error| failure_of("GetKeyLastUsage", Some(arn), &clients.place, &error))?;
    let last = answer.key_last_usage();
    Ok(match last.and_then(|last| Some((last, last.timestamp().and_then(timestamp)?))) {
        Some((last, at)) => {
            let operation = last.operation().map(|operation| operation.as_str().to_owned());
            Finding::Used { at, operation }
        }
        None => Finding::Unused { since: answer.tracking_start_date().and_then(timestamp) },
    })
}
