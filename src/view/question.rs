//! The question before a run: what will be done, and where.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::help::centred;
use super::table::cell;
use super::{Theme, inside, panel, title};
use crate::app::{Screen, State};
use crate::domain::place::PlaceKind;
use crate::domain::request::DataKeyRequest;
use crate::domain::text::{printable, wrap};

const COLUMNS: u16 = 72;
const LABEL: usize = 10;

pub(super) fn render(state: &State, theme: &Theme, frame: &mut Frame<'_>, body: Rect) {
    let request = match state.screen() {
        Some(Screen::Form(screen)) => screen.form.request().ok(),
        Some(Screen::Outcome(outcome)) => Some(outcome.request.clone()),
        _ => None,
    };
    let Some(request) = request else { return };
    let room = usize::from(COLUMNS.min(body.width.saturating_sub(4))).saturating_sub(LABEL);
    let mut lines = Vec::new();
    for (label, text) in said(state, &request) {
        for (at, line) in wrap(&printable(&text), room).into_iter().enumerate() {
            let label = cell(if at == 0 { label } else { "" }, LABEL);
            lines.push(Line::from(vec![Span::styled(label, theme.dim), Span::raw(line)]));
        }
    }
    let area = centred(body, COLUMNS, lines.len());
    let block = panel(title("Run this?", theme.warning), title("enter run   esc back", theme.dim), theme);
    frame.render_widget(Clear, area);
    let inner = inside(&block, area);
    frame.render_widget(block, area);
    frame.render_widget(Paragraph::new(lines), inner);
}

/// What is asked about, a line each: what it is called, and what it is.
fn said(state: &State, request: &DataKeyRequest) -> Vec<(&'static str, String)> {
    let place = state.place();
    let mut said = vec![("Does", "GenerateDataKeyWithoutPlaintext".to_owned())];
    if place.kind == PlaceKind::Local {
        said.push(("Where", "the local KMS, not AWS".to_owned()));
    }
    if let Some(profile) = &place.profile {
        let word = state.marks_here().word.map(|word| format!(", {word}"));
        said.push(("Profile", format!("{profile}{}", word.unwrap_or_default())));
    }
    let account = place.account.as_deref().unwrap_or("not known yet");
    said.push(("Account", account.to_owned()));
    said.extend(place.region.clone().map(|region| ("Region", region)));
    if !place.is_aws_endpoint() {
        said.extend(place.host().map(|host| ("Endpoint", host)));
    }
    said.push(("Key", request.key_id.clone()));
    let key = state.catalog.resolve_in(state.source(), &request.key_id);
    let arn = key.and_then(|key| state.catalog.key(key)).map(crate::domain::catalog::Key::arn);
    said.extend(arn.filter(|arn| *arn != request.key_id).map(|arn| ("", arn)));
    said
}
