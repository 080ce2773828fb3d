use super::*;
use crate::domain::failure::FailureKind;

const ONE: Source = Source(0);
const REGION: &str = "arn:aws:kms:us-east-1:111122223333:";

fn listed(id: &str) -> ListedKey {
    ListedKey { key_id: id.into(), arn: format!("{REGION}key/{id}") }
}

fn alias(name: &str, target: Option<&str>) -> ListedAlias {
    ListedAlias {
        name: format!("alias/{name}"),
        arn: format!("{REGION}alias/{name}"),
        target_key_id: target.map(str::to_owned),
    }
}

fn names(catalog: &Catalog, id: &str) -> Vec<String> {
    let handle = catalog.resolve(id).unwrap();
    catalog.key(handle).unwrap().alias_names().map(str::to_owned).collect()
}

#[test]
fn aliases_find_their_key_whichever_page_comes_first() {
    let mut catalog = Catalog::default();
    catalog.add_aliases(ONE, vec![alias("b", Some("k1")), alias("free", None)]);
    let changes = catalog.add_keys(ONE, vec![listed("k1"), listed("k2")]);
    assert_eq!(changes.keys.len(), 2);
    assert_eq!(changes.aliases.len(), 1, "the waiting alias has its key now");
    let changes = catalog.add_aliases(ONE, vec![alias("a", Some("k1"))]);
    assert_eq!(changes.keys.len(), 1, "the key's row shows another alias");
    assert_eq!(names(&catalog, "k1"), ["alias/a", "alias/b"]);
    assert!(names(&catalog, "k2").is_empty());
    assert_eq!((catalog.key_count(), catalog.alias_count()), (2, 3));
}

#[test]
fn all_four_forms_of_identifier_lead_to_the_key() {
    let mut catalog = Catalog::default();
    catalog.add_keys(ONE, vec![listed("k1")]);
    catalog.add_aliases(ONE, vec![alias("a", Some("k1"))]);
    let expected = catalog.key_of_arn(&format!("{REGION}key/k1"));
    assert!(expected.is_some());
    for identifier in ["k1", "alias/a", &format!("{REGION}key/k1"), &format!("{REGION}alias/a")] {
        assert_eq!(catalog.resolve(identifier), expected, "{identifier}");
    }
    for stranger in ["alias/b", "arn:aws:kms:eu-west-1:111122223333:alias/a", ""] {
        assert_eq!(catalog.resolve(stranger), None, "{stranger}");
    }
}

#[test]
fn a_reload_keeps_rows_until_they_are_known_to_be_gone() {
    let mut catalog = Catalog::default();
    catalog.add_keys(ONE, vec![listed("k1"), listed("k2")]);
    catalog.add_aliases(ONE, vec![alias("a", Some("k1")), alias("b", Some("k2"))]);
    let kept = catalog.resolve("k2").unwrap();
    catalog.describe(&format!("{REGION}key/k1"), Described::Known(Box::new(KeyMetadata::bare("k1"))));

    catalog.begin_round(ONE);
    assert!(catalog.add_keys(ONE, vec![listed("k2")]).keys.is_empty(), "nothing new, nothing changed");
    assert_eq!(catalog.key_count(), 2);
    assert_eq!(catalog.finish_keys(ONE).keys.len(), 1);
    catalog.add_aliases(ONE, vec![alias("a", Some("k2"))]);
    let changes = catalog.finish_aliases(ONE);
    assert_eq!((changes.aliases.len(), changes.keys), (1, vec![kept]));

    assert_eq!(catalog.resolve("k1"), None);
    assert_eq!(catalog.resolve("alias/b"), None);
    assert_eq!(names(&catalog, "k2"), ["alias/a"]);
    assert_eq!((catalog.key_count(), catalog.alias_count(), catalog.described_count()), (1, 1, 0));

    catalog.begin_round(ONE);
    catalog.add_keys(ONE, vec![listed("k1")]);
    assert_eq!(catalog.keys().count(), 2, "a key that comes back has its row again");
}

#[test]
fn counts_follow_what_describe_key_told() {
    let mut catalog = Catalog::default();
    catalog.add_keys(ONE, vec![listed("k1"), listed("k2")]);
    let arn = format!("{REGION}key/k1");
    let refused = Described::Refused(Box::new(Failure::new(FailureKind::NotAllowed, "no")));
    catalog.describe(&arn, refused);
    assert_eq!((catalog.described_count(), catalog.tally().refused()), (1, 1));
    catalog.describe(&arn, Described::Known(Box::new(KeyMetadata::bare("k1"))));
    assert_eq!((catalog.described_count(), catalog.tally().refused()), (1, 0));
    let stranger = Described::Known(Box::new(KeyMetadata::bare("k1")));
    assert_eq!(catalog.describe("arn:of:a:stranger", stranger), Changes::default());
}

