//! The members of answers: those of the service model and no others, and no body where it has none.

use serde_json::json;

use super::*;

/// The operations that answer with members: those that are always there, and those that may be.
const MEMBERS: [(&str, &str, &str); 28] = [
    ("CancelKeyDeletion", "KeyId", ""),
    ("CreateGrant", "GrantToken GrantId", ""),
    ("CreateKey", "KeyMetadata", ""),
    ("Decrypt", "KeyId Plaintext EncryptionAlgorithm KeyMaterialId", ""),
    ("DescribeCustomKeyStores", "CustomKeyStores Truncated", "NextMarker"),
    ("DescribeKey", "KeyMetadata", ""),
    ("Encrypt", "CiphertextBlob KeyId EncryptionAlgorithm", ""),
    ("GenerateDataKey", "CiphertextBlob Plaintext KeyId KeyMaterialId", ""),
    (
        "GenerateDataKeyPair",
        "PrivateKeyCiphertextBlob PrivateKeyPlaintext PublicKey KeyId KeyPairSpec KeyMaterialId",
        "",
    ),
    (
        "GenerateDataKeyPairWithoutPlaintext",
        "PrivateKeyCiphertextBlob PublicKey KeyId KeyPairSpec KeyMaterialId",
        "",
    ),
    ("GenerateDataKeyWithoutPlaintext", "CiphertextBlob KeyId KeyMaterialId", ""),
    ("GenerateRandom", "Plaintext", ""),
    ("GetKeyLastUsage", "KeyId KeyLastUsage TrackingStartDate KeyCreationDate", ""),
    ("GetKeyPolicy", "Policy PolicyName", ""),
    (
        "GetKeyRotationStatus",
        "KeyRotationEnabled KeyId",
        "RotationPeriodInDays NextRotationDate OnDemandRotationStartDate",
    ),
    (
        "GetPublicKey",
        "KeyId PublicKey CustomerMasterKeySpec KeySpec KeyUsage SigningAlgorithms",
        "EncryptionAlgorithms KeyAgreementAlgorithms",
    ),
    ("ListAliases", "Aliases Truncated", "NextMarker"),
    ("ListGrants", "Grants Truncated", "NextMarker"),
    ("ListKeyPolicies", "PolicyNames Truncated", "NextMarker"),
    ("ListKeyRotations", "Rotations Truncated", "NextMarker"),
    ("ListKeys", "Keys Truncated", "NextMarker"),
    ("ListResourceTags", "Tags Truncated", "NextMarker"),
    (
        "ReEncrypt",
        "CiphertextBlob SourceKeyId KeyId SourceEncryptionAlgorithm DestinationEncryptionAlgorithm \
         SourceKeyMaterialId DestinationKeyMaterialId",
        "",
    ),
    ("RotateKeyOnDemand", "KeyId", ""),
    ("ScheduleKeyDeletion", "KeyId DeletionDate KeyState PendingWindowInDays", ""),
    // With the marker that the next page has.
    ("ListKeys", "Keys Truncated NextMarker", ""),
    ("ListAliases", "Aliases Truncated NextMarker", ""),
    ("DescribeCustomKeyStores", "CustomKeyStores Truncated NextMarker", ""),
];

/// The operations whose answers have no body.
const EMPTY: [&str; 13] = [
    "CreateAlias",
    "DeleteAlias",
    "DisableKey",
    "DisableKeyRotation",
    "EnableKey",
    "EnableKeyRotation",
    "PutKeyPolicy",
    "RetireGrant",
    "RevokeGrant",
    "TagResource",
    "UntagResource",
    "UpdateAlias",
    "UpdateKeyDescription",
];

