//! The switches of `kmx serve` for tests and demonstrations: made-up keys, delays, limits, faults.
//!
//! It must only read them: what they mean is the local KMS's.

use std::time::Duration;

use clap::{Arg, ArgMatches, Command};

use crate::cli::arguments::told;
use crate::cli::ending::Stop;
use crate::local::{Behaviour, Denial, MAX_GENERATED_KEYS, Odds, Options, Rate, Seed, parse_latency};

const HEADING: &str = "For tests and demonstrations";

const SEED_KEYS: &str = "seed-keys";
const SEED: &str = "seed";
const LATENCY: &str = "latency";
const RATE: &str = "rate";
const DENY: &str = "deny";
const FAULT: &str = "fault";

pub(super) fn add_to(command: Command) -> Command {
    command
        .next_help_heading(HEADING)
        .arg(
            Arg::new(SEED_KEYS)
                .long(SEED_KEYS)
                .value_name("KEYS")
                .value_parser(keys)
                .help(told("Begin a new store with so many made-up keys in us-east-1, not with the demo's; 0 is an empty one")),
        )
        .arg(Arg::new(SEED).long(SEED).value_name("NUMBER").value_parser(seed).help(told(
            "What --seed-keys and --fault draw from; the same number gives the same, the default is 0",
        )))
        .arg(
            Arg::new(LATENCY)
                .long(LATENCY)
                .value_name("DURATION")
                .value_parser(parse_latency)
                .help("How long every request waits: 20ms, 1.5s"),
        )
        .arg(
            Arg::new(RATE)
                .long(RATE)
                .value_name("OPERATION=REQUESTS")
                .value_delimiter(',')
                .value_parser(str::parse::<Rate>)
                .help(told("Let so many requests a second through, and throttle the rest: DescribeKey=2000")),
        )
        .arg(
            Arg::new(DENY)
                .long(DENY)
                .value_name("OPERATION=SHARE")
                .value_delimiter(',')
                .value_parser(str::parse::<Denial>)
                .help(told("Deny the operation on that share of the keys, always the same: DescribeKey=5%")),
        )
        .arg(Arg::new(FAULT).long(FAULT).value_name("FAULT=SHARE[,…]").value_parser(str::parse::<Odds>).help(
            told("Spoil that share of the requests: 500=1%,reset=1%,throttle=2%,truncate=1%,hang=0.1%"),
        ))
}

fn keys(text: &str) -> Result<u32, String> {
    let keys = text.parse().ok().filter(|keys| *keys <= MAX_GENERATED_KEYS);
    keys.ok_or_else(|| format!("`{text}` is not a number of keys: 0 to {MAX_GENERATED_KEYS}"))
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("`{text}` is not a seed: a whole number, 0 or more"))
}

/// What the switches say of the local KMS.
///
/// # Errors
/// A seed, and nothing that draws from it.
pub(super) fn options(matches: &ArgMatches) -> Result<Options, Stop> {
    let keys = matches.get_one::<u32>(SEED_KEYS).copied();
    let seed = matches.get_one::<u64>(SEED).copied();
    if seed.is_some() && keys.is_none() && !matches.contains_id(FAULT) {
        return Err(Stop::usage(format!(
            "--{SEED}: made-up keys and faults are drawn from it: give --{SEED_KEYS} or --{FAULT} too, or \
             leave it out"
        )));
    }
    let seed = seed.unwrap_or_default();
    Ok(Options {
        seed: keys.map_or_else(Seed::default, |keys| Seed::Generated { keys, seed }),
        behaviour: Behaviour {
            latency: matches.get_one::<Duration>(LATENCY).copied().unwrap_or_default(),
            rates: many(matches, RATE),
            denials: many(matches, DENY),
            odds: matches.get_one::<Odds>(FAULT).cloned().unwrap_or_default(),
            seed,
            ..Behaviour::default()
        },
        ..Options::default()
    })
}

fn many<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, name: &str) -> Vec<T> {
    matches.get_many::<T>(name).into_iter().flatten().cloned().collect()
}
