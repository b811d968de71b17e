//! A fully connected layer.

use burn::module::{Module, Param};
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
}
