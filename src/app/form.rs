//! The form of a data key request: its fields, the focus, and the parameters that it says.

use std::collections::HashSet;

use tui_input::Input;

use super::keymap::Chord;
use super::text_input;
use crate::domain::context::{self, EncryptionContext};
use crate::domain::request::{
    DataKeyRequest, DataKeySpec, Parameter, Parameters, Problem, parse_number_of_bytes,
};

/// How the length of the data key is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SizeChoice {
    #[default]
    Aes256,
    Aes128,
    Bytes,
}

impl SizeChoice {
    pub const ALL: [Self; 3] = [Self::Aes256, Self::Aes128, Self::Bytes];

    /// As the form shows it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Aes256 => DataKeySpec::Aes256.as_str(),
            Self::Aes128 => DataKeySpec::Aes128.as_str(),
            Self::Bytes => "number of bytes",
        }
    }

    fn turn(self, by: isize) -> Self {
        let at = Self::ALL.iter().position(|choice| *choice == self).unwrap_or_default();
        let count = Self::ALL.len();
        Self::ALL[(at + count).saturating_add_signed(by) % count]
    }
}

/// The field that keys go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Focus {
    #[default]
    Key,
    /// The name in a row of the encryption context.
    Name(usize),
    /// The value in a row.
    Value(usize),
    Size,
    Bytes,
    GrantTokens,
    DryRun,
    Run,
}

/// What stands beside the form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preview {
    #[default]
    Json,
    Command,
    Off,
}

impl Preview {
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Json => Self::Command,
            Self::Command => Self::Off,
            Self::Off => Self::Json,
        }
    }
}

/// A row of the encryption context.
#[derive(Clone, Debug, Default)]
pub struct ContextRow {
    pub name: Input,
    pub value: Input,
}

impl ContextRow {
    fn new(name: &str, value: &str) -> Self {
        Self { name: Input::new(name.to_owned()), value: Input::new(value.to_owned()) }
    }

    fn is_empty(&self) -> bool {
        self.name.value().is_empty() && self.value.value().is_empty()
    }
}

/// Entries that a paste may bring: far more than KMS will take, and few enough to stay quick.
const MOST_PASTED_ROWS: usize = 500;

/// A context in any of the forms that people have on a clipboard.
fn read_context(text: &str) -> Result<EncryptionContext, String> {
    let read = |text: &str| {
        context::parse(text, &mut context::refuse_references)
            .map_err(|error| format!("{error}: {}", error.hint()))
    };
    if text.starts_with('{') || !text.contains('\n') {
        return read(text);
    }
    let mut entries = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        entries.extend(read(line)?);
    }
    EncryptionContext::from_pairs(entries).map_err(|error| error.to_string())
}

/// Where a problem stands, finer than a parameter: a row of the context has its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldProblem {
    pub focus: Focus,
    pub message: String,
    /// A warning does not keep the request from running.
    pub warning: bool,
}

/// Where a field stands among the others.
const fn rank(focus: Focus) -> (u8, usize, bool) {
    match focus {
        Focus::Key => (0, 0, false),
        Focus::Name(row) => (1, row, false),
        Focus::Value(row) => (1, row, true),
        Focus::Size => (2, 0, false),
        Focus::Bytes => (3, 0, false),
        Focus::GrantTokens => (4, 0, false),
        Focus::DryRun => (5, 0, false),
        Focus::Run => (6, 0, false),
    }
}

/// A form, as far as it is filled in.
#[derive(Clone, Debug, Default)]
pub struct Form {
    pub key: Input,
    /// The last row is always fresh.
    pub context: Vec<ContextRow>,
    pub size: SizeChoice,
    pub bytes: Input,
    /// Separated by blanks.
    pub grant_tokens: Input,
    pub dry_run: bool,
    pub focus: Focus,
    pub preview: Preview,
    /// Whether running was tried: from then on also what is missing is marked.
    pub tried: bool,
}

