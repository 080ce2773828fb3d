//! The form and its preview.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use tui_input::Input;

use super::field::window;
use super::table::{cell, state_of};
use super::{Theme, inside, panel, scroll_mark, scrolled, title};
use crate::app::form::{Focus, Form, Preview, SizeChoice};
use crate::app::layout::{self, FormLine};
use crate::app::{State, form_facts};
use crate::domain::json;
use crate::domain::place::PlaceKind;
use crate::domain::request::{Breaks, Parameter, aws_command};
use crate::domain::text::{keep_end, keep_start, printable, width, wrap};

/// Where values begin, on a wide screen and on a narrow one.
const LABEL: (usize, usize) = (18, 15);
/// From this many columns on labels take the wider place.
const ROOMY: u16 = 74;
/// The widest name field of the context.
const WIDEST_NAME: usize = 30;

pub(super) fn render(state: &State, form: &Form, theme: &Theme, frame: &mut Frame<'_>) {
    let areas = layout::form_areas(state.size, form.preview);
    let block = panel(title("New data key", theme.title), Line::default(), theme);
    let body = inside(&block, areas.form);
    frame.render_widget(block, areas.form);
    Drawing::new(state, form, theme, body).render(frame);
    if let Some(area) = areas.preview {
        preview(state, form, theme, frame, area);
    }
}

/// What drawing the form needs at every line.
struct Drawing<'a> {
    state: &'a State,
    form: &'a Form,
    theme: &'a Theme,
    area: Rect,
    label: usize,
    facts: Vec<(bool, String)>,
}

impl<'a> Drawing<'a> {
    fn new(state: &'a State, form: &'a Form, theme: &'a Theme, area: Rect) -> Self {
        let label = if area.width >= ROOMY { LABEL.0 } else { LABEL.1 };
        let room = usize::from(area.width).saturating_sub(label);
        let facts = form_facts(state, form);
        let wrapped = facts.into_iter().flat_map(|(warns, text)| {
            let lines = wrap(&printable(&text), room);
            lines.into_iter().map(move |line| (warns, line)).collect::<Vec<_>>()
        });
        let facts = wrapped.collect();
        Self { state, form, theme, area, label, facts }
    }

    fn render(&self, frame: &mut Frame<'_>) {
        let height = usize::from(self.area.height);
        let roomy = |roomy| {
            let lines = layout::form_lines(self.form, self.facts.len(), roomy);
            lines.into_iter().flat_map(|line| self.wrapped(line)).collect::<Vec<_>>()
        };
        let mut lines = roomy(true);
        if lines.len() > height {
            lines = roomy(false);
        }
        let focused = lines.iter().position(|line| layout::holds_focus(line, self.form)).unwrap_or_default();
        // The line with the focus is in view, with the line below it: its problem.
        let skip = (focused + 2).saturating_sub(height).min(lines.len().saturating_sub(height));
        let mut drawn = Vec::new();
        let mut cursor = None;
        for (at, line) in lines.iter().enumerate().skip(skip).take(height) {
            let (line, column) = self.line(line);
            let row = u16::try_from(at - skip).unwrap_or_default();
            cursor = cursor.or(column.map(|column| (column, row)));
            drawn.push(line);
        }
        scroll_mark(skip, lines.len().saturating_sub(skip + height), frame, self.area);
        scrolled(drawn, 0, frame, self.area);
        // Choices have no cursor: the field with the focus is marked as a row of a list is.
        let row = u16::try_from(focused.saturating_sub(skip)).unwrap_or_default();
        let marker = Rect { x: self.area.x.saturating_sub(1), y: self.area.y + row, width: 1, height: 1 };
        if focused >= skip && row < self.area.height {
            frame.render_widget(Span::styled("▌", self.theme.accent), marker);
        }
        if let (Some((column, row)), None, None) = (cursor, &self.state.popup, &self.state.picker) {
            let x = self.area.x + u16::try_from(column).unwrap_or_default();
            frame.set_cursor_position(Position::new(x.min(self.area.right()), self.area.y + row));
        }
    }

    /// A problem is told whole, in as many lines as it needs.
    fn wrapped(&self, line: FormLine) -> Vec<FormLine> {
        let FormLine::Problem { focus, message, warning } = line else { return vec![line] };
        let room = usize::from(self.area.width).saturating_sub(self.label);
        let lines = wrap(&format!("! {}", printable(&message)), room).into_iter();
        lines.map(|message| FormLine::Problem { focus, message, warning }).collect()
    }

