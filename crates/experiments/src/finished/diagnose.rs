//! Diagnoses a run in any state. If its loss became NaN or infinite, the training is repeated to find the cause.

use std::path::PathBuf;

use burn::module::Module;
use burn::tensor::Device;
use emberlab_analysis::locate_non_finite;
use emberlab_models::Network;
use emberlab_run_format::files::{self, CONFIG, DIAGNOSIS, LAYERS, METRICS, NETWORK, RESULT};
use emberlab_run_format::{Diagnosis, Finding, FindingKind, RunFolder, RunResult};
use emberlab_training::{TrainingError, device, load_network};

use crate::error::ExperimentError;
use crate::finished::load::prepared;
use crate::run::Run;
use crate::trial::{Prepared, quick_diagnosis};

/// Diagnoses a run in any state, and writes `diagnosis.json` unless another process is training the run.
///
/// If its loss became NaN or infinite, the training is repeated up to that step, to name the layer and the operation.
///
/// # Errors
/// [`ExperimentError`] if the run cannot be read, or its data or files have changed.
pub fn diagnose(
    run: &Run,
    device_name: &str,
    data_dirs: &[PathBuf],
) -> Result<Diagnosis, ExperimentError> {
    run.check_unchanged(&[CONFIG, METRICS, LAYERS, NETWORK])?;
    let prepared = prepared(run, data_dirs)?;
    let device = device::open(device_name).map_err(TrainingError::from)?;
    let curves = run.learning_curves()?;
    let now = newest_network(run, &prepared, &device)?;
    // What cannot be read is not worth an error here: `runs check` finds damage.
    let baselines = RunFolder::new(run.path()).baselines().ok().flatten();
    let result = run.read_json::<RunResult>(RESULT).ok();
    let compared = baselines.as_ref().zip(result.as_ref());
    let mut diagnosis = quick_diagnosis(
        &prepared,
        &device,
        now.as_ref(),
        &curves,
        &run.layers()?,
        compared.map(|(baselines, result)| (baselines, &result.metrics)),
    )?;
    if let Some(epoch) = curves.first_non_finite() {
        // If only the validation loss is not finite, the batches of the next epoch show the cause.
        let train = prepared.upload_train(&device)?;
        let rates = run.learning_rates()?;
        let found = locate_non_finite(prepared.replay(&device, &train, &rates)?, epoch + 1)?;
        let is_non_finite = |f: &Finding| f.kind == FindingKind::NonFinite;
        if let (Some(found), Some(first)) = (
            found,
            diagnosis.findings.iter_mut().find(|f| is_non_finite(f)),
        ) {
            let curves = std::mem::replace(first, found);
            first.evidence.extend(curves.evidence);
        }
    }
    if let Ok(_lock) = run.lock() {
        run.write_json(DIAGNOSIS, &diagnosis)?;
    }
    Ok(diagnosis)
}

/// The newest network of a run: the one after the last step, or else the one in the newest checkpoint.
fn newest_network(
    run: &Run,
    prepared: &Prepared,
    device: &Device,
) -> Result<Option<Network>, ExperimentError> {
    let bytes = if run.is_done() {
        run.read(NETWORK)?
    } else {
        match run.newest_checkpoint()? {
            Some(checkpoint) => checkpoint.file(files::checkpoint::NETWORK)?.to_vec(),
            None => return Ok(None),
        }
    };
    let network = load_network(prepared.init_network(device)?, &bytes);
    Ok(Some(
        network.map_err(|e| run.malformed(NETWORK, e))?.valid(),
    ))
}
