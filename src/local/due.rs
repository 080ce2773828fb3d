//! What happens to keys by itself as time passes: a deletion whose day has come, imported material
//! that expires, a rotation. It is done at the first request after it was due.
//!
//! It must not answer requests. KMS API: `ScheduleKeyDeletion`, `ImportKeyMaterial`,
//! `EnableKeyRotation`.

use jiff::Timestamp;

use super::blob::Material;
use super::error::KmsError;
use super::key::{KeyRecord, KeyState, RotationRecord, RotationType, days_after};
use super::randomness::Randomness;
use super::store::{View, Writer};

/// Does what is due by `now`, in the order in which it was due.
pub(super) fn settle(writer: &Writer, now: Timestamp, randomness: &Randomness) -> Result<(), KmsError> {
    while let Some((when, region, key_id)) = writer.next_due_key(now)? {
        match writer.key(&region, &key_id)? {
            Some(record) if record.due().is_some_and(|due| due.as_millisecond() == when) => {
                happen(writer, &region, &key_id, record, randomness)?;
            }
            // What was due is no more: the entry is left over, and would be met again for ever.
            _ => writer.forget_due(when, &region, &key_id)?,
        }
    }
    Ok(())
}

/// Does the one thing that is due to a key.
fn happen(
    writer: &Writer,
    region: &str,
    key_id: &str,
    mut record: KeyRecord,
    randomness: &Randomness,
) -> Result<(), KmsError> {
    let Some(due) = record.due() else {
        return Ok(());
    };
    if record.state == KeyState::PendingDeletion {
        delete(writer, region, key_id, &record, due)
    } else if record.valid_to == Some(due) {
        record.state = KeyState::PendingImport;
        record.material = None;
        record.valid_to = None;
        writer.remove_material(region, key_id)?;
        Ok(writer.put_key(region, key_id, &record)?)
    } else {
        rotate(writer, region, key_id, RotationType::Automatic, due, randomness)
    }
}

/// Deletes a key. A primary key that waited for the last of its replicas begins its own waiting
/// period. KMS API: Deleting multi-Region keys.
fn delete(
    writer: &Writer,
    region: &str,
    key_id: &str,
    record: &KeyRecord,
    due: Timestamp,
) -> Result<(), KmsError> {
    writer.remove_key(region, key_id)?;
    for other in record.regions(region).into_iter().filter(|other| *other != region) {
        let Some(mut related) = writer.key(other, key_id)? else {
            continue;
        };
        let Some(regions) = &mut related.multi_region else {
            continue;
        };
        regions.replicas.retain(|replica| replica != region);
        let last_replica = regions.replicas.is_empty();
        if related.state == KeyState::PendingReplicaDeletion && last_replica {
            related.state = KeyState::PendingDeletion;
            let days = related.pending_window_days.take().unwrap_or(30);
            related.deletion = Some(days_after(due, days));
        }
        writer.put_key(other, key_id, &related)?;
    }
    Ok(())
}

/// Gives a symmetric encryption key new material, in every region in which it lives. The old one
/// stays, to decrypt. An on-demand rotation leaves the period of the automatic one alone.
pub(super) fn rotate(
    writer: &Writer,
    region: &str,
    key_id: &str,
    kind: RotationType,
    at: Timestamp,
    randomness: &Randomness,
) -> Result<(), KmsError> {
    let Some(record) = writer.key(region, key_id)? else {
        return Err(KmsError::internal());
    };
    let material = Material::generate(randomness)?;
    let material_id = material.id(key_id).to_hex();
    for region in record.regions(region) {
        let Some(mut record) = writer.key(region, key_id)? else {
            continue;
        };
        if writer.rotations(region, key_id)?.is_empty()
            && let Some(first) = &record.material
        {
            let first = RotationRecord { material: first.clone(), rotated: None };
            writer.add_rotation(region, key_id, &first)?;
        }
        let rotation = RotationRecord { material: material_id.clone(), rotated: Some((at, kind)) };
        writer.add_rotation(region, key_id, &rotation)?;
        writer.put_material(region, key_id, &material)?;
        record.material = Some(material_id.clone());
        if let (RotationType::Automatic, Some(rotation)) = (kind, &mut record.rotation) {
            rotation.since = at;
        }
        writer.put_key(region, key_id, &record)?;
    }
    Ok(())
}
