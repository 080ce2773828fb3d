//! The local KMS as a session: its store is opened at the first connection.

use std::path::PathBuf;
use std::sync::OnceLock;

use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::LocalSettings;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::place::Place;
use crate::kms::{Clients, local_clients};
use crate::local::{LocalKms, Options, StoreLocation};

/// A local KMS that is opened when it is first needed, and stays open.
#[derive(Debug)]
pub(super) struct Store {
    settings: LocalSettings,
    opened: OnceLock<SharedHttpClient>,
}

impl Store {
    pub(super) const fn new(settings: LocalSettings) -> Self {
        Self { settings, opened: OnceLock::new() }
    }

    pub(super) fn opened(transport: SharedHttpClient, region: &str) -> Self {
        let settings = LocalSettings { store: None, region: region.to_owned() };
        Self { settings, opened: OnceLock::from(transport) }
    }

    pub(super) fn region(&self) -> &str {
        &self.settings.region
    }

    pub(super) async fn connect(&self) -> Result<Clients, Failure> {
        let place = Place::local(self.region());
        if let Some(transport) = self.opened.get() {
            return Ok(local_clients(transport.clone(), place));
        }
        let path = match &self.settings.store {
            Some(path) => path.clone(),
            None => default_path()?,
        };
        let opening = tokio::task::spawn_blocking(move || {
            // The error's own sentence names the file and the way out.
            LocalKms::open(StoreLocation::File(path), Options::default())
                .map_err(|error| Failure::new(FailureKind::Store, error.to_string()))
        });
        let kms = opening.await.map_err(|error| {
            Failure::new(FailureKind::Store, format!("could not open the local KMS: {error}"))
        })??;
        Ok(local_clients(self.opened.get_or_init(|| kms.http_client()).clone(), place))
    }
}

fn default_path() -> Result<PathBuf, Failure> {
    directories::ProjectDirs::from("", "", "kmx")
        .map(|folders| folders.data_dir().join("local-kms.redb"))
        .ok_or_else(|| {
            Failure::new(FailureKind::Store, "no home folder to keep the local KMS in")
                .hint("set HOME, or name a file with --demo-store")
        })
}
