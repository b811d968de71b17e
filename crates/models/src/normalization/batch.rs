//! Batch normalisation with PyTorch's running statistics.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn::tensor::module::{batch_norm, batch_norm_train};
use emberlab_kernels::{self as kernels, Standardized};
use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    EPSILON, Norm, NormLayer, NormParameters, Normalization, NormalizationKind, Over,
    scale_and_shift,
};
use crate::parameters::Parameters;

/// Each feature over the batch, then scaled and shifted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BatchNormConfig {
    /// Share of each new batch in the running statistics, in [0, 1].
    pub momentum: f64,
    /// Added to the variance, above zero.
    pub epsilon: f64,
}

impl Default for BatchNormConfig {
    fn default() -> Self {
        Self {
            momentum: 0.1,
            epsilon: EPSILON,
        }
    }
}

impl BatchNormConfig {
    /// The layer with its initial parameters.
    pub(crate) fn init(&self, num_features: usize, parameters: &mut Parameters) -> BatchNorm {
        BatchNorm {
            gamma: parameters.constant(1.0, num_features),
            beta: parameters.constant(0.0, num_features),
            running_mean: parameters.state(0.0, num_features),
            running_var: parameters.state(1.0, num_features),
            momentum: self.momentum,
            epsilon: self.epsilon,
        }
    }
}

impl NormalizationKind for BatchNormConfig {
    fn validate(&self, key: &str, _: &[usize]) -> Result<(), Problem> {
        Problem::unless(
            (0.0..=1.0).contains(&self.momentum),
            format!("{key}.momentum"),
            self.momentum,
            "a number in [0, 1]",
        )?;
        Problem::unless_positive(self.epsilon, format!("{key}.epsilon"))
    }

    fn fits_images(&self) -> bool {
        true
    }

    fn compares_rows(&self) -> bool {
        true
    }

    fn init(&self, num_features: usize, parameters: &mut Parameters) -> Option<Norm> {
        Some(Norm::Batch(self.init(num_features, parameters)))
    }

    fn layer(&self, parameters: NormParameters) -> Option<Norm> {
        let (gamma, beta) = parameters.scale_and_shift?;
        let (running_mean, running_var) = parameters.running_statistics?;
        Some(Norm::Batch(BatchNorm {
            gamma,
            beta,
            running_mean,
            running_var,
            momentum: self.momentum,
            epsilon: self.epsilon,
        }))
    }
}

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

/// The mean and variance of each feature in one batch. The running statistics move towards them, and no gradient
/// flows through them. `D` is 2 for a [`BatchNorm`], and 3 for those of several replicas at once.
///
/// # Shapes
/// - both: `[…, 1, num_features]`
#[derive(Debug, Clone)]
pub struct BatchStatistics<const D: usize = 2> {
    /// The mean.
    pub mean: Tensor<D>,
    /// The unbiased variance; 0 for a single value, where PyTorch gives an error.
    pub variance: Tensor<D>,
}

impl<const D: usize> BatchStatistics<D> {
    /// The statistics of `count` values of each feature; `variance` is the biased one.
    pub(super) fn new(mean: Tensor<D>, variance: Tensor<D>, count: usize) -> Self {
        Self {
            mean,
            variance: unbiased(variance, count),
        }
    }
}

impl BatchNorm {
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

    /// Normalises by the batch's own statistics, and returns them so that the running statistics can follow.
    ///
    /// # Shapes
    /// - `x` and the result: `[batch, num_features, …]`
    pub fn forward_train<const D: usize>(&self, x: Tensor<D>) -> (Tensor<D>, BatchStatistics) {
        let dims = x.dims();
        let count = dims.iter().product::<usize>() / dims[1].max(1);
        let normalized = batch_norm_train(x, self.gamma.val(), self.beta.val(), self.epsilon);
        let statistics = {
            let [mean, variance] = [normalized.mean, normalized.variance].map(Tensor::unsqueeze);
            BatchStatistics::new(mean, variance, count)
        };
        (normalized.output, statistics)
    }

