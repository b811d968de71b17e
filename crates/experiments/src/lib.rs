//! Experiments: a TOML file is checked, trained, and saved as a run folder.
//!
//! The modules depend on each other in one direction:
//!
//! - `config`: the configuration of one experiment, and of a comparison with its trials;
//! - `run`: the folder of a run, and its state as seen from its files;
//! - `trial`: one training, from its data to its result;
//! - `finished`: predictions and pictures from a run, and its diagnosis;
//! - `measurements`: measurements that leave no run folder;
//! - `starter`: a first experiment for a table or a folder of images of the user's own.

mod config;
mod error;
mod finished;
mod measurements;
mod run;
mod starter;
mod trial;

pub use config::{
    Comparison, ExperimentConfig, PlannedTrial, Seeds, SweepConfig, SweepMode, Target, Variant,
    VariantConfig,
};
pub use error::ExperimentError;
pub use finished::{
    Axes, ImageInput, LoadedRun, NumberImage, Prediction, Predictor, diagnose, outdated_threshold,
};
pub use measurements::{check_gradients, range_curve, step_seconds};
pub use run::{Change, Run, RunState, RunSummary, Verdict};
pub use starter::{Starter, guess_label};
pub use trial::{
    BaselineLimit, Execution, ImportanceLimit, MetricsFile, NothingToDo, Prepared, Resources,
    Resume, Resumed, StepwiseTrial, StoppedEarly, Trial, evenly,
};
