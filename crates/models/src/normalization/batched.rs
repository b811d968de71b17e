//! The normalisations of many networks as one.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Int, Tensor};

use super::affine::{self, Slopes};
use super::batch::{self, moved};
use super::standardized::Standardized;
use super::{BatchNorm, BatchStatistics, GroupNorm, InstanceNorm, LayerNorm, Norm, Normalization};
use crate::batched_parameters::{replica, stacked};

/// One [`Norm`] of each replica, all of one kind.
#[derive(Module, Debug)]
pub struct BatchedNorm {
    /// Scale, `[num_replicas, 1, num_features]`, unless the kind has none.
    gamma: Option<Param<Tensor<3>>>,
    /// Shift, shaped like the scale.
    beta: Option<Param<Tensor<3>>>,
    /// Running mean of batch normalisation, shaped like the scale.
    running_mean: Option<Param<Tensor<3>>>,
    /// Running variance, shaped like the scale.
    running_var: Option<Param<Tensor<3>>>,
    #[module(skip)]
    kind: Normalization,
}

impl BatchedNorm {
    /// Stacks layers; none if they are of different kinds.
    pub(crate) fn new(norms: &[&Norm]) -> Option<Self> {
        let kind = kind(norms.first()?);
        if norms.iter().any(|norm| self::kind(norm) != kind) {
            return None;
        }
        let every = |part: fn(&Norm) -> Option<&Param<Tensor<1>>>| {
            let parts: Option<Vec<_>> = norms.iter().map(|norm| part(norm)).collect();
            Some(stacked(&parts?))
        };
        Some(Self {
            gamma: every(|norm| Some(affine_of(norm)?.0)),
            beta: every(|norm| Some(affine_of(norm)?.1)),
            running_mean: every(|norm| Some(&norm.as_batch()?.running_mean)),
            running_var: every(|norm| Some(&norm.as_batch()?.running_var)),
            kind,
        })
    }

    /// The layer of one replica; none for a kind that is no layer.
    pub(crate) fn replica(&self, index: &Tensor<1, Int>) -> Option<Norm> {
        let part = |param: &Option<Param<Tensor<3>>>| param.as_ref().map(|p| replica(p, index));
        Some(match self.kind {
            Normalization::None => return None,
            Normalization::Batch { momentum, epsilon } => Norm::Batch(BatchNorm {
                gamma: part(&self.gamma)?,
                beta: part(&self.beta)?,
                running_mean: part(&self.running_mean)?,
                running_var: part(&self.running_var)?,
                momentum,
                epsilon,
            }),
            Normalization::Layer { epsilon } => Norm::Layer(LayerNorm {
                gamma: part(&self.gamma)?,
                beta: part(&self.beta)?,
                epsilon,
            }),
            Normalization::Instance { epsilon } => Norm::Instance(InstanceNorm { epsilon }),
            Normalization::Group {
                num_groups,
                epsilon,
            } => Norm::Group(GroupNorm {
                gamma: part(&self.gamma)?,
                beta: part(&self.beta)?,
                num_groups,
                epsilon,
            }),
        })
    }

