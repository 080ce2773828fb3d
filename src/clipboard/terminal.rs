//! OSC 52, the escape sequence that asks a terminal to put text on its
//! clipboard. Builds the sequence and writes it nowhere.

use crossterm::Command as _;
use crossterm::clipboard::CopyToClipboard;

/// The longest sequence, in bytes, that is sent. Terminals differ and answer
/// nothing, so this is the length that the script which made OSC 52 common keeps
/// to: `OSC_52_MAX_SEQUENCE` in `osc52.sh` of Chromium's hterm.
const LONGEST_SEQUENCE: usize = 100_000;

/// `ESC ] 52 ; c ;` and `ESC \`.
const FRAME: usize = 9;

/// The longest text, in bytes, whose sequence fits.
const LONGEST_TEXT: usize = (LONGEST_SEQUENCE - FRAME) / 4 * 3;

/// The sequence for `text`, or why there is none.
pub(super) fn escape(text: &str) -> Result<String, String> {
    if text.len() > LONGEST_TEXT {
        return Err(format!(
            "{} bytes are too many for an escape sequence, which carries {LONGEST_TEXT} at most",
            text.len()
        ));
    }
    let mut sequence = String::with_capacity(FRAME + text.len().div_ceil(3) * 4);
    CopyToClipboard::to_clipboard_from(text)
        .write_ansi(&mut sequence)
        .map_err(|_| "the escape sequence could not be written".to_owned())?;
    Ok(sequence)
}

/// Wraps a sequence so that tmux hands it to the terminal unread. tmux up to 3.2
/// always does; from 3.3 on `allow-passthrough` must be on, and is not by
/// default.
pub(super) fn through_tmux(sequence: &str) -> String {
    format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b"))
}
