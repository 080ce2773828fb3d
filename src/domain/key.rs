//! What KMS tells about a key, and what follows from it for a data key request.
//!
//! Names and spellings are AWS's (KMS API: KeyMetadata). A value that this program does not know
//! is kept as the service spelled it.

use jiff::Timestamp;
use serde::Serialize;

use super::time::iso_8601;

/// An enumeration of the service: the values we know, and any other as it came.
macro_rules! service_enum {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($variant,)+
            /// A value that this program does not know, as the service spelled it.
            Other(Box<str>),
        }

        impl $name {
            /// The values of the service model, in its order.
            pub const KNOWN: &'static [&'static str] = &[$($text),+];

            /// As the service spells it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    other => Self::Other(other.into()),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

service_enum! {
    /// KMS API: `KeyState`.
    KeyState {
        Creating = "Creating",
        Enabled = "Enabled",
        Disabled = "Disabled",
        PendingDeletion = "PendingDeletion",
        PendingImport = "PendingImport",
        PendingReplicaDeletion = "PendingReplicaDeletion",
        Unavailable = "Unavailable",
        Updating = "Updating",
    }
}

service_enum! {
    /// KMS API: `KeyUsageType`.
    KeyUsage {
        SignVerify = "SIGN_VERIFY",
        EncryptDecrypt = "ENCRYPT_DECRYPT",
        GenerateVerifyMac = "GENERATE_VERIFY_MAC",
        KeyAgreement = "KEY_AGREEMENT",
    }
}

service_enum! {
    /// KMS API: `OriginType`.
    Origin {
        AwsKms = "AWS_KMS",
        External = "EXTERNAL",
        AwsCloudHsm = "AWS_CLOUDHSM",
        ExternalKeyStore = "EXTERNAL_KEY_STORE",
    }
}

service_enum! {
    /// KMS API: `KeyManagerType`.
    KeyManager {
        Aws = "AWS",
        Customer = "CUSTOMER",
    }
}

impl KeyState {
    /// A sign for the state, so that colour is not needed to tell it.
    #[must_use]
    pub const fn glyph(&self) -> &'static str {
        match self {
            Self::Enabled => "●",
            Self::Disabled => "○",
            Self::PendingDeletion | Self::PendingReplicaDeletion => "✕",
            Self::PendingImport => "◇",
            Self::Creating | Self::Updating => "◌",
            Self::Unavailable => "!",
            Self::Other(_) => "?",
        }
    }

    /// The words that the state column shows.
    #[must_use]
    pub fn words(&self) -> &str {
        match self {
            Self::PendingDeletion => "Pending deletion",
            Self::PendingImport => "Pending import",
            Self::PendingReplicaDeletion => "Awaits replicas",
            other => other.as_str(),
        }
    }
}

impl KeyUsage {
    /// In words, as the key list shows it.
    #[must_use]
    pub fn words(&self) -> &str {
        match self {
            Self::SignVerify => "sign/verify",
            Self::EncryptDecrypt => "encrypt/decrypt",
            Self::GenerateVerifyMac => "MAC",
            Self::KeyAgreement => "key agreement",
            Self::Other(text) => text,
        }
    }

    /// One word, for a narrow list.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::SignVerify => "sign",
            Self::EncryptDecrypt => "encrypt",
            Self::GenerateVerifyMac => "MAC",
            Self::KeyAgreement => "agree",
            Self::Other(text) => text,
        }
    }
}

impl KeyManager {
    /// As the key list shows it.
    #[must_use]
    pub fn words(&self) -> &str {
        match self {
            Self::Aws => "AWS",
            Self::Customer => "customer",
            Self::Other(text) => text,
        }
    }
}

/// What DescribeKey told about a key. Members that it left out are `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyMetadata {
    #[serde(rename = "AWSAccountId", skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    pub key_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "iso_8601")]
    pub creation_date: Option<Timestamp>,
    pub enabled: bool,
    pub description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_usage: Option<KeyUsage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_state: Option<KeyState>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "iso_8601")]
    pub deletion_date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "iso_8601")]
    pub valid_to: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_key_store_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_hsm_cluster_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration_model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_manager: Option<KeyManager>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_master_key_spec: Option<String>,
    /// KMS API: `KeySpec`, as spelled: `SYMMETRIC_DEFAULT`, `RSA_2048`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_spec: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub encryption_algorithms: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signing_algorithms: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key_agreement_algorithms: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multi_region: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multi_region_configuration: Option<MultiRegionConfiguration>,
    /// Days, only while replicas are waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_deletion_window_in_days: Option<i32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mac_algorithms: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_key_configuration: Option<XksKeyConfiguration>,
    /// 64 hex digits; symmetric keys with material in KMS alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_key_material_id: Option<String>,
}

