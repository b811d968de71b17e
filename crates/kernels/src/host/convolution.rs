//! [`crate::convolution`] and the gradient of its kernel on the host.
//!
//! The patches of a few images at a time are written into a buffer that stays in the caches, and multiplied at once.

use burn::tensor::Tensor;
use faer::{Accum, MatRef};
use rayon::prelude::*;

use super::memory::{Numbers, is_on_host};
use super::product::{append_rows, clear_upper_halves, multiply};
use crate::Pair;

/// The number of numbers of patches at a time, or those of one image: a part of the second-level cache.
const NUMBERS_AT_ONCE: usize = 64 * 1024;

/// Inputs, kernel and bias.
type Parts = (Tensor<2>, Tensor<2>, Option<Tensor<1>>);

/// [`crate::convolution`].
///
/// # Errors
/// The tensors, unless all are on the host and their shapes fit.
pub(crate) fn convolution(
    x: Tensor<2>,
    size: [usize; 3],
    kernel: Tensor<2>,
    bias: Option<Tensor<1>>,
) -> Result<Tensor<2>, Parts> {
    let [patch_length, channels_out] = kernel.dims();
    let images =
        Images::of(&x, size, (patch_length / x.dims()[1].max(1)).isqrt()).filter(|images| {
            let bias_fits = |bias: &Tensor<1>| is_on_host(bias) && bias.dims() == [channels_out];
            images.patch_length() == patch_length
                && is_on_host(&kernel)
                && bias.as_ref().is_none_or(bias_fits)
        });
    let Some(images) = images else {
        return Err((x, kernel, bias));
    };
    let [num_pixels, _] = x.dims();
    let (x, kernel) = (Numbers::take(x), Numbers::take(kernel));
    let kernel = MatRef::from_row_major_slice(kernel.as_slice(), patch_length, channels_out);
    let length = num_pixels * channels_out;
    let (mut y, accumulate) = match bias {
        None => (vec![0.0; length], Accum::Replace),
        Some(bias) => {
            let mut y = Vec::with_capacity(length);
            append_rows(&mut y, Numbers::take(bias).as_slice(), num_pixels);
            (y, Accum::Add)
        }
    };
    let of_part = images.pixels_at_once() * channels_out;
    images.for_each_part(x.as_slice(), &mut y, of_part, |_, patches, y| {
        multiply(patches, kernel, accumulate, y);
    });
    Ok(Numbers::new(y, [num_pixels, channels_out]).into_tensor())
}

/// [`crate::convolution_kernel_gradient`].
///
/// # Errors
/// The tensors, unless both are on the host and their shapes fit.
pub(crate) fn convolution_kernel_gradient(
    x: Tensor<2>,
    size: [usize; 3],
    kernel_size: usize,
    delta: Tensor<2>,
) -> Result<Tensor<2>, Pair<2>> {
    let [num_pixels, channels_out] = delta.dims();
    let images = Images::of(&x, size, kernel_size)
        .filter(|_| is_on_host(&delta) && num_pixels == x.dims()[0]);
    let Some(images) = images else {
        return Err((x, delta));
    };
    let (x, delta) = (Numbers::take(x), Numbers::take(delta));
    let shape = [images.patch_length(), channels_out];
    let length = shape[0] * shape[1];
    // One sum for each part, so that the result does not depend on the number of threads.
    let mut sums = vec![0.0; images.num_parts() * length];
    let of_part = (images.pixels_at_once() * channels_out).max(1);
    images.for_each_part(x.as_slice(), &mut sums, length, |part, patches, sum| {
        let delta = delta
            .as_slice()
            .chunks(of_part)
            .nth(part)
            .unwrap_or_default();
        let delta = MatRef::from_row_major_slice(delta, patches.nrows(), channels_out);
        multiply(patches.transpose(), delta, Accum::Replace, sum);
    });
    let mut gradient = vec![0.0; length];
    for sum in sums.chunks(length.max(1)) {
        for (gradient, number) in gradient.iter_mut().zip(sum) {
            *gradient += number;
        }
    }
    Ok(Numbers::new(gradient, shape).into_tensor())
}

/// The sizes of some images as rows of pixels, and of the patches around their pixels.
struct Images {
    batch: usize,
    height: usize,
    width: usize,
    channels: usize,
    kernel_size: usize,
}

