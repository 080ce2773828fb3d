//! `kmx list`: the joined list of keys and aliases, loaded whole, filtered, in one of three forms.

use std::collections::HashMap;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::arguments::{EXIT_CODES, told};
use super::ending::{Ending, Stop, lines_of};
use super::findings;
use super::member::member;
use super::output;
use super::table::Table;
use crate::domain::catalog::{Catalog, Described, Key, KeyHandle, Source};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::filter::{Filter, Verdict};
use crate::domain::key::KeyMetadata;
use crate::domain::listing::{Listing, Sort, compare_keys};
use crate::domain::loading::{List, LoadEvent, Part};
use crate::domain::place::Destination;
use crate::domain::scan::{Finding, ScanEvent, ScanKind};
use crate::domain::text::{plural, printable};
use crate::domain::time::{date, iso};
use crate::files::settings::Settings;
use crate::kms::loader::{self, Progress, Rate};
use crate::kms::{Clients, scanner};
use crate::session::Session;

pub(super) const NAME: &str = "list";

const FILTER: &str = "filter";
const OUTPUT: &str = "output";
const WITH: &str = "with";

/// A scan that takes longer is told of before it starts.
const WORTH_A_WORD: Duration = Duration::from_secs(3);

/// Batches of the catalog that may wait to be taken.
const BATCHES: usize = 64;

const LONG_ABOUT: &str = "\
List keys with their aliases and states.

Keys come from ListKeys, all their aliases from ListAliases, their states from DescribeKey, one
call a key. A key that may not be described keeps its row. Rows are in the order of their first
alias; keys without one come last. With several regions (--region us-east-1,eu-west-1) all are read
at once, and the table says which region a key is of.";

const MORE: &str = "\
Filter terms, all of which must hold:
  WORD            a part of an alias, the key id or the description; a capital letter minds case
  state:disabled  a part of the key state; state:disabled,pending for either;
                  state:denied for keys that may not be described
  usage:sign      a part of the key usage; so do spec:rsa, manager:aws, origin:external, region:eu
  alias:none      no alias points to it; alias:any, or alias:PART of a name
  deletion:30d    deleted within so long: 30d, 2w, 6m, 1y; also any, none
  expires:30d     its imported key material expires within so long; also any, none
  older:2y        created so long ago or before; newer:30d after
  !TERM           turns a term or a word round; not:TERM does the same
  rotation:off    automatic rotation: on, off, none (the key cannot rotate), denied
  tag:owner       a tag of this name; tag:owner=ops also a part of its value; words match tags too
  unused:90d      not used for so long, or never since its use has been tracked for as long
                  These three take what --with reads: rotation, tags, last-use

Scans:
  --with rotation,tags,last-use reads more about the keys that the other terms let through, by a
  call a key of GetKeyRotationStatus, ListResourceTags or GetKeyLastUsage. stderr says how many
  calls and how long when it takes more than a few seconds: GetKeyLastUsage has a quota of 5 calls
  a second, of which kmx takes 4

Output:
  table  for people; the default, also where stdout is no terminal. A narrow terminal gets fewer
         columns, and always the states, aliases and key ids
  json   {\"Keys\": [...]}, a member a key: KeyId, KeyArn, Aliases, and all that DescribeKey told,
         or Error with Code and Message where it was refused; with --with also Rotation, Tags and
         LastUsage, as `kmx describe` prints them
  text   a line a key, tabs between: state, aliases with commas between, key id, key ARN, usage,
         spec, manager, origin, creation date, deletion date, description. What is not there is
         None; a key that may not be described has the error's code as its state. With --with,
         rotation (on, off), tags (name=value with commas between) and last use (a time, or never)
         follow, always in this order

Examples:
  kmx list
  kmx list orders state:enabled
  kmx list state:pending --output json
  kmx list --with rotation rotation:off
  kmx --demo list --output text | cut -f 2,4
  kmx list --region us-east-1,eu-west-1

When ListAliases alone fails, keys are printed without aliases, stderr says why, and the exit
code is that of the failure. Nothing is printed when ListKeys fails; of several regions, the
others are printed, and the exit code is that of the first that failed.";

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
        .arg(
            Arg::new(WITH)
                .long(WITH)
                .value_name("SCANS")
                .value_delimiter(',')
                .action(ArgAction::Append)
                .value_parser(|text: &str| text.parse::<ScanKind>())
                .help("What to read with a call a key: rotation, tags, last-use"),
        )
}

