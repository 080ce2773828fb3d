//! Enabling, disabling, deleting: what a day that has come does to a key.

use serde_json::json;

use super::*;

/// A primary key and its replica.
const PAIR: &str = r#"
[[key]]
id = "mrk-00000000000040008000000000000001"
created = 2026-01-01T00:00:00Z
multi_region = { primary = "us-east-1", replicas = ["eu-west-1"] }
aliases = ["alias/pair"]
[[key]]
id = "mrk-00000000000040008000000000000001"
region = "eu-west-1"
created = 2026-01-02T00:00:00Z
multi_region = { primary = "us-east-1", replicas = ["eu-west-1"] }
aliases = ["alias/pair"]
"#;
const PAIR_ID: &str = "mrk-00000000000040008000000000000001";

const IMPORTED: &str = r#"
[[key]]
id = "00000000-0000-4000-8000-000000000001"
created = 2026-01-01T00:00:00Z
origin = "EXTERNAL"
expires_in_days = 5
"#;
const IMPORTED_ID: &str = "00000000-0000-4000-8000-000000000001";

fn at(location: StoreLocation, seed: &'static str, time: &Movable) -> LocalKms {
    LocalKms::open(location, Options { seed: seed.into(), ..time.options() }).unwrap()
}

fn metadata(kms: &LocalKms, region: &str, key_id: &str) -> Value {
    done_in(kms, region, "DescribeKey", &json!({ "KeyId": key_id }))["KeyMetadata"].clone()
}

/// A key with an alias, a grant, a tag and a data key; its id and the data key's blob.
fn key_with_everything(kms: &LocalKms, alias: &str) -> (String, Value) {
    let tags = json!([{ "TagKey": "team", "TagValue": "orders" }]);
    let key_id = new_key(kms, &json!({ "Tags": tags, "Description": "short-lived" }));
    done(kms, "CreateAlias", &json!({ "AliasName": alias, "TargetKeyId": key_id }));
    let grantee = "arn:aws:iam::111122223333:role/orders";
    let grant = json!({ "KeyId": key_id, "GranteePrincipal": grantee, "Operations": ["Decrypt"] });
    done(kms, "CreateGrant", &grant);
    done(kms, "RotateKeyOnDemand", &json!({ "KeyId": key_id }));
    let made = done(kms, "GenerateDataKey", &json!({ "KeyId": key_id, "KeySpec": "AES_256" }));
    (key_id, made["CiphertextBlob"].clone())
}

/// Checks that nothing of a key is left.
fn check_gone(kms: &LocalKms, key_id: &str, alias: &str, blob: &Value) {
    let by_id = json!({ "KeyId": key_id });
    let missing = said("NotFoundException", &format!("Key '{}' does not exist", arn(key_id)));
    for operation in [
        "DescribeKey",
        "ListGrants",
        "ListResourceTags",
        "ListAliases",
        "GetKeyPolicy",
        "GetKeyRotationStatus",
        "ListKeyRotations",
        "GetKeyLastUsage",
        "CancelKeyDeletion",
        "EnableKey",
    ] {
        assert_eq!(refused(kms, operation, &by_id), missing, "{operation}");
    }
    assert_eq!(
        refused(kms, "DescribeKey", &json!({ "KeyId": alias })),
        said("NotFoundException", &format!("Alias {} is not found.", alias_arn(alias)))
    );
    let keys = done(kms, "ListKeys", &json!({ "Limit": 1000 }));
    assert!(keys["Keys"].as_array().unwrap().iter().all(|key| key["KeyId"] != key_id));
    let aliases = done(kms, "ListAliases", &json!({ "Limit": 100 }));
    assert!(aliases["Aliases"].as_array().unwrap().iter().all(|entry| entry["AliasName"] != alias));
    assert_eq!(
        refused(kms, "Decrypt", &json!({ "CiphertextBlob": blob })),
        said(
            "AccessDeniedException",
            "The ciphertext refers to a customer master key that does not exist, does not exist in this \
             region, or you are not allowed to access."
        )
    );
    // The name is free again.
    let other = new_key(kms, &json!({}));
    done(kms, "CreateAlias", &json!({ "AliasName": alias, "TargetKeyId": other }));
    done(kms, "DeleteAlias", &json!({ "AliasName": alias }));
}

