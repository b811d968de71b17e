//! The training loop, run inside burn-train's learner.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use burn::lr_scheduler::constant::ConstantLr;
use burn::module::Module;
use burn::optim::SgdConfig;
use burn::store::{ModuleRecord, RecordError};
use burn::tensor::Bytes;
use burn::train::renderer::MetricsRenderer;
use burn::train::renderer::tui::TuiMetricsRendererWrapper;
use burn::train::{
    InferenceStep, Interrupter, Learner, SupervisedLearningStrategy, SupervisedTraining,
    SupervisedTrainingEventProcessor, TrainLoader, TrainingComponents, TrainingStrategy,
    ValidLoader,
};
use emberlab_datasets::{Batches, Resident};
use emberlab_metrics::{Direction, Split, SplitMetrics};
use emberlab_models::Network;
use emberlab_storage::{Checkpoint, CheckpointStore, Identity, Position, StorageError};
use serde::{Deserialize, Serialize};

use crate::checkpoint::{CheckpointConfig, Every, OnError};
use crate::config::{TrainMetrics, TrainingConfig};
use crate::dashboard::{Dashboard, Display, NoMetricLogger, QuietRenderer, Shown, ShownMetric};
use crate::device::panic_message;
use crate::error::TrainingError;
use crate::loader::ResidentLoader;
use crate::loss::LossConfig;
use crate::objective::{Best, Watch};
use crate::optimizer::{Optimizer, OptimizerConfig};
use crate::scheduler::{Scheduler, SchedulerConfig};
use crate::step::{Measured, Trainee};
use crate::stop::StopFlag;
use crate::tally::{Tally, host};
use crate::task::Task;
use crate::terminal;

/// The splits of a data set on the device.
#[derive(Clone)]
pub struct SplitData {
    /// What is trained on.
    pub train: Resident,
    /// What is looked at after every epoch.
    pub valid: Option<Resident>,
    /// What is looked at once, at the end.
    pub test: Option<Resident>,
}

/// One row of a run's history.
#[derive(Debug, Clone, PartialEq)]
pub struct EpochRecord {
    /// Epochs done, counted from 1.
    pub epoch: usize,
    /// Epochs planned.
    pub num_epochs: usize,
    /// Optimiser steps done.
    pub step: u64,
    /// The learning rate of the epoch's last step.
    pub learning_rate: f64,
    /// Metrics of the training split.
    pub train: SplitMetrics,
    /// Metrics of the validation split, if there is one.
    pub valid: Option<SplitMetrics>,
    /// Whether the objective was never better.
    pub is_best: bool,
    /// Time since the training began, over all its sessions.
    pub elapsed: Duration,
}

/// Hears of a training's progress.
pub trait Observer: Send {
    /// An epoch has ended.
    ///
    /// # Errors
    /// Whatever kept the observer from taking it in, such as a full disk; it is treated like a checkpoint
    /// that could not be written.
    fn epoch_ended(&mut self, record: &EpochRecord) -> Result<(), TrainingError>;

    /// Files that belong into a checkpoint beside the network's, by name.
    fn attachments(&self) -> Vec<(&'static str, Vec<u8>)> {
        Vec::new()
    }

    /// Something could not be written, and the training goes on as it was told to.
    fn save_failed(&mut self, _error: &TrainingError) {}
}

/// Why a training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Every epoch was done.
    Completed,
    /// The objective no longer improved.
    StoppedEarly,
    /// Somebody asked to stop; a checkpoint holds everything so far.
    Interrupted,
}

/// What a training leaves in memory.
#[derive(Debug)]
pub struct Finished {
    /// Why it ended.
    pub ending: Ending,
    /// The network after the last step.
    pub network: Network,
    /// The network of the best epoch, if any epoch had a best.
    pub best: Option<(Best, Network)>,
    /// Epochs done.
    pub epoch: usize,
    /// Optimiser steps done.
    pub step: u64,
    /// Time spent training, over all sessions.
    pub elapsed: Duration,
    /// The last network on every split that has rows, in evaluation mode; empty if interrupted.
    pub predicted: Vec<(Split, Predicted)>,
    /// Whether a checkpoint holds everything up to here.
    pub is_saved: bool,
}

/// What a network makes of a split, in evaluation mode.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicted {
    /// Loss and scores.
    pub metrics: SplitMetrics,
    /// The raw outputs, `[num_samples × d_output]` row by row.
    pub outputs: Vec<f64>,
}

