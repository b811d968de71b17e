//! The training loop: epochs, steps, metrics and checkpoints, for one training or many at once.

mod finish;
mod one_at_a_time;
mod recorder;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use emberlab_datasets::DeviceDataset;
use emberlab_metrics::{Direction, Split, SplitMetrics};
use emberlab_models::Network;
use emberlab_run_format::Ending;
use emberlab_storage::{Batch, Checkpoint, Position};
use rayon::prelude::*;

use super::burn_dashboard::{Dashboard, Display, Shown, ShownMetric};
use super::interrupt::StopFlag;
use super::observer::EpochRecord;
use super::replica::Replica;
use super::result::TrainingResult;
use super::{Trainer, start};
use crate::checkpoint::{CheckpointConfig, Every, OnError};
use crate::config::TrainMetrics;
use crate::engine::{Shared, Steps, TIME_OF_A_CALL, TrainingEngine, engine};
use crate::error::TrainingError;
use crate::inspection::Spacing;
use crate::metric_accumulator::MetricAccumulator;
use crate::parallel::is_parallel;
use crate::supervised_model::SupervisedModel;
use recorder::{Recorder, Records, Snapshot};

/// One or more trainings, all at the same step, which differ at most in seed, data and learning rate.
pub(super) struct TrainingLoop {
    engine: Box<dyn TrainingEngine>,
    /// The trainings, in the engine's order.
    replicas: Vec<Replica>,
    /// The results of trainings that stopped early, by their places.
    results: Vec<(usize, TrainingResult)>,
    /// Rows of the training split of each training.
    num_train: usize,
    /// Rows of the validation split of each training, if there is one.
    num_valid: Option<usize>,
    shared: Shared,
    checkpoint: CheckpointConfig,
    dashboard: Dashboard,
    /// The shortest time that an epoch may take.
    least_epoch: Duration,
    stop: StopFlag,
    /// Each training's share of the time since the loop was made.
    spent: Duration,
    /// The moment up to which `spent` counts.
    counted: Instant,
    saved_at: Instant,
    /// Whether a step is under way, so that weights, optimiser and progress may disagree.
    is_within_step: bool,
    /// When the layers are recorded, if they are.
    spacing: Option<Spacing>,
    recorder: Recorder,
    /// Whether the trainings begin, so that their layers are recorded before the first step.
    is_new: bool,
}

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
        let shared = Shared {
            loss: first.loss.clone(),
            task: first.task.clone(),
            asked: first.training.asked_metrics(&first.scheduler),
            training: first.training.clone(),
            device: first.device.clone(),
        };
        let (checkpoint, dashboard) = (first.checkpoint.clone(), first.dashboard);
        let least_epoch = first.least_epoch;
        let stop = first.stop.clone();
        let num_train = first.data.train.len();
        let num_valid = first.data.valid.as_ref().map(DeviceDataset::len);
        if trainers.iter().any(|(trainer, _)| !trainer.is_like(first)) {
            return Err(TrainingError::NotAlike("their settings differ"));
        }
        let is_new = trainers.iter().all(|(_, from)| from.is_none());
        let mut replicas: Vec<Replica> = Vec::new();
        let mut beginnings = Vec::new();
        for (place, (trainer, from)) in trainers.into_iter().enumerate() {
            let (replica, beginning) = start::start(place, trainer, from)?;
            replicas.push(replica);
            beginnings.push(beginning);
        }
        let starts: Vec<Position> = replicas.iter().map(|r| r.progress.position).collect();
        if starts.iter().any(|start| *start != starts[0]) {
            return Err(TrainingError::NotAlike("they are at different steps"));
        }
        let now = Instant::now();
        let inspector = replicas.first().and_then(|first| first.inspector.as_ref());
        let spacing = inspector.map(|inspector| *inspector.spacing());
        let recorder = Recorder::new(inspector.map(Arc::as_ref));
        Ok(Self {
            engine: engine(beginnings, shared.clone())?,
            replicas,
            results: Vec::new(),
            num_train,
            num_valid,
            shared,
            checkpoint,
            dashboard,
            least_epoch,
            stop,
            spent: Duration::ZERO,
            counted: now,
            saved_at: now,
            is_within_step: false,
            spacing,
            recorder,
            is_new,
        })
    }

    pub(super) fn dashboard(&self) -> Dashboard {
        self.dashboard
    }

    /// Whether epochs are slowed down, so that people can watch each of them.
    pub(super) fn is_slowed_down(&self) -> bool {
        !self.least_epoch.is_zero()
    }

    pub(super) fn is_within_step(&self) -> bool {
        self.is_within_step
    }

    /// Epochs planned.
    pub(super) fn num_epochs(&self) -> usize {
        self.shared.training.num_epochs
    }

    /// Epochs done before the loop runs.
    pub(super) fn starting_epoch(&self) -> usize {
        self.position().epoch
    }

    /// The first network and its loss, for a learner that only passes it on.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    pub(super) fn supervised(&mut self) -> Result<SupervisedModel, TrainingError> {
        let network = self.engine.network(0)?;
        Ok(SupervisedModel::new(network, self.shared.loss.clone()))
    }

    /// The metrics the dashboard plots, the learning rate last.
    pub(super) fn shown_metrics(&self) -> Vec<ShownMetric> {
        let Shared { task, asked, .. } = &self.shared;
        let mut metrics = task.metrics();
        metrics.retain(|metric| !metric.is_on_request() || asked.contains(metric));
        let metrics = metrics.into_iter().map(|metric| {
            let higher_is_better = metric.direction() == Direction::Higher;
            ShownMetric::new(metric.name(), metric.title(), higher_is_better)
        });
        let rate = ShownMetric::new("learning_rate", "Learning rate", true);
        metrics.chain([rate]).collect()
    }

    /// Trains until every training is done; breaks off when asked to stop, with everything saved.
    pub(super) fn run(
        &mut self,
        display: &mut Display<'_>,
    ) -> Result<ControlFlow<()>, TrainingError> {
        self.check_loss()?;
        if std::mem::take(&mut self.is_new) {
            self.record_layers(Vec::new())?;
        }
        let mut next_epoch = Instant::now();
        loop {
            let leaving = self.out_of_patience();
            let is_done = self.position().epoch >= self.shared.training.num_epochs;
            if is_done || leaving.len() == self.replicas.len() {
                return Ok(ControlFlow::Continue(()));
            }
            self.retire(&leaving)?;
            self.wait_until(next_epoch, display);
            next_epoch = Instant::now() + self.least_epoch;
            if self.train_epoch(display)?.is_break() || self.end_epoch(display)?.is_break() {
                self.save()?;
                return Ok(ControlFlow::Break(()));
            }
        }
    }

    /// Checks that the loss has gradients.
    ///
    /// # Errors
    /// [`TrainingError::FlatLoss`] with the losses to use instead.
    pub(super) fn check_loss(&self) -> Result<(), TrainingError> {
        match self.shared.loss.function.is_flat() {
            false => Ok(()),
            true => Err(TrainingError::FlatLoss {
                loss: self.shared.loss.name(),
                better: self.shared.loss.function.better(),
            }),
        }
    }

    /// Waits until `moment` or until asked to stop. The time does not count.
    fn wait_until(&mut self, moment: Instant, display: &Display<'_>) {
        const LOOK: Duration = Duration::from_millis(10);
        if Instant::now() >= moment {
            return;
        }
        self.count_time();
        while !self.is_stopping(display) {
            let left = moment.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            std::thread::sleep(left.min(LOOK));
        }
        self.counted = Instant::now();
    }

    /// Epochs and steps done, the same for all trainings.
    pub(super) fn position(&self) -> Position {
        self.replicas[0].progress.position
    }

    /// Steps done in all epochs, the same for all trainings.
    pub(super) fn step(&self) -> u64 {
        self.replicas[0].progress.step
    }

    /// The trainings that early stopping ends.
    pub(super) fn out_of_patience(&self) -> Vec<usize> {
        let indices = 0..self.replicas.len();
        indices
            .filter(|&i| self.replicas[i].is_out_of_patience(&self.shared.training))
            .collect()
    }

    /// Ends some trainings, by their ascending indices, while others go on.
    fn retire(&mut self, leaving: &[usize]) -> Result<(), TrainingError> {
        if leaving.is_empty() {
            return Ok(());
        }
        self.finish_records()?;
        self.count_time();
        self.save_these(leaving.iter().copied())?;
        self.wait_for_room(leaving)?;
        let early = |&index: &usize| (index, Ending::StoppedEarly);
        let results = self.finish_these(leaving.iter().map(early).collect())?;
        self.results.extend(results);
        let indices = 0..self.replicas.len();
        let is_staying = |index: &usize| leaving.binary_search(index).is_err();
        let staying: Vec<usize> = indices.filter(is_staying).collect();
        self.engine.keep(&staying);
        let replicas = std::mem::take(&mut self.replicas).into_iter().enumerate();
        let staying = replicas.filter(|(index, _)| is_staying(index));
        self.replicas = staying.map(|(_, replica)| replica).collect();
        Ok(())
    }

    /// Whether somebody asked to stop, by a signal or at the dashboard.
    fn is_stopping(&self, display: &Display<'_>) -> bool {
        self.stop.is_due(self.step()) || display.wants_stop()
    }

    /// The steps of the epoch under way that are not done yet; breaks off when asked to stop.
    fn train_epoch(&mut self, display: &mut Display<'_>) -> Result<ControlFlow<()>, TrainingError> {
        let batches = self.shared.training.batches();
        let num_steps = batches.num_batches(self.num_train);
        display.begin_epoch();
        while self.position().step_in_epoch < num_steps {
            if self.is_stopping(display) {
                return Ok(ControlFlow::Break(()));
            }
            self.train_steps(num_steps)?;
            let now = Instant::now();
            if self.engine.has_many_results() {
                self.read_results()?;
            }
            // Metrics that are evaluated after the epoch have nothing to show before its end.
            if display.is_due_within_epoch(now)
                && self.shared.training.train_metrics == TrainMetrics::Running
            {
                self.read_results()?;
                let accumulator = &self.replicas[0].progress.accumulator;
                let metrics = accumulator.metrics(&self.shared.task, &self.shared.loss)?;
                let shown = self.shown(&metrics, self.replicas[0].last_learning_rate());
                let done = accumulator.num_samples() as usize;
                let epoch = self.position().epoch + 1;
                display.progress(epoch, done, self.num_train, shown);
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

    /// Trains the next steps of an epoch of `num_steps`, as many as one call should take.
    fn train_steps(&mut self, num_steps: usize) -> Result<(), TrainingError> {
        let Position {
            epoch,
            step_in_epoch,
        } = self.position();
        let count = self.steps_of_a_call().min(num_steps - step_in_epoch);
        let whole_epochs = |spacing: &Spacing| spacing.whole_epochs(epoch as u64);
        let steps = Steps {
            epoch: epoch as u64,
            steps: step_in_epoch..step_in_epoch + count,
            done: self.step(),
            whole_epochs: self.spacing.as_ref().map_or(usize::MAX, whole_epochs),
        };
        let end = self.step() + count as u64;
        let is_record_due = self.spacing.is_some_and(|spacing| spacing.is_due(end));
        let mut before = Vec::new();
        if is_record_due {
            for index in 0..self.replicas.len() {
                before.push(self.engine.network(index)?);
            }
        }
        self.is_within_step = true;
        (self.engine).train(&steps, &mut accumulators(&mut self.replicas))?;
        for replica in &mut self.replicas {
            replica.progress.step += count as u64;
            replica.progress.position.step_in_epoch += count;
        }
        match is_record_due {
            true => self.record_layers(before)?,
            false => {
                let records = self.recorder.take()?;
                self.write_records(records)?;
            }
        }
        self.is_within_step = false;
        Ok(())
    }

    /// Begins to record the layers of every network. `before` are the networks before the last step; none before the
    /// first one.
    fn record_layers(&mut self, before: Vec<Network>) -> Result<(), TrainingError> {
        self.finish_records()?;
        let mut before = before.into_iter();
        let mut snapshots = Vec::new();
        for index in 0..self.replicas.len() {
            snapshots.extend(self.snapshot(index, before.next())?);
        }
        self.recorder.begin(snapshots);
        Ok(())
    }

    /// The parts that the record of one network is made from, if its layers are recorded.
    fn snapshot(
        &mut self,
        index: usize,
        before: Option<Network>,
    ) -> Result<Option<(usize, Snapshot)>, TrainingError> {
        let replica = &self.replicas[index];
        let Some(inspector) = replica.inspector.clone() else {
            return Ok(None);
        };
        let snapshot = Snapshot {
            inspector,
            network: self.engine.network(index)?,
            before,
            step: replica.progress.step,
        };
        Ok(Some((replica.place, snapshot)))
    }

    /// Waits for the records under way and writes them. Every checkpoint waits for them, so that it holds both a step
    /// and its record, or neither.
    fn finish_records(&mut self) -> Result<(), TrainingError> {
        let records = self.recorder.wait()?;
        self.write_records(records)
    }

    /// Gives the records to the observers of their trainings, all of them, even if one cannot write its own.
    fn write_records(&mut self, records: Records) -> Result<(), TrainingError> {
        let mut all_written = Ok(());
        // Both are in the order of places.
        let mut replicas = self.replicas.iter_mut();
        for (place, record) in records {
            if let Some(replica) = replicas.find(|replica| replica.place == place) {
                let written = replica.observer.inspected(&record);
                all_written = all_written.and(tolerate(&self.checkpoint, replica, written));
            }
        }
        all_written
    }

    /// The number of steps that the next call should take, at least one; it ends where a checkpoint, a record or a stop
    /// is due, and a step before a record.
    fn steps_of_a_call(&self) -> usize {
        let (time, to_checkpoint) = match self.checkpoint.every {
            Every::Steps(steps) => (TIME_OF_A_CALL, steps - self.step() % steps),
            Every::Seconds(seconds) => {
                // More seconds than a duration can hold never pass.
                let every = Duration::try_from_secs_f64(seconds);
                let time = every.map_or(TIME_OF_A_CALL, |every| every.min(TIME_OF_A_CALL));
                (time, u64::MAX)
            }
            Every::Epochs(_) => (TIME_OF_A_CALL, u64::MAX),
        };
        let in_time = self.engine.steps_within(time);
        let of_a_call = |spacing: Spacing| spacing.steps_of_a_call(self.step());
        let to_record = self.spacing.map_or(u64::MAX, of_a_call);
        let to_stop = self.stop.steps_left(self.step());
        let due = to_checkpoint.min(to_record).min(to_stop).max(1);
        in_time.min(usize::try_from(due).unwrap_or(usize::MAX))
    }

    /// Adds results that are still on the device to the metrics.
    fn read_results(&mut self) -> Result<(), TrainingError> {
        (self.engine).read_results(&mut accumulators(&mut self.replicas))
    }

    /// Ends an epoch whose steps are done: metrics, early stopping, observers, and a checkpoint if one is due.
    /// Breaks off when asked to stop during the evaluation; a resumed training then ends the epoch.
    fn end_epoch(&mut self, display: &mut Display<'_>) -> Result<ControlFlow<()>, TrainingError> {
        self.read_results()?;
        if self.position().epoch + 1 == self.num_epochs() {
            // The last epoch is shown with all that was found.
            self.finish_records()?;
        }
        let train = match self.shared.training.train_metrics {
            TrainMetrics::Running => {
                let replicas = self.replicas.iter();
                let accumulators = replicas.map(|replica| &replica.progress.accumulator);
                Some(metrics(accumulators, &self.shared)?)
            }
            TrainMetrics::Evaluated => self.evaluate(Split::Train, display)?,
        };
        let valid = match (&train, self.num_valid) {
            (Some(_), Some(_)) => self.evaluate(Split::Valid, display)?.map(Some),
            _ => Some(None),
        };
        let (Some(train), Some(valid)) = (train, valid) else {
            return Ok(ControlFlow::Break(()));
        };
        self.count_time();
        let num_replicas = self.replicas.len();
        let valid = match valid {
            Some(valid) => valid.into_iter().map(Some).collect(),
            None => vec![None; num_replicas],
        };
        let (shared, checkpoint, spent) = (&self.shared, &self.checkpoint, self.spent);
        let end = |((replica, train), valid): ((&mut Replica, SplitMetrics), _)| {
            let (record, written) = replica.end_epoch(shared, train, valid, spent)?;
            Ok((record, tolerate(checkpoint, replica, written)))
        };
        let replicas = &mut self.replicas;
        let ended: Result<Vec<_>, TrainingError> = match is_parallel(num_replicas) {
            true => (replicas.par_iter_mut().zip(train).zip(valid))
                .map(end)
                .collect(),
            false => (replicas.iter_mut().zip(train).zip(valid))
                .map(end)
                .collect(),
        };
        let mut all_written = Ok(());
        for (index, (record, written)) in ended?.into_iter().enumerate() {
            if record.is_best {
                self.engine.remember_best(index)?;
            }
            let scheduler = &self.replicas[index].scheduler;
            if scheduler.plateau().is_some() {
                self.engine.set_scheduler(index, scheduler.clone());
            }
            if index == 0 {
                self.show_epoch(&record, display);
            }
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

    /// Shows the end of an epoch of the first training.
    fn show_epoch(&self, record: &EpochRecord, display: &mut Display<'_>) {
        let replica = &self.replicas[0];
        let is_last =
            record.epoch == record.num_epochs || replica.is_out_of_patience(&self.shared.training);
        if display.is_due_at_end(Instant::now()) || is_last {
            let rate = record.learning_rate;
            let train = self.shown(&record.train, rate);
            let valid = record.valid.as_ref().zip(self.num_valid);
            let valid = valid.map(|(metrics, num_valid)| (num_valid, self.shown(metrics, rate)));
            let found = replica.observer.findings();
            display.epoch(record.epoch, self.num_train, train, valid, found);
        }
    }

    /// The metrics and the learning rate of the first training, for the dashboard.
    fn shown(&self, metrics: &SplitMetrics, learning_rate: f64) -> Shown {
        let rate = ("learning_rate", learning_rate);
        let named = metrics.iter().map(|(metric, value)| (metric.name(), value));
        named.chain([rate]).collect()
    }

    /// The metrics of every training on a split, in evaluation mode; none if asked to stop along the way.
    fn evaluate(
        &mut self,
        split: Split,
        display: &Display<'_>,
    ) -> Result<Option<Vec<SplitMetrics>>, TrainingError> {
        let empty = MetricAccumulator::new(&self.shared.task, &self.shared.asked)?;
        let mut accumulators = vec![empty; self.replicas.len()];
        let mut references: Vec<&mut MetricAccumulator> = accumulators.iter_mut().collect();
        let (stop, step) = (&self.stop, self.replicas[0].progress.step);
        let is_stopping = || stop.is_due(step) || display.wants_stop();
        let evaluated = self.engine.evaluate(split, &mut references, &is_stopping)?;
        if evaluated.is_break() {
            return Ok(None);
        }
        Ok(Some(metrics(accumulators.iter(), &self.shared)?))
    }

    /// Counts the time since the last call: an equal share for each training.
    fn count_time(&mut self) {
        let now = Instant::now();
        self.spent += (now - self.counted).div_f64(self.replicas.len() as f64);
        self.counted = now;
    }

    /// Writes checkpoints, unless the newest ones are already of this position.
    pub(super) fn save(&mut self) -> Result<(), TrainingError> {
        self.read_results()?;
        self.finish_records()?;
        self.count_time();
        let saved = self.save_these(0..self.replicas.len());
        self.saved_at = Instant::now();
        saved
    }

    /// Writes checkpoints of some trainings. They appear together, so that they wait for the disk once.
    fn save_these(&mut self, indices: impl Iterator<Item = usize>) -> Result<(), TrainingError> {
        let mut saved = Ok(());
        let mut batch = Batch::default();
        let mut written = Vec::new();
        for index in indices {
            let replica = &mut self.replicas[index];
            if !replica.has_to_save() {
                continue;
            }
            // A checkpoint must never be newer than the files beside it.
            let flushed = replica.observer.flush();
            saved = saved.and(tolerate(&self.checkpoint, replica, flushed));
            match replica.write_checkpoint(&mut *self.engine, index, self.spent, &mut batch) {
                Ok(()) => written.push(index),
                error => saved = saved.and(tolerate(&self.checkpoint, replica, error)),
            }
        }
        let (have_appeared, mut error) = match batch.commit() {
            Ok(()) => (true, None),
            Err(error) => (false, Some(TrainingError::from(error))),
        };
        for index in written {
            let replica = &mut self.replicas[index];
            let noted = match have_appeared {
                true => replica.has_saved(),
                // One of the trainings reports the reason.
                false => error.take().map_or(Ok(()), Err),
            };
            saved = saved.and(tolerate(&self.checkpoint, replica, noted));
        }
        saved
    }
}

/// The metrics of each of these accumulators, on several threads if there are many.
fn metrics<'a>(
    accumulators: impl Iterator<Item = &'a MetricAccumulator>,
    shared: &Shared,
) -> Result<Vec<SplitMetrics>, TrainingError> {
    let accumulators: Vec<&MetricAccumulator> = accumulators.collect();
    let metrics = |one: &&MetricAccumulator| one.metrics(&shared.task, &shared.loss);
    match is_parallel(accumulators.len()) {
        true => accumulators.par_iter().map(metrics).collect(),
        false => accumulators.iter().map(metrics).collect(),
    }
}

/// The accumulators of the current epoch of each training.
fn accumulators(replicas: &mut [Replica]) -> Vec<&mut MetricAccumulator> {
    let accumulators = replicas.iter_mut();
    accumulators
        .map(|replica| &mut replica.progress.accumulator)
        .collect()
}

/// Tolerates a file that cannot be written, if the configuration says to go on.
fn tolerate(
    checkpoint: &CheckpointConfig,
    replica: &mut Replica,
    result: Result<(), TrainingError>,
) -> Result<(), TrainingError> {
    match result {
        Err(TrainingError::Storage(error)) if checkpoint.on_error == OnError::Continue => {
            replica.lacks_room = error.lacks_room();
            replica.observer.save_failed(&TrainingError::Storage(error));
            Ok(())
        }
        result => result,
    }
}
