//! The form: opening it, its keys, running it.

use super::super::form::{Focus, Form, Preview};
use super::super::{
    Draft, Effect, FormScreen, Lines, Outcome, Progress, Screen, State, StatusKind, TopScreen, layout,
};
use super::policy;
use crate::domain::catalog::{Key, Source};
use crate::domain::json;
use crate::domain::request::{Breaks, DataKeyRequest, aws_command};
use tui_input::Input;

/// Opens the form on what is shown: the draft that was left there, else a fresh one.
pub(super) fn open(state: &mut State) {
    if let Some(Screen::Outcome(outcome)) = state.screens.last() {
        let (draft, source) = (outcome.draft.clone(), outcome.source);
        state.screens.pop();
        reopen(state, source, &draft);
        return;
    }
    let identifier = identifier_to_open_on(state).unwrap_or_default();
    let source = state.source();
    reopen(state, source, &identifier);
}

/// From a key its first alias (the one that the filter matched), else its key ARN; from an alias
/// that alias.
fn identifier_to_open_on(state: &State) -> Option<String> {
    let of_key = |key| {
        let row = state.catalog.key(key)?;
        let alias = state.keys.filter.alias_of(&state.catalog, row);
        let alias = alias.and_then(|alias| state.catalog.alias(alias));
        Some(alias.map_or_else(|| row.arn(), |alias| alias.name().to_owned()))
    };
    match state.screen() {
        Some(Screen::Details(details)) => of_key(details.key),
        Some(_) => None,
        None if state.top == TopScreen::Aliases => {
            let alias = state.catalog.alias(state.aliases.selected()?)?;
            Some(alias.name().to_owned())
        }
        None => of_key(state.keys.selected()?),
    }
}

/// Opens the draft of this name as it was left, else a fresh form.
pub(super) fn reopen(state: &mut State, source: Source, name: &str) {
    let here = &state.at(source).place;
    let kept = state.drafts.iter().position(|draft| draft.place.is_where(here) && draft.name == name);
    let form = if let Some(at) = kept {
        state.drafts.remove(at).form
    } else {
        let preview = if state.size.width >= layout::WIDE { Preview::Json } else { Preview::Off };
        Form { preview, ..Form::on(name) }
    };
    state.screens.push(Screen::Form(FormScreen { form, source }));
}

/// Keeps a form that is left, under the key that it names now: the form of another key must not
/// come up where this one was opened. Gives back that name.
pub(super) fn keep_draft(state: &mut State, screen: FormScreen) -> String {
    let name = screen.form.key.value().to_owned();
    let FormScreen { form, source } = screen;
    let place = state.at(source).place.clone();
    state.drafts.retain(|draft| !draft.place.is_where(&place) || draft.name != name);
    state.drafts.push(Draft { place, name: name.clone(), form });
    name
}

fn form(state: &mut State) -> Option<&mut Form> {
    match state.screens.last_mut() {
        Some(Screen::Form(screen)) => Some(&mut screen.form),
        _ => None,
    }
}

pub(super) fn move_focus(state: &mut State, by: isize) {
    if let Some(form) = form(state) {
        form.move_focus(by);
    }
}

pub(super) fn choose(state: &mut State, by: isize) {
    if let Some(form) = form(state) {
        form.choose(by);
    }
}

pub(super) fn toggle_preview(state: &mut State) {
    if let Some(form) = form(state) {
        form.preview = form.preview.next();
    }
}

pub(super) fn cycle_name(state: &mut State, by: isize) {
    let Some(typed) = form(state).map(|form| form.key.value().to_owned()) else { return };
    let names = state.names_of(state.source(), &typed);
    if names.is_empty() {
        state.say(StatusKind::Info, "the list knows no other name of this key");
    } else if let Some(form) = form(state) {
        form.cycle_name(&names, by);
    }
}

/// Puts the completion shown behind what is typed.
pub(super) fn complete(state: &mut State) {
    let Some(Screen::Form(screen)) = state.screens.last() else { return };
    let Some(ending) = state.completion(&screen.form) else { return };
    if let Some(form) = form(state) {
        form.key = Input::new(format!("{}{ending}", form.key.value()));
    }
}

/// `Enter`: the next field; on Run it runs.
pub(super) fn enter(state: &mut State, effects: &mut Vec<Effect>) {
    if form(state).is_some_and(|form| form.focus == Focus::Run) {
        run(state, effects);
    } else {
        move_focus(state, 1);
    }
}

/// Runs the request, or shows what is wrong and goes there.
pub(super) fn run(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(form) = form(state) else { return };
    match form.request() {
        Ok(request) => {
            if policy::lets(state, state.source(), &request) {
                run_at_once(state, effects);
            }
        }
        Err(problems) => {
            form.tried = true;
            if let Some(first) = problems.first() {
                form.focus = first.focus;
                let message = first.message.clone();
                state.say(StatusKind::Error, message);
            }
        }
    }
}

/// Runs the request of the form that is open, where it is one: nothing more is asked.
pub(super) fn run_at_once(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(Ok(request)) = form(state).map(|form| form.request()) else { return };
    let Some(Screen::Form(screen)) = state.screens.pop() else { return };
    let source = screen.source;
    let draft = keep_draft(state, screen);
    send(state, source, request, draft, effects);
}

/// Sends a request and shows that it runs.
pub(super) fn send(
    state: &mut State,
    source: Source,
    request: DataKeyRequest,
    draft: String,
    effects: &mut Vec<Effect>,
) {
    let ticket = state.ticket();
    let listed = state.catalog.resolve_in(source, &request.key_id).and_then(|key| state.catalog.key(key));
    let listed_arn = listed.map(Key::arn);
    let generation = state.at(source).generation;
    effects.push(Effect::Generate { ticket, generation, request: request.clone() });
    state.screens.push(Screen::Outcome(Outcome {
        request,
        source,
        listed_arn,
        draft,
        progress: Progress::Running { ticket, since: state.now.elapsed },
        scroll: 0,
    }));
}

/// Copies what the preview shows; the JSON where it is off.
pub(super) fn copy_preview(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(Screen::Form(screen)) = state.screens.last() else { return };
    match screen.form.request() {
        Ok(request) if screen.form.preview == Preview::Command => effects.push(Effect::Copy {
            what: "the aws command".to_owned(),
            text: aws_command(&request, state.place(), Breaks::None),
            lines: Lines::One,
        }),
        Ok(request) => effects.push(Effect::Copy {
            what: "the request in JSON".to_owned(),
            text: json::pretty(&request.to_json(), 2).unwrap_or_default(),
            lines: Lines::Many,
        }),
        Err(problems) => {
            let message = problems.first().map_or_else(String::new, |problem| problem.message.clone());
            state.say(StatusKind::Error, format!("not a request yet: {message}"));
        }
    }
}
