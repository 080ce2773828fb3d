//! `DescribeKey`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::local::blob::Material;
use crate::local::error::KmsError;
use crate::local::key::{
    AliasRecord, AliasTarget, KeyManager, KeyRecord, KeySpec, KeyState, KeyUsage, Origin, Rotation,
};
use crate::local::shape::{Input, Presence};

use super::{Call, Target};

/// KMS API: `DescribeKey`. By any identifier, in any state, for AWS managed keys too. To describe a
/// predefined alias that has no key creates its AWS managed key, as it does on AWS.
pub(super) fn describe_key(call: &Call<'_>, mut input: Input) -> Result<Value, KmsError> {
    let key_id = input.key_id(Presence::Required)?;
    input.grant_tokens()?;
    input.finish()?;

    let text = key_id.unwrap_or_default();
    let target = {
        let reader = call.reader()?;
        call.target(&reader, &text)?
    };
    let key = match target {
        Target::Key(key) => *key,
        Target::Predefined(name) => {
            create_managed_key(call, &name)?;
            call.key(&call.reader()?, &text)?
        }
    };
    Ok(json!({ "KeyMetadata": key.record.metadata(&key.id, &call.place) }))
}

/// Creates the AWS managed key that a predefined alias stands for, unless somebody just did.
fn create_managed_key(call: &Call<'_>, alias_name: &str) -> Result<(), KmsError> {
    let service = call.service;
    let region = call.place.region.as_str();
    let now = to_the_millisecond(service.clock.now());
    let key_id = service.randomness.uuid()?;
    let material = Material::generate(&service.randomness)?;
    service.store.write(|writer| {
        let alias = writer.alias(region, alias_name)?;
        let Some(AliasRecord { target: None, managed_description }) = alias else {
            return Ok(());
        };
        let record = KeyRecord {
            created: now,
            description: managed_description.clone().unwrap_or_default(),
            state: KeyState::Enabled,
            usage: KeyUsage::EncryptDecrypt,
            spec: KeySpec::SymmetricDefault,
            origin: Origin::AwsKms,
            manager: KeyManager::Aws,
            material: Some(material.id(&key_id).to_hex()),
            deletion: None,
            pending_window_days: None,
            valid_to: None,
            custom_key_store: None,
            multi_region: None,
            rotation: Some(Rotation { period_days: 365, since: now }),
            tags: BTreeMap::new(),
        };
        writer.put_key(region, &key_id, &record)?;
        writer.put_material(region, &key_id, &material)?;
        writer.put_alias(
            region,
            alias_name,
            &AliasRecord {
                target: Some(AliasTarget { key_id, created: now, updated: now }),
                managed_description,
            },
        )?;
        Ok(())
    })
}

/// What the wire can carry of an instant.
fn to_the_millisecond(instant: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(instant.as_millisecond()).unwrap_or(instant)
}
