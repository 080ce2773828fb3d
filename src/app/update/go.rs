//! Going elsewhere: another profile, another region or several, and back.
//!
//! A switch begins anew in place: the catalog and the screens go, filter, sort and drafts stay. What the
//! connections before still bring is of generations that nobody knows any more, and is dropped.

use super::super::picker::{Choice, Content, Item, Picker, Purpose};
use super::super::{Effect, Progress, Screen, State, StatusKind, Ticket};
use super::{details, form, picker, scan};
use crate::domain::failure::Failure;
use crate::domain::place::{Destination, Place, PlaceKind};
use crate::domain::profile::ProfileSummary;
use crate::domain::region::{is_region_name, regions_to_offer};

const NO_PROFILES: &str = "the local KMS has no profiles; R chooses its region";

/// Opens the list of profiles, and reads them again: a file may have been mended.
pub(super) fn choose_profile(state: &mut State, effects: &mut Vec<Effect>) {
    if state.place().kind == PlaceKind::Local {
        state.say(StatusKind::Info, NO_PROFILES);
        return;
    }
    if !matches!(state.profiles.read, Some(Ok(_))) {
        state.profiles.read = None;
    }
    read_profiles(state, effects);
    state.picker = Some(Picker::new(Purpose::Profile));
    picker::refresh(state, effects);
}

/// Asks for the profiles, where nobody does already.
pub(super) fn read_profiles(state: &mut State, effects: &mut Vec<Effect>) {
    if state.profiles.ticket.is_none() {
        let ticket = state.ticket();
        state.profiles.ticket = Some(ticket);
        effects.push(Effect::ReadProfiles { ticket });
    }
}

pub(super) fn profiles_read(
    state: &mut State,
    ticket: Ticket,
    result: Result<Vec<ProfileSummary>, Failure>,
    effects: &mut Vec<Effect>,
) {
    if state.profiles.ticket == Some(ticket) {
        state.profiles.ticket = None;
        state.profiles.read = Some(result);
        picker::refresh(state, effects);
    }
}

/// The profiles to choose from, as far as they are known.
pub(super) fn profiles(state: &State) -> Content {
    match &state.profiles.read {
        None => Content::Loading,
        Some(Err(failure)) => Content::Failed(failure.clone()),
        Some(Ok(profiles)) => {
            let here = state.place().profile.as_deref();
            let item = |profile: &ProfileSummary| {
                let account = profile.account().map(|account| format!(" {account}"));
                let credentials =
                    format!("{}{}", profile.credentials.unwrap_or_default(), account.unwrap_or_default());
                let refusal = refusal(profile);
                let word = match &refusal {
                    Some(_) if profile.needs_mfa => "needs MFA".to_owned(),
                    Some(_) => "source missing".to_owned(),
                    None => state.marks.of(Some(&profile.name)).word.unwrap_or_default(),
                };
                let region = profile.region.clone();
                let cells = vec![profile.name.clone(), region.clone().unwrap_or_default(), credentials, word];
                let is_current = here.map_or(profile.is_current, |here| here == profile.name);
                let choice = Choice::Profile { name: profile.name.clone(), region };
                Item { refusal, is_current, ..Item::new(cells, choice) }
            };
            Content::Items(profiles.iter().map(item).collect())
        }
    }
}

/// Why no connection with a profile can come about.
fn refusal(profile: &ProfileSummary) -> Option<String> {
    let name = &profile.name;
    if let Some(source) = &profile.missing_source {
        let words = "which is not there; mend source_profile in the AWS configuration";
        return Some(format!("profile {name} takes its credentials from profile {source}, {words}"));
    }
    profile.needs_mfa.then(|| {
        let words = "make another profile with a credential_process, or start kmx with its credentials";
        format!("profile {name} needs an MFA code, which kmx cannot ask for; {words}")
    })
}

/// Opens the list of regions.
pub(super) fn choose_regions(state: &mut State) {
    let mut picker = Picker::new(Purpose::Region);
    picker.offer(regions(state, ""), "");
    state.picker = Some(picker);
}

/// The regions to choose from: those of the partition, and what is typed where it can be one.
pub(super) fn regions(state: &State, typed: &str) -> Content {
    let mut items: Vec<Item> = region_names(state)
        .into_iter()
        .map(|(name, title)| {
            let is_current = is_here(state, &name);
            let choice = Choice::Regions(vec![name.clone()]);
            Item { is_current, ..Item::new(vec![name, title.to_owned()], choice) }
        })
        .collect();
    let typed = typed.trim();
    if is_region_name(typed) && !items.iter().any(|item| item.name() == typed) {
        let cells = vec![typed.to_owned(), "as typed".to_owned()];
        let choice = Choice::Regions(vec![typed.to_owned()]);
        items.push(Item { is_as_typed: true, ..Item::new(cells, choice) });
    }
    Content::Items(items)
}

