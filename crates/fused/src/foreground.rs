//! Inputs that are mostly background.

use crate::plan::Plan;
use crate::real::Real;

/// The numbers of a split's inputs that differ from a background: the strokes of a drawing, the ones of one-hot
/// categories.
///
/// The background is one number for each column, the one that most rows have there. A product of such inputs and a
/// weight multiplies the background once, and then only what differs from it.
#[derive(Debug, Clone)]
pub struct Foreground<T> {
    /// `[d_input]`
    background: Vec<T>,
    /// Where the numbers of each sample begin, and where the last ones end.
    starts: Vec<usize>,
    differences: Vec<Difference<T>>,
}

/// A number that differs from the background.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Difference<T> {
    /// Its column; where numbers lie column by column, its row.
    pub(crate) index: u32,
    /// The number less the background of its column.
    pub(crate) value: T,
}

/// Columns of a weight from which on a product gains by the foreground. With fewer, finding the numbers takes longer than
/// multiplying them all.
const FEWEST_COLUMNS: usize = 17;

/// Rows of a batch from which on a product gains: the background, which they share, is a row too.
const FEWEST_ROWS: usize = 8;

/// One number in so many is foreground at most.
const SPARSITY: usize = 4;

/// Samples that are read to guess the background.
const SAMPLES_OF_A_GUESS: usize = 255;

impl<T: Real> Foreground<T> {
    /// The foreground of inputs, `[num_samples × d_input]`, if a network with this plan trains faster by it in batches of
    /// so many rows, and if no number loses digits by it.
    ///
    /// Nothing else decides, no property of the machine either, so a training gets the same bits wherever it runs.
    pub fn of(inputs: &[T], plan: &Plan, batch_size: usize) -> Option<Self> {
        let d_input = plan.d_input();
        let is_wide = plan.sizes[1] >= FEWEST_COLUMNS;
        if !is_wide || batch_size < FEWEST_ROWS || inputs.len() < d_input {
            return None;
        }
        let background = guess(inputs, d_input);
        let differing = |row: &[T]| row.iter().zip(&background).filter(|(x, y)| x != y).count();
        let total: usize = inputs.chunks_exact(d_input).map(differing).sum();
        if total > inputs.len() / SPARSITY {
            return None;
        }
        let mut found = Self {
            starts: vec![0],
            // One row more, which is written whole before what differs is kept.
            differences: Vec::with_capacity(total + d_input),
            background,
        };
        let mut rows = inputs.chunks_exact(d_input);
        rows.all(|row| found.add(row)).then_some(found)
    }

    /// Adds a sample. False if a number less its background has lost digits, as beside a background of −999999.
    fn add(&mut self, row: &[T]) -> bool {
        let tolerance = T::from_f64(1e-6);
        let mut is_lossy = false;
        let start = self.differences.len();
        (self.differences).resize(start + row.len(), Difference::default());
        let differences = &mut self.differences[start..];
        // Every number is written, and kept if it differs: a loop without branches.
        let mut count = 0;
        for (index, (&x, &background)) in (0..).zip(row.iter().zip(&self.background)) {
            let value = x - background;
            differences[count] = Difference { index, value };
            count += usize::from(x != background);
            is_lossy |= (value + background - x).abs() > tolerance * (T::ONE + x.abs());
        }
        self.differences.truncate(start + count);
        self.starts.push(start + count);
        !is_lossy
    }

    /// The background, `[d_input]`.
    pub(crate) fn background(&self) -> &[T] {
        &self.background
    }

    /// The numbers of a sample, by their columns.
    pub(crate) fn of_sample(&self, sample: usize) -> &[Difference<T>] {
        &self.differences[self.starts[sample]..self.starts[sample + 1]]
    }
}