/// Everything one training needs.
pub struct Fit {
    /// What the dashboard calls it.
    pub label: String,
    /// The network to start from, on an autodiff device.
    pub network: Network,
    /// Its loss.
    pub loss: LossConfig,
    /// What it predicts.
    pub task: Task,
    /// Its optimiser.
    pub optimizer: OptimizerConfig,
    /// Its learning rates.
    pub scheduler: SchedulerConfig,
    /// How long and in which pieces.
    pub training: TrainingConfig,
    /// When to save.
    pub checkpoint: CheckpointConfig,
    /// Where to save, if anywhere.
    pub store: Option<CheckpointStore>,
    /// What is trained, as its checkpoints say.
    pub identity: Identity,
    /// The seed of shuffles.
    pub seed: u64,
    /// The data.
    pub data: SplitData,
    /// What a person sees.
    pub dashboard: Dashboard,
    /// Asks the loop to stop.
    pub stop: StopFlag,
    /// Hears of every epoch.
    pub observer: Box<dyn Observer>,
}

impl Fit {
    /// Trains from the start, or from a checkpoint of the same training.
    ///
    /// # Errors
    /// [`TrainingError`]; everything saved before stays. A panic inside Burn, or the dashboard's `kill`,
    /// is an error too, after one more attempt to save.
    pub fn run(self, from: Option<&Checkpoint>) -> Result<Finished, TrainingError> {
        let dashboard = self.dashboard;
        let label = self.label.clone();
        let train_loader = Arc::new(ResidentLoader::new(&self.data.train));
        let valid_data = self.data.valid.as_ref().unwrap_or(&self.data.train);
        let valid_loader = Arc::new(ResidentLoader::new(valid_data));
        let num_epochs = self.training.num_epochs;
        let session = Session::new(self, from)?;
        let starting_epoch = session.progress.position.epoch;
        let shown = session.shown_metrics();
        // The learner's own optimiser and scheduler never step: ours do (`Optimizer`, `Scheduler`).
        let learner = Learner::new(
            session.trainee.clone(),
            SgdConfig::new().init(),
            ConstantLr::new(session.optimizer_config.learning_rate()),
        );
        let strategy = Arc::new(LoopStrategy {
            session: Mutex::new(session),
            result: Mutex::new(None),
        });

        let custom: Arc<dyn SupervisedLearningStrategy<Trainee>> = strategy.clone();
        let interrupter = Interrupter::new();
        let launched = catch_unwind(AssertUnwindSafe(|| {
            let renderer: Box<dyn MetricsRenderer> = match dashboard {
                Dashboard::Tui { stay } => {
                    let renderer = TuiMetricsRendererWrapper::new(interrupter.clone(), None);
                    terminal::let_signals_through();
                    Box::new(if stay {
                        renderer.persistent()
                    } else {
                        renderer
                    })
                }
                Dashboard::Quiet => Box::new(QuietRenderer),
            };
            let mut training = SupervisedTraining::<Trainee>::new(".", train_loader, valid_loader)
                .with_application_logger(None)
                .with_metric_logger(NoMetricLogger)
                .renderer(renderer)
                .with_interrupter(interrupter.clone())
                .with_training_strategy(TrainingStrategy::Custom(custom))
                .num_epochs(num_epochs)
                .label(&label);
            if starting_epoch > 0 {
                training = training.checkpoint(starting_epoch);
            }
            for metric in shown {
                training = training
                    .metric_train_numeric(metric.clone())
                    .metric_valid_numeric(metric);
            }
            drop(training.launch(learner));
        }));

        let mut session = strategy
            .session
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let result = strategy
            .result
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match (launched, result) {
            (Ok(()), Some(result)) => {
                let ending = result?;
                session.finish(ending)
            }
            (Ok(()), None) => Err(TrainingError::Panic("the learner never started".into())),
            (Err(panic), _) => {
                // The dashboard's kill panics between two steps: nothing is lost. A device may panic
                // within one: then weights and optimiser may be of different steps, and are not saved.
                if !session.is_within_step {
                    session.save()?;
                }
                match panic_message(&*panic) {
                    message if message == KILLED => session.finish(Ending::Interrupted),
                    message => Err(TrainingError::Panic(message)),
                }
            }
        }
    }
}

