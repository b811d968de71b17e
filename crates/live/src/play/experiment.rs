//! The text of the experiment, changed key by key, within limits.

use std::path::PathBuf;

use emberlab_config_source::{ConfigError, ConfigSource};
use emberlab_experiments::{ExperimentConfig, ExperimentError};
use emberlab_menu::Problem;
use serde_json::Value;

use crate::message::Change;

/// The most units of a layer, or channels of a convolution.
const MOST_UNITS: u64 = 4096;
/// The most layers, or entries of any other list of the network.
const MOST_LAYERS: usize = 64;
/// The most samples of a generator.
const MOST_SAMPLES: u64 = 1_000_000;
/// The most epochs.
const MOST_EPOCHS: usize = 100_000;

/// An experiment as TOML text, and the configuration in it.
#[derive(Debug, Clone)]
pub struct Experiment {
    source: ConfigSource,
    config: ExperimentConfig,
    /// Files of the user's own that it may read: those of the command line, and those that a browser sent.
    own_files: Vec<PathBuf>,
}

impl Experiment {
    /// The experiment in a text. Of the user's own files, it may read the one that the text names.
    ///
    /// # Errors
    /// [`ConfigError`] with the place in the text.
    pub fn new(source: ConfigSource) -> Result<Self, ConfigError> {
        let mut config = ExperimentConfig::from_source(&source)?;
        let own_files = config.dataset.own_path().cloned().into_iter().collect();
        Ok(Self {
            source,
            config,
            own_files,
        })
    }

    /// The configuration in the text.
    pub(crate) fn config(&self) -> &ExperimentConfig {
        &self.config
    }

    /// The text.
    pub(crate) fn text(&self) -> &str {
        &self.source.text
    }

    /// The error with its place in the text.
    pub(crate) fn placed(&self, error: ExperimentError) -> ExperimentError {
        error.with_place(&self.source)
    }

    /// The experiment in another text. It may read the same files, and `file`.
    ///
    /// # Errors
    /// [`ConfigError`] if the text is wrong, or larger than a playground takes.
    pub(crate) fn load(&self, text: &str, file: Option<PathBuf>) -> Result<Self, ConfigError> {
        let source = ConfigSource::new("playground.toml", text);
        let mut own_files = self.own_files.clone();
        own_files.extend(file);
        Self::checked(source, own_files)
    }

    /// The text with some keys changed.
    ///
    /// # Errors
    /// As for [`load`](Self::load).
    pub(crate) fn change(&self, changes: &[Change]) -> Result<Self, ConfigError> {
        let mut source = ConfigSource::new(&self.source.name, &self.source.text);
        for change in changes {
            source = match change.assignment() {
                Some(assignment) => source.with_overrides_from("the page", &[assignment])?,
                None => source.without(&[&change.key])?,
            };
        }
        Self::checked(source, self.own_files.clone())
    }

    fn checked(source: ConfigSource, own_files: Vec<PathBuf>) -> Result<Self, ConfigError> {
        let mut config = ExperimentConfig::from_source(&source)?;
        check_size(&config)
            .and_then(|()| check_file(&mut config, &own_files))
            .map_err(|problem| ConfigError::from_problem(&source, &problem))?;
        Ok(Self {
            source,
            config,
            own_files,
        })
    }
}

/// Refuses an experiment that would keep the machine busy for long, or take all of its memory.
fn check_size(config: &ExperimentConfig) -> Result<(), Problem> {
    let epochs = config.training.num_epochs;
    Problem::unless(
        epochs <= MOST_EPOCHS,
        "training.num_epochs",
        epochs,
        format!("at most {MOST_EPOCHS} epochs in a playground"),
    )?;
    let parts = [
        ("model", serde_json::to_value(&config.model), MOST_UNITS),
        (
            "dataset",
            serde_json::to_value(&config.dataset),
            MOST_SAMPLES,
        ),
    ];
    for (table, values, most) in parts {
        let Ok(values) = values else { continue };
        if let Some((key, found)) = too_large(&values, most) {
            let expected = format!("at most {most} in a playground");
            return Err(Problem::new(format!("{table}.{key}"), found, expected));
        }
    }
    let lists = serde_json::to_value(&config.model).unwrap_or_default();
    let lists = lists.as_object().into_iter().flatten();
    for (key, value) in lists {
        let length = value.as_array().map_or(0, Vec::len);
        let expected = format!("at most {MOST_LAYERS} entries in a playground");
        Problem::unless(
            length <= MOST_LAYERS,
            format!("model.{key}"),
            length,
            expected,
        )?;
    }
    Ok(())
}

