//! Loads the data of an experiment, splits them, and checks that data, network and loss fit together.

use std::path::PathBuf;
use std::sync::Arc;

use emberlab_datasets::{
    Dataset, DerivedFeatures, Samples, Splits, Standardizer, Targets, nearly_constant,
    network_inputs, too_large, too_large_feature,
};
use emberlab_menu::Problem;
use emberlab_metrics::Metric;
use emberlab_tables::Encoder;
use emberlab_training::{Split, Task};

use super::before_training::check_classes;
use crate::config::ExperimentConfig;
use crate::error::ExperimentError;
use crate::run::Run;

/// An experiment with its data, checked and ready to be put on a device. A clone shares the samples.
#[derive(Clone)]
pub struct Prepared {
    /// The experiment.
    pub config: ExperimentConfig,
    /// The data with the features that the network takes, not standardised, in the memory of the CPU.
    pub samples: Arc<Samples>,
    /// The data with their own columns, from which the features are derived: those of `samples` unless the experiment
    /// lists its features.
    pub columns: Arc<Samples>,
    /// How the features are computed from the columns; `None` if they are the columns.
    pub derived: Option<DerivedFeatures>,
    /// How the columns of a table became features; `None` if the data set is not a table.
    pub encoder: Option<Encoder>,
    /// The line of each row of a table in its file, from 1; `None` if the data set is not a table.
    pub lines: Option<Arc<[u64]>>,
    /// Sentences about what was found or left out when the data were read.
    pub notes: Vec<String>,
    /// SHA-256 of the data as they were loaded.
    pub data_sha256: String,
    /// The rows for training, validation and test.
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
        Self::unchecked(config, data_dirs)?.checked()
    }

    /// The same before it is checked that all metrics of the configuration are those of the task.
    pub(super) fn unchecked(
        config: ExperimentConfig,
        data_dirs: &[PathBuf],
    ) -> Result<Self, ExperimentError> {
        let dataset = config.dataset.load(data_dirs, config.seed)?;
        let data_sha256 = dataset.checksum();
        Self::of(config, dataset, data_sha256)
    }

    /// Loads the data that `run` was trained on, whose checksum is `expected`.
    ///
    /// # Errors
    /// [`ExperimentError::DataMoved`] if they are not there, [`ExperimentError::DataChanged`] if they differ, and those
    /// of [`load`](Self::load).
    pub fn load_same(
        mut config: ExperimentConfig,
        data_dirs: &[PathBuf],
        run: &Run,
        expected: &str,
    ) -> Result<Self, ExperimentError> {
        if let Some(path) = config.dataset.own_path()
            && !path.exists()
        {
            let (run, path) = (run.id(), path.clone());
            return Err(ExperimentError::DataMoved { run, path });
        }
        let dataset = config.dataset.load(data_dirs, config.seed)?;
        let same = dataset.with_checksum(expected);
        let dataset = same.map_err(|found| ExperimentError::DataChanged {
            run: run.path().to_path_buf(),
            expected: expected.to_string(),
            found,
        })?;
        Self::of(config, dataset, expected.to_string())?.checked()
    }

    fn of(
        config: ExperimentConfig,
        dataset: Dataset,
        data_sha256: String,
    ) -> Result<Self, ExperimentError> {
        let groups = dataset.groups.as_deref();
        let splits = config.split.split(&dataset.targets, groups, config.seed);
        let splits = splits.map_err(|problem| problem.within("split"))?;
        let mut notes = dataset.notes.clone();
        let lines = dataset.lines().map(Arc::from);
        let (mut columns, encoder) = dataset.encode(&splits.train)?;
        let training = &config.training;
        if let Some(class_weights) = &training.class_weights {
            let weighed = class_weights.apply(&mut columns, &splits.train);
            weighed.map_err(|problem| problem.within("training"))?;
        }
        if let Some(augmentation) = &training.augmentation {
            let validated = augmentation.validate(&columns.input_shape);
            validated.map_err(|problem| problem.within("training"))?;
        }
        let batches = training.batches().validate(splits.train.len());
        batches.map_err(|problem| problem.within("training"))?;
        let derived = derived_features(&config, &columns)?;
        let columns = Arc::new(columns);
        let samples = match &derived {
            Some(derived) => Arc::new(columns.derive(derived)?),
            None => Arc::clone(&columns),
        };
        let targets =
            Standardizer::fit_targets(&config.standardize, &samples.targets, &splits.train);
        let d_output = config.model.d_output();
        let task = Task::infer(&samples.targets, targets, &config.loss, d_output);
        if task.is_err() {
            // No loss fits data of one class.
            check_classes(&samples)?;
        }
        let (task, d_output) = task?;
        let standardizer = Standardizer::fit(&config.standardize, &samples, &splits.train);
        check_sizes(&config, &samples, &standardizer, &task)?;
        let unscaled = nearly_constant(&config.standardize, &standardizer, &samples, &splits.train);
        notes.extend(unscaled.into_iter().map(|(feature, least, most)| {
            let name = column_name(&samples, feature);
            format!(
                "column {name} counts as constant: its values, {least} to {most}, differ by no more than the rounding \
                 errors of numbers of this size; subtract a constant from them in the file"
            )
        }));
        Ok(Self {
            config,
            samples,
            columns,
            derived,
            encoder,
            lines,
            notes,
            data_sha256,
            splits,
            standardizer,
            task,
            d_output,
        })
    }

    /// The same data for other settings of the training; `None` if these settings need other data.
    ///
    /// # Errors
    /// [`ExperimentError::Config`] with the key to change if something does not fit.
    pub(super) fn with_settings(
        &self,
        config: ExperimentConfig,
    ) -> Result<Option<Self>, ExperimentError> {
        let before = &self.config;
        let is_same = before.dataset == config.dataset
            && before.features == config.features
            && before.split == config.split
            && before.standardize == config.standardize
            && before.seed == config.seed
            && before.model == config.model
            && before.loss == config.loss
            && before.training.precision == config.training.precision
            && before.training.class_weights == config.training.class_weights
            && before.training.augmentation == config.training.augmentation;
        if !is_same {
            return Ok(None);
        }
        let batches = config.training.batches().validate(self.splits.train.len());
        batches.map_err(|problem| problem.within("training"))?;
        let same = Self {
            config,
            ..self.clone()
        };
        same.checked().map(Some)
    }

    /// Checks that all metrics of the configuration are those of the task.
    pub(super) fn checked(self) -> Result<Self, ExperimentError> {
        let Self { config, task, .. } = &self;
        let training = &config.training;
        let asked = [("training.objective.metric", training.objective.metric)].into_iter();
        let listed = training
            .metrics
            .iter()
            .map(|metric| ("training.metrics", *metric));
        let of_schedule = config
            .scheduler
            .metric()
            .map(|metric| ("scheduler.metric", metric));
        for (key, metric) in asked.chain(listed).chain(of_schedule) {
            self.check_metric(key, metric)?;
        }
        Problem::unless(
            training.thresholds.is_empty() || matches!(task, Task::Binary { .. }),
            "training.thresholds",
            format!("{:?}", training.thresholds),
            "no thresholds, because they need two classes and a loss with one output",
        )?;
        Ok(self)
    }

    /// Checks that a metric, which the configuration has under `key`, is one of the task.
    pub(super) fn check_metric(&self, key: &str, metric: Metric) -> Result<(), Problem> {
        let metrics = self.task.metrics();
        let names: Vec<&str> = metrics.iter().map(|metric| metric.name()).collect();
        Problem::unless(
            metrics.contains(&metric),
            key,
            metric,
            format!(
                "one of `{}` for these targets and this loss",
                names.join("`, `")
            ),
        )
    }

    /// The rows of a split.
    pub fn rows(&self, split: Split) -> &[u32] {
        match split {
            Split::Train => &self.splits.train,
            Split::Valid => &self.splits.valid,
            Split::Test => &self.splits.test,
        }
    }

    /// The inputs of the network for rows of columns as they are in the data: features derived and standardised.
    ///
    /// # Shapes
    /// - rows: `[num_rows × num_columns]`, row by row, where [`columns`](Self::columns) has names and number of the
    ///   columns
    /// - result: `[num_rows × num_features]`, row by row
    pub fn inputs_of(&self, rows: &[f64]) -> Vec<f32> {
        let num_columns = self.columns.num_features();
        network_inputs(rows, num_columns, self.derived.as_ref(), &self.standardizer)
    }

    /// The metrics on request that the training asks for.
    pub fn asked_metrics(&self) -> Vec<Metric> {
        self.config.training.asked_metrics(&self.config.scheduler)
    }

    /// The split that the objective is measured on: the training split if there are no validation rows.
    pub fn objective_split(&self) -> Split {
        match self.config.training.objective.split {
            Split::Valid if self.splits.valid.is_empty() => Split::Train,
            split => split,
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

/// The features that an experiment lists, if it does.
fn derived_features(
    config: &ExperimentConfig,
    columns: &Samples,
) -> Result<Option<DerivedFeatures>, Problem> {
    let Some(features) = &config.features else {
        return Ok(None);
    };
    Problem::unless(
        columns.input_shape.len() == 1,
        "features",
        format!("{features:?}"),
        "no features, because these samples are images",
    )?;
    DerivedFeatures::new(features, &columns.feature_names).map(Some)
}

/// The name of a feature in quotes, or its place from 1 if it has none.
fn column_name(samples: &Samples, feature: usize) -> String {
    let name = samples.feature_names.get(feature);
    name.map_or_else(|| (feature + 1).to_string(), |name| format!("{name:?}"))
}

/// Checks that features and targets are finite 32-bit numbers, as the network takes them.
fn check_sizes(
    config: &ExperimentConfig,
    samples: &Samples,
    standardizer: &Standardizer,
    task: &Task,
) -> Result<(), Problem> {
    if let Some((feature, value)) = too_large_feature(standardizer, samples) {
        let name = column_name(samples, feature);
        // An infinite number has no scale.
        let method = match standardizer.is_identity() && value.is_finite() {
            true => "; `standardize.method = \"per_feature\"` scales them",
            false => "",
        };
        return Err(Problem::new(
            "dataset",
            format!("data with {value:e} in column {name}"),
            format!("smaller numbers, as 32-bit floats end at 3.4e38{method}"),
        ));
    }
    if let (Targets::Values { values, names }, Task::Regression { standardizer, .. }) =
        (&samples.targets, task)
        && let Some((target, value)) = too_large(standardizer, values, names.len())
    {
        return Err(Problem::new(
            "standardize.targets",
            config.standardize.targets,
            format!(
                "true, or smaller labels: column {:?} holds {value:e}, and 32-bit floats end at 3.4e38",
                names[target]
            ),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use burn::tensor::Device;
    use emberlab_config_source::ConfigSource;
    use emberlab_datasets::Batch;

    use super::*;

    #[test]
    fn rows_of_columns_become_the_inputs_that_a_training_takes() {
        let text = r#"
            features = ["x2", "x1*x2", "x1^2"]
            dataset = { name = "circles", num_samples = 40 }
            standardize = { method = "per_feature" }
            model = { name = "perceptron" }
            loss = { name = "bce_with_logits" }
            optimizer = { name = "sgd", learning_rate = 0.1 }
            training = { num_epochs = 1, batch_size = 10 }
        "#;
        let config = ExperimentConfig::from_source(&ConfigSource::new("inputs.toml", text));
        let prepared = Prepared::load(config.unwrap(), &[]).unwrap();
        assert_eq!(prepared.samples.num_features(), 3);
        assert_eq!(prepared.columns.feature_names, ["x1", "x2"]);
        let data = prepared.upload(Split::Train, &Device::flex()).unwrap();
        let inputs = Batch::all(&data.unwrap()).inputs.into_data();
        let rows = prepared.rows_of_columns(prepared.rows(Split::Train));
        assert_eq!(
            prepared.inputs_of(&rows),
            inputs.try_to_vec::<f32>().unwrap()
        );
    }
}
