//! Browsing: rows as they come, filter, sort, moving, narrow screens.

use kmx::local::{Behaviour, Fault};
use kmx::tui::runtime::Control;

use crate::harness::{Explorer, ORDERS, Setup, always, rules};

#[tokio::test(start_paused = true)]
async fn the_demo_shows_its_keys_with_every_state() {
    let explorer = Explorer::start().await;
    explorer.shows(&[
        "LOCAL KMS – not AWS",
        "111122223333",
        "us-east-1",
        "● Enabled",
        "○ Disabled",
        "✕ Deletes in 6 d",
        "✕ Awaits replicas",
        "◇ Pending import",
        "◌ Creating",
        "alias/demo/orders",
    ]);
    assert_eq!(explorer.operations(), ["DescribeKey", "ListAliases", "ListKeys"]);
}

#[tokio::test(start_paused = true)]
async fn the_first_frame_comes_before_anything_else() {
    let explorer = Explorer::unsettled(Setup::default());
    explorer.shows(&["[1 Keys]", "opening the local KMS"]);
    assert!(explorer.operations().is_empty());
}

#[tokio::test(start_paused = true)]
async fn rows_come_before_their_states_and_nothing_jumps() {
    let slow = rules(vec![always("DescribeKey", None, Fault::Latency(std::time::Duration::from_secs(1)))]);
    let mut explorer = Explorer::unsettled(Setup { behaviour: slow, ..Setup::default() });
    explorer.run_for(500).await;
    let before = explorer.line("alias/demo/orders");
    assert!(before.contains("· · ·") && before.contains("·····"), "{before}");
    explorer.shows(&["0 of 44 described"]);
    explorer.settle().await;
    let after = explorer.line("alias/demo/orders");
    assert!(after.contains("● Enabled"), "{after}");
    let column = |line: &str| line.split("alias/demo/orders").next().map(|before| before.chars().count());
    assert_eq!(column(&before), column(&after));
    explorer.shows(&["44 keys"]);
}

#[tokio::test(start_paused = true)]
async fn rows_on_the_screen_are_described_first() {
    let slow = rules(vec![always("DescribeKey", None, Fault::Latency(std::time::Duration::from_secs(1)))]);
    let setup = Setup { behaviour: slow, rows: 12, seed: many_keys(300).into(), ..Setup::default() };
    let mut explorer = Explorer::unsettled(setup);
    explorer.run_for(10).await;
    // 32 calls are under way; what is on the screen now goes before the 268 others.
    explorer.press_only("G");
    explorer.run_for(2_050).await;
    explorer.shows(&["64 of 300 described", "alias/many/0299"]);
    explorer.hides(&["· · ·"]);
}

#[tokio::test(start_paused = true)]
async fn a_filter_acts_while_it_is_typed_and_says_what_it_hides() {
    let mut explorer = Explorer::start().await;
    explorer.press("/demo").await;
    explorer.shows(&["/demo▏", " of 44 "]);
    assert!(explorer.selected().contains("alias/demo/crm"), "{}", explorer.selected());
    explorer.press(" orders").await;
    assert!(explorer.selected().contains("alias/demo/orders"));
    // `q` is text here, and `Esc` clears.
    explorer.press("q").await;
    explorer.shows(&["no keys match the filter", "/demo ordersq"]);
    explorer.press("<esc>").await;
    explorer.hides(&["/demo orders"]);
    explorer.shows(&["1 of 44"]);
    assert_eq!(explorer.control(), None);
}

#[tokio::test(start_paused = true)]
async fn a_filter_by_state_knows_denied_keys_too() {
    let denied = rules(vec![always("DescribeKey", Some(ORDERS), Fault::Deny)]);
    let mut explorer = Explorer::start_with(Setup { behaviour: denied, ..Setup::default() }).await;
    explorer.press("/state:denied<enter>").await;
    let row = explorer.selected();
    assert!(row.contains("⊘ no access") && row.contains("alias/demo/orders"), "{row}");
    explorer.shows(&["1 of 44", "44 keys"]);
    explorer.press("<esc>/state:disabled<enter>").await;
    assert!(explorer.selected().contains("○ Disabled"));
    explorer.hides(&["● Enabled"]);
}

