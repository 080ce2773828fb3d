//! Connecting, and taking in what loading brings.

use super::super::{
    Connection, Effect, Generation, Loading, Phase, Screen, State, StatusKind, Ticket, TopScreen, layout,
};
use crate::domain::catalog::{Changes, Described, Key, KeyHandle, ListedKey, Remembered, Source};
use crate::domain::failure::Failure;
use crate::domain::identifier::Arn;
use crate::domain::loading::{List, LoadEvent, Part};
use crate::domain::place::Place;

/// Connects and reads again. A reading that broke off goes on where it was; one that came to its end
/// begins anew, and rows stay until it is known what became of them. One that is under way is let be.
pub(super) fn reload(state: &mut State, effects: &mut Vec<Effect>) {
    let mut reading = 0;
    let mut replaced = Vec::new();
    for source in state.sources() {
        let it = &state.connected[source.0 as usize];
        let at_rest = it.loading.finished || state.paused && it.loading.lists_ended();
        if matches!(it.connection, Connection::Ready) && !at_rest && it.loading.retrying().is_none() {
            reading += 1;
            continue;
        }
        // One that is asked for in the middle of a reading begins anew: what was read may be old.
        let resume = at_rest && it.loading.broke_off();
        if !resume {
            state.catalog.begin_round(source);
        }
        let (generation, since) = (state.generation(), state.now.elapsed);
        let it = &mut state.connected[source.0 as usize];
        let over = Some(std::mem::replace(&mut it.generation, generation));
        replaced.extend(over);
        it.connection = Connection::Connecting { since };
        let complete = |phase: &Phase| matches!(phase, Phase::Complete) && resume;
        let phase = |was: &Phase| if complete(was) { Phase::Complete } else { Phase::Reading };
        let (keys, aliases) = (phase(&it.loading.keys), phase(&it.loading.aliases));
        it.loading = Loading { since, keys, aliases, ..Loading::default() };
        it.wanted.clear();
        effects.push(Effect::Connect { generation, over, resume, to: it.to.clone() });
    }
    for generation in replaced {
        super::scan::stop_over(state, generation, effects);
    }
    if reading == state.connected.len() {
        state.say(StatusKind::Info, "still reading; esc and everything else work meanwhile");
    }
}

pub(super) fn connected(state: &mut State, generation: Generation, place: Place) {
    let Some(source) = state.source_of(generation) else { return };
    state.catalog.name_region(source, place.region.as_deref().unwrap_or_default());
    let it = &mut state.connected[source.0 as usize];
    // What was begun before it was known where this is belongs here.
    for draft in state.drafts.iter_mut().filter(|draft| draft.place.is_where(&it.place)) {
        draft.place = place.clone();
    }
    let account = it.place.account.take();
    it.place = place;
    it.place.account = it.place.account.take().or(account);
    it.connection = Connection::Ready;
}

pub(super) fn not_connected(state: &mut State, generation: Generation, failure: Failure) {
    if let Some(source) = state.source_of(generation) {
        state.connected[source.0 as usize].connection = Connection::Failed(failure);
    }
}

/// Shows what an earlier run knew, where nothing newer has come.
pub(super) fn remembered(state: &mut State, generation: Generation, remembered: &Remembered) {
    let Some(source) = state.source_of(generation) else { return };
    let changes = state.catalog.restore(source, remembered);
    if changes == Changes::default() {
        return;
    }
    let arn = changes.keys.first().and_then(|key| state.catalog.key(*key)).map(Key::arn);
    let it = &mut state.connected[source.0 as usize];
    it.remembered = Some(remembered.saved_at);
    // Whose it was: whose the connection is, its own first answer says.
    it.remembered_account = arn.as_deref().and_then(account_of);
    take_in(state, &changes);
}

fn account_of(arn: &str) -> Option<String> {
    Some(Arn::parse(arn)?.account.to_owned()).filter(|account| !account.is_empty())
}

/// The first key of a list says whose it is: what is shown of another account, remembered or read with
/// other credentials, is thrown away.
fn keep_account(state: &mut State, source: Source, page: &[ListedKey]) {
    let Some(account) = page.first().and_then(|key| account_of(&key.arn)) else { return };
    let it = &mut state.connected[source.0 as usize];
    let before = it.place.account.replace(account.clone()).or_else(|| it.remembered_account.take());
    if before.is_some_and(|before| before != account) {
        it.remembered = None;
        let changes = state.catalog.forget(source);
        take_in(state, &changes);
    }
}

