//! Delays and faults, as the SDK meets them. Time is paused: it moves only when everything waits.

use std::time::Duration;

use aws_sdk_kms::config::StalledStreamProtectionConfig;
use tokio::time::{Instant, advance};

use super::*;
use crate::local::behaviour::Faults;

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
        ..Behaviour::default()
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

/// What is due to so many requests, in short: nothing, or the name of the fault.
fn plans(behaviour: Behaviour, requests: usize) -> Vec<String> {
    let mut faults = Faults::new(behaviour);
    let plan =
        |_| faults.plan(Some("ListKeys"), None).fault.map_or_else(String::new, |fault| format!("{fault:?}"));
    (0..requests).map(plan).collect()
}

fn at_odds(odds: &str, seed: u64) -> Behaviour {
    Behaviour { odds: odds.parse().unwrap(), seed, ..Behaviour::default() }
}

#[test]
fn odds_strike_about_their_share_of_the_requests_and_the_same_ones_in_every_run() {
    let odds = "500=1%,reset=1%,throttle=2%,truncate=1%,hang=0.5%";
    let planned = plans(at_odds(odds, 7), 10_000);
    for (fault, around) in
        [("Internal", 100), ("Reset", 100), ("Throttle", 200), ("Truncate", 100), ("Hang", 50), ("", 9_450)]
    {
        let count = planned.iter().filter(|plan| *plan == fault).count();
        assert!((around / 2..=around * 2).contains(&count), "{fault}: {count}");
    }
    assert_eq!(planned, plans(at_odds(odds, 7), 10_000));
    assert_ne!(planned, plans(at_odds(odds, 8), 10_000));
}

#[test]
fn odds_of_everything_strike_always_and_those_of_nothing_never() {
    assert!(plans(at_odds("reset=100%,500=0%", 1), 1_000).iter().all(|plan| plan == "Reset"));
    let both = plans(at_odds("reset=50%,throttle=50%", 1), 1_000);
    assert!(both.iter().all(|plan| plan == "Reset" || plan == "Throttle"));
    assert!(plans(at_odds("reset=0%", 1), 1_000).iter().all(String::is_empty));
}

#[test]
fn a_share_of_the_keys_is_denied_and_always_the_same() {
    let key_ids: Vec<String> =
        (0..10_000).map(|key| format!("{key:08x}-0000-4000-8000-000000000000")).collect();
    let denied = |denial: &str| -> Vec<&str> {
        let denials = vec![denial.parse().unwrap()];
        let mut faults = Faults::new(Behaviour { denials, ..Behaviour::default() });
        let is_denied =
            |key_id: &&str| matches!(faults.plan(Some("DescribeKey"), Some(key_id)).fault, Some(Fault::Deny));
        key_ids.iter().map(String::as_str).filter(is_denied).collect()
    };
    let five = denied("DescribeKey=5%");
    assert!((400..=600).contains(&five.len()), "{}", five.len());
    assert_eq!(denied("DescribeKey=5%"), five);
    let ten = denied("DescribeKey=10%");
    assert!(five.iter().all(|key_id| ten.contains(key_id)));
    assert_eq!(denied("DescribeKey=100%").len(), 10_000);
    assert_eq!(denied("DescribeKey=0%").len(), 0);
    assert_eq!(denied("Decrypt=100%").len(), 0);
}

#[tokio::test]
async fn a_denied_key_is_denied_under_each_of_its_names_and_listing_is_not() {
    let kms = demo();
    let denials =
        ["DescribeKey", "ListAliases", "ListKeys"].map(|name| format!("{name}=100%").parse().unwrap());
    kms.set_behaviour(Behaviour { denials: denials.into(), ..Behaviour::default() });
    let client = client(&kms);
    for name in [ORDERS, &arn(ORDERS), "alias/demo/orders"] {
        let (code, message) = refusal(client.describe_key().key_id(name).send().await);
        assert_eq!(code, "AccessDeniedException", "{name}");
        assert!(message.contains(&arn(ORDERS)), "{message}");
    }
    assert!(client.list_keys().send().await.is_ok());
    assert!(client.list_aliases().send().await.is_ok());
    let (code, _) = refusal(client.list_aliases().key_id(ORDERS).send().await);
    assert_eq!(code, "AccessDeniedException");
}

