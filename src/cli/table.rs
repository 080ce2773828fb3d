//! Tables for people: no lines, two blanks between columns, nothing that a terminal would obey.

use std::io::{self, IsTerminal as _};

use comfy_table::{Cell, ColumnConstraint, ContentArrangement, presets};

use crate::domain::text::printable;

/// Blanks between two columns.
const GAP: u16 = 2;
/// Columns of the screen that the last column is worth keeping for.
const LAST_COLUMN: u16 = 24;

/// A table whose last column may be wrapped, and whose others may leave where there is no room.
pub(super) struct Table(comfy_table::Table);

impl Table {
    pub(super) fn new() -> Self {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        Self(table)
    }

    pub(super) fn header(&mut self, titles: &[&str]) {
        self.0.set_header(titles);
    }

    /// Adds a row of cells, each with one text or several, a line each.
    pub(super) fn row(&mut self, cells: &[Vec<&str>]) {
        let cell = |lines: &Vec<&str>| {
            let lines: Vec<_> = lines.iter().map(|line| printable(line)).collect();
            Cell::new(lines.join("\n"))
        };
        self.0.add_row(cells.iter().map(cell).collect::<Vec<Cell>>());
    }

    /// The table as text. Where stdout is a terminal, `may_leave` names the columns that go first
    /// when there is no room, and what is left wraps; anywhere else nothing is left out or wrapped.
    pub(super) fn render(self, may_leave: &[usize]) -> String {
        self.within(width_of_the_terminal(), may_leave)
    }

    fn within(mut self, room: Option<u16>, may_leave: &[usize]) -> String {
        for column in self.0.column_iter_mut() {
            column.set_padding((0, GAP));
        }
        if let Some(room) = room {
            self.fit(room, may_leave);
        }
        self.0.trim_fmt()
    }

    fn fit(&mut self, room: u16, may_leave: &[usize]) {
        let mut widths: Vec<u16> = self.0.column_max_content_widths();
        if let Some(last) = widths.last_mut() {
            *last = (*last).min(LAST_COLUMN);
        }
        let mut needed: u16 = widths.iter().map(|width| width.saturating_add(GAP)).sum();
        for &index in may_leave {
            if needed <= room {
                break;
            }
            if let (Some(column), Some(width)) = (self.0.column_mut(index), widths.get(index)) {
                column.set_constraint(ColumnConstraint::Hidden);
                needed = needed.saturating_sub(width.saturating_add(GAP));
            }
        }
        self.0.set_content_arrangement(ContentArrangement::Dynamic).set_width(room);
        let last = self.0.column_iter().filter(|column| !column.is_hidden()).count().saturating_sub(1);
        if needed <= room {
            for column in self.0.column_iter_mut().filter(|column| !column.is_hidden()).take(last) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
    }
}

fn width_of_the_terminal() -> Option<u16> {
    if !io::stdout().is_terminal() {
        return None;
    }
    crossterm::terminal::size().ok().map(|(columns, _)| columns).filter(|columns| *columns > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new();
        table.header(&["A", "B", "C"]);
        table.row(&[vec!["one", "two\u{1b}[2J"], vec!["wide enough to leave"], vec!["some words that wrap"]]);
        table
    }

    #[test]
    fn cells_have_lines_and_nothing_that_a_terminal_obeys() {
        assert_eq!(
            table().within(None, &[1]),
            "A        B                     C\n\
             one      wide enough to leave  some words that wrap\n\
             two␛[2J"
        );
    }

    #[test]
    fn where_there_is_no_room_a_column_leaves_and_the_last_one_wraps() {
        let narrow = table().within(Some(26), &[1]);
        assert_eq!(narrow, "A        C\none      some words that\ntwo␛[2J  wrap");
    }

    #[test]
    fn what_must_stay_stays_in_any_width() {
        for room in [1, 5, 10] {
            let narrow = table().within(Some(room), &[1, 2]);
            assert_eq!(narrow.replace(['\n', ' '], ""), "Aonetwo␛[2J", "{room}");
        }
    }
}
