//! Rows for training, validation and testing.

use emberlab_rng::{StreamRng, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::draws;
use crate::error::{DatasetError, require};
use crate::samples::Samples;

/// How the rows are cut into a training, a validation and a test split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SplitConfig {
    /// How rows are chosen (default "random").
    pub method: SplitMethod,
    /// Rows to train on: a whole number of rows, or a fraction from 0.0 to 1.0 (default: those that `valid`
    /// and `test` leave, 0.7). `1.0` is the whole set, `1` a single row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train: Option<Amount>,
    /// Rows to validate on, likewise; 0 for none (default 0.3).
    pub valid: Amount,
    /// Rows to test on, likewise; 0 for none (default 0).
    pub test: Amount,
    /// Cross-validation: one of several equal parts of the rows that `test` leaves is validated on, the
    /// others are trained on. Takes the place of `train` and `valid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<Fold>,
}

/// One part of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fold {
    /// Which part, counted from 0.
    pub index: usize,
    /// Number of parts; at least 2.
    pub of: usize,
}

impl Default for SplitConfig {
    fn default() -> Self {
        Self {
            method: SplitMethod::Random,
            train: None,
            valid: Amount::Fraction(0.3),
            test: Amount::Rows(0),
            fold: None,
        }
    }
}

/// How rows are chosen for the splits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SplitMethod {
    /// Each row is equally likely to be in a split.
    Random,
    /// Each split has the classes in the proportions of the whole set, as scikit-learn's `stratify`.
    Stratified,
    /// The first rows to train on, the next to validate on, the next to test on.
    Sequential,
}

/// A number of rows, or a share of them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "a whole number of rows, or a fraction from 0.0 to 1.0"
)]
pub enum Amount {
    /// That many rows.
    Rows(usize),
    /// That share of all rows, from 0.0 to 1.0.
    Fraction(f64),
}

impl Amount {
    fn check(self, key: &'static str) -> Result<(), DatasetError> {
        match self {
            Self::Rows(_) => Ok(()),
            Self::Fraction(share) => require(
                (0.0..=1.0).contains(&share),
                key,
                share,
                "a whole number of rows, or a fraction from 0.0 to 1.0",
            ),
        }
    }

    /// The number of rows, not yet rounded.
    fn of(self, rows: usize) -> f64 {
        match self {
            Self::Rows(count) => count as f64,
            Self::Fraction(share) => share * rows as f64,
        }
    }
}

/// Row indices of each split; no row is in two of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Splits {
    /// Rows to train on, at least one.
    pub train: Vec<u32>,
    /// Rows to validate on.
    pub valid: Vec<u32>,
    /// Rows to test on.
    pub test: Vec<u32>,
}

/// Classes that a split has no row of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingClasses {
    /// `"train"`, `"valid"` or `"test"`.
    pub split: &'static str,
    /// Names of the classes.
    pub classes: Vec<String>,
}

/// Rounding errors of a fraction of the rows are far smaller, and no fraction meant is.
const TOLERANCE: f64 = 1e-6;

impl SplitConfig {
    /// Checks every value that can be checked without the samples.
    ///
    /// # Errors
    /// [`DatasetError::Value`] names the first key outside its range.
    pub fn validate(&self) -> Result<(), DatasetError> {
        if let Some(train) = self.train {
            train.check("train")?;
        }
        self.valid.check("valid")?;
        self.test.check("test")?;
        if let Some(Fold { index, of }) = self.fold {
            require(of >= 2, "fold.of", of, "at least 2")?;
            require(
                index < of,
                "fold.index",
                index,
                format!("less than `of`, {of}"),
            )?;
            require(
                self.train.is_none(),
                "fold",
                "given",
                "left out when `train` is given: only one of them can decide",
            )?;
        }
        let fractions = [self.train.unwrap_or(Amount::Rows(0)), self.valid, self.test]
            .into_iter()
            .filter(|amount| matches!(amount, Amount::Fraction(_)));
        let sum: f64 = fractions.map(|amount| amount.of(1)).sum();
        require(
            sum <= 1.0 + TOLERANCE,
            "train + valid + test",
            sum,
            "fractions of at most 1.0 together",
        )
    }

