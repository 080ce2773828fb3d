//! The keys of a catalog counted by what they are, kept up row by row.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{KeyRow, Told};

const DAY: i64 = 86_400;

/// Counts of keys. What the keys of one count share is told by their traits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// By the number of their traits: all keys, and those that an alias points to.
    by_traits: Vec<(u32, u32)>,
    unknown: u32,
    refused: u32,
    /// By day since 1970.
    created: BTreeMap<i64, u32>,
    /// By second since 1970, to tell before and after now.
    deletions: BTreeMap<i64, u32>,
    expirations: BTreeMap<i64, u32>,
}

impl Tally {
    /// Counts a row in (1) or out (-1).
    pub(super) fn count(&mut self, row: &KeyRow, by: isize) {
        let known = match &row.told {
            Told::Nothing => return add(&mut self.unknown, by),
            Told::Refused(_) => return add(&mut self.refused, by),
            Told::Known(known) => known,
        };
        let index = known.traits as usize;
        if self.by_traits.len() <= index {
            self.by_traits.resize(index + 1, (0, 0));
        }
        let (all, named) = &mut self.by_traits[index];
        add(all, by);
        if !row.aliases.is_empty() {
            add(named, by);
        }
        if known.created != i64::MIN {
            add_at(&mut self.created, known.created.div_euclid(DAY), by);
        }
        if let Some(dates) = &known.dates {
            if let Some(at) = dates.deletion {
                add_at(&mut self.deletions, at.as_second(), by);
            }
            if let Some(at) = dates.valid_to {
                add_at(&mut self.expirations, at.as_second(), by);
            }
        }
    }

    /// Keys by the number of their traits: (all, those that an alias points to).
    pub fn by_traits(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        self.by_traits.iter().enumerate().map(|(index, (all, named))| (index, *all as usize, *named as usize))
    }

    /// Keys that are not described yet.
    #[must_use]
    pub const fn unknown(&self) -> usize {
        self.unknown as usize
    }

    /// Keys that DescribeKey was refused for.
    #[must_use]
    pub const fn refused(&self) -> usize {
        self.refused as usize
    }

    /// Keys whose deletion is due after so many days from `now` and within so many more. What is
    /// overdue counts as due now.
    #[must_use]
    pub fn deletions(&self, now: Timestamp, days: std::ops::Range<i64>) -> usize {
        within(&self.deletions, now, days)
    }

    /// The same for imported key material that expires.
    #[must_use]
    pub fn expirations(&self, now: Timestamp, days: std::ops::Range<i64>) -> usize {
        within(&self.expirations, now, days)
    }

    /// Keys created on the days of a range, counted back from today: `0..365` is the last year.
    #[must_use]
    pub fn created(&self, now: Timestamp, days_ago: std::ops::Range<i64>) -> usize {
        let today = now.as_second().div_euclid(DAY);
        let (first, last) = (today.saturating_sub(days_ago.end), today.saturating_sub(days_ago.start));
        // A clock that is ahead of ours makes keys of tomorrow.
        let last = if days_ago.start <= 0 { i64::MAX } else { last };
        if first >= last {
            return 0;
        }
        let range = (std::ops::Bound::Excluded(first), std::ops::Bound::Included(last));
        self.created.range(range).map(|(_, count)| *count as usize).sum()
    }
}

fn within(counts: &BTreeMap<i64, u32>, now: Timestamp, days: std::ops::Range<i64>) -> usize {
    let now = now.as_second();
    let first = if days.start <= 0 { i64::MIN } else { now.saturating_add(days.start.saturating_mul(DAY)) };
    let last = now.saturating_add(days.end.saturating_mul(DAY));
    if first >= last {
        return 0;
    }
    let range = (std::ops::Bound::Excluded(first), std::ops::Bound::Included(last));
    counts.range(range).map(|(_, count)| *count as usize).sum()
}

fn add(count: &mut u32, by: isize) {
    *count = u32::try_from((*count as usize).saturating_add_signed(by)).unwrap_or(u32::MAX);
}

fn add_at(counts: &mut BTreeMap<i64, u32>, at: i64, by: isize) {
    let count = counts.entry(at).or_default();
    add(count, by);
    if *count == 0 {
        counts.remove(&at);
    }
}
