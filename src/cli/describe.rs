//! `kmx describe`: everything that can be read about one key, in sections or as JSON.
//!
//! DescribeKey comes first, by the identifier as it was given; everything else is asked for side by
//! side, by the key ARN that came back. A part that is refused says so in its place.

use std::fmt::Write as _;

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgMatches, Command};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::arguments::{EXIT_CODES, told};
use super::ending::{Ending, Stop};
use super::member::member;
use super::output;
use super::table::Table;
use crate::domain::abilities::{Abilities, KeyFacts};
use crate::domain::console::address_of_key;
use crate::domain::details::{
    Aspect, CustomKeyStore, Detail, Grant, GrantConstraints, KeyPolicy, LastUsage, PublicKey, Rotation, Tag,
    Told,
};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::identifier::{Arn, IdentifierKind};
use crate::domain::json_lines;
use crate::domain::key::{KeyMetadata, MultiRegionKey, days_until};
use crate::domain::place::Destination;
use crate::domain::request::key_id_problem;
use crate::domain::text::{plural, printable};
use crate::domain::time::{ago, date_and_time};
use crate::kms::{Clients, describe_key, has_no_key, read_aliases, read_detail};
use crate::session::Session;

pub(super) const NAME: &str = "describe";

const KEY: &str = "key";
const OUTPUT: &str = "output";

/// Columns of a label, with the blanks after it.
const LABEL: usize = 14;

const LONG_ABOUT: &str = "\
Show everything about one key.

KEY is a key id, a key ARN, an alias name or an alias ARN. DescribeKey is called with it as it
is; policy, tags, grants, rotation, public key, last use, custom key store and aliases are read
by the key ARN that comes back, where the key can have them. A part that is refused says so in
its place, and the exit code stays 0.";

const MORE: &str = "\
Output:
  text  for people, in sections; the default. Policy and public key stand at the beginning of
        their lines, to be copied
  json  the key as `kmx list --output json` prints it, with the members Policy, Tags, Grants,
        Rotation, PublicKey, LastUsage and CustomKeyStore where they apply; a part that is
        refused is {\"Error\": {\"Code\": ..., \"Message\": ...}}

An alias/aws/ name that has no key yet is not described: that call would make the key.

Examples:
  kmx describe alias/orders
  kmx describe alias/orders --output json
  kmx --demo describe alias/identity/prod/token-signing | sed -n '/BEGIN/,/END/p'";

/// The subcommand, as clap knows it.
pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("Show everything about one key")
        .long_about(LONG_ABOUT)
        .after_long_help(format!("{MORE}\n\n{EXIT_CODES}"))
        .arg(
            Arg::new(KEY)
                .value_name("KEY")
                .required(true)
                .value_parser(NonEmptyStringValueParser::new())
                .help(told("A key id, key ARN, alias name or alias ARN")),
        )
        .arg(
            Arg::new(OUTPUT)
                .long(OUTPUT)
                .value_name("FORM")
                .value_parser(["text", "json"])
                .default_value("text")
                .hide_possible_values(true)
                .hide_default_value(true)
                .help("How to print: text (the default) or json"),
        )
}

/// Reads everything, then prints it.
pub(super) fn run(
    options: &ArgMatches,
    session: impl FnOnce() -> Result<Session, Stop>,
) -> Result<Ending, Stop> {
    let key = options.get_one::<String>(KEY).map(String::as_str).unwrap_or_default();
    if let Some(problem) = key_id_problem(key) {
        return Err(Stop::usage(format!("KEY: {}", problem.message)));
    }
    let session = session()?;
    let read = output::runtime()?.block_on(read(&session, key))?;
    match options.get_one::<String>(OUTPUT).map(String::as_str) {
        Some("json") => output::json(&read.json())?,
        _ => output::data(&read.text(Timestamp::now()))?,
    }
    Ok(Ending::Done)
}

/// Everything about a key, each part as it was told or refused.
struct Read {
    metadata: KeyMetadata,
    arn: String,
    aliases: Result<Vec<String>, Failure>,
    details: Vec<(Aspect, Result<Detail, Failure>)>,
    console: Option<String>,
}

