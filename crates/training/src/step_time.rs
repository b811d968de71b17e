//! The time of a training step.

use std::time::{Duration, Instant};

use emberlab_datasets::{Batches, DeviceDataset};
use emberlab_models::Network;

use crate::config::{TrainMetrics, TrainingConfig};
use crate::engine::{Beginning, Shared, Steps, TrainedBy, engine};
use crate::error::TrainingError;
use crate::loss::LossConfig;
use crate::metric_accumulator::{MetricAccumulator, host};
use crate::optimizer::{Optimizer, OptimizerConfig};
use crate::supervised_model::SupervisedModel;
use crate::task::Task;
use crate::trainer::SplitData;
use crate::trainer::interrupt::StopFlag;

/// Steps between two readings of the clock, each of which waits for the device.
const LAP: usize = 10;

/// Everything that a measurement of the time per step needs.
pub struct StepTime<'a> {
    /// The network to start from.
    pub network: Network,
    /// Its loss.
    pub loss: &'a LossConfig,
    /// Its optimiser.
    pub optimizer: &'a OptimizerConfig,
    /// The batches, and how gradients are clipped.
    pub training: &'a TrainingConfig,
    /// The seed of shuffles.
    pub seed: u64,
    /// The data to train on.
    pub train: &'a DeviceDataset,
    /// The task that the network learns.
    pub task: &'a Task,
}

impl StepTime<'_> {
    /// Trains for about `duration` by the engine that the configuration asks for, and returns the median time of a
    /// step, in seconds.
    ///
    /// A step is batch, gradients and update, without metrics and checkpoints. The first ten steps, in which a GPU
    /// compiles its kernels, do not count. If somebody asks to stop, the steps so far count.
    ///
    /// # Errors
    /// [`TrainingError::Value`] if the configuration asks for fused kernels and there are none,
    /// [`TrainingError::Read`] if the device fails.
    pub fn measure(self, duration: Duration, stop: &StopFlag) -> Result<f64, TrainingError> {
        let rule = &self.optimizer.rule;
        match TrainedBy::choose(&self.network, self.loss, rule, self.training)? {
            TrainedBy::FusedKernels => self.measure_fused(duration, stop),
            TrainedBy::BurnOperations { .. } => self.measure_operations(duration, stop),
        }
    }

    fn measure_operations(self, duration: Duration, stop: &StopFlag) -> Result<f64, TrainingError> {
        let mut supervised = SupervisedModel::new(self.network, self.loss.clone()).for_training();
        let mut optimizer = Optimizer::new(self.optimizer, &supervised);
        let config = self.training.batches();
        let mut batches =
            (0_u64..).flat_map(|epoch| Batches::new(self.train, &config, self.seed, epoch));
        let clipping = self.training.gradient_clipping.as_ref();
        median_of_laps(duration, stop, || {
            let mut losses = Vec::new();
            for batch in batches.by_ref().take(LAP) {
                let rate = self.optimizer.learning_rate;
                let (after, measured) =
                    supervised.after_step(batch, clipping, &mut optimizer, rate);
                supervised = after;
                losses = measured.losses;
            }
            for loss in losses {
                host(loss)?;
            }
            Ok(LAP)
        })
    }

    fn measure_fused(self, duration: Duration, stop: &StopFlag) -> Result<f64, TrainingError> {
        let supervised = SupervisedModel::new(self.network, self.loss.clone()).for_training();
        let beginning = Beginning {
            optimizer: Optimizer::new(self.optimizer, &supervised),
            network: supervised.network,
            best: None,
            data: SplitData {
                train: self.train.clone(),
                valid: None,
                test: None,
            },
            seed: self.seed,
        };
        let shared = Shared {
            loss: self.loss.clone(),
            task: self.task.clone(),
            training: TrainingConfig {
                // Then steps add nothing to the metrics.
                train_metrics: TrainMetrics::Evaluated,
                ..self.training.clone()
            },
        };
        let num_batches = self.training.batches().num_batches(self.train.len());
        let mut engine = engine(vec![beginning], shared)?;
        let mut metrics = MetricAccumulator::new(self.task)?;
        let (mut epoch, mut step) = (0, 0);
        median_of_laps(duration, stop, || {
            let count = LAP.min(num_batches - step);
            let steps = Steps {
                epoch,
                steps: step..step + count,
                learning_rates: vec![vec![self.optimizer.learning_rate; count]],
            };
            engine.train(&steps, &mut [&mut metrics])?;
            step += count;
            if step == num_batches {
                (epoch, step) = (epoch + 1, 0);
            }
            Ok(count)
        })
    }
}

/// The median time of a step in seconds, over about `duration` of laps, each of which says how many steps it took. The
/// first lap does not count.
fn median_of_laps(
    duration: Duration,
    stop: &StopFlag,
    mut lap: impl FnMut() -> Result<usize, TrainingError>,
) -> Result<f64, TrainingError> {
    let mut laps = Vec::new();
    let began = Instant::now();
    while laps.len() < 2 || (began.elapsed() < duration && !stop.is_requested()) {
        let start = Instant::now();
        let num_steps = lap()?;
        laps.push(start.elapsed().as_secs_f64() / num_steps.max(1) as f64);
    }
    laps.remove(0);
    laps.sort_by(f64::total_cmp);
    Ok(laps[laps.len() / 2])
}
