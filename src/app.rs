//! The explorer without a terminal: one state, one way to change it.
//!
//! [`update()`] takes a [`Message`] (what happened) and gives [`Effect`]s (what the world is asked
//! for). It is synchronous, total and infallible: failures arrive as messages. Nothing in it
//! depends on what was drawn; geometry is a function of size and state ([`layout`]). The time is
//! [`State::now`], told by messages.
//!
//! Every question that is answered later carries a [`Generation`] or a [`Ticket`]; an answer whose
//! question is no longer asked is dropped.

mod facts;
pub mod form;
pub mod keymap;
pub mod layout;
pub mod list;
mod text_input;
mod update;

use std::time::Duration;

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::layout::Size;

use self::form::Form;
use self::keymap::Scope;
use self::list::ListState;
use crate::domain::catalog::{AliasHandle, Catalog, Described, KeyHandle};
use crate::domain::data_key::Answer;
use crate::domain::failure::Failure;
use crate::domain::loading::{LoadEvent, Part};
use crate::domain::place::Place;
use crate::domain::request::DataKeyRequest;

pub use facts::form_facts;
pub use update::update;

/// Which connection, and which reading of the catalog, an event belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Generation(u64);

/// Which call an answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(u64);

/// The time, as the messages tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    pub wall: Timestamp,
    /// Since the program began. Never goes back.
    pub elapsed: Duration,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Message {
    Now(Now),
    Key(KeyEvent),
    Paste(String),
    Resize(Size),
    Connected {
        generation: Generation,
        place: Place,
    },
    NotConnected {
        generation: Generation,
        failure: Failure,
    },
    Loaded {
        generation: Generation,
        event: LoadEvent,
    },
    /// One key was described anew, for the details.
    Described {
        ticket: Ticket,
        arn: String,
        described: Described,
    },
    Answered {
        ticket: Ticket,
        result: Result<Answer, Failure>,
    },
    /// A copy has ended, well or badly; the words say by which route, or why not.
    Copied {
        what: String,
        result: Result<String, String>,
    },
}

/// What the world is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Effect {
    /// Connect, then read the catalog; what was under way for an older generation stops.
    Connect {
        generation: Generation,
    },
    /// Describe these keys (by ARN) before all others.
    Want {
        arns: Vec<String>,
    },
    Describe {
        ticket: Ticket,
        arn: String,
    },
    Generate {
        ticket: Ticket,
        request: DataKeyRequest,
    },
    Cancel {
        ticket: Ticket,
    },
    /// Copy a text; `what` names it for the words that come back. A line break in a text that is one
    /// line is not its own, and must not get to where a paste runs commands.
    Copy {
        what: String,
        text: String,
        lines: Lines,
    },
    Suspend,
    Quit,
}

/// Whether line breaks belong to a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    One,
    Many,
}

/// A screen that needs no other below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TopScreen {
    #[default]
    Keys,
    Aliases,
}

impl TopScreen {
    pub const ALL: [Self; 2] = [Self::Keys, Self::Aliases];

    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Keys => "Keys",
            Self::Aliases => "Aliases",
        }
    }
}

/// A screen over a top screen.
#[derive(Clone, Debug)]
pub enum Screen {
    Details(Details),
    Form(FormScreen),
    Outcome(Outcome),
}

/// Everything about one key.
#[derive(Clone, Debug)]
pub struct Details {
    pub key: KeyHandle,
    pub tab: DetailsTab,
    /// Lines scrolled off the top.
    pub scroll: usize,
    /// A description under way.
    pub ticket: Option<Ticket>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DetailsTab {
    #[default]
    Overview,
    Json,
}

impl DetailsTab {
    pub const ALL: [Self; 2] = [Self::Overview, Self::Json];

    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Json => "JSON",
        }
    }
}

/// The form, open.
#[derive(Clone, Debug)]
pub struct FormScreen {
    pub form: Form,
}

/// A request that was sent, and what came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub request: DataKeyRequest,
    /// The key ARN that the list had under the request's identifier.
    pub listed_arn: Option<String>,
    /// The draft that it was made from.
    pub draft: String,
    pub progress: Progress,
    pub scroll: usize,
}

/// Where a request stands.
#[derive(Clone, Debug)]
pub enum Progress {
    Running { ticket: Ticket, since: Duration },
    Done { answer: Answer, took: Duration },
    Failed { failure: Failure, took: Duration },
}

