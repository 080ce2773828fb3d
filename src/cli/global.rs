//! The options that hold for every subcommand, before or after its name; the session and the settings
//! that they ask for, and the log.
//!
//! kmx's own configuration is read here. AWS's, and the environment but for colours, are not: the
//! session reads them when it connects.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{NonEmptyStringValueParser, TypedValueParser as _};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, value_parser};

use super::arguments::told;
use super::ending::Stop;
use crate::domain::failure::{Failure, FailureKind};
use crate::files::config::{Config, ConfigError, MAX_DESCRIBE_RATE};
use crate::files::log::{self, LogLevel};
use crate::files::paths::Paths;
use crate::files::settings::{Given, Settings};
use crate::kms::TimeOuts;
use crate::session::{AwsSettings, LocalSettings, Session, Target};

const PROFILE: &str = "profile";
const REGION: &str = "region";
const ENDPOINT_URL: &str = "endpoint-url";
const DEMO: &str = "demo";
const DEMO_STORE: &str = "demo-store";
const NO_SIGN_REQUEST: &str = "no-sign-request";
const CA_BUNDLE: &str = "ca-bundle";
const CONNECT_TIMEOUT: &str = "cli-connect-timeout";
const READ_TIMEOUT: &str = "cli-read-timeout";
const ALLOW_INSECURE: &str = "allow-insecure-endpoint";
const COLOUR: &str = "color";
const CONFIG: &str = "config";
const DESCRIBE_RATE: &str = "describe-rate";
const NO_CACHE: &str = "no-cache";
const READ_ONLY: &str = "read-only";
const LOG_FILE: &str = "log-file";
const LOG_LEVEL: &str = "log-level";

/// Options that say something about AWS, and nothing about the demo.
const AWS_ONLY: [&str; 7] =
    [PROFILE, ENDPOINT_URL, NO_SIGN_REQUEST, CA_BUNDLE, CONNECT_TIMEOUT, READ_TIMEOUT, ALLOW_INSECURE];

/// Options that say something about requests to a KMS, and nothing to one that answers them.
const ASKING_ONLY: [&str; 5] = [REGION, CONFIG, DESCRIBE_RATE, NO_CACHE, READ_ONLY];

/// Options that say the same to the local KMS on a port.
const SERVING_TOO: [&str; 5] = [DEMO_STORE, LOG_FILE, LOG_LEVEL, "help", "version"];

/// The options, as clap knows them.
pub(super) fn options() -> Vec<Arg> {
    let text = |name: &'static str, value: &'static str, help: &str| {
        option(name, value, help).value_parser(NonEmptyStringValueParser::new())
    };
    let path =
        |name: &'static str, help: &str| option(name, "PATH", help).value_parser(value_parser!(PathBuf));
    let seconds = |name: &'static str, help: &str| option(name, "SECONDS", help).value_parser(whole_seconds);
    vec![
        text(
            PROFILE,
            "NAME",
            "A profile of the AWS configuration; it goes before credentials in the environment",
        ),
        option(
            REGION,
            "REGION",
            "The region; else AWS_REGION, AWS_DEFAULT_REGION, the profile's. The explorer and `list` take several, with commas between",
        )
        .value_parser(NonEmptyStringValueParser::new().try_map(|text| regions(&text))),
        text(
            ENDPOINT_URL,
            "URL",
            "Another endpoint than AWS's; else AWS_ENDPOINT_URL_KMS, AWS_ENDPOINT_URL, the profile's",
        ),
        switch(
            DEMO,
            "The local KMS in place of AWS: no account, no network, real cryptography, kept on disk; in us-east-1 unless --region says otherwise",
        ),
        path(DEMO_STORE, "The file of the demo's keys"),
        switch(NO_SIGN_REQUEST, "Send requests without a signature, and look for no credentials"),
        path(
            CA_BUNDLE,
            "Certificate authorities to trust, in PEM, in place of the system's; else AWS_CA_BUNDLE, the profile's",
        ),
        seconds(CONNECT_TIMEOUT, "How long to connect at most; 0 is no limit, the default is 5"),
        seconds(
            READ_TIMEOUT,
            "How long an attempt may wait for its answer; 0 is no limit, the default is 10",
        ),
        switch(ALLOW_INSECURE, "Allow an endpoint of plain http on another machine"),
        option(
            COLOUR,
            "WHEN",
            "Colours in the explorer: auto (the default; NO_COLOR counts), always or never",
        )
        .value_parser(["auto", "always", "never"])
        .default_value("auto")
        .hide_possible_values(true)
        .hide_default_value(true),
        switch(READ_ONLY, "List, describe and make dry runs alone, on whatever profile; refuse the rest"),
        option(
            DESCRIBE_RATE,
            "NUMBER",
            "DescribeKey calls a second for what is not on the screen, 0 to 10000; 0 is as fast as the service lets, the default is describe_rate in the configuration, else 200",
        )
        .value_parser(describe_rate),
        switch(NO_CACHE, "Neither show catalogs of earlier runs nor remember this one's"),
        path(CONFIG, "The configuration, in place of config.toml in your configuration folder"),
        path(LOG_FILE, "Write what kmx does to the end of this file: no request, no answer, no secret"),
        option(
            LOG_LEVEL,
            "LEVEL",
            "How much goes to --log-file: error, warn, info (the default), debug or trace",
        )
        .value_parser(LogLevel::ALL.map(LogLevel::name))
        .hide_possible_values(true),
        about("help", 'h', ArgAction::Help, "This help; --help tells more than -h"),
        about("version", 'V', ArgAction::Version, "The version"),
    ]
}

