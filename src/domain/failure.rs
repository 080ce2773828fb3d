//! A failure as a person needs it: one sentence, what the service said, and the way out.

/// What kind of failure it is. Exit codes and screens follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The service answered and said no.
    Refused,
    /// The service answered: the caller may not do this.
    NotAllowed,
    /// The service answered: too many requests.
    Throttled,
    /// The service failed, or its answer could not be read. The same request may work later.
    ServiceFault,
    NoCredentials,
    CredentialsExpired,
    /// Credentials were found, and the service does not take them or a provider failed.
    BadCredentials,
    NoRegion,
    NoProfile,
    /// The configuration of AWS cannot be used: a file, a setting, a profile that needs a code.
    Configuration,
    /// No connection: refused, unreachable, unknown host, cut.
    Connect,
    Certificate,
    TimedOut,
    /// A file or the local KMS's store cannot be used.
    Store,
    Other,
}

/// A failure of a call or of what comes before one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub kind: FailureKind,
    /// One sentence, a lowercase fragment without a full stop.
    pub sentence: String,
    /// The operation that was called, in AWS's spelling.
    pub operation: Option<&'static str>,
    /// The error code of the service: `NotFoundException`.
    pub code: Option<String>,
    /// The service's own words.
    pub message: Option<String>,
    pub request_id: Option<String>,
    /// Ways out, most likely first.
    pub hints: Vec<String>,
    /// A command that helps, ready to be copied.
    pub command: Option<String>,
    /// What was tried on the way: (what, how it ended).
    pub tried: Vec<(String, String)>,
}

impl Failure {
    /// A failure with a sentence alone.
    #[must_use]
    pub fn new(kind: FailureKind, sentence: impl Into<String>) -> Self {
        Self {
            kind,
            sentence: sentence.into(),
            operation: None,
            code: None,
            message: None,
            request_id: None,
            hints: Vec::new(),
            command: None,
            tried: Vec::new(),
        }
    }

    /// The same with one more way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same with a command that helps.
    #[must_use]
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }

    /// Whether the same request may work a moment later with nothing changed.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(
            self.kind,
            FailureKind::Throttled | FailureKind::ServiceFault | FailureKind::TimedOut | FailureKind::Connect
        )
    }

    /// Whether it is about who calls or how, so that every other call would fail the same way.
    #[must_use]
    pub const fn is_about_the_caller(&self) -> bool {
        matches!(
            self.kind,
            FailureKind::NoCredentials
                | FailureKind::CredentialsExpired
                | FailureKind::BadCredentials
                | FailureKind::NoRegion
                | FailureKind::NoProfile
                | FailureKind::Configuration
                | FailureKind::Certificate
                | FailureKind::Store
        )
    }

    /// Whether the service itself answered.
    #[must_use]
    pub const fn is_answer(&self) -> bool {
        self.code.is_some()
    }

    /// The failure in a column of a table: `no access`, `NotFound`, `no answer`.
    #[must_use]
    pub fn in_a_word(&self) -> &str {
        match (self.kind, &self.code) {
            (FailureKind::NotAllowed, _) => "no access",
            (_, Some(code)) => code.strip_suffix("Exception").unwrap_or(code),
            (_, None) => "no answer",
        }
    }

    /// `CODE: MESSAGE` as the service put it, else the sentence.
    #[must_use]
    pub fn words_of_the_service(&self) -> String {
        match (&self.code, &self.message) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(code), None) => code.clone(),
            _ => self.sentence.clone(),
        }
    }

    /// Everything about the failure, for the clipboard: sentence, words, hints, request id.
    #[must_use]
    pub fn report(&self) -> String {
        let mut lines = vec![self.sentence.clone()];
        match (&self.code, &self.message) {
            (Some(code), Some(message)) if *message == self.sentence => {
                lines = vec![format!("{code}: {message}")];
            }
            (Some(_), _) => lines.push(self.words_of_the_service()),
            (None, _) => {}
        }
        lines.extend(self.tried.iter().map(|(what, end)| format!("{what}: {end}")));
        lines.extend(self.hints.iter().map(|hint| format!("hint: {hint}")));
        if let Some(command) = &self.command {
            lines.push(format!("hint: {command}"));
        }
        if let Some(id) = &self.request_id {
            lines.push(format!("request id: {id}"));
        }
        lines.join("\n")
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.sentence)
    }
}

impl std::error::Error for Failure {}

/// The way out of an error that the service answered with, where one is known (KMS.md 2.1, 8).
#[must_use]
pub fn hint_for(code: &str, operation: &str) -> Option<&'static str> {
    Some(match code {
        "AccessDeniedException" if operation == "GenerateDataKeyWithoutPlaintext" => {
            "kms:GenerateDataKey alone does not allow this; the policy must name this action on the key's ARN (an alias ARN as Resource grants nothing)"
        }
        "AccessDeniedException"
            if matches!(operation, "ListKeys" | "ListAliases" | "DescribeCustomKeyStores") =>
        {
            "the policy must name this action, on Resource *: a key's ARN does not do here"
        }
        "AccessDeniedException" => "the policy must name this action, on the key's ARN",
        "NotFoundException" => {
            "check the spelling, the region and the account; another account's key needs its key ARN or alias ARN"
        }
        "DisabledException" => "enable the key with aws kms enable-key, or choose another",
        "KMSInvalidStateException" => {
            "the key's state does not allow it; read the state again, it may have changed"
        }
        "InvalidKeyUsageException" => "choose a symmetric key whose usage is encrypt/decrypt",
        "InvalidGrantTokenException" => {
            "grant tokens are good for minutes; leave them out once the grant has spread"
        }
        "ThrottlingException" | "Throttling" | "TooManyRequestsException" => {
            "the account's quota is shared with everything that runs there; wait a moment and try again"
        }
        "LimitExceededException" => "a quota of the account is reached",
        "KeyUnavailableException"
        | "DependencyTimeoutException"
        | "KMSInternalException"
        | "InternalFailure"
        | "ServiceUnavailable" => "the service has a problem of its own; try again in a moment",
        "InvalidArnException" => "this operation takes a key id or a key ARN; check the ARN",
        "InvalidSignatureException" | "SignatureDoesNotMatch" => {
            "check the secret access key, and this machine's clock"
        }
        "UnrecognizedClientException" | "InvalidClientTokenId" => {
            "the access key is unknown to this endpoint; check the profile, the region and the endpoint"
        }
        "IncompleteSignature" | "MissingAuthenticationToken" | "MissingAuthenticationTokenException" => {
            "the request was not signed; leave --no-sign-request out"
        }
        "OptInRequired" | "SubscriptionRequiredException" => "the account has not opted in to this region",
        _ => return None,
    })
}
