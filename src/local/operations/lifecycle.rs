//! `EnableKey`, `DisableKey`, `ScheduleKeyDeletion`, `CancelKeyDeletion`, `UpdateKeyDescription`: what
//! changes a key's state, and its description.

use crate::local::answer::Answer;
use crate::local::due;
use crate::local::error::KmsError;
use crate::local::key::{KeyState, Origin, RotationType, days_after, epoch_seconds};
use crate::local::shape::{Input, Pattern, Presence};
use crate::local::state::Deed;
use crate::local::store::{View as _, Writer};

use super::create_key::DESCRIPTION;
use super::{Call, Key, Members};

/// KMS API: `EnableKey`. On a key that is unavailable it succeeds, and changes nothing before the key
/// is available.
pub(super) fn enable_key(call: &Call<'_>, input: Input) -> Result<Answer, KmsError> {
    switch(call, input, KeyState::Enabled)
}

/// KMS API: `DisableKey`. On a key that is unavailable it succeeds, and changes nothing before the key
/// is available.
pub(super) fn disable_key(call: &Call<'_>, input: Input) -> Result<Answer, KmsError> {
    switch(call, input, KeyState::Disabled)
}

fn switch(call: &Call<'_>, mut input: Input, state: KeyState) -> Result<Answer, KmsError> {
    let key_id = input.key_id(Presence::Required)?;
    input.finish()?;

    call.change_key(&key_id.unwrap_or_default(), Some(Deed::Switch), |writer, key| {
        if key.record.state == KeyState::Unavailable {
            return Ok(());
        }
        let was_off = key.record.state != KeyState::Enabled;
        key.record.state = state;
        if was_off && state == KeyState::Enabled {
            rotate_if_missed(call, writer, key)?;
        }
        Ok(())
    })?;
    Ok(Answer::empty())
}

/// A key that is enabled again after it should have rotated rotates at once, however many periods
/// have passed. KMS API: Rotate AWS KMS keys, disabled KMS keys.
fn rotate_if_missed(call: &Call<'_>, writer: &Writer, key: &mut Key) -> Result<(), KmsError> {
    if key.record.rotation.is_none_or(|rotation| rotation.next() > call.now) {
        return Ok(());
    }
    writer.put_key(call.region(), &key.id, &key.record)?;
    let randomness = &call.service.randomness;
    due::rotate(writer, call.region(), &key.id, RotationType::Automatic, call.now, randomness)?;
    key.record = writer.key(call.region(), &key.id)?.ok_or_else(KmsError::internal)?;
    Ok(())
}

/// KMS API: `ScheduleKeyDeletion`. 7 to 30 days, 30 where nothing is said. A primary key with replicas
/// waits for their deletion first. `KeyId` in the answer is the key ARN.
pub(super) fn schedule_key_deletion(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let key_id = input.key_id(Presence::Required)?;
    let days = input.integer("PendingWindowInDays", 1, 365)?;
    input.finish()?;

    let days = days.and_then(|days| u16::try_from(days).ok()).unwrap_or(30);
    let key = call.change_key(&key_id.unwrap_or_default(), Some(Deed::ScheduleDeletion), |_, key| {
        if !(7..=30).contains(&days) {
            return Err(KmsError::validation("PendingWindowInDays must be between 7 and 30"));
        }
        let record = &mut key.record;
        let waits_for_replicas = record
            .multi_region
            .as_ref()
            .is_some_and(|regions| regions.primary == call.region() && !regions.replicas.is_empty());
        if waits_for_replicas {
            record.state = KeyState::PendingReplicaDeletion;
            record.pending_window_days = Some(days);
        } else {
            record.state = KeyState::PendingDeletion;
            record.deletion = Some(days_after(call.now, days));
        }
        Ok(key.clone())
    })?;
    let members = Members::default()
        .put("KeyId", key.arn)
        .put_some("DeletionDate", key.record.deletion.map(epoch_seconds))
        .put("KeyState", key.record.state.word())
        .put("PendingWindowInDays", days);
    Ok(members.answer())
}

/// KMS API: `CancelKeyDeletion`. The key is disabled afterwards; one without material waits for its
/// import again, or goes on being created.
/// `KeyId` in the answer is the key ARN.
pub(super) fn cancel_key_deletion(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let key_id = input.key_id(Presence::Required)?;
    input.finish()?;

    let arn = call.change_key(&key_id.unwrap_or_default(), Some(Deed::CancelDeletion), |_, key| {
        let record = &mut key.record;
        let lacks_material = record.spec.is_symmetric_encryption() && record.material.is_none();
        record.state = match record.origin {
            Origin::External if lacks_material => KeyState::PendingImport,
            _ if lacks_material => KeyState::Creating,
            _ => KeyState::Disabled,
        };
        record.deletion = None;
        record.pending_window_days = None;
        Ok(key.arn.clone())
    })?;
    Ok(Members::default().put("KeyId", arn).answer())
}

/// KMS API: `UpdateKeyDescription`. At most 8192 characters, and none is allowed.
pub(super) fn update_key_description(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let key_id = input.key_id(Presence::Required)?;
    let description = input.text("Description", Presence::Required, DESCRIPTION, Pattern::Any)?;
    input.finish()?;

    call.change_key(&key_id.unwrap_or_default(), Some(Deed::Describe), |_, key| {
        key.record.description = description.unwrap_or_default();
        Ok(())
    })?;
    Ok(Answer::empty())
}
