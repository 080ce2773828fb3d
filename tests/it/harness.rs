//! The explorer without a terminal: the real loop, the real SDK, a local KMS in memory, and a clock
//! that stands still until everything waits for it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_kms::config::{HttpClient, RuntimeComponents, SharedHttpClient};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use base64::Engine as _;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::Timestamp;
use kmx::app::State;
use kmx::clipboard::{Clipboard, Surroundings};
use kmx::domain::marks::MarksByProfile;
use kmx::kms::CallLog;
use kmx::kms::loader::Rate;
use kmx::local::{Behaviour, Clock, Fault, LocalKms, Options, Randomness, Rule, Seed, StoreLocation};
use kmx::session::Session;
use kmx::tui::executor::Executor;
use kmx::tui::input::InputEvent;
use kmx::tui::runtime::{Control, Runtime};
use kmx::view::Theme;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

/// When every test begins.
pub const NOW: &str = "2026-11-24T12:00:00Z";

/// The key of `alias/demo/orders` in the demo keyring.
pub const ORDERS: &str = "bedb103d-1fd0-4eea-8df5-87c5fe921771";

/// What an explorer is started with.
pub struct Setup {
    pub columns: u16,
    pub rows: u16,
    pub behaviour: Behaviour,
    pub seed: Seed,
    /// The value of `KMX_CLIPBOARD`.
    pub clipboard: &'static str,
    /// Calls of DescribeKey a second; 0 is as fast as the service lets.
    pub describe_rate: u32,
    pub regions: &'static [&'static str],
    pub marks: MarksByProfile,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            columns: 140,
            rows: 40,
            behaviour: Behaviour::default(),
            seed: Seed::default(),
            clipboard: "auto",
            describe_rate: 200,
            regions: &["us-east-1"],
            marks: MarksByProfile::default(),
        }
    }
}

/// A call as it went over the wire.
#[derive(Clone, Debug)]
pub struct Call {
    pub operation: String,
    pub body: serde_json::Value,
}

/// An explorer that runs.
pub struct Explorer {
    runtime: Runtime<TestBackend>,
    pub kms: LocalKms,
    calls: Arc<Mutex<Vec<Call>>>,
    escapes: Arc<Mutex<Vec<String>>>,
}

/// A rule that holds for every request.
pub fn always(operation: &str, key_id: Option<&str>, fault: Fault) -> Rule {
    Rule { operation: Some(operation.to_owned()), key_id: key_id.map(str::to_owned), times: None, fault }
}

/// A rule that holds for the first so many requests.
pub fn first(times: u32, operation: &str, fault: Fault) -> Rule {
    Rule { operation: Some(operation.to_owned()), key_id: None, times: Some(times), fault }
}

/// A behaviour of these rules alone.
pub fn rules(rules: Vec<Rule>) -> Behaviour {
    Behaviour { rules, ..Behaviour::default() }
}

impl Explorer {
    /// Starts on the demo keyring at 140×40, and waits until everything is loaded.
    pub async fn start() -> Self {
        Self::start_with(Setup::default()).await
    }

    /// Starts, and waits until everything is loaded.
    pub async fn start_with(setup: Setup) -> Self {
        let mut explorer = Self::unsettled(setup);
        explorer.settle().await;
        explorer
    }

    /// Starts, and has drawn the first frame.
    pub fn unsettled(mut setup: Setup) -> Self {
        let now: Timestamp = NOW.parse().unwrap();
        let options = Options {
            clock: Clock::fixed(now),
            randomness: Randomness::deterministic(7),
            seed: std::mem::take(&mut setup.seed),
            behaviour: std::mem::take(&mut setup.behaviour),
        };
        Self::over(LocalKms::open(StoreLocation::Memory, options).unwrap(), &setup)
    }

    /// Starts on a local KMS that is there already, and has drawn the first frame.
    pub fn over(kms: LocalKms, setup: &Setup) -> Self {
        let now: Timestamp = NOW.parse().unwrap();
        let calls = Arc::default();
        let recorder = Recorder { inner: kms.http_client(), calls: Arc::clone(&calls) };
        let session = Session::over_regions(SharedHttpClient::new(recorder), setup.regions)
            .with_calls(CallLog::starting_at(now));
        let (runtime, escapes) =
            runtime_with(session, setup.columns, setup.rows, now, setup.clipboard, setup.describe_rate);
        let runtime = runtime.with_marks(setup.marks.clone());
        let mut explorer = Self { runtime, kms, calls, escapes };
        explorer.runtime.draw().unwrap();
        explorer.runtime.begin();
        explorer
    }

