//! What can be wrong with a network's description or with tensors meant for it.

use burn::tensor::DType;
use emberlab_menu::Problem;

/// Why a network cannot be built or filled.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ModelError {
    /// A value of the configuration that no network can have. Keys are those of the model's table, such as
    /// `initializer.gain`.
    #[error(transparent)]
    Value(#[from] Problem),
    /// Samples of a shape that the network cannot take.
    #[error("samples have shape {shape:?}, expected {expected}")]
    InputShape {
        /// Shape of one sample.
        shape: Vec<usize>,
        /// What would have been accepted.
        expected: String,
    },
    /// A number format that the device does not compute in.
    #[error("this device does not compute in {dtype:?}")]
    DType {
        /// The format asked for.
        dtype: DType,
    },
    /// A tensor to load is not there.
    #[error("tensor `{name}` is missing")]
    MissingTensor {
        /// The network's name for it.
        name: String,
    },
    /// A tensor to load has no place in the network.
    #[error("the network has no tensor `{name}`")]
    UnknownTensor {
        /// The name given.
        name: String,
    },
    /// A tensor to load has another shape than its place in the network.
    #[error("tensor `{name}` has shape {shape:?}, expected {expected:?}")]
    TensorShape {
        /// The network's name for it.
        name: String,
        /// The shape given.
        shape: Vec<usize>,
        /// The network's shape.
        expected: Vec<usize>,
    },
}

impl ModelError {
    /// A wrong config value.
    pub(crate) fn value(
        key: impl Into<String>,
        value: impl ToString,
        expected: impl Into<String>,
    ) -> Self {
        Problem::new(key, value, expected).into()
    }
}
