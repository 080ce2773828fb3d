//! The local KMS as a session: its store is opened at the first connection.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::{LocalSettings, check_region};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::place::{Destination, Place};
use crate::kms::{Clients, local_clients};
use crate::local::{LocalKms, Options, StoreLocation};

/// Where the demo's keys live unless a region is named, whatever the environment says.
const DEFAULT_REGION: &str = "us-east-1";

/// A local KMS that is opened when it is first needed, and stays open.
#[derive(Debug)]
pub(super) struct Store {
    settings: LocalSettings,
    /// Locked while the store is being opened: a second opening, from this process too, would find
    /// the file in use.
    opened: Arc<Mutex<Option<SharedHttpClient>>>,
}

impl Store {
    pub(super) fn new(settings: LocalSettings) -> Self {
        Self { settings, opened: Arc::default() }
    }

    pub(super) fn opened(transport: SharedHttpClient, regions: Vec<String>) -> Self {
        let settings = LocalSettings { store: None, regions };
        Self { settings, opened: Arc::new(Mutex::new(Some(transport))) }
    }

    pub(super) fn regions(&self) -> &[String] {
        &self.settings.regions
    }

    pub(super) fn region<'a>(&'a self, to: &'a Destination) -> &'a str {
        to.region.as_ref().or_else(|| self.settings.regions.first()).map_or(DEFAULT_REGION, String::as_str)
    }

    pub(super) async fn connect(&self, to: &Destination) -> Result<Clients, Failure> {
        let place = Place::local(self.region(to));
        check_region(self.region(to))?;
        let (opened, path) = (Arc::clone(&self.opened), self.settings.store.clone());
        // Blocking work goes on to its end even where nobody waits for it any more.
        let transport =
            tokio::task::spawn_blocking(move || open(&opened, path)).await.map_err(|error| {
                Failure::new(FailureKind::Store, format!("could not open the local KMS: {error}"))
            })??;
        Ok(local_clients(transport, place))
    }
}

/// The transport to the store, opened at the first time. Blocking.
fn open(
    opened: &Mutex<Option<SharedHttpClient>>,
    path: Option<PathBuf>,
) -> Result<SharedHttpClient, Failure> {
    let mut opened = opened.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(transport) = &*opened {
        return Ok(transport.clone());
    }
    let path = path.map_or_else(default_store, Ok)?;
    // The error's own sentence names the file and the way out.
    let kms = LocalKms::open(StoreLocation::File(path), Options::default())
        .map_err(|error| Failure::new(FailureKind::Store, error.to_string()))?;
    Ok(opened.insert(kms.http_client()).clone())
}

/// The store's file where none is named: a place for a person's data.
///
/// # Errors
/// There is no home folder.
pub fn default_store() -> Result<PathBuf, Failure> {
    directories::ProjectDirs::from("", "", "kmx")
        .map(|folders| folders.data_dir().join("local-kms.redb"))
        .ok_or_else(|| {
            Failure::new(FailureKind::Store, "no home folder to keep the local KMS in")
                .hint("set HOME, or name a file with --demo-store")
        })
}
