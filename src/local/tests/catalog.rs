//! `ListKeys`, `ListAliases` and `DescribeKey`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use aws_sdk_kms::operation::RequestId;
use aws_sdk_kms::operation::describe_key::DescribeKeyError;
use aws_sdk_kms::types::{KeyManagerType, KeyState};

use super::*;

/// `keys` keys with ids in order, the first with `aliases` aliases.
fn many(keys: usize, aliases: usize) -> LocalKms {
    let mut keyring = String::new();
    for key in 0..keys {
        let names: Vec<String> =
            (0..aliases).filter(|_| key == 0).map(|alias| format!("\"alias/{alias:05}\"")).collect();
        writeln!(
            keyring,
            "[[key]]\nid = \"00000000-0000-4000-8000-{key:012}\"\ncreated = \
             2026-01-01T00:00:00Z\nstate = \"Creating\"\naliases = [{}]",
            names.join(", ")
        )
        .unwrap();
    }
    with_keyring(keyring)
}

#[tokio::test]
async fn paginators_bring_every_key_once_and_in_order() {
    let client = client(&many(2345, 0));
    for (limit, pages) in [(None, 24), (Some(7), 335), (Some(1000), 3), (Some(235), 10)] {
        let mut stream = client.list_keys().set_limit(limit).into_paginator().send();
        let mut ids = Vec::new();
        let mut count = 0;
        while let Some(page) = stream.next().await {
            let page = page.unwrap();
            count += 1;
            assert_eq!(page.truncated, page.next_marker.is_some());
            for key in page.keys.unwrap() {
                assert_eq!(key.key_arn.unwrap(), arn(key.key_id.as_ref().unwrap()));
                ids.push(key.key_id.unwrap());
            }
        }
        assert_eq!(count, pages, "{limit:?}");
        assert_eq!(ids.len(), 2345);
        assert!(ids.is_sorted());
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 2345);
    }
}

#[tokio::test]
async fn a_page_that_ends_with_the_last_key_is_the_last_page() {
    let client = client(&many(100, 0));
    let page = client.list_keys().send().await.unwrap();
    assert_eq!(page.keys.unwrap().len(), 100);
    assert!(!page.truncated);
    assert_eq!(page.next_marker, None);
}

#[tokio::test]
async fn pages_of_aliases_have_fifty_by_default_and_a_hundred_at_most() {
    let client = client(&many(2, 230));
    for (limit, sizes) in
        [(None, vec![50, 50, 50, 50, 30]), (Some(100), vec![100, 100, 30]), (Some(1000), vec![100, 100, 30])]
    {
        for key_id in [None, Some("00000000-0000-4000-8000-000000000000".to_owned())] {
            let mut stream =
                client.list_aliases().set_key_id(key_id).set_limit(limit).into_paginator().send();
            let mut names = Vec::new();
            let mut pages = Vec::new();
            while let Some(page) = stream.next().await {
                let aliases = page.unwrap().aliases.unwrap();
                pages.push(aliases.len());
                names.extend(aliases.into_iter().map(|alias| alias.alias_name.unwrap()));
            }
            assert_eq!(pages, sizes);
            assert!(names.is_sorted());
            assert_eq!(names.len(), 230);
        }
    }
}

#[tokio::test]
async fn a_region_without_keys_lists_none() {
    let client = client_in(&demo(), "ap-southeast-2");
    let keys = client.list_keys().send().await.unwrap();
    assert!(keys.keys.unwrap().is_empty());
    assert!(!keys.truncated);
    let aliases = client.list_aliases().send().await.unwrap();
    assert!(aliases.aliases.unwrap().is_empty());
}

