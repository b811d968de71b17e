//! The learning-rate range test: a short training whose learning rate grows with every step.

use burn::tensor::Tensor;
use emberlab_datasets::{Batches, DeviceDataset};
use emberlab_models::{Network, StepSeeds, step_seed};

use crate::config::TrainingConfig;
use crate::error::TrainingError;
use crate::loss::{LossConfig, Reduction};
use crate::metric_accumulator::host;
use crate::optimizer::{Optimizer, OptimizerConfig};
use crate::supervised_model::SupervisedModel;
use crate::trainer::interrupt::StopFlag;

/// The test ends when the smoothed loss is this many times the lowest one so far (as in fastai).
const DIVERGED: f64 = 4.0;

/// Everything that a range test needs. Batches, clipping and optimiser are those of the training whose learning rate
/// is sought; the learning rates are its own, one for each step.
///
/// # Source
/// Smith 2017, section 3.3, <https://arxiv.org/abs/1506.01186>; rates grow geometrically, as in fastai.
pub struct RangeTest<'a> {
    /// The network to start from, on an autodiff device.
    pub network: Network,
    /// Its loss.
    pub loss: &'a LossConfig,
    /// Its optimiser; its own learning rate is not used.
    pub optimizer: &'a OptimizerConfig,
    /// The batches and the rules of a step: penalty, clipping, noise, largest norm and average.
    pub training: &'a TrainingConfig,
    /// The seed of shuffles.
    pub seed: u64,
    /// The data to train on.
    pub train: &'a DeviceDataset,
}

impl RangeTest<'_> {
    /// Takes one step with each learning rate and returns each batch's loss per sample before its step.
    ///
    /// There are fewer losses than rates if the loss becomes NaN or infinite, if the smoothed loss grows to four
    /// times its lowest value, or if somebody asks to stop.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    pub fn run(self, learning_rates: &[f64], stop: &StopFlag) -> Result<Vec<f64>, TrainingError> {
        let mut supervised = SupervisedModel::new(self.network, self.loss.clone()).for_training();
        let mut optimizer = Optimizer::new(self.optimizer, &supervised);
        let config = self.training.batches();
        let epochs =
            (0_u64..).flat_map(|epoch| Batches::new(self.train, &config, self.seed, epoch));
        let (rules, seeds) = (self.training.step_rules(), [step_seed(self.seed)]);
        let mut losses = Vec::with_capacity(learning_rates.len());
        // Single batches are noisy, so divergence is judged by their running mean.
        let (mut mean, mut lowest) = (None, f64::INFINITY);
        for (step, (&learning_rate, batch)) in learning_rates.iter().zip(epochs).enumerate() {
            if stop.is_requested() {
                break;
            }
            let batch_size = batch.inputs.dims()[0] as f64;
            let step_seeds = StepSeeds {
                seeds: &seeds,
                step: step as u64,
            };
            let (after, measured) =
                supervised.after_step(batch, step_seeds, &rules, &mut optimizer, learning_rate);
            supervised = after;
            let mut loss: f64 = host(Tensor::cat(measured.losses, 0))?.into_iter().sum();
            if self.loss.reduction == Reduction::Sum {
                loss /= batch_size;
            }
            let smooth = mean.map_or(loss, |mean| mean + (loss - mean) / 5.0);
            if !loss.is_finite() || smooth > DIVERGED * lowest {
                break;
            }
            mean = Some(smooth);
            lowest = lowest.min(smooth);
            losses.push(loss);
        }
        Ok(losses)
    }
}
