//! The keys and aliases of a place, joined, as far as they are known.
//!
//! Pages of ListKeys and ListAliases and answers of DescribeKey go in, in any order; every call
//! says which rows it changed, so that whoever shows them works per batch and never per catalog.
//! Rows are named by handles that stay good for the life of the catalog: a key that a reload no
//! longer finds is marked as gone, its handle is not used again.

use std::collections::{BTreeMap, HashMap};

use super::failure::Failure;
use super::key::{KeyMetadata, KeyState};

/// Stands for a key of one catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHandle(u32);

/// Stands for an alias of one catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AliasHandle(u32);

/// A row's place in its catalog's arrays, for side tables.
pub trait Handle: Copy + Eq {
    fn index(self) -> usize;
}

impl Handle for KeyHandle {
    fn index(self) -> usize {
        self.0 as usize
    }
}

impl Handle for AliasHandle {
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// An entry of ListKeys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    pub key_id: String,
    pub arn: String,
}

/// An entry of ListAliases. A predefined alias of AWS has no target until it is first used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedAlias {
    pub name: String,
    pub arn: String,
    pub target_key_id: Option<String>,
}

/// What DescribeKey told about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Described {
    /// Not asked yet, or no answer yet.
    Unknown,
    Known(Box<KeyMetadata>),
    /// Asked, and refused: the key keeps its row.
    Refused(Box<Failure>),
}

/// A key's row.
#[derive(Clone, Debug)]
pub struct KeyRow {
    pub key_id: Box<str>,
    pub arn: Box<str>,
    /// In order of name.
    aliases: Vec<AliasHandle>,
    pub described: Described,
    /// Aliases, key id and description in lower case, for the filter.
    haystack: Box<str>,
    round: u32,
    /// The round in which DescribeKey last answered.
    described_round: Option<u32>,
    gone: bool,
}

impl KeyRow {
    /// The aliases that point to the key, in order of name.
    #[must_use]
    pub fn aliases(&self) -> &[AliasHandle] {
        &self.aliases
    }

    #[must_use]
    pub fn metadata(&self) -> Option<&KeyMetadata> {
        match &self.described {
            Described::Known(metadata) => Some(metadata),
            _ => None,
        }
    }

    #[must_use]
    pub fn state(&self) -> Option<&KeyState> {
        self.metadata().and_then(|metadata| metadata.key_state.as_ref())
    }

    #[must_use]
    pub fn refusal(&self) -> Option<&Failure> {
        match &self.described {
            Described::Refused(failure) => Some(failure),
            _ => None,
        }
    }

    #[must_use]
    pub const fn is_described(&self) -> bool {
        !matches!(self.described, Described::Unknown)
    }

    /// Aliases, key id and description in lower case, a line each.
    #[must_use]
    pub fn haystack(&self) -> &str {
        &self.haystack
    }
}

/// An alias's row.
#[derive(Clone, Debug)]
pub struct AliasRow {
    pub name: Box<str>,
    pub arn: Box<str>,
    pub target_key_id: Option<Box<str>>,
    /// The target's row, once ListKeys has brought it.
    pub key: Option<KeyHandle>,
    /// The name in lower case, for the filter.
    haystack: Box<str>,
    round: u32,
    gone: bool,
}

impl AliasRow {
    /// The name in lower case.
    #[must_use]
    pub fn haystack(&self) -> &str {
        &self.haystack
    }
}

/// Rows that a call added, changed or removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub keys: Vec<KeyHandle>,
    pub aliases: Vec<AliasHandle>,
}

/// The keys and aliases of a place.
#[derive(Debug, Default)]
pub struct Catalog {
    keys: Vec<KeyRow>,
    aliases: Vec<AliasRow>,
    // In order, for completions.
    by_arn: BTreeMap<Box<str>, KeyHandle>,
    by_key_id: BTreeMap<Box<str>, KeyHandle>,
    by_alias_name: BTreeMap<Box<str>, AliasHandle>,
    /// Aliases whose key ListKeys has not brought.
    waiting: HashMap<Box<str>, Vec<AliasHandle>>,
    round: u32,
    key_count: usize,
    alias_count: usize,
    described_count: usize,
    refused_count: usize,
    /// Keys that DescribeKey has answered for in this round.
    fresh_count: usize,
}

