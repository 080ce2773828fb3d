//! From the SDK's errors to failures with a sentence and a way out.
//!
//! Errors are told apart by code and by the typed errors in their chain, never by the SDK's
//! variants alone: many codes of the real service are in no model. Nothing here prints a body.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_kms::config::http::HttpResponse;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::operation::RequestId;

use crate::domain::failure::{Failure, FailureKind, hint_for};
use crate::domain::place::Place;

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
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(credentials) = current.downcast_ref::<CredentialsError>() {
            return of_credentials(place, credentials);
        }
        cause = current.source();
    }
    let words: Vec<String> = chain(error).collect();
    let says = |text: &str| words.iter().any(|word| word.to_lowercase().contains(text));
    if says("missing region") {
        return no_region();
    }
    if says("token has expired") || says("sso token") {
        return sign_in_again(Failure::new(FailureKind::CredentialsExpired, "credentials expired"), place);
    }
    if says("certificate") || says("unknownissuer") || says("tls") && says("handshake") {
        let reason = words.last().cloned().unwrap_or_default();
        return Failure::new(
            FailureKind::Certificate,
            format!("{}'s certificate cannot be trusted: {reason}", host(place)),
        )
        .hint("name the certificate authority with --ca-bundle or AWS_CA_BUNDLE, and check the endpoint");
    }
    connect(place, error)
}

fn of_credentials(place: &Place, error: &CredentialsError) -> Failure {
    let words: Vec<String> = chain(error).collect();
    let says = |text: &str| words.iter().any(|word| word.to_lowercase().contains(text));
    let looks_expired = says("expired")
        || says("sso") && (says("token") || says("cached") || says("session"))
        || says("login") && says("token");
    match error {
        // Both keep a token in a file: one that is missing is signed in for as one that is old.
        _ if matches!(place.credentials.as_deref(), Some("sso" | "login")) => {
            sign_in_again(Failure::new(FailureKind::CredentialsExpired, "credentials expired"), place)
        }
        CredentialsError::CredentialsNotLoaded(_) if !looks_expired => no_credentials(place),
        // The last of the chain to be asked, on a machine that is no instance.
        _ if says("imds") => no_credentials(place),
        _ if looks_expired => {
            sign_in_again(Failure::new(FailureKind::CredentialsExpired, "credentials expired"), place)
        }
        CredentialsError::ProviderTimedOut(_) => {
            let mut failure = no_credentials(place);
            failure.tried.push(("credential provider".to_owned(), "no answer in time".to_owned()));
            failure
        }
        _ => {
            let reason = words.last().cloned().unwrap_or_default();
            Failure::new(FailureKind::BadCredentials, format!("credentials could not be read: {reason}"))
                .hint("check the profile with: aws configure list")
        }
    }
}

/// No provider of the chain had credentials.
pub(super) fn no_credentials(place: &Place) -> Failure {
    let profile = place.profile.as_deref().unwrap_or("default");
    let mut failure = Failure::new(FailureKind::NoCredentials, "no credentials")
        .hint("sign in with `aws login` or `aws configure sso`, or name a profile with --profile")
        .command("aws configure sso");
    failure.tried = vec![
        ("environment".to_owned(), "AWS_ACCESS_KEY_ID is not set".to_owned()),
        (format!("profile {profile}"), "has no credentials".to_owned()),
        ("container, instance metadata".to_owned(), "no answer".to_owned()),
    ];
    failure
}

/// No region was named anywhere.
#[must_use]
pub(crate) fn no_region() -> Failure {
    Failure::new(FailureKind::NoRegion, "no region")
        .hint("name one with --region or AWS_REGION, or set it with `aws configure`")
        .command("export AWS_REGION=us-east-1")
}

fn sign_in_again(failure: Failure, place: &Place) -> Failure {
    let profile = place
        .profile
        .as_deref()
        .filter(|profile| *profile != "default")
        .and_then(|profile| shlex::try_quote(profile).ok())
        .map_or_else(String::new, |profile| format!(" --profile {profile}"));
    let command = match place.credentials.as_deref() {
        Some("login") => format!("aws login{profile}"),
        Some("environment") => {
            return failure.hint("export fresh credentials: those in the environment are out of date");
        }
        _ => format!("aws sso login{profile}"),
    };
    failure.hint("sign in again in another shell, then try again").command(command)
}

fn connect(place: &Place, error: &(dyn Error + 'static)) -> Failure {
    let reason = chain(error).last().unwrap_or_default();
    Failure::new(FailureKind::Connect, format!("could not connect to {}: {reason}", host(place)))
        .hint("check the network, the proxy (HTTPS_PROXY), the region and the endpoint")
}

fn timed_out(place: &Place) -> Failure {
    Failure::new(FailureKind::TimedOut, format!("{} did not answer in time", host(place)))
        .hint("try again; --cli-read-timeout sets how long one attempt may take")
}

fn host(place: &Place) -> String {
    place.host().unwrap_or_else(|| "the local KMS".to_owned())
}

/// What each error of the chain says by itself, outermost first.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = String> + 'a {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let current = next?;
        next = current.source();
        Some(current.to_string())
    })
}