#[test]
fn a_key_is_gone_with_all_that_belongs_to_it_when_its_day_has_come() {
    let time = Movable::new();
    let kms = at(StoreLocation::Memory, "", &time);
    let (key_id, blob) = key_with_everything(&kms, "alias/doomed");
    let scheduled = done(&kms, "ScheduleKeyDeletion", &json!({ "KeyId": key_id, "PendingWindowInDays": 7 }));
    assert_eq!(
        scheduled,
        json!({
            "KeyId": arn(&key_id),
            "DeletionDate": in_days(7),
            "KeyState": "PendingDeletion",
            "PendingWindowInDays": 7,
        })
    );
    time.pass(7 * DAY - 1);
    let waiting = metadata(&kms, "us-east-1", &key_id);
    assert_eq!(waiting["KeyState"], "PendingDeletion");
    assert_eq!(waiting["DeletionDate"], in_days(7));
    assert_eq!(waiting.get("PendingDeletionWindowInDays"), None);
    time.pass(1);
    check_gone(&kms, &key_id, "alias/doomed", &blob);
}

#[test]
fn a_deletion_takes_place_while_no_program_has_the_store_open() {
    let folder = tempfile::tempdir().unwrap();
    let location = StoreLocation::File(folder.path().join("kms.redb"));
    let time = Movable::new();
    let (key_id, blob) = {
        let kms = at(location.clone(), "", &time);
        let made = key_with_everything(&kms, "alias/doomed");
        let scheduled = done(&kms, "ScheduleKeyDeletion", &json!({ "KeyId": made.0 }));
        assert_eq!(scheduled["PendingWindowInDays"], 30);
        made
    };
    time.pass_days(29);
    {
        let kms = at(location.clone(), "", &time);
        assert_eq!(metadata(&kms, "us-east-1", &key_id)["KeyState"], "PendingDeletion");
    }
    time.pass_days(400);
    check_gone(&at(location.clone(), "", &time), &key_id, "alias/doomed", &blob);
    // And it stays so.
    check_gone(&at(location, "", &time), &key_id, "alias/doomed", &blob);
}

#[test]
fn a_cancelled_deletion_leaves_a_disabled_key_that_is_whole() {
    let time = Movable::new();
    let kms = at(StoreLocation::Memory, "", &time);
    let (key_id, blob) = key_with_everything(&kms, "alias/spared");
    let by_id = json!({ "KeyId": key_id });
    done(&kms, "ScheduleKeyDeletion", &by_id);
    time.pass_days(29);
    assert_eq!(done(&kms, "CancelKeyDeletion", &by_id), json!({ "KeyId": arn(&key_id) }));
    time.pass_days(100);
    let key = metadata(&kms, "us-east-1", "alias/spared");
    assert_eq!(key["KeyState"], "Disabled");
    assert_eq!(key["Enabled"], false);
    assert_eq!(key.get("DeletionDate"), None);
    let by_blob = json!({ "CiphertextBlob": blob });
    assert_eq!(
        refused(&kms, "Decrypt", &by_blob),
        said("DisabledException", &format!("{} is disabled.", arn(&key_id)))
    );
    assert_eq!(done(&kms, "EnableKey", &by_id), Value::Null);
    assert_eq!(done(&kms, "Decrypt", &by_blob)["KeyId"], arn(&key_id));
    assert_eq!(done(&kms, "ListGrants", &by_id)["Grants"].as_array().unwrap().len(), 1);
}

#[test]
fn a_waiting_period_is_seven_to_thirty_days() {
    let kms = demo();
    let body = |days: i64| json!({ "KeyId": ORDERS, "PendingWindowInDays": days });
    for days in [1, 6, 31, 365] {
        assert_eq!(
            refused(&kms, "ScheduleKeyDeletion", &body(days)),
            said("ValidationException", "PendingWindowInDays must be between 7 and 30"),
            "{days}"
        );
    }
    for (days, rule) in [(0, "greater than or equal to 1"), (366, "less than or equal to 365")] {
        let message = format!(
            "1 validation error detected: Value '{days}' at 'pendingWindowInDays' failed to satisfy \
             constraint: Member must have value {rule}"
        );
        assert_eq!(
            refused(&kms, "ScheduleKeyDeletion", &body(days)),
            said("ValidationException", &message),
            "{days}"
        );
    }
    assert_eq!(metadata(&kms, "us-east-1", ORDERS)["KeyState"], "Enabled");
    for days in [7, 30] {
        assert_eq!(done(&kms, "ScheduleKeyDeletion", &body(days))["PendingWindowInDays"], days);
        done(&kms, "CancelKeyDeletion", &json!({ "KeyId": ORDERS }));
    }
}