/// The first whole number in a table that is larger than `most`, with its key. Seeds may be of any size.
fn too_large(values: &Value, most: u64) -> Option<(String, u64)> {
    let table = values.as_object()?;
    table
        .iter()
        .filter(|(key, _)| *key != "seed")
        .find_map(|(key, value)| {
            let numbers: Vec<&Value> = match value {
                Value::Array(list) => list.iter().collect(),
                value => vec![value],
            };
            let large = numbers
                .into_iter()
                .filter_map(Value::as_u64)
                .find(|n| *n > most);
            large.map(|n| (key.clone(), n))
        })
}

/// Refuses files that neither the command line named nor a browser sent: a page must not read other files of the
/// machine.
fn check_file(config: &mut ExperimentConfig, own_files: &[PathBuf]) -> Result<(), Problem> {
    let Some(path) = config.dataset.own_path() else {
        return Ok(());
    };
    Problem::unless(
        own_files.contains(path),
        "dataset.path",
        path.display(),
        "a file that is dropped on the page, or that the command line names",
    )
}

impl Change {
    /// The change as `--set` takes it; none if it removes the key.
    fn assignment(&self) -> Option<String> {
        let value = match &self.value {
            Value::Null => return None,
            value => toml::Value::try_from(without_nulls(value)).ok()?,
        };
        Some(format!("{}={value}", self.key))
    }

    /// The change that a text of the form `key = value` describes, as remedies are written.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (key, _) = text.split_once('=')?;
        let key = key.trim();
        let is_key = |key: &str| {
            key.contains('.')
                && key
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b"._".contains(&b))
        };
        let table: toml::Table = text.parse().ok().filter(|_| is_key(key))?;
        let table = toml::Value::Table(table);
        let value = key
            .split('.')
            .try_fold(&table, |value, part| value.get(part));
        let value = serde_json::to_value(value?).ok()?;
        Some(Self {
            key: key.to_string(),
            value,
        })
    }
}

/// A value without the keys that are `null`, which TOML does not have.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(table) => {
            let kept = table.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(k, v)| (k.clone(), without_nulls(v))).collect())
        }
        Value::Array(list) => Value::Array(list.iter().map(without_nulls).collect()),
        value => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn moons() -> Experiment {
        let text = include_str!("../../../../configs/train/moons.toml");
        Experiment::new(ConfigSource::new("moons.toml", text)).unwrap()
    }

    fn change(key: &str, value: Value) -> Result<Experiment, ConfigError> {
        moons().change(&[Change {
            key: key.to_string(),
            value,
        }])
    }

    #[test]
    fn a_change_keeps_the_other_keys_and_their_comments() {
        let changed = change("optimizer.learning_rate", 0.25.into()).unwrap();
        assert_eq!(changed.config().optimizer.learning_rate, 0.25);
        assert!(changed.text().contains('#'), "{}", changed.text());
        assert_eq!(changed.config().model, moons().config().model);
        let hidden = change("model.hidden", serde_json::json!([3, 2])).unwrap();
        assert!(hidden.text().contains("[3, 2]"), "{}", hidden.text());
    }

    #[test]
    fn null_removes_a_key() {
        let with = moons().change(&[Change {
            key: "training.penalty".to_string(),
            value: serde_json::json!({ "l2": 0.1, "l1": null }),
        }]);
        let with = with.unwrap();
        assert!(with.text().contains("penalty"));
        let without = with.change(&[Change {
            key: "training.penalty".to_string(),
            value: Value::Null,
        }]);
        assert!(!without.unwrap().text().contains("penalty"));
    }

    #[test]
    fn a_wrong_value_is_named_with_the_nearest_valid_one() {
        let error = change("model.activation", "rellu".into()).unwrap_err();
        assert!(error.to_string().contains("relu"), "{error}");
    }

    #[test]
    fn what_would_fill_the_memory_is_refused() {
        for (key, value) in [
            ("model.hidden", serde_json::json!([5000])),
            ("model.hidden", serde_json::json!(vec![1; 65])),
            ("training.num_epochs", 1_000_000_000.into()),
        ] {
            let error = change(key, value).unwrap_err();
            assert!(error.to_string().contains("playground"), "{error}");
        }
    }

    #[test]
    fn files_that_nobody_named_are_not_read() {
        let table = serde_json::json!({ "name": "csv", "path": "/etc/passwd", "label": "x" });
        let error = change("dataset", table).unwrap_err();
        assert!(error.to_string().contains("dropped on the page"), "{error}");
    }

    #[test]
    fn a_remedy_in_words_becomes_a_change() {
        let clip = Change::parse("training.gradient_clipping = { norm = 1.0 }").unwrap();
        assert_eq!(clip.key, "training.gradient_clipping");
        assert_eq!(clip.value, serde_json::json!({ "norm": 1.0 }));
        assert_eq!(Change::parse("emberlab find-lr"), None);
        assert_eq!(Change::parse("optimizer.learning_rate"), None);
    }
}
