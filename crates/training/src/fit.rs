//! A training from what it needs to what it leaves in memory, inside burn-train's learner.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use burn::lr_scheduler::constant::ConstantLr;
use burn::optim::SgdConfig;
use burn::train::renderer::MetricsRenderer;
use burn::train::renderer::tui::TuiMetricsRendererWrapper;
use burn::train::{
    Interrupter, Learner, SupervisedLearningStrategy, SupervisedTraining,
    SupervisedTrainingEventProcessor, TrainLoader, TrainingComponents, TrainingStrategy,
    ValidLoader,
};
use emberlab_datasets::DeviceDataset;
use emberlab_metrics::{Split, SplitMetrics};
use emberlab_models::Network;
use emberlab_run_format::Ending;
use emberlab_storage::{Checkpoint, CheckpointStore, Identity};

use crate::checkpoint::CheckpointConfig;
use crate::config::TrainingConfig;
use crate::dashboard::{Dashboard, Display, FindingsMetric, NoMetricLogger, QuietRenderer};
use crate::device::panic_message;
use crate::error::TrainingError;
use crate::loader::ResidentLoader;
use crate::loss::LossConfig;
use crate::objective::Best;
use crate::optimizer::OptimizerConfig;
use crate::predict::Predicted;
use crate::scheduler::SchedulerConfig;
use crate::session::Session;
use crate::stop::StopFlag;
use crate::supervised_model::SupervisedModel;
use crate::task::Task;
use crate::terminal;

/// The splits of a data set on the device.
#[derive(Clone)]
pub struct SplitData {
    /// What is trained on.
    pub train: DeviceDataset,
    /// What is looked at after every epoch.
    pub valid: Option<DeviceDataset>,
    /// What is looked at once, at the end.
    pub test: Option<DeviceDataset>,
}

impl SplitData {
    /// The splits of many trainings, end to end; all have the same numbers of rows.
    pub(crate) fn stacked(parts: &[Self]) -> Self {
        let all = |of: fn(&Self) -> Option<&DeviceDataset>| {
            let parts: Option<Vec<DeviceDataset>> = parts.iter().map(|p| of(p).cloned()).collect();
            parts.map(|parts| DeviceDataset::stacked(&parts))
        };
        let train: Vec<DeviceDataset> = parts.iter().map(|part| part.train.clone()).collect();
        Self {
            train: DeviceDataset::stacked(&train),
            valid: all(|part| part.valid.as_ref()),
            test: all(|part| part.test.as_ref()),
        }
    }

    /// The splits of one of the `num_parts` that were [stacked](Self::stacked).
    pub(crate) fn part(&self, index: usize, num_parts: usize) -> Self {
        let cut = |all: &DeviceDataset| all.part(index, num_parts);
        Self {
            train: cut(&self.train),
            valid: self.valid.as_ref().map(cut),
            test: self.test.as_ref().map(cut),
        }
    }
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
    /// Whatever saved the observer from taking it in, such as a full disk; it is treated like a checkpoint
    /// that could not be written.
    fn epoch_ended(&mut self, record: &EpochRecord) -> Result<(), TrainingError>;

    /// What it has found wrong so far, in a few words each: a dashboard shows them.
    fn findings(&self) -> Vec<String> {
        Vec::new()
    }

    /// Files that belong into a checkpoint beside the network's, by name.
    fn attachments(&self) -> Vec<(&'static str, Vec<u8>)> {
        Vec::new()
    }

    /// Something could not be written, and the training goes on as it was told to.
    fn save_failed(&mut self, _error: &TrainingError) {}
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

/// What burn-train's dashboard panics with when its `k` is pressed.
const KILLED: &str = "Killing training from user input.";

impl Fit {
    /// Trains from the start, or from a checkpoint of the same training.
    ///
    /// # Errors
    /// [`TrainingError`]; everything saved before stays. A panic inside Burn, or the dashboard's `kill`,
    /// is an error too, after one more attempt to save.
    pub fn run(self, from: Option<&Checkpoint>) -> Result<Finished, TrainingError> {
        let mut finished = Self::run_all(vec![(self, from)])?;
        finished
            .pop()
            .ok_or_else(|| TrainingError::Panic("the training left nothing".into()))
    }

