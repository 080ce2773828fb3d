//! `Encrypt`, `Decrypt` and `ReEncrypt`, under symmetric encryption keys and under RSA keys. What is
//! wrong with a ciphertext is never said: every cause looks the same.

use zeroize::Zeroizing;

use crate::local::answer::Answer;
use crate::local::asymmetric::{self, Oaep};
use crate::local::blob::{Blob, EncryptionContext};
use crate::local::error::KmsError;
use crate::local::key::{KeyUsage, algorithms};
use crate::local::shape::{Input, Length, Presence, check_context};
use crate::local::state::Deed;
use crate::local::store::View as _;

use super::{Call, Key, Members, refuse_recipient};

const SYMMETRIC_DEFAULT: &str = "SYMMETRIC_DEFAULT";
const ALGORITHMS: [&str; 4] = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE", SYMMETRIC_DEFAULT];
const IGNORE_CIPHERTEXT: &str = "IGNORE_CIPHERTEXT";

/// Bytes. KMS API: `Encrypt`, `Plaintext`; `Decrypt`, `CiphertextBlob`.
const PLAINTEXT: Length = Length(1, 4096);
const CIPHERTEXT: Length = Length(1, 6144);

/// What a plaintext was or is to be sealed with.
struct Seal {
    context: EncryptionContext,
    algorithm: String,
}

impl Seal {
    fn read(input: &mut Input, context: &str, algorithm: &str) -> Result<Self, KmsError> {
        let context = input.encryption_context(context)?;
        let algorithm = input.one_of(algorithm, &ALGORITHMS, &ALGORITHMS)?;
        Ok(Self { context, algorithm: algorithm.unwrap_or_else(|| SYMMETRIC_DEFAULT.to_owned()) })
    }

    fn is_symmetric(&self) -> bool {
        self.algorithm == SYMMETRIC_DEFAULT
    }

    /// Usage, state, algorithm, and what goes with the algorithm: what the key alone decides.
    fn require_fit(&self, key: &Key, action: &str) -> Result<(), KmsError> {
        key.require_usage(KeyUsage::EncryptDecrypt, action)?;
        key.lets(Deed::Use)?;
        let fits = algorithms(key.record.spec, key.record.usage)
            .is_some_and(|(_, fitting)| fitting.contains(&self.algorithm.as_str()));
        if !fits {
            return Err(KmsError::invalid_key_usage(format!(
                "Algorithm {} is incompatible with key spec {}.",
                self.algorithm,
                key.record.spec.word()
            )));
        }
        if self.is_symmetric() {
            return check_context(&self.context);
        }
        if !self.context.is_empty() {
            return Err(KmsError::validation(
                "EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs.",
            ));
        }
        Ok(())
    }
}

/// A ciphertext to open, and what its caller says of it.
struct Sealed {
    /// The key, where it is named. For an asymmetric algorithm it has to be.
    key_id: Option<String>,
    ciphertext: Zeroizing<Vec<u8>>,
    seal: Seal,
    dry_run: bool,
    ignore_ciphertext: bool,
}

/// How the members of a [`Sealed`] are called, and what permission its opening needs.
struct Names {
    key_id: &'static str,
    context: &'static str,
    algorithm: &'static str,
    action: &'static str,
}

/// What was opened.
struct Opened {
    key: Key,
    plaintext: Zeroizing<Vec<u8>>,
    /// The material, where answers name it.
    material: Option<String>,
}

impl Sealed {
    fn read(input: &mut Input, members: &Names) -> Result<Self, KmsError> {
        let ciphertext = input.blob("CiphertextBlob", CIPHERTEXT)?;
        let seal = Seal::read(input, members.context, members.algorithm)?;
        let dry_run = input.boolean("DryRun")?;
        let modifiers = input.some_of("DryRunModifiers", &[IGNORE_CIPHERTEXT])?;
        let ignore_ciphertext = dry_run && !modifiers.is_empty();
        let presence = if ignore_ciphertext { Presence::Required } else { Presence::Optional };
        let key_id = input.identifier(members.key_id, presence)?;
        if ciphertext.is_none() && !ignore_ciphertext {
            input.violate_null("CiphertextBlob");
        }
        Ok(Self { key_id, ciphertext: ciphertext.unwrap_or_default(), seal, dry_run, ignore_ciphertext })
    }