    /// Normalises in evaluation mode: batch norm by its running statistics.
    ///
    /// # Shapes
    /// - `x` and the result: `[num_replicas, batch, num_features]`
    pub(crate) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        match (&self.kind, &self.running_mean, &self.running_var) {
            (Normalization::Batch { epsilon, .. }, Some(mean), Some(variance)) => {
                let deviation = variance.val().add_scalar(*epsilon).sqrt();
                self.affine((x - mean.val()) * deviation.recip())
            }
            _ => self.forward_saving(x).0,
        }
    }

    /// Normalises in training mode, and keeps what [`backward`](Self::backward) needs.
    ///
    /// # Shapes
    /// - `x` and the first result: `[num_replicas, batch, num_features]`
    pub(crate) fn forward_saving(
        &self,
        x: Tensor<3>,
    ) -> (Tensor<3>, Standardized<3>, Option<BatchStatistics<3>>) {
        let shape = x.dims();
        match self.kind {
            Normalization::Batch { epsilon, .. } => {
                let (saved, moments) = Standardized::new(x, 1, epsilon);
                let statistics = BatchStatistics::new(moments.mean, moments.variance, shape[1]);
                let y = self.affine(saved.normalized.clone());
                (y, saved, Some(statistics))
            }
            _ => {
                let (saved, _) = Standardized::new(x.reshape(self.rows(shape)), 2, self.epsilon());
                let y = self.affine(saved.normalized.clone().reshape(shape));
                (y, saved, None)
            }
        }
    }

    /// The loss's gradient by the inputs; those of the parameters are added to `gradients`.
    ///
    /// # Shapes
    /// - `delta` and the result: `[num_replicas, batch, num_features]`
    pub(crate) fn backward(
        &self,
        saved: Standardized<3>,
        delta: Tensor<3>,
        gradients: &mut GradientsParams,
    ) -> Tensor<3> {
        let shape = delta.dims();
        let rows = self.rows(shape);
        let (Some(gamma), Some(beta)) = (&self.gamma, &self.beta) else {
            return saved.backward(delta.reshape(rows)).reshape(shape);
        };
        let (delta, slopes) = match self.kind {
            Normalization::Batch { .. } => batch::backward(gamma.val(), saved, delta),
            _ => {
                let normalized = saved.normalized.clone().reshape(shape);
                let (delta, slopes) = affine::backward(gamma.val(), normalized, delta);
                (saved.backward(delta.reshape(rows)).reshape(shape), slopes)
            }
        };
        let Slopes {
            gamma: scale,
            beta: shift,
        } = slopes;
        gradients.register(gamma.id, scale);
        gradients.register(beta.id, shift);
        delta
    }

    /// Moves the running statistics towards those of a batch.
    pub(crate) fn with_running_statistics(mut self, batch: BatchStatistics<3>) -> Self {
        if let Normalization::Batch { momentum, .. } = self.kind {
            let BatchStatistics { mean, variance } = batch;
            let moved = |running: Param<Tensor<3>>, batch| {
                running.map(|running| moved(running, batch, momentum))
            };
            self.running_mean = self.running_mean.map(|running| moved(running, mean));
            self.running_var = self.running_var.map(|running| moved(running, variance));
        }
        self
    }

    fn affine(&self, x: Tensor<3>) -> Tensor<3> {
        match (&self.gamma, &self.beta) {
            (Some(gamma), Some(beta)) => affine::forward(gamma.val(), beta.val(), x),
            _ => x,
        }
    }

    fn epsilon(&self) -> f64 {
        match self.kind {
            Normalization::None => 0.0,
            Normalization::Batch { epsilon, .. }
            | Normalization::Layer { epsilon }
            | Normalization::Instance { epsilon }
            | Normalization::Group { epsilon, .. } => epsilon,
        }
    }

    /// A row for all that is normalised together: a sample, or a group of its features.
    fn rows(&self, [num_replicas, batch, num_features]: [usize; 3]) -> [usize; 3] {
        match self.kind {
            Normalization::Group { num_groups, .. } => {
                [num_replicas, batch * num_groups, num_features / num_groups]
            }
            _ => [num_replicas, batch, num_features],
        }
    }
}

/// What a config calls the layer.
fn kind(norm: &Norm) -> Normalization {
    match *norm {
        Norm::Batch(BatchNorm {
            momentum, epsilon, ..
        }) => Normalization::Batch { momentum, epsilon },
        Norm::Layer(LayerNorm { epsilon, .. }) => Normalization::Layer { epsilon },
        Norm::Instance(InstanceNorm { epsilon }) => Normalization::Instance { epsilon },
        Norm::Group(GroupNorm {
            num_groups,
            epsilon,
            ..
        }) => Normalization::Group {
            num_groups,
            epsilon,
        },
    }
}

/// Scale and shift of a layer that has them.
fn affine_of(norm: &Norm) -> Option<(&Param<Tensor<1>>, &Param<Tensor<1>>)> {
    match norm {
        Norm::Batch(BatchNorm { gamma, beta, .. })
        | Norm::Layer(LayerNorm { gamma, beta, .. })
        | Norm::Group(GroupNorm { gamma, beta, .. }) => Some((gamma, beta)),
        Norm::Instance(_) => None,
    }
}
