//! Records of the layers of a network on its probe batch.

use std::collections::HashMap;

use burn::tensor::{Device, Tensor};
use emberlab_datasets::Batch;
use emberlab_models::{Activation, Network, Operation, Stage};
use emberlab_run_format::{Frame, LayerRow};

use super::config::{InspectConfig, Spacing};
use super::frames::Pictures;
use super::sizes::{named_gradients, num_dead, saturated};
use super::statistics::{histogram, histogram_and_quantiles, moments, norm};
use crate::error::TrainingError;
use crate::loss::LossConfig;
use crate::metric_accumulator::host;
use crate::supervised_model::SupervisedModel;
use crate::task::Task;

/// The rows on which a network is inspected while it learns, always the same ones.
#[derive(Debug, Clone)]
pub struct Probe {
    /// When the layers are recorded.
    pub config: InspectConfig,
    /// Inputs and targets, on the device of tensors.
    pub batch: Batch,
    /// The points of maps, standardised, row by row: `[num_points, 2]`; only for networks with two inputs.
    pub grid: Option<Tensor<2>>,
    /// `[channels, height, width]` of the inputs; none unless they are images.
    pub image: Option<[usize; 3]>,
}

/// One record of the layers.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerRecord {
    /// A row for each layer, from the inputs to the outputs.
    pub rows: Vec<LayerRow>,
    /// The pictures; with many records, only some have them.
    pub frame: Option<Frame>,
}

/// The most frames of a training.
pub(super) const MOST_FRAMES: u64 = 60;

impl Probe {
    /// The most frames that a training with this spacing has.
    pub fn num_frames(spacing: &Spacing) -> u64 {
        spacing.num_frames(MOST_FRAMES)
    }
}

/// Records the layers of one network while it learns.
#[derive(Debug, Clone)]
pub struct Inspector {
    probe: Probe,
    spacing: Spacing,
    loss: LossConfig,
    task: Task,
}

impl Inspector {
    /// The inspector of a training; none if its configuration asks for no records.
    pub(crate) fn new(
        probe: Probe,
        loss: &LossConfig,
        task: &Task,
        steps_per_epoch: usize,
        num_epochs: usize,
    ) -> Option<Self> {
        let spacing = probe.config.spacing(steps_per_epoch, num_epochs)?;
        Some(Self {
            probe,
            spacing,
            loss: loss.clone(),
            task: task.clone(),
        })
    }

    /// The steps at which the layers are recorded.
    pub(crate) fn spacing(&self) -> &Spacing {
        &self.spacing
    }

    /// The device on which records are computed.
    pub(crate) fn device(&self) -> Device {
        self.probe.batch.inputs.device()
    }

    /// Records a network after `step` steps. `before` is the network before the last of them, where that is known.
    ///
    /// Batch normalisation standardises by the statistics of the probe batch, as in training; in maps and boundaries by
    /// its running statistics. Feature maps are those of the first row of the probe batch.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    pub(crate) fn record(
        &self,
        network: &Network,
        before: Option<&Network>,
        step: u64,
    ) -> Result<LayerRecord, TrainingError> {
        let epoch = self.spacing.epoch(step);
        let (rows, layers) = inspect_layers(
            network,
            before,
            &self.loss,
            &self.probe.batch,
            (epoch, step),
        )?;
        let frame = match self.spacing.has_frame(step, MOST_FRAMES) {
            true => {
                let pictures = Pictures {
                    probe: &self.probe,
                    loss: &self.loss,
                    task: &self.task,
                };
                Some(pictures.frame(network, layers, epoch, step)?)
            }
            false => None,
        };
        Ok(LayerRecord { rows, frame })
    }
}

/// The outputs of layers by their names, after the activation function.
pub type LayerOutputs = Vec<(String, Tensor<2>)>;

/// The rows of all layers with weights on a batch, and the outputs of every layer after its activation function.
/// `before` is the network before the last step, where that is known; then follow the epochs and the steps done.
///
/// # Errors
/// [`TrainingError::Read`] if the device fails.
pub fn inspect_layers(
    network: &Network,
    before: Option<&Network>,
    loss: &LossConfig,
    batch: &Batch,
    (epoch, step): (f64, u64),
) -> Result<(Vec<LayerRow>, LayerOutputs), TrainingError> {
    let (gradients, stages) = SupervisedModel::inspect(network, loss, batch);
    let gradients = named_gradients(network, &gradients)?;
    let gradients: HashMap<String, Vec<f64>> = gradients.into_iter().collect();
    let weights = weights_of(network);
    let weights_before: HashMap<String, Vec<f64>> =
        before.map(weights_of).into_iter().flatten().collect();
    let mut rows = Vec::new();
    let mut layers = Vec::new();
    for (part, activation, outputs) in layer_outputs(stages) {
        let name = format!("{part}.weight");
        let Some((_, weights)) = weights.iter().find(|(known, _)| *known == name) else {
            continue;
        };
        let units = outputs.dims()[1];
        let values = host(outputs.clone())?;
        let (mean, std) = moments(&values);
        let (activations, activation_quantiles) = histogram_and_quantiles(&values);
        let update = weights_before.get(&name).map_or(f64::NAN, |before| {
            let change: Vec<f64> = weights.iter().zip(before).map(|(a, b)| a - b).collect();
            norm(&change)
        });
        let no_gradient = Vec::new();
        let gradient = gradients.get(&name).unwrap_or(&no_gradient);
        rows.push(LayerRow {
            epoch,
            step,
            layer: part.clone(),
            activation: activation.name().to_string(),
            units,
            activation_mean: mean,
            activation_std: std,
            dead: num_dead(activation, &values, units) as f64 / units as f64,
            saturated: saturated(activation, &values),
            weight_norm: norm(weights),
            gradient_norm: norm(gradient),
            update_norm: update,
            activations,
            weights: histogram(weights),
            gradients: histogram(gradient),
            activation_quantiles,
        });
        layers.push((part, outputs));
    }
    Ok((rows, layers))
}

/// The weights of every layer, without biases and normalisations, by their names.
fn weights_of(network: &Network) -> Vec<(String, Vec<f64>)> {
    let tensors = network.named_tensors().into_iter();
    let of_layers = tensors.filter(|(name, _)| name.ends_with(".weight"));
    of_layers
        .map(|(name, data)| (name, data.iter::<f64>().collect()))
        .collect()
}

/// The name, the activation function and the outputs of every layer with weights, after the function.
pub fn layer_outputs(stages: Vec<Stage<'_>>) -> Vec<(String, &Activation, Tensor<2>)> {
    let mut layers = Vec::new();
    let mut part = None;
    for stage in stages {
        match stage.operation {
            Operation::Dense(_) | Operation::Convolution(_) => {
                part = Some(stage.operation.part());
            }
            Operation::Activation(_, activation) | Operation::OutputActivation(activation) => {
                if let Some(part) = part.take() {
                    layers.push((part, activation, stage.outputs));
                }
            }
            Operation::Normalization(_) => {}
        }
    }
    layers
}
