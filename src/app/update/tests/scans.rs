//! Scans as messages in, effects and state out.

use super::*;
use crate::app::Popup;
use crate::domain::catalog::Source;
use crate::domain::scan::{Finding, ScanEvent, ScanKind};

const OFF: Finding = Finding::Rotation { enabled: false, period_days: None, next: None };

/// Connected, all of so many keys listed.
fn listed(keys: usize) -> State {
    let mut state = fresh();
    let generation = Generation(1);
    for event in [
        keys_page(0..keys),
        LoadEvent::Complete(List::Keys),
        LoadEvent::Complete(List::Aliases),
        LoadEvent::Finished,
    ] {
        update(&mut state, Message::Connected { generation, place: Place::local("us-east-1") });
        update(&mut state, Message::Loaded { generation, event });
    }
    state
}

fn agree(state: &mut State, kind: ScanKind) -> Vec<Effect> {
    let mut effects = Vec::new();
    scan::begin(state, kind);
    assert!(state.popup == Some(Popup::Scan));
    act(state, Action::BeginScan, &mut effects);
    effects
}

#[track_caller]
fn ticket_of(effects: &[Effect]) -> Ticket {
    match effects {
        [Effect::Scan { ticket, .. }] => *ticket,
        other => panic!("{other:?}"),
    }
}

fn found(numbers: std::ops::Range<usize>) -> ScanEvent {
    ScanEvent::Found(numbers.map(|number| (arn(number), OFF)).collect())
}

#[test]
fn a_scan_is_asked_about_before_it_is_asked_for() {
    let mut state = listed(3);
    scan::begin(&mut state, ScanKind::Tags);
    assert_eq!(state.scans.asked().unwrap().counts(), [3]);
    assert!(state.scans.running().is_empty());
    let effects = agree(&mut state, ScanKind::Rotation);
    let Effect::Scan { generation, kind, arns, .. } = &effects[0] else { panic!("{effects:?}") };
    assert_eq!((*generation, *kind, arns.len()), (Generation(1), ScanKind::Rotation, 3));
    assert_eq!(state.scans.running()[0].total, 3);
}

#[test]
fn a_question_that_was_not_answered_begins_nothing() {
    let mut state = listed(3);
    scan::begin(&mut state, ScanKind::Tags);
    let mut effects = Vec::new();
    act(&mut state, Action::Undo, &mut effects);
    act(&mut state, Action::BeginScan, &mut effects);
    assert_eq!(effects, []);
    assert!(state.scans.running().is_empty());
}

#[test]
fn findings_come_in_and_those_of_a_stopped_scan_do_not() {
    let mut state = listed(5);
    let ticket = ticket_of(&agree(&mut state, ScanKind::Rotation));
    update(&mut state, Message::Scanned { ticket, event: found(0..2) });
    assert_eq!((state.scans.running()[0].done, state.catalog.scanned(ScanKind::Rotation)), (2, 2));
    let mut effects = Vec::new();
    act(&mut state, Action::StopScans, &mut effects);
    assert_eq!(effects[0], Effect::StopScan { ticket });
    assert!(matches!(effects[1..], [Effect::Remember { .. }]), "what was found is kept for the next run");
    update(&mut state, Message::Scanned { ticket, event: found(2..5) });
    assert_eq!(state.catalog.scanned(ScanKind::Rotation), 2);
}

#[test]
fn one_scan_a_kind_and_several_kinds_beside_each_other() {
    let mut state = listed(2);
    agree(&mut state, ScanKind::Rotation);
    agree(&mut state, ScanKind::Tags);
    scan::begin(&mut state, ScanKind::Rotation);
    assert_eq!(state.popup, None);
    assert_eq!(state.status.as_ref().unwrap().text, "rotation is being read already; X stops it");
    assert_eq!(state.scans.running().len(), 2);
}

#[test]
fn a_scan_that_breaks_off_says_why_and_how_far_it_came() {
    let mut state = listed(5);
    let ticket = ticket_of(&agree(&mut state, ScanKind::Rotation));
    update(&mut state, Message::Scanned { ticket, event: found(0..2) });
    let failure = Failure::new(FailureKind::Other, "credentials expired");
    update(&mut state, Message::Scanned { ticket, event: ScanEvent::Failed(failure) });
    update(&mut state, Message::Scanned { ticket, event: ScanEvent::Finished });
    let said = state.status.as_ref().unwrap();
    assert_eq!(said.text, "rotation of 2 keys read, of 5; then credentials expired");
    assert!(state.scans.running().is_empty());
}

#[test]
fn a_reload_and_a_switch_stop_what_they_take_the_place_of() {
    let mut state = listed(2);
    let ticket = ticket_of(&agree(&mut state, ScanKind::Rotation));
    let mut effects = Vec::new();
    act(&mut state, Action::Reload, &mut effects);
    assert!(effects.contains(&Effect::StopScan { ticket }), "{effects:?}");

    let mut state = listed(2);
    let ticket = ticket_of(&agree(&mut state, ScanKind::Rotation));
    scan::begin(&mut state, ScanKind::Tags);
    let effects = state.go_to(places());
    assert!(effects.contains(&Effect::StopScan { ticket }), "{effects:?}");
    assert!(state.scans.running().is_empty() && state.scans.asked().is_none());
}

#[test]
fn each_region_is_scanned_over_its_own_connection() {
    let two = ["us-east-1", "eu-west-1"].map(|region| (Destination::default(), Place::local(region)));
    let (mut state, _) = State::new(two.into(), SIZE, at(0));
    for (generation, numbers) in [(1, 0..2), (2, 2..5)] {
        let event = keys_page(numbers);
        update(&mut state, Message::Loaded { generation: Generation(generation), event });
    }
    let effects = agree(&mut state, ScanKind::Rotation);
    let asked = effects.iter().map(|effect| match effect {
        Effect::Scan { generation, arns, .. } => (*generation, arns.len()),
        other => panic!("{other:?}"),
    });
    assert_eq!(asked.collect::<Vec<_>>(), [(Generation(1), 2), (Generation(2), 3)]);
    let keys = state.catalog.keys().filter(|key| key.source() == Source(1)).count();
    assert_eq!(keys, 3);
}
