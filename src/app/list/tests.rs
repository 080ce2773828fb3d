//! Selection, filter, sort and scrolling of a list.

use super::*;
use crate::domain::catalog::{ListedAlias, ListedKey, Source};

fn arn(number: usize) -> String {
    format!("arn:aws:kms:us-east-1:111122223333:key/k{number:03}")
}

/// Takes a key with its alias in, as two pages.
fn add(catalog: &mut Catalog, list: &mut ListState<KeyHandle>, number: usize, alias: &str) {
    let keys = vec![ListedKey { key_id: format!("k{number:03}"), arn: arn(number) }];
    let changes = catalog.add_keys(Source(0), keys);
    list.apply(catalog, &changes.keys);
    let aliases = vec![ListedAlias {
        name: format!("alias/{alias}"),
        arn: String::new(),
        target_key_id: Some(format!("k{number:03}")),
    }];
    let changes = catalog.add_aliases(Source(0), aliases);
    list.apply(catalog, &changes.keys);
}

/// A catalog of keys with these aliases, and its list.
fn list_of(aliases: &[&str]) -> (Catalog, ListState<KeyHandle>) {
    let (mut catalog, mut list) = (Catalog::default(), ListState::default());
    for (number, alias) in aliases.iter().enumerate() {
        add(&mut catalog, &mut list, number, alias);
    }
    (catalog, list)
}

fn selected(catalog: &Catalog, list: &ListState<KeyHandle>) -> String {
    let alias = list.selected().and_then(|key| catalog.first_alias(key)).unwrap_or("-");
    alias.trim_start_matches("alias/").to_owned()
}

#[test]
fn the_top_row_is_selected_until_a_person_moves() {
    let (mut catalog, mut list) = list_of(&["m"]);
    assert_eq!(selected(&catalog, &list), "m");
    add(&mut catalog, &mut list, 10, "c");
    assert_eq!((selected(&catalog, &list).as_str(), list.index()), ("c", 0));
    list.move_by(1);
    assert_eq!(selected(&catalog, &list), "m");
    add(&mut catalog, &mut list, 11, "a");
    assert_eq!((selected(&catalog, &list).as_str(), list.index()), ("m", 2), "it stays on its row");
    list.move_to_end(false);
    add(&mut catalog, &mut list, 12, "0");
    assert_eq!(selected(&catalog, &list), "a", "a person chose the first row");
}

#[test]
fn moving_stops_at_both_ends() {
    let (catalog, mut list) = list_of(&["a", "b", "c"]);
    for (by, expected) in
        [(-1, "a"), (1, "b"), (5, "c"), (1, "c"), (-1, "b"), (isize::MIN, "a"), (isize::MAX, "c")]
    {
        list.move_by(by);
        assert_eq!(selected(&catalog, &list), expected, "{by}");
    }
    let (catalog, mut empty) = list_of(&[]);
    empty.move_by(3);
    empty.move_to_end(true);
    empty.fit(5);
    assert_eq!((selected(&catalog, &empty).as_str(), empty.index(), empty.top()), ("-", 0, 0));
}

#[test]
fn the_row_that_follows_takes_the_place_of_one_that_goes() {
    let (mut catalog, mut list) = list_of(&["a", "b", "c"]);
    list.move_by(1);
    for (gone, expected) in [(1, "c"), (2, "a")] {
        catalog.begin_round(Source(0));
        let stay = (0..3).filter(|number| *number != gone && *number != 1);
        catalog.add_keys(
            Source(0),
            stay.map(|number| ListedKey { key_id: format!("k{number:03}"), arn: arn(number) }).collect(),
        );
        let changes = catalog.finish_keys(Source(0));
        list.apply(&catalog, &changes.keys);
        assert_eq!(selected(&catalog, &list), expected);
    }
}

#[test]
fn a_typed_filter_selects_the_top_and_clearing_it_keeps_the_row() {
    let (catalog, mut list) = list_of(&["apple", "banana", "cherry", "pear"]);
    list.move_to_end(true);
    list.typing = true;
    list.input = Input::new("an".to_owned());
    list.refilter(&catalog, Timestamp::UNIX_EPOCH);
    assert_eq!((selected(&catalog, &list).as_str(), list.rows().len()), ("banana", 1));
    // The same filter again changes nothing, also not where a person went.
    list.input = Input::new("a".to_owned());
    list.refilter(&catalog, Timestamp::UNIX_EPOCH);
    list.move_by(2);
    assert_eq!(selected(&catalog, &list), "cherry");
    list.refilter(&catalog, Timestamp::UNIX_EPOCH);
    assert_eq!(selected(&catalog, &list), "cherry");
    list.clear_filter(&catalog);
    assert_eq!((selected(&catalog, &list).as_str(), list.rows().len(), list.index()), ("cherry", 4, 2));
    assert_eq!((list.input.value(), list.typing), ("", false));
}

#[test]
fn a_sort_keeps_the_selected_row_and_the_top_row_only_once_chosen() {
    let (catalog, mut list) = list_of(&["a", "b", "c"]);
    let descending = Sort { column: KeyColumn::Alias, descending: true };
    list.sort_by(&catalog, descending);
    assert_eq!(selected(&catalog, &list), "c", "nobody has moved: the top row");
    list.move_by(1);
    list.sort_by(&catalog, Sort::default());
    assert_eq!((selected(&catalog, &list).as_str(), list.index()), ("b", 1));
    list.sort_by(&catalog, descending);
    assert_eq!(selected(&catalog, &list), "b");
}

#[test]
fn the_selection_is_in_view_and_no_row_is_wasted() {
    let names: Vec<String> = (0..10).map(|number| format!("{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (_, mut list) = list_of(&names);
    for (by, height, top) in [
        // (rows moved, height, first row on the screen)
        (0, 4, 0),
        (3, 4, 0),
        (1, 4, 1),
        (-3, 4, 1),
        (-1, 4, 0),
        (9, 4, 6),
        (0, 8, 2),
        (0, 20, 0),
        (0, 0, 9),
    ] {
        list.move_by(by);
        list.fit(height);
        assert_eq!(list.top(), top, "{by} {height}");
        let visible = list.visible(height.max(1));
        assert!(visible.contains(&list.selected().unwrap()), "{by} {height}");
    }
    assert!(list.visible(100).len() <= 10);
}

#[test]
fn each_column_has_a_letter_of_its_own() {
    for columns in
        [KEY_COLUMNS.map(|(letter, ..)| letter).as_slice(), &ALIAS_COLUMNS.map(|(letter, ..)| letter)]
    {
        for (at, letter) in columns.iter().enumerate() {
            assert!(!columns[at + 1..].contains(letter), "{letter}");
        }
    }
}
