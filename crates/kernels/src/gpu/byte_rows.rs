//! [`crate::ByteRows`] on a GPU.

use std::fmt;

use burn::tensor::{DType, Device, Tensor};
use burn_cubecl::CubeDevice;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use emberlab_fused::gpu::operations::PackedRows;

use super::memory::{argument, gpu_of, tensor};

/// Rows of bytes in the memory of a GPU, which takes a quarter of the memory of f32. Each byte stands for a number of a
/// table, such as its standardised value.
#[derive(Clone)]
pub struct ByteRows {
    rows: PackedRows,
    gpu: CubeDevice,
    device: Device,
    num_rows: usize,
    width: usize,
}

impl fmt::Debug for ByteRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = [self.num_rows, self.width];
        f.debug_tuple("ByteRows").field(&shape).finish()
    }
}

impl ByteRows {
    /// Copies bytes and their numbers to a GPU; none if the device is no GPU.
    ///
    /// # Shapes
    /// - bytes: `[num_rows × width]`, at least one row and one column
    /// - table: `[width × 256]`: the number of each byte in each column
    pub fn upload(bytes: &[u8], table: &[f32], width: usize, device: &Device) -> Option<Self> {
        let gpu = gpu_of(device)?;
        Some(Self {
            rows: PackedRows::new(&gpu.client(), bytes, table, width),
            gpu,
            device: device.clone(),
            num_rows: bytes.len() / width.max(1),
            width,
        })
    }

    /// The number of rows and their width.
    pub fn dims(&self) -> [usize; 2] {
        [self.num_rows, self.width]
    }

    /// The GPU.
    pub fn device(&self) -> Device {
        self.device.clone()
    }

    /// The numbers of some rows, `[rows.len(), width]`.
    pub fn gather(&self, rows: &[u32]) -> Tensor<2> {
        let shape = [rows.len(), self.width];
        let (client, device) = (self.gpu.client(), self.gpu.clone());
        let numbers = empty_device_contiguous_dtype(client, device, shape.into(), DType::F32);
        self.rows.gather(rows, argument(&numbers));
        tensor(numbers)
    }
}
