//! What stands around the body: header, footer, the titles of the lists, and lists without rows.

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};
use tui_input::Input;
use unicode_segmentation::UnicodeSegmentation as _;

use super::field::window;
use super::{Theme, progress, tabs, title};
use crate::app::keymap::footer as hints;
use crate::app::layout::WIDE;
use crate::app::list::{ListState, Row};
use crate::app::{Connection, PhaseOfAll, State, StatusKind, TopScreen};
use crate::domain::place::PlaceKind;
use crate::domain::text::{keep_start, plural, printable, thousands, width, wrap};
use crate::domain::time::ago;

/// Columns that the title shows of a filter.
const FILTER: usize = 40;

/// Columns that the names of several regions take before their number stands for them, on a narrow screen
/// and on a wide one.
const REGIONS: (usize, usize) = (24, 44);

/// Where we are on the left, how reading goes on the right.
pub(super) fn header(state: &State, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let right = reading(state, area.width);
    let gauge = progress::gauge(state, area.width);
    let right = if gauge.is_empty() { right } else { format!("{right} {gauge}") };
    let room = usize::from(area.width).saturating_sub(width(&right) + 4);
    let mut parts = place(state, theme);
    // The least telling parts leave first.
    while parts.len() > 1 && parts.iter().map(|(_, part)| part.width() + 2).sum::<usize>() > room {
        let least = parts.iter().enumerate().min_by_key(|(_, (weight, _))| *weight).map(|(at, _)| at);
        parts.remove(least.unwrap_or_default());
    }
    let mut spans = vec![Span::raw(" ")];
    for (index, (_, part)) in parts.into_iter().enumerate() {
        if index > 0 {
            spans.push(Span::raw("  "));
        }
        spans.push(part);
    }
    frame.render_widget(Line::from(spans), area);
    frame.render_widget(
        Paragraph::new(Span::styled(format!("{right} "), theme.dim)).alignment(Alignment::Right),
        area,
    );
}

/// Parts of the place with how much each tells.
fn place(state: &State, theme: &Theme) -> Vec<(u8, Span<'static>)> {
    let place = state.place();
    let text = |text: &str| printable(text).into_owned();
    let mut parts = vec![(0, Span::styled("kmx", theme.title))];
    if place.kind == PlaceKind::Local {
        parts.push((5, Span::styled("LOCAL KMS – not AWS", theme.warning)));
    } else {
        let profile = place.profile.as_deref().map(text);
        let credentials = place.credentials.as_deref().map(text);
        let who = match (profile, credentials) {
            (Some(profile), Some(source)) => Some(format!("{profile} ({source})")),
            (Some(profile), None) => Some(profile),
            (None, source) => source,
        };
        let marks = state.marks_here();
        let name = match marks.colour {
            // Without a word the name itself is marked.
            Some(_) if marks.word.is_none() => theme.mark(marks.colour),
            _ => Style::new(),
        };
        parts.extend(who.map(|who| (4, Span::styled(who, name))));
        let word = marks.word.map(|word| format!(" {} ", text(&word)));
        parts.extend(word.map(|word| (6, Span::styled(word, theme.mark(marks.colour)))));
    }
    if state.marks_here().read_only {
        parts.push((5, Span::styled("read-only", theme.warning)));
    }
    parts.extend(place.account.as_deref().map(|account| (3, Span::raw(text(account)))));
    let regions: Vec<&str> = state.connected.iter().filter_map(|it| it.place.region.as_deref()).collect();
    if state.screens.is_empty() && !regions.is_empty() {
        let joined = regions.join(", ");
        let room = if state.size.width < WIDE { REGIONS.0 } else { REGIONS.1 };
        let words = if width(&joined) > room { format!("{} regions", regions.len()) } else { text(&joined) };
        parts.push((4, Span::raw(words)));
    } else {
        parts.extend(place.region.as_deref().map(|region| (4, Span::raw(text(region)))));
    }
    if let Some(host) = place.host() {
        let (weight, style) = if place.is_aws_endpoint() { (1, theme.dim) } else { (5, theme.warning) };
        parts.push((weight, Span::styled(text(&host), style)));
    }
    parts
}

