//! An error in a configuration, with its place in the text.

use crate::ConfigSource;
use crate::document::Document;
use crate::fault::backticked;
use crate::key_path::KeyPath;
use emberlab_menu::{Problem, nearest_name};
use std::fmt;
use std::ops::Range;

/// An error in a configuration: the message, the place in the text, and a suggestion.
///
/// It is displayed as one line, such as
/// ``moons.toml:4:14: unknown name `geluu` for `model.activation` (did you mean `gelu`?)``.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The message.
    pub message: String,
    /// The wrong key, such as `model.activation`.
    pub key: Option<String>,
    /// The place in the text, in bytes.
    pub span: Option<Range<usize>>,
    /// A suggestion, such as the nearest valid name.
    pub help: Option<String>,
    /// The text that `span` is a place of.
    pub source: Box<ConfigSource>,
}

impl ConfigError {
    /// An error about a whole source.
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
    /// If the key is not in the text, because its default is used, the place is the innermost table around it
    /// that is in the text.
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

    /// The error of a value that was refused after parsing.
    ///
    /// It has the place of the value in the text. If the problem expects "one of" several names in backticks, it
    /// suggests the nearest one.
    pub fn from_problem(source: &ConfigSource, problem: &Problem) -> Self {
        let error = Self::at_key(source, &problem.key, problem.to_string());
        let valid = problem.expected.strip_prefix("one of ").map(backticked);
        let near = valid.and_then(|valid| nearest_name(&problem.value, valid));
        match near {
            Some(near) => error.with_help(format!("did you mean `{near}`?")),
            None => error,
        }
    }

    /// The error with a suggestion.
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
    fn the_place_of_a_key_is_its_value() {
        assert_eq!(place("optimizer.learning_rate"), Some((4, 17)));
        assert_eq!(place("optimizer.sizes[1]"), Some((5, 15)));
        assert_eq!(place("model"), Some((7, 1)));
    }

    #[test]
    fn the_place_of_an_absent_key_is_its_table() {
        assert_eq!(place("optimizer.momentum"), Some((2, 1)));
        assert_eq!(place("optimizer.schedule.decay"), Some((2, 1)));
        assert_eq!(place("seed"), None);
        assert_eq!(place("no key"), None);
    }

    #[test]
    fn an_error_is_displayed_in_one_line() {
        let error = ConfigError::at_key(&source(), "optimizer.learning_rate", "must be positive");
        assert_eq!(
            error.with_help("0.01 is common").to_string(),
            "moons.toml:4:17: must be positive (0.01 is common)"
        );
        let whole = ConfigError::new(&source(), "is empty");
        assert_eq!(whole.to_string(), "moons.toml: is empty");
    }

    #[test]
    fn a_problem_gets_its_place_and_the_nearest_name() {
        let problem = Problem::new("optimizer.name", "sdg", "one of `sgd`, `adam`");
        let error = ConfigError::from_problem(&source(), &problem);
        assert_eq!(
            error.to_string(),
            "moons.toml:3:8: `optimizer.name` is sdg, expected one of `sgd`, `adam` (did you mean `sgd`?)"
        );
        let problem = Problem::new("optimizer.learning_rate", -1.0, "a positive number");
        assert_eq!(ConfigError::from_problem(&source(), &problem).help, None);
    }
}
