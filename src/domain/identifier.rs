//! How a request names a key: key id, key ARN, alias name or alias ARN, and where an ARN points.
//!
//! An identifier goes to the service as the user chose it (the condition key `kms:RequestAlias`
//! holds for aliases alone), so nothing here rewrites one.

/// The four forms that KMS takes as `KeyId`, and the rest (KMS API: key identifiers).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentifierKind {
    KeyId,
    KeyArn,
    AliasName,
    AliasArn,
    /// None of the four. The service may still know better.
    Other,
}

impl IdentifierKind {
    /// What form the text has. Form only: whether such a key exists is the service's to say.
    #[must_use]
    pub fn of(text: &str) -> Self {
        if let Some(arn) = Arn::parse(text) {
            return if arn.resource.starts_with("key/") {
                Self::KeyArn
            } else if arn.resource.starts_with("alias/") {
                Self::AliasArn
            } else {
                Self::Other
            };
        }
        if text.starts_with("alias/") {
            Self::AliasName
        } else if is_key_id(text) {
            Self::KeyId
        } else {
            Self::Other
        }
    }

    /// The field's word for the form.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::KeyId => "key id",
            Self::KeyArn => "key ARN",
            Self::AliasName => "alias",
            Self::AliasArn => "alias ARN",
            Self::Other => "identifier",
        }
    }
}

/// Whether the text has the shape of a key id: a UUID, or `mrk-` and 32 hex digits.
#[must_use]
pub fn is_key_id(text: &str) -> bool {
    let is_hex = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some(rest) = text.strip_prefix("mrk-") {
        return rest.len() == 32 && is_hex(rest);
    }
    let groups: Vec<&str> = text.split('-').collect();
    groups.len() == 5
        && groups.iter().zip([8, 4, 4, 4, 12]).all(|(group, length)| group.len() == length && is_hex(group))
}

/// The parts of an ARN of KMS: `arn:PARTITION:kms:REGION:ACCOUNT:RESOURCE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    pub partition: &'a str,
    pub region: &'a str,
    pub account: &'a str,
    /// `key/KEY_ID` or `alias/NAME`.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// `None` where the text is no ARN of KMS.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let (arn, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
        (arn == "arn" && service == "kms").then_some(Self { partition, region, account, resource })
    }

    /// The key id, or the alias name with its `alias/`.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.resource.strip_prefix("key/").unwrap_or(self.resource)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_known_by_its_shape() {
        use IdentifierKind::{AliasArn, AliasName, KeyArn, KeyId, Other};
        for (text, kind) in [
            ("1234abcd-12ab-34cd-56ef-1234567890ab", KeyId),
            ("1234ABCD-12AB-34CD-56EF-1234567890AB", KeyId),
            ("mrk-1234abcd12ab34cd56ef1234567890ab", KeyId),
            ("mrk-1234", Other),
            ("1234abcd12ab34cd56ef1234567890ab", Other),
            ("alias/demo/orders", AliasName),
            ("demo/orders", Other),
            ("arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", KeyArn),
            ("arn:aws-cn:kms:cn-north-1:111122223333:alias/x", AliasArn),
            ("arn:aws:s3:::bucket", Other),
            ("", Other),
        ] {
            assert_eq!(IdentifierKind::of(text), kind, "{text}");
        }
    }

    #[test]
    fn an_arn_tells_its_region_account_and_name() {
        let arn = Arn::parse("arn:aws:kms:eu-west-1:111122223333:alias/a/b").unwrap();
        assert_eq!((arn.region, arn.account, arn.name()), ("eu-west-1", "111122223333", "alias/a/b"));
        assert_eq!(Arn::parse("arn:aws:kms:eu-west-1"), None);
    }
}
