//! The form: opening it, typing and pasting, what it refuses, and what goes out.

use kmx::app::form::Preview;
use kmx::app::layout;
use kmx::domain::context;
use kmx::domain::request::OPERATION;
use kmx::domain::text::is_hidden;
use kmx::local::Fault;
use ratatui::layout::{Rect, Size};
use serde_json::{Value, json};

use crate::harness::{Explorer, ORDERS, Setup, always, rules};

const REGION: &str = "arn:aws:kms:us-east-1:111122223333:";

/// The form, opened on the one key that these words filter out.
async fn open_on(words: &str) -> Explorer {
    open_with(words, Setup::default()).await
}

async fn open_with(words: &str, setup: Setup) -> Explorer {
    let mut explorer = Explorer::start_with(setup).await;
    explorer.press(&format!("/{words}<enter>n")).await;
    explorer.shows(&["New data key"]);
    explorer
}

/// What went out last.
#[track_caller]
fn sent(explorer: &Explorer) -> Value {
    explorer.calls(OPERATION).last().cloned().expect("a request went out")
}

#[track_caller]
fn nothing_sent(explorer: &Explorer) {
    assert_eq!(explorer.calls(OPERATION), Vec::<Value>::new());
    explorer.shows(&["[ Run   ctrl+r ]"]);
}

/// Rows of the context that show that they can be filled in.
fn fresh_rows(explorer: &Explorer) -> usize {
    let area = explorer.buffer().area;
    let form = explorer.part(layout::form_areas(Size::from(area), Preview::Json).form);
    form.lines().filter(|line| line.trim_matches(['│', ' ']) == "+").count()
}

/// The lines inside the preview.
fn preview(explorer: &Explorer, shown: Preview) -> String {
    let area = explorer.buffer().area;
    let preview = layout::form_areas(Size::from(area), shown).preview.unwrap();
    let inside =
        Rect { x: preview.x + 2, y: preview.y + 1, width: preview.width - 4, height: preview.height - 2 };
    explorer.part(inside)
}

#[tokio::test(start_paused = true)]
async fn it_opens_on_the_identifier_of_the_row_that_it_was_opened_from() {
    let no_alias = format!("{REGION}key/0fab7777-329d-452c-b64b-506b602961d4");
    for (keys, key_id) in [
        ("/ef6381bb<enter>n", "alias/payments/prod/card-vault"),
        ("/0fab7777<enter>n", no_alias.as_str()),
        ("2/pan<enter>n", "alias/payments/prod/pan"),
        ("/ef6381bb<enter><enter>n", "alias/payments/prod/card-vault"),
        ("/0fab7777<enter>d2n", no_alias.as_str()),
    ] {
        let mut explorer = Explorer::start().await;
        explorer.press(keys).await;
        explorer.press("<ctrl+r>").await;
        assert_eq!(sent(&explorer), json!({"KeyId": key_id, "KeySpec": "AES_256"}), "{keys}");
        explorer.shows(&["Data key", "CiphertextBlob"]);
    }
}

#[tokio::test(start_paused = true)]
async fn it_opens_and_runs_without_a_list() {
    let denied = rules(vec![always("ListKeys", None, Fault::Deny), always("ListAliases", None, Fault::Deny)]);
    let cut_off =
        rules(vec![always("ListKeys", None, Fault::Reset), always("ListAliases", None, Fault::Reset)]);
    for behaviour in [denied, cut_off] {
        let mut explorer = Explorer::start_with(Setup { behaviour, ..Setup::default() }).await;
        explorer.shows(&["form anyway"]);
        explorer.press("nalias/demo/orders").await;
        explorer.shows(&["the list could not be read: the service will say"]);
        explorer.press("<ctrl+r>").await;
        assert_eq!(sent(&explorer)["KeyId"], "alias/demo/orders");
        explorer.shows(&["CiphertextBlob"]);
    }
}

#[tokio::test(start_paused = true)]
async fn on_an_empty_list_it_begins_in_the_key_field() {
    let mut explorer = Explorer::start_with(Setup { seed: "".into(), ..Setup::default() }).await;
    explorer.shows(&["no keys in this account and region"]);
    explorer.press("n").await;
    explorer.shows(&["New data key"]);
    explorer.press("<ctrl+r>").await;
    nothing_sent(&explorer);
    explorer.shows(&["! name a key: its id, its ARN, an alias (alias/…) or an alias ARN"]);
    explorer.press("alias/none<ctrl+r>").await;
    assert_eq!(sent(&explorer)["KeyId"], "alias/none");
    explorer.shows(&["The service refused", "NotFoundException"]);
}

