//! `DescribeCustomKeyStores`: the stores that the keyring tells of. None can be made or connected.

use serde_json::{Value, json};

use crate::local::answer::Answer;
use crate::local::error::KmsError;
use crate::local::key::{CustomKeyStoreRecord, epoch_seconds};
use crate::local::shape::{Input, Length, Pattern, Presence};
use crate::local::store::View as _;

use super::page::{Page, PageSizes};
use super::{Call, Members};

/// KMS API: `DescribeCustomKeyStores`: all, or the one with that id or that name. The sizes of its
/// pages are not documented.
pub(super) fn describe_custom_key_stores(call: &Call<'_>, mut input: Input) -> Result<Answer, KmsError> {
    let id = input.text("CustomKeyStoreId", Presence::Optional, Length(1, 64), Pattern::Any)?;
    let name = input.text("CustomKeyStoreName", Presence::Optional, Length(1, 256), Pattern::Any)?;
    let page = Page::read(&mut input, &PageSizes { default: 100, most: 1000 })?;
    input.finish()?;

    if id.is_some() && name.is_some() {
        return Err(KmsError::validation("Specify CustomKeyStoreId or CustomKeyStoreName, not both."));
    }
    let mut stores = call.reader()?.custom_key_stores(call.region())?;
    stores.retain(|(store_id, store)| {
        id.as_ref().is_none_or(|id| id == store_id) && name.as_ref().is_none_or(|name| *name == store.name)
    });
    if stores.is_empty()
        && let Some(wanted) = id.as_ref().or(name.as_ref())
    {
        return Err(not_found(wanted));
    }
    let scope = id.or(name).unwrap_or_default();
    if let Some(after) = page.after(call, &scope)? {
        stores.retain(|(store_id, _)| *store_id > after);
    }
    let more = stores.len() > page.limit;
    stores.truncate(page.limit);
    let last = stores.last().filter(|_| more).map(|(last, _)| last.as_str());
    let items = stores.iter().map(|(id, store)| entry(id, store)).collect();
    Ok(Page::answer(call, &scope, "CustomKeyStores", items, last))
}

/// KMS API: `CustomKeyStoresListEntry`.
fn entry(id: &str, store: &CustomKeyStoreRecord) -> Value {
    let kind = if store.proxy.is_some() { "EXTERNAL_KEY_STORE" } else { "AWS_CLOUDHSM" };
    let proxy = store.proxy.as_deref().map(|endpoint| {
        json!({
            "Connectivity": "PUBLIC_ENDPOINT",
            "UriEndpoint": endpoint,
            "UriPath": "/kms/xks/v1",
        })
    });
    let members = Members::default()
        .put("CustomKeyStoreId", id)
        .put("CustomKeyStoreName", store.name.as_str())
        .put_some("CloudHsmClusterId", store.cluster.as_deref())
        .put("ConnectionState", store.connection.as_str())
        .put("CreationDate", epoch_seconds(store.created))
        .put("CustomKeyStoreType", kind)
        .put_some("XksProxyConfiguration", proxy);
    Value::Object(members.0)
}

/// Whether there is a custom key store with that id.
///
/// # Errors
/// `CustomKeyStoreNotFoundException`.
pub(super) fn require(call: &Call<'_>, id: &str) -> Result<(), KmsError> {
    let stores = call.reader()?.custom_key_stores(call.region())?;
    if stores.iter().any(|(store_id, _)| store_id == id) { Ok(()) } else { Err(not_found(id)) }
}

fn not_found(wanted: &str) -> KmsError {
    KmsError::client("CustomKeyStoreNotFoundException", format!("There is no custom key store {wanted}."))
}
