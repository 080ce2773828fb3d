//! Scans in the explorer: what one costs is said first, nothing is called before a person agrees, it
//! stops when it is told to, and what it found shows, sorts and filters.

use std::time::Duration;

use kmx::local::{Behaviour, Fault, Rate};

use crate::browse::many_keys;
use crate::harness::{Explorer, ORDERS, Setup, always, rules};

impl Explorer {
    /// How many rows the list has.
    #[track_caller]
    fn shown(&self) -> usize {
        let screen = self.screen();
        let bottom = screen.lines().rev().find(|line| line.starts_with('╰')).unwrap();
        let position = bottom.rsplit_once(" of ").map(|(_, rows)| rows);
        let digits = position.map(|rows| rows.chars().take_while(char::is_ascii_digit).collect::<String>());
        digits.map_or(0, |digits| digits.parse().unwrap())
    }
}

#[tokio::test(start_paused = true)]
async fn a_scan_says_what_it_costs_and_calls_nothing_before_a_person_agrees() {
    let mut explorer = Explorer::start().await;
    explorer.press("x").await.shows(&["rotation  GetKeyRotationStatus", "over the 44 rows shown"]);
    explorer.press("r").await;
    explorer.shows(&["rotation of 44 keys: 44 calls of GetKeyRotationStatus, about 1 s at 200 a second"]);
    explorer.press("<esc>").await.hides(&["GetKeyRotationStatus", "ROTATION"]);
    assert!(explorer.calls("GetKeyRotationStatus").is_empty());

    explorer.press("xr<enter>").await.shows(&["✓ rotation of 44 keys read", "ROTATION"]);
    assert_eq!(explorer.calls("GetKeyRotationStatus").len(), 44, "each key once");
    let orders = explorer.line("alias/demo/orders ");
    assert!(orders.contains("on 365 d"), "{orders}");
    explorer.press("xr").await.shows(&["44 of them were read before, and are read again"]);
}

#[tokio::test(start_paused = true)]
async fn only_the_rows_shown_are_scanned_and_those_that_the_filter_cannot_judge_before() {
    let mut explorer = Explorer::start().await;
    explorer.press("/payments<enter>").await;
    let shown = explorer.shown();
    explorer.press("xt<enter>").await.shows(&["TAGS", "owner=payments"]);
    assert_eq!(explorer.calls("ListResourceTags").len(), shown);

    explorer.press("<esc>/tag:owner=ops<enter>").await;
    let open = 44 - shown;
    explorer.shows(&[&format!("{open} not read yet")]);
    explorer.shows(&[&format!("{open} keys are not read yet"), "x scans: a call a key reads tags"]);
    explorer.press("xt").await;
    explorer.shows(&[&format!("{open} of them are not on the screen: the filter can tell only when")]);
    explorer.press("<enter>").await.hides(&["not read yet"]);
    let shown = explorer.shown();
    explorer.press("<esc>/tag:owner=platform<enter>").await.shows(&["owner=platform  +"]);
    assert_ne!(explorer.shown(), shown, "nothing is called for another value");
    assert_eq!(explorer.calls("ListResourceTags").len(), 44);
}

