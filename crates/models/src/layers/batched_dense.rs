//! The fully connected layers of several replicas as one.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Int, Tensor};
use emberlab_kernels as kernels;

use super::{Dense, Layer};
use crate::BatchStatistics;
use crate::batched_parameters::{replica, stacked};

/// One [`Dense`] of each replica.
#[derive(Module, Debug)]
pub(crate) struct BatchedDense {
    /// `[num_replicas, d_input, d_output]`
    pub(crate) weight: Param<Tensor<3>>,
    /// `[num_replicas, 1, d_output]`
    pub(crate) bias: Option<Param<Tensor<3>>>,
}

impl BatchedDense {
    /// Stacks layers; `None` if their shapes differ.
    pub(crate) fn new(layers: &[&Dense]) -> Option<Self> {
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

    /// The layer of one replica.
    ///
    /// # Shapes
    /// - index: `[1]`
    pub(crate) fn replica(&self, index: &Tensor<1, Int>) -> Dense {
        Dense {
            weight: replica(&self.weight, index),
            bias: self.bias.as_ref().map(|bias| replica(bias, index)),
        }
    }

    /// Adds the gradients of weights and biases, as a [`Dense`] does.
    fn add_gradients(&self, x: Tensor<3>, delta: &Tensor<3>, gradients: &mut GradientsParams) {
        if let Some(bias) = &self.bias {
            gradients.register(bias.id, kernels::batched_sum_of_rows(delta)); // [num_replicas, 1, d_output]
        }
        let gradient = kernels::product(x.transpose(), delta.clone()); // [num_replicas, d_input, d_output]
        gradients.register(self.weight.id, gradient);
    }
}

impl Layer<3> for BatchedDense {
    /// The inputs.
    type Saved = Tensor<3>;

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let bias = self.bias.as_ref().map(Param::val);
        kernels::batched_affine(x, self.weight.val(), bias)
    }

    fn forward_saving(
        &self,
        x: Tensor<3>,
        _: &mut Vec<BatchStatistics<3>>,
    ) -> (Tensor<3>, Tensor<3>) {
        (self.forward(x.clone()), x)
    }

    fn backward(
        &self,
        x: Tensor<3>,
        delta: Tensor<3>,
        gradients: &mut GradientsParams,
    ) -> Tensor<3> {
        self.add_gradients(x, &delta, gradients);
        kernels::product(delta, self.weight.val().transpose())
    }

    fn parameter_gradients(&self, x: Tensor<3>, delta: Tensor<3>, gradients: &mut GradientsParams) {
        self.add_gradients(x, &delta, gradients);
    }
}
