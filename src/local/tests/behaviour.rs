//! Delays and faults, as the SDK meets them. Time is paused: it moves only when everything waits.

use std::time::Duration;

use aws_sdk_kms::config::StalledStreamProtectionConfig;
use tokio::time::Instant;

use super::*;

fn rule(fault: Fault) -> Rule {
    Rule { operation: None, key_id: None, times: None, fault }
}

fn behaving(kms: &LocalKms, rules: Vec<Rule>) {
    kms.set_behaviour(Behaviour { rules, ..Behaviour::default() });
}

#[tokio::test]
async fn a_denial_has_awss_words_and_names_the_key() {
    let kms = demo();
    behaving(&kms, vec![rule(Fault::Deny)]);
    let result = client(&kms).describe_key().key_id("alias/demo/orders").send().await;
    let words = format!(
        "User: arn:aws:iam::111122223333:user/demo is not authorized to perform: kms:DescribeKey on \
         resource: {} because no identity-based policy allows the kms:DescribeKey action",
        arn(ORDERS)
    );
    assert_eq!(refusal(result), said("AccessDeniedException", &words));
    let (_, message) = refusal(client(&kms).list_keys().send().await);
    assert!(message.contains("kms:ListKeys on resource: *"), "{message}");
}

#[tokio::test]
async fn a_rule_strikes_its_operation_alone() {
    let kms = demo();
    behaving(&kms, vec![Rule { operation: Some("ListAliases".to_owned()), ..rule(Fault::Throttle) }]);
    let client = client(&kms);
    assert_eq!(
        refusal(client.list_aliases().send().await),
        said(
            "ThrottlingException",
            "You have exceeded the rate at which you may call KMS. Reduce the frequency of your \
             calls."
        )
    );
    assert!(client.list_keys().send().await.is_ok());
}

#[tokio::test]
async fn a_rule_for_a_key_strikes_it_under_each_of_its_names_and_no_other_key() {
    let kms = demo();
    let blob = data_key(&client(&kms), "alias/demo/orders", &[]).await;
    behaving(&kms, vec![Rule { key_id: Some(ORDERS.to_owned()), ..rule(Fault::Deny) }]);
    let client = client(&kms);
    for name in [ORDERS, &arn(ORDERS), "alias/demo/orders"] {
        let (code, _) = refusal(client.describe_key().key_id(name).send().await);
        assert_eq!(code, "AccessDeniedException", "{name}");
    }
    let (code, _) = refusal(client.decrypt().ciphertext_blob(blob).send().await);
    assert_eq!(code, "AccessDeniedException");
    let other = client.describe_key().key_id("alias/demo/customers");
    assert!(other.send().await.is_ok());
    assert!(client.list_keys().send().await.is_ok());
}

#[tokio::test]
async fn a_rule_that_strikes_twice_strikes_twice() {
    let kms = demo();
    behaving(&kms, vec![Rule { times: Some(2), ..rule(Fault::Internal) }]);
    let client = client(&kms);
    for _ in 0..2 {
        let error = client.list_keys().send().await.unwrap_err();
        assert_eq!(error.code(), Some("KMSInternalException"));
        assert_eq!(error.raw_response().unwrap().status().as_u16(), 500);
    }
    assert!(client.list_keys().send().await.is_ok());
}

#[tokio::test]
async fn the_first_rule_that_matches_decides() {
    let kms = demo();
    behaving(&kms, vec![Rule { times: Some(1), ..rule(Fault::Throttle) }, rule(Fault::Deny)]);
    let client = client(&kms);
    let (code, _) = refusal(client.list_keys().send().await);
    assert_eq!(code, "ThrottlingException");
    let (code, _) = refusal(client.list_keys().send().await);
    assert_eq!(code, "AccessDeniedException");
}

#[tokio::test]
async fn a_reset_is_an_io_error_of_the_connector() {
    let kms = demo();
    behaving(&kms, vec![rule(Fault::Reset)]);
    let error = client(&kms).list_keys().send().await.unwrap_err();
    let SdkError::DispatchFailure(failure) = error else {
        panic!("{error:?}");
    };
    assert!(failure.is_io());
}

#[tokio::test]
async fn a_body_of_ones_own_arrives_as_it_is() {
    let kms = demo();
    behaving(&kms, vec![rule(Fault::Body { status: 502, body: "<html>Bad Gateway</html>".to_owned() })]);
    let error = client(&kms).list_keys().send().await.unwrap_err();
    let response = error.raw_response().unwrap();
    assert_eq!(response.status().as_u16(), 502);
    assert_eq!(response.body().bytes(), Some(b"<html>Bad Gateway</html>".as_slice()));
    behaving(&kms, vec![rule(Fault::Body { status: 200, body: r#"{"Keys": [{"KeyId": "cut o"#.to_owned() })]);
    let error = client(&kms).list_keys().send().await.unwrap_err();
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 200);
    assert_eq!(error.code(), None);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_call_ends_with_the_callers_patience() {
    let kms = demo();
    behaving(&kms, vec![rule(Fault::Hang)]);
    // Else the SDK itself gives up on a stream that brings nothing.
    let patient =
        aws_sdk_kms::Config::builder().stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    let call = client(&kms).list_keys().customize().config_override(patient).send();
    let waited = tokio::time::timeout(Duration::from_hours(24), call).await;
    assert!(waited.is_err(), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn latencies_add_up_and_the_right_answer_comes_after_them() {
    let kms = demo();
    kms.set_behaviour(Behaviour {
        latency: Duration::from_millis(200),
        rules: vec![
            Rule { operation: Some("ListKeys".to_owned()), ..rule(Fault::Latency(Duration::from_secs(3))) },
            Rule { times: Some(1), ..rule(Fault::Throttle) },
        ],
    });
    let client = client(&kms);
    let begin = Instant::now();
    let (code, _) = refusal(client.list_keys().send().await);
    assert_eq!(code, "ThrottlingException");
    assert_eq!(begin.elapsed().as_millis(), 3200);
    let begin = Instant::now();
    assert!(client.list_aliases().send().await.is_ok());
    assert_eq!(begin.elapsed().as_millis(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_write_is_answered_with_the_time_paused() {
    let client = client(&demo());
    let begin = Instant::now();
    let described = client.describe_key().key_id("alias/aws/sns").send().await;
    assert!(described.is_ok());
    assert_eq!(begin.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn a_behaviour_can_be_there_from_the_beginning() {
    let options = Options {
        behaviour: Behaviour { rules: vec![rule(Fault::Deny)], ..Behaviour::default() },
        ..options()
    };
    let kms = LocalKms::open(StoreLocation::Memory, options).unwrap();
    assert!(client(&kms).list_keys().send().await.is_err());
    kms.set_behaviour(Behaviour::default());
    assert!(client(&kms).list_keys().send().await.is_ok());
}