/// KMS API: `MultiRegionConfiguration`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MultiRegionConfiguration {
    /// `PRIMARY` or `REPLICA`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multi_region_key_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_key: Option<MultiRegionKey>,
    pub replica_keys: Vec<MultiRegionKey>,
}

/// KMS API: `MultiRegionKey`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MultiRegionKey {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// KMS API: `XksKeyConfigurationType`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct XksKeyConfiguration {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl KeyMetadata {
    /// Metadata that says nothing but the key's id, which is all that the service promises.
    #[must_use]
    pub fn bare(key_id: &str) -> Self {
        Self {
            account: None,
            key_id: key_id.to_owned(),
            arn: None,
            creation_date: None,
            enabled: false,
            description: String::new(),
            key_usage: None,
            key_state: None,
            deletion_date: None,
            valid_to: None,
            origin: None,
            custom_key_store_id: None,
            cloud_hsm_cluster_id: None,
            expiration_model: None,
            key_manager: None,
            customer_master_key_spec: None,
            key_spec: None,
            encryption_algorithms: Vec::new(),
            signing_algorithms: Vec::new(),
            key_agreement_algorithms: Vec::new(),
            multi_region: None,
            multi_region_configuration: None,
            pending_deletion_window_in_days: None,
            mac_algorithms: Vec::new(),
            xks_key_configuration: None,
            current_key_material_id: None,
        }
    }

    /// The spec, also where an old endpoint tells it under its deprecated name alone.
    #[must_use]
    pub fn spec(&self) -> Option<&str> {
        self.key_spec.as_deref().or(self.customer_master_key_spec.as_deref())
    }

    /// What the key has in common with many others.
    #[must_use]
    pub fn traits(&self) -> Traits {
        let multi_region = self.multi_region_configuration.as_ref();
        Traits {
            key_state: self.key_state.clone(),
            key_usage: self.key_usage.clone(),
            spec: self.spec().map(Into::into),
            origin: self.origin.clone(),
            key_manager: self.key_manager.clone(),
            multi_region: match multi_region.and_then(|it| it.multi_region_key_type.as_deref()) {
                Some("PRIMARY") => MultiRegionKind::Primary,
                Some("REPLICA") => MultiRegionKind::Replica,
                _ => MultiRegionKind::Single,
            },
            custom_key_store_id: self.custom_key_store_id.as_deref().map(Into::into),
        }
    }

    /// Why a data key request under this key will fail, or may: [`Traits::objections`].
    #[must_use]
    pub fn objections(&self) -> Vec<Objection> {
        self.traits().objections(&self.key_id)
    }
}

/// What many keys have in common: all of DescribeKey's answer that a list needs, but dates and
/// description.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Traits {
    pub key_state: Option<KeyState>,
    pub key_usage: Option<KeyUsage>,
    /// KMS API: `KeySpec`, as spelled.
    pub spec: Option<Box<str>>,
    pub origin: Option<Origin>,
    pub key_manager: Option<KeyManager>,
    pub multi_region: MultiRegionKind,
    pub custom_key_store_id: Option<Box<str>>,
}

/// What a key is among the keys of several regions that share its material (KMS API:
/// `MultiRegionKeyType`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MultiRegionKind {
    /// The key lives in one region, or nothing was told.
    #[default]
    Single,
    Primary,
    Replica,
}

impl Traits {
    /// Whether AWS manages the key.
    #[must_use]
    pub fn is_aws_managed(&self) -> bool {
        self.key_manager == Some(KeyManager::Aws)
    }

    /// Whether a customer manages the key.
    #[must_use]
    pub fn is_customer_managed(&self) -> bool {
        self.key_manager == Some(KeyManager::Customer)
    }

