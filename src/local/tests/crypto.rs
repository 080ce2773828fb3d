//! `GenerateDataKeyWithoutPlaintext` and Decrypt.

use aws_sdk_kms::types::{DryRunModifierType, EncryptionAlgorithmSpec};

use super::*;

/// A keyring with one key of every state, each with the alias `alias/STATE`, and keys that cannot
/// generate data keys.
const STATES: &str = r#"
[[custom_key_store]]
id = "cks-00000000000000001"
name = "hsm"
created = 2024-01-01T00:00:00Z
connection = "CONNECTED"
cluster = "cluster-00000000001"
[[key]]
id = "00000000-0000-4000-8000-000000000001"
created = 2026-01-01T00:00:00Z
aliases = ["alias/Enabled"]
[[key]]
id = "00000000-0000-4000-8000-000000000002"
created = 2026-01-01T00:00:00Z
state = "Disabled"
aliases = ["alias/Disabled"]
[[key]]
id = "00000000-0000-4000-8000-000000000003"
created = 2026-01-01T00:00:00Z
state = "PendingDeletion"
deletion_in_days = 7
aliases = ["alias/PendingDeletion"]
[[key]]
id = "00000000-0000-4000-8000-000000000004"
created = 2026-01-01T00:00:00Z
state = "PendingImport"
origin = "EXTERNAL"
aliases = ["alias/PendingImport"]
[[key]]
id = "mrk-00000000000040008000000000000005"
created = 2026-01-01T00:00:00Z
state = "PendingReplicaDeletion"
pending_window_days = 7
multi_region = { primary = "us-east-1", replicas = ["eu-west-1"] }
aliases = ["alias/PendingReplicaDeletion"]
[[key]]
id = "00000000-0000-4000-8000-000000000006"
created = 2026-01-01T00:00:00Z
state = "Unavailable"
origin = "AWS_CLOUDHSM"
custom_key_store = { id = "cks-00000000000000001", cluster = "cluster-00000000001" }
aliases = ["alias/Unavailable"]
[[key]]
id = "00000000-0000-4000-8000-000000000007"
created = 2026-01-01T00:00:00Z
state = "Creating"
aliases = ["alias/Creating"]
[[key]]
id = "00000000-0000-4000-8000-000000000008"
created = 2026-01-01T00:00:00Z
state = "Updating"
aliases = ["alias/Updating"]
[[key]]
id = "00000000-0000-4000-8000-000000000011"
created = 2026-01-01T00:00:00Z
usage = "SIGN_VERIFY"
spec = "RSA_2048"
aliases = ["alias/sign"]
[[key]]
id = "00000000-0000-4000-8000-000000000012"
created = 2026-01-01T00:00:00Z
spec = "RSA_2048"
aliases = ["alias/rsa"]
[[key]]
id = "00000000-0000-4000-8000-000000000013"
created = 2026-01-01T00:00:00Z
spec = "RSA_2048"
state = "Disabled"
aliases = ["alias/rsa-disabled"]
[[key]]
id = "00000000-0000-4000-8000-000000000014"
created = 2026-01-01T00:00:00Z
usage = "GENERATE_VERIFY_MAC"
spec = "HMAC_256"
state = "Disabled"
aliases = ["alias/mac-disabled"]
"#;

/// The code and the end of the message; nothing where an operation succeeds.
type Refusal = Option<(&'static str, &'static str)>;

