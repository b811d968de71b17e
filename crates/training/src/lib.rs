//! One fit: device, loss, optimiser, loop, metrics and checkpoints.
//!
//! ```text
//! DeviceDataset splits ─┐
//! Network ─────────┼─ Fit::run ── burn-train's learner and dashboard ── Outcome
//! TrainingPlan ────┘      └ Observer: a row per epoch    └ CheckpointStore: folders that appear whole
//! ```

mod checkpoint;
mod clipping;
mod config;
mod dashboard;
pub mod device;
mod engine;
mod error;
mod fit;
mod loader;
pub mod loss;
mod metric_accumulator;
mod objective;
pub mod optimizer;
mod predict;
mod range_test;
mod record;
#[cfg(test)]
mod reference;
mod replica;
pub mod scheduler;
mod session;
mod step_time;
mod stop;
mod supervised_model;
mod task;
pub mod terminal;

pub use checkpoint::{CheckpointConfig, Every, OnError};
pub use clipping::GradientClipping;
pub use config::{Precision, TrainMetrics, TrainingConfig};
pub use dashboard::Dashboard;
pub use emberlab_metrics::Split;
pub use error::TrainingError;
pub use fit::{EpochRecord, Finished, Fit, Observer, SplitData};
pub use loss::{Loss, LossConfig, Reduction};
pub use metric_accumulator::{MetricAccumulator, Outcome, host, labels};
pub use objective::{EarlyStopping, Objective};
pub use optimizer::{Optimizer, OptimizerConfig, UpdateRule};
pub use predict::{Predicted, predict};
pub use range_test::RangeTest;
pub use record::{load_network, network_bytes};
pub use scheduler::{Interval, Scheduler, SchedulerConfig};
pub use step_time::StepTime;
pub use stop::StopFlag;
pub use supervised_model::{StepOutput, SupervisedModel};
pub use task::Task;
