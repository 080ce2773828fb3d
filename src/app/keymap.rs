//! Keys, actions and where they count: one table for the keymap, the footer and the help.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::domain::scan::ScanKind;

/// What a person means by a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Show or hide the help.
    Help,
    /// Undo the innermost of popup, running call, filter, screen.
    Undo,
    /// Back; on a top screen quit.
    BackOrQuit,
    Quit,
    Suspend,
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    NextTab,
    PreviousTab,
    /// The tab with this number, counted from 1.
    Tab(u8),
    /// Begin to type a filter.
    Filter,
    /// Show the calls of the selected call's operation alone.
    FilterByOperation,
    /// Keep the filter and go back to the rows.
    KeepFilter,
    Details,
    /// The keys that a line of the overview counts.
    ShowThese,
    NewDataKey,
    /// Copy the main value of what is shown or selected.
    Copy,
    /// Ask what to copy.
    CopyMenu,
    /// Take what a menu is at.
    Choose,
    /// Begin to type a search in the text.
    Search,
    KeepSearch,
    NextMatch,
    PreviousMatch,
    /// Read when the key was last used.
    LastUse,
    /// Ask for the column to sort by.
    Sort,
    ReverseSort,
    Reload,
    /// Pause describing what is not on the screen, or describe everything now.
    DescribeAll,
    /// Offer the scans.
    Scans,
    /// Say what a scan costs, and ask.
    Scan(ScanKind),
    /// Begin the scan that was asked about.
    BeginScan,
    StopScans,
    NextField,
    PreviousField,
    /// Next field; on Run: run.
    Enter,
    Run,
    TogglePreview,
    CopyPreview,
    /// The next way to name the same key.
    NextName,
    PreviousName,
    /// In a choice: the one before or after.
    ChoosePrevious,
    ChooseNext,
    Again,
    Retry,
    /// Choose among what can be done, and commands.
    Palette,
    Profiles,
    Regions,
    /// Back to the place before.
    PlaceBefore,
    /// Take what is selected in a picker.
    Take,
    /// Put the selected command into the palette's field.
    CompleteCommand,
    /// Yes, to the question before a run.
    Confirm,
}

/// Where a binding counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Everywhere,
    /// Keys and Aliases.
    Lists,
    Overview,
    /// Wherever something can be moved through.
    Moving,
    /// The tabs of the top screens and of Details.
    Tabs,
    Filter,
    /// The calls that were made.
    Calls,
    Details,
    /// A search in a text, being typed.
    Search,
    /// A search in a text that is on.
    Matches,
    /// A menu over the screen.
    Menu,
    Form,
    /// The form's Key field.
    FormKey,
    /// The form's choices: key spec, dry run.
    FormChoice,
    Running,
    Result,
    DryRunResult,
    Refusal,
    /// A list that could not be loaded, or is empty.
    Empty,
    /// The scans on offer.
    Scans,
    /// The question whether to begin a scan.
    Scan,
    /// The top screens: to other places.
    Going,
    /// A list to choose from.
    Picker,
    /// The list of what can be done.
    Palette,
    /// The question before a run.
    Question,
}

impl Scope {
    /// The heading of its part of the help.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Everywhere => "Everywhere",
            Self::Lists => "Keys, Aliases",
            Self::Overview => "Overview",
            Self::Moving => "Moving",
            Self::Tabs => "Screens and tabs",
            Self::Filter => "Filter",
            Self::Calls => "Calls",
            Self::Details => "Details",
            Self::Search => "Search",
            Self::Matches => "While a search is on",
            Self::Menu => "A menu",
            Self::Form => "New data key",
            Self::FormKey => "New data key: Key",
            Self::FormChoice => "New data key: a choice",
            Self::Running => "While a request runs",
            Self::Result => "Data key",
            Self::DryRunResult => "Dry run",
            Self::Refusal => "A refusal",
            Self::Empty => "No keys to show",
            Self::Scans => "Scans",
            Self::Scan => "Before a scan",
            Self::Going => "Going elsewhere",
            Self::Picker => "A list to choose from",
            Self::Palette => "Palette",
            Self::Question => "Before a run",
        }
    }
}

/// A key with its modifiers. Shift is part of a character, not a modifier of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chord {
    pub code: KeyCode,
    pub modifiers: KeyModifiers,
}

impl Chord {
    const fn plain(code: KeyCode) -> Self {
        Self { code, modifiers: KeyModifiers::NONE }
    }

    const fn char(character: char) -> Self {
        Self::plain(KeyCode::Char(character))
    }

