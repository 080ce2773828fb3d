use super::*;

struct Key {
    state: KeyState,
    usage: KeyUsage,
    spec: &'static str,
    origin: Origin,
    manager: KeyManager,
    multi_region: MultiRegionKind,
}

impl Key {
    fn new(state: &str, usage: &str, spec: &'static str) -> Self {
        Self {
            state: state.into(),
            usage: usage.into(),
            spec,
            origin: Origin::AwsKms,
            manager: KeyManager::Customer,
            multi_region: MultiRegionKind::Single,
        }
    }

    fn abilities(&self) -> Abilities {
        Abilities::of(&KeyFacts {
            state: Some(&self.state),
            usage: Some(&self.usage),
            spec: Some(self.spec),
            origin: Some(&self.origin),
            manager: Some(&self.manager),
            multi_region: self.multi_region,
        })
    }

    /// The sentences of what it cannot.
    fn cannot(&self) -> Vec<String> {
        self.abilities().cannot.iter().map(ToString::to_string).collect()
    }
}

/// A usage, its spec, and what such keys are for.
const KINDS: [(&str, &str, &[&str]); 5] = [
    ("ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", &["encrypt", "decrypt", "generate data keys"]),
    ("ENCRYPT_DECRYPT", "RSA_2048", &["encrypt", "decrypt"]),
    ("SIGN_VERIFY", "ECC_NIST_P256", &["sign", "verify"]),
    ("GENERATE_VERIFY_MAC", "HMAC_256", &["generate MACs", "verify MACs"]),
    ("KEY_AGREEMENT", "ECC_NIST_P384", &["derive shared secrets"]),
];

#[test]
fn material_is_of_use_in_the_states_that_let_it_be() {
    for (state, usable, reason) in [
        ("Enabled", true, ""),
        ("Updating", true, ""),
        ("Disabled", false, "disabled: enable it first"),
        ("PendingDeletion", false, "pending deletion: cancel its deletion, then enable it"),
        (
            "PendingReplicaDeletion",
            false,
            "pending deletion, once its replicas are gone: cancel its deletion, then enable it",
        ),
        ("PendingImport", false, "without key material: import it first"),
        ("Unavailable", false, "unavailable: connect its custom key store"),
        ("Creating", false, "being created: wait until that is done"),
    ] {
        for (usage, spec, uses) in KINDS {
            let key = Key::new(state, usage, spec);
            let abilities = key.abilities();
            for one in uses {
                assert_eq!(abilities.uses.contains(one), usable, "{state} {spec} {one}");
            }
            let said = key.cannot().iter().any(|line| {
                line.starts_with(uses.join(", ").as_str()) && line.ends_with(&format!("({reason})"))
            });
            assert_eq!(said, !usable, "{state} {spec} {:?}", key.cannot());
        }
    }
}

#[test]
fn a_public_key_is_given_while_the_key_is_disabled_and_not_while_it_is_to_be_deleted() {
    for (state, given) in [
        ("Enabled", true),
        ("Disabled", true),
        ("Updating", true),
        ("PendingDeletion", false),
        ("Creating", false),
    ] {
        for (usage, spec, _) in KINDS {
            let asymmetric = !matches!(spec, "SYMMETRIC_DEFAULT" | "HMAC_256");
            let uses = Key::new(state, usage, spec).abilities().uses;
            assert_eq!(uses.contains(&"give its public key"), given && asymmetric, "{state} {spec}");
        }
    }
}

