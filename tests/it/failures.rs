//! What goes wrong on the way to a list: refusals, breakages that pass, answers that mean nothing,
//! and values that nobody knew when this was written.

use std::time::Duration;

use jiff::Timestamp;
use kmx::domain::request::OPERATION;
use kmx::local::{Behaviour, Fault, LocalKms, Options, StoreLocation};
use kmx::session::{LocalSettings, Session, Target};
use serde_json::json;

use crate::browse::many_keys;
use crate::harness::{self, Explorer, NOW, ORDERS, Setup, always, first, rules, text_of};

async fn start(behaviour: Behaviour) -> Explorer {
    Explorer::start_with(Setup { behaviour, ..Setup::default() }).await
}

/// Everything is there, and no key is unknown.
#[track_caller]
fn is_complete(explorer: &Explorer, what: &str) {
    let screen = explorer.screen();
    assert!(screen.lines().next().unwrap().ends_with("  44 keys"), "{what}:\n{screen}");
    explorer.hides(&["· · ·", "·····", "no access", "trying again", "not complete"]);
    let orders = explorer.line("alias/demo/orders");
    assert!(orders.contains("● Enabled"), "{what}: {orders}");
}

#[tokio::test(start_paused = true)]
async fn a_denied_list_says_so_and_the_form_still_works() {
    let mut explorer = start(rules(vec![always("ListKeys", None, Fault::Deny)])).await;
    explorer.shows(&["not allowed: kms:ListKeys on *", "AccessDeniedException: ", "hint", "request id"]);
    explorer.hides(&["no keys in this account"]);
    assert!(explorer.screen().lines().next().unwrap().ends_with("failed"));
    assert_eq!(explorer.calls("ListKeys").len(), 1, "a refusal is an answer");
    explorer.press("nalias/demo/orders<ctrl+r>").await;
    explorer.shows(&["CiphertextBlob"]);
    explorer.press("<esc>").await;
    explorer.shows(&["not allowed: kms:ListKeys on *"]);
    // The aliases were not denied; what their keys are, nobody said.
    explorer.press("2").await;
    let row = explorer.line("alias/demo/orders");
    assert!(row.contains(&ORDERS[..8]) && !row.contains("not listed"), "{row}");
    explorer.press("1").await;
    explorer.kms.set_behaviour(Behaviour::default());
    explorer.press("r").await;
    is_complete(&explorer, "after r");
}

#[tokio::test(start_paused = true)]
async fn an_alias_whose_key_is_not_listed_says_why_it_has_no_details() {
    let mut explorer = start(rules(vec![always("ListKeys", None, Fault::Deny)])).await;
    explorer.press("2/demo orders<enter><enter>").await;
    assert!(!explorer.footer().contains("no key yet"), "{}", explorer.footer());
    assert!(explorer.footer().contains("its key is not in the list"), "{}", explorer.footer());
    explorer.press("<esc>/alias/aws/rds<enter><enter>").await;
    assert!(explorer.footer().contains("this alias has no key yet"), "{}", explorer.footer());
}

#[tokio::test(start_paused = true)]
async fn denied_aliases_leave_the_keys_and_a_line_says_so() {
    let mut explorer = start(rules(vec![always("ListAliases", None, Fault::Deny)])).await;
    explorer.shows(&["44 keys", "! not complete: not allowed: kms:ListAliases on *", "bedb103d…1771"]);
    // That there is no alias is not known.
    explorer.hides(&["(no alias)", "alias/demo/orders"]);
    explorer.press("/bedb103d<enter>n<ctrl+r>").await;
    assert_eq!(
        explorer.calls(OPERATION)[0]["KeyId"],
        format!("arn:aws:kms:us-east-1:111122223333:key/{ORDERS}")
    );
    explorer.press("<esc><esc>2").await;
    explorer.shows(&["not allowed: kms:ListAliases on *", "try again"]);
    explorer.kms.set_behaviour(Behaviour::default());
    explorer.press("r1").await;
    is_complete(&explorer, "after r");
}