#[tokio::test]
async fn the_aliases_of_a_key_are_listed_by_its_id_and_by_its_arn() {
    let client = client(&demo());
    let key_id = "162cfe45-9466-44b1-a7d5-ffeb7703e52e";
    for text in [key_id.to_owned(), arn(key_id)] {
        let listed = client.list_aliases().key_id(text).send().await.unwrap();
        let names: Vec<String> =
            listed.aliases.unwrap().into_iter().map(|alias| alias.alias_name.unwrap()).collect();
        assert_eq!(
            names,
            [
                "alias/orders/prod/data",
                "alias/orders/prod/data-blue",
                "alias/orders/prod/data-green",
                "alias/orders/prod/events"
            ]
        );
    }
    let none = client.list_aliases().key_id("0fab7777-329d-452c-b64b-506b602961d4").send().await.unwrap();
    assert!(none.aliases.unwrap().is_empty());
}

#[tokio::test]
async fn a_listing_of_the_aliases_of_no_key_is_refused() {
    let client = client(&demo());
    let list = |key_id: &str| client.list_aliases().key_id(key_id).send();
    assert_eq!(
        refusal(list("alias/demo/orders").await),
        said("InvalidArnException", "Key Aliases are not supported for this operation.")
    );
    let absent = "00000000-0000-4000-8000-000000000000";
    assert_eq!(
        refusal(list(absent).await),
        said("NotFoundException", &format!("Key '{}' does not exist", arn(absent)))
    );
}

#[tokio::test]
async fn a_marker_is_good_for_its_own_listing_alone() {
    let kms = many(3, 3);
    let client = client(&kms);
    let keys = client.list_keys().limit(1).send().await.unwrap();
    let marker = keys.next_marker.unwrap();
    assert!(!marker.contains("00000000"), "{marker}");
    let (code, _) = refusal(client.list_aliases().marker(&marker).send().await);
    assert_eq!(code, "InvalidMarkerException");
    let elsewhere = client_in(&kms, "eu-west-1");
    let (code, _) = refusal(elsewhere.list_keys().marker(&marker).send().await);
    assert_eq!(code, "InvalidMarkerException");
    for wrong in ["x", "nonsense", &format!("{marker}A"), &marker[1..]] {
        let (code, _) = refusal(client.list_keys().marker(wrong).send().await);
        assert_eq!(code, "InvalidMarkerException", "{wrong}");
    }
    let aliases = client.list_aliases().limit(1).send().await.unwrap();
    let (code, _) = refusal(
        client
            .list_aliases()
            .key_id("00000000-0000-4000-8000-000000000000")
            .marker(aliases.next_marker.unwrap())
            .send()
            .await,
    );
    assert_eq!(code, "InvalidMarkerException");
    assert!(client.list_keys().marker(marker).send().await.is_ok());
}

#[test]
fn limits_and_markers_out_of_shape_are_validation_errors() {
    let kms = demo();
    let cases = [
        (
            r#"{"Limit": 0}"#,
            "Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than \
             or equal to 1",
        ),
        (
            r#"{"Limit": 1001}"#,
            "Value '1001' at 'limit' failed to satisfy constraint: Member must have value less than \
             or equal to 1000",
        ),
        (
            r#"{"Marker": ""}"#,
            "Value '' at 'marker' failed to satisfy constraint: Member must have length greater \
             than or equal to 1",
        ),
        (
            r#"{"Marker": "\u0100"}"#,
            r"Value 'Ā' at 'marker' failed to satisfy constraint: Member must satisfy regular expression pattern: [\u0020-\u00FF]*",
        ),
    ];
    for operation in ["ListKeys", "ListAliases"] {
        for (body, violation) in cases {
            let answer = answer(&kms, operation, body);
            assert_eq!(answer["__type"], "ValidationException", "{body}");
            assert_eq!(answer["message"], format!("1 validation error detected: {violation}"), "{body}");
        }
    }
}

#[tokio::test]
async fn predefined_aliases_without_a_key_are_listed_without_a_target() {
    let client = client(&demo());
    let listed = client.list_aliases().limit(100).send().await.unwrap().aliases.unwrap();
    let rds = listed.iter().find(|alias| alias.alias_name() == Some("alias/aws/rds")).unwrap();
    assert_eq!(rds.target_key_id, None);
    assert_eq!(rds.creation_date, None);
    assert_eq!(rds.alias_arn(), Some("arn:aws:kms:us-east-1:111122223333:alias/aws/rds"));
    let s3 = listed.iter().find(|alias| alias.alias_name() == Some("alias/aws/s3")).unwrap();
    assert_eq!(s3.target_key_id(), Some("64fbf25a-f592-468c-8f48-acf8374a9f13"));
    assert!(s3.creation_date.is_some());
    assert!(s3.last_updated_date.is_some());
}