/// The options once more, for a subcommand that is the local KMS itself: its help tells those that say
/// something there. All are taken, and [`Global::served_store`] refuses what has no meaning.
pub(super) fn options_of_a_server() -> Vec<Arg> {
    let served = "The file of the keys that are served; the default is the demo's, in your data folder";
    let told_again = |option: Arg| match option.get_id().as_str() {
        DEMO_STORE => option.help(told(served)),
        name if SERVING_TOO.contains(&name) => option,
        _ => option.hide(true),
    };
    options().into_iter().map(told_again).collect()
}

/// The regions of `--region`, at least one.
#[derive(Clone, Debug)]
struct Regions(Vec<String>);

fn regions(text: &str) -> Result<Regions, &'static str> {
    let regions: Vec<String> = text.split(',').map(|region| region.trim().to_owned()).collect();
    if regions.iter().any(String::is_empty) {
        return Err("a region, or several with commas between, and none of them empty");
    }
    let another = |(index, region)| !regions.iter().take(index).any(|before| before == region);
    if regions.iter().enumerate().all(another) { Ok(Regions(regions)) } else { Err("names a region twice") }
}

fn whole_seconds(text: &str) -> Result<u32, &'static str> {
    text.parse().map_err(|_| "a whole number of seconds, or 0 for no limit")
}

fn describe_rate(text: &str) -> Result<u32, String> {
    let rate = text.parse().ok().filter(|rate| *rate <= MAX_DESCRIBE_RATE);
    rate.ok_or_else(|| {
        format!("a whole number from 0 to {MAX_DESCRIBE_RATE}; 0 is as fast as the service lets")
    })
}

fn global(name: &'static str, help: &str) -> Arg {
    Arg::new(name).long(name).help(told(help)).global(true).help_heading("Global options")
}

fn option(name: &'static str, value: &'static str, help: &str) -> Arg {
    global(name, help).value_name(value)
}

fn switch(name: &'static str, help: &str) -> Arg {
    global(name, help).action(ArgAction::SetTrue)
}

fn about(name: &'static str, short: char, action: ArgAction, help: &str) -> Arg {
    global(name, help).short(short).action(action)
}

/// What the global options say.
pub(super) struct Global {
    target: Target,
    settings: Settings,
    colour: bool,
}

impl Global {
    /// Reads the options and the configuration.
    ///
    /// # Errors
    /// Options that do not go together; a configuration that cannot be read or is wrong.
    pub(super) fn of(options: &ArgMatches) -> Result<Self, Stop> {
        let target = target(options)?;
        Ok(Self { target, settings: settings(options)?, colour: colour(options) })
    }

    /// The same for a subcommand that goes to one region.
    ///
    /// # Errors
    /// Options that do not go together, or more than one region.
    pub(super) fn of_one_region(options: &ArgMatches) -> Result<Self, Stop> {
        let named = named_regions(options);
        if named.len() > 1 {
            let sentence = format!(
                "--{REGION}: names {} regions, which the explorer and `kmx list` alone take: name one",
                named.len()
            );
            return Err(Stop::usage(sentence));
        }
        Self::of(options)
    }

    /// The store's file that a subcommand which is the local KMS itself is to serve, where one is named.
    ///
    /// # Errors
    /// Options about AWS, or about requests: those say their own region.
    pub(super) fn served_store(options: &ArgMatches, subcommand: &str) -> Result<Option<PathBuf>, Stop> {
        let misplaced: Vec<String> = AWS_ONLY
            .into_iter()
            .chain(ASKING_ONLY)
            .filter(|name| options.value_source(name) == Some(ValueSource::CommandLine))
            .map(|name| {
                format!("--{name}: is about requests, and `kmx {subcommand}` answers them: leave it out")
            })
            .collect();
        if !misplaced.is_empty() {
            return Err(Stop::Usage { sentences: misplaced, hints: Vec::new() });
        }
        Ok(options.get_one::<PathBuf>(DEMO_STORE).cloned())
    }

