//! The time of a training step.

use std::time::{Duration, Instant};

use burn::tensor::Device;
use emberlab_datasets::{Batches, DeviceDataset};
use emberlab_models::{Network, StepSeeds, step_seed};

use crate::config::{TrainMetrics, TrainingConfig};
use crate::engine::{Beginning, Shared, Steps, TIME_OF_A_CALL, TrainedBy, engine};
use crate::error::TrainingError;
use crate::loss::LossConfig;
use crate::metric_accumulator::{MetricAccumulator, host};
use crate::optimizer::{Optimizer, OptimizerConfig};
use crate::scheduler::{Scheduler, SchedulerConfig};
use crate::supervised_model::SupervisedModel;
use crate::task::Task;
use crate::trainer::SplitData;
use crate::trainer::interrupt::StopFlag;

/// The number of steps by Burn operations after which the losses are read. Reading them waits for the device.
const LAP: usize = 10;

/// Everything that a measurement of the time per step needs.
pub struct StepTime<'a> {
    /// The network to start from, on the [device of tensors](TrainedBy::tensor_device).
    pub network: Network,
    /// The device that trains.
    pub device: &'a Device,
    /// Its loss.
    pub loss: &'a LossConfig,
    /// Its optimiser.
    pub optimizer: &'a OptimizerConfig,
    /// The batches and the rules of a step: penalty, clipping, noise, largest norm and average.
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
    /// A step is batch, gradients and update, without metrics and checkpoints. The first tenth of the time, in which a
    /// GPU compiles its kernels, does not count. If somebody asks to stop, the steps so far count.
    ///
    /// # Errors
    /// [`TrainingError::Value`] if the configuration asks for fused kernels and there are none,
    /// [`TrainingError::Read`] if the device fails.
    pub fn measure(self, duration: Duration, stop: &StopFlag) -> Result<f64, TrainingError> {
        let rule = &self.optimizer.rule;
        let num_samples = [self.train.len(), 0];
        match TrainedBy::choose(
            &self.network,
            self.loss,
            rule,
            self.training,
            num_samples,
            self.device,
        )? {
            TrainedBy::FusedKernels => self.measure_fused(duration, stop),
            TrainedBy::BurnOperations { .. } => self.measure_operations(duration, stop),
        }
    }

    fn measure_operations(self, duration: Duration, stop: &StopFlag) -> Result<f64, TrainingError> {
        let mut supervised = SupervisedModel::new(self.network, self.loss.clone()).for_training();
        let mut optimizer =
            Optimizer::of_training(self.optimizer, self.training, self.train.len(), &supervised);
        let config = self.training.batches();
        let mut batches =
            (0_u64..).flat_map(|epoch| Batches::new(self.train, &config, self.seed, epoch));
        let (rules, seeds) = (self.training.step_rules(), [step_seed(self.seed)]);
        let mut step = 0;
        median_of_laps(duration, stop, || {
            let mut losses = Vec::new();
            for batch in batches.by_ref().take(LAP) {
                let rate = self.optimizer.learning_rate;
                let step_seeds = StepSeeds {
                    seeds: &seeds,
                    step,
                };
                let (after, measured) =
                    supervised.after_step(batch, step_seeds, &rules, &mut optimizer, rate);
                step += 1;
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
            optimizer: Optimizer::of_training(
                self.optimizer,
                self.training,
                self.train.len(),
                &supervised,
            ),
            network: supervised.network,
            best: None,
            data: SplitData {
                train: self.train.clone(),
                valid: None,
                test: None,
            },
            seed: self.seed,
            scheduler: Scheduler::new(
                &SchedulerConfig::default(),
                self.optimizer,
                self.training.batches().num_batches(self.train.len()),
                self.training.num_epochs,
            ),
        };
        let shared = Shared {
            loss: self.loss.clone(),
            task: self.task.clone(),
            asked: Vec::new(),
            training: TrainingConfig {
                // With this setting, steps add nothing to the metrics.
                train_metrics: TrainMetrics::Evaluated,
                num_epochs: usize::MAX,
                ..self.training.clone()
            },
            device: self.device.clone(),
        };
        let num_batches = self.training.batches().num_batches(self.train.len());
        let mut engine = engine(vec![beginning], shared)?;
        let mut metrics = MetricAccumulator::new(self.task, &[])?;
        let mut done = 0;
        median_of_laps(duration, stop, || {
            // Each call is as long as in a training, except the first, in which the engine learns how long a step
            // takes.
            let step = done % num_batches;
            let count = engine.steps_within(TIME_OF_A_CALL).min(num_batches - step);
            let steps = Steps {
                epoch: (done / num_batches) as u64,
                steps: step..step + count,
                done: done as u64,
                whole_epochs: usize::MAX,
            };
            engine.train(&steps, &mut [&mut metrics])?;
            done += count;
            Ok(count)
        })
    }
}

/// The median time of a step in seconds over laps. A lap takes about a tenth of `duration` and makes as many calls as
/// fit; a call returns its number of steps. The first lap does not count.
fn median_of_laps(
    duration: Duration,
    stop: &StopFlag,
    mut call: impl FnMut() -> Result<usize, TrainingError>,
) -> Result<f64, TrainingError> {
    let mut laps = Vec::new();
    let began = Instant::now();
    while laps.len() < 2 || (began.elapsed() < duration && !stop.is_requested()) {
        let start = Instant::now();
        let mut num_steps = 0;
        while num_steps == 0 || (start.elapsed() < duration / 10 && !stop.is_requested()) {
            num_steps += call()?.max(1);
        }
        laps.push(start.elapsed().as_secs_f64() / num_steps as f64);
    }
    laps.remove(0);
    laps.sort_by(f64::total_cmp);
    Ok(laps[laps.len() / 2])
}
