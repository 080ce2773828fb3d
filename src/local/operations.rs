//! The operations of the local KMS, by name, and what they share: finding the key that a request
//! names, and the checks on it in the service's order.
//!
//! The order within an operation, as recorded from the service: shapes, look-up, what the parameters
//! demand of one another, usage, state, spec, and last `DryRun`. Where authorisation stands is not
//! documented; here it follows the look-up.
//!
//! A new operation is a function in a file below, and a line in [`OPERATIONS`].

mod aliases;
mod catalog;
mod create_key;
mod data_key;
mod data_key_pair;
mod describe;
mod encryption;
mod grants;
mod key_stores;
mod last_usage;
mod lifecycle;
mod page;
mod policies;
mod public_key;
mod rotation;
mod tags;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::answer::Answer;
use super::blob::{EncryptionContext, Freshness, Material, MaterialId, seal};
use super::error::KmsError;
use super::identifier::{Identifier, Place, Unnameable};
use super::key::{KeyManager, KeyRecord, KeyUsage, LastUse};
use super::service::{CALLER, Service};
use super::shape::Input;
use super::state::{self, Deed};
use super::store::{Reader, View, Writer};

use Access::{Blocks, CreatesManagedKeys, Reads};

/// One operation.
pub(super) struct Operation {
    /// In AWS's spelling.
    pub name: &'static str,
    access: Access,
    answer: fn(&Call<'_>, Input) -> Result<Answer, KmsError>,
}

/// How an operation uses the store and the processor.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    /// It only reads, and is quick.
    Reads,
    /// It reads, but that it creates the AWS managed key of a predefined alias.
    CreatesManagedKeys,
    /// It writes, or computes with asymmetric keys, which takes long.
    Blocks,
}

const fn operation(
    name: &'static str,
    access: Access,
    answer: fn(&Call<'_>, Input) -> Result<Answer, KmsError>,
) -> Operation {
    Operation { name, access, answer }
}

/// The operations that are here.
static OPERATIONS: [Operation; 38] = [
    operation("CancelKeyDeletion", Blocks, lifecycle::cancel_key_deletion),
    operation("CreateAlias", Blocks, aliases::create_alias),
    operation("CreateGrant", Blocks, grants::create_grant),
    operation("CreateKey", Blocks, create_key::create_key),
    operation("Decrypt", Blocks, encryption::decrypt),
    operation("DeleteAlias", Blocks, aliases::delete_alias),
    operation("DescribeCustomKeyStores", Reads, key_stores::describe_custom_key_stores),
    operation("DescribeKey", CreatesManagedKeys, describe::describe_key),
    operation("DisableKey", Blocks, lifecycle::disable_key),
    operation("DisableKeyRotation", Blocks, rotation::disable_key_rotation),
    operation("EnableKey", Blocks, lifecycle::enable_key),
    operation("EnableKeyRotation", Blocks, rotation::enable_key_rotation),
    operation("Encrypt", Blocks, encryption::encrypt),
    operation("GenerateDataKey", Reads, data_key::generate_data_key),
    operation("GenerateDataKeyPair", Blocks, data_key_pair::generate_data_key_pair),
    operation(
        "GenerateDataKeyPairWithoutPlaintext",
        Blocks,
        data_key_pair::generate_data_key_pair_without_plaintext,
    ),
    operation("GenerateDataKeyWithoutPlaintext", Reads, data_key::generate_data_key_without_plaintext),
    operation("GenerateRandom", Reads, data_key::generate_random),
    operation("GetKeyLastUsage", Reads, last_usage::get_key_last_usage),
    operation("GetKeyPolicy", Reads, policies::get_key_policy),
    operation("GetKeyRotationStatus", Reads, rotation::get_key_rotation_status),
    operation("GetPublicKey", Blocks, public_key::get_public_key),
    operation("ListAliases", Reads, catalog::list_aliases),
    operation("ListGrants", Reads, grants::list_grants),
    operation("ListKeyPolicies", Reads, policies::list_key_policies),
    operation("ListKeyRotations", Reads, rotation::list_key_rotations),
    operation("ListKeys", Reads, catalog::list_keys),
    operation("ListResourceTags", Reads, tags::list_resource_tags),
    operation("PutKeyPolicy", Blocks, policies::put_key_policy),
    operation("ReEncrypt", Blocks, encryption::re_encrypt),
    operation("RetireGrant", Blocks, grants::retire_grant),
    operation("RevokeGrant", Blocks, grants::revoke_grant),
    operation("RotateKeyOnDemand", Blocks, rotation::rotate_key_on_demand),
    operation("ScheduleKeyDeletion", Blocks, lifecycle::schedule_key_deletion),
    operation("TagResource", Blocks, tags::tag_resource),
    operation("UntagResource", Blocks, tags::untag_resource),
    operation("UpdateAlias", Blocks, aliases::update_alias),
    operation("UpdateKeyDescription", Blocks, lifecycle::update_key_description),
];

/// The operations that KMS has and the local KMS has not.
static ABSENT: [&str; 18] = [
    "ConnectCustomKeyStore",
    "CreateCustomKeyStore",
    "Decapsulate",
    "DeleteCustomKeyStore",
    "DeleteImportedKeyMaterial",
    "DeriveSharedSecret",
    "DisconnectCustomKeyStore",
    "Encapsulate",
    "GenerateMac",
    "GetParametersForImport",
    "ImportKeyMaterial",
    "ListRetirableGrants",
    "ReplicateKey",
    "Sign",
    "UpdateCustomKeyStore",
    "UpdatePrimaryRegion",
    "Verify",
    "VerifyMac",
];

/// The names of the operations that are here.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    OPERATIONS.iter().map(|operation| operation.name)
}

