//! What the local KMS keeps, in one redb file: keys and all that belongs to them.
//!
//! Tables are ordered by region and then by what a listing goes through (key ids, alias names), so
//! that a page is a range scan whatever the number of keys. Material has a table of its own: listing
//! and describing never load a secret.
//!
//! Key material lies in the file unencrypted, and in redb's cache of its pages. That of a deleted key
//! stays in pages that are free until something else is written over them. The file is created
//! with mode 0600, its folder, where it has to be made, with 0700. Every commit is durable before it
//! is acknowledged. After the disk failed, the file is opened anew at the next use: redb trusts none
//! of its memory then, and every acknowledged commit is in the file.
//!
//! It must not know requests, answers or what a key may do.

mod bulk;
mod rehearsal;
mod tables;
mod unmade;
mod view;
mod watched;
mod writer;

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

use jiff::Timestamp;
use redb::backends::{FileBackend, InMemoryBackend};
use redb::{Builder, Database, DatabaseError, ReadTransaction, ReadableDatabase, TableError};

use super::{OpenError, StoreLocation};
use rehearsal::Rehearsal;
use tables::{META, META_MARKER_KEY, META_SCHEMA};
use watched::{Trouble, Watched};

pub(super) use tables::SCHEMA;
pub(super) use view::{Reader, View};
pub(super) use writer::Writer;

/// Pages kept in memory, in bytes. The default of redb is a gigabyte.
const CACHE: usize = 16 << 20;

/// How long what is due is put off where it cannot be written, in milliseconds.
const PUT_OFF: i64 = 60_000;

/// Why the store could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error("{0}")]
    Disk(io::Error),
    #[error(transparent)]
    Database(Box<redb::Error>),
    #[error("a record cannot be read: {0}")]
    Record(#[from] serde_json::Error),
    #[error("`{0}` is missing")]
    Missing(&'static str),
    #[error("the disk failed before, and the file cannot be opened again: {0}")]
    NotReopened(String),
}

/// redb has an error for each kind of call, and one that takes them all.
macro_rules! from_redb {
    ($($error:ty),+) => {
        $(impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                match redb::Error::from(error) {
                    redb::Error::Io(error) => Self::Disk(error),
                    other => Self::Database(Box::new(other)),
                }
            }
        })+
    };
}

from_redb!(redb::TransactionError, redb::TableError, redb::StorageError, redb::CommitError);

/// An open store. Dropping it closes it.
pub(super) struct Store {
    /// Absent only while the file cannot be opened again after the disk failed.
    database: RwLock<Option<Database>>,
    path: Option<PathBuf>,
    trouble: Trouble,
    /// When something is due next, in milliseconds since 1970.
    next_due: AtomicI64,
    /// Held from before a transaction begins until `next_due` is that of what it committed.
    writing: Mutex<()>,
}

/// Whether a store was there or has just been made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Contents {
    /// Our tables, as this version has them.
    Ready,
    /// Our tables, as an earlier version had them.
    Old,
    Empty,
}

impl Store {
    /// Opens the store, or makes it and lets `seed` fill it. Blocking.
    ///
    /// Making and seeding are one transaction: whatever interrupts it, the next call finds either
    /// all of it or nothing and begins again. `now` is when a store that is new to such things
    /// begins to keep track of them. One that must be new and is not is left as it is.
    ///
    /// # Errors
    /// See [`OpenError`]. The file is as it was, but for what recovery after a crash has to do.
    pub(super) fn open(
        location: StoreLocation,
        now: Timestamp,
        must_be_new: bool,
        seed: impl FnOnce(&Writer) -> Result<(), OpenError>,
    ) -> Result<Self, OpenError> {
        let trouble = Trouble::default();
        let (database, path) = match location {
            StoreLocation::Memory => {
                let database = builder().create_with_backend(InMemoryBackend::new()).map_err(|error| {
                    OpenError::Store { path: PathBuf::from(":memory:"), reason: error.to_string() }
                })?;
                (database, None)
            }
            StoreLocation::File(path) => (open_file(&path, &trouble)?, Some(path)),
        };
        let broken = |error: StoreError| OpenError::Store {
            path: path.clone().unwrap_or_default(),
            reason: error.to_string(),
        };
        let transaction = database.begin_read().map_err(|error| broken(error.into()))?;
        let contents = contents(&transaction, path.as_deref().unwrap_or(Path::new("")))?;
        if must_be_new && contents != Contents::Empty {
            return Err(OpenError::NotNew { path: path.unwrap_or_default() });
        }
        if contents != Contents::Ready {
            let failed = |error: StoreError| match (contents, &path) {
                (Contents::Empty | Contents::Old, Some(path)) => {
                    OpenError::NotMade { path: path.clone(), reason: error.to_string() }
                }
                _ => broken(error),
            };
            let transaction = database.begin_write().map_err(|error| failed(error.into()))?;
            let writer = Writer::new(transaction);
            writer.create_tables(now).map_err(failed)?;
            if contents == Contents::Empty {
                seed(&writer).map_err(|error| match (error, &path) {
                    (OpenError::Seed { reason }, Some(path)) => {
                        OpenError::NotMade { path: path.clone(), reason }
                    }
                    (error, _) => error,
                })?;
            } else {
                writer.index_dues().map_err(failed)?;
            }
            writer.commit().map_err(failed)?;
        }
        drop(transaction);
        let first_due = first_due(&database).map_err(broken)?;
        Ok(Self {
            database: RwLock::new(Some(database)),
            path,
            trouble,
            next_due: AtomicI64::new(first_due),
            writing: Mutex::new(()),
        })
    }

