//! Max-pooling by two, with its way back.

use burn::tensor::{Bool, Tensor, TensorData};
use emberlab_host::{self as host, Numbers};

/// Which pixels a max-pool took.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    /// Of each pair side by side, whether the right one: `[batch * height * width / 2, channels]`.
    right: Tensor<2, Bool>,
    /// Of each pair of those one above the other, whether the lower one:
    /// `[batch * height / 2, width / 2 * channels]`.
    lower: Tensor<2, Bool>,
    /// `[batch, height, width, channels]` before.
    shape: [usize; 4],
}

/// The largest of each square of two by two pixels, the first of equals, or NaN if there is any; an odd last row
/// or column is left out. Equals `torch.nn.MaxPool2d(2)`.
///
/// # Shapes
/// - `pixels`: `[batch * height * width, channels]`
/// - result: `[batch * (height / 2) * (width / 2), channels]`
pub(crate) fn forward(pixels: Tensor<2>, [batch, height, width]: [usize; 3]) -> (Tensor<2>, Taken) {
    let channels = pixels.dims()[1];
    let shape = [batch, height, width, channels];
    let (rows, columns) = (height / 2, width / 2);
    let pixels = match height % 2 + width % 2 {
        0 => pixels,
        _ => pixels
            .reshape(shape)
            .slice([0..batch, 0..2 * rows, 0..2 * columns])
            .reshape([batch * 4 * rows * columns, channels]),
    };
    let pairs = pixels.reshape([batch * 2 * rows * columns, 2 * channels]);
    let (beside, right) = larger_half(pairs);
    let pairs = beside.reshape([batch * rows, 2 * columns * channels]);
    let (pooled, lower) = larger_half(pairs);
    let taken = Taken {
        right,
        lower,
        shape,
    };
    (pooled.reshape([batch * rows * columns, channels]), taken)
}

impl Taken {
    /// The loss's gradient by the pixels: each goes to the pixel that was taken.
    ///
    /// # Shapes
    /// - `delta`: `[batch * (height / 2) * (width / 2), channels]`
    /// - result: `[batch * height * width, channels]`
    pub(crate) fn backward(self, delta: Tensor<2>) -> Tensor<2> {
        let [batch, height, width, channels] = self.shape;
        let delta = delta.reshape(self.lower.dims());
        let delta = to_halves(delta, self.lower).reshape(self.right.dims());
        let delta = to_halves(delta, self.right);
        match height % 2 + width % 2 {
            0 => delta.reshape([batch * height * width, channels]),
            _ => {
                let (rows, columns) = (height / 2 * 2, width / 2 * 2);
                let delta = delta.reshape([batch, rows, columns, channels]);
                let options = (&delta.device(), delta.dtype());
                Tensor::zeros(self.shape, options)
                    .slice_assign([0..batch, 0..rows, 0..columns, 0..channels], delta)
                    .reshape([batch * height * width, channels])
            }
        }
    }
}

/// Of each row's two halves the larger numbers, and where those are the second half's; NaN if either is.
fn larger_half(pairs: Tensor<2>) -> (Tensor<2>, Tensor<2, Bool>) {
    if host::holds(&pairs) {
        return larger_half_in_one_pass(pairs);
    }
    let [_, width] = pairs.dims();
    let first = pairs.clone().slice_dim(1, 0..width / 2);
    let second = pairs.slice_dim(1, width / 2..width);
    let is_second = first.clone().lower(second.clone());
    let is_second = is_second.bool_or(second.clone().is_nan());
    (first.mask_where(is_second.clone(), second), is_second)
}

/// The same of numbers in the host's memory.
fn larger_half_in_one_pass(pairs: Tensor<2>) -> (Tensor<2>, Tensor<2, Bool>) {
    let [num_rows, width] = pairs.dims();
    let (device, half) = (pairs.device(), width / 2);
    let pairs = Numbers::take(pairs);
    let mut larger = Vec::with_capacity(num_rows * half);
    let mut is_second = Vec::with_capacity(num_rows * half);
    for row in pairs.as_slice().chunks(width.max(1)) {
        let (first, second) = row.split_at(half);
        let both = || first.iter().zip(second);
        let takes_second = |a: f32, b: f32| a < b || b.is_nan();
        larger.extend(both().map(|(&a, &b)| if takes_second(a, b) { b } else { a }));
        is_second.extend(both().map(|(&a, &b)| takes_second(a, b)));
    }
    let shape = [num_rows, half];
    let is_second = TensorData::new(is_second, shape);
    let larger = Numbers::new(larger, shape).into_tensor();
    (larger, Tensor::from_data(is_second, &device))
}

/// Each number into the half it came from, zero into the other.
fn to_halves(delta: Tensor<2>, is_second: Tensor<2, Bool>) -> Tensor<2> {
    let first = delta.clone().mask_fill(is_second.clone(), 0.0);
    let second = delta.mask_fill(is_second.bool_not(), 0.0);
    Tensor::cat(vec![first, second], 1)
}
