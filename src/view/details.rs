//! One key: what it is and can do, and what else there is to read about it, a tab each.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::field::window;
use super::table::{cell, state_of};
use super::{Theme, failure, inside, panel, scrolled, title};
use crate::app::details::{KeyPart, Reading, Told};
use crate::app::search::Search;
use crate::app::{Details, DetailsTab, State, remembered};
use crate::domain::abilities::{Abilities, KeyFacts};
use crate::domain::catalog::Key;
use crate::domain::console::address_of_key;
use crate::domain::details::words::{self, Block, Fact};
use crate::domain::details::{Aspect, Detail};
use crate::domain::identifier::Arn;
use crate::domain::json;
use crate::domain::json_lines::{self, PieceKind};
use crate::domain::key::KeyMetadata;
use crate::domain::text::{keep_ends, keep_start, plural, printable, width, wrap};

/// Where values begin.
const LABEL: usize = 14;
/// Columns of a key id that is cut.
const SHORT_ID: usize = 13;
/// Columns that the border shows of a search.
const SEARCH: usize = 30;
/// Facts that stand beside each other where they fit.
const SHORT_FACTS: [&str; 5] = ["Spec", "Usage", "Manager", "Origin", "Region"];
/// Facts that come after the short ones, in this order.
const LAST_FACTS: [&str; 9] = [
    "Created",
    "Material ends",
    "Description",
    "Key store",
    "External key",
    "Last use",
    "Console",
    "Algorithms",
    "Key material",
];
/// From this many columns on three facts stand beside each other, not two.
const THREE_COLUMNS: usize = 116;
/// From this many columns on two facts do.
const TWO_COLUMNS: usize = 68;

pub(super) fn render(state: &State, details: &Details, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let columns = usize::from(area.width);
    let tabs = tabs(details.tab, columns.saturating_sub(SHORT_ID + 6), theme);
    let row = state.catalog.key(details.key);
    let name = row.map_or_else(|| "this key is gone".to_owned(), |row| printable(&row.key_id()).into_owned());
    let room = columns.saturating_sub(tabs.width() + 6);
    let mut block = panel(title(keep_ends(&name, room), theme.title), tabs, theme);
    let body = inside(&block, area);
    let text = lines(state, details, usize::from(body.width), theme);
    let Some(search) = &details.search else {
        frame.render_widget(block, area);
        return scrolled(text, details.scroll, frame, body);
    };
    let (text, count, at) = highlighted(text, search, usize::from(body.width), theme);
    block = block.title_bottom(search_title(search, count, at, theme));
    frame.render_widget(block, area);
    scrolled(text, details.scroll, frame, body);
}

/// The tabs within so many columns: where there is no room, those that are farthest from the current
/// one are but a number.
fn tabs(current: DetailsTab, columns: usize, theme: &Theme) -> Line<'static> {
    let at = DetailsTab::ALL.iter().position(|tab| *tab == current).unwrap_or_default();
    let mut titles: Vec<String> =
        (1..).zip(DetailsTab::ALL).map(|(n, tab)| format!("{n} {}", tab.title())).collect();
    let total = |titles: &[String]| titles.iter().map(|title| width(title) + 2).sum::<usize>() + 2;
    let mut by_distance: Vec<usize> = (0..titles.len()).filter(|index| *index != at).collect();
    by_distance.sort_by_key(|index| std::cmp::Reverse(index.abs_diff(at)));
    for index in &by_distance {
        if total(&titles) <= columns {
            break;
        }
        titles[*index].truncate(1);
    }
    // Narrower still the current one alone says where one is.
    let alone = total(&titles) > columns;
    let mut spans = vec![Span::raw(" ")];
    for (index, title) in titles.into_iter().enumerate() {
        if index == at {
            spans.push(Span::styled(format!("[{title}]"), theme.title));
        } else if !alone {
            spans.push(Span::styled(format!(" {title} "), theme.dim));
        }
    }
    spans.push(Span::raw(" "));
    Line::from(spans)
}

/// All lines of the tab, without the marks of a search.
pub(super) fn lines(state: &State, details: &Details, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    let page = Page { columns, theme };
    let Some(row) = state.catalog.key(details.key) else {
        return page.sentence("the last reload did not find it any more; esc goes back");
    };
    if let Some(reason) = details.not_for(details.tab, row) {
        return page.sentence(&reason);
    }
    match (details.tab, details.tab.part()) {
        (_, Some(part)) => page.part(state, details, part, row),
        (DetailsTab::Json, None) => match (&details.metadata, refusal(details, row)) {
            (Some(metadata), _) => page.json(&json::compact(&**metadata).unwrap_or_default()),
            (None, Some(refusal)) => failure::lines(refusal, columns, theme),
            (None, None) => page.sentence("reading …"),
        },
        (_, None) => page.overview(state, details, row),
    }
}

