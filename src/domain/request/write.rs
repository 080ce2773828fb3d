//! The request as an `aws kms` command line that runs as pasted.

use super::{DataKeyRequest, DataKeySize, Parameter};
use crate::domain::context;
use crate::domain::json;
use crate::domain::place::{Place, PlaceKind, UNSIGNED};
use crate::domain::text::is_hidden;

/// The command, quoted for a POSIX shell, a part a line where `breaks` says so.
///
/// It asks the same place from another shell: what a flag named is there as it was named, and so are
/// the region, an endpoint that is not AWS's own and the absence of a signature, wherever they come
/// from. What the environment or a file says of the profile is left to them. The local KMS inside this
/// process has no endpoint: the command then is what one would run on AWS.
#[must_use]
pub fn aws_command(request: &DataKeyRequest, place: &Place, breaks: Breaks) -> String {
    let mut parts: Vec<(String, Vec<String>)> = Vec::new();
    let flag = |parameter: Parameter| format!("--{}", parameter.flag());
    parts.push((flag(Parameter::KeyId), vec![request.key_id.clone()]));
    if !request.encryption_context.is_empty() {
        parts.push((flag(Parameter::EncryptionContext), vec![context_text(request)]));
    }
    match request.size {
        DataKeySize::Spec(spec) => parts.push((flag(Parameter::KeySpec), vec![spec.as_str().to_owned()])),
        DataKeySize::Bytes(count) => parts.push((flag(Parameter::NumberOfBytes), vec![count.to_string()])),
    }
    if !request.grant_tokens.is_empty() {
        parts.push((flag(Parameter::GrantTokens), grant_token_words(&request.grant_tokens)));
    }
    if request.dry_run {
        parts.push((flag(Parameter::DryRun), Vec::new()));
    }
    if place.kind == PlaceKind::Aws {
        let with_endpoint = place.explicit.endpoint || !place.is_aws_endpoint();
        let named = [
            ("--profile", place.profile.clone().filter(|_| place.explicit.profile)),
            ("--region", place.region.clone()),
            ("--endpoint-url", place.endpoint_url.clone().filter(|_| with_endpoint)),
            ("--ca-bundle", place.ca_bundle.clone()),
        ];
        for (name, value) in named {
            parts.extend(value.map(|value| (name.to_owned(), vec![value])));
        }
        if place.credentials.as_deref() == Some(UNSIGNED) {
            parts.push(("--no-sign-request".to_owned(), Vec::new()));
        }
    }
    let mut command = "aws kms generate-data-key-without-plaintext".to_owned();
    for (name, values) in parts {
        command.push_str(breaks.before_a_flag());
        command.push_str(&name);
        for value in values {
            // A value that begins with a dash would be taken for a flag.
            command.push(if value.starts_with('-') { '=' } else { ' ' });
            command.push_str(&quote(&value));
        }
    }
    command
}

/// How the parts of a command are set apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breaks {
    /// One line.
    None,
    /// A line a flag, continued with backslashes.
    Lines,
}

impl Breaks {
    const fn before_a_flag(self) -> &'static str {
        match self {
            Self::None => " ",
            Self::Lines => " \\\n  ",
        }
    }
}

/// Shorthand where it says the same, else JSON, which escapes what a terminal would obey.
fn context_text(request: &DataKeyRequest) -> String {
    let context = &request.encryption_context;
    let plain = context.iter().all(|(name, value)| !name.chars().chain(value.chars()).any(is_hidden));
    if plain && let Some(text) = context::to_shorthand(context) {
        return text;
    }
    json::compact(&request.to_json()[Parameter::EncryptionContext.member()]).unwrap_or_default()
}

/// The AWS CLI reads a word that begins with `[` as a list and `file://` as a file; a JSON list of
/// the tokens means the same for any token.
fn grant_token_words(tokens: &[String]) -> Vec<String> {
    let plain = tokens
        .iter()
        .all(|token| token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=_".contains(&byte)));
    if plain { tokens.to_vec() } else { vec![json::compact(&tokens).unwrap_or_default()] }
}

/// A word for a POSIX shell. There is no NUL in it: identifiers and JSON have none.
fn quote(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| "''".to_owned(), std::borrow::Cow::into_owned)
}