fn reading(state: &State, columns: u16) -> String {
    let catalog = &state.catalog;
    let connecting = state.connected.iter().any(|it| matches!(it.connection, Connection::Connecting { .. }));
    if catalog.key_count() == 0 && connecting {
        let waited = state.now.elapsed.saturating_sub(state.connected[0].loading.since);
        let what = match state.place().kind {
            PlaceKind::Aws => "connecting",
            PlaceKind::Local => "opening",
        };
        return if waited.as_millis() < 200 {
            what.to_owned()
        } else {
            format!("{what}, {:.1} s", waited.as_secs_f64())
        };
    }
    if catalog.key_count() == 0 {
        return match (state.phase(TopScreen::Keys), state.trouble().is_some()) {
            (_, true) => "failed".to_owned(),
            (PhaseOfAll::Failed, false) => "keys not read".to_owned(),
            (PhaseOfAll::Reading, false) => "reading keys".to_owned(),
            (PhaseOfAll::Complete, false) => "no keys".to_owned(),
        };
    }
    if let Some(words) = progress::of_describing(state, columns) {
        return words;
    }
    let keys = catalog.key_count();
    match state.phase(TopScreen::Keys) {
        PhaseOfAll::Reading => format!("{} so far", plural(keys, "key", "keys")),
        _ => plural(keys, "key", "keys"),
    }
}

/// The last word, and the keys that work here.
pub(super) fn footer(state: &State, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let gap = if area.width < WIDE { 2 } else { 3 };
    let cells = |(key, words): &(String, &str)| width(key) + 1 + width(words) + gap;
    let mut hints = hints(&state.scopes(), state.typing());
    // Whatever else leaves, the way to the help stays.
    let help = hints.pop();
    let room = usize::from(area.width).saturating_sub(2);
    let room = room.saturating_sub(help.as_ref().map(cells).unwrap_or_default());
    let mut spans = vec![Span::raw(" ")];
    let mut used = 0;
    if let Some(status) = &state.status {
        let (glyph, style) = match status.kind {
            StatusKind::Info => ("", theme.accent),
            StatusKind::Success => ("✓ ", theme.good),
            StatusKind::Error => ("! ", theme.bad),
        };
        let text = format!("{glyph}{}", printable(&status.text));
        if width(&text) + 3 > room {
            // Too long for the line: it stands above it, whole.
            above(&text, style, frame, area);
        } else {
            used = width(&text) + 3;
            spans.push(Span::styled(text, style));
            spans.push(Span::raw("   "));
        }
    }
    let fitting = hints.into_iter().take_while(|hint| {
        used += cells(hint);
        used <= room + gap
    });
    let fitting: Vec<_> = fitting.collect();
    for (key, words) in fitting.into_iter().chain(help) {
        let gap = Span::raw(" ".repeat(gap));
        spans.extend([Span::styled(key, theme.key), Span::raw(" "), Span::raw(words), gap]);
    }
    frame.render_widget(Line::from(spans), area);
}

/// A text over the last lines of the body, as many as it needs.
fn above(text: &str, style: Style, frame: &mut Frame<'_>, footer: Rect) {
    let lines = wrap(text, usize::from(footer.width).saturating_sub(4));
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(footer.y);
    let area = Rect { x: footer.x, y: footer.y - height, width: footer.width, height };
    frame.render_widget(Clear, area);
    let lines: Vec<Line<'_>> = lines.into_iter().map(|line| Line::from(format!("  {line}"))).collect();
    frame.render_widget(Paragraph::new(lines).style(style), area);
}

/// The top screens, the current one in brackets.
pub(super) fn top_tabs(state: &State, theme: &Theme) -> Line<'static> {
    let current = TopScreen::ALL.iter().position(|top| *top == state.top).unwrap_or_default();
    tabs(&TopScreen::ALL.map(TopScreen::title), current, theme)
}

/// The filter, how many rows it lets through, and how many it cannot judge yet.
pub(super) fn filter_title<H: Row>(state: &State, list: &ListState<H>, theme: &Theme) -> Line<'static> {
    let total = match state.top {
        TopScreen::Aliases => state.catalog.alias_count(),
        _ => state.catalog.key_count(),
    };
    let mut words = format!("{} of {}", thousands(list.rows().len()), thousands(total));
    if list.unknown() > 0 {
        words = format!("{words}, {} not read yet", thousands(list.unknown()));
    }
    if let Some(problem) = list.filter.problems().first() {
        words = format!("! {}", printable(&problem.to_string()));
    }
    title_of_filter(&list.input, list.typing, &words, theme)
}

/// A filter as it was typed, and words about it.
pub(super) fn title_of_filter(input: &Input, typing: bool, words: &str, theme: &Theme) -> Line<'static> {
    let typed = input.value();
    if typed.is_empty() && !typing {
        return Line::default();
    }
    let shown = if typing {
        let (text, cursor) = window(input, FILTER);
        let mut before = String::new();
        let behind = text.graphemes(true).skip_while(|grapheme| {
            let is_before = width(&before) < cursor;
            if is_before {
                before.push_str(grapheme);
            }
            is_before
        });
        let behind: String = behind.collect();
        format!("/{before}▏{behind}")
    } else {
        format!("/{}", keep_start(&printable(typed), FILTER))
    };
    let mut spans = vec![Span::raw(" "), Span::styled(shown, theme.accent)];
    spans.push(Span::styled(format!("  {words} "), theme.dim));
    Line::from(spans)
}

