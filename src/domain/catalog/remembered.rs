//! A region of a catalog as bytes, to be shown again at the next start, and back.
//!
//! The bytes hold what the list needs and no more: ids, aliases, what DescribeKey told, refusals, and
//! what scans found with the time when they did.
//! Rows keep the order that the list had, so that they need no sorting when they come back. What comes
//! back is of round 0: known, and not fresh until it is read again.
//!
//! It reads and writes no file.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::Id;
use super::{
    AliasHandle, Catalog, Changes, Dates, KeyHandle, Known, ListedAlias, ListedKey, Seen, Source, Told,
    folded, narrow,
};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::key::{KeyManager, KeyState, KeyUsage, MultiRegionKind, Origin, Traits};
use crate::domain::scan::{Finding, ScanKind};

/// Bytes that are no remembered region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it cannot be read")]
pub struct Unreadable;

/// A region that was remembered: bytes that were read once, and can be read again.
#[derive(Clone, Debug)]
pub struct Remembered {
    bytes: Arc<[u8]>,
    /// When the region was read.
    pub saved_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Written<'a> {
    saved_at: i64,
    traits: Vec<WrittenTraits<'a>>,
    #[serde(borrow)]
    key_prefix: Option<&'a str>,
    alias_prefix: Option<&'a str>,
    keys: Vec<WrittenKey<'a>>,
    aliases: Vec<WrittenAlias<'a>>,
    findings: Vec<WrittenFinding<'a>>,
}

#[derive(Serialize, Deserialize)]
struct WrittenTraits<'a> {
    key_state: Option<&'a str>,
    key_usage: Option<&'a str>,
    spec: Option<&'a str>,
    origin: Option<&'a str>,
    key_manager: Option<&'a str>,
    multi_region: u8,
    custom_key_store_id: Option<&'a str>,
}

#[derive(Serialize, Deserialize)]
enum WrittenId<'a> {
    Uuid([u8; 16]),
    MultiRegion([u8; 16]),
    Text(&'a str),
}

#[derive(Serialize, Deserialize)]
struct WrittenKey<'a> {
    #[serde(borrow)]
    id: WrittenId<'a>,
    odd_arn: Option<&'a str>,
    told: WrittenTold<'a>,
}

#[derive(Serialize, Deserialize)]
enum WrittenTold<'a> {
    Nothing,
    Known {
        traits: u32,
        created: Option<i64>,
        description: &'a str,
        deletion: Option<i64>,
        valid_to: Option<i64>,
    },
    /// Refusals that say that the caller may not. Others are asked for again.
    NotAllowed {
        sentence: &'a str,
        code: Option<&'a str>,
        message: Option<&'a str>,
    },
}

#[derive(Serialize, Deserialize)]
struct WrittenAlias<'a> {
    name: &'a str,
    odd_arn: Option<&'a str>,
    #[serde(borrow)]
    target: Option<WrittenId<'a>>,
}

#[derive(Serialize, Deserialize)]
struct WrittenFinding<'a> {
    /// Into the keys.
    key: u32,
    /// Into [`ScanKind::ALL`].
    kind: u8,
    at: i64,
    #[serde(borrow)]
    found: WrittenFound<'a>,
}

/// A finding. Refusals are left out: a scan asks again.
#[derive(Serialize, Deserialize)]
enum WrittenFound<'a> {
    Rotation {
        enabled: bool,
        period_days: Option<i32>,
        next: Option<i64>,
    },
    #[serde(borrow)]
    Tags(Vec<(&'a str, &'a str)>),
    Used {
        at: i64,
        operation: Option<&'a str>,
    },
    Unused {
        since: Option<i64>,
    },
    NotApplicable,
}

