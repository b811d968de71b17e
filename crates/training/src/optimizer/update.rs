//! One step of an optimiser: from gradients to moved parameters.

use std::collections::BTreeMap;
use std::ops::Range;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};
use emberlab_fused as fused;
use emberlab_kernels::{self as kernels, ParameterUpdates};

use super::Optimizer;

impl Optimizer {
    /// Moves the parameters of `module` one step along `gradients`, which holds one for each of them.
    pub fn step<M: Module>(
        &mut self,
        module: M,
        gradients: GradientsParams,
        learning_rate: f64,
    ) -> M {
        self.step_with(module, gradients, LearningRates::One(learning_rate))
    }

    /// [`step`](Self::step) for a stack of networks, each with a learning rate of its own.
    pub fn step_stack<M: Module>(
        &mut self,
        stack: M,
        gradients: GradientsParams,
        learning_rates: &[f64],
    ) -> M {
        self.step_with(stack, gradients, LearningRates::of(learning_rates))
    }

    fn step_with<M: Module>(
        &mut self,
        module: M,
        mut gradients: GradientsParams,
        rates: LearningRates,
    ) -> M {
        self.step += 1;
        if let (LearningRates::One(rate), Some(rule)) = (rates, self.rule.fused())
            && is_on_gpu(&module)
        {
            return self.step_on_gpu(module, gradients, rule, rate);
        }
        let num_buffers = self.rule.num_buffers();
        let directions = match num_buffers {
            0 => None,
            _ => {
                let mut flat = Flatten {
                    gradients: &mut gradients,
                    penalty: self.rule.penalty(),
                    pieces: BTreeMap::new(),
                };
                module.visit(&mut flat);
                let pieces: Vec<_> = flat.pieces.into_values().collect();
                // Learning rates that differ are multiplied in where each network's parameters are moved.
                let shared_rate = match rates {
                    LearningRates::One(rate) => rate,
                    LearningRates::Each(_) => 1.0,
                };
                // The rule gets the buffers themselves, which nothing else holds, so that it changes them in place.
                let mut buffers = std::mem::take(&mut self.buffers);
                let average = buffers.split_off(num_buffers);
                let gradient = Tensor::cat(pieces, 0);
                let (direction, buffers) =
                    (self.rule).direction(gradient, buffers, shared_rate, self.step);
                self.buffers = buffers;
                self.buffers.extend(average);
                Some(direction)
            }
        };
        module.map(&mut Update {
            optimizer: self,
            gradients,
            directions,
            rates,
        })
    }
}

impl Optimizer {
    /// A step by a kernel for each parameter. All parameters are on a GPU.
    fn step_on_gpu<M: Module>(
        &mut self,
        module: M,
        gradients: GradientsParams,
        rule: fused::Optimizer,
        learning_rate: f64,
    ) -> M {
        let mut buffers = std::mem::take(&mut self.buffers);
        let average = buffers.split_off(self.rule.num_buffers());
        let updates = ParameterUpdates::new(rule, learning_rate, self.step, buffers);
        let Ok(updates) = updates else {
            unreachable!("the buffers are where the parameters are");
        };
        let mut mapper = UpdateOnGpu {
            places: &self.places,
            gradients,
            updates,
        };
        let module = module.map(&mut mapper);
        self.buffers = mapper.updates.into_buffers();
        self.buffers.extend(average);
        module
    }

    /// Adds the parameters of `module` after a step to their average, if there is one and they count.
    pub(crate) fn add_to_average<M: Module>(&mut self, module: &M) {
        let Some(weight) = (self.average).and_then(|average| average.weight(self.step)) else {
            return;
        };
        let mut parameters = Parameters {
            optimizer: self,
            pieces: BTreeMap::new(),
        };
        module.visit(&mut parameters);
        let parameters = Tensor::cat(parameters.pieces.into_values().collect(), 0);
        if let Some(average) = self.buffers.pop() {
            let kept = average.mul_scalar(1.0 - weight);
            self.buffers.push(kept + parameters.mul_scalar(weight));
        }
    }

    /// The module as it is evaluated: with the average of its parameters, if it has begun.
    pub fn averaged<M: Module>(&self, module: M) -> M {
        let has_begun = (self.average).is_some_and(|average| average.has_begun(self.step));
        match self.buffers.last() {
            Some(average) if has_begun => module.map(&mut Averaged {
                optimizer: self,
                average,
            }),
            _ => module,
        }
    }
}

/// Whether the parameters of a module are on a GPU.
fn is_on_gpu<M: Module>(module: &M) -> bool {
    let mut first = First::default();
    module.visit(&mut first);
    first.is_on_gpu == Some(true)
}

/// Whether the first parameter is on a GPU.
#[derive(Default)]
struct First {
    is_on_gpu: Option<bool>,
}

impl ModuleVisitor for First {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.is_on_gpu.is_none() {
            self.is_on_gpu = Some(kernels::is_on_gpu(&param.val().inner()));
        }
    }
}

