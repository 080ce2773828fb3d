//! What kmx keeps for a person: the configuration that they wrote, the catalogs that it remembers,
//! the log that they asked for.
//!
//! Everything here blocks: whoever must not wait calls it through `spawn_blocking`. Files are
//! private (0600, in folders of 0700), written whole or not at all, and never trusted when read.
//! Grant tokens, credentials, and bodies of requests and answers are in none of them. It must not
//! know of screens, of AWS, or of what the bytes of a remembered catalog mean.

pub mod catalog_cache;
pub mod config;
pub mod log;
pub mod paths;
pub mod private;
pub mod settings;
