//! The names of keys and aliases: key ids, key ARNs, alias names, alias ARNs, and what each means in
//! the region that a request was signed for. KMS API: Key identifiers (`KeyId`).
//!
//! It must not look anything up: whether a name names something is the store's to know.

use super::ACCOUNT;
use super::error::KmsError;

/// Where a request arrived: the one account, and the region that it was signed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub region: String,
}

impl Place {
    pub(super) fn new(region: &str) -> Self {
        Self { region: region.to_owned() }
    }

    /// The ARN of the key with that id here.
    pub(super) fn key_arn(&self, key_id: &str) -> String {
        self.arn("key/", key_id)
    }

    /// The ARN of the alias of that name (`alias/…`) here.
    pub(super) fn alias_arn(&self, alias_name: &str) -> String {
        self.arn("", alias_name)
    }

    /// The ARN of the account as a principal, in the partition that this place belongs to.
    pub(super) fn account_arn(&self) -> String {
        format!("arn:{}:iam::{ACCOUNT}:root", partition(&self.region))
    }

    fn arn(&self, kind: &str, name: &str) -> String {
        let region = &self.region;
        format!("arn:{}:kms:{region}:{ACCOUNT}:{kind}{name}", partition(region))
    }
}

/// What a `KeyId` of a request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identifier<'a> {
    /// A key id: a UUID, or `mrk-` and 32 hexadecimal digits.
    Key(&'a str),
    /// An alias name, `alias/` included.
    Alias(&'a str),
}

/// Why a `KeyId` names nothing here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unnameable {
    /// The request is at fault, in AWS's words.
    Refused(KmsError),
    /// An ARN of another account, which is spelled well. It holds nothing that lets us in.
    OtherAccount,
}

impl<'a> Identifier<'a> {
    /// Reads a `KeyId`.
    ///
    /// Recorded from the service: a malformed id is quoted in the message when it stands alone and
    /// unquoted when it came in an ARN; of an ARN from another region the message names the region;
    /// the case of a UUID does not matter to its form. The words for text that begins like an ARN
    /// and is none are not recorded.
    pub(super) fn parse(text: &'a str, place: &Place) -> Result<Self, Unnameable> {
        if let Some(rest) = text.strip_prefix("arn:") {
            return Self::parse_arn(text, rest, place);
        }
        if text.starts_with("alias/") {
            return Ok(Self::Alias(text));
        }
        if is_key_id(text) {
            return Ok(Self::Key(text));
        }
        Err(Unnameable::Refused(KmsError::not_found(format!("Invalid keyId '{text}'"))))
    }

    fn parse_arn(text: &str, rest: &'a str, place: &Place) -> Result<Self, Unnameable> {
        let parts: Vec<&str> = rest.splitn(5, ':').collect();
        let [partition_name, "kms", region, account, resource] = parts.as_slice() else {
            return Err(not_an_arn(text));
        };
        if *region != place.region {
            return Err(Unnameable::Refused(KmsError::not_found(format!("Invalid arn {region}"))));
        }
        if *partition_name != partition(region) {
            return Err(not_an_arn(text));
        }
        let identifier = if resource.starts_with("alias/") {
            Self::Alias(resource)
        } else if let Some(key_id) = resource.strip_prefix("key/") {
            if !is_key_id(key_id) {
                return Err(Unnameable::Refused(KmsError::not_found(format!("Invalid keyId {key_id}"))));
            }
            Self::Key(key_id)
        } else {
            return Err(not_an_arn(text));
        };
        if *account == ACCOUNT { Ok(identifier) } else { Err(Unnameable::OtherAccount) }
    }
}

fn not_an_arn(text: &str) -> Unnameable {
    Unnameable::Refused(KmsError::client("InvalidArnException", format!("{text} is not a valid ARN")))
}

/// Whether `text` has the form of a key id, of either kind.
pub(super) fn is_key_id(text: &str) -> bool {
    if let Some(digits) = text.strip_prefix("mrk-") {
        return digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Whether `text` has the form of an alias name. KMS API: `CreateAlias`, `AliasName`.
pub(super) fn is_alias_name(text: &str) -> bool {
    text.len() <= 256
        && text.strip_prefix("alias/").is_some_and(|rest| {
            !rest.is_empty()
                && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_-".contains(&byte))
        })
}

/// The partition that a region belongs to, by the beginning of its name.
fn partition(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ if region.starts_with("us-isob-") => "aws-iso-b",
        _ if region.starts_with("us-iso-") => "aws-iso",
        _ if region.starts_with("eusc-") => "aws-eusc",
        _ => "aws",
    }
}
