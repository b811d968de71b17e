//! Burn's learner, for the sake of its dashboard.
//!
//! burn-train has a terminal dashboard with progress bars, plots of metrics, and keys that stop a training. It is fed
//! by events of burn-train's `Learner`, and its keys reach a training through the learner's `Interrupter`. So a
//! training runs inside the learner, as a strategy of ours that the learner calls once.
//!
//! Nothing else of the learner is used. Its loop, data loaders, optimisers, schedules, metrics, early stopping,
//! loggers and checkpoints are replaced by the lab's own, because they do not resume to the bit: shuffles, early
//! stopping and the best epoch are not restored, hyperparameters are in float32, and a checkpoint consists of files
//! that do not appear at once. The learner gets placeholders instead: a network, an optimiser and a schedule that
//! never step, loaders without batches, and loggers that write nothing.

mod display;
mod metrics;
mod open;
mod placeholders;
pub mod terminal;

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use burn::lr_scheduler::constant::ConstantLr;
use burn::optim::SgdConfig;
use burn::train::renderer::MetricsRenderer;
use burn::train::renderer::tui::TuiMetricsRendererWrapper;
use burn::train::{
    Interrupter, Learner, SupervisedLearningStrategy, SupervisedTraining,
    SupervisedTrainingEventProcessor, TrainLoader, TrainingComponents, TrainingStrategy,
    ValidLoader,
};

pub(super) use display::Display;
pub(super) use metrics::{Shown, ShownMetric};
pub use open::OpenDashboard;

use super::result::TrainingResult;
use super::training_loop::TrainingLoop;
use crate::device::panic_message;
use crate::error::TrainingError;
use crate::supervised_model::SupervisedModel;
use metrics::FindingsMetric;
use open::OpenTui;
use placeholders::{NoBatches, NoMetricLogger, QuietRenderer};

/// The display of a training for a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dashboard {
    /// burn-train's terminal dashboard; needs a terminal.
    Tui {
        /// Whether it stays open after the training, until a key closes it.
        stay: Stay,
    },
    /// None: the observer reports the training.
    #[default]
    Quiet,
}

/// After which trainings the dashboard stays open, until a key closes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stay {
    /// After every training.
    Always,
    /// After no training.
    Never,
    /// After trainings that took less than ten seconds, which nobody could read in time.
    Short,
}

impl Stay {
    /// Whether the dashboard stays when it has been open for `time`.
    fn lasts(self, time: Duration) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Short => time < Duration::from_secs(10),
        }
    }
}

/// The message of the panic that burn-train's dashboard raises when its `k` is pressed.
const KILLED: &str = "Killing training from user input.";

/// Runs a training loop inside Burn's learner, under its dashboard, and returns the results and the dashboard, which is
/// still open.
///
/// # Errors
/// [`TrainingError`]. A panic inside Burn is an error, after one more attempt to save; the dashboard's `k` is not, it
/// only interrupts.
pub(super) fn run(
    training: TrainingLoop,
    label: &str,
) -> Result<(Vec<TrainingResult>, OpenDashboard), TrainingError> {
    let strategy = Arc::new(LoopStrategy {
        training: Mutex::new(training),
        ending: Mutex::new(None),
    });
    let launched = catch_unwind(AssertUnwindSafe(|| launch(&strategy, label)));
    let training = strategy.training.lock();
    let mut training = training.unwrap_or_else(PoisonError::into_inner);
    let ending = strategy.ending.lock();
    let ending = ending.unwrap_or_else(PoisonError::into_inner).take();
    let (results, tui) = match (launched, ending) {
        (Ok(Err(error)), _) => return Err(error),
        (Ok(Ok(tui)), Some(ending)) => (training.finish(ending?)?, tui),
        (Ok(Ok(_)), None) => {
            return Err(TrainingError::Panic("the learner never started".into()));
        }
        (Err(panic), _) => {
            // The dashboard's `k` panics between two steps: nothing is lost. A device may panic within a step: then
            // weights and optimiser may be of different steps, and are not saved.
            if !training.is_within_step() {
                training.save()?;
            }
            match panic_message(&*panic) {
                message if message == KILLED => (training.finish(ControlFlow::Break(()))?, None),
                message => return Err(TrainingError::Panic(message)),
            }
        }
    };
    drop(training);
    let open = OpenDashboard {
        tui,
        _training: strategy,
    };
    Ok((results, open))
}

/// Builds the learner and its dashboard, lets it call the strategy, and returns the dashboard, if there is one.
///
/// # Errors
/// [`TrainingError::Read`] if the network cannot be read from the device.
fn launch(strategy: &Arc<LoopStrategy>, label: &str) -> Result<Option<OpenTui>, TrainingError> {
    let training = strategy.training.lock();
    let mut training = training.unwrap_or_else(PoisonError::into_inner);
    let opened = Instant::now();
    let interrupter = Interrupter::new();
    let (dashboard, num_epochs) = (training.dashboard(), training.num_epochs());
    let renderer: Box<dyn MetricsRenderer> = match dashboard {
        Dashboard::Tui { .. } => {
            // Without the epochs before, the dashboard counts them among those that are left.
            let before = Some(training.starting_epoch());
            let renderer = TuiMetricsRendererWrapper::new(interrupter.clone(), before);
            terminal::let_signals_through();
            Box::new(renderer)
        }
        Dashboard::Quiet => Box::new(QuietRenderer),
    };
    let custom: Arc<dyn SupervisedLearningStrategy<SupervisedModel>> = strategy.clone();
    let loader = || Arc::new(NoBatches);
    let mut learning = SupervisedTraining::<SupervisedModel>::new(".", loader(), loader())
        .with_application_logger(None)
        .with_metric_logger(NoMetricLogger)
        .renderer(renderer)
        .with_interrupter(interrupter.clone())
        .with_training_strategy(TrainingStrategy::Custom(custom))
        .num_epochs(num_epochs)
        .label(label)
        .metric_train(FindingsMetric::default());
    if training.starting_epoch() > 0 {
        learning = learning.checkpoint(training.starting_epoch());
    }
    for metric in training.shown_metrics() {
        learning = learning
            .metric_train_numeric(metric.clone())
            .metric_valid_numeric(metric);
    }
    // Placeholders: our own optimiser and schedule do the steps.
    let (optimizer, schedule) = (SgdConfig::new().init(), ConstantLr::new(0.0));
    let learner = Learner::new(training.supervised()?, optimizer, schedule);
    // The strategy locks it for itself.
    drop(training);
    let renderer = learning.launch(learner).renderer;
    Ok(match dashboard {
        Dashboard::Tui { stay } => Some(OpenTui {
            renderer,
            interrupter,
            label: label.to_string(),
            num_epochs,
            opened,
            stay,
        }),
        Dashboard::Quiet => None,
    })
}

/// Runs the training loop where burn-train's learner calls its strategy.
struct LoopStrategy {
    training: Mutex<TrainingLoop>,
    /// How the loop ended, once it has.
    ending: Mutex<Option<Result<ControlFlow<()>, TrainingError>>>,
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
        let training = self.training.lock();
        let mut training = training.unwrap_or_else(PoisonError::into_inner);
        let mut processor = components.event_processor;
        let mut display = Display::new(
            &mut processor,
            components.interrupter,
            training.dashboard() != Dashboard::Quiet,
            training.is_slowed_down(),
        );
        let ending = training.run(&mut display);
        *self.ending.lock().unwrap_or_else(PoisonError::into_inner) = Some(ending);
        (learner.model(), processor)
    }
}
