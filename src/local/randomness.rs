//! Where key material, salts, nonces and identifiers come from: a value passed in, so that a test
//! can repeat a run to the byte.
//!
//! Nothing else in this module may draw random bytes.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest;

/// A source of random bytes. Clones share the source.
#[derive(Clone)]
pub struct Randomness(Arc<Fill>);

type Fill = dyn Fn(&mut [u8]) -> Result<(), Exhausted> + Send + Sync;

/// The source had no bytes to give. What was asked for is not random and must not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no random bytes to be had from the system")]
pub struct Exhausted;

impl Randomness {
    /// The cryptographically secure source of the crypto provider, aws-lc.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(|bytes| aws_lc_rs::rand::fill(bytes).map_err(|_| Exhausted)))
    }

    /// The same bytes in every run that asks in the same order. For tests and demonstrations that
    /// must repeat, never for keys that protect anything: whoever knows `seed` knows the keys.
    #[must_use]
    pub fn deterministic(seed: u64) -> Self {
        let blocks = AtomicU64::new(0);
        Self(Arc::new(move |bytes| {
            for chunk in bytes.chunks_mut(digest::SHA256_OUTPUT_LEN) {
                let block = blocks.fetch_add(1, Ordering::Relaxed);
                let mut input = [0; 16];
                input[..8].copy_from_slice(&seed.to_be_bytes());
                input[8..].copy_from_slice(&block.to_be_bytes());
                let hashed = digest::digest(&digest::SHA256, &input);
                chunk.copy_from_slice(&hashed.as_ref()[..chunk.len()]);
            }
            Ok(())
        }))
    }

    /// Fills `bytes`.
    ///
    /// # Errors
    /// [`Exhausted`] where the system refuses.
    pub fn fill(&self, bytes: &mut [u8]) -> Result<(), Exhausted> {
        (self.0)(bytes)
    }

    /// `N` random bytes.
    pub(super) fn array<const N: usize>(&self) -> Result<[u8; N], Exhausted> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// A version 4 UUID in lower case, as KMS writes key ids and request ids.
    pub(super) fn uuid(&self) -> Result<String, Exhausted> {
        let mut bytes: [u8; 16] = self.array()?;
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let mut text = String::with_capacity(36);
        for (index, byte) in bytes.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            super::hex::push(&mut text, *byte);
        }
        Ok(text)
    }
}

impl Default for Randomness {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Randomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Randomness")
    }
}
