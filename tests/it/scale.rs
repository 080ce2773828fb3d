//! The explorer over catalogs of many keys: under fire, reloaded and paused in the middle, while a
//! person asks for something else; and the calls that it made.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kmx::domain::failure::FailureKind;
use kmx::domain::place::PlaceKind;
use kmx::local::{Behaviour, Fault, Seed};
use serde_json::{Value, json};

use crate::harness::{Explorer, Setup, always, rules};

const OPERATION: &str = "GenerateDataKeyWithoutPlaintext";

fn generated(keys: u32) -> Seed {
    Seed::Generated { keys, seed: 11 }
}

fn latency(milliseconds: u64) -> Behaviour {
    Behaviour { latency: Duration::from_millis(milliseconds), ..Behaviour::default() }
}

fn throttled(rate: &str) -> Behaviour {
    Behaviour { rates: vec![rate.parse().unwrap()], ..latency(20) }
}

/// An explorer of so many keys whose loading goes on.
fn loading(keys: u32, behaviour: Behaviour) -> Explorer {
    Explorer::unsettled(Setup { seed: generated(keys), behaviour, ..Setup::default() })
}

/// Keys by ARN, with aliases and what was told of each, in words.
fn catalog(explorer: &Explorer) -> BTreeMap<String, String> {
    let catalog = &explorer.state().catalog;
    let keys = catalog.keys().map(|key| {
        let aliases: BTreeSet<&str> = key.alias_names().collect();
        let told = match (key.traits(), key.refusal()) {
            (Some(traits), None) => {
                format!(
                    "{traits:?} {:?} {:?} {}",
                    key.creation_date(),
                    key.deletion_date(),
                    key.description()
                )
            }
            (None, Some(refusal)) => {
                assert_eq!(refusal.kind, FailureKind::NotAllowed, "{refusal}");
                assert!(refusal.sentence.ends_with(&key.arn()), "{refusal}");
                "refused".to_owned()
            }
            _ => "nothing".to_owned(),
        };
        (key.arn(), format!("{aliases:?} {told}"))
    });
    let keys: Vec<_> = keys.collect();
    let count = keys.len();
    assert_eq!(count, catalog.key_count());
    let keys: BTreeMap<_, _> = keys.into_iter().collect();
    assert_eq!(keys.len(), count, "a key has two rows");
    keys
}

fn aliases(explorer: &Explorer) -> BTreeSet<String> {
    explorer.state().catalog.aliases().map(|(_, alias)| alias.name().to_owned()).collect()
}

/// Changes the account behind the explorer's back.
fn change(explorer: &Explorer, operation: &str, body: &Value) {
    let target = format!("TrentService.{operation}");
    let scope = "AWS4-HMAC-SHA256 Credential=any/20261124/us-east-1/kms/aws4_request";
    let response = explorer.kms.handle(&target, Some(scope), body.to_string().into());
    assert_eq!(response.status, 200, "{operation} {body}");
}

#[tokio::test(start_paused = true)]
async fn under_fire_the_catalog_ends_complete_and_true() {
    const KEYS: u32 = 500;
    let denials = || vec!["DescribeKey=5%".parse().unwrap()];
    let behaviour = Behaviour {
        // A tenth of the budget.
        rates: vec!["DescribeKey=20".parse().unwrap()],
        denials: denials(),
        odds: "500=8%,reset=8%,throttle=8%,truncate=8%,hang=8%".parse().unwrap(),
        seed: 3,
        ..latency(20)
    };
    let truth = Explorer::start_with(Setup {
        seed: generated(KEYS),
        behaviour: Behaviour { denials: denials(), ..Behaviour::default() },
        describe_rate: 0,
        ..Setup::default()
    })
    .await;
    let mut explorer = loading(KEYS, behaviour);
    explorer.settle().await;
    // A host whose very first answers mean nothing is taken for the wrong one: a person goes on.
    let mut went_on = 0;
    while explorer.state().connected[0].loading.broke_off() {
        went_on += 1;
        assert!(went_on <= 5, "{}", explorer.screen());
        explorer.press("r").await;
    }
    let (found, true_ones) = (catalog(&explorer), catalog(&truth));
    assert_eq!(found.len(), KEYS as usize);
    assert_eq!(found, true_ones);
    assert_eq!(aliases(&explorer), aliases(&truth));
    let refused = found.values().filter(|told| told.ends_with("refused")).count();
    assert!((5..=60).contains(&refused), "{refused}");
    explorer.shows(&["500 keys"]);
    explorer.hides(&["described", "not complete", "trying again", "·····"]);
}