    /// Opens it. `None` where nothing is to be opened: a dry run that ignores the ciphertext.
    ///
    /// The ciphertext of a symmetric encryption key says which key it is; one that the caller names
    /// and that is another is wrong, whatever that other key's usage and state. The key's state comes
    /// before the ciphertext.
    fn open(
        &self,
        call: &Call<'_>,
        grant_tokens: &[String],
        members: &Names,
    ) -> Result<Option<Opened>, KmsError> {
        let reader = call.reader()?;
        let named = match &self.key_id {
            Some(text) => Some(call.key(&reader, text)?),
            None => None,
        };
        if !self.seal.is_symmetric() || self.ignore_ciphertext {
            let key = named.ok_or_else(|| {
                KmsError::validation(format!(
                    "{} is required with the algorithm {}.",
                    members.key_id, self.seal.algorithm
                ))
            })?;
            call.may_use(&key, grant_tokens)?;
            self.seal.require_fit(&key, members.action)?;
            if self.ignore_ciphertext {
                return Ok(None);
            }
            drop(reader);
            let private_key = call.private_key(&key)?;
            let plaintext = Oaep::from_word(&self.seal.algorithm)
                .and_then(|oaep| asymmetric::decrypt(&private_key, oaep, &self.ciphertext))
                .ok_or_else(KmsError::invalid_ciphertext)?;
            return Ok(Some(Opened { key, plaintext, material: None }));
        }

        check_context(&self.seal.context)?;
        let blob = Blob::parse(&self.ciphertext).ok_or_else(KmsError::invalid_ciphertext)?;
        if named.is_some_and(|key| key.id != blob.key_id) {
            return Err(KmsError::client(
                "IncorrectKeyException",
                "The key ID in the request does not identify a CMK that can perform this operation.",
            ));
        }
        let key = call.key_with_id(&reader, blob.key_id)?.ok_or_else(|| {
            KmsError::access_denied(
                "The ciphertext refers to a customer master key that does not exist, does not exist in \
                 this region, or you are not allowed to access.",
            )
        })?;
        call.may_use(&key, grant_tokens)?;
        self.seal.require_fit(&key, members.action)?;
        let plaintext = reader
            .material(call.region(), &key.id, blob.material_id)?
            .and_then(|material| blob.open(&material, &self.seal.context))
            .ok_or_else(KmsError::invalid_ciphertext)?;
        let material = key.record.shows_material_id().then(|| blob.material_id.to_hex());
        Ok(Some(Opened { key, plaintext, material }))
    }
}

/// KMS API: `Encrypt`. `KeyId` in the answer is the key ARN. A ciphertext under an RSA key is that of
/// the algorithm, with nothing around it.
pub(super) fn encrypt(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let key_id = input.key_id(Presence::Required)?;
    let plaintext = input.blob("Plaintext", PLAINTEXT)?;
    if plaintext.is_none() {
        input.violate_null_unseen("Plaintext");
    }
    let seal = Seal::read(&mut input, "EncryptionContext", "EncryptionAlgorithm")?;
    let grant_tokens = input.grant_tokens()?;
    let dry_run = input.boolean("DryRun")?;
    input.finish()?;

    let plaintext = plaintext.unwrap_or_default();
    let key = call.key(&call.reader()?, &key_id.unwrap_or_default())?;
    call.may_use(&key, &grant_tokens)?;
    seal.require_fit(&key, call.operation.name)?;
    require_room(&key, &seal, &plaintext)?;
    if dry_run {
        return Err(KmsError::dry_run());
    }
    let ciphertext = close(call, &key, &seal, &plaintext)?;
    call.used(&key)?;
    let members = Members::default()
        .blob("CiphertextBlob", &ciphertext)
        .put("KeyId", key.arn.as_str())
        .put("EncryptionAlgorithm", seal.algorithm);
    Ok(members.answer())
}