/// A request that succeeds on a key of its own.
fn body(kms: &LocalKms, operation: &str) -> Value {
    let key_id = new_key(kms, &json!({ "Tags": [{ "TagKey": "a", "TagValue": "b" }] }));
    let grant = |operations: Value| json!({ "KeyId": key_id, "GranteePrincipal": "arn:aws:iam::1:root", "Operations": operations });
    let grant_id = || done(kms, "CreateGrant", &grant(json!(["Decrypt"])))["GrantId"].clone();
    let blob = || {
        let made = done(kms, "Encrypt", &json!({ "KeyId": key_id, "Plaintext": "AAAA" }));
        made["CiphertextBlob"].clone()
    };
    match operation {
        "CancelKeyDeletion" => {
            done(kms, "ScheduleKeyDeletion", &json!({ "KeyId": key_id }));
            json!({ "KeyId": key_id })
        }
        "CreateAlias" => json!({ "AliasName": "alias/new", "TargetKeyId": key_id }),
        "UpdateAlias" | "DeleteAlias" => {
            let name = format!("alias/{operation}");
            done(kms, "CreateAlias", &json!({ "AliasName": name, "TargetKeyId": key_id }));
            match operation {
                "UpdateAlias" => json!({ "AliasName": name, "TargetKeyId": key_id }),
                _ => json!({ "AliasName": name }),
            }
        }
        "CreateGrant" => grant(json!(["Encrypt"])),
        "CreateKey" | "ListKeys" | "DescribeCustomKeyStores" => json!({}),
        "Decrypt" => json!({ "CiphertextBlob": blob() }),
        "ReEncrypt" => json!({ "CiphertextBlob": blob(), "DestinationKeyId": key_id }),
        "Encrypt" => json!({ "KeyId": key_id, "Plaintext": "AAAA" }),
        "GenerateDataKey" | "GenerateDataKeyWithoutPlaintext" => {
            json!({ "KeyId": key_id, "KeySpec": "AES_256" })
        }
        "GenerateDataKeyPair" | "GenerateDataKeyPairWithoutPlaintext" => {
            json!({ "KeyId": key_id, "KeyPairSpec": "ECC_NIST_P256" })
        }
        "GenerateRandom" => json!({ "NumberOfBytes": 8 }),
        "GetPublicKey" => {
            json!({ "KeyId": new_key(kms, &json!({ "KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY" })) })
        }
        "RetireGrant" | "RevokeGrant" => json!({ "KeyId": key_id, "GrantId": grant_id() }),
        "PutKeyPolicy" => json!({ "KeyId": key_id, "Policy": default_policy() }),
        "TagResource" => json!({ "KeyId": key_id, "Tags": [{ "TagKey": "c", "TagValue": "d" }] }),
        "UntagResource" => json!({ "KeyId": key_id, "TagKeys": ["a"] }),
        "UpdateKeyDescription" => json!({ "KeyId": key_id, "Description": "x" }),
        "ListAliases" => json!({}),
        _ => json!({ "KeyId": key_id }),
    }
}

#[test]
fn answers_have_the_members_of_the_model_or_no_body() {
    let kms = demo();
    for (operation, always, sometimes) in MEMBERS {
        let mut body = body(&kms, operation);
        if always.contains("NextMarker") {
            body["Limit"] = json!(1);
        } else if operation.starts_with("List") {
            body["Limit"] = json!(1000);
        }
        if operation == "ListAliases" && !always.contains("NextMarker") {
            body["KeyId"] = json!(ORDERS);
        }
        if operation == "ListResourceTags" {
            body["Limit"] = json!(50);
        }
        let told = done(&kms, operation, &body);
        let members: Vec<&String> = told.as_object().unwrap().keys().collect();
        for member in always.split(' ') {
            assert!(members.iter().any(|there| *there == member), "{operation} has no {member}: {told}");
        }
        for member in members {
            let known = always.split(' ').chain(sometimes.split(' ')).any(|known| known == member);
            assert!(known, "{operation} has {member}");
        }
        assert_eq!(told.get("NextMarker").is_some(), told.get("Truncated") == Some(&json!(true)));
    }
    for operation in EMPTY {
        assert_eq!(done(&kms, operation, &body(&kms, operation)), Value::Null, "{operation}");
    }
}

#[test]
fn the_lists_above_have_every_operation() {
    use crate::local::operations::Operation;
    for name in Operation::names().filter(|name| Operation::named(name).is_some()) {
        let listed = MEMBERS.iter().any(|(operation, ..)| *operation == name) || EMPTY.contains(&name);
        assert!(listed, "{name}");
    }
}

#[test]
fn a_dry_run_that_would_succeed_does_nothing_and_says_so() {
    let kms = demo();
    let dry_run =
        said("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.");
    for operation in [
        "CreateGrant",
        "Decrypt",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "ReEncrypt",
        "RetireGrant",
        "RevokeGrant",
    ] {
        let mut body = body(&kms, operation);
        body["DryRun"] = json!(true);
        assert_eq!(refused(&kms, operation, &body), dry_run, "{operation}");
        // Any check that fails comes before.
        for (member, wrong) in [
            ("KeyId", json!("absent")),
            ("DestinationKeyId", json!("absent")),
            ("GrantTokens", json!(["made-up"])),
            ("EncryptionContext", json!({ "": "x" })),
            ("SourceEncryptionContext", json!({ "other": "x" })),
            ("GrantId", json!("0".repeat(64))),
        ] {
            let takes = match member {
                "KeyId" => operation != "ReEncrypt",
                "DestinationKeyId" | "SourceEncryptionContext" => operation == "ReEncrypt",
                "GrantId" => operation.ends_with("eGrant") && operation != "CreateGrant",
                "EncryptionContext" => !operation.ends_with("Grant") && operation != "ReEncrypt",
                _ => !operation.ends_with("eGrant") || operation == "CreateGrant",
            };
            if takes {
                let mut wrong_body = body.clone();
                wrong_body[member] = wrong;
                let (code, _) = refused(&kms, operation, &wrong_body);
                assert_ne!(code, "DryRunOperationException", "{operation} {member}");
            }
        }
        body["DryRun"] = json!(false);
        done(&kms, operation, &body);
    }
}
