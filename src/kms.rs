//! The client side of AWS KMS, and the only user of `aws_sdk_kms`.
//!
//! It turns questions of the domain into calls and answers into domain data. Four operations are
//! in use: ListKeys, ListAliases and DescribeKey to browse, GenerateDataKeyWithoutPlaintext for
//! data keys; [`OPERATIONS`] holds the list. None of them returns a plaintext data key, and none
//! that does may be added.
//!
//! This module knows nothing of screens, of command lines or of how a connection came about.

mod client;
mod data_key;
mod describe;
mod error;
pub mod loader;

pub use client::{Clients, TimeOuts, local_clients};
pub use data_key::generate_data_key;
pub use describe::describe_key;
pub(crate) use error::no_region;

/// Every operation that this program calls.
pub const OPERATIONS: [&str; 4] =
    ["ListKeys", "ListAliases", "DescribeKey", "GenerateDataKeyWithoutPlaintext"];
