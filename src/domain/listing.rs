//! The rows of a list: those that a filter lets through, in the order of a sort; or, while a filter is
//! being typed, of how well they fit, and then of the sort.
//!
//! A change of the catalog costs what the change is worth: changed rows are taken out, looked at
//! anew and put in at their places, found by halving; the rest is moved, never compared.

use std::cmp::Ordering;

use super::catalog::{Alias, AliasHandle, Catalog, Handle, Key, KeyHandle, RotationSeen};
use super::filter::{Rank, Verdict};
use super::scan::{Finding, ScanKind};

/// A column of the key list that can be sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyColumn {
    State,
    #[default]
    Alias,
    KeyId,
    Usage,
    Spec,
    Manager,
    Origin,
    Created,
    Deletion,
    Description,
    Region,
    Rotation,
    Tags,
    LastUse,
}

/// A column of the alias list that can be sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AliasColumn {
    #[default]
    Alias,
    KeyId,
    State,
    Region,
}

/// A column and a direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sort<C> {
    pub column: C,
    pub descending: bool,
}

/// Rows in their order.
#[derive(Clone, Debug)]
pub struct Listing<H> {
    /// Every row, so that another filter needs no sorting.
    all: Vec<H>,
    /// The rows that the filter lets through.
    rows: Vec<H>,
    /// By a handle's index; rows beyond its end were never looked at.
    marks: Vec<Mark>,
    unknown: usize,
}

/// What is known of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Mark {
    verdict: Option<Verdict>,
    rank: Rank,
    /// About to be put in anew.
    moving: bool,
}

impl<H> Default for Listing<H> {
    fn default() -> Self {
        Self { all: Vec::new(), rows: Vec::new(), marks: Vec::new(), unknown: 0 }
    }
}

impl<H: Handle> Listing<H> {
    /// Every row, in the order of the sort.
    #[must_use]
    pub fn all(&self) -> &[H] {
        &self.all
    }

    /// The rows that are in, in order.
    #[must_use]
    pub fn rows(&self) -> &[H] {
        &self.rows
    }

    /// How many rows cannot be judged yet.
    #[must_use]
    pub const fn unknown(&self) -> usize {
        self.unknown
    }

    /// Where a row stands. Linear in the number of rows.
    #[must_use]
    pub fn position(&self, handle: H) -> Option<usize> {
        self.rows.iter().position(|other| *other == handle)
    }

    /// Takes all rows anew, in another order.
    pub fn rebuild(
        &mut self,
        all: impl Iterator<Item = H>,
        judge: impl Fn(H) -> (Verdict, Rank),
        mut compare: impl FnMut(&H, &H) -> Ordering,
    ) {
        self.all.clear();
        self.all.extend(all);
        self.all.sort_unstable_by(&mut compare);
        self.refilter(judge);
    }

    /// Judges all rows anew. Their order stays, so nothing is compared.
    pub fn refilter(&mut self, judge: impl Fn(H) -> (Verdict, Rank)) {
        self.rows.clear();
        self.marks.clear();
        self.unknown = 0;
        let all = std::mem::take(&mut self.all);
        // Looked at in the order in which they lie in memory: at 100,000 rows that is most of the time.
        let mut as_they_lie = all.clone();
        as_they_lie.sort_unstable_by_key(|handle| handle.index());
        for handle in as_they_lie {
            let judged = judge(handle);
            self.mark(handle, judged);
        }
        let mut by_rank: Vec<Vec<H>> = Vec::new();
        for handle in &all {
            let Mark { verdict, rank, .. } = self.marks[handle.index()];
            match (verdict, rank) {
                (Some(Verdict::Yes), 0) => self.rows.push(*handle),
                (Some(Verdict::Yes), rank) => {
                    let rank = usize::from(rank);
                    by_rank.resize_with(by_rank.len().max(rank), Vec::new);
                    by_rank[rank - 1].push(*handle);
                }
                _ => {}
            }
        }
        for rows in &by_rank {
            self.rows.extend_from_slice(rows);
        }
        self.all = all;
    }

