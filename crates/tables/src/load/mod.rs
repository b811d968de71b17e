//! Reads the table of a configuration: features, labels, groups and weights.

use crate::config::TableConfig;
use crate::error::TableError;
use crate::table::Table;

/// A table as read: its features are not encoded as numbers yet.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedTable {
    /// The feature columns, in the order of the file.
    pub features: Table,
    /// The label of each row.
    pub label: Label,
    /// For each row the number of its group, counted from 0 in order of appearance; `None` without a group column.
    pub groups: Option<Vec<u32>>,
    /// For each row its weight in the loss; `None` without a weight column.
    pub weights: Option<Vec<f64>>,
    /// Sentences about what was found or left out, such as rows without a label.
    pub notes: Vec<String>,
}

/// The labels of all rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Label {
    /// One class for each row.
    Classes {
        /// The class of each row, as an index into `names`.
        labels: Vec<u32>,
        /// Names of the classes; the positive class is the last of two.
        names: Vec<String>,
    },
    /// Numbers for each row.
    Values {
        /// The numbers, `[num_rows × names.len()]` row by row.
        values: Vec<f64>,
        /// Names of the label columns.
        names: Vec<String>,
    },
}

impl TableConfig {
    /// Reads the table.
    ///
    /// # Errors
    /// [`TableError`] with the place in the file if a row or cell cannot be used, or with the key of the
    /// configuration if it does not fit the table.
    pub fn load(&self) -> Result<LoadedTable, TableError> {
        todo!()
    }
}
