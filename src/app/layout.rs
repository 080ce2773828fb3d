//! Where things stand on the screen: a pure function of its size and the state.
//!
//! Both `update` (how far a page scrolls) and the drawing use it, so that neither depends on the
//! other.

use ratatui::layout::{Constraint, Layout, Rect, Size};

use super::form::{Focus, Form, Preview};

/// Below this many columns or rows nothing but a sentence is shown.
pub const SMALLEST: Size = Size { width: 20, height: 5 };
/// From this many columns on the preview stands beside the form.
pub const WIDE: u16 = 120;

/// The three parts of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    pub header: Rect,
    pub body: Rect,
    pub footer: Rect,
}

/// Whether the screen is too small to show anything.
#[must_use]
pub const fn too_small(size: Size) -> bool {
    size.width < SMALLEST.width || size.height < SMALLEST.height
}

/// Header, body and footer, a line each but the body.
#[must_use]
pub fn frame(size: Size) -> Frame {
    let area = Rect::new(0, 0, size.width, size.height);
    let [header, body, footer] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(0), Constraint::Length(1)]).areas(area);
    Frame { header, body, footer }
}

/// Rows that a list shows: the body without its border and its heads.
#[must_use]
pub fn list_height(size: Size) -> usize {
    usize::from(frame(size).body.height.saturating_sub(3))
}

/// Lines that a panel in the body shows.
#[must_use]
pub fn panel_height(size: Size) -> usize {
    usize::from(frame(size).body.height.saturating_sub(2))
}

/// Columns inside a panel's border, with a blank on either side.
#[must_use]
pub fn panel_width(size: Size) -> usize {
    usize::from(frame(size).body.width.saturating_sub(4))
}

/// The widest that a picker gets, and the highest.
const PICKER: Size = Size { width: 100, height: 26 };
/// Lines of a picker that are no rows: its borders, and the field that is typed in.
const AROUND_ROWS: u16 = 3;

/// Where a picker stands: in the middle of the body, of the same size whatever it shows.
#[must_use]
pub fn picker(size: Size) -> Rect {
    let body = frame(size).body;
    let (width, height) = (body.width.min(PICKER.width), body.height.min(PICKER.height));
    let (left, above) = ((body.width - width) / 2, (body.height - height) / 2);
    Rect { x: body.x + left, y: body.y + above, width, height }
}

/// Rows that a picker shows.
#[must_use]
pub fn picker_height(size: Size) -> usize {
    usize::from(picker(size).height.saturating_sub(AROUND_ROWS))
}

/// The form and its preview.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormAreas {
    pub form: Rect,
    pub preview: Option<Rect>,
}

/// Beside each other where there is room, else the preview below the form.
#[must_use]
pub fn form_areas(size: Size, preview: Preview) -> FormAreas {
    let body = frame(size).body;
    if preview == Preview::Off {
        return FormAreas { form: body, preview: None };
    }
    if size.width >= WIDE {
        let [form, preview] =
            Layout::horizontal([Constraint::Percentage(58), Constraint::Percentage(42)]).areas(body);
        return FormAreas { form, preview: Some(preview) };
    }
    let [form, preview] = Layout::vertical([Constraint::Percentage(50), Constraint::Min(0)]).areas(body);
    FormAreas { form, preview: Some(preview) }
}

/// A line of the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormLine {
    Blank,
    Key,
    /// What is known of the key: a line each, by index.
    KeyFact(usize),
    ContextHead,
    ContextRow(usize),
    Note,
    Size,
    GrantTokens,
    DryRun,
    Run,
    Problem {
        focus: Focus,
        message: String,
        warning: bool,
    },
}

/// The lines of the form, from top to bottom; `facts` is how many lines the key's state takes.
#[must_use]
pub fn form_lines(form: &Form, facts: usize, roomy: bool) -> Vec<FormLine> {
    let problems = form.shown_problems();
    let mut lines = vec![FormLine::Key];
    let under = |lines: &mut Vec<FormLine>, wanted: &dyn Fn(Focus) -> bool| {
        let found = problems.iter().filter(|problem| wanted(problem.focus));
        lines.extend(found.map(|problem| FormLine::Problem {
            focus: problem.focus,
            message: problem.message.clone(),
            warning: problem.warning,
        }));
    };
    under(&mut lines, &|focus| focus == Focus::Key);
    lines.extend((0..facts).map(FormLine::KeyFact));
    if roomy {
        lines.push(FormLine::Blank);
    }
    lines.push(FormLine::ContextHead);
    for row in 0..form.context.len() {
        lines.push(FormLine::ContextRow(row));
        under(&mut lines, &|focus| focus == Focus::Name(row) || focus == Focus::Value(row));
    }
    if roomy {
        lines.extend([FormLine::Note, FormLine::Blank]);
    }
    lines.push(FormLine::Size);
    under(&mut lines, &|focus| focus == Focus::Size || focus == Focus::Bytes);
    lines.push(FormLine::GrantTokens);
    under(&mut lines, &|focus| focus == Focus::GrantTokens);
    lines.push(FormLine::DryRun);
    lines.push(FormLine::Blank);
    lines.push(FormLine::Run);
    lines
}

/// Whether a line holds the field with the focus.
#[must_use]
pub fn holds_focus(line: &FormLine, form: &Form) -> bool {
    match (line, form.focus) {
        (FormLine::Key, Focus::Key)
        | (FormLine::Size, Focus::Size | Focus::Bytes)
        | (FormLine::GrantTokens, Focus::GrantTokens)
        | (FormLine::DryRun, Focus::DryRun)
        | (FormLine::Run, Focus::Run) => true,
        (FormLine::ContextRow(row), Focus::Name(at) | Focus::Value(at)) => *row == at,
        _ => false,
    }
}
