//! The request of `GenerateDataKeyWithoutPlaintext`: its parameters, what is allowed in each, and
//! the forms in which it is written down.
//!
//! [`Parameter`] is the one definition of each request option: the form, the flags, the JSON
//! members and the help come from it. [`Parameters::check`] is the one validation. The SDK checks
//! nothing, so a request that gets past it goes to the wire as it is.
//!
//! Source: KMS API, GenerateDataKeyWithoutPlaintext.

mod write;

use serde_json::Value;

use super::context::EncryptionContext;
use super::text::is_hidden;

pub use write::{Breaks, aws_command};

/// The operation, as AWS spells it.
pub const OPERATION: &str = "GenerateDataKeyWithoutPlaintext";

/// Characters that a `KeyId` has at most.
pub const KEY_ID_MAX: usize = 2048;
/// Bytes that a data key has at most.
pub const NUMBER_OF_BYTES_MAX: i64 = 1024;
/// Grant tokens that a request has at most.
pub const GRANT_TOKENS_MAX: usize = 10;
/// Characters that a grant token has at most.
pub const GRANT_TOKEN_LENGTH_MAX: usize = 8192;

/// One option of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Parameter {
    KeyId,
    EncryptionContext,
    KeySpec,
    NumberOfBytes,
    GrantTokens,
    DryRun,
}

impl Parameter {
    /// All, in the order of the service model.
    pub const ALL: [Self; 6] = [
        Self::KeyId,
        Self::EncryptionContext,
        Self::KeySpec,
        Self::NumberOfBytes,
        Self::GrantTokens,
        Self::DryRun,
    ];

    /// The member's name in JSON, as AWS spells it.
    #[must_use]
    pub const fn member(self) -> &'static str {
        match self {
            Self::KeyId => "KeyId",
            Self::EncryptionContext => "EncryptionContext",
            Self::KeySpec => "KeySpec",
            Self::NumberOfBytes => "NumberOfBytes",
            Self::GrantTokens => "GrantTokens",
            Self::DryRun => "DryRun",
        }
    }

    /// The flag's name without its dashes, as the AWS CLI spells it.
    #[must_use]
    pub const fn flag(self) -> &'static str {
        match self {
            Self::KeyId => "key-id",
            Self::EncryptionContext => "encryption-context",
            Self::KeySpec => "key-spec",
            Self::NumberOfBytes => "number-of-bytes",
            Self::GrantTokens => "grant-tokens",
            Self::DryRun => "dry-run",
        }
    }

    /// The form's label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::KeyId => "Key",
            Self::EncryptionContext => "Encryption context",
            Self::KeySpec => "Key spec",
            Self::NumberOfBytes => "Number of bytes",
            Self::GrantTokens => "Grant tokens",
            Self::DryRun => "Dry run",
        }
    }

    /// What it is for, in one sentence without a full stop.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::KeyId => {
                "The symmetric encryption KMS key that encrypts the data key: key id, key ARN, alias name or alias ARN"
            }
            Self::EncryptionContext => {
                "Names and values that Decrypt will need exactly; not secret, CloudTrail logs them. Shorthand name=value,name=value, or JSON"
            }
            Self::KeySpec => {
                "The length of the data key as AES_256 or AES_128. Not together with a number of bytes"
            }
            Self::NumberOfBytes => {
                "The length of the data key in bytes, 1 to 1024. Not together with a key spec"
            }
            Self::GrantTokens => "Grant tokens, for a grant that has not spread yet; at most 10",
            Self::DryRun => "Only check whether the request would succeed",
        }
    }
}

/// The length of a data key: exactly one of the two forms goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataKeySize {
    Spec(DataKeySpec),
    /// 1 to 1024 bytes.
    Bytes(u16),
}

impl DataKeySize {
    /// Bytes of the plaintext data key.
    #[must_use]
    pub const fn bytes(self) -> u16 {
        match self {
            Self::Spec(DataKeySpec::Aes256) => 32,
            Self::Spec(DataKeySpec::Aes128) => 16,
            Self::Bytes(count) => count,
        }
    }
}

