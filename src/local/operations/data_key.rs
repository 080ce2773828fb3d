//! `GenerateDataKeyWithoutPlaintext`: a fresh data key, sealed. Its plaintext lives between two lines
//! below and is wiped.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::local::blob::{Freshness, MaterialId, seal};
use crate::local::error::KmsError;
use crate::local::key::{KeySpec, KeyUsage};
use crate::local::shape::{Input, Presence, check_context};

use super::Call;

/// What the service lists where a data key's `KeySpec` is wrong: the specs of KMS keys, none of
/// which is one (boto/boto3#3428). The list is the service's mistake, kept because clients meet it.
const KEY_SPECS_NAMED: [&str; 17] = [
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    "SYMMETRIC_DEFAULT",
    "HMAC_224",
    "HMAC_256",
    "HMAC_384",
    "HMAC_512",
    "SM2",
    "ML_DSA_44",
    "ML_DSA_65",
    "ML_DSA_87",
    "ECC_NIST_EDWARDS25519",
];

/// KMS API: `GenerateDataKeyWithoutPlaintext`. `KeyId` in the answer is the key ARN.
pub(super) fn generate_data_key_without_plaintext(
    call: &Call<'_>,
    mut input: Input,
) -> Result<Value, KmsError> {
    let key_id = input.key_id(Presence::Required)?;
    let context = input.encryption_context()?;
    let key_spec = input.one_of("KeySpec", &["AES_256", "AES_128"], &KEY_SPECS_NAMED)?;
    let number_of_bytes = input.integer("NumberOfBytes", 1, 1024)?;
    let grant_tokens = input.grant_tokens()?;
    let dry_run = input.boolean("DryRun")?;
    input.finish()?;

    let reader = call.reader()?;
    let key = call.key(&reader, &key_id.unwrap_or_default())?;
    call.authorize(&key, &grant_tokens)?;
    let length = match (key_spec.as_deref(), number_of_bytes) {
        (Some("AES_128"), None) => 16,
        (Some(_), None) => 32,
        (None, Some(length)) => length,
        (Some(_), Some(_)) | (None, None) => {
            return Err(KmsError::validation("Please specify either number of bytes or key spec."));
        }
    };
    check_context(&context)?;
    call.require_usage(&key, KeyUsage::EncryptDecrypt)?;
    key.require_usable_state()?;
    if key.record.spec != KeySpec::SymmetricDefault {
        return Err(KmsError::invalid_key_usage("You cannot generate a data key with an asymmetric CMK"));
    }
    if dry_run {
        return Err(KmsError::dry_run());
    }

    let material = key
        .record
        .material
        .as_deref()
        .and_then(MaterialId::from_hex)
        .and_then(|material_id| reader.material(&call.place.region, &key.id, material_id).transpose())
        .ok_or_else(KmsError::internal)??;
    let randomness = &call.service.randomness;
    let mut data_key = Zeroizing::new(vec![0; length]);
    randomness.fill(&mut data_key)?;
    let freshness = Freshness::draw(randomness)?;
    let blob = seal(&key.id, &material, &context, &data_key, freshness).ok_or_else(KmsError::internal)?;

    let mut members = Map::new();
    members.insert("CiphertextBlob".to_owned(), STANDARD.encode(blob).into());
    members.insert("KeyId".to_owned(), key.arn.into());
    if key.record.shows_material_id() {
        members.insert("KeyMaterialId".to_owned(), key.record.material.into());
    }
    Ok(Value::Object(members))
}
