//! Decrypt, for what was sealed under a symmetric encryption key here. What is wrong with a
//! ciphertext is never said: every cause looks the same.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::local::blob::{Blob, EncryptionContext};
use crate::local::error::KmsError;
use crate::local::key::{KeyUsage, algorithms};
use crate::local::shape::{Input, Length, Presence, check_context};
use crate::local::store::Reader;

use super::{Call, Key};

const SYMMETRIC_DEFAULT: &str = "SYMMETRIC_DEFAULT";
const ENCRYPTION_ALGORITHMS: [&str; 4] =
    ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE", SYMMETRIC_DEFAULT];
const IGNORE_CIPHERTEXT: &str = "IGNORE_CIPHERTEXT";

/// A request whose shapes are in order.
struct Decrypt {
    key_id: Option<String>,
    ciphertext: Vec<u8>,
    context: EncryptionContext,
    algorithm: String,
    grant_tokens: Vec<String>,
    dry_run: bool,
}

/// KMS API: Decrypt. `KeyId` in the answer is the key ARN.
///
/// A dry run checks the ciphertext and its context, but with the modifier `IGNORE_CIPHERTEXT` it
/// checks the key alone. `Recipient` is refused: its promise, to give no plaintext, cannot be kept.
pub(super) fn decrypt(call: &Call<'_>, mut input: Input) -> Result<Value, KmsError> {
    let recipient = input.has("Recipient");
    let ciphertext = input.blob("CiphertextBlob", Length(1, 6144))?;
    let context = input.encryption_context()?;
    let grant_tokens = input.grant_tokens()?;
    let algorithm = input.one_of("EncryptionAlgorithm", &ENCRYPTION_ALGORITHMS, &ENCRYPTION_ALGORITHMS)?;
    let dry_run = input.boolean("DryRun")?;
    let modifiers = input.some_of("DryRunModifiers", &[IGNORE_CIPHERTEXT])?;
    let ignore_ciphertext = dry_run && !modifiers.is_empty();
    let key_id = input.key_id(if ignore_ciphertext { Presence::Required } else { Presence::Optional })?;
    if ciphertext.is_none() && !ignore_ciphertext {
        input.violate_null("CiphertextBlob");
    }
    input.finish()?;
    if recipient {
        return Err(KmsError::client(
            "UnsupportedOperationException",
            "Recipient is not supported by the local KMS.",
        ));
    }

    let request = Decrypt {
        key_id,
        ciphertext: ciphertext.unwrap_or_default(),
        context,
        algorithm: algorithm.unwrap_or_else(|| SYMMETRIC_DEFAULT.to_owned()),
        grant_tokens,
        dry_run,
    };
    let reader = call.reader()?;
    let named = match &request.key_id {
        Some(text) => Some(call.key(&reader, text)?),
        None => None,
    };
    if ignore_ciphertext && let Some(key) = &named {
        call.authorize(key, &request.grant_tokens)?;
        require_fit(call, key, &request)?;
        return Err(KmsError::dry_run());
    }
    if request.algorithm != SYMMETRIC_DEFAULT {
        return Err(asymmetric(call, named.as_ref(), &request));
    }
    symmetric(call, &reader, named.as_ref(), &request)
}

/// Usage, state, algorithm: what the key alone decides.
fn require_fit(call: &Call<'_>, key: &Key, request: &Decrypt) -> Result<(), KmsError> {
    call.require_usage(key, KeyUsage::EncryptDecrypt)?;
    key.require_usable_state()?;
    let fits = algorithms(key.record.spec, key.record.usage)
        .is_some_and(|(_, fitting)| fitting.contains(&request.algorithm.as_str()));
    if fits {
        return Ok(());
    }
    Err(KmsError::invalid_key_usage(format!(
        "Algorithm {} is incompatible with key spec {}.",
        request.algorithm,
        key.record.spec.word()
    )))
}

/// Opens what a symmetric encryption key sealed. The blob says which; a `KeyId` that says another is
/// wrong, whatever that other key's usage and state. The key's state comes before the ciphertext.
fn symmetric(
    call: &Call<'_>,
    reader: &Reader,
    named: Option<&Key>,
    request: &Decrypt,
) -> Result<Value, KmsError> {
    check_context(&request.context)?;
    let blob = Blob::parse(&request.ciphertext).ok_or_else(KmsError::invalid_ciphertext)?;
    if named.is_some_and(|key| key.id != blob.key_id) {
        return Err(KmsError::client(
            "IncorrectKeyException",
            "The key ID in the request does not identify a CMK that can perform this operation.",
        ));
    }
    let key = call.key_with_id(reader, blob.key_id)?.ok_or_else(|| {
        KmsError::access_denied(
            "The ciphertext refers to a customer master key that does not exist, does not exist in \
             this region, or you are not allowed to access.",
        )
    })?;
    call.authorize(&key, &request.grant_tokens)?;
    require_fit(call, &key, request)?;
    let plaintext = reader
        .material(&call.place.region, &key.id, blob.material_id)?
        .and_then(|material| blob.open(&material, &request.context))
        .ok_or_else(KmsError::invalid_ciphertext)?;
    if request.dry_run {
        return Err(KmsError::dry_run());
    }

    let mut members = Map::new();
    let encoded = Zeroizing::new(STANDARD.encode(&plaintext));
    members.insert("KeyId".to_owned(), key.arn.as_str().into());
    members.insert("Plaintext".to_owned(), encoded.as_str().into());
    members.insert("EncryptionAlgorithm".to_owned(), SYMMETRIC_DEFAULT.into());
    if key.record.shows_material_id() {
        members.insert("KeyMaterialId".to_owned(), blob.material_id.to_hex().into());
    }
    Ok(Value::Object(members))
}

/// Why an asymmetric decryption fails. It always does: nothing was ever encrypted under an asymmetric
/// key here, so no ciphertext can be good.
fn asymmetric(call: &Call<'_>, named: Option<&Key>, request: &Decrypt) -> KmsError {
    let refuse = || {
        let key = named.ok_or_else(|| {
            KmsError::validation(format!("KeyId is required with the algorithm {}.", request.algorithm))
        })?;
        call.authorize(key, &request.grant_tokens)?;
        require_fit(call, key, request)?;
        if !request.context.is_empty() {
            return Err(KmsError::validation(
                "EncryptionContext is not supported when encrypting/decrypting with asymmetric \
                 CMKs.",
            ));
        }
        Ok(())
    };
    match refuse() {
        Err(error) => error,
        Ok(()) => KmsError::invalid_ciphertext(),
    }
}
