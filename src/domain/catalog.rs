//! The keys and aliases of a place, joined, as far as they are known.
//!
//! Pages of ListKeys and ListAliases and answers of DescribeKey go in, in any order; every call
//! says which rows it changed, so that whoever shows them works per batch and never per catalog.
//! Rows are named by handles that stay good for the life of the catalog: a key that a reload no
//! longer finds is marked as gone, its handle is not used again.
//!
//! One catalog may hold several regions, a [`Source`] each: a multi-Region key has a row in each of
//! them, and an alias name may be in all.
//!
//! An account may hold 100,000 keys a region, so rows are small: an id is 16 bytes, an ARN is its
//! region's prefix and the id, and what many keys have in common ([`Traits`]) is kept once. All that
//! DescribeKey tells of one key is for its details to ask for.

mod findings;
mod id;
mod remembered;
mod tally;

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};

use hashbrown::{HashMap, HashTable};
use jiff::Timestamp;
use smallvec::SmallVec;

use self::findings::Findings;
use self::id::Id;
use super::failure::Failure;
use super::identifier::Arn;
use super::key::{KeyMetadata, KeyState, Traits};

pub use findings::{RotationSeen, RotationTally, Seen};
pub use remembered::{Remembered, Unreadable};
pub use tally::Tally;

/// Stands for a key of one catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHandle(u32);

/// Stands for an alias of one catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AliasHandle(u32);

/// Stands for a region of one catalog, in the order in which they are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source(pub u8);

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
    Known(Box<KeyMetadata>),
    /// Asked, and refused: the key keeps its row.
    Refused(Box<Failure>),
}

/// Rows that a call added, changed or removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub keys: Vec<KeyHandle>,
    pub aliases: Vec<AliasHandle>,
}

impl Changes {
    /// Takes in what another call changed.
    pub fn extend(&mut self, other: Self) {
        self.keys.extend(other.keys);
        self.aliases.extend(other.aliases);
    }
}

#[derive(Debug)]
struct KeyRow {
    id: Id,
    source: Source,
    gone: bool,
    /// In order of name.
    aliases: SmallVec<[AliasHandle; 4]>,
    told: Told,
    /// The reading of the list that last brought it.
    round: u32,
    /// The reading in which DescribeKey last answered; 0 is before the first.
    described_round: u32,
}

/// What a row keeps of what DescribeKey told.
#[derive(Debug)]
enum Told {
    Nothing,
    Known(Known),
    Refused(Box<Failure>),
}

#[derive(Debug)]
struct Known {
    /// Into [`Catalog::traits`].
    traits: u32,
    /// Seconds since 1970; `i64::MIN` is not told.
    created: i64,
    description: Box<str>,
    /// The description in lower case, where that is another text.
    folded: Option<Box<str>>,
    dates: Option<Box<Dates>>,
}

/// Dates that few keys have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Dates {
    deletion: Option<Timestamp>,
    valid_to: Option<Timestamp>,
}

#[derive(Debug)]
struct AliasRow {
    name: Box<str>,
    /// The name in lower case, where that is another text.
    folded: Option<Box<str>>,
    /// The ARN, where it is not the region's prefix and the name.
    odd_arn: Option<Box<str>>,
    target: Option<Id>,
    /// The target's row, once ListKeys has brought it.
    key: Option<KeyHandle>,
    source: Source,
    gone: bool,
    round: u32,
}

/// What the rows of a region have in common.
#[derive(Debug)]
struct Region {
    name: Box<str>,
    /// What stands before the key id in an ARN, as the first key showed it.
    key_prefix: Option<Box<str>>,
    /// What stands before the name in an alias's ARN.
    alias_prefix: Option<Box<str>>,
    round: u32,
    /// Whether all aliases have been listed once, and in which round they last were.
    knows_aliases: bool,
    aliases_round: u32,
    key_count: usize,
    described_count: usize,
    /// Keys that DescribeKey has answered for in this round.
    fresh_count: usize,
}

impl Default for Region {
    fn default() -> Self {
        Self {
            name: Box::default(),
            key_prefix: None,
            alias_prefix: None,
            round: 1,
            knows_aliases: false,
            aliases_round: 0,
            key_count: 0,
            described_count: 0,
            fresh_count: 0,
        }
    }
}

