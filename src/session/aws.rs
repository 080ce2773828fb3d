//! AWS by its standard chain: environment, profiles, single sign-on, roles, containers, instances.
//!
//! The SDK's chain does the work. What it leaves out is here: an explicit profile before
//! credentials in the environment, `AWS_DEFAULT_PROFILE`, `AWS_CA_BUNDLE`, patience with a process that
//! gives credentials, and a sentence for each thing that is missing.

mod patient;

use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::identity::IdentityCache;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::{Profile as Section, ProfileFileCredentialsProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder as HttpBuilder, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::SdkConfig;
use aws_types::os_shim_internal::{Env, Fs};
use aws_types::service_config::ServiceConfigKey;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use self::patient::Patient;
use super::{AwsSettings, check_region};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::place::{Destination, Place, RoleSource, UNSIGNED, host_of, is_insecure};
use crate::domain::profile::ProfileSummary;
use crate::kms::{Clients, no_region};

/// How long the instance metadata service may take to tell a region.
const METADATA_TIME_OUT: Duration = Duration::from_secs(2);

/// How long credentials may take: a `credential_process` may wait for a browser or a touch of a key.
/// The SDK's cache gives up after a time that follows from the time-outs of a request otherwise.
const CREDENTIALS_TIME_OUT: Duration = Duration::from_mins(2);

/// Reads the configuration and makes clients. Credentials are fetched by the first call, unless a
/// process gives them: that one may wait for a person, and a call has no such time.
pub(super) async fn connect(settings: &AwsSettings, to: &Destination) -> Result<Clients, Failure> {
    let settings = &settings.towards(to);
    let env = Env::real();
    let named = named_profile(settings, &env);
    let profiles = load_profiles(&Fs::real(), &env, named.as_deref()).await?;
    let profile = Profile::select(named, &profiles)?;
    profile.refuse_mfa(settings, &env)?;
    let region = region(settings, &env, &profile, First::of(to)).await?;
    let mut place = Place::aws(settings.profile.clone(), Some(region.clone()), settings.endpoint_url.clone());
    place.profile = profile.shown_name();
    place.credentials = profile.source_of_credentials(settings, &env).map(str::to_owned);
    place.role_source = profile.role_source().filter(|_| place.credentials.as_deref() == Some("role"));
    place.ca_bundle = settings.ca_bundle.as_ref().and_then(|path| path.to_str()).map(str::to_owned);

    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region.clone()))
        .profile_name(&profile.name)
        .identity_cache(IdentityCache::lazy().load_timeout(CREDENTIALS_TIME_OUT).build());
    let http_client = match ca_bundle(settings, &env, &profile) {
        Some(bundle) => Some(http_client_trusting(&bundle)?),
        None => None,
    };
    if let Some(client) = &http_client {
        loader = loader.http_client(client.clone());
    }
    if let Some(url) = &settings.endpoint_url {
        loader = loader.endpoint_url(check_endpoint(url, settings)?);
    }
    loader = with_credentials(loader, settings, &region, http_client);
    let mut config = loader.load().await;
    if place.endpoint_url.is_none() {
        place.endpoint_url = configured_endpoint(&config);
        if let Some(url) = &place.endpoint_url {
            check_endpoint(url, settings)?;
        }
    }
    refuse_impossible_endpoint(&config, &place)?;
    if let Some(provider) = config.credentials_provider() {
        let patient = Patient::new(provider);
        if comes_from_a_process(&place) {
            // What goes wrong here is told by the first call, in the same words.
            let _ = tokio::time::timeout(CREDENTIALS_TIME_OUT, patient.fetch_ahead()).await;
        }
        config = config.into_builder().credentials_provider(SharedCredentialsProvider::new(patient)).build();
    }
    Ok(Clients::new(&config, settings.time_outs, place))
}

/// Reads the configuration and tells of each profile in it.
pub(super) async fn profiles(settings: &AwsSettings) -> Result<Vec<ProfileSummary>, Failure> {
    let env = Env::real();
    let named = named_profile(settings, &env);
    let set = load_profiles(&Fs::real(), &env, named.as_deref()).await?;
    Ok(summaries(&set))
}

