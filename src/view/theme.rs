//! Colours and weights. The terminal's own foreground and background, so that light and dark both
//! read; colour never tells anything that a glyph or a word does not.

use ratatui::style::{Color, Modifier, Style};

use crate::domain::key::KeyState;
use crate::domain::marks::MarkColour;

/// How things look.
#[derive(Clone, Debug)]
pub struct Theme {
    pub border: Style,
    pub title: Style,
    /// Heads of columns, labels, hints.
    pub dim: Style,
    /// What has the focus.
    pub accent: Style,
    /// What a filter or a search matches in a text.
    pub matched: Style,
    pub good: Style,
    pub warning: Style,
    pub bad: Style,
    pub waiting: Style,
    /// The selected row.
    pub selected: Style,
    /// What the keys in the footer look like.
    pub key: Style,
    /// Whether there is colour at all.
    coloured: bool,
}

impl Theme {
    /// With colour.
    #[must_use]
    pub const fn coloured() -> Self {
        Self {
            border: Style::new().add_modifier(Modifier::DIM),
            title: Style::new().add_modifier(Modifier::BOLD),
            dim: Style::new().add_modifier(Modifier::DIM),
            accent: Style::new().fg(Color::Cyan),
            matched: Style::new().fg(Color::Cyan).add_modifier(Modifier::UNDERLINED),
            good: Style::new().fg(Color::Green),
            warning: Style::new().fg(Color::Yellow),
            bad: Style::new().fg(Color::Red),
            waiting: Style::new().fg(Color::Blue),
            selected: Style::new().add_modifier(Modifier::BOLD),
            key: Style::new().fg(Color::Cyan),
            coloured: true,
        }
    }

    /// Without colour: weight and glyphs alone.
    #[must_use]
    pub const fn plain() -> Self {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        Self {
            accent: bold,
            matched: Style::new().add_modifier(Modifier::UNDERLINED),
            good: Style::new(),
            warning: bold,
            bad: bold,
            waiting: Style::new(),
            key: bold,
            coloured: false,
            ..Self::coloured()
        }
    }

    /// A word that marks a profile: in its colour, reversed, so that it stands out without colour too.
    #[must_use]
    pub fn mark(&self, colour: Option<MarkColour>) -> Style {
        let style = Style::new().add_modifier(Modifier::REVERSED);
        match colour.filter(|_| self.coloured) {
            Some(colour) => style.fg(match colour {
                MarkColour::Red => Color::Red,
                MarkColour::Yellow => Color::Yellow,
                MarkColour::Green => Color::Green,
                MarkColour::Blue => Color::Blue,
                MarkColour::Magenta => Color::Magenta,
                MarkColour::Cyan => Color::Cyan,
            }),
            None => style,
        }
    }

    /// The colour of a state.
    #[must_use]
    pub const fn state(&self, state: &KeyState) -> Style {
        match state {
            KeyState::Enabled => self.good,
            KeyState::Disabled | KeyState::Other(_) => self.warning,
            KeyState::PendingDeletion | KeyState::PendingReplicaDeletion | KeyState::Unavailable => self.bad,
            KeyState::PendingImport | KeyState::Creating | KeyState::Updating => self.waiting,
        }
    }
}
