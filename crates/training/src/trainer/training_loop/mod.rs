//! The training loop: epochs, steps, metrics and checkpoints, for one training or many at once.

mod finish;

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use emberlab_datasets::{Batch, Batches, DeviceDataset};
use emberlab_metrics::{Direction, SplitMetrics};
use emberlab_run_format::Ending;
use emberlab_storage::{Checkpoint, Position};

use super::burn_dashboard::{Dashboard, Display, Shown, ShownMetric};
use super::interrupt::StopFlag;
use super::observer::EpochRecord;
use super::replica::Replica;
use super::result::TrainingResult;
use super::split_data::SplitData;
use super::{Trainer, start};
use crate::checkpoint::{CheckpointConfig, Every, OnError};
use crate::config::{TrainMetrics, TrainingConfig};
use crate::engine::{BatchedEngine, TrainingEngine};
use crate::error::TrainingError;
use crate::loss::LossConfig;
use crate::metric_accumulator::MetricAccumulator;
use crate::predict::chunks;
use crate::supervised_model::{StepOutput, SupervisedModel};
use crate::task::Task;

/// One or more trainings, all at the same step, which differ at most in seed, data and learning rate.
pub(super) struct TrainingLoop {
    engine: Box<dyn TrainingEngine>,
    /// The trainings, in the engine's order.
    replicas: Vec<Replica>,
    /// The results of trainings that stopped early, by their places.
    results: Vec<(usize, TrainingResult)>,
    /// The splits of the trainings, end to end.
    data: SplitData,
    /// Losses and outputs on the device that no metric has read yet.
    pending: StepOutput,
    loss: LossConfig,
    task: Task,
    training: TrainingConfig,
    checkpoint: CheckpointConfig,
    dashboard: Dashboard,
    stop: StopFlag,
    /// Each training's share of the time since the loop was made.
    spent: Duration,
    /// The moment up to which `spent` counts.
    counted: Instant,
    saved_at: Instant,
    /// Whether a step is under way, so that weights, optimiser and progress may disagree.
    is_within_step: bool,
}

/// Batches whose outputs may wait on the device before they are read.
const MAX_PENDING: usize = 512;

impl TrainingLoop {
    /// Starts trainings, each from its configuration or its checkpoint.
    ///
    /// # Errors
    /// [`TrainingError::Storage`] for a damaged checkpoint, [`TrainingError::NotAlike`] for trainings that
    /// cannot run at once.
    pub(super) fn new(
        trainers: Vec<(Trainer, Option<&Checkpoint>)>,
    ) -> Result<Self, TrainingError> {
        let Some((first, _)) = trainers.first() else {
            return Err(TrainingError::NotAlike("there are none"));
        };
        let settings = (
            first.loss.clone(),
            first.task.clone(),
            first.training.clone(),
            first.checkpoint.clone(),
        );
        let (loss, task, training, checkpoint) = settings;
        let (dashboard, stop) = (first.dashboard, first.stop.clone());
        if trainers.iter().any(|(trainer, _)| !trainer.is_like(first)) {
            return Err(TrainingError::NotAlike("their settings differ"));
        }
        let data = trainers.iter().map(|(trainer, _)| trainer.data.clone());
        let data: Vec<SplitData> = data.collect();
        let mut replicas = Vec::new();
        let mut singles = Vec::new();
        for (place, (trainer, from)) in trainers.into_iter().enumerate() {
            let (replica, single) = start::start(place, trainer, from)?;
            replicas.push(replica);
            singles.push(single);
        }
        let starts: Vec<Position> = replicas.iter().map(|r| r.progress.position).collect();
        if starts.iter().any(|start| *start != starts[0]) {
            return Err(TrainingError::NotAlike("they are at different steps"));
        }
        let engine: Box<dyn TrainingEngine> = match singles.len() {
            1 => Box::new(singles.swap_remove(0)),
            _ => match BatchedEngine::new(singles) {
                Some(engine) => Box::new(engine),
                None => return Err(TrainingError::NotAlike("their networks differ")),
            },
        };
        let now = Instant::now();
        Ok(Self {
            engine,
            replicas,
            results: Vec::new(),
            data: SplitData::stacked(&data),
            pending: StepOutput::default(),
            loss,
            task,
            training,
            checkpoint,
            dashboard,
            stop,
            spent: Duration::ZERO,
            counted: now,
            saved_at: now,
            is_within_step: false,
        })
    }

