//! The AWS CLI's answers, row by row; our sentences; and writing as the inverse of reading.

use super::*;
use proptest::prelude::*;
use serde_json::Value;

/// What the AWS CLI made of texts, and what it made of texts chosen for its oddities.
const TABLES: [&str; 2] = [
    include_str!("../../../tests/data/aws-cli-encryption-context.jsonl"),
    include_str!("../../../tests/data/aws-cli-encryption-context-oddities.jsonl"),
];

fn read(text: &str) -> Result<EncryptionContext, ContextError> {
    parse(text, &mut refuse_references)
}

fn context<const N: usize>(pairs: [(&str, &str); N]) -> EncryptionContext {
    EncryptionContext::from_pairs(pairs).unwrap()
}

#[test]
fn every_text_means_here_what_it_means_to_the_aws_cli() {
    let mut rows = 0;
    for line in TABLES.iter().flat_map(|table| table.lines()) {
        let row: Value = serde_json::from_str(line).unwrap();
        let text = row["input"].as_str().unwrap();
        let expected = row.get("context").map(|map| {
            let pairs = map.as_object().unwrap().iter();
            EncryptionContext::from_pairs(pairs.map(|(name, value)| (name.as_str(), value.as_str().unwrap())))
                .unwrap()
        });
        assert!(expected.is_some() != row.get("error").is_some(), "{line}");
        assert_eq!(read(text).ok(), expected, "{line}");
        rows += 1;
    }
    assert!(rows > 260, "only {rows} rows");
}

/// A text, what is said of it, and the way out.
const REFUSALS: &[(&str, &str, &str)] = &[
    (" ", "the encryption context is empty", "write name=value, or leave the encryption context out"),
    (
        "é=b",
        "a name cannot contain `é` here, at character 1: `é=b`",
        r#"letters A-Z and a-z, digits and - _ . # / : are allowed; JSON takes any text: {"name":"value"}"#,
    ),
    (
        "my name=b",
        "a name cannot contain a space here, at character 3: ` name=b`",
        r#"letters A-Z and a-z, digits and - _ . # / : are allowed; JSON takes any text: {"name":"value"}"#,
    ),
    (
        " a=b",
        "a name cannot contain a space here, at character 1: ` a=b`",
        "leave out the blanks before the first name",
    ),
    (
        "a=1,,,b=2",
        "a name cannot contain `,` here, at character 6: `,b=2`",
        r"for a comma in a value write \, or put the value in quotes",
    ),
    (
        "a",
        "no `=` after the name `a`, at the end, after `a`",
        r"write a=value; for a comma in a value write \, or put the value in quotes",
    ),
    (
        "a=b,",
        "no entry after the last comma, at the end, after `a=b,`",
        "take the comma away, or write name=value after it",
    ),
    (
        "a=v\"w\"",
        "the value of `a` cannot contain `\"` without quotes, at character 4: `\"w\"`",
        r#"put the value in quotes, a='…'; JSON takes any text: {"name":"value"}"#,
    ),
    (
        "a=v]",
        "the value of `a` cannot contain `]` without quotes, at character 4: `]`",
        r#"put the value in quotes, a="…"; JSON takes any text: {"name":"value"}"#,
    ),
    (
        "a='v'w",
        "no comma after the quoted value of `a`, at character 6: `w`",
        r"put the whole value in quotes, and a \ before a quote inside it",
    ),
    (
        "é🔑=1",
        "a name cannot contain `é` here, at character 1: `é🔑=1`",
        r#"letters A-Z and a-z, digits and - _ . # / : are allowed; JSON takes any text: {"name":"value"}"#,
    ),
    (
        "k=é🔑",
        "the value of `k` cannot contain `🔑` without quotes, at character 4: `🔑`",
        r#"put the value in quotes, k="…"; JSON takes any text: {"name":"value"}"#,
    ),
    (
        "a=\"b",
        "the value of `a` opens a quote that is not closed, at character 3: `\"b`",
        "close it, or put the whole value in quotes of the other kind",
    ),
    (
        "a=b,c",
        "the value of `a` reads as a list, at character 5: `c`",
        r#"a value is one text: write \, for a comma, or put the value in quotes, a="…""#,
    ),
    (
        "a={x=y}",
        "the value of `a` reads as a map, at character 3: `{x=y}`",
        r#"a value is one text: put it in quotes, a="…""#,
    ),
    ("a=1,b=2,a=3", "the name `a` is given twice, at character 9: `a=3`", "each name can have one value"),
    (
        "a@=fileb:///x",
        "the value of `a` must be text, and `fileb://` reads bytes, at character 4: `fileb:///x`",
        "use a@=file://… for a file that is text",
    ),
    (
        "a@=file:///x",
        "cannot read the value of `a`: files are read for command-line options only, at character 4: `file:///x`",
        "write the value itself, a=value",
    ),
    (
        "{\"é\":1.50}",
        "the value of `é` must be text and is a number, at character 6: `1.50}`",
        "write \"1.50\"",
    ),
    (
        "{\"b\":\"{\\\"a\\\":0}\", \"a\": [1]}",
        "the value of `a` must be text and is a list, at character 24: `[1]}`",
        "write a string, \"…\"",
    ),
    (
        "{\"a\":\n\"é\" x}",
        "not valid JSON: expected `,` or `}`, at character 11: `x}`",
        "write {\"name\":\"value\"}, or name=value",
    ),
    (
        "{\"a\":\"b\"",
        "not valid JSON: it ends too soon, at the end, after `{\"a\":\"b\"`",
        "write {\"name\":\"value\"}, or name=value",
    ),
    ("[\"a\"]", "a JSON list is not an encryption context", "write a map, {\"name\":\"value\"}"),
];

