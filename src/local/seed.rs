//! Keyrings: what a new store begins with, as TOML. `assets/demo/keyring.toml` is the one that comes
//! with the program, and explains the format by example.
//!
//! A keyring says everything but secrets: the material of symmetric encryption keys is random at
//! seeding, asymmetric keys have none yet. Creation dates are dates; what lies ahead (deletion,
//! expiry) is in days from seeding, so that a demonstration never grows stale. Unknown fields are
//! errors, and so is anything that KMS would not allow to be: a keyring is checked as a whole before
//! a byte is written.

mod generated;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use super::blob::Material;
use super::clock::Clock;
use super::identifier::{is_alias_name, is_key_id};
use super::key::{
    AliasRecord, AliasTarget, CustomKeyStore, CustomKeyStoreRecord, GrantRecord, KeyManager, KeyRecord,
    KeySpec, KeyState, KeyUsage, MultiRegion, Origin, Rotation, algorithms, days_after, to_the_millisecond,
};
use super::randomness::Randomness;
use super::store::{StoreError, Writer};
use super::{OpenError, due, hex};
pub(super) use generated::Generated;

/// The keyring that comes with the program.
pub(super) const DEMO: &str = include_str!("../../assets/demo/keyring.toml");

/// A keyring that has been read and checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Keyring {
    #[serde(default, rename = "key")]
    keys: Vec<Key>,
    /// Predefined aliases without a key.
    #[serde(default, rename = "predefined_alias")]
    predefined_aliases: Vec<PredefinedAlias>,
    /// The custom key stores that keys live in.
    #[serde(default, rename = "custom_key_store")]
    custom_key_stores: Vec<KeyStore>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    id: String,
    #[serde(default = "us_east_1")]
    region: String,
    #[serde(deserialize_with = "date")]
    created: Timestamp,
    #[serde(default)]
    description: String,
    #[serde(default = "enabled")]
    state: KeyState,
    #[serde(default = "encrypt_decrypt")]
    usage: KeyUsage,
    #[serde(default = "symmetric_default")]
    spec: KeySpec,
    #[serde(default = "aws_kms")]
    origin: Origin,
    #[serde(default = "customer")]
    manager: KeyManager,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    /// Of a key that is pending deletion: the days from seeding until it is gone.
    deletion_in_days: Option<u16>,
    /// Of a key that waits for its replicas to be deleted: the days that it will wait after that.
    pending_window_days: Option<u16>,
    /// Of imported material that expires: the days from seeding until it does.
    expires_in_days: Option<u16>,
    rotation_period_days: Option<u16>,
    custom_key_store: Option<CustomKeyStore>,
    multi_region: Option<MultiRegion>,
    #[serde(default, rename = "grant")]
    grants: Vec<Grant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    #[serde(default)]
    name: String,
    grantee: String,
    retiring: Option<String>,
    operations: Vec<String>,
    #[serde(default)]
    context_subset: BTreeMap<String, String>,
    #[serde(default)]
    context_equals: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PredefinedAlias {
    name: String,
    #[serde(default = "us_east_1")]
    region: String,
    /// The description of the AWS managed key that it gets when it is first described.
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyStore {
    id: String,
    #[serde(default = "us_east_1")]
    region: String,
    name: String,
    #[serde(deserialize_with = "date")]
    created: Timestamp,
    /// `CONNECTED`, `DISCONNECTED`, …
    connection: String,
    /// Of a store of a `CloudHSM` cluster.
    cluster: Option<String>,
    /// Of an external key store: where its proxy is.
    proxy: Option<String>,
}

fn us_east_1() -> String {
    "us-east-1".to_owned()
}

fn enabled() -> KeyState {
    KeyState::Enabled
}

fn encrypt_decrypt() -> KeyUsage {
    KeyUsage::EncryptDecrypt
}

fn symmetric_default() -> KeySpec {
    KeySpec::SymmetricDefault
}

fn aws_kms() -> Origin {
    Origin::AwsKms
}

fn customer() -> KeyManager {
    KeyManager::Customer
}

/// A TOML date and time with an offset, as an instant.
fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let date = toml::value::Datetime::deserialize(deserializer)?;
    date.to_string().parse().map_err(|_| {
        serde::de::Error::custom(format!(
            "`{date}` is not a date with a time and an offset, like 2024-05-31T08:15:00Z"
        ))
    })
}

