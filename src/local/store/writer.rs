//! A transaction that changes the store, and keeps what is derived (the aliases of a key, what is due)
//! in step with what it is derived from.
//!
//! It must not decide what may be changed.

use jiff::Timestamp;
use redb::{Key, ReadableTable, TableDefinition, Value, WriteTransaction};
use serde::Serialize;

use super::StoreError;
use super::tables::{
    ALIASES, ALIASES_OF_KEY, CUSTOM_KEY_STORES, DUES, GRANTS, KEYS, LAST_USES, MATERIAL, META,
    META_MARKER_KEY, META_SCHEMA, META_TRACKING_START, POLICIES, PRIVATE_KEYS, ROTATIONS, SCHEMA,
};
use super::view::{View, decode};
use crate::local::blob::Material;
use crate::local::key::{AliasRecord, CustomKeyStoreRecord, GrantRecord, KeyRecord, LastUse, RotationRecord};

/// A transaction that changes the store.
pub(in crate::local) struct Writer(pub(super) WriteTransaction);

impl View for Writer {
    fn table<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<K, V>,
    ) -> Result<impl ReadableTable<K, V>, StoreError> {
        Ok(self.0.open_table(definition)?)
    }
}

impl Writer {
    pub(super) fn new(transaction: WriteTransaction) -> Self {
        Self(transaction)
    }

    pub(super) fn commit(self) -> Result<(), StoreError> {
        Ok(self.0.commit()?)
    }

    /// Every table, so that reading never meets a missing one, and the schema's version.
    pub(super) fn create_tables(&self, now: Timestamp) -> Result<(), StoreError> {
        self.0.open_table(KEYS)?;
        self.0.open_table(MATERIAL)?;
        self.0.open_table(PRIVATE_KEYS)?;
        self.0.open_table(ROTATIONS)?;
        self.0.open_table(POLICIES)?;
        self.0.open_table(LAST_USES)?;
        self.0.open_table(DUES)?;
        self.0.open_table(ALIASES)?;
        self.0.open_table(ALIASES_OF_KEY)?;
        self.0.open_table(GRANTS)?;
        self.0.open_table(CUSTOM_KEY_STORES)?;
        self.put_meta(META_TRACKING_START, &now.as_millisecond().to_be_bytes())?;
        self.put_meta(META_SCHEMA, &SCHEMA.to_be_bytes())
    }

    /// What is due to the keys of a store that did not keep it.
    pub(super) fn index_dues(&self) -> Result<(), StoreError> {
        let keys = self.0.open_table(KEYS)?;
        let mut dues = self.0.open_table(DUES)?;
        for entry in keys.iter()? {
            let (key, value) = entry?;
            let (region, key_id) = key.value();
            if let Some(due) = decode::<KeyRecord>(value.value())?.due() {
                dues.insert((due.as_millisecond(), region, key_id), ())?;
            }
        }
        Ok(())
    }

    fn put_meta(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.0.open_table(META)?.insert(name, value)?;
        Ok(())
    }

    pub(in crate::local) fn put_marker_key(&self, key: &[u8]) -> Result<(), StoreError> {
        self.put_meta(META_MARKER_KEY, key)
    }

    /// Puts a key, and keeps what is due in step.
    pub(in crate::local) fn put_key(
        &self,
        region: &str,
        key_id: &str,
        record: &KeyRecord,
    ) -> Result<(), StoreError> {
        let bytes = encode(record)?;
        let before = {
            let mut keys = self.0.open_table(KEYS)?;
            let before = keys.insert((region, key_id), bytes.as_slice())?;
            before.map(|value| decode::<KeyRecord>(value.value())).transpose()?
        };
        self.put_due(region, key_id, before.and_then(|before| before.due()), record.due())
    }

    fn put_due(
        &self,
        region: &str,
        key_id: &str,
        before: Option<Timestamp>,
        after: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        if before == after {
            return Ok(());
        }
        let mut dues = self.0.open_table(DUES)?;
        if let Some(before) = before {
            dues.remove((before.as_millisecond(), region, key_id))?;
        }
        if let Some(after) = after {
            dues.insert((after.as_millisecond(), region, key_id), ())?;
        }
        Ok(())
    }

    /// The first key to which something is due by `now`: when, its region and id.
    pub(in crate::local) fn next_due_key(
        &self,
        now: Timestamp,
    ) -> Result<Option<(i64, String, String)>, StoreError> {
        let dues = self.0.open_table(DUES)?;
        let first = dues.first()?;
        Ok(first.and_then(|(key, _)| {
            let (when, region, key_id) = key.value();
            (when <= now.as_millisecond()).then(|| (when, region.to_owned(), key_id.to_owned()))
        }))
    }

    /// Removes an entry of what is due.
    pub(in crate::local) fn forget_due(
        &self,
        when: i64,
        region: &str,
        key_id: &str,
    ) -> Result<(), StoreError> {
        self.0.open_table(DUES)?.remove((when, region, key_id))?;
        Ok(())
    }

