//! The layers of networks, apart from normalizations and activations.

mod convolution;
mod dense;
pub(crate) mod max_pool;
mod patches;

pub use convolution::Convolution;
pub use dense::Dense;
pub(crate) use patches::Patches;
