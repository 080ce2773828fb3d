//! From the SDK's errors to failures with a sentence and a way out.
//!
//! Errors are told apart by code and by the typed errors in their chain, never by the SDK's
//! variants alone: many codes of the real service are in no model. Nothing here prints a body.

use std::error::Error;

use aws_config::meta::ProviderChainError;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_kms::config::http::HttpResponse;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::operation::RequestId;
use aws_smithy_runtime_api::client::result::ConnectorError;

use crate::domain::failure::{Failure, FailureKind, hint_for};
use crate::domain::place::{Place, RoleSource};

/// The failure that an SDK error means for a person.
pub(super) fn failure_of<E>(
    operation: &'static str,
    target: Option<&str>,
    place: &Place,
    error: &SdkError<E, HttpResponse>,
) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
    SdkError<E, HttpResponse>: RequestId,
{
    let mut failure = match error {
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            answered(operation, target, place, service.err().code(), service.err().message(), status)
        }
        SdkError::ResponseError(response) => unreadable(place, response.raw().status().as_u16()),
        SdkError::TimeoutError(_) => timed_out(place),
        SdkError::DispatchFailure(dispatch) if dispatch.is_timeout() => {
            let never_connected = chain(error).any(|text| text.to_lowercase().contains("connect"));
            if never_connected { connect(place, error) } else { timed_out(place) }
        }
        other => before_the_wire(place, other),
    };
    failure.operation = Some(operation);
    failure.request_id = error.request_id().map(str::to_owned);
    failure
}

/// The service answered with an error.
fn answered(
    operation: &'static str,
    target: Option<&str>,
    place: &Place,
    code: Option<&str>,
    message: Option<&str>,
    status: u16,
) -> Failure {
    let Some(code) = code else {
        // The SDK reads a body that it cannot parse as an error without a code, whatever the status.
        if (200..300).contains(&status) {
            return unreadable(place, status);
        }
        let kind = if status >= 500 { FailureKind::ServiceFault } else { FailureKind::Refused };
        return Failure::new(kind, format!("{} answered HTTP {status} without an error code", host(place)))
            .hint("check that the endpoint is a KMS");
    };
    let kind = kind_of(code, status);
    let target = target.unwrap_or("*");
    let sentence = match kind {
        FailureKind::NotAllowed => format!("not allowed: kms:{operation} on {target}"),
        FailureKind::CredentialsExpired => "credentials expired".to_owned(),
        FailureKind::BadCredentials => "the endpoint does not take these credentials".to_owned(),
        FailureKind::Throttled => "too many requests: the service asks to slow down".to_owned(),
        FailureKind::ServiceFault => format!("the service has a problem: {code}"),
        _ => message.map_or_else(|| code.to_owned(), str::to_owned),
    };
    let mut failure = Failure::new(kind, sentence);
    failure.code = Some(code.to_owned());
    failure.message = message.filter(|message| !message.is_empty()).map(str::to_owned);
    if kind == FailureKind::CredentialsExpired {
        return sign_in_again(failure, place);
    }
    if let Some(hint) = hint_for(code, operation) {
        failure = failure.hint(hint);
    }
    failure
}

fn unreadable(place: &Place, status: u16) -> Failure {
    let sentence = format!("{} sent an answer that cannot be read (HTTP {status})", host(place));
    Failure::new(FailureKind::ServiceFault, sentence)
        .hint("try again; where it stays so, check that the endpoint is a KMS")
}

fn kind_of(code: &str, status: u16) -> FailureKind {
    match code {
        "AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation" => FailureKind::NotAllowed,
        "ThrottlingException"
        | "Throttling"
        | "ThrottledException"
        | "TooManyRequestsException"
        | "RequestThrottled"
        | "RequestLimitExceeded"
        | "SlowDown" => FailureKind::Throttled,
        "ExpiredTokenException" | "ExpiredToken" | "RequestExpired" => FailureKind::CredentialsExpired,
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException" => FailureKind::BadCredentials,
        "KMSInternalException"
        | "DependencyTimeoutException"
        | "KeyUnavailableException"
        | "InternalFailure"
        | "InternalServerError"
        | "ServiceUnavailable"
        | "ServiceUnavailableException" => FailureKind::ServiceFault,
        _ if status >= 500 => FailureKind::ServiceFault,
        _ => FailureKind::Refused,
    }
}

