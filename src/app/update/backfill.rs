//! Describing what is not on the screen: pausing it, and going on.

use super::super::{Connection, Effect, Generation, State, StatusKind};

/// Pauses describing, or goes on with it.
pub(super) fn pause_or_go_on(state: &mut State, effects: &mut Vec<Effect>) {
    if !state.is_reading() {
        state.paused = false;
        let words = if state.connected.iter().any(|it| has_failed(&it.connection) || it.loading.broke_off()) {
            "reading ended before its end; r goes on from there"
        } else {
            "everything is described"
        };
        state.say(StatusKind::Info, words);
        return;
    }
    state.paused = !state.paused;
    let words = if state.paused {
        "paused: only what is on the screen is described; A goes on"
    } else {
        "describing all keys"
    };
    state.say(StatusKind::Info, words);
    for it in state.connected.iter().filter(|it| !it.loading.finished) {
        effects.push(Effect::Backfill { generation: it.generation, paused: state.paused });
    }
}

const fn has_failed(connection: &Connection) -> bool {
    matches!(connection, Connection::Failed(_))
}

/// A pause holds for what is read over a new connection too.
pub(super) fn connected(state: &State, generation: Generation, effects: &mut Vec<Effect>) {
    if state.paused && state.source_of(generation).is_some() {
        effects.push(Effect::Backfill { generation, paused: true });
    }
}
