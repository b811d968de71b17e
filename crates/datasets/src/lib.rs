//! Samples to learn from: generated, embedded, fetched or read from a file or a folder of the user's own.
//!
//! A [`DatasetConfig`] loads a [`Dataset`] on the host, a [`SplitConfig`] divides its rows into [`Splits`], and the
//! data set becomes [`Samples`], which are numbers. A [`Standardizer`] is fitted on the training rows, and each split
//! becomes a [`DeviceDataset`] on a device, where [`Batches`] hands out the batches of one epoch.
//!
//! To add a data set, write its file in `sources` and add its row to the table of
//! [`DatasetConfig`].

mod augmentation;
mod batches;
mod class_weights;
mod dataset;
mod device_dataset;
mod device_inputs;
mod error;
mod files;
mod generation;
mod random;
mod samples;
pub mod sources;
mod split;
mod standardize;
mod summary;

pub use augmentation::AugmentationConfig;
pub use batches::{Batch, BatchSize, Batches, Batching, RowOrder};
pub use class_weights::ClassWeights;
pub use dataset::Dataset;
pub use device_dataset::{DeviceDataset, Encoding};
pub use device_inputs::DeviceInputs;
pub use emberlab_tables::DerivedFeatures;
pub use error::DatasetError;
pub use files::{Color, Download, FetchProgress, InputImage, fetch};
pub use samples::{Features, Samples, Targets};
pub use sources::{DatasetConfig, Origin};
pub use split::{Amount, Fold, MissingClasses, SplitConfig, SplitMethod, Splits};
pub use standardize::{
    Standardize, StandardizeConfig, Standardizer, StatisticsFrom, nearly_constant, network_inputs,
    too_large, too_large_feature,
};
pub use summary::{ClassCount, FeatureSummary, Summary};
