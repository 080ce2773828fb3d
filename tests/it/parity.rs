//! Flags and form, option by option: the same input is the same request, or the same problem.
//!
//! One definition stands behind both; these tests hold it that way. Where the two differ on
//! purpose, a test says so.

use kmx::app::form::{Focus, Form, SizeChoice};
use kmx::cli::{Reading, read_request};
use kmx::domain::request::{Parameter, Parameters, Problem};
use tui_input::Input;

/// What a person gives for one option, in the words of both.
struct Case {
    parameter: Parameter,
    flags: &'static [&'static str],
    fill: fn(&mut Form),
}

/// The request that every case adds to.
const KEY: &str = "alias/orders";

fn case(parameter: Parameter, flags: &'static [&'static str], fill: fn(&mut Form)) -> Case {
    Case { parameter, flags, fill }
}

fn read(flags: &[&str]) -> Reading {
    let arguments = ["kmx", "generate-data-key-without-plaintext"].iter().chain(flags);
    read_request(arguments.map(Into::into)).unwrap()
}

/// The flags of a case, with a key and a size where it gives none itself.
fn reading_of(case: &Case) -> Reading {
    let mut flags = case.flags.to_vec();
    if case.parameter != Parameter::KeyId {
        flags.extend(["--key-id", KEY]);
    }
    if !matches!(case.parameter, Parameter::KeySpec | Parameter::NumberOfBytes) {
        flags.extend(["--key-spec", "AES_256"]);
    }
    read(&flags)
}

/// The form of a case, filled in on the same key.
fn form_of(case: &Case) -> Form {
    let mut form = Form::on(KEY);
    (case.fill)(&mut form);
    form
}

fn paste(form: &mut Form, focus: Focus, text: &str) -> Result<(), String> {
    form.focus = focus;
    form.paste(text)
}

fn fill_in(form: &mut Form, focus: Focus, text: &str) {
    paste(form, focus, text).unwrap();
}

fn choose_bytes(form: &mut Form, count: &str) {
    form.size = SizeChoice::Bytes;
    fill_in(form, Focus::Bytes, count);
}

