//! One key: what it is and can do, and the JSON of DescribeKey.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::table::{cell, state_of};
use super::{Theme, failure, inside, panel, scrolled, tabs, title};
use crate::app::{Details, DetailsTab, State};
use crate::domain::abilities::{Abilities, KeyFacts};
use crate::domain::catalog::Key;
use crate::domain::json;
use crate::domain::key::{KeyMetadata, KeyState};
use crate::domain::text::{keep_ends, printable, wrap};
use crate::domain::time::{ago, date_and_time};

/// Where values begin.
const LABEL: usize = 14;

pub(super) fn render(state: &State, details: &Details, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let current = DetailsTab::ALL.iter().position(|tab| *tab == details.tab).unwrap_or_default();
    let tabs = tabs(&DetailsTab::ALL.map(DetailsTab::title), current, theme);
    let row = state.catalog.key(details.key);
    let name = row.map_or_else(|| "this key is gone".to_owned(), |row| printable(&row.key_id()).into_owned());
    let room = usize::from(area.width).saturating_sub(tabs.width() + 6);
    let block = panel(title(keep_ends(&name, room), theme.title), tabs, theme);
    let body = inside(&block, area);
    frame.render_widget(block, area);
    let lines = lines(state, details, usize::from(body.width), theme);
    scrolled(lines, details.scroll, frame, body);
}

/// All lines of the tab.
pub(super) fn lines(state: &State, details: &Details, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    match state.catalog.key(details.key) {
        None => vec![Line::from("the last reload did not find it any more; esc goes back")],
        Some(key) => match (details.tab, &details.metadata, key.refusal()) {
            (DetailsTab::Overview, ..) if key.is_described() => overview(state, details, key, columns, theme),
            (DetailsTab::Json, None, Some(refusal)) => failure::lines(refusal, columns, theme),
            (_, None, _) => vec![Line::from("reading …")],
            (_, Some(metadata), _) => {
                let text = json::pretty(&**metadata, 4).unwrap_or_default();
                text.lines().flat_map(|line| wrap_indented(line, columns)).map(Line::from).collect()
            }
        },
    }
}

/// A long line of JSON goes on below itself, further in.
fn wrap_indented(line: &str, columns: usize) -> Vec<String> {
    let indent = line.len() - line.trim_start().len();
    let parts = wrap(line.trim_start(), columns.saturating_sub(indent + 4).max(10));
    let pad = |at: usize| " ".repeat(if at == 0 { indent } else { indent + 4 });
    parts.into_iter().enumerate().map(|(at, part)| format!("{}{part}", pad(at))).collect()
}

fn overview(
    state: &State,
    details: &Details,
    row: Key<'_>,
    columns: usize,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let (glyph, words, style) = state_of(row, state.now.wall, theme);
    let aliases = row.aliases().iter().filter_map(|alias| state.catalog.alias(*alias));
    let names: Vec<String> = aliases.map(|alias| printable(alias.name()).into_owned()).collect();
    let mut lines =
        vec![Line::from(Span::styled(format!("{glyph} {words}"), style.patch(theme.title))), Line::default()];
    let mut put = |label: &str, text: &str| lines.extend(fact(label, text, columns, theme));
    if let Some(metadata) = &details.metadata {
        put("Can", &can(metadata));
        for objection in metadata.objections() {
            put("Data keys", &format!("{}; {}", objection.reason, objection.way_out));
        }
    }
    put("Aliases", if names.is_empty() { "(no alias)" } else { &names[0] });
    for name in names.iter().skip(1) {
        put("", name);
    }
    put("ARN", &row.arn());
    let Some(metadata) = &details.metadata else {
        lines.push(Line::default());
        if let Some(refusal) = row.refusal() {
            lines.extend(failure::lines(refusal, columns, theme));
        }
        return lines;
    };
    for (label, text) in facts(state, metadata) {
        lines.extend(fact(label, &text, columns, theme));
    }
    lines
}

/// Label and value of what DescribeKey told, as far as it told.
fn facts(state: &State, metadata: &KeyMetadata) -> Vec<(&'static str, String)> {
    let now = state.now.wall;
    let dated = |at| format!("{}, {}", date_and_time(at), ago(at, now));
    let own = |text: &str| text.to_owned();
    let material_ends = metadata.expiration_model.as_deref();
    [
        ("Description", Some(own(&metadata.description)).filter(|text| !text.is_empty())),
        ("Spec", metadata.spec().map(own)),
        ("Usage", metadata.key_usage.as_ref().map(|usage| own(usage.words()))),
        ("Manager", metadata.key_manager.as_ref().map(|manager| own(manager.words()))),
        ("Origin", metadata.origin.as_ref().map(|origin| own(origin.as_str()))),
        ("Created", metadata.creation_date.map(dated)),
        ("Deletion", metadata.deletion_date.map(dated)),
        (
            "Deletion",
            metadata
                .pending_deletion_window_in_days
                .map(|days| format!("{days} days after the last replica is gone")),
        ),
        ("Material ends", metadata.valid_to.map(dated).or_else(|| material_ends.map(own))),
        ("Multi-Region", multi_region(metadata)),
        ("Key store", metadata.custom_key_store_id.clone()),
        ("External key", metadata.xks_key_configuration.as_ref().and_then(|xks| xks.id.clone())),
        ("Key material", metadata.current_key_material_id.clone()),
    ]
    .into_iter()
    .filter_map(|(label, value)| Some((label, value?)))
    .collect()
}

fn multi_region(metadata: &KeyMetadata) -> Option<String> {
    metadata.multi_region.filter(|multi_region| *multi_region)?;
    let Some(configuration) = &metadata.multi_region_configuration else {
        return Some("yes".to_owned());
    };
    let kind = configuration.multi_region_key_type.as_deref().unwrap_or("yes").to_lowercase();
    let region = |key: &crate::domain::key::MultiRegionKey| key.region.clone();
    let primary = configuration.primary_key.as_ref().and_then(region);
    let replicas: Vec<String> = configuration.replica_keys.iter().filter_map(region).collect();
    let mut words = kind;
    if let Some(primary) = primary.filter(|_| words != "primary") {
        words = format!("{words}, primary in {primary}");
    }
    if !replicas.is_empty() {
        words = format!("{words}, replicas in {}", replicas.join(", "));
    }
    Some(words)
}

fn can(metadata: &KeyMetadata) -> String {
    let facts = KeyFacts::of(metadata);
    let Abilities { uses, unknown, for_aws_alone, .. } = Abilities::of(&facts);
    if !uses.is_empty() {
        return format!(
            "{}{}",
            uses.join(", "),
            if for_aws_alone { ", for the AWS service alone" } else { "" }
        );
    }
    if let Some(unknown) = unknown {
        return unknown;
    }
    let enabled = Abilities::of(&KeyFacts { state: Some(&KeyState::Enabled), ..facts });
    format!("nothing in this state; enabled it could {}", enabled.uses.join(", "))
}

fn fact(label: &str, text: &str, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    let lines = wrap(&printable(text), columns.saturating_sub(LABEL));
    let label_of = |at| if at == 0 { label } else { "" };
    lines
        .into_iter()
        .enumerate()
        .map(|(at, line)| {
            Line::from(vec![Span::styled(cell(label_of(at), LABEL), theme.dim), Span::raw(line)])
        })
        .collect()
}
