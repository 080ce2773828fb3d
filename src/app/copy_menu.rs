//! A menu of what can be copied from a screen.

use super::Lines;

/// One thing to copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyEntry {
    /// The key that copies it at once.
    pub letter: char,
    /// What it is, for the menu and for the words that come back.
    pub what: String,
    pub value: CopyValue,
}

/// What an entry copies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyValue {
    Text(String, Lines),
    /// All rows that the list shows, a line each; put together when it is chosen.
    Rows,
}

/// The menu: what there is, and which one Enter copies. Never without an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyMenu {
    pub entries: Vec<CopyEntry>,
    pub selected: usize,
}

impl CopyMenu {
    /// A menu at its first entry; `None` where there is nothing to copy.
    #[must_use]
    pub fn new(entries: Vec<CopyEntry>) -> Option<Self> {
        (!entries.is_empty()).then_some(Self { entries, selected: 0 })
    }
}
