//! Draws a state: a function a region, nothing changed, nothing performed.
//!
//! Every text that came from outside goes through [`crate::domain::text`] on its way here.

mod aliases;
mod calls;
mod chrome;
mod copy_menu;
mod details;
mod failure;
mod field;
mod form;
mod help;
mod keys;
mod outcome;
mod overview;
mod picker;
mod progress;
mod question;
mod scan;
mod table;
mod theme;

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Paragraph};

use crate::app::{Popup, Screen, State, TopScreen, layout};

pub use theme::Theme;

/// Draws the whole screen:
///
/// ```text
/// where we are                                      how reading goes
/// ╭─ [1 Keys]  2 Aliases ────────────────────── what the filter says ─╮
/// │ rows, details, the form or a result                               │
/// ╰───────────────────────────────────────────────────────────────────╯
/// the last word, and the keys that work here
/// ```
pub fn render(state: &State, theme: &Theme, frame: &mut Frame<'_>) {
    if layout::too_small(state.size) {
        let words = format!("kmx needs {}×{}", layout::SMALLEST.width, layout::SMALLEST.height);
        frame.render_widget(Paragraph::new(words), frame.area());
        return;
    }
    let areas = layout::frame(state.size);
    chrome::header(state, theme, frame, areas.header);
    match state.screen() {
        Some(Screen::Details(screen)) => details::render(state, screen, theme, frame, areas.body),
        Some(Screen::Form(screen)) => form::render(state, &screen.form, theme, frame),
        Some(Screen::Outcome(outcome)) => outcome::render(state, outcome, theme, frame, areas.body),
        None => match state.top {
            TopScreen::Keys => keys::render(state, theme, frame, areas.body),
            TopScreen::Aliases => aliases::render(state, theme, frame, areas.body),
            TopScreen::Overview => overview::render(state, theme, frame, areas.body),
            TopScreen::Calls => calls::render(state, theme, frame, areas.body),
        },
    }
    if let Some(picker) = &state.picker {
        picker::render(state, picker, theme, frame);
    }
    chrome::footer(state, theme, frame, areas.footer);
    match &state.popup {
        Some(Popup::Help { scroll }) => help::render(state, *scroll, theme, frame, areas.body),
        Some(Popup::Scans) => scan::render_menu(state, theme, frame, areas.body),
        Some(Popup::Scan) => scan::render_question(state, theme, frame, areas.body),
        Some(Popup::Sort) => help::render_sort(state, theme, frame, areas.body),
        Some(Popup::Copy(menu)) => copy_menu::render(menu, theme, frame, areas.body),
        Some(Popup::Question) => question::render(state, theme, frame, areas.body),
        None => {}
    }
}

/// How far the help, or the panel under it, scrolls: its lines beyond those that fit.
#[must_use]
pub fn scroll_limit(state: &State) -> usize {
    let (columns, theme) = (layout::panel_width(state.size), Theme::plain());
    let lines = match (&state.popup, state.screen()) {
        (Some(Popup::Help { .. }), _) => help::lines(state, &theme).len(),
        (_, Some(Screen::Details(screen))) => details::lines(state, screen, columns, &theme).len(),
        (_, Some(Screen::Outcome(outcome))) => outcome::lines(state, outcome, columns, &theme).len(),
        _ => 0,
    };
    lines.saturating_sub(layout::panel_height(state.size))
}

/// The text that a search goes through: that of the details, a line as it is shown each.
#[must_use]
pub fn panel_text(state: &State) -> Vec<String> {
    let Some(Screen::Details(screen)) = state.screen() else { return Vec::new() };
    let lines = details::lines(state, screen, layout::panel_width(state.size), &Theme::plain());
    lines.iter().map(details::text_of).collect()
}

/// A panel with a title, and a word on the right of its upper border.
fn panel<'a>(title: impl Into<Line<'a>>, right: impl Into<Line<'a>>, theme: &Theme) -> Block<'a> {
    let right: Line<'a> = right.into();
    let mut block =
        Block::bordered().border_type(BorderType::Rounded).border_style(theme.border).title(title.into());
    if right.width() > 0 {
        block = block.title(right.alignment(Alignment::Right));
    }
    block
}

/// A title of one text, with a blank on either side.
fn title(text: impl Into<String>, style: Style) -> Line<'static> {
    Line::from(Span::styled(format!(" {} ", text.into()), style))
}

/// Tabs for a title: the current one in brackets, so that colour is not needed to tell.
fn tabs(titles: &[&str], current: usize, theme: &Theme) -> Line<'static> {
    let mut spans = vec![Span::raw(" ")];
    for (index, title) in titles.iter().enumerate() {
        let text = format!("{} {title}", index + 1);
        spans.push(if index == current {
            Span::styled(format!("[{text}]"), theme.title)
        } else {
            Span::styled(format!(" {text} "), theme.dim)
        });
    }
    spans.push(Span::raw(" "));
    Line::from(spans)
}

/// Draws lines from a scroll position on; one that lies too far down shows the end. How much there is
/// above and below stands in the border under them.
fn scrolled(lines: Vec<Line<'_>>, scroll: usize, frame: &mut Frame<'_>, area: Rect) {
    let height = usize::from(area.height);
    let lowest = lines.len().saturating_sub(height);
    let skip = scroll.min(lowest);
    scroll_mark(skip, lowest - skip, frame, area);
    let shown: Vec<Line<'_>> = lines.into_iter().skip(skip).take(height).collect();
    frame.render_widget(Paragraph::new(shown), area);
}

/// Says in the border under an area how many lines are above and below what it shows.
fn scroll_mark(above: usize, below: usize, frame: &mut Frame<'_>, area: Rect) {
    if above + below == 0 || area.bottom() >= frame.area().bottom() {
        return;
    }
    let mark = match (above, below) {
        (0, below) => format!(" ↓{below} "),
        (above, 0) => format!(" ↑{above} "),
        (above, below) => format!(" ↑{above} ↓{below} "),
    };
    let width = u16::try_from(mark.chars().count()).unwrap_or(u16::MAX).min(area.width);
    let border = Rect { x: area.right() - width, y: area.bottom(), width, height: 1 };
    frame.render_widget(Span::raw(mark), border);
}

/// The inside of a panel, with a blank column on either side.
fn inside(block: &Block<'_>, area: Rect) -> Rect {
    let inner = block.inner(area);
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}
