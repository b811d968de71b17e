//! Configurations: one experiment, and a comparison with the trials that it expands to.

mod expand;
mod experiment;
mod sweep;

pub use expand::{Comparison, PlannedTrial, Variant};
pub use experiment::ExperimentConfig;
pub use sweep::{Seeds, SweepConfig, SweepMode, Target, VariantConfig};
