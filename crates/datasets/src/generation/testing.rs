//! Measures of generated samples for tests.

use crate::samples::Samples;

/// Mean and population standard deviation of feature `j` over the rows of class `label` (or all).
pub(crate) fn moments(samples: &Samples, j: usize, label: Option<u32>) -> (f64, f64) {
    let labels = samples.labels().unwrap_or_default();
    let column: Vec<f64> = (0..samples.len())
        .filter(|&i| label.is_none_or(|label| labels[i] == label))
        .map(|i| samples.row(i)[j])
        .collect();
    let n = column.len() as f64;
    let mean = column.iter().sum::<f64>() / n;
    let var = column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    (mean, var.sqrt())
}

/// Whether the rows are these points and labels, in any order, to within 1e-6.
pub(crate) fn holds_points(samples: &Samples, expected: &[([f64; 2], u32)]) -> bool {
    let labels = samples.labels().unwrap_or_default();
    let near =
        |i: usize, point: &[f64; 2]| (0..2).all(|j| (samples.row(i)[j] - point[j]).abs() < 1e-6);
    samples.len() == expected.len()
        && expected
            .iter()
            .all(|(point, label)| (0..samples.len()).any(|i| labels[i] == *label && near(i, point)))
}