#[tokio::test(start_paused = true)]
async fn the_right_arrow_takes_the_completion_that_is_shown() {
    let mut explorer = open_on("demo orders").await;
    explorer.press("<shift+tab><ctrl+u>alias/demo/o").await;
    assert!(explorer.line("→ accepts").contains("alias/demo/o[rders]  → accepts"), "{}", explorer.screen());
    explorer.hides(&["\"KeyId\": \"alias/demo/orders\""]);
    // Inside the text the arrow moves; at the end it takes what is shown.
    explorer.press("<left>").await;
    explorer.hides(&["→ accepts"]);
    explorer.press("<right><right>").await;
    explorer.hides(&["→ accepts"]);
    explorer.shows(&["\"KeyId\": \"alias/demo/orders\""]);
    // Key ids and ARNs complete as well.
    explorer.press("<ctrl+u>bedb103d<right>").await;
    explorer.shows(&[&format!("\"KeyId\": \"{ORDERS}\"")]);
    explorer.press("<ctrl+u>nothing-begins-so<right>").await;
    explorer.shows(&["\"KeyId\": \"nothing-begins-so\""]);
}

#[tokio::test(start_paused = true)]
async fn every_name_of_a_key_is_sent_as_it_was_chosen() {
    let mut explorer = open_on("ef6381bb").await;
    let names = [
        "alias/payments/prod/card-vault",
        "alias/payments/prod/card-vault-v2",
        "alias/payments/prod/pan",
        "ef6381bb-e87a-4e55-a5db-4a95ab60906b",
        "arn:aws:kms:us-east-1:111122223333:key/ef6381bb-e87a-4e55-a5db-4a95ab60906b",
        "arn:aws:kms:us-east-1:111122223333:alias/payments/prod/card-vault",
        "arn:aws:kms:us-east-1:111122223333:alias/payments/prod/card-vault-v2",
        "arn:aws:kms:us-east-1:111122223333:alias/payments/prod/pan",
        "alias/payments/prod/card-vault",
    ];
    explorer.press("<shift+tab>").await;
    for name in names {
        explorer.press("<ctrl+r>").await;
        assert_eq!(sent(&explorer)["KeyId"], name);
        explorer.shows(&["CiphertextBlob"]);
        explorer.press("n<pgdn>").await;
    }
    explorer.press("<pgup><pgup><ctrl+r>").await;
    assert_eq!(sent(&explorer)["KeyId"], names[7]);
}

#[tokio::test(start_paused = true)]
async fn a_fresh_row_comes_as_one_fills_and_an_emptied_row_goes() {
    let mut explorer = open_on("demo orders").await;
    // The one row is where the focus is.
    assert_eq!(fresh_rows(&explorer), 0);
    explorer.press("t").await;
    assert_eq!(fresh_rows(&explorer), 1);
    explorer.press("enant<tab>42<tab>purpose<tab>card<tab>").await;
    // The focus is in the fresh row now.
    assert_eq!(fresh_rows(&explorer), 0);
    explorer.press("<tab>").await;
    assert_eq!(fresh_rows(&explorer), 1);
    explorer.press("<ctrl+r>").await;
    assert_eq!(sent(&explorer)["EncryptionContext"], json!({"tenant": "42", "purpose": "card"}));

    // Back to the first row, which is emptied: value, then name.
    explorer.press("n<shift+tab><shift+tab><shift+tab><shift+tab><ctrl+u><shift+tab><ctrl+u>").await;
    explorer.press("<shift+tab>").await;
    assert_eq!(fresh_rows(&explorer), 1);
    explorer.hides(&["tenant"]);
    explorer.press("<ctrl+r>").await;
    assert_eq!(sent(&explorer)["EncryptionContext"], json!({"purpose": "card"}));
}

#[tokio::test(start_paused = true)]
async fn the_row_after_an_emptied_one_is_the_next_field() {
    let mut explorer = open_on("demo orders").await;
    explorer.press("a<tab>1<tab>b<tab>2<shift+tab><shift+tab><ctrl+u><shift+tab><ctrl+u>").await;
    // Row `a` is empty now; from it the next field is the name `b`.
    explorer.press("<tab>x<ctrl+r>").await;
    assert_eq!(sent(&explorer)["EncryptionContext"], json!({"bx": "2"}));
}

