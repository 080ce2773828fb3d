//! The text of a field, scrolled so that its cursor is in view.

use tui_input::Input;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::domain::text::{printable, width};

/// A field's text in at most `columns`, and the column in which the cursor stands.
pub(super) fn window(input: &Input, columns: usize) -> (String, usize) {
    let value = input.value();
    let split = value.char_indices().nth(input.cursor()).map_or(value.len(), |(at, _)| at);
    let before = width(&printable(&value[..split]));
    let shown = printable(value);
    if width(&shown) < columns {
        return (shown.into_owned(), before);
    }
    // One column stays free for the cursor behind the last character.
    let start = (before + 1).saturating_sub(columns);
    let (mut skipped, mut text) = (0, String::new());
    let mut used = 0;
    for grapheme in shown.graphemes(true) {
        let cells = width(grapheme);
        if skipped < start {
            skipped += cells;
            continue;
        }
        if used + cells > columns {
            break;
        }
        used += cells;
        text.push_str(grapheme);
    }
    (text, before.saturating_sub(skipped))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_is_always_in_view() {
        for text in ["", "short", "a long text that does not fit", "鍵鍵鍵鍵鍵鍵鍵鍵", "a\n\u{202e}b\u{1b}c"]
        {
            for cursor in 0..=text.chars().count() {
                for columns in 3..12 {
                    let input = Input::new(text.to_owned()).with_cursor(cursor);
                    let (shown, at) = window(&input, columns);
                    assert!(width(&shown) <= columns, "{text:?} {cursor} {columns}: {shown:?}");
                    assert!(at < columns, "{text:?} {cursor} {columns}: {at}");
                }
            }
        }
    }
}
