//! The emberlab command.
fn main() {}
