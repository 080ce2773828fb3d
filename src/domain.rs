//! KMS in plain data: identifiers, keys and their states, the catalog, the filter, the request and
//! its encryption context, printable text, failures with their way out.
//!
//! Pure: nothing here waits, reads a clock, an environment or a file, or knows another module of
//! this program. Names are AWS's.

pub mod abilities;
pub mod call;
pub mod catalog;
pub mod console;
pub mod context;
pub mod data_key;
pub mod details;
pub mod failure;
pub mod filter;
pub mod identifier;
pub mod json;
pub mod json_lines;
pub mod key;
pub mod listing;
pub mod loading;
pub mod marks;
pub mod place;
pub mod profile;
pub mod region;
pub mod request;
pub mod scan;
pub mod text;
pub mod time;
