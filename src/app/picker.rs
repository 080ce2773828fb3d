//! A list to choose from: a field that filters as it is typed in, rows, and marks where several may be
//! taken.
//!
//! It knows no more of its rows than what they say and what is chosen by them: the rows of each purpose
//! are made, and what is chosen is done, in `update`.

use tui_input::Input;

use super::TopScreen;
use super::keymap::Action;
use crate::domain::failure::Failure;
use crate::domain::scan::ScanKind;

/// What is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Profile,
    Region,
    Palette,
}

impl Purpose {
    /// What stands above the list.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Profile => "Profile",
            Self::Region => "Region",
            Self::Palette => "Palette",
        }
    }

    /// Whether several rows may be taken at once. `Space` then marks, and is no text.
    #[must_use]
    pub const fn takes_several(self) -> bool {
        matches!(self, Self::Region)
    }
}

/// What a row stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// A profile, and its own region where it has one.
    Profile {
        name: String,
        region: Option<String>,
    },
    Regions(Vec<String>),
    Action(Action),
    Top(TopScreen),
    /// A command that needs an argument: its words, with the blank before the argument.
    Command(&'static str),
    Scan(ScanKind),
    Quit,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it says, a cell a column. The first is its name; all are searched.
    pub cells: Vec<String>,
    pub choice: Choice,
    /// Why it cannot be taken, with the way out.
    pub refusal: Option<String>,
    /// Whether it is what holds now.
    pub is_current: bool,
    /// Whether it stands below all that match, and always matches: what was typed, as it was typed.
    pub is_as_typed: bool,
}

impl Item {
    #[must_use]
    pub const fn new(cells: Vec<String>, choice: Choice) -> Self {
        Self { cells, choice, refusal: None, is_current: false, is_as_typed: false }
    }

    #[must_use]
    pub fn name(&self) -> &str {
        self.cells.first().map_or("", String::as_str)
    }

    /// How well it matches words in small letters, the less the better; `None` where it does not.
    fn rank(&self, typed: &str) -> Option<u8> {
        if self.is_as_typed {
            return Some(u8::MAX);
        }
        let text = self.cells.join(" ").to_lowercase();
        if !typed.split_whitespace().all(|word| text.contains(word)) {
            return None;
        }
        let name = self.name().to_lowercase();
        let typed = typed.trim();
        Some(match () {
            () if name == typed => 0,
            () if name.starts_with(typed) => 1,
            () if name.ends_with(typed) => 2,
            () if name.contains(typed) => 3,
            () => 4,
        })
    }
}

/// What there is to choose from.
#[derive(Clone, Debug)]
pub enum Content {
    Loading,
    Failed(Failure),
    Items(Vec<Item>),
}

/// A list to choose from, open.
#[derive(Clone, Debug)]
pub struct Picker {
    pub purpose: Purpose,
    pub input: Input,
    content: Content,
    /// The items that match what is typed, the best first.
    shown: Vec<usize>,
    index: usize,
    top: usize,
    /// Whether a person has moved the selection; until then it is the top row.
    moved: bool,
    /// The names of the marked items, in the order in which they were marked.
    marked: Vec<String>,
}

impl Picker {
    /// With nothing to choose from yet.
    #[must_use]
    pub fn new(purpose: Purpose) -> Self {
        Self {
            purpose,
            input: Input::default(),
            content: Content::Loading,
            shown: Vec::new(),
            index: 0,
            top: 0,
            moved: false,
            marked: Vec::new(),
        }
    }

    #[must_use]
    pub const fn content(&self) -> &Content {
        &self.content
    }

    /// Takes what there is to choose from now, narrowed by words. The selection stays on its row where a
    /// person has moved it.
    pub fn offer(&mut self, content: Content, words: &str) {
        let selected = self.selected().filter(|_| self.moved).map(|item| item.name().to_owned());
        self.content = content;
        self.shown = match &self.content {
            Content::Items(items) => {
                let typed = words.to_lowercase();
                let ranked = items.iter().enumerate().filter_map(|(at, item)| Some((item.rank(&typed)?, at)));
                let mut ranked: Vec<(u8, usize)> = ranked.collect();
                // Without words the items keep their order.
                if !typed.trim().is_empty() {
                    ranked.sort_unstable();
                }
                ranked.into_iter().map(|(_, at)| at).collect()
            }
            Content::Loading | Content::Failed(_) => Vec::new(),
        };
        let found = selected.and_then(|name| self.rows().position(|item| item.name() == name));
        self.moved = found.is_some();
        self.index = found.unwrap_or_default();
    }

    /// What is typed has changed: the top row is selected.
    pub const fn typed_anew(&mut self) {
        self.moved = false;
    }

    /// The items that match, the best first.
    #[must_use]
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &Item> {
        let items: &[Item] = match &self.content {
            Content::Items(items) => items,
            Content::Loading | Content::Failed(_) => &[],
        };
        self.shown.iter().map(|at| &items[*at])
    }

