//! The explorer without a terminal: one state, one way to change it.
//!
//! [`update()`] takes a [`Message`] (what happened) and gives [`Effect`]s (what the world is asked
//! for). It is synchronous, total and infallible: failures arrive as messages. Nothing in it
//! depends on what was drawn; geometry is a function of size and state ([`layout`]). The time is
//! [`State::now`], told by messages.
//!
//! Every question that is answered later carries a [`Generation`] or a [`Ticket`]; an answer whose
//! question is no longer asked is dropped.

mod backfill;
pub mod calls;
pub mod copy_menu;
pub mod details;
mod facts;
pub mod form;
pub mod keymap;
pub mod layout;
pub mod list;
pub mod overview;
pub mod picker;
pub mod scan;
pub mod search;
mod text_input;
mod update;

use std::time::Duration;

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::layout::Size;

use self::calls::Calls;
use self::copy_menu::CopyMenu;
use self::form::Form;
use self::keymap::Scope;
use self::list::ListState;
use self::picker::Picker;
use self::scan::Scans;
use crate::domain::call::CallRecord;
use crate::domain::catalog::{AliasHandle, Catalog, Described, KeyHandle, Remembered, Source};
use crate::domain::data_key::Answer;
use crate::domain::failure::Failure;
use crate::domain::loading::{LoadEvent, Part};
use crate::domain::marks::{Marks, MarksByProfile};
use crate::domain::place::{Destination, Place};
use crate::domain::profile::ProfileSummary;
use crate::domain::request::DataKeyRequest;
use crate::domain::scan::{ScanEvent, ScanKind};

pub use backfill::Backfill;
pub use details::{Details, DetailsTab};
pub use facts::{form_facts, remembered};
pub use update::update;

