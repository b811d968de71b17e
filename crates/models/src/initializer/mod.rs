//! How weights start: distributions drawn on the host.

use std::f64::consts::SQRT_2;

use emberlab_rng::StreamRng;
use rand::RngExt;
use rand_distr::StandardNormal;

use crate::ModelError;
use crate::choice::{Choice, Parameter, ParameterValue, wire_choice};

/// Which side of a layer keeps its variance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fan {
    /// The inputs of each unit: activations keep their variance on the way forward.
    In,
    /// The outputs that each input feeds: gradients keep theirs on the way back.
    Out,
}

impl Fan {
    pub(crate) const NAMES: [&'static str; 2] = ["in", "out"];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::In, Self::Out]
            .into_iter()
            .find(|fan| fan.name() == name)
    }
}

/// Inputs of each unit and units that each input feeds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fans {
    pub fan_in: usize,
    pub fan_out: usize,
}

/// How weights or biases start.
///
/// Written as a name, `"kaiming_normal"`, or as a table, `{ name = "kaiming_normal", fan = "out", gain = 1.0 }`.
///
/// # Source
/// The distributions of `torch.nn.init`; `pytorch_default` is that of `torch.nn.Linear` and `Conv2d`.
#[derive(Debug, Clone, PartialEq)]
pub enum Initializer {
    /// All zero.
    Zeros,
    /// All the same.
    Constant {
        /// That number; 0 unless given.
        value: f64,
    },
    /// Normal.
    Normal {
        /// Mean; 0 unless given.
        mean: f64,
        /// Standard deviation, zero or more; 1 unless given.
        std: f64,
    },
    /// Uniform in [min, max).
    Uniform {
        /// Lower end; 0 unless given.
        min: f64,
        /// Upper end, above the lower; 1 unless given.
        max: f64,
    },
    /// Normal, std `gain / sqrt(fan)`: He et al. 2015, eq. 10, <https://arxiv.org/abs/1502.01852>.
    KaimingNormal {
        /// The side that keeps its variance; in unless given.
        fan: Fan,
        /// Positive factor; √2, right for ReLU, unless given.
        gain: f64,
    },
    /// Uniform with that same std.
    KaimingUniform {
        /// The side that keeps its variance; in unless given.
        fan: Fan,
        /// Positive factor; √2, right for ReLU, unless given.
        gain: f64,
    },
    /// Normal, std `gain sqrt(2 / (fan_in + fan_out))`: Glorot and Bengio 2010, eq. 12.
    XavierNormal {
        /// Positive factor; 1 unless given.
        gain: f64,
    },
    /// Uniform with that same std: Glorot and Bengio 2010, eq. 16.
    XavierUniform {
        /// Positive factor; 1 unless given.
        gain: f64,
    },
    /// Uniform in ±1/sqrt(fan_in); biases too, unless they have an initializer of their own.
    PytorchDefault,
    /// Normal, std `2 / fan_out`: a variance with the square that He's does not have.
    FanOutSquared,
    /// A (semi-)orthogonal matrix: Saxe et al. 2013, <https://arxiv.org/abs/1312.6120>.
    Orthogonal {
        /// Positive factor; 1 unless given.
        gain: f64,
    },
}

