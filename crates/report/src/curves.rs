//! A metric over the epochs, for one run or for the median of several seeds, thinned to what a picture shows.

use emberlab_run_format::History;
use serde::Serialize;

use crate::statistics::median;

/// The most points of a curve; a picture has about two pixels for each.
const NUM_POINTS: usize = 200;

/// A metric over the epochs: its median over the runs, and its range.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Curve {
    /// The metric's column in `metrics.csv`, such as `valid_loss`.
    pub column: String,
    /// Epochs, counted from 1; the first and the last are among them.
    pub epochs: Vec<usize>,
    /// The median over the runs that reached the epoch; NaN if no value is finite.
    pub median: Vec<f64>,
    /// The smallest finite value of these runs.
    pub low: Vec<f64>,
    /// The largest finite value of these runs.
    pub high: Vec<f64>,
}

impl Curve {
    /// The curve of a column over some runs; `None` if no run has it.
    pub fn of(histories: &[&History], column: &str) -> Option<Self> {
        let columns: Vec<Vec<f64>> = histories
            .iter()
            .filter_map(|history| Some(history.column(column)?.collect()))
            .collect();
        let num_epochs = columns.iter().map(Vec::len).max().filter(|n| *n > 0)?;
        let mut curve = Self {
            column: column.to_string(),
            epochs: epochs(num_epochs),
            median: Vec::new(),
            low: Vec::new(),
            high: Vec::new(),
        };
        for &epoch in &curve.epochs {
            let values: Vec<f64> = columns
                .iter()
                .filter_map(|column| column.get(epoch - 1).copied())
                .filter(|value| value.is_finite())
                .collect();
            let middle = if values.is_empty() {
                f64::NAN
            } else {
                median(&values)
            };
            curve.median.push(middle);
            curve
                .low
                .push(values.iter().copied().fold(f64::NAN, f64::min));
            curve
                .high
                .push(values.iter().copied().fold(f64::NAN, f64::max));
        }
        Some(curve)
    }

    /// Whether a logarithmic axis shows the values better: all are positive, and they span more than 1½ decades.
    pub fn is_logarithmic<'a>(curves: impl IntoIterator<Item = &'a Self>) -> bool {
        let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
        for value in curves.into_iter().flat_map(|curve| &curve.median) {
            low = low.min(*value);
            high = high.max(*value);
        }
        low > 0.0 && high / low > 30.0
    }
}

/// At most about [`NUM_POINTS`] epochs, evenly spaced, with the first and the last.
fn epochs(num_epochs: usize) -> Vec<usize> {
    let last = num_epochs.saturating_sub(1);
    let num_steps = last.min(NUM_POINTS);
    let mut epochs: Vec<usize> = (0..num_steps).map(|i| 1 + i * last / num_steps).collect();
    epochs.push(num_epochs);
    epochs
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn history(values: &[f64]) -> History {
        let rows = values.iter().enumerate();
        let rows: String = rows.map(|(i, v)| format!("{},{v}\n", i + 1)).collect();
        History::parse(&format!("epoch,train_loss\n{rows}")).unwrap()
    }

    #[test]
    fn a_curve_is_the_median_and_range_of_the_runs_that_reached_the_epoch() {
        let runs = [
            history(&[3.0, 1.0]),
            history(&[1.0]),
            history(&[2.0, f64::NAN]),
        ];
        let runs: Vec<&History> = runs.iter().collect();
        let curve = Curve::of(&runs, "train_loss").unwrap();
        assert_eq!(curve.epochs, [1, 2]);
        assert_eq!(curve.median, [2.0, 1.0]);
        assert_eq!((curve.low, curve.high), (vec![1.0, 1.0], vec![3.0, 1.0]));
        assert_eq!(Curve::of(&runs, "valid_loss"), None);
        assert_eq!(Curve::of(&[&history(&[])], "train_loss"), None);
    }

    #[test]
    fn an_epoch_without_finite_values_is_a_gap() {
        let curve = Curve::of(&[&history(&[1.0, f64::NAN])], "train_loss").unwrap();
        assert!(curve.median[1].is_nan() && curve.low[1].is_nan() && curve.high[1].is_nan());
    }

    #[test]
    fn long_curves_are_thinned_but_keep_both_ends() {
        assert_eq!(epochs(1), [1]);
        assert_eq!(epochs(3), [1, 2, 3]);
        let long = epochs(1000);
        assert_eq!((long[0], long[long.len() - 1]), (1, 1000));
        assert_eq!(long.len(), NUM_POINTS + 1);
        assert!(long.windows(2).all(|pair| pair[0] < pair[1]), "{long:?}");
    }
}