impl Operation {
    /// The operation of that name, where it is here.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        OPERATIONS.iter().find(|operation| operation.name == name)
    }

    /// The names of all operations that KMS has, also of those that are not here.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        OPERATIONS.iter().map(|operation| operation.name).chain(ABSENT)
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

    /// Whether a request with this body may have to wait or to compute for long. It looks for the bytes
    /// that a predefined alias has, so it may say yes to a request that only reads.
    pub(super) fn may_block(&self, body: &[u8]) -> bool {
        match self.access {
            Reads => false,
            CreatesManagedKeys => {
                memchr::memmem::find(body, b"alias/aws/").is_some() || memchr::memchr(b'\\', body).is_some()
            }
            Blocks => true,
        }
    }

    pub(super) fn run(&self, call: &Call<'_>, input: Input) -> Result<Answer, KmsError> {
        (self.answer)(call, input)
    }
}

/// A request on its way: what it asks, where and when.
pub(super) struct Call<'a> {
    pub service: &'a Service,
    pub operation: &'static Operation,
    pub place: Place,
    /// To the millisecond.
    pub now: Timestamp,
    pub request_id: &'a str,
}

/// A key that a request named, and that exists.
#[derive(Clone)]
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
    /// A view of the store. One at a time: see [`Store::read`](super::store::Store::read).
    fn reader(&self) -> Result<Reader<'_>, KmsError> {
        Ok(self.service.store.read()?)
    }

    /// Changes the store, or nothing of it where `work` fails. No view may be held.
    fn change<T>(&self, work: impl FnOnce(&Writer) -> Result<T, KmsError>) -> Result<T, KmsError> {
        self.service.store.write(work)
    }

    /// Changes the record of a key, named by its id or ARN, that the caller may manage.
    fn change_key<T>(
        &self,
        text: &str,
        deed: Option<Deed>,
        work: impl FnOnce(&Writer, &mut Key) -> Result<T, KmsError>,
    ) -> Result<T, KmsError> {
        self.change(|writer| {
            let mut key = self.key_not_by_alias(writer, text)?;
            self.may_manage(&key)?;
            if let Some(deed) = deed {
                key.lets(deed)?;
            }
            let done = work(writer, &mut key)?;
            writer.put_key(self.region(), &key.id, &key.record)?;
            Ok(done)
        })
    }

    fn region(&self) -> &str {
        &self.place.region
    }

    /// The key with that id here.
    fn key_with_id(&self, view: &impl View, key_id: &str) -> Result<Option<Key>, KmsError> {
        Ok(view.key(self.region(), key_id)?.map(|record| Key {
            id: key_id.to_owned(),
            arn: self.place.key_arn(key_id),
            record,
        }))
    }

    /// What a `KeyId` names: a key id, a key ARN, an alias name or an alias ARN.
    fn target(&self, view: &impl View, text: &str) -> Result<Target, KmsError> {
        let key_id = match self.identifier(text)? {
            Identifier::Key(key_id) => key_id.to_owned(),
            Identifier::Alias(name) => {
                let alias = view.alias(self.region(), name)?.ok_or_else(|| self.no_such_alias(name))?;
                match alias.target {
                    Some(target) => target.key_id,
                    None => return Ok(Target::Predefined(name.to_owned())),
                }
            }
        };
        match self.key_with_id(view, &key_id)? {
            Some(key) => Ok(Target::Key(Box::new(key))),
            None => Err(self.no_such_key(&key_id)),
        }
    }

    /// The key that a `KeyId` names. A predefined alias without a key names none.
    fn key(&self, view: &impl View, text: &str) -> Result<Key, KmsError> {
        match self.target(view, text)? {
            Target::Key(key) => Ok(*key),
            Target::Predefined(name) => Err(self.no_such_alias(&name)),
        }
    }

    /// The key that a `KeyId` names, where aliases do not count.
    fn key_not_by_alias(&self, view: &impl View, text: &str) -> Result<Key, KmsError> {
        if let Identifier::Alias(_) = self.identifier(text)? {
            return Err(KmsError::client(
                "InvalidArnException",
                "Key Aliases are not supported for this operation.",
            ));
        }
        self.key(view, text)
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

    fn no_such_key(&self, key_id: &str) -> KmsError {
        KmsError::not_found(format!("Key '{}' does not exist", self.place.key_arn(key_id)))
    }

    fn no_such_alias(&self, name: &str) -> KmsError {
        KmsError::not_found(format!("Alias {} is not found.", self.place.alias_arn(name)))
    }

    /// Whether the caller may use the key in a cryptographic operation: not an AWS managed key, whose
    /// policy lets its own service alone use it, and not with a grant token that nobody issued.
    fn may_use(&self, key: &Key, grant_tokens: &[String]) -> Result<(), KmsError> {
        self.may_manage(key)?;
        grants::check_tokens(self, grant_tokens)
    }

    /// Whether the caller may do more with the key than look at it. KMS: AWS managed keys, whose
    /// policies allow `Describe*`, `Get*`, `List*` and `RevokeGrant` alone.
    fn may_manage(&self, key: &Key) -> Result<(), KmsError> {
        if key.record.manager == KeyManager::Customer {
            return Ok(());
        }
        let action = self.operation.name;
        Err(KmsError::access_denied(format!(
            "User: {CALLER} is not authorized to perform: kms:{action} on resource: {} because \
             no resource-based policy allows the kms:{action} action",
            key.arn
        )))
    }

    /// Whether the key's usage is the one that the operation needs.
    fn require_usage(&self, key: &Key, usage: KeyUsage) -> Result<(), KmsError> {
        key.require_usage(usage, self.operation.name)
    }

    /// The material that a symmetric encryption key seals with.
    fn current_material(&self, view: &impl View, key: &Key) -> Result<Material, KmsError> {
        let material_id = key.record.material.as_deref().and_then(MaterialId::from_hex);
        let material_id = material_id.ok_or_else(KmsError::internal)?;
        view.material(self.region(), &key.id, material_id)?.ok_or_else(KmsError::internal)
    }

    /// Seals a plaintext under a symmetric encryption key.
    fn seal(
        &self,
        view: &impl View,
        key: &Key,
        context: &EncryptionContext,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, KmsError> {
        let material = self.current_material(view, key)?;
        let freshness = Freshness::draw(&self.service.randomness)?;
        seal(&key.id, &material, context, plaintext, freshness).ok_or_else(KmsError::internal)
    }

    /// Notes that the operation has just used the key, and succeeds. KMS API: `GetKeyLastUsage`.
    fn used(&self, key: &Key) -> Result<(), KmsError> {
        let last_use = LastUse {
            operation: self.operation.name.to_owned(),
            at: self.now,
            request_id: self.request_id.to_owned(),
            event_id: self.service.randomness.uuid()?,
        };
        self.service.usage.note(self.region(), &key.id, last_use);
        Ok(())
    }
}

impl Key {
    /// Whether the key's state lets that be done.
    fn lets(&self, deed: Deed) -> Result<(), KmsError> {
        state::check(deed, &self.record, &self.arn)
    }

    fn require_usage(&self, usage: KeyUsage, action: &str) -> Result<(), KmsError> {
        if self.record.usage == usage {
            return Ok(());
        }
        Err(KmsError::invalid_key_usage(format!(
            "{} key usage is {} which is not valid for {action}.",
            self.arn,
            self.record.usage.word(),
        )))
    }

    /// Whether answers about this key name the material, and which is the current one.
    fn shown_material(&self) -> Option<&str> {
        self.record.material.as_deref().filter(|_| self.record.shows_material_id())
    }
}

/// The members of an answer, in the order of the model.
#[derive(Default)]
struct Members(Map<String, Value>);

impl Members {
    fn put(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// A member that is left out where there is no value.
    fn put_some(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.put(name, value),
            None => self,
        }
    }

    fn blob(self, name: &str, bytes: &[u8]) -> Self {
        self.put(name, STANDARD.encode(bytes))
    }

    fn answer(self) -> Answer {
        Answer::from(Value::Object(self.0))
    }

    fn answer_with_secret(self, name: &'static str, bytes: Zeroizing<Vec<u8>>) -> Answer {
        Answer::with_secret(Value::Object(self.0), name, bytes)
    }
}

/// `Recipient` asks for an answer that only an enclave can read, which cannot be made here; to give a
/// plaintext in its stead would break the promise.
fn refuse_recipient(wanted: bool) -> Result<(), KmsError> {
    if wanted {
        return Err(KmsError::unsupported("Recipient is not supported by the local KMS."));
    }
    Ok(())
}
