//! The encryption context: names and values that KMS binds to a ciphertext, and the texts
//! people write it in.
//!
//! What `aws kms … --encryption-context TEXT` takes, [`parse`] takes and means the same; what
//! the AWS CLI refuses is refused here, with the place and the way out. A row for each case is
//! in `tests/data`. This module must not read files: `name@=file://…` is handed to the caller,
//! who alone knows whether the text came from a command line (read it) or from a paste (refuse).
//!
//! An empty name or value is let through: whether it may be sent is not a question of syntax.

mod json;
mod shorthand;

use std::collections::{HashMap, HashSet};
use std::fmt;

pub use json::to_json;
pub use shorthand::to_shorthand;

/// An encryption context. Names are unique; entries keep the order in which they were given.
///
/// `==` minds the order, as a form does that shows the rows; [`EncryptionContext::same_as`]
/// does not, as KMS does when it decrypts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncryptionContext(Vec<(String, String)>);

/// A name that the context has already.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the context name `{0}` is given twice")]
pub struct DuplicateName(pub String);

impl EncryptionContext {
    /// A context without entries, which KMS takes for no context at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Collects entries in order.
    ///
    /// # Errors
    /// [`DuplicateName`] for the first name that was there before.
    pub fn from_pairs<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Result<Self, DuplicateName>
    where
        N: Into<String>,
        V: Into<String>,
    {
        let entries: Vec<(String, String)> =
            pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let mut seen = HashSet::with_capacity(entries.len());
        if let Some((name, _)) = entries.iter().find(|(name, _)| !seen.insert(name.as_str())) {
            return Err(DuplicateName(name.clone()));
        }
        Ok(Self(entries))
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Names and values, in order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + DoubleEndedIterator {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of a name. Names are case-sensitive.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find_map(|(candidate, value)| (candidate == name).then_some(value))
    }

    /// Adds an entry at the end. It looks through all names; for many entries at once there is
    /// [`EncryptionContext::from_pairs`].
    ///
    /// # Errors
    /// [`DuplicateName`] when the name is there, whose value then stays as it was.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) -> Result<(), DuplicateName> {
        let name = name.into();
        if self.get(&name).is_some() {
            return Err(DuplicateName(name));
        }
        self.0.push((name, value.into()));
        Ok(())
    }

    /// Whether both hold the same entries, in whatever order: the equality that decides
    /// whether a ciphertext opens.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        self.len() == other.len() && {
            let mine: HashMap<&str, &str> = self.iter().collect();
            other.iter().all(|(name, value)| mine.get(name) == Some(&value))
        }
    }
}

impl IntoIterator for EncryptionContext {
    type Item = (String, String);
    type IntoIter = std::vec::IntoIter<(String, String)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Says what a reference stands for. It is asked with the whole of it, `file://` included, and
/// answers with the text to be used as the value, or with the reason why there is none.
pub type References<'a> = dyn FnMut(&str) -> Result<String, String> + 'a;

/// [`References`] for forms and pastes, which read no files.
///
/// # Errors
/// Always.
pub fn refuse_references(_reference: &str) -> Result<String, String> {
    Err("files are read for command-line options only".to_owned())
}

/// Reads the AWS CLI's `--encryption-context TEXT`: its shorthand, or JSON when the first
/// character that is not blank is `{`.
///
/// In JSON a repeated name is no error: the last value counts, as in the AWS CLI. A text that
/// is a reference as a whole (`file://context.json`) is the caller's to resolve first.
///
/// # Errors
/// A [`ContextError`], which tells the place; [`ContextError::hint`] tells the way out.
pub fn parse(text: &str, references: &mut References<'_>) -> Result<EncryptionContext, ContextError> {
    match text.trim_start().chars().next() {
        None => Err(ContextError::Empty),
        Some('{') => json::parse(text),
        Some('[') => Err(ContextError::JsonList),
        Some(_) => shorthand::parse(text, references),
    }
}

/// A spot in the text that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which character, counted from 1. One more than there are when something is missing at
    /// the end.
    pub character: usize,
    /// A few characters before it.
    pub before: String,
    /// It, and a few after it.
    pub after: String,
}

impl Place {
    /// How many characters of the surroundings are kept on either side.
    const SURROUNDINGS: usize = 16;

