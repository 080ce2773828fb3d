//! The AWS CLI's shorthand, as far as a map of text to text goes.
//!
//! The grammar is the AWS CLI's, oddities included, since the same text must mean the same
//! here and there. The ones that surprise:
//! - Names may be empty, and hold ASCII letters, digits and `- _ . # / :` alone. No blank may
//!   stand before the first one.
//! - A value without quotes ends at a comma, at a quote, `]`, `}`, a control character or a
//!   character above U+FFFF; blanks at its end fall away; `\,` is a comma, any other backslash
//!   is itself. It may not begin with `=`.
//! - In quotes, `\` makes a text of its own kind of quote and of itself. A backslash before a
//!   quote always escapes it, unless no other quote closes the value.
//! - After a comma the value goes on as a list if it can, and a list is no text. Where it
//!   cannot, reading resumes at the last comma before that point, be it an escaped one:
//!   `a=b,c\,d=e` is `a` and `d`.

use std::collections::HashSet;

use super::{ContextError, EncryptionContext, Place, References};

/// Texts that the AWS CLI takes for the address of the real text when an argument begins so.
const ARGUMENT_REFERENCES: [&str; 4] = ["file://", "fileb://", "http://", "https://"];

pub(super) fn parse(text: &str, references: &mut References<'_>) -> Result<EncryptionContext, ContextError> {
    let characters: Vec<char> = text.chars().collect();
    Reader { text: &characters, at: 0 }.context(references)
}

/// Writes a context as shorthand that [`super::parse`] and the AWS CLI read back as the same.
///
/// `None` where it takes JSON: no entries, a name outside the shorthand's alphabet, a text that
/// would begin like a reference to a file, or backslashes and quotes that get in each other's
/// way. A text that begins with `-` must be joined to its option by `=`; quoting it for a shell
/// is the caller's too.
#[must_use]
pub fn to_shorthand(context: &EncryptionContext) -> Option<String> {
    if context.is_empty() || !context.iter().all(|(name, _)| name.chars().all(is_name)) {
        return None;
    }
    // From the last entry to the first: how a value that ends in a backslash can be written
    // depends on the quotes that follow it.
    let mut entries: Vec<String> = Vec::with_capacity(context.len());
    let mut following = Following::default();
    for (name, value) in context.iter().rev() {
        let written = write_value(value, following)?;
        following.entries = true;
        following.double |= written.contains('"');
        following.single |= written.contains('\'');
        entries.push(format!("{name}={written}"));
    }
    entries.reverse();
    let text = entries.join(",");
    let is_reference = ARGUMENT_REFERENCES.iter().any(|prefix| text.starts_with(prefix));
    (!is_reference).then_some(text)
}

/// What comes after a value that is being written.
#[derive(Clone, Copy, Default)]
struct Following {
    entries: bool,
    double: bool,
    single: bool,
}

impl Following {
    fn has(self, quote: char) -> bool {
        if quote == '"' { self.double } else { self.single }
    }
}

/// The plainest writing of a value that reads back as it, if there is one.
fn write_value(value: &str, following: Following) -> Option<String> {
    let bare = write_bare(value);
    if let Some(bare) = bare.as_ref().filter(|_| !value.contains(',')) {
        return Some(end_bare(bare, following));
    }
    let preferred = if value.contains('"') && !value.contains('\'') { ['\'', '"'] } else { ['"', '\''] };
    if !value.ends_with('\\') {
        return Some(write_quoted(value, preferred[0]));
    }
    // `…\\"` closes the value only where no further quote of that kind follows.
    bare.map(|bare| end_bare(&bare, following)).or_else(|| {
        preferred.into_iter().find(|quote| !following.has(*quote)).map(|quote| write_quoted(value, quote))
    })
}

/// The value without quotes, where it can go without.
fn write_bare(value: &str) -> Option<String> {
    let fits = !value.ends_with(is_blank)
        && value.chars().enumerate().all(|(index, character)| {
            character == ',' || if index == 0 { begins_value(character) } else { continues_value(character) }
        });
    fits.then(|| value.replace(',', r"\,"))
}

