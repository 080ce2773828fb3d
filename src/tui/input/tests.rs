//! What becomes of each of crossterm's events. Threads and signals are tested
//! from outside, in a terminal.

use crossterm::event::{KeyCode, KeyModifiers, MouseEvent, MouseEventKind};

use super::*;

fn key(kind: KeyEventKind) -> KeyEvent {
    KeyEvent::new_with_kind(KeyCode::Char('q'), KeyModifiers::NONE, kind)
}

#[test]
fn a_press_and_a_repeat_are_keys_and_a_release_is_none() {
    for kind in [KeyEventKind::Press, KeyEventKind::Repeat] {
        assert_eq!(translate(Event::Key(key(kind))), Some(InputEvent::Key(key(kind))));
    }
    assert_eq!(translate(Event::Key(key(KeyEventKind::Release))), None);
}

#[test]
fn a_paste_stays_one_text_with_its_line_ends() {
    let text = "a=b\r\nc=d\n";
    assert_eq!(translate(Event::Paste(text.to_owned())), Some(InputEvent::Paste(text.to_owned())));
}

#[test]
fn a_size_keeps_its_columns_and_rows_apart() {
    assert_eq!(translate(Event::Resize(100, 30)), Some(InputEvent::Resize { columns: 100, rows: 30 }));
}

#[test]
fn the_mouse_and_the_focus_are_nobodys_business() {
    let mouse = MouseEvent { kind: MouseEventKind::Moved, column: 1, row: 1, modifiers: KeyModifiers::NONE };
    for event in [Event::Mouse(mouse), Event::FocusGained, Event::FocusLost] {
        assert_eq!(translate(event), None);
    }
}

#[test]
fn exit_codes_are_those_that_a_shell_gives() {
    let codes =
        [Signal::HangUp, Signal::Interrupt, Signal::Terminate, Signal::Continue].map(Signal::exit_code);
    assert_eq!(codes, [Some(129), Some(130), Some(143), None]);
}
