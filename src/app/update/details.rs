//! The details of a key: what is asked for when, its answers, and the search in its text.

use super::super::details::{Details, DetailsTab, KeyPart, Reading, Told};
use super::super::keymap::Chord;
use super::super::search::{Match, Search};
use super::super::{Effect, Screen, State, StatusKind, Ticket, TopScreen, layout, text_input};
use crate::domain::catalog::Alias;
use crate::domain::details::Aspect;
use crate::domain::failure::Failure;

/// Opens the details of the selected key.
pub(super) fn open(state: &mut State, effects: &mut Vec<Effect>) {
    match state.selected_key() {
        Some(key) => {
            state.screens.push(Screen::Details(Details::new(key)));
            describe(state, effects);
            ask(state, effects);
        }
        None if state.top == TopScreen::Aliases => {
            let alias = state.aliases.selected().and_then(|alias| state.catalog.alias(alias));
            match alias.map(Alias::has_target) {
                Some(true) => state.say(StatusKind::Info, "its key is not in the list"),
                Some(false) => {
                    let words = "this alias has no key yet: AWS makes one when it is first used";
                    state.say(StatusKind::Info, words);
                }
                None => {}
            }
        }
        None => {}
    }
}

/// Turns to a tab, and asks for what it needs.
pub(super) fn turn_to(state: &mut State, tab: DetailsTab, effects: &mut Vec<Effect>) {
    let Some(details) = shown(state) else { return };
    if details.tab != tab {
        details.tab = tab;
        details.scroll = 0;
        if let Some(search) = &mut details.search {
            (search.at, search.origin) = (0, 0);
        }
    }
    ask(state, effects);
}

fn shown(state: &mut State) -> Option<&mut Details> {
    match state.screens.last_mut() {
        Some(Screen::Details(details)) => Some(details),
        _ => None,
    }
}

/// Asks for what the tab on the screen needs and nobody has asked for yet.
pub(super) fn ask(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(Screen::Details(details)) = state.screens.last() else { return };
    let Some(row) = state.catalog.key(details.key) else { return };
    let part = match details.tab {
        DetailsTab::Overview => {
            let store = details.known(row).is_some_and(|known| known.custom_key_store_id.is_some());
            KeyPart::Aspect(Aspect::CustomKeyStore).when(store)
        }
        tab if details.not_for(tab, row).is_some() => None,
        tab => tab.part(),
    };
    if let Some(part) = part
        && details.reading(part).is_none()
        && !details.waits_for_its_facts(part, row)
    {
        read(state, part, effects);
    }
}

impl KeyPart {
    fn when(self, condition: bool) -> Option<Self> {
        condition.then_some(self)
    }
}

/// Asks for a part, whatever is known of it. The answer to an earlier question counts no more.
fn read(state: &mut State, part: KeyPart, effects: &mut Vec<Effect>) {
    let ticket = state.ticket();
    let Some(Screen::Details(details)) = state.screens.last() else { return };
    let Some(row) = state.catalog.key(details.key) else { return };
    let generation = state.at(row.source()).generation;
    let custom_key_store_id =
        details.known(row).and_then(|known| known.custom_key_store_id.clone()).filter(|id| !id.is_empty());
    let arn = row.arn();
    if let Some(Reading::Asked(ticket)) = details.reading(part) {
        effects.push(Effect::Cancel { ticket: *ticket });
    }
    if let Some(details) = shown(state) {
        details.ask(part, ticket);
    }
    effects.push(Effect::Read { ticket, generation, part, arn, custom_key_store_id });
}

/// Reads anew what the tab shows.
pub(super) fn reload(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(Screen::Details(details)) = state.screens.last() else { return };
    let Some(row) = state.catalog.key(details.key) else { return };
    let tab = details.tab;
    match tab.part() {
        Some(part) if details.not_for(tab, row).is_none() => read(state, part, effects),
        Some(_) => {}
        None => {
            let store = KeyPart::Aspect(Aspect::CustomKeyStore);
            let again = tab == DetailsTab::Overview && details.reading(store).is_some();
            if let Some(details) = shown(state) {
                details.asked_again = true;
            }
            describe(state, effects);
            if again {
                read(state, store, effects);
            }
        }
    }
}

/// Reads when the key was last used, which the Overview shows.
pub(super) fn read_last_use(state: &mut State, effects: &mut Vec<Effect>) {
    turn_to(state, DetailsTab::Overview, effects);
    read(state, KeyPart::Aspect(Aspect::LastUsage), effects);
}

