//! kmx.
fn main() {}