impl Catalog {
    /// How many keys there are.
    #[must_use]
    pub const fn key_count(&self) -> usize {
        self.key_count
    }

    /// How many aliases there are.
    #[must_use]
    pub const fn alias_count(&self) -> usize {
        self.alias_count
    }

    /// How many keys DescribeKey has answered for, refusals included.
    #[must_use]
    pub const fn described_count(&self) -> usize {
        self.described_count
    }

    /// How many keys DescribeKey has answered for since everything was last read anew.
    #[must_use]
    pub const fn fresh_count(&self) -> usize {
        self.fresh_count
    }

    /// How many keys DescribeKey was refused for.
    #[must_use]
    pub const fn refused_count(&self) -> usize {
        self.refused_count
    }

    /// The row of a key. A handle of another catalog has no meaning here.
    #[must_use]
    pub fn key(&self, handle: KeyHandle) -> Option<&KeyRow> {
        self.keys.get(handle.index()).filter(|row| !row.gone)
    }

    #[must_use]
    pub fn alias(&self, handle: AliasHandle) -> Option<&AliasRow> {
        self.aliases.get(handle.index()).filter(|row| !row.gone)
    }

    /// All keys, in the order in which they came.
    pub fn keys(&self) -> impl Iterator<Item = (KeyHandle, &KeyRow)> {
        let rows = self.keys.iter().enumerate().filter(|(_, row)| !row.gone);
        rows.map(|(index, row)| (KeyHandle(narrow(index)), row))
    }

    /// All aliases, in the order in which they came.
    pub fn aliases(&self) -> impl Iterator<Item = (AliasHandle, &AliasRow)> {
        let rows = self.aliases.iter().enumerate().filter(|(_, row)| !row.gone);
        rows.map(|(index, row)| (AliasHandle(narrow(index)), row))
    }

    #[must_use]
    pub fn key_of_arn(&self, arn: &str) -> Option<KeyHandle> {
        self.by_arn.get(arn).copied().filter(|handle| self.key(*handle).is_some())
    }

    /// The key that an identifier of any of the four forms names in this catalog.
    #[must_use]
    pub fn resolve(&self, identifier: &str) -> Option<KeyHandle> {
        let of_alias = |name: &str| {
            let alias = self.by_alias_name.get(name)?;
            self.alias(*alias)?.key
        };
        self.by_arn
            .get(identifier)
            .or_else(|| self.by_key_id.get(identifier))
            .copied()
            .or_else(|| of_alias(identifier))
            .or_else(|| {
                let arn = super::identifier::Arn::parse(identifier)?;
                let handle = of_alias(arn.name())?;
                let alias = self.by_alias_name.get(arn.name())?;
                (*self.alias(*alias)?.arn == *identifier).then_some(handle)
            })
            .filter(|handle| self.key(*handle).is_some())
    }

    /// The first name that begins with these characters and goes on: an alias, else a key id or ARN.
    #[must_use]
    pub fn completion(&self, typed: &str) -> Option<&str> {
        let alias = after(&self.by_alias_name, typed).find(|(_, alias)| self.alias(*alias).is_some());
        if let Some((name, _)) = alias {
            return Some(name);
        }
        let mut keys = after(&self.by_key_id, typed).chain(after(&self.by_arn, typed));
        keys.find(|(_, key)| self.key(*key).is_some()).map(|(name, _)| name)
    }

    /// The name of the key's first alias.
    #[must_use]
    pub fn first_alias(&self, key: KeyHandle) -> Option<&str> {
        let first = *self.key(key)?.aliases.first()?;
        self.alias(first).map(|alias| &*alias.name)
    }

    /// Whether DescribeKey has answered for the key since everything was last read anew.
    #[must_use]
    pub fn is_fresh(&self, key: KeyHandle) -> bool {
        self.key(key).is_some_and(|row| row.described_round == Some(self.round))
    }

