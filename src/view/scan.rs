//! Scans on the screen: the three on offer, the question before one, and how those under way go.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::help::centred;
use super::{Theme, inside, panel, scrolled, title};
use crate::app::State;
use crate::domain::scan::ScanKind;
use crate::domain::text::{plural, wrap};

/// Columns of the question.
const QUESTION: u16 = 92;

/// The scans that the next letter can name.
pub(super) fn render_menu(state: &State, theme: &Theme, frame: &mut Frame<'_>, body: Rect) {
    let entry = |(letter, kind): (&'static str, ScanKind)| {
        let read = match state.catalog.scanned(kind) {
            0 => String::new(),
            count => format!("{} read", plural(count, "key", "keys")),
        };
        Line::from(vec![
            Span::styled(format!("{letter} "), theme.key),
            Span::raw(format!("{:<10}", kind.words())),
            Span::styled(format!("{:<22}{read}", kind.operation()), theme.dim),
        ])
    };
    let mut lines: Vec<Line<'_>> =
        [("r", ScanKind::Rotation), ("t", ScanKind::Tags), ("l", ScanKind::LastUse)].map(entry).into();
    lines.push(Line::default());
    let rows = plural(state.keys.rows().len(), "row", "rows");
    lines.push(Line::from(Span::styled(format!("a call a key, over the {rows} shown"), theme.dim)));
    popup("Scan", 54, lines, theme, frame, body);
}

/// What a scan costs, and the two answers.
pub(super) fn render_question(state: &State, theme: &Theme, frame: &mut Frame<'_>, body: Rect) {
    let Some(plan) = state.scans.asked() else { return };
    let columns = usize::from(QUESTION.min(body.width.saturating_sub(4)));
    let mut lines: Vec<Line<'_>> = Vec::new();
    for sentence in plan.words(state.describe_rate) {
        lines.extend(wrap(&sentence, columns).into_iter().map(Line::from));
        lines.push(Line::default());
    }
    let key = |key, words| [Span::styled(key, theme.key), Span::raw(words)];
    let answers = [key("enter", " begin   "), key("esc", " not")];
    lines.push(Line::from(answers.concat()));
    popup(&format!("Scan {}", plan.kind.words()), QUESTION, lines, theme, frame, body);
}

fn popup(name: &str, columns: u16, lines: Vec<Line<'_>>, theme: &Theme, frame: &mut Frame<'_>, body: Rect) {
    let area = centred(body, columns, lines.len());
    let block = panel(title(name, theme.title), Line::default(), theme);
    frame.render_widget(Clear, area);
    let inner = inside(&block, area);
    frame.render_widget(block, area);
    scrolled(lines, 0, frame, inner);
}

/// How the scans under way go, for the border under a list.
pub(super) fn progress_title(state: &State, theme: &Theme) -> Line<'static> {
    let running = state.scans.running();
    let words: Vec<String> = running.iter().map(|running| running.words(state)).collect();
    if words.is_empty() {
        return Line::default();
    }
    title(format!("scan: {}; X stops", words.join("; ")), theme.accent)
}
