//! The filter language: words, and `state:`.
//!
//! Words match aliases, key id and description (one that begins with `arn:` the ARNs) as substrings, all of them, with smart case (a word
//! with a capital minds case). `state:disabled` matches a part of the state's name,
//! `state:denied` the keys that DescribeKey was refused for, `state:disabled,pending` either.
//! What is not yet known is neither in nor out: it is counted.

use memchr::memmem;

use super::catalog::{AliasHandle, Catalog, KeyHandle, KeyRow};

/// A filter as typed, read. The empty filter lets everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    words: Vec<Word>,
    states: Vec<Vec<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Word {
    text: String,
    minds_case: bool,
}

/// Whether a row is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    No,
    /// It depends on what DescribeKey will tell.
    Unknown,
    Yes,
}

impl Filter {
    /// Reads a filter. Every text is one: a term that is no known `name:` is a word.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut filter = Self::default();
        for term in text.split_whitespace() {
            let is_state = term.get(..6).is_some_and(|name| name.eq_ignore_ascii_case("state:"));
            if let Some(states) = term.get(6..).filter(|_| is_state) {
                filter.states.push(
                    states.split(',').filter(|state| !state.is_empty()).map(str::to_lowercase).collect(),
                );
            } else {
                let minds_case = term.chars().any(char::is_uppercase);
                filter.words.push(Word { text: term.to_owned(), minds_case });
            }
        }
        // `state:` without a value is a term that is still being typed.
        filter.states.retain(|states| !states.is_empty());
        filter
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.words.is_empty() && self.states.is_empty()
    }

    /// Whether a key is in.
    #[must_use]
    pub fn key(&self, catalog: &Catalog, handle: KeyHandle) -> Verdict {
        catalog.key(handle).map_or(Verdict::No, |row| self.states(row).min(self.words(catalog, row)))
    }

    /// Whether an alias is in: its words match the name and the target's key id.
    #[must_use]
    pub fn alias(&self, catalog: &Catalog, handle: AliasHandle) -> Verdict {
        let Some(alias) = catalog.alias(handle) else {
            return Verdict::No;
        };
        let target = alias.target_key_id.as_deref().unwrap_or_default();
        let in_words = self.words.iter().all(|word| {
            if word.minds_case {
                alias.name.contains(&word.text) || target.contains(&word.text)
            } else {
                alias.haystack().contains(&word.text) || target.contains(&word.text)
            }
        });
        if !in_words {
            return Verdict::No;
        }
        match alias.key.and_then(|key| catalog.key(key)) {
            Some(key) => self.states(key),
            None if self.states.is_empty() => Verdict::Yes,
            None => Verdict::No,
        }
    }

    /// The alias of a key to show and to send: the first that all words match, else the first.
    #[must_use]
    pub fn alias_of(&self, catalog: &Catalog, row: &KeyRow) -> Option<AliasHandle> {
        let matched = |handle: &&AliasHandle| {
            catalog.alias(**handle).is_some_and(|alias| {
                self.words.iter().all(|word| {
                    if word.minds_case {
                        alias.name.contains(&word.text)
                    } else {
                        alias.haystack().contains(&word.text)
                    }
                })
            })
        };
        let aliases = row.aliases();
        if self.words.is_empty() {
            return aliases.first().copied();
        }
        aliases.iter().find(matched).or_else(|| aliases.first()).copied()
    }

    fn states(&self, row: &KeyRow) -> Verdict {
        if self.states.is_empty() {
            return Verdict::Yes;
        }
        let name = match (row.refusal(), row.metadata()) {
            (Some(_), _) => "denied".to_owned(),
            (None, Some(metadata)) => {
                metadata.key_state.as_ref().map_or_else(String::new, |state| state.as_str().to_lowercase())
            }
            (None, None) => return Verdict::Unknown,
        };
        let holds = self.states.iter().all(|any| any.iter().any(|wanted| name.contains(wanted.as_str())));
        if holds { Verdict::Yes } else { Verdict::No }
    }

    fn words(&self, catalog: &Catalog, row: &KeyRow) -> Verdict {
        let found = self.words.iter().all(|word| {
            if word.text.starts_with("arn:") {
                // Pasted from a log: the key's ARN, or that of an alias.
                let mut aliases = row.aliases().iter().filter_map(|alias| catalog.alias(*alias));
                row.arn.contains(&word.text) || aliases.any(|alias| alias.arn.contains(&word.text))
            } else if word.minds_case {
                Self::as_written(catalog, row, &word.text)
            } else {
                memmem::find(row.haystack().as_bytes(), word.text.as_bytes()).is_some()
            }
        });
        if found {
            Verdict::Yes
        } else if row.is_described() {
            Verdict::No
        } else {
            // The description may have it.
            Verdict::Unknown
        }
    }

    fn as_written(catalog: &Catalog, row: &KeyRow, word: &str) -> bool {
        row.key_id.contains(word)
            || row.metadata().is_some_and(|metadata| metadata.description.contains(word))
            || row
                .aliases()
                .iter()
                .filter_map(|alias| catalog.alias(*alias))
                .any(|alias| alias.name.contains(word))
    }
}

#[cfg(test)]
mod tests;
