//! A text field: `tui-input` with readline's keys.

use crossterm::event::{KeyCode, KeyModifiers};
use tui_input::{Input, InputRequest};

use super::keymap::Chord;

/// What a key does in a text field; `None` where the field has no use for it.
fn request(chord: Chord) -> Option<InputRequest> {
    use InputRequest::{
        DeleteFromStart, DeleteNextChar, DeleteNextWord, DeletePrevChar, DeletePrevWord, DeleteTillEnd,
        GoToEnd, GoToNextChar, GoToNextWord, GoToPrevChar, GoToPrevWord, GoToStart, InsertChar, Yank,
    };
    let (ctrl, alt) = (KeyModifiers::CONTROL, KeyModifiers::ALT);
    Some(match (chord.code, chord.modifiers) {
        (KeyCode::Char(character), KeyModifiers::NONE) => InsertChar(character),
        (KeyCode::Char('a'), m) if m == ctrl => GoToStart,
        (KeyCode::Char('b'), m) if m == ctrl => GoToPrevChar,
        (KeyCode::Char('d'), m) if m == ctrl => DeleteNextChar,
        (KeyCode::Char('e'), m) if m == ctrl => GoToEnd,
        (KeyCode::Char('f'), m) if m == ctrl => GoToNextChar,
        (KeyCode::Char('h'), m) if m == ctrl => DeletePrevChar,
        (KeyCode::Char('k'), m) if m == ctrl => DeleteTillEnd,
        (KeyCode::Char('u'), m) if m == ctrl => DeleteFromStart,
        (KeyCode::Char('w'), m) if m == ctrl => DeletePrevWord,
        (KeyCode::Char('y'), m) if m == ctrl => Yank,
        (KeyCode::Char('b'), m) if m == alt => GoToPrevWord,
        (KeyCode::Char('d'), m) if m == alt => DeleteNextWord,
        (KeyCode::Char('f'), m) if m == alt => GoToNextWord,
        (KeyCode::Left, m) if m == ctrl || m == alt => GoToPrevWord,
        (KeyCode::Right, m) if m == ctrl || m == alt => GoToNextWord,
        (KeyCode::Backspace, m) if m == ctrl || m == alt => DeletePrevWord,
        (KeyCode::Backspace, _) => DeletePrevChar,
        (KeyCode::Delete, _) => DeleteNextChar,
        (KeyCode::Left, _) => GoToPrevChar,
        (KeyCode::Right, _) => GoToNextChar,
        (KeyCode::Home, _) => GoToStart,
        (KeyCode::End, _) => GoToEnd,
        _ => return None,
    })
}

/// Gives a key to a field; whether the field had a use for it.
pub(super) fn handle(input: &mut Input, chord: Chord) -> bool {
    let Some(request) = request(chord) else { return false };
    input.handle(request);
    true
}

/// Puts text in at the cursor.
pub(super) fn insert(input: &mut Input, text: &str) {
    let at: usize =
        input.value().char_indices().nth(input.cursor()).map_or(input.value().len(), |(at, _)| at);
    let value = input.value();
    let joined = format!("{}{text}{}", &value[..at], &value[at..]);
    let cursor = input.cursor() + text.chars().count();
    *input = Input::new(joined).with_cursor(cursor);
}

/// Whether the cursor stands behind the last character.
#[must_use]
pub(super) fn at_end(input: &Input) -> bool {
    input.cursor() >= input.value().chars().count()
}
