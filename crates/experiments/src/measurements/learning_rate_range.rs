//! A learning-rate range test of an experiment with one seed.

use std::path::PathBuf;

use emberlab_menu::Problem;
use emberlab_training::{RangeTest, StopFlag, TrainingError, device};

use crate::config::ExperimentConfig;
use crate::error::ExperimentError;
use crate::trial::Prepared;

/// The losses of a range test of `config` with this seed, one for each learning rate until the training diverged.
///
/// # Errors
/// [`ExperimentError`] if the data cannot be loaded, the network cannot be made, or the device cannot be used; or if
/// the optimiser searches for the length of its steps.
pub fn range_curve(
    config: &ExperimentConfig,
    seed: u64,
    learning_rates: &[f64],
    device_name: &str,
    data_dirs: &[PathBuf],
    stop: &StopFlag,
) -> Result<Vec<f64>, ExperimentError> {
    let device = device::open(device_name).map_err(TrainingError::from)?;
    let mut config = config.clone().without_comparison();
    config.seed = seed;
    let rule = &config.optimizer.rule;
    Problem::unless(
        !rule.searches(),
        "optimizer.name",
        rule.name(),
        "an optimiser whose steps grow with the learning rate; this one only begins its search there, and 1 is usual",
    )?;
    let prepared = Prepared::for_training(config, data_dirs)?;
    let train = prepared.upload_train(&device)?;
    let test = RangeTest {
        network: prepared.init_network(&device.autodiff())?,
        loss: &prepared.config.loss,
        optimizer: &prepared.config.optimizer,
        training: &prepared.config.training,
        seed,
        train: &train,
    };
    Ok(test.run(learning_rates, stop)?)
}
