//! The Calls screen: a row an attempt, newest first, columns that leave one by one as the terminal
//! narrows. Never a body.

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::table::{GAP, cell, head, row};
use super::{Theme, chrome, panel, title};
use crate::app::{State, layout};
use crate::domain::call::{CallRecord, Outcome};
use crate::domain::text::{keep_end, keep_ends, printable, thousands};
use crate::domain::time;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Time,
    Operation,
    Target,
    Region,
    Outcome,
    Milliseconds,
    Attempt,
    RequestId,
}

use Column::{Attempt, Milliseconds, Operation, Region, RequestId, Target, Time};

/// All columns with their titles and least widths, in the order in which they stand.
const COLUMNS: [(Column, &str, usize); 8] = [
    (Time, "TIME UTC", 8),
    (Operation, "OPERATION", 22),
    (Target, "TARGET", 13),
    (Region, "REGION", 14),
    (Column::Outcome, "OUTCOME", 17),
    (Milliseconds, "    MS", 6),
    (Attempt, "ATTEMPT", 7),
    (RequestId, "REQUEST ID", 13),
];

/// The order in which columns leave. What was called and how it ended stay.
const LEAVING: [Column; 6] = [RequestId, Attempt, Region, Milliseconds, Target, Time];

/// What is given beyond the least widths, one after the other: a key id, whole error codes, the longest
/// operation, a request id. TARGET takes what is left over.
const COMFORT: [(Column, usize); 4] = [(Target, 37), (Column::Outcome, 21), (Operation, 31), (RequestId, 36)];

/// The columns that fit; REGION where calls go to several.
fn columns(available: usize, several_regions: bool) -> Vec<(Column, &'static str, usize)> {
    let mut columns = COLUMNS.to_vec();
    columns.retain(|(column, ..)| *column != Region || several_regions);
    let taken = |columns: &[(Column, &str, usize)]| {
        columns.iter().map(|(.., width)| width + GAP).sum::<usize>().saturating_sub(GAP)
    };
    for leaving in LEAVING {
        if taken(&columns) <= available {
            break;
        }
        columns.retain(|(column, ..)| *column != leaving);
    }
    let over = taken(&columns).saturating_sub(available);
    let mut left = available.saturating_sub(taken(&columns));
    if let Some((.., width)) = columns.iter_mut().find(|(column, ..)| *column == Operation) {
        *width = width.saturating_sub(over);
    }
    for (wanting, comfort) in COMFORT {
        if let Some((.., width)) = columns.iter_mut().find(|(column, ..)| *column == wanting) {
            let more = comfort.saturating_sub(*width).min(left);
            *width += more;
            left -= more;
        }
    }
    let last = columns.iter_mut().find(|(column, ..)| *column == Target);
    if let Some((.., width)) = last {
        *width += left;
    }
    columns
}

pub(super) fn render(state: &State, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let calls = &state.calls;
    let words = format!("{} of {}", thousands(calls.row_count()), thousands(calls.len()));
    let filter = chrome::title_of_filter(&calls.input, calls.typing, &words, theme);
    let block = panel(chrome::top_tabs(state, theme), filter, theme).title_bottom(position(state, theme));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    if calls.row_count() == 0 {
        frame.render_widget(Paragraph::new(nothing(state, theme)), inner);
        return;
    }
    let available = usize::from(inner.width).saturating_sub(3);
    let columns = columns(available, state.connected.len() > 1);
    let heads = columns.iter().map(|(_, title, width)| vec![head(title, *width, None, theme)]);
    let rows = calls.visible(layout::list_height(state.size)).map(|(number, record)| {
        let values = columns.iter().map(|(column, _, width)| vec![value(record, *column, *width, theme)]);
        row(values, calls.is_selected(number), theme)
    });
    let lines: Vec<Line<'_>> = std::iter::once(row(heads, false, theme)).chain(rows).collect();
    frame.render_widget(Paragraph::new(lines), inner);
}

fn position(state: &State, theme: &Theme) -> Line<'static> {
    let count = state.calls.row_count();
    if count == 0 {
        return Line::default();
    }
    let words = format!("{} of {}", thousands(state.calls.index() + 1), thousands(count));
    title(words, theme.dim).alignment(Alignment::Right)
}

fn nothing(state: &State, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = vec![Line::default()];
    if state.calls.is_empty() {
        lines.push(Line::from("  no call was made yet"));
    } else {
        lines.push(Line::from("  no calls match the filter"));
        lines.push(Line::from(Span::styled("  esc clears the filter", theme.dim)));
    }
    lines
}

fn value(record: &CallRecord, column: Column, width: usize, theme: &Theme) -> Span<'static> {
    let ends =
        |text: Option<&str>| Span::raw(cell(&keep_ends(&printable(text.unwrap_or_default()), width), width));
    match column {
        Time => Span::styled(cell(&time::clock(record.at), width), theme.dim),
        Operation => Span::raw(cell(&printable(record.operation), width)),
        // What tells a key's ARN or an alias from others stands at its end.
        Target => {
            let target = printable(record.target.as_deref().unwrap_or_default());
            Span::raw(cell(&keep_end(&target, width), width))
        }
        Region => Span::raw(cell(&printable(&record.region), width)),
        Column::Outcome => {
            let style = match record.outcome {
                Outcome::Ok => theme.good,
                Outcome::Error(_) => theme.bad,
                Outcome::NoAnswer(_) => theme.warning,
            };
            Span::styled(cell(&printable(record.outcome.words()), width), style)
        }
        Milliseconds => Span::raw(format!("{:>width$}", thousands_of(record))),
        Attempt => {
            // A retry is worth a look.
            let style = if record.attempt > 1 { theme.warning } else { theme.dim };
            Span::styled(format!("{:>width$}", record.attempt), style)
        }
        RequestId => ends(record.request_id.as_deref()),
    }
}

fn thousands_of(record: &CallRecord) -> String {
    thousands(usize::try_from(record.took.as_millis()).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_leave_in_their_order_and_the_rest_fills_the_width() {
        let titles = |available, several| -> Vec<&str> {
            columns(available, several).iter().map(|(_, title, _)| title.trim()).collect()
        };
        let all = ["TIME UTC", "OPERATION", "TARGET", "OUTCOME", "MS", "ATTEMPT", "REQUEST ID"];
        assert_eq!(titles(135, false), all);
        assert_eq!(titles(135, true).len(), 8);
        assert_eq!(titles(75, false), all[..5]);
        assert_eq!(titles(75, true), all[..5]);
        assert_eq!(titles(35, false), ["OPERATION", "OUTCOME"]);
        for available in (30..42).chain(66..250) {
            let columns = columns(available, false);
            let taken: usize = columns.iter().map(|(.., width)| width + GAP).sum();
            assert!(taken - GAP <= available, "at {available}");
            if columns.iter().any(|(column, ..)| *column == Target) {
                assert_eq!(taken - GAP, available, "at {available}");
            }
        }
    }
}
