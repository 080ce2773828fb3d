//! Keys in a list to choose from, and what follows when something is taken.

use crossterm::event::KeyCode;

use super::super::keymap::Chord;
use super::super::picker::{Choice, Purpose};
use super::super::{Effect, State, StatusKind, layout, text_input};
use super::{act, go, go_to_tab, palette, scan};
use crate::app::TopScreen;

/// The selection is on the screen.
pub(super) fn fit(state: &mut State) {
    let height = layout::picker_height(state.size);
    if let Some(picker) = &mut state.picker {
        picker.fit(height);
    }
}

/// Gives a key to the field; whether it had a use for it.
pub(super) fn type_key(state: &mut State, chord: Chord, effects: &mut Vec<Effect>) -> bool {
    let Some(picker) = &mut state.picker else { return false };
    if chord.text() == Some(' ') && picker.purpose.takes_several() {
        picker.toggle_mark();
        return true;
    }
    let completes = chord.code == KeyCode::Right && text_input::at_end(&picker.input);
    if completes && picker.purpose == Purpose::Palette {
        palette::complete(state, effects);
        return true;
    }
    let before = picker.input.value().to_owned();
    let used = text_input::handle(&mut picker.input, chord);
    if picker.input.value() != before {
        picker.typed_anew();
        refresh(state, effects);
    }
    used
}

pub(super) fn paste(state: &mut State, text: &str, effects: &mut Vec<Effect>) {
    let line: Vec<&str> = text.split_whitespace().collect();
    if let Some(picker) = &mut state.picker {
        text_input::insert(&mut picker.input, &line.join(" "));
        picker.typed_anew();
    }
    refresh(state, effects);
}

/// Makes the rows anew from what is typed and what is known.
pub(super) fn refresh(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(picker) = &state.picker else { return };
    let typed = picker.input.value().to_owned();
    let content = match picker.purpose {
        Purpose::Profile => go::profiles(state),
        Purpose::Region => go::regions(state, &typed),
        Purpose::Palette => palette::content(state, &typed, effects),
    };
    if let Some(picker) = &mut state.picker {
        let words = match picker.purpose {
            Purpose::Palette => palette::words(&typed),
            Purpose::Profile | Purpose::Region => &typed,
        };
        picker.offer(content, words);
    }
}

/// Takes the selected row, or all that are marked.
pub(super) fn take(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(picker) = &state.picker else { return };
    if !picker.marked().is_empty() {
        let regions = picker.marked().to_vec();
        state.picker = None;
        go::to_regions(state, regions, effects);
        return;
    }
    let Some(item) = picker.selected() else { return };
    if let Some(refusal) = item.refusal.clone() {
        state.say(StatusKind::Error, refusal);
        return;
    }
    let choice = item.choice.clone();
    if let Choice::Command(_) = choice {
        palette::complete(state, effects);
        return;
    }
    state.picker = None;
    match choice {
        Choice::Profile { name, region } => go::to_profile(state, &name, region, effects),
        Choice::Regions(regions) => go::to_regions(state, regions, effects),
        Choice::Action(action) => act(state, action, effects),
        Choice::Top(top) => {
            // The screens over the top screen go as they go with Esc: a form is kept.
            if go::leave_screens(state, effects) {
                let index = TopScreen::ALL.iter().position(|other| *other == top);
                go_to_tab(state, index.unwrap_or_default(), effects);
            }
        }
        Choice::Scan(kind) => scan::begin(state, kind),
        Choice::Quit => effects.push(Effect::Quit),
        Choice::Command(_) => {}
    }
}
