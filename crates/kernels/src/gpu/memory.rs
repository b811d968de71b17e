//! The numbers of a tensor in a GPU's memory.

use burn::tensor::{DType, Device, Tensor};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{Cube, CubeDevice};
use burn_dispatch::DispatchDevice;
use cubecl::prelude::BufferArg;

/// A device as kernels for GPUs use it; none for a device that is no GPU of this process.
pub fn gpu_of(device: &Device) -> Option<CubeDevice> {
    let device = device.clone().inner();
    match device.as_dispatch() {
        DispatchDevice::Cube(CubeDevice::Cpu(_)) => None,
        DispatchDevice::Cube(device) => Some(device.clone()),
        _ => None,
    }
}

/// Whether a device is a GPU of this process.
pub fn is_gpu(device: &Device) -> bool {
    gpu_of(device).is_some()
}

/// Whether kernels for GPUs apply to a tensor: f32, on a GPU, and not tracked by autodiff.
pub fn is_on_gpu<const D: usize>(x: &Tensor<D>) -> bool {
    let device = x.device();
    x.dtype() == DType::F32 && !device.is_autodiff() && gpu_of(&device).is_some()
}

/// Burn's own tensor inside one that is [on a GPU](is_on_gpu). Every kernel takes its tensors here.
///
/// # Panics
/// If the tensor is elsewhere.
pub(super) fn primitive<const D: usize>(x: Tensor<D>) -> CubeTensor {
    match x.try_into_primitive::<Cube>() {
        Ok(x) => x,
        Err(error) => unreachable!("see `is_on_gpu`: {error:?}"),
    }
}

/// [`primitive`], with its numbers row by row.
pub(super) fn rows<const D: usize>(x: Tensor<D>) -> CubeTensor {
    into_contiguous(primitive(x))
}

/// The tensor around one of Burn's own.
pub(super) fn tensor<const D: usize>(x: CubeTensor) -> Tensor<D> {
    Tensor::from_primitive::<Cube>(x)
}

/// Memory for a tensor of this shape on the device of another, with whatever it holds.
pub(super) fn empty(like: &CubeTensor, shape: impl Into<burn::tensor::Shape>) -> CubeTensor {
    let (client, device) = (like.client.clone(), like.device.clone());
    empty_device_contiguous_dtype(client, device, shape.into(), DType::F32)
}

/// The numbers of a tensor as an argument of a kernel.
pub(super) fn argument(x: &CubeTensor) -> BufferArg {
    x.clone().into_buffer_arg()
}
