//! Requests and their answers, and what can be copied from a screen.

use super::super::{Effect, Lines, Progress, Screen, State, StatusKind, Ticket, TopScreen};
use super::{copying, form, policy};
use crate::domain::catalog::Key;
use crate::domain::data_key::Answer;
use crate::domain::failure::Failure;
use crate::domain::text::thousands;

/// Takes an answer in, where its question is still asked.
pub(super) fn answered(state: &mut State, ticket: Ticket, result: Result<Answer, Failure>) {
    let now = state.now.elapsed;
    let outcome = state.screens.iter_mut().find_map(|screen| match screen {
        Screen::Outcome(outcome) => match outcome.progress {
            Progress::Running { ticket: asked, since } if asked == ticket => Some((outcome, since)),
            _ => None,
        },
        _ => None,
    });
    let Some((outcome, since)) = outcome else { return };
    let took = now.saturating_sub(since);
    let key = state.catalog.resolve_in(outcome.source, &outcome.request.key_id);
    let key = key.and_then(|key| state.catalog.key(key));
    let result = result.map_err(|failure| with_ways_out(failure, key));
    outcome.progress = match result {
        Ok(answer) => Progress::Done { answer, took },
        Err(failure) => Progress::Failed { failure, took },
    };
}

/// A refusal of what is known of the key anyway says how to get round that.
fn with_ways_out(mut failure: Failure, key: Option<Key<'_>>) -> Failure {
    let about_the_key = ["DisabledException", "KMSInvalidStateException", "InvalidKeyUsageException"];
    let key = key.filter(|_| failure.code.as_deref().is_some_and(|code| about_the_key.contains(&code)));
    if let Some((key, traits)) = key.and_then(|key| Some((key, key.traits()?))) {
        let objections = traits.objections(&key.key_id()).into_iter();
        let ways: Vec<String> = objections.map(|objection| objection.way_out).collect();
        if !ways.is_empty() {
            failure.hints = ways;
        }
    }
    failure
}

/// Sends the request on the screen once more, unchanged, where the place lets it.
pub(super) fn again(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(Screen::Outcome(outcome)) = state.screens.last() else { return };
    let (source, request) = (outcome.source, outcome.request.clone());
    if policy::lets(state, source, &request) {
        again_at_once(state, effects);
    }
}

/// Sends the request on the screen once more: nothing more is asked.
pub(super) fn again_at_once(state: &mut State, effects: &mut Vec<Effect>) {
    if let Some(Screen::Outcome(_)) = state.screens.last()
        && let Some(Screen::Outcome(outcome)) = state.screens.pop()
    {
        form::send(state, outcome.source, outcome.request, outcome.draft, effects);
    }
}

/// Copies the main value of what is shown.
pub(super) fn copy(state: &mut State, effects: &mut Vec<Effect>) {
    match main_value(state) {
        Some((what, text, lines)) => effects.push(Effect::Copy { what, text, lines }),
        None => state.say(StatusKind::Info, "nothing here to copy"),
    }
}

/// Its name, the value, and whether it has lines of its own.
fn main_value(state: &State) -> Option<(String, String, Lines)> {
    let arn = |key: Key<'_>| ("the key ARN".to_owned(), key.arn(), Lines::One);
    match state.screen() {
        Some(Screen::Outcome(outcome)) => match &outcome.progress {
            Progress::Done { answer: Answer::DataKey(key), .. } => Some((
                format!("{} characters of Base64", thousands(key.ciphertext_blob.len())),
                key.ciphertext_blob.clone(),
                Lines::One,
            )),
            Progress::Failed { failure, .. } => {
                Some(("the refusal".to_owned(), failure.report(), Lines::Many))
            }
            Progress::Done { .. } | Progress::Running { .. } => None,
        },
        Some(Screen::Details(details)) => copying::value_of_the_tab(details, state.catalog.key(details.key)?),
        Some(Screen::Form(_)) => None,
        None => {
            if let Some(failure) = state.trouble() {
                return Some(match &failure.command {
                    Some(command) => (format!("`{command}`"), command.clone(), Lines::One),
                    None => ("what happened".to_owned(), failure.report(), Lines::Many),
                });
            }
            match state.top {
                TopScreen::Overview => None,
                TopScreen::Keys => Some(arn(state.catalog.key(state.keys.selected()?)?)),
                TopScreen::Aliases => {
                    let alias = state.catalog.alias(state.aliases.selected()?)?;
                    Some(("the alias name".to_owned(), alias.name().to_owned(), Lines::One))
                }
                TopScreen::Calls => Some(("the call".to_owned(), state.calls.line()?, Lines::Columns)),
            }
        }
    }
}
