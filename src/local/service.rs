//! The service itself: a request in, an answer out, synchronously, over the store. The in-process
//! transport and a socket serve the same function.
//!
//! It must not wait, sleep or misbehave: faults stand in front of it.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::answer::Answer;
use super::blob::Blob;
use super::clock::Clock;
use super::due;
use super::error::KmsError;
use super::identifier::{Identifier, Place};
use super::key::to_the_millisecond;
use super::marker::Markers;
use super::operations::{Call, Operation};
use super::randomness::Randomness;
use super::shape::Input;
use super::store::{Store, View};
use super::usage::Usage;
use super::wire::{Request, Response};

/// Who every caller is taken for: signatures are not verified, and no policy is evaluated.
pub(super) const CALLER: &str = "arn:aws:iam::111122223333:user/demo";

/// The service over one store.
pub(super) struct Service {
    pub store: Arc<Store>,
    pub usage: Usage,
    pub clock: Clock,
    pub randomness: Randomness,
    pub markers: Markers,
}

impl Service {
    /// Answers a request. Reading is quick; a request that [`Service::may_block`] may wait for the
    /// disk, or compute for long.
    pub(super) fn handle(&self, request: &Request) -> Response {
        let request_id = self.request_id();
        let (status, body) = match self.answer(request, &request_id) {
            Ok(answer) => (200, answer.into_body()),
            Err(error) => (error.status(), Zeroizing::new(error.body())),
        };
        Response { status, request_id, body }
    }

    /// An answer that is an error.
    pub(super) fn refuse(&self, error: &KmsError) -> Response {
        Response { status: error.status(), request_id: self.request_id(), body: Zeroizing::new(error.body()) }
    }

    /// Whether answering may wait for the disk, or compute for so long that nothing else should wait
    /// for it.
    pub(super) fn may_block(&self, request: &Request) -> bool {
        let operation = request.operation().and_then(Operation::named);
        self.store.is_in_trouble()
            || self.store.has_due(self.clock.now())
            || operation.is_some_and(|operation| operation.may_block(&request.body))
    }

    /// The error for a caller whom no policy allows to do this.
    pub(super) fn denial(&self, request: &Request) -> KmsError {
        let action = request.operation().unwrap_or_default();
        let resource = match (request.region(), self.key_id(request)) {
            (Ok(region), Some(key_id)) => Place::new(region).key_arn(&key_id),
            _ => "*".to_owned(),
        };
        KmsError::access_denied(format!(
            "User: {CALLER} is not authorized to perform: kms:{action} on resource: {resource} \
             because no identity-based policy allows the kms:{action} action"
        ))
    }

    /// The id of the key that a request is about: what its `KeyId`, `TargetKeyId`, `SourceKeyId` or
    /// `AliasName` resolves to, or what its ciphertext says. The key itself need not exist.
    pub(super) fn key_id(&self, request: &Request) -> Option<String> {
        let place = Place::new(request.region().ok()?);
        let mut input = Input::parse(&request.body).ok()?;
        let named = ["KeyId", "TargetKeyId", "SourceKeyId", "AliasName"];
        if let Some(text) = named.iter().find_map(|member| input.take_text(member)) {
            return match Identifier::parse(&text, &place).ok()? {
                Identifier::Key(key_id) => Some(key_id.to_owned()),
                Identifier::Alias(name) => {
                    let alias = self.store.read().ok()?.alias(&place.region, name).ok()??;
                    Some(alias.target?.key_id)
                }
            };
        }
        let ciphertext = input.blob("CiphertextBlob", super::shape::Length(1, 6144)).ok()??;
        Blob::parse(&ciphertext).map(|blob| blob.key_id.to_owned())
    }

    /// The order: a target that is known, a signature that names a region, a body that is JSON. How
    /// the service orders these three is not documented.
    fn answer(&self, request: &Request, request_id: &str) -> Result<Answer, KmsError> {
        let name = request.operation().ok_or_else(|| KmsError::silent("UnknownOperationException"))?;
        let operation = Operation::named(name).ok_or_else(|| Operation::absent(name))?;
        let place = Place::new(request.region()?);
        let input = Input::parse(&request.body)?;
        let now = to_the_millisecond(self.clock.now());
        if self.store.has_due(now)
            && self.store.write(|writer| due::settle(writer, now, &self.randomness)).is_err()
        {
            // The disk is full, say. What only reads goes on; what writes will say so itself.
            self.store.put_off_dues(now);
        }
        let call = Call { service: self, operation, place, now, request_id };
        operation.run(&call, input)
    }

    /// A fresh request id; where the system has no random bytes, one that is none.
    fn request_id(&self) -> String {
        self.randomness.uuid().unwrap_or_else(|_| "00000000-0000-4000-8000-000000000000".to_owned())
    }
}
