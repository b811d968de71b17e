//! The configuration of an experiment, as written in TOML.

use std::path::{Path, PathBuf};

use emberlab_config_source::{ConfigError, ConfigSource, parse_with_keys, with_short_numbers};
use emberlab_datasets::{DatasetConfig, SplitConfig, StandardizeConfig};
use emberlab_menu::Problem;
use emberlab_models::ModelConfig;
use emberlab_training::inspection::InspectConfig;
use emberlab_training::{
    CheckpointConfig, LossConfig, OptimizerConfig, SchedulerConfig, TrainingConfig,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::all_keys::all_keys;
use crate::config::folder_name::{RULE, folder_name_of, is_folder_name};
use crate::config::{Seeds, SweepConfig, Target, VariantConfig};
use crate::error::ExperimentError;

/// An experiment: the data, the network, the loss, and how the network is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExperimentConfig {
    /// The name of the experiment, and of the folder of its runs inside the artifacts folder. If absent, it is the
    /// name of the file.
    #[serde(default)]
    pub name: String,
    /// The seed of everything random: data, splits, initial weights and the order of batches.
    #[serde(default)]
    pub seed: u64,
    /// The features that the network takes, each a column of the data by its name, or a formula of columns such as
    /// "x1^2", "x1*x2" or "sin(x1)"; not for images (default: all columns).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<Vec<String>>,
    /// The data set.
    pub dataset: DatasetConfig,
    /// The rows for training, validation and test.
    #[serde(default)]
    pub split: SplitConfig,
    /// How inputs are scaled.
    #[serde(default)]
    pub standardize: StandardizeConfig,
    /// The network.
    pub model: ModelConfig,
    /// The loss that the training minimises.
    pub loss: LossConfig,
    /// The optimiser.
    pub optimizer: OptimizerConfig,
    /// How the learning rate changes during the training.
    #[serde(default)]
    pub scheduler: SchedulerConfig,
    /// How long to train, and in which batches.
    pub training: TrainingConfig,
    /// When checkpoints are saved.
    #[serde(default)]
    pub checkpoint: CheckpointConfig,
    /// When the layers are recorded, so that the report can show them. If it is absent, `train` records them about
    /// fifteen times, and `compare` never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inspect: Option<InspectConfig>,
    /// For `compare`: the number of seeds (from 0 on), or a list of seeds, that each variant is trained with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seeds: Option<Seeds>,
    /// For `compare`: the number of folds of a cross-validation, at least 2. Each variant is trained with every seed on
    /// every fold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_folds: Option<usize>,
    /// For `compare`: keys with the values that they take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<SweepConfig>,
    /// For `compare`: variants that change several keys at once. Each is trained with every combination of the sweep.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<VariantConfig>,
    /// For `compare`: a value of a metric; the epochs that each trial needs to reach it are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// For `compare`: epochs at which every metric is shown in a table, besides the last epoch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at_epochs: Vec<usize>,
}

impl ExperimentConfig {
    /// Reads an experiment and checks every value that can be checked without data.
    ///
    /// # Errors
    /// [`ConfigError`] with the place in the file.
    pub fn from_source(source: &ConfigSource) -> Result<Self, ConfigError> {
        let mut config: Self = parse_with_keys(source, all_keys)?;
        if config.name.is_empty() {
            config.name = folder_name_of(&source.stem());
        }
        match config.validate() {
            Ok(()) => Ok(config),
            Err(problem) => Err(ConfigError::from_problem(source, &problem)),
        }
    }

    /// Checks that `path`, which `option` of the command line gives, is not inside a folder of images that is learnt.
    ///
    /// # Errors
    /// [`ExperimentError::InsideData`].
    pub fn check_outside_data(
        &self,
        path: &Path,
        option: &'static str,
    ) -> Result<(), ExperimentError> {
        let mut dataset = self.dataset.clone();
        let Some(data) = dataset.own_path().filter(|data| data.is_dir()) else {
            return Ok(());
        };
        match real(path).starts_with(real(data)) {
            false => Ok(()),
            true => Err(ExperimentError::InsideData {
                path: path.to_path_buf(),
                data: data.clone(),
                option,
            }),
        }
    }