    /// Cuts the rows.
    ///
    /// `seed` draws the rows of the random methods. Sizes are rounded as by scikit-learn's
    /// `train_test_split`: validation and test up, training down.
    ///
    /// # Errors
    /// [`DatasetError::Value`] names the key if the splits need more rows than there are, if no row is left
    /// to train on, or if a stratified split has no class or fewer rows than classes.
    pub fn split(&self, samples: &Samples, seed: u64) -> Result<Splits, DatasetError> {
        let counts = match self.fold {
            None => self.counts(samples.len())?,
            Some(_) => {
                let pooled = Self {
                    valid: Amount::Rows(0),
                    ..self.clone()
                };
                pooled.counts(samples.len())?
            }
        };
        let rng = &mut stream(seed, "split", &[]);
        let [train, valid, test] = match self.method {
            SplitMethod::Sequential => consecutive((0..samples.len() as u32).collect(), counts),
            SplitMethod::Random => consecutive(draws::permutation(samples.len(), rng), counts),
            SplitMethod::Stratified => stratified(samples, counts, rng)?,
        };
        let splits = Splits { train, valid, test };
        match self.fold {
            None => Ok(splits),
            Some(fold) => self.folded(splits, samples, fold),
        }
    }

    /// Moves one part of the rows to train on to those to validate on.
    fn folded(
        &self,
        splits: Splits,
        samples: &Samples,
        Fold { index, of }: Fold,
    ) -> Result<Splits, DatasetError> {
        let mut pool = splits.train;
        let size = pool.len();
        require(
            of <= size,
            "fold.of",
            of,
            format!("at most the {size} rows there are"),
        )?;
        if let (SplitMethod::Stratified, Some(labels)) = (self.method, samples.labels()) {
            pool.sort_by_key(|&row| labels[row as usize]);
        }
        let is_valid = |place: usize| match self.method {
            SplitMethod::Sequential => place * of / size == index,
            SplitMethod::Random | SplitMethod::Stratified => place % of == index,
        };
        let (mut train, mut valid) = (Vec::new(), Vec::new());
        for (place, row) in pool.into_iter().enumerate() {
            if is_valid(place) {
                valid.push(row);
            } else {
                train.push(row);
            }
        }
        Ok(Splits {
            train,
            valid,
            test: splits.test,
        })
    }

    /// Rows of each split.
    fn counts(&self, rows: usize) -> Result<[usize; 3], DatasetError> {
        self.validate()?;
        let up = |amount: f64| (amount - TOLERANCE).ceil() as usize;
        let down = |amount: f64| (amount + TOLERANCE).floor() as usize;
        let held_out = self.valid.of(rows) + self.test.of(rows);
        let wanted = held_out + self.train.map_or(0.0, |train| train.of(rows));
        require(
            wanted <= rows as f64 + TOLERANCE,
            "train + valid + test",
            format!("{wanted} rows"),
            format!("at most the {rows} rows there are"),
        )?;
        let test = up(self.test.of(rows));
        // Rounding the sum keeps both together within the rows that training leaves.
        let valid = up(held_out) - test;
        let train = self
            .train
            .map_or(rows - valid - test, |train| down(train.of(rows)));
        require(train > 0, "train", "0 rows", "at least one row to train on")?;
        Ok([train, valid, test])
    }
}

/// Cuts rows from the front.
fn consecutive(rows: Vec<u32>, counts: [usize; 3]) -> [Vec<u32>; 3] {
    let mut rows = rows.into_iter();
    counts.map(|count| rows.by_ref().take(count).collect())
}

/// Draws each split in turn from what is left of each class, as scikit-learn's `StratifiedShuffleSplit`.
fn stratified(
    samples: &Samples,
    counts: [usize; 3],
    rng: &mut StreamRng,
) -> Result<[Vec<u32>; 3], DatasetError> {
    let refuse = |value: &str, expected: String| DatasetError::Value {
        key: "method",
        value: value.to_owned(),
        expected,
    };
    let (Some(labels), Some(num_classes)) = (samples.labels(), samples.num_classes()) else {
        let expected = "\"random\" or \"sequential\", since the targets are not classes";
        return Err(refuse("stratified", expected.to_owned()));
    };
    if let Some(&short) = counts.iter().find(|&&n| n > 0 && n < num_classes) {
        let expected =
            format!("at least {num_classes} rows, one per class, in each split, not {short}");
        return Err(refuse("stratified", expected));
    }
    let mut classes = vec![Vec::new(); num_classes];
    for row in draws::permutation(labels.len(), rng) {
        classes[labels[row as usize] as usize].push(row);
    }
    Ok(counts.map(|count| {
        let sizes: Vec<usize> = classes.iter().map(Vec::len).collect();
        let shares = proportional(&sizes, count, rng);
        let mut rows: Vec<u32> = classes
            .iter_mut()
            .zip(shares)
            .flat_map(|(class, share)| class.drain(..share))
            .collect();
        draws::shuffle(&mut rows, rng);
        rows
    }))
}

