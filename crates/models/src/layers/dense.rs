//! A fully connected layer.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use emberlab_kernels as kernels;

use super::Layer;
use crate::BatchStatistics;
use crate::initializer::{Fans, Initializer};
use crate::parameters::Parameters;

/// A fully connected layer: `x W + b`.
///
/// The weight is the transpose of the one of `torch.nn.Linear`.
#[derive(Module, Debug)]
pub struct Dense {
    /// `[d_input, d_output]`
    pub weight: Param<Tensor<2>>,
    /// `[d_output]`
    pub bias: Option<Param<Tensor<1>>>,
}

impl Dense {
    /// Draws weights and biases; no `biases` means a layer without a bias.
    pub(crate) fn init(
        d_input: usize,
        d_output: usize,
        weights: &Initializer,
        biases: Option<&Initializer>,
        parameters: &mut Parameters,
    ) -> Self {
        let fans = Fans {
            fan_in: d_input,
            fan_out: d_output,
        };
        Self {
            weight: parameters.draw(weights, [d_input, d_output], fans),
            bias: biases.map(|biases| parameters.draw(biases, [d_output], fans)),
        }
    }

    /// Applies the layer.
    ///
    /// # Shapes
    /// - `x`: `[batch, d_input]`
    /// - result: `[batch, d_output]`
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let bias = self.bias.as_ref().map(Param::val);
        kernels::affine(x, self.weight.val(), bias)
    }

    /// Adds the gradients of weight and bias: `xᵀ delta`, and the sum of `delta` over the batch.
    ///
    /// # Shapes
    /// - `x`: `[batch, d_input]`
    /// - `delta`: `[batch, d_output]`
    fn add_gradients(&self, x: Tensor<2>, delta: &Tensor<2>, gradients: &mut GradientsParams) {
        if let Some(bias) = &self.bias {
            gradients.register(bias.id, kernels::sum_of_rows(delta));
        }
        let gradient = kernels::product(x.transpose(), delta.clone()); // [d_input, d_output]
        gradients.register(self.weight.id, gradient);
    }
}

impl Layer<2> for Dense {
    /// The inputs.
    type Saved = Tensor<2>;

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.forward(x)
    }

    fn forward_saving(&self, x: Tensor<2>, _: &mut Vec<BatchStatistics>) -> (Tensor<2>, Tensor<2>) {
        (self.forward(x.clone()), x)
    }

    fn backward(
        &self,
        x: Tensor<2>,
        delta: Tensor<2>,
        gradients: &mut GradientsParams,
    ) -> Tensor<2> {
        self.add_gradients(x, &delta, gradients);
        kernels::product(delta, self.weight.val().transpose())
    }

    fn parameter_gradients(&self, x: Tensor<2>, delta: Tensor<2>, gradients: &mut GradientsParams) {
        self.add_gradients(x, &delta, gradients);
    }
}
