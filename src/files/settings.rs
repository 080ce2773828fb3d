//! What holds for a run: what the command line says, else the configuration, else the default.
//!
//! Pure: it reads neither.

use super::config::Config;
use crate::domain::marks::{Marks, MarksByProfile};

/// Calls of DescribeKey a second, where nobody says otherwise: a tenth of the quota that the account
/// shares (KMS Developer Guide: request quotas).
pub const DEFAULT_DESCRIBE_RATE: u32 = 200;

/// What the command line says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Given {
    pub describe_rate: Option<u32>,
    pub no_cache: bool,
    pub read_only: bool,
}

/// What holds for a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Calls of DescribeKey a second; 0 is as fast as the service lets.
    pub describe_rate: u32,
    /// Whether catalogs are remembered, and shown before they are loaded anew.
    pub cache: bool,
    /// Whether this run, on whatever profile, does no more than list, describe and make dry runs.
    pub read_only: bool,
    /// The marks of profiles, with what holds for this run on all of them.
    pub marks: MarksByProfile,
}

impl Settings {
    /// Flag before configuration before default.
    #[must_use]
    pub fn new(given: Given, config: Config) -> Self {
        Self {
            describe_rate: given.describe_rate.or(config.describe_rate).unwrap_or(DEFAULT_DESCRIBE_RATE),
            cache: !given.no_cache && config.cache.unwrap_or(true),
            read_only: given.read_only,
            marks: MarksByProfile { all_read_only: given.read_only, by_profile: config.profiles },
        }
    }

    /// The marks of the profile in use, read-only where the run is. `None` is where no profile is in
    /// use: the local KMS, or credentials of the environment without one.
    #[must_use]
    pub fn marks_of(&self, profile: Option<&str>) -> Marks {
        self.marks.of(profile)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new(Given::default(), Config::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_goes_before_the_configuration_and_that_before_the_default() {
        let settings = Settings::default();
        assert_eq!((settings.describe_rate, settings.cache, settings.read_only), (200, true, false));
        let config = Config { describe_rate: Some(0), cache: Some(false), ..Config::default() };
        let settings = Settings::new(Given::default(), config.clone());
        assert_eq!((settings.describe_rate, settings.cache), (0, false));
        let given = Given { describe_rate: Some(5), no_cache: true, read_only: true };
        let settings = Settings::new(given, Config { cache: Some(true), ..config });
        assert_eq!((settings.describe_rate, settings.cache, settings.read_only), (5, false, true));
    }

    #[test]
    fn a_profile_has_its_marks_and_a_read_only_run_makes_every_place_read_only() {
        let config = Config::parse("[profiles.prod]\nread_only = true\nword = \"production\"").unwrap();
        let settings = Settings::new(Given::default(), config.clone());
        assert!(settings.marks_of(Some("prod")).read_only);
        for profile in [Some("dev"), None] {
            assert_eq!(settings.marks_of(profile), Marks::default());
        }
        let settings = Settings::new(Given { read_only: true, ..Given::default() }, config);
        assert_eq!(settings.marks_of(Some("prod")).word.as_deref(), Some("production"));
        for profile in [Some("prod"), Some("dev"), None] {
            assert!(settings.marks_of(profile).read_only);
        }
    }
}