/// Asks for all that DescribeKey tells of the key on the screen.
fn describe(state: &mut State, effects: &mut Vec<Effect>) {
    let ticket = state.ticket();
    let Some(Screen::Details(details)) = state.screens.last() else { return };
    let Some(row) = state.catalog.key(details.key) else { return };
    let (arn, generation) = (row.arn(), state.at(row.source()).generation);
    if let Some(ticket) = details.ticket {
        effects.push(Effect::Cancel { ticket });
    }
    if let Some(details) = shown(state) {
        details.ticket = Some(ticket);
    }
    effects.push(Effect::Describe { ticket, generation, arn });
}

/// Takes an answer in, where somebody waits for it.
pub(super) fn told(state: &mut State, ticket: Ticket, result: Result<Told, Failure>) {
    let asking = state.screens.iter_mut().find_map(|screen| match screen {
        Screen::Details(details) => details.asking(ticket),
        _ => None,
    });
    let Some(reading) = asking else { return };
    *reading = match result {
        Ok(told) => Reading::Told(told),
        Err(failure) => Reading::Failed(Box::new(failure)),
    };
    // A search that was typed before there was a text finds its first match now.
    if shown(state).is_some_and(|details| details.search.is_some()) {
        show_first_match(state);
    }
}

/// Nobody waits any more for what is under way for these details.
pub(super) fn leave(details: &Details, effects: &mut Vec<Effect>) {
    effects.extend(details.under_way().into_iter().map(|ticket| Effect::Cancel { ticket }));
}

/// Begins to type a search, from where the text stands.
pub(super) fn begin_search(state: &mut State) {
    if let Some(details) = shown(state) {
        details.search = Some(Search { typing: true, origin: details.scroll, ..Search::default() });
    }
}

/// Keeps what was typed; an empty search is none.
pub(super) fn keep_search(state: &mut State) {
    if let Some(details) = shown(state) {
        details.search = details.search.take().filter(|search| !search.input.value().is_empty());
        if let Some(search) = &mut details.search {
            search.typing = false;
        }
    }
}

/// Ends the search; whether there was one.
pub(super) fn end_search(state: &mut State) -> bool {
    shown(state).is_some_and(|details| details.search.take().is_some())
}

/// Gives a key to the search; whether it had a use for it.
pub(super) fn type_in_search(state: &mut State, chord: Chord) -> bool {
    let search = shown(state).and_then(|details| details.search.as_mut());
    let used = search.is_some_and(|search| text_input::handle(&mut search.input, chord));
    if used {
        show_first_match(state);
    }
    used
}

pub(super) fn paste_in_search(state: &mut State, text: &str) {
    let line: Vec<&str> = text.split_whitespace().collect();
    if let Some(search) = shown(state).and_then(|details| details.search.as_mut()) {
        text_input::insert(&mut search.input, &line.join(" "));
    }
    show_first_match(state);
}

/// Goes to the first match from where the search began, else to the first of all.
fn show_first_match(state: &mut State) {
    let (lines, columns) = ((state.panel_text)(state), layout::panel_width(state.size));
    let Some(search) = shown(state).and_then(|details| details.search.as_mut()) else { return };
    let origin = search.origin;
    let of_matches = lines_of(&search.matches(&lines, columns));
    search.at = of_matches.iter().position(|line| *line >= origin).unwrap_or(0);
    let line = of_matches.get(search.at).copied();
    bring_into_view(state, line.unwrap_or(origin), line.is_none());
}

/// Goes to the match after, or before, and round at the ends.
pub(super) fn turn_match(state: &mut State, by: isize) {
    let (lines, columns) = ((state.panel_text)(state), layout::panel_width(state.size));
    let Some(search) = shown(state).and_then(|details| details.search.as_mut()) else { return };
    let of_matches = lines_of(&search.matches(&lines, columns));
    let count = of_matches.len();
    let Some(last) = count.checked_sub(1) else {
        return state.say(StatusKind::Info, "nothing in this tab matches");
    };
    search.at = (search.at.min(last) + count).saturating_add_signed(by) % count;
    let line = of_matches[search.at];
    bring_into_view(state, line, false);
}

/// The lines in which matches begin.
fn lines_of(matches: &[Match]) -> Vec<usize> {
    matches.iter().filter_map(|pieces| Some(pieces.first()?.0)).collect()
}

/// Scrolls so that a line is seen; to the top of the panel where it is to be exactly there.
fn bring_into_view(state: &mut State, line: usize, exactly: bool) {
    let height = layout::panel_height(state.size).max(1);
    let limit = (state.scroll_limit)(state);
    let Some(details) = shown(state) else { return };
    if exactly {
        details.scroll = line.min(limit);
    } else if line < details.scroll || line >= details.scroll + height {
        details.scroll = line.saturating_sub(height / 3).min(limit);
    }
}
