//! `(1 − x)² + 100 (y − x²)²`: a bent valley, easy to reach and slow to follow. Rosenbrock 1960.

use super::{LearningRates, Pair, Surface};

pub(super) const SURFACE: Surface = Surface {
    name: "rosenbrock",
    about: "a bent valley, easy to reach and slow to follow",
    formula: "(1 − x)² + 100(y − x²)²",
    value,
    gradient,
    minima: &[[1.0, 1.0]],
    start: [-1.5, 2.0],
    view: ([-2.0, 2.0], [-1.0, 3.0]),
    num_steps: 1000,
    learning_rates: LearningRates {
        plain: 0.001,
        momentum: 0.0003,
        scaled: 0.05,
    },
};

fn value([x, y]: Pair) -> f64 {
    (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2)
}

fn gradient([x, y]: Pair) -> Pair {
    let off = y - x * x;
    [-2.0 * (1.0 - x) - 400.0 * x * off, 200.0 * off]
}
