//! `GenerateDataKeyPair` and `GenerateDataKeyPairWithoutPlaintext`: a fresh key pair whose private key
//! is sealed under a symmetric encryption key.

use zeroize::Zeroizing;

use crate::local::answer::Answer;
use crate::local::asymmetric;
use crate::local::error::KmsError;
use crate::local::key::KeySpec;
use crate::local::shape::{Input, Presence};

use super::{Call, Members, data_key, refuse_recipient};

/// KMS API: `GenerateDataKeyPair`, `KeyPairSpec`.
const SPECS: [(&str, KeySpec); 9] = [
    ("RSA_2048", KeySpec::Rsa2048),
    ("RSA_3072", KeySpec::Rsa3072),
    ("RSA_4096", KeySpec::Rsa4096),
    ("ECC_NIST_P256", KeySpec::EccNistP256),
    ("ECC_NIST_P384", KeySpec::EccNistP384),
    ("ECC_NIST_P521", KeySpec::EccNistP521),
    ("ECC_SECG_P256K1", KeySpec::EccSecgP256K1),
    ("SM2", KeySpec::Sm2),
    ("ECC_NIST_EDWARDS25519", KeySpec::EccNistEdwards25519),
];

/// KMS API: `GenerateDataKeyPairWithoutPlaintext`. The public key is DER, X.509
/// `SubjectPublicKeyInfo`; `KeyId` in the answer is the key ARN.
pub(super) fn generate_data_key_pair_without_plaintext(
    call: &Call<'_>,
    input: Input,
) -> Result<Answer, KmsError> {
    // The private key is dropped here, and wiped.
    generate(call, input, false).map(|(members, _)| members.answer())
}

/// KMS API: `GenerateDataKeyPair`. The private key is DER, PKCS #8.
pub(super) fn generate_data_key_pair(call: &Call<'_>, input: Input) -> Result<Answer, KmsError> {
    let (members, private_key) = generate(call, input, true)?;
    Ok(members.answer_with_secret("PrivateKeyPlaintext", private_key))
}

/// A key pair, its private key sealed, and the private key, which the answer holds or not.
fn generate(
    call: &Call<'_>,
    mut input: Input,
    returns_plaintext: bool,
) -> Result<(Members, Zeroizing<Vec<u8>>), KmsError> {
    let key_id = input.key_id(Presence::Required)?;
    let context = input.encryption_context("EncryptionContext")?;
    let pair_spec = input.required_one_of("KeyPairSpec", &SPECS.map(|(name, _)| name))?;
    let grant_tokens = input.grant_tokens()?;
    let dry_run = input.boolean("DryRun")?;
    let for_recipient = returns_plaintext && input.has("Recipient");
    input.finish()?;

    let key = call.key(&call.reader()?, &key_id.unwrap_or_default())?;
    call.may_use(&key, &grant_tokens)?;
    data_key::require_fit(call, &key, &context)?;
    if key.record.in_custom_key_store() {
        return Err(KmsError::unsupported_by_key());
    }
    let spec = SPECS.iter().find(|(name, _)| *name == pair_spec).map(|(_, spec)| *spec);
    let spec = spec.filter(|spec| asymmetric::supports(*spec)).ok_or_else(|| {
        KmsError::unsupported(format!("KeyPairSpec {pair_spec} is not supported in this Region"))
    })?;
    refuse_recipient(for_recipient)?;
    if dry_run {
        return Err(KmsError::dry_run());
    }

    let pair = asymmetric::generate(spec).ok_or_else(KmsError::internal)?;
    let blob = call.seal(&call.reader()?, &key, &context, &pair.private)?;
    call.used(&key)?;
    let members = Members::default()
        .blob("PrivateKeyCiphertextBlob", &blob)
        .blob("PublicKey", &pair.public)
        .put("KeyId", key.arn.as_str())
        .put("KeyPairSpec", pair_spec)
        .put_some("KeyMaterialId", key.shown_material());
    Ok((members, pair.private))
}
