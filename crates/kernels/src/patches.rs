//! The pixels around every pixel as one row of numbers, by Burn's operations.

use burn::tensor::{Device, Int, Tensor, TensorData};

/// The pixels around each pixel; zero outside the image.
///
/// # Shapes
/// - `pixels`: `[batch * height * width, channels]`
/// - `size`: `[batch, height, width]`
/// - result: `[batch * height * width, kernel_size² * channels]`
pub(crate) fn unfold(pixels: Tensor<2>, size: [usize; 3], kernel_size: usize) -> Tensor<2> {
    let [num_pixels, channels] = pixels.dims();
    let rows = rows_of_patches(size, kernel_size, &pixels.device());
    let edge = Tensor::zeros([1, channels], (&pixels.device(), pixels.dtype()));
    Tensor::cat(vec![pixels, edge], 0)
        .select(0, rows)
        .reshape([num_pixels, kernel_size * kernel_size * channels])
}

/// For each pixel of some images, the rows of the pixels around it. Positions outside the image refer to the row after
/// the last pixel.
fn rows_of_patches(
    [batch, height, width]: [usize; 3],
    kernel_size: usize,
    device: &Device,
) -> Tensor<1, Int> {
    let num_pixels = batch * height * width;
    let area = kernel_size * kernel_size;
    let reach = kernel_size / 2;
    let beyond = num_pixels as i64;
    let mut rows = Vec::with_capacity(num_pixels * area);
    for image in 0..batch {
        for y in 0..height {
            for x in 0..width {
                for above in 0..kernel_size {
                    let y = (y + above).wrapping_sub(reach);
                    let line = (image * height + y.min(height)) * width;
                    rows.extend((0..kernel_size).map(|before| {
                        let x = (x + before).wrapping_sub(reach);
                        match y < height && x < width {
                            true => (line + x) as i64,
                            false => beyond,
                        }
                    }));
                }
            }
        }
    }
    Tensor::from_data(TensorData::new(rows, [num_pixels * area]), device)
}
