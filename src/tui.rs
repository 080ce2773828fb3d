//! The explorer on a terminal: the shell around the pure core of [`crate::app`].
//!
//! ```text
//! input ─┐                                    ┌─> draw
//! answers ├─> Message ─> update ─> Effect ─> executor ─> task ─> answers
//! catalog ┘
//! ```
//!
//! The first frame is drawn before anything else begins, tokio included. Decides nothing that
//! `update` could decide.

pub mod executor;
pub mod guard;
pub mod input;
pub mod runtime;

use std::io::{self, Write};

use jiff::Timestamp;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use tokio::sync::mpsc;

use self::executor::Executor;
use self::guard::{Output, TerminalGuard};
use self::input::{InputEvent, Signal};
use self::runtime::{Control, Runtime};
use crate::clipboard::{Clipboard, Surroundings};
use crate::files::catalog_cache::CatalogCache;
use crate::files::settings::Settings;
use crate::kms::loader::Rate;
use crate::session::Session;
use crate::view::Theme;

/// How the explorer looks, and what holds for its run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether to use colour.
    pub colour: bool,
    pub settings: Settings,
}

/// Why the explorer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Quit,
    /// A signal ended it; the exit code that says so (128 and the signal's number).
    Signal(u8),
}

/// Runs the explorer until it is left. The terminal is given back on every way out.
///
/// # Errors
/// What the terminal refused.
pub fn run(session: Session, options: &Options) -> io::Result<Exit> {
    let (sender, input) = mpsc::unbounded_channel();
    input::spawn(sender)?;
    let mut guard = TerminalGuard::enter(Output::Stdout)?;
    let theme = if options.colour { Theme::coloured() } else { Theme::plain() };
    let terminal = Terminal::new(CrosstermBackend::new(io::BufWriter::new(guard.output().writer()?)))?;
    let mut escapes = guard.output().writer()?;
    let write_escape = move |escape: &str| {
        escapes.write_all(escape.as_bytes())?;
        escapes.flush()
    };
    let clipboard = Clipboard::new(Surroundings::from_env(|name| std::env::var_os(name)));
    let (mut executor, answers) = Executor::new(session, clipboard);
    executor = executor.describing_at(Rate::new(options.settings.describe_rate));
    if let Some(cache) = CatalogCache::of_this_person().filter(|_| options.settings.cache) {
        executor = executor.remembering(cache);
    }
    let mut runtime =
        Runtime::new(terminal, theme, executor, answers, Timestamp::now(), Box::new(write_escape))?
            .with_marks(options.settings.marks.clone());
    runtime.draw()?;

    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let exit = tokio.block_on(drive(&mut runtime, &mut guard, input));
    let restored = guard::restore();
    // Calls that are under way are not waited for.
    tokio.shutdown_background();
    exit.and_then(|exit| restored.map(|()| exit))
}

type Screen = CrosstermBackend<io::BufWriter<Box<dyn Write + Send>>>;

/// Carries out what needs the terminal itself, until something ends the program.
async fn drive(
    runtime: &mut Runtime<Screen>,
    guard: &mut TerminalGuard,
    mut input: mpsc::UnboundedReceiver<InputEvent>,
) -> io::Result<Exit> {
    runtime.begin();
    loop {
        match runtime.next(&mut input).await? {
            Control::Quit => return Ok(Exit::Quit),
            Control::Suspend => {
                guard.leave()?;
                let suspended = input::suspend();
                guard.reenter()?;
                runtime.redraw()?;
                // Where there is no such thing as suspending, nothing has happened.
                drop(suspended);
            }
            Control::Signal(Signal::Continue) => {
                guard.reenter()?;
                runtime.redraw()?;
            }
            Control::Signal(Signal::Interrupt) => return Ok(Exit::Quit),
            Control::Signal(signal) => return Ok(Exit::Signal(signal.exit_code().unwrap_or(143))),
            Control::Closed => return Ok(Exit::Signal(129)),
        }
    }
}
