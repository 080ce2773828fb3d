//! The regions of AWS, by partition, for a person to choose from.
//!
//! No API of KMS lists them, so the list is fixed and grows old: it offers, and refuses nothing. Any
//! name that is formed like a region's is allowed.

use super::place::{Place, PlaceKind};

/// A region that is known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// As requests spell it: `eu-west-1`.
    pub name: &'static str,
    /// As AWS's console calls it: `Europe (Ireland)`.
    pub title: Option<&'static str>,
}

/// Regions that share accounts and the middle part of an ARN's first words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// As ARNs spell it: `aws`, `aws-cn`.
    pub name: &'static str,
    /// What the names of its regions begin with. Empty for the one that holds all others.
    pub prefix: &'static str,
    /// In alphabetical order.
    pub regions: &'static [Region],
}

const fn titled(name: &'static str, title: &'static str) -> Region {
    Region { name, title: Some(title) }
}

const fn untitled(name: &'static str) -> Region {
    Region { name, title: None }
}

/// Every partition. The longer prefix stands before the shorter, the one without a prefix at the end.
pub const PARTITIONS: [Partition; 8] = [
    Partition {
        name: "aws-cn",
        prefix: "cn-",
        regions: &[titled("cn-north-1", "China (Beijing)"), titled("cn-northwest-1", "China (Ningxia)")],
    },
    Partition {
        name: "aws-us-gov",
        prefix: "us-gov-",
        regions: &[
            titled("us-gov-east-1", "AWS GovCloud (US-East)"),
            titled("us-gov-west-1", "AWS GovCloud (US-West)"),
        ],
    },
    Partition { name: "aws-eusc", prefix: "eusc-", regions: &[untitled("eusc-de-east-1")] },
    Partition {
        name: "aws-iso-b",
        prefix: "us-isob-",
        regions: &[untitled("us-isob-east-1"), untitled("us-isob-west-1")],
    },
    Partition {
        name: "aws-iso-f",
        prefix: "us-isof-",
        regions: &[untitled("us-isof-east-1"), untitled("us-isof-south-1")],
    },
    Partition {
        name: "aws-iso",
        prefix: "us-iso-",
        regions: &[untitled("us-iso-east-1"), untitled("us-iso-west-1")],
    },
    Partition { name: "aws-iso-e", prefix: "eu-isoe-", regions: &[untitled("eu-isoe-west-1")] },
    Partition { name: "aws", prefix: "", regions: &COMMERCIAL },
];

const COMMERCIAL: [Region; 34] = [
    titled("af-south-1", "Africa (Cape Town)"),
    titled("ap-east-1", "Asia Pacific (Hong Kong)"),
    titled("ap-east-2", "Asia Pacific (Taipei)"),
    titled("ap-northeast-1", "Asia Pacific (Tokyo)"),
    titled("ap-northeast-2", "Asia Pacific (Seoul)"),
    titled("ap-northeast-3", "Asia Pacific (Osaka)"),
    titled("ap-south-1", "Asia Pacific (Mumbai)"),
    titled("ap-south-2", "Asia Pacific (Hyderabad)"),
    titled("ap-southeast-1", "Asia Pacific (Singapore)"),
    titled("ap-southeast-2", "Asia Pacific (Sydney)"),
    titled("ap-southeast-3", "Asia Pacific (Jakarta)"),
    titled("ap-southeast-4", "Asia Pacific (Melbourne)"),
    titled("ap-southeast-5", "Asia Pacific (Malaysia)"),
    titled("ap-southeast-6", "Asia Pacific (New Zealand)"),
    titled("ap-southeast-7", "Asia Pacific (Thailand)"),
    titled("ca-central-1", "Canada (Central)"),
    titled("ca-west-1", "Canada West (Calgary)"),
    titled("eu-central-1", "Europe (Frankfurt)"),
    titled("eu-central-2", "Europe (Zurich)"),
    titled("eu-north-1", "Europe (Stockholm)"),
    titled("eu-south-1", "Europe (Milan)"),
    titled("eu-south-2", "Europe (Spain)"),
    titled("eu-west-1", "Europe (Ireland)"),
    titled("eu-west-2", "Europe (London)"),
    titled("eu-west-3", "Europe (Paris)"),
    titled("il-central-1", "Israel (Tel Aviv)"),
    titled("me-central-1", "Middle East (UAE)"),
    titled("me-south-1", "Middle East (Bahrain)"),
    titled("mx-central-1", "Mexico (Central)"),
    titled("sa-east-1", "South America (São Paulo)"),
    titled("us-east-1", "US East (N. Virginia)"),
    titled("us-east-2", "US East (Ohio)"),
    titled("us-west-1", "US West (N. California)"),
    titled("us-west-2", "US West (Oregon)"),
];

