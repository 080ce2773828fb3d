//! Key policies as documents: the default one, what makes one acceptable, and how the service writes
//! them. Nothing evaluates them here: every caller is the account's own user.
//!
//! It must know nothing of keys or requests.

use std::io;

use serde::Serialize as _;
use serde_json::ser::{Formatter, Serializer};
use serde_json::{Value, json};

use super::ACCOUNT;
use super::error::KmsError;
use super::identifier::Place;

/// Bytes. KMS API: Resource quotas, key policy document size.
pub(super) const MOST_BYTES: usize = 32 << 10;

const NEVER_AGAIN: &str = "The new key policy will not allow you to update the key policy in the future.";

/// The policy that a key has which was created without one: it leaves everything to IAM. KMS API:
/// Default key policy.
pub(super) fn default_policy(place: &Place) -> String {
    json!({
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [{
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": { "AWS": place.account_arn() },
            "Action": "kms:*",
            "Resource": "*",
        }],
    })
    .to_string()
}

/// Checks a policy that a key is to have.
///
/// The words for a document that is out of form are not recorded, those for a policy that locks
/// everybody out are.
///
/// # Errors
/// `LimitExceededException` where it is too long, `MalformedPolicyDocumentException` where it is no
/// policy, or one that nobody could change again and `bypass_lockout_check` is not set.
pub(super) fn check(
    text: &str,
    caller: &str,
    place: &Place,
    bypass_lockout_check: bool,
) -> Result<(), KmsError> {
    if text.len() > MOST_BYTES {
        return Err(KmsError::client(
            "LimitExceededException",
            format!("The key policy is larger than {MOST_BYTES} bytes."),
        ));
    }
    let malformed = |message: &str| KmsError::client("MalformedPolicyDocumentException", message);
    let policy: Value =
        serde_json::from_str(text).map_err(|_| malformed("The key policy is not valid JSON."))?;
    if !matches!(policy["Version"].as_str(), Some("2012-10-17" | "2008-10-17")) {
        return Err(malformed("The key policy has no valid Version."));
    }
    let statements = match &policy["Statement"] {
        Value::Array(statements) => statements.as_slice(),
        statement @ Value::Object(_) => std::slice::from_ref(statement),
        _ => return Err(malformed("The key policy has no Statement.")),
    };
    for statement in statements {
        let has = |names: &[&str]| names.iter().any(|name| !statement[*name].is_null());
        if !matches!(statement["Effect"].as_str(), Some("Allow" | "Deny")) {
            return Err(malformed("A statement of the key policy has no valid Effect."));
        }
        for names in [["Principal", "NotPrincipal"], ["Action", "NotAction"], ["Resource", "NotResource"]] {
            if !has(&names) {
                let message = format!("A statement of the key policy has no {}.", names[0]);
                return Err(malformed(&message));
            }
        }
    }
    if bypass_lockout_check || statements.iter().any(|statement| lets_change(statement, caller, place)) {
        return Ok(());
    }
    Err(malformed(NEVER_AGAIN))
}

/// Whether a statement lets `caller`, or the account as a whole, change the policy.
fn lets_change(statement: &Value, caller: &str, place: &Place) -> bool {
    let root = place.account_arn();
    let ours = |principal: &str| ["*", ACCOUNT, &root, caller].contains(&principal);
    let principal = &statement["Principal"];
    let principals = texts(if principal.is_object() { &principal["AWS"] } else { principal });
    let named = |actions: &str| {
        let mut actions = texts(&statement[actions]).into_iter();
        actions.any(|action| matches(action.to_ascii_lowercase().as_bytes(), b"kms:putkeypolicy"))
    };
    let allowed = named("Action") || (!statement["NotAction"].is_null() && !named("NotAction"));
    statement["Effect"] == "Allow" && principals.iter().any(|principal| ours(principal)) && allowed
}

/// A text, or a list of texts.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Whether a pattern with `*` and `?` takes all of `text`. IAM: wildcards in `Action`.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut in_text) = (0, 0);
    // Where the last star is, and what it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while in_text < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, in_text));
                at += 1;
            }
            Some(wanted) if *wanted == b'?' || *wanted == text[in_text] => {
                at += 1;
                in_text += 1;
            }
            _ => {
                let Some((star_at, taken)) = star else {
                    return false;
                };
                star = Some((star_at, taken + 1));
                at = star_at + 1;
                in_text = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|rest| *rest == b'*')
}

/// A document as the service writes it: a member a line, ` : ` between name and value, lists on one
/// line. Recorded from the service.
pub(super) fn written(text: &str) -> Option<String> {
    let document: Value = serde_json::from_str(text).ok()?;
    let mut bytes = Vec::new();
    document.serialize(&mut Serializer::with_formatter(&mut bytes, ServiceStyle::default())).ok()?;
    String::from_utf8(bytes).ok()
}

#[derive(Default)]
struct ServiceStyle {
    depth: usize,
    object_is_empty: bool,
}

impl ServiceStyle {
    fn line<W: ?Sized + io::Write>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| writer.write_all(b"  "))
    }
}

impl Formatter for ServiceStyle {
    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        self.object_is_empty = true;
        writer.write_all(b"{")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        if self.object_is_empty {
            writer.write_all(b" ")?;
        } else {
            self.line(writer)?;
        }
        self.object_is_empty = false;
        writer.write_all(b"}")
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.object_is_empty = false;
        if !first {
            writer.write_all(b",")?;
        }
        self.line(writer)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b" : ")
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        writer.write_all(if first { b" " } else { b", " })
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b" ]")
    }
}
