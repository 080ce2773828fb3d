//! The real binary, as scripts meet it: what it prints, what it says, and how it ends.
//!
//! It runs on the demo's local KMS with a store of its own, or against an endpoint on loopback.
//! Nothing of the caller's environment gets through.

mod endpoint;
mod regions;
mod scans;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use kmx::local::{LocalKms, Options, StoreLocation};
use serde_json::{Value, json};
use tempfile::TempDir;

use self::endpoint::{Endpoint, KEY_ARN, KEY_ID, denied};

const GENERATE: &str = "generate-data-key-without-plaintext";
const OPERATION: &str = "GenerateDataKeyWithoutPlaintext";
const ORDERS: &str = "alias/demo/orders";

/// A home of its own, and runs in it.
struct Home(TempDir);

/// How a run ended.
struct Outcome {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Outcome {
    #[track_caller]
    fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{}", self.stderr);
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// Ended with this code, printed nothing, and said each of these.
    #[track_caller]
    fn refused(&self, code: i32, texts: &[&str]) {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{}", self.stderr);
        for text in texts {
            assert!(self.stderr.contains(text), "{text:?} is not in {:?}", self.stderr);
        }
    }
}

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file and returns its path.
    fn file(&self, name: &str, content: &str) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kmx"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.0.path())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .current_dir(self.0.path())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        outcome(self.command(arguments))
    }

    /// On a local KMS with a store of its own.
    fn demo(&self, arguments: &[&str]) -> Outcome {
        self.run(&[arguments, &["--demo", "--demo-store", "x.redb"]].concat())
    }

    /// Against an endpoint, with credentials and a region.
    fn on(&self, endpoint: &Endpoint, arguments: &[&str]) -> Outcome {
        outcome(self.command_on(endpoint, arguments))
    }

    fn command_on(&self, endpoint: &Endpoint, arguments: &[&str]) -> Command {
        let mut command = self.command(arguments);
        command
            .env("AWS_ACCESS_KEY_ID", "AKIDTEST")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ENDPOINT_URL_KMS", &endpoint.url);
        command
    }
}

