//! `GetKeyPolicy`, `PutKeyPolicy`, `ListKeyPolicies`. In every state of the key.

use crate::local::answer::Answer;
use crate::local::error::KmsError;
use crate::local::policy;
use crate::local::service::CALLER;
use crate::local::shape::{Input, Length, Pattern, Presence};
use crate::local::store::View as _;

use super::create_key::POLICY;
use super::page::{Page, PageSizes};
use super::{Call, Members};

/// The one policy that a key has. KMS API: `GetKeyPolicy`, `PolicyName`.
const DEFAULT: &str = "default";

fn policy_name(input: &mut Input) -> Result<String, KmsError> {
    let name = input.text("PolicyName", Presence::Optional, Length(1, 128), Pattern::Word)?;
    Ok(name.unwrap_or_else(|| DEFAULT.to_owned()))
}

/// KMS API: `GetKeyPolicy`.
pub(super) fn get_key_policy(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let key_id = input.key_id(Presence::Required)?;
    let name = policy_name(&mut input)?;
    input.finish()?;

    let reader = call.reader()?;
    let key = call.key_not_by_alias(&reader, &key_id.unwrap_or_default())?;
    if name != DEFAULT {
        return Err(KmsError::not_found("No such policy exists"));
    }
    let policy =
        reader.policy(call.region(), &key.id)?.unwrap_or_else(|| policy::default_policy(&call.place));
    let written = policy::written(&policy).ok_or_else(KmsError::internal)?;
    Ok(Members::default().put("Policy", written).put("PolicyName", name).answer())
}

/// KMS API: `PutKeyPolicy`.
pub(super) fn put_key_policy(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let key_id = input.key_id(Presence::Required)?;
    let name = policy_name(&mut input)?;
    let policy = input.text("Policy", Presence::Required, POLICY, Pattern::Document)?;
    let bypass = input.boolean("BypassPolicyLockoutSafetyCheck")?;
    input.finish()?;

    call.change_key(&key_id.unwrap_or_default(), None, |writer, key| {
        if name != DEFAULT {
            return Err(KmsError::validation(format!("PolicyName {name} cannot be put: it is `{DEFAULT}`.")));
        }
        let policy = policy.unwrap_or_default();
        policy::check(&policy, CALLER, &call.place, bypass)?;
        Ok(writer.put_policy(call.region(), &key.id, &policy)?)
    })?;
    Ok(Answer::empty())
}

/// KMS API: `ListKeyPolicies`. There is one.
pub(super) fn list_key_policies(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let key_id = input.key_id(Presence::Required)?;
    let page = Page::read(&mut input, &PageSizes { default: 100, most: 1000 })?;
    input.finish()?;

    let key = call.key_not_by_alias(&call.reader()?, &key_id.unwrap_or_default())?;
    // No marker was ever given out for it.
    page.after(call, &key.id)?;
    Ok(Page::answer(call, &key.id, "PolicyNames", vec![DEFAULT.into()], None))
}
