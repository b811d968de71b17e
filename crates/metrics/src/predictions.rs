//! Probabilities and labels from the outputs of a network.

use crate::MetricsError;
use crate::error::check_rows;

/// The label of a sample whose outputs hold a NaN. No class is predicted, so the sample counts as wrong.
pub const NO_PREDICTION: u32 = u32::MAX;

/// The class of the largest output of each row, the lowest on ties.
///
/// A row with a NaN gets [`NO_PREDICTION`], because its softmax is NaN for every class: a network that has
/// diverged must not be right by chance.
///
/// # Shapes
/// - outputs: `[num_samples, num_classes]`, row by row
/// - result: `[num_samples]`
///
/// # Errors
/// [`MetricsError::Rows`] if the outputs are not whole rows.
pub fn argmax<F>(outputs: &[F], num_classes: usize) -> Result<Vec<u32>, MetricsError>
where
    F: Copy + Into<f64>,
{
    check_rows(outputs.len(), num_classes)?;
    Ok(outputs.chunks_exact(num_classes).map(argmax_of).collect())
}

/// The class of the largest output of one row, as [`argmax`] finds it: the lowest on ties, or [`NO_PREDICTION`].
pub fn argmax_of<F: Copy + Into<f64>>(row: &[F]) -> u32 {
    let mut best = (0, f64::NEG_INFINITY);
    for (class, &output) in row.iter().enumerate() {
        let output = output.into();
        if output.is_nan() {
            return NO_PREDICTION;
        }
        if output > best.1 {
            best = (class as u32, output);
        }
    }
    best.0
}

/// Class 1 where the probability is above the threshold, else class 0.
///
/// The comparison is strict, `p > threshold`: with a threshold of 0.5 a logit of exactly 0 is class 0. A NaN gets
/// [`NO_PREDICTION`].
///
/// # Shapes
/// - probabilities, result: `[num_samples]`
pub fn thresholded<F>(probabilities: &[F], threshold: f64) -> Vec<u32>
where
    F: Copy + Into<f64>,
{
    let label = |&p: &F| class_above(p, threshold);
    probabilities.iter().map(label).collect()
}

/// The class of one probability, as [`thresholded`] finds it.
pub fn class_above<F: Into<f64>>(probability: F, threshold: f64) -> u32 {
    let p = probability.into();
    if p.is_nan() {
        NO_PREDICTION
    } else {
        u32::from(p > threshold)
    }
}

/// The logistic function `1 / (1 + exp(-x))`, computed without overflow.
///
/// # Shapes
/// - logits, result: `[num_samples]`
pub fn sigmoid<F>(logits: &[F]) -> Vec<f64>
where
    F: Copy + Into<f64>,
{
    let logistic = |x: f64| {
        if x >= 0.0 {
            1.0 / (1.0 + (-x).exp())
        } else {
            x.exp() / (1.0 + x.exp())
        }
    };
    logits.iter().map(|&x| logistic(x.into())).collect()
}

/// The softmax of each row; the largest output is subtracted first, so that nothing overflows.
///
/// As in PyTorch, a row is NaN if it holds a NaN or +∞, or nothing but -∞.
///
/// # Shapes
/// - outputs, result: `[num_samples, num_classes]`, row by row
///
/// # Errors
/// [`MetricsError::Rows`] if the outputs are not whole rows.
pub fn softmax<F>(outputs: &[F], num_classes: usize) -> Result<Vec<f64>, MetricsError>
where
    F: Copy + Into<f64>,
{
    check_rows(outputs.len(), num_classes)?;
    let mut probabilities: Vec<f64> = outputs.iter().map(|&x| x.into()).collect();
    for row in probabilities.chunks_exact_mut(num_classes) {
        let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        row.iter_mut().for_each(|x| *x = (*x - largest).exp());
        let sum: f64 = row.iter().sum();
        row.iter_mut().for_each(|x| *x /= sum);
    }
    Ok(probabilities)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ties_go_to_the_lowest_class() {
        let outputs = [1.0f32, 3.0, 3.0, 2.0, 2.0, 2.0];
        assert_eq!(argmax(&outputs, 3).unwrap(), [1, 0]);
    }

    #[test]
    fn a_nan_anywhere_in_a_row_leaves_it_without_prediction() {
        let nan = f64::NAN;
        let outputs = [nan, 1.0, 5.0, nan, 0.0, 1.0];
        let expected = [NO_PREDICTION, NO_PREDICTION, 1];
        assert_eq!(argmax(&outputs, 2).unwrap(), expected);
    }

    #[test]
    fn infinities_are_ordered() {
        let (inf, minus) = (f64::INFINITY, f64::NEG_INFINITY);
        assert_eq!(argmax(&[0.0, inf, minus, minus], 2).unwrap(), [1, 0]);
    }

    #[test]
    fn broken_rows_are_refused() {
        let refused = MetricsError::Rows { len: 5, width: 2 };
        assert_eq!(argmax(&[0.0; 5], 2), Err(refused.clone()));
        assert_eq!(softmax(&[0.0; 5], 2), Err(refused));
        let refused = MetricsError::Rows { len: 1, width: 0 };
        assert_eq!(argmax(&[0.0], 0), Err(refused));
    }

    #[test]
    fn the_threshold_itself_is_class_0() {
        let probabilities = sigmoid(&[-0.1f32, 0.0, 0.1, f32::NAN]);
        assert_eq!(thresholded(&probabilities, 0.5), [0, 0, 1, NO_PREDICTION]);
    }

    #[test]
    fn sigmoid_equals_scipy_and_never_overflows() {
        // [float(scipy.special.expit(x)) for x in (0, 1, -1, 100, -100, -800)]
        let expected = [
            0.5,
            0.7310585786300049,
            0.2689414213699951,
            1.0,
            3.7200759760208356e-44,
            0.0,
        ];
        let ours = sigmoid(&[0.0, 1.0, -1.0, 100.0, -100.0, -800.0]);
        for (a, b) in ours.iter().zip(expected) {
            assert!((a - b).abs() <= 1e-15 * b, "{a} is not {b}");
        }
    }

    #[test]
    fn softmax_equals_scipy_and_never_overflows() {
        // scipy.special.softmax([1, 2, 3]), scipy.special.softmax([1000, 0, -1000])
        let expected = [
            0.09003057317038046,
            0.24472847105479764,
            0.6652409557748218,
            1.0,
            0.0,
            0.0,
        ];
        let ours = softmax(&[1.0, 2.0, 3.0, 1000.0, 0.0, -1000.0], 3).unwrap();
        for (a, b) in ours.iter().zip(expected) {
            assert!((a - b).abs() < 1e-15, "{a} is not {b}");
        }
    }

    #[test]
    fn softmax_of_a_broken_row_is_nan() {
        let ours = softmax(&[f64::NAN, 1.0, f64::INFINITY, 0.0], 2).unwrap();
        // torch.softmax(torch.tensor([inf, 0.]), 0) is [nan, nan] by the same sum.
        assert!(ours.iter().all(|p| p.is_nan()), "{ours:?}");
    }
}
