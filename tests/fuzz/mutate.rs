//! Changes to an input that leave its bodies JSON: members added, dropped and replaced, values of other
//! types and other depths, requests of other operations and in another order. libFuzzer's own changes
//! to bytes break most bodies; with these beside them, about half get past the parser.
//!
//! It must not make anything that a body could not hold by chance: this is a matter of speed.

use std::sync::LazyLock;

use kmx::local::operations;
use serde_json::Value;

/// What may go into a body, from the dictionary that libFuzzer has too.
struct Pool {
    names: Vec<String>,
    values: Vec<Value>,
}

static POOL: LazyLock<Pool> = LazyLock::new(|| {
    // An entry is a string in quotes. Those with bytes that are no text are not for here.
    let entries =
        include_str!("kms.dict").lines().filter_map(|line| serde_json::from_str::<String>(line).ok());
    let mut pool = Pool { names: Vec::new(), values: Vec::new() };
    for entry in entries {
        if let Some(name) = entry.strip_suffix(':').and_then(|name| serde_json::from_str(name).ok()) {
            pool.names.push(name);
        } else if let Ok(value) = serde_json::from_str(&entry) {
            pool.values.push(value);
        }
    }
    pool
});

/// A changed input, or nothing where this one has no request.
pub(crate) fn mutate(input: &str, seed: u32) -> Option<String> {
    let mut dice = Dice(u64::from(seed));
    let mut lines: Vec<String> = input.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    let line = dice.index(lines.len())?;
    match dice.below(10) {
        0 => {
            lines.remove(line);
        }
        1 => {
            let to = dice.below(lines.len() + 1);
            lines.insert(to, lines[line].clone());
        }
        2 => {
            let other = dice.below(lines.len());
            lines.swap(line, other);
        }
        3 => {
            let (_, body) = split(&lines[line]);
            let operation = operations().nth(dice.below(operations().count())).unwrap_or_default();
            lines[line] = format!("{operation} {body}");
        }
        _ => {
            let (name, body) = split(&lines[line]);
            let mut body = match serde_json::from_str(body) {
                Ok(body @ Value::Object(_)) => body,
                _ => Value::Object(serde_json::Map::new()),
            };
            for _ in 0..=dice.below(3) {
                edit(&mut body, &mut dice, 0);
            }
            lines[line] = format!("{name} {body}");
        }
    }
    Some(lines.join("\n"))
}

/// The operation's name and the body of a request.
fn split(line: &str) -> (&str, &str) {
    let (name, body) = line.split_at(name_length(line.as_bytes()));
    (name, body.trim_start())
}

/// How long the operation's name is that a request begins with, in bytes.
pub(crate) fn name_length(line: &[u8]) -> usize {
    line.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(line.len())
}

/// Changes this value, or one somewhere in it. The outermost stays an object.
fn edit(value: &mut Value, dice: &mut Dice, depth: usize) {
    if depth > 0 && dice.below(3) == 0 {
        *value = match dice.below(8) {
            0 => Value::from(vec![value.take()]),
            1 => Value::Object([(dice.name(), value.take())].into_iter().collect()),
            2 => Value::from(vec![value.clone(), value.take()]),
            3 => Value::from(value.to_string()),
            _ => dice.value(),
        };
        return;
    }
    match value {
        Value::Object(members) => {
            let chosen = dice.index(members.len());
            match (dice.below(4), chosen) {
                (0, Some(chosen)) => {
                    let name = members.keys().nth(chosen).cloned();
                    name.and_then(|name| members.remove(&name));
                }
                (1 | 2, Some(chosen)) => {
                    if let Some(member) = members.values_mut().nth(chosen) {
                        edit(member, dice, depth + 1);
                    }
                }
                _ => {
                    let value = dice.value();
                    members.insert(dice.name(), value);
                }
            }
        }
        Value::Array(items) => match (dice.below(3), dice.index(items.len())) {
            (0, Some(chosen)) => drop(items.remove(chosen)),
            (1, Some(chosen)) => edit(&mut items[chosen], dice, depth + 1),
            _ => items.push(dice.value()),
        },
        Value::String(text) => {
            let mut characters: Vec<char> = text.chars().collect();
            let at = dice.below(characters.len() + 1);
            match dice.below(4) {
                0 => characters.truncate(at),
                1 => characters.extend_from_within(at..),
                2 => characters.insert(at, ('\0'..='\u{17f}').nth(dice.below(0x180)).unwrap_or(' ')),
                _ => {
                    let changed = (' '..='~').nth(dice.below(95));
                    if let (Some(character), Some(changed)) = (characters.get_mut(at), changed) {
                        *character = changed;
                    }
                }
            }
            *text = characters.into_iter().collect();
        }
        Value::Number(_) => *value = dice.number(),
        Value::Bool(truth) => *truth = !*truth,
        Value::Null => *value = dice.value(),
    }
}

/// Choices that follow from libFuzzer's seed alone.
struct Dice(u64);

impl Dice {
    /// `SplitMix64`: each seed, however small, gives well-mixed bits.
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `count`, which is not 0.
    fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.roll() >> 33).unwrap_or_default() % count
    }

    fn index(&mut self, count: usize) -> Option<usize> {
        (count > 0).then(|| self.below(count))
    }

    fn name(&mut self) -> String {
        POOL.names[self.below(POOL.names.len())].clone()
    }

    fn value(&mut self) -> Value {
        let value = POOL.values[self.below(POOL.values.len())].clone();
        match self.below(8) {
            0 => self.number(),
            1 => Value::Object([(self.name(), value)].into_iter().collect()),
            2 => Value::from(vec![value]),
            _ => value,
        }
    }

    /// A whole number near a power of two, of either sign.
    fn number(&mut self) -> Value {
        let near = (1_i64 << self.below(63)) - 2 + i64::try_from(self.below(4)).unwrap_or_default();
        Value::from(if self.below(8) == 0 { -near } else { near })
    }
}
