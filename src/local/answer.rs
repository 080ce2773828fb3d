//! What an operation answers: the members of a JSON object, or nothing at all. A plaintext among them
//! never becomes part of a JSON value: it goes straight into the body, which is wiped.
//!
//! It must not know what an operation means.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// An answer without an error.
pub(super) struct Answer {
    members: Option<Map<String, Value>>,
    secret: Option<(&'static str, Zeroizing<Vec<u8>>)>,
}

impl Answer {
    /// HTTP 200 without a body, as the operations answer that change something and return nothing.
    pub(super) fn empty() -> Self {
        Self { members: None, secret: None }
    }

    /// Members beside a secret one, whose bytes the body holds in Base64.
    pub(super) fn with_secret(members: Value, name: &'static str, bytes: Zeroizing<Vec<u8>>) -> Self {
        Self { secret: Some((name, bytes)), ..Self::from(members) }
    }

    /// The body.
    pub(super) fn into_body(self) -> Zeroizing<Vec<u8>> {
        let Some(members) = self.members else {
            return Zeroizing::default();
        };
        let mut body = Zeroizing::new(Value::Object(members).to_string().into_bytes());
        if let Some((name, bytes)) = self.secret {
            // All the room is there before the secret is: no copy of it is left behind.
            body.reserve_exact(bytes.len().div_ceil(3) * 4 + name.len() + 8);
            let separator = if body.as_slice() == b"{}" { "" } else { "," };
            body.pop();
            body.extend_from_slice(format!("{separator}\"{name}\":\"").as_bytes());
            let encoded = Zeroizing::new(STANDARD.encode(&*bytes));
            body.extend_from_slice(encoded.as_bytes());
            body.extend_from_slice(b"\"}");
        }
        body
    }
}

/// The members of a JSON object.
impl From<Value> for Answer {
    fn from(value: Value) -> Self {
        let members = match value {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        Self { members: Some(members), secret: None }
    }
}
