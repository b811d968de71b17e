//! The description of a table: formats and columns as found, and what to look out for.

use std::path::Path;

use serde::Serialize;

use crate::columns::ColumnType;
use crate::error::TableError;
use crate::format::{Format, FormatConfig};

/// The description of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TableDescription {
    /// Number of rows.
    pub rows: u64,
    /// The format of the file.
    pub format: Format,
    /// The columns.
    pub columns: Vec<ColumnDescription>,
    /// Sentences about what to look out for.
    pub warnings: Vec<String>,
}

/// The description of a column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnDescription {
    /// Its name.
    pub name: String,
    /// The type that it is taken for.
    pub column_type: ColumnType,
    /// Number of missing values.
    pub missing: u64,
    /// Number of different values; an estimate from a million on.
    pub distinct: u64,
    /// Smallest number.
    pub min: Option<f64>,
    /// Largest number.
    pub max: Option<f64>,
    /// Mean of the numbers.
    pub mean: Option<f64>,
    /// A few values as written.
    pub examples: Vec<String>,
}

/// Describes a table in one pass and bounded memory.
///
/// # Errors
/// [`TableError`] if the file cannot be read as a table.
pub fn describe(_path: &Path, _format: &FormatConfig) -> Result<TableDescription, TableError> {
    todo!()
}
