//! How a run ends: its exit code, and what stderr says when it stops early.
//!
//! The one place that knows exit codes and the form of a message. It writes nothing itself.

use std::io;
use std::process::ExitCode;

use crate::domain::failure::{Failure, FailureKind};
use crate::domain::request::Problem;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Done,
    /// Bad usage or parameters.
    Usage,
    /// Region, credentials, profile, configuration, terminal.
    Environment,
    /// The service said no.
    Refused,
    /// Anything else: a connection, a file, a disk that is full.
    Other,
    /// A signal ended it; the code that says so.
    Signal(u8),
}

impl Ending {
    /// The AWS CLI's numbers, and a shell's for a signal.
    pub(super) fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Done => 0,
            Self::Usage => 252,
            Self::Environment => 253,
            Self::Refused => 254,
            Self::Other => 255,
            Self::Signal(code) => code,
        })
    }

    /// The ending that a failure means. An error that the service answered with is the service's no,
    /// whatever it is about.
    pub(super) fn of(failure: &Failure) -> Self {
        if failure.is_answer() {
            return Self::Refused;
        }
        match failure.kind {
            FailureKind::Refused | FailureKind::NotAllowed | FailureKind::Throttled => Self::Refused,
            FailureKind::NoCredentials
            | FailureKind::CredentialsExpired
            | FailureKind::BadCredentials
            | FailureKind::NoRegion
            | FailureKind::NoProfile
            | FailureKind::Configuration => Self::Environment,
            FailureKind::ServiceFault
            | FailureKind::Connect
            | FailureKind::Certificate
            | FailureKind::TimedOut
            | FailureKind::Store
            | FailureKind::Other => Self::Other,
        }
    }
}

/// Why a run stopped before its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// Sentences about what was asked for, then ways out.
    Usage {
        sentences: Vec<String>,
        hints: Vec<String>,
    },
    Failure(Box<Failure>),
    /// The explorer was asked for, and there is no terminal.
    NoTerminal,
    /// The terminal is there and cannot be used.
    Terminal(io::Error),
    /// stdout does not take what is written.
    Output(io::Error),
}

impl Stop {
    /// Bad usage, in one sentence.
    pub(super) fn usage(sentence: impl Into<String>) -> Self {
        Self::Usage { sentences: vec![sentence.into()], hints: Vec::new() }
    }

    /// Bad parameters, each by the flag's name.
    pub(super) fn problems(problems: &[Problem]) -> Self {
        let sentence = |problem: &Problem| format!("--{}: {}", problem.parameter.flag(), problem.message);
        Self::Usage { sentences: problems.iter().map(sentence).collect(), hints: Vec::new() }
    }

    pub(super) fn ending(&self) -> Ending {
        match self {
            Self::Usage { .. } => Ending::Usage,
            Self::Failure(failure) => Ending::of(failure),
            Self::NoTerminal => Ending::Environment,
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Ending::Done,
            Self::Terminal(_) | Self::Output(_) => Ending::Other,
        }
    }

    /// What to say about it, a line each. Whoever closes a pipe has seen enough: nothing is said.
    pub(super) fn lines(&self) -> Vec<String> {
        match self {
            Self::Usage { sentences, hints } => {
                let sentences = sentences.iter().map(|sentence| format!("kmx: {sentence}"));
                sentences.chain(hints.iter().map(|hint| hint_line(hint))).collect()
            }
            Self::Failure(failure) => lines_of(failure),
            Self::NoTerminal => vec![
                "kmx: the explorer needs a terminal on stdin and stdout; without one there are `kmx list` and \
                 `kmx generate-data-key-without-plaintext`"
                    .to_owned(),
            ],
            Self::Terminal(error) => vec![format!("kmx: the terminal cannot be used: {error}")],
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Vec::new(),
            Self::Output(error) => vec![format!("kmx: stdout cannot be written: {error}")],
        }
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(Box::new(failure))
    }
}

/// A failure for stderr: an answer of the service as the AWS CLI words it, what was tried, ways out.
pub(super) fn lines_of(failure: &Failure) -> Vec<String> {
    let first = match (&failure.code, failure.operation) {
        (Some(code), Some(operation)) => {
            let message = failure.message.as_deref().unwrap_or("Unknown");
            format!("An error occurred ({code}) when calling the {operation} operation: {message}")
        }
        _ => format!("kmx: {}", failure.sentence),
    };
    let tried = failure.tried.iter().map(|(what, end)| format!("tried: {what}: {end}"));
    let hints = failure.hints.iter().chain(&failure.command).map(|hint| hint_line(hint));
    std::iter::once(first).chain(tried).chain(hints).collect()
}

fn hint_line(hint: &str) -> String {
    format!("hint: {hint}")
}

#[cfg(test)]
mod tests;
