//! One step of an optimiser that searches along lines: it evaluates the loss many times.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::Optimizer;
use super::lbfgs::{Lbfgs, Memory, dot, largest};
use super::line_search::{Point, strong_wolfe};
use super::update::Flatten;

/// The loss of a module and the gradients of its parameters.
pub(crate) type Evaluated = (f64, GradientsParams);

impl Optimizer {
    /// Whether a step evaluates the loss again, so that it has to be the same loss each time.
    pub fn searches(&self) -> bool {
        self.rule.searches()
    }

    /// How a step searches along lines, if it [does](Self::searches).
    pub(crate) fn line_search(&self) -> Option<Lbfgs> {
        self.rule.line_search().cloned()
    }

    /// Moves the parameters of `module`, whose loss and gradients are `begun`, by one step of a rule that searches
    /// along lines.
    pub(crate) fn search<M: Module>(
        &mut self,
        rule: &Lbfgs,
        mut module: M,
        begun: Evaluated,
        learning_rate: f64,
        mut evaluate: impl FnMut(&M) -> Evaluated,
    ) -> M {
        self.step += 1;
        let num_buffers = self.rule.num_buffers();
        let mut buffers = std::mem::take(&mut self.buffers);
        let average = buffers.split_off(num_buffers);
        let mut memory = Memory::of(buffers);
        let (mut loss, mut gradient) = (begun.0, flat(&module, begun.1));
        // Points that may be evaluated, as in PyTorch.
        let most = rule.max_iterations * 5 / 4;
        let mut count = 1;
        for _ in 0..rule.max_iterations {
            if largest(&gradient) <= rule.tolerance_gradient {
                break;
            }
            let length = memory.length(&gradient, learning_rate);
            let direction = memory.direction(&gradient);
            let slope = dot(&gradient, &direction);
            if slope.is_nan() || slope > -rule.tolerance_change {
                memory.moved = direction.mul_scalar(length);
                break;
            }
            let start = Point {
                at: 0.0,
                loss,
                gradient,
                slope,
            };
            let (size, tolerance) = (largest(&direction), rule.tolerance_change);
            let (found, num_points) =
                strong_wolfe(&start, length, size, tolerance, most - count, |at| {
                    let moved = self.moved_along(&module, &direction, at);
                    let (loss, gradients) = evaluate(&moved);
                    let gradient = flat(&moved, gradients);
                    Point {
                        at,
                        loss,
                        slope: dot(&gradient, &direction),
                        gradient,
                    }
                });
            module = self.moved_along(&module, &direction, found.at);
            memory.moved = direction.mul_scalar(found.at);
            (loss, gradient) = (found.loss, found.gradient);
            count += num_points;
            let is_still =
                largest(&memory.moved) <= tolerance || (loss - start.loss).abs() < tolerance;
            if count >= most || is_still {
                break;
            }
        }
        self.buffers = memory.into_buffers();
        self.buffers.extend(average);
        module
    }

    /// The module with its parameters moved by a multiple of a direction.
    fn moved_along<M: Module>(&self, module: &M, direction: &Tensor<1>, at: f64) -> M {
        module.clone().map(&mut Along {
            optimizer: self,
            moved: direction.clone().mul_scalar(at),
        })
    }
}

/// The gradients of all parameters end to end.
fn flat<M: Module>(module: &M, mut gradients: GradientsParams) -> Tensor<1> {
    let mut flat = Flatten {
        gradients: &mut gradients,
        penalty: 0.0,
        pieces: BTreeMap::new(),
    };
    module.visit(&mut flat);
    Tensor::cat(flat.pieces.into_values().collect(), 0)
}

/// Adds to every trained parameter its part of a move.
struct Along<'a> {
    optimizer: &'a Optimizer,
    moved: Tensor<1>,
}

impl ModuleMapper for Along<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(place) = self.optimizer.places.get(&param.id.val()) else {
            return param;
        };
        let is_autodiff = param.is_autodiff();
        let moved = self.moved.clone().slice_dim(0, place.clone());
        param.map(|tensor| {
            let tensor = tensor.inner();
            let shape = tensor.dims();
            let tensor = tensor + moved.reshape(shape);
            match is_autodiff {
                true => tensor.autodiff().require_grad(),
                false => tensor,
            }
        })
    }
}
