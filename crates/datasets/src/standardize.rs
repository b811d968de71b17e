//! Standardised features: mean 0 and standard deviation 1.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::samples::{Features, Samples};

/// How features are standardised, and from which rows the statistics are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StandardizeConfig {
    /// Which features share a mean and a standard deviation (default "none").
    pub method: Standardize,
    /// The rows from which mean and standard deviation are computed (default "train").
    pub statistics: StatisticsFrom,
}

impl Default for StandardizeConfig {
    fn default() -> Self {
        Self {
            method: Standardize::None,
            statistics: StatisticsFrom::Train,
        }
    }
}

/// Which features share a mean and a standard deviation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standardize {
    /// Features are not changed.
    None,
    /// Each feature has its own mean and standard deviation.
    PerFeature,
    /// All features have the same mean and standard deviation.
    Global,
    /// Each feature has its own mean, and all have the same standard deviation (around the mean of all): pixels
    /// that are almost always dark stay small.
    Centered,
}

/// The rows from which the statistics are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatisticsFrom {
    /// The training split only.
    Train,
    /// All rows. This is a leak: training then uses information from the other splits.
    All,
}

/// Fitted statistics: `(x − mean) / std`.
///
/// # Shapes
/// - mean, std: `[num_features]` each, or `[1]` if all features have the same
///
/// # Source
/// Per feature it equals scikit-learn's `StandardScaler`: the population standard deviation, or 1 for a constant
/// feature.
#[derive(Debug, Clone, PartialEq)]
pub struct Standardizer {
    /// The mean, which is subtracted.
    pub mean: Vec<f64>,
    /// The standard deviation, which is divided by.
    pub std: Vec<f64>,
}

impl Standardizer {
    /// A standardiser that does not change features.
    pub fn identity() -> Self {
        Self {
            mean: vec![0.0],
            std: vec![1.0],
        }
    }

    /// Computes the statistics in f64 from the rows that `config` chooses.
    pub fn fit(config: &StandardizeConfig, samples: &Samples, train_rows: &[u32]) -> Self {
        let all_rows: Vec<u32>;
        let rows = match config.statistics {
            StatisticsFrom::Train => train_rows,
            StatisticsFrom::All => {
                all_rows = (0..samples.len() as u32).collect();
                &all_rows
            }
        };
        if config.method == Standardize::None || rows.is_empty() {
            return Self::identity();
        }
        let width = samples.num_features();
        let of = |global: bool| match &samples.features {
            Features::Bytes(values) => Self::of(values, width, rows, global),
            Features::Floats(values) => Self::of(values, width, rows, global),
        };
        match config.method {
            Standardize::Centered => Self {
                mean: of(false).mean,
                std: of(true).std,
            },
            method => of(method == Standardize::Global),
        }
    }

    /// Computes mean and standard deviation in two passes over the rows, so that memory is read in order.
    fn of<T: Copy + Into<f64>>(values: &[T], width: usize, rows: &[u32], global: bool) -> Self {
        let rows = || {
            rows.iter()
                .map(|&row| &values[row as usize * width..(row as usize + 1) * width])
        };
        let mut count = rows().len() as f64;
        let mut mean = vec![0.0; width];
        for row in rows() {
            for (sum, &x) in mean.iter_mut().zip(row) {
                *sum += x.into();
            }
        }
        if global {
            count *= width as f64;
            let total: f64 = mean.iter().sum();
            mean = vec![total; width];
        }
        for sum in &mut mean {
            *sum /= count;
        }

        let mut squares = vec![0.0; width];
        for row in rows() {
            for ((square, mean), &x) in squares.iter_mut().zip(&mean).zip(row) {
                let deviation = x.into() - mean;
                *square += deviation * deviation;
            }
        }
        if global {
            squares = vec![squares.iter().sum()];
            mean.truncate(1);
        }
        let deviation =
            |(square, &mean): (f64, &f64)| deviation_or_one(square / count, mean, count);
        let std = squares.into_iter().zip(&mean).map(deviation).collect();
        Self { mean, std }
    }

    /// The standardised value of one feature, computed in f64 and rounded once.
    pub fn value(&self, raw: f64, feature: usize) -> f32 {
        let at = |numbers: &[f64]| match numbers {
            [one] => *one,
            each => each[feature],
        };
        ((raw - at(&self.mean)) / at(&self.std)) as f32
    }

    /// Mean and standard deviation of each of `width` features.
    pub(crate) fn per_feature(&self, width: usize) -> (Vec<f64>, Vec<f64>) {
        let spread = |numbers: &[f64]| match numbers {
            [one] => vec![*one; width],
            each => each.to_vec(),
        };
        (spread(&self.mean), spread(&self.std))
    }
}

