//! What scans found out about a key, as the three forms of `kmx list` print it.

use serde_json::{Value, json};

use crate::domain::catalog::{Key, RotationSeen};
use crate::domain::details::{Aspect, KeyUse, LastUsage, Refusal, RotationStatus, Tag};
use crate::domain::failure::Failure;
use crate::domain::scan::{Finding, ScanKind};
use crate::domain::time::{date, iso};

/// The head of a scan's column.
pub(super) const fn title(kind: ScanKind) -> &'static str {
    match kind {
        ScanKind::Rotation => "ROTATION",
        ScanKind::Tags => "TAGS",
        ScanKind::LastUse => "LAST USED",
    }
}

/// A cell of its column, a line a tag.
pub(super) fn cell(key: Key<'_>, kind: ScanKind) -> Vec<String> {
    let one = |text: &str| vec![text.to_owned()];
    if kind == ScanKind::Rotation
        && let Some(RotationSeen::NotApplicable) = key.rotation()
    {
        return Vec::new();
    }
    match key.finding(kind).map(|seen| &seen.finding) {
        None | Some(Finding::NotApplicable) => Vec::new(),
        Some(Finding::Rotation { enabled: true, period_days: Some(days), .. }) => {
            one(&format!("on {days} d"))
        }
        Some(Finding::Rotation { enabled, .. }) => one(if *enabled { "on" } else { "off" }),
        Some(Finding::Tags(tags)) => tags.iter().map(|(name, value)| format!("{name}={value}")).collect(),
        Some(Finding::Used { at, .. }) => one(&date(*at)),
        Some(Finding::Unused { .. }) => one("never"),
        Some(Finding::Refused(failure)) => one(failure.in_a_word()),
    }
}

/// A field of the text form; the error's code where it was refused.
pub(super) fn text(key: Key<'_>, kind: ScanKind) -> Option<String> {
    if kind == ScanKind::Rotation
        && let Some(RotationSeen::NotApplicable) = key.rotation()
    {
        return None;
    }
    match &key.finding(kind)?.finding {
        Finding::Rotation { enabled, .. } => Some(if *enabled { "on" } else { "off" }.to_owned()),
        Finding::Tags(tags) if tags.is_empty() => None,
        Finding::Tags(tags) => {
            let pairs: Vec<String> = tags.iter().map(|(name, value)| format!("{name}={value}")).collect();
            Some(pairs.join(","))
        }
        Finding::Used { at, .. } => Some(iso(*at)),
        Finding::Unused { .. } => Some("never".to_owned()),
        Finding::NotApplicable => None,
        Finding::Refused(failure) => Some(code(failure)),
    }
}

fn code(failure: &Failure) -> String {
    failure.code.clone().unwrap_or_else(|| "Error".to_owned())
}

/// The member of the key's JSON, named and spelled as that of its details.
pub(super) fn member(key: Key<'_>, kind: ScanKind) -> Option<(String, Value)> {
    let aspect = match kind {
        ScanKind::Rotation => Aspect::Rotation,
        ScanKind::Tags => Aspect::Tags,
        ScanKind::LastUse => Aspect::LastUsage,
    };
    let value = match &key.finding(kind)?.finding {
        Finding::Rotation { enabled, period_days, next } => json!(RotationStatus {
            enabled: *enabled,
            period_in_days: *period_days,
            next_rotation_date: *next,
            on_demand_rotation_start_date: None,
        }),
        Finding::Tags(tags) => {
            let tag =
                |(name, value): &(String, String)| Tag { tag_key: name.clone(), tag_value: value.clone() };
            json!(tags.iter().map(tag).collect::<Vec<Tag>>())
        }
        Finding::Used { at, operation } => {
            let last = KeyUse { operation: operation.clone(), timestamp: Some(*at), ..KeyUse::default() };
            json!(LastUsage { last: Some(last), ..LastUsage::default() })
        }
        Finding::Unused { since } => json!(LastUsage { tracking_start_date: *since, ..LastUsage::default() }),
        Finding::NotApplicable => return None,
        Finding::Refused(failure) => json!(Refusal(failure)),
    };
    Some((aspect.member().to_owned(), value))
}
