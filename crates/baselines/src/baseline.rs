//! The table of baselines, and how one of them is fitted and predicts.

use std::fmt;

use emberlab_rng::stream;
use rand::seq::index;

use crate::error::BaselineError;
use crate::linear_regression::LinearRegression;
use crate::logistic_regression::LogisticRegression;
use crate::majority::Majority;
use crate::mean::Mean;
use crate::nearest_neighbors::NearestNeighbors;
use crate::predictions::{Outcome, Predictions};
use crate::random_forest::RandomForest;
use crate::training::{Targets, Training};

/// The kind of target that is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// One class out of several.
    Classification,
    /// One number or several.
    Regression,
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Task::Classification => "classification",
            Task::Regression => "regression",
        })
    }
}

/// A simple predictor that a network is compared with.
pub struct Baseline {
    /// The name in files, such as `logistic_regression`.
    pub name: &'static str,
    /// The name as it is printed, such as "logistic regression".
    pub title: &'static str,
    /// The tasks that the baseline is for.
    pub tasks: &'static [Task],
    pub(crate) method: &'static dyn Method,
}

/// How a baseline is fitted and predicts.
pub(crate) trait Method: Sync {
    /// The number of training rows with which fitting and predicting `num_rows` rows stay within seconds.
    fn max_train_rows(&self, _training: &Training, _num_rows: usize) -> usize {
        usize::MAX
    }

    /// Learns from `training` and predicts `rows`, `[num_rows × num_features]`. All inputs have been checked. Every
    /// random number follows from `seed`.
    fn fit_predict(
        &self,
        training: &Training,
        rows: &[f64],
        seed: u64,
    ) -> Result<Predictions, BaselineError>;
}

/// The menu of baselines, the simplest first.
pub(crate) static BASELINES: [Baseline; 6] = [
    Baseline {
        name: "majority",
        title: "majority class",
        tasks: &[Task::Classification],
        method: &Majority,
    },
    Baseline {
        name: "mean",
        title: "mean",
        tasks: &[Task::Regression],
        method: &Mean,
    },
    Baseline {
        name: "logistic_regression",
        title: "logistic regression",
        tasks: &[Task::Classification],
        method: &LogisticRegression,
    },
    Baseline {
        name: "linear_regression",
        title: "linear regression",
        tasks: &[Task::Regression],
        method: &LinearRegression,
    },
    Baseline {
        name: "nearest_neighbors",
        title: "5 nearest neighbours",
        tasks: &[Task::Classification, Task::Regression],
        method: &NearestNeighbors,
    },
    RANDOM_FOREST,
];

/// The random forest of the menu.
const RANDOM_FOREST: Baseline = Baseline {
    name: "random_forest",
    title: "random forest",
    tasks: &[Task::Classification, Task::Regression],
    method: &RandomForest,
};

/// The random forest, for both tasks.
pub fn random_forest() -> &'static Baseline {
    &RANDOM_FOREST
}

/// The baselines for a task, the simplest first.
pub fn baselines(task: Task) -> impl Iterator<Item = &'static Baseline> {
    BASELINES
        .iter()
        .filter(move |baseline| baseline.tasks.contains(&task))
}

impl fmt::Debug for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_tuple("Baseline").field(&self.name).finish()
    }
}

impl Baseline {
    /// Learns from `training` and predicts `rows`, row by row `[num_rows × num_features]`.
    ///
    /// The same arguments give the same predictions. The `seed` matters to the random forest, and to any baseline that
    /// learns from a random part of the training rows because there are too many. The prediction of a row does not
    /// depend on the other rows, except that the size of such a part depends on their number.
    ///
    /// # Errors
    ///
    /// Arrays whose lengths do not fit, targets of another task, no training row or no feature, labels outside the
    /// classes, and values that are NaN, infinite or above 1e100 in magnitude. Also a solver that does not converge.
    /// Constant features, a single training row or class, and more features than rows are no errors.
    pub fn predict(
        &self,
        training: &Training,
        rows: &[f64],
        seed: u64,
    ) -> Result<Outcome, BaselineError> {
        let task = training.targets.task();
        if !self.tasks.contains(&task) {
            return Err(BaselineError::Task {
                baseline: self.name,
                task,
            });
        }
        let num_rows = training.check(rows)?;
        let num_train = training.num_rows();
        let limit = self.method.max_train_rows(training, num_rows).max(1);
        let predictions = if num_train <= limit {
            self.method.fit_predict(training, rows, seed)?
        } else {
            self.fit_predict_part(training, limit, rows, seed)?
        };
        if !predictions.are_finite() {
            return Err(BaselineError::NotFinite {
                baseline: self.name,
            });
        }
        Ok(Outcome {
            predictions,
            num_train_used: num_train.min(limit),
        })
    }

    /// Like [`Method::fit_predict`], with `num_used` random rows of `training`.
    fn fit_predict_part(
        &self,
        training: &Training,
        num_used: usize,
        rows: &[f64],
        seed: u64,
    ) -> Result<Predictions, BaselineError> {
        let mut rng = stream(seed, "baseline training rows", &[]);
        let mut used = index::sample(&mut rng, training.num_rows(), num_used).into_vec();
        used.sort_unstable();
        let features: Vec<f64> = used
            .iter()
            .flat_map(|row| training.row(*row))
            .copied()
            .collect();
        let part = |targets: Targets| {
            let training = Training {
                features: &features,
                num_features: training.num_features,
                targets,
            };
            self.method.fit_predict(&training, rows, seed)
        };
        match training.targets {
            Targets::Classes {
                labels,
                num_classes,
            } => {
                let labels: Vec<u32> = used.iter().map(|row| labels[*row]).collect();
                part(Targets::Classes {
                    labels: &labels,
                    num_classes,
                })
            }
            Targets::Values {
                values,
                num_targets,
            } => {
                let values: Vec<f64> = used
                    .iter()
                    .flat_map(|row| &values[row * num_targets..][..num_targets])
                    .copied()
                    .collect();
                part(Targets::Values {
                    values: &values,
                    num_targets,
                })
            }
        }
    }
}
