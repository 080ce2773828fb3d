//! `GetKeyRotationStatus`, `EnableKeyRotation`, `DisableKeyRotation`, `RotateKeyOnDemand`,
//! `ListKeyRotations`.

use serde_json::{Value, json};

use crate::local::answer::Answer;
use crate::local::due;
use crate::local::error::KmsError;
use crate::local::key::{
    KeyManager, KeyRecord, KeySpec, KeyState, Origin, Rotation, RotationRecord, RotationType, epoch_seconds,
};
use crate::local::shape::{Input, Presence};
use crate::local::state::Deed;
use crate::local::store::View;

use super::page::{Page, PageSizes};
use super::{Call, Key, Members};

/// Days. KMS API: `EnableKeyRotation`, `RotationPeriodInDays`.
const DEFAULT_PERIOD: u16 = 365;
/// KMS API: Resource quotas, on-demand rotations per KMS key.
const MOST_ON_DEMAND: usize = 25;

/// KMS API: `GetKeyRotationStatus`. `KeyId` in the answer is the key ARN. Keys that cannot rotate are
/// told to be off, but those in custom key stores.
pub(super) fn get_key_rotation_status(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let key_id = input.key_id(Presence::Required)?;
    input.finish()?;

    let reader = call.reader()?;
    let key = call.key_not_by_alias(&reader, &key_id.unwrap_or_default())?;
    if key.record.in_custom_key_store() {
        return Err(KmsError::unsupported_by_key());
    }
    let rotation = rotation_of(call, &reader, &key)?;
    let members = Members::default()
        .put("KeyRotationEnabled", rotation.is_some())
        .put("KeyId", key.arn)
        .put_some("RotationPeriodInDays", rotation.map(|rotation| rotation.period_days))
        .put_some("NextRotationDate", rotation.map(|rotation| epoch_seconds(rotation.next())));
    Ok(members.answer())
}

/// The rotation of a key that is on and tells of it: a replica has that of its primary, a key pending
/// deletion has none until its deletion is cancelled.
fn rotation_of(call: &Call<'_>, view: &impl View, key: &Key) -> Result<Option<Rotation>, KmsError> {
    let record = &key.record;
    if matches!(record.state, KeyState::PendingDeletion | KeyState::PendingReplicaDeletion) {
        return Ok(None);
    }
    if record.manager == KeyManager::Aws {
        let always = Rotation { period_days: DEFAULT_PERIOD, since: record.created };
        return Ok(Some(record.rotation.unwrap_or(always).caught_up(call.now)));
    }
    match &record.multi_region {
        Some(regions) if regions.primary != call.region() => {
            Ok(view.key(&regions.primary, &key.id)?.and_then(|primary| primary.rotation))
        }
        _ => Ok(record.rotation),
    }
}

/// KMS API: `EnableKeyRotation`. 90 to 2560 days, 365 where nothing is said; the period begins now.
pub(super) fn enable_key_rotation(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let key_id = input.key_id(Presence::Required)?;
    let days = input.integer("RotationPeriodInDays", 90, 2560)?;
    input.finish()?;

    let period_days = days.and_then(|days| u16::try_from(days).ok()).unwrap_or(DEFAULT_PERIOD);
    call.change_key(&key_id.unwrap_or_default(), Some(Deed::ConfigureRotation), |_, key| {
        require_own_material(key)?;
        if !rotates(&key.record) || is_replica(call, &key.record) {
            return Err(KmsError::unsupported_by_key());
        }
        key.record.rotation = Some(Rotation { period_days, since: call.now });
        Ok(())
    })?;
    Ok(Answer::empty())
}

/// KMS API: `DisableKeyRotation`. On a key that never rotates it succeeds, as measured, but where the
/// key is in a custom key store.
pub(super) fn disable_key_rotation(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let key_id = input.key_id(Presence::Required)?;
    input.finish()?;

    call.change_key(&key_id.unwrap_or_default(), Some(Deed::ConfigureRotation), |_, key| {
        require_own_material(key)?;
        if key.record.in_custom_key_store() || is_replica(call, &key.record) {
            return Err(KmsError::unsupported_by_key());
        }
        key.record.rotation = None;
        Ok(())
    })?;
    Ok(Answer::empty())
}

