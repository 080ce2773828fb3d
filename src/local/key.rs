//! What the local KMS knows of a key, an alias and a grant, and how `KeyMetadata` says it.
//!
//! The enums are the service's own, spelled as KMS spells them: this is the other side of the wire,
//! so it shares no type with the client. The records are what the store holds, as JSON: a member may
//! be added, none may change its meaning within one schema version.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::ACCOUNT;
use super::identifier::Place;

/// An enum whose variants have the words that KMS has for them.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub(super) enum $name {
            $(#[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// The word that KMS has for it.
            pub(super) fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }
    };
}

/// Reading the words of an enum, where requests hold them.
macro_rules! readable {
    ($($name:ident),+) => {
        $(impl $name {
            /// What KMS has that word for.
            pub(super) fn of_word(word: &str) -> Option<Self> {
                serde_json::from_value(Value::from(word)).ok()
            }
        })+
    };
}

readable!(KeyUsage, KeySpec, Origin);

words! {
    /// KMS API: `KeyMetadata`, `KeyState`.
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

words! {
    /// KMS API: `KeyMetadata`, `KeyUsage`.
    KeyUsage {
        SignVerify = "SIGN_VERIFY",
        EncryptDecrypt = "ENCRYPT_DECRYPT",
        GenerateVerifyMac = "GENERATE_VERIFY_MAC",
        KeyAgreement = "KEY_AGREEMENT",
        EncapsulateDecapsulate = "ENCAPSULATE_DECAPSULATE",
    }
}

words! {
    /// KMS API: `KeyMetadata`, `KeySpec`.
    KeySpec {
        Rsa2048 = "RSA_2048",
        Rsa3072 = "RSA_3072",
        Rsa4096 = "RSA_4096",
        EccNistP256 = "ECC_NIST_P256",
        EccNistP384 = "ECC_NIST_P384",
        EccNistP521 = "ECC_NIST_P521",
        EccSecgP256K1 = "ECC_SECG_P256K1",
        SymmetricDefault = "SYMMETRIC_DEFAULT",
        Hmac224 = "HMAC_224",
        Hmac256 = "HMAC_256",
        Hmac384 = "HMAC_384",
        Hmac512 = "HMAC_512",
        Sm2 = "SM2",
        MlDsa44 = "ML_DSA_44",
        MlDsa65 = "ML_DSA_65",
        MlDsa87 = "ML_DSA_87",
        EccNistEdwards25519 = "ECC_NIST_EDWARDS25519",
        MlKem512 = "ML_KEM_512",
        MlKem768 = "ML_KEM_768",
        MlKem1024 = "ML_KEM_1024",
    }
}

words! {
    /// KMS API: `KeyMetadata`, `Origin`.
    Origin {
        AwsKms = "AWS_KMS",
        External = "EXTERNAL",
        AwsCloudHsm = "AWS_CLOUDHSM",
        ExternalKeyStore = "EXTERNAL_KEY_STORE",
    }
}

words! {
    /// KMS API: `KeyMetadata`, `KeyManager`.
    KeyManager {
        Aws = "AWS",
        Customer = "CUSTOMER",
    }
}

impl KeyUsage {
    /// What later models have beside [`KeyUsage::WORDS`].
    pub(super) const LATER_WORDS: [&str; 1] = ["ENCAPSULATE_DECAPSULATE"];

    /// KMS API: `CreateKey`, `KeyUsage`.
    pub(super) const WORDS: [&str; 4] =
        ["SIGN_VERIFY", "ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"];
}

impl Origin {
    /// KMS API: `CreateKey`, `Origin`.
    pub(super) const WORDS: [&str; 4] = ["AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"];
}

impl KeySpec {
    /// What later models have beside [`KeySpec::WORDS`].
    pub(super) const LATER_WORDS: [&str; 3] = ["ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"];

    /// KMS API: `CreateKey`, `KeySpec`.
    pub(super) const WORDS: [&str; 17] = [
        "RSA_2048",
        "RSA_3072",
        "RSA_4096",
        "ECC_NIST_P256",
        "ECC_NIST_P384",
        "ECC_NIST_P521",
        "ECC_SECG_P256K1",
        "SYMMETRIC_DEFAULT",
        "HMAC_224",
        "HMAC_256",
        "HMAC_384",
        "HMAC_512",
        "SM2",
        "ML_DSA_44",
        "ML_DSA_65",
        "ML_DSA_87",
        "ECC_NIST_EDWARDS25519",
    ];

    /// Whether it is the one of symmetric encryption keys.
    pub(super) fn is_symmetric_encryption(self) -> bool {
        self == Self::SymmetricDefault
    }

    /// Whether it is one of keys for message authentication codes.
    pub(super) fn is_hmac(self) -> bool {
        matches!(self, Self::Hmac224 | Self::Hmac256 | Self::Hmac384 | Self::Hmac512)
    }
}

/// A key, without its material.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeyRecord {
    pub created: Timestamp,
    pub description: String,
    pub state: KeyState,
    pub usage: KeyUsage,
    pub spec: KeySpec,
    pub origin: Origin,
    pub manager: KeyManager,
    /// The id of the material that seals now, in hexadecimal. Symmetric encryption keys alone have
    /// material here, and none before a first import or while they are being created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub material: Option<String>,
    /// When it will be gone; while it is pending deletion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion: Option<Timestamp>,
    /// The days that it will wait once its replicas are gone; while they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_window_days: Option<u16>,
    /// When imported material expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_key_store: Option<CustomKeyStore>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multi_region: Option<MultiRegion>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<Rotation>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// The custom key store that a key lives in. KMS API: `KeyMetadata`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CustomKeyStore {
    /// `cks-` and hexadecimal digits.
    pub id: String,
    /// The `CloudHSM` cluster, for keys that originate there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The id of the key in the external key manager, for keys that originate there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_key: Option<String>,
}

