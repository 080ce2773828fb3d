//! `CreateAlias`, `UpdateAlias`, `DeleteAlias`.

use crate::local::answer::Answer;
use crate::local::error::KmsError;
use crate::local::identifier::{Identifier, is_alias_name};
use crate::local::key::{AliasRecord, AliasTarget, KeyRecord};
use crate::local::shape::{Input, Presence};
use crate::local::state::Deed;
use crate::local::store::{View as _, Writer};

use super::{Call, Key};

/// KMS API: Resource quotas, aliases per KMS key.
const MOST_OF_A_KEY: usize = 50;

/// KMS API: `CreateAlias`.
pub(super) fn create_alias(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let name = input.alias_name()?;
    let target = input.identifier("TargetKeyId", Presence::Required)?;
    input.finish()?;

    check_name(&name)?;
    call.change(|writer| {
        let key = target_key(call, writer, &target.unwrap_or_default())?;
        if writer.alias(call.region(), &name)?.is_some() {
            return Err(KmsError::client(
                "AlreadyExistsException",
                format!("An alias with the name {} already exists", call.place.alias_arn(&name)),
            ));
        }
        require_room(call, writer, &key)?;
        let target = AliasTarget { key_id: key.id, created: call.now, updated: call.now };
        let alias = AliasRecord { target: Some(target), managed_description: None };
        Ok(writer.put_alias(call.region(), &name, &alias)?)
    })?;
    Ok(Answer::empty())
}

/// KMS API: `UpdateAlias`. The key that the alias leaves may be in any state; the one that it is to
/// point at has to be of the same type and usage.
pub(super) fn update_alias(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let name = input.alias_name()?;
    let target = input.identifier("TargetKeyId", Presence::Required)?;
    input.finish()?;

    check_name(&name)?;
    call.change(|writer| {
        let before = writer.alias(call.region(), &name)?.ok_or_else(|| call.no_such_alias(&name))?;
        let key = target_key(call, writer, &target.unwrap_or_default())?;
        let Some(before) = before.target else {
            return Err(call.no_such_alias(&name));
        };
        if before.key_id == key.id {
            let target = AliasTarget { updated: call.now, ..before };
            let alias = AliasRecord { target: Some(target), managed_description: None };
            return Ok(writer.put_alias(call.region(), &name, &alias)?);
        }
        if let Some(current) = writer.key(call.region(), &before.key_id)? {
            let kind = |record: &KeyRecord| {
                (record.usage, record.spec.is_symmetric_encryption(), record.spec.is_hmac())
            };
            if kind(&current) != kind(&key.record) {
                return Err(KmsError::validation(format!(
                    "Alias {} cannot point at {}: the two keys have to be of the same type and usage.",
                    call.place.alias_arn(&name),
                    key.arn
                )));
            }
        }
        require_room(call, writer, &key)?;
        let target = AliasTarget { key_id: key.id, created: before.created, updated: call.now };
        let alias = AliasRecord { target: Some(target), managed_description: None };
        Ok(writer.put_alias(call.region(), &name, &alias)?)
    })?;
    Ok(Answer::empty())
}

/// KMS API: `DeleteAlias`. In every state of its key.
pub(super) fn delete_alias(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let name = input.alias_name()?;
    input.finish()?;

    check_name(&name)?;
    call.change(|writer| {
        if writer.alias(call.region(), &name)?.is_none() {
            return Err(call.no_such_alias(&name));
        }
        Ok(writer.remove_alias(call.region(), &name)?)
    })?;
    Ok(Answer::empty())
}

/// The key that an alias is to point at.
fn target_key(call: &Call<'_>, writer: &Writer, text: &str) -> Result<Key, KmsError> {
    if let Identifier::Alias(_) = call.identifier(text)? {
        return Err(KmsError::validation("Aliases must refer to keys. Not aliases"));
    }
    let key = call.key(writer, text)?;
    call.may_manage(&key)?;
    key.lets(Deed::Describe)?;
    Ok(key)
}

fn require_room(call: &Call<'_>, writer: &Writer, key: &Key) -> Result<(), KmsError> {
    let there = writer.alias_names_of_key(call.region(), &key.id, None, MOST_OF_A_KEY)?;
    if there.items.len() < MOST_OF_A_KEY {
        return Ok(());
    }
    Err(KmsError::limit_exceeded(format!("{} has {MOST_OF_A_KEY} aliases, which is the limit.", key.arn)))
}

/// Whether an alias may be of that name. The words for a name without the prefix are recorded, those
/// for the others are not.
fn check_name(name: &str) -> Result<(), KmsError> {
    if !name.starts_with("alias/") {
        return Err(KmsError::validation(
            "Alias must start with the prefix \"alias/\". Please see \
             https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
        ));
    }
    if name.starts_with("alias/aws/") {
        return Err(KmsError::client(
            "NotAuthorizedException",
            "Aliases that begin with alias/aws/ are AWS's own.",
        ));
    }
    if !is_alias_name(name) {
        return Err(KmsError::client(
            "InvalidAliasNameException",
            format!("{name} is no alias name: after alias/ it may hold letters, digits, /, _ and -."),
        ));
    }
    Ok(())
}
