//! What there is to read about one key beside DescribeKey: its policy, tags, grants, rotation, public
//! key, last use, and the custom key store that it lives in.
//!
//! Plain data in AWS's terms, kept as it came. As JSON every type has AWS's spelling, members that
//! nobody told are left out, and dates are in the AWS CLI's form. In words: [`words`].

pub mod words;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::ser::{SerializeMap as _, Serializer};
use serde::{Serialize, ser};

use super::abilities::KeyFacts;
use super::failure::Failure;
use super::time::iso_8601;

/// A part of what can be read about a key, each by a call of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aspect {
    Policy,
    Tags,
    Grants,
    Rotation,
    PublicKey,
    LastUsage,
    CustomKeyStore,
}

impl Aspect {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 7] = [
        Self::Policy,
        Self::Tags,
        Self::Grants,
        Self::Rotation,
        Self::PublicKey,
        Self::LastUsage,
        Self::CustomKeyStore,
    ];

    /// The member of a key's JSON that holds it.
    #[must_use]
    pub const fn member(self) -> &'static str {
        match self {
            Self::Policy => "Policy",
            Self::Tags => "Tags",
            Self::Grants => "Grants",
            Self::Rotation => "Rotation",
            Self::PublicKey => "PublicKey",
            Self::LastUsage => "LastUsage",
            Self::CustomKeyStore => "CustomKeyStore",
        }
    }

    /// As a title.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::PublicKey => "Public key",
            Self::LastUsage => "Last use",
            Self::CustomKeyStore => "Custom key store",
            other => other.member(),
        }
    }

    /// Whether keys like this one have it. Where the facts do not tell, the service is to say.
    #[must_use]
    pub fn applies_to(self, facts: &KeyFacts<'_>) -> bool {
        match self {
            Self::Policy | Self::Tags | Self::Grants | Self::LastUsage => true,
            Self::Rotation => facts.rotates().unwrap_or(true),
            Self::PublicKey => facts.is_asymmetric().unwrap_or(true),
            Self::CustomKeyStore => facts.in_custom_key_store(),
        }
    }
}

/// What one aspect brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Detail {
    Policy(KeyPolicy),
    Tags(Vec<Tag>),
    Grants(Vec<Grant>),
    Rotation(Rotation),
    PublicKey(PublicKey),
    LastUsage(LastUsage),
    CustomKeyStore(CustomKeyStore),
}

impl Detail {
    /// Which aspect it is of.
    #[must_use]
    pub const fn aspect(&self) -> Aspect {
        match self {
            Self::Policy(_) => Aspect::Policy,
            Self::Tags(_) => Aspect::Tags,
            Self::Grants(_) => Aspect::Grants,
            Self::Rotation(_) => Aspect::Rotation,
            Self::PublicKey(_) => Aspect::PublicKey,
            Self::LastUsage(_) => Aspect::LastUsage,
            Self::CustomKeyStore(_) => Aspect::CustomKeyStore,
        }
    }
}

/// KMS API: `GetKeyPolicy`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyPolicy {
    /// The document as it came: JSON, if the endpoint is honest.
    pub policy: String,
    /// `default`, the only name that a policy of a key's own has.
    pub policy_name: String,
}

/// KMS API: `Tag`. Neither member has a pattern: they may hold any character.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    pub tag_key: String,
    pub tag_value: String,
}

/// KMS API: `GrantListEntry`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Grant {
    /// 64 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<String>,
    /// Absent or empty where the grant was given none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "iso_8601")]
    pub creation_date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grantee_principal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grantee_service_principal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retiring_principal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retiring_service_principal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuing_account: Option<String>,
    pub operations: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraints: Option<GrantConstraints>,
}

impl Grant {
    /// Who may use the key by it: a principal, or a service.
    #[must_use]
    pub fn grantee(&self) -> Option<&str> {
        self.grantee_principal.as_deref().or(self.grantee_service_principal.as_deref())
    }

    /// Who may retire it.
    #[must_use]
    pub fn retiring(&self) -> Option<&str> {
        self.retiring_principal.as_deref().or(self.retiring_service_principal.as_deref())
    }
}

/// KMS API: `GrantConstraints`. Names and values are in the order of the names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GrantConstraints {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_context_subset: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_context_equals: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_arn: Option<String>,
}

/// Status and history of a key's rotation. They are two calls, and each may be refused for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    pub status: Result<RotationStatus, Failure>,
    /// Every key material that the key has or had, in the service's order.
    pub history: Result<Vec<KeyRotation>, Failure>,
}

/// KMS API: `GetKeyRotationStatus`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RotationStatus {
    #[serde(rename = "KeyRotationEnabled")]
    pub enabled: bool,
    #[serde(rename = "RotationPeriodInDays", skip_serializing_if = "Option::is_none")]
    pub period_in_days: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "iso_8601")]
    pub next_rotation_date: Option<Timestamp>,
    /// Only while an on-demand rotation is under way.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "iso_8601")]
    pub on_demand_rotation_start_date: Option<Timestamp>,
}

