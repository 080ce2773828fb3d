//! Reading a request's JSON body as the service model shapes it: types first, constraints after.
//!
//! A member of another type is a `SerializationException` at once. Constraints (presence, length,
//! pattern, range, enum) are gathered over the whole request and reported together in a
//! `ValidationException`, before anything is looked up. Unknown members are ignored, as the service
//! ignores them; of a member that comes twice the last one counts.
//!
//! Sources: the model of KMS (2014-11-01); messages as recorded from the service. The words of a
//! `SerializationException` are those that AWS's JSON services commonly use, not recorded from KMS.
//!
//! It must not know what an operation means.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use zeroize::{Zeroize as _, Zeroizing};

use super::blob::EncryptionContext;
use super::error::KmsError;

/// The members of a request, and what is wrong with them so far.
pub(super) struct Input {
    members: Map<String, Value>,
    violations: Violations,
}

/// What is wrong, in words for as many as a person reads, and how many there are: a request of a
/// megabyte must not make a hundred of answer.
#[derive(Default)]
struct Violations {
    count: usize,
    told: Vec<String>,
}

impl Violations {
    /// The most that are told, and the most characters of a value that are.
    const TOLD: usize = 50;
    const SHOWN: usize = 10_000;

    fn add(&mut self, words: impl FnOnce() -> String) {
        self.count += 1;
        if self.told.len() < Self::TOLD {
            self.told.push(words());
        }
    }

    /// A value, or the beginning of one that is longer than any that a client sends by mistake.
    fn shown(value: &str) -> &str {
        value.char_indices().nth(Self::SHOWN).map_or(value, |(end, _)| &value[..end])
    }
}