fn summaries(set: &ProfileSet) -> Vec<ProfileSummary> {
    let mut names: Vec<&str> = set.profiles().collect();
    names.sort_unstable();
    let summary = |name: &str| {
        let profile = Profile { set, name: name.to_owned(), named: true };
        profile.summary(name == set.selected_profile())
    };
    names.into_iter().map(summary).collect()
}

fn comes_from_a_process(place: &Place) -> bool {
    let of_the_source = place.role_source.as_ref().map(|source| source.credentials.as_str());
    [place.credentials.as_deref(), of_the_source].contains(&Some("process"))
}

/// Flag, then environment: as the AWS CLI, which reads the older name first. The SDK does not know it.
fn named_profile(settings: &AwsSettings, env: &Env) -> Option<String> {
    settings
        .profile
        .clone()
        .or_else(|| value_of(env, "AWS_DEFAULT_PROFILE"))
        .or_else(|| value_of(env, "AWS_PROFILE"))
}

#[expect(clippy::default_trait_access, reason = "the type is of a crate that is no dependency of ours")]
async fn load_profiles(fs: &Fs, env: &Env, named: Option<&str>) -> Result<ProfileSet, Failure> {
    let named = Some(named.unwrap_or("default").to_owned().into());
    aws_config::profile::load(fs, env, &Default::default(), named).await.map_err(|error| {
        let mut reason = error.to_string();
        if let Some(source) = std::error::Error::source(&error) {
            reason = format!("{reason}: {source}");
        }
        Failure::new(FailureKind::Configuration, format!("the AWS configuration cannot be read: {reason}"))
            .hint("mend the file that is named, or set AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE")
    })
}

/// The profile in use.
struct Profile<'a> {
    set: &'a ProfileSet,
    name: String,
    /// Whether a flag or the environment named it.
    named: bool,
}

impl<'a> Profile<'a> {
    fn select(named: Option<String>, set: &'a ProfileSet) -> Result<Self, Failure> {
        let profile = Self {
            set,
            named: named.is_some(),
            name: named.unwrap_or_else(|| set.selected_profile().to_owned()),
        };
        if profile.named && set.get_profile(&profile.name).is_none() {
            let mut known: Vec<&str> = set.profiles().collect();
            known.sort_unstable();
            let there_are = if known.is_empty() {
                "the AWS configuration has no profiles; make one with `aws configure sso`".to_owned()
            } else {
                format!("there are: {}", known.join(", "))
            };
            let sentence = format!("no profile named {}", profile.name);
            return Err(Failure::new(FailureKind::NoProfile, sentence).hint(there_are));
        }
        profile.refuse_missing_source()?;
        Ok(profile)
    }

    /// The SDK takes such a profile for one without credentials, and goes on looking elsewhere.
    fn refuse_missing_source(&self) -> Result<(), Failure> {
        let Some((section, source)) = self.missing_source() else {
            return Ok(());
        };
        let sentence =
            format!("no profile named {source}, which profile {} takes its credentials from", section.name());
        Err(Failure::new(FailureKind::NoProfile, sentence)
            .hint("mend source_profile in the AWS configuration"))
    }

    /// The source that is not there, and the section that names it.
    fn missing_source(&self) -> Option<(&'a Section, &'a str)> {
        let chain = self.chain();
        // Keys end a chain, whatever role stands beside them.
        let section = *chain.last().filter(|section| chain.len() == 1 || !has_keys(section))?;
        let source = source_of(section)?;
        self.set.get_profile(source).is_none().then_some((section, source))
    }

