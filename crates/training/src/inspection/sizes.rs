//! Measurements of a network: the sizes of signals, gradients and steps, and the number of dead and saturated units.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use emberlab_datasets::Batch;
use emberlab_models::{Activation, Mode, Network, Operation, StepSeeds};

use super::statistics::root_mean_square;
use crate::error::TrainingError;
use crate::loss::LossConfig;
use crate::metric_accumulator::host;
use crate::optimizer::{Optimizer, OptimizerConfig};
use crate::step_rules::StepRules;
use crate::supervised_model::SupervisedModel;

/// The measurements of one optimiser step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StepInspection {
    /// The loss of the batch, as it is reduced.
    pub loss: f64,
    /// Whether the gradient of the loss is zero wherever it exists.
    pub has_flat_loss: bool,
    /// Whether any parameter has a gradient that is not zero: a weight, a bias, or one of a normalisation.
    pub has_gradient: bool,
    /// Every layer with weights, from the inputs to the outputs.
    pub layers: Vec<LayerStep>,
}

impl StepInspection {
    /// The layer whose weights change the most relative to their size, and that share.
    pub fn largest_relative_change(&self) -> Option<(&str, f64)> {
        let moved = self.layers.iter().filter(|layer| layer.weight > 0.0);
        let shares = moved.map(|layer| (layer.layer.as_str(), layer.change / layer.weight));
        shares.max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

/// One layer in a step. Sizes are root mean squares over its weights, biases left out.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerStep {
    /// Its name, such as `layers.0`.
    pub layer: String,
    /// Size of its weights.
    pub weight: f64,
    /// Size of their gradients.
    pub gradient: f64,
    /// Size of the change that the optimiser made to them.
    pub change: f64,
}

/// The measurements of a forward pass in training mode.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SignalInspection {
    /// Root mean square of the inputs.
    pub inputs: f64,
    /// Root mean square of the outputs of each layer with weights, by its name.
    pub signals: Vec<(String, f64)>,
    /// Every activation between layers.
    pub activations: Vec<ActivationInspection>,
}

/// The units of one activation.
#[derive(Debug, Clone, PartialEq)]
pub struct ActivationInspection {
    /// The name of the layer before it, such as `layers.0`.
    pub layer: String,
    /// The function, such as `relu`.
    pub activation: String,
    /// Units, or channels of a convolution.
    pub num_units: usize,
    /// ReLU: units that are zero for every input.
    pub num_dead: usize,
    /// Sigmoid and tanh: share of the outputs where the slope is below a twenty-fifth of its largest, in
    /// [0, 1].
    pub saturated: f64,
    /// Whether all units, of several, have the same output for every input, and it is not zero.
    pub are_equal: bool,
}

/// The slope of a saturated unit is below this share of the largest.
const FLAT: f64 = 0.04;

/// Takes one optimiser step of a network on an autodiff device, and measures it.
///
/// # Errors
/// [`TrainingError::Read`] if the device fails.
pub fn inspect_step(
    network: &Network,
    loss: &LossConfig,
    optimizer: &OptimizerConfig,
    learning_rate: f64,
    rules: &StepRules,
    batch: Batch,
) -> Result<StepInspection, TrainingError> {
    let supervised = SupervisedModel::new(network.clone(), loss.clone());
    let mut output = supervised.gradients(&batch, None);
    let losses = host(Tensor::cat(output.item.losses, 0))?;
    let gradients = named_gradients(network, &output.grads)?;
    // Noise would say nothing about the network.
    let rules = StepRules {
        noise: None,
        ..*rules
    };
    let step_seeds = StepSeeds {
        seeds: &[0],
        step: 0,
    };
    output.grads = rules.adjust(&supervised, output.grads, step_seeds);
    let mut optimizer = Optimizer::new(optimizer, &supervised);
    let moved = optimizer
        .step(supervised, output.grads, learning_rate)
        .network;
    let (before, after) = (network.named_tensors(), moved.named_tensors());
    let mut layers = Vec::new();
    for ((name, before), (_, after)) in before.iter().zip(&after) {
        let Some(layer) = name.strip_suffix(".weight") else {
            continue;
        };
        let found = gradients.iter().find(|(gradient, _)| gradient == name);
        let weights: Vec<f64> = before.iter::<f64>().collect();
        let change = weights.iter().zip(after.iter::<f64>()).map(|(a, b)| b - a);
        let change: Vec<f64> = change.collect();
        layers.push(LayerStep {
            layer: layer.to_string(),
            gradient: found.map_or(0.0, |(_, g)| root_mean_square(g)),
            change: root_mean_square(&change),
            weight: root_mean_square(&weights),
        });
    }
    Ok(StepInspection {
        loss: losses.iter().sum(),
        has_flat_loss: loss.function.is_flat(),
        has_gradient: gradients
            .iter()
            .any(|(_, gradient)| gradient.iter().any(|g| *g != 0.0)),
        layers,
    })
}