#[tokio::test(start_paused = true)]
async fn a_reload_in_the_middle_leaves_no_stale_row() {
    let mut explorer = loading(400, Behaviour::default());
    explorer.settle().await;
    let first = catalog(&explorer);
    // The service throttles everything: describing stands still, and a person reads anew.
    explorer.kms.set_behaviour(rules(vec![always("DescribeKey", None, Fault::Throttle)]));
    explorer.press_only("r");
    explorer.run_for(5_000).await;
    explorer.shows(&["0 of 400 read again"]);
    let orders = json!({ "AliasName": "alias/demo/orders" });
    change(&explorer, "DeleteAlias", &orders);
    change(&explorer, "DisableKey", &json!({ "KeyId": enabled(&explorer, 3) }));
    change(&explorer, "ScheduleKeyDeletion", &json!({ "KeyId": enabled(&explorer, 5) }));
    change(
        &explorer,
        "CreateAlias",
        &json!({ "AliasName": "alias/new", "TargetKeyId": enabled(&explorer, 9) }),
    );
    explorer.kms.set_behaviour(Behaviour::default());
    explorer.press("r").await;
    let mut truth = Explorer::over(explorer.kms.clone(), &Setup::default());
    truth.settle().await;
    assert_eq!(catalog(&explorer), catalog(&truth));
    assert_ne!(catalog(&explorer), first);
    assert_eq!(aliases(&explorer), aliases(&truth));
    assert!(!aliases(&explorer).contains("alias/demo/orders") && aliases(&explorer).contains("alias/new"));
}

/// The ARN of an enabled customer managed key that stands so far down.
fn enabled(explorer: &Explorer, number: usize) -> String {
    use kmx::domain::key::{KeyManager, KeyState};
    let is_it = |key: &kmx::domain::catalog::Key<'_>| {
        key.state() == Some(&KeyState::Enabled)
            && key.traits().is_some_and(|traits| traits.key_manager == Some(KeyManager::Customer))
    };
    explorer.state().catalog.keys().filter(is_it).nth(number).unwrap().arn()
}

#[tokio::test(start_paused = true)]
async fn a_failing_page_keeps_what_is_there_and_r_goes_on_from_there() {
    let mut explorer = loading(1_100, latency(100));
    // The first page is under way, the second is refused.
    explorer.run_for(50).await;
    explorer.kms.set_behaviour(rules(vec![always("ListKeys", None, Fault::Deny)]));
    explorer.settle().await;
    explorer.shows(&["! not complete: not allowed: kms:ListKeys on *", "1,000 keys"]);
    assert_eq!(explorer.calls("ListKeys").len(), 2);
    assert_eq!(explorer.calls("DescribeKey").len(), 1_000);
    let aliases = explorer.calls("ListAliases").len();
    explorer.press("A").await;
    explorer.shows(&["r goes on from there"]);
    explorer.kms.set_behaviour(Behaviour::default());
    explorer.press("r").await;
    explorer.shows(&["1,100 keys"]);
    explorer.hides(&["not complete"]);
    // One page more, and what came before is neither listed nor described again.
    assert_eq!(explorer.calls("ListKeys").len(), 3);
    assert_eq!(explorer.calls("ListAliases").len(), aliases);
    assert_eq!(explorer.calls("DescribeKey").len(), 1_100);
    assert!(catalog(&explorer).values().all(|told| !told.ends_with("nothing")));
}

#[tokio::test(start_paused = true)]
async fn a_pause_holds_all_but_the_rows_on_the_screen_and_a_goes_on() {
    let mut explorer = loading(600, latency(20));
    explorer.run_for(1_000).await;
    explorer.press_only("A");
    explorer.run_for(200).await;
    let line = explorer.line("described, paused, A goes on");
    let calls = explorer.calls("DescribeKey").len();
    assert!((100..500).contains(&calls), "{calls}");
    explorer.run_for(60_000).await;
    assert_eq!(explorer.line("described, paused, A goes on"), line);
    // The rows at the other end are described all the same.
    explorer.press_only("G");
    explorer.run_for(200).await;
    explorer.hides(&["·····"]);
    let with_the_screen = explorer.calls("DescribeKey").len();
    assert!(with_the_screen > calls && with_the_screen <= calls + 40, "{calls} {with_the_screen}");
    explorer.press_only("A");
    explorer.run_for(200).await;
    explorer.hides(&["paused"]);
    explorer.settle().await;
    explorer.shows(&["600 keys"]);
    assert_eq!(explorer.calls("DescribeKey").len(), 600);
    explorer.press("A").await;
    explorer.shows(&["everything is described"]);
}

#[tokio::test(start_paused = true)]
async fn a_pause_outlives_a_reload_and_a_broken_list_goes_on_during_one() {
    let mut explorer = loading(1_100, latency(100));
    explorer.run_for(50).await;
    explorer.press_only("A");
    explorer
        .kms
        .set_behaviour(Behaviour { rules: vec![always("ListKeys", None, Fault::Deny)], ..latency(20) });
    explorer.run_for(2_000).await;
    explorer.shows(&["not complete", "paused, A goes on"]);
    explorer.kms.set_behaviour(latency(20));
    explorer.press_only("r");
    explorer.run_for(2_000).await;
    explorer.shows(&[" of 1,100 described, paused, A goes on"]);
    explorer.hides(&["not complete"]);
    assert_eq!(explorer.calls("ListKeys").len(), 3);
    explorer.press("A").await;
    explorer.shows(&["1,100 keys"]);
    assert_eq!(explorer.calls("DescribeKey").len(), 1_100);
}

