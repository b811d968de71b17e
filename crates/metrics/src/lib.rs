//! What predictions are worth: numbers from host arrays.
//!
//! Everything here works on plain slices, computes in f64 and knows no tensor, so a number is the same
//! whatever device the predictions came from.

mod binary;
mod classification_report;
mod confusion;
mod error;
mod predictions;
mod regression;
mod split_metrics;

pub use binary::BinaryScores;
pub use classification_report::{ClassReport, ClassificationReport, ReportRow};
pub use confusion::{ConfusionMatrix, Scores};
pub use error::MetricsError;
pub use predictions::{NO_PREDICTION, argmax, sigmoid, softmax, thresholded};
pub use regression::RegressionScores;
pub use split_metrics::{Direction, Metric, SplitMetrics};