/// The standard deviation, or 1 if the variance is within the rounding errors of a constant feature.
///
/// The bound is scikit-learn's (`_is_constant_feature`).
fn deviation_or_one(variance: f64, mean: f64, count: f64) -> f64 {
    let rounding = count * f64::EPSILON * variance + (count * mean * f64::EPSILON).powi(2);
    if variance <= rounding {
        return 1.0;
    }
    variance.sqrt()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::sources::{DataSource as _, Digits, Iris};

    fn fit(
        method: Standardize,
        statistics: StatisticsFrom,
        samples: &Samples,
        rows: u32,
    ) -> Standardizer {
        let config = StandardizeConfig { method, statistics };
        Standardizer::fit(&config, samples, &(0..rows).collect::<Vec<_>>())
    }

    fn assert_near(found: &[f64], expected: &[f64], tolerance: f64) {
        let near = |(a, b): (&f64, &f64)| (a - b).abs() < tolerance;
        assert_eq!(found.len(), expected.len());
        assert!(
            found.iter().zip(expected).all(near),
            "{found:?} {expected:?}"
        );
    }

    #[test]
    fn centered_takes_the_mean_of_each_feature_and_the_deviation_of_all() {
        let digits = Digits::default().load(&[], 0).unwrap();
        let of = |method| fit(method, StatisticsFrom::Train, &digits, 500);
        let centered = of(Standardize::Centered);
        assert_eq!(centered.mean, of(Standardize::PerFeature).mean);
        assert_eq!(centered.std, of(Standardize::Global).std);
        let expected = (7.0 - centered.mean[20]) / centered.std[0];
        assert_eq!(centered.value(7.0, 20), expected as f32);
    }

    #[test]
    fn per_feature_statistics_equal_scikit_learn() {
        let digits = Digits::default().load(&[], 0).unwrap();
        let fitted = fit(
            Standardize::PerFeature,
            StatisticsFrom::Train,
            &digits,
            1797,
        );
        // StandardScaler().fit(load_digits().data): mean_[[0, 1, 20, 36]], scale_[[0, 1, 20, 36]]; pixel 0
        // is always 0
        let chosen = |numbers: &[f64]| [0, 1, 20, 36].map(|j| numbers[j]);
        assert_near(
            &chosen(&fitted.mean),
            &[
                0.0,
                0.3038397328881469,
                7.09794101279911,
                10.301613800779077,
            ],
            1e-12,
        );
        assert_near(
            &chosen(&fitted.std),
            &[
                1.0,
                0.9069396416225765,
                6.174009933121506,
                5.931839018869814,
            ],
            1e-12,
        );
    }

    #[test]
    fn global_statistics_equal_numpy() {
        let digits = Digits::default().load(&[], 0).unwrap();
        let fitted = fit(Standardize::Global, StatisticsFrom::Train, &digits, 1797);
        // load_digits().data.mean(), .std()
        assert_near(&fitted.mean, &[4.884164579855314], 1e-12);
        assert_near(&fitted.std, &[6.016787548672236], 1e-12);
    }

    #[test]
    fn training_statistics_use_training_rows_only() {
        let iris = Iris::samples();
        let train = fit(Standardize::PerFeature, StatisticsFrom::Train, &iris, 120);
        // x = np.loadtxt(<linfa-datasets' iris.csv.gz>, delimiter=",", skiprows=1)[:120, :4]; x.mean(0), x.std(0)
        assert_near(&train.mean, &[5.6525, 3.065, 3.3275, 0.995], 1e-6);
        assert_near(
            &train.std,
            &[0.76756786, 0.46343824, 1.69690711, 0.70496454],
            1e-6,
        );
        let all = fit(Standardize::PerFeature, StatisticsFrom::All, &iris, 120);
        assert_eq!(
            all,
            fit(Standardize::PerFeature, StatisticsFrom::Train, &iris, 150)
        );
        assert_ne!(all, train);
    }

    #[test]
    fn a_constant_feature_has_deviation_one_in_spite_of_rounding() {
        let mut samples = Iris::samples();
        samples.features = Features::Floats(vec![0.1; 600]);
        let fitted = fit(
            Standardize::PerFeature,
            StatisticsFrom::Train,
            &samples,
            150,
        );
        assert_eq!(fitted.std, [1.0; 4]);
        assert!(fitted.value(f64::from(0.1f32), 3).abs() < 1e-12);
    }

    #[test]
    fn without_a_method_features_are_not_changed() {
        let iris = Iris::samples();
        let fitted = fit(Standardize::None, StatisticsFrom::Train, &iris, 120);
        assert_eq!(fitted, Standardizer::identity());
        assert_eq!(fitted.value(2.5, 3), 2.5);
    }
}
