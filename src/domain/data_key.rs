//! The answer of `GenerateDataKeyWithoutPlaintext`.

use base64::Engine as _;
use serde::Serialize;

/// An encrypted data key, as the service answered. There is no plaintext in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DataKey {
    /// Standard Base64 with padding.
    pub ciphertext_blob: String,
    /// The key ARN, whatever the request named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// 64 hex digits, where the endpoint tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_material_id: Option<String>,
    /// Bytes of the blob.
    #[serde(skip)]
    pub length: usize,
    #[serde(skip)]
    pub request_id: Option<String>,
}

impl DataKey {
    /// A data key of these ciphertext bytes.
    #[must_use]
    pub fn of_blob(blob: &[u8]) -> Self {
        Self {
            ciphertext_blob: base64::engine::general_purpose::STANDARD.encode(blob),
            key_id: None,
            key_material_id: None,
            length: blob.len(),
            request_id: None,
        }
    }

    /// Whether the blob is one of the local KMS's, which no AWS key opens.
    #[must_use]
    pub fn is_local(&self) -> bool {
        // "LOCALKMS" in Base64, as far as its last character depends on nothing after it.
        self.ciphertext_blob.starts_with("TE9DQUxLTV")
    }
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    DataKey(DataKey),
    /// A dry run, and the service says that the request would have succeeded.
    WouldSucceed {
        request_id: Option<String>,
    },
}
