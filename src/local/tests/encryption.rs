//! `Encrypt`, `Decrypt` and `ReEncrypt`, symmetric and RSA.

use serde_json::json;

use super::*;

const SHA_1: &str = "RSAES_OAEP_SHA_1";
const SHA_256: &str = "RSAES_OAEP_SHA_256";

fn rsa(kms: &LocalKms, spec: &str) -> String {
    new_key(kms, &json!({ "KeySpec": spec, "KeyUsage": "ENCRYPT_DECRYPT" }))
}

fn encrypt(key_id: &str, plaintext: &[u8], algorithm: &str) -> Value {
    json!({ "KeyId": key_id, "Plaintext": base64_of(plaintext), "EncryptionAlgorithm": algorithm })
}

#[test]
fn an_rsa_key_encrypts_and_decrypts_and_its_blob_is_bare() {
    let kms = demo();
    let key_id = rsa(&kms, "RSA_2048");
    for (algorithm, most) in [(SHA_1, 214), (SHA_256, 190)] {
        let plaintext = vec![7; most];
        let made = done(&kms, "Encrypt", &encrypt(&key_id, &plaintext, algorithm));
        assert_eq!(made["KeyId"], arn(&key_id));
        assert_eq!(made["EncryptionAlgorithm"], algorithm);
        let blob = made["CiphertextBlob"].as_str().unwrap();
        // 256 bytes.
        assert_eq!(blob.len(), 344);
        let body = json!({ "KeyId": key_id, "CiphertextBlob": blob, "EncryptionAlgorithm": algorithm });
        assert_eq!(
            done(&kms, "Decrypt", &body),
            json!({
                "KeyId": arn(&key_id),
                "Plaintext": base64_of(&plaintext),
                "EncryptionAlgorithm": algorithm,
            })
        );
        let message = format!(
            "Algorithm {algorithm} and key spec RSA_2048 cannot encrypt data larger than {most} bytes."
        );
        let mut long = encrypt(&key_id, &vec![7; most + 1], algorithm);
        assert_eq!(refused(&kms, "Encrypt", &long), said("ValidationException", &message));
        long["DryRun"] = json!(true);
        assert_eq!(refused(&kms, "Encrypt", &long), said("ValidationException", &message));
        // The other hash, the default algorithm, no key.
        let other = if algorithm == SHA_1 { SHA_256 } else { SHA_1 };
        let body = json!({ "KeyId": key_id, "CiphertextBlob": blob, "EncryptionAlgorithm": other });
        assert_eq!(refused(&kms, "Decrypt", &body), said("InvalidCiphertextException", ""));
        let body = json!({ "KeyId": key_id, "CiphertextBlob": blob });
        assert_eq!(refused(&kms, "Decrypt", &body), said("InvalidCiphertextException", ""));
        let body = json!({ "CiphertextBlob": blob, "EncryptionAlgorithm": algorithm });
        assert_eq!(refused(&kms, "Decrypt", &body).0, "ValidationException");
    }
    assert_eq!(
        refused(&kms, "Encrypt", &json!({ "KeyId": key_id, "Plaintext": "AAAA" })),
        said(
            "InvalidKeyUsageException",
            "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048."
        )
    );
    let mut with_context = encrypt(&key_id, b"secret", SHA_256);
    with_context["EncryptionContext"] = json!({ "a": "1" });
    assert_eq!(
        refused(&kms, "Encrypt", &with_context),
        said(
            "ValidationException",
            "EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs."
        )
    );
}

#[test]
fn how_much_an_rsa_key_encrypts_depends_on_its_size() {
    // No key is made for what is refused first.
    let kms = demo();
    for (spec, algorithm, most) in [
        ("RSA_3072", SHA_1, 342),
        ("RSA_3072", SHA_256, 318),
        ("RSA_4096", SHA_1, 470),
        ("RSA_4096", SHA_256, 446),
    ] {
        let key_id = rsa(&kms, spec);
        let message = format!(
            "Algorithm {algorithm} and key spec {spec} cannot encrypt data larger than {most} bytes."
        );
        let long = encrypt(&key_id, &vec![7; most + 1], algorithm);
        assert_eq!(refused(&kms, "Encrypt", &long), said("ValidationException", &message));
        let mut fits = encrypt(&key_id, &vec![7; most], algorithm);
        fits["DryRun"] = json!(true);
        assert_eq!(refused(&kms, "Encrypt", &fits).0, "DryRunOperationException");
    }
}

