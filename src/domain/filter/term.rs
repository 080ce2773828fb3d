//! The terms of the filter language: what stands before the colon, and what it is compared with.

use std::fmt;

use jiff::Timestamp;

use super::Verdict;
use crate::domain::catalog::{Alias, Key, RotationSeen};
use crate::domain::key::{KeyState, KeyUsage, Origin};
use crate::domain::scan::{Finding, ScanKind};

/// All terms: name, what it takes, what it asks. For helps and for mistakes.
pub const TERMS: [(&str, &str, &str); 13] = [
    ("state", "disabled, pending, replica, …", "a part of the key state; denied, unknown"),
    ("usage", "encrypt, sign, mac, …", "a part of the key usage"),
    ("spec", "rsa, ecc, symmetric, …", "a part of the key spec"),
    ("manager", "aws, customer", "who manages the key"),
    ("origin", "external, hsm, …", "a part of the origin of its material"),
    ("alias", "none, any, PART", "whether an alias points to it, or one with this in its name"),
    ("region", "PART", "a part of the region's name"),
    ("deletion", "30d, any, none", "deleted within so long"),
    ("expires", "30d, any, none", "imported key material expires within so long"),
    ("older, newer", "2y, 6m, 30d", "created before or after that"),
    ("rotation", "on, off, none", "automatic rotation, once scanned; none: cannot rotate; denied, unknown"),
    ("tag", "NAME, NAME=PART", "a tag of this name, or with this in its value, once scanned"),
    ("unused", "90d", "not used for so long, once scanned"),
];

/// Names that are read as terms.
const NAMES: [&str; 14] = [
    "state", "usage", "spec", "manager", "origin", "alias", "region", "deletion", "expires", "older",
    "newer", "rotation", "tag", "unused",
];

const DAY: i64 = 86_400;

/// A term that can be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Term {
    /// One of these parts, squeezed, is in what is spelled; or it is all of it, where the service has
    /// such a value.
    Spelled(Spelled, Vec<Part>),
    Alias(Vec<String>),
    Region(Vec<String>),
    Date(Date, Vec<When>),
    /// Created so many seconds ago or more.
    Older(i64),
    Newer(i64),
    Rotation(Vec<Rotates>),
    Tag(Vec<Tagged>),
    /// Not used for so many seconds.
    Unused(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rotates {
    On,
    Off,
    /// Cannot.
    None,
    Denied,
    /// Was not scanned.
    Unknown,
}

/// A tag by its name, and by a part of its value; both in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tagged {
    name: String,
    value: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelled {
    State,
    Usage,
    Spec,
    Manager,
    Origin,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    text: String,
    whole: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Date {
    Deletion,
    Expiration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Any,
    None,
    /// Within so many seconds.
    Within(i64),
}

/// Something in a filter that a person did not mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    sentence: String,
    unreadable: bool,
}

impl Problem {
    /// Whether the term was left out; else it was taken for a word.
    #[must_use]
    pub const fn is_unreadable(&self) -> bool {
        self.unreadable
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.sentence)
    }
}

/// Why a part of a filter is no term.
pub(super) enum NoTerm {
    /// It is a word; one that looks like a mistyped term says so.
    Word(Option<Problem>),
    /// It is a term, and its value cannot be read.
    Unreadable(Problem),
}

/// Reads a term; `None` where its value is still to come.
pub(super) fn read(part: &str) -> Result<Option<Term>, NoTerm> {
    let Some((name, value)) = part.split_once(':') else { return Err(NoTerm::Word(None)) };
    let name = name.to_ascii_lowercase();
    if !NAMES.contains(&name.as_str()) {
        return Err(NoTerm::Word(mistyped(&name, part)));
    }
    let values: Vec<&str> = value.split(',').filter(|value| !value.is_empty()).collect();
    if values.is_empty() {
        return Ok(None);
    }
    let folded = || values.iter().map(|value| value.to_lowercase()).collect::<Vec<String>>();
    let spelled = |what, known: &[&str]| Ok(Term::Spelled(what, parts(&values, known)));
    let term = match name.as_str() {
        "state" => spelled(Spelled::State, KeyState::KNOWN),
        "usage" => spelled(Spelled::Usage, KeyUsage::KNOWN),
        "spec" => spelled(Spelled::Spec, &[]),
        "manager" => spelled(Spelled::Manager, &[]),
        "origin" => spelled(Spelled::Origin, Origin::KNOWN),
        "alias" => Ok(Term::Alias(folded())),
        "region" => Ok(Term::Region(folded())),
        "deletion" => dates(&name, &values).map(|when| Term::Date(Date::Deletion, when)),
        "expires" => dates(&name, &values).map(|when| Term::Date(Date::Expiration, when)),
        "rotation" => rotations(&values).map(Term::Rotation),
        "tag" => Ok(Term::Tag(values.iter().map(|value| Tagged::of(value)).collect())),
        _ => span(value).ok_or_else(|| bad_span(&name, value)).map(|seconds| match name.as_str() {
            "older" => Term::Older(seconds),
            "newer" => Term::Newer(seconds),
            _ => Term::Unused(seconds),
        }),
    };
    term.map(Some).map_err(NoTerm::Unreadable)
}

