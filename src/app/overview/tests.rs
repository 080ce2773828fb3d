//! Counts beside what their filters let through.

use std::time::Duration;

use jiff::Timestamp;
use ratatui::layout::Size;

use super::super::{Message, Now, State, update};
use super::*;
use crate::domain::catalog::{Described, ListedAlias, ListedKey};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::filter::{Filter, Verdict};
use crate::domain::key::{KeyManager, KeyMetadata, KeyUsage};
use crate::domain::loading::{List, LoadEvent};
use crate::domain::place::{Destination, Place};

const DAY: i64 = 86_400;

/// A catalog in which every count is another.
fn state() -> State {
    let wall: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
    let places = vec![(Destination::default(), Place::local("us-east-1"))];
    let now = Now { wall, elapsed: Duration::ZERO };
    let (mut state, _) = State::new(places, Size { width: 100, height: 30 }, now);
    let generation = state.connected[0].generation;
    let arn = |number: usize| format!("arn:aws:kms:us-east-1:111122223333:key/k{number:02}");
    let keys = (0..40).map(|number| ListedKey { key_id: format!("k{number:02}"), arn: arn(number) });
    let aliases = (0..20).map(|number| ListedAlias {
        name: format!("alias/a{number:02}"),
        arn: String::new(),
        target_key_id: Some(format!("k{number:02}")),
    });
    let described = (0..36).map(|number: usize| {
        if number % 9 == 8 {
            let refusal = Failure::new(FailureKind::NotAllowed, "no");
            return (arn(number), Described::Refused(Box::new(refusal)));
        }
        let days = i64::try_from(number).unwrap();
        let at = |days: i64| Timestamp::from_second(wall.as_second() + days * DAY).ok();
        let state = KeyState::from(KeyState::KNOWN[number % 8]);
        let metadata = KeyMetadata {
            deletion_date: at(days).filter(|_| state == KeyState::PendingDeletion),
            valid_to: at(days * 3).filter(|_| number.is_multiple_of(5)),
            key_state: Some(state),
            key_usage: Some(KeyUsage::from(KeyUsage::KNOWN[number % 3])),
            key_spec: Some(format!("SPEC_{}", number % 8)),
            key_manager: Some(if number.is_multiple_of(4) { KeyManager::Aws } else { KeyManager::Customer }),
            creation_date: at(-days * 40),
            ..KeyMetadata::bare("k")
        };
        (arn(number), Described::Known(Box::new(metadata)))
    });
    for event in [
        LoadEvent::Keys(keys.collect()),
        LoadEvent::Aliases(aliases.collect()),
        LoadEvent::Described(described.collect()),
        LoadEvent::Complete(List::Keys),
        LoadEvent::Complete(List::Aliases),
    ] {
        let _ = update(&mut state, Message::Loaded { generation, event });
    }
    state
}

#[test]
fn every_line_counts_the_keys_that_its_filter_shows() {
    let state = state();
    let mut counted = 0;
    for section in sections(&state) {
        for line in section.lines {
            let filter = Filter::parse(&line.filter, state.now.wall);
            assert!(filter.problems().is_empty(), "{}", line.filter);
            let judge = filter.over(&state.catalog);
            let shown = state.catalog.keys().filter(|key| judge.key(key.handle()).0 == Verdict::Yes).count();
            assert_eq!(line.count, Some(shown), "{} {:?} {}", section.title, line.label, line.filter);
            counted += shown;
        }
    }
    assert!(counted > 100, "the lines count something: {counted}");
}

#[test]
fn what_depends_on_aliases_is_open_until_all_are_listed() {
    let mut state = state();
    assert!(attention(&state).lines.iter().all(|line| line.count.is_some()));
    state.catalog = Catalog::default();
    let open: Vec<String> = attention(&state)
        .lines
        .into_iter()
        .filter(|line| line.count.is_none())
        .map(|line| line.filter)
        .collect();
    assert_eq!(open, ["alias:any state:deletion", "alias:none manager:customer"]);
}
