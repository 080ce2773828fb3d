//! Requests to the local KMS whose bodies libFuzzer makes up. Whatever a body holds, the answer is
//! AWS's: JSON with status 200, or a 400 that names its exception, and not much longer than what was
//! asked. A panic, an internal error or anything else is a finding; a hang is one by libFuzzer's own
//! time-out.
//!
//! An input is a line for each request: an operation's name, and the body. A name that is none stands
//! for some operation all the same. A string `"$Member"` in a body stands for what the last answer
//! with that member said there, so that a run can decrypt what it encrypted, and delete what it
//! created.
//!
//! Each run begins with the keys of `keyring.toml`, on a fixed day. To open a store takes longer than
//! to answer, so a store serves until a run may have written to it. What a run draws at random (request
//! ids, new key ids, nonces) therefore hangs on the runs before it on the same store, and key pairs come
//! from the system's randomness: a finding that needs none of these values is one again when its input
//! is run alone. It must not keep anything else from one run to the next.

#![no_main]

mod mutate;

use std::cell::RefCell;
use std::collections::BTreeMap;

use jiff::Timestamp;
use kmx::local::{Clock, LocalKms, Options, Randomness, Response, StoreLocation, operations};
use libfuzzer_sys::{Corpus, fuzz_mutator, fuzz_target, fuzzer_mutate};
use serde_json::Value;

const KEYRING: &str = include_str!("keyring.toml");

const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/us-east-1/kms/aws4_request, \
                             SignedHeaders=host;x-amz-date;x-amz-target, Signature=00";

/// Requests that are made of one input, at most.
const REQUESTS: usize = 8;

/// The longest body that a socket would take, in bytes.
const LONGEST_BODY: usize = 1024 * 1024;

/// The longest string of an answer that is remembered, in bytes: a ciphertext's, in Base64.
const LONGEST_MEMBER: usize = 8192;

/// The longest answer to a request without a body, in bytes; another one may be longer by twice its
/// body. A page of a list is the longest that is due.
const LONGEST_ANSWER: usize = 256 * 1024;

thread_local! {
    /// A store that nothing was written to: see [`may_write`].
    static UNCHANGED: RefCell<Option<LocalKms>> = const { RefCell::new(None) };
}

fuzz_target!(|input: &[u8]| -> Corpus {
    // To make an RSA key takes seconds. More than one a run would look like a hang.
    if input.windows(4).filter(|window| *window == b"RSA_").count() > 1 {
        return Corpus::Reject;
    }
    let kms = UNCHANGED.take().unwrap_or_else(open);
    let mut said = BTreeMap::new();
    let mut unchanged = true;
    let lines = input.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    for line in lines.take(REQUESTS) {
        let (name, body) = line.split_at(mutate::name_length(line));
        let operation = operation(name);
        let body = fill_in(body, &said);
        let answer = kms.handle(&format!("TrentService.{operation}"), Some(AUTHORIZATION), body.clone());
        if let Err(wrong) = check(&answer, body.len(), &mut said) {
            report(operation, &body, &answer, wrong);
        }
        unchanged &= !may_write(operation, &answer);
    }
    if unchanged {
        UNCHANGED.set(Some(kms));
    }
    Corpus::Keep
});

// Every second input is changed as bytes, the others as requests.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let changed = str::from_utf8(&data[..size]).ok().filter(|_| seed.is_multiple_of(2));
    match changed.and_then(|input| mutate::mutate(input, seed)) {
        Some(changed) if changed.len() <= max_size => {
            data[..changed.len()].copy_from_slice(changed.as_bytes());
            changed.len()
        }
        _ => fuzzer_mutate(data, size, max_size),
    }
});

/// A store with the keys of every run.
fn open() -> LocalKms {
    let options = Options {
        clock: Clock::fixed(Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(24 * 365 * 56)),
        randomness: Randomness::deterministic(7),
        seed: KEYRING.into(),
        ..Options::default()
    };
    match LocalKms::open(StoreLocation::Memory, options) {
        Ok(kms) => kms,
        Err(error) => unreachable!("{error}"),
    }
}

/// The operation of that name, or the one that the name's letters add up to.
fn operation(name: &[u8]) -> &'static str {
    let sum = name.iter().map(|byte| usize::from(*byte)).sum::<usize>();
    operations()
        .find(|operation| operation.as_bytes() == name)
        .or_else(|| operations().nth(sum % operations().count()))
        .unwrap_or_default()
}

/// Whether the store may be another one after that answer. A refusal writes nothing, but that a private
/// key is made when it is first needed, also for an answer that refuses in the end.
fn may_write(operation: &str, answer: &Response) -> bool {
    match operation {
        "Encrypt" | "Decrypt" | "ReEncrypt" | "GetPublicKey" => true,
        _ if operation.starts_with("List") || operation.starts_with("Get") => false,
        _ => answer.status == 200,
    }
}

/// The body with what `"$Member"` stands for, as long as a socket would take it.
fn fill_in(body: &[u8], said: &BTreeMap<String, String>) -> Vec<u8> {
    let mut body = body.to_vec();
    if let Ok(text) = str::from_utf8(&body)
        && text.contains("\"$")
    {
        let filled = said.iter().fold(text.to_owned(), |text, (member, value)| {
            text.replace(&format!("\"${member}\""), &Value::from(value.as_str()).to_string())
        });
        body = filled.into_bytes();
    }
    body.truncate(LONGEST_BODY);
    body
}

/// Whether an answer to a body of `asked` bytes is one that AWS could give, and its strings into `said`.
fn check(answer: &Response, asked: usize, said: &mut BTreeMap<String, String>) -> Result<(), &'static str> {
    if answer.body.len() > LONGEST_ANSWER + 2 * asked {
        return Err("the answer is far longer than what was asked");
    }
    if answer.status == 200 && answer.body.is_empty() {
        return Ok(());
    }
    let Ok(Value::Object(members)) = serde_json::from_slice(&answer.body) else {
        return Err("the answer's body is no JSON object");
    };
    match answer.status {
        200 => {
            remember(&Value::Object(members), said);
            Ok(())
        }
        400 => {
            let named = members.get("__type").and_then(Value::as_str);
            if !named.is_some_and(|name| name.len() > "Exception".len() && name.ends_with("Exception")) {
                return Err("the error names no exception");
            }
            for (member, value) in &members {
                if !matches!(member.as_str(), "__type" | "message" | "Message") || !value.is_string() {
                    return Err("the error has a member that is none of AWS's errors");
                }
            }
            Ok(())
        }
        _ => Err("a body caused an error that is not the request's"),
    }
}

/// Keeps each string member of an answer, at whatever depth; of two with one name the last.
fn remember(answer: &Value, said: &mut BTreeMap<String, String>) {
    match answer {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if text.len() <= LONGEST_MEMBER => {
                        said.insert(name.clone(), text.clone());
                    }
                    other => remember(other, said),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| remember(item, said)),
        _ => {}
    }
}

/// Says what was wrong, and ends the run as a finding.
fn report(operation: &str, body: &[u8], answer: &Response, wrong: &str) -> ! {
    let (body, answered) = (String::from_utf8_lossy(body), String::from_utf8_lossy(&answer.body));
    unreachable!("{wrong}\n{operation} {body}\n{} {answered}", answer.status)
}
