//! What predictions are worth: numbers from host arrays.
//!
//! Everything here works on plain slices, computes in f64 and knows no tensor, so a number is the same
//! whatever device the predictions came from.

mod binary;
mod calibration;
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
pub use classification_report::{ClassReport, ClassificationReport, ReportRow};
pub use confusion::{ConfusionMatrix, Scores};
pub use curves::BinaryCurves;
pub use error::MetricsError;
pub use metric::{Direction, Metric};
pub use precision_recall::PrecisionRecallCurve;
pub use predictions::{NO_PREDICTION, argmax, sigmoid, softmax, thresholded};
pub use regression::RegressionScores;
pub use roc::RocCurve;
pub use split::Split;
pub use split_metrics::SplitMetrics;
pub use threshold::{BestThreshold, ThresholdBy, ThresholdCounts, best_threshold};
