//! Standardised features and targets: mean 0 and standard deviation 1, or another common scale.

use emberlab_tables::DerivedFeatures;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::samples::{Features, Samples, Targets};

/// How features and targets are standardised, and from which rows the statistics are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StandardizeConfig {
    /// How features are scaled (default "none").
    pub method: Standardize,
    /// The rows from which the statistics are computed (default "train").
    pub statistics: StatisticsFrom,
    /// Whether the targets of a regression are standardised with their own mean and standard deviation (default
    /// false). Metrics and predictions are in the units of the data all the same; the loss is not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub targets: bool,
}

impl Default for StandardizeConfig {
    fn default() -> Self {
        Self {
            method: Standardize::None,
            statistics: StatisticsFrom::Train,
            targets: false,
        }
    }
}

/// How features are scaled. Features that are 0 or 1 by construction, such as one-hot columns, keep their values.
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
    /// Each feature has its own median, which becomes 0, and its own range between the quartiles, which becomes 1.
    /// Outliers do not count. It equals scikit-learn's `RobustScaler`.
    Robust,
    /// The smallest value of each feature becomes 0, the largest 1. It equals scikit-learn's `MinMaxScaler`.
    MinMax,
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
/// feature. The robust method has median and interquartile range in their places, and the min-max method the smallest
/// value and the range.
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
        let columns = Columns {
            width: samples.num_features(),
            indicators: &samples.indicators,
            rows,
        };
        match &samples.features {
            Features::Bytes(values) => columns.fit(values, config.method),
            Features::Floats(values) => columns.fit(values, config.method),
            Features::Doubles(values) => columns.fit(values, config.method),
        }
    }

    /// Mean and standard deviation of each target of a regression in the training rows; 0 and 1 where targets are not
    /// standardised. `None` if the targets are classes.
    pub fn fit_targets(
        config: &StandardizeConfig,
        targets: &Targets,
        train_rows: &[u32],
    ) -> Option<Self> {
        let Targets::Values { values, names } = targets else {
            return None;
        };
        let width = names.len();
        if !config.targets || train_rows.is_empty() {
            return Some(Self {
                mean: vec![0.0; width],
                std: vec![1.0; width],
            });
        }
        let columns = Columns {
            width,
            indicators: &[],
            rows: train_rows,
        };
        Some(columns.mean_and_deviation(values, false))
    }

    /// The raw value of a standardised one.
    pub fn raw(&self, standardized: f64, feature: usize) -> f64 {
        standardized * at(&self.std, feature) + at(&self.mean, feature)
    }

    /// Whether values stay as they are.
    pub fn is_identity(&self) -> bool {
        self.mean.iter().all(|&mean| mean == 0.0) && self.std.iter().all(|&std| std == 1.0)
    }

    /// The standardised value of one feature, computed in f64 and rounded once.
    pub fn value(&self, raw: f64, feature: usize) -> f32 {
        ((raw - at(&self.mean, feature)) / at(&self.std, feature)) as f32
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

/// The inputs of a network for rows of columns as they are in the data: the derived features, if there are any, and
/// then standardised.
/// are any, standardised.
///
/// # Shapes
/// - rows: `[num_rows × num_columns]`, row by row
/// - result: `[num_rows × num_features]`, row by row
pub fn network_inputs(
    rows: &[f64],
    num_columns: usize,
    derived: Option<&DerivedFeatures>,
    standardizer: &Standardizer,
) -> Vec<f32> {
    let computed;
    let (features, width) = match derived {
        Some(derived) => {
            computed = derived.compute(rows);
            (computed.as_slice(), derived.num_features())
        }
        None => (rows, num_columns),
    };
    let features = features.iter().enumerate();
    features
        .map(|(i, &raw)| standardizer.value(raw, i % width))
        .collect()
}

/// The number of a feature, where there may be one number for all.
fn at(numbers: &[f64], feature: usize) -> f64 {
    match numbers {
        [one] => *one,
        each => each[feature],
    }
}

/// The columns of features, of which some rows count.
struct Columns<'a> {
    width: usize,
    /// Columns that keep their values; empty if there are none.
    indicators: &'a [bool],
    rows: &'a [u32],
}