/// A member may be a plaintext, and may never be read: what is left is wiped.
impl Drop for Input {
    fn drop(&mut self) {
        self.members.values_mut().for_each(wipe);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether a request may leave a member out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Required,
    Optional,
}

/// The least and the greatest length.
#[derive(Clone, Copy)]
pub(super) struct Length(pub usize, pub usize);

/// A pattern over characters, and how the service writes it in messages.
#[derive(Clone, Copy)]
pub(super) enum Pattern {
    /// `^\p{ASCII}+$`
    Ascii,
    /// `[\u0020-\u00FF]*`
    Latin1,
    /// `^[a-zA-Z0-9:/_-]+$`, of aliases and of grants' names.
    Name,
    /// `^[\w+=,.@:/-]+$`
    Principal,
    /// `[\w]+`
    Word,
    /// `[\u0009\u000A\u000D\u0020-\u00FF]+`
    Document,
    /// `^[a-zA-Z0-9-_.]+$`
    ExternalKey,
    /// None.
    Any,
}

impl Input {
    /// Reads a body.
    ///
    /// # Errors
    /// `SerializationException` where it is not one JSON object.
    pub(super) fn parse(body: &[u8]) -> Result<Self, KmsError> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => Ok(Self { members, violations: Violations::default() }),
            Ok(other) => Err(mistyped(&other, "Structure")),
            Err(_) => Err(KmsError::silent("SerializationException")),
        }
    }

    /// A member, where it is there and not null.
    fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name).filter(|value| !value.is_null())
    }

    /// A member that is a string, whatever it holds.
    pub(super) fn take_text(&mut self, name: &str) -> Option<String> {
        match self.take(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// `KeyId`: 1 to 2048 ASCII characters.
    pub(super) fn key_id(&mut self, presence: Presence) -> Result<Option<String>, KmsError> {
        self.identifier("KeyId", presence)
    }

    /// A member like `KeyId` under another name.
    pub(super) fn identifier(&mut self, name: &str, presence: Presence) -> Result<Option<String>, KmsError> {
        self.text(name, presence, Length(1, 2048), Pattern::Ascii)
    }

    /// `AliasName`, which is required wherever it is asked for.
    pub(super) fn alias_name(&mut self) -> Result<String, KmsError> {
        let name = self.text("AliasName", Presence::Required, Length(1, 256), Pattern::Name)?;
        Ok(name.unwrap_or_default())
    }

    /// `Tags`: keys of 1 to 128 characters, values of at most 256. What tags may be is for the
    /// operations to say.
    pub(super) fn tags(&mut self, presence: Presence) -> Result<Vec<(String, String)>, KmsError> {
        let items = match self.take("Tags") {
            None => {
                if presence == Presence::Required {
                    self.violate_null("Tags");
                }
                return Ok(Vec::new());
            }
            Some(Value::Array(items)) => items,
            Some(other) => return Err(mistyped(&other, "List")),
        };
        let mut tags = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let Value::Object(members) = item else {
                return Err(mistyped(&item, "Structure"));
            };
            let mut tag = Self { members, violations: Violations::default() };
            let mut part = |member: &str, name: &str, length: Length| {
                let text = tag.take(member);
                let place = format!("tags.{}.member.{name}", index + 1);
                match text {
                    None => {
                        self.violate_null(&place);
                        Ok(String::new())
                    }
                    Some(Value::String(text)) => {
                        self.check_text(&place, &text, length, Pattern::Any);
                        Ok(text)
                    }
                    Some(other) => Err(mistyped(&other, "String")),
                }
            };
            let key = part("TagKey", "tagKey", Length(1, 128))?;
            let value = part("TagValue", "tagValue", Length(0, 256))?;
            tags.push((key, value));
        }
        Ok(tags)
    }

    /// `TagKeys`: required, each of 1 to 128 characters.
    pub(super) fn tag_keys(&mut self) -> Result<Vec<String>, KmsError> {
        if !self.has("TagKeys") {
            self.violate_null("TagKeys");
        }
        let keys = self.strings("TagKeys")?;
        if keys.iter().any(|key| !(1..=128).contains(&key.encode_utf16().count())) {
            let rule = format!(
                "Member must satisfy constraint: [{}, {}]",
                at_most("length", 128),
                at_least("length", 1)
            );
            self.violate_list("TagKeys", &keys, &rule);
        }
        Ok(keys)
    }

    /// A structure, whose members are read one by one. Its own violations are not reported.
    pub(super) fn structure(&mut self, name: &str) -> Result<Option<Self>, KmsError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(Self { members, violations: Violations::default() })),
            Some(other) => Err(mistyped(&other, "Structure")),
        }
    }

    /// A string. Its length counts UTF-16 units, as the service counts.
    pub(super) fn text(
        &mut self,
        name: &str,
        presence: Presence,
        length: Length,
        pattern: Pattern,
    ) -> Result<Option<String>, KmsError> {
        let text = match self.take(name) {
            None => {
                if presence == Presence::Required {
                    self.violate_null(name);
                }
                return Ok(None);
            }
            Some(Value::String(text)) => text,
            Some(other) => return Err(mistyped(&other, "String")),
        };
        self.check_text(name, &text, length, pattern);
        Ok(Some(text))
    }

    fn check_text(&mut self, name: &str, text: &str, Length(least, most): Length, pattern: Pattern) {
        let length = text.encode_utf16().count();
        if length < least {
            self.violate(name, text, &at_least("length", least));
        }
        if length > most {
            self.violate(name, text, &at_most("length", most));
        }
        if !pattern.matches(text) {
            let rule = format!("Member must satisfy regular expression pattern: {}", pattern.words());
            self.violate(name, text, &rule);
        }
    }

    /// A string that has to be there and is one of `values`.
    pub(super) fn required_one_of(&mut self, name: &str, values: &[&str]) -> Result<String, KmsError> {
        if !self.has(name) {
            self.violate_null(name);
        }
        Ok(self.one_of(name, values, values)?.unwrap_or_default())
    }

    /// A string that is one of `values`; the message lists `named`, which is not always the same.
    pub(super) fn one_of(
        &mut self,
        name: &str,
        values: &[&str],
        named: &[&str],
    ) -> Result<Option<String>, KmsError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => {
                if !values.contains(&text.as_str()) {
                    let rule = format!("Member must satisfy enum value set: [{}]", named.join(", "));
                    self.violate(name, &text, &rule);
                }
                Ok(Some(text))
            }
            Some(other) => Err(mistyped(&other, "String")),
        }
    }

    /// A whole number between `least` and `most`.
    pub(super) fn integer(&mut self, name: &str, least: i64, most: i64) -> Result<Option<usize>, KmsError> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        // The model's integers have 32 bits.
        let Some(number) = value.as_i64().and_then(|number| i32::try_from(number).ok()).map(i64::from) else {
            return Err(mistyped(&value, "Integer"));
        };
        if number < least {
            self.violate(name, &number.to_string(), &at_least("value", least));
        }
        if number > most {
            self.violate(name, &number.to_string(), &at_most("value", most));
        }
        Ok(usize::try_from(number).ok())
    }

    /// A Boolean; false where it is not there.
    pub(super) fn boolean(&mut self, name: &str) -> Result<bool, KmsError> {
        match self.take(name) {
            None => Ok(false),
            Some(Value::Bool(value)) => Ok(value),
            Some(other) => Err(mistyped(&other, "Boolean")),
        }
    }

    /// Bytes in standard Base64. Their value is never in a message, and is wiped.
    pub(super) fn blob(
        &mut self,
        name: &str,
        Length(least, most): Length,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, KmsError> {
        let text = match self.take(name) {
            None => return Ok(None),
            Some(Value::String(text)) => Zeroizing::new(text),
            Some(other) => return Err(mistyped(&other, "Blob")),
        };
        let Ok(bytes) = STANDARD.decode(text.as_bytes()) else {
            return Err(KmsError::silent("SerializationException"));
        };
        let bytes = Zeroizing::new(bytes);
        if bytes.len() < least {
            self.violate_unseen(name, &at_least("length", least));
        }
        if bytes.len() > most {
            self.violate_unseen(name, &at_most("length", most));
        }
        Ok(Some(bytes))
    }

    /// A member that is missing though it had to be there.
    pub(super) fn violate_null(&mut self, name: &str) {
        self.violations.add(|| {
            format!("Value null at '{}' failed to satisfy constraint: Member must not be null", path(name))
        });
    }

    /// A member that is missing though it had to be there, and whose value is never in a message.
    pub(super) fn violate_null_unseen(&mut self, name: &str) {
        self.violate_unseen(name, "Member must not be null");
    }

    /// `GrantTokens`: at most ten strings of 1 to 8192 characters.
    pub(super) fn grant_tokens(&mut self) -> Result<Vec<String>, KmsError> {
        let tokens = self.strings("GrantTokens")?;
        if tokens.len() > 10 {
            self.violate_list("GrantTokens", &tokens, &at_most("length", 10));
        }
        if tokens.iter().any(|token| !(1..=8192).contains(&token.encode_utf16().count())) {
            let rule = format!(
                "Member must satisfy constraint: [{}, {}]",
                at_most("length", 8192),
                at_least("length", 1)
            );
            self.violate_list("GrantTokens", &tokens, &rule);
        }
        Ok(tokens)
    }

    /// A list of strings, each one of `values`.
    pub(super) fn some_of(&mut self, name: &str, values: &[&str]) -> Result<Vec<String>, KmsError> {
        let list = self.strings(name)?;
        if list.iter().any(|item| !values.contains(&item.as_str())) {
            let rule = format!(
                "Member must satisfy constraint: [Member must satisfy enum value set: [{}]]",
                values.join(", ")
            );
            self.violate_list(name, &list, &rule);
        }
        Ok(list)
    }

    fn strings(&mut self, name: &str) -> Result<Vec<String>, KmsError> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => items
                .into_iter()
                .map(|item| match item {
                    Value::String(text) => Ok(text),
                    other => Err(mistyped(&other, "String")),
                })
                .collect(),
            Some(other) => Err(mistyped(&other, "List")),
        }
    }

    /// An encryption context under that name: names and values. The service reads a number or a Boolean as the text
    /// that it is written with. What a value may be is [`check_context`]'s to say.
    pub(super) fn encryption_context(&mut self, name: &str) -> Result<EncryptionContext, KmsError> {
        match self.take(name) {
            None => Ok(EncryptionContext::new()),
            Some(Value::Object(entries)) => entries
                .into_iter()
                .map(|(name, value)| match value {
                    Value::String(text) => Ok((name, text)),
                    Value::Number(_) | Value::Bool(_) => Ok((name, value.to_string())),
                    Value::Null => Ok((name, String::new())),
                    other => Err(mistyped(&other, "String")),
                })
                .collect(),
            Some(other) => Err(mistyped(&other, "Map")),
        }
    }

    /// Whether a member is there, of whatever type.
    pub(super) fn has(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|value| !value.is_null())
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// `ValidationException` with every violation, where there is one.
    pub(super) fn finish(self) -> Result<(), KmsError> {
        let Violations { count, told } = &self.violations;
        if *count == 0 {
            return Ok(());
        }
        let plural = if *count == 1 { "" } else { "s" };
        let told = told.join("; ");
        Err(KmsError::validation(format!("{count} validation error{plural} detected: {told}")))
    }

    fn violate(&mut self, name: &str, value: &str, rule: &str) {
        self.violations.add(|| {
            let value = Violations::shown(value);
            format!("Value '{value}' at '{}' failed to satisfy constraint: {rule}", path(name))
        });
    }

    /// A list whose items are wrong, or too many.
    fn violate_list(&mut self, name: &str, items: &[String], rule: &str) {
        self.violations.add(|| {
            let mut shown = String::new();
            for item in items {
                if shown.len() > Violations::SHOWN {
                    break;
                }
                let separator = if shown.is_empty() { "" } else { ", " };
                // Writing to a String cannot fail.
                let _ = write!(shown, "{separator}{}", Violations::shown(item));
            }
            format!("Value '[{shown}]' at '{}' failed to satisfy constraint: {rule}", path(name))
        });
    }

    fn violate_unseen(&mut self, name: &str, rule: &str) {
        self.violations.add(|| format!("Value at '{}' failed to satisfy constraint: {rule}", path(name)));
    }
}

