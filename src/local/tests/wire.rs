//! The protocol below the operations.

use proptest::prelude::*;

use super::*;

/// The status and the answer; null where the body is empty.
fn handle(kms: &LocalKms, request: &Request) -> (u16, Value) {
    let response = kms.front.service.handle(request);
    (response.status, if response.body.is_empty() { Value::Null } else { json(&response) })
}

#[test]
fn targets_that_kms_does_not_know_are_unknown_and_those_that_it_knows_are_unsupported() {
    let kms = demo();
    for target in [
        None,
        Some("TrentService.FryEggs"),
        Some("TrentService."),
        Some("DynamoDB_20120810.ListTables"),
        Some("listkeys"),
    ] {
        let mut asked = request("ListKeys", "{}");
        asked.target = target.map(str::to_owned);
        let (status, answer) = handle(&kms, &asked);
        assert_eq!(status, 400);
        assert_eq!(answer["__type"], "UnknownOperationException", "{target:?}");
    }
    let (status, answer) = handle(&kms, &request("ReplicateKey", "{}"));
    assert_eq!(status, 400);
    assert_eq!(answer["__type"], "UnsupportedOperationException");
}

#[test]
fn a_request_without_a_signature_is_refused() {
    let kms = demo();
    let mut asked = request("ListKeys", "{}");
    asked.authorization = None;
    let (status, answer) = handle(&kms, &asked);
    assert_eq!(status, 400);
    assert_eq!(answer["__type"], "MissingAuthenticationTokenException");
    assert_eq!(answer["message"], "Missing Authentication Token");
    for (header, code) in [
        ("Basic YTpi", "IncompleteSignatureException"),
        ("AWS4-HMAC-SHA256 Credential=AKID/20261124/us-east-1, Signature=0", "IncompleteSignatureException"),
        (
            "AWS4-HMAC-SHA256 Credential=AKID/20261124//kms/aws4_request, Signature=0",
            "IncompleteSignatureException",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=AKID/20261124/us-east-1/s3/aws4_request, Signature=0",
            "InvalidSignatureException",
        ),
    ] {
        asked.authorization = Some(header.to_owned());
        assert_eq!(handle(&kms, &asked).1["__type"], code, "{header}");
    }
}

#[test]
fn a_credential_scope_is_found_whatever_the_spacing() {
    for header in [
        "AWS4-HMAC-SHA256 Credential=AKID/20261124/eu-west-1/kms/aws4_request,SignedHeaders=host",
        "AWS4-HMAC-SHA256 SignedHeaders=host, Credential=AKID/20261124/eu-west-1/kms/aws4_request",
    ] {
        let mut asked = request("ListKeys", "{}");
        asked.authorization = Some(header.to_owned());
        assert_eq!(asked.region().unwrap(), "eu-west-1");
    }
}

#[test]
fn bodies_that_are_no_json_object_or_have_wrong_types_are_serialization_errors() {
    let kms = demo();
    for body in [
        "",
        "{",
        "null",
        "[]",
        "\"text\"",
        r#"{"KeyId": 7}"#,
        r#"{"KeyId": ["x"]}"#,
        r#"{"KeyId": "x", "NumberOfBytes": "32"}"#,
        r#"{"KeyId": "x", "NumberOfBytes": 1.5}"#,
        r#"{"KeyId": "x", "NumberOfBytes": 4294967296}"#,
        r#"{"KeyId": "x", "DryRun": "yes"}"#,
        r#"{"KeyId": "x", "EncryptionContext": []}"#,
        r#"{"KeyId": "x", "EncryptionContext": {"a": {}}}"#,
        r#"{"KeyId": "x", "EncryptionContext": {"a": ["b", "c"]}}"#,
        r#"{"KeyId": "x", "GrantTokens": "token"}"#,
        r#"{"KeyId": "x", "GrantTokens": [1]}"#,
        r#"{"KeyId": "x", "KeySpec": 256}"#,
    ] {
        let (status, answer) = handle(&kms, &request("GenerateDataKeyWithoutPlaintext", body));
        assert_eq!(status, 400, "{body}");
        assert_eq!(answer["__type"], "SerializationException", "{body}");
    }
    for body in [r#"{"CiphertextBlob": "not Base64!"}"#, r#"{"CiphertextBlob": 1}"#] {
        let (_, answer) = handle(&kms, &request("Decrypt", body));
        assert_eq!(answer["__type"], "SerializationException", "{body}");
    }
}

