//! The details of one key: its tabs, what was read for them and what is being read.
//!
//! A part is asked for when its tab is opened, once, and again when a person asks; only the answer to
//! the last question counts. Nothing is asked here.

use std::borrow::Cow;
use std::collections::HashMap;

use super::Ticket;
use super::search::Search;
use crate::domain::abilities::KeyFacts;
use crate::domain::catalog::{Key, KeyHandle};
use crate::domain::details::{Aspect, Detail};
use crate::domain::failure::Failure;
use crate::domain::key::{KeyMetadata, MultiRegionConfiguration, MultiRegionKind};

/// Everything about one key.
#[derive(Clone, Debug)]
pub struct Details {
    pub key: KeyHandle,
    /// All that DescribeKey told, once it was asked for this screen.
    pub metadata: Option<Box<KeyMetadata>>,
    /// Why DescribeKey told nothing when it was last asked for this screen.
    pub refusal: Option<Box<Failure>>,
    pub tab: DetailsTab,
    /// Lines scrolled off the top.
    pub scroll: usize,
    /// A description under way.
    pub ticket: Option<Ticket>,
    /// Whether a person asked for it again, and is to hear that it came.
    pub asked_again: bool,
    /// The search in the tab's text, while there is one.
    pub search: Option<Search>,
    parts: HashMap<KeyPart, Reading>,
}

/// What one call, or two, read about a key beside DescribeKey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyPart {
    /// The names of all its aliases, from the service.
    Aliases,
    Aspect(Aspect),
}

/// What a part brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    Aliases(Vec<String>),
    Detail(Box<Detail>),
}

/// How reading a part stands.
#[derive(Clone, Debug)]
pub enum Reading {
    Asked(Ticket),
    Told(Told),
    Failed(Box<Failure>),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DetailsTab {
    #[default]
    Overview,
    Aliases,
    Policy,
    Tags,
    Grants,
    Rotation,
    PublicKey,
    Json,
}

impl DetailsTab {
    pub const ALL: [Self; 8] = [
        Self::Overview,
        Self::Aliases,
        Self::Policy,
        Self::Tags,
        Self::Grants,
        Self::Rotation,
        Self::PublicKey,
        Self::Json,
    ];

    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Aliases => "Aliases",
            Self::Policy => "Policy",
            Self::Tags => "Tags",
            Self::Grants => "Grants",
            Self::Rotation => "Rotation",
            Self::PublicKey => "Public key",
            Self::Json => "JSON",
        }
    }

    /// What is read for it alone; `None` where DescribeKey tells it.
    #[must_use]
    pub const fn part(self) -> Option<KeyPart> {
        match self {
            Self::Overview | Self::Json => None,
            Self::Aliases => Some(KeyPart::Aliases),
            Self::Policy => Some(KeyPart::Aspect(Aspect::Policy)),
            Self::Tags => Some(KeyPart::Aspect(Aspect::Tags)),
            Self::Grants => Some(KeyPart::Aspect(Aspect::Grants)),
            Self::Rotation => Some(KeyPart::Aspect(Aspect::Rotation)),
            Self::PublicKey => Some(KeyPart::Aspect(Aspect::PublicKey)),
        }
    }
}

impl Details {
    #[must_use]
    pub fn new(key: KeyHandle) -> Self {
        Self {
            key,
            metadata: None,
            refusal: None,
            tab: DetailsTab::default(),
            scroll: 0,
            ticket: None,
            asked_again: false,
            search: None,
            parts: HashMap::new(),
        }
    }

    /// How reading a part stands; `None` before it was asked for.
    #[must_use]
    pub fn reading(&self, part: KeyPart) -> Option<&Reading> {
        self.parts.get(&part)
    }

    /// What an aspect brought.
    #[must_use]
    pub fn detail(&self, aspect: Aspect) -> Option<&Detail> {
        match self.reading(KeyPart::Aspect(aspect))? {
            Reading::Told(Told::Detail(detail)) => Some(detail),
            _ => None,
        }
    }

