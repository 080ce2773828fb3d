//! `GetKeyLastUsage`: what counts as a use, and what does not.

use serde_json::json;

use super::*;

fn last_use(kms: &LocalKms, key_id: &str) -> Value {
    done(kms, "GetKeyLastUsage", &json!({ "KeyId": key_id }))
}

/// What was last done with a key, and when.
fn last(kms: &LocalKms, key_id: &str) -> (Value, Value) {
    let told = last_use(kms, key_id)["KeyLastUsage"].clone();
    (told["Operation"].clone(), told["Timestamp"].clone())
}

#[test]
fn a_key_that_was_not_used_has_an_empty_last_use() {
    let time = Movable::new();
    let kms = LocalKms::open(StoreLocation::Memory, time.options()).unwrap();
    time.pass_days(3);
    let key_id = new_key(&kms, &json!({}));
    assert_eq!(
        last_use(&kms, &key_id),
        json!({
            "KeyId": arn(&key_id),
            "KeyLastUsage": {},
            "TrackingStartDate": in_days(3),
            "KeyCreationDate": in_days(3),
        })
    );
    // One that is older than the tracking is tracked since that began.
    let old = last_use(&kms, ORDERS);
    assert_eq!(old["TrackingStartDate"], in_days(0));
    assert!(old["KeyCreationDate"].as_f64() < in_days(0).as_f64());
}

#[test]
fn every_cryptographic_operation_that_succeeds_is_a_use() {
    let time = Movable::new();
    let kms = LocalKms::open(StoreLocation::Memory, time.options()).unwrap();
    let key_id = new_key(&kms, &json!({}));
    let blob =
        done(&kms, "Encrypt", &json!({ "KeyId": ORDERS, "Plaintext": "AAAA" }))["CiphertextBlob"].clone();
    let own =
        done(&kms, "Encrypt", &json!({ "KeyId": key_id, "Plaintext": "AAAA" }))["CiphertextBlob"].clone();
    let uses = [
        ("GenerateDataKey", json!({ "KeyId": key_id, "KeySpec": "AES_256" })),
        ("GenerateDataKeyWithoutPlaintext", json!({ "KeyId": key_id, "KeySpec": "AES_256" })),
        ("GenerateDataKeyPair", json!({ "KeyId": key_id, "KeyPairSpec": "ECC_NIST_P256" })),
        ("GenerateDataKeyPairWithoutPlaintext", json!({ "KeyId": key_id, "KeyPairSpec": "ECC_NIST_P256" })),
        ("Encrypt", json!({ "KeyId": key_id, "Plaintext": "AAAA" })),
        ("Decrypt", json!({ "CiphertextBlob": own })),
        ("ReEncrypt", json!({ "CiphertextBlob": blob, "DestinationKeyId": key_id })),
    ];
    for (days, (operation, body)) in (1_i64..).zip(uses) {
        time.pass_days(1);
        done(&kms, operation, &body);
        assert_eq!(last(&kms, &key_id), (json!(operation), in_days(days)));
    }
    // ReEncrypt uses both.
    assert_eq!(last(&kms, ORDERS), (json!("ReEncrypt"), in_days(7)));
    let told = last_use(&kms, &key_id)["KeyLastUsage"].clone();
    for member in ["KmsRequestId", "CloudTrailEventId"] {
        assert!(identifier::is_key_id(told[member].as_str().unwrap()), "{told}");
    }
    let response = kms
        .front
        .service
        .handle(&request("Encrypt", json!({ "KeyId": key_id, "Plaintext": "AAAA" }).to_string()));
    assert_eq!(last_use(&kms, &key_id)["KeyLastUsage"]["KmsRequestId"], response.request_id);
}

