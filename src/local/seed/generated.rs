//! Keys by the number, made up from a seed: what an account of many teams looks like after years.
//!
//! The same seed gives the same keys, their material included, on any machine: who knows the seed
//! knows the keys, so they are for tests and demonstrations alone. The first keys of a larger number
//! are those of a smaller one. Only what lies ahead, deletion and expiry, counts from the clock.
//!
//! The mixture: nine keys of ten are symmetric encryption keys with material from KMS; the others are
//! RSA, elliptic curve and HMAC keys, and keys for imported material of which half wait for it. Of a
//! hundred keys about 86 are enabled, 9 disabled, 5 pending deletion. Every tenth is an AWS managed
//! key until each service has its own. A key has up to three aliases, one in five none. The first is
//! always the enabled symmetric customer managed key of `alias/demo/orders`.
//!
//! It must make nothing that KMS would not allow to be.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use jiff::{SignedDuration, Timestamp};

use super::super::OpenError;
use super::super::blob::Material;
use super::super::clock::Clock;
use super::super::key::{AliasRecord, AliasTarget, KeyManager, KeySpec, KeyState, KeyUsage, Origin};
use super::super::randomness::{Exhausted, Randomness};
use super::super::store::{StoreError, Writer};
use super::Key;

/// So many keys, made up from a seed.
#[derive(Clone, Copy, Debug)]
pub(in crate::local) struct Generated {
    pub keys: u32,
    pub seed: u64,
}

/// The region that the keys are in.
const REGION: &str = "us-east-1";

const TEAMS: [&str; 32] = [
    "accounts",
    "ads",
    "analytics",
    "audit",
    "backup",
    "billing",
    "catalog",
    "checkout",
    "claims",
    "crm",
    "data-lake",
    "delivery",
    "devices",
    "fraud",
    "growth",
    "identity",
    "inventory",
    "ledger",
    "legal",
    "logistics",
    "loyalty",
    "media",
    "messaging",
    "mobile",
    "orders",
    "payments",
    "payroll",
    "platform",
    "pricing",
    "risk",
    "search",
    "support",
];

const SERVICES: [&str; 40] = [
    "api",
    "archive",
    "attachments",
    "batch",
    "cache",
    "cards",
    "certificates",
    "config",
    "consent",
    "contracts",
    "crawler",
    "customers",
    "documents",
    "events",
    "exports",
    "feed",
    "gateway",
    "images",
    "imports",
    "index",
    "invoices",
    "jobs",
    "keystore",
    "logs",
    "metrics",
    "notifications",
    "profiles",
    "queue",
    "recordings",
    "refunds",
    "reports",
    "scheduler",
    "secrets",
    "sessions",
    "snapshots",
    "tokens",
    "uploads",
    "vault",
    "warehouse",
    "webhooks",
];

const ENVIRONMENTS: [&str; 5] = ["prod", "staging", "test", "dev", "dr"];

/// Names for the second and the third alias of a key.
const PURPOSES: [&str; 2] = ["current", "v2"];

/// Places of a team's service in an environment.
const PLACES: u64 = (TEAMS.len() * SERVICES.len() * ENVIRONMENTS.len()) as u64;

/// From one place to the next. It has no factor in common with [`PLACES`], so that each comes once
/// before any comes again.
const STRIDE: u64 = 1_999;

/// Services whose managed keys there are, and what each protects.
const MANAGED: [(&str, &str); 16] = [
    ("s3", "S3 objects"),
    ("ebs", "EBS volumes"),
    ("rds", "RDS database volumes"),
    ("secretsmanager", "Secrets Manager data"),
    ("lambda", "Lambda functions"),
    ("dynamodb", "DynamoDB tables"),
    ("elasticfilesystem", "EFS filesystems"),
    ("sns", "SNS data"),
    ("sqs", "SQS messages"),
    ("ssm", "SSM parameters"),
    ("kinesis", "Kinesis data"),
    ("glue", "Glue data"),
    ("redshift", "Redshift clusters"),
    ("backup", "Backup vaults"),
    ("es", "Elasticsearch domains"),
    ("fsx", "FSx resources"),
];

/// 2015-01-01, and the seconds from then until 2026-07-01: when keys were created.
const EPOCH: i64 = 1_420_070_400;
const YEARS: u32 = 362_793_600;

