//! The encryption context as a JSON map of text to text.
//!
//! As in the AWS CLI the last of several members of one name counts, so a member that is not
//! text is an error only if no later one replaces it. Two things that the AWS CLI's reader
//! takes are refused: half of a surrogate pair, which is no text, and `NaN`, which is no JSON.

use serde_json::{Map, Value};

use super::{ContextError, EncryptionContext, Place};

pub(super) fn parse(text: &str) -> Result<EncryptionContext, ContextError> {
    let members: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| syntax_error(text, &error))?;
    members
        .into_iter()
        .map(|(name, value)| match value {
            Value::String(value) => Ok((name, value)),
            other => Err(not_text(text, name, &other)),
        })
        .collect::<Result<_, _>>()
        .map(EncryptionContext)
}

/// Writes a context as JSON on one line, in order. Any context can be written so.
#[must_use]
pub fn to_json(context: &EncryptionContext) -> String {
    let members: Map<String, Value> =
        context.iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
    Value::Object(members).to_string()
}

fn syntax_error(text: &str, error: &serde_json::Error) -> ContextError {
    let position = format!(" at line {} column {}", error.line(), error.column());
    let sentence = error.to_string();
    let (reason, offset) = if error.is_eof() {
        ("it ends too soon", text.len())
    } else {
        // The parser counts lines from 1 and, in a line, the bytes that it has read.
        let line: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        (sentence.strip_suffix(&position).unwrap_or(&sentence), line + error.column().saturating_sub(1))
    };
    ContextError::Json { reason: reason.to_owned(), place: place(text, offset) }
}

fn not_text(text: &str, name: String, value: &Value) -> ContextError {
    let (offset, written) = last_member(text, &name).unwrap_or((0, text));
    let (kind, literal) = match value {
        Value::Null => ("null", None),
        Value::Bool(_) => ("a boolean", Some(written.to_owned())),
        Value::Number(_) => ("a number", Some(written.to_owned())),
        Value::String(_) => ("text", None),
        Value::Array(_) => ("a list", None),
        Value::Object(_) => ("a map", None),
    };
    ContextError::NotText { name, kind, literal, place: place(text, offset) }
}

/// The place of a byte.
fn place(text: &str, offset: usize) -> Place {
    let characters: Vec<char> = text.chars().collect();
    let index =
        text.char_indices().take_while(|(start, character)| start + character.len_utf8() <= offset).count();
    Place::new(&characters, index)
}

/// Where the value of the last member of a name begins, and how it is written, in a text that
/// is known to be a JSON object.
fn last_member<'a>(text: &'a str, name: &str) -> Option<(usize, &'a str)> {
    let mut found = None;
    let mut at = text.find('{')? + 1;
    loop {
        at = skip(text, at, |byte| byte.is_ascii_whitespace() || byte == b',');
        if text.as_bytes().get(at) != Some(&b'"') {
            return found;
        }
        let member_end = value_end(text, at);
        let member = text.get(at..member_end)?;
        let start = skip(text, member_end, |byte| byte.is_ascii_whitespace() || byte == b':');
        at = value_end(text, start);
        if serde_json::from_str::<String>(member).is_ok_and(|member| member == name) {
            found = Some((start, text.get(start..at)?));
        }
    }
}

/// The end of the JSON value that begins at `start`.
fn value_end(text: &str, start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    loop {
        match text.as_bytes().get(at) {
            None => return text.len(),
            Some(b'"') => at = string_end(text, at),
            Some(b'{' | b'[') => {
                depth += 1;
                at += 1;
            }
            Some(b'}' | b']') => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            Some(b',' | b':' | b' ' | b'\t' | b'\n' | b'\r') => at += 1,
            Some(_) => at = skip(text, at, |byte| !b",:]} \t\n\r".contains(&byte)),
        }
        if depth == 0 {
            return at;
        }
    }
}

/// The end of the JSON string that begins at `start`.
fn string_end(text: &str, start: usize) -> usize {
    let mut at = start + 1;
    loop {
        match text.as_bytes().get(at) {
            None => return text.len(),
            Some(b'"') => return at + 1,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
        }
    }
}

/// The first position from `at` on whose byte the condition does not hold for.
fn skip(text: &str, at: usize, holds: impl Fn(u8) -> bool) -> usize {
    text.bytes().skip(at).position(|byte| !holds(byte)).map_or(text.len(), |ahead| at + ahead)
}
