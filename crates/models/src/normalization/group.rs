//! Group normalisation.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use emberlab_kernels::{Standardized, standardize};
use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rows::standardize_rows;
use super::{
    BatchStatistics, EPSILON, Norm, NormLayer, NormParameters, Normalization, NormalizationKind,
    Over, scale_and_shift,
};
use crate::parameters::Parameters;

/// Each sample over groups of its features, then scaled and shifted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GroupNormConfig {
    /// Number of groups, a divisor of every normalised layer's size.
    pub num_groups: usize,
    /// Added to the variance, above zero.
    pub epsilon: f64,
}

impl Default for GroupNormConfig {
    fn default() -> Self {
        Self {
            num_groups: 2,
            epsilon: EPSILON,
        }
    }
}

impl NormalizationKind for GroupNormConfig {
    fn validate(&self, key: &str, sizes: &[usize]) -> Result<(), Problem> {
        let num_groups = self.num_groups;
        let divides =
            |groups: usize| groups > 0 && sizes.iter().all(|size| size.is_multiple_of(groups));
        if !divides(num_groups) && !sizes.is_empty() {
            // Groups of one value would all become 0.
            let smallest = sizes.iter().copied().min().unwrap_or_default();
            let such_as = (1..smallest).rev().find(|&groups| divides(groups));
            return Err(Problem::new(
                format!("{key}.num_groups"),
                num_groups,
                format!(
                    "a divisor of every hidden layer's size, such as {}",
                    such_as.unwrap_or(1)
                ),
            ));
        }
        Problem::unless(
            num_groups > 0,
            format!("{key}.num_groups"),
            num_groups,
            "at least 1",
        )?;
        Problem::unless_positive(self.epsilon, format!("{key}.epsilon"))
    }

    fn values_together(&self, size: usize) -> Option<usize> {
        Some(size / self.num_groups.max(1))
    }

    fn fits_images(&self) -> bool {
        false
    }

    fn init(&self, num_features: usize, parameters: &mut Parameters) -> Option<Norm> {
        Some(Norm::Group(GroupNorm {
            gamma: parameters.constant(1.0, num_features),
            beta: parameters.constant(0.0, num_features),
            num_groups: self.num_groups,
            epsilon: self.epsilon,
        }))
    }

    fn layer(&self, parameters: NormParameters) -> Option<Norm> {
        let (gamma, beta) = parameters.scale_and_shift?;
        Some(Norm::Group(GroupNorm {
            gamma,
            beta,
            num_groups: self.num_groups,
            epsilon: self.epsilon,
        }))
    }
}

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
    /// Normalises.
    ///
    /// # Shapes
    /// - `x` and the result: `[batch, num_features]`
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let shape = x.dims();
        let groups = x.reshape(self.groups(shape));
        let normalized = standardize_rows(groups, self.epsilon).reshape(shape);
        self.scaled_and_shifted(normalized)
    }

    fn scaled_and_shifted(&self, x: Tensor<2>) -> Tensor<2> {
        scale_and_shift::forward(self.gamma.val().unsqueeze(), self.beta.val().unsqueeze(), x)
    }

    /// The shape with a row for each group of each sample.
    fn groups(&self, [batch, num_features]: [usize; 2]) -> [usize; 2] {
        [batch * self.num_groups, num_features / self.num_groups]
    }
}

impl NormLayer for GroupNorm {
    fn config(&self) -> Normalization {
        let (num_groups, epsilon) = (self.num_groups, self.epsilon);
        GroupNormConfig {
            num_groups,
            epsilon,
        }
        .into()
    }

    fn epsilon(&self) -> f64 {
        self.epsilon
    }

    fn over(&self) -> Over {
        Over::Sample {
            num_groups: self.num_groups,
        }
    }

    fn parameters(&self) -> NormParameters {
        NormParameters {
            scale_and_shift: Some((self.gamma.clone(), self.beta.clone())),
            running_statistics: None,
        }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.forward(x)
    }

    fn forward_saving(&self, x: Tensor<2>) -> (Tensor<2>, Standardized, Option<BatchStatistics>) {
        let shape = x.dims();
        let (saved, _) = standardize(x.reshape(self.groups(shape)), 1, self.epsilon);
        let normalized = saved.normalized.clone().reshape(shape);
        (self.scaled_and_shifted(normalized), saved, None)
    }

    fn backward(
        &self,
        saved: Standardized,
        delta: Tensor<2>,
        gradients: &mut GradientsParams,
    ) -> Tensor<2> {
        let shape = delta.dims();
        let normalized = saved.normalized.clone().reshape(shape);
        let gamma = self.gamma.val().unsqueeze();
        let found = scale_and_shift::backward(gamma, normalized, delta);
        let delta = scale_and_shift::register(found, &self.gamma, &self.beta, gradients);
        saved
            .backward(delta.reshape(self.groups(shape)))
            .reshape(shape)
    }
}
