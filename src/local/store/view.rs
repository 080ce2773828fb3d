//! Reading the store: the same for a view of it as it was and for a transaction that changes it.
//!
//! It must not change anything.

use std::ops::Bound;
use std::sync::RwLockReadGuard;

use jiff::Timestamp;
use redb::{Database, Key, ReadTransaction, ReadableTable, TableDefinition, Value};
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::StoreError;
use super::tables::{
    ALIASES, ALIASES_OF_KEY, CUSTOM_KEY_STORES, DUES, GRANTS, KEYS, LAST_USES, MATERIAL, META,
    META_TRACKING_START, POLICIES, PRIVATE_KEYS, ROTATIONS,
};
use crate::local::blob::{Material, MaterialId};
use crate::local::key::{AliasRecord, CustomKeyStoreRecord, GrantRecord, KeyRecord, LastUse, RotationRecord};

/// A part of a listing, and whether there is more behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::local) struct Part<T> {
    pub items: Vec<T>,
    pub more: bool,
}

impl<T> Part<T> {
    /// At most `limit` of what there is.
    fn of(limit: usize, items: impl Iterator<Item = Result<T, StoreError>>) -> Result<Self, StoreError> {
        let mut part = Self { items: Vec::new(), more: false };
        for item in items {
            let item = item?;
            if part.items.len() == limit {
                part.more = true;
                break;
            }
            part.items.push(item);
        }
        Ok(part)
    }
}

/// The store as it was when `Store::read` was called.
pub(in crate::local) struct Reader<'store> {
    transaction: ReadTransaction,
    /// While it is there the file is not opened anew.
    _open: RwLockReadGuard<'store, Option<Database>>,
}

impl<'store> Reader<'store> {
    pub(super) fn new(transaction: ReadTransaction, open: RwLockReadGuard<'store, Option<Database>>) -> Self {
        Self { transaction, _open: open }
    }
}

impl View for Reader<'_> {
    fn table<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<K, V>,
    ) -> Result<impl ReadableTable<K, V>, StoreError> {
        self.transaction.table(definition)
    }
}

impl View for ReadTransaction {
    fn table<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<K, V>,
    ) -> Result<impl ReadableTable<K, V>, StoreError> {
        Ok(self.open_table(definition)?)
    }
}

