//! The catalog in counts: what an operator comes to ask, each line with the filter that shows its keys.
//!
//! Everything comes from the catalog's tally, which is kept up row by row; nothing is called and no row
//! is looked at.

use std::collections::BTreeMap;

use super::State;
use crate::domain::catalog::Catalog;
use crate::domain::key::{KeyState, Traits};
use crate::domain::scan::ScanKind;

/// A heading with the lines under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    pub title: &'static str,
    /// Which of two columns it stands in, where there is room for two.
    pub column: Column,
    /// Whether its counts are drawn as bars beside each other.
    pub bars: bool,
    pub lines: Vec<Line>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Left,
    Right,
}

/// A count of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub glyph: &'static str,
    /// As the service spells it, where it is one of its values.
    pub label: String,
    /// `None` where it cannot be told yet.
    pub count: Option<usize>,
    /// The filter that shows these keys.
    pub filter: String,
    /// The state that it is about, for its colour.
    pub state: Option<KeyState>,
}

/// The selected line of the overview, counted over all sections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Selection(pub usize);

/// Specs that have a line of their own, at most.
const SPECS: usize = 6;

/// All sections, in the order in which the selection goes through their lines.
#[must_use]
pub fn sections(state: &State) -> Vec<Section> {
    let catalog = &state.catalog;
    let mut sections = vec![
        attention(state),
        deletions(state),
        ages(state),
        states(catalog),
        usages(catalog),
        specs(catalog),
    ];
    sections.retain(|section| !section.lines.is_empty());
    sections
}

/// The filter of the selected line.
#[must_use]
pub fn selected_filter(state: &State) -> Option<String> {
    let lines = sections(state).into_iter().flat_map(|section| section.lines);
    lines.map(|line| line.filter).nth(state.overview.0)
}

/// How many lines there are.
#[must_use]
pub fn line_count(state: &State) -> usize {
    sections(state).iter().map(|section| section.lines.len()).sum()
}

fn attention(state: &State) -> Section {
    let (catalog, now) = (&state.catalog, state.now.wall);
    let tally = catalog.tally();
    let count =
        |holds: &dyn Fn(&Traits) -> bool| sum(catalog, |traits, all, _| usize::from(holds(traits)) * all);
    let named = |holds: &dyn Fn(&Traits) -> bool| {
        let sum = sum(catalog, |traits, _, named| usize::from(holds(traits)) * named);
        catalog.knows_aliases().then_some(sum)
    };
    let in_state = |wanted: KeyState| count(&move |traits: &Traits| traits.key_state == Some(wanted.clone()));
    let customers = count(&Traits::is_customer_managed);
    let nameless = named(&Traits::is_customer_managed).map(|named| customers - named);
    let line = |glyph, label: &str, count, filter: &str| Line {
        glyph,
        label: label.to_owned(),
        count,
        filter: filter.to_owned(),
        state: None,
    };
    let mut lines = vec![
        line("✕", "deleted within 7 days", Some(tally.deletions(now, 0..7)), "deletion:7d"),
        line("✕", "deleted within 30 days", Some(tally.deletions(now, 0..30)), "deletion:30d"),
        line(
            "✕",
            "waits for replicas, no date",
            Some(in_state(KeyState::PendingReplicaDeletion)),
            "state:replica",
        ),
        line(
            "!",
            "has an alias, being deleted",
            named(&Traits::is_pending_deletion),
            "alias:any state:deletion",
        ),
        line("○", "disabled", Some(in_state(KeyState::Disabled)), "state:disabled"),
        line("!", "imported material expires", Some(tally.expirations(now, 0..30)), "expires:30d"),
        line("!", "customer key, no alias", nameless, "alias:none manager:customer"),
        line("⊘", "no access", Some(tally.refused()), "state:denied"),
        line("…", "not described yet", Some(tally.unknown()), "state:unknown"),
        line(
            "?",
            "rotation not read",
            Some(catalog.rotation_tally().not_read),
            "rotation:unknown manager:customer spec:symmetric origin:aws_kms",
        ),
    ];
    // Before a scan nobody knows of any.
    if catalog.scanned(ScanKind::Rotation) > 0 {
        lines.push(line("○", "rotation off", Some(catalog.rotation_tally().off), "rotation:off"));
    }
    Section { title: "ATTENTION", column: Column::Left, bars: false, lines }
}

