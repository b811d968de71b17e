//! A trained network looked at once more: predictions on a split, and what they are worth.

use std::path::PathBuf;

use burn::module::Module;
use emberlab_datasets::Targets;
use emberlab_metrics::{ClassificationReport, ConfusionMatrix, RegressionScores, SplitMetrics};
use emberlab_training::{Split, Trainee, TrainingError, device, load_network, predict};
use serde::Serialize;

use crate::error::ExperimentError;
use crate::model_file::ModelFile;
use crate::prepared::Prepared;
use crate::run::Run;
use crate::trial::{check_data, load_config};

/// Which of a run's networks is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weights {
    /// The network after the last step.
    Last,
    /// The network of the best epoch.
    Best,
}

/// What a network is worth on a split.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// `experiment/run`.
    pub run: String,
    /// The split that was predicted.
    pub split: Split,
    /// The network that predicted.
    pub weights: Weights,
    /// Its rows.
    pub num_samples: usize,
    /// Loss and scores.
    pub metrics: SplitMetrics,
    /// Class by class, and the matrix; or the errors of a regression.
    #[serde(flatten)]
    pub details: Details,
}

/// The part of an evaluation that depends on the task.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Details {
    /// Of a classification.
    Classes {
        /// Names of the classes, in the order of their labels.
        class_names: Vec<String>,
        /// Precision, recall, F1 and support, class by class and averaged.
        classification_report: ClassificationReport,
        /// `[target][prediction]`.
        confusion_matrix: ConfusionMatrix,
    },
    /// Of a regression.
    Values {
        /// The errors.
        regression: RegressionScores,
    },
}

/// Evaluates a finished run on one of its splits: when none is named, on test, else validation, else
/// training.
///
/// # Errors
/// [`ExperimentError`] if the run has no model yet, its data have changed, or the split is empty.
pub fn evaluate(
    run: &Run,
    split: Option<Split>,
    weights: Weights,
    device_name: &str,
    data_dirs: &[PathBuf],
) -> Result<Evaluation, ExperimentError> {
    let file = match weights {
        Weights::Last => "model/network.bpk",
        Weights::Best => "model/best.bpk",
    };
    if !run.is_done() {
        return Err(ExperimentError::NotFinished { run: run.id() });
    }
    let bytes = run.read(file)?;
    let model = ModelFile::load(run)?;
    let prepared = Prepared::load(load_config(run)?, data_dirs)?;
    check_data(run, &prepared)?;
    let order = [Split::Test, Split::Valid, Split::Train];
    let first = order.into_iter().find(|&s| !prepared.rows(s).is_empty());
    let split = split.or(first).unwrap_or(Split::Train);
    let device = device::open(device_name).map_err(TrainingError::from)?;
    let data = prepared.upload(split, &device)?.ok_or_else(|| {
        ExperimentError::Config(crate::config::Problem {
            key: format!("split.{split}"),
            message: format!("the {split} split of this run has no rows"),
        })
    })?;
    let network = load_network(prepared.init_network(&device)?, &bytes).map_err(|e| {
        ExperimentError::Malformed {
            path: run.path().join(file),
            reason: e.to_string(),
        }
    })?;
    let loss = prepared.config.loss.clone();
    let trainee = Trainee::new(network, loss).valid();
    let (metrics, outputs) = predict(&trainee, &data, &model.task)?;
    let rows = prepared.rows(split);
    let details = match &prepared.samples.targets {
        Targets::Classes { labels, .. } => {
            let targets: Vec<u32> = rows.iter().map(|&r| labels[r as usize]).collect();
            let predictions = emberlab_training::labels(&model.task, &outputs, prepared.d_output)?;
            let num_classes = model.task.num_classes().unwrap_or(0);
            let matrix = ConfusionMatrix::from_labels(&targets, &predictions, num_classes);
            let matrix = matrix.map_err(|e| TrainingError::Read(e.to_string()))?;
            let report = ClassificationReport::from_confusion(&matrix, &model.class_names);
            Details::Classes {
                class_names: model.class_names,
                classification_report: report.map_err(|e| TrainingError::Read(e.to_string()))?,
                confusion_matrix: matrix,
            }
        }
        Targets::Values(values) => {
            let targets: Vec<f64> = rows
                .iter()
                .map(|&r| f64::from(values[r as usize]))
                .collect();
            let scores = RegressionScores::from_values(&targets, &outputs, 1);
            Details::Values {
                regression: scores.map_err(|e| TrainingError::Read(e.to_string()))?,
            }
        }
    };
    Ok(Evaluation {
        run: run.id(),
        split,
        weights,
        num_samples: rows.len(),
        metrics,
        details,
    })
}
