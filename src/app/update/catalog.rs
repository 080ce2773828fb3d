//! Connecting, and taking in what loading brings.

use super::super::{
    Connection, Effect, Generation, Loading, Phase, Screen, State, StatusKind, Ticket, TopScreen, layout,
};
use crate::domain::catalog::{Changes, Described, KeyHandle};
use crate::domain::failure::Failure;
use crate::domain::identifier::Arn;
use crate::domain::loading::{List, LoadEvent, Part};
use crate::domain::place::Place;

/// Connects and reads everything anew. Rows stay until it is known what became of them.
pub(super) fn reload(state: &mut State, effects: &mut Vec<Effect>) {
    state.generation.0 += 1;
    state.connection = Connection::Connecting { since: state.now.elapsed };
    state.loading = Loading { since: state.now.elapsed, ..Loading::default() };
    state.wanted.clear();
    state.catalog.begin_round();
    effects.push(Effect::Connect { generation: state.generation });
}

pub(super) fn connected(state: &mut State, generation: Generation, place: Place) {
    if generation != state.generation {
        return;
    }
    let account = state.place.account.take();
    state.place = place;
    state.place.account = state.place.account.take().or(account);
    state.connection = Connection::Ready;
}

pub(super) fn not_connected(state: &mut State, generation: Generation, failure: Failure) {
    if generation == state.generation {
        state.connection = Connection::Failed(failure);
    }
}

pub(super) fn loaded(state: &mut State, generation: Generation, event: LoadEvent) {
    if generation != state.generation {
        return;
    }
    match event {
        LoadEvent::Keys(page) => {
            if let Some(arn) = page.first().and_then(|key| Arn::parse(&key.arn)) {
                state.place.account = Some(arn.account.to_owned()).filter(|account| !account.is_empty());
            }
            let changes = state.catalog.add_keys(page);
            take_in(state, &changes);
        }
        LoadEvent::Aliases(page) => {
            let changes = state.catalog.add_aliases(page);
            take_in(state, &changes);
        }
        LoadEvent::Described(answers) => {
            let mut changes = Changes::default();
            for (arn, described) in answers {
                let of_one = state.catalog.describe(&arn, described);
                changes.keys.extend(of_one.keys);
                changes.aliases.extend(of_one.aliases);
            }
            take_in(state, &changes);
        }
        LoadEvent::Complete(List::Keys) => {
            state.loading.keys = Phase::Complete;
            let changes = state.catalog.finish_keys();
            take_in(state, &changes);
        }
        LoadEvent::Complete(List::Aliases) => {
            state.loading.aliases = Phase::Complete;
            let changes = state.catalog.finish_aliases();
            take_in(state, &changes);
        }
        LoadEvent::Failed(part, failure) => {
            state.loading.retrying[part as usize] = None;
            match part {
                Part::Keys => state.loading.keys = Phase::Failed(failure),
                Part::Aliases => state.loading.aliases = Phase::Failed(failure),
                Part::Descriptions => state.loading.describing_failed = Some(failure),
            }
        }
        LoadEvent::Retrying(part, failure) => state.loading.retrying[part as usize] = Some(failure),
        LoadEvent::Recovered(part) => state.loading.retrying[part as usize] = None,
        LoadEvent::Finished => state.loading.finished = true,
    }
}

/// The answer to a question from the details.
pub(super) fn described(state: &mut State, ticket: Ticket, arn: &str, described: Described) {
    let asked = state.screens.iter_mut().find_map(|screen| match screen {
        Screen::Details(details) if details.ticket == Some(ticket) => Some(details),
        _ => None,
    });
    let Some(details) = asked else { return };
    details.ticket = None;
    if let Described::Refused(failure) = &described {
        state.say(StatusKind::Error, failure.sentence.clone());
        // What was known stays on the screen when a look at it fails.
        let row = state.catalog.key_of_arn(arn).and_then(|key| state.catalog.key(key));
        if row.is_some_and(|row| row.metadata().is_some()) {
            return;
        }
    } else {
        state.say(StatusKind::Success, "described again");
    }
    let changes = state.catalog.describe(arn, described);
    take_in(state, &changes);
}

fn take_in(state: &mut State, changes: &Changes) {
    state.keys.apply(&state.catalog, &changes.keys);
    state.aliases.apply(&state.catalog, &changes.aliases);
}

/// Asks for the rows on the screen to be described first, when they are others than last asked for.
pub(super) fn want_visible(state: &mut State, effects: &mut Vec<Effect>) {
    if state.loading.finished || !matches!(state.connection, Connection::Ready) {
        return;
    }
    let height = layout::list_height(state.size);
    let shown: Vec<KeyHandle> = match state.top {
        TopScreen::Keys => state.keys.visible(height).to_vec(),
        TopScreen::Aliases => {
            let rows = state.aliases.visible(height).iter();
            rows.filter_map(|alias| state.catalog.alias(*alias)?.key).collect()
        }
    };
    let of_the_details = match state.screen() {
        Some(Screen::Details(details)) => Some(details.key),
        _ => None,
    };
    let mut open: Vec<KeyHandle> = of_the_details.into_iter().chain(shown).collect();
    open.retain(|key| state.catalog.key(*key).is_some() && !state.catalog.is_fresh(*key));
    // A list that only got shorter was asked for already, unless another key goes first now.
    let same_first = of_the_details.is_none() || state.wanted.first() == open.first();
    if open.is_empty() || (same_first && open.iter().all(|key| state.wanted.contains(key))) {
        return;
    }
    let arns = open.iter().filter_map(|key| Some(state.catalog.key(*key)?.arn.to_string())).collect();
    state.wanted = open;
    effects.push(Effect::Want { arns });
}
