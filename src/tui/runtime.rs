//! The loop: what happened goes to `update`, what it asks for to the executor, and the state to the
//! screen.
//!
//! Input goes first. Frames are coalesced: everything that waits is taken in before one is drawn,
//! and a catalog that streams in draws no more than some thirty a second. Nothing is drawn without a
//! reason, and nothing ticks when nothing moves.

use std::io;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::layout::{Rect, Size};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use super::executor::{Answer, Executor, News};
use super::input::{InputEvent, Signal};
use crate::app::{Effect, Message, Now, State, update};
use crate::domain::marks::MarksByProfile;
use crate::kms::CallLog;
use crate::view::{self, Theme};

/// How often the time is told while something on the screen counts.
const TICK: Duration = Duration::from_millis(100);
/// Between two frames that no input asked for, in the long run.
const FRAME: Duration = Duration::from_millis(33);
/// Such frames that may follow each other at once after a rest.
const FRAME_BURST: u32 = 4;

/// What the loop cannot do by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    Quit,
    Suspend,
    Signal(Signal),
    /// No more input will come.
    Closed,
}

/// Writes an escape sequence to the terminal, between two frames.
pub type WriteEscape = Box<dyn FnMut(&str) -> io::Result<()> + Send>;

/// State, screen and executor.
pub struct Runtime<B: Backend> {
    terminal: Terminal<B>,
    theme: Theme,
    state: State,
    /// What the state asked for before the loop began.
    first: Vec<Effect>,
    executor: Executor,
    answers: UnboundedReceiver<Answer>,
    /// What is in it waits until it is shown.
    calls_made: CallLog,
    write_escape: WriteEscape,
    control: Option<Control>,
    started: Instant,
    /// What the clock on the wall said when the program began.
    wall: Timestamp,
    dirty: bool,
    /// Whether input asked for the next frame: then it is not put off.
    urgent: bool,
    /// When the next frame that no input asked for would be due if all had kept the pace.
    frame_due: Instant,
}