/// Input that both take.
fn good() -> Vec<Case> {
    use Parameter::{DryRun, EncryptionContext, GrantTokens, KeyId, KeySpec, NumberOfBytes};
    let context = |flags, fill| case(EncryptionContext, flags, fill);
    vec![
        case(KeyId, &["--key-id", "arn:aws:kms:us-east-1:111122223333:alias/x"], |form| {
            form.key = Input::default();
            fill_in(form, Focus::Key, "arn:aws:kms:us-east-1:111122223333:alias/x");
        }),
        context(&["--encryption-context", "a=1,b='x, y',c="], |form| {
            fill_in(form, Focus::Name(0), "a=1,b='x, y',c=");
        }),
        context(&["--encryption-context", r#"{"a b": "é🔑", "": "x\ny"}"#], |form| {
            fill_in(form, Focus::Name(0), r#"{"a b": "é🔑", "": "x\ny"}"#);
        }),
        context(&["--encryption-context", r#"{"tenant": "acme, inc=1 "}"#], |form| {
            fill_in(form, Focus::Name(0), "tenant");
            fill_in(form, Focus::Value(0), "acme, inc=1 ");
        }),
        context(&[], |_| ()),
        case(KeySpec, &["--key-spec", "AES_256"], |form| form.size = SizeChoice::Aes256),
        case(KeySpec, &["--key-spec", "AES_128"], |form| form.size = SizeChoice::Aes128),
        case(NumberOfBytes, &["--number-of-bytes", "1"], |form| choose_bytes(form, "1")),
        case(NumberOfBytes, &["--number-of-bytes", " 1024 "], |form| choose_bytes(form, " 1024 ")),
        case(GrantTokens, &["--grant-tokens", "t1", "t2"], |form| {
            fill_in(form, Focus::GrantTokens, " t1  t2 ");
        }),
        case(GrantTokens, &["--grant-tokens", r#"["t1"]"#], |form| {
            fill_in(form, Focus::GrantTokens, "t1");
        }),
        case(DryRun, &["--dry-run"], |form| form.dry_run = true),
        case(DryRun, &[], |form| form.dry_run = false),
    ]
}

/// Input that both refuse.
fn bad() -> Vec<Case> {
    use Parameter::{GrantTokens, KeyId, NumberOfBytes};
    vec![
        case(KeyId, &[], |form| form.key = Input::default()),
        case(KeyId, &["--key-id", ""], |form| form.key = Input::default()),
        case(KeyId, &["--key-id", "alias/é"], |form| form.key = Input::new("alias/é".to_owned())),
        case(NumberOfBytes, &["--number-of-bytes", "0"], |form| choose_bytes(form, "0")),
        case(NumberOfBytes, &["--number-of-bytes", "1025"], |form| choose_bytes(form, "1025")),
        case(NumberOfBytes, &["--number-of-bytes", "-1"], |form| choose_bytes(form, "-1")),
        case(NumberOfBytes, &["--number-of-bytes", "many"], |form| choose_bytes(form, "many")),
        case(NumberOfBytes, &["--number-of-bytes", ""], |form| choose_bytes(form, "")),
        case(NumberOfBytes, &["--number-of-bytes", "9223372036854775808"], |form| {
            choose_bytes(form, "9223372036854775808");
        }),
        case(
            GrantTokens,
            &["--grant-tokens", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"],
            |form| fill_in(form, Focus::GrantTokens, "1 2 3 4 5 6 7 8 9 10 11"),
        ),
        case(GrantTokens, &["--grant-tokens", "a\u{1b}b"], |form| {
            form.grant_tokens = Input::new("a\u{1b}b".to_owned());
        }),
    ]
}

/// A form cannot say "not a dry run", only leave the box empty; both mean the same.
fn meaning(parameters: &Parameters) -> Parameters {
    Parameters { dry_run: parameters.dry_run.filter(|dry_run| *dry_run), ..parameters.clone() }
}

#[test]
fn every_parameter_is_compared() {
    for parameter in Parameter::ALL {
        assert!(good().iter().any(|case| case.parameter == parameter), "{parameter:?}");
    }
}

#[test]
fn flags_and_form_say_the_same_request() {
    for case in good() {
        let (reading, form) = (reading_of(&case), form_of(&case));
        assert_eq!(meaning(&reading.parameters), form.parameters(), "{:?}", case.flags);
        assert_eq!(reading.problems, [], "{:?}", case.flags);
        // The form does not run an empty name, which flags send as the AWS CLI does.
        let empty_name = form.entries().any(|(_, name, _)| name.is_empty());
        if !empty_name {
            assert_eq!(reading.request().unwrap(), form.request().unwrap(), "{:?}", case.flags);
        }
    }
}

#[test]
fn flags_and_form_refuse_with_the_same_words() {
    for case in bad() {
        let told: Vec<Problem> = reading_of(&case).request().unwrap_err();
        let shown = form_of(&case).request().unwrap_err();
        let told_words: Vec<&str> = told.iter().map(|problem| problem.message.as_str()).collect();
        let shown_words: Vec<&str> = shown.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(told_words, shown_words, "{:?}", case.flags);
        assert!(told.iter().all(|problem| problem.parameter == case.parameter), "{told:?}");
    }
}

#[test]
fn a_context_that_is_none_is_refused_with_the_same_words() {
    for text in ["a=b,c", "a=1,a=2", r#"{"a":1}"#, "{", "a=b=\"c\"d", "é=x", "a==b"] {
        let told = read(&["--key-id", KEY, "--key-spec", "AES_256", "--encryption-context", text])
            .request()
            .unwrap_err();
        let shown = paste(&mut Form::on(KEY), Focus::Name(0), text).unwrap_err();
        assert_eq!(told, [Problem::new(Parameter::EncryptionContext, shown)], "{text}");
    }
}

#[test]
fn files_are_read_for_flags_and_never_for_a_form() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenant.txt");
    std::fs::write(&path, "acme").unwrap();
    let text = format!("tenant@=file://{}", path.display());
    let reading = read(&["--key-id", KEY, "--key-spec", "AES_256", "--encryption-context", &text]);
    let context = reading.parameters.encryption_context.unwrap();
    assert_eq!(context.get("tenant"), Some("acme"));
    let refused = paste(&mut Form::on(KEY), Focus::Name(0), &text).unwrap_err();
    assert!(refused.contains("files are read for command-line options only"), "{refused}");
}
