//! The time of one training step of an experiment on a device.

use std::time::Duration;

use emberlab_training::{EngineConfig, StepTime, StopFlag, TrainingConfig, TrainingError, device};

use crate::error::ExperimentError;
use crate::trial::Prepared;

/// The median time of a training step by an engine in seconds, over about `duration` of training.
///
/// # Errors
/// [`ExperimentError`] if the device cannot be used, the network does not fit the data, or there are no fused kernels
/// for the training and `engine` asks for them.
pub fn step_seconds(
    prepared: &Prepared,
    device_name: &str,
    engine: EngineConfig,
    duration: Duration,
    stop: &StopFlag,
) -> Result<f64, ExperimentError> {
    let device = device::open(device_name).map_err(TrainingError::from)?;
    let training = TrainingConfig {
        engine,
        ..prepared.config.training.clone()
    };
    let (network, trained_by) = prepared.network_to_train(&training, &device)?;
    let train = prepared.upload_train(&trained_by.tensor_device(&device))?;
    let time = StepTime {
        network,
        device: &device,
        loss: &prepared.config.loss,
        optimizer: &prepared.config.optimizer,
        training: &training,
        seed: prepared.config.seed,
        train: &train,
        task: &prepared.task,
    };
    Ok(time.measure(duration, stop)?)
}
