//! The keys that calls are made for, and how far each has come: 17 bytes a key and an index, since
//! there may be 100,000 of them and more.
//!
//! It knows nothing of calls.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

use hashbrown::HashTable;

/// A key, by its place in the table. Keys are never taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::kms) struct Number(u32);

/// How far a key has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// To be asked for.
    Open,
    /// A call is under way, or waits to be made again.
    Taken,
    /// Answered, and the answer told.
    Done,
}

/// How an ARN is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Form {
    /// The common beginning and a UUID.
    Uuid,
    /// The common beginning and the id of a multi-Region key: `mrk-` and 32 hexadecimal digits.
    MultiRegion,
    /// As it came; the number is its place among those.
    Other,
}

/// The table, in the order in which the keys were found.
#[derive(Debug, Default)]
pub(in crate::kms) struct Keys {
    /// What the ARNs begin with: that of the first one, to its last slash.
    beginning: Box<str>,
    ids: Vec<u128>,
    marks: Vec<(Form, Stage)>,
    others: Vec<Box<str>>,
    index: HashTable<u32>,
    hasher: RandomState,
    open: usize,
    /// No key before this one is open, but for those that were given back.
    next: usize,
}

impl Keys {
    /// Adds a key that is to be asked for, where it is not there already.
    pub(in crate::kms) fn add(&mut self, arn: &str) {
        if self.ids.is_empty()
            && let Some(slash) = arn.rfind('/')
        {
            self.beginning = arn[..=slash].into();
        }
        if self.find(arn).is_some() {
            return;
        }
        let Ok(number) = u32::try_from(self.ids.len()) else { return };
        let (form, id) = self.compact(arn).unwrap_or_else(|| {
            self.others.push(arn.into());
            (Form::Other, self.others.len() as u128 - 1)
        });
        self.ids.push(id);
        self.marks.push((form, Stage::Open));
        self.open += 1;
        let Self { ids, marks, others, index, hasher, .. } = self;
        let hash = |number: &u32| {
            let at = *number as usize;
            let other = || &others[usize::try_from(ids[at]).unwrap_or_default()];
            match marks[at].0 {
                Form::Other => hasher.hash_one(other()),
                form => hasher.hash_one((form, ids[at])),
            }
        };
        index.insert_unique(hash(&number), number, hash);
    }

    /// The key of that ARN.
    pub(in crate::kms) fn find(&self, arn: &str) -> Option<Number> {
        let compact = self.compact(arn);
        let hash = match compact {
            Some(compact) => self.hasher.hash_one(compact),
            None => self.hasher.hash_one(arn),
        };
        let is_it = |number: &u32| {
            let at = *number as usize;
            match (self.marks[at].0, compact) {
                (Form::Other, None) => self.other(at) == arn,
                (form, Some(compact)) => (form, self.ids[at]) == compact,
                _ => false,
            }
        };
        self.index.find(hash, is_it).copied().map(Number)
    }

    fn compact(&self, arn: &str) -> Option<(Form, u128)> {
        let id = arn.strip_prefix(&*self.beginning)?;
        if let Some(digits) = id.strip_prefix("mrk-") {
            return Some((Form::MultiRegion, lower_hex(digits)?));
        }
        let bytes = id.as_bytes();
        let is_uuid = bytes.len() == 36 && [8, 13, 18, 23].iter().all(|at| bytes[*at] == b'-');
        let digits = is_uuid.then(|| id.replace('-', ""))?;
        Some((Form::Uuid, lower_hex(&digits)?))
    }

    fn other(&self, at: usize) -> &str {
        let place = usize::try_from(self.ids[at]).ok();
        place.and_then(|place| self.others.get(place)).map_or("", |arn| arn)
    }

    /// The ARN, as it was added.
    pub(in crate::kms) fn arn(&self, Number(number): Number) -> String {
        let at = number as usize;
        let (id, beginning) = (self.ids[at], &self.beginning);
        match self.marks[at].0 {
            Form::Other => self.other(at).to_owned(),
            Form::MultiRegion => format!("{beginning}mrk-{id:032x}"),
            Form::Uuid => {
                let digits = format!("{id:032x}");
                let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
                format!("{beginning}{}", parts.join("-"))
            }
        }
    }