/// Measures the forward pass of a network on a plain device, in training mode.
///
/// # Shapes
/// - inputs: `[batch, num_features]`, standardised
///
/// # Errors
/// [`TrainingError::Read`] if the device fails.
pub fn inspect_signals(
    network: &Network,
    inputs: Tensor<2>,
) -> Result<SignalInspection, TrainingError> {
    let mut inspection = SignalInspection {
        inputs: root_mean_square(&host(inputs.clone())?),
        ..SignalInspection::default()
    };
    let mut layer = String::new();
    for stage in network.stages(inputs, Mode::Training) {
        let num_units = stage.outputs.dims()[1];
        let values = host(stage.outputs)?;
        let part = stage.operation.part();
        match stage.operation {
            Operation::Dense(_) | Operation::Convolution(_) => {
                let size = root_mean_square(&values);
                layer = part.clone();
                inspection.signals.push((part, size));
            }
            Operation::Activation(_, activation) => {
                inspection.activations.push(ActivationInspection {
                    layer: layer.clone(),
                    activation: activation.name().to_string(),
                    num_units,
                    num_dead: num_dead(activation, &values, num_units),
                    saturated: saturated(activation, &values),
                    are_equal: are_equal(&values, num_units),
                });
            }
            Operation::Normalization(_) | Operation::OutputActivation(_) => {}
        }
    }
    Ok(inspection)
}

/// Units that are zero in every row, of an activation whose units can die.
pub(super) fn num_dead(activation: &Activation, values: &[f64], num_units: usize) -> usize {
    if !activation.can_die() {
        return 0;
    }
    let mut is_alive = vec![false; num_units];
    for row in values.chunks(num_units) {
        for (is_alive, value) in is_alive.iter_mut().zip(row) {
            *is_alive |= *value != 0.0;
        }
    }
    is_alive.iter().filter(|alive| !**alive).count()
}

/// Share of outputs where the slope of a squashing function, relative to its largest, is nearly zero.
pub(super) fn saturated(activation: &Activation, values: &[f64]) -> f64 {
    if activation.relative_slope(0.0).is_none() {
        return 0.0;
    }
    let is_flat = |y: f64| {
        activation
            .relative_slope(y)
            .is_some_and(|slope| slope < FLAT)
    };
    let flat = values.iter().filter(|y| is_flat(**y)).count();
    flat as f64 / values.len().max(1) as f64
}

/// Whether all units, of several, have the same value in every row up to rounding, and not zero in all of them.
fn are_equal(values: &[f64], num_units: usize) -> bool {
    let size = values.iter().fold(0.0, |size: f64, y| size.max(y.abs()));
    let is_alike = |row: &[f64]| row.iter().all(|y| (y - row[0]).abs() <= 1e-5 * size);
    num_units > 1 && size > 0.0 && values.chunks(num_units).all(is_alike)
}

/// The gradient of every parameter that has one, by its name.
pub fn named_gradients(
    network: &Network,
    gradients: &GradientsParams,
) -> Result<Vec<(String, Vec<f64>)>, TrainingError> {
    let mut reader = GradientReader {
        gradients,
        found: Vec::new(),
    };
    network.visit(&mut reader);
    let names = network.named_tensors().into_iter().map(|(name, _)| name);
    let mut named = Vec::new();
    for (name, gradient) in names.zip(reader.found) {
        if let Some(gradient) = gradient {
            named.push((name, host(gradient)?));
        }
    }
    Ok(named)
}

/// Reads the gradient of every parameter, in the order in which a network names them.
struct GradientReader<'a> {
    gradients: &'a GradientsParams,
    found: Vec<Option<Tensor<1>>>,
}

impl ModuleVisitor for GradientReader<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = self.gradients.get::<D>(param.id);
        self.found.push(gradient.map(|g| g.flatten::<1>(0, D - 1)));
    }
}

#[cfg(test)]
mod tests {
    use emberlab_models::activation::{Elu, Relu, Sigmoid, Tanh};

    use super::*;

    #[test]
    fn a_unit_is_dead_if_it_is_zero_in_every_row() {
        let values = [0.0, 1.0, 0.0, 0.0, 0.0, 2.0];
        assert_eq!(num_dead(&Relu {}.into(), &values, 3), 1);
        assert_eq!(num_dead(&Elu { alpha: 1.0 }.into(), &values, 3), 0);
    }

    #[test]
    fn units_are_equal_if_they_are_the_same_in_every_row_and_not_always_zero() {
        assert!(are_equal(&[0.3, 0.3, -0.7, -0.7 + 1e-8], 2));
        assert!(!are_equal(&[0.3, 0.3, -0.7, 0.7], 2));
        assert!(!are_equal(&[0.0; 4], 2), "dead units are another finding");
        assert!(!are_equal(&[0.3, 0.7], 1), "one unit is equal to nothing");
    }

    #[test]
    fn a_unit_is_saturated_where_its_slope_is_nearly_zero() {
        // 4 σ(4.6) σ(−4.6) = 0.0394, 1 − tanh(2.3)² = 0.0393
        let sigmoid = [0.5, 1.0 / (1.0 + (-4.6f64).exp()), 0.9, 1e-9];
        assert_eq!(saturated(&Sigmoid {}.into(), &sigmoid), 0.5);
        assert_eq!(saturated(&Tanh {}.into(), &[2.3f64.tanh(), 0.0]), 0.5);
        assert_eq!(saturated(&Relu {}.into(), &[0.0, 0.0]), 0.0);
    }
}
