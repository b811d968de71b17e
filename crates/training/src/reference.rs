//! PyTorch's numbers for the tests of losses and optimisers: `tests-data/kernels.json`.
//!
//! They are compared in f32 on flex without autodiff, as most trainings compute; there the host kernels run.
//!
//! `tests-data/kernels.py` makes the file, and says how to add a row.

use burn::tensor::Tensor;
pub(crate) use emberlab_reference::{Number, host_tensor as tensor, is_near, run, values};
use serde::Deserialize;

use crate::{LossConfig, OptimizerConfig};

/// The content of `tests-data/kernels.json`.
#[derive(Deserialize)]
pub(crate) struct Table {
    pub losses: Vec<LossRow>,
    pub optimizers: Vec<OptimizerRow>,
}

#[derive(Deserialize)]
pub(crate) struct LossRow {
    pub loss: LossConfig,
    /// Whether it has a host kernel.
    pub is_fused: bool,
    pub case: String,
    /// The shape of outputs and targets.
    pub shape: [usize; 2],
    pub outputs: Vec<Number>,
    pub targets: Vec<Number>,
    pub value: Number,
    /// `None` where Emberlab's definition differs from PyTorch's: zero where a logarithm is bounded.
    pub gradient: Option<Vec<Number>>,
}

#[derive(Deserialize)]
pub(crate) struct OptimizerRow {
    pub optimizer: OptimizerConfig,
    /// Whether it has a host kernel.
    pub is_fused: bool,
    pub case: String,
    /// The gradients of each step.
    pub gradients: Vec<[Number; 3]>,
    /// The parameters after each step. They start at 1, −2 and 0.5.
    pub after: Vec<[Number; 3]>,
}

pub(crate) fn table() -> Table {
    serde_json::from_str(include_str!("../tests-data/kernels.json")).expect("the table parses")
}

pub(crate) fn numbers<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
    tensor.to_data().iter::<f64>().collect()
}
