//! `CreateGrant`, `ListGrants`, `RetireGrant`, `RevokeGrant`, and grant tokens. Grants are kept and
//! told of; nothing is decided by them, since every caller is the account's own user.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::local::answer::Answer;
use crate::local::error::KmsError;
use crate::local::hex;
use crate::local::key::{GrantRecord, KeyRecord, KeySpec, KeyUsage, epoch_seconds};
use crate::local::shape::{Input, Length, Pattern, Presence};
use crate::local::state::Deed;
use crate::local::store::{View as _, Writer};

use super::page::{Page, PageSizes};
use super::{Call, Key, Members};

/// KMS API: `CreateGrant`, `Operations`.
const OPERATIONS: [&str; 17] = [
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
    "Sign",
    "Verify",
    "GetPublicKey",
    "CreateGrant",
    "RetireGrant",
    "DescribeKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateMac",
    "VerifyMac",
    "DeriveSharedSecret",
];
const PRINCIPAL: Length = Length(1, 256);
/// KMS API: `CreateGrant`, `Constraints`.
const MOST_PAIRS: usize = 8;
const LONGEST_VALUE: usize = 384;
/// KMS API: Resource quotas, grants per KMS key.
const MOST_OF_A_KEY: usize = 50_000;
/// What grant tokens are signed for.
const TOKEN: [&str; 1] = ["GrantToken"];

/// KMS API: `CreateGrant`. A name with the very same parameters gives the same grant again, with a new
/// token.
pub(super) fn create_grant(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let key_id = input.key_id(Presence::Required)?;
    let grantee = principal(&mut input, "Grantee")?;
    let retiring = principal(&mut input, "Retiring")?;
    if !input.has("Operations") {
        input.violate_null("Operations");
    }
    let mut operations = input.some_of("Operations", &OPERATIONS)?;
    let constraints = input.structure("Constraints")?;
    let grant_tokens = input.grant_tokens()?;
    let name = input.text("Name", Presence::Optional, Length(1, 256), Pattern::Name)?;
    let dry_run = input.boolean("DryRun")?;
    input.finish()?;

    let (context_subset, context_equals) = match constraints {
        None => (BTreeMap::new(), BTreeMap::new()),
        Some(mut constraints) => (
            constraints.encryption_context("EncryptionContextSubset")?,
            constraints.encryption_context("EncryptionContextEquals")?,
        ),
    };
    // The order and repetitions say nothing.
    operations.sort_by_key(|operation| OPERATIONS.iter().position(|known| known == operation));
    operations.dedup();
    let (grantee, grantee_service) = grantee.ok_or_else(|| {
        KmsError::validation("Specify one of GranteePrincipal and GranteeServicePrincipal.")
    })?;
    let (retiring, retiring_service) =
        retiring.map_or((None, false), |(name, service)| (Some(name), service));
    let grant = GrantRecord {
        name: name.unwrap_or_default(),
        created: call.now,
        grantee,
        grantee_service,
        retiring,
        retiring_service,
        operations,
        context_subset,
        context_equals,
    };
    check_constraints(&grant)?;
    for (principal, is_service) in
        [(Some(&grant.grantee), grant.grantee_service), (grant.retiring.as_ref(), grant.retiring_service)]
    {
        if principal.is_some_and(|principal| !is_service && !principal.starts_with("arn:")) {
            return Err(KmsError::client("InvalidArnException", "ARN does not refer to a valid principal"));
        }
    }
    call.change(|writer| {
        let key = call.key_not_by_alias(writer, &key_id.unwrap_or_default())?;
        call.may_use(&key, &grant_tokens)?;
        key.lets(Deed::Grant)?;
        check_operations(&grant, &key.record)?;
        let same =
            |_: &str, other: &GrantRecord| GrantRecord { created: other.created, ..grant.clone() } == *other;
        let found = match grant.name.as_str() {
            "" => None,
            _ => writer.grants(call.region(), &key.id, None, 1, same)?.items.pop(),
        };
        if found.is_none() {
            require_room(call, writer, &key)?;
        }
        if dry_run {
            return Err(KmsError::dry_run());
        }
        let grant_id = match found {
            Some((grant_id, _)) => grant_id,
            None => put_grant(call, writer, &key, &grant)?,
        };
        let token = issue_token(call, &key, &grant_id)?;
        Ok(Members::default().put("GrantToken", token).put("GrantId", grant_id).answer())
    })
}

fn require_room(call: &Call<'_>, writer: &Writer, key: &Key) -> Result<(), KmsError> {
    if writer.grant_count(call.region(), &key.id)? < MOST_OF_A_KEY {
        return Ok(());
    }
    Err(KmsError::limit_exceeded(format!("{} has {MOST_OF_A_KEY} grants, which is the limit.", key.arn)))
}