impl<B: Backend> Runtime<B>
where
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    /// A loop that has not begun.
    ///
    /// # Errors
    /// Where the terminal does not tell its size.
    pub fn new(
        terminal: Terminal<B>,
        theme: Theme,
        executor: Executor,
        answers: UnboundedReceiver<Answer>,
        wall: Timestamp,
        write_escape: WriteEscape,
    ) -> io::Result<Self> {
        let size = terminal.size().map_err(io::Error::other)?;
        let started = Instant::now();
        let now = Now { wall, elapsed: Duration::ZERO };
        let (mut state, first) = State::new(executor.places(), size, now);
        state.scroll_limit = view::scroll_limit;
        state.describe_rate = executor.describe_rate().per_second;
        let calls_made = executor.calls_made().clone();
        state.panel_text = view::panel_text;
        Ok(Self {
            terminal,
            theme,
            state,
            first,
            executor,
            answers,
            calls_made,
            write_escape,
            control: None,
            started,
            wall,
            dirty: true,
            urgent: true,
            frame_due: started,
        })
    }

    /// The same with the marks that a person gave to profiles.
    #[must_use]
    pub fn with_marks(mut self, marks: MarksByProfile) -> Self {
        self.state.marks = marks;
        self
    }

    /// Asks for what the state asked for first. In a tokio runtime from here on.
    pub fn begin(&mut self) {
        for effect in std::mem::take(&mut self.first) {
            self.perform(effect);
        }
    }

    /// Runs until something is asked for that the loop cannot do by itself.
    ///
    /// # Errors
    /// What the terminal refused.
    pub async fn next(&mut self, input: &mut UnboundedReceiver<InputEvent>) -> io::Result<Control> {
        loop {
            while self.control.is_none()
                && let Ok(event) = input.try_recv()
            {
                self.input(event);
            }
            self.take_in_what_waits();
            if let Some(control) = self.control.take() {
                return Ok(control);
            }
            let put_off = self.put_off_until();
            if self.dirty && put_off.is_none() {
                self.draw()?;
            }
            tokio::select! {
                biased;
                event = input.recv() => match event {
                    Some(event) => self.input(event),
                    None => return Ok(Control::Closed),
                },
                Some(answer) = self.answers.recv() => self.answer(answer),
                news = self.executor.next() => self.news(news),
                () = self.calls_made.news(), if self.state.shows_calls() && put_off.is_none() => {
                    self.dirty = true;
                }
                () = tokio::time::sleep_until(put_off.unwrap_or(self.started)), if put_off.is_some() => {}
                () = tokio::time::sleep(TICK), if self.state.is_counting() => self.tick(),
            }
        }
    }

    /// Takes in everything that needs no waiting for, except when a person waits for a frame.
    fn take_in_what_waits(&mut self) {
        while !self.urgent
            && let Ok(answer) = self.answers.try_recv()
        {
            self.answer(answer);
        }
    }

    /// When the next frame may be drawn, if it must wait.
    fn put_off_until(&self) -> Option<Instant> {
        let waits = self.dirty && !self.urgent && self.frame_due > Instant::now();
        waits.then_some(self.frame_due)
    }

    /// Draws a frame.
    ///
    /// # Errors
    /// What the terminal refused.
    pub fn draw(&mut self) -> io::Result<()> {
        self.take_calls();
        let (state, theme) = (&self.state, &self.theme);
        self.terminal.draw(|frame| view::render(state, theme, frame)).map_err(io::Error::other)?;
        let now = Instant::now();
        let earliest = now.checked_sub(FRAME * (FRAME_BURST - 1)).unwrap_or(now);
        self.frame_due = self.frame_due.max(earliest) + FRAME;
        (self.dirty, self.urgent) = (false, false);
        Ok(())
    }

    /// Takes in the calls that were made since the last time, where they are on the screen.
    fn take_calls(&mut self) {
        if self.state.shows_calls() {
            let records = self.calls_made.take();
            if !records.is_empty() {
                self.handle(Message::Calls(records));
            }
        }
    }

    /// Draws everything anew, after the terminal was somebody else's.
    ///
    /// # Errors
    /// What the terminal refused.
    pub fn redraw(&mut self) -> io::Result<()> {
        let size = self.terminal.size().map_err(io::Error::other)?;
        // `Terminal::clear` would ask the terminal where its cursor is, and the answer would go to
        // whoever reads the input.
        self.terminal.resize(Rect::new(0, 0, size.width, size.height)).map_err(io::Error::other)?;
        self.handle(Message::Resize(size));
        self.draw()
    }

    /// Takes in an event of the input.
    pub fn input(&mut self, event: InputEvent) {
        self.urgent = true;
        match event {
            InputEvent::Key(key) => {
                self.handle(Message::Key(key));
                self.take_calls();
            }
            InputEvent::Paste(text) => self.handle(Message::Paste(text)),
            InputEvent::Resize { columns, rows } => {
                self.handle(Message::Resize(Size { width: columns, height: rows }));
            }
            InputEvent::Signal(signal) => self.control = Some(Control::Signal(signal)),
            InputEvent::Closed(_) => self.control = Some(Control::Closed),
        }
    }

    fn answer(&mut self, answer: Answer) {
        match answer {
            Answer::Connected { generation, clients, remembered } => {
                let place = clients.place().clone();
                if self.executor.load(generation, *clients) {
                    self.handle(Message::Connected { generation, place });
                    if let Some(remembered) = remembered {
                        self.handle(Message::Remembered { generation, remembered });
                    }
                }
            }
            Answer::Copied { what, outcome } => {
                let result = self.executor.copied(outcome, &mut self.write_escape);
                self.handle(Message::Copied { what, result });
            }
            Answer::Message(message) => self.handle(*message),
        }
    }

    fn news(&mut self, news: News) {
        match news {
            News::Loaded(generation, event) => self.handle(Message::Loaded { generation, event }),
            News::Scanned(ticket, event) => self.handle(Message::Scanned { ticket, event }),
            News::Broken(message) => self.handle(*message),
            News::Ended => {}
        }
    }

    fn tick(&mut self) {
        let now = self.now();
        update(&mut self.state, Message::Now(now));
        self.dirty = true;
    }

    /// Gives a message to the state, at the present time, and carries out what it asks for.
    fn handle(&mut self, message: Message) {
        self.tick();
        for effect in update(&mut self.state, message) {
            self.perform(effect);
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Quit => self.control = Some(Control::Quit),
            Effect::Suspend => self.control = Some(Control::Suspend),
            other => self.executor.perform(other),
        }
    }

    fn now(&self) -> Now {
        let elapsed = self.started.elapsed();
        let since = SignedDuration::try_from(elapsed).unwrap_or(SignedDuration::ZERO);
        Now { wall: self.wall.checked_add(since).unwrap_or(self.wall), elapsed }
    }

    /// The state, to look at.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// The screen, to look at.
    pub const fn backend(&self) -> &B {
        self.terminal.backend()
    }

    /// The screen, to give it another size.
    pub const fn backend_mut(&mut self) -> &mut B {
        self.terminal.backend_mut()
    }

    /// What the loop was asked to hand on, if anything.
    pub const fn control(&self) -> Option<Control> {
        self.control
    }

    /// Runs until no task is under way and no message waits, then draws.
    ///
    /// # Errors
    /// What the terminal refused.
    pub async fn settle(&mut self) -> io::Result<()> {
        loop {
            if !self.executor.is_expecting() && self.answers.is_empty() {
                return self.draw();
            }
            tokio::select! {
                biased;
                Some(answer) = self.answers.recv() => self.answer(answer),
                news = self.executor.next() => self.news(news),
            }
        }
    }

    /// Runs for a time, whatever is under way, then draws.
    ///
    /// # Errors
    /// What the terminal refused.
    pub async fn run_for(&mut self, time: Duration) -> io::Result<()> {
        let end = Instant::now() + time;
        loop {
            tokio::select! {
                biased;
                Some(answer) = self.answers.recv() => self.answer(answer),
                news = self.executor.next() => self.news(news),
                () = tokio::time::sleep_until(end) => break,
            }
        }
        self.tick();
        self.draw()
    }
}
