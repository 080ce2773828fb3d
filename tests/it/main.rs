//! Whole flows: the explorer over the real SDK and the local KMS, the real binary, and the rules of
//! the tree. One binary, so that the dependencies are linked once.

mod browse;
mod cli;
mod copy;
mod details;
mod failures;
mod form;
mod generate;
mod guard;
mod harness;
mod parity;
mod pty;
mod terminal;
mod tidy;
