//! The configuration that a person writes: `config.toml`.
//!
//! ```toml
//! describe_rate = 200
//! cache = true
//!
//! [profiles.prod]
//! colour = "red"
//! word = "production"
//! read_only = true
//! confirm = true
//! ```
//!
//! A member that nobody knows is an error: one that is meant to protect a profile and is misspelt
//! must not be passed over. kmx never writes this file.

use std::collections::BTreeMap;
use std::path::Path;

use thiserror::Error;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::paths::Paths;
use super::private::{self, FileError};
use crate::domain::marks::{MAX_WORD_COLUMNS, MarkColour, Marks};
use crate::domain::text::{printable, width};

/// Bytes of a configuration at most.
const LIMIT: u64 = 1 << 20;

/// Calls of DescribeKey a second at most; 0 is as fast as the service lets.
pub const MAX_DESCRIBE_RATE: u32 = 10_000;

/// How like a known name an unknown one must be for that one to have been meant.
const ALIKE: f64 = 0.75;

const MEMBERS: [&str; 3] = ["describe_rate", "cache", "profiles"];
const MEMBERS_OF_A_PROFILE: [&str; 5] = ["colour", "color", "word", "read_only", "confirm"];

/// What a configuration says; what it leaves out is left to the defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Calls of DescribeKey a second, 0 to [`MAX_DESCRIBE_RATE`].
    pub describe_rate: Option<u32>,
    /// Whether catalogs are remembered.
    pub cache: Option<bool>,
    /// The marks of profiles, by the names that the AWS configuration has for them.
    pub profiles: BTreeMap<String, Marks>,
}

/// Why there is no configuration to go by.
#[derive(Debug, Error)]
pub enum ConfigError {
    #[error(transparent)]
    Unreadable(#[from] FileError),
    /// Its text is wrong: sentences that name the file, each with its line.
    #[error("{}", .0.join("; "))]
    Wrong(Vec<String>),
}

impl Config {
    /// Reads the file that a person named, which must be there, or else the one in the
    /// configuration's folder, where there is one.
    ///
    /// # Errors
    /// A file that cannot be read, or whose text is wrong.
    pub fn load(named: Option<&Path>, paths: Option<&Paths>) -> Result<Self, ConfigError> {
        let own = paths.map(Paths::config_file);
        let Some(path) = named.or(own.as_deref()) else { return Ok(Self::default()) };
        let bytes = match private::read(path, LIMIT) {
            Err(error) if named.is_none() && error.is_missing() => {
                tracing::debug!(path = %path.display(), "no configuration");
                return Ok(Self::default());
            }
            read => read?,
        };
        let wrong = |problem: String| format!("`{}`{problem}", path.display());
        let text = String::from_utf8(bytes)
            .map_err(|_| ConfigError::Wrong(vec![wrong(" is not text in UTF-8".to_owned())]))?;
        let config = Self::parse(&text).map_err(|problems| {
            let problems = problems.into_iter().map(|problem| wrong(format!(", {problem}")));
            ConfigError::Wrong(problems.collect())
        })?;
        tracing::info!(path = %path.display(), profiles = config.profiles.len(), "configuration read");
        Ok(config)
    }

    /// Reads a configuration's text.
    ///
    /// # Errors
    /// All that is wrong, in the order of the lines: `line 3: unknown member …`.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let whole = DeTable::parse(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_of(text, span.start));
            vec![format!("line {line}: {}", one_line(error.message()))]
        })?;
        let mut reading = Reading { text, problems: Vec::new() };
        let mut config = Self::default();
        for (name, value) in whole.get_ref() {
            match name.get_ref().as_ref() {
                "describe_rate" => config.describe_rate = reading.rate(name.get_ref(), value),
                "cache" => config.cache = reading.boolean(name.get_ref(), value),
                "profiles" => config.profiles = reading.profiles(value),
                _ => reading.unknown("", name, &MEMBERS),
            }
        }
        if reading.problems.is_empty() {
            return Ok(config);
        }
        reading.problems.sort_by_key(|(at, _)| *at);
        let told =
            reading.problems.iter().map(|(at, problem)| format!("line {}: {problem}", line_of(text, *at)));
        Err(told.collect())
    }
}

type Name<'a> = Spanned<std::borrow::Cow<'a, str>>;
type Value<'a> = Spanned<DeValue<'a>>;

/// A text that is being read, and what was wrong so far, with its place in bytes.
struct Reading<'a> {
    text: &'a str,
    problems: Vec<(usize, String)>,
}