impl Images {
    /// The sizes of images on the host, if they fit.
    fn of(x: &Tensor<2>, [batch, height, width]: [usize; 3], kernel_size: usize) -> Option<Self> {
        let [num_pixels, channels] = x.dims();
        let fits = num_pixels == batch * height * width && kernel_size % 2 == 1;
        (fits && channels > 0 && is_on_host(x)).then_some(Self {
            batch,
            height,
            width,
            channels,
            kernel_size,
        })
    }

    fn patch_length(&self) -> usize {
        self.kernel_size * self.kernel_size * self.channels
    }

    /// The number of pixels of an image.
    fn area(&self) -> usize {
        self.height * self.width
    }

    /// The number of pixels whose patches are multiplied at once: those of whole images.
    fn pixels_at_once(&self) -> usize {
        let of_image = (self.area() * self.patch_length()).max(1);
        (NUMBERS_AT_ONCE / of_image).clamp(1, self.batch.max(1)) * self.area()
    }

    fn num_parts(&self) -> usize {
        (self.batch * self.area()).div_ceil(self.pixels_at_once().max(1))
    }

    /// Calls `work` with the number of each part of the images, its patches and its part of `results`, on as many
    /// threads as there are.
    fn for_each_part(
        &self,
        x: &[f32],
        results: &mut [f32],
        length_of_result: usize,
        work: impl Fn(usize, MatRef<f32>, &mut [f32]) + Sync,
    ) {
        let length = (self.pixels_at_once() * self.channels).max(1);
        let length_of_result = length_of_result.max(1);
        let run = |buffers: &mut Buffers, part, images: &[f32], result: &mut [f32]| {
            work(part, self.unfold(images, buffers), result);
            clear_upper_halves();
        };
        if rayon::current_num_threads() > 1 && self.num_parts() > 1 {
            x.par_chunks(length)
                .zip(results.par_chunks_mut(length_of_result))
                .enumerate()
                .for_each_init(
                    || Buffers::new(self),
                    |buffers, (part, (images, result))| run(buffers, part, images, result),
                );
            return;
        }
        let mut buffers = Buffers::new(self);
        let parts = x.chunks(length).zip(results.chunks_mut(length_of_result));
        for (part, (images, result)) in parts.enumerate() {
            run(&mut buffers, part, images, result);
        }
    }

    /// The patches of some images.
    fn unfold<'a>(&self, images: &[f32], buffers: &'a mut Buffers) -> MatRef<'a, f32> {
        let Buffers { padded, patches } = buffers;
        let patch_length = self.patch_length();
        let num_pixels = images.len() / self.channels;
        let of_image = self.area() * patch_length;
        let images = images.chunks(self.area() * self.channels);
        for (image, patches) in images.zip(patches.chunks_mut(of_image)) {
            self.pad(image, padded);
            let lines = patches.chunks_mut(self.width * patch_length);
            for (y, patches) in lines.enumerate() {
                self.unfold_line(&padded[y * self.padded_line()..], patches);
            }
        }
        let patches = &patches[..num_pixels * patch_length];
        MatRef::from_row_major_slice(patches, num_pixels, patch_length)
    }

    /// The number of numbers of a line of a padded image.
    fn padded_line(&self) -> usize {
        (self.width + self.kernel_size - 1) * self.channels
    }

    /// Writes an image into the midst of a padded one.
    fn pad(&self, image: &[f32], padded: &mut [f32]) {
        let reach = self.kernel_size / 2;
        let lines = padded.chunks_mut(self.padded_line()).skip(reach);
        let length = self.width * self.channels;
        for (line, padded) in image.chunks(length).zip(lines) {
            padded[reach * self.channels..][..length].copy_from_slice(line);
        }
    }

    /// The patches around a line of pixels, from the lines of a padded image around it.
    fn unfold_line(&self, padded: &[f32], patches: &mut [f32]) {
        let (patch_length, channels) = (self.patch_length(), self.channels);
        let length = self.kernel_size * channels;
        for (above, line) in padded
            .chunks(self.padded_line())
            .take(self.kernel_size)
            .enumerate()
        {
            let start = above * length;
            for (x, patch) in patches.chunks_exact_mut(patch_length).enumerate() {
                copy(
                    &line[x * channels..][..length],
                    &mut patch[start..][..length],
                );
            }
        }
    }
}

/// Copies numbers. The lengths of small kernels on grey and coloured images are known to the compiler, since a call
/// would take longer than the copy.
#[inline(always)]
fn copy(from: &[f32], to: &mut [f32]) {
    match from.len() {
        3 => to[..3].copy_from_slice(&from[..3]),
        5 => to[..5].copy_from_slice(&from[..5]),
        9 => to[..9].copy_from_slice(&from[..9]),
        _ => to.copy_from_slice(from),
    }
}

