//! An experiment as written in TOML.

use emberlab_config_source::{ConfigError, ConfigSource, parse};
use emberlab_datasets::{DatasetConfig, SplitConfig, StandardizeConfig};
use emberlab_menu::Problem;
use emberlab_models::ModelConfig;
use emberlab_training::{
    CheckpointConfig, LossConfig, OptimizerConfig, SchedulerConfig, TrainingConfig,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::problem;
use crate::config::{Seeds, SweepConfig, Target, VariantConfig};

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
        match config.validate() {
            Ok(()) => Ok(config),
            Err(problem) => Err(ConfigError::from_problem(source, &problem)),
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

    /// Whether the networks of the two experiments can be trained together in one batched model: they are
    /// multilayer perceptrons, and the experiments differ only in seed and learning rate.
    pub(crate) fn can_be_batched_with(&self, other: &Self) -> bool {
        let without_seed_and_rate = |config: &Self| Self {
            seed: 0,
            optimizer: config.optimizer.with_learning_rate(0.0),
            ..config.clone()
        };
        let can_be_batched = match &self.model {
            ModelConfig::Perceptron(_) | ModelConfig::Mlp(_) => true,
            ModelConfig::Convnet(_) => false,
        };
        can_be_batched && without_seed_and_rate(self) == without_seed_and_rate(other)
    }

    /// Checks every value that can be checked without data.
    ///
    /// # Errors
    /// [`Problem`] with the first value that is out of its range.
    pub fn validate(&self) -> Result<(), Problem> {
        let is_plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        Problem::unless(
            self.name.chars().all(is_plain) && !self.name.starts_with('.'),
            "name",
            format!("\"{}\"", self.name),
            "letters, digits, `-`, `_` and `.`, not starting with `.`, because it names a folder",
        )?;
        problem::of_dataset(self.dataset.validate(), "dataset")?;
        problem::of_dataset(self.split.validate(), "split")?;
        problem::of_model(self.model.validate())?;
        problem::of_training(self.loss.validate())?;
        problem::of_training(self.optimizer.validate())?;
        problem::of_training(self.scheduler.validate())?;
        problem::of_training(self.training.validate())?;
        problem::of_training(self.checkpoint.validate())?;
        match &self.sweep {
            Some(sweep) => sweep.validate(),
            None => Ok(()),
        }
    }

    /// The whole experiment, every default written out, as TOML.
    ///
    /// # Errors
    /// [`toml::ser::Error`] if a number has no TOML form.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }
}