async fn read(session: &Session, key: &str) -> Result<Read, Failure> {
    let clients = session.connect(&Destination::default()).await?;
    refuse_to_make_a_key(&clients, key).await?;
    let metadata = describe_key(&clients, key).await?;
    let arn = metadata.arn.clone().unwrap_or_else(|| match IdentifierKind::of(key) {
        IdentifierKind::KeyArn => key.to_owned(),
        _ => metadata.key_id.clone(),
    });
    let facts = KeyFacts::of(&metadata);
    let store = metadata.custom_key_store_id.as_deref();
    let (client, target) = (&clients, arn.as_str());
    let detail = |aspect: Aspect| async move {
        if !aspect.applies_to(&facts) {
            return None;
        }
        Some((aspect, read_detail(client, aspect, target, store).await))
    };
    let [policy, tags, grants, rotation, public_key, last_usage, custom_key_store] = Aspect::ALL.map(detail);
    let (aliases, policy, tags, grants, rotation, public_key, last_usage, custom_key_store) = tokio::join!(
        read_aliases(client, target),
        policy,
        tags,
        grants,
        rotation,
        public_key,
        last_usage,
        custom_key_store,
    );
    let details = [policy, tags, grants, rotation, public_key, last_usage, custom_key_store];
    let details = details.into_iter().flatten().collect();
    let console = address_of_key(clients.place(), &arn);
    Ok(Read { metadata, arn, aliases, details, console })
}

/// To describe a predefined alias that has no key makes its AWS managed key (KMS API: DescribeKey).
async fn refuse_to_make_a_key(clients: &Clients, key: &str) -> Result<(), Failure> {
    let name = Arn::parse(key).map_or(key, |arn| arn.resource);
    if name.starts_with("alias/aws/") && has_no_key(clients, name).await? {
        return Err(Failure::new(FailureKind::Refused, format!("{name} has no key yet")).hint(
            "describing it would make one; the AWS service that it belongs to does so when it is used",
        ));
    }
    Ok(())
}

impl Read {
    fn json(&self) -> Map<String, Value> {
        let value = |told: serde_json::Result<Value>| told.unwrap_or_default();
        let aliases = value(serde_json::to_value(Told(&self.aliases)));
        let mut member = member(&self.metadata.key_id, &self.arn, aliases, Some(&self.metadata));
        for (aspect, detail) in &self.details {
            member.insert(aspect.member().to_owned(), value(serde_json::to_value(Told(detail))));
        }
        member
    }

    fn text(&self, now: Timestamp) -> String {
        let mut text = Text { out: String::new(), now };
        text.key(self);
        text.title("Aliases");
        match &self.aliases {
            Ok(names) if names.is_empty() => text.line("none"),
            Ok(names) => names.iter().for_each(|name| text.line(name)),
            Err(failure) => text.refused(failure),
        }
        text.multi_region(&self.metadata);
        for (aspect, detail) in &self.details {
            text.title(aspect.title());
            match detail {
                Ok(detail) => text.detail(detail),
                Err(failure) => text.refused(failure),
            }
        }
        text.out
    }
}

/// Sections in the making. What goes in is made printable.
struct Text {
    out: String,
    now: Timestamp,
}

impl Text {
    fn title(&mut self, title: &str) {
        self.out.push('\n');
        self.line(&title.to_uppercase());
    }

    fn line(&mut self, line: &str) {
        self.out.push_str(printable(line).trim_end());
        self.out.push('\n');
    }