#[test]
fn bodies_that_are_too_deep_or_very_long_are_answered() {
    let kms = demo();
    for operation in operations() {
        // The longest body that a socket takes, once.
        let size = if operation == "DescribeKey" { 1 << 20 } else { 1 << 14 };
        for deep in
            ["[".repeat(size), r#"{"KeyId":"#.repeat(size / 9), format!(r#"{{"x":{}"#, "[".repeat(200))]
        {
            let (status, answer) = handle(&kms, &request(operation, deep));
            assert_eq!(status, 400);
            assert_eq!(answer["__type"], "SerializationException", "{operation}");
        }
        let long = "a".repeat(size);
        for body in [
            format!(r#"{{"{long}":1}}"#),
            format!(r#"{{"KeyId":"{long}","Limit":1}}"#),
            format!(r#"{{{}"Limit":1}}"#, r#""x":1,"#.repeat(size / 6)),
            format!(r#"{{"x":{}1{},"Limit":1}}"#, "[".repeat(64), "]".repeat(64)),
        ] {
            let (status, answer) = handle(&kms, &request(operation, body));
            assert!(matches!(status, 200 | 400), "{operation} {status}");
            assert!(status == 200 || answer["__type"].is_string(), "{operation}");
        }
    }
}

#[test]
fn a_request_is_answered_without_a_transport() {
    let kms = demo();
    let asked = request("ListKeys", r#"{"Limit":1}"#);
    let body = asked.body.to_vec();
    let answer = kms.handle("TrentService.ListKeys", asked.authorization.as_deref(), body.clone());
    assert_eq!(answer.status, 200);
    assert_eq!(json(&answer)["Keys"].as_array().unwrap().len(), 1);
    assert_eq!(kms.handle("TrentService.ListKeys", None, body).status, 400);
    assert!(operations().any(|name| name == "ListKeys"));
}

#[test]
fn a_body_that_is_no_utf_8_is_a_serialization_error() {
    let (_, answer) = handle(&demo(), &request("ListKeys", vec![b'{', 0xff, b'}']));
    assert_eq!(answer["__type"], "SerializationException");
}

#[test]
fn unknown_members_are_ignored() {
    let answer = answer(&demo(), "ListKeys", r#"{"Limit": 1, "Colour": "red"}"#);
    assert_eq!(answer["Keys"].as_array().unwrap().len(), 1);
}

#[test]
fn only_two_errors_spell_their_message_with_a_capital() {
    let kms = demo();
    let (_, denied) = handle(
        &kms,
        &request("GenerateDataKeyWithoutPlaintext", r#"{"KeyId": "alias/aws/s3", "KeySpec": "AES_256"}"#),
    );
    assert!(denied["Message"].is_string(), "{denied}");
    assert_eq!(denied.get("message"), None);
    let (_, mistyped) = handle(&kms, &request("DescribeKey", r#"{"KeyId": 1}"#));
    assert!(mistyped["Message"].is_string(), "{mistyped}");
    let (_, absent) = handle(&kms, &request("DescribeKey", r#"{"KeyId": "x"}"#));
    assert!(absent["message"].is_string(), "{absent}");
}

#[test]
fn regions_of_other_partitions_have_their_arns() {
    for (region, arn) in [
        ("cn-north-1", "arn:aws-cn:kms:cn-north-1:111122223333:key/x"),
        ("us-gov-west-1", "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/x"),
        ("us-isob-east-1", "arn:aws-iso-b:kms:us-isob-east-1:111122223333:key/x"),
        ("us-iso-east-1", "arn:aws-iso:kms:us-iso-east-1:111122223333:key/x"),
        ("eusc-de-east-1", "arn:aws-eusc:kms:eusc-de-east-1:111122223333:key/x"),
        ("eu-west-1", "arn:aws:kms:eu-west-1:111122223333:key/x"),
    ] {
        assert_eq!(identifier::Place::new(region).key_arn("x"), arn);
    }
}

#[tokio::test]
async fn every_answer_says_its_content_type() {
    use aws_sdk_kms::config::http::HttpResponse;
    let error: SdkError<_, HttpResponse> =
        client(&demo()).describe_key().key_id("x").send().await.unwrap_err();
    let headers = error.raw_response().unwrap().headers();
    assert_eq!(headers.get("content-type"), Some("application/x-amz-json-1.1"));
}

/// JSON of any shape, its members those that operations read.
fn any_body() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..2000_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        "(alias/[a-z/]{0,12}|arn:[a-z0-9:/-]{0,60}|[0-9a-f-]{36}|TE9DQUxLTVMB[A-Za-z0-9+/]{0,80})"
            .prop_map(Value::from),
        Just(Value::from("alias/demo/orders")),
        Just(Value::from("AES_256")),
    ];
    let value = leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(".{0,6}", inner, 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    });
    let member = prop::sample::select(vec![
        "KeyId",
        "EncryptionContext",
        "KeySpec",
        "NumberOfBytes",
        "GrantTokens",
        "DryRun",
        "DryRunModifiers",
        "CiphertextBlob",
        "EncryptionAlgorithm",
        "Recipient",
        "Limit",
        "Marker",
    ]);
    proptest::collection::btree_map(member, value, 0..6).prop_map(|members| {
        Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    })
}

#[test]
fn whatever_is_asked_gets_an_answer_in_json_and_no_internal_error() {
    let kms = demo();
    let operations = prop::sample::select(operations().collect::<Vec<_>>());
    proptest!(ProptestConfig::with_cases(2000), |(operation in operations, body in any_body())| {
        let (status, answer) = handle(&kms, &request(operation, body.to_string()));
        prop_assert!(matches!(status, 200 | 400), "{}", status);
        prop_assert!(answer.is_object() || (status == 200 && answer.is_null()));
    });
    proptest!(|(body in proptest::collection::vec(any::<u8>(), 0..200))| {
        let response = kms.front.service.handle(&request("Decrypt", body));
        prop_assert_eq!(response.status, 400);
    });
}

#[test]
fn a_request_with_ever_so_many_mistakes_gets_an_answer_of_reasonable_size() {
    let kms = demo();
    let tags = vec!["{}"; 300_000].join(",");
    let tokens = vec!["\"\""; 300_000].join(",");
    let long = "\u{e9}".repeat(400_000);
    for (operation, body) in [
        ("TagResource", format!(r#"{{"KeyId": "x", "Tags": [{tags}]}}"#)),
        ("DescribeKey", format!(r#"{{"KeyId": "x", "GrantTokens": [{tokens}]}}"#)),
        ("DescribeKey", format!(r#"{{"KeyId": "{long}"}}"#)),
    ] {
        let answer = kms.front.service.handle(&request(operation, body));
        assert_eq!(answer.status, 400);
        assert_eq!(json(&answer)["__type"], "ValidationException");
        assert!(answer.body.len() < 64 << 10, "{operation}: {} bytes", answer.body.len());
    }
    let (_, answer) = handle(&kms, &request("TagResource", format!(r#"{{"KeyId": "x", "Tags": [{tags}]}}"#)));
    let message = answer["message"].as_str().unwrap();
    assert!(
        message.starts_with("600000 validation errors detected: Value null at 'tags.1."),
        "{message:.99}"
    );
}

#[test]
fn what_is_printed_of_an_answer_says_nothing_of_its_body() {
    let kms = demo();
    let answer = kms.front.service.handle(&request("GenerateRandom", r#"{"NumberOfBytes": 32}"#));
    let plaintext = json(&answer)["Plaintext"].as_str().unwrap().to_owned();
    let printed = format!("{answer:?}");
    assert!(printed.contains("200") && !printed.contains(&plaintext), "{printed}");
}