/// KMS API: `DataKeySpec`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataKeySpec {
    #[default]
    Aes256,
    Aes128,
}

impl DataKeySpec {
    pub const ALL: [Self; 2] = [Self::Aes256, Self::Aes128];

    /// As AWS spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aes256 => "AES_256",
            Self::Aes128 => "AES_128",
        }
    }
}

/// Parameters as they were given, unchecked: by flags, by JSON or by the form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    pub key_id: Option<String>,
    pub encryption_context: Option<EncryptionContext>,
    pub key_spec: Option<String>,
    pub number_of_bytes: Option<i64>,
    pub grant_tokens: Option<Vec<String>>,
    pub dry_run: Option<bool>,
}

/// A request that breaks none of the rules that can be checked here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataKeyRequest {
    pub key_id: String,
    pub encryption_context: EncryptionContext,
    pub size: DataKeySize,
    pub grant_tokens: Vec<String>,
    pub dry_run: bool,
}

/// What is wrong with one parameter, and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub parameter: Parameter,
    /// What is wrong and what is allowed, a fragment without a full stop.
    pub message: String,
}

impl Problem {
    #[must_use]
    pub fn new(parameter: Parameter, message: impl Into<String>) -> Self {
        Self { parameter, message: message.into() }
    }
}

