//! The menu of metrics: one row of the table for each.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The direction in which a metric improves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Smaller values are better.
    Lower,
    /// Larger values are better.
    Higher,
}

/// The data that a metric is computed from, which decide the targets that it is defined for.
#[derive(PartialEq, Eq)]
enum Basis {
    /// The losses of the batches: classes and numbers.
    Losses,
    /// Counts of predicted classes.
    Counts,
    /// The outputs for every class, of all samples.
    Outputs,
    /// Predicted numbers.
    Numbers,
}

/// When a metric is computed.
#[derive(PartialEq, Eq)]
enum Computed {
    /// In every training, and shown: people look at it first.
    Shown,
    /// In every training. It says much the same as a metric that is shown.
    Always,
    /// In experiments that ask for it, and shown there.
    OnRequest,
}

/// The properties of one metric.
struct Properties {
    title: &'static str,
    direction: Direction,
    basis: Basis,
    computed: Computed,
}

/// Makes [`Metric`] from a table with one row for each metric: its documentation, its name in files and its
/// properties.
macro_rules! metrics {
    ($(
        $(#[doc = $doc:literal])+
        $name:literal => $Metric:ident { $($property:ident: $value:expr),+ $(,)? }
    )+) => {
        /// A number that is computed after every epoch.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Metric {
            $(
                $(#[doc = $doc])+
                #[serde(rename = $name)]
                $Metric,
            )+
        }

        impl Metric {
            /// All metrics, in the order of the columns of a table.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$Metric),+];

            /// The name in files and tables, such as `f1`.
            pub fn name(self) -> &'static str {
                match self {
                    $( Self::$Metric => $name, )+
                }
            }

            /// One sentence about the metric, with its range and units.
            pub fn description(self) -> &'static str {
                match self {
                    $( Self::$Metric => concat!($($doc),+).trim_ascii(), )+
                }
            }

            fn properties(self) -> Properties {
                match self {
                    $( Self::$Metric => Properties { $($property: $value),+ }, )+
                }
            }
        }
    };
}

metrics! {
    /// The loss that is trained on, as a mean over the samples, also where training adds them up; lower is better.
    "loss" => Loss {
        title: "Loss",
        direction: Direction::Lower,
        basis: Basis::Losses,
        computed: Computed::Shown,
    }
    /// Share of right predictions, in [0, 1]; higher is better.
    "accuracy" => Accuracy {
        title: "Accuracy",
        direction: Direction::Higher,
        basis: Basis::Counts,
        computed: Computed::Shown,
    }
    /// Share of the predictions of a class that are right, in [0, 1]; higher is better.
    "precision" => Precision {
        title: "Precision",
        direction: Direction::Higher,
        basis: Basis::Counts,
        computed: Computed::Always,
    }
    /// Share of the samples of a class that are found, in [0, 1]; higher is better.
    "recall" => Recall {
        title: "Recall",
        direction: Direction::Higher,
        basis: Basis::Counts,
        computed: Computed::Always,
    }
    /// Harmonic mean of precision and recall, in [0, 1]; higher is better.
    "f1" => F1 {
        title: "F1",
        direction: Direction::Higher,
        basis: Basis::Counts,
        computed: Computed::Always,
    }
    /// Mean over the classes of the share of their samples that are found, in [0, 1]; higher is better.
    "balanced_accuracy" => BalancedAccuracy {
        title: "Balanced accuracy",
        direction: Direction::Higher,
        basis: Basis::Counts,
        computed: Computed::OnRequest,
    }
    /// Matthews' correlation of predicted and right classes, in [-1, 1]; higher is better.
    "mcc" => Mcc {
        title: "MCC",
        direction: Direction::Higher,
        basis: Basis::Counts,
        computed: Computed::OnRequest,
    }
    /// Area under the ROC curve, in [0, 1], for several classes the mean of each against the others; higher is better.
    "roc_auc" => RocAuc {
        title: "ROC AUC",
        direction: Direction::Higher,
        basis: Basis::Outputs,
        computed: Computed::OnRequest,
    }
    /// Mean of the precisions over all thresholds, weighted by the gain in recall, in [0, 1], for several classes the
    /// mean of each against the others; higher is better.
    "average_precision" => AveragePrecision {
        title: "Average precision",
        direction: Direction::Higher,
        basis: Basis::Outputs,
        computed: Computed::OnRequest,
    }
    /// Mean negative logarithm of the probability of the right class; lower is better.
    "log_loss" => LogLoss {
        title: "Log loss",
        direction: Direction::Lower,
        basis: Basis::Outputs,
        computed: Computed::OnRequest,
    }
    /// Mean squared error of the probabilities, in [0, 1] for two classes and in [0, 2] for more; lower is better.
    "brier" => Brier {
        title: "Brier score",
        direction: Direction::Lower,
        basis: Basis::Outputs,
        computed: Computed::OnRequest,
    }
    /// Share of the samples whose class has one of the 3 largest outputs, in [0, 1]; higher is better.
    "top_3" => Top3 {
        title: "Top-3 accuracy",
        direction: Direction::Higher,
        basis: Basis::Outputs,
        computed: Computed::OnRequest,
    }
    /// Share of the samples whose class has one of the 5 largest outputs, in [0, 1]; higher is better.
    "top_5" => Top5 {
        title: "Top-5 accuracy",
        direction: Direction::Higher,
        basis: Basis::Outputs,
        computed: Computed::OnRequest,
    }
    /// Mean absolute error, in the units of the targets; lower is better.
    "mae" => Mae {
        title: "MAE",
        direction: Direction::Lower,
        basis: Basis::Numbers,
        computed: Computed::Shown,
    }
    /// Mean squared error, in squared units of the targets; lower is better.
    "mse" => Mse {
        title: "MSE",
        direction: Direction::Lower,
        basis: Basis::Numbers,
        computed: Computed::Always,
    }
    /// Share of the targets' variance that is explained, at most 1; higher is better.
    "r2" => R2 {
        title: "R²",
        direction: Direction::Higher,
        basis: Basis::Numbers,
        computed: Computed::Shown,
    }
    /// Mean absolute error as a share of the absolute targets, 1 for 100 %; lower is better.
    "mape" => Mape {
        title: "MAPE",
        direction: Direction::Lower,
        basis: Basis::Numbers,
        computed: Computed::OnRequest,
    }
    /// Median of the absolute errors, in the units of the targets; lower is better.
    "median_absolute_error" => MedianAbsoluteError {
        title: "Median absolute error",
        direction: Direction::Lower,
        basis: Basis::Numbers,
        computed: Computed::OnRequest,
    }
}

