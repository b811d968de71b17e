//! A table of typed columns in memory.

use crate::columns::{ColumnType, DateOrder};

/// Columns of equal length, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The columns.
    pub columns: Vec<Column>,
    /// The number of columns of the file, features or not.
    pub num_file_columns: usize,
    /// The line of each row as an editor counts it, from 1; for files without lines the row, from 1.
    pub lines: Vec<u64>,
}

/// A column with its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub column_type: ColumnType,
    /// For dates, the order of day and month where it matters; `None` for other columns.
    pub date_order: Option<DateOrder>,
    /// Its values, one for each row.
    pub values: Values,
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Numbers; booleans and the presence of a value as 0 and 1; dates as days since 1970-01-01. A missing value is NaN.
    Numbers(Vec<f64>),
    /// Categories.
    Categories {
        /// The category of each row as an index into `names`; `None` if it is missing.
        codes: Vec<Option<u32>>,
        /// The different categories, in alphabetic order.
        names: Vec<String>,
    },
}

impl Table {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

impl Values {
    /// Whether the value of a row is missing; also if there is no such row.
    pub(crate) fn is_missing(&self, row: usize) -> bool {
        match self {
            Self::Numbers(numbers) => numbers.get(row).is_none_or(|number| number.is_nan()),
            Self::Categories { codes, .. } => codes.get(row).is_none_or(Option::is_none),
        }
    }
}