    /// Judges the changed rows anew and puts them where they belong. A row whose handle stands for
    /// nothing any more (`exists`) is taken out.
    pub fn apply(
        &mut self,
        changed: &[H],
        exists: impl Fn(H) -> bool,
        judge: impl Fn(H) -> (Verdict, Rank),
        mut compare: impl FnMut(&H, &H) -> Ordering,
    ) {
        if changed.is_empty() {
            return;
        }
        let mut moving = Vec::with_capacity(changed.len());
        let (mut known, mut shown) = (false, false);
        for handle in changed {
            let mark = self.mark_of(*handle);
            if !std::mem::replace(&mut mark.moving, true) {
                known |= mark.verdict.is_some();
                shown |= mark.verdict == Some(Verdict::Yes);
                moving.push(*handle);
            }
        }
        let marks = &self.marks;
        let stays = |handle: &H| !marks[handle.index()].moving;
        if known {
            self.all.retain(stays);
        }
        if shown {
            self.rows.retain(stays);
        }
        moving.retain(|handle| {
            let there = exists(*handle);
            let judged = if there { judge(*handle) } else { (Verdict::No, 0) };
            self.mark(*handle, judged);
            if !there {
                *self.mark_of(*handle) = Mark::default();
            }
            there
        });
        moving.sort_unstable_by(&mut compare);
        merge(&mut self.all, &moving, &mut compare);
        let marks = &self.marks;
        moving.retain(|handle| marks[handle.index()].verdict == Some(Verdict::Yes));
        let mut by_rank = |a: &H, b: &H| {
            let ranks = marks[a.index()].rank.cmp(&marks[b.index()].rank);
            ranks.then_with(|| compare(a, b))
        };
        moving.sort_by(|a, b| marks[a.index()].rank.cmp(&marks[b.index()].rank));
        merge(&mut self.rows, &moving, &mut by_rank);
    }

    fn mark_of(&mut self, handle: H) -> &mut Mark {
        if self.marks.len() <= handle.index() {
            self.marks.resize(handle.index() + 1, Mark::default());
        }
        &mut self.marks[handle.index()]
    }

    fn mark(&mut self, handle: H, (verdict, rank): (Verdict, Rank)) {
        let mark = self.mark_of(handle);
        let old = std::mem::replace(mark, Mark { verdict: Some(verdict), rank, moving: false });
        self.unknown -= usize::from(old.verdict == Some(Verdict::Unknown));
        self.unknown += usize::from(verdict == Verdict::Unknown);
    }
}

/// Puts sorted rows in among sorted rows.
fn merge<H: Copy>(rows: &mut Vec<H>, incoming: &[H], mut compare: impl FnMut(&H, &H) -> Ordering) {
    if incoming.is_empty() {
        return;
    }
    let old = std::mem::take(rows);
    let mut merged = Vec::with_capacity(old.len() + incoming.len());
    let mut taken = 0;
    for handle in incoming {
        let rest = &old[taken..];
        let before = rest.partition_point(|other| compare(other, handle) != Ordering::Greater);
        merged.extend_from_slice(&rest[..before]);
        merged.push(*handle);
        taken += before;
    }
    merged.extend_from_slice(&old[taken..]);
    *rows = merged;
}

/// The order of two keys under a sort. Total: ties fall back to the alias, then to the ARN. What is
/// not known comes last in either direction.
#[must_use]
pub fn compare_keys(catalog: &Catalog, sort: Sort<KeyColumn>, a: KeyHandle, b: KeyHandle) -> Ordering {
    let (Some(a), Some(b)) = (catalog.key(a), catalog.key(b)) else {
        return catalog.key(a).is_none().cmp(&catalog.key(b).is_none()).then(a.cmp(&b));
    };
    by_column(sort, a, b)
        .then_with(|| known_first(a.first_alias(), b.first_alias(), false))
        .then_with(|| by_id(a, b))
        .then_with(|| a.source().cmp(&b.source()))
        .then_with(|| a.handle().cmp(&b.handle()))
}

fn by_id(a: Key<'_>, b: Key<'_>) -> Ordering {
    a.key_id_in(&mut [0; 36]).cmp(b.key_id_in(&mut [0; 36]))
}