/// State, its key, and what a cryptographic operation gets.
const EXPECTED: [(&str, &str, Refusal); 8] = [
    ("Enabled", "00000000-0000-4000-8000-000000000001", None),
    ("Disabled", "00000000-0000-4000-8000-000000000002", Some(("DisabledException", "is disabled."))),
    (
        "PendingDeletion",
        "00000000-0000-4000-8000-000000000003",
        Some(("KMSInvalidStateException", "is pending deletion.")),
    ),
    (
        "PendingImport",
        "00000000-0000-4000-8000-000000000004",
        Some(("KMSInvalidStateException", "is pending import.")),
    ),
    (
        "PendingReplicaDeletion",
        "mrk-00000000000040008000000000000005",
        Some(("KMSInvalidStateException", "is pending deletion.")),
    ),
    (
        "Unavailable",
        "00000000-0000-4000-8000-000000000006",
        Some(("KMSInvalidStateException", "is unavailable.")),
    ),
    ("Creating", "00000000-0000-4000-8000-000000000007", Some(("KMSInvalidStateException", "is creating."))),
    ("Updating", "00000000-0000-4000-8000-000000000008", None),
];

#[tokio::test]
async fn a_data_key_is_made_in_every_state_that_allows_it_and_refused_in_all_others() {
    let client = client(&with_keyring(STATES));
    for (state, key_id, expected) in EXPECTED {
        let result = client
            .generate_data_key_without_plaintext()
            .key_id(format!("alias/{state}"))
            .key_spec(DataKeySpec::Aes256)
            .send()
            .await;
        match expected {
            None => assert_eq!(result.unwrap().key_id.unwrap(), arn(key_id), "{state}"),
            Some((code, end)) => {
                let message = format!("{} {end}", arn(key_id));
                assert_eq!(refusal(result), said(code, &message), "{state}");
            }
        }
    }
}

#[tokio::test]
async fn a_blob_opens_in_every_state_of_its_key_that_allows_it_and_in_no_other() {
    let kms = with_keyring(STATES);
    let client = client(&kms);
    for (state, key_id, expected) in EXPECTED {
        // A blob as it was sealed before the key came into its state. Keys without material never
        // sealed any: there, the state alone must refuse.
        let material = blob::Material::from_bytes(&[1; 32]).unwrap();
        let sealed = match expected {
            None => data_key(&client, key_id, &[]).await,
            Some(_) => Blob::new(
                blob::seal(
                    key_id,
                    &material,
                    &blob::EncryptionContext::new(),
                    b"secret",
                    blob::Freshness::draw(&Randomness::deterministic(1)).unwrap(),
                )
                .unwrap(),
            ),
        };
        let result = client.decrypt().ciphertext_blob(sealed).send().await;
        match expected {
            None => assert_eq!(result.unwrap().key_id.unwrap(), arn(key_id), "{state}"),
            Some((code, end)) => {
                let message = format!("{} {end}", arn(key_id));
                assert_eq!(refusal(result), said(code, &message), "{state}");
            }
        }
    }
}

#[tokio::test]
async fn a_data_key_is_as_long_as_was_asked_for() {
    let client = client(&demo());
    let cases: [(Option<DataKeySpec>, Option<i32>, usize); 4] = [
        (Some(DataKeySpec::Aes256), None, 32),
        (Some(DataKeySpec::Aes128), None, 16),
        (None, Some(1), 1),
        (None, Some(1024), 1024),
    ];
    for (spec, bytes, length) in cases {
        let made = client
            .generate_data_key_without_plaintext()
            .key_id("alias/demo/orders")
            .set_key_spec(spec)
            .set_number_of_bytes(bytes)
            .encryption_context("tenant", "acme")
            .send()
            .await
            .unwrap();
        assert_eq!(made.key_id.unwrap(), arn(ORDERS));
        let material_id = made.key_material_id.unwrap();
        assert_eq!(material_id.len(), 64);
        let blob = made.ciphertext_blob.unwrap();
        assert_eq!(blob.as_ref().len(), 123 + length);
        let opened =
            client.decrypt().ciphertext_blob(blob).encryption_context("tenant", "acme").send().await.unwrap();
        assert_eq!(opened.plaintext.unwrap().as_ref().len(), length);
        assert_eq!(opened.key_id.unwrap(), arn(ORDERS));
        assert_eq!(opened.key_material_id.unwrap(), material_id);
        assert_eq!(opened.encryption_algorithm.unwrap(), EncryptionAlgorithmSpec::SymmetricDefault);
    }
}

