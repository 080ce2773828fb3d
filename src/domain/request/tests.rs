use super::*;
use crate::domain::place::Place;

fn parameters() -> Parameters {
    Parameters {
        key_id: Some("alias/demo/orders".into()),
        key_spec: Some("AES_256".into()),
        ..Parameters::default()
    }
}

#[test]
fn each_violation_names_its_parameter_and_what_is_allowed() {
    type Change = fn(&mut Parameters);
    let cases: Vec<(Change, Vec<(Parameter, &str)>)> = vec![
        (
            |p| p.key_id = None,
            vec![(Parameter::KeyId, "name a key: its id, its ARN, an alias (alias/…) or an alias ARN")],
        ),
        (
            |p| p.key_id = Some("キー".into()),
            vec![(Parameter::KeyId, "`キ` cannot be in a key's identifier: printable ASCII characters only")],
        ),
        (
            |p| p.key_id = Some("a\u{1b}".into()),
            vec![(Parameter::KeyId, "`␛` cannot be in a key's identifier: printable ASCII characters only")],
        ),
        (
            |p| p.key_id = Some("a".repeat(2049)),
            vec![(Parameter::KeyId, "2049 characters: an identifier has 1 to 2048")],
        ),
        (
            |p| p.key_spec = Some("AES_192".into()),
            vec![(
                Parameter::KeySpec,
                "`AES_192` is no data key spec: AES_256 or AES_128, else give a number of bytes",
            )],
        ),
        (
            |p| p.key_spec = None,
            vec![(
                Parameter::KeySpec,
                "give a key spec (AES_256 or AES_128) or a number of bytes (1 to 1024)",
            )],
        ),
        (
            |p| p.number_of_bytes = Some(16),
            vec![(Parameter::NumberOfBytes, "give a key spec or a number of bytes, not both")],
        ),
        (
            |p| {
                p.key_spec = None;
                p.number_of_bytes = Some(1025);
            },
            vec![(Parameter::NumberOfBytes, "1025: a data key has 1 to 1024 bytes")],
        ),
        (
            |p| {
                p.key_spec = None;
                p.number_of_bytes = Some(0);
                p.grant_tokens = Some(vec!["t".into(); 11]);
                p.key_id = Some(String::new());
            },
            vec![
                (Parameter::KeyId, "name a key: its id, its ARN, an alias (alias/…) or an alias ARN"),
                (Parameter::NumberOfBytes, "0: a data key has 1 to 1024 bytes"),
                (Parameter::GrantTokens, "11 grant tokens: at most 10"),
            ],
        ),
        (
            |p| p.grant_tokens = Some(vec![String::new()]),
            vec![(Parameter::GrantTokens, "an empty grant token: leave it out")],
        ),
        (
            |p| p.grant_tokens = Some(vec!["x".repeat(8193)]),
            vec![(Parameter::GrantTokens, "a grant token of 8193 characters: at most 8192")],
        ),
    ];
    for (change, expected) in cases {
        let mut given = parameters();
        change(&mut given);
        let found = given.check().unwrap_err();
        let found: Vec<_> = found.iter().map(|p| (p.parameter, p.message.as_str())).collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn the_limits_themselves_are_allowed() {
    for (key_id, bytes, tokens) in [("x".to_owned(), 1, 0), ("x".repeat(2048), 1024, 10)] {
        let given = Parameters {
            key_id: Some(key_id),
            number_of_bytes: Some(bytes),
            grant_tokens: Some(vec!["t".repeat(8192); tokens]),
            ..Parameters::default()
        };
        let request = given.check().unwrap();
        assert_eq!(i64::from(request.size.bytes()), bytes);
    }
}

#[test]
fn json_is_read_member_by_member_and_refused_in_words() {
    let read = Parameters::from_json(
        r#"{"KeyId": "k", "EncryptionContext": {"b": "2", "a": "1"}, "NumberOfBytes": 24,
            "GrantTokens": ["t"], "DryRun": true}"#,
    )
    .unwrap();
    assert_eq!(
        read,
        Parameters {
            key_id: Some("k".into()),
            encryption_context: Some(EncryptionContext::from_pairs([("b", "2"), ("a", "1")]).unwrap()),
            key_spec: None,
            number_of_bytes: Some(24),
            grant_tokens: Some(vec!["t".into()]),
            dry_run: Some(true),
        }
    );
    for (text, words) in [
        (r#"{"KeyId":"#, "not valid JSON: EOF while parsing a value at line 1 column 9"),
        (
            "[1]",
            "expected a JSON object with KeyId, EncryptionContext, KeySpec, NumberOfBytes, GrantTokens, DryRun, not a list",
        ),
        (
            r#"{"Foo": 1}"#,
            "unknown member `Foo`: must be one of KeyId, EncryptionContext, KeySpec, NumberOfBytes, GrantTokens, DryRun",
        ),
        (r#"{"KeyId": 1}"#, "`KeyId` must be text, not a number"),
        (
            r#"{"EncryptionContext": {"a": 1}}"#,
            "`EncryptionContext.a` must be text, not a number: write \"1\"",
        ),
        (r#"{"EncryptionContext": []}"#, "`EncryptionContext` must be an object of texts, not a list"),
        (r#"{"NumberOfBytes": 1.5}"#, "`NumberOfBytes` must be a whole number, not a number"),
        (r#"{"GrantTokens": [1]}"#, "`GrantTokens` must be a list of texts"),
        (r#"{"DryRun": "yes"}"#, "`DryRun` must be true or false, not text"),
    ] {
        assert_eq!(Parameters::from_json(text).unwrap_err(), words, "{text}");
    }
}

#[test]
fn what_is_given_first_wins_member_by_member() {
    let flags = Parameters { number_of_bytes: Some(16), ..Parameters::default() };
    let json = Parameters::from_json(r#"{"KeyId": "k", "KeySpec": "AES_128", "NumberOfBytes": 8}"#).unwrap();
    let both = flags.or(json);
    assert_eq!(both.number_of_bytes, Some(16));
    assert_eq!(both.key_spec.as_deref(), Some("AES_128"));
    assert_eq!(both.check().unwrap_err()[0].parameter, Parameter::NumberOfBytes);
}

#[test]
fn the_skeleton_runs_once_a_key_is_filled_in() {
    let mut document = skeleton();
    document["KeyId"] = "alias/demo/orders".into();
    let request = Parameters::from_json(&document.to_string()).unwrap().check().unwrap();
    assert_eq!(request.size, DataKeySize::Spec(DataKeySpec::Aes256));
    assert!(!request.dry_run && request.encryption_context.is_empty());
}

#[test]
fn the_body_has_exactly_what_goes_out() {
    let request = Parameters {
        encryption_context: Some(EncryptionContext::from_pairs([("tenant", "42")]).unwrap()),
        ..parameters()
    }
    .check()
    .unwrap();
    assert_eq!(
        request.to_json().to_string(),
        r#"{"KeyId":"alias/demo/orders","EncryptionContext":{"tenant":"42"},"KeySpec":"AES_256"}"#
    );
}

#[test]
fn the_command_is_quoted_for_the_shell_and_names_the_place() {
    let request = Parameters {
        key_id: Some("-odd key's".into()),
        encryption_context: Some(
            EncryptionContext::from_pairs([("tenant", "a b"), ("purpose", "x")]).unwrap(),
        ),
        key_spec: None,
        number_of_bytes: Some(24),
        grant_tokens: Some(vec!["AQ==".into(), "b+/=".into()]),
        dry_run: Some(true),
    }
    .check()
    .unwrap();
    let place = Place::aws(Some("ops".into()), Some("eu-west-1".into()), None);
    let command = aws_command(&request, &place, Breaks::None);
    let words = shlex::split(&command).unwrap();
    assert_eq!(words[..4], ["aws", "kms", "generate-data-key-without-plaintext", "--key-id=-odd key's"]);
    assert_eq!(words[4], "--encryption-context");
    let context = crate::domain::context::parse(&words[5], &mut |_| Err(String::new())).unwrap();
    assert!(context.same_as(&request.encryption_context));
    assert_eq!(
        words[6..],
        [
            "--number-of-bytes",
            "24",
            "--grant-tokens",
            "AQ==",
            "b+/=",
            "--dry-run",
            "--profile",
            "ops",
            "--region",
            "eu-west-1"
        ]
    );
    let lines = aws_command(&request, &place, Breaks::Lines);
    assert_eq!(shlex::split(&lines.replace("\\\n", "")).unwrap(), words);
}

#[test]
fn a_command_asks_the_same_place_from_another_shell() {
    let request = parameters().check().unwrap();
    let words = |place: &Place| {
        let words = shlex::split(&aws_command(&request, place, Breaks::None)).unwrap();
        let at = words.iter().position(|word| word == "--region").unwrap();
        (words.contains(&"--profile".to_owned()), words[at + 2..].join(" "))
    };
    let named = |url: &str| Place::aws(None, Some("eu-west-1".into()), Some(url.into()));
    let mut configured = Place::aws(None, Some("eu-west-1".into()), None);
    configured.profile = Some("of-the-environment".into());
    assert_eq!(words(&configured), (false, String::new()));
    configured.endpoint_url = Some("https://kms.eu-west-1.api.aws".into());
    assert_eq!(words(&configured), (false, String::new()), "AWS's own, not asked for");
    configured.endpoint_url = Some("http://127.0.0.1:5000".into());
    assert_eq!(words(&configured), (false, "--endpoint-url http://127.0.0.1:5000".into()));
    let mut place = named("https://kms.eu-west-1.api.aws");
    assert_eq!(words(&place).1, "--endpoint-url https://kms.eu-west-1.api.aws");
    place.ca_bundle = Some("/etc/ca.pem".into());
    place.credentials = Some("unsigned".into());
    assert_eq!(
        words(&place).1,
        "--endpoint-url https://kms.eu-west-1.api.aws --ca-bundle /etc/ca.pem --no-sign-request"
    );
}

#[test]
fn a_command_never_holds_what_a_terminal_would_obey() {
    let request = Parameters {
        encryption_context: Some(
            EncryptionContext::from_pairs([("a", "\u{1b}]52;c;x\u{7}"), ("b", "\u{202e}")]).unwrap(),
        ),
        grant_tokens: Some(vec!["[a]".into(), "file://x".into()]),
        ..parameters()
    }
    .check()
    .unwrap();
    let command = aws_command(&request, &Place::local("us-east-1"), Breaks::None);
    assert!(!command.chars().any(is_hidden), "{command:?}");
    let words = shlex::split(&command).unwrap();
    let at = words.iter().position(|word| word == "--encryption-context").unwrap();
    let context = crate::domain::context::parse(&words[at + 1], &mut |_| Err(String::new())).unwrap();
    assert!(context.same_as(&request.encryption_context));
    assert!(words.contains(&r#"["[a]","file://x"]"#.to_owned()), "{words:?}");
}
