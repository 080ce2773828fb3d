//! `CreateKey`.

use crate::local::answer::Answer;
use crate::local::asymmetric;
use crate::local::blob::Material;
use crate::local::error::KmsError;
use crate::local::key::{
    KeyManager, KeyRecord, KeySpec, KeyState, KeyUsage, MultiRegion, Origin, algorithms,
};
use crate::local::policy;
use crate::local::service::CALLER;
use crate::local::shape::{Input, Length, Pattern, Presence};

use super::{Call, Members, key_stores, tags};

/// Characters. KMS API: `CreateKey`, `Description`.
pub(super) const DESCRIPTION: Length = Length(0, 8192);
/// KMS API: `CreateKey`, `Policy`; the service's own limit is lower.
pub(super) const POLICY: Length = Length(1, 131_072);

/// KMS API: `CreateKey`. Symmetric encryption keys, and asymmetric ones as far as the crypto provider
/// goes. A key for imported material waits for it for ever.
pub(super) fn create_key(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let policy = input.text("Policy", Presence::Optional, POLICY, Pattern::Document)?;
    let description = input.text("Description", Presence::Optional, DESCRIPTION, Pattern::Any)?;
    let usages = [&KeyUsage::WORDS[..], &KeyUsage::LATER_WORDS].concat();
    let usage = input.one_of("KeyUsage", &usages, &KeyUsage::WORDS)?;
    let old_spec = input.one_of("CustomerMasterKeySpec", &KeySpec::WORDS, &KeySpec::WORDS)?;
    let specs = [&KeySpec::WORDS[..], &KeySpec::LATER_WORDS].concat();
    let spec = input.one_of("KeySpec", &specs, &KeySpec::WORDS)?;
    let origin = input.one_of("Origin", &Origin::WORDS, &Origin::WORDS)?;
    let key_store = input.text("CustomKeyStoreId", Presence::Optional, Length(1, 64), Pattern::Any)?;
    input.text("XksKeyId", Presence::Optional, Length(1, 128), Pattern::ExternalKey)?;
    let bypass = input.boolean("BypassPolicyLockoutSafetyCheck")?;
    let tags = input.tags(Presence::Optional)?;
    let multi_region = input.boolean("MultiRegion")?;
    input.finish()?;

    if let (Some(old), Some(new)) = (&old_spec, &spec)
        && old != new
    {
        return Err(KmsError::validation(
            "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. \
             CustomerMasterKeySpec is deprecated.",
        ));
    }
    let spec = spec.or(old_spec).as_deref().and_then(KeySpec::of_word).unwrap_or(KeySpec::SymmetricDefault);
    let origin = origin.as_deref().and_then(Origin::of_word).unwrap_or(Origin::AwsKms);
    let usage = match usage.as_deref().and_then(KeyUsage::of_word) {
        Some(usage) => usage,
        None if spec == KeySpec::SymmetricDefault => KeyUsage::EncryptDecrypt,
        None => {
            return Err(KmsError::validation(
                "You must specify a KeyUsage value for all KMS keys except for symmetric encryption \
                 keys.",
            ));
        }
    };
    require_makeable(spec, usage)?;
    if let Some(id) = key_store {
        key_stores::require(call, &id)?;
        return Err(KmsError::unsupported("The local KMS makes no keys in custom key stores."));
    }
    if matches!(origin, Origin::AwsCloudHsm | Origin::ExternalKeyStore) {
        return Err(KmsError::validation(format!(
            "CustomKeyStoreId is required with the origin {}.",
            origin.word()
        )));
    }
    if let Some(policy) = &policy {
        policy::check(policy, CALLER, &call.place, bypass)?;
    }
    let tags = tags::checked(tags)?;

    let randomness = &call.service.randomness;
    let uuid = randomness.uuid()?;
    let key_id = if multi_region { format!("mrk-{}", uuid.replace('-', "")) } else { uuid };
    let waits = origin == Origin::External;
    let material =
        (spec == KeySpec::SymmetricDefault && !waits).then(|| Material::generate(randomness)).transpose()?;
    let region = call.region();
    let record = KeyRecord {
        created: call.now,
        description: description.unwrap_or_default(),
        state: if waits { KeyState::PendingImport } else { KeyState::Enabled },
        usage,
        spec,
        origin,
        manager: KeyManager::Customer,
        material: material.as_ref().map(|material| material.id(&key_id).to_hex()),
        deletion: None,
        pending_window_days: None,
        valid_to: None,
        custom_key_store: None,
        multi_region: multi_region.then(|| MultiRegion { primary: region.to_owned(), replicas: Vec::new() }),
        rotation: None,
        tags,
    };
    call.change(|writer| {
        writer.put_key(region, &key_id, &record)?;
        if let Some(material) = &material {
            writer.put_material(region, &key_id, material)?;
        }
        if let Some(policy) = &policy {
            writer.put_policy(region, &key_id, policy)?;
        }
        Ok(())
    })?;
    Ok(Members::default().put("KeyMetadata", record.metadata(&key_id, &call.place)).answer())
}

/// Whether a key of that spec and usage can be made: the two go together, and there is key material
/// of that spec here.
fn require_makeable(spec: KeySpec, usage: KeyUsage) -> Result<(), KmsError> {
    if algorithms(spec, usage).is_none() {
        return Err(KmsError::validation(format!(
            "KeyUsage {} is not compatible with KeySpec {}.",
            usage.word(),
            spec.word()
        )));
    }
    if spec == KeySpec::SymmetricDefault || asymmetric::supports(spec) {
        return Ok(());
    }
    // The one word that is recorded; for the others it would send people to another region.
    let place = if spec == KeySpec::Sm2 { "in this Region" } else { "by the local KMS" };
    Err(KmsError::unsupported(format!("KeySpec {} is not supported {place}", spec.word())))
}
