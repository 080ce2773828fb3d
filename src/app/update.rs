//! The one way to change the state.

mod backfill;
mod calls;
mod catalog;
mod copying;
mod details;
mod form;
mod go;
mod lists;
mod palette;
mod picker;
mod policy;
mod scan;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::keymap::{Action, Chord, lookup};
use super::{
    Details, DetailsTab, Effect, Message, Popup, Progress, Screen, State, StatusKind, TopScreen, layout,
};

/// Takes in what happened; gives back what to ask of the world.
pub fn update(state: &mut State, message: Message) -> Vec<Effect> {
    let mut effects = Vec::new();
    match message {
        Message::Now(now) => {
            state.now = now;
            return effects;
        }
        Message::Key(event) => key(state, event, &mut effects),
        Message::Paste(text) => paste(state, &text, &mut effects),
        Message::Resize(size) => state.size = size,
        Message::Connected { generation, place } => {
            catalog::connected(state, generation, place);
            backfill::connected(state, generation, &mut effects);
        }
        Message::NotConnected { generation, failure } => catalog::not_connected(state, generation, failure),
        Message::Remembered { generation, remembered } => {
            catalog::remembered(state, generation, &remembered);
        }
        Message::Loaded { generation, event } => catalog::loaded(state, generation, event, &mut effects),
        Message::Calls(records) => state.calls.take_in(records),
        Message::Described { ticket, arn, described } => {
            catalog::described(state, ticket, &arn, described);
            details::ask(state, &mut effects);
        }
        Message::Read { ticket, result } => details::told(state, ticket, result),
        Message::Answered { ticket, result } => calls::answered(state, ticket, result),
        Message::Scanned { ticket, event } => scan::scanned(state, ticket, event, &mut effects),
        Message::ProfilesRead { ticket, result } => go::profiles_read(state, ticket, result, &mut effects),
        Message::Copied { what, result } => match result {
            Ok(route) => state.say(StatusKind::Success, format!("copied {what} ({route})")),
            Err(reason) => state.say(StatusKind::Error, format!("could not copy {what}: {reason}")),
        },
    }
    settle(state, &mut effects);
    effects
}

/// What follows from any change: the selection is on the screen, and what is on the screen is
/// described first.
fn settle(state: &mut State, effects: &mut Vec<Effect>) {
    let height = layout::list_height(state.size);
    state.keys.fit(height);
    state.aliases.fit(height);
    state.calls.fit(height);
    catalog::want_visible(state, effects);
    picker::fit(state);
}

fn key(state: &mut State, event: KeyEvent, effects: &mut Vec<Effect>) {
    let chord = Chord::of(event);
    state.status = None;
    if state.popup == Some(Popup::Sort) && lists::sort_letter(state, chord) {
        return;
    }
    if copying::choose_letter(state, chord, effects) {
        return;
    }
    let typing = state.typing();
    if let Some(action) = lookup(&state.scopes(), chord, typing) {
        act(state, action, effects);
        return;
    }
    if typing && type_key(state, chord, effects) {
        return;
    }
    // Two quick Esc arrive as one key with Alt.
    if chord.code == KeyCode::Esc && chord.modifiers == KeyModifiers::ALT {
        act(state, Action::Undo, effects);
        act(state, Action::Undo, effects);
        return;
    }
    // Many terminals send Alt+x as Esc and x, and so does a person in a hurry.
    if chord.modifiers == KeyModifiers::ALT
        && let KeyCode::Char(_) = chord.code
    {
        act(state, Action::Undo, effects);
        key(state, KeyEvent::new(chord.code, KeyModifiers::NONE), effects);
    }
}

/// Gives a key to the text field; whether it had a use for it.
fn type_key(state: &mut State, chord: Chord, effects: &mut Vec<Effect>) -> bool {
    if state.picker.is_some() {
        return picker::type_key(state, chord, effects);
    }
    if let Some(Screen::Form(screen)) = state.screens.last_mut() {
        let at_end = super::text_input::at_end(&screen.form.key);
        if chord.code == KeyCode::Right && screen.form.focus == super::form::Focus::Key && at_end {
            form::complete(state);
            return true;
        }
        return screen.form.type_key(chord);
    }
    if let Some(Screen::Details(_)) = state.screen() {
        return details::type_in_search(state, chord);
    }
    lists::type_in_filter(state, chord)
}