/// Loads everything, then prints what the filter lets through.
pub(super) fn run(session: &Session, settings: &Settings, options: &ArgMatches) -> Result<Ending, Stop> {
    let terms: Vec<&str> =
        options.get_many::<String>(FILTER).into_iter().flatten().map(String::as_str).collect();
    let filter = Filter::parse(&terms.join(" "), Timestamp::now());
    if let Some(problem) = filter.problems().iter().find(|problem| problem.is_unreadable()) {
        return Err(Stop::usage(problem.to_string()));
    }
    let with = scans(options, &filter)?;
    filter.problems().iter().for_each(|problem| output::say(&format!("kmx: {problem}")));
    let rate = Rate::new(settings.describe_rate);
    let regions = output::runtime()?.block_on(async {
        let mut regions = load_all(session, rate).await;
        scan_all(&mut regions, &with, &filter, rate).await;
        regions
    });
    let several = regions.len() > 1;
    let all: Vec<(&str, &Loaded)> = regions.iter().filter_map(Region::loaded).collect();
    if !all.is_empty() {
        print(&all, several, &filter, &with, options.get_one::<String>(OUTPUT).map(String::as_str))?;
    }
    let mut ending = Ending::Done;
    for Region { name, result } in &regions {
        let (failure, fate) = match result {
            Ok(Loaded { without_aliases: Some(failure), .. }) => (failure, "listed without their aliases"),
            Err(failure) => (failure, "not listed"),
            Ok(_) => continue,
        };
        output::say_all(&lines_of(failure));
        if several {
            output::say(&format!("kmx: the keys of {name} are {fate}"));
        } else if result.is_ok() {
            output::say(&format!("kmx: the keys are {fate}"));
        }
        if ending == Ending::Done {
            ending = Ending::of(failure);
        }
    }
    Ok(ending)
}

/// The scans that were asked for, each once, in the order of their columns.
fn scans(options: &ArgMatches, filter: &Filter) -> Result<Vec<ScanKind>, Stop> {
    let asked: Vec<ScanKind> = options.get_many(WITH).into_iter().flatten().copied().collect();
    if let Some(missing) = filter.scans().into_iter().find(|kind| !asked.contains(kind)) {
        let term = match missing {
            ScanKind::Rotation => "rotation",
            ScanKind::Tags => "tag",
            ScanKind::LastUse => "unused",
        };
        let sentence = format!("`{term}:` asks for what only a call a key tells; add `--with {missing}`");
        return Err(Stop::usage(sentence));
    }
    Ok(ScanKind::ALL.into_iter().filter(|kind| asked.contains(kind)).collect())
}

/// Scans the keys of every region that the filter may still let through, one kind after the other:
/// what one finds may spare the calls of the next. A region whose scan breaks off is not listed.
async fn scan_all(regions: &mut [Region], with: &[ScanKind], filter: &Filter, rate: Rate) {
    let needed = filter.scans();
    let (first, then): (Vec<_>, Vec<_>) = with.iter().partition(|kind| needed.contains(kind));
    for kind in first.into_iter().chain(then).copied() {
        let mut arns: Vec<Vec<String>> = Vec::new();
        for region in regions.iter() {
            arns.push(region.result.as_ref().map(|loaded| loaded.open(filter)).unwrap_or_default());
        }
        let counts: Vec<usize> = arns.iter().map(Vec::len).filter(|count| *count > 0).collect();
        let longest = counts.iter().copied().max().unwrap_or_default();
        if kind.estimate(longest, rate.per_second).time > WORTH_A_WORD {
            output::say(&format!("kmx: {}", kind.cost(&counts, rate.per_second)));
        }
        let mut scanning = JoinSet::new();
        for (index, (region, arns)) in regions.iter().zip(arns).enumerate() {
            if let Ok(loaded) = &region.result
                && !arns.is_empty()
            {
                let clients = loaded.clients.clone();
                scanning.spawn(async move { (index, scan(clients, kind, arns, rate).await) });
            }
        }
        for (index, found) in scanning.join_all().await {
            let Some(region) = regions.get_mut(index) else { continue };
            match (found, &mut region.result) {
                (Ok(found), Ok(loaded)) => loaded.find(kind, found),
                // What is not known would be taken for the truth by whoever reads the list.
                (Err(failure), result) => *result = Err(failure),
                (Ok(_), Err(_)) => {}
            }
        }
    }
}

