//! Pages of every listing: their sizes, and markers that are changed or out of place.

use serde_json::json;

use super::*;

/// A listing: the operation, its body, the member with the items, the size of a page by default and at
/// most.
type Listing = (&'static str, Value, &'static str, usize, usize);

/// A store with more of everything than a page holds, and its listings.
fn crowded() -> (LocalKms, [Listing; 5]) {
    let kms = with_keyring("");
    let key_id = new_key(
        &kms,
        &json!({
            "Tags": (0..50).map(|number| json!({ "TagKey": format!("{number:02}"), "TagValue": "" })).collect::<Value>(),
        }),
    );
    // As the store has them: the operations allow fewer aliases of a key.
    let stored: Result<(), error::KmsError> = kms.front.service.store.write(|writer| {
        for number in 0..120 {
            let target = key::AliasTarget { key_id: key_id.clone(), created: today(), updated: today() };
            let alias = key::AliasRecord { target: Some(target), managed_description: None };
            writer.put_alias("us-east-1", &format!("alias/{number:03}"), &alias)?;
        }
        for number in 0..1100 {
            let material = format!("{number:064}");
            let rotated = Some((today(), key::RotationType::Automatic));
            writer.add_rotation("us-east-1", &key_id, &key::RotationRecord { material, rotated })?;
        }
        let record = {
            use crate::local::store::View as _;
            writer.key("us-east-1", &key_id)?.unwrap()
        };
        for number in 0..1100 {
            writer.put_key("us-east-1", &format!("00000000-0000-4000-8000-{number:012}"), &record)?;
        }
        Ok(())
    });
    stored.unwrap();
    for _ in 0..120 {
        let grant = json!({
            "KeyId": key_id,
            "GranteePrincipal": "arn:aws:iam::111122223333:root",
            "Operations": ["Decrypt"],
        });
        done(&kms, "CreateGrant", &grant);
    }
    let by_id = json!({ "KeyId": key_id });
    let listings = [
        ("ListKeys", json!({}), "Keys", 100, 1000),
        ("ListAliases", json!({}), "Aliases", 50, 100),
        ("ListGrants", by_id.clone(), "Grants", 50, 100),
        ("ListResourceTags", by_id.clone(), "Tags", 50, 50),
        ("ListKeyRotations", by_id, "Rotations", 100, 1000),
    ];
    (kms, listings)
}

#[test]
fn pages_have_the_documented_sizes_and_markers_are_good_for_their_own_listing_alone() {
    let (kms, listings) = crowded();
    let with = |body: &Value, member: &str, value: Value| {
        let mut body = body.clone();
        body[member] = value;
        body
    };
    let mut markers = Vec::new();
    for (operation, body, member, default, most) in &listings {
        let size = |body: &Value| done(&kms, operation, body)[*member].as_array().unwrap().len();
        assert_eq!(size(body), *default, "{operation}");
        for limit in [1, 7, *most, 1000] {
            assert_eq!(size(&with(body, "Limit", json!(limit))), limit.min(*most), "{operation} {limit}");
        }
        for limit in [0, 1001] {
            let (code, _) = refused(&kms, operation, &with(body, "Limit", json!(limit)));
            assert_eq!(code, "ValidationException", "{operation} {limit}");
        }
        let page = done(&kms, operation, &with(body, "Limit", json!(3)));
        markers.push((*operation, page["NextMarker"].as_str().unwrap().to_owned()));
    }
    for (operation, body, ..) in &listings {
        for (issued_by, marker) in &markers {
            let body = with(body, "Marker", json!(marker));
            if issued_by == operation {
                done(&kms, operation, &body);
            } else {
                let (code, _) = refused(&kms, operation, &body);
                assert_eq!(code, "InvalidMarkerException", "{operation} after {issued_by}");
            }
        }
        let own = &markers.iter().find(|(issued_by, _)| issued_by == operation).unwrap().1;
        let mut changed = own.clone().into_bytes();
        changed[3] = if changed[3] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        for wrong in [changed.as_str(), &own[1..], &own[..own.len() - 2], "x", "3"] {
            let (code, _) = refused(&kms, operation, &with(body, "Marker", json!(wrong)));
            assert_eq!(code, "InvalidMarkerException", "{operation} {wrong}");
        }
    }
    // That of another key.
    let other = new_key(&kms, &json!({}));
    for (operation, marker) in
        markers.iter().filter(|(operation, _)| !["ListKeys", "ListAliases"].contains(operation))
    {
        let body = json!({ "KeyId": other, "Marker": marker });
        assert_eq!(refused(&kms, operation, &body).0, "InvalidMarkerException", "{operation}");
    }
    for operation in ["ListKeyPolicies", "DescribeCustomKeyStores"] {
        let body = json!({ "KeyId": other, "Marker": "made-up" });
        assert_eq!(refused(&kms, operation, &body).0, "InvalidMarkerException", "{operation}");
    }
}

#[test]
fn custom_key_stores_are_listed_in_pages_and_found_by_id_and_by_name() {
    let kms = demo();
    let describe = |body: Value| done(&kms, "DescribeCustomKeyStores", &body);
    let all = describe(json!({}))["CustomKeyStores"].as_array().unwrap().clone();
    assert!(all.len() >= 2, "{all:?}");
    let first = describe(json!({ "Limit": 1 }));
    assert_eq!(first["CustomKeyStores"], json!([all[0]]));
    let second = describe(json!({ "Limit": 1, "Marker": first["NextMarker"] }));
    assert_eq!(second["CustomKeyStores"], json!([all[1]]));
    for store in &all {
        let by_id = describe(json!({ "CustomKeyStoreId": store["CustomKeyStoreId"] }));
        assert_eq!(by_id, json!({ "CustomKeyStores": [store], "Truncated": false }));
        let by_name = describe(json!({ "CustomKeyStoreName": store["CustomKeyStoreName"] }));
        assert_eq!(by_name, by_id);
        let kind = store["CustomKeyStoreType"].as_str().unwrap();
        assert_eq!(store.get("CloudHsmClusterId").is_some(), kind == "AWS_CLOUDHSM", "{store}");
        assert_eq!(store.get("XksProxyConfiguration").is_some(), kind == "EXTERNAL_KEY_STORE", "{store}");
        for member in ["ConnectionState", "CreationDate"] {
            assert!(store.get(member).is_some(), "{store}");
        }
    }
    for body in [json!({ "CustomKeyStoreId": "cks-0" }), json!({ "CustomKeyStoreName": "none" })] {
        assert_eq!(refused(&kms, "DescribeCustomKeyStores", &body).0, "CustomKeyStoreNotFoundException");
    }
    let both = json!({
        "CustomKeyStoreId": all[0]["CustomKeyStoreId"],
        "CustomKeyStoreName": all[0]["CustomKeyStoreName"],
    });
    assert_eq!(refused(&kms, "DescribeCustomKeyStores", &both).0, "ValidationException");
}
