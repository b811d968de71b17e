//! The layers that normalisations become.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use emberlab_fused as fused;
use emberlab_kernels::Standardized;

use super::{BatchNorm, BatchStatistics, GroupNorm, InstanceNorm, LayerNorm, Normalization};

/// Everything that makes a normalisation layer.
pub(super) trait NormLayer: Sized {
    /// The configuration that the layer was made from.
    fn config(&self) -> Normalization;

    /// Added to the variance, above zero.
    fn epsilon(&self) -> f64;

    /// The numbers that mean and variance are taken over.
    fn over(&self) -> Over;

    /// Copies of the parameters that share their memory.
    fn parameters(&self) -> NormParameters;

    /// See [`Norm::forward`].
    fn forward(&self, x: Tensor<2>) -> Tensor<2>;

    /// Normalises in training mode. Batch norm also returns the statistics of the batch.
    ///
    /// # Shapes
    /// - `x` and the first result: `[batch, num_features]`
    fn forward_train(&self, x: Tensor<2>) -> (Tensor<2>, Option<BatchStatistics>) {
        (self.forward(x), None)
    }

    /// [`forward_train`](Self::forward_train), which also saves what [`backward`](Self::backward) needs.
    ///
    /// # Shapes
    /// - `x` and the first result: `[batch, num_features]`
    fn forward_saving(&self, x: Tensor<2>) -> (Tensor<2>, Standardized, Option<BatchStatistics>);

    /// See [`Norm::backward`].
    fn backward(
        &self,
        saved: Standardized,
        delta: Tensor<2>,
        gradients: &mut GradientsParams,
    ) -> Tensor<2>;

    /// See [`Norm::with_running_statistics`].
    fn with_running_statistics(
        self,
        _statistics: &mut impl Iterator<Item = BatchStatistics>,
        _momentum: Option<f64>,
    ) -> Self {
        self
    }

    /// See [`Norm::num_running`].
    fn num_running(&self) -> usize {
        0
    }
}

/// The numbers that mean and variance are taken over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Over {
    /// Each feature over the batch.
    Batch {
        /// Share of each new batch in the running statistics, in [0, 1].
        momentum: f64,
    },
    /// Each sample over equal groups of neighbouring features.
    Sample { num_groups: usize },
}

/// The parameters of a normalisation layer, each `[num_features]`.
#[derive(Debug, Default)]
pub(crate) struct NormParameters {
    /// Scale and shift.
    pub scale_and_shift: Option<(Param<Tensor<1>>, Param<Tensor<1>>)>,
    /// Running mean and variance.
    pub running_statistics: Option<(Param<Tensor<1>>, Param<Tensor<1>>)>,
}

/// A normalisation layer over the features of a multilayer perceptron.
#[derive(Module, Debug)]
pub enum Norm {
    /// Over the batch.
    Batch(BatchNorm),
    /// Over the features of each sample.
    Layer(LayerNorm),
    /// Over the features of each sample, without scale and shift.
    Instance(InstanceNorm),
    /// Over groups of features of each sample.
    Group(GroupNorm),
}

/// Calls a method of whichever layer it is.
macro_rules! with_norm {
    ($norm:expr, $layer:ident => $body:expr) => {
        match $norm {
            Norm::Batch($layer) => $body,
            Norm::Layer($layer) => $body,
            Norm::Instance($layer) => $body,
            Norm::Group($layer) => $body,
        }
    };
}

impl Norm {
    /// Normalises in evaluation mode: batch norm by its running statistics.
    ///
    /// # Shapes
    /// - `x` and the result: `[batch, num_features]`
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        with_norm!(self, layer => NormLayer::forward(layer, x))
    }

    /// Normalises in training mode: batch norm by the batch's statistics, which it adds to the list.
    ///
    /// # Shapes
    /// - `x` and the result: `[batch, num_features]`
    pub fn forward_train(&self, x: Tensor<2>, statistics: &mut Vec<BatchStatistics>) -> Tensor<2> {
        let (y, batch) = with_norm!(self, layer => NormLayer::forward_train(layer, x));
        statistics.extend(batch);
        y
    }

    /// [`forward_train`](Self::forward_train), which also saves what [`backward`](Self::backward) needs.
    ///
    /// # Shapes
    /// - `x` and the first result: `[batch, num_features]`
    pub(crate) fn forward_saving(
        &self,
        x: Tensor<2>,
        statistics: &mut Vec<BatchStatistics>,
    ) -> (Tensor<2>, Standardized) {
        let (y, saved, batch) = with_norm!(self, layer => NormLayer::forward_saving(layer, x));
        statistics.extend(batch);
        (y, saved)
    }

    /// The loss's gradient by the inputs. Those of the parameters are added to `gradients`.
    ///
    /// # Shapes
    /// - `delta` and the result: `[batch, num_features]`
    pub(crate) fn backward(
        &self,
        saved: Standardized,
        delta: Tensor<2>,
        gradients: &mut GradientsParams,
    ) -> Tensor<2> {
        with_norm!(self, layer => NormLayer::backward(layer, saved, delta, gradients))
    }

    /// Moves the running statistics of a batch norm towards the next of `statistics`, by `momentum` or by its own.
    pub(crate) fn with_running_statistics(
        self,
        statistics: &mut impl Iterator<Item = BatchStatistics>,
        momentum: Option<f64>,
    ) -> Self {
        match self {
            Self::Batch(layer) => Self::Batch(NormLayer::with_running_statistics(
                layer, statistics, momentum,
            )),
            Self::Layer(layer) => Self::Layer(NormLayer::with_running_statistics(
                layer, statistics, momentum,
            )),
            Self::Instance(layer) => Self::Instance(NormLayer::with_running_statistics(
                layer, statistics, momentum,
            )),
            Self::Group(layer) => Self::Group(NormLayer::with_running_statistics(
                layer, statistics, momentum,
            )),
        }
    }

    /// The number of its running statistics, which are not trained.
    pub(crate) fn num_running(&self) -> usize {
        with_norm!(self, layer => NormLayer::num_running(layer))
    }

    /// The layer in the plan of a training by fused kernels.
    pub(crate) fn fused(&self) -> fused::Normalization {
        let epsilon = self.epsilon();
        match self.over() {
            Over::Batch { momentum } => fused::Normalization::Batch { momentum, epsilon },
            Over::Sample { num_groups } => fused::Normalization::Sample {
                num_groups,
                epsilon,
                has_scale: self.parameters().scale_and_shift.is_some(),
            },
        }
    }

    /// The configuration that the layer was made from.
    pub(crate) fn config(&self) -> Normalization {
        with_norm!(self, layer => layer.config())
    }

    /// Added to the variance, above zero.
    pub(super) fn epsilon(&self) -> f64 {
        with_norm!(self, layer => layer.epsilon())
    }

    /// The numbers that mean and variance are taken over.
    pub(super) fn over(&self) -> Over {
        with_norm!(self, layer => layer.over())
    }

    /// Copies of the parameters that share their memory.
    pub(crate) fn parameters(&self) -> NormParameters {
        with_norm!(self, layer => layer.parameters())
    }
}
