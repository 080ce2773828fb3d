//! The details of a key, and how the screens over a list look.

use kmx::domain::request::OPERATION;
use kmx::local::{Behaviour, Fault};
use serde_json::Value;

use crate::harness::{Explorer, ORDERS, Setup, always, first, rules};

async fn details_of(words: &str, setup: Setup) -> Explorer {
    let mut explorer = Explorer::start_with(setup).await;
    explorer.press(&format!("/{words}<enter>")).await;
    explorer.press("<enter>").await;
    explorer.shows(&["[1 Overview]"]);
    explorer
}

#[tokio::test(start_paused = true)]
async fn the_overview_says_what_a_key_is_and_can_do() {
    for (words, lines) in [
        (
            "bedb103d",
            &[
                "● Enabled",
                "Can           encrypt, decrypt, generate data keys",
                "Aliases       alias/demo/orders",
                "ARN           arn:aws:kms:us-east-1:111122223333:key/bedb103d-1fd0-4eea-8df5-87c5fe921771",
                "Description   Data keys for orders.",
                "Spec          SYMMETRIC_DEFAULT",
                "Usage         encrypt/decrypt",
                "Manager       customer",
                "Origin        AWS_KMS",
                "Created       2025-02-11 09:26 UTC, 21 months ago",
            ][..],
        ),
        (
            "984b9db8",
            &["○ Disabled", "nothing in this state; enabled it could encrypt, decrypt, generate data keys"][..],
        ),
        ("83097a0f", &["● Enabled", "sign, verify", "RSA_4096", "sign/verify"][..]),
        ("71d5162f", &["generate MACs, verify MACs", "HMAC_256"][..]),
        ("9e991478", &["derive shared secrets", "ECC_NIST_P384"][..]),
        ("dfb96d28", &["Can           encrypt, decrypt, give its public key", "RSA_3072"][..]),
        ("d9dca94a", &["✕ Deletes in 6 d", "Deletion      2026-11-30 12:00 UTC, in 6 days"][..]),
        ("mrk-a743", &["✕ Awaits replicas", "Deletion      7 days after the last replica is gone"][..]),
        ("a67192d9", &["◇ Pending import", "EXTERNAL"][..]),
        ("4ca37146", &["● Enabled", "Material ends 2026-12-06 12:00 UTC, in 12 days"][..]),
        ("mrk-0618", &["Multi-Region  primary, replicas in eu-west-1"][..]),
        ("9585bd7f", &["! Unavailable", "AWS_CLOUDHSM", "Key store     cks-9a8b7c6d5e4f30212"][..]),
        ("3798ff15", &["EXTERNAL_KEY_STORE", "External key  contracts-2024"][..]),
        ("64fbf25a", &["Manager       AWS", "for the AWS service alone"][..]),
    ] {
        let explorer = details_of(words, Setup::default()).await;
        explorer.shows(lines);
    }
}

#[tokio::test(start_paused = true)]
async fn the_json_is_what_describe_key_told() {
    for (words, member, value) in [
        ("bedb103d", "KeyState", "Enabled"),
        ("984b9db8", "KeyState", "Disabled"),
        ("mrk-a743", "KeyState", "PendingReplicaDeletion"),
        ("83097a0f", "KeySpec", "RSA_4096"),
        ("3798ff15", "Origin", "EXTERNAL_KEY_STORE"),
    ] {
        let mut explorer = details_of(words, Setup { rows: 60, ..Setup::default() }).await;
        explorer.press("<tab>").await;
        explorer.shows(&["[2 JSON]"]);
        let screen = explorer.screen();
        let json: String = screen
            .lines()
            .filter_map(|line| line.strip_prefix('│'))
            .map(|line| line.trim_end_matches('│').trim())
            .collect();
        let json: Value = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error} on\n{screen}"));
        assert_eq!(json[member], value, "{json}");
        assert!(json["KeyId"].as_str().unwrap().starts_with(words));
    }
}