    fn set(&mut self, Number(number): Number, stage: Stage) {
        let (_, mark) = &mut self.marks[number as usize];
        let before = std::mem::replace(mark, stage);
        self.open -= usize::from(before == Stage::Open);
        self.open += usize::from(stage == Stage::Open);
    }

    /// Whether the key is to be asked for.
    pub(in crate::kms) fn is_open(&self, Number(number): Number) -> bool {
        self.marks[number as usize].1 == Stage::Open
    }

    /// How many are to be asked for.
    pub(in crate::kms) const fn open(&self) -> usize {
        self.open
    }

    /// The first open key in the order in which they were found, of those never taken.
    pub(in crate::kms) fn next_open(&mut self) -> Option<Number> {
        let rest = self.marks.get(self.next..)?;
        self.next += rest.iter().position(|(_, stage)| *stage == Stage::Open)?;
        u32::try_from(self.next).ok().map(Number)
    }

    /// A call for the key goes out.
    pub(in crate::kms) fn take(&mut self, number: Number) {
        self.set(number, Stage::Taken);
    }

    /// The key is to be asked for again.
    pub(in crate::kms) fn give_back(&mut self, number: Number) {
        self.set(number, Stage::Open);
    }

    /// What there is to know of the key has been told.
    pub(in crate::kms) fn done(&mut self, number: Number) {
        self.set(number, Stage::Done);
    }

    /// Begins again with what is not done.
    pub(in crate::kms) fn reopen(&mut self) {
        for (_, stage) in &mut self.marks {
            if *stage == Stage::Taken {
                *stage = Stage::Open;
                self.open += 1;
            }
        }
        self.next = 0;
    }
}

/// 32 hexadecimal digits, none of them a capital letter: else they would not come out as they went in.
fn lower_hex(digits: &str) -> Option<u128> {
    let are_lower = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (digits.len() == 32 && are_lower).then(|| u128::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGINNING: &str = "arn:aws:kms:us-east-1:111122223333:key/";

    #[test]
    fn an_arn_of_any_form_comes_out_as_it_went_in() {
        let mut keys = Keys::default();
        let ids = [
            "00000000-0000-4000-8000-00000000002a",
            "mrk-0123456789abcdef0123456789abcdef",
            "01234567-89ab-cdef-0123-456789abcdef",
            "MRK-0123456789abcdef0123456789abcdef",
            "01234567-89AB-cdef-0123-456789abcdef",
            "0123456789abcdef0123456789abcdef----",
            "an id that nobody knows yet",
            "",
        ];
        let mut arns: Vec<String> = ids.map(|id| format!("{BEGINNING}{id}")).to_vec();
        arns.push("arn:aws:kms:us-east-1:999999999999:key/00000000-0000-4000-8000-00000000002a".to_owned());
        arns.push("no-arn".to_owned());
        for arn in arns.iter().chain(&arns) {
            keys.add(arn);
        }
        assert_eq!(keys.open(), arns.len(), "each is there once");
        for arn in &arns {
            assert_eq!(keys.arn(keys.find(arn).unwrap()), *arn);
        }
        assert_eq!(keys.find(&format!("{BEGINNING}00000000-0000-4000-8000-00000000002b")), None);
    }

    #[test]
    fn a_hundred_thousand_keys_take_little_room() {
        let mut keys = Keys::default();
        for number in 0..100_000 {
            keys.add(&format!("{BEGINNING}00000000-0000-4000-8000-{number:012x}"));
        }
        let room = keys.ids.capacity() * size_of::<u128>()
            + keys.marks.capacity() * size_of::<(Form, Stage)>()
            + keys.index.allocation_size();
        assert!(room < 3_500_000, "{room} bytes");
        assert_eq!(keys.next_open().map(|number| keys.arn(number)), Some(keys.arn(Number(0))));
    }
}