#[tokio::test(start_paused = true)]
async fn a_context_that_is_pasted_becomes_rows() {
    for (text, context) in [
        ("a=b,c=d", json!({"a": "b", "c": "d"})),
        ("  a=b,c=d\n", json!({"a": "b", "c": "d"})),
        (r#"{"tenant": "42", "größe": "x=y,\nz"}"#, json!({"tenant": "42", "größe": "x=y,\nz"})),
        (r#"note="a, b",b=1"#, json!({"note": "a, b", "b": "1"})),
    ] {
        let mut explorer = open_on("demo orders").await;
        explorer.paste(text).await;
        // Typing goes on in the fresh row.
        explorer.press("more<tab>last<ctrl+r>").await;
        let mut context = context;
        context["more"] = "last".into();
        assert_eq!(sent(&explorer)["EncryptionContext"], context, "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_paste_into_a_value_is_that_value_to_the_letter() {
    let text = " x=1,y=2\n{\"z\":3}\u{1b}[2J\t\u{202e}ü鍵 ";
    let mut explorer = open_on("demo orders").await;
    explorer.press("name<tab>").await;
    explorer.paste(text).await;
    explorer.shows(&["␛[2J␉<U+202E>ü"]);
    for cell in &explorer.buffer().content {
        assert!(!cell.symbol().chars().any(is_hidden), "{:?}", cell.symbol());
    }
    explorer.press("<ctrl+r>").await;
    assert_eq!(sent(&explorer)["EncryptionContext"], json!({"name": text}));
    explorer.shows(&["CiphertextBlob", "␛[2J␉<U+202E>ü"]);
}

#[tokio::test(start_paused = true)]
async fn lines_of_a_paste_are_entries_and_its_last_line_break_is_nobodys() {
    let mut explorer = open_on("demo orders").await;
    // As a terminal sends it: a carriage return for each line break.
    explorer.paste("tenant=42\rpurpose=orders\r").await;
    explorer.press("<tab>").await;
    explorer.press("<shift+tab>note<tab>").await;
    explorer.paste("two\r\nlines\r").await;
    explorer.press("<ctrl+r>").await;
    assert_eq!(
        sent(&explorer)["EncryptionContext"],
        json!({"tenant": "42", "purpose": "orders", "note": "two\nlines"})
    );
}

#[tokio::test(start_paused = true)]
async fn a_pasted_request_is_not_taken_for_a_context_nor_a_flood_for_a_form() {
    let mut explorer = open_on("demo orders").await;
    explorer.paste(r#"{"KeyId": "alias/demo/crm", "KeySpec": "AES_128"}"#).await;
    explorer.shows(&["this is a request, not an encryption context"]);
    let flood: serde_json::Map<String, serde_json::Value> =
        (0..20_000).map(|number| (format!("name-{number}"), "v".into())).collect();
    explorer.paste(&serde_json::Value::Object(flood).to_string()).await;
    explorer.shows(&["20000 entries: a form takes 500 at once"]);
    explorer.press("<ctrl+r>").await;
    assert_eq!(sent(&explorer).get("EncryptionContext"), None);
}

#[tokio::test(start_paused = true)]
async fn a_form_comes_up_under_the_key_that_it_names_and_no_other() {
    let mut explorer = open_on("demo crm").await;
    explorer.press("<shift+tab><ctrl+u>alias/demo/orders<tab>tenant<tab>7<esc>").await;
    explorer.press("n").await;
    explorer.shows(&["\"KeyId\": \"alias/demo/crm\""]);
    explorer.hides(&["tenant"]);
    explorer.press("<esc><esc>/demo/orders<enter>n").await;
    explorer.shows(&["\"KeyId\": \"alias/demo/orders\"", "\"tenant\": \"7\""]);
}

#[tokio::test(start_paused = true)]
async fn a_paste_that_is_no_context_says_what_is_wrong_and_keeps_the_text() {
    for (text, words) in [
        ("a=b,c", "the value of `a` reads as a list, at character 5"),
        ("a=1,b c=2", "a name cannot contain a space here"),
        ("a=1,a=2", "the name `a` is given twice"),
        (r#"{"a": 1}"#, "the value of `a` must be text and is a number"),
        (r#"{"a": "#, "not valid JSON"),
        ("a@=file:///etc/hostname", "files are read for command-line options only"),
    ] {
        let mut explorer = open_on("demo orders").await;
        explorer.paste(text).await;
        explorer.shows(&[words]);
        // It is there to be mended, as one name.
        explorer.press("<tab>v<ctrl+r>").await;
        assert_eq!(sent(&explorer)["EncryptionContext"], json!({text: "v"}));
    }
}

#[tokio::test(start_paused = true)]
async fn a_repeated_or_an_empty_name_is_refused_at_its_field() {
    let mut explorer = open_on("demo orders").await;
    explorer.press("a<tab>1<tab>a<tab>2<tab>").await;
    explorer.shows(&["! `a` is there twice: a name has one value"]);
    explorer.press("<ctrl+r>").await;
    nothing_sent(&explorer);
    assert!(explorer.footer().contains("! `a` is there twice"), "{}", explorer.footer());
    // The focus went there, so that typing mends it.
    explorer.press("b").await;
    explorer.hides(&["is there twice"]);
    explorer.press("<ctrl+u>").await;
    explorer.press("<ctrl+r>").await;
    nothing_sent(&explorer);
    explorer.shows(&["! a value without a name: KMS takes no empty name"]);
    explorer.press("b<ctrl+r>").await;
    assert_eq!(sent(&explorer)["EncryptionContext"], json!({"a": "1", "b": "2"}));
}

#[tokio::test(start_paused = true)]
async fn an_empty_value_is_warned_of_and_goes_out() {
    let mut explorer = open_on("demo orders").await;
    explorer.press("a").await;
    explorer.hides(&["an empty value"]);
    explorer.press("<tab><tab>").await;
    explorer.shows(&["! an empty value: KMS very likely refuses it", "\"a\": \"\""]);
    explorer.press("<ctrl+r>").await;
    assert_eq!(sent(&explorer)["EncryptionContext"], json!({"a": ""}));
    explorer.shows(&["The service refused", "ValidationException"]);
}

#[tokio::test(start_paused = true)]
async fn exactly_one_way_to_say_the_length_goes_out() {
    for (keys, member, value) in [
        ("", "KeySpec", json!("AES_256")),
        ("<tab><right>", "KeySpec", json!("AES_128")),
        ("<tab><space>", "KeySpec", json!("AES_128")),
        ("<tab><left><tab>1", "NumberOfBytes", json!(1)),
        ("<tab><right><right><tab>1024", "NumberOfBytes", json!(1024)),
        ("<tab><left><tab> 64 ", "NumberOfBytes", json!(64)),
        // The number stays, and is not sent once a spec is chosen again.
        ("<tab><left><tab>64<shift+tab><right>", "KeySpec", json!("AES_256")),
        ("<tab><left><tab>99999<shift+tab><left>", "KeySpec", json!("AES_128")),
    ] {
        let mut explorer = open_on("demo orders").await;
        explorer.press(keys).await;
        explorer.press("<ctrl+r>").await;
        assert_eq!(sent(&explorer), json!({"KeyId": "alias/demo/orders", member: value}), "{keys}");
        explorer.shows(&["CiphertextBlob"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_number_of_bytes_that_cannot_be_is_refused_under_its_field() {
    for (typed, words) in [
        ("", "! how many bytes? 1 to 1024"),
        ("0", "! 0: a data key has 1 to 1024 bytes"),
        ("1025", "! 1025: a data key has 1 to 1024 bytes"),
        ("-1", "! -1: a data key has 1 to 1024 bytes"),
        ("abc", "! `abc` is no whole number: 1 to 1024"),
        ("1.5", "! `1.5` is no whole number: 1 to 1024"),
        ("99999999999999999999", "! `99999999999999999999` is no whole number: 1 to 1024"),
    ] {
        let mut explorer = open_on("demo orders").await;
        explorer.press("<tab><left><tab>").await;
        assert!(!explorer.line("(•) number of bytes").contains('!'), "{}", explorer.screen());
        explorer.press(typed).await;
        if !typed.is_empty() {
            explorer.shows(&[words, "not a request yet"]);
        }
        explorer.press("<ctrl+r>").await;
        nothing_sent(&explorer);
        let screen = explorer.screen();
        let lines: Vec<&str> = screen.lines().collect();
        let at = lines.iter().position(|line| line.contains("(•) number of bytes")).unwrap();
        assert!(lines[at + 1].contains(words), "{typed}: {}", lines[at + 1]);
        explorer.press("<ctrl+u>16<ctrl+r>").await;
        assert_eq!(sent(&explorer)["NumberOfBytes"], 16);
    }
}

#[tokio::test(start_paused = true)]
async fn grant_tokens_are_set_apart_by_blanks_and_are_ten_at_most() {
    let ten: Vec<String> = (1..=10).map(|number| format!("token-{number}")).collect();
    let mut explorer = open_on("demo orders").await;
    explorer.press("<tab><tab>").await;
    explorer.paste(&format!("  {}\n", ten.join(" \n\t "))).await;
    explorer.press(" token-11<ctrl+r>").await;
    nothing_sent(&explorer);
    explorer.shows(&["! 11 grant tokens: at most 10"]);
    explorer.press("<ctrl+w>").await;
    explorer.press("<ctrl+w><ctrl+r>").await;
    let body = sent(&explorer);
    assert_eq!(body["GrantTokens"].as_array().unwrap().len(), 10, "{body}");
    assert_eq!(body["GrantTokens"], json!(ten));
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_says_so_and_is_a_success() {
    let mut explorer = open_on("demo orders").await;
    explorer.press("<tab><tab><tab>").await;
    explorer.shows(&["[ ] only check"]);
    explorer.press("<space>").await;
    explorer.shows(&["[x] only check", "\"DryRun\": true"]);
    explorer.press("<enter><enter>").await;
    assert_eq!(sent(&explorer), json!({"KeyId": "alias/demo/orders", "KeySpec": "AES_256", "DryRun": true}));
    explorer.shows(&["The request would have succeeded"]);
    explorer.press("n<shift+tab><space><ctrl+r>").await;
    assert_eq!(sent(&explorer), json!({"KeyId": "alias/demo/orders", "KeySpec": "AES_256"}));
}

#[tokio::test(start_paused = true)]
async fn the_preview_follows_every_key() {
    let mut explorer = open_on("demo orders").await;
    explorer.press("a").await;
    explorer.press("<tab>1").await;
    for (key, value) in [("2", "12"), ("3", "123"), ("<backspace>", "12")] {
        explorer.press(key).await;
        let shown: Value = serde_json::from_str(&preview(&explorer, Preview::Json)).unwrap();
        let expected =
            json!({"KeyId": "alias/demo/orders", "EncryptionContext": {"a": value}, "KeySpec": "AES_256"});
        assert_eq!(shown, expected);
    }
    explorer.press("<alt+c>").await;
    let copied: Value = serde_json::from_str(explorer.copied().last().unwrap()).unwrap();
    explorer.press("<ctrl+r>").await;
    assert_eq!(copied, sent(&explorer));
    explorer.press("n<tab>a<tab>2<tab><alt+c>").await;
    assert!(explorer.footer().contains("! not a request yet: `a` is there twice"), "{}", explorer.footer());
    assert_eq!(explorer.copied().len(), 1);
}

/// The request that a command means, read as a shell and then the AWS CLI would.
fn request_of(command: &str) -> Value {
    // A shell takes a line that goes on for one line.
    let words = shlex::split(&command.replace("\\\n", "")).expect("a command for a shell");
    assert_eq!(words[..3], ["aws", "kms", "generate-data-key-without-plaintext"]);
    let mut body = json!({});
    let mut rest = words[3..].iter().peekable();
    while let Some(flag) = rest.next() {
        let mut values = Vec::new();
        while let Some(value) = rest.next_if(|word| !word.starts_with("--")) {
            values.push(value.clone());
        }
        let one = || values.first().cloned().expect("a value");
        match flag.as_str() {
            "--key-id" => body["KeyId"] = one().into(),
            "--key-spec" => body["KeySpec"] = one().into(),
            "--number-of-bytes" => body["NumberOfBytes"] = one().parse::<i64>().unwrap().into(),
            "--encryption-context" => {
                let parsed = context::parse(&one(), &mut context::refuse_references).unwrap();
                body["EncryptionContext"] = parsed.iter().collect();
            }
            "--grant-tokens" => {
                let list = serde_json::from_str(&one()).unwrap_or_else(|_| json!(values));
                body["GrantTokens"] = list;
            }
            "--dry-run" => body["DryRun"] = true.into(),
            other => panic!("{other} in {command}"),
        }
    }
    body
}

#[tokio::test(start_paused = true)]
async fn the_command_means_the_same_as_the_request() {
    for (context, tokens, number) in [
        (r#"{"a":"b"}"#, "", ""),
        (r#"{"a b":"it's $HOME `x` \"y\"","c":"1,2=3","d":""}"#, "", "17"),
        ("{\"a\":\"line\\nbreak\\u001b[2J\\u202e\",\"-x\":\"--y\"}", "one two", ""),
        (r#"{"a":"file:///etc/passwd","b":"@x","größe":"鍵"}"#, "[a] file://b c{d}", "1024"),
        (r#"{"a":" padded ","b":"back\\slash","c":"~","d":"{x}","e":"[1]"}"#, "--dash x", ""),
    ] {
        let mut explorer = open_with("demo orders", Setup { rows: 60, ..Setup::default() }).await;
        explorer.paste(context).await;
        explorer.press("<tab>").await;
        if !number.is_empty() {
            explorer.press(&format!("<left><tab>{number}")).await;
        }
        explorer.press("<tab>").await;
        explorer.paste(tokens).await;
        explorer.press("<tab><space>").await;
        explorer.press("<ctrl+t>").await;
        explorer.shows(&["[aws command]", "aws kms generate-data-key-without-plaintext"]);
        explorer.press("<alt+c>").await;
        let copied = explorer.copied().last().unwrap().clone();
        assert!(!copied.chars().any(is_hidden), "{copied:?}");
        explorer.press("<ctrl+r>").await;
        assert_eq!(request_of(&copied), sent(&explorer), "{copied}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_command_on_the_screen_runs_as_it_stands() {
    let mut explorer = open_on("demo orders").await;
    explorer.paste(r#"{"a":"it's","b":"1,2"}"#).await;
    explorer.press("<ctrl+t>").await;
    let shown = preview(&explorer, Preview::Command);
    let command = shown.split("\n\n").next().unwrap();
    assert!(command.contains(" \\\n"), "{command}");
    explorer.press("<ctrl+r>").await;
    assert_eq!(request_of(command), sent(&explorer), "{command}");
}

#[tokio::test(start_paused = true)]
async fn a_draft_is_kept_on_esc_for_each_key() {
    let mut explorer = open_on("demo orders").await;
    explorer.press("tenant<tab>42<esc>").await;
    explorer.shows(&["[1 Keys]"]);
    explorer.press("<esc>/demo crm<enter>n").await;
    explorer.hides(&["tenant"]);
    explorer.press("other<tab>7<ctrl+g>").await;
    explorer.press("<esc>/demo orders<enter>n").await;
    explorer.shows(&["\"tenant\": \"42\""]);
    // The focus is where it was left.
    explorer.press("3").await;
    explorer.shows(&["\"tenant\": \"423\""]);
    explorer.hides(&["other"]);
    explorer.press("<esc><esc>/demo crm<enter>n").await;
    explorer.shows(&["\"other\": \"7\""]);
    assert_eq!(explorer.calls(OPERATION).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_stands_in_the_way_is_said_before_anything_is_typed() {
    for (words, reason, way_out) in [
        ("984b9db8", "! Disabled: the service will refuse", "aws kms enable-key --key-id 984b9db8-9ee0-44b8"),
        ("d9dca94a", "! Pending deletion: the service will refuse", "aws kms cancel-key-deletion --key-id"),
        ("mrk-a743", "! Awaits replicas: the service will refuse", "aws kms cancel-key-deletion"),
        ("a67192d9", "! Pending import: the service will refuse", "import its key material first"),
        ("8382071d", "! Creating: the service will refuse", "wait until it is created"),
        ("9585bd7f", "! Unavailable: the service will refuse", "its custom key store must be connected"),
        ("83097a0f", "! its usage is sign/verify: the service will refuse", "usage is encrypt/decrypt"),
        ("71d5162f", "! its usage is MAC: the service will refuse", "usage is encrypt/decrypt"),
        ("9e991478", "! its usage is key agreement: the service will refuse", "usage is encrypt/decrypt"),
        ("dfb96d28", "! RSA_3072 is no symmetric key: the service will refuse", "of spec SYMMETRIC_DEFAULT"),
        ("64fbf25a", "! AWS manages this key", "choose a customer managed key"),
        ("c1e0b01e", "! it lives in a custom key store", "tick the dry run first"),
    ] {
        let explorer = open_with(words, Setup { columns: 200, ..Setup::default() }).await;
        let screen = explorer.part(layout::form_areas(Size::new(200, 40), Preview::Json).form);
        let text: Vec<&str> = screen.split_whitespace().filter(|word| *word != "│").collect();
        let text = text.join(" ");
        assert!(text.contains(reason), "{words}: no {reason:?} on\n{screen}");
        assert!(text.contains(way_out), "{words}: no {way_out:?} on\n{screen}");
    }
    for words in ["demo orders", "f37f395f", "mrk-0618"] {
        let explorer = open_on(words).await;
        explorer.shows(&["● Enabled, SYMMETRIC_DEFAULT, encrypt/decrypt"]);
        explorer.hides(&["the service will refuse", "! "]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_warning_keeps_nobody_from_running() {
    let mut explorer = open_on("984b9db8").await;
    explorer.press("<ctrl+r>").await;
    assert_eq!(sent(&explorer)["KeyId"], "alias/payments/legacy/card-vault");
    explorer.shows(&["The service refused", "DisabledException"]);
}

#[tokio::test(start_paused = true)]
async fn an_identifier_that_cannot_be_never_reaches_the_wire() {
    let too_long = "k".repeat(2049);
    for (text, words) in [
        ("clé", "`é` cannot be in a key's identifier"),
        ("alias/a\nb", "`␊` cannot be in a key's identifier"),
        ("alias/\u{202e}x", "`<U+202E>` cannot be in a key's identifier"),
        (too_long.as_str(), "2049 characters: an identifier has 1 to 2048"),
    ] {
        let mut explorer = open_on("demo orders").await;
        explorer.press("<shift+tab><ctrl+u>").await;
        explorer.paste(text).await;
        explorer.shows(&[words]);
        explorer.press("<ctrl+r>").await;
        nothing_sent(&explorer);
        explorer.press("<ctrl+u>alias/demo/orders<ctrl+r>").await;
        assert_eq!(sent(&explorer)["KeyId"], "alias/demo/orders");
    }
    let mut explorer = open_on("demo orders").await;
    explorer.press("<shift+tab><ctrl+u>").await;
    explorer.paste(&"k".repeat(2048)).await;
    explorer.press("<ctrl+r>").await;
    assert_eq!(sent(&explorer)["KeyId"].as_str().unwrap().len(), 2048);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_the_list_does_not_know_is_judged_by_its_shape() {
    for (text, words) in [
        ("alias/elsewhere", "not in the list: the service will say whether this alias exists"),
        ("11111111-2222-3333-4444-555555555555", "will say whether this key id exists"),
        (
            "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555",
            "! this ARN is of eu-west-1, requests go to us-east-1",
        ),
        ("demo/orders", "! no key id, ARN or alias/… by its shape"),
    ] {
        let mut explorer = open_with("demo orders", Setup { columns: 200, ..Setup::default() }).await;
        explorer.press("<shift+tab><ctrl+u>").await;
        explorer.paste(text).await;
        explorer.shows(&[words]);
        explorer.press("<pgdn>").await;
        assert!(explorer.footer().contains("the list knows no other name of this key"));
    }
}

#[tokio::test(start_paused = true)]
async fn alt_with_a_key_bound_to_nothing_is_esc_and_that_key() {
    let mut explorer = open_on("demo orders").await;
    explorer.press("draft<alt+2>").await;
    explorer.shows(&["[2 Aliases]"]);
    explorer.press("1").await;
    // Esc and `n`: left, and opened again.
    explorer.press("n<alt+n>").await;
    explorer.shows(&["New data key", "draft"]);
    explorer.hides(&["draftn"]);
    // What is bound stays what it is.
    explorer.press("<alt+b><alt+c>").await;
    explorer.shows(&["New data key", "draft"]);
}

#[tokio::test(start_paused = true)]
async fn the_preview_is_behind_a_key_on_a_narrow_screen() {
    let setup = Setup { columns: 80, rows: 24, ..Setup::default() };
    let mut explorer = open_with("demo orders", setup).await;
    explorer.hides(&["Request", "\"KeyId\""]);
    explorer.press("tenant<tab>42").await;
    explorer.press("<ctrl+t>").await;
    explorer.shows(&["[JSON]", "\"KeyId\": \"alias/demo/orders\"", "tenant            42"]);
    // Every field can be seen when it has the focus.
    for (keys, words) in [
        ("<tab>", "tenant"),
        ("<tab>", "(•) AES_256"),
        ("<tab>", "Grant tokens"),
        ("<tab>", "[ ] only check"),
        ("<tab>", "[ Run   ctrl+r ]"),
        ("<tab>", "alias/demo/orders"),
    ] {
        explorer.press(keys).await;
        let form = layout::form_areas(Size::new(80, 24), Preview::Json).form;
        assert!(explorer.part(form).contains(words), "{words}\n{}", explorer.screen());
    }
    explorer.press("<ctrl+t>").await;
    explorer.shows(&["[aws command]", "--key-id alias/demo/orders"]);
    explorer.press("<ctrl+t>").await;
    explorer.hides(&["aws command"]);
    explorer.press("<ctrl+r>").await;
    assert_eq!(sent(&explorer)["EncryptionContext"], json!({"tenant": "42"}));
}

#[tokio::test(start_paused = true)]
async fn text_fields_have_the_keys_of_readline() {
    for (keys, value) in [
        ("one two<ctrl+a>X", "Xone two"),
        ("one two<home>X<end>Y", "Xone twoY"),
        ("one two<ctrl+a><ctrl+e>X", "one twoX"),
        ("one two<ctrl+b><ctrl+b>X", "one tXwo"),
        ("one two<left><left>X", "one tXwo"),
        ("one two<ctrl+a><ctrl+f>X", "oXne two"),
        ("one two<ctrl+h>", "one tw"),
        ("one two<backspace>", "one tw"),
        ("one two<ctrl+a><ctrl+d>", "ne two"),
        ("one two<home><delete>", "ne two"),
        ("one two<ctrl+w>", "one "),
        ("one two<ctrl+u>X", "X"),
        ("one two<alt+b><ctrl+u>", "two"),
        ("one two<alt+b><ctrl+k>", "one "),
        ("one two<ctrl+w><ctrl+y><ctrl+y>", "one twotwo"),
        ("one<ctrl+a><alt+d>X", "X"),
        ("one<ctrl+a><alt+f>X", "oneX"),
        ("größe 鍵<ctrl+b><ctrl+h>", "größe鍵"),
        ("a<lt>b>", "a<b>"),
        ("q?:/", "q?:/"),
    ] {
        let mut explorer = open_on("demo orders").await;
        explorer.press("name<tab>").await;
        explorer.press(keys).await;
        explorer.press("<ctrl+r>").await;
        assert_eq!(sent(&explorer)["EncryptionContext"], json!({"name": value}), "{keys}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_problem_is_told_whole_and_the_way_to_the_help_stays() {
    let mut explorer = open_with("demo orders", Setup { columns: 100, ..Setup::default() }).await;
    explorer.press("<shift+tab><ctrl+u>").await;
    explorer.paste("clé").await;
    let form = explorer.part(layout::form_areas(Size::new(100, 40), Preview::Json).form);
    let text: Vec<&str> = form.split_whitespace().filter(|word| *word != "│").collect();
    let message = "! `é` cannot be in a key's identifier: printable ASCII characters only";
    assert!(text.join(" ").contains(message), "{form}");
    explorer.press("<ctrl+u>alias/x<tab>").await;
    explorer.paste("a=b,c").await;
    // Longer than the line: it stands above it, whole, with the way out.
    explorer.shows(&["! the value of `a` reads as a list", "put the value in quotes"]);
    assert!(explorer.footer().ends_with("F1 help"), "{}", explorer.footer());
}

#[tokio::test(start_paused = true)]
async fn a_long_context_scrolls_with_the_focus() {
    let setup = Setup { columns: 80, rows: 24, ..Setup::default() };
    let mut explorer = open_with("demo orders", setup).await;
    let rows: Vec<String> = (0..30).map(|number| format!("name{number:02}=value")).collect();
    explorer.paste(&rows.join(",")).await;
    explorer.press("<ctrl+t>").await;
    let form = layout::form_areas(Size::new(80, 24), Preview::Json).form;
    explorer.press("last").await;
    assert!(explorer.part(form).contains("last"), "{}", explorer.screen());
    explorer.press("<up><up>").await;
    for number in (0..30).rev() {
        explorer.press("x").await;
        let name = format!("name{number:02}");
        assert!(explorer.part(form).contains(&name), "{name}\n{}", explorer.screen());
        explorer.press("<up><up>").await;
    }
    // Round the upper end to Run, and back to the first field.
    assert!(explorer.part(form).contains("▌                  [ Run"), "{}", explorer.screen());
    explorer.press("<down>").await;
    assert!(explorer.part(form).contains("▌Key"), "{}", explorer.screen());
    explorer.press("<ctrl+r>").await;
    assert_eq!(sent(&explorer)["EncryptionContext"].as_object().unwrap().len(), 31);
}
