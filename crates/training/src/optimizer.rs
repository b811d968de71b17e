//! Optimisers with PyTorch's updates, hyperparameters in float64 and a state that can be saved.

use std::collections::BTreeMap;
use std::ops::Range;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::store::{ModuleRecord, RecordError};
use burn::tensor::{Bytes, DType, Device, Int, Tensor, TensorData};
use emberlab_kernels::{self as kernels, Numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{TrainingError, check};

/// An optimiser as written in the configuration.
///
/// | key | default | range |
/// |---|---|---|
/// | `learning_rate` | none: always written | ≥ 0 |
/// | `momentum` (sgd, rmsprop) | 0 | [0, 1) |
/// | `nesterov` (sgd) | false | needs `momentum` |
/// | `beta_1`, `beta_2` (adam, adamw) | 0.9, 0.999 | [0, 1) |
/// | `alpha` (rmsprop) | 0.99 | [0, 1) |
/// | `epsilon` | 1e-8 | ≥ 0 |
/// | `weight_decay` | 0; adamw 0.01 | ≥ 0 |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum OptimizerConfig {
    /// Stochastic gradient descent. `torch.optim.SGD` without dampening.
    Sgd {
        /// Step length at the start; the scheduler may change it.
        learning_rate: f64,
        /// Share of the last update that is saved.
        #[serde(default)]
        momentum: f64,
        /// Look ahead along the momentum (Nesterov); needs `momentum`.
        #[serde(default)]
        nesterov: bool,
        /// L2 penalty added to the gradient.
        #[serde(default)]
        weight_decay: f64,
    },
    /// Adam. `torch.optim.Adam`; Kingma and Ba 2015, algorithm 1.
    Adam {
        /// Step length at the start; the scheduler may change it.
        learning_rate: f64,
        /// Decay of the mean of gradients.
        #[serde(default = "beta_1")]
        beta_1: f64,
        /// Decay of the mean of squared gradients.
        #[serde(default = "beta_2")]
        beta_2: f64,
        /// Added to the denominator.
        #[serde(default = "epsilon")]
        epsilon: f64,
        /// L2 penalty added to the gradient.
        #[serde(default)]
        weight_decay: f64,
    },
    /// Adam with decoupled weight decay. `torch.optim.AdamW`; Loshchilov and Hutter 2019, algorithm 2.
    #[serde(rename = "adamw")]
    AdamW {
        /// Step length at the start; the scheduler may change it.
        learning_rate: f64,
        /// Decay of the mean of gradients.
        #[serde(default = "beta_1")]
        beta_1: f64,
        /// Decay of the mean of squared gradients.
        #[serde(default = "beta_2")]
        beta_2: f64,
        /// Added to the denominator.
        #[serde(default = "epsilon")]
        epsilon: f64,
        /// Share of a weight removed per unit of learning rate.
        #[serde(default = "hundredth")]
        weight_decay: f64,
    },
    /// RMSprop. `torch.optim.RMSprop`; Hinton's lecture 6e.
    #[serde(rename = "rmsprop")]
    RmsProp {
        /// Step length at the start; the scheduler may change it.
        learning_rate: f64,
        /// Decay of the mean of squared gradients.
        #[serde(default = "alpha")]
        alpha: f64,
        /// Added to the denominator.
        #[serde(default = "epsilon")]
        epsilon: f64,
        /// Share of the last update that is saved.
        #[serde(default)]
        momentum: f64,
        /// L2 penalty added to the gradient.
        #[serde(default)]
        weight_decay: f64,
    },
}

fn beta_1() -> f64 {
    0.9
}
fn beta_2() -> f64 {
    0.999
}
fn epsilon() -> f64 {
    1e-8
}
fn alpha() -> f64 {
    0.99
}
fn hundredth() -> f64 {
    0.01
}

impl OptimizerConfig {
    /// The configured learning rate, before any schedule.
    pub fn learning_rate(&self) -> f64 {
        match self {
            Self::Sgd { learning_rate, .. }
            | Self::Adam { learning_rate, .. }
            | Self::AdamW { learning_rate, .. }
            | Self::RmsProp { learning_rate, .. } => *learning_rate,
        }
    }