    /// Begins to read everything anew: rows stay, and those not seen again by
    /// [`Self::finish_keys`] and [`Self::finish_aliases`] go.
    pub fn begin_round(&mut self) {
        self.round += 1;
        self.fresh_count = 0;
    }

    /// Takes a page of ListKeys.
    pub fn add_keys(&mut self, page: Vec<ListedKey>) -> Changes {
        let mut changes = Changes::default();
        for listed in page {
            if let Some(&handle) = self.by_arn.get(listed.arn.as_str()) {
                let row = &mut self.keys[handle.index()];
                row.round = self.round;
                if std::mem::take(&mut row.gone) {
                    self.key_count += 1;
                    self.adopt(handle, &mut changes);
                }
                continue;
            }
            let handle = KeyHandle(narrow(self.keys.len()));
            self.by_arn.insert(listed.arn.as_str().into(), handle);
            self.by_key_id.insert(listed.key_id.as_str().into(), handle);
            self.keys.push(KeyRow {
                key_id: listed.key_id.into(),
                arn: listed.arn.into(),
                aliases: Vec::new(),
                described: Described::Unknown,
                haystack: Box::default(),
                round: self.round,
                described_round: None,
                gone: false,
            });
            self.key_count += 1;
            self.adopt(handle, &mut changes);
        }
        changes
    }

    /// Gives a key that has come the aliases that wait for it.
    fn adopt(&mut self, key: KeyHandle, changes: &mut Changes) {
        let aliases = self.waiting.remove(&self.keys[key.index()].key_id).unwrap_or_default();
        for alias in &aliases {
            self.aliases[alias.index()].key = Some(key);
        }
        changes.aliases.extend_from_slice(&aliases);
        changes.keys.push(key);
        self.keys[key.index()].aliases = aliases;
        self.settle_key(key);
    }

    /// Takes a page of ListAliases.
    pub fn add_aliases(&mut self, page: Vec<ListedAlias>) -> Changes {
        let mut changes = Changes::default();
        for listed in page {
            let handle = self.upsert_alias(listed, &mut changes);
            if let Some(handle) = handle {
                changes.aliases.push(handle);
            }
        }
        changes.keys.sort_unstable();
        changes.keys.dedup();
        for key in &changes.keys {
            self.settle_key(*key);
        }
        changes
    }

    fn upsert_alias(&mut self, listed: ListedAlias, changes: &mut Changes) -> Option<AliasHandle> {
        let known = self.by_alias_name.get(listed.name.as_str()).copied();
        let handle = if let Some(handle) = known {
            let row = &mut self.aliases[handle.index()];
            row.round = self.round;
            if !row.gone && row.target_key_id.as_deref() == listed.target_key_id.as_deref() {
                return None;
            }
            if std::mem::take(&mut row.gone) {
                self.alias_count += 1;
            } else {
                self.detach(handle, changes);
            }
            handle
        } else {
            let handle = AliasHandle(narrow(self.aliases.len()));
            self.by_alias_name.insert(listed.name.as_str().into(), handle);
            self.aliases.push(AliasRow {
                haystack: listed.name.to_lowercase().into(),
                name: listed.name.into(),
                arn: listed.arn.into(),
                target_key_id: None,
                key: None,
                round: self.round,
                gone: false,
            });
            self.alias_count += 1;
            handle
        };
        let key = listed.target_key_id.as_deref().and_then(|id| self.by_key_id.get(id)).copied();
        let row = &mut self.aliases[handle.index()];
        row.target_key_id = listed.target_key_id.map(Into::into);
        row.key = key;
        match (key, &row.target_key_id) {
            (Some(key), _) => {
                self.keys[key.index()].aliases.push(handle);
                changes.keys.push(key);
            }
            (None, Some(target)) => self.waiting.entry(target.clone()).or_default().push(handle),
            (None, None) => {}
        }
        Some(handle)
    }

    /// Takes an alias away from the key that it points to.
    fn detach(&mut self, alias: AliasHandle, changes: &mut Changes) {
        let row = &mut self.aliases[alias.index()];
        let target = row.target_key_id.take();
        if let Some(key) = row.key.take() {
            self.keys[key.index()].aliases.retain(|other| *other != alias);
            changes.keys.push(key);
        } else if let Some(waiting) = target.and_then(|target| self.waiting.get_mut(&target)) {
            waiting.retain(|other| *other != alias);
        }
    }