/// All that a scan of a region finds.
async fn scan(
    clients: Clients,
    kind: ScanKind,
    arns: Vec<String>,
    rate: Rate,
) -> Result<Vec<(String, Finding)>, Failure> {
    let (events, mut arriving) = mpsc::channel(BATCHES);
    let scanning = tokio::spawn(scanner::scan(clients, kind, arns, rate, events));
    let (mut all, mut said) = (Vec::new(), false);
    while let Some(event) = arriving.recv().await {
        match event {
            ScanEvent::Found(found) => all.extend(found),
            ScanEvent::Retrying(failure) => {
                if !std::mem::replace(&mut said, true) {
                    output::say(&format!("kmx: {}; trying again", failure.sentence));
                }
            }
            ScanEvent::Failed(failure) => {
                scanning.abort();
                return Err(failure);
            }
            ScanEvent::Recovered => {}
            ScanEvent::Finished => return Ok(all),
        }
    }
    Err(Failure::new(FailureKind::Other, "a scan broke off before its end"))
}

fn print(
    all: &[(&str, &Loaded)],
    several: bool,
    filter: &Filter,
    with: &[ScanKind],
    form: Option<&str>,
) -> Result<(), Stop> {
    let rows = rows(all, filter);
    match form {
        Some("json") => output::json(&json(&rows, with))?,
        Some("text") => output::data(&text(&rows, with))?,
        _ if rows.is_empty() => {}
        _ => output::data(&table(&rows, several, with))?,
    }
    if rows.is_empty() {
        output::say(&match all.iter().map(|(_, loaded)| loaded.catalog.key_count()).sum() {
            0 => "kmx: there are no keys here".to_owned(),
            count => format!("kmx: no key matches, of {}", plural(count, "key", "keys")),
        });
    }
    Ok(())
}

/// What came of a region.
struct Region {
    /// Empty where the configuration is to tell it.
    name: String,
    result: Result<Loaded, Failure>,
}

impl Region {
    fn loaded(&self) -> Option<(&str, &Loaded)> {
        self.result.as_ref().ok().map(|loaded| (self.name.as_str(), loaded))
    }
}

/// A catalog that has come to its end.
struct Loaded {
    clients: Clients,
    catalog: Catalog,
    /// All that DescribeKey told: a catalog keeps what a list on a screen needs.
    metadata: HashMap<KeyHandle, Box<KeyMetadata>>,
    /// Why there are no aliases, or not all of them.
    without_aliases: Option<Failure>,
}

impl Loaded {
    /// The ARNs of the keys that the filter lets through, or may yet.
    fn open(&self, filter: &Filter) -> Vec<String> {
        let judge = filter.over(&self.catalog);
        let keys = self.catalog.keys().filter(|key| judge.key(key.handle()).0 != Verdict::No);
        keys.map(Key::arn).collect()
    }

    fn find(&mut self, kind: ScanKind, found: Vec<(String, Finding)>) {
        let now = Timestamp::now();
        for (arn, finding) in found {
            self.catalog.find(&arn, kind, finding, now);
        }
    }

    fn take_in(&mut self, arn: &str, described: Described) {
        if let (Described::Known(metadata), Some(key)) = (&described, self.catalog.key_of_arn(arn)) {
            self.metadata.insert(key, metadata.clone());
        }
        self.catalog.describe(arn, described);
    }
}

/// Loads every region that was asked for, side by side, in the order asked for.
async fn load_all(session: &Session, rate: Rate) -> Vec<Region> {
    let destinations = session.destinations();
    let several = destinations.len() > 1;
    let mut loading = JoinSet::new();
    for (index, to) in destinations.into_iter().enumerate() {
        let session = session.clone();
        loading.spawn(async move {
            let name = session.place(&to).region.unwrap_or_default();
            let result = load(&session, &to, rate, Some(name.as_str()).filter(|_| several)).await;
            (index, Region { name, result })
        });
    }
    let mut regions = loading.join_all().await;
    regions.sort_by_key(|(index, _)| *index);
    regions.into_iter().map(|(_, region)| region).collect()
}

