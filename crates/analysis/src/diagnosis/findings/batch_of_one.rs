//! Batch normalisation of one row: a batch whose rows have no deviation.

use emberlab_run_format::{Finding, FindingKind, Severity};

use crate::diagnosis::wording::{evidence, finding, sentences};
use crate::diagnosis::{Earliest, Observations, ObservedData, Rule};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::BatchOfOne,
    earliest: Earliest::BeforeTraining,
    condition: "the network has dense layers with batch normalization, and the last batch of an epoch has one row",
    is_one_problem: true,
    detect,
};

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let smallest = |data: &ObservedData<'_>| data.batches.smallest_batch(data.splits.train.len());
    let data = observed
        .data
        .filter(|data| data.compares_rows && smallest(data) == 1);
    data.map(|data| one_row(&data)).into_iter().collect()
}

fn one_row(data: &ObservedData<'_>) -> Finding {
    let num_rows = data.splits.train.len();
    let batch_size = data.batches.batch_size;
    let mut found = finding(
        FindingKind::BatchOfOne,
        Severity::Error,
        format!(
            "the {num_rows} training rows in batches of {batch_size} leave one row for the last batch: batch normalization divides by the deviation within a batch, and one row has none"
        ),
    );
    found.evidence = vec![
        evidence("training rows", num_rows as f64),
        evidence("rows of the last batch", 1.0),
    ];
    found.causes =
        sentences(&["a number of training rows one above a multiple of `training.batch_size`"]);
    found.remedies = sentences(&[
        "`training.drop_last = true`, which leaves the short batch out",
        "another `training.batch_size`",
        "`model.normalization = \"layer\"`, which needs no other rows",
    ]);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::observed_data::examples::{Table, alternating, noise};
    use emberlab_datasets::BatchSize;

    #[test]
    fn a_last_batch_of_one_row_is_found_under_batch_normalization_alone() {
        // 48 of 64 rows are training rows, and 48 = 47 + 1 = 2 · 23 + 2.
        let mut table = Table::new(&[("x", noise(64, 1))], alternating(64));
        table.batches.batch_size = BatchSize::Size(47);
        assert_eq!(table.kinds(), []);
        table.compares_rows = true;
        assert_eq!(table.kinds(), [FindingKind::BatchOfOne]);
        table.batches.drop_last = true;
        assert_eq!(table.kinds(), []);
        table.batches.drop_last = false;
        for size in [BatchSize::Size(23), BatchSize::Size(16), BatchSize::Full] {
            table.batches.batch_size = size;
            assert_eq!(table.kinds(), [], "{size}");
        }
    }
}
