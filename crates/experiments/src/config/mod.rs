//! Configurations: one experiment, and a comparison with the trials that it expands to.

mod expand;
mod experiment;
mod sweep;

pub use expand::{Comparison, Variant};
pub use experiment::{ExperimentConfig, Problem};
pub(crate) use experiment::{dataset_problem, model_problem, training_problem};
pub use sweep::{Seeds, SweepConfig, SweepMode, Target, VariantConfig};