#[tokio::test(start_paused = true)]
async fn tabs_turn_with_tab_and_digits() {
    let mut explorer = details_of("bedb103d", Setup::default()).await;
    for (key, tab) in [
        ("<tab>", "[2 JSON]"),
        ("<tab>", "[1 Overview]"),
        ("<shift+tab>", "[2 JSON]"),
        ("1", "[1 Overview]"),
        ("2", "[2 JSON]"),
        ("9", "[2 JSON]"),
        ("[", "[1 Overview]"),
        ("]", "[2 JSON]"),
    ] {
        explorer.press(key).await;
        explorer.shows(&[tab]);
    }
    explorer.press("<esc>").await;
    explorer.shows(&["[1 Keys]"]);
    assert!(explorer.selected().contains("alias/demo/orders"));
}

#[tokio::test(start_paused = true)]
async fn r_describes_the_key_anew() {
    let mut explorer = details_of("bedb103d", Setup::default()).await;
    let body = r#"{"KeyMetadata":{"KeyId":"bedb103d-1fd0-4eea-8df5-87c5fe921771","KeyState":"Disabled","Enabled":false}}"#;
    let disabled = Fault::Body { status: 200, body: body.to_owned() };
    explorer.kms.set_behaviour(rules(vec![always("DescribeKey", None, disabled)]));
    let (described, listed) = (explorer.calls("DescribeKey").len(), explorer.calls("ListKeys").len());
    explorer.press("r").await;
    explorer.shows(&["○ Disabled", "✓ described again"]);
    assert_eq!(explorer.calls("DescribeKey").len(), described + 1);
    assert_eq!(explorer.calls("ListKeys").len(), listed);
    explorer.press("<esc>").await;
    assert!(explorer.selected().contains("○ Disabled"), "{}", explorer.selected());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_keeps_what_was_known() {
    let mut explorer = details_of("bedb103d", Setup::default()).await;
    explorer.kms.set_behaviour(rules(vec![always("DescribeKey", None, Fault::Deny)]));
    explorer.press("r").await;
    assert!(
        explorer.footer().contains("! not allowed: kms:DescribeKey on arn:aws:kms"),
        "{}",
        explorer.footer()
    );
    explorer.shows(&["● Enabled", "encrypt, decrypt, generate data keys"]);
    explorer.press("<esc>").await;
    assert!(explorer.selected().contains("● Enabled"));
}

#[tokio::test(start_paused = true)]
async fn a_denied_key_shows_its_refusal_until_it_is_allowed() {
    let denied = rules(vec![always("DescribeKey", Some(ORDERS), Fault::Deny)]);
    let mut explorer = details_of("demo orders", Setup { behaviour: denied, ..Setup::default() }).await;
    let refusal = ["not allowed: kms:DescribeKey on arn:aws:kms", "AccessDeniedException", "request id"];
    explorer.shows(&refusal);
    explorer.shows(&["⊘ no access", "Aliases       alias/demo/orders"]);
    explorer.press("2").await;
    explorer.shows(&refusal);
    explorer.press("r").await;
    explorer.shows(&refusal);
    explorer.kms.set_behaviour(Behaviour::default());
    explorer.press("r1").await;
    explorer.shows(&["● Enabled", "encrypt, decrypt, generate data keys"]);
    explorer.hides(&["not allowed"]);
}

#[tokio::test(start_paused = true)]
async fn the_key_on_the_screen_is_described_first() {
    let slow = rules(vec![always("DescribeKey", None, Fault::Latency(std::time::Duration::from_secs(1)))]);
    let setup = Setup { behaviour: slow, ..Setup::default() };
    let mut explorer = Explorer::unsettled(setup);
    explorer.run_for(500).await;
    explorer.press_only("<enter>");
    explorer.run_for(1).await;
    explorer.shows(&["reading …"]);
    explorer.settle().await;
    explorer.hides(&["reading …"]);
    explorer.shows(&["Description"]);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_a_reload_does_not_find_is_gone_and_nothing_breaks() {
    let mut explorer = details_of("bedb103d", Setup::default()).await;
    explorer.press("<esc><esc>").await;
    let none = Fault::Body { status: 200, body: r#"{"Keys":[],"Truncated":false}"#.to_owned() };
    explorer.kms.set_behaviour(rules(vec![first(1, "ListKeys", none)]));
    explorer.press_only("r<enter>");
    explorer.settle().await;
    explorer.shows(&["this key is gone", "esc goes back"]);
    explorer.press("<tab>yrnG").await;
    explorer.press("<esc><esc>").await;
    explorer.shows(&["no keys in this account and region"]);
    explorer.press("r").await;
    explorer.shows(&["44 keys"]);
}

#[tokio::test(start_paused = true)]
async fn a_long_text_scrolls_from_end_to_end() {
    let mut explorer = details_of("81546e8c", Setup { columns: 60, rows: 12, ..Setup::default() }).await;
    explorer.shows(&["● Enabled"]);
    explorer.press("j").await;
    explorer.hides(&["● Enabled"]);
    explorer.press("k").await;
    explorer.shows(&["● Enabled"]);
    explorer.press("G").await;
    explorer.shows(&["Key material"]);
    // From the end it goes up at once, however long one has leaned on the key.
    let end = explorer.screen();
    explorer.press("jjjj<pgdn><pgdn>").await;
    assert_eq!(explorer.screen(), end);
    explorer.press("k").await;
    assert_ne!(explorer.screen(), end);
    explorer.press("j").await;
    assert_eq!(explorer.screen(), end);
    explorer.press("g").await;
    explorer.shows(&["● Enabled"]);
    // A tab begins at its top.
    explorer.press("G2").await;
    explorer.shows(&["\"AWSAccountId\""]);
}

#[tokio::test(start_paused = true)]
async fn the_help_and_a_result_scroll_back_from_their_end_at_once() {
    let mut explorer = Explorer::start_with(Setup { columns: 80, rows: 14, ..Setup::default() }).await;
    explorer.press("/demo orders<enter>n<tab><left><tab>1024<ctrl+r>").await;
    for open in ["", "?"] {
        explorer.press(open).await;
        explorer.press("G").await;
        let end = explorer.screen();
        explorer.press("jjj").await;
        assert_eq!(explorer.screen(), end);
        explorer.press("k").await;
        assert_ne!(explorer.screen(), end);
    }
}

#[tokio::test(start_paused = true)]
async fn screens_over_a_list_look_as_they_should() {
    for (columns, rows) in [(80, 24), (140, 40)] {
        let setup = || Setup { columns, rows, ..Setup::default() };
        let snapshot = |name: &str, explorer: &Explorer| {
            insta::assert_snapshot!(format!("{name}_{columns}"), explorer.screen());
        };
        let mut explorer = details_of("demo orders", setup()).await;
        snapshot("details", &explorer);
        explorer.press("<tab>").await;
        snapshot("details_json", &explorer);
        explorer.press("ntenant<tab>42<tab>").await;
        snapshot("form", &explorer);
        explorer.press("<f1>").await;
        snapshot("help_form", &explorer);
        explorer.press("<esc><ctrl+r>").await;
        snapshot("result", &explorer);

        let mut explorer = details_of("mrk-a743", setup()).await;
        snapshot("details_replicas", &explorer);
        explorer.press("n").await;
        explorer.press("a<tab>1<tab>a<tab>2<tab>b<tab><tab><tab><left><tab>1025<tab>").await;
        explorer.press("1 2 3 4 5 6 7 8 9 10 11<ctrl+r>").await;
        snapshot("form_problems", &explorer);

        let denied = rules(vec![always(OPERATION, None, Fault::Deny)]);
        let mut explorer = Explorer::start_with(Setup { behaviour: denied, ..setup() }).await;
        explorer.press("?").await;
        snapshot("help", &explorer);
        explorer.press("<esc>/demo orders<enter>n<ctrl+r>").await;
        snapshot("refusal", &explorer);
    }
}
