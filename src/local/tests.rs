//! The local KMS through the SDK, as its users meet it, and over its wire where the SDK cannot say
//! what is to be said.

mod behaviour;
mod catalog;
mod crypto;
mod generated;
mod keyring;
mod server;
mod states;
mod store;
mod wire;

use std::collections::HashMap;

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
