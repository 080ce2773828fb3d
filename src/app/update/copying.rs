//! What the details of a key have to copy, and the menu of what can be copied.

use super::super::copy_menu::{CopyEntry, CopyMenu, CopyValue};
use super::super::details::{Details, DetailsTab, Reading, Told};
use super::super::keymap::Chord;
use super::super::{Effect, Lines, Popup, Screen, State, StatusKind, TopScreen};
use crate::domain::catalog::{AliasHandle, Key, KeyHandle};
use crate::domain::console::address_of_key;
use crate::domain::details::Detail;
use crate::domain::json;
use crate::domain::text::{plural, printable};

/// A name for the words that come back, the text, and whether it has lines of its own.
type Copied = (String, String, Lines);

/// The main value of the tab that is shown: the key ARN on the Overview, else what was read.
pub(super) fn value_of_the_tab(details: &Details, row: Key<'_>) -> Option<Copied> {
    let failed = || {
        let failure = details.failure()?;
        Some(("the refusal".to_owned(), failure.report(), Lines::Many))
    };
    let lines = |what: &str, text: String| Some((what.to_owned(), text, Lines::Many));
    let Some(part) = details.tab.part() else {
        if details.tab == DetailsTab::Overview {
            return Some(("the key ARN".to_owned(), row.arn(), Lines::One));
        }
        return match &details.metadata {
            Some(metadata) => lines("the JSON", json::pretty(&**metadata, 4).ok()?),
            None => failed(),
        };
    };
    match details.reading(part)? {
        Reading::Asked(_) => None,
        Reading::Failed(_) => failed(),
        Reading::Told(Told::Aliases(names)) => {
            let shown: Vec<_> = names.iter().map(|name| printable(name)).collect();
            let what = if names.len() == 1 { "the alias name" } else { "the alias names" };
            (!names.is_empty()).then(|| lines(what, shown.join("\n")))?
        }
        Reading::Told(Told::Detail(detail)) => match &**detail {
            Detail::Policy(policy) => lines("the policy", policy.policy.clone()),
            Detail::Tags(tags) => lines("the tags as JSON", json::pretty(tags, 4).ok()?),
            Detail::Grants(grants) => lines("the grants as JSON", json::pretty(grants, 4).ok()?),
            Detail::Rotation(rotation) => lines("the rotation as JSON", json::pretty(rotation, 4).ok()?),
            Detail::PublicKey(key) => lines("the public key as PEM", key.pem()),
            Detail::LastUsage(_) | Detail::CustomKeyStore(_) => None,
        },
    }
}

/// Opens the menu of what can be copied here.
pub(super) fn open_menu(state: &mut State) {
    match CopyMenu::new(entries(state)) {
        Some(menu) => state.popup = Some(Popup::Copy(menu)),
        None => state.say(StatusKind::Info, "nothing here to copy"),
    }
}

fn entries(state: &State) -> Vec<CopyEntry> {
    match state.screen() {
        Some(Screen::Details(details)) => {
            let Some(row) = state.catalog.key(details.key) else { return Vec::new() };
            let mut entries = of_a_key(state, Some(row), row.aliases().first().copied());
            if details.tab != DetailsTab::Overview
                && let Some((what, text, lines)) = value_of_the_tab(details, row)
            {
                entries.push(CopyEntry { letter: 'v', what, value: CopyValue::Text(text, lines) });
            }
            entries
        }
        Some(_) => Vec::new(),
        None => {
            let (row, alias, rows) = match state.top {
                TopScreen::Keys => {
                    let row = state.keys.selected().and_then(|key| state.catalog.key(key));
                    let alias = row.and_then(|row| row.aliases().first().copied());
                    (row, alias, plural(state.keys.rows().len(), "row", "rows"))
                }
                TopScreen::Aliases => {
                    let alias = state.aliases.selected();
                    let key = alias.and_then(|alias| state.catalog.alias(alias)?.key());
                    let row = key.and_then(|key| state.catalog.key(key));
                    (row, alias, plural(state.aliases.rows().len(), "row", "rows"))
                }
                TopScreen::Overview | TopScreen::Calls => return Vec::new(),
            };
            let mut entries = of_a_key(state, row, alias);
            if !entries.is_empty() {
                let what = format!("all {rows} shown");
                entries.push(CopyEntry { letter: 'r', what, value: CopyValue::Rows });
            }
            entries
        }
    }
}

