//! How weights start: distributions drawn on the host.
//!
//! Each distribution has a file of its own. To add one, write its file and add its row to the table below.

mod constant;
mod fan_out_squared;
mod kaiming_normal;
mod kaiming_uniform;
mod normal;
mod orthogonal;
mod pytorch_default;
mod random;
mod uniform;
mod xavier_normal;
mod xavier_uniform;
mod zeros;

use emberlab_menu::{Problem, menu};
use emberlab_rng::StreamRng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use constant::Constant;
pub use fan_out_squared::FanOutSquared;
pub use kaiming_normal::KaimingNormal;
pub use kaiming_uniform::KaimingUniform;
pub use normal::Normal;
pub use orthogonal::Orthogonal;
pub use pytorch_default::PytorchDefault;
pub use uniform::Uniform;
pub use xavier_normal::XavierNormal;
pub use xavier_uniform::XavierUniform;
pub use zeros::Zeros;

menu! {
    /// How weights start: a name, or a table of a name and parameters.
    pub enum Initializer("an initialiser"), written as a name or a table, dispatched by with_initializer!($) {
        "zeros" => Zeros(Zeros),
        "constant" => Constant(Constant),
        "normal" => Normal(Normal),
        "uniform" => Uniform(Uniform),
        "kaiming_normal" => KaimingNormal(KaimingNormal),
        "kaiming_uniform" => KaimingUniform(KaimingUniform),
        "xavier_normal" => XavierNormal(XavierNormal),
        "xavier_uniform" => XavierUniform(XavierUniform),
        "pytorch_default" => PytorchDefault(PytorchDefault),
        "fan_out_squared" => FanOutSquared(FanOutSquared),
        "orthogonal" => Orthogonal(Orthogonal),
    }
}

/// A distribution that weights are drawn from.
trait Distribution {
    /// Checks the parameters. `key` is the initialiser's key in the model's table.
    fn validate(&self, _key: &str) -> Result<(), Problem> {
        Ok(())
    }

    /// Whether biases are drawn by the initialiser of the weights, unless they have one of their own.
    fn is_for_biases_too(&self) -> bool {
        false
    }

    /// Whether it can draw a bias, which is a vector.
    fn can_draw_vectors(&self) -> bool {
        true
    }

    /// See [`Initializer::draw`].
    fn draw(&self, shape: &[usize], fans: Fans, rng: &mut StreamRng) -> Vec<f64>;
}

impl Initializer {
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
        let fans = Fans { fan_in, fan_out };
        with_initializer!(self, initializer => initializer.draw(shape, fans, rng))
    }

    /// Checks the parameters. `key` is the initialiser's key in the model's table.
    pub(crate) fn validate(&self, key: &str) -> Result<(), Problem> {
        with_initializer!(self, initializer => initializer.validate(key))
    }

    /// Whether biases are drawn by the initialiser of the weights, unless they have one of their own.
    pub(crate) fn is_for_biases_too(&self) -> bool {
        with_initializer!(self, initializer => initializer.is_for_biases_too())
    }

    /// Whether it can draw a bias, which is a vector.
    pub(crate) fn can_draw_vectors(&self) -> bool {
        with_initializer!(self, initializer => initializer.can_draw_vectors())
    }
}

/// The side of a layer that keeps its variance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fan {
    /// The inputs of each unit: activations keep their variance in the forward pass.
    #[default]
    In,
    /// The outputs that each input feeds: gradients keep their variance in the backward pass.
    Out,
}

/// Inputs of each unit and units that each input feeds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fans {
    pub fan_in: usize,
    pub fan_out: usize,
}

impl Fans {
    /// The standard deviation of He et al. 2015: `gain / sqrt(fan)`.
    fn kaiming_std(self, fan: Fan, gain: f64) -> f64 {
        let count = match fan {
            Fan::In => self.fan_in,
            Fan::Out => self.fan_out,
        };
        gain / (count as f64).sqrt()
    }

