//! The text of a configuration.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// The text of a configuration and the file it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigSource {
    /// The file's name as the user gave it.
    pub name: String,
    /// The text, as TOML.
    pub text: String,
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
        Ok(Self {
            name: path.display().to_string(),
            text,
        })
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