#[test]
fn a_primary_key_begins_its_own_waiting_when_its_last_replica_is_gone() {
    let time = Movable::new();
    let kms = at(StoreLocation::Memory, PAIR, &time);
    let body = |days: i64| json!({ "KeyId": PAIR_ID, "PendingWindowInDays": days });
    let scheduled = done(&kms, "ScheduleKeyDeletion", &body(10));
    assert_eq!(
        scheduled,
        json!({
            "KeyId": arn(PAIR_ID),
            "KeyState": "PendingReplicaDeletion",
            "PendingWindowInDays": 10,
        })
    );
    let primary = metadata(&kms, "us-east-1", PAIR_ID);
    assert_eq!(primary["PendingDeletionWindowInDays"], 10);
    assert_eq!(primary.get("DeletionDate"), None);
    // It waits for as long as it takes.
    time.pass_days(100);
    assert_eq!(metadata(&kms, "us-east-1", PAIR_ID)["KeyState"], "PendingReplicaDeletion");
    done_in(&kms, "eu-west-1", "ScheduleKeyDeletion", &body(7));
    time.pass_days(7);
    let missing = format!("Key 'arn:aws:kms:eu-west-1:111122223333:key/{PAIR_ID}' does not exist");
    assert_eq!(
        refused_in(&kms, "eu-west-1", "DescribeKey", &json!({ "KeyId": PAIR_ID })),
        said("NotFoundException", &missing)
    );
    let primary = metadata(&kms, "us-east-1", PAIR_ID);
    assert_eq!(primary["KeyState"], "PendingDeletion");
    assert_eq!(primary["DeletionDate"], in_days(117));
    assert_eq!(primary["MultiRegionConfiguration"]["ReplicaKeys"], json!([]));
    assert_eq!(primary.get("PendingDeletionWindowInDays"), None);
    time.pass_days(10);
    let missing = format!("Key '{}' does not exist", arn(PAIR_ID));
    assert_eq!(
        refused(&kms, "DescribeKey", &json!({ "KeyId": PAIR_ID })),
        said("NotFoundException", &missing)
    );
}

#[test]
fn a_replica_and_then_its_primary_go_though_nothing_is_asked_meanwhile() {
    let time = Movable::new();
    let kms = at(StoreLocation::Memory, PAIR, &time);
    let body = json!({ "KeyId": PAIR_ID, "PendingWindowInDays": 7 });
    done(&kms, "ScheduleKeyDeletion", &body);
    done_in(&kms, "eu-west-1", "ScheduleKeyDeletion", &body);
    time.pass_days(14);
    for region in ["us-east-1", "eu-west-1"] {
        let aliases = done_in(&kms, region, "ListAliases", &json!({}));
        assert_eq!(aliases["Aliases"], json!([]), "{region}");
        assert_eq!(done_in(&kms, region, "ListKeys", &json!({}))["Keys"], json!([]), "{region}");
    }
}

#[test]
fn a_primary_key_that_waits_for_its_replicas_can_be_spared() {
    let time = Movable::new();
    let kms = at(StoreLocation::Memory, PAIR, &time);
    let body = json!({ "KeyId": PAIR_ID });
    done(&kms, "ScheduleKeyDeletion", &body);
    done(&kms, "CancelKeyDeletion", &body);
    done_in(&kms, "eu-west-1", "ScheduleKeyDeletion", &body);
    time.pass_days(30);
    let primary = metadata(&kms, "us-east-1", PAIR_ID);
    assert_eq!(primary["KeyState"], "Disabled");
    assert_eq!(primary["MultiRegionConfiguration"]["ReplicaKeys"], json!([]));
    assert_eq!(primary.get("PendingDeletionWindowInDays"), None);
}

#[test]
fn imported_material_that_expires_leaves_a_key_that_waits_for_its_import() {
    let time = Movable::new();
    let kms = at(StoreLocation::Memory, IMPORTED, &time);
    let key = metadata(&kms, "us-east-1", IMPORTED_ID);
    assert_eq!(key["ValidTo"], in_days(5));
    assert_eq!(key["ExpirationModel"], "KEY_MATERIAL_EXPIRES");
    let data_key = json!({ "KeyId": IMPORTED_ID, "KeySpec": "AES_256" });
    let blob = done(&kms, "GenerateDataKey", &data_key)["CiphertextBlob"].clone();
    time.pass(5 * DAY - 1);
    done(&kms, "Decrypt", &json!({ "CiphertextBlob": blob }));
    time.pass(1);
    let waits = said("KMSInvalidStateException", &format!("{} is pending import.", arn(IMPORTED_ID)));
    assert_eq!(refused(&kms, "GenerateDataKey", &data_key), waits);
    assert_eq!(refused(&kms, "Decrypt", &json!({ "CiphertextBlob": blob })), waits);
    let key = metadata(&kms, "us-east-1", IMPORTED_ID);
    assert_eq!(key["KeyState"], "PendingImport");
    assert_eq!(key["Enabled"], false);
    for member in ["ValidTo", "ExpirationModel", "CurrentKeyMaterialId"] {
        assert_eq!(key.get(member), None, "{member}");
    }
}

