//! The calls that were made, as the Calls screen shows them: newest first, filtered, one selected.
//!
//! It must not ask for calls: records come in as messages.

use tui_input::Input;

use crate::domain::call::{CallRecord, CallRing};
use crate::domain::text::printable;
use crate::domain::time;

/// The records and where the cursor stands. The selection is a record, not a position: it stays on it
/// while new ones come. Until a person moves it, it is the newest.
#[derive(Debug, Default)]
pub struct Calls {
    ring: CallRing,
    /// The numbers of the records that the filter lets through, newest first.
    rows: Vec<u64>,
    selected: Option<u64>,
    index: usize,
    top: usize,
    moved: bool,
    /// Words that operation, target or outcome must have, each of them; a capital minds case.
    pub input: Input,
    /// Whether the filter is being typed.
    pub typing: bool,
}

impl Calls {
    /// How many records are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ring.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// The records that the filter lets through, newest first, on a screen of this height.
    pub fn visible(&self, height: usize) -> impl Iterator<Item = (u64, &CallRecord)> {
        let rows = self.rows.iter().skip(self.top).take(height);
        rows.filter_map(|number| Some((*number, self.ring.get(*number)?)))
    }

    /// How many records the filter lets through.
    #[must_use]
    pub const fn row_count(&self) -> usize {
        self.rows.len()
    }

    #[must_use]
    pub const fn index(&self) -> usize {
        self.index
    }

    #[must_use]
    pub fn selected(&self) -> Option<&CallRecord> {
        self.ring.get(self.selected?)
    }

    /// Whether the record of this number is the selected one.
    #[must_use]
    pub fn is_selected(&self, number: u64) -> bool {
        self.selected == Some(number)
    }

    /// The selected record in one line: columns separated by tabs, printable.
    #[must_use]
    pub fn line(&self) -> Option<String> {
        let record = self.selected()?;
        let columns = [
            time::iso(record.at),
            record.operation.to_owned(),
            record.target.as_deref().unwrap_or_default().to_owned(),
            record.region.to_string(),
            record.outcome.words().to_owned(),
            record.took.as_millis().to_string(),
            record.attempt.to_string(),
            record.request_id.as_deref().unwrap_or_default().to_owned(),
        ];
        Some(columns.map(|column| printable(&column).into_owned()).join("\t"))
    }

    /// Takes new records in, oldest first.
    pub(super) fn take_in(&mut self, records: Vec<CallRecord>) {
        for record in records {
            self.ring.push(record);
        }
        self.judge_anew();
    }

    /// The filter has changed.
    pub(super) fn refilter(&mut self) {
        self.moved = false;
        self.judge_anew();
    }

    /// Narrows to the operation of the selected record.
    pub(super) fn filter_by_operation(&mut self) {
        let Some(operation) = self.selected().map(|record| record.operation) else { return };
        self.input = Input::new(operation.to_owned());
        self.judge_around_the_selection();
    }

    /// The filter is kept; the selection stays where it is.
    pub(super) fn keep_filter(&mut self) {
        self.typing = false;
    }

    /// Clears the filter; the selection stays on its record.
    pub(super) fn clear_filter(&mut self) {
        self.typing = false;
        if !self.input.value().is_empty() {
            self.input.reset();
            self.judge_around_the_selection();
        }
    }

    /// By another filter; the selection stays on its record, the newest included.
    fn judge_around_the_selection(&mut self) {
        self.moved = self.selected.is_some();
        self.judge_anew();
        self.moved = self.index > 0;
    }

    fn judge_anew(&mut self) {
        let words: Vec<&str> = self.input.value().split_whitespace().collect();
        let lets_through = |record: &CallRecord| words.iter().all(|word| has(record, word));
        let rows = self.ring.iter().rev().filter(|(_, record)| lets_through(record));
        self.rows = rows.map(|(number, _)| number).collect();
        // A record that left the ring, or that the filter hides, leaves its place to the next older.
        let found = self.selected.filter(|_| self.moved);
        self.select(found.map_or(0, |selected| self.rows.partition_point(|number| *number > selected)));
    }

    fn select(&mut self, index: usize) {
        self.index = index.min(self.rows.len().saturating_sub(1));
        self.selected = self.rows.get(self.index).copied();
    }

    /// Moves the selection by rows.
    pub(super) fn move_by(&mut self, rows: isize) {
        self.select(self.index.saturating_add_signed(rows));
        // On the newest it goes with the newest.
        self.moved = self.index > 0;
    }

