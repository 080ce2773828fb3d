//! Messages in, effects and state out.

mod scans;

use std::time::Duration;

use jiff::Timestamp;
use ratatui::layout::Size;

use super::super::{Connection, Generation, Loading, Now, Phase, Ticket};
use super::*;
use crate::domain::catalog::{Described, KeyHandle, ListedAlias, ListedKey};
use crate::domain::data_key::{Answer, DataKey};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::key::KeyMetadata;
use crate::domain::loading::{List, LoadEvent, Part};
use crate::domain::place::{Destination, Place};

mod going;

/// A list of seven rows.
const SIZE: Size = Size { width: 120, height: 12 };
const ROWS: usize = 7;

fn at(seconds: u64) -> Now {
    Now { wall: Timestamp::UNIX_EPOCH, elapsed: Duration::from_secs(seconds) }
}

fn fresh() -> State {
    State::new(places(), SIZE, at(0)).0
}

fn places() -> Vec<(Destination, Place)> {
    vec![(Destination::default(), Place::local("us-east-1"))]
}

fn connect_anew(generation: u64, over: Option<u64>) -> Effect {
    let to = Destination::default();
    Effect::Connect { generation: Generation(generation), over: over.map(Generation), resume: false, to }
}

fn arn(number: usize) -> String {
    format!("arn:aws:kms:us-east-1:111122223333:key/k{number:03}")
}

fn keys_page(numbers: std::ops::Range<usize>) -> LoadEvent {
    LoadEvent::Keys(
        numbers.map(|number| ListedKey { key_id: format!("k{number:03}"), arn: arn(number) }).collect(),
    )
}

fn aliases_page(numbers: std::ops::Range<usize>) -> LoadEvent {
    let alias = |number| ListedAlias {
        name: format!("alias/a{number:03}"),
        arn: String::new(),
        target_key_id: Some(format!("k{number:03}")),
    };
    LoadEvent::Aliases(numbers.map(alias).collect())
}

fn described(numbers: std::ops::Range<usize>) -> LoadEvent {
    let answer = |number| (arn(number), Described::Known(Box::new(KeyMetadata::bare("k"))));
    LoadEvent::Described(numbers.map(answer).collect())
}

fn load(state: &mut State, event: LoadEvent) -> Vec<Effect> {
    let generation = state.connected[0].generation;
    update(state, Message::Loaded { generation, event })
}

fn connect(state: &mut State) -> Vec<Effect> {
    let (generation, place) = (state.connected[0].generation, Place::local("us-east-1"));
    update(state, Message::Connected { generation, place })
}

/// Connected, with so many keys that are not described yet.
fn with_keys(count: usize) -> State {
    let mut state = fresh();
    let _ = connect(&mut state);
    let _ = load(&mut state, aliases_page(0..count));
    let _ = load(&mut state, keys_page(0..count));
    state
}

fn code(state: &mut State, code: KeyCode) -> Vec<Effect> {
    update(state, Message::Key(KeyEvent::new(code, KeyModifiers::NONE)))
}

fn ctrl(state: &mut State, letter: char) -> Vec<Effect> {
    update(state, Message::Key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL)))
}

fn typed(state: &mut State, text: &str) -> Vec<Effect> {
    text.chars().flat_map(|character| code(state, KeyCode::Char(character))).collect()
}

fn failure() -> Failure {
    Failure::new(FailureKind::Other, "a failure")
}

fn data_key() -> Answer {
    Answer::DataKey(DataKey::of_blob(b"blob"))
}