fn by_column(sort: Sort<KeyColumn>, a: Key<'_>, b: Key<'_>) -> Ordering {
    let down = sort.descending;
    let (traits_a, traits_b) = (a.traits(), b.traits());
    macro_rules! by {
        (|$traits:ident| $value:expr) => {
            known_first(traits_a.and_then(|$traits| $value), traits_b.and_then(|$traits| $value), down)
        };
    }
    match sort.column {
        KeyColumn::Alias => known_first(a.first_alias(), b.first_alias(), down),
        KeyColumn::KeyId => turned(by_id(a, b), down),
        KeyColumn::State => by!(|traits| traits.key_state.as_ref()),
        KeyColumn::Usage => by!(|traits| traits.key_usage.as_ref()),
        KeyColumn::Spec => by!(|traits| traits.spec.as_deref()),
        KeyColumn::Manager => by!(|traits| traits.key_manager.as_ref()),
        KeyColumn::Origin => by!(|traits| traits.origin.as_ref()),
        KeyColumn::Created => known_first(a.creation_date(), b.creation_date(), down),
        KeyColumn::Deletion => known_first(a.deletion_date(), b.deletion_date(), down),
        KeyColumn::Description => {
            let (a, b) = (a.description(), b.description());
            known_first(
                Some(a).filter(|text| !text.is_empty()),
                Some(b).filter(|text| !text.is_empty()),
                down,
            )
        }
        KeyColumn::Region => known_first(Some(a.region()), Some(b.region()), down),
        KeyColumn::Rotation => known_first(rotation(a), rotation(b), down),
        KeyColumn::Tags => known_first(first_tag(a), first_tag(b), down),
        KeyColumn::LastUse => known_first(last_use(a), last_use(b), down),
    }
}

/// Off first, then by period, then the keys that cannot rotate.
fn rotation(key: Key<'_>) -> Option<i32> {
    match key.rotation()? {
        RotationSeen::Off => Some(0),
        RotationSeen::On { period_days } => Some(period_days.unwrap_or(1)),
        RotationSeen::NotApplicable => Some(i32::MAX),
        RotationSeen::Refused(_) => None,
    }
}

fn first_tag(key: Key<'_>) -> Option<&(String, String)> {
    match &key.finding(ScanKind::Tags)?.finding {
        Finding::Tags(tags) => tags.first(),
        _ => None,
    }
}

/// Never is before any time.
fn last_use(key: Key<'_>) -> Option<i64> {
    match &key.finding(ScanKind::LastUse)?.finding {
        Finding::Used { at, .. } => Some(at.as_second()),
        Finding::Unused { .. } => Some(i64::MIN),
        _ => None,
    }
}

const fn turned(ordering: Ordering, descending: bool) -> Ordering {
    if descending { ordering.reverse() } else { ordering }
}

/// The order of two aliases under a sort, with the name as the last word.
#[must_use]
pub fn compare_aliases(
    catalog: &Catalog,
    sort: Sort<AliasColumn>,
    a: AliasHandle,
    b: AliasHandle,
) -> Ordering {
    let (Some(row_a), Some(row_b)) = (catalog.alias(a), catalog.alias(b)) else {
        return catalog.alias(a).is_none().cmp(&catalog.alias(b).is_none()).then(a.cmp(&b));
    };
    let state = |alias: Alias<'_>| catalog.key(alias.key()?)?.state().cloned();
    let down = sort.descending;
    let ordering = match sort.column {
        AliasColumn::Alias => known_first(Some(row_a.name()), Some(row_b.name()), down),
        AliasColumn::KeyId => known_first(row_a.target_key_id(), row_b.target_key_id(), down),
        AliasColumn::State => known_first(state(row_a), state(row_b), down),
        AliasColumn::Region => known_first(Some(row_a.region()), Some(row_b.region()), down),
    };
    ordering.then_with(|| row_a.name().cmp(row_b.name())).then_with(|| row_a.source().cmp(&row_b.source()))
}

fn known_first<T: Ord>(a: Option<T>, b: Option<T>, descending: bool) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if descending => b.cmp(&a),
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

#[cfg(test)]
mod tests;
