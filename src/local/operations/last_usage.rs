//! `GetKeyLastUsage`.

use serde_json::json;

use crate::local::answer::Answer;
use crate::local::error::KmsError;
use crate::local::key::epoch_seconds;
use crate::local::shape::{Input, Presence};
use crate::local::store::View as _;

use super::{Call, Members};

/// KMS API: `GetKeyLastUsage`. `KeyLastUsage` is empty where nothing was seen.
pub(super) fn get_key_last_usage(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let key_id = input.key_id(Presence::Required)?;
    input.finish()?;

    let (key, tracking_start) = {
        let reader = call.reader()?;
        (call.key_not_by_alias(&reader, &key_id.unwrap_or_default())?, reader.tracking_start()?)
    };
    let last_use = call.service.usage.of(call.region(), &key.id)?;
    let last_use = last_use.map_or_else(
        || json!({}),
        |last| {
            json!({
                "Operation": last.operation,
                "Timestamp": epoch_seconds(last.at),
                "CloudTrailEventId": last.event_id,
                "KmsRequestId": last.request_id,
            })
        },
    );
    let created = key.record.created;
    let members = Members::default()
        .put("KeyId", key.arn)
        .put("KeyLastUsage", last_use)
        .put("TrackingStartDate", epoch_seconds(tracking_start.max(created)))
        .put("KeyCreationDate", epoch_seconds(created));
    Ok(members.answer())
}
