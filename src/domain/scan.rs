//! What costs a call a key beyond DescribeKey, and what such a scan finds.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;

use super::failure::Failure;
use super::text::{plural, thousands};

/// What a scan reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScanKind {
    /// KMS API: `GetKeyRotationStatus`.
    Rotation,
    /// KMS API: `ListResourceTags`.
    Tags,
    /// KMS API: `GetKeyLastUsage`.
    LastUse,
}

impl ScanKind {
    pub const ALL: [Self; 3] = [Self::Rotation, Self::Tags, Self::LastUse];

    /// `rotation`, `tags`, `last-use`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rotation => "rotation",
            Self::Tags => "tags",
            Self::LastUse => "last-use",
        }
    }

    /// The operation that is called for each key.
    #[must_use]
    pub const fn operation(self) -> &'static str {
        match self {
            Self::Rotation => "GetKeyRotationStatus",
            Self::Tags => "ListResourceTags",
            Self::LastUse => "GetKeyLastUsage",
        }
    }

    /// What it reads, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::LastUse => "last use",
            other => other.as_str(),
        }
    }

    /// The most calls a second that a scan makes, whatever the rate: the default quota of the account
    /// (KMS Developer Guide: request quotas), but for `GetKeyLastUsage` one less than its 5, so that
    /// others have one.
    #[must_use]
    pub const fn most_a_second(self) -> u32 {
        match self {
            Self::Rotation => 1_000,
            Self::Tags => 2_000,
            Self::LastUse => 4,
        }
    }

    /// The calls a second that a scan makes at a rate.
    #[must_use]
    pub fn pace(self, per_second: Option<u32>) -> u32 {
        let most = self.most_a_second();
        per_second.map_or(most, |rate| rate.clamp(1, most))
    }

    /// What a scan costs, before it starts: `rotation of 1,248 keys: 1,248 calls of
    /// GetKeyRotationStatus, about 7 s at 200 a second`. Of several regions, each has its own pace, and
    /// the largest takes longest.
    #[must_use]
    pub fn cost(self, keys_by_region: &[usize], per_second: Option<u32>) -> String {
        let keys = keys_by_region.iter().sum();
        let longest = keys_by_region.iter().copied().max().unwrap_or_default();
        let each = if keys_by_region.len() > 1 { " in each region" } else { "" };
        format!(
            "{} of {}: {} of {}, about {} at {} a second{each}",
            self.words(),
            plural(keys, "key", "keys"),
            plural(keys, "call", "calls"),
            self.operation(),
            short_span(self.estimate(longest, per_second).time),
            thousands(self.pace(per_second) as usize),
        )
    }

    /// What a scan of so many keys takes at a rate of calls a second; `None` is as fast as the
    /// service lets, which is taken for the default quota.
    #[must_use]
    pub fn estimate(self, keys: usize, per_second: Option<u32>) -> Estimate {
        let pace = self.pace(per_second);
        let calls = u64::try_from(keys).unwrap_or(u64::MAX);
        Estimate { calls, time: Duration::from_secs(calls.div_ceil(u64::from(pace))) }
    }
}

impl fmt::Display for ScanKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Why a text names no scan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a scan: allowed are `rotation`, `tags` and `last-use`")]
pub struct NoScan(String);

impl FromStr for ScanKind {
    type Err = NoScan;

    fn from_str(text: &str) -> Result<Self, NoScan> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| NoScan(text.to_owned()))
    }
}

/// What a scan takes, where nothing fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// One a key; a key whose tags come in several pages takes more.
    pub calls: u64,
    /// In whole seconds, rounded up.
    pub time: Duration,
}

/// `7 s`, `4 min`, `2 h 5 min`.
#[must_use]
pub fn short_span(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..100 => format!("{} s", seconds.max(1)),
        seconds @ 100..5_970 => format!("{} min", (seconds + 30) / 60),
        seconds => format!("{} h {} min", (seconds + 30) / 3_600, (seconds + 30) % 3_600 / 60),
    }
}

/// What a scan found out about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    Rotation {
        enabled: bool,
        /// 90 to 2560 days, where it is on.
        period_days: Option<i32>,
        next: Option<Timestamp>,
    },
    /// Key and value of each, in the service's order.
    Tags(Vec<(String, String)>),
    /// The last successful cryptographic operation.
    Used {
        at: Timestamp,
        operation: Option<String>,
    },
    /// No use was seen since the service began to look for it.
    Unused {
        since: Option<Timestamp>,
    },
    /// The question makes no sense for such a key (`UnsupportedOperationException`).
    NotApplicable,
    Refused(Box<Failure>),
}

/// A piece of a scan, or how it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScanEvent {
    /// Findings, with the key ARN that each was asked for.
    Found(Vec<(String, Finding)>),
    /// A transient failure; calls are made again after a pause.
    Retrying(Failure),
    /// Calls that were made again went well.
    Recovered,
    /// The scan ended before its end: the caller may not go on. What was found stays true.
    Failed(Failure),
    /// Nothing is left to do.
    Finished,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_says_before_it_starts_what_it_takes() {
        for (kind, keys, rate, seconds) in [
            (ScanKind::LastUse, 44, Some(200), 11),
            (ScanKind::LastUse, 100_000, None, 25_000),
            (ScanKind::Rotation, 1_001, Some(200), 6),
            (ScanKind::Rotation, 10_000, Some(5_000), 10),
            (ScanKind::Tags, 0, None, 0),
        ] {
            let estimate = kind.estimate(keys, rate);
            assert_eq!((estimate.calls, estimate.time.as_secs()), (keys as u64, seconds), "{kind}");
        }
    }

    #[test]
    fn the_cost_is_said_in_calls_and_time() {
        for (kind, keys, cost) in [
            (
                ScanKind::Rotation,
                &[1_248][..],
                "rotation of 1,248 keys: 1,248 calls of GetKeyRotationStatus, about 7 s at 200 a second",
            ),
            (
                ScanKind::LastUse,
                &[100_000],
                "last use of 100,000 keys: 100,000 calls of GetKeyLastUsage, about 6 h 57 min at 4 a second",
            ),
            (
                ScanKind::Tags,
                &[600, 40_000],
                "tags of 40,600 keys: 40,600 calls of ListResourceTags, about 3 min at 200 a second in each region",
            ),
            (ScanKind::Tags, &[1], "tags of 1 key: 1 call of ListResourceTags, about 1 s at 200 a second"),
        ] {
            assert_eq!(kind.cost(keys, Some(200)), cost);
        }
    }

    #[test]
    fn a_scan_is_read_as_it_is_written() {
        for kind in ScanKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        let refusal = "usage".parse::<ScanKind>().unwrap_err().to_string();
        assert_eq!(refusal, "`usage` is not a scan: allowed are `rotation`, `tags` and `last-use`");
    }
}
