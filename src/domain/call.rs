//! Calls that were made: what was asked, of what, how it ended, and how long it took.
//!
//! A record is one attempt. It never holds a body, an encryption context, a grant token or a plaintext:
//! there is no member for them. Texts in it came from a request or from a server: they are made
//! printable where they are shown.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

/// How many records are kept.
pub const KEPT: usize = 1000;

/// One attempt of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// When it began.
    pub at: Timestamp,
    /// In AWS's spelling: `DescribeKey`.
    pub operation: &'static str,
    /// The key as the request named it, cut where it is long; `None` where the operation names none.
    pub target: Option<Box<str>>,
    /// The region that the request was made for. Empty where none is known.
    pub region: Arc<str>,
    pub outcome: Outcome,
    /// From before credentials were asked for until the answer was read.
    pub took: Duration,
    /// From 1: an attempt above that is a retry.
    pub attempt: u32,
    /// As the service answered it, cut where it is long.
    pub request_id: Option<Box<str>>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Ok,
    /// The service answered with this error code, cut where it is long; `HTTP 503` where there was none.
    Error(Box<str>),
    NoAnswer(NoAnswer),
}

/// Why there was no answer that could be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// Nothing was sent: no credentials, no endpoint, no signature.
    NotSent,
    /// No connection, or one that broke.
    Connection,
    TimedOut,
    /// An answer that means nothing to a client of KMS.
    Unreadable,
    /// Whoever asked did not wait for it.
    Cancelled,
}

impl Outcome {
    /// `ok`, the error code, or why there was no answer.
    #[must_use]
    pub fn words(&self) -> &str {
        match self {
            Self::Ok => "ok",
            Self::Error(code) => code,
            Self::NoAnswer(reason) => reason.words(),
        }
    }

    #[must_use]
    pub const fn is_ok(&self) -> bool {
        matches!(self, Self::Ok)
    }
}

impl NoAnswer {
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotSent => "not sent",
            Self::Connection => "no connection",
            Self::TimedOut => "timed out",
            Self::Unreadable => "unreadable answer",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The last [`KEPT`] records, each with its number: the first that was ever taken in is 1.
#[derive(Clone, Debug, Default)]
pub struct CallRing {
    records: VecDeque<CallRecord>,
    /// How many records were ever taken in.
    total: u64,
}

impl CallRing {
    /// Takes a record in; the oldest leaves where there is no room.
    pub fn push(&mut self, record: CallRecord) {
        if self.records.len() >= KEPT {
            self.records.pop_front();
        }
        self.records.push_back(record);
        self.total += 1;
    }

    /// The records with their numbers, oldest first. It can be read from both ends.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, &CallRecord)> + ExactSizeIterator {
        let first = self.total - self.records.len() as u64 + 1;
        self.records.iter().enumerate().map(move |(index, record)| (first + index as u64, record))
    }

    /// The record of this number, where it is still there.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<&CallRecord> {
        let newer = self.total.checked_sub(number)?;
        let index = self.records.len().checked_sub(usize::try_from(newer).ok()?.checked_add(1)?)?;
        self.records.get(index)
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// How many records were ever taken in: the number of the newest.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(attempt: u32) -> CallRecord {
        CallRecord {
            at: Timestamp::UNIX_EPOCH,
            operation: "ListKeys",
            target: None,
            region: "us-east-1".into(),
            outcome: Outcome::Ok,
            took: Duration::ZERO,
            attempt,
            request_id: None,
        }
    }

    #[test]
    fn the_ring_keeps_the_last_thousand_and_numbers_go_on() {
        let mut ring = CallRing::default();
        assert!(ring.is_empty() && ring.iter().next().is_none() && ring.get(0).is_none());
        (1..=1500).for_each(|attempt| ring.push(record(attempt)));
        assert_eq!((ring.len(), ring.total()), (KEPT, 1500));
        let ends = [ring.iter().next(), ring.iter().next_back()];
        assert_eq!(
            ends.map(|end| end.map(|(number, record)| (number, record.attempt))),
            [Some((501, 501)), Some((1500, 1500))]
        );
        assert!(ring.iter().all(|(number, record)| number == u64::from(record.attempt)));
        for (number, found) in [(500, None), (501, Some(501)), (1500, Some(1500)), (1501, None), (0, None)] {
            assert_eq!(ring.get(number).map(|record| record.attempt), found, "{number}");
        }
    }

    #[test]
    fn an_outcome_has_words() {
        for (outcome, words) in [
            (Outcome::Ok, "ok"),
            (Outcome::Error("ThrottlingException".into()), "ThrottlingException"),
            (Outcome::NoAnswer(NoAnswer::Cancelled), "cancelled"),
        ] {
            assert_eq!(outcome.words(), words);
            assert_eq!(outcome.is_ok(), words == "ok");
        }
    }
}
