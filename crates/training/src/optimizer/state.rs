//! The state of an optimiser: flat buffers, and how they are saved, loaded, joined and split.

use std::collections::BTreeMap;
use std::ops::Range;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::store::{ModuleRecord, RecordError};
use burn::tensor::{Bytes, DType, Device, Element, Int, Tensor, TensorData, TensorReadError};
use emberlab_fused::Average;

use super::{OptimizerConfig, UpdateRule};
use crate::average::WeightAverage;
use crate::config::TrainingConfig;

/// An optimiser with the state of one network's parameters, or of the parameters of many networks.
///
/// The buffers of a rule, such as Adam's means, hold the numbers of all parameters end to end. So a step takes as
/// many tensor operations for many small parameters as for one.
#[derive(Debug, Clone)]
pub struct Optimizer {
    pub(super) rule: UpdateRule,
    /// Steps done so far; Adam's bias corrections depend on it.
    pub(super) step: u64,
    /// Networks whose parameters lie side by side in each parameter.
    num_replicas: usize,
    /// The place of each parameter's numbers in a buffer, by its id.
    pub(super) places: BTreeMap<u64, Range<usize>>,
    /// Zero before the first step. The average of the parameters is the last, if there is one.
    pub(super) buffers: Vec<Tensor<1>>,
    pub(super) average: Option<Average>,
}

/// The buffers, cut into one piece for each parameter, as a Burn module: so they are saved as a Burn record.
#[derive(Module, Debug)]
struct Pieces {
    tensors: Vec<Param<Tensor<1>>>,
}

impl Optimizer {
    /// An optimiser for the trainable parameters of `module`, with zeroed state on their device.
    pub fn new<M: Module>(config: &OptimizerConfig, module: &M) -> Self {
        let mut trainable = Trainable::default();
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
                vec![Tensor::zeros([end], (&device, dtype)); config.rule.num_buffers()]
            }
            None => Vec::new(),
        };
        Self {
            rule: config.rule.clone(),
            step: 0,
            num_replicas: 1,
            places,
            buffers,
            average: None,
        }
    }

    /// The optimiser of a training on this number of samples, with the average that the training asks for.
    pub(crate) fn of_training<M: Module>(
        config: &OptimizerConfig,
        training: &TrainingConfig,
        num_train: usize,
        module: &M,
    ) -> Self {
        let steps_per_epoch = training.batches().num_batches(num_train);
        Self::new(config, module).with_average(training.average, steps_per_epoch, module)
    }

    /// The average of the parameters that is evaluated, if there is one.
    pub(crate) fn average(&self) -> Option<Average> {
        self.average
    }

    /// The same optimiser before its first step, with an average of the parameters of `module`.
    pub fn with_average<M: Module>(
        mut self,
        average: Option<WeightAverage>,
        steps_per_epoch: usize,
        module: &M,
    ) -> Self {
        let mut trainable = Trainable::default();
        module.clone().train().visit(&mut trainable);
        if let (Some(_), Some((device, dtype))) = (average, trainable.options) {
            let length: usize = self.places.values().map(Range::len).sum();
            self.buffers.push(Tensor::zeros([length], (&device, dtype)));
        }
        self.average = average.map(|average| average.fused(steps_per_epoch));
        self
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
            rule: first.rule.clone(),
            step: first.step,
            num_replicas: parts.len(),
            places: scaled(&first.places, parts.len(), 1),
            buffers: buffers.collect(),
            average: first.average,
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
            rule: self.rule.clone(),
            step: self.step,
            num_replicas: replicas.len(),
            places: scaled(&self.places, replicas.len(), self.num_replicas),
            buffers: buffers.collect(),
            average: self.average,
        }
    }

    /// The rule of its updates.
    pub(crate) fn rule(&self) -> &UpdateRule {
        &self.rule
    }

    /// The buffers as plain numbers, each with the numbers of all parameters in the order of their ids.
    ///
    /// # Errors
    /// [`TensorReadError`] if the numbers are not of this type, or if the device fails.
    pub(crate) fn numbers<T: Element>(&self) -> Result<Vec<Vec<T>>, TensorReadError> {
        let read = |buffer: &Tensor<1>| {
            let data = buffer.clone().try_into_data()?;
            Ok(data.try_into_vec::<T>()?)
        };
        self.buffers.iter().map(read).collect()
    }

    /// The same optimiser after `step` steps, with these numbers in its buffers.
    pub(crate) fn with_numbers<T: Element>(&self, buffers: &[Vec<T>], step: u64) -> Self {
        let pairs = self.buffers.iter().zip(buffers);
        let write = |(old, numbers): (&Tensor<1>, &Vec<T>)| {
            let data = TensorData::new(numbers.clone(), old.shape());
            Tensor::from_data(data, (&old.device(), old.dtype()))
        };
        Self {
            rule: self.rule.clone(),
            step,
            num_replicas: self.num_replicas,
            places: self.places.clone(),
            buffers: pairs.map(write).collect(),
            average: self.average,
        }
    }

    /// Steps done so far.
    pub fn num_steps(&self) -> u64 {
        self.step
    }

    /// The state as a Burn record: every buffer of the first parameter, of the second, and so on, in the
    /// order of their ids.
    ///
    /// # Errors
    /// [`RecordError`] if the state cannot be read from the device.
    pub fn to_bytes(&self) -> Result<Bytes, RecordError> {
        self.pieces().into_record().into_bytes()
    }

    /// Restores the state that [`to_bytes`](Self::to_bytes) saved after `step` steps.
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
}

/// The lengths of the parameters that are trained, by id, and where they lie.
#[derive(Default)]
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
