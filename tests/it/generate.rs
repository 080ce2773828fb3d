//! Running a request: the result, a refusal, cancelling, and what the client never calls.

use std::time::Duration;

use aws_sdk_kms::Client;
use aws_sdk_kms::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_kms::primitives::Blob;
use base64::Engine as _;
use kmx::domain::request::OPERATION;
use kmx::kms::OPERATIONS;
use kmx::local::{Behaviour, Fault};
use serde_json::json;

use crate::harness::{Explorer, ORDERS, Setup, always, first, rules};

async fn open_on(words: &str, behaviour: Behaviour) -> Explorer {
    let mut explorer = Explorer::start_with(Setup { behaviour, ..Setup::default() }).await;
    explorer.press(&format!("/{words}<enter>n")).await;
    explorer
}

/// The value behind a label of the result, its lines put together.
fn value(explorer: &Explorer, label: &str) -> String {
    let screen = explorer.screen();
    let inner = |line: &str| line.trim_matches('│').trim_end().to_owned();
    let mut lines = screen.lines().map(inner).skip_while(|line| !line.starts_with(&format!(" {label} ")));
    let first = lines.next().unwrap_or_else(|| panic!("no {label} on\n{screen}"));
    let mut value = first[label.len() + 1..].trim().to_owned();
    for line in lines.take_while(|line| line.starts_with("                 ") && !line.trim().is_empty()) {
        value.push_str(line.trim());
    }
    value
}

/// A client beside the explorer's own, which may decrypt.
fn another_client(explorer: &Explorer) -> Client {
    let config = aws_sdk_kms::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("AKIDTEST", "test", None, None, "test"))
        .http_client(explorer.kms.http_client())
        .build();
    Client::from_conf(config)
}

#[tokio::test(start_paused = true)]
async fn the_result_is_whole_and_decrypts_under_its_context_alone() {
    for (keys, bytes) in [("", 32), ("<tab><right>", 16), ("<tab><left><tab>1024", 1024)] {
        let mut explorer = open_on("demo orders", Behaviour::default()).await;
        explorer.press("tenant<tab>42<tab>").await;
        explorer.press(keys).await;
        explorer.press("<ctrl+r>").await;
        let base64 = value(&explorer, "CiphertextBlob");
        let blob = base64::engine::general_purpose::STANDARD.decode(&base64).unwrap();
        let size =
            format!("{} bytes, {} characters of Base64", thousands(blob.len()), thousands(base64.len()));
        assert_eq!(value(&explorer, "Size"), size);
        let arn = format!("arn:aws:kms:us-east-1:111122223333:key/{ORDERS}");
        assert_eq!(value(&explorer, "Key"), format!("alias/demo/orders → {arn}"));
        let material = value(&explorer, "Key material");
        assert!(material.len() == 64 && material.bytes().all(|byte| byte.is_ascii_hexdigit()), "{material}");
        assert_eq!(value(&explorer, "Context"), "tenant=42Decrypt needs exactly this.");
        let id = value(&explorer, "Request id");
        assert!(id.len() == 36 && id.matches('-').count() == 4, "{id}");
        explorer.hides(&["the list had"]);

        let client = another_client(&explorer);
        let decrypt = |tenant: &str| {
            client
                .decrypt()
                .ciphertext_blob(Blob::new(blob.clone()))
                .encryption_context("tenant", tenant)
                .send()
        };
        let answer = decrypt("42").await.unwrap();
        assert_eq!(answer.plaintext().unwrap().as_ref().len(), bytes);
        assert_eq!(answer.key_id(), Some(arn.as_str()));
        let refused = decrypt("43").await.unwrap_err().into_service_error();
        assert!(refused.is_invalid_ciphertext_exception(), "{refused:?}");
        explorer.press("y").await;
        assert_eq!(explorer.copied(), [base64]);
    }
}

fn thousands(number: usize) -> String {
    kmx::domain::text::thousands(number)
}

#[tokio::test(start_paused = true)]
async fn n_opens_the_form_again_with_every_field_kept() {
    let mut explorer = open_on("demo orders", Behaviour::default()).await;
    explorer.press("tenant<tab>42<tab>purpose<tab>x y<tab><tab><left><tab>64<ctrl+r>").await;
    let body = json!({
        "KeyId": "alias/demo/orders",
        "EncryptionContext": {"tenant": "42", "purpose": "x y"},
        "NumberOfBytes": 64,
    });
    assert_eq!(explorer.calls(OPERATION), std::slice::from_ref(&body));
    explorer.press("n").await;
    explorer.shows(&["tenant", "purpose", "x y", "(•) number of bytes: 64"]);
    explorer.press("<ctrl+r>").await;
    assert_eq!(explorer.calls(OPERATION), [body.clone(), body.clone()]);
    // Back from the result goes to the list, and the form is kept there too.
    explorer.press("<esc>").await;
    explorer.shows(&["[1 Keys]"]);
    explorer.press("n<ctrl+r>").await;
    assert_eq!(explorer.calls(OPERATION), [body.clone(), body.clone(), body]);
}

