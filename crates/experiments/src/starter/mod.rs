//! A first experiment for data of the user's own: every choice is written out with the reason for it.
//!
//! - `table`: how the table is read, and which columns are features;
//! - `images`: the size and the colours of the images in a folder;
//! - `label`: the column to learn, its task and its positive class;
//! - `training`: splits, network, loss and optimiser for the size of the data;
//! - `comments`: remarks about keys;
//! - `toml`: the experiment as TOML with these remarks.

mod comments;
mod images;
mod label;
mod table;
#[cfg(test)]
mod tests;
mod toml;
mod training;

use std::path::{Path, PathBuf};

use emberlab_tables::{FormatConfig, TableError, TableTask};

use self::comments::Comments;
use crate::config::ExperimentConfig;
use crate::error::ExperimentError;
use crate::trial::Prepared;

pub use self::label::guess_label;

/// An experiment for data without a configuration, with the reason for each choice.
#[derive(Debug, Clone)]
pub struct Starter {
    /// The experiment.
    pub config: ExperimentConfig,
    /// Sentences about what was found and chosen.
    pub notes: Vec<String>,
    /// Sentences about points to check before believing a result.
    pub warnings: Vec<String>,
    comments: Comments,
}

impl Starter {
    /// An experiment that learns the column `label` of the table at `path`. Without `task`, a label with many different
    /// numbers is a regression. `format` says how the file is read; whatever it leaves open is detected in the file.
    ///
    /// # Errors
    /// [`ExperimentError::Dataset`] if the file cannot be read as a table, has no such column, or no row has a label.
    pub fn for_table(
        path: &Path,
        format: &FormatConfig,
        label: &str,
        task: Option<TableTask>,
    ) -> Result<Self, ExperimentError> {
        table::starter(path, format, label, task)
    }

    /// An experiment that learns the classes of the images in the folder at `path`, which holds a folder for each
    /// class.
    ///
    /// # Errors
    /// [`ExperimentError::Dataset`] if there are fewer than two folders, or an image cannot be read.
    pub fn for_images(path: &Path) -> Result<Self, ExperimentError> {
        images::starter(path)
    }

    /// The experiment as TOML with a remark about each choice. Keys that have their default and no remark are left out.
    ///
    /// # Errors
    /// [`ExperimentError::Toml`] if the path of the data is not UTF-8.
    pub fn to_toml(&self) -> Result<String, ExperimentError> {
        Ok(toml::write(&self.config, &self.comments)?)
    }

    /// Checks that a training can begin: loads the data, splits them and computes the features.
    ///
    /// # Errors
    /// As [`Prepared::for_training`].
    pub fn check(&self, data_dirs: &[PathBuf]) -> Result<(), ExperimentError> {
        Prepared::for_training(self.config.clone(), data_dirs).map(drop)
    }
}

/// A name for experiments on the data at `path`: its file stem, with `_` for characters that the name of a folder of
/// runs cannot have.
fn experiment_name(path: &Path) -> String {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    // A table may be compressed: `titanic.csv.gz` becomes `titanic`.
    let stem = file.split('.').find(|part| !part.is_empty());
    let is_plain = |c: char| c.is_alphanumeric() || "-_".contains(c);
    let name: String = stem
        .unwrap_or_default()
        .chars()
        .map(|c| if is_plain(c) { c } else { '_' })
        .collect();
    match name.as_str() {
        "" => "experiment".to_owned(),
        _ => name,
    }
}

/// The error of a table as one of the experiment.
fn table_error(error: TableError) -> ExperimentError {
    emberlab_datasets::DatasetError::from(error).into()
}