/// The request never got an answer: credentials, region, connection.
fn before_the_wire(place: &Place, error: &(dyn Error + 'static)) -> Failure {
    if let Some(credentials) = causes(error).find_map(|cause| cause.downcast_ref::<CredentialsError>()) {
        return of_credentials(place, credentials);
    }
    let words = Words::of(error);
    if words.say("missing region") {
        return no_region();
    }
    // The cache of credentials gives up by itself, and names no provider.
    if words.say("identity resolver timed out") {
        return slow_provider(place, words.last());
    }
    if words.say_certificate() {
        return certificate(&host(place), words.last()).hint(
            "name the certificate authority with --ca-bundle or AWS_CA_BUNDLE, and check the endpoint",
        );
    }
    if never_left(error, &words) {
        let sentence = format!("the request could not be made: {}", words.last());
        return Failure::new(FailureKind::Configuration, sentence)
            .hint("check the region, the endpoint and what the AWS configuration says of them");
    }
    connect(place, error)
}

/// Whether nothing was sent and nothing would be next time: no endpoint, nothing to sign with. The
/// SDK passes most of these for a connector's error of an unknown kind, so what the network says is
/// told by what lies beneath.
fn never_left(error: &(dyn Error + 'static), words: &Words) -> bool {
    let of_a_connector = causes(error).find_map(|cause| cause.downcast_ref::<ConnectorError>());
    let Some(connector) = of_a_connector else {
        return words.first() == "failed to construct request";
    };
    let of_the_network = causes(error).any(<dyn Error>::is::<std::io::Error>)
        || ["connect", "http2", "hyper", "tcp", "dns", "socket", "proxy", "channel", "cancel"]
            .iter()
            .any(|word| words.say(word));
    connector.is_user() || connector.is_other() && connector.as_other().is_none() && !of_the_network
}

/// What a provider of credentials says. What lies on its way comes first: a portal that cannot be
/// reached says nothing about the token.
fn of_credentials(place: &Place, error: &CredentialsError) -> Failure {
    let words = Words::of(error);
    if matches!(error, CredentialsError::CredentialsNotLoaded(_)) {
        return no_credentials(place, error);
    }
    // The last of the chain to be asked, on a machine that is no instance.
    if words.say("imds") {
        let mut failure = no_credentials(place, error);
        failure.tried.push(("instance metadata".to_owned(), words.last().to_owned()));
        return failure;
    }
    if matches!(error, CredentialsError::ProviderTimedOut(_)) {
        return slow_provider(place, words.last());
    }
    let service = service_of_credentials(place);
    let connector = causes(error).find_map(|cause| cause.downcast_ref::<ConnectorError>());
    if connector.is_some_and(ConnectorError::is_timeout) || words.say("request has timed out") {
        return Failure::new(
            FailureKind::TimedOut,
            format!("{service}, which gives the credentials, did not answer in time"),
        )
        .hint("try again; check the network and the proxy (HTTPS_PROXY)");
    }
    if connector.is_some() {
        if words.say_certificate() {
            return certificate(service, words.last())
                .hint("name the certificate authority with --ca-bundle or AWS_CA_BUNDLE");
        }
        let sentence =
            format!("could not connect to {service}, which gives the credentials: {}", words.last());
        return Failure::new(FailureKind::Connect, sentence)
            .hint("check the network and the proxy (HTTPS_PROXY)");
    }
    if is_expired(error, &words) {
        return sign_in_again(Failure::new(FailureKind::CredentialsExpired, "credentials expired"), place);
    }
    let sentence = format!("credentials could not be read: {}", words.last());
    Failure::new(FailureKind::BadCredentials, sentence).hint(match signed_in_with(place).1 {
        Some("sso" | "role") => {
            "check the role and the account of the profile, and that you may take the role"
        }
        Some("process") => "run the credential_process of the profile by hand",
        _ => "check the profile with: aws configure list",
    })
}

/// A token that is old, refused or not there: to sign in again helps. Both `aws sso login` and
/// `aws login` keep it in a file; of the file of an SSO session the SDK says no more than this.
fn is_expired(error: &CredentialsError, words: &Words) -> bool {
    let no_file = causes(error)
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|error| error.kind() == std::io::ErrorKind::NotFound);
    [
        "expired",
        "failed to load the cached sso token",
        "unauthorizedexception",
        "session token not found or invalid",
        "failed to refresh cached login token",
    ]
    .iter()
    .any(|said| words.say(said))
        || no_file && (words.say("/sso/cache") || words.say("/login/cache"))
}

/// Who gives the credentials, where it is somebody on the network.
fn service_of_credentials(place: &Place) -> &'static str {
    // A role is taken with STS, but its source may be the one that cannot be reached.
    match (place.credentials.as_deref(), signed_in_with(place).1) {
        (Some("role"), Some("sso")) => "the SSO portal or AWS STS",
        (_, Some("sso")) => "the SSO portal",
        (Some("role"), Some("login")) => "AWS sign-in or AWS STS",
        (_, Some("login")) => "AWS sign-in",
        (Some("role" | "web identity"), _) => "AWS STS",
        (_, Some("container")) => "the container's endpoint",
        _ => "the credential provider",
    }
}

