//! The files that samples come from: downloads, MNIST's format, PNG and JPEG images.

mod download;
mod idx;
mod input_image;
mod jpeg;
pub(crate) mod mnist_format;

pub use download::{Download, FetchProgress, fetch};
pub use input_image::{Color, InputImage};
