//! The key list: a row a key, columns that leave one by one as the terminal narrows.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::table::{Cell, GAP, ON_ITS_WAY, cell, head, matched, row, state_of};
use super::{Theme, chrome, failure, panel, scan};
use crate::app::list::KEY_COLUMNS;
use crate::app::{Phase, State, layout};
use crate::domain::catalog::{Catalog, Key, KeyHandle, RotationSeen};
use crate::domain::listing::KeyColumn;
use crate::domain::scan::{Finding, ScanKind};
use crate::domain::text::{keep_end, keep_ends, keep_start, printable, width};
use crate::domain::time;

/// Below this many columns a row is a glyph and a name.
const NARROW: u16 = 60;

/// A column on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Column {
    what: KeyColumn,
    title: &'static str,
    width: usize,
    /// The usage in one word.
    short: bool,
}

const fn column(what: KeyColumn, title: &'static str, width: usize) -> Column {
    Column { what, title, width, short: false }
}

/// All columns with their least widths, in the order in which they stand.
const COLUMNS: [Column; 14] = [
    column(KeyColumn::State, "STATE", 18),
    column(KeyColumn::Alias, "ALIAS", 26),
    column(KeyColumn::KeyId, "KEY ID", 13),
    column(KeyColumn::Region, "REGION", 14),
    column(KeyColumn::Rotation, "ROTATION", 9),
    column(KeyColumn::LastUse, "LAST USED", 10),
    column(KeyColumn::Tags, "TAGS", 12),
    column(KeyColumn::Usage, "USAGE", 15),
    column(KeyColumn::Spec, "SPEC", 17),
    column(KeyColumn::Manager, "MANAGER", 9),
    column(KeyColumn::Origin, "ORIGIN", 12),
    column(KeyColumn::Created, "CREATED", 10),
    column(KeyColumn::Deletion, "DELETION", 10),
    column(KeyColumn::Description, "DESCRIPTION", 20),
];

/// The order in which columns leave. STATE tells of a deletion too, and stays. What a scan read outlasts
/// what nobody asked for.
const LEAVING: [KeyColumn; 10] = [
    KeyColumn::Deletion,
    KeyColumn::Description,
    KeyColumn::Created,
    KeyColumn::Origin,
    KeyColumn::Manager,
    KeyColumn::Spec,
    KeyColumn::Usage,
    KeyColumn::Tags,
    KeyColumn::LastUse,
    KeyColumn::Rotation,
];

/// Width of the usage in one word.
const SHORT_USAGE: usize = 8;
/// What ALIAS gets above its least width before a column of lesser worth gets any.
const ALIAS_COMFORT: usize = 8;
/// ALIAS takes what is left over, up to here; DESCRIPTION takes the rest.
const WIDEST_ALIAS: usize = 48;
/// What TAGS gets above its least width before a column of lesser worth gets any, and ALIAS.
const TAGS_COMFORT: usize = 12;

/// Columns that are not there always: REGION where rows are of several, and what scans have read.
#[derive(Clone, Copy, Debug, Default)]
struct Extra {
    region: bool,
    /// By kind.
    scanned: [bool; ScanKind::ALL.len()],
}

impl Extra {
    fn of(catalog: &Catalog) -> Self {
        let scanned = ScanKind::ALL.map(|kind| catalog.scanned(kind) > 0);
        Self { region: catalog.has_several_regions(), scanned }
    }

    const fn has(self, column: KeyColumn) -> bool {
        match column {
            KeyColumn::Region => self.region,
            KeyColumn::Rotation => self.scanned[ScanKind::Rotation as usize],
            KeyColumn::Tags => self.scanned[ScanKind::Tags as usize],
            KeyColumn::LastUse => self.scanned[ScanKind::LastUse as usize],
            _ => true,
        }
    }
}

