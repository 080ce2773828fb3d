//! Many records into a store in one go: tables stay open from the first to the last, and nothing is
//! looked up before it is written.
//!
//! It must only be used on a store without what it writes. It is quickest in the order of the tables.

use redb::Table;

use super::tables::{ALIASES, ALIASES_OF_KEY, DUES, KEYS, MATERIAL};
use super::{StoreError, Writer};
use crate::local::blob::Material;
use crate::local::key::{AliasRecord, KeyRecord};

/// The tables of keys, what is due to them, and aliases, open until it is dropped. Meanwhile [`Writer`]
/// cannot open them.
pub(in crate::local) struct Bulk<'w> {
    keys: Table<'w, (&'static str, &'static str), &'static [u8]>,
    material: Table<'w, (&'static str, &'static str, &'static [u8]), &'static [u8]>,
    dues: Table<'w, (i64, &'static str, &'static str), ()>,
    aliases: Table<'w, (&'static str, &'static str), &'static [u8]>,
    aliases_of_key: Table<'w, (&'static str, &'static str, &'static str), ()>,
    /// Room for one record as JSON.
    record: Vec<u8>,
}

impl Writer {
    /// Opens the tables for many writes.
    pub(in crate::local) fn bulk(&self) -> Result<Bulk<'_>, StoreError> {
        Ok(Bulk {
            keys: self.0.open_table(KEYS)?,
            material: self.0.open_table(MATERIAL)?,
            dues: self.0.open_table(DUES)?,
            aliases: self.0.open_table(ALIASES)?,
            aliases_of_key: self.0.open_table(ALIASES_OF_KEY)?,
            record: Vec::new(),
        })
    }
}

impl Bulk<'_> {
    pub(in crate::local) fn put_key(
        &mut self,
        region: &str,
        key_id: &str,
        record: &KeyRecord,
    ) -> Result<(), StoreError> {
        self.record.clear();
        serde_json::to_writer(&mut self.record, record)?;
        self.keys.insert((region, key_id), self.record.as_slice())?;
        if let Some(due) = record.due() {
            self.dues.insert((due.as_millisecond(), region, key_id), ())?;
        }
        Ok(())
    }

    pub(in crate::local) fn put_material(
        &mut self,
        region: &str,
        key_id: &str,
        material: &Material,
    ) -> Result<(), StoreError> {
        let material_id = material.id(key_id);
        self.material.insert((region, key_id, material_id.bytes()), material.bytes())?;
        Ok(())
    }

    /// Puts an alias that points at a key, and its line in the index of aliases by key.
    pub(in crate::local) fn put_alias(
        &mut self,
        region: &str,
        name: &str,
        record: &AliasRecord,
    ) -> Result<(), StoreError> {
        if let Some(target) = &record.target {
            self.aliases_of_key.insert((region, target.key_id.as_str(), name), ())?;
        }
        self.record.clear();
        serde_json::to_writer(&mut self.record, record)?;
        self.aliases.insert((region, name), self.record.as_slice())?;
        Ok(())
    }
}