impl Parameters {
    /// Reads the AWS CLI's `--cli-input-json` document.
    ///
    /// # Errors
    /// A sentence for people: no JSON, no object, an unknown member, a member of another type.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| format!("not valid JSON: {error}"))?;
        let Value::Object(members) = value else {
            return Err(format!(
                "expected a JSON object with {}, not {}",
                Self::member_list(),
                type_of(&value)
            ));
        };
        let mut parameters = Self::default();
        for (name, value) in members {
            let Some(parameter) = Parameter::ALL.into_iter().find(|parameter| parameter.member() == name)
            else {
                return Err(format!("unknown member `{name}`: must be one of {}", Self::member_list()));
            };
            parameters.set_from_json(parameter, value)?;
        }
        Ok(parameters)
    }

    fn member_list() -> String {
        Parameter::ALL.map(Parameter::member).join(", ")
    }

    fn set_from_json(&mut self, parameter: Parameter, value: Value) -> Result<(), String> {
        let wrong = |expected: &str, value: &Value| {
            format!("`{}` must be {expected}, not {}", parameter.member(), type_of(value))
        };
        match parameter {
            Parameter::KeyId | Parameter::KeySpec => {
                let Value::String(text) = value else {
                    return Err(wrong("text", &value));
                };
                if parameter == Parameter::KeyId {
                    self.key_id = Some(text);
                } else {
                    self.key_spec = Some(text);
                }
            }
            Parameter::EncryptionContext => {
                let Value::Object(entries) = value else {
                    return Err(wrong("an object of texts", &value));
                };
                let mut pairs = Vec::with_capacity(entries.len());
                for (name, value) in entries {
                    match value {
                        Value::String(text) => pairs.push((name, text)),
                        other => {
                            return Err(format!(
                                "`EncryptionContext.{name}` must be text, not {}: write \"{}\"",
                                type_of(&other),
                                other.to_string().replace('"', "\\\"")
                            ));
                        }
                    }
                }
                self.encryption_context =
                    Some(EncryptionContext::from_pairs(pairs).map_err(|error| error.to_string())?);
            }
            Parameter::NumberOfBytes => {
                self.number_of_bytes = Some(value.as_i64().ok_or_else(|| wrong("a whole number", &value))?);
            }
            Parameter::GrantTokens => {
                let Value::Array(items) = value else {
                    return Err(wrong("a list of texts", &value));
                };
                let tokens: Option<Vec<String>> =
                    items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
                self.grant_tokens =
                    Some(tokens.ok_or_else(|| "`GrantTokens` must be a list of texts".to_owned())?);
            }
            Parameter::DryRun => {
                self.dry_run = Some(value.as_bool().ok_or_else(|| wrong("true or false", &value))?);
            }
        }
        Ok(())
    }

    /// These parameters, and those of `other` where these say nothing: member by member.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            key_id: self.key_id.or(other.key_id),
            encryption_context: self.encryption_context.or(other.encryption_context),
            key_spec: self.key_spec.or(other.key_spec),
            number_of_bytes: self.number_of_bytes.or(other.number_of_bytes),
            grant_tokens: self.grant_tokens.or(other.grant_tokens),
            dry_run: self.dry_run.or(other.dry_run),
        }
    }

    /// The request, or every rule that it breaks, in the order of [`Parameter::ALL`].
    ///
    /// What the service alone can decide (whether the key exists, whether an empty context value is
    /// taken, whether a token is good) is left to it.
    ///
    /// # Errors
    /// The list of problems, never empty.
    pub fn check(&self) -> Result<DataKeyRequest, Vec<Problem>> {
        let mut problems = Vec::new();
        let key_id = self.key_id.clone().unwrap_or_default();
        problems.extend(key_id_problem(&key_id));
        let size = match self.size() {
            Ok(size) => Some(size),
            Err(found) => {
                problems.extend(found);
                None
            }
        };
        let grant_tokens = self.grant_tokens.clone().unwrap_or_default();
        problems.extend(grant_tokens_problem(&grant_tokens));
        match size {
            Some(size) if problems.is_empty() => Ok(DataKeyRequest {
                key_id,
                encryption_context: self.encryption_context.clone().unwrap_or_default(),
                size,
                grant_tokens,
                dry_run: self.dry_run.unwrap_or(false),
            }),
            _ => Err(problems),
        }
    }

    fn size(&self) -> Result<DataKeySize, Vec<Problem>> {
        let spec = self.key_spec.as_deref().map(parse_key_spec);
        let bytes = self.number_of_bytes.map(check_number_of_bytes);
        match (spec, bytes) {
            (Some(Ok(spec)), None) => Ok(DataKeySize::Spec(spec)),
            (None, Some(Ok(bytes))) => Ok(DataKeySize::Bytes(bytes)),
            (None, None) => Err(vec![Problem::new(
                Parameter::KeySpec,
                "give a key spec (AES_256 or AES_128) or a number of bytes (1 to 1024)",
            )]),
            (Some(spec), Some(bytes)) => {
                let mut problems = vec![Problem::new(
                    Parameter::NumberOfBytes,
                    "give a key spec or a number of bytes, not both",
                )];
                problems.extend(spec.err());
                problems.extend(bytes.err());
                Err(problems)
            }
            (Some(Err(problem)), None) | (None, Some(Err(problem))) => Err(vec![problem]),
        }
    }
}

/// What is wrong with a `KeyId`: 1 to 2048 characters of ASCII.
#[must_use]
pub fn key_id_problem(key_id: &str) -> Option<Problem> {
    let message = if key_id.is_empty() {
        "name a key: its id, its ARN, an alias (alias/…) or an alias ARN".to_owned()
    } else if let Some(character) =
        key_id.chars().find(|character| !character.is_ascii() || is_hidden(*character))
    {
        format!(
            "`{}` cannot be in a key's identifier: printable ASCII characters only",
            super::text::printable(character.encode_utf8(&mut [0; 4]))
        )
    } else if key_id.len() > KEY_ID_MAX {
        format!("{} characters: an identifier has 1 to {KEY_ID_MAX}", key_id.len())
    } else {
        return None;
    };
    Some(Problem::new(Parameter::KeyId, message))
}

