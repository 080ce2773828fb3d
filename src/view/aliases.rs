//! The alias list: a row an alias, with the key that it points to and that key's state.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::table::{Cell, GAP, ON_ITS_WAY, cell, head, matched, row, state_of};
use super::{Theme, chrome, failure, panel};
use crate::app::{Phase, State, layout};
use crate::domain::catalog::AliasHandle;
use crate::domain::listing::AliasColumn;
use crate::domain::text::{keep_end, keep_ends, printable};

const STATE: usize = 18;
const KEY_ID: usize = 36;
const SHORT_KEY_ID: usize = 13;
/// ALIAS grows no wider: the eye must find the way to the key id.
const WIDEST_ALIAS: usize = 64;

pub(super) fn render(state: &State, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let right = chrome::filter_title(state, &state.aliases, theme);
    let block = panel(chrome::top_tabs(state, theme), right, theme)
        .title_bottom(chrome::trouble_title(state, theme))
        .title_bottom(chrome::position_title(&state.aliases, None, theme));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    if failure::instead_of_rows(state, theme, frame, inner) {
        return;
    }
    if state.aliases.rows().is_empty() {
        chrome::no_rows(state, state.aliases.unknown(), state.catalog.alias_count(), theme, frame, inner);
        return;
    }
    let available = usize::from(inner.width).saturating_sub(3);
    let with_state = available >= 20 + STATE + SHORT_KEY_ID + 2 * GAP;
    let key_id = if available >= 30 + STATE + KEY_ID + 2 * GAP { KEY_ID } else { SHORT_KEY_ID };
    let taken = key_id + GAP + if with_state { STATE + GAP } else { 0 };
    let alias = available.saturating_sub(taken).min(WIDEST_ALIAS);
    let sort = state.aliases.sort;
    let sorted = |column| (sort.column == column).then_some(sort.descending);
    let mut heads = vec![
        vec![head("ALIAS", alias, sorted(AliasColumn::Alias), theme)],
        vec![head("KEY ID", key_id, sorted(AliasColumn::KeyId), theme)],
    ];
    if with_state {
        heads.insert(0, vec![head("STATE", STATE, sorted(AliasColumn::State), theme)]);
    }
    let first = state.aliases.top();
    let shown = state.aliases.visible(layout::list_height(state.size)).iter().enumerate();
    let rows = shown.map(|(at, handle)| {
        let mut cells = name_and_key(state, *handle, alias, key_id, theme);
        if with_state {
            cells.insert(0, vec![state_cell(state, *handle, theme)]);
        }
        row(cells, first + at == state.aliases.index(), theme)
    });
    let lines: Vec<Line<'_>> = std::iter::once(row(heads, false, theme)).chain(rows).collect();
    frame.render_widget(Paragraph::new(lines), inner);
}

fn name_and_key(state: &State, handle: AliasHandle, alias: usize, key_id: usize, theme: &Theme) -> Vec<Cell> {
    let Some(row) = state.catalog.alias(handle) else { return Vec::new() };
    let name = Span::raw(cell(&keep_end(&printable(row.name()), alias), alias));
    let target = match row.target_key_id() {
        Some(id) => Span::raw(cell(&keep_ends(&printable(&id), key_id), key_id)),
        None => Span::styled(cell("(none yet)", key_id), theme.dim),
    };
    let filter = &state.aliases.filter;
    vec![matched(name, filter, theme), matched(target, filter, theme)]
}

fn state_cell(state: &State, handle: AliasHandle, theme: &Theme) -> Span<'static> {
    let Some(alias) = state.catalog.alias(handle) else { return Span::raw("") };
    let key = alias.key().and_then(|key| state.catalog.key(key));
    if let Some(key) = key {
        let (glyph, words, style) = state_of(key, state.now.wall, theme);
        return Span::styled(cell(&format!("{glyph} {words}"), STATE), style);
    }
    let words = match (alias.has_target(), &state.at(alias.source()).loading.keys) {
        (false, _) => "  no key yet",
        (true, Phase::Reading) => ON_ITS_WAY,
        (true, Phase::Failed(_)) => "",
        // Lists of a few endpoints name keys that are not there.
        (true, Phase::Complete) => "  not listed",
    };
    Span::styled(cell(words, STATE), theme.dim)
}
