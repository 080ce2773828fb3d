//! References to files in options, as the AWS CLI takes them: `file://PATH` stands for the text of
//! the file.
//!
//! Only options come here: a form or a paste reads no files. Nothing is ever fetched over the
//! network; a value that begins with `http://` is that value.

use std::path::{Path, PathBuf};

/// The text that an option's value stands for: the value itself, or that of the file it names.
///
/// # Errors
/// A fragment that names the file and what is wrong with it.
pub(super) fn text_of(value: &str) -> Result<String, String> {
    if let Some(path) = value.strip_prefix("fileb://") {
        return Err(format!("fileb:// reads bytes, and this is text: write file://{path}"));
    }
    let Some(path) = value.strip_prefix("file://") else {
        return Ok(value.to_owned());
    };
    let bytes = std::fs::read(at_home(path)).map_err(|error| format!("cannot read `{path}`: {error}"))?;
    String::from_utf8(bytes).map_err(|_| format!("`{path}` is not text in UTF-8"))
}

/// The path with a leading `~/` as the person's own folder.
fn at_home(path: &str) -> PathBuf {
    let at_home = path.strip_prefix("~/").and_then(|rest| Some(std::env::home_dir()?.join(rest)));
    at_home.unwrap_or_else(|| Path::new(path).to_owned())
}
