//! A list on the screen: its rows, where the cursor stands, its filter and its sort.

use std::cmp::Ordering;

use jiff::Timestamp;
use tui_input::Input;

use crate::domain::catalog::{AliasHandle, Catalog, Handle, Key, KeyHandle};
use crate::domain::filter::{Filter, Judge, Rank, Verdict};
use crate::domain::listing::{AliasColumn, KeyColumn, Listing, Sort, compare_aliases, compare_keys};

/// Letters for the columns of the key list, in the order of the columns.
pub const KEY_COLUMNS: [(char, KeyColumn, &str); 14] = [
    ('s', KeyColumn::State, "state"),
    ('a', KeyColumn::Alias, "alias"),
    ('i', KeyColumn::KeyId, "key id"),
    ('u', KeyColumn::Usage, "usage"),
    ('p', KeyColumn::Spec, "spec"),
    ('m', KeyColumn::Manager, "manager"),
    ('o', KeyColumn::Origin, "origin"),
    ('c', KeyColumn::Created, "created"),
    ('x', KeyColumn::Deletion, "deletion"),
    ('d', KeyColumn::Description, "description"),
    ('r', KeyColumn::Region, "region"),
    ('e', KeyColumn::Rotation, "rotation"),
    ('t', KeyColumn::Tags, "tags"),
    ('l', KeyColumn::LastUse, "last used"),
];

/// Letters for the columns of the alias list.
pub const ALIAS_COLUMNS: [(char, AliasColumn, &str); 4] = [
    ('a', AliasColumn::Alias, "alias"),
    ('i', AliasColumn::KeyId, "key id"),
    ('s', AliasColumn::State, "state"),
    ('r', AliasColumn::Region, "region"),
];

/// How one kind of row is judged, compared and counted.
pub trait Row: Handle {
    type Column: Copy + Default + Eq;

    fn judge(self, judge: &Judge<'_>) -> (Verdict, Rank);
    fn compare(catalog: &Catalog, sort: Sort<Self::Column>, a: Self, b: Self) -> Ordering;
    fn all(catalog: &Catalog) -> impl Iterator<Item = Self>;
    fn exists(self, catalog: &Catalog) -> bool;
}

impl Row for KeyHandle {
    type Column = KeyColumn;

    fn judge(self, judge: &Judge<'_>) -> (Verdict, Rank) {
        judge.key(self)
    }

    fn compare(catalog: &Catalog, sort: Sort<KeyColumn>, a: Self, b: Self) -> Ordering {
        compare_keys(catalog, sort, a, b)
    }

    fn all(catalog: &Catalog) -> impl Iterator<Item = Self> {
        catalog.keys().map(Key::handle)
    }

    fn exists(self, catalog: &Catalog) -> bool {
        catalog.key(self).is_some()
    }
}

impl Row for AliasHandle {
    type Column = AliasColumn;

    fn judge(self, judge: &Judge<'_>) -> (Verdict, Rank) {
        judge.alias(self)
    }

    fn compare(catalog: &Catalog, sort: Sort<AliasColumn>, a: Self, b: Self) -> Ordering {
        compare_aliases(catalog, sort, a, b)
    }

    fn all(catalog: &Catalog) -> impl Iterator<Item = Self> {
        catalog.aliases().map(|(handle, _)| handle)
    }

    fn exists(self, catalog: &Catalog) -> bool {
        catalog.alias(self).is_some()
    }
}

/// A list. The selection is a row, not a position: it stays on its row through reload and sort.
#[derive(Debug)]
pub struct ListState<H: Row> {
    listing: Listing<H>,
    selected: Option<H>,
    /// Where the selected row stands.
    index: usize,
    /// The first row on the screen.
    top: usize,
    /// Whether a person has moved the selection; until then it is the top row.
    moved: bool,
    pub sort: Sort<H::Column>,
    pub filter: Filter,
    pub input: Input,
    /// Whether the filter is being typed.
    pub typing: bool,
}

impl<H: Row> Default for ListState<H> {
    fn default() -> Self {
        Self {
            listing: Listing::default(),
            selected: None,
            index: 0,
            top: 0,
            moved: false,
            sort: Sort::default(),
            filter: Filter::default(),
            input: Input::default(),
            typing: false,
        }
    }
}

impl<H: Row> ListState<H> {
    #[must_use]
    pub fn rows(&self) -> &[H] {
        self.listing.rows()
    }

    /// Every row, in the order of the sort.
    #[must_use]
    pub fn all(&self) -> &[H] {
        self.listing.all()
    }

    /// Rows that the filter cannot judge yet.
    #[must_use]
    pub const fn unknown(&self) -> usize {
        self.listing.unknown()
    }

    #[must_use]
    pub const fn selected(&self) -> Option<H> {
        self.selected
    }

    #[must_use]
    pub const fn index(&self) -> usize {
        self.index
    }

    #[must_use]
    pub const fn top(&self) -> usize {
        self.top
    }