/// The columns that fit.
fn columns(available: usize, extra: Extra) -> Vec<Column> {
    let mut columns = COLUMNS.to_vec();
    columns.retain(|column| extra.has(column.what));
    let taken = |columns: &[Column]| {
        let widths = columns.iter().map(|column| column.width).sum::<usize>();
        // Where there is room for SPEC, an alias is worth more than what comes after it.
        let has = |what| columns.iter().any(|column: &Column| column.what == what);
        let tags = if has(KeyColumn::Tags) { TAGS_COMFORT } else { 0 };
        let comfort = if has(KeyColumn::Spec) { ALIAS_COMFORT + tags } else { 0 };
        widths + comfort + GAP * (columns.len().saturating_sub(1))
    };
    for leaving in LEAVING {
        if taken(&columns) <= available {
            break;
        }
        if leaving == KeyColumn::Usage
            && let Some(usage) = columns.iter_mut().find(|column| column.what == KeyColumn::Usage)
        {
            usage.width = SHORT_USAGE;
            usage.short = true;
            if taken(&columns) <= available {
                break;
            }
        }
        columns.retain(|column| column.what != leaving);
    }
    let mut widths = columns.iter().map(|column| column.width + GAP).sum::<usize>() - GAP;
    if let Some(alias) = columns.iter_mut().find(|column| column.what == KeyColumn::Alias) {
        // The three that stay do not fit: an alias cut at its beginning is the smallest loss.
        let over = widths.saturating_sub(available).min(alias.width);
        alias.width -= over;
        widths -= over;
    }
    let mut left = available.saturating_sub(widths);
    if let Some(tags) = columns.iter_mut().find(|column| column.what == KeyColumn::Tags) {
        let more = left.min(TAGS_COMFORT);
        tags.width += more;
        left -= more;
    }
    let has_description = columns.last().is_some_and(|column| column.what == KeyColumn::Description);
    let mut given = 0;
    for column in &mut columns {
        if column.what == KeyColumn::Alias {
            given = if has_description { left.min(WIDEST_ALIAS - column.width) } else { left };
            column.width += given;
        } else if column.what == KeyColumn::Description {
            column.width += left - given;
        }
    }
    columns
}

pub(super) fn render(state: &State, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let block = panel(chrome::top_tabs(state, theme), chrome::filter_title(state, &state.keys, theme), theme)
        .title_bottom(scan::progress_title(state, theme))
        .title_bottom(chrome::trouble_title(state, theme))
        .title_bottom(chrome::position_title(&state.keys, hidden_sort(state, area), theme));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    if failure::instead_of_rows(state, theme, frame, inner) {
        return;
    }
    if state.keys.rows().is_empty() {
        chrome::no_rows(state, state.keys.unknown(), state.catalog.key_count(), theme, frame, inner);
        return;
    }
    let available = usize::from(inner.width).saturating_sub(3);
    let shown = state.keys.visible(layout::list_height(state.size));
    let first = state.keys.top();
    let lines: Vec<Line<'_>> = if area.width < NARROW {
        let rows = shown.iter().enumerate();
        let names =
            rows.map(|(at, key)| narrow_row(state, *key, available, first + at == state.keys.index(), theme));
        let heads = {
            let sort = state.keys.sort;
            let sorted = (sort.column == KeyColumn::Alias).then_some(sort.descending);
            row([vec![head("   ALIAS", available, sorted, theme)]], false, theme)
        };
        std::iter::once(heads).chain(names).collect()
    } else {
        let columns = columns(available, Extra::of(&state.catalog));
        let sort = state.keys.sort;
        let heads = columns.iter().map(|column| {
            let sorted = (sort.column == column.what).then_some(sort.descending);
            vec![head(column.title, column.width, sorted, theme)]
        });
        let rows = shown.iter().enumerate();
        let rows = rows.map(|(at, key)| {
            let cells = cells(state, *key, &columns, theme);
            row(cells, first + at == state.keys.index(), theme)
        });
        std::iter::once(row(heads, false, theme)).chain(rows).collect()
    };
    frame.render_widget(Paragraph::new(lines), inner);
}

