//! DescribeKey for every key that ListKeys finds.
//!
//! It must not schedule calls: the worker does.

use tokio::sync::mpsc;

use super::super::worker::{SharedKeys, Told, Worker, send};
use super::{Control, Rate};
use crate::domain::catalog::Described;
use crate::domain::key::KeyMetadata;
use crate::domain::loading::{LoadEvent, Part};
use crate::kms::Clients;
use crate::kms::describe::describe_with;

/// Describes keys until all are described or refused, or the caller may not go on.
pub(super) async fn describe(
    clients: &Clients,
    rate: Rate,
    keys: SharedKeys,
    events: &mpsc::Sender<LoadEvent>,
    found: mpsc::UnboundedReceiver<()>,
    controls: mpsc::UnboundedReceiver<Control>,
) {
    let call = |arn: String| {
        let clients = clients.clone();
        async move { describe_with(&clients.background, &clients.place, &arn).await.into() }
    };
    let worker = Worker::new(keys, rate, events.clone(), call, event);
    if let Err(failure) = worker.run(found, controls).await {
        send(events, LoadEvent::Failed(Part::Descriptions, failure)).await;
    }
}

#[expect(clippy::unnecessary_wraps, reason = "others of the worker's owners tell nothing of some things")]
fn event(told: Told<KeyMetadata>) -> Option<LoadEvent> {
    Some(match told {
        Told::Answers(answers) => LoadEvent::Described(
            answers
                .into_iter()
                .map(|(arn, answer)| match answer {
                    Ok(metadata) => (arn, Described::Known(Box::new(metadata))),
                    Err(failure) => (arn, Described::Refused(failure)),
                })
                .collect(),
        ),
        Told::Retrying(failure) => LoadEvent::Retrying(Part::Descriptions, failure),
        Told::Recovered => LoadEvent::Recovered(Part::Descriptions),
        Told::Pace(pace) => LoadEvent::Pace(pace),
    })
}
