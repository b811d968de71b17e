//! A fully connected layer.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, module};
use emberlab_host as host;

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
        linear(x, self.weight.val(), self.bias.as_ref())
    }

    /// The gradients of weight and bias: `xᵀ delta` and the sum of `delta` over the batch. Gives `delta` back,
    /// which nothing else holds then.
    ///
    /// # Shapes
    /// - `x`: what [`forward`](Self::forward) was given, `[batch, d_input]`
    /// - `delta`: the loss's gradient by what it returned, `[batch, d_output]`
    pub(crate) fn gradients(
        &self,
        x: Tensor<2>,
        mut delta: Tensor<2>,
        gradients: &mut GradientsParams,
    ) -> Tensor<2> {
        if let Some(bias) = &self.bias {
            delta = register_sum(bias, delta, gradients);
        }
        let gradient = match self.has_two_outputs() {
            true => delta.clone().transpose().matmul(x).transpose(),
            false => x.transpose().matmul(delta.clone()),
        };
        gradients.register(self.weight.id, gradient); // [d_input, d_output]
        delta
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

/// `x W + b`.
///
/// # Shapes
/// - `x`: `[num_rows, d_input]`
/// - weight: `[d_input, d_output]`
/// - bias: `[d_output]`
/// - result: `[num_rows, d_output]`
pub(crate) fn linear(
    x: Tensor<2>,
    weight: Tensor<2>,
    bias: Option<&Param<Tensor<1>>>,
) -> Tensor<2> {
    match bias.map(Param::val) {
        Some(bias) if host::holds(&x) => {
            host::add_rows(x.matmul(weight), bias).unwrap_or_else(|(y, bias)| y + bias.unsqueeze())
        }
        bias => module::linear(x, weight, bias),
    }
}

/// Adds the gradient of a bias, the sum of the rows of `delta`, which it gives back.
///
/// # Shapes
/// - `delta` and the result: `[num_rows, d_output]`
pub(crate) fn register_sum(
    bias: &Param<Tensor<1>>,
    delta: Tensor<2>,
    gradients: &mut GradientsParams,
) -> Tensor<2> {
    let (delta, sum) = host::sums_of_rows(delta, bias.dims()).unwrap_or_else(|delta| {
        let sum = delta.clone().sum_dim(0).squeeze_dim(0);
        (delta, sum)
    });
    gradients.register(bias.id, sum);
    delta
}
