//! The tables of the store. Each is ordered by region and then by what is gone through.
//!
//! It must hold no behaviour: what is read and written is the views' and the writer's.

use redb::TableDefinition;

/// The version of the tables below and of the records in them. A file with a higher one is left
/// alone, one with a lower one is brought up to date.
///
/// 2 added all that is not a key, its material, an alias or a grant.
pub(in crate::local) const SCHEMA: u32 = 2;

/// What is known of the store as a whole, by name.
pub(super) const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
/// (region, key id) → `KeyRecord` as JSON.
pub(super) const KEYS: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("keys");
/// (region, key id, material id) → the secret bytes.
pub(super) const MATERIAL: TableDefinition<(&str, &str, &[u8]), &[u8]> = TableDefinition::new("material");
/// (region, key id) → the private key of an asymmetric key, PKCS #8.
pub(super) const PRIVATE_KEYS: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("private-keys");
/// (region, key id, number) → `RotationRecord` as JSON; number 0 is the first material.
pub(super) const ROTATIONS: TableDefinition<(&str, &str, u32), &[u8]> = TableDefinition::new("rotations");
/// (region, key id) → the key policy, where it is not the default one.
pub(super) const POLICIES: TableDefinition<(&str, &str), &str> = TableDefinition::new("policies");
/// (region, key id) → `LastUse` as JSON.
pub(super) const LAST_USES: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("last-uses");
/// (milliseconds since 1970, region, key id): when something happens to a key by itself.
pub(super) const DUES: TableDefinition<(i64, &str, &str), ()> = TableDefinition::new("dues");
/// (region, alias name) → `AliasRecord` as JSON.
pub(super) const ALIASES: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("aliases");
/// (region, key id, alias name): the aliases of a key.
pub(super) const ALIASES_OF_KEY: TableDefinition<(&str, &str, &str), ()> =
    TableDefinition::new("aliases-of-key");
/// (region, key id, grant id) → `GrantRecord` as JSON.
pub(super) const GRANTS: TableDefinition<(&str, &str, &str), &[u8]> = TableDefinition::new("grants");
/// (region, custom key store id) → `CustomKeyStoreRecord` as JSON.
pub(super) const CUSTOM_KEY_STORES: TableDefinition<(&str, &str), &[u8]> =
    TableDefinition::new("custom-key-stores");

pub(super) const META_SCHEMA: &str = "schema";
pub(super) const META_MARKER_KEY: &str = "marker-key";
/// Since when last uses are kept, in milliseconds since 1970.
pub(super) const META_TRACKING_START: &str = "tracking-start";
