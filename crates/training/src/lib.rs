//! Trains networks: loss, optimiser, learning-rate schedule, trainer, metrics and checkpoints.
//!
//! ```text
//! network  data on a device  loss  optimiser  schedule
//!     └───────────┴──── Trainer ────┴────────────┘
//!                          │ run
//!                    training loop ──── inside Burn's learner, which shows its dashboard
//!                          │ some steps at a time: an engine, by fused kernels or by Burn operations
//!                          │ each epoch: metrics, early stopping ──► Observer
//!                          │ now and then: a look inside, a record ► Observer
//!                          │ now and then: a checkpoint ───────────► CheckpointStore
//!                          ▼
//!                    TrainingResult: last and best network, predictions on every split
//! ```
//!
//! The named choices are menus: [`loss`], [`optimizer`] and [`scheduler`] each hold a table with one row for each
//! entry, and a folder with one file for each. [`device`] alone knows which backends are compiled in.

mod average;
mod cells;
mod checkpoint;
mod clipping;
mod config;
pub mod device;
mod engine;
mod error;
mod gradient_noise;
pub mod inspection;
pub mod loss;
mod metric_accumulator;
pub mod optimizer;
mod parallel;
mod predict;
mod range_test;
mod record;
#[cfg(test)]
mod reference;
pub mod scheduler;
mod step_rules;
mod step_time;
mod supervised_model;
mod task;
mod trainer;

pub use average::WeightAverage;
pub use cells::cells;
pub use checkpoint::{CheckpointConfig, Every, OnError};
pub use clipping::GradientClipping;
pub use config::{Precision, TrainMetrics, TrainingConfig, check_decides};
pub use emberlab_metrics::Split;
pub use engine::{EngineConfig, RecordedTraining, TrainedBy};
pub use error::TrainingError;
pub use gradient_noise::GradientNoise;
pub use loss::{Loss, LossConfig, Reduction};
pub use metric_accumulator::{BatchResults, MetricAccumulator, host, labels};
pub use optimizer::{Optimizer, OptimizerConfig, UpdateRule};
pub use parallel::map_on_threads;
pub use predict::{Predicted, predict};
pub use range_test::RangeTest;
pub use record::{load_network, network_bytes};
pub use scheduler::{Interval, Scheduler, SchedulerConfig};
pub use step_rules::{Penalty, StepRules};
pub use step_time::StepTime;
pub use supervised_model::{StepOutput, SupervisedModel};
pub use task::Task;
pub use trainer::best_epoch::Objective;
pub use trainer::burn_dashboard::terminal;
pub use trainer::early_stopping::EarlyStopping;
pub use trainer::interrupt::StopFlag;
pub use trainer::{
    Dashboard, EpochRecord, EpochUnderWay, Observer, OpenDashboard, SplitData, Stay,
    StepwiseTraining, Trainer, TrainingResult, epochs_without_improvement,
};