#[tokio::test]
async fn no_two_data_keys_are_alike() {
    let client = client(&demo());
    let one = data_key(&client, "alias/demo/orders", &[]).await;
    let other = data_key(&client, "alias/demo/orders", &[]).await;
    assert_ne!(one, other);
    let open = async |blob: Blob| {
        let opened = client.decrypt().ciphertext_blob(blob).send().await.unwrap();
        opened.plaintext.unwrap()
    };
    assert_ne!(open(one).await, open(other).await);
}

#[tokio::test]
async fn every_kind_of_identifier_makes_a_data_key() {
    let client = client(&demo());
    for key_id in [
        ORDERS.to_owned(),
        arn(ORDERS),
        "alias/demo/orders".to_owned(),
        "arn:aws:kms:us-east-1:111122223333:alias/demo/orders".to_owned(),
    ] {
        data_key(&client, &key_id, &[("a", "1")]).await;
    }
}

/// Checks that each body is refused with that code and that message, against [`STATES`].
fn check_refusals(operation: &str, cases: &[(String, &str, String)]) {
    let kms = with_keyring(STATES);
    for (body, code, message) in cases {
        let answer = answer(&kms, operation, body);
        assert_eq!(answer["__type"], *code, "{body}");
        assert_eq!(answer["message"], *message, "{body}");
    }
}

