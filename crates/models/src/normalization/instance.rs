//! Instance normalisation over the features of an MLP.

use burn::module::Module;
use burn::tensor::Tensor;

use super::rows::standardize;
use super::standardized::Standardized;

/// Instance normalisation: each sample by itself, with neither scale nor shift.
///
/// Proper instance normalisation works per sample *and* channel, over the pixels of an image. An MLP's
/// features have no pixels; taken as one channel they give layer normalisation without scale and shift,
/// which is what this is.
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
        standardize(x, self.epsilon)
    }

    /// Normalises, and keeps what the way back needs.
    pub(super) fn forward_saving(&self, x: Tensor<2>) -> (Tensor<2>, Standardized) {
        let (saved, _) = Standardized::new(x, 1, self.epsilon);
        (saved.normalized.clone(), saved)
    }
}
