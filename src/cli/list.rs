//! `kmx list`: the joined list of keys and aliases, loaded whole, filtered, in one of three forms.

use clap::{Arg, ArgMatches, Command};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::arguments::{EXIT_CODES, told};
use super::ending::{Ending, Stop, lines_of};
use super::output;
use super::table::Table;
use crate::domain::catalog::{Catalog, KeyHandle, KeyRow};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::filter::Filter;
use crate::domain::listing::{Listing, Sort, compare_keys};
use crate::domain::loading::{LoadEvent, Part};
use crate::domain::text::{plural, printable};
use crate::domain::time::{date, iso};
use crate::kms::loader::{self, Rate};
use crate::session::Session;

pub(super) const NAME: &str = "list";

const FILTER: &str = "filter";
const OUTPUT: &str = "output";

/// Batches of the catalog that may wait to be taken.
const BATCHES: usize = 64;

const LONG_ABOUT: &str = "\
List keys with their aliases and states.

Keys come from ListKeys, all their aliases from ListAliases, their states from DescribeKey, one
call a key. A key that may not be described keeps its row. Rows are in the order of their first
alias; keys without one come last.";

const MORE: &str = "\
Filter terms, all of which must hold:
  WORD            a part of an alias, the key id or the description; a capital letter minds case
  state:disabled  a part of the key state; state:disabled,pending for either;
                  state:denied for keys that may not be described

Output:
  table  for people; the default, also where stdout is no terminal. A narrow terminal gets fewer
         columns, and always the states, aliases and key ids
  json   {\"Keys\": [...]}, a member a key: KeyId, KeyArn, Aliases, and all that DescribeKey told,
         or Error with Code and Message where it was refused
  text   a line a key, tabs between: state, aliases with commas between, key id, key ARN, usage,
         spec, manager, origin, creation date, deletion date, description. What is not there is
         None; a key that may not be described has the error's code as its state

Examples:
  kmx list
  kmx list orders state:enabled
  kmx list state:pending --output json
  kmx --demo list --output text | cut -f 2,4

When ListAliases alone fails, keys are printed without aliases, stderr says why, and the exit
code is that of the failure. Nothing is printed when ListKeys fails.";

/// The subcommand, as clap knows it.
pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("List keys with their aliases and states")
        .long_about(LONG_ABOUT)
        .after_long_help(format!("{MORE}\n\n{EXIT_CODES}"))
        .arg(Arg::new(FILTER).value_name("FILTER").num_args(0..).help(told("Terms that narrow the list")))
        .arg(
            Arg::new(OUTPUT)
                .long(OUTPUT)
                .value_name("FORM")
                .value_parser(["table", "json", "text"])
                .default_value("table")
                .hide_possible_values(true)
                .hide_default_value(true)
                .help("How to print: table (the default), json or text"),
        )
}

/// Loads everything, then prints what the filter lets through.
pub(super) fn run(session: &Session, options: &ArgMatches) -> Result<Ending, Stop> {
    let terms: Vec<&str> =
        options.get_many::<String>(FILTER).into_iter().flatten().map(String::as_str).collect();
    let filter = Filter::parse(&terms.join(" "));
    let loaded = output::runtime()?.block_on(load(session))?;
    let catalog = &loaded.catalog;
    let rows = rows(catalog, &filter);
    match options.get_one::<String>(OUTPUT).map(String::as_str) {
        Some("json") => output::json(&json(catalog, &rows))?,
        Some("text") => output::data(&text(catalog, &rows))?,
        _ if rows.is_empty() => {}
        _ => output::data(&table(catalog, &rows))?,
    }
    if rows.is_empty() {
        output::say(&match catalog.key_count() {
            0 => "kmx: there are no keys here".to_owned(),
            count => format!("kmx: no key matches, of {}", plural(count, "key", "keys")),
        });
    }
    Ok(match loaded.without_aliases {
        Some(failure) => {
            output::say_all(&lines_of(&failure));
            output::say("kmx: the keys are listed without their aliases");
            Ending::of(&failure)
        }
        None => Ending::Done,
    })
}

/// A catalog that has come to its end.
struct Loaded {
    catalog: Catalog,
    /// Why there are no aliases, or not all of them.
    without_aliases: Option<Failure>,
}

async fn load(session: &Session) -> Result<Loaded, Failure> {
    let clients = session.connect().await?;
    let (events, mut arriving) = mpsc::channel(BATCHES);
    // Nothing is on a screen, so nothing is wanted before anything else.
    let (_, wanted) = mpsc::unbounded_channel();
    let loading = tokio::spawn(loader::load(clients, Rate::default(), events, wanted));
    let mut loaded = Loaded { catalog: Catalog::default(), without_aliases: None };
    let mut said: Vec<String> = Vec::new();
    while let Some(event) = arriving.recv().await {
        match event {
            LoadEvent::Keys(page) => drop(loaded.catalog.add_keys(page)),
            LoadEvent::Aliases(page) => drop(loaded.catalog.add_aliases(page)),
            LoadEvent::Described(answers) => {
                for (arn, described) in answers {
                    loaded.catalog.describe(&arn, described);
                }
            }
            // States that stay unknown would be taken for the truth by whoever reads the list.
            LoadEvent::Failed(Part::Keys | Part::Descriptions, failure) => {
                loading.abort();
                return Err(failure);
            }
            LoadEvent::Failed(Part::Aliases, failure) => loaded.without_aliases = Some(failure),
            LoadEvent::Retrying(_, failure) => {
                // It is tried until it works: once is enough to know what is waited for.
                if !said.contains(&failure.sentence) {
                    output::say(&format!("kmx: {}; trying again until it works", failure.sentence));
                    said.push(failure.sentence);
                }
            }
            LoadEvent::Complete(_) | LoadEvent::Recovered(_) => {}
            LoadEvent::Finished => return Ok(loaded),
        }
    }
    Err(Failure::new(FailureKind::Other, "the list broke off before its end"))
}

