//! Key ids in little room: 16 bytes for a UUID and for the id of a multi-Region key.

use std::borrow::Cow;

/// A key id, as it was told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Id {
    /// In lower case, dashes where a UUID has them.
    Uuid([u8; 16]),
    /// `mrk-` and 32 hex digits in lower case.
    MultiRegion([u8; 16]),
    /// Anything else.
    Text(Box<str>),
}

/// Where the dashes of a UUID stand, by the number of bytes before them.
const DASHES: [usize; 4] = [4, 6, 8, 10];

impl Id {
    pub(super) fn of(text: &str) -> Self {
        if let Some(bytes) = text.strip_prefix("mrk-").and_then(|digits| unhex(digits.bytes())) {
            return Self::MultiRegion(bytes);
        }
        let has_dashes =
            text.len() == 36 && [8, 13, 18, 23].into_iter().all(|at| text.as_bytes()[at] == b'-');
        let digits = text.bytes().filter(|byte| *byte != b'-');
        match has_dashes.then(|| unhex(digits)).flatten() {
            Some(bytes) => Self::Uuid(bytes),
            None => Self::Text(text.into()),
        }
    }

    pub(super) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            _ => Cow::Owned(self.write(&mut [0; 36]).to_owned()),
        }
    }

    /// The text, written into a buffer where it is not at hand.
    pub(super) fn write<'a>(&'a self, buffer: &'a mut [u8; 36]) -> &'a str {
        let (bytes, dashes, start): (&[u8; 16], &[usize], usize) = match self {
            Self::Text(text) => return text,
            Self::Uuid(bytes) => (bytes, &DASHES, 0),
            Self::MultiRegion(bytes) => {
                buffer[..4].copy_from_slice(b"mrk-");
                (bytes, &[], 4)
            }
        };
        let mut at = start;
        for (index, byte) in bytes.iter().enumerate() {
            if dashes.contains(&index) {
                buffer[at] = b'-';
                at += 1;
            }
            buffer[at] = digit(byte >> 4);
            buffer[at + 1] = digit(byte & 15);
            at += 2;
        }
        std::str::from_utf8(buffer).unwrap_or_default()
    }
}

/// Whether an id of the usual forms may begin with this.
pub(super) fn may_begin(text: &str) -> bool {
    "mrk-".starts_with(text)
        || text
            .strip_prefix("mrk-")
            .unwrap_or(text)
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

const fn digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

/// 32 hex digits in lower case, and nothing else.
fn unhex(mut digits: impl Iterator<Item = u8>) -> Option<[u8; 16]> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 16];
    for byte in &mut bytes {
        *byte = value(digits.next()?)? << 4 | value(digits.next()?)?;
    }
    digits.next().is_none().then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_comes_back_as_it_was_told() {
        for (text, small) in [
            ("1234abcd-12ab-34cd-56ef-1234567890ab", true),
            ("mrk-1234abcd12ab34cd56ef1234567890ab", true),
            ("1234ABCD-12ab-34cd-56ef-1234567890ab", false),
            ("1234abcd12ab34cd56ef1234567890ab", false),
            ("1234abcd1-2ab-34cd-56ef-1234567890ab", false),
            ("mrk-1234abcd-12ab-34cd-56ef-1234567890", false),
            ("mrk-1234", false),
            ("schlüssel-12ab-34cd-56ef-1234567890a", false),
            ("", false),
        ] {
            let id = Id::of(text);
            assert_eq!(id.text(), text);
            assert_eq!(!matches!(id, Id::Text(_)), small, "{text}");
        }
    }
}
