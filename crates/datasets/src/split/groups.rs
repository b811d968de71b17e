//! Splits that keep the rows of a group together, such as those of one patient.

use std::cmp::Reverse;

use emberlab_menu::Problem;
use emberlab_rng::StreamRng;

use super::{Fold, SplitConfig, SplitMethod, Splits};
use crate::random;

impl SplitConfig {
    /// Divides whole groups. `counts` are the rows wanted for training, validation and test.
    ///
    /// The random method deals out the groups in random order, the largest first, each to the split that lacks most
    /// rows. The sequential method fills one split after the other in the order of the file.
    pub(super) fn split_groups(
        &self,
        groups: &[u32],
        counts: [usize; 3],
        rng: &mut StreamRng,
    ) -> Result<Splits, Problem> {
        Problem::unless(
            self.method != SplitMethod::Stratified,
            "method",
            "stratified",
            "\"random\" or \"sequential\", because `dataset.group` keeps rows together whatever their class",
        )?;
        let mut groups = rows_of_groups(groups);
        if self.method == SplitMethod::Random {
            random::shuffle(&mut groups, rng);
            groups.sort_by_key(|rows| Reverse(rows.len()));
        }
        let mut parts = self.deal(&groups, &counts);
        if let Some(Fold { index, of }) = self.fold {
            let pool = std::mem::take(&mut parts[0]);
            Problem::unless(
                of <= pool.len(),
                "fold.of",
                of,
                format!("at most the {} groups there are", pool.len()),
            )?;
            let rows: usize = pool.iter().map(Vec::len).sum();
            let mut folds = self.deal(&pool, &vec![rows.div_ceil(of); of]);
            parts[1] = folds.remove(index);
            parts[0] = folds.concat();
        }
        let mut splits = parts.into_iter().map(|groups| groups.concat());
        let mut next = |key: &str, wanted: usize| {
            let mut rows = splits.next().unwrap_or_default();
            Problem::unless(
                wanted == 0 || !rows.is_empty(),
                key,
                "0 rows",
                format!(
                    "a row: the {} groups are too few for these splits",
                    groups.len()
                ),
            )?;
            if self.method == SplitMethod::Random {
                random::shuffle(&mut rows, rng);
            }
            Ok(rows)
        };
        Ok(Splits {
            train: next("train", 1)?,
            valid: next("valid", counts[1])?,
            test: next("test", counts[2])?,
        })
    }

    /// Deals out groups in their order to parts, each of which wants a number of rows.
    fn deal(&self, groups: &[Vec<u32>], wanted: &[usize]) -> Vec<Vec<Vec<u32>>> {
        let mut parts = vec![Vec::new(); wanted.len()];
        let mut lacking: Vec<i64> = wanted.iter().map(|&rows| rows as i64).collect();
        for group in groups {
            let place = match self.method {
                SplitMethod::Sequential => lacking.iter().position(|&rows| rows > 0),
                SplitMethod::Random | SplitMethod::Stratified => {
                    let most = lacking.iter().max();
                    lacking.iter().position(|rows| Some(rows) == most)
                }
            };
            // The rows that no split wants stay out.
            let Some(place) = place.filter(|&place| lacking[place] > 0) else {
                break;
            };
            lacking[place] -= group.len() as i64;
            parts[place].push(group.clone());
        }
        parts
    }
}

/// The rows of each group.
fn rows_of_groups(groups: &[u32]) -> Vec<Vec<u32>> {
    let count = groups.iter().max().map_or(0, |&last| last as usize + 1);
    let mut rows_of = vec![Vec::new(); count];
    for (row, &group) in (0..).zip(groups) {
        rows_of[group as usize].push(row);
    }
    rows_of
}