#[test]
fn imported_material_expires_under_a_disabled_key_and_one_pending_deletion_too() {
    for (before, after) in [("DisableKey", "DescribeKey"), ("ScheduleKeyDeletion", "CancelKeyDeletion")] {
        let time = Movable::new();
        let kms = at(StoreLocation::Memory, IMPORTED, &time);
        let body = json!({ "KeyId": IMPORTED_ID });
        done(&kms, before, &body);
        time.pass_days(6);
        done(&kms, after, &body);
        assert_eq!(metadata(&kms, "us-east-1", IMPORTED_ID)["KeyState"], "PendingImport", "{before}");
    }
}

#[test]
fn a_key_that_was_being_created_is_so_again_when_its_deletion_is_cancelled() {
    // It has no material yet, so it must never come to be enabled.
    let keyring = "[[key]]\nid = \"00000000-0000-4000-8000-000000000001\"\n\
                   created = 2026-01-01T00:00:00Z\nstate = \"Creating\"\n";
    let kms = with_keyring(keyring);
    let body = json!({ "KeyId": IMPORTED_ID });
    done(&kms, "ScheduleKeyDeletion", &body);
    done(&kms, "CancelKeyDeletion", &body);
    assert_eq!(metadata(&kms, "us-east-1", IMPORTED_ID)["KeyState"], "Creating");
}

#[test]
fn to_enable_what_is_enabled_and_to_disable_what_is_disabled_changes_nothing() {
    let kms = demo();
    let body = json!({ "KeyId": ORDERS });
    for (operation, state) in [
        ("EnableKey", "Enabled"),
        ("DisableKey", "Disabled"),
        ("DisableKey", "Disabled"),
        ("EnableKey", "Enabled"),
    ] {
        assert_eq!(done(&kms, operation, &body), Value::Null);
        let key = metadata(&kms, "us-east-1", ORDERS);
        assert_eq!(key["KeyState"], state);
        assert_eq!(key["Enabled"], state == "Enabled");
    }
}

#[test]
fn a_description_has_at_most_8192_characters_and_may_be_empty() {
    let kms = demo();
    let describe = |text: &str| json!({ "KeyId": ORDERS, "Description": text });
    let longest = "\u{e9}".repeat(8192);
    for text in ["", "another", longest.as_str()] {
        assert_eq!(done(&kms, "UpdateKeyDescription", &describe(text)), Value::Null);
        assert_eq!(metadata(&kms, "us-east-1", ORDERS)["Description"], text);
    }
    let long = "x".repeat(8193);
    let message = format!(
        "1 validation error detected: Value '{long}' at 'description' failed to satisfy constraint: \
         Member must have length less than or equal to 8192"
    );
    assert_eq!(
        refused(&kms, "UpdateKeyDescription", &describe(&long)),
        said("ValidationException", &message)
    );
    assert_eq!(refused(&kms, "CreateKey", &json!({ "Description": long })).0, "ValidationException");
    assert_eq!(
        refused(&kms, "UpdateKeyDescription", &json!({ "KeyId": ORDERS })),
        said(
            "ValidationException",
            "1 validation error detected: Value null at 'description' failed to satisfy constraint: Member \
             must not be null"
        )
    );
}

#[test]
fn an_aws_managed_key_is_looked_at_and_not_changed() {
    let kms = demo();
    let s3 = "64fbf25a-f592-468c-8f48-acf8374a9f13";
    for operation in ["DescribeKey", "GetKeyPolicy", "ListGrants", "ListResourceTags", "GetKeyRotationStatus"]
    {
        done(&kms, operation, &json!({ "KeyId": s3 }));
    }
    for operation in
        ["DisableKey", "EnableKey", "ScheduleKeyDeletion", "RotateKeyOnDemand", "EnableKeyRotation"]
    {
        let (code, message) = refused(&kms, operation, &json!({ "KeyId": s3 }));
        assert_eq!(code, "AccessDeniedException", "{operation}");
        assert!(message.contains(&format!("kms:{operation} on resource: {}", arn(s3))), "{message}");
    }
}