    /// A line, and the column of the cursor where it holds the field with the focus.
    fn line(&self, line: &FormLine) -> (Line<'static>, Option<usize>) {
        let room = usize::from(self.area.width).saturating_sub(self.label);
        match line {
            FormLine::Blank => (Line::default(), None),
            FormLine::Key => self.key(room),
            FormLine::KeyFact(at) => (self.fact(*at), None),
            FormLine::ContextHead => {
                let name = self.name_width(room);
                let heads = format!("{}  VALUE", cell("NAME", name));
                (Line::from(vec![self.label("Context", false), Span::styled(heads, self.theme.dim)]), None)
            }
            FormLine::ContextRow(row) => self.context_row(*row, room),
            FormLine::Note => {
                let words = "CloudTrail logs it. Decrypt needs exactly the same.";
                (Line::from(vec![self.label("", false), Span::styled(words, self.theme.dim)]), None)
            }
            FormLine::Size => self.size(room),
            FormLine::GrantTokens => {
                let focused = self.form.focus == Focus::GrantTokens;
                self.field(Parameter::GrantTokens.label(), &self.form.grant_tokens, "none", room, focused)
            }
            FormLine::DryRun => {
                let mark = if self.form.dry_run { "[x]" } else { "[ ]" };
                let focused = self.form.focus == Focus::DryRun;
                let words = format!("{mark} only check whether it would succeed");
                let style = self.style(focused);
                let label = self.label(Parameter::DryRun.label(), focused);
                (Line::from(vec![label, Span::styled(words, style)]), None)
            }
            FormLine::Run => {
                let focused = self.form.focus == Focus::Run;
                let style = if focused { self.theme.accent.patch(self.theme.title) } else { Style::new() };
                let button = Span::styled("[ Run   ctrl+r ]", style);
                (Line::from(vec![Span::raw(" ".repeat(self.label)), button]), None)
            }
            FormLine::Problem { message, warning, .. } => {
                let style = if *warning { self.theme.warning } else { self.theme.bad };
                (Line::from(vec![self.label("", false), Span::styled(message.clone(), style)]), None)
            }
        }
    }

    fn label(&self, text: &str, focused: bool) -> Span<'static> {
        let style = if focused { self.theme.accent } else { self.theme.dim };
        Span::styled(cell(text, self.label), style)
    }

    const fn style(&self, focused: bool) -> Style {
        if focused { self.theme.accent } else { Style::new() }
    }

    fn field(
        &self,
        label: &str,
        input: &Input,
        placeholder: &str,
        room: usize,
        focused: bool,
    ) -> (Line<'static>, Option<usize>) {
        let label_span = self.label(label, focused);
        if input.value().is_empty() && !focused {
            let empty = Span::styled(placeholder.to_owned(), self.theme.dim);
            return (Line::from(vec![label_span, empty]), None);
        }
        let (text, column) = window(input, room);
        // Identifiers tell themselves apart by their ends.
        let text = if focused { text } else { keep_end(&printable(input.value()), room).into_owned() };
        let line = Line::from(vec![label_span, Span::raw(text)]);
        (line, focused.then_some(self.label + column))
    }

    fn key(&self, room: usize) -> (Line<'static>, Option<usize>) {
        let focused = self.form.focus == Focus::Key;
        let placeholder = "alias/…, key id, key ARN or alias ARN";
        let label = Parameter::KeyId.label();
        let (mut line, cursor) = self.field(label, &self.form.key, placeholder, room, focused);
        if let Some(ending) = self.state.completion(self.form).filter(|_| focused) {
            let left = room.saturating_sub(width(&printable(self.form.key.value())) + 14);
            let ending = keep_start(&printable(&ending), left).into_owned();
            // In brackets, so that weight alone does not tell what is typed from what is offered.
            line.push_span(Span::styled(format!("[{ending}]  → accepts"), self.theme.dim));
        }
        (line, cursor)
    }

    fn fact(&self, at: usize) -> Line<'static> {
        let Some((warns, text)) = self.facts.get(at) else { return Line::default() };
        let style = if *warns { self.theme.warning } else { self.fact_style(text) };
        Line::from(vec![self.label("", false), Span::styled(text.clone(), style)])
    }

    /// The key's state in the colour that it has in the list.
    fn fact_style(&self, text: &str) -> Style {
        let source = self.state.source();
        let row = self.state.catalog.resolve_in(source, self.form.key.value());
        let row = row.and_then(|key| self.state.catalog.key(key));
        row.map(|row| state_of(row, self.state.now.wall, self.theme))
            .filter(|(glyph, ..)| text.starts_with(glyph))
            .map_or(self.theme.dim, |(_, _, style)| style)
    }

    fn name_width(&self, room: usize) -> usize {
        let longest =
            self.form.context.iter().map(|row| width(row.name.value()) + 1).max().unwrap_or_default();
        longest.clamp(16, WIDEST_NAME).min(room / 2)
    }

    fn context_row(&self, row: usize, room: usize) -> (Line<'static>, Option<usize>) {
        let Some(entry) = self.form.context.get(row) else { return (Line::default(), None) };
        let (name_focused, value_focused) =
            (self.form.focus == Focus::Name(row), self.form.focus == Focus::Value(row));
        let fresh = entry.name.value().is_empty() && entry.value.value().is_empty();
        let name_width = self.name_width(room);
        let value_width = room.saturating_sub(name_width + 2);
        let (name, name_cursor) = window(&entry.name, name_width);
        let (value, value_cursor) = window(&entry.value, value_width);
        let mut spans = vec![self.label("", false)];
        if fresh && !name_focused && !value_focused {
            spans.push(Span::styled("+", self.theme.dim));
        } else {
            spans.push(Span::raw(cell(&name, name_width)));
            spans.push(Span::raw("  "));
            spans.push(Span::raw(value));
        }
        let cursor = match (name_focused, value_focused) {
            (true, _) => Some(self.label + name_cursor),
            (_, true) => Some(self.label + name_width + 2 + value_cursor),
            _ => None,
        };
        (Line::from(spans), cursor)
    }

    fn size(&self, room: usize) -> (Line<'static>, Option<usize>) {
        let on_size = self.form.focus == Focus::Size;
        let on_bytes = self.form.focus == Focus::Bytes;
        let mut spans = vec![self.label(Parameter::KeySpec.label(), on_size || on_bytes)];
        let mut used = 0;
        for choice in SizeChoice::ALL {
            let chosen = self.form.size == choice;
            let mark = if chosen { "(•)" } else { "( )" };
            let text = format!("{mark} {}", choice.label());
            used += width(&text) + 2;
            let style = if chosen { self.style(on_size) } else { self.theme.dim };
            spans.push(Span::styled(text, style));
            spans.push(Span::raw(if choice == SizeChoice::Bytes { ": " } else { "  " }));
        }
        if self.form.size != SizeChoice::Bytes {
            spans.pop();
            return (Line::from(spans), None);
        }
        let (text, column) = window(&self.form.bytes, room.saturating_sub(used).max(6));
        let empty = self.form.bytes.value().is_empty();
        spans.push(if empty && !on_bytes {
            Span::styled("1 to 1024", self.theme.dim)
        } else {
            Span::raw(text)
        });
        (Line::from(spans), on_bytes.then_some(self.label + used + column))
    }
}

