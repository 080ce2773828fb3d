//! Every operation on a key in every state of the key. KMS API: Key states of AWS KMS keys; where the
//! real service was measured to do otherwise, as it was measured.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::json;

use super::*;
use crate::local::operations::Operation;
use crate::local::store::View as _;

/// The columns, by the keys' states.
const STATES: [&str; 8] = [
    "Enabled",
    "Disabled",
    "PendingDeletion",
    "PendingReplicaDeletion",
    "PendingImport",
    "Unavailable",
    "Creating",
    "Updating",
];

/// What is to happen: `✓` it succeeds; a number, the refusal of that footnote of [`footnote`]; `-`, a
/// key of this kind is never in that state; `?`, not documented and not measured. A row may name the
/// part that the key has in the operation, and its kind where it is no symmetric encryption key.
const TABLE: &str = "
                                          |  E |  D | PD | PRD | PI | UN | CR | UP |
GenerateDataKeyWithoutPlaintext           |  ✓ |  1 |  3 |   3 |  5 | 11 | 14 |  ✓ |
GenerateDataKey                           |  ✓ |  1 |  3 |   3 |  5 | 11 | 14 |  ✓ |
GenerateDataKeyPair                       |  ✓ |  1 |  3 |   3 |  5 | 11 | 14 |  ✓ |
GenerateDataKeyPairWithoutPlaintext       |  ✓ |  1 |  3 |   3 |  5 | 11 | 14 |  ✓ |
Encrypt                                   |  ✓ |  1 |  3 |   3 |  5 | 11 | 14 |  ✓ |
Encrypt (RSA)                             |  ✓ |  1 |  3 |   3 |  5 |  - | 14 |  ✓ |
Decrypt                                   |  ✓ |  1 |  3 |   3 |  5 | 11 | 14 |  ✓ |
Decrypt (RSA)                             |  ✓ |  1 |  3 |   3 |  5 |  - | 14 |  ✓ |
ReEncrypt (source)                        |  ✓ |  1 |  3 |   3 |  5 | 11 | 14 |  ✓ |
ReEncrypt (source, RSA)                   |  ✓ |  1 |  3 |   3 |  5 |  - | 14 |  ✓ |
ReEncrypt (destination)                   |  ✓ |  1 |  3 |   3 |  5 | 11 | 14 |  ✓ |
ReEncrypt (destination, RSA)              |  ✓ |  1 |  3 |   3 |  5 |  - | 14 |  ✓ |
GetPublicKey                              |  7 |  7 |  3 |   3 |  5 | 11 | 14 |  7 |
GetPublicKey (ECC)                        |  ✓ |  ✓ |  3 |   3 |  5 |  - | 14 |  ✓ |
DescribeKey                               |  ✓ |  ✓ |  ✓ |   ✓ |  ✓ |  ✓ |  ✓ |  ✓ |
GetKeyPolicy                              |  ✓ |  ✓ |  ✓ |   ✓ |  ✓ |  ✓ |  ✓ |  ✓ |
PutKeyPolicy                              |  ✓ |  ✓ |  ✓ |   ✓ |  ✓ |  ✓ |  ✓ |  ✓ |
ListKeyPolicies                           |  ✓ |  ✓ |  ✓ |   ✓ |  ✓ |  ✓ |  ✓ |  ✓ |
ListAliases                               |  ✓ |  ✓ |  ✓ |   ✓ |  ✓ |  ✓ |  ✓ |  ✓ |
ListGrants                                |  ✓ |  ✓ |  ✓ |   ✓ |  ✓ |  ✓ |  ✓ |  ✓ |
ListResourceTags                          |  ✓ |  ✓ |  ✓ |   ✓ |  ✓ |  ✓ |  ✓ |  ✓ |
RetireGrant                               |  ✓ |  ✓ |  ✓ |   ✓ |  ✓ |  ✓ |  ✓ |  ✓ |
RetireGrant (token)                       |  ✓ |  ✓ |  ✓ |   ✓ |  ✓ |  ✓ |  ✓ |  ✓ |
RevokeGrant                               |  ✓ |  ✓ |  ✓ |   ✓ |  ✓ |  ✓ |  ✓ |  ✓ |
DeleteAlias                               |  ✓ |  ✓ |  ✓ |   ✓ |  ✓ |  ✓ |  ✓ |  ✓ |
GetKeyLastUsage                           |  ✓ |  ✓ |  ✓ |   ✓ |  ✓ |  ✓ |  ✓ |  ✓ |
GetKeyRotationStatus                      |  ✓ |  ✓ |  ✓ |   ✓ |  ? |  7 |  ? |  ? |
EnableKeyRotation                         |  ✓ |  1 |  3 |   3 |  6 |  7 | 14 |  ? |
EnableKeyRotation (ECC)                   |  7 |  1 |  3 |   3 |  6 |  - | 14 |  ? |
DisableKeyRotation                        |  ✓ |  1 |  3 |   3 |  6 |  7 | 14 |  ? |
DisableKeyRotation (ECC)                  |  ✓ |  1 |  3 |   3 |  6 |  - | 14 |  ? |
RotateKeyOnDemand                         |  ✓ |  1 |  3 |   3 |  5 |  ? |  ? |  ? |
RotateKeyOnDemand (ECC)                   |  7 |  1 |  3 |   3 |  5 |  - |  ? |  ? |
ListKeyRotations                          |  ✓ |  ? |  ? |   ? |  ? |  ? |  ? |  ? |
EnableKey                                 |  ✓ |  ✓ |  3 |   3 |  5 |  ✓ | 14 | 15 |
DisableKey                                |  ✓ |  ✓ |  3 |   3 |  5 |  ✓ | 14 | 15 |
ScheduleKeyDeletion                       |  ✓ |  ✓ |  3 |   3 |  ✓ |  ✓ |  ✓ | 15 |
CancelKeyDeletion                         |  4 |  4 |  ✓ |   ✓ |  4 |  4 |  4 |  4 |
CreateAlias                               |  ✓ |  ✓ |  3 |   3 |  ✓ |  ✓ |  ✓ |  ✓ |
UpdateAlias (source)                      |  ✓ |  ✓ |  ✓ |   ✓ |  ✓ |  ✓ |  ✓ |  ✓ |
UpdateAlias (destination)                 |  ✓ |  ✓ |  3 |   3 |  ✓ |  ✓ |  ✓ |  ✓ |
TagResource                               |  ✓ |  ✓ |  3 |   3 |  ✓ |  ✓ |  ✓ |  ✓ |
UntagResource                             |  ✓ |  ✓ |  3 |   3 |  ✓ |  ✓ |  ✓ |  ✓ |
UpdateKeyDescription                      |  ✓ |  ✓ |  3 |   3 |  ✓ |  ✓ |  ✓ |  ✓ |
CreateGrant                               |  ✓ |  1 |  3 |   3 |  5 |  ✓ | 14 |  ✓ |
";

