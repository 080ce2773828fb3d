//! What a key can and cannot do now, in words, each "cannot" with its reason and the way out.
//!
//! It follows from what DescribeKey told (KMS Developer Guide: key states; key type reference;
//! rotating keys). No policy is looked at: whether the caller may do it is the service's to say.

use std::fmt;

use super::key::{KeyManager, KeyMetadata, KeyState, KeyUsage, MultiRegionKind, Origin, Traits};

/// What there is to know about a key before anything can be said. `None` is what nobody told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyFacts<'a> {
    pub state: Option<&'a KeyState>,
    pub usage: Option<&'a KeyUsage>,
    /// As the service spells it: `SYMMETRIC_DEFAULT`, `RSA_2048`, …
    pub spec: Option<&'a str>,
    pub origin: Option<&'a Origin>,
    pub manager: Option<&'a KeyManager>,
    pub multi_region: MultiRegionKind,
}

impl<'a> KeyFacts<'a> {
    /// The facts that DescribeKey told.
    #[must_use]
    pub fn of(metadata: &'a KeyMetadata) -> Self {
        let configuration = metadata.multi_region_configuration.as_ref();
        let kind = configuration.and_then(|configuration| configuration.multi_region_key_type.as_deref());
        Self {
            state: metadata.key_state.as_ref(),
            usage: metadata.key_usage.as_ref(),
            spec: metadata.spec(),
            origin: metadata.origin.as_ref(),
            manager: metadata.key_manager.as_ref(),
            multi_region: match kind {
                Some("PRIMARY") => MultiRegionKind::Primary,
                Some("REPLICA") => MultiRegionKind::Replica,
                _ => MultiRegionKind::Single,
            },
        }
    }

    /// The facts that a list keeps.
    #[must_use]
    pub fn of_traits(traits: &'a Traits) -> Self {
        Self {
            state: traits.key_state.as_ref(),
            usage: traits.key_usage.as_ref(),
            spec: traits.spec.as_deref(),
            origin: traits.origin.as_ref(),
            manager: traits.key_manager.as_ref(),
            multi_region: traits.multi_region,
        }
    }

    /// Whether its material lies in a custom key store.
    #[must_use]
    pub fn in_custom_key_store(&self) -> bool {
        matches!(self.origin, Some(Origin::AwsCloudHsm | Origin::ExternalKeyStore))
    }

    /// Whether it has a public half; `None` where its spec is not known.
    #[must_use]
    pub fn is_asymmetric(&self) -> Option<bool> {
        self.spec.map(|spec| spec != SYMMETRIC && !spec.starts_with("HMAC_"))
    }

    /// Whether keys of its kind rotate at all; `None` where its spec is not known.
    #[must_use]
    pub fn rotates(&self) -> Option<bool> {
        if self.in_custom_key_store() {
            return Some(false);
        }
        self.spec.map(|spec| spec == SYMMETRIC)
    }
}

const SYMMETRIC: &str = "SYMMETRIC_DEFAULT";

/// What every key lets be done in every state.
const READ: &str = "be read: description, policy, tags, grants";

/// What a key can do now, and what it cannot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    /// What can be done with its material: `encrypt`, `generate data keys`.
    pub uses: Vec<&'static str>,
    /// What can be done to it: `be disabled`, `be scheduled for deletion`.
    pub changes: Vec<&'static str>,
    /// Each with its reason; what a person is most likely to want comes first.
    pub cannot: Vec<Inability>,
    /// Why more cannot be told, where that is so.
    pub unknown: Option<String>,
    /// Whether what is in [`uses`](Self::uses) works for an AWS service alone.
    pub for_aws_alone: bool,
}

/// Something that a key cannot do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inability {
    pub what: Vec<&'static str>,
    /// `disabled`, `RSA_2048 is no symmetric key`.
    pub reason: String,
    /// What a person can do about it, where anything can be done.
    pub way_out: Option<&'static str>,
}

impl fmt::Display for Inability {
    /// `encrypt, decrypt (disabled: enable it first)`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({}", self.what.join(", "), self.reason)?;
        match self.way_out {
            Some(way_out) => write!(formatter, ": {way_out})"),
            None => formatter.write_str(")"),
        }
    }
}

/// Why a state forbids something, and what to do about it.
type Obstacle = (&'static str, Option<&'static str>);

