//! The errors that the local KMS answers with: AWS's codes, words and HTTP statuses, and the JSON
//! that carries them. KMS API: Common errors, and the errors of each operation.
//!
//! It must not decide when an error is due: that is the operations' business.

use serde_json::{Map, Value};

use super::randomness::Exhausted;
use super::store::StoreError;

/// An error as the service says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KmsError {
    code: &'static str,
    status: u16,
    message: Option<String>,
}

impl KmsError {
    /// An error that blames the request: HTTP 400.
    pub(super) fn client(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, status: 400, message: Some(message.into()) }
    }

    /// An error that blames the request and says no more than its code.
    pub(super) fn silent(code: &'static str) -> Self {
        Self { code, status: 400, message: None }
    }

    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::client("ValidationException", message)
    }

    /// The body is no JSON object, or a member has another type than the model gives it.
    pub(super) fn serialization(message: impl Into<String>) -> Self {
        Self::client("SerializationException", message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::client("NotFoundException", message)
    }

    pub(super) fn invalid_state(message: impl Into<String>) -> Self {
        Self::client("KMSInvalidStateException", message)
    }

    pub(super) fn invalid_key_usage(message: impl Into<String>) -> Self {
        Self::client("InvalidKeyUsageException", message)
    }

    pub(super) fn access_denied(message: impl Into<String>) -> Self {
        Self::client("AccessDeniedException", message)
    }

    pub(super) fn limit_exceeded(message: impl Into<String>) -> Self {
        Self::client("LimitExceededException", message)
    }

    /// KMS API: `UnsupportedOperationException`.
    pub(super) fn unsupported(message: impl Into<String>) -> Self {
        Self::client("UnsupportedOperationException", message)
    }

    /// A key of this kind cannot do that; the service says no more than the code.
    pub(super) fn unsupported_by_key() -> Self {
        Self::silent("UnsupportedOperationException")
    }

    /// Every way in which a ciphertext fails to open, on purpose without a word that tells them
    /// apart. KMS API: Decrypt, `InvalidCiphertextException`.
    pub(super) fn invalid_ciphertext() -> Self {
        Self::silent("InvalidCiphertextException")
    }

    /// Everything was in order, and `DryRun` was set. KMS API: Testing your permissions.
    pub(super) fn dry_run() -> Self {
        Self::client(
            "DryRunOperationException",
            "The request would have succeeded, but the DryRun option is set.",
        )
    }

    /// KMS API: Throttling AWS KMS requests.
    pub(super) fn throttled() -> Self {
        Self::client(
            "ThrottlingException",
            "You have exceeded the rate at which you may call KMS. \
             Reduce the frequency of your calls.",
        )
    }

    /// An error that blames the service: HTTP 500.
    pub(super) fn internal() -> Self {
        Self {
            code: "KMSInternalException",
            status: 500,
            message: Some("An internal error occurred. The request can be retried.".to_owned()),
        }
    }

    /// An error that blames the HTTP around a request, with a status of its own.
    pub(super) fn transport(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { code, status, message: Some(message.into()) }
    }

    /// HTTP status.
    pub(super) fn status(&self) -> u16 {
        self.status
    }

    /// The JSON body: `__type`, and the message where there is one. `AccessDeniedException` and
    /// `SerializationException` spell the member `Message`, all others `message`.
    pub(super) fn body(&self) -> Vec<u8> {
        let mut body = Map::new();
        body.insert("__type".to_owned(), Value::from(self.code));
        if let Some(message) = &self.message {
            let member = match self.code {
                "AccessDeniedException" | "SerializationException" => "Message",
                _ => "message",
            };
            body.insert(member.to_owned(), Value::from(message.as_str()));
        }
        Value::Object(body).to_string().into_bytes()
    }
}

/// What the store could not do is the service's fault. Of the reasons only those of the disk are told:
/// they are for the person whose disk it is, and name no path.
impl From<StoreError> for KmsError {
    fn from(error: StoreError) -> Self {
        let message = match &error {
            StoreError::Disk(reason) => {
                format!("The local KMS cannot use its store: {reason}. Nothing that it acknowledged is lost.")
            }
            StoreError::NotReopened(_) => "The local KMS cannot use its store, since the disk failed: make \
                                           room or mend it, and send the request again."
                .to_owned(),
            StoreError::Database(_) | StoreError::Record(_) | StoreError::Missing(_) => {
                return Self::internal();
            }
        };
        Self { message: Some(message), ..Self::internal() }
    }
}

impl From<Exhausted> for KmsError {
    fn from(_: Exhausted) -> Self {
        Self::internal()
    }
}
