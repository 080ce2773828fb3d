//! Errors as the SDK makes them, and the sentence and way out that each becomes.

use aws_sdk_kms::error::ErrorMetadata;
use aws_sdk_kms::operation::list_keys::ListKeysError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

use super::*;

fn place(profile: Option<&str>, credentials: &str) -> Place {
    let mut place = Place::aws(None, Some("us-east-1".into()), None);
    place.profile = profile.map(str::to_owned);
    place.credentials = Some(credentials.to_owned()).filter(|word| !word.is_empty());
    place
}

fn dispatched(error: ConnectorError) -> SdkError<ListKeysError, HttpResponse> {
    SdkError::dispatch_failure(error)
}

#[test]
fn a_code_has_its_kind_its_sentence_and_its_way_out() {
    use FailureKind as Kind;
    for (code, status, kind, sentence, hint) in [
        (
            Some("ExpiredTokenException"),
            400,
            Kind::CredentialsExpired,
            "credentials expired",
            "sign in again",
        ),
        (
            Some("UnrecognizedClientException"),
            400,
            Kind::BadCredentials,
            "the endpoint does not take these credentials",
            "the access key is unknown",
        ),
        (Some("ThrottlingException"), 400, Kind::Throttled, "too many requests", "the account's quota"),
        (
            Some("InternalFailure"),
            500,
            Kind::ServiceFault,
            "the service has a problem: InternalFailure",
            "try again",
        ),
        (Some("NobodyKnowsThis"), 400, Kind::Refused, "in its own words", ""),
        (Some("NobodyKnowsThis"), 503, Kind::ServiceFault, "the service has a problem: NobodyKnowsThis", ""),
        (None, 200, Kind::ServiceFault, "kms.us-east-1.amazonaws.com sent an answer that cannot", "a KMS"),
        (None, 404, Kind::Refused, "kms.us-east-1.amazonaws.com answered HTTP 404 without", "is a KMS"),
        (None, 503, Kind::ServiceFault, "kms.us-east-1.amazonaws.com answered HTTP 503 without", "is a KMS"),
    ] {
        let metadata = match code {
            Some(code) => ErrorMetadata::builder().code(code).message("in its own words").build(),
            None => ErrorMetadata::builder().build(),
        };
        let raw = HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::empty());
        let error = SdkError::service_error(ListKeysError::generic(metadata), raw);
        let failure = failure_of("ListKeys", None, &place(Some("ops"), "sso"), &error);
        assert_eq!(failure.kind, kind, "{code:?} {status}");
        assert!(failure.sentence.starts_with(sentence), "{code:?} {status}: {}", failure.sentence);
        assert!(failure.report().contains(hint), "{code:?} {status}: {}", failure.report());
        assert_eq!(failure.hints.is_empty(), hint.is_empty(), "{code:?} {status}");
        assert_eq!(failure.operation, Some("ListKeys"));
    }
}

#[test]
fn expired_credentials_are_renewed_where_they_come_from() {
    let role = |credentials: &str| {
        let mut place = place(Some("deploy"), "role");
        let source = RoleSource { profile: "base".into(), credentials: credentials.into() };
        place.role_source = Some(source);
        place
    };
    for (place, command, hint) in [
        (place(None, "sso"), Some("aws sso login"), "sign in again"),
        (place(Some("default"), "sso"), Some("aws sso login"), "sign in again"),
        (place(Some("it's"), "sso"), Some("aws sso login --profile \"it's\""), "sign in again"),
        (place(Some("ops"), "login"), Some("aws login --profile ops"), "sign in again"),
        (place(None, "environment"), None, "export fresh credentials"),
        (place(Some("ops"), "keys"), None, "replace the keys and the session token of profile ops"),
        (place(Some("ops"), "process"), None, "the credential_process of profile ops gave expired"),
        (role("sso"), Some("aws sso login --profile base"), "sign in again"),
        (role("login"), Some("aws login --profile base"), "sign in again"),
        (role("keys"), None, "replace the keys and the session token of profile base"),
        (place(Some("ops"), "role"), None, "renew those of its source"),
        (place(None, "web identity"), None, "the web identity token is out of date"),
        (place(None, "container"), None, "the container's endpoint gave expired"),
        (place(None, ""), None, "`aws configure list` says where"),
    ] {
        let failure =
            sign_in_again(Failure::new(FailureKind::CredentialsExpired, "credentials expired"), &place);
        assert_eq!(failure.command.as_deref(), command, "{place:?}");
        assert!(failure.hints[0].contains(hint), "{place:?}: {:?}", failure.hints);
    }
}