/// What a state lets be done (KMS Developer Guide: key states of KMS keys). `Ok` is yes.
struct Gates {
    /// Everything with the key's material.
    uses: Result<(), Obstacle>,
    /// Its public half, which a disabled key gives too.
    public_key: Result<(), Obstacle>,
    rotation: Result<(), Obstacle>,
    grants: Result<(), Obstacle>,
    /// Tags, description, new aliases.
    labels: Result<(), Obstacle>,
    deletion: Result<(), Obstacle>,
}

const DISABLED: Obstacle = ("disabled", Some("enable it first"));
const PENDING_DELETION: Obstacle = ("pending deletion", Some("cancel its deletion, then enable it"));
const AWAITS_REPLICAS: Obstacle =
    ("pending deletion, once its replicas are gone", Some("cancel its deletion, then enable it"));
const PENDING_IMPORT: Obstacle = ("without key material", Some("import it first"));
const CREATING: Obstacle = ("being created", Some("wait until that is done"));
const UPDATING: Obstacle = ("being updated in its regions", Some("wait until that is done"));
const STORE_AWAY: Obstacle = ("unavailable", Some("connect its custom key store"));

impl Gates {
    /// `None` for a state that this program does not know.
    fn of(state: &KeyState) -> Option<Self> {
        let (yes, all) = (Ok(()), |obstacle| {
            let no = Err(obstacle);
            Self { uses: no, public_key: no, rotation: no, grants: no, labels: no, deletion: no }
        });
        Some(match state {
            KeyState::Enabled => {
                Self { uses: yes, public_key: yes, rotation: yes, grants: yes, labels: yes, deletion: yes }
            }
            KeyState::Disabled => Self { public_key: yes, labels: yes, deletion: yes, ..all(DISABLED) },
            KeyState::PendingDeletion => all(PENDING_DELETION),
            KeyState::PendingReplicaDeletion => all(AWAITS_REPLICAS),
            KeyState::PendingImport => Self { labels: yes, deletion: yes, ..all(PENDING_IMPORT) },
            KeyState::Unavailable => Self { grants: yes, labels: yes, deletion: yes, ..all(STORE_AWAY) },
            KeyState::Creating => Self { labels: yes, deletion: yes, ..all(CREATING) },
            KeyState::Updating => {
                Self { uses: yes, public_key: yes, grants: yes, labels: yes, ..all(UPDATING) }
            }
            KeyState::Other(_) => return None,
        })
    }
}

impl Abilities {
    /// What follows from the facts.
    #[must_use]
    pub fn of(facts: &KeyFacts<'_>) -> Self {
        let mut abilities = Self::default();
        let gates = match facts.state {
            Some(state) => Gates::of(state)
                .ok_or_else(|| format!("what it can do in the state {} is not known", state.as_str())),
            None => Err("its state is not known".to_owned()),
        };
        match gates {
            Err(unknown) => {
                abilities.unknown = Some(unknown);
                abilities.by_kind(facts);
                abilities.changes.push(READ);
            }
            Ok(gates) => {
                abilities.with_its_material(facts, &gates);
                abilities.by_kind(facts);
                if facts.manager == Some(&KeyManager::Aws) {
                    abilities.changes.push(READ);
                    abilities.refuse(
                        vec!["be disabled", "be deleted", "be changed"],
                        "AWS manages this key, for one of its services".to_owned(),
                        Some("make a key of your own for that"),
                    );
                } else {
                    abilities.of_its_life(facts, &gates);
                }
            }
        }
        abilities
    }

    fn refuse(&mut self, what: Vec<&'static str>, reason: String, way_out: Option<&'static str>) {
        if !what.is_empty() {
            self.cannot.push(Inability { what, reason, way_out });
        }
    }