#[tokio::test(start_paused = true)]
async fn what_was_found_filters_sorts_and_is_found_by_words() {
    let mut explorer = Explorer::start().await;
    explorer.press("xt<enter>").await.press("xr<enter>").await.press("xl<enter>").await;
    explorer.press("/rotation:on tag:owner=orders<enter>").await.shows(&["alias/demo/orders"]);
    explorer.hides(&["not read yet"]);
    explorer.press("<esc>/fraud owner<enter>").await;
    assert!(explorer.shown() > 0, "words match tags");
    explorer.press("<esc>/rotation:on<enter>").await;
    let on = explorer.shown();
    explorer.press("<esc>/rotation:off,none<enter>").await;
    assert_eq!(on + explorer.shown(), 44);
    explorer.press("<esc>se").await;
    let (first, last) = (explorer.selected(), explorer.press("G").await.selected());
    assert!(first.contains(" off "), "{first}");
    assert!(!last.contains(" off ") && !last.contains(" on "), "{last}");
    explorer.resize(80, 24).await.shows(&["ROTATION"]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_is_counted_and_says_so_in_its_row() {
    let refused = rules(vec![always("GetKeyRotationStatus", Some(ORDERS), Fault::Deny)]);
    let mut explorer = Explorer::start_with(Setup { behaviour: refused, ..Setup::default() }).await;
    explorer.press("xr<enter>").await.shows(&["rotation of 44 keys read, 1 of them refused"]);
    let orders = explorer.line("alias/demo/orders ");
    assert!(orders.contains("no access"), "{orders}");
    explorer.press("/rotation:denied<enter>").await;
    assert_eq!(explorer.shown(), 1);
}

#[tokio::test(start_paused = true)]
async fn last_use_keeps_below_its_quota_and_shows_how_it_goes() {
    let quota = Rate { operation: "GetKeyLastUsage".into(), per_second: 5 };
    let behaviour = Behaviour { rates: vec![quota], ..Behaviour::default() };
    let setup = Setup { behaviour, seed: many_keys(60).into(), ..Setup::default() };
    let mut explorer = Explorer::start_with(setup).await;
    explorer.press("xl").await;
    explorer.shows(&[
        "last use of 60 keys: 60 calls of GetKeyLastUsage, about 15 s at 4 a second",
        "the whole account has 5 calls of GetKeyLastUsage a second",
    ]);
    explorer.press_only("<enter>");
    explorer.run_for(5_000).await;
    let title = explorer.line("X stops");
    assert!(title.contains("scan: last use 2") && title.contains("of 60, about "), "{title}");
    let made = explorer.calls("GetKeyLastUsage").len();
    assert!((15..=24).contains(&made), "{made} calls in 5 s at 4 a second");
    explorer.settle().await;
    explorer.shows(&["✓ last use of 60 keys read", "never"]);
    assert_eq!(explorer.calls("GetKeyLastUsage").len(), 60, "none was throttled");
}

#[tokio::test(start_paused = true)]
async fn a_scan_is_stopped_by_its_own_key_and_what_was_found_stays() {
    let setup = Setup { seed: many_keys(60).into(), ..Setup::default() };
    let mut explorer = Explorer::start_with(setup).await;
    explorer.press_only("xl<enter>");
    explorer.run_for(5_000).await;
    explorer.press_only("<esc>");
    explorer.run_for(1_000).await;
    explorer.shows(&["X stops"]);
    explorer.press_only("xl");
    explorer.run_for(10).await;
    explorer.shows(&["last use is being read already; X stops it"]);
    explorer.press_only("X");
    explorer.settle().await;
    let made = explorer.calls("GetKeyLastUsage").len();
    assert!(made < 40, "{made}");
    explorer.shows(&["last use stopped after", "never"]);
    explorer.hides(&["X stops"]);
    explorer.press("X").await.shows(&["no scan is under way; x begins one"]);
    assert_eq!(explorer.calls("GetKeyLastUsage").len(), made, "nothing is called after that");
}

#[tokio::test(start_paused = true)]
async fn a_reload_stops_a_scan() {
    let setup = Setup { seed: many_keys(60).into(), ..Setup::default() };
    let mut explorer = Explorer::start_with(setup).await;
    explorer.press_only("xl<enter>");
    explorer.run_for(2_000).await;
    explorer.press("r").await.hides(&["X stops"]);
    assert!(explorer.calls("GetKeyLastUsage").len() < 60);
}

#[tokio::test(start_paused = true)]
async fn a_transient_failure_is_waited_out_and_loses_no_key() {
    let breaks = Fault::Throttle;
    let rule = kmx::local::Rule {
        operation: Some("ListResourceTags".into()),
        key_id: None,
        times: Some(7),
        fault: breaks,
    };
    let slow = always("ListResourceTags", None, Fault::Latency(Duration::from_millis(20)));
    let behaviour = rules(vec![slow, rule]);
    let mut explorer = Explorer::start_with(Setup { behaviour, ..Setup::default() }).await;
    explorer.press("xt<enter>").await.shows(&["✓ tags of 44 keys read"]);
}
