//! The answer of a comparison in the terminal: tables and sentences.

use std::io::{self, Write};

use emberlab_report::comparison_tables::{
    baselines_table, median_table, objective_table, threshold_table,
};
use emberlab_run_format::ComparisonResult;

use crate::tables::in_terminal;

/// Writes the table of the objective, that of the baselines, the medians of the other figures, those at thresholds, and
/// the conclusion.
///
/// # Errors
/// [`io::Error`] of the writer.
pub fn write(comparison: &ComparisonResult, out: &mut impl Write) -> io::Result<()> {
    let objective = objective_table(comparison);
    writeln!(out, "{}", objective.caption)?;
    writeln!(out, "{}", in_terminal(objective))?;
    if let Some(baselines) = baselines_table(comparison) {
        writeln!(out, "{}", baselines.caption)?;
        writeln!(out, "{}", in_terminal(baselines))?;
    }
    let medians = [median_table(comparison), threshold_table(comparison)];
    for table in medians.into_iter().flatten() {
        writeln!(out, "{}", in_terminal(table))?;
    }
    for sentence in &comparison.conclusion {
        writeln!(out, "{sentence}")?;
    }
    Ok(())
}