    /// Moves the selection to the newest, or to the oldest.
    pub(super) fn move_to_end(&mut self, oldest: bool) {
        self.select(if oldest { usize::MAX } else { 0 });
        self.moved = self.index > 0;
    }

    /// Scrolls so that the selection is on a screen of this height, and no row is wasted.
    pub(super) fn fit(&mut self, height: usize) {
        let height = height.max(1);
        let lowest_top = self.rows.len().saturating_sub(height);
        self.top = self.top.min(self.index).max((self.index + 1).saturating_sub(height)).min(lowest_top);
    }
}

/// Whether one of the texts of a record has a word in it.
fn has(record: &CallRecord, word: &str) -> bool {
    let minds_case = word.chars().any(char::is_uppercase);
    [record.operation, record.target.as_deref().unwrap_or_default(), record.outcome.words()]
        .iter()
        .any(|text| if minds_case { text.contains(word) } else { text.to_lowercase().contains(word) })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;
    use crate::domain::call::{KEPT, Outcome};

    fn record(operation: &'static str, target: &str, outcome: Outcome) -> CallRecord {
        CallRecord {
            at: Timestamp::UNIX_EPOCH,
            operation,
            target: Some(target.into()).filter(|_| !target.is_empty()),
            region: "us-east-1".into(),
            outcome,
            took: Duration::from_millis(41),
            attempt: 2,
            request_id: Some("id-1".into()),
        }
    }

    fn describe(number: usize) -> CallRecord {
        record("DescribeKey", &format!("k{number}"), Outcome::Ok)
    }

    fn target(calls: &Calls) -> &str {
        calls.selected().and_then(|record| record.target.as_deref()).unwrap_or_default()
    }

    #[test]
    fn the_selection_is_the_newest_until_moved_and_then_stays_on_its_record() {
        let mut calls = Calls::default();
        calls.take_in((0..5).map(describe).collect());
        assert_eq!(target(&calls), "k4");
        calls.take_in(vec![describe(5)]);
        assert_eq!(target(&calls), "k5");
        calls.move_by(2);
        calls.take_in((6..20).map(describe).collect());
        assert_eq!((target(&calls), calls.index()), ("k3", 16));
        calls.move_to_end(false);
        calls.take_in(vec![describe(20)]);
        assert_eq!(target(&calls), "k20");
        calls.move_to_end(true);
        assert_eq!(target(&calls), "k0");
        // Pushed out of the ring: the oldest that is left takes its place.
        calls.take_in((21..21 + KEPT).map(describe).collect());
        assert_eq!((target(&calls), calls.index()), ("k21", KEPT - 1));
    }

    #[test]
    fn words_narrow_by_operation_target_and_outcome_and_the_operation_by_itself() {
        let mut calls = Calls::default();
        calls.take_in(vec![
            record("ListKeys", "", Outcome::Ok),
            record("DescribeKey", "alias/pay", Outcome::Error("ThrottlingException".into())),
            record("DescribeKey", "alias/Pay", Outcome::Ok),
        ]);
        for (words, count) in [("", 3), ("describe pay", 2), ("Pay", 1), ("throttl", 1), ("list pay", 0)] {
            calls.input = Input::new(words.to_owned());
            calls.refilter();
            assert_eq!(calls.row_count(), count, "{words}");
        }
        calls.clear_filter();
        calls.move_by(1);
        calls.filter_by_operation();
        assert_eq!((calls.input.value(), calls.row_count(), target(&calls)), ("DescribeKey", 2, "alias/pay"));
        calls.take_in(vec![record("ListAliases", "", Outcome::Ok)]);
        assert_eq!((calls.row_count(), calls.len()), (2, 4));
        calls.clear_filter();
        assert_eq!((calls.row_count(), target(&calls)), (4, "alias/pay"));
    }

    #[test]
    fn a_line_has_its_columns_and_nothing_that_a_terminal_obeys() {
        let mut calls = Calls::default();
        assert_eq!(calls.line(), None);
        calls.take_in(vec![record("DescribeKey", "alias/\u{1b}[2J\tx", Outcome::Ok)]);
        let line = "1970-01-01T00:00:00+00:00\tDescribeKey\talias/␛[2J␉x\tus-east-1\tok\t41\t2\tid-1";
        assert_eq!(calls.line().as_deref(), Some(line));
    }
}
