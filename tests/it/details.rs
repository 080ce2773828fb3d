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
                "● Enabled     alias/demo/orders",
                "Can           encrypt, decrypt, generate data keys",
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
            &[
                "○ Disabled",
                "Cannot        encrypt, decrypt, generate data keys, rotate, by itself and on demand, get grants (disabled: enable it first)",
            ][..],
        ),
        ("83097a0f", &["● Enabled", "sign, verify", "RSA_4096", "sign/verify"][..]),
        ("71d5162f", &["generate MACs, verify MACs", "HMAC_256"][..]),
        ("9e991478", &["derive shared secrets", "ECC_NIST_P384"][..]),
        ("dfb96d28", &["Can           encrypt, decrypt, give its public key", "RSA_3072"][..]),
        ("d9dca94a", &["✕ Deletes in 6 d", "Deletion      2026-11-30 12:00 UTC, 6 days left"][..]),
        ("mrk-a743", &["✕ Awaits replicas", "Deletion      7 days after the last replica is gone"][..]),
        ("a67192d9", &["◇ Pending import", "EXTERNAL"][..]),
        ("4ca37146", &["● Enabled", "Material ends 2026-12-06 12:00 UTC, in 12 days"][..]),
        ("ef6381bb", &["● Enabled     alias/payments/prod/card-vault  +2"][..]),
        ("0fab7777", &["● Enabled     (no alias)", "Region        single"][..]),
        (
            "mrk-0618",
            &[
                "Multi-Region  primary",
                "Replica       arn:aws:kms:eu-west-1:111122223333:key/mrk-0618106ddfffa20898c4c1943fc2e0ed",
            ][..],
        ),
        (
            "9585bd7f",
            &[
                "! Unavailable",
                "Key store     people-files-hsm, cks-9a8b7c6d5e4f30212, AWS_CLOUDHSM, DISCONNECTED, cluster-7t9v1x3z5bd",
            ][..],
        ),
        (
            "3798ff15",
            &[
                "Key store     legal-hold-external, cks-0c1d2e3f4a5b69783, EXTERNAL_KEY_STORE, CONNECTED, https://xks.legal.example",
                "External key  contracts-2024",
            ][..],
        ),
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
        explorer.press("8").await;
        explorer.shows(&["[8 JSON]"]);
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
        ("<tab>", "[2 Aliases]"),
        ("<tab>", "[3 Policy]"),
        ("<shift+tab>", "[2 Aliases]"),
        ("1", "[1 Overview]"),
        ("<shift+tab>", "[8 JSON]"),
        ("4", "[4 Tags]"),
        ("5", "[5 Grants]"),
        ("9", "[5 Grants]"),
        ("]", "[6 Rotation]"),
        ("]", "[7 Public key]"),
        ("[", "[6 Rotation]"),
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
    explorer.shows(&["⊘ no access   alias/demo/orders"]);
    explorer.press("8").await;
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

/// Everything that reads details, beside what the list itself calls.
const READS: [&str; 8] = [
    "GetKeyPolicy",
    "ListResourceTags",
    "ListGrants",
    "GetKeyRotationStatus",
    "ListKeyRotations",
    "GetPublicKey",
    "GetKeyLastUsage",
    "DescribeCustomKeyStores",
];

/// How often each of them was called, where it was.
fn reads(explorer: &Explorer) -> Vec<(&'static str, usize)> {
    let counted = READS.map(|operation| (operation, explorer.calls(operation).len()));
    counted.into_iter().filter(|(_, count)| *count > 0).collect()
}