/// Where the demo's keys are.
const OF_THE_DEMO: [&str; 2] = ["us-east-1", "eu-west-1"];

/// The partition that a region belongs to, whether or not the region itself is known.
#[must_use]
pub fn partition_of(region: &str) -> &'static Partition {
    let [.., last] = &PARTITIONS;
    PARTITIONS.iter().find(|partition| region.starts_with(partition.prefix)).unwrap_or(last)
}

/// The known regions of a region's partition.
#[must_use]
pub fn regions_of_partition_of(region: &str) -> &'static [Region] {
    partition_of(region).regions
}

/// The regions to offer in a place: those of its partition, and in the local KMS first those that the
/// demo has keys in.
#[must_use]
pub fn regions_to_offer(place: &Place) -> Vec<Region> {
    let mut regions = regions_of_partition_of(place.region.as_deref().unwrap_or_default()).to_vec();
    if place.kind == PlaceKind::Local {
        let rank = |region: &Region| {
            OF_THE_DEMO.iter().position(|name| *name == region.name).unwrap_or(OF_THE_DEMO.len())
        };
        regions.sort_by_key(rank);
    }
    regions
}

/// Whether a text is formed like a region's name. A region becomes a label of a host name: at most 63
/// letters, digits and hyphens, no hyphen at either end (RFC 1123, section 2.1).
#[must_use]
pub fn is_region_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 63
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_has_the_partition_that_its_name_begins_like() {
        for (region, partition) in [
            ("us-east-1", "aws"),
            ("us-gov-east-1", "aws-us-gov"),
            ("cn-north-7", "aws-cn"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("eusc-de-east-1", "aws-eusc"),
            ("nobody-knows-1", "aws"),
            ("", "aws"),
        ] {
            assert_eq!(partition_of(region).name, partition, "{region}");
        }
    }

    #[test]
    fn every_known_region_is_in_its_own_partition_once_and_in_order() {
        for partition in &PARTITIONS {
            assert!(partition.regions.is_sorted_by(|a, b| a.name < b.name), "{}", partition.name);
            for region in partition.regions {
                assert!(is_region_name(region.name));
                assert_eq!(partition_of(region.name).name, partition.name, "{}", region.name);
            }
        }
    }

    #[test]
    fn the_demo_offers_the_regions_of_its_keys_first() {
        let offered = regions_to_offer(&Place::local("sa-east-1"));
        let names: Vec<&str> = offered.iter().map(|region| region.name).collect();
        assert_eq!(names[..3], ["us-east-1", "eu-west-1", "af-south-1"]);
        assert_eq!(names.len(), COMMERCIAL.len());
        let china = regions_to_offer(&Place::aws(None, Some("cn-north-1".into()), None));
        assert_eq!(china[0].title, Some("China (Beijing)"));
        let nowhere = regions_to_offer(&Place::aws(None, None, None));
        assert_eq!(nowhere[0].name, "af-south-1");
    }

    #[test]
    fn a_region_name_is_a_label_of_a_host_name() {
        for (text, is_one) in [
            ("us-east-1", true),
            ("local", true),
            ("", false),
            ("-a", false),
            ("a-", false),
            ("us-east-1.", false),
            ("evil.example/", false),
            ("us east 1", false),
            (&"a".repeat(63), true),
            (&"a".repeat(64), false),
        ] {
            assert_eq!(is_region_name(text), is_one, "{text}");
        }
    }
}
