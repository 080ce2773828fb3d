//! Misbehaviour on demand: rate limits, delays, refusals and breakages that stand in front of the
//! local KMS, so that the client's answers to them can be tested and shown.
//!
//! It must not look into the store or carry out a fault: it says which one is due.

mod bucket;
mod switch;

use std::time::Duration;

use aws_lc_rs::digest;
use tokio::time::Instant;

use super::randomness::Randomness;
use bucket::Bucket;
pub use switch::{SwitchError, parse_latency};

/// How the local KMS misbehaves. The default: not at all.
///
/// Every request waits for `latency`. Then the first of these that strikes it decides, and nothing
/// after it is asked: `rates`, because KMS throttles before it looks at a request; `rules`, which are
/// about certain requests; `denials`, which are about certain keys; `odds`, which are about any.
#[derive(Clone, Debug, Default)]
pub struct Behaviour {
    /// How long every request waits before it is looked at.
    pub latency: Duration,
    /// How many requests a second are let through. Of several for one operation each must have one
    /// to give.
    pub rates: Vec<Rate>,
    /// Tried in order for each request. Every matching [`Fault::Latency`] adds its delay; the first
    /// other fault that matches decides, and no rule after it is tried.
    pub rules: Vec<Rule>,
    /// Which share of the keys is denied.
    pub denials: Vec<Denial>,
    /// Which share of the requests goes wrong, and how.
    pub odds: Odds,
    /// What `odds` draws from: requests that come in the same order meet the same faults.
    pub seed: u64,
}

/// So many requests a second for an operation; what is more gets `ThrottlingException`. A tenth of a
/// second's worth, one at least, may come at once.
///
/// From a switch: `DescribeKey=2000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The operation's name in AWS's spelling.
    pub operation: String,
    /// Requests a second. With 0, none is ever let through.
    pub per_second: u32,
}

/// A share of the keys that answers an operation with `AccessDeniedException`, always the same keys:
/// a hash of the key id decides, so that they are also those of any greater share, of any operation
/// and in any store. Requests about no key are never denied.
///
/// From a switch: `DescribeKey=5%`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The operation's name in AWS's spelling.
    pub operation: String,
    /// Of the keys.
    pub share: Share,
}

/// What goes wrong with a share of the requests, whatever they are about. Shares add up to 100 % at
/// most.
///
/// From a switch: `500=1%,reset=1%,throttle=2%,truncate=1%,hang=0.1%`.
#[derive(Clone, Debug, Default)]
pub struct Odds(Vec<(Share, Fault)>);

/// A share in millionths: `0.5%` is 5,000 of them. 0 to 100 %.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

/// The millionths that are everything.
const WHOLE: u32 = 1_000_000;

/// A fault, and the requests that it strikes.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The operation's name in AWS's spelling (`DescribeKey`); any where `None`.
    pub operation: Option<String>,
    /// The id of the key that the request is about, whichever way the request identifies it; any
    /// request, also one about no key, where `None`.
    pub key_id: Option<String>,
    /// The first so many matching requests; all where `None`.
    pub times: Option<u32>,
    /// What happens to them.
    pub fault: Fault,
}

/// What can happen to a request instead of its answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// `AccessDeniedException`.
    Deny,
    /// `ThrottlingException`.
    Throttle,
    /// `KMSInternalException`, HTTP 500.
    Internal,
    /// The connection breaks before an answer: an I/O error of the connector.
    Reset,
    /// No answer ever.
    Hang,
    /// An answer of this HTTP status with this body, whatever it means.
    Body {
        /// 100 to 999; anything else is answered as a broken connection.
        status: u16,
        /// As it is to arrive.
        body: String,
    },
    /// The right answer, cut half way: the connection breaks after half of the body's bytes.
    Truncate,
    /// The right answer, this much later.
    Latency(Duration),
}

/// What is due to one request.
#[derive(Debug)]
pub(super) struct Plan {
    /// How long it waits before anything.
    pub delay: Duration,
    /// What happens to it then, where it is not the right answer.
    pub fault: Option<Fault>,
}

