//! [`crate::batch_norm`] and its backward pass on the host.

use burn::tensor::Tensor;

use super::row_sums::rows_at_once;
use super::{Numbers, is_on_host, vectorized};
use crate::batch_norm::NormGradients;
use crate::standardize::{Moments, Standardized};
use crate::sum_of_rows;

/// Inputs, scale and shift.
type ForwardParts = (Tensor<2>, Tensor<1>, Tensor<1>);

/// [`crate::batch_norm`].
///
/// # Errors
/// The tensors, unless all are on the host and have features.
pub(crate) fn batch_norm(
    x: Tensor<2>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
) -> Result<(Tensor<2>, Standardized, Moments<2>), ForwardParts> {
    let [batch, num_features] = x.dims();
    if !is_on_host(&x) || !is_on_host(&gamma) || num_features == 0 {
        return Err((x, gamma, beta));
    }
    let shape = [1, num_features];
    let per_sample = 1.0 / batch as f32;
    let mut mean = Numbers::take(sum_of_rows(&x).unsqueeze::<2>());
    for mean in mean.as_mut_slice() {
        *mean *= per_sample;
    }
    let mut x = Numbers::take(x);
    let means = for_several_rows(mean.as_slice());
    let mut squares = vec![0.0; means.len()];
    let (numbers, means, sums) = (x.as_mut_slice(), means.as_slice(), squares.as_mut_slice());
    vectorized(
        #[inline(always)]
        move || {
            for rows in numbers.chunks_mut(means.len()) {
                for ((x, mean), square) in rows.iter_mut().zip(means).zip(sums.iter_mut()) {
                    *x -= mean;
                    *square += *x * *x;
                }
            }
        },
    );
    let mut variance = sum_of_several_rows(&squares, num_features);
    let mut inverse_deviation = Vec::with_capacity(num_features);
    for variance in &mut variance {
        *variance *= per_sample;
        inverse_deviation.push(1.0 / (*variance + epsilon as f32).sqrt());
    }
    let (gamma, beta) = (Numbers::take(gamma), Numbers::take(beta));
    let mut y = vec![0.0; batch * num_features];
    let [factors, gammas, betas] = [
        inverse_deviation.as_slice(),
        gamma.as_slice(),
        beta.as_slice(),
    ]
    .map(for_several_rows);
    let (numbers, outputs) = (x.as_mut_slice(), y.as_mut_slice());
    let (factors, gammas, betas) = (factors.as_slice(), gammas.as_slice(), betas.as_slice());
    vectorized(
        #[inline(always)]
        move || {
            let rows = numbers.chunks_mut(factors.len());
            for (rows, outputs) in rows.zip(outputs.chunks_mut(factors.len())) {
                let of_feature = factors.iter().zip(gammas).zip(betas);
                let numbers = rows.iter_mut().zip(outputs);
                for ((x, y), ((factor, gamma), beta)) in numbers.zip(of_feature) {
                    *x *= factor;
                    *y = *x * gamma + beta;
                }
            }
        },
    );
    let y = Numbers::new(y, [batch, num_features]).into_tensor();
    let moments = Moments {
        variance: Numbers::new(variance, shape).into_tensor(),
        mean: mean.into_tensor(),
    };
    let inverse_deviation = Numbers::new(inverse_deviation, shape).into_tensor();
    let saved = Standardized {
        normalized: x.into_tensor(),
        inverse_deviation,
        dim: 0,
    };
    Ok((y, saved, moments))
}

/// Scale, saved activations and the gradient by the outputs.
type BackwardParts = (Tensor<1>, Standardized, Tensor<2>);

/// [`crate::batch_norm_backward`].
///
/// # Errors
/// The tensors, unless all are on the host and have features.
pub(crate) fn batch_norm_backward(
    gamma: Tensor<1>,
    saved: Standardized,
    delta: Tensor<2>,
) -> Result<NormGradients<2>, BackwardParts> {
    let [batch, num_features] = delta.dims();
    if !is_on_host(&gamma)
        || !is_on_host(&delta)
        || !is_on_host(&saved.normalized)
        || num_features == 0
    {
        return Err((gamma, saved, delta));
    }
    let mut delta = Numbers::take(delta);
    let normalized = Numbers::take(saved.normalized);
    let width = num_features * rows_at_once(num_features);
    let (mut slope, mut mean) = (vec![0.0; width], vec![0.0; width]);
    let (numbers, of_rows) = (delta.as_slice(), normalized.as_slice());
    let (slopes, means) = (slope.as_mut_slice(), mean.as_mut_slice());
    vectorized(
        #[inline(always)]
        move || {
            for (rows, normalized) in numbers.chunks(width).zip(of_rows.chunks(width)) {
                let sums = slopes.iter_mut().zip(means.iter_mut());
                for ((delta, normalized), (slope, mean)) in rows.iter().zip(normalized).zip(sums) {
                    *slope += delta * normalized;
                    *mean += delta;
                }
            }
        },
    );
    let [mut slope, mut mean] = [slope, mean].map(|sums| sum_of_several_rows(&sums, num_features));
    let shape = [1, num_features];
    let by_gamma = Numbers::new(slope.clone(), shape).into_tensor();
    let by_beta = Numbers::new(mean.clone(), shape).into_tensor();
    let per_sample = 1.0 / batch as f32;
    for (slope, mean) in slope.iter_mut().zip(&mut mean) {
        *slope *= per_sample;
        *mean *= per_sample;
    }
    let inverse_deviation = Numbers::take(saved.inverse_deviation);
    let gamma = Numbers::take(gamma);
    let factor: Vec<f32> = (gamma.as_slice().iter())
        .zip(inverse_deviation.as_slice())
        .map(|(gamma, inverse_deviation)| gamma * inverse_deviation)
        .collect();
    let [means, slopes, factors] =
        [&mean, &slope, &factor].map(|row| for_several_rows(row.as_slice()));
    let numbers = delta.as_mut_slice();
    let (slopes, means, factors) = (slopes.as_slice(), means.as_slice(), factors.as_slice());
    vectorized(
        #[inline(always)]
        move || {
            for (rows, normalized) in numbers.chunks_mut(width).zip(of_rows.chunks(width)) {
                let of_feature = means.iter().zip(slopes).zip(factors);
                let numbers = rows.iter_mut().zip(normalized);
                for ((delta, normalized), ((mean, slope), factor)) in numbers.zip(of_feature) {
                    *delta = (*delta - mean - normalized * slope) * factor;
                }
            }
        },
    );
    Ok(NormGradients {
        x: delta.into_tensor(),
        gamma: by_gamma,
        beta: by_beta,
    })
}

/// The numbers of each feature, repeated for as many rows as a loop takes at once.
fn for_several_rows(row: &[f32]) -> Vec<f32> {
    row.repeat(rows_at_once(row.len()))
}

/// The sums of each feature, from those of the rows that a loop takes at once.
fn sum_of_several_rows(sums: &[f32], num_features: usize) -> Vec<f32> {
    let mut total = vec![0.0; num_features];
    for row in sums.chunks(num_features) {
        for (total, sum) in total.iter_mut().zip(row) {
            *total += sum;
        }
    }
    total
}
