//! One TOML file: checked, trained, and left on disk as a run.

mod changes;
mod config;
mod diagnosis;
mod environment;
mod error;
mod evaluation;
#[cfg(test)]
mod exactness;
mod expand;
mod exploring;
mod gradient_check;
mod loaded;
mod metrics_file;
mod model_file;
mod plan;
mod predicting;
mod prepared;
mod range_curve;
mod run;
mod run_state;
mod step_seconds;
mod sweep;
mod trial;

pub use changes::{Change, Verdict};
pub use config::{ExperimentConfig, Problem};
pub use diagnosis::diagnose;
pub use error::ExperimentError;
pub use expand::{Comparison, Variant};
pub use exploring::{Axes, NumberImage};
pub use gradient_check::check_gradients;
pub use loaded::{LoadedRun, Weights};
pub use metrics_file::MetricsFile;
pub use plan::PlannedTrial;
pub use predicting::{Prediction, Predictor, stored_threshold};
pub use prepared::Prepared;
pub use range_curve::range_curve;
pub use run::Run;
pub use run_state::{RunState, RunSummary};
pub use step_seconds::step_seconds;
pub use sweep::{Seeds, SweepConfig, SweepMode, Target, VariantConfig};
pub use trial::{Execution, Resumed, Trial, load_config};