/// The number that most of some samples have in each column, by the majority vote of Boyer and Moore. Where none has the
/// majority, it is one of their numbers. It is always finite.
fn guess<T: Real>(inputs: &[T], d_input: usize) -> Vec<T> {
    let rows = inputs.chunks_exact(d_input);
    let step = rows.len().div_ceil(SAMPLES_OF_A_GUESS).max(1);
    let mut candidates = inputs[..d_input].to_vec();
    let mut votes = vec![0_u32; d_input];
    for row in rows.step_by(step) {
        for ((candidate, votes), &x) in candidates.iter_mut().zip(&mut votes).zip(row) {
            match *candidate == x {
                true => *votes += 1,
                false if *votes == 0 => (*candidate, *votes) = (x, 1),
                false => *votes -= 1,
            }
        }
    }
    // Other numbers less NaN or infinity would be lost.
    let finite = |x: T| match x.to_f64().is_finite() {
        true => x,
        false => T::ZERO,
    };
    candidates.into_iter().map(finite).collect()
}

#[cfg(test)]
mod tests {
    use super::Foreground;
    use crate::host::tests::plan as plan_of;
    use crate::plan::{Activation, Loss, Normalization, Plan};

    fn plan(sizes: [usize; 3]) -> Plan {
        Plan {
            sizes: sizes.to_vec(),
            ..plan_of(Activation::Relu, Normalization::None, Loss::Mse)
        }
    }

    /// Twenty rows of a background, with other numbers in the first, the eighth and the last row.
    fn drawing() -> Vec<f32> {
        let mut rows = [[0.0, -0.5, 2.0, 0.0]; 20];
        rows[0] = [1.0, -0.5, 2.0, 0.0];
        rows[7] = [3.0, -0.5, 2.5, -1.0];
        rows[19] = [0.0, f32::MAX, 2.0, 0.0];
        rows.concat()
    }

    #[test]
    fn the_numbers_that_most_rows_lack_are_kept_with_their_columns() {
        let foreground = Foreground::of(&drawing(), &plan([4, 17, 1]), 8).expect("a foreground");
        assert_eq!(foreground.background(), [0.0, -0.5, 2.0, 0.0]);
        let of_sample = |sample| -> Vec<(u32, f32)> {
            let numbers = foreground.of_sample(sample).iter();
            numbers.map(|one| (one.index, one.value)).collect()
        };
        assert_eq!(of_sample(0), [(0, 1.0)]);
        assert_eq!(of_sample(7), [(0, 3.0), (2, 0.5), (3, -1.0)]);
        assert_eq!(of_sample(8), []);
        assert_eq!(of_sample(19), [(1, f32::MAX)]);
    }

    #[test]
    fn a_background_is_finite() {
        let mut inputs = drawing();
        for row in inputs.chunks_exact_mut(4) {
            row[3] = f32::NAN;
        }
        let sparse = inputs
            .repeat(2)
            .chunks_exact(8)
            .fold(Vec::new(), |mut rows, row| {
                rows.extend([row, &[0.0; 8]].concat());
                rows
            });
        let foreground = Foreground::of(&sparse, &plan([16, 17, 1]), 8).expect("a foreground");
        assert!(foreground.background().iter().all(|x| x.is_finite()));
        assert!(foreground.of_sample(0)[1].value.is_nan());
    }

    #[test]
    fn dense_inputs_narrow_layers_and_small_batches_have_no_foreground() {
        let (wide, narrow) = (plan([4, 17, 1]), plan([4, 16, 1]));
        let dense: Vec<f32> = (0_u8..80).map(f32::from).collect();
        assert!(Foreground::of(&dense, &wide, 8).is_none());
        assert!(Foreground::of(&drawing(), &narrow, 8).is_none());
        assert!(Foreground::of(&drawing(), &wide, 7).is_none());
        assert!(Foreground::<f32>::of(&[], &wide, 8).is_none());
        let sentinel: Vec<f32> = drawing().iter().map(|x| x * 1e6 + 0.1).collect();
        assert!(Foreground::of(&sentinel, &wide, 8).is_some());
        let rare: Vec<f32> = drawing()
            .iter()
            .map(|&x| match x {
                2.0 => -999_999.0,
                2.5 => 0.123,
                x => x,
            })
            .collect();
        assert!(Foreground::of(&rare, &wide, 8).is_none());
        assert!(Foreground::of(&drawing(), &wide, 8).is_some());
    }
}
