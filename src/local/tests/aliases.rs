//! Aliases: making, moving, deleting, and what may be one.

use serde_json::json;

use super::*;

fn body(name: &str, target: &str) -> Value {
    json!({ "AliasName": name, "TargetKeyId": target })
}

fn entry(kms: &LocalKms, name: &str) -> Value {
    let listed = done(kms, "ListAliases", &json!({ "Limit": 100 }));
    listed["Aliases"].as_array().unwrap().iter().find(|entry| entry["AliasName"] == name).unwrap().clone()
}

#[test]
fn an_alias_is_made_moved_and_deleted() {
    let time = Movable::new();
    let kms = LocalKms::open(StoreLocation::Memory, Options { seed: "".into(), ..time.options() }).unwrap();
    let (one, other) = (new_key(&kms, &json!({})), new_key(&kms, &json!({})));
    assert_eq!(done(&kms, "CreateAlias", &body("alias/moving", &one)), Value::Null);
    let made = json!({
        "AliasName": "alias/moving",
        "AliasArn": alias_arn("alias/moving"),
        "TargetKeyId": one,
        "CreationDate": in_days(0),
        "LastUpdatedDate": in_days(0),
    });
    assert_eq!(entry(&kms, "alias/moving"), made);
    time.pass_days(1);
    assert_eq!(done(&kms, "UpdateAlias", &body("alias/moving", &arn(&other))), Value::Null);
    let moved = entry(&kms, "alias/moving");
    assert_eq!(moved["TargetKeyId"], other.as_str());
    assert_eq!(moved["CreationDate"], in_days(0));
    assert_eq!(moved["LastUpdatedDate"], in_days(1));
    let of = |key_id: &str| done(&kms, "ListAliases", &json!({ "KeyId": key_id }))["Aliases"].clone();
    assert_eq!(of(&one), json!([]));
    assert_eq!(of(&other), json!([moved]));
    let made = done(&kms, "GenerateDataKey", &json!({ "KeyId": "alias/moving", "KeySpec": "AES_128" }));
    assert_eq!(made["KeyId"], arn(&other));
    assert_eq!(done(&kms, "DeleteAlias", &json!({ "AliasName": "alias/moving" })), Value::Null);
    assert_eq!(of(&other), json!([]));
    let gone = said("NotFoundException", &format!("Alias {} is not found.", alias_arn("alias/moving")));
    assert_eq!(refused(&kms, "DeleteAlias", &json!({ "AliasName": "alias/moving" })), gone);
    assert_eq!(refused(&kms, "UpdateAlias", &body("alias/moving", &one)), gone);
    assert_eq!(refused(&kms, "DescribeKey", &json!({ "KeyId": "alias/moving" })), gone);
}

#[test]
fn a_name_is_taken_once_in_a_region() {
    let kms = demo();
    let taken = "An alias with the name arn:aws:kms:us-east-1:111122223333:alias/demo/orders already exists";
    assert_eq!(
        refused(&kms, "CreateAlias", &body("alias/demo/orders", ORDERS)),
        said("AlreadyExistsException", taken)
    );
    // Names have a case, and regions their own.
    done(&kms, "CreateAlias", &body("alias/Demo/orders", ORDERS));
    let elsewhere = done_in(&kms, "eu-west-1", "CreateKey", &json!({}))["KeyMetadata"]["KeyId"].clone();
    let there = json!({ "AliasName": "alias/demo/orders", "TargetKeyId": elsewhere });
    done_in(&kms, "eu-west-1", "CreateAlias", &there);
}

