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

/// The largest number whose squares, summed over many rows, are far from the end of f64.
const MOST_SQUARED: f64 = 1e140;

/// The smallest number whose square has all digits of f64.
const LEAST_SQUARED: f64 = 1e-140;

/// The first feature, and its value, that is no finite 32-bit number when it is standardised; `None` if all are.
pub fn too_large_feature(standardizer: &Standardizer, samples: &Samples) -> Option<(usize, f64)> {
    let width = samples.num_features();
    match &samples.features {
        Features::Bytes(_) => None,
        Features::Floats(values) => too_large(standardizer, values, width),
        Features::Doubles(values) => too_large(standardizer, values, width),
    }
}

/// The first of `width` columns, and its value, that is no finite 32-bit number when it is standardised; `None` if all
/// are.
///
/// # Shapes
/// - values: `[num_rows × width]`, row by row
pub fn too_large<T: Copy + Into<f64>>(
    standardizer: &Standardizer,
    values: &[T],
    width: usize,
) -> Option<(usize, f64)> {
    let mut ranges = vec![(0.0_f64, 0.0_f64); width];
    for row in values.chunks_exact(width.max(1)) {
        for ((least, most), &x) in ranges.iter_mut().zip(row) {
            (*least, *most) = (least.min(x.into()), most.max(x.into()));
        }
    }
    let is_too_large =
        |&(column, value): &(usize, f64)| !standardizer.value(value, column).is_finite();
    let ends = ranges.into_iter().enumerate();
    let mut ends = ends.flat_map(|(column, (least, most))| [(column, least), (column, most)]);
    ends.find(|end| end.1 != 0.0 && is_too_large(end))
}

/// The features that are not scaled although their values in `rows` differ, because the differences are within the
/// rounding errors of 64-bit numbers of that size; each with its smallest and largest value.
pub fn nearly_constant(
    config: &StandardizeConfig,
    standardizer: &Standardizer,
    samples: &Samples,
    rows: &[u32],
) -> Vec<(usize, f64, f64)> {
    let is_scaled = matches!(config.method, Standardize::PerFeature | Standardize::MinMax);
    let Features::Doubles(values) = &samples.features else {
        return Vec::new();
    };
    if !is_scaled || rows.is_empty() {
        return Vec::new();
    }
    let columns = Columns {
        width: samples.num_features(),
        indicators: &samples.indicators,
        rows,
    };
    let mut ranges = vec![(f64::INFINITY, f64::NEG_INFINITY); columns.width];
    for row in columns.rows_of(values) {
        for ((least, most), &x) in ranges.iter_mut().zip(row) {
            (*least, *most) = (least.min(x), most.max(x));
        }
    }
    let ranges = ranges.into_iter().enumerate();
    ranges
        .filter(|&(feature, (least, most))| {
            // A deviation or range of 1 that was computed needs a difference of at least 1.
            let is_unscaled = at(&standardizer.std, feature) == 1.0;
            columns.is_scaled(feature) && is_unscaled && most > least && most - least < 1.0
        })
        .map(|(feature, (least, most))| (feature, least, most))
        .collect()
}

