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

/// A configuration file cannot be read, or is neither UTF-8 nor UTF-16.
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

    /// Reads a file in UTF-8, or in UTF-16 with a byte order mark.
    ///
    /// # Errors
    /// [`ReadError`] if the file cannot be read, or is in another encoding.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ReadError> {
        let path = path.as_ref();
        let text = fs::read(path).and_then(decoded);
        let text = text.map_err(|source| ReadError {
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

/// The text of a file: in UTF-16 if a byte order mark says so, as PowerShell writes it, else in UTF-8. Lines that end with
/// a carriage return alone, as on old Macs, end as others do.
fn decoded(bytes: Vec<u8>) -> io::Result<String> {
    let invalid = |reason: String| io::Error::new(io::ErrorKind::InvalidData, reason);
    let units = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let pairs = rest.as_chunks::<2>();
        let text = char::decode_utf16(pairs.0.iter().map(|&pair| unit(pair)));
        let text = text.collect::<Result<String, _>>().ok();
        text.filter(|_| pairs.1.is_empty())
            .ok_or_else(|| invalid("it is not valid UTF-16; save it as UTF-8".to_string()))
    };
    let text = match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => units(rest, u16::from_le_bytes)?,
        [0xfe, 0xff, rest @ ..] => units(rest, u16::from_be_bytes)?,
        _ => String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..at]
                .iter()
                .filter(|&&b| b == b'\n')
                .count()
                + 1;
            let byte = error.as_bytes()[at];
            invalid(format!(
                "line {line} is not UTF-8: it has the byte {byte:#04x}; save it as UTF-8"
            ))
        })?,
    };
    Ok(match text.contains('\n') {
        true => text,
        false => text.replace('\r', "\n"),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_in_utf_16_is_read_and_one_in_another_encoding_is_named_with_its_line() {
        let text = "name = \"größe 😀\"\n";
        let with_mark: Vec<u16> = std::iter::once(0xfeff).chain(text.encode_utf16()).collect();
        let little = with_mark.iter().flat_map(|unit| unit.to_le_bytes());
        let big = with_mark.iter().flat_map(|unit| unit.to_be_bytes());
        assert_eq!(decoded(little.collect()).unwrap(), text);
        assert_eq!(decoded(big.collect()).unwrap(), text);
        assert_eq!(decoded(text.into()).unwrap(), text);
        assert_eq!(
            decoded(b"a = 1\rb = 2\r".to_vec()).unwrap(),
            "a = 1\nb = 2\n"
        );
        let message = |bytes: &[u8]| decoded(bytes.to_vec()).unwrap_err().to_string();
        assert_eq!(
            message(b"a = 1\nb = \"gr\xf6\xdfe\"\n"),
            "line 2 is not UTF-8: it has the byte 0xf6; save it as UTF-8"
        );
        assert!(message(&[0xff, 0xfe, 0x41]).contains("UTF-16"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = ConfigSource::load("no/such.toml").unwrap_err();
        assert!(
            error.to_string().starts_with("cannot read no/such.toml: "),
            "{error}"
        );
    }
}