/// The regions of a multi-Region key. All its keys have one key id and the same material.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MultiRegion {
    pub primary: String,
    #[serde(default)]
    pub replicas: Vec<String>,
}

/// Automatic rotation, where it is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rotation {
    pub period_days: u16,
    /// When the present period began: at the last automatic rotation, or when rotation was enabled.
    pub since: Timestamp,
}

impl Rotation {
    /// The same, after all periods that ended by `now`.
    pub(super) fn caught_up(mut self, now: Timestamp) -> Self {
        while self.next() <= now && self.next() > self.since {
            self.since = self.next();
        }
        self
    }

    /// When the present period ends.
    pub(super) fn next(self) -> Timestamp {
        days_after(self.since, self.period_days)
    }
}

words! {
    /// KMS API: `RotationsListEntry`, `RotationType`.
    RotationType {
        Automatic = "AUTOMATIC",
        OnDemand = "ON_DEMAND",
    }
}

/// One of the materials that a key that rotated has had. KMS API: `RotationsListEntry`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RotationRecord {
    /// The material's id, in hexadecimal.
    pub material: String,
    /// When and why it became the current one; nothing for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated: Option<(Timestamp, RotationType)>,
}

/// The last successful cryptographic use of a key. KMS API: `KeyLastUsageData`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LastUse {
    /// In AWS's spelling.
    pub operation: String,
    pub at: Timestamp,
    pub request_id: String,
    /// There is no trail; the id is one like those of the service.
    pub event_id: String,
}

/// A custom key store, as far as it is told of: none can be made here. KMS API:
/// `CustomKeyStoresListEntry`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CustomKeyStoreRecord {
    pub name: String,
    pub created: Timestamp,
    /// `CONNECTED`, `DISCONNECTED`, …
    pub connection: String,
    /// The `CloudHSM` cluster; nothing for an external key store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Where the proxy of an external key store is: `https://` and a host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
}

/// An alias. Its name is its key in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AliasRecord {
    /// What it points at; nothing for a predefined alias that has no key yet.
    pub target: Option<AliasTarget>,
    /// The description of the AWS managed key that a predefined alias gets when it is first
    /// described.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_description: Option<String>,
}

/// What an alias points at, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AliasTarget {
    pub key_id: String,
    pub created: Timestamp,
    pub updated: Timestamp,
}

/// A grant. Its id is part of its key in the store. KMS API: `GrantListEntry`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct GrantRecord {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    pub created: Timestamp,
    /// The principal that may use the key: an ARN, or a service principal.
    pub grantee: String,
    /// Whether the grantee is a service principal.
    #[serde(default)]
    pub grantee_service: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retiring: Option<String>,
    /// Whether the retiring principal is a service principal.
    #[serde(default)]
    pub retiring_service: bool,
    pub operations: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub context_subset: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub context_equals: BTreeMap<String, String>,
}

