//! `kmx list --with`: what costs a call a key.

use serde_json::json;

use super::{Home, ORDERS, aliases_of};

#[test]
fn what_scans_read_are_members_as_describe_prints_them() {
    let home = Home::new();
    let listed =
        home.demo(&["list", ORDERS, "--with", "rotation,tags", "--with", "last-use", "--output", "json"]);
    let row = &listed.json()["Keys"][0];
    let described = home.demo(&["describe", ORDERS, "--output", "json"]).json();
    for member in ["KeyRotationEnabled", "RotationPeriodInDays", "NextRotationDate"] {
        assert_eq!(row["Rotation"][member], described["Rotation"][member], "{member}");
        assert!(!row["Rotation"][member].is_null(), "{member}");
    }
    assert_eq!(row["Tags"], described["Tags"]);
    assert_eq!(row["LastUsage"]["KeyLastUsage"], described["LastUsage"]["KeyLastUsage"]);
    let without = home.demo(&["list", ORDERS, "--output", "json"]).json();
    assert!(without["Keys"][0].get("Rotation").is_none(), "nothing is scanned by itself");
}

#[test]
fn a_filter_over_what_is_scanned_narrows_after_the_scan() {
    let home = Home::new();
    let on = home.demo(&["list", "--with", "rotation", "rotation:on", "--output", "json"]).json();
    let on = on["Keys"].as_array().unwrap();
    assert!(!on.is_empty() && on.len() < 44);
    assert!(on.iter().all(|row| row["Rotation"]["KeyRotationEnabled"] == json!(true)));
    let both = ["list", "--with", "tags,rotation", "tag:owner=payments", "rotation:on", "--output", "json"];
    let both = home.demo(&both).json();
    let names: Vec<&str> = both["Keys"].as_array().unwrap().iter().flat_map(aliases_of).collect();
    assert!(names.contains(&"alias/payments/prod/ledger"), "{names:?}");
    assert!(names.iter().all(|name| name.contains("payments") || name.contains("card")), "{names:?}");
}

#[test]
fn a_term_that_needs_a_scan_says_which_one_to_add() {
    let home = Home::new();
    for (term, with, scan) in [
        ("rotation:off", "tags", "`rotation:` asks for what only a call a key tells; add `--with rotation`"),
        ("!tag:owner=ops", "rotation", "`tag:` asks for what only a call a key tells; add `--with tags`"),
        ("unused:90d", "tags", "`unused:` asks for what only a call a key tells; add `--with last-use`"),
    ] {
        home.demo(&["list", term, "--with", with]).refused(252, &[scan]);
    }
    home.demo(&["list", "--with", "usage"])
        .refused(252, &["`usage` is not a scan: allowed are `rotation`, `tags` and `last-use`"]);
}

#[test]
fn columns_of_scans_stand_in_the_table_and_at_the_end_of_the_text() {
    let home = Home::new();
    let table = home.demo(&["list", ORDERS, "--with", "tags,rotation"]);
    let heads: Vec<&str> = table.stdout.lines().next().unwrap().split("  ").collect();
    let heads: Vec<&str> = heads.into_iter().map(str::trim).filter(|head| !head.is_empty()).collect();
    assert_eq!(heads[9..], ["ROTATION", "TAGS", "DESCRIPTION"], "{}", table.stdout);
    assert!(table.stdout.contains("on 365 d") && table.stdout.contains("owner=orders"), "{}", table.stdout);
    let text = home.demo(&["list", ORDERS, "--with", "tags,rotation", "--output", "text"]);
    let fields: Vec<&str> = text.stdout.trim_end().split('\t').collect();
    assert_eq!((fields.len(), fields[11]), (13, "on"));
    assert!(fields[12].contains("owner=orders"), "{fields:?}");
}

#[test]
fn a_scan_that_takes_long_is_told_of_before_it_starts() {
    let home = Home::new();
    let listed = home.demo(&["list", "payments", "--with", "last-use,rotation", "--output", "text"]);
    assert_eq!(listed.code, 0);
    assert_eq!(listed.stderr, "", "seven keys are soon read");
    let listed = home.demo(&["list", "state:enabled", "--with", "last-use", "--output", "json"]);
    let count = listed.json()["Keys"].as_array().unwrap().len();
    let said = format!("kmx: last use of {count} keys: {count} calls of GetKeyLastUsage, about ");
    assert!(
        listed.stderr.starts_with(&said) && listed.stderr.ends_with(" s at 4 a second\n"),
        "{said}{}",
        listed.stderr
    );
}