fn paste(state: &mut State, text: &str, effects: &mut Vec<Effect>) {
    state.status = None;
    // What a popup asks about must stay what it is.
    if state.popup.is_some() {
        return;
    }
    // Terminals send the line breaks of a paste as the key Enter would: a carriage return. The last
    // one comes of copying a whole line, and nobody wants it in a value.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = text.strip_suffix('\n').unwrap_or(&text);
    if state.picker.is_some() {
        if state.typing() {
            picker::paste(state, text, effects);
        }
    } else if let Some(Screen::Form(screen)) = state.screens.last_mut() {
        if let Err(problem) = screen.form.paste(text) {
            state.say(StatusKind::Error, problem);
        }
    } else if !state.typing() {
        // Anywhere else a paste is no series of commands.
    } else if let Some(Screen::Details(_)) = state.screen() {
        details::paste_in_search(state, text);
    } else {
        lists::paste_in_filter(state, text);
    }
}

fn act(state: &mut State, action: Action, effects: &mut Vec<Effect>) {
    match action {
        Action::Quit => effects.push(Effect::Quit),
        Action::Suspend => effects.push(Effect::Suspend),
        Action::Help => toggle_help(state),
        Action::Undo => undo(state, effects),
        Action::BackOrQuit => {
            if state.popup.is_some() || state.picker.is_some() || !state.screens.is_empty() {
                undo(state, effects);
            } else {
                effects.push(Effect::Quit);
            }
        }
        Action::Up => scroll(state, Step::Rows(-1)),
        Action::Down => scroll(state, Step::Rows(1)),
        Action::PageUp => scroll(state, Step::Pages(-1)),
        Action::PageDown => scroll(state, Step::Pages(1)),
        Action::First => scroll(state, Step::First),
        Action::Last => scroll(state, Step::Last),
        Action::NextTab => turn_tab(state, 1, effects),
        Action::PreviousTab => turn_tab(state, -1, effects),
        Action::Tab(number) => go_to_tab(state, usize::from(number.saturating_sub(1)), effects),
        Action::Filter => lists::begin_filter(state),
        Action::FilterByOperation => state.calls.filter_by_operation(),
        Action::KeepFilter => lists::keep_filter(state),
        Action::Sort => state.popup = Some(Popup::Sort),
        Action::ReverseSort => lists::reverse_sort(state),
        Action::Scans => scan::offer(state),
        Action::Scan(kind) => scan::begin(state, kind),
        Action::BeginScan => scan::agreed(state, effects),
        Action::StopScans => scan::stop(state, effects),
        Action::Details => details::open(state, effects),
        Action::ShowThese => lists::show_these(state),
        Action::NewDataKey => form::open(state),
        Action::Copy => calls::copy(state, effects),
        Action::CopyMenu => copying::open_menu(state),
        Action::Choose => copying::choose(state, effects),
        Action::Search => details::begin_search(state),
        Action::KeepSearch => details::keep_search(state),
        Action::NextMatch => details::turn_match(state, 1),
        Action::PreviousMatch => details::turn_match(state, -1),
        Action::LastUse => details::read_last_use(state, effects),
        Action::Reload => reload(state, effects),
        Action::DescribeAll => backfill::pause_or_go_on(state, effects),
        Action::NextField => form::move_focus(state, 1),
        Action::PreviousField => form::move_focus(state, -1),
        Action::ChooseNext => form::choose(state, 1),
        Action::ChoosePrevious => form::choose(state, -1),
        Action::NextName => form::cycle_name(state, 1),
        Action::PreviousName => form::cycle_name(state, -1),
        Action::Enter => form::enter(state, effects),
        Action::Run => form::run(state, effects),
        Action::TogglePreview => form::toggle_preview(state),
        Action::CopyPreview => form::copy_preview(state, effects),
        Action::Again | Action::Retry => calls::again(state, effects),
        Action::Palette => palette::open(state),
        Action::Profiles => go::choose_profile(state, effects),
        Action::Regions => go::choose_regions(state),
        Action::PlaceBefore => go::to_the_place_before(state, effects),
        Action::Take => picker::take(state, effects),
        Action::CompleteCommand => palette::complete(state, effects),
        Action::Confirm => policy::confirmed(state, effects),
    }
}

