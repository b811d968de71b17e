//! Samples to learn from: generated, embedded, fetched or the user's own.
//!
//! A [`DatasetConfig`] loads [`Samples`] on the host, a [`SplitConfig`] cuts their rows into [`Splits`],
//! a [`Standardizer`] is fitted on the training rows, and each split becomes [`DeviceDataset`] on a device,
//! where [`Batches`] hands out the batches of one epoch.

mod batches;
mod config;
mod csv_table;
mod device_dataset;
mod digits;
mod draws;
mod error;
mod fetch;
mod generated;
mod idx;
mod image_file;
mod iris;
mod mnist;
mod png;
mod samples;
mod split;
mod standardize;
mod summary;

pub use batches::{Batch, BatchConfig, BatchSize, Batches};
pub use config::DatasetConfig;
pub use csv_table::{CsvConfig, CsvTask};
pub use device_dataset::{DeviceDataset, Encoding};
pub use digits::{DigitsConfig, DigitsTask};
pub use error::DatasetError;
pub use fetch::{FetchProgress, Fetchable, Source, fetch, fetch_source};
pub use generated::blobs::BlobsConfig;
pub use generated::circles::CirclesConfig;
pub use generated::classification::{ClassificationConfig, PerFeature, RandomPerFeature};
pub use generated::gates::{Gate, GatesConfig};
pub use generated::moons::MoonsConfig;
pub use generated::regression::{RegressionConfig, RegressionFunction};
pub use generated::spirals::SpiralsConfig;
pub use generated::xor::XorConfig;
pub use image_file::GreyImage;
pub use iris::IrisConfig;
pub use mnist::MnistConfig;
pub use samples::{Features, Samples, Targets};
pub use split::{Amount, Fold, MissingClasses, SplitConfig, SplitMethod, Splits};
pub use standardize::{Standardize, StandardizeConfig, Standardizer, StatisticsFrom};
pub use summary::{ClassCount, FeatureSummary, Summary};
