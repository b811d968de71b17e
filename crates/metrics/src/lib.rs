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
pub use history::History;
