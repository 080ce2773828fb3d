//! `TagResource`, `UntagResource`, `ListResourceTags`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::local::answer::Answer;
use crate::local::error::KmsError;
use crate::local::shape::{Input, Presence};
use crate::local::state::Deed;

use super::Call;
use super::page::{Page, PageSizes};

/// KMS API: `TagResource`, tags of a KMS key.
const MOST_OF_A_KEY: usize = 50;

/// KMS API: `TagResource`. A tag whose key is there already gets the new value.
pub(super) fn tag_resource(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let key_id = input.key_id(Presence::Required)?;
    let tags = input.tags(Presence::Required)?;
    input.finish()?;

    call.change_key(&key_id.unwrap_or_default(), Some(Deed::Describe), |_, key| {
        key.record.tags.extend(checked(tags)?);
        require_few(key.record.tags.len())
    })?;
    Ok(Answer::empty())
}

/// KMS API: `UntagResource`. A key that has no such tag is left as it is.
pub(super) fn untag_resource(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let key_id = input.key_id(Presence::Required)?;
    let tag_keys = input.tag_keys()?;
    input.finish()?;

    call.change_key(&key_id.unwrap_or_default(), Some(Deed::Describe), |_, key| {
        require_ours(tag_keys.iter())?;
        key.record.tags.retain(|tag_key, _| !tag_keys.contains(tag_key));
        Ok(())
    })?;
    Ok(Answer::empty())
}

/// KMS API: `ListResourceTags`. Pages of 50, in the order of the tags' keys.
pub(super) fn list_resource_tags(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let key_id = input.key_id(Presence::Required)?;
    let page = Page::read(&mut input, &PageSizes { default: 50, most: 50 })?;
    input.finish()?;

    let key = call.key_not_by_alias(&call.reader()?, &key_id.unwrap_or_default())?;
    let after = page.after(call, &key.id)?;
    let behind = |tag_key: &str| after.as_deref().is_none_or(|after| tag_key > after);
    let mut rest = key.record.tags.iter().filter(|(tag_key, _)| behind(tag_key));
    let tags: Vec<_> = rest.by_ref().take(page.limit).collect();
    let last = tags.last().filter(|_| rest.next().is_some()).map(|(tag_key, _)| tag_key.as_str());
    let items = tags.iter().map(|(tag_key, value)| json!({ "TagKey": tag_key, "TagValue": value })).collect();
    Ok(Page::answer(call, &key.id, "Tags", items, last))
}

/// Tags of a request, where a key may have them.
///
/// # Errors
/// `TagException` in the words of the service.
pub(super) fn checked(tags: Vec<(String, String)>) -> Result<BTreeMap<String, String>, KmsError> {
    require_ours(tags.iter().map(|(tag_key, _)| tag_key))?;
    let distinct: BTreeSet<&str> = tags.iter().map(|(tag_key, _)| tag_key.as_str()).collect();
    if distinct.len() < tags.len() {
        return Err(KmsError::client("TagException", "Duplicate tag keys"));
    }
    require_few(tags.len())?;
    Ok(tags.into_iter().collect())
}

fn require_ours<'a>(mut tag_keys: impl Iterator<Item = &'a String>) -> Result<(), KmsError> {
    let reserved =
        |tag_key: &String| tag_key.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"));
    if tag_keys.any(reserved) {
        return Err(KmsError::client("TagException", "Tags beginning with aws: are reserved"));
    }
    Ok(())
}

fn require_few(count: usize) -> Result<(), KmsError> {
    if count > MOST_OF_A_KEY {
        return Err(KmsError::client("TagException", "Too many tags"));
    }
    Ok(())
}
