//! Misbehaviour as people write it in switches: `DescribeKey=2000`, `DescribeKey=5%`,
//! `500=1%,reset=1%`, `20ms`. Each error is a sentence that says what is allowed.
//!
//! It must not know how the switches themselves are called.

use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;

use super::super::operations::Operation;
use super::{Denial, Fault, Odds, Rate, Share, WHOLE};

/// Why the text of a switch says nothing: one sentence, with what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SwitchError(String);

/// The longest delay of every request.
const LONGEST: Duration = Duration::from_hours(1);
const FASTEST: u32 = 1_000_000;
/// How alike two names are at least, 1 being the same, so that one is suggested for the other.
const ALIKE: f64 = 0.8;

/// The faults that have odds, by the word for each.
const KINDS: [(&str, Fault); 5] = [
    ("500", Fault::Internal),
    ("reset", Fault::Reset),
    ("throttle", Fault::Throttle),
    ("truncate", Fault::Truncate),
    ("hang", Fault::Hang),
];

/// Reads a delay: `20ms`, `1.5s`, `1m`, `0`; an hour at most.
///
/// # Errors
/// Where it is none.
pub fn parse_latency(text: &str) -> Result<Duration, SwitchError> {
    let read = if text == "0" { Ok(SignedDuration::ZERO) } else { text.parse() };
    read.ok()
        .and_then(|duration: SignedDuration| Duration::try_from(duration).ok())
        .filter(|duration| *duration <= LONGEST)
        .ok_or_else(|| {
            SwitchError(format!(
                "`{text}` is not a delay: allowed are `0` to `1h` with a unit, like `20ms` or `1.5s`"
            ))
        })
}

impl FromStr for Rate {
    type Err = SwitchError;

    fn from_str(text: &str) -> Result<Self, SwitchError> {
        let (operation, rate) = split(text, "OPERATION=REQUESTS, like `DescribeKey=2000`")?;
        let operation = known_operation(operation)?;
        match rate.parse() {
            Ok(per_second @ 1..=FASTEST) => Ok(Self { operation, per_second }),
            _ => Err(SwitchError(format!(
                "`{rate}` is not a rate: allowed are whole requests a second, 1 to {FASTEST}"
            ))),
        }
    }
}

impl FromStr for Denial {
    type Err = SwitchError;

    fn from_str(text: &str) -> Result<Self, SwitchError> {
        let (operation, share) = split(text, "OPERATION=SHARE, like `DescribeKey=5%`")?;
        Ok(Self { operation: known_operation(operation)?, share: share.parse()? })
    }
}

impl FromStr for Odds {
    type Err = SwitchError;

    fn from_str(text: &str) -> Result<Self, SwitchError> {
        let mut odds: Vec<(Share, Fault)> = Vec::new();
        let mut named = Vec::new();
        for part in text.split(',') {
            let (word, share) = split(part, "KIND=SHARE, like `500=1%`")?;
            let Some((_, fault)) = KINDS.into_iter().find(|(kind, _)| *kind == word) else {
                let kinds = KINDS.map(|(kind, _)| format!("`{kind}`")).join(", ");
                return Err(SwitchError(format!("`{word}` is not a fault: allowed are {kinds}")));
            };
            if named.contains(&word) {
                return Err(SwitchError(format!("the fault `{word}` is there twice: name it once")));
            }
            named.push(word);
            odds.push((share.parse()?, fault));
        }
        let sum: u32 = odds.iter().map(|(share, _)| share.0).sum();
        if sum > WHOLE {
            return Err(SwitchError(format!(
                "the shares of `{text}` add up to more than 100%: leave some requests to the others"
            )));
        }
        Ok(Self(odds))
    }
}

impl FromStr for Share {
    type Err = SwitchError;

    fn from_str(text: &str) -> Result<Self, SwitchError> {
        let read = || {
            let number = text.strip_suffix('%')?;
            let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
            let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            if !digits(whole) || !digits(fraction) || whole.len() > 3 || fraction.len() > 4 {
                return None;
            }
            // A hundredth is 10,000 millionths: four decimals.
            let millionths: u32 = format!("{whole}{fraction:0<4}").parse().ok()?;
            (millionths <= WHOLE).then_some(Self(millionths))
        };
        read().ok_or_else(|| {
            SwitchError(format!(
                "`{text}` is not a share: allowed are `0%` to `100%`, with four decimals at most, like `0.5%`"
            ))
        })
    }
}

fn split<'t>(text: &'t str, form: &str) -> Result<(&'t str, &'t str), SwitchError> {
    text.split_once('=').ok_or_else(|| SwitchError(format!("`{text}` has no `=`: allowed is {form}")))
}

/// The name, where KMS has an operation of that name, be it here or not.
fn known_operation(name: &str) -> Result<String, SwitchError> {
    if Operation::names().any(|known| known == name) {
        return Ok(name.to_owned());
    }
    let likeness = |known: &str| strsim::jaro_winkler(&known.to_lowercase(), &name.to_lowercase());
    let nearest = Operation::names().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let way_out = match nearest.filter(|nearest| likeness(nearest) >= ALIKE) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => "names are spelled as AWS spells them, like `DescribeKey`".to_owned(),
    };
    Err(SwitchError(format!("`{name}` is not an operation of KMS: {way_out}")))
}

#[cfg(test)]
mod tests;
