//! The log: lines in a file that a person names, and none where they name none. Never on a screen.
//!
//! It takes events of kmx's own alone: the SDK's print bodies of requests. An event of ours names
//! operations, paths, counts and request ids, never a context, a token, a blob or a credential.

use std::fmt;
use std::path::Path;

use jiff::Timestamp;
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;

use super::private::{self, FileError};
use crate::domain::text::printable;

/// Where events come from that are written.
const OURS: &str = "kmx";

/// How much is written: each level takes the ones before it too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

impl LogLevel {
    pub const ALL: [Self; 5] = [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// The level of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }

    /// `info`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }

    const fn filter(self) -> LevelFilter {
        match self {
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
            Self::Trace => LevelFilter::TRACE,
        }
    }
}

/// Begins the log of this process, at the end of what the file holds. The first call counts. From
/// here on an event is one write to the file; what cannot be written is lost.
///
/// # Errors
/// The file cannot be opened or made private.
pub fn start(path: &Path, level: LogLevel) -> Result<(), FileError> {
    let file = private::append(path)?;
    // A second one in the same process changes nothing.
    let _ = tracing::subscriber::set_global_default(subscriber(file, level));
    Ok(())
}

fn subscriber<W>(writer: W, level: LogLevel) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_ansi(false)
        .log_internal_errors(false)
        .event_format(Line);
    let ours = Targets::new().with_target(OURS, level.filter());
    tracing_subscriber::registry().with(ours).with(lines)
}

/// `2026-11-24T21:14:12.062Z INFO kmx::files::config: configuration read profiles=2`
struct Line;

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = String::new();
        context.format_fields(Writer::new(&mut fields), event)?;
        let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
        let metadata = event.metadata();
        writeln!(writer, "{now} {:5} {}: {}", metadata.level(), metadata.target(), printable(&fields))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    /// What a log of this level holds, its times left out.
    fn logged(level: LogLevel, events: impl FnOnce()) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        tracing::subscriber::with_default(subscriber(File::create(&path).unwrap(), level), events);
        let text = std::fs::read_to_string(&path).unwrap();
        let without_time = |line: &str| {
            let (time, rest) = line.split_once(' ').unwrap();
            assert!(time.ends_with('Z') && time.parse::<Timestamp>().is_ok(), "{line}");
            rest.to_owned()
        };
        text.lines().map(without_time).collect()
    }

    #[test]
    fn a_line_has_level_source_words_and_values() {
        let lines = logged(LogLevel::Info, || {
            tracing::info!(count = 2, name = "a b", "read");
            tracing::error!("failed");
        });
        assert_eq!(
            lines,
            [
                "INFO  kmx::files::log::tests: read count=2 name=\"a b\"",
                "ERROR kmx::files::log::tests: failed"
            ]
        );
    }

    #[test]
    fn a_level_takes_those_before_it_and_no_other() {
        let lines = logged(LogLevel::Warn, || {
            tracing::error!("1");
            tracing::warn!("2");
            tracing::info!("3");
            tracing::trace!("4");
        });
        assert_eq!(lines.len(), 2, "{lines:?}");
    }

    #[test]
    fn events_and_spans_of_others_are_not_written() {
        let lines = logged(LogLevel::Trace, || {
            let span = tracing::info_span!(target: "aws_smithy_runtime", "request", body = "context");
            span.in_scope(|| {
                tracing::error!(target: "aws_smithy_runtime", "body");
                tracing::trace!("ours");
            });
        });
        assert_eq!(lines, ["TRACE kmx::files::log::tests: ours"]);
    }

    #[test]
    fn hostile_text_stays_on_its_line_and_harmless() {
        let hostile = "\u{1b}[2J\n\u{202e}x";
        let lines = logged(LogLevel::Info, || tracing::info!(reason = %hostile, "{hostile}"));
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(!lines[0].chars().any(crate::domain::text::is_hidden), "{lines:?}");
    }
}