/// The rows whose `?` are here, and why: nothing is asserted of those cells.
const UNKNOWN: [(&str, &str); 5] = [
    // The table of 2023 says that imported material cannot rotate; since then it can, on demand. What
    // it says of the states of multi-Region keys contradicts their having rotation.
    ("GetKeyRotationStatus", "PendingImport Creating Updating"),
    ("EnableKeyRotation", "Updating"),
    ("DisableKeyRotation", "Updating"),
    // Not in the table; three states were measured.
    ("RotateKeyOnDemand", "Unavailable Creating Updating"),
    // Not in the table, and never measured.
    (
        "ListKeyRotations",
        "Disabled PendingDeletion PendingReplicaDeletion PendingImport Unavailable Creating Updating",
    ),
];

/// The operations that ask nothing of one key.
const NOT_ABOUT_A_KEY: [&str; 4] = ["CreateKey", "DescribeCustomKeyStores", "GenerateRandom", "ListKeys"];

/// The code and the message of a footnote of the table.
fn footnote(number: &str, arn: &str) -> (&'static str, Option<String>) {
    let invalid = |words: &str| ("KMSInvalidStateException", Some(format!("{arn} is {words}.")));
    match number {
        "1" => ("DisabledException", Some(format!("{arn} is disabled."))),
        "3" => invalid("pending deletion"),
        "4" => invalid("not pending deletion"),
        "5" => invalid("pending import"),
        "6" => (
            "UnsupportedOperationException",
            Some(format!("{arn} origin is EXTERNAL which is not valid for this operation.")),
        ),
        "7" => ("UnsupportedOperationException", None),
        "11" => invalid("unavailable"),
        "14" => invalid("creating"),
        "15" => invalid("updating"),
        _ => panic!("no footnote {number}"),
    }
}