/// Where the selection stands, and what the rows are sorted by where no head says it.
pub(super) fn position_title<H: Row>(
    list: &ListState<H>,
    hidden: Option<&str>,
    theme: &Theme,
) -> Line<'static> {
    if list.rows().is_empty() {
        return Line::default();
    }
    let mut words = format!("{} of {}", thousands(list.index() + 1), thousands(list.rows().len()));
    if let Some(column) = hidden {
        let arrow = if list.sort.descending { "▼" } else { "▲" };
        words = format!("{words}, by {column} {arrow}");
    }
    title(words, theme.dim).alignment(Alignment::Right)
}

/// What is wrong with a list that has rows all the same.
pub(super) fn trouble_title(state: &State, theme: &Theme) -> Line<'static> {
    let (words, (of, failure)) = match (state.hidden_trouble(), state.retrying()) {
        (Some(trouble), _) => ("not complete", trouble),
        (None, Some(trouble)) => ("trying again", trouble),
        (None, None) => return remembered_title(state, theme),
    };
    let region = of.place.region.as_deref().filter(|_| state.connected.len() > 1);
    let of_the_region = region.map(|region| format!("{region}: ")).unwrap_or_default();
    let room = usize::from(state.size.width).saturating_sub(32);
    let others = match state.troubled_count() {
        0 | 1 => String::new(),
        count => format!(" in {count} regions"),
    };
    let oldest = state.connected.iter().filter_map(|it| it.remembered).min();
    let words = match oldest {
        Some(saved_at) => format!("as remembered, read {}; {words}", ago(saved_at, state.now.wall)),
        None => words.to_owned(),
    };
    let text = format!("! {words}{others}: {}", printable(&format!("{of_the_region}{}", failure.sentence)));
    Line::from(Span::styled(format!(" {} ", keep_start(&text, room)), theme.warning))
}

/// How old what is shown is, while it is being read again.
fn remembered_title(state: &State, theme: &Theme) -> Line<'static> {
    let oldest = state.connected.iter().filter_map(|it| it.remembered).min();
    let Some(saved_at) = oldest else { return Line::default() };
    title(format!("as remembered, read {}", ago(saved_at, state.now.wall)), theme.warning)
}

/// A sentence in place of rows: reading, nothing there, or nothing that matches.
pub(super) fn no_rows(
    state: &State,
    unknown: usize,
    total: usize,
    theme: &Theme,
    frame: &mut Frame<'_>,
    area: Rect,
) {
    let (phase, what) = match state.top {
        TopScreen::Aliases => (state.phase(TopScreen::Aliases), "aliases"),
        _ => (state.phase(TopScreen::Keys), "keys"),
    };
    let waited = state.now.elapsed.saturating_sub(state.connected[0].loading.since).as_secs_f64();
    let connecting = state.connected.iter().any(|it| matches!(it.connection, Connection::Connecting { .. }));
    let mut lines = vec![Line::default()];
    if total > 0 {
        lines.push(Line::from(format!("  no {what} match the filter")));
        if unknown > 0 {
            let words = format!("  {} not read yet", plural(unknown, "key is", "keys are"));
            lines.push(Line::from(Span::styled(words, theme.dim)));
            let scans = match state.top {
                TopScreen::Keys => state.keys.filter.scans(),
                TopScreen::Aliases | TopScreen::Overview | TopScreen::Calls => Vec::new(),
            };
            if !scans.is_empty() {
                let scans: Vec<&str> = scans.iter().map(|kind| kind.words()).collect();
                let key = if state.typing() { "enter, then x" } else { "x" };
                let words = format!("  {key} scans: a call a key reads {}", scans.join(", "));
                lines.push(Line::from(Span::styled(words, theme.dim)));
            }
        }
        lines.push(Line::from(Span::styled("  esc clears the filter", theme.dim)));
    } else if connecting {
        let words = match state.place().kind {
            PlaceKind::Aws => format!("  reading the AWS configuration, {waited:.1} s"),
            PlaceKind::Local => "  opening the local KMS".to_owned(),
        };
        lines.push(Line::from(words));
    } else if phase == PhaseOfAll::Reading {
        lines.push(Line::from(match state.place().kind {
            PlaceKind::Aws => format!("  looking for credentials and reading {what}, {waited:.1} s"),
            PlaceKind::Local => format!("  reading {what}"),
        }));
    } else {
        lines.push(Line::from(format!("  no {what} in this account and region")));
        let help = "  n fills in a form all the same: another account's key goes by its ARN";
        lines.push(Line::from(Span::styled(help, theme.dim)));
    }
    frame.render_widget(Paragraph::new(lines), area);
}
