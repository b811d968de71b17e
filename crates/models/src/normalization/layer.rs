//! Layer normalisation.

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

/// Each sample over its features, then scaled and shifted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LayerNormConfig {
    /// Added to the variance, above zero.
    pub epsilon: f64,
}

impl Default for LayerNormConfig {
    fn default() -> Self {
        Self { epsilon: EPSILON }
    }
}

impl NormalizationKind for LayerNormConfig {
    fn validate(&self, key: &str, _: &[usize]) -> Result<(), Problem> {
        Problem::unless_positive(self.epsilon, format!("{key}.epsilon"))
    }

    fn fits_images(&self) -> bool {
        false
    }

    fn values_together(&self, size: usize) -> Option<usize> {
        Some(size)
    }

    fn init(&self, num_features: usize, parameters: &mut Parameters) -> Option<Norm> {
        Some(Norm::Layer(LayerNorm {
            gamma: parameters.constant(1.0, num_features),
            beta: parameters.constant(0.0, num_features),
            epsilon: self.epsilon,
        }))
    }

    fn layer(&self, parameters: NormParameters) -> Option<Norm> {
        let (gamma, beta) = parameters.scale_and_shift?;
        let epsilon = self.epsilon;
        Some(Norm::Layer(LayerNorm {
            gamma,
            beta,
            epsilon,
        }))
    }
}

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
    /// Normalises.
    ///
    /// # Shapes
    /// - `x` and the result: `[batch, num_features]`
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.scaled_and_shifted(standardize_rows(x, self.epsilon))
    }

    fn scaled_and_shifted(&self, x: Tensor<2>) -> Tensor<2> {
        scale_and_shift::forward(self.gamma.val().unsqueeze(), self.beta.val().unsqueeze(), x)
    }
}

impl NormLayer for LayerNorm {
    fn config(&self) -> Normalization {
        let epsilon = self.epsilon;
        LayerNormConfig { epsilon }.into()
    }

    fn epsilon(&self) -> f64 {
        self.epsilon
    }

    fn over(&self) -> Over {
        Over::Sample { num_groups: 1 }
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
        let (saved, _) = standardize(x, 1, self.epsilon);
        let y = self.scaled_and_shifted(saved.normalized.clone());
        (y, saved, None)
    }

    fn backward(
        &self,
        saved: Standardized,
        delta: Tensor<2>,
        gradients: &mut GradientsParams,
    ) -> Tensor<2> {
        let gamma = self.gamma.val().unsqueeze();
        let found = scale_and_shift::backward(gamma, saved.normalized.clone(), delta);
        let delta = scale_and_shift::register(found, &self.gamma, &self.beta, gradients);
        saved.backward(delta)
    }
}
