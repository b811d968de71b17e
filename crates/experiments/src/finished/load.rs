//! Loads a finished run: its configuration, its data, and one of its networks.

use std::path::PathBuf;

use burn::module::Module;
use burn::tensor::Device;
use emberlab_analysis::Classifier;
use emberlab_models::Network;
use emberlab_run_format::files::{CONFIG, METRICS};
use emberlab_run_format::{ChosenFor, Importance, ThresholdInUse, Weights};
use emberlab_storage::sha256;
use emberlab_training::{
    Predicted, Split, SupervisedModel, TrainingError, device, load_network, predict,
};

use crate::error::ExperimentError;
use crate::run::Run;
use crate::trial::{ImportanceLimit, Prepared};

/// The experiment of a run with the data that it was trained on.
///
/// # Errors
/// Those of [`Prepared::load_same`].
pub(crate) fn prepared(run: &Run, data_dirs: &[PathBuf]) -> Result<Prepared, ExperimentError> {
    Prepared::load_same(run.config()?, data_dirs, run, &run.data_sha256()?)
}

/// A finished run with its data and one of its networks, on a device without autodiff.
pub struct LoadedRun {
    /// The experiment and its data.
    pub prepared: Prepared,
    /// The network, in evaluation mode.
    pub network: Network,
    /// The device of the network.
    pub device: Device,
    /// For two classes: the threshold of its predictions.
    pub threshold: ThresholdInUse,
    /// The network of the run: the last or the best one.
    pub(super) identity: ChosenFor,
    /// The learning rates that its epochs ended with, if they follow from results.
    pub(super) epoch_rates: Vec<f64>,
}

impl LoadedRun {
    /// Loads a finished run.
    ///
    /// # Errors
    /// [`ExperimentError`] if the run has not finished, or its data or files have changed.
    pub fn load(
        run: &Run,
        weights: Weights,
        device_name: &str,
        data_dirs: &[PathBuf],
    ) -> Result<Self, ExperimentError> {
        let bytes = run.network(weights)?;
        run.check_unchanged(&[CONFIG])?;
        let sha256 = sha256(&bytes);
        let prepared = prepared(run, data_dirs)?;
        let device = device::open(device_name).map_err(TrainingError::from)?;
        let network = load_network(prepared.init_network(&device)?, &bytes);
        Ok(Self {
            network: network
                .map_err(|e| run.malformed(weights.file(), e))?
                .valid(),
            threshold: run.threshold_in_use(weights, &sha256),
            epoch_rates: match prepared.config.scheduler.metric() {
                Some(_) => {
                    run.check_unchanged(&[METRICS])?;
                    run.learning_rates()?
                }
                None => Vec::new(),
            },
            prepared,
            device,
            identity: ChosenFor { weights, sha256 },
        })
    }

    /// The predictions on a split.
    ///
    /// # Errors
    /// [`ExperimentError::EmptySplit`] if the split has no rows; [`ExperimentError::Training`] if the device
    /// fails.
    pub fn predict(&self, split: Split) -> Result<Predicted, ExperimentError> {
        let data = self
            .prepared
            .upload(split, &self.device)?
            .ok_or(ExperimentError::EmptySplit { split })?;
        let supervised =
            SupervisedModel::new(self.network.clone(), self.prepared.config.loss.clone());
        let asked = self.prepared.asked_metrics();
        Ok(predict(&supervised, &data, &self.prepared.task, &asked)?)
    }

    /// The importance of every column for the network: see [`Prepared::importance`].
    ///
    /// # Errors
    /// [`ExperimentError::Training`] if the device fails.
    pub fn importance(
        &self,
        limit: ImportanceLimit,
    ) -> Result<Option<Importance>, ExperimentError> {
        (self.prepared).importance(&self.network, &self.device, limit, || false)
    }

    /// The network together with what its predictions depend on.
    pub fn classifier(&self) -> Classifier<'_> {
        self.prepared.classifier(&self.network, &self.device)
    }
}