#[test]
fn each_state_has_its_way_on() {
    for (state, changes) in [
        ("Enabled", &["be disabled", "be scheduled for deletion", "get grants"][..]),
        ("Disabled", &["be enabled", "be scheduled for deletion"]),
        ("PendingDeletion", &["have its deletion cancelled"]),
        ("PendingReplicaDeletion", &["have its deletion cancelled"]),
        ("PendingImport", &["take imported key material", "be scheduled for deletion"]),
        ("Unavailable", &["be disabled", "be scheduled for deletion", "get grants"]),
        ("Creating", &["be scheduled for deletion"]),
        ("Updating", &["get grants"]),
    ] {
        let abilities = Key::new(state, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT").abilities();
        let all = ["be disabled", "be enabled", "be scheduled for deletion", "have its deletion cancelled"];
        for change in changes {
            assert!(abilities.changes.contains(change), "{state} {change}");
        }
        if !matches!(state, "Unavailable") {
            let count = abilities.changes.iter().filter(|change| all.contains(change)).count();
            assert_eq!(count, changes.iter().filter(|change| all.contains(change)).count(), "{state}");
        }
        assert!(abilities.changes.contains(&READ), "{state}");
    }
}

#[test]
fn a_disabled_key_says_in_one_line_what_enabling_it_brings() {
    assert_eq!(
        Key::new("Disabled", "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT").cannot(),
        [
            "encrypt, decrypt, generate data keys, rotate, by itself and on demand, get grants (disabled: enable it first)"
        ]
    );
}

#[test]
fn what_a_kind_of_key_never_does_has_its_reason_in_every_state() {
    for state in KeyState::KNOWN {
        let has = |key: &Key, line: &str| {
            assert!(key.cannot().iter().any(|said| said == line), "{state}: {:?}", key.cannot());
        };
        let rsa = Key::new(state, "ENCRYPT_DECRYPT", "RSA_2048");
        has(&rsa, "generate data keys (RSA_2048 is no symmetric key)");
        let by_hand = "rotate it by hand: a new key, the alias moved";
        has(&rsa, &format!("be set to rotate (only symmetric encryption keys rotate: {by_hand})"));
        let mac = Key::new(state, "GENERATE_VERIFY_MAC", "HMAC_256");
        has(&mac, "encrypt, generate data keys (its usage is MAC)");
        let mut key = Key::new(state, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT");
        key.origin = Origin::AwsCloudHsm;
        has(&key, "generate data key pairs (its material is in a custom key store)");
        has(&key, &format!("be set to rotate (its material is in a custom key store: {by_hand})"));
        key.origin = Origin::External;
        has(&key, "rotate by itself (its material is imported: import new material, then rotate on demand)");
        key.origin = Origin::AwsKms;
        key.multi_region = MultiRegionKind::Replica;
        has(&key, "be set to rotate (a replica rotates with its primary: change it there)");
    }
}

#[test]
fn an_aws_managed_key_works_for_its_service_and_is_nobodys_to_change() {
    let mut key = Key::new("Enabled", "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT");
    key.manager = KeyManager::Aws;
    let abilities = key.abilities();
    assert!(abilities.for_aws_alone);
    assert_eq!(abilities.changes, [READ]);
    assert_eq!(
        key.cannot(),
        [
            "be disabled, be deleted, be changed (AWS manages this key, for one of its services: make a key of your own for that)"
        ]
    );
}

#[test]
fn nothing_is_claimed_about_what_is_not_known() {
    let key = Key::new("Moving", "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT");
    let abilities = key.abilities();
    assert_eq!(abilities.unknown.as_deref(), Some("what it can do in the state Moving is not known"));
    assert_eq!((abilities.uses, abilities.changes), (vec![], vec![READ]));

    let key = Key::new("Enabled", "ENCAPSULATE_DECAPSULATE", "ML_KEM_768");
    let abilities = key.abilities();
    assert_eq!(
        abilities.unknown.as_deref(),
        Some("what the usage ENCAPSULATE_DECAPSULATE is for is not known")
    );
    assert_eq!(abilities.uses, ["give its public key"]);

    let nothing = Abilities::of(&KeyFacts::default());
    assert_eq!(nothing.unknown.as_deref(), Some("its state is not known"));
    assert!(nothing.uses.is_empty() && nothing.cannot.is_empty());
}
