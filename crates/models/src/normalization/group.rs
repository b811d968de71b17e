//! Group normalisation.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::rows::standardize;
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
        let [batch, num_features] = x.dims();
        let groups = x.reshape([batch * self.num_groups, num_features / self.num_groups]);
        standardize(groups, self.epsilon).reshape([batch, num_features])
            * self.gamma.val().unsqueeze()
            + self.beta.val().unsqueeze()
    }
}
