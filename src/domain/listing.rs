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
    rows: Vec<H>,
    /// By a handle's index; rows beyond its end were never looked at.
    verdicts: Vec<Mark>,
    unknown: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Out,
    Unknown,
    In,
    /// In before, and about to be put in anew.
    Moving,
}

impl<H> Default for Listing<H> {
    fn default() -> Self {
        Self { rows: Vec::new(), verdicts: Vec::new(), unknown: 0 }
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

    /// Judges and sorts everything anew.
    pub fn rebuild(
        &mut self,
        all: impl Iterator<Item = H>,
        judge: impl Fn(H) -> Verdict,
        mut compare: impl FnMut(&H, &H) -> Ordering,
    ) {
        self.rows.clear();
        self.verdicts.clear();
        self.unknown = 0;
        for handle in all {
            let verdict = judge(handle);
            self.mark(handle, verdict);
            if verdict == Verdict::Yes {
                self.rows.push(handle);
            }
        }
        self.rows.sort_unstable_by(&mut compare);
    }

    /// Judges the changed rows anew and puts them where they belong.
    pub fn apply(
        &mut self,
        changed: &[H],
        judge: impl Fn(H) -> Verdict,
        mut compare: impl FnMut(&H, &H) -> Ordering,
    ) {
        if changed.is_empty() {
            return;
        }
        let mut moved_out = false;
        for handle in changed {
            if self.verdicts.get(handle.index()) == Some(&Mark::In) {
                self.verdicts[handle.index()] = Mark::Moving;
                moved_out = true;
            }
        }
        if moved_out {
            let verdicts = &self.verdicts;
            self.rows.retain(|handle| verdicts[handle.index()] != Mark::Moving);
        }
        let mut incoming = Vec::with_capacity(changed.len());
        for handle in changed {
            if self.verdicts.get(handle.index()) == Some(&Mark::In) {
                continue;
            }
            let verdict = judge(*handle);
            self.mark(*handle, verdict);
            if verdict == Verdict::Yes {
                incoming.push(*handle);
            }
        }
        incoming.sort_unstable_by(&mut compare);
        self.merge(&incoming, compare);
    }

    /// Puts sorted rows in among the sorted rows.
    fn merge(&mut self, incoming: &[H], mut compare: impl FnMut(&H, &H) -> Ordering) {
        if incoming.is_empty() {
            return;
        }
        let old = std::mem::take(&mut self.rows);
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
        self.rows = merged;
    }

    fn mark(&mut self, handle: H, verdict: Verdict) {
        if self.verdicts.len() <= handle.index() {
            self.verdicts.resize(handle.index() + 1, Mark::Out);
        }
        let mark = match verdict {
            Verdict::No => Mark::Out,
            Verdict::Unknown => Mark::Unknown,
            Verdict::Yes => Mark::In,
        };
        let old = std::mem::replace(&mut self.verdicts[handle.index()], mark);
        self.unknown -= usize::from(old == Mark::Unknown);
        self.unknown += usize::from(mark == Mark::Unknown);
    }
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
