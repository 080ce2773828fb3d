//! A file that can be read and locked, and that only seems to be written: what redb writes stays in
//! memory and is read back from there.
//!
//! Opening a database for real may write before it is known whether the file is sound, ours, and of a
//! version that we know. To open it over this first answers all three and leaves every byte as it
//! was. It must never write to the file.

use std::io;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

/// The backend. Locks are those of the file, so that it is in use for others, and others' use of it
/// is noticed.
#[derive(Debug)]
pub(super) struct Rehearsal {
    file: FileBackend,
    changes: Mutex<Changes>,
}

/// What the file would be like by now.
#[derive(Debug)]
struct Changes {
    len: u64,
    /// Up to where the file itself still shows.
    file_shows: u64,
    /// In the order in which they were made.
    writes: Vec<(u64, Vec<u8>)>,
}

impl Rehearsal {
    /// # Errors
    /// Where the file's length cannot be had.
    pub(super) fn new(file: FileBackend) -> io::Result<Self> {
        let len = file.len()?;
        Ok(Self { file, changes: Mutex::new(Changes { len, file_shows: len, writes: Vec::new() }) })
    }

    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StorageBackend for Rehearsal {
    fn len(&self) -> io::Result<u64> {
        Ok(self.changes().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let changes = self.changes();
        let end = offset.saturating_add(out.len() as u64);
        if end > changes.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let shown = to_usize(changes.file_shows.clamp(offset, end) - offset)?;
        let (from_file, beyond) = out.split_at_mut(shown);
        if !from_file.is_empty() {
            self.file.read(offset, from_file)?;
        }
        beyond.fill(0);
        for (start, data) in &changes.writes {
            let first = (*start).max(offset);
            let last = (start + data.len() as u64).min(end);
            if first < last {
                let source = to_usize(first - start)?..to_usize(last - start)?;
                let target = to_usize(first - offset)?..to_usize(last - offset)?;
                out[target].copy_from_slice(&data[source]);
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut changes = self.changes();
        changes.len = len;
        changes.file_shows = changes.file_shows.min(len);
        changes.writes.retain(|(start, _)| *start < len);
        for (start, data) in &mut changes.writes {
            data.truncate(to_usize((len - *start).min(data.len() as u64))?);
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.changes().writes.push((offset, data.to_vec()));
        Ok(())
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

fn to_usize(length: u64) -> io::Result<usize> {
    usize::try_from(length).map_err(io::Error::other)
}

#[cfg(test)]
mod tests;
