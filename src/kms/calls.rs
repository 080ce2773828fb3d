//! A record of the calls that clients make, an attempt each, for whoever wants to read it.
//!
//! What the SDK tells an interceptor is looked at and let go: of a request the key that it names, of an
//! answer the error code and the request id. A body, an encryption context, a grant token or a
//! plaintext is never kept. Calls for credentials are not KMS's, and not recorded.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_kms::config::interceptors::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_sdk_kms::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_kms::operation::RequestId as _;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, Metadata};
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::OPERATIONS;
use crate::domain::call::{CallRecord, KEPT, NoAnswer, Outcome};
use crate::domain::place::Place;

/// Bytes of a key identifier that are kept (KMS API: `KeyId` has 2,048 characters at most).
const LONGEST_TARGET: usize = 2048;
/// Bytes of an error code or a request id that are kept. A server may send anything.
const LONGEST_WORD: usize = 128;

/// Where clients write their calls down. Clones are the same log; without a reader it holds the last
/// [`KEPT`] records.
#[derive(Clone, Debug, Default)]
pub struct CallLog(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    clock: Clock,
    waiting: Mutex<VecDeque<CallRecord>>,
    news: Notify,
}

/// Where the time of a record comes from.
#[derive(Debug, Default)]
enum Clock {
    #[default]
    System,
    /// A time that goes on with the runtime's, which a test may stop.
    Since(Timestamp, Instant),
}

impl CallLog {
    /// A log that takes this moment for the given time, and goes on with the runtime's clock.
    #[must_use]
    pub fn starting_at(now: Timestamp) -> Self {
        let clock = Clock::Since(now, Instant::now());
        Self(Arc::new(Shared { clock, ..Shared::default() }))
    }

    /// The records that nobody has taken yet, oldest first.
    #[must_use]
    pub fn take(&self) -> Vec<CallRecord> {
        std::mem::take(&mut *self.waiting()).into()
    }

    /// Waits until there is a record to take. For one reader; dropped in the middle, it loses nothing.
    pub async fn news(&self) {
        while self.waiting().is_empty() {
            self.0.news.notified().await;
        }
    }

    fn write(&self, record: CallRecord) {
        let mut waiting = self.waiting();
        if waiting.len() >= KEPT {
            waiting.pop_front();
        }
        waiting.push_back(record);
        drop(waiting);
        self.0.news.notify_one();
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<CallRecord>> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        match self.0.clock {
            Clock::System => Timestamp::now(),
            Clock::Since(start, instant) => start.checked_add(instant.elapsed()).unwrap_or(start),
        }
    }
}

/// Writes the attempts of a client's calls down.
#[derive(Debug)]
pub(super) struct Recorder {
    log: CallLog,
    region: Arc<str>,
}

impl Recorder {
    pub(super) fn new(log: &CallLog, place: &Place) -> Self {
        Self { log: log.clone(), region: place.region.as_deref().unwrap_or_default().into() }
    }
}

/// The key that a call names, for all its attempts.
#[derive(Debug)]
struct Target(Option<Box<str>>);

impl Storable for Target {
    type Storer = StoreReplace<Self>;
}

/// An attempt under way. Where the call is dropped, it goes with it, and says so.
#[derive(Debug)]
struct Attempt {
    log: CallLog,
    started: Instant,
    /// All but how it ends; `None` once that is written down.
    record: Option<CallRecord>,
}

impl Storable for Attempt {
    type Storer = StoreReplace<Self>;
}

impl Attempt {
    fn end(&mut self, outcome: Outcome, request_id: Option<Box<str>>) {
        if let Some(record) = self.record.take() {
            self.log.write(CallRecord { outcome, took: self.started.elapsed(), request_id, ..record });
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.end(Outcome::NoAnswer(NoAnswer::Cancelled), None);
    }
}

impl Intercept for Recorder {
    fn name(&self) -> &'static str {
        "kmx-calls"
    }

    fn read_after_serialization(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let target = context.request().body().bytes().and_then(target_in);
        bag.interceptor_state().store_put(Target(target));
        Ok(())
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let name = bag.load::<Metadata>().map_or("", Metadata::name);
        let record = CallRecord {
            at: self.log.now(),
            operation: OPERATIONS.into_iter().find(|operation| *operation == name).unwrap_or("?"),
            target: bag.load::<Target>().and_then(|Target(target)| target.clone()),
            region: Arc::clone(&self.region),
            // Until it is known better.
            outcome: Outcome::NoAnswer(NoAnswer::Cancelled),
            took: std::time::Duration::ZERO,
            attempt: bag.load::<RequestAttempts>().map_or(1, RequestAttempts::attempts),
            request_id: None,
        };
        let attempt = Attempt { log: self.log.clone(), started: Instant::now(), record: Some(record) };
        bag.interceptor_state().store_put(attempt);
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(attempt) = bag.get_mut_from_interceptor_state::<Attempt>() {
            let request_id = context.response().and_then(HttpResponse::request_id);
            attempt.end(outcome(context), request_id.map(|id| clipped(id, LONGEST_WORD)));
        }
        Ok(())
    }
}

