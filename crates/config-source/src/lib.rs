//! Reads a TOML file into values, and says where in the file an error is.
//!
//! - [`ConfigSource`] is the text of a file, with `--set key=value` applied if asked.
//! - [`parse`] reads it into any type that serde can read.
//! - [`ConfigError`] is an error with the key, the line and column, and a suggestion. One from a
//!   [`Problem`](emberlab_menu::Problem), found after parsing, gets its place by [`ConfigError::from_problem`].

mod document;
mod error;
mod fault;
mod key_path;
mod numbers;
mod overrides;
mod parse;
mod source;
mod suggest;

pub use error::ConfigError;
pub use key_path::key_set_twice;
pub use numbers::with_short_numbers;
pub use parse::{parse, parse_with_keys};
pub use source::{ConfigSource, ReadError};
