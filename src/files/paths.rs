//! Where files lie: the folders that the system has for configuration, cache and state.
//!
//! On Linux `~/.config/kmx`, `~/.cache/kmx` and `~/.local/state/kmx`, or below the folders that
//! `XDG_CONFIG_HOME`, `XDG_CACHE_HOME` and `XDG_STATE_HOME` name. Makes no folder: the first write
//! does.

use std::path::{Path, PathBuf};

use directories::ProjectDirs;

/// A person's folders for kmx. They may not be there yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    config: PathBuf,
    cache: PathBuf,
    state: PathBuf,
}

impl Paths {
    /// The folders of whoever runs this; `None` where the system knows no home folder.
    #[must_use]
    pub fn of_this_person() -> Option<Self> {
        let folders = ProjectDirs::from("", "", "kmx")?;
        Some(Self {
            config: folders.config_dir().to_owned(),
            cache: folders.cache_dir().to_owned(),
            // Not every system has one for state.
            state: folders.state_dir().unwrap_or_else(|| folders.data_local_dir()).to_owned(),
        })
    }

    /// Folders below one.
    #[must_use]
    pub fn below(folder: &Path) -> Self {
        Self { config: folder.join("config"), cache: folder.join("cache"), state: folder.join("state") }
    }

    /// The configuration's file.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// The folder of remembered catalogs.
    #[must_use]
    pub fn catalogs(&self) -> PathBuf {
        self.cache.join("catalogs")
    }

    /// The folder for what goes on from one run to the next.
    #[must_use]
    pub fn state(&self) -> &Path {
        &self.state
    }
}
