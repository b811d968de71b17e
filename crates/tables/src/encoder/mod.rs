//! Typed columns as numbers: missing values replaced, categories one-hot or ordinal, dates, derived features.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::config::TableConfig;
use crate::error::TableError;
use crate::files::{HeaderLine, RowReader};
use crate::table::Table;

/// How the columns of a table become features. Everything in it was fitted on the training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encoder {}

/// A feature of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct EncodedFeature {
    /// Its name: that of the column, or `column=category` for a one-hot column.
    pub name: String,
    /// Whether its values are 0 and 1 by construction, so that it is not standardised: one-hot columns, booleans and
    /// indicators of missing values.
    pub is_indicator: bool,
    /// The column it comes from, as an index into the table's columns; `None` if it is derived from several.
    pub column: Option<usize>,
}

/// Rows to predict.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRows {
    /// The features, `[num_rows × num_features]` row by row, not standardised.
    pub features: Vec<f64>,
    /// The line of each row.
    pub lines: Vec<u64>,
}

impl Encoder {
    /// Fits the encoder on `rows` of a table.
    ///
    /// # Errors
    /// [`TableError`] with the line and the key to set if a value is missing and nothing replaces it, a column has too
    /// many categories, or a derived feature cannot be computed.
    pub fn fit(_config: &TableConfig, _table: &Table, _rows: &[u32]) -> Result<Self, TableError> {
        todo!()
    }

    /// The features, in order.
    pub fn features(&self) -> Vec<EncodedFeature> {
        todo!()
    }

    /// The features of all rows of a table: `[num_rows × num_features]`, row by row.
    ///
    /// # Errors
    /// [`TableError`] with the line if a value is missing and nothing replaces it, or a category was not among the
    /// training rows.
    pub fn encode(&self, _config: &TableConfig, _table: &Table) -> Result<Vec<f64>, TableError> {
        todo!()
    }

    /// Reads rows to predict, whose columns are found by name, or by place if there is no header.
    ///
    /// # Errors
    /// [`TableError`] as [`encode`](Self::encode), and if columns are missing.
    pub fn read(
        &self,
        _config: &TableConfig,
        _path: &Path,
        _header: HeaderLine,
    ) -> Result<NewRows, TableError> {
        todo!()
    }

    /// Reads rows to predict from an open file.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_rows(
        &self,
        _config: &TableConfig,
        _rows: RowReader,
    ) -> Result<NewRows, TableError> {
        todo!()
    }
}
