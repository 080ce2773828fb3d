//! The rows of a list: those that a filter lets through, in the order of a sort.
//!
//! A change of the catalog costs what the change is worth: changed rows are taken out, looked at
//! anew and put in at their places, found by halving; the rest is moved, never compared.

use std::cmp::Ordering;

use super::catalog::{AliasHandle, Catalog, Handle, KeyHandle, KeyRow};
use super::filter::Verdict;

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
}

/// A column of the alias list that can be sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AliasColumn {
    #[default]
    Alias,
    KeyId,
    State,
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
    /// About to be put in anew.
    moving: bool,
}

impl<H> Default for Listing<H> {
    fn default() -> Self {
        Self { all: Vec::new(), rows: Vec::new(), marks: Vec::new(), unknown: 0 }
    }
}

impl<H: Handle> Listing<H> {
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
        judge: impl Fn(H) -> Verdict,
        mut compare: impl FnMut(&H, &H) -> Ordering,
    ) {
        self.all.clear();
        self.all.extend(all);
        self.all.sort_unstable_by(&mut compare);
        self.refilter(judge);
    }

    /// Judges all rows anew. Their order stays, so nothing is compared.
    pub fn refilter(&mut self, judge: impl Fn(H) -> Verdict) {
        self.rows.clear();
        self.marks.clear();
        self.unknown = 0;
        let all = std::mem::take(&mut self.all);
        for handle in &all {
            let verdict = judge(*handle);
            self.mark(*handle, verdict);
            if verdict == Verdict::Yes {
                self.rows.push(*handle);
            }
        }
        self.all = all;
    }

    /// Judges the changed rows anew and puts them where they belong. A row whose handle stands for
    /// nothing any more (`exists`) is taken out.
    pub fn apply(
        &mut self,
        changed: &[H],
        exists: impl Fn(H) -> bool,
        judge: impl Fn(H) -> Verdict,
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
            let verdict = if there { judge(*handle) } else { Verdict::No };
            self.mark(*handle, verdict);
            if !there {
                *self.mark_of(*handle) = Mark::default();
            }
            there
        });
        moving.sort_unstable_by(&mut compare);
        merge(&mut self.all, &moving, &mut compare);
        moving.retain(|handle| self.marks[handle.index()].verdict == Some(Verdict::Yes));
        merge(&mut self.rows, &moving, &mut compare);
    }

    fn mark_of(&mut self, handle: H) -> &mut Mark {
        if self.marks.len() <= handle.index() {
            self.marks.resize(handle.index() + 1, Mark::default());
        }
        &mut self.marks[handle.index()]
    }

    fn mark(&mut self, handle: H, verdict: Verdict) {
        let mark = self.mark_of(handle);
        let old = std::mem::replace(mark, Mark { verdict: Some(verdict), moving: false });
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
    let (Some(row_a), Some(row_b)) = (catalog.key(a), catalog.key(b)) else {
        return catalog.key(a).is_none().cmp(&catalog.key(b).is_none()).then(a.cmp(&b));
    };
    let alias = |handle: KeyHandle| catalog.first_alias(handle);
    by_column(catalog, sort, (a, row_a), (b, row_b))
        .then_with(|| known_first(alias(a), alias(b), false))
        .then_with(|| row_a.arn.cmp(&row_b.arn))
}

fn by_column(
    catalog: &Catalog,
    sort: Sort<KeyColumn>,
    (a, row_a): (KeyHandle, &KeyRow),
    (b, row_b): (KeyHandle, &KeyRow),
) -> Ordering {
    let (known_a, known_b) = (row_a.metadata(), row_b.metadata());
    let down = sort.descending;
    macro_rules! by {
        (|$metadata:ident| $value:expr) => {
            known_first(known_a.and_then(|$metadata| $value), known_b.and_then(|$metadata| $value), down)
        };
    }
    match sort.column {
        KeyColumn::Alias => known_first(catalog.first_alias(a), catalog.first_alias(b), down),
        KeyColumn::KeyId => known_first(Some(&row_a.key_id), Some(&row_b.key_id), down),
        KeyColumn::State => by!(|metadata| metadata.key_state.as_ref()),
        KeyColumn::Usage => by!(|metadata| metadata.key_usage.as_ref()),
        KeyColumn::Spec => by!(|metadata| metadata.spec()),
        KeyColumn::Manager => by!(|metadata| metadata.key_manager.as_ref()),
        KeyColumn::Origin => by!(|metadata| metadata.origin.as_ref()),
        KeyColumn::Created => by!(|metadata| metadata.creation_date),
        KeyColumn::Deletion => by!(|metadata| metadata.deletion_date),
        KeyColumn::Description => {
            by!(|metadata| Some(&metadata.description).filter(|text| !text.is_empty()))
        }
    }
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
    let state = |key: Option<KeyHandle>| key.and_then(|key| catalog.key(key)).and_then(KeyRow::state);
    let ordering = match sort.column {
        AliasColumn::Alias => known_first(Some(&row_a.name), Some(&row_b.name), sort.descending),
        AliasColumn::KeyId => {
            known_first(row_a.target_key_id.as_ref(), row_b.target_key_id.as_ref(), sort.descending)
        }
        AliasColumn::State => known_first(state(row_a.key), state(row_b.key), sort.descending),
    };
    ordering.then_with(|| row_a.name.cmp(&row_b.name))
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