    /// Trains many as one engine, each from the start or from its checkpoint: what comes of each equals
    /// what [`run`](Self::run) makes of it alone, up to rounding, and each saves what `run` saves. Returns
    /// what each came to, in order. The first one's dashboard is shown.
    ///
    /// One that stops early leaves the engine and the others go on; one whose numbers are no longer finite
    /// goes on as it would alone, and touches no other.
    ///
    /// # Errors
    /// As for `run`, of the first that fails; [`TrainingError::NotAlike`] unless all are
    /// [alike](Self::is_like), have networks that a [`BatchedModel`](emberlab_models::BatchedModel) takes, and begin at
    /// the same step.
    pub fn run_all(fits: Vec<(Self, Option<&Checkpoint>)>) -> Result<Vec<Finished>, TrainingError> {
        let Some((first, _)) = fits.first() else {
            return Ok(Vec::new());
        };
        let dashboard = first.dashboard;
        let label = first.label.clone();
        let train_loader = Arc::new(ResidentLoader::new(&first.data.train));
        let valid_data = first.data.valid.as_ref().unwrap_or(&first.data.train);
        let valid_loader = Arc::new(ResidentLoader::new(valid_data));
        let num_epochs = first.training.num_epochs;
        let learning_rate = first.optimizer.learning_rate;
        let session = Session::new(fits)?;
        let starting_epoch = session.starting_epoch();
        let shown = session.shown_metrics();
        // The learner's own optimiser and scheduler never step: ours do (`Optimizer`, `Scheduler`).
        let learner = Learner::new(
            session.supervised(),
            SgdConfig::new().init(),
            ConstantLr::new(learning_rate),
        );
        let strategy = Arc::new(LoopStrategy {
            session: Mutex::new(session),
            result: Mutex::new(None),
        });

        let custom: Arc<dyn SupervisedLearningStrategy<SupervisedModel>> = strategy.clone();
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
            let mut training =
                SupervisedTraining::<SupervisedModel>::new(".", train_loader, valid_loader)
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
            training = training.metric_train(FindingsMetric::default());
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
            (Ok(()), Some(result)) => session.finish(result?),
            (Ok(()), None) => Err(TrainingError::Panic("the learner never started".into())),
            (Err(panic), _) => {
                // The dashboard's kill panics between two steps: nothing is lost. A device may panic
                // within one: then weights and optimiser may be of different steps, and are not saved.
                if !session.is_within_step() {
                    session.save()?;
                }
                match panic_message(&*panic) {
                    message if message == KILLED => session.finish(ControlFlow::Break(())),
                    message => Err(TrainingError::Panic(message)),
                }
            }
        }
    }
}

impl Fit {
    /// Whether another training differs in seed, rows and learning rate alone, as far as that is said here:
    /// then they can be one engine.
    pub fn is_like(&self, other: &Self) -> bool {
        let rows = |data: &SplitData| {
            let splits = [Some(&data.train), data.valid.as_ref(), data.test.as_ref()];
            splits.map(|split| split.map(DeviceDataset::len))
        };
        let optimizer = self
            .optimizer
            .with_learning_rate(other.optimizer.learning_rate);
        self.loss == other.loss
            && self.task == other.task
            && optimizer == other.optimizer
            && self.scheduler == other.scheduler
            && self.training == other.training
            && self.checkpoint == other.checkpoint
            && rows(&self.data) == rows(&other.data)
    }
}

/// Runs the loop where burn-train's learner expects its strategy.
struct LoopStrategy {
    session: Mutex<Session>,
    result: Mutex<Option<Result<ControlFlow<()>, TrainingError>>>,
}

impl SupervisedLearningStrategy<SupervisedModel> for LoopStrategy {
    fn fit(
        &self,
        components: TrainingComponents<SupervisedModel>,
        learner: Learner<SupervisedModel>,
        _train: TrainLoader<SupervisedModel>,
        _valid: ValidLoader<SupervisedModel>,
        _starting_epoch: usize,
    ) -> (
        SupervisedModel,
        SupervisedTrainingEventProcessor<SupervisedModel>,
    ) {
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let is_shown = session.dashboard() != Dashboard::Quiet;
        let mut display =
            Display::new(components.event_processor, components.interrupter, is_shown);
        let result = session.run(&mut display);
        *self.result.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        (learner.model(), display.into_processor())
    }
}
