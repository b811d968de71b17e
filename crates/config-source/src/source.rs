//! The text of a configuration.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::document::Document;
use crate::key_path::KeyPath;
use crate::overrides::Override;

/// The text of a configuration and the file it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigSource {
    /// The file's name as the user gave it.
    pub name: String,
    /// The text, as TOML, with every override put in.
    pub text: String,
    /// The text before the overrides.
    pub(crate) original: String,
    /// The overrides, in the order in which they were put in.
    pub(crate) overrides: Vec<Override>,
}

/// The part of a `key = value` that an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The key.
    Key,
    /// The value. That of a `[table]` is its header.
    Value,
}

impl Part {
    /// Its place in a document, in bytes.
    pub(crate) fn span(self, document: &Document<'_>, path: &KeyPath) -> Option<Range<usize>> {
        match self {
            Self::Key => document.key_span(path),
            Self::Value => document.value_span(path),
        }
    }
}

/// A configuration file cannot be read, or is not UTF-8.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {source}", path.display())]
pub struct ReadError {
    /// The file.
    pub path: PathBuf,
    /// The reason given by the operating system.
    pub source: io::Error,
}

impl ConfigSource {
    /// The configuration `text`, which is known as `name`.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            name: name.into(),
            original: text.clone(),
            text,
            overrides: Vec::new(),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`ReadError`] if the file cannot be read or is not UTF-8.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ReadError> {
        let path = path.as_ref();
        let text = fs::read_to_string(path).map_err(|source| ReadError {
            path: path.to_path_buf(),
            source,
        })?;
        Ok(Self::new(path.display().to_string(), text))
    }

    /// The text in which the user wrote a value, and the place in it: the last override that sets the value, else the
    /// file. If neither has it, because a default is used, the place is the innermost table around it.
    pub(crate) fn place(&self, path: &KeyPath, part: Part) -> (Self, Option<Range<usize>>) {
        let sets_it = |o: &&Override| path.starts_with(&o.path);
        if let Some(found) = self.overrides.iter().rfind(sets_it) {
            return found.place(path, part);
        }
        let document = Document::parse(&self.original).ok();
        if let Some(span) = document.and_then(|document| part.span(&document, path)) {
            return (self.without_overrides(), Some(span));
        }
        match path.parent() {
            None => (self.without_overrides(), None),
            Some(parent) => self
                .place_inside(path, part)
                .unwrap_or_else(|| self.place(&parent, Part::Value)),
        }
    }

    /// The last override that sets something inside the table at a path: the table's key, or the value that is set.
    pub(crate) fn place_inside(
        &self,
        path: &KeyPath,
        part: Part,
    ) -> Option<(Self, Option<Range<usize>>)> {
        let is_inside = |o: &&Override| o.path != *path && o.path.starts_with(path);
        let found = self.overrides.iter().rfind(is_inside)?;
        Some(match part {
            Part::Key => found.place(path, part),
            Part::Value => found.place(&found.path, part),
        })
    }

    /// The value, as it was written, of the last override that sets a key or something inside it. The key is written with
    /// its tables, such as `model.hidden`.
    pub fn overridden(&self, key: &str) -> Option<&str> {
        let path = KeyPath::parse(key)?;
        let sets_it = |one: &&Override| one.path.starts_with(&path);
        self.overrides.iter().rfind(sets_it).map(Override::value)
    }

    /// The file as it is, without the overrides.
    fn without_overrides(&self) -> Self {
        Self::new(&self.name, &self.original)
    }

    /// The file's name without folders and extension.
    pub fn stem(&self) -> String {
        let stem = Path::new(&self.name).file_stem();
        stem.map(|s| s.to_string_lossy().into_owned())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_missing_file_is_named() {
        let error = ConfigSource::load("no/such.toml").unwrap_err();
        assert!(
            error.to_string().starts_with("cannot read no/such.toml: "),
            "{error}"
        );
    }
}
