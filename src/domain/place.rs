//! Where requests go: a profile, an account, a region and an endpoint, or the local KMS.

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
    /// Whether profile and region were asked for with a flag: a command line made for this place
    /// then needs them too.
    pub explicit: Explicit,
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
            explicit,
        }
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
        let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        Some(format!("kms.{region}.{suffix}"))
    }

    /// Whether the endpoint is AWS's own, by its host name and scheme.
    #[must_use]
    pub fn is_aws_endpoint(&self) -> bool {
        self.kind == PlaceKind::Aws
            && self.endpoint_url.as_deref().is_none_or(|url| {
                let host = host_of(url);
                let host = host.split(':').next().unwrap_or(host);
                url.starts_with("https://")
                    && [".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".amazonaws.eu"]
                        .iter()
                        .any(|suffix| host.ends_with(suffix))
            })
    }
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
    if !url.starts_with("http://") {
        return false;
    }
    let host = host_of(url);
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => host.split(':').next().unwrap_or(host),
    };
    let loopback = name
        .parse::<std::net::IpAddr>()
        .map_or(name == "localhost" || name.ends_with(".localhost"), |ip| ip.is_loopback());
    !loopback
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
        place.endpoint_url = Some("https://kms-fips.us-east-1.amazonaws.com".into());
        assert!(place.is_aws_endpoint());
        place.endpoint_url = Some("https://amazonaws.com.evil.example".into());
        assert!(!place.is_aws_endpoint());
    }

    #[test]
    fn only_plain_http_to_another_machine_is_insecure() {
        for (url, insecure) in [
            ("http://127.0.0.1:4599", false),
            ("http://localhost", false),
            ("http://[::1]:80/x", false),
            ("http://kms.internal:80", true),
            ("http://127.0.0.1.evil.example", true),
            ("http://user@127.0.0.1@evil.example", true),
            ("https://kms.internal", false),
        ] {
            assert_eq!(is_insecure(url), insecure, "{url}");
        }
    }
}