/// Keeps a backslash at the end from escaping the comma after the value: a blank there is not
/// part of the value.
fn end_bare(bare: &str, following: Following) -> String {
    let blank = if bare.ends_with('\\') && following.entries { " " } else { "" };
    format!("{bare}{blank}")
}

fn write_quoted(value: &str, quote: char) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push(quote);
    for character in value.chars() {
        if character == quote || character == '\\' {
            text.push('\\');
        }
        text.push(character);
    }
    text.push(quote);
    text
}

/// Whether a name may hold it.
fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_.#/:".contains(character)
}

/// The blanks that may stand around `=` and `,`.
fn is_separating_blank(character: char) -> bool {
    matches!(character, '\t'..='\r' | ' ')
}

/// The blanks that fall away at the end of a value: Unicode's, and four separators of ASCII.
fn is_blank(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}

/// Whether a value without quotes may begin with it.
fn begins_value(character: char) -> bool {
    matches!(character, '!' | '#'..='&' | '('..='+' | '-'..='<' | '>'..='Z' | '\\'..='z' | '|'..='\u{ffff}')
}

/// Whether a value without quotes may go on with it.
fn continues_value(character: char) -> bool {
    is_blank(character)
        || matches!(character, '!' | '#'..='&' | '('..='+' | '-'..='\\' | '^'..='|' | '~'..='\u{ffff}')
}

/// Whether the second and later elements of a list may go on with it: `=` would make it a name.
fn continues_element(character: char) -> bool {
    is_blank(character) || matches!(character, '!' | '#'..='&' | '('..='+' | '-'..='<' | '>'..='\u{ffff}')
}

/// An entry as it was read.
struct Entry {
    name: String,
    value: Value,
    /// Whether `@=` stood between them.
    refers: bool,
}

/// A value as it was read.
struct Value {
    text: String,
    start: usize,
    quoted: bool,
}

/// A position in the text, which moves ahead as the grammar asks.
struct Reader<'a> {
    text: &'a [char],
    at: usize,
}

