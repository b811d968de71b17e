//! A training that is repeated from its seed, step by step and bit for bit.

use std::ops::ControlFlow;

use emberlab_datasets::{Batch, Batches, DeviceDataset};
use emberlab_models::{Network, StepSeeds, step_seed};
use emberlab_training::{
    LossConfig, Optimizer, OptimizerConfig, Scheduler, SchedulerConfig, StepOutput,
    SupervisedModel, TrainingConfig, TrainingError,
};

/// A training to repeat.
pub struct Replay<'a> {
    /// The network to start from, on an autodiff device.
    pub network: Network,
    /// Its loss.
    pub loss: &'a LossConfig,
    /// Its optimiser.
    pub optimizer: &'a OptimizerConfig,
    /// The schedule of its learning rate.
    pub scheduler: &'a SchedulerConfig,
    /// The learning rate of the last step of each epoch, for a schedule whose rates follow from results that are not
    /// repeated. Epochs after these keep the last one.
    pub epoch_rates: &'a [f64],
    /// Its batches and epochs.
    pub training: &'a TrainingConfig,
    /// The seed of the shuffles.
    pub seed: u64,
    /// The training split.
    pub train: &'a DeviceDataset,
}

/// One step of a replay.
pub struct ReplayedStep<'a> {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// The step of the whole training, counted from 1.
    pub step: u64,
    /// Whether it is the last of its epoch.
    pub ends_epoch: bool,
    /// The network before the step.
    pub before: &'a SupervisedModel,
    /// The batch of the step.
    pub batch: &'a Batch,
    /// The losses of the step.
    pub measured: &'a StepOutput,
    /// The network after the step.
    pub after: &'a SupervisedModel,
}

impl Replay<'_> {
    /// Trains to the end of `last_epoch`, or until `see` breaks with a value, which is returned.
    ///
    /// # Errors
    /// Those of `see`.
    pub fn run<T>(
        self,
        last_epoch: usize,
        mut see: impl FnMut(ReplayedStep<'_>) -> Result<ControlFlow<T>, TrainingError>,
    ) -> Result<Option<T>, TrainingError> {
        let config = self.training.batches();
        let steps_per_epoch = config.num_batches(self.train.len());
        let mut scheduler = Scheduler::new(
            self.scheduler,
            self.optimizer,
            steps_per_epoch,
            self.training.num_epochs,
        );
        let mut supervised = SupervisedModel::new(self.network, self.loss.clone()).for_training();
        let mut optimizer = Optimizer::new(self.optimizer, &supervised);
        let (rules, seeds) = (self.training.step_rules(), [step_seed(self.seed)]);
        let mut step = 0;
        for epoch in 1..=last_epoch {
            if let Some(rate) = self.epoch_rates.get(epoch - 1) {
                scheduler.recall(step + steps_per_epoch as u64 - 1, *rate);
            }
            let batches = Batches::new(self.train, &config, self.seed, epoch as u64 - 1);
            for (i, batch) in batches.enumerate() {
                let learning_rate = scheduler.learning_rate(step);
                let step_seeds = StepSeeds {
                    seeds: &seeds,
                    step,
                };
                let (after, measured) = supervised.after_step(
                    batch.clone(),
                    step_seeds,
                    &rules,
                    &mut optimizer,
                    learning_rate,
                );
                step += 1;
                let seen = see(ReplayedStep {
                    epoch,
                    step,
                    ends_epoch: i + 1 == steps_per_epoch,
                    before: &supervised,
                    batch: &batch,
                    measured: &measured,
                    after: &after,
                })?;
                if let ControlFlow::Break(found) = seen {
                    return Ok(Some(found));
                }
                supervised = after;
            }
        }
        Ok(None)
    }
}