#[test]
fn what_is_out_of_shape_is_said_in_awss_words_before_any_look_up() {
    let validation = "ValidationException";
    let specs = "[RSA_2048, RSA_3072, RSA_4096, ECC_NIST_P256, ECC_NIST_P384, ECC_NIST_P521, \
                 ECC_SECG_P256K1, SYMMETRIC_DEFAULT, HMAC_224, HMAC_256, HMAC_384, HMAC_512, SM2, \
                 ML_DSA_44, ML_DSA_65, ML_DSA_87, ECC_NIST_EDWARDS25519]";
    let eleven = r#"["1","2","3","4","5","6","7","8","9","10","11"]"#;
    let cases: Vec<(String, &str, String)> = vec![
        (
            "{}".into(),
            validation,
            "1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member \
             must not be null"
                .into(),
        ),
        (
            r#"{"KeyId": null}"#.into(),
            validation,
            "1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member \
             must not be null"
                .into(),
        ),
        (
            r#"{"KeyId": ""}"#.into(),
            validation,
            r"2 validation errors detected: Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1; Value '' at 'keyId' failed to satisfy constraint: Member must satisfy regular expression pattern: ^\p{ASCII}+$".into(),
        ),
        (
            r#"{"KeyId": "キー"}"#.into(),
            validation,
            r"1 validation error detected: Value 'キー' at 'keyId' failed to satisfy constraint: Member must satisfy regular expression pattern: ^\p{ASCII}+$".into(),
        ),
        (
            r#"{"KeyId": "absent", "NumberOfBytes": 0}"#.into(),
            validation,
            "1 validation error detected: Value '0' at 'numberOfBytes' failed to satisfy constraint: \
             Member must have value greater than or equal to 1"
                .into(),
        ),
        (
            r#"{"KeyId": "absent", "NumberOfBytes": 1025}"#.into(),
            validation,
            "1 validation error detected: Value '1025' at 'numberOfBytes' failed to satisfy \
             constraint: Member must have value less than or equal to 1024"
                .into(),
        ),
        (
            r#"{"KeyId": "absent", "KeySpec": "FOO"}"#.into(),
            validation,
            format!(
                "1 validation error detected: Value 'FOO' at 'keySpec' failed to satisfy constraint: \
                 Member must satisfy enum value set: {specs}"
            ),
        ),
        (
            r#"{"KeySpec": "FOO", "NumberOfBytes": -1}"#.into(),
            validation,
            format!(
                "3 validation errors detected: Value null at 'keyId' failed to satisfy constraint: \
                 Member must not be null; Value 'FOO' at 'keySpec' failed to satisfy constraint: \
                 Member must satisfy enum value set: {specs}; Value '-1' at 'numberOfBytes' failed \
                 to satisfy constraint: Member must have value greater than or equal to 1"
            ),
        ),
        (
            format!(r#"{{"KeyId": "absent", "GrantTokens": {eleven}}}"#),
            validation,
            "1 validation error detected: Value '[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]' at \
             'grantTokens' failed to satisfy constraint: Member must have length less than or equal \
             to 10"
                .into(),
        ),
        (
            r#"{"KeyId": "absent", "GrantTokens": [""]}"#.into(),
            validation,
            "1 validation error detected: Value '[]' at 'grantTokens' failed to satisfy constraint: \
             Member must satisfy constraint: [Member must have length less than or equal to 8192, \
             Member must have length greater than or equal to 1]"
                .into(),
        ),
    ];
    check_refusals("GenerateDataKeyWithoutPlaintext", &cases);
}

#[test]
fn a_data_key_is_refused_in_awss_words_and_in_awss_order() {
    let key = "00000000-0000-4000-8000-000000000001";
    let disabled = arn("00000000-0000-4000-8000-000000000002");
    let sign = arn("00000000-0000-4000-8000-000000000011");
    let mac = arn("00000000-0000-4000-8000-000000000014");
    let rsa_disabled = arn("00000000-0000-4000-8000-000000000013");
    let either = "Please specify either number of bytes or key spec.".to_owned();
    let validation = "ValidationException";
    let cases: Vec<(String, &str, String)> = vec![
        // The look-up comes before what the parameters demand of one another.
        (r#"{"KeyId": "absent"}"#.into(), "NotFoundException", "Invalid keyId 'absent'".into()),
        (
            format!(r#"{{"KeyId": "{key}", "GrantTokens": ["token"], "KeySpec": "AES_256"}}"#),
            "InvalidGrantTokenException",
            "The local KMS has issued no such grant token.".into(),
        ),
        (format!(r#"{{"KeyId": "{key}"}}"#), validation, either.clone()),
        (
            format!(r#"{{"KeyId": "{key}", "KeySpec": "AES_256", "NumberOfBytes": 32}}"#),
            validation,
            either.clone(),
        ),
        // Which comes before usage and state.
        (r#"{"KeyId": "alias/sign"}"#.into(), validation, either.clone()),
        (r#"{"KeyId": "alias/Disabled"}"#.into(), validation, either),
        (
            format!(r#"{{"KeyId": "{key}", "KeySpec": "AES_256", "EncryptionContext": {{"": "value"}}}}"#),
            validation,
            "Invalid EncryptionContext".into(),
        ),
        (
            format!(r#"{{"KeyId": "{key}", "KeySpec": "AES_256", "EncryptionContext": {{"name": ""}}}}"#),
            validation,
            "Invalid EncryptionContext".into(),
        ),
        (
            r#"{"KeyId": "alias/sign", "KeySpec": "AES_256"}"#.into(),
            "InvalidKeyUsageException",
            format!(
                "{sign} key usage is SIGN_VERIFY which is not valid for \
                 GenerateDataKeyWithoutPlaintext."
            ),
        ),
        // Usage before state, state before spec.
        (
            r#"{"KeyId": "alias/mac-disabled", "KeySpec": "AES_256"}"#.into(),
            "InvalidKeyUsageException",
            format!(
                "{mac} key usage is GENERATE_VERIFY_MAC which is not valid for \
                 GenerateDataKeyWithoutPlaintext."
            ),
        ),
        (
            r#"{"KeyId": "alias/rsa-disabled", "KeySpec": "AES_256"}"#.into(),
            "DisabledException",
            format!("{rsa_disabled} is disabled."),
        ),
        (
            r#"{"KeyId": "alias/rsa", "KeySpec": "AES_256", "DryRun": true}"#.into(),
            "InvalidKeyUsageException",
            "You cannot generate a data key with an asymmetric CMK".into(),
        ),
        // The dry run comes last.
        (
            r#"{"KeyId": "alias/Disabled", "KeySpec": "AES_256", "DryRun": true}"#.into(),
            "DisabledException",
            format!("{disabled} is disabled."),
        ),
        (
            format!(r#"{{"KeyId": "{key}", "KeySpec": "AES_256", "DryRun": true}}"#),
            "DryRunOperationException",
            "The request would have succeeded, but the DryRun option is set.".into(),
        ),
    ];
    check_refusals("GenerateDataKeyWithoutPlaintext", &cases);
}

#[test]
fn the_names_of_keys_are_refused_in_awss_words() {
    let kms = demo();
    let absent = "00000000-0000-4000-8000-00000000ABCD";
    let cases = [
        (absent.to_owned(), "NotFoundException", format!("Key '{}' does not exist", arn(absent))),
        (arn(absent), "NotFoundException", format!("Key '{}' does not exist", arn(absent))),
        (
            ORDERS.replace('-', ""),
            "NotFoundException",
            format!("Invalid keyId '{}'", ORDERS.replace('-', "")),
        ),
        ("mrk-1234".to_owned(), "NotFoundException", "Invalid keyId 'mrk-1234'".to_owned()),
        (arn("foo"), "NotFoundException", "Invalid keyId foo".to_owned()),
        (
            "alias/absent".to_owned(),
            "NotFoundException",
            "Alias arn:aws:kms:us-east-1:111122223333:alias/absent is not found.".to_owned(),
        ),
        (
            "arn:aws:kms:us-east-1:111122223333:alias/absent".to_owned(),
            "NotFoundException",
            "Alias arn:aws:kms:us-east-1:111122223333:alias/absent is not found.".to_owned(),
        ),
        // Names have a case.
        (
            "alias/Demo/orders".to_owned(),
            "NotFoundException",
            "Alias arn:aws:kms:us-east-1:111122223333:alias/Demo/orders is not found.".to_owned(),
        ),
        (
            format!("arn:aws:kms:us-west-2:111122223333:key/{ORDERS}"),
            "NotFoundException",
            "Invalid arn us-west-2".to_owned(),
        ),
        (
            "arn:aws:s3:::bucket".to_owned(),
            "InvalidArnException",
            "arn:aws:s3:::bucket is not a valid ARN".to_owned(),
        ),
        (
            format!("arn:aws-cn:kms:us-east-1:111122223333:key/{ORDERS}"),
            "InvalidArnException",
            format!("arn:aws-cn:kms:us-east-1:111122223333:key/{ORDERS} is not a valid ARN"),
        ),
        // A predefined alias without a key is none for cryptography.
        (
            "alias/aws/rds".to_owned(),
            "NotFoundException",
            "Alias arn:aws:kms:us-east-1:111122223333:alias/aws/rds is not found.".to_owned(),
        ),
    ];
    for (key_id, code, message) in cases {
        let body = serde_json::json!({ "KeyId": key_id, "KeySpec": "AES_256" }).to_string();
        let answer = answer(&kms, "GenerateDataKeyWithoutPlaintext", &body);
        assert_eq!(answer["__type"], code, "{key_id}");
        assert_eq!(answer["message"], message, "{key_id}");
    }
}

#[tokio::test]
async fn keys_of_other_accounts_and_aws_managed_keys_are_not_ours_to_use() {
    let client = client(&demo());
    let foreign = "arn:aws:kms:us-east-1:444455556666:key/00000000-0000-4000-8000-000000000001";
    let attempt = |key_id: &str| {
        client.generate_data_key_without_plaintext().key_id(key_id).key_spec(DataKeySpec::Aes256).send()
    };
    let (code, message) = refusal(attempt(foreign).await);
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains(foreign), "{message}");
    let (code, message) = refusal(attempt("alias/aws/s3").await);
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains("no resource-based policy allows"), "{message}");
}

#[tokio::test]
async fn a_key_of_a_custom_key_store_seals_and_names_no_material() {
    let client = client(&demo());
    let made = client
        .generate_data_key_without_plaintext()
        .key_id("alias/people/prod/salaries")
        .key_spec(DataKeySpec::Aes256)
        .send()
        .await
        .unwrap();
    assert_eq!(made.key_material_id, None);
    let opened = client.decrypt().ciphertext_blob(made.ciphertext_blob.unwrap()).send().await.unwrap();
    assert_eq!(opened.key_material_id, None);
    assert_eq!(opened.plaintext.unwrap().as_ref().len(), 32);
}

#[tokio::test]
async fn a_replica_opens_what_its_primary_sealed_and_no_other_region_does() {
    let kms = demo();
    let blob = data_key(&client(&kms), "alias/backups/prod/databases", &[("volume", "7")]).await;
    let open_in = |region: &'static str| {
        client_in(&kms, region)
            .decrypt()
            .ciphertext_blob(blob.clone())
            .encryption_context("volume", "7")
            .send()
    };
    assert_eq!(
        open_in("eu-west-1").await.unwrap().key_id.unwrap(),
        "arn:aws:kms:eu-west-1:111122223333:key/mrk-0618106ddfffa20898c4c1943fc2e0ed"
    );
    assert_eq!(
        refusal(open_in("eu-central-1").await),
        said(
            "AccessDeniedException",
            "The ciphertext refers to a customer master key that does not exist, does not exist in \
             this region, or you are not allowed to access."
        )
    );
}

#[tokio::test]
async fn whatever_is_wrong_with_a_ciphertext_looks_the_same() {
    let kms = demo();
    let client = client(&kms);
    let blob = data_key(&client, "alias/demo/orders", &[("a", "1"), ("b", "2")]).await.into_inner();
    let right = map(&[("a", "1"), ("b", "2")]);
    let mut cases = vec![
        ("no blob of ours", b"AQIDAHh".to_vec(), right.clone()),
        ("truncated", blob[..blob.len() - 1].to_vec(), right.clone()),
        ("the header alone", blob[..107].to_vec(), right.clone()),
        ("no context", blob.clone(), map(&[])),
        ("an entry changed", blob.clone(), map(&[("a", "1"), ("b", "3")])),
        ("an entry dropped", blob.clone(), map(&[("a", "1")])),
        ("an entry added", blob.clone(), map(&[("a", "1"), ("b", "2"), ("c", "3")])),
        ("another case", blob.clone(), map(&[("A", "1"), ("b", "2")])),
    ];
    let mut longer = blob.clone();
    longer.push(0);
    cases.push(("a byte more", longer, right.clone()));
    // The magic, the version, the algorithm, the material's id, the salt, the nonce, the
    // ciphertext, the tag.
    for position in [0, 8, 9, 50, 80, 100, 110, blob.len() - 1] {
        let mut flipped = blob.clone();
        flipped[position] ^= 1;
        cases.push(("a flipped bit", flipped, right.clone()));
    }
    let mut bodies = Vec::new();
    for (case, bytes, context) in cases {
        let body = serde_json::json!({
            "CiphertextBlob": base64_of(&bytes),
            "EncryptionContext": context,
        });
        let response = kms.front.service.handle(&request("Decrypt", body.to_string()));
        assert_eq!(response.status, 400, "{case}");
        bodies.push((case, String::from_utf8(response.body.to_vec()).unwrap()));
    }
    for (case, body) in bodies {
        assert_eq!(body, r#"{"__type":"InvalidCiphertextException"}"#, "{case}");
    }
}

#[tokio::test]
async fn another_key_id_is_incorrect_whatever_that_key_is() {
    let client = client(&demo());
    let blob = data_key(&client, "alias/demo/orders", &[]).await;
    for other in [
        "alias/demo/customers",
        "alias/payments/legacy/card-vault",
        "alias/payments/legacy/terminal-mac",
        "alias/identity/prod/token-signing",
        "alias/aws/s3",
    ] {
        let result = client.decrypt().ciphertext_blob(blob.clone()).key_id(other).send().await;
        assert_eq!(
            refusal(result),
            said(
                "IncorrectKeyException",
                "The key ID in the request does not identify a CMK that can perform this operation."
            ),
            "{other}"
        );
    }
    let right = client.decrypt().ciphertext_blob(blob).key_id("alias/demo/orders").send().await;
    assert!(right.is_ok());
}

#[tokio::test]
async fn a_dry_run_of_decrypt_tells_a_good_ciphertext_from_a_bad_one() {
    let client = client(&demo());
    let blob = data_key(&client, "alias/demo/orders", &[("a", "1")]).await;
    let try_with = |value: &str| {
        client.decrypt().ciphertext_blob(blob.clone()).encryption_context("a", value).dry_run(true).send()
    };
    let (code, _) = refusal(try_with("1").await);
    assert_eq!(code, "DryRunOperationException");
    let (code, _) = refusal(try_with("2").await);
    assert_eq!(code, "InvalidCiphertextException");
}

#[tokio::test]
async fn a_dry_run_that_ignores_the_ciphertext_asks_about_the_key_alone() {
    let client = client(&demo());
    let attempt = |key_id: Option<&str>| {
        client
            .decrypt()
            .set_key_id(key_id.map(str::to_owned))
            .dry_run(true)
            .dry_run_modifiers(DryRunModifierType::IgnoreCiphertext)
            .send()
    };
    let (code, _) = refusal(attempt(Some("alias/demo/orders")).await);
    assert_eq!(code, "DryRunOperationException");
    let (code, _) = refusal(attempt(Some("alias/payments/legacy/card-vault")).await);
    assert_eq!(code, "DisabledException");
    let (code, message) = refusal(attempt(None).await);
    assert_eq!(code, "ValidationException");
    assert!(message.contains("Value null at 'keyId'"), "{message}");
}

#[test]
fn what_is_wrong_with_a_request_to_decrypt_is_said_in_awss_words() {
    let kms = with_keyring(STATES);
    let long = base64_of(&[0; 6145]);
    let rsa = "RSAES_OAEP_SHA_256";
    let cases = [
        (
            "{}".to_owned(),
            "ValidationException",
            "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy \
             constraint: Member must not be null"
                .to_owned(),
        ),
        (
            r#"{"CiphertextBlob": ""}"#.to_owned(),
            "ValidationException",
            "1 validation error detected: Value at 'ciphertextBlob' failed to satisfy constraint: \
             Member must have length greater than or equal to 1"
                .to_owned(),
        ),
        (
            format!(r#"{{"CiphertextBlob": "{long}", "KeyId": "absent"}}"#),
            "ValidationException",
            "1 validation error detected: Value at 'ciphertextBlob' failed to satisfy constraint: \
             Member must have length less than or equal to 6144"
                .to_owned(),
        ),
        (
            r#"{"CiphertextBlob": "AAAA", "EncryptionAlgorithm": "ROT13"}"#.to_owned(),
            "ValidationException",
            "1 validation error detected: Value 'ROT13' at 'encryptionAlgorithm' failed to satisfy \
             constraint: Member must satisfy enum value set: [RSAES_OAEP_SHA_1, \
             RSAES_OAEP_SHA_256, SM2PKE, SYMMETRIC_DEFAULT]"
                .to_owned(),
        ),
        (
            r#"{"CiphertextBlob": "AAAA", "KeyId": "alias/absent"}"#.to_owned(),
            "NotFoundException",
            "Alias arn:aws:kms:us-east-1:111122223333:alias/absent is not found.".to_owned(),
        ),
        (
            r#"{"CiphertextBlob": "AAAA", "EncryptionContext": {"": "1"}}"#.to_owned(),
            "ValidationException",
            "Invalid EncryptionContext".to_owned(),
        ),
        (
            format!(
                r#"{{"CiphertextBlob": "AAAA", "EncryptionAlgorithm": "{rsa}", "KeyId": "alias/rsa-disabled"}}"#
            ),
            "DisabledException",
            format!("{} is disabled.", arn("00000000-0000-4000-8000-000000000013")),
        ),
        (
            format!(
                r#"{{"CiphertextBlob": "AAAA", "EncryptionAlgorithm": "{rsa}", "KeyId": "alias/Enabled"}}"#
            ),
            "InvalidKeyUsageException",
            "Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT.".to_owned(),
        ),
        (
            format!(
                r#"{{"CiphertextBlob": "AAAA", "EncryptionAlgorithm": "{rsa}", "KeyId": "alias/rsa", "EncryptionContext": {{"a": "1"}}}}"#
            ),
            "ValidationException",
            "EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs.".to_owned(),
        ),
    ];
    for (body, code, message) in cases {
        let answer = answer(&kms, "Decrypt", &body);
        assert_eq!(answer["__type"], code, "{body}");
        assert_eq!(answer["message"], message, "{body}");
    }
    let rsa = answer(
        &kms,
        "Decrypt",
        &format!(r#"{{"CiphertextBlob": "AAAA", "EncryptionAlgorithm": "{rsa}", "KeyId": "alias/rsa"}}"#),
    );
    assert_eq!(rsa.to_string(), r#"{"__type":"InvalidCiphertextException"}"#);
}

#[tokio::test]
async fn a_plaintext_is_not_given_to_a_recipient_that_was_to_get_it_encrypted() {
    let kms = demo();
    let blob = base64_of(data_key(&client(&kms), ORDERS, &[]).await.as_ref());
    let key = r#""KeyId": "alias/demo/orders""#;
    for (operation, members) in [
        ("Decrypt", format!(r#""CiphertextBlob": "{blob}""#)),
        ("GenerateDataKey", format!(r#"{key}, "KeySpec": "AES_256""#)),
        ("GenerateDataKeyPair", format!(r#"{key}, "KeyPairSpec": "ECC_NIST_P256""#)),
        ("GenerateRandom", r#""NumberOfBytes": 32"#.to_owned()),
    ] {
        let plain = answer(&kms, operation, &format!("{{{members}}}"));
        assert_eq!(plain["__type"], Value::Null, "{operation}");
        let body = format!(r#"{{{members}, "Recipient": {{"AttestationDocument": "AAAA"}}}}"#);
        assert_eq!(answer(&kms, operation, &body)["__type"], "UnsupportedOperationException", "{operation}");
    }
}

#[test]
fn a_number_in_a_context_is_the_text_that_it_is_written_with() {
    let kms = demo();
    let made = answer(
        &kms,
        "GenerateDataKeyWithoutPlaintext",
        r#"{"KeyId": "alias/demo/orders", "KeySpec": "AES_256", "EncryptionContext": {"n": 7, "b": true}}"#,
    );
    let blob = made["CiphertextBlob"].as_str().unwrap();
    let body = serde_json::json!({
        "CiphertextBlob": blob,
        "EncryptionContext": { "b": "true", "n": "7" },
    });
    let opened = answer(&kms, "Decrypt", &body.to_string());
    assert!(opened["Plaintext"].is_string(), "{opened}");
}

#[test]
fn the_members_of_an_answer_are_those_of_the_model_and_no_plaintext() {
    let made = answer(
        &demo(),
        "GenerateDataKeyWithoutPlaintext",
        r#"{"KeyId": "alias/demo/orders", "KeySpec": "AES_256"}"#,
    );
    let members: Vec<&str> = made.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["CiphertextBlob", "KeyId", "KeyMaterialId"]);
    let blob = made["CiphertextBlob"].as_str().unwrap();
    assert!(blob.starts_with("TE9DQUxLTVM"), "{blob}");
}