/// KMS API: `RotateKeyOnDemand`. At most 25 times for a key. `KeyId` in the answer is the key ARN.
pub(super) fn rotate_key_on_demand(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let key_id = input.key_id(Presence::Required)?;
    input.finish()?;

    let arn = call.change(|writer| {
        let key = call.key_not_by_alias(writer, &key_id.unwrap_or_default())?;
        call.may_manage(&key)?;
        key.lets(Deed::Rotate)?;
        if !rotates(&key.record) || is_replica(call, &key.record) {
            return Err(KmsError::unsupported_by_key());
        }
        if key.record.origin == Origin::External {
            return Err(KmsError::invalid_state(format!(
                "No available key material pending rotation for the key: {}.",
                key.arn
            )));
        }
        let rotations = writer.rotations(call.region(), &key.id)?;
        let on_demand = |rotation: &&RotationRecord| {
            rotation.rotated.is_some_and(|(_, kind)| kind == RotationType::OnDemand)
        };
        if rotations.iter().filter(on_demand).count() >= MOST_ON_DEMAND {
            return Err(KmsError::limit_exceeded(format!(
                "The on-demand rotations limit has been reached for the given keyId. \
                 No more on-demand rotations can be performed for this key: {}",
                key.arn
            )));
        }
        let randomness = &call.service.randomness;
        due::rotate(writer, call.region(), &key.id, RotationType::OnDemand, call.now, randomness)?;
        Ok(key.arn)
    })?;
    Ok(Members::default().put("KeyId", arn).answer())
}

/// KMS API: `ListKeyRotations`. Pages of 100, at most 1000, the oldest first, each with its material
/// named; with `ALL_KEY_MATERIAL` the first material is there too, which came by no rotation.
pub(super) fn list_key_rotations(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    const WHICH: [&str; 2] = ["ALL_KEY_MATERIAL", "ROTATIONS_ONLY"];
    let key_id = input.key_id(Presence::Required)?;
    let which = input.one_of("IncludeKeyMaterial", &WHICH, &WHICH)?;
    let page = Page::read(&mut input, &PageSizes { default: 100, most: 1000 })?;
    input.finish()?;

    let reader = call.reader()?;
    let key = call.key_not_by_alias(&reader, &key_id.unwrap_or_default())?;
    if !rotates(&key.record) {
        return Err(KmsError::unsupported_by_key());
    }
    let all = which.as_deref() == Some(WHICH[0]);
    let mut rotations = reader.rotations(call.region(), &key.id)?;
    if let (true, Some(material)) = (rotations.is_empty(), &key.record.material) {
        rotations.push(RotationRecord { material: material.clone(), rotated: None });
    }
    rotations.retain(|rotation| all || rotation.rotated.is_some());

    let scope = format!("{} {all}", key.id);
    let after = page.after(call, &scope)?;
    let start = after.and_then(|after| after.parse::<usize>().ok()).unwrap_or(0);
    let end = start.saturating_add(page.limit).min(rotations.len());
    let items = rotations.get(start..end).unwrap_or_default();
    let items = items.iter().map(|rotation| entry(&key, rotation)).collect();
    let next = (end < rotations.len()).then(|| end.to_string());
    Ok(Page::answer(call, &scope, "Rotations", items, next.as_deref()))
}

/// KMS API: `RotationsListEntry`. `KeyId` is the key id.
fn entry(key: &Key, rotation: &RotationRecord) -> Value {
    let current = key.record.material.as_ref() == Some(&rotation.material);
    let mut members = Members::default()
        .put("KeyId", key.id.as_str())
        .put("KeyMaterialId", rotation.material.as_str())
        .put("KeyMaterialState", if current { "CURRENT" } else { "NON_CURRENT" });
    if key.record.origin == Origin::External {
        members = members.put("ImportState", "IMPORTED");
    }
    let rotated = rotation.rotated;
    let members = members
        .put_some("RotationDate", rotated.map(|(at, _)| epoch_seconds(at)))
        .put_some("RotationType", rotated.map(|(_, kind)| json!(kind.word())));
    Value::Object(members.0)
}

/// Whether keys like this one have more than one material in their lives.
fn rotates(record: &KeyRecord) -> bool {
    record.spec == KeySpec::SymmetricDefault && !record.in_custom_key_store()
}

/// Whether it is a replica: it shares the rotation of its primary, which alone can be changed.
fn is_replica(call: &Call<'_>, record: &KeyRecord) -> bool {
    record.multi_region.as_ref().is_some_and(|regions| regions.primary != call.region())
}

/// Whether KMS made the material: what was imported does not rotate by itself.
fn require_own_material(key: &Key) -> Result<(), KmsError> {
    if key.record.origin != Origin::External {
        return Ok(());
    }
    Err(KmsError::unsupported(format!(
        "{} origin is EXTERNAL which is not valid for this operation.",
        key.arn
    )))
}
