//! The client side of AWS KMS, and the only user of `aws_sdk_kms`.
//!
//! It turns questions of the domain into calls and answers into domain data. [`OPERATIONS`] holds
//! what is called: ListKeys, ListAliases and DescribeKey to browse, what reads the details of one key,
//! and GenerateDataKeyWithoutPlaintext for data keys. None of them returns a plaintext data key, and
//! none that does may be added; none of them changes anything.
//!
//! This module knows nothing of screens, of command lines or of how a connection came about.

mod calls;
mod client;
mod data_key;
mod describe;
mod details;
mod error;
pub mod loader;
pub mod scanner;
mod worker;

pub use calls::CallLog;
pub use client::{Clients, TimeOuts, local_clients};
pub use data_key::generate_data_key;
pub use describe::describe_key;
pub use details::{has_no_key, read_aliases, read_detail};
pub(crate) use error::no_region;

/// Every operation that this program calls.
pub const OPERATIONS: [&str; 12] = [
    "ListKeys",
    "ListAliases",
    "DescribeKey",
    "GetKeyPolicy",
    "ListResourceTags",
    "ListGrants",
    "GetKeyRotationStatus",
    "ListKeyRotations",
    "GetPublicKey",
    "GetKeyLastUsage",
    "DescribeCustomKeyStores",
    "GenerateDataKeyWithoutPlaintext",
];
