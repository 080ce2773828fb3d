//! Profiles, policies and several regions: what needs no connection to be seen.

use super::super::super::picker::{Content, Item};
use super::*;
use crate::domain::marks::{Marks, MarksByProfile};
use crate::domain::profile::ProfileSummary;

const PROD: &str = "prod";

fn on_profile(profile: &str) -> Place {
    let mut place = Place::aws(Some(profile.to_owned()), Some("us-east-1".to_owned()), None);
    place.account = Some("111122223333".to_owned());
    place
}

fn towards(profile: Option<&str>, region: Option<&str>) -> Destination {
    Destination { profile: profile.map(str::to_owned), region: region.map(str::to_owned) }
}

/// Connected with a profile, with a few keys, and with these marks on it.
fn on_prod(marks: Marks) -> State {
    let mut state = State::new(vec![(Destination::default(), on_profile(PROD))], SIZE, at(0)).0;
    state.marks.by_profile.insert(PROD.to_owned(), marks);
    let generation = state.connected[0].generation;
    let _ = update(&mut state, Message::Connected { generation, place: on_profile(PROD) });
    let _ = load(&mut state, aliases_page(0..3));
    let _ = load(&mut state, keys_page(0..3));
    state
}

fn profile(name: &str) -> ProfileSummary {
    ProfileSummary { name: name.to_owned(), ..ProfileSummary::default() }
}

fn read(state: &mut State, result: Result<Vec<ProfileSummary>, Failure>) {
    let ticket = state.profiles.ticket.unwrap();
    let _ = update(state, Message::ProfilesRead { ticket, result });
}

fn names(state: &State) -> Vec<&str> {
    state.picker.as_ref().unwrap().rows().map(Item::name).collect()
}

fn said(state: &State) -> &str {
    state.status.as_ref().map_or("", |status| &status.text)
}

fn connections(effects: &[Effect]) -> Vec<Destination> {
    let to = |effect: &Effect| match effect {
        Effect::Connect { to, .. } => Some(to.clone()),
        _ => None,
    };
    effects.iter().filter_map(to).collect()
}

fn generates(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Generate { .. }))
}

#[test]
fn profiles_are_read_when_they_are_asked_for_and_one_leads_to_its_own_region() {
    let mut state = on_prod(Marks::default());
    let effects = typed(&mut state, "P");
    assert!(matches!(effects[..], [Effect::ReadProfiles { .. }]), "{effects:?}");
    assert!(matches!(state.picker.as_ref().unwrap().content(), Content::Loading));
    let dev = ProfileSummary { region: Some("eu-west-1".to_owned()), ..profile("dev") };
    read(&mut state, Ok(vec![dev, profile(PROD)]));
    assert_eq!(names(&state), ["dev", PROD]);
    let current: Vec<bool> = state.picker.as_ref().unwrap().rows().map(|item| item.is_current).collect();
    assert_eq!(current, [false, true]);
    let _ = typed(&mut state, "de");
    let before = state.connected[0].generation;
    let effects = code(&mut state, KeyCode::Enter);
    assert!(effects.contains(&Effect::Disconnect { generation: before }));
    assert_eq!(connections(&effects), [towards(Some("dev"), Some("eu-west-1"))]);
    assert_eq!((state.catalog.key_count(), state.keys.rows().len()), (0, 0));
    // Of the place before, nothing counts any more; of its account nothing is said.
    let _ = update(&mut state, Message::Loaded { generation: before, event: keys_page(0..3) });
    assert_eq!((state.catalog.key_count(), state.place().account.as_deref()), (0, None));
    // And back, as it was.
    let effects = typed(&mut state, "-");
    assert_eq!(connections(&effects), [Destination::default()]);
    assert_eq!(state.place().profile.as_deref(), Some(PROD));
    assert_eq!(connections(&typed(&mut state, "-")), [towards(Some("dev"), Some("eu-west-1"))]);
}

#[test]
fn a_profile_without_a_region_keeps_the_regions_of_the_screen() {
    let mut state = on_prod(Marks::default());
    let _ = typed(&mut state, "P");
    read(&mut state, Ok(vec![profile("dev")]));
    let effects = code(&mut state, KeyCode::Enter);
    assert_eq!(connections(&effects), [towards(Some("dev"), Some("us-east-1"))]);
    // Another region then is one of the same profile.
    let effects = typed(&mut state, "Reu-west-2");
    assert!(connections(&effects).is_empty());
    assert_eq!(connections(&code(&mut state, KeyCode::Enter)), [towards(Some("dev"), Some("eu-west-2"))]);
}

