//! The formats of table files.

mod numpy;
mod parquet;

pub use numpy::{NumpyError, NumpyRows};
pub use parquet::ParquetError;
