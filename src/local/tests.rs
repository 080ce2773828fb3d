//! The local KMS through the SDK, as its users meet it, and over its wire where the SDK cannot say
//! what is to be said.

mod aliases;
mod answers;
mod behaviour;
mod catalog;
mod create_key;
mod crypto;
mod encryption;
mod generated;
mod grants;
mod identifiers;
mod keyring;
mod last_use;
mod lifecycle;
mod pages;
mod policies;
mod rotation;
mod server;
mod states;
mod store;
mod tags;
mod wire;

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_sdk_kms::Client;
use aws_sdk_kms::config::retry::RetryConfig;
use aws_sdk_kms::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;
use jiff::Timestamp;
use serde_json::Value;
use zeroize::Zeroizing;

use super::wire::{Request, Response};
use super::*;

const ORDERS: &str = "bedb103d-1fd0-4eea-8df5-87c5fe921771";

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The day on which tests take place.
fn today() -> Timestamp {
    instant("2026-11-24T12:00:00.186Z")
}

/// A fixed day, repeatable randomness.
fn options() -> Options {
    Options { clock: Clock::fixed(today()), randomness: Randomness::deterministic(7), ..Options::default() }
}

fn with_keyring(keyring: impl Into<Seed>) -> LocalKms {
    let options = Options { seed: keyring.into(), ..options() };
    LocalKms::open(StoreLocation::Memory, options).unwrap()
}

/// The demo keyring in memory.
fn demo() -> LocalKms {
    LocalKms::open(StoreLocation::Memory, options()).unwrap()
}

/// An SDK client that signs for `region` and tries once.
fn client_in(kms: &LocalKms, region: &'static str) -> Client {
    Client::from_conf(
        aws_sdk_kms::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static(region))
            .credentials_provider(Credentials::new("AKIDEXAMPLE", "none", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .http_client(kms.http_client())
            .build(),
    )
}

fn client(kms: &LocalKms) -> Client {
    client_in(kms, "us-east-1")
}

/// The code and the message of a service error.
fn refusal<T, E, R>(result: Result<T, SdkError<E, R>>) -> (String, String)
where
    T: std::fmt::Debug,
    E: ProvideErrorMetadata + std::fmt::Debug,
    R: std::fmt::Debug,
{
    let error = result.unwrap_err();
    (error.code().unwrap_or_default().to_owned(), error.message().unwrap_or_default().to_owned())
}

fn said(code: &str, message: &str) -> (String, String) {
    (code.to_owned(), message.to_owned())
}

/// The default key policy.
fn default_policy() -> String {
    policy::default_policy(&identifier::Place::new("us-east-1"))
}

fn arn(key_id: &str) -> String {
    format!("arn:aws:kms:us-east-1:111122223333:key/{key_id}")
}

/// A data key under `key_id` with that context.
async fn data_key(client: &Client, key_id: &str, context: &[(&str, &str)]) -> Blob {
    let made = client
        .generate_data_key_without_plaintext()
        .key_id(key_id)
        .key_spec(DataKeySpec::Aes256)
        .set_encryption_context(Some(map(context)))
        .send()
        .await
        .unwrap();
    made.ciphertext_blob.unwrap()
}

fn map(entries: &[(&str, &str)]) -> HashMap<String, String> {
    entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A request as it comes off the wire, signed for us-east-1.
fn request(operation: &str, body: impl Into<Vec<u8>>) -> Request {
    Request {
        target: Some(format!("TrentService.{operation}")),
        authorization: Some(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/us-east-1/kms/aws4_request, \
             SignedHeaders=host;x-amz-date;x-amz-target, Signature=00"
                .to_owned(),
        ),
        body: Zeroizing::new(body.into()),
    }
}

/// What the service answers to a body, as JSON.
fn answer(kms: &LocalKms, operation: &str, body: &str) -> Value {
    json(&kms.front.service.handle(&request(operation, body)))
}

fn json(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// A clock that a test moves; it begins today.
#[derive(Clone)]
struct Movable(Arc<AtomicI64>);

impl Movable {
    fn new() -> Self {
        Self(Arc::new(AtomicI64::new(today().as_millisecond())))
    }

    fn clock(&self) -> Clock {
        let milliseconds = Arc::clone(&self.0);
        Clock::new(move || Timestamp::from_millisecond(milliseconds.load(Ordering::Relaxed)).unwrap())
    }

    fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    fn pass_days(&self, days: i64) {
        self.pass(days * DAY);
    }

    /// The options of the other tests, with this clock.
    fn options(&self) -> Options {
        Options { clock: self.clock(), ..options() }
    }
}

/// In seconds.
const DAY: i64 = 86_400;

/// So many days after today, as answers say a date.
fn in_days(days: i64) -> Value {
    key::epoch_seconds(Timestamp::from_millisecond(today().as_millisecond() + days * DAY * 1000).unwrap())
}

/// The answer to a request that succeeds, signed for `region`; null where its body is empty.
fn done_in(kms: &LocalKms, region: &str, operation: &str, body: &Value) -> Value {
    let response = kms.front.service.handle(&request_in(region, operation, body));
    assert_eq!(response.status, 200, "{operation} {body}: {}", String::from_utf8_lossy(&response.body));
    if response.body.is_empty() { Value::Null } else { json(&response) }
}

/// Like [`done_in`], in us-east-1.
fn done(kms: &LocalKms, operation: &str, body: &Value) -> Value {
    done_in(kms, "us-east-1", operation, body)
}

/// The code and the message of a refusal.
fn refused_in(kms: &LocalKms, region: &str, operation: &str, body: &Value) -> (String, String) {
    let response = kms.front.service.handle(&request_in(region, operation, body));
    let said = json(&response);
    assert_ne!(response.status, 200, "{operation} {body}: {said}");
    let text = |member: &str| said[member].as_str().map(str::to_owned);
    (text("__type").unwrap(), text("message").or_else(|| text("Message")).unwrap_or_default())
}

/// Like [`refused_in`], in us-east-1.
fn refused(kms: &LocalKms, operation: &str, body: &Value) -> (String, String) {
    refused_in(kms, "us-east-1", operation, body)
}

fn request_in(region: &str, operation: &str, body: &Value) -> Request {
    let mut signed = request(operation, body.to_string());
    signed.authorization = signed.authorization.map(|header| header.replace("us-east-1", region));
    signed
}

/// A new key, made with these members of `CreateKey`; its id.
fn new_key(kms: &LocalKms, members: &Value) -> String {
    done(kms, "CreateKey", members)["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
}

fn alias_arn(name: &str) -> String {
    format!("arn:aws:kms:us-east-1:111122223333:{name}")
}