    /// [`forward_train`](Self::forward_train), which also saves what [`backward`](Self::backward) needs.
    ///
    /// # Shapes
    /// - `x` and the first result: `[batch, num_features]`
    pub(crate) fn forward_saving(
        &self,
        x: Tensor<2>,
    ) -> (Tensor<2>, Standardized, BatchStatistics) {
        let count = x.dims()[0];
        let (gamma, beta) = (self.gamma.val(), self.beta.val());
        let (y, saved, moments) = kernels::batch_norm(x, gamma, beta, self.epsilon);
        let statistics = BatchStatistics::new(moments.mean, moments.variance, count);
        (y, saved, statistics)
    }

    /// The loss's gradient by the inputs. Those of scale and shift are added to `gradients`.
    ///
    /// # Shapes
    /// - `delta` and the result: `[batch, num_features]`
    pub(crate) fn backward(
        &self,
        saved: Standardized,
        delta: Tensor<2>,
        gradients: &mut GradientsParams,
    ) -> Tensor<2> {
        let found = kernels::batch_norm_backward(self.gamma.val(), saved, delta);
        scale_and_shift::register(found, &self.gamma, &self.beta, gradients)
    }

    /// Moves the running statistics towards those of a batch, by `momentum` or by its own.
    pub fn with_running_statistics(
        mut self,
        batch: BatchStatistics,
        momentum: Option<f64>,
    ) -> Self {
        let momentum = momentum.unwrap_or(self.momentum);
        let [batch_mean, batch_var] =
            [batch.mean, batch.variance].map(|batch| batch.squeeze_dim(0));
        self.running_mean = (self.running_mean).map(|mean| moved(mean, batch_mean, momentum));
        self.running_var = (self.running_var).map(|var| moved(var, batch_var, momentum));
        self
    }

    /// The number of its running statistics, which are not trained.
    pub(crate) fn num_running(&self) -> usize {
        self.running_mean.shape().num_elements() + self.running_var.shape().num_elements()
    }
}

impl NormLayer for BatchNorm {
    fn config(&self) -> Normalization {
        let (momentum, epsilon) = (self.momentum, self.epsilon);
        BatchNormConfig { momentum, epsilon }.into()
    }

    fn epsilon(&self) -> f64 {
        self.epsilon
    }

    fn over(&self) -> Over {
        Over::Batch {
            momentum: self.momentum,
        }
    }

    fn parameters(&self) -> NormParameters {
        NormParameters {
            scale_and_shift: Some((self.gamma.clone(), self.beta.clone())),
            running_statistics: Some((self.running_mean.clone(), self.running_var.clone())),
        }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.forward(x)
    }

    fn forward_train(&self, x: Tensor<2>) -> (Tensor<2>, Option<BatchStatistics>) {
        let (y, statistics) = self.forward_train(x);
        (y, Some(statistics))
    }

    fn forward_saving(&self, x: Tensor<2>) -> (Tensor<2>, Standardized, Option<BatchStatistics>) {
        let (y, saved, statistics) = self.forward_saving(x);
        (y, saved, Some(statistics))
    }

    fn backward(
        &self,
        saved: Standardized,
        delta: Tensor<2>,
        gradients: &mut GradientsParams,
    ) -> Tensor<2> {
        self.backward(saved, delta, gradients)
    }

    fn with_running_statistics(
        self,
        statistics: &mut impl Iterator<Item = BatchStatistics>,
        momentum: Option<f64>,
    ) -> Self {
        match statistics.next() {
            Some(batch) => self.with_running_statistics(batch, momentum),
            None => self,
        }
    }

    fn num_running(&self) -> usize {
        self.num_running()
    }
}

/// The unbiased variance of `count` values, from the biased one.
fn unbiased<const D: usize>(variance: Tensor<D>, count: usize) -> Tensor<D> {
    variance.mul_scalar(count as f64 / count.saturating_sub(1).max(1) as f64)
}

/// A running statistic, moved by `momentum` towards the statistic of a batch.
pub(super) fn moved<const D: usize>(
    running: Tensor<D>,
    batch: Tensor<D>,
    momentum: f64,
) -> Tensor<D> {
    let (rest, share) = ((1.0 - momentum) as f32, momentum as f32);
    kernels::zip(
        batch,
        running,
        #[inline(always)]
        move |batch, running| running * rest + batch * share,
        |batch, running| running.mul_scalar(1.0 - momentum) + batch.mul_scalar(momentum),
    )
}
