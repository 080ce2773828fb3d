//! How far describing has come, for the header: a count, what is left, and a gauge.
//!
//! Numbers are as wide as they will ever be, so that nothing moves while they grow.

use std::time::Duration;

use crate::app::layout::WIDE;
use crate::app::{Backfill, State};
use crate::domain::text::{printable, thousands};

/// From this many columns on there is room for what is left.
const FOR_WHAT_IS_LEFT: u16 = 72;
/// Columns of the gauge between its ends.
const GAUGE: usize = 8;
/// Eighths of a column.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// `1,008 of 1,248 described, about 1 min left`; `None` where there is nothing to describe.
pub(super) fn of_describing(state: &State, columns: u16) -> Option<String> {
    let backfill = state.backfill()?;
    let keys = state.catalog.key_count();
    let described = state.catalog.described_count();
    // Everything was described before, and is being read again.
    let again = described == keys;
    if again && !state.is_reading() {
        return None;
    }
    let (count, what) = if again { (backfill.done, "read again") } else { (described, "described") };
    let of = thousands(keys);
    let together = format!("{:>width$} of {of}", thousands(count), width = of.len());
    let apart = apart(state).filter(|_| !again && columns >= WIDE);
    let words = format!("{} {what}", apart.unwrap_or(together));
    let rest = if state.paused && state.is_reading() {
        Some("paused, A goes on".to_owned())
    } else {
        backfill.left.map(left).filter(|_| columns >= FOR_WHAT_IS_LEFT)
    };
    Some(rest.map_or(words.clone(), |rest| format!("{words}, {rest}")))
}

/// `us-east-1 40 of 44, eu-west-1 3 of 5`: each of two regions on its own, one that is done left out.
fn apart(state: &State) -> Option<String> {
    let open = state.sources().filter_map(|source| {
        let (keys, described) = state.catalog.progress(source);
        let of = thousands(keys);
        let count = format!("{:>width$} of {of}", thousands(described), width = of.len());
        (described < keys).then(|| format!("{} {count}", printable(state.catalog.region(source))))
    });
    let open: Vec<String> = open.collect();
    (state.connected.len() == 2 && !open.is_empty()).then(|| open.join(", "))
}

/// What is left, no more exact than it is known.
fn left(left: Duration) -> String {
    match left.as_secs() {
        0..5 => "a few seconds left".to_owned(),
        seconds @ 5..55 => format!("about {} s left", (seconds + 5) / 10 * 10),
        seconds @ 55..5_400 => format!("about {} min left", (seconds + 30) / 60),
        seconds => format!("about {} h left", (seconds + 1_800) / 3_600),
    }
}

/// `▕██████▌ ▏`, where there is room for it and something to tell.
pub(super) fn gauge(state: &State, columns: u16) -> String {
    let Some(backfill) = state.backfill().filter(|_| columns >= WIDE) else { return String::new() };
    if !state.is_reading() {
        return String::new();
    }
    format!("▕{}▏", bar(backfill))
}

fn bar(Backfill { done, of, all_listed, .. }: Backfill) -> String {
    // Of how many is not known yet: a bar would go back.
    let done = if all_listed { done } else { 0 };
    let eighths = done * GAUGE * 8 / of.max(1);
    let (whole, part) = (eighths / 8, EIGHTHS[eighths % 8]);
    let blanks = GAUGE - whole - usize::from(!part.is_empty());
    format!("{}{part}{}", "█".repeat(whole), " ".repeat(blanks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_in_round_figures() {
        for (seconds, words) in [
            (0, "a few seconds left"),
            (7, "about 10 s left"),
            (42, "about 40 s left"),
            (59, "about 1 min left"),
            (600, "about 10 min left"),
            (7_000, "about 2 h left"),
        ] {
            assert_eq!(left(Duration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn the_gauge_is_as_wide_empty_as_full_and_waits_for_the_end_of_the_list() {
        let of = 1_000;
        for (done, shown) in [(0, "        "), (8, "        "), (16, "▏       "), (500, "████    ")]
        {
            assert_eq!(bar(Backfill { done, of, all_listed: true, left: None }), shown);
        }
        assert_eq!(bar(Backfill { done: 500, of, all_listed: false, left: None }), " ".repeat(8));
        for done in 0..of {
            assert_eq!(bar(Backfill { done, of, all_listed: true, left: None }).chars().count(), GAUGE);
        }
    }
}