/// A provider that a person or another machine keeps waiting.
fn slow_provider(place: &Place, reason: &str) -> Failure {
    let mut failure =
        Failure::new(FailureKind::NoCredentials, "no credentials: their provider did not answer in time")
            .hint(match signed_in_with(place).1 {
                Some("process") => "run the credential_process of the profile by hand: it may wait for you",
                _ => "try again; check the network and the proxy (HTTPS_PROXY)",
            });
    failure.tried = vec![("credential provider".to_owned(), reason.to_owned())];
    failure
}

/// No provider of the chain had credentials. What was tried is what the chain says that it tried.
fn no_credentials(place: &Place, error: &(dyn Error + 'static)) -> Failure {
    let failure = Failure::new(FailureKind::NoCredentials, "no credentials");
    let mut failure = if place.is_on_this_machine() {
        failure
            .hint("the endpoint is on this machine: a local KMS takes any credentials, and does without any where --no-sign-request is given")
            .command("export AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x")
    } else {
        failure
            .hint("sign in with `aws login` or `aws configure sso`, or name a profile with --profile")
            .command("aws configure sso")
    };
    if place.explicit.profile {
        failure.tried.push(("environment".to_owned(), "passed over: a profile was named".to_owned()));
    }
    let of_the_chain =
        causes(error).find_map(|cause| cause.downcast_ref::<ProviderChainError<CredentialsError>>());
    for attempt in of_the_chain.map_or(&[][..], ProviderChainError::attempts) {
        let what = match attempt.name() {
            "Environment" => "environment".to_owned(),
            "Profile" => format!("profile {}", place.profile.as_deref().unwrap_or("default")),
            "WebIdentityToken" => "web identity".to_owned(),
            "EcsContainer" => "container".to_owned(),
            "Ec2InstanceMetadata" => "instance metadata".to_owned(),
            other => other.to_owned(),
        };
        // The first of the chain says that there are none, whoever says it.
        let end = chain(attempt.error()).nth(1).unwrap_or_else(|| "no credentials there".to_owned());
        failure.tried.push((what, end));
    }
    failure
}

/// No region was named anywhere.
#[must_use]
pub(crate) fn no_region() -> Failure {
    Failure::new(FailureKind::NoRegion, "no region")
        .hint("name one with --region or AWS_REGION, or set it with `aws configure`")
        .command("export AWS_REGION=us-east-1")
}

/// The profile that is signed in with and where its credentials come from: of a role, its source's.
fn signed_in_with(place: &Place) -> (Option<&str>, Option<&str>) {
    match &place.role_source {
        Some(RoleSource { profile, credentials }) => (Some(profile), Some(credentials)),
        None => (place.profile.as_deref(), place.credentials.as_deref()),
    }
}

/// The way to fresh credentials, by where the old ones come from.
fn sign_in_again(failure: Failure, place: &Place) -> Failure {
    let (profile, source) = signed_in_with(place);
    let option = profile
        .filter(|profile| *profile != "default" || place.explicit.profile)
        .and_then(|profile| shlex::try_quote(profile).ok())
        .map_or_else(String::new, |profile| format!(" --profile {profile}"));
    let profile = profile.unwrap_or("default");
    let in_another_shell = "sign in again in another shell, then try again";
    match source {
        Some("sso") => failure.hint(in_another_shell).command(format!("aws sso login{option}")),
        Some("login") => failure.hint(in_another_shell).command(format!("aws login{option}")),
        Some("environment") => {
            failure.hint("export fresh credentials and start again: those in the environment are out of date")
        }
        Some("keys") => failure.hint(format!(
            "replace the keys and the session token of profile {profile}, then try again"
        )),
        Some("process") => failure.hint(format!(
            "the credential_process of profile {profile} gave expired credentials; run it by hand"
        )),
        Some("role") => failure.hint(format!(
            "the credentials that profile {profile} takes its role with are out of date; renew those of its source"
        )),
        Some("web identity") => {
            failure.hint("the web identity token is out of date: its file must be written again")
        }
        Some("container") => failure.hint("the container's endpoint gave expired credentials; try again"),
        _ => failure.hint("renew the credentials where they come from: `aws configure list` says where"),
    }
}

fn certificate(host: &str, reason: &str) -> Failure {
    Failure::new(FailureKind::Certificate, format!("{host}'s certificate cannot be trusted: {reason}"))
}

fn connect(place: &Place, error: &(dyn Error + 'static)) -> Failure {
    let reason = chain(error).last().unwrap_or_default();
    let is_refused = causes(error)
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|error| error.kind() == std::io::ErrorKind::ConnectionRefused);
    let hint = if is_refused && place.is_on_this_machine() {
        "nothing listens there: is `kmx serve` running, and on that port?"
    } else {
        "check the network, the proxy (HTTPS_PROXY), the region and the endpoint"
    };
    Failure::new(FailureKind::Connect, format!("could not connect to {}: {reason}", host(place))).hint(hint)
}

fn timed_out(place: &Place) -> Failure {
    Failure::new(FailureKind::TimedOut, format!("{} did not answer in time", host(place)))
        .hint("try again; --cli-read-timeout sets how long one attempt may take")
}

fn host(place: &Place) -> String {
    place.host().unwrap_or_else(|| "the local KMS".to_owned())
}

/// The error and what lies beneath it, outermost first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |current: &&'a (dyn Error + 'static)| (*current).source())
}

/// What each error of the chain says by itself, outermost first.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = String> + 'a {
    causes(error).map(ToString::to_string)
}

/// The words of a chain of errors, for those that have no type of their own.
struct Words(Vec<String>);

impl Words {
    fn of(error: &(dyn Error + 'static)) -> Self {
        Self(chain(error).collect())
    }

    fn first(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    fn last(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }

    fn say(&self, text: &str) -> bool {
        self.0.iter().any(|word| word.to_lowercase().contains(text))
    }

    fn say_certificate(&self) -> bool {
        self.say("certificate") || self.say("unknownissuer") || self.say("tls") && self.say("handshake")
    }
}

#[cfg(test)]
mod tests;