impl Form {
    /// A fresh form on a key; the focus is in the first context name, or in Key where there is none.
    #[must_use]
    pub fn on(key: &str) -> Self {
        Self {
            key: Input::new(key.to_owned()),
            context: vec![ContextRow::default()],
            focus: if key.is_empty() { Focus::Key } else { Focus::Name(0) },
            ..Self::default()
        }
    }

    /// The text field that has the focus.
    pub fn input(&mut self) -> Option<&mut Input> {
        match self.focus {
            Focus::Key => Some(&mut self.key),
            Focus::Name(row) => self.context.get_mut(row).map(|row| &mut row.name),
            Focus::Value(row) => self.context.get_mut(row).map(|row| &mut row.value),
            Focus::Bytes => Some(&mut self.bytes),
            Focus::GrantTokens => Some(&mut self.grant_tokens),
            Focus::Size | Focus::DryRun | Focus::Run => None,
        }
    }

    /// Whether keys are text now.
    #[must_use]
    pub const fn typing(&self) -> bool {
        !matches!(self.focus, Focus::Size | Focus::DryRun | Focus::Run)
    }

    /// All fields, in the order in which `Tab` goes through them.
    #[must_use]
    pub fn order(&self) -> Vec<Focus> {
        let mut order = vec![Focus::Key];
        for row in 0..self.context.len() {
            order.extend([Focus::Name(row), Focus::Value(row)]);
        }
        order.push(Focus::Size);
        if self.size == SizeChoice::Bytes {
            order.push(Focus::Bytes);
        }
        order.extend([Focus::GrantTokens, Focus::DryRun, Focus::Run]);
        order
    }

    /// Moves the focus by fields, around the ends.
    pub fn move_focus(&mut self, by: isize) {
        let next_moved_up = self.drop_emptied_rows() && by > 0;
        if next_moved_up {
            return;
        }
        let order = self.order();
        let at = order.iter().position(|focus| *focus == self.focus).unwrap_or_default();
        let next = (at + order.len()).saturating_add_signed(by) % order.len();
        self.focus = order[next];
        // A fresh row's value is not worth a stop.
        if let Focus::Value(row) = self.focus
            && self.context[row].is_empty()
        {
            self.focus = order[(next + order.len()).saturating_add_signed(by) % order.len()];
        }
    }

    /// Turns the choice that has the focus.
    pub fn choose(&mut self, by: isize) {
        match self.focus {
            Focus::Size => self.size = self.size.turn(by),
            Focus::DryRun => self.dry_run = !self.dry_run,
            _ => {}
        }
    }

    /// Gives a key to the text field that has the focus; whether it had a use for it.
    pub fn type_key(&mut self, chord: Chord) -> bool {
        let used = self.input().is_some_and(|input| text_input::handle(input, chord));
        self.keep_a_fresh_row();
        used
    }

    /// Takes pasted text. Into an empty context name goes a whole context: `a=b,c=d`, a line an
    /// entry, or JSON.
    ///
    /// # Errors
    /// What is wrong with a text that looks like a context and is none; it then stands in the
    /// field as it is, unless it is a request or has too many entries.
    pub fn paste(&mut self, text: &str) -> Result<(), String> {
        if let Focus::Name(row) = self.focus
            && self.context[row].is_empty()
            && (text.contains('=') || text.trim_start().starts_with('{'))
        {
            return self.paste_context(row, text);
        }
        let text = match self.focus {
            // A value is that value, to the letter.
            Focus::Name(_) | Focus::Value(_) => text,
            _ => text.trim(),
        };
        self.insert_text(text);
        Ok(())
    }

    fn paste_context(&mut self, row: usize, text: &str) -> Result<(), String> {
        let members = [Parameter::KeyId, Parameter::KeySpec, Parameter::NumberOfBytes];
        match read_context(text.trim()) {
            Ok(pasted) if members.iter().any(|member| pasted.get(member.member()).is_some()) => {
                Err("this is a request, not an encryption context: paste its EncryptionContext".to_owned())
            }
            Ok(pasted) if pasted.len() > MOST_PASTED_ROWS => {
                Err(format!("{} entries: a form takes {MOST_PASTED_ROWS} at once", pasted.len()))
            }
            Ok(pasted) => {
                self.insert_rows(row, &pasted);
                Ok(())
            }
            Err(problem) => {
                self.insert_text(text);
                Err(problem)
            }
        }
    }

