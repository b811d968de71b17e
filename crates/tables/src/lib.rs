//! Tables as people have them, from the bytes of a file to numbers for a network.
//!
//! ```text
//! file ── format ──► rows of cells ── columns ──► Table ── Encoder ──► numbers
//!          delimiter,      with their     typed: numbers,     fitted on the training rows:
//!          header, …       line numbers   categories, dates    missing values, one-hot columns, …
//! ```
//!
//! A [`TableConfig`] says what is to be read and how. [`TableConfig::load`] reads a [`LoadedTable`]. An [`Encoder`] is
//! fitted on its training rows, and turns these and any later rows into numbers in the same way.

mod columns;
mod config;
mod derived_features;
mod description;
mod encoder;
mod error;
mod files;
mod format;
mod load;
#[cfg(test)]
mod mutated_tables;
#[cfg(test)]
mod mutations;
mod table;

pub use columns::{ColumnType, DateOrder};
pub use config::{
    Categories, CategoryEncoding, Dates, Impute, ImputeCategory, ImputeNumber, MissingLabels,
    OneOrMore, TableConfig, TableTask, UnseenCategories,
};
pub use derived_features::DerivedFeatures;
pub use description::{
    ClassCount, ColumnDescription, Subject, TableDescription, Useless, Warning, describe,
};
pub use encoder::{EncodedFeature, Encoder, NewRows};
pub use error::TableError;
pub use files::{HeaderLine, Row, RowReader};
pub use format::{Delimiter, Format, FormatConfig};
pub use load::{Label, LoadedTable};
pub use table::{Column, Table, Values};