impl Reader<'_> {
    /// All entries. References are resolved once the whole text has turned out well, so that no
    /// file is read for nothing.
    fn context(mut self, references: &mut References<'_>) -> Result<EncryptionContext, ContextError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut names: HashSet<String> = HashSet::new();
        loop {
            let start = self.at;
            let entry = self.entry()?;
            if !names.insert(entry.name.clone()) {
                return Err(ContextError::Repeated { name: entry.name, place: self.place(start) });
            }
            entries.push(entry);
            if self.current().is_none() {
                break;
            }
            // An entry ends at a comma where it does not end the text.
            self.at += 1;
            self.skip_blanks();
        }
        entries
            .into_iter()
            .map(|entry| self.resolve(entry, references))
            .collect::<Result<_, _>>()
            .map(EncryptionContext)
    }

    fn entry(&mut self) -> Result<Entry, ContextError> {
        let start = self.at;
        while self.current().is_some_and(is_name) {
            self.at += 1;
        }
        let name: String = self.text[start..self.at].iter().collect();
        let refers = self.equals(&name)?;
        let value = match self.current() {
            Some('[') => {
                let place = self.place(self.at);
                return Err(ContextError::List { name, place });
            }
            Some('{') => {
                let place = self.place(self.at);
                return Err(ContextError::Map { name, place });
            }
            _ => self.value(&name)?,
        };
        Ok(Entry { name, value, refers })
    }

    /// Reads `=` or `@=` and the blanks around it; tells whether it was `@=`.
    fn equals(&mut self, name: &str) -> Result<bool, ContextError> {
        let name_end = self.at;
        self.skip_blanks();
        let refers = self.current() == Some('@');
        if refers {
            self.at += 1;
            self.skip_blanks();
        }
        match self.current() {
            Some('=') => {
                self.at += 1;
                self.skip_blanks();
                Ok(refers)
            }
            None if name.is_empty() && !refers => {
                Err(ContextError::NothingAfterComma { place: self.place(self.at) })
            }
            Some(found) if !refers && (found != ',' || name.is_empty()) => {
                // A blank inside a name is to blame, not what follows it.
                Err(ContextError::NotInName { found: self.text[name_end], place: self.place(name_end) })
            }
            _ => Err(ContextError::NoEquals { name: name.to_owned(), place: self.place(self.at) }),
        }
    }

    /// Reads a value up to the comma after it, or to the end.
    fn value(&mut self, name: &str) -> Result<Value, ContextError> {
        let value = match self.current() {
            Some(quote @ ('\'' | '"')) => self.quoted(quote).ok_or_else(|| ContextError::Unclosed {
                name: name.to_owned(),
                place: self.place(self.at),
            })?,
            _ => self.bare(continues_value).unwrap_or(Value {
                text: String::new(),
                start: self.at,
                quoted: false,
            }),
        };
        self.skip_blanks();
        match self.current() {
            None => Ok(value),
            Some(',') => {
                self.leave_list(name)?;
                Ok(value)
            }
            Some(_) if value.quoted => {
                Err(ContextError::AfterQuotes { name: name.to_owned(), place: self.place(self.at) })
            }
            Some(found) => {
                Err(ContextError::NotInValue { name: name.to_owned(), found, place: self.place(self.at) })
            }
        }
    }

    /// At the comma after a value: makes sure that no second element of a list follows, and
    /// stops at the comma before the next name.
    fn leave_list(&mut self, name: &str) -> Result<(), ContextError> {
        let comma = self.at;
        self.at += 1;
        self.skip_blanks();
        let start = self.at;
        let element = match self.current() {
            None => {
                return Err(ContextError::NothingAfterComma { place: self.place(start) });
            }
            Some(quote @ ('\'' | '"')) => self.quoted(quote),
            Some(_) => self.bare(continues_element),
        };
        if element.is_some() {
            self.skip_blanks();
            if matches!(self.current(), None | Some(',')) {
                return Err(ContextError::List { name: name.to_owned(), place: self.place(start) });
            }
        }
        self.at = self.text[..=self.at].iter().rposition(|character| *character == ',').unwrap_or(comma);
        Ok(())
    }

    /// Reads a value without quotes, if one begins here.
    fn bare(&mut self, continues: fn(char) -> bool) -> Option<Value> {
        let start = self.at;
        let mut text = String::new();
        while let Some(character) = self.current() {
            let fits = if self.at == start { begins_value } else { continues };
            if character == '\\' && self.text.get(self.at + 1) == Some(&',') {
                text.push(',');
                self.at += 2;
            } else if fits(character) {
                text.push(character);
                self.at += 1;
            } else {
                break;
            }
        }
        text.truncate(text.trim_end_matches(is_blank).len());
        (self.at > start).then_some(Value { text, start, quoted: false })
    }

    /// Reads a value in quotes, if a quote closes it; stays where it is otherwise.
    fn quoted(&mut self, quote: char) -> Option<Value> {
        let start = self.at;
        let mut index = start + 1;
        let mut last_escaped = None;
        let close = loop {
            match self.text.get(index) {
                None => break last_escaped?,
                Some(character) if *character == quote => break index,
                Some('\\') if self.text.get(index + 1) == Some(&quote) => {
                    last_escaped = Some(index + 1);
                    index += 2;
                }
                Some(_) => index += 1,
            }
        };
        self.at = close + 1;
        let text: String = self.text[start + 1..close].iter().collect();
        Some(Value {
            text: text.replace(&format!("\\{quote}"), &quote.to_string()).replace(r"\\", r"\"),
            start,
            quoted: true,
        })
    }

    fn resolve(
        &self,
        entry: Entry,
        references: &mut References<'_>,
    ) -> Result<(String, String), ContextError> {
        let Entry { name, value: Value { text, start, .. }, refers } = entry;
        if refers && text.starts_with("fileb://") {
            let place = self.place(start);
            return Err(ContextError::Bytes { name, place });
        }
        if !refers || !text.starts_with("file://") {
            return Ok((name, text));
        }
        match references(&text) {
            Ok(content) => Ok((name, content)),
            Err(reason) => Err(ContextError::Reference { name, reason, place: self.place(start) }),
        }
    }

    fn current(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while self.current().is_some_and(is_separating_blank) {
            self.at += 1;
        }
    }

    fn place(&self, index: usize) -> Place {
        Place::new(self.text, index)
    }
}