#[tokio::test(start_paused = true)]
async fn each_tab_shows_what_the_service_tells() {
    for (words, tab, lines) in [
        (
            "ef6381bb",
            "2",
            &[
                "ALIAS                              ARN",
                "alias/payments/prod/card-vault     arn:aws:kms:us-east-1:111122223333:alias/payments/prod/card-vault",
                "alias/payments/prod/card-vault-v2  arn:aws:kms",
                "alias/payments/prod/pan            arn:aws:kms",
            ][..],
        ),
        ("0fab7777", "2", &["│ none "][..]),
        ("bedb103d", "3", &["\"Statement\": [", "        \"AWS\": \"arn:aws:iam::111122223333:root\""][..]),
        ("bedb103d", "4", &["cost-center  4711", "owner        orders"][..]),
        ("0fab7777", "4", &["│ none "][..]),
        (
            "ef6381bb",
            "5",
            &[
                "Name          card-vault-writer",
                "Grantee       arn:aws:iam::111122223333:role/payments-card-vault-writer",
                "Retiring      arn:aws:iam::111122223333:role/payments-admin",
                "Operations    GenerateDataKeyWithoutPlaintext, DescribeKey",
                "Context has   service=card-vault",
            ][..],
        ),
        ("bedb103d", "5", &["│ none "][..]),
        (
            "bedb103d",
            "6",
            &["Automatic     on", "Period        365 days", "Next          20", "ROTATED  ", "MATERIAL"][..],
        ),
        ("984b9db8", "6", &["Automatic     off"][..]),
        (
            "83097a0f",
            "7",
            &["Algorithms    RSASSA_", "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"][..],
        ),
    ] {
        let mut explorer = details_of(words, Setup::default()).await;
        explorer.press(tab).await;
        explorer.shows(lines);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_read_before_its_tab_is_opened_and_then_once() {
    let mut explorer = details_of("bedb103d", Setup::default()).await;
    assert_eq!(reads(&explorer), []);
    explorer.press("345").await;
    explorer.press("345").await;
    assert_eq!(reads(&explorer), [("GetKeyPolicy", 1), ("ListResourceTags", 1), ("ListGrants", 1)]);
    explorer.press("6").await;
    assert_eq!(reads(&explorer)[3..], [("GetKeyRotationStatus", 1), ("ListKeyRotations", 1)]);
    explorer.press("4r").await;
    assert_eq!(explorer.calls("ListResourceTags").len(), 2);
    let body = &explorer.calls("ListResourceTags")[0];
    assert_eq!(body["KeyId"], format!("arn:aws:kms:us-east-1:111122223333:key/{ORDERS}"));
    // The custom key store is that of keys that are in one.
    let explorer = details_of("c1e0b01e", Setup::default()).await;
    assert_eq!(reads(&explorer), [("DescribeCustomKeyStores", 1)]);
}

#[tokio::test(start_paused = true)]
async fn what_a_key_cannot_have_is_said_without_a_call() {
    for (words, tab, sentence) in [
        ("bedb103d", "7", "SYMMETRIC_DEFAULT is no asymmetric key: it has no public half"),
        ("71d5162f", "7", "HMAC_256 is no asymmetric key: it has no public half"),
        ("83097a0f", "6", "only symmetric encryption keys rotate, and this one is RSA_4096"),
        ("3798ff15", "6", "its material is in a custom key store: KMS does not rotate it"),
    ] {
        let mut explorer = details_of(words, Setup::default()).await;
        let before = reads(&explorer);
        explorer.press(tab).await;
        explorer.press("ry").await;
        explorer.shows(&[sentence, "nothing here to copy"]);
        assert_eq!(reads(&explorer), before, "{words}");
    }
}

#[tokio::test(start_paused = true)]
async fn u_reads_the_last_use_and_nothing_else_does() {
    let mut explorer = details_of("demo orders", Setup::default()).await;
    explorer.shows(&["Last use      u reads it (the account has 5 such calls a second)"]);
    explorer.press("n<ctrl+r>").await;
    explorer.press("<esc>").await;
    assert_eq!(reads(&explorer), []);
    explorer.press("3u").await;
    explorer
        .shows(&["[1 Overview]", "Last use      GenerateDataKeyWithoutPlaintext, 2026-11-24 12:00 UTC, now"]);
    assert_eq!(explorer.calls("GetKeyLastUsage").len(), 1);
    explorer.kms.set_behaviour(rules(vec![always("GetKeyLastUsage", None, Fault::Deny)]));
    explorer.press("u").await;
    explorer.shows(&["Last use      not allowed: kms:GetKeyLastUsage on arn:aws:kms", "u tries again"]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_tab_says_so_in_its_own_place_until_it_is_read_again() {
    for (words, tab, operation, told) in [
        ("bedb103d", "2", "ListAliases", "alias/demo/orders  arn:"),
        ("bedb103d", "3", "GetKeyPolicy", "\"Statement\""),
        ("bedb103d", "4", "ListResourceTags", "cost-center"),
        ("ef6381bb", "5", "ListGrants", "card-vault-writer"),
        ("bedb103d", "6", "GetKeyRotationStatus", "Automatic     on"),
        ("bedb103d", "6", "ListKeyRotations", "MATERIAL"),
        ("83097a0f", "7", "GetPublicKey", "BEGIN PUBLIC KEY"),
    ] {
        let mut explorer = details_of(words, Setup::default()).await;
        explorer.kms.set_behaviour(rules(vec![always(operation, None, Fault::Deny)]));
        explorer.press(tab).await;
        explorer.shows(&[&format!("not allowed: kms:{operation}"), "request id", "hint"]);
        explorer.hides(&[told, "reading …"]);
        explorer.press("1").await;
        explorer.shows(&["● Enabled"]);
        explorer.hides(&["not allowed"]);
        explorer.kms.set_behaviour(Behaviour::default());
        explorer.press(tab).await;
        explorer.shows(&["not allowed"]);
        explorer.press("r").await;
        explorer.shows(&[told]);
        explorer.hides(&["not allowed"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_tab_holds_nothing_up_and_leaving_ends_its_call() {
    let slow = Fault::Latency(std::time::Duration::from_secs(20));
    let mut explorer = details_of("bedb103d", Setup::default()).await;
    explorer.kms.set_behaviour(rules(vec![always("GetKeyPolicy", None, slow)]));
    explorer.press_only("3");
    explorer.run_for(10).await;
    explorer.shows(&["[3 Policy]", "reading …"]);
    explorer.press_only("4");
    explorer.run_for(10).await;
    explorer.shows(&["[4 Tags]", "cost-center"]);
    explorer.press_only("<esc>");
    explorer.run_for(1).await;
    explorer.shows(&["[1 Keys]"]);
    // Opened anew, the tab is asked for anew: the first answer was for nobody.
    explorer.kms.set_behaviour(Behaviour::default());
    explorer.press("<enter>3").await;
    explorer.shows(&["\"Statement\""]);
    assert_eq!(explorer.calls("GetKeyPolicy").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_the_list_knows_is_shown_before_describe_key_answers() {
    let mut explorer = details_of("bedb103d", Setup::default()).await;
    explorer.press("<esc>").await;
    let slow = Fault::Latency(std::time::Duration::from_secs(2));
    explorer.kms.set_behaviour(rules(vec![always("DescribeKey", None, slow)]));
    explorer.press_only("<enter>");
    explorer.run_for(10).await;
    explorer
        .shows(&["● Enabled     alias/demo/orders", "Can           encrypt, decrypt, generate data keys"]);
    explorer.shows(&["Spec          SYMMETRIC_DEFAULT", "Description   Data keys for orders."]);
    explorer.press_only("8");
    explorer.run_for(10).await;
    explorer.shows(&["reading …"]);
    explorer.settle().await;
    explorer.shows(&["\"KeyState\": \"Enabled\""]);
}

#[tokio::test(start_paused = true)]
async fn a_search_goes_through_its_matches_and_ends_with_esc() {
    let setup = Setup { columns: 80, rows: 12, ..Setup::default() };
    let mut explorer = details_of("ef6381bb", setup).await;
    explorer.press("5/card-vault-r").await;
    explorer.shows(&["/card-vault-r▏  1 of 2 matches", "card-vault-reader"]);
    explorer.press("<enter>").await;
    explorer.shows(&["/card-vault-r  1 of 2 matches"]);
    explorer.press("n").await;
    explorer.shows(&["2 of 2 matches", "role/payments-card-vault-reader"]);
    explorer.press("n").await;
    explorer.shows(&["1 of 2 matches"]);
    explorer.press("N").await;
    explorer.shows(&["2 of 2 matches"]);
    // It goes over a line's end, and is no new data key.
    explorer.press("<esc>8/ef6381bb-e87a-4e55-a5db-4a95ab60906b<enter>").await;
    explorer.shows(&["1 of 2 matches"]);
    explorer.press("<esc>/no such thing").await;
    explorer.shows(&["  no match"]);
    explorer.press("<esc>").await;
    explorer.hides(&["no match"]);
    explorer.shows(&["[8 JSON]"]);
    explorer.press("n").await;
    explorer.shows(&["New data key"]);
}

#[tokio::test(start_paused = true)]
async fn a_match_stands_out_without_colour() {
    use ratatui::style::Modifier;
    let mut explorer = details_of("bedb103d", Setup::default()).await;
    explorer.press("4/o").await;
    let marked = |explorer: &Explorer, modifier: Modifier| -> String {
        let cells = explorer.buffer().content.iter().filter(|cell| cell.modifier.contains(modifier));
        cells.map(ratatui::buffer::Cell::symbol).collect()
    };
    assert_eq!(marked(&explorer, Modifier::REVERSED), "o");
    assert!(marked(&explorer, Modifier::UNDERLINED).starts_with('o'));
    explorer.press("rders").await;
    assert_eq!(marked(&explorer, Modifier::REVERSED), "orders");
}

#[tokio::test(start_paused = true)]
async fn the_tabs_fit_however_narrow_the_screen() {
    for columns in [20, 30, 40, 60, 80, 100, 140, 200] {
        let mut explorer = details_of_narrow(columns).await;
        for (key, tab) in [("1", "[1 Ov"), ("3", "[3 Po"), ("7", "[7 Pu"), ("8", "[8 JSON]")] {
            explorer.press(key).await;
            explorer.shows(&[tab]);
            let screen = explorer.screen();
            let top = screen.lines().nth(1).unwrap();
            assert!(top.starts_with('╭') && top.ends_with('╮'), "{top}");
        }
    }
}

async fn details_of_narrow(columns: u16) -> Explorer {
    let mut explorer = Explorer::start_with(Setup { columns, rows: 24, ..Setup::default() }).await;
    explorer.press("/bedb103d<enter>").await;
    explorer.press("<enter>").await;
    explorer
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
    explorer.press("G8").await;
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
        let mut explorer = details_of("ef6381bb", setup()).await;
        explorer.press("5").await;
        explorer.press("/role<enter>n").await;
        snapshot("details_grants", &explorer);
        explorer.press("<esc>Yj").await;
        snapshot("details_copy", &explorer);

        let mut explorer = details_of("demo orders", setup()).await;
        snapshot("details", &explorer);
        explorer.press("8").await;
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
