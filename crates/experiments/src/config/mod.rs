//! Configurations: one experiment, and a comparison with the trials that it expands to.

mod all_keys;
mod expand;
mod experiment;
mod folder_name;
mod sweep;

pub use expand::{Comparison, PlannedTrial, Variant};
pub use experiment::ExperimentConfig;
pub(crate) use folder_name::{LATEST, check_run_name};
pub use sweep::{Seeds, SweepConfig, SweepMode, Target, VariantConfig};