    /// The keys that only a comparison uses, of those that are set.
    pub fn comparison_keys(&self) -> Vec<&'static str> {
        let keys = [
            ("seeds", self.seeds.is_some()),
            ("num_folds", self.num_folds.is_some()),
            ("sweep", self.sweep.is_some()),
            ("variants", !self.variants.is_empty()),
            ("target", self.target.is_some()),
            ("at_epochs", !self.at_epochs.is_empty()),
        ];
        let set = keys.into_iter().filter(|(_, is_set)| *is_set);
        set.map(|(key, _)| key).collect()
    }

    /// The experiment without the keys of a comparison: the configuration of one training, which computes the metric of
    /// the target.
    pub fn without_comparison(mut self) -> Self {
        if let Some(Target { metric, .. }) = self.target
            && metric.is_on_request()
            && !self.training.metrics.contains(&metric)
        {
            self.training.metrics.push(metric);
        }
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

    /// The experiment as `train` begins it: its layers are recorded, unless the configuration says otherwise.
    pub fn with_inspection(mut self) -> Self {
        let num_epochs = self.training.num_epochs;
        self.inspect
            .get_or_insert_with(|| InspectConfig::default_for(num_epochs));
        self
    }

    /// A key of everything that decides whether data, network and loss fit together. Of several experiments with the
    /// same key, it is enough to check one.
    ///
    /// # Errors
    /// [`serde_json::Error`] if a number cannot be written as JSON.
    pub fn check_key(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&(
            (&self.dataset, &self.features),
            (&self.split, &self.standardize, self.seed),
            (&self.model, &self.loss, &self.training),
            self.scheduler.metric(),
        ))
    }

    /// The kind of experiments whose networks can be trained together with this one in one batched model: they differ
    /// only in seed and learning rate. `None` if there are no batched models of this network, if its optimiser searches
    /// along lines, or if targets are standardised, because their scale then differs from split to split.
    pub(crate) fn batch_key(&self) -> Option<String> {
        let is_alone = !self.model.can_be_batched() || self.optimizer.rule.searches();
        if is_alone || self.standardize.targets {
            return None;
        }
        let without_seed_and_rate = Self {
            seed: 0,
            optimizer: self.optimizer.with_learning_rate(0.0),
            ..self.clone()
        };
        // An experiment that cannot be written as JSON trains alone.
        serde_json::to_string(&without_seed_and_rate).ok()
    }

    /// Checks every value that can be checked without data.
    ///
    /// # Errors
    /// [`Problem`] with the first value that is out of its range.
    pub fn validate(&self) -> Result<(), Problem> {
        Problem::unless(
            is_folder_name(&self.name),
            "name",
            format!("\"{}\"", self.name),
            format!("{RULE}; `{}` would do", folder_name_of(&self.name)),
        )?;
        let in_table = |table: &'static str| move |problem: Problem| problem.within(table);
        self.dataset.validate().map_err(in_table("dataset"))?;
        self.split.validate().map_err(in_table("split"))?;
        self.model.validate().map_err(in_table("model"))?;
        self.loss.validate()?;
        self.optimizer.validate()?;
        self.scheduler.validate()?;
        self.training.validate()?;
        self.checkpoint.validate()?;
        self.inspect
            .as_ref()
            .map_or(Ok(()), InspectConfig::validate)?;
        if let Some(num_folds) = self.num_folds {
            Problem::unless(num_folds >= 2, "num_folds", num_folds, "at least 2")?;
            Problem::unless(
                self.split.train.is_none(),
                "num_folds",
                num_folds,
                "left out when `split.train` is given: only one of them can decide",
            )?;
        }
        self.sweep.as_ref().map_or(Ok(()), SweepConfig::validate)?;
        let mut variants = self.variants.iter().enumerate();
        variants.try_for_each(|(index, variant)| variant.validate(index))?;
        self.target.as_ref().map_or(Ok(()), Target::validate)?;
        let is_none = |&epoch: &usize| epoch == 0;
        let epochs = format!("{:?}", self.at_epochs);
        Problem::unless(
            !self.at_epochs.iter().any(is_none),
            "at_epochs",
            epochs,
            "epochs from 1 on",
        )
    }

    /// The whole experiment as TOML, with every default written out.
    ///
    /// # Errors
    /// [`toml::ser::Error`] if a number cannot be written as TOML.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        Ok(with_short_numbers(toml::to_string(self)?))
    }
}

/// A path without links, also if its end does not exist yet.
fn real(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let resolved = absolute.ancestors().find_map(|existing| {
        let rest = absolute.strip_prefix(existing).ok()?;
        Some(existing.canonicalize().ok()?.join(rest))
    });
    resolved.unwrap_or(absolute)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn files_of_the_lab_are_never_among_images() {
        let folder = tempfile::tempdir().unwrap();
        let pets = folder.path().join("pets");
        std::fs::create_dir_all(pets.join("cats")).unwrap();
        let text = format!(
            r#"
            dataset = {{ name = "image_folder", path = {pets:?}, width = 4, height = 4 }}
            model = {{ name = "mlp", hidden = [4] }}
            loss = {{ name = "cross_entropy" }}
            optimizer = {{ name = "adam", learning_rate = 0.01 }}
            training = {{ num_epochs = 1 }}
            "#
        );
        let source = ConfigSource::new("pets.toml", text);
        let config = ExperimentConfig::from_source(&source).unwrap();
        let check = |path: &Path| config.check_outside_data(path, "--artifacts");
        for inside in ["artifacts", ".", "cats/../runs", "a/b/c"] {
            let message = check(&pets.join(inside)).unwrap_err().to_string();
            assert!(message.contains("`--artifacts`"), "{message}");
        }
        for outside in ["../artifacts", "../petshop"] {
            check(&pets.join(outside)).unwrap();
        }
        check(folder.path()).unwrap();
    }
}