/// Loads a region. Its name is given where there are others to tell it from.
async fn load(
    session: &Session,
    to: &Destination,
    rate: Rate,
    name: Option<&str>,
) -> Result<Loaded, Failure> {
    let clients = session.connect(to).await?;
    let (events, mut arriving) = mpsc::channel(BATCHES);
    // Nothing is on a screen, so nothing is wanted before anything else.
    let (_, controls) = mpsc::unbounded_channel();
    let loading = tokio::spawn(loader::load(clients.clone(), rate, Progress::default(), events, controls));
    let mut loaded =
        Loaded { clients, catalog: Catalog::default(), metadata: HashMap::new(), without_aliases: None };
    let mut said: Vec<String> = Vec::new();
    while let Some(event) = arriving.recv().await {
        match event {
            LoadEvent::Keys(page) => drop(loaded.catalog.add_keys(Source(0), page)),
            LoadEvent::Aliases(page) => drop(loaded.catalog.add_aliases(Source(0), page)),
            LoadEvent::Described(answers) => {
                for (arn, described) in answers {
                    loaded.take_in(&arn, described);
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
                    let of_the_region = name.map(|name| format!("{name}: ")).unwrap_or_default();
                    let sentence = &failure.sentence;
                    output::say(&format!("kmx: {of_the_region}{sentence}; trying again"));
                    said.push(failure.sentence);
                }
            }
            LoadEvent::Complete(List::Aliases) => drop(loaded.catalog.finish_aliases(Source(0))),
            LoadEvent::Complete(List::Keys) | LoadEvent::Recovered(_) | LoadEvent::Pace(_) => {}
            LoadEvent::Finished => return Ok(loaded),
        }
    }
    Err(Failure::new(FailureKind::Other, "the list broke off before its end"))
}

/// A key that the filter lets through.
struct Row<'a> {
    region: &'a str,
    key: Key<'a>,
    known: Option<&'a KeyMetadata>,
}

/// The rows of every region, by first alias and then by region; keys without an alias come last.
fn rows<'a>(all: &[(&'a str, &'a Loaded)], filter: &Filter) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = Vec::new();
    for &(region, loaded) in all {
        let catalog = &loaded.catalog;
        let (mut listing, judge) = (Listing::default(), filter.over(catalog));
        listing.rebuild(
            catalog.keys().map(Key::handle),
            |handle| judge.key(handle),
            |a, b| compare_keys(catalog, Sort::default(), *a, *b),
        );
        let keys = listing.rows().iter().filter_map(|handle| catalog.key(*handle));
        rows.extend(keys.map(|key| {
            let known = loaded.metadata.get(&key.handle()).map(|metadata| &**metadata);
            Row { region, key, known }
        }));
    }
    if all.len() > 1 {
        rows.sort_by_cached_key(|row| {
            let first = row.key.first_alias().map(str::to_owned);
            (first.is_none(), first, row.region)
        });
    }
    rows
}

fn aliases(key: Key<'_>) -> Vec<&str> {
    key.alias_names().collect()
}

fn json(rows: &[Row], with: &[ScanKind]) -> Value {
    let keys = rows.iter().map(|row| member_of(row, with));
    json!({ "Keys": keys.collect::<Vec<Value>>() })
}

/// A key as a member of the JSON list.
fn member_of(row: &Row<'_>, with: &[ScanKind]) -> Value {
    let key = row.key;
    let mut member = member(&key.key_id(), &key.arn(), aliases(key).into(), row.known);
    if let Some(refusal) = key.refusal() {
        let message = refusal.message.as_deref().unwrap_or(&refusal.sentence);
        member.insert("Error".to_owned(), json!({ "Code": refusal.code, "Message": message }));
    }
    member.extend(with.iter().filter_map(|kind| findings::member(key, *kind)));
    Value::Object(member)
}

