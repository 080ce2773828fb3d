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

#[test]
fn what_a_scan_has_read_narrows_and_what_it_has_not_read_stays_open() {
    use Verdict::{No, Unknown, Yes};
    let mut catalog = catalog();
    let rotates = |enabled| Finding::Rotation { enabled, period_days: None, next: None };
    let tags = |tags: &[(&str, &str)]| {
        Finding::Tags(tags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    };
    let days_ago = |days: i64| Timestamp::from_second(-days * 86_400).unwrap();
    let refused = || Finding::Refused(Box::new(Failure::new(FailureKind::NotAllowed, "not allowed")));
    for (id, kind, finding) in [
        ("arn/bbbb", ScanKind::Rotation, Finding::NotApplicable),
        ("arn/cccc", ScanKind::Rotation, rotates(false)),
        ("arn/dddd", ScanKind::Rotation, rotates(true)),
        ("arn/bbbb", ScanKind::Tags, tags(&[("Owner", "Ops Team"), ("Straße", "Öl")])),
        ("arn/cccc", ScanKind::Tags, tags(&[])),
        ("arn/dddd", ScanKind::Tags, refused()),
        ("arn/aaaa", ScanKind::LastUse, Finding::Used { at: days_ago(100), operation: None }),
        ("arn/bbbb", ScanKind::LastUse, Finding::Unused { since: Some(days_ago(100)) }),
        ("arn/cccc", ScanKind::LastUse, Finding::Unused { since: Some(days_ago(10)) }),
        ("arn/dddd", ScanKind::LastUse, Finding::Used { at: days_ago(10), operation: None }),
    ] {
        catalog.find(id, kind, finding, NOW);
    }
    for (text, expected) in [
        ("rotation:off", [Unknown, No, Yes, No]),
        ("rotation:on,none", [Unknown, Yes, No, Yes]),
        ("rotation:unknown", [Yes, No, No, No]),
        ("!rotation:unknown", [No, Yes, Yes, Yes]),
        ("!rotation:off", [Unknown, Yes, No, Yes]),
        ("tag:owner", [Unknown, Yes, No, No]),
        ("tag:own", [Unknown, No, No, No]),
        ("tag:OWNER=ops", [Unknown, Yes, No, No]),
        ("tag:owner=crm,straße=ö", [Unknown, Yes, No, No]),
        ("!tag:owner", [Unknown, No, Yes, Yes]),
        ("unused:90d", [Yes, Yes, Unknown, No]),
        ("unused:5d", [Yes, Yes, Yes, Yes]),
        ("unused:2y", [No, Unknown, Unknown, No]),
        ("team", [No, Yes, No, Unknown]),
        ("Team", [No, Yes, No, Unknown]),
        ("owner", [No, Yes, No, Unknown]),
        ("öl", [No, Yes, No, Unknown]),
        ("rotation:", [Yes, Yes, Yes, Yes]),
    ] {
        let filter = Filter::parse(text, NOW);
        let verdicts: Vec<_> = catalog.keys().map(|key| filter.over(&catalog).key(key.handle()).0).collect();
        assert_eq!(verdicts, expected, "{text:?}");
    }
}

#[test]
fn a_filter_says_which_scans_it_needs_and_what_it_cannot_read() {
    let tags = [("env", "prod"), ("owner", "ops")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    for (text, shown) in
        [("", "env"), ("tag:owner=ops", "owner"), ("ops", "owner"), ("!tag:owner", "env"), ("x", "env")]
    {
        assert_eq!(Filter::parse(text, NOW).tag_of(&tags).unwrap().0, shown, "{text}");
    }
    let filter = Filter::parse("pay !rotation:off tag:owner=ops tag:pci state:enabled", NOW);
    assert_eq!(filter.scans(), [ScanKind::Rotation, ScanKind::Tags]);
    assert_eq!(Filter::parse("unused:", NOW).scans(), []);
    for (text, problem) in [
        ("rotation:maybe", "`rotation:maybe`: on, off, none (cannot rotate), denied or unknown"),
        ("unused:never", "`unused:never`: a time like 30d, 2w, 6m or 1y"),
    ] {
        let filter = Filter::parse(text, NOW);
        assert_eq!(filter.problems()[0].to_string(), problem);
        assert!(filter.problems()[0].is_unreadable());
    }
}
