//! The menu of data sets: one file for each, and one row in the table of [`DatasetConfig`].

mod blobs;
mod circles;
mod classification;
mod csv;
mod diabetes;
mod digits;
mod fashion_mnist;
mod gates;
mod image_folder;
mod iris;
mod mnist;
mod moons;
mod penguins;
mod points;
mod regression;
mod spirals;
#[cfg(test)]
mod tests;
mod winequality;
mod xor;

use std::path::PathBuf;

use emberlab_menu::Problem;
use emberlab_tables::TableConfig;

use crate::dataset::Dataset;
use crate::error::DatasetError;
use crate::files::Download;
use crate::samples::Samples;

pub use blobs::Blobs;
pub use circles::Circles;
pub use classification::{Classification, PerFeature, RandomPerFeature};
pub use diabetes::Diabetes;
pub use digits::{Digits, DigitsTask};
pub use fashion_mnist::FashionMnist;
pub use gates::{Gate, Gates};
pub use image_folder::ImageFolder;
pub use iris::Iris;
pub use mnist::Mnist;
pub use moons::Moons;
pub use penguins::Penguins;
pub use points::{Points, PointsTask};
pub use regression::{Regression, RegressionFunction};
pub use spirals::Spirals;
pub use winequality::WineQuality;
pub use xor::Xor;

emberlab_menu::menu! {
    /// A data set: its name, and the parameters that it has.
    pub enum DatasetConfig("a data set"), written as a table, dispatched by with_source!($) {
        "moons" => Moons(Moons),
        "circles" => Circles(Circles),
        "spirals" => Spirals(Spirals),
        "blobs" => Blobs(Blobs),
        "xor" => Xor(Xor),
        "gates" => Gates(Gates),
        "classification" => Classification(Classification),
        "regression" => Regression(Regression),
        "iris" => Iris(Iris),
        "penguins" => Penguins(Penguins),
        "diabetes" => Diabetes(Diabetes),
        "winequality" => WineQuality(WineQuality),
        "digits" => Digits(Digits),
        "mnist" => Mnist(Mnist),
        "fashion_mnist" => FashionMnist(FashionMnist),
        "csv" => Csv(TableConfig),
        "image_folder" => ImageFolder(ImageFolder),
        "points" => Points(Points),
    }
}

/// The origin of a data set's samples.
#[derive(Debug, Clone, Copy)]
pub enum Origin {
    /// They are drawn from a seed.
    Generated,
    /// They are inside the program file.
    Embedded,
    /// They are written in the configuration.
    Configuration,
    /// They are in files that `emberlab data fetch` downloads once.
    Fetched(&'static Download),
    /// They are in a file or a folder of the user's own.
    OwnFile,
}

/// An entry of the menu of data sets.
pub(crate) trait DataSource {
    /// The origin of the samples.
    fn origin(&self) -> Origin;

    /// The pixel value that is shown as white; `None` if the samples are not images.
    fn white(&self) -> Option<u8> {
        None
    }

    /// Whether the images are light shapes on a dark background. A drawing on white paper is then inverted before it is
    /// predicted.
    fn is_light_on_dark(&self) -> bool {
        false
    }

    /// The configuration of a table of the user's own; `None` for any other data set.
    fn table(&self) -> Option<&TableConfig> {
        None
    }

    /// The path of the user's own file or folder; `None` if the samples are elsewhere.
    fn own_path(&mut self) -> Option<&mut PathBuf> {
        None
    }

    /// Checks every value, without touching any file.
    fn validate(&self) -> Result<(), Problem> {
        Ok(())
    }

    /// Generates or reads the samples of a configuration that is valid.
    ///
    /// `data_dirs` are searched in order for fetched files. `seed` draws generated samples, unless the
    /// configuration has a seed of its own.
    fn load(&self, data_dirs: &[PathBuf], seed: u64) -> Result<Samples, DatasetError>;

    /// The samples of [`load`](Self::load) before anything is fitted on the training rows.
    fn load_dataset(&self, data_dirs: &[PathBuf], seed: u64) -> Result<Dataset, DatasetError> {
        self.load(data_dirs, seed).map(Dataset::from)
    }
}

impl DatasetConfig {
    /// The origin of the samples.
    pub fn origin(&self) -> Origin {
        with_source!(self, source => source.origin())
    }

    /// The pixel value that is shown as white; `None` if the samples are not images.
    pub fn white(&self) -> Option<u8> {
        with_source!(self, source => source.white())
    }

    /// Whether the images are light shapes on a dark background.
    pub fn is_light_on_dark(&self) -> bool {
        with_source!(self, source => source.is_light_on_dark())
    }

    /// The configuration of a table of the user's own; `None` for any other data set.
    pub fn table(&self) -> Option<&TableConfig> {
        with_source!(self, source => source.table())
    }

    /// The path of the user's own file or folder; `None` if the samples are elsewhere.
    pub fn own_path(&mut self) -> Option<&mut PathBuf> {
        with_source!(self, source => source.own_path())
    }

    /// Checks every value, without touching any file.
    ///
    /// # Errors
    /// [`Problem`] names the first key outside its range.
    pub fn validate(&self) -> Result<(), Problem> {
        with_source!(self, source => DataSource::validate(source))
    }

    /// Generates or reads the samples.
    ///
    /// `data_dirs` are searched in order for fetched data sets. `seed` draws generated ones, unless they have
    /// a seed of their own.
    ///
    /// # Errors
    /// [`DatasetError::Value`] as [`validate`](Self::validate); [`DatasetError::Missing`], [`DatasetError::Io`],
    /// [`DatasetError::Idx`], [`DatasetError::Image`] and [`DatasetError::Table`] if files are absent or damaged.
    pub fn load(&self, data_dirs: &[PathBuf], seed: u64) -> Result<Dataset, DatasetError> {
        self.validate()?;
        with_source!(self, source => source.load_dataset(data_dirs, seed))
    }
}
