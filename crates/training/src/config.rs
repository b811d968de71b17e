//! How long and in which batches a network trains: the table `training` of the configuration.

use std::fmt;

use burn::tensor::DType;
use emberlab_datasets::{AugmentationConfig, BatchSize, Batching, ClassWeights};
use emberlab_menu::Problem;
use emberlab_metrics::{Metric, Split};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::average::WeightAverage;
use crate::clipping::GradientClipping;
use crate::engine::EngineConfig;
use crate::error::check;
use crate::gradient_noise::GradientNoise;
use crate::scheduler::SchedulerConfig;
use crate::step_rules::{Penalty, StepRules};
use crate::trainer::best_epoch::Objective;
use crate::trainer::early_stopping::EarlyStopping;

/// The floating-point numbers that a network computes with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32-bit floats, on every device.
    #[default]
    F32,
    /// 64-bit floats, on the CPU devices.
    F64,
}

impl Precision {
    /// The type in Burn.
    pub fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::F64 => DType::F64,
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
        })
    }
}

/// How the metrics of the training split are computed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrainMetrics {
    /// From the batches of the epoch as they are trained on: costs nothing, but the weights change from batch to batch.
    #[default]
    Running,
    /// From the whole training split after the epoch, in evaluation mode: costs one more forward pass over it.
    Evaluated,
}

/// How long and in which batches a network trains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// Passes over the training split; at least 1.
    pub num_epochs: usize,
    /// Samples per step: a number, or `"full"` for the whole training split.
    #[serde(default = "default_batch_size")]
    pub batch_size: BatchSize,
    /// Leave out a last batch that is shorter than the others.
    #[serde(default)]
    pub drop_last: bool,
    /// Draw a new order of samples for every epoch. A full batch is never shuffled.
    #[serde(default = "yes")]
    pub shuffle: bool,
    /// The floating-point numbers to compute with: `f32`, or `f64` on the CPU devices.
    #[serde(default)]
    pub precision: Precision,
    /// A bound on gradients: `{ norm = 1.0 }` or `{ value = 0.5 }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient_clipping: Option<GradientClipping>,
    /// Normally distributed numbers that each step adds to the gradients after they are clipped: `{ std = 0.1 }`. Their
    /// variance falls as `1 / (1 + t)^decay` with the steps; `decay` is 0.55 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient_noise: Option<GradientNoise>,
    /// A penalty on the size of weights that is added to the loss: `{ l1 = 0.001 }`, `{ l2 = 0.01 }` or both. Reported
    /// losses leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty: Option<Penalty>,
    /// The largest 2-norm of the weights that lead to one unit, positive. Larger ones are scaled down after each step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_norm: Option<f64>,
    /// The average of the weights over the training, which is evaluated and saved in place of the last weights:
    /// `{ ema = 0.999 }`, or `{ swa = 10 }` for the mean over all epochs after the tenth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average: Option<WeightAverage>,
    /// Stop when the objective no longer improves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
    /// The metric that decides which epoch is the best and when early stopping ends the training.
    #[serde(default)]
    pub objective: Objective,
    /// How the metrics of the training split are computed: `running` or `evaluated`.
    #[serde(default)]
    pub train_metrics: TrainMetrics,
    /// For two classes: probabilities above which class 1 is predicted, in [0, 1]. Each is scored after the
    /// training.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<f64>,
    /// How much each class counts in the loss: `"balanced"`, so that a rare class counts as much as a frequent one, or
    /// a list with a weight for each class. Metrics other than the loss stay unweighted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_weights: Option<ClassWeights>,
    /// How training images change from epoch to epoch: `{ shift = 2, rotate = 10.0, flip = true, cutout = 4 }`, any of
    /// them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub augmentation: Option<AugmentationConfig>,
    /// Metrics that are computed after every epoch besides those of every training, such as `["roc_auc", "mcc"]`. Those
    /// of the objective, the schedule and the target of a comparison are computed without being listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Metric>,
    /// The engine that trains: `auto`, `fused` or `burn`.
    #[serde(default, skip_serializing_if = "EngineConfig::is_auto")]
    pub engine: EngineConfig,
}

fn default_batch_size() -> BatchSize {
    BatchSize::Size(32)
}

fn yes() -> bool {
    true
}

/// Checks that a split, which the configuration has under `key`, may decide something: the test split may not.
///
/// # Errors
/// [`Problem`] with the key, for the test split.
pub fn check_decides(key: &str, split: Split) -> Result<(), Problem> {
    Problem::unless(
        split != Split::Test,
        key,
        split,
        "`train` or `valid`: the test split must decide nothing",
    )
}

impl TrainingConfig {
    /// How batches are cut.
    pub fn batches(&self) -> Batching {
        Batching {
            batch_size: self.batch_size,
            drop_last: self.drop_last,
            shuffle: self.shuffle,
        }
    }

    /// The parts of a step besides the optimiser's update.
    pub fn step_rules(&self) -> StepRules {
        StepRules {
            penalty: self.penalty,
            clipping: self.gradient_clipping,
            noise: self.gradient_noise,
            max_norm: self.max_norm,
        }
    }

    /// The metrics on request that a training with this schedule asks for, in the order of [`Metric::ALL`].
    pub fn asked_metrics(&self, scheduler: &SchedulerConfig) -> Vec<Metric> {
        let is_asked = |metric: &Metric| {
            self.metrics.contains(metric)
                || self.objective.metric == *metric
                || scheduler.metric() == Some(*metric)
        };
        let on_request = Metric::ALL
            .into_iter()
            .filter(|metric| metric.is_on_request());
        on_request.filter(is_asked).collect()
    }

    /// Checks the ranges of the values.
    ///
    /// # Errors
    /// [`Problem`] naming the key that is out of range.
    pub fn validate(&self) -> Result<(), Problem> {
        Problem::unless_at_least_one(self.num_epochs as u64, "training.num_epochs")?;
        self.step_rules().validate()?;
        if let Some(average) = &self.average {
            average.validate(self.num_epochs)?;
        }
        if let Some(class_weights) = &self.class_weights {
            class_weights
                .validate()
                .map_err(|problem| problem.within("training"))?;
        }
        for &threshold in &self.thresholds {
            check(
                "training.thresholds",
                threshold,
                (0.0..=1.0).contains(&threshold),
                "from 0 to 1",
            )?;
        }
        check_decides("training.objective.split", self.objective.split)?;
        self.early_stopping
            .as_ref()
            .map_or(Ok(()), EarlyStopping::validate)
    }
}