impl Reading<'_> {
    fn profiles(&mut self, value: &Value<'_>) -> BTreeMap<String, Marks> {
        let Some(profiles) = value.get_ref().as_table() else {
            self.wrong("profiles", value, "a table for each profile, as in `[profiles.prod]`");
            return BTreeMap::new();
        };
        let read = |(name, marks): (&Name<'_>, &Value<'_>)| {
            let name = name.get_ref().as_ref();
            (name.to_owned(), self.marks(&format!("profiles.{name}"), marks))
        };
        profiles.iter().map(read).collect()
    }

    fn marks(&mut self, path: &str, value: &Value<'_>) -> Marks {
        let mut marks = Marks::default();
        let Some(members) = value.get_ref().as_table() else {
            self.wrong(path, value, &format!("a table: write `[{path}]` above its members"));
            return marks;
        };
        for (name, value) in members {
            let path = format!("{path}.{}", name.get_ref());
            match name.get_ref().as_ref() {
                "colour" | "color" if marks.colour.is_some() => {
                    let sentence = format!("`{path}` says again what the other spelling says: keep one");
                    self.problem(name.span().start, sentence);
                }
                "colour" | "color" => marks.colour = self.colour(&path, value),
                "word" => marks.word = self.word(&path, value),
                "read_only" => marks.read_only = self.boolean(&path, value).unwrap_or_default(),
                "confirm" => marks.confirm = self.boolean(&path, value).unwrap_or_default(),
                _ => self.unknown(&path, name, &MEMBERS_OF_A_PROFILE),
            }
        }
        marks
    }

    fn rate(&mut self, path: &str, value: &Value<'_>) -> Option<u32> {
        let number = value.get_ref().as_integer();
        let rate = number.and_then(|number| u32::from_str_radix(number.as_str(), number.radix()).ok());
        let rate = rate.filter(|rate| *rate <= MAX_DESCRIBE_RATE);
        if rate.is_none() {
            self.wrong(path, value, &format!("a whole number from 0 to {MAX_DESCRIBE_RATE}"));
        }
        rate
    }

    fn boolean(&mut self, path: &str, value: &Value<'_>) -> Option<bool> {
        let boolean = value.get_ref().as_bool();
        if boolean.is_none() {
            self.wrong(path, value, "true or false");
        }
        boolean
    }

    fn colour(&mut self, path: &str, value: &Value<'_>) -> Option<MarkColour> {
        let colour = value.get_ref().as_str().and_then(MarkColour::named);
        if colour.is_none() {
            let names = MarkColour::ALL.map(|colour| format!("\"{}\"", colour.name()));
            self.wrong(path, value, &format!("one of {}", names.join(", ")));
        }
        colour
    }

    fn word(&mut self, path: &str, value: &Value<'_>) -> Option<String> {
        let fits = |word: &&str| (1..=MAX_WORD_COLUMNS).contains(&width(&printable(word.trim())));
        let word = value.get_ref().as_str().filter(fits).map(|word| word.trim().to_owned());
        if word.is_none() {
            self.wrong(path, value, &format!("a text of 1 to {MAX_WORD_COLUMNS} columns"));
        }
        word
    }

    /// A value that is not `allowed`, told as it stands in the file.
    fn wrong(&mut self, path: &str, value: &Value<'_>, allowed: &str) {
        let span = value.span();
        let written = match value.get_ref() {
            DeValue::Table(_) => "a table",
            DeValue::Array(_) => "a list",
            _ => self.text.get(span.clone()).map_or("this", one_line),
        };
        let written = match value.get_ref() {
            DeValue::Table(_) | DeValue::Array(_) => written.to_owned(),
            _ => format!("`{written}`"),
        };
        self.problem(span.start, format!("`{path}` must be {allowed}, not {written}"));
    }

    fn unknown(&mut self, path: &str, name: &Name<'_>, known: &[&str]) {
        let written = name.get_ref().as_ref();
        let likeness = |known: &str| strsim::jaro_winkler(known, &written.to_lowercase().replace('-', "_"));
        let nearest = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let way_out = match nearest.filter(|nearest| likeness(nearest) >= ALIKE) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("must be one of {}", known.join(", ")),
        };
        let path = if path.is_empty() { written } else { path };
        self.problem(name.span().start, format!("unknown member `{path}`: {way_out}"));
    }

    fn problem(&mut self, at: usize, sentence: String) {
        self.problems.push((at, sentence));
    }
}

/// The line of a byte, counted from 1.
fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

fn one_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
