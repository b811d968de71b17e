//! Group normalisation.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::affine;
use super::rows::standardize;
use super::standardized::Standardized;
use crate::parameters::Parameters;

/// Group normalisation: each sample over groups of neighbouring features, then scaled and shifted per
/// feature.
///
/// # Source
/// Wu and He 2018, <https://arxiv.org/abs/1803.08494>; equals `torch.nn.GroupNorm`.
#[derive(Module, Debug)]
pub struct GroupNorm {
    /// Scale, `[num_features]`.
    pub gamma: Param<Tensor<1>>,
    /// Shift, `[num_features]`.
    pub beta: Param<Tensor<1>>,
    /// Number of groups, a divisor of `num_features`.
    pub num_groups: usize,
    /// Added to the variance, above zero.
    pub epsilon: f64,
}

impl GroupNorm {
    pub(crate) fn init(
        num_features: usize,
        num_groups: usize,
        epsilon: f64,
        parameters: &mut Parameters,
    ) -> Self {
        Self {
            gamma: parameters.constant(1.0, num_features),
            beta: parameters.constant(0.0, num_features),
            num_groups,
            epsilon,
        }
    }

    /// Normalises.
    ///
    /// # Shapes
    /// - `x` and the result: `[batch, num_features]`
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let shape = x.dims();
        let groups = x.reshape(self.groups(shape));
        let normalized = standardize(groups, self.epsilon).reshape(shape);
        self.affine(normalized)
    }

    /// Normalises, and keeps what [`backward`](Self::backward) needs.
    pub(super) fn forward_saving(&self, x: Tensor<2>) -> (Tensor<2>, Standardized) {
        let shape = x.dims();
        let (saved, _) = Standardized::new(x.reshape(self.groups(shape)), 1, self.epsilon);
        let normalized = saved.normalized.clone().reshape(shape);
        (self.affine(normalized), saved)
    }

    /// The loss's gradient by the inputs; those of scale and shift are added to `gradients`.
    pub(super) fn backward(
        &self,
        saved: Standardized,
        delta: Tensor<2>,
        gradients: &mut GradientsParams,
    ) -> Tensor<2> {
        let shape = delta.dims();
        let normalized = saved.normalized.clone().reshape(shape);
        let gamma = self.gamma.val().unsqueeze();
        let (delta, slopes) = affine::backward(gamma, normalized, delta);
        slopes.register(&self.gamma, &self.beta, gradients);
        saved
            .backward(delta.reshape(self.groups(shape)))
            .reshape(shape)
    }

    fn affine(&self, x: Tensor<2>) -> Tensor<2> {
        affine::forward(self.gamma.val().unsqueeze(), self.beta.val().unsqueeze(), x)
    }

    /// A row for each group of each sample.
    fn groups(&self, [batch, num_features]: [usize; 2]) -> [usize; 2] {
        [batch * self.num_groups, num_features / self.num_groups]
    }
}
