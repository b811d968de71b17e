//! A fully connected layer.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, module};
use emberlab_kernels as kernels;

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
        let gradient = product(x.transpose(), delta.clone()); // [d_input, d_output]
        gradients.register(self.weight.id, gradient);
        delta
    }

    /// The loss's gradient by the inputs: `delta Wᵀ`.
    ///
    /// # Shapes
    /// - `delta`: as in [`gradients`](Self::gradients)
    /// - result: `[batch, d_input]`
    pub(crate) fn backward(&self, delta: Tensor<2>) -> Tensor<2> {
        product(delta, self.weight.val().transpose())
    }
}

/// `a b`, of each two matrices of a stack.
///
/// # Shapes
/// - `a`: `[…, m, k]`
/// - `b`: `[…, k, n]`
/// - result: `[…, m, n]`
pub(crate) fn product<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> Tensor<D> {
    kernels::product(a, b).unwrap_or_else(|(a, b)| a.matmul(b))
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
        Some(bias) => kernels::affine(x, weight, bias)
            .unwrap_or_else(|(x, weight, bias)| module::linear(x, weight, Some(bias))),
        None => product(x, weight),
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
    let (delta, sum) = kernels::sums_of_rows(delta, bias.dims()).unwrap_or_else(|delta| {
        let sum = delta.clone().sum_dim(0).squeeze_dim(0);
        (delta, sum)
    });
    gradients.register(bias.id, sum);
    delta
}
