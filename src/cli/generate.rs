//! `kmx generate-data-key-without-plaintext`: the AWS CLI command of that name, option for option.
//!
//! Each option is [`Parameter`]'s, and what is allowed in it is
//! [`Parameters::check`](crate::domain::request::Parameters::check)'s to say: the form on the screen
//! reads the same request from the same texts.

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::arguments::{EXIT_CODES, told};
use super::ending::{Ending, Stop};
use super::output;
use super::references::text_of;
use super::table::Table;
use crate::domain::context;
use crate::domain::data_key::{Answer, DataKey};
use crate::domain::place::Destination;
use crate::domain::request::{
    DataKeyRequest, Parameter, Parameters, Problem, parse_number_of_bytes, skeleton, skeleton_of_the_answer,
};
use crate::domain::text::printable;
use crate::files::settings::Settings;
use crate::kms::generate_data_key;
use crate::session::Session;

pub(super) const NAME: &str = "generate-data-key-without-plaintext";
const SHORT_NAME: &str = "generate";

const NO_DRY_RUN: &str = "no-dry-run";
const INPUT_JSON: &str = "cli-input-json";
const SKELETON: &str = "generate-cli-skeleton";
const OUTPUT: &str = "output";

const LONG_ABOUT: &str = "\
Make a data key, encrypted under a KMS key, without its plaintext.

Calls GenerateDataKeyWithoutPlaintext and prints its answer: CiphertextBlob in Base64, KeyId,
which is always the key ARN, and KeyMaterialId. Options, their forms and the output are those of
the AWS CLI command of that name. A key and one of --key-spec and --number-of-bytes are needed.";

const MORE: &str = "\
Forms of a value:
  --encryption-context tenant=acme,purpose='a, b'   shorthand
  --encryption-context '{\"tenant\": \"acme\"}'         JSON
  --encryption-context tenant@=file://tenant.txt    the value is the text of a file
  --encryption-context file://context.json          the whole argument is the text of a file
  --grant-tokens TOKEN TOKEN                        or one JSON list: '[\"TOKEN\", \"TOKEN\"]'
  --cli-input-json file://request.json              or the JSON itself; options win over members

file:// works for every option of the request. Nothing is fetched over the network.

A dry run that would have succeeded ends with 0, says so on stderr and prints nothing.

Examples:
  kmx generate --key-id alias/orders --key-spec AES_256 --encryption-context tenant=acme
  kmx generate --key-id alias/orders --number-of-bytes 64 --output text | cut -f 1
  kmx generate --generate-cli-skeleton > request.json
  kmx generate --cli-input-json file://request.json --key-id alias/orders --dry-run";

/// The subcommand, as clap knows it.
pub(super) fn command() -> Command {
    Command::new(NAME)
        .visible_alias(SHORT_NAME)
        .about("Make a data key, encrypted under a KMS key, without its plaintext")
        .long_about(LONG_ABOUT)
        .after_long_help(format!("{MORE}\n\n{EXIT_CODES}"))
        .args(Parameter::ALL.map(option_of))
        .arg(
            Arg::new(NO_DRY_RUN)
                .long(NO_DRY_RUN)
                .action(ArgAction::SetTrue)
                .overrides_with(Parameter::DryRun.flag())
                .help(told("Make the data key; the default, and stronger than DryRun in the input JSON")),
        )
        .arg(
            Arg::new(INPUT_JSON)
                .long(INPUT_JSON)
                .value_name("JSON")
                .help(told("A request in JSON, or file:// and the file that holds it, for what options leave out")),
        )
        .arg(
            Arg::new(SKELETON)
                .long(SKELETON)
                .value_name("WHICH")
                .num_args(0..=1)
                .default_missing_value("input")
                .value_parser(["input", "output"])
                .hide_possible_values(true)
                .help(told(
                    "Make no call. input, the default: print a request for --cli-input-json in which only the key is to be filled in. output: check the request and print what an answer looks like",
                )),
        )
        .arg(
            Arg::new(OUTPUT)
                .long(OUTPUT)
                .value_name("FORM")
                .value_parser(["json", "text", "table"])
                .default_value("json")
                .hide_possible_values(true)
                .hide_default_value(true)
                .help(told(
                    "How to print: json (the default), table, or text: one line, values in the order of their names, tabs between",
                )),
        )
}