    /// The profile and those that it takes its credentials from, as the SDK goes through them. A loop
    /// ends where it closes: the SDK says so.
    fn chain(&self) -> Vec<&'a Section> {
        let mut chain: Vec<&Section> = Vec::new();
        let mut next = self.set.get_profile(&self.name);
        while let Some(section) = next {
            if chain.iter().any(|before| before.name() == section.name()) {
                break;
            }
            chain.push(section);
            // From the second on, keys go before a role.
            if chain.len() > 1 && has_keys(section) {
                break;
            }
            next = source_of(section).and_then(|source| self.set.get_profile(source));
        }
        chain
    }

    /// Where the chain of a role ends.
    fn role_source(&self) -> Option<RoleSource> {
        let chain = self.chain();
        let [_, .., last] = chain.as_slice() else {
            return None;
        };
        let credentials = if has_keys(last) { "keys" } else { word_for(last)? };
        Some(RoleSource { profile: last.name().to_owned(), credentials: credentials.to_owned() })
    }

    fn get(&self, property: &str) -> Option<&'a str> {
        self.set.get_profile(&self.name)?.get(property)
    }

    /// The name, where the profile is there or was asked for.
    fn shown_name(&self) -> Option<String> {
        (self.named || self.set.get_profile(&self.name).is_some()).then(|| self.name.clone())
    }

    /// The section of the chain that needs a code, its role and the serial of its device.
    fn mfa(&self) -> Option<(&'a Section, &'a str, &'a str)> {
        self.chain().into_iter().enumerate().find_map(|(index, section)| {
            let takes_keys = index > 0 && has_keys(section);
            let role = section.get("role_arn").filter(|_| !takes_keys && !is_web_identity(section))?;
            Some((section, role, section.get("mfa_serial")?))
        })
    }

    /// What a person chooses it by.
    fn summary(&self, is_current: bool) -> ProfileSummary {
        let text = |property: &str| self.get(property).map(str::to_owned);
        ProfileSummary {
            name: self.name.clone(),
            region: text("region"),
            credentials: self.set.get_profile(&self.name).and_then(word_for),
            role_account: self.get("role_arn").and_then(account_of).map(str::to_owned),
            sso_session: text("sso_session"),
            sso_account: text("sso_account_id"),
            needs_mfa: self.mfa().is_some(),
            missing_source: self.missing_source().map(|(_, source)| source.to_owned()),
            is_current,
        }
    }

    /// The SDK cannot ask for a code (aws-sdk-rust, issue 527): say so before it fails without a word.
    fn refuse_mfa(&self, settings: &AwsSettings, env: &Env) -> Result<(), Failure> {
        if settings.unsigned || (settings.profile.is_none() && has_environment_credentials(env)) {
            return Ok(());
        }
        let Some((section, role, serial)) = self.mfa() else {
            return Ok(());
        };
        let quoted = |word: &str| shlex::try_quote(word).map_or_else(|_| word.to_owned(), Into::into);
        let sentence = if section.name() == self.name {
            format!("profile {} needs an MFA code, which kmx cannot ask for", self.name)
        } else {
            format!(
                "profile {} needs an MFA code for its source, profile {}, which kmx cannot ask for",
                self.name,
                section.name()
            )
        };
        Err(Failure::new(FailureKind::Configuration, sentence)
            .hint("get temporary credentials with the AWS CLI, which asks for the code, and export them")
            .hint("or make another profile with a credential_process and name that one")
            .command(format!(
                "aws sts assume-role --profile {} --role-arn {} --role-session-name kmx --serial-number {} --token-code CODE",
                quoted(section.get("source_profile").unwrap_or("default")),
                quoted(role),
                quoted(serial),
            )))
    }

    /// A word for where credentials come from, told by what is configured.
    fn source_of_credentials(&self, settings: &AwsSettings, env: &Env) -> Option<&'static str> {
        if settings.unsigned {
            return Some(UNSIGNED);
        }
        if settings.profile.is_none() && has_environment_credentials(env) {
            return Some("environment");
        }
        self.set
            .get_profile(&self.name)
            .and_then(word_for)
            .or_else(|| is_set(env, "AWS_WEB_IDENTITY_TOKEN_FILE").then_some("web identity"))
            .or_else(|| {
                (is_set(env, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
                    || is_set(env, "AWS_CONTAINER_CREDENTIALS_FULL_URI"))
                .then_some("container")
            })
    }
}

