//! The operations of the local KMS, by name, and what they share: finding the key that a request
//! names, and the checks on it in the service's order.
//!
//! The order within an operation, as recorded from the service: shapes, look-up, what the parameters
//! demand of one another, usage, state, spec, and last `DryRun`. Where authorisation stands is not
//! documented; here it follows the look-up.
//!
//! A new operation is a function in a file below, and a line in [`OPERATIONS`].

mod catalog;
mod data_key;
mod decrypt;
mod describe;

use serde_json::Value;

use super::error::KmsError;
use super::identifier::{Identifier, Place, Unnameable};
use super::key::{KeyManager, KeyRecord, KeyState, KeyUsage};
use super::service::{CALLER, Service};
use super::shape::Input;
use super::store::Reader;

/// One operation.
pub(super) struct Operation {
    /// In AWS's spelling.
    pub name: &'static str,
    access: Access,
    answer: fn(&Call<'_>, Input) -> Result<Value, KmsError>,
}

/// What an operation does to the store.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    /// It only reads.
    Reads,
    /// It reads, but that it creates the AWS managed key of a predefined alias.
    CreatesManagedKeys,
}

/// The operations that are here.
static OPERATIONS: [Operation; 5] = [
    Operation { name: "Decrypt", access: Access::Reads, answer: decrypt::decrypt },
    Operation { name: "DescribeKey", access: Access::CreatesManagedKeys, answer: describe::describe_key },
    Operation {
        name: "GenerateDataKeyWithoutPlaintext",
        access: Access::Reads,
        answer: data_key::generate_data_key_without_plaintext,
    },
    Operation { name: "ListAliases", access: Access::Reads, answer: catalog::list_aliases },
    Operation { name: "ListKeys", access: Access::Reads, answer: catalog::list_keys },
];

/// The operations that KMS has and the local KMS has not.
static ABSENT: [&str; 51] = [
    "CancelKeyDeletion",
    "ConnectCustomKeyStore",
    "CreateAlias",
    "CreateCustomKeyStore",
    "CreateGrant",
    "CreateKey",
    "Decapsulate",
    "DeleteAlias",
    "DeleteCustomKeyStore",
    "DeleteImportedKeyMaterial",
    "DeriveSharedSecret",
    "DescribeCustomKeyStores",
    "DisableKey",
    "DisableKeyRotation",
    "DisconnectCustomKeyStore",
    "EnableKey",
    "EnableKeyRotation",
    "Encapsulate",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateMac",
    "GenerateRandom",
    "GetKeyLastUsage",
    "GetKeyPolicy",
    "GetKeyRotationStatus",
    "GetParametersForImport",
    "GetPublicKey",
    "ImportKeyMaterial",
    "ListGrants",
    "ListKeyPolicies",
    "ListKeyRotations",
    "ListResourceTags",
    "ListRetirableGrants",
    "PutKeyPolicy",
    "ReEncrypt",
    "ReplicateKey",
    "RetireGrant",
    "RevokeGrant",
    "RotateKeyOnDemand",
    "ScheduleKeyDeletion",
    "Sign",
    "TagResource",
    "UntagResource",
    "UpdateAlias",
    "UpdateCustomKeyStore",
    "UpdateKeyDescription",
    "UpdatePrimaryRegion",
    "Verify",
    "VerifyMac",
];

impl Operation {
    /// The operation of that name, where it is here.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        OPERATIONS.iter().find(|operation| operation.name == name)
    }

    /// The error for a name that is not here: whether KMS has it or not.
    pub(super) fn absent(name: &str) -> KmsError {
        if ABSENT.contains(&name) {
            KmsError::client(
                "UnsupportedOperationException",
                format!("{name} is not supported by the local KMS."),
            )
        } else {
            KmsError::silent("UnknownOperationException")
        }
    }

    /// Whether a request with this body may have to write. It looks for the bytes that a predefined
    /// alias has, so it may say yes to a request that only reads.
    pub(super) fn may_block(&self, body: &[u8]) -> bool {
        match self.access {
            Access::Reads => false,
            Access::CreatesManagedKeys => memchr::memmem::find(body, b"alias/aws/").is_some(),
        }
    }

    pub(super) fn run(&self, call: &Call<'_>, input: Input) -> Result<Value, KmsError> {
        (self.answer)(call, input)
    }
}

/// A request on its way: what it asks, and where.
pub(super) struct Call<'a> {
    pub service: &'a Service,
    pub operation: &'static Operation,
    pub place: Place,
}

/// A key that a request named, and that exists.
struct Key {
    id: String,
    arn: String,
    record: KeyRecord,
}

/// What a `KeyId` led to.
enum Target {
    Key(Box<Key>),
    /// A predefined alias that has no key yet, by name.
    Predefined(String),
}