    const fn ctrl(character: char) -> Self {
        Self { code: KeyCode::Char(character), modifiers: KeyModifiers::CONTROL }
    }

    const fn alt(character: char) -> Self {
        Self { code: KeyCode::Char(character), modifiers: KeyModifiers::ALT }
    }

    /// The chord of an event.
    #[must_use]
    pub fn of(event: KeyEvent) -> Self {
        let mut modifiers =
            event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let mut code = event.code;
        match code {
            KeyCode::Char(character) => {
                modifiers.remove(KeyModifiers::SHIFT);
                // Terminals differ in the case of a letter under Ctrl.
                if modifiers.contains(KeyModifiers::CONTROL) {
                    code = KeyCode::Char(character.to_ascii_lowercase());
                }
            }
            KeyCode::Tab if modifiers.contains(KeyModifiers::SHIFT) => {
                code = KeyCode::BackTab;
                modifiers.remove(KeyModifiers::SHIFT);
            }
            KeyCode::BackTab => modifiers.remove(KeyModifiers::SHIFT),
            _ => {}
        }
        Self { code, modifiers }
    }

    /// Whether a text field takes the key as text.
    #[must_use]
    pub const fn text(self) -> Option<char> {
        match self.code {
            KeyCode::Char(character) if self.modifiers.is_empty() => Some(character),
            _ => None,
        }
    }

    /// As the footer and the help write it.
    #[must_use]
    pub fn name(self) -> String {
        let key = match self.code {
            KeyCode::Char(' ') => "space".to_owned(),
            KeyCode::Char(character) => character.to_string(),
            KeyCode::Enter => "enter".to_owned(),
            KeyCode::Esc => "esc".to_owned(),
            KeyCode::Tab => "tab".to_owned(),
            KeyCode::BackTab => "shift+tab".to_owned(),
            KeyCode::Up => "↑".to_owned(),
            KeyCode::Down => "↓".to_owned(),
            KeyCode::Left => "←".to_owned(),
            KeyCode::Right => "→".to_owned(),
            KeyCode::PageUp => "pgup".to_owned(),
            KeyCode::PageDown => "pgdn".to_owned(),
            KeyCode::Home => "home".to_owned(),
            KeyCode::End => "end".to_owned(),
            KeyCode::F(number) => format!("F{number}"),
            other => format!("{other:?}").to_lowercase(),
        };
        let mut name = String::new();
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            name.push_str("ctrl+");
        }
        if self.modifiers.contains(KeyModifiers::ALT) {
            name.push_str("alt+");
        }
        name + &key
    }
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    pub scope: Scope,
    pub action: Action,
    /// The first is the one that the footer shows.
    pub chords: &'static [Chord],
    /// What it does, for the help.
    pub help: &'static str,
    /// What it does, for the footer; `None` keeps it out of there.
    pub footer: Option<&'static str>,
}

macro_rules! bindings {
    ($($scope:ident $action:expr, [$($chord:expr),+ $(,)?], $help:literal $(, $footer:literal)?;)+) => {
        /// All bindings, in the order in which footer and help show them.
        pub const BINDINGS: &[Binding] = &[
            $(Binding {
                scope: Scope::$scope,
                action: $action,
                chords: &[$($chord),+],
                help: $help,
                footer: bindings!(@footer $($footer)?),
            },)+
        ];
    };
    (@footer) => { None };
    (@footer $footer:literal) => { Some($footer) };
}

const fn key(code: KeyCode) -> Chord {
    Chord::plain(code)
}