#[test]
fn what_may_not_be_an_alias_is_refused() {
    let kms = demo();
    let prefix = "Alias must start with the prefix \"alias/\". Please see \
                  https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html";
    let pattern = |name: &str| {
        format!(
            "1 validation error detected: Value '{name}' at 'aliasName' failed to satisfy constraint: Member \
             must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$"
        )
    };
    let long = format!("alias/{}", "x".repeat(251));
    let cases = [
        ("orders", "ValidationException", prefix.to_owned()),
        ("Alias/orders", "ValidationException", prefix.to_owned()),
        ("alias", "ValidationException", prefix.to_owned()),
        ("alias/a b", "ValidationException", pattern("alias/a b")),
        ("alias/\u{e9}", "ValidationException", pattern("alias/\u{e9}")),
        (
            long.as_str(),
            "ValidationException",
            format!(
                "1 validation error detected: Value '{long}' at 'aliasName' failed to satisfy constraint: \
                 Member must have length less than or equal to 256"
            ),
        ),
        (
            "alias/",
            "InvalidAliasNameException",
            "alias/ is no alias name: after alias/ it may hold letters, digits, /, _ and -.".to_owned(),
        ),
        (
            "alias/a:b",
            "InvalidAliasNameException",
            "alias/a:b is no alias name: after alias/ it may hold letters, digits, /, _ and -.".to_owned(),
        ),
        (
            "alias/aws/mine",
            "NotAuthorizedException",
            "Aliases that begin with alias/aws/ are AWS's own.".to_owned(),
        ),
    ];
    for (name, code, message) in cases {
        let expected = said(code, &message);
        assert_eq!(refused(&kms, "CreateAlias", &body(name, ORDERS)), expected);
        assert_eq!(refused(&kms, "UpdateAlias", &body(name, ORDERS)), expected);
        assert_eq!(refused(&kms, "DeleteAlias", &json!({ "AliasName": name })), expected);
    }
    let longest = format!("alias/{}", "x".repeat(250));
    done(&kms, "CreateAlias", &body(&longest, ORDERS));
    done(&kms, "CreateAlias", &body("alias/Az-09_/x", ORDERS));
}

#[test]
fn a_target_is_a_key_by_its_id_or_arn() {
    let kms = demo();
    let absent = "00000000-0000-4000-8000-000000000000";
    let cases = [
        ("alias/demo/customers", "ValidationException", "Aliases must refer to keys. Not aliases".to_owned()),
        (absent, "NotFoundException", format!("Key '{}' does not exist", arn(absent))),
        ("nonsense", "NotFoundException", "Invalid keyId 'nonsense'".to_owned()),
    ];
    for (target, code, message) in cases {
        assert_eq!(refused(&kms, "CreateAlias", &body("alias/new", target)), said(code, &message));
        assert_eq!(refused(&kms, "UpdateAlias", &body("alias/demo/orders", target)), said(code, &message));
    }
}

#[test]
fn a_key_has_at_most_fifty_aliases() {
    let kms = demo();
    let (full, source) = (new_key(&kms, &json!({})), new_key(&kms, &json!({})));
    for number in 0..50 {
        done(&kms, "CreateAlias", &body(&format!("alias/full/{number}"), &full));
    }
    done(&kms, "CreateAlias", &body("alias/source", &source));
    assert_eq!(refused(&kms, "CreateAlias", &body("alias/full/50", &full)).0, "LimitExceededException");
    assert_eq!(refused(&kms, "UpdateAlias", &body("alias/source", &full)).0, "LimitExceededException");
    // Its own alias can be pointed at it again, and one that goes makes room.
    done(&kms, "UpdateAlias", &body("alias/full/0", &full));
    done(&kms, "DeleteAlias", &json!({ "AliasName": "alias/full/0" }));
    done(&kms, "UpdateAlias", &body("alias/source", &full));
}

#[test]
fn an_alias_moves_only_to_a_key_of_the_same_type_and_usage() {
    let kms = demo();
    let make = |spec: &str, usage: &str| new_key(&kms, &json!({ "KeySpec": spec, "KeyUsage": usage }));
    let keys = [
        ("symmetric", make("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")),
        ("rsa", make("RSA_2048", "ENCRYPT_DECRYPT")),
        ("sign", make("RSA_2048", "SIGN_VERIFY")),
        ("agree", make("ECC_NIST_P256", "KEY_AGREEMENT")),
    ];
    for (kind, key_id) in &keys {
        done(&kms, "CreateAlias", &body(&format!("alias/{kind}"), key_id));
    }
    for (kind, _) in &keys {
        for (other, target) in keys.iter().filter(|(other, _)| other != kind) {
            let (code, _) = refused(&kms, "UpdateAlias", &body(&format!("alias/{kind}"), target));
            assert_eq!(code, "ValidationException", "{kind} to {other}");
        }
    }
    let ecc = make("ECC_NIST_P384", "SIGN_VERIFY");
    done(&kms, "UpdateAlias", &body("alias/sign", &ecc));
}
