//! `ListKeys` and `ListAliases`: pages of what there is, without a word on its state.

use serde_json::{Value, json};

use crate::local::answer::Answer;
use crate::local::error::KmsError;
use crate::local::key::{AliasRecord, epoch_seconds};
use crate::local::shape::{Input, Presence};
use crate::local::store::View as _;

use super::page::{Page, PageSizes};
use super::{Call, Members};

/// KMS API: `ListKeys`. Pages of 100, at most 1000, in the order of key ids.
pub(super) fn list_keys(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let page = Page::read(&mut input, &PageSizes { default: 100, most: 1000 })?;
    input.finish()?;

    let after = page.after(call, "")?;
    let part = call.reader()?.key_ids(call.region(), after.as_deref(), page.limit)?;
    let last = part.items.last().filter(|_| part.more).map(String::as_str);
    let items = part
        .items
        .iter()
        .map(|key_id| json!({ "KeyId": key_id, "KeyArn": call.place.key_arn(key_id) }))
        .collect();
    Ok(Page::answer(call, "", "Keys", items, last))
}

/// KMS API: `ListAliases`. Pages of 50, at most 100, in the order of names; with `KeyId` (a key id or
/// key ARN), the aliases of that key. Predefined aliases without a key have no `TargetKeyId` and no
/// dates.
pub(super) fn list_aliases(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let key_id = input.key_id(Presence::Optional)?;
    let page = Page::read(&mut input, &PageSizes { default: 50, most: 100 })?;
    input.finish()?;

    let reader = call.reader()?;
    let key = match &key_id {
        Some(text) => Some(call.key_not_by_alias(&reader, text)?),
        None => None,
    };
    let scope = key.as_ref().map_or("", |key| key.id.as_str());
    let after = page.after(call, scope)?;
    let after = after.as_deref();
    let part = match &key {
        Some(key) => reader.aliases_of_key(call.region(), &key.id, after, page.limit)?,
        None => reader.aliases(call.region(), after, page.limit)?,
    };
    let last = part.items.last().filter(|_| part.more).map(|(last, _)| last.as_str());
    let items = part.items.iter().map(|(name, alias)| entry(call, name, alias)).collect();
    Ok(Page::answer(call, scope, "Aliases", items, last))
}

/// KMS API: `AliasListEntry`.
fn entry(call: &Call<'_>, name: &str, alias: &AliasRecord) -> Value {
    let target = alias.target.as_ref();
    let members = Members::default()
        .put("AliasName", name)
        .put("AliasArn", call.place.alias_arn(name))
        .put_some("TargetKeyId", target.map(|target| target.key_id.as_str()))
        .put_some("CreationDate", target.map(|target| epoch_seconds(target.created)))
        .put_some("LastUpdatedDate", target.map(|target| epoch_seconds(target.updated)));
    Value::Object(members.0)
}
