//! What is wrong with a run: its data, its curves, and its network at the start and now.

use std::path::PathBuf;

use burn::module::Module;
use burn::tensor::Device;
use emberlab_analysis::{
    LearningCurves, Observations, ObservedData, Replay, findings, inspect_signals, inspect_step,
    locate_non_finite,
};
use emberlab_datasets::{Batch, BatchSize, DeviceDataset};
use emberlab_models::{ModelConfig, Network};
use emberlab_run_format::files::{self, DIAGNOSIS, NETWORK};
use emberlab_run_format::{Diagnosis, Finding, FindingKind};
use emberlab_training::{Split, TrainingError, device, load_network};

use crate::error::ExperimentError;
use crate::run::Run;
use crate::trial::Prepared;
use crate::trial::{check_data, load_config};

/// Training rows that networks are looked at with.
const SAMPLE_ROWS: usize = 256;
/// The same of a convolutional network, whose signals are larger.
const SAMPLE_IMAGES: usize = 64;

/// Diagnoses a run, whatever has become of it, and leaves `diagnosis.json` there unless another process
/// trains it.
///
/// If its loss has become NaN or infinite, the training is done again up to that step, to name the layer and
/// the operation.
///
/// # Errors
/// [`ExperimentError`] if the run cannot be read, or its data have changed.
pub fn diagnose(
    run: &Run,
    device_name: &str,
    data_dirs: &[PathBuf],
) -> Result<Diagnosis, ExperimentError> {
    let prepared = Prepared::load(load_config(run)?, data_dirs)?;
    check_data(run, &prepared)?;
    let device = device::open(device_name).map_err(TrainingError::from)?;
    let curves = run.learning_curves()?;
    let now = newest_network(run, &prepared, &device)?;
    let mut diagnosis = quick_diagnosis(&prepared, &device, now.as_ref(), &curves)?;
    if let Some(epoch) = curves.first_non_finite() {
        // The validation loss may have been the first to break: the next epoch's batches then do.
        let found = replayed(&prepared, &device, epoch + 1)?;
        let is_told = |f: &Finding| f.kind == FindingKind::NonFinite;
        if let (Some(found), Some(told)) =
            (found, diagnosis.findings.iter_mut().find(|f| is_told(f)))
        {
            let curves = std::mem::replace(told, found);
            told.evidence.extend(curves.evidence);
        }
    }
    if let Ok(_lock) = run.lock() {
        run.write_json(DIAGNOSIS, &diagnosis)?;
    }
    Ok(diagnosis)
}

/// What can be said without training anything again; `now` is the network as it is, if there is one.
pub(crate) fn quick_diagnosis(
    prepared: &Prepared,
    device: &Device,
    now: Option<&Network>,
    curves: &LearningCurves,
) -> Result<Diagnosis, ExperimentError> {
    let config = &prepared.config;
    let sample = prepared.sample(device)?;
    let start = prepared.init_network(&device.clone().autodiff())?;
    let signals = inspect_signals(&start.valid(), sample.inputs.clone())?;
    let size = match config.training.batch_size {
        BatchSize::Full => sample.len(),
        BatchSize::Size(size) => size.min(sample.len()),
    };
    let batch = Batch {
        inputs: sample.inputs.clone().narrow(0, 0, size),
        targets: sample.targets.clone().narrow(0, 0, size),
    };
    let step = inspect_step(
        &start,
        &config.loss,
        &config.optimizer,
        config.optimizer.learning_rate,
        config.training.gradient_clipping.as_ref(),
        batch,
    )?;
    let now = match now {
        Some(now) => inspect_signals(now, sample.inputs)?,
        None => signals.clone(),
    };
    let data = ObservedData {
        samples: &prepared.samples,
        splits: &prepared.splits,
        standardize: &config.standardize,
        standardizer: &prepared.standardizer,
    };
    let findings = findings(&Observations {
        curves,
        data: Some(data),
        first_step: Some(&step),
        start: Some(&signals),
        now: Some(&now),
        is_linear: is_linear(&config.model),
    });
    Ok(Diagnosis { findings })
}

/// Whether the network is one linear map, but for what squashes its outputs.
fn is_linear(model: &ModelConfig) -> bool {
    match model {
        ModelConfig::Perceptron(_) => true,
        ModelConfig::Mlp(mlp) => {
            let is_plain = mlp.normalization.is_none();
            let mut activations = mlp.activation.iter();
            mlp.hidden.is_empty() || is_plain && activations.all(|(_, a)| a.is_identity())
        }
        ModelConfig::Convnet(_) => false,
    }
}

/// The training, done again up to the first step without a number.
fn replayed(
    prepared: &Prepared,
    device: &Device,
    last_epoch: usize,
) -> Result<Option<Finding>, ExperimentError> {
    let train = prepared.upload_all(device)?.train;
    Ok(locate_non_finite(
        prepared.replay(device, &train)?,
        last_epoch,
    )?)
}

impl Prepared {
    /// The training of this experiment, to be done again.
    ///
    /// # Errors
    /// [`ExperimentError::Config`] if the network cannot be made.
    pub fn replay<'a>(
        &'a self,
        device: &Device,
        train: &'a DeviceDataset,
    ) -> Result<Replay<'a>, ExperimentError> {
        let config = &self.config;
        Ok(Replay {
            network: self.init_network(&device.clone().autodiff())?,
            loss: &config.loss,
            optimizer: &config.optimizer,
            scheduler: &config.scheduler,
            training: &config.training,
            seed: config.seed,
            train,
        })
    }

    /// A few training rows, evenly spread.
    fn sample(&self, device: &Device) -> Result<DeviceDataset, ExperimentError> {
        let most = match self.config.model {
            ModelConfig::Convnet(_) => SAMPLE_IMAGES,
            _ => SAMPLE_ROWS,
        };
        let train = self.rows(Split::Train);
        let kept = train.len().min(most);
        let rows: Vec<u32> = (0..kept).map(|k| train[k * train.len() / kept]).collect();
        let encoding = self.task.encoding(self.d_output);
        let dtype = self.config.training.precision.dtype();
        let (samples, standardizer) = (&self.samples, &self.standardizer);
        let sample = DeviceDataset::upload(samples, &rows, standardizer, encoding, device, dtype);
        Ok(sample?)
    }
}

/// The network as the run has it: at its end, else in its newest checkpoint.
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
