//! How fast is too fast: a bucket that fills up with time, and that each request takes from.
//!
//! It must not ask for the time: whoever takes says what time it is.

use tokio::time::Instant;

/// Holds what a tenth of a second brings, one request's worth at least, and is full at first. With a
/// rate of 0 it is empty for ever.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    per_second: u128,
    room: u128,
    /// In billionths of a request, so that a nanosecond brings a whole number of them.
    credit: u128,
    filled: Option<Instant>,
}

const REQUEST: u128 = 1_000_000_000;

impl Bucket {
    pub(super) fn new(per_second: u32) -> Self {
        let per_second = u128::from(per_second);
        let room = if per_second == 0 { 0 } else { (per_second * REQUEST / 10).max(REQUEST) };
        Self { per_second, room, credit: room, filled: None }
    }

    /// Whether there is a request's worth at that time; it is taken then.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let since = self.filled.map_or(0, |filled| now.saturating_duration_since(filled).as_nanos());
        self.filled = Some(now);
        self.credit = (self.credit + since * self.per_second).min(self.room);
        let enough = self.credit >= REQUEST;
        if enough {
            self.credit -= REQUEST;
        }
        enough
    }
}