impl<'a> WrittenFound<'a> {
    fn of(finding: &'a Finding) -> Option<Self> {
        let seconds = |at: &Option<Timestamp>| at.map(Timestamp::as_second);
        Some(match finding {
            Finding::Rotation { enabled, period_days, next } => {
                Self::Rotation { enabled: *enabled, period_days: *period_days, next: seconds(next) }
            }
            Finding::Tags(tags) => {
                Self::Tags(tags.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect())
            }
            Finding::Used { at, operation } => {
                Self::Used { at: at.as_second(), operation: operation.as_deref() }
            }
            Finding::Unused { since } => Self::Unused { since: seconds(since) },
            Finding::NotApplicable => Self::NotApplicable,
            Finding::Refused(_) => return None,
        })
    }

    fn finding(&self) -> Option<Finding> {
        let time = |second: Option<i64>| Timestamp::from_second(second?).ok();
        Some(match self {
            Self::Rotation { enabled, period_days, next } => {
                Finding::Rotation { enabled: *enabled, period_days: *period_days, next: time(*next) }
            }
            Self::Tags(tags) => {
                let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
                Finding::Tags(tags.iter().map(own).collect())
            }
            Self::Used { at, operation } => {
                Finding::Used { at: time(Some(*at))?, operation: operation.map(str::to_owned) }
            }
            Self::Unused { since } => Finding::Unused { since: time(*since) },
            Self::NotApplicable => Finding::NotApplicable,
        })
    }
}

impl<'a> WrittenId<'a> {
    fn of(id: &'a Id) -> Self {
        match id {
            Id::Uuid(bytes) => Self::Uuid(*bytes),
            Id::MultiRegion(bytes) => Self::MultiRegion(*bytes),
            Id::Text(text) => Self::Text(text),
        }
    }

    fn id(&self) -> Id {
        match self {
            Self::Uuid(bytes) => Id::Uuid(*bytes),
            Self::MultiRegion(bytes) => Id::MultiRegion(*bytes),
            // Read anew: what has the form of a UUID must be one, or two rows stood for one key.
            Self::Text(text) => Id::of(text),
        }
    }
}

impl Remembered {
    /// Reads bytes that [`Catalog::remember`] wrote.
    ///
    /// # Errors
    /// The bytes are others.
    pub fn read(bytes: Vec<u8>) -> Result<Self, Unreadable> {
        let written: Written<'_> = postcard::from_bytes(&bytes).map_err(|_| Unreadable)?;
        let saved_at = Timestamp::from_second(written.saved_at).map_err(|_| Unreadable)?;
        let traits = written.traits.len();
        let fits = |key: &WrittenKey<'_>| match key.told {
            WrittenTold::Known { traits: index, .. } => (index as usize) < traits,
            _ => true,
        };
        if !written.keys.iter().all(fits) {
            return Err(Unreadable);
        }
        Ok(Self { bytes: bytes.into(), saved_at })
    }
}

impl Catalog {
    /// A region as bytes, as it stands. The rows of a catalog are given in the order in which they are
    /// to come back; those of other regions are left out.
    #[must_use]
    pub fn remember(
        &self,
        source: Source,
        now: Timestamp,
        keys: &[KeyHandle],
        aliases: &[AliasHandle],
    ) -> Vec<u8> {
        let region = self.regions.get(source.0 as usize);
        let is_here = |handle: &&KeyHandle| self.key(**handle).is_some_and(|key| key.source() == source);
        let keys: Vec<KeyHandle> = keys.iter().filter(is_here).copied().collect();
        let is_here = |handle: &&AliasHandle| self.alias(**handle).is_some_and(|it| it.source() == source);
        let aliases = aliases.iter().filter(is_here);
        let written = Written {
            saved_at: now.as_second(),
            traits: self.traits.iter().map(written_traits).collect(),
            key_prefix: region.and_then(|region| region.key_prefix.as_deref()),
            alias_prefix: region.and_then(|region| region.alias_prefix.as_deref()),
            keys: keys.iter().map(|key| self.written_key(*key)).collect(),
            aliases: aliases.map(|alias| self.written_alias(*alias)).collect(),
            findings: self.written_findings(&keys),
        };
        postcard::to_stdvec(&written).unwrap_or_default()
    }