/// A kind of key, by the word that rows have for it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Symmetric,
    Ecc,
    Rsa,
}

impl Kind {
    fn of(row: &str) -> Self {
        if row.contains("ECC") {
            Self::Ecc
        } else if row.contains("RSA") {
            Self::Rsa
        } else {
            Self::Symmetric
        }
    }

    fn digit(self) -> usize {
        self as usize + 1
    }

    fn words(self) -> &'static str {
        match self {
            Self::Symmetric => "",
            Self::Ecc => "spec = \"ECC_NIST_P256\"\nusage = \"SIGN_VERIFY\"\n",
            Self::Rsa => "spec = \"RSA_2048\"\n",
        }
    }

    /// The key of this kind in that column; column 8 is one more that is enabled.
    fn id(self, column: usize) -> String {
        let digit = self.digit();
        if STATES.get(column) == Some(&"PendingReplicaDeletion") {
            return format!("mrk-{digit:031}{column}");
        }
        format!("{digit:08}-0000-4000-8000-{column:012}")
    }

    fn alias(self, column: usize) -> String {
        format!("alias/{}/{column}", self.digit())
    }
}

const SPARE: usize = 8;

/// A key of that kind in every state that it can have, and one more that is enabled. Each has an
/// alias, a tag and a grant.
fn keyring(kind: Kind) -> String {
    let mut text = String::from(
        "[[custom_key_store]]\nid = \"cks-00000000000000001\"\nname = \"hsm\"\n\
         created = 2024-01-01T00:00:00Z\nconnection = \"CONNECTED\"\ncluster = \"cluster-1\"\n",
    );
    for column in 0..=SPARE {
        let state = STATES.get(column).copied().unwrap_or("Enabled");
        let more = match state {
            "PendingDeletion" => "deletion_in_days = 7\n",
            "PendingReplicaDeletion" => {
                "pending_window_days = 7\n\
                 multi_region = { primary = \"us-east-1\", replicas = [\"eu-west-1\"] }\n"
            }
            "PendingImport" => "origin = \"EXTERNAL\"\n",
            "Unavailable" if kind != Kind::Symmetric => continue,
            "Unavailable" => {
                "origin = \"AWS_CLOUDHSM\"\n\
                 custom_key_store = { id = \"cks-00000000000000001\", cluster = \"cluster-1\" }\n"
            }
            _ => "",
        };
        write!(
            text,
            "[[key]]\nid = \"{}\"\ncreated = 2026-01-01T00:00:00Z\nstate = \"{state}\"\n\
             aliases = [\"{}\"]\ntags = {{ team = \"orders\" }}\n{}{more}[[key.grant]]\n\
             grantee = \"arn:aws:iam::111122223333:role/orders\"\noperations = [\"DescribeKey\"]\n",
            kind.id(column),
            kind.alias(column),
            kind.words(),
        )
        .unwrap();
    }
    text
}

/// A ciphertext under a key as it was before it came into its state. Keys without material never made
/// any: there the state alone has to refuse.
fn ciphertext(kms: &LocalKms, kind: Kind, key_id: &str, state: &str) -> String {
    if kind == Kind::Rsa {
        return match state {
            "Enabled" | "Updating" => {
                let body = json!({
                    "KeyId": key_id,
                    "Plaintext": "c2VjcmV0",
                    "EncryptionAlgorithm": "RSAES_OAEP_SHA_256",
                });
                answer(kms, "Encrypt", &body.to_string())["CiphertextBlob"].as_str().unwrap().to_owned()
            }
            _ => "AAAA".to_owned(),
        };
    }
    let reader = kms.front.service.store.read().unwrap();
    let record = reader.key("us-east-1", key_id).unwrap().unwrap();
    let material = record.material.map_or_else(
        || blob::Material::from_bytes(&[1; 32]).unwrap(),
        |id| reader.material("us-east-1", key_id, blob::MaterialId::from_hex(&id).unwrap()).unwrap().unwrap(),
    );
    let freshness = blob::Freshness::draw(&Randomness::deterministic(1)).unwrap();
    let context = blob::EncryptionContext::new();
    base64_of(&blob::seal(key_id, &material, &context, b"secret", freshness).unwrap())
}

