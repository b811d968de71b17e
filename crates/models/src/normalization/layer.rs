//! Layer normalisation.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::affine;
use super::rows::standardize;
use super::standardized::Standardized;
use crate::parameters::Parameters;

/// Layer normalisation: each sample over its features, then scaled and shifted per feature.
///
/// # Source
/// Ba et al. 2016, <https://arxiv.org/abs/1607.06450>; equals `torch.nn.LayerNorm`.
#[derive(Module, Debug)]
pub struct LayerNorm {
    /// Scale, `[num_features]`.
    pub gamma: Param<Tensor<1>>,
    /// Shift, `[num_features]`.
    pub beta: Param<Tensor<1>>,
    /// Added to the variance, above zero.
    pub epsilon: f64,
}

impl LayerNorm {
    pub(crate) fn init(num_features: usize, epsilon: f64, parameters: &mut Parameters) -> Self {
        Self {
            gamma: parameters.constant(1.0, num_features),
            beta: parameters.constant(0.0, num_features),
            epsilon,
        }
    }

    /// Normalises.
    ///
    /// # Shapes
    /// - `x` and the result: `[batch, num_features]`
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.affine(standardize(x, self.epsilon))
    }

    /// Normalises, and keeps what [`backward`](Self::backward) needs.
    pub(super) fn forward_saving(&self, x: Tensor<2>) -> (Tensor<2>, Standardized) {
        let (saved, _) = Standardized::new(x, 1, self.epsilon);
        let y = self.affine(saved.normalized.clone());
        (y, saved)
    }

    /// The loss's gradient by the inputs; those of scale and shift are added to `gradients`.
    pub(super) fn backward(
        &self,
        saved: Standardized,
        delta: Tensor<2>,
        gradients: &mut GradientsParams,
    ) -> Tensor<2> {
        let gamma = self.gamma.val().unsqueeze();
        let (delta, slopes) = affine::backward(gamma, saved.normalized.clone(), delta);
        slopes.register(&self.gamma, &self.beta, gradients);
        saved.backward(delta)
    }

    fn affine(&self, x: Tensor<2>) -> Tensor<2> {
        affine::forward(self.gamma.val().unsqueeze(), self.beta.val().unsqueeze(), x)
    }
}
