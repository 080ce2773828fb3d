//! Asymmetric key pairs of the local KMS: making them, their two documents, and RSA encryption.
//!
//! A private key is a PKCS#8 `PrivateKeyInfo` of version 1 in DER, a public key an X.509
//! `SubjectPublicKeyInfo` in DER: the forms in which KMS gives them out. KMS API:
//! `GenerateDataKeyPair`, `GetPublicKey`.
//!
//! It must know nothing of keys' states, of requests or of the store.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey,
    OaepPublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256K1_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING,
    ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _,
};
use zeroize::Zeroizing;

use super::key::KeySpec;

/// A private key and its public key, both in DER.
pub(super) struct KeyPair {
    /// PKCS#8 `PrivateKeyInfo`, version 1. Wiped when dropped.
    pub private: Zeroizing<Vec<u8>>,
    /// X.509 `SubjectPublicKeyInfo`.
    pub public: Vec<u8>,
}

/// RSA encryption as KMS has it: OAEP with an empty label, MGF1 with the same hash. KMS Developer
/// Guide: Key spec reference, "RSA key specs for encryption and decryption".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Oaep {
    Sha1,
    Sha256,
}

impl Oaep {
    /// The one that KMS has that word for. KMS API: `EncryptionAlgorithm`.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        match word {
            "RSAES_OAEP_SHA_1" => Some(Self::Sha1),
            "RSAES_OAEP_SHA_256" => Some(Self::Sha256),
            _ => None,
        }
    }

    fn algorithm(self) -> &'static OaepAlgorithm {
        match self {
            Self::Sha1 => &OAEP_SHA1_MGF1SHA1,
            Self::Sha256 => &OAEP_SHA256_MGF1SHA256,
        }
    }

    fn hash_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

/// How the pairs of a key spec are made.
enum Kind {
    Rsa(KeySize),
    Ecdsa(&'static EcdsaSigningAlgorithm),
    Ed25519,
}

impl Kind {
    fn of(spec: KeySpec) -> Option<Self> {
        Some(match spec {
            KeySpec::Rsa2048 => Self::Rsa(KeySize::Rsa2048),
            KeySpec::Rsa3072 => Self::Rsa(KeySize::Rsa3072),
            KeySpec::Rsa4096 => Self::Rsa(KeySize::Rsa4096),
            KeySpec::EccNistP256 => Self::Ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING),
            KeySpec::EccNistP384 => Self::Ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING),
            KeySpec::EccNistP521 => Self::Ecdsa(&ECDSA_P521_SHA512_ASN1_SIGNING),
            KeySpec::EccSecgP256K1 => Self::Ecdsa(&ECDSA_P256K1_SHA256_ASN1_SIGNING),
            KeySpec::EccNistEdwards25519 => Self::Ed25519,
            _ => return None,
        })
    }

    fn generate(self) -> Result<Pair, Unspecified> {
        Ok(match self {
            Self::Rsa(size) => Pair::Rsa(PrivateDecryptingKey::generate(size)?),
            Self::Ecdsa(algorithm) => Pair::Ecdsa(EcdsaKeyPair::generate(algorithm)?),
            Self::Ed25519 => Pair::Ed25519(Ed25519KeyPair::generate()?),
        })
    }

    fn read(self, private: &[u8]) -> Result<Pair, KeyRejected> {
        Ok(match self {
            Self::Rsa(size) => {
                let key = PrivateDecryptingKey::from_pkcs8(private)?;
                if key.key_size_bytes() != size.len() {
                    return Err(Unspecified.into());
                }
                Pair::Rsa(key)
            }
            Self::Ecdsa(algorithm) => Pair::Ecdsa(EcdsaKeyPair::from_pkcs8(algorithm, private)?),
            Self::Ed25519 => Pair::Ed25519(Ed25519KeyPair::from_pkcs8(private)?),
        })
    }
}