/// The body of a request for a row, about the key in that column.
fn body(kms: &LocalKms, row: &str, kind: Kind, column: usize) -> Value {
    let key_id = kind.id(column);
    let state = STATES[column];
    let spare = kind.id(SPARE);
    let algorithm = if kind == Kind::Rsa { "RSAES_OAEP_SHA_256" } else { "SYMMETRIC_DEFAULT" };
    let blob = || ciphertext(kms, kind, &key_id, state);
    let grant_id = || {
        let listed = answer(kms, "ListGrants", &json!({ "KeyId": key_id }).to_string());
        listed["Grants"][0]["GrantId"].as_str().unwrap().to_owned()
    };
    match row {
        "GenerateDataKeyWithoutPlaintext" | "GenerateDataKey" => {
            json!({ "KeyId": key_id, "KeySpec": "AES_256" })
        }
        "GenerateDataKeyPair" | "GenerateDataKeyPairWithoutPlaintext" => {
            json!({ "KeyId": key_id, "KeyPairSpec": "ECC_NIST_P256" })
        }
        "Encrypt" | "Encrypt (RSA)" => {
            json!({ "KeyId": key_id, "Plaintext": "c2VjcmV0", "EncryptionAlgorithm": algorithm })
        }
        "Decrypt" => json!({ "CiphertextBlob": blob() }),
        "Decrypt (RSA)" => {
            json!({ "CiphertextBlob": blob(), "KeyId": key_id, "EncryptionAlgorithm": algorithm })
        }
        "ReEncrypt (source)" => json!({ "CiphertextBlob": blob(), "DestinationKeyId": spare }),
        "ReEncrypt (source, RSA)" => json!({
            "CiphertextBlob": blob(),
            "SourceKeyId": key_id,
            "SourceEncryptionAlgorithm": algorithm,
            "DestinationKeyId": spare,
            "DestinationEncryptionAlgorithm": algorithm,
        }),
        "ReEncrypt (destination)" | "ReEncrypt (destination, RSA)" => json!({
            "CiphertextBlob": ciphertext(kms, kind, &spare, "Enabled"),
            "SourceKeyId": spare,
            "SourceEncryptionAlgorithm": algorithm,
            "DestinationKeyId": key_id,
            "DestinationEncryptionAlgorithm": algorithm,
        }),
        "PutKeyPolicy" => json!({ "KeyId": key_id, "Policy": default_policy() }),
        "RetireGrant" | "RevokeGrant" => json!({ "KeyId": key_id, "GrantId": grant_id() }),
        "RetireGrant (token)" => {
            let token = kms
                .front
                .service
                .markers
                .issue(&["GrantToken"], &format!("{} {} once", arn(&key_id), grant_id()));
            json!({ "GrantToken": token })
        }
        "DeleteAlias" => json!({ "AliasName": kind.alias(column) }),
        "CreateAlias" => json!({ "AliasName": format!("alias/new/{column}"), "TargetKeyId": key_id }),
        "UpdateAlias (source)" => json!({ "AliasName": kind.alias(column), "TargetKeyId": spare }),
        "UpdateAlias (destination)" => json!({ "AliasName": kind.alias(SPARE), "TargetKeyId": key_id }),
        "TagResource" => json!({ "KeyId": key_id, "Tags": [{ "TagKey": "a", "TagValue": "b" }] }),
        "UntagResource" => json!({ "KeyId": key_id, "TagKeys": ["team"] }),
        "UpdateKeyDescription" => json!({ "KeyId": key_id, "Description": "another" }),
        "CreateGrant" => json!({
            "KeyId": key_id,
            "GranteePrincipal": "arn:aws:iam::111122223333:role/orders",
            "Operations": ["DescribeKey"],
        }),
        _ => json!({ "KeyId": key_id }),
    }
}

/// Everything of a key that may change.
fn all_of(kms: &LocalKms, key_id: &str) -> String {
    let reader = kms.front.service.store.read().unwrap();
    let record = reader.key("us-east-1", key_id).unwrap();
    let aliases = reader.aliases_of_key("us-east-1", key_id, None, 100).unwrap();
    let grants = reader.grants("us-east-1", key_id, None, 100, |_, _| true).unwrap();
    format!("{record:?} {aliases:?} {grants:?}")
}

