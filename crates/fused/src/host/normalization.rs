//! Normalisations of the numbers before an activation.

use pulp::{Arch, Simd, WithSimd};

use super::elementwise::Loop;
use super::product::PADDING;
use crate::real::Real;

/// The rows of a layer, padded.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) num_rows: usize,
    /// Numbers of a row without padding.
    pub(super) size: usize,
    /// Numbers from one row to the next.
    pub(super) stride: usize,
}

/// Scale and shift, padded; none if the normalisation has no scale.
pub(super) type ScaleAndShift<'a, T> = Option<(&'a [T], &'a [T])>;

/// Sixteen sums of columns.
type Columns<T> = [T; PADDING];

/// The columns of one row, from `column` on.
#[inline(always)]
fn columns<T: Copy + Default>(numbers: &[T], start: usize) -> Columns<T> {
    let mut columns = [T::default(); PADDING];
    columns.copy_from_slice(&numbers[start..start + PADDING]);
    columns
}

/// Normalises each feature over the batch: `normalized = (x − mean) / √(variance + ε)`, and the result
/// `gamma normalized + beta`.
///
/// `mean`, `variance` (biased) and `inverse` (`1 / √(variance + ε)`) are rows.
pub(super) struct BatchForward<'a, T> {
    pub(super) shape: Shape,
    pub(super) epsilon: T,
    pub(super) gamma: &'a [T],
    pub(super) beta: &'a [T],
    pub(super) x: &'a [T],
    pub(super) normalized: &'a mut [T],
    pub(super) out: &'a mut [T],
    pub(super) mean: &'a mut [T],
    pub(super) variance: &'a mut [T],
    pub(super) inverse: &'a mut [T],
}

impl<T: Real> WithSimd for BatchForward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Shape {
            num_rows, stride, ..
        } = self.shape;
        let count = T::from_f64(num_rows as f64);
        for column in (0..stride).step_by(PADDING) {
            let starts = || (0..num_rows).map(|row| row * stride + column);
            let mut mean = [T::ZERO; PADDING];
            for start in starts() {
                let x = columns(self.x, start);
                (0..PADDING).for_each(|i| mean[i] += x[i]);
            }
            mean.iter_mut().for_each(|sum| *sum = *sum / count);
            let mut variance = [T::ZERO; PADDING];
            for start in starts() {
                let x = columns(self.x, start);
                (0..PADDING).for_each(|i| variance[i] += (x[i] - mean[i]) * (x[i] - mean[i]));
            }
            variance.iter_mut().for_each(|sum| *sum = *sum / count);
            let inverse = variance.map(|variance| T::ONE / (variance + self.epsilon).sqrt());
            let (gamma, beta) = (columns(self.gamma, column), columns(self.beta, column));
            for start in starts() {
                let x = columns(self.x, start);
                let normalized = &mut self.normalized[start..start + PADDING];
                let out = &mut self.out[start..start + PADDING];
                for i in 0..PADDING {
                    normalized[i] = (x[i] - mean[i]) * inverse[i];
                    out[i] = normalized[i] * gamma[i] + beta[i];
                }
            }
            let place = column..column + PADDING;
            self.mean[place.clone()].copy_from_slice(&mean);
            self.variance[place.clone()].copy_from_slice(&variance);
            self.inverse[place].copy_from_slice(&inverse);
        }
    }
}

/// Normalises each feature with the running statistics.
pub(super) fn batch_evaluate<T: Real>(
    arch: Arch,
    shape: Shape,
    epsilon: T,
    (gamma, beta): (&[T], &[T]),
    (mean, variance): (&[T], &[T]),
    x: &[T],
    out: &mut [T],
) {
    let inverse: Vec<T> = variance
        .iter()
        .map(|&variance| T::ONE / (variance + epsilon).sqrt())
        .collect();
    arch.dispatch(Loop(
        #[inline(always)]
        || {
            let rows = x.chunks_exact(shape.stride);
            for (x, out) in rows.zip(out.chunks_exact_mut(shape.stride)) {
                let statistics = mean.iter().zip(&inverse).zip(gamma).zip(beta);
                for ((out, x), (((mean, inverse), gamma), beta)) in
                    out.iter_mut().zip(x).zip(statistics)
                {
                    *out = (*x - *mean) * *inverse * *gamma + *beta;
                }
            }
        },
    ));
}

/// The backward pass of [`BatchForward`]: `delta` becomes the gradient by the inputs; the gradients of scale and shift
/// are written.
pub(super) struct BatchBackward<'a, T> {
    pub(super) shape: Shape,
    pub(super) gamma: &'a [T],
    pub(super) normalized: &'a [T],
    pub(super) inverse: &'a [T],
    pub(super) delta: &'a mut [T],
    pub(super) gamma_gradient: &'a mut [T],
    pub(super) beta_gradient: &'a mut [T],
}

impl<T: Real> WithSimd for BatchBackward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Shape {
            num_rows, stride, ..
        } = self.shape;
        let share = T::ONE / T::from_f64(num_rows as f64);
        for column in (0..stride).step_by(PADDING) {
            let starts = || (0..num_rows).map(|row| row * stride + column);
            let (mut sum, mut product) = ([T::ZERO; PADDING], [T::ZERO; PADDING]);
            for start in starts() {
                let (delta, normalized) =
                    (columns(self.delta, start), columns(self.normalized, start));
                for i in 0..PADDING {
                    sum[i] += delta[i];
                    product[i] += delta[i] * normalized[i];
                }
            }
            let (gamma, inverse) = (columns(self.gamma, column), columns(self.inverse, column));
            for start in starts() {
                let normalized = columns(self.normalized, start);
                let delta = &mut self.delta[start..start + PADDING];
                for i in 0..PADDING {
                    let rest = delta[i] - share * sum[i] - normalized[i] * (share * product[i]);
                    delta[i] = gamma[i] * inverse[i] * rest;
                }
            }
            let place = column..column + PADDING;
            self.gamma_gradient[place.clone()].copy_from_slice(&product);
            self.beta_gradient[place].copy_from_slice(&sum);
        }
    }
}

