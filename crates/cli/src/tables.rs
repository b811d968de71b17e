//! Tables in the terminal.

use comfy_table::LineStyle;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, ContentArrangement, Row, Table};

/// A table with this header. Columns after the first `text_columns` are aligned to the right.
pub fn table(header: impl Into<Row>, text_columns: usize) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()))
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header);
    for column in table.column_iter_mut().skip(text_columns) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// A table of a report as the terminal shows it, without its caption.
pub fn in_terminal(reported: emberlab_report::Table) -> Table {
    let num_words = reported.columns.iter().take_while(|c| !c.is_number).count();
    let header: Vec<String> = reported.columns.into_iter().map(|c| c.name).collect();
    let mut shown = table(header, num_words);
    for row in reported.rows {
        shown.add_row(row.into_iter().map(|cell| cell.text));
    }
    shown
}
