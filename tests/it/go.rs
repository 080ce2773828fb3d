//! Going elsewhere and back, several regions at once, the palette, and runs that are held back.

use std::time::Duration;

use kmx::domain::marks::MarksByProfile;
use kmx::local::{Behaviour, Fault};
use kmx::tui::runtime::Control;

use crate::harness::{Explorer, Setup, always, rules};

const BOTH: &[&str] = &["us-east-1", "eu-west-1"];

async fn in_both_regions() -> Explorer {
    Explorer::start_with(Setup { regions: BOTH, ..Setup::default() }).await
}

/// The rows of the list, without its frame.
fn rows(explorer: &Explorer) -> Vec<String> {
    let screen = explorer.screen();
    let rows = screen.lines().filter(|line| line.starts_with('│'));
    let rows = rows.map(|row| row.trim_matches(['│', '▌', ' ']).to_owned());
    rows.filter(|row| !row.is_empty() && !row.starts_with("STATE")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_region_is_chosen_by_a_few_letters_and_its_keys_take_the_place_of_the_others() {
    let mut explorer = Explorer::start().await;
    explorer.press("R").await;
    explorer.shows(&["Region", "● us-east-1", "US East (N. Virginia)", "space marks several"]);
    insta::assert_snapshot!("regions_140", explorer.screen());
    explorer.press("irel").await;
    explorer.shows(&["❯ irel", "eu-west-1"]);
    explorer.press("<enter>").await;
    explorer.shows(&["now in eu-west-1; - goes back", "LOCAL KMS – not AWS"]);
    explorer.hides(&["us-east-1", "alias/demo/old", "44 keys"]);
    // The other region's keys were asked for anew.
    assert_eq!(explorer.calls("ListKeys").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_place_before_comes_back_and_filter_and_sort_stay() {
    let mut explorer = Explorer::start().await;
    explorer.press("-").await;
    explorer.shows(&["there is no place before"]);
    explorer.press("si/orders<enter>").await;
    let here = rows(&explorer);
    assert!(!here.is_empty());
    explorer.press("Reu-west-1<enter>").await;
    explorer.shows(&["/orders", "KEY ID ▲", "now in eu-west-1"]);
    explorer.press("-").await;
    explorer.shows(&["/orders", "KEY ID ▲", "now in us-east-1"]);
    assert_eq!(rows(&explorer), here);
    explorer.press("-").await;
    explorer.shows(&["now in eu-west-1"]);
    explorer.press("-").await;
    explorer.press("<esc>G").await;
    let last = explorer.selected();
    explorer.press("Reu-west-1<enter>-").await;
    let top = explorer.selected();
    assert_ne!(top, last, "the top row is selected anew");
}

#[tokio::test(start_paused = true)]
async fn a_switch_in_the_middle_of_a_load_leaves_no_row_of_the_place_before() {
    let slow = Behaviour { latency: Duration::from_millis(300), ..Behaviour::default() };
    let mut alone = Explorer::start_with(Setup { regions: &["eu-west-1"], ..Setup::default() }).await;
    alone.press("<esc>").await;
    for waited in [0, 100, 301, 400, 650, 901, 1_250] {
        let mut explorer = Explorer::unsettled(Setup { behaviour: slow.clone(), ..Setup::default() });
        explorer.run_for(waited).await;
        explorer.press_only("Reu-west-1<enter>");
        explorer.settle().await;
        assert_eq!(rows(&explorer), rows(&alone), "after {waited} ms");
        // There and back again before anything has come.
        explorer.press_only("--");
        explorer.run_for(350).await;
        explorer.press_only("--");
        explorer.settle().await;
        assert_eq!(rows(&explorer), rows(&alone), "after {waited} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn several_regions_are_marked_and_become_one_table() {
    let mut explorer = Explorer::start().await;
    explorer.hides(&["REGION"]);
    explorer.press("Rus-east-1<space><ctrl+u>eu-west-1<space>").await;
    explorer.shows(&["2 marked", "✓ eu-west-1"]);
    explorer.press("<enter>").await;
    explorer.shows(&["REGION", "us-east-1, eu-west-1", "now in us-east-1, eu-west-1"]);
    explorer.press("/region:eu<enter>").await;
    assert!(rows(&explorer).iter().all(|row| row.contains("eu-west-1")));
    explorer.press("-").await;
    explorer.hides(&["REGION"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_typed_is_offered_as_a_region_and_no_other_text_is() {
    let mut explorer = Explorer::start().await;
    explorer.press("Rmars-north-1").await;
    explorer.shows(&["mars-north-1", "as typed"]);
    explorer.press("<enter>").await;
    explorer.shows(&["now in mars-north-1", "no keys in this account and region"]);
    explorer.press("R<ctrl+u>mars_1").await;
    explorer.shows(&["nothing matches"]);
    explorer.hides(&["as typed"]);
    explorer.press("<enter><esc>").await;
    explorer.shows(&["mars-north-1"]);
}

#[tokio::test(start_paused = true)]
async fn a_place_that_one_is_in_already_is_not_gone_to() {
    let mut explorer = Explorer::start().await;
    explorer.press("Rus-east-1<enter>").await;
    explorer.shows(&["already in us-east-1; r reads again", "44 keys"]);
    assert_eq!(explorer.calls("ListKeys").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_local_kms_says_that_it_has_no_profiles() {
    let mut explorer = Explorer::start().await;
    explorer.press("P").await;
    explorer.shows(&["the local KMS has no profiles; R chooses its region", "● Enabled"]);
    explorer.press(":profile x").await;
    explorer.shows(&["the local KMS has no profiles"]);
    explorer.press("<enter><esc>").await;
    explorer.shows(&["44 keys"]);
}

#[tokio::test(start_paused = true)]
async fn several_regions_of_the_command_line_are_one_table_and_tell_their_progress_apart() {
    let slow = rules(vec![always("DescribeKey", None, Fault::Latency(Duration::from_secs(1)))]);
    let setup = Setup { regions: BOTH, behaviour: slow, ..Setup::default() };
    let mut explorer = Explorer::unsettled(setup);
    explorer.run_for(500).await;
    explorer.shows(&["us-east-1  0 of 44, eu-west-1 0 of 5 described"]);
    explorer.settle().await;
    explorer.shows(&["REGION", "us-east-1, eu-west-1", "49 keys"]);
    explorer.press("/region:us<enter>").await;
    let us = rows(&explorer).len();
    explorer.press("<esc>/region:eu<enter>").await;
    let eu = rows(&explorer).len();
    assert!(us > 30 && eu > 1, "{us} {eu}");
}

#[tokio::test(start_paused = true)]
async fn the_form_of_a_row_goes_to_the_region_of_the_row() {
    let mut explorer = in_both_regions().await;
    explorer.press("/region:eu backups/prod/databases<enter>").await;
    assert_eq!(rows(&explorer).len(), 1, "{}", explorer.screen());
    explorer.press("n").await;
    explorer.shows(&["eu-west-1"]);
    explorer.hides(&["us-east-1"]);
    explorer.press("<ctrl+r>").await;
    explorer.shows(&["CiphertextBlob", "arn:aws:kms:eu-west-1:"]);
    explorer.press("<esc>").await;
    explorer.press("<esc>/region:us backups/prod/databases<enter>n<ctrl+r>").await;
    explorer.shows(&["CiphertextBlob", "arn:aws:kms:us-east-1:"]);
}

#[tokio::test(start_paused = true)]
async fn a_multi_region_key_is_a_row_in_each_of_its_regions() {
    let mut explorer = in_both_regions().await;
    explorer.press("/mrk-<enter>").await;
    let regions: Vec<String> = rows(&explorer);
    for region in BOTH {
        assert!(regions.iter().any(|row| row.contains(region)), "{regions:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_draft_comes_up_only_where_it_was_made() {
    let mut explorer = Explorer::start().await;
    explorer.press("/backups/prod/databases<enter>ntenant<esc>").await;
    explorer.press("Reu-west-1<enter>").await;
    explorer.press("n").await;
    explorer.shows(&["New data key", "alias/backups/prod/databases"]);
    explorer.hides(&["tenant"]);
    explorer.press("<esc>-").await;
    explorer.press("n").await;
    explorer.shows(&["New data key", "alias/backups/prod/databases", "tenant"]);
    // A form that is open when one leaves is kept too.
    explorer.press("<tab>42<tab><tab>:region eu-west-1<enter>").await;
    explorer.shows(&["now in eu-west-1"]);
    explorer.press("-").await;
    explorer.press("n").await;
    explorer.shows(&["tenant", "42"]);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_runs_is_not_given_up_by_a_switch() {
    let slow =
        rules(vec![always("GenerateDataKeyWithoutPlaintext", None, Fault::Latency(Duration::from_secs(5)))]);
    let mut explorer = Explorer::start_with(Setup { behaviour: slow, ..Setup::default() }).await;
    explorer.press("/alias/demo/orders<enter>n").await;
    explorer.press_only("<ctrl+r>:region eu-west-1<enter>");
    explorer.run_for(100).await;
    explorer.shows(&["a request is under way"]);
    explorer.settle().await;
    explorer.shows(&["CiphertextBlob", "arn:aws:kms:us-east-1:"]);
}

#[tokio::test(start_paused = true)]
async fn the_palette_does_what_the_keys_do() {
    let mut explorer = Explorer::start().await;
    explorer.press(":").await;
    explorer.shows(&["Palette", "new data key", "reverse the order", ":profile", ":region"]);
    insta::assert_snapshot!("palette_140", explorer.screen());
    explorer.press("reverse<enter>").await;
    explorer.shows(&["ALIAS ▼"]);
    explorer.press(":aliases<enter>").await;
    explorer.shows(&["[2 Aliases]"]);
    explorer.press(":").await;
    explorer.press("<esc>").await;
    explorer.shows(&["[2 Aliases]"]);
    explorer.press(":no such thing<enter>").await;
    explorer.shows(&["nothing matches"]);
    explorer.press("<ctrl+g>").await;
    explorer.hides(&["Palette"]);
    assert_eq!(explorer.control(), None);
    explorer.press(":q<enter>").await;
    assert_eq!(explorer.control(), Some(Control::Quit));
}

#[tokio::test(start_paused = true)]
async fn a_command_completes_from_the_regions_that_are_known() {
    let mut explorer = Explorer::start().await;
    explorer.press(":region eu-west-1").await;
    explorer.press(",ohio<tab>").await;
    explorer.shows(&["❯ region eu-west-1,us-east-2"]);
    explorer.press("<enter>").await;
    explorer.shows(&["now in eu-west-1, us-east-2"]);
    explorer.press(":region<space>us-east-1<right><enter>").await;
    explorer.shows(&["now in us-east-1"]);
}

#[tokio::test(start_paused = true)]
async fn a_colon_is_text_where_text_is_typed() {
    let mut explorer = Explorer::start().await;
    explorer.press("/state:disabled<enter>").await;
    explorer.shows(&["/state:disabled", "○ Disabled"]);
    explorer.press("<esc>na:b").await;
    explorer.shows(&["New data key", "a:b"]);
    explorer.hides(&["Palette"]);
}

#[tokio::test(start_paused = true)]
async fn a_read_only_run_opens_the_form_and_makes_dry_runs_alone() {
    let marks = MarksByProfile { all_read_only: true, ..MarksByProfile::default() };
    let mut explorer = Explorer::start_with(Setup { marks, ..Setup::default() }).await;
    explorer.shows(&["read-only"]);
    explorer.press("/alias/demo/orders<enter>ntenant<tab>42<ctrl+r>").await;
    explorer.shows(&["kmx was started with --read-only; tick Dry run", "tenant", "42"]);
    assert!(explorer.calls("GenerateDataKeyWithoutPlaintext").is_empty());
    explorer.press("<up><up>").await;
    explorer.press("<tab><tab><tab><tab><tab><tab><space><ctrl+r>").await;
    let calls = explorer.calls("GenerateDataKeyWithoutPlaintext");
    assert_eq!(calls.len(), 1, "{}", explorer.screen());
    assert_eq!(calls[0]["DryRun"], true);
}

#[tokio::test(start_paused = true)]
async fn lists_to_choose_from_fit_every_terminal() {
    for (columns, rows) in [(80, 24), (20, 5), (33, 9), (60, 6), (200, 60)] {
        let mut explorer = Explorer::start_with(Setup { columns, rows, ..Setup::default() }).await;
        for keys in ["R", "<down><down><space>", "<pgdn>", "<esc>:", "<pgdn>", "region ", "<esc>"] {
            explorer.press(keys).await;
        }
        if columns == 80 {
            explorer.press("Reu").await;
            insta::assert_snapshot!("regions_80", explorer.screen());
            explorer.press("<esc>:").await;
            insta::assert_snapshot!("palette_80", explorer.screen());
        }
    }
}