#[test]
fn a_profile_that_cannot_connect_is_refused_with_its_reason_and_the_list_stays() {
    for (unusable, reason) in [
        (ProfileSummary { needs_mfa: true, ..profile("a") }, "needs an MFA code"),
        (ProfileSummary { missing_source: Some("base".to_owned()), ..profile("a") }, "profile base"),
    ] {
        let mut state = on_prod(Marks::default());
        let _ = typed(&mut state, "P");
        read(&mut state, Ok(vec![unusable]));
        let effects = code(&mut state, KeyCode::Enter);
        assert!(effects.is_empty() && state.picker.is_some());
        assert!(said(&state).contains(reason), "{}", said(&state));
    }
}

#[test]
fn profiles_that_cannot_be_read_say_why_and_are_read_again_the_next_time() {
    let mut state = on_prod(Marks::default());
    let _ = typed(&mut state, "P");
    read(&mut state, Err(failure()));
    assert!(matches!(state.picker.as_ref().unwrap().content(), Content::Failed(_)));
    assert!(code(&mut state, KeyCode::Enter).is_empty());
    let _ = code(&mut state, KeyCode::Esc);
    assert!(state.picker.is_none());
    assert!(matches!(typed(&mut state, "P")[..], [Effect::ReadProfiles { .. }]));
}

#[test]
fn the_palette_completes_and_takes_a_profile() {
    let mut state = on_prod(Marks::default());
    let effects = typed(&mut state, ":profile de");
    assert!(matches!(effects[..], [Effect::ReadProfiles { .. }]), "read once: {effects:?}");
    read(&mut state, Ok(vec![profile("dev"), profile(PROD)]));
    assert_eq!(names(&state), ["profile dev"]);
    let _ = code(&mut state, KeyCode::Tab);
    assert_eq!(state.picker.as_ref().unwrap().input.value(), "profile dev");
    let effects = code(&mut state, KeyCode::Enter);
    assert_eq!(connections(&effects), [towards(Some("dev"), Some("us-east-1"))]);
}

#[test]
fn a_command_without_its_argument_asks_for_it() {
    let mut state = on_prod(Marks::default());
    let _ = typed(&mut state, ":name,name");
    assert!(code(&mut state, KeyCode::Enter).is_empty());
    assert_eq!(state.picker.as_ref().unwrap().input.value(), "region ");
    assert!(names(&state).contains(&"region eu-west-1"));
}

#[test]
fn the_regions_are_those_of_the_partition() {
    let mut place = on_profile(PROD);
    place.region = Some("cn-north-1".to_owned());
    let mut state = State::new(vec![(Destination::default(), place)], SIZE, at(0)).0;
    let _ = typed(&mut state, "R");
    assert_eq!(names(&state), ["cn-north-1", "cn-northwest-1"]);
}

#[test]
fn a_read_only_profile_refuses_a_run_in_words_and_lets_a_dry_run() {
    let mut state = on_prod(Marks { read_only: true, ..Marks::default() });
    let _ = typed(&mut state, "n");
    let effects = ctrl(&mut state, 'r');
    assert!(!generates(&effects) && matches!(state.screen(), Some(Screen::Form(_))));
    assert!(said(&state).starts_with("profile prod is read_only"), "{}", said(&state));
    let Some(Screen::Form(screen)) = state.screens.last_mut() else { panic!("no form") };
    screen.form.dry_run = true;
    assert!(generates(&ctrl(&mut state, 'r')));
}

