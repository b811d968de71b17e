//! The kernels for GPUs in a program without them: no tensor is on a GPU.

// The tensors that are given back are large.
#![allow(clippy::result_large_err)]

use burn::tensor::{Device, Tensor};
use emberlab_fused::{Activation, Loss, Optimizer, Reduction};

use crate::Pair;

/// No device is a GPU.
pub fn is_gpu(_device: &Device) -> bool {
    false
}

/// No tensor is on a GPU.
pub fn is_on_gpu<const D: usize>(_x: &Tensor<D>) -> bool {
    false
}

/// Gives `x` back.
///
/// # Errors
/// `x`, which is not on a GPU.
pub fn activation<const D: usize>(
    x: Tensor<D>,
    _activation: Activation,
) -> Result<Tensor<D>, Tensor<D>> {
    Err(x)
}

/// Gives `x` back.
///
/// # Errors
/// `x`, which is not on a GPU.
pub fn activation_with_slopes<const D: usize>(
    x: Tensor<D>,
    _activation: Activation,
) -> Result<Pair<D>, Tensor<D>> {
    Err(x)
}

/// Gives `x` back.
///
/// # Errors
/// `x`, which is not on a GPU.
pub fn max_pool(x: Tensor<2>, _size: [usize; 3]) -> Result<Tensor<2>, Tensor<2>> {
    Err(x)
}

/// Never called: [`max_pool`] gives its inputs back.
///
/// # Panics
/// Always.
pub fn max_pool_backward(_x: Tensor<2>, _delta: Tensor<2>, _size: [usize; 3]) -> Tensor<2> {
    unreachable!("no tensor is on a GPU")
}

/// None: the outputs are not on a GPU.
pub fn batch_loss(
    _loss: (Loss, Reduction),
    _outputs: &Tensor<2>,
    _targets: &Tensor<2>,
    _weights: Option<&Tensor<2>>,
    _has_gradient: bool,
) -> Option<(Tensor<1>, Option<Tensor<2>>)> {
    None
}

/// The updates of parameters on a GPU. There are none.
#[derive(Debug)]
pub enum ParameterUpdates {}

impl ParameterUpdates {
    /// Gives the buffers back.
    ///
    /// # Errors
    /// The buffers, which are not on a GPU.
    pub fn new(
        _optimizer: Optimizer,
        _learning_rate: f64,
        _step: u64,
        buffers: Vec<Tensor<1>>,
    ) -> Result<Self, Vec<Tensor<1>>> {
        Err(buffers)
    }

    /// Never called.
    pub fn moved<const D: usize>(
        &mut self,
        _parameter: Tensor<D>,
        _gradient: Tensor<D>,
        _place: usize,
    ) -> Tensor<D> {
        match *self {}
    }

    /// Never called.
    pub fn into_buffers(self) -> Vec<Tensor<1>> {
        match self {}
    }
}

/// Rows of bytes in the memory of a GPU. There are none.
#[derive(Debug, Clone)]
pub enum ByteRows {}

impl ByteRows {
    /// None: the device is no GPU.
    pub fn upload(_bytes: &[u8], _table: &[f32], _width: usize, _device: &Device) -> Option<Self> {
        None
    }

    /// Never called.
    pub fn dims(&self) -> [usize; 2] {
        match *self {}
    }

    /// Never called.
    pub fn device(&self) -> Device {
        match *self {}
    }

    /// Never called.
    pub fn gather(&self, _rows: &[u32]) -> Tensor<2> {
        match *self {}
    }
}
