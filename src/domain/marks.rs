//! The marks that a person gives to an AWS profile: how it stands out, and what it does not do.
//!
//! It must not know where they are written down.

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