#[tokio::test]
async fn to_describe_a_predefined_alias_creates_its_key_once() {
    let kms = demo();
    let client = client(&kms);
    let before = client.list_keys().send().await.unwrap().keys.unwrap().len();
    let describe = || client.describe_key().key_id("alias/aws/rds").send();
    let first = describe().await.unwrap().key_metadata.unwrap();
    assert_eq!(first.key_manager, Some(KeyManagerType::Aws));
    assert_eq!(first.key_state, Some(KeyState::Enabled));
    assert_eq!(
        first.description.as_deref(),
        Some("Default key that protects my RDS database volumes when no other key is defined")
    );
    assert_eq!(first.creation_date.unwrap().to_millis().unwrap(), today().as_millisecond());
    let again = describe().await.unwrap().key_metadata.unwrap();
    assert_eq!(first.key_id, again.key_id);
    let after = client.list_keys().send().await.unwrap().keys.unwrap().len();
    assert_eq!(after, before + 1);
    let aliases = client.list_aliases().key_id(&first.key_id).send().await.unwrap();
    assert_eq!(aliases.aliases.unwrap()[0].alias_name(), Some("alias/aws/rds"));
}

#[tokio::test]
async fn an_unknown_predefined_alias_is_not_found() {
    let result = client(&demo()).describe_key().key_id("alias/aws/unheard-of").send().await;
    assert_eq!(
        refusal(result),
        said(
            "NotFoundException",
            "Alias arn:aws:kms:us-east-1:111122223333:alias/aws/unheard-of is not found."
        )
    );
}