/// Puts a grant under a fresh id.
fn put_grant(call: &Call<'_>, writer: &Writer, key: &Key, grant: &GrantRecord) -> Result<String, KmsError> {
    let grant_id = hex::encode(&call.service.randomness.array::<32>()?);
    writer.put_grant(call.region(), &key.id, &grant_id, grant)?;
    Ok(grant_id)
}

/// `GranteePrincipal` or `GranteeServicePrincipal`, or the two that retire; whether it is a service.
fn principal(input: &mut Input, which: &str) -> Result<Option<(String, bool)>, KmsError> {
    let (own, service) = (format!("{which}Principal"), format!("{which}ServicePrincipal"));
    let own = input.text(&own, Presence::Optional, PRINCIPAL, Pattern::Principal)?;
    let service = input.text(&service, Presence::Optional, PRINCIPAL, Pattern::Principal)?;
    match (own, service) {
        (Some(_), Some(_)) => Err(KmsError::validation(format!(
            "Specify one of {which}Principal and {which}ServicePrincipal, not both."
        ))),
        (Some(own), None) => Ok(Some((own, false))),
        (None, service) => Ok(service.map(|service| (service, true))),
    }
}

/// KMS API: `GrantConstraints`.
fn check_constraints(grant: &GrantRecord) -> Result<(), KmsError> {
    let contexts = [&grant.context_subset, &grant.context_equals];
    if contexts.iter().any(|context| context.len() > MOST_PAIRS) {
        return Err(KmsError::validation(format!(
            "A grant constraint can have at most {MOST_PAIRS} pairs of an encryption context."
        )));
    }
    let mut values = contexts.iter().flat_map(|context| context.values());
    if values.any(|value| value.encode_utf16().count() > LONGEST_VALUE) {
        return Err(KmsError::validation(format!(
            "A value of a grant constraint can have at most {LONGEST_VALUE} characters."
        )));
    }
    Ok(())
}

/// Whether the key can do what is granted, and with those constraints.
fn check_operations(grant: &GrantRecord, record: &KeyRecord) -> Result<(), KmsError> {
    let fits = |operation: &str| match operation {
        "CreateGrant" | "RetireGrant" | "DescribeKey" => true,
        "Encrypt" | "Decrypt" | "ReEncryptFrom" | "ReEncryptTo" => record.usage == KeyUsage::EncryptDecrypt,
        "GetPublicKey" => !record.spec.is_symmetric_encryption() && !record.spec.is_hmac(),
        "Sign" | "Verify" => record.usage == KeyUsage::SignVerify,
        "GenerateMac" | "VerifyMac" => record.usage == KeyUsage::GenerateVerifyMac,
        "DeriveSharedSecret" => record.usage == KeyUsage::KeyAgreement,
        _ => record.spec == KeySpec::SymmetricDefault,
    };
    if let Some(unfit) = grant.operations.iter().find(|operation| !fits(operation)) {
        return Err(KmsError::validation(format!(
            "The operation {unfit} cannot be granted on a key of the key spec {} and the key usage {}.",
            record.spec.word(),
            record.usage.word()
        )));
    }
    let constrained = !grant.context_subset.is_empty() || !grant.context_equals.is_empty();
    if constrained && record.spec != KeySpec::SymmetricDefault {
        return Err(KmsError::validation(
            "An encryption context constrains grants on symmetric encryption keys alone.",
        ));
    }
    Ok(())
}

/// KMS API: `ListGrants`. Pages of 50, at most 100, in the order of grant ids.
pub(super) fn list_grants(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let key_id = input.key_id(Presence::Required)?;
    let page = Page::read(&mut input, &PageSizes { default: 50, most: 100 })?;
    let grant_id = input.text("GrantId", Presence::Optional, Length(1, 128), Pattern::Any)?;
    let grantee = principal(&mut input, "Grantee")?;
    input.finish()?;

    let reader = call.reader()?;
    let key = call.key_not_by_alias(&reader, &key_id.unwrap_or_default())?;
    if let Some(grant_id) = &grant_id {
        check_grant_id(grant_id)?;
    }
    let (principal, is_service) = grantee.as_ref().map_or(("", false), |(name, service)| (name, *service));
    let scope = format!("{} {} {principal} {is_service}", key.id, grant_id.as_deref().unwrap_or_default());
    let after = page.after(call, &scope)?;
    let wanted = |id: &str, grant: &GrantRecord| {
        grant_id.as_deref().is_none_or(|grant_id| grant_id == id)
            && grantee
                .as_ref()
                .is_none_or(|(name, service)| *name == grant.grantee && *service == grant.grantee_service)
    };
    let part = reader.grants(call.region(), &key.id, after.as_deref(), page.limit, wanted)?;
    let last = part.items.last().filter(|_| part.more).map(|(last, _)| last.as_str());
    let items = part.items.iter().map(|(grant_id, grant)| entry(call, &key, grant_id, grant)).collect();
    Ok(Page::answer(call, &scope, "Grants", items, last))
}

