//! The marks that a person gives to an AWS profile: how it stands out, and what it does not do.
//!
//! It must not know where they are written down.

use std::collections::BTreeMap;

/// What is said about a profile. Nothing, where a profile has no marks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// The colour of the profile in the header.
    pub colour: Option<MarkColour>,
    /// A word beside the profile in the header, as `production`: 1 to [`MAX_WORD_COLUMNS`] columns.
    pub word: Option<String>,
    /// Lists, describes and dry runs alone.
    pub read_only: bool,
    /// One more question on the screen before a run.
    pub confirm: bool,
}

/// The marks of every profile that has some, and what holds on whatever profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MarksByProfile {
    /// Whether this run does no more than list, describe and make dry runs, wherever it goes.
    pub all_read_only: bool,
    pub by_profile: BTreeMap<String, Marks>,
}

impl MarksByProfile {
    /// The marks of the profile in use, read-only where the run is. `None` is where no profile is in
    /// use: the local KMS, or credentials of the environment without one.
    #[must_use]
    pub fn of(&self, profile: Option<&str>) -> Marks {
        let mut marks = profile.and_then(|name| self.by_profile.get(name)).cloned().unwrap_or_default();
        marks.read_only |= self.all_read_only;
        marks
    }

    /// Whether a run depends on which profile is in use.
    #[must_use]
    pub fn restrain_some(&self) -> bool {
        self.by_profile.values().any(|marks| marks.read_only || marks.confirm)
    }
}

/// Columns that the word of a profile has at most.
pub const MAX_WORD_COLUMNS: usize = 16;

/// A colour of the terminal's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkColour {
    Red,
    Yellow,
    Green,
    Blue,
    Magenta,
    Cyan,
}

impl MarkColour {
    pub const ALL: [Self; 6] = [Self::Red, Self::Yellow, Self::Green, Self::Blue, Self::Magenta, Self::Cyan];

    /// The colour of this name, in small letters.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|colour| colour.name() == name)
    }

    /// `red`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Yellow => "yellow",
            Self::Green => "green",
            Self::Blue => "blue",
            Self::Magenta => "magenta",
            Self::Cyan => "cyan",
        }
    }
}
