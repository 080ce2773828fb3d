//! Where requests go: AWS, by way of the standard chain of configuration and credentials, or the
//! local KMS in this process.
//!
//! A session is made from settings without touching anything. [`Session::connect`] does the work,
//! as often as it is asked to: a person who signs in again or mends a file tries again without a
//! restart. It knows nothing of screens.

mod aws;
mod local;

use std::path::PathBuf;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::domain::failure::{Failure, FailureKind};
use crate::domain::place::{Destination, Place};
use crate::domain::profile::ProfileSummary;
use crate::domain::region::is_region_name;
use crate::kms::{CallLog, Clients, TimeOuts};

pub use self::local::default_store;

/// What the command line says about AWS. Environment and configuration are read when connecting.
#[derive(Clone, Debug, Default)]
pub struct AwsSettings {
    /// Goes before credentials in the environment, as in the AWS CLI.
    pub profile: Option<String>,
    /// The first is that of a destination without one.
    pub regions: Vec<String>,
    pub endpoint_url: Option<String>,
    /// A PEM file in place of the system's certificate authorities.
    pub ca_bundle: Option<PathBuf>,
    pub time_outs: TimeOuts,
    /// Send requests unsigned.
    pub unsigned: bool,
    /// Allow plain HTTP to another machine.
    pub allow_insecure_endpoint: bool,
}

impl AwsSettings {
    /// The settings as a destination has them.
    fn towards(&self, to: &Destination) -> Self {
        let mut settings = self.clone();
        if to.profile.is_some() {
            settings.profile.clone_from(&to.profile);
        }
        if let Some(region) = &to.region {
            settings.regions = vec![region.clone()];
        }
        settings
    }
}

/// Which local KMS.
#[derive(Clone, Debug)]
pub struct LocalSettings {
    /// The store's file; `None` is the default place for a person's data.
    pub store: Option<PathBuf>,
    /// The first is that of a destination without one; where there is none, it is us-east-1, whatever
    /// the environment says.
    pub regions: Vec<String>,
}

/// Where requests go.
#[derive(Clone, Debug)]
pub enum Target {
    Aws(AwsSettings),
    Local(LocalSettings),
}

/// A way to clients, again and again.
#[derive(Clone, Debug)]
pub struct Session {
    inner: Arc<Inner>,
    calls: CallLog,
}

#[derive(Debug)]
enum Inner {
    Aws(AwsSettings),
    Local(local::Store),
}

impl Session {
    /// A session that has not touched anything.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self::of(match target {
            Target::Aws(settings) => Inner::Aws(settings),
            Target::Local(settings) => Inner::Local(local::Store::new(settings)),
        })
    }

    /// A session over a transport that leads to a local KMS which is open already.
    #[must_use]
    pub fn over(transport: SharedHttpClient, region: &str) -> Self {
        Self::over_regions(transport, &[region])
    }

    /// The same with several regions.
    #[must_use]
    pub fn over_regions(transport: SharedHttpClient, regions: &[&str]) -> Self {
        let regions = regions.iter().map(|region| (*region).to_owned()).collect();
        Self::of(Inner::Local(local::Store::opened(transport, regions)))
    }

    fn of(inner: Inner) -> Self {
        Self { inner: Arc::new(inner), calls: CallLog::default() }
    }

    /// The same with another log of calls, for the clients that are made from here on.
    #[must_use]
    pub fn with_calls(self, calls: CallLog) -> Self {
        Self { calls, ..self }
    }

    /// The log that the clients of this session and of its clones write their calls down in.
    #[must_use]
    pub const fn calls(&self) -> &CallLog {
        &self.calls
    }

    /// Where the settings lead: a destination for each region that they name, the default one where
    /// they name none. Never empty.
    #[must_use]
    pub fn destinations(&self) -> Vec<Destination> {
        let regions = match &*self.inner {
            Inner::Aws(settings) => &settings.regions,
            Inner::Local(store) => store.regions(),
        };
        if regions.is_empty() {
            return vec![Destination::default()];
        }
        regions.iter().map(Destination::in_region).collect()
    }

    /// The place of a destination, as far as it is known before anything is read.
    #[must_use]
    pub fn place(&self, to: &Destination) -> Place {
        match &*self.inner {
            Inner::Aws(settings) => {
                let AwsSettings { profile, regions, endpoint_url, .. } = settings.towards(to);
                Place::aws(profile, regions.into_iter().next(), endpoint_url)
            }
            Inner::Local(store) => Place::local(store.region(to)),
        }
    }

    /// Reads configuration, or opens the store, and makes clients. No call to KMS is made.
    ///
    /// A profile that the destination names goes before credentials in the environment, as one that
    /// the settings name does, and its own region before one that the environment names. To the local
    /// KMS a profile says nothing.
    ///
    /// # Errors
    /// What is missing or wrong, with the way out.
    pub async fn connect(&self, to: &Destination) -> Result<Clients, Failure> {
        let clients = match &*self.inner {
            Inner::Aws(settings) => aws::connect(settings, to).await?,
            Inner::Local(store) => store.connect(to).await?,
        };
        Ok(clients.recording(&self.calls))
    }

    /// The profiles of the AWS configuration, in the order of their names; none for the local KMS.
    ///
    /// # Errors
    /// The configuration cannot be read.
    pub async fn profiles(&self) -> Result<Vec<ProfileSummary>, Failure> {
        match &*self.inner {
            Inner::Aws(settings) => aws::profiles(settings).await,
            Inner::Local(_) => Ok(Vec::new()),
        }
    }
}

/// A region becomes a part of a host name and of a signature: any other text is refused.
fn check_region(region: &str) -> Result<(), Failure> {
    if is_region_name(region) {
        return Ok(());
    }
    Err(Failure::new(FailureKind::NoRegion, format!("`{region}` is no region"))
        .hint("a region looks like us-east-1"))
}