/// Stops all scans: their keys are not those on the screen any more.
pub(super) fn stop_scans(state: &mut State, effects: &mut Vec<Effect>) {
    scan::stop_all(state, effects);
}

fn toggle_help(state: &mut State) {
    state.popup = match state.popup {
        Some(Popup::Help { .. }) => None,
        _ => Some(Popup::Help { scroll: 0 }),
    };
}

/// Undoes the innermost of popup, running call, filter, screen.
fn undo(state: &mut State, effects: &mut Vec<Effect>) {
    if state.popup.take().is_some() || state.picker.take().is_some() {
        return;
    }
    if details::end_search(state) {
        return;
    }
    match state.screens.pop() {
        Some(Screen::Form(screen)) => {
            form::keep_draft(state, screen);
        }
        Some(Screen::Outcome(outcome)) => match outcome.progress {
            Progress::Running { ticket, .. } => {
                effects.push(Effect::Cancel { ticket });
                form::reopen(state, outcome.source, &outcome.draft);
                state.say(StatusKind::Info, "cancelled; the service may have made a data key all the same");
            }
            Progress::Failed { .. } => form::reopen(state, outcome.source, &outcome.draft),
            Progress::Done { .. } => {}
        },
        Some(Screen::Details(screen)) => details::leave(&screen, effects),
        None => lists::clear_filter(state),
    }
    // A tab that waited while something stood over it.
    details::ask(state, effects);
}

#[derive(Clone, Copy)]
enum Step {
    Rows(isize),
    Pages(isize),
    First,
    Last,
}

/// Moves the selection of a list, or scrolls what is shown.
fn scroll(state: &mut State, step: Step) {
    let page = layout::list_height(state.size).max(1);
    let rows = match step {
        Step::Rows(rows) => rows,
        Step::Pages(pages) => pages.saturating_mul(page.try_into().unwrap_or(isize::MAX)),
        Step::First => isize::MIN,
        Step::Last => isize::MAX,
    };
    if copying::move_in_menu(state, rows) {
        return;
    }
    let limit = (state.scroll_limit)(state);
    // No further than the end, so that the way back begins there.
    let moved = |scroll: usize| scroll.min(limit).saturating_add_signed(rows).min(limit);
    if let Some(Popup::Help { scroll }) = &mut state.popup {
        *scroll = moved(*scroll);
        return;
    }
    if let Some(picker) = &mut state.picker {
        picker.move_by(match step {
            Step::Pages(pages) => {
                let height = layout::picker_height(state.size).max(1);
                pages.saturating_mul(height.try_into().unwrap_or(isize::MAX))
            }
            _ => rows,
        });
        return;
    }
    match state.screens.last_mut() {
        Some(Screen::Details(Details { scroll, .. })) => *scroll = moved(*scroll),
        Some(Screen::Outcome(outcome)) => outcome.scroll = moved(outcome.scroll),
        Some(Screen::Form(_)) => {}
        None => lists::scroll(state, step, rows),
    }
}

fn turn_tab(state: &mut State, by: isize, effects: &mut Vec<Effect>) {
    match state.screen() {
        Some(Screen::Details(details)) => {
            let tab = turned(&DetailsTab::ALL, details.tab, by);
            details::turn_to(state, tab, effects);
        }
        Some(_) => {}
        None => state.top = turned(&TopScreen::ALL, state.top, by),
    }
}

fn turned<T: Copy + PartialEq>(all: &[T], current: T, by: isize) -> T {
    let at = all.iter().position(|other| *other == current).unwrap_or_default();
    all[(at + all.len()).saturating_add_signed(by) % all.len()]
}

fn go_to_tab(state: &mut State, index: usize, effects: &mut Vec<Effect>) {
    match state.screen() {
        Some(Screen::Details(_)) => {
            if let Some(tab) = DetailsTab::ALL.get(index) {
                details::turn_to(state, *tab, effects);
            }
        }
        Some(_) => {}
        None => {
            if let Some(top) = TopScreen::ALL.get(index) {
                state.top = *top;
            }
        }
    }
}

fn reload(state: &mut State, effects: &mut Vec<Effect>) {
    match state.screen() {
        Some(Screen::Details(_)) => details::reload(state, effects),
        _ => catalog::reload(state, effects),
    }
}

#[cfg(test)]
mod tests;