fn deletions(state: &State) -> Section {
    let (tally, now) = (state.catalog.tally(), state.now.wall);
    let line = |label: &str, days: std::ops::Range<i64>, filter: &str| Line {
        glyph: " ",
        label: label.to_owned(),
        count: Some(tally.deletions(now, days)),
        filter: filter.to_owned(),
        state: Some(KeyState::PendingDeletion),
    };
    let lines = vec![
        line("0–7 days", 0..7, "deletion:7d"),
        line("8–14 days", 7..14, "deletion:14d !deletion:7d"),
        line("15–30 days", 14..30, "deletion:30d !deletion:14d"),
        line("later", 30..i64::from(u32::MAX), "deletion:any !deletion:30d"),
    ];
    Section { title: "DELETIONS AHEAD", column: Column::Left, bars: true, lines }
}

fn ages(state: &State) -> Section {
    const YEAR: i64 = 365;
    let (tally, now) = (state.catalog.tally(), state.now.wall);
    let line = |label: &str, days: std::ops::Range<i64>, filter: &str| Line {
        glyph: " ",
        label: label.to_owned(),
        count: Some(tally.created(now, days)),
        filter: filter.to_owned(),
        state: None,
    };
    let lines = vec![
        line("under 1 year", 0..YEAR, "newer:1y"),
        line("1–3 years", YEAR..3 * YEAR, "older:1y newer:3y"),
        line("over 3 years", 3 * YEAR..i64::from(u32::MAX), "older:3y"),
    ];
    Section { title: "AGE", column: Column::Left, bars: true, lines }
}

fn states(catalog: &Catalog) -> Section {
    let counts = grouped(catalog, |traits| traits.key_state.as_ref());
    let mut lines: Vec<Line> = counts
        .into_iter()
        .map(|(state, count)| Line {
            glyph: state.glyph(),
            label: state.words().to_owned(),
            count: Some(count),
            filter: format!("state:{}", state.as_str().to_lowercase()),
            state: Some(state.clone()),
        })
        .collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.count));
    Section { title: "STATE", column: Column::Right, bars: true, lines }
}

fn usages(catalog: &Catalog) -> Section {
    let counts = grouped(catalog, |traits| traits.key_usage.as_ref());
    let mut lines: Vec<Line> = counts
        .into_iter()
        .map(|(usage, count)| bar(usage.words(), count, format!("usage:{}", usage.as_str().to_lowercase())))
        .collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.count));
    Section { title: "USAGE", column: Column::Right, bars: true, lines }
}

fn specs(catalog: &Catalog) -> Section {
    let counts = grouped(catalog, |traits| traits.spec.as_ref());
    let mut lines: Vec<Line> = counts
        .into_iter()
        .map(|(spec, count)| bar(spec, count, format!("spec:{}", spec.to_lowercase())))
        .collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.count));
    if lines.len() > SPECS {
        let others = lines.split_off(SPECS - 1);
        let count = others.iter().filter_map(|line| line.count).sum();
        let values: Vec<&str> = others.iter().filter_map(|line| line.filter.strip_prefix("spec:")).collect();
        lines.push(bar("other specs", count, format!("spec:{}", values.join(","))));
    }
    Section { title: "SPEC", column: Column::Right, bars: true, lines }
}

fn bar(label: &str, count: usize, filter: String) -> Line {
    Line { glyph: " ", label: label.to_owned(), count: Some(count), filter, state: None }
}

/// Keys counted by what their traits say, those alone that are there.
fn grouped<'a, T: Ord>(catalog: &'a Catalog, of: impl Fn(&'a Traits) -> Option<T>) -> BTreeMap<T, usize> {
    let mut counts = BTreeMap::new();
    for (index, all, _) in catalog.tally().by_traits() {
        if let Some(value) = catalog.all_traits().get(index).and_then(&of).filter(|_| all > 0) {
            *counts.entry(value).or_default() += all;
        }
    }
    counts
}

fn sum(catalog: &Catalog, of: impl Fn(&Traits, usize, usize) -> usize) -> usize {
    let traits = catalog.all_traits();
    let counts = catalog.tally().by_traits();
    counts.filter_map(|(index, all, named)| Some(of(traits.get(index)?, all, named))).sum()
}

#[cfg(test)]
mod tests;