impl Keyring {
    /// Reads and checks a keyring.
    ///
    /// # Errors
    /// [`OpenError::Keyring`] with what is wrong and where.
    pub(super) fn parse(text: &str) -> Result<Self, OpenError> {
        let keyring: Self = toml::from_str(text)
            .map_err(|error| OpenError::Keyring { reason: error.to_string().trim_end().to_owned() })?;
        keyring.check().map_err(|reason| OpenError::Keyring { reason })?;
        Ok(keyring)
    }

    fn check(&self) -> Result<(), String> {
        let mut keys = BTreeSet::new();
        let mut aliases = BTreeSet::new();
        for key in &self.keys {
            key.check().map_err(|reason| format!("key `{}`: {reason}", key.id))?;
            if !keys.insert((key.region.as_str(), key.id.as_str())) {
                return Err(format!("key `{}` is there twice in {}", key.id, key.region));
            }
        }
        let lives_nowhere = self.keys.iter().find(|key| {
            key.custom_key_store.as_ref().is_some_and(|lives_in| {
                let there = |store: &KeyStore| store.id == lives_in.id && store.region == key.region;
                !self.custom_key_stores.iter().any(there)
            })
        });
        if let Some(key) = lives_nowhere {
            return Err(format!("key `{}`: there is no `[[custom_key_store]]` of that id", key.id));
        }
        let of_keys = self.keys.iter().flat_map(|key| {
            let region = key.region.as_str();
            key.aliases.iter().map(move |name| (region, name.as_str()))
        });
        let predefined =
            self.predefined_aliases.iter().map(|alias| (alias.region.as_str(), alias.name.as_str()));
        for (region, name) in of_keys.chain(predefined) {
            if !is_alias_name(name) {
                return Err(format!("`{name}` is not an alias name"));
            }
            if !aliases.insert((region, name)) {
                return Err(format!("alias `{name}` is there twice in {region}"));
            }
        }
        match self.predefined_aliases.iter().find(|alias| !alias.name.starts_with("alias/aws/")) {
            Some(alias) => Err(format!("`{}` is not a predefined alias", alias.name)),
            None => Ok(()),
        }
    }

    /// Writes the keyring into an empty store.
    pub(super) fn plant(
        &self,
        writer: &Writer,
        clock: &Clock,
        randomness: &Randomness,
    ) -> Result<(), OpenError> {
        let failed = |error: StoreError| OpenError::Seed { reason: error.to_string() };
        let now = to_the_millisecond(clock.now());
        // One key id has one material, in however many regions it lives.
        let mut materials: BTreeMap<&str, Material> = BTreeMap::new();
        for key in &self.keys {
            let mut record = key.record(now);
            if key.has_material() {
                if !materials.contains_key(key.id.as_str()) {
                    materials.insert(&key.id, Material::generate(randomness)?);
                }
                if let Some(material) = materials.get(key.id.as_str()) {
                    record.material = Some(material.id(&key.id).to_hex());
                    writer.put_material(&key.region, &key.id, material).map_err(failed)?;
                }
            }
            writer.put_key(&key.region, &key.id, &record).map_err(failed)?;
            for name in &key.aliases {
                let alias = AliasRecord {
                    target: Some(AliasTarget {
                        key_id: key.id.clone(),
                        created: key.created,
                        updated: key.created,
                    }),
                    managed_description: None,
                };
                writer.put_alias(&key.region, name, &alias).map_err(failed)?;
            }
            for grant in &key.grants {
                let grant_id = hex::encode(&randomness.array::<32>()?);
                writer
                    .put_grant(&key.region, &key.id, &grant_id, &grant.record(key.created))
                    .map_err(failed)?;
            }
        }
        for alias in &self.predefined_aliases {
            let record = AliasRecord { target: None, managed_description: Some(alias.description.clone()) };
            writer.put_alias(&alias.region, &alias.name, &record).map_err(failed)?;
        }
        for store in &self.custom_key_stores {
            let record = CustomKeyStoreRecord {
                name: store.name.clone(),
                created: store.created,
                connection: store.connection.clone(),
                cluster: store.cluster.clone(),
                proxy: store.proxy.clone(),
            };
            writer.put_custom_key_store(&store.region, &store.id, &record).map_err(failed)?;
        }
        // The rotations that lie behind.
        due::settle(writer, now, randomness)
            .map_err(|_| OpenError::Seed { reason: "its rotations could not be made".to_owned() })
    }
}