impl Initializer {
    /// The name it is written by, such as `kaiming_normal`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Zeros => "zeros",
            Self::Constant { .. } => "constant",
            Self::Normal { .. } => "normal",
            Self::Uniform { .. } => "uniform",
            Self::KaimingNormal { .. } => "kaiming_normal",
            Self::KaimingUniform { .. } => "kaiming_uniform",
            Self::XavierNormal { .. } => "xavier_normal",
            Self::XavierUniform { .. } => "xavier_uniform",
            Self::PytorchDefault => "pytorch_default",
            Self::FanOutSquared => "fan_out_squared",
            Self::Orthogonal { .. } => "orthogonal",
        }
    }

    /// Draws the numbers of a tensor, in row-major order.
    ///
    /// # Shapes
    /// - `shape`: `[d_input, d_output]`, `[channels_out, channels_in, height, width]` or `[d_output]`
    ///
    /// `fan_in` counts the inputs of each unit, `fan_out` the units that each input feeds.
    pub fn draw(
        &self,
        shape: &[usize],
        fan_in: usize,
        fan_out: usize,
        rng: &mut StreamRng,
    ) -> Vec<f64> {
        let length = shape.iter().product();
        let (fan_in, fan_out) = (fan_in as f64, fan_out as f64);
        let fan_of = |fan: &Fan| match fan {
            Fan::In => fan_in,
            Fan::Out => fan_out,
        };
        let xavier = |gain: &f64| gain * (2.0 / (fan_in + fan_out)).sqrt();
        match self {
            Self::Zeros => vec![0.0; length],
            Self::Constant { value } => vec![*value; length],
            Self::Normal { mean, std } => normal(length, *mean, *std, rng),
            Self::Uniform { min, max } => uniform(length, *min, *max, rng),
            Self::KaimingNormal { fan, gain } => {
                normal(length, 0.0, gain / fan_of(fan).sqrt(), rng)
            }
            Self::KaimingUniform { fan, gain } => {
                uniform_with_std(length, gain / fan_of(fan).sqrt(), rng)
            }
            Self::XavierNormal { gain } => normal(length, 0.0, xavier(gain), rng),
            Self::XavierUniform { gain } => uniform_with_std(length, xavier(gain), rng),
            Self::PytorchDefault => {
                let bound = 1.0 / fan_in.sqrt();
                uniform(length, -bound, bound, rng)
            }
            Self::FanOutSquared => normal(length, 0.0, 2.0 / fan_out, rng),
            Self::Orthogonal { gain } => {
                let rows = shape.first().copied().unwrap_or(1);
                let mut matrix = orthogonal(rows, length / rows.max(1), rng);
                matrix.iter_mut().for_each(|value| *value *= gain);
                matrix
            }
        }
    }

    /// Checks the parameters; `key` is where the initializer stands in the model's table.
    pub(crate) fn validate(&self, key: &str) -> Result<(), ModelError> {
        let check = |valid: bool, parameter: &str, value: &f64, expected: &str| match valid {
            true => Ok(()),
            false => Err(ModelError::value(
                format!("{key}.{parameter}"),
                value,
                expected,
            )),
        };
        match self {
            Self::Constant { value } => check(value.is_finite(), "value", value, "a finite number"),
            Self::Normal { mean, std } => {
                check(mean.is_finite(), "mean", mean, "a finite number")?;
                check(
                    std.is_finite() && *std >= 0.0,
                    "std",
                    std,
                    "a finite number, zero or more",
                )
            }
            Self::Uniform { min, max } => {
                check(min.is_finite(), "min", min, "a finite number")?;
                check(
                    max.is_finite() && min < max,
                    "max",
                    max,
                    &format!("a finite number above `min` ({min})"),
                )
            }
            Self::KaimingNormal { gain, .. }
            | Self::KaimingUniform { gain, .. }
            | Self::XavierNormal { gain }
            | Self::XavierUniform { gain }
            | Self::Orthogonal { gain } => check(
                gain.is_finite() && *gain > 0.0,
                "gain",
                gain,
                "a finite number above zero",
            ),
            Self::Zeros | Self::PytorchDefault | Self::FanOutSquared => Ok(()),
        }
    }
}

fn normal(length: usize, mean: f64, std: f64, rng: &mut StreamRng) -> Vec<f64> {
    (0..length)
        .map(|_| mean + std * rng.sample::<f64, _>(StandardNormal))
        .collect()
}

fn uniform(length: usize, min: f64, max: f64, rng: &mut StreamRng) -> Vec<f64> {
    (0..length)
        .map(|_| min + (max - min) * rng.random::<f64>())
        .collect()
}

/// Uniform around zero: half the width is √3 standard deviations.
fn uniform_with_std(length: usize, std: f64, rng: &mut StreamRng) -> Vec<f64> {
    let bound = 3_f64.sqrt() * std;
    uniform(length, -bound, bound, rng)
}