bindings! {
    Lists Action::NewDataKey, [Chord::char('n')], "new data key under the selected key", "new data key";
    Lists Action::Details, [key(KeyCode::Enter), Chord::char('d')], "details of the selected key", "details";
    Lists Action::Copy, [Chord::char('y'), Chord::char('c')], "copy the key ARN, or the alias name", "copy";
    Lists Action::CopyMenu, [Chord::char('Y')], "choose what to copy; all rows shown, too";
    Lists Action::Filter, [Chord::char('/')], "filter: words, state:disabled", "filter";
    Lists Action::Sort, [Chord::char('s')], "sort by a column", "sort";
    Lists Action::ReverseSort, [Chord::char('S')], "reverse the order";
    Lists Action::Reload, [Chord::char('r'), Chord::ctrl('r')], "connect and read everything again", "reload";
    Lists Action::Scans, [Chord::char('x')], "scan the rows shown: rotation, tags, last use", "scan";
    Lists Action::StopScans, [Chord::char('X')], "stop the scans under way";
    Lists Action::BackOrQuit, [Chord::char('q')], "quit", "quit";
    Lists Action::DescribeAll, [Chord::char('A')], "pause describing, or describe all now", "describe all";

    Calls Action::FilterByOperation, [key(KeyCode::Enter)], "the calls of this operation alone", "this operation";
    Calls Action::Copy, [Chord::char('y'), Chord::char('c')], "copy the line, its columns separated by tabs", "copy line";
    Calls Action::Filter, [Chord::char('/')], "filter: words in operation, target and outcome", "filter";
    Calls Action::Undo, [key(KeyCode::Esc), Chord::ctrl('g')], "clear the filter";
    Calls Action::BackOrQuit, [Chord::char('q')], "quit", "quit";

    Overview Action::ShowThese, [key(KeyCode::Enter)], "show these keys", "shows these keys";
    Overview Action::Scans, [Chord::char('x')], "scans: of the rows of Keys";
    Overview Action::Reload, [Chord::char('r'), Chord::ctrl('r')], "connect and read everything again", "reload";
    Overview Action::BackOrQuit, [Chord::char('q')], "quit", "quit";
    Overview Action::DescribeAll, [Chord::char('A')], "pause describing, or describe all now", "describe all";

    Empty Action::Reload, [Chord::char('r'), Chord::ctrl('r')], "try again", "try again";
    Empty Action::NewDataKey, [Chord::char('n')], "fill in a form anyway", "form anyway";
    Empty Action::Copy, [Chord::char('y'), Chord::char('c')], "copy the command that helps, or what happened", "copy";
    Empty Action::BackOrQuit, [Chord::char('q')], "quit", "quit";

    Scans Action::Scan(ScanKind::Rotation), [Chord::char('r')], "automatic rotation", "rotation";
    Scans Action::Scan(ScanKind::Tags), [Chord::char('t')], "tags", "tags";
    Scans Action::Scan(ScanKind::LastUse), [Chord::char('l')], "last use", "last use";
    Scans Action::Undo, [key(KeyCode::Esc), Chord::ctrl('g')], "none", "none";

    Scan Action::BeginScan, [key(KeyCode::Enter)], "begin", "begin";
    Scan Action::Undo, [key(KeyCode::Esc), Chord::ctrl('g')], "not", "not";

    Moving Action::Up, [key(KeyCode::Up), Chord::char('k')], "up";
    Moving Action::Down, [key(KeyCode::Down), Chord::char('j')], "down";
    Moving Action::PageUp, [key(KeyCode::PageUp), Chord::ctrl('u')], "a page up";
    Moving Action::PageDown, [key(KeyCode::PageDown), Chord::ctrl('d')], "a page down";
    Moving Action::First, [key(KeyCode::Home), Chord::char('g')], "to the first";
    Moving Action::Last, [key(KeyCode::End), Chord::char('G')], "to the last";

    Tabs Action::NextTab, [key(KeyCode::Tab), Chord::char(']')], "the next screen or tab";
    Tabs Action::PreviousTab, [key(KeyCode::BackTab), Chord::char('[')], "the one before";
    Tabs Action::Tab(1), [Chord::char('1')], "the first";
    Tabs Action::Tab(2), [Chord::char('2')], "the second";
    Tabs Action::Tab(3), [Chord::char('3')], "the third";
    Tabs Action::Tab(4), [Chord::char('4')], "the fourth";

    Filter Action::KeepFilter, [key(KeyCode::Enter)], "keep the filter", "keep";
    Filter Action::Up, [key(KeyCode::Up), Chord::ctrl('p')], "up";
    Filter Action::Down, [key(KeyCode::Down), Chord::ctrl('n')], "down", "move";
    Filter Action::PageUp, [key(KeyCode::PageUp)], "a page up";
    Filter Action::PageDown, [key(KeyCode::PageDown)], "a page down";
    Filter Action::Undo, [key(KeyCode::Esc), Chord::ctrl('g')], "clear the filter", "clear";

    Menu Action::Choose, [key(KeyCode::Enter)], "copy this; so does the letter before it", "copy";
    Menu Action::Undo, [key(KeyCode::Esc), Chord::ctrl('g'), Chord::char('q'), Chord::char('Y')], "close", "close";

    Search Action::KeepSearch, [key(KeyCode::Enter)], "keep the search, go through its matches", "keep";
    Search Action::NextMatch, [key(KeyCode::Down), Chord::ctrl('n')], "the next match", "next";
    Search Action::PreviousMatch, [key(KeyCode::Up), Chord::ctrl('p')], "the match before", "previous";
    Search Action::Undo, [key(KeyCode::Esc), Chord::ctrl('g')], "end the search", "end the search";

    Matches Action::NextMatch, [Chord::char('n')], "the next match", "next match";
    Matches Action::PreviousMatch, [Chord::char('N')], "the match before", "previous";
    Matches Action::Undo, [key(KeyCode::Esc), Chord::ctrl('g')], "end the search", "end the search";

    Details Action::NewDataKey, [Chord::char('n')], "new data key under this key", "new data key";
    Details Action::Copy, [Chord::char('y'), Chord::char('c')], "copy the key ARN, or what the tab shows", "copy";
    Details Action::CopyMenu, [Chord::char('Y')], "choose what to copy", "copy …";
    Details Action::Search, [Chord::char('/')], "search in the text", "search";
    Details Action::LastUse, [Chord::char('u')], "read when it was last used (quota: 5 calls a second)";
    Details Action::Reload, [Chord::char('r'), Chord::ctrl('r')], "read this tab again", "reload";
    Details Action::Undo, [key(KeyCode::Esc), Chord::ctrl('g'), Chord::char('q')], "back", "back";
    Details Action::Tab(1), [Chord::char('1')], "Overview";
    Details Action::Tab(2), [Chord::char('2')], "Aliases";
    Details Action::Tab(3), [Chord::char('3')], "Policy";
    Details Action::Tab(4), [Chord::char('4')], "Tags";
    Details Action::Tab(5), [Chord::char('5')], "Grants";
    Details Action::Tab(6), [Chord::char('6')], "Rotation";
    Details Action::Tab(7), [Chord::char('7')], "Public key";
    Details Action::Tab(8), [Chord::char('8')], "JSON";

    FormKey Action::NextName, [key(KeyCode::PageDown)], "another name of the same key: alias, id, ARN", "other names";
    FormKey Action::PreviousName, [key(KeyCode::PageUp)], "the one before";
    FormChoice Action::ChooseNext, [key(KeyCode::Right), Chord::char(' ')], "choose the next", "choose";
    FormChoice Action::ChoosePrevious, [key(KeyCode::Left)], "choose the one before";
    Form Action::NextField, [key(KeyCode::Tab), key(KeyCode::Down)], "next field", "next";
    Form Action::PreviousField, [key(KeyCode::BackTab), key(KeyCode::Up)], "previous field";
    Form Action::Enter, [key(KeyCode::Enter)], "next field; on Run: run";
    Form Action::Run, [Chord::ctrl('r')], "run, from anywhere", "run";
    Form Action::Undo, [key(KeyCode::Esc), Chord::ctrl('g')], "back; the form is kept", "back";
    Form Action::TogglePreview, [Chord::ctrl('t')], "preview: JSON, aws command, off", "preview";
    Form Action::CopyPreview, [Chord::alt('c')], "copy the preview", "copy preview";

    Running Action::Undo, [key(KeyCode::Esc), Chord::ctrl('g'), Chord::char('q')], "cancel the request", "cancel";

    Result Action::Copy, [Chord::char('y'), Chord::char('c')], "copy the Base64", "copy Base64";
    Result Action::NewDataKey, [Chord::char('n')], "the form again, as it was", "edit and run again";
    Result Action::Again, [Chord::char('.')], "run again unchanged", "again unchanged";
    Result Action::Undo, [key(KeyCode::Esc), Chord::ctrl('g'), Chord::char('q')], "back", "back";

    DryRunResult Action::NewDataKey, [Chord::char('n')], "the form again, as it was", "edit and run again";
    DryRunResult Action::Again, [Chord::char('.')], "run again unchanged", "again unchanged";
    DryRunResult Action::Undo, [key(KeyCode::Esc), Chord::ctrl('g'), Chord::char('q')], "back", "back";

    Refusal Action::Retry, [Chord::char('r'), Chord::ctrl('r')], "try again", "try again";
    Refusal Action::Copy, [Chord::char('y'), Chord::char('c')], "copy all this", "copy all this";
    Refusal Action::Undo, [key(KeyCode::Esc), Chord::ctrl('g'), Chord::char('q')], "back to the form", "back to the form";

    Going Action::Profiles, [Chord::char('P')], "go to another profile of the AWS configuration", "profile";
    Going Action::Regions, [Chord::char('R')], "go to another region, or to several", "region";
    Going Action::PlaceBefore, [Chord::char('-')], "the place before, and forth again";

    Picker Action::Take, [key(KeyCode::Enter)], "take the selected", "take";
    Picker Action::Up, [key(KeyCode::Up), Chord::ctrl('p')], "up";
    Picker Action::Down, [key(KeyCode::Down), Chord::ctrl('n')], "down", "move";
    Picker Action::PageUp, [key(KeyCode::PageUp)], "a page up";
    Picker Action::PageDown, [key(KeyCode::PageDown)], "a page down";
    Picker Action::Undo, [key(KeyCode::Esc), Chord::ctrl('g')], "close", "close";
    Palette Action::CompleteCommand, [key(KeyCode::Tab)], "put the selected command in the field", "complete";

    Question Action::Confirm, [Chord::char('y')], "run it", "run";
    Question Action::Undo, [key(KeyCode::Esc), Chord::ctrl('g'), Chord::char('n'), Chord::char('q')], "do not; nothing is lost", "back";

    Everywhere Action::Palette, [Chord::char(':')], "palette: all that can be done here, and commands";
    Everywhere Action::Help, [Chord::char('?'), key(KeyCode::F(1))], "help", "help";
    Everywhere Action::Undo, [key(KeyCode::Esc), Chord::ctrl('g')], "undo the innermost: popup, call, filter, screen";
    Everywhere Action::BackOrQuit, [Chord::char('q')], "back; on a top screen quit";
    Everywhere Action::Quit, [Chord::ctrl('c')], "quit";
    Everywhere Action::Suspend, [Chord::ctrl('z')], "suspend";
}