    /// Takes what DescribeKey told about the key of this ARN. A key that is not listed is not
    /// added: then nothing changes.
    pub fn describe(&mut self, arn: &str, described: Described) -> Changes {
        let Some(handle) = self.key_of_arn(arn) else {
            return Changes::default();
        };
        self.count_description(handle, -1);
        let row = &mut self.keys[handle.index()];
        row.described = described;
        row.described_round = Some(self.round);
        self.count_description(handle, 1);
        self.settle_key(handle);
        Changes { aliases: self.keys[handle.index()].aliases.clone(), keys: vec![handle] }
    }

    fn count_description(&mut self, handle: KeyHandle, by: isize) {
        let row = &self.keys[handle.index()];
        if row.is_described() {
            self.described_count = self.described_count.saturating_add_signed(by);
        }
        if row.refusal().is_some() {
            self.refused_count = self.refused_count.saturating_add_signed(by);
        }
        if row.described_round == Some(self.round) {
            self.fresh_count = self.fresh_count.saturating_add_signed(by);
        }
    }

    /// ListKeys has come to its end: keys that this round did not bring are gone.
    pub fn finish_keys(&mut self) -> Changes {
        let mut changes = Changes::default();
        for index in 0..self.keys.len() {
            if self.keys[index].gone || self.keys[index].round == self.round {
                continue;
            }
            let handle = KeyHandle(narrow(index));
            self.count_description(handle, -1);
            let row = &mut self.keys[index];
            (row.gone, row.described, row.described_round) = (true, Described::Unknown, None);
            let (key_id, aliases) = (row.key_id.clone(), std::mem::take(&mut row.aliases));
            for alias in &aliases {
                self.aliases[alias.index()].key = None;
            }
            changes.aliases.extend_from_slice(&aliases);
            self.waiting.entry(key_id).or_default().extend(aliases);
            self.key_count -= 1;
            changes.keys.push(handle);
        }
        changes
    }

    /// ListAliases has come to its end: aliases that this round did not bring are gone.
    pub fn finish_aliases(&mut self) -> Changes {
        let mut changes = Changes::default();
        for index in 0..self.aliases.len() {
            if self.aliases[index].gone || self.aliases[index].round == self.round {
                continue;
            }
            let handle = AliasHandle(narrow(index));
            self.detach(handle, &mut changes);
            self.aliases[index].gone = true;
            self.alias_count -= 1;
            changes.aliases.push(handle);
        }
        for key in &changes.keys {
            self.settle_key(*key);
        }
        changes
    }

    /// Puts a key's aliases in order and makes its text for the filter.
    fn settle_key(&mut self, handle: KeyHandle) {
        let mut aliases = std::mem::take(&mut self.keys[handle.index()].aliases);
        aliases.sort_unstable_by(|a, b| self.aliases[a.index()].name.cmp(&self.aliases[b.index()].name));
        let row = &self.keys[handle.index()];
        let mut haystack = row.key_id.to_lowercase();
        for alias in &aliases {
            haystack.push('\n');
            haystack.push_str(&self.aliases[alias.index()].name.to_lowercase());
        }
        if let Some(metadata) = row.metadata() {
            haystack.push('\n');
            haystack.push_str(&metadata.description.to_lowercase());
        }
        let row = &mut self.keys[handle.index()];
        row.haystack = haystack.into();
        row.aliases = aliases;
    }
}

/// Names that begin with these characters and go on, in order.
fn after<'a, H: Copy>(names: &'a BTreeMap<Box<str>, H>, typed: &str) -> impl Iterator<Item = (&'a str, H)> {
    let behind = (std::ops::Bound::Excluded(typed), std::ops::Bound::Unbounded);
    let names = names.range::<str, _>(behind).map(|(name, handle)| (&**name, *handle));
    names.take_while(move |(name, _)| name.starts_with(typed))
}

/// Four thousand million rows are out of reach: KMS holds 100,000 keys a region.
fn narrow(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
