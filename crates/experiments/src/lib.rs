//! One TOML file: checked, trained, and left on disk as a run.

mod config_error;
mod config_source;
mod document;
mod fault;
mod key_path;
mod nearest_name;
mod parse;

pub use config_error::ConfigError;
pub use config_source::ConfigSource;
pub use parse::parse;
