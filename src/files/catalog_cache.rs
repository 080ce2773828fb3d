//! Catalogs that are remembered: a file for each place, in the cache's folder.
//!
//! A file is a header and the bytes that whoever remembers gave, whose meaning is not known here:
//!
//! | bytes | are |
//! |---|---|
//! | 11 | `kmx-catalog` |
//! | 2 | the version of the format, header and payload |
//! | 4 | the CRC-32 of all other bytes of the file |
//! | 8 | the length of the payload |
//! | … | the payload |
//!
//! Numbers are big-endian. A file that does not hold is no catalog, never a wrong one: whoever reads
//! goes on without it. All of it blocks.

use std::fmt::Write as _;
use std::fs::{self, File, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use thiserror::Error;

use super::paths::Paths;
use super::private::{self, FileError};

const MAGIC: &[u8] = b"kmx-catalog";

/// The version of what is written. A payload of another form needs another number.
pub const VERSION: u16 = 2;

/// Bytes of a file at most.
pub const LIMIT: u64 = 256 << 20;

const CHECKSUM_AT: usize = MAGIC.len() + 2;
const LENGTH_AT: usize = CHECKSUM_AT + 4;
const PAYLOAD_AT: usize = LENGTH_AT + 8;

/// Bytes of the hash in a file's name, and characters of what people read in it.
const HASH: usize = 16;
const READABLE: usize = 48;

/// The place that a catalog is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CacheKey {
    /// The profile in use, where there is one.
    pub profile: Option<String>,
    pub region: String,
    /// The endpoint, where it is not AWS's own; of the demo the store's file, where one is named.
    pub endpoint: Option<String>,
    /// Whether it is the local KMS in this process.
    pub demo: bool,
}

