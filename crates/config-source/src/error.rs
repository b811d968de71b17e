//! What is wrong in a configuration, and where.

use crate::ConfigSource;
use crate::document::Document;
use crate::key_path::KeyPath;
use std::fmt;
use std::ops::Range;

/// What is wrong in a configuration, where, and what might be meant.
///
/// Its display is one line, such as
/// ``moons.toml:4:14: unknown name `geluu` for `model.activation` (did you mean `gelu`?)``.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// What is wrong.
    pub message: String,
    /// The key it is about, such as `model.activation`.
    pub key: Option<String>,
    /// The place in the text, in bytes.
    pub span: Option<Range<usize>>,
    /// What might be meant, or what is valid.
    pub help: Option<String>,
    /// The text that the span is a place of.
    pub source: Box<ConfigSource>,
}

impl ConfigError {
    /// An error about the whole of a source.
    pub fn new(source: &ConfigSource, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            key: None,
            span: None,
            help: None,
            source: Box::new(source.clone()),
        }
    }

    /// An error about the value of a key such as `optimizer.learning_rate` or `model.hidden[1]`.
    ///
    /// For what is found after parsing. If the key is not in the text, being left to its default, the
    /// place is that of the nearest table that is.
    pub fn at_key(source: &ConfigSource, key: &str, message: impl Into<String>) -> Self {
        let document = Document::parse(&source.text).ok();
        let place = document.and_then(|document| {
            let mut ancestors = std::iter::successors(KeyPath::parse(key), KeyPath::parent);
            ancestors.find_map(|path| document.value_span(&path))
        });
        Self {
            key: Some(key.to_owned()),
            span: place,
            ..Self::new(source, message)
        }
    }

    /// The error with a hint.
    pub fn with_help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }

    /// Line and column of the place, counted from 1, the column in characters.
    pub fn line_column(&self) -> Option<(usize, usize)> {
        let before = self.source.text.get(..self.span.as_ref()?.start)?;
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Some((
            before.matches('\n').count() + 1,
            before[line_start..].chars().count() + 1,
        ))
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.source.name)?;
        if let Some((line, column)) = self.line_column() {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> ConfigSource {
        ConfigSource {
            name: "moons.toml".into(),
            text: "# größer\n[optimizer]\nname = 'sgd'\nlearning_rate = -1.0\nsizes = ['ü', 2]\n\n[model]\n"
                .into(),
        }
    }

    fn place(key: &str) -> Option<(usize, usize)> {
        ConfigError::at_key(&source(), key, "wrong").line_column()
    }

    #[test]
    fn a_key_is_found_where_its_value_stands() {
        assert_eq!(place("optimizer.learning_rate"), Some((4, 17)));
        assert_eq!(place("optimizer.sizes[1]"), Some((5, 15)));
        assert_eq!(place("model"), Some((7, 1)));
    }

    #[test]
    fn a_key_left_out_is_placed_at_its_table() {
        assert_eq!(place("optimizer.momentum"), Some((2, 1)));
        assert_eq!(place("optimizer.schedule.decay"), Some((2, 1)));
        assert_eq!(place("seed"), None);
        assert_eq!(place("no key"), None);
    }

    #[test]
    fn the_display_is_one_line() {
        let error = ConfigError::at_key(&source(), "optimizer.learning_rate", "must be positive");
        assert_eq!(
            error.with_help("0.01 is common").to_string(),
            "moons.toml:4:17: must be positive (0.01 is common)"
        );
        let whole = ConfigError::new(&source(), "is empty");
        assert_eq!(whole.to_string(), "moons.toml: is empty");
    }
}