    fn fact(&mut self, label: &str, value: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.out, "{label:LABEL$}{}", printable(value));
    }

    fn facts<'a>(&mut self, facts: impl IntoIterator<Item = (&'a str, Option<String>)>) {
        for (label, value) in facts {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                self.fact(label, &value);
            }
        }
    }

    fn table(&mut self, table: Table) {
        self.out.push_str(table.render(&[]).trim_end());
        self.out.push('\n');
    }

    fn refused(&mut self, failure: &Failure) {
        self.line(&failure.sentence);
        for hint in failure.hints.iter().chain(&failure.command) {
            self.line(&format!("hint: {hint}"));
        }
    }

    fn dated(&self, at: Timestamp) -> String {
        format!("{}, {}", date_and_time(at), ago(at, self.now))
    }

    fn key(&mut self, read: &Read) {
        let metadata = &read.metadata;
        let own = |text: &str| text.to_owned();
        if let Some(state) = &metadata.key_state {
            self.line(&format!("{} {}", state.glyph(), state.words()));
            self.out.push('\n');
        }
        self.abilities(&Abilities::of(&KeyFacts::of(metadata)));
        let waits = metadata.pending_deletion_window_in_days;
        let deletion = metadata.deletion_date.map(|at| (at, days_until(at, self.now))).map(|(at, days)| {
            let days = plural(usize::try_from(days).unwrap_or(0), "day", "days");
            format!("{}, {days} left", date_and_time(at))
        });
        let algorithms = [
            &metadata.encryption_algorithms,
            &metadata.signing_algorithms,
            &metadata.key_agreement_algorithms,
            &metadata.mac_algorithms,
        ];
        let algorithms: Vec<&str> = algorithms.into_iter().flatten().map(String::as_str).collect();
        self.facts([
            ("Deletion", deletion),
            ("Deletion", waits.map(|days| format!("{days} days after the last replica is gone"))),
            ("ARN", Some(read.arn.clone())),
            ("Description", Some(metadata.description.clone())),
            ("Spec", metadata.spec().map(own)),
            ("Usage", metadata.key_usage.as_ref().map(|usage| own(usage.words()))),
            ("Algorithms", Some(algorithms.join(", "))),
            ("Manager", metadata.key_manager.as_ref().map(|manager| own(manager.words()))),
            ("Origin", metadata.origin.as_ref().map(|origin| own(origin.as_str()))),
            ("Created", metadata.creation_date.map(|at| self.dated(at))),
            (
                "Material ends",
                metadata.valid_to.map(|at| self.dated(at)).or_else(|| metadata.expiration_model.clone()),
            ),
            ("Key material", metadata.current_key_material_id.clone()),
            ("External key", metadata.xks_key_configuration.as_ref().and_then(|xks| xks.id.clone())),
            ("Console", read.console.clone()),
        ]);
    }

    fn abilities(&mut self, abilities: &Abilities) {
        let mut can = abilities.uses.join(", ");
        if abilities.for_aws_alone && !can.is_empty() {
            can.push_str(", for the AWS service alone");
        }
        let lines = [can, abilities.changes.join(", ")];
        for (at, line) in lines.iter().filter(|line| !line.is_empty()).enumerate() {
            self.fact(if at == 0 { "Can" } else { "" }, line);
        }
        for (at, cannot) in abilities.cannot.iter().enumerate() {
            self.fact(if at == 0 { "Cannot" } else { "" }, &cannot.to_string());
        }
        self.facts([("Not known", abilities.unknown.clone())]);
    }

    fn multi_region(&mut self, metadata: &KeyMetadata) {
        let Some(configuration) = &metadata.multi_region_configuration else { return };
        let name = |key: &MultiRegionKey| key.arn.clone().or_else(|| key.region.clone());
        self.title("Multi-Region");
        self.facts([
            ("This key", configuration.multi_region_key_type.as_ref().map(|kind| kind.to_lowercase())),
            ("Primary", configuration.primary_key.as_ref().and_then(name)),
        ]);
        self.facts(configuration.replica_keys.iter().map(|key| ("Replica", name(key))));
    }

    fn detail(&mut self, detail: &Detail) {
        match detail {
            Detail::Policy(policy) => self.policy(policy),
            Detail::Tags(tags) => self.tags(tags),
            Detail::Grants(grants) => self.grants(grants),
            Detail::Rotation(rotation) => self.rotation(rotation),
            Detail::PublicKey(key) => self.public_key(key),
            Detail::LastUsage(usage) => self.last_usage(usage),
            Detail::CustomKeyStore(store) => self.custom_key_store(store),
        }
    }

    fn policy(&mut self, policy: &KeyPolicy) {
        for line in json_lines::lines(&policy.policy) {
            self.line(&line.text());
        }
    }

    fn tags(&mut self, tags: &[Tag]) {
        if tags.is_empty() {
            return self.line("none");
        }
        let mut table = Table::new();
        for tag in tags {
            table.row(&[vec![&tag.tag_key], vec![&tag.tag_value]]);
        }
        self.table(table);
    }

    fn grants(&mut self, grants: &[Grant]) {
        if grants.is_empty() {
            return self.line("none");
        }
        for (at, grant) in grants.iter().enumerate() {
            if at > 0 {
                self.out.push('\n');
            }
            self.facts([
                ("Grant", grant.grant_id.clone()),
                ("Name", grant.name.clone()),
                ("Grantee", grant.grantee().map(str::to_owned)),
                ("Retiring", grant.retiring().map(str::to_owned)),
                ("Operations", Some(grant.operations.join(", "))),
            ]);
            if let Some(constraints) = &grant.constraints {
                self.constraints(constraints);
            }
            self.facts([
                ("Issued by", grant.issuing_account.clone()),
                ("Created", grant.creation_date.map(|at| self.dated(at))),
            ]);
        }
    }

    fn constraints(&mut self, constraints: &GrantConstraints) {
        for (label, context) in [
            ("Context has", &constraints.encryption_context_subset),
            ("Context is", &constraints.encryption_context_equals),
        ] {
            let pairs = context.iter().flatten().map(|(name, value)| format!("{name}={value}"));
            self.facts([(label, Some(pairs.collect::<Vec<_>>().join(", ")))]);
        }
        self.facts([("Source", constraints.source_arn.clone())]);
    }

    fn rotation(&mut self, rotation: &Rotation) {
        match &rotation.status {
            Ok(status) => self.facts([
                ("Automatic", Some(if status.enabled { "on" } else { "off" }.to_owned())),
                ("Period", status.period_in_days.map(|days| format!("{days} days"))),
                ("Next", status.next_rotation_date.map(|at| self.dated(at))),
                ("On demand", status.on_demand_rotation_start_date.map(|at| self.dated(at))),
            ]),
            Err(failure) => self.refused(failure),
        }
        match &rotation.history {
            Ok(history) if history.is_empty() => {}
            Ok(history) => {
                let mut table = Table::new();
                table.header(&["ROTATED", "TYPE", "STATE", "MATERIAL"]);
                for one in history {
                    let rotated = one.rotation_date.map(date_and_time).unwrap_or_default();
                    table.row(&[
                        vec![&rotated],
                        vec![one.rotation_type.as_deref().unwrap_or_default()],
                        vec![one.key_material_state.as_deref().unwrap_or_default()],
                        vec![one.key_material_id.as_deref().unwrap_or_default()],
                    ]);
                }
                self.out.push('\n');
                self.table(table);
            }
            Err(failure) => self.refused(failure),
        }
    }

    fn public_key(&mut self, key: &PublicKey) {
        self.facts([("Algorithms", Some(key.algorithms().join(", ")))]);
        self.out.push_str(&key.pem());
    }

    fn last_usage(&mut self, usage: &LastUsage) {
        match &usage.last {
            Some(last) => self.facts([
                ("Operation", last.operation.clone()),
                ("Time", last.timestamp.map(|at| self.dated(at))),
                ("CloudTrail", last.cloud_trail_event_id.clone()),
                ("Request id", last.kms_request_id.clone()),
            ]),
            None => self.line("never, as far as it is tracked"),
        }
        self.facts([("Tracked since", usage.tracking_start_date.map(date_and_time))]);
    }

    fn custom_key_store(&mut self, store: &CustomKeyStore) {
        let proxy = store.xks_proxy_configuration.as_ref();
        self.facts([
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
            ("Created", store.creation_date.map(|at| self.dated(at))),
        ]);
    }
}
