//! The command line: from arguments to an exit code.
//!
//! Arguments are read in two steps: clap takes them apart, then each part of this module checks its
//! own and makes plain data of them, before anything is opened or sent. stdout is data, stderr is
//! talk. What runs is the explorer or one subcommand; the runtime for calls is made by the
//! subcommand, so that the explorer draws before there is one.
//!
//! It knows nothing of the explorer's insides. Exit codes and the form of messages are `ending`'s alone.

mod arguments;
mod describe;
mod ending;
mod findings;
mod generate;
mod global;
mod list;
mod member;
mod output;
mod references;
mod serve;
#[cfg(unix)]
mod signals;
mod table;
mod usage;

use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use clap::ArgMatches;

use self::ending::{Ending, Stop};
use self::global::Global;
use crate::tui;

pub use self::generate::Reading;

/// Runs what the arguments ask for, says what went wrong, and tells how it ended.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let ending = dispatch(arguments).unwrap_or_else(|stop| {
        output::say_all(&stop.lines());
        stop.ending()
    });
    ending.code()
}

/// What the options of `generate-data-key-without-plaintext` say, given with the program's name and
/// the subcommand before them.
///
/// # Errors
/// The sentence for arguments that cannot be taken apart.
pub fn read_request(arguments: impl IntoIterator<Item = OsString>) -> Result<Reading, String> {
    let matches = arguments::command().try_get_matches_from(arguments).map_err(|error| error.to_string())?;
    match matches.subcommand() {
        Some((generate::NAME, options)) => Ok(Reading::of(options)),
        _ => Err(format!("the subcommand is not {}", generate::NAME)),
    }
}

fn dispatch(arguments: impl IntoIterator<Item = OsString>) -> Result<Ending, Stop> {
    let matches = match arguments::command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => return usage::answer(&error),
    };
    global::start_log(matches.subcommand().map_or(&matches, |(_, options)| options))?;
    match matches.subcommand() {
        Some((list::NAME, options)) => {
            let (session, settings) = Global::of(options)?.into_parts();
            list::run(&session, &settings, options)
        }
        Some((describe::NAME, options)) => {
            describe::run(options, || Ok(Global::of_one_region(options)?.into_parts().0))
        }
        Some((generate::NAME, options)) => {
            generate::run(options, || Ok(Global::of_one_region(options)?.into_parts()))
        }
        Some((serve::NAME, options)) => serve::run(options),
        _ => explore(&matches),
    }
}

fn explore(options: &ArgMatches) -> Result<Ending, Stop> {
    let global = Global::of(options)?;
    let colour = global.colour();
    let (session, settings) = global.into_parts();
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(Stop::NoTerminal);
    }
    match tui::run(session, &tui::Options { colour, settings }) {
        Ok(tui::Exit::Quit) => Ok(Ending::Done),
        Ok(tui::Exit::Signal(code)) => Ok(Ending::Signal(code)),
        Err(error) => Err(Stop::Terminal(error)),
    }
}
