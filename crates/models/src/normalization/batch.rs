//! Batch normalisation with PyTorch's running statistics.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn::tensor::module::{batch_norm, batch_norm_train};

use super::affine::{self, Slopes};
use super::passes;
use super::standardized::Standardized;
use crate::parameters::Parameters;

/// Batch normalisation: `(x - mean) / sqrt(var + epsilon) gamma + beta`, per feature or channel.
///
/// Training normalises by the batch's mean and biased variance. Evaluation normalises by running
/// statistics, which start at 0 and 1 and move by `momentum` towards each batch's mean and *unbiased*
/// variance.
///
/// # Source
/// Ioffe and Szegedy 2015, <https://arxiv.org/abs/1502.03167>; equals `torch.nn.BatchNorm1d` and `2d`.
#[derive(Module, Debug)]
pub struct BatchNorm {
    /// Scale, `[num_features]`.
    pub gamma: Param<Tensor<1>>,
    /// Shift, `[num_features]`.
    pub beta: Param<Tensor<1>>,
    /// Running mean, `[num_features]`.
    pub running_mean: Param<Tensor<1>>,
    /// Running variance, `[num_features]`.
    pub running_var: Param<Tensor<1>>,
    /// Share of each new batch in the running statistics, in [0, 1].
    pub momentum: f64,
    /// Added to the variance, above zero.
    pub epsilon: f64,
}

/// What one batch tells the running statistics of one [`BatchNorm`]; carries no gradient.
#[derive(Debug, Clone)]
pub struct BatchStatistics {
    /// `[num_features]`
    pub mean: Tensor<1>,
    /// Unbiased, `[num_features]`; 0 for a single value, which PyTorch refuses.
    pub variance: Tensor<1>,
}

impl BatchStatistics {
    /// Statistics of `count` values for each feature, `variance` biased.
    fn new(mean: Tensor<1>, variance: Tensor<1>, count: usize) -> Self {
        Self {
            mean,
            variance: unbiased(variance, count),
        }
    }
}

impl BatchNorm {
    pub(crate) fn init(
        num_features: usize,
        momentum: f64,
        epsilon: f64,
        parameters: &mut Parameters,
    ) -> Self {
        Self {
            gamma: parameters.constant(1.0, num_features),
            beta: parameters.constant(0.0, num_features),
            running_mean: parameters.state(0.0, num_features),
            running_var: parameters.state(1.0, num_features),
            momentum,
            epsilon,
        }
    }