/// A popup over everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Popup {
    Help {
        scroll: usize,
    },
    /// Waits for the letter of a column.
    Sort,
}

/// How the connection stands.
#[derive(Clone, Debug)]
pub enum Connection {
    Connecting { since: Duration },
    Ready,
    Failed(Failure),
}

/// How reading a list stands.
#[derive(Clone, Debug, Default)]
pub enum Phase {
    #[default]
    Reading,
    Complete,
    Failed(Failure),
}

/// How reading the catalog stands.
#[derive(Clone, Debug, Default)]
pub struct Loading {
    /// When it was asked for.
    pub since: Duration,
    pub keys: Phase,
    pub aliases: Phase,
    pub finished: bool,
    /// Why describing ended before its end.
    pub describing_failed: Option<Failure>,
    /// Failures that are being waited out, by part.
    retrying: [Option<Failure>; Part::ALL.len()],
}

impl Loading {
    /// A failure that is being waited out.
    #[must_use]
    pub fn retrying(&self) -> Option<&Failure> {
        self.retrying.iter().flatten().next()
    }
}

/// A word about what was done last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub text: String,
    pub kind: StatusKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusKind {
    Info,
    Success,
    Error,
}

/// How far the innermost panel scrolls: its lines beyond those that fit. How many lines a text takes
/// is the drawing's to know, which this module does not; it depends on nothing but the state.
pub type ScrollLimit = fn(&State) -> usize;

/// All that the explorer knows and shows.
#[derive(Debug)]
pub struct State {
    pub size: Size,
    pub now: Now,
    pub place: Place,
    pub connection: Connection,
    pub catalog: Catalog,
    pub loading: Loading,
    pub top: TopScreen,
    pub keys: ListState<KeyHandle>,
    pub aliases: ListState<AliasHandle>,
    /// Over the top screen, the innermost last.
    pub screens: Vec<Screen>,
    pub popup: Option<Popup>,
    pub status: Option<Status>,
    /// No limit until whoever draws sets one.
    pub scroll_limit: ScrollLimit,
    /// Forms that were left, by the identifier that they name.
    drafts: Vec<(String, Form)>,
    generation: Generation,
    next_ticket: u64,
    /// What the loader was last asked to describe first.
    wanted: Vec<KeyHandle>,
}

impl State {
    /// The state before anything was asked, and the first thing to ask.
    pub fn new(place: Place, size: Size, now: Now) -> (Self, Effect) {
        let state = Self {
            size,
            now,
            place,
            connection: Connection::Connecting { since: now.elapsed },
            catalog: Catalog::default(),
            loading: Loading { since: now.elapsed, ..Loading::default() },
            top: TopScreen::default(),
            keys: ListState::default(),
            aliases: ListState::default(),
            screens: Vec::new(),
            popup: None,
            status: None,
            scroll_limit: |_| usize::MAX,
            drafts: Vec::new(),
            generation: Generation::default(),
            next_ticket: 0,
            wanted: Vec::new(),
        };
        let generation = state.generation;
        (state, Effect::Connect { generation })
    }

    /// The innermost screen over the top screen.
    #[must_use]
    pub fn screen(&self) -> Option<&Screen> {
        self.screens.last()
    }

    /// Whether something on the screen counts time, so that the time must be told again and again.
    #[must_use]
    pub fn is_counting(&self) -> bool {
        self.is_waiting_for_rows()
            || self.screens.iter().any(|screen| {
                matches!(screen, Screen::Outcome(outcome) if matches!(outcome.progress, Progress::Running { .. }))
            })
    }

    /// Whether the first page has not come yet, and nothing says that it will not.
    #[must_use]
    pub fn is_waiting_for_rows(&self) -> bool {
        self.catalog.key_count() == 0
            && !matches!(self.connection, Connection::Failed(_))
            && matches!(self.loading.keys, Phase::Reading)
    }

    /// Whether a text field has the focus: then a character is text and never a command.
    #[must_use]
    pub fn typing(&self) -> bool {
        if self.popup.is_some() {
            return false;
        }
        match self.screen() {
            Some(Screen::Form(screen)) => screen.form.typing(),
            Some(_) => false,
            None => self.filtering(),
        }
    }

    /// Whether the filter of the list on the top screen is being typed.
    #[must_use]
    pub const fn filtering(&self) -> bool {
        match self.top {
            TopScreen::Keys => self.keys.typing,
            TopScreen::Aliases => self.aliases.typing,
        }
    }

