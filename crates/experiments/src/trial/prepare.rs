//! An experiment with its data loaded, split and checked against the network.

use std::path::PathBuf;

use burn::tensor::Device;
use emberlab_analysis::Classifier;
use emberlab_datasets::{
    Batch, BatchConfig, BatchSize, Batches, DeviceDataset, Samples, Splits, Standardizer,
    StatisticsFrom,
};
use emberlab_menu::Problem;
use emberlab_models::Network;
use emberlab_rng::stream;
use emberlab_training::{Split, SplitData, Task};

use crate::config::ExperimentConfig;
use crate::error::ExperimentError;

/// An experiment that can train: everything that can be checked beforehand has been.
pub struct Prepared {
    /// The experiment.
    pub config: ExperimentConfig,
    /// The data on the host.
    pub samples: Samples,
    /// Which rows train, validate and test.
    pub splits: Splits,
    /// How inputs are scaled.
    pub standardizer: Standardizer,
    /// What is predicted.
    pub task: Task,
    /// Width of the network's output.
    pub d_output: usize,
    /// What the user should know but may well have meant.
    pub warnings: Vec<String>,
}

impl Prepared {
    /// Loads the data of `config` from `data_dirs` and checks that data, network and loss fit together.
    ///
    /// # Errors
    /// [`ExperimentError::Dataset`] if the data are missing or broken; [`ExperimentError::Config`] with the
    /// key to change if something does not fit.
    pub fn load(config: ExperimentConfig, data_dirs: &[PathBuf]) -> Result<Self, ExperimentError> {
        let samples = config.dataset.load(data_dirs, config.seed)?;
        let splits = config.split.split(&samples, config.seed);
        let splits = splits.map_err(|problem| problem.within("split"))?;
        let training = &config.training;
        let batches = training.batches().validate(splits.train.len());
        batches.map_err(|problem| problem.within("training"))?;
        let (task, d_output) =
            Task::infer(&samples.targets, &config.loss, config.model.d_output())?;
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
        let warnings = warnings(&config, &samples, &splits);
        Ok(Self {
            config,
            samples,
            splits,
            standardizer,
            task,
            d_output,
            warnings,
        })
    }

    /// The network before its first step, drawn on the host from the seed.
    ///
    /// # Errors
    /// [`ExperimentError::Config`] if the network cannot take these inputs.
    pub fn init_network(&self, device: &Device) -> Result<Network, ExperimentError> {
        let mut rng = stream(self.config.seed, "init", &[]);
        let dtype = self.config.training.precision.dtype();
        let shape = &self.samples.input_shape;
        let model = &self.config.model;
        Ok(model.init(shape, self.d_output, &mut rng, device, dtype)?)
    }

    /// Networks like this that a program of many may hold before a processor's caches no longer hold what it
    /// works on: measured, each takes longer in a larger one.
    pub fn networks_per_program(&self, network: &Network) -> usize {
        const NUMBERS: usize = 192 * 1024;
        let num_train = self.splits.train.len();
        let batch_size = match self.config.training.batches().batch_size {
            BatchSize::Full => num_train,
            BatchSize::Size(size) => size.min(num_train),
        };
        let numbers = batch_size.saturating_mul(network.widest());
        (NUMBERS / numbers.max(1)).max(1)
    }

    /// The rows of a split.
    pub fn rows(&self, split: Split) -> &[u32] {
        match split {
            Split::Train => &self.splits.train,
            Split::Valid => &self.splits.valid,
            Split::Test => &self.splits.test,
        }
    }

    /// A network of this experiment with what its predictions depend on.
    pub fn classifier<'a>(&'a self, network: &'a Network, device: &'a Device) -> Classifier<'a> {
        Classifier {
            network,
            loss: &self.config.loss,
            task: &self.task,
            standardizer: &self.standardizer,
            device,
            dtype: self.config.training.precision.dtype(),
        }
    }

    /// The split that judges a network: test where it has rows, else validation, else training.
    pub fn judge(&self) -> Split {
        let order = [Split::Test, Split::Valid];
        let found = order
            .into_iter()
            .find(|&split| !self.rows(split).is_empty());
        found.unwrap_or(Split::Train)
    }

    /// Puts a split on the device; none if it has no rows.
    ///
    /// # Errors
    /// [`ExperimentError::Dataset`] if the targets cannot be laid out for the task.
    pub fn upload(
        &self,
        split: Split,
        device: &Device,
    ) -> Result<Option<DeviceDataset>, ExperimentError> {
        let rows = self.rows(split);
        let encoding = self.task.encoding(self.d_output);
        let dtype = self.config.training.precision.dtype();
        if rows.is_empty() {
            return Ok(None);
        }
        let (samples, standardizer) = (&self.samples, &self.standardizer);
        let device_dataset =
            DeviceDataset::upload(samples, rows, standardizer, encoding, device, dtype)?;
        Ok(Some(device_dataset))
    }

    /// Puts the training split on the device.
    ///
    /// # Errors
    /// [`ExperimentError::Config`] if it has no rows.
    pub fn upload_train(&self, device: &Device) -> Result<DeviceDataset, ExperimentError> {
        let train = self.upload(Split::Train, device)?;
        train.ok_or_else(no_training_rows)
    }

    /// The first rows of the training split, `limit` at most, as one batch.
    ///
    /// # Errors
    /// [`ExperimentError::Dataset`] if there are none, or the targets cannot be laid out for the task.
    pub fn first_of_train(&self, limit: usize, device: &Device) -> Result<Batch, ExperimentError> {
        let rows = &self.splits.train[..limit.min(self.splits.train.len())];
        let encoding = self.task.encoding(self.d_output);
        let dtype = self.config.training.precision.dtype();
        let (samples, standardizer) = (&self.samples, &self.standardizer);
        let device_dataset =
            DeviceDataset::upload(samples, rows, standardizer, encoding, device, dtype)?;
        let whole = BatchConfig {
            batch_size: BatchSize::Full,
            drop_last: false,
            shuffle: false,
        };
        let mut batches = Batches::new(&device_dataset, &whole, 0, 0);
        batches.next().ok_or_else(no_training_rows)
    }

    /// Puts all splits on the device.
    ///
    /// # Errors
    /// [`ExperimentError::Config`] if there is nothing to train on.
    pub fn upload_all(&self, device: &Device) -> Result<SplitData, ExperimentError> {
        Ok(SplitData {
            train: self.upload_train(device)?,
            valid: self.upload(Split::Valid, device)?,
            test: self.upload(Split::Test, device)?,
        })
    }
}

fn no_training_rows() -> ExperimentError {
    Problem::new("split.train", "0 rows", "at least one row to train on").into()
}

fn warnings(config: &ExperimentConfig, samples: &Samples, splits: &Splits) -> Vec<String> {
    let mut warnings = Vec::new();
    if config.standardize.statistics == StatisticsFrom::All {
        warnings.push(
            "`standardize.statistics` is \"all\": validation and test rows shape the inputs they are \
             judged on, which flatters the result"
                .to_string(),
        );
    }
    for missing in splits.missing_classes(samples) {
        warnings.push(format!(
            "the {} split holds no sample of {}: its metrics say nothing about {}",
            missing.split,
            missing.classes.join(", "),
            if missing.classes.len() == 1 {
                "it"
            } else {
                "them"
            }
        ));
    }
    if splits.valid.is_empty() && config.training.early_stopping.is_some() {
        warnings.push(
            "there is no validation split: early stopping watches the training split".to_string(),
        );
    }
    warnings
}