#[tokio::test(start_paused = true)]
async fn keys_that_may_not_be_described_keep_their_rows() {
    let mut explorer = start(rules(vec![always("DescribeKey", None, Fault::Deny)])).await;
    explorer.shows(&["44 keys", "⊘ no access", "alias/demo/orders"]);
    explorer.hides(&["·····", "not complete", "● Enabled"]);
    assert_eq!(explorer.calls("DescribeKey").len(), 44, "a refusal is an answer");
    explorer.press("/demo orders<enter><enter>").await;
    explorer.shows(&["⊘ no access", "not allowed: kms:DescribeKey on arn:aws:kms"]);
    explorer.press("<esc>n").await;
    explorer.shows(&["⊘ its state cannot be read (no access)"]);
    explorer.press("<ctrl+r>").await;
    explorer.shows(&["CiphertextBlob"]);
}

#[tokio::test(start_paused = true)]
async fn what_breaks_and_passes_leaves_no_gap() {
    let unreadable = || Fault::Body { status: 200, body: "<html>login</html>".to_owned() };
    let cut = || Fault::Body { status: 200, body: r#"{"Keys":[{"KeyId":"#.to_owned() };
    let gateway = || Fault::Body { status: 502, body: "Bad Gateway".to_owned() };
    for operation in ["ListKeys", "ListAliases", "DescribeKey"] {
        for fault in
            [Fault::Internal, Fault::Throttle, Fault::Reset, Fault::Truncate, unreadable(), cut(), gateway()]
        {
            let explorer = start(rules(vec![first(2, operation, fault.clone())])).await;
            is_complete(&explorer, &format!("{fault:?} on {operation}"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_in_the_middle_that_breaks_is_asked_for_again() {
    for operation in ["ListKeys", "ListAliases"] {
        for fault in
            [Fault::Reset, Fault::Truncate, Fault::Hang, Fault::Body { status: 200, body: "{".to_owned() }]
        {
            let setup = Setup { seed: many_keys(1_203).into(), ..Setup::default() };
            let mut explorer = Explorer::unsettled(Setup {
                behaviour: rules(vec![always(operation, None, Fault::Latency(Duration::from_millis(100)))]),
                ..setup
            });
            explorer.run_for(150).await;
            // The first page has come, the second is on its way; those after it break, again and again.
            explorer.kms.set_behaviour(rules(vec![first(8, operation, fault.clone())]));
            explorer.settle().await;
            let header = explorer.screen().lines().next().unwrap().to_owned();
            assert!(header.ends_with("1,203 keys"), "{fault:?} on {operation}: {header}");
            explorer.press("G").await;
            assert!(explorer.selected().contains("alias/many/1202"));
            explorer.hides(&["not complete", "trying again"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_says_more_and_names_no_page_is_not_taken_for_whole() {
    let page = |marker: Option<&str>| {
        let arn = format!("arn:aws:kms:us-east-1:111122223333:key/{ORDERS}");
        let mut page = json!({"Keys": [{"KeyId": ORDERS, "KeyArn": arn}], "Truncated": true});
        if let Some(marker) = marker {
            page["NextMarker"] = marker.into();
        }
        page.to_string()
    };
    for (marker, calls) in [(None, 1), (Some("again"), 2)] {
        let body = page(marker);
        let mut explorer = Explorer::start().await;
        let before = explorer.calls("ListKeys").len();
        explorer.kms.set_behaviour(rules(vec![always("ListKeys", None, Fault::Body { status: 200, body })]));
        explorer.press("r").await;
        assert_eq!(explorer.calls("ListKeys").len() - before, calls);
        // What the list did not bring may be there all the same.
        explorer.shows(&["44 keys", "! not complete: the endpoint says that there is more"]);
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_die_in_the_middle_make_no_key_look_denied() {
    let body =
        json!({"__type": "ExpiredTokenException", "message": "The security token is expired"}).to_string();
    let expired = rules(vec![always("DescribeKey", None, Fault::Body { status: 400, body })]);
    let mut explorer = start(expired).await;
    explorer.shows(&["! not complete: credentials expired", "0 of 44 described"]);
    explorer.hides(&["no access"]);
    assert!(explorer.calls("DescribeKey").len() <= 32, "nobody asks 44 times for the same refusal");
    explorer.kms.set_behaviour(Behaviour::default());
    explorer.press("r").await;
    explorer.shows(&["44 keys", "● Enabled"]);
    explorer.hides(&["not complete"]);
}

#[tokio::test(start_paused = true)]
async fn keys_that_keep_failing_hold_up_no_others() {
    let broken = (0..40).map(|number| {
        let id = format!("00000000-0000-4000-8000-{number:012x}");
        always("DescribeKey", Some(&id), Fault::Internal)
    });
    let setup = Setup { behaviour: rules(broken.collect()), seed: many_keys(100).into(), ..Setup::default() };
    let mut explorer = Explorer::unsettled(setup);
    explorer.run_for(60_000).await;
    explorer.shows(&["60 of 100 described", "trying again: the service has a problem"]);
    explorer.kms.set_behaviour(Behaviour::default());
    explorer.settle().await;
    explorer.shows(&["100 keys"]);
    explorer.hides(&["trying again"]);
}

#[tokio::test(start_paused = true)]
async fn a_reload_before_the_connection_is_made_leaves_one_catalog_being_read() {
    let mut explorer = Explorer::unsettled(Setup::default());
    // The answer to the first connection is on its way when the second is asked for.
    tokio::task::yield_now().await;
    explorer.press_only("r");
    explorer.press("r").await;
    explorer.shows(&["44 keys"]);
    let arns: Vec<String> =
        explorer.calls("DescribeKey").iter().map(|body| body["KeyId"].to_string()).collect();
    assert!(arns.len() <= 88, "{}", arns.len());
}

#[tokio::test]
async fn keys_typed_ahead_of_the_store_do_not_lock_it_out() {
    let folder = tempfile::tempdir().unwrap();
    let settings =
        LocalSettings { store: Some(folder.path().join("keys.redb")), regions: vec!["us-east-1".to_owned()] };
    let session = Session::new(Target::Local(settings));
    let (mut runtime, _) = harness::runtime(session, 140, 40, NOW.parse().unwrap());
    runtime.begin();
    // A reload and a request, while the store is being made and seeded.
    for key in harness::keys_of("rnalias/demo/orders<ctrl+r>") {
        runtime.input(kmx::tui::input::InputEvent::Key(key));
    }
    runtime.settle().await.unwrap();
    let screen = text_of(runtime.backend().buffer());
    assert!(screen.contains("CiphertextBlob"), "{screen}");
}

#[tokio::test(start_paused = true)]
async fn being_throttled_is_shown_while_it_lasts() {
    let mut explorer = Explorer::unsettled(Setup {
        behaviour: rules(vec![always("DescribeKey", None, Fault::Throttle)]),
        ..Setup::default()
    });
    explorer.run_for(5_000).await;
    explorer
        .shows(&["! trying again: too many requests: the service asks to slow down", "0 of 44 described"]);
    // Keys are at hand all the while.
    explorer.press_only("/demo orders<enter>");
    explorer.run_for(100).await;
    explorer.shows(&["alias/demo/orders"]);
    explorer.press_only("<esc>");
    explorer.kms.set_behaviour(Behaviour::default());
    explorer.settle().await;
    is_complete(&explorer, "after the throttle");
}

#[tokio::test(start_paused = true)]
async fn a_throttled_list_is_waited_for_and_says_so() {
    let mut explorer = Explorer::unsettled(Setup {
        behaviour: rules(vec![always("ListKeys", None, Fault::Throttle)]),
        ..Setup::default()
    });
    explorer.run_for(60_000).await;
    explorer.shows(&["trying again: too many requests", "reading keys"]);
    let calls = explorer.calls("ListKeys").len();
    assert!((4..=10).contains(&calls), "{calls} calls in a minute: the pauses grow");
    explorer.press_only("nalias/x");
    explorer.run_for(100).await;
    explorer.shows(&["New data key", "the list is not read yet"]);
    explorer.press_only("<esc>");
    explorer.kms.set_behaviour(Behaviour::default());
    explorer.settle().await;
    is_complete(&explorer, "after the throttle");
}

#[tokio::test(start_paused = true)]
async fn what_stays_broken_on_the_first_page_ends_with_a_sentence() {
    for (fault, words) in [
        (Fault::Reset, "could not connect to the local KMS"),
        (Fault::Hang, "the local KMS did not answer in time"),
        (
            Fault::Body { status: 200, body: "<html>".to_owned() },
            "the local KMS sent an answer that cannot be read (HTTP 200)",
        ),
        (
            Fault::Body { status: 404, body: "<html>".to_owned() },
            "the local KMS answered HTTP 404 without an error code",
        ),
    ] {
        let mut explorer =
            start(rules(vec![always("ListKeys", None, fault.clone()), always("ListAliases", None, fault)]))
                .await;
        explorer.shows(&[words, "hint", "try again"]);
        explorer.press("2").await;
        explorer.shows(&[words]);
        explorer.kms.set_behaviour(Behaviour::default());
        explorer.press("1r").await;
        is_complete(&explorer, words);
    }
}

#[tokio::test(start_paused = true)]
async fn a_hang_ends_by_time_out_and_the_explorer_stays_usable() {
    let mut explorer = Explorer::unsettled(Setup {
        behaviour: rules(vec![always("DescribeKey", Some(ORDERS), Fault::Hang)]),
        ..Setup::default()
    });
    explorer.run_for(5_000).await;
    explorer.shows(&["43 of 44 described"]);
    let row = explorer.line("alias/demo/orders");
    assert!(row.contains("· · ·"), "{row}");
    explorer.press_only("2");
    explorer.run_for(1).await;
    explorer.shows(&["[2 Aliases]"]);
    explorer.press_only("1");
    explorer.run_for(60_000).await;
    let calls = explorer
        .calls("DescribeKey")
        .iter()
        .filter(|body| body["KeyId"].as_str().unwrap().ends_with(ORDERS))
        .count();
    assert!((3..=6).contains(&calls), "{calls} calls of ten seconds each");
    explorer.shows(&["trying again: the local KMS did not answer in time"]);
    explorer.kms.set_behaviour(Behaviour::default());
    explorer.settle().await;
    is_complete(&explorer, "after the hang");
}

#[tokio::test(start_paused = true)]
async fn a_reload_that_fails_keeps_the_rows() {
    let mut explorer = Explorer::start().await;
    explorer.press("jj").await;
    let before = explorer.selected();
    explorer.kms.set_behaviour(rules(vec![always("ListKeys", None, Fault::Deny)]));
    explorer.press("r").await;
    explorer.shows(&["! not complete: not allowed: kms:ListKeys on *"]);
    assert_eq!(explorer.selected(), before);
    explorer.kms.set_behaviour(Behaviour::default());
    explorer.press("r").await;
    is_complete(&explorer, "after another r");
    assert_eq!(explorer.selected(), before);
}

#[tokio::test(start_paused = true)]
async fn esc_does_not_stop_a_load() {
    let slow = rules(vec![always("DescribeKey", None, Fault::Latency(Duration::from_secs(1)))]);
    let mut explorer = Explorer::unsettled(Setup { behaviour: slow, ..Setup::default() });
    explorer.run_for(500).await;
    explorer.press_only("<esc><esc><ctrl+g>");
    explorer.settle().await;
    is_complete(&explorer, "after esc");
}

#[tokio::test(start_paused = true)]
async fn values_that_nobody_knows_are_shown_as_they_came() {
    let metadata = json!({"KeyMetadata": {
        "KeyId": ORDERS,
        "Arn": format!("arn:aws:kms:us-east-1:111122223333:key/{ORDERS}"),
        "KeyState": "Frozen",
        "KeySpec": "ML_KEM_768",
        "CustomerMasterKeySpec": "ML_KEM_768",
        "KeyUsage": "ENCAPSULATE_DECAPSULATE",
        "Origin": "MOON",
        "KeyManager": "NOBODY",
        "Enabled": false,
    }});
    let body = Fault::Body { status: 200, body: metadata.to_string() };
    let setup = Setup {
        columns: 200,
        behaviour: rules(vec![always("DescribeKey", Some(ORDERS), body)]),
        ..Setup::default()
    };
    let mut explorer = Explorer::start_with(setup).await;
    let row = explorer.line("alias/demo/orders");
    for word in ["? Frozen", "ML_KEM_768", "ENCAPSULATE_DE…", "MOON", "NOBODY"] {
        assert!(row.contains(word), "no {word} in {row}");
    }
    explorer.press("/state:frozen<enter>").await;
    explorer.shows(&["1 of 44"]);
    explorer.press("<enter>").await;
    explorer.shows(&["? Frozen", "ML_KEM_768", "ENCAPSULATE_DECAPSULATE", "MOON", "NOBODY"]);
    explorer.hides(&["nothing in this state"]);
    explorer.press("8").await;
    explorer.shows(&[r#""KeyState": "Frozen""#, r#""KeyUsage": "ENCAPSULATE_DECAPSULATE""#]);
    explorer.press("n").await;
    explorer.shows(&[
        "? Frozen, ML_KEM_768, ENCAPSULATE_DECAPSULATE",
        "! its usage is ENCAPSULATE_DECAPSULATE: the service will refuse",
        "! state Frozen: whether it can be used is not known",
    ]);
}

#[tokio::test(start_paused = true)]
async fn a_description_that_says_next_to_nothing_is_no_failure() {
    let bare = Fault::Body { status: 200, body: "{}".to_owned() };
    let mut explorer = start(rules(vec![always("DescribeKey", Some(ORDERS), bare)])).await;
    let row = explorer.line("alias/demo/orders");
    assert!(row.contains("? not told"), "{row}");
    explorer.press("/demo orders<enter><enter>").await;
    explorer.shows(&["? not told"]);
    explorer.press("n<ctrl+r>").await;
    explorer.shows(&["CiphertextBlob"]);
}

#[tokio::test]
async fn a_store_that_is_in_use_says_so_and_opens_once_it_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.redb");
    let other = LocalKms::open(StoreLocation::File(path.clone()), Options::default()).unwrap();
    let settings = LocalSettings { store: Some(path), regions: vec!["us-east-1".to_owned()] };
    let session = Session::new(Target::Local(settings));
    let now: Timestamp = NOW.parse().unwrap();
    let (mut runtime, _) = harness::runtime(session, 140, 40, now);
    runtime.begin();
    runtime.settle().await.unwrap();
    let screen = text_of(runtime.backend().buffer());
    for words in [
        "the local KMS's store",
        "is in use by another process",
        "kmx serve",
        "AWS_ENDPOINT_URL_KMS",
        "leave that one",
        "--demo-store",
        "r try again",
    ] {
        assert!(
            screen.split_whitespace().collect::<Vec<_>>().join(" ").contains(words),
            "no {words} on\n{screen}"
        );
    }
    drop(other);
    for key in harness::keys_of("r") {
        runtime.input(kmx::tui::input::InputEvent::Key(key));
    }
    runtime.settle().await.unwrap();
    let screen = text_of(runtime.backend().buffer());
    assert!(screen.contains("44 keys") && screen.contains("alias/demo/orders"), "{screen}");
}