/// The key spec of this name.
///
/// # Errors
/// A problem that names the two there are.
pub fn parse_key_spec(text: &str) -> Result<DataKeySpec, Problem> {
    DataKeySpec::ALL.into_iter().find(|spec| spec.as_str() == text).ok_or_else(|| {
        Problem::new(
            Parameter::KeySpec,
            format!("`{text}` is no data key spec: AES_256 or AES_128, else give a number of bytes"),
        )
    })
}

/// The number of bytes that a text says.
///
/// # Errors
/// A problem where it is no whole number. Its range is [`check_number_of_bytes`]'s to judge.
pub fn parse_number_of_bytes(text: &str) -> Result<i64, Problem> {
    text.trim().parse().map_err(|_| {
        let message = if text.trim().is_empty() {
            "how many bytes? 1 to 1024".to_owned()
        } else {
            format!("`{}` is no whole number: 1 to 1024", text.trim())
        };
        Problem::new(Parameter::NumberOfBytes, message)
    })
}

/// The number, where a data key can have that many bytes.
///
/// # Errors
/// A problem that names the range.
pub fn check_number_of_bytes(count: i64) -> Result<u16, Problem> {
    u16::try_from(count).ok().filter(|_| (1..=NUMBER_OF_BYTES_MAX).contains(&count)).ok_or_else(|| {
        Problem::new(
            Parameter::NumberOfBytes,
            format!("{count}: a data key has 1 to {NUMBER_OF_BYTES_MAX} bytes"),
        )
    })
}

/// What is wrong with grant tokens: at most 10, each 1 to 8192 printable characters.
#[must_use]
pub fn grant_tokens_problem(tokens: &[String]) -> Option<Problem> {
    let message = if tokens.len() > GRANT_TOKENS_MAX {
        format!("{} grant tokens: at most {GRANT_TOKENS_MAX}", tokens.len())
    } else if tokens.iter().any(String::is_empty) {
        "an empty grant token: leave it out".to_owned()
    } else if let Some(token) = tokens.iter().find(|token| token.chars().count() > GRANT_TOKEN_LENGTH_MAX) {
        format!("a grant token of {} characters: at most {GRANT_TOKEN_LENGTH_MAX}", token.chars().count())
    } else if tokens.iter().any(|token| token.chars().any(is_hidden)) {
        "a grant token has a control character: copy it again".to_owned()
    } else {
        return None;
    };
    Some(Problem::new(Parameter::GrantTokens, message))
}

impl DataKeyRequest {
    /// The request body in JSON: the members that go out, in the order of the service model.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut body = serde_json::Map::new();
        let mut put = |parameter: Parameter, value: Value| {
            body.insert(parameter.member().to_owned(), value);
        };
        put(Parameter::KeyId, self.key_id.clone().into());
        if !self.encryption_context.is_empty() {
            let entries =
                self.encryption_context.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
            put(Parameter::EncryptionContext, Value::Object(entries));
        }
        match self.size {
            DataKeySize::Spec(spec) => put(Parameter::KeySpec, spec.as_str().into()),
            DataKeySize::Bytes(count) => put(Parameter::NumberOfBytes, count.into()),
        }
        if !self.grant_tokens.is_empty() {
            put(Parameter::GrantTokens, self.grant_tokens.clone().into());
        }
        if self.dry_run {
            put(Parameter::DryRun, true.into());
        }
        Value::Object(body)
    }
}

/// A document for `--cli-input-json` in which only the key is left to fill in. The same each time.
#[must_use]
pub fn skeleton() -> Value {
    serde_json::json!({
        "KeyId": "",
        "EncryptionContext": {},
        "KeySpec": DataKeySpec::default().as_str(),
        "GrantTokens": [],
        "DryRun": false,
    })
}

/// The members of an answer, with placeholders for values.
#[must_use]
pub fn skeleton_of_the_answer() -> Value {
    serde_json::json!({
        "CiphertextBlob": "CiphertextBlob",
        "KeyId": "KeyId",
        "KeyMaterialId": "KeyMaterialId",
    })
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;