    fn written_key(&self, handle: KeyHandle) -> WrittenKey<'_> {
        let row = &self.keys[handle.0 as usize];
        WrittenKey {
            id: WrittenId::of(&row.id),
            odd_arn: self.odd_arns.get(&handle).map(|arn| &**arn),
            told: match &row.told {
                Told::Known(known) => WrittenTold::Known {
                    traits: known.traits,
                    created: Some(known.created).filter(|created| *created != i64::MIN),
                    description: &known.description,
                    deletion: known.dates.as_ref().and_then(|dates| dates.deletion).map(Timestamp::as_second),
                    valid_to: known.dates.as_ref().and_then(|dates| dates.valid_to).map(Timestamp::as_second),
                },
                Told::Refused(failure) if failure.kind == FailureKind::NotAllowed => {
                    WrittenTold::NotAllowed {
                        sentence: &failure.sentence,
                        code: failure.code.as_deref(),
                        message: failure.message.as_deref(),
                    }
                }
                Told::Nothing | Told::Refused(_) => WrittenTold::Nothing,
            },
        }
    }

    fn written_findings(&self, keys: &[KeyHandle]) -> Vec<WrittenFinding<'_>> {
        if self.findings().next().is_none() {
            return Vec::new();
        }
        let of_key = |(at, handle): (usize, &KeyHandle)| {
            let key = self.key(*handle)?;
            let found = ScanKind::ALL.into_iter().filter_map(move |kind| {
                let seen = key.finding(kind)?;
                let found = WrittenFound::of(&seen.finding)?;
                Some(WrittenFinding { key: narrow(at), kind: kind as u8, at: seen.at.as_second(), found })
            });
            Some(found)
        };
        keys.iter().enumerate().filter_map(of_key).flatten().collect()
    }

    fn written_alias(&self, handle: AliasHandle) -> WrittenAlias<'_> {
        let row = &self.aliases[handle.0 as usize];
        WrittenAlias {
            name: &row.name,
            odd_arn: row.odd_arn.as_deref(),
            target: row.target.as_ref().map(WrittenId::of),
        }
    }

    /// Puts a remembered region in place of an empty one. Where it has rows already, nothing changes:
    /// what was read is newer.
    pub fn restore(&mut self, source: Source, remembered: &Remembered) -> Changes {
        let Ok(written) = postcard::from_bytes::<Written<'_>>(&remembered.bytes) else {
            return Changes::default();
        };
        if self.region_mut(source).key_prefix.is_some() || self.progress(source).0 > 0 {
            return Changes::default();
        }
        let traits: Vec<u32> =
            written.traits.iter().map(|traits| self.traits_of(read_traits(traits))).collect();
        let (key_prefix, alias_prefix) = (written.key_prefix, written.alias_prefix);
        let region = self.region_mut(source);
        region.key_prefix = key_prefix.map(Into::into);
        region.alias_prefix = alias_prefix.map(Into::into);
        region.knows_aliases = true;
        let mut changes = Changes::default();
        for key in &written.keys {
            let id = key.id.id();
            let key_id = id.text().into_owned();
            let usual = || format!("{}{key_id}", key_prefix.unwrap_or_default());
            let arn = key.odd_arn.map_or_else(usual, str::to_owned);
            let handle = self.push_key(source, id, &ListedKey { key_id, arn }, 0);
            let told = read_told(&key.told, &traits);
            if !matches!(told, Told::Nothing) {
                self.tell(handle, told, 0);
            }
            changes.keys.push(handle);
        }
        for written in &written.findings {
            let key = changes.keys.get(written.key as usize);
            let kind = ScanKind::ALL.get(usize::from(written.kind));
            let seen = written.found.finding().zip(Timestamp::from_second(written.at).ok());
            if let (Some(key), Some(kind), Some((finding, at))) = (key, kind, seen) {
                self.restore_finding(*key, *kind, Seen { finding, at });
            }
        }
        for alias in &written.aliases {
            let usual = || format!("{}{}", alias_prefix.unwrap_or_default(), alias.name);
            let listed = ListedAlias {
                name: alias.name.to_owned(),
                arn: alias.odd_arn.map_or_else(usual, str::to_owned),
                target_key_id: alias.target.as_ref().map(|target| target.id().text().into_owned()),
            };
            if let Some(handle) = self.upsert_alias(source, listed, &mut Changes::default()) {
                self.aliases[handle.0 as usize].round = 0;
                changes.aliases.push(handle);
            }
        }
        changes
    }

    /// Takes out what this reading of a region has not brought yet: it is of another account.
    pub fn forget(&mut self, source: Source) -> Changes {
        let mut changes = self.finish_keys(source);
        changes.extend(self.drop_old_aliases(source));
        let region = self.region_mut(source);
        region.knows_aliases &= region.aliases_round == region.round;
        // ARNs of rows that stay are told apart from their region's prefix: those that came are odd.
        if region.key_count == 0 {
            region.key_prefix = None;
        }
        changes
    }
}

