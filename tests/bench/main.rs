//! Benches of what a person waits for: `cargo bench`. Figures belong to a report, not to a test.

use std::fmt::Write as _;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use divan::{Bencher, black_box};
use jiff::Timestamp;
use kmx::app::{Message, Now, State, update};
use kmx::domain::catalog::{Catalog, Described, Key, ListedAlias, ListedKey, Remembered, Source};
use kmx::domain::filter::{Filter, Verdict};
use kmx::domain::key::{KeyManager, KeyMetadata, KeyState, KeyUsage};
use kmx::domain::listing::{KeyColumn, Listing, Sort, compare_keys};
use kmx::domain::loading::{List, LoadEvent};
use kmx::domain::place::{Destination, Place};
use kmx::local::{LocalKms, Options, Seed, StoreLocation};
use kmx::view::{Theme, render};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Size;

fn main() {
    divan::main();
}

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
const SCREEN: Size = Size { width: 200, height: 60 };

fn arn(number: usize) -> String {
    format!("arn:aws:kms:us-east-1:111122223333:key/{number:08x}-0000-4000-8000-{number:012x}")
}

fn keys(numbers: std::ops::Range<usize>) -> Vec<ListedKey> {
    let key =
        |number| ListedKey { key_id: arn(number)[43..].trim_start_matches('/').to_owned(), arn: arn(number) };
    numbers.map(key).collect()
}

fn aliases(numbers: std::ops::Range<usize>) -> Vec<ListedAlias> {
    let alias = |number: usize| {
        let mut name = String::from("alias/");
        let _ = write!(name, "team-{:02}/service-{:03}/key-{number}", number % 37, number % 911);
        ListedAlias {
            arn: format!("arn:aws:kms:us-east-1:111122223333:{name}"),
            name,
            target_key_id: Some(keys(number..number + 1).remove(0).key_id),
        }
    };
    numbers.map(alias).collect()
}

fn described(numbers: std::ops::Range<usize>) -> Vec<(String, Described)> {
    let one = |number: usize| {
        let state = KeyState::from(KeyState::KNOWN[if number.is_multiple_of(10) { number % 8 } else { 1 }]);
        let metadata = KeyMetadata {
            arn: Some(arn(number)),
            description: format!("Service {} of team {}", number % 911, number % 37),
            creation_date: Timestamp::new(1_600_000_000 + i64::try_from(number).unwrap_or(0) * 60, 0).ok(),
            key_state: Some(state),
            key_usage: Some(KeyUsage::EncryptDecrypt),
            key_manager: Some(KeyManager::Customer),
            key_spec: Some("SYMMETRIC_DEFAULT".into()),
            ..KeyMetadata::bare("x")
        };
        (arn(number), Described::Known(Box::new(metadata)))
    };
    numbers.map(one).collect()
}

fn now() -> Now {
    Now { wall: Timestamp::UNIX_EPOCH, elapsed: Duration::ZERO }
}

/// An explorer with so many keys, all described.
fn loaded(count: usize) -> State {
    let places = vec![(Destination::default(), Place::local("us-east-1"))];
    let (mut state, first) = State::new(places, SCREEN, now());
    let [kmx::app::Effect::Connect { generation, .. }] = *first else { unreachable!("it connects first") };
    update(&mut state, Message::Connected { generation, place: Place::local("us-east-1") });
    let mut take = |event| update(&mut state, Message::Loaded { generation, event });
    take(LoadEvent::Keys(keys(0..count)));
    take(LoadEvent::Aliases(aliases(0..count)));
    take(LoadEvent::Described(described(0..count)));
    take(LoadEvent::Complete(List::Keys));
    take(LoadEvent::Complete(List::Aliases));
    take(LoadEvent::Finished);
    state
}

fn press(state: &mut State, code: KeyCode) {
    black_box(update(state, Message::Key(KeyEvent::new(code, KeyModifiers::NONE))));
}

/// A frame of the key list, the selection a row further each time.
#[divan::bench(args = SIZES)]
fn frame(bencher: Bencher, count: usize) {
    let mut state = loaded(count);
    let theme = Theme::coloured();
    let mut terminal =
        Terminal::new(TestBackend::new(SCREEN.width, SCREEN.height)).expect("a screen in memory");
    bencher.bench_local(|| {
        press(&mut state, KeyCode::Down);
        terminal.draw(|frame| render(&state, &theme, frame)).expect("a screen in memory");
    });
}

