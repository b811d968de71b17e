//! The numbers of a tensor on any device, to read in the host's memory.

use burn::tensor::{Device, Element, Tensor, TensorReadError};
use burn_flex::{Flex, FlexTensor};

/// A floating-point number that tensors hold: f32 or f64.
pub trait Float: Element + Into<f64> {
    /// The numbers of flex's own tensor, which is contiguous.
    #[doc(hidden)]
    fn storage(tensor: &FlexTensor) -> &[Self];
}

impl Float for f32 {
    fn storage(tensor: &FlexTensor) -> &[Self] {
        tensor.storage()
    }
}

impl Float for f64 {
    fn storage(tensor: &FlexTensor) -> &[Self] {
        tensor.storage()
    }
}

/// The numbers of a tensor, row by row, to read.
#[derive(Debug, Clone)]
pub struct HostNumbers<T>(Source<T>);

#[derive(Debug, Clone)]
enum Source<T> {
    /// The memory of a tensor on flex, which the tensor shares.
    Shared(FlexTensor),
    /// A copy of the numbers of a tensor on another device.
    Copied(Vec<T>),
}

impl<T: Float> HostNumbers<T> {
    /// The numbers of a tensor of this type on a device without autodiff. On flex they are the memory of the tensor,
    /// from other devices they are copied.
    ///
    /// # Errors
    /// [`TensorReadError`] if the tensor holds another type, or if the device fails.
    pub fn read<const D: usize>(x: &Tensor<D>) -> Result<Self, TensorReadError> {
        if x.dtype() == T::dtype()
            && x.device() == Device::flex()
            && let Ok(x) = x.clone().try_into_primitive::<Flex>()
        {
            // Copies only views that skip numbers or have them in another order.
            return Ok(Self(Source::Shared(x.to_contiguous())));
        }
        let numbers = x.clone().try_into_data()?.try_into_vec::<T>()?;
        Ok(Self(Source::Copied(numbers)))
    }

    /// The numbers.
    pub fn as_slice(&self) -> &[T] {
        match &self.0 {
            Source::Shared(tensor) => T::storage(tensor),
            Source::Copied(numbers) => numbers,
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::DType;

    use super::*;

    #[test]
    fn a_tensor_on_flex_is_read_without_a_copy_and_a_view_in_the_order_of_its_rows() {
        let options = (&Device::flex(), DType::F64);
        let x = Tensor::<2>::from_data([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], options);
        let first = HostNumbers::<f64>::read(&x).expect("numbers");
        let second = HostNumbers::<f64>::read(&x).expect("numbers");
        assert_eq!(first.as_slice(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(first.as_slice().as_ptr(), second.as_slice().as_ptr());
        let view = HostNumbers::<f64>::read(&x.slice([1..2, 1..3])).expect("numbers");
        assert_eq!(view.as_slice(), [5.0, 6.0]);
    }

    #[test]
    fn numbers_of_another_type_are_refused() {
        let x = Tensor::<1>::from_data([1.0], (&Device::flex(), DType::F32));
        assert!(HostNumbers::<f64>::read(&x).is_err());
    }
}
