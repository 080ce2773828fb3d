//! A search in a text that is shown: what was typed, and what it matches.
//!
//! A capital in what was typed minds case.

use std::ops::Range;

use tui_input::Input;

use crate::domain::text::width;

/// A search that is on.
#[derive(Clone, Debug, Default)]
pub struct Search {
    pub input: Input,
    /// Whether it is being typed.
    pub typing: bool,
    /// Which match one is at, counted from 0.
    pub at: usize,
    /// Where the text was scrolled to when it began.
    pub(super) origin: usize,
}

impl Search {
    /// What it matches in a text of so many columns, from top to bottom; no two overlap.
    #[must_use]
    pub fn matches(&self, lines: &[String], columns: usize) -> Vec<Match> {
        let mut found = Vec::new();
        let mut next = 0;
        while next < lines.len() {
            // A line that fills the width goes on in the next, and so does a match.
            let (mut text, mut parts) = (String::new(), Vec::new());
            while let Some(line) = lines.get(next) {
                let indent = if parts.is_empty() { 0 } else { line.len() - line.trim_start().len() };
                parts.push(Part { line: next, begin: text.len(), indent });
                text.push_str(&line[indent..]);
                next += 1;
                if width(line) < columns {
                    break;
                }
            }
            found.extend(self.matches_in(&text).into_iter().map(|range| pieces(&range, &parts, text.len())));
        }
        found
    }

    /// What it matches in one text, in bytes.
    fn matches_in(&self, text: &str) -> Vec<Range<usize>> {
        let wanted = self.input.value();
        let minds_case = wanted.chars().any(char::is_uppercase);
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(rest) = text.get(from..).filter(|rest| !rest.is_empty() && !wanted.is_empty()) {
            if let Some(length) = begins_with(rest, wanted, minds_case) {
                found.push(from..from + length);
                from += length;
            } else {
                from += rest.chars().next().map_or(1, char::len_utf8);
            }
        }
        found
    }
}

/// Where a match stands: the line and the bytes in it, and again for each line that it goes on in.
pub type Match = Vec<(usize, Range<usize>)>;

/// A line of a text that was put together.
struct Part {
    line: usize,
    /// Where it begins in the whole.
    begin: usize,
    /// Bytes at its beginning that were left out.
    indent: usize,
}

/// A match in the whole, in the lines that it is from.
fn pieces(range: &Range<usize>, parts: &[Part], length: usize) -> Match {
    let ends = parts.iter().skip(1).map(|part| part.begin).chain([length]);
    let of_part = |(part, end): (&Part, usize)| {
        let (from, to) = (range.start.max(part.begin), range.end.min(end));
        let in_line = |at: usize| at - part.begin + part.indent;
        (from < to).then(|| (part.line, in_line(from)..in_line(to)))
    };
    parts.iter().zip(ends).filter_map(of_part).collect()
}

/// Bytes of the text that match, where it begins with what is wanted.
fn begins_with(text: &str, wanted: &str, minds_case: bool) -> Option<usize> {
    let mut characters = text.char_indices();
    for wanted in wanted.chars() {
        let (_, character) = characters.next()?;
        if character != wanted && (minds_case || !character.to_lowercase().eq(wanted.to_lowercase())) {
            return None;
        }
    }
    Some(characters.next().map_or(text.len(), |(at, _)| at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(wanted: &str, line: &str) -> Vec<Range<usize>> {
        Search { input: Input::new(wanted.to_owned()), ..Search::default() }.matches_in(line)
    }

    #[test]
    fn a_capital_minds_case_and_matches_do_not_overlap() {
        assert_eq!(matches("kms", "kms:Sign KMS:sign"), [0..3, 9..12]);
        assert_eq!(matches("KMS", "kms:Sign KMS:sign"), std::slice::from_ref(&(9..12)));
        assert_eq!(matches("aa", "aaaaa"), [0..2, 2..4]);
        assert_eq!(matches("é:", "鍵É:x"), std::slice::from_ref(&(3..6)));
        assert!(matches("", "text").is_empty() && matches("text", "").is_empty());
    }

    #[test]
    fn a_match_goes_on_where_a_line_that_fills_the_width_does() {
        let search = Search { input: Input::new("abcd".to_owned()), ..Search::default() };
        let lines = ["xxab", "  cd", "abc", "d", "", "abcd"].map(str::to_owned);
        let found = search.matches(&lines, 4);
        assert_eq!(found, [vec![(0, 2..4), (1, 2..4)], vec![(5, 0..4)]]);
        let lines = ["..abcd", "ab", "cd"].map(str::to_owned);
        assert_eq!(search.matches(&lines, 80), [vec![(0, 2..6)]]);
    }
}
