//! The features of the training rows as small integers, in which trees search for their cuts.

use crate::training::Training;

/// The largest number of bins of a feature.
const MAX_BINS: usize = 255;

/// A feature of all training rows, in bins of neighbouring values.
///
/// A feature with up to 255 different values has a bin for each. Another one has bins of about as many rows each, as in
/// scikit-learn's histogram gradient boosting.
pub(crate) struct BinnedFeature {
    /// The bin of each training row.
    pub(crate) codes: Vec<u8>,
    /// The smallest and the largest value in each bin.
    ranges: Vec<(f64, f64)>,
}

impl BinnedFeature {
    /// The feature in column `column` of the training rows.
    pub(crate) fn new(training: &Training, column: usize) -> BinnedFeature {
        let num_rows = training.num_rows();
        let value = |row: u32| training.row(row as usize)[column];
        let mut order: Vec<u32> = (0..num_rows as u32).collect();
        order.sort_unstable_by(|a, b| value(*a).total_cmp(&value(*b)));
        let num_different = order.chunk_by(|a, b| value(*a) == value(*b)).count();
        let rows_in_full_bin = if num_different <= MAX_BINS {
            1
        } else {
            num_rows.div_ceil(MAX_BINS)
        };

        let mut codes = vec![0; num_rows];
        let mut ranges: Vec<(f64, f64)> = Vec::new();
        let mut rows_in_bin = rows_in_full_bin;
        for equal in order.chunk_by(|a, b| value(*a) == value(*b)) {
            let value = value(equal[0]);
            match ranges.last_mut() {
                Some(range) if rows_in_bin < rows_in_full_bin => range.1 = value,
                _ => {
                    ranges.push((value, value));
                    rows_in_bin = 0;
                }
            }
            rows_in_bin += equal.len();
            for row in equal {
                codes[*row as usize] = (ranges.len() - 1) as u8;
            }
        }
        BinnedFeature { codes, ranges }
    }

    /// The threshold between two bins, below which a value belongs with `left`: the middle of the gap.
    pub(crate) fn threshold(&self, left: u8, right: u8) -> f64 {
        let (low, high) = (self.ranges[left as usize].1, self.ranges[right as usize].0);
        let middle = low / 2.0 + high / 2.0;
        // The middle of two neighbouring numbers is rounded to one of them.
        if middle < high { middle } else { low }
    }
}