fn rows(catalog: &Catalog, filter: &Filter) -> Vec<KeyHandle> {
    let mut listing = Listing::default();
    listing.rebuild(
        catalog.keys().map(|(handle, _)| handle),
        |handle| filter.key(catalog, handle),
        |a, b| compare_keys(catalog, Sort::default(), *a, *b),
    );
    listing.rows().to_vec()
}

fn aliases<'a>(catalog: &'a Catalog, row: &KeyRow) -> Vec<&'a str> {
    row.aliases().iter().filter_map(|alias| catalog.alias(*alias)).map(|alias| &*alias.name).collect()
}

fn json(catalog: &Catalog, rows: &[KeyHandle]) -> Value {
    let keys = rows.iter().filter_map(|handle| catalog.key(*handle)).map(|row| member(catalog, row));
    json!({ "Keys": keys.collect::<Vec<Value>>() })
}

/// A key as a member of the JSON list.
fn member(catalog: &Catalog, row: &KeyRow) -> Value {
    let mut member = Map::new();
    member.insert("KeyId".to_owned(), (*row.key_id).into());
    member.insert("KeyArn".to_owned(), (*row.arn).into());
    member.insert("Aliases".to_owned(), aliases(catalog, row).into());
    if let Some(Ok(Value::Object(told))) = row.metadata().map(serde_json::to_value) {
        // The list has told the key's id and ARN, under the list's names.
        let told = told
            .into_iter()
            .filter(|(name, value)| name != "KeyId" && !(name == "Arn" && value.as_str() == Some(&*row.arn)));
        member.extend(told);
    }
    if let Some(refusal) = row.refusal() {
        let message = refusal.message.as_deref().unwrap_or(&refusal.sentence);
        member.insert("Error".to_owned(), json!({ "Code": refusal.code, "Message": message }));
    }
    Value::Object(member)
}

fn text(catalog: &Catalog, rows: &[KeyHandle]) -> String {
    let mut out = String::new();
    for row in rows.iter().filter_map(|handle| catalog.key(*handle)) {
        let known = row.metadata();
        let state = row.state().map(|state| state.as_str().to_owned());
        let refusal = row.refusal().map(|failure| failure.code.clone().unwrap_or_else(|| "Error".to_owned()));
        let aliases = Some(aliases(catalog, row).join(",")).filter(|names| !names.is_empty());
        let description = known.map(|known| known.description.clone()).filter(|text| !text.is_empty());
        let fields = [
            refusal.or(state),
            aliases,
            Some(row.key_id.to_string()),
            Some(row.arn.to_string()),
            known.and_then(|known| known.key_usage.as_ref()).map(|usage| usage.as_str().to_owned()),
            known.and_then(|known| known.spec()).map(str::to_owned),
            known.and_then(|known| known.key_manager.as_ref()).map(|manager| manager.as_str().to_owned()),
            known.and_then(|known| known.origin.as_ref()).map(|origin| origin.as_str().to_owned()),
            known.and_then(|known| known.creation_date).map(iso),
            known.and_then(|known| known.deletion_date).map(iso),
            description,
        ];
        let fields = fields.map(|field| field.unwrap_or_else(|| "None".to_owned()));
        out.push_str(&fields.each_ref().map(|field| printable(field)).join("\t"));
        out.push('\n');
    }
    out
}

const TITLES: [&str; 10] =
    ["STATE", "ALIAS", "KEY ID", "USAGE", "SPEC", "MANAGER", "ORIGIN", "CREATED", "DELETION", "DESCRIPTION"];

/// Columns in the order in which they leave a narrow terminal; state, alias and key id stay.
const MAY_LEAVE: [usize; 7] = [9, 7, 6, 5, 8, 4, 3];

fn table(catalog: &Catalog, rows: &[KeyHandle]) -> String {
    let mut table = Table::new();
    table.header(&TITLES);
    for row in rows.iter().filter_map(|handle| catalog.key(*handle)) {
        let known = row.metadata();
        let state = match row.refusal() {
            Some(refusal) if refusal.kind == FailureKind::NotAllowed => "no access",
            Some(refusal) => refusal.code.as_deref().unwrap_or("no answer"),
            None => row.state().map_or("", |state| state.words()),
        };
        let description = match row.refusal() {
            Some(refusal) => &refusal.sentence,
            None => known.map_or("", |known| known.description.as_str()),
        };
        let created = known.and_then(|known| known.creation_date).map(date).unwrap_or_default();
        let deletion = known.and_then(|known| known.deletion_date).map(date).unwrap_or_default();
        table.row(&[
            vec![state],
            aliases(catalog, row),
            vec![&row.key_id],
            vec![known.and_then(|known| known.key_usage.as_ref()).map_or("", |usage| usage.words())],
            vec![known.and_then(|known| known.spec()).unwrap_or_default()],
            vec![known.and_then(|known| known.key_manager.as_ref()).map_or("", |manager| manager.words())],
            vec![known.and_then(|known| known.origin.as_ref()).map_or("", |origin| origin.as_str())],
            vec![&created],
            vec![&deletion],
            vec![description],
        ]);
    }
    table.render(&MAY_LEAVE)
}
