//! What can be read about one key, aspect by aspect, each list to its end.
//!
//! For a person who waits: the interactive client, one call after another within a list. These
//! operations take a key id or a key ARN, no alias (KMS API; GetPublicKey alone would take one). To
//! stop, drop the future.

use std::collections::{BTreeMap, HashMap, HashSet};

use aws_sdk_kms::types;

use super::Clients;
use super::describe::{spelled, timestamp};
use super::error::failure_of;
use crate::domain::details::{
    Aspect, CustomKeyStore, Detail, Grant, GrantConstraints, KeyPolicy, KeyRotation, KeyUse, LastUsage,
    PublicKey, Rotation, RotationStatus, Tag, XksProxyConfiguration,
};
use crate::domain::failure::{Failure, FailureKind};

/// Tags that a page of `ListResourceTags` holds at most (KMS API: `ListResourceTags`).
const TAGS_A_PAGE: i32 = 50;
/// KMS API: `ListGrants`.
const GRANTS_A_PAGE: i32 = 100;
/// KMS API: `ListKeyRotations`.
const ROTATIONS_A_PAGE: i32 = 1000;
/// KMS API: ListAliases.
const ALIASES_A_PAGE: i32 = 100;

/// Reads one aspect of a key, by its ARN or id. The custom key store is found by its id, which
/// DescribeKey tells; nothing else needs it.
///
/// # Errors
/// The failure, with its way out. A rotation of which one half was told is no failure: the other half
/// is one within it.
pub async fn read_detail(
    clients: &Clients,
    aspect: Aspect,
    key_arn: &str,
    custom_key_store_id: Option<&str>,
) -> Result<Detail, Failure> {
    match aspect {
        Aspect::Policy => policy(clients, key_arn).await.map(Detail::Policy),
        Aspect::Tags => tags(clients, key_arn).await.map(Detail::Tags),
        Aspect::Grants => grants(clients, key_arn).await.map(Detail::Grants),
        Aspect::Rotation => rotation(clients, key_arn).await.map(Detail::Rotation),
        Aspect::PublicKey => public_key(clients, key_arn).await.map(Detail::PublicKey),
        Aspect::LastUsage => last_usage(clients, key_arn).await.map(Detail::LastUsage),
        Aspect::CustomKeyStore => {
            custom_key_store(clients, custom_key_store_id).await.map(Detail::CustomKeyStore)
        }
    }
}

/// The names of all aliases of a key, in the service's order.
///
/// # Errors
/// The failure, with its way out.
pub async fn read_aliases(clients: &Clients, key_arn: &str) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    let mut pages = Pages::new("ListAliases");
    loop {
        let call = clients.interactive.list_aliases().key_id(key_arn).limit(ALIASES_A_PAGE);
        let answer = call.set_marker(pages.marker.clone()).send().await;
        let answer = answer.map_err(|error| failure_of(pages.operation, None, &clients.place, &error))?;
        names.extend(answer.aliases().iter().filter_map(|alias| alias.alias_name()).map(str::to_owned));
        if !pages.turn(answer.truncated(), answer.next_marker())? {
            return Ok(names);
        }
    }
}

/// Whether an alias is listed without a key, as predefined aliases are: to describe one makes its AWS
/// managed key (KMS API: DescribeKey). `false` for an alias that is not listed.
///
/// # Errors
/// The failure, with its way out: whether there is a key is then not known.
pub async fn has_no_key(clients: &Clients, alias_name: &str) -> Result<bool, Failure> {
    let mut pages = Pages::new("ListAliases");
    loop {
        let call = clients.interactive.list_aliases().limit(ALIASES_A_PAGE);
        let answer = call.set_marker(pages.marker.clone()).send().await;
        let answer = answer.map_err(|error| failure_of(pages.operation, None, &clients.place, &error))?;
        let mut aliases = answer.aliases().iter();
        if let Some(alias) = aliases.find(|alias| alias.alias_name() == Some(alias_name)) {
            return Ok(alias.target_key_id().is_none());
        }
        if !pages.turn(answer.truncated(), answer.next_marker())? {
            return Ok(false);
        }
    }
}

