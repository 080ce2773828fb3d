use super::*;

fn key() -> KeyMetadata {
    KeyMetadata {
        key_usage: Some(KeyUsage::EncryptDecrypt),
        key_state: Some(KeyState::Enabled),
        key_spec: Some("SYMMETRIC_DEFAULT".into()),
        key_manager: Some(KeyManager::Customer),
        origin: Some(Origin::AwsKms),
        enabled: true,
        ..KeyMetadata::bare("1234abcd-12ab-34cd-56ef-1234567890ab")
    }
}

#[test]
fn every_value_of_the_model_reads_and_writes_as_the_service_spells_it() {
    for text in KeyState::KNOWN {
        let state = KeyState::from(*text);
        assert!(!matches!(state, KeyState::Other(_)), "{text}");
        assert_eq!(state.as_str(), *text);
    }
    assert_eq!(KeyUsage::from("ENCAPSULATE_DECAPSULATE").words(), "ENCAPSULATE_DECAPSULATE");
}

#[test]
fn a_key_that_cannot_make_data_keys_says_why_and_what_to_do() {
    type Change = fn(&mut KeyMetadata);
    let cases: [(Change, &[&str]); 9] = [
        (|_| {}, &[]),
        (|key| key.key_state = Some(KeyState::Updating), &[]),
        (|key| key.key_state = Some(KeyState::Disabled), &["Disabled: the service will refuse"]),
        (
            |key| key.key_state = Some(KeyState::PendingDeletion),
            &["Pending deletion: the service will refuse"],
        ),
        (
            |key| key.key_usage = Some(KeyUsage::SignVerify),
            &["its usage is sign/verify: the service will refuse"],
        ),
        (
            |key| key.key_spec = Some("RSA_2048".into()),
            &["RSA_2048 is no symmetric key: the service will refuse"],
        ),
        (
            |key| key.key_state = Some(KeyState::Other("Moving".into())),
            &["state Moving: whether it can be used is not known"],
        ),
        (
            |key| key.key_manager = Some(KeyManager::Aws),
            &["AWS manages this key: only the AWS service that it belongs to may use it"],
        ),
        (
            |key| {
                key.key_usage = Some(KeyUsage::GenerateVerifyMac);
                key.key_spec = Some("HMAC_256".into());
                key.key_state = Some(KeyState::Unavailable);
            },
            &["its usage is MAC: the service will refuse", "Unavailable: the service will refuse"],
        ),
    ];
    for (change, reasons) in cases {
        let mut key = key();
        change(&mut key);
        let found: Vec<_> = key.objections().into_iter().map(|o| o.reason).collect();
        assert_eq!(found, reasons);
    }
}

#[test]
fn a_disabled_key_names_the_command_that_enables_it() {
    let key = KeyMetadata { key_state: Some(KeyState::Disabled), ..key() };
    assert_eq!(
        key.objections()[0].way_out,
        "aws kms enable-key --key-id 1234abcd-12ab-34cd-56ef-1234567890ab"
    );
}

#[test]
fn days_until_deletion_round_up_and_never_go_below_zero() {
    let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
    for (date, days) in [
        ("2026-11-30T12:00:00Z", 6),
        ("2026-11-30T12:00:01Z", 7),
        ("2026-11-24T12:00:00Z", 0),
        ("2026-11-01T00:00:00Z", 0),
    ] {
        assert_eq!(days_until(date.parse().unwrap(), now), days, "{date}");
    }
}

#[test]
fn metadata_is_written_in_the_spelling_of_the_service() {
    let key = KeyMetadata {
        account: Some("111122223333".into()),
        creation_date: Some("2024-03-01T10:14:00.5Z".parse().unwrap()),
        ..key()
    };
    let json = serde_json::to_value(&key).unwrap();
    assert_eq!(json["AWSAccountId"], "111122223333");
    assert_eq!(json["KeyState"], "Enabled");
    assert_eq!(json["CreationDate"], "2024-03-01T10:14:00.500000+00:00");
    assert!(json.get("DeletionDate").is_none());
}