/// A pair in aws-lc's hands, which wipes its memory when it frees it.
enum Pair {
    Rsa(PrivateDecryptingKey),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Pair {
    fn private(&self) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
        // Both of aws-lc-rs's documents, `Pkcs8V1Der` and `pkcs8::Document`, wipe themselves when dropped.
        let copy = |der: &[u8]| Zeroizing::new(der.to_vec());
        Ok(match self {
            Self::Rsa(key) => copy(AsDer::<Pkcs8V1Der>::as_der(key)?.as_ref()),
            Self::Ecdsa(pair) => copy(pair.to_pkcs8v1()?.as_ref()),
            Self::Ed25519(pair) => copy(pair.to_pkcs8v1()?.as_ref()),
        })
    }

    fn public(&self) -> Result<Vec<u8>, Unspecified> {
        let der: PublicKeyX509Der = match self {
            Self::Rsa(key) => key.public_key().as_der()?,
            Self::Ecdsa(pair) => pair.public_key().as_der()?,
            Self::Ed25519(pair) => pair.public_key().as_der()?,
        };
        Ok(der.as_ref().to_vec())
    }
}

/// Whether [`generate`] can make pairs of that spec: RSA, the NIST curves, secp256k1 and Ed25519.
pub(super) fn supports(spec: KeySpec) -> bool {
    Kind::of(spec).is_some()
}

/// A fresh pair; `None` for a spec that is not supported, or where aws-lc fails.
///
/// aws-lc draws the randomness of key pairs itself, so the local KMS's own `Randomness` does not reach
/// here: a seeded one makes no pair come again. RSA keys have the exponent 65537 and take from a part
/// of a second to seconds.
pub(super) fn generate(spec: KeySpec) -> Option<KeyPair> {
    let pair = Kind::of(spec)?.generate().ok()?;
    Some(KeyPair { private: pair.private().ok()?, public: pair.public().ok()? })
}

/// The public key, X.509 `SubjectPublicKeyInfo`, of a private key of that spec as [`generate`] gave
/// it; `None` where `private` is no such key.
pub(super) fn public_of(spec: KeySpec, private: &[u8]) -> Option<Vec<u8>> {
    Kind::of(spec)?.read(private).ok()?.public().ok()
}

/// How many bytes at most an RSA key of that spec encrypts; `None` for other specs. KMS API: Encrypt.
pub(super) fn most_plaintext(spec: KeySpec, oaep: Oaep) -> Option<usize> {
    match Kind::of(spec)? {
        // RFC 8017, 7.1.1: the modulus less two hashes and two bytes.
        Kind::Rsa(size) => Some(size.len() - 2 * oaep.hash_len() - 2),
        Kind::Ecdsa(_) | Kind::Ed25519 => None,
    }
}

/// The ciphertext, as long as the modulus and new each time, for an RSA public key in DER; `None`
/// where `public` is none, or where `plaintext` is longer than [`most_plaintext`].
pub(super) fn encrypt(public: &[u8], oaep: Oaep, plaintext: &[u8]) -> Option<Vec<u8>> {
    let key = OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(public).ok()?).ok()?;
    let mut ciphertext = vec![0; key.ciphertext_size()];
    key.encrypt(oaep.algorithm(), plaintext, &mut ciphertext, None).ok()?;
    Some(ciphertext)
}

/// The plaintext of what [`encrypt`] made, wiped when dropped; `None` where `private` is no RSA key, or
/// `ciphertext` none of its own under that hash.
pub(super) fn decrypt(private: &[u8], oaep: Oaep, ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let key = OaepPrivateDecryptingKey::new(PrivateDecryptingKey::from_pkcs8(private).ok()?).ok()?;
    let mut plaintext = Zeroizing::new(vec![0; key.min_output_size()]);
    let length = key.decrypt(oaep.algorithm(), ciphertext, &mut plaintext, None).ok()?.len();
    plaintext.truncate(length);
    Some(plaintext)
}

#[cfg(test)]
mod tests;
