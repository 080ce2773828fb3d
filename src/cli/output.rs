//! The ways out of a subcommand: data to stdout, talk to stderr, calls by a runtime of its own.
//!
//! stdout gets text that its writer has made safe (JSON escapes, tables and tab-separated lines go
//! through [`printable`]); stderr is made printable here, whatever it is.

use std::io::{self, Write as _};

use serde::Serialize;
use tokio::runtime::{Builder, Runtime};

use super::ending::Stop;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::json::pretty;
use crate::domain::text::printable;

/// Writes a whole text to stdout and ends its line.
pub(super) fn data(text: &str) -> Result<(), Stop> {
    let mut out = io::stdout().lock();
    let written = out
        .write_all(text.as_bytes())
        .and_then(|()| if text.is_empty() || text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") })
        .and_then(|()| out.flush());
    written.map_err(Stop::Output)
}

/// Writes a value to stdout in JSON, as the AWS CLI indents it.
pub(super) fn json(value: &impl Serialize) -> Result<(), Stop> {
    let text = pretty(value, 4).map_err(|error| Stop::Output(error.into()))?;
    data(&text)
}

/// Says a line on stderr. Where stderr is closed there is nobody to tell.
pub(super) fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", printable(line));
}

pub(super) fn say_all(lines: &[String]) {
    for line in lines {
        say(line);
    }
}

/// A runtime on this thread, for a subcommand's calls.
pub(super) fn runtime() -> Result<Runtime, Stop> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(FailureKind::Other, format!("no runtime for calls: {error}")).into())
}