impl CacheKey {
    /// A name for people to find, and a hash that no two places share.
    fn file_name(&self) -> String {
        let place = if self.demo { "demo" } else { self.profile.as_deref().unwrap_or("no-profile") };
        let readable: String = format!("{place}.{}", self.region)
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') { c } else { '-' })
            .take(READABLE)
            .collect();
        let mut parts = vec![u8::from(self.demo)];
        for part in [self.profile.as_deref(), Some(&self.region), self.endpoint.as_deref()] {
            parts.push(u8::from(part.is_some()));
            let part = part.unwrap_or_default();
            parts.extend_from_slice(&(part.len() as u64).to_be_bytes());
            parts.extend_from_slice(part.as_bytes());
        }
        let hash = digest(&SHA256, &parts);
        let hash = hash.as_ref().iter().take(HASH).fold(String::new(), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        // A name that begins with a point would be hidden, and might be one of an unfinished file.
        format!("{}-{hash}.catalog", readable.replacen('.', "_", usize::from(readable.starts_with('.'))))
    }
}

/// Why nothing is remembered.
#[derive(Debug, Error)]
pub enum NotRemembered {
    /// Nothing was written yet.
    #[error("nothing is remembered yet")]
    Missing,
    #[error("the file is damaged: {0}")]
    Damaged(&'static str),
    #[error("the file is of version {0} of the format, not {VERSION}")]
    OtherVersion(u16),
    /// Somebody else may have written it.
    #[error("the file is not trusted: {0}")]
    NotPrivate(&'static str),
    #[error(transparent)]
    Io(FileError),
}

/// The folder of remembered catalogs.
#[derive(Clone, Debug)]
pub struct CatalogCache {
    folder: PathBuf,
}

impl CatalogCache {
    /// A cache in a folder, which the first write makes.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The cache of whoever runs this; `None` where the system knows no home folder.
    #[must_use]
    pub fn of_this_person() -> Option<Self> {
        Some(Self::new(Paths::of_this_person()?.catalogs()))
    }

    /// The payload that was written last for this place, to the byte. What is wrong goes to the log.
    ///
    /// # Errors
    /// Why nothing is remembered: a reason to go on without, and for nothing else.
    pub fn read(&self, key: &CacheKey) -> Result<Vec<u8>, NotRemembered> {
        let path = self.path(key);
        let read = read_trusted(&path).and_then(open);
        match &read {
            Ok(payload) => {
                tracing::debug!(path = %path.display(), bytes = payload.len(), "catalog remembered");
            }
            Err(NotRemembered::Missing) => {
                tracing::debug!(path = %path.display(), "no catalog remembered");
            }
            Err(reason) => {
                tracing::warn!(path = %path.display(), reason = %reason, "remembered catalog ignored");
            }
        }
        read
    }

    /// Remembers a payload for this place, in place of the one before. On disk when this returns.
    ///
    /// # Errors
    /// What could not be written; what was remembered before is still. More than [`LIMIT`] bytes.
    pub fn write(&self, key: &CacheKey, payload: &[u8]) -> Result<(), FileError> {
        let path = self.path(key);
        let written = seal(payload)
            .ok_or_else(|| FileError::TooLarge { path: path.clone(), limit: LIMIT })
            .and_then(|bytes| private::write(&path, &bytes));
        match &written {
            Ok(()) => tracing::debug!(path = %path.display(), bytes = payload.len(), "catalog written"),
            Err(error) => tracing::warn!(reason = %error, "catalog not written"),
        }
        written
    }

    /// Forgets what is remembered for this place.
    ///
    /// # Errors
    /// The file is there and cannot be removed.
    pub fn remove(&self, key: &CacheKey) -> Result<(), FileError> {
        let path = self.path(key);
        private::remove(&path).inspect(|()| tracing::debug!(path = %path.display(), "catalog forgotten"))
    }

    fn path(&self, key: &CacheKey) -> PathBuf {
        self.folder.join(key.file_name())
    }
}

/// The bytes of a file that nobody else may have written.
fn read_trusted(path: &Path) -> Result<Vec<u8>, NotRemembered> {
    let failed = |reason| NotRemembered::Io(FileError::Read { path: path.to_owned(), reason });
    match fs::symlink_metadata(path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Err(NotRemembered::Missing);
        }
        // Before it is opened: opening a pipe waits for whoever writes to it.
        metadata if !metadata.as_ref().map_err(|_| ()).is_ok_and(Metadata::is_file) => {
            metadata.map_err(failed)?;
            return Err(NotRemembered::NotPrivate("it is no regular file"));
        }
        _ => {}
    }
    let file = File::open(path).map_err(failed)?;
    may_trust(&file.metadata().map_err(failed)?)?;
    let bytes = private::up_to(LIMIT, &file).map_err(failed)?;
    bytes.ok_or_else(|| NotRemembered::Io(FileError::TooLarge { path: path.to_owned(), limit: LIMIT }))
}

#[cfg(unix)]
fn may_trust(metadata: &Metadata) -> Result<(), NotRemembered> {
    use std::os::unix::fs::MetadataExt as _;
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(NotRemembered::NotPrivate("it belongs to somebody else"));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(NotRemembered::NotPrivate("others may write to it"));
    }
    Ok(())
}

#[cfg(not(unix))]
fn may_trust(_metadata: &Metadata) -> Result<(), NotRemembered> {
    Ok(())
}

/// The file's bytes for a payload; `None` where they are too many.
fn seal(payload: &[u8]) -> Option<Vec<u8>> {
    let length = u64::try_from(payload.len()).ok()?;
    let mut bytes = Vec::with_capacity(PAYLOAD_AT + payload.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_be_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(payload);
    let checksum = checksum(&bytes);
    bytes.get_mut(CHECKSUM_AT..LENGTH_AT)?.copy_from_slice(&checksum.to_be_bytes());
    u64::try_from(bytes.len()).is_ok_and(|length| length <= LIMIT).then_some(bytes)
}

/// The payload of a file's bytes.
fn open(mut bytes: Vec<u8>) -> Result<Vec<u8>, NotRemembered> {
    if !bytes.starts_with(MAGIC) {
        return Err(NotRemembered::Damaged("it does not begin as one"));
    }
    let (Some(version), Some(told), Some(length)) = (
        array(&bytes, MAGIC.len()).map(u16::from_be_bytes),
        array(&bytes, CHECKSUM_AT).map(u32::from_be_bytes),
        array(&bytes, LENGTH_AT).map(u64::from_be_bytes),
    ) else {
        return Err(NotRemembered::Damaged("it ends in its header"));
    };
    // Before the version is believed: other versions have their checksum here too.
    if checksum(&bytes) != told {
        return Err(NotRemembered::Damaged("its checksum is another"));
    }
    if version != VERSION {
        return Err(NotRemembered::OtherVersion(version));
    }
    if u64::try_from(bytes.len() - PAYLOAD_AT) != Ok(length) {
        return Err(NotRemembered::Damaged("its length is another"));
    }
    bytes.drain(..PAYLOAD_AT);
    Ok(bytes)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// The CRC-32 of all bytes but its own four.
fn checksum(bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(bytes.get(..CHECKSUM_AT).unwrap_or_default());
    hasher.update(bytes.get(LENGTH_AT..).unwrap_or_default());
    hasher.finalize()
}

#[cfg(test)]
mod tests;