    fn insert_text(&mut self, text: &str) {
        if let Some(input) = self.input() {
            text_input::insert(input, text);
        }
        self.keep_a_fresh_row();
    }

    fn insert_rows(&mut self, at: usize, pasted: &EncryptionContext) {
        let rows: Vec<ContextRow> = pasted.iter().map(|(name, value)| ContextRow::new(name, value)).collect();
        let count = rows.len();
        self.context.splice(at..=at, rows);
        self.keep_a_fresh_row();
        self.focus = Focus::Name((at + count).min(self.context.len() - 1));
    }

    fn keep_a_fresh_row(&mut self) {
        if self.context.last().is_none_or(|row| !row.is_empty()) {
            self.context.push(ContextRow::default());
        }
    }

    /// Whether the focus was in a row that went: it is in the next row's name then.
    fn drop_emptied_rows(&mut self) -> bool {
        let focused = match self.focus {
            Focus::Name(row) | Focus::Value(row) => Some(row),
            _ => None,
        };
        let last = self.context.len().saturating_sub(1);
        let mut index = 0;
        let mut gone_before_focus = 0;
        let mut focus_went = false;
        self.context.retain(|row| {
            let keep = index == last || !row.is_empty();
            if !keep {
                gone_before_focus += usize::from(focused.is_some_and(|focused| index < focused));
                focus_went |= focused == Some(index);
            }
            index += 1;
            keep
        });
        self.focus = match self.focus {
            // The row that moved up stands where the emptied one stood.
            Focus::Name(row) | Focus::Value(row) if focus_went => Focus::Name(row - gone_before_focus),
            Focus::Name(row) => Focus::Name(row - gone_before_focus),
            Focus::Value(row) => Focus::Value(row - gone_before_focus),
            other => other,
        };
        focus_went
    }

    /// The rows that are filled in.
    pub fn entries(&self) -> impl Iterator<Item = (usize, &str, &str)> {
        let rows = self.context.iter().enumerate().filter(|(_, row)| !row.is_empty());
        rows.map(|(index, row)| (index, row.name.value(), row.value.value()))
    }

    /// What the form says, unchecked. Exactly one of the two ways to say the length is in it.
    #[must_use]
    pub fn parameters(&self) -> Parameters {
        // A name given twice is a problem of the form's own (see `problems`): the first counts here.
        let mut seen = HashSet::new();
        let entries = self.entries().filter(|(_, name, _)| seen.insert(*name));
        let context = EncryptionContext::from_pairs(entries.map(|(_, name, value)| (name, value)));
        let context = context.unwrap_or_default();
        let tokens: Vec<String> = self.grant_tokens.value().split_whitespace().map(str::to_owned).collect();
        let (key_spec, number_of_bytes) = match self.size {
            SizeChoice::Aes256 => (Some(DataKeySpec::Aes256), None),
            SizeChoice::Aes128 => (Some(DataKeySpec::Aes128), None),
            SizeChoice::Bytes => (None, parse_number_of_bytes(self.bytes.value()).ok()),
        };
        Parameters {
            key_id: Some(self.key.value().to_owned()).filter(|key| !key.is_empty()),
            encryption_context: Some(context).filter(|context| !context.is_empty()),
            key_spec: key_spec.map(|spec| spec.as_str().to_owned()),
            number_of_bytes,
            grant_tokens: Some(tokens).filter(|tokens| !tokens.is_empty()),
            dry_run: self.dry_run.then_some(true),
        }
    }