/// A letter typed into the filter, until the new rows are there.
#[divan::bench(args = SIZES)]
fn keystroke_in_the_filter(bencher: Bencher, count: usize) {
    let mut state = loaded(count);
    press(&mut state, KeyCode::Char('/'));
    bencher.bench_local(|| {
        press(&mut state, KeyCode::Char('7'));
        press(&mut state, KeyCode::Backspace);
    });
}

/// A whole filter of terms and words over all keys, typed anew.
#[divan::bench(args = SIZES)]
fn filter(bencher: Bencher, count: usize) {
    let state = loaded(count);
    let filter = Filter::parse("team-07 state:enabled older:1y !spec:rsa", now().wall);
    bencher.bench_local(|| {
        let judge = filter.over(&state.catalog);
        state.catalog.keys().filter(|key| judge.key(key.handle()).0 == Verdict::Yes).count()
    });
}

/// The counts of the overview, and a frame of it.
#[divan::bench(args = SIZES)]
fn overview(bencher: Bencher, count: usize) {
    let mut state = loaded(count);
    press(&mut state, KeyCode::Char('3'));
    let theme = Theme::coloured();
    let mut terminal =
        Terminal::new(TestBackend::new(SCREEN.width, SCREEN.height)).expect("a screen in memory");
    bencher.bench_local(|| terminal.draw(|frame| render(&state, &theme, frame)).map(|_| ()));
}

/// A region written down for the next start.
#[divan::bench(args = SIZES)]
fn remember(bencher: Bencher, count: usize) {
    let state = loaded(count);
    bencher
        .bench_local(|| state.catalog.remember(Source(0), now().wall, state.keys.all(), state.aliases.all()));
}

/// A remembered region on the screen of a new explorer.
#[divan::bench(args = SIZES)]
#[expect(clippy::expect_used, reason = "a bench has nobody to tell")]
fn show_remembered(bencher: Bencher, count: usize) {
    let state = loaded(count);
    let bytes = state.catalog.remember(Source(0), now().wall, state.keys.all(), state.aliases.all());
    bencher.bench_local(|| {
        let remembered = Remembered::read(bytes.clone()).expect("what was written");
        let places = vec![(Destination::default(), Place::local("us-east-1"))];
        let (mut state, first) = State::new(places, SCREEN, now());
        let [kmx::app::Effect::Connect { generation, .. }] = *first else {
            unreachable!("it connects first")
        };
        black_box(update(&mut state, Message::Remembered { generation, remembered }));
        state
    });
}

/// A page of 1,000 descriptions taken in.
#[divan::bench(args = SIZES)]
fn batch_of_1000_descriptions(bencher: Bencher, count: usize) {
    let mut catalog = Catalog::default();
    let _ = catalog.add_keys(Source(0), keys(0..count));
    let _ = catalog.add_aliases(Source(0), aliases(0..count));
    let (filter, sort) = (Filter::default(), Sort::<KeyColumn>::default());
    let mut listing = Listing::default();
    let all: Vec<_> = catalog.keys().map(Key::handle).collect();
    listing.rebuild(
        all.into_iter(),
        |key| filter.over(&catalog).key(key),
        |a, b| compare_keys(&catalog, sort, *a, *b),
    );
    bencher.with_inputs(|| described(0..1_000)).bench_local_values(|batch| {
        let mut changed = Vec::with_capacity(batch.len());
        for (arn, described) in batch {
            changed.extend(catalog.describe(&arn, described).keys);
        }
        listing.apply(
            &changed,
            |key| catalog.key(key).is_some(),
            |key| filter.over(&catalog).key(key),
            |a, b| compare_keys(&catalog, sort, *a, *b),
        );
    });
}

/// Sorting by another column.
#[divan::bench(args = SIZES)]
fn sort(bencher: Bencher, count: usize) {
    let mut state = loaded(count);
    bencher.bench_local(|| {
        press(&mut state, KeyCode::Char('s'));
        press(&mut state, KeyCode::Char('c'));
    });
}

/// A new store of the local KMS in a file, filled with keys made up from a seed.
#[divan::bench(args = [1_000, 10_000, 100_000], sample_count = 3, sample_size = 1)]
#[expect(clippy::expect_used, reason = "a bench has nobody to tell")]
fn seeding(bencher: Bencher, keys: u32) {
    bencher.with_inputs(|| tempfile::tempdir().expect("a folder for a while")).bench_local_refs(|folder| {
        let location = StoreLocation::File(folder.path().join("kms.redb"));
        let options = Options { seed: Seed::Generated { keys, seed: 1 }, ..Options::default() };
        LocalKms::open(location, options).expect("a new store")
    });
}
