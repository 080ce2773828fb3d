//! Where the local KMS gets the time from: a value passed in, so that a test decides what day it is.
//!
//! Nothing else in this module may ask the system for the time.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

/// A source of the present time. Clones share the source.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// A clock that asks `now` each time.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::new(Timestamp::now)
    }

    /// A clock that always says `instant`.
    #[must_use]
    pub fn fixed(instant: Timestamp) -> Self {
        Self::new(move || instant)
    }

    /// The present time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
