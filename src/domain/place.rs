//! Where requests go: a profile, an account, a region and an endpoint, or the local KMS.

/// The word of [`Place::credentials`] where requests are not signed.
pub const UNSIGNED: &str = "unsigned";

/// The place that rows, drafts and results belong to. Members fill in as they become known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub kind: PlaceKind,
    /// The profile, where one was named or is the default of a configuration.
    pub profile: Option<String>,
    /// Where the credentials come from, in a word: `sso`, `environment`, …
    pub credentials: Option<String>,
    /// Twelve digits, known once an ARN has come back.
    pub account: Option<String>,
    pub region: Option<String>,
    /// The endpoint that was asked for, whole; `None` is AWS's own for the region.
    pub endpoint_url: Option<String>,
    /// Where a role's credentials come from: what has to be signed in for when they run out.
    pub role_source: Option<RoleSource>,
    /// The file of certificate authorities that a flag named.
    pub ca_bundle: Option<String>,
    /// Whether profile and endpoint were asked for with a flag: a command line made for this place
    /// then needs them too.
    pub explicit: Explicit,
}

/// What is asked for in place of what the settings say, by a person who goes elsewhere. `None` is as
/// the settings say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Destination {
    pub profile: Option<String>,
    pub region: Option<String>,
}

impl Destination {
    /// Another region, all else as the settings say.
    #[must_use]
    pub fn in_region(region: impl Into<String>) -> Self {
        Self { profile: None, region: Some(region.into()) }
    }
}

/// The profile at the end of a chain of `source_profile`, and its credentials in a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleSource {
    pub profile: String,
    pub credentials: String,
}

/// What a person named, rather than what the environment or a file says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Explicit {
    pub profile: bool,
    pub endpoint: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceKind {
    Aws,
    /// The embedded local KMS, in this process.
    Local,
}

impl Place {
    /// The local KMS in a region.
    #[must_use]
    pub fn local(region: &str) -> Self {
        Self {
            kind: PlaceKind::Local,
            profile: None,
            credentials: None,
            account: None,
            region: Some(region.to_owned()),
            endpoint_url: None,
            role_source: None,
            ca_bundle: None,
            explicit: Explicit::default(),
        }
    }

    /// AWS, as far as the command line tells.
    #[must_use]
    pub fn aws(profile: Option<String>, region: Option<String>, endpoint_url: Option<String>) -> Self {
        let explicit = Explicit { profile: profile.is_some(), endpoint: endpoint_url.is_some() };
        Self {
            kind: PlaceKind::Aws,
            profile,
            credentials: None,
            account: None,
            region,
            endpoint_url,
            role_source: None,
            ca_bundle: None,
            explicit,
        }
    }

    /// Whether what was begun in one of them belongs to the other, as far as both are known.
    #[must_use]
    pub fn is_where(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.profile == other.profile
            && self.region == other.region
            && self.endpoint_url == other.endpoint_url
    }

    /// The place of a destination, seen from here: as far as it is known before anything is read. What
    /// is known of this place's profile holds there too, where the profile is the same.
    #[must_use]
    pub fn towards(&self, to: &Destination) -> Self {
        let mut place = Self { region: to.region.clone(), ..self.clone() };
        if to.profile.is_some() {
            place.explicit.profile = true;
            if to.profile != self.profile {
                place.profile.clone_from(&to.profile);
                (place.credentials, place.account, place.role_source) = (None, None, None);
            }
        }
        place
    }