    /// The same with another learning rate.
    #[must_use]
    pub fn with_learning_rate(&self, rate: f64) -> Self {
        let mut changed = self.clone();
        match &mut changed {
            Self::Sgd { learning_rate, .. }
            | Self::Adam { learning_rate, .. }
            | Self::AdamW { learning_rate, .. }
            | Self::RmsProp { learning_rate, .. } => *learning_rate = rate,
        }
        changed
    }

    /// Checks the ranges of the values.
    ///
    /// # Errors
    /// [`TrainingError::Value`] naming the key that is out of range.
    pub fn validate(&self) -> Result<(), TrainingError> {
        let at_least_zero = |key: &str, x: f64| check(key, x, x >= 0.0, "zero or positive");
        let share = |key: &str, x: f64| {
            check(
                key,
                x,
                (0.0..1.0).contains(&x),
                "at least 0 and less than 1",
            )
        };
        at_least_zero("optimizer.learning_rate", self.learning_rate())?;
        match *self {
            Self::Sgd {
                momentum,
                nesterov,
                weight_decay,
                ..
            } => {
                share("optimizer.momentum", momentum)?;
                at_least_zero("optimizer.weight_decay", weight_decay)?;
                if nesterov && momentum == 0.0 {
                    return Err(TrainingError::value(
                        "optimizer.nesterov",
                        true,
                        "false unless `momentum` is above 0",
                    ));
                }
                Ok(())
            }
            Self::Adam {
                beta_1,
                beta_2,
                epsilon,
                weight_decay,
                ..
            }
            | Self::AdamW {
                beta_1,
                beta_2,
                epsilon,
                weight_decay,
                ..
            } => {
                share("optimizer.beta_1", beta_1)?;
                share("optimizer.beta_2", beta_2)?;
                at_least_zero("optimizer.epsilon", epsilon)?;
                at_least_zero("optimizer.weight_decay", weight_decay)
            }
            Self::RmsProp {
                alpha,
                epsilon,
                momentum,
                weight_decay,
                ..
            } => {
                share("optimizer.alpha", alpha)?;
                at_least_zero("optimizer.epsilon", epsilon)?;
                share("optimizer.momentum", momentum)?;
                at_least_zero("optimizer.weight_decay", weight_decay)
            }
        }
    }

    /// The L2 penalty that is added to gradients; AdamW's decay is none.
    fn penalty(&self) -> f64 {
        match self {
            Self::Sgd { weight_decay, .. }
            | Self::Adam { weight_decay, .. }
            | Self::RmsProp { weight_decay, .. } => *weight_decay,
            Self::AdamW { .. } => 0.0,
        }
    }

    /// The buffers that the optimiser needs, in the order they are saved.
    fn num_buffers(&self) -> usize {
        match self {
            Self::Sgd { momentum, .. } => usize::from(*momentum > 0.0),
            Self::Adam { .. } | Self::AdamW { .. } => 2,
            Self::RmsProp { momentum, .. } => 1 + usize::from(*momentum > 0.0),
        }
    }
}

/// An optimiser with the state of one network's parameters.
///
/// What it remembers of all parameters lies end to end in one flat buffer of each kind, so that a step takes
/// as many tensor operations for many small parameters as for one.
#[derive(Debug, Clone)]
pub struct Optimizer {
    config: OptimizerConfig,
    /// Steps done so far; Adam's bias corrections depend on it.
    step: u64,
    /// Networks whose parameters lie side by side in each parameter.
    num_replicas: usize,
    /// Where each parameter's numbers lie in a buffer, by its id.
    places: BTreeMap<u64, Range<usize>>,
    /// Zero before the first step.
    buffers: Vec<Tensor<1>>,
}

/// Pieces of the buffers as a Burn module, so that they are saved as a Burn record.
#[derive(Module, Debug)]
struct Pieces {
    tensors: Vec<Param<Tensor<1>>>,
}

