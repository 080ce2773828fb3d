//! A file that redb began to make a database of, and did not finish: the process was killed, or the
//! disk was full. redb itself refuses such a file for ever after.
//!
//! redb makes one in three steps: it gives the file its length, writes the head without the mark that
//! says "a database", and writes the mark. A file without the mark and with nothing behind its head
//! is one that nobody was ever told of. It must only look.

use std::io;

use redb::StorageBackend;

/// The mark comes first in the file.
const MARK: usize = 9;
/// Where the head says how long a page is, little-endian.
const PAGE_LENGTH_AT: std::ops::Range<usize> = 12..16;
const HEAD: usize = 320;
/// Of redb, in bytes.
const PAGE: u32 = 4096;
/// What is looked at in one go, in bytes.
const PIECE: u64 = 1 << 16;

/// Whether the file holds nothing yet: it is empty, or was left as described above.
pub(super) fn is_unmade(file: &impl StorageBackend) -> io::Result<bool> {
    let length = file.len()?;
    if length == 0 {
        return Ok(true);
    }
    if length % u64::from(PAGE) != 0 {
        return Ok(false);
    }
    let mut head = [0; HEAD];
    file.read(0, &mut head)?;
    let (mark, rest) = head.split_at(MARK);
    if !is_zero(mark) || !(is_zero(rest) || head[PAGE_LENGTH_AT] == PAGE.to_le_bytes()) {
        return Ok(false);
    }
    let mut at = HEAD as u64;
    let mut piece = Vec::new();
    while at < length {
        let end = length.min(at.saturating_add(PIECE));
        piece.resize(usize::try_from(end - at).map_err(io::Error::other)?, 0);
        file.read(at, &mut piece)?;
        if !is_zero(&piece) {
            return Ok(false);
        }
        at = end;
    }
    Ok(true)
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}