    /// The host that requests go to, where it can be told: AWS's own follows from the region.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        if self.kind == PlaceKind::Local {
            return None;
        }
        if let Some(url) = &self.endpoint_url {
            return Some(host_of(url).to_owned());
        }
        let region = self.region.as_deref()?;
        let suffix = SUFFIX_OF_REGIONS
            .into_iter()
            .find(|(prefix, _)| region.starts_with(prefix))
            .map_or("amazonaws.com", |(_, suffix)| suffix);
        Some(format!("kms.{region}.{suffix}"))
    }

    /// Whether the endpoint is on this machine: very likely a local KMS.
    #[must_use]
    pub fn is_on_this_machine(&self) -> bool {
        self.endpoint_url.as_deref().is_some_and(is_loopback)
    }

    /// Whether the endpoint is a KMS of AWS's own, by its scheme and host name.
    #[must_use]
    pub fn is_aws_endpoint(&self) -> bool {
        self.kind == PlaceKind::Aws
            && self.endpoint_url.as_deref().is_none_or(|url| {
                let host = host_of(url);
                let host = host.split(':').next().unwrap_or(host).to_ascii_lowercase();
                url.starts_with("https://") && is_kms_of_aws(&host)
            })
    }
}

/// Partitions whose hosts do not end in `amazonaws.com` (endpoint rules of the service model). The
/// longer prefix stands before the shorter.
const SUFFIX_OF_REGIONS: [(&str, &str); 6] = [
    ("cn-", "amazonaws.com.cn"),
    ("eusc-", "amazonaws.eu"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("us-iso-", "c2s.ic.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
];

/// What follows the region in the name of a host of AWS.
const SUFFIXES: [&str; 14] = [
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "c2s.ic.gov",
    "sc2s.sgov.gov",
    "csp.hci.ic.gov",
    "cloud.adc-e.uk",
    "api.aws",
    "api.amazonwebservices.com.cn",
    "api.amazonwebservices.eu",
    "api.aws.ic.gov",
    "api.aws.scloud",
    "api.aws.hci.ic.gov",
    "api.cloud-aws.adc-e.uk",
];

/// `kms.REGION.SUFFIX`, `kms-fips.REGION.SUFFIX`, or `vpce-ID.kms.REGION.vpce.SUFFIX`. The suffix alone
/// says little: anyone may have an API or a bucket under it.
fn is_kms_of_aws(host: &str) -> bool {
    let (label, rest) = host.split_once('.').unwrap_or((host, ""));
    let (label, rest, private) = match rest.split_once('.') {
        Some((inner, rest)) if label.starts_with("vpce-") => (inner, rest, true),
        _ => (label, rest, false),
    };
    let Some((region, suffix)) = rest.split_once('.') else {
        return false;
    };
    let suffix = if private { suffix.strip_prefix("vpce.") } else { Some(suffix) };
    let is_region =
        region.contains('-') && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    matches!(label, "kms" | "kms-fips")
        && is_region
        && suffix.is_some_and(|suffix| SUFFIXES.contains(&suffix))
}

/// Host and port of a URL: what stands between the scheme and the path.
#[must_use]
pub fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

/// Whether the URL sends requests unencrypted to another machine.
#[must_use]
pub fn is_insecure(url: &str) -> bool {
    url.starts_with("http://") && !is_loopback(url)
}

/// Whether the URL leads to this machine.
#[must_use]
pub fn is_loopback(url: &str) -> bool {
    let host = host_of(url);
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => host.split(':').next().unwrap_or(host),
    };
    // Names under `localhost` are loopback in browsers; a resolver may send them anywhere.
    name.parse::<std::net::IpAddr>()
        .map_or_else(|_| name.eq_ignore_ascii_case("localhost"), |ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_follows_from_region_or_endpoint() {
        let mut place = Place::aws(None, Some("eu-west-1".into()), None);
        assert_eq!(place.host().as_deref(), Some("kms.eu-west-1.amazonaws.com"));
        assert!(place.is_aws_endpoint());
        place.region = Some("cn-north-1".into());
        assert_eq!(place.host().as_deref(), Some("kms.cn-north-1.amazonaws.com.cn"));
        place.endpoint_url = Some("http://127.0.0.1:4599/".into());
        assert_eq!(place.host().as_deref(), Some("127.0.0.1:4599"));
        assert!(!place.is_aws_endpoint());
        place.endpoint_url = None;
        for (region, host) in [
            ("eusc-de-east-1", "kms.eusc-de-east-1.amazonaws.eu"),
            ("us-iso-east-1", "kms.us-iso-east-1.c2s.ic.gov"),
            ("us-isob-east-1", "kms.us-isob-east-1.sc2s.sgov.gov"),
            ("us-gov-west-1", "kms.us-gov-west-1.amazonaws.com"),
        ] {
            place.region = Some(region.into());
            assert_eq!(place.host().as_deref(), Some(host));
            assert!(is_kms_of_aws(host), "{host}");
        }
    }

    #[test]
    fn another_region_keeps_what_is_known_of_the_profile_and_another_profile_does_not() {
        let mut here = Place::aws(None, Some("eu-west-1".into()), None);
        (here.profile, here.account) = (Some("dev".into()), Some("111122223333".into()));
        let there = here.towards(&Destination::in_region("us-east-1"));
        assert_eq!(there.account, here.account);
        assert!(!there.is_where(&here) && !there.explicit.profile);
        let to = Destination { profile: Some("prod".into()), region: Some("eu-west-1".into()) };
        let there = here.towards(&to);
        assert_eq!((there.profile.as_deref(), there.account.as_deref()), (Some("prod"), None));
        assert!(!there.is_where(&here) && there.explicit.profile);
        assert!(there.towards(&Destination::in_region("eu-west-1")).is_where(&there));
    }

    #[test]
    fn only_a_kms_of_aws_is_its_own_endpoint() {
        let mut place = Place::aws(None, Some("us-east-1".into()), None);
        for (url, own) in [
            ("https://kms.us-east-1.amazonaws.com", true),
            ("https://KMS.us-east-1.amazonaws.com/", true),
            ("https://kms-fips.us-east-1.amazonaws.com:443", true),
            ("https://kms.cn-north-1.amazonaws.com.cn", true),
            ("https://kms.eu-west-1.api.aws", true),
            ("https://kms-fips.us-west-2.api.aws", true),
            ("https://vpce-0a1b-2c.kms.us-east-1.vpce.amazonaws.com", true),
            ("https://vpce-0a1b-2c-us-east-1a.kms-fips.us-east-1.vpce.amazonaws.com", true),
            ("http://kms.us-east-1.amazonaws.com", false),
            ("https://x.execute-api.us-east-1.amazonaws.com", false),
            ("https://kms.execute-api.us-east-1.amazonaws.com", false),
            ("https://s3.us-east-1.amazonaws.com", false),
            ("https://kms.amazonaws.com", false),
            ("https://vpce-0a1b.execute-api.us-east-1.vpce.amazonaws.com", false),
            ("https://x.kms.us-east-1.vpce.amazonaws.com", false),
            ("https://kms.us-east-1.vpce.amazonaws.com", false),
            ("https://amazonaws.com.evil.example", false),
            ("https://kms.us-east-1.amazonaws.com.evil.example", false),
            ("https://kms.us-east-1.amazonaws.com@evil.example", false),
        ] {
            place.endpoint_url = Some(url.into());
            assert_eq!(place.is_aws_endpoint(), own, "{url}");
        }
    }

    #[test]
    fn only_plain_http_to_another_machine_is_insecure() {
        for (url, insecure) in [
            ("http://127.0.0.1:4599", false),
            ("http://localhost", false),
            ("http://[::1]:80/x", false),
            ("http://LOCALHOST:80", false),
            ("http://kms.localhost", true),
            ("http://localhost.evil.example", true),
            ("http://kms.internal:80", true),
            ("http://127.0.0.1.evil.example", true),
            ("http://user@127.0.0.1@evil.example", true),
            ("https://kms.internal", false),
        ] {
            assert_eq!(is_insecure(url), insecure, "{url}");
        }
    }
}
