//! Networks of one shape that are computed together.

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::dense_layers::DenseLayers;
use super::forward_pass::{ForwardPass, Mode, SavedPass};
use crate::layers::BatchedDense;
use crate::normalization::BatchedNorm;
use crate::{Activation, BatchStatistics, Dense, Mlp, Network, Norm, StepSeeds};

/// Replicas of one multilayer perceptron, each with its own parameters, computed together.
///
/// A matrix product is one product for each replica; every other operation runs once for all replicas. A small network
/// spends most of its time on starting operations, and the replicas share that time. The numbers of one replica never
/// mix with those of another, so a replica that becomes NaN leaves the others unchanged.
///
/// The replicas are on a plain device and train by the explicit backward pass.
#[derive(Module, Debug)]
pub struct BatchedModel {
    layers: Vec<BatchedDense>,
    /// As in [`Mlp::norms`].
    norms: Vec<Option<BatchedNorm>>,
    /// One for each hidden layer.
    #[module(skip)]
    activations: Vec<Activation>,
    /// As in [`Mlp::dropout`].
    #[module(skip)]
    dropout: Vec<f64>,
    /// As in [`Mlp::residual`].
    #[module(skip)]
    residual: Vec<bool>,
    /// The activation of the output layer.
    #[module(skip)]
    output_activation: Activation,
}

impl BatchedModel {
    /// Joins networks on a plain device; `None` unless all are multilayer perceptrons of one shape.
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
                && mlp.dropout == first.dropout
                && mlp.residual == first.residual
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
            let norms = mlps.iter().filter_map(|mlp| mlp.norms[i].as_ref());
            let norms: Vec<&Norm> = norms.collect();
            match norms.len() {
                0 => Some(None),
                count => (count == mlps.len()).then(|| BatchedNorm::new(&norms).map(Some))?,
            }
        });
        Some(Self {
            layers: layers.collect::<Option<_>>()?,
            norms: norms.collect::<Option<_>>()?,
            activations: first.activations.clone(),
            dropout: first.dropout.clone(),
            residual: first.residual.clone(),
            output_activation: first.output_activation.clone(),
        })
    }

    /// The number of replicas.
    pub fn num_replicas(&self) -> usize {
        self.layers[0].weight.dims()[0]
    }

    /// A copy of the network of the replica at `index`, which must be below [`num_replicas`](Self::num_replicas).
    pub fn network(&self, index: usize) -> Network {
        let index = indices(&[index], &self.device());
        Network::Mlp(Mlp {
            layers: (self.layers.iter())
                .map(|layer| layer.replica(&index))
                .collect(),
            norms: (self.norms.iter())
                .map(|norm| norm.as_ref()?.replica(&index))
                .collect(),
            activations: self.activations.clone(),
            dropout: self.dropout.clone(),
            residual: self.residual.clone(),
            output_activation: self.output_activation.clone(),
        })
    }

    /// The model with only the replicas at these indices, in that order.
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
    /// - `inputs`: `[num_replicas × batch, d_input]`, the rows of the first replica, then those of the second, and so
    ///   on
    /// - result: `[num_replicas × batch, d_output]`, in the same order
    pub fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
        self.run(inputs, &mut ForwardPass::new(Mode::Evaluation))
    }

    /// Outputs in training mode, the statistics of each batch norm for
    /// [`with_running_statistics`](Self::with_running_statistics), and the saved activations. `masks` has a seed for
    /// each replica; without masks, nothing is dropped.
    ///
    /// # Shapes
    /// - as [`forward`](Self::forward)
    pub fn forward_saving<'a>(
        &'a self,
        inputs: Tensor<2>,
        masks: Option<StepSeeds<'a>>,
    ) -> (Tensor<2>, Vec<BatchStatistics<3>>, SavedReplicas<'a>) {
        let mut pass = ForwardPass::saving(masks);
        let outputs = self.run(inputs, &mut pass);
        let (statistics, layers) = pass.into_saved();
        let num_replicas = self.num_replicas();
        let saved = SavedReplicas {
            layers,
            num_replicas,
        };
        (outputs, statistics, saved)
    }

    /// The forward pass.
    ///
    /// # Shapes
    /// - as [`forward`](Self::forward)
    fn run<'a>(&'a self, inputs: Tensor<2>, pass: &mut ForwardPass<'a, 3>) -> Tensor<2> {
        let layers = DenseLayers {
            layers: &self.layers,
            norms: &self.norms,
            activations: &self.activations,
            output_activation: &self.output_activation,
            dropout: &self.dropout,
            residual: &self.residual,
            first_activation: 0,
        };
        let x = split(inputs, self.num_replicas());
        layers.forward(x, pass).flatten(0, 1)
    }

    /// Moves the running statistics of each batch norm towards the statistics of a batch. A model without batch norm
    /// stays as it is.
    pub fn with_running_statistics(mut self, statistics: Vec<BatchStatistics<3>>) -> Self {
        let mut statistics = statistics.into_iter();
        let mut moved = |norm: BatchedNorm| norm.with_running_statistics(&mut statistics);
        let norms = self.norms.into_iter();
        self.norms = norms.map(|norm| norm.map(&mut moved)).collect();
        self
    }

    fn device(&self) -> Device {
        self.layers[0].weight.device()
    }
}

/// The saved activations of a [`BatchedModel`], ready for its backward pass.
pub struct SavedReplicas<'a> {
    layers: SavedPass<'a, 3>,
    num_replicas: usize,
}

impl SavedReplicas<'_> {
    /// The gradients of all parameters; those of each replica are the gradients of its network alone.
    ///
    /// # Shapes
    /// - `delta`: the loss's gradient by the outputs, `[num_replicas × batch, d_output]`
    pub fn backward(self, delta: Tensor<2>) -> GradientsParams {
        self.layers.backward(split(delta, self.num_replicas))
    }
}

/// The rows of each replica.
///
/// # Shapes
/// - rows: `[num_replicas × batch, width]`
/// - result: `[num_replicas, batch, width]`
fn split(rows: Tensor<2>, num_replicas: usize) -> Tensor<3> {
    let [num_rows, width] = rows.dims();
    rows.reshape([num_replicas, num_rows / num_replicas, width])
}

/// Indices as a tensor.
fn indices(replicas: &[usize], device: &Device) -> Tensor<1, Int> {
    let numbers: Vec<i64> = replicas.iter().map(|&index| index as i64).collect();
    let count = numbers.len();
    Tensor::from_data(TensorData::new(numbers, [count]), device)
}