#[test]
fn the_metadata_of_a_plain_key_has_exactly_the_recorded_members() {
    let answer = answer(&demo(), "DescribeKey", r#"{"KeyId": "alias/demo/customers"}"#);
    let metadata = answer["KeyMetadata"].as_object().unwrap();
    let mut members: Vec<&str> = metadata.keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(
        members,
        [
            "AWSAccountId",
            "Arn",
            "CreationDate",
            "CurrentKeyMaterialId",
            "CustomerMasterKeySpec",
            "Description",
            "Enabled",
            "EncryptionAlgorithms",
            "KeyId",
            "KeyManager",
            "KeySpec",
            "KeyState",
            "KeyUsage",
            "MultiRegion",
            "Origin",
        ]
    );
    assert_eq!(metadata["KeyId"], "af42b365-9721-401d-8ad0-e1de0e462266");
    assert_eq!(metadata["Enabled"], true);
    assert_eq!(metadata["CreationDate"], 1_739_266_307.0);
    assert_eq!(metadata["EncryptionAlgorithms"][0], "SYMMETRIC_DEFAULT");
}

#[test]
fn dates_are_seconds_with_a_fraction() {
    let answer = answer(&demo(), "DescribeKey", r#"{"KeyId": "alias/payments/legacy/terminal-mac"}"#);
    // Six days after the store was made.
    assert_eq!(answer["KeyMetadata"]["DeletionDate"].to_string(), "1796040000.186");
}

#[test]
fn what_is_special_about_a_key_is_in_its_metadata() {
    let kms = demo();
    let describe = |alias: &str| {
        let body = serde_json::json!({ "KeyId": alias }).to_string();
        answer(&kms, "DescribeKey", &body)["KeyMetadata"].clone()
    };
    let mac = describe("alias/payments/prod/terminal-mac");
    assert_eq!(mac["MacAlgorithms"], serde_json::json!(["HMAC_SHA_256"]));
    assert_eq!(mac.get("EncryptionAlgorithms"), None);
    assert_eq!(mac.get("CurrentKeyMaterialId"), None);

    let pending_import = describe("alias/fraud/prod/case-files-next");
    assert_eq!(pending_import["KeyState"], "PendingImport");
    assert_eq!(pending_import["Enabled"], false);
    assert_eq!(pending_import.get("CurrentKeyMaterialId"), None);
    assert_eq!(pending_import.get("ExpirationModel"), None);

    let imported = describe("alias/fraud/prod/case-files");
    assert_eq!(imported["ExpirationModel"], "KEY_MATERIAL_EXPIRES");
    assert!(imported["ValidTo"].is_number());
    assert!(imported["CurrentKeyMaterialId"].is_string());
    let lasting = describe("alias/legal/prod/signatures-archive");
    assert_eq!(lasting["ExpirationModel"], "KEY_MATERIAL_DOES_NOT_EXPIRE");

    let hsm = describe("alias/people/prod/salaries");
    assert_eq!(hsm["CustomKeyStoreId"], "cks-1f2e3d4c5b6a79881");
    assert_eq!(hsm["CloudHsmClusterId"], "cluster-2h4k6m8p0qs");
    assert_eq!(hsm.get("CurrentKeyMaterialId"), None);
    let external = describe("alias/legal/prod/contracts");
    assert_eq!(external["XksKeyConfiguration"]["Id"], "contracts-2024");
    assert_eq!(external.get("CloudHsmClusterId"), None);

    let waiting = describe("alias/backups/legacy/databases");
    assert_eq!(waiting["KeyState"], "PendingReplicaDeletion");
    assert_eq!(waiting["PendingDeletionWindowInDays"], 7);
    assert_eq!(waiting.get("DeletionDate"), None);

    let primary = describe("alias/backups/prod/databases");
    assert_eq!(primary["MultiRegion"], true);
    assert_eq!(
        primary["MultiRegionConfiguration"],
        serde_json::json!({
            "MultiRegionKeyType": "PRIMARY",
            "PrimaryKey": {
                "Arn": "arn:aws:kms:us-east-1:111122223333:key/mrk-0618106ddfffa20898c4c1943fc2e0ed",
                "Region": "us-east-1",
            },
            "ReplicaKeys": [{
                "Arn": "arn:aws:kms:eu-west-1:111122223333:key/mrk-0618106ddfffa20898c4c1943fc2e0ed",
                "Region": "eu-west-1",
            }],
        })
    );
}

#[tokio::test]
async fn a_replica_says_that_it_is_one() {
    let kms = demo();
    let describe = async |region| {
        let described = client_in(&kms, region)
            .describe_key()
            .key_id("mrk-0618106ddfffa20898c4c1943fc2e0ed")
            .send()
            .await;
        described.unwrap().key_metadata.unwrap()
    };
    let replica = describe("eu-west-1").await;
    let regions = replica.multi_region_configuration.unwrap();
    assert_eq!(regions.multi_region_key_type.unwrap().as_str(), "REPLICA");
    let primary = describe("us-east-1").await;
    assert_eq!(replica.current_key_material_id, primary.current_key_material_id);
}

#[tokio::test]
async fn the_sdk_reads_a_refusal_as_the_error_that_it_models_and_finds_the_request_id() {
    let error = client(&demo()).describe_key().key_id("alias/absent").send().await.unwrap_err();
    let request_id = error.request_id().unwrap().to_owned();
    assert_eq!(request_id.len(), 36);
    assert!(identifier::is_key_id(&request_id), "{request_id}");
    assert_eq!(request_id.as_bytes()[14], b'4', "{request_id}");
    assert!(matches!(error.into_service_error(), DescribeKeyError::NotFoundException(_)));
}

#[tokio::test]
async fn answers_have_request_ids_of_their_own() {
    let client = client(&demo());
    let list = async || {
        let listed = client.list_keys().send().await.unwrap();
        listed.request_id().unwrap().to_owned()
    };
    assert_ne!(list().await, list().await);
}
