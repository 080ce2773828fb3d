//! The SDK's clients of one place, with their time-outs and retries.

use std::time::Duration;

use aws_sdk_kms::config::retry::{RetryConfig, RetryPartition};
use aws_sdk_kms::config::timeout::TimeoutConfig;
use aws_sdk_kms::config::{BehaviorVersion, Builder, Credentials, Region, SharedHttpClient};
use aws_sdk_kms::{Client, Config};
use aws_types::SdkConfig;

use super::calls::{CallLog, Recorder};
use crate::domain::place::Place;

/// How long a call may take. The SDK sets a connect time-out alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeOuts {
    /// To connect. `None` is no limit, as the AWS CLI's 0.
    pub connect: Option<Duration>,
    /// For one attempt to be answered. `None` is no limit.
    pub attempt: Option<Duration>,
}

impl Default for TimeOuts {
    fn default() -> Self {
        Self { connect: Some(Duration::from_secs(5)), attempt: Some(Duration::from_secs(10)) }
    }
}

impl TimeOuts {
    /// Attempts and the pauses between them, together.
    const OPERATION_FACTOR: u32 = 3;

    fn config(self) -> TimeoutConfig {
        let mut builder = TimeoutConfig::builder();
        builder.set_connect_timeout(self.connect);
        builder.set_operation_attempt_timeout(self.attempt);
        builder.set_operation_timeout(self.attempt.map(|attempt| attempt * Self::OPERATION_FACTOR));
        if self.connect.is_none() {
            builder = builder.disable_connect_timeout();
        }
        builder.build()
    }
}

/// The clients of one place.
#[derive(Clone, Debug)]
pub struct Clients {
    /// For what a person waits for: the SDK's standard retries, in the place's own retry partition.
    pub(super) interactive: Client,
    /// For the catalog: one attempt a call, the loader has a schedule of its own; and a retry
    /// partition of its own, so that a throttled listing cannot use up a person's retries.
    pub(super) background: Client,
    /// Where they point, for the words of a failure.
    pub(super) place: Place,
}

impl Clients {
    /// Clients from a loaded configuration. Without a provider of credentials, requests go unsigned.
    #[must_use]
    pub fn new(config: &SdkConfig, time_outs: TimeOuts, place: Place) -> Self {
        let mut base = Builder::from(config).timeout_config(time_outs.config());
        base.set_endpoint_url(place.endpoint_url.clone());
        if config.credentials_provider().is_none() {
            // Nobody to sign as. KMS's model knows no such request, so the SDK sends it only when told.
            base.set_allow_no_auth();
        }
        Self::from_builder(base, place)
    }

    fn from_builder(base: Builder, place: Place) -> Self {
        let partition = |use_of: &str| RetryPartition::new(format!("kmx-{use_of} {}", name_of(&place)));
        let background =
            base.clone().retry_config(RetryConfig::disabled()).retry_partition(partition("catalog"));
        let interactive = base
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            .retry_partition(partition("interactive"));
        Self {
            interactive: Client::from_conf(interactive.build()),
            background: Client::from_conf(background.build()),
            place,
        }
    }

    /// The same clients, which write their calls down in a log.
    #[must_use]
    pub fn recording(self, log: &CallLog) -> Self {
        let recording = |config: &Config| {
            Client::from_conf(config.to_builder().interceptor(Recorder::new(log, &self.place)).build())
        };
        let interactive = recording(Client::config(&self.interactive));
        let background = recording(Client::config(&self.background));
        Self { interactive, background, place: self.place }
    }

    /// Where the clients point.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }
}

/// What tells a place from others, in a line: what one throttles is no reason to spare another.
fn name_of(place: &Place) -> String {
    let word = |text: &Option<String>| text.clone().unwrap_or_default();
    let Place { kind, profile, region, endpoint_url, .. } = place;
    format!("{kind:?} {} {} {}", word(profile), word(region), word(endpoint_url))
}

/// Clients over a transport that leads to a local KMS: signed as on AWS, with credentials that
/// mean nothing.
#[must_use]
pub fn local_clients(transport: SharedHttpClient, place: Place) -> Clients {
    let region = place.region.clone().unwrap_or_default();
    let base = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(Credentials::new("AKIDLOCALKMS", "local", None, None, "local-kms"))
        .timeout_config(TimeOuts::default().config())
        .http_client(transport);
    Clients::from_builder(base, place)
}