#[test]
fn every_refusal_says_what_where_and_the_way_out() {
    for (text, message, hint) in REFUSALS {
        let error = read(text).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.hint().as_str()), (*message, *hint), "{text}");
    }
}

#[test]
fn a_place_shows_a_few_characters_of_a_long_text() {
    let text = format!("{}=1,é=2,{}", "n".repeat(100), "x".repeat(100));
    let error = read(&text).unwrap_err();
    let place = error.place().unwrap();
    assert_eq!(place.character, 104);
    assert_eq!(place.before, "nnnnnnnnnnnnn=1,");
    assert_eq!(place.after, "é=2,xxxxxxxxxxxx");
}

#[test]
fn an_at_sign_before_the_equals_sign_reads_what_is_referred_to_and_takes_other_text_as_it_is() {
    let mut asked = Vec::new();
    let read = parse("a@=file://x y , b=file://z,c@='file://q,r',d@=plain", &mut |reference: &str| {
        asked.push(reference.to_owned());
        Ok(format!("content of {reference}"))
    });
    let expected = context([
        ("a", "content of file://x y"),
        ("b", "file://z"),
        ("c", "content of file://q,r"),
        ("d", "plain"),
    ]);
    assert_eq!(read, Ok(expected));
    assert_eq!(asked, ["file://x y", "file://q,r"]);
}

#[test]
fn no_file_is_read_for_a_text_that_is_refused() {
    let mut asked = 0;
    let read = parse("a@=file://x,b=[c", &mut |_: &str| {
        asked += 1;
        Ok(String::new())
    });
    assert!(read.is_err());
    assert_eq!(asked, 0);
}

#[test]
fn what_a_file_holds_is_not_read_as_shorthand() {
    let read = parse("a@=file://x", &mut |_: &str| Ok("b,c=\"d\n".to_owned()));
    assert_eq!(read, Ok(context([("a", "b,c=\"d\n")])));
}

#[test]
fn a_context_compares_as_a_map_where_order_does_not_count() {
    let one = context([("a", "1"), ("b", "2")]);
    let other = context([("b", "2"), ("a", "1")]);
    assert_ne!(one, other);
    assert!(one.same_as(&other));
    assert!(!one.same_as(&context([("a", "1"), ("b", "3")])));
    assert!(!one.same_as(&context([("a", "1")])));
    assert!(!context([("a", "1")]).same_as(&one));
    assert!(!one.same_as(&context([("A", "1"), ("b", "2")])));
}

#[test]
fn a_name_that_is_there_is_not_taken_again() {
    let mut entries = EncryptionContext::new();
    entries.insert("a", "1").unwrap();
    entries.insert("A", "2").unwrap();
    assert_eq!(entries.insert("a", "3"), Err(DuplicateName("a".to_owned())));
    assert_eq!(entries, context([("a", "1"), ("A", "2")]));
    assert_eq!(
        EncryptionContext::from_pairs([("x", "1"), ("y", "2"), ("x", "3"), ("y", "4")]),
        Err(DuplicateName("x".to_owned()))
    );
    assert_eq!(entries.get("A"), Some("2"));
    assert_eq!(entries.get("b"), None);
    assert_eq!((entries.len(), entries.is_empty()), (2, false));
}