    /// All items, whether or not they match.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        match &self.content {
            Content::Items(items) => items,
            Content::Loading | Content::Failed(_) => &[],
        }
    }

    #[must_use]
    pub const fn index(&self) -> usize {
        self.index
    }

    /// The first row on the screen.
    #[must_use]
    pub const fn top(&self) -> usize {
        self.top
    }

    #[must_use]
    pub fn selected(&self) -> Option<&Item> {
        self.rows().nth(self.index)
    }

    /// Moves the selection by rows.
    pub fn move_by(&mut self, rows: isize) {
        self.moved = true;
        self.index = self.index.saturating_add_signed(rows).min(self.shown.len().saturating_sub(1));
    }

    /// Scrolls so that the selection is among so many rows.
    pub fn fit(&mut self, height: usize) {
        let height = height.max(1);
        let lowest_top = self.shown.len().saturating_sub(height);
        self.top = self.top.min(self.index).max((self.index + 1).saturating_sub(height)).min(lowest_top);
    }

    /// Marks the selected row, or takes its mark away, and goes to the next.
    pub fn toggle_mark(&mut self) {
        let Some(name) = self.selected().map(|item| item.name().to_owned()) else { return };
        match self.marked.iter().position(|marked| *marked == name) {
            Some(at) => drop(self.marked.remove(at)),
            None => self.marked.push(name),
        }
        self.move_by(1);
    }

    /// The names of the marked items, in the order in which they were marked.
    #[must_use]
    pub fn marked(&self) -> &[String] {
        &self.marked
    }

    #[must_use]
    pub fn is_marked(&self, item: &Item) -> bool {
        self.marked.iter().any(|name| name == item.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(picker: &mut Picker, text: &str) {
        picker.input = Input::new(text.to_owned());
        picker.typed_anew();
        picker.offer(picker.content.clone(), text);
    }

    fn names(picker: &Picker) -> Vec<&str> {
        picker.rows().map(Item::name).collect()
    }

    fn of(rows: &[[&str; 2]]) -> Picker {
        let item = |cells: &[&str; 2]| Item::new(cells.map(str::to_owned).to_vec(), Choice::Quit);
        let mut picker = Picker::new(Purpose::Region);
        picker.offer(Content::Items(rows.iter().map(item).collect()), "");
        picker
    }

    #[test]
    fn words_narrow_and_the_best_name_is_on_top() {
        let mut picker =
            of(&[["sa-east-1", "Europe's opposite"], ["eu-west-10", ""], ["eu-west-1", "Ireland"]]);
        typed(&mut picker, "EU-west-1");
        assert_eq!(names(&picker), ["eu-west-1", "eu-west-10"]);
        typed(&mut picker, "ire eu");
        assert_eq!(names(&picker), ["eu-west-1"]);
        typed(&mut picker, "eu");
        assert_eq!(names(&picker), ["eu-west-10", "eu-west-1", "sa-east-1"]);
        typed(&mut picker, " ");
        assert_eq!(names(&picker), ["sa-east-1", "eu-west-10", "eu-west-1"]);
        typed(&mut picker, "nowhere");
        assert!(picker.selected().is_none());
    }

    #[test]
    fn the_selection_is_the_top_row_until_it_is_moved_and_then_stays_on_its_row() {
        let mut picker = of(&[["a", "x"], ["b", "x"], ["c", "x"]]);
        picker.move_by(1);
        let others = ["z", "b"].map(|name| Item::new(vec![name.to_owned()], Choice::Quit));
        picker.offer(Content::Items(others.to_vec()), "");
        assert_eq!(picker.selected().map(Item::name), Some("b"));
        typed(&mut picker, "");
        assert_eq!(picker.selected().map(Item::name), Some("z"));
        picker.move_by(isize::MAX);
        assert_eq!(picker.selected().map(Item::name), Some("b"));
    }

    #[test]
    fn marks_outlive_what_is_typed() {
        let mut picker = of(&[["a", ""], ["b", ""], ["c", ""]]);
        picker.toggle_mark();
        assert_eq!(picker.index(), 1);
        typed(&mut picker, "c");
        picker.toggle_mark();
        assert_eq!(picker.marked(), ["a", "c"]);
        typed(&mut picker, "");
        picker.toggle_mark();
        assert_eq!(picker.marked(), ["c"]);
    }

    #[test]
    fn the_selection_is_always_in_view() {
        let mut picker = of(&[["a", ""], ["b", ""], ["c", ""], ["d", ""]]);
        for (by, top) in [(0, 0), (1, 0), (1, 1), (1, 2), (-1, 2), (-1, 1), (-9, 0)] {
            picker.move_by(by);
            picker.fit(2);
            assert_eq!(picker.top(), top, "{by}");
        }
    }
}