/// What can be read of the store. Lists come in the order of their ids or names, from the first
/// after `after`.
pub(in crate::local) trait View {
    fn table<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<K, V>,
    ) -> Result<impl ReadableTable<K, V>, StoreError>;

    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.table(META)?.get(name)?.map(|value| value.value().to_vec()))
    }

    /// Since when last uses are kept.
    fn tracking_start(&self) -> Result<Timestamp, StoreError> {
        let milliseconds = self.meta(META_TRACKING_START)?.and_then(|bytes| bytes.try_into().ok());
        milliseconds
            .and_then(|bytes| Timestamp::from_millisecond(i64::from_be_bytes(bytes)).ok())
            .ok_or(StoreError::Missing(META_TRACKING_START))
    }

    fn key(&self, region: &str, key_id: &str) -> Result<Option<KeyRecord>, StoreError> {
        self.table(KEYS)?.get((region, key_id))?.map(|value| decode(value.value())).transpose()
    }

    fn alias(&self, region: &str, name: &str) -> Result<Option<AliasRecord>, StoreError> {
        self.table(ALIASES)?.get((region, name))?.map(|value| decode(value.value())).transpose()
    }

    fn grant(&self, region: &str, key_id: &str, grant_id: &str) -> Result<Option<GrantRecord>, StoreError> {
        self.table(GRANTS)?.get((region, key_id, grant_id))?.map(|value| decode(value.value())).transpose()
    }

    /// The key policy, where it is not the default one.
    fn policy(&self, region: &str, key_id: &str) -> Result<Option<String>, StoreError> {
        Ok(self.table(POLICIES)?.get((region, key_id))?.map(|value| value.value().to_owned()))
    }

    fn last_use(&self, region: &str, key_id: &str) -> Result<Option<LastUse>, StoreError> {
        self.table(LAST_USES)?.get((region, key_id))?.map(|value| decode(value.value())).transpose()
    }

    /// The secret with that id of that key.
    fn material(
        &self,
        region: &str,
        key_id: &str,
        material_id: MaterialId,
    ) -> Result<Option<Material>, StoreError> {
        let table = self.table(MATERIAL)?;
        let found = table.get((region, key_id, material_id.bytes()))?;
        Ok(found.and_then(|value| Material::from_bytes(value.value())))
    }

    /// The private key of an asymmetric key, PKCS #8, where it has been made.
    fn private_key(&self, region: &str, key_id: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let table = self.table(PRIVATE_KEYS)?;
        let found = table.get((region, key_id))?;
        Ok(found.map(|value| Zeroizing::new(value.value().to_vec())))
    }

    /// All material that a key has had, the first one first; empty for a key that never rotated.
    fn rotations(&self, region: &str, key_id: &str) -> Result<Vec<RotationRecord>, StoreError> {
        let table = self.table(ROTATIONS)?;
        let range = table.range::<(&str, &str, u32)>((region, key_id, 0)..=(region, key_id, u32::MAX))?;
        range
            .map(|entry| {
                let (_, value) = entry?;
                decode(value.value())
            })
            .collect()
    }

    /// When something is due first, in milliseconds since 1970; the end of time where nothing is.
    fn first_due(&self) -> Result<i64, StoreError> {
        let table = self.table(DUES)?;
        let first = table.first()?;
        Ok(first.map_or(i64::MAX, |(key, _)| key.value().0))
    }

    /// At most `limit` key ids of a region.
    fn key_ids(&self, region: &str, after: Option<&str>, limit: usize) -> Result<Part<String>, StoreError> {
        let table = self.table(KEYS)?;
        let range = table.range::<(&str, &str)>(from((region, ""), after.map(|it| (region, it))))?;
        let items = range.map_while(|entry| {
            let (key, _) = match entry {
                Ok(entry) => entry,
                Err(error) => return Some(Err(error.into())),
            };
            let (key_region, key_id) = key.value();
            (key_region == region).then(|| Ok(key_id.to_owned()))
        });
        Part::of(limit, items)
    }

    /// At most `limit` aliases of a region.
    fn aliases(
        &self,
        region: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Part<(String, AliasRecord)>, StoreError> {
        let table = self.table(ALIASES)?;
        let range = table.range::<(&str, &str)>(from((region, ""), after.map(|it| (region, it))))?;
        let items = range.map_while(|entry| {
            let (key, value) = match entry {
                Ok(entry) => entry,
                Err(error) => return Some(Err(error.into())),
            };
            let (alias_region, name) = key.value();
            (alias_region == region).then(|| Ok((name.to_owned(), decode(value.value())?)))
        });
        Part::of(limit, items)
    }

    /// At most `limit` names of the aliases of one key.
    fn alias_names_of_key(
        &self,
        region: &str,
        key_id: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Part<String>, StoreError> {
        let index = self.table(ALIASES_OF_KEY)?;
        let start = from((region, key_id, ""), after.map(|it| (region, key_id, it)));
        let range = index.range::<(&str, &str, &str)>(start)?;
        let items = range.map_while(|entry| {
            let (key, ()) = match &entry {
                Ok((key, value)) => (key, value.value()),
                Err(_) => return entry.err().map(|error| Err(error.into())),
            };
            let (alias_region, alias_key_id, name) = key.value();
            ((alias_region, alias_key_id) == (region, key_id)).then(|| Ok(name.to_owned()))
        });
        Part::of(limit, items)
    }

    /// At most `limit` aliases of one key.
    fn aliases_of_key(
        &self,
        region: &str,
        key_id: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Part<(String, AliasRecord)>, StoreError> {
        let names = self.alias_names_of_key(region, key_id, after, limit)?;
        let with_record = |name: String| {
            let record = self.alias(region, &name)?.ok_or(StoreError::Missing("an alias of the index"))?;
            Ok((name, record))
        };
        let items = names.items.into_iter().map(with_record).collect::<Result<_, StoreError>>()?;
        Ok(Part { items, more: names.more })
    }

    /// At most `limit` grants of one key that `wanted` takes.
    fn grants(
        &self,
        region: &str,
        key_id: &str,
        after: Option<&str>,
        limit: usize,
        wanted: impl Fn(&str, &GrantRecord) -> bool,
    ) -> Result<Part<(String, GrantRecord)>, StoreError> {
        let table = self.table(GRANTS)?;
        let start = from((region, key_id, ""), after.map(|it| (region, key_id, it)));
        let range = table.range::<(&str, &str, &str)>(start)?;
        let items = range
            .map_while(|entry| {
                let (key, value) = match entry {
                    Ok(entry) => entry,
                    Err(error) => return Some(Err(error.into())),
                };
                let (grant_region, grant_key_id, grant_id) = key.value();
                ((grant_region, grant_key_id) == (region, key_id))
                    .then(|| Ok((grant_id.to_owned(), decode::<GrantRecord>(value.value())?)))
            })
            .filter(|item| item.as_ref().map_or(true, |(grant_id, grant)| wanted(grant_id, grant)));
        Part::of(limit, items)
    }

    /// How many grants a key has.
    fn grant_count(&self, region: &str, key_id: &str) -> Result<usize, StoreError> {
        let table = self.table(GRANTS)?;
        let mut count = 0;
        for entry in table.range::<(&str, &str, &str)>(from((region, key_id, ""), None))? {
            let (key, _) = entry?;
            let (grant_region, grant_key_id, _) = key.value();
            if (grant_region, grant_key_id) != (region, key_id) {
                break;
            }
            count += 1;
        }
        Ok(count)
    }

    /// The custom key stores of a region.
    fn custom_key_stores(&self, region: &str) -> Result<Vec<(String, CustomKeyStoreRecord)>, StoreError> {
        let table = self.table(CUSTOM_KEY_STORES)?;
        let range = table.range::<(&str, &str)>(from((region, ""), None))?;
        range
            .map_while(|entry| {
                let (key, value) = match entry {
                    Ok(entry) => entry,
                    Err(error) => return Some(Err(error.into())),
                };
                let (store_region, id) = key.value();
                (store_region == region).then(|| Ok((id.to_owned(), decode(value.value())?)))
            })
            .collect()
    }
}

/// The range from `beginning`, or from behind `after`. It has no end: a listing stops by itself where
/// its region or its key does.
fn from<T>(beginning: T, after: Option<T>) -> (Bound<T>, Bound<T>) {
    (after.map_or(Bound::Included(beginning), Bound::Excluded), Bound::Unbounded)
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    Ok(serde_json::from_slice(bytes)?)
}