    /// Why the part of the tab was not told.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self.tab.part() {
            None => self.refusal.as_deref(),
            Some(part) => match self.reading(part)? {
                Reading::Failed(failure) => Some(failure),
                _ => None,
            },
        }
    }

    /// All that is known of the key: what DescribeKey told for this screen, else what the list has.
    #[must_use]
    pub fn known<'a>(&'a self, row: Key<'_>) -> Option<Cow<'a, KeyMetadata>> {
        match self.metadata.as_deref() {
            Some(metadata) => Some(Cow::Borrowed(metadata)),
            None => of_the_row(row).map(Cow::Owned),
        }
    }

    /// Why the tab's part is not to be had from a key like this one, in a sentence.
    #[must_use]
    pub fn not_for(&self, tab: DetailsTab, row: Key<'_>) -> Option<String> {
        let Some(KeyPart::Aspect(aspect)) = tab.part() else { return None };
        let known = self.known(row)?;
        let facts = KeyFacts::of(&known);
        if aspect.applies_to(&facts) {
            return None;
        }
        let spec = known.spec().unwrap_or("this key");
        Some(match aspect {
            Aspect::PublicKey => format!("{spec} is no asymmetric key: it has no public half"),
            _ if facts.in_custom_key_store() => {
                "its material is in a custom key store: KMS does not rotate it".to_owned()
            }
            _ => format!("only symmetric encryption keys rotate, and this one is {spec}"),
        })
    }

    /// Whether it is not known yet whether a key like this one has the part, and soon will be.
    #[must_use]
    pub fn waits_for_its_facts(&self, part: KeyPart, row: Key<'_>) -> bool {
        let depends = matches!(part, KeyPart::Aspect(Aspect::Rotation | Aspect::PublicKey));
        depends && self.ticket.is_some() && self.known(row).is_none()
    }

    pub(super) fn ask(&mut self, part: KeyPart, ticket: Ticket) {
        self.parts.insert(part, Reading::Asked(ticket));
    }

    /// Where the answer to a question belongs, while it is asked.
    pub(super) fn asking(&mut self, ticket: Ticket) -> Option<&mut Reading> {
        let asked = |reading: &&mut Reading| matches!(reading, Reading::Asked(asked) if *asked == ticket);
        self.parts.values_mut().find(asked)
    }

    /// Questions that are not answered.
    pub(super) fn under_way(&self) -> Vec<Ticket> {
        let asked = self.parts.values().filter_map(|reading| match reading {
            Reading::Asked(ticket) => Some(*ticket),
            _ => None,
        });
        asked.chain(self.ticket).collect()
    }
}

/// What the list has of DescribeKey's answer; `None` where it has none.
fn of_the_row(row: Key<'_>) -> Option<KeyMetadata> {
    let traits = row.traits()?;
    let role = match traits.multi_region {
        MultiRegionKind::Single => None,
        MultiRegionKind::Primary => Some("PRIMARY"),
        MultiRegionKind::Replica => Some("REPLICA"),
    };
    Some(KeyMetadata {
        arn: Some(row.arn()),
        creation_date: row.creation_date(),
        description: row.description().to_owned(),
        key_usage: traits.key_usage.clone(),
        key_state: traits.key_state.clone(),
        deletion_date: row.deletion_date(),
        valid_to: row.valid_to(),
        origin: traits.origin.clone(),
        custom_key_store_id: traits.custom_key_store_id.as_deref().map(str::to_owned),
        key_manager: traits.key_manager.clone(),
        key_spec: traits.spec.as_deref().map(str::to_owned),
        multi_region: role.map(|_| true),
        multi_region_configuration: role.map(|role| MultiRegionConfiguration {
            multi_region_key_type: Some(role.to_owned()),
            primary_key: None,
            replica_keys: Vec::new(),
        }),
        ..KeyMetadata::bare(&row.key_id())
    })
}
