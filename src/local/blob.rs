//! The ciphertexts of the local KMS: sealing and opening under a key's material, with the encryption
//! context bound as authenticated data.
//!
//! ```text
//! "LOCALKMS" | version 1 | algorithm 1 | u8 length | key id | material id (32) | salt (16)
//!            | nonce (12) | AES-256-GCM ciphertext and tag (16)
//!
//! key = HMAC-SHA256(material, u32be(1) | "localkms/v1/data-key-wrap" | 00 | salt | u32be(256))
//! aad = u32be(length of header) | header | context
//! context = u32be(entries) | for each, by the bytes of its name: u32be length | name
//!                                                              | u32be length | value
//! ```
//!
//! The header is everything before the ciphertext. Its magic makes the Base64 begin `TE9DQUxLTVM`, so
//! that nobody takes such a blob for one of AWS's. The lengths make the context's bytes say one
//! context only: `{"a": "bc"}` and `{"ab": "c"}` differ. Each blob has a key of its own (NIST
//! SP 800-108 in counter mode), so that random nonces never run out. The material's id lets a key
//! that rotated open what it sealed before.
//!
//! It must know nothing of keys' states, of requests or of the store.

use std::collections::BTreeMap;

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::{digest, hmac};
use zeroize::{Zeroize, Zeroizing};

use super::hex;
use super::randomness::{Exhausted, Randomness};

const MAGIC: &[u8; 8] = b"LOCALKMS";
const VERSION: u8 = 1;
const ALGORITHM_AES_256_GCM: u8 = 1;
const MATERIAL_ID_LABEL: &[u8] = b"localkms/v1/material-id\0";
const WRAP_LABEL: &[u8] = b"localkms/v1/data-key-wrap\0";
const KEY_LEN: usize = 32;
const SALT_LEN: usize = 16;
const TAG_LEN: usize = 16;

/// An encryption context: names and values, in the order of the names' UTF-8 bytes.
pub(super) type EncryptionContext = BTreeMap<String, String>;

/// The secret of a symmetric encryption key: 32 bytes, wiped when dropped.
pub(super) struct Material(Zeroizing<[u8; KEY_LEN]>);

impl Material {
    /// Fresh material.
    pub(super) fn generate(randomness: &Randomness) -> Result<Self, Exhausted> {
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        randomness.fill(bytes.as_mut())?;
        Ok(Self(bytes))
    }

    /// The material with these bytes, where there are 32 of them.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut material = Zeroizing::new([0; KEY_LEN]);
        if bytes.len() != KEY_LEN {
            return None;
        }
        material.copy_from_slice(bytes);
        Some(Self(material))
    }

    /// The secret itself, for the store.
    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_ref()
    }

    /// The id of this material under the key with that id, which tells nothing of the secret.
    pub(super) fn id(&self, key_id: &str) -> MaterialId {
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(MATERIAL_ID_LABEL);
        hash.update(key_id.as_bytes());
        hash.update(&[0]);
        hash.update(self.bytes());
        let mut id = [0; 32];
        id.copy_from_slice(hash.finish().as_ref());
        MaterialId(id)
    }

    /// The key that seals the one blob with this salt.
    fn blob_key(&self, salt: &[u8]) -> Option<LessSafeKey> {
        let prf = hmac::Key::new(hmac::HMAC_SHA256, self.bytes());
        let mut input = hmac::Context::with_key(&prf);
        input.update(&1_u32.to_be_bytes());
        input.update(WRAP_LABEL);
        input.update(salt);
        input.update(&256_u32.to_be_bytes());
        let mut derived = Zeroizing::new([0; KEY_LEN]);
        derived.copy_from_slice(input.sign().as_ref());
        let key = UnboundKey::new(&aead::AES_256_GCM, derived.as_ref()).ok()?;
        Some(LessSafeKey::new(key))
    }
}

/// The id of a key's material: 64 hexadecimal digits as KMS writes it. KMS API: `KeyMaterialId`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MaterialId([u8; 32]);

impl MaterialId {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn to_hex(self) -> String {
        hex::encode(&self.0)
    }

    pub(super) fn from_hex(text: &str) -> Option<Self> {
        hex::decode(text).map(Self)
    }
}

/// What makes one blob differ from the next under the same material.
#[derive(Clone, Copy)]
pub(super) struct Freshness {
    pub salt: [u8; SALT_LEN],
    pub nonce: [u8; aead::NONCE_LEN],
}