impl Generated {
    /// Makes the keys in an empty store.
    pub(in crate::local) fn plant(self, writer: &Writer, clock: &Clock) -> Result<(), OpenError> {
        let failed = |error: StoreError| OpenError::Seed { reason: error.to_string() };
        let now = clock.now();
        let mut order = Vec::new();
        for number in 0..self.keys {
            order.push((self.source(number).uuid()?, number));
        }
        order.sort_unstable();
        let mut bulk = writer.bulk().map_err(failed)?;
        let mut aliases: Vec<(String, AliasTarget)> = Vec::new();
        for (_, number) in order {
            let (key, material) = self.key(number, now)?;
            let mut record = key.record(now);
            // Its earlier rotations are not made: nothing was sealed under earlier material.
            record.rotation = record.rotation.map(|rotation| rotation.caught_up(now));
            if key.has_material() {
                record.material = Some(material.id(&key.id).to_hex());
                bulk.put_material(REGION, &key.id, &material).map_err(failed)?;
            }
            bulk.put_key(REGION, &key.id, &record).map_err(failed)?;
            for name in key.aliases {
                let target =
                    AliasTarget { key_id: key.id.clone(), created: key.created, updated: key.created };
                aliases.push((name, target));
            }
        }
        aliases.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        for (name, target) in aliases {
            let record = AliasRecord { target: Some(target), managed_description: None };
            bulk.put_alias(REGION, &name, &record).map_err(failed)?;
        }
        Ok(())
    }

    /// The source of all that is drawn for one key. Its id is drawn first.
    fn source(self, number: u32) -> Randomness {
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(b"localkms/v1/generated-key\0");
        hash.update(&self.seed.to_be_bytes());
        hash.update(&number.to_be_bytes());
        let mut seed = [0; 8];
        seed.copy_from_slice(&hash.finish().as_ref()[..8]);
        Randomness::deterministic(u64::from_be_bytes(seed))
    }

    /// One key, and the material that it has if it has any.
    fn key(self, number: u32, now: Timestamp) -> Result<(Key, Material), Exhausted> {
        let source = self.source(number);
        let id = source.uuid()?;
        let material = Material::generate(&source)?;
        let draws = Draws(source);
        let created = draws.creation()?.min(now);
        let plain = Key {
            id,
            region: REGION.to_owned(),
            created,
            description: String::new(),
            state: KeyState::Enabled,
            usage: KeyUsage::EncryptDecrypt,
            spec: KeySpec::SymmetricDefault,
            origin: Origin::AwsKms,
            manager: KeyManager::Customer,
            aliases: Vec::new(),
            tags: BTreeMap::new(),
            deletion_in_days: None,
            pending_window_days: None,
            expires_in_days: None,
            rotation_period_days: None,
            custom_key_store: None,
            multi_region: None,
            grants: Vec::new(),
        };
        let key = if number == 0 {
            orders(plain)
        } else if let Some((service, what)) = managed(number) {
            Key {
                description: format!("Default key that protects my {what} when no other key is defined"),
                manager: KeyManager::Aws,
                aliases: vec![format!("alias/aws/{service}")],
                rotation_period_days: Some(365),
                ..plain
            }
        } else {
            self.customer_key(number, plain, &draws)?
        };
        Ok((key, material))
    }

    /// A customer managed key like any other.
    fn customer_key(self, number: u32, plain: Key, draws: &Draws) -> Result<Key, Exhausted> {
        let place = self.place(number);
        let (usage, spec, origin) = draws.kind()?;
        let mut key = Key { usage, spec, origin, ..plain };
        key.state = match draws.below(100)? {
            _ if origin == Origin::External && draws.below(2)? == 0 => KeyState::PendingImport,
            0..9 => KeyState::Disabled,
            9..14 => KeyState::PendingDeletion,
            _ => KeyState::Enabled,
        };
        if key.state == KeyState::PendingDeletion {
            key.deletion_in_days = Some(draws.days(1..31)?);
        }
        if origin == Origin::External && key.state != KeyState::PendingImport && draws.below(2)? == 0 {
            key.expires_in_days = Some(draws.days(30..731)?);
        }
        let rotates = spec == KeySpec::SymmetricDefault && origin == Origin::AwsKms;
        if rotates && draws.below(10)? < 6 {
            key.rotation_period_days = Some(draws.pick(&[365, 365, 365, 365, 180, 90, 730])?);
        }
        let count = match draws.below(100)? {
            0..20 => 0,
            20..75 => 1,
            75..93 => 2,
            _ => 3,
        };
        let base = format!("alias/{}/{}/{}{}", place.team, place.service, place.environment, place.suffix);
        let more = PURPOSES.map(|purpose| format!("{base}/{purpose}"));
        key.aliases = std::iter::once(base).chain(more).take(count).collect();
        key.description = place.description(usage, draws)?;
        key.tags = place.tags(draws)?;
        Ok(key)
    }

    /// Where a key belongs. No two keys have the same place and suffix.
    fn place(self, number: u32) -> Place {
        let step = self.seed % PLACES + u64::from(number);
        let slot = step * STRIDE % PLACES;
        let round = u64::from(number) / PLACES;
        let slot = usize::try_from(slot).unwrap_or(0);
        let suffix = if round == 0 { String::new() } else { format!("-{}", round + 1) };
        Place {
            team: TEAMS[slot % TEAMS.len()],
            service: SERVICES[slot / TEAMS.len() % SERVICES.len()],
            environment: ENVIRONMENTS[slot / TEAMS.len() / SERVICES.len()],
            suffix,
        }
    }
}

