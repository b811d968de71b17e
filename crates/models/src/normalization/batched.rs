//! The normalisations of many networks as one.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Int, Tensor};
use emberlab_kernels::{self as kernels, Standardized, standardize};

use super::batch::moved;
use super::{BatchStatistics, Norm, NormParameters, Normalization, Over, scale_and_shift};
use crate::batched_parameters::{replica, stacked};

/// One [`Norm`] of each replica, all of one configuration.
#[derive(Module, Debug)]
pub struct BatchedNorm {
    /// Scale, `[num_replicas, 1, num_features]`, if the layers have one.
    gamma: Option<Param<Tensor<3>>>,
    /// Shift, shaped like the scale.
    beta: Option<Param<Tensor<3>>>,
    /// Running mean of batch normalisation, shaped like the scale.
    running_mean: Option<Param<Tensor<3>>>,
    /// Running variance, shaped like the scale.
    running_var: Option<Param<Tensor<3>>>,
    #[module(skip)]
    config: Normalization,
    #[module(skip)]
    over: Over,
    #[module(skip)]
    epsilon: f64,
}

impl BatchedNorm {
    /// Stacks layers. Returns `None` if their configurations differ.
    pub(crate) fn new(norms: &[&Norm]) -> Option<Self> {
        let first = norms.first()?;
        let config = first.config();
        if norms.iter().any(|norm| norm.config() != config) {
            return None;
        }
        let parameters: Vec<NormParameters> = norms.iter().map(|norm| norm.parameters()).collect();
        let (gamma, beta) = stacked_pairs(parameters.iter().map(|p| p.scale_and_shift.as_ref()));
        let running = parameters.iter().map(|p| p.running_statistics.as_ref());
        let (running_mean, running_var) = stacked_pairs(running);
        Some(Self {
            gamma,
            beta,
            running_mean,
            running_var,
            config,
            over: first.over(),
            epsilon: first.epsilon(),
        })
    }

    /// The layer of one replica.
    pub(crate) fn replica(&self, index: &Tensor<1, Int>) -> Option<Norm> {
        let pair = |first: &Option<Param<Tensor<3>>>, second: &Option<Param<Tensor<3>>>| {
            let (first, second) = (first.as_ref()?, second.as_ref()?);
            Some((replica(first, index), replica(second, index)))
        };
        self.config.layer(NormParameters {
            scale_and_shift: pair(&self.gamma, &self.beta),
            running_statistics: pair(&self.running_mean, &self.running_var),
        })
    }

    /// Normalises in evaluation mode: batch norm by its running statistics.
    ///
    /// # Shapes
    /// - `x` and the result: `[num_replicas, batch, num_features]`
    pub(crate) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        match (&self.running_mean, &self.running_var) {
            (Some(mean), Some(variance)) => {
                let deviation = variance.val().add_scalar(self.epsilon).sqrt();
                self.scaled_and_shifted((x - mean.val()) * deviation.recip())
            }
            _ => self.forward_saving(x).0,
        }
    }

    /// Normalises in training mode, and saves what [`backward`](Self::backward) needs.
    ///
    /// # Shapes
    /// - `x` and the first result: `[num_replicas, batch, num_features]`
    pub(crate) fn forward_saving(
        &self,
        x: Tensor<3>,
    ) -> (Tensor<3>, Standardized<3>, Option<BatchStatistics<3>>) {
        let shape = x.dims();
        match self.over {
            Over::Batch { .. } => {
                let (saved, moments) = standardize(x, 1, self.epsilon);
                let statistics = BatchStatistics::new(moments.mean, moments.variance, shape[1]);
                let y = self.scaled_and_shifted(saved.normalized.clone());
                (y, saved, Some(statistics))
            }
            Over::Sample { num_groups } => {
                let (saved, _) = standardize(x.reshape(groups(shape, num_groups)), 2, self.epsilon);
                let y = self.scaled_and_shifted(saved.normalized.clone().reshape(shape));
                (y, saved, None)
            }
        }
    }

    /// The loss's gradient by the inputs. Those of the parameters are added to `gradients`.
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
        match (self.over, &self.gamma, &self.beta) {
            (Over::Batch { .. }, Some(gamma), Some(beta)) => {
                let found = kernels::batched_batch_norm_backward(gamma.val(), saved, delta);
                gradients.register(gamma.id, found.gamma);
                gradients.register(beta.id, found.beta);
                found.x
            }
            (Over::Batch { .. }, _, _) => saved.backward(delta),
            (Over::Sample { num_groups }, gamma, beta) => {
                let mut delta = delta;
                if let (Some(gamma), Some(beta)) = (gamma, beta) {
                    let normalized = saved.normalized.clone().reshape(shape);
                    let found = scale_and_shift::backward(gamma.val(), normalized, delta);
                    gradients.register(gamma.id, found.gamma);
                    gradients.register(beta.id, found.beta);
                    delta = found.x;
                }
                let groups = groups(shape, num_groups);
                saved.backward(delta.reshape(groups)).reshape(shape)
            }
        }
    }

    /// Moves the running statistics of a batch norm towards the next of `statistics`.
    pub(crate) fn with_running_statistics(
        mut self,
        statistics: &mut impl Iterator<Item = BatchStatistics<3>>,
    ) -> Self {
        let Over::Batch { momentum } = self.over else {
            return self;
        };
        if let Some(BatchStatistics { mean, variance }) = statistics.next() {
            let moved = |running: Param<Tensor<3>>, batch| {
                running.map(|running| moved(running, batch, momentum))
            };
            self.running_mean = self.running_mean.map(|running| moved(running, mean));
            self.running_var = self.running_var.map(|running| moved(running, variance));
        }
        self
    }

    fn scaled_and_shifted(&self, x: Tensor<3>) -> Tensor<3> {
        match (&self.gamma, &self.beta) {
            (Some(gamma), Some(beta)) => scale_and_shift::forward(gamma.val(), beta.val(), x),
            _ => x,
        }
    }
}

/// The shape with a row for each group of each sample.
fn groups([num_replicas, batch, num_features]: [usize; 3], num_groups: usize) -> [usize; 3] {
    [num_replicas, batch * num_groups, num_features / num_groups]
}

/// A parameter of one network.
type Part = Param<Tensor<1>>;

/// Stacks two parameters of each network. Returns `None` twice if a network lacks them.
fn stacked_pairs<'a>(
    pairs: impl Iterator<Item = Option<&'a (Part, Part)>>,
) -> (Option<Param<Tensor<3>>>, Option<Param<Tensor<3>>>) {
    let Some(pairs) = pairs.collect::<Option<Vec<_>>>() else {
        return (None, None);
    };
    let firsts: Vec<_> = pairs.iter().map(|(first, _)| first).collect();
    let seconds: Vec<_> = pairs.iter().map(|(_, second)| second).collect();
    (Some(stacked(&firsts)), Some(stacked(&seconds)))
}