/// KMS API: `RotationsListEntry`, with `ALL_KEY_MATERIAL`: the first material has no rotation date.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyRotation {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_material_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_material_description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub import_state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_material_state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration_model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "iso_8601")]
    pub valid_to: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "iso_8601")]
    pub rotation_date: Option<Timestamp>,
    /// `AUTOMATIC` or `ON_DEMAND`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation_type: Option<String>,
}

/// The status' members, and the history as `Rotations`; `Error` in place of what was refused.
impl Serialize for Rotation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Members<'a, Status: Serialize> {
            #[serde(flatten)]
            status: Status,
            rotations: Told<'a, Vec<KeyRotation>>,
        }
        let rotations = Told(&self.history);
        match &self.status {
            Ok(status) => Members { status, rotations }.serialize(serializer),
            Err(failure) => Members { status: Refusal(failure), rotations }.serialize(serializer),
        }
    }
}

/// KMS API: `GetPublicKey`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PublicKey {
    /// X.509 `SubjectPublicKeyInfo` in DER; Base64 in JSON.
    #[serde(rename = "PublicKey", serialize_with = "base64")]
    pub der: Vec<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_spec: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_usage: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub encryption_algorithms: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signing_algorithms: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key_agreement_algorithms: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub encapsulation_algorithms: Vec<String>,
}

impl PublicKey {
    /// Characters of Base64 in a line of PEM (RFC 7468).
    const PEM_COLUMNS: usize = 64;

    /// The key as PEM, every line with its line feed.
    #[must_use]
    pub fn pem(&self) -> String {
        let base64 = STANDARD.encode(&self.der);
        let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
        let mut rest = base64.as_str();
        while !rest.is_empty() {
            // Base64 is ASCII: every place is between two characters.
            let (line, after) = rest.split_at(rest.len().min(Self::PEM_COLUMNS));
            pem.push_str(line);
            pem.push('\n');
            rest = after;
        }
        pem.push_str("-----END PUBLIC KEY-----\n");
        pem
    }

    /// What it can be used with, of whatever kind.
    #[must_use]
    pub fn algorithms(&self) -> Vec<&str> {
        [
            &self.encryption_algorithms,
            &self.signing_algorithms,
            &self.key_agreement_algorithms,
            &self.encapsulation_algorithms,
        ]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect()
    }
}

/// KMS API: `GetKeyLastUsage`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LastUsage {
    /// `None` where the key was not used since [`tracking_start_date`](Self::tracking_start_date).
    #[serde(rename = "KeyLastUsage", serialize_with = "use_or_empty")]
    pub last: Option<KeyUse>,
    /// The service knows of nothing before this.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "iso_8601")]
    pub tracking_start_date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "iso_8601")]
    pub key_creation_date: Option<Timestamp>,
}

/// KMS API: `KeyLastUsageData`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyUse {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "iso_8601")]
    pub timestamp: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_trail_event_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_request_id: Option<String>,
}

/// KMS API: `CustomKeyStoresListEntry`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CustomKeyStore {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_key_store_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_key_store_name: Option<String>,
    /// `AWS_CLOUDHSM` or `EXTERNAL_KEY_STORE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_key_store_type: Option<String>,
    /// `CONNECTED`, `CONNECTING`, `FAILED`, `DISCONNECTED`, `DISCONNECTING`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_state: Option<String>,
    /// Why connecting failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_error_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "iso_8601")]
    pub creation_date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_hsm_cluster_id: Option<String>,
    /// PEM, of the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust_anchor_certificate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_proxy_configuration: Option<XksProxyConfiguration>,
}

/// KMS API: `XksProxyConfigurationType`, without the access key id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct XksProxyConfiguration {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connectivity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpc_endpoint_service_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpc_endpoint_service_owner: Option<String>,
}

/// What was told, or [`Refusal`], as JSON.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a, T>(pub &'a Result<T, Failure>);

impl<T: Serialize> Serialize for Told<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Ok(told) => told.serialize(serializer),
            Err(failure) => Refusal(failure).serialize(serializer),
        }
    }
}

/// A failure as JSON: `{"Error": {"Code": …, "Message": …}}`. The code is null where the service did
/// not answer.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a>(pub &'a Failure);

impl Serialize for Refusal<'_> {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Words<'a> {
            code: Option<&'a str>,
            message: &'a str,
        }
        let Self(failure) = self;
        let message = failure.message.as_deref().unwrap_or(&failure.sentence);
        let mut members = serializer.serialize_map(Some(1))?;
        members.serialize_entry("Error", &Words { code: failure.code.as_deref(), message })?;
        members.end()
    }
}

fn base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

/// `{}` for never, as the service puts it.
#[expect(clippy::ref_option, reason = "serde passes a field by reference")]
fn use_or_empty<S: Serializer>(last: &Option<KeyUse>, serializer: S) -> Result<S::Ok, S::Error> {
    match last {
        Some(last) => last.serialize(serializer),
        None => KeyUse::default().serialize(serializer),
    }
}

#[cfg(test)]
mod tests;
