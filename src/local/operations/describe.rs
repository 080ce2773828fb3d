//! `DescribeKey`.

use std::collections::BTreeMap;

use crate::local::answer::Answer;
use crate::local::blob::Material;
use crate::local::error::KmsError;
use crate::local::key::{
    AliasRecord, AliasTarget, KeyManager, KeyRecord, KeySpec, KeyState, KeyUsage, Origin, Rotation,
};
use crate::local::shape::{Input, Presence};
use crate::local::store::View as _;

use super::{Call, Members, Target, grants};

/// KMS API: `DescribeKey`. By any identifier, in any state, for AWS managed keys too. To describe a
/// predefined alias that has no key creates its AWS managed key, as it does on AWS.
pub(super) fn describe_key(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let key_id = input.key_id(Presence::Required)?;
    let grant_tokens = input.grant_tokens()?;
    input.finish()?;

    let text = key_id.unwrap_or_default();
    let target = {
        let reader = call.reader()?;
        call.target(&reader, &text)?
    };
    grants::check_tokens(call, &grant_tokens)?;
    let key = match target {
        Target::Key(key) => *key,
        Target::Predefined(name) => {
            create_managed_key(call, &name)?;
            call.key(&call.reader()?, &text)?
        }
    };
    Ok(Members::default().put("KeyMetadata", key.record.metadata(&key.id, &call.place)).answer())
}

/// Creates the AWS managed key that a predefined alias stands for, unless somebody just did.
fn create_managed_key(call: &Call<'_>, alias_name: &str) -> Result<(), KmsError> {
    let service = call.service;
    let region = call.region();
    let now = call.now;
    let key_id = service.randomness.uuid()?;
    let material = Material::generate(&service.randomness)?;
    call.change(|writer| {
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
