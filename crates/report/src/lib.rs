//! Reports of runs and comparisons, read from their folders; no Burn.
//!
//! ```text
//! run folder ──┬─ RunReport ──────────────────────────────────────────┐
//!              ├─ TrialOutcome ── VariantSummary ── ComparisonResult ─┼─ Document ── HTML, Markdown
//!              └─ Curve ── ComparisonPage ────────────────────────────┘
//! ```

pub mod baselines;
pub mod comparison;
mod comparison_page;
mod comparison_predictions;
pub mod comparison_tables;
mod curves;
mod document;
mod error;
mod findings;
pub mod html;
mod importance;
pub mod learning_rate;
mod line_chart;
pub mod markdown;
mod numbers;
mod outcome;
mod pairs;
mod parquet;
pub mod predictions;
mod run_report;
mod setting_importance;
mod settings;
mod shell;
pub mod statistics;
mod summary;
mod timeline;
mod trade_offs;
mod trial_table;

pub use comparison_page::ComparisonPage;
pub use document::{Block, Cell, Column, Document, Figure, Mark, Notice, Section, Table};
pub use document::{SeriesValues, Values, Weight};
pub use error::ReportError;
pub use numbers::{count, duration, number};
pub use outcome::TrialPlace;
pub use run_report::RunReport;
pub use setting_importance::SettingImportance;
pub use shell::quoted;
pub use timeline::{Timeline, TimelineLayer, evenly_with_last};
pub use trade_offs::VariantCost;
pub use trial_table::TrialTable;

use emberlab_run_format::FormatError;

/// Data of a page as JSON, safe inside a script element; NaN and infinities are `null`.
fn to_json_line(data: &impl serde::Serialize) -> Result<String, ReportError> {
    let text = serde_json::to_string(data);
    // `</script>` would end the element; in JSON, `<` occurs in strings only.
    text.map(|text| text.replace('<', "\\u003c"))
        .map_err(|e| FormatError::malformed(std::path::Path::new("the page"), e).into())
}

/// A report as JSON; NaN and infinities are `null`.
///
/// # Errors
/// [`ReportError::Format`] naming `name`, if a value has no JSON form.
pub fn to_json(report: &impl serde::Serialize, name: &str) -> Result<String, ReportError> {
    let text = serde_json::to_string_pretty(report);
    text.map(|text| text + "\n")
        .map_err(|e| FormatError::malformed(std::path::Path::new(name), e).into())
}
