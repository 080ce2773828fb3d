//! What the local KMS keeps, in one redb file: keys, their material, aliases, grants.
//!
//! Tables are ordered by region and then by what a listing goes through (key ids, alias names), so
//! that a page is a range scan whatever the number of keys. Material has a table of its own: listing
//! and describing never load a secret.
//!
//! Key material lies in the file unencrypted, and in redb's cache of its pages. The file is created
//! with mode 0600, its folder, where it has to be made, with 0700. Every commit is durable before it
//! is acknowledged.
//!
//! It must not know requests, answers or what a key may do.

mod rehearsal;

use std::fs::{self, OpenOptions};
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use redb::backends::{FileBackend, InMemoryBackend};
use redb::{
    Builder, Database, DatabaseError, ReadTransaction, ReadableDatabase, ReadableTable, StorageBackend,
    TableDefinition, TableError, WriteTransaction,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::blob::{Material, MaterialId};
use super::key::{AliasRecord, GrantRecord, KeyRecord};
use super::{OpenError, StoreLocation};
use rehearsal::Rehearsal;

/// The version of the tables below and of the records in them. A file with a higher one is left
/// alone.
pub(super) const SCHEMA: u32 = 1;

/// What is known of the store as a whole, by name.
const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
/// (region, key id) → [`KeyRecord`] as JSON.
const KEYS: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("keys");
/// (region, key id, material id) → the secret bytes.
const MATERIAL: TableDefinition<(&str, &str, &[u8]), &[u8]> = TableDefinition::new("material");
/// (region, alias name) → [`AliasRecord`] as JSON.
const ALIASES: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("aliases");
/// (region, key id, alias name): the aliases of a key.
const ALIASES_OF_KEY: TableDefinition<(&str, &str, &str), ()> = TableDefinition::new("aliases-of-key");
/// (region, key id, grant id) → [`GrantRecord`] as JSON.
const GRANTS: TableDefinition<(&str, &str, &str), &[u8]> = TableDefinition::new("grants");

const META_SCHEMA: &str = "schema";
const META_MARKER_KEY: &str = "marker-key";

/// Pages kept in memory, in bytes. The default of redb is a gigabyte.
const CACHE: usize = 16 << 20;

/// Why the store could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error(transparent)]
    Database(Box<redb::Error>),
    #[error("a record cannot be read: {0}")]
    Record(#[from] serde_json::Error),
    #[error("`{0}` is missing")]
    Missing(&'static str),
}

/// redb has an error for each kind of call, and one that takes them all.
macro_rules! from_redb {
    ($($error:ty),+) => {
        $(impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                Self::Database(Box::new(error.into()))
            }
        })+
    };
}

from_redb!(redb::TransactionError, redb::TableError, redb::StorageError, redb::CommitError);

/// An open store. Dropping it closes it.
pub(super) struct Store {
    database: Database,
    path: Option<PathBuf>,
}

/// Whether a store was there or has just been made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Contents {
    Ready,
    Empty,
}

impl Store {
    /// Opens the store, or makes it and lets `seed` fill it. Blocking.
    ///
    /// Making and seeding are one transaction: whatever interrupts it, the next call finds either
    /// all of it or nothing and begins again.
    ///
    /// # Errors
    /// See [`OpenError`]. The file is as it was, but for what recovery after a crash has to do.
    pub(super) fn open(
        location: StoreLocation,
        seed: impl FnOnce(&Writer) -> Result<(), OpenError>,
    ) -> Result<Self, OpenError> {
        let (database, path) = match location {
            StoreLocation::Memory => {
                let database = builder().create_with_backend(InMemoryBackend::new()).map_err(|error| {
                    OpenError::Store { path: PathBuf::from(":memory:"), reason: error.to_string() }
                })?;
                (database, None)
            }
            StoreLocation::File(path) => (open_file(&path)?, Some(path)),
        };
        let store = Self { database, path };
        if store.contents()? == Contents::Empty {
            let broken = |error: StoreError| store.broken(&error);
            let transaction = store.database.begin_write().map_err(|error| broken(error.into()))?;
            let writer = Writer(transaction);
            writer.create_tables().map_err(broken)?;
            seed(&writer)?;
            writer.0.commit().map_err(|error| broken(error.into()))?;
        }
        Ok(store)
    }

    /// The file, where there is one.
    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// A view of the store as it is now.
    pub(super) fn read(&self) -> Result<Reader, StoreError> {
        Ok(Reader(self.database.begin_read()?))
    }