/// KMS API: `Decrypt`. `KeyId` in the answer is the key ARN.
///
/// A dry run checks the ciphertext and its context, but with the modifier `IGNORE_CIPHERTEXT` it
/// checks the key alone.
pub(super) fn decrypt(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    const NAMES: Names = Names {
        key_id: "KeyId",
        context: "EncryptionContext",
        algorithm: "EncryptionAlgorithm",
        action: "Decrypt",
    };
    let for_recipient = input.has("Recipient");
    let sealed = Sealed::read(&mut input, &NAMES)?;
    let grant_tokens = input.grant_tokens()?;
    input.finish()?;

    let opened = sealed.open(call, &grant_tokens, &NAMES)?;
    refuse_recipient(for_recipient)?;
    let opened = opened.filter(|_| !sealed.dry_run).ok_or_else(KmsError::dry_run)?;
    call.used(&opened.key)?;
    let members = Members::default()
        .put("KeyId", opened.key.arn)
        .put("EncryptionAlgorithm", sealed.seal.algorithm)
        .put_some("KeyMaterialId", opened.material);
    Ok(members.answer_with_secret("Plaintext", opened.plaintext))
}

/// KMS API: `ReEncrypt`. `KeyId` and `SourceKeyId` in the answer are key ARNs. The source comes before
/// the destination.
pub(super) fn re_encrypt(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    const NAMES: Names = Names {
        key_id: "SourceKeyId",
        context: "SourceEncryptionContext",
        algorithm: "SourceEncryptionAlgorithm",
        action: "ReEncryptFrom",
    };
    let sealed = Sealed::read(&mut input, &NAMES)?;
    let destination_id = input.identifier("DestinationKeyId", Presence::Required)?;
    let seal = Seal::read(&mut input, "DestinationEncryptionContext", "DestinationEncryptionAlgorithm")?;
    let grant_tokens = input.grant_tokens()?;
    input.finish()?;

    let opened = sealed.open(call, &grant_tokens, &NAMES)?;
    let destination = call.key(&call.reader()?, &destination_id.unwrap_or_default())?;
    call.may_use(&destination, &grant_tokens)?;
    seal.require_fit(&destination, "ReEncryptTo")?;
    if let Some(opened) = &opened {
        require_room(&destination, &seal, &opened.plaintext)?;
    }
    let opened = opened.filter(|_| !sealed.dry_run).ok_or_else(KmsError::dry_run)?;
    let ciphertext = close(call, &destination, &seal, &opened.plaintext)?;
    call.used(&opened.key)?;
    call.used(&destination)?;
    let members = Members::default()
        .blob("CiphertextBlob", &ciphertext)
        .put("SourceKeyId", opened.key.arn)
        .put("KeyId", destination.arn.as_str())
        .put("SourceEncryptionAlgorithm", sealed.seal.algorithm)
        .put_some("SourceKeyMaterialId", opened.material)
        .put_some("DestinationKeyMaterialId", destination.shown_material())
        .put("DestinationEncryptionAlgorithm", seal.algorithm);
    Ok(members.answer())
}

/// Whether the algorithm has room for so long a plaintext.
fn require_room(key: &Key, seal: &Seal, plaintext: &[u8]) -> Result<(), KmsError> {
    let oaep = Oaep::from_word(&seal.algorithm);
    match oaep.and_then(|oaep| asymmetric::most_plaintext(key.record.spec, oaep)) {
        Some(most) if plaintext.len() > most => Err(KmsError::validation(format!(
            "Algorithm {} and key spec {} cannot encrypt data larger than {most} bytes.",
            seal.algorithm,
            key.record.spec.word()
        ))),
        _ => Ok(()),
    }
}

/// Seals a plaintext under a key that fits.
fn close(call: &Call<'_>, key: &Key, seal: &Seal, plaintext: &[u8]) -> Result<Vec<u8>, KmsError> {
    if seal.is_symmetric() {
        return call.seal(&call.reader()?, key, &seal.context, plaintext);
    }
    let private_key = call.private_key(key)?;
    let encrypted = || {
        let public_key = asymmetric::public_of(key.record.spec, &private_key)?;
        asymmetric::encrypt(&public_key, Oaep::from_word(&seal.algorithm)?, plaintext)
    };
    encrypted().ok_or_else(KmsError::internal)
}
