//! What runs left on disk, summarised and compared; no Burn.
//!
//! ```text
//! result.json, metrics.csv ─ TrialOutcome ─ VariantSummary ─┬─ ComparisonReport ─ tables, JSON
//!                               └ trials.csv                └ paired differences, and what they say
//! ```

mod comparison;
mod error;
pub mod learning_rate;
mod outcome;
mod pairs;
mod run_files;
pub mod statistics;
mod summary;

pub use comparison::{ComparisonReport, Question};
pub use error::ReportError;
pub use outcome::{Outcome, TrialOutcome, TrialPlace, write_csv};
pub use pairs::{PairedDifference, Verdict};
pub use run_files::RunFiles;
pub use summary::{Spread, VariantSummary};