impl Region {
    /// The ARN of an alias, where it is not the region's prefix and the name. The first alias shows the
    /// prefix.
    fn odd_alias_arn(&mut self, listed: &ListedAlias) -> Option<Box<str>> {
        let prefix = listed.arn.strip_suffix(&listed.name);
        if self.alias_prefix.is_none() {
            self.alias_prefix = prefix.map(Into::into);
        }
        let is_odd = prefix.is_none() || self.alias_prefix.as_deref() != prefix;
        is_odd.then(|| listed.arn.as_str().into())
    }
}

/// The keys and aliases of a place.
#[derive(Debug, Default)]
pub struct Catalog {
    regions: Vec<Region>,
    keys: Vec<KeyRow>,
    aliases: Vec<AliasRow>,
    traits: Vec<Traits>,
    traits_index: HashMap<Traits, u32>,
    /// By key id; a multi-Region key is here once a region.
    by_key_id: HashTable<KeyHandle>,
    by_alias_name: HashTable<AliasHandle>,
    /// ARNs that are not their region's prefix and the key id.
    odd_arns: HashMap<KeyHandle, Box<str>>,
    by_odd_arn: HashMap<(Source, Box<str>), KeyHandle>,
    /// Aliases whose key ListKeys has not brought.
    waiting: HashMap<(Source, Id), SmallVec<[AliasHandle; 2]>>,
    hasher: RandomState,
    key_count: usize,
    alias_count: usize,
    tally: Tally,
    findings: Findings,
}

/// A key of a catalog, to look at.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    catalog: &'a Catalog,
    handle: KeyHandle,
    row: &'a KeyRow,
}

impl<'a> Key<'a> {
    #[must_use]
    pub const fn handle(self) -> KeyHandle {
        self.handle
    }

    #[must_use]
    pub const fn source(self) -> Source {
        self.row.source
    }

    /// The region that the key was listed in, as far as it was told.
    #[must_use]
    pub fn region(self) -> &'a str {
        self.catalog.region(self.row.source)
    }

    #[must_use]
    pub fn key_id(self) -> Cow<'a, str> {
        self.row.id.text()
    }

    /// The key id, written where it costs nothing.
    #[must_use]
    pub fn key_id_in<'b>(self, buffer: &'b mut [u8; 36]) -> &'b str
    where
        'a: 'b,
    {
        self.row.id.write(buffer)
    }

    #[must_use]
    pub fn arn(self) -> String {
        if let Some(arn) = self.catalog.odd_arns.get(&self.handle) {
            return arn.to_string();
        }
        let prefix = self.catalog.regions[self.row.source.0 as usize].key_prefix.as_deref();
        format!("{}{}", prefix.unwrap_or_default(), self.row.id.text())
    }

    /// Whether the id is of a form of its own.
    #[must_use]
    pub const fn has_unusual_id(self) -> bool {
        matches!(self.row.id, Id::Text(_))
    }

    /// The aliases that point to the key, in order of name.
    #[must_use]
    pub fn aliases(self) -> &'a [AliasHandle] {
        &self.row.aliases
    }

    /// Whether no alias of it is still to come: all have been listed once.
    #[must_use]
    pub fn knows_its_aliases(self) -> bool {
        self.catalog.regions[self.row.source.0 as usize].knows_aliases
    }

    /// The names of its aliases, in order.
    pub fn alias_names(self) -> impl Iterator<Item = &'a str> {
        self.row.aliases.iter().map(move |alias| &*self.catalog.aliases[alias.index()].name)
    }

    #[must_use]
    pub fn first_alias(self) -> Option<&'a str> {
        self.row.aliases.first().map(|alias| &*self.catalog.aliases[alias.index()].name)
    }

    /// What DescribeKey told that many keys share.
    #[must_use]
    pub fn traits(self) -> Option<&'a Traits> {
        Some(&self.catalog.traits[self.known()?.traits as usize])
    }

    /// A number for the traits: equal for keys with equal traits, below the number of different ones.
    #[must_use]
    pub fn traits_index(self) -> Option<usize> {
        self.known().map(|known| known.traits as usize)
    }

    fn known(self) -> Option<&'a Known> {
        match &self.row.told {
            Told::Known(known) => Some(known),
            _ => None,
        }
    }

    #[must_use]
    pub fn state(self) -> Option<&'a KeyState> {
        self.traits()?.key_state.as_ref()
    }

    /// To the second.
    #[must_use]
    pub fn creation_date(self) -> Option<Timestamp> {
        Timestamp::from_second(self.known()?.created).ok()
    }

    #[must_use]
    pub fn deletion_date(self) -> Option<Timestamp> {
        self.known()?.dates.as_ref()?.deletion
    }

    /// When imported key material expires.
    #[must_use]
    pub fn valid_to(self) -> Option<Timestamp> {
        self.known()?.dates.as_ref()?.valid_to
    }

    /// As DescribeKey told it; empty where it told none.
    #[must_use]
    pub fn description(self) -> &'a str {
        self.known().map_or("", |known| &known.description)
    }

    /// The description in lower case.
    #[must_use]
    pub fn folded_description(self) -> &'a str {
        self.known().map_or("", |known| known.folded.as_ref().unwrap_or(&known.description))
    }

    #[must_use]
    pub fn refusal(self) -> Option<&'a Failure> {
        match &self.row.told {
            Told::Refused(failure) => Some(failure),
            _ => None,
        }
    }

    /// Whether DescribeKey has answered, well or badly.
    #[must_use]
    pub const fn is_described(self) -> bool {
        !matches!(self.row.told, Told::Nothing)
    }

    /// Whether DescribeKey has answered since everything was last read anew.
    #[must_use]
    pub fn is_fresh(self) -> bool {
        self.is_described()
            && self.row.described_round == self.catalog.regions[self.row.source.0 as usize].round
    }

    /// Whether what is known of it comes from an earlier run of the program.
    #[must_use]
    pub const fn is_remembered(self) -> bool {
        self.is_described() && self.row.described_round == 0
    }
}

