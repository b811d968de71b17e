//! Loads the data of an experiment, splits them, and checks that data, network and loss fit together.

use std::path::PathBuf;

use emberlab_datasets::{Samples, Splits, Standardizer};
use emberlab_menu::Problem;
use emberlab_training::{Split, Task};

use super::before_training::check_classes;
use crate::config::ExperimentConfig;
use crate::error::ExperimentError;

/// An experiment with its data, checked and ready to be put on a device.
pub struct Prepared {
    /// The experiment.
    pub config: ExperimentConfig,
    /// The data, in the memory of the CPU.
    pub samples: Samples,
    /// Which rows are used for training, validation and test.
    pub splits: Splits,
    /// How inputs are scaled.
    pub standardizer: Standardizer,
    /// The kind of prediction: classes or values.
    pub task: Task,
    /// The number of outputs of the network.
    pub d_output: usize,
}

impl Prepared {
    /// Loads the data of `config` from `data_dirs` and checks that data, network and loss fit together.
    ///
    /// # Errors
    /// [`ExperimentError::Dataset`] if the data are missing or damaged; [`ExperimentError::Config`] with the key to
    /// change if something does not fit.
    pub fn load(config: ExperimentConfig, data_dirs: &[PathBuf]) -> Result<Self, ExperimentError> {
        let samples = config.dataset.load(data_dirs, config.seed)?;
        let splits = config.split.split(&samples, config.seed);
        let splits = splits.map_err(|problem| problem.within("split"))?;
        let training = &config.training;
        let batches = training.batches().validate(splits.train.len());
        batches.map_err(|problem| problem.within("training"))?;
        let task = Task::infer(&samples.targets, &config.loss, config.model.d_output());
        if task.is_err() {
            // No loss fits data of one class.
            check_classes(&samples)?;
        }
        let (task, d_output) = task?;
        let names: Vec<&str> = task.metrics().iter().map(|m| m.name()).collect();
        Problem::unless(
            task.metrics().contains(&training.objective.metric),
            "training.objective.metric",
            training.objective.metric,
            format!(
                "one of `{}` for these targets and this loss",
                names.join("`, `")
            ),
        )?;
        Problem::unless(
            training.thresholds.is_empty() || matches!(task, Task::Binary { .. }),
            "training.thresholds",
            format!("{:?}", training.thresholds),
            "no thresholds, because they need two classes and a loss with one output",
        )?;
        let standardizer = Standardizer::fit(&config.standardize, &samples, &splits.train);
        Ok(Self {
            config,
            samples,
            splits,
            standardizer,
            task,
            d_output,
        })
    }

    /// The rows of a split.
    pub fn rows(&self, split: Split) -> &[u32] {
        match split {
            Split::Train => &self.splits.train,
            Split::Valid => &self.splits.valid,
            Split::Test => &self.splits.test,
        }
    }

    /// The split on which a network is evaluated: test if it has rows, else validation, else training.
    pub fn evaluation_split(&self) -> Split {
        let order = [Split::Test, Split::Valid];
        let found = order
            .into_iter()
            .find(|&split| !self.rows(split).is_empty());
        found.unwrap_or(Split::Train)
    }
}