/// The rows of the table: the name and the cells.
fn rows() -> Vec<(&'static str, Vec<&'static str>)> {
    let rows = TABLE.lines().skip(2).map(|line| {
        let mut cells = line.trim_end_matches('|').split('|').map(str::trim);
        (cells.next().unwrap(), cells.collect())
    });
    rows.collect()
}

#[test]
fn every_operation_does_in_every_state_of_a_key_what_the_service_does() {
    let mut tested = 0;
    // Nothing is changed by what RSA keys are asked, and to make them takes long.
    let rsa = with_keyring(keyring(Kind::Rsa));
    for (row, cells) in rows() {
        assert_eq!(cells.len(), STATES.len(), "{row}");
        let operation = row.split(' ').next().unwrap();
        let kind = Kind::of(row);
        let kms = if kind == Kind::Rsa { rsa.clone() } else { with_keyring(keyring(kind)) };
        for (column, cell) in cells.into_iter().enumerate() {
            if let "?" | "-" = cell {
                continue;
            }
            let key_id = kind.id(column);
            let what = format!("{row}, {}", STATES[column]);
            let body = body(&kms, row, kind, column);
            let before = all_of(&kms, &key_id);
            let response = kms.front.service.handle(&request(operation, body.to_string()));
            let said = String::from_utf8_lossy(&response.body).into_owned();
            tested += 1;
            if cell == "✓" {
                assert_eq!(response.status, 200, "{what}: {said}");
                continue;
            }
            let (code, message) = footnote(cell, &arn(&key_id));
            assert_eq!(response.status, 400, "{what}: {said}");
            let refused = json(&response);
            assert_eq!(refused["__type"], code, "{what}: {said}");
            assert_eq!(refused.get("message").and_then(Value::as_str), message.as_deref(), "{what}");
            assert_eq!(all_of(&kms, &key_id), before, "{what}");
        }
    }
    assert_eq!(tested, 333);
}

#[test]
fn the_table_has_every_operation_and_what_is_left_out_of_it_is_listed() {
    let named: BTreeSet<&str> = rows().iter().map(|(row, _)| row.split(' ').next().unwrap()).collect();
    let all: BTreeSet<&str> = Operation::names().filter(|name| Operation::named(name).is_some()).collect();
    let expected: BTreeSet<&str> = named.iter().copied().chain(NOT_ABOUT_A_KEY).collect();
    assert_eq!(all, expected);
    assert!(NOT_ABOUT_A_KEY.iter().all(|operation| !named.contains(operation)));
    for (row, cells) in rows().into_iter().filter(|(row, _)| !row.contains("ECC")) {
        let unknown: Vec<&str> =
            STATES.into_iter().zip(cells).filter(|(_, cell)| *cell == "?").map(|(state, _)| state).collect();
        let listed = UNKNOWN.iter().find(|(operation, _)| *operation == row).map_or("", |(_, states)| states);
        assert_eq!(unknown.join(" "), listed, "{row}");
    }
}

#[test]
fn an_unavailable_key_is_enabled_and_disabled_only_once_it_is_available() {
    let kms = with_keyring(keyring(Kind::Symmetric));
    let key_id = Kind::Symmetric.id(5);
    for operation in ["DisableKey", "EnableKey"] {
        let response = kms.front.service.handle(&request(operation, json!({ "KeyId": key_id }).to_string()));
        assert_eq!((response.status, response.body.len()), (200, 0), "{operation}");
        let described = answer(&kms, "DescribeKey", &json!({ "KeyId": key_id }).to_string());
        assert_eq!(described["KeyMetadata"]["KeyState"], "Unavailable", "{operation}");
    }
}

#[test]
fn a_key_pending_deletion_tells_of_no_rotation_until_the_deletion_is_cancelled() {
    let kms = with_keyring(keyring(Kind::Symmetric));
    let body = json!({ "KeyId": Kind::Symmetric.id(0) }).to_string();
    let status = || answer(&kms, "GetKeyRotationStatus", &body)["KeyRotationEnabled"].clone();
    for (operation, enabled) in [
        ("EnableKeyRotation", true),
        ("ScheduleKeyDeletion", false),
        ("CancelKeyDeletion", true),
        ("DisableKey", true),
    ] {
        assert_eq!(kms.front.service.handle(&request(operation, body.as_str())).status, 200, "{operation}");
        // CancelKeyDeletion leaves it disabled.
        assert_eq!(status(), enabled, "{operation}");
    }
}