#[tokio::test(start_paused = true)]
async fn the_alias_that_matched_is_shown_and_sent() {
    let mut explorer = Explorer::start().await;
    explorer.press("<tab>").await;
    explorer.shows(&["[2 Aliases]"]);
    explorer.press("1/prod/pan<enter>").await;
    let row = explorer.selected();
    assert!(row.contains("alias/payments/prod/pan") && row.contains("+2"), "{row}");
    explorer.press("n").await;
    explorer.shows(&["\"KeyId\": \"alias/payments/prod/pan\""]);
    explorer.press("<esc><esc>/ef6381bb<enter>n").await;
    explorer.shows(&["\"KeyId\": \"alias/payments/prod/card-vault\""]);
}

#[tokio::test(start_paused = true)]
async fn sorting_shows_its_column_and_keeps_the_selection() {
    let mut explorer = Explorer::start().await;
    explorer.shows(&["ALIAS ▲"]);
    explorer.press("jjj").await;
    let before = explorer.selected();
    let name = before.split_whitespace().find(|word| word.contains('/')).unwrap().to_owned();
    explorer.press("s").await;
    explorer.shows(&["Sort by", "s state", "a alias ▲"]);
    explorer.press("s").await;
    explorer.shows(&["STATE ▲"]);
    assert!(explorer.selected().contains(&name), "{}", explorer.selected());
    explorer.press("S").await;
    explorer.shows(&["STATE ▼"]);
    assert!(explorer.selected().contains(&name));
    explorer.press("s<esc>").await;
    explorer.hides(&["Sort by"]);
    explorer.shows(&["STATE ▼"]);
}

#[tokio::test(start_paused = true)]
async fn moving_goes_to_both_ends_and_no_further() {
    let mut explorer = Explorer::start_with(Setup { rows: 20, ..Setup::default() }).await;
    let top = explorer.selected();
    explorer.press("kk<up><pgup>").await;
    assert_eq!(explorer.selected(), top);
    explorer.press("j").await;
    let second = explorer.selected();
    assert_ne!(second, top);
    explorer.press("G").await;
    let last = explorer.selected();
    explorer.press("j<pgdn><down><ctrl+d>").await;
    assert_eq!(explorer.selected(), last);
    explorer.press("<home>j").await;
    assert_eq!(explorer.selected(), second);
}

#[tokio::test(start_paused = true)]
async fn a_reload_keeps_the_selection_and_reads_everything_again() {
    let mut explorer = Explorer::start().await;
    explorer.press("jjjj").await;
    let before = explorer.selected();
    let calls = explorer.calls("ListKeys").len();
    explorer.press("r").await;
    assert_eq!(explorer.selected(), before);
    assert_eq!(explorer.calls("ListKeys").len(), calls * 2);
    assert_eq!(explorer.calls("DescribeKey").len(), 88);
}

#[tokio::test(start_paused = true)]
async fn every_page_is_read_to_the_last() {
    let keyring = many_keys(1_203);
    let mut explorer = Explorer::start_with(Setup { seed: keyring.into(), ..Setup::default() }).await;
    explorer.shows(&["1,203 keys"]);
    assert_eq!(explorer.calls("ListKeys").len(), 2);
    assert_eq!(explorer.calls("ListAliases").len(), 13);
    explorer.press("G").await;
    assert!(explorer.selected().contains("alias/many/1202"), "{}", explorer.selected());
    explorer.press("2").await;
    explorer.press("G").await;
    assert!(explorer.selected().contains("alias/many/1202"));
}

/// A keyring of so many keys with an alias each.
pub fn many_keys(count: usize) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for number in 0..count {
        let _ = write!(
            text,
            "[[key]]\nid = \"00000000-0000-4000-8000-{number:012x}\"\ncreated = 2024-01-01T00:00:00Z\n\
             aliases = [\"alias/many/{number:04}\"]\n\n"
        );
    }
    text
}

