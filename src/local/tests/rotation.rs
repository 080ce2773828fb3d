//! Rotation: by the clock and on demand, and what old material still opens.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;

const PAIR_ID: &str = "mrk-0618106ddfffa20898c4c1943fc2e0ed";

fn empty(time: &Movable) -> LocalKms {
    LocalKms::open(StoreLocation::Memory, Options { seed: "".into(), ..time.options() }).unwrap()
}

fn status(kms: &LocalKms, key_id: &str) -> Value {
    done(kms, "GetKeyRotationStatus", &json!({ "KeyId": key_id }))
}

/// Every rotation, or every material.
fn rotations(kms: &LocalKms, key_id: &str, which: &str) -> Vec<Value> {
    let body = json!({ "KeyId": key_id, "IncludeKeyMaterial": which });
    done(kms, "ListKeyRotations", &body)["Rotations"].as_array().unwrap().clone()
}

fn current(kms: &LocalKms, region: &str, key_id: &str) -> Value {
    let described = done_in(kms, region, "DescribeKey", &json!({ "KeyId": key_id }));
    described["KeyMetadata"]["CurrentKeyMaterialId"].clone()
}

fn sealed(kms: &LocalKms, key_id: &str) -> Value {
    done(kms, "GenerateDataKeyWithoutPlaintext", &json!({ "KeyId": key_id, "KeySpec": "AES_256" }))
}

#[test]
fn a_key_rotates_when_its_period_is_over_and_again_a_period_later() {
    let time = Movable::new();
    let kms = empty(&time);
    let key_id = new_key(&kms, &json!({}));
    assert_eq!(status(&kms, &key_id), json!({ "KeyRotationEnabled": false, "KeyId": arn(&key_id) }));
    let on = json!({ "KeyId": key_id, "RotationPeriodInDays": 90 });
    assert_eq!(done(&kms, "EnableKeyRotation", &on), Value::Null);
    let told = |next: i64| {
        json!({
            "KeyRotationEnabled": true,
            "KeyId": arn(&key_id),
            "RotationPeriodInDays": 90,
            "NextRotationDate": in_days(next),
        })
    };
    assert_eq!(status(&kms, &key_id), told(90));
    let first = current(&kms, "us-east-1", &key_id);
    let old = sealed(&kms, &key_id);
    time.pass(90 * DAY - 1);
    assert_eq!(current(&kms, "us-east-1", &key_id), first);
    time.pass(1);
    let second = current(&kms, "us-east-1", &key_id);
    assert_ne!(second, first);
    assert_eq!(status(&kms, &key_id), told(180));
    assert_eq!(
        rotations(&kms, &key_id, "ROTATIONS_ONLY"),
        [json!({
            "KeyId": key_id,
            "KeyMaterialId": second,
            "KeyMaterialState": "CURRENT",
            "RotationDate": in_days(90),
            "RotationType": "AUTOMATIC",
        })]
    );
    // Data keys come from the new material, and what the old one sealed opens.
    assert_eq!(sealed(&kms, &key_id)["KeyMaterialId"], second);
    let opened = done(&kms, "Decrypt", &json!({ "CiphertextBlob": old["CiphertextBlob"] }));
    assert_eq!(opened["KeyMaterialId"], first);
}

#[test]
fn periods_that_passed_unwatched_are_all_made_up_for() {
    let time = Movable::new();
    let kms = empty(&time);
    let key_id = new_key(&kms, &json!({}));
    done(&kms, "EnableKeyRotation", &json!({ "KeyId": key_id }));
    assert_eq!(status(&kms, &key_id)["RotationPeriodInDays"], 365);
    let old = sealed(&kms, &key_id)["CiphertextBlob"].clone();
    time.pass_days(365 * 3 + 1);
    let dates: Vec<Value> = rotations(&kms, &key_id, "ROTATIONS_ONLY")
        .into_iter()
        .map(|rotation| rotation["RotationDate"].clone())
        .collect();
    assert_eq!(dates, [in_days(365), in_days(730), in_days(1095)]);
    assert_eq!(status(&kms, &key_id)["NextRotationDate"], in_days(365 * 4));
    done(&kms, "Decrypt", &json!({ "CiphertextBlob": old }));
}

#[test]
fn a_key_that_cannot_be_used_does_not_rotate_before_it_can_and_then_at_once() {
    for (off, on) in [
        (&["DisableKey"][..], &["EnableKey"][..]),
        (&["ScheduleKeyDeletion"], &["CancelKeyDeletion", "EnableKey"]),
    ] {
        let time = Movable::new();
        let kms = empty(&time);
        let key_id = new_key(&kms, &json!({}));
        let by_id = json!({ "KeyId": key_id });
        let first = current(&kms, "us-east-1", &key_id);
        done(&kms, "EnableKeyRotation", &json!({ "KeyId": key_id, "RotationPeriodInDays": 90 }));
        time.pass_days(80);
        for operation in off {
            done(&kms, operation, &by_id);
        }
        time.pass_days(20);
        assert_eq!(current(&kms, "us-east-1", &key_id), first);
        for operation in on {
            done(&kms, operation, &by_id);
        }
        assert_ne!(current(&kms, "us-east-1", &key_id), first);
        // KMS: it is rotated when it is enabled again, once.
        let rotated = rotations(&kms, &key_id, "ROTATIONS_ONLY");
        assert_eq!(rotated.len(), 1);
        assert_eq!(rotated[0]["RotationDate"], in_days(100));
        assert_eq!(rotated[0]["RotationType"], "AUTOMATIC");
    }
}