/// A behaviour at work: it remembers how often each rule has struck, and what each rate has left.
#[derive(Debug)]
pub(super) struct Faults {
    latency: Duration,
    rates: Vec<(Rate, Bucket)>,
    rules: Vec<Rule>,
    denials: Vec<Denial>,
    odds: Odds,
    draws: Randomness,
}

impl Faults {
    pub(super) fn new(behaviour: Behaviour) -> Self {
        let Behaviour { latency, rates, rules, denials, odds, seed } = behaviour;
        let with_bucket = |rate: Rate| {
            let bucket = Bucket::new(rate.per_second);
            (rate, bucket)
        };
        Self {
            latency,
            rates: rates.into_iter().map(with_bucket).collect(),
            rules,
            denials,
            odds,
            draws: Randomness::deterministic(seed),
        }
    }

    /// Whether it matters which key a request for `operation` is about.
    pub(super) fn asks_for_key(&self, operation: Option<&str>) -> bool {
        self.rules.iter().any(|rule| rule.key_id.is_some() && rule.is_about(operation))
            || self.denials.iter().any(|denial| Some(denial.operation.as_str()) == operation)
    }

    /// What is due to the next request for `operation`. `key_id` counts only where
    /// [`Faults::asks_for_key`].
    pub(super) fn plan(&mut self, operation: Option<&str>, key_id: Option<&str>) -> Plan {
        let mut plan = Plan { delay: self.latency, fault: None };
        plan.fault = if self.is_too_fast(operation) {
            Some(Fault::Throttle)
        } else {
            self.strike(operation, key_id, &mut plan.delay)
                .or_else(|| self.denial(operation, key_id))
                .or_else(|| self.chance())
        };
        plan
    }

    /// Whether the request is one too many; where it is not, it counts.
    fn is_too_fast(&mut self, operation: Option<&str>) -> bool {
        let mut too_fast = false;
        for (_, bucket) in
            self.rates.iter_mut().filter(|(rate, _)| Some(rate.operation.as_str()) == operation)
        {
            too_fast |= !bucket.take(Instant::now());
        }
        too_fast
    }

    /// The rule that decides, and one strike less for each that meets the request until then. Delays
    /// are added.
    fn strike(
        &mut self,
        operation: Option<&str>,
        key_id: Option<&str>,
        delay: &mut Duration,
    ) -> Option<Fault> {
        for rule in &mut self.rules {
            let meets = rule.times != Some(0)
                && rule.is_about(operation)
                && (rule.key_id.is_none() || rule.key_id.as_deref() == key_id);
            if !meets {
                continue;
            }
            rule.times = rule.times.map(|times| times - 1);
            match &rule.fault {
                Fault::Latency(more) => *delay += *more,
                decisive => return Some(decisive.clone()),
            }
        }
        None
    }

    fn denial(&self, operation: Option<&str>, key_id: Option<&str>) -> Option<Fault> {
        let share = self
            .denials
            .iter()
            .filter(|denial| Some(denial.operation.as_str()) == operation)
            .map(|denial| denial.share)
            .max()?;
        let hash = digest::digest(&digest::SHA256, key_id?.as_bytes());
        let (first, _) = hash.as_ref().split_first_chunk()?;
        share.takes(u64::from_be_bytes(*first)).then_some(Fault::Deny)
    }

    /// What the odds have for the next request. One draw decides between all kinds.
    fn chance(&self) -> Option<Fault> {
        if self.odds.0.is_empty() {
            return None;
        }
        // A deterministic source never runs dry.
        let draw = u64::from_be_bytes(self.draws.array().ok()?);
        let mut up_to = Share(0);
        self.odds.0.iter().find_map(|(share, fault)| {
            up_to.0 += share.0;
            up_to.takes(draw).then(|| fault.clone())
        })
    }
}

impl Rule {
    fn is_about(&self, operation: Option<&str>) -> bool {
        self.operation.is_none() || self.operation.as_deref() == operation
    }
}

impl Share {
    /// Whether a number, of which each of the 2⁶⁴ is as likely, falls into this share.
    fn takes(self, number: u64) -> bool {
        let millionth = (u128::from(number) * u128::from(WHOLE)) >> 64;
        millionth < u128::from(self.0)
    }
}
