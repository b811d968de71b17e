//! Memory of a device.

use cubecl::bytes::Bytes;
use cubecl::prelude::*;
use cubecl::server::Handle;
use cubecl::zspace::{Shape, Strides, Tiling};

use super::error::GpuError;

/// Memory of a device.
#[derive(Debug, Clone)]
pub(super) struct Buffer {
    handle: Handle,
    /// Number of elements.
    length: usize,
}

impl Buffer {
    /// A buffer that holds `numbers`, or one element if there are none: a kernel takes no empty buffer.
    fn new<T: CubeElement>(client: &Client, numbers: &[T], zero: T, components: usize) -> Self {
        let empty = vec![zero; components];
        let numbers = if numbers.is_empty() {
            empty.as_slice()
        } else {
            numbers
        };
        Self {
            handle: client.create_from_slice(T::as_bytes(numbers)),
            length: numbers.len() / components,
        }
    }

    /// Vectors of four numbers.
    pub(super) fn vectors(client: &Client, numbers: &[f32]) -> Self {
        Self::new(client, numbers, 0.0, 4)
    }

    /// Memory for vectors of four numbers, with whatever it holds.
    pub(super) fn of_vectors(client: &Client, length: usize) -> Self {
        let length = length.max(1);
        Self {
            handle: client.empty(length * 4 * size_of::<f32>()),
            length,
        }
    }

    /// Memory for numbers, with whatever it holds.
    pub(super) fn of_floats(client: &Client, length: usize) -> Self {
        let length = length.max(1);
        Self {
            handle: client.empty(length * size_of::<f32>()),
            length,
        }
    }

    pub(super) fn floats(client: &Client, numbers: &[f32]) -> Self {
        Self::new(client, numbers, 0.0, 1)
    }

    pub(super) fn integers(client: &Client, numbers: &[u32]) -> Self {
        Self::new(client, numbers, 0, 1)
    }

    pub(super) fn argument(&self) -> BufferArg {
        let binding = TensorBinding {
            handle: self.handle.clone().binding(),
            strides: Strides::new(&[1]),
            shape: Shape::from(vec![self.length]),
            tiling: Tiling::UNTILED,
        };
        binding.into_buffer_arg()
    }

    /// All elements, after all work that was asked for before.
    ///
    /// # Errors
    /// [`GpuError::Device`] if the device failed.
    pub(super) fn read<T: CubeElement>(&self, client: &Client) -> Result<Vec<T>, GpuError> {
        let bytes = read_all(client, &[self])?;
        Ok(T::from_bytes(&bytes[0]).to_vec())
    }
}

/// The bytes of some buffers, after all work that was asked for before.
///
/// # Errors
/// [`GpuError::Device`] if the device failed.
pub(super) fn read_all(client: &Client, buffers: &[&Buffer]) -> Result<Vec<Bytes>, GpuError> {
    let handles = buffers.iter().map(|buffer| buffer.handle.clone());
    let bytes = client.read(handles.collect());
    bytes.map_err(|error| GpuError::Device(format!("{error:?}")))
}
