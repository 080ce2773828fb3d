//! The filter language: words, and terms such as `state:disabled`.
//!
//! Words match aliases, key id, description and the tags that were read as substrings (one that begins with `arn:` the ARNs),
//! all of them, with smart case (a word with a capital minds case), and aliases loosely beside that:
//! `crdvlt` finds `card-vault`. [`TERMS`] lists the terms; a value may be several with commas between,
//! one of which must hold, and `!` or `not:` before a term or a word turns it round. No term needs a
//! character that a shell takes for itself.
//!
//! What is not yet known is neither in nor out: it is counted.

mod term;

use std::cell::{OnceCell, RefCell};
use std::ops::Range;

use jiff::Timestamp;
use memchr::memmem;
use nucleo_matcher::{Config, Matcher, Utf32Str};

use self::term::Term;
use super::catalog::{Alias, AliasHandle, Catalog, Key, KeyHandle};
use super::scan::{Finding, ScanKind};

pub use term::{Problem, TERMS};

/// Words from this many characters on match aliases loosely.
const LOOSE_FROM: usize = 4;
/// What the loose match scores for a character in its place: a match may lose by its gaps no more than
/// it wins by beginning at the beginnings of words.
const SCORE_A_CHARACTER: usize = 16;

/// A filter as typed, read. The empty filter lets everything through.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    words: Vec<Negatable<Word>>,
    terms: Vec<Negatable<Term>>,
    problems: Vec<Problem>,
    /// When it was typed: spans count from then.
    now: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Negatable<T> {
    what: T,
    negated: bool,
}

impl<T> Negatable<T> {
    const fn turn(&self, verdict: Verdict) -> Verdict {
        match verdict {
            Verdict::Yes if self.negated => Verdict::No,
            Verdict::No if self.negated => Verdict::Yes,
            other => other,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Word {
    text: String,
    minds_case: bool,
    /// Whether it can be a part of a key id.
    like_an_id: bool,
    loose: bool,
}

impl Word {
    fn of(text: &str) -> Self {
        let like_an_id = text.bytes().all(|byte| byte.is_ascii_hexdigit() || b"-mrk".contains(&byte));
        Self {
            minds_case: text.chars().any(char::is_uppercase),
            like_an_id,
            loose: text.chars().count() >= LOOSE_FROM && !text.starts_with("arn:"),
            text: text.to_owned(),
        }
    }

    fn is_in(&self, text: &str, folded: &str) -> bool {
        let hay = if self.minds_case { text } else { folded };
        memmem::find(hay.as_bytes(), self.text.as_bytes()).is_some()
    }

    /// The same, for a text whose lower case is not kept.
    fn is_within(&self, text: &str) -> bool {
        if !self.minds_case && text.is_ascii() {
            let mut parts = text.as_bytes().windows(self.text.len());
            return parts.any(|part| part.eq_ignore_ascii_case(self.text.as_bytes()));
        }
        let folded = if self.minds_case { String::new() } else { text.to_lowercase() };
        self.is_in(text, &folded)
    }
}

/// Whether a row is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    No,
    /// It depends on what is not read yet.
    Unknown,
    Yes,
}

/// How well a row that is in fits the words: less is better.
pub type Rank = u8;

/// An alias begins with the word, or a part of its path does.
const BEGINS: Rank = 0;
const IN_AN_ALIAS: Rank = 1;
const ELSEWHERE: Rank = 2;
const LOOSELY: Rank = 3;

impl Filter {
    /// Reads a filter. Every text is one: a term that cannot be read is left out, and
    /// [`Self::problems`] says why. Spans of time count from `now`.
    #[must_use]
    pub fn parse(text: &str, now: Timestamp) -> Self {
        let mut filter = Self { now, ..Self::default() };
        for part in text.split_whitespace() {
            filter.read(part);
        }
        filter
    }

    fn read(&mut self, part: &str) {
        let (negated, part) = match part.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => match part.get(..4).filter(|name| name.eq_ignore_ascii_case("not:")) {
                Some(_) => (true, &part[4..]),
                None => (false, part),
            },
        };
        // `state:` without a value and `!` alone are terms that are still being typed.
        match term::read(part) {
            Ok(Some(what)) => self.terms.push(Negatable { what, negated }),
            Ok(None) => {}
            Err(term::NoTerm::Word(problem)) => {
                self.problems.extend(problem);
                if !part.is_empty() {
                    self.words.push(Negatable { what: Word::of(part), negated });
                }
            }
            Err(term::NoTerm::Unreadable(problem)) => self.problems.push(problem),
        }
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.words.is_empty() && self.terms.is_empty()
    }

    /// Whether both let the same rows through, but for the time that has gone by.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.words == other.words && self.terms == other.terms && self.problems == other.problems
    }

