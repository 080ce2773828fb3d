//! Stores whose keys are made up from a seed.

use std::collections::BTreeSet;

use super::*;

fn seeded(keys: u32, seed: u64, randomness: u64) -> Options {
    Options {
        seed: Seed::Generated { keys, seed },
        randomness: Randomness::deterministic(randomness),
        ..options()
    }
}

fn generated(keys: u32, seed: u64) -> LocalKms {
    LocalKms::open(StoreLocation::Memory, seeded(keys, seed, 7)).unwrap()
}

/// Every key, described, in the order of a listing.
fn keys(kms: &LocalKms) -> Vec<Value> {
    let listed = answer(kms, "ListKeys", r#"{"Limit": 1000}"#);
    let keys = listed["Keys"].as_array().unwrap().iter();
    keys.map(|key| {
        let body = serde_json::json!({ "KeyId": key["KeyId"] }).to_string();
        answer(kms, "DescribeKey", &body)["KeyMetadata"].clone()
    })
    .collect()
}

/// Every alias, page by page.
fn aliases(kms: &LocalKms) -> Vec<Value> {
    let mut found = Vec::new();
    let mut body = serde_json::json!({ "Limit": 100 });
    loop {
        let page = answer(kms, "ListAliases", &body.to_string());
        found.extend(page["Aliases"].as_array().unwrap().iter().cloned());
        match page.get("NextMarker") {
            Some(marker) => body["Marker"] = marker.clone(),
            None => return found,
        }
    }
}

#[test]
fn the_first_key_is_always_that_of_the_manual() {
    for keys_made in [1, 2, 500] {
        let kms = generated(keys_made, 9);
        let answer = answer(&kms, "DescribeKey", r#"{"KeyId": "alias/demo/orders"}"#);
        let key = &answer["KeyMetadata"];
        assert_eq!(key["KeyState"], "Enabled");
        assert_eq!(key["KeyManager"], "CUSTOMER");
        assert_eq!(key["KeySpec"], "SYMMETRIC_DEFAULT");
        assert_eq!(keys(&kms).len(), usize::try_from(keys_made).unwrap());
    }
    assert_eq!(aliases(&generated(1, 9)).len(), 1);
}

#[test]
fn no_keys_are_a_store_without_any() {
    let kms = generated(0, 9);
    assert_eq!(keys(&kms), [] as [Value; 0]);
    assert_eq!(aliases(&kms), [] as [Value; 0]);
}

#[test]
fn the_seed_decides_and_no_other_randomness_does() {
    let first = generated(300, 1);
    let again = LocalKms::open(StoreLocation::Memory, seeded(300, 1, 8)).unwrap();
    assert_eq!(keys(&first), keys(&again));
    assert_eq!(aliases(&first), aliases(&again));
    assert_ne!(keys(&first), keys(&generated(300, 2)));
}

#[tokio::test]
async fn a_blob_of_one_store_opens_in_another_of_the_same_seed() {
    let blob = data_key(&client(&generated(3, 1)), "alias/demo/orders", &[("a", "1")]).await;
    for (seed, opens) in [(1, true), (2, false)] {
        let client = client(&generated(3, seed));
        let opened = client.decrypt().ciphertext_blob(blob.clone()).encryption_context("a", "1").send().await;
        assert_eq!(opened.is_ok(), opens);
    }
}

#[tokio::test]
async fn every_usable_symmetric_key_makes_data_keys() {
    let kms = generated(200, 6);
    let client = client(&kms);
    let mut made = 0;
    for key in keys(&kms) {
        let usable = key["KeyState"] == "Enabled"
            && key["KeySpec"] == "SYMMETRIC_DEFAULT"
            && key["KeyManager"] == "CUSTOMER";
        if usable {
            let blob = data_key(&client, key["KeyId"].as_str().unwrap(), &[]).await;
            assert!(client.decrypt().ciphertext_blob(blob).send().await.is_ok());
            made += 1;
        }
    }
    assert!(made > 100, "{made}");
}

#[test]
fn the_aliases_of_a_key_are_those_of_the_whole_listing_that_point_at_it() {
    let kms = generated(200, 6);
    let all = aliases(&kms);
    let mut found = 0;
    for key in keys(&kms) {
        let body = serde_json::json!({ "KeyId": key["KeyId"] }).to_string();
        let of_key = answer(&kms, "ListAliases", &body)["Aliases"].as_array().unwrap().clone();
        let pointing: Vec<Value> =
            all.iter().filter(|alias| alias["TargetKeyId"] == key["KeyId"]).cloned().collect();
        found += of_key.len();
        assert_eq!(of_key, pointing);
    }
    assert_eq!(found, all.len());
    let names: BTreeSet<&str> = all.iter().map(|alias| alias["AliasName"].as_str().unwrap()).collect();
    assert_eq!(names.len(), all.len());
}

#[test]
fn a_store_that_exists_is_not_seeded_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kms.redb");
    let location = || StoreLocation::File(path.clone());
    let before = keys(&LocalKms::open(location(), seeded(5, 1, 7)).unwrap());
    for options in [seeded(5, 1, 7), seeded(7, 2, 7)] {
        let error = LocalKms::open(location(), options).unwrap_err();
        assert!(matches!(error, OpenError::NotNew { .. }), "{error:?}");
        let sentence = error.to_string();
        assert!(sentence.contains("kms.redb") && sentence.contains("`--seed-keys`"), "{sentence}");
    }
    assert_eq!(keys(&LocalKms::open(location(), options()).unwrap()), before);
}

#[test]
fn too_many_keys_are_refused_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kms.redb");
    let options = seeded(MAX_GENERATED_KEYS + 1, 1, 7);
    let error = LocalKms::open(StoreLocation::File(path.clone()), options).unwrap_err();
    assert!(matches!(error, OpenError::TooManyKeys { keys: 1_000_001 }), "{error:?}");
    assert!(error.to_string().contains("at most 1000000"), "{error}");
    assert!(!path.exists());
}
