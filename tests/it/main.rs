//! The integration tests, in one binary: kmx from outside, and the parts of it
//! that only a real terminal can judge.

mod guard;
mod terminal;
