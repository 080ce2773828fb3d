//! Key policies: the default one, what is accepted, and how the service writes them.

use serde_json::json;

use super::*;

/// As recorded from the service.
const DEFAULT: &str = r#"{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::111122223333:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}"#;

fn put(kms: &LocalKms, policy: &str) -> Result<Value, (String, String)> {
    let body = json!({ "KeyId": ORDERS, "Policy": policy });
    let response = kms.front.service.handle(&request("PutKeyPolicy", body.to_string()));
    if response.status == 200 {
        assert!(response.body.is_empty());
        return Ok(policy_of(kms, ORDERS));
    }
    Err(refused(kms, "PutKeyPolicy", &body))
}

fn policy_of(kms: &LocalKms, key_id: &str) -> Value {
    done(kms, "GetKeyPolicy", &json!({ "KeyId": key_id }))["Policy"].clone()
}

/// A policy with one statement, with these members beside the usual ones.
fn statement(members: &Value) -> String {
    let mut statement = json!({
        "Effect": "Allow",
        "Principal": { "AWS": "arn:aws:iam::111122223333:root" },
        "Action": "kms:*",
        "Resource": "*",
    });
    for (name, value) in members.as_object().unwrap() {
        if value.is_null() {
            statement.as_object_mut().unwrap().remove(name);
        } else {
            statement[name] = value.clone();
        }
    }
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

#[test]
fn a_key_without_a_policy_of_its_own_has_the_default_one() {
    let kms = demo();
    let key_id = new_key(&kms, &json!({}));
    let told = done(&kms, "GetKeyPolicy", &json!({ "KeyId": key_id }));
    assert_eq!(told, json!({ "Policy": DEFAULT, "PolicyName": "default" }));
    assert_eq!(done(&kms, "GetKeyPolicy", &json!({ "KeyId": key_id, "PolicyName": "default" })), told);
    assert_eq!(
        done(&kms, "ListKeyPolicies", &json!({ "KeyId": key_id })),
        json!({ "PolicyNames": ["default"], "Truncated": false })
    );
    assert_eq!(
        refused(&kms, "GetKeyPolicy", &json!({ "KeyId": key_id, "PolicyName": "AWS_RAM" })).0,
        "NotFoundException"
    );
    let put = json!({ "KeyId": key_id, "PolicyName": "AWS_RAM", "Policy": DEFAULT });
    assert_eq!(refused(&kms, "PutKeyPolicy", &put).0, "ValidationException");
}

#[test]
fn a_policy_is_given_out_as_the_service_writes_it() {
    let kms = demo();
    // Members keep their order; what is between them is the service's.
    let written = put(
        &kms,
        r#"{"Version":"2012-10-17","Statement":[{"Resource":"*","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:root","*"]},"Action":["kms:*"],"Condition":{}},{"Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":false},"NumericLessThan":{"a":1.5}}}]}"#,
    );
    let expected = r#"{
  "Version" : "2012-10-17",
  "Statement" : [ {
    "Resource" : "*",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : [ "arn:aws:iam::111122223333:root", "*" ]
    },
    "Action" : [ "kms:*" ],
    "Condition" : { }
  }, {
    "Effect" : "Deny",
    "Principal" : "*",
    "Action" : "kms:Decrypt",
    "Resource" : "*",
    "Condition" : {
      "Bool" : {
        "aws:SecureTransport" : false
      },
      "NumericLessThan" : {
        "a" : 1.5
      }
    }
  } ]
}"#;
    assert_eq!(written.unwrap(), expected);
}