/// KMS API: `GrantListEntry`. `KeyId` is the key ARN.
fn entry(call: &Call<'_>, key: &Key, grant_id: &str, grant: &GrantRecord) -> Value {
    let mut constraints = serde_json::Map::new();
    if !grant.context_subset.is_empty() {
        constraints.insert("EncryptionContextSubset".to_owned(), json!(grant.context_subset));
    }
    if !grant.context_equals.is_empty() {
        constraints.insert("EncryptionContextEquals".to_owned(), json!(grant.context_equals));
    }
    let named = |which: &str, service: bool| {
        if service { format!("{which}ServicePrincipal") } else { format!("{which}Principal") }
    };
    let members = Members::default()
        .put("KeyId", key.arn.as_str())
        .put("GrantId", grant_id)
        .put("Name", grant.name.as_str())
        .put("CreationDate", epoch_seconds(grant.created))
        .put(&named("Grantee", grant.grantee_service), grant.grantee.as_str())
        .put_some(&named("Retiring", grant.retiring_service), grant.retiring.as_deref())
        .put("IssuingAccount", call.place.account_arn())
        .put("Operations", grant.operations.clone())
        .put_some("Constraints", (!constraints.is_empty()).then_some(constraints));
    Value::Object(members.0)
}

/// KMS API: `RetireGrant`: by its token, or by its key and id. In every state of the key.
pub(super) fn retire_grant(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let token = input.text("GrantToken", Presence::Optional, Length(1, 8192), Pattern::Any)?;
    let key_id = input.key_id(Presence::Optional)?;
    let grant_id = input.text("GrantId", Presence::Optional, Length(1, 128), Pattern::Any)?;
    let dry_run = input.boolean("DryRun")?;
    input.finish()?;

    let (key_id, grant_id) = match (token, key_id, grant_id) {
        (Some(token), None, None) => read_token(call, &token)?,
        (None, Some(key_id), Some(grant_id)) => (key_id, grant_id),
        _ => {
            return Err(KmsError::validation("Specify either GrantToken, or both KeyId and GrantId."));
        }
    };
    end(call, &key_id, &grant_id, dry_run)
}

/// KMS API: `RevokeGrant`. In every state of the key.
pub(super) fn revoke_grant(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let key_id = input.key_id(Presence::Required)?;
    let grant_id = input.text("GrantId", Presence::Required, Length(1, 128), Pattern::Any)?;
    let dry_run = input.boolean("DryRun")?;
    input.finish()?;

    end(call, &key_id.unwrap_or_default(), &grant_id.unwrap_or_default(), dry_run)
}

fn end(call: &Call<'_>, key_id: &str, grant_id: &str, dry_run: bool) -> Result<Answer, KmsError> {
    call.change(|writer| {
        let key = call.key_not_by_alias(writer, key_id)?;
        check_grant_id(grant_id)?;
        require_grant(call, writer, &key, grant_id)?;
        if dry_run {
            return Err(KmsError::dry_run());
        }
        Ok(writer.remove_grant(call.region(), &key.id, grant_id)?)
    })?;
    Ok(Answer::empty())
}

/// The words for a grant that is not there are not recorded.
fn require_grant(call: &Call<'_>, writer: &Writer, key: &Key, grant_id: &str) -> Result<(), KmsError> {
    match writer.grant(call.region(), &key.id, grant_id)? {
        Some(_) => Ok(()),
        None => Err(KmsError::not_found(format!("Grant ID {grant_id} not found"))),
    }
}

/// A grant id is 64 hexadecimal digits.
fn check_grant_id(grant_id: &str) -> Result<(), KmsError> {
    match hex::decode::<32>(grant_id) {
        Some(_) => Ok(()),
        None => Err(KmsError::client("InvalidGrantIdException", format!("Invalid grant ID {grant_id}"))),
    }
}

/// A token names the grant, and is another one each time.
fn issue_token(call: &Call<'_>, key: &Key, grant_id: &str) -> Result<String, KmsError> {
    let once = hex::encode(&call.service.randomness.array::<16>()?);
    let said = format!("{} {grant_id} {once}", key.arn);
    Ok(call.service.markers.issue(&TOKEN, &said))
}

/// The key ARN and the grant id that a token names.
fn read_token(call: &Call<'_>, token: &str) -> Result<(String, String), KmsError> {
    let invalid =
        || KmsError::client("InvalidGrantTokenException", "The local KMS has issued no such grant token.");
    let said = call.service.markers.read(&TOKEN, token).map_err(|_| invalid())?;
    let mut parts = said.split(' ').map(str::to_owned);
    parts.next().zip(parts.next()).ok_or_else(invalid)
}

/// Whether the tokens were issued here. One of a grant that is gone is none that was made up.
pub(super) fn check_tokens(call: &Call<'_>, tokens: &[String]) -> Result<(), KmsError> {
    for token in tokens {
        read_token(call, token)?;
    }
    Ok(())
}