#[tokio::test(start_paused = true)]
async fn a_full_stop_runs_it_again_unchanged() {
    let mut explorer = open_on("demo orders", Behaviour::default()).await;
    explorer.press("a<tab>b<ctrl+r>").await;
    let before = value(&explorer, "CiphertextBlob");
    explorer.press(".").await;
    assert_ne!(value(&explorer, "CiphertextBlob"), before, "another data key");
    let calls = explorer.calls(OPERATION);
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0], calls[1]);
    explorer.press("<esc>").await;
    explorer.shows(&["[1 Keys]"]);
}

#[tokio::test(start_paused = true)]
async fn the_time_counts_while_it_runs_and_esc_cancels() {
    for fault in [Fault::Latency(Duration::from_secs(5)), Fault::Hang] {
        let mut explorer = open_on("demo orders", rules(vec![always(OPERATION, None, fault)])).await;
        explorer.press_only("a<tab>b<ctrl+r>");
        explorer.run_for(1_000).await;
        explorer.shows(&["asking the local KMS, 1.0 s", "esc cancels"]);
        explorer.run_for(1_500).await;
        explorer.shows(&["asking the local KMS, 2.5 s"]);
        explorer.press_only("<esc>");
        explorer.run_for(0).await;
        explorer.shows(&["New data key", "\"a\": \"b\""]);
        assert!(explorer.footer().contains("cancelled; the service may have made a data key all the same"));
        // Nothing is under way any more, and no result appears later.
        explorer.settle().await;
        explorer.run_for(60_000).await;
        explorer.shows(&["New data key", "\"a\": \"b\""]);
        explorer.hides(&["CiphertextBlob"]);
        assert_eq!(explorer.calls(OPERATION).len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_shown_with_the_time_that_it_took() {
    let slow = rules(vec![always(OPERATION, None, Fault::Latency(Duration::from_millis(1_234)))]);
    let mut explorer = open_on("demo orders", slow).await;
    explorer.press("<ctrl+r>").await;
    assert!(explorer.line("╭ Data key").contains(" 1,234 ms "), "{}", explorer.screen());
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_an_older_run_is_dropped() {
    let slow_once = rules(vec![
        first(1, OPERATION, Fault::Latency(Duration::from_secs(2))),
        always(OPERATION, None, Fault::Latency(Duration::from_secs(3))),
    ]);
    let mut explorer = open_on("demo orders", slow_once).await;
    explorer.press_only("a<tab>1<ctrl+r>");
    explorer.run_for(500).await;
    explorer.press_only("<esc>");
    explorer.run_for(100).await;
    explorer.press_only("2<ctrl+r>");
    // The first would have answered by now, the second has not.
    explorer.run_for(2_500).await;
    explorer.shows(&["asking the local KMS"]);
    explorer.settle().await;
    explorer.shows(&["a=12"]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_everything_and_keeps_the_form() {
    let mut explorer =
        open_on("demo orders", rules(vec![always(OPERATION, Some(ORDERS), Fault::Deny)])).await;
    explorer.press("a<tab>b<tab><tab><left><tab>64<tab>one two<ctrl+r>").await;
    explorer.shows(&[
        "The service refused",
        "not allowed: kms:GenerateDataKeyWithoutPlaintext on alias/demo/orders",
        "AccessDeniedException: ",
        "kms:GenerateDataKey alone does not allow this",
    ]);
    let id = explorer.line("request id");
    assert!(id.split_whitespace().any(|word| word.len() == 36), "{id}");
    assert_eq!(explorer.calls(OPERATION).len(), 1, "a refusal is not tried again by itself");
    explorer.press("<esc>").await;
    explorer.shows(&["New data key", "\"a\": \"b\"", "(•) number of bytes: 64", "one two"]);
    explorer.press("<ctrl+r>").await;
    explorer.press("r").await;
    explorer.shows(&["The service refused"]);
    let body = json!({
        "KeyId": "alias/demo/orders",
        "EncryptionContext": {"a": "b"},
        "NumberOfBytes": 64,
        "GrantTokens": ["one", "two"],
    });
    assert_eq!(explorer.calls(OPERATION), vec![body; 3]);
}

#[tokio::test(start_paused = true)]
async fn r_tries_a_refused_request_again() {
    let mut explorer =
        open_on("demo orders", rules(vec![always(OPERATION, Some(ORDERS), Fault::Deny)])).await;
    explorer.press("a<tab>b<ctrl+r>").await;
    explorer.kms.set_behaviour(Behaviour::default());
    explorer.press("r").await;
    explorer.shows(&["CiphertextBlob", "a=b"]);
    let calls = explorer.calls(OPERATION);
    assert_eq!(calls, vec![calls[0].clone(); 2]);
}

#[tokio::test(start_paused = true)]
async fn each_refusal_of_the_service_is_shown_with_its_code_and_a_way_out() {
    for (words, code, hint) in [
        ("984b9db8", "DisabledException", "aws kms enable-key --key-id 984b9db8-9ee0-44b8-b37d-6a8ba8c52d53"),
        ("a67192d9", "KMSInvalidStateException", "import its key material first"),
        ("83097a0f", "InvalidKeyUsageException", "choose a key whose usage is encrypt/decrypt"),
        ("64fbf25a", "AccessDeniedException", "kms:GenerateDataKey alone does not allow this"),
    ] {
        let mut explorer = open_on(words, Behaviour::default()).await;
        explorer.press("<ctrl+r>").await;
        explorer.shows(&["The service refused", code, hint, "request id"]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_tried_again_and_what_stays_is_said() {
    for fault in [Fault::Internal, Fault::Throttle, Fault::Reset] {
        let mut explorer = open_on("demo orders", rules(vec![first(2, OPERATION, fault.clone())])).await;
        explorer.press("<ctrl+r>").await;
        explorer.shows(&["CiphertextBlob"]);
        assert_eq!(explorer.calls(OPERATION).len(), 3, "{fault:?}");
    }
    for (fault, title, words) in [
        (Fault::Internal, "The service refused", "the service has a problem: KMSInternalException"),
        (Fault::Throttle, "The service refused", "too many requests: the service asks to slow down"),
        (Fault::Reset, "No answer", "could not connect to the local KMS"),
        (Fault::Hang, "No answer", "the local KMS did not answer in time"),
        (
            Fault::Body { status: 200, body: "<html>".to_owned() },
            "No data key",
            "the local KMS sent an answer that cannot be read (HTTP 200)",
        ),
        (
            Fault::Body { status: 200, body: "{}".to_owned() },
            "No data key",
            "the service answered without a CiphertextBlob",
        ),
        (
            Fault::Body { status: 404, body: "not here".to_owned() },
            "No data key",
            "the local KMS answered HTTP 404 without an error code",
        ),
    ] {
        let mut explorer = open_on("demo orders", rules(vec![always(OPERATION, None, fault)])).await;
        explorer.press("<ctrl+r>").await;
        explorer.shows(&[title, words, "hint"]);
        explorer.press("<esc>").await;
        explorer.shows(&["New data key"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_other_than_the_listed_one_is_marked() {
    let other = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555";
    let body = json!({"CiphertextBlob": "AQIDBA==", "KeyId": other}).to_string();
    let moved = rules(vec![always(OPERATION, None, Fault::Body { status: 200, body })]);
    let mut explorer = open_on("demo orders", moved).await;
    explorer.press("<ctrl+r>").await;
    assert_eq!(value(&explorer, "CiphertextBlob"), "AQIDBA==");
    assert_eq!(value(&explorer, "Size"), "4 bytes, 8 characters of Base64");
    explorer.shows(&[
        &format!("alias/demo/orders → {other}"),
        &format!("! the list had arn:aws:kms:us-east-1:111122223333:key/{ORDERS} under this name"),
    ]);
    // What the endpoint did not tell is not shown.
    explorer.hides(&["Key material"]);
}

#[tokio::test(start_paused = true)]
async fn the_size_of_the_data_key_is_told() {
    let mut explorer = open_on("demo orders", Behaviour::default()).await;
    explorer.press("<tab><left><tab>1<ctrl+r>").await;
    explorer.shows(&["1 byte, encrypted; no plaintext was sent"]);
}

#[tokio::test(start_paused = true)]
async fn no_operation_that_returns_a_plaintext_is_ever_called() {
    let with_plaintext = [
        "Decrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateRandom",
        "ReEncrypt",
        "DeriveSharedSecret",
    ];
    for operation in OPERATIONS {
        assert!(!with_plaintext.contains(&operation), "{operation}");
    }
    let mut explorer = open_on("demo orders", Behaviour::default()).await;
    explorer.press("<ctrl+r>y.n<esc><enter>r8y1<esc>r2r").await;
    explorer.press("n<alt+c><tab><tab><tab><space><ctrl+r>").await;
    // Everything that there is to read about a key.
    explorer.press("<esc><esc>1<esc>/83097a0f<enter><enter>2345678uryY<esc>").await;
    explorer.press("<esc><esc>/c1e0b01e<enter><enter>").await;
    explorer.press("<esc><esc>/bedb103d<enter><enter>23456u").await;
    let called = explorer.operations();
    assert!(called.iter().all(|operation| OPERATIONS.contains(&operation.as_str())), "{called:?}");
    let mut all = OPERATIONS;
    all.sort_unstable();
    assert_eq!(called, all);
}