/// A word for where a profile's credentials come from, in the order in which the SDK looks.
fn word_for(section: &Section) -> Option<&'static str> {
    if is_web_identity(section) {
        return Some("web identity");
    }
    [
        ("role_arn", "role"),
        ("sso_session", "sso"),
        ("sso_start_url", "sso"),
        ("login_session", "login"),
        ("credential_process", "process"),
        ("aws_access_key_id", "keys"),
    ]
    .into_iter()
    .find(|(property, _)| section.get(property).is_some())
    .map(|(_, word)| word)
}

/// The SDK takes such a role by its token, whatever else stands there.
fn is_web_identity(section: &Section) -> bool {
    section.get("role_arn").is_some() && section.get("web_identity_token_file").is_some()
}

fn has_keys(section: &Section) -> bool {
    section.get("aws_access_key_id").is_some() && section.get("aws_secret_access_key").is_some()
}

/// The account in a role's ARN.
fn account_of(role: &str) -> Option<&str> {
    let account = role.split(':').nth(4)?;
    (account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())).then_some(account)
}

/// The profile that a role takes its credentials from.
fn source_of(section: &Section) -> Option<&str> {
    section.get("source_profile").filter(|_| section.get("role_arn").is_some() && !is_web_identity(section))
}

fn value_of(env: &Env, name: &str) -> Option<String> {
    env.get(name).ok().filter(|value| !value.is_empty())
}

fn is_set(env: &Env, name: &str) -> bool {
    value_of(env, name).is_some()
}

fn has_environment_credentials(env: &Env) -> bool {
    is_set(env, "AWS_ACCESS_KEY_ID") && is_set(env, "AWS_SECRET_ACCESS_KEY")
}

/// What tells the region where neither a destination nor a flag does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    /// As the AWS CLI has it.
    Environment,
    /// Who goes to another profile expects its region: what the environment says was said for the
    /// profile before.
    Profile,
}

impl First {
    const fn of(to: &Destination) -> Self {
        if to.profile.is_some() { Self::Profile } else { Self::Environment }
    }
}

/// What was named, then environment and profile in the order asked for, and at last the instance's
/// own region.
async fn region(
    settings: &AwsSettings,
    env: &Env,
    profile: &Profile<'_>,
    first: First,
) -> Result<String, Failure> {
    let of_the_environment = value_of(env, "AWS_REGION").or_else(|| value_of(env, "AWS_DEFAULT_REGION"));
    let of_the_profile = profile.get("region").map(str::to_owned);
    let named = settings.regions.first().cloned().or(match first {
        First::Environment => of_the_environment.or(of_the_profile),
        First::Profile => of_the_profile.or(of_the_environment),
    });
    let region = match named {
        Some(region) => region,
        None => region_of_the_instance().await.ok_or_else(no_region)?,
    };
    check_region(&region)?;
    Ok(region)
}

async fn region_of_the_instance() -> Option<String> {
    let provider = aws_config::imds::region::ImdsRegionProvider::builder().build();
    let region = tokio::time::timeout(METADATA_TIME_OUT, provider.region()).await.ok()??;
    Some(region.as_ref().to_owned())
}

/// The SDK's chain. An explicit profile goes before credentials in the environment, and where it
/// has none of its own, the container's or the instance's count.
fn with_credentials(
    loader: ConfigLoader,
    settings: &AwsSettings,
    region: &str,
    http_client: Option<SharedHttpClient>,
) -> ConfigLoader {
    if settings.unsigned {
        return loader.no_credentials();
    }
    let Some(profile) = &settings.profile else {
        return loader;
    };
    let mut base = ProviderConfig::default().with_region(Some(Region::new(region.to_owned())));
    if let Some(client) = http_client {
        base = base.with_http_client(client);
    }
    let of_the_profile =
        ProfileFileCredentialsProvider::builder().configure(&base).profile_name(profile).build();
    let of_the_container = EcsCredentialsProvider::builder().configure(&base).build();
    let of_the_instance = ImdsCredentialsProvider::builder().configure(&base).build();
    let chain = CredentialsProviderChain::first_try("Profile", of_the_profile)
        .or_else("EcsContainer", of_the_container)
        .or_else("Ec2InstanceMetadata", of_the_instance);
    loader.credentials_provider(chain)
}

