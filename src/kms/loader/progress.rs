//! What one reading of a catalog has done, so that a later load can go on with it.
//!
//! It makes no calls.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Arc, Mutex};

use super::super::worker::{SharedKeys, locked};
use crate::domain::loading::List;

/// How far a reading of a catalog has come: the pages of both lists, the keys that were found, and
/// which of them are described. Clones share it; a new one has read nothing.
///
/// For one load at a time. What a load has put into its channel counts as told: a receiver that is
/// dropped unread loses it, and then only a new reading brings everything.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    keys: SharedKeys,
    lists: Arc<Mutex<[Standing; 2]>>,
}

/// Where a list stands.
#[derive(Debug, Default)]
struct Standing {
    /// The page to be read next; `None` is the first.
    marker: Option<String>,
    /// Hashes of the markers that were followed: one that comes again would lead round for ever.
    followed: HashSet<u64>,
    hasher: RandomState,
    complete: bool,
}

impl Progress {
    pub(super) fn keys(&self) -> &SharedKeys {
        &self.keys
    }

    pub(super) fn add_keys<'a>(&self, arns: impl Iterator<Item = &'a str>) {
        let mut keys = locked(&self.keys);
        for arn in arns {
            keys.add(arn);
        }
    }

    /// The page of a list that is to be read next; `None` is the first.
    pub(super) fn marker(&self, list: List) -> Option<String> {
        locked(&self.lists)[list as usize].marker.clone()
    }

    pub(super) fn is_complete(&self, list: List) -> bool {
        locked(&self.lists)[list as usize].complete
    }

    /// Goes to a page of a list; `false` where it was gone to before.
    pub(super) fn follow(&self, list: List, marker: &str) -> bool {
        let standing = &mut locked(&self.lists)[list as usize];
        let is_new = standing.followed.insert(standing.hasher.hash_one(marker));
        if is_new {
            standing.marker = Some(marker.to_owned());
        }
        is_new
    }

    pub(super) fn complete(&self, list: List) {
        locked(&self.lists)[list as usize] = Standing { complete: true, ..Standing::default() };
    }

    /// Goes back to the first page of a list.
    pub(super) fn restart(&self, list: List) {
        locked(&self.lists)[list as usize] = Standing::default();
    }
}
