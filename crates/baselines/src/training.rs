//! The rows that a baseline learns from, and the checks that they must pass.

use crate::baseline::Task;
use crate::error::BaselineError;

/// The largest magnitude of a value: sums of squares of such values stay finite.
const LARGEST: f64 = 1e100;

/// The rows that a baseline learns from.
#[derive(Debug, Clone, Copy)]
pub struct Training<'a> {
    /// The features, row by row `[num_train × num_features]`, encoded and standardised.
    pub features: &'a [f64],
    /// The number of features of a row.
    pub num_features: usize,
    /// The target of each row.
    pub targets: Targets<'a>,
}

/// The targets of the training rows.
#[derive(Debug, Clone, Copy)]
pub enum Targets<'a> {
    /// Of a classification.
    Classes {
        /// The class of each row, `[num_train]`, each below `num_classes`.
        labels: &'a [u32],
        /// The number of classes. A class without a training row gets the probability 0.
        num_classes: usize,
    },
    /// Of a regression.
    Values {
        /// The numbers, row by row `[num_train × num_targets]`.
        values: &'a [f64],
        /// The number of targets of a row, at least 1.
        num_targets: usize,
    },
}

impl<'a> Targets<'a> {
    /// The task of these targets.
    pub fn task(&self) -> Task {
        match self {
            Targets::Classes { .. } => Task::Classification,
            Targets::Values { .. } => Task::Regression,
        }
    }

    /// The class of each row and the number of classes, for a baseline that predicts classes only.
    pub(crate) fn classes(
        &self,
        baseline: &'static str,
    ) -> Result<(&'a [u32], usize), BaselineError> {
        match *self {
            Targets::Classes {
                labels,
                num_classes,
            } => Ok((labels, num_classes)),
            Targets::Values { .. } => Err(self.unfit(baseline)),
        }
    }

    /// The numbers of all rows, and how many numbers each row has, for a baseline that predicts numbers only.
    pub(crate) fn values(
        &self,
        baseline: &'static str,
    ) -> Result<(&'a [f64], usize), BaselineError> {
        match *self {
            Targets::Values {
                values,
                num_targets,
            } => Ok((values, num_targets)),
            Targets::Classes { .. } => Err(self.unfit(baseline)),
        }
    }

    fn unfit(&self, baseline: &'static str) -> BaselineError {
        BaselineError::Task {
            baseline,
            task: self.task(),
        }
    }

    /// The number of outputs for each row: one for each class, or one for each target.
    pub(crate) fn num_outputs(&self) -> usize {
        match *self {
            Targets::Classes { num_classes, .. } => num_classes,
            Targets::Values { num_targets, .. } => num_targets,
        }
    }

    /// Adds `weight` times the target of `row` to `outputs`, where a class is the vector with a 1 at its place.
    pub(crate) fn add_to(&self, outputs: &mut [f64], row: usize, weight: f64) {
        match *self {
            Targets::Classes { labels, .. } => outputs[labels[row] as usize] += weight,
            Targets::Values {
                values,
                num_targets,
            } => {
                for (output, value) in outputs
                    .iter_mut()
                    .zip(&values[row * num_targets..][..num_targets])
                {
                    *output += weight * value;
                }
            }
        }
    }

    /// The mean target of all `num_train` rows, `[num_outputs]`: the frequency of each class, or the mean of each
    /// value.
    pub(crate) fn mean(&self, num_train: usize) -> Vec<f64> {
        let mut mean = vec![0.0; self.num_outputs()];
        for row in 0..num_train {
            self.add_to(&mut mean, row, 1.0);
        }
        mean.iter_mut().for_each(|sum| *sum /= num_train as f64);
        mean
    }
}

impl Training<'_> {
    /// The number of training rows.
    pub fn num_rows(&self) -> usize {
        match self.targets {
            Targets::Classes { labels, .. } => labels.len(),
            Targets::Values {
                values,
                num_targets,
            } => values.len() / num_targets.max(1),
        }
    }

    /// The features of a training row.
    pub(crate) fn row(&self, row: usize) -> &[f64] {
        &self.features[row * self.num_features..][..self.num_features]
    }

    /// The number of rows in `rows`, after a check that the shapes fit and all values are usable.
    pub(crate) fn check(&self, rows: &[f64]) -> Result<usize, BaselineError> {
        let num_train = self.num_rows();
        if let Targets::Values {
            values,
            num_targets,
        } = self.targets
        {
            if num_targets == 0 || !values.len().is_multiple_of(num_targets) {
                return Err(length(
                    "training targets",
                    values,
                    format!("a multiple of {num_targets} targets a row"),
                ));
            }
            check_values("training targets", values, num_targets)?;
        }
        if num_train == 0 {
            return Err(BaselineError::NoTrainingRows);
        }
        if let Targets::Classes {
            labels,
            num_classes,
        } = self.targets
            && let Some((row, label)) = labels
                .iter()
                .enumerate()
                .find(|(_, label)| **label as usize >= num_classes)
        {
            return Err(BaselineError::Label {
                row,
                label: *label,
                num_classes,
            });
        }
        if num_train.checked_mul(self.num_features) != Some(self.features.len()) {
            let expected = format!("{num_train} rows of {}", self.num_features);
            return Err(length("training features", self.features, expected));
        }
        check_values("training features", self.features, self.num_features)?;
        if self.num_features == 0 || !rows.len().is_multiple_of(self.num_features) {
            return Err(length(
                "rows to predict",
                rows,
                format!("a multiple of {} features", self.num_features),
            ));
        }
        check_values("rows to predict", rows, self.num_features)?;
        Ok(rows.len() / self.num_features)
    }
}

fn length(array: &'static str, values: &[f64], expected: String) -> BaselineError {
    BaselineError::Length {
        array,
        found: values.len(),
        expected,
    }
}

fn check_values(array: &'static str, values: &[f64], width: usize) -> Result<(), BaselineError> {
    match values
        .iter()
        .position(|value| value.is_nan() || value.abs() > LARGEST)
    {
        None => Ok(()),
        Some(place) => Err(BaselineError::Value {
            array,
            row: place / width,
            column: place % width,
            value: values[place],
        }),
    }
}
