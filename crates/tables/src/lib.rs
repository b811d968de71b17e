//! Tables of a user's own, row by row.

mod files;

pub use files::{NumpyError, NumpyRows, ParquetError};
