//! `x² + y² + x (y + 2) + cos 3x`: a bowl with waves.

use super::{LearningRates, Pair, Surface};

pub(super) const SURFACE: Surface = Surface {
    name: "cosine_bowl",
    about: "a bowl with waves: three minima and two saddles",
    formula: "x² + y² + x(y + 2) + cos 3x",
    value,
    gradient,
    minima: &[
        // Roots of the gradient, computed with 60 digits (mpmath).
        [-1.088_162_409_839_51, 0.544_081_204_919_755],
        [-2.853_721_942_622_28, 1.426_860_971_311_14],
        [0.605_946_337_162_321, -0.302_973_168_581_161],
    ],
    start: [3.0, 2.0],
    view: ([-4.0, 3.5], [-3.0, 3.0]),
    num_steps: 50,
    learning_rates: LearningRates {
        plain: 0.1,
        momentum: 0.03,
        scaled: 0.2,
    },
};

fn value([x, y]: Pair) -> f64 {
    x * x + y * y + x * (y + 2.0) + (3.0 * x).cos()
}

fn gradient([x, y]: Pair) -> Pair {
    [2.0 * x - 3.0 * (3.0 * x).sin() + y + 2.0, x + 2.0 * y]
}
