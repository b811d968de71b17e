//! The name of every file that a training or a comparison writes.
//!
//! Names are relative to the folder of the run; in [`checkpoint`] to the folder of the checkpoint, and in
//! [`comparison`] to the folder of the experiment.

/// The configuration with every default written out. It is enough to repeat the run.
pub const CONFIG: &str = "config.toml";
/// An [`Environment`](crate::Environment): version, device, processor, checksum of the data.
pub const ENVIRONMENT: &str = "environment.json";
/// A [`History`](crate::History): one row per epoch, written as the training goes.
pub const METRICS: &str = "metrics.csv";
/// A [`LayerHistory`](crate::LayerHistory): one row per layer and record, if the network was inspected.
pub const LAYERS: &str = "layers.csv";
/// A [`FramesHeader`](crate::FramesHeader) and [`Frame`](crate::Frame)s: pictures of the network while it learned.
pub const FRAMES: &str = "frames.jsonl";
/// The folder of checkpoints.
pub const CHECKPOINTS: &str = "checkpoints";
/// The folder of the trained network.
pub const MODEL_FOLDER: &str = "model";
/// A [`ModelFile`](crate::ModelFile): what a network needs to predict, beside its weights.
pub const MODEL: &str = "model/model.json";
/// The weights after the last step, as a Burn record.
pub const NETWORK: &str = "model/network.bpk";
/// The weights of the best epoch, as a Burn record.
pub const BEST: &str = "model/best.bpk";
/// A [`ChosenThreshold`](crate::ChosenThreshold), if one was chosen.
pub const THRESHOLD: &str = "model/threshold.json";
/// A [`RunEvaluation`](crate::RunEvaluation) of the last network.
pub const EVALUATION: &str = "evaluation.json";
/// A [`Diagnosis`](crate::Diagnosis).
pub const DIAGNOSIS: &str = "diagnosis.json";
/// A [`Baselines`](crate::Baselines): simple predictors on the same rows, if they were computed.
pub const BASELINES: &str = "baselines.json";
/// An [`Importance`](crate::Importance) of the columns for the last network, if it was computed.
pub const IMPORTANCE: &str = "importance.json";
/// A [`RunResult`](crate::RunResult), written when the training has ended.
pub const RESULT: &str = "result.json";
/// A [`Failure`](crate::Failure), written instead of the result where an error ended the training.
pub const FAILURE: &str = "failure.json";
/// The page that `emberlab report` writes, in the folder of a run or a comparison.
pub const REPORT: &str = "report.html";

/// The files whose checksums are in `result.json`: they do not change any more.
pub const DIGESTED: [&str; 8] = [
    CONFIG, METRICS, LAYERS, FRAMES, MODEL, NETWORK, BEST, EVALUATION,
];

/// The files that say how a training ended. A run whose training goes on removes them in this order: without a result,
/// a run can be resumed, whatever other files it has. A threshold stays, because it names the weights that it belongs
/// to.
pub const ENDING: [&str; 6] = [
    RESULT, FAILURE, EVALUATION, DIAGNOSIS, BASELINES, IMPORTANCE,
];

/// The clause that says which command writes a lost or damaged file of `run` again; `None` if no command does.
pub fn rewritten_by(name: &str, run: &str) -> Option<String> {
    let command = match name {
        DIAGNOSIS => format!("diagnose {run}"),
        BASELINES => format!("evaluate {run} --baselines"),
        IMPORTANCE => format!("evaluate {run} --importance"),
        THRESHOLD => format!("evaluate {run} --threshold-by f1"),
        ENVIRONMENT | RESULT | FAILURE => format!("resume {run}"),
        name if DIGESTED.contains(&name) => format!("resume {run}"),
        _ => return None,
    };
    Some(format!("`emberlab {command}` writes it again"))
}

/// The files of a checkpoint, relative to its folder `checkpoints/epoch-NNNNNN-step-NNNNNNNNN`.
pub mod checkpoint {
    pub use super::{CONFIG, FRAMES, LAYERS, METRICS};
    pub use emberlab_storage::{MANIFEST, MANIFEST_SUM};

    /// The weights, as a Burn record.
    pub const NETWORK: &str = "network.bpk";
    /// The weights of the best epoch so far, as a Burn record.
    pub const BEST: &str = "best.bpk";
    /// The state of the optimiser, as a Burn record.
    pub const OPTIMIZER: &str = "optimizer.bpk";
    /// The progress of the training: position, metrics of the epoch, early stopping.
    pub const PROGRESS: &str = "progress.toml";
}

/// The names that a run cannot have, because they are those of files beside the runs of a comparison.
pub const BESIDE_RUNS: [&str; 6] = [
    comparison::CONFIG,
    comparison::PLAN,
    comparison::RESULT,
    comparison::TRIALS,
    comparison::TRIALS_PARQUET,
    REPORT,
];

/// The files of a comparison, relative to the folder of its experiment, beside the folders of its runs.
pub mod comparison {
    /// The configuration that was compared, with the overrides of the command line.
    pub const CONFIG: &str = "comparison.toml";
    /// Every trial as one line of JSON: what is trained, and where.
    pub const PLAN: &str = "plan.jsonl";
    /// A [`ComparisonResult`](crate::ComparisonResult): variants, differences, conclusion and trials.
    pub const RESULT: &str = "comparison.json";
    /// A [`ComparisonBaselines`](crate::ComparisonBaselines), if baselines were computed.
    pub const BASELINES: &str = super::BASELINES;
    /// Every trial in one row.
    pub const TRIALS: &str = "trials.csv";
    /// The same table as a Parquet file.
    pub const TRIALS_PARQUET: &str = "trials.parquet";
}
