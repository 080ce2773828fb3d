//! Grants: their ids and tokens, listing, retiring and revoking.

use serde_json::json;

use super::*;

const ROLE: &str = "arn:aws:iam::111122223333:role/orders";

/// A request for a grant on a key, with these members beside the usual ones.
fn grant(key_id: &str, members: &Value) -> Value {
    let mut body = json!({ "KeyId": key_id, "GranteePrincipal": ROLE, "Operations": ["Decrypt", "Encrypt"] });
    for (name, value) in members.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn made(kms: &LocalKms, key_id: &str, members: &Value) -> (Value, Value) {
    let answer = done(kms, "CreateGrant", &grant(key_id, members));
    assert_eq!(answer.as_object().unwrap().len(), 2);
    (answer["GrantId"].clone(), answer["GrantToken"].clone())
}

fn listed(kms: &LocalKms, body: &Value) -> Vec<Value> {
    done(kms, "ListGrants", body)["Grants"].as_array().unwrap().clone()
}

#[test]
fn a_grant_is_listed_as_it_was_made() {
    let kms = demo();
    let key_id = new_key(&kms, &json!({}));
    let (grant_id, _) = made(
        &kms,
        &key_id,
        &json!({
            "Name": "orders",
            "RetiringPrincipal": "arn:aws:iam::111122223333:role/ops",
            "Constraints": {
                "EncryptionContextSubset": { "tenant": "acme" },
                "EncryptionContextEquals": { "tenant": "acme", "stage": "prod" },
            },
        }),
    );
    assert_eq!(grant_id.as_str().unwrap().len(), 64);
    assert_eq!(
        listed(&kms, &json!({ "KeyId": key_id })),
        [json!({
            "KeyId": arn(&key_id),
            "GrantId": grant_id,
            "Name": "orders",
            "CreationDate": in_days(0),
            "GranteePrincipal": ROLE,
            "RetiringPrincipal": "arn:aws:iam::111122223333:role/ops",
            "IssuingAccount": "arn:aws:iam::111122223333:root",
            "Operations": ["Decrypt", "Encrypt"],
            "Constraints": {
                "EncryptionContextSubset": { "tenant": "acme" },
                "EncryptionContextEquals": { "stage": "prod", "tenant": "acme" },
            },
        })]
    );
}

#[test]
fn the_same_name_and_parameters_are_the_same_grant_with_a_new_token() {
    let kms = demo();
    let key_id = new_key(&kms, &json!({}));
    let named = json!({ "Name": "orders" });
    let (first, first_token) = made(&kms, &key_id, &named);
    // The order of operations says nothing.
    let (again, again_token) =
        made(&kms, &key_id, &json!({ "Name": "orders", "Operations": ["Encrypt", "Decrypt", "Encrypt"] }));
    assert_eq!(again, first);
    assert_ne!(again_token, first_token);
    // Other parameters, another name or no name: another grant.
    let others = [
        json!({ "Name": "orders", "Operations": ["Decrypt"] }),
        json!({ "Name": "orders", "GranteePrincipal": "arn:aws:iam::111122223333:role/other" }),
        json!({ "Name": "orders", "RetiringPrincipal": ROLE }),
        json!({ "Name": "orders", "Constraints": { "EncryptionContextEquals": { "a": "1" } } }),
        json!({ "Name": "orders", "Constraints": { "EncryptionContextSubset": { "a": "1" } } }),
        json!({ "Name": "billing" }),
        json!({}),
        json!({}),
    ];
    for other in &others {
        assert_ne!(made(&kms, &key_id, other).0, first, "{other}");
    }
    assert_eq!(listed(&kms, &json!({ "KeyId": key_id })).len(), 1 + others.len());
    let other_key = new_key(&kms, &json!({}));
    assert_ne!(made(&kms, &other_key, &named).0, first);
}

#[test]
fn tokens_that_were_issued_are_taken_and_all_others_refused() {
    let kms = demo();
    let (_, token) = made(&kms, ORDERS, &json!({}));
    let blob = done(&kms, "GenerateDataKey", &json!({ "KeyId": ORDERS, "KeySpec": "AES_256" }));
    let changed = format!("{}A", token.as_str().unwrap());
    let uses = [
        ("GenerateDataKey", json!({ "KeyId": ORDERS, "KeySpec": "AES_256" })),
        ("GenerateDataKeyWithoutPlaintext", json!({ "KeyId": ORDERS, "KeySpec": "AES_256" })),
        ("GenerateDataKeyPair", json!({ "KeyId": ORDERS, "KeyPairSpec": "ECC_NIST_P256" })),
        ("GenerateDataKeyPairWithoutPlaintext", json!({ "KeyId": ORDERS, "KeyPairSpec": "ECC_NIST_P256" })),
        ("Encrypt", json!({ "KeyId": ORDERS, "Plaintext": "AAAA" })),
        ("Decrypt", json!({ "CiphertextBlob": blob["CiphertextBlob"] })),
        ("ReEncrypt", json!({ "CiphertextBlob": blob["CiphertextBlob"], "DestinationKeyId": ORDERS })),
        ("DescribeKey", json!({ "KeyId": ORDERS })),
        ("CreateGrant", grant(ORDERS, &json!({}))),
    ];
    for (operation, mut body) in uses {
        body["GrantTokens"] = json!([token]);
        done(&kms, operation, &body);
        for wrong in [json!(["made-up"]), json!([changed]), json!([token, "made-up"])] {
            body["GrantTokens"] = wrong;
            assert_eq!(refused(&kms, operation, &body).0, "InvalidGrantTokenException", "{operation}");
        }
    }
}

#[test]
fn grants_are_filtered_by_id_and_by_principal() {
    let kms = demo();
    let key_id = new_key(&kms, &json!({}));
    let other_role = "arn:aws:iam::111122223333:role/other";
    let (one, _) = made(&kms, &key_id, &json!({}));
    let (other, _) = made(&kms, &key_id, &json!({ "GranteePrincipal": other_role }));
    let service = json!({
        "KeyId": key_id,
        "GranteeServicePrincipal": "dynamodb.amazonaws.com",
        "Operations": ["Decrypt"],
    });
    let by_service = done(&kms, "CreateGrant", &service)["GrantId"].clone();
    let ids = |filter: Value| {
        let mut body = filter;
        body["KeyId"] = json!(key_id);
        listed(&kms, &body).iter().map(|grant| grant["GrantId"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(json!({})).len(), 3);
    assert_eq!(ids(json!({ "GrantId": one })), std::slice::from_ref(&one));
    assert_eq!(ids(json!({ "GranteePrincipal": other_role })), [other]);
    assert_eq!(ids(json!({ "GranteeServicePrincipal": "dynamodb.amazonaws.com" })), [by_service]);
    assert_eq!(ids(json!({ "GrantId": one, "GranteePrincipal": other_role })), [] as [Value; 0]);
    assert_eq!(ids(json!({ "GrantId": "0".repeat(64) })), [] as [Value; 0]);
    let wrong = json!({ "KeyId": key_id, "GrantId": "nonsense" });
    assert_eq!(refused(&kms, "ListGrants", &wrong).0, "InvalidGrantIdException");
}

#[test]
fn pages_of_grants_have_fifty_by_default_and_a_hundred_at_most() {
    let kms = demo();
    let key_id = new_key(&kms, &json!({}));
    for _ in 0..120 {
        made(&kms, &key_id, &json!({}));
    }
    for (limit, sizes) in [
        (Value::Null, &[50, 50, 20][..]),
        (json!(100), &[100, 20]),
        (json!(1000), &[100, 20]),
        (json!(60), &[60, 60]),
    ] {
        let mut marker = Value::Null;
        let mut ids = Vec::new();
        for (index, size) in sizes.iter().enumerate() {
            let page =
                done(&kms, "ListGrants", &json!({ "KeyId": key_id, "Limit": limit, "Marker": marker }));
            let grants = page["Grants"].as_array().unwrap();
            assert_eq!(grants.len(), *size);
            ids.extend(grants.iter().map(|grant| grant["GrantId"].to_string()));
            assert_eq!(page["Truncated"], index + 1 < sizes.len());
            marker = page["NextMarker"].clone();
        }
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 120);
    }
}

#[test]
fn a_grant_ends_by_its_token_or_by_its_key_and_id() {
    let kms = demo();
    let key_id = new_key(&kms, &json!({}));
    let fresh = || made(&kms, &key_id, &json!({}));
    let is_there =
        |grant_id: &Value| !listed(&kms, &json!({ "KeyId": key_id, "GrantId": grant_id })).is_empty();
    let dry_run =
        said("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.");
    for way in ["RetireGrant by token", "RetireGrant by id", "RevokeGrant by id"] {
        let (grant_id, token) = fresh();
        let operation = way.split(' ').next().unwrap();
        let mut body = if way.ends_with("token") {
            json!({ "GrantToken": token })
        } else {
            json!({ "KeyId": arn(&key_id), "GrantId": grant_id })
        };
        body["DryRun"] = json!(true);
        assert_eq!(refused(&kms, operation, &body), dry_run, "{way}");
        assert!(is_there(&grant_id), "{way}");
        body["DryRun"] = json!(false);
        assert_eq!(done(&kms, operation, &body), Value::Null, "{way}");
        assert!(!is_there(&grant_id), "{way}");
        // A check that fails wins over the dry run.
        body["DryRun"] = json!(true);
        assert_eq!(refused(&kms, operation, &body).0, "NotFoundException", "{way}");
    }
}

#[test]
fn what_names_no_grant_is_refused() {
    let kms = demo();
    let (grant_id, token) = made(&kms, ORDERS, &json!({}));
    let cases = [
        ("RetireGrant", json!({}), "ValidationException"),
        ("RetireGrant", json!({ "KeyId": ORDERS }), "ValidationException"),
        ("RetireGrant", json!({ "GrantId": grant_id }), "ValidationException"),
        ("RetireGrant", json!({ "GrantToken": token, "KeyId": ORDERS }), "ValidationException"),
        ("RetireGrant", json!({ "GrantToken": "made-up" }), "InvalidGrantTokenException"),
        ("RetireGrant", json!({ "KeyId": ORDERS, "GrantId": "made-up" }), "InvalidGrantIdException"),
        ("RetireGrant", json!({ "KeyId": "absent", "GrantId": grant_id }), "NotFoundException"),
        ("RevokeGrant", json!({ "KeyId": ORDERS, "GrantId": "made-up" }), "InvalidGrantIdException"),
        ("RevokeGrant", json!({ "KeyId": ORDERS, "GrantId": "0".repeat(64) }), "NotFoundException"),
        ("RevokeGrant", json!({ "KeyId": "alias/demo/orders", "GrantId": grant_id }), "InvalidArnException"),
        // The grant of another key.
        (
            "RevokeGrant",
            json!({ "KeyId": "af42b365-9721-401d-8ad0-e1de0e462266", "GrantId": grant_id }),
            "NotFoundException",
        ),
    ];
    for (operation, body, code) in cases {
        assert_eq!(refused(&kms, operation, &body).0, code, "{operation} {body}");
    }
    assert_eq!(listed(&kms, &json!({ "KeyId": ORDERS, "GrantId": grant_id })).len(), 1);
}

#[test]
fn a_principal_that_is_no_arn_is_refused() {
    let kms = demo();
    for members in [json!({ "GranteePrincipal": "alice" }), json!({ "RetiringPrincipal": "alice" })] {
        let (code, message) = refused(&kms, "CreateGrant", &grant(ORDERS, &members));
        assert_eq!(
            (code.as_str(), message.as_str()),
            ("InvalidArnException", "ARN does not refer to a valid principal",)
        );
    }
}

#[test]
fn what_cannot_be_granted_is_refused() {
    let kms = demo();
    let ecc = new_key(&kms, &json!({ "KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY" }));
    let many: Value =
        (0..9).map(|number| (number.to_string(), json!("x"))).collect::<serde_json::Map<_, _>>().into();
    let cases = [
        (ORDERS, json!({ "Operations": ["Sign"] })),
        (ORDERS, json!({ "Operations": ["GetPublicKey"] })),
        (ORDERS, json!({ "Operations": ["Fly"] })),
        (ORDERS, json!({ "Operations": null })),
        (ORDERS, json!({ "GranteePrincipal": null })),
        (ORDERS, json!({ "GranteePrincipal": "white space" })),
        (ORDERS, json!({ "GranteeServicePrincipal": "s3.amazonaws.com" })),
        (ORDERS, json!({ "Name": "white space" })),
        (ORDERS, json!({ "Constraints": { "EncryptionContextSubset": many } })),
        (ORDERS, json!({ "Constraints": { "EncryptionContextEquals": { "a": "x".repeat(385) } } })),
        (&ecc, json!({ "Operations": ["Decrypt"] })),
        (&ecc, json!({ "Operations": ["GenerateDataKey"] })),
        (&ecc, json!({ "Operations": ["Sign"], "Constraints": { "EncryptionContextEquals": { "a": "1" } } })),
    ];
    for (key_id, members) in cases {
        let body = grant(key_id, &members);
        assert_eq!(refused(&kms, "CreateGrant", &body).0, "ValidationException", "{members}");
        let mut dry_run = body;
        dry_run["DryRun"] = json!(true);
        assert_eq!(refused(&kms, "CreateGrant", &dry_run).0, "ValidationException", "{members}");
    }
    done(&kms, "CreateGrant", &grant(&ecc, &json!({ "Operations": ["Sign", "Verify", "GetPublicKey"] })));
    let before = listed(&kms, &json!({ "KeyId": ORDERS })).len();
    let dry_run = grant(ORDERS, &json!({ "DryRun": true }));
    assert_eq!(refused(&kms, "CreateGrant", &dry_run).0, "DryRunOperationException");
    assert_eq!(listed(&kms, &json!({ "KeyId": ORDERS })).len(), before);
}
