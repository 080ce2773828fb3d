//! The demo keyring, and what a keyring may not say.

use std::collections::BTreeMap;

use super::*;
use crate::local::store::View as _;

/// Every key of a region, as `DescribeKey` tells it.
fn described(kms: &LocalKms, region: &str) -> Vec<Value> {
    let mut signed = request("ListKeys", r#"{"Limit": 1000}"#);
    signed.authorization = signed.authorization.map(|header| header.replace("us-east-1", region));
    let listed = json(&kms.front.service.handle(&signed));
    listed["Keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| {
            signed.target = Some("TrentService.DescribeKey".to_owned());
            signed.body =
                Zeroizing::new(serde_json::json!({ "KeyId": key["KeyId"] }).to_string().into_bytes());
            json(&kms.front.service.handle(&signed))["KeyMetadata"].clone()
        })
        .collect()
}

fn count<'a>(keys: &'a [Value], member: &str) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for key in keys {
        *counts.entry(key[member].as_str().unwrap()).or_default() += 1;
    }
    counts
}

#[test]
fn the_demo_shows_every_state_and_origin_several_specs_and_all_managers() {
    let keys = described(&demo(), "us-east-1");
    assert!((36..=48).contains(&keys.len()), "{}", keys.len());
    let states = count(&keys, "KeyState");
    for state in [
        "Creating",
        "Enabled",
        "Disabled",
        "PendingDeletion",
        "PendingImport",
        "PendingReplicaDeletion",
        "Unavailable",
        "Updating",
    ] {
        assert!(states.contains_key(state), "{state} in {states:?}");
    }
    let origins = count(&keys, "Origin");
    for origin in ["AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"] {
        assert!(origins.contains_key(origin), "{origin} in {origins:?}");
    }
    assert!(count(&keys, "KeySpec").len() >= 8);
    assert_eq!(count(&keys, "KeyUsage").len(), 4);
    assert_eq!(count(&keys, "KeyManager").len(), 2);
    assert!(described(&demo(), "eu-west-1").len() >= 4);
}

#[test]
fn the_demo_always_holds_the_key_that_the_manual_names() {
    let answer = answer(&demo(), "DescribeKey", r#"{"KeyId": "alias/demo/orders"}"#);
    let key = &answer["KeyMetadata"];
    assert_eq!(key["KeyId"], ORDERS);
    assert_eq!(key["Enabled"], true);
    assert_eq!(key["KeyManager"], "CUSTOMER");
    assert_eq!(key["KeySpec"], "SYMMETRIC_DEFAULT");
    assert_eq!(key["KeyUsage"], "ENCRYPT_DECRYPT");
}

#[test]
fn deletions_of_the_demo_lie_ahead_of_the_day_on_which_it_was_made() {
    let mut days: Vec<i64> = described(&demo(), "us-east-1")
        .iter()
        .filter_map(|key| key.get("DeletionDate")?.as_f64())
        .map(|date| {
            let ahead = date - today().as_duration().as_secs_f64();
            #[expect(clippy::cast_possible_truncation, reason = "a small whole number of days")]
            let days = (ahead / 86400.0).round() as i64;
            days
        })
        .collect();
    days.sort_unstable();
    assert_eq!(days, [3, 6, 20, 30]);
}

#[test]
fn a_keyring_is_planted_whole() {
    let kms = demo();
    let keyring: toml::Table = toml::from_str(seed::DEMO).unwrap();
    let keys = keyring["key"].as_array().unwrap();
    let planted = described(&kms, "us-east-1").len() + described(&kms, "eu-west-1").len();
    assert_eq!(planted, keys.len());
    let reader = kms.front.service.store.read().unwrap();
    for key in keys {
        let id = key["id"].as_str().unwrap();
        let region = key.get("region").map_or("us-east-1", |region| region.as_str().unwrap());
        let record = reader.key(region, id).unwrap().unwrap();
        let tags = key.get("tags").map_or(0, |tags| tags.as_table().unwrap().len());
        assert_eq!(record.tags.len(), tags, "{id}");
        assert_eq!(
            record.rotation.map(|rotation| i64::from(rotation.period_days)),
            key.get("rotation_period_days").and_then(toml::Value::as_integer),
            "{id}"
        );
    }
}

#[test]
fn what_a_keyring_may_not_say_is_refused_with_a_reason() {
    let key = "[[key]]\nid = \"00000000-0000-4000-8000-000000000001\"\ncreated = \
               2026-01-01T00:00:00Z\n";
    let cases = [
        ("nonsense".to_owned(), "expected"),
        (format!("{key}colour = \"red\""), "unknown field `colour`"),
        (format!("{key}state = \"Sleeping\""), "unknown variant `Sleeping`"),
        (key.replace("2026-01-01T00:00:00Z", "2026-01-01"), "is not a date with a time and an offset"),
        (key.replace("00000001\"", "\""), "its id is not a key id"),
        (format!("{key}{key}"), "is there twice"),
        (format!("{key}usage = \"SIGN_VERIFY\""), "its spec cannot have its usage"),
        (format!("{key}state = \"PendingDeletion\""), "`deletion_in_days` go together"),
        (format!("{key}state = \"PendingImport\""), "imported material"),
        (format!("{key}origin = \"AWS_CLOUDHSM\""), "`custom_key_store` go together"),
        (format!("{key}rotation_period_days = 89"), "90 to 2560"),
        (format!("{key}aliases = [\"orders\"]"), "`orders` is not an alias name"),
        (format!("{key}aliases = [\"alias/a\", \"alias/a\"]"), "alias `alias/a` is there twice"),
        (format!("{key}aliases = [\"alias/aws/s3\"]"), "AWS managed keys"),
        ("[[predefined_alias]]\nname = \"alias/orders\"".to_owned(), "is not a predefined alias"),
    ];
    for (keyring, reason) in cases {
        let options = Options { seed: keyring.clone().into(), ..options() };
        let error = LocalKms::open(StoreLocation::Memory, options).unwrap_err();
        assert!(matches!(error, OpenError::Keyring { .. }), "{keyring}");
        assert!(error.to_string().contains(reason), "{error}\n{keyring}");
    }
}

#[test]
fn secrets_of_two_stores_differ_unless_the_randomness_is_the_same() {
    let material_of = |kms: LocalKms| {
        answer(&kms, "DescribeKey", r#"{"KeyId": "alias/demo/orders"}"#)["KeyMetadata"]
            ["CurrentKeyMaterialId"]
            .clone()
    };
    let real = || LocalKms::open(StoreLocation::Memory, Options::default()).unwrap();
    assert_ne!(material_of(real()), material_of(real()));
    assert_eq!(material_of(demo()), material_of(demo()));
}