    /// The standard deviation of Glorot and Bengio 2010: `gain sqrt(2 / (fan_in + fan_out))`.
    fn xavier_std(self, gain: f64) -> f64 {
        gain * (2.0 / (self.fan_in as f64 + self.fan_out as f64)).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use emberlab_menu::Menu as _;
    use emberlab_rng::stream;

    use super::*;

    fn moments(values: &[f64]) -> (f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        (mean, variance.sqrt())
    }

    /// The default of an entry.
    fn default<T: Default + Into<Initializer>>() -> Initializer {
        T::default().into()
    }

    #[test]
    fn moments_are_those_of_the_formulas() {
        let (d_input, d_output) = (200, 300);
        // Standard deviations by the formulas of torch.nn.init, python: gain * math.sqrt(2 / (200 + 300)), …
        for (initializer, mean, std) in [
            (default::<Normal>(), 0.0, 1.0),
            (
                Normal {
                    mean: 3.0,
                    std: 0.5,
                }
                .into(),
                3.0,
                0.5,
            ),
            (default::<Uniform>(), 0.5, 0.288_675),
            (default::<KaimingNormal>(), 0.0, 0.1),
            (default::<KaimingUniform>(), 0.0, 0.1),
            (
                KaimingNormal {
                    fan: Fan::Out,
                    gain: 1.0,
                }
                .into(),
                0.0,
                0.057_735,
            ),
            (default::<XavierNormal>(), 0.0, 0.063_246),
            (default::<XavierUniform>(), 0.0, 0.063_246),
            (default::<PytorchDefault>(), 0.0, 0.040_825),
            (default::<FanOutSquared>(), 0.0, 0.006_667),
            // 200 orthonormal rows of length 300.
            (default::<Orthogonal>(), 0.0, 0.057_735),
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
        let values = default::<PytorchDefault>().draw(&[25, 400], 25, 400, &mut rng);
        let largest = values.iter().fold(0_f64, |max, x| max.max(x.abs()));
        assert!((0.199..=0.2).contains(&largest), "{largest}");
        // kaiming_uniform: sqrt(2) * sqrt(3 / 24)
        let values = default::<KaimingUniform>().draw(&[24, 400], 24, 400, &mut rng);
        let largest = values.iter().fold(0_f64, |max, x| max.max(x.abs()));
        assert!((0.499..=0.5).contains(&largest), "{largest}");
    }

    #[test]
    fn orthogonal_matrices_are_orthogonal() {
        for (rows, columns) in [(6, 6), (5, 40), (40, 5)] {
            let mut rng = stream(1, "init", &[]);
            let gain = 1.5;
            let matrix = Initializer::from(Orthogonal { gain }).draw(
                &[rows, columns],
                rows,
                columns,
                &mut rng,
            );
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
    fn the_fan_is_read_by_its_name() {
        let read = |toml: &str| toml::from_str::<KaimingNormal>(toml);
        assert_eq!(read("fan = 'out'").map(|it| it.fan), Ok(Fan::Out));
        assert_eq!(read("gain = 2").map(|it| it.fan), Ok(Fan::In));
        let error = read("fan = 'on'").expect_err("no such fan");
        assert_eq!(
            error.message(),
            "unknown variant `on`, expected `in` or `out`"
        );
    }

    #[test]
    fn constants_need_no_randomness() {
        let mut rng = stream(1, "init", &[]);
        let before = rng.clone();
        assert_eq!(default::<Zeros>().draw(&[2, 2], 2, 2, &mut rng), [0.0; 4]);
        assert_eq!(
            Initializer::from(Constant { value: -2.5 }).draw(&[3], 2, 3, &mut rng),
            [-2.5; 3]
        );
        assert_eq!(rng, before);
    }

    #[test]
    fn impossible_parameters_are_refused_with_their_key() {
        for (initializer, key, value) in [
            (
                Initializer::from(KaimingNormal {
                    fan: Fan::In,
                    gain: 0.0,
                }),
                "initializer.gain",
                "0",
            ),
            (
                Orthogonal { gain: f64::NAN }.into(),
                "initializer.gain",
                "NaN",
            ),
            (
                Normal {
                    mean: 0.0,
                    std: -1.0,
                }
                .into(),
                "initializer.std",
                "-1",
            ),
            (
                Uniform { min: 1.0, max: 1.0 }.into(),
                "initializer.max",
                "1",
            ),
        ] {
            let problem = initializer.validate("initializer").expect_err(key);
            assert_eq!((problem.key.as_str(), problem.value.as_str()), (key, value));
        }
        for initializer in Initializer::examples() {
            assert_eq!(initializer.validate("initializer"), Ok(()));
        }
    }
}