    pub(super) const fn colour(&self) -> bool {
        self.colour
    }

    /// The session and the settings.
    pub(super) fn into_parts(self) -> (Session, Settings) {
        (Session::new(self.target), self.settings)
    }
}

/// Where requests go, as the options say.
fn target(options: &ArgMatches) -> Result<Target, Stop> {
    let given = |name: &str| options.value_source(name) == Some(ValueSource::CommandLine);
    if !options.get_flag(DEMO) {
        if given(DEMO_STORE) {
            return Err(Stop::usage(format!("--{DEMO_STORE} goes with --{DEMO} alone")));
        }
        return Ok(Target::Aws(aws(options)));
    }
    let misplaced: Vec<String> = AWS_ONLY
        .into_iter()
        .filter(|name| given(name))
        .map(|name| {
            format!("--{name}: is about AWS, and --{DEMO} goes to the local KMS: leave one of them out")
        })
        .collect();
    if !misplaced.is_empty() {
        return Err(Stop::Usage { sentences: misplaced, hints: Vec::new() });
    }
    let settings = LocalSettings {
        store: options.get_one::<PathBuf>(DEMO_STORE).cloned(),
        regions: named_regions(options),
    };
    Ok(Target::Local(settings))
}

/// What holds for this run: options, then the configuration.
fn settings(options: &ArgMatches) -> Result<Settings, Stop> {
    let given = Given {
        describe_rate: options.get_one::<u32>(DESCRIBE_RATE).copied(),
        no_cache: options.get_flag(NO_CACHE),
        read_only: options.get_flag(READ_ONLY),
    };
    let named = options.get_one::<PathBuf>(CONFIG);
    let config = Config::load(named.map(PathBuf::as_path), Paths::of_this_person().as_ref());
    let another = format!("mend it, or name another with --{CONFIG}");
    Ok(Settings::new(
        given,
        config.map_err(|error| match error {
            ConfigError::Wrong(problems) => Stop::Usage { sentences: problems, hints: vec![another] },
            ConfigError::Unreadable(error) => {
                let way_out = error.way_out();
                let sentence = format!("the configuration cannot be used: {error}");
                Failure::new(FailureKind::Store, sentence)
                    .hint(way_out)
                    .hint(format!("name another with --{CONFIG}"))
                    .into()
            }
        })?,
    ))
}

/// Begins the log, where one is asked for.
///
/// # Errors
/// A level without a file; a file that cannot be written.
pub(super) fn start_log(options: &ArgMatches) -> Result<(), Stop> {
    let level = options.get_one::<String>(LOG_LEVEL).and_then(|name| LogLevel::named(name));
    let Some(path) = options.get_one::<PathBuf>(LOG_FILE) else {
        return match level {
            Some(_) => Err(Stop::usage(format!(
                "--{LOG_LEVEL} says how much goes to a log, and there is none: add --{LOG_FILE}, or leave it out"
            ))),
            None => Ok(()),
        };
    };
    log::start(path, level.unwrap_or_default()).map_err(|error| {
        let failure = Failure::new(FailureKind::Store, format!("the log cannot be used: {error}"));
        failure.hint(error.way_out()).into()
    })
}

fn text(options: &ArgMatches, name: &str) -> Option<String> {
    options.get_one::<String>(name).cloned()
}

fn named_regions(options: &ArgMatches) -> Vec<String> {
    options.get_one::<Regions>(REGION).map(|Regions(regions)| regions.clone()).unwrap_or_default()
}

fn aws(options: &ArgMatches) -> AwsSettings {
    // The AWS CLI's 0 is no limit.
    let seconds = |name: &str, otherwise: Option<Duration>| match options.get_one::<u32>(name) {
        None => otherwise,
        Some(0) => None,
        Some(seconds) => Some(Duration::from_secs(u64::from(*seconds))),
    };
    let default = TimeOuts::default();
    AwsSettings {
        profile: text(options, PROFILE),
        regions: named_regions(options),
        endpoint_url: text(options, ENDPOINT_URL),
        ca_bundle: options.get_one::<PathBuf>(CA_BUNDLE).cloned(),
        time_outs: TimeOuts {
            connect: seconds(CONNECT_TIMEOUT, default.connect),
            attempt: seconds(READ_TIMEOUT, default.attempt),
        },
        unsigned: options.get_flag(NO_SIGN_REQUEST),
        allow_insecure_endpoint: options.get_flag(ALLOW_INSECURE),
    }
}

/// `auto`: unless `NO_COLOR` is set to something (no-color.org), or the terminal has none.
fn colour(options: &ArgMatches) -> bool {
    match text(options, COLOUR).as_deref() {
        Some("always") => true,
        Some("never") => false,
        _ => {
            let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            !refused && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
        }
    }
}
