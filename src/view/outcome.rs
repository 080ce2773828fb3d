//! What came of a request: it runs, a data key, or a refusal.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::table::cell;
use super::{Theme, failure, inside, panel, scrolled, title};
use crate::app::{Outcome, Progress, State};
use crate::domain::data_key::{Answer, DataKey};
use crate::domain::failure::FailureKind;
use crate::domain::place::PlaceKind;
use crate::domain::text::{plural, printable, thousands, width, wrap};

/// Where values begin.
const LABEL: usize = 16;

pub(super) fn render(state: &State, outcome: &Outcome, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let (name, right) = match &outcome.progress {
        Progress::Running { .. } => ("Request", String::new()),
        Progress::Done { answer: Answer::DataKey(_), took } => ("Data key", milliseconds(*took)),
        Progress::Done { answer: Answer::WouldSucceed { .. }, took } => ("Dry run", milliseconds(*took)),
        Progress::Failed { failure, took } if failure.is_answer() => {
            ("The service refused", milliseconds(*took))
        }
        Progress::Failed { failure, took } => {
            let unanswered = matches!(failure.kind, FailureKind::Connect | FailureKind::TimedOut);
            (if unanswered { "No answer" } else { "No data key" }, milliseconds(*took))
        }
    };
    let right = if right.is_empty() { Line::default() } else { title(right, theme.dim) };
    let block = panel(title(name, theme.title), right, theme);
    let body = inside(&block, area);
    frame.render_widget(block, area);
    let lines = lines(state, outcome, usize::from(body.width), theme);
    scrolled(lines, outcome.scroll, frame, body);
}

/// All lines of what came of a request.
pub(super) fn lines(state: &State, outcome: &Outcome, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    match &outcome.progress {
        Progress::Running { since, .. } => {
            let waited = state.now.elapsed.saturating_sub(*since).as_secs_f64();
            let place = &state.at(outcome.source).place;
            let whom = match place.kind {
                PlaceKind::Aws => place.host().unwrap_or_else(|| "KMS".to_owned()),
                PlaceKind::Local => "the local KMS".to_owned(),
            };
            let words = format!("asking {}, {waited:.1} s", printable(&whom));
            vec![Line::from(words), Line::default(), Line::from(Span::styled("esc cancels", theme.dim))]
        }
        Progress::Done { answer: Answer::DataKey(key), .. } => data_key(state, outcome, key, columns, theme),
        Progress::Done { answer: Answer::WouldSucceed { request_id }, .. } => {
            let sentence = "The request would have succeeded. Nothing was made: this was a dry run.";
            let mut lines = vec![Line::from(Span::styled(sentence, theme.good)), Line::default()];
            lines.extend(request(outcome, columns, theme));
            lines.extend(request_id.iter().flat_map(|id| value("Request id", id, columns, theme)));
            lines
        }
        Progress::Failed { failure, .. } => failure::lines(failure, columns, theme),
    }
}

fn milliseconds(took: std::time::Duration) -> String {
    format!("{} ms", thousands(usize::try_from(took.as_millis()).unwrap_or(usize::MAX)))
}

fn data_key(
    state: &State,
    outcome: &Outcome,
    key: &DataKey,
    columns: usize,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    if outcome.request.dry_run {
        let words = "! the endpoint knows no dry run, and made a data key";
        lines.extend([Line::from(Span::styled(words, theme.warning)), Line::default()]);
    }
    lines.extend(value("CiphertextBlob", &key.ciphertext_blob, columns, theme));
    lines.push(Line::default());
    let bytes = plural(key.length, "byte", "bytes");
    let size = format!("{bytes}, {} characters of Base64", thousands(key.ciphertext_blob.len()));
    lines.extend(value("Size", &size, columns, theme));
    let asked = &outcome.request.key_id;
    let named = match &key.key_id {
        Some(arn) if arn != asked => format!("{asked} → {arn}"),
        _ => asked.clone(),
    };
    lines.extend(value("Key", &named, columns, theme));
    if let (Some(listed), Some(arn)) = (&outcome.listed_arn, &key.key_id)
        && listed != arn
    {
        let words = format!("! the list had {listed} under this name");
        lines.extend(styled_value("", &words, columns, theme.warning, theme));
    }
    if let Some(material) = &key.key_material_id {
        lines.extend(value("Key material", material, columns, theme));
    }
    lines.extend(context(outcome, columns, theme));
    let length = plural(usize::from(outcome.request.size.bytes()), "byte", "bytes");
    lines.extend(value("Data key", &format!("{length}, encrypted; no plaintext was sent"), columns, theme));
    if let Some(id) = &key.request_id {
        lines.extend(value("Request id", id, columns, theme));
    }
    if key.is_local() || state.at(outcome.source).place.kind == PlaceKind::Local {
        lines.push(Line::default());
        let words = "made by a local KMS: no key of AWS opens it";
        lines.push(Line::from(Span::styled(words, theme.warning)));
    }
    lines
}

fn request(outcome: &Outcome, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = value("Key", &outcome.request.key_id, columns, theme);
    lines.extend(context(outcome, columns, theme));
    lines
}

fn context(outcome: &Outcome, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    let entries = &outcome.request.encryption_context;
    if entries.is_empty() {
        return value("Context", "none", columns, theme);
    }
    let mut lines = Vec::new();
    for (at, (name, text)) in entries.iter().enumerate() {
        let label = if at == 0 { "Context" } else { "" };
        lines.extend(value(label, &format!("{name}={text}"), columns, theme));
    }
    lines.extend(styled_value("", "Decrypt needs exactly this.", columns, theme.dim, theme));
    lines
}

fn value(label: &str, text: &str, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    styled_value(label, text, columns, ratatui::style::Style::new(), theme)
}

fn styled_value(
    label: &str,
    text: &str,
    columns: usize,
    style: ratatui::style::Style,
    theme: &Theme,
) -> Vec<Line<'static>> {
    // On a narrow screen a value gets the whole width, below its label.
    let narrow = columns < 60 && width(text) > columns.saturating_sub(LABEL);
    let room = if narrow { columns } else { columns.saturating_sub(LABEL) };
    let mut lines = Vec::new();
    if narrow && !label.is_empty() {
        lines.push(Line::from(Span::styled(label.to_owned(), theme.dim)));
    }
    for (at, line) in wrap(&printable(text), room).into_iter().enumerate() {
        let mut spans = Vec::new();
        if !narrow {
            spans.push(Span::styled(cell(if at == 0 { label } else { "" }, LABEL), theme.dim));
        }
        spans.push(Span::styled(line, style));
        lines.push(Line::from(spans));
    }
    lines
}
