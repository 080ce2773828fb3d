//! The menu of what can be copied: a popup over the body.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::help::centred;
use super::table::MARKER;
use super::{Theme, inside, panel, scrolled, title};
use crate::app::copy_menu::CopyMenu;
use crate::domain::text::{printable, width};

pub(super) fn render(menu: &CopyMenu, theme: &Theme, frame: &mut Frame<'_>, body: Rect) {
    let entry = |(at, entry): (usize, &crate::app::copy_menu::CopyEntry)| {
        let selected = at == menu.selected;
        let line = Line::from(vec![
            Span::styled(if selected { MARKER.0 } else { MARKER.1 }, theme.accent),
            Span::styled(format!("{} ", entry.letter), theme.key),
            Span::raw(printable(&entry.what).into_owned()),
        ]);
        if selected { line.style(theme.selected) } else { line }
    };
    let lines: Vec<Line<'_>> = menu.entries.iter().enumerate().map(entry).collect();
    let columns = menu.entries.iter().map(|entry| width(&entry.what) + 5).max().unwrap_or(0);
    let area = centred(body, u16::try_from(columns.max(24)).unwrap_or(u16::MAX), lines.len());
    let block = panel(title("Copy …", theme.title), Line::default(), theme);
    frame.render_widget(Clear, area);
    let inner = inside(&block, area);
    frame.render_widget(block, area);
    let scroll = (menu.selected + 1).saturating_sub(usize::from(inner.height));
    scrolled(lines, scroll, frame, inner);
}
