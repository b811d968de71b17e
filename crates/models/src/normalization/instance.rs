//! Instance normalisation over the features of a multilayer perceptron.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use emberlab_kernels::{Standardized, standardize};
use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rows::standardize_rows;
use super::{
    BatchStatistics, EPSILON, Norm, NormLayer, NormParameters, Normalization, NormalizationKind,
    Over,
};
use crate::parameters::Parameters;

/// Each sample over its features, with neither scale nor shift.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct InstanceNormConfig {
    /// Added to the variance, above zero.
    pub epsilon: f64,
}

impl Default for InstanceNormConfig {
    fn default() -> Self {
        Self { epsilon: EPSILON }
    }
}

impl NormalizationKind for InstanceNormConfig {
    fn validate(&self, key: &str, _: &[usize]) -> Result<(), Problem> {
        Problem::unless_positive(self.epsilon, format!("{key}.epsilon"))
    }

    fn fits_images(&self) -> bool {
        false
    }

    fn values_together(&self, size: usize) -> Option<usize> {
        Some(size)
    }

    fn init(&self, _: usize, _: &mut Parameters) -> Option<Norm> {
        let epsilon = self.epsilon;
        Some(Norm::Instance(InstanceNorm { epsilon }))
    }

    fn layer(&self, _: NormParameters) -> Option<Norm> {
        let epsilon = self.epsilon;
        Some(Norm::Instance(InstanceNorm { epsilon }))
    }
}

/// Instance normalisation: each sample by itself, with neither scale nor shift.
///
/// Proper instance normalisation works per sample *and* channel, over the pixels of an image. The features of a
/// multilayer perceptron have no pixels. Here they count as one channel, so this is layer normalisation without
/// scale and shift.
///
/// # Source
/// Ulyanov et al. 2016, <https://arxiv.org/abs/1607.08022>; equals `torch.nn.InstanceNorm1d(1)` on
/// `[batch, 1, num_features]`.
#[derive(Module, Debug)]
pub struct InstanceNorm {
    /// Added to the variance, above zero.
    pub epsilon: f64,
}

impl InstanceNorm {
    /// Normalises.
    ///
    /// # Shapes
    /// - `x` and the result: `[batch, num_features]`
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        standardize_rows(x, self.epsilon)
    }
}

impl NormLayer for InstanceNorm {
    fn config(&self) -> Normalization {
        let epsilon = self.epsilon;
        InstanceNormConfig { epsilon }.into()
    }

    fn epsilon(&self) -> f64 {
        self.epsilon
    }

    fn over(&self) -> Over {
        Over::Sample { num_groups: 1 }
    }

    fn parameters(&self) -> NormParameters {
        NormParameters::default()
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.forward(x)
    }

    fn forward_saving(&self, x: Tensor<2>) -> (Tensor<2>, Standardized, Option<BatchStatistics>) {
        let (saved, _) = standardize(x, 1, self.epsilon);
        (saved.normalized.clone(), saved, None)
    }

    fn backward(
        &self,
        saved: Standardized,
        delta: Tensor<2>,
        _: &mut GradientsParams,
    ) -> Tensor<2> {
        saved.backward(delta)
    }
}