/// A word with a colon whose beginning is nearly a term.
fn mistyped(name: &str, part: &str) -> Option<Problem> {
    if name.is_empty() || part.starts_with("arn:") {
        return None;
    }
    let nearest = NAMES
        .into_iter()
        .max_by(|a, b| strsim::jaro_winkler(name, a).total_cmp(&strsim::jaro_winkler(name, b)))?;
    let near = strsim::jaro_winkler(name, nearest) > 0.85;
    near.then(|| Problem {
        sentence: format!("no term `{name}:`, so `{part}` is a word; did you mean `{nearest}:`?"),
        unreadable: false,
    })
}

fn parts(values: &[&str], known: &[&str]) -> Vec<Part> {
    let part = |value: &&str| {
        let text = squeezed(value);
        Part { whole: known.iter().any(|known| squeezed(known) == text), text }
    };
    values.iter().map(part).collect()
}

/// In lower case, without what joins words: `PENDING-deletion`, `PendingDeletion`.
fn squeezed(text: &str) -> String {
    let characters = text.chars().filter(|character| !matches!(character, '-' | '_' | ' '));
    characters.flat_map(char::to_lowercase).collect()
}

/// Whether a squeezed part is in a text, or all of it.
fn is_in(part: &Part, text: &str) -> bool {
    let mut buffer = [0u8; 64];
    let mut length = 0;
    for byte in text.bytes().filter(|byte| !matches!(byte, b'-' | b'_' | b' ')) {
        let Some(place) = buffer.get_mut(length) else {
            // No service spells so long a value.
            return squeezed(text).contains(&part.text);
        };
        *place = byte.to_ascii_lowercase();
        length += 1;
    }
    let squeezed = &buffer[..length];
    if part.whole {
        squeezed == part.text.as_bytes()
    } else {
        memchr::memmem::find(squeezed, part.text.as_bytes()).is_some()
    }
}

fn dates(name: &str, values: &[&str]) -> Result<Vec<When>, Problem> {
    let when = |value: &&str| match value.to_ascii_lowercase().as_str() {
        "any" => Ok(When::Any),
        "none" => Ok(When::None),
        _ => span(value).map(When::Within).ok_or_else(|| bad_span(name, value)),
    };
    values.iter().map(when).collect()
}

fn rotations(values: &[&str]) -> Result<Vec<Rotates>, Problem> {
    let one = |value: &&str| match value.to_ascii_lowercase().as_str() {
        "on" => Ok(Rotates::On),
        "off" => Ok(Rotates::Off),
        "none" => Ok(Rotates::None),
        "denied" => Ok(Rotates::Denied),
        "unknown" => Ok(Rotates::Unknown),
        _ => Err(Problem {
            sentence: format!("`rotation:{value}`: on, off, none (cannot rotate), denied or unknown"),
            unreadable: true,
        }),
    };
    values.iter().map(one).collect()
}

impl Tagged {
    fn of(text: &str) -> Self {
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        Self { name: name.to_lowercase(), value: value.map(str::to_lowercase) }
    }

    fn is(&self, name: &str, value: &str) -> bool {
        name.to_lowercase() == self.name
            && self.value.as_ref().is_none_or(|part| value.to_lowercase().contains(part))
    }
}

fn bad_span(name: &str, value: &str) -> Problem {
    let others = if matches!(name, "deletion" | "expires") { ", or any, or none" } else { "" };
    Problem { sentence: format!("`{name}:{value}`: a time like 30d, 2w, 6m or 1y{others}"), unreadable: true }
}

/// Seconds of a span: a number of days, or of `d`, `w`, `m` (30 days), `y` (365 days).
fn span(text: &str) -> Option<i64> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let days = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "d" => 1,
        "w" => 7,
        "m" => 30,
        "y" => 365,
        _ => return None,
    };
    let number: u32 = digits.parse().ok()?;
    Some(i64::from(number).saturating_mul(days * DAY))
}

/// A key that was never used as far as it is tracked has gone unused at least since then.
fn unused(seconds: i64, key: Key<'_>, now: Timestamp) -> Verdict {
    let is_so_long_ago = |at: Timestamp| now.as_second().saturating_sub(at.as_second()) >= seconds;
    match key.finding(ScanKind::LastUse).map(|seen| &seen.finding) {
        Some(Finding::Used { at, .. }) => yes_if(is_so_long_ago(*at)),
        Some(Finding::Unused { since: Some(since) }) if is_so_long_ago(*since) => Verdict::Yes,
        None | Some(Finding::Unused { .. }) => Verdict::Unknown,
        Some(_) => Verdict::No,
    }
}

const fn yes_if(holds: bool) -> Verdict {
    if holds { Verdict::Yes } else { Verdict::No }
}

impl Term {
    /// The scan that has to be made before it can be judged.
    pub(super) const fn scan(&self) -> Option<ScanKind> {
        match self {
            Self::Rotation(_) => Some(ScanKind::Rotation),
            Self::Tag(_) => Some(ScanKind::Tags),
            Self::Unused(_) => Some(ScanKind::LastUse),
            _ => None,
        }
    }

