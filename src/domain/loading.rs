//! What loading a catalog brings, piece by piece.

use super::catalog::{Described, ListedAlias, ListedKey};
use super::failure::Failure;

/// Which of the two lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    Keys,
    Aliases,
}

/// A piece of a catalog, or how it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadEvent {
    Keys(Vec<ListedKey>),
    Aliases(Vec<ListedAlias>),
    /// A list has come to its end.
    Complete(List),
    /// A list could not be begun, or was refused. Rows that came before stay true.
    Failed(List, Failure),
    /// A transient failure; the call is made again after a pause.
    Retrying(Failure),
    /// Answers of DescribeKey, with the key ARN that each was asked for.
    Described(Vec<(String, Described)>),
    /// Nothing is left to do.
    Finished,
}