/// An alias of a catalog, to look at.
#[derive(Clone, Copy, Debug)]
pub struct Alias<'a> {
    catalog: &'a Catalog,
    row: &'a AliasRow,
}

impl<'a> Alias<'a> {
    #[must_use]
    pub const fn name(self) -> &'a str {
        &self.row.name
    }

    /// The name in lower case.
    #[must_use]
    pub fn folded(self) -> &'a str {
        self.row.folded.as_ref().unwrap_or(&self.row.name)
    }

    /// Empty where the service told none.
    #[must_use]
    pub fn arn(self) -> Cow<'a, str> {
        if let Some(arn) = &self.row.odd_arn {
            return Cow::Borrowed(arn);
        }
        let prefix = self.catalog.regions[self.row.source.0 as usize].alias_prefix.as_deref();
        Cow::Owned(format!("{}{}", prefix.unwrap_or_default(), self.row.name))
    }

    #[must_use]
    pub const fn source(self) -> Source {
        self.row.source
    }

    #[must_use]
    pub fn region(self) -> &'a str {
        self.catalog.region(self.row.source)
    }

    #[must_use]
    pub const fn has_target(self) -> bool {
        self.row.target.is_some()
    }

    #[must_use]
    pub fn target_key_id(self) -> Option<Cow<'a, str>> {
        self.row.target.as_ref().map(Id::text)
    }

    /// The target's key id, written where it costs nothing; empty where there is none.
    #[must_use]
    pub fn target_in<'b>(self, buffer: &'b mut [u8; 36]) -> &'b str
    where
        'a: 'b,
    {
        self.row.target.as_ref().map_or("", |target| target.write(buffer))
    }

    /// The target's row, once ListKeys has brought it.
    #[must_use]
    pub const fn key(self) -> Option<KeyHandle> {
        self.row.key
    }
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
    pub fn described_count(&self) -> usize {
        self.regions.iter().map(|region| region.described_count).sum()
    }

    /// How many keys DescribeKey has answered for since everything was last read anew.
    #[must_use]
    pub fn fresh_count(&self) -> usize {
        self.regions.iter().map(|region| region.fresh_count).sum()
    }

    /// Keys of one region: how many there are, and for how many of them DescribeKey has answered since
    /// everything was last read anew.
    #[must_use]
    pub fn progress(&self, source: Source) -> (usize, usize) {
        self.regions.get(source.0 as usize).map_or((0, 0), |region| (region.key_count, region.fresh_count))
    }

    /// The keys counted by what they are.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// All traits that keys have or had, by [`Key::traits_index`].
    #[must_use]
    pub fn all_traits(&self) -> &[Traits] {
        &self.traits
    }

    /// Whether all aliases of every region have been listed once.
    #[must_use]
    pub fn knows_aliases(&self) -> bool {
        !self.regions.is_empty() && self.regions.iter().all(|region| region.knows_aliases)
    }

    /// Names a region.
    pub fn name_region(&mut self, source: Source, name: &str) {
        self.region_mut(source).name = name.into();
    }

    /// The name of a region, as far as it was told.
    #[must_use]
    pub fn region(&self, source: Source) -> &str {
        self.regions.get(source.0 as usize).map_or("", |region| &region.name)
    }

    /// Whether rows may be of several regions.
    #[must_use]
    pub const fn has_several_regions(&self) -> bool {
        self.regions.len() > 1
    }

    fn region_mut(&mut self, source: Source) -> &mut Region {
        let index = source.0 as usize;
        if self.regions.len() <= index {
            self.regions.resize_with(index + 1, Region::default);
        }
        &mut self.regions[index]
    }

    /// A key. A handle of another catalog has no meaning here.
    #[must_use]
    pub fn key(&self, handle: KeyHandle) -> Option<Key<'_>> {
        let row = self.keys.get(handle.index()).filter(|row| !row.gone)?;
        Some(Key { catalog: self, handle, row })
    }

    #[must_use]
    pub fn alias(&self, handle: AliasHandle) -> Option<Alias<'_>> {
        let row = self.aliases.get(handle.index()).filter(|row| !row.gone)?;
        Some(Alias { catalog: self, row })
    }

    /// All keys, in the order in which they came.
    pub fn keys(&self) -> impl Iterator<Item = Key<'_>> {
        (0..self.keys.len()).filter_map(|index| self.key(KeyHandle(narrow(index))))
    }

    /// All aliases, in the order in which they came.
    pub fn aliases(&self) -> impl Iterator<Item = (AliasHandle, Alias<'_>)> {
        (0..self.aliases.len()).filter_map(|index| {
            let handle = AliasHandle(narrow(index));
            Some((handle, self.alias(handle)?))
        })
    }

    /// The key of an ARN.
    #[must_use]
    pub fn key_of_arn(&self, arn: &str) -> Option<KeyHandle> {
        self.find_arn(arn).filter(|handle| self.key(*handle).is_some())
    }

    /// The same, also where the key has gone.
    fn find_arn(&self, arn: &str) -> Option<KeyHandle> {
        let sources = (0..self.regions.len()).filter_map(|index| u8::try_from(index).ok());
        sources.map(Source).find_map(|source| self.find_arn_in(source, arn))
    }

    fn find_arn_in(&self, source: Source, arn: &str) -> Option<KeyHandle> {
        let prefix = self.regions.get(source.0 as usize)?.key_prefix.as_deref();
        let id = prefix.and_then(|prefix| arn.strip_prefix(prefix));
        let by_prefix = id.and_then(|id| self.find_key(source, &Id::of(id)));
        // A key whose ARN is odd may have an id that fits a prefix.
        let by_prefix = by_prefix.filter(|handle| !self.odd_arns.contains_key(handle));
        by_prefix.or_else(|| self.by_odd_arn.get(&(source, arn.into())).copied())
    }

    fn find_key(&self, source: Source, id: &Id) -> Option<KeyHandle> {
        let same = |handle: &KeyHandle| {
            let row = &self.keys[handle.index()];
            row.source == source && row.id == *id
        };
        self.by_key_id.find(self.hasher.hash_one(id), same).copied()
    }

    fn find_alias(&self, source: Source, name: &str) -> Option<AliasHandle> {
        let same = |handle: &AliasHandle| {
            let row = &self.aliases[handle.index()];
            row.source == source && *row.name == *name
        };
        self.by_alias_name.find(self.hasher.hash_one(name), same).copied()
    }

    /// The key that an identifier of any of the four forms names in a region of this catalog.
    #[must_use]
    pub fn resolve_in(&self, source: Source, identifier: &str) -> Option<KeyHandle> {
        let found = if let Some(arn) = Arn::parse(identifier) {
            self.find_arn_in(source, identifier).or_else(|| {
                let alias = self.alias(self.find_alias(source, arn.name())?)?;
                alias.key().filter(|_| alias.arn() == identifier)
            })
        } else {
            let of_alias = |name: &str| self.alias(self.find_alias(source, name)?)?.key();
            self.find_key(source, &Id::of(identifier))
                .or_else(|| of_alias(identifier))
                .or_else(|| self.by_odd_arn.get(&(source, identifier.into())).copied())
        };
        found.filter(|handle| self.key(*handle).is_some_and(|key| key.source() == source))
    }

    /// The same in whichever region knows it first.
    #[must_use]
    pub fn resolve(&self, identifier: &str) -> Option<KeyHandle> {
        let sources = (0..self.regions.len()).filter_map(|index| u8::try_from(index).ok());
        sources.map(Source).find_map(|source| self.resolve_in(source, identifier))
    }

    /// The first name that begins with these characters and goes on: an alias, else a key id or ARN.
    /// Linear in the number of rows.
    #[must_use]
    pub fn completion(&self, typed: &str) -> Option<String> {
        let goes_on = |name: &str| name.len() > typed.len() && name.starts_with(typed);
        let alias = self.aliases().map(|(_, alias)| alias.name()).filter(|name| goes_on(name)).min();
        if let Some(name) = alias {
            return Some(name.to_owned());
        }
        if typed.is_empty() || id::may_begin(typed) {
            let ids = self.keys().filter(|key| goes_on(key.key_id_in(&mut [0; 36])));
            if let Some(id) = ids.map(Key::key_id).min() {
                return Some(id.into_owned());
            }
        }
        self.arn_completion(typed)
    }

    fn arn_completion(&self, typed: &str) -> Option<String> {
        let of_region = |(index, region): (usize, &Region)| {
            let prefix = region.key_prefix.as_deref()?;
            // Of the id only what goes beyond the prefix is typed, if anything.
            let begun = typed.strip_prefix(prefix).or_else(|| prefix.starts_with(typed).then_some(""))?;
            let of_here = self.keys().filter(|key| key.source().0 as usize == index);
            let fits = |key: &Key<'_>| {
                let mut buffer = [0; 36];
                let id = key.key_id_in(&mut buffer);
                id.starts_with(begun) && id.len() > begun.len() && !self.odd_arns.contains_key(&key.handle)
            };
            Some(format!("{prefix}{}", of_here.filter(fits).map(Key::key_id).min()?))
        };
        let usual = self.regions.iter().enumerate().filter_map(of_region);
        let odd = self.by_odd_arn.iter().filter(|(_, key)| self.key(**key).is_some());
        let odd = odd
            .map(|((_, arn), _)| arn.to_string())
            .filter(|arn| arn.len() > typed.len() && arn.starts_with(typed));
        usual.chain(odd).min()
    }

    /// The name of the key's first alias.
    #[must_use]
    pub fn first_alias(&self, key: KeyHandle) -> Option<&str> {
        self.key(key)?.first_alias()
    }

    /// Whether DescribeKey has answered for the key since everything was last read anew.
    #[must_use]
    pub fn is_fresh(&self, key: KeyHandle) -> bool {
        self.key(key).is_some_and(Key::is_fresh)
    }

    /// Begins to read a region anew: rows stay, and those not seen again by [`Self::finish_keys`] and
    /// [`Self::finish_aliases`] go.
    pub fn begin_round(&mut self, source: Source) {
        let region = self.region_mut(source);
        region.round += 1;
        region.fresh_count = 0;
    }

    /// Takes a page of ListKeys.
    pub fn add_keys(&mut self, source: Source, page: Vec<ListedKey>) -> Changes {
        let mut changes = Changes::default();
        let round = self.region_mut(source).round;
        for listed in page {
            let id = Id::of(&listed.key_id);
            let known = self.find_key(source, &id).filter(|handle| self.arn_is(*handle, &listed.arn));
            if let Some(handle) =
                known.or_else(|| self.by_odd_arn.get(&(source, listed.arn.as_str().into())).copied())
            {
                self.keys[handle.index()].round = round;
                if std::mem::take(&mut self.keys[handle.index()].gone) {
                    self.count_key(handle, 1);
                    self.adopt(handle, &mut changes);
                }
                continue;
            }
            let handle = self.push_key(source, id, &listed, round);
            self.adopt(handle, &mut changes);
        }
        changes
    }

    /// Adds a key that is not there.
    fn push_key(&mut self, source: Source, id: Id, listed: &ListedKey, round: u32) -> KeyHandle {
        let handle = KeyHandle(narrow(self.keys.len()));
        self.learn_arn(source, handle, listed);
        let hash = self.hasher.hash_one(&id);
        self.keys.push(KeyRow {
            id,
            source,
            gone: false,
            aliases: SmallVec::new(),
            told: Told::Nothing,
            round,
            described_round: 0,
        });
        let Self { keys, hasher, .. } = self;
        let rehash = |handle: &KeyHandle| hasher.hash_one(&keys[handle.index()].id);
        self.by_key_id.insert_unique(hash, handle, rehash);
        self.count_key(handle, 1);
        handle
    }

    fn arn_is(&self, handle: KeyHandle, arn: &str) -> bool {
        if let Some(odd) = self.odd_arns.get(&handle) {
            return **odd == *arn;
        }
        let row = &self.keys[handle.index()];
        let prefix = self.regions[row.source.0 as usize].key_prefix.as_deref().unwrap_or_default();
        let id = arn.strip_prefix(prefix);
        id.is_some_and(|id| id == row.id.write(&mut [0; 36]))
    }

    /// Keeps an ARN that is not the region's prefix and the key id.
    fn learn_arn(&mut self, source: Source, handle: KeyHandle, listed: &ListedKey) {
        let prefix = listed.arn.strip_suffix(&listed.key_id);
        let region = self.region_mut(source);
        if region.key_prefix.is_none() {
            region.key_prefix = prefix.map(Into::into);
        }
        if prefix.is_none() || region.key_prefix.as_deref() != prefix {
            self.odd_arns.insert(handle, listed.arn.as_str().into());
            self.by_odd_arn.insert((source, listed.arn.as_str().into()), handle);
        }
    }

    /// Gives a key that has come the aliases that wait for it.
    fn adopt(&mut self, handle: KeyHandle, changes: &mut Changes) {
        changes.keys.push(handle);
        if self.waiting.is_empty() {
            return;
        }
        let row = &self.keys[handle.index()];
        let Some(aliases) = self.waiting.remove(&(row.source, row.id.clone())) else { return };
        for alias in aliases {
            self.aliases[alias.index()].key = Some(handle);
            changes.aliases.push(alias);
            self.attach(alias, handle);
        }
    }

    /// Puts an alias among those of its key, in order of name.
    fn attach(&mut self, alias: AliasHandle, key: KeyHandle) {
        let is_first = self.keys[key.index()].aliases.is_empty();
        if is_first {
            self.count_told(key, -1);
        }
        let Self { aliases, keys, .. } = self;
        let name = &aliases[alias.index()].name;
        let among = &mut keys[key.index()].aliases;
        let at = among.partition_point(|other| aliases[other.index()].name < *name);
        among.insert(at, alias);
        if is_first {
            self.count_told(key, 1);
        }
    }

    /// Takes an alias away from its key.
    fn release(&mut self, alias: AliasHandle, key: KeyHandle) {
        let is_last = self.keys[key.index()].aliases.len() == 1;
        if is_last {
            self.count_told(key, -1);
        }
        self.keys[key.index()].aliases.retain(|other| *other != alias);
        if is_last {
            self.count_told(key, 1);
        }
    }

    /// Takes a page of ListAliases.
    pub fn add_aliases(&mut self, source: Source, page: Vec<ListedAlias>) -> Changes {
        let mut changes = Changes::default();
        for listed in page {
            if let Some(handle) = self.upsert_alias(source, listed, &mut changes) {
                changes.aliases.push(handle);
            }
        }
        changes.keys.sort_unstable();
        changes.keys.dedup();
        changes
    }

    fn upsert_alias(
        &mut self,
        source: Source,
        listed: ListedAlias,
        changes: &mut Changes,
    ) -> Option<AliasHandle> {
        let round = self.region_mut(source).round;
        let target = listed.target_key_id.as_deref().map(Id::of);
        let handle = if let Some(handle) = self.find_alias(source, &listed.name) {
            let region = &mut self.regions[source.0 as usize];
            let row = &mut self.aliases[handle.index()];
            if row.gone || row.round != round {
                // The account may be another than the one that the row was of.
                row.odd_arn = region.odd_alias_arn(&listed);
            }
            row.round = round;
            if !row.gone && row.target == target {
                return None;
            }
            if std::mem::take(&mut row.gone) {
                self.alias_count += 1;
            } else {
                self.detach(handle, changes);
            }
            handle
        } else {
            self.push_alias(source, listed)
        };
        let key = target.as_ref().and_then(|id| self.find_key(source, id));
        // A key that has gone may come back, and then its aliases are looked for where they wait.
        let key = key.filter(|key| !self.keys[key.index()].gone);
        self.aliases[handle.index()].key = key;
        match (key, &target) {
            (Some(key), _) => {
                self.attach(handle, key);
                changes.keys.push(key);
            }
            (None, Some(target)) => {
                self.waiting.entry((source, target.clone())).or_default().push(handle);
            }
            (None, None) => {}
        }
        self.aliases[handle.index()].target = target;
        Some(handle)
    }

    fn push_alias(&mut self, source: Source, listed: ListedAlias) -> AliasHandle {
        let handle = AliasHandle(narrow(self.aliases.len()));
        let region = self.region_mut(source);
        let round = region.round;
        let odd_arn = region.odd_alias_arn(&listed);
        let hash = self.hasher.hash_one(listed.name.as_str());
        self.aliases.push(AliasRow {
            folded: folded(&listed.name),
            odd_arn,
            name: listed.name.into(),
            target: None,
            key: None,
            source,
            gone: false,
            round,
        });
        let Self { aliases, hasher, .. } = self;
        let rehash = |handle: &AliasHandle| hasher.hash_one(&*aliases[handle.index()].name);
        self.by_alias_name.insert_unique(hash, handle, rehash);
        self.alias_count += 1;
        handle
    }

    /// Takes an alias away from the key that it points to.
    fn detach(&mut self, alias: AliasHandle, changes: &mut Changes) {
        let row = &mut self.aliases[alias.index()];
        let (target, source) = (row.target.take(), row.source);
        if let Some(key) = row.key.take() {
            self.release(alias, key);
            changes.keys.push(key);
        } else if let Some(target) = target
            && let Some(waiting) = self.waiting.get_mut(&(source, target))
        {
            waiting.retain(|other| *other != alias);
        }
    }

    /// Takes what DescribeKey told about the key of this ARN. A key that is not listed is not
    /// added: then nothing changes.
    pub fn describe(&mut self, arn: &str, described: Described) -> Changes {
        self.key_of_arn(arn).map_or_else(Changes::default, |key| self.describe_key(key, described))
    }

    /// The same for the key of one region: an endpoint may list the same keys in several.
    pub fn describe_in(&mut self, source: Source, arn: &str, described: Described) -> Changes {
        let key = self.find_arn_in(source, arn).filter(|handle| self.key(*handle).is_some());
        key.map_or_else(Changes::default, |key| self.describe_key(key, described))
    }

    fn describe_key(&mut self, handle: KeyHandle, described: Described) -> Changes {
        let round = self.regions[self.keys[handle.index()].source.0 as usize].round;
        let told = match described {
            Described::Known(metadata) => Told::Known(self.known(*metadata)),
            Described::Refused(failure) => Told::Refused(failure),
        };
        self.tell(handle, told, round);
        Changes { aliases: self.keys[handle.index()].aliases.to_vec(), keys: vec![handle] }
    }

    fn tell(&mut self, handle: KeyHandle, told: Told, round: u32) {
        self.count_description(handle, -1);
        let row = &mut self.keys[handle.index()];
        row.told = told;
        row.described_round = round;
        self.count_description(handle, 1);
    }

    fn known(&mut self, metadata: KeyMetadata) -> Known {
        let dates = Dates { deletion: metadata.deletion_date, valid_to: metadata.valid_to };
        let has_dates = dates.deletion.is_some() || dates.valid_to.is_some();
        Known {
            traits: self.traits_of(metadata.traits()),
            created: metadata.creation_date.map_or(i64::MIN, Timestamp::as_second),
            folded: folded(&metadata.description),
            description: metadata.description.into(),
            dates: has_dates.then(|| Box::new(dates)),
        }
    }

    fn traits_of(&mut self, traits: Traits) -> u32 {
        if let Some(index) = self.traits_index.get(&traits) {
            return *index;
        }
        let index = narrow(self.traits.len());
        self.traits.push(traits.clone());
        self.traits_index.insert(traits, index);
        index
    }

    /// Counts a key in or out, with all that is known of it.
    fn count_key(&mut self, handle: KeyHandle, by: isize) {
        let source = self.keys[handle.index()].source;
        self.key_count = self.key_count.saturating_add_signed(by);
        let region = self.region_mut(source);
        region.key_count = region.key_count.saturating_add_signed(by);
        self.count_description(handle, by);
    }

    /// Counts what DescribeKey told of a key in or out.
    fn count_description(&mut self, handle: KeyHandle, by: isize) {
        let row = &self.keys[handle.index()];
        let (described, round) = (!matches!(row.told, Told::Nothing), row.described_round);
        let region = &mut self.regions[row.source.0 as usize];
        if described {
            region.described_count = region.described_count.saturating_add_signed(by);
            if round == region.round {
                region.fresh_count = region.fresh_count.saturating_add_signed(by);
            }
        }
        self.count_told(handle, by);
    }

    fn count_told(&mut self, handle: KeyHandle, by: isize) {
        self.tally.count(&self.keys[handle.index()], by);
        self.count_findings(handle, by);
    }

    /// ListKeys has come to its end: keys that this round did not bring are gone.
    pub fn finish_keys(&mut self, source: Source) -> Changes {
        let mut changes = Changes::default();
        let round = self.region_mut(source).round;
        for index in 0..self.keys.len() {
            let row = &self.keys[index];
            if row.gone || row.source != source || row.round == round {
                continue;
            }
            let handle = KeyHandle(narrow(index));
            self.count_key(handle, -1);
            self.findings.forget(handle);
            let row = &mut self.keys[index];
            (row.gone, row.told, row.described_round) = (true, Told::Nothing, 0);
            let (id, aliases) = (row.id.clone(), std::mem::take(&mut row.aliases));
            for alias in &aliases {
                self.aliases[alias.index()].key = None;
            }
            changes.aliases.extend_from_slice(&aliases);
            if !aliases.is_empty() {
                self.waiting.entry((source, id)).or_default().extend(aliases);
            }
            changes.keys.push(handle);
        }
        changes
    }

    /// ListAliases has come to its end: aliases that this round did not bring are gone.
    pub fn finish_aliases(&mut self, source: Source) -> Changes {
        let mut changes = Changes::default();
        let region = self.region_mut(source);
        region.aliases_round = region.round;
        if !std::mem::replace(&mut region.knows_aliases, true) {
            // Whether a key has none is known only now.
            let of_the_region =
                |(_, row): &(usize, &KeyRow)| row.source == source && !row.gone && row.aliases.is_empty();
            let open = self.keys.iter().enumerate().filter(of_the_region);
            changes.keys = open.map(|(index, _)| KeyHandle(narrow(index))).collect();
        }
        changes.extend(self.drop_old_aliases(source));
        changes
    }

    /// Takes out the aliases that this round has not brought.
    fn drop_old_aliases(&mut self, source: Source) -> Changes {
        let mut changes = Changes::default();
        let round = self.region_mut(source).round;
        for index in 0..self.aliases.len() {
            let row = &self.aliases[index];
            if row.gone || row.source != source || row.round == round {
                continue;
            }
            let handle = AliasHandle(narrow(index));
            self.detach(handle, &mut changes);
            self.aliases[index].gone = true;
            self.alias_count -= 1;
            changes.aliases.push(handle);
        }
        changes
    }
}

/// A text in lower case, where that is another text.
fn folded(text: &str) -> Option<Box<str>> {
    let folded = text.to_lowercase();
    (folded != text).then(|| folded.into())
}

/// Four thousand million rows are out of reach: KMS holds 100,000 keys a region.
fn narrow(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
