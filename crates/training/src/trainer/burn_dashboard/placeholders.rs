//! The parts of burn-train's learner that are not used: each does nothing. What the dashboard shows passes through one of
//! them, [`DashboardItem`].

use std::sync::Arc;

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::optim::GradientsParams;
use burn::tensor::{Device, ExecutionError};
use burn::train::logger::{EvaluationProgressLogger, MetricLogger, TrainingProgressLogger};
use burn::train::metric::store::{EpochSummary, MetricsUpdate, Split};
use burn::train::metric::{MetricDefinition, NumericEntry};
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};
use burn::train::{InferenceStep, ItemLazy, TrainOutput, TrainStep};
use emberlab_datasets::Batch;

use super::metrics::Shown;
use crate::supervised_model::SupervisedModel;

/// What the dashboard shows of a moment of the training: the learner takes it for the output of a step.
#[derive(Debug, Clone, Default)]
pub struct DashboardItem {
    /// Values of metrics by name.
    pub(super) shown: Shown,
    /// The findings of an observer so far.
    pub(super) found: Vec<String>,
}

impl ItemLazy for DashboardItem {
    fn sync(self) -> Result<Self, ExecutionError> {
        Ok(self)
    }
}

/// The learner takes only models with such a step, which is never called.
impl TrainStep for SupervisedModel {
    type Input = Batch;
    type Output = DashboardItem;

    fn step(&self, _: Batch) -> TrainOutput<DashboardItem> {
        TrainOutput {
            grads: GradientsParams::new(),
            item: DashboardItem::default(),
        }
    }
}

/// The learner takes only models with such a step, which is never called.
impl InferenceStep for SupervisedModel {
    type Input = Batch;
    type Output = DashboardItem;

    fn step(&self, _: Batch) -> DashboardItem {
        DashboardItem::default()
    }
}

/// A data loader without batches: the training loop cuts its own, which depend on epoch and step.
#[derive(Clone)]
pub(super) struct NoBatches;

impl DataLoader<Batch> for NoBatches {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        Box::new(Self)
    }

    fn num_items(&self) -> usize {
        0
    }

    fn to_device(&self, _: &Device) -> Arc<dyn DataLoader<Batch>> {
        Arc::new(Self)
    }

    fn slice(&self, _: usize, _: usize) -> Arc<dyn DataLoader<Batch>> {
        Arc::new(Self)
    }
}

impl Iterator for NoBatches {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        None
    }
}

impl DataLoaderIterator<Batch> for NoBatches {
    fn progress(&self) -> Progress {
        Progress::new(0, 0, None)
    }
}

/// Logs no metric: the run's own `metrics.csv` holds every epoch.
pub(super) struct NoMetricLogger;

impl MetricLogger for NoMetricLogger {
    fn log(&mut self, _: MetricsUpdate, _: usize, _: &Split) {}

    fn read_numeric(&mut self, _: &str, _: usize, _: &Split) -> Result<Vec<NumericEntry>, String> {
        Ok(Vec::new())
    }

    fn log_metric_definition(&mut self, _: MetricDefinition) {}

    fn log_epoch_summary(&mut self, _: EpochSummary) {}
}

/// Shows nothing.
pub(super) struct QuietRenderer;

impl MetricsRendererTraining for QuietRenderer {
    fn update_train(&mut self, _: MetricState) {}
    fn update_valid(&mut self, _: MetricState) {}
}

impl MetricsRendererEvaluation for QuietRenderer {
    fn update_test(&mut self, _: EvaluationName, _: MetricState) {}
}

impl TrainingProgressLogger for QuietRenderer {
    fn start(&mut self, _: usize, _: usize, _: Option<usize>, _: Option<&str>) {}
    fn update_epoch(&mut self, _: usize) {}
    fn start_split(&mut self, _: &str, _: usize) {}
    fn update_split(&mut self, _: usize) {}
    fn end_split(&mut self) {}
    fn end(&mut self) {}
    fn log_event_training(&mut self, _: String) {}
}

impl EvaluationProgressLogger for QuietRenderer {
    fn start_global_progress(&mut self, _: usize) {}
    fn start_test(&mut self, _: &str, _: usize) {}
    fn update_test_progress(&mut self, _: usize) {}
    fn end_test(&mut self) {}
    fn end_global_progress(&mut self) {}
    fn log_event_evaluation(&mut self, _: String) {}
}

impl MetricsRenderer for QuietRenderer {
    fn manual_close(&mut self) {}
    fn register_metric(&mut self, _: MetricDefinition) {}
}
