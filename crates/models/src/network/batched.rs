//! Many networks of one shape as one program.

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData};
use emberlab_kernels as kernels;

use crate::activation::SavedActivations;
use crate::batched_parameters::{replica, stacked};
use crate::normalization::{BatchedNorm, Standardized};
use crate::{Activation, BatchStatistics, Dense, Mlp, Network, Norm};

/// Replicas of one multilayer perceptron, each with parameters of its own, computed together.
///
/// A product of matrices is one product for each replica, and everything else one operation for all: what a
/// small network spends on starting operations is spent once. No number of one replica ever meets one of
/// another, so that one that turns NaN harms none.
///
/// It trains by the backward pass written out, on a plain device.
#[derive(Module, Debug)]
pub struct BatchedModel {
    layers: Vec<BatchedDense>,
    /// One for each hidden layer, or none at all.
    norms: Vec<BatchedNorm>,
    /// One for each hidden layer.
    #[module(skip)]
    activations: Vec<Activation>,
    #[module(skip)]
    output_activation: Activation,
}

/// One [`Dense`] of each replica.
#[derive(Module, Debug)]
struct BatchedDense {
    /// `[num_replicas, d_input, d_output]`
    weight: Param<Tensor<3>>,
    /// `[num_replicas, 1, d_output]`
    bias: Option<Param<Tensor<3>>>,
}

/// What batches tell the running statistics of a [`BatchedModel`], one for each batch norm.
#[derive(Debug, Clone, Default)]
pub struct BatchedStatistics(Vec<BatchStatistics<3>>);

impl BatchedModel {
    /// Stacks networks on a plain device; none unless all are multilayer perceptrons of one shape.
    pub fn new(networks: &[Network]) -> Option<Self> {
        let mlps: Option<Vec<&Mlp>> = networks
            .iter()
            .map(|network| match network {
                Network::Mlp(mlp) => Some(mlp),
                Network::ConvNet(_) => None,
            })
            .collect();
        let mlps = mlps?;
        let first = *mlps.first()?;
        let is_like_first = |mlp: &&Mlp| {
            mlp.layers.len() == first.layers.len()
                && mlp.norms.len() == first.norms.len()
                && mlp.activations == first.activations
                && mlp.output_activation == first.output_activation
        };
        if !mlps.iter().all(is_like_first) {
            return None;
        }
        let layers = (0..first.layers.len()).map(|i| {
            let layers: Vec<&Dense> = mlps.iter().map(|mlp| &mlp.layers[i]).collect();
            BatchedDense::new(&layers)
        });
        let norms = (0..first.norms.len()).map(|i| {
            let norms: Vec<&Norm> = mlps.iter().map(|mlp| &mlp.norms[i]).collect();
            BatchedNorm::new(&norms)
        });
        Some(Self {
            layers: layers.collect::<Option<_>>()?,
            norms: norms.collect::<Option<_>>()?,
            activations: first.activations.clone(),
            output_activation: first.output_activation.clone(),
        })
    }

    /// Networks in it.
    pub fn num_replicas(&self) -> usize {
        self.layers[0].weight.dims()[0]
    }

    /// A copy of the network at `index`, which must be below [`num_replicas`](Self::num_replicas).
    pub fn network(&self, index: usize) -> Network {
        let index = indices(&[index], &self.device());
        Network::Mlp(Mlp {
            layers: (self.layers.iter())
                .map(|layer| Dense {
                    weight: replica(&layer.weight, &index),
                    bias: layer.bias.as_ref().map(|bias| replica(bias, &index)),
                })
                .collect(),
            norms: (self.norms.iter())
                .filter_map(|norm| norm.replica(&index))
                .collect(),
            activations: self.activations.clone(),
            output_activation: self.output_activation.clone(),
        })
    }