impl KeyRecord {
    /// When something happens to the key by itself: it is deleted, its imported material expires, or
    /// it rotates. A disabled key does not rotate before it is enabled again. KMS API: Rotate AWS KMS
    /// keys.
    pub(super) fn due(&self) -> Option<Timestamp> {
        let expiry = self.valid_to.filter(|_| self.material.is_some());
        match self.state {
            KeyState::PendingDeletion => self.deletion,
            KeyState::Enabled => {
                let rotation = self.rotation.map(Rotation::next);
                [expiry, rotation].into_iter().flatten().min()
            }
            KeyState::Disabled => expiry,
            _ => None,
        }
    }

    /// The regions in which the key with this record in `region` lives, the primary one first.
    pub(super) fn regions<'a>(&'a self, region: &'a str) -> Vec<&'a str> {
        match &self.multi_region {
            None => vec![region],
            Some(regions) => {
                let replicas = regions.replicas.iter().map(String::as_str);
                std::iter::once(regions.primary.as_str()).chain(replicas).collect()
            }
        }
    }

    /// Whether it lives in a custom key store.
    pub(super) fn in_custom_key_store(&self) -> bool {
        matches!(self.origin, Origin::AwsCloudHsm | Origin::ExternalKeyStore)
    }

    /// Whether answers name this key's material. KMS API: `CurrentKeyMaterialId` is of symmetric
    /// encryption keys with the origin `AWS_KMS` or `EXTERNAL`.
    pub(super) fn shows_material_id(&self) -> bool {
        self.spec == KeySpec::SymmetricDefault && matches!(self.origin, Origin::AwsKms | Origin::External)
    }

    /// `KeyMetadata` of the key with that id at that place, its members in the model's order. Dates
    /// are seconds since 1970 with a fraction. KMS API: `KeyMetadata`.
    pub(super) fn metadata(&self, key_id: &str, place: &Place) -> Value {
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| {
            members.insert(name.to_owned(), value);
        };
        put("AWSAccountId", ACCOUNT.into());
        put("KeyId", key_id.into());
        put("Arn", place.key_arn(key_id).into());
        put("CreationDate", epoch_seconds(self.created));
        put("Enabled", (self.state == KeyState::Enabled).into());
        put("Description", self.description.as_str().into());
        put("KeyUsage", self.usage.word().into());
        put("KeyState", self.state.word().into());
        if let (KeyState::PendingDeletion, Some(deletion)) = (self.state, self.deletion) {
            put("DeletionDate", epoch_seconds(deletion));
        }
        if let Some(valid_to) = self.valid_to {
            put("ValidTo", epoch_seconds(valid_to));
        }
        put("Origin", self.origin.word().into());
        if let Some(store) = &self.custom_key_store {
            put("CustomKeyStoreId", store.id.as_str().into());
            if let Some(cluster) = &store.cluster {
                put("CloudHsmClusterId", cluster.as_str().into());
            }
        }
        if self.origin == Origin::External && self.state != KeyState::PendingImport {
            let model = match self.valid_to {
                Some(_) => "KEY_MATERIAL_EXPIRES",
                None => "KEY_MATERIAL_DOES_NOT_EXPIRE",
            };
            put("ExpirationModel", model.into());
        }
        put("KeyManager", self.manager.word().into());
        put("CustomerMasterKeySpec", self.spec.word().into());
        put("KeySpec", self.spec.word().into());
        if let Some((member, algorithms)) = algorithms(self.spec, self.usage) {
            put(member, algorithms.into());
        }
        put("MultiRegion", self.multi_region.is_some().into());
        if let Some(regions) = &self.multi_region {
            put("MultiRegionConfiguration", regions.configuration(key_id, place));
        }
        if let (KeyState::PendingReplicaDeletion, Some(days)) = (self.state, self.pending_window_days) {
            put("PendingDeletionWindowInDays", days.into());
        }
        if let Some(external_key) =
            self.custom_key_store.as_ref().and_then(|store| store.external_key.as_deref())
        {
            put("XksKeyConfiguration", json!({ "Id": external_key }));
        }
        if let (true, Some(material)) = (self.shows_material_id(), &self.material) {
            put("CurrentKeyMaterialId", material.as_str().into());
        }
        Value::Object(members)
    }
}

impl MultiRegion {
    /// KMS API: `MultiRegionConfiguration`.
    fn configuration(&self, key_id: &str, place: &Place) -> Value {
        let entry = |region: &str| {
            json!({
                "Arn": Place::new(region).key_arn(key_id),
                "Region": region,
            })
        };
        let replicas: Vec<Value> = self.replicas.iter().map(|region| entry(region)).collect();
        let key_type = if self.primary == place.region { "PRIMARY" } else { "REPLICA" };
        json!({
            "MultiRegionKeyType": key_type,
            "PrimaryKey": entry(&self.primary),
            "ReplicaKeys": replicas,
        })
    }
}

