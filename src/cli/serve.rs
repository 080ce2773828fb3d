//! `kmx serve`: the local KMS on a port, for any AWS client.
//!
//! What it prints on stdout is one line, for people and for scripts that wait until it is ready.

mod switches;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::pin::pin;

use clap::{Arg, ArgAction, ArgMatches, Command};
use tokio::runtime::Builder;

use super::arguments::{EXIT_CODES, told};
use super::ending::{Ending, Stop};
use super::global::{self, Global};
use super::output;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::text::plural;
use crate::local::{LocalKms, ServeError, Server, ServerOptions, StoreLocation};
use crate::session;

pub(super) const NAME: &str = "serve";

const LISTEN: &str = "listen";
const LISTEN_ANY: &str = "listen-any";
const EPHEMERAL: &str = "ephemeral";

const DEFAULT_ADDRESS: &str = "127.0.0.1:4599";

const LONG_ABOUT: &str = "\
The local KMS on a port: AWS JSON 1.1 with real cryptography, for any AWS client.

Whoever reaches the port can use and read every key: there is no authentication and no TLS. A
request has to be signed, and its signature is not verified: any credentials do. Keys live in the
region that a request was signed for; the demo's are in us-east-1, a few in eu-west-1.";

const MORE: &str = "\
stdout gets one line when it is ready:
  listening on http://127.0.0.1:4599: export AWS_ENDPOINT_URL_KMS=http://127.0.0.1:4599

It runs until SIGINT, SIGTERM or SIGHUP: requests that have begun are answered, for ten seconds at
most; a second signal ends it at once.

Examples:
  kmx serve
  kmx serve --listen :0 --ephemeral        a free port, and keys that nobody misses
  kmx serve --ephemeral --seed-keys 100000 --latency 20ms --rate DescribeKey=2000
  AWS_ENDPOINT_URL_KMS=http://127.0.0.1:4599 aws kms list-keys --region us-east-1";

/// The subcommand, as clap knows it.
pub(super) fn command() -> Command {
    let command = Command::new(NAME)
        .about("The local KMS on a port, for any AWS client")
        .long_about(LONG_ABOUT)
        .after_long_help(format!("{MORE}\n\n{EXIT_CODES}"))
        .arg(
            Arg::new(LISTEN)
                .long(LISTEN)
                .value_name("ADDRESS:PORT")
                .value_parser(address)
                .default_value(DEFAULT_ADDRESS)
                .hide_default_value(true)
                .help(told(
                    "Where to listen; the default is 127.0.0.1:4599, :PORT is 127.0.0.1:PORT, and port 0 \
                     takes a free one",
                )),
        )
        .arg(Arg::new(LISTEN_ANY).long(LISTEN_ANY).value_name("HOST[,HOST…]").value_delimiter(',').help(
            told(
                "Let --listen name an address that other machines reach, and answer requests to these \
                     hosts. On such a network everyone can use and read every key",
            ),
        ))
        .arg(
            Arg::new(EPHEMERAL)
                .long(EPHEMERAL)
                .action(ArgAction::SetTrue)
                .help("Keep the keys in memory, until it ends"),
        );
    switches::add_to(command).args(global::options_of_a_server())
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    let port = |text: &str| text.parse().ok().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let short = text.strip_prefix("localhost").unwrap_or(text).strip_prefix(':').and_then(port);
    short
        .or_else(|| text.parse().ok())
        .ok_or("an address and a port, as in 127.0.0.1:4599, [::1]:4599 or :4599")
}