impl Optimizer {
    /// An optimiser for the trainable parameters of `module`, with zeroed state on their device.
    pub fn new<M: Module>(config: &OptimizerConfig, module: &M) -> Self {
        struct Trainable {
            lengths: BTreeMap<u64, usize>,
            options: Option<(Device, DType)>,
        }
        impl ModuleVisitor for Trainable {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                let tensor = param.val();
                if tensor.is_require_grad() {
                    let length = tensor.shape().num_elements();
                    self.lengths.insert(param.id.val(), length);
                    let tensor = tensor.inner();
                    self.options = Some((tensor.device(), tensor.dtype()));
                }
            }
        }
        let mut trainable = Trainable {
            lengths: BTreeMap::new(),
            options: None,
        };
        // On a plain device parameters say that they are trained only when put on an autodiff one.
        module.clone().train().visit(&mut trainable);
        let mut end = 0;
        let places = trainable.lengths.into_iter().map(|(id, length)| {
            end += length;
            (id, end - length..end)
        });
        let places = places.collect();
        let buffers = match trainable.options {
            Some((device, dtype)) => {
                vec![Tensor::zeros([end], (&device, dtype)); config.num_buffers()]
            }
            None => Vec::new(),
        };
        Self {
            config: config.clone(),
            step: 0,
            num_replicas: 1,
            places,
            buffers,
        }
    }

    /// The optimiser of a stack of networks, from one for each of them; the stack's parameters have the ids
    /// of the first network's. None if there is none, or they are of different networks.
    pub fn stacked(parts: &[Self]) -> Option<Self> {
        let first = parts.first()?;
        let lengths = |part: &Self| part.places.values().map(Range::len).collect::<Vec<_>>();
        let is_like_first = |part: &Self| {
            lengths(part) == lengths(first) && part.buffers.len() == first.buffers.len()
        };
        if !parts.iter().all(is_like_first) {
            return None;
        }
        let buffers = (0..first.buffers.len()).map(|buffer| {
            let pieces = (0..first.places.len()).flat_map(|place| {
                parts.iter().filter_map(move |part| {
                    let range = part.places.values().nth(place)?.clone();
                    Some(part.buffers[buffer].clone().slice_dim(0, range))
                })
            });
            Tensor::cat(pieces.collect(), 0)
        });
        Some(Self {
            config: first.config.clone(),
            step: first.step,
            num_replicas: parts.len(),
            places: scaled(&first.places, parts.len(), 1),
            buffers: buffers.collect(),
        })
    }

    /// The optimiser of some networks of a stack alone, in that order.
    pub fn keep(&self, replicas: &[usize]) -> Self {
        let numbers: Vec<i64> = replicas.iter().map(|&index| index as i64).collect();
        let buffers = self.buffers.iter().map(|buffer| {
            let indices = TensorData::new(numbers.clone(), [replicas.len()]);
            let indices = Tensor::<1, Int>::from_data(indices, &buffer.device());
            let pieces = self.places.values().map(|place| {
                let length = place.len() / self.num_replicas;
                let piece = buffer.clone().slice_dim(0, place.clone());
                let all: Tensor<2> = piece.reshape([self.num_replicas, length]);
                all.select(0, indices.clone()).flatten::<1>(0, 1)
            });
            Tensor::cat(pieces.collect(), 0)
        });
        Self {
            config: self.config.clone(),
            step: self.step,
            num_replicas: replicas.len(),
            places: scaled(&self.places, replicas.len(), self.num_replicas),
            buffers: buffers.collect(),
        }
    }

    /// Steps done so far.
    pub fn num_steps(&self) -> u64 {
        self.step
    }

    /// Moves the parameters of `module` one step along `gradients`, which holds one for each of them.
    pub fn step<M: Module>(
        &mut self,
        module: M,
        gradients: GradientsParams,
        learning_rate: f64,
    ) -> M {
        self.step_with(module, gradients, Rate::One(learning_rate))
    }

    /// [`step`](Self::step) for a stack of networks, each with a learning rate of its own.
    pub fn step_stack<M: Module>(
        &mut self,
        stack: M,
        gradients: GradientsParams,
        learning_rates: &[f64],
    ) -> M {
        let rate = match learning_rates {
            [first, others @ ..] if others.iter().all(|rate| rate == first) => Rate::One(*first),
            _ => Rate::Each(learning_rates),
        };
        self.step_with(stack, gradients, rate)
    }

    fn step_with<M: Module>(&mut self, module: M, mut gradients: GradientsParams, rate: Rate) -> M {
        self.step += 1;
        let directions = match self.buffers.is_empty() {
            true => None,
            false => {
                let mut flat = Flatten {
                    gradients: &mut gradients,
                    weight_decay: self.config.penalty(),
                    pieces: BTreeMap::new(),
                };
                module.visit(&mut flat);
                let pieces: Vec<_> = flat.pieces.into_values().collect();
                // Of rates that differ, each is multiplied in where its network's parameter is moved.
                let one = match rate {
                    Rate::One(learning_rate) => learning_rate,
                    Rate::Each(_) => 1.0,
                };
                Some(self.direction(Tensor::cat(pieces, 0), one))
            }
        };
        module.map(&mut Update {
            optimizer: self,
            gradients,
            directions,
            rate,
        })
    }

    /// The state as a Burn record: every buffer of the first parameter, of the second, and so on, in the
    /// order of their ids.
    ///
    /// # Errors
    /// [`RecordError`] if the state cannot be read from the device.
    pub fn to_bytes(&self) -> Result<Bytes, RecordError> {
        self.pieces().into_record().into_bytes()
    }

    /// Restores what [`to_bytes`](Self::to_bytes) gave, after `step` steps.
    ///
    /// # Errors
    /// [`RecordError`] if the bytes are no record, or one of another network or optimiser.
    pub fn load_bytes(mut self, bytes: Bytes, step: u64) -> Result<Self, RecordError> {
        let record = ModuleRecord::from_bytes(bytes)?;
        let pieces = self.pieces().try_load_record(record)?;
        let mut tensors: Vec<Vec<Tensor<1>>> = vec![Vec::new(); self.buffers.len()];
        for (i, piece) in pieces.tensors.into_iter().enumerate() {
            let buffer = i % self.buffers.len();
            tensors[buffer].push(piece.into_value());
        }
        self.buffers = tensors.into_iter().map(|t| Tensor::cat(t, 0)).collect();
        self.step = step;
        Ok(self)
    }

    fn pieces(&self) -> Pieces {
        let places = self.places.values();
        let tensors = places.flat_map(|place| {
            let cut = |buffer: &Tensor<1>| buffer.clone().slice_dim(0, place.clone());
            self.buffers.iter().map(cut)
        });
        Pieces {
            tensors: tensors
                .enumerate()
                .map(|(i, tensor)| Param::initialized(ParamId::from(i as u64), tensor))
                .collect(),
        }
    }

    /// What to subtract from all parameters, after folding `grad` into the buffers.
    ///
    /// Shapes: flat, as long as the buffers.
    fn direction(&mut self, grad: Tensor<1>, lr: f64) -> Tensor<1> {
        // PooledMaxima out, so that nothing else holds them and they are changed in place.
        let mut buffers = std::mem::take(&mut self.buffers).into_iter();
        let mut next = || match buffers.next() {
            Some(buffer) => buffer,
            None => unreachable!("as many buffers as `num_buffers` says"),
        };
        let (direction, buffers) = match self.config {
            OptimizerConfig::Sgd {
                momentum, nesterov, ..
            } => {
                let velocity = next().mul_scalar(momentum) + grad.clone();
                let direction = match nesterov {
                    true => grad + velocity.clone().mul_scalar(momentum),
                    false => velocity.clone(),
                };
                (direction.mul_scalar(lr), vec![velocity])
            }
            OptimizerConfig::Adam {
                beta_1,
                beta_2,
                epsilon,
                ..
            }
            | OptimizerConfig::AdamW {
                beta_1,
                beta_2,
                epsilon,
                ..
            } => {
                let step = self.step as f64;
                let adam = Adam {
                    beta_1,
                    beta_2,
                    epsilon,
                    size: lr / (1.0 - beta_1.powf(step)),
                    root: (1.0 - beta_2.powf(step)).sqrt(),
                };
                let (direction, mean, square) = adam.direction(grad, next(), next());
                (direction, vec![mean, square])
            }
            OptimizerConfig::RmsProp {
                alpha,
                epsilon,
                momentum,
                ..
            } => {
                let grad_square = (grad.clone() * grad.clone()).mul_scalar(1.0 - alpha);
                let square = next().mul_scalar(alpha) + grad_square;
                let scaled = grad / square.clone().sqrt().add_scalar(epsilon);
                match momentum > 0.0 {
                    true => {
                        let velocity = next().mul_scalar(momentum) + scaled;
                        (velocity.clone().mul_scalar(lr), vec![square, velocity])
                    }
                    false => (scaled.mul_scalar(lr), vec![square]),
                }
            }
        };
        self.buffers = buffers;
        direction
    }
}