#[test]
fn a_plaintext_has_1_to_4096_bytes_and_that_is_said_before_any_look_up() {
    let kms = demo();
    let body = |plaintext: &[u8]| json!({ "KeyId": "absent", "Plaintext": base64_of(plaintext) });
    let shape = |rule: &str| {
        said(
            "ValidationException",
            &format!(
                "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must \
                 {rule}"
            ),
        )
    };
    assert_eq!(refused(&kms, "Encrypt", &body(&[0; 4097])), shape("have length less than or equal to 4096"));
    assert_eq!(refused(&kms, "Encrypt", &body(&[])), shape("have length greater than or equal to 1"));
    assert_eq!(refused(&kms, "Encrypt", &json!({ "KeyId": "absent" })), shape("not be null"));
    for length in [1, 4096] {
        let plaintext = base64_of(&vec![9; length]);
        let made = done(&kms, "Encrypt", &json!({ "KeyId": ORDERS, "Plaintext": plaintext }));
        let opened = done(&kms, "Decrypt", &json!({ "CiphertextBlob": made["CiphertextBlob"] }));
        assert_eq!(opened["Plaintext"], plaintext);
    }
}

#[test]
fn encrypt_asks_for_usage_then_state_then_algorithm() {
    let kms = demo();
    let sign = new_key(&kms, &json!({ "KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY" }));
    let encrypting = rsa(&kms, "RSA_2048");
    for key_id in [&sign, &encrypting] {
        done(&kms, "DisableKey", &json!({ "KeyId": key_id }));
    }
    let body = |key_id: &str| json!({ "KeyId": key_id, "Plaintext": "AAAA" });
    assert_eq!(
        refused(&kms, "Encrypt", &body(&sign)),
        said(
            "InvalidKeyUsageException",
            &format!("{} key usage is SIGN_VERIFY which is not valid for Encrypt.", arn(&sign))
        )
    );
    assert_eq!(
        refused(&kms, "Encrypt", &body(&encrypting)),
        said("DisabledException", &format!("{} is disabled.", arn(&encrypting)))
    );
    assert_eq!(
        refused(&kms, "Encrypt", &encrypt(ORDERS, b"x", SHA_256)),
        said(
            "InvalidKeyUsageException",
            "Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT."
        )
    );
    assert_eq!(
        refused(&kms, "Encrypt", &encrypt(ORDERS, b"x", "ROT13")),
        said(
            "ValidationException",
            "1 validation error detected: Value 'ROT13' at 'encryptionAlgorithm' failed to satisfy \
             constraint: Member must satisfy enum value set: [RSAES_OAEP_SHA_1, RSAES_OAEP_SHA_256, SM2PKE, \
             SYMMETRIC_DEFAULT]"
        )
    );
}

#[test]
fn a_plaintext_goes_from_any_key_to_any_other() {
    let kms = demo();
    let rsa_id = rsa(&kms, "RSA_2048");
    let symmetric = new_key(&kms, &json!({}));
    let start = done(
        &kms,
        "Encrypt",
        &json!({ "KeyId": ORDERS, "Plaintext": "c2VjcmV0", "EncryptionContext": { "a": "1" } }),
    );
    let described = |key_id: &str| {
        done(&kms, "DescribeKey", &json!({ "KeyId": key_id }))["KeyMetadata"]["CurrentKeyMaterialId"].clone()
    };
    let to_rsa = done(
        &kms,
        "ReEncrypt",
        &json!({
            "CiphertextBlob": start["CiphertextBlob"],
            "SourceEncryptionContext": { "a": "1" },
            "DestinationKeyId": rsa_id,
            "DestinationEncryptionAlgorithm": SHA_256,
        }),
    );
    let members: Vec<&String> = to_rsa.as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        [
            "CiphertextBlob",
            "SourceKeyId",
            "KeyId",
            "SourceEncryptionAlgorithm",
            "SourceKeyMaterialId",
            "DestinationEncryptionAlgorithm"
        ]
    );
    assert_eq!(to_rsa["SourceKeyId"], arn(ORDERS));
    assert_eq!(to_rsa["KeyId"], arn(&rsa_id));
    let back = done(
        &kms,
        "ReEncrypt",
        &json!({
            "CiphertextBlob": to_rsa["CiphertextBlob"],
            "SourceKeyId": rsa_id,
            "SourceEncryptionAlgorithm": SHA_256,
            "DestinationKeyId": symmetric,
            "DestinationEncryptionContext": { "b": "2" },
        }),
    );
    assert_eq!(back.get("SourceKeyMaterialId"), None);
    assert_eq!(back["DestinationKeyMaterialId"], described(&symmetric));
    assert_eq!(back["DestinationEncryptionAlgorithm"], "SYMMETRIC_DEFAULT");
    let opened = json!({ "CiphertextBlob": back["CiphertextBlob"], "EncryptionContext": { "b": "2" } });
    assert_eq!(done(&kms, "Decrypt", &opened)["Plaintext"], "c2VjcmV0");
    // Under the old context it is another ciphertext.
    let wrong = json!({ "CiphertextBlob": back["CiphertextBlob"], "EncryptionContext": { "a": "1" } });
    assert_eq!(refused(&kms, "Decrypt", &wrong).0, "InvalidCiphertextException");
}

