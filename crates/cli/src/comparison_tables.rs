//! A comparison's answer as tables and sentences.

use std::io::{self, Write};

use emberlab_report::{ComparisonReport, Table};

use crate::tables;

/// Writes the table of the objective, the medians of the other figures, those at thresholds, and the
/// conclusion.
///
/// # Errors
/// [`io::Error`] of the writer.
pub fn write(report: &ComparisonReport, out: &mut impl Write) -> io::Result<()> {
    let objective = report.objective_table();
    writeln!(out, "{}", objective.caption)?;
    writeln!(out, "{}", in_terminal(objective))?;
    let medians = [report.median_table(), report.threshold_table()];
    for table in medians.into_iter().flatten() {
        writeln!(out, "{}", in_terminal(table))?;
    }
    for sentence in &report.conclusion {
        writeln!(out, "{sentence}")?;
    }
    Ok(())
}

fn in_terminal(report: Table) -> comfy_table::Table {
    let num_words = report.columns.iter().take_while(|c| !c.is_number).count();
    let header: Vec<String> = report.columns.into_iter().map(|c| c.name).collect();
    let mut table = tables::table(header, num_words);
    for row in report.rows {
        table.add_row(row.into_iter().map(|cell| cell.text));
    }
    table
}