impl Columns<'_> {
    fn fit<T: Copy + Into<f64>>(&self, values: &[T], method: Standardize) -> Standardizer {
        let mut fitted = match method {
            Standardize::None => Standardizer::identity(),
            Standardize::PerFeature => self.mean_and_deviation(values, false),
            Standardize::Global => self.mean_and_deviation(values, true),
            Standardize::Centered => Standardizer {
                mean: self.mean_and_deviation(values, false).mean,
                std: self.mean_and_deviation(values, true).std,
            },
            Standardize::Robust => self.of_sorted(values, |sorted| {
                (
                    quantile(sorted, 0.5),
                    quantile(sorted, 0.75) - quantile(sorted, 0.25),
                )
            }),
            Standardize::MinMax => self.of_sorted(values, |sorted| {
                let [first, .., last] = sorted else {
                    return (sorted[0], 0.0);
                };
                (*first, last - first)
            }),
        };
        if self.indicators.contains(&true) {
            let (mean, std) = fitted.per_feature(self.width);
            fitted = Standardizer { mean, std };
            let kept = self.indicators.iter().enumerate().filter(|(_, is)| **is);
            for (feature, _) in kept {
                (fitted.mean[feature], fitted.std[feature]) = (0.0, 1.0);
            }
        }
        fitted
    }

    fn is_scaled(&self, feature: usize) -> bool {
        !self.indicators.get(feature).is_some_and(|&is| is)
    }

    /// Computes mean and standard deviation in two passes over the rows, so that memory is read in order.
    fn mean_and_deviation<T: Copy + Into<f64>>(&self, values: &[T], global: bool) -> Standardizer {
        let width = self.width;
        let rows = || {
            let rows = self.rows.iter();
            rows.map(|&row| &values[row as usize * width..(row as usize + 1) * width])
        };
        let mut count = rows().len() as f64;
        let mut mean = vec![0.0; width];
        for row in rows() {
            for (sum, &x) in mean.iter_mut().zip(row) {
                *sum += x.into();
            }
        }
        let scaled = || (0..width).filter(|&feature| self.is_scaled(feature));
        if global {
            count *= scaled().count().max(1) as f64;
            let total: f64 = scaled().map(|feature| mean[feature]).sum();
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
            squares = vec![scaled().map(|feature| squares[feature]).sum()];
            mean.truncate(1);
        }
        let deviation =
            |(square, &mean): (f64, &f64)| deviation_or_one(square / count, mean, count);
        let std = squares.into_iter().zip(&mean).map(deviation).collect();
        Standardizer { mean, std }
    }

    /// Centre and range of each feature, from its sorted values; a range that is zero within rounding becomes 1.
    fn of_sorted<T: Copy + Into<f64>>(
        &self,
        values: &[T],
        centre_and_range: impl Fn(&[f64]) -> (f64, f64),
    ) -> Standardizer {
        let of = |feature: usize| {
            let rows = self.rows.iter();
            let column = rows.map(|&row| values[row as usize * self.width + feature].into());
            let mut sorted: Vec<f64> = column.collect();
            sorted.sort_by(f64::total_cmp);
            let (centre, range) = centre_and_range(&sorted);
            // The bound is scikit-learn's (`_handle_zeros_in_scale`).
            let is_zero = range.abs() < 10.0 * f64::EPSILON;
            (centre, if is_zero { 1.0 } else { range })
        };
        let (mean, std) = (0..self.width).map(of).unzip();
        Standardizer { mean, std }
    }
}

/// A quantile of sorted numbers, at least one of them, interpolated between neighbours as `numpy.quantile` does.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let below = sorted[place.floor() as usize];
    let above = sorted[place.ceil() as usize];
    let weight = place.fract();
    // NumPy's `_lerp` counts from the nearer end.
    match weight < 0.5 {
        true => below + (above - below) * weight,
        false => above - (above - below) * (1.0 - weight),
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
        let config = StandardizeConfig {
            method,
            statistics,
            targets: false,
        };
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