/// `lr m̂ / (√v̂ + ε)` of one step.
struct Adam {
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
    /// `lr / (1 − β₁ᵗ)`
    size: f64,
    /// `√(1 − β₂ᵗ)`
    root: f64,
}

impl Adam {
    /// What to subtract, the next mean of the gradients and that of their squares.
    ///
    /// Shapes: all the same.
    fn direction(
        &self,
        grad: Tensor<1>,
        mean: Tensor<1>,
        square: Tensor<1>,
    ) -> (Tensor<1>, Tensor<1>, Tensor<1>) {
        if [&grad, &mean, &square].into_iter().all(kernels::is_on_host) {
            return self.pass(grad, mean, square);
        }
        let mean = mean.mul_scalar(self.beta_1) + grad.clone().mul_scalar(1.0 - self.beta_1);
        let grad_square = (grad.clone() * grad).mul_scalar(1.0 - self.beta_2);
        let square = square.mul_scalar(self.beta_2) + grad_square;
        let root = square.clone().sqrt().div_scalar(self.root);
        let direction = mean.clone().mul_scalar(self.size) / root.add_scalar(self.epsilon);
        (direction, mean, square)
    }

    /// The same in one pass over the host's memory.
    fn pass(
        &self,
        grad: Tensor<1>,
        mean: Tensor<1>,
        square: Tensor<1>,
    ) -> (Tensor<1>, Tensor<1>, Tensor<1>) {
        let [beta_1, rest_1] = [self.beta_1 as f32, (1.0 - self.beta_1) as f32];
        let [beta_2, rest_2] = [self.beta_2 as f32, (1.0 - self.beta_2) as f32];
        let [size, root, epsilon] = [self.size, self.root, self.epsilon].map(|x| x as f32);
        let [mut grad, mut mean, mut square] = [grad, mean, square].map(Numbers::take);
        let means = mean.as_mut_slice().iter_mut().zip(square.as_mut_slice());
        for (grad, (mean, square)) in grad.as_mut_slice().iter_mut().zip(means) {
            *mean = *mean * beta_1 + *grad * rest_1;
            *square = *square * beta_2 + *grad * *grad * rest_2;
            *grad = *mean * size / (square.sqrt() / root + epsilon);
        }
        (grad.into_tensor(), mean.into_tensor(), square.into_tensor())
    }
}

