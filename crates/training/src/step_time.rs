//! How long a training step takes, measured by taking some.

use std::time::{Duration, Instant};

use emberlab_datasets::{Batches, DeviceDataset};
use emberlab_models::Network;

use crate::config::TrainingConfig;
use crate::error::TrainingError;
use crate::loss::LossConfig;
use crate::metric_accumulator::host;
use crate::optimizer::{Optimizer, OptimizerConfig};
use crate::stop::StopFlag;
use crate::supervised_model::SupervisedModel;

/// Steps between two looks at the clock; a look waits for the device.
const LAP: usize = 10;

/// Everything a measurement needs.
pub struct StepTime<'a> {
    /// The network to start from.
    pub network: Network,
    /// Its loss.
    pub loss: &'a LossConfig,
    /// Its optimiser.
    pub optimizer: &'a OptimizerConfig,
    /// In which batches it trains, and how gradients are clipped.
    pub training: &'a TrainingConfig,
    /// The seed of shuffles.
    pub seed: u64,
    /// What is trained on.
    pub train: &'a DeviceDataset,
}

impl StepTime<'_> {
    /// Trains for about `duration` and returns the median time of a step, in seconds: batch, gradients and
    /// update, without metrics and checkpoints. The first lap, in which a GPU compiles its kernels, is not
    /// counted; if somebody asks to stop, what there is by then is.
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
