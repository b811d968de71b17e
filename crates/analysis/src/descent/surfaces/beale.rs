//! `(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²`: flat, with steep walls. Beale 1958.

use super::{LearningRates, Pair, Surface};

pub(super) const SURFACE: Surface = Surface {
    name: "beale",
    about: "flat, with steep walls",
    formula: "(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²",
    value,
    gradient,
    minima: &[[3.0, 0.5]],
    start: [1.0, 1.5],
    view: ([-1.0, 4.5], [-2.0, 2.0]),
    num_steps: 200,
    learning_rates: LearningRates {
        plain: 0.005,
        momentum: 0.001,
        scaled: 0.05,
    },
};

fn value([x, y]: Pair) -> f64 {
    terms(x, y).iter().map(|(term, _)| term * term).sum()
}

fn gradient([x, y]: Pair) -> Pair {
    terms(x, y)
        .iter()
        .fold([0.0, 0.0], |[dx, dy], (term, [a, b])| {
            [dx + 2.0 * term * a, dy + 2.0 * term * b]
        })
}

/// The three terms that are squared, each with its gradient.
fn terms(x: f64, y: f64) -> [(f64, Pair); 3] {
    [(1.5, 1), (2.25, 2), (2.625, 3)].map(|(offset, power)| {
        let term = offset - x + x * y.powi(power);
        (
            term,
            [
                y.powi(power) - 1.0,
                f64::from(power) * x * y.powi(power - 1),
            ],
        )
    })
}
