//! `CreateKey`: every key spec with every usage, and what the answer holds.

use serde_json::json;

use super::*;

const SYMMETRIC: [&str; 1] = ["SYMMETRIC_DEFAULT"];
const RSA: [&str; 3] = ["RSA_2048", "RSA_3072", "RSA_4096"];
const NIST: [&str; 3] = ["ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"];
const SIGN_ONLY: [&str; 2] = ["ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519"];
/// What there is no key material of here, and what KMS has it for.
const ABSENT: [(&str, &[&str]); 8] = [
    ("HMAC_224", &["GENERATE_VERIFY_MAC"]),
    ("HMAC_256", &["GENERATE_VERIFY_MAC"]),
    ("HMAC_384", &["GENERATE_VERIFY_MAC"]),
    ("HMAC_512", &["GENERATE_VERIFY_MAC"]),
    ("SM2", &["ENCRYPT_DECRYPT", "SIGN_VERIFY", "KEY_AGREEMENT"]),
    ("ML_DSA_44", &["SIGN_VERIFY"]),
    ("ML_DSA_65", &["SIGN_VERIFY"]),
    ("ML_DSA_87", &["SIGN_VERIFY"]),
];
const USAGES: [&str; 4] = ["SIGN_VERIFY", "ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"];

#[test]
fn a_plain_key_has_exactly_the_recorded_members() {
    let kms = demo();
    let metadata = done(&kms, "CreateKey", &json!({}))["KeyMetadata"].clone();
    let key_id = metadata["KeyId"].as_str().unwrap();
    let material = metadata["CurrentKeyMaterialId"].as_str().unwrap();
    assert_eq!(material.len(), 64);
    assert_eq!(
        metadata,
        json!({
            "AWSAccountId": "111122223333",
            "KeyId": key_id,
            "Arn": arn(key_id),
            "CreationDate": in_days(0),
            "Enabled": true,
            "Description": "",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "KeyState": "Enabled",
            "Origin": "AWS_KMS",
            "KeyManager": "CUSTOMER",
            "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
            "MultiRegion": false,
            "CurrentKeyMaterialId": material,
        })
    );
    assert_eq!(done(&kms, "DescribeKey", &json!({ "KeyId": key_id }))["KeyMetadata"], metadata);
}

#[test]
fn every_spec_is_made_with_the_usages_that_it_has_and_refused_with_all_others() {
    let kms = demo();
    let made: Vec<(&str, &[&str])> = SYMMETRIC
        .map(|spec| (spec, &["ENCRYPT_DECRYPT"][..]))
        .into_iter()
        .chain(RSA.map(|spec| (spec, &["ENCRYPT_DECRYPT", "SIGN_VERIFY"][..])))
        .chain(NIST.map(|spec| (spec, &["SIGN_VERIFY", "KEY_AGREEMENT"][..])))
        .chain(SIGN_ONLY.map(|spec| (spec, &["SIGN_VERIFY"][..])))
        .collect();
    assert_eq!(made.len() + ABSENT.len(), key::KeySpec::WORDS.len());
    for (spec, usages, is_here) in made
        .iter()
        .map(|(spec, usages)| (*spec, *usages, true))
        .chain(ABSENT.iter().map(|(spec, usages)| (*spec, *usages, false)))
    {
        for usage in USAGES {
            let body = json!({ "KeySpec": spec, "KeyUsage": usage });
            if !usages.contains(&usage) {
                let message = format!("KeyUsage {usage} is not compatible with KeySpec {spec}.");
                assert_eq!(refused(&kms, "CreateKey", &body), said("ValidationException", &message));
            } else if is_here {
                let metadata = done(&kms, "CreateKey", &body)["KeyMetadata"].clone();
                assert_eq!(metadata["KeySpec"], spec);
                assert_eq!(metadata["CustomerMasterKeySpec"], spec);
                assert_eq!(metadata["KeyUsage"], usage);
                let list = match usage {
                    "SIGN_VERIFY" => "SigningAlgorithms",
                    "KEY_AGREEMENT" => "KeyAgreementAlgorithms",
                    _ => "EncryptionAlgorithms",
                };
                let lists: Vec<&String> = metadata
                    .as_object()
                    .unwrap()
                    .keys()
                    .filter(|name| name.ends_with("Algorithms"))
                    .collect();
                assert_eq!(lists, [list], "{spec} {usage}");
                let has_material = metadata.get("CurrentKeyMaterialId").is_some();
                assert_eq!(has_material, spec == "SYMMETRIC_DEFAULT", "{spec}");
            } else {
                let place = if spec == "SM2" { "in this Region" } else { "by the local KMS" };
                let message = format!("KeySpec {spec} is not supported {place}");
                assert_eq!(
                    refused(&kms, "CreateKey", &body),
                    said("UnsupportedOperationException", &message)
                );
            }
        }
        if spec != "SYMMETRIC_DEFAULT" {
            assert_eq!(
                refused(&kms, "CreateKey", &json!({ "KeySpec": spec })),
                said(
                    "ValidationException",
                    "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
                )
            );
        }
    }
}

