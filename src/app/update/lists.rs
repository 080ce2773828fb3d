//! Keys on the top screens: moving, filter, sort.

use crossterm::event::KeyCode;

use super::super::keymap::Chord;
use super::super::list::{ALIAS_COLUMNS, KEY_COLUMNS, ListState, Row};
use super::super::{State, TopScreen, overview, text_input};
use super::Step;
use crate::domain::catalog::Catalog;
use crate::domain::listing::Sort;

/// Does the same to whichever list is on the screen.
macro_rules! on_the_list {
    ($state:ident, |$list:ident, $catalog:ident| $body:expr) => {{
        let $catalog: &Catalog = &$state.catalog;
        match $state.top {
            TopScreen::Keys => {
                let $list = &mut $state.keys;
                $body
            }
            TopScreen::Aliases => {
                let $list = &mut $state.aliases;
                $body
            }
            // These have no list of keys or aliases.
            TopScreen::Overview | TopScreen::Calls => Default::default(),
        }
    }};
}

pub(super) fn begin_filter(state: &mut State) {
    if state.top == TopScreen::Calls {
        state.calls.typing = true;
        return;
    }
    on_the_list!(state, |list, _catalog| list.typing = true);
}

pub(super) fn keep_filter(state: &mut State) {
    if state.top == TopScreen::Calls {
        state.calls.keep_filter();
        return;
    }
    on_the_list!(state, |list, catalog| list.keep_filter(catalog));
}

pub(super) fn clear_filter(state: &mut State) {
    if state.top == TopScreen::Calls {
        state.calls.clear_filter();
        return;
    }
    on_the_list!(state, |list, catalog| list.clear_filter(catalog));
}

pub(super) fn type_in_filter(state: &mut State, chord: Chord) -> bool {
    if state.top == TopScreen::Calls {
        let used = text_input::handle(&mut state.calls.input, chord);
        state.calls.refilter();
        return used;
    }
    let now = state.now.wall;
    on_the_list!(state, |list, catalog| {
        let used = text_input::handle(&mut list.input, chord);
        list.refilter(catalog, now);
        used
    })
}

pub(super) fn paste_in_filter(state: &mut State, text: &str) {
    let line: Vec<&str> = text.split_whitespace().collect();
    if state.top == TopScreen::Calls {
        text_input::insert(&mut state.calls.input, &line.join(" "));
        state.calls.refilter();
        return;
    }
    let now = state.now.wall;
    on_the_list!(state, |list, catalog| {
        text_input::insert(&mut list.input, &line.join(" "));
        list.refilter(catalog, now);
    });
}

/// Shows the keys that the selected line of the overview counts.
pub(super) fn show_these(state: &mut State) {
    let Some(filter) = overview::selected_filter(state) else { return };
    state.top = TopScreen::Keys;
    state.keys.set_filter(&state.catalog, &filter, state.now.wall);
}

pub(super) fn scroll(state: &mut State, step: Step, rows: isize) {
    if state.top == TopScreen::Overview {
        let last = overview::line_count(state).saturating_sub(1);
        state.overview.0 = state.overview.0.min(last).saturating_add_signed(rows).min(last);
        return;
    }
    if state.top == TopScreen::Calls {
        match step {
            Step::First => state.calls.move_to_end(false),
            Step::Last => state.calls.move_to_end(true),
            Step::Rows(_) | Step::Pages(_) => state.calls.move_by(rows),
        }
        return;
    }
    on_the_list!(state, |list, _catalog| scroll_list(list, step, rows));
}

fn scroll_list<H: Row>(list: &mut ListState<H>, step: Step, rows: isize) {
    match step {
        Step::First => list.move_to_end(false),
        Step::Last => list.move_to_end(true),
        Step::Rows(_) | Step::Pages(_) => list.move_by(rows),
    }
}

/// The letter after `s`: whether it was one of a column.
pub(super) fn sort_letter(state: &mut State, chord: Chord) -> bool {
    let KeyCode::Char(letter) = chord.code else { return false };
    if !chord.modifiers.is_empty() {
        return false;
    }
    let sorted = match state.top {
        TopScreen::Keys => sort_by_letter(&mut state.keys, &state.catalog, &KEY_COLUMNS, letter),
        TopScreen::Aliases => sort_by_letter(&mut state.aliases, &state.catalog, &ALIAS_COLUMNS, letter),
        TopScreen::Overview | TopScreen::Calls => false,
    };
    if sorted {
        state.popup = None;
    }
    sorted
}

/// The same column again turns the order round.
fn sort_by_letter<H: Row>(
    list: &mut ListState<H>,
    catalog: &Catalog,
    columns: &[(char, H::Column, &str)],
    letter: char,
) -> bool {
    let Some((_, column, _)) = columns.iter().find(|(of_column, ..)| *of_column == letter) else {
        return false;
    };
    let descending = list.sort.column == *column && !list.sort.descending;
    list.sort_by(catalog, Sort { column: *column, descending });
    true
}

pub(super) fn reverse_sort(state: &mut State) {
    on_the_list!(state, |list, catalog| {
        let sort = Sort { column: list.sort.column, descending: !list.sort.descending };
        list.sort_by(catalog, sort);
    });
}
