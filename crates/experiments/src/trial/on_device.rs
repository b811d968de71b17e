//! The network and the data of an experiment, put on a device.

use burn::tensor::Device;
use emberlab_analysis::{Classifier, Replay};
use emberlab_datasets::{Batch, BatchSize, DeviceDataset};
use emberlab_menu::Problem;
use emberlab_models::Network;
use emberlab_rng::stream;
use emberlab_training::{Split, SplitData, TrainedBy, TrainingConfig};

use crate::error::ExperimentError;
use crate::trial::Prepared;

/// The number of activations that fit in the caches of a CPU. Measured: a batched model with larger layers takes longer
/// for each network.
const ACTIVATIONS_IN_CACHE: usize = 192 * 1024;

impl Prepared {
    /// The network with its initial weights. They are drawn on the CPU from the seed, so they are the same on every
    /// device.
    ///
    /// # Errors
    /// [`ExperimentError::Config`] or [`ExperimentError::Model`] if the network cannot take these inputs.
    pub fn init_network(&self, device: &Device) -> Result<Network, ExperimentError> {
        let mut rng = stream(self.config.seed, "init", &[]);
        let dtype = self.config.training.precision.dtype();
        let shape = &self.samples.input_shape;
        let model = &self.config.model;
        Ok(model.init(shape, self.d_output, &mut rng, device, dtype)?)
    }

    /// The network with its initial weights and the engine that trains it on a device, with the settings of `training`.
    ///
    /// # Errors
    /// As [`init_network`](Self::init_network); [`ExperimentError::Config`] if the configuration asks for fused kernels
    /// and there are none.
    pub fn network_to_train(
        &self,
        training: &TrainingConfig,
        device: &Device,
    ) -> Result<(Network, TrainedBy), ExperimentError> {
        // On the device where fused kernels would need it, so that the engine can be chosen.
        let host = TrainedBy::FusedKernels.tensor_device(device);
        let network = self.init_network(&host.clone().autodiff())?;
        let (loss, rule) = (&self.config.loss, &self.config.optimizer.rule);
        let num_samples = [self.splits.train.len(), self.splits.valid.len()];
        let trained_by = TrainedBy::choose(&network, loss, rule, training, num_samples, device)?;
        let tensor_device = trained_by.tensor_device(device);
        let network = match tensor_device == host {
            true => network,
            false => self.init_network(&tensor_device.autodiff())?,
        };
        Ok((network, trained_by))
    }

    /// The number of networks like this one that are best trained together in one batched model on a CPU; at least 1.
    pub fn networks_per_batched_model(&self, network: &Network) -> usize {
        let num_train = self.splits.train.len();
        let batch_size = match self.config.training.batches().batch_size {
            BatchSize::Full => num_train,
            BatchSize::Size(size) => size.min(num_train),
        };
        let activations = batch_size.saturating_mul(network.widest());
        (ACTIVATIONS_IN_CACHE / activations.max(1)).max(1)
    }

    /// A network of this experiment together with what its predictions depend on.
    pub fn classifier<'a>(&'a self, network: &'a Network, device: &'a Device) -> Classifier<'a> {
        Classifier {
            network,
            loss: &self.config.loss,
            task: &self.task,
            derived: self.derived.as_ref(),
            standardizer: &self.standardizer,
            device,
            dtype: self.config.training.precision.dtype(),
        }
    }

    /// Puts a split on the device; `None` if it has no rows.
    ///
    /// # Errors
    /// [`ExperimentError::Dataset`] if the targets cannot be encoded for the task.
    pub fn upload(
        &self,
        split: Split,
        device: &Device,
    ) -> Result<Option<DeviceDataset>, ExperimentError> {
        match self.rows(split) {
            [] => Ok(None),
            rows => self.upload_rows(rows, device).map(Some),
        }
    }

    /// Puts the training split on the device, with the augmentation of the experiment.
    ///
    /// # Errors
    /// [`ExperimentError::Config`] if it has no rows.
    pub fn upload_train(&self, device: &Device) -> Result<DeviceDataset, ExperimentError> {
        let train = self.upload(Split::Train, device)?;
        let train = train.ok_or_else(no_training_rows)?;
        let (samples, standardizer) = (&self.samples, &self.standardizer);
        Ok(match self.config.training.augmentation {
            Some(config) => train.augmented(config, samples, self.rows(Split::Train), standardizer),
            None => train,
        })
    }

    /// Puts all splits on the device.
    ///
    /// # Errors
    /// [`ExperimentError::Config`] if the training split has no rows.
    pub fn upload_all(&self, device: &Device) -> Result<SplitData, ExperimentError> {
        Ok(SplitData {
            train: self.upload_train(device)?,
            valid: self.upload(Split::Valid, device)?,
            test: self.upload(Split::Test, device)?,
        })
    }

    /// The first rows of the training split, at most `limit` of them, as one batch.
    ///
    /// # Errors
    /// [`ExperimentError::Config`] if there are none; [`ExperimentError::Dataset`] if the targets cannot be encoded
    /// for the task.
    pub fn first_of_train(&self, limit: usize, device: &Device) -> Result<Batch, ExperimentError> {
        let rows = &self.splits.train[..limit.min(self.splits.train.len())];
        if rows.is_empty() {
            return Err(no_training_rows().into());
        }
        Ok(Batch::all(&self.upload_rows(rows, device)?))
    }

    /// Puts rows on the device.
    ///
    /// # Errors
    /// [`ExperimentError::Dataset`] if the targets cannot be encoded for the task.
    pub(crate) fn upload_rows(
        &self,
        rows: &[u32],
        device: &Device,
    ) -> Result<DeviceDataset, ExperimentError> {
        let encoding = self.task.encoding(self.d_output);
        let dtype = self.config.training.precision.dtype();
        let (samples, standardizer) = (&self.samples, &self.standardizer);
        let dataset = DeviceDataset::upload(samples, rows, standardizer, &encoding, device, dtype)?;
        Ok(dataset)
    }

    /// The training of this experiment, to be repeated step by step. `epoch_rates` are the learning rates that its
    /// epochs ended with: see [`Replay::epoch_rates`].
    ///
    /// # Errors
    /// [`ExperimentError::Config`] if the network cannot take these inputs.
    pub fn replay<'a>(
        &'a self,
        device: &Device,
        train: &'a DeviceDataset,
        epoch_rates: &'a [f64],
    ) -> Result<Replay<'a>, ExperimentError> {
        let config = &self.config;
        Ok(Replay {
            network: self.init_network(&device.clone().autodiff())?,
            loss: &config.loss,
            optimizer: &config.optimizer,
            scheduler: &config.scheduler,
            epoch_rates,
            training: &config.training,
            seed: config.seed,
            train,
        })
    }
}

fn no_training_rows() -> Problem {
    Problem::new("split.train", "0 rows", "at least one row to train on")
}