/// The member of `KeyMetadata` that lists what a key can do, and the list; `None` where the two do
/// not go together. KMS API: Key spec reference.
pub(super) fn algorithms(spec: KeySpec, usage: KeyUsage) -> Option<(&'static str, &'static [&'static str])> {
    use KeySpec as Spec;
    use KeyUsage as Usage;
    let list: (&str, &[&str]) = match (usage, spec) {
        (Usage::EncryptDecrypt, Spec::SymmetricDefault) => ("EncryptionAlgorithms", &["SYMMETRIC_DEFAULT"]),
        (Usage::EncryptDecrypt, Spec::Rsa2048 | Spec::Rsa3072 | Spec::Rsa4096) => {
            ("EncryptionAlgorithms", &["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"])
        }
        (Usage::EncryptDecrypt, Spec::Sm2) => ("EncryptionAlgorithms", &["SM2PKE"]),
        (Usage::SignVerify, Spec::Rsa2048 | Spec::Rsa3072 | Spec::Rsa4096) => (
            "SigningAlgorithms",
            &[
                "RSASSA_PKCS1_V1_5_SHA_256",
                "RSASSA_PKCS1_V1_5_SHA_384",
                "RSASSA_PKCS1_V1_5_SHA_512",
                "RSASSA_PSS_SHA_256",
                "RSASSA_PSS_SHA_384",
                "RSASSA_PSS_SHA_512",
            ],
        ),
        (Usage::SignVerify, Spec::EccNistP256 | Spec::EccSecgP256K1) => {
            ("SigningAlgorithms", &["ECDSA_SHA_256"])
        }
        (Usage::SignVerify, Spec::EccNistP384) => ("SigningAlgorithms", &["ECDSA_SHA_384"]),
        (Usage::SignVerify, Spec::EccNistP521) => ("SigningAlgorithms", &["ECDSA_SHA_512"]),
        (Usage::SignVerify, Spec::EccNistEdwards25519) => {
            ("SigningAlgorithms", &["ED25519_SHA_512", "ED25519_PH_SHA_512"])
        }
        (Usage::SignVerify, Spec::MlDsa44 | Spec::MlDsa65 | Spec::MlDsa87) => {
            ("SigningAlgorithms", &["ML_DSA_SHAKE_256"])
        }
        (Usage::SignVerify, Spec::Sm2) => ("SigningAlgorithms", &["SM2DSA"]),
        (Usage::KeyAgreement, Spec::EccNistP256 | Spec::EccNistP384 | Spec::EccNistP521 | Spec::Sm2) => {
            ("KeyAgreementAlgorithms", &["ECDH"])
        }
        (Usage::GenerateVerifyMac, Spec::Hmac224) => ("MacAlgorithms", &["HMAC_SHA_224"]),
        (Usage::GenerateVerifyMac, Spec::Hmac256) => ("MacAlgorithms", &["HMAC_SHA_256"]),
        (Usage::GenerateVerifyMac, Spec::Hmac384) => ("MacAlgorithms", &["HMAC_SHA_384"]),
        (Usage::GenerateVerifyMac, Spec::Hmac512) => ("MacAlgorithms", &["HMAC_SHA_512"]),
        (Usage::EncapsulateDecapsulate, Spec::MlKem512 | Spec::MlKem768 | Spec::MlKem1024) => {
            ("EncapsulationAlgorithms", &["ML_KEM"])
        }
        _ => return None,
    };
    Some(list)
}

/// So many days of 24 hours later, or the same instant at the end of time.
pub(super) fn days_after(instant: Timestamp, days: u16) -> Timestamp {
    instant.checked_add(SignedDuration::from_hours(i64::from(days) * 24)).unwrap_or(instant)
}

/// What the wire and the store's order can carry of an instant.
pub(super) fn to_the_millisecond(instant: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(instant.as_millisecond()).unwrap_or(instant)
}

/// A date as the wire carries it: seconds since 1970, milliseconds as their fraction.
pub(super) fn epoch_seconds(instant: Timestamp) -> Value {
    let milliseconds = SignedDuration::from_millis(instant.as_millisecond());
    Value::from(milliseconds.as_secs_f64())
}