impl Metric {
    /// The metric of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.name() == name)
    }

    /// The name as a heading, such as `R²`.
    pub fn title(self) -> &'static str {
        self.properties().title
    }

    /// The direction in which the metric improves.
    pub fn direction(self) -> Direction {
        self.properties().direction
    }

    /// Whether it is one of the metrics that people look at first, or that they asked for. Those are shown while a
    /// network trains, and their curves are drawn. The others say much the same as one of these.
    pub fn is_headline(self) -> bool {
        self.properties().computed != Computed::Always
    }

    /// Whether it is computed only where an experiment asks for it.
    pub fn is_on_request(self) -> bool {
        self.properties().computed == Computed::OnRequest
    }

    /// Whether it needs the outputs for all samples of a split at once, rather than counts of predicted classes.
    pub fn needs_outputs(self) -> bool {
        self.properties().basis == Basis::Outputs
    }

    /// Whether it is for numbers only.
    pub fn is_of_numbers(self) -> bool {
        self.properties().basis == Basis::Numbers
    }

    /// The metrics of a classification, in the order of [`ALL`](Self::ALL).
    pub fn of_classes() -> impl Iterator<Item = Self> {
        let all = Self::ALL.into_iter();
        all.filter(|metric| !metric.is_of_numbers())
    }

    /// The metrics of a regression, in the order of [`ALL`](Self::ALL).
    pub fn of_numbers() -> impl Iterator<Item = Self> {
        let all = Self::ALL.into_iter();
        all.filter(|metric| matches!(metric.properties().basis, Basis::Losses | Basis::Numbers))
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Direction {
    /// Whether a value is strictly better than the best so far. NaN is never better, and every number is better
    /// than NaN.
    pub fn is_improvement(self, value: f64, best: f64) -> bool {
        if best.is_nan() {
            return !value.is_nan();
        }
        match self {
            Direction::Lower => value < best,
            Direction::Higher => value > best,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_metric_is_written_and_found_by_its_name() {
        for metric in Metric::ALL {
            assert_eq!(Metric::from_name(metric.name()), Some(metric));
            let json = serde_json::to_string(&metric).unwrap();
            assert_eq!(json, format!("\"{}\"", metric.name()));
            assert!(!metric.title().is_empty() && metric.description().ends_with('.'));
        }
        assert_eq!(Metric::from_name("auc"), None);
    }

    #[test]
    fn an_improvement_is_strict_and_never_nan() {
        assert!(Metric::Loss.direction().is_improvement(0.1, 0.2));
        assert!(!Metric::Loss.direction().is_improvement(0.2, 0.2));
        assert!(Metric::Accuracy.direction().is_improvement(0.9, 0.8));
        for direction in [Direction::Lower, Direction::Higher] {
            assert!(!direction.is_improvement(f64::NAN, 0.5));
            assert!(!direction.is_improvement(f64::NAN, f64::NAN));
            assert!(direction.is_improvement(0.5, f64::NAN));
        }
    }
}