    /// Does `work` in one transaction: all of it is on disk when this returns `Ok`, none of it is
    /// ever to be seen otherwise. Blocking, and one at a time.
    pub(super) fn write<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Writer) -> Result<T, E>,
    ) -> Result<T, E> {
        let begin = || -> Result<Writer, StoreError> { Ok(Writer(self.database.begin_write()?)) };
        let writer = begin()?;
        let done = work(&writer)?;
        let commit = || -> Result<(), StoreError> { Ok(writer.0.commit()?) };
        commit()?;
        Ok(done)
    }

    /// The key that signs the markers of listings, the same for as long as the store lives.
    pub(super) fn marker_key(&self) -> Result<Vec<u8>, OpenError> {
        let find = || -> Result<Vec<u8>, StoreError> {
            let transaction = self.database.begin_read()?;
            let table = transaction.open_table(META)?;
            let value = table.get(META_MARKER_KEY)?.ok_or(StoreError::Missing(META_MARKER_KEY))?;
            Ok(value.value().to_vec())
        };
        find().map_err(|error| self.broken(&error))
    }

    fn contents(&self) -> Result<Contents, OpenError> {
        let transaction = self.database.begin_read().map_err(|error| self.broken(&error.into()))?;
        contents(&transaction, self.path.as_deref().unwrap_or(Path::new("")))
    }

    fn broken(&self, error: &StoreError) -> OpenError {
        OpenError::Store { path: self.path.clone().unwrap_or_default(), reason: error.to_string() }
    }
}

fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE);
    builder
}

/// What is in a redb database: our tables of this version, or nothing yet.
fn contents(transaction: &ReadTransaction, path: &Path) -> Result<Contents, OpenError> {
    let broken = |error: redb::Error| OpenError::Store { path: path.to_owned(), reason: error.to_string() };
    let foreign = || OpenError::NotAStore { path: path.to_owned() };
    let meta = match transaction.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::TableDoesNotExist(_)) => {
            let mut tables = transaction.list_tables().map_err(|error| broken(error.into()))?;
            return match tables.next() {
                None => Ok(Contents::Empty),
                Some(_) => Err(foreign()),
            };
        }
        Err(TableError::Storage(error)) => return Err(broken(error.into())),
        Err(_) => return Err(foreign()),
    };
    let schema = meta
        .get(META_SCHEMA)
        .map_err(|error| broken(error.into()))?
        .and_then(|value| value.value().try_into().ok().map(u32::from_be_bytes))
        .ok_or_else(foreign)?;
    if schema > SCHEMA {
        return Err(OpenError::Newer { path: path.to_owned(), found: schema, known: SCHEMA });
    }
    Ok(Contents::Ready)
}

/// Opens a file, or creates it with nothing in it.
///
/// A file that is there is looked through first without being written to, so that what is none of
/// ours, newer, or damaged anywhere keeps every byte.
fn open_file(path: &Path) -> Result<Database, OpenError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        create_private_folder(folder).map_err(|source| OpenError::Io { path: folder.to_owned(), source })?;
    }
    let backend = open_backend(path)?;
    let length = backend.len().map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
    let backend = if length == 0 {
        backend
    } else {
        rehearse(path, backend)?;
        make_private(path).map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
        open_backend(path)?
    };
    builder().create_with_backend(backend).map_err(|error| unopened(path, error))
}

fn open_backend(path: &Path) -> Result<FileBackend, OpenError> {
    let file =
        private_options().open(path).map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
    FileBackend::new(file).map_err(|error| unopened(path, error))
}

/// Opens the database, checks every page of it and what is in it, and changes nothing: neither the
/// recovery that a crash makes necessary nor anything else reaches the file.
fn rehearse(path: &Path, backend: FileBackend) -> Result<(), OpenError> {
    let rehearsal =
        Rehearsal::new(backend).map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
    let database = builder()
        .set_check_integrity_on_open(true)
        .create_with_backend(rehearsal)
        .map_err(|error| unopened(path, error))?;
    let transaction = database
        .begin_read()
        .map_err(|error| OpenError::Store { path: path.to_owned(), reason: error.to_string() })?;
    contents(&transaction, path)?;
    Ok(())
}

fn unopened(path: &Path, error: DatabaseError) -> OpenError {
    let path = path.to_owned();
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => OpenError::InUse { path },
        DatabaseError::Storage(redb::StorageError::Io(source)) => match source.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => OpenError::NotAStore { path },
            _ => OpenError::Io { path, source },
        },
        other => OpenError::Store { path, reason: other.to_string() },
    }
}

/// A store that others could read is made private again: key material lies open in it.
#[cfg(unix)]
fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn make_private(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn private_options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).mode(0o600);
    options
}

#[cfg(not(unix))]
fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    options
}

#[cfg(unix)]
fn create_private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn create_private_folder(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).create(folder)
}

/// A part of a listing, and whether there is more behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part<T> {
    pub items: Vec<T>,
    pub more: bool,
}

/// The store as it was when [`Store::read`] was called.
pub(super) struct Reader(ReadTransaction);

impl Reader {
    pub(super) fn key(&self, region: &str, key_id: &str) -> Result<Option<KeyRecord>, StoreError> {
        let table = self.0.open_table(KEYS)?;
        let found = table.get((region, key_id))?;
        found.map(|value| decode(value.value())).transpose()
    }

    pub(super) fn alias(&self, region: &str, name: &str) -> Result<Option<AliasRecord>, StoreError> {
        let table = self.0.open_table(ALIASES)?;
        let found = table.get((region, name))?;
        found.map(|value| decode(value.value())).transpose()
    }

