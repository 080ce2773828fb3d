//! The shell around the pure core: the terminal, its input, and (to come) the
//! loop. Decides nothing that `update` could decide.

pub mod guard;
pub mod input;