    /// What could not be read, and what looks like a mistake.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The scans that have to be made before all its terms can be judged.
    #[must_use]
    pub fn scans(&self) -> Vec<ScanKind> {
        let needs = |kind: &ScanKind| self.terms.iter().any(|term| term.what.scan() == Some(*kind));
        ScanKind::ALL.into_iter().filter(needs).collect()
    }

    /// A judge over the rows of a catalog.
    #[must_use]
    pub const fn over<'a>(&'a self, catalog: &'a Catalog) -> Judge<'a> {
        Judge { filter: self, catalog, matcher: OnceCell::new() }
    }

    /// The alias of a key to show and to send: the first that all words match, else the first that one
    /// matches, else the first.
    #[must_use]
    pub fn alias_of(&self, catalog: &Catalog, key: Key<'_>) -> Option<AliasHandle> {
        let aliases = key.aliases();
        let wanted: Vec<&Word> =
            self.words.iter().filter(|word| !word.negated).map(|word| &word.what).collect();
        if wanted.is_empty() {
            return aliases.first().copied();
        }
        let matches = |handle: &AliasHandle, word: &Word| {
            catalog.alias(*handle).is_some_and(|alias| word.is_in(alias.name(), alias.folded()))
        };
        let all = aliases.iter().find(|handle| wanted.iter().all(|word| matches(handle, word)));
        let one = || aliases.iter().find(|handle| wanted.iter().any(|word| matches(handle, word)));
        all.or_else(one).or_else(|| aliases.first()).copied()
    }

    /// The tag of a key to show: the first that a term names, or a word is in, else the first.
    #[must_use]
    pub fn tag_of<'a>(&self, tags: &'a [(String, String)]) -> Option<&'a (String, String)> {
        let terms = || self.terms.iter().filter(|term| !term.negated);
        let words = || self.words.iter().filter(|word| !word.negated);
        let named = |tag: &&(String, String)| terms().any(|term| term.what.names(tag));
        let has_a_word = |(name, value): &&(String, String)| {
            words().any(|word| word.what.is_within(name) || word.what.is_within(value))
        };
        tags.iter().find(named).or_else(|| tags.iter().find(has_a_word)).or_else(|| tags.first())
    }

    /// Where the words match in a text as it is shown, in order and apart: byte ranges.
    #[must_use]
    pub fn matches_in(&self, text: &str) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        for word in self.words.iter().filter(|word| !word.negated).map(|word| &word.what) {
            let before = found.len();
            let needle = word.text.as_str();
            for (at, _) in text.char_indices() {
                if let Some(length) = begins_with(&text[at..], needle, word.minds_case) {
                    found.push(at..at + length);
                }
            }
            if found.len() == before && word.loose && text.contains('/') {
                found.extend(loose_matches(text, word));
            }
        }
        found.sort_unstable_by_key(|range| range.start);
        let mut apart: Vec<Range<usize>> = Vec::new();
        for range in found {
            match apart.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => apart.push(range),
            }
        }
        apart
    }
}

/// How many bytes of the text the needle takes at its beginning.
fn begins_with(text: &str, needle: &str, minds_case: bool) -> Option<usize> {
    if minds_case {
        return text.starts_with(needle).then_some(needle.len());
    }
    let mut wanted = needle.chars();
    let mut next = wanted.next()?;
    for (at, character) in text.char_indices() {
        for lower in character.to_lowercase() {
            if lower != next {
                return None;
            }
            match wanted.next() {
                Some(character) => next = character,
                None => return Some(at + character.len_utf8()),
            }
        }
    }
    None
}

fn loose_matches(text: &str, word: &Word) -> Vec<Range<usize>> {
    let mut matcher = Matcher::new(config(word));
    let (mut hay, mut needle, mut places) = (Vec::new(), Vec::new(), Vec::new());
    let needle = Utf32Str::new(&word.text, &mut needle);
    // Grapheme clusters count as one: no place can be told then.
    let Utf32Str::Ascii(hay) = Utf32Str::new(text, &mut hay) else { return Vec::new() };
    let score = matcher.fuzzy_indices(Utf32Str::Ascii(hay), needle, &mut places);
    if score.is_none_or(|score| usize::from(score) < needle.len() * SCORE_A_CHARACTER) {
        return Vec::new();
    }
    places.into_iter().map(|place| place as usize).map(|place| place..place + 1).collect()
}

fn config(word: &Word) -> Config {
    let mut config = Config::DEFAULT.match_paths();
    config.ignore_case = !word.minds_case;
    config
}

/// A filter over a catalog. Made for a pass over rows, not to be kept.
pub struct Judge<'a> {
    filter: &'a Filter,
    catalog: &'a Catalog,
    matcher: OnceCell<RefCell<Loose>>,
}

/// The loose match and its room.
struct Loose {
    matcher: Matcher,
    hay: Vec<char>,
    needle: Vec<char>,
}