/// Runs the loop where burn-train's learner expects its strategy.
struct LoopStrategy {
    session: Mutex<Session>,
    result: Mutex<Option<Result<Ending, TrainingError>>>,
}

impl SupervisedLearningStrategy<Trainee> for LoopStrategy {
    fn fit(
        &self,
        components: TrainingComponents<Trainee>,
        learner: Learner<Trainee>,
        _train: TrainLoader<Trainee>,
        _valid: ValidLoader<Trainee>,
        _starting_epoch: usize,
    ) -> (Trainee, SupervisedTrainingEventProcessor<Trainee>) {
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let is_shown = session.dashboard != Dashboard::Quiet;
        let mut display =
            Display::new(components.event_processor, components.interrupter, is_shown);
        let result = session.run(&mut display);
        *self.result.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        (learner.model(), display.into_processor())
    }
}

/// How far a training is: with weights and optimiser state, all that resuming needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Progress {
    /// Epochs done, and steps done in the epoch under way.
    position: Position,
    /// Steps done.
    step: u64,
    /// Metrics of the epoch under way.
    tally: Tally,
    /// What early stopping remembers.
    watch: Watch,
    /// Seconds spent before this session.
    elapsed: f64,
}

/// A training in memory.
struct Session {
    trainee: Trainee,
    best: Option<Network>,
    optimizer: Optimizer,
    optimizer_config: OptimizerConfig,
    scheduler: Scheduler,
    progress: Progress,
    /// What the batches since the last look gave.
    pending: Measured,
    loss: LossConfig,
    task: Task,
    training: TrainingConfig,
    checkpoint: CheckpointConfig,
    store: Option<CheckpointStore>,
    identity: Identity,
    seed: u64,
    data: SplitData,
    dashboard: Dashboard,
    stop: StopFlag,
    observer: Box<dyn Observer>,
    began: Instant,
    saved_at: Instant,
    /// The position of the newest checkpoint.
    saved: Option<Position>,
    /// Whether weights, optimiser and progress are being changed.
    is_within_step: bool,
}

/// Batches whose outputs may wait on the device before they are read.
const MAX_PENDING: usize = 512;

/// What burn-train's dashboard panics with when its `k` is pressed.
const KILLED: &str = "Killing training from user input.";

const NETWORK_FILE: &str = "network.bpk";
const BEST_FILE: &str = "best.bpk";
const OPTIMIZER_FILE: &str = "optimizer.bpk";
const PROGRESS_FILE: &str = "progress.toml";

impl Session {
    fn new(fit: Fit, from: Option<&Checkpoint>) -> Result<Self, TrainingError> {
        let batches = Batches::new(&fit.data.train, &fit.training.batches(), fit.seed, 0);
        let steps_per_epoch = batches.num_batches();
        drop(batches);
        let scheduler = Scheduler::new(
            &fit.scheduler,
            fit.optimizer.learning_rate(),
            steps_per_epoch,
            fit.training.num_epochs,
        );
        let mut network = fit.network;
        let mut best = None;
        let mut progress = Progress {
            position: Position::default(),
            step: 0,
            tally: Tally::new(&fit.task)?,
            watch: Watch::default(),
            elapsed: 0.0,
        };
        if let Some(from) = from {
            progress = read_progress(from)?;
            let load = |network, bytes| load_network(network, bytes).map_err(|e| from.damaged(e));
            if let Some(bytes) = from.optional(BEST_FILE) {
                best = Some(load(network.clone(), bytes)?.valid());
            }
            network = load(network, from.file(NETWORK_FILE)?)?;
        }
        let trainee = Trainee::new(network, fit.loss.clone()).for_training();
        let mut optimizer = Optimizer::new(&fit.optimizer, &trainee);
        if let Some(from) = from {
            let bytes = Bytes::from_bytes_vec(from.file(OPTIMIZER_FILE)?.to_vec());
            optimizer = optimizer
                .load_bytes(bytes, progress.step)
                .map_err(|e| from.damaged(format!("{OPTIMIZER_FILE}: {e}")))?;
        }
        let now = Instant::now();
        Ok(Self {
            trainee,
            best,
            optimizer,
            optimizer_config: fit.optimizer,
            scheduler,
            saved: from.map(|from| from.position),
            progress,
            pending: Measured::default(),
            loss: fit.loss,
            task: fit.task,
            training: fit.training,
            checkpoint: fit.checkpoint,
            store: fit.store,
            identity: fit.identity,
            seed: fit.seed,
            data: fit.data,
            dashboard: fit.dashboard,
            stop: fit.stop,
            observer: fit.observer,
            began: now,
            saved_at: now,
            is_within_step: false,
        })
    }

