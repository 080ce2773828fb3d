//! Cells of fixed width, and what the cells of a key say.

use jiff::Timestamp;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Theme;
use crate::domain::catalog::Key;
use crate::domain::filter::Filter;
use crate::domain::key::{KeyState, days_until};
use crate::domain::text::{keep_start, width};

/// A value that is on its way.
pub(super) const ON_ITS_WAY: &str = "·····";
/// Between two columns.
pub(super) const GAP: usize = 2;
/// What marks the selected row, and what stands there else.
pub(super) const MARKER: (&str, &str) = ("▌ ", "  ");

/// The text in exactly `columns`: cut at its end, or filled with blanks.
pub(super) fn cell(text: &str, columns: usize) -> String {
    let cut = keep_start(text, columns);
    let missing = columns.saturating_sub(width(&cut));
    format!("{cut}{}", " ".repeat(missing))
}

/// A cell of a row: one span, or several where a part of it stands out.
pub(super) type Cell = Vec<Span<'static>>;

/// A cell in which what the filter's words match stands out.
pub(super) fn matched(cell: Span<'static>, filter: &Filter, theme: &Theme) -> Cell {
    let found = filter.matches_in(&cell.content);
    if found.is_empty() {
        return vec![cell];
    }
    let (mut spans, mut at) = (Vec::new(), 0);
    for range in found {
        spans.push(Span::styled(cell.content[at..range.start].to_owned(), cell.style));
        at = range.end;
        spans.push(Span::styled(cell.content[range].to_owned(), cell.style.patch(theme.matched)));
    }
    spans.push(Span::styled(cell.content[at..].to_owned(), cell.style));
    spans.retain(|span| !span.content.is_empty());
    spans
}

/// A row of cells with gaps between them, behind the marker.
pub(super) fn row(cells: impl IntoIterator<Item = Cell>, selected: bool, theme: &Theme) -> Line<'static> {
    let marker = if selected { MARKER.0 } else { MARKER.1 };
    let mut spans = vec![Span::styled(marker, theme.accent)];
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            spans.push(Span::raw(" ".repeat(GAP)));
        }
        spans.extend(cell);
    }
    let line = Line::from(spans);
    if selected { line.style(theme.selected) } else { line }
}

/// A head with the arrow of the sort, where it is sorted by.
pub(super) fn head(title: &str, columns: usize, sorted: Option<bool>, theme: &Theme) -> Span<'static> {
    let text = match sorted {
        Some(false) => format!("{title} ▲"),
        Some(true) => format!("{title} ▼"),
        None => title.to_owned(),
    };
    Span::styled(cell(&text, columns), theme.dim)
}

/// Glyph, words and colour of a key's state: what DescribeKey told, or why it told nothing.
pub(super) fn state_of(row: Key<'_>, now: Timestamp, theme: &Theme) -> (&'static str, String, Style) {
    if let Some(refusal) = row.refusal() {
        let words = crate::domain::text::printable(refusal.in_a_word()).into_owned();
        return ("⊘", words, theme.dim);
    }
    let Some(traits) = row.traits() else {
        return ("·", "· ·".to_owned(), theme.dim);
    };
    let Some(state) = &traits.key_state else {
        return ("?", "not told".to_owned(), theme.warning);
    };
    let (glyph, style) = (state.glyph(), theme.state(state));
    let words = match (state, row.deletion_date()) {
        (KeyState::PendingDeletion, Some(at)) => format!("Deletes in {} d", days_until(at, now)),
        _ => crate::domain::text::printable(state.words()).into_owned(),
    };
    (glyph, words, style)
}
