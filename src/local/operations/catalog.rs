//! `ListKeys` and `ListAliases`: pages of what there is, without a word on its state.

use serde_json::{Map, Value, json};

use crate::local::error::KmsError;
use crate::local::key::{AliasRecord, epoch_seconds};
use crate::local::shape::{Input, Length, Pattern, Presence};

use super::Call;

/// The page sizes of an operation. The model lets every `Limit` be 1 to 1000; the documentation
/// narrows it for some. What the service does with a `Limit` between the two is not recorded: here
/// it gets the most that is documented, as "KMS might return fewer".
struct PageSizes {
    default: usize,
    most: usize,
}

/// What a request asks of a listing.
struct Page {
    limit: usize,
    marker: Option<String>,
}

impl Page {
    fn read(input: &mut Input, sizes: &PageSizes) -> Result<Self, KmsError> {
        let limit = input.integer("Limit", 1, 1000)?;
        let marker = input.text("Marker", Presence::Optional, Length(1, 1024), Pattern::Latin1)?;
        Ok(Self { limit: limit.unwrap_or(sizes.default).min(sizes.most), marker })
    }
}

/// A page as the service answers it: the items, `NextMarker` where there are more, `Truncated`.
fn answer(member: &str, items: Vec<Value>, next_marker: Option<String>) -> Value {
    let mut members = Map::new();
    members.insert(member.to_owned(), Value::Array(items));
    let truncated = next_marker.is_some();
    if let Some(marker) = next_marker {
        members.insert("NextMarker".to_owned(), marker.into());
    }
    members.insert("Truncated".to_owned(), truncated.into());
    Value::Object(members)
}

/// KMS API: `ListKeys`. Pages of 100, at most 1000, in the order of key ids.
pub(super) fn list_keys(call: &Call<'_>, mut input: Input) -> Result<Value, KmsError> {
    let sizes = PageSizes { default: 100, most: 1000 };
    let page = Page::read(&mut input, &sizes)?;
    input.finish()?;

    let markers = &call.service.markers;
    let region = call.place.region.as_str();
    let scope = [call.operation.name, region];
    let after = match &page.marker {
        Some(marker) => Some(markers.read(&scope, marker)?),
        None => None,
    };
    let part = call.reader()?.key_ids(region, after.as_deref(), page.limit)?;
    let next = part.items.last().filter(|_| part.more).map(|last| markers.issue(&scope, last));
    let items = part
        .items
        .iter()
        .map(|key_id| json!({ "KeyId": key_id, "KeyArn": call.place.key_arn(key_id) }))
        .collect();
    Ok(answer("Keys", items, next))
}

/// KMS API: `ListAliases`. Pages of 50, at most 100, in the order of names; with `KeyId` (a key id or
/// key ARN), the aliases of that key. Predefined aliases without a key have no `TargetKeyId` and no
/// dates.
pub(super) fn list_aliases(call: &Call<'_>, mut input: Input) -> Result<Value, KmsError> {
    let sizes = PageSizes { default: 50, most: 100 };
    let key_id = input.key_id(Presence::Optional)?;
    let page = Page::read(&mut input, &sizes)?;
    input.finish()?;

    let reader = call.reader()?;
    let key = match &key_id {
        Some(text) => Some(call.key_not_by_alias(&reader, text)?),
        None => None,
    };
    let markers = &call.service.markers;
    let region = call.place.region.as_str();
    let filter = key.as_ref().map_or("", |key| key.id.as_str());
    let scope = [call.operation.name, region, filter];
    let after = match &page.marker {
        Some(marker) => Some(markers.read(&scope, marker)?),
        None => None,
    };
    let after = after.as_deref();
    let part = match &key {
        Some(key) => reader.aliases_of_key(region, &key.id, after, page.limit)?,
        None => reader.aliases(region, after, page.limit)?,
    };
    let next = part.items.last().filter(|_| part.more).map(|(last, _)| markers.issue(&scope, last));
    let items = part.items.iter().map(|(name, alias)| entry(call, name, alias)).collect();
    Ok(answer("Aliases", items, next))
}

/// KMS API: `AliasListEntry`.
fn entry(call: &Call<'_>, name: &str, alias: &AliasRecord) -> Value {
    let mut members = Map::new();
    let mut put = |member: &str, value: Value| {
        members.insert(member.to_owned(), value);
    };
    put("AliasName", name.into());
    put("AliasArn", call.place.alias_arn(name).into());
    if let Some(target) = &alias.target {
        put("TargetKeyId", target.key_id.as_str().into());
        put("CreationDate", epoch_seconds(target.created));
        put("LastUpdatedDate", epoch_seconds(target.updated));
    }
    Value::Object(members)
}
