//! A list to choose from, over the body:
//!
//! ```text
//! ╭─ Region ───────────────────────────────────────── 2 marked ─╮
//! │ ❯ eu▏                                              8 of 34  │
//! │▌ ✓ eu-west-1     Europe (Ireland)                           │
//! │    eu-west-2     Europe (London)                     here   │
//! ╰─ space marks several ───────────────────────────────────────╯
//! ```

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::field::window;
use super::table::{GAP, MARKER, cell};
use super::{Theme, inside, panel, title};
use crate::app::picker::{Content, Item, Picker, Purpose};
use crate::app::{State, layout};
use crate::domain::place::PlaceKind;
use crate::domain::text::{printable, thousands, width, wrap};

/// Stands before the field.
const PROMPT: &str = "❯ ";
/// The widest that a cell gets.
const WIDEST_CELL: usize = 56;

pub(super) fn render(state: &State, picker: &Picker, theme: &Theme, frame: &mut Frame<'_>) {
    let area = layout::picker(state.size);
    let marked = match picker.marked().len() {
        0 => Line::default(),
        count => title(format!("{count} marked"), theme.accent),
    };
    let mut block = panel(title(picker.purpose.title(), theme.title), marked, theme);
    let hint = match picker.purpose {
        Purpose::Region => "space marks several",
        Purpose::Palette => "tab completes",
        Purpose::Profile => "",
    };
    if !hint.is_empty() {
        block = block.title_bottom(title(hint, theme.dim));
    }
    let body = inside(&block, area);
    frame.render_widget(Clear, area);
    frame.render_widget(block, area);
    if body.height == 0 {
        return;
    }
    field(state, picker, theme, frame, Rect { height: 1, ..body });
    let rows =
        Rect { x: body.x.saturating_sub(1), y: body.y + 1, width: body.width + 1, height: body.height - 1 };
    let lines = match picker.content() {
        Content::Loading => vec![Line::from("  reading the AWS configuration")],
        Content::Failed(failure) => {
            let room = usize::from(rows.width).saturating_sub(2);
            let told = std::iter::once(failure.sentence.clone()).chain(failure.hints.iter().cloned());
            let lines: Vec<String> = told.flat_map(|text| wrap(&printable(&text), room)).collect();
            lines.into_iter().map(|line| Line::from(format!("  {line}"))).collect()
        }
        Content::Items(_) if picker.rows().len() == 0 => {
            vec![Line::from(format!("  {}", nothing(state, picker)))]
        }
        Content::Items(items) => {
            let widths = widths(items, usize::from(rows.width).saturating_sub(width(MARKER.0) + 2));
            let shown = picker.rows().enumerate().skip(picker.top()).take(usize::from(rows.height));
            shown.map(|(at, item)| row(picker, item, at == picker.index(), &widths, theme)).collect()
        }
    };
    frame.render_widget(Paragraph::new(lines), rows);
}

/// Why there is no row.
fn nothing(state: &State, picker: &Picker) -> &'static str {
    let about_profiles = picker.input.value().trim_start().starts_with("profile ");
    match picker.purpose {
        Purpose::Palette if about_profiles && state.place().kind == PlaceKind::Local => {
            "the local KMS has no profiles"
        }
        Purpose::Profile if picker.items().is_empty() => {
            "the AWS configuration has no profiles; make one with `aws configure sso`"
        }
        _ => "nothing matches",
    }
}

fn field(state: &State, picker: &Picker, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let all = picker.items().len();
    let count = match (all, picker.rows().len()) {
        (0, _) => String::new(),
        (all, shown) if shown == all => thousands(all),
        (all, shown) => format!("{} of {}", thousands(shown), thousands(all)),
    };
    let room = usize::from(area.width).saturating_sub(width(PROMPT) + width(&count) + 1);
    let (text, column) = window(&picker.input, room.max(1));
    let line = Line::from(vec![Span::styled(PROMPT, theme.accent), Span::raw(text)]);
    frame.render_widget(line, area);
    frame.render_widget(Paragraph::new(Span::styled(count, theme.dim)).right_aligned(), area);
    if state.popup.is_none() {
        let column = u16::try_from(width(PROMPT) + column).unwrap_or(u16::MAX);
        let x = area.x.saturating_add(column).min(area.right().saturating_sub(1));
        frame.set_cursor_position(Position::new(x, area.y));
    }
}

/// The widths of the columns: what they need, and the widest gives where there is not room for all.
fn widths(items: &[Item], available: usize) -> Vec<usize> {
    let columns = items.iter().map(|item| item.cells.len()).max().unwrap_or_default();
    let needed = |column: usize| {
        let cells = items.iter().filter_map(|item| item.cells.get(column));
        cells.map(|cell| width(&printable(cell)).min(WIDEST_CELL)).max().unwrap_or_default()
    };
    let mut widths: Vec<usize> = (0..columns).map(needed).collect();
    let gaps = GAP * columns.saturating_sub(1);
    let over = |widths: &[usize]| (widths.iter().sum::<usize>() + gaps).saturating_sub(available);
    while over(&widths) > 0 {
        let Some(widest) = widths.iter_mut().max().filter(|widest| **widest > 1) else { break };
        *widest -= 1;
    }
    widths
}

fn row(picker: &Picker, item: &Item, selected: bool, widths: &[usize], theme: &Theme) -> Line<'static> {
    let marker = if selected { MARKER.0 } else { MARKER.1 };
    let glyph = match () {
        () if picker.is_marked(item) => "✓ ",
        () if item.refusal.is_some() => "⊘ ",
        () if item.is_current => "● ",
        () => "  ",
    };
    let mut spans = vec![Span::styled(marker, theme.accent), Span::styled(glyph, theme.accent)];
    for (at, (text, columns)) in item.cells.iter().zip(widths).enumerate() {
        if at > 0 {
            spans.push(Span::raw(" ".repeat(GAP)));
        }
        let dim = at > 0 || item.refusal.is_some();
        let text = cell(&printable(text), *columns);
        spans.push(if dim { Span::styled(text, theme.dim) } else { Span::raw(text) });
    }
    let line = Line::from(spans);
    if selected { line.style(theme.selected) } else { line }
}