impl Judge<'_> {
    /// Whether a key is in, and how well it fits.
    #[must_use]
    pub fn key(&self, handle: KeyHandle) -> (Verdict, Rank) {
        let Some(key) = self.catalog.key(handle) else { return (Verdict::No, 0) };
        let mut verdict = Verdict::Yes;
        for term in &self.filter.terms {
            verdict = verdict.min(term.turn(term.what.key(key, self.filter.now)));
            if verdict == Verdict::No {
                return (verdict, 0);
            }
        }
        let mut rank = 0;
        for word in &self.filter.words {
            let (found, fits) = self.word(key, &word.what);
            verdict = verdict.min(word.turn(found));
            rank = rank.max(fits);
            if verdict == Verdict::No {
                return (verdict, 0);
            }
        }
        (verdict, rank)
    }

    fn word(&self, key: Key<'_>, word: &Word) -> (Verdict, Rank) {
        if word.text.starts_with("arn:") {
            // Pasted from a log: the key's ARN, or that of an alias.
            let mut aliases = key.aliases().iter().filter_map(|alias| self.catalog.alias(*alias));
            let found =
                key.arn().contains(&word.text) || aliases.any(|alias| alias.arn().contains(&word.text));
            return (if found { Verdict::Yes } else { Verdict::No }, ELSEWHERE);
        }
        let aliases = || key.aliases().iter().filter_map(|alias| self.catalog.alias(*alias));
        if let Some(rank) = aliases().filter_map(|alias| rank_in(alias, word)).min() {
            return (Verdict::Yes, rank);
        }
        if (word.like_an_id || key.has_unusual_id()) && key.key_id_in(&mut [0; 36]).contains(&word.text) {
            return (Verdict::Yes, ELSEWHERE);
        }
        if word.is_in(key.description(), key.folded_description()) {
            return (Verdict::Yes, ELSEWHERE);
        }
        if let Some(Finding::Tags(tags)) = key.finding(ScanKind::Tags).map(|seen| &seen.finding)
            && tags.iter().any(|(name, value)| word.is_within(name) || word.is_within(value))
        {
            return (Verdict::Yes, ELSEWHERE);
        }
        if word.loose && aliases().any(|alias| self.is_loosely_in(alias, word)) {
            return (Verdict::Yes, LOOSELY);
        }
        // The description may have it.
        (if key.is_described() { Verdict::No } else { Verdict::Unknown }, ELSEWHERE)
    }

    /// Whether an alias is in: its words match the name and the target's key id, its terms the target.
    #[must_use]
    pub fn alias(&self, handle: AliasHandle) -> (Verdict, Rank) {
        let Some(alias) = self.catalog.alias(handle) else { return (Verdict::No, 0) };
        let mut verdict = Verdict::Yes;
        let mut rank = 0;
        for word in &self.filter.words {
            let (found, fits) = self.word_of_alias(alias, &word.what);
            verdict = verdict.min(word.turn(found));
            rank = rank.max(fits);
        }
        let key = alias.key().and_then(|key| self.catalog.key(key));
        for term in &self.filter.terms {
            verdict = verdict.min(term.turn(term.what.alias(alias, key, self.filter.now)));
        }
        (verdict, rank)
    }

    fn word_of_alias(&self, alias: Alias<'_>, word: &Word) -> (Verdict, Rank) {
        if let Some(rank) = rank_in(alias, word) {
            return (Verdict::Yes, rank);
        }
        let in_target = word.like_an_id && alias.target_in(&mut [0; 36]).contains(&word.text);
        if in_target || (word.text.starts_with("arn:") && alias.arn().contains(&word.text)) {
            return (Verdict::Yes, ELSEWHERE);
        }
        if word.loose && self.is_loosely_in(alias, word) {
            return (Verdict::Yes, LOOSELY);
        }
        (Verdict::No, 0)
    }

    fn is_loosely_in(&self, alias: Alias<'_>, word: &Word) -> bool {
        let room = self.matcher.get_or_init(|| {
            RefCell::new(Loose { matcher: Matcher::new(config(word)), hay: Vec::new(), needle: Vec::new() })
        });
        let mut room = room.borrow_mut();
        let Loose { matcher, hay, needle } = &mut *room;
        matcher.config.ignore_case = !word.minds_case;
        let needle = Utf32Str::new(&word.text, needle);
        let enough = needle.len() * SCORE_A_CHARACTER;
        let score = matcher.fuzzy_match(Utf32Str::new(alias.name(), hay), needle);
        score.is_some_and(|score| usize::from(score) >= enough)
    }
}

fn rank_in(alias: Alias<'_>, word: &Word) -> Option<Rank> {
    let hay = if word.minds_case { alias.name() } else { alias.folded() };
    let at = memmem::find(hay.as_bytes(), word.text.as_bytes())?;
    let begins = at == 0 || hay.as_bytes().get(at - 1) == Some(&b'/');
    Some(if begins { BEGINS } else { IN_AN_ALIAS })
}

#[cfg(test)]
mod tests;
