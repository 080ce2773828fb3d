//! The options that hold for every subcommand, before or after its name, and the session that they
//! ask for.
//!
//! Environment and configuration are not read here but for colours: the session reads them when it
//! connects.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, value_parser};

use super::arguments::told;
use super::ending::Stop;
use crate::kms::TimeOuts;
use crate::session::{AwsSettings, LocalSettings, Target};

/// Where the demo's keys live unless `--region` says otherwise, whatever the environment says.
const DEMO_REGION: &str = "us-east-1";

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

/// Options that say something about AWS, and nothing about the demo.
const AWS_ONLY: [&str; 7] =
    [PROFILE, ENDPOINT_URL, NO_SIGN_REQUEST, CA_BUNDLE, CONNECT_TIMEOUT, READ_TIMEOUT, ALLOW_INSECURE];

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
        text(REGION, "REGION", "The region; else AWS_REGION, AWS_DEFAULT_REGION, the profile's"),
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
        "help" | "version" => option,
        _ => option.hide(true),
    };
    options().into_iter().map(told_again).collect()
}

fn whole_seconds(text: &str) -> Result<u32, &'static str> {
    text.parse().map_err(|_| "a whole number of seconds, or 0 for no limit")
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
    colour: bool,
}

impl Global {
    /// # Errors
    /// Options that do not go together.
    pub(super) fn of(options: &ArgMatches) -> Result<Self, Stop> {
        let given = |name: &str| options.value_source(name) == Some(ValueSource::CommandLine);
        if !options.get_flag(DEMO) {
            if given(DEMO_STORE) {
                return Err(Stop::usage(format!("--{DEMO_STORE} goes with --{DEMO} alone")));
            }
            return Ok(Self { target: Target::Aws(aws(options)), colour: colour(options) });
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
            region: text(options, REGION).unwrap_or_else(|| DEMO_REGION.to_owned()),
        };
        Ok(Self { target: Target::Local(settings), colour: colour(options) })
    }

    /// The store's file that a subcommand which is the local KMS itself is to serve, where one is named.
    ///
    /// # Errors
    /// Options about AWS, or about a region: a request says its own.
    pub(super) fn served_store(options: &ArgMatches, subcommand: &str) -> Result<Option<PathBuf>, Stop> {
        let misplaced: Vec<String> = AWS_ONLY
            .into_iter()
            .chain([REGION])
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

    pub(super) fn target(self) -> Target {
        self.target
    }
}

fn text(options: &ArgMatches, name: &str) -> Option<String> {
    options.get_one::<String>(name).cloned()
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
        region: text(options, REGION),
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
