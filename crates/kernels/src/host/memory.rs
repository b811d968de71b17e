//! The numbers of a tensor in the host's memory.

use std::cell::Cell;

use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_flex::{Flex, FlexTensor};

/// Whether host kernels apply to a tensor: f32, in the host's memory, and not tracked by autodiff.
pub fn is_on_host<const D: usize>(x: &Tensor<D>) -> bool {
    let device = x.device();
    x.dtype() == DType::F32 && device == Device::flex() && !device.is_autodiff()
}

/// Whether a device is the processor, whose tensors lie in the host's memory, with or without autodiff.
///
/// A processor computes large operations fast and each in its caches. Other devices are GPUs, or take work as GPUs do:
/// they want thousands of threads for each operation, and few operations.
pub fn is_processor(device: &Device) -> bool {
    #[cfg(feature = "ndarray")]
    {
        #[allow(deprecated)] // a device that the user asked for by name
        let ndarray = Device::ndarray();
        if *device == ndarray {
            return true;
        }
    }
    *device == Device::flex()
}

thread_local! {
    /// The number of tensors that host kernels have taken on this thread.
    static NUM_TAKEN: Cell<u64> = const { Cell::new(0) };
}

/// Runs `operation`, and says whether a host kernel ran in it.
///
/// Right numbers do not show how they were computed, so tests ask here.
pub fn ran_fused<T>(operation: impl FnOnce() -> T) -> (T, bool) {
    let before = NUM_TAKEN.get();
    let result = operation();
    (result, NUM_TAKEN.get() > before)
}

/// Flex's own tensor inside one that is [on the host](is_on_host). Every host kernel takes its tensors here.
pub(crate) fn primitive<const D: usize>(x: Tensor<D>) -> FlexTensor {
    NUM_TAKEN.set(NUM_TAKEN.get() + 1);
    match x.try_into_primitive::<Flex>() {
        Ok(x) => x,
        Err(error) => unreachable!("see `is_on_host`: {error:?}"),
    }
}

/// The numbers of a tensor in the host's memory, row by row.
///
/// A tensor turns into its numbers and back without a copy.
#[derive(Debug)]
pub struct Numbers(FlexTensor);

impl Numbers {
    /// The numbers of a tensor that is [on the host](is_on_host).
    ///
    /// # Panics
    /// If the tensor is elsewhere.
    pub fn take<const D: usize>(x: Tensor<D>) -> Self {
        // Copies only views that skip numbers or have them in another order.
        Self(primitive(x).to_contiguous())
    }

    /// Numbers for a tensor of this shape.
    ///
    /// # Panics
    /// If there are not as many numbers as the shape says.
    pub fn new<const D: usize>(numbers: Vec<f32>, shape: [usize; D]) -> Self {
        Self(FlexTensor::from_data(TensorData::new(numbers, shape)))
    }

    /// The numbers, to read.
    pub fn as_slice(&self) -> &[f32] {
        self.0.storage()
    }

    /// The numbers, to change. Copies them first if another tensor shares them.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        self.0.storage_mut()
    }

    /// The tensor of these numbers.
    pub fn into_tensor<const D: usize>(self) -> Tensor<D> {
        Tensor::from_primitive::<Flex>(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_of_f64_or_tracked_by_autodiff_are_not_on_the_host() {
        let device = Device::flex();
        let plain = Tensor::<1>::from_data([1.0], (&device, DType::F32));
        let tracked = Tensor::<1>::from_data([1.0], (&device.clone().autodiff(), DType::F32));
        let precise = Tensor::<1>::from_data([1.0], (&device, DType::F64));
        assert!(is_on_host(&plain));
        assert!(!is_on_host(&tracked));
        assert!(!is_on_host(&precise));
    }

    #[test]
    fn a_change_leaves_a_tensor_that_shares_the_numbers_as_it_was() {
        let x = Tensor::<1>::from_data([1.0, 2.0], &Device::flex());
        let mut numbers = Numbers::take(x.clone());
        numbers.as_mut_slice()[0] = 5.0;
        assert_eq!(numbers.as_slice(), [5.0, 2.0]);
        assert_eq!(Numbers::take(x).as_slice(), [1.0, 2.0]);
    }

    #[test]
    fn views_are_read_in_the_order_of_their_rows() {
        let x = Tensor::<2>::from_data([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], &Device::flex());
        assert_eq!(
            Numbers::take(x.clone().transpose()).as_slice(),
            [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]
        );
        assert_eq!(Numbers::take(x.slice([1..2, 1..3])).as_slice(), [5.0, 6.0]);
    }
}