/// A random matrix `[rows, columns]` in row-major order whose shorter side's vectors are orthonormal.
///
/// Gram-Schmidt on normal vectors, so the diagonal of R is positive and the result is uniform among such
/// matrices; twice, since once loses orthogonality to rounding.
fn orthogonal(rows: usize, columns: usize, rng: &mut StreamRng) -> Vec<f64> {
    let (count, length) = (rows.min(columns), rows.max(columns));
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(count);
    for _ in 0..count {
        let mut vector = normal(length, 0.0, 1.0, rng);
        for _ in 0..2 {
            for other in &basis {
                let overlap = dot(&vector, other);
                for (value, unit) in vector.iter_mut().zip(other) {
                    *value -= overlap * unit;
                }
            }
        }
        let norm = dot(&vector, &vector).sqrt();
        vector.iter_mut().for_each(|value| *value /= norm);
        basis.push(vector);
    }
    if rows <= columns {
        return basis.concat();
    }
    (0..rows * columns)
        .map(|i| basis[i % columns][i / columns])
        .collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl Choice for Initializer {
    const WHAT: &'static str = "an initializer";

    fn choices() -> Vec<Self> {
        vec![
            Self::Zeros,
            Self::Constant { value: 0.0 },
            Self::Normal {
                mean: 0.0,
                std: 1.0,
            },
            Self::Uniform { min: 0.0, max: 1.0 },
            Self::KaimingNormal {
                fan: Fan::In,
                gain: SQRT_2,
            },
            Self::KaimingUniform {
                fan: Fan::In,
                gain: SQRT_2,
            },
            Self::XavierNormal { gain: 1.0 },
            Self::XavierUniform { gain: 1.0 },
            Self::PytorchDefault,
            Self::FanOutSquared,
            Self::Orthogonal { gain: 1.0 },
        ]
    }

    fn name(&self) -> &'static str {
        self.name()
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        fn number<'a>(key: &'static str, help: &'static str, value: &'a mut f64) -> Parameter<'a> {
            Parameter {
                key,
                help,
                value: ParameterValue::Number(value),
            }
        }
        match self {
            Self::Zeros | Self::PytorchDefault | Self::FanOutSquared => Vec::new(),
            Self::Constant { value } => vec![number("value", "That number.", value)],
            Self::Normal { mean, std } => vec![
                number("mean", "Mean.", mean),
                number("std", "Standard deviation, zero or more.", std),
            ],
            Self::Uniform { min, max } => vec![
                number("min", "Lower end.", min),
                number("max", "Upper end, above the lower.", max),
            ],
            Self::KaimingNormal { fan, gain } | Self::KaimingUniform { fan, gain } => vec![
                Parameter {
                    key: "fan",
                    help: "The side that keeps its variance: `in` forward, `out` backward.",
                    value: ParameterValue::Fan(fan),
                },
                number("gain", "Positive factor; √2 is right for ReLU.", gain),
            ],
            Self::XavierNormal { gain }
            | Self::XavierUniform { gain }
            | Self::Orthogonal { gain } => vec![number("gain", "Positive factor.", gain)],
        }
    }
}

wire_choice!(
    Initializer,
    "How weights start: a name, or a table of a name and parameters."
);

#[cfg(test)]
mod tests {
    use emberlab_rng::stream;

    use super::*;

    fn moments(values: &[f64]) -> (f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        (mean, variance.sqrt())
    }

    fn choice(name: &str) -> Initializer {
        Initializer::choices()
            .into_iter()
            .find(|choice| choice.name() == name)
            .expect("a name from the list")
    }