async fn policy(clients: &Clients, key_arn: &str) -> Result<KeyPolicy, Failure> {
    let answer = clients.interactive.get_key_policy().key_id(key_arn).send().await;
    let answer = answer.map_err(|error| failure_of("GetKeyPolicy", Some(key_arn), &clients.place, &error))?;
    Ok(KeyPolicy {
        policy: answer.policy().unwrap_or_default().to_owned(),
        policy_name: answer.policy_name().unwrap_or("default").to_owned(),
    })
}

async fn tags(clients: &Clients, key_arn: &str) -> Result<Vec<Tag>, Failure> {
    let mut tags = Vec::new();
    let mut pages = Pages::new("ListResourceTags");
    loop {
        let call = clients.interactive.list_resource_tags().key_id(key_arn).limit(TAGS_A_PAGE);
        let answer = call.set_marker(pages.marker.clone()).send().await;
        let answer =
            answer.map_err(|error| failure_of(pages.operation, Some(key_arn), &clients.place, &error))?;
        tags.extend(
            answer
                .tags()
                .iter()
                .map(|tag| Tag { tag_key: tag.tag_key().to_owned(), tag_value: tag.tag_value().to_owned() }),
        );
        if !pages.turn(answer.truncated(), answer.next_marker())? {
            return Ok(tags);
        }
    }
}

async fn grants(clients: &Clients, key_arn: &str) -> Result<Vec<Grant>, Failure> {
    let mut grants = Vec::new();
    let mut pages = Pages::new("ListGrants");
    loop {
        let call = clients.interactive.list_grants().key_id(key_arn).limit(GRANTS_A_PAGE);
        let answer = call.set_marker(pages.marker.clone()).send().await;
        let answer =
            answer.map_err(|error| failure_of(pages.operation, Some(key_arn), &clients.place, &error))?;
        grants.extend(answer.grants().iter().map(grant));
        if !pages.turn(answer.truncated(), answer.next_marker())? {
            return Ok(grants);
        }
    }
}

fn grant(entry: &types::GrantListEntry) -> Grant {
    Grant {
        grant_id: entry.grant_id().map(str::to_owned),
        name: entry.name().map(str::to_owned),
        creation_date: entry.creation_date().and_then(timestamp),
        grantee_principal: entry.grantee_principal().map(str::to_owned),
        grantee_service_principal: entry.grantee_service_principal().map(str::to_owned),
        retiring_principal: entry.retiring_principal().map(str::to_owned),
        retiring_service_principal: entry.retiring_service_principal().map(str::to_owned),
        issuing_account: entry.issuing_account().map(str::to_owned),
        operations: spelled(entry.operations(), types::GrantOperation::as_str),
        constraints: entry.constraints().map(|constraints| GrantConstraints {
            encryption_context_subset: constraints.encryption_context_subset().map(sorted),
            encryption_context_equals: constraints.encryption_context_equals().map(sorted),
            source_arn: constraints.source_arn().map(str::to_owned),
        }),
    }
}

