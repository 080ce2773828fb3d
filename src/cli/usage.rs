//! What clap says: help and version to stdout, its errors in this program's words.
//!
//! Errors are made anew from their parts, since they quote arguments, which may hold anything.

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

use super::ending::{Ending, Stop};
use super::output;

/// Prints what was asked for, or makes a stop of what is wrong.
pub(super) fn answer(error: &Error) -> Result<Ending, Stop> {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return output::data(&error.render().to_string()).map(|()| Ending::Done);
    }
    Err(Stop::Usage { sentences: vec![sentence(error)], hints: hints(error) })
}

fn sentence(error: &Error) -> String {
    let argument = text(error, ContextKind::InvalidArg).map(|argument| option_name(&argument));
    let value = text(error, ContextKind::InvalidValue);
    match (error.kind(), argument, value) {
        (ErrorKind::UnknownArgument, Some(argument), _) if argument.starts_with('-') => {
            format!("unknown option `{argument}`")
        }
        (ErrorKind::UnknownArgument, Some(argument), _) => format!("`{argument}` has no place here"),
        (ErrorKind::InvalidSubcommand, ..) => {
            let name = text(error, ContextKind::InvalidSubcommand).unwrap_or_default();
            format!("there is no subcommand `{name}`")
        }
        (ErrorKind::InvalidValue, Some(argument), None) => format!("{argument}: needs a value"),
        (ErrorKind::InvalidValue, Some(argument), Some(value)) if value.is_empty() => {
            format!("{argument}: needs a value")
        }
        (ErrorKind::InvalidValue, Some(argument), Some(value)) => {
            format!("{argument}: `{value}` is none of {}", list(error, ContextKind::ValidValue).join(", "))
        }
        (ErrorKind::ValueValidation, Some(argument), Some(value)) => {
            let reason = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            format!("{argument}: `{value}`: {reason}")
        }
        (ErrorKind::TooManyValues, Some(argument), Some(value)) => {
            format!("{argument}: takes no value, and was given `{value}`")
        }
        (ErrorKind::InvalidUtf8, ..) => "an argument is not text in UTF-8".to_owned(),
        _ => first_line(error),
    }
}

/// clap's own first line, without its label.
fn first_line(error: &Error) -> String {
    let whole = error.render().to_string();
    let line = whole.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

fn hints(error: &Error) -> Vec<String> {
    let mut hints = Vec::new();
    for kind in [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue] {
        let names: Vec<String> = list(error, kind).iter().map(|name| format!("`{name}`")).collect();
        if !names.is_empty() {
            hints.push(format!("did you mean {}?", names.join(" or ")));
        }
    }
    // Where clap tells the usage, it says which command was meant.
    if let Some(usage) = text(error, ContextKind::Usage) {
        let words = usage.strip_prefix("Usage: ").unwrap_or(&usage).split_whitespace();
        let command: Vec<&str> = words.take_while(|word| !word.starts_with(['<', '[', '-'])).collect();
        hints.push(format!("see `{} --help`", command.join(" ")));
    }
    hints
}

/// `--number-of-bytes` of `--number-of-bytes <COUNT>`.
fn option_name(argument: &str) -> String {
    match argument.split_once([' ', '=']) {
        Some((name, _)) if argument.starts_with('-') => name.to_owned(),
        _ => argument.to_owned(),
    }
}

fn text(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::StyledStr(text) => Some(text.to_string()),
        ContextValue::Strings(texts) => texts.first().cloned(),
        _ => None,
    }
}

fn list(error: &Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::Strings(texts)) => texts.clone(),
        Some(ContextValue::String(text)) => vec![text.clone()],
        _ => Vec::new(),
    }
}
