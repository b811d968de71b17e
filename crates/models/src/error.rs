//! The errors of making networks and of loading tensors into them.

use burn::tensor::DType;
use emberlab_menu::Problem;

/// The reason why a network cannot be built or filled.
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
        /// The shapes that it takes.
        expected: String,
    },
    /// A number format that the device does not compute in.
    #[error("this device does not compute in {dtype:?}")]
    DType {
        /// The format.
        dtype: DType,
    },
    /// A tensor of the network is missing among those to load.
    #[error("tensor `{name}` is missing")]
    MissingTensor {
        /// Its name.
        name: String,
    },
    /// A tensor to load that the network does not have.
    #[error("the network has no tensor `{name}`")]
    UnknownTensor {
        /// Its name.
        name: String,
    },
    /// A tensor to load has another shape than the network's tensor of this name.
    #[error("tensor `{name}` has shape {shape:?}, expected {expected:?}")]
    TensorShape {
        /// Its name.
        name: String,
        /// The shape of the tensor to load.
        shape: Vec<usize>,
        /// The shape of the network's tensor.
        expected: Vec<usize>,
    },
}

impl ModelError {
    /// Samples of a shape that the network cannot take.
    pub(crate) fn input_shape(shape: &[usize], expected: &str) -> Self {
        Self::InputShape {
            shape: shape.to_vec(),
            expected: expected.to_owned(),
        }
    }
}
