//! What a request and an answer are to the local KMS, whichever way they travel: in-process as the
//! SDK's transport, or over a socket. AWS JSON 1.1, Signature Version 4.
//!
//! It must know no operation, and it verifies no signature: whoever can reach the local KMS may use
//! it. The signature's credential scope is read for the region alone.

use std::fmt;

use bytes::Bytes;
use zeroize::Zeroizing;

use super::error::KmsError;

/// What every target begins with. KMS API: the service's target prefix.
const TARGET_PREFIX: &str = "TrentService.";

/// The parts of an HTTP request that the service looks at.
#[derive(Clone, Default)]
pub(super) struct Request {
    /// The header `X-Amz-Target`, as it came.
    pub target: Option<String>,
    /// The header `Authorization`, as it came.
    pub authorization: Option<String>,
    /// The body, as it came. It may hold a plaintext.
    pub body: Zeroizing<Vec<u8>>,
}

impl Request {
    /// The operation's name, as the caller spelled it.
    pub(super) fn operation(&self) -> Option<&str> {
        self.target.as_deref()?.strip_prefix(TARGET_PREFIX)
    }

    /// The region that the request was signed for.
    ///
    /// # Errors
    /// `MissingAuthenticationTokenException` without the header, `IncompleteSignatureException`
    /// where it has no credential scope, `InvalidSignatureException` for another service's scope.
    pub(super) fn region(&self) -> Result<&str, KmsError> {
        let Some(header) = &self.authorization else {
            return Err(KmsError::client(
                "MissingAuthenticationTokenException",
                "Missing Authentication Token",
            ));
        };
        let scope = header.split([' ', ',']).find_map(|part| part.strip_prefix("Credential=")).and_then(
            |credential| {
                // An access key id has no slash, so the scope is the last four of five parts.
                let parts: Vec<&str> = credential.split('/').collect();
                match parts.as_slice() {
                    [_, _, region, service, "aws4_request"] if !region.is_empty() => {
                        Some((*region, *service))
                    }
                    _ => None,
                }
            },
        );
        match scope {
            Some((region, "kms")) => Ok(region),
            Some(_) => Err(KmsError::client(
                "InvalidSignatureException",
                "Credential should be scoped to correct service: 'kms'.",
            )),
            None => Err(KmsError::client(
                "IncompleteSignatureException",
                "Authorization header requires 'Credential' parameter with the scope \
                 date/region/kms/aws4_request.",
            )),
        }
    }
}

/// An answer of the local KMS. Its content type is `application/x-amz-json-1.1` always.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// The header `x-amzn-RequestId`: a UUID.
    pub request_id: String,
    /// JSON, or nothing. It may hold a plaintext.
    pub body: Zeroizing<Vec<u8>>,
}

/// Says nothing of the body, which may hold a plaintext.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("request_id", &self.request_id)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

impl Response {
    /// The body for a transport, not copied, and wiped when the last reference to it is gone.
    pub(super) fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self.body)
    }
}

/// The content type of every answer.
pub(super) const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
