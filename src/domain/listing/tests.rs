use proptest::prelude::*;

use super::*;
use crate::domain::catalog::{Described, ListedAlias, ListedKey, Source};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::filter::Filter;
use crate::domain::key::{KeyMetadata, KeyState};

/// One thing that happens to a catalog.
#[derive(Clone, Debug)]
enum Event {
    Keys(Vec<u8>),
    Alias(u8, Option<u8>),
    Describe(u8, Option<u8>),
    FinishKeys,
    NewRound,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        prop::collection::vec(0..40u8, 1..6).prop_map(Event::Keys),
        (0..30u8, prop::option::of(0..40u8)).prop_map(|(name, target)| Event::Alias(name, target)),
        (0..40u8, prop::option::of(0..8u8)).prop_map(|(key, state)| Event::Describe(key, state)),
        Just(Event::FinishKeys),
        Just(Event::NewRound),
    ]
}

fn happen(catalog: &mut Catalog, event: Event) -> Vec<KeyHandle> {
    match event {
        Event::Keys(keys) => {
            let page = keys
                .iter()
                .map(|key| ListedKey { key_id: format!("k{key:02}"), arn: format!("arn{key:02}") });
            catalog.add_keys(Source(0), page.collect()).keys
        }
        Event::Alias(name, target) => {
            let listed = ListedAlias {
                name: format!("alias/{name}"),
                arn: String::new(),
                target_key_id: target.map(|key| format!("k{key:02}")),
            };
            catalog.add_aliases(Source(0), vec![listed]).keys
        }
        Event::Describe(key, state) => {
            let described = state.map_or(
                Described::Refused(Box::new(Failure::new(FailureKind::NotAllowed, "no"))),
                |state| {
                    Described::Known(Box::new(KeyMetadata {
                        key_state: Some(KeyState::from(KeyState::KNOWN[state as usize])),
                        ..KeyMetadata::bare("k")
                    }))
                },
            );
            catalog.describe(&format!("arn{key:02}"), described).keys
        }
        Event::FinishKeys => catalog.finish_keys(Source(0)).keys,
        Event::NewRound => {
            catalog.begin_round(Source(0));
            Vec::new()
        }
    }
}

proptest! {
    /// Rows kept up to date change by change are those of a list made anew.
    #[test]
    fn rows_kept_up_are_rows_made_anew(
        events in prop::collection::vec(event(), 1..60),
        filter in prop::sample::select(vec!["", "state:enabled", "alias/1", "k0 state:pending"]),
        column in prop::sample::select(vec![KeyColumn::Alias, KeyColumn::State, KeyColumn::KeyId]),
        descending: bool,
    ) {
        let filter = Filter::parse(filter, jiff::Timestamp::UNIX_EPOCH);
        let sort = Sort { column, descending };
        let mut catalog = Catalog::default();
        let mut kept = Listing::default();
        for event in events {
            let changed = happen(&mut catalog, event);
            kept.apply(
                &changed,
                |key| catalog.key(key).is_some(),
                |key| filter.over(&catalog).key(key),
                |a, b| compare_keys(&catalog, sort, *a, *b),
            );
        }
        let mut anew = Listing::default();
        anew.rebuild(
            catalog.keys().map(Key::handle),
            |key| filter.over(&catalog).key(key),
            |a, b| compare_keys(&catalog, sort, *a, *b),
        );
        prop_assert_eq!(kept.rows(), anew.rows());
        prop_assert_eq!(kept.unknown(), anew.unknown());
    }
}

#[test]
fn what_is_not_known_comes_last_in_either_direction() {
    let mut catalog = Catalog::default();
    happen(&mut catalog, Event::Keys(vec![1, 2, 3]));
    happen(&mut catalog, Event::Alias(1, Some(1)));
    happen(&mut catalog, Event::Alias(2, Some(2)));
    for (descending, expected) in [(false, ["k01", "k02", "k03"]), (true, ["k02", "k01", "k03"])] {
        let sort = Sort { column: KeyColumn::Alias, descending };
        let mut listing = Listing::default();
        listing.rebuild(
            catalog.keys().map(Key::handle),
            |_| (Verdict::Yes, 0),
            |a, b| compare_keys(&catalog, sort, *a, *b),
        );
        let ids: Vec<_> = listing.rows().iter().map(|key| catalog.key(*key).unwrap().key_id()).collect();
        assert_eq!(ids, expected);
    }
}
