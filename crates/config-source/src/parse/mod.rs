//! Reads TOML into any type, with errors that point at the wrong key or value.
//!
//! serde reports a message and, through `serde_path_to_error`, the path to the value it was reading. For a
//! tagged, untagged or flattened type that path ends at the table, because serde reads such a table whole
//! before it looks at its keys. [`blame`] finds the exact place then: the message names a key or a value, and of
//! all places below the path where it stands, the wrong one is the one whose removal makes the error go away.

mod blame;
#[cfg(test)]
mod tests;

use crate::document::Document;
use crate::key_path::{KeyPath, Step};
use crate::{ConfigError, ConfigSource};
use blame::Blame;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;
use toml::de::ValueDeserializer;

/// Reads a value of type `T` from a configuration.
///
/// # Errors
/// If the text is not TOML or does not fit `T`, with the place, the key and a suggestion.
pub fn parse<T: DeserializeOwned>(source: &ConfigSource) -> Result<T, ConfigError> {
    parse_with_keys(source, Vec::new)
}

/// Reads a value as [`parse`] does. `keys` gives all keys that a configuration can have, with their tables, such as
/// `training.num_epochs`: where a key stands in the wrong table, the suggestion names the right one.
///
/// # Errors
/// Those of [`parse`].
pub fn parse_with_keys<T: DeserializeOwned>(
    source: &ConfigSource,
    keys: fn() -> Vec<String>,
) -> Result<T, ConfigError> {
    let document = Document::parse(&source.text).map_err(|error| ConfigError {
        span: error.span(),
        ..ConfigError::new(source, error.message())
    })?;
    attempt(&document)
        .map_err(|failure| Blame::<T>::new(source, &document, &failure, keys).explain())
}

/// An error of serde: its message, and the path to the value it was reading.
struct Failure {
    path: KeyPath,
    message: String,
}

fn attempt<T: DeserializeOwned>(document: &Document<'_>) -> Result<T, Failure> {
    let root = ValueDeserializer::from(document.clone().into_root());
    serde_path_to_error::deserialize(root).map_err(|error| Failure {
        path: error.path().iter().filter_map(step).collect(),
        message: error.inner().message().to_owned(),
    })
}

/// A segment of serde's path as a step through the document. The name of an enum's variant is not a step.
fn step(segment: &Segment) -> Option<Step> {
    match segment {
        Segment::Map { key } => Some(Step::Key(key.clone())),
        Segment::Seq { index } => Some(Step::Index(*index)),
        Segment::Enum { .. } | Segment::Unknown => None,
    }
}
