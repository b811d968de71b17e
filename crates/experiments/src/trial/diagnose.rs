//! Diagnoses a training from its data, its learning curves, and its network before the first step and now.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::Device;
use emberlab_analysis::{LearningCurves, Observations, ObservedBaselines, ObservedData, findings};
use emberlab_datasets::{Batch, BatchSize, DeviceDataset, SplitMethod};
use emberlab_metrics::SplitMetrics;
use emberlab_models::Network;
use emberlab_run_format::{Baselines, Diagnosis, LayerHistory};
use emberlab_training::Split;
use emberlab_training::inspection::{inspect_signals, inspect_step};

use crate::error::ExperimentError;
use crate::trial::Prepared;

/// Number of training rows with which a network of dense layers is inspected.
const SAMPLE_ROWS: usize = 256;
/// Number of training rows with which a convolutional network is inspected: its activations are larger.
const SAMPLE_IMAGES: usize = 64;

/// The simple predictors of a run, and the metrics of its trained network on each split.
pub(crate) type Compared<'a> = (&'a Baselines, &'a BTreeMap<Split, SplitMetrics>);

/// The diagnosis of a training without repeating any of it. `now` is the trained network, if there is one.
///
/// # Errors
/// [`ExperimentError`] if the network cannot be made or the device fails.
pub(crate) fn quick_diagnosis(
    prepared: &Prepared,
    device: &Device,
    now: Option<&Network>,
    curves: &LearningCurves,
    layers: &LayerHistory,
    baselines: Option<Compared<'_>>,
) -> Result<Diagnosis, ExperimentError> {
    let config = &prepared.config;
    let sample = sample(prepared, device)?;
    let start = prepared.init_network(&device.clone().autodiff())?;
    let signals = inspect_signals(&start.valid(), sample.inputs.all())?;
    let size = match config.training.batch_size {
        BatchSize::Full => sample.len(),
        BatchSize::Size(size) => size.min(sample.len()),
    };
    let batch = Batch::all(&sample).cut(|all| all.clone().narrow(0, 0, size));
    let step = inspect_step(
        &start,
        &config.loss,
        &config.optimizer,
        config.optimizer.learning_rate,
        &config.training.step_rules(),
        batch,
    )?;
    let now = match now {
        Some(now) => inspect_signals(now, sample.inputs.all())?,
        None => signals.clone(),
    };
    let findings = findings(&Observations {
        curves,
        data: Some(prepared.observed_data()),
        first_step: Some(&step),
        start: Some(&signals),
        now: Some(&now),
        layers: Some(layers),
        steps: Some((&config.optimizer, config.training.step_rules())),
        is_linear: config.model.is_linear(),
        baselines: baselines.and_then(|compared| prepared.observed_baselines(compared)),
    });
    Ok(Diagnosis { findings })
}

impl Prepared {
    /// The simple predictors beside the network, on the test split, or the validation split if there is no test split.
    fn observed_baselines<'a>(
        &self,
        (baselines, metrics): Compared<'a>,
    ) -> Option<ObservedBaselines<'a>> {
        let splits = [Split::Test, Split::Valid].into_iter();
        let mut found = splits.filter_map(|split| Some((split, metrics.get(&split)?)));
        let (split, network) = found.next()?;
        Some(ObservedBaselines {
            baselines,
            split,
            network,
            num_rows: self.rows(split).len(),
            is_own_table: self.config.dataset.table().is_some(),
        })
    }

    /// The data as the rules of a diagnosis read them.
    pub(super) fn observed_data(&self) -> ObservedData<'_> {
        ObservedData {
            samples: &self.samples,
            splits: &self.splits,
            standardize: &self.config.standardize,
            standardizer: &self.standardizer,
            batches: self.config.training.batches(),
            is_stratified: self.config.split.method == SplitMethod::Stratified,
            compares_rows: self.config.model.compares_rows(),
        }
    }
}

/// A few training rows, evenly spread over the training split.
fn sample(prepared: &Prepared, device: &Device) -> Result<DeviceDataset, ExperimentError> {
    let most = match prepared.config.model.takes_images() {
        true => SAMPLE_IMAGES,
        false => SAMPLE_ROWS,
    };
    let train = prepared.rows(Split::Train);
    let rows: Vec<u32> = evenly(train.len(), most).map(|i| train[i]).collect();
    prepared.upload_rows(&rows, device)
}

/// At most `max` of the indices from 0 to `len`, evenly spread.
pub fn evenly(len: usize, max: usize) -> impl Iterator<Item = usize> {
    let num_indices = len.min(max);
    (0..num_indices).map(move |k| k * len / num_indices)
}