    /// Waits until nothing is under way, and draws.
    pub async fn settle(&mut self) {
        self.runtime.settle().await.unwrap();
    }

    /// Lets time go by, whatever is under way, and draws.
    pub async fn run_for(&mut self, milliseconds: u64) {
        self.runtime.run_for(Duration::from_millis(milliseconds)).await.unwrap();
    }

    /// Presses keys, written as they are typed: `/ord<enter>n`, `<ctrl+r>`, `<lt>` for `<`.
    pub async fn press(&mut self, keys: &str) -> &mut Self {
        self.press_only(keys);
        self.settle().await;
        self
    }

    /// Presses keys and does not wait for what comes of them.
    pub fn press_only(&mut self, keys: &str) {
        for key in keys_of(keys) {
            self.runtime.input(InputEvent::Key(key));
        }
    }

    /// Pastes a text.
    pub async fn paste(&mut self, text: &str) -> &mut Self {
        self.runtime.input(InputEvent::Paste(text.to_owned()));
        self.settle().await;
        self
    }

    /// Another size, without waiting for what is under way.
    pub fn resize_only(&mut self, columns: u16, rows: u16) {
        self.runtime.backend_mut().resize(columns, rows);
        self.runtime.input(InputEvent::Resize { columns, rows });
    }

    /// Another size.
    pub async fn resize(&mut self, columns: u16, rows: u16) -> &mut Self {
        self.resize_only(columns, rows);
        self.settle().await;
        self
    }

    /// The state, to look at.
    pub const fn state(&self) -> &State {
        self.runtime.state()
    }

    /// The screen as text, without blanks at the ends of lines.
    pub fn screen(&self) -> String {
        text_of(self.runtime.backend().buffer())
    }

    /// The screen with its styles.
    pub fn buffer(&self) -> &Buffer {
        self.runtime.backend().buffer()
    }

    /// What stands in an area of the screen, a line each, without blanks at the ends.
    pub fn part(&self, area: ratatui::layout::Rect) -> String {
        let mut part = Buffer::empty(area);
        for position in area.positions() {
            part[position] = self.buffer()[position].clone();
        }
        text_of(&part)
    }

    /// The one line of the screen that has this in it.
    #[track_caller]
    pub fn line(&self, part: &str) -> String {
        let screen = self.screen();
        let found: Vec<&str> = screen.lines().filter(|line| line.contains(part)).collect();
        assert_eq!(found.len(), 1, "{part:?} in {found:?} of\n{screen}");
        found[0].to_owned()
    }

    /// The selected row, without its frame.
    #[track_caller]
    pub fn selected(&self) -> String {
        self.line("│▌").trim_matches(['│', '▌', ' ']).to_owned()
    }

    /// Fails unless the screen has all of these.
    #[track_caller]
    pub fn shows(&self, parts: &[&str]) {
        let screen = self.screen();
        for part in parts {
            assert!(screen.contains(part), "no {part:?} on\n{screen}");
        }
    }

    /// Fails if the screen has any of these.
    #[track_caller]
    pub fn hides(&self, parts: &[&str]) {
        let screen = self.screen();
        for part in parts {
            assert!(!screen.contains(part), "{part:?} on\n{screen}");
        }
    }

    /// The last line: the last word, and the keys.
    pub fn footer(&self) -> String {
        self.screen().lines().last().unwrap_or_default().to_owned()
    }

    /// What the loop was asked to hand on.
    pub fn control(&self) -> Option<Control> {
        self.runtime.control()
    }

