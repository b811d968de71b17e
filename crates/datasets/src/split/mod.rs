//! The division of rows into a training, a validation and a test split.

mod groups;

use std::fmt;

use emberlab_menu::Problem;
use emberlab_rng::{StreamRng, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::random;
use crate::samples::{Samples, Targets};

/// How the rows are divided into a training, a validation and a test split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SplitConfig {
    /// How rows are chosen (default "random").
    pub method: SplitMethod,
    /// Rows to train on: a whole number of rows, or a fraction from 0.0 to 1.0 (default: all rows that are not in
    /// `valid` and `test`, 0.7). `1.0` means all rows, `1` a single row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train: Option<Amount>,
    /// Rows to validate on: a number or a fraction, as for `train`; 0 for none (default 0.3).
    pub valid: Amount,
    /// Rows to test on: a number or a fraction, as for `train`; 0 for none (default 0).
    pub test: Amount,
    /// Cross-validation, instead of `train` and `valid`: the rows that are not in `test` are divided into equal
    /// parts. One part is for validation, the others are for training.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<Fold>,
}

/// One part of a cross-validation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fold {
    /// The part for validation, counted from 0.
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
    /// Each split has the same proportions of classes as the whole set, as with scikit-learn's `stratify`.
    Stratified,
    /// The first rows are for training, the next for validation, the next for testing.
    Sequential,
}

/// A number of rows, or a fraction of all rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "a whole number of rows, or a fraction from 0.0 to 1.0"
)]
pub enum Amount {
    /// A number of rows.
    Rows(usize),
    /// A fraction of all rows, from 0.0 to 1.0.
    Fraction(f64),
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows(count) => write!(f, "{count}"),
            Self::Fraction(share) => write!(f, "{share:?}"),
        }
    }
}

impl Amount {
    fn check(self, key: &str) -> Result<(), Problem> {
        match self {
            Self::Rows(_) => Ok(()),
            Self::Fraction(share) => Problem::unless(
                (0.0..=1.0).contains(&share),
                key,
                share,
                "a whole number of rows, or a fraction from 0.0 to 1.0",
            ),
        }
    }

    /// The number of rows before rounding.
    fn of(self, rows: usize) -> f64 {
        match self {
            Self::Rows(count) => count as f64,
            Self::Fraction(share) => share * rows as f64,
        }
    }
}

/// The row indices of each split. No row is in two splits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Splits {
    /// Rows to train on, at least one.
    pub train: Vec<u32>,
    /// Rows to validate on.
    pub valid: Vec<u32>,
    /// Rows to test on.
    pub test: Vec<u32>,
}

/// The classes of which a split has no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingClasses {
    /// `"train"`, `"valid"` or `"test"`.
    pub split: &'static str,
    /// Names of the classes.
    pub classes: Vec<String>,
}

/// Differences in numbers of rows below this are rounding errors of fractions.
const TOLERANCE: f64 = 1e-6;

