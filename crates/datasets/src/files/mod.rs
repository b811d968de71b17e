//! The files that samples come from: downloads, MNIST's format and PNG images.

mod download;
mod grey_image;
mod idx;
pub(crate) mod mnist_format;
mod png;

pub use download::{Download, FetchProgress, fetch};
pub use grey_image::GreyImage;