fn written_traits(traits: &Traits) -> WrittenTraits<'_> {
    WrittenTraits {
        key_state: traits.key_state.as_ref().map(KeyState::as_str),
        key_usage: traits.key_usage.as_ref().map(KeyUsage::as_str),
        spec: traits.spec.as_deref(),
        origin: traits.origin.as_ref().map(Origin::as_str),
        key_manager: traits.key_manager.as_ref().map(KeyManager::as_str),
        multi_region: match traits.multi_region {
            MultiRegionKind::Single => 0,
            MultiRegionKind::Primary => 1,
            MultiRegionKind::Replica => 2,
        },
        custom_key_store_id: traits.custom_key_store_id.as_deref(),
    }
}

fn read_traits(traits: &WrittenTraits<'_>) -> Traits {
    Traits {
        key_state: traits.key_state.map(Into::into),
        key_usage: traits.key_usage.map(Into::into),
        spec: traits.spec.map(Into::into),
        origin: traits.origin.map(Into::into),
        key_manager: traits.key_manager.map(Into::into),
        multi_region: match traits.multi_region {
            1 => MultiRegionKind::Primary,
            2 => MultiRegionKind::Replica,
            _ => MultiRegionKind::Single,
        },
        custom_key_store_id: traits.custom_key_store_id.map(Into::into),
    }
}

