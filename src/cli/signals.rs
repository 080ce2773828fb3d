//! Signals that end a subcommand which runs until it is told to end.
//!
//! It must not end anything at the first signal: that is the subcommand's business.

use std::io;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level;
use tokio::sync::oneshot;

/// The first signal's exit code, once it has come: 130, 143 or 129. At the second one the process
/// ends.
///
/// # Errors
/// What the system says where signals cannot be had.
pub(super) fn first() -> io::Result<oneshot::Receiver<u8>> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let (sender, first) = oneshot::channel();
    let mut sender = Some(sender);
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for number in signals.forever() {
            let code = match number {
                SIGINT => 130,
                SIGHUP => 129,
                _ => 143,
            };
            if sender.take().is_none_or(|sender| sender.send(code).is_err()) {
                low_level::exit(i32::from(code));
            }
        }
    })?;
    Ok(first)
}
