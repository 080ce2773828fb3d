//! Text made printable, and cut to a width.
//!
//! Text from a server, a file or a person is kept as it came; this file is the one way by which it
//! gets onto a screen, a clipboard, stderr or into a table. It must not know what the text means.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The text without anything that a terminal could obey or that hides what is written.
///
/// C0 controls and DEL become their control pictures (`␛`), every other control, bidi or
/// zero-width character becomes its code point in angle brackets (`<U+202E>`).
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        push_printable(&mut out, character);
    }
    Cow::Owned(out)
}

/// As [`printable`], with line breaks kept and tabs spread to spaces: for texts of several lines.
#[must_use]
pub fn printable_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => out.push('\n'),
            '\t' => out.push_str("    "),
            other => push_printable(&mut out, other),
        }
    }
    out
}

fn push_printable(out: &mut String, character: char) {
    if !is_hidden(character) {
        out.push(character);
        return;
    }
    let code = u32::from(character);
    let picture = match code {
        0..=0x1f => char::from_u32(0x2400 + code),
        0x7f => Some('\u{2421}'),
        _ => None,
    };
    match picture {
        Some(picture) => out.push(picture),
        None => {
            // Writing to a String cannot fail.
            let _ = write!(out, "<U+{code:04X}>");
        }
    }
}

/// Whether a terminal would obey this character, or a reader would not see it.
#[must_use]
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(u32::from(character),
            0x00ad | 0x061c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180e
            | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f
            | 0x3164 | 0xfeff | 0xffa0 | 0xfff9..=0xfffb
            | 0x1d173..=0x1d17a | 0xe0000..=0xe007f)
}

/// Columns that the text takes on a terminal.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// The beginning of the text in at most `columns`, with `…` where something was cut.
#[must_use]
pub fn keep_start(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    if columns == 0 {
        return Cow::Borrowed("");
    }
    let end = prefix_of_width(text, columns - 1);
    Cow::Owned(format!("{}…", &text[..end]))
}

/// The end of the text in at most `columns`, with `…` where something was cut.
#[must_use]
pub fn keep_end(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    if columns == 0 {
        return Cow::Borrowed("");
    }
    let mut used = 0;
    let mut start = text.len();
    for (index, grapheme) in text.grapheme_indices(true).rev() {
        used += width(grapheme);
        if used > columns - 1 {
            break;
        }
        start = index;
    }
    Cow::Owned(format!("…{}", &text[start..]))
}

/// Both ends of the text in at most `columns`, with `…` in the middle: key ids.
#[must_use]
pub fn keep_ends(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    if columns < 4 {
        return keep_start(text, columns);
    }
    let tail = (columns - 1) / 3;
    let head = columns - 1 - tail;
    let end = prefix_of_width(text, head);
    let tail_text = keep_end(text, tail + 1);
    Cow::Owned(format!("{}{tail_text}", &text[..end]))
}

fn prefix_of_width(text: &str, columns: usize) -> usize {
    let mut used = 0;
    for (index, grapheme) in text.grapheme_indices(true) {
        used += width(grapheme);
        if used > columns {
            return index;
        }
    }
    text.len()
}

/// The text in lines of at most `columns`, broken at spaces where there are any, else anywhere.
/// Line breaks in the text are kept.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        let mut used = 0;
        for word in paragraph.split_inclusive(' ') {
            let bare = width(word.trim_end());
            if used > 0 && used + bare > columns {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
                used = 0;
            }
            if bare <= columns {
                line.push_str(word);
                used += width(word);
                continue;
            }
            for grapheme in word.graphemes(true) {
                let cell = width(grapheme);
                if used + cell > columns && used > 0 {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                line.push_str(grapheme);
                used += cell;
            }
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// A count with its thousands set apart: `1,248`.
#[must_use]
pub fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 key`, `2 keys`.
#[must_use]
pub fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", thousands(count), if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests;
