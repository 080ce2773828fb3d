//! Which names of a key an operation takes. KMS API: Key identifiers; each operation's `KeyId`.

use serde_json::json;

use super::*;

/// The operations that look at or use a key take any name of it.
const BY_ANY_NAME: [&str; 8] = [
    "DescribeKey",
    "GetPublicKey",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "Encrypt",
    "ReEncrypt",
];

/// All others take its id or its ARN.
const NOT_BY_ALIAS: [&str; 20] = [
    "CancelKeyDeletion",
    "CreateGrant",
    "DisableKey",
    "DisableKeyRotation",
    "EnableKey",
    "EnableKeyRotation",
    "GetKeyLastUsage",
    "GetKeyPolicy",
    "GetKeyRotationStatus",
    "ListAliases",
    "ListGrants",
    "ListKeyPolicies",
    "ListKeyRotations",
    "ListResourceTags",
    "PutKeyPolicy",
    "RetireGrant",
    "RevokeGrant",
    "RotateKeyOnDemand",
    "ScheduleKeyDeletion",
    "UpdateKeyDescription",
];

/// A body that is in shape for whatever operation, about that key.
fn body(kms: &LocalKms, operation: &str, key_id: &str) -> Value {
    match operation {
        "ReEncrypt" => {
            let blob = done(kms, "Encrypt", &json!({ "KeyId": ORDERS, "Plaintext": "AAAA" }));
            json!({ "CiphertextBlob": blob["CiphertextBlob"], "DestinationKeyId": key_id })
        }
        "GenerateDataKeyPair" | "GenerateDataKeyPairWithoutPlaintext" => {
            json!({ "KeyId": key_id, "KeyPairSpec": "ECC_NIST_P256" })
        }
        "GenerateDataKey" | "GenerateDataKeyWithoutPlaintext" => {
            json!({ "KeyId": key_id, "KeySpec": "AES_256" })
        }
        "Encrypt" => json!({ "KeyId": key_id, "Plaintext": "AAAA" }),
        "CreateGrant" => {
            json!({ "KeyId": key_id, "GranteePrincipal": "arn:aws:iam::1:root", "Operations": ["Encrypt"] })
        }
        "RetireGrant" | "RevokeGrant" => json!({ "KeyId": key_id, "GrantId": "0".repeat(64) }),
        "PutKeyPolicy" => json!({ "KeyId": key_id, "Policy": default_policy() }),
        "UpdateKeyDescription" => json!({ "KeyId": key_id, "Description": "" }),
        "TagResource" => json!({ "KeyId": key_id, "Tags": [] }),
        "UntagResource" => json!({ "KeyId": key_id, "TagKeys": [] }),
        _ => json!({ "KeyId": key_id }),
    }
}

#[test]
fn any_name_of_a_key_is_taken_where_it_is_looked_at_or_used() {
    let kms = demo();
    let public = new_key(&kms, &json!({ "KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY" }));
    done(&kms, "CreateAlias", &json!({ "AliasName": "alias/public", "TargetKeyId": public }));
    for operation in BY_ANY_NAME {
        let (key_id, alias) = match operation {
            "GetPublicKey" => (public.as_str(), "alias/public"),
            _ => (ORDERS, "alias/demo/orders"),
        };
        for name in [key_id.to_owned(), arn(key_id), alias.to_owned(), alias_arn(alias)] {
            let told = done(&kms, operation, &body(&kms, operation, &name));
            match operation {
                "DescribeKey" => assert_eq!(told["KeyMetadata"]["KeyId"], key_id),
                _ => assert_eq!(told["KeyId"], arn(key_id), "{operation} by {name}"),
            }
        }
    }
    let blob = done(&kms, "Encrypt", &body(&kms, "Encrypt", ORDERS))["CiphertextBlob"].clone();
    for name in
        [ORDERS.to_owned(), arn(ORDERS), "alias/demo/orders".to_owned(), alias_arn("alias/demo/orders")]
    {
        let told = done(&kms, "Decrypt", &json!({ "CiphertextBlob": blob, "KeyId": name }));
        assert_eq!(told["KeyId"], arn(ORDERS));
    }
}

#[test]
fn an_alias_is_refused_by_all_other_operations_before_it_is_looked_up() {
    let kms = demo();
    let expected = said("InvalidArnException", "Key Aliases are not supported for this operation.");
    for operation in NOT_BY_ALIAS.into_iter().chain(["TagResource", "UntagResource"]) {
        for name in ["alias/demo/orders", "alias/absent"] {
            for name in [name.to_owned(), alias_arn(name)] {
                assert_eq!(
                    refused(&kms, operation, &body(&kms, operation, &name)),
                    expected,
                    "{operation} by {name}"
                );
            }
        }
    }
}

#[test]
fn a_name_that_names_nothing_is_refused_in_the_same_words_by_every_operation() {
    let kms = demo();
    let absent = "00000000-0000-4000-8000-00000000ABCD";
    let elsewhere = format!("arn:aws:kms:us-west-2:111122223333:key/{ORDERS}");
    let foreign = "arn:aws:kms:us-east-1:444455556666:key/00000000-0000-4000-8000-000000000001";
    for operation in BY_ANY_NAME.into_iter().chain(NOT_BY_ALIAS).chain(["TagResource", "UntagResource"]) {
        for (name, code, message) in [
            (absent, "NotFoundException", format!("Key '{}' does not exist", arn(absent))),
            (&arn(absent), "NotFoundException", format!("Key '{}' does not exist", arn(absent))),
            ("mrk-1234", "NotFoundException", "Invalid keyId 'mrk-1234'".to_owned()),
            (&arn("foo"), "NotFoundException", "Invalid keyId foo".to_owned()),
            (&elsewhere, "NotFoundException", "Invalid arn us-west-2".to_owned()),
        ] {
            assert_eq!(
                refused(&kms, operation, &body(&kms, operation, name)),
                said(code, &message),
                "{operation} by {name}"
            );
        }
        let (code, message) = refused(&kms, operation, &body(&kms, operation, foreign));
        assert_eq!(code, "AccessDeniedException", "{operation}");
        assert!(message.contains(&format!("kms:{operation} on resource: {foreign}")), "{message}");
    }
}