fn read_told(told: &WrittenTold<'_>, traits: &[u32]) -> Told {
    let at = |second: Option<i64>| Timestamp::from_second(second?).ok();
    match told {
        WrittenTold::Known { traits: index, created, description, deletion, valid_to } => {
            let Some(traits) = traits.get(*index as usize) else { return Told::Nothing };
            let dates = Dates { deletion: at(*deletion), valid_to: at(*valid_to) };
            Told::Known(Known {
                traits: *traits,
                created: created.unwrap_or(i64::MIN),
                folded: folded(description),
                description: (*description).into(),
                dates: (dates.deletion.is_some() || dates.valid_to.is_some()).then(|| Box::new(dates)),
            })
        }
        WrittenTold::NotAllowed { sentence, code, message } => {
            let mut failure = Failure::new(FailureKind::NotAllowed, *sentence);
            failure.operation = Some("DescribeKey");
            failure.code = code.map(str::to_owned);
            failure.message = message.map(str::to_owned);
            Told::Refused(Box::new(failure))
        }
        WrittenTold::Nothing => Told::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Described;
    use super::*;
    use crate::domain::key::KeyMetadata;

    const ONE: Source = Source(0);
    const NOW: &str = "2026-11-24T12:00:00Z";
    const REGION: &str = "arn:aws:kms:us-east-1:111122223333:";

    fn catalog() -> Catalog {
        let mut catalog = Catalog::default();
        let ids = [
            "1234abcd-12ab-34cd-56ef-1234567890ab",
            "mrk-1234abcd12ab34cd56ef1234567890ab",
            "odd",
            "ffffabcd-12ab-34cd-56ef-1234567890ab",
        ];
        let key = |id: &&str| ListedKey { key_id: (*id).to_owned(), arn: format!("{REGION}key/{id}") };
        let mut page: Vec<ListedKey> = ids.iter().map(key).collect();
        page[2].arn = "elsewhere".to_owned();
        catalog.add_keys(ONE, page);
        let alias = |name: &str, target: Option<&str>| ListedAlias {
            name: name.to_owned(),
            arn: format!("{REGION}{name}"),
            target_key_id: target.map(str::to_owned),
        };
        catalog.add_aliases(
            ONE,
            vec![alias("alias/B", Some(ids[0])), alias("alias/a", Some(ids[0])), alias("alias/aws/x", None)],
        );
        catalog.finish_keys(ONE);
        catalog.finish_aliases(ONE);
        let metadata = KeyMetadata {
            key_state: Some(KeyState::PendingDeletion),
            key_spec: Some("SYMMETRIC_DEFAULT".into()),
            description: "Card Vault".into(),
            creation_date: NOW.parse().ok(),
            deletion_date: NOW.parse().ok(),
            ..KeyMetadata::bare(ids[0])
        };
        catalog.describe(&format!("{REGION}key/{}", ids[0]), Described::Known(Box::new(metadata)));
        let mut refusal = Failure::new(FailureKind::NotAllowed, "not allowed");
        refusal.code = Some("AccessDeniedException".into());
        for (kind, finding) in [
            (ScanKind::Rotation, Finding::Rotation { enabled: true, period_days: Some(90), next: None }),
            (
                ScanKind::Tags,
                Finding::Tags(vec![("owner".into(), "ops".into()), ("empty".into(), String::new())]),
            ),
            (ScanKind::LastUse, Finding::Used { at: Timestamp::UNIX_EPOCH, operation: Some("Sign".into()) }),
        ] {
            catalog.find(&format!("{REGION}key/{}", ids[0]), kind, finding, NOW.parse().unwrap());
        }
        catalog.find(
            "elsewhere",
            ScanKind::Tags,
            Finding::Refused(Box::new(refusal.clone())),
            NOW.parse().unwrap(),
        );
        catalog.find("elsewhere", ScanKind::LastUse, Finding::Unused { since: None }, NOW.parse().unwrap());
        catalog.find("elsewhere", ScanKind::Rotation, Finding::NotApplicable, NOW.parse().unwrap());
        catalog.describe("elsewhere", Described::Refused(Box::new(refusal)));
        catalog
    }

    fn bytes(catalog: &Catalog) -> Vec<u8> {
        let keys: Vec<_> = catalog.keys().map(super::super::Key::handle).collect();
        let aliases: Vec<_> = catalog.aliases().map(|(handle, _)| handle).collect();
        catalog.remember(ONE, NOW.parse().unwrap(), &keys, &aliases)
    }

    fn told(catalog: &Catalog) -> Vec<String> {
        let mut rows: Vec<String> = catalog
            .keys()
            .map(|key| {
                let aliases: Vec<&str> = key.alias_names().collect();
                let dates = (key.creation_date(), key.deletion_date(), key.valid_to());
                let refusal = key.refusal().map(|failure| (failure.in_a_word(), &failure.sentence));
                let words = (key.description(), key.folded_description());
                format!("{} {aliases:?} {:?} {dates:?} {words:?} {refusal:?}", key.arn(), key.traits())
            })
            .collect();
        rows.extend(
            catalog
                .aliases()
                .map(|(_, alias)| format!("{} {:?} {}", alias.name(), alias.target_key_id(), alias.arn())),
        );
        rows.sort();
        rows
    }

    fn restored(bytes: Vec<u8>) -> Catalog {
        let mut catalog = Catalog::default();
        let remembered = Remembered::read(bytes).unwrap();
        assert_eq!(remembered.saved_at, NOW.parse().unwrap());
        catalog.restore(ONE, &remembered);
        catalog
    }

    #[test]
    fn what_was_remembered_comes_back_known_and_not_fresh() {
        let catalog = catalog();
        let mut again = restored(bytes(&catalog));
        assert_eq!(told(&again), told(&catalog));
        assert_eq!((again.described_count(), again.fresh_count()), (2, 0));
        assert_eq!(again.keys().filter(|key| key.is_remembered()).count(), 2);
        assert_eq!(again.tally().by_traits().collect::<Vec<_>>(), [(0, 1, 1)]);
        assert!(again.knows_aliases());
        // The lists freshen it in place, and what they do not bring goes.
        let selected = again.resolve("alias/a").unwrap();
        let arn = again.key(selected).unwrap().arn();
        let key_id = again.key(selected).unwrap().key_id().into_owned();
        assert!(again.add_keys(ONE, vec![ListedKey { key_id, arn: arn.clone() }]).keys.is_empty());
        assert_eq!(again.finish_keys(ONE).keys.len(), 3);
        let metadata = KeyMetadata::bare("x");
        assert_eq!(again.describe(&arn, Described::Known(Box::new(metadata))).keys, [selected]);
        assert_eq!((again.key_count(), again.fresh_count()), (1, 1));
    }

    #[test]
    fn what_scans_found_comes_back_with_its_time_and_refusals_are_asked_for_again() {
        let catalog = catalog();
        let again = restored(bytes(&catalog));
        let all = |catalog: &Catalog| {
            let seen = catalog.findings().filter(|(.., seen)| !matches!(seen.finding, Finding::Refused(_)));
            let mut all: Vec<String> = seen
                .map(|(key, kind, seen)| format!("{} {kind} {seen:?}", catalog.key(key).unwrap().arn()))
                .collect();
            all.sort();
            all
        };
        assert_eq!((all(&again), again.findings().count()), (all(&catalog), 5));
        assert_eq!(again.rotation_tally(), catalog.rotation_tally());
    }

    #[test]
    fn another_accounts_region_is_forgotten_whole() {
        let mut again = restored(bytes(&catalog()));
        let changes = again.forget(ONE);
        assert_eq!((changes.keys.len(), again.key_count(), again.alias_count()), (4, 0, 0));
        let arn = "arn:aws:kms:us-east-1:999999999999:key/odd".to_owned();
        again.add_keys(ONE, vec![ListedKey { key_id: "odd".into(), arn: arn.clone() }]);
        assert_eq!(again.keys().map(super::super::Key::arn).collect::<Vec<_>>(), [arn]);
    }

    #[test]
    fn what_was_read_already_is_newer() {
        let remembered = Remembered::read(bytes(&catalog())).unwrap();
        let mut catalog = catalog();
        let before = told(&catalog);
        assert_eq!(catalog.restore(ONE, &remembered), Changes::default());
        assert_eq!(told(&catalog), before);
    }

    proptest! {
        #[test]
        fn other_bytes_are_refused_or_restored_and_never_a_panic(
            at in 0usize..400, value: u8, cut in 0usize..400,
        ) {
            let mut bytes = self::bytes(&catalog());
            let length = bytes.len();
            bytes[at % length] = value;
            bytes.truncate(length - cut % length);
            if let Ok(remembered) = Remembered::read(bytes) {
                let mut catalog = Catalog::default();
                catalog.restore(ONE, &remembered);
                prop_assert!(catalog.key_count() <= 300);
            }
        }
    }
}