/// `g + λ p`, the gradient of an L2 penalty added.
fn with_penalty<const D: usize>(
    grad: Tensor<D>,
    param: &Tensor<D>,
    weight_decay: f64,
) -> Tensor<D> {
    if weight_decay == 0.0 {
        grad
    } else {
        grad + param.clone().mul_scalar(weight_decay)
    }
}

/// `p − factor d`.
fn subtract<const D: usize>(p: Tensor<D>, d: Tensor<D>, factor: f64) -> Tensor<D> {
    if factor == 1.0 {
        return p - d;
    }
    let scale = factor as f32;
    kernels::zip(d, p, |d, p| p - d * scale, |d, p| p - d.mul_scalar(factor))
}

/// Places of parameters that are `factor / divisor` times as long.
fn scaled(
    places: &BTreeMap<u64, Range<usize>>,
    factor: usize,
    divisor: usize,
) -> BTreeMap<u64, Range<usize>> {
    let scale = |end: usize| end / divisor * factor;
    let places = places.iter();
    places
        .map(|(&id, place)| (id, scale(place.start)..scale(place.end)))
        .collect()
}

/// The learning rate of a step: of all, or of each network of a stack.
#[derive(Clone, Copy)]
enum Rate<'a> {
    One(f64),
    Each(&'a [f64]),
}