#[test]
fn what_was_asked_for_is_in_the_metadata() {
    let kms = demo();
    let metadata = |body: Value| done(&kms, "CreateKey", &body)["KeyMetadata"].clone();
    assert_eq!(metadata(json!({ "Description": "orders" }))["Description"], "orders");
    assert_eq!(
        metadata(json!({ "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT" }))["KeySpec"],
        "SYMMETRIC_DEFAULT"
    );

    let waiting = metadata(json!({ "Origin": "EXTERNAL" }));
    assert_eq!(waiting["KeyState"], "PendingImport");
    assert_eq!(waiting["Enabled"], false);
    assert_eq!(waiting["Origin"], "EXTERNAL");
    assert_eq!(waiting.get("CurrentKeyMaterialId"), None);
    assert_eq!(waiting.get("ExpirationModel"), None);

    let multi_region = metadata(json!({ "MultiRegion": true }));
    let key_id = multi_region["KeyId"].as_str().unwrap();
    assert!(key_id.starts_with("mrk-") && identifier::is_key_id(key_id), "{key_id}");
    assert_eq!(multi_region["MultiRegion"], true);
    assert_eq!(
        multi_region["MultiRegionConfiguration"],
        json!({
            "MultiRegionKeyType": "PRIMARY",
            "PrimaryKey": { "Arn": arn(key_id), "Region": "us-east-1" },
            "ReplicaKeys": [],
        })
    );
}

#[test]
fn a_key_lives_in_the_region_that_its_request_was_signed_for() {
    let kms = demo();
    let metadata = done_in(&kms, "ap-southeast-2", "CreateKey", &json!({}))["KeyMetadata"].clone();
    let key_id = metadata["KeyId"].as_str().unwrap();
    assert_eq!(metadata["Arn"], format!("arn:aws:kms:ap-southeast-2:111122223333:key/{key_id}"));
    let listed = done_in(&kms, "ap-southeast-2", "ListKeys", &json!({}));
    assert_eq!(listed["Keys"].as_array().unwrap().len(), 1);
    assert_eq!(
        refused(&kms, "DescribeKey", &json!({ "KeyId": key_id })),
        said("NotFoundException", &format!("Key '{}' does not exist", arn(key_id)))
    );
}

#[test]
fn what_cannot_be_made_is_refused_and_leaves_nothing() {
    let kms = demo();
    let before = done(&kms, "ListKeys", &json!({ "Limit": 1000 }));
    let cases = [
        (json!({ "KeySpec": "AES_256" }), "ValidationException"),
        (json!({ "KeyUsage": "FLY" }), "ValidationException"),
        (json!({ "Origin": "MOON" }), "ValidationException"),
        (json!({ "Origin": "AWS_CLOUDHSM" }), "ValidationException"),
        (json!({ "Origin": "EXTERNAL_KEY_STORE" }), "ValidationException"),
        (
            json!({ "KeySpec": "SYMMETRIC_DEFAULT", "CustomerMasterKeySpec": "RSA_2048" }),
            "ValidationException",
        ),
        (json!({ "CustomKeyStoreId": "cks-0" }), "CustomKeyStoreNotFoundException"),
        (
            json!({ "CustomKeyStoreId": "cks-1f2e3d4c5b6a79881", "Origin": "AWS_CLOUDHSM" }),
            "UnsupportedOperationException",
        ),
        (json!({ "Policy": "nonsense" }), "MalformedPolicyDocumentException"),
        (json!({ "MultiRegion": "yes" }), "SerializationException"),
    ];
    for (body, code) in cases {
        assert_eq!(refused(&kms, "CreateKey", &body).0, code, "{body}");
    }
    assert_eq!(done(&kms, "ListKeys", &json!({ "Limit": 1000 })), before);
}