/// Moves every parameter that is trained by a kernel of a GPU.
struct UpdateOnGpu<'a> {
    places: &'a BTreeMap<u64, Range<usize>>,
    gradients: GradientsParams,
    updates: ParameterUpdates,
}

impl ModuleMapper for UpdateOnGpu<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let id = param.id;
        let Some(place) = self.places.get(&id.val()) else {
            return param;
        };
        let Some(gradient) = self.gradients.remove::<D>(id) else {
            return param;
        };
        let is_autodiff = param.is_autodiff();
        param.map(|tensor| {
            let moved = self.updates.moved(tensor.inner(), gradient, place.start);
            tracked(moved, is_autodiff)
        })
    }
}

/// A parameter, tracked by autodiff if the one before it was.
fn tracked<const D: usize>(parameter: Tensor<D>, is_autodiff: bool) -> Tensor<D> {
    match is_autodiff {
        true => parameter.autodiff().require_grad(),
        false => parameter,
    }
}

/// Takes the parameters that are trained, flat, by id.
struct Parameters<'a> {
    optimizer: &'a Optimizer,
    pieces: BTreeMap<u64, Tensor<1>>,
}

impl ModuleVisitor for Parameters<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let id = param.id.val();
        if self.optimizer.places.contains_key(&id) {
            let tensor = param.val().inner();
            let length = tensor.shape().num_elements();
            self.pieces.insert(id, tensor.reshape([length]));
        }
    }
}

/// Puts the average in place of every parameter that is trained.
struct Averaged<'a> {
    optimizer: &'a Optimizer,
    average: &'a Tensor<1>,
}

impl ModuleMapper for Averaged<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(place) = self.optimizer.places.get(&param.id.val()) else {
            return param;
        };
        let average = self.average.clone().slice_dim(0, place.clone());
        param.map(|tensor| average.reshape(tensor.dims()))
    }
}

/// The learning rate of a step: one for all, or one for each network of a stack.
#[derive(Clone, Copy)]
enum LearningRates<'a> {
    One(f64),
    Each(&'a [f64]),
}

impl<'a> LearningRates<'a> {
    /// One rate if all are equal.
    fn of(rates: &'a [f64]) -> Self {
        match rates {
            [first, others @ ..] if others.iter().all(|rate| rate == first) => Self::One(*first),
            _ => Self::Each(rates),
        }
    }

    /// Multiplies by `factor(rate)` of each network's rate; networks lie along the first dimension.
    fn scale<const D: usize>(self, tensor: Tensor<D>, factor: impl Fn(f64) -> f64) -> Tensor<D> {
        match self {
            Self::One(rate) => tensor.mul_scalar(factor(rate)),
            Self::Each(rates) => {
                let factors: Vec<f64> = rates.iter().map(|&rate| factor(rate)).collect();
                let mut shape = [1; D];
                shape[0] = factors.len();
                let factors = TensorData::new(factors, shape);
                let options = (&tensor.device(), tensor.dtype());
                tensor * Tensor::from_data(factors, options)
            }
        }
    }
}

/// Takes the gradients of all parameters, flat, by id.
pub(super) struct Flatten<'a> {
    pub(super) gradients: &'a mut GradientsParams,
    pub(super) penalty: f64,
    pub(super) pieces: BTreeMap<u64, Tensor<1>>,
}

impl ModuleVisitor for Flatten<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            let gradient = with_penalty(gradient, &param.val().inner(), self.penalty);
            let length = gradient.shape().num_elements();
            self.pieces
                .insert(param.id.val(), gradient.reshape([length]));
        }
    }
}

/// Moves every parameter that is trained.
struct Update<'a> {
    optimizer: &'a Optimizer,
    gradients: GradientsParams,
    /// The directions of all parameters end to end, from a rule with buffers.
    directions: Option<Tensor<1>>,
    rates: LearningRates<'a>,
}