impl Call<'_> {
    fn reader(&self) -> Result<Reader, KmsError> {
        Ok(self.service.store.read()?)
    }

    /// The key with that id here.
    fn key_with_id(&self, reader: &Reader, key_id: &str) -> Result<Option<Key>, KmsError> {
        Ok(reader.key(&self.place.region, key_id)?.map(|record| Key {
            id: key_id.to_owned(),
            arn: self.place.key_arn(key_id),
            record,
        }))
    }

    /// What a `KeyId` names: a key id, a key ARN, an alias name or an alias ARN.
    fn target(&self, reader: &Reader, text: &str) -> Result<Target, KmsError> {
        let key_id = match self.identifier(text)? {
            Identifier::Key(key_id) => key_id.to_owned(),
            Identifier::Alias(name) => {
                let alias =
                    reader.alias(&self.place.region, name)?.ok_or_else(|| self.no_such_alias(name))?;
                match alias.target {
                    Some(target) => target.key_id,
                    None => return Ok(Target::Predefined(name.to_owned())),
                }
            }
        };
        match self.key_with_id(reader, &key_id)? {
            Some(key) => Ok(Target::Key(Box::new(key))),
            None => Err(KmsError::not_found(format!("Key '{}' does not exist", self.place.key_arn(&key_id)))),
        }
    }

    /// The key that a `KeyId` names. A predefined alias without a key names none.
    fn key(&self, reader: &Reader, text: &str) -> Result<Key, KmsError> {
        match self.target(reader, text)? {
            Target::Key(key) => Ok(*key),
            Target::Predefined(name) => Err(self.no_such_alias(&name)),
        }
    }

    /// The key that a `KeyId` names, where aliases do not count.
    fn key_not_by_alias(&self, reader: &Reader, text: &str) -> Result<Key, KmsError> {
        if let Identifier::Alias(_) = self.identifier(text)? {
            return Err(KmsError::client(
                "InvalidArnException",
                "Key Aliases are not supported for this operation.",
            ));
        }
        self.key(reader, text)
    }

    fn identifier<'t>(&self, text: &'t str) -> Result<Identifier<'t>, KmsError> {
        Identifier::parse(text, &self.place).map_err(|error| match error {
            Unnameable::Refused(error) => error,
            Unnameable::OtherAccount => KmsError::access_denied(format!(
                "User: {CALLER} is not authorized to perform: kms:{} on resource: {text} because \
                 the resource does not exist in this Region, no resource-based policies allow \
                 access, or a resource-based policy explicitly denies access",
                self.operation.name
            )),
        })
    }

    fn no_such_alias(&self, name: &str) -> KmsError {
        KmsError::not_found(format!("Alias {} is not found.", self.place.alias_arn(name)))
    }

    /// Whether the caller may use the key in a cryptographic operation: not an AWS managed key, whose
    /// policy lets its own service alone use it, and not with a grant token that nobody issued.
    fn authorize(&self, key: &Key, grant_tokens: &[String]) -> Result<(), KmsError> {
        let action = self.operation.name;
        if key.record.manager == KeyManager::Aws {
            return Err(KmsError::access_denied(format!(
                "User: {CALLER} is not authorized to perform: kms:{action} on resource: {} because \
                 no resource-based policy allows the kms:{action} action",
                key.arn
            )));
        }
        if !grant_tokens.is_empty() {
            return Err(KmsError::client(
                "InvalidGrantTokenException",
                "The local KMS has issued no such grant token.",
            ));
        }
        Ok(())
    }

    /// Whether the key's usage is the one that the operation needs.
    fn require_usage(&self, key: &Key, usage: KeyUsage) -> Result<(), KmsError> {
        if key.record.usage == usage {
            return Ok(());
        }
        Err(KmsError::invalid_key_usage(format!(
            "{} key usage is {} which is not valid for {}.",
            key.arn,
            key.record.usage.word(),
            self.operation.name
        )))
    }
}

impl Key {
    /// Whether the key's state lets cryptographic operations use it. KMS API: Key states of AWS KMS
    /// keys.
    fn require_usable_state(&self) -> Result<(), KmsError> {
        let arn = &self.arn;
        match self.record.state {
            KeyState::Enabled | KeyState::Updating => Ok(()),
            KeyState::Disabled => Err(KmsError::client("DisabledException", format!("{arn} is disabled."))),
            KeyState::PendingDeletion | KeyState::PendingReplicaDeletion => {
                Err(KmsError::invalid_state(format!("{arn} is pending deletion.")))
            }
            KeyState::PendingImport => Err(KmsError::invalid_state(format!("{arn} is pending import."))),
            KeyState::Unavailable => Err(KmsError::invalid_state(format!("{arn} is unavailable."))),
            KeyState::Creating => Err(KmsError::invalid_state(format!("{arn} is creating."))),
        }
    }
}
