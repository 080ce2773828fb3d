//! The whole command line as clap knows it.

use clap::{ColorChoice, Command};

use super::{describe, generate, global, list, serve};
use crate::domain::text::wrap;

/// Columns of a help text; clap indents it by ten.
const HELP_COLUMNS: usize = 84;

const ABOUT: &str = "A terminal explorer for AWS KMS";

const LONG_ABOUT: &str = "\
A terminal explorer for AWS KMS.

Without a subcommand it shows the keys and aliases of an account and region, with their states,
and makes data keys in a form. The subcommands do the same for scripts, or are a local KMS for
other programs: data goes to stdout, everything else to stderr.";

const EXAMPLES: &str = "\
Examples:
  kmx                                      the explorer, with the AWS CLI's configuration
  kmx --demo                               the explorer on a local KMS: no account needed
  kmx --profile prod --region eu-west-1
  kmx list state:disabled
  kmx describe alias/orders
  kmx generate --key-id alias/orders --key-spec AES_256 --encryption-context tenant=acme
  kmx serve                                the local KMS on a port, for any AWS client";

pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0    done; also where whoever reads stdout has seen enough
  252  bad usage, parameters or configuration
  253  the environment: no region, no credentials, no such profile, no terminal
  254  the service said no
  255  anything else: no connection, a certificate, a file, the demo's store, a port in use
  130, 143, 129  ended by SIGINT, SIGTERM, SIGHUP";

/// The command line.
pub(super) fn command() -> Command {
    let command = Command::new("kmx")
        .version(clap::crate_version!())
        .about(ABOUT)
        .long_about(LONG_ABOUT)
        .after_long_help(format!("{EXAMPLES}\n\n{EXIT_CODES}"))
        .propagate_version(true)
        // Errors and help go out as plain text, through this program's own ways.
        .color(ColorChoice::Never)
        // Texts come in lines that fit: they read the same in every build and on every terminal.
        .term_width(0)
        .args_override_self(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .disable_help_subcommand(true)
        .next_line_help(true)
        .args(global::options())
        .subcommand(list::command())
        .subcommand(describe::command())
        .subcommand(generate::command())
        .subcommand(serve::command());
    command.mut_subcommands(|subcommand| {
        subcommand.display_name("kmx").args_override_self(true).next_line_help(true)
    })
}

/// A help text in lines that fit a terminal.
pub(super) fn told(help: &str) -> String {
    wrap(help, HELP_COLUMNS).join("\n")
}