    /// Where keys count now, the innermost first.
    #[must_use]
    pub fn scopes(&self) -> Vec<Scope> {
        match self.popup {
            Some(Popup::Help { .. }) => vec![Scope::Moving, Scope::Everywhere],
            Some(Popup::Sort) => vec![Scope::Everywhere],
            None => self.scopes_of_the_screen(),
        }
    }

    /// Where keys count when no popup is open.
    #[must_use]
    pub fn scopes_of_the_screen(&self) -> Vec<Scope> {
        let mut scopes = match self.screen() {
            Some(Screen::Details(_)) => vec![Scope::Details, Scope::Tabs, Scope::Moving],
            Some(Screen::Form(screen)) => match screen.form.focus {
                form::Focus::Key => vec![Scope::FormKey, Scope::Form],
                form::Focus::Size | form::Focus::DryRun => vec![Scope::FormChoice, Scope::Form],
                _ => vec![Scope::Form],
            },
            Some(Screen::Outcome(outcome)) => match outcome.progress {
                Progress::Running { .. } => vec![Scope::Running],
                Progress::Done { answer: Answer::DataKey(_), .. } => vec![Scope::Result, Scope::Moving],
                Progress::Done { answer: Answer::WouldSucceed { .. }, .. } => {
                    vec![Scope::DryRunResult, Scope::Moving]
                }
                Progress::Failed { .. } => vec![Scope::Refusal, Scope::Moving],
            },
            None if self.filtering() => vec![Scope::Filter],
            None if self.trouble().is_some() => vec![Scope::Empty, Scope::Tabs],
            None => vec![Scope::Lists, Scope::Tabs, Scope::Moving],
        };
        scopes.push(Scope::Everywhere);
        scopes
    }

    /// The failure that the top screen shows in place of rows: it has none, and this is why.
    #[must_use]
    pub fn trouble(&self) -> Option<&Failure> {
        let (rows, phase) = match self.top {
            TopScreen::Keys => (self.catalog.key_count(), &self.loading.keys),
            TopScreen::Aliases => (self.catalog.alias_count(), &self.loading.aliases),
        };
        if rows > 0 {
            return None;
        }
        match (&self.connection, phase) {
            (Connection::Failed(failure), _) | (_, Phase::Failed(failure)) => Some(failure),
            _ => None,
        }
    }

    /// A failure that rows on the screen hide: the list is not whole, or not fresh.
    #[must_use]
    pub fn hidden_trouble(&self) -> Option<&Failure> {
        if self.trouble().is_some() {
            return None;
        }
        match (&self.connection, &self.loading.keys, &self.loading.aliases) {
            (Connection::Failed(failure), ..)
            | (_, Phase::Failed(failure), _)
            | (_, _, Phase::Failed(failure)) => Some(failure),
            _ => self.loading.describing_failed.as_ref(),
        }
    }

    /// The key that the selection means, on either list.
    #[must_use]
    pub fn selected_key(&self) -> Option<KeyHandle> {
        match self.top {
            TopScreen::Keys => self.keys.selected(),
            TopScreen::Aliases => self.catalog.alias(self.aliases.selected()?)?.key,
        }
    }

    /// All names of the key that an identifier means: aliases, key id, key ARN, alias ARNs.
    #[must_use]
    pub fn names_of(&self, identifier: &str) -> Vec<String> {
        let Some(row) = self.catalog.resolve(identifier).and_then(|key| self.catalog.key(key)) else {
            return Vec::new();
        };
        let aliases: Vec<_> = row.aliases().iter().filter_map(|alias| self.catalog.alias(*alias)).collect();
        let mut names: Vec<String> = aliases.iter().map(|alias| alias.name.to_string()).collect();
        names.push(row.key_id.to_string());
        names.push(row.arn.to_string());
        let alias_arns = aliases.iter().map(|alias| alias.arn.to_string());
        names.extend(alias_arns.filter(|arn| !arn.is_empty()));
        names
    }

    /// The ending that `→` would put behind what is typed in the form's Key field.
    #[must_use]
    pub fn completion(&self, form: &Form) -> Option<&str> {
        let typed = form.completable()?;
        self.catalog.completion(typed).map(|name| &name[typed.len()..])
    }

    fn ticket(&mut self) -> Ticket {
        self.next_ticket += 1;
        Ticket(self.next_ticket)
    }

    fn say(&mut self, kind: StatusKind, text: impl Into<String>) {
        self.status = Some(Status { text: text.into(), kind });
    }
}