    /// Sorts things into what a gate lets through and what it holds up; inabilities of one reason
    /// become one.
    fn put(&mut self, gate: Result<(), Obstacle>, what: &[&'static str], uses: bool) {
        match gate {
            Ok(()) if uses => self.uses.extend(what),
            Ok(()) => self.changes.extend(what),
            Err((reason, way_out)) => match self.cannot.iter_mut().find(|other| other.reason == reason) {
                Some(other) => other.what.extend(what),
                None => self.refuse(what.to_vec(), reason.to_owned(), way_out),
            },
        }
    }

    /// What its usage and spec are for, as far as the state lets it.
    fn with_its_material(&mut self, facts: &KeyFacts<'_>, gates: &Gates) {
        let uses: &[&'static str] = match (facts.usage, facts.spec) {
            (Some(KeyUsage::EncryptDecrypt), Some(SYMMETRIC)) => {
                &["encrypt", "decrypt", "generate data keys"]
            }
            (Some(KeyUsage::EncryptDecrypt), _) => &["encrypt", "decrypt"],
            (Some(KeyUsage::SignVerify), _) => &["sign", "verify"],
            (Some(KeyUsage::GenerateVerifyMac), _) => &["generate MACs", "verify MACs"],
            (Some(KeyUsage::KeyAgreement), _) => &["derive shared secrets"],
            (Some(KeyUsage::Other(text)), _) => {
                self.unknown = Some(format!("what the usage {text} is for is not known"));
                &[]
            }
            (None, _) => {
                self.unknown = Some("its usage is not known".to_owned());
                &[]
            }
        };
        self.put(gates.uses, uses, true);
        self.for_aws_alone = facts.manager == Some(&KeyManager::Aws);
        if facts.is_asymmetric() == Some(true) {
            self.put(gates.public_key, &["give its public key"], true);
        }
    }

    /// What a key of its kind cannot do in any state.
    fn by_kind(&mut self, facts: &KeyFacts<'_>) {
        match (facts.usage, facts.spec) {
            (Some(KeyUsage::EncryptDecrypt), Some(spec)) if spec != SYMMETRIC => {
                self.refuse(vec!["generate data keys"], format!("{spec} is no symmetric key"), None);
            }
            (Some(KeyUsage::EncryptDecrypt), _) if facts.in_custom_key_store() => self.refuse(
                vec!["generate data key pairs"],
                "its material is in a custom key store".to_owned(),
                None,
            ),
            (
                Some(usage @ (KeyUsage::SignVerify | KeyUsage::GenerateVerifyMac | KeyUsage::KeyAgreement)),
                _,
            ) => {
                self.refuse(
                    vec!["encrypt", "generate data keys"],
                    format!("its usage is {}", usage.words()),
                    None,
                );
            }
            _ => {}
        }
        if facts.manager == Some(&KeyManager::Aws) {
            return;
        }
        let (reason, way_out) = match facts.rotates() {
            Some(false) if facts.in_custom_key_store() => (
                "its material is in a custom key store",
                Some("rotate it by hand: a new key, the alias moved"),
            ),
            Some(false) => (
                "only symmetric encryption keys rotate",
                Some("rotate it by hand: a new key, the alias moved"),
            ),
            Some(true) if facts.multi_region == MultiRegionKind::Replica => {
                ("a replica rotates with its primary", Some("change it there"))
            }
            _ => return,
        };
        self.refuse(vec!["be set to rotate"], reason.to_owned(), way_out);
    }

    /// What can be done to a key of the customer's own.
    fn of_its_life(&mut self, facts: &KeyFacts<'_>, gates: &Gates) {
        if facts.rotates() == Some(true) && facts.multi_region != MultiRegionKind::Replica {
            let own_material = facts.origin != Some(&Origin::External);
            if own_material {
                self.put(gates.rotation, &["rotate, by itself and on demand"], false);
            } else {
                self.put(gates.rotation, &["rotate on demand, to material imported for it"], false);
                self.refuse(
                    vec!["rotate by itself"],
                    "its material is imported".to_owned(),
                    Some("import new material, then rotate on demand"),
                );
            }
        }
        match facts.state {
            Some(KeyState::Enabled) => self.changes.push("be disabled"),
            Some(KeyState::Disabled) => self.changes.push("be enabled"),
            Some(KeyState::Unavailable) => self.changes.extend(["be enabled", "be disabled"]),
            Some(KeyState::PendingImport) => self.changes.push("take imported key material"),
            Some(KeyState::Creating) => self.put(Err(CREATING), &["be disabled"], false),
            Some(KeyState::Updating) => self.put(Err(UPDATING), &["be disabled"], false),
            Some(KeyState::PendingDeletion | KeyState::PendingReplicaDeletion) => {
                self.changes.push("have its deletion cancelled");
            }
            _ => {}
        }
        // A key that is to be deleted has been scheduled for it: nobody asks for that.
        if !matches!(facts.state, Some(KeyState::PendingDeletion | KeyState::PendingReplicaDeletion)) {
            self.put(gates.deletion, &["be scheduled for deletion"], false);
        }
        self.put(gates.grants, &["get grants"], false);
        self.put(gates.labels, &["get tags, aliases and another description"], false);
        self.changes.push(READ);
    }
}

#[cfg(test)]
mod tests;