/// The memory for a part of the images.
struct Buffers {
    /// One image with zeros around it.
    padded: Vec<f32>,
    patches: Vec<f32>,
}

impl Buffers {
    fn new(images: &Images) -> Self {
        let lines = images.height + images.kernel_size - 1;
        Self {
            padded: vec![0.0; lines * images.padded_line()],
            patches: vec![0.0; images.pixels_at_once() * images.patch_length()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::testing::{numbers, tensor};
    use crate::patches::unfold;

    /// Calls `check` with images, their size, the side of a kernel and a number of output channels.
    fn for_each_case(check: impl Fn(Tensor<2>, [usize; 3], usize, usize)) {
        // The images of the last size are in several parts.
        for size in [[1, 1, 1], [2, 3, 2], [3, 5, 4], [70, 10, 12]] {
            for channels in [1, 2, 3, 16] {
                for kernel_size in [1, 3, 5] {
                    for channels_out in [1, 4, 17] {
                        let x = tensor([size.iter().product(), channels], 3);
                        check(x, size, kernel_size, channels_out);
                    }
                }
            }
        }
    }

    #[test]
    fn convolutions_equal_products_of_all_patches() {
        for_each_case(|x, size, kernel_size, channels_out| {
            let patches = unfold(x.clone(), size, kernel_size);
            let kernel = tensor([patches.dims()[1], channels_out], 5);
            let bias = tensor([channels_out], 2);
            let expected = patches.matmul(kernel.clone());
            let ours = convolution(x.clone(), size, kernel.clone(), None).expect("it fits");
            assert_eq!(numbers(&ours), numbers(&expected));
            let expected = expected + bias.clone().unsqueeze();
            let ours = convolution(x, size, kernel, Some(bias)).expect("it fits");
            assert_eq!(numbers(&ours), numbers(&expected));
        });
    }

    #[test]
    fn gradients_of_kernels_equal_products_of_all_patches() {
        for_each_case(|x, size, kernel_size, channels_out| {
            let delta = tensor([x.dims()[0], channels_out], 5);
            let patches = unfold(x.clone(), size, kernel_size);
            let expected = patches.transpose().matmul(delta.clone());
            let ours = convolution_kernel_gradient(x, size, kernel_size, delta).expect("it fits");
            assert_eq!(numbers(&ours), numbers(&expected));
        });
    }

    #[test]
    fn any_number_of_threads_gives_the_same_bits() {
        let size = [40, 28, 28];
        let x = tensor([40 * 28 * 28, 4], 3).mul_scalar(0.1);
        let delta = tensor([40 * 28 * 28, 16], 5).mul_scalar(0.1);
        let kernel = tensor([36, 16], 2).mul_scalar(0.1);
        let results = |num_threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(num_threads)
                .build();
            pool.expect("a pool").install(|| {
                let y = convolution(x.clone(), size, kernel.clone(), None).expect("it fits");
                let gradient = convolution_kernel_gradient(x.clone(), size, 3, delta.clone());
                (numbers(&y), numbers(&gradient.expect("it fits")))
            })
        };
        assert_eq!(results(1), results(3));
    }

    #[test]
    fn no_images_have_no_outputs_and_a_gradient_of_zero() {
        let (x, size) = (tensor([0, 2], 1), [0, 4, 4]);
        let y = convolution(x.clone(), size, tensor([18, 3], 1), None).expect("it fits");
        assert_eq!(y.dims(), [0, 3]);
        let gradient = convolution_kernel_gradient(x, size, 3, tensor([0, 3], 1)).expect("it fits");
        assert_eq!(numbers(&gradient), [0.0; 54]);
    }

    #[test]
    fn tensors_that_do_not_fit_are_given_back() {
        let x = tensor([12, 2], 1);
        assert!(convolution(x.clone(), [1, 3, 3], tensor([18, 3], 1), None).is_err());
        assert!(convolution(x.clone(), [1, 3, 4], tensor([17, 3], 1), None).is_err());
        let precise = x.clone().cast(burn::tensor::DType::F64);
        assert!(convolution(precise, [1, 3, 4], tensor([18, 3], 1), None).is_err());
        let delta = tensor([11, 3], 1);
        assert!(convolution_kernel_gradient(x, [1, 3, 4], 3, delta).is_err());
    }
}
