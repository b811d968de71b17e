//! The time of a training step.

use std::time::{Duration, Instant};

use emberlab_datasets::{Batches, DeviceDataset};
use emberlab_models::Network;

use crate::config::TrainingConfig;
use crate::error::TrainingError;
use crate::loss::LossConfig;
use crate::metric_accumulator::host;
use crate::optimizer::{Optimizer, OptimizerConfig};
use crate::supervised_model::SupervisedModel;
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
}

impl StepTime<'_> {
    /// Trains for about `duration` and returns the median time of a step, in seconds.
    ///
    /// A step is batch, gradients and update, without metrics and checkpoints. The first ten steps, in which a GPU
    /// compiles its kernels, do not count. If somebody asks to stop, the steps so far count.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    pub fn measure(self, duration: Duration, stop: &StopFlag) -> Result<f64, TrainingError> {
        let mut supervised = SupervisedModel::new(self.network, self.loss.clone()).for_training();
        let mut optimizer = Optimizer::new(self.optimizer, &supervised);
        let config = self.training.batches();
        let mut batches =
            (0_u64..).flat_map(|epoch| Batches::new(self.train, &config, self.seed, epoch));
        let clipping = self.training.gradient_clipping.as_ref();
        let mut laps = Vec::new();
        let began = Instant::now();
        while laps.len() < 2 || (began.elapsed() < duration && !stop.is_requested()) {
            let lap = Instant::now();
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
            laps.push(lap.elapsed().as_secs_f64() / LAP as f64);
        }
        laps.remove(0);
        laps.sort_by(f64::total_cmp);
        Ok(laps[laps.len() / 2])
    }
}