#[test]
fn a_profile_that_asks_first_asks_and_no_loses_nothing() {
    let mut state = on_prod(Marks { confirm: true, ..Marks::default() });
    let _ = typed(&mut state, "ntenant");
    assert!(!generates(&ctrl(&mut state, 'r')));
    assert_eq!(state.popup, Some(Popup::Question));
    for no in [KeyCode::Esc, KeyCode::Char('n'), KeyCode::Char('q')] {
        assert!(code(&mut state, no).is_empty());
        let Some(Screen::Form(screen)) = state.screen() else { panic!("no form") };
        assert_eq!(screen.form.context[0].name.value(), "tenant");
        let _ = ctrl(&mut state, 'r');
        assert_eq!(state.popup, Some(Popup::Question));
    }
    // A key held down on Run does not answer the question; nor does a paste change what it is about.
    assert!(code(&mut state, KeyCode::Enter).is_empty());
    let _ = update(&mut state, Message::Paste("other=1".to_owned()));
    let Some(Screen::Form(screen)) = state.screen() else { panic!("no form") };
    assert_eq!(screen.form.context[0].name.value(), "tenant");
    let effects = typed(&mut state, "y");
    assert!(generates(&effects) && state.popup.is_none());
    // Once more is asked about once more, and so is a second try.
    let ticket = ticket_of(&effects);
    let _ = update(&mut state, Message::Answered { ticket, result: Ok(data_key()) });
    assert!(!generates(&typed(&mut state, ".")));
    let _ = code(&mut state, KeyCode::Esc);
    assert!(matches!(state.screen(), Some(Screen::Outcome(_))), "the result is still there");
    let _ = typed(&mut state, ".");
    let effects = typed(&mut state, "y");
    let ticket = ticket_of(&effects);
    let _ = update(&mut state, Message::Answered { ticket, result: Err(failure()) });
    assert!(!generates(&typed(&mut state, "r")));
    assert!(generates(&typed(&mut state, "y")));
}

#[test]
fn a_dry_run_is_not_asked_about() {
    let mut state = on_prod(Marks { confirm: true, ..Marks::default() });
    let _ = typed(&mut state, "n");
    let Some(Screen::Form(screen)) = state.screens.last_mut() else { panic!("no form") };
    screen.form.dry_run = true;
    assert!(generates(&ctrl(&mut state, 'r')));
}

#[test]
fn nothing_runs_on_a_profile_that_is_not_known_yet_where_one_is_read_only() {
    let nowhere = Place::aws(None, Some("us-east-1".to_owned()), None);
    let mut state = State::new(vec![(Destination::default(), nowhere.clone())], SIZE, at(0)).0;
    let marks = Marks { read_only: true, ..Marks::default() };
    state.marks.by_profile.insert(PROD.to_owned(), marks);
    let _ = typed(&mut state, "nalias/x");
    assert!(!generates(&ctrl(&mut state, 'r')));
    assert!(said(&state).contains("not known yet"), "{}", said(&state));
    // Where no profile is held back, nothing is waited for.
    state.marks = MarksByProfile::default();
    assert!(generates(&ctrl(&mut state, 'r')));
}

#[test]
fn a_draft_that_was_made_before_the_place_was_known_belongs_to_it() {
    let nowhere = Place::aws(None, None, None);
    let mut state = State::new(vec![(Destination::default(), nowhere)], SIZE, at(0)).0;
    let _ = typed(&mut state, "nalias/x");
    let _ = code(&mut state, KeyCode::Tab);
    let _ = typed(&mut state, "tenant");
    let _ = code(&mut state, KeyCode::Esc);
    let generation = state.connected[0].generation;
    let _ = update(&mut state, Message::Connected { generation, place: on_profile(PROD) });
    super::super::form::reopen(&mut state, crate::domain::catalog::Source::default(), "alias/x");
    let Some(Screen::Form(screen)) = state.screen() else { panic!("no form") };
    assert_eq!(screen.form.context[0].name.value(), "tenant");
}

#[test]
fn a_region_that_fails_says_which_it_is_and_the_others_have_their_rows() {
    let place = |region: &str| (Destination::in_region(region), Place::local(region));
    let mut state = State::new(vec![place("us-east-1"), place("eu-west-1")], SIZE, at(0)).0;
    let _ = connect(&mut state);
    let _ = load(&mut state, keys_page(0..3));
    let generation = state.connected[1].generation;
    let _ = update(&mut state, Message::NotConnected { generation, failure: failure() });
    assert_eq!(state.keys.rows().len(), 3);
    assert!(state.trouble().is_none());
    let (region, _) = state.hidden_trouble().unwrap();
    assert_eq!((region.place.region.as_deref(), state.troubled_count()), (Some("eu-west-1"), 1));
}
