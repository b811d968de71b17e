//! Landscapes to descend: functions of two numbers with known minima.

use std::f64::consts::TAU;

/// A function of two numbers with its gradient and its minima.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// `x² + y² + x (y + 2) + cos 3x`: a bowl with waves, three minima and two saddles.
    CosineBowl,
    /// `(1 − x)² + 100 (y − x²)²`: a bent valley, easy to reach and slow to follow. Rosenbrock 1960.
    Rosenbrock,
    /// `(x² + y − 11)² + (x + y² − 7)²`: four equal minima. Himmelblau 1972.
    Himmelblau,
    /// `20 + x² + y² − 10 (cos 2πx + cos 2πy)`: minima everywhere, one of them the lowest. Rastrigin 1974.
    Rastrigin,
    /// `(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²`: flat, with steep walls. Beale 1958.
    Beale,
}

/// Two numbers, such as a point or a gradient.
pub type Pair = [f64; 2];

impl Surface {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::CosineBowl,
        Self::Rosenbrock,
        Self::Himmelblau,
        Self::Rastrigin,
        Self::Beale,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::CosineBowl => "cosine_bowl",
            Self::Rosenbrock => "rosenbrock",
            Self::Himmelblau => "himmelblau",
            Self::Rastrigin => "rastrigin",
            Self::Beale => "beale",
        }
    }

    /// The function as a person writes it.
    pub fn formula(self) -> &'static str {
        match self {
            Self::CosineBowl => "x² + y² + x(y + 2) + cos 3x",
            Self::Rosenbrock => "(1 − x)² + 100(y − x²)²",
            Self::Himmelblau => "(x² + y − 11)² + (x + y² − 7)²",
            Self::Rastrigin => "20 + x² + y² − 10(cos 2πx + cos 2πy)",
            Self::Beale => "(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²",
        }
    }

    /// Its value.
    pub fn value(self, [x, y]: Pair) -> f64 {
        match self {
            Self::CosineBowl => x * x + y * y + x * (y + 2.0) + (3.0 * x).cos(),
            Self::Rosenbrock => (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2),
            Self::Himmelblau => (x * x + y - 11.0).powi(2) + (x + y * y - 7.0).powi(2),
            Self::Rastrigin => 20.0 + x * x + y * y - 10.0 * ((TAU * x).cos() + (TAU * y).cos()),
            Self::Beale => beale_terms(x, y).iter().map(|(term, _)| term * term).sum(),
        }
    }

    /// Its gradient, written out.
    pub fn gradient(self, [x, y]: Pair) -> Pair {
        match self {
            Self::CosineBowl => [2.0 * x - 3.0 * (3.0 * x).sin() + y + 2.0, x + 2.0 * y],
            Self::Rosenbrock => {
                let off = y - x * x;
                [-2.0 * (1.0 - x) - 400.0 * x * off, 200.0 * off]
            }
            Self::Himmelblau => {
                let (a, b) = (x * x + y - 11.0, x + y * y - 7.0);
                [4.0 * x * a + 2.0 * b, 2.0 * a + 4.0 * y * b]
            }
            Self::Rastrigin => [x, y].map(|z| 2.0 * z + 10.0 * TAU * (TAU * z).sin()),
            Self::Beale => beale_terms(x, y)
                .iter()
                .fold([0.0, 0.0], |[dx, dy], (term, [a, b])| {
                    [dx + 2.0 * term * a, dy + 2.0 * term * b]
                }),
        }
    }

    /// Where its minima are, the lowest first.
    pub fn minima(self) -> &'static [Pair] {
        match self {
            // Roots of the gradient with 60 digits (mpmath), as the experiments give them.
            Self::CosineBowl => &[
                [-1.088_162_409_839_51, 0.544_081_204_919_755],
                [-2.853_721_942_622_28, 1.426_860_971_311_14],
                [0.605_946_337_162_321, -0.302_973_168_581_161],
            ],
            Self::Rosenbrock => &[[1.0, 1.0]],
            Self::Himmelblau => &[
                [3.0, 2.0],
                [-2.805_118_086_952_745, 3.131_312_518_250_573],
                [-3.779_310_253_377_747, -3.283_185_991_286_17],
                [3.584_428_340_330_492, -1.848_126_526_964_404],
            ],
            Self::Rastrigin => &[[0.0, 0.0]],
            Self::Beale => &[[3.0, 0.5]],
        }
    }

    /// Where a descent starts unless told otherwise.
    pub fn start(self) -> Pair {
        match self {
            Self::CosineBowl => [3.0, 2.0],
            Self::Rosenbrock => [-1.5, 2.0],
            Self::Himmelblau => [-0.5, -0.5],
            Self::Rastrigin => [3.3, -2.4],
            Self::Beale => [1.0, 1.5],
        }
    }

    /// The part of the plane that is shown: from and to, along x and along y.
    pub fn view(self) -> (Pair, Pair) {
        match self {
            Self::CosineBowl => ([-4.0, 3.5], [-3.0, 3.0]),
            Self::Rosenbrock => ([-2.0, 2.0], [-1.0, 3.0]),
            Self::Himmelblau => ([-5.0, 5.0], [-5.0, 5.0]),
            Self::Rastrigin => ([-4.2, 4.2], [-4.2, 4.2]),
            Self::Beale => ([-1.0, 4.5], [-2.0, 2.0]),
        }
    }

    /// Steps after which there is something to see of all optimisers.
    pub fn num_steps(self) -> usize {
        match self {
            Self::CosineBowl | Self::Himmelblau | Self::Rastrigin => 50,
            Self::Rosenbrock => 1000,
            Self::Beale => 200,
        }
    }

    /// Learning rates that suit it: of plain gradients, of momentum, and of steps scaled by past gradients.
    pub fn learning_rates(self) -> [f64; 3] {
        match self {
            Self::CosineBowl => [0.1, 0.03, 0.2],
            Self::Rosenbrock => [0.001, 0.0003, 0.05],
            Self::Himmelblau => [0.01, 0.003, 0.1],
            Self::Rastrigin => [0.002, 0.001, 0.1],
            Self::Beale => [0.005, 0.001, 0.05],
        }
    }
}