    /// Calls that went over the wire, of one operation.
    pub fn calls(&self, operation: &str) -> Vec<serde_json::Value> {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|call| call.operation == operation).map(|call| call.body.clone()).collect()
    }

    /// Every operation that went over the wire, each once, in order.
    pub fn operations(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.calls.lock().unwrap().iter().map(|call| call.operation.clone()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// What the terminal was asked to put on its clipboard (OSC 52), decoded.
    pub fn copied(&self) -> Vec<String> {
        self.escapes.lock().unwrap().iter().map(|escape| decode_osc_52(escape)).collect()
    }
}

/// A loop over a session, and what it wrote to the terminal between frames.
pub fn runtime(
    session: Session,
    columns: u16,
    rows: u16,
    now: Timestamp,
) -> (Runtime<TestBackend>, Arc<Mutex<Vec<String>>>) {
    runtime_with(session, columns, rows, now, "auto", 200)
}

/// The same, copying as this value of `KMX_CLIPBOARD` says, with so many calls of DescribeKey a second.
fn runtime_with(
    session: Session,
    columns: u16,
    rows: u16,
    now: Timestamp,
    clipboard: &'static str,
    describe_rate: u32,
) -> (Runtime<TestBackend>, Arc<Mutex<Vec<String>>>) {
    // As over SSH outside of tmux: a copy is an escape sequence, which can be seen.
    let over_ssh = |name: &str| match name {
        "SSH_TTY" => Some("/dev/pts/0".into()),
        "KMX_CLIPBOARD" => Some(clipboard.into()),
        _ => None,
    };
    let clipboard = Clipboard::new(Surroundings::from_env(over_ssh));
    let (executor, answers) = Executor::new(session, clipboard);
    let executor = executor.describing_at(Rate::new(describe_rate));
    let terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    let escapes = Arc::<Mutex<Vec<String>>>::default();
    let written = Arc::clone(&escapes);
    let write_escape = Box::new(move |escape: &str| {
        written.lock().unwrap().push(escape.to_owned());
        Ok(())
    });
    let runtime = Runtime::new(terminal, Theme::coloured(), executor, answers, now, write_escape).unwrap();
    (runtime, escapes)
}

/// A buffer as text, without blanks at the ends of lines. A wide character covers the cell after it.
pub fn text_of(buffer: &Buffer) -> String {
    let rows = buffer.content.chunks(usize::from(buffer.area.width));
    let lines = rows.map(|row| {
        let mut line = String::new();
        let mut covered = 0;
        for cell in row {
            if covered == 0 {
                line.push_str(cell.symbol());
                covered = kmx::domain::text::width(cell.symbol()).max(1);
            }
            covered -= 1;
        }
        line.trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn decode_osc_52(escape: &str) -> String {
    let body = escape.strip_prefix("\u{1b}]52;c;").expect("an OSC 52 sequence");
    let body = body.trim_end_matches(['\u{7}', '\u{1b}', '\\']);
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(body).unwrap()).unwrap()
}

/// Key events of a text in the notation of [`Explorer::press`].
pub fn keys_of(text: &str) -> Vec<KeyEvent> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if character == '<' {
            let end = rest.find('>').expect("a closing >");
            keys.push(named_key(&rest[1..end]));
            rest = &rest[end + 1..];
        } else {
            keys.push(KeyEvent::new(KeyCode::Char(character), KeyModifiers::NONE));
            rest = &rest[character.len_utf8()..];
        }
    }
    keys
}

fn named_key(name: &str) -> KeyEvent {
    let mut modifiers = KeyModifiers::NONE;
    let mut name = name;
    while let Some((modifier, rest)) = name.split_once('+') {
        modifiers |= match modifier {
            "ctrl" => KeyModifiers::CONTROL,
            "alt" => KeyModifiers::ALT,
            "shift" => KeyModifiers::SHIFT,
            other => panic!("no modifier {other}"),
        };
        name = rest;
    }
    let code = match name {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "home" => KeyCode::Home,
        "end" => KeyCode::End,
        "pgup" => KeyCode::PageUp,
        "pgdn" => KeyCode::PageDown,
        "backspace" => KeyCode::Backspace,
        "delete" => KeyCode::Delete,
        "f1" => KeyCode::F(1),
        "lt" => KeyCode::Char('<'),
        "space" => KeyCode::Char(' '),
        one if one.chars().count() == 1 => KeyCode::Char(one.chars().next().unwrap()),
        other => panic!("no key {other}"),
    };
    KeyEvent::new(code, modifiers)
}

/// A transport that is that one, and what goes over it.
pub fn recorded(inner: SharedHttpClient) -> (SharedHttpClient, Arc<Mutex<Vec<Call>>>) {
    let calls = Arc::default();
    let recorder = Recorder { inner, calls: Arc::clone(&calls) };
    (SharedHttpClient::new(recorder), calls)
}

/// A transport that remembers what went over it.
#[derive(Clone, Debug)]
struct Recorder {
    inner: SharedHttpClient,
    calls: Arc<Mutex<Vec<Call>>>,
}

#[derive(Clone, Debug)]
struct RecordingConnector {
    inner: SharedHttpConnector,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl HttpClient for Recorder {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(RecordingConnector {
            inner: self.inner.http_connector(settings, components),
            calls: Arc::clone(&self.calls),
        })
    }
}

impl HttpConnector for RecordingConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.strip_prefix("TrentService.").unwrap_or(target).to_owned();
        let body = request.body().bytes().and_then(|bytes| serde_json::from_slice(bytes).ok());
        self.calls.lock().unwrap().push(Call { operation, body: body.unwrap_or_default() });
        self.inner.call(request)
    }
}
