//! The files of a run folder: their names ([`files`]) and the types that they are written from and read into.
//!
//! ```text
//! artifacts/<experiment>/<run>/
//!   config.toml             everything, defaults written out; enough to repeat the run
//!   environment.json        Environment      version, device, processor, checksum of the data
//!   metrics.csv             History          one row per epoch, written as the training goes
//!   layers.csv              LayerHistory     one row per layer and record, if the network was inspected
//!   frames.jsonl            Frame            pictures of the network while it learned, one line for each moment
//!   checkpoints/            folders to resume from
//!   model/model.json        ModelFile        what the network needs to predict, beside its weights
//!   model/network.bpk       weights after the last step; model/best.bpk: of the best epoch
//!   model/threshold.json    ChosenThreshold  if one was chosen, and for which weights; else 0.5 is used
//!   evaluation.json         RunEvaluation    scores and curves of the last network
//!   diagnosis.json          Diagnosis        written when the training ends, and again by `emberlab diagnose`
//!   baselines.json          Baselines        simple predictors on the same rows
//!   importance.json         Importance       how much the last network depends on each column
//!   result.json             RunResult        written when the training has ended, with checksums
//!   failure.json            Failure          written instead where an error ended the training
//! ```
//!
//! A comparison adds `comparison.toml`, `plan.jsonl`, `trials.csv`, `trials.parquet`, `baselines.json`
//! ([`ComparisonBaselines`]) and `comparison.json` ([`ComparisonResult`]) beside the folders of its runs.
//!
//! Burn is not needed to read these files. The type of one file is elsewhere: a checkpoint's `progress.toml` holds the
//! inner state of the training loop, and its type is in `training`.

mod baselines;
mod boundary;
mod bytes;
mod comparison;
mod diagnosis;
mod environment;
mod error;
mod evaluation;
mod exact_number;
mod failure;
pub mod files;
mod frames;
mod importance;
mod layers_csv;
mod metrics_csv;
mod mistakes;
mod model_file;
mod result;
mod run_folder;
mod threshold;
mod weights;

pub use baselines::{BaselineScores, Baselines, ComparisonBaselines, DataBaselines};
pub use boundary::{Axis, Boundary, Cells};
pub use bytes::Bytes;
pub use comparison::{
    BaselineComparison, ComparisonResult, Outcome, PairedDifference, Question, Spread,
    TrialOutcome, VariantSummary, Verdict,
};
pub use diagnosis::{Diagnosis, Direction, Evidence, Finding, FindingKind, Place, Severity};
pub use environment::{Environment, Resumption};
pub use error::FormatError;
pub use evaluation::{RunEvaluation, SplitEvaluation, TargetScores};
pub use failure::Failure;
pub use frames::{
    FeatureMaps, Frame, FramesHeader, LayerFrame, Maps, Packed, Region, SampleImage, View,
};
pub use importance::{ColumnImportance, DependentOutput, Importance, PartialDependence, Points};
pub use layers_csv::{Histogram, LayerHistory, LayerRow, LayerRowError, NUM_BINS, QUANTILES};
pub use metrics_csv::{EpochRow, History, RowError};
pub use mistakes::{Inputs, Mistake, Mistakes};
pub use model_file::{ModelFile, ModelTask, Scaling};
pub use result::{BestEpoch, Ending, RunResult, ThresholdScores};
pub use run_folder::{RunFolder, read_json, read_text};
pub use threshold::{ChosenFor, ChosenThreshold, DEFAULT_THRESHOLD, ThresholdInUse};
pub use weights::Weights;

/// The text that a CSV writer has written.
///
/// # Errors
/// [`csv::Error`] of the writer.
pub fn csv_text(writer: csv::Writer<Vec<u8>>) -> Result<String, csv::Error> {
    let bytes = writer.into_inner().map_err(|e| e.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