impl Key {
    fn check(&self) -> Result<(), String> {
        let multi_region_id = self.id.starts_with("mrk-");
        let pending_deletion = self.state == KeyState::PendingDeletion;
        let pending_replicas = self.state == KeyState::PendingReplicaDeletion;
        let custom = matches!(self.origin, Origin::AwsCloudHsm | Origin::ExternalKeyStore);
        let rules = [
            (is_key_id(&self.id), "its id is not a key id"),
            (algorithms(self.spec, self.usage).is_some(), "its spec cannot have its usage"),
            (self.description.chars().count() <= 8192, "its description is longer than 8192 characters"),
            (
                multi_region_id == self.multi_region.is_some(),
                "an id that begins with mrk- and `multi_region` go together",
            ),
            (
                self.multi_region.as_ref().is_none_or(|regions| {
                    regions.primary == self.region || regions.replicas.contains(&self.region)
                }),
                "its region is none of its multi-Region key",
            ),
            (
                pending_deletion == self.deletion_in_days.is_some(),
                "PendingDeletion and `deletion_in_days` go together",
            ),
            (
                pending_replicas == self.pending_window_days.is_some(),
                "PendingReplicaDeletion and `pending_window_days` go together",
            ),
            (
                !pending_replicas || self.multi_region.is_some(),
                "PendingReplicaDeletion is a state of multi-Region keys",
            ),
            (
                self.expires_in_days.is_none() || self.origin == Origin::External,
                "only imported material expires",
            ),
            (
                self.state != KeyState::PendingImport || self.origin == Origin::External,
                "PendingImport is a state of keys with imported material",
            ),
            (
                custom == self.custom_key_store.is_some(),
                "the origins AWS_CLOUDHSM and EXTERNAL_KEY_STORE and `custom_key_store` go together",
            ),
            (
                self.rotation_period_days.is_none_or(|days| (90..=2560).contains(&days)),
                "`rotation_period_days` is 90 to 2560",
            ),
            (
                self.rotation_period_days.is_none()
                    || (self.spec == KeySpec::SymmetricDefault && self.origin == Origin::AwsKms),
                "only symmetric encryption keys whose material KMS made rotate",
            ),
            (
                self.tags.len() <= 50
                    && self.tags.iter().all(|(key, value)| {
                        (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256
                    }),
                "it has a tag that KMS does not allow, or more than 50",
            ),
            (
                self.aliases
                    .iter()
                    .all(|name| name.starts_with("alias/aws/") == (self.manager == KeyManager::Aws)),
                "aliases that begin with alias/aws/ are those of AWS managed keys",
            ),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, reason)) => Err(reason.to_owned()),
            None => Ok(()),
        }
    }

    /// Whether the local KMS holds a secret for it from the beginning.
    fn has_material(&self) -> bool {
        self.spec == KeySpec::SymmetricDefault
            && !matches!(self.state, KeyState::Creating | KeyState::PendingImport)
    }

    /// The key's record, without its material.
    fn record(&self, now: Timestamp) -> KeyRecord {
        KeyRecord {
            created: self.created,
            description: self.description.clone(),
            state: self.state,
            usage: self.usage,
            spec: self.spec,
            origin: self.origin,
            manager: self.manager,
            material: None,
            deletion: self.deletion_in_days.map(|days| days_after(now, days)),
            pending_window_days: self.pending_window_days,
            valid_to: self.expires_in_days.map(|days| days_after(now, days)),
            custom_key_store: self.custom_key_store.clone(),
            multi_region: self.multi_region.clone(),
            // A replica has the rotation of its primary.
            rotation: self
                .rotation_period_days
                .filter(|_| self.multi_region.as_ref().is_none_or(|it| it.primary == self.region))
                .map(|period_days| Rotation { period_days, since: self.created }),
            tags: self.tags.clone(),
        }
    }
}

impl Grant {
    fn record(&self, created: Timestamp) -> GrantRecord {
        GrantRecord {
            name: self.name.clone(),
            created,
            grantee: self.grantee.clone(),
            grantee_service: false,
            retiring: self.retiring.clone(),
            retiring_service: false,
            operations: self.operations.clone(),
            context_subset: self.context_subset.clone(),
            context_equals: self.context_equals.clone(),
        }
    }
}