/// The endpoint that environment or configuration name for KMS, else for every service.
fn configured_endpoint(config: &SdkConfig) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id("kms")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    let for_kms = config.service_config().and_then(|source| source.load_config(key));
    for_kms.or_else(|| config.endpoint_url().map(str::to_owned))
}

fn check_endpoint<'a>(url: &'a str, settings: &AwsSettings) -> Result<&'a str, Failure> {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or(authority);
    let is_url = ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme))
        && !host_of(url).is_empty()
        && !url.chars().any(|character| character.is_whitespace() || character.is_control());
    // Not a word of it goes into a sentence: there may be a password in it.
    if authority.contains('@') || (!is_url && url.contains('@')) {
        return Err(Failure::new(
            FailureKind::Configuration,
            "the endpoint holds a user or a password, which KMS has no use for",
        )
        .hint("leave out what stands before the @: https://HOST[:PORT]"));
    }
    if !is_url {
        return Err(Failure::new(
            FailureKind::Configuration,
            format!("`{url}` is no endpoint: https://HOST[:PORT]"),
        )
        .hint("check --endpoint-url, AWS_ENDPOINT_URL_KMS, AWS_ENDPOINT_URL and the profile"));
    }
    if is_insecure(url) && !settings.allow_insecure_endpoint {
        return Err(Failure::new(
            FailureKind::Configuration,
            format!("{url} is another machine, unencrypted"),
        )
        .hint("use https, or allow it with --allow-insecure-endpoint"));
    }
    Ok(url)
}

/// KMS has no endpoint that is both (endpoint rules of the service model).
fn refuse_impossible_endpoint(config: &SdkConfig, place: &Place) -> Result<(), Failure> {
    let custom = place.endpoint_url.is_some();
    for (on, variable) in [
        (config.use_fips(), "AWS_USE_FIPS_ENDPOINT"),
        (config.use_dual_stack(), "AWS_USE_DUALSTACK_ENDPOINT"),
    ] {
        if custom && on == Some(true) {
            return Err(Failure::new(
                FailureKind::Configuration,
                format!("{variable} and an endpoint of your own do not go together"),
            )
            .hint(format!("unset {variable}, or leave the endpoint out")));
        }
    }
    Ok(())
}

/// Flag, environment, profile: as the AWS CLI. The SDK reads none of them.
fn ca_bundle(settings: &AwsSettings, env: &Env, profile: &Profile<'_>) -> Option<PathBuf> {
    settings
        .ca_bundle
        .clone()
        .or_else(|| value_of(env, "AWS_CA_BUNDLE").map(PathBuf::from))
        .or_else(|| profile.get("ca_bundle").map(PathBuf::from))
}

/// A client that trusts the authorities of a PEM file and no others.
fn http_client_trusting(bundle: &Path) -> Result<SharedHttpClient, Failure> {
    let wrong = |reason: String| {
        Failure::new(
            FailureKind::Configuration,
            format!("the CA bundle {} cannot be used: {reason}", bundle.display()),
        )
        .hint("it must be a PEM file of certificates; check --ca-bundle, AWS_CA_BUNDLE and the profile")
    };
    let pem = std::fs::read(bundle).map_err(|error| wrong(error.to_string()))?;
    // The SDK's client panics on what it cannot parse, so every certificate is looked at first.
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(wrong("it holds no certificate".to_owned()));
    }
    let trust = TrustStore::empty().with_pem_certificate(pem);
    let tls =
        TlsContext::builder().with_trust_store(trust).build().map_err(|error| wrong(error.to_string()))?;
    // As the SDK makes its default client, proxies of the environment included.
    Ok(HttpBuilder::new().build_with_connector_fn(move |connector_settings, components| {
        let mut builder = ConnectorBuilder::default()
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .tls_context(tls.clone())
            .proxy_config(ProxyConfig::from_env());
        builder.set_connector_settings(connector_settings.cloned());
        if let Some(components) = components {
            builder.set_sleep_impl(components.sleep_impl());
        }
        builder.build()
    }))
}

#[cfg(test)]
mod tests;
