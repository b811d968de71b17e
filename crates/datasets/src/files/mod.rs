//! The files that samples come from: downloads, MNIST's format, CSV tables, PNG and JPEG images.

pub(crate) mod csv_table;
mod download;
mod idx;
mod input_image;
mod jpeg;
pub(crate) mod mnist_format;

pub use download::{Download, FetchProgress, fetch};
pub use input_image::{Color, InputImage};
