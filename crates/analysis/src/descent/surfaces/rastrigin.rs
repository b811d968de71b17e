//! `20 + x² + y² − 10 (cos 2πx + cos 2πy)`: minima everywhere, one of them the lowest. Rastrigin 1974.

use std::f64::consts::TAU;

use super::{LearningRates, Pair, Surface};

pub(super) const SURFACE: Surface = Surface {
    name: "rastrigin",
    about: "minima everywhere, one of them the lowest",
    formula: "20 + x² + y² − 10(cos 2πx + cos 2πy)",
    value,
    gradient,
    minima: &[[0.0, 0.0]],
    start: [3.3, -2.4],
    view: ([-4.2, 4.2], [-4.2, 4.2]),
    num_steps: 50,
    learning_rates: LearningRates {
        plain: 0.002,
        momentum: 0.001,
        scaled: 0.1,
    },
};

fn value([x, y]: Pair) -> f64 {
    20.0 + x * x + y * y - 10.0 * ((TAU * x).cos() + (TAU * y).cos())
}

fn gradient([x, y]: Pair) -> Pair {
    [x, y].map(|z| 2.0 * z + 10.0 * TAU * (TAU * z).sin())
}
