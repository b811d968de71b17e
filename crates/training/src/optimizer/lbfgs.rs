//! L-BFGS.

use burn::tensor::Tensor;
use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Rule;
use crate::metric_accumulator::host;

/// L-BFGS: each step searches along several directions, which follow from the last gradients, for small data that are
/// one batch. `torch.optim.LBFGS` with `line_search_fn="strong_wolfe"`.
///
/// A step evaluates loss and gradient many times. It needs `training.batch_size = "full"` and a loss that changes with
/// the weights alone. The learning rate is the first length that a search tries; 1 is usual.
///
/// # Source
/// Nocedal and Wright 2006, algorithms 7.4, 7.5, 3.5 and 3.6; the limits are PyTorch's, but for `history_size`, which
/// is 100 there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Lbfgs {
    /// The most directions of a step; from 1 to 1000.
    pub max_iterations: usize,
    /// The number of last moves that a direction follows from; from 1 to 1000.
    pub history_size: usize,
    /// A step ends where no gradient is larger than this.
    pub tolerance_gradient: f64,
    /// A step ends where the loss, or every parameter, changes by no more than this.
    pub tolerance_change: f64,
}

impl Default for Lbfgs {
    fn default() -> Self {
        Self {
            max_iterations: 20,
            history_size: 10,
            tolerance_gradient: 1e-7,
            tolerance_change: 1e-9,
        }
    }
}

/// A move says nothing about the curvature unless its product with the change of the gradient is above this.
const LEAST_CURVATURE: f64 = 1e-10;

impl Rule for Lbfgs {
    /// The last gradient, the last move, then the changes of gradients and the moves that they belong to.
    fn num_buffers(&self) -> usize {
        2 + 2 * self.history_size
    }

    /// One direction without a search, as PyTorch's with `max_iter=1` and no line search.
    fn direction(
        &self,
        gradient: Tensor<1>,
        buffers: Vec<Tensor<1>>,
        learning_rate: f64,
        _step: u64,
    ) -> (Tensor<1>, Vec<Tensor<1>>) {
        let none = gradient.zeros_like();
        if largest(&gradient) <= self.tolerance_gradient {
            return (none, buffers);
        }
        let mut memory = Memory::of(buffers);
        let length = memory.length(&gradient, learning_rate);
        let direction = memory.direction(&gradient);
        let is_flat = dot(&gradient, &direction) > -self.tolerance_change;
        memory.moved = direction.mul_scalar(length);
        let difference = match is_flat {
            true => none,
            false => memory.moved.clone().neg(),
        };
        (difference, memory.into_buffers())
    }

    fn penalty(&self) -> f64 {
        0.0
    }

    fn line_search(&self) -> Option<&Lbfgs> {
        Some(self)
    }

    fn validate(&self) -> Result<(), Problem> {
        check_count("max_iterations", self.max_iterations)?;
        check_count("history_size", self.history_size)?;
        Problem::unless_not_negative(self.tolerance_gradient, "tolerance_gradient")?;
        Problem::unless_not_negative(self.tolerance_change, "tolerance_change")
    }
}

/// The largest setting that counts directions or moves. Each move takes memory for all parameters twice.
const MOST: usize = 1000;

fn check_count(key: &str, count: usize) -> Result<(), Problem> {
    Problem::unless(
        (1..=MOST).contains(&count),
        key,
        count,
        format!("a number from 1 to {MOST}"),
    )
}

/// The buffers that the next direction follows from, by their names. All of them are zero before the first move.
pub(super) struct Memory {
    /// The gradient before the last move.
    gradient: Tensor<1>,
    /// The last move, or the one that was not worth making, as in PyTorch.
    pub(super) moved: Tensor<1>,
    /// The change of the gradient along each move, the oldest first.
    changes: Vec<Tensor<1>>,
    moves: Vec<Tensor<1>>,
}

