//! `fashion_mnist`: pieces of clothing of 28×28 pixels, from files that `emberlab data fetch` brings.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DataSource, Origin};
use crate::error::DatasetError;
use crate::files::{Download, mnist_format};
use crate::samples::{Samples, names};

/// 70000 pictures of clothes of 28×28 pixels, in ten classes.
///
/// The 60000 training rows come first, then the 10000 test rows.
///
/// # Source
/// Xiao, Rasul, Vollgraf 2017, <https://arxiv.org/abs/1708.07747>.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FashionMnist {}

static DOWNLOAD: Download = Download {
    dataset: "fashion_mnist",
    folder: "fashion-mnist",
    files: &[
        (
            "train-images-idx3-ubyte.gz",
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        (
            "train-labels-idx1-ubyte.gz",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        (
            "t10k-images-idx3-ubyte.gz",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
        (
            "t10k-labels-idx1-ubyte.gz",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    ],
    mirrors: &["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"],
};

const CLASSES: [&str; 10] = [
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
];

impl DataSource for FashionMnist {
    fn origin(&self) -> Origin {
        Origin::Fetched(&DOWNLOAD)
    }

    fn white(&self) -> Option<u8> {
        Some(u8::MAX)
    }

    fn is_light_on_dark(&self) -> bool {
        true
    }

    /// Reads the files: features `[70000, 784]`, bytes; `input_shape` `[1, 28, 28]`.
    fn load(&self, data_dirs: &[PathBuf], _: u64) -> Result<Samples, DatasetError> {
        mnist_format::load(&DOWNLOAD, names(&CLASSES), data_dirs)
    }
}
