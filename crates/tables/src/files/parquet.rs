//! Parquet files, which are recognised and refused.
//!
//! The crate `parquet` (60.1, without its default features) turns on the feature `runtime-rng` of the crate `ahash`, and
//! Cargo compiles one `ahash` for the whole program. The hash maps of `burn-std` use that crate's fixed keys, which this
//! feature replaces by keys that are drawn anew in each process: `AHasher::default()` then gives other hashes every time,
//! maps are in another order, and the same seed might no longer give the same bits.

use std::path::PathBuf;

use thiserror::Error;

/// The first bytes of a Parquet file.
const START: &[u8] = b"PAR1";

/// A Parquet file cannot be read.
#[derive(Debug, Error)]
#[error(
    "{file}: found a Parquet file, which Emberlab does not read; convert it with `python3 -c \"import pandas; \
     pandas.read_parquet('{file}').to_csv('{csv}', index=False)\"`",
    file = .path.display(),
    csv = .path.with_extension("csv").display()
)]
pub struct ParquetError {
    /// The file.
    pub path: PathBuf,
}

impl ParquetError {
    /// Refuses a file whose first bytes are those of a Parquet file.
    ///
    /// # Errors
    /// [`ParquetError`] with the command that converts the file.
    pub fn check(path: impl Into<PathBuf>, first_bytes: &[u8]) -> Result<(), Self> {
        match first_bytes.starts_with(START) {
            true => Err(Self { path: path.into() }),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_parquet_file_is_refused_with_the_command_that_converts_it() {
        // pandas.DataFrame({"a": [1]}).to_parquet("t.parquet"): the first bytes
        let start = b"PAR1\x15\x04\x15\x10";
        let error = ParquetError::check("data/t.parquet", start).unwrap_err();
        assert_eq!(
            error.to_string(),
            "data/t.parquet: found a Parquet file, which Emberlab does not read; convert it with `python3 -c \"import \
             pandas; pandas.read_parquet('data/t.parquet').to_csv('data/t.csv', index=False)\"`"
        );
        ParquetError::check("t.csv", b"PAR,1\n").unwrap();
    }
}