/// The inputs of a network for rows of columns as they are in the data: the derived features, if there are any, and
/// then standardised.
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

    /// The values of each row that counts.
    fn rows_of<'v, T>(&self, values: &'v [T]) -> impl ExactSizeIterator<Item = &'v [T]> {
        let width = self.width;
        let rows = self.rows.iter();
        rows.map(move |&row| &values[row as usize * width..(row as usize + 1) * width])
    }

    /// Computes mean and standard deviation of each feature, or of all. Features whose squares are too large or too small
    /// for f64 are divided by a power of two for that.
    fn mean_and_deviation<T: Copy + Into<f64>>(&self, values: &[T], global: bool) -> Standardizer {
        let plain = self.mean_and_deviation_by(values, global, &vec![1.0; self.width]);
        // What is too large or too small gets the deviation 1, as constant features do.
        let is_usual = |std: &f64| *std != 1.0 && (LEAST_SQUARED..=MOST_SQUARED).contains(std);
        if plain.std.iter().all(is_usual) {
            return plain;
        }
        let largest = self.largest(values);
        let is_extreme = |size: f64| size > MOST_SQUARED || size > 0.0 && size < LEAST_SQUARED;
        if !largest.iter().any(|&size| is_extreme(size)) {
            return plain;
        }
        let most = largest.iter().copied().fold(0.0, f64::max);
        let scale = |size: f64| match (global, is_extreme(size)) {
            (true, _) => power_of_two(most),
            (false, true) => power_of_two(size),
            (false, false) => 1.0,
        };
        let scales: Vec<f64> = largest.into_iter().map(scale).collect();
        self.mean_and_deviation_by(values, global, &scales)
    }

    /// The largest size of a value of each feature.
    fn largest<T: Copy + Into<f64>>(&self, values: &[T]) -> Vec<f64> {
        let mut largest = vec![0.0_f64; self.width];
        for row in self.rows_of(values) {
            for (largest, &x) in largest.iter_mut().zip(row) {
                *largest = largest.max(x.into().abs());
            }
        }
        largest
    }

    /// Computes mean and standard deviation in two passes over the rows, so that memory is read in order. Each feature is
    /// divided by its scale before, and the results are multiplied by it.
    fn mean_and_deviation_by<T: Copy + Into<f64>>(
        &self,
        values: &[T],
        global: bool,
        scales: &[f64],
    ) -> Standardizer {
        let width = self.width;
        let factors: Vec<f64> = scales.iter().map(|scale| scale.recip()).collect();
        let rows = || self.rows_of(values);
        let mut count = rows().len() as f64;
        let mut mean = vec![0.0; width];
        for row in rows() {
            for ((sum, &x), factor) in mean.iter_mut().zip(row).zip(&factors) {
                *sum += x.into() * factor;
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
            let columns = squares.iter_mut().zip(&mean).zip(&factors);
            for (((square, mean), factor), &x) in columns.zip(row) {
                let deviation = x.into() * factor - mean;
                *square += deviation * deviation;
            }
        }
        if global {
            squares = vec![scaled().map(|feature| squares[feature]).sum()];
            mean.truncate(1);
        }
        let deviation = |((square, &mean), scale): ((f64, &f64), &f64)| {
            deviation(square / count, mean, count).map_or(1.0, |deviation| deviation * scale)
        };
        let std = squares.into_iter().zip(&mean).zip(scales);
        let std = std.map(deviation).collect();
        let mean = mean.into_iter().zip(scales);
        let mean = mean.map(|(mean, scale)| mean * scale).collect();
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
            // The bound is scikit-learn's (`_handle_zeros_in_scale`) for numbers near 1; it grows and shrinks with them.
            let is_zero = range.abs() <= 10.0 * f64::EPSILON * (centre.abs() + range.abs());
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

/// The standard deviation; `None` if the variance is within the rounding errors of a constant feature.
///
/// The bound is scikit-learn's (`_is_constant_feature`).
fn deviation(variance: f64, mean: f64, count: f64) -> Option<f64> {
    let rounding = count * f64::EPSILON * variance + (count * mean * f64::EPSILON).powi(2);
    (variance > rounding).then(|| variance.sqrt())
}

/// The largest power of two that is not above a positive number, within the range in which its reciprocal is exact.
fn power_of_two(size: f64) -> f64 {
    match size > 0.0 && size.is_finite() {
        true => size.log2().floor().clamp(-1000.0, 1000.0).exp2(),
        false => 1.0,
    }
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

    /// The same numbers in units that differ by many powers of ten.
    #[test]
    fn numbers_of_any_size_are_scaled_alike() {
        let base: Vec<f64> = (0..40).map(|i| f64::from(i * i % 17) - 3.0).collect();
        let of = |unit: f64, method| {
            let mut samples = Iris::samples();
            samples.input_shape = vec![1];
            samples.features = Features::Doubles(base.iter().map(|x| x * unit).collect());
            let fitted = fit(method, StatisticsFrom::Train, &samples, 40);
            let values = base.iter().map(|x| f64::from(fitted.value(x * unit, 0)));
            values.collect::<Vec<_>>()
        };
        for method in [
            Standardize::PerFeature,
            Standardize::Global,
            Standardize::Robust,
            Standardize::MinMax,
        ] {
            let expected = of(1.0, method);
            for unit in [1e-300, 1e-170, 1e-20, 1e150, 1e160, 1e300] {
                assert_near(&of(unit, method), &expected, 1e-5);
            }
        }
    }

    #[test]
    fn values_beyond_32_bits_and_nearly_constant_columns_are_found() {
        let mut samples = Iris::samples();
        samples.input_shape = vec![2];
        let row = |i: i32| [1e12 + 1e-3 * f64::from(i % 3), f64::from(i) * 1e38];
        samples.features = Features::Doubles((0..75).flat_map(row).collect());
        let rows: Vec<u32> = (0..75).collect();
        let config = StandardizeConfig {
            method: Standardize::PerFeature,
            ..StandardizeConfig::default()
        };
        let fitted = Standardizer::fit(&config, &samples, &rows);
        assert_eq!(too_large_feature(&fitted, &samples), None);
        let identity = Standardizer::identity();
        let found = too_large_feature(&identity, &samples);
        assert_eq!(found.map(|(feature, _)| feature), Some(1));
        let found = nearly_constant(&config, &fitted, &samples, &rows);
        assert_eq!(found.iter().map(|f| f.0).collect::<Vec<_>>(), [0]);
    }

    #[test]
    fn without_a_method_features_are_not_changed() {
        let iris = Iris::samples();
        let fitted = fit(Standardize::None, StatisticsFrom::Train, &iris, 120);
        assert_eq!(fitted, Standardizer::identity());
        assert_eq!(fitted.value(2.5, 3), 2.5);
    }
}