#[test]
fn a_key_that_was_disabled_for_many_periods_rotates_once() {
    let time = Movable::new();
    let kms = empty(&time);
    let key_id = new_key(&kms, &json!({}));
    let by_id = json!({ "KeyId": key_id });
    done(&kms, "EnableKeyRotation", &json!({ "KeyId": key_id, "RotationPeriodInDays": 90 }));
    done(&kms, "DisableKey", &by_id);
    time.pass_days(1000);
    done(&kms, "EnableKey", &by_id);
    assert_eq!(rotations(&kms, &key_id, "ROTATIONS_ONLY").len(), 1);
    assert_eq!(status(&kms, &key_id)["NextRotationDate"], in_days(1090));
    // One that was enabled in time keeps its schedule.
    done(&kms, "DisableKey", &by_id);
    time.pass_days(10);
    done(&kms, "EnableKey", &by_id);
    assert_eq!(rotations(&kms, &key_id, "ROTATIONS_ONLY").len(), 1);
    assert_eq!(status(&kms, &key_id)["NextRotationDate"], in_days(1090));
}

#[test]
fn rotation_that_is_off_again_rotates_nothing() {
    let time = Movable::new();
    let kms = empty(&time);
    let key_id = new_key(&kms, &json!({}));
    let by_id = json!({ "KeyId": key_id });
    let first = current(&kms, "us-east-1", &key_id);
    done(&kms, "EnableKeyRotation", &by_id);
    assert_eq!(done(&kms, "DisableKeyRotation", &by_id), Value::Null);
    time.pass_days(1000);
    assert_eq!(current(&kms, "us-east-1", &key_id), first);
    assert_eq!(status(&kms, &key_id), json!({ "KeyRotationEnabled": false, "KeyId": arn(&key_id) }));
}

#[test]
fn a_key_rotates_twenty_five_times_on_demand_and_everything_that_it_sealed_opens() {
    let time = Movable::new();
    let kms = empty(&time);
    let key_id = new_key(&kms, &json!({}));
    let by_id = json!({ "KeyId": key_id });
    done(&kms, "EnableKeyRotation", &by_id);
    let mut blobs = vec![sealed(&kms, &key_id)];
    for _ in 0..25 {
        time.pass(60);
        assert_eq!(done(&kms, "RotateKeyOnDemand", &by_id), json!({ "KeyId": arn(&key_id) }));
        blobs.push(sealed(&kms, &key_id));
    }
    let message = format!(
        "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations \
         can be performed for this key: {}",
        arn(&key_id)
    );
    assert_eq!(refused(&kms, "RotateKeyOnDemand", &by_id), said("LimitExceededException", &message));
    // It leaves the schedule alone.
    assert_eq!(status(&kms, &key_id)["NextRotationDate"], in_days(365));
    assert_eq!(status(&kms, &key_id).get("OnDemandRotationStartDate"), None);
    let distinct: BTreeSet<String> = blobs.iter().map(|made| made["KeyMaterialId"].to_string()).collect();
    assert_eq!(distinct.len(), 26);
    for made in &blobs {
        let opened = done(&kms, "Decrypt", &json!({ "CiphertextBlob": made["CiphertextBlob"] }));
        assert_eq!(opened["KeyMaterialId"], made["KeyMaterialId"]);
    }
    // The automatic one is none of them.
    time.pass_days(365);
    let rotated = rotations(&kms, &key_id, "ROTATIONS_ONLY");
    assert_eq!(rotated.len(), 26);
    assert_eq!(rotated[25]["RotationType"], "AUTOMATIC");
}

