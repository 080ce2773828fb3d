//! The palette: what can be done on the screen, from the table of keys; the top screens; and commands,
//! some with an argument.

use tui_input::Input;

use super::super::keymap::{Action, BINDINGS, Binding, Scope};
use super::super::picker::{Choice, Content, Item, Picker, Purpose};
use super::super::{Effect, State, TopScreen};
use super::{go, picker};
use crate::domain::place::PlaceKind;
use crate::domain::region::is_region_name;
use crate::domain::scan::ScanKind;

const PROFILE: &str = "profile ";
const REGION: &str = "region ";

/// Opens the palette over the screen; a popup makes place for it.
pub(super) fn open(state: &mut State) {
    state.popup = None;
    let mut picker = Picker::new(Purpose::Palette);
    picker.offer(Content::Items(items(state)), "");
    state.picker = Some(picker);
}

/// What there is to choose from once this is typed.
pub(super) fn content(state: &mut State, typed: &str, effects: &mut Vec<Effect>) -> Content {
    let typed = typed.trim_start();
    if typed.starts_with(PROFILE) {
        return profiles(state, effects);
    }
    match typed.strip_prefix(REGION) {
        Some(regions) => Content::Items(self::regions(state, regions)),
        None => Content::Items(items(state)),
    }
}

/// The words of what is typed that narrow the rows: of a command with an argument, that which is not
/// typed out yet.
pub(super) fn words(typed: &str) -> &str {
    let typed = typed.trim_start();
    let of_regions = typed.strip_prefix(REGION).map(|regions| regions.rsplit(',').next().unwrap_or(regions));
    of_regions.or_else(|| typed.strip_prefix(PROFILE)).unwrap_or(typed).trim()
}

fn cells(name: &str, words: &str, key: &str) -> Vec<String> {
    [name, words, key].map(str::to_owned).to_vec()
}

fn items(state: &State) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut taken: Vec<Action> = Vec::new();
    let scopes = state.scopes_of_the_screen();
    for binding in scopes.iter().flat_map(|scope| BINDINGS.iter().filter(|it| it.scope == *scope)) {
        let (name, words) = match binding.footer {
            Some(name) if name != binding.help => (name, binding.help),
            _ => (binding.help, ""),
        };
        let is_there = taken.contains(&binding.action) || items.iter().any(|item| item.name() == name);
        if is_worth_a_row(binding) && !is_there {
            taken.push(binding.action);
            let key = binding.chords.first().map(|chord| chord.name()).unwrap_or_default();
            items.push(Item::new(cells(name, words, &key), Choice::Action(binding.action)));
        }
    }
    for top in TopScreen::ALL {
        items.push(Item::new(cells(top.title(), "screen", ""), Choice::Top(top)));
    }
    items.push(Item::new(cells(PROFILE, "NAME: to another profile", ":profile"), Choice::Command(PROFILE)));
    items.push(Item::new(cells(REGION, "NAME,NAME: to other regions", ":region"), Choice::Command(REGION)));
    if state.screens.is_empty() && state.top == TopScreen::Keys {
        for kind in ScanKind::ALL {
            let words = format!("read {} of the rows shown: a call a key", kind.words());
            let command = format!(":scan {kind}");
            items.push(Item::new(cells(&format!("scan {kind}"), &words, &command), Choice::Scan(kind)));
        }
    }
    items.push(Item::new(cells("q", "quit kmx", ":q"), Choice::Quit));
    items
}

/// Moving about is done with its keys; the palette itself is open; the screens have rows of their own.
fn is_worth_a_row(binding: &Binding) -> bool {
    let is_about_moving = matches!(binding.scope, Scope::Moving | Scope::Tabs | Scope::Filter);
    let needs_its_field = matches!(
        binding.action,
        Action::Palette
            | Action::NextField
            | Action::PreviousField
            | Action::Enter
            | Action::ChooseNext
            | Action::ChoosePrevious
    );
    // Everywhere, these are said in general; where they count, their screen says what they do.
    let is_said_better =
        binding.scope == Scope::Everywhere && matches!(binding.action, Action::Undo | Action::BackOrQuit);
    !is_about_moving && !needs_its_field && !is_said_better
}

/// `profile NAME` for each that is known.
fn profiles(state: &mut State, effects: &mut Vec<Effect>) -> Content {
    if state.place().kind == PlaceKind::Local {
        return Content::Items(Vec::new());
    }
    if state.profiles.read.is_none() {
        go::read_profiles(state, effects);
    }
    match go::profiles(state) {
        Content::Items(mut items) => {
            for item in &mut items {
                if let Some(name) = item.cells.first_mut() {
                    name.insert_str(0, PROFILE);
                }
            }
            Content::Items(items)
        }
        other => other,
    }
}

/// `region NAME,NAME`: what stands before the last comma stays, the rest is found or as it was typed.
fn regions(state: &State, typed: &str) -> Vec<Item> {
    let (before, last) = typed.rsplit_once(',').map_or(("", typed), |(before, last)| (before, last));
    let before = names(before);
    let line = |name: &str| {
        let mut regions = before.clone();
        if !regions.iter().any(|other| other == name) {
            regions.push(name.to_owned());
        }
        regions
    };
    let known = go::region_names(state);
    let matching = known.iter().filter(|(name, _)| !before.contains(name));
    let mut items: Vec<Item> = matching
        .map(|(name, title)| {
            let regions = line(name);
            let cells = cells(&format!("{REGION}{}", regions.join(",")), title, "");
            Item::new(cells, Choice::Regions(regions))
        })
        .collect();
    let whole = names(typed);
    let is_known = known.iter().any(|(name, _)| name == last.trim());
    if !whole.is_empty() && !is_known && whole.iter().all(|name| is_region_name(name)) {
        let cells = cells(&format!("{REGION}{}", whole.join(",")), "as typed", "");
        items.push(Item { is_as_typed: true, ..Item::new(cells, Choice::Regions(whole)) });
    }
    items
}

/// Names with commas between, each once.
fn names(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        if !names.iter().any(|other| other == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// Puts the selected command, or the name of what is selected, into the field.
pub(super) fn complete(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(palette) = &mut state.picker else { return };
    let Some(item) = palette.selected() else { return };
    let text = match item.choice {
        Choice::Command(command) => command.to_owned(),
        _ => item.name().to_owned(),
    };
    palette.input = Input::new(text);
    palette.typed_anew();
    picker::refresh(state, effects);
}
