//! What the record of calls holds of calls that a session's clients make.

use std::net::TcpListener;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::SdkConfig;
use aws_types::region::Region;
use jiff::{SignedDuration, Timestamp};
use kmx::domain::call::{CallRecord, NoAnswer, Outcome};
use kmx::domain::context::EncryptionContext;
use kmx::domain::place::{Destination, Place};
use kmx::domain::request::{DataKeyRequest, DataKeySize, DataKeySpec, OPERATION};
use kmx::kms::loader::{self, Progress, Rate};
use kmx::kms::{CallLog, Clients, TimeOuts, describe_key, generate_data_key};
use kmx::local::{Behaviour, Clock, Fault, LocalKms, Options, Randomness, Seed, StoreLocation};
use kmx::session::Session;
use tokio::sync::mpsc;

use crate::harness::{NOW, ORDERS, always, first, rules};

const ORDERS_ALIAS: &str = "alias/demo/orders";

/// A provider that has no credentials.
#[derive(Debug)]
struct Nobody;
impl aws_credential_types::provider::ProvideCredentials for Nobody {
    fn provide_credentials<'a>(&'a self) -> aws_credential_types::provider::future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let nothing = aws_credential_types::provider::error::CredentialsError::not_loaded("nothing");
        aws_credential_types::provider::future::ProvideCredentials::ready(Err(nothing))
    }
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn transport(behaviour: Behaviour) -> SharedHttpClient {
    let options = Options {
        clock: Clock::fixed(now()),
        randomness: Randomness::deterministic(7),
        seed: Seed::default(),
        behaviour,
    };
    LocalKms::open(StoreLocation::Memory, options).unwrap().http_client()
}

/// Clients of a session over a local KMS, and its log.
async fn over(behaviour: Behaviour) -> (Clients, CallLog) {
    let log = CallLog::starting_at(now());
    let session = Session::over(transport(behaviour), "us-east-1").with_calls(log.clone());
    (session.connect(&Destination::default()).await.unwrap(), log)
}

fn outcome_of(record: &CallRecord) -> (u32, &str) {
    (record.attempt, record.outcome.words())
}

fn code(code: &str) -> Outcome {
    Outcome::Error(code.into())
}