    /// The request.
    ///
    /// # Errors
    /// All that keeps it from being one, in the order of the fields.
    pub fn request(&self) -> Result<DataKeyRequest, Vec<FieldProblem>> {
        let problems: Vec<FieldProblem> =
            self.problems().into_iter().filter(|problem| !problem.warning).collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        self.parameters()
            .check()
            .map_err(|problems| problems.into_iter().map(|problem| self.at_its_field(problem)).collect())
    }

    /// What is wrong, and what deserves a warning, in the order of the fields.
    #[must_use]
    pub fn problems(&self) -> Vec<FieldProblem> {
        let mut found: Vec<FieldProblem> = match (self.size, parse_number_of_bytes(self.bytes.value())) {
            (SizeChoice::Bytes, Err(problem)) => vec![self.at_its_field(problem)],
            _ => Vec::new(),
        };
        if let Err(problems) = self.parameters().check() {
            let unread_number = !found.is_empty();
            let rest = problems.into_iter().filter(|problem| {
                !(unread_number && matches!(problem.parameter, Parameter::KeySpec | Parameter::NumberOfBytes))
            });
            found.extend(rest.map(|problem| self.at_its_field(problem)));
        }
        let mut names: HashSet<&str> = HashSet::new();
        for (row, name, value) in self.entries() {
            if name.is_empty() {
                found.push(FieldProblem {
                    focus: Focus::Name(row),
                    message: "a value without a name: KMS takes no empty name".to_owned(),
                    warning: false,
                });
            } else if names.contains(name) {
                found.push(FieldProblem {
                    focus: Focus::Name(row),
                    message: format!("`{name}` is there twice: a name has one value"),
                    warning: false,
                });
            } else if value.is_empty() && self.focus != Focus::Value(row) && self.focus != Focus::Name(row) {
                found.push(FieldProblem {
                    focus: Focus::Value(row),
                    message: "an empty value: KMS very likely refuses it".to_owned(),
                    warning: true,
                });
            }
            names.insert(name);
        }
        found.sort_by_key(|problem| rank(problem.focus));
        found
    }

    /// The problems to show now: what is missing is marked once running was tried.
    #[must_use]
    pub fn shown_problems(&self) -> Vec<FieldProblem> {
        let missing = |focus: Focus| match focus {
            Focus::Key => self.key.value().is_empty(),
            Focus::Bytes => self.bytes.value().is_empty(),
            Focus::Name(row) => self.focus == Focus::Value(row) || self.focus == Focus::Name(row),
            _ => false,
        };
        self.problems()
            .into_iter()
            .filter(|problem| self.tried || problem.warning || !missing(problem.focus))
            .collect()
    }

    fn at_its_field(&self, problem: Problem) -> FieldProblem {
        let focus = match problem.parameter {
            Parameter::KeyId => Focus::Key,
            Parameter::EncryptionContext => Focus::Name(0),
            Parameter::KeySpec => Focus::Size,
            Parameter::NumberOfBytes if self.size == SizeChoice::Bytes => Focus::Bytes,
            Parameter::NumberOfBytes => Focus::Size,
            Parameter::GrantTokens => Focus::GrantTokens,
            Parameter::DryRun => Focus::DryRun,
        };
        FieldProblem { focus, message: problem.message, warning: false }
    }

    /// What is typed in Key, where it could be completed: the cursor stands behind it.
    #[must_use]
    pub fn completable(&self) -> Option<&str> {
        let typed = self.key.value();
        let may_go_on = self.focus == Focus::Key && !typed.is_empty() && text_input::at_end(&self.key);
        may_go_on.then_some(typed)
    }

    /// Puts the next of these names in Key, or the one before.
    pub fn cycle_name(&mut self, names: &[String], by: isize) {
        if names.is_empty() {
            return;
        }
        let at = names.iter().position(|name| name == self.key.value());
        let next = match at {
            Some(at) => (at + names.len()).saturating_add_signed(by) % names.len(),
            None => 0,
        };
        self.key = Input::new(names[next].clone());
    }
}

#[cfg(test)]
mod tests;