/// The action of a key in these scopes, the innermost first. Where a text field has the focus,
/// a key that is text is never an action.
#[must_use]
pub fn lookup(scopes: &[Scope], chord: Chord, typing: bool) -> Option<Action> {
    if typing && chord.text().is_some() {
        return None;
    }
    scopes.iter().find_map(|scope| {
        BINDINGS
            .iter()
            .find(|binding| binding.scope == *scope && binding.chords.contains(&chord))
            .map(|binding| binding.action)
    })
}

/// The footer of these scopes: (key, what it does), the most useful first. Where a text field has
/// the focus, the key is shown that is not text.
#[must_use]
pub fn footer(scopes: &[Scope], typing: bool) -> Vec<(String, &'static str)> {
    let mut shown: Vec<Action> = Vec::new();
    let mut hints = Vec::new();
    for scope in scopes {
        for binding in BINDINGS.iter().filter(|binding| binding.scope == *scope) {
            let (Some(words), false) = (binding.footer, shown.contains(&binding.action)) else { continue };
            // A key that means something else further in is none for this.
            let means_this = |chord: &&Chord| lookup(scopes, **chord, typing) == Some(binding.action);
            let chord = binding.chords.iter().find(means_this);
            if let Some(chord) = chord {
                shown.push(binding.action);
                hints.push((chord.name(), words));
            }
        }
    }
    hints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_scope() {
        for (index, binding) in BINDINGS.iter().enumerate() {
            for other in &BINDINGS[index + 1..] {
                if binding.scope == other.scope {
                    for chord in binding.chords {
                        assert!(!other.chords.contains(chord), "{:?} {}", binding.scope, chord.name());
                    }
                }
            }
        }
    }

    #[test]
    fn the_innermost_scope_wins_and_text_stays_text() {
        let esc = Chord::plain(KeyCode::Esc);
        assert_eq!(lookup(&[Scope::Form, Scope::Everywhere], esc, true), Some(Action::Undo));
        let letter = Chord::char('q');
        assert_eq!(lookup(&[Scope::Lists, Scope::Everywhere], letter, false), Some(Action::BackOrQuit));
        assert_eq!(lookup(&[Scope::Form, Scope::Everywhere], letter, true), None);
        let help: Vec<_> = footer(&[Scope::Form, Scope::Everywhere], true);
        assert_eq!(help.last(), Some(&("F1".to_owned(), "help")));
    }

    #[test]
    fn shift_belongs_to_the_character_and_ctrl_has_no_case() {
        let event = |code, modifiers| Chord::of(KeyEvent::new(code, modifiers));
        assert_eq!(event(KeyCode::Char('G'), KeyModifiers::SHIFT), Chord::char('G'));
        assert_eq!(event(KeyCode::Char('R'), KeyModifiers::CONTROL), Chord::ctrl('r'));
        assert_eq!(event(KeyCode::Tab, KeyModifiers::SHIFT), Chord::plain(KeyCode::BackTab));
        assert_eq!(event(KeyCode::BackTab, KeyModifiers::SHIFT), Chord::plain(KeyCode::BackTab));
    }
}
