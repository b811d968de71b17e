//! One fit: device, loss, optimiser, loop, metrics and checkpoints.
//!
//! ```text
//! Resident splits ─┐
//! Network ─────────┼─ Fit::run ── burn-train's learner and dashboard ── Outcome
//! TrainingPlan ────┘      └ Observer: a row per epoch    └ CheckpointStore: folders that appear whole
//! ```

mod checkpoint;
mod clipping;
mod config;
mod dashboard;
pub mod device;
mod error;
mod fit;
#[cfg(test)]
mod kernel_tests;
mod loader;
mod loss;
mod member;
mod objective;
mod optimizer;
mod predict;
mod program;
mod range_test;
mod record;
mod scheduler;
mod session;
mod stacked;
mod step;
mod step_time;
mod stop;
mod tally;
mod task;
pub mod terminal;

pub use checkpoint::{CheckpointConfig, Every, OnError};
pub use clipping::GradientClipping;
pub use config::{Precision, TrainMetrics, TrainingConfig};
pub use dashboard::Dashboard;
pub use emberlab_metrics::Split;
pub use error::TrainingError;
pub use fit::{Ending, EpochRecord, Finished, Fit, Observer, SplitData};
pub use loss::{LossConfig, Reduction};
pub use objective::{EarlyStopping, Objective};
pub use optimizer::{Optimizer, OptimizerConfig};
pub use predict::{Predicted, predict};
pub use range_test::RangeTest;
pub use record::{load_network, network_bytes};
pub use scheduler::{Interval, Scheduler, SchedulerConfig};
pub use step::{Measured, Trainee};
pub use step_time::StepTime;
pub use stop::StopFlag;
pub use tally::{Outcome, Tally, host, labels};
pub use task::Task;
