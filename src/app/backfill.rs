//! How far describing has come, and how long the rest will take.
//!
//! It counts; the words are the drawing's.

use std::time::Duration;

use crate::domain::catalog::Source;

use super::{Connected, Connection, Phase, State};

/// Describing all keys of all regions, while it is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backfill {
    /// Keys that DescribeKey has answered for since everything was last read anew.
    pub done: usize,
    /// Keys that are listed so far.
    pub of: usize,
    /// Whether all keys are listed: until then `of` grows.
    pub all_listed: bool,
    /// What is left at the pace of late, else at the rate of the settings. `None` where neither is
    /// known, where keys are still being listed, and during a pause.
    pub left: Option<Duration>,
}

impl Connected {
    const fn is_reading(&self) -> bool {
        !self.loading.finished && !matches!(self.connection, Connection::Failed(_))
    }
}

impl State {
    /// How describing goes; `None` where all that is listed is described.
    #[must_use]
    pub fn backfill(&self) -> Option<Backfill> {
        let (done, of) = (self.catalog.fresh_count(), self.catalog.key_count());
        if done >= of {
            return None;
        }
        let all_listed = self.connected.iter().all(|it| matches!(it.loading.keys, Phase::Complete));
        let under_way = all_listed && !self.paused && self.is_reading();
        // Regions are described side by side: the slowest is the last.
        let left = || self.sources().map(|source| self.left_at(source)).try_fold(Duration::ZERO, longer);
        Some(Backfill { done, of, all_listed, left: under_way.then(left).flatten() })
    }

    /// Whether a catalog is being read, or will be as soon as its connection stands.
    #[must_use]
    pub fn is_reading(&self) -> bool {
        self.connected.iter().any(Connected::is_reading)
    }

    /// What is left of a region; `None` where no pace is known.
    fn left_at(&self, source: Source) -> Option<Duration> {
        let it = self.at(source);
        let (keys, fresh) = self.catalog.progress(source);
        let left = u32::try_from(keys.saturating_sub(fresh)).unwrap_or(u32::MAX);
        if left == 0 || !it.is_reading() {
            return Some(Duration::ZERO);
        }
        let pace = it.loading.pace.or(self.describe_rate).unwrap_or_default();
        (pace > 0).then(|| Duration::from_secs(1) * left / pace)
    }
}

fn longer(longest: Duration, other: Option<Duration>) -> Option<Duration> {
    other.map(|other| longest.max(other))
}