#[test]
fn aliases_of_a_key_that_went_wait_for_it_and_find_it_again() {
    let mut catalog = Catalog::default();
    catalog.add_keys(ONE, vec![listed("k1")]);
    catalog.add_aliases(ONE, vec![alias("a", Some("k1"))]);
    catalog.begin_round(ONE);
    let changes = catalog.finish_keys(ONE);
    assert_eq!((changes.keys.len(), changes.aliases.len()), (1, 1), "its alias has no key any more");
    let (_, row) = catalog.aliases().next().unwrap();
    assert_eq!(row.key(), None);
    let changes = catalog.add_keys(ONE, vec![listed("k1")]);
    assert_eq!((changes.keys.len(), changes.aliases.len()), (1, 1));
    assert_eq!(names(&catalog, "k1"), ["alias/a"]);
}

#[test]
fn completions_are_aliases_first_then_ids_and_arns() {
    let mut catalog = Catalog::default();
    catalog.add_keys(ONE, vec![listed("abc-1"), listed("abd-2")]);
    catalog.add_aliases(ONE, vec![alias("b", None), alias("a/b", Some("abc-1"))]);
    for (typed, expected) in [
        ("alias/", Some("alias/a/b".to_owned())),
        ("alias/b", None),
        ("ab", Some("abc-1".to_owned())),
        ("abd", Some("abd-2".to_owned())),
        ("arn:", Some(format!("{REGION}key/abc-1"))),
        ("x", None),
    ] {
        assert_eq!(catalog.completion(typed), expected, "{typed}");
    }
    catalog.begin_round(ONE);
    catalog.finish_keys(ONE);
    assert_eq!(catalog.completion("ab"), None, "what has gone completes nothing");
}

#[test]
fn what_was_described_before_a_reload_is_not_fresh() {
    let mut catalog = Catalog::default();
    catalog.add_keys(ONE, vec![listed("k1")]);
    let arn = format!("{REGION}key/k1");
    let describe = |catalog: &mut Catalog| {
        catalog.describe(&arn, Described::Known(Box::new(KeyMetadata::bare("k1"))));
    };
    describe(&mut catalog);
    assert_eq!((catalog.fresh_count(), catalog.described_count()), (1, 1));
    catalog.begin_round(ONE);
    assert_eq!((catalog.fresh_count(), catalog.described_count()), (0, 1));
    describe(&mut catalog);
    assert_eq!((catalog.fresh_count(), catalog.described_count()), (1, 1));
}

#[test]
fn another_accounts_keys_go_and_the_aliases_that_came_before_them_stay() {
    let listed_by = |account: u64, id: &str| ListedKey {
        key_id: id.into(),
        arn: format!("arn:aws:kms:us-east-1:{account}:key/{id}"),
    };
    let alias_by = |account: u64, target: &str| ListedAlias {
        name: "alias/a".into(),
        arn: format!("arn:aws:kms:us-east-1:{account}:alias/a"),
        target_key_id: Some(target.into()),
    };
    let mut catalog = Catalog::default();
    catalog.add_keys(ONE, vec![listed_by(1, "k1")]);
    catalog.add_aliases(ONE, vec![alias_by(1, "k1")]);
    catalog.finish_keys(ONE);
    catalog.finish_aliases(ONE);
    catalog.begin_round(ONE);
    catalog.add_aliases(ONE, vec![alias_by(2, "k2")]);
    catalog.finish_aliases(ONE);
    catalog.forget(ONE);
    catalog.add_keys(ONE, vec![listed_by(2, "k2")]);
    assert_eq!(names(&catalog, "k2"), ["alias/a"]);
    assert!(catalog.knows_aliases());
    let (_, alias) = catalog.aliases().next().unwrap();
    assert_eq!(alias.arn(), "arn:aws:kms:us-east-1:2:alias/a");
    assert_eq!(catalog.keys().map(Key::arn).collect::<Vec<_>>(), ["arn:aws:kms:us-east-1:2:key/k2"]);
}

#[test]
fn an_endpoint_that_lists_the_same_keys_everywhere_is_described_everywhere() {
    let mut catalog = Catalog::default();
    let two = Source(1);
    catalog.add_keys(ONE, vec![listed("k1")]);
    catalog.add_keys(two, vec![listed("k1")]);
    let known = || Described::Known(Box::new(KeyMetadata::bare("k1")));
    catalog.describe_in(two, &format!("{REGION}key/k1"), known());
    assert_eq!((catalog.progress(ONE), catalog.progress(two)), ((1, 0), (1, 1)));
    catalog.describe_in(ONE, &format!("{REGION}key/k1"), known());
    assert_eq!(catalog.progress(ONE), (1, 1));
}
