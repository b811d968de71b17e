//! `csv`: a table of your own.

use std::path::PathBuf;

use emberlab_menu::Problem;
use emberlab_tables::TableConfig;

use super::{DataSource, Origin};
use crate::dataset::Dataset;
use crate::error::DatasetError;
use crate::samples::Samples;

impl DataSource for TableConfig {
    fn origin(&self) -> Origin {
        Origin::OwnFile
    }

    fn table(&self) -> Option<&TableConfig> {
        Some(self)
    }

    fn own_path(&mut self) -> Option<&mut PathBuf> {
        Some(&mut self.path)
    }

    fn validate(&self) -> Result<(), Problem> {
        TableConfig::validate(self)
    }

    /// Reads the table and encodes it, fitted on all rows.
    fn load(&self, data_dirs: &[PathBuf], seed: u64) -> Result<Samples, DatasetError> {
        self.load_dataset(data_dirs, seed)?.encode_all()
    }

    fn load_dataset(&self, _: &[PathBuf], _: u64) -> Result<Dataset, DatasetError> {
        Ok(Dataset::of_table(self, TableConfig::load(self)?))
    }
}