#[test]
fn rotations_are_listed_in_pages_and_with_the_first_material_where_it_is_asked_for() {
    let time = Movable::new();
    let kms = empty(&time);
    let key_id = new_key(&kms, &json!({}));
    let first = current(&kms, "us-east-1", &key_id);
    assert_eq!(rotations(&kms, &key_id, "ROTATIONS_ONLY"), [] as [Value; 0]);
    assert_eq!(
        rotations(&kms, &key_id, "ALL_KEY_MATERIAL"),
        [json!({ "KeyId": key_id, "KeyMaterialId": first, "KeyMaterialState": "CURRENT" })]
    );
    for _ in 0..25 {
        time.pass(60);
        done(&kms, "RotateKeyOnDemand", &json!({ "KeyId": key_id }));
    }
    for (which, sizes) in [("ROTATIONS_ONLY", [10, 10, 5]), ("ALL_KEY_MATERIAL", [10, 10, 6])] {
        let mut marker = Value::Null;
        let mut listed = Vec::new();
        for (index, size) in sizes.into_iter().enumerate() {
            let page = done(
                &kms,
                "ListKeyRotations",
                &json!({ "KeyId": key_id, "IncludeKeyMaterial": which, "Limit": 10, "Marker": marker }),
            );
            let items = page["Rotations"].as_array().unwrap();
            assert_eq!(items.len(), size);
            assert_eq!(page["Truncated"], index < 2);
            assert_eq!(page.get("NextMarker").is_some(), index < 2);
            listed.extend(items.iter().cloned());
            marker = page["NextMarker"].clone();
        }
        assert_eq!(listed, rotations(&kms, &key_id, which));
        let states: Vec<&str> =
            listed.iter().map(|entry| entry["KeyMaterialState"].as_str().unwrap()).collect();
        assert_eq!(states.iter().filter(|state| **state == "CURRENT").count(), 1);
        assert_eq!(states.last(), Some(&"CURRENT"));
        let undated = listed.iter().filter(|entry| entry.get("RotationDate").is_none()).count();
        assert_eq!(undated, usize::from(which == "ALL_KEY_MATERIAL"));
    }
    let page = done(&kms, "ListKeyRotations", &json!({ "KeyId": key_id, "Limit": 1 }));
    let misplaced = json!({
        "KeyId": key_id,
        "IncludeKeyMaterial": "ALL_KEY_MATERIAL",
        "Marker": page["NextMarker"],
    });
    assert_eq!(refused(&kms, "ListKeyRotations", &misplaced).0, "InvalidMarkerException");
}

#[test]
fn a_replica_rotates_with_its_primary_and_opens_what_is_old() {
    let kms = demo();
    let old = sealed(&kms, PAIR_ID);
    let by_id = json!({ "KeyId": PAIR_ID });
    done(&kms, "RotateKeyOnDemand", &by_id);
    let new = sealed(&kms, PAIR_ID);
    assert_ne!(new["KeyMaterialId"], old["KeyMaterialId"]);
    assert_eq!(current(&kms, "eu-west-1", PAIR_ID), new["KeyMaterialId"]);
    for made in [old, new] {
        let body = json!({ "CiphertextBlob": made["CiphertextBlob"] });
        let opened = done_in(&kms, "eu-west-1", "Decrypt", &body);
        assert_eq!(opened["KeyMaterialId"], made["KeyMaterialId"]);
    }
    // The primary alone decides.
    for operation in ["EnableKeyRotation", "DisableKeyRotation", "RotateKeyOnDemand"] {
        let refused = refused_in(&kms, "eu-west-1", operation, &by_id);
        assert_eq!(refused, said("UnsupportedOperationException", ""), "{operation}");
    }
    done(&kms, "EnableKeyRotation", &json!({ "KeyId": PAIR_ID, "RotationPeriodInDays": 120 }));
    let told = done_in(&kms, "eu-west-1", "GetKeyRotationStatus", &by_id);
    assert_eq!(told["RotationPeriodInDays"], 120);
    assert_eq!(told["NextRotationDate"], in_days(120));
}

#[test]
fn a_period_is_90_to_2560_days_and_that_is_said_before_any_look_up() {
    let kms = demo();
    for (days, rule) in [(89, "greater than or equal to 90"), (2561, "less than or equal to 2560")] {
        let message = format!(
            "1 validation error detected: Value '{days}' at 'rotationPeriodInDays' failed to satisfy \
             constraint: Member must have value {rule}"
        );
        let body = json!({ "KeyId": "absent", "RotationPeriodInDays": days });
        assert_eq!(refused(&kms, "EnableKeyRotation", &body), said("ValidationException", &message));
    }
    for days in [90, 2560] {
        done(&kms, "EnableKeyRotation", &json!({ "KeyId": ORDERS, "RotationPeriodInDays": days }));
        assert_eq!(status(&kms, ORDERS)["NextRotationDate"], in_days(days));
    }
}

#[test]
fn aws_managed_keys_always_rotate_and_the_next_time_lies_ahead() {
    let told = status(&demo(), "64fbf25a-f592-468c-8f48-acf8374a9f13");
    assert_eq!(told["KeyRotationEnabled"], true);
    assert_eq!(told["RotationPeriodInDays"], 365);
    assert!(told["NextRotationDate"].as_f64() > in_days(0).as_f64(), "{told}");
}

#[test]
fn what_cannot_rotate_is_told_to_be_off() {
    let kms = demo();
    let spec = json!({ "KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY" });
    let key_id = new_key(&kms, &spec);
    assert_eq!(status(&kms, &key_id), json!({ "KeyRotationEnabled": false, "KeyId": arn(&key_id) }));
    let by_id = json!({ "KeyId": key_id });
    assert_eq!(done(&kms, "DisableKeyRotation", &by_id), Value::Null);
    for operation in ["EnableKeyRotation", "RotateKeyOnDemand", "ListKeyRotations"] {
        assert_eq!(
            refused(&kms, operation, &by_id),
            said("UnsupportedOperationException", ""),
            "{operation}"
        );
    }
}
