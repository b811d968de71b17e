//! Puts an experiment on its device, before a trial is begun or resumed.

use std::path::PathBuf;

use burn::tensor::Device;
use emberlab_menu::Problem;
use emberlab_models::Network;
use emberlab_run_format::{Environment, Finding};
use emberlab_storage::{CheckpointStore, Identity};
use emberlab_training::{Precision, SplitData, TrainedBy, TrainingError, device};

use super::environment::current_environment;
use super::{Prepared, Resources};
use crate::config::ExperimentConfig;
use crate::error::ExperimentError;
use crate::run::Run;

/// An experiment with its data and network on the device, and the identity of the training.
pub(super) struct Ready {
    pub(super) prepared: Prepared,
    /// The findings about the data before the first step.
    pub(super) findings: Vec<Finding>,
    pub(super) identity: Identity,
    /// The device that trains.
    pub(super) device: Device,
    /// The device of network and data.
    pub(super) tensor_device: Device,
    pub(super) network: Network,
    /// The engine that trains it.
    pub(super) trained_by: TrainedBy,
    pub(super) data: SplitData,
}

impl Ready {
    /// Loads the data, opens the device, and puts data and network on it. `trained_on` names the run that is resumed,
    /// and the checksum of its data.
    pub(super) fn prepare(
        config: ExperimentConfig,
        device_name: &str,
        data_dirs: &[PathBuf],
        trained_on: Option<(&Run, &str)>,
    ) -> Result<Self, ExperimentError> {
        if config.training.precision == Precision::F64 && !device::supports_f64(device_name) {
            let expected = format!(
                "`f32` or a CPU device, because the device `{device_name}` has no 64-bit floats"
            );
            return Err(Problem::new("training.precision", "f64", expected).into());
        }
        let device = device::open(device_name).map_err(TrainingError::from)?;
        let config = config.without_comparison();
        let prepared = match trained_on {
            None => Prepared::load(config, data_dirs)?,
            Some((run, checksum)) => Prepared::load_same(config, data_dirs, run, checksum)?,
        };
        prepared.check_trainable()?;
        let findings = prepared.findings();
        Self::of(prepared, findings, device, None)
    }

    /// The same for another experiment, if it differs only in the optimiser. It then shares the data, on the device
    /// too, and the findings about them.
    ///
    /// # Errors
    /// As for [`prepare`](Self::prepare).
    pub(super) fn share(&self, config: &ExperimentConfig) -> Result<Option<Self>, ExperimentError> {
        let with_own_optimizer = ExperimentConfig {
            optimizer: self.prepared.config.optimizer.clone(),
            ..config.clone().without_comparison()
        };
        if with_own_optimizer != self.prepared.config {
            return Ok(None);
        }
        let mut prepared = self.prepared.clone();
        prepared.config.optimizer = config.optimizer.clone();
        let (findings, device) = (self.findings.clone(), self.device.clone());
        Self::of(prepared, findings, device, Some(self)).map(Some)
    }

    /// The same with other settings of the training, if the data and the network are the same. It then shares the data,
    /// on the device too.
    ///
    /// # Errors
    /// As for [`prepare`](Self::prepare).
    pub(super) fn with_settings(
        &self,
        config: &ExperimentConfig,
    ) -> Result<Option<Self>, ExperimentError> {
        let Some(prepared) = self.prepared.with_settings(config.clone())? else {
            return Ok(None);
        };
        prepared.check_trainable()?;
        let findings = prepared.findings();
        Self::of(prepared, findings, self.device.clone(), Some(self)).map(Some)
    }

    /// The experiment with the data of `other`, if those lie where this one needs them.
    fn of(
        prepared: Prepared,
        findings: Vec<Finding>,
        device: Device,
        other: Option<&Self>,
    ) -> Result<Self, ExperimentError> {
        let (network, trained_by) =
            prepared.network_to_train(&prepared.config.training, &device)?;
        let tensor_device = trained_by.tensor_device(&device);
        let data = match other {
            Some(other) if other.tensor_device == tensor_device => other.data.clone(),
            _ => prepared.upload_all(&tensor_device)?,
        };
        Ok(Self {
            identity: Identity {
                config: prepared.config.to_toml()?,
                data_sha256: prepared.data_sha256.clone(),
            },
            trained_by,
            network,
            data,
            device,
            tensor_device,
            findings,
            prepared,
        })
    }

    /// The checkpoints of the run.
    pub(super) fn store(&self, run: &Run) -> CheckpointStore {
        let keep_last = self.prepared.config.checkpoint.keep_last;
        CheckpointStore::new(run.checkpoints(), keep_last)
    }

    /// The environment of this process, for `environment.json`.
    pub(super) fn environment(&self, resources: &Resources) -> Environment {
        let checksum = self.identity.data_sha256.clone();
        let (device, num_threads) = (&resources.device, resources.num_threads);
        current_environment(device, num_threads, checksum, Some(&self.trained_by))
    }
}
