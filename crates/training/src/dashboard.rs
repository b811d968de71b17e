//! burn-train's dashboard, fed with finished numbers a few times a second.

use std::sync::Arc;
use std::time::{Duration, Instant};

use burn::data::dataloader::Progress;
use burn::tensor::TensorReadError;
use burn::train::logger::{EvaluationProgressLogger, MetricLogger, TrainingProgressLogger};
use burn::train::metric::store::{EpochSummary, MetricsUpdate, Split as BurnSplit};
use burn::train::metric::{
    Adaptor, Metric, MetricAttributes, MetricDefinition, MetricMetadata, MetricName, Numeric,
    NumericAttributes, NumericEntry, SerializedEntry,
};
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};
use burn::train::{
    EventProcessorTraining, Interrupter, LearnerEvent, SupervisedTrainingEventProcessor,
    TrainingItem,
};

use crate::supervised_model::{StepOutput, SupervisedModel};

/// What a person sees while a fit runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dashboard {
    /// burn-train's terminal dashboard; needs a terminal.
    Tui {
        /// Keep it open when the training has ended, until a key closes it.
        stay: bool,
    },
    /// Nothing: the observer tells what there is to tell.
    #[default]
    Quiet,
}

/// Time between two updates of the dashboard.
pub(crate) const TICK: Duration = Duration::from_millis(150);

