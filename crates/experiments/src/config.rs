//! An experiment as written in TOML.

use emberlab_config_source::{ConfigError, ConfigSource, parse};
use emberlab_datasets::{DatasetConfig, DatasetError, SplitConfig, StandardizeConfig};
use emberlab_models::{ModelConfig, ModelError};
use emberlab_training::{
    CheckpointConfig, LossConfig, OptimizerConfig, SchedulerConfig, TrainingConfig, TrainingError,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sweep::{Seeds, SweepConfig, Target, VariantConfig};

/// An experiment: data, network, loss and how it is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExperimentConfig {
    /// The folder its runs go to, below the artifacts folder; the file's name when absent.
    #[serde(default)]
    pub name: String,
    /// The seed of everything random: data, split, weights, order of batches.
    #[serde(default)]
    pub seed: u64,
    /// What to learn from.
    pub dataset: DatasetConfig,
    /// Which rows train, validate and test.
    #[serde(default)]
    pub split: SplitConfig,
    /// How inputs are scaled.
    #[serde(default)]
    pub standardize: StandardizeConfig,
    /// The network.
    pub model: ModelConfig,
    /// What it minimises.
    pub loss: LossConfig,
    /// How it descends.
    pub optimizer: OptimizerConfig,
    /// How the learning rate changes.
    #[serde(default)]
    pub scheduler: SchedulerConfig,
    /// How long, in which pieces.
    pub training: TrainingConfig,
    /// When it is saved.
    #[serde(default)]
    pub checkpoint: CheckpointConfig,
    /// Compare: a number of seeds (from 0 on), or a list of them, that each variant is trained with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seeds: Option<Seeds>,
    /// Compare: parts of a cross-validation that each variant and seed is trained on; at least 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_folds: Option<usize>,
    /// Compare: keys with the values they take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<SweepConfig>,
    /// Compare: variants that no axis can say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<VariantConfig>,
    /// Compare: a figure whose epoch is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// Compare: epochs at which every metric is tabled, besides the last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at_epochs: Vec<usize>,
}

/// A value that is of the right type but not acceptable, and the key it stands at.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The dotted key, such as `optimizer.learning_rate`.
    pub key: String,
    /// What is wrong, with the value.
    pub message: String,
}

impl ExperimentConfig {
    /// Reads an experiment and checks every value that can be checked without data.
    ///
    /// # Errors
    /// [`ConfigError`] with the place in the file.
    pub fn from_source(source: &ConfigSource) -> Result<Self, ConfigError> {
        let mut config: Self = parse(source)?;
        if config.name.is_empty() {
            config.name = source.stem();
        }
        match config.problem() {
            None => Ok(config),
            Some(Problem { key, message }) => Err(ConfigError::at_key(source, &key, message)),
        }
    }

    /// The experiment without what only a comparison looks at: what one training is.
    pub fn alone(self) -> Self {
        Self {
            seeds: None,
            num_folds: None,
            sweep: None,
            variants: Vec::new(),
            target: None,
            at_epochs: Vec::new(),
            ..self
        }
    }

    /// Whether the two can train as one program: multilayer perceptrons that differ in seed and learning
    /// rate alone.
    pub(crate) fn differs_in_seed_and_rate_alone(&self, other: &Self) -> bool {
        let without = |config: &Self| Self {
            seed: 0,
            optimizer: config.optimizer.with_learning_rate(0.0),
            ..config.clone()
        };
        !matches!(self.model, ModelConfig::Convnet(_)) && without(self) == without(other)
    }

    /// The first value that is out of its range, if any.
    pub fn problem(&self) -> Option<Problem> {
        let is_plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        if !self.name.chars().all(is_plain) || self.name.starts_with('.') {
            return Some(Problem {
                key: "name".to_string(),
                message: format!(
                    "`name` is \"{}\", but it names a folder: use letters, digits, `-`, `_` and `.`",
                    self.name
                ),
            });
        }
        let training = || {
            self.loss.validate()?;
            self.optimizer.validate()?;
            self.scheduler.validate()?;
            self.training.validate()?;
            self.checkpoint.validate()
        };
        let dataset = self.dataset.validate().err();
        let split = self.split.validate().err();
        let model = self.model.validate().err();
        dataset
            .map(|e| dataset_problem(&e, "dataset"))
            .or_else(|| split.map(|e| dataset_problem(&e, "split")))
            .or_else(|| model.map(|e| model_problem(&e)))
            .or_else(|| training().err().map(|e| training_problem(&e)))
            .or_else(|| self.sweep.as_ref().and_then(SweepConfig::problem))
    }

    /// The whole experiment, every default written out, as TOML.
    ///
    /// # Errors
    /// [`toml::ser::Error`] if a number has no TOML form.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }
}

/// Where a data set's complaint stands in the file.
pub(crate) fn dataset_problem(error: &DatasetError, table: &str) -> Problem {
    let key = match error {
        DatasetError::Value { key, .. } if key.contains('.') => (*key).to_string(),
        DatasetError::Value { key, .. } => format!("{table}.{key}"),
        _ => table.to_string(),
    };
    Problem {
        key,
        message: error.to_string(),
    }
}

/// Where a model's complaint stands in the file.
pub(crate) fn model_problem(error: &ModelError) -> Problem {
    let key = match error {
        ModelError::Value { key, .. } => format!("model.{key}"),
        _ => "model".to_string(),
    };
    Problem {
        key,
        message: error.to_string(),
    }
}

/// Where a training's complaint stands in the file.
pub(crate) fn training_problem(error: &TrainingError) -> Problem {
    let key = match error {
        TrainingError::Value { key, .. } | TrainingError::Mismatch { key, .. } => key.clone(),
        _ => "training".to_string(),
    };
    Problem {
        key,
        message: error.to_string(),
    }
}
