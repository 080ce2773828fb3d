//! A budget of calls: so many a second, with a burst that fills a screen at once.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Rate;

/// Calls that may go out at once after a rest: the rows of a tall terminal.
const BURST: u32 = 100;

/// Gives out permission to call, at the rate's pace.
#[derive(Debug)]
pub(super) struct Budget {
    /// Between two calls; `None` is no limit.
    interval: Option<Duration>,
    /// When the next call would be due if all had kept the pace.
    due: Mutex<Instant>,
}

impl Budget {
    pub(super) fn new(rate: Rate) -> Self {
        let interval = rate.per_second.map(|rate| Duration::from_secs(1) / rate.max(1));
        Self { interval, due: Mutex::new(Self::earliest(interval, Instant::now())) }
    }

    /// A rest earns a burst and no more.
    fn earliest(interval: Option<Duration>, now: Instant) -> Instant {
        let burst = interval.unwrap_or_default() * BURST;
        now.checked_sub(burst).unwrap_or(now)
    }

    /// Waits until a call may go out, and takes it. Safe to drop: then nothing was taken.
    pub(super) async fn take(&self) {
        let Some(interval) = self.interval else { return };
        let mut due = self.due.lock().await;
        tokio::time::sleep_until(*due).await;
        *due = (*due).max(Self::earliest(self.interval, Instant::now())) + interval;
    }
}