pub(super) fn loaded(state: &mut State, generation: Generation, event: LoadEvent, effects: &mut Vec<Effect>) {
    let Some(source) = state.source_of(generation) else { return };
    if let LoadEvent::Keys(page) = &event {
        keep_account(state, source, page);
    }
    let it = &mut state.connected[source.0 as usize];
    match event {
        LoadEvent::Keys(page) => {
            let changes = state.catalog.add_keys(source, page);
            take_in(state, &changes);
        }
        LoadEvent::Aliases(page) => {
            let changes = state.catalog.add_aliases(source, page);
            take_in(state, &changes);
        }
        LoadEvent::Described(answers) => {
            let mut changes = Changes::default();
            for (arn, described) in answers {
                changes.extend(state.catalog.describe_in(source, &arn, described));
            }
            take_in(state, &changes);
        }
        LoadEvent::Complete(List::Keys) => {
            it.loading.keys = Phase::Complete;
            let changes = state.catalog.finish_keys(source);
            take_in(state, &changes);
        }
        LoadEvent::Complete(List::Aliases) => {
            it.loading.aliases = Phase::Complete;
            let changes = state.catalog.finish_aliases(source);
            take_in(state, &changes);
        }
        LoadEvent::Failed(part, failure) => {
            it.loading.retrying[part as usize] = None;
            match part {
                Part::Keys => it.loading.keys = Phase::Failed(failure),
                Part::Aliases => it.loading.aliases = Phase::Failed(failure),
                Part::Descriptions => it.loading.describing_failed = Some(failure),
            }
        }
        LoadEvent::Retrying(part, failure) => it.loading.retrying[part as usize] = Some(failure),
        LoadEvent::Recovered(part) => it.loading.retrying[part as usize] = None,
        LoadEvent::Pace(pace) => it.loading.pace = Some(pace),
        LoadEvent::Finished => {
            it.loading.finished = true;
            it.loading.read_at = Some(state.now.wall);
            if !it.loading.broke_off() {
                it.remembered = None;
                remember(state, generation, effects);
            }
        }
    }
}

/// Keeps a region that was read whole for the next run.
pub(super) fn remember(state: &State, generation: Generation, effects: &mut Vec<Effect>) {
    let Some(source) = state.source_of(generation) else { return };
    let loading = &state.at(source).loading;
    let Some(read_at) = loading.read_at.filter(|_| loading.finished && !loading.broke_off()) else { return };
    let bytes = state.catalog.remember(source, read_at, state.keys.all(), state.aliases.all());
    effects.push(Effect::Remember { generation, bytes });
}

/// The answer to a question from the details.
pub(super) fn described(state: &mut State, ticket: Ticket, arn: &str, described: Described) {
    let asked = state.screens.iter_mut().find_map(|screen| match screen {
        Screen::Details(details) if details.ticket == Some(ticket) => Some(details),
        _ => None,
    });
    let Some(details) = asked else { return };
    details.ticket = None;
    match &described {
        Described::Known(metadata) => {
            details.metadata = Some(metadata.clone());
            details.refusal = None;
            if std::mem::take(&mut details.asked_again) {
                state.say(StatusKind::Success, "described again");
            }
        }
        Described::Refused(failure) => {
            details.refusal = Some(failure.clone());
            state.say(StatusKind::Error, failure.sentence.clone());
            // What was known stays on the screen when a look at it fails.
            let key = state.catalog.key_of_arn(arn).and_then(|key| state.catalog.key(key));
            if key.is_some_and(|key| key.traits().is_some()) {
                return;
            }
        }
    }
    let changes = state.catalog.describe(arn, described);
    take_in(state, &changes);
}

pub(super) fn take_in(state: &mut State, changes: &Changes) {
    state.keys.apply(&state.catalog, &changes.keys);
    state.aliases.apply(&state.catalog, &changes.aliases);
}

/// Asks for the rows on the screen to be described first, when they are others than last asked for.
pub(super) fn want_visible(state: &mut State, effects: &mut Vec<Effect>) {
    if state.connected.iter().all(|it| it.loading.finished || !matches!(it.connection, Connection::Ready)) {
        return;
    }
    let height = layout::list_height(state.size);
    let shown: Vec<KeyHandle> = match state.top {
        TopScreen::Keys => state.keys.visible(height).to_vec(),
        TopScreen::Aliases => {
            let rows = state.aliases.visible(height).iter();
            rows.filter_map(|alias| state.catalog.alias(*alias)?.key()).collect()
        }
        TopScreen::Overview | TopScreen::Calls => Vec::new(),
    };
    for source in state.sources() {
        want(state, source, &shown, effects);
    }
}

fn want(state: &mut State, source: Source, shown: &[KeyHandle], effects: &mut Vec<Effect>) {
    let it = &state.connected[source.0 as usize];
    if it.loading.finished || !matches!(it.connection, Connection::Ready) {
        return;
    }
    let is_open = |key: &KeyHandle| {
        state.catalog.key(*key).is_some_and(|key| key.source() == source && !key.is_fresh())
    };
    let open: Vec<KeyHandle> = shown.iter().copied().filter(is_open).collect();
    // A list that only got shorter was asked for already.
    if open.is_empty() || open.iter().all(|key| it.wanted.contains(key)) {
        return;
    }
    let arns = open.iter().filter_map(|key| Some(state.catalog.key(*key)?.arn())).collect();
    effects.push(Effect::Want { generation: it.generation, arns });
    state.connected[source.0 as usize].wanted = open;
}
