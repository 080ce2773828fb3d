//! The help, and the columns to sort by: popups over the body.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::table::cell;
use super::{Theme, inside, panel, scrolled, title};
use crate::app::keymap::{BINDINGS, Scope};
use crate::app::list::{ALIAS_COLUMNS, KEY_COLUMNS};
use crate::app::{State, TopScreen};

/// Where what a key does begins.
const KEYS: usize = 24;

/// Keys of text fields, which `tui-input` handles and no binding names.
const TEXT_FIELDS: [(&str, &str); 8] = [
    ("ctrl+a, ctrl+e", "to the start, to the end"),
    ("ctrl+b, ctrl+f, ← →", "a character back, forward"),
    ("alt+b, alt+f", "a word back, forward"),
    ("ctrl+h, ctrl+d", "delete the character before, under the cursor"),
    ("ctrl+w, alt+d", "delete the word before, behind the cursor"),
    ("ctrl+u, ctrl+k", "delete to the start, to the end"),
    ("ctrl+y", "put back what was deleted"),
    ("→ at the end", "in Key: take the completion shown"),
];

pub(super) fn render(state: &State, scroll: usize, theme: &Theme, frame: &mut Frame<'_>, body: Rect) {
    let lines = lines(state, theme);
    let area = centred(body, 78, lines.len());
    let block = panel(title("Help", theme.title), title("? esc close  ↑↓ scroll", theme.dim), theme);
    frame.render_widget(Clear, area);
    let inner = inside(&block, area);
    frame.render_widget(block, area);
    scrolled(lines, scroll, frame, inner);
}

/// All lines of the help for the screen that it covers.
pub(super) fn lines(state: &State, theme: &Theme) -> Vec<Line<'static>> {
    let scopes = state.scopes_of_the_screen();
    let mut lines = Vec::new();
    for scope in &scopes {
        section(*scope, theme, &mut lines);
    }
    if scopes.contains(&Scope::Form) || scopes.contains(&Scope::Filter) || scopes.contains(&Scope::Lists) {
        lines.push(Line::from(Span::styled("Text fields", theme.title)));
        lines.extend(TEXT_FIELDS.map(|(keys, help)| binding(keys, help, theme)));
        lines.push(Line::default());
    }
    if scopes.contains(&Scope::Lists) {
        lines.push(Line::from(Span::styled("Filter language", theme.title)));
        for (term, help) in [
            ("pay ledger", "every word in alias, key id or description"),
            ("Pay", "a capital minds case"),
            ("state:disabled", "a part of the state's name: enabled, pending, replica, …"),
            ("state:denied", "keys that could not be described; unknown: not yet"),
            ("usage:sign", "a part of what is told; so spec: manager: origin:"),
            ("alias:none", "no alias; any; or a part of a name"),
            ("region:eu", "a part of the region's name"),
            ("deletion:30d", "deleted within so long: d, w, m, y; any, none"),
            ("expires:30d", "imported key material expires within so long"),
            ("older:2y, newer:30d", "created before or after that"),
            ("!state:enabled", "! or not: turns a term or a word round"),
            ("rotation:off", "once scanned (x): rotation is on, off, none (cannot)"),
            ("tag:owner=ops", "once scanned: a tag, and a part of its value"),
            ("unused:90d", "once scanned: not used for so long"),
        ] {
            lines.push(binding(term, help, theme));
        }
        lines.push(Line::default());
    }
    lines.pop();
    lines
}

fn section(scope: Scope, theme: &Theme, lines: &mut Vec<Line<'static>>) {
    lines.push(Line::from(Span::styled(scope.title(), theme.title)));
    for entry in BINDINGS.iter().filter(|binding| binding.scope == scope) {
        let keys: Vec<String> = entry.chords.iter().map(|chord| chord.name()).collect();
        lines.push(binding(&keys.join(", "), entry.help, theme));
    }
    lines.push(Line::default());
}

fn binding(keys: &str, help: &str, theme: &Theme) -> Line<'static> {
    Line::from(vec![Span::styled(cell(&format!("  {keys}"), KEYS), theme.key), Span::raw(help.to_owned())])
}

/// The columns that the next letter can name.
pub(super) fn render_sort(state: &State, theme: &Theme, frame: &mut Frame<'_>, body: Rect) {
    let entry = |letter: char, name: &str, sorted: Option<bool>| {
        let arrow = match sorted {
            Some(false) => " ▲",
            Some(true) => " ▼",
            None => "",
        };
        Line::from(vec![Span::styled(format!("{letter} "), theme.key), Span::raw(format!("{name}{arrow}"))])
    };
    let lines: Vec<Line<'_>> = match state.top {
        TopScreen::Keys => {
            let sort = state.keys.sort;
            let sorted = |column| (sort.column == column).then_some(sort.descending);
            KEY_COLUMNS.iter().map(|(letter, column, name)| entry(*letter, name, sorted(*column))).collect()
        }
        TopScreen::Aliases | TopScreen::Overview => {
            let sort = state.aliases.sort;
            let sorted = |column| (sort.column == column).then_some(sort.descending);
            ALIAS_COLUMNS.iter().map(|(letter, column, name)| entry(*letter, name, sorted(*column))).collect()
        }
        // The order of time alone.
        TopScreen::Calls => Vec::new(),
    };
    let area = centred(body, 24, lines.len());
    let block = panel(title("Sort by", theme.title), Line::default(), theme);
    frame.render_widget(Clear, area);
    let inner = inside(&block, area);
    frame.render_widget(block, area);
    scrolled(lines, 0, frame, inner);
}

/// A box in the middle, as large as its lines need and the body allows.
pub(super) fn centred(body: Rect, columns: u16, lines: usize) -> Rect {
    let height = u16::try_from(lines + 2).unwrap_or(u16::MAX).min(body.height);
    let width = (columns + 4).min(body.width);
    Rect { x: body.x + (body.width - width) / 2, y: body.y + (body.height - height) / 2, width, height }
}