    /// The rows on a screen of this height.
    #[must_use]
    pub fn visible(&self, height: usize) -> &[H] {
        let rows = self.listing.rows();
        let top = self.top.min(rows.len());
        &rows[top..rows.len().min(top + height)]
    }

    /// Takes changes of the catalog in.
    pub fn apply(&mut self, catalog: &Catalog, changed: &[H]) {
        let Self { listing, filter, sort, typing, .. } = self;
        let judge = filter.over(catalog);
        listing.apply(
            changed,
            |row| row.exists(catalog),
            |row| ranked(row.judge(&judge), *typing),
            |a, b| H::compare(catalog, *sort, *a, *b),
        );
        self.follow();
    }

    /// Judges all rows by another filter.
    fn judge_anew(&mut self, catalog: &Catalog) {
        let Self { listing, filter, typing, .. } = self;
        let judge = filter.over(catalog);
        listing.refilter(|row| ranked(row.judge(&judge), *typing));
        self.follow();
    }

    /// Makes the rows anew: another sort, another catalog.
    pub fn rebuild(&mut self, catalog: &Catalog) {
        let Self { listing, filter, sort, typing, .. } = self;
        let judge = filter.over(catalog);
        listing.rebuild(
            H::all(catalog),
            |row| ranked(row.judge(&judge), *typing),
            |a, b| H::compare(catalog, *sort, *a, *b),
        );
        self.follow();
    }

    /// Another catalog has taken the place of the one before: filter and sort stay, the top row is
    /// selected.
    pub fn begin_anew(&mut self, catalog: &Catalog) {
        self.moved = false;
        (self.index, self.top) = (0, 0);
        self.rebuild(catalog);
    }

    /// The typed filter has changed: the top row is selected until a person moves.
    pub fn refilter(&mut self, catalog: &Catalog, now: Timestamp) {
        let filter = Filter::parse(self.input.value(), now);
        if filter.is_like(&self.filter) {
            return;
        }
        self.filter = filter;
        self.moved = false;
        self.judge_anew(catalog);
    }

    /// Sets a filter as if it had been typed and kept.
    pub fn set_filter(&mut self, catalog: &Catalog, text: &str, now: Timestamp) {
        self.input = Input::new(text.to_owned());
        self.typing = false;
        self.filter = Filter::parse(text, now);
        self.moved = false;
        self.judge_anew(catalog);
    }

    /// The filter is kept: the sort alone orders the rows from here on, and the selection stays.
    pub fn keep_filter(&mut self, catalog: &Catalog) {
        self.typing = false;
        if !self.filter.is_empty() {
            self.moved |= self.selected.is_some();
            self.judge_anew(catalog);
        }
    }

    /// Sorts by another column; the selection stays on its row.
    pub fn sort_by(&mut self, catalog: &Catalog, sort: Sort<H::Column>) {
        self.sort = sort;
        self.moved |= self.selected.is_some() && self.index > 0;
        self.rebuild(catalog);
    }

    /// Clears the filter; the selection stays on its row.
    pub fn clear_filter(&mut self, catalog: &Catalog) {
        self.typing = false;
        self.input.reset();
        if !self.filter.is_empty() {
            self.filter = Filter::default();
            self.moved = self.selected.is_some();
            self.judge_anew(catalog);
        }
    }

    /// Finds the selected row again, or takes the one that stands in its place.
    fn follow(&mut self) {
        let rows = self.listing.rows();
        let found = if self.moved {
            let here = rows.get(self.index).copied();
            self.selected.and_then(|selected| {
                if here == Some(selected) { Some(self.index) } else { self.listing.position(selected) }
            })
        } else {
            Some(0)
        };
        self.select(found.unwrap_or(self.index));
    }

    /// Selects the row at a position, or the last one before it.
    fn select(&mut self, index: usize) {
        let rows = self.listing.rows();
        self.index = index.min(rows.len().saturating_sub(1));
        self.selected = rows.get(self.index).copied();
    }

    /// Moves the selection by rows.
    pub fn move_by(&mut self, rows: isize) {
        self.moved = true;
        self.select(self.index.saturating_add_signed(rows));
    }

    /// Moves the selection to the first row, or to the last.
    pub fn move_to_end(&mut self, last: bool) {
        self.moved = true;
        self.select(if last { usize::MAX } else { 0 });
    }

    /// Scrolls so that the selection is on a screen of this height, and no row is wasted.
    pub fn fit(&mut self, height: usize) {
        let height = height.max(1);
        let lowest_top = self.rows().len().saturating_sub(height);
        self.top = self.top.min(self.index).max((self.index + 1).saturating_sub(height)).min(lowest_top);
    }
}

/// Relevance orders the rows only while the filter is being typed.
const fn ranked((verdict, rank): (Verdict, Rank), typing: bool) -> (Verdict, Rank) {
    (verdict, if typing { rank } else { 0 })
}

#[cfg(test)]
mod tests;