#[tokio::test(start_paused = true)]
async fn a_request_of_a_person_is_answered_at_once_while_describing_is_throttled() {
    let mut explorer = loading(500, throttled("DescribeKey=20"));
    explorer.run_for(10_000).await;
    let described = explorer.state().catalog.described_count();
    assert!((50..400).contains(&described), "{described}");
    explorer.press_only("/demo/orders<enter>n<ctrl+r>");
    explorer.run_for(60).await;
    explorer.shows(&["CiphertextBlob"]);
    assert_eq!(explorer.calls(OPERATION).len(), 1);
    explorer.press_only("<esc><esc>");
    explorer.run_for(10).await;
    explorer.shows(&[" of 500 described"]);
}

#[tokio::test(start_paused = true)]
async fn the_progress_has_a_count_and_an_estimate_and_a_gauge_where_there_is_room() {
    let mut explorer = loading(1_000, throttled("DescribeKey=20"));
    assert_eq!(explorer.state().place().kind, PlaceKind::Local);
    // Before a pace is known the estimate is that of the rate: 200 a second.
    explorer.run_for(300).await;
    explorer.shows(&[" of 1,000 described, a few seconds left ▕"]);
    explorer.run_for(10_000).await;
    // 20 a second.
    explorer.shows(&[" of 1,000 described, about 40 s left ▕█"]);
    explorer.resize_only(80, 24);
    explorer.run_for(10).await;
    explorer.shows(&[" of 1,000 described, about 40 s left", "LOCAL KMS"]);
    explorer.hides(&["▕"]);
    explorer.resize_only(60, 24);
    explorer.run_for(10).await;
    explorer.shows(&[" of 1,000 described"]);
    explorer.hides(&["left"]);
}

#[tokio::test(start_paused = true)]
async fn the_calls_are_shown_newest_first_and_narrowed_and_copied() {
    let mut explorer = Explorer::start().await;
    explorer.press("[").await;
    explorer.shows(&["Calls]", "TIME UTC", "OPERATION", "OUTCOME", "REQUEST ID", "12:00:0"]);
    assert!(explorer.selected().contains("DescribeKey"), "{}", explorer.selected());
    explorer.press("G").await;
    let oldest = explorer.selected();
    assert!(oldest.contains("List") && oldest.contains("ok"), "{oldest}");
    explorer.press("<enter>").await;
    explorer.hides(&["DescribeKey"]);
    explorer.shows(&["/List"]);
    explorer.press("<esc>/describe").await;
    explorer.shows(&["/describe▏  44 of "]);
    explorer.press("<enter>y").await;
    let copied = explorer.copied().pop().unwrap();
    let columns: Vec<&str> = copied.split('\t').collect();
    assert_eq!((columns.len(), columns[1], columns[3], columns[4]), (8, "DescribeKey", "us-east-1", "ok"));
    assert!(columns[0].starts_with("2026-11-24T12:00:0") && columns[2].starts_with("arn:aws:kms:"));
    // What is asked for elsewhere is there when the screen is opened again.
    explorer.press("<esc>1/demo/orders<enter>n<ctrl+r>").await;
    explorer.press("<esc><esc><esc>[").await;
    assert!(explorer.selected().contains(OPERATION), "{}", explorer.selected());
    explorer.press("/nobody").await;
    explorer.shows(&["no calls match the filter"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_made_stays_selected_while_others_come() {
    let mut explorer = loading(600, latency(20));
    explorer.press_only("[");
    explorer.run_for(10).await;
    explorer.shows(&["no call was made yet"]);
    explorer.run_for(500).await;
    explorer.press_only("jjj");
    explorer.run_for(1).await;
    let selected = explorer.selected();
    let before = explorer.state().calls.index();
    explorer.run_for(1_000).await;
    assert!(explorer.state().calls.index() > before + 30);
    assert_eq!(explorer.selected(), selected);
    explorer.settle().await;
    // One that fails says how.
    explorer.kms.set_behaviour(rules(vec![always("DescribeKey", None, Fault::Deny)]));
    explorer.press("1r[g").await;
    explorer.shows(&["AccessDeniedException", "1 of 1,000"]);
}

#[tokio::test(start_paused = true)]
async fn the_columns_of_the_calls_leave_as_the_terminal_narrows() {
    let mut explorer = Explorer::start().await;
    explorer.press("[").await;
    for (columns, shown, hidden) in [
        (80, &["TIME UTC", "TARGET", "OUTCOME", "MS"][..], &["ATTEMPT", "REQUEST ID"][..]),
        (40, &["OPERATION", "OUTCOME"], &["TARGET", "TIME"]),
    ] {
        explorer.resize(columns, 24).await;
        explorer.shows(shown);
        explorer.hides(hidden);
    }
}