/// The request as JSON or as a command, and what it needs.
fn preview(state: &State, form: &Form, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let tab = |name: &str, shown: bool| {
        if shown {
            Span::styled(format!("[{name}]"), theme.title)
        } else {
            Span::styled(format!(" {name} "), theme.dim)
        }
    };
    let tabs = Line::from(vec![
        Span::raw(" "),
        tab("JSON", form.preview == Preview::Json),
        tab("aws command", form.preview == Preview::Command),
        Span::styled(" ctrl+t ", theme.dim),
    ]);
    let block = panel(title("Request", theme.title), tabs, theme);
    let body = inside(&block, area);
    frame.render_widget(block, area);
    let columns = usize::from(body.width);
    let request = match form.request() {
        Ok(request) => request,
        Err(problems) => {
            let mut lines = vec![Line::from(Span::styled("not a request yet", theme.dim)), Line::default()];
            for problem in problems {
                let text = format!("! {}", printable(&problem.message));
                lines.extend(
                    wrap(&text, columns).into_iter().map(|line| Line::from(Span::styled(line, theme.dim))),
                );
            }
            scrolled(lines, 0, frame, body);
            return;
        }
    };
    let text = match form.preview {
        Preview::Command => aws_command(&request, state.place(), Breaks::Lines),
        _ => json::pretty(&request.to_json(), 2).unwrap_or_default(),
    };
    let mut lines: Vec<Line<'_>> =
        text.lines().flat_map(|line| wrap(&printable(line), columns)).map(Line::from).collect();
    lines.push(Line::default());
    let note = match (form.preview, state.place().kind) {
        (Preview::Command, PlaceKind::Local) => {
            "the local KMS of this process has no endpoint: this is the command for AWS".to_owned()
        }
        (_, PlaceKind::Local) => String::new(),
        _ => {
            let row = state.catalog.resolve(&request.key_id).and_then(|key| state.catalog.key(key));
            let on = row.map_or_else(|| request.key_id.clone(), super::super::domain::catalog::Key::arn);
            format!("needs kms:GenerateDataKeyWithoutPlaintext on {on}")
        }
    };
    let note = wrap(&printable(&note), columns);
    lines.extend(note.into_iter().map(|line| Line::from(Span::styled(line, theme.dim))));
    scrolled(lines, 0, frame, body);
}
