//! The pixels around every pixel as one row of numbers, so that a convolution is a matrix product.

use burn::tensor::{Device, Int, Tensor, TensorData};

/// The positions of the pixels around each pixel of a batch of images.
///
/// # Source
/// Chellapilla et al. 2006, "High performance convolutional neural networks for document processing"
/// (im2col), with the channels of a pixel side by side.
#[derive(Debug, Clone)]
pub(crate) struct Patches {
    /// For each pixel, the rows of the pixels around it. Positions outside the image refer to the row after the last
    /// pixel, which is zero.
    rows: Tensor<1, Int>,
    num_pixels: usize,
    area: usize,
}

impl Patches {
    /// The squares of `kernel_size` times `kernel_size` pixels around the pixels of images of `[batch, height, width]`.
    pub(crate) fn new(
        [batch, height, width]: [usize; 3],
        kernel_size: usize,
        device: &Device,
    ) -> Self {
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
        let rows = TensorData::new(rows, [num_pixels * area]);
        Self {
            rows: Tensor::from_data(rows, device),
            num_pixels,
            area,
        }
    }

    /// The numbers around each pixel; zero outside the image.
    ///
    /// # Shapes
    /// - `pixels`: `[batch * height * width, channels]`
    /// - result: `[batch * height * width, kernel_size² * channels]`
    pub(crate) fn unfold(&self, pixels: Tensor<2>) -> Tensor<2> {
        let channels = pixels.dims()[1];
        let edge = Tensor::zeros([1, channels], (&pixels.device(), pixels.dtype()));
        Tensor::cat(vec![pixels, edge], 0)
            .select(0, self.rows.clone())
            .reshape([self.num_pixels, self.area * channels])
    }
}
