//! The numbers of a tensor, read and changed where they lie.

use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_flex::{Flex, FlexTensor};

/// Whether a tensor's numbers are f32 in the host's memory, and no gradient is followed through them.
pub fn holds<const D: usize>(x: &Tensor<D>) -> bool {
    let device = x.device();
    x.dtype() == DType::F32 && device == Device::flex() && !device.is_autodiff()
}

/// Flex's own tensor of one that the host [`holds`].
pub(crate) fn primitive<const D: usize>(x: Tensor<D>) -> FlexTensor {
    match x.try_into_primitive::<Flex>() {
        Ok(x) => x,
        Err(error) => unreachable!("see `holds`: {error:?}"),
    }
}

/// The numbers of a tensor, row by row.
#[derive(Debug)]
pub struct Numbers(FlexTensor);

impl Numbers {
    /// Those of a tensor that the host [`holds`].
    ///
    /// # Panics
    /// If it does not.
    pub fn take<const D: usize>(x: Tensor<D>) -> Self {
        // A copy only of views that skip numbers or have them in another order.
        Self(primitive(x).to_contiguous())
    }

    /// Of numbers for each place of a shape.
    ///
    /// # Panics
    /// If there are not as many numbers as the shape says.
    pub fn new<const D: usize>(numbers: Vec<f32>, shape: [usize; D]) -> Self {
        Self(FlexTensor::from_data(TensorData::new(numbers, shape)))
    }

    /// To read.
    pub fn as_slice(&self) -> &[f32] {
        self.0.storage()
    }

    /// To change; copies them first if another tensor shares them.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        self.0.storage_mut()
    }

    /// The tensor that they are the numbers of.
    pub fn into_tensor<const D: usize>(self) -> Tensor<D> {
        Tensor::from_primitive::<Flex>(self.0)
    }
}

/// `f(x)` of each number.
///
/// # Errors
/// The tensor itself, unless the host [`holds`] it.
pub fn map<const D: usize>(x: Tensor<D>, f: impl Fn(f32) -> f32) -> Result<Tensor<D>, Tensor<D>> {
    if !holds(&x) {
        return Err(x);
    }
    let mut x = Numbers::take(x);
    for x in x.as_mut_slice() {
        *x = f(*x);
    }
    Ok(x.into_tensor())
}

/// Two tensors of one shape.
pub type Pair<const D: usize> = (Tensor<D>, Tensor<D>);

/// `f(x, y)` of each two numbers; written where `x` lies, if nothing shares it.
///
/// # Shapes
/// - `x`, `y` and the result: any, the same
///
/// # Errors
/// The tensors themselves, unless the host [`holds`] both and their shapes are the same.
pub fn zip<const D: usize>(
    x: Tensor<D>,
    y: Tensor<D>,
    f: impl Fn(f32, f32) -> f32,
) -> Result<Tensor<D>, Pair<D>> {
    if !holds_both(&x, &y) {
        return Err((x, y));
    }
    let (mut x, y) = (Numbers::take(x), Numbers::take(y));
    for (x, &y) in x.as_mut_slice().iter_mut().zip(y.as_slice()) {
        *x = f(*x, y);
    }
    Ok(x.into_tensor())
}

/// [`zip`] for a function of two results, each of which becomes a tensor.
///
/// # Errors
/// As [`zip`].
pub fn zip_to_both<const D: usize>(
    x: Tensor<D>,
    y: Tensor<D>,
    f: impl Fn(f32, f32) -> (f32, f32),
) -> Result<Pair<D>, Pair<D>> {
    if !holds_both(&x, &y) {
        return Err((x, y));
    }
    let (mut x, mut y) = (Numbers::take(x), Numbers::take(y));
    for (x, y) in x.as_mut_slice().iter_mut().zip(y.as_mut_slice()) {
        (*x, *y) = f(*x, *y);
    }
    Ok((x.into_tensor(), y.into_tensor()))
}

fn holds_both<const D: usize>(x: &Tensor<D>, y: &Tensor<D>) -> bool {
    holds(x) && holds(y) && x.dims() == y.dims()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers<const D: usize>(x: &Tensor<D>) -> Vec<f32> {
        x.to_data().try_to_vec().expect("f32")
    }

    #[test]
    fn a_change_of_a_shared_tensor_leaves_the_other_as_it_was() {
        let x = Tensor::<2>::from_data([[1.0, 2.0], [3.0, 4.0]], &Device::flex());
        let other = x.clone();
        let halves = map(x, |x| x / 2.0).expect("in the host's memory");
        assert_eq!(numbers(&halves), [0.5, 1.0, 1.5, 2.0]);
        assert_eq!(numbers(&other), [1.0, 2.0, 3.0, 4.0]);
        let (sums, products) = zip_to_both(other.clone(), other.clone(), |x, y| (x + y, x * y))
            .expect("in the host's memory");
        assert_eq!(numbers(&sums), [2.0, 4.0, 6.0, 8.0]);
        assert_eq!(numbers(&products), [1.0, 4.0, 9.0, 16.0]);
        assert_eq!(numbers(&other), [1.0, 2.0, 3.0, 4.0]);
    }

    #[test]
    fn views_are_read_in_the_order_of_their_rows() {
        let x = Tensor::<2>::from_data([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], &Device::flex());
        let same = |x| map(x, |x| x).expect("in the host's memory");
        assert_eq!(
            numbers(&same(x.clone().transpose())),
            [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]
        );
        assert_eq!(numbers(&same(x.slice([1..2, 1..3]))), [5.0, 6.0]);
    }

    #[test]
    fn tensors_with_gradients_or_of_f64_are_given_back() {
        let device = Device::flex();
        let plain = Tensor::<1>::from_data([1.0], (&device, DType::F32));
        let tracked = Tensor::<1>::from_data([1.0], (&device.clone().autodiff(), DType::F32));
        let precise = Tensor::<1>::from_data([1.0], (&device, DType::F64));
        assert!(holds(&plain));
        for other in [tracked, precise] {
            assert!(!holds(&other));
            assert!(map(other.clone(), |x| x).is_err());
            assert!(zip(other.clone(), other, |x, _| x).is_err());
        }
        let longer = Tensor::<1>::from_data([1.0, 2.0], (&device, DType::F32));
        assert!(zip(plain, longer, |x, _| x).is_err());
    }
}