    /// Normalises by the running statistics.
    ///
    /// # Shapes
    /// - `x` and the result: `[batch, num_features, …]`
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        batch_norm(
            x,
            self.gamma.val(),
            self.beta.val(),
            self.running_mean.val(),
            self.running_var.val(),
            self.epsilon,
        )
    }

    /// Normalises by the batch's own statistics, and returns them for the running ones.
    ///
    /// # Shapes
    /// - `x` and the result: `[batch, num_features, …]`
    pub fn forward_train<const D: usize>(&self, x: Tensor<D>) -> (Tensor<D>, BatchStatistics) {
        let dims = x.dims();
        let count = dims.iter().product::<usize>() / dims[1].max(1);
        let normalized = batch_norm_train(x, self.gamma.val(), self.beta.val(), self.epsilon);
        let statistics = BatchStatistics::new(normalized.mean, normalized.variance, count);
        (normalized.output, statistics)
    }

    /// [`forward_train`](Self::forward_train), keeping what [`backward`](Self::backward) needs.
    ///
    /// # Shapes
    /// - `x` and the first result: `[batch, num_features]`
    pub(crate) fn forward_keeping(
        &self,
        x: Tensor<2>,
    ) -> (Tensor<2>, Standardized, BatchStatistics) {
        let count = x.dims()[0];
        let (gamma, beta) = (self.gamma.val(), self.beta.val());
        let (y, kept, moments) = passes::standardize(x, gamma.clone(), beta.clone(), self.epsilon)
            .unwrap_or_else(|x| {
                let (kept, moments) = Standardized::new(x, 0, self.epsilon);
                let [gamma, beta] = [gamma, beta].map(Tensor::unsqueeze);
                let y = affine::forward(gamma, beta, kept.normalized.clone());
                (y, kept, moments)
            });
        let [mean, variance] = [moments.mean, moments.variance].map(|m| m.squeeze_dim(0));
        (y, kept, BatchStatistics::new(mean, variance, count))
    }

    /// The loss's gradient by the inputs; those of scale and shift are added to `gradients`.
    ///
    /// # Shapes
    /// - `delta` and the result: `[batch, num_features]`
    pub(crate) fn backward(
        &self,
        kept: Standardized,
        delta: Tensor<2>,
        gradients: &mut GradientsParams,
    ) -> Tensor<2> {
        let gamma = self.gamma.val();
        let (delta, slopes) = passes::backward(gamma.clone(), kept, delta)
            .unwrap_or_else(|(kept, delta)| backward(gamma.unsqueeze(), kept, delta));
        slopes.register(&self.gamma, &self.beta, gradients);
        delta
    }

    /// Moves the running statistics towards those of a batch.
    pub fn with_running_statistics(mut self, batch: BatchStatistics) -> Self {
        let momentum = self.momentum;
        self.running_mean = (self.running_mean).map(|mean| moved(mean, batch.mean, momentum));
        self.running_var = (self.running_var).map(|var| moved(var, batch.variance, momentum));
        self
    }

    /// How many of its numbers are running statistics, which are not trained.
    pub(crate) fn num_running(&self) -> usize {
        self.running_mean.shape().num_elements() + self.running_var.shape().num_elements()
    }
}

/// The loss's gradients by scale and shift, and by the inputs.
///
/// # Shapes
/// - gamma: `[…, 1, num_features]`
/// - `delta` and the result: `[…, batch, num_features]`
pub(super) fn backward<const D: usize>(
    gamma: Tensor<D>,
    kept: Standardized<D>,
    delta: Tensor<D>,
) -> (Tensor<D>, Slopes<D>) {
    // Scale and means run along the same dimension: the means of the gradient are those of the
    // parameters' gradients.
    let Standardized {
        normalized,
        inverse_deviation,
        ..
    } = kept;
    let per_sample = 1.0 / delta.dims()[D - 2] as f64;
    let slopes = Slopes {
        gamma: (delta.clone() * normalized.clone()).sum_dim(D - 2),
        beta: delta.clone().sum_dim(D - 2),
    };
    let mean = slopes.beta.clone().mul_scalar(per_sample);
    let slope = slopes.gamma.clone().mul_scalar(per_sample);
    let factor = gamma * inverse_deviation;
    ((delta - mean - normalized * slope) * factor, slopes)
}

/// The unbiased variance of `count` values, from the biased one.
pub(super) fn unbiased<const D: usize>(variance: Tensor<D>, count: usize) -> Tensor<D> {
    variance.mul_scalar(count as f64 / count.saturating_sub(1).max(1) as f64)
}

/// A running statistic after one batch.
pub(super) fn moved<const D: usize>(
    running: Tensor<D>,
    batch: Tensor<D>,
    momentum: f64,
) -> Tensor<D> {
    let (kept, share) = ((1.0 - momentum) as f32, momentum as f32);
    emberlab_host::zip(batch, running, |batch, running| {
        running * kept + batch * share
    })
    .unwrap_or_else(|(batch, running)| {
        running.mul_scalar(1.0 - momentum) + batch.mul_scalar(momentum)
    })
}

#[cfg(test)]
impl BatchNorm {
    /// Whether forward and backward pass of a tensor like this each run as a fused kernel.
    pub(crate) fn enters_fused_kernels(&self, x: &Tensor<2>) -> bool {
        let (gamma, beta) = (self.gamma.val(), self.beta.val());
        match passes::standardize(x.clone(), gamma.clone(), beta, self.epsilon) {
            Ok((y, kept, _)) => passes::backward(gamma, kept, y).is_ok(),
            Err(_) => false,
        }
    }
}