/// The known regions with their titles, and those on the screen that are not among them.
pub(super) fn region_names(state: &State) -> Vec<(String, &'static str)> {
    let offered = regions_to_offer(state.place());
    let mut names: Vec<(String, &'static str)> = offered
        .into_iter()
        .map(|region| (region.name.to_owned(), region.title.unwrap_or_default()))
        .collect();
    for here in state.connected.iter().filter_map(|it| it.place.region.as_deref()) {
        if !names.iter().any(|(name, _)| name == here) {
            names.push((here.to_owned(), ""));
        }
    }
    names
}

fn is_here(state: &State, region: &str) -> bool {
    state.connected.iter().any(|it| it.place.region.as_deref() == Some(region))
}

/// To another profile, in its own region, else in the regions that are on the screen.
pub(super) fn to_profile(state: &mut State, name: &str, region: Option<String>, effects: &mut Vec<Effect>) {
    let regions = match region {
        Some(region) => vec![Some(region)],
        None => state.connected.iter().map(|it| it.place.region.clone()).collect(),
    };
    let to = |region| Destination { profile: Some(name.to_owned()), region };
    let destinations = regions.into_iter().map(to).collect();
    to_destinations(state, destinations, effects);
}

/// To these regions, with the same profile.
pub(super) fn to_regions(state: &mut State, regions: Vec<String>, effects: &mut Vec<Effect>) {
    let profile = state.at(state.source()).to.profile.clone();
    let to = |region| Destination { profile: profile.clone(), region: Some(region) };
    let destinations = regions.into_iter().map(to).collect();
    to_destinations(state, destinations, effects);
}

fn to_destinations(state: &mut State, destinations: Vec<Destination>, effects: &mut Vec<Effect>) {
    let here = state.place().clone();
    let places: Vec<(Destination, Place)> = destinations
        .into_iter()
        .map(|to| {
            let place = here.towards(&to);
            (to, place)
        })
        .collect();
    let is_the_same = places.len() == state.connected.len()
        && places.iter().zip(&state.connected).all(|((_, place), it)| place.is_where(&it.place));
    if is_the_same {
        state.say(StatusKind::Info, format!("already {}; r reads again", words_for(&places)));
    } else {
        to_places(state, places, effects);
    }
}

/// Back to the place before; that the next time leads forth again.
pub(super) fn to_the_place_before(state: &mut State, effects: &mut Vec<Effect>) {
    match state.before.clone() {
        Some(places) => to_places(state, places, effects),
        None => state.say(StatusKind::Info, "there is no place before; P and R go elsewhere"),
    }
}

fn to_places(state: &mut State, places: Vec<(Destination, Place)>, effects: &mut Vec<Effect>) {
    if !leave_screens(state, effects) {
        return;
    }
    scan::stop_all(state, effects);
    let words = words_for(&places);
    let before = state.connected.iter().map(|it| (it.to.clone(), it.place.clone())).collect();
    state.before = Some(before);
    effects.extend(state.connected.iter().map(|it| Effect::Disconnect { generation: it.generation }));
    effects.extend(state.go_to(places));
    state.say(StatusKind::Info, format!("now {words}; - goes back"));
}

/// Leaves all screens but the top one, forms kept; whether that was possible: a request that runs is not
/// given up by the way.
pub(super) fn leave_screens(state: &mut State, effects: &mut Vec<Effect>) -> bool {
    let runs = |screen: &Screen| matches!(screen, Screen::Outcome(outcome) if matches!(outcome.progress, Progress::Running { .. }));
    if state.screens.iter().any(runs) {
        state.say(StatusKind::Error, "a request is under way; wait for it, or esc cancels it");
        return false;
    }
    for screen in std::mem::take(&mut state.screens) {
        match screen {
            Screen::Form(screen) => {
                form::keep_draft(state, screen);
            }
            Screen::Details(screen) => details::leave(&screen, effects),
            Screen::Outcome(_) => {}
        }
    }
    true
}

/// `on prod in eu-west-1`, `in us-east-1, eu-west-1`.
fn words_for(places: &[(Destination, Place)]) -> String {
    let regions: Vec<&str> = places.iter().filter_map(|(_, place)| place.region.as_deref()).collect();
    let profile = places.first().and_then(|(_, place)| place.profile.as_deref());
    let mut words: Vec<String> = profile.map(|profile| format!("on {profile}")).into_iter().collect();
    match regions.len() {
        0 => {}
        1..=3 => words.push(format!("in {}", regions.join(", "))),
        count => words.push(format!("in {count} regions")),
    }
    if words.is_empty() { "where the settings lead".to_owned() } else { words.join(" ") }
}
