//! One TOML file: checked, trained, and left on disk as a run.

mod config;
mod environment;
mod error;
mod evaluation;
mod metrics_file;
mod model_file;
mod prepared;
mod run;
mod source;
mod trial;

pub use config::{ExperimentConfig, Problem};
pub use environment::Environment;
pub use error::ExperimentError;
pub use evaluation::{Details, Evaluation, Weights, evaluate};
pub use metrics_file::MetricsFile;
pub use model_file::ModelFile;
pub use prepared::Prepared;
pub use run::Run;
pub use source::{ConfigError, ConfigSource, parse};
pub use trial::{BestResult, Execution, Resumed, Trial, TrialResult, load_config};
