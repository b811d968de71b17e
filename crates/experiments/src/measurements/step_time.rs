//! The time of one training step of an experiment on a device.

use std::time::Duration;

use emberlab_training::{StepTime, StopFlag, TrainingError, device};

use crate::error::ExperimentError;
use crate::trial::Prepared;

/// The median time of a training step in seconds, over about `duration` of training.
///
/// # Errors
/// [`ExperimentError`] if the device cannot be used or the network does not fit the data.
pub fn step_seconds(
    prepared: &Prepared,
    device_name: &str,
    duration: Duration,
    stop: &StopFlag,
) -> Result<f64, ExperimentError> {
    let device = device::open(device_name).map_err(TrainingError::from)?;
    let train = prepared.upload_train(&device)?;
    let time = StepTime {
        network: prepared.init_network(&device.autodiff())?,
        loss: &prepared.config.loss,
        optimizer: &prepared.config.optimizer,
        training: &prepared.config.training,
        seed: prepared.config.seed,
        train: &train,
    };
    Ok(time.measure(duration, stop)?)
}