    fn new(text: &[char], index: usize) -> Self {
        let index = index.min(text.len());
        let start = index.saturating_sub(Self::SURROUNDINGS);
        let end = text.len().min(index.saturating_add(Self::SURROUNDINGS));
        Self {
            character: index + 1,
            before: text[start..index].iter().collect(),
            after: text[index..end].iter().collect(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.after.is_empty() {
            write!(f, "at the end, after `{}`", self.before)
        } else {
            write!(f, "at character {}: `{}`", self.character, self.after)
        }
    }
}

/// Why a text is no encryption context.
///
/// Texts in it are as they came: they may be hostile and are made printable on the way out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContextError {
    /// Nothing but blanks.
    #[error("the encryption context is empty")]
    Empty,
    /// The shorthand's names cannot hold this character.
    #[error("a name cannot contain {} here, {place}", spelled(*.found))]
    NotInName {
        /// The character that ended the name.
        found: char,
        /// Where.
        place: Place,
    },
    /// A name without a value.
    #[error("no `=` after the name `{name}`, {place}")]
    NoEquals {
        /// The name, as far as it was read.
        name: String,
        /// Where `=` was expected.
        place: Place,
    },
    /// A comma with no entry after it.
    #[error("no entry after the last comma, {place}")]
    NothingAfterComma {
        /// The end of the text.
        place: Place,
    },
    /// A value without quotes cannot hold this character.
    #[error("the value of `{name}` cannot contain {} without quotes, {place}", spelled(*.found))]
    NotInValue {
        /// The entry.
        name: String,
        /// The character that ended the value.
        found: char,
        /// Where.
        place: Place,
    },
    /// A quoted value goes on after its closing quote.
    #[error("no comma after the quoted value of `{name}`, {place}")]
    AfterQuotes {
        /// The entry.
        name: String,
        /// Where the comma was expected.
        place: Place,
    },
    /// A quote without its partner.
    #[error("the value of `{name}` opens a quote that is not closed, {place}")]
    Unclosed {
        /// The entry.
        name: String,
        /// The opening quote.
        place: Place,
    },
    /// The shorthand reads this value as a list.
    #[error("the value of `{name}` reads as a list, {place}")]
    List {
        /// The entry.
        name: String,
        /// The second element, or the opening bracket.
        place: Place,
    },
    /// The shorthand reads this value as a map.
    #[error("the value of `{name}` reads as a map, {place}")]
    Map {
        /// The entry.
        name: String,
        /// The opening brace.
        place: Place,
    },
    /// A name given twice.
    #[error("the name `{name}` is given twice, {place}")]
    Repeated {
        /// The name.
        name: String,
        /// Its second entry.
        place: Place,
    },
    /// A reference to bytes, where only text can go.
    #[error("the value of `{name}` must be text, and `fileb://` reads bytes, {place}")]
    Bytes {
        /// The entry.
        name: String,
        /// The reference.
        place: Place,
    },
    /// A reference that the caller did not resolve.
    #[error("cannot read the value of `{name}`: {reason}, {place}")]
    Reference {
        /// The entry.
        name: String,
        /// The caller's reason.
        reason: String,
        /// The reference.
        place: Place,
    },
    /// It begins like JSON, and is not.
    #[error("not valid JSON: {reason}, {place}")]
    Json {
        /// What the JSON parser found.
        reason: String,
        /// Where.
        place: Place,
    },
    /// JSON, but a list.
    #[error("a JSON list is not an encryption context")]
    JsonList,
    /// JSON, but a value is something other than a string.
    #[error("the value of `{name}` must be text and is {kind}, {place}")]
    NotText {
        /// The entry.
        name: String,
        /// What it is, with its article.
        kind: &'static str,
        /// The value as written, where quotes around it would make it text.
        literal: Option<String>,
        /// The value.
        place: Place,
    },
}

impl ContextError {
    /// What is allowed, and the way out: a fragment that can follow the message.
    #[must_use]
    pub fn hint(&self) -> String {
        const JSON: &str = r#"JSON takes any text: {"name":"value"}"#;
        match self {
            Self::Empty => "write name=value, or leave the encryption context out".to_owned(),
            Self::NotInName { found: ',', .. } => {
                r"for a comma in a value write \, or put the value in quotes".to_owned()
            }
            Self::NotInName { found, place } if found.is_whitespace() && place.character == 1 => {
                "leave out the blanks before the first name".to_owned()
            }
            Self::NotInName { .. } => {
                format!("letters A-Z and a-z, digits and - _ . # / : are allowed; {JSON}")
            }
            Self::NoEquals { name, .. } => {
                format!(r"write {name}=value; for a comma in a value write \, or put the value in quotes")
            }
            Self::NothingAfterComma { .. } => "take the comma away, or write name=value after it".to_owned(),
            Self::NotInValue { name, found, .. } => format!(
                "put the value in quotes, {name}={0}…{0}; {JSON}",
                if *found == '"' { '\'' } else { '"' }
            ),
            Self::AfterQuotes { .. } => {
                r"put the whole value in quotes, and a \ before a quote inside it".to_owned()
            }
            Self::Unclosed { .. } => {
                "close it, or put the whole value in quotes of the other kind".to_owned()
            }
            Self::List { name, .. } => format!(
                r#"a value is one text: write \, for a comma, or put the value in quotes, {name}="…""#
            ),
            Self::Map { name, .. } => {
                format!(r#"a value is one text: put it in quotes, {name}="…""#)
            }
            Self::Repeated { .. } => "each name can have one value".to_owned(),
            Self::Bytes { name, .. } => format!("use {name}@=file://… for a file that is text"),
            Self::Reference { name, .. } => format!("write the value itself, {name}=value"),
            Self::Json { .. } => r#"write {"name":"value"}, or name=value"#.to_owned(),
            Self::JsonList => r#"write a map, {"name":"value"}"#.to_owned(),
            Self::NotText { literal, .. } => literal.as_ref().map_or_else(
                || r#"write a string, "…""#.to_owned(),
                |literal| format!(r#"write "{literal}""#),
            ),
        }
    }

    /// Where it went wrong, where one spot can be named.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Empty | Self::JsonList => None,
            Self::NotInName { place, .. }
            | Self::NoEquals { place, .. }
            | Self::NothingAfterComma { place }
            | Self::NotInValue { place, .. }
            | Self::AfterQuotes { place, .. }
            | Self::Unclosed { place, .. }
            | Self::List { place, .. }
            | Self::Map { place, .. }
            | Self::Repeated { place, .. }
            | Self::Bytes { place, .. }
            | Self::Reference { place, .. }
            | Self::Json { place, .. }
            | Self::NotText { place, .. } => Some(place),
        }
    }
}

/// A character as a sentence names it: the invisible ones by what they are.
fn spelled(found: char) -> String {
    match found {
        ' ' => "a space".to_owned(),
        '\t' => "a tab".to_owned(),
        '\n' | '\r' => "a line break".to_owned(),
        _ if found.is_control() || found.is_whitespace() => format!("U+{:04X}", u32::from(found)),
        _ => format!("`{found}`"),
    }
}

#[cfg(test)]
mod tests;