impl Freshness {
    pub(super) fn draw(randomness: &Randomness) -> Result<Self, Exhausted> {
        Ok(Self { salt: randomness.array()?, nonce: randomness.array()? })
    }
}

/// Seals `plaintext` under the material of the key with that id.
///
/// `None` where the crypto provider fails, or the key id is longer than 255 bytes. The caller's
/// plaintext stays with the caller, who wipes it.
pub(super) fn seal(
    key_id: &str,
    material: &Material,
    context: &EncryptionContext,
    plaintext: &[u8],
    freshness: Freshness,
) -> Option<Vec<u8>> {
    let Freshness { salt, nonce } = freshness;
    let mut header = Vec::with_capacity(111 + plaintext.len() + TAG_LEN);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(&[VERSION, ALGORITHM_AES_256_GCM, u8::try_from(key_id.len()).ok()?]);
    header.extend_from_slice(key_id.as_bytes());
    header.extend_from_slice(material.id(key_id).bytes());
    header.extend_from_slice(&salt);
    header.extend_from_slice(&nonce);

    let aad = authenticated_data(&header, context)?;
    let mut sealed = Zeroizing::new(plaintext.to_vec());
    let tag = material
        .blob_key(&salt)?
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(aad),
            sealed.as_mut_slice(),
        )
        .ok()?;
    let mut blob = header;
    blob.extend_from_slice(&sealed);
    blob.extend_from_slice(tag.as_ref());
    Some(blob)
}

/// A blob taken apart. Nothing in it is to be believed before [`Blob::open`] succeeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blob<'a> {
    /// The id of the key that it says it was sealed under.
    pub key_id: &'a str,
    /// The id of the material that it says it was sealed under.
    pub material_id: MaterialId,
    salt: &'a [u8],
    nonce: [u8; aead::NONCE_LEN],
    header: &'a [u8],
    sealed: &'a [u8],
}

impl<'a> Blob<'a> {
    /// Takes a blob apart; `None` where it is none of ours.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let rest = rest.strip_prefix(&[VERSION, ALGORITHM_AES_256_GCM])?;
        let (key_id_len, rest) = rest.split_first()?;
        let (key_id, rest) = rest.split_at_checked(usize::from(*key_id_len))?;
        let (material_id, rest) = rest.split_first_chunk()?;
        let (salt, rest) = rest.split_at_checked(SALT_LEN)?;
        let (nonce, sealed) = rest.split_first_chunk()?;
        if sealed.len() < TAG_LEN {
            return None;
        }
        Some(Self {
            key_id: std::str::from_utf8(key_id).ok()?,
            material_id: MaterialId(*material_id),
            salt,
            nonce: *nonce,
            header: &bytes[..bytes.len() - sealed.len()],
            sealed,
        })
    }

    /// The plaintext, where material, context and every byte are what they were at sealing.
    pub(super) fn open(
        &self,
        material: &Material,
        context: &EncryptionContext,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let aad = authenticated_data(self.header, context)?;
        let mut opened = Zeroizing::new(self.sealed.to_vec());
        let plaintext_len = material
            .blob_key(self.salt)?
            .open_in_place(Nonce::assume_unique_for_key(self.nonce), Aad::from(aad), opened.as_mut_slice())
            .ok()?
            .len();
        opened[plaintext_len..].zeroize();
        opened.truncate(plaintext_len);
        Some(opened)
    }
}

/// What is authenticated beside the ciphertext: the header and the context, each with its length.
fn authenticated_data(header: &[u8], context: &EncryptionContext) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(8 + header.len());
    push_counted(&mut bytes, header)?;
    push_context(&mut bytes, context)?;
    Some(bytes)
}

fn push_context(bytes: &mut Vec<u8>, context: &EncryptionContext) -> Option<()> {
    bytes.extend_from_slice(&u32::try_from(context.len()).ok()?.to_be_bytes());
    // A BTreeMap of strings iterates in the order of their bytes.
    for (name, value) in context {
        push_counted(bytes, name.as_bytes())?;
        push_counted(bytes, value.as_bytes())?;
    }
    Some(())
}

fn push_counted(bytes: &mut Vec<u8>, part: &[u8]) -> Option<()> {
    bytes.extend_from_slice(&u32::try_from(part.len()).ok()?.to_be_bytes());
    bytes.extend_from_slice(part);
    Some(())
}

#[cfg(test)]
mod tests;