    /// Whether it asks for this tag.
    pub(super) fn names(&self, (name, value): &(String, String)) -> bool {
        matches!(self, Self::Tag(wanted) if wanted.iter().any(|tag| tag.is(name, value)))
    }

    pub(super) fn key(&self, key: Key<'_>, now: Timestamp) -> Verdict {
        match self {
            Self::Rotation(wanted) => {
                let rotates = match key.rotation() {
                    None if !wanted.contains(&Rotates::Unknown) => return Verdict::Unknown,
                    None => Rotates::Unknown,
                    Some(RotationSeen::On { .. }) => Rotates::On,
                    Some(RotationSeen::Off) => Rotates::Off,
                    Some(RotationSeen::NotApplicable) => Rotates::None,
                    Some(RotationSeen::Refused(_)) => Rotates::Denied,
                };
                yes_if(wanted.contains(&rotates))
            }
            Self::Tag(wanted) => match key.finding(ScanKind::Tags).map(|seen| &seen.finding) {
                None => Verdict::Unknown,
                Some(Finding::Tags(tags)) => {
                    let is_wanted =
                        |(name, value): &(String, String)| wanted.iter().any(|tag| tag.is(name, value));
                    yes_if(tags.iter().any(is_wanted))
                }
                Some(_) => Verdict::No,
            },
            Self::Unused(seconds) => unused(*seconds, key, now),
            Self::Region(parts) => {
                let region = key.region();
                yes_if(parts.iter().any(|part| region.contains(part.as_str())))
            }
            Self::Alias(values) => alias_of_key(values, key),
            Self::Spelled(Spelled::State, parts) if key.traits().is_none() => {
                let word = if key.refusal().is_some() { "denied" } else { "unknown" };
                if parts.iter().any(|part| part.text == word) {
                    Verdict::Yes
                } else if key.is_described() {
                    Verdict::No
                } else {
                    Verdict::Unknown
                }
            }
            _ if !key.is_described() => Verdict::Unknown,
            Self::Spelled(what, parts) => {
                let text = spelled(*what, key);
                yes_if(text.is_some_and(|text| parts.iter().any(|part| is_in(part, text))))
            }
            Self::Date(date, whens) => {
                let at = match date {
                    Date::Deletion => key.deletion_date(),
                    Date::Expiration => key.valid_to(),
                };
                let left = at.map(|at| at.as_second().saturating_sub(now.as_second()));
                yes_if(key.traits().is_some() && whens.iter().any(|when| when.holds(left)))
            }
            Self::Older(seconds) => yes_if(age(key, now).is_some_and(|age| age >= *seconds)),
            Self::Newer(seconds) => yes_if(age(key, now).is_some_and(|age| age < *seconds)),
        }
    }

    /// What a term says of an alias: of its name and region, else of its target.
    pub(super) fn alias(&self, alias: Alias<'_>, key: Option<Key<'_>>, now: Timestamp) -> Verdict {
        match self {
            Self::Region(parts) => {
                let region = alias.region();
                yes_if(parts.iter().any(|part| region.contains(part.as_str())))
            }
            Self::Alias(values) => yes_if(values.iter().any(|value| match value.as_str() {
                "any" => true,
                "none" => false,
                part => alias.folded().contains(part),
            })),
            // A target that ListKeys has not brought may still come.
            _ if key.is_none() && alias.has_target() => Verdict::Unknown,
            _ => key.map_or(Verdict::No, |key| self.key(key, now)),
        }
    }
}

impl When {
    fn holds(self, seconds_left: Option<i64>) -> bool {
        match self {
            Self::Any => seconds_left.is_some(),
            Self::None => seconds_left.is_none(),
            Self::Within(seconds) => seconds_left.is_some_and(|left| left <= seconds),
        }
    }
}

fn age(key: Key<'_>, now: Timestamp) -> Option<i64> {
    key.creation_date().map(|created| now.as_second().saturating_sub(created.as_second()))
}

fn spelled(what: Spelled, key: Key<'_>) -> Option<&str> {
    let traits = key.traits()?;
    match what {
        Spelled::State => traits.key_state.as_ref().map(KeyState::as_str),
        Spelled::Usage => traits.key_usage.as_ref().map(KeyUsage::as_str),
        Spelled::Spec => traits.spec.as_deref(),
        Spelled::Manager => traits.key_manager.as_ref().map(crate::domain::key::KeyManager::as_str),
        Spelled::Origin => traits.origin.as_ref().map(Origin::as_str),
    }
}

fn alias_of_key(values: &[String], key: Key<'_>) -> Verdict {
    let has_alias = !key.aliases().is_empty();
    let holds = values.iter().any(|value| match value.as_str() {
        "any" => has_alias,
        "none" => !has_alias,
        part => key.alias_names().any(|name| name.to_lowercase().contains(part)),
    });
    // Until ListAliases has come to its end, an alias may still come.
    if has_alias || key.knows_its_aliases() { yes_if(holds) } else { Verdict::Unknown }
}
