//! Reading a catalog: its pace, its quotas shared with others, pauses, going on where it broke off,
//! and everything going wrong at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use kmx::domain::catalog::Described;
use kmx::domain::failure::{Failure, FailureKind};
use kmx::domain::loading::{List, LoadEvent, Part};
use kmx::domain::place::Place;
use kmx::domain::scan::{Finding, ScanEvent, ScanKind};
use kmx::kms::loader::{self, Control, Progress, Rate};
use kmx::kms::{Clients, local_clients, scanner};
use kmx::local::{Behaviour, Clock, Fault, LocalKms, Options, Randomness, Seed, StoreLocation};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::browse::many_keys;
use crate::harness::{Call, NOW, always, first, recorded, rules};

/// A local KMS with clients, and what goes over the wire.
struct Account {
    kms: LocalKms,
    clients: Clients,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Account {
    fn new(seed: impl Into<Seed>, behaviour: Behaviour) -> Self {
        let now: Timestamp = NOW.parse().unwrap();
        let options = Options {
            clock: Clock::fixed(now),
            randomness: Randomness::deterministic(7),
            seed: seed.into(),
            behaviour,
        };
        let kms = LocalKms::open(StoreLocation::Memory, options).unwrap();
        let (transport, calls) = recorded(kms.http_client());
        let clients = local_clients(transport, Place::local("us-east-1"));
        Self { kms, clients, calls }
    }

    fn load(&self, rate: Rate, progress: &Progress) -> Loading {
        let (sender, events) = mpsc::channel(8);
        let (controls, orders) = mpsc::unbounded_channel();
        let load = loader::load(self.clients.clone(), rate, progress.clone(), sender, orders);
        Loading { events, controls, task: tokio::spawn(load), read: Read::default() }
    }

    /// Reads everything at a rate.
    async fn read(&self, rate: Rate) -> Read {
        self.load(rate, &Progress::default()).finish().await
    }

    /// The key ids of the calls of an operation about keys, in order.
    fn asked(&self, operation: &str) -> Vec<String> {
        let calls = self.calls.lock().unwrap();
        let of_it = calls.iter().filter(|call| call.operation == operation);
        of_it.map(|call| call.body["KeyId"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

/// A load under way.
struct Loading {
    events: mpsc::Receiver<LoadEvent>,
    controls: mpsc::UnboundedSender<Control>,
    task: tokio::task::JoinHandle<()>,
    read: Read,
}

/// What a load has told.
#[derive(Debug, Default)]
struct Read {
    keys: Vec<String>,
    aliases: BTreeSet<String>,
    described: BTreeMap<String, Described>,
    /// Answers for keys that had one.
    twice: usize,
    complete: Vec<List>,
    failed: Vec<(Part, Failure)>,
    retrying: Vec<Failure>,
    paces: Vec<u32>,
    finished: bool,
}

impl Read {
    fn take(&mut self, event: LoadEvent) {
        match event {
            LoadEvent::Keys(page) => self.keys.extend(page.into_iter().map(|key| key.arn)),
            LoadEvent::Aliases(page) => self.aliases.extend(page.into_iter().map(|alias| alias.name)),
            LoadEvent::Described(answers) => {
                for (arn, described) in answers {
                    self.twice += usize::from(self.described.insert(arn, described).is_some());
                }
            }
            LoadEvent::Complete(list) => self.complete.push(list),
            LoadEvent::Failed(part, failure) => self.failed.push((part, failure)),
            LoadEvent::Retrying(_, failure) => self.retrying.push(failure),
            LoadEvent::Recovered(_) => {}
            LoadEvent::Pace(pace) => self.paces.push(pace),
            LoadEvent::Finished => self.finished = true,
        }
    }

    fn refused(&self) -> impl Iterator<Item = &Failure> {
        self.described.values().filter_map(|described| match described {
            Described::Refused(failure) => Some(&**failure),
            Described::Known(_) => None,
        })
    }

    /// Fails unless every key was told once, and what it is told once.
    #[track_caller]
    fn is_whole(&self, keys: usize) {
        assert!(self.finished && self.failed.is_empty(), "{:?}", self.failed);
        assert_eq!(self.keys.len(), keys);
        assert_eq!(self.described.len(), keys);
        assert_eq!(self.twice, 0);
        assert!(self.keys.iter().all(|arn| self.described.contains_key(arn)));
        assert_eq!(self.complete.len(), 2);
    }
}

impl Loading {
    /// Takes in what comes until nothing is left to do.
    async fn finish(mut self) -> Read {
        while !self.read.finished {
            self.read.take(self.events.recv().await.unwrap());
        }
        self.task.await.unwrap();
        self.read
    }

    /// Takes in what comes in so much time.
    async fn run_for(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while let Ok(event) = tokio::time::timeout_at(end, self.events.recv()).await {
            self.read.take(event.unwrap());
        }
    }
}

fn generated(keys: u32) -> Seed {
    Seed::Generated { keys, seed: 11 }
}

fn limited(rate: &str, latency: Duration) -> Behaviour {
    Behaviour { latency, rates: vec![rate.parse().unwrap()], ..Behaviour::default() }
}

fn arn(number: usize) -> String {
    format!("arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-{number:012x}")
}

const MILLISECOND: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn as_fast_as_the_service_lets_comes_near_its_limit_and_wastes_few_calls() {
    let account = Account::new(generated(10_000), limited("DescribeKey=2000", 20 * MILLISECOND));
    let start = Instant::now();
    let read = account.read(Rate::new(0)).await;
    let (took, calls) = (start.elapsed(), account.asked("DescribeKey").len());
    read.is_whole(10_000);
    assert!(read.retrying.is_empty(), "{:?}", read.retrying);
    assert!(took <= Duration::from_millis(5_800), "{took:?}, {calls} calls");
    assert!(calls <= 11_000, "{calls} calls in {took:?}");
    let last = *read.paces.last().unwrap();
    assert!((1_700..=2_200).contains(&last), "{:?}", read.paces);
}

#[tokio::test(start_paused = true)]
async fn a_limit_below_the_rate_is_found_and_kept() {
    let account = Account::new(many_keys(500), limited("DescribeKey=50", Duration::ZERO));
    let start = Instant::now();
    let read = account.read(Rate::default()).await;
    let (took, calls) = (start.elapsed(), account.asked("DescribeKey").len());
    read.is_whole(500);
    assert!(read.retrying.is_empty(), "{:?}", read.retrying);
    assert!(took <= Duration::from_millis(11_500), "{took:?}, {calls} calls");
    assert!(calls <= 750, "{calls} calls in {took:?}");
}

#[tokio::test(start_paused = true)]
async fn two_that_share_a_quota_use_it_up_and_neither_starves() {
    let account = Account::new(many_keys(500), limited("DescribeKey=50", 20 * MILLISECOND));
    let start = Instant::now();
    let (one, other) = tokio::join!(account.read(Rate::default()), account.read(Rate::default()));
    let (took, calls) = (start.elapsed(), account.asked("DescribeKey").len());
    one.is_whole(500);
    other.is_whole(500);
    assert!(one.retrying.is_empty() && other.retrying.is_empty());
    assert!(took <= Duration::from_secs(24), "{took:?}, {calls} calls");
    assert!(calls <= 1_400, "{calls} calls in {took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rate_of_ones_own_is_kept_with_a_burst_for_the_screen() {
    let account = Account::new(many_keys(700), limited("DescribeKey=100000", 20 * MILLISECOND));
    let start = Instant::now();
    account.read(Rate::default()).await.is_whole(700);
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(2_900) && took <= Duration::from_millis(3_200), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn everything_that_can_go_wrong_leaves_a_whole_and_true_catalog() {
    const KEYS: usize = 1_000;
    let behaviour = Behaviour {
        latency: 20 * MILLISECOND,
        // A tenth of the budget.
        rates: vec!["DescribeKey=20".parse().unwrap()],
        denials: vec!["DescribeKey=5%".parse().unwrap()],
        odds: "500=8%,reset=8%,throttle=8%,truncate=8%,hang=8%".parse().unwrap(),
        seed: 3,
        ..Behaviour::default()
    };
    let truth = Account::new(
        many_keys(KEYS),
        Behaviour { odds: kmx::local::Odds::default(), rates: Vec::new(), ..behaviour.clone() },
    )
    .read(Rate::new(0))
    .await;
    let account = Account::new(many_keys(KEYS), behaviour);
    let start = Instant::now();
    let progress = Progress::default();
    let mut read = account.load(Rate::default(), &progress).finish().await;
    // A host whose very first answers are unreadable is taken for the wrong one: a person goes on.
    let mut went_on = 0;
    while !std::mem::take(&mut read.failed).is_empty() {
        went_on += 1;
        assert!(went_on <= 3);
        read.finished = false;
        read = Loading { read, ..account.load(Rate::default(), &progress) }.finish().await;
    }
    let took = start.elapsed();
    read.is_whole(KEYS);
    assert_eq!(read.aliases.len(), truth.aliases.len());
    assert_eq!(read.described.keys().collect::<Vec<_>>(), truth.described.keys().collect::<Vec<_>>());
    for (arn, described) in &read.described {
        match (described, &truth.described[arn]) {
            (Described::Known(known), Described::Known(truth)) => assert_eq!(known, truth),
            (Described::Refused(refusal), Described::Refused(_)) => {
                assert_eq!(refusal.kind, FailureKind::NotAllowed);
                assert!(refusal.sentence.ends_with(arn), "{refusal}");
            }
            _ => panic!("{arn}: {described:?}"),
        }
    }
    let refused = read.refused().count();
    assert!((20..=90).contains(&refused), "{refused} of {KEYS}");
    // Of 20 a second three fifths are answers: 83 s if nothing were ever throttled or hung.
    assert!(took <= Duration::from_secs(250), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn no_key_is_described_twice_where_nothing_goes_wrong() {
    let account = Account::new(many_keys(1_203), Behaviour::default());
    account.read(Rate::new(0)).await.is_whole(1_203);
    let asked = account.asked("DescribeKey");
    assert_eq!(asked.len(), 1_203);
    assert_eq!(asked.iter().collect::<BTreeSet<_>>().len(), 1_203);
}

#[tokio::test(start_paused = true)]
async fn a_pause_stops_all_but_what_is_on_the_screen() {
    let account = Account::new(many_keys(1_000), limited("DescribeKey=100000", 20 * MILLISECOND));
    let mut loading = account.load(Rate::default(), &Progress::default());
    loading.run_for(1_000 * MILLISECOND).await;
    loading.controls.send(Control::Pause).unwrap();
    loading.run_for(100 * MILLISECOND).await;
    let at_rest = loading.read.described.len();
    assert!((100..500).contains(&at_rest), "{at_rest}");
    loading.run_for(Duration::from_mins(10)).await;
    assert_eq!(loading.read.described.len(), at_rest);
    // The lists are read on all the same.
    assert_eq!(loading.read.complete.len(), 2);
    let shown: Vec<String> = (900..940).map(arn).collect();
    loading.controls.send(Control::Want(shown.clone())).unwrap();
    loading.run_for(100 * MILLISECOND).await;
    assert!(shown.iter().all(|arn| loading.read.described.contains_key(arn)));
    loading.run_for(Duration::from_mins(10)).await;
    assert_eq!(loading.read.described.len(), at_rest + shown.len());
    loading.controls.send(Control::Resume).unwrap();
    loading.finish().await.is_whole(1_000);
    assert_eq!(account.asked("DescribeKey").len(), 1_000);
}

#[tokio::test(start_paused = true)]
async fn what_is_on_the_screen_goes_first_also_where_the_list_has_yet_to_bring_it() {
    let account = Account::new(many_keys(2_500), limited("DescribeKey=100000", 20 * MILLISECOND));
    let loading = account.load(Rate::default(), &Progress::default());
    // On the third page.
    loading.controls.send(Control::Want((2_400..2_440).map(arn).collect())).unwrap();
    loading.finish().await.is_whole(2_500);
    let asked = account.asked("DescribeKey");
    let last = asked.iter().rposition(|asked| (2_400..2_440).any(|number| *asked == arn(number)));
    assert!(last.unwrap() < 250, "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn a_key_on_the_screen_that_breaks_is_asked_for_again_during_a_pause() {
    let account = Account::new(many_keys(200), rules(vec![first(3, "DescribeKey", Fault::Internal)]));
    let mut loading = account.load(Rate::default(), &Progress::default());
    loading.controls.send(Control::Pause).unwrap();
    loading.controls.send(Control::Want(vec![arn(7)])).unwrap();
    loading.run_for(Duration::from_secs(30)).await;
    assert_eq!(loading.read.described.keys().collect::<Vec<_>>(), [&arn(7)]);
    assert_eq!(account.asked("DescribeKey").len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_broke_off_goes_on_from_its_page_and_no_key_is_described_again() {
    let account =
        Account::new(many_keys(3_000), Behaviour { latency: 100 * MILLISECOND, ..Behaviour::default() });
    let progress = Progress::default();
    let mut loading = account.load(Rate::new(0), &progress);
    loading.run_for(150 * MILLISECOND).await;
    // The second page is under way, the third is refused.
    account.kms.set_behaviour(rules(vec![always("ListKeys", None, Fault::Deny)]));
    let broken = loading.finish().await;
    assert_eq!(broken.failed.len(), 1);
    assert_eq!((broken.keys.len(), broken.described.len()), (2_000, 2_000));
    assert_eq!(broken.complete, [List::Aliases]);
    account.kms.set_behaviour(Behaviour::default());
    let rest = account.load(Rate::new(0), &progress).finish().await;
    assert_eq!((rest.keys.len(), rest.described.len()), (1_000, 1_000));
    assert_eq!(rest.complete, [List::Keys]);
    assert!(rest.aliases.is_empty(), "they were told");
    let asked = account.asked("DescribeKey");
    assert_eq!(asked.len(), 3_000);
    assert_eq!(account.asked("ListKeys").len(), 4);
    // A new reading brings everything anew.
    account.read(Rate::new(0)).await.is_whole(3_000);
}

#[tokio::test(start_paused = true)]
async fn describing_that_broke_off_goes_on_with_what_is_left() {
    let account =
        Account::new(many_keys(1_000), Behaviour { latency: 20 * MILLISECOND, ..Behaviour::default() });
    let progress = Progress::default();
    let mut loading = account.load(Rate::default(), &progress);
    loading.run_for(1_000 * MILLISECOND).await;
    let body = json!({"__type": "ExpiredTokenException", "message": "expired"}).to_string();
    account.kms.set_behaviour(rules(vec![always("DescribeKey", None, Fault::Body { status: 400, body })]));
    let broken = loading.finish().await;
    assert_eq!(broken.failed[0].0, Part::Descriptions);
    let told = broken.described.len();
    assert!((100..500).contains(&told), "{told}");
    account.kms.set_behaviour(Behaviour::default());
    let rest = account.load(Rate::default(), &progress).finish().await;
    assert_eq!(rest.described.len(), 1_000 - told);
    assert!(broken.described.keys().all(|arn| !rest.described.contains_key(arn)));
}

#[tokio::test(start_paused = true)]
async fn a_marker_that_is_no_good_any_more_starts_its_list_again() {
    let account =
        Account::new(many_keys(2_500), Behaviour { latency: 100 * MILLISECOND, ..Behaviour::default() });
    let mut loading = account.load(Rate::new(0), &Progress::default());
    loading.run_for(150 * MILLISECOND).await;
    let body = json!({"__type": "InvalidMarkerException", "message": "no"}).to_string();
    account.kms.set_behaviour(rules(vec![first(1, "ListKeys", Fault::Body { status: 400, body })]));
    let read = loading.finish().await;
    assert!(read.failed.is_empty(), "{:?}", read.failed);
    assert_eq!(read.keys.iter().collect::<BTreeSet<_>>().len(), 2_500);
    assert_eq!((read.described.len(), read.twice), (2_500, 0));
}

#[tokio::test(start_paused = true)]
async fn a_load_that_is_dropped_calls_nothing_more() {
    let account =
        Account::new(many_keys(1_000), Behaviour { latency: 20 * MILLISECOND, ..Behaviour::default() });
    let mut loading = account.load(Rate::default(), &Progress::default());
    loading.run_for(500 * MILLISECOND).await;
    loading.task.abort();
    let calls = account.asked("DescribeKey").len();
    tokio::time::advance(Duration::from_mins(1)).await;
    tokio::task::yield_now().await;
    assert_eq!(account.asked("DescribeKey").len(), calls);
}

/// What a scan of keys finds; each key once.
async fn scanned(
    account: &Account,
    kind: ScanKind,
    arns: &[String],
    rate: Rate,
) -> BTreeMap<String, Finding> {
    let (sender, mut events) = mpsc::channel(8);
    let scan = tokio::spawn(scanner::scan(account.clients.clone(), kind, arns.to_vec(), rate, sender));
    let mut findings = BTreeMap::new();
    loop {
        match events.recv().await.unwrap() {
            ScanEvent::Found(page) => {
                for (arn, finding) in page {
                    assert!(findings.insert(arn, finding).is_none());
                }
            }
            ScanEvent::Finished => break,
            ScanEvent::Retrying(_) | ScanEvent::Recovered => {}
            ScanEvent::Failed(failure) => panic!("{failure}"),
        }
    }
    scan.await.unwrap();
    assert_eq!(findings.len(), arns.len());
    findings
}

#[tokio::test(start_paused = true)]
async fn scans_find_what_is_true_within_the_quota() {
    let limits = ["GetKeyRotationStatus=1000", "ListResourceTags=2000", "GetKeyLastUsage=5"];
    let rates = limits.map(|limit| limit.parse().unwrap()).to_vec();
    let account = Account::new(Seed::default(), Behaviour { rates, ..Behaviour::default() });
    let arns = account.read(Rate::new(0)).await.keys;
    let rotation = scanned(&account, ScanKind::Rotation, &arns, Rate::default()).await;
    let is_on =
        |finding: &&Finding| matches!(finding, Finding::Rotation { enabled: true, next: Some(_), .. });
    let is_off = |finding: &&Finding| matches!(finding, Finding::Rotation { enabled: false, next: None, .. });
    assert!(rotation.values().any(|finding| is_on(&finding)));
    assert!(rotation.values().any(|finding| is_off(&finding)));
    let tags = scanned(&account, ScanKind::Tags, &arns, Rate::default()).await;
    assert!(tags.values().any(|finding| matches!(finding, Finding::Tags(tags) if !tags.is_empty())));
    let start = Instant::now();
    let uses = scanned(&account, ScanKind::LastUse, &arns, Rate::new(0)).await;
    assert!(uses.values().all(|finding| matches!(finding, Finding::Used { .. } | Finding::Unused { .. })));
    // Four a second, and never one too many.
    let estimate = ScanKind::LastUse.estimate(arns.len(), None);
    assert_eq!(account.asked("GetKeyLastUsage").len(), arns.len());
    let took = start.elapsed();
    assert!(took + Duration::from_secs(2) > estimate.time && took <= estimate.time, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_scan_that_is_refused_says_so_key_by_key_and_what_breaks_is_asked_again() {
    let account = Account::new(many_keys(200), Behaviour::default());
    account.kms.set_behaviour(Behaviour {
        denials: vec!["ListResourceTags=10%".parse().unwrap()],
        odds: "500=10%,throttle=10%,reset=10%".parse().unwrap(),
        ..Behaviour::default()
    });
    let arns: Vec<String> = (0..200).map(arn).collect();
    let findings = scanned(&account, ScanKind::Tags, &arns, Rate::default()).await;
    let refused = findings.values().filter(|finding| matches!(finding, Finding::Refused(_))).count();
    let read = findings.values().filter(|finding| matches!(finding, Finding::Tags(_))).count();
    assert!((5..=45).contains(&refused), "{refused}");
    assert_eq!(refused + read, 200);
}

#[tokio::test(start_paused = true)]
async fn a_scan_that_is_dropped_calls_nothing_more() {
    let account = Account::new(many_keys(200), Behaviour::default());
    let (sender, _events) = mpsc::channel(64);
    let arns = (0..200).map(arn).collect();
    let scan = scanner::scan(account.clients.clone(), ScanKind::LastUse, arns, Rate::default(), sender);
    assert!(tokio::time::timeout(Duration::from_secs(5), scan).await.is_err());
    let calls = account.asked("GetKeyLastUsage").len();
    assert!((15..=25).contains(&calls), "{calls}");
    tokio::time::advance(Duration::from_mins(1)).await;
    assert_eq!(account.asked("GetKeyLastUsage").len(), calls);
}