fn option_of(parameter: Parameter) -> Arg {
    let option = Arg::new(parameter.flag()).long(parameter.flag()).help(told(parameter.help()));
    match parameter {
        Parameter::KeyId => option.value_name("KEY"),
        Parameter::EncryptionContext => option.value_name("CONTEXT"),
        Parameter::KeySpec => option.value_name("SPEC"),
        Parameter::NumberOfBytes => option.value_name("COUNT").allow_negative_numbers(true),
        Parameter::GrantTokens => option.value_name("TOKEN").num_args(1..),
        Parameter::DryRun => option.action(ArgAction::SetTrue).overrides_with(NO_DRY_RUN),
    }
}

/// Checks the request, makes the data key and prints it.
pub(super) fn run(
    options: &ArgMatches,
    global: impl FnOnce() -> Result<(Session, Settings), Stop>,
) -> Result<Ending, Stop> {
    let skeleton_of = options.get_one::<String>(SKELETON).map(String::as_str);
    if skeleton_of == Some("input") {
        return output::json(&skeleton()).map(|()| Ending::Done);
    }
    let reading = Reading::of(options);
    if let Some(problem) = &reading.input_problem {
        return Err(Stop::usage(format!("--{INPUT_JSON}: {problem}")));
    }
    let request = reading.request().map_err(|problems| Stop::problems(&problems))?;
    if skeleton_of == Some("output") {
        return output::json(&skeleton_of_the_answer()).map(|()| Ending::Done);
    }
    let (session, settings) = global()?;
    if settings.read_only && !request.dry_run {
        return Err(read_only("--read-only", "leave --read-only out"));
    }
    let answer = output::runtime()?.block_on(call(&session, &settings, &request))?;
    match answer {
        Answer::DataKey(data_key) => {
            print(&data_key, options.get_one::<String>(OUTPUT).map(String::as_str))?;
            if request.dry_run {
                // Whoever asked for a check must not take this for one that passed.
                output::say("kmx: the endpoint knows no dry run, and made a data key");
                return Ok(Ending::Other);
            }
        }
        Answer::WouldSucceed { .. } => {
            output::say("kmx: dry run: the request would have succeeded; no data key was made");
        }
    }
    Ok(Ending::Done)
}

async fn call(session: &Session, settings: &Settings, request: &DataKeyRequest) -> Result<Answer, Stop> {
    let clients = session.connect(&Destination::default()).await?;
    // Which profile is in use, whoever named it, is known from here on.
    let profile = clients.place().profile.as_deref();
    if settings.marks_of(profile).read_only && !request.dry_run {
        let says = format!("read_only of profile {} in the configuration", profile.unwrap_or_default());
        return Err(read_only(&says, "name another with --profile"));
    }
    let answer = generate_data_key(&clients, request).await;
    match &answer {
        Ok(Answer::DataKey(made)) => tracing::info!(request_id = made.request_id, "data key made"),
        Ok(Answer::WouldSucceed { request_id }) => {
            tracing::info!(request_id, "dry run: would have succeeded");
        }
        Err(failure) => {
            tracing::info!(kind = ?failure.kind, code = failure.code, request_id = failure.request_id, "no data key");
        }
    }
    Ok(answer?)
}

/// The refusal of what is more than a dry run.
fn read_only(says: &str, otherwise: &str) -> Stop {
    let sentence = format!("no data key is made here: {says} allows a dry run alone");
    Stop::Usage { sentences: vec![sentence], hints: vec![format!("add --dry-run, or {otherwise}")] }
}

fn print(data_key: &DataKey, form: Option<&str>) -> Result<(), Stop> {
    // In the order of their names, as the AWS CLI prints text.
    let members = [
        ("CiphertextBlob", Some(data_key.ciphertext_blob.as_str())),
        ("KeyId", data_key.key_id.as_deref()),
        ("KeyMaterialId", data_key.key_material_id.as_deref()),
    ];
    let members = members.into_iter().filter_map(|(name, value)| Some((name, value?)));
    match form {
        Some("text") => {
            output::data(&members.map(|(_, value)| printable(value)).collect::<Vec<_>>().join("\t"))
        }
        Some("table") => {
            let mut table = Table::new();
            members.for_each(|(name, value)| table.row(&[vec![name], vec![value]]));
            output::data(&table.render(&[]))
        }
        _ => output::json(data_key),
    }
}