#[tokio::test(start_paused = true)]
async fn a_predefined_alias_without_a_key_is_shown_and_never_described() {
    let mut explorer = Explorer::start().await;
    explorer.press("2/aws<enter>").await;
    explorer.shows(&["(none yet)", "no key yet"]);
    explorer.press("/none-such<esc>").await;
    for body in explorer.calls("DescribeKey") {
        let id = body["KeyId"].as_str().unwrap();
        assert!(id.starts_with("arn:aws:kms:us-east-1:111122223333:key/"), "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn q_goes_back_and_quits_on_a_top_screen_and_esc_never_quits() {
    let mut explorer = Explorer::start().await;
    explorer.press("<esc><esc>").await;
    assert_eq!(explorer.control(), None);
    explorer.press("<enter>").await;
    explorer.press("q").await;
    assert_eq!(explorer.control(), None);
    explorer.shows(&["[1 Keys]"]);
    explorer.press("q").await;
    assert_eq!(explorer.control(), Some(Control::Quit));
}

#[tokio::test(start_paused = true)]
async fn the_help_lists_the_keys_of_the_screen_it_covers() {
    let mut explorer = Explorer::start().await;
    explorer.press("?").await;
    explorer.shows(&["Help", "Keys, Aliases", "new data key under the selected key"]);
    explorer.press("G").await;
    explorer.shows(&["state:denied"]);
    explorer.press("<esc>").await;
    explorer.hides(&["Filter language"]);
    explorer.press("n<f1>").await;
    explorer.shows(&["run, from anywhere", "ctrl+w, alt+d"]);
}

#[tokio::test(start_paused = true)]
async fn a_paste_outside_of_a_text_field_runs_no_commands() {
    let mut explorer = Explorer::start().await;
    let before = explorer.screen();
    explorer.paste("q\nn\nrm -rf /\u{1b}").await;
    assert_eq!(explorer.control(), None);
    assert_eq!(explorer.screen(), before);
}

#[tokio::test(start_paused = true)]
async fn screens_look_as_they_should_at_three_sizes() {
    for (columns, rows) in [(80, 24), (140, 40), (200, 60)] {
        let mut explorer = Explorer::start_with(Setup { columns, rows, ..Setup::default() }).await;
        insta::assert_snapshot!(format!("keys_{columns}"), explorer.screen());
        explorer.press("2").await;
        insta::assert_snapshot!(format!("aliases_{columns}"), explorer.screen());
    }
}

#[tokio::test(start_paused = true)]
async fn a_very_small_terminal_shows_what_it_can() {
    let mut explorer = Explorer::start_with(Setup { columns: 40, rows: 8, ..Setup::default() }).await;
    insta::assert_snapshot!("keys_40", explorer.screen());
    explorer.resize(19, 8).await;
    assert_eq!(explorer.screen().trim(), "kmx needs 20×5");
    // Nothing panics at any size, on any screen.
    for keys in ["", "n", "?", "<esc><esc><enter>", "<esc>s"] {
        explorer.press(keys).await;
        for columns in [1, 2, 19, 20, 33, 59, 60, 61, 99, 100, 101] {
            for rows in [1, 4, 5, 6, 9] {
                explorer.resize(columns, rows).await;
            }
        }
        explorer.resize(140, 40).await;
    }
}

#[tokio::test(start_paused = true)]
async fn hostile_text_reaches_no_cell_raw() {
    let keyring = "[[key]]\nid = \"00000000-0000-4000-8000-000000000001\"\ncreated = 2024-01-01T00:00:00Z\n\
                   description = \"a\\u001b[2Jb\\u202ec\\u009bd\"\naliases = [\"alias/x\"]\n";
    let setup = Setup { columns: 200, seed: keyring.into(), ..Setup::default() };
    let mut explorer = Explorer::start_with(setup).await;
    explorer.shows(&["a␛[2Jb<U+202E>c<U+009B>d"]);
    explorer.press("<enter>").await;
    explorer.shows(&["a␛[2Jb<U+202E>c<U+009B>d"]);
    explorer.press("8").await;
    explorer.shows(&[r#""Description": "a\u001b[2Jb\u202ec\u009bd""#]);
    for cell in &explorer.buffer().content {
        assert!(!cell.symbol().chars().any(kmx::domain::text::is_hidden), "{:?}", cell.symbol());
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_slow_says_what_it_waits_for() {
    let slow = Behaviour { latency: std::time::Duration::from_secs(3), ..Behaviour::default() };
    let mut explorer = Explorer::unsettled(Setup { behaviour: slow, ..Setup::default() });
    explorer.run_for(1_000).await;
    explorer.shows(&["reading keys"]);
    explorer.hides(&["no keys"]);
    explorer.settle().await;
    explorer.shows(&["44 keys"]);
}