/// What makes an encryption context one that the local KMS takes: no empty name, no empty value.
/// What the service does with them is not documented; the message is the one that it is known to
/// have for a context that it refuses.
pub(super) fn check_context(context: &EncryptionContext) -> Result<(), KmsError> {
    if context.iter().any(|(name, value)| name.is_empty() || value.is_empty()) {
        return Err(KmsError::validation("Invalid EncryptionContext"));
    }
    Ok(())
}

impl Pattern {
    fn matches(self, text: &str) -> bool {
        match self {
            Self::Ascii => !text.is_empty() && text.is_ascii(),
            Self::Latin1 => text.chars().all(|char| ('\u{20}'..='\u{ff}').contains(&char)),
            Self::Name => made_of(text, b":/_-"),
            Self::Principal => made_of(text, b"_+=,.@:/-"),
            Self::Word => made_of(text, b"_"),
            Self::Document => {
                let allowed = |char| matches!(char, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}');
                !text.is_empty() && text.chars().all(allowed)
            }
            Self::ExternalKey => made_of(text, b"-_."),
            Self::Any => true,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Ascii => r"^\p{ASCII}+$",
            Self::Latin1 => r"[\u0020-\u00FF]*",
            Self::Name => "^[a-zA-Z0-9:/_-]+$",
            Self::Principal => r"^[\w+=,.@:/-]+$",
            Self::Word => r"[\w]+",
            Self::Document => r"[\u0009\u000A\u000D\u0020-\u00FF]+",
            Self::ExternalKey => "^[a-zA-Z0-9-_.]+$",
            Self::Any => ".*",
        }
    }
}

