//! Metrics of predictions, computed from arrays on the host.
//!
//! This crate works on plain slices and computes in f64. It knows no tensors, so a metric is the same for
//! predictions from any device.
//!
//! To add a metric that is followed over the epochs, add its row to the table of [`Metric`] and its value to
//! [`SplitMetrics`].

mod binary;
mod calibration;
mod class_scores;
mod classification_report;
mod confusion;
mod curves;
mod error;
pub mod json_number;
mod metric;
mod precision_recall;
mod predictions;
mod ranked;
mod regression;
mod roc;
mod split;
mod split_metrics;
mod thinning;
mod threshold;

pub use binary::BinaryScores;
pub use calibration::{Calibration, CalibrationBin};
pub use class_scores::ClassScores;
pub use classification_report::{ClassReport, ClassificationReport, ReportRow};
pub use confusion::{ConfusedPair, ConfusedPairs, ConfusionMatrix, MOST_CLASSES, Scores};
pub use curves::BinaryCurves;
pub use error::MetricsError;
pub use metric::{Direction, Metric};
pub use precision_recall::PrecisionRecallCurve;
pub use predictions::{
    NO_PREDICTION, argmax, argmax_of, class_above, sigmoid, softmax, thresholded,
};
pub use regression::{RegressionScores, mean_absolute_percentage_error, median_absolute_error};
pub use roc::RocCurve;
pub use split::Split;
pub use split_metrics::SplitMetrics;
pub use threshold::{BestThreshold, ThresholdBy, ThresholdCounts, best_threshold};