/// Which connection, and which reading of its catalog, an event belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
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
    /// What an earlier run of the program knew of a connection's place.
    Remembered {
        generation: Generation,
        remembered: Remembered,
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
    /// Calls that were made, oldest first.
    Calls(Vec<CallRecord>),
    /// A piece of a scan, or how it goes.
    Scanned {
        ticket: Ticket,
        event: ScanEvent,
    },
    /// A part of a key's details was read, or not.
    Read {
        ticket: Ticket,
        result: Result<details::Told, Failure>,
    },
    /// The profiles of the AWS configuration.
    ProfilesRead {
        ticket: Ticket,
        result: Result<Vec<ProfileSummary>, Failure>,
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
    /// Connect, then read the catalog. `over` names the connection whose place it takes: what is
    /// under way there stops, and with `resume` its reading goes on where it broke off.
    Connect {
        generation: Generation,
        over: Option<Generation>,
        resume: bool,
        to: Destination,
    },
    /// End a connection: what is under way there stops.
    Disconnect {
        generation: Generation,
    },
    /// Keep what is known of a connection's place for the next run.
    Remember {
        generation: Generation,
        bytes: Vec<u8>,
    },
    /// Describe these keys (by ARN) before all others of their connection.
    Want {
        generation: Generation,
        arns: Vec<String>,
    },
    /// Describe nothing but what is wanted, or everything again.
    Backfill {
        generation: Generation,
        paused: bool,
    },
    Describe {
        ticket: Ticket,
        generation: Generation,
        arn: String,
    },
    /// Read a part of a key's details. The custom key store is found by its id alone.
    Read {
        ticket: Ticket,
        generation: Generation,
        part: details::KeyPart,
        arn: String,
        custom_key_store_id: Option<String>,
    },
    Generate {
        ticket: Ticket,
        generation: Generation,
        request: DataKeyRequest,
    },
    /// Read the profiles of the AWS configuration.
    ReadProfiles {
        ticket: Ticket,
    },
    Cancel {
        ticket: Ticket,
    },
    /// Scan these keys (by ARN) over a connection, within the budget.
    Scan {
        generation: Generation,
        kind: ScanKind,
        arns: Vec<String>,
        ticket: Ticket,
    },
    StopScan {
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
    /// One line whose columns are separated by tabs.
    Columns,
    /// Lines of cells with a tab between them.
    Table,
}

/// A screen that needs no other below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TopScreen {
    #[default]
    Keys,
    Aliases,
    /// The catalog in counts.
    Overview,
    /// The calls that kmx made.
    Calls,
}

impl TopScreen {
    pub const ALL: [Self; 4] = [Self::Keys, Self::Aliases, Self::Overview, Self::Calls];

    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Keys => "Keys",
            Self::Aliases => "Aliases",
            Self::Overview => "Overview",
            Self::Calls => "Calls",
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

/// The form, open.
#[derive(Clone, Debug)]
pub struct FormScreen {
    pub form: Form,
    /// Where its request goes.
    pub source: Source,
}

/// A request that was sent, and what came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub request: DataKeyRequest,
    /// Where it went.
    pub source: Source,
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Popup {
    Help {
        scroll: usize,
    },
    /// Waits for the letter of a column.
    Sort,
    /// Waits for the letter of a scan.
    Scans,
    /// Asks whether to begin the scan of [`Scans::asked`].
    Scan,
    /// What can be copied.
    Copy(CopyMenu),
    /// One more question before the request of the screen below is sent.
    Question,
}

/// What is known of the profiles of the AWS configuration.
#[derive(Debug, Default)]
struct Profiles {
    /// A reading under way.
    ticket: Option<Ticket>,
    read: Option<Result<Vec<ProfileSummary>, Failure>>,
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

/// How reading the lists of all regions stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhaseOfAll {
    /// One is being read.
    Reading,
    Complete,
    /// None is being read, and one has failed.
    Failed,
}

/// How reading the catalog stands.
#[derive(Clone, Debug, Default)]
pub struct Loading {
    /// When it was asked for.
    pub since: Duration,
    pub keys: Phase,
    pub aliases: Phase,
    pub finished: bool,
    /// When it came to its end.
    pub read_at: Option<Timestamp>,
    /// Calls of DescribeKey a second, as the service lets them.
    pub pace: Option<u32>,
    /// Why describing ended before its end.
    pub describing_failed: Option<Failure>,
    /// Failures that are being waited out, by part.
    retrying: [Option<Failure>; Part::ALL.len()],
}

impl Loading {
    /// Whether a part ended before its end.
    #[must_use]
    pub const fn broke_off(&self) -> bool {
        matches!(self.keys, Phase::Failed(_))
            || matches!(self.aliases, Phase::Failed(_))
            || self.describing_failed.is_some()
    }

    /// Whether both lists have come to an end, well or badly.
    const fn lists_ended(&self) -> bool {
        !matches!(self.keys, Phase::Reading) && !matches!(self.aliases, Phase::Reading)
    }

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

/// The text of the innermost panel, a line as it is shown each. Like [`ScrollLimit`], it is the
/// drawing's to know.
pub type PanelText = fn(&State) -> Vec<String>;

/// One of the regions on the screen: where it is, and how its connection and its catalog stand.
#[derive(Debug)]
pub struct Connected {
    pub to: Destination,
    pub place: Place,
    pub connection: Connection,
    pub loading: Loading,
    /// When an earlier run read what is shown, until everything is read again.
    pub remembered: Option<Timestamp>,
    /// Whose that was.
    remembered_account: Option<String>,
    generation: Generation,
    /// What its loader was last asked to describe first.
    wanted: Vec<KeyHandle>,
}

impl Connected {
    fn new(to: Destination, place: Place, generation: Generation, since: Duration) -> Self {
        Self {
            to,
            place,
            connection: Connection::Connecting { since },
            loading: Loading { since, ..Loading::default() },
            remembered: None,
            remembered_account: None,
            generation,
            wanted: Vec::new(),
        }
    }

    /// Why it has no rows, or not all of them: it could not connect, or a list failed.
    fn failure(&self, top: TopScreen) -> Option<&Failure> {
        let phase = match top {
            TopScreen::Aliases => &self.loading.aliases,
            _ => &self.loading.keys,
        };
        match (&self.connection, phase) {
            (Connection::Failed(failure), _) | (_, Phase::Failed(failure)) => Some(failure),
            _ => None,
        }
    }
}

/// All that the explorer knows and shows.
#[derive(Debug)]
pub struct State {
    pub size: Size,
    pub now: Now,
    /// The regions on the screen, by [`Source`]. Never empty.
    pub connected: Vec<Connected>,
    pub catalog: Catalog,
    pub top: TopScreen,
    pub keys: ListState<KeyHandle>,
    pub aliases: ListState<AliasHandle>,
    /// The selected line of the overview.
    pub overview: overview::Selection,
    pub calls: Calls,
    /// Over the top screen, the innermost last.
    pub screens: Vec<Screen>,
    pub popup: Option<Popup>,
    /// A list to choose from, over everything but a popup.
    pub picker: Option<Picker>,
    /// The marks that a person gave to profiles.
    pub marks: MarksByProfile,
    pub status: Option<Status>,
    /// Whether nothing is described but what is on the screen.
    pub paused: bool,
    /// Calls a second at most, in each region; `None` is as fast as the service lets.
    pub describe_rate: Option<u32>,
    pub scans: Scans,
    /// No limit until whoever draws sets one.
    pub scroll_limit: ScrollLimit,
    /// Nothing until whoever draws sets it.
    pub panel_text: PanelText,
    /// Forms that were left, by the place and the identifier that they name.
    drafts: Vec<Draft>,
    /// Where one was before, once one has gone elsewhere.
    before: Option<Vec<(Destination, Place)>>,
    profiles: Profiles,
    last_generation: u64,
    last_ticket: u64,
}

/// A form that was left.
#[derive(Debug)]
struct Draft {
    place: Place,
    name: String,
    form: Form,
}

impl State {
    /// The state before anything was asked, and the first things to ask. Without a place it is that of
    /// nowhere in particular.
    #[must_use]
    pub fn new(places: Vec<(Destination, Place)>, size: Size, now: Now) -> (Self, Vec<Effect>) {
        let mut state = Self {
            size,
            now,
            connected: Vec::new(),
            catalog: Catalog::default(),
            top: TopScreen::default(),
            keys: ListState::default(),
            aliases: ListState::default(),
            overview: overview::Selection::default(),
            calls: Calls::default(),
            screens: Vec::new(),
            popup: None,
            picker: None,
            marks: MarksByProfile::default(),
            status: None,
            paused: false,
            describe_rate: None,
            scans: Scans::default(),
            scroll_limit: |_| usize::MAX,
            panel_text: |_| Vec::new(),
            drafts: Vec::new(),
            before: None,
            profiles: Profiles::default(),
            last_generation: 0,
            last_ticket: 0,
        };
        let effects = state.go_to(places);
        (state, effects)
    }

    /// Takes these places in place of all others, and asks for their connections.
    fn go_to(&mut self, mut places: Vec<(Destination, Place)>) -> Vec<Effect> {
        if places.is_empty() {
            places.push((Destination::default(), Place::aws(None, None, None)));
        }
        let since = self.now.elapsed;
        let mut effects = Vec::new();
        update::stop_scans(self, &mut effects);
        self.catalog = Catalog::default();
        self.connected.clear();
        for (index, (to, place)) in places.into_iter().enumerate() {
            let source = Source(u8::try_from(index).unwrap_or(u8::MAX));
            self.catalog.name_region(source, place.region.as_deref().unwrap_or_default());
            let generation = self.generation();
            effects.push(Effect::Connect { generation, over: None, resume: false, to: to.clone() });
            self.connected.push(Connected::new(to, place, generation, since));
        }
        self.keys.begin_anew(&self.catalog);
        self.aliases.begin_anew(&self.catalog);
        effects
    }

    /// The region of a source. There is always one: a source that is not there any more is the first.
    #[must_use]
    pub fn at(&self, source: Source) -> &Connected {
        self.connected.get(source.0 as usize).unwrap_or(&self.connected[0])
    }

    /// The sources, in their order.
    pub fn sources(&self) -> impl Iterator<Item = Source> + use<> {
        (0..self.connected.len()).filter_map(|index| u8::try_from(index).ok()).map(Source)
    }

    /// The source whose connection this is, where it still counts.
    fn source_of(&self, generation: Generation) -> Option<Source> {
        self.sources().find(|source| self.connected[source.0 as usize].generation == generation)
    }

    /// The source that what is on the screen belongs to: the form's, the selected key's, else the first.
    #[must_use]
    pub fn source(&self) -> Source {
        match self.screen() {
            Some(Screen::Form(screen)) => screen.source,
            Some(Screen::Outcome(outcome)) => outcome.source,
            Some(Screen::Details(details)) => {
                self.catalog.key(details.key).map(super::domain::catalog::Key::source).unwrap_or_default()
            }
            None => self.selected_source(),
        }
    }

    /// The source of the selected row.
    fn selected_source(&self) -> Source {
        let of_alias = || Some(self.catalog.alias(self.aliases.selected()?)?.source());
        let of_key = || Some(self.catalog.key(self.keys.selected()?)?.source());
        match self.top {
            TopScreen::Aliases => of_alias(),
            TopScreen::Keys => of_key(),
            TopScreen::Overview => None,
            TopScreen::Calls => None,
        }
        .unwrap_or_default()
    }

    /// The place that what is on the screen belongs to.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.at(self.source()).place
    }

    /// The marks of the place that what is on the screen belongs to.
    #[must_use]
    pub fn marks_here(&self) -> Marks {
        self.marks.of(self.place().profile.as_deref())
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

    /// Whether the calls that are made are on the screen, so that new ones must be told.
    #[must_use]
    pub const fn shows_calls(&self) -> bool {
        self.screens.is_empty() && matches!(self.top, TopScreen::Calls)
    }

    /// Whether the first page has not come yet, and nothing says that it will not.
    #[must_use]
    pub fn is_waiting_for_rows(&self) -> bool {
        self.catalog.key_count() == 0
            && self.connected.iter().any(|it| {
                !matches!(it.connection, Connection::Failed(_)) && matches!(it.loading.keys, Phase::Reading)
            })
    }

    /// Whether a text field has the focus: then a character is text and never a command.
    #[must_use]
    pub fn typing(&self) -> bool {
        if self.popup.is_some() {
            return false;
        }
        if self.picker.is_some() {
            return true;
        }
        match self.screen() {
            Some(Screen::Form(screen)) => screen.form.typing(),
            Some(Screen::Details(details)) => details.search.as_ref().is_some_and(|search| search.typing),
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
            TopScreen::Overview => false,
            TopScreen::Calls => self.calls.typing,
        }
    }

    /// Where keys count now, the innermost first.
    #[must_use]
    pub fn scopes(&self) -> Vec<Scope> {
        match &self.popup {
            Some(Popup::Help { .. }) => vec![Scope::Moving, Scope::Everywhere],
            Some(Popup::Sort) => vec![Scope::Everywhere],
            Some(Popup::Scans) => vec![Scope::Scans, Scope::Everywhere],
            Some(Popup::Scan) => vec![Scope::Scan, Scope::Everywhere],
            Some(Popup::Copy(_)) => vec![Scope::Menu, Scope::Moving, Scope::Everywhere],
            Some(Popup::Question) => vec![Scope::Question, Scope::Everywhere],
            None if self.picker.as_ref().is_some_and(|picker| picker.purpose == picker::Purpose::Palette) => {
                vec![Scope::Picker, Scope::Palette, Scope::Everywhere]
            }
            None if self.picker.is_some() => vec![Scope::Picker, Scope::Everywhere],
            None => self.scopes_of_the_screen(),
        }
    }

    /// Where keys count when no popup is open.
    #[must_use]
    pub fn scopes_of_the_screen(&self) -> Vec<Scope> {
        let mut scopes = match self.screen() {
            Some(Screen::Details(details)) => match &details.search {
                Some(search) if search.typing => vec![Scope::Search],
                Some(_) => vec![Scope::Matches, Scope::Details, Scope::Tabs, Scope::Moving],
                None => vec![Scope::Details, Scope::Tabs, Scope::Moving],
            },
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
            None if self.top == TopScreen::Calls => vec![Scope::Calls, Scope::Tabs, Scope::Moving],
            None if self.trouble().is_some() => vec![Scope::Empty, Scope::Tabs],
            None if self.top == TopScreen::Overview => vec![Scope::Overview, Scope::Tabs, Scope::Moving],
            None => vec![Scope::Lists, Scope::Tabs, Scope::Moving],
        };
        if self.screens.is_empty() && !self.filtering() {
            scopes.push(Scope::Going);
        }
        scopes.push(Scope::Everywhere);
        scopes
    }

    /// The failure that the top screen shows in place of rows: it has none, and this is why.
    #[must_use]
    pub fn trouble(&self) -> Option<&Failure> {
        let rows = match self.top {
            TopScreen::Aliases => self.catalog.alias_count(),
            TopScreen::Keys | TopScreen::Overview => self.catalog.key_count(),
            TopScreen::Calls => return None,
        };
        if rows > 0 {
            return None;
        }
        // Where one of several regions may still bring rows, there is something to wait for.
        let failures: Option<Vec<&Failure>> = self.connected.iter().map(|it| it.failure(self.top)).collect();
        failures?.first().copied()
    }

    /// A failure that rows on the screen hide: the list is not whole, or not fresh; and the region that
    /// it is about.
    #[must_use]
    pub fn hidden_trouble(&self) -> Option<(&Connected, &Failure)> {
        if self.trouble().is_some() {
            return None;
        }
        let failure_of = |it: &'_ Connected| {
            let list = match (&it.connection, &it.loading.keys, &it.loading.aliases) {
                (Connection::Failed(_), ..) | (_, Phase::Failed(_), _) => it.failure(TopScreen::Keys),
                _ => it.failure(TopScreen::Aliases),
            };
            list.is_some()
        };
        let it = self.connected.iter().find(|it| failure_of(it) || it.loading.describing_failed.is_some())?;
        let failure = it.failure(TopScreen::Keys).or_else(|| it.failure(TopScreen::Aliases));
        Some((it, failure.or(it.loading.describing_failed.as_ref())?))
    }

    /// How many of the regions are not whole, or not fresh.
    #[must_use]
    pub fn troubled_count(&self) -> usize {
        let is_troubled = |it: &&Connected| {
            it.failure(TopScreen::Keys).is_some()
                || it.failure(TopScreen::Aliases).is_some()
                || it.loading.describing_failed.is_some()
        };
        self.connected.iter().filter(is_troubled).count()
    }

    /// A failure that is being waited out, and the region that it is about.
    #[must_use]
    pub fn retrying(&self) -> Option<(&Connected, &Failure)> {
        self.connected.iter().find_map(|it| Some((it, it.loading.retrying()?)))
    }

    /// How the lists of the top screen stand, together: reading while one of them is.
    #[must_use]
    pub fn phase(&self, top: TopScreen) -> PhaseOfAll {
        let phases = self.connected.iter().map(|it| match top {
            TopScreen::Aliases => &it.loading.aliases,
            _ => &it.loading.keys,
        });
        let mut all = PhaseOfAll::Complete;
        for phase in phases {
            match phase {
                Phase::Reading => return PhaseOfAll::Reading,
                Phase::Failed(_) => all = PhaseOfAll::Failed,
                Phase::Complete => {}
            }
        }
        all
    }

    /// The key that the selection means, on either list.
    #[must_use]
    pub fn selected_key(&self) -> Option<KeyHandle> {
        match self.top {
            TopScreen::Overview => None,
            TopScreen::Keys => self.keys.selected(),
            TopScreen::Aliases => self.catalog.alias(self.aliases.selected()?)?.key(),
            TopScreen::Calls => None,
        }
    }

    /// All names of the key that an identifier means in a region: aliases, key id, key ARN, alias ARNs.
    #[must_use]
    pub fn names_of(&self, source: Source, identifier: &str) -> Vec<String> {
        let key = self.catalog.resolve_in(source, identifier).and_then(|key| self.catalog.key(key));
        let Some(key) = key else { return Vec::new() };
        let mut names: Vec<String> = key.alias_names().map(str::to_owned).collect();
        names.push(key.key_id().into_owned());
        names.push(key.arn());
        let aliases = key.aliases().iter().filter_map(|alias| self.catalog.alias(*alias));
        names.extend(aliases.map(|alias| alias.arn().into_owned()).filter(|arn| !arn.is_empty()));
        names
    }

    /// The ending that `→` would put behind what is typed in the form's Key field.
    #[must_use]
    pub fn completion(&self, form: &Form) -> Option<String> {
        let typed = form.completable()?;
        self.catalog.completion(typed).map(|name| name[typed.len()..].to_owned())
    }

    fn generation(&mut self) -> Generation {
        self.last_generation += 1;
        Generation(self.last_generation)
    }

    fn ticket(&mut self) -> Ticket {
        self.last_ticket += 1;
        Ticket(self.last_ticket)
    }

    fn say(&mut self, kind: StatusKind, text: impl Into<String>) {
        self.status = Some(Status { text: text.into(), kind });
    }
}
