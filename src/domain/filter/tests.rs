use super::*;
use crate::domain::catalog::{Described, ListedAlias, ListedKey, Source};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::key::{KeyMetadata, KeyState};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn catalog() -> Catalog {
    let mut catalog = Catalog::default();
    let ids = ["aaaa", "bbbb", "cccc", "dddd"];
    catalog.add_keys(
        Source(0),
        ids.iter().map(|id| ListedKey { key_id: (*id).into(), arn: format!("arn/{id}") }).collect(),
    );
    let alias = |name: &str, target: Option<&str>| ListedAlias {
        name: format!("alias/{name}"),
        arn: format!("arn/alias/{name}"),
        target_key_id: target.map(str::to_owned),
    };
    catalog.add_aliases(
        Source(0),
        vec![
            alias("Payments/Ledger", Some("aaaa")),
            alias("books", Some("aaaa")),
            alias("payments/old", Some("bbbb")),
            alias("aws/free", None),
        ],
    );
    let known = |id: &str, state: KeyState, description: &str| {
        Described::Known(Box::new(KeyMetadata {
            key_state: Some(state),
            description: description.into(),
            ..KeyMetadata::bare(id)
        }))
    };
    catalog.describe("arn/aaaa", known("aaaa", KeyState::Enabled, "General Ledger"));
    catalog.describe("arn/bbbb", known("bbbb", KeyState::PendingReplicaDeletion, ""));
    let failure = Failure::new(FailureKind::NotAllowed, "not allowed");
    catalog.describe("arn/cccc", Described::Refused(Box::new(failure)));
    catalog
}

#[test]
fn words_and_states_decide_and_what_is_unknown_stays_open() {
    use Verdict::{No, Unknown, Yes};
    let catalog = catalog();
    for (text, expected) in [
        ("", [Yes, Yes, Yes, Yes]),
        ("payments", [Yes, Yes, No, Unknown]),
        ("Payments", [Yes, No, No, Unknown]),
        ("general", [Yes, No, No, Unknown]),
        ("payments ledger", [Yes, No, No, Unknown]),
        ("dddd", [No, No, No, Yes]),
        ("state:enabled", [Yes, No, No, Unknown]),
        ("state:Pending", [No, Yes, No, Unknown]),
        ("state:replica,enabled", [Yes, Yes, No, Unknown]),
        ("state:denied", [No, No, Yes, Unknown]),
        ("STATE:Enabled", [Yes, No, No, Unknown]),
        ("arn/bbbb", [No, No, No, Unknown]),
        ("state:", [Yes, Yes, Yes, Yes]),
        ("books state:disabled", [No, No, No, Unknown]),
        ("nosuch:thing", [No, No, No, Unknown]),
    ] {
        let filter = Filter::parse(text, NOW);
        let verdicts: Vec<_> = catalog.keys().map(|key| filter.over(&catalog).key(key.handle()).0).collect();
        assert_eq!(verdicts, expected, "{text:?}");
    }
}

#[test]
fn aliases_match_by_name_target_and_the_targets_state() {
    let catalog = catalog();
    for (text, expected) in [
        ("payments", vec!["alias/Payments/Ledger", "alias/payments/old"]),
        ("aaaa", vec!["alias/Payments/Ledger", "alias/books"]),
        ("state:replica", vec!["alias/payments/old"]),
        ("free", vec!["alias/aws/free"]),
    ] {
        let filter = Filter::parse(text, NOW);
        let found: Vec<_> = catalog
            .aliases()
            .filter(|(alias, _)| filter.over(&catalog).alias(*alias).0 == Verdict::Yes)
            .map(|(_, alias)| alias.name())
            .collect();
        assert_eq!(found, expected, "{text:?}");
    }
}

#[test]
fn the_alias_that_matched_is_the_one_to_show() {
    let catalog = catalog();
    let key = catalog.key(catalog.resolve("aaaa").unwrap()).unwrap();
    for (text, expected) in
        [("", "alias/Payments/Ledger"), ("books", "alias/books"), ("general", "alias/Payments/Ledger")]
    {
        let alias = Filter::parse(text, NOW).alias_of(&catalog, key).unwrap();
        assert_eq!(catalog.alias(alias).unwrap().name(), expected, "{text:?}");
    }
}
