//! A fully connected layer.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, module};

use crate::initializer::{Fans, Initializer};
use crate::parameters::Parameters;

/// A fully connected layer: `x W + b`.
///
/// The weight is the transpose of `torch.nn.Linear`'s.
#[derive(Module, Debug)]
pub struct Dense {
    /// `[d_input, d_output]`
    pub weight: Param<Tensor<2>>,
    /// `[d_output]`
    pub bias: Option<Param<Tensor<1>>>,
}

impl Dense {
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
        module::linear(x, self.weight.val(), self.bias.as_ref().map(Param::val))
    }

    /// The gradients of weight and bias: `xᵀ delta` and the sum of `delta` over the batch.
    ///
    /// # Shapes
    /// - `x`: what [`forward`](Self::forward) was given, `[batch, d_input]`
    /// - `delta`: the loss's gradient by what it returned, `[batch, d_output]`
    pub(crate) fn gradients(
        &self,
        x: Tensor<2>,
        delta: Tensor<2>,
        gradients: &mut GradientsParams,
    ) {
        if let Some(bias) = &self.bias {
            let sum = delta.clone().sum_dim(0); // [1, d_output]
            gradients.register(bias.id, sum.squeeze_dim::<1>(0));
        }
        let gradient = match self.has_two_outputs() {
            true => delta.transpose().matmul(x).transpose(),
            false => x.transpose().matmul(delta),
        };
        gradients.register(self.weight.id, gradient); // [d_input, d_output]
    }

    /// The loss's gradient by the inputs: `delta Wᵀ`.
    ///
    /// # Shapes
    /// - `delta`: as in [`gradients`](Self::gradients)
    /// - result: `[batch, d_input]`
    pub(crate) fn backward(&self, delta: Tensor<2>) -> Tensor<2> {
        let weight = self.weight.val().transpose(); // [d_output, d_input]
        let weight = match self.has_two_outputs() {
            // Writes it out, row by row.
            true => weight.mul_scalar(1.0),
            false => weight,
        };
        delta.matmul(weight)
    }

    /// Two numbers side by side are too few for the vector instructions of flex: the products that go back
    /// from them, which are common, take half the time along the other dimension.
    fn has_two_outputs(&self) -> bool {
        self.weight.dims()[1] == 2
    }
}