/// Metric values by name, as a display takes them.
pub(crate) type Shown = Vec<(&'static str, f64)>;

impl Adaptor<Shown> for StepOutput {
    fn adapt(&self) -> Shown {
        self.shown.clone()
    }
}

/// A metric whose value the loop has already computed.
#[derive(Clone)]
pub(crate) struct ShownMetric {
    name: &'static str,
    title: MetricName,
    higher_is_better: bool,
    value: Option<f64>,
}

impl ShownMetric {
    pub(crate) fn new(name: &'static str, title: &str, higher_is_better: bool) -> Self {
        Self {
            name,
            title: Arc::new(title.to_string()),
            higher_is_better,
            value: None,
        }
    }

    fn entry(&self) -> SerializedEntry {
        self.value.map_or_else(
            || SerializedEntry::not_available(None),
            |value| {
                let text = match value.abs() {
                    x if x != 0.0 && !(1e-3..1e5).contains(&x) => format!("{value:.3e}"),
                    _ => format!("{value:.4}"),
                };
                SerializedEntry::new(text, value.to_string())
            },
        )
    }
}

impl Metric for ShownMetric {
    type Input = Shown;

    fn name(&self) -> MetricName {
        self.title.clone()
    }

    fn attributes(&self) -> MetricAttributes {
        MetricAttributes::Numeric(NumericAttributes {
            unit: None,
            higher_is_better: self.higher_is_better,
        })
    }

    fn update(
        &mut self,
        shown: &Shown,
        _: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        let found = shown.iter().find(|(name, _)| *name == self.name);
        self.value = found.map(|(_, value)| *value);
        Ok(self.entry())
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(self.entry())
    }

    // The last value stays on the screen between epochs.
    fn clear(&mut self) {}
}

impl Numeric for ShownMetric {
    fn value(&self) -> Option<NumericEntry> {
        self.value
            .filter(|v| v.is_finite())
            .map(NumericEntry::Value)
    }

    fn running_value(&self) -> Option<NumericEntry> {
        self.value()
    }

    fn final_value(&self) -> NumericEntry {
        NumericEntry::Final(self.value.unwrap_or(f64::NAN))
    }
}

/// What was found wrong so far: words among the figures.
#[derive(Clone, Default)]
pub(crate) struct FindingsMetric(Vec<String>);

/// What [`FindingsMetric`] takes.
pub(crate) struct Found(Vec<String>);

impl Adaptor<Found> for StepOutput {
    fn adapt(&self) -> Found {
        Found(self.found.clone())
    }
}

impl FindingsMetric {
    fn entry(&self) -> SerializedEntry {
        let text = match self.0.is_empty() {
            true => "nothing so far".to_string(),
            false => self.0.join(", "),
        };
        SerializedEntry::new(text.clone(), text)
    }
}

impl Metric for FindingsMetric {
    type Input = Found;

    fn name(&self) -> MetricName {
        Arc::new("Found".to_string())
    }

    fn update(
        &mut self,
        found: &Found,
        _: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        self.0 = found.0.clone();
        Ok(self.entry())
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(self.entry())
    }

    fn clear(&mut self) {}
}

/// The dashboard's end in the loop: decides how often it is told something.
pub(crate) struct Display {
    processor: SupervisedTrainingEventProcessor<SupervisedModel>,
    interrupter: Interrupter,
    is_shown: bool,
    told: Option<Instant>,
    epoch_began: Instant,
    found: Vec<String>,
}

impl Display {
    pub(crate) fn new(
        processor: SupervisedTrainingEventProcessor<SupervisedModel>,
        interrupter: Interrupter,
        is_shown: bool,
    ) -> Self {
        Self {
            processor,
            interrupter,
            is_shown,
            told: None,
            epoch_began: Instant::now(),
            found: Vec::new(),
        }
    }

    pub(crate) fn into_processor(self) -> SupervisedTrainingEventProcessor<SupervisedModel> {
        self.processor
    }

    /// Whether the person at the dashboard asked to stop.
    pub(crate) fn wants_stop(&self) -> bool {
        self.interrupter.should_stop()
    }

    /// An epoch begins.
    pub(crate) fn begin_epoch(&mut self) {
        self.epoch_began = Instant::now();
    }

    /// Whether to show how far an epoch is: only long ones, the others are shown when they end.
    pub(crate) fn is_due_within_epoch(&self, now: Instant) -> bool {
        self.is_due(now) && now - self.epoch_began >= TICK
    }

    /// Whether to show an epoch that ends: one that was shown under way, or whose time has come.
    pub(crate) fn is_due_at_end(&self, now: Instant) -> bool {
        self.is_due(now) || self.is_shown && self.told.is_some_and(|told| told > self.epoch_began)
    }

    fn is_due(&self, now: Instant) -> bool {
        self.is_shown && self.told.is_none_or(|told| now - told >= TICK)
    }

    /// An epoch is under way: `done` of `total` training samples seen.
    pub(crate) fn progress(&mut self, epoch: usize, done: usize, total: usize, shown: Shown) {
        self.told = Some(Instant::now());
        self.train(LearnerEvent::StartSplit {
            epoch_number: epoch,
            total_items: total,
        });
        let mut item = item(shown, done, total);
        item.item.found = self.found.clone();
        self.train(LearnerEvent::ProcessedItem(item));
    }

    /// An epoch has ended, with these metrics, and with this found wrong by now.
    pub(crate) fn epoch(
        &mut self,
        epoch: usize,
        num_train: usize,
        train: Shown,
        valid: Option<(usize, Shown)>,
        found: Vec<String>,
    ) {
        self.found = found;
        self.progress(epoch, num_train, num_train, train);
        self.train(LearnerEvent::EndSplit(epoch));
        if let Some((num_valid, shown)) = valid {
            self.valid(LearnerEvent::StartSplit {
                epoch_number: epoch,
                total_items: num_valid,
            });
            self.valid(LearnerEvent::ProcessedItem(item(
                shown, num_valid, num_valid,
            )));
            self.valid(LearnerEvent::EndSplit(epoch));
        }
        self.train(LearnerEvent::EndEpoch(epoch));
    }

    fn train(&mut self, event: LearnerEvent<StepOutput>) {
        let result = self.processor.process_train(event);
        self.interrupter.fail_on_error(result);
    }

    fn valid(&mut self, event: LearnerEvent<StepOutput>) {
        let result = self.processor.process_valid(event);
        self.interrupter.fail_on_error(result);
    }
}

fn item(shown: Shown, done: usize, total: usize) -> TrainingItem<StepOutput> {
    let measured = StepOutput {
        shown,
        ..StepOutput::default()
    };
    let progress = Progress::new(done, total, Some("samples".to_string()));
    TrainingItem::new(measured, progress, None, None)
}

/// Logs nothing: the run's own `metrics.csv` holds every epoch.
pub(crate) struct NoMetricLogger;

impl MetricLogger for NoMetricLogger {
    fn log(&mut self, _: MetricsUpdate, _: usize, _: &BurnSplit) {}

    fn read_numeric(
        &mut self,
        _: &str,
        _: usize,
        _: &BurnSplit,
    ) -> Result<Vec<NumericEntry>, String> {
        Ok(Vec::new())
    }

    fn log_metric_definition(&mut self, _: MetricDefinition) {}

    fn log_epoch_summary(&mut self, _: EpochSummary) {}
}

/// Shows nothing.
pub(crate) struct QuietRenderer;

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