fn sorted(context: &HashMap<String, String>) -> BTreeMap<String, String> {
    context.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Both halves side by side. Where neither is told, the failure is the status'.
async fn rotation(clients: &Clients, key_arn: &str) -> Result<Rotation, Failure> {
    let (status, history) = tokio::join!(rotation_status(clients, key_arn), rotations(clients, key_arn));
    match (status, history) {
        (Err(failure), Err(_)) => Err(failure),
        (status, history) => Ok(Rotation { status, history }),
    }
}

async fn rotation_status(clients: &Clients, key_arn: &str) -> Result<RotationStatus, Failure> {
    let answer = clients.interactive.get_key_rotation_status().key_id(key_arn).send().await;
    let answer =
        answer.map_err(|error| failure_of("GetKeyRotationStatus", Some(key_arn), &clients.place, &error))?;
    Ok(RotationStatus {
        enabled: answer.key_rotation_enabled(),
        period_in_days: answer.rotation_period_in_days(),
        next_rotation_date: answer.next_rotation_date().and_then(timestamp),
        on_demand_rotation_start_date: answer.on_demand_rotation_start_date().and_then(timestamp),
    })
}

async fn rotations(clients: &Clients, key_arn: &str) -> Result<Vec<KeyRotation>, Failure> {
    let mut rotations = Vec::new();
    let mut pages = Pages::new("ListKeyRotations");
    loop {
        let call = clients.interactive.list_key_rotations().key_id(key_arn).limit(ROTATIONS_A_PAGE);
        let call = call.include_key_material(types::IncludeKeyMaterial::AllKeyMaterial);
        let answer = call.set_marker(pages.marker.clone()).send().await;
        let answer =
            answer.map_err(|error| failure_of(pages.operation, Some(key_arn), &clients.place, &error))?;
        rotations.extend(answer.rotations().iter().map(|entry| KeyRotation {
            key_material_id: entry.key_material_id().map(str::to_owned),
            key_material_description: entry.key_material_description().map(str::to_owned),
            import_state: entry.import_state().map(|state| state.as_str().to_owned()),
            key_material_state: entry.key_material_state().map(|state| state.as_str().to_owned()),
            expiration_model: entry.expiration_model().map(|model| model.as_str().to_owned()),
            valid_to: entry.valid_to().and_then(timestamp),
            rotation_date: entry.rotation_date().and_then(timestamp),
            rotation_type: entry.rotation_type().map(|kind| kind.as_str().to_owned()),
        }));
        if !pages.turn(answer.truncated(), answer.next_marker())? {
            return Ok(rotations);
        }
    }
}

async fn public_key(clients: &Clients, key_arn: &str) -> Result<PublicKey, Failure> {
    let answer = clients.interactive.get_public_key().key_id(key_arn).send().await;
    let answer = answer.map_err(|error| failure_of("GetPublicKey", Some(key_arn), &clients.place, &error))?;
    let der = answer.public_key().map(AsRef::as_ref).unwrap_or_default();
    if der.is_empty() {
        return Err(no_kms("GetPublicKey", "the service answered without a PublicKey"));
    }
    Ok(PublicKey {
        der: der.to_vec(),
        key_spec: answer.key_spec().map(|spec| spec.as_str().to_owned()),
        key_usage: answer.key_usage().map(|usage| usage.as_str().to_owned()),
        encryption_algorithms: spelled(
            answer.encryption_algorithms(),
            types::EncryptionAlgorithmSpec::as_str,
        ),
        signing_algorithms: spelled(answer.signing_algorithms(), types::SigningAlgorithmSpec::as_str),
        key_agreement_algorithms: spelled(
            answer.key_agreement_algorithms(),
            types::KeyAgreementAlgorithmSpec::as_str,
        ),
        encapsulation_algorithms: spelled(
            answer.encapsulation_algorithms(),
            types::EncapsulationAlgorithmSpec::as_str,
        ),
    })
}

async fn last_usage(clients: &Clients, key_arn: &str) -> Result<LastUsage, Failure> {
    let answer = clients.interactive.get_key_last_usage().key_id(key_arn).send().await;
    let answer =
        answer.map_err(|error| failure_of("GetKeyLastUsage", Some(key_arn), &clients.place, &error))?;
    let last = answer.key_last_usage().map(|last| KeyUse {
        operation: last.operation().map(|operation| operation.as_str().to_owned()),
        timestamp: last.timestamp().and_then(timestamp),
        cloud_trail_event_id: last.cloud_trail_event_id().map(str::to_owned),
        kms_request_id: last.kms_request_id().map(str::to_owned),
    });
    Ok(LastUsage {
        // An empty object is the service's word for never.
        last: last.filter(|last| *last != KeyUse::default()),
        tracking_start_date: answer.tracking_start_date().and_then(timestamp),
        key_creation_date: answer.key_creation_date().and_then(timestamp),
    })
}

async fn custom_key_store(clients: &Clients, id: Option<&str>) -> Result<CustomKeyStore, Failure> {
    let Some(id) = id else {
        return Err(Failure::new(FailureKind::Other, "which custom key store the key is in was not told"));
    };
    let mut pages = Pages::new("DescribeCustomKeyStores");
    loop {
        let call = clients.interactive.describe_custom_key_stores().custom_key_store_id(id);
        let answer = call.set_marker(pages.marker.clone()).send().await;
        let answer = answer.map_err(|error| failure_of(pages.operation, None, &clients.place, &error))?;
        let of_that_id = |store: &&types::CustomKeyStoresListEntry| store.custom_key_store_id() == Some(id);
        if let Some(store) = answer.custom_key_stores().iter().find(of_that_id) {
            return Ok(store_of(store));
        }
        if !pages.turn(answer.truncated(), answer.next_marker())? {
            return Err(no_kms(pages.operation, "the service answered without the custom key store"));
        }
    }
}

fn store_of(entry: &types::CustomKeyStoresListEntry) -> CustomKeyStore {
    CustomKeyStore {
        custom_key_store_id: entry.custom_key_store_id().map(str::to_owned),
        custom_key_store_name: entry.custom_key_store_name().map(str::to_owned),
        custom_key_store_type: entry.custom_key_store_type().map(|kind| kind.as_str().to_owned()),
        connection_state: entry.connection_state().map(|state| state.as_str().to_owned()),
        connection_error_code: entry.connection_error_code().map(|code| code.as_str().to_owned()),
        creation_date: entry.creation_date().and_then(timestamp),
        cloud_hsm_cluster_id: entry.cloud_hsm_cluster_id().map(str::to_owned),
        trust_anchor_certificate: entry.trust_anchor_certificate().map(str::to_owned),
        xks_proxy_configuration: entry.xks_proxy_configuration().map(|proxy| XksProxyConfiguration {
            connectivity: proxy.connectivity().map(|connectivity| connectivity.as_str().to_owned()),
            uri_endpoint: proxy.uri_endpoint().map(str::to_owned),
            uri_path: proxy.uri_path().map(str::to_owned),
            vpc_endpoint_service_name: proxy.vpc_endpoint_service_name().map(str::to_owned),
            vpc_endpoint_service_owner: proxy.vpc_endpoint_service_owner().map(str::to_owned),
        }),
    }
}

/// Where a list stands.
struct Pages {
    operation: &'static str,
    marker: Option<String>,
    /// Markers that were followed: one that comes again would lead round for ever.
    followed: HashSet<String>,
}

impl Pages {
    fn new(operation: &'static str) -> Self {
        Self { operation, marker: None, followed: HashSet::new() }
    }

    /// Goes to the next page; `false` where there is none.
    ///
    /// # Errors
    /// Where the endpoint says that there is more, and names no page or one that was read: what it
    /// told is not all, and may not be taken for it.
    fn turn(&mut self, truncated: bool, next: Option<&str>) -> Result<bool, Failure> {
        if !truncated {
            return Ok(false);
        }
        match next {
            Some(next) if self.followed.insert(next.to_owned()) => {
                self.marker = Some(next.to_owned());
                Ok(true)
            }
            _ => Err(no_kms(self.operation, "the endpoint says that there is more, and names no next page")),
        }
    }
}

/// An answer that no KMS gives.
fn no_kms(operation: &'static str, sentence: &str) -> Failure {
    let mut failure =
        Failure::new(FailureKind::ServiceFault, sentence).hint("check that the endpoint is a KMS");
    failure.operation = Some(operation);
    failure
}