#[test]
fn a_policy_given_to_create_key_is_the_keys_own() {
    let kms = demo();
    let own = statement(&json!({ "Sid": "own" }));
    let key_id = new_key(&kms, &json!({ "Policy": own }));
    assert!(policy_of(&kms, &key_id).as_str().unwrap().contains("\"Sid\" : \"own\""));
    let locked = statement(&json!({ "Action": "kms:Decrypt" }));
    let before = done(&kms, "ListKeys", &json!({ "Limit": 1000 }));
    assert_eq!(
        refused(&kms, "CreateKey", &json!({ "Policy": locked })).0,
        "MalformedPolicyDocumentException"
    );
    assert_eq!(done(&kms, "ListKeys", &json!({ "Limit": 1000 })), before);
    new_key(&kms, &json!({ "Policy": locked, "BypassPolicyLockoutSafetyCheck": true }));
}

#[test]
fn a_policy_that_locks_everybody_out_is_refused_unless_the_check_is_bypassed() {
    let kms = demo();
    let lockout = (
        "MalformedPolicyDocumentException".to_owned(),
        "The new key policy will not allow you to update the key policy in the future.".to_owned(),
    );
    for locked in [
        json!({ "Action": "kms:Decrypt" }),
        json!({ "Effect": "Deny" }),
        json!({ "Principal": { "AWS": "arn:aws:iam::444455556666:root" } }),
        json!({ "Principal": { "Service": "s3.amazonaws.com" } }),
        json!({ "Action": "kms:Put" }),
        json!({ "Action": "s3:*" }),
        json!({ "Action": null, "NotAction": ["kms:PutKeyPolicy", "kms:Decrypt"] }),
    ] {
        let policy = statement(&locked);
        assert_eq!(put(&kms, &policy), Err(lockout.clone()), "{locked}");
        assert_eq!(policy_of(&kms, ORDERS), DEFAULT, "{locked}");
        let body = json!({ "KeyId": ORDERS, "Policy": policy, "BypassPolicyLockoutSafetyCheck": true });
        assert_eq!(done(&kms, "PutKeyPolicy", &body), Value::Null);
        put(&kms, DEFAULT).unwrap();
    }
    for open in [
        json!({ "Action": ["kms:Decrypt", "kms:Put*"] }),
        json!({ "Action": "kms:putkeypolic?" }),
        json!({ "Action": "*" }),
        json!({ "Action": null, "NotAction": "kms:ScheduleKeyDeletion" }),
        json!({ "Principal": "*" }),
        json!({ "Principal": { "AWS": "111122223333" } }),
        json!({ "Principal": { "AWS": ["arn:aws:iam::444455556666:root", "arn:aws:iam::111122223333:user/demo"] } }),
    ] {
        assert!(put(&kms, &statement(&open)).is_ok(), "{open}");
    }
}

#[test]
fn what_is_no_policy_is_refused() {
    let kms = demo();
    let cases = [
        "nonsense".to_owned(),
        "{}".to_owned(),
        "[]".to_owned(),
        json!({ "Version": "2012-10-17" }).to_string(),
        json!({ "Version": "2012-10-17", "Statement": ["text"] }).to_string(),
        statement(&json!({})).replace("2012-10-17", "2024-01-01"),
        statement(&json!({ "Effect": "Maybe" })),
        statement(&json!({ "Action": null })),
        statement(&json!({ "Resource": null })),
        statement(&json!({ "Principal": null })),
    ];
    for policy in cases {
        assert_eq!(put(&kms, &policy).unwrap_err().0, "MalformedPolicyDocumentException", "{policy}");
    }
    assert_eq!(put(&kms, "\u{100}").unwrap_err().0, "ValidationException");
    assert_eq!(put(&kms, "").unwrap_err().0, "ValidationException");
}

#[test]
fn a_policy_has_at_most_32_kilobytes() {
    let kms = demo();
    let bare = statement(&json!({ "Sid": "" })).len();
    let of_size = |bytes: usize| statement(&json!({ "Sid": "x".repeat(bytes - bare) }));
    assert_eq!(put(&kms, &of_size(32_769)).unwrap_err().0, "LimitExceededException");
    assert!(put(&kms, &of_size(32_768)).is_ok());
}