/// Why DescribeKey told nothing, for these details or for the list.
fn refusal<'a>(details: &'a Details, row: Key<'a>) -> Option<&'a crate::domain::failure::Failure> {
    details.refusal.as_deref().or_else(|| row.refusal())
}

/// What lines are made for.
#[derive(Clone, Copy)]
struct Page<'a> {
    columns: usize,
    theme: &'a Theme,
}

impl Page<'_> {
    fn sentence(self, text: &str) -> Vec<Line<'static>> {
        wrap(&printable(text), self.columns).into_iter().map(Line::from).collect()
    }

    fn part(self, state: &State, details: &Details, part: KeyPart, row: Key<'_>) -> Vec<Line<'static>> {
        match details.reading(part) {
            None | Some(Reading::Asked(_)) => self.sentence("reading …"),
            Some(Reading::Failed(failure)) => failure::lines(failure, self.columns, self.theme),
            Some(Reading::Told(Told::Aliases(names))) => self.aliases(names, row),
            Some(Reading::Told(Told::Detail(detail))) => self.blocks(words::detail(detail, state.now.wall)),
        }
    }

    fn aliases(self, names: &[String], row: Key<'_>) -> Vec<Line<'static>> {
        if names.is_empty() {
            return self.blocks(words::none());
        }
        // An alias is in the account and the region of its key (KMS API: CreateAlias).
        let arn = row.arn();
        let before = arn.rsplit_once(":key/").map(|(before, _)| before.to_owned());
        let rows = names.iter().map(|name| {
            let arn = before.as_ref().map(|before| format!("{before}:{name}"));
            vec![name.clone(), arn.unwrap_or_default()]
        });
        self.blocks(vec![Block::Table { head: vec!["ALIAS", "ARN"], rows: rows.collect() }])
    }

    fn overview(self, state: &State, details: &Details, row: Key<'_>) -> Vec<Line<'static>> {
        let mut lines = vec![self.headline(state, row)];
        if let (None, Some(words)) = (&details.metadata, remembered(state, row)) {
            let marked = wrap(&format!("! {words}"), self.columns).into_iter();
            lines.extend(marked.map(|line| Line::from(Span::styled(line, self.theme.warning))));
        }
        lines.push(Line::default());
        let now = state.now.wall;
        let arn = row.arn();
        let console = address_of_key(&state.at(row.source()).place, &arn);
        let Some(known) = details.known(row) else {
            lines.extend(self.facts(vec![("ARN", arn)]));
            lines.push(Line::default());
            lines.extend(match refusal(details, row) {
                Some(refusal) => failure::lines(refusal, self.columns, self.theme),
                None => self.sentence("reading …"),
            });
            return lines;
        };
        lines.extend(self.facts(words::abilities(&Abilities::of(&KeyFacts::of(&known)))));
        lines.push(Line::default());
        let mut facts = words::facts_of_key(&known, &arn, console.as_deref(), now);
        facts.retain(|(label, value)| *label != "Algorithms" || Some(value.as_str()) != known.spec());
        facts.extend(of_the_store(details, &known));
        facts.push(("Last use", last_use(state, details)));
        facts.sort_by_key(|(label, _)| {
            LAST_FACTS.iter().position(|last| last == label).map_or(0, |at| at + 1)
        });
        let (mut short, long): (Vec<Fact>, Vec<Fact>) =
            facts.into_iter().partition(|(label, _)| SHORT_FACTS.contains(label));
        if known.multi_region == Some(false) {
            short.push(("Region", "single".to_owned()));
        }
        let (role, regions): (Vec<Fact>, Vec<Fact>) =
            words::multi_region(&known).into_iter().partition(|(label, _)| *label == "This key");
        short.extend(role.into_iter().map(|(_, role)| ("Multi-Region", role)));
        let (first, after): (Vec<Fact>, Vec<Fact>) =
            long.into_iter().partition(|(label, _)| !LAST_FACTS.contains(label));
        lines.extend(self.facts(first));
        lines.extend(self.beside_each_other(short));
        lines.extend(self.facts(self.other_regions(regions, &arn)));
        lines.extend(self.facts(after));
        if let (None, Some(refusal)) = (&details.metadata, &details.refusal) {
            lines.push(Line::default());
            lines.extend(failure::lines(refusal, self.columns, self.theme));
        }
        lines
    }

    /// Where the key's primary and replicas are; their ARNs where they fit, which differ from its own in
    /// the region alone.
    fn other_regions(self, facts: Vec<Fact>, own: &str) -> Vec<Fact> {
        let others = facts.into_iter().filter(|(_, arn)| arn != own);
        let fitting = |(label, arn): Fact| {
            let region = Arn::parse(&arn).map(|arn| arn.region.to_owned());
            let fits = width(&printable(&arn)) + LABEL <= self.columns;
            (label, region.filter(|_| !fits).unwrap_or(arn))
        };
        others.map(fitting).collect()
    }

    /// State and first alias.
    fn headline(self, state: &State, row: Key<'_>) -> Line<'static> {
        let (glyph, words, style) = state_of(row, state.now.wall, self.theme);
        let words = format!("{glyph} {words}");
        let alias = match row.first_alias() {
            Some(name) => printable(name).into_owned(),
            None => "(no alias)".to_owned(),
        };
        let more = row.aliases().len().saturating_sub(1);
        let more = if more > 0 { format!("  +{more}") } else { String::new() };
        let words = cell(&words, LABEL.max(width(&words) + 2));
        let room = self.columns.saturating_sub(width(&words) + width(&more));
        Line::from(vec![
            Span::styled(words, style.patch(self.theme.title)),
            Span::raw(crate::domain::text::keep_end(&alias, room).into_owned()),
            Span::styled(more, self.theme.dim),
        ])
    }

    /// Facts with their labels, each on lines of its own.
    fn facts(self, facts: Vec<Fact>) -> Vec<Line<'static>> {
        facts.into_iter().flat_map(|(label, value)| self.fact(label, &value)).collect()
    }

    fn fact(self, label: &str, value: &str) -> Vec<Line<'static>> {
        let text = printable(value);
        // A value that is one long word has the whole width where the label leaves it too little.
        let below = !text.contains(' ')
            && width(&text) > self.columns.saturating_sub(LABEL)
            && !label.is_empty()
            && (width(&text) <= self.columns || self.columns < 60);
        if below {
            let mut lines = vec![Line::from(Span::styled(label.to_owned(), self.theme.dim))];
            lines.extend(wrap(&text, self.columns).into_iter().map(Line::from));
            return lines;
        }
        let lines = wrap(&text, self.columns.saturating_sub(LABEL)).into_iter().enumerate();
        let lines = lines.map(|(at, line)| {
            let label = cell(if at == 0 { label } else { "" }, LABEL);
            Line::from(vec![Span::styled(label, self.theme.dim), Span::raw(line)])
        });
        lines.collect()
    }

    /// Short facts beside each other, as many as fit; one that does not fit has its own line.
    fn beside_each_other(self, facts: Vec<Fact>) -> Vec<Line<'static>> {
        let across = match self.columns {
            THREE_COLUMNS.. => 3,
            TWO_COLUMNS.. => 2,
            _ => return self.facts(facts),
        };
        let room = self.columns / across;
        let (mut lines, mut line): (Vec<Line<'static>>, Vec<Span<'static>>) = (Vec::new(), Vec::new());
        for (label, value) in facts {
            let value = printable(&value).into_owned();
            if width(&value) + LABEL + 1 > room {
                lines.extend(self.fact(label, &value));
                continue;
            }
            line.push(Span::styled(cell(label, LABEL), self.theme.dim));
            line.push(Span::raw(cell(&value, room - LABEL)));
            if line.len() == 2 * across {
                lines.push(Line::from(std::mem::take(&mut line)));
            }
        }
        if !line.is_empty() {
            lines.push(Line::from(line));
        }
        lines
    }

    fn blocks(self, blocks: Vec<Block>) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        for block in blocks {
            match block {
                Block::Fact((label, value)) => lines.extend(self.fact(label, &value)),
                Block::Line(line) => lines.extend(self.sentence(&line)),
                Block::Blank => lines.push(Line::default()),
                Block::Table { head, rows } => lines.extend(self.table(&head, rows)),
                Block::Json(text) => lines.extend(self.json(&text)),
                Block::Verbatim(text) => {
                    lines.push(Line::default());
                    lines.extend(text.lines().flat_map(|line| self.sentence(line)));
                }
                Block::Refused(failure) => {
                    lines.extend(failure::lines(&failure, self.columns, self.theme));
                }
            }
        }
        lines
    }

    /// A table where its rows fit, else a row's cells below each other. Nothing is cut.
    fn table(self, head: &[&str], rows: Vec<Vec<String>>) -> Vec<Line<'static>> {
        const GAP: usize = 2;
        let rows: Vec<Vec<String>> = rows
            .into_iter()
            .map(|row| row.iter().map(|cell| printable(cell).into_owned()).collect())
            .collect();
        let count = rows.iter().map(Vec::len).max().unwrap_or(0);
        let widest = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell));
            cells.chain(head.get(column).map(|title| width(title))).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..count).map(widest).collect();
        let before_last: usize = widths.iter().rev().skip(1).map(|width| width + GAP).sum();
        let last = widths.last().copied().unwrap_or(0);
        let fits = before_last + last <= self.columns
            || (before_last <= self.columns / 2 && last.min(20) + before_last <= self.columns);
        let mut lines = Vec::new();
        if fits && !head.is_empty() {
            let cells = head.iter().zip(&widths).map(|(title, width)| cell(title, width + GAP));
            let text = cells.collect::<String>().trim_end().to_owned();
            lines.push(Line::from(Span::styled(text, self.theme.dim)));
        }
        for (at, row) in rows.iter().enumerate() {
            if !fits {
                if at > 0 {
                    lines.push(Line::default());
                }
                for (column, text) in row.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
                    let style = if column == 0 { self.theme.title } else { Style::new() };
                    let parts = wrap(text, self.columns).into_iter();
                    lines.extend(parts.map(|part| Line::from(Span::styled(part, style))));
                }
                continue;
            }
            let (Some(text), leading) = (row.last(), &row[..row.len().saturating_sub(1)]) else { continue };
            let before: String =
                leading.iter().zip(&widths).map(|(text, width)| cell(text, width + GAP)).collect();
            for (part_at, part) in wrap(text, self.columns - before_last).into_iter().enumerate() {
                let before = if part_at == 0 { before.clone() } else { " ".repeat(before_last) };
                lines.push(Line::from(format!("{before}{part}")));
            }
        }
        lines
    }

    /// JSON in colours, a long line going on below itself, further in.
    fn json(self, text: &str) -> Vec<Line<'static>> {
        json_lines::lines(text).iter().flat_map(|line| self.json_line(line)).collect()
    }

    fn json_line(self, line: &json_lines::Line<'_>) -> Vec<Line<'static>> {
        let indent = line.indent.min(self.columns / 2);
        let pieces: Vec<(Style, Cow<'_, str>)> =
            line.pieces.iter().map(|piece| (self.of_piece(piece.kind), printable(piece.text))).collect();
        let mut lines = Vec::new();
        let mut spans = vec![Span::raw(" ".repeat(indent))];
        let mut used = indent;
        for (style, text) in pieces {
            if used + width(&text) <= self.columns {
                used += width(&text);
                spans.push(Span::styled(text.into_owned(), style));
                continue;
            }
            // What does not fit goes on below, broken wherever it has to be.
            let further = indent + 4;
            let room = self.columns.saturating_sub(further).max(8);
            let mut rest = text.into_owned();
            if used < self.columns && used > further {
                let begin = keep_whole(&rest, self.columns - used);
                spans.push(Span::styled(rest[..begin].to_owned(), style));
                rest = rest.split_off(begin);
            }
            while !rest.is_empty() {
                let part = keep_whole(&rest, room).max(rest.chars().next().map_or(0, char::len_utf8));
                let after = rest.split_off(part);
                lines.push(Line::from(std::mem::replace(&mut spans, vec![Span::raw(" ".repeat(further))])));
                used = further + width(&rest);
                spans.push(Span::styled(std::mem::replace(&mut rest, after), style));
            }
        }
        lines.push(Line::from(spans));
        lines
    }

    fn of_piece(self, kind: PieceKind) -> Style {
        match kind {
            PieceKind::Member => self.theme.accent,
            PieceKind::String => self.theme.good,
            PieceKind::Number | PieceKind::Literal => self.theme.waiting,
            PieceKind::Punctuation => self.theme.dim,
            PieceKind::Plain => Style::new(),
        }
    }
}

/// Bytes of the beginning that fit into so many columns.
fn keep_whole(text: &str, columns: usize) -> usize {
    let mut used = 0;
    for (at, character) in text.char_indices() {
        used += width(character.encode_utf8(&mut [0; 4]));
        if used > columns {
            return at;
        }
    }
    text.len()
}

/// The custom key store, as far as it was read.
fn of_the_store(details: &Details, known: &KeyMetadata) -> Vec<Fact> {
    let Some(id) = &known.custom_key_store_id else { return Vec::new() };
    let words = match details.reading(KeyPart::Aspect(Aspect::CustomKeyStore)) {
        Some(Reading::Told(Told::Detail(detail))) => match &**detail {
            Detail::CustomKeyStore(store) => words::store_in_a_line(store),
            _ => id.clone(),
        },
        Some(Reading::Failed(failure)) => format!("{id}; {}", with_hints(failure)),
        _ => format!("{id}, reading …"),
    };
    vec![("Key store", words)]
}

fn last_use(state: &State, details: &Details) -> String {
    match details.reading(KeyPart::Aspect(Aspect::LastUsage)) {
        None => "u reads it (the account has 5 such calls a second)".to_owned(),
        Some(Reading::Asked(_)) => "reading …".to_owned(),
        Some(Reading::Failed(failure)) => format!("{}; u tries again", with_hints(failure)),
        Some(Reading::Told(_)) => match details.detail(Aspect::LastUsage) {
            Some(Detail::LastUsage(usage)) => words::last_use(usage, state.now.wall),
            _ => String::new(),
        },
    }
}

fn with_hints(failure: &crate::domain::failure::Failure) -> String {
    let hints = failure.hints.iter().map(|hint| format!("; {hint}"));
    format!("{}{}", failure.sentence, hints.collect::<String>())
}

/// The lines with the matches of a search marked, how many there are, and which one it is at.
fn highlighted(
    lines: Vec<Line<'static>>,
    search: &Search,
    columns: usize,
    theme: &Theme,
) -> (Vec<Line<'static>>, usize, usize) {
    let texts: Vec<String> = lines.iter().map(text_of).collect();
    let matches = search.matches(&texts, columns);
    let mut marks: HashMap<usize, Vec<(Range<usize>, Style)>> = HashMap::new();
    for (index, (line, range)) in
        matches.iter().enumerate().flat_map(|(index, pieces)| pieces.iter().map(move |piece| (index, piece)))
    {
        let is_current = index == search.at;
        let style = if is_current { Style::new().add_modifier(Modifier::REVERSED) } else { theme.matched };
        marks.entry(*line).or_default().push((range.clone(), style));
    }
    let marked = lines.into_iter().enumerate().map(|(at, line)| match marks.get(&at) {
        Some(marks) => with_marks(line, marks),
        None => line,
    });
    (marked.collect(), matches.len(), search.at.min(matches.len().saturating_sub(1)))
}

/// A line with parts of it in another style. The parts are in their order.
fn with_marks(line: Line<'static>, marks: &[(Range<usize>, Style)]) -> Line<'static> {
    let (mut spans, mut begin) = (Vec::new(), 0);
    for span in line.spans {
        let (text, end) = (span.content.as_ref(), begin + span.content.len());
        let mut at = 0;
        for (range, style) in marks {
            let (from, to) = (range.start.max(begin), range.end.min(end));
            if from < to {
                spans.push(Span::styled(text[at..from - begin].to_owned(), span.style));
                spans.push(Span::styled(text[from - begin..to - begin].to_owned(), span.style.patch(*style)));
                at = to - begin;
            }
        }
        spans.push(Span::styled(text[at..].to_owned(), span.style));
        begin = end;
    }
    spans.retain(|span| !span.content.is_empty());
    Line::from(spans)
}

/// A line's text.
pub(super) fn text_of(line: &Line<'_>) -> String {
    line.spans.iter().map(|span| span.content.as_ref()).collect()
}

/// What is searched, and how many matches there are.
fn search_title(search: &Search, count: usize, at: usize, theme: &Theme) -> Line<'static> {
    let typed = search.input.value();
    let shown = if search.typing {
        let (text, cursor) = window(&search.input, SEARCH);
        let split = keep_whole(&text, cursor);
        format!("/{}▏{}", &text[..split], &text[split..])
    } else {
        format!("/{}", keep_start(&printable(typed), SEARCH))
    };
    let words = match count {
        _ if typed.is_empty() => String::new(),
        0 => "  no match".to_owned(),
        1 => "  1 match".to_owned(),
        count => format!("  {} of {}", at + 1, plural(count, "match", "matches")),
    };
    Line::from(vec![
        Span::raw(" "),
        Span::styled(shown, theme.accent),
        Span::styled(format!("{words} "), theme.dim),
    ])
}
