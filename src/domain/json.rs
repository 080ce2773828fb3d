//! JSON as this program prints it: indented, and with nothing in it that a terminal would obey.

use std::fmt::Write as _;

use serde::Serialize;

use super::text::is_hidden;

/// The value in JSON, indented by `indent` spaces, every hidden character escaped as `\uXXXX`.
///
/// # Errors
/// Where the value has no JSON form, which none of ours lacks.
pub fn pretty(value: &impl Serialize, indent: usize) -> serde_json::Result<String> {
    let indent = " ".repeat(indent);
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes());
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, formatter))?;
    Ok(escape_hidden(&String::from_utf8_lossy(&out)))
}

/// The value in JSON on one line, every hidden character escaped.
///
/// # Errors
/// As [`pretty`].
pub fn compact(value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string(value).map(|text| escape_hidden(&text))
}

/// Outside strings JSON text has no hidden character but line feeds, so what is escaped here
/// stands in a string and means the same.
fn escape_hidden(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if character == '\n' || !is_hidden(character) {
            out.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_escaped_and_mean_the_same() {
        let value = serde_json::json!({"a": "\u{1b}[2J\u{202e}\u{9b}\u{e0041}é\n"});
        let text = pretty(&value, 4).unwrap();
        assert_eq!(text, "{\n    \"a\": \"\\u001b[2J\\u202e\\u009b\\udb40\\udc41é\\n\"\n}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
