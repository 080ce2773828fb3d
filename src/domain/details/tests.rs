use serde_json::{Value, json};

use super::*;
use crate::domain::failure::FailureKind;
use crate::domain::key::Origin;

fn value(detail: &Detail) -> Value {
    serde_json::to_value(detail).unwrap()
}

fn refusal() -> Failure {
    let mut failure = Failure::new(FailureKind::NotAllowed, "not allowed: kms:X on *");
    failure.code = Some("AccessDeniedException".into());
    failure.message = Some("User: x is not authorized".into());
    failure
}

#[test]
fn a_detail_has_the_spelling_of_aws_and_leaves_out_what_nobody_told() {
    let at: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
    let grant = Grant {
        grant_id: Some("ab".into()),
        creation_date: Some(at),
        grantee_principal: Some("arn:aws:iam::111122223333:role/x".into()),
        operations: vec!["Decrypt".into()],
        constraints: Some(GrantConstraints {
            encryption_context_subset: Some(
                [("b", "2"), ("a", "1")].map(|(n, v)| (n.into(), v.into())).into(),
            ),
            ..GrantConstraints::default()
        }),
        ..Grant::default()
    };
    assert_eq!(
        value(&Detail::Grants(vec![grant])),
        json!([{
            "GrantId": "ab",
            "CreationDate": "2026-11-24T12:00:00+00:00",
            "GranteePrincipal": "arn:aws:iam::111122223333:role/x",
            "Operations": ["Decrypt"],
            "Constraints": {"EncryptionContextSubset": {"a": "1", "b": "2"}},
        }])
    );
    let tag = Tag { tag_key: "owner".into(), tag_value: String::new() };
    assert_eq!(value(&Detail::Tags(vec![tag])), json!([{"TagKey": "owner", "TagValue": ""}]));
    let never = LastUsage { tracking_start_date: Some(at), ..LastUsage::default() };
    assert_eq!(
        value(&Detail::LastUsage(never)),
        json!({"KeyLastUsage": {}, "TrackingStartDate": "2026-11-24T12:00:00+00:00"})
    );
}

#[test]
fn each_half_of_a_rotation_is_told_or_says_why_not() {
    let on = RotationStatus {
        enabled: true,
        period_in_days: Some(365),
        next_rotation_date: None,
        on_demand_rotation_start_date: None,
    };
    let first = KeyRotation { key_material_state: Some("CURRENT".into()), ..KeyRotation::default() };
    let error = json!({"Code": "AccessDeniedException", "Message": "User: x is not authorized"});
    let history_refused = Rotation { status: Ok(on), history: Err(refusal()) };
    assert_eq!(
        value(&Detail::Rotation(history_refused)),
        json!({"KeyRotationEnabled": true, "RotationPeriodInDays": 365, "Rotations": {"Error": error}})
    );
    let status_refused = Rotation { status: Err(refusal()), history: Ok(vec![first]) };
    assert_eq!(
        value(&Detail::Rotation(status_refused)),
        json!({"Error": error, "Rotations": [{"KeyMaterialState": "CURRENT"}]})
    );
}

#[test]
fn a_failure_without_an_answer_has_no_code_and_our_sentence() {
    let failure = Failure::new(FailureKind::TimedOut, "kms.example did not answer in time");
    let told: Result<Vec<Tag>, Failure> = Err(failure);
    assert_eq!(
        serde_json::to_value(Told(&told)).unwrap(),
        json!({"Error": {"Code": null, "Message": "kms.example did not answer in time"}})
    );
}

#[test]
fn pem_has_lines_of_64_columns_and_holds_the_same_bytes() {
    for length in [0, 1, 48, 49, 91, 294, 550] {
        let der: Vec<u8> = (0..length).map(|byte| u8::try_from(byte % 251).unwrap()).collect();
        let pem = PublicKey { der: der.clone(), ..PublicKey::default() }.pem();
        let body = pem
            .strip_prefix("-----BEGIN PUBLIC KEY-----\n")
            .and_then(|rest| rest.strip_suffix("-----END PUBLIC KEY-----\n"))
            .unwrap();
        let lines: Vec<&str> = body.lines().collect();
        if let Some((last, full)) = lines.split_last() {
            assert!(full.iter().all(|line| line.len() == 64));
            assert!((1..=64).contains(&last.len()));
        }
        assert_eq!(STANDARD.decode(lines.concat()).unwrap(), der);
    }
}

#[test]
fn only_what_a_key_can_have_is_asked_for() {
    let asked = |spec, origin: &Origin| -> Vec<Aspect> {
        let facts = KeyFacts { spec, origin: Some(origin), ..KeyFacts::default() };
        let special = [Aspect::Rotation, Aspect::PublicKey, Aspect::CustomKeyStore];
        special.into_iter().filter(|aspect| aspect.applies_to(&facts)).collect()
    };
    assert_eq!(asked(Some("SYMMETRIC_DEFAULT"), &Origin::AwsKms), [Aspect::Rotation]);
    assert_eq!(asked(Some("SYMMETRIC_DEFAULT"), &Origin::AwsCloudHsm), [Aspect::CustomKeyStore]);
    assert_eq!(asked(Some("ML_DSA_65"), &Origin::AwsKms), [Aspect::PublicKey]);
    assert!(asked(Some("HMAC_256"), &Origin::AwsKms).is_empty());
    // Where the spec is not told, the service is to say.
    assert_eq!(asked(None, &Origin::AwsKms), [Aspect::Rotation, Aspect::PublicKey]);
}
