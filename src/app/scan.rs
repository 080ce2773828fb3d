//! Scans in the explorer: what one would cost, and how those under way go.

use std::time::Duration;

use super::{Generation, State, Ticket};
use crate::domain::catalog::{Key, KeyHandle, Source};
use crate::domain::failure::Failure;
use crate::domain::filter::Verdict;
use crate::domain::scan::{ScanKind, short_span};
use crate::domain::text::{plural, thousands};

/// The scans that were asked for.
#[derive(Debug, Default)]
pub struct Scans {
    /// A scan that a person has not agreed to yet.
    pub(super) asked: Option<Plan>,
    /// One a kind at most.
    pub(super) running: Vec<Running>,
}

/// The keys that a scan would read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub kind: ScanKind,
    /// None of them empty.
    pub(super) keys: Vec<(Source, Vec<KeyHandle>)>,
    /// How many of them were read before.
    pub read_before: usize,
    /// How many of them are not on the screen: the filter can tell only when they are read.
    pub not_shown: usize,
}

/// A scan under way.
#[derive(Debug)]
pub struct Running {
    pub kind: ScanKind,
    pub total: usize,
    pub done: usize,
    pub refused: usize,
    /// A failure that is being waited out.
    pub retrying: Option<Failure>,
    pub(super) since: Duration,
    /// Why a region ended before its end.
    pub(super) failed: Option<Failure>,
    pub(super) parts: Vec<Part>,
}

/// A scan of one region.
#[derive(Debug)]
pub(super) struct Part {
    pub ticket: Ticket,
    pub generation: Generation,
    pub left: usize,
}

impl Scans {
    /// The scan that awaits an answer.
    #[must_use]
    pub const fn asked(&self) -> Option<&Plan> {
        self.asked.as_ref()
    }

    /// The scans under way.
    #[must_use]
    pub fn running(&self) -> &[Running] {
        &self.running
    }
}

impl Plan {
    /// The rows shown on Keys, and those that the filter cannot judge before this scan.
    pub(super) fn of(state: &State, kind: ScanKind) -> Self {
        let catalog = &state.catalog;
        let mut keys: Vec<KeyHandle> = state.keys.rows().to_vec();
        let shown = keys.len();
        let filter = &state.keys.filter;
        if state.keys.unknown() > 0 && filter.scans().contains(&kind) {
            let judge = filter.over(catalog);
            let open = catalog.keys().map(Key::handle);
            keys.extend(open.filter(|key| judge.key(*key).0 == Verdict::Unknown));
        }
        let found = |key: &&KeyHandle| catalog.key(**key).is_some_and(|key| key.finding(kind).is_some());
        let (read_before, not_shown) = (keys.iter().filter(found).count(), keys.len() - shown);
        let of_source = |source: Source| {
            let is_there = |key: &&KeyHandle| catalog.key(**key).is_some_and(|key| key.source() == source);
            (source, keys.iter().filter(is_there).copied().collect::<Vec<_>>())
        };
        let keys = state.sources().map(of_source).filter(|(_, keys)| !keys.is_empty()).collect();
        Self { kind, keys, read_before, not_shown }
    }

    /// The keys of each region.
    #[must_use]
    pub fn counts(&self) -> Vec<usize> {
        self.keys.iter().map(|(_, keys)| keys.len()).collect()
    }

    /// What a person is asked to agree to, a sentence a line.
    #[must_use]
    pub fn words(&self, describe_rate: Option<u32>) -> Vec<String> {
        let mut words = vec![self.kind.cost(&self.counts(), describe_rate)];
        if self.not_shown > 0 {
            words.push(format!(
                "{} not on the screen: the filter can tell only when they are read",
                plural(self.not_shown, "of them is", "of them are"),
            ));
        }
        if self.read_before > 0 {
            let words_of = plural(
                self.read_before,
                "of them was read before, and is",
                "of them were read before, and are",
            );
            words.push(format!("{words_of} read again"));
        }
        if self.kind == ScanKind::LastUse {
            let most = self.kind.most_a_second();
            words.push(format!(
                "the whole account has 5 calls of GetKeyLastUsage a second: kmx takes {most}, and \
                 whoever else asks meanwhile has one",
            ));
        }
        words
    }
}

impl Running {
    /// `rotation 120 of 1,248, 3 refused, about 5 s left`.
    #[must_use]
    pub fn words(&self, state: &State) -> String {
        let mut words =
            format!("{} {} of {}", self.kind.words(), thousands(self.done), thousands(self.total));
        if self.refused > 0 {
            words = format!("{words}, {} refused", thousands(self.refused));
        }
        if self.retrying.is_some() {
            return format!("{words}, trying again");
        }
        format!("{words}, about {} left", short_span(self.left(state)))
    }

    /// No less than the budget allows, and no less than at the pace so far.
    fn left(&self, state: &State) -> Duration {
        let longest = self.parts.iter().map(|part| part.left).max().unwrap_or_default();
        let allowed = self.kind.estimate(longest, state.describe_rate).time;
        let elapsed = state.now.elapsed.saturating_sub(self.since);
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let left = elapsed.saturating_mul(number(self.total.saturating_sub(self.done)));
        allowed.max(left.checked_div(number(self.done)).unwrap_or_default())
    }
}