/// `count` shared out in proportion to `sizes`: rounded down, the rest to the largest remainders, ties at
/// random.
fn proportional(sizes: &[usize], count: usize, rng: &mut StreamRng) -> Vec<usize> {
    let total = sizes.iter().sum::<usize>().max(1);
    let mut shares: Vec<usize> = sizes.iter().map(|size| size * count / total).collect();
    let left = count - shares.iter().sum::<usize>();
    let mut order = draws::permutation(sizes.len(), rng);
    order.sort_by_key(|&class| std::cmp::Reverse(sizes[class as usize] * count % total));
    for &class in order.iter().take(left) {
        shares[class as usize] += 1;
    }
    shares
}

impl Splits {
    /// The splits that have rows, but none of some class; empty for regression.
    pub fn missing_classes(&self, samples: &Samples) -> Vec<MissingClasses> {
        let (Some(labels), Some(names)) = (samples.labels(), samples.class_names()) else {
            return Vec::new();
        };
        [
            ("train", &self.train),
            ("valid", &self.valid),
            ("test", &self.test),
        ]
        .into_iter()
        .filter(|(_, rows)| !rows.is_empty())
        .filter_map(|(split, rows)| {
            let mut present = vec![false; names.len()];
            for &row in rows {
                present[labels[row as usize] as usize] = true;
            }
            let absent = names.iter().zip(present).filter(|(_, present)| !present);
            let classes: Vec<String> = absent.map(|(name, _)| name.clone()).collect();
            (!classes.is_empty()).then_some(MissingClasses { split, classes })
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::samples::{Features, Targets, numbered_classes};

    /// One sample per label, its row number as its only feature.
    fn labelled(labels: Vec<u32>) -> Samples {
        Samples {
            features: Features::Floats((0..labels.len()).map(|i| i as f32).collect()),
            input_shape: vec![1],
            feature_names: vec!["row".to_owned()],
            targets: Targets::Classes {
                names: numbered_classes(labels.iter().max().map_or(0, |&top| top as usize + 1)),
                labels,
            },
        }
    }

    fn of_sizes(sizes: &[usize]) -> Samples {
        let classes = sizes.iter().enumerate();
        labelled(
            classes
                .flat_map(|(k, &size)| vec![k as u32; size])
                .collect(),
        )
    }

    fn config(method: SplitMethod, amounts: [Amount; 3]) -> SplitConfig {
        SplitConfig {
            method,
            train: Some(amounts[0]),
            valid: amounts[1],
            test: amounts[2],
            fold: None,
        }
    }

    fn class_counts(samples: &Samples, rows: &[u32]) -> Vec<usize> {
        let mut counts = vec![0; samples.num_classes().unwrap()];
        for &row in rows {
            counts[samples.labels().unwrap()[row as usize] as usize] += 1;
        }
        counts
    }

    use Amount::{Fraction, Rows};
    use SplitMethod::{Random, Sequential, Stratified};

    #[test]
    fn sizes_are_those_of_scikit_learn() {
        // [len(t) for t in train_test_split(np.arange(n), test_size=...)], training first
        for (rows, share, expected) in [
            (1797, 0.5, [898, 899]),
            (1001, 0.3, [700, 301]),
            (1000, 0.3, [700, 300]),
        ] {
            let samples = labelled(vec![0; rows]);
            let both = config(Random, [Fraction(1.0 - share), Fraction(share), Rows(0)]);
            let rest = SplitConfig {
                valid: Fraction(share),
                ..SplitConfig::default()
            };
            for config in [both, rest] {
                let splits = config.split(&samples, 0).unwrap();
                assert_eq!([splits.train.len(), splits.valid.len()], expected);
            }
        }
    }

    #[test]
    fn three_splits_fit_however_they_are_rounded() {
        for rows in 1..200 {
            let config = config(Random, [Fraction(0.5), Fraction(0.25), Fraction(0.25)]);
            let Ok([train, valid, test]) = config.counts(rows) else {
                assert_eq!(rows, 1);
                continue;
            };
            assert!(
                train + valid + test <= rows && train + valid + test + 1 >= rows,
                "{rows}"
            );
        }
    }

    #[test]
    fn splits_are_disjoint_and_their_union_is_the_set() {
        let samples = of_sizes(&[20, 30, 50]);
        for method in [Random, Stratified, Sequential] {
            let config = config(method, [Fraction(0.5), Rows(30), Fraction(0.2)]);
            let splits = config.split(&samples, 0).unwrap();
            assert_eq!(
                [splits.train.len(), splits.valid.len(), splits.test.len()],
                [50, 30, 20]
            );
            let mut all = [splits.train, splits.valid, splits.test].concat();
            all.sort_unstable();
            assert_eq!(all, (0..100).collect::<Vec<_>>());
        }
    }

    #[test]
    fn sequential_takes_rows_in_order() {
        let samples = labelled(vec![0; 10]);
        let splits = config(Sequential, [Rows(5), Rows(2), Rows(1)])
            .split(&samples, 9)
            .unwrap();
        assert_eq!(
            (splits.train, splits.valid, splits.test),
            (vec![0, 1, 2, 3, 4], vec![5, 6], vec![7])
        );
    }

    #[test]
    fn the_seed_decides_the_rows() {
        let samples = labelled(vec![0; 100]);
        for method in [Random, Stratified] {
            let config = SplitConfig {
                method,
                ..SplitConfig::default()
            };
            let split = |seed| config.split(&samples, seed).unwrap();
            assert_eq!(split(0), split(0));
            assert_ne!(split(0), split(1));
        }
    }

    #[test]
    fn stratified_class_counts_equal_scikit_learn() {
        // y = np.repeat([0, 1, 2], sizes); train_test_split(y, train_size=..., test_size=..., stratify=y),
        // then np.bincount of both
        for (sizes, train, valid, expected) in [
            (
                [7, 11, 30],
                Rows(33),
                Fraction(0.3),
                [[5, 7, 21], [2, 4, 9]],
            ),
            (
                [13, 29, 59],
                Rows(70),
                Fraction(0.3),
                [[9, 20, 41], [4, 9, 18]],
            ),
            ([13, 29, 59], Rows(40), Rows(21), [[5, 12, 23], [3, 6, 12]]),
            (
                [50, 50, 50],
                Rows(120),
                Rows(30),
                [[40, 40, 40], [10, 10, 10]],
            ),
        ] {
            let samples = of_sizes(&sizes);
            let splits = config(Stratified, [train, valid, Rows(0)])
                .split(&samples, 0)
                .unwrap();
            assert_eq!(class_counts(&samples, &splits.train), expected[0]);
            assert_eq!(class_counts(&samples, &splits.valid), expected[1]);
        }
    }

    #[test]
    fn the_whole_set_can_be_trained_on() {
        let samples = labelled(vec![0; 10]);
        let splits = config(Random, [Fraction(1.0), Rows(0), Rows(0)])
            .split(&samples, 0)
            .unwrap();
        assert_eq!((splits.train.len(), splits.valid.len()), (10, 0));
        let single = config(Random, [Rows(1), Rows(0), Rows(0)])
            .split(&samples, 0)
            .unwrap();
        assert_eq!(single.train.len(), 1);
    }

    #[test]
    fn impossible_splits_are_refused() {
        let samples = labelled(vec![0, 1, 2, 0, 1, 2]);
        let refusal = |config: SplitConfig| config.split(&samples, 0).unwrap_err().to_string();
        for (amounts, expected) in [
            (
                [Fraction(0.8), Fraction(0.3), Rows(0)],
                "`train + valid + test = 1.1",
            ),
            (
                [Rows(5), Rows(2), Rows(0)],
                "`train + valid + test = 7 rows`: expected at most the 6",
            ),
            (
                [Rows(0), Rows(2), Rows(0)],
                "`train = 0 rows`: expected at least one row",
            ),
            (
                [Fraction(1.5), Rows(0), Rows(0)],
                "`train = 1.5`: expected a whole number of rows, or",
            ),
            ([Rows(1), Fraction(-0.1), Rows(0)], "`valid = -0.1`"),
            ([Rows(1), Rows(0), Fraction(f64::NAN)], "`test = NaN`"),
        ] {
            let message = refusal(config(Random, amounts));
            assert!(message.starts_with(expected), "{message}");
        }
        let message = refusal(config(Stratified, [Rows(4), Rows(2), Rows(0)]));
        assert!(
            message.contains("at least 3 rows, one per class"),
            "{message}"
        );
    }

    #[test]
    fn numbers_cannot_be_stratified() {
        let mut samples = labelled(vec![0; 10]);
        samples.targets = Targets::Values(vec![0.0; 10]);
        let config = SplitConfig {
            method: Stratified,
            ..SplitConfig::default()
        };
        let message = config.split(&samples, 0).unwrap_err().to_string();
        assert!(message.contains("the targets are not classes"), "{message}");
    }

    #[test]
    fn the_course_split_of_iris_leaves_one_class_to_validate_on() {
        let iris = crate::iris::load();
        let splits = config(Sequential, [Rows(120), Rows(30), Rows(0)])
            .split(&iris, 0)
            .unwrap();
        let missing = splits.missing_classes(&iris);
        assert_eq!(
            missing,
            [MissingClasses {
                split: "valid",
                classes: vec!["setosa".to_owned(), "versicolor".to_owned()],
            }]
        );
        let fair = config(Stratified, [Rows(120), Rows(30), Rows(0)])
            .split(&iris, 0)
            .unwrap();
        assert!(fair.missing_classes(&iris).is_empty());
    }

    #[test]
    fn whole_numbers_are_rows_and_others_fractions() {
        let parse = |text: &str| toml::from_str::<SplitConfig>(text);
        let split = parse("train = 1.0\nvalid = 0").unwrap();
        assert_eq!((split.train, split.valid), (Some(Fraction(1.0)), Rows(0)));
        assert_eq!(parse("train = 1").unwrap().train, Some(Rows(1)));
        assert_eq!(parse("").unwrap(), SplitConfig::default());
        let written = toml::to_string(&split).unwrap();
        assert_eq!(parse(&written).unwrap(), split);
        let message = parse("train = \"most\"").unwrap_err().to_string();
        assert!(
            message.contains("a whole number of rows, or a fraction from 0.0 to 1.0"),
            "{message}"
        );
    }

    #[test]
    fn folds_share_out_every_row_once_and_keep_the_classes_in_proportion() {
        let samples = of_sizes(&[20, 40, 40]);
        for method in [Random, Stratified, Sequential] {
            let mut seen = Vec::new();
            for index in 0..5 {
                let config = SplitConfig {
                    method,
                    test: Rows(10),
                    fold: Some(Fold { index, of: 5 }),
                    ..SplitConfig::default()
                };
                let splits = config.split(&samples, 3).unwrap();
                assert_eq!(
                    [splits.train.len(), splits.valid.len(), splits.test.len()],
                    [72, 18, 10]
                );
                if method == Stratified {
                    let counts = class_counts(&samples, &splits.valid);
                    assert!((3..=4).contains(&counts[0]), "{counts:?}");
                    assert!((7..=8).contains(&counts[1]), "{counts:?}");
                }
                let mut all = [&splits.train[..], &splits.valid, &splits.test].concat();
                all.sort();
                assert_eq!(all, (0..100).collect::<Vec<u32>>());
                seen.extend(splits.valid);
                seen.extend(if index == 0 { splits.test } else { Vec::new() });
            }
            seen.sort();
            assert_eq!(seen, (0..100).collect::<Vec<u32>>(), "{method:?}");
        }
    }

    #[test]
    fn a_fold_beyond_the_last_is_refused() {
        let samples = of_sizes(&[3, 3]);
        for (index, of) in [(2, 2), (0, 1), (0, 7)] {
            let config = SplitConfig {
                fold: Some(Fold { index, of }),
                ..SplitConfig::default()
            };
            let error = config.split(&samples, 0).unwrap_err().to_string();
            assert!(error.contains("fold"), "{error}");
        }
    }
}