#[test]
fn failures_dry_runs_and_looking_are_no_uses() {
    let kms = demo();
    let key_id = new_key(&kms, &json!({}));
    let rsa = new_key(&kms, &json!({ "KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT" }));
    let blob =
        done(&kms, "Encrypt", &json!({ "KeyId": ORDERS, "Plaintext": "AAAA" }))["CiphertextBlob"].clone();
    let before = last(&kms, ORDERS);
    for (operation, body) in [
        ("GenerateDataKey", json!({ "KeyId": key_id, "KeySpec": "AES_256", "DryRun": true })),
        ("GenerateDataKey", json!({ "KeyId": key_id })),
        ("GenerateDataKeyPair", json!({ "KeyId": key_id, "KeyPairSpec": "ECC_NIST_P256", "DryRun": true })),
        ("GenerateDataKeyPair", json!({ "KeyId": key_id, "KeyPairSpec": "SM2" })),
        ("Encrypt", json!({ "KeyId": key_id, "Plaintext": "AAAA", "DryRun": true })),
        (
            "Encrypt",
            json!({ "KeyId": key_id, "Plaintext": "AAAA", "EncryptionAlgorithm": "RSAES_OAEP_SHA_1" }),
        ),
        ("Decrypt", json!({ "CiphertextBlob": blob, "DryRun": true })),
        ("Decrypt", json!({ "CiphertextBlob": blob, "EncryptionContext": { "a": "1" } })),
        // The source opens, the destination does not fit.
        ("ReEncrypt", json!({ "CiphertextBlob": blob, "DestinationKeyId": rsa })),
        ("ReEncrypt", json!({ "CiphertextBlob": blob, "DestinationKeyId": key_id, "DryRun": true })),
    ] {
        refused(&kms, operation, &body);
    }
    for operation in ["DescribeKey", "GetKeyPolicy", "RotateKeyOnDemand", "GetKeyLastUsage"] {
        done(&kms, operation, &json!({ "KeyId": key_id }));
    }
    done(&kms, "GetPublicKey", &json!({ "KeyId": rsa }));
    for key_id in [&key_id, &rsa] {
        assert_eq!(last_use(&kms, key_id)["KeyLastUsage"], json!({}));
    }
    assert_eq!(last(&kms, ORDERS), before);
}

#[test]
fn a_last_use_is_that_of_one_region() {
    let kms = demo();
    let pair = "mrk-0618106ddfffa20898c4c1943fc2e0ed";
    done(&kms, "GenerateDataKey", &json!({ "KeyId": pair, "KeySpec": "AES_256" }));
    let body = json!({ "KeyId": pair });
    assert_eq!(done_in(&kms, "eu-west-1", "GetKeyLastUsage", &body)["KeyLastUsage"], json!({}));
    assert_eq!(last(&kms, pair).0, "GenerateDataKey");
}

#[test]
fn last_uses_survive_a_store_that_is_closed_and_go_with_their_key() {
    let folder = tempfile::tempdir().unwrap();
    let location = StoreLocation::File(folder.path().join("kms.redb"));
    let time = Movable::new();
    let open = || LocalKms::open(location.clone(), time.options()).unwrap();
    let kms = open();
    let doomed = new_key(&kms, &json!({}));
    for key_id in [ORDERS, doomed.as_str()] {
        done(&kms, "GenerateDataKey", &json!({ "KeyId": key_id, "KeySpec": "AES_256" }));
    }
    let before = last_use(&kms, ORDERS);
    assert_eq!(before["KeyLastUsage"]["Operation"], "GenerateDataKey");
    drop(kms);
    let kms = open();
    assert_eq!(last_use(&kms, ORDERS), before);
    // A use that is noted of a key that is gone by the time that it is written is lost with it.
    done(&kms, "GenerateDataKey", &json!({ "KeyId": doomed, "KeySpec": "AES_256" }));
    done(&kms, "ScheduleKeyDeletion", &json!({ "KeyId": doomed, "PendingWindowInDays": 7 }));
    time.pass_days(8);
    done(&kms, "ListKeys", &json!({}));
    drop(kms);
    let kms = open();
    assert_eq!(last_use(&kms, ORDERS), before);
    assert_eq!(refused(&kms, "GetKeyLastUsage", &json!({ "KeyId": doomed })).0, "NotFoundException");
}
