//! `regression`: noisy functions of one number.

use std::f64::consts::TAU;
use std::path::PathBuf;

use emberlab_menu::Problem;
use emberlab_rng::stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DataSource, Origin};
use crate::error::DatasetError;
use crate::generation::{check_deviation, check_num_samples};
use crate::random;
use crate::samples::{Features, Samples, Targets, names};

/// A noisy function of one number: `y = f(x) + noise`, with `x` uniform in `[-1, 1)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Regression {
    /// The function to learn (default "sine").
    pub function: RegressionFunction,
    /// Number of samples, from 2 (default 1000).
    pub num_samples: usize,
    /// Standard deviation of the normal noise on the target, from 0 (default 0.1).
    pub noise: f64,
    /// Seed of the data (default: the run's seed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

impl Default for Regression {
    fn default() -> Self {
        Self {
            function: RegressionFunction::Sine,
            num_samples: 1000,
            noise: 0.1,
            seed: None,
        }
    }
}

/// A function from `[-1, 1]` to the real numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RegressionFunction {
    /// `x`
    Linear,
    /// `sin(2πx)`: two periods
    Sine,
    /// `4x³ − 3x`, the third Chebyshev polynomial
    Polynomial,
    /// `|x|`
    Absolute,
    /// 0 for negative `x`, else 1
    Step,
}

impl RegressionFunction {
    /// The function's value, without noise.
    pub fn value(self, x: f64) -> f64 {
        match self {
            Self::Linear => x,
            Self::Sine => (TAU * x).sin(),
            Self::Polynomial => (4.0 * x * x - 3.0) * x,
            Self::Absolute => x.abs(),
            Self::Step => f64::from(x >= 0.0),
        }
    }
}

impl DataSource for Regression {
    fn origin(&self) -> Origin {
        Origin::Generated
    }

    fn validate(&self) -> Result<(), Problem> {
        check_num_samples(self.num_samples, 2)?;
        check_deviation("noise", self.noise)
    }

    /// Draws the samples: features `[num_samples, 1]`, one number as target.
    fn load(&self, _: &[PathBuf], seed: u64) -> Result<Samples, DatasetError> {
        let rng = &mut stream(self.seed.unwrap_or(seed), "regression", &[]);
        let (inputs, values) = (0..self.num_samples)
            .map(|_| {
                let x = 2.0 * random::uniform(rng) - 1.0;
                let y = self.function.value(x) + self.noise * random::normal(rng);
                (x as f32, f64::from(y as f32))
            })
            .unzip();
        let values: Vec<f64> = values;
        let (features, targets) = (Features::Floats(inputs), Targets::numbers(values));
        Ok(Samples::of_features(features, targets, names(&["x"])))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn residuals(noise: f64, function: RegressionFunction) -> Vec<f64> {
        let config = Regression {
            function,
            noise,
            ..Regression::default()
        };
        let samples = config.load(&[], 0).unwrap();
        let Targets::Values { values, .. } = &samples.targets else {
            panic!("regression has numbers as targets");
        };
        let residual = |(i, &y): (usize, &f64)| y - function.value(samples.row(i)[0]);
        values.iter().enumerate().map(residual).collect()
    }

    #[test]
    fn without_noise_targets_are_the_function() {
        for function in [
            RegressionFunction::Linear,
            RegressionFunction::Sine,
            RegressionFunction::Polynomial,
            RegressionFunction::Absolute,
            RegressionFunction::Step,
        ] {
            let largest = residuals(0.0, function)
                .into_iter()
                .fold(0.0, |a, r| r.abs().max(a));
            assert!(largest < 1e-6, "{function:?}: {largest}");
        }
    }

    #[test]
    fn noise_has_the_given_deviation() {
        let residuals = residuals(0.3, RegressionFunction::Sine);
        let var = residuals.iter().map(|r| r * r).sum::<f64>() / residuals.len() as f64;
        // 1000 draws: the standard deviation is known to 0.3 / sqrt(2000) = 0.0067.
        assert!((var.sqrt() - 0.3).abs() < 0.03, "{}", var.sqrt());
    }
}
