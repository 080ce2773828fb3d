//! JSON text in indented lines of pieces, each with its kind: key policies, and JSON on a screen.
//!
//! Members keep their order, numbers and strings their spelling: what is shown is what came. Nothing
//! is made printable here: a piece may hold any character but a line feed, and whoever shows it puts
//! its text through [`printable`](super::text::printable), piece by piece. (Strings of valid JSON
//! have no C0 control in them; others, and bidi controls, they may have.)

use serde::de::IgnoredAny;

/// Deeper than this nothing is taken apart: indentation alone would fill the memory.
const DEEPEST: usize = 100;

/// Blanks a level.
const INDENT: usize = 2;

/// What a piece of a line is, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PieceKind {
    /// The name of a member, in its quotation marks.
    Member,
    /// A string as a value, in its quotation marks.
    String,
    Number,
    /// `true`, `false`, `null`.
    Literal,
    /// Brackets, commas, colons with the blank after them.
    Punctuation,
    /// Text that is no JSON.
    Plain,
}

/// A part of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    pub kind: PieceKind,
    pub text: &'a str,
}

/// A line: blanks, then pieces with nothing between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line<'a> {
    /// Blanks before the first piece.
    pub indent: usize,
    pub pieces: Vec<Piece<'a>>,
}

impl Line<'_> {
    /// The line as text, as it came.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = " ".repeat(self.indent);
        text.extend(self.pieces.iter().map(|piece| piece.text));
        text
    }
}

/// The text in lines: JSON indented by two blanks a level, empty objects and lists on one line; text
/// that is no JSON, or is nested deeper than 100 levels, in its own lines.
///
/// Takes time and memory in proportion to the text, whatever it is.
#[must_use]
pub fn lines(text: &str) -> Vec<Line<'_>> {
    // Ignoring a value needs no stack, however deep it goes.
    let is_json = serde_json::from_str::<IgnoredAny>(text).is_ok();
    is_json.then(|| Layout::of(text)).flatten().unwrap_or_else(|| {
        let line = |text| Line { indent: 0, pieces: vec![Piece { kind: PieceKind::Plain, text }] };
        text.split('\n').map(line).collect()
    })
}

/// The lines put together, as text.
#[must_use]
pub fn pretty(text: &str) -> String {
    lines(text).iter().map(Line::text).collect::<Vec<_>>().join("\n")
}

/// Lines in the making.
#[derive(Default)]
struct Layout<'a> {
    lines: Vec<Line<'a>>,
    line: Line<'a>,
    depth: usize,
}

