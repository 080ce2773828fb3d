//! What stands between a transport and the service: which fault is due, the delay before it, and
//! the thread that an answer is made on. The in-process transport and the socket share it.
//!
//! It must not read a request or make an answer itself.

use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use super::behaviour::{Behaviour, Fault, Faults, Plan};
use super::error::KmsError;
use super::service::Service;
use super::wire::{Request, Response};

/// A service and the misbehaviour before it.
pub(super) struct Front {
    pub service: Service,
    faults: Mutex<Faults>,
}

/// What a transport has to do.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Send this.
    Answer(Response),
    /// Announce this, send half of its body, then break the connection.
    Cut(Response),
    /// Break the connection without an answer.
    Break,
}

impl Front {
    pub(super) fn new(service: Service, behaviour: Behaviour) -> Self {
        Self { service, faults: Mutex::new(Faults::new(behaviour)) }
    }

    /// Replaces the behaviour. Counts of the old rules are forgotten.
    pub(super) fn set_behaviour(&self, behaviour: Behaviour) {
        *self.faults() = Faults::new(behaviour);
    }

    /// What is due to a request, and one strike less for the rules that meet it.
    pub(super) fn plan(&self, request: &Request) -> Plan {
        let operation = request.operation();
        // Looked up while other requests may have their plans.
        let asked = self.faults().asks_for_key(operation);
        let key_id = if asked { self.service.key_id(request) } else { None };
        self.faults().plan(operation, key_id.as_deref())
    }

    /// Whether [`Front::carry_out`] would answer without waiting for anything.
    pub(super) fn is_immediate(&self, request: &Request, plan: &Plan) -> bool {
        plan.delay.is_zero() && plan.fault.is_none() && !self.service.may_block(request)
    }

    /// Does what is due: waits, misbehaves, or answers. It needs a tokio runtime with time enabled.
    ///
    /// Dropping the future does not undo what the service has begun.
    pub(super) async fn carry_out(self: Arc<Self>, request: Request, plan: Plan) -> Outcome {
        if !plan.delay.is_zero() {
            tokio::time::sleep(plan.delay).await;
        }
        let service = &self.service;
        let response = match plan.fault {
            None | Some(Fault::Latency(_)) => Arc::clone(&self).answer(request).await,
            Some(Fault::Deny) => service.refuse(&service.denial(&request)),
            Some(Fault::Throttle) => service.refuse(&KmsError::throttled()),
            Some(Fault::Internal) => service.refuse(&KmsError::internal()),
            Some(Fault::Reset) => return Outcome::Break,
            Some(Fault::Truncate) => return Outcome::Cut(Arc::clone(&self).answer(request).await),
            Some(Fault::Hang) => pending().await,
            Some(Fault::Body { status, body }) => Response {
                status,
                body: Zeroizing::new(body.into_bytes()),
                ..service.refuse(&KmsError::internal())
            },
        };
        Outcome::Answer(response)
    }

    /// The service's own answer; made on a thread that may block where it may take long.
    async fn answer(self: Arc<Self>, request: Request) -> Response {
        if !self.service.may_block(&request) {
            return self.service.handle(&request);
        }
        let front = Arc::clone(&self);
        let answered = tokio::task::spawn_blocking(move || front.service.handle(&request)).await;
        // Not a request's fault: the runtime is going away, or the thread panicked.
        answered.unwrap_or_else(|_| self.service.refuse(&KmsError::internal()))
    }

    /// A panic elsewhere leaves the rules as good as they were.
    fn faults(&self) -> std::sync::MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
