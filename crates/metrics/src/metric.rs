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

/// The targets that a metric is defined for.
#[derive(PartialEq, Eq)]
enum MetricTargets {
    /// Classes and numbers.
    Any,
    /// Classes only.
    Classes,
    /// Numbers only.
    Numbers,
}

/// The properties of one metric.
struct Properties {
    title: &'static str,
    direction: Direction,
    targets: MetricTargets,
    is_headline: bool,
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
    /// The loss that is trained on, with its own reduction (mean or sum); lower is better.
    "loss" => Loss {
        title: "Loss",
        direction: Direction::Lower,
        targets: MetricTargets::Any,
        is_headline: true,
    }
    /// Share of right predictions, in [0, 1]; higher is better.
    "accuracy" => Accuracy {
        title: "Accuracy",
        direction: Direction::Higher,
        targets: MetricTargets::Classes,
        is_headline: true,
    }
    /// Share of the predictions of a class that are right, in [0, 1]; higher is better.
    "precision" => Precision {
        title: "Precision",
        direction: Direction::Higher,
        targets: MetricTargets::Classes,
        is_headline: false,
    }
    /// Share of the samples of a class that are found, in [0, 1]; higher is better.
    "recall" => Recall {
        title: "Recall",
        direction: Direction::Higher,
        targets: MetricTargets::Classes,
        is_headline: false,
    }
    /// Harmonic mean of precision and recall, in [0, 1]; higher is better.
    "f1" => F1 {
        title: "F1",
        direction: Direction::Higher,
        targets: MetricTargets::Classes,
        is_headline: false,
    }
    /// Mean absolute error, in the units of the targets; lower is better.
    "mae" => Mae {
        title: "MAE",
        direction: Direction::Lower,
        targets: MetricTargets::Numbers,
        is_headline: true,
    }
    /// Mean squared error, in squared units of the targets; lower is better.
    "mse" => Mse {
        title: "MSE",
        direction: Direction::Lower,
        targets: MetricTargets::Numbers,
        is_headline: false,
    }
    /// Share of the targets' variance that is explained, at most 1; higher is better.
    "r2" => R2 {
        title: "R²",
        direction: Direction::Higher,
        targets: MetricTargets::Numbers,
        is_headline: true,
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

    /// Whether it is one of the metrics that people look at first: those are shown while a network trains, and
    /// their curves are drawn. The others say much the same as one of these.
    pub fn is_headline(self) -> bool {
        self.properties().is_headline
    }

    /// The metrics of a classification, in the order of [`ALL`](Self::ALL).
    pub fn of_classes() -> impl Iterator<Item = Self> {
        Self::without(MetricTargets::Numbers)
    }

    /// The metrics of a regression, in the order of [`ALL`](Self::ALL).
    pub fn of_numbers() -> impl Iterator<Item = Self> {
        Self::without(MetricTargets::Classes)
    }

    /// The metrics that are not only for `targets`.
    fn without(targets: MetricTargets) -> impl Iterator<Item = Self> {
        let all = Self::ALL.into_iter();
        all.filter(move |metric| metric.properties().targets != targets)
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