    /// Whether the key awaits its deletion, with or without a date.
    #[must_use]
    pub const fn is_pending_deletion(&self) -> bool {
        matches!(self.key_state, Some(KeyState::PendingDeletion | KeyState::PendingReplicaDeletion))
    }

    /// Whether automatic rotation can be turned on (KMS Developer Guide: rotating keys): symmetric
    /// keys whose material KMS makes.
    #[must_use]
    pub fn can_rotate(&self) -> bool {
        self.spec.as_deref() == Some("SYMMETRIC_DEFAULT")
            && matches!(self.origin, None | Some(Origin::AwsKms))
            && self.custom_key_store_id.is_none()
    }

    /// Why a data key request under this key will fail, or may: what is known before the call.
    ///
    /// The order is the service's own: usage, then state, then spec (KMS.md 2.1); who manages the
    /// key comes last. The call is never blocked by this: what we know may be old.
    #[must_use]
    pub fn objections(&self, key_id: &str) -> Vec<Objection> {
        let mut found = Vec::new();
        match &self.key_usage {
            None | Some(KeyUsage::EncryptDecrypt) => {}
            Some(usage) => found.push(Objection::certain(
                format!("its usage is {}: the service will refuse", usage.words()),
                "choose a key whose usage is encrypt/decrypt".to_owned(),
            )),
        }
        if let Some(state) = &self.key_state {
            found.extend(state_objection(state, key_id));
        }
        if let Some(spec) = self.spec.as_deref().filter(|spec| *spec != "SYMMETRIC_DEFAULT")
            && matches!(self.key_usage, None | Some(KeyUsage::EncryptDecrypt))
        {
            found.push(Objection::certain(
                format!("{spec} is no symmetric key: the service will refuse"),
                "choose a key of spec SYMMETRIC_DEFAULT".to_owned(),
            ));
        }
        if self.key_manager == Some(KeyManager::Aws) {
            found.push(Objection::possible(
                "AWS manages this key: only the AWS service that it belongs to may use it".to_owned(),
                "choose a customer managed key".to_owned(),
            ));
        }
        if matches!(self.origin, Some(Origin::AwsCloudHsm | Origin::ExternalKeyStore)) {
            found.push(Objection::possible(
                "it lives in a custom key store: the documentation disagrees with itself on whether data keys work there"
                    .to_owned(),
                "try it, or tick the dry run first".to_owned(),
            ));
        }
        found
    }
}

fn state_objection(state: &KeyState, id: &str) -> Option<Objection> {
    let refusal = |way_out: String| {
        Some(Objection::certain(format!("{}: the service will refuse", state.words()), way_out))
    };
    match state {
        KeyState::Enabled | KeyState::Updating => None,
        KeyState::Disabled => refusal(format!("aws kms enable-key --key-id {id}")),
        KeyState::PendingDeletion | KeyState::PendingReplicaDeletion => refusal(format!(
            "aws kms cancel-key-deletion --key-id {id}, then aws kms enable-key --key-id {id}"
        )),
        KeyState::PendingImport => refusal("import its key material first".to_owned()),
        KeyState::Creating => refusal("wait until it is created".to_owned()),
        KeyState::Unavailable => refusal("its custom key store must be connected".to_owned()),
        KeyState::Other(text) => Some(Objection::possible(
            format!("state {text}: whether it can be used is not known"),
            "tick the dry run to find out".to_owned(),
        )),
    }
}

/// Whole days until a moment, rounded up; 0 where it has passed.
#[must_use]
pub fn days_until(at: Timestamp, now: Timestamp) -> i64 {
    let seconds = at.as_second() - now.as_second();
    if seconds <= 0 { 0 } else { (seconds + 86_399) / 86_400 }
}

/// A reason to expect that the service will not make a data key under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// What stands in the way.
    pub reason: String,
    /// What a person can do about it.
    pub way_out: String,
    /// Whether the documentation leaves no doubt.
    pub certain: bool,
}

impl Objection {
    const fn certain(reason: String, way_out: String) -> Self {
        Self { reason, way_out, certain: true }
    }

    const fn possible(reason: String, way_out: String) -> Self {
        Self { reason, way_out, certain: false }
    }
}

#[cfg(test)]
mod tests;
