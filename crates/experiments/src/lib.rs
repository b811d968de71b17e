//! One TOML file: checked, trained, and left on disk as a run.

mod changes;
mod config;
mod config_error;
mod config_source;
mod document;
mod environment;
mod error;
mod evaluation;
#[cfg(test)]
mod exactness;
mod expand;
mod fault;
mod key_path;
mod loaded;
mod metrics_file;
mod model_file;
mod nearest_name;
mod parse;
mod plan;
mod prepared;
mod range_curve;
mod run;
mod run_state;
mod sweep;
mod trial;

pub use changes::{Change, Verdict};
pub use config::{ExperimentConfig, Problem};
pub use config_error::ConfigError;
pub use config_source::ConfigSource;
pub use environment::Environment;
pub use error::ExperimentError;
pub use expand::{Comparison, Variant};
pub use loaded::{LoadedRun, Weights};
pub use metrics_file::MetricsFile;
pub use model_file::ModelFile;
pub use parse::parse;
pub use plan::PlannedTrial;
pub use prepared::Prepared;
pub use range_curve::range_curve;
pub use run::Run;
pub use run_state::{RunState, RunSummary};
pub use sweep::{Seeds, SweepConfig, SweepMode, Target, VariantConfig};
pub use trial::{BestResult, Execution, Resumed, ThresholdResult, Trial, TrialResult, load_config};