/// Whether `text` is one or more letters and digits of ASCII, and of the characters in `also`.
fn made_of(text: &str, also: &[u8]) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || also.contains(&byte))
}

/// How messages spell a member: as the model does, its first letter lower-case.
fn path(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

fn at_least(what: &str, least: impl std::fmt::Display) -> String {
    format!("Member must have {what} greater than or equal to {least}")
}

fn at_most(what: &str, most: impl std::fmt::Display) -> String {
    format!("Member must have {what} less than or equal to {most}")
}

fn mistyped(value: &Value, wanted: &str) -> KmsError {
    let message = match value {
        Value::Object(_) => "Start of structure or map found where not expected.".to_owned(),
        Value::Array(_) => "Start of list found where not expected.".to_owned(),
        Value::String(_) => format!("STRING_VALUE can not be converted to {wanted}"),
        Value::Number(number) if number.is_f64() => {
            format!("DECIMAL_VALUE can not be converted to {wanted}")
        }
        Value::Number(_) => format!("NUMBER_VALUE can not be converted to {wanted}"),
        Value::Bool(true) => format!("TRUE_VALUE can not be converted to {wanted}"),
        Value::Bool(false) => format!("FALSE_VALUE can not be converted to {wanted}"),
        Value::Null => format!("NULL_VALUE can not be converted to {wanted}"),
    };
    KmsError::serialization(message)
}