impl Memory {
    pub(super) fn of(mut buffers: Vec<Tensor<1>>) -> Self {
        let mut changes = buffers.split_off(2);
        let moves = changes.split_off(changes.len() / 2);
        let [gradient, moved] = super::exactly(buffers);
        Self {
            gradient,
            moved,
            changes,
            moves,
        }
    }

    pub(super) fn into_buffers(self) -> Vec<Tensor<1>> {
        let mut buffers = vec![self.gradient, self.moved];
        buffers.extend(self.changes);
        buffers.extend(self.moves);
        buffers
    }

    /// The factor of the next direction at which a search begins. It is smaller at the first move, whose direction has
    /// the length of the gradient.
    pub(super) fn length(&self, gradient: &Tensor<1>, learning_rate: f64) -> f64 {
        let is_first = largest(&self.gradient) == 0.0;
        let sum = || number(gradient.clone().abs().sum());
        if is_first {
            (1.0 / sum()).min(1.0) * learning_rate
        } else {
            learning_rate
        }
    }

    /// Adds the last move to the memory, if it says something about the curvature, and gives the direction at a
    /// gradient.
    pub(super) fn direction(&mut self, gradient: &Tensor<1>) -> Tensor<1> {
        let change = gradient.clone() - self.gradient.clone();
        if dot(&change, &self.moved) > LEAST_CURVATURE {
            for (all, new) in [
                (&mut self.changes, change),
                (&mut self.moves, self.moved.clone()),
            ] {
                all.remove(0);
                all.push(new);
            }
        }
        self.gradient = gradient.clone();
        let pairs = self.changes.iter().zip(&self.moves);
        // Pairs of zeros stand for moves that have not been made yet.
        let pairs: Vec<(&Tensor<1>, &Tensor<1>, f64)> = pairs
            .map(|(change, moved)| (change, moved, dot(change, moved)))
            .filter(|(_, _, curvature)| *curvature > 0.0)
            .collect();
        let mut direction = gradient.clone().neg();
        let mut shares = Vec::with_capacity(pairs.len());
        for (change, moved, curvature) in pairs.iter().rev() {
            let share = dot(moved, &direction) / curvature;
            direction = direction - (*change).clone().mul_scalar(share);
            shares.push(share);
        }
        if let Some((change, _, curvature)) = pairs.last() {
            direction = direction.mul_scalar(curvature / dot(change, change));
        }
        for ((change, moved, curvature), share) in pairs.iter().zip(shares.into_iter().rev()) {
            let along = dot(change, &direction) / curvature;
            direction = direction + (*moved).clone().mul_scalar(share - along);
        }
        direction
    }
}

/// The scalar product.
pub(super) fn dot(a: &Tensor<1>, b: &Tensor<1>) -> f64 {
    number((a.clone() * b.clone()).sum())
}

/// The largest absolute value.
pub(super) fn largest(tensor: &Tensor<1>) -> f64 {
    number(tensor.clone().abs().max())
}

/// The number of a tensor with one. It is NaN if the device fails, which the next read of results reports.
pub(super) fn number(tensor: Tensor<1>) -> f64 {
    let numbers = host(tensor).unwrap_or_default();
    numbers.first().copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device, TensorData};

    use super::*;

    fn vector(values: &[f64]) -> Tensor<1> {
        let data = TensorData::new(values.to_vec(), [values.len()]);
        Tensor::from_data(data, (&Device::flex(), DType::F64))
    }

    #[test]
    fn on_a_quadratic_the_last_direction_is_newtons() {
        // f = (x² + 4 y²) / 2: two moves along its axes show all of its curvature.
        let zero = || vector(&[0.0, 0.0]);
        let mut memory = Memory {
            gradient: zero(),
            moved: zero(),
            changes: vec![vector(&[1.0, 0.0]), vector(&[0.0, 4.0])],
            moves: vec![vector(&[1.0, 0.0]), vector(&[0.0, 1.0])],
        };
        let direction = memory.direction(&vector(&[3.0, 8.0]));
        let found = host(direction).expect("numbers");
        assert!((found[0] + 3.0).abs() < 1e-12 && (found[1] + 2.0).abs() < 1e-12);
    }
}
