//! KMS in plain data: identifiers, keys and their states, the catalog, the filter, the request and
//! its encryption context, printable text, failures with their way out.
//!
//! Pure: nothing here waits, reads a clock, an environment or a file, or knows another module of
//! this program. Names are AWS's.

pub mod catalog;
pub mod context;
pub mod data_key;
pub mod failure;
pub mod filter;
pub mod identifier;
pub mod json;
pub mod key;
pub mod listing;
pub mod loading;
pub mod place;
pub mod request;
pub mod text;
pub mod time;
