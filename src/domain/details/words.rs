//! A key and what was read about it, in words: the same for the screen and for `kmx describe`.
//!
//! What to say, in which order; how it is laid out is up to whoever shows it. Nothing is made
//! printable here: texts may be as hostile as the endpoint that sent them.

use jiff::Timestamp;

use super::{
    CustomKeyStore, Detail, Grant, GrantConstraints, KeyPolicy, LastUsage, PublicKey, Rotation, Tag,
};
use crate::domain::abilities::Abilities;
use crate::domain::failure::Failure;
use crate::domain::key::{KeyMetadata, MultiRegionKey, days_until};
use crate::domain::text::plural;
use crate::domain::time::{ago, date_and_time};

/// A label and what there is to say under it. The label is ours, and at most 13 columns wide.
pub type Fact = (&'static str, String);

/// A part of what is said, from top to bottom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    Fact(Fact),
    Line(String),
    Blank,
    Table {
        /// Empty where the columns speak for themselves.
        head: Vec<&'static str>,
        rows: Vec<Vec<String>>,
    },
    /// JSON as it came, or what came in its place.
    Json(String),
    /// Lines to be copied as they are.
    Verbatim(String),
    Refused(Failure),
}

/// `2024-03-01 10:14 UTC, 2 years ago`.
fn dated(at: Timestamp, now: Timestamp) -> String {
    format!("{}, {}", date_and_time(at), ago(at, now))
}

