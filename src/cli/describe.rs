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
use crate::domain::details::words::{self, Block, Fact};
use crate::domain::details::{Aspect, Detail, Told};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::identifier::{Arn, IdentifierKind};
use crate::domain::json_lines;
use crate::domain::key::KeyMetadata;
use crate::domain::place::Destination;
use crate::domain::request::key_id_problem;
use crate::domain::text::printable;
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
        let mut text = Text(String::new());
        let metadata = &self.metadata;
        if let Some(state) = &metadata.key_state {
            text.line(&format!("{} {}", state.glyph(), state.words()));
            text.0.push('\n');
        }
        text.facts(words::abilities(&Abilities::of(&KeyFacts::of(metadata))));
        text.facts(words::facts_of_key(metadata, &self.arn, self.console.as_deref(), now));
        text.title("Aliases");
        match &self.aliases {
            Ok(names) if names.is_empty() => text.blocks(words::none()),
            Ok(names) => names.iter().for_each(|name| text.line(name)),
            Err(failure) => text.refused(failure),
        }
        if metadata.multi_region_configuration.is_some() {
            text.title("Multi-Region");
            text.facts(words::multi_region(metadata));
        }
        for (aspect, detail) in &self.details {
            text.title(aspect.title());
            match detail {
                Ok(detail) => text.blocks(words::detail(detail, now)),
                Err(failure) => text.refused(failure),
            }
        }
        text.0
    }
}

/// Sections in the making. What goes in is made printable.
struct Text(String);

impl Text {
    fn title(&mut self, title: &str) {
        self.0.push('\n');
        self.line(&title.to_uppercase());
    }

    fn line(&mut self, line: &str) {
        self.0.push_str(printable(line).trim_end());
        self.0.push('\n');
    }

    fn facts(&mut self, facts: Vec<Fact>) {
        for (label, value) in facts {
            // Writing to a String cannot fail.
            let _ = writeln!(self.0, "{label:LABEL$}{}", printable(&value));
        }
    }

    fn refused(&mut self, failure: &Failure) {
        self.line(&failure.sentence);
        for hint in failure.hints.iter().chain(&failure.command) {
            self.line(&format!("hint: {hint}"));
        }
    }

    fn blocks(&mut self, blocks: Vec<Block>) {
        for block in blocks {
            match block {
                Block::Fact(fact) => self.facts(vec![fact]),
                Block::Line(line) => self.line(&line),
                Block::Blank => self.0.push('\n'),
                Block::Table { head, rows } => self.table(&head, &rows),
                Block::Json(json) => json_lines::lines(&json).iter().for_each(|line| self.line(&line.text())),
                Block::Verbatim(text) => self.0.push_str(&text),
                Block::Refused(failure) => self.refused(&failure),
            }
        }
    }

    fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        let mut table = Table::new();
        if !head.is_empty() {
            table.header(head);
        }
        for row in rows {
            let cells: Vec<Vec<&str>> = row.iter().map(|cell| vec![cell.as_str()]).collect();
            table.row(&cells);
        }
        self.0.push_str(table.render(&[]).trim_end());
        self.0.push('\n');
    }
}
