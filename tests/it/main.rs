//! Whole flows: the explorer over the real SDK and the local KMS, the real binary, and the rules of
//! the tree. One binary, so that the dependencies are linked once.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as a test does")]
#![expect(clippy::expect_used, reason = "as above")]
#![expect(clippy::panic, reason = "as above")]
#![expect(unreachable_pub, reason = "modules of a test binary have no outside")]

mod browse;
mod calls;
mod cli;
mod copy;
mod details;
mod disk;
mod failures;
mod form;
mod generate;
mod go;
mod guard;
mod harness;
mod kill;
mod loading;
mod parity;
mod pty;
mod remember;
mod scale;
mod scans;
mod serve;
mod terminal;
mod tidy;
