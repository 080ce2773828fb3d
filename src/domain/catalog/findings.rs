//! What scans found out about keys, beside the rows: a key that was not scanned takes no room here.

use hashbrown::HashMap;
use jiff::Timestamp;

use super::{Catalog, Changes, Key, KeyHandle};
use crate::domain::failure::Failure;
use crate::domain::key::Traits;
use crate::domain::scan::{Finding, ScanKind};

/// A finding, and when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub finding: Finding,
    pub at: Timestamp,
}

/// What is known of a key's automatic rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationSeen<'a> {
    Off,
    On {
        period_days: Option<i32>,
    },
    /// The key cannot rotate. Of some such keys the service says that rotation is off.
    NotApplicable,
    Refused(&'a Failure),
}

/// Keys by what a scan of their rotation found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RotationTally {
    pub on: usize,
    pub off: usize,
    /// Keys that cannot rotate.
    pub not_applicable: usize,
    pub refused: usize,
    /// Customer managed keys that could rotate, and whose rotation was not read.
    pub not_read: usize,
}

/// Findings by kind and key.
#[derive(Debug, Default)]
pub(super) struct Findings {
    of: [HashMap<KeyHandle, Seen>; ScanKind::ALL.len()],
    on: usize,
    off: usize,
    not_applicable: usize,
    refused: usize,
    /// Customer managed keys that could rotate, and have a finding.
    candidates_read: usize,
}

impl Findings {
    fn get(&self, kind: ScanKind, key: KeyHandle) -> Option<&Seen> {
        self.of[kind as usize].get(&key)
    }

    /// Forgets a key that has been counted out.
    pub(super) fn forget(&mut self, key: KeyHandle) {
        for of_the_kind in &mut self.of {
            of_the_kind.remove(&key);
        }
    }
}

impl<'a> Key<'a> {
    /// What a scan of this kind found out about the key.
    #[must_use]
    pub fn finding(self, kind: ScanKind) -> Option<&'a Seen> {
        self.catalog.findings.get(kind, self.handle)
    }

    /// What is known of its rotation, once it was scanned.
    #[must_use]
    pub fn rotation(self) -> Option<RotationSeen<'a>> {
        Some(match &self.finding(ScanKind::Rotation)?.finding {
            Finding::Rotation { enabled: true, period_days, .. } => {
                RotationSeen::On { period_days: *period_days }
            }
            Finding::Refused(failure) => RotationSeen::Refused(failure),
            Finding::Rotation { .. } if self.traits().is_none_or(Traits::can_rotate) => RotationSeen::Off,
            _ => RotationSeen::NotApplicable,
        })
    }
}

impl Catalog {
    /// Takes what a scan found out about the key of this ARN, and when. A key that is not listed is not
    /// added: then nothing changes.
    pub fn find(&mut self, arn: &str, kind: ScanKind, finding: Finding, at: Timestamp) -> Changes {
        let Some(handle) = self.key_of_arn(arn) else { return Changes::default() };
        self.restore_finding(handle, kind, Seen { finding, at });
        Changes { aliases: self.keys[handle.0 as usize].aliases.to_vec(), keys: vec![handle] }
    }

    /// Puts a finding where it was: what [`Self::findings`] gave, of a key that is listed.
    pub fn restore_finding(&mut self, key: KeyHandle, kind: ScanKind, seen: Seen) {
        if self.key(key).is_none() {
            return;
        }
        self.count_findings(key, -1);
        self.findings.of[kind as usize].insert(key, seen);
        self.count_findings(key, 1);
    }

    /// All that scans found out, in no order.
    pub fn findings(&self) -> impl Iterator<Item = (KeyHandle, ScanKind, &Seen)> {
        ScanKind::ALL.into_iter().flat_map(|kind| {
            self.findings.of[kind as usize].iter().map(move |(key, seen)| (*key, kind, seen))
        })
    }

    /// How many keys a scan of this kind has told about, refusals included.
    #[must_use]
    pub fn scanned(&self, kind: ScanKind) -> usize {
        self.findings.of[kind as usize].len()
    }

    /// The keys counted by their rotation, as far as it was read.
    #[must_use]
    pub fn rotation_tally(&self) -> RotationTally {
        let Findings { on, off, not_applicable, refused, candidates_read, .. } = self.findings;
        let by_traits = self.tally.by_traits();
        let candidates = by_traits.filter(|(traits, ..)| {
            let traits = &self.traits[*traits];
            traits.can_rotate() && traits.is_customer_managed()
        });
        let candidates: usize = candidates.map(|(_, all, _)| all).sum();
        RotationTally {
            on,
            off,
            not_applicable,
            refused,
            not_read: candidates.saturating_sub(candidates_read),
        }
    }

