//! A budget of calls: so many a second, with a burst that fills a screen at once; and the pace that
//! the service lets, found by what it throttles.
//!
//! The pace grows a little with each answer and is halved when too many calls are throttled. The
//! last few of a hundred are no reason to slow down: a service that throttles as many is used to the
//! full, and one that throttles at random would else be called ever more slowly. It must not ask for
//! the time: whoever calls says what time it is.

use std::time::Duration;

use tokio::time::Instant;

use super::super::loader::Rate;

/// Calls that may go out at once after a rest: the rows of a tall terminal.
const BURST: f64 = 100.0;
/// Below so many calls a second nothing goes out in bursts: quotas as small hold no reserve.
const TOO_SLOW_FOR_BURSTS: f64 = 20.0;
/// Where a pace without a limit of ours begins, in calls a second.
const FIRST_PACE: f64 = 200.0;
/// The fastest and the slowest pace that is ever tried. The default quota of DescribeKey is 2,000 a
/// second (KMS Developer Guide: request quotas).
const FASTEST: f64 = 20_000.0;
const SLOWEST: f64 = 2.0;
/// What each answer adds to the pace while the service's limit seems far: it doubles in a sixth of a
/// second.
const QUICK_GROWTH: f64 = 4.0;
/// What each answer adds near the limit: a twentieth a second, doubled with each second in which
/// little is throttled, since somebody who shared the quota may have gone.
const CAREFUL_GROWTH: f64 = 0.05;
const DOUBLINGS: f64 = 4.0;
/// After a halving the pace grows quickly to this share of what the service has let through.
const NEAR: f64 = 0.95;
/// Up to this pace growth is always quick.
const SURELY_FAR: f64 = 10.0;
/// The share of throttled calls from which on the pace no longer grows, and from which on it is halved.
const FEW: f64 = 1.0 / 32.0;
const MANY: f64 = 1.0 / 6.0;
/// How much one call counts in the share of those that are throttled.
const WEIGHT: f64 = 1.0 / 32.0;

/// Gives out permission to call, and adapts its pace to what comes of the calls.
#[derive(Debug)]
pub(super) struct Budget {
    /// The pace that is never exceeded, in calls a second.
    most: f64,
    /// The pace now.
    pace: f64,
    /// Below this the pace grows quickly.
    far: f64,
    /// The share of throttled calls among the last ones that went out since the pace was halved.
    throttled: f64,
    halved: Option<Instant>,
    /// When the share was last more than a few.
    uneasy: Instant,
    answers: Answers,
    /// When the next call would be due if all had kept the pace.
    due: Instant,
}

impl Budget {
    pub(super) fn new(rate: Rate, now: Instant) -> Self {
        let most = rate.per_second.map_or(FASTEST, f64::from);
        let pace = rate.per_second.map_or(FIRST_PACE, f64::from);
        let mut budget = Self {
            most,
            pace,
            far: FASTEST,
            throttled: 0.0,
            halved: None,
            uneasy: now,
            answers: Answers::new(now),
            due: now,
        };
        budget.due = budget.earliest(now);
        budget
    }

    /// A rest earns a burst and no more: half a second's calls, a screenful at most.
    fn earliest(&self, now: Instant) -> Instant {
        let burst = if self.pace < TOO_SLOW_FOR_BURSTS { 0.0 } else { (self.pace / 2.0).min(BURST) };
        now.checked_sub(Duration::from_secs_f64(burst / self.pace)).unwrap_or(now)
    }

    /// When the next call may go out.
    pub(super) const fn due(&self) -> Instant {
        self.due
    }

    /// Takes permission for a call that goes out now.
    pub(super) fn take(&mut self, now: Instant) {
        self.due = self.due.max(self.earliest(now));
        self.charge(1);
    }

    /// Takes permission for calls that have gone out together with one that was permitted.
    pub(super) fn charge(&mut self, calls: u32) {
        self.due += Duration::from_secs_f64(f64::from(calls) / self.pace);
    }

    /// A call was answered. `limits` says whether the pace, and nothing else, held other calls up.
    pub(super) fn answered(&mut self, sent: Instant, now: Instant, limits: bool) {
        self.answers.add(now);
        if self.counts(sent) {
            self.throttled -= self.throttled * WEIGHT;
        }
        if self.throttled >= FEW {
            self.uneasy = now;
        } else if limits {
            let growth = if self.pace < self.far {
                QUICK_GROWTH
            } else {
                let calm = now.saturating_duration_since(self.uneasy).as_secs_f64();
                CAREFUL_GROWTH * calm.min(DOUBLINGS).exp2()
            };
            self.pace = (self.pace + growth).min(self.most);
        }
    }

    /// A call was throttled. Those that were under way when the pace was halved say nothing new.
    pub(super) fn throttled(&mut self, sent: Instant, now: Instant) {
        if !self.counts(sent) {
            return;
        }
        self.throttled += (1.0 - self.throttled) * WEIGHT;
        if self.throttled >= FEW {
            self.uneasy = now;
        }
        if self.throttled >= MANY {
            self.pace = (self.pace / 2.0).max(SLOWEST.min(self.most));
            let let_through = self.answers.a_second(now).unwrap_or(self.pace);
            self.far = (let_through * NEAR).max(SURELY_FAR);
            self.throttled = 0.0;
            self.halved = Some(now);
            self.due = self.due.max(now);
        }
    }

    fn counts(&self, sent: Instant) -> bool {
        self.halved.is_none_or(|halved| sent > halved)
    }

    /// Calls a second that are answered of late, where enough were.
    pub(super) fn answers_a_second(&self, now: Instant) -> Option<f64> {
        self.answers.a_second(now)
    }
}

/// How many calls are answered a second: over two stretches of time, the last whole one and the one
/// that has begun.
#[derive(Debug)]
struct Answers {
    began: Instant,
    count: f64,
    last: Instant,
    /// The stretch before: how long it was, and its answers.
    before: Option<(Duration, f64)>,
}

impl Answers {
    /// A stretch is at least so long, and has at least so many answers.
    const STRETCH: Duration = Duration::from_millis(100);
    const ENOUGH: f64 = 32.0;
    /// After so long without an answer nothing was to be asked: what was before says nothing.
    const IDLE: Duration = Duration::from_secs(2);

    const fn new(now: Instant) -> Self {
        Self { began: now, count: 0.0, last: now, before: None }
    }

    fn add(&mut self, now: Instant) {
        if now.saturating_duration_since(self.last) > Self::IDLE {
            *self = Self::new(now);
        }
        self.last = now;
        self.count += 1.0;
        let length = now.saturating_duration_since(self.began);
        if length >= Self::STRETCH && self.count >= Self::ENOUGH {
            self.before = Some((length, self.count));
            self.began = now;
            self.count = 0.0;
        }
    }

    fn a_second(&self, now: Instant) -> Option<f64> {
        let (length, count) = self.before?;
        let length = length + now.saturating_duration_since(self.began);
        Some((count + self.count) / length.as_secs_f64())
    }
}
