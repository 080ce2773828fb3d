//! The file of a store, watched: whoever has the store learns that the disk failed.
//!
//! It must only pass on what redb asks, but for one thing: a file whose making was interrupted is
//! shown as the empty one that it stands for.

use std::io;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

use super::unmade::is_unmade;

/// Whether the disk has failed since the file was opened. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble(Arc<AtomicBool>);

impl Trouble {
    pub(super) fn is_there(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    pub(super) fn note(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(super) fn forget(&self) {
        self.0.store(false, Ordering::Release);
    }
}

/// The backend.
#[derive(Debug)]
pub(super) struct Watched {
    file: FileBackend,
    trouble: Trouble,
    /// Whether the file is known to be a database, or being made one.
    is_made: AtomicBool,
}

impl Watched {
    pub(super) fn new(file: FileBackend, trouble: Trouble) -> Self {
        Self { file, trouble, is_made: AtomicBool::new(false) }
    }

    fn watch<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if result.is_err() {
            self.trouble.note();
        }
        result
    }
}

impl StorageBackend for Watched {
    fn len(&self) -> io::Result<u64> {
        // redb asks for it first when it has locked the file: no other process makes it meanwhile.
        if !self.is_made.load(Ordering::Acquire) && self.watch(is_unmade(&self.file))? {
            return Ok(0);
        }
        self.is_made.store(true, Ordering::Release);
        self.watch(self.file.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.watch(self.file.read(offset, out))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.is_made.store(true, Ordering::Release);
        self.watch(self.file.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.watch(self.file.sync_data())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.watch(self.file.write(offset, data))
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