impl Rate<'_> {
    /// Multiplies by a number for each network, which `of` makes of its rate; networks lie along the first
    /// dimension.
    fn scale<const D: usize>(self, tensor: Tensor<D>, of: impl Fn(f64) -> f64) -> Tensor<D> {
        match self {
            Self::One(rate) => tensor.mul_scalar(of(rate)),
            Self::Each(rates) => {
                let factors: Vec<f64> = rates.iter().map(|&rate| of(rate)).collect();
                let mut shape = [1; D];
                shape[0] = factors.len();
                let factors = TensorData::new(factors, shape);
                let options = (&tensor.device(), tensor.dtype());
                tensor * Tensor::from_data(factors, options)
            }
        }
    }
}

fn flatten<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let length = tensor.shape().num_elements();
    tensor.reshape([length])
}

/// Takes the gradients of all parameters, flat, by id.
struct Flatten<'a> {
    gradients: &'a mut GradientsParams,
    weight_decay: f64,
    pieces: BTreeMap<u64, Tensor<1>>,
}

impl ModuleVisitor for Flatten<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            let gradient = with_penalty(gradient, &param.val().inner(), self.weight_decay);
            self.pieces.insert(param.id.val(), flatten(gradient));
        }
    }
}

/// Moves every parameter that is trained.
struct Update<'a> {
    optimizer: &'a Optimizer,
    gradients: GradientsParams,
    /// Of all parameters end to end, from an optimiser with buffers.
    directions: Option<Tensor<1>>,
    rate: Rate<'a>,
}

impl Update<'_> {
    /// What to subtract from a parameter, if it is trained, and what to multiply that by before.
    fn direction<const D: usize>(
        &mut self,
        id: ParamId,
        param: &Tensor<D>,
    ) -> Option<(Tensor<D>, f64)> {
        match &self.directions {
            Some(all) => {
                let place = self.optimizer.places.get(&id.val())?.clone();
                let direction = all.clone().slice_dim(0, place).reshape(param.dims());
                Some(match self.rate {
                    Rate::One(_) => (direction, 1.0),
                    Rate::Each(_) => (self.rate.scale(direction, |rate| rate), 1.0),
                })
            }
            None => {
                let gradient = self.gradients.remove::<D>(id)?;
                let gradient = with_penalty(gradient, param, self.optimizer.config.penalty());
                Some(match self.rate {
                    Rate::One(rate) => (gradient, rate),
                    Rate::Each(_) => (self.rate.scale(gradient, |rate| rate), 1.0),
                })
            }
        }
    }
}

