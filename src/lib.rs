//! `kmx`, a terminal explorer for AWS KMS.

pub mod app;
pub mod cli;
pub mod clipboard;
pub mod domain;
pub mod kms;
pub mod local;
pub mod session;
pub mod tui;
pub mod view;