/// The three terms that Beale's function squares, each with its gradient.
fn beale_terms(x: f64, y: f64) -> [(f64, Pair); 3] {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_equal_central_differences() {
        let h = 6e-6;
        for surface in Surface::ALL {
            for at in [surface.start(), [0.3, -0.7], [-1.1, 0.4]] {
                let [x, y] = at;
                let found = surface.gradient(at);
                let expected = [
                    (surface.value([x + h, y]) - surface.value([x - h, y])) / (2.0 * h),
                    (surface.value([x, y + h]) - surface.value([x, y - h])) / (2.0 * h),
                ];
                for (a, b) in found.iter().zip(expected) {
                    assert!(
                        (a - b).abs() < 1e-7 * b.abs().max(1.0),
                        "{}: {a}, {b}",
                        surface.name()
                    );
                }
            }
        }
    }

    #[test]
    fn minima_are_flat_and_the_first_is_the_lowest() {
        for surface in Surface::ALL {
            let minima = surface.minima();
            for at in minima {
                for slope in surface.gradient(*at) {
                    assert!(slope.abs() < 1e-10, "{}: {slope}", surface.name());
                }
                assert!(surface.value(minima[0]) <= surface.value(*at) + 1e-12);
            }
        }
        let values = Surface::CosineBowl
            .minima()
            .iter()
            .map(|at| Surface::CosineBowl.value(*at));
        // experiments: the values at the three minima
        let expected = [
            -2.280_709_708_147_053,
            -0.249_342_980_616_442,
            1.242_733_394_931_91,
        ];
        for (a, b) in values.zip(expected) {
            assert!((a - b).abs() < 1e-13, "{a} is not {b}");
        }
    }
}