    /// The metrics the dashboard plots, the learning rate last.
    fn shown_metrics(&self) -> Vec<ShownMetric> {
        let metrics = self.task.metrics().iter();
        let rate = ShownMetric::new("learning_rate", true);
        metrics
            .map(|m| ShownMetric::new(m.name(), m.direction() == Direction::Higher))
            .chain([rate])
            .collect()
    }

    fn run(&mut self, display: &mut Display) -> Result<Ending, TrainingError> {
        if self.loss.is_flat() {
            let loss = self.loss.name();
            return Err(TrainingError::FlatLoss { loss });
        }
        while self.progress.position.epoch < self.training.num_epochs && !self.is_out_of_patience()
        {
            if self.train_epoch(display)?.is_break() || self.end_epoch(display)?.is_break() {
                self.save()?;
                return Ok(Ending::Interrupted);
            }
        }
        Ok(if self.is_out_of_patience() {
            Ending::StoppedEarly
        } else {
            Ending::Completed
        })
    }

    fn is_out_of_patience(&self) -> bool {
        let stopping = self.training.early_stopping.as_ref();
        stopping.is_some_and(|s| self.progress.watch.waited >= s.patience)
    }

    /// Whether somebody asked to stop, by a signal or at the dashboard.
    fn is_stopping(&self, display: &Display) -> bool {
        self.stop.is_due(self.progress.step) || display.wants_stop()
    }

