//! DescribeKey, and its answer as domain data.

use aws_sdk_kms::Client;
use aws_sdk_kms::types;
use jiff::Timestamp;

use super::Clients;
use super::error::failure_of;
use crate::domain::failure::Failure;
use crate::domain::key::{KeyMetadata, MultiRegionConfiguration, MultiRegionKey, XksKeyConfiguration};
use crate::domain::place::Place;

/// Describes a key for a person who waits: any of the four forms of identifier.
///
/// # Errors
/// The failure, with its way out.
pub async fn describe_key(clients: &Clients, key_id: &str) -> Result<KeyMetadata, Failure> {
    describe_with(&clients.interactive, &clients.place, key_id).await
}

/// Describes a key with a client of choice.
pub(super) async fn describe_with(
    client: &Client,
    place: &Place,
    key_id: &str,
) -> Result<KeyMetadata, Failure> {
    let answer = client.describe_key().key_id(key_id).send().await;
    let answer = answer.map_err(|error| failure_of("DescribeKey", Some(key_id), place, &error))?;
    // KeyMetadata is no required member: an answer without it tells nothing about the key.
    Ok(answer.key_metadata().map_or_else(|| KeyMetadata::bare(key_id), metadata))
}

fn metadata(key: &types::KeyMetadata) -> KeyMetadata {
    KeyMetadata {
        account: key.aws_account_id().map(str::to_owned),
        key_id: key.key_id().to_owned(),
        arn: key.arn().map(str::to_owned),
        creation_date: key.creation_date().and_then(timestamp),
        enabled: key.enabled(),
        description: key.description().unwrap_or_default().to_owned(),
        key_usage: key.key_usage().map(|usage| usage.as_str().into()),
        key_state: key.key_state().map(|state| state.as_str().into()),
        deletion_date: key.deletion_date().and_then(timestamp),
        valid_to: key.valid_to().and_then(timestamp),
        origin: key.origin().map(|origin| origin.as_str().into()),
        custom_key_store_id: key.custom_key_store_id().map(str::to_owned),
        cloud_hsm_cluster_id: key.cloud_hsm_cluster_id().map(str::to_owned),
        expiration_model: key.expiration_model().map(|model| model.as_str().to_owned()),
        key_manager: key.key_manager().map(|manager| manager.as_str().into()),
        customer_master_key_spec: deprecated_spec(key),
        key_spec: key.key_spec().map(|spec| spec.as_str().to_owned()),
        encryption_algorithms: spelled(key.encryption_algorithms(), types::EncryptionAlgorithmSpec::as_str),
        signing_algorithms: spelled(key.signing_algorithms(), types::SigningAlgorithmSpec::as_str),
        key_agreement_algorithms: spelled(
            key.key_agreement_algorithms(),
            types::KeyAgreementAlgorithmSpec::as_str,
        ),
        multi_region: key.multi_region(),
        multi_region_configuration: key.multi_region_configuration().map(multi_region),
        pending_deletion_window_in_days: key.pending_deletion_window_in_days(),
        mac_algorithms: spelled(key.mac_algorithms(), types::MacAlgorithmSpec::as_str),
        xks_key_configuration: key
            .xks_key_configuration()
            .map(|xks| XksKeyConfiguration { id: xks.id().map(str::to_owned) }),
        current_key_material_id: key.current_key_material_id().map(str::to_owned),
    }
}

#[expect(deprecated, reason = "endpoints that know no KeySpec tell the spec under this name alone")]
fn deprecated_spec(key: &types::KeyMetadata) -> Option<String> {
    key.customer_master_key_spec().map(|spec| spec.as_str().to_owned())
}

pub(super) fn spelled<T>(values: &[T], as_str: fn(&T) -> &str) -> Vec<String> {
    values.iter().map(|value| as_str(value).to_owned()).collect()
}

fn multi_region(configuration: &types::MultiRegionConfiguration) -> MultiRegionConfiguration {
    MultiRegionConfiguration {
        multi_region_key_type: configuration.multi_region_key_type().map(|kind| kind.as_str().to_owned()),
        primary_key: configuration.primary_key().map(multi_region_key),
        replica_keys: configuration.replica_keys().iter().map(multi_region_key).collect(),
    }
}

fn multi_region_key(key: &types::MultiRegionKey) -> MultiRegionKey {
    MultiRegionKey { arn: key.arn().map(str::to_owned), region: key.region().map(str::to_owned) }
}

/// `None` where the service's time lies outside of what a calendar holds.
pub(super) fn timestamp(at: &aws_sdk_kms::primitives::DateTime) -> Option<Timestamp> {
    Timestamp::new(at.secs(), i32::try_from(at.subsec_nanos()).ok()?).ok()
}