/// Serves until a signal comes.
pub(super) fn run(options: &ArgMatches) -> Result<Ending, Stop> {
    let location = location(options)?;
    let server_options = ServerOptions {
        listen: options
            .get_one::<SocketAddr>(LISTEN)
            .copied()
            .ok_or_else(|| Stop::usage(format!("--{LISTEN}: needs a value")))?,
        host_names: options.get_many::<String>(LISTEN_ANY).into_iter().flatten().cloned().collect(),
    };
    let kms_options = switches::options(options)?;
    let stop = stop().map_err(|error| other(format!("signals cannot be received: {error}")))?;
    let mut stop = pin!(stop);
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| other(format!("no runtime for a server: {error}")))?;
    // Before the store is opened: where another `kmx serve` runs already, that is what to say.
    let server = runtime.block_on(Server::bind(server_options)).map_err(|error| refused(&error))?;
    let kept = match &location {
        StoreLocation::File(path) => format!("the keys are kept unencrypted in `{}`", path.display()),
        StoreLocation::Memory => "the keys are kept in memory, and are gone when this ends".to_owned(),
    };
    // Very many keys take minutes to make up.
    let opening = runtime.spawn_blocking(|| LocalKms::open(location, kms_options));
    let opened = runtime.block_on(async {
        tokio::select! {
            code = &mut stop => Err(code),
            opened = opening => Ok(opened),
        }
    });
    let opened = match opened {
        Ok(opened) => opened.map_err(|error| other(format!("the store was not opened: {error}")))?,
        Err(code) => {
            // A store that is being made is not waited for: the next one to open it begins anew.
            runtime.shutdown_background();
            return Ok(Ending::Signal(code));
        }
    };
    // The error's own sentence names the file and the way out.
    let kms = opened.map_err(|error| Failure::new(FailureKind::Store, error.to_string()))?;
    output::say("kmx: whoever reaches this port can use and read every key: no authentication, no TLS");
    output::say(
        "kmx: any credentials do, they are not verified; keys live in the region that a request is \
         signed for, the demo's in us-east-1, a few in eu-west-1",
    );
    output::say(&format!("kmx: {kept}"));
    let url = server.url();
    tracing::info!(url, "serving");
    output::data(&format!("listening on {url}: export AWS_ENDPOINT_URL_KMS={url}"))?;
    let mut code = None;
    let cut_off = runtime.block_on(server.run(&kms, async { code = Some(stop.await) }));
    if cut_off > 0 {
        let connections = plural(cut_off, "connection was", "connections were");
        output::say(&format!("kmx: {connections} cut off: no answer in time"));
    }
    tracing::info!(cut_off, "no longer serving");
    Ok(code.map_or(Ending::Done, Ending::Signal))
}

fn location(options: &ArgMatches) -> Result<StoreLocation, Stop> {
    let named: Option<PathBuf> = Global::served_store(options, NAME)?;
    match (named, options.get_flag(EPHEMERAL)) {
        (Some(_), true) => Err(Stop::usage(format!(
            "--{EPHEMERAL} keeps the keys in memory, and --demo-store in a file: leave one of them out"
        ))),
        (None, true) => Ok(StoreLocation::Memory),
        (Some(path), false) => Ok(StoreLocation::File(path)),
        (None, false) => Ok(StoreLocation::File(session::default_store()?)),
    }
}

/// Waits for the signal to stop; the exit code that says which. Where there are none, what ends the
/// process ends it.
#[cfg(unix)]
fn stop() -> std::io::Result<impl Future<Output = u8>> {
    let first = super::signals::first()?;
    Ok(async {
        match first.await {
            Ok(code) => code,
            // The thread that waits for signals has gone: nobody will say stop.
            Err(_) => std::future::pending().await,
        }
    })
}

#[cfg(not(unix))]
fn stop() -> std::io::Result<impl Future<Output = u8>> {
    Ok(std::future::pending())
}

fn refused(error: &ServeError) -> Stop {
    match error {
        ServeError::NotLoopback { .. } => Stop::usage(format!("--{LISTEN}: {error}")),
        ServeError::HostName { .. } => Stop::usage(format!("--{LISTEN_ANY}: {error}")),
        _ => other(error.to_string()),
    }
}

fn other(sentence: String) -> Stop {
    Failure::new(FailureKind::Other, sentence).into()
}
