//! Checks the gradients of a network before its first step.

use std::path::PathBuf;

use emberlab_analysis::gradients::{ParameterCheck, check_network};
use emberlab_training::{Precision, TrainingError, device};

use crate::config::ExperimentConfig;
use crate::error::ExperimentError;
use crate::trial::Prepared;

/// Number of training samples for the check: enough for batch normalisation, and few enough to be fast.
const MOST_SAMPLES: usize = 16;

/// Checks the gradient of every parameter of the network in `config` at its initial weights, in 64-bit floats if the
/// device has them.
///
/// # Errors
/// [`ExperimentError`] if the data cannot be loaded, the network cannot be made, or the device cannot be used.
pub fn check_gradients(
    config: &ExperimentConfig,
    device_name: &str,
    data_dirs: &[PathBuf],
) -> Result<Vec<ParameterCheck>, ExperimentError> {
    let in_precision = |precision| {
        let mut config = config.clone().without_comparison();
        config.training.precision = precision;
        Prepared::load(config, data_dirs)
    };
    let has_f64 = device::supports_f64(device_name);
    let reference = in_precision(Precision::F64)?;
    let checked = in_precision(if has_f64 {
        Precision::F64
    } else {
        Precision::F32
    })?;
    let open = |name| device::open(name).map_err(TrainingError::from);
    let device = open(device_name)?;
    let exact = if has_f64 {
        device.clone()
    } else {
        open(device::DEFAULT)?
    };
    Ok(check_network(
        (
            &checked.init_network(&device.clone().autodiff())?,
            &checked.first_of_train(MOST_SAMPLES, &device)?,
        ),
        (
            &reference.init_network(&exact)?,
            &reference.first_of_train(MOST_SAMPLES, &exact)?,
        ),
        &reference.config.loss,
    )?)
}