    /// The networks at these indices alone, in that order.
    pub fn keep(self, replicas: &[usize]) -> Self {
        struct Keep(Tensor<1, Int>);
        impl ModuleMapper for Keep {
            fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
                param.map(|tensor| tensor.select(0, self.0.clone()))
            }
        }
        let indices = indices(replicas, &self.device());
        self.map(&mut Keep(indices))
    }

    /// Outputs in evaluation mode: batch norm uses its running statistics.
    ///
    /// # Shapes
    /// - `inputs`: `[num_replicas × batch, d_input]`, the rows of the first replica, of the second, and so on
    /// - result: `[num_replicas × batch, d_output]`, likewise
    pub fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
        let mut x = self.split(inputs);
        for (i, layer) in self.layers.iter().enumerate() {
            x = layer.forward(x);
            if let Some(norm) = self.norms.get(i) {
                x = norm.forward(x);
            }
            x = self.activation(i).forward(x);
        }
        x.flatten(0, 1)
    }

    /// The gradients of all parameters, for [`GradientsParams`]'s of a network the same numbers.
    ///
    /// `delta_of` takes the outputs in training mode and returns the loss's gradient by them, each
    /// `[num_replicas × batch, d_output]`.
    ///
    /// # Shapes
    /// - `inputs`: as in [`forward`](Self::forward)
    pub fn explicit_gradients(
        &self,
        inputs: Tensor<2>,
        delta_of: impl FnOnce(Tensor<2>) -> Tensor<2>,
    ) -> (GradientsParams, BatchedStatistics) {
        let mut statistics = Vec::new();
        let mut saved = Vec::with_capacity(self.layers.len());
        let mut x = self.split(inputs);
        for (i, layer) in self.layers.iter().enumerate() {
            let input = x.clone();
            x = layer.forward(x);
            let mut standardized = None;
            if let Some(norm) = self.norms.get(i) {
                let (y, saved, batch) = norm.forward_saving(x);
                x = y;
                statistics.extend(batch);
                standardized = Some(saved);
            }
            let (y, activated) = self.activation(i).forward_saving(x);
            x = y;
            saved.push(SavedLayer {
                input,
                standardized,
                activated,
            });
        }
        let mut delta = self.split(delta_of(x.flatten(0, 1)));
        let mut gradients = GradientsParams::new();
        for (i, saved) in saved.into_iter().enumerate().rev() {
            delta = self.activation(i).backward(saved.activated, delta);
            if let (Some(norm), Some(saved)) = (self.norms.get(i), saved.standardized) {
                delta = norm.backward(saved, delta, &mut gradients);
            }
            self.layers[i].gradients(saved.input, &delta, &mut gradients);
            if i > 0 {
                delta = self.layers[i].backward(delta);
            }
        }
        (gradients, BatchedStatistics(statistics))
    }

    /// Moves the running statistics towards those of one batch; nothing without batch norm.
    pub fn with_running_statistics(mut self, statistics: BatchedStatistics) -> Self {
        let mut statistics = statistics.0.into_iter();
        let moved = |norm: BatchedNorm| match statistics.next() {
            Some(batch) => norm.with_running_statistics(batch),
            None => norm,
        };
        self.norms = self.norms.into_iter().map(moved).collect();
        self
    }

    fn split(&self, rows: Tensor<2>) -> Tensor<3> {
        let [num_rows, width] = rows.dims();
        let num_replicas = self.num_replicas();
        rows.reshape([num_replicas, num_rows / num_replicas, width])
    }

    fn device(&self) -> Device {
        self.layers[0].weight.device()
    }

    /// The activation behind a layer: of its own, or that of the outputs.
    fn activation(&self, layer: usize) -> &Activation {
        self.activations
            .get(layer)
            .unwrap_or(&self.output_activation)
    }
}

/// What the way back needs of the way forward.
struct SavedLayer {
    /// `[num_replicas, batch, d_input]`
    input: Tensor<3>,
    standardized: Option<Standardized<3>>,
    activated: SavedActivations<3>,
}

impl BatchedDense {
    /// Stacks layers; none if their shapes differ.
    fn new(layers: &[&Dense]) -> Option<Self> {
        let first = *layers.first()?;
        let is_like_first = |layer: &&Dense| {
            layer.weight.dims() == first.weight.dims()
                && layer.bias.is_some() == first.bias.is_some()
        };
        if !layers.iter().all(is_like_first) {
            return None;
        }
        let weights: Vec<_> = layers.iter().map(|layer| &layer.weight).collect();
        let biases: Option<Vec<_>> = layers.iter().map(|layer| layer.bias.as_ref()).collect();
        Some(Self {
            weight: stacked(&weights),
            bias: biases.map(|biases| stacked(&biases)),
        })
    }

    /// `x W + b` of each replica.
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let weight = self.weight.val();
        kernels::batched_affine(x, weight, self.bias.as_ref().map(Param::val))
    }

    /// As [`Dense`]'s.
    fn gradients(&self, x: Tensor<3>, delta: &Tensor<3>, gradients: &mut GradientsParams) {
        if let Some(bias) = &self.bias {
            gradients.register(bias.id, kernels::batched_sum_of_rows(delta)); // [num_replicas, 1, d_output]
        }
        let gradient = kernels::product(x.transpose(), delta.clone()); // [num_replicas, d_input, d_output]
        gradients.register(self.weight.id, gradient);
    }

    /// As [`Dense`]'s.
    fn backward(&self, delta: Tensor<3>) -> Tensor<3> {
        kernels::product(delta, self.weight.val().transpose())
    }
}

fn indices(replicas: &[usize], device: &Device) -> Tensor<1, Int> {
    let numbers: Vec<i64> = replicas.iter().map(|&index| index as i64).collect();
    let count = numbers.len();
    Tensor::from_data(TensorData::new(numbers, [count]), device)
}
