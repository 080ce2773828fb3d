//! The markers of listings: where the next page begins, signed so that a made-up or misplaced one is
//! refused. KMS API: "Do not attempt to construct this value."
//!
//! It must not know what is listed.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::KmsError;

const SIGNATURE_LEN: usize = 16;

/// Issues markers and reads them. Those of a store stay good for as long as it lives.
pub(super) struct Markers(hmac::Key);

impl Markers {
    pub(super) fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// A marker for what comes after `last` in the listing that `scope` describes: the operation,
    /// the region, and the filter.
    pub(super) fn issue(&self, scope: &[&str], last: &str) -> String {
        let mut bytes = self.signature(scope, last.as_bytes()).to_vec();
        bytes.extend_from_slice(last.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What `marker` comes after.
    ///
    /// # Errors
    /// `InvalidMarkerException` where it was not issued here for this very listing. AWS's words for
    /// it are not recorded.
    pub(super) fn read(&self, scope: &[&str], marker: &str) -> Result<String, KmsError> {
        let read = || {
            let bytes = URL_SAFE_NO_PAD.decode(marker).ok()?;
            let (signature, last) = bytes.split_at_checked(SIGNATURE_LEN)?;
            verify_slices_are_equal(signature, &self.signature(scope, last)).ok()?;
            String::from_utf8(last.to_vec()).ok()
        };
        read().ok_or_else(|| KmsError::client("InvalidMarkerException", "Invalid marker."))
    }

    fn signature(&self, scope: &[&str], last: &[u8]) -> [u8; SIGNATURE_LEN] {
        let mut input = hmac::Context::with_key(&self.0);
        for part in scope {
            // No part contains a zero byte, so the parts cannot run into one another.
            input.update(part.as_bytes());
            input.update(&[0]);
        }
        input.update(last);
        let mut signature = [0; SIGNATURE_LEN];
        signature.copy_from_slice(&input.sign().as_ref()[..SIGNATURE_LEN]);
        signature
    }
}