impl<'a> Layout<'a> {
    /// Lays out text that is JSON; `None` where it is nested too deep.
    fn of(text: &'a str) -> Option<Vec<Line<'a>>> {
        let mut layout = Self::default();
        let mut rest = text.trim_start_matches(is_blank);
        while let Some(first) = rest.bytes().next() {
            let length = token_length(rest, first);
            let (token, after) = rest.split_at(length);
            rest = after.trim_start_matches(is_blank);
            match first {
                b'{' | b'[' => {
                    if rest.starts_with(['}', ']']) {
                        layout.push(PieceKind::Punctuation, if first == b'{' { "{}" } else { "[]" });
                        rest = rest.get(1..).unwrap_or_default().trim_start_matches(is_blank);
                        continue;
                    }
                    layout.push(PieceKind::Punctuation, token);
                    layout.depth += 1;
                    if layout.depth > DEEPEST {
                        return None;
                    }
                    layout.break_line();
                }
                b'}' | b']' => {
                    layout.depth = layout.depth.saturating_sub(1);
                    layout.break_line();
                    layout.push(PieceKind::Punctuation, token);
                }
                b',' => {
                    layout.push(PieceKind::Punctuation, token);
                    layout.break_line();
                }
                b':' => layout.push(PieceKind::Punctuation, ": "),
                b'"' if rest.starts_with(':') => layout.push(PieceKind::Member, token),
                b'"' => layout.push(PieceKind::String, token),
                b'-' | b'0'..=b'9' => layout.push(PieceKind::Number, token),
                _ => layout.push(PieceKind::Literal, token),
            }
        }
        layout.lines.push(layout.line);
        Some(layout.lines)
    }

    fn push(&mut self, kind: PieceKind, text: &'a str) {
        self.line.pieces.push(Piece { kind, text });
    }

    fn break_line(&mut self) {
        let next = Line { indent: self.depth * INDENT, pieces: Vec::new() };
        self.lines.push(std::mem::replace(&mut self.line, next));
    }
}

/// White space of JSON, and no other.
const fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

/// Bytes of the token at the beginning of text that is JSON.
fn token_length(text: &str, first: u8) -> usize {
    match first {
        b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
        b'"' => {
            let mut escaped = false;
            let end = text.bytes().skip(1).position(|byte| {
                let ends = byte == b'"' && !escaped;
                escaped = byte == b'\\' && !escaped;
                ends
            });
            end.map_or(text.len(), |end| end + 2)
        }
        _ => text.find(|character| is_blank(character) || ",:]}".contains(character)).unwrap_or(text.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_indented_with_its_members_in_their_order() {
        let policy = r#"{"Version" : "2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},
            "Action":["kms:*"],"Condition":{ },"Version":1.50e3}],"Last":null,"X":[ ]}"#;
        assert_eq!(
            pretty(policy),
            r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {
        "AWS": "*"
      },
      "Action": [
        "kms:*"
      ],
      "Condition": {},
      "Version": 1.50e3
    }
  ],
  "Last": null,
  "X": []
}"#
        );
    }

    #[test]
    fn each_piece_has_its_kind() {
        use PieceKind::{Literal, Member, Number, Punctuation, String};
        let text = r#"{"a\"b": ["c:\\", -1, true]}"#;
        let lines = lines(text);
        let pieces: Vec<(PieceKind, &str)> =
            lines.iter().flat_map(|line| &line.pieces).map(|piece| (piece.kind, piece.text)).collect();
        assert_eq!(
            pieces,
            [
                (Punctuation, "{"),
                (Member, r#""a\"b""#),
                (Punctuation, ": "),
                (Punctuation, "["),
                (String, r#""c:\\""#),
                (Punctuation, ","),
                (Number, "-1"),
                (Punctuation, ","),
                (Literal, "true"),
                (Punctuation, "]"),
                (Punctuation, "}"),
            ]
        );
        assert_eq!(lines.iter().map(|line| line.indent).collect::<Vec<_>>(), [0, 2, 4, 4, 4, 2, 0]);
    }

    #[test]
    fn text_that_is_no_json_stays_as_it_came() {
        for text in ["", "{", "not json\n  at\tall", "{\"a\": 1} trailing", "\"\u{1b}[2J\"", "{\"a\":\"\n\"}"]
        {
            assert_eq!(pretty(text), text);
            assert!(
                lines(text).iter().flat_map(|line| &line.pieces).all(|piece| piece.kind == PieceKind::Plain)
            );
        }
    }

    #[test]
    fn what_is_shown_means_what_came_and_is_laid_out_the_same_again() {
        let text = "[{\"\u{202e}é\": [[], {}, [0, \"\\u001b\"]]}, \"\u{9b}\"]";
        let shown = pretty(text);
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&shown), value(text));
        assert_eq!(pretty(&shown), shown);
        assert!(!shown.lines().any(|line| line.ends_with(' ')));
    }

    #[test]
    fn nesting_without_end_neither_overflows_nor_fills_the_memory() {
        let deep = "[".repeat(200_000) + &"]".repeat(200_000);
        assert_eq!(pretty(&deep), deep);
        let just = "[".repeat(DEEPEST) + "1" + &"]".repeat(DEEPEST);
        assert_eq!(lines(&just).len(), 2 * DEEPEST + 1);
    }
}