/// The ticket of the one request among these effects.
#[track_caller]
fn ticket_of(effects: &[Effect]) -> Ticket {
    match effects {
        [Effect::Generate { ticket, .. } | Effect::Describe { ticket, .. }] => *ticket,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_thing_asked_for_is_a_connection() {
    let (state, first) = State::new(places(), SIZE, at(0));
    assert_eq!(first, [connect_anew(1, None)]);
    assert!(state.is_waiting_for_rows() && state.is_counting());
}

#[test]
fn the_time_is_taken_in_and_asks_for_nothing() {
    let mut state = with_keys(3);
    let shown = format!("{state:?}").replace("elapsed: 0ns", "elapsed: 7s");
    assert_eq!(update(&mut state, Message::Now(at(7))), []);
    assert_eq!(state.now, at(7));
    assert_eq!(
        format!("{state:?}").replace("elapsed: 0ns", "elapsed: 7s"),
        shown,
        "and changes nothing else"
    );
}

#[test]
fn what_an_older_connection_brings_is_dropped() {
    let mut state = with_keys(2);
    let _ = load(&mut state, LoadEvent::Complete(List::Keys));
    let _ = load(&mut state, LoadEvent::Finished);
    assert_eq!(typed(&mut state, "r"), [connect_anew(2, Some(1))]);
    let generation = Generation(1);
    let place = Place::local("eu-west-1");
    assert_eq!(update(&mut state, Message::Connected { generation, place }), []);
    assert!(matches!(state.connected[0].connection, Connection::Connecting { .. }));
    assert_eq!(state.connected[0].place.region.as_deref(), Some("us-east-1"));
    assert_eq!(update(&mut state, Message::NotConnected { generation, failure: failure() }), []);
    assert!(matches!(state.connected[0].connection, Connection::Connecting { .. }));
    for event in [
        keys_page(0..9),
        LoadEvent::Complete(List::Keys),
        LoadEvent::Failed(Part::Keys, failure()),
        LoadEvent::Retrying(Part::Keys, failure()),
        described(0..2),
        LoadEvent::Finished,
    ] {
        assert_eq!(update(&mut state, Message::Loaded { generation, event: event.clone() }), [], "{event:?}");
        assert_eq!((state.catalog.key_count(), state.catalog.described_count()), (2, 0), "{event:?}");
        assert!(matches!(
            state.connected[0].loading,
            Loading { keys: Phase::Reading, finished: false, retrying: [None, None, None], .. }
        ));
    }
    // The present one counts.
    let _ = connect(&mut state);
    let _ = load(&mut state, keys_page(0..9));
    assert_eq!(state.catalog.key_count(), 9);
}

#[test]
fn each_reload_is_another_connection_and_keeps_the_account() {
    let mut state = with_keys(2);
    assert_eq!(state.connected[0].place.account.as_deref(), Some("111122223333"), "told by the first ARN");
    assert_eq!(typed(&mut state, "r"), [], "it is being read");
    let _ = load(&mut state, LoadEvent::Finished);
    assert_eq!(typed(&mut state, "r"), [connect_anew(2, Some(1))]);
    assert_eq!(ctrl(&mut state, 'r'), [connect_anew(3, Some(2))]);
    let _ = connect(&mut state);
    assert_eq!(state.connected[0].place.account.as_deref(), Some("111122223333"));
    assert_eq!(state.catalog.key_count(), 2, "rows stay until it is known what became of them");
}

#[test]
fn an_answer_counts_once_and_for_its_own_question_alone() {
    let mut state = with_keys(1);
    let _ = typed(&mut state, "n");
    let ticket = ticket_of(&ctrl(&mut state, 'r'));
    let running = |state: &State| matches!(state.screen(), Some(Screen::Outcome(outcome)) if matches!(outcome.progress, Progress::Running { .. }));
    assert!(running(&state) && state.is_counting());
    let _ = update(&mut state, Message::Answered { ticket: Ticket(ticket.0 + 1), result: Ok(data_key()) });
    assert!(running(&state), "somebody else's answer");
    assert_eq!(ctrl(&mut state, 'r'), [], "it runs already");

    assert_eq!(code(&mut state, KeyCode::Esc), [Effect::Cancel { ticket }]);
    assert!(matches!(state.screen(), Some(Screen::Form(_))));
    let _ = update(&mut state, Message::Answered { ticket, result: Ok(data_key()) });
    assert!(matches!(state.screen(), Some(Screen::Form(_))), "it was cancelled");

    let again = ticket_of(&ctrl(&mut state, 'r'));
    assert_ne!(again, ticket);
    let _ = update(&mut state, Message::Answered { ticket, result: Err(failure()) });
    assert!(running(&state), "the answer to the one that was cancelled");
    let _ = update(&mut state, Message::Now(at(3)));
    let _ = update(&mut state, Message::Answered { ticket: again, result: Ok(data_key()) });
    let _ = update(&mut state, Message::Answered { ticket: again, result: Err(failure()) });
    let Some(Screen::Outcome(outcome)) = state.screen() else { panic!("no outcome") };
    assert!(matches!(&outcome.progress, Progress::Done { took, .. } if *took == Duration::from_secs(3)));
}

#[test]
fn a_description_counts_for_the_details_that_asked() {
    let mut state = with_keys(2);
    let _ = code(&mut state, KeyCode::Enter);
    let again = |state: &mut State| {
        let asked = typed(state, "r").into_iter().filter(|it| matches!(it, Effect::Describe { .. }));
        ticket_of(&asked.collect::<Vec<_>>())
    };
    let older = again(&mut state);
    let newer = again(&mut state);
    let answer = |ticket| Message::Described {
        ticket,
        arn: arn(0),
        described: Described::Known(Box::new(KeyMetadata::bare("k000"))),
    };
    let _ = update(&mut state, answer(older));
    assert_eq!((state.catalog.described_count(), state.status.clone()), (0, None));
    let _ = update(&mut state, answer(newer));
    assert_eq!(state.catalog.described_count(), 1);
    // Left before the answer came.
    let last = again(&mut state);
    assert_eq!(code(&mut state, KeyCode::Esc), [Effect::Cancel { ticket: last }]);
    let _ = update(&mut state, answer(last));
    assert_eq!(state.status, None);
}

#[test]
fn rows_on_the_screen_are_wanted_once() {
    let mut state = fresh();
    assert_eq!(load(&mut state, keys_page(0..20)), [], "nothing to ask before there is a connection");
    let wanted = |numbers: std::ops::Range<usize>| {
        [Effect::Want { generation: Generation(1), arns: numbers.map(arn).collect() }]
    };
    assert_eq!(connect(&mut state), wanted(0..ROWS));
    assert_eq!(code(&mut state, KeyCode::Down), [], "the same rows");
    assert_eq!(load(&mut state, keys_page(20..30)), [], "rows below the screen");
    assert_eq!(code(&mut state, KeyCode::End), wanted(23..30));
    assert_eq!(load(&mut state, described(23..28)), [], "fewer of the same");
    assert_eq!(code(&mut state, KeyCode::Home), wanted(0..ROWS));
    // A larger screen shows more.
    assert_eq!(update(&mut state, Message::Resize(Size { width: 120, height: 14 })), wanted(0..ROWS + 2));
    let effects = load(&mut state, LoadEvent::Finished);
    assert!(matches!(effects[..], [Effect::Remember { .. }]), "{effects:?}");
    assert_eq!(code(&mut state, KeyCode::PageDown), [], "everything was asked for");
}

#[test]
fn details_ask_for_their_key_by_themselves_and_the_rows_go_on() {
    let mut state = with_keys(20);
    let _ = load(&mut state, described(0..2));
    let _ = typed(&mut state, "jjjj");
    let effects = code(&mut state, KeyCode::Enter);
    let [Effect::Describe { arn: of, .. }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(*of, arn(4));
    let effects = update(&mut state, Message::Resize(Size { width: 120, height: 14 }));
    let [Effect::Want { arns, .. }] = &effects[..] else { panic!("{effects:?}") };
    assert!(!arns.contains(&arn(0)), "described rows are not wanted: {arns:?}");
    assert!(arns.contains(&arn(2)) && arns.contains(&arn(8)), "{arns:?}");
}

#[test]
fn the_aliases_on_the_screen_want_their_keys() {
    let mut state = with_keys(20);
    let _ = typed(&mut state, "2");
    let effects = typed(&mut state, "G");
    assert_eq!(effects, [Effect::Want { generation: Generation(1), arns: (13..20).map(arn).collect() }]);
}

#[test]
fn esc_undoes_the_innermost_and_never_quits() {
    let mut state = with_keys(3);
    let _ = typed(&mut state, "/a00");
    let _ = code(&mut state, KeyCode::Enter);
    let _ = code(&mut state, KeyCode::Enter);
    let _ = typed(&mut state, "n");
    let ticket = ticket_of(&ctrl(&mut state, 'r'));
    let _ = code(&mut state, KeyCode::F(1));

    assert_eq!(code(&mut state, KeyCode::Esc), [], "the popup");
    assert!(state.popup.is_none());
    assert_eq!(state.screens.len(), 2);
    assert_eq!(code(&mut state, KeyCode::Esc), [Effect::Cancel { ticket }], "the call");
    assert!(matches!(state.screens[..], [Screen::Details(_), Screen::Form(_)]));
    assert_eq!(ctrl(&mut state, 'g'), [], "the form");
    assert!(matches!(state.screens[..], [Screen::Details(_)]));
    let described = [Effect::Cancel { ticket: Ticket(1) }];
    assert_eq!(code(&mut state, KeyCode::Esc), described, "the details, which are still read");
    assert!(state.screens.is_empty());
    assert_eq!(state.keys.input.value(), "a00");
    assert_eq!(code(&mut state, KeyCode::Esc), [], "the filter");
    assert_eq!(state.keys.input.value(), "");
    for _ in 0..3 {
        assert_eq!(code(&mut state, KeyCode::Esc), []);
    }
    assert!(matches!(state.connected[0].connection, Connection::Ready), "a load goes on");
}

#[test]
fn q_goes_back_and_on_a_top_screen_quits_and_is_text_in_a_field() {
    let mut state = with_keys(1);
    for open in ["?", "s"] {
        let _ = typed(&mut state, open);
        assert_eq!(typed(&mut state, "q"), [], "{open}");
        assert_eq!(state.popup, None, "{open}");
    }
    let described = code(&mut state, KeyCode::Enter);
    assert_eq!(typed(&mut state, "q"), [Effect::Cancel { ticket: ticket_of(&described) }]);
    let _ = typed(&mut state, "n");
    assert_eq!(typed(&mut state, "q?"), []);
    let Some(Screen::Form(screen)) = state.screen() else { panic!("no form") };
    assert_eq!(screen.form.context[0].name.value(), "q?");
    let _ = code(&mut state, KeyCode::Esc);
    let _ = typed(&mut state, "/q");
    assert_eq!(state.keys.input.value(), "q");
    let _ = code(&mut state, KeyCode::Esc);
    assert_eq!(typed(&mut state, "q"), [Effect::Quit]);
}

#[test]
fn ctrl_c_quits_and_ctrl_z_suspends_from_everywhere() {
    for keys in ["", "?", "s", "/x", "n"] {
        let mut state = with_keys(1);
        let _ = typed(&mut state, keys);
        assert_eq!(ctrl(&mut state, 'z'), [Effect::Suspend], "{keys}");
        assert_eq!(ctrl(&mut state, 'c'), [Effect::Quit], "{keys}");
    }
}

#[test]
fn a_form_that_is_no_request_asks_for_nothing() {
    let mut state = fresh();
    let _ = typed(&mut state, "n");
    assert_eq!(ctrl(&mut state, 'r'), []);
    assert!(state.status.is_some());
    let _ = typed(&mut state, "alias/x");
    let effects = ctrl(&mut state, 'r');
    let [Effect::Generate { request, .. }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(request.key_id, "alias/x");
}

#[test]
fn a_paste_that_no_field_waits_for_does_nothing() {
    let mut state = with_keys(2);
    for keys in ["", "?"] {
        let _ = typed(&mut state, keys);
        let before = format!("{state:?}");
        assert_eq!(update(&mut state, Message::Paste("q\nn\u{1b}".to_owned())), []);
        assert_eq!(format!("{state:?}"), before, "{keys}");
    }
}

#[test]
fn the_last_word_goes_with_the_next_key() {
    let mut state = with_keys(1);
    for (result, kind, text) in [
        (Ok("tmux buffer".to_owned()), StatusKind::Success, "copied it (tmux buffer)"),
        (Err("no route".to_owned()), StatusKind::Error, "could not copy it: no route"),
    ] {
        let _ = update(&mut state, Message::Copied { what: "it".to_owned(), result });
        let status = state.status.clone().unwrap();
        assert_eq!((status.kind, status.text.as_str()), (kind, text));
        let _ = typed(&mut state, "j");
        assert_eq!(state.status, None);
    }
}

#[test]
fn the_selection_is_a_row_and_follows_it() {
    let mut state = with_keys(5);
    let _ = typed(&mut state, "jj");
    let chosen: Option<KeyHandle> = state.keys.selected();
    let _ = load(
        &mut state,
        LoadEvent::Aliases(vec![ListedAlias {
            name: "alias/a".to_owned(),
            arn: String::new(),
            target_key_id: Some("k004".to_owned()),
        }]),
    );
    assert_eq!((state.keys.selected(), state.keys.index()), (chosen, 3));
    // The two lists have their own.
    let _ = typed(&mut state, "2G1");
    assert_eq!(state.keys.selected(), chosen);
}

#[test]
fn a_panel_scrolls_no_further_than_its_end() {
    let mut state = with_keys(1);
    state.scroll_limit = |_| 5;
    let _ = code(&mut state, KeyCode::Enter);
    let scroll = |state: &State| match state.screen() {
        Some(Screen::Details(details)) => details.scroll,
        other => panic!("{other:?}"),
    };
    for (keys, expected) in [("j", 1), ("k", 0), ("k", 0), ("G", 5), ("j", 5), ("k", 4), ("g", 0)] {
        let _ = typed(&mut state, keys);
        assert_eq!(scroll(&state), expected, "{keys}");
    }
    let _ = code(&mut state, KeyCode::PageDown);
    assert_eq!(scroll(&state), 5);
    // The panel has become shorter: the way back begins at its new end.
    state.scroll_limit = |_| 3;
    let _ = typed(&mut state, "k");
    assert_eq!(scroll(&state), 2);
}

#[test]
fn a_pause_is_told_to_every_region_and_to_connections_that_come_later() {
    let regions = ["us-east-1", "eu-west-1"];
    let places = regions.map(|region| (Destination::in_region(region), Place::local(region))).to_vec();
    let mut state = State::new(places, SIZE, at(0)).0;
    let press = |state: &mut State, key: char| {
        update(state, Message::Key(KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE)))
    };
    let told = |paused| [1, 2].map(|it| Effect::Backfill { generation: Generation(it), paused }).to_vec();
    assert_eq!(press(&mut state, 'A'), told(true));
    let connected = Message::Connected { generation: Generation(2), place: Place::local("eu-west-1") };
    assert!(update(&mut state, connected).contains(&told(true)[1]));
    assert_eq!(press(&mut state, 'A'), told(false));
    // Those that have ended have nothing to pause.
    for generation in [1, 2] {
        let event = LoadEvent::Finished;
        let _ = update(&mut state, Message::Loaded { generation: Generation(generation), event });
    }
    assert_eq!(press(&mut state, 'A'), []);
    assert!(!state.paused);
    assert_eq!(state.status.map(|status| status.text).as_deref(), Some("everything is described"));
}

/// The ticket of the one part of the details among these effects.
#[track_caller]
fn ticket_of_a_part(effects: &[Effect]) -> Ticket {
    let asked: Vec<Ticket> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Read { ticket, .. } => Some(*ticket),
            _ => None,
        })
        .collect();
    assert_eq!(asked.len(), 1, "{effects:?}");
    asked[0]
}

#[test]
fn a_part_of_the_details_counts_for_the_question_that_was_asked_last() {
    let mut state = with_keys(1);
    let first = ticket_of(&code(&mut state, KeyCode::Enter));
    let older = ticket_of_a_part(&typed(&mut state, "3"));
    let effects = typed(&mut state, "r");
    assert_eq!(effects[0], Effect::Cancel { ticket: older });
    let newer = ticket_of_a_part(&effects);
    let shown = |state: &State| match state.screen() {
        Some(Screen::Details(details)) => details.failure().cloned(),
        _ => panic!("no details"),
    };
    let _ = update(&mut state, Message::Read { ticket: older, result: Err(failure()) });
    assert_eq!(shown(&state), None);
    let _ = update(&mut state, Message::Read { ticket: newer, result: Err(failure()) });
    assert_eq!(shown(&state), Some(failure()));
    assert_eq!(typed(&mut state, "13"), [], "a tab is asked for once");
    let last = ticket_of_a_part(&typed(&mut state, "4"));
    let mut left = code(&mut state, KeyCode::Esc);
    left.sort_by_key(|effect| *effect != Effect::Cancel { ticket: first });
    assert_eq!(left, [Effect::Cancel { ticket: first }, Effect::Cancel { ticket: last }]);
}

#[test]
fn what_depends_on_the_kind_of_a_key_waits_until_that_is_known() {
    for (spec, asks) in [("SYMMETRIC_DEFAULT", true), ("RSA_2048", false)] {
        let mut state = with_keys(1);
        let ticket = ticket_of(&code(&mut state, KeyCode::Enter));
        assert_eq!(typed(&mut state, "6"), []);
        let metadata = KeyMetadata { key_spec: Some(spec.to_owned()), ..KeyMetadata::bare("k000") };
        let described = Described::Known(Box::new(metadata));
        let effects = update(&mut state, Message::Described { ticket, arn: arn(0), described });
        assert_eq!(effects.iter().any(|effect| matches!(effect, Effect::Read { .. })), asks, "{effects:?}");
    }
}

#[test]
fn the_menu_has_the_address_of_a_key_of_aws_in_the_console() {
    let place = Place::aws(None, Some("us-east-1".to_owned()), None);
    let (mut state, _) = State::new(vec![(Destination::default(), place)], SIZE, at(0));
    let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
    let arn = format!("arn:aws:kms:us-east-1:111122223333:key/{id}");
    let _ = load(&mut state, LoadEvent::Keys(vec![ListedKey { key_id: id.to_owned(), arn }]));
    let _ = typed(&mut state, "Y");
    let effects = typed(&mut state, "w");
    let [Effect::Copy { what, text, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(what, "the console address");
    assert_eq!(
        *text,
        format!("https://us-east-1.console.aws.amazon.com/kms/home?region=us-east-1#/kms/keys/{id}")
    );
}
