//! Scans: asked for, agreed to, under way, stopped.

use std::collections::HashSet;

use super::super::scan::{Part, Plan, Running};
use super::super::{Effect, Generation, Popup, State, StatusKind, Ticket, TopScreen};
use super::catalog::{remember, take_in};
use crate::domain::catalog::Changes;
use crate::domain::failure::Failure;
use crate::domain::scan::{Finding, ScanEvent, ScanKind};
use crate::domain::text::{plural, thousands};

/// Offers the three scans.
pub(super) fn offer(state: &mut State) {
    if state.top == TopScreen::Keys {
        state.popup = Some(Popup::Scans);
    } else {
        state.say(StatusKind::Info, "scans read the rows of Keys: 1 goes there");
    }
}

/// Counts the rows shown on Keys and says what reading them costs; nothing is called before a person
/// agrees.
pub(super) fn begin(state: &mut State, kind: ScanKind) {
    state.popup = None;
    if state.scans.running.iter().any(|running| running.kind == kind) {
        return state.say(StatusKind::Info, format!("{} is being read already; X stops it", kind.words()));
    }
    let plan = Plan::of(state, kind);
    if plan.keys.is_empty() {
        return state.say(StatusKind::Info, "there are no rows to scan");
    }
    state.scans.asked = Some(plan);
    state.popup = Some(Popup::Scan);
}

/// A person has agreed.
pub(super) fn agreed(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(plan) = state.scans.asked.take() else { return };
    if state.popup.take() != Some(Popup::Scan) {
        return;
    }
    let mut parts = Vec::new();
    for (source, keys) in &plan.keys {
        // A key may have gone since it was counted.
        let arns = keys.iter().filter_map(|key| Some(state.catalog.key(*key)?.arn()));
        let arns: Vec<String> = arns.collect();
        if arns.is_empty() {
            continue;
        }
        let (ticket, generation) = (state.ticket(), state.at(*source).generation);
        parts.push(Part { ticket, generation, left: arns.len() });
        effects.push(Effect::Scan { generation, kind: plan.kind, arns, ticket });
    }
    if parts.is_empty() {
        return state.say(StatusKind::Info, "there are no rows to scan");
    }
    state.scans.running.push(Running {
        kind: plan.kind,
        total: parts.iter().map(|part| part.left).sum(),
        done: 0,
        refused: 0,
        retrying: None,
        since: state.now.elapsed,
        failed: None,
        parts,
    });
}

/// Takes in what a scan found, and how it goes.
pub(super) fn scanned(state: &mut State, ticket: Ticket, event: ScanEvent, effects: &mut Vec<Effect>) {
    let has_it = |running: &Running| running.parts.iter().any(|part| part.ticket == ticket);
    let Some(at) = state.scans.running.iter().position(has_it) else { return };
    let running = &mut state.scans.running[at];
    match event {
        ScanEvent::Found(findings) => {
            running.done += findings.len();
            running.refused +=
                findings.iter().filter(|(_, found)| matches!(found, Finding::Refused(_))).count();
            for part in running.parts.iter_mut().filter(|part| part.ticket == ticket) {
                part.left = part.left.saturating_sub(findings.len());
            }
            let (kind, now) = (running.kind, state.now.wall);
            let mut changes = Changes::default();
            for (arn, finding) in findings {
                changes.extend(state.catalog.find(&arn, kind, finding, now));
            }
            take_in(state, &changes);
        }
        ScanEvent::Retrying(failure) => running.retrying = Some(failure),
        ScanEvent::Recovered => running.retrying = None,
        ScanEvent::Failed(failure) => {
            running.failed = Some(failure);
            ended(state, at, ticket, effects);
        }
        ScanEvent::Finished => ended(state, at, ticket, effects),
    }
}

fn ended(state: &mut State, at: usize, ticket: Ticket, effects: &mut Vec<Effect>) {
    let running = &mut state.scans.running[at];
    let ended = running.parts.iter().find(|part| part.ticket == ticket).map(|part| part.generation);
    running.parts.retain(|part| part.ticket != ticket);
    let is_over = running.parts.is_empty();
    if let Some(generation) = ended {
        remember(state, generation, effects);
    }
    if !is_over {
        return;
    }
    let running = state.scans.running.remove(at);
    let read = plural(running.done, "key", "keys");
    let what = running.kind.words();
    if let Some(Failure { sentence, .. }) = &running.failed {
        let total = thousands(running.total);
        state.say(StatusKind::Error, format!("{what} of {read} read, of {total}; then {sentence}"));
    } else if running.refused > 0 {
        let refused = thousands(running.refused);
        state.say(StatusKind::Info, format!("{what} of {read} read, {refused} of them refused"));
    } else {
        state.say(StatusKind::Success, format!("{what} of {read} read"));
    }
}

/// Stops every scan, because a person says so. What was found stays.
pub(super) fn stop(state: &mut State, effects: &mut Vec<Effect>) {
    let words = state.scans.running.iter().map(|running| {
        let (kind, done, total) = (running.kind.words(), thousands(running.done), thousands(running.total));
        format!("{kind} stopped after {done} of {total}")
    });
    let words: Vec<String> = words.collect();
    if words.is_empty() {
        return state.say(StatusKind::Info, "no scan is under way; x begins one");
    }
    let parts = state.scans.running.iter().flat_map(|running| &running.parts);
    let generations: HashSet<Generation> = parts.map(|part| part.generation).collect();
    stop_where(state, |_| true, effects);
    for generation in generations {
        remember(state, generation, effects);
    }
    state.say(StatusKind::Info, words.join("; "));
}

/// Stops every scan, and asks for none.
pub(super) fn stop_all(state: &mut State, effects: &mut Vec<Effect>) {
    state.scans.asked = None;
    stop_where(state, |_| true, effects);
}

/// Stops what a connection reads, before another takes its place.
pub(super) fn stop_over(state: &mut State, generation: Generation, effects: &mut Vec<Effect>) {
    stop_where(state, |part| part.generation == generation, effects);
}

fn stop_where(state: &mut State, stops: impl Fn(&Part) -> bool, effects: &mut Vec<Effect>) {
    for running in &mut state.scans.running {
        running.parts.retain(|part| {
            let stops = stops(part);
            if stops {
                effects.push(Effect::StopScan { ticket: part.ticket });
            }
            !stops
        });
    }
    state.scans.running.retain(|running| !running.parts.is_empty());
}
