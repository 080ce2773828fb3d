//! What loading a catalog brings, piece by piece.

use super::catalog::{Described, ListedAlias, ListedKey};
use super::failure::Failure;

/// Which of the two lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    Keys,
    Aliases,
}

/// What can fail by itself while a catalog is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Keys,
    Aliases,
    Descriptions,
}

impl Part {
    pub const ALL: [Self; 3] = [Self::Keys, Self::Aliases, Self::Descriptions];

    /// The part that a list is.
    #[must_use]
    pub const fn of(list: List) -> Self {
        match list {
            List::Keys => Self::Keys,
            List::Aliases => Self::Aliases,
        }
    }
}

/// A piece of a catalog, or how it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadEvent {
    Keys(Vec<ListedKey>),
    Aliases(Vec<ListedAlias>),
    /// A list has come to its end: what it did not bring is gone.
    Complete(List),
    /// A part ended before its end, at its beginning or in the middle. What came before stays true.
    Failed(Part, Failure),
    /// A transient failure; calls are made again after a pause.
    Retrying(Part, Failure),
    /// Calls that were made again went well.
    Recovered(Part),
    /// Answers of DescribeKey, with the key ARN that each was asked for.
    Described(Vec<(String, Described)>),
    /// How many keys a second are described of late; told twice a second at most.
    Pace(u32),
    /// Nothing is left to do.
    Finished,
}
