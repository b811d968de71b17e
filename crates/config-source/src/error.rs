//! An error in a configuration, with its place in the text.

use crate::ConfigSource;
use crate::fault::backticked;
use crate::key_path::KeyPath;
use crate::source::Part;
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
    /// The place is the last override that sets the value, else the file. If neither has the key, because its default
    /// is used, the place is the innermost table around it. If overrides set single keys of a table, the place is the
    /// last of them: without overrides, the file would most likely be valid.
    pub fn at_key(source: &ConfigSource, key: &str, message: impl Into<String>) -> Self {
        let error = Self {
            key: Some(key.to_owned()),
            ..Self::new(source, message)
        };
        match KeyPath::parse(key) {
            Some(path) => match source.place_inside(&path, Part::Value) {
                Some(place) => error.placed(place),
                None => error.placed(source.place(&path, Part::Value)),
            },
            None => error,
        }
    }

    /// The error at a place in another text.
    pub(crate) fn placed(self, (source, span): (ConfigSource, Option<Range<usize>>)) -> Self {
        Self {
            span,
            source: Box::new(source),
            ..self
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
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn source() -> ConfigSource {
        ConfigSource::new(
            "moons.toml",
            "# größer\n[optimizer]\nname = 'sgd'\nlearning_rate = -1.0\nsizes = ['ü', 2]\n\n[model]\n",
        )
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

    /// The error about a key after these overrides, as one line, and the marked text.
    fn after(overrides: &[&str], key: &str) -> (String, String) {
        let overrides: Vec<String> = overrides.iter().map(ToString::to_string).collect();
        let source = source().with_overrides(&overrides).unwrap();
        let error = ConfigError::at_key(&source, key, "wrong");
        let marked = error.source.text[error.span.clone().unwrap()].to_string();
        (error.to_string(), marked)
    }

    #[test]
    fn a_value_of_an_override_is_marked_in_the_override() {
        let said = |line: &str, marked: &str| (line.to_string(), marked.to_string());
        assert_eq!(
            after(&["optimizer.learning_rate = -2"], "optimizer.learning_rate"),
            said("--set:1:27: wrong", "-2")
        );
        assert_eq!(
            after(&["optimizer.name=sdg"], "optimizer.name"),
            said("--set:1:16: wrong", "sdg")
        );
        assert_eq!(
            after(&["optimizer.sizes=[1, -2]"], "optimizer.sizes[1]"),
            said("--set:1:21: wrong", "-2")
        );
        assert_eq!(
            after(
                &["optimizer={ name = 'sgd', momentum = 9 }"],
                "optimizer.momentum"
            ),
            said("--set:1:38: wrong", "9")
        );
    }

    #[test]
    fn the_last_of_several_overrides_is_marked() {
        let (line, marked) = after(&["seed=1", "seed=2", "model.a=3"], "seed");
        assert_eq!((line.as_str(), marked.as_str()), ("--set:1:6: wrong", "2"));
        let (_, marked) = after(&["optimizer.sizes=[1]"], "optimizer");
        assert_eq!(marked, "[1]");
    }

    #[test]
    fn the_rest_of_the_file_is_marked_where_the_user_wrote_it() {
        // The first override makes the line before it longer, and adds a key.
        let overrides = ["optimizer.name='rmsprop'", "optimizer.momentum=0.5"];
        let (line, marked) = after(&overrides, "optimizer.learning_rate");
        assert_eq!(line, "moons.toml:4:17: wrong");
        assert_eq!(marked, "-1.0");
    }

    #[test]
    fn an_override_that_is_no_part_of_the_command_line_is_named() {
        let changes = ["optimizer.name=sdg".to_string()];
        let source = source()
            .with_overrides_from("variant sdg", &changes)
            .unwrap();
        let error = ConfigError::at_key(&source, "optimizer.name", "wrong");
        assert_eq!(error.to_string(), "variant sdg:1:16: wrong");
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