#[test]
fn re_encrypt_says_what_is_wrong_with_the_source_before_the_destination() {
    let kms = demo();
    let blob =
        done(&kms, "Encrypt", &json!({ "KeyId": ORDERS, "Plaintext": "AAAA" }))["CiphertextBlob"].clone();
    let sign = new_key(&kms, &json!({ "KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY" }));
    let other = new_key(&kms, &json!({}));
    let body = |source: &Value, blob: &Value, destination: &str| json!({ "CiphertextBlob": blob, "SourceKeyId": source, "DestinationKeyId": destination });
    let incorrect = said(
        "IncorrectKeyException",
        "The key ID in the request does not identify a CMK that can perform this operation.",
    );
    assert_eq!(refused(&kms, "ReEncrypt", &body(&json!(other), &blob, &sign)), incorrect);
    assert_eq!(refused(&kms, "ReEncrypt", &body(&json!(sign), &blob, ORDERS)), incorrect);
    assert_eq!(
        refused(&kms, "ReEncrypt", &body(&Value::Null, &json!("AAAA"), &sign)),
        said("InvalidCiphertextException", "")
    );
    let usage = said(
        "InvalidKeyUsageException",
        &format!("{} key usage is SIGN_VERIFY which is not valid for ReEncryptTo.", arn(&sign)),
    );
    assert_eq!(refused(&kms, "ReEncrypt", &body(&Value::Null, &blob, &sign)), usage);
    let mut dry_run = body(&Value::Null, &blob, &sign);
    dry_run["DryRun"] = json!(true);
    assert_eq!(refused(&kms, "ReEncrypt", &dry_run), usage);
    dry_run["DestinationKeyId"] = json!(other);
    assert_eq!(refused(&kms, "ReEncrypt", &dry_run).0, "DryRunOperationException");
    let ignoring = json!({
        "DryRun": true,
        "DryRunModifiers": ["IGNORE_CIPHERTEXT"],
        "SourceKeyId": ORDERS,
        "DestinationKeyId": other,
    });
    assert_eq!(refused(&kms, "ReEncrypt", &ignoring).0, "DryRunOperationException");
}

#[test]
fn a_public_key_is_the_same_in_every_call_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let location = StoreLocation::File(folder.path().join("kms.redb"));
    let open = || LocalKms::open(location.clone(), options()).unwrap();
    let kms = open();
    let spec = json!({ "KeySpec": "ECC_NIST_P384", "KeyUsage": "SIGN_VERIFY" });
    let key_id = new_key(&kms, &spec);
    let rsa_id = rsa(&kms, "RSA_2048");
    let blob = done(&kms, "Encrypt", &encrypt(&rsa_id, b"secret", SHA_256))["CiphertextBlob"].clone();
    let told = |kms: &LocalKms| {
        [&key_id, &rsa_id].map(|key_id| done(kms, "GetPublicKey", &json!({ "KeyId": key_id })))
    };
    let before = told(&kms);
    assert_eq!(told(&kms), before);
    assert_ne!(before[0]["PublicKey"], before[1]["PublicKey"]);
    drop(kms);
    let kms = open();
    assert_eq!(told(&kms), before);
    let body = json!({ "KeyId": rsa_id, "CiphertextBlob": blob, "EncryptionAlgorithm": SHA_256 });
    assert_eq!(done(&kms, "Decrypt", &body)["Plaintext"], "c2VjcmV0");
    let mut first = before[0].clone();
    first["PublicKey"] = Value::Null;
    assert_eq!(
        first,
        json!({
            "KeyId": arn(&key_id),
            "PublicKey": null,
            "CustomerMasterKeySpec": "ECC_NIST_P384",
            "KeySpec": "ECC_NIST_P384",
            "KeyUsage": "SIGN_VERIFY",
            "SigningAlgorithms": ["ECDSA_SHA_384"],
        })
    );
}
