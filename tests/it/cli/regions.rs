//! Several regions at once, in subcommands.

use serde_json::Value;

use super::{GENERATE, Home, Outcome, aliases_of};

/// The regions of the rows, in their order.
fn regions_of(listed: &Outcome) -> Vec<String> {
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    let region = |row: &Value| row["KeyArn"].as_str().unwrap().split(':').nth(3).unwrap().to_owned();
    listed["Keys"].as_array().unwrap().iter().map(region).collect()
}

#[test]
fn several_regions_are_one_list_by_alias_and_then_by_region() {
    let home = Home::new();
    let count =
        |regions: &str| regions_of(&home.demo(&["list", "--region", regions, "--output", "json"])).len();
    let (here, there) = (count("us-east-1"), count("eu-west-1"));
    assert!(here > 30 && there > 1, "{here} {there}");
    let both = home.demo(&["list", "--region", " us-east-1, eu-west-1", "--output", "json"]);
    let regions = regions_of(&both);
    assert_eq!(regions.len(), here + there);
    assert_eq!(regions.iter().filter(|region| *region == "eu-west-1").count(), there);
    let listed = both.json();
    let rows = listed["Keys"].as_array().unwrap();
    let order: Vec<(bool, &str, &str)> = rows
        .iter()
        .zip(&regions)
        .map(|(row, region)| {
            let first = aliases_of(row).first().copied();
            (first.is_none(), first.unwrap_or_default(), region.as_str())
        })
        .collect();
    assert!(order.is_sorted(), "{order:?}");
    let twice = order.windows(2).any(|pair| pair[0].1 == pair[1].1 && pair[0].2 != pair[1].2);
    assert!(twice, "an alias of both regions is there twice: {order:?}");
}

#[test]
fn the_table_has_a_column_of_regions_where_there_are_several() {
    let home = Home::new();
    let both = home.demo(&["list", "--region", "us-east-1,eu-west-1"]);
    let header: Vec<&str> = both.stdout.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(header[..6], ["STATE", "ALIAS", "KEY", "ID", "REGION", "USAGE"], "{}", both.stdout);
    for region in ["us-east-1", "eu-west-1"] {
        assert!(both.stdout.contains(region), "{}", both.stdout);
    }
    let one = home.demo(&["list", "--region", "eu-west-1"]);
    assert!(!one.stdout.contains("REGION"), "{}", one.stdout);
}

#[test]
fn a_region_that_fails_leaves_the_others_and_has_the_exit_code() {
    let home = Home::new();
    let alone = home.demo(&["list", "--region", "us-east-1", "--output", "text"]);
    let outcome = home.demo(&["list", "--region", "a-,us-east-1", "--output", "text"]);
    assert_eq!((outcome.code, outcome.stdout), (253, alone.stdout));
    assert_eq!(
        outcome.stderr,
        "kmx: `a-` is no region\nhint: a region looks like us-east-1\nkmx: the keys of a- are not listed\n"
    );
    for form in ["json", "text", "table"] {
        home.demo(&["list", "--region", "a-,b-", "--output", form])
            .refused(253, &["the keys of a- are not listed", "the keys of b- are not listed"]);
    }
}

#[test]
fn regions_are_named_once_each_and_none_is_empty() {
    let home = Home::new();
    for (regions, said) in [
        ("us-east-1,", "a region, or several with commas between, and none of them empty"),
        (",", "a region, or several with commas between, and none of them empty"),
        ("us-east-1, us-east-1", "names a region twice"),
    ] {
        home.demo(&["list", "--region", regions]).refused(252, &["kmx: --region: ", said]);
    }
}

#[test]
fn a_request_goes_to_one_region() {
    let request = [GENERATE, "--key-id", "alias/demo/orders", "--key-spec", "AES_256"];
    Home::new().demo(&[&request[..], &["--region", "us-east-1,eu-west-1"]].concat()).refused(
        252,
        &["kmx: --region: names 2 regions, which the explorer and `kmx list` alone take: name one\n"],
    );
}