#[test]
fn shorthand_is_written_as_plainly_as_it_can_be() {
    for (value, expected) in [
        ("", "n="),
        ("plain text", "n=plain text"),
        ("a=b", "n=a=b"),
        ("a,b", "n=\"a,b\""),
        (" a", "n=\" a\""),
        ("a ", "n=\"a \""),
        ("\u{a0}a\u{a0}", "n=\"\u{a0}a\u{a0}\""),
        ("=a", "n=\"=a\""),
        ("[a]", "n=\"[a]\""),
        ("it's", "n=\"it's\""),
        ("say \"it\"", "n='say \"it\"'"),
        ("\"it's\"", "n=\"\\\"it's\\\"\""),
        ("🔑", "n=\"🔑\""),
        ("c:\\d", "n=c:\\d"),
    ] {
        let written = to_shorthand(&context([("n", value)]));
        assert_eq!(written.as_deref(), Some(expected), "{value:?}");
    }
}

#[test]
fn a_backslash_at_the_end_of_a_value_does_not_escape_the_comma_after_it() {
    for entries in [
        context([("a", "b\\"), ("c", "d")]),
        context([("a", "b,\\"), ("c", "d")]),
        context([("a", "x]\\"), ("c", "d")]),
        context([("a", "x]\\"), ("c", "d,e")]),
        context([("a", "b\\")]),
        context([("a", "x]\\")]),
    ] {
        let written = to_shorthand(&entries).unwrap();
        assert_eq!(read(&written), Ok(entries), "{written}");
    }
    // Either quote would find a partner further on.
    let entries = context([("a", "x]\\"), ("b", "'\""), ("c", "\"]'")]);
    assert_eq!(to_shorthand(&entries), None);
}

#[test]
fn shorthand_is_not_written_where_only_json_can_say_it() {
    assert_eq!(to_shorthand(&EncryptionContext::new()), None);
    assert_eq!(to_shorthand(&context([("é", "1")])), None);
    assert_eq!(to_shorthand(&context([("a b", "1")])), None);
    // The AWS CLI would read the file `y=1`.
    assert_eq!(to_shorthand(&context([("file://y", "1")])), None);
    assert!(to_shorthand(&context([("a", "1"), ("file://y", "1")])).is_some());
}

#[test]
fn json_keeps_the_order_and_any_text() {
    let entries = context([("é \"", "🔑\n"), ("", ""), ("a", "\u{0}")]);
    assert_eq!(to_json(&entries), r#"{"é \"":"🔑\n","":"","a":"\u0000"}"#);
    assert_eq!(to_json(&EncryptionContext::new()), "{}");
}

/// Texts in which the characters that mean something are frequent.
fn tricky_text(length: usize) -> impl Strategy<Value = String> {
    let character = prop_oneof![
        4 => prop::sample::select("ab=,\\\"'[]{}@ \n\t\u{1c}\u{a0}:#é🔑".chars().collect::<Vec<_>>()),
        1 => any::<char>(),
    ];
    prop::collection::vec(character, 0..=length).prop_map(|text| text.into_iter().collect())
}

fn any_context() -> impl Strategy<Value = EncryptionContext> {
    let name = prop_oneof![3 => "[a-d:/.#_-]{0,2}", 1 => tricky_text(3)];
    prop::collection::vec((name, tricky_text(6)), 0..5).prop_map(|pairs| {
        let mut entries = EncryptionContext::new();
        for (name, value) in pairs {
            let _ = entries.insert(name, value);
        }
        entries
    })
}

proptest! {
    #[test]
    fn what_shorthand_can_express_reads_back_the_same(entries in any_context()) {
        if let Some(text) = to_shorthand(&entries) {
            prop_assert_eq!(read(&text), Ok(entries), "{}", text);
        }
    }

    #[test]
    fn json_reads_back_the_same(entries in any_context()) {
        prop_assert_eq!(read(&to_json(&entries)), Ok(entries));
    }

    #[test]
    fn any_text_is_read_or_refused_with_a_place_inside_it(text in tricky_text(24)) {
        for text in [format!("a={text}"), format!("{{\"a\":{text}"), text] {
            if let Err(error) = read(&text) {
                prop_assert!(!error.to_string().is_empty() && !error.hint().is_empty());
                if let Some(place) = error.place() {
                    prop_assert!(place.character <= text.chars().count() + 1);
                    let excerpt = format!("{}{}", place.before, place.after);
                    prop_assert!(text.contains(&excerpt));
                }
            }
        }
    }
}
