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

use crate::domain::failure::Failure;
use crate::domain::place::Place;
use crate::kms::{Clients, TimeOuts};

pub use self::local::default_store;

/// What the command line says about AWS. Environment and configuration are read when connecting.
#[derive(Clone, Debug, Default)]
pub struct AwsSettings {
    /// Goes before credentials in the environment, as in the AWS CLI.
    pub profile: Option<String>,
    pub region: Option<String>,
    pub endpoint_url: Option<String>,
    /// A PEM file in place of the system's certificate authorities.
    pub ca_bundle: Option<PathBuf>,
    pub time_outs: TimeOuts,
    /// Send requests unsigned.
    pub unsigned: bool,
    /// Allow plain HTTP to another machine.
    pub allow_insecure_endpoint: bool,
}

/// Which local KMS.
#[derive(Clone, Debug)]
pub struct LocalSettings {
    /// The store's file; `None` is the default place for a person's data.
    pub store: Option<PathBuf>,
    pub region: String,
}

/// Where requests go.
#[derive(Clone, Debug)]
pub enum Target {
    Aws(AwsSettings),
    Local(LocalSettings),
}

/// A way to clients, again and again.
#[derive(Clone, Debug)]
pub struct Session(Arc<Inner>);

#[derive(Debug)]
enum Inner {
    Aws(AwsSettings),
    Local(local::Store),
}

impl Session {
    /// A session that has not touched anything.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self(Arc::new(match target {
            Target::Aws(settings) => Inner::Aws(settings),
            Target::Local(settings) => Inner::Local(local::Store::new(settings)),
        }))
    }

    /// A session over a transport that leads to a local KMS which is open already.
    #[must_use]
    pub fn over(transport: SharedHttpClient, region: &str) -> Self {
        Self(Arc::new(Inner::Local(local::Store::opened(transport, region))))
    }

    /// The place, as far as it is known before anything is read.
    #[must_use]
    pub fn place(&self) -> Place {
        match &*self.0 {
            Inner::Aws(settings) => {
                Place::aws(settings.profile.clone(), settings.region.clone(), settings.endpoint_url.clone())
            }
            Inner::Local(store) => Place::local(store.region()),
        }
    }

    /// Reads configuration, or opens the store, and makes clients. No call to KMS is made.
    ///
    /// # Errors
    /// What is missing or wrong, with the way out.
    pub async fn connect(&self) -> Result<Clients, Failure> {
        match &*self.0 {
            Inner::Aws(settings) => aws::connect(settings).await,
            Inner::Local(store) => store.connect().await,
        }
    }
}