/// What the options of a request say, and what could not be read in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The options' members, then those of the input JSON.
    pub parameters: Parameters,
    /// Options that could not be read at all.
    pub problems: Vec<Problem>,
    /// Why the input JSON could not be read.
    pub input_problem: Option<String>,
}

impl Reading {
    pub(super) fn of(options: &ArgMatches) -> Self {
        let mut reading = Self::default();
        for parameter in Parameter::ALL {
            if let Err(message) = reading.read(parameter, options) {
                reading.problems.push(Problem::new(parameter, message));
            }
        }
        if let Some(input) = options.get_one::<String>(INPUT_JSON) {
            match text_of(input).and_then(|text| Parameters::from_json(&text)) {
                Ok(input) => reading.parameters = std::mem::take(&mut reading.parameters).or(input),
                Err(problem) => reading.input_problem = Some(problem),
            }
        }
        reading
    }

    fn read(&mut self, parameter: Parameter, options: &ArgMatches) -> Result<(), String> {
        if parameter == Parameter::DryRun {
            self.parameters.dry_run = match (options.get_flag(parameter.flag()), options.get_flag(NO_DRY_RUN))
            {
                (true, _) => Some(true),
                (false, true) => Some(false),
                (false, false) => None,
            };
            return Ok(());
        }
        let words: Vec<&String> =
            options.get_many::<String>(parameter.flag()).into_iter().flatten().collect();
        let [first, ..] = words[..] else { return Ok(()) };
        match parameter {
            Parameter::KeyId => self.parameters.key_id = Some(line(first)?),
            Parameter::KeySpec => self.parameters.key_spec = Some(line(first)?),
            Parameter::NumberOfBytes => {
                let count = parse_number_of_bytes(&line(first)?).map_err(|problem| problem.message)?;
                self.parameters.number_of_bytes = Some(count);
            }
            Parameter::EncryptionContext => {
                let context = context::parse(&text_of(first)?, &mut text_of);
                let context = context.map_err(|error| format!("{error}: {}", error.hint()))?;
                self.parameters.encryption_context = Some(context);
            }
            Parameter::GrantTokens => self.parameters.grant_tokens = Some(grant_tokens(&words)?),
            Parameter::DryRun => {}
        }
        Ok(())
    }

    /// The request, or all that is wrong with it, in the order of the parameters.
    ///
    /// # Errors
    /// The list of problems, never empty.
    pub fn request(&self) -> Result<DataKeyRequest, Vec<Problem>> {
        let checked = self.parameters.check();
        if self.problems.is_empty() {
            return checked;
        }
        let unread =
            |parameter: Parameter| self.problems.iter().any(|problem| problem.parameter == parameter);
        // Where one of the two sizes was given and could not be read, neither is missing.
        let no_size = unread(Parameter::KeySpec) || unread(Parameter::NumberOfBytes);
        let size = [Parameter::KeySpec, Parameter::NumberOfBytes];
        let more =
            checked.err().unwrap_or_default().into_iter().filter(|problem| {
                !(unread(problem.parameter) || no_size && size.contains(&problem.parameter))
            });
        let mut problems: Vec<Problem> = self.problems.iter().cloned().chain(more).collect();
        problems.sort_by_key(|problem| Parameter::ALL.iter().position(|other| *other == problem.parameter));
        Err(problems)
    }
}

/// A value of one line: from a file, it goes without the line break at its end.
fn line(value: &str) -> Result<String, String> {
    let text = text_of(value)?;
    Ok(if text == value { text } else { text.trim_end().to_owned() })
}

/// Grant tokens as words, or all of them as a JSON list in one word.
fn grant_tokens(words: &[&String]) -> Result<Vec<String>, String> {
    let [only] = words else {
        return Ok(words.iter().map(|word| (*word).clone()).collect());
    };
    let word = line(only)?;
    if word.trim_start().starts_with('[') {
        return serde_json::from_str(&word).map_err(|error| format!("not a JSON list of texts: {error}"));
    }
    Ok(vec![word])
}