    /// The secret with that id of that key.
    pub(super) fn material(
        &self,
        region: &str,
        key_id: &str,
        material_id: MaterialId,
    ) -> Result<Option<Material>, StoreError> {
        let table = self.0.open_table(MATERIAL)?;
        let found = table.get((region, key_id, material_id.bytes()))?;
        Ok(found.and_then(|value| Material::from_bytes(value.value())))
    }

    /// At most `limit` key ids of a region in their order, from the first after `after`.
    pub(super) fn key_ids(
        &self,
        region: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Part<String>, StoreError> {
        let table = self.0.open_table(KEYS)?;
        let start = match after {
            Some(after) => Bound::Excluded((region, after)),
            None => Bound::Included((region, "")),
        };
        let mut part = Part { items: Vec::new(), more: false };
        for entry in table.range::<(&str, &str)>((start, Bound::Unbounded))? {
            let (key, _) = entry?;
            let (key_region, key_id) = key.value();
            if key_region != region {
                break;
            }
            if part.items.len() == limit {
                part.more = true;
                break;
            }
            part.items.push(key_id.to_owned());
        }
        Ok(part)
    }

    /// At most `limit` aliases of a region in the order of their names, from the first after
    /// `after`.
    pub(super) fn aliases(
        &self,
        region: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Part<(String, AliasRecord)>, StoreError> {
        let table = self.0.open_table(ALIASES)?;
        let start = match after {
            Some(after) => Bound::Excluded((region, after)),
            None => Bound::Included((region, "")),
        };
        let mut part = Part { items: Vec::new(), more: false };
        for entry in table.range::<(&str, &str)>((start, Bound::Unbounded))? {
            let (key, value) = entry?;
            let (alias_region, name) = key.value();
            if alias_region != region {
                break;
            }
            if part.items.len() == limit {
                part.more = true;
                break;
            }
            part.items.push((name.to_owned(), decode(value.value())?));
        }
        Ok(part)
    }

    /// At most `limit` aliases of one key in the order of their names, from the first after `after`.
    pub(super) fn aliases_of_key(
        &self,
        region: &str,
        key_id: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Part<(String, AliasRecord)>, StoreError> {
        let index = self.0.open_table(ALIASES_OF_KEY)?;
        let aliases = self.0.open_table(ALIASES)?;
        let start = match after {
            Some(after) => Bound::Excluded((region, key_id, after)),
            None => Bound::Included((region, key_id, "")),
        };
        let mut part = Part { items: Vec::new(), more: false };
        for entry in index.range::<(&str, &str, &str)>((start, Bound::Unbounded))? {
            let (key, ()) = {
                let (key, value) = entry?;
                (key, value.value())
            };
            let (alias_region, alias_key_id, name) = key.value();
            if (alias_region, alias_key_id) != (region, key_id) {
                break;
            }
            if part.items.len() == limit {
                part.more = true;
                break;
            }
            let record = aliases.get((region, name))?.ok_or(StoreError::Missing("an alias of the index"))?;
            part.items.push((name.to_owned(), decode(record.value())?));
        }
        Ok(part)
    }
}

/// A transaction that changes the store.
pub(super) struct Writer(WriteTransaction);

impl Writer {
    /// Every table, empty, so that reading never meets a missing one, and the schema's version.
    fn create_tables(&self) -> Result<(), StoreError> {
        self.0.open_table(KEYS)?;
        self.0.open_table(MATERIAL)?;
        self.0.open_table(ALIASES)?;
        self.0.open_table(ALIASES_OF_KEY)?;
        self.0.open_table(GRANTS)?;
        self.put_meta(META_SCHEMA, &SCHEMA.to_be_bytes())
    }

    fn put_meta(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.0.open_table(META)?.insert(name, value)?;
        Ok(())
    }

    pub(super) fn put_marker_key(&self, key: &[u8]) -> Result<(), StoreError> {
        self.put_meta(META_MARKER_KEY, key)
    }

    pub(super) fn put_key(&self, region: &str, key_id: &str, record: &KeyRecord) -> Result<(), StoreError> {
        let bytes = encode(record)?;
        self.0.open_table(KEYS)?.insert((region, key_id), bytes.as_slice())?;
        Ok(())
    }

    pub(super) fn put_material(
        &self,
        region: &str,
        key_id: &str,
        material: &Material,
    ) -> Result<(), StoreError> {
        let material_id = material.id(key_id);
        self.0.open_table(MATERIAL)?.insert((region, key_id, material_id.bytes()), material.bytes())?;
        Ok(())
    }

    pub(super) fn alias(&self, region: &str, name: &str) -> Result<Option<AliasRecord>, StoreError> {
        let table = self.0.open_table(ALIASES)?;
        let found = table.get((region, name))?;
        found.map(|value| decode(value.value())).transpose()
    }

    /// Puts an alias, and keeps the index of aliases by key in step.
    pub(super) fn put_alias(&self, region: &str, name: &str, record: &AliasRecord) -> Result<(), StoreError> {
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

    pub(super) fn put_grant(
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
}

fn encode(record: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    Ok(serde_json::to_vec(record)?)
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    Ok(serde_json::from_slice(bytes)?)
}