impl Update<'_> {
    /// The tensor to subtract from a parameter, and a factor to multiply it by first; none for a parameter that is
    /// not trained.
    fn direction<const D: usize>(
        &mut self,
        id: ParamId,
        param: &Tensor<D>,
    ) -> Option<(Tensor<D>, f64)> {
        match &self.directions {
            Some(all) => {
                let place = self.optimizer.places.get(&id.val())?.clone();
                let direction = all.clone().slice_dim(0, place).reshape(param.dims());
                Some(match self.rates {
                    LearningRates::One(_) => (direction, 1.0),
                    LearningRates::Each(_) => (self.rates.scale(direction, |rate| rate), 1.0),
                })
            }
            None => {
                let gradient = self.gradients.remove::<D>(id)?;
                let gradient = with_penalty(gradient, param, self.optimizer.rule.penalty());
                Some(match self.rates {
                    LearningRates::One(rate) => (gradient, rate),
                    LearningRates::Each(_) => (self.rates.scale(gradient, |rate| rate), 1.0),
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
        let decay = self.optimizer.rule.decoupled_decay();
        param.map(|tensor| {
            let mut tensor = tensor.inner();
            if decay > 0.0 {
                tensor = self.rates.scale(tensor, |rate| 1.0 - rate * decay);
            }
            tracked(subtract(tensor, direction, factor), is_autodiff)
        })
    }
}

/// `g + λ p`: the gradient with that of an L2 penalty added.
fn with_penalty<const D: usize>(gradient: Tensor<D>, param: &Tensor<D>, penalty: f64) -> Tensor<D> {
    if penalty == 0.0 {
        gradient
    } else {
        gradient + param.clone().mul_scalar(penalty)
    }
}

/// `p − factor d`.
fn subtract<const D: usize>(p: Tensor<D>, d: Tensor<D>, factor: f64) -> Tensor<D> {
    if factor == 1.0 {
        return p - d;
    }
    let scale = factor as f32;
    kernels::zip(
        d,
        p,
        #[inline(always)]
        move |d, p| p - d * scale,
        |d, p| p - d.mul_scalar(factor),
    )
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device};
    use emberlab_menu::Menu as _;

    use super::*;
    use crate::clipping::GradientClipping;
    use crate::optimizer::{OptimizerConfig, Sgd, UpdateRule};
    use crate::reference::{Number, table};

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
    fn step(optimizer: &mut Optimizer, module: One, learning_rate: f64) -> One {
        let k = optimizer.num_steps();
        let factor = (k + 1) as f64 * if k.is_multiple_of(2) { 1.0 } else { -1.0 };
        let gradient = [0.3, -0.1, 2.0].map(|g| g * factor);
        step_along(optimizer, module, gradient, None, learning_rate)
    }

    fn step_along(
        optimizer: &mut Optimizer,
        module: One,
        gradient: [f64; 3],
        clipping: Option<GradientClipping>,
        learning_rate: f64,
    ) -> One {
        let mut gradients = GradientsParams::new();
        gradients.register(ParamId::from(0), vector(gradient, &Device::flex()));
        if let Some(clipping) = clipping {
            gradients = clipping.clip_stack(&module, gradients, 1);
        }
        optimizer.step(module, gradients, learning_rate)
    }

    fn assert_near(found: &One, expected: [f64; 3]) {
        for (found, expected) in read(found).into_iter().zip(expected) {
            assert!(
                (found - expected).abs() < 1e-12,
                "{found} is not {expected}"
            );
        }
    }

    #[test]
    fn rules_in_f64_with_autodiff_equal_pytorchs() {
        for row in table().optimizers {
            if row.case != "ordinary" {
                continue;
            }
            row.optimizer.validate().expect("in range");
            let mut module = start();
            let mut optimizer = Optimizer::new(&row.optimizer, &module);
            for (gradient, expected) in row.gradients.iter().zip(&row.after) {
                let gradient = gradient.each_ref().map(Number::value);
                let rate = row.optimizer.learning_rate;
                module = step_along(&mut optimizer, module, gradient, None, rate);
                assert_near(&module, expected.each_ref().map(Number::value));
            }
        }
    }

    /// The end of four steps from `(1, −2, 0.5)`:
    ///
    /// ```python
    /// p = torch.nn.Parameter(torch.tensor([1., -2., .5], dtype=torch.float64)); o = torch.optim.SGD([p], lr=0.1)
    /// for k in range(4):
    ///     p.grad = torch.tensor([.3, -.1, 2.], dtype=torch.float64) * (k + 1) * (-1)**k
    ///     clip([p]); o.step()
    /// ```
    #[test]
    fn clipping_equals_pytorchs() {
        for (clipping, expected) in [
            (
                GradientClipping::Norm(1.0),
                [1.00000000426829, -2.0000000014227632, 0.5000000284552654],
            ),
            (
                GradientClipping::Value(0.5),
                [1.02, -2.0199999999999996, 0.5],
            ),
        ] {
            let mut module = start();
            let mut optimizer = Optimizer::new(&OptimizerConfig::new(Sgd::default(), 0.1), &module);
            for factor in [1.0, -2.0, 3.0, -4.0] {
                let gradient = [0.3, -0.1, 2.0].map(|g| g * factor);
                module = step_along(&mut optimizer, module, gradient, Some(clipping), 0.1);
            }
            assert_near(&module, expected);
        }
    }

    #[test]
    fn a_restored_optimiser_goes_on_to_the_bit() {
        for rule in UpdateRule::examples() {
            let config = OptimizerConfig::new(rule, 0.1);
            let mut module = start();
            let mut optimizer = Optimizer::new(&config, &module);
            module = step(&mut optimizer, module, 0.1);
            let saved = optimizer.to_bytes().expect("bytes");
            let mut restored = Optimizer::new(&config, &module)
                .load_bytes(saved, optimizer.num_steps())
                .expect("its own bytes");
            let on = step(&mut optimizer, module.clone(), 0.1);
            let again = step(&mut restored, module, 0.1);
            assert_eq!(read(&on), read(&again), "{}", config.rule.name());
        }
    }
}