impl ModuleMapper for Update<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let id = param.id;
        let is_autodiff = param.is_autodiff();
        let Some((direction, factor)) = self.direction(id, &param.val().inner()) else {
            return param;
        };
        param.map(|tensor| {
            let tensor = match self.optimizer.config {
                OptimizerConfig::AdamW { weight_decay, .. } => {
                    let saved = |rate| 1.0 - rate * weight_decay;
                    self.rate.scale(tensor.inner(), saved)
                }
                _ => tensor.inner(),
            };
            let moved = subtract(tensor, direction, factor);
            match is_autodiff {
                true => moved.autodiff().require_grad(),
                false => moved,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clipping::GradientClipping;
    use burn::tensor::TensorData;

    #[derive(Module, Debug)]
    struct One {
        weight: Param<Tensor<1>>,
    }

    fn vector(values: [f64; 3], device: &Device) -> Tensor<1> {
        Tensor::from_data(TensorData::from(values), (device, DType::F64))
    }

    fn read(module: &One) -> Vec<f64> {
        let data = module.weight.val().into_data();
        data.try_into_vec::<f64>().expect("f64")
    }

    fn start() -> One {
        let weight = vector([1.0, -2.0, 0.5], &Device::flex().autodiff()).require_grad();
        One {
            weight: Param::initialized(ParamId::from(0), weight),
        }
    }

    /// One step along the gradient `(0.3, −0.1, 2) (k + 1) (−1)^k`.
    fn step(optimizer: &mut Optimizer, module: One, clipping: Option<GradientClipping>) -> One {
        let k = optimizer.num_steps();
        let factor = (k + 1) as f64 * if k.is_multiple_of(2) { 1.0 } else { -1.0 };
        let gradient = [0.3, -0.1, 2.0].map(|g| g * factor);
        let mut gradients = GradientsParams::new();
        gradients.register(ParamId::from(0), vector(gradient, &Device::flex()));
        if let Some(clipping) = clipping {
            gradients = clipping.clip(&module, gradients);
        }
        let rate = optimizer.config.learning_rate();
        optimizer.step(module, gradients, rate)
    }

    /// Four steps from `(1, −2, 0.5)`, as the PyTorch below does them:
    ///
    /// ```python
    /// p = torch.nn.Parameter(torch.tensor([1., -2., .5], dtype=torch.float64)); o = make([p])
    /// for k in range(4):
    ///     p.grad = torch.tensor([.3, -.1, 2.], dtype=torch.float64) * (k + 1) * (-1)**k
    ///     clip([p]); o.step()
    /// ```
    fn assert_ends(config: &str, clipping: Option<GradientClipping>, expected: [f64; 3]) {
        let config: OptimizerConfig = serde_json::from_str(config).expect("a configuration");
        config.validate().expect("in range");
        let mut module = start();
        let mut optimizer = Optimizer::new(&config, &module);
        for _ in 0..4 {
            module = step(&mut optimizer, module, clipping);
        }
        for (found, expected) in read(&module).into_iter().zip(expected) {
            assert!(
                (found - expected).abs() < 1e-12,
                "{found} is not {expected}"
            );
        }
    }

    #[test]
    fn optimisers_equal_pytorchs() {
        assert_ends(
            r#"{"name": "rmsprop", "learning_rate": 0.01, "alpha": 0.9}"#,
            None,
            [0.9949174388699715, -1.9949174433569317, 0.4949174369630126],
        );
        assert_ends(
            r#"{"name": "rmsprop", "learning_rate": 0.01, "alpha": 0.9, "momentum": 0.5, "weight_decay": 0.1}"#,
            None,
            [0.9665720752905415, -1.9111430503310496, 0.4751171254254507],
        );
        assert_ends(
            r#"{"name": "sgd", "learning_rate": 0.1, "momentum": 0.9, "nesterov": true, "weight_decay": 0.1}"#,
            None,
            [0.952689339084, -1.787488033063, 0.9125400564305001],
        );
        assert_ends(
            r#"{"name": "adam", "learning_rate": 0.1, "weight_decay": 0.1}"#,
            None,
            [0.8832466972616658, -1.7149075587828297, 0.42256784537220043],
        );
        assert_ends(
            r#"{"name": "adamw", "learning_rate": 0.1, "weight_decay": 0.1}"#,
            None,
            [0.888721101520255, -1.8493171169587612, 0.4084230942088895],
        );
    }

    #[test]
    fn clipping_equals_pytorchs() {
        let sgd = r#"{"name": "sgd", "learning_rate": 0.1}"#;
        assert_ends(
            sgd,
            Some(GradientClipping::Norm(1.0)),
            [1.00000000426829, -2.0000000014227632, 0.5000000284552654],
        );
        assert_ends(
            sgd,
            Some(GradientClipping::Value(0.5)),
            [1.02, -2.0199999999999996, 0.5],
        );
    }

    #[test]
    fn a_restored_optimiser_goes_on_to_the_bit() {
        let config: OptimizerConfig =
            serde_json::from_str(r#"{"name": "adam", "learning_rate": 0.1}"#).expect("adam");
        let mut module = start();
        let mut optimizer = Optimizer::new(&config, &module);
        module = step(&mut optimizer, module, None);
        let saved = optimizer.to_bytes().expect("bytes");
        let mut restored = Optimizer::new(&config, &module)
            .load_bytes(saved, optimizer.num_steps())
            .expect("its own bytes");
        let on = step(&mut optimizer, module.clone(), None);
        let again = step(&mut restored, module, None);
        assert_eq!(read(&on), read(&again));
    }

    #[test]
    fn values_out_of_range_are_refused() {
        for (config, key) in [
            (r#"{"name": "sgd", "learning_rate": -1.0}"#, "learning_rate"),
            (
                r#"{"name": "sgd", "learning_rate": 0.1, "nesterov": true}"#,
                "nesterov",
            ),
            (
                r#"{"name": "adam", "learning_rate": 0.1, "beta_2": 1.0}"#,
                "beta_2",
            ),
        ] {
            let config: OptimizerConfig = serde_json::from_str(config).expect("well formed");
            let error = config.validate().expect_err("out of range").to_string();
            assert!(error.contains(key), "{error}");
        }
    }
}
