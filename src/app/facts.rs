//! What is known of the key that a form names, before the call is made.

use super::State;
use super::form::Form;
use crate::domain::catalog::Key;
use crate::domain::identifier::{Arn, IdentifierKind};
use crate::domain::time::ago;

/// Lines under the form's Key, each with whether it warns.
#[must_use]
pub fn form_facts(state: &State, form: &Form) -> Vec<(bool, String)> {
    let typed = form.key.value();
    if typed.is_empty() {
        return Vec::new();
    }
    let source = state.source();
    let Some(key) = state.catalog.resolve_in(source, typed).and_then(|key| state.catalog.key(key)) else {
        // While a completion is offered the name is not typed out yet.
        let unfinished = state.completion(form).is_some();
        return if unfinished { Vec::new() } else { vec![of_a_stranger(state, typed)] };
    };
    if let Some(refusal) = key.refusal() {
        let words = format!("its state cannot be read ({})", refusal.in_a_word());
        return vec![(false, format!("⊘ {words}; you may be allowed to use it all the same"))];
    }
    let Some(traits) = key.traits() else {
        return vec![(false, "its state is not known yet".to_owned())];
    };
    let state_words = traits.key_state.as_ref().map(|state| format!("{} {}", state.glyph(), state.words()));
    let told = [
        state_words,
        traits.spec.as_deref().map(str::to_owned),
        traits.key_usage.as_ref().map(|usage| usage.words().to_owned()),
    ];
    let told: Vec<String> = told.into_iter().flatten().collect();
    let mut facts = vec![(false, told.join(", "))];
    facts.extend(remembered(state, key).map(|words| (true, format!("! {words}"))));
    for objection in traits.objections(&key.key_id()) {
        facts.push((true, format!("! {}; {}", objection.reason, objection.way_out)));
    }
    facts
}

/// That what is known of a key is from an earlier run, and from when, where that is so.
#[must_use]
pub fn remembered(state: &State, key: Key<'_>) -> Option<String> {
    let saved_at = state.at(key.source()).remembered.filter(|_| key.is_remembered())?;
    Some(format!("as remembered from {}; it is being read again", ago(saved_at, state.now.wall)))
}

/// The key is not in the list: the service alone knows it.
fn of_a_stranger(state: &State, typed: &str) -> (bool, String) {
    let kind = IdentifierKind::of(typed);
    if kind == IdentifierKind::Other {
        let words = "no key id, ARN or alias/… by its shape: the service will very likely not find it";
        return (true, format!("! {words}"));
    }
    let here = state.place().region.as_deref();
    if let (Some(arn), Some(here)) = (Arn::parse(typed), here)
        && arn.region != here
    {
        return (true, format!("! this ARN is of {}, requests go to {here}", arn.region));
    }
    if state.catalog.aliases().any(|(_, alias)| alias.name() == typed && !alias.has_target()) {
        let words = "no key yet: AWS makes one when its service first needs it, for that service alone";
        return (true, format!("! {words}"));
    }
    let could_not_be_read =
        state.catalog.key_count() == 0 && (state.trouble().is_some() || state.hidden_trouble().is_some());
    let words = if state.is_waiting_for_rows() {
        "the list is not read yet"
    } else if could_not_be_read {
        "the list could not be read"
    } else {
        "not in the list"
    };
    (false, format!("{words}: the service will say whether this {} exists", kind.word()))
}
