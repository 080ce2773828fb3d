//! What a key's state lets be done with it. KMS API: Key states of AWS KMS keys; where the real
//! service was measured to do otherwise than its table, it does here as it was measured.
//!
//! It must not look anything up, and knows no other rule than that of the state.

use super::error::KmsError;
use super::key::{KeyRecord, KeyState};

/// What is to be done, by the row of the table that it belongs to. Operations that go in every state
/// have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// A cryptographic operation.
    Use,
    /// `GetPublicKey`: it goes for a disabled key, as measured; the table says otherwise.
    GetPublicKey,
    /// `EnableKeyRotation`, `DisableKeyRotation`. That the key cannot rotate is said after its state,
    /// except where its state follows from that.
    ConfigureRotation,
    /// `RotateKeyOnDemand`.
    Rotate,
    /// `EnableKey`, `DisableKey`.
    Switch,
    /// `ScheduleKeyDeletion`.
    ScheduleDeletion,
    /// `CancelKeyDeletion`.
    CancelDeletion,
    /// `CreateAlias`, `UpdateAlias` (the key that the alias is to point at), `TagResource`,
    /// `UntagResource`, `UpdateKeyDescription`.
    Describe,
    /// `CreateGrant`.
    Grant,
}

/// Whether the state of the key with that ARN lets it be done.
///
/// # Errors
/// `DisabledException`, or `KMSInvalidStateException` in the words of the service.
pub(super) fn check(deed: Deed, record: &KeyRecord, arn: &str) -> Result<(), KmsError> {
    use Deed::{
        CancelDeletion, ConfigureRotation, Describe, GetPublicKey, Grant, Rotate, ScheduleDeletion, Switch,
        Use,
    };
    use KeyState::{
        Creating, Disabled, Enabled, PendingDeletion, PendingImport, PendingReplicaDeletion, Unavailable,
        Updating,
    };
    let invalid = |words: &str| Err(KmsError::invalid_state(format!("{arn} is {words}.")));
    match (deed, record.state) {
        (CancelDeletion, PendingDeletion | PendingReplicaDeletion) => Ok(()),
        (CancelDeletion, _) => invalid("not pending deletion"),

        (_, PendingDeletion | PendingReplicaDeletion) => invalid("pending deletion"),

        (Switch | ScheduleDeletion, Updating) => invalid("updating"),
        (_, Enabled | Updating) => Ok(()),

        (Use | ConfigureRotation | Rotate | Grant, Disabled) => {
            Err(KmsError::client("DisabledException", format!("{arn} is disabled.")))
        }
        (GetPublicKey | Switch | ScheduleDeletion | Describe, Disabled) => Ok(()),

        (Use | GetPublicKey | Rotate | Switch | Grant, PendingImport) => invalid("pending import"),
        (ConfigureRotation | ScheduleDeletion | Describe, PendingImport) => Ok(()),

        (Use | GetPublicKey, Unavailable) => invalid("unavailable"),
        (ConfigureRotation | Rotate | Switch | ScheduleDeletion | Describe | Grant, Unavailable) => Ok(()),

        (Use | GetPublicKey | ConfigureRotation | Rotate | Switch | Grant, Creating) => invalid("creating"),
        (ScheduleDeletion | Describe, Creating) => Ok(()),
    }
}