    /// Counts what scans told of a key in (1) or out (-1). What it counts as depends on its traits too.
    pub(super) fn count_findings(&mut self, handle: KeyHandle, by: isize) {
        if self.findings.of[ScanKind::Rotation as usize].is_empty() {
            return;
        }
        let key = Key { catalog: self, handle, row: &self.keys[handle.0 as usize] };
        let Some(rotation) = key.rotation() else { return };
        let candidate =
            key.traits().is_some_and(|traits| traits.can_rotate() && traits.is_customer_managed());
        let count: fn(&mut Findings) -> &mut usize = match rotation {
            RotationSeen::On { .. } => |findings| &mut findings.on,
            RotationSeen::Off => |findings| &mut findings.off,
            RotationSeen::NotApplicable => |findings| &mut findings.not_applicable,
            RotationSeen::Refused(_) => |findings| &mut findings.refused,
        };
        let findings = &mut self.findings;
        let count = count(findings);
        *count = count.saturating_add_signed(by);
        if candidate {
            findings.candidates_read = findings.candidates_read.saturating_add_signed(by);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Described, ListedKey, Source};
    use super::*;
    use crate::domain::failure::FailureKind;
    use crate::domain::key::{KeyManager, KeyMetadata, Origin};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;
    const OFF: Finding = Finding::Rotation { enabled: false, period_days: None, next: None };
    const ON: Finding = Finding::Rotation { enabled: true, period_days: Some(365), next: None };

    fn catalog(ids: &[&str]) -> Catalog {
        let mut catalog = Catalog::default();
        list(&mut catalog, ids);
        catalog
    }

    fn list(catalog: &mut Catalog, ids: &[&str]) {
        let listed = |id: &&str| ListedKey { key_id: (*id).into(), arn: format!("arn/{id}") };
        catalog.add_keys(Source(0), ids.iter().map(listed).collect());
    }

    fn describe(catalog: &mut Catalog, id: &str, origin: Origin) {
        let metadata = KeyMetadata {
            key_manager: Some(KeyManager::Customer),
            key_spec: Some("SYMMETRIC_DEFAULT".into()),
            origin: Some(origin),
            ..KeyMetadata::bare(id)
        };
        catalog.describe(&format!("arn/{id}"), Described::Known(Box::new(metadata)));
    }

    fn refused() -> Finding {
        Finding::Refused(Box::new(Failure::new(FailureKind::NotAllowed, "not allowed")))
    }

    #[test]
    fn a_finding_belongs_to_its_key_and_kind_and_says_when_it_was_read() {
        let mut catalog = catalog(&["a", "b"]);
        let changes = catalog.find("arn/a", ScanKind::Rotation, OFF, NOW);
        let key = catalog.resolve("a").unwrap();
        assert_eq!(changes.keys, [key]);
        let seen = catalog.key(key).unwrap().finding(ScanKind::Rotation).unwrap();
        assert_eq!((&seen.finding, seen.at), (&OFF, NOW));
        assert!(catalog.key(key).unwrap().finding(ScanKind::Tags).is_none());
        assert_eq!(catalog.find("arn/nowhere", ScanKind::Rotation, OFF, NOW), Changes::default());
        assert_eq!((catalog.scanned(ScanKind::Rotation), catalog.scanned(ScanKind::LastUse)), (1, 0));
    }

    #[test]
    fn rotation_is_counted_by_what_the_keys_are_whichever_answer_comes_first() {
        let mut catalog = catalog(&["on", "off", "imported", "refused", "unread", "store"]);
        catalog.find("arn/imported", ScanKind::Rotation, OFF, NOW);
        for id in ["on", "off", "refused", "unread"] {
            describe(&mut catalog, id, Origin::AwsKms);
        }
        for (id, finding) in
            [("on", ON), ("off", ON), ("off", OFF), ("refused", refused()), ("store", Finding::NotApplicable)]
        {
            catalog.find(&format!("arn/{id}"), ScanKind::Rotation, finding, NOW);
        }
        describe(&mut catalog, "imported", Origin::External);
        let expected = RotationTally { on: 1, off: 1, not_applicable: 2, refused: 1, not_read: 1 };
        assert_eq!(catalog.rotation_tally(), expected);
    }

    #[test]
    fn a_key_that_goes_loses_its_findings() {
        let mut catalog = catalog(&["a", "b"]);
        catalog.find("arn/a", ScanKind::Rotation, ON, NOW);
        catalog.find("arn/b", ScanKind::Rotation, ON, NOW);
        catalog.begin_round(Source(0));
        list(&mut catalog, &["b"]);
        catalog.finish_keys(Source(0));
        assert_eq!((catalog.scanned(ScanKind::Rotation), catalog.rotation_tally().on), (1, 1));
        list(&mut catalog, &["a"]);
        let key = catalog.key(catalog.resolve("a").unwrap()).unwrap();
        assert!(key.finding(ScanKind::Rotation).is_none(), "another key may have come under the id");
        assert_eq!(catalog.rotation_tally().on, 1);
    }

    #[test]
    fn findings_are_kept_and_put_back() {
        let mut catalog = catalog(&["a", "b"]);
        catalog.find("arn/a", ScanKind::Tags, Finding::Tags(vec![("owner".into(), "ops".into())]), NOW);
        catalog.find("arn/b", ScanKind::Rotation, refused(), NOW);
        let mut again = self::catalog(&["a", "b"]);
        for (key, kind, seen) in catalog.findings() {
            again.restore_finding(key, kind, seen.clone());
        }
        let sorted = |catalog: &Catalog| {
            let mut all: Vec<_> =
                catalog.findings().map(|(key, kind, seen)| (key, kind, seen.clone())).collect();
            all.sort_by_key(|(key, kind, _)| (*key, *kind));
            all
        };
        assert_eq!(sorted(&again), sorted(&catalog));
        assert_eq!(again.rotation_tally(), catalog.rotation_tally());
    }
}