impl SplitConfig {
    /// Checks every value that can be checked without the samples.
    ///
    /// # Errors
    /// [`Problem`] names the first key outside its range.
    pub fn validate(&self) -> Result<(), Problem> {
        if let Some(train) = self.train {
            train.check("train")?;
        }
        self.valid.check("valid")?;
        self.test.check("test")?;
        if let Some(Fold { index, of }) = self.fold {
            Problem::unless(of >= 2, "fold.of", of, "at least 2")?;
            Problem::unless(
                index < of,
                "fold.index",
                index,
                format!("less than `of`, {of}"),
            )?;
            Problem::unless(
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
        match sum <= 1.0 + TOLERANCE {
            true => Ok(()),
            false => Err(self.too_much("fractions of at most 1.0 together")),
        }
    }

    /// The problem that the splits together are larger than the `expected` size, with the size of each, and whether it is
    /// the default.
    fn too_much(&self, expected: &str) -> Problem {
        let default = Self::default();
        let said = |key: &str, amount: Amount, default: Amount| {
            let note = if amount == default {
                " (the default)"
            } else {
                ""
            };
            format!("`{key}` {amount}{note}")
        };
        let others = [
            said("valid", self.valid, default.valid),
            said("test", self.test, default.test),
        ];
        let ([key, value], others) = match self.train {
            Some(train) => (["train".to_string(), train.to_string()], &others[..]),
            None => (["valid".to_string(), self.valid.to_string()], &others[1..]),
        };
        let with = others.join(" and ");
        Problem::new(key, value, format!("{expected}, with {with}"))
    }

    /// Divides the rows, one for each of `targets`. Rows of one of the `groups` stay in one split, whose sizes then
    /// are about those asked for.
    ///
    /// The random methods draw the rows from `seed`. Sizes are rounded as in scikit-learn's `train_test_split`:
    /// validation and test up, training down.
    ///
    /// # Errors
    /// [`Problem`] names the key if the splits need more rows than there are, if no row is left to train on, or if
    /// a stratified split has fewer rows than classes, the targets are not classes, or there are groups.
    pub fn split(
        &self,
        targets: &Targets,
        groups: Option<&[u32]>,
        seed: u64,
    ) -> Result<Splits, Problem> {
        let num_rows = targets.len();
        let counts = match self.fold {
            None => self.counts(num_rows)?,
            Some(_) => {
                let pooled = Self {
                    valid: Amount::Rows(0),
                    ..self.clone()
                };
                pooled.counts(num_rows)?
            }
        };
        let rng = &mut stream(seed, "split", &[]);
        if let Some(groups) = groups {
            return self.split_groups(groups, counts, rng);
        }
        let [train, valid, test] = match self.method {
            SplitMethod::Sequential => consecutive((0..num_rows as u32).collect(), counts),
            SplitMethod::Random => consecutive(random::permutation(num_rows, rng), counts),
            SplitMethod::Stratified => stratified(targets, counts, rng)?,
        };
        let splits = Splits { train, valid, test };
        match self.fold {
            None => Ok(splits),
            Some(fold) => self.folded(splits, targets, fold),
        }
    }

    /// Moves one part of the training rows to the validation rows.
    fn folded(
        &self,
        splits: Splits,
        targets: &Targets,
        Fold { index, of }: Fold,
    ) -> Result<Splits, Problem> {
        let mut pool = splits.train;
        let size = pool.len();
        Problem::unless(
            of <= size,
            "fold.of",
            of,
            format!("at most the {size} rows there are"),
        )?;
        if let (SplitMethod::Stratified, Some(labels)) = (self.method, targets.labels()) {
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

    /// The number of rows of each split.
    fn counts(&self, rows: usize) -> Result<[usize; 3], Problem> {
        self.validate()?;
        let up = |amount: f64| (amount - TOLERANCE).ceil() as usize;
        let down = |amount: f64| (amount + TOLERANCE).floor() as usize;
        let held_out = self.valid.of(rows) + self.test.of(rows);
        let wanted = held_out + self.train.map_or(0.0, |train| train.of(rows));
        if wanted > rows as f64 + TOLERANCE {
            let expected = format!("at most the {rows} rows there are together");
            return Err(self.too_much(&expected));
        }
        let test = up(self.test.of(rows));
        // Rounding the sum ensures that both together do not exceed the rows that training leaves.
        let valid = up(held_out) - test;
        let train = self
            .train
            .map_or(rows - valid - test, |train| down(train.of(rows)));
        Problem::unless(train > 0, "train", "0 rows", "at least one row to train on")?;
        Ok([train, valid, test])
    }
}

/// Divides the rows in order.
fn consecutive(rows: Vec<u32>, counts: [usize; 3]) -> [Vec<u32>; 3] {
    let mut rows = rows.into_iter();
    counts.map(|count| rows.by_ref().take(count).collect())
}

/// Draws each split in turn from the remaining rows of each class, as scikit-learn's `StratifiedShuffleSplit`.
fn stratified(
    targets: &Targets,
    counts: [usize; 3],
    rng: &mut StreamRng,
) -> Result<[Vec<u32>; 3], Problem> {
    let refuse = |expected: String| Problem::new("method", "stratified", expected);
    let (Some(labels), Some(num_classes)) = (targets.labels(), targets.num_classes()) else {
        let expected = "\"random\" or \"sequential\", since the targets are not classes";
        return Err(refuse(expected.to_owned()));
    };
    if let Some(&short) = counts.iter().find(|&&n| n > 0 && n < num_classes) {
        let expected =
            format!("at least {num_classes} rows, one per class, in each split, not {short}");
        return Err(refuse(expected));
    }
    let mut classes = vec![Vec::new(); num_classes];
    for row in random::permutation(labels.len(), rng) {
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
        random::shuffle(&mut rows, rng);
        rows
    }))
}

/// Divides `count` in proportion to `sizes`: shares are rounded down, and the rest goes to the largest remainders,
/// with ties broken at random.
fn proportional(sizes: &[usize], count: usize, rng: &mut StreamRng) -> Vec<usize> {
    let total = sizes.iter().sum::<usize>().max(1);
    let mut shares: Vec<usize> = sizes.iter().map(|size| size * count / total).collect();
    let left = count - shares.iter().sum::<usize>();
    let mut order = random::permutation(sizes.len(), rng);
    order.sort_by_key(|&class| std::cmp::Reverse(sizes[class as usize] * count % total));
    for &class in order.iter().take(left) {
        shares[class as usize] += 1;
    }
    shares
}

impl Splits {
    /// The splits that have rows, but lack a class; empty for regression.
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
mod tests;
