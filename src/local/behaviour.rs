//! Misbehaviour on demand: delays, refusals and breakages that stand in front of the local KMS, so
//! that the client's answers to them can be tested and shown.
//!
//! It must not look into the store or carry out a fault: it says which one is due.

use std::time::Duration;

/// How the local KMS misbehaves. The default: not at all.
#[derive(Clone, Debug, Default)]
pub struct Behaviour {
    /// How long every request waits before it is looked at.
    pub latency: Duration,
    /// Tried in order for each request. Every matching [`Fault::Latency`] adds its delay; the first
    /// other fault that matches decides, and no rule after it is tried.
    pub rules: Vec<Rule>,
}

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

/// A behaviour at work: it remembers how often each rule has struck.
#[derive(Debug, Default)]
pub(super) struct Faults {
    latency: Duration,
    rules: Vec<Rule>,
}

impl Faults {
    pub(super) fn new(behaviour: Behaviour) -> Self {
        Self { latency: behaviour.latency, rules: behaviour.rules }
    }

    /// What is due to the next request for `operation`. `key_id` is asked for only where a rule
    /// wants to know.
    pub(super) fn plan(&mut self, operation: Option<&str>, key_id: impl FnOnce() -> Option<String>) -> Plan {
        let mut plan = Plan { delay: self.latency, fault: None };
        let asked = self.rules.iter().any(|rule| rule.key_id.is_some());
        let key_id = if asked { key_id() } else { None };
        for rule in &mut self.rules {
            let meets = rule.times != Some(0)
                && (rule.operation.is_none() || rule.operation.as_deref() == operation)
                && (rule.key_id.is_none() || rule.key_id == key_id);
            if !meets {
                continue;
            }
            rule.times = rule.times.map(|times| times - 1);
            match &rule.fault {
                Fault::Latency(more) => plan.delay += *more,
                decisive => {
                    plan.fault = Some(decisive.clone());
                    break;
                }
            }
        }
        plan
    }
}