fn outcome(command: Command) -> Outcome {
    let output = assert_cmd::Command::from_std(command).output().unwrap();
    Outcome {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Nothing that a terminal would obey, and nothing that hides.
#[track_caller]
fn assert_printable(text: &str) {
    let raw: Vec<char> = text
        .chars()
        .filter(|character| !matches!(character, '\n' | '\t'))
        .filter(|character| character.is_control() || "\u{202e}\u{2066}\u{200b}".contains(*character))
        .collect();
    assert!(raw.is_empty(), "{raw:?} in {text:?}");
}

fn aliases_of(row: &Value) -> Vec<&str> {
    row["Aliases"].as_array().unwrap().iter().map(|alias| alias.as_str().unwrap()).collect()
}

// ---------------------------------------------------------------- list

#[test]
fn the_list_has_every_key_with_every_alias_and_its_state() {
    let home = Home::new();
    let listed = home.demo(&["list", "--output", "json"]).json();
    let rows = listed["Keys"].as_array().unwrap();
    assert!(rows.len() > 35, "{}", rows.len());
    let orders = rows.iter().find(|row| aliases_of(row).contains(&ORDERS)).unwrap();
    let arn = format!("arn:aws:kms:us-east-1:111122223333:key/{}", orders["KeyId"].as_str().unwrap());
    assert_eq!(orders["KeyArn"], arn);
    for (member, value) in [
        ("KeyState", "Enabled"),
        ("KeyUsage", "ENCRYPT_DECRYPT"),
        ("KeySpec", "SYMMETRIC_DEFAULT"),
        ("KeyManager", "CUSTOMER"),
        ("Origin", "AWS_KMS"),
        ("CreationDate", "2025-02-11T09:26:03+00:00"),
    ] {
        assert_eq!(orders[member], value, "{member}");
    }
    assert!(orders.get("Arn").is_none() && orders.get("Error").is_none(), "{orders}");
    let vault = rows.iter().find(|row| aliases_of(row).contains(&"alias/payments/prod/pan")).unwrap();
    assert_eq!(
        aliases_of(vault),
        ["alias/payments/prod/card-vault", "alias/payments/prod/card-vault-v2", "alias/payments/prod/pan"]
    );
}

#[test]
fn the_list_is_in_the_order_of_first_aliases_and_keys_without_one_come_last() {
    let listed = Home::new().demo(&["list", "--output", "json"]).json();
    let firsts: Vec<Option<&str>> =
        listed["Keys"].as_array().unwrap().iter().map(|row| aliases_of(row).first().copied()).collect();
    let mut sorted = firsts.clone();
    sorted.sort_by_key(|alias| (alias.is_none(), *alias));
    assert_eq!(firsts, sorted);
    assert!(firsts.last().unwrap().is_none());
}

#[test]
fn a_line_of_text_holds_what_the_help_says() {
    let outcome = Home::new().demo(&["list", "payments/prod/ledger", "--output", "text"]);
    let fields: Vec<&str> = outcome.stdout.trim_end_matches('\n').split('\t').collect();
    assert_eq!(
        fields,
        [
            "Enabled",
            "alias/payments/prod/ledger",
            "b0796a03-2463-4343-b167-097117fcede1",
            "arn:aws:kms:us-east-1:111122223333:key/b0796a03-2463-4343-b167-097117fcede1",
            "ENCRYPT_DECRYPT",
            "SYMMETRIC_DEFAULT",
            "CUSTOMER",
            "AWS_KMS",
            "2022-01-20T13:46:31+00:00",
            "None",
            "Payment ledger"
        ]
    );
}

#[test]
fn the_table_is_the_default_and_shows_every_alias_of_a_key() {
    let outcome = Home::new().demo(&["list", "alias/orders/prod"]);
    assert_eq!(outcome.code, 0);
    insta::assert_snapshot!(outcome.stdout);
}

#[test]
fn filters_narrow_the_list() {
    let home = Home::new();
    let ids = |arguments: &[&str]| {
        let listed = home.demo(&[&["list", "--output", "json"], arguments].concat()).json();
        let rows = listed["Keys"].as_array().unwrap().clone();
        rows.iter().map(|row| row["KeyState"].as_str().unwrap().to_owned()).collect::<Vec<String>>()
    };
    assert_eq!(ids(&["state:disabled"]), ["Disabled"; 3]);
    assert_eq!(ids(&["payments", "state:disabled"]), ["Disabled"]);
    assert_eq!(ids(&["state:unavailable,creating"]).len(), 2);
    assert!(ids(&["Payments"]).len() < ids(&["payments"]).len());
}

#[test]
fn a_filter_that_nothing_matches_is_no_failure() {
    let home = Home::new();
    let outcome = home.demo(&["list", "no-such-word", "--output", "json"]);
    assert_eq!(outcome.json(), json!({"Keys": []}));
    for form in ["table", "text"] {
        let outcome = home.demo(&["list", "no-such-word", "--output", form]);
        outcome.refused(0, &["kmx: no key matches, of 4"]);
    }
}

#[test]
fn a_key_that_may_not_be_described_keeps_its_row() {
    let home = Home::new();
    let endpoint = Endpoint::with_a_key(denied("DescribeKey"));
    let row = &home.on(&endpoint, &["list", "--output", "json"]).json()["Keys"][0];
    assert_eq!((&row["KeyId"], aliases_of(row)), (&json!(KEY_ID), vec!["alias/audit"]));
    assert_eq!(row["Error"]["Code"], "AccessDeniedException");
    assert!(row["Error"]["Message"].as_str().unwrap().contains("is not authorized"), "{row}");
    assert!(row.get("KeyState").is_none());

    let text = home.on(&endpoint, &["list", "state:denied", "--output", "text"]);
    assert!(text.stdout.starts_with("AccessDeniedException\talias/audit\t"), "{}", text.stdout);
    let table = home.on(&endpoint, &["list"]);
    assert_eq!((table.code, table.stderr.as_str()), (0, ""));
    assert!(table.stdout.contains("no access  alias/audit  1234abcd"), "{}", table.stdout);
}

#[test]
fn a_list_of_keys_that_is_refused_ends_with_the_services_words() {
    let endpoint = Endpoint::new(|operation| match operation {
        "ListKeys" => denied("ListKeys"),
        _ => (200, json!({"Aliases": []})),
    });
    Home::new().on(&endpoint, &["list", "--output", "json"]).refused(
        254,
        &[
            "An error occurred (AccessDeniedException) when calling the ListKeys operation: User: ",
            "\nhint: the policy must name this action",
        ],
    );
}

#[test]
fn a_list_that_is_throttled_is_tried_again_and_says_so() {
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let endpoint = Endpoint::new(move |operation| match operation {
        "ListKeys" if calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 => {
            (400, json!({"__type": "ThrottlingException", "message": "Rate exceeded"}))
        }
        "ListKeys" => (200, json!({"Keys": []})),
        _ => (200, json!({"Aliases": []})),
    });
    let outcome = Home::new().on(&endpoint, &["list", "--output", "json"]);
    assert_eq!(outcome.json(), json!({"Keys": []}));
    assert_eq!(
        outcome.stderr,
        "kmx: too many requests: the service asks to slow down; trying again\n\
         kmx: there are no keys here\n"
    );
}

#[test]
fn keys_are_listed_without_aliases_where_those_are_refused() {
    let endpoint = Endpoint::new(|operation| match operation {
        "ListKeys" => (200, json!({"Keys": [{"KeyId": KEY_ID, "KeyArn": KEY_ARN}]})),
        "ListAliases" => denied("ListAliases"),
        _ => (200, json!({"KeyMetadata": {"KeyId": KEY_ID, "KeyState": "Enabled"}})),
    });
    let outcome = Home::new().on(&endpoint, &["list", "--output", "json"]);
    assert_eq!(outcome.code, 254);
    let listed: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(listed["Keys"][0]["KeyState"], "Enabled");
    assert!(outcome.stderr.contains("when calling the ListAliases operation"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("without their aliases"), "{}", outcome.stderr);
}

#[test]
fn hostile_text_of_a_server_is_harmless_in_every_form() {
    let home = Home::new();
    let hostile = "\u{1b}[2J\u{202e}\u{9b}31m\u{7}\r\n\tx\u{200b}";
    let metadata = json!({"KeyId": KEY_ID, "KeyState": hostile, "KeySpec": hostile, "Description": hostile});
    let endpoint = Endpoint::with_a_key((200, json!({ "KeyMetadata": metadata })));
    for form in ["json", "text", "table"] {
        let outcome = home.on(&endpoint, &["list", "--output", form]);
        assert_eq!(outcome.code, 0);
        assert_printable(&outcome.stdout);
        if form == "json" {
            assert_eq!(outcome.json()["Keys"][0]["Description"], hostile, "it means the same");
        }
        if form == "text" {
            assert_eq!(outcome.stdout.matches(['\n', '\t']).count(), 11, "a row stays a row");
        }
    }
    let blob = json!({"CiphertextBlob": "b3BhcXVl", "KeyId": hostile});
    let endpoint = Endpoint::new(move |_| (200, blob.clone()));
    for form in ["json", "text", "table"] {
        let request = [GENERATE, "--key-id", "x", "--key-spec", "AES_256", "--output", form];
        assert_printable(&home.on(&endpoint, &request).stdout);
    }
    let error = json!({"__type": "NotFoundException", "message": hostile});
    let endpoint = Endpoint::new(move |_| (400, error.clone()));
    let outcome = home.on(&endpoint, &["list"]);
    assert_printable(&outcome.stderr);
    outcome.refused(254, &["operation: ␛[2J<U+202E><U+009B>31m␇␍␊␉x<U+200B>"]);
}

// ---------------------------------------------------------------- generate

#[test]
fn a_data_key_is_printed_as_the_aws_cli_prints_it() {
    let home = Home::new();
    let request = ["--key-id", ORDERS, "--key-spec", "AES_256", "--encryption-context", "tenant=acme"];
    for name in [GENERATE, "generate"] {
        let outcome = home.demo(&[&[name], &request[..]].concat());
        let answer = outcome.json();
        let members: Vec<&String> = answer.as_object().unwrap().keys().collect();
        assert_eq!(members, ["CiphertextBlob", "KeyId", "KeyMaterialId"]);
        assert!(outcome.stdout.starts_with("{\n    \"CiphertextBlob\": \"TE9DQUxLTV"), "{}", outcome.stdout);
        assert!(outcome.stdout.ends_with("\"\n}\n"), "{}", outcome.stdout);
        assert_eq!(outcome.stderr, "");
    }
    let text = home.demo(&[&["generate"], &request[..], &["--output", "text"]].concat());
    let fields: Vec<&str> = text.stdout.trim_end_matches('\n').split('\t').collect();
    assert_eq!(fields.len(), 3);
    assert!(fields[0].starts_with("TE9DQUxLTV"), "{fields:?}");
    assert!(fields[1].starts_with("arn:aws:kms:us-east-1:111122223333:key/"), "{fields:?}");
    assert_eq!(fields[2].len(), 64);
}

#[test]
fn an_answer_without_key_material_id_has_no_such_member() {
    let home = Home::new();
    let request = [GENERATE, "--key-id", "x", "--number-of-bytes", "1"];
    let endpoint = Endpoint::recorder();
    assert_eq!(home.on(&endpoint, &request).json(), json!({"CiphertextBlob": "b3BhcXVl", "KeyId": KEY_ARN}));
    let text = home.on(&endpoint, &[&request[..], &["--output", "text"]].concat());
    assert_eq!(text.stdout, format!("b3BhcXVl\t{KEY_ARN}\n"));
}

#[test]
fn options_of_every_form_say_what_is_sent() {
    let home = Home::new();
    let context = home.file("context.json", "{\"from\": \"a file\", \"é\": \"ü\"}\n");
    let value = home.file("value.txt", "two\nlines, with a comma\n");
    let tokens = home.file("tokens.json", "[\"t1\", \"t2\"]\n");
    home.file("key.txt", "alias/from-a-file\n");
    let sent = |arguments: &[&str]| {
        let endpoint = Endpoint::recorder();
        let outcome = home.on(&endpoint, &[&[GENERATE], arguments].concat());
        let mut bodies = endpoint.bodies(OPERATION);
        assert_eq!(bodies.len(), 1);
        // The endpoint knows no dry run: what it made is printed, and is no check that passed.
        let expected = if bodies[0]["DryRun"] == true { 255 } else { 0 };
        assert_eq!(outcome.code, expected, "{}", outcome.stderr);
        bodies.remove(0)
    };
    let base = json!({"KeyId": "alias/x", "KeySpec": "AES_256"});
    let with = |member: &str, value: Value| {
        let mut body = base.clone();
        body[member] = value;
        body
    };
    let member = |context: Value| with("EncryptionContext", context);
    for (arguments, body) in [
        (&[][..], base.clone()),
        (&["--encryption-context", "a=1,b='x, y'"], member(json!({"a": "1", "b": "x, y"}))),
        (&["--encryption-context", "a=,b="], member(json!({"a": "", "b": ""}))),
        (&["--encryption-context", r#"{"a b": "c", "é": "🔑"}"#], member(json!({"a b": "c", "é": "🔑"}))),
        (&["--encryption-context", "{}"], base.clone()),
        (
            &["--encryption-context", &format!("file://{context}")],
            member(json!({"from": "a file", "é": "ü"})),
        ),
        (&["--encryption-context", "file://~/context.json"], member(json!({"from": "a file", "é": "ü"}))),
        (
            &["--encryption-context", &format!("a@=file://{value},b=file://x")],
            member(json!({"a": "two\nlines, with a comma\n", "b": "file://x"})),
        ),
        (&["--grant-tokens", "t1", "t2"], with("GrantTokens", json!(["t1", "t2"]))),
        (&["--grant-tokens", r#"["t1", "t2"]"#], with("GrantTokens", json!(["t1", "t2"]))),
        (&["--grant-tokens", &format!("file://{tokens}")], with("GrantTokens", json!(["t1", "t2"]))),
        (&["--no-dry-run"], base.clone()),
        (&["--no-dry-run", "--dry-run"], with("DryRun", json!(true))),
        (&["--dry-run", "--no-dry-run"], base.clone()),
        (&["--key-id", "alias/y"], with("KeyId", json!("alias/y"))),
        (&["--key-id", "file://key.txt"], with("KeyId", json!("alias/from-a-file"))),
        (&["--key-id", "https://127.0.0.1/x"], with("KeyId", json!("https://127.0.0.1/x"))),
    ] {
        let request = [&["--key-id", "alias/x", "--key-spec", "AES_256"], arguments].concat();
        assert_eq!(sent(&request), body, "{arguments:?}");
    }
}

#[test]
fn options_win_over_the_input_json_member_by_member() {
    let home = Home::new();
    let request = json!({
        "KeyId": "alias/json", "KeySpec": "AES_128", "EncryptionContext": {"from": "json", "kept": "no"},
        "GrantTokens": ["t"], "DryRun": true,
    });
    let path = home.file("request.json", &request.to_string());
    for source in [format!("file://{path}"), request.to_string()] {
        let endpoint = Endpoint::recorder();
        let all = home.on(&endpoint, &[GENERATE, "--cli-input-json", &source]);
        assert!(all.stderr.contains("knows no dry run"), "{}", all.stderr);
        let arguments = ["--key-id", "alias/option", "--encryption-context", "from=option", "--no-dry-run"];
        let some = home.on(&endpoint, &[&[GENERATE, "--cli-input-json", &source], &arguments[..]].concat());
        assert_eq!((some.code, some.stderr.as_str()), (0, ""));
        let won = json!({
            "KeyId": "alias/option", "KeySpec": "AES_128", "EncryptionContext": {"from": "option"},
            "GrantTokens": ["t"],
        });
        assert_eq!(endpoint.bodies(OPERATION), [request.clone(), won]);
    }
}

#[test]
fn the_skeleton_is_the_same_each_time_and_runs_once_a_key_is_filled_in() {
    let home = Home::new();
    let first = home.run(&[GENERATE, "--generate-cli-skeleton"]);
    for arguments in [&["input"][..], &["input", "--number-of-bytes", "many"]] {
        let again = home.run(&[&[GENERATE, "--generate-cli-skeleton"], arguments].concat());
        assert_eq!((again.code, &again.stdout), (0, &first.stdout));
    }
    let mut request = first.json();
    assert_eq!(request["KeyId"], "");
    request["KeyId"] = json!(ORDERS);
    let path = home.file("request.json", &request.to_string());
    let made = home.demo(&[GENERATE, "--cli-input-json", &format!("file://{path}")]).json();
    assert!(made["CiphertextBlob"].is_string());
    assert!(!home.path("kmx").exists());
}

#[test]
fn the_skeleton_of_the_answer_is_printed_for_a_request_that_holds() {
    let home = Home::new();
    let whole = [GENERATE, "--generate-cli-skeleton", "output", "--key-id", "x", "--key-spec", "AES_128"];
    let skeleton = home.run(&whole).json();
    let members: Vec<&String> = skeleton.as_object().unwrap().keys().collect();
    assert_eq!(members, ["CiphertextBlob", "KeyId", "KeyMaterialId"]);
    home.run(&whole[..5]).refused(252, &["kmx: --key-spec: give a key spec"]);
}

#[test]
fn a_dry_run_that_would_have_succeeded_says_so_and_prints_nothing() {
    let request = [GENERATE, "--key-id", ORDERS, "--key-spec", "AES_256", "--dry-run"];
    Home::new().demo(&request).refused(0, &["kmx: dry run: the request would have succeeded"]);
}

#[test]
fn each_wrong_parameter_is_named_and_no_call_is_made() {
    let home = Home::new();
    let endpoint = Endpoint::recorder();
    let key = ["--key-id", "alias/x"];
    for (arguments, said) in [
        (
            &["--key-spec", "AES_256", "--number-of-bytes", "32"][..],
            "kmx: --number-of-bytes: give a key spec or a number of bytes, not both\n",
        ),
        (&["--number-of-bytes", "1025"], "kmx: --number-of-bytes: 1025: a data key has 1 to 1024 bytes\n"),
        (&["--number-of-bytes", "-1"], "kmx: --number-of-bytes: -1: a data key has 1 to 1024 bytes\n"),
        (&["--number-of-bytes", "many"], "kmx: --number-of-bytes: `many` is no whole number: 1 to 1024\n"),
        (&["--number-of-bytes", "1e3"], "kmx: --number-of-bytes: `1e3` is no whole number: 1 to 1024\n"),
        (&["--key-spec", "AES_192"], "kmx: --key-spec: `AES_192` is no data key spec: AES_256 or AES_128, "),
        (&[], "kmx: --key-spec: give a key spec (AES_256 or AES_128) or a number of bytes (1 to 1024)\n"),
        (&["--encryption-context", "a=b,c"], "kmx: --encryption-context: the value of `a` reads as a list, "),
        (&["--encryption-context", "file://nowhere"], "kmx: --encryption-context: cannot read `nowhere`: "),
        (&["--encryption-context", "a@=file://nowhere"], "cannot read `nowhere`: "),
        (&["--encryption-context", "fileb://x"], "kmx: --encryption-context: fileb:// reads bytes"),
        (&["--grant-tokens", "[1]"], "kmx: --grant-tokens: not a JSON list of texts: "),
        (&["--grant-tokens", "a", ""], "kmx: --grant-tokens: an empty grant token: leave it out\n"),
        (&["--key-id", ""], "kmx: --key-id: name a key: "),
        (&["--key-id", "\u{1b}[2J"], "kmx: --key-id: `␛` cannot be in a key's identifier: "),
        (&["--cli-input-json", "{"], "kmx: --cli-input-json: not valid JSON: "),
        (&["--cli-input-json", r#"{"Foo": 1}"#], "kmx: --cli-input-json: unknown member `Foo`: "),
        (&["--cli-input-json", "file://nowhere"], "kmx: --cli-input-json: cannot read `nowhere`: "),
    ] {
        let outcome = home.on(&endpoint, &[&[GENERATE], &key[..], arguments].concat());
        outcome.refused(252, &[said]);
        assert_printable(&outcome.stderr);
    }
    assert!(endpoint.bodies(OPERATION).is_empty());
}

#[test]
fn all_problems_are_told_at_once_in_the_order_of_the_options() {
    let arguments =
        ["--grant-tokens", "", "--number-of-bytes", "many", "--encryption-context", "a", "--key-id", ""];
    let outcome = Home::new().run(&[&[GENERATE], &arguments[..]].concat());
    let flags: Vec<&str> = outcome.stderr.lines().map(|line| line.split(": ").nth(1).unwrap()).collect();
    assert_eq!(flags, ["--key-id", "--encryption-context", "--number-of-bytes", "--grant-tokens"]);
    outcome.refused(252, &[]);
}

#[test]
fn what_the_service_refuses_ends_with_254_and_its_own_words() {
    let home = Home::new();
    let request = |key| home.demo(&[GENERATE, "--key-id", key, "--key-spec", "AES_256"]);
    let start = format!("when calling the {OPERATION} operation: ");
    request("alias/nope").refused(
        254,
        &[
            "An error occurred (NotFoundException) ",
            &format!("{start}Alias arn:aws:kms:us-east-1:111122223333:alias/nope is not found.\nhint: "),
        ],
    );
    request("alias/payments/legacy/card-vault")
        .refused(254, &["An error occurred (DisabledException) ", &start, " is disabled.\nhint: "]);
}

// ---------------------------------------------------------------- global options, exit codes

#[test]
fn global_options_stand_before_or_after_the_subcommand() {
    let home = Home::new();
    let region = |arguments: &[&str]| {
        let listed = home.run(arguments).json();
        listed["Keys"][0]["KeyArn"].as_str().unwrap().split(':').nth(3).unwrap().to_owned()
    };
    let list = ["list", "--output", "json"];
    let demo = ["--demo", "--demo-store", "x.redb", "--region", "eu-west-1"];
    assert_eq!(region(&[&list[..], &demo].concat()), "eu-west-1");
    assert_eq!(region(&[&demo[..], &list].concat()), "eu-west-1");
    assert_eq!(region(&[&demo[..], &list, &["--region", "us-east-1"]].concat()), "us-east-1");
}

#[test]
fn the_demo_asks_nothing_of_the_environment() {
    let home = Home::new();
    let mut command = home.command(&["--demo", "list", "--output", "json"]);
    command
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_PROFILE", "nope")
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let listed = outcome(command).json();
    assert!(listed["Keys"][0]["KeyArn"].as_str().unwrap().starts_with("arn:aws:kms:us-east-1:"));
}

#[test]
fn the_demo_and_an_option_about_aws_do_not_go_together() {
    let home = Home::new();
    for option in [
        &["--profile", "x"][..],
        &["--endpoint-url", "http://127.0.0.1:1"],
        &["--no-sign-request"],
        &["--ca-bundle", "x"],
        &["--cli-connect-timeout", "1"],
        &["--cli-read-timeout", "0"],
        &["--allow-insecure-endpoint"],
    ] {
        let said = format!("kmx: {}: is about AWS, and --demo goes to the local KMS", option[0]);
        home.run(&[&["--demo", "list"], option].concat()).refused(252, &[&said]);
        home.run(&[option, &["--demo"]].concat()).refused(252, &[&said]);
    }
    home.run(&["list", "--demo-store", "x"]).refused(252, &["kmx: --demo-store goes with --demo alone"]);
}

#[test]
fn arguments_that_nobody_knows_are_told_with_the_way_out() {
    let home = Home::new();
    for (arguments, said) in [
        (
            &["list", "--outptu", "json"][..],
            "kmx: unknown option `--outptu`\nhint: did you mean `--output`?\nhint: see `kmx list --help`\n",
        ),
        (&["lst"], "kmx: there is no subcommand `lst`\nhint: did you mean `list`?\nhint: see `kmx --help`\n"),
        (
            &["list", "--output", "jsn"],
            "kmx: --output: `jsn` is none of table, json, text\nhint: did you mean `json`?\n",
        ),
        (&["list", "--region", ""], "kmx: --region: needs a value\n"),
        (&[GENERATE, "--key-spec"], "kmx: --key-spec: needs a value\n"),
        (
            &["list", "--cli-read-timeout", "1s"],
            "kmx: --cli-read-timeout: `1s`: a whole number of seconds, or 0 for no limit\n",
        ),
        (
            &["list", "--demo=x"],
            "kmx: --demo: takes no value, and was given `x`\nhint: see `kmx list --help`\n",
        ),
        (&["\u{1b}[31m\u{202e}"], "kmx: there is no subcommand `␛[31m<U+202E>`\nhint: see `kmx --help`\n"),
    ] {
        let outcome = home.run(arguments);
        assert_eq!(outcome.stderr, said, "{arguments:?}");
        outcome.refused(252, &[]);
    }
}

#[test]
fn the_explorer_without_a_terminal_names_what_works_without_one() {
    let outcome = Home::new().run(&["--demo"]);
    outcome.refused(253, &["kmx: the explorer needs a terminal", "`kmx list`", GENERATE]);
    assert_eq!(outcome.stderr.lines().count(), 1);
}

#[test]
fn what_the_environment_lacks_ends_with_253_and_the_way_out() {
    let home = Home::new();
    home.run(&["list"]).refused(253, &["kmx: no region\n", "hint: name one with --region"]);
    home.run(&["list", "--region", "us-east-1"])
        .refused(253, &["kmx: no credentials\n", "\ntried: ", "\nhint: "]);
    home.file(".aws/config", "[profile other]\nregion = us-east-1\n");
    home.run(&["list", "--profile", "nope"])
        .refused(253, &["kmx: no profile named nope\n", "hint: there are: other"]);
    home.run(&["list", "--region", "us-east-1", "--ca-bundle", "nowhere.pem"])
        .refused(253, &["kmx: the CA bundle nowhere.pem cannot be used: "]);
    home.run(&["list", "--region", "us-east-1", "--endpoint-url", "http://kms.example"])
        .refused(253, &["unencrypted", "--allow-insecure-endpoint"]);
}

#[test]
fn a_connection_that_is_refused_ends_with_255() {
    let held = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let endpoint = format!("http://{}", held.local_addr().unwrap());
    drop(held);
    let home = Home::new();
    for subcommand in [&["list"][..], &[GENERATE, "--key-id", "x", "--key-spec", "AES_256"]] {
        let options = ["--region", "us-east-1", "--no-sign-request", "--endpoint-url", &endpoint];
        home.run(&[subcommand, &options].concat()).refused(255, &["kmx: could not connect to 127.0.0.1:"]);
    }
}

#[test]
fn an_endpoint_that_does_not_answer_in_time_ends_with_255() {
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let options = ["--region", "us-east-1", "--no-sign-request", "--endpoint-url", &endpoint];
    let outcome = Home::new().run(&[&["list", "--cli-read-timeout", "1"], &options[..]].concat());
    outcome.refused(255, &["did not answer in time", "--cli-read-timeout"]);
}

#[test]
fn a_store_that_another_process_has_open_ends_with_255_and_names_the_ways_out() {
    let home = Home::new();
    let held = LocalKms::open(StoreLocation::File(home.path("x.redb")), Options::default()).unwrap();
    home.demo(&["list"]).refused(255, &["is in use by another process", "kmx serve", "--demo-store"]);
    drop(held);
    assert_eq!(home.demo(&["list"]).code, 0);
}

#[test]
fn a_closed_pipe_is_success() {
    let home = Home::new();
    let demo = ["--demo", "--demo-store", "x.redb"];
    for arguments in
        [&["list", "--output", "json"][..], &["--help"], &["generate", "--generate-cli-skeleton"]]
    {
        let mut child = home
            .command(&[arguments, &demo].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{arguments:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_subcommand_as_a_shell_expects() {
    use std::os::unix::process::ExitStatusExt as _;

    let home = Home::new();
    for (name, number) in [("INT", 2), ("TERM", 15), ("HUP", 1)] {
        let (arrived, arrivals) = std::sync::mpsc::channel();
        let endpoint = Endpoint::new(move |_| {
            // The test has gone where nobody receives.
            let _ = arrived.send(());
            loop {
                std::thread::park();
            }
        });
        let mut child = home.command_on(&endpoint, &["list"]).spawn().unwrap();
        arrivals.recv_timeout(std::time::Duration::from_mins(1)).unwrap();
        let kill = format!("kill -{name} {}", child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().signal(), Some(number), "{name}");
    }
}

#[test]
fn a_request_goes_unsigned_where_that_is_asked_for() {
    let home = Home::new();
    let endpoint = Endpoint::recorder();
    let request = [GENERATE, "--key-id", "x", "--key-spec", "AES_256"];
    home.on(&endpoint, &request).json();
    let options = ["--no-sign-request", "--region", "us-east-1", "--endpoint-url", &endpoint.url];
    home.run(&[&request[..], &options].concat()).json();
    assert_eq!(endpoint.signed(), [true, false]);
}

#[test]
fn no_credential_is_in_what_is_said() {
    let endpoint = Endpoint::new(denied);
    let home = Home::new();
    let mut command = home.command_on(&endpoint, &["list"]);
    command.env("AWS_SECRET_ACCESS_KEY", "visible-secret").env("AWS_SESSION_TOKEN", "visible-token");
    let outcome = outcome(command);
    outcome.refused(254, &[]);
    assert!(!outcome.stderr.contains("visible"), "{}", outcome.stderr);
}

// ---------------------------------------------------------------- configuration, read-only, log

const KEY: [&str; 5] = [GENERATE, "--key-id", "alias/x", "--key-spec", "AES_256"];

#[test]
fn a_configuration_that_is_wrong_is_told_before_anything_else() {
    let home = Home::new();
    let path = home.file(".config/kmx/config.toml", "describe_rate = 200\n[profiles.p]\nred_only = true\n");
    let said =
        format!("kmx: `{path}`, line 3: unknown member `profiles.p.red_only`: did you mean `read_only`?\n");
    for arguments in [&["--demo"][..], &["list"], &KEY] {
        home.run(arguments).refused(252, &[&said, "hint: mend it, or name another with --config\n"]);
    }
    // What reads no configuration goes on without.
    assert_eq!(home.run(&[GENERATE, "--generate-cli-skeleton"]).code, 0);
    let good = home.file("good.toml", "cache = false");
    assert_eq!(home.demo(&["list", "--config", &good]).code, 0);
}

#[test]
fn a_configuration_that_was_named_has_to_be_there() {
    let home = Home::new();
    for arguments in [&["--demo"][..], &["list"], &KEY] {
        home.run(&[arguments, &["--config", "nowhere.toml"]].concat()).refused(
            255,
            &["kmx: the configuration cannot be used: cannot read `nowhere.toml`: ", "\nhint: name another"],
        );
    }
    assert_eq!(home.demo(&["list"]).code, 0, "none is needed");
}

#[test]
fn the_configuration_is_where_the_environment_has_such_files() {
    let home = Home::new();
    home.file("elsewhere/kmx/config.toml", "cache = 1");
    let mut command = home.command(&["list"]);
    command.env("XDG_CONFIG_HOME", home.path("elsewhere"));
    outcome(command).refused(252, &["elsewhere/kmx/config.toml`, line 1: `cache` must be true or false"]);
    // Nowhere to look for one: the demo has a file of its own here.
    let mut command = home.command(&["list", "--demo", "--demo-store", "x.redb"]);
    command.env("HOME", "/dev/null");
    assert_eq!(outcome(command).code, 0);
}

#[test]
fn a_rate_that_cannot_be_is_told_with_what_is_allowed() {
    let home = Home::new();
    for rate in ["10001", "-1", "1.5", "", "fast"] {
        home.run(&["list", &format!("--describe-rate={rate}")]).refused(252, &["kmx: --describe-rate: "]);
    }
    home.run(&["list", "--describe-rate", "fast"])
        .refused(252, &["`fast`: a whole number from 0 to 10000; 0 is as fast as the service lets\n"]);
    for rate in ["0", "10000"] {
        assert_eq!(home.demo(&["list", "--describe-rate", rate]).code, 0);
    }
}

#[test]
fn a_run_that_is_read_only_makes_no_data_key_and_opens_nothing() {
    let home = Home::new();
    let endpoint = Endpoint::recorder();
    for arguments in [[&KEY[..], &["--read-only"]].concat(), [&["--read-only"], &KEY[..]].concat()] {
        home.on(&endpoint, &arguments).refused(
            252,
            &[
                "kmx: no data key is made here: --read-only allows a dry run alone\n",
                "hint: add --dry-run, or leave --read-only out\n",
            ],
        );
        home.demo(&arguments).refused(252, &["--read-only allows a dry run alone"]);
    }
    assert!(endpoint.bodies(OPERATION).is_empty());
    assert!(!home.path("x.redb").exists());
    let dry = [GENERATE, "--key-id", ORDERS, "--key-spec", "AES_256", "--dry-run", "--read-only"];
    home.demo(&dry).refused(0, &["kmx: dry run: the request would have succeeded"]);
    assert!(home.demo(&["list", "--read-only"]).stdout.contains(ORDERS));
}

#[test]
fn a_profile_that_is_read_only_makes_no_data_key_whoever_named_it() {
    let home = Home::new();
    home.file(
        ".config/kmx/config.toml",
        "[profiles.prod]\nread_only = true\n[profiles.default]\nread_only = true",
    );
    home.file(".aws/config", "[default]\n[profile prod]\n[profile dev]\n");
    let keys = "aws_access_key_id = AKIDTEST\naws_secret_access_key = secret\n";
    home.file(
        ".aws/credentials",
        &["[default]\n", "[prod]\n", "[dev]\n"].map(|name| format!("{name}{keys}")).concat(),
    );
    let endpoint = Endpoint::recorder();
    let run = |arguments: &[&str], profile: Option<&str>| {
        let mut command = home.command(&[&KEY[..], arguments].concat());
        command.env("AWS_REGION", "us-east-1").env("AWS_ENDPOINT_URL_KMS", &endpoint.url);
        if let Some(profile) = profile {
            command.env("AWS_PROFILE", profile);
        }
        outcome(command)
    };
    for (arguments, profile, name) in [
        (&["--profile", "prod"][..], None, "prod"),
        (&["--profile", "prod"], Some("dev"), "prod"),
        (&[], Some("prod"), "prod"),
        (&[], None, "default"),
    ] {
        let said =
            format!("kmx: no data key is made here: read_only of profile {name} in the configuration allows");
        run(arguments, profile)
            .refused(252, &[&said, "hint: add --dry-run, or name another with --profile\n"]);
    }
    assert!(endpoint.bodies(OPERATION).is_empty());
    run(&["--profile", "dev"], Some("prod")).json();
    assert_eq!(endpoint.bodies(OPERATION).len(), 1);
    // The endpoint knows no dry run; what counts here is that it was asked.
    assert_eq!(run(&["--profile", "prod", "--dry-run"], None).code, 255);
    assert_eq!(endpoint.bodies(OPERATION)[1]["DryRun"], true);
}

#[test]
fn a_log_holds_no_context_no_token_no_secret_and_no_answer() {
    let home = Home::new();
    let path = home.path("kmx.log");
    let run = |endpoint: &Endpoint, level: &str| {
        let request = [
            &KEY[..],
            &["--encryption-context", "visible-name=visible-value", "--grant-tokens", "visible-token"],
            &["--log-file", "kmx.log", "--log-level", level],
        ];
        let mut command = home.command_on(endpoint, &request.concat());
        command.env("AWS_SECRET_ACCESS_KEY", "visible-secret").env("AWS_SESSION_TOKEN", "visible-session");
        outcome(command)
    };
    run(&Endpoint::recorder(), "trace").json();
    let first = std::fs::read_to_string(&path).unwrap();
    run(&Endpoint::new(denied), "trace").refused(254, &[]);
    let log = std::fs::read_to_string(&path).unwrap();
    assert!(log.starts_with(&first) && log.len() > first.len(), "it goes on at the end: {log}");
    for text in ["data key made", "no data key", "AccessDeniedException"] {
        assert!(log.contains(text), "no {text:?} in {log}");
    }
    for text in ["visible", "AKIDTEST", "b3BhcXVl", "alias/x", "aws_", "hyper", "is not authorized"] {
        assert!(!log.contains(text), "{text:?} is in {log}");
    }
    for line in log.lines() {
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(time.ends_with('Z') && time.parse::<jiff::Timestamp>().is_ok(), "{line}");
        assert!(rest.contains(" kmx::"), "{line}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    std::fs::remove_file(&path).unwrap();
    run(&Endpoint::recorder(), "error").json();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
}

#[test]
fn a_log_that_cannot_be_is_told_with_the_way_out() {
    let home = Home::new();
    for arguments in [&["--demo"][..], &["list"], &["serve"]] {
        home.run(&[arguments, &["--log-file", "no/such/folder/log"]].concat()).refused(
            255,
            &[
                "kmx: the log cannot be used: cannot write `no/such/folder/log`: ",
                "\nhint: see that its folder",
            ],
        );
        home.run(&[arguments, &["--log-level", "debug"]].concat()).refused(
            252,
            &["kmx: --log-level says how much goes to a log, and there is none: add --log-file"],
        );
    }
    home.run(&["list", "--log-file", "log", "--log-level", "loud"])
        .refused(252, &["kmx: --log-level: `loud` is none of error, warn, info, debug, trace\n"]);
    assert!(!home.path("log").exists());
}

#[test]
fn a_server_refuses_what_is_about_requests() {
    let home = Home::new();
    for option in [&["--read-only"][..], &["--no-cache"], &["--config", "x"], &["--describe-rate", "1"]] {
        let said = format!("kmx: {}: is about requests, and `kmx serve` answers them", option[0]);
        home.run(&[&["serve"], option].concat()).refused(252, &[&said]);
    }
}

// ---------------------------------------------------------------- describe

#[test]
fn a_key_is_told_with_all_that_can_be_read_about_it() {
    let home = Home::new();
    let told = home.demo(&["describe", "alias/payments/prod/card-vault", "--output", "json"]).json();
    let listed = home.demo(&["list", "prod/pan", "--output", "json"]).json();
    for (name, value) in listed["Keys"][0].as_object().unwrap() {
        assert_eq!(&told[name], value, "{name}");
    }
    let policy: Value = serde_json::from_str(told["Policy"]["Policy"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&told["Policy"]["PolicyName"], &policy["Version"]),
        (&json!("default"), &json!("2012-10-17"))
    );
    assert!(told["Tags"].as_array().unwrap().contains(&json!({"TagKey": "pci", "TagValue": "true"})));
    assert_eq!(told["Grants"][0]["Constraints"]["EncryptionContextSubset"], json!({"service": "card-vault"}));
    assert_eq!(told["Rotation"]["RotationPeriodInDays"], 90);
    let rotations = told["Rotation"]["Rotations"].as_array().unwrap();
    assert_eq!(rotations.last().unwrap()["KeyMaterialId"], told["CurrentKeyMaterialId"]);
    assert_eq!(told["LastUsage"]["KeyLastUsage"], json!({}));
    assert_eq!((told.get("PublicKey"), told.get("CustomKeyStore")), (None, None));
}

#[test]
fn only_what_a_key_can_have_is_told() {
    let home = Home::new();
    let signing = home.demo(&["describe", "alias/identity/prod/token-signing", "--output", "json"]).json();
    assert_eq!(signing["PublicKey"]["KeySpec"], "ECC_NIST_P256");
    assert_eq!(signing.get("Rotation"), None);
    let stored = home.demo(&["describe", "alias/people/prod/files", "--output", "json"]).json();
    assert_eq!(stored["CustomKeyStore"]["ConnectionState"], "DISCONNECTED");
    assert_eq!(stored.get("Rotation"), None);
}

#[test]
fn people_get_sections_with_what_the_key_can_and_cannot() {
    let home = Home::new();
    let signing = home.demo(&["describe", "alias/identity/prod/token-signing"]).stdout;
    for part in [
        "● Enabled\n",
        "Can           sign, verify, give its public key\n",
        "(its usage is sign/verify)",
        "\nPUBLIC KEY\n",
        "\n-----BEGIN PUBLIC KEY-----\n",
        "\nPOLICY\n{\n  \"Version\": ",
        "\nLAST USE\nnever",
    ] {
        assert!(signing.contains(part), "no {part:?} in {signing}");
    }
    let backups = home.demo(&["describe", "alias/backups/prod/databases"]).stdout;
    assert!(backups.contains("Replica       arn:aws:kms:eu-west-1:111122223333:key/mrk-0618"), "{backups}");
    let tape = home.demo(&["describe", "alias/backups/legacy/tape"]).stdout;
    assert!(tape.contains(", 30 days left\n"), "{tape}");
}

#[test]
fn a_key_that_nobody_knows_ends_with_254_and_the_way_out() {
    let home = Home::new();
    let said = "An error occurred (NotFoundException) when calling the DescribeKey operation: ";
    home.demo(&["describe", "alias/nope"]).refused(254, &[said, "\nhint: "]);
    home.demo(&["describe", "alias/ä"]).refused(252, &["kmx: KEY: "]);
}

#[test]
fn a_predefined_alias_without_a_key_is_not_described_and_stays_without() {
    let home = Home::new();
    let before = home.demo(&["list", "--output", "text"]).stdout.lines().count();
    home.demo(&["describe", "alias/aws/sns"]).refused(254, &["kmx: alias/aws/sns has no key yet\nhint: "]);
    assert_eq!(home.demo(&["list", "--output", "text"]).stdout.lines().count(), before);
    assert_eq!(home.demo(&["describe", "alias/aws/s3"]).code, 0);
}

/// A key that may be described, with an answer of choice to all else.
fn described(answer: impl Fn(&str) -> (u16, Value) + Send + Sync + 'static) -> Endpoint {
    Endpoint::new(move |operation| match operation {
        "DescribeKey" => {
            let metadata = json!({
                "KeyId": KEY_ID, "Arn": KEY_ARN, "KeyState": "Enabled", "KeySpec": "SYMMETRIC_DEFAULT",
                "KeyUsage": "ENCRYPT_DECRYPT", "Description": "\u{1b}[2J\u{202e}",
            });
            (200, json!({"KeyMetadata": metadata}))
        }
        other => answer(other),
    })
}

#[test]
fn parts_that_are_refused_say_so_in_their_place() {
    let home = Home::new();
    let endpoint = described(denied);
    let told = home.on(&endpoint, &["describe", "alias/x", "--output", "json"]).json();
    for part in ["Aliases", "Policy", "Tags", "Grants", "Rotation", "LastUsage"] {
        assert_eq!(told[part]["Error"]["Code"], "AccessDeniedException", "{part}");
    }
    // The alias goes to DescribeKey alone.
    assert_eq!(endpoint.bodies("DescribeKey"), [json!({"KeyId": "alias/x"})]);
    for operation in ["GetKeyPolicy", "ListResourceTags", "ListGrants", "GetKeyRotationStatus"] {
        assert_eq!(endpoint.bodies(operation)[0]["KeyId"], KEY_ARN, "{operation}");
    }
    let text = home.on(&endpoint, &["describe", KEY_ID]);
    assert_eq!(text.code, 0);
    assert_printable(&text.stdout);
    for part in [
        "\nGRANTS\nnot allowed: kms:ListGrants on ",
        "hint: the policy must name this action, on the key's ARN",
    ] {
        assert!(text.stdout.contains(part), "no {part:?} in {}", text.stdout);
    }
}

#[test]
fn a_status_of_rotation_is_told_where_its_history_is_refused() {
    let endpoint = described(|operation| match operation {
        "GetKeyRotationStatus" => (200, json!({"KeyRotationEnabled": true, "RotationPeriodInDays": 180})),
        other => denied(other),
    });
    let told = Home::new().on(&endpoint, &["describe", KEY_ARN, "--output", "json"]).json();
    assert_eq!(told["Rotation"]["RotationPeriodInDays"], 180);
    assert_eq!(told["Rotation"]["Rotations"]["Error"]["Code"], "AccessDeniedException");
}

#[test]
fn a_list_that_leads_round_or_nowhere_is_not_taken_for_whole() {
    let endpoint = described(|operation| match operation {
        "ListGrants" => (200, json!({"Grants": [{"GrantId": "a"}], "Truncated": true, "NextMarker": "m"})),
        "ListResourceTags" => (200, json!({"Tags": [], "Truncated": true})),
        other => denied(other),
    });
    let told = Home::new().on(&endpoint, &["describe", KEY_ARN, "--output", "json"]).json();
    for part in ["Grants", "Tags"] {
        let message = told[part]["Error"]["Message"].as_str().unwrap();
        assert!(message.contains("names no next page"), "{message}");
    }
    assert_eq!(endpoint.bodies("ListGrants").len(), 2);
}

#[test]
fn grants_beyond_a_page_are_all_told_each_once() {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let endpoint = described(move |operation| match operation {
        "ListGrants" => {
            let page = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let grants: Vec<Value> =
                (0..100).map(|at| json!({"GrantId": format!("{:064x}", page * 100 + at)})).collect();
            let mut answer = json!({"Grants": grants, "Truncated": page < 2});
            if page < 2 {
                answer["NextMarker"] = format!("page {}", page + 1).into();
            }
            (200, answer)
        }
        other => denied(other),
    });
    let told = Home::new().on(&endpoint, &["describe", KEY_ARN, "--output", "json"]).json();
    let ids: std::collections::BTreeSet<&str> =
        told["Grants"].as_array().unwrap().iter().map(|grant| grant["GrantId"].as_str().unwrap()).collect();
    assert_eq!((ids.len(), told["Grants"].as_array().unwrap().len()), (300, 300));
    let markers: Vec<Value> =
        endpoint.bodies("ListGrants").iter().map(|body| body["Marker"].clone()).collect();
    assert_eq!(markers, [Value::Null, json!("page 1"), json!("page 2")]);
}

// ---------------------------------------------------------------- help

#[test]
fn the_help_is_what_was_read_and_agreed() {
    let home = Home::new();
    for (name, arguments) in [
        ("help", &["--help"][..]),
        ("help_short", &["-h"]),
        ("help_list", &["list", "--help"]),
        ("help_describe", &["describe", "--help"]),
        ("help_serve", &["serve", "--help"]),
        ("help_generate", &["generate", "--help"]),
    ] {
        let outcome = home.run(arguments);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
        insta::assert_snapshot!(name, outcome.stdout);
    }
}

#[test]
fn the_version_is_told_everywhere() {
    let home = Home::new();
    let version = concat!("kmx ", env!("CARGO_PKG_VERSION"), "\n");
    for arguments in [&["--version"][..], &["-V"], &["list", "--version"], &[GENERATE, "-V"]] {
        assert_eq!(home.run(arguments).stdout, version, "{arguments:?}");
    }
}