/// The column that the rows are sorted by, where it is not on the screen.
fn hidden_sort(state: &State, area: Rect) -> Option<&'static str> {
    let sorted = state.keys.sort.column;
    let shown = if area.width < NARROW {
        sorted == KeyColumn::Alias
    } else {
        let columns = columns(usize::from(area.width).saturating_sub(5), Extra::of(&state.catalog));
        columns.iter().any(|column| column.what == sorted)
    };
    let name = KEY_COLUMNS.iter().find(|(_, column, _)| *column == sorted).map(|(.., name)| *name);
    name.filter(|_| !shown)
}

fn cells(state: &State, key: KeyHandle, columns: &[Column], theme: &Theme) -> Vec<Cell> {
    let Some(row) = state.catalog.key(key) else { return Vec::new() };
    let cells = columns.iter().map(|column| {
        let cell = value(state, row, *column, theme);
        match column.what {
            KeyColumn::Alias | KeyColumn::KeyId | KeyColumn::Description | KeyColumn::Tags => {
                matched(cell, &state.keys.filter, theme)
            }
            _ => vec![cell],
        }
    });
    cells.collect()
}

fn value(state: &State, row: Key<'_>, column: Column, theme: &Theme) -> Span<'static> {
    let columns = column.width;
    let plain = |text: &str| Span::raw(cell(&printable(text), columns));
    let told = |text: Option<&str>| match (text, row.is_described()) {
        (Some(text), _) => plain(text),
        (None, true) => Span::raw(" ".repeat(columns)),
        (None, false) => Span::styled(cell(ON_ITS_WAY, columns), theme.dim),
    };
    let traits = row.traits();
    match column.what {
        KeyColumn::State => {
            let (glyph, words, style) = state_of(row, state.now.wall, theme);
            Span::styled(cell(&format!("{glyph} {words}"), columns), style)
        }
        KeyColumn::Alias => alias(state, row, columns, theme),
        KeyColumn::KeyId => Span::raw(cell(&keep_ends(&printable(&row.key_id()), columns), columns)),
        KeyColumn::Usage => {
            let usage = traits.and_then(|traits| traits.key_usage.as_ref());
            told(usage.map(|usage| if column.short { usage.word() } else { usage.words() }))
        }
        KeyColumn::Spec => told(traits.and_then(|traits| traits.spec.as_deref())),
        KeyColumn::Region => plain(row.region()),
        KeyColumn::Rotation | KeyColumn::Tags | KeyColumn::LastUse => found(state, row, column, theme),
        KeyColumn::Manager => told(
            traits
                .and_then(|traits| traits.key_manager.as_ref())
                .map(super::super::domain::key::KeyManager::words),
        ),
        KeyColumn::Origin => told(
            traits.and_then(|traits| traits.origin.as_ref()).map(super::super::domain::key::Origin::as_str),
        ),
        KeyColumn::Created => told(row.creation_date().map(time::date).as_deref()),
        KeyColumn::Deletion => told(row.deletion_date().map(time::date).as_deref()),
        KeyColumn::Description => match row.refusal() {
            Some(failure) => Span::styled(cell(&printable(&failure.sentence), columns), theme.dim),
            None => told(traits.map(|_| row.description())),
        },
    }
}

/// What a scan read; a dot where it did not.
fn found(state: &State, row: Key<'_>, column: Column, theme: &Theme) -> Span<'static> {
    let kind = match column.what {
        KeyColumn::Tags => ScanKind::Tags,
        KeyColumn::LastUse => ScanKind::LastUse,
        _ => ScanKind::Rotation,
    };
    let columns = column.width;
    let plain = |text: &str| Span::raw(cell(&printable(text), columns));
    let dim = |text: &str| Span::styled(cell(text, columns), theme.dim);
    let Some(seen) = row.finding(kind) else { return dim("·") };
    if let Some(RotationSeen::NotApplicable) = row.rotation().filter(|_| kind == ScanKind::Rotation) {
        return plain("");
    }
    match &seen.finding {
        Finding::Rotation { enabled: true, period_days: Some(days), .. } => plain(&format!("on {days} d")),
        Finding::Rotation { enabled: true, .. } => plain("on"),
        Finding::Rotation { .. } => plain("off"),
        Finding::Used { at, .. } => plain(&time::date(*at)),
        Finding::Unused { .. } => plain("never"),
        Finding::Refused(failure) => dim(&printable(failure.in_a_word())),
        Finding::NotApplicable => plain(""),
        Finding::Tags(tags) => {
            let Some((name, value)) = state.keys.filter.tag_of(tags) else { return plain("") };
            let first = printable(&format!("{name}={value}")).into_owned();
            let more = if tags.len() > 1 { format!("  +{}", tags.len() - 1) } else { String::new() };
            let room = columns.saturating_sub(width(&more));
            plain(&format!("{}{more}", keep_start(&first, room)))
        }
    }
}

/// The alias that the filter matched, else the first, and how many more there are.
fn alias(state: &State, row: Key<'_>, columns: usize, theme: &Theme) -> Span<'static> {
    let alias = state.keys.filter.alias_of(&state.catalog, row).and_then(|alias| state.catalog.alias(alias));
    let Some(alias) = alias else {
        let words = match state.at(row.source()).loading.aliases {
            _ if row.knows_its_aliases() => "(no alias)",
            Phase::Complete => "(no alias)",
            Phase::Reading => ON_ITS_WAY,
            Phase::Failed(_) => "",
        };
        return Span::styled(cell(words, columns), theme.dim);
    };
    let name = printable(alias.name());
    let others = row.aliases().len() - 1;
    if others == 0 {
        return Span::raw(cell(&keep_end(&name, columns), columns));
    }
    let more = format!("+{others}");
    let for_name = columns.saturating_sub(width(&more) + 2);
    Span::raw(cell(&format!("{}  {more}", cell(&keep_end(&name, for_name), for_name)), columns))
}

/// `● alias/payments/ledger`, for a terminal with no room for columns.
fn narrow_row(state: &State, key: KeyHandle, columns: usize, selected: bool, theme: &Theme) -> Line<'static> {
    let Some(key) = state.catalog.key(key) else { return Line::default() };
    let (glyph, _, style) = state_of(key, state.now.wall, theme);
    let alias = state.keys.filter.alias_of(&state.catalog, key).and_then(|alias| state.catalog.alias(alias));
    let for_name = columns.saturating_sub(3);
    let name = match alias {
        Some(alias) => keep_end(&printable(alias.name()), for_name).into_owned(),
        None => keep_ends(&printable(&key.key_id()), for_name).into_owned(),
    };
    let name = matched(Span::raw(cell(&name, for_name)), &state.keys.filter, theme);
    row([vec![Span::styled(glyph, style)], name], selected, theme)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_leave_in_their_order_and_the_rest_fills_the_width() {
        let names = |available| -> Vec<&str> {
            columns(available, Extra::default()).iter().map(|column| column.title).collect()
        };
        assert_eq!(names(195).len(), 10);
        assert_eq!(names(135), ["STATE", "ALIAS", "KEY ID", "USAGE", "SPEC", "MANAGER", "ORIGIN"]);
        assert_eq!(names(75), ["STATE", "ALIAS", "KEY ID", "USAGE"]);
        assert_eq!(names(62), ["STATE", "ALIAS", "KEY ID"]);
        let scanned = Extra { region: false, scanned: [true; 3] };
        for (available, extra) in (57..250).flat_map(|at| [(at, Extra::default()), (at, scanned)]) {
            let columns = columns(available, extra);
            let taken: usize = columns.iter().map(|column| column.width + GAP).sum();
            assert_eq!(taken - GAP, available, "at {available}");
        }
    }
}