fn text(rows: &[Row], with: &[ScanKind]) -> String {
    let mut out = String::new();
    for &Row { key: row, known, .. } in rows {
        let state = row.state().map(|state| state.as_str().to_owned());
        let refusal = row.refusal().map(|failure| failure.code.clone().unwrap_or_else(|| "Error".to_owned()));
        let aliases = Some(aliases(row).join(",")).filter(|names| !names.is_empty());
        let description = known.map(|known| known.description.clone()).filter(|text| !text.is_empty());
        let fields = [
            refusal.or(state),
            aliases,
            Some(row.key_id().into_owned()),
            Some(row.arn()),
            known.and_then(|known| known.key_usage.as_ref()).map(|usage| usage.as_str().to_owned()),
            known.and_then(|known| known.spec()).map(str::to_owned),
            known.and_then(|known| known.key_manager.as_ref()).map(|manager| manager.as_str().to_owned()),
            known.and_then(|known| known.origin.as_ref()).map(|origin| origin.as_str().to_owned()),
            known.and_then(|known| known.creation_date).map(iso),
            known.and_then(|known| known.deletion_date).map(iso),
            description,
        ];
        let found = with.iter().map(|kind| findings::text(row, *kind));
        let fields = fields.into_iter().chain(found);
        let fields: Vec<String> = fields
            .map(|field| field.map_or("None".to_owned(), |text| printable(&text).into_owned()))
            .collect();
        out.push_str(&fields.join("\t"));
        out.push('\n');
    }
    out
}

const REGION: &str = "REGION";
const TITLES: [&str; 10] =
    ["STATE", "ALIAS", "KEY ID", "USAGE", "SPEC", "MANAGER", "ORIGIN", "CREATED", "DELETION", "DESCRIPTION"];

/// Where the column of the region is, where there are several: it stays as the key id does.
const REGION_COLUMN: usize = 3;

/// Where the columns of scans begin.
const SCAN_COLUMN: usize = 9;

/// Columns in the order in which they leave a narrow terminal; state, alias, key id and what a scan was
/// asked for stay.
const MAY_LEAVE: [usize; 7] = [9, 7, 6, 5, 8, 4, 3];

fn table(rows: &[Row], several_regions: bool, with: &[ScanKind]) -> String {
    let mut table = Table::new();
    let mut titles = TITLES.to_vec();
    for (at, kind) in with.iter().enumerate() {
        titles.insert(SCAN_COLUMN + at, findings::title(*kind));
    }
    if several_regions {
        titles.insert(REGION_COLUMN, REGION);
    }
    table.header(&titles);
    for &Row { region, key: row, known } in rows {
        let state = match row.refusal() {
            Some(refusal) if refusal.kind == FailureKind::NotAllowed => "no access",
            Some(refusal) => refusal.code.as_deref().unwrap_or("no answer"),
            None => row.state().map_or("", |state| state.words()),
        };
        let description = match row.refusal() {
            Some(refusal) => &refusal.sentence,
            None => known.map_or("", |known| known.description.as_str()),
        };
        let key_id = row.key_id();
        let created = known.and_then(|known| known.creation_date).map(date).unwrap_or_default();
        let deletion = known.and_then(|known| known.deletion_date).map(date).unwrap_or_default();
        let mut cells = vec![
            vec![state],
            aliases(row),
            vec![&key_id],
            vec![known.and_then(|known| known.key_usage.as_ref()).map_or("", |usage| usage.words())],
            vec![known.and_then(|known| known.spec()).unwrap_or_default()],
            vec![known.and_then(|known| known.key_manager.as_ref()).map_or("", |manager| manager.words())],
            vec![known.and_then(|known| known.origin.as_ref()).map_or("", |origin| origin.as_str())],
            vec![&created],
            vec![&deletion],
            vec![description],
        ];
        let found: Vec<Vec<String>> = with.iter().map(|kind| findings::cell(row, *kind)).collect();
        for (at, lines) in found.iter().enumerate() {
            cells.insert(SCAN_COLUMN + at, lines.iter().map(String::as_str).collect());
        }
        if several_regions {
            cells.insert(REGION_COLUMN, vec![region]);
        }
        table.row(&cells);
    }
    let moved = |column| {
        let scans = if column >= SCAN_COLUMN { with.len() } else { 0 };
        column + scans + usize::from(several_regions && column >= REGION_COLUMN)
    };
    table.render(&MAY_LEAVE.map(moved))
}