/// The key that every manual names.
fn orders(plain: Key) -> Key {
    let tags = [("owner", "orders"), ("environment", "demo"), ("cost-center", "4711")];
    Key {
        description: "Data keys for orders".to_owned(),
        aliases: vec!["alias/demo/orders".to_owned()],
        tags: tags.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        rotation_period_days: Some(365),
        ..plain
    }
}

/// The service whose managed key has that number, and what it protects.
fn managed(number: u32) -> Option<(&'static str, &'static str)> {
    let index = usize::try_from(number / 10).ok()?.checked_sub(1)?;
    MANAGED.get(index).copied().filter(|_| number.is_multiple_of(10))
}

/// A team's service in an environment.
struct Place {
    team: &'static str,
    service: &'static str,
    environment: &'static str,
    /// Tells keys of one place apart.
    suffix: String,
}

impl Place {
    fn description(&self, usage: KeyUsage, draws: &Draws) -> Result<String, Exhausted> {
        let Self { team, service, environment, .. } = self;
        let what = match usage {
            KeyUsage::EncryptDecrypt => "Data keys",
            KeyUsage::SignVerify => "Signatures",
            KeyUsage::GenerateVerifyMac => "Message authentication",
            KeyUsage::KeyAgreement => "Key agreement",
            KeyUsage::EncapsulateDecapsulate => "Key encapsulation",
        };
        Ok(match draws.below(8)? {
            0 => String::new(),
            1 | 2 => format!("{what} of {service}, team {team}, {environment}"),
            3 => format!("{team} {service} ({environment}). Ask #{team}-on-call before a change."),
            4 => format!("managed by terraform: {team}/{environment}/{service}"),
            _ => format!("{what} for {service} ({environment})"),
        })
    }

    fn tags(&self, draws: &Draws) -> Result<BTreeMap<String, String>, Exhausted> {
        let mut tags = BTreeMap::new();
        let mut put = |name: &str, value: &str| drop(tags.insert(name.to_owned(), value.to_owned()));
        if draws.below(10)? < 7 {
            put("owner", self.team);
            put("environment", self.environment);
            if draws.below(2)? == 0 {
                put("service", self.service);
            }
            if draws.below(3)? == 0 {
                put("cost-center", &(1_000 + draws.below(80)? * 100).to_string());
            }
        }
        Ok(tags)
    }
}

/// What is drawn for one key, in one order always.
struct Draws(Randomness);

impl Draws {
    /// A number from 0 to below `bound`, each as likely.
    fn below(&self, bound: u32) -> Result<u32, Exhausted> {
        let drawn = u128::from(u64::from_be_bytes(self.0.array()?));
        Ok(u32::try_from((drawn * u128::from(bound)) >> 64).unwrap_or(0))
    }

    fn pick<T: Copy>(&self, from: &[T]) -> Result<T, Exhausted> {
        let bound = u32::try_from(from.len()).unwrap_or(u32::MAX);
        Ok(from[self.below(bound)? as usize])
    }

    fn days(&self, range: std::ops::Range<u16>) -> Result<u16, Exhausted> {
        let span = u32::from(range.end - range.start);
        Ok(range.start + u16::try_from(self.below(span)?).unwrap_or(0))
    }

    fn creation(&self) -> Result<Timestamp, Exhausted> {
        let seconds = EPOCH + i64::from(self.below(YEARS)?);
        let milliseconds = SignedDuration::from_millis(i64::from(self.below(1_000)?));
        Ok(Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds) + milliseconds)
    }

    /// What a key can do, and where its material comes from.
    fn kind(&self) -> Result<(KeyUsage, KeySpec, Origin), Exhausted> {
        use {KeySpec as Spec, KeyUsage as Usage};
        let (spec, usage) = match self.below(1_000)? {
            0..10 => return Ok((Usage::EncryptDecrypt, Spec::SymmetricDefault, Origin::External)),
            10..40 => {
                let usage = self.pick(&[Usage::EncryptDecrypt, Usage::SignVerify])?;
                (self.pick(&[Spec::Rsa2048, Spec::Rsa2048, Spec::Rsa3072, Spec::Rsa4096])?, usage)
            }
            40..70 => {
                let curve = self.pick(&[
                    Spec::EccNistP256,
                    Spec::EccNistP256,
                    Spec::EccNistP384,
                    Spec::EccNistP521,
                    Spec::EccSecgP256K1,
                    Spec::EccNistEdwards25519,
                ])?;
                (curve, Usage::SignVerify)
            }
            70..75 => (self.pick(&[Spec::EccNistP256, Spec::EccNistP384])?, Usage::KeyAgreement),
            75..100 => {
                let spec =
                    self.pick(&[Spec::Hmac256, Spec::Hmac256, Spec::Hmac224, Spec::Hmac384, Spec::Hmac512])?;
                (spec, Usage::GenerateVerifyMac)
            }
            _ => (Spec::SymmetricDefault, Usage::EncryptDecrypt),
        };
        Ok((usage, spec, Origin::AwsKms))
    }
}

#[cfg(test)]
mod tests;