#[test]
fn what_a_provider_says_is_told_apart() {
    use CredentialsError as E;
    use FailureKind as Kind;
    let io = |text: &str| std::io::Error::other(text.to_owned());
    let through = |error: ConnectorError| E::provider_error(dispatched(error));
    for (source, error, kind, sentence) in [
        (
            "sso",
            through(ConnectorError::io(io("no route to host").into())),
            Kind::Connect,
            "could not connect to the SSO portal, which gives the credentials: no route to host",
        ),
        (
            "login",
            through(ConnectorError::timeout(io("slow").into())),
            Kind::TimedOut,
            "AWS sign-in, which gives the credentials, did not answer in time",
        ),
        (
            "sso",
            through(ConnectorError::io(io("invalid peer certificate: UnknownIssuer").into())),
            Kind::Certificate,
            "the SSO portal's certificate cannot be trusted: invalid peer certificate: UnknownIssuer",
        ),
        (
            "role",
            through(ConnectorError::io(io("refused").into())),
            Kind::Connect,
            "could not connect to AWS STS, which gives the credentials: refused",
        ),
        (
            "sso",
            E::provider_error("unhandled error (ForbiddenException)"),
            Kind::BadCredentials,
            "credentials could not be read: unhandled error (ForbiddenException)",
        ),
        (
            "sso",
            E::provider_error("UnauthorizedException: Session token not found or invalid"),
            Kind::CredentialsExpired,
            "credentials expired",
        ),
        (
            "sso",
            E::provider_error("the SSO token has expired and cannot be refreshed"),
            Kind::CredentialsExpired,
            "credentials expired",
        ),
        (
            "sso",
            E::provider_error("failed to load the cached SSO token"),
            Kind::CredentialsExpired,
            "credentials expired",
        ),
        (
            "login",
            E::unhandled("cached Login token is expired"),
            Kind::CredentialsExpired,
            "credentials expired",
        ),
        (
            "process",
            E::provider_error("external process exited with code 1"),
            Kind::BadCredentials,
            "credentials could not be read: external process exited with code 1",
        ),
        (
            "process",
            E::provider_timed_out(std::time::Duration::from_secs(9)),
            Kind::NoCredentials,
            "no credentials: their provider did not answer in time",
        ),
        // A name with `sso` and `token` in what the chain passed over is no expired token.
        ("", E::not_loaded("profile sso: no token"), Kind::NoCredentials, "no credentials"),
    ] {
        let error = dispatched(ConnectorError::other(Box::new(error), None));
        let failure = failure_of("ListKeys", None, &place(Some("ops"), source), &error);
        assert_eq!((failure.kind, failure.sentence.as_str()), (kind, sentence), "{source}");
        assert!(!failure.hints.is_empty(), "{sentence}");
    }
}

#[tokio::test]
async fn what_was_tried_is_what_the_chain_tried() {
    use aws_config::meta::credentials::CredentialsProviderChain;
    use aws_credential_types::provider::{ProvideCredentials as _, future};

    #[derive(Debug)]
    struct Without(&'static str);
    impl aws_credential_types::provider::ProvideCredentials for Without {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::ready(Err(CredentialsError::not_loaded(self.0)))
        }
    }

    let chain = CredentialsProviderChain::first_try("Profile", Without("nothing in it"))
        .or_else("Ec2InstanceMetadata", Without("disabled"));
    let error = chain.provide_credentials().await.unwrap_err();
    let mut place = Place::aws(Some("ops".into()), None, None);
    place.credentials = None;
    let tried = of_credentials(&place, &error).tried;
    let tried: Vec<_> = tried.iter().map(|(what, end)| (what.as_str(), end.as_str())).collect();
    assert_eq!(
        tried,
        [
            ("environment", "passed over: a profile was named"),
            ("profile ops", "nothing in it"),
            ("instance metadata", "disabled")
        ]
    );
}

#[test]
fn a_request_that_cannot_be_made_is_no_connection_that_may_come_back() {
    let place = place(None, "");
    let construction = SdkError::<ListKeysError, HttpResponse>::construction_failure("a member is missing");
    for (error, kind, sentence) in [
        (construction, FailureKind::Configuration, "the request could not be made: a member is missing"),
        (
            dispatched(ConnectorError::other("failed to resolve endpoint: no such region".into(), None)),
            FailureKind::Configuration,
            "the request could not be made: failed to resolve endpoint: no such region",
        ),
        (
            dispatched(ConnectorError::other("identity resolver timed out after 120s".into(), None)),
            FailureKind::NoCredentials,
            "no credentials: their provider did not answer in time",
        ),
        (
            dispatched(ConnectorError::io(std::io::Error::other("reset by peer").into())),
            FailureKind::Connect,
            "could not connect to kms.us-east-1.amazonaws.com: reset by peer",
        ),
        (
            dispatched(ConnectorError::other("http2 error: stream closed".into(), None)),
            FailureKind::Connect,
            "could not connect to kms.us-east-1.amazonaws.com: http2 error: stream closed",
        ),
    ] {
        let failure = failure_of("ListKeys", None, &place, &error);
        assert_eq!((failure.kind, failure.sentence.as_str()), (kind, sentence));
        assert_eq!(failure.is_transient(), kind == FailureKind::Connect);
    }
}

#[test]
fn at_an_endpoint_on_this_machine_the_way_out_is_that_of_a_local_kms() {
    let at = |url: &str| Place::aws(None, Some("us-east-1".into()), Some(url.to_owned()));
    let (here, elsewhere) = (at("http://127.0.0.1:4599"), at("https://kms.example.com"));
    let credentials = || {
        let none = CredentialsError::not_loaded("nothing anywhere");
        dispatched(ConnectorError::other(Box::new(none), None))
    };
    let failure = failure_of("ListKeys", None, &here, &credentials());
    assert_eq!(failure.sentence, "no credentials");
    assert!(failure.hints[0].contains("--no-sign-request"), "{:?}", failure.hints);
    assert_eq!(failure.command.as_deref(), Some("export AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x"));
    let failure = failure_of("ListKeys", None, &elsewhere, &credentials());
    assert_eq!(failure.command.as_deref(), Some("aws configure sso"));

    let broken = |kind: std::io::ErrorKind| dispatched(ConnectorError::io(std::io::Error::from(kind).into()));
    for (place, kind, hint) in [
        (&here, std::io::ErrorKind::ConnectionRefused, "is `kmx serve` running"),
        (&here, std::io::ErrorKind::ConnectionReset, "check the network"),
        (&elsewhere, std::io::ErrorKind::ConnectionRefused, "check the network"),
    ] {
        let failure = failure_of("ListKeys", None, place, &broken(kind));
        assert_eq!(failure.kind, FailureKind::Connect);
        assert!(failure.hints[0].contains(hint), "{kind}: {:?}", failure.hints);
    }
}