#[tokio::test(start_paused = true)]
async fn a_rate_lets_so_many_requests_through_each_second_and_throttles_the_rest() {
    let kms = demo();
    let rates = vec!["DescribeKey=50".parse().unwrap()];
    kms.set_behaviour(Behaviour { rates, ..Behaviour::default() });
    let client = client(&kms);
    let call = || client.describe_key().key_id(ORDERS).send();
    // A tenth of a second's worth may come at once.
    for _ in 0..5 {
        assert!(call().await.is_ok());
    }
    assert_eq!(refusal(call().await).0, "ThrottlingException");
    assert!(client.list_keys().send().await.is_ok());
    advance(Duration::from_millis(20)).await;
    assert!(call().await.is_ok());
    assert_eq!(refusal(call().await).0, "ThrottlingException");
    let mut through = 0;
    for _ in 0..1_000 {
        advance(Duration::from_millis(10)).await;
        through += usize::from(call().await.is_ok());
    }
    assert_eq!(through, 500);
    // What nobody asked for in an hour is not saved up.
    advance(Duration::from_hours(1)).await;
    let mut at_once = 0;
    while call().await.is_ok() {
        at_once += 1;
    }
    assert_eq!(at_once, 5);
}

#[tokio::test(start_paused = true)]
async fn a_slow_rate_lets_one_request_through_at_a_time() {
    let kms = demo();
    let rates = vec!["ListKeys=1".parse().unwrap()];
    kms.set_behaviour(Behaviour { rates, ..Behaviour::default() });
    let client = client(&kms);
    assert!(client.list_keys().send().await.is_ok());
    advance(Duration::from_millis(990)).await;
    assert_eq!(refusal(client.list_keys().send().await).0, "ThrottlingException");
    advance(Duration::from_millis(10)).await;
    assert!(client.list_keys().send().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_rate_stands_before_rules_rules_before_denials_and_denials_before_odds() {
    let kms = demo();
    kms.set_behaviour(Behaviour {
        rates: vec!["DescribeKey=3".parse().unwrap()],
        rules: vec![Rule { times: Some(1), ..rule(Fault::Internal) }],
        denials: vec!["DescribeKey=100%".parse().unwrap()],
        odds: "reset=100%".parse().unwrap(),
        ..Behaviour::default()
    });
    let client = client(&kms);
    let mut codes = Vec::new();
    for _ in 0..2 {
        codes.push(refusal(client.describe_key().key_id(ORDERS).send().await).0);
        codes.push(refusal(client.describe_key().key_id(ORDERS).send().await).0);
        advance(Duration::from_secs(1)).await;
    }
    let throttled = "ThrottlingException";
    assert_eq!(codes, ["KMSInternalException", throttled, "AccessDeniedException", throttled]);
    let error = client.list_keys().send().await.unwrap_err();
    assert!(matches!(error, SdkError::DispatchFailure(_)), "{error:?}");
}

#[tokio::test]
async fn a_truncated_answer_is_a_broken_one_never_a_good_one() {
    let kms = demo();
    behaving(&kms, vec![rule(Fault::Truncate)]);
    let client = client(&kms);
    let error = client.list_keys().send().await.unwrap_err();
    assert!(matches!(error, SdkError::ResponseError(_)), "{error:?}");
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 200);
    // One that is an error is cut as well.
    let error = client.describe_key().key_id("x").send().await.unwrap_err();
    assert!(matches!(error, SdkError::ResponseError(_)), "{error:?}");
    assert_eq!(error.code(), None);
}

#[tokio::test(start_paused = true)]
async fn the_sdk_tries_again_after_a_truncated_answer() {
    let kms = demo();
    behaving(&kms, vec![Rule { times: Some(1), ..rule(Fault::Truncate) }]);
    let trying = aws_sdk_kms::Config::builder().retry_config(RetryConfig::standard());
    let call = client(&kms).list_keys().customize().config_override(trying).send();
    assert!(!call.await.unwrap().keys().is_empty());
}