/// The facts that have something to say.
fn told<const N: usize>(facts: [(&'static str, Option<String>); N]) -> impl Iterator<Item = Fact> {
    let with_value = |(label, value): (_, Option<String>)| Some((label, value.filter(|it| !it.is_empty())?));
    facts.into_iter().filter_map(with_value)
}

/// What DescribeKey told beside the state, and where the key is shown in the console.
#[must_use]
pub fn facts_of_key(metadata: &KeyMetadata, arn: &str, console: Option<&str>, now: Timestamp) -> Vec<Fact> {
    let own = |text: &str| text.to_owned();
    let waits = metadata.pending_deletion_window_in_days;
    let algorithms = [
        &metadata.encryption_algorithms,
        &metadata.signing_algorithms,
        &metadata.key_agreement_algorithms,
        &metadata.mac_algorithms,
    ];
    let algorithms: Vec<&str> = algorithms.into_iter().flatten().map(String::as_str).collect();
    let material_ends = metadata.valid_to.map(|at| dated(at, now));
    told([
        ("Deletion", metadata.deletion_date.map(|at| deletion(at, now))),
        ("Deletion", waits.map(|days| format!("{days} days after the last replica is gone"))),
        ("ARN", Some(own(arn))),
        ("Description", Some(metadata.description.clone())),
        ("Spec", metadata.spec().map(own)),
        ("Usage", metadata.key_usage.as_ref().map(|usage| own(usage.words()))),
        ("Algorithms", Some(algorithms.join(", "))),
        ("Manager", metadata.key_manager.as_ref().map(|manager| own(manager.words()))),
        ("Origin", metadata.origin.as_ref().map(|origin| own(origin.as_str()))),
        ("Created", metadata.creation_date.map(|at| dated(at, now))),
        ("Material ends", material_ends.or_else(|| metadata.expiration_model.clone())),
        ("Key material", metadata.current_key_material_id.clone()),
        ("External key", metadata.xks_key_configuration.as_ref().and_then(|xks| xks.id.clone())),
        ("Console", console.map(own)),
    ])
    .collect()
}

fn deletion(at: Timestamp, now: Timestamp) -> String {
    let days = usize::try_from(days_until(at, now)).unwrap_or(0);
    format!("{}, {} left", date_and_time(at), plural(days, "day", "days"))
}

/// What a key can and cannot do.
#[must_use]
pub fn abilities(abilities: &Abilities) -> Vec<Fact> {
    let mut can = abilities.uses.join(", ");
    if abilities.for_aws_alone && !can.is_empty() {
        can.push_str(", for the AWS service alone");
    }
    let lines = [can, abilities.changes.join(", ")].into_iter().filter(|line| !line.is_empty());
    let labelled = |label, at| if at == 0 { label } else { "" };
    let can = lines.enumerate().map(|(at, line)| (labelled("Can", at), line));
    let cannot = abilities.cannot.iter().enumerate();
    let cannot = cannot.map(|(at, cannot)| (labelled("Cannot", at), cannot.to_string()));
    let unknown = abilities.unknown.iter().map(|unknown| ("Not known", unknown.clone()));
    can.chain(cannot).chain(unknown).collect()
}

/// The role of a multi-Region key, and where its primary and replicas are. Nothing for others.
#[must_use]
pub fn multi_region(metadata: &KeyMetadata) -> Vec<Fact> {
    let Some(configuration) = &metadata.multi_region_configuration else { return Vec::new() };
    let name = |key: &MultiRegionKey| key.arn.clone().or_else(|| key.region.clone());
    let kind = configuration.multi_region_key_type.as_ref().map(|kind| kind.to_lowercase());
    let primary = configuration.primary_key.as_ref().and_then(name);
    let replicas = configuration.replica_keys.iter().filter_map(name).map(|name| ("Replica", name));
    told([("This key", kind), ("Primary", primary)]).chain(replicas).collect()
}

/// What one aspect brought.
#[must_use]
pub fn detail(detail: &Detail, now: Timestamp) -> Vec<Block> {
    match detail {
        Detail::Policy(KeyPolicy { policy, .. }) => vec![Block::Json(policy.clone())],
        Detail::Tags(tags) => self::tags(tags),
        Detail::Grants(grants) => self::grants(grants, now),
        Detail::Rotation(rotation) => self::rotation(rotation, now),
        Detail::PublicKey(key) => public_key(key),
        Detail::LastUsage(usage) => last_usage(usage, now),
        Detail::CustomKeyStore(store) => custom_key_store(store, now),
    }
}

/// What a list without an entry says.
#[must_use]
pub fn none() -> Vec<Block> {
    vec![Block::Line("none".to_owned())]
}

fn tags(tags: &[Tag]) -> Vec<Block> {
    if tags.is_empty() {
        return none();
    }
    let rows = tags.iter().map(|tag| vec![tag.tag_key.clone(), tag.tag_value.clone()]).collect();
    vec![Block::Table { head: Vec::new(), rows }]
}

fn grants(grants: &[Grant], now: Timestamp) -> Vec<Block> {
    if grants.is_empty() {
        return none();
    }
    let mut blocks = Vec::new();
    for (at, grant) in grants.iter().enumerate() {
        if at > 0 {
            blocks.push(Block::Blank);
        }
        let facts = told([
            ("Grant", grant.grant_id.clone()),
            ("Name", grant.name.clone()),
            ("Grantee", grant.grantee().map(str::to_owned)),
            ("Retiring", grant.retiring().map(str::to_owned)),
            ("Operations", Some(grant.operations.join(", "))),
        ]);
        blocks.extend(facts.map(Block::Fact));
        if let Some(constraints) = &grant.constraints {
            blocks.extend(self::constraints(constraints).map(Block::Fact));
        }
        let facts = told([
            ("Issued by", grant.issuing_account.clone()),
            ("Created", grant.creation_date.map(|at| dated(at, now))),
        ]);
        blocks.extend(facts.map(Block::Fact));
    }
    blocks
}

fn constraints(constraints: &GrantConstraints) -> impl Iterator<Item = Fact> {
    let pairs = |context: &Option<std::collections::BTreeMap<String, String>>| {
        let pairs = context.iter().flatten().map(|(name, value)| format!("{name}={value}"));
        Some(pairs.collect::<Vec<_>>().join(", "))
    };
    told([
        ("Context has", pairs(&constraints.encryption_context_subset)),
        ("Context is", pairs(&constraints.encryption_context_equals)),
        ("Source", constraints.source_arn.clone()),
    ])
}

fn rotation(rotation: &Rotation, now: Timestamp) -> Vec<Block> {
    let mut blocks: Vec<Block> = match &rotation.status {
        Ok(status) => told([
            ("Automatic", Some(if status.enabled { "on" } else { "off" }.to_owned())),
            ("Period", status.period_in_days.map(|days| format!("{days} days"))),
            ("Next", status.next_rotation_date.map(|at| dated(at, now))),
            ("On demand", status.on_demand_rotation_start_date.map(|at| dated(at, now))),
        ])
        .map(Block::Fact)
        .collect(),
        Err(failure) => vec![Block::Refused(failure.clone())],
    };
    match &rotation.history {
        Ok(history) if history.is_empty() => {}
        Ok(history) => {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let rows = history.iter().map(|one| {
                vec![
                    one.rotation_date.map(date_and_time).unwrap_or_default(),
                    text(&one.rotation_type),
                    text(&one.key_material_state),
                    text(&one.key_material_id),
                ]
            });
            let head = vec!["ROTATED", "TYPE", "STATE", "MATERIAL"];
            blocks.extend([Block::Blank, Block::Table { head, rows: rows.collect() }]);
        }
        Err(failure) => blocks.push(Block::Refused(failure.clone())),
    }
    blocks
}

fn public_key(key: &PublicKey) -> Vec<Block> {
    let algorithms = told([("Algorithms", Some(key.algorithms().join(", ")))]);
    algorithms.map(Block::Fact).chain([Block::Verbatim(key.pem())]).collect()
}

fn last_usage(usage: &LastUsage, now: Timestamp) -> Vec<Block> {
    let mut blocks: Vec<Block> = match &usage.last {
        Some(last) => told([
            ("Operation", last.operation.clone()),
            ("Time", last.timestamp.map(|at| dated(at, now))),
            ("CloudTrail", last.cloud_trail_event_id.clone()),
            ("Request id", last.kms_request_id.clone()),
        ])
        .map(Block::Fact)
        .collect(),
        None => vec![Block::Line(NEVER_USED.to_owned())],
    };
    blocks.extend(told([("Tracked since", usage.tracking_start_date.map(date_and_time))]).map(Block::Fact));
    blocks
}

const NEVER_USED: &str = "never, as far as it is tracked";

/// The last use on one line: `Decrypt, 2026-11-20 08:00 UTC, 4 days ago`.
#[must_use]
pub fn last_use(usage: &LastUsage, now: Timestamp) -> String {
    let Some(last) = &usage.last else {
        let since = usage.tracking_start_date.map(|at| format!(" (since {})", date_and_time(at)));
        return format!("{NEVER_USED}{}", since.unwrap_or_default());
    };
    let parts = [last.operation.clone(), last.timestamp.map(|at| dated(at, now))];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn custom_key_store(store: &CustomKeyStore, now: Timestamp) -> Vec<Block> {
    let proxy = store.xks_proxy_configuration.as_ref();
    told([
        ("Id", store.custom_key_store_id.clone()),
        ("Name", store.custom_key_store_name.clone()),
        ("Type", store.custom_key_store_type.clone()),
        ("Connection", store.connection_state.clone()),
        ("Error", store.connection_error_code.clone()),
        ("Cluster", store.cloud_hsm_cluster_id.clone()),
        ("Proxy", proxy.and_then(|proxy| proxy.uri_endpoint.clone())),
        ("Path", proxy.and_then(|proxy| proxy.uri_path.clone())),
        ("Connectivity", proxy.and_then(|proxy| proxy.connectivity.clone())),
        ("VPC service", proxy.and_then(|proxy| proxy.vpc_endpoint_service_name.clone())),
        ("Created", store.creation_date.map(|at| dated(at, now))),
    ])
    .map(Block::Fact)
    .collect()
}

/// The custom key store on one line: `people-hsm, AWS_CLOUDHSM, CONNECTED`.
#[must_use]
pub fn store_in_a_line(store: &CustomKeyStore) -> String {
    let proxy = store.xks_proxy_configuration.as_ref().and_then(|proxy| proxy.uri_endpoint.clone());
    let parts = [
        store.custom_key_store_name.clone(),
        store.custom_key_store_id.clone(),
        store.custom_key_store_type.clone(),
        store.connection_state.clone(),
        store.connection_error_code.clone(),
        store.cloud_hsm_cluster_id.clone(),
        proxy,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
