//! Copying: what each screen gives, by which route, and what a failing route says.

use kmx::domain::request::OPERATION;
use kmx::local::Fault;
use serde_json::Value;

use crate::harness::{Explorer, ORDERS, Setup, always, rules};

/// The one text that was copied.
#[track_caller]
fn copied(explorer: &Explorer) -> String {
    let copied = explorer.copied();
    assert_eq!(copied.len(), 1, "{copied:?}");
    copied[0].clone()
}

#[tokio::test(start_paused = true)]
async fn each_screen_copies_its_main_value() {
    let arn = format!("arn:aws:kms:us-east-1:111122223333:key/{ORDERS}");
    for (keys, text, words) in [
        ("/demo orders<enter>y", arn.as_str(), "✓ copied the key ARN (sent to the terminal)"),
        ("/demo orders<enter>c", arn.as_str(), "✓ copied the key ARN (sent to the terminal)"),
        ("2/orders<enter>y", "alias/demo/orders", "✓ copied the alias name (sent to the terminal)"),
        ("/demo orders<enter><enter>y", arn.as_str(), "✓ copied the key ARN (sent to the terminal)"),
    ] {
        let mut explorer = Explorer::start().await;
        explorer.press(keys).await;
        assert_eq!(copied(&explorer), text, "{keys}");
        assert!(explorer.footer().contains(words), "{keys}: {}", explorer.footer());
        // The word goes with the next key.
        explorer.press("<f1>").await;
        explorer.hides(&["✓ copied"]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_json_tab_copies_what_describe_key_told() {
    let mut explorer = Explorer::start().await;
    explorer.press("/demo orders<enter><enter>").await;
    explorer.press("8y").await;
    let json: Value = serde_json::from_str(&copied(&explorer)).unwrap();
    assert_eq!(json["KeyId"], ORDERS);
    assert_eq!(json["KeyState"], "Enabled");
    assert_eq!(json["CreationDate"], "2025-02-11T09:26:03+00:00");
    assert!(explorer.footer().contains("✓ copied the JSON (sent to the terminal)"), "{}", explorer.footer());
}

#[tokio::test(start_paused = true)]
async fn each_tab_of_the_details_copies_what_it_shows() {
    for (words, keys, beginning, what) in [
        (
            "ef6381bb",
            "2y",
            "alias/payments/prod/card-vault\nalias/payments/prod/card-vault-v2\nalias/",
            "the alias names",
        ),
        ("bedb103d", "2y", "alias/demo/orders", "the alias name"),
        ("bedb103d", "3y", "{", "the policy"),
        (
            "bedb103d",
            "4y",
            "[\n    {\n        \"TagKey\": \"cost-center\",\n        \"TagValue\": \"4711\"",
            "the tags as JSON",
        ),
        ("ef6381bb", "5y", "[\n    {\n        \"GrantId\": ", "the grants as JSON"),
        ("bedb103d", "6y", "{\n    \"KeyRotationEnabled\": true,", "the rotation as JSON"),
        ("83097a0f", "7y", "-----BEGIN PUBLIC KEY-----\nMII", "the public key as PEM"),
        ("bedb103d", "4Yv", "[\n    {\n        \"TagKey\"", "the tags as JSON"),
    ] {
        let mut explorer = Explorer::start().await;
        explorer.press(&format!("/{words}<enter>")).await;
        explorer.press("<enter>").await;
        let (tab, copy) = keys.split_at(1);
        explorer.press(tab).await;
        explorer.press(copy).await;
        assert!(copied(&explorer).starts_with(beginning), "{keys}: {}", copied(&explorer));
        assert!(explorer.footer().contains(&format!("✓ copied {what} (")), "{}", explorer.footer());
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_tab_copies_its_refusal() {
    let mut explorer = Explorer::start().await;
    explorer.kms.set_behaviour(rules(vec![always("ListGrants", None, Fault::Deny)]));
    explorer.press("/demo orders<enter><enter>5").await;
    explorer.press("y").await;
    assert!(copied(&explorer).starts_with("not allowed: kms:ListGrants on arn:aws:kms"));
}

#[tokio::test(start_paused = true)]
async fn the_menu_copies_what_one_chooses() {
    let arn = format!("arn:aws:kms:us-east-1:111122223333:key/{ORDERS}");
    let alias_arn = "arn:aws:kms:us-east-1:111122223333:alias/demo/orders";
    let row = format!("Enabled\talias/demo/orders\t{ORDERS}\t{arn}\n");
    let on_keys = "/demo orders<enter>Y";
    let on_aliases = "2/demo/orders<enter>Y";
    for (open, choose, text, what) in [
        (on_keys, "<enter>", arn.as_str(), "the key ARN"),
        (on_keys, "j<enter>", ORDERS, "the key id"),
        (on_keys, "<down><down><down><up><enter>", "alias/demo/orders", "the alias name"),
        (on_keys, "l", alias_arn, "the alias ARN"),
        (on_keys, "r", row.as_str(), "all 1 row shown"),
        (on_keys, "G<enter>", row.as_str(), "all 1 row shown"),
        (on_aliases, "n", "alias/demo/orders", "the alias name"),
        (on_aliases, "a", arn.as_str(), "the key ARN"),
        (on_aliases, "r", row.as_str(), "all 1 row shown"),
        ("/demo orders<enter><enter>Y", "i", ORDERS, "the key id"),
    ] {
        let mut explorer = Explorer::start().await;
        explorer.press(open).await;
        explorer.shows(&["Copy …", "▌ a the key ARN"]);
        explorer.press(choose).await;
        assert_eq!(copied(&explorer), text, "{open}{choose}");
        assert!(explorer.footer().contains(&format!("✓ copied {what} (")), "{}", explorer.footer());
        explorer.hides(&["Copy …"]);
    }
    for close in ["<esc>", "q", "Y"] {
        let mut explorer = Explorer::start().await;
        explorer.press(&format!("Yj{close}")).await;
        explorer.hides(&["Copy …"]);
        assert_eq!(explorer.copied(), Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn all_rows_are_copied_a_line_each_as_the_filter_lets_them_through() {
    let mut explorer = Explorer::start().await;
    explorer.press("Yr").await;
    assert!(explorer.footer().contains("✓ copied all 44 rows shown"), "{}", explorer.footer());
    let text = copied(&explorer);
    assert_eq!(text.lines().count(), 44);
    assert!(text.lines().all(|line| line.split('\t').count() == 4), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_result_copies_its_base64_whole_and_on_one_line() {
    let mut explorer = Explorer::start_with(Setup { columns: 80, rows: 24, ..Setup::default() }).await;
    explorer.press("/demo orders<enter>n<tab><left><tab>1024<ctrl+r>").await;
    explorer.press("y").await;
    let base64 = copied(&explorer);
    assert!(base64.len() > 1_024 * 4 / 3 && base64.bytes().all(|byte| byte.is_ascii_graphic()), "{base64}");
    let words = format!("copied {} characters of Base64", kmx::domain::text::thousands(base64.len()));
    assert!(explorer.footer().contains(&words), "{}", explorer.footer());
    // The beginning of what is on the screen is the beginning of what was copied.
    assert!(explorer.line("CiphertextBlob").contains(&base64[..40]));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_copies_all_that_it_says() {
    let denied = rules(vec![always(OPERATION, None, Fault::Deny)]);
    let mut explorer = Explorer::start_with(Setup { behaviour: denied, ..Setup::default() }).await;
    explorer.press("/demo orders<enter>n<ctrl+r>").await;
    explorer.press("y").await;
    let report = copied(&explorer);
    let lines: Vec<&str> = report.lines().collect();
    assert_eq!(lines[0], "not allowed: kms:GenerateDataKeyWithoutPlaintext on alias/demo/orders");
    assert!(lines[1].starts_with("AccessDeniedException: "), "{report}");
    assert!(lines[2].starts_with("hint: kms:GenerateDataKey alone"), "{report}");
    assert!(lines[3].starts_with("request id: "), "{report}");
    assert_eq!(lines.len(), 4, "{report}");
    assert!(
        explorer.footer().contains("✓ copied the refusal (sent to the terminal)"),
        "{}",
        explorer.footer()
    );
}

#[tokio::test(start_paused = true)]
async fn what_has_nothing_to_copy_says_so() {
    let mut explorer = Explorer::start_with(Setup { seed: "".into(), ..Setup::default() }).await;
    explorer.press("y").await;
    assert!(explorer.footer().contains("nothing here to copy"), "{}", explorer.footer());
    let mut explorer = Explorer::start().await;
    explorer.press("/demo orders<enter>n<tab><tab><tab><space><ctrl+r>").await;
    // A dry run has made nothing, and offers nothing to copy.
    explorer.hides(&["copy Base64"]);
    explorer.press("y").await;
    assert!(explorer.copied().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_list_that_failed_copies_what_happened() {
    let denied = rules(vec![always("ListKeys", None, Fault::Deny)]);
    let mut explorer = Explorer::start_with(Setup { behaviour: denied, ..Setup::default() }).await;
    explorer.press("y").await;
    assert!(copied(&explorer).starts_with("not allowed: kms:ListKeys on *\nAccessDeniedException: "));
}

#[tokio::test(start_paused = true)]
async fn a_route_that_fails_is_an_error_and_loses_nothing() {
    for (clipboard, reason) in [
        ("off", "copying is off (`KMX_CLIPBOARD=off`)"),
        ("paper", "`KMX_CLIPBOARD=paper` is not one of auto, native, tmux, osc52, off"),
    ] {
        let mut explorer = Explorer::start_with(Setup { clipboard, ..Setup::default() }).await;
        explorer.press("/demo orders<enter>y").await;
        let words = format!("! could not copy the key ARN: {reason}");
        assert!(explorer.footer().contains(&words), "{}", explorer.footer());
        assert!(explorer.selected().contains("alias/demo/orders"));
        explorer.press("n<ctrl+r>").await;
        explorer.press("y").await;
        explorer.shows(&["! could not copy", reason, "CiphertextBlob", "Request id"]);
        assert!(explorer.copied().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_copied_has_nothing_that_a_terminal_obeys() {
    let keyring = "[[key]]\nid = \"00000000-0000-4000-8000-000000000001\"\ncreated = 2024-01-01T00:00:00Z\n\
                   description = \"a\\u001b[2Jb\\u202ec\\u009bd\"\naliases = [\"alias/x\"]\n";
    let mut explorer = Explorer::start_with(Setup { seed: keyring.into(), ..Setup::default() }).await;
    explorer.press("<enter>").await;
    explorer.press("8y").await;
    let text = copied(&explorer);
    assert!(
        !text.chars().any(|character| character != '\n' && kmx::domain::text::is_hidden(character)),
        "{text:?}"
    );
    // Escaped, it still is JSON, and means the same.
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["Description"], "a\u{1b}[2Jb\u{202e}c\u{9b}d");
}

#[tokio::test(start_paused = true)]
async fn two_copies_in_a_row_are_two_copies() {
    let mut explorer = Explorer::start().await;
    explorer.press("/demo<enter>yjy").await;
    let copied = explorer.copied();
    assert_eq!(copied.len(), 2);
    assert_ne!(copied[0], copied[1]);
}

#[tokio::test(start_paused = true)]
async fn a_line_break_that_a_hostile_endpoint_puts_in_an_alias_stays_off_the_clipboard() {
    let page = serde_json::json!({"Aliases": [{"AliasName": "alias/x\nrm -rf ~\n"}], "Truncated": false});
    let hostile =
        rules(vec![always("ListAliases", None, Fault::Body { status: 200, body: page.to_string() })]);
    let mut explorer = Explorer::start_with(Setup { behaviour: hostile, ..Setup::default() }).await;
    explorer.press("2y").await;
    assert_eq!(explorer.copied(), ["alias/x␊rm -rf ~␊"]);
}