    #[test]
    fn moments_are_those_of_the_formulas() {
        let (d_input, d_output) = (200, 300);
        // Standard deviations by the formulas of torch.nn.init, python: gain * math.sqrt(2 / (200 + 300)), …
        for (initializer, mean, std) in [
            (choice("normal"), 0.0, 1.0),
            (
                Initializer::Normal {
                    mean: 3.0,
                    std: 0.5,
                },
                3.0,
                0.5,
            ),
            (choice("uniform"), 0.5, 0.288_675),
            (choice("kaiming_normal"), 0.0, 0.1),
            (choice("kaiming_uniform"), 0.0, 0.1),
            (
                Initializer::KaimingNormal {
                    fan: Fan::Out,
                    gain: 1.0,
                },
                0.0,
                0.057_735,
            ),
            (choice("xavier_normal"), 0.0, 0.063_246),
            (choice("xavier_uniform"), 0.0, 0.063_246),
            (choice("pytorch_default"), 0.0, 0.040_825),
            (choice("fan_out_squared"), 0.0, 0.006_667),
            // 200 orthonormal rows of length 300.
            (choice("orthogonal"), 0.0, 0.057_735),
        ] {
            let mut rng = stream(1, "init", &[]);
            let values = initializer.draw(&[d_input, d_output], d_input, d_output, &mut rng);
            assert_eq!(values.len(), d_input * d_output);
            let (got_mean, got_std) = moments(&values);
            assert!(
                (got_mean - mean).abs() < 0.02 * std,
                "{initializer:?}: mean {got_mean}"
            );
            assert!(
                (got_std / std - 1.0).abs() < 0.02,
                "{initializer:?}: std {got_std}"
            );
        }
    }

    #[test]
    fn uniform_draws_keep_their_bounds_and_reach_near_them() {
        let mut rng = stream(1, "init", &[]);
        // pytorch_default: 1 / sqrt(25)
        let values = choice("pytorch_default").draw(&[25, 400], 25, 400, &mut rng);
        let largest = values.iter().fold(0_f64, |max, x| max.max(x.abs()));
        assert!((0.199..=0.2).contains(&largest), "{largest}");
        // kaiming_uniform: sqrt(2) * sqrt(3 / 24)
        let values = choice("kaiming_uniform").draw(&[24, 400], 24, 400, &mut rng);
        let largest = values.iter().fold(0_f64, |max, x| max.max(x.abs()));
        assert!((0.499..=0.5).contains(&largest), "{largest}");
    }

    #[test]
    fn orthogonal_matrices_are_orthogonal() {
        for (rows, columns) in [(6, 6), (5, 40), (40, 5)] {
            let mut rng = stream(1, "init", &[]);
            let gain = 1.5;
            let matrix =
                Initializer::Orthogonal { gain }.draw(&[rows, columns], rows, columns, &mut rng);
            let at = |i: usize, j: usize| match rows <= columns {
                true => matrix[i * columns + j],
                false => matrix[j * columns + i],
            };
            let (count, length) = (rows.min(columns), rows.max(columns));
            for a in 0..count {
                for b in 0..count {
                    let product: f64 = (0..length).map(|k| at(a, k) * at(b, k)).sum();
                    let expected = if a == b { gain * gain } else { 0.0 };
                    assert!(
                        (product - expected).abs() < 1e-12,
                        "{rows}×{columns}: {product}"
                    );
                }
            }
        }
    }

    #[test]
    fn constants_need_no_randomness() {
        let mut rng = stream(1, "init", &[]);
        let before = rng.clone();
        assert_eq!(choice("zeros").draw(&[2, 2], 2, 2, &mut rng), [0.0; 4]);
        assert_eq!(
            Initializer::Constant { value: -2.5 }.draw(&[3], 2, 3, &mut rng),
            [-2.5; 3]
        );
        assert_eq!(rng, before);
    }

    #[test]
    fn impossible_parameters_are_refused_with_their_key() {
        for (initializer, key, value) in [
            (
                Initializer::KaimingNormal {
                    fan: Fan::In,
                    gain: 0.0,
                },
                "initializer.gain",
                "0",
            ),
            (
                Initializer::Orthogonal { gain: f64::NAN },
                "initializer.gain",
                "NaN",
            ),
            (
                Initializer::Normal {
                    mean: 0.0,
                    std: -1.0,
                },
                "initializer.std",
                "-1",
            ),
            (
                Initializer::Uniform { min: 1.0, max: 1.0 },
                "initializer.max",
                "1",
            ),
        ] {
            match initializer.validate("initializer") {
                Err(ModelError::Value {
                    key: got_key,
                    value: got_value,
                    ..
                }) => {
                    assert_eq!((got_key.as_str(), got_value.as_str()), (key, value));
                }
                other => panic!("{initializer:?}: {other:?}"),
            }
        }
        for initializer in Initializer::choices() {
            assert_eq!(initializer.validate("initializer"), Ok(()));
        }
    }
}