/// What names a key: its ARN and id, an alias of it, its page in the console.
fn of_a_key(state: &State, row: Option<Key<'_>>, alias: Option<AliasHandle>) -> Vec<CopyEntry> {
    let alias = alias.and_then(|alias| state.catalog.alias(alias));
    let arn = row.map(Key::arn);
    let console = row.and_then(|row| address_of_key(&state.at(row.source()).place, &row.arn()));
    [
        ('a', "the key ARN", arn),
        ('i', "the key id", row.map(|row| row.key_id().into_owned())),
        ('n', "the alias name", alias.map(|alias| alias.name().to_owned())),
        ('l', "the alias ARN", alias.map(|alias| alias.arn().into_owned()).filter(|arn| !arn.is_empty())),
        ('w', "the console address", console),
    ]
    .into_iter()
    .filter_map(|(letter, what, text)| {
        let value = CopyValue::Text(text?, Lines::One);
        Some(CopyEntry { letter, what: what.to_owned(), value })
    })
    .collect()
}

/// Moves in the menu, no further than its ends; whether there is one.
pub(super) fn move_in_menu(state: &mut State, rows: isize) -> bool {
    let Some(Popup::Copy(menu)) = &mut state.popup else { return false };
    menu.selected = menu.selected.saturating_add_signed(rows).min(menu.entries.len().saturating_sub(1));
    true
}

/// Copies what the menu is at.
pub(super) fn choose(state: &mut State, effects: &mut Vec<Effect>) {
    if let Some(Popup::Copy(menu)) = state.popup.take()
        && let Some(entry) = menu.entries.into_iter().nth(menu.selected)
    {
        copy(state, entry, effects);
    }
}

/// Copies what has this letter in the menu; whether there is such an entry.
pub(super) fn choose_letter(state: &mut State, chord: Chord, effects: &mut Vec<Effect>) -> bool {
    let Some(Popup::Copy(menu)) = &state.popup else { return false };
    let Some(letter) = chord.text() else { return false };
    let Some(entry) = menu.entries.iter().find(|entry| entry.letter == letter).cloned() else { return false };
    state.popup = None;
    copy(state, entry, effects);
    true
}

fn copy(state: &State, entry: CopyEntry, effects: &mut Vec<Effect>) {
    let (text, lines) = match entry.value {
        CopyValue::Text(text, lines) => (text, lines),
        CopyValue::Rows => (rows(state), Lines::Table),
    };
    effects.push(Effect::Copy { what: entry.what, text, lines });
}

/// The rows of the list on the screen: state, alias, key id and ARN, with a tab between them.
fn rows(state: &State) -> String {
    let of_key = |key: &KeyHandle| Some(line(state.catalog.key(*key), None));
    let of_alias = |alias: &AliasHandle| {
        let alias = state.catalog.alias(*alias)?;
        Some(line(alias.key().and_then(|key| state.catalog.key(key)), Some(alias.name())))
    };
    let lines: Vec<String> = match state.top {
        TopScreen::Aliases => state.aliases.rows().iter().filter_map(of_alias).collect(),
        TopScreen::Keys => state.keys.rows().iter().filter_map(of_key).collect(),
        TopScreen::Overview | TopScreen::Calls => Vec::new(),
    };
    lines.concat()
}

/// A state that is not known is empty, or says why.
fn line(row: Option<Key<'_>>, alias: Option<&str>) -> String {
    let state = row.and_then(|row| match row.state() {
        Some(state) => Some(state.as_str()),
        None => row.refusal().map(crate::domain::failure::Failure::in_a_word),
    });
    let alias = alias.or_else(|| row?.first_alias()).unwrap_or_default();
    let (id, arn) = row.map(|row| (row.key_id(), row.arn())).unwrap_or_default();
    let cells = [state.unwrap_or_default(), alias, &id, &arn];
    format!("{}\n", cells.map(printable).join("\t"))
}