    pub(super) fn dashboard(&self) -> Dashboard {
        self.dashboard
    }

    pub(super) fn is_within_step(&self) -> bool {
        self.is_within_step
    }

    /// Epochs planned.
    pub(super) fn num_epochs(&self) -> usize {
        self.training.num_epochs
    }

    /// Epochs done before the loop runs.
    pub(super) fn starting_epoch(&self) -> usize {
        self.position().epoch
    }

    /// The first network and its loss, for a learner that only passes it on.
    pub(super) fn supervised(&self) -> SupervisedModel {
        SupervisedModel::new(self.engine.network(0), self.loss.clone())
    }

    /// The metrics the dashboard plots, the learning rate last.
    pub(super) fn shown_metrics(&self) -> Vec<ShownMetric> {
        let metrics = self.task.metrics().into_iter().map(|metric| {
            let higher_is_better = metric.direction() == Direction::Higher;
            ShownMetric::new(metric.name(), metric.title(), higher_is_better)
        });
        let rate = ShownMetric::new("learning_rate", "Learning rate", true);
        metrics.chain([rate]).collect()
    }

    /// Trains until every training is done; breaks off when asked to stop, with everything saved.
    pub(super) fn run(&mut self, display: &mut Display) -> Result<ControlFlow<()>, TrainingError> {
        if self.loss.function.is_flat() {
            return Err(TrainingError::FlatLoss {
                loss: self.loss.name(),
                better: self.loss.function.better(),
            });
        }
        loop {
            let leaving = self.out_of_patience();
            let is_done = self.position().epoch >= self.training.num_epochs;
            if is_done || leaving.len() == self.replicas.len() {
                return Ok(ControlFlow::Continue(()));
            }
            self.retire(&leaving)?;
            if self.train_epoch(display)?.is_break() || self.end_epoch(display)?.is_break() {
                self.save()?;
                return Ok(ControlFlow::Break(()));
            }
        }
    }

    /// Epochs and steps done, the same for all trainings.
    fn position(&self) -> Position {
        self.replicas[0].progress.position
    }

    fn step(&self) -> u64 {
        self.replicas[0].progress.step
    }

    /// The trainings that early stopping ends.
    fn out_of_patience(&self) -> Vec<usize> {
        let indices = 0..self.replicas.len();
        indices
            .filter(|&i| self.replicas[i].is_out_of_patience(&self.training))
            .collect()
    }

    /// Ends some trainings while others go on.
    fn retire(&mut self, leaving: &[usize]) -> Result<(), TrainingError> {
        if leaving.is_empty() {
            return Ok(());
        }
        for &index in leaving {
            let result = self.finish_one(index, Ending::StoppedEarly)?;
            self.results.push((self.replicas[index].place, result));
        }
        let num_replicas = self.replicas.len();
        let staying: Vec<usize> = (0..num_replicas).filter(|i| !leaving.contains(i)).collect();
        self.engine.keep(&staying);
        let data: Vec<SplitData> = staying
            .iter()
            .map(|&index| self.data.part(index, num_replicas))
            .collect();
        self.data = SplitData::stacked(&data);
        self.replicas.retain(|replica| {
            let has_result = |(place, _): &(usize, TrainingResult)| *place == replica.place;
            !self.results.iter().any(has_result)
        });
        Ok(())
    }

    /// Whether somebody asked to stop, by a signal or at the dashboard.
    fn is_stopping(&self, display: &Display) -> bool {
        self.stop.is_due(self.step()) || display.wants_stop()
    }