    /// Removes a key and everything that belongs to it in that region.
    pub(in crate::local) fn remove_key(&self, region: &str, key_id: &str) -> Result<(), StoreError> {
        let record = self.key(region, key_id)?;
        self.put_due(region, key_id, record.and_then(|record| record.due()), None)?;
        self.0.open_table(KEYS)?.remove((region, key_id))?;
        self.0.open_table(PRIVATE_KEYS)?.remove((region, key_id))?;
        self.0.open_table(POLICIES)?.remove((region, key_id))?;
        self.0.open_table(LAST_USES)?.remove((region, key_id))?;
        self.remove_material(region, key_id)?;
        let all_rotations = (region, key_id, 0)..=(region, key_id, u32::MAX);
        self.0.open_table(ROTATIONS)?.retain_in::<(&str, &str, u32), _>(all_rotations, |_, _| false)?;
        for name in self.alias_names_of_key(region, key_id, None, usize::MAX)?.items {
            self.remove_alias(region, &name)?;
        }
        for (grant_id, _) in self.grants(region, key_id, None, usize::MAX, |_, _| true)?.items {
            self.remove_grant(region, key_id, &grant_id)?;
        }
        Ok(())
    }

    pub(in crate::local) fn put_material(
        &self,
        region: &str,
        key_id: &str,
        material: &Material,
    ) -> Result<(), StoreError> {
        let material_id = material.id(key_id);
        self.0.open_table(MATERIAL)?.insert((region, key_id, material_id.bytes()), material.bytes())?;
        Ok(())
    }

    /// Removes all material of a symmetric encryption key.
    pub(in crate::local) fn remove_material(&self, region: &str, key_id: &str) -> Result<(), StoreError> {
        const LAST: [u8; 32] = [u8::MAX; 32];
        let all: std::ops::RangeInclusive<(&str, &str, &[u8])> =
            (region, key_id, &[])..=(region, key_id, &LAST);
        self.0.open_table(MATERIAL)?.retain_in::<(&str, &str, &[u8]), _>(all, |_, _| false)?;
        Ok(())
    }

    pub(in crate::local) fn put_private_key(
        &self,
        region: &str,
        key_id: &str,
        pkcs8: &[u8],
    ) -> Result<(), StoreError> {
        self.0.open_table(PRIVATE_KEYS)?.insert((region, key_id), pkcs8)?;
        Ok(())
    }

    /// Adds to the material that a key has had.
    pub(in crate::local) fn add_rotation(
        &self,
        region: &str,
        key_id: &str,
        record: &RotationRecord,
    ) -> Result<(), StoreError> {
        let bytes = encode(record)?;
        let mut table = self.0.open_table(ROTATIONS)?;
        let last = {
            let mut range =
                table.range::<(&str, &str, u32)>((region, key_id, 0)..=(region, key_id, u32::MAX))?;
            range.next_back().transpose()?.map(|(key, _)| key.value().2)
        };
        let number = last.map_or(0, |last| last.saturating_add(1));
        table.insert((region, key_id, number), bytes.as_slice())?;
        Ok(())
    }

    pub(in crate::local) fn put_policy(
        &self,
        region: &str,
        key_id: &str,
        policy: &str,
    ) -> Result<(), StoreError> {
        self.0.open_table(POLICIES)?.insert((region, key_id), policy)?;
        Ok(())
    }

    /// Puts the last use of a key; of one that is gone, nothing.
    pub(in crate::local) fn put_last_use(
        &self,
        region: &str,
        key_id: &str,
        last_use: &LastUse,
    ) -> Result<(), StoreError> {
        if self.0.open_table(KEYS)?.get((region, key_id))?.is_none() {
            return Ok(());
        }
        let bytes = encode(last_use)?;
        self.0.open_table(LAST_USES)?.insert((region, key_id), bytes.as_slice())?;
        Ok(())
    }

    /// Puts an alias, and keeps the index of aliases by key in step.
    pub(in crate::local) fn put_alias(
        &self,
        region: &str,
        name: &str,
        record: &AliasRecord,
    ) -> Result<(), StoreError> {
        let before = self.alias(region, name)?;
        let mut index = self.0.open_table(ALIASES_OF_KEY)?;
        if let Some(target) = before.and_then(|before| before.target) {
            index.remove((region, target.key_id.as_str(), name))?;
        }
        if let Some(target) = &record.target {
            index.insert((region, target.key_id.as_str(), name), ())?;
        }
        let bytes = encode(record)?;
        self.0.open_table(ALIASES)?.insert((region, name), bytes.as_slice())?;
        Ok(())
    }

    pub(in crate::local) fn remove_alias(&self, region: &str, name: &str) -> Result<(), StoreError> {
        let before = self.alias(region, name)?;
        if let Some(target) = before.and_then(|before| before.target) {
            self.0.open_table(ALIASES_OF_KEY)?.remove((region, target.key_id.as_str(), name))?;
        }
        self.0.open_table(ALIASES)?.remove((region, name))?;
        Ok(())
    }

    pub(in crate::local) fn put_grant(
        &self,
        region: &str,
        key_id: &str,
        grant_id: &str,
        record: &GrantRecord,
    ) -> Result<(), StoreError> {
        let bytes = encode(record)?;
        self.0.open_table(GRANTS)?.insert((region, key_id, grant_id), bytes.as_slice())?;
        Ok(())
    }

    pub(in crate::local) fn remove_grant(
        &self,
        region: &str,
        key_id: &str,
        grant_id: &str,
    ) -> Result<(), StoreError> {
        self.0.open_table(GRANTS)?.remove((region, key_id, grant_id))?;
        Ok(())
    }

    pub(in crate::local) fn put_custom_key_store(
        &self,
        region: &str,
        id: &str,
        record: &CustomKeyStoreRecord,
    ) -> Result<(), StoreError> {
        let bytes = encode(record)?;
        self.0.open_table(CUSTOM_KEY_STORES)?.insert((region, id), bytes.as_slice())?;
        Ok(())
    }
}

fn encode(record: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    Ok(serde_json::to_vec(record)?)
}