/// Normalises each sample over groups of its features. `inverse` has a number for each group of each row.
pub(super) struct SampleForward<'a, T> {
    pub(super) shape: Shape,
    pub(super) num_groups: usize,
    pub(super) epsilon: T,
    pub(super) scale: ScaleAndShift<'a, T>,
    pub(super) x: &'a [T],
    pub(super) normalized: &'a mut [T],
    pub(super) out: &'a mut [T],
    pub(super) inverse: &'a mut [T],
}

impl<T: Real> WithSimd for SampleForward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Shape {
            num_rows,
            size,
            stride,
        } = self.shape;
        let length = size / self.num_groups;
        let share = T::ONE / T::from_f64(length as f64);
        for row in 0..num_rows {
            for group in 0..self.num_groups {
                let start = row * stride + group * length;
                let x = &self.x[start..start + length];
                let mean = sum(x, |x| x) * share;
                let variance = sum(x, |x| (x - mean) * (x - mean)) * share;
                let inverse = T::ONE / (variance + self.epsilon).sqrt();
                self.inverse[row * self.num_groups + group] = inverse;
                let normalized = &mut self.normalized[start..start + length];
                for (normalized, x) in normalized.iter_mut().zip(x) {
                    *normalized = (*x - mean) * inverse;
                }
            }
            let row = row * stride..row * stride + size;
            let (normalized, out) = (&self.normalized[row.clone()], &mut self.out[row]);
            match self.scale {
                Some((gamma, beta)) => {
                    let scale = gamma.iter().zip(beta);
                    for ((out, x), (gamma, beta)) in out.iter_mut().zip(normalized).zip(scale) {
                        *out = *x * *gamma + *beta;
                    }
                }
                None => out.copy_from_slice(normalized),
            }
        }
    }
}

/// The backward pass of [`SampleForward`]: `delta` becomes the gradient by the inputs; the gradients of scale and shift,
/// if there are any, are added to those of earlier rows.
pub(super) struct SampleBackward<'a, T> {
    pub(super) shape: Shape,
    pub(super) num_groups: usize,
    pub(super) gamma: Option<&'a [T]>,
    pub(super) normalized: &'a [T],
    pub(super) inverse: &'a [T],
    pub(super) delta: &'a mut [T],
    pub(super) gamma_gradient: &'a mut [T],
    pub(super) beta_gradient: &'a mut [T],
}

impl<T: Real> WithSimd for SampleBackward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Shape {
            num_rows,
            size,
            stride,
        } = self.shape;
        let length = size / self.num_groups;
        let share = T::ONE / T::from_f64(length as f64);
        for row in 0..num_rows {
            let place = row * stride..row * stride + size;
            let normalized = &self.normalized[place.clone()];
            let delta = &mut self.delta[place];
            if let Some(gamma) = self.gamma {
                let gradients = self.gamma_gradient.iter_mut().zip(&mut *self.beta_gradient);
                let numbers = delta.iter_mut().zip(normalized).zip(gamma);
                for (((delta, normalized), gamma), (of_gamma, of_beta)) in numbers.zip(gradients) {
                    *of_gamma += *delta * *normalized;
                    *of_beta += *delta;
                    *delta = *delta * *gamma;
                }
            }
            for group in 0..self.num_groups {
                let place = group * length..(group + 1) * length;
                let (delta, normalized) = (&mut delta[place.clone()], &normalized[place]);
                let mean = sum(delta, |delta| delta) * share;
                let product = sum_of_products(delta, normalized) * share;
                let inverse = self.inverse[row * self.num_groups + group];
                for (delta, normalized) in delta.iter_mut().zip(normalized) {
                    *delta = inverse * (*delta - mean - *normalized * product);
                }
            }
        }
    }
}

/// The sum of `f(x)` over a slice: sixteen sums of every sixteenth number, added pairwise.
#[inline(always)]
pub(super) fn sum<T: Real>(numbers: &[T], f: impl Fn(T) -> T) -> T {
    let mut sums = [T::ZERO; PADDING];
    let (blocks, rest) = numbers.as_chunks::<PADDING>();
    for block in blocks {
        (0..PADDING).for_each(|i| sums[i] += f(block[i]));
    }
    for (sum, x) in sums.iter_mut().zip(rest) {
        *sum += f(*x);
    }
    pairwise(sums)
}

/// The sum of `x y`, in the order of [`sum`].
#[inline(always)]
fn sum_of_products<T: Real>(x: &[T], y: &[T]) -> T {
    let mut sums = [T::ZERO; PADDING];
    let (x_blocks, x_rest) = x.as_chunks::<PADDING>();
    let (y_blocks, y_rest) = y.as_chunks::<PADDING>();
    for (x, y) in x_blocks.iter().zip(y_blocks) {
        (0..PADDING).for_each(|i| sums[i] += x[i] * y[i]);
    }
    for (sum, (x, y)) in sums.iter_mut().zip(x_rest.iter().zip(y_rest)) {
        *sum += *x * *y;
    }
    pairwise(sums)
}

#[inline(always)]
fn pairwise<T: Real>(mut sums: [T; PADDING]) -> T {
    let mut half = PADDING / 2;
    while half > 0 {
        for i in 0..half {
            let other = sums[i + half];
            sums[i] += other;
        }
        half /= 2;
    }
    sums[0]
}