#[tokio::test(start_paused = true)]
async fn each_attempt_is_a_record() {
    let slow = Fault::Latency(Duration::from_millis(40));
    let (clients, log) =
        over(rules(vec![always("DescribeKey", None, slow), first(1, "DescribeKey", Fault::Throttle)])).await;
    describe_key(&clients, ORDERS_ALIAS).await.unwrap();
    log.news().await;
    let records = log.take();
    assert_eq!(records.iter().map(outcome_of).collect::<Vec<_>>(), [(1, "ThrottlingException"), (2, "ok")]);
    for record in &records {
        assert_eq!(record.operation, "DescribeKey");
        assert_eq!(record.target.as_deref(), Some(ORDERS_ALIAS));
        assert_eq!(&*record.region, "us-east-1");
        assert_eq!(record.took, Duration::from_millis(40), "the pause between attempts is of none");
        assert_eq!(record.request_id.as_ref().unwrap().len(), 36);
    }
    assert_ne!(records[0].request_id, records[1].request_id);
    assert_eq!(records[0].at, now());
    assert!(records[1].at.duration_since(now()) >= SignedDuration::from_millis(40));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_ends_in_one_of_these_ways() {
    let body = |status, body: &str| Fault::Body { status, body: body.to_owned() };
    for (fault, outcome) in [
        (Fault::Deny, code("AccessDeniedException")),
        (Fault::Internal, code("KMSInternalException")),
        (body(503, "busy"), code("HTTP 503")),
        (body(200, "<html>"), Outcome::NoAnswer(NoAnswer::Unreadable)),
        (Fault::Truncate, Outcome::NoAnswer(NoAnswer::Unreadable)),
        (Fault::Reset, Outcome::NoAnswer(NoAnswer::Connection)),
        (Fault::Hang, Outcome::NoAnswer(NoAnswer::TimedOut)),
    ] {
        let (clients, log) = over(rules(vec![always("DescribeKey", None, fault.clone())])).await;
        describe_key(&clients, ORDERS).await.unwrap_err();
        let records = log.take();
        assert!(!records.is_empty(), "{fault:?}");
        for record in records {
            assert_eq!(record.outcome, outcome, "{fault:?}");
        }
    }
    let (clients, log) = over(Behaviour::default()).await;
    describe_key(&clients, "alias/nobody/knows").await.unwrap_err();
    assert_eq!(log.take()[0].outcome, code("NotFoundException"));
}

#[tokio::test]
async fn a_refused_connection_and_a_request_that_nobody_signs_are_recorded() {
    // A port that nothing listens on any more.
    let address = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let place = Place::aws(None, Some("eu-west-1".into()), Some(format!("http://{address}")));
    let config = SdkConfig::builder()
        .behavior_version(aws_sdk_kms::config::BehaviorVersion::latest())
        .region(Region::from_static("eu-west-1"))
        .build();
    let log = CallLog::default();
    let clients = Clients::new(&config, TimeOuts::default(), place).recording(&log);
    describe_key(&clients, ORDERS).await.unwrap_err();
    let records = log.take();
    let (record, attempts) = (&records[0], records.len());
    assert_eq!((record.attempt, &*record.region), (1, "eu-west-1"));
    assert_eq!(record.outcome, Outcome::NoAnswer(NoAnswer::Connection));
    assert!(attempts <= 3 && records.iter().all(|record| record.request_id.is_none()));

    let provider = aws_credential_types::provider::SharedCredentialsProvider::new(Nobody);
    let config = config.into_builder().credentials_provider(provider).build();
    let place = Place::aws(None, Some("eu-west-1".into()), Some(format!("http://{address}")));
    let clients = Clients::new(&config, TimeOuts::default(), place).recording(&log);
    describe_key(&clients, ORDERS).await.unwrap_err();
    assert_eq!(log.take()[0].outcome, Outcome::NoAnswer(NoAnswer::NotSent));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_nobody_waits_for_any_more_is_cancelled() {
    let (clients, log) = over(rules(vec![always("DescribeKey", None, Fault::Hang)])).await;
    let wait = tokio::time::timeout(Duration::from_millis(70), describe_key(&clients, ORDERS));
    wait.await.unwrap_err();
    let records = log.take();
    assert_eq!(records.iter().map(outcome_of).collect::<Vec<_>>(), [(1, "cancelled")]);
    assert_eq!(records[0].took, Duration::from_millis(70));
}

#[tokio::test(start_paused = true)]
async fn a_record_holds_nothing_of_a_body() {
    let (clients, log) = over(rules(vec![first(1, OPERATION, Fault::Throttle)])).await;
    let request = DataKeyRequest {
        key_id: ORDERS_ALIAS.to_owned(),
        encryption_context: EncryptionContext::from_pairs([("tenant-name", "acme-incorporated")]).unwrap(),
        size: DataKeySize::Spec(DataKeySpec::Aes256),
        grant_tokens: vec!["a-token-of-a-grant".to_owned()],
        dry_run: true,
    };
    generate_data_key(&clients, &request).await.unwrap_err();
    let request = DataKeyRequest { grant_tokens: Vec::new(), dry_run: false, ..request };
    let answer = generate_data_key(&clients, &request).await.unwrap();
    let kmx::domain::data_key::Answer::DataKey(data_key) = answer else { panic!("{answer:?}") };
    let records = log.take();
    assert_eq!(records[0].outcome, code("ThrottlingException"));
    assert_eq!(records.last().unwrap().outcome, Outcome::Ok);
    let told = format!("{records:?}");
    assert!(told.contains(OPERATION) && told.contains(ORDERS_ALIAS), "{told}");
    for secret in ["tenant", "acme", "token", &data_key.ciphertext_blob[..20], "AES_256"] {
        assert!(!told.contains(secret), "{secret} is in {told}");
    }
}

#[tokio::test(start_paused = true)]
async fn both_clients_of_every_destination_write_into_one_log() {
    let log = CallLog::starting_at(now());
    let session = Session::over_regions(transport(Behaviour::default()), &["us-east-1", "eu-west-1"])
        .with_calls(log.clone());
    for to in session.destinations() {
        let clients = session.connect(&to).await.unwrap();
        let (sender, mut events) = mpsc::channel(64);
        let (_, wanted) = mpsc::unbounded_channel();
        let loading =
            tokio::spawn(loader::load(clients.clone(), Rate::default(), Progress::default(), sender, wanted));
        while events.recv().await.is_some() {}
        loading.await.unwrap();
        let _ = describe_key(&clients, ORDERS).await;
    }
    let records = log.take();
    let count = |operation: &str, region: &str| {
        records.iter().filter(|record| record.operation == operation && &*record.region == region).count()
    };
    for region in ["us-east-1", "eu-west-1"] {
        assert!(count("ListKeys", region) == 1 && count("ListAliases", region) >= 1, "{region}");
        let asked_for_orders =
            |record: &&CallRecord| &*record.region == region && record.target.as_deref() == Some(ORDERS);
        assert_eq!(records.iter().filter(asked_for_orders).count(), 1);
    }
    assert!(count("DescribeKey", "us-east-1") > 30);
    assert!(
        records
            .iter()
            .filter(|record| record.operation.starts_with("List"))
            .all(|record| record.target.is_none())
    );
}
