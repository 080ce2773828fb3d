//! The catalog in counts and bars, in two columns where there is room.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::table::{MARKER, ON_ITS_WAY, cell};
use super::{Theme, chrome, failure, panel, scroll_mark, title};
use crate::app::overview::{Column, Section, sections};
use crate::app::{State, overview};
use crate::domain::text::{plural, printable, thousands};

/// Two columns need this much room.
const TWO_COLUMNS: u16 = 76;
/// A column grows no wider: the eye must find the way from a label to its count.
const WIDEST: usize = 72;
/// Columns that a value of the service needs, and the longest label of ours.
const LABEL: usize = 18;
const LONGEST_LABEL: usize = 30;
/// Columns of a count.
const COUNT: usize = 7;
/// Columns of the longest bar.
const BAR: usize = 20;
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

pub(super) fn render(state: &State, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let catalog = &state.catalog;
    let (keys, described) = (catalog.key_count(), catalog.described_count());
    let words = format!("{}, {} described", plural(keys, "key", "keys"), thousands(described));
    let block = panel(chrome::top_tabs(state, theme), title(words, theme.dim), theme)
        .title_bottom(chrome::trouble_title(state, theme));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    if failure::instead_of_rows(state, theme, frame, inner) {
        return;
    }
    if keys == 0 {
        chrome::no_rows(state, 0, 0, theme, frame, inner);
        return;
    }
    let sections = sections(state);
    if inner.width < TWO_COLUMNS {
        column(state, &sections, |_| true, theme, frame, inner);
        return;
    }
    let width = (inner.width / 2).min(u16::try_from(WIDEST).unwrap_or(u16::MAX));
    let left = Rect { width, ..inner };
    let right = Rect { x: inner.x + width, width: width.min(inner.width - width), ..inner };
    column(state, &sections, |section| section.column == Column::Left, theme, frame, left);
    column(state, &sections, |section| section.column == Column::Right, theme, frame, right);
}

/// The sections of a column, scrolled so that the selection is in view.
fn column(
    state: &State,
    sections: &[Section],
    belongs: impl Fn(&Section) -> bool,
    theme: &Theme,
    frame: &mut Frame<'_>,
    area: Rect,
) {
    let width = usize::from(area.width).saturating_sub(1);
    let (mut lines, mut number, mut selected_at) = (Vec::new(), 0, None);
    for section in sections {
        if !belongs(section) {
            number += section.lines.len();
            continue;
        }
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::from(vec![Span::raw(MARKER.1), Span::styled(section.title, theme.dim)]));
        let most = section.lines.iter().filter_map(|line| line.count).max().unwrap_or_default();
        for line in &section.lines {
            let selected = number == state.overview.0;
            if selected {
                selected_at = Some(lines.len());
            }
            lines.push(count_line(line, section.bars.then_some(most), width, selected, theme));
            number += 1;
        }
    }
    let height = usize::from(area.height);
    let skip = selected_at.map_or(0, |at| (at + 1).saturating_sub(height)).min(lines.len());
    let below = lines.len().saturating_sub(skip + height);
    if below + skip > 0 {
        scroll_mark(skip, below, frame, area);
    }
    let shown: Vec<Line<'_>> = lines.into_iter().skip(skip).take(height).collect();
    frame.render_widget(Paragraph::new(shown), area);
}

/// `● Enabled  957 ███████`, or with its filter in place of the bar.
fn count_line(
    line: &overview::Line,
    most: Option<usize>,
    width: usize,
    selected: bool,
    theme: &Theme,
) -> Line<'static> {
    let marker = if selected { MARKER.0 } else { MARKER.1 };
    let beside = 2 + 2 + LABEL + COUNT + 1;
    let behind = if most.is_some() { BAR.min(width.saturating_sub(beside).max(4)) } else { 0 };
    let label_width =
        width.saturating_sub(2 + 2 + COUNT + if behind > 0 { behind + 1 } else { 0 }).min(LONGEST_LABEL);
    let count = line.count.map_or_else(|| ON_ITS_WAY.to_owned(), thousands);
    let is_empty = line.count == Some(0);
    let style = match &line.state {
        _ if is_empty => theme.dim,
        Some(state) => theme.state(state),
        None => ratatui::style::Style::new(),
    };
    let mut spans = vec![
        Span::styled(marker, theme.accent),
        Span::styled(format!("{} ", line.glyph), style),
        Span::styled(cell(&printable(&line.label), label_width), if is_empty { theme.dim } else { style }),
        Span::styled(
            format!("{count:>COUNT$}"),
            if is_empty { theme.dim } else { ratatui::style::Style::new() },
        ),
    ];
    if let Some(most) = most {
        spans.push(Span::raw(" "));
        spans.push(Span::styled(bar(line.count.unwrap_or_default(), most, behind), style));
    } else {
        let room = width.saturating_sub(2 + 2 + label_width + COUNT + 2);
        if room > 8 {
            spans.push(Span::styled(format!("  {}", cell(&line.filter, room)), theme.dim));
        }
    }
    let line = Line::from(spans);
    if selected { line.style(theme.selected) } else { line }
}

/// A bar as long as its share of the longest; what is there at all has at least a sliver.
fn bar(count: usize, most: usize, columns: usize) -> String {
    if most == 0 || count == 0 {
        return String::new();
    }
    let eighths = (count * columns * 8 / most).max(1);
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}
