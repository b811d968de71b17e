//! The surfaces to descend: functions of two numbers with known minima, one file for each.

mod beale;
mod cosine_bowl;
mod himmelblau;
mod rastrigin;
mod rosenbrock;

/// Two numbers, such as a point or a gradient.
pub type Pair = [f64; 2];

/// A function of two numbers, with its gradient and its minima.
#[derive(Debug, Clone, Copy)]
pub struct Surface {
    /// Its name, such as `cosine_bowl`.
    pub name: &'static str,
    /// Its shape in a few words.
    pub about: &'static str,
    /// The formula as people write it.
    pub formula: &'static str,
    /// Its value at a point.
    pub value: fn(Pair) -> f64,
    /// Its gradient at a point, written out.
    pub gradient: fn(Pair) -> Pair,
    /// Its minima, the lowest first.
    pub minima: &'static [Pair],
    /// The point where a descent starts by default.
    pub start: Pair,
    /// The part of the plane that is drawn: its range along x and along y.
    pub view: (Pair, Pair),
    /// The default number of steps: enough to tell optimisers apart.
    pub num_steps: usize,
    /// Learning rates that suit it.
    pub learning_rates: LearningRates,
}

/// Learning rates that suit a surface, for each way of taking steps.
#[derive(Debug, Clone, Copy)]
pub struct LearningRates {
    /// For steps along the gradient.
    pub plain: f64,
    /// For steps with momentum.
    pub momentum: f64,
    /// For steps that are scaled by past gradients, as those of Adam.
    pub scaled: f64,
}

/// All surfaces.
pub const SURFACES: [Surface; 5] = [
    cosine_bowl::SURFACE,
    rosenbrock::SURFACE,
    himmelblau::SURFACE,
    rastrigin::SURFACE,
    beale::SURFACE,
];

impl Surface {
    /// The surface with a name.
    pub fn named(name: &str) -> Option<&'static Self> {
        SURFACES.iter().find(|surface| surface.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_equal_central_differences() {
        let h = 6e-6;
        for surface in &SURFACES {
            for at in [surface.start, [0.3, -0.7], [-1.1, 0.4]] {
                let [x, y] = at;
                let found = (surface.gradient)(at);
                let expected = [
                    ((surface.value)([x + h, y]) - (surface.value)([x - h, y])) / (2.0 * h),
                    ((surface.value)([x, y + h]) - (surface.value)([x, y - h])) / (2.0 * h),
                ];
                for (a, b) in found.iter().zip(expected) {
                    assert!(
                        (a - b).abs() < 1e-7 * b.abs().max(1.0),
                        "{}: {a}, {b}",
                        surface.name
                    );
                }
            }
        }
    }

    #[test]
    fn minima_are_flat_and_the_first_is_the_lowest() {
        for surface in &SURFACES {
            let minima = surface.minima;
            for at in minima {
                for slope in (surface.gradient)(*at) {
                    assert!(slope.abs() < 1e-10, "{}: {slope}", surface.name);
                }
                assert!((surface.value)(minima[0]) <= (surface.value)(*at) + 1e-12);
            }
        }
        // The values of the cosine bowl at its three minima, computed with 60 digits (mpmath).
        let bowl = Surface::named("cosine_bowl").expect("a surface");
        let values = bowl.minima.iter().map(|at| (bowl.value)(*at));
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
