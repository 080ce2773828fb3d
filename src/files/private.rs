//! Files that are a person's own: mode 0600, written whole or not at all.
//!
//! A write goes to a new file in the same folder and takes the name of the old one when it is on
//! disk, so that neither a crash nor a full disk leaves half a file. What a crash leaves behind is
//! removed at the next write to that folder. All of it blocks.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use thiserror::Error;

use crate::domain::failure::{Failure, FailureKind};

/// How the name of a file begins and ends that is not whole yet.
const UNFINISHED: (&str, &str) = (".kmx-", ".tmp");

/// Names for an unfinished file that are tried: another process may have the first ones.
const NAMES: u32 = 100;

/// Why a file could not be read or written.
#[derive(Debug, Error)]
pub enum FileError {
    #[error("cannot read `{}`: {reason}", path.display())]
    Read { path: PathBuf, reason: io::Error },
    #[error("cannot write `{}`: {reason}", path.display())]
    Write { path: PathBuf, reason: io::Error },
    #[error("`{}` has more than {limit} bytes", path.display())]
    TooLarge { path: PathBuf, limit: u64 },
    #[error("there is no home folder to keep files in")]
    NoHome,
}

impl FileError {
    /// Whether the file is not there, or cannot be, for want of its folder.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Read { reason, .. }
            if matches!(reason.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory))
    }

    /// What a person can do about it.
    #[must_use]
    pub fn way_out(&self) -> &'static str {
        match self {
            Self::Read { .. } if self.is_missing() => "check the spelling, and that the file is there",
            Self::Read { .. } => "it has to be a file that you may read",
            Self::TooLarge { .. } => "it is no file of kmx's: move it away, or name another",
            Self::NoHome => "set HOME",
            Self::Write { reason, .. } => match reason.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                    "make room on that disk, or name a file on another"
                }
                ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
                    "see that you may write there, or name another file"
                }
                _ => "see that its folder is one that you may write to, or name another file",
            },
        }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::new(FailureKind::Store, error.to_string()).hint(error.way_out())
    }
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// The file is not there, cannot be read, or is larger.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    File::open(path)
        .and_then(|file| up_to(limit, &file))
        .map_err(|reason| FileError::Read { path: path.to_owned(), reason })?
        .ok_or_else(|| FileError::TooLarge { path: path.to_owned(), limit })
}

/// All bytes of a file that is open; `None` where there are more than `limit`.
pub(super) fn up_to(limit: u64, file: &File) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    let within = u64::try_from(bytes.len()).is_ok_and(|length| length <= limit);
    Ok(within.then_some(bytes))
}

/// Writes a file whole, for its owner alone, and makes its folder where there is none. What has the
/// name so far is replaced, a symbolic link too: what it points at stays as it is. When this
/// returns, the file is on disk; where it fails, what was there before is there still.
///
/// # Errors
/// A folder that cannot be made or written to, a disk that is full.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    replace(path, bytes).map_err(|reason| FileError::Write { path: path.to_owned(), reason })
}

/// Removes a file, and does nothing where there is none.
///
/// # Errors
/// What the system says.
pub fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(reason) if reason.kind() != ErrorKind::NotFound => {
            Err(FileError::Write { path: path.to_owned(), reason })
        }
        _ => Ok(()),
    }
}

/// Opens a file for its owner alone, to write at its end; a file that others may read becomes private.
///
/// # Errors
/// What the system says.
pub fn append(path: &Path) -> Result<File, FileError> {
    let open = || {
        let file = private(OpenOptions::new().append(true).create(true)).open(path)?;
        make_private(&file)?;
        Ok(file)
    };
    open().map_err(|reason| FileError::Write { path: path.to_owned(), reason })
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    create_private_folder(folder)?;
    remove_leftovers(folder);
    let (mut file, unfinished) = create_unfinished(folder)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&unfinished, path))
        .and_then(|()| sync_folder(folder));
    if written.is_err() {
        // After the rename it is not there any more.
        let _ = fs::remove_file(&unfinished);
    }
    written
}

/// A new file, locked for as long as it is open: that tells it from one that a crash left behind.
fn create_unfinished(folder: &Path) -> io::Result<(File, PathBuf)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let (start, end) = UNFINISHED;
    for _ in 0..NAMES {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("{start}{}-{number}{end}", std::process::id()));
        let file = match private(OpenOptions::new().write(true).create_new(true)).open(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            opened => opened?,
        };
        // Some file systems know no locks. There, nobody takes the file for a leftover either.
        let _ = file.lock();
        // Before it was locked, another process may have taken it for a leftover.
        if path.exists() {
            return Ok((file, path));
        }
    }
    Err(io::Error::new(ErrorKind::AlreadyExists, "no name was free for a file to write to"))
}

/// Removes unfinished files that nobody writes to. What cannot be removed stays.
fn remove_leftovers(folder: &Path) {
    let is_unfinished = |name: &OsStr| {
        name.to_str().is_some_and(|name| name.starts_with(UNFINISHED.0) && name.ends_with(UNFINISHED.1))
    };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if !is_unfinished(&entry.file_name()) || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        if let Ok(file) = OpenOptions::new().write(true).open(entry.path())
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// What is no file, as a terminal or a pipe, stays as it is.
#[cfg(unix)]
fn make_private(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = file.metadata()?;
    if metadata.is_file() && metadata.permissions().mode() & 0o077 != 0 {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn make_private(_file: &File) -> io::Result<()> {
    Ok(())
}

fn create_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Brings a new name to disk.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
