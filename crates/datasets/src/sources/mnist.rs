//! `mnist`: handwritten digits of 28×28 pixels, from files that `emberlab data fetch` brings.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DataSource, Origin};
use crate::error::DatasetError;
use crate::files::{Download, mnist_format};
use crate::samples::{Samples, numbered_classes};

/// 70000 handwritten digits of 28×28 pixels.
///
/// The 60000 training rows come first, then the 10000 test rows.
///
/// # Source
/// LeCun, Cortes, Burges, <http://yann.lecun.com/exdb/mnist/>.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mnist {}

static DOWNLOAD: Download = Download {
    dataset: "mnist",
    folder: "mnist",
    files: &[
        (
            "train-images-idx3-ubyte.gz",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        (
            "train-labels-idx1-ubyte.gz",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
        (
            "t10k-images-idx3-ubyte.gz",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        (
            "t10k-labels-idx1-ubyte.gz",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    ],
    mirrors: &[
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ],
};

impl DataSource for Mnist {
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
        mnist_format::load(&DOWNLOAD, numbered_classes(10), data_dirs)
    }
}