    /// The steps of the epoch under way that are not done yet; breaks off when asked to stop.
    fn train_epoch(&mut self, display: &mut Display) -> Result<ControlFlow<()>, TrainingError> {
        let epoch = self.progress.position.epoch;
        let train = self.data.train.clone();
        let config = self.training.batches();
        let mut batches = Batches::new(&train, &config, self.seed, epoch as u64);
        batches.skip_to(self.progress.position.step_in_epoch);
        display.begin_epoch();
        for batch in batches {
            if self.is_stopping(display) {
                return Ok(ControlFlow::Break(()));
            }
            self.train_step(batch);
            let now = Instant::now();
            if self.pending.losses.len() >= MAX_PENDING {
                self.fold()?;
            }
            // Metrics that are evaluated after the epoch have nothing to show before its end.
            if display.is_due_within_epoch(now)
                && self.training.train_metrics == TrainMetrics::Running
            {
                self.fold()?;
                let shown = self.shown(&self.progress.tally.metrics()?);
                let done = self.progress.tally.num_samples() as usize;
                display.progress(epoch + 1, done, train.len(), shown);
            }
            let is_due = match self.checkpoint.every {
                Every::Seconds(seconds) => (now - self.saved_at).as_secs_f64() >= seconds,
                Every::Steps(steps) => self.progress.step.is_multiple_of(steps),
                Every::Epochs(_) => false,
            };
            if is_due {
                self.save()?;
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn train_step(&mut self, batch: emberlab_datasets::Batch) {
        self.is_within_step = true;
        let learning_rate = self.scheduler.learning_rate(self.progress.step);
        let clipping = self.training.gradient_clipping.as_ref();
        let optimizer = &mut self.optimizer;
        let (after, measured) =
            (self.trainee).after_step(batch, clipping, optimizer, learning_rate);
        self.trainee = after;
        self.progress.step += 1;
        self.progress.position.step_in_epoch += 1;
        if self.training.train_metrics == TrainMetrics::Running {
            self.pending.extend(measured);
        }
        self.is_within_step = false;
    }

    /// Reads what the last batches gave.
    fn fold(&mut self) -> Result<(), TrainingError> {
        let pending = std::mem::take(&mut self.pending);
        let reduction = self.loss.reduction();
        self.progress.tally.add(pending, &self.task, reduction)
    }

    /// Measures, remembers, reports and perhaps saves an epoch whose steps are done; breaks off when
    /// asked to stop while it measures, to do all of that when it goes on.
    fn end_epoch(&mut self, display: &mut Display) -> Result<ControlFlow<()>, TrainingError> {
        self.fold()?;
        let plain = self.trainee.valid();
        let evaluate = |data| self.evaluate(&plain, data, || self.is_stopping(display));
        let train = match self.training.train_metrics {
            TrainMetrics::Running => Some(self.progress.tally.metrics()?),
            TrainMetrics::Evaluated => evaluate(&self.data.train)?,
        };
        let Some(train) = train else {
            return Ok(ControlFlow::Break(()));
        };
        let valid = match &self.data.valid {
            Some(data) => match evaluate(data)? {
                Some(metrics) => Some(metrics),
                None => return Ok(ControlFlow::Break(())),
            },
            None => None,
        };
        let objective = &self.training.objective;
        let watched = match objective.split {
            Split::Valid => valid.as_ref().unwrap_or(&train),
            _ => &train,
        };
        let value = watched.get(objective.metric).unwrap_or(f64::NAN);
        let higher = objective.metric.direction() == Direction::Higher;
        self.progress.position = Position {
            epoch: self.progress.position.epoch + 1,
            step_in_epoch: 0,
        };
        self.progress.tally = Tally::new(&self.task)?;
        let is_best = self.progress.watch.observe(
            self.progress.position.epoch,
            value,
            higher,
            self.training.early_stopping.as_ref(),
        );
        if is_best {
            self.best = Some(plain.network);
        }
        let record = EpochRecord {
            epoch: self.progress.position.epoch,
            num_epochs: self.training.num_epochs,
            step: self.progress.step,
            learning_rate: self
                .scheduler
                .learning_rate(self.progress.step.saturating_sub(1)),
            train,
            valid,
            is_best,
            elapsed: self.elapsed(),
        };
        let told = self.observer.epoch_ended(&record);
        self.tolerate(told)?;
        let is_last = record.epoch == record.num_epochs || self.is_out_of_patience();
        if display.is_due_at_end(Instant::now()) || is_last {
            let train = self.shown(&record.train);
            let valid = record.valid.as_ref().zip(self.data.valid.as_ref());
            let valid = valid.map(|(metrics, data)| (data.len(), self.shown(metrics)));
            display.epoch(record.epoch, self.data.train.len(), train, valid);
        }
        if let Every::Epochs(epochs) = self.checkpoint.every
            && self.progress.position.epoch.is_multiple_of(epochs)
        {
            self.save()?;
        }
        Ok(ControlFlow::Continue(()))
    }

    fn shown(&self, metrics: &SplitMetrics) -> Shown {
        let step = self.progress.step.saturating_sub(1);
        let rate = ("learning_rate", self.scheduler.learning_rate(step));
        let named = metrics.iter().map(|(metric, value)| (metric.name(), value));
        named.chain([rate]).collect()
    }

    /// The metrics of a network on a split, in evaluation mode; none if `is_stopping` along the way.
    fn evaluate(
        &self,
        plain: &Trainee,
        data: &Resident,
        is_stopping: impl Fn() -> bool,
    ) -> Result<Option<SplitMetrics>, TrainingError> {
        let mut tally = Tally::new(&self.task)?;
        for batch in ResidentLoader::new(data).chunks().flatten() {
            if is_stopping() {
                return Ok(None);
            }
            let measured = InferenceStep::step(plain, batch);
            tally.add(measured, &self.task, self.loss.reduction())?;
        }
        tally.metrics().map(Some)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs_f64(self.progress.elapsed) + self.began.elapsed()
    }

    /// Writes a checkpoint, unless the newest one is already of this position.
    fn save(&mut self) -> Result<(), TrainingError> {
        if self.saved != Some(self.progress.position) {
            let written = self.write_checkpoint();
            self.tolerate(written)?;
        }
        self.saved_at = Instant::now();
        Ok(())
    }

    /// Lets the disk fail where the configuration says to go on.
    fn tolerate(&mut self, result: Result<(), TrainingError>) -> Result<(), TrainingError> {
        match result {
            Err(error @ TrainingError::Storage(_))
                if self.checkpoint.on_error == OnError::Continue =>
            {
                self.observer.save_failed(&error);
                Ok(())
            }
            result => result,
        }
    }

    fn write_checkpoint(&mut self) -> Result<(), TrainingError> {
        let Some(store) = self.store.clone() else {
            return Ok(());
        };
        self.fold()?;
        let progress = Progress {
            elapsed: self.elapsed().as_secs_f64(),
            ..self.progress.clone()
        };
        let network = network_bytes(&self.trainee.network)?;
        let best = self.best.as_ref().map(network_bytes).transpose()?;
        let optimizer = self.optimizer.to_bytes().map_err(unreadable)?;
        let progress =
            toml::to_string(&progress).map_err(|e| TrainingError::Read(e.to_string()))?;
        let attachments = self.observer.attachments();
        let mut files: Vec<(&str, &[u8])> = vec![
            (NETWORK_FILE, &network),
            (OPTIMIZER_FILE, &optimizer),
            (PROGRESS_FILE, progress.as_bytes()),
        ];
        if let Some(best) = &best {
            files.push((BEST_FILE, best));
        }
        files.extend(
            attachments
                .iter()
                .map(|(name, content)| (*name, content.as_slice())),
        );
        store.save(&self.identity, self.progress.position, &files)?;
        self.saved = Some(self.progress.position);
        Ok(())
    }

    fn finish(&mut self, mut ending: Ending) -> Result<Finished, TrainingError> {
        let plain = self.trainee.valid();
        let mut predicted = Vec::new();
        if ending != Ending::Interrupted {
            self.save()?;
            let SplitData { train, valid, test } = self.data.clone();
            let splits = [
                (Split::Train, Some(train)),
                (Split::Valid, valid),
                (Split::Test, test),
            ];
            for (split, data) in splits {
                let Some(data) = data else { continue };
                let walk = walk(&plain, &data, &self.task, || self.stop.is_requested())?;
                let Some(found) = walk else {
                    ending = Ending::Interrupted;
                    predicted.clear();
                    break;
                };
                predicted.push((split, found));
            }
        }
        Ok(Finished {
            ending,
            network: plain.network,
            best: self.progress.watch.best.zip(self.best.clone()),
            epoch: self.progress.position.epoch,
            step: self.progress.step,
            elapsed: self.elapsed(),
            predicted,
            is_saved: self.saved == Some(self.progress.position),
        })
    }
}

/// Predicts a split in evaluation mode.
///
/// # Errors
/// [`TrainingError::Read`] if the device fails.
pub fn predict(plain: &Trainee, data: &Resident, task: &Task) -> Result<Predicted, TrainingError> {
    let nothing = || TrainingError::Read("the split was not predicted".to_string());
    walk(plain, data, task, || false)?.ok_or_else(nothing)
}

/// Predicts a split in evaluation mode; none if `is_stopping` along the way.
fn walk(
    plain: &Trainee,
    data: &Resident,
    task: &Task,
    is_stopping: impl Fn() -> bool,
) -> Result<Option<Predicted>, TrainingError> {
    let mut tally = Tally::new(task)?;
    let mut outputs = Vec::new();
    for batch in ResidentLoader::new(data).chunks().flatten() {
        if is_stopping() {
            return Ok(None);
        }
        let measured = InferenceStep::step(plain, batch);
        for output in &measured.outputs {
            outputs.extend(host(output.clone())?);
        }
        tally.add(measured, task, plain.loss().reduction())?;
    }
    let metrics = tally.metrics()?;
    Ok(Some(Predicted { metrics, outputs }))
}

/// A network as a Burn record.
///
/// # Errors
/// [`TrainingError::Read`] if the weights cannot be read from the device.
pub fn network_bytes(network: &Network) -> Result<Bytes, TrainingError> {
    let record = network.clone().into_record();
    record.into_bytes().map_err(unreadable)
}

fn unreadable(error: RecordError) -> TrainingError {
    TrainingError::Read(error.to_string())
}

/// A network with the weights of a Burn record.
///
/// # Errors
/// What does not agree, if the bytes are no record or one of another network.
pub fn load_network(network: Network, bytes: &[u8]) -> Result<Network, RecordError> {
    let bytes = Bytes::from_bytes_vec(bytes.to_vec());
    ModuleRecord::from_bytes(bytes).and_then(|record| network.try_load_record(record))
}

fn read_progress(checkpoint: &Checkpoint) -> Result<Progress, StorageError> {
    let damaged = |error: String| checkpoint.damaged(format!("{PROGRESS_FILE}: {error}"));
    let text = std::str::from_utf8(checkpoint.file(PROGRESS_FILE)?);
    toml::from_str(text.map_err(|e| damaged(e.to_string()))?).map_err(|e| damaged(e.to_string()))
}
