//! The emberlab command.

#[cfg(test)]
mod diagnostics;

fn main() {}