    /// The file, where there is one.
    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Whether the disk has failed, so that the next use opens the file anew.
    pub(super) fn is_in_trouble(&self) -> bool {
        self.trouble.is_there()
    }

    /// Whether something is due by `now`: a deletion, an expiry, a rotation.
    pub(super) fn has_due(&self, now: Timestamp) -> bool {
        self.next_due.load(Ordering::Acquire) <= now.as_millisecond()
    }

    /// What is due by `now` could not be written: it is due again a minute later, or after the next
    /// write that succeeds.
    pub(super) fn put_off_dues(&self, now: Timestamp) {
        self.next_due.store(now.as_millisecond().saturating_add(PUT_OFF), Ordering::Release);
    }

    /// A view of the store as it is now. It must be short-lived: the file cannot be opened again,
    /// should the disk fail, before it is gone.
    pub(super) fn read(&self) -> Result<Reader<'_>, StoreError> {
        let database = self.database()?;
        let transaction = match &*database {
            Some(open) => open.begin_read()?,
            None => return Err(StoreError::Missing("the database")),
        };
        Ok(Reader::new(transaction, database))
    }

    /// Does `work` in one transaction: all of it is on disk when this returns `Ok`, none of it is
    /// ever to be seen otherwise. Blocking, and one at a time.
    pub(super) fn write<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Writer) -> Result<T, E>,
    ) -> Result<T, E> {
        // A transaction that panicked has changed nothing.
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let database = self.database()?;
        let begin = || -> Result<Writer, StoreError> {
            match &*database {
                Some(open) => Ok(Writer::new(open.begin_write()?)),
                None => Err(StoreError::Missing("the database")),
            }
        };
        let writer = begin()?;
        let done = work(&writer)?;
        let first_due = writer.first_due()?;
        writer.commit()?;
        self.next_due.store(first_due, Ordering::Release);
        Ok(done)
    }

    /// The key that signs the markers of listings, the same for as long as the store lives.
    pub(super) fn marker_key(&self) -> Result<Vec<u8>, OpenError> {
        let find = || -> Result<Vec<u8>, StoreError> {
            self.read()?.meta(META_MARKER_KEY)?.ok_or(StoreError::Missing(META_MARKER_KEY))
        };
        find().map_err(|error| self.broken(&error))
    }

    /// The database; opened anew where the disk has failed since.
    fn database(&self) -> Result<RwLockReadGuard<'_, Option<Database>>, StoreError> {
        if self.trouble.is_there() {
            self.reopen()?;
        }
        Ok(self.database.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn reopen(&self) -> Result<(), StoreError> {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have done it while this one waited.
        let (true, Some(path)) = (self.trouble.is_there(), &self.path) else {
            return Ok(());
        };
        // Closing may fail in the same way, which changes nothing.
        *database = None;
        self.trouble.forget();
        let opened = match path.try_exists() {
            Ok(true) => open_again(path, &self.trouble).map_err(|error| error.to_string()),
            // Not to be made anew: what was in it may come back.
            Ok(false) => Err("it is gone".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        // A commit may be in the file although its end was never seen.
        let found = opened.and_then(|open| match first_due(&open) {
            Ok(first_due) => Ok((open, first_due)),
            Err(error) => Err(error.to_string()),
        });
        match found {
            Ok((open, first_due)) => {
                *database = Some(open);
                self.next_due.store(first_due, Ordering::Release);
                Ok(())
            }
            Err(reason) => {
                self.trouble.note();
                Err(StoreError::NotReopened(reason))
            }
        }
    }

    fn broken(&self, error: &StoreError) -> OpenError {
        OpenError::Store { path: self.path.clone().unwrap_or_default(), reason: error.to_string() }
    }
}

/// When something is due first, in milliseconds since 1970.
fn first_due(database: &Database) -> Result<i64, StoreError> {
    database.begin_read()?.first_due()
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
    match schema {
        SCHEMA => Ok(Contents::Ready),
        earlier if earlier < SCHEMA => Ok(Contents::Old),
        found => Err(OpenError::Newer { path: path.to_owned(), found, known: SCHEMA }),
    }
}

/// Opens a file, or creates it with nothing in it.
///
/// A file that is there is looked through first without being written to, so that what is none of
/// ours, newer, or damaged anywhere keeps every byte. One that holds nothing yet, because its making
/// was interrupted too, is made.
fn open_file(path: &Path, trouble: &Trouble) -> Result<Database, OpenError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        create_private_folder(folder).map_err(|source| {
            let source = match source.kind() {
                io::ErrorKind::AlreadyExists => io::Error::other("it is a file, not a folder"),
                _ => source,
            };
            OpenError::Io { path: folder.to_owned(), source }
        })?;
    }
    let backend = open_backend(path)?;
    let unmade = unmade::is_unmade(&backend);
    let backend = if unmade.map_err(|source| OpenError::Io { path: path.to_owned(), source })? {
        backend
    } else {
        rehearse(path, backend)?;
        open_backend(path)?
    };
    make_private(path).map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
    let backend = Watched::new(backend, trouble.clone());
    builder().create_with_backend(backend).map_err(|error| unopened(path, error))
}

/// Opens a file that was open before, and makes none. It was sound then, so that it is not looked
/// through again: the disk may go on failing, and others wait meanwhile.
fn open_again(path: &Path, trouble: &Trouble) -> Result<Database, OpenError> {
    let backend = open_backend(path)?;
    let emptied = unmade::is_unmade(&backend);
    if emptied.map_err(|source| OpenError::Io { path: path.to_owned(), source })? {
        return Err(OpenError::NotAStore { path: path.to_owned() });
    }
    let backend = Watched::new(backend, trouble.clone());
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

#[cfg(test)]
mod tests;
