//! `(x² + y − 11)² + (x + y² − 7)²`: four equal minima. Himmelblau 1972.

use super::{LearningRates, Pair, Surface};

pub(super) const SURFACE: Surface = Surface {
    name: "himmelblau",
    about: "four equal minima",
    formula: "(x² + y − 11)² + (x + y² − 7)²",
    value,
    gradient,
    minima: &[
        [3.0, 2.0],
        [-2.805_118_086_952_745, 3.131_312_518_250_573],
        [-3.779_310_253_377_747, -3.283_185_991_286_17],
        [3.584_428_340_330_492, -1.848_126_526_964_404],
    ],
    start: [-0.5, -0.5],
    view: ([-5.0, 5.0], [-5.0, 5.0]),
    num_steps: 50,
    learning_rates: LearningRates {
        plain: 0.01,
        momentum: 0.003,
        scaled: 0.1,
    },
};

fn value([x, y]: Pair) -> f64 {
    (x * x + y - 11.0).powi(2) + (x + y * y - 7.0).powi(2)
}

fn gradient([x, y]: Pair) -> Pair {
    let (a, b) = (x * x + y - 11.0, x + y * y - 7.0);
    [4.0 * x * a + 2.0 * b, 2.0 * a + 4.0 * y * b]
}