    /// The steps of the epoch under way that are not done yet; breaks off when asked to stop.
    fn train_epoch(&mut self, display: &mut Display) -> Result<ControlFlow<()>, TrainingError> {
        let position = self.position();
        let train = self.data.train.clone();
        let config = self.training.batches();
        let seeds: Vec<u64> = self.replicas.iter().map(|replica| replica.seed).collect();
        let mut batches = Batches::stacked(&train, &config, &seeds, position.epoch as u64);
        batches.skip_to(position.step_in_epoch);
        display.begin_epoch();
        for batch in batches {
            if self.is_stopping(display) {
                return Ok(ControlFlow::Break(()));
            }
            self.train_step(batch);
            let now = Instant::now();
            if self.pending.losses.len() >= MAX_PENDING {
                self.read_pending()?;
            }
            // Metrics that are evaluated after the epoch have nothing to show before its end.
            if display.is_due_within_epoch(now)
                && self.training.train_metrics == TrainMetrics::Running
            {
                self.read_pending()?;
                let accumulator = &self.replicas[0].progress.accumulator;
                let shown = self.shown(&accumulator.metrics()?);
                let done = accumulator.num_samples() as usize;
                display.progress(position.epoch + 1, done, train.len(), shown);
            }
            let is_due = match self.checkpoint.every {
                Every::Seconds(seconds) => (now - self.saved_at).as_secs_f64() >= seconds,
                Every::Steps(steps) => self.step().is_multiple_of(steps),
                Every::Epochs(_) => false,
            };
            if is_due {
                self.save()?;
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn train_step(&mut self, batch: Batch) {
        self.is_within_step = true;
        let rate = |replica: &Replica| replica.scheduler.learning_rate(replica.progress.step);
        let rates: Vec<f64> = self.replicas.iter().map(rate).collect();
        let clipping = self.training.gradient_clipping.as_ref();
        let measured = self.engine.step(batch, clipping, &rates);
        for replica in &mut self.replicas {
            replica.progress.step += 1;
            replica.progress.position.step_in_epoch += 1;
        }
        if self.training.train_metrics == TrainMetrics::Running {
            self.pending.extend(measured);
        }
        self.is_within_step = false;
    }

    /// Adds losses and outputs that are still on the device to the metrics.
    fn read_pending(&mut self) -> Result<(), TrainingError> {
        let outcomes = std::mem::take(&mut self.pending).read(self.replicas.len())?;
        let reduction = self.loss.reduction;
        for (replica, outcome) in self.replicas.iter_mut().zip(&outcomes) {
            let accumulator = &mut replica.progress.accumulator;
            accumulator.add(outcome, &self.task, reduction)?;
        }
        Ok(())
    }

    /// Ends an epoch whose steps are done: metrics, early stopping, observers, and a checkpoint if one is due.
    /// Breaks off when asked to stop during the evaluation; a resumed training then ends the epoch.
    fn end_epoch(&mut self, display: &mut Display) -> Result<ControlFlow<()>, TrainingError> {
        self.read_pending()?;
        let evaluate = |data| self.evaluate(data, || self.is_stopping(display));
        let train = match self.training.train_metrics {
            TrainMetrics::Running => {
                let accumulators = self
                    .replicas
                    .iter()
                    .map(|replica| replica.progress.accumulator.metrics());
                Some(accumulators.collect::<Result<Vec<_>, _>>()?)
            }
            TrainMetrics::Evaluated => evaluate(&self.data.train)?,
        };
        let valid = match (&train, &self.data.valid) {
            (Some(_), Some(data)) => evaluate(data)?.map(Some),
            _ => Some(None),
        };
        let (Some(train), Some(valid)) = (train, valid) else {
            return Ok(ControlFlow::Break(()));
        };
        self.count_time();
        let mut all_written = Ok(());
        for (index, train) in train.into_iter().enumerate() {
            let valid = valid.as_ref().map(|valid| valid[index].clone());
            let written = self.end_epoch_of(index, train, valid, display);
            // Every training ends the epoch, even if a file of another cannot be written.
            all_written = all_written.and(written);
        }
        all_written?;
        if let Every::Epochs(epochs) = self.checkpoint.every
            && self.position().epoch.is_multiple_of(epochs)
        {
            self.save()?;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Ends the epoch of one training; the dashboard shows the first.
    fn end_epoch_of(
        &mut self,
        index: usize,
        train: SplitMetrics,
        valid: Option<SplitMetrics>,
        display: &mut Display,
    ) -> Result<(), TrainingError> {
        let replica = &mut self.replicas[index];
        replica.progress.position = Position {
            epoch: replica.progress.position.epoch + 1,
            step_in_epoch: 0,
        };
        replica.progress.accumulator = MetricAccumulator::new(&self.task)?;
        let is_best = replica.observe(&self.training, &train, valid.as_ref());
        if is_best {
            replica.best = Some(self.engine.network(index));
        }
        let record = EpochRecord {
            epoch: replica.progress.position.epoch,
            num_epochs: self.training.num_epochs,
            step: replica.progress.step,
            learning_rate: replica.last_learning_rate(),
            train,
            valid,
            is_best,
            elapsed: replica.elapsed(self.spent),
        };
        let written = replica.observer.epoch_ended(&record);
        let written = tolerate(&self.checkpoint, replica, written);
        let is_last =
            record.epoch == record.num_epochs || replica.is_out_of_patience(&self.training);
        if index == 0 && (display.is_due_at_end(Instant::now()) || is_last) {
            let train = self.shown(&record.train);
            let valid = record.valid.as_ref().zip(self.data.valid.as_ref());
            let valid = valid.map(|(metrics, data)| (data.len(), self.shown(metrics)));
            let found = self.replicas[index].observer.findings();
            display.epoch(record.epoch, self.data.train.len(), train, valid, found);
        }
        written
    }

    /// The metrics and the learning rate of the first training, for the dashboard.
    fn shown(&self, metrics: &SplitMetrics) -> Shown {
        let rate = ("learning_rate", self.replicas[0].last_learning_rate());
        let named = metrics.iter().map(|(metric, value)| (metric.name(), value));
        named.chain([rate]).collect()
    }

    /// The metrics of every training on a split, in evaluation mode; none if `is_stopping` along the way.
    fn evaluate(
        &self,
        data: &DeviceDataset,
        is_stopping: impl Fn() -> bool,
    ) -> Result<Option<Vec<SplitMetrics>>, TrainingError> {
        let num_replicas = self.replicas.len();
        let mut accumulators = vec![MetricAccumulator::new(&self.task)?; num_replicas];
        for batch in chunks(data, num_replicas) {
            if is_stopping() {
                return Ok(None);
            }
            let outcomes = self.engine.evaluate(batch).read(num_replicas)?;
            for (accumulator, outcome) in accumulators.iter_mut().zip(&outcomes) {
                accumulator.add(outcome, &self.task, self.loss.reduction)?;
            }
        }
        let metrics = accumulators.iter().map(MetricAccumulator::metrics);
        Ok(Some(metrics.collect::<Result<_, _>>()?))
    }

    /// Counts the time since the last call: an equal share for each training.
    fn count_time(&mut self) {
        let now = Instant::now();
        self.spent += (now - self.counted).div_f64(self.replicas.len() as f64);
        self.counted = now;
    }

    /// Writes checkpoints, unless the newest ones are already of this position.
    pub(super) fn save(&mut self) -> Result<(), TrainingError> {
        self.read_pending()?;
        self.count_time();
        let mut saved = Ok(());
        for index in 0..self.replicas.len() {
            saved = saved.and(self.save_one(index));
        }
        self.saved_at = Instant::now();
        saved
    }

    fn save_one(&mut self, index: usize) -> Result<(), TrainingError> {
        let replica = &mut self.replicas[index];
        let written = replica.save(&*self.engine, index, self.spent);
        tolerate(&self.checkpoint, replica, written)
    }
}

/// Passes over a file that cannot be written, if the configuration says to go on.
fn tolerate(
    checkpoint: &CheckpointConfig,
    replica: &mut Replica,
    result: Result<(), TrainingError>,
) -> Result<(), TrainingError> {
    match result {
        Err(error @ TrainingError::Storage(_)) if checkpoint.on_error == OnError::Continue => {
            replica.observer.save_failed(&error);
            Ok(())
        }
        result => result,
    }
}
