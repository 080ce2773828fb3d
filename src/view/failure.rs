//! A failure on the screen: the sentence, what the service said, the ways out.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Theme, scrolled};
use crate::app::State;
use crate::domain::failure::Failure;
use crate::domain::text::{printable, wrap};

/// Where hints and their like begin.
const INDENT: usize = 12;

/// All lines of a failure, wrapped to a width and never cut.
pub(super) fn lines(failure: &Failure, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines: Vec<Line<'static>> = wrap(&printable(&failure.sentence), columns)
        .into_iter()
        .map(|line| Line::from(Span::styled(line, theme.bad)))
        .collect();
    if let Some(code) = &failure.code {
        lines.push(Line::default());
        // The service's own words may be the sentence already: told once.
        let said = failure.message.as_ref() == Some(&failure.sentence);
        let words = if said { code.clone() } else { failure.words_of_the_service() };
        lines.extend(wrap(&printable(&words), columns).into_iter().map(Line::from));
    }
    if !failure.tried.is_empty() {
        lines.push(Line::default());
        for (what, end) in &failure.tried {
            let text = format!("  {:<28} {}", printable(what), printable(end));
            lines.extend(wrap(&text, columns).into_iter().map(Line::from));
        }
    }
    lines.push(Line::default());
    for hint in &failure.hints {
        lines.extend(labelled("hint", hint, columns, theme));
    }
    if let Some(command) = &failure.command {
        lines.extend(labelled("command", command, columns, theme));
    }
    if let Some(id) = &failure.request_id {
        lines.extend(labelled("request id", id, columns, theme));
    }
    lines
}

fn labelled(label: &str, text: &str, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    let wrapped = wrap(&printable(text), columns.saturating_sub(INDENT));
    wrapped
        .into_iter()
        .enumerate()
        .map(|(at, line)| {
            let label = if at == 0 { label } else { "" };
            Line::from(vec![Span::styled(format!("{label:<INDENT$}"), theme.dim), Span::raw(line)])
        })
        .collect()
}

/// Shows why a list has no rows; whether there was such a failure.
pub(super) fn instead_of_rows(state: &State, theme: &Theme, frame: &mut Frame<'_>, area: Rect) -> bool {
    let Some(failure) = state.trouble() else { return false };
    // Where every line counts there is none to spare above the sentence.
    let above = u16::from(area.height > 3);
    let area = Rect {
        x: area.x + 2,
        y: area.y + above,
        width: area.width.saturating_sub(4),
        height: area.height - above.min(area.height),
    };
    scrolled(lines(failure, usize::from(area.width), theme), 0, frame, area);
    true
}
