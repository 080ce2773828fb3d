//! `GenerateDataKey` and `GenerateDataKeyWithoutPlaintext`: a fresh data key, sealed; and
//! `GenerateRandom`. What is secret is wiped.

use zeroize::Zeroizing;

use crate::local::answer::Answer;
use crate::local::blob::EncryptionContext;
use crate::local::error::KmsError;
use crate::local::key::{KeySpec, KeyUsage};
use crate::local::shape::{Input, Length, Pattern, Presence, check_context};
use crate::local::state::Deed;

use super::{Call, Key, Members, key_stores, refuse_recipient};

/// KMS API: `GenerateDataKeyWithoutPlaintext`. `KeyId` in the answer is the key ARN.
pub(super) fn generate_data_key_without_plaintext(call: &Call<'_>, input: Input) -> Result<Answer, KmsError> {
    // The plaintext is dropped here, and wiped.
    generate(call, input, false).map(|(members, _)| members.answer())
}

/// KMS API: `GenerateDataKey`. `KeyId` in the answer is the key ARN.
pub(super) fn generate_data_key(call: &Call<'_>, input: Input) -> Result<Answer, KmsError> {
    let (members, plaintext) = generate(call, input, true)?;
    Ok(members.answer_with_secret("Plaintext", plaintext))
}

/// A data key, sealed, and its plaintext, which the answer holds or not.
fn generate(
    call: &Call<'_>,
    mut input: Input,
    returns_plaintext: bool,
) -> Result<(Members, Zeroizing<Vec<u8>>), KmsError> {
    let key_id = input.key_id(Presence::Required)?;
    let context = input.encryption_context("EncryptionContext")?;
    // Where it is wrong the service lists the specs of KMS keys, none of which is one of data keys
    // (boto/boto3#3428). The mistake is the service's, and kept because clients meet it.
    let key_spec = input.one_of("KeySpec", &["AES_256", "AES_128"], &KeySpec::WORDS)?;
    let number_of_bytes = input.integer("NumberOfBytes", 1, 1024)?;
    let grant_tokens = input.grant_tokens()?;
    let dry_run = input.boolean("DryRun")?;
    let for_recipient = returns_plaintext && input.has("Recipient");
    input.finish()?;

    let reader = call.reader()?;
    let key = call.key(&reader, &key_id.unwrap_or_default())?;
    call.may_use(&key, &grant_tokens)?;
    let length = match (key_spec.as_deref(), number_of_bytes) {
        (Some("AES_128"), None) => 16,
        (Some(_), None) => 32,
        (None, Some(length)) => length,
        (Some(_), Some(_)) | (None, None) => {
            return Err(KmsError::validation("Please specify either number of bytes or key spec."));
        }
    };
    require_fit(call, &key, &context)?;
    refuse_recipient(for_recipient)?;
    if dry_run {
        return Err(KmsError::dry_run());
    }

    let mut data_key = Zeroizing::new(vec![0; length]);
    call.service.randomness.fill(&mut data_key)?;
    let blob = call.seal(&reader, &key, &context, &data_key)?;
    call.used(&key)?;
    let members = Members::default()
        .blob("CiphertextBlob", &blob)
        .put("KeyId", key.arn.as_str())
        .put_some("KeyMaterialId", key.shown_material());
    Ok((members, data_key))
}

/// Whether data keys and data key pairs can be sealed under the key, with that context: usage, state,
/// spec.
pub(super) fn require_fit(call: &Call<'_>, key: &Key, context: &EncryptionContext) -> Result<(), KmsError> {
    check_context(context)?;
    call.require_usage(key, KeyUsage::EncryptDecrypt)?;
    key.lets(Deed::Use)?;
    if key.record.spec.is_symmetric_encryption() {
        return Ok(());
    }
    Err(KmsError::invalid_key_usage("You cannot generate a data key with an asymmetric CMK"))
}

/// KMS API: `GenerateRandom`.
pub(super) fn generate_random(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let for_recipient = input.has("Recipient");
    let number_of_bytes = input.integer("NumberOfBytes", 1, 1024)?;
    let key_store = input.text("CustomKeyStoreId", Presence::Optional, Length(1, 64), Pattern::Any)?;
    input.finish()?;

    if let Some(id) = key_store {
        key_stores::require(call, &id)?;
        return Err(KmsError::unsupported("The local KMS draws no random bytes from custom key stores."));
    }
    let length = number_of_bytes.ok_or_else(|| KmsError::validation("NumberOfBytes is required."))?;
    refuse_recipient(for_recipient)?;
    let mut bytes = Zeroizing::new(vec![0; length]);
    call.service.randomness.fill(&mut bytes)?;
    Ok(Members::default().answer_with_secret("Plaintext", bytes))
}