fn outcome(context: &FinalizerInterceptorContextRef<'_>) -> Outcome {
    let error = match context.output_or_error() {
        Some(Ok(_)) => return Outcome::Ok,
        Some(Err(error)) => error,
        None => return Outcome::NoAnswer(NoAnswer::NotSent),
    };
    if error.is_operation_error()
        && let Some(response) = context.response()
    {
        return match (code_in(response), response.status().as_u16()) {
            (Some(code), _) => Outcome::Error(code),
            // The SDK reads a body that it cannot parse as an error without a code, whatever the status.
            (None, 200..300) => Outcome::NoAnswer(NoAnswer::Unreadable),
            (None, status) => Outcome::Error(format!("HTTP {status}").into()),
        };
    }
    Outcome::NoAnswer(match error.as_connector_error() {
        Some(connector) if connector.is_timeout() => NoAnswer::TimedOut,
        Some(_) => NoAnswer::Connection,
        None if error.is_timeout_error() => NoAnswer::TimedOut,
        None if error.is_response_error() || error.is_operation_error() => NoAnswer::Unreadable,
        None => NoAnswer::NotSent,
    })
}

/// The key that a request names, whatever its operation.
fn target_in(body: &[u8]) -> Option<Box<str>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Named {
        key_id: Option<String>,
        /// Where ReEncrypt leads to.
        destination_key_id: Option<String>,
    }
    let named: Named = serde_json::from_slice(body).ok()?;
    named.key_id.or(named.destination_key_id).map(|target| clipped(&target, LONGEST_TARGET))
}

/// The error code of an answer: a header's, else the body's, without its namespace and what follows a
/// colon (AWS JSON 1.1 protocol: operation error serialization).
fn code_in(response: &HttpResponse) -> Option<Box<str>> {
    #[derive(Deserialize)]
    struct Error {
        code: Option<String>,
        #[serde(rename = "__type")]
        kind: Option<String>,
    }
    let of_the_body = || {
        let error: Error = serde_json::from_slice(response.body().bytes()?).ok()?;
        error.code.or(error.kind)
    };
    let code = response.headers().get("x-amzn-errortype").map(str::to_owned).or_else(of_the_body)?;
    let code = code.split(':').next().unwrap_or_default();
    let code = code.split_once('#').map_or(code, |(_, code)| code);
    (!code.is_empty()).then(|| clipped(code, LONGEST_WORD))
}

fn clipped(text: &str, longest: usize) -> Box<str> {
    text[..text.floor_char_boundary(longest)].into()
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    fn record(attempt: u32) -> CallRecord {
        CallRecord {
            at: Timestamp::UNIX_EPOCH,
            operation: "ListKeys",
            target: None,
            region: "us-east-1".into(),
            outcome: Outcome::Ok,
            took: std::time::Duration::ZERO,
            attempt,
            request_id: None,
        }
    }

    #[tokio::test]
    async fn the_log_holds_a_thousand_until_they_are_taken() {
        let log = CallLog::default();
        (1..=1500).for_each(|attempt| log.write(record(attempt)));
        log.news().await;
        let taken: Vec<u32> = log.take().iter().map(|record| record.attempt).collect();
        assert_eq!(taken, (501..=1500).collect::<Vec<u32>>());
        assert!(log.take().is_empty());
    }

    #[tokio::test]
    async fn news_are_waited_for_until_there_are_some() {
        let log = CallLog::default();
        log.write(record(1));
        let _ = log.take();
        // A word of what was taken since is no news.
        let (other, waiting) = (log.clone(), tokio::spawn(async move { log.news().await }));
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        other.write(record(2));
        waiting.await.unwrap();
        assert_eq!(other.take().len(), 1);
    }

    #[test]
    fn of_a_request_the_key_alone_is_read() {
        let long = format!(r#"{{"KeyId":"{}"}}"#, "é".repeat(2000));
        for (body, target) in [
            (r#"{"KeyId":"alias/a","EncryptionContext":{"KeyId":"b"}}"#, Some("alias/a")),
            (r#"{"CiphertextBlob":"AA==","DestinationKeyId":"d","SourceKeyId":"s"}"#, Some("d")),
            (r#"{"Limit":1000,"EncryptionContext":{"KeyId":"b"}}"#, None),
            (r#"{"KeyId":7}"#, None),
            ("", None),
            (&long, Some("é".repeat(1024).as_str())),
        ] {
            assert_eq!(target_in(body.as_bytes()).as_deref(), target);
        }
    }

    #[test]
    fn the_code_is_that_of_the_header_or_of_the_body() {
        let long = format!(r#"{{"__type":"{}"}}"#, "x".repeat(5000));
        for (header, body, code) in [
            (None, r#"{"__type":"NotFoundException","message":"m"}"#, Some("NotFoundException")),
            (None, r#"{"__type":"com.amazonaws.kms#DisabledException"}"#, Some("DisabledException")),
            (Some("Throttled:http://internal/"), r#"{"__type":"Other"}"#, Some("Throttled")),
            (None, r#"{"code":"A","__type":"B"}"#, Some("A")),
            (None, "<html>", None),
            (None, r#"{"__type":""}"#, None),
            (None, &long, Some("x".repeat(128).as_str())),
        ] {
            let mut response = HttpResponse::new(StatusCode::try_from(400).unwrap(), SdkBody::from(body));
            if let Some(header) = header {
                response.headers_mut().insert("x-amzn-errortype", header);
            }
            assert_eq!(code_in(&response).as_deref(), code, "{body:.80}");
        }
    }
}
