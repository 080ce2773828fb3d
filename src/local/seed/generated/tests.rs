use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::local::identifier::is_alias_name;

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

/// Keys and the secrets that they would have.
fn made(keys: u32, seed: u64) -> Vec<(Key, Material)> {
    let generated = Generated { keys, seed };
    (0..keys).map(|number| generated.key(number, now()).unwrap()).collect()
}

/// All of a key in one text, its secret by its id.
fn told((key, material): &(Key, Material)) -> String {
    format!("{} {:?} {:?} {:?}", key.id, key.record(now()), key.aliases, material.id(&key.id))
}

fn count<T: Ord>(keys: &[(Key, Material)], of: impl Fn(&Key) -> T) -> BTreeMap<T, usize> {
    let mut counts = BTreeMap::new();
    for (key, _) in keys {
        *counts.entry(of(key)).or_default() += 1;
    }
    counts
}

#[test]
fn kms_would_allow_every_key_and_every_name_is_there_once() {
    let keys = made(20_000, 3);
    let (mut ids, mut names) = (BTreeSet::new(), BTreeSet::new());
    for (key, _) in &keys {
        assert_eq!(key.check(), Ok(()), "{}", key.id);
        assert!(key.created <= now());
        assert!(key.tags.keys().all(|name| !name.to_lowercase().starts_with("aws:")));
        assert!(ids.insert(&key.id), "{}", key.id);
        for name in &key.aliases {
            assert!(is_alias_name(name), "{name}");
            assert!(names.insert(name), "{name}");
        }
    }
}

#[test]
fn one_seed_gives_the_same_keys_and_another_one_others() {
    let told_of = |keys, seed| made(keys, seed).iter().map(told).collect::<Vec<_>>();
    let first = told_of(500, 1);
    assert_eq!(first, told_of(500, 1));
    // A smaller number is the beginning of a larger one.
    assert_eq!(first[..50], told_of(50, 1));
    let other = told_of(500, 2);
    assert!(first.iter().all(|key| !other.contains(key)));
    let ids = |seed| made(500, seed).into_iter().map(|(key, _)| key.id).collect::<BTreeSet<_>>();
    assert!(ids(1).is_disjoint(&ids(2)));
}

#[test]
fn the_mixture_is_that_of_an_account_of_many_teams() {
    let keys = made(10_000, 4);
    let states = count(&keys, |key| key.state.word());
    for (state, range) in [
        ("Enabled", 8_300..9_000),
        ("Disabled", 700..1_100),
        ("PendingDeletion", 350..650),
        ("PendingImport", 20..100),
    ] {
        assert!(range.contains(&states[state]), "{states:?}");
    }
    let usages = count(&keys, |key| key.usage.word());
    assert_eq!(usages.len(), 4, "{usages:?}");
    let specs = count(&keys, |key| key.spec.word());
    assert!(specs.len() >= 10 && (8_700..9_400).contains(&specs["SYMMETRIC_DEFAULT"]), "{specs:?}");
    let managers = count(&keys, |key| key.manager.word());
    assert_eq!(managers["AWS"], MANAGED.len());
    let aliases = count(&keys, |key| key.aliases.len());
    assert!((1_700..2_300).contains(&aliases[&0]), "{aliases:?}");
    assert_eq!(aliases.keys().copied().collect::<Vec<_>>(), [0, 1, 2, 3]);
    let rotating = count(&keys, |key| key.rotation_period_days.is_some())[&true];
    assert!((4_500..6_500).contains(&rotating), "{rotating}");
    let tagged = count(&keys, |key| !key.tags.is_empty())[&true];
    assert!((6_500..7_500).contains(&tagged), "{tagged}");
    let years = count(&keys, |key| key.created.to_string()[..4].to_owned());
    assert!(years.len() == 12, "{years:?}");
}

#[test]
fn what_lies_ahead_counts_from_the_clock() {
    let early: Timestamp = "2016-03-01T00:00:00Z".parse().unwrap();
    let generated = Generated { keys: 400, seed: 5 };
    let mut pending = 0;
    for number in 0..generated.keys {
        let (key, _) = generated.key(number, early).unwrap();
        let record = key.record(early);
        assert!(record.created <= early);
        if let Some(deletion) = record.deletion {
            pending += 1;
            let days = (deletion - early).as_hours() / 24;
            assert!((1..=30).contains(&days), "{days}");
        }
    }
    assert!(pending > 5, "{pending}");
}
