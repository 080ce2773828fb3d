//! What a person laid down for a profile: read-only, and one more question before a run.
//!
//! It guards against slips; what a caller may do is for the service to say.

use super::super::{Connection, Effect, Popup, Screen, State, StatusKind};
use super::{calls, form};
use crate::domain::catalog::Source;
use crate::domain::place::PlaceKind;
use crate::domain::request::DataKeyRequest;

/// Whether a request may go out at once. Where not, it is said why, or the question is asked. A dry run
/// always may.
pub(super) fn lets(state: &mut State, source: Source, request: &DataKeyRequest) -> bool {
    if request.dry_run {
        return true;
    }
    let it = state.at(source);
    let profile = it.place.profile.clone();
    let marks = state.marks.of(profile.as_deref());
    // Which profile it is, where nobody named one, is known once the configuration has been read.
    let is_unknown = it.place.kind == PlaceKind::Aws
        && profile.is_none()
        && !matches!(it.connection, Connection::Ready)
        && state.marks.restrain_some();
    let dry_run = "tick Dry run to check the request";
    if state.marks.all_read_only {
        state.say(StatusKind::Error, format!("kmx was started with --read-only; {dry_run}"));
    } else if marks.read_only {
        let name = profile.unwrap_or_default();
        state.say(
            StatusKind::Error,
            format!("profile {name} is read_only in the configuration of kmx; {dry_run}"),
        );
    } else if is_unknown {
        let words = "it is not known yet which profile this runs on, and some are read_only or ask first";
        state.say(StatusKind::Error, format!("{words}; {dry_run}, or wait for the connection"));
    } else if marks.confirm {
        state.popup = Some(Popup::Question);
    } else {
        return true;
    }
    false
}

/// Yes: the request of the screen below the question goes out.
pub(super) fn confirmed(state: &mut State, effects: &mut Vec<Effect>) {
    state.popup = None;
    match state.screens.last() {
        Some(Screen::Form(_)) => form::run_at_once(state, effects),
        Some(Screen::Outcome(_)) => calls::again_at_once(state, effects),
        _ => {}
    }
}
