//! A batch too small for batch normalisation: the deviation over one row is 0, and that over two or three is a guess.

use emberlab_run_format::{Finding, FindingKind, Severity};

use crate::diagnosis::wording::{evidence, finding, sentences};
use crate::diagnosis::{Earliest, Observations, ObservedData, Rule};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::TinyBatch,
    earliest: Earliest::BeforeTraining,
    condition: "dense layers have batch normalisation, and the last batch of an epoch has one row; or it has two or three, and an epoch at most ten batches; or all batches have at most three",
    is_one_problem: true,
    detect,
};

/// The deviation over this few rows is a guess. Measured on 800 moons: the validation loss doubles.
const FEW_ROWS: usize = 3;
/// With more batches in an epoch, a last batch of two or three rows does no harm that could be measured.
const FEW_BATCHES: usize = 10;

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let data = observed.data.filter(|data| data.compares_rows);
    data.and_then(|data| tiny_batch(&data))
        .into_iter()
        .collect()
}

fn tiny_batch(data: &ObservedData<'_>) -> Option<Finding> {
    let num_rows = data.splits.train.len();
    let num_batches = data.batches.num_batches(num_rows);
    let smallest = data.batches.smallest_batch(num_rows);
    let are_all_tiny = num_rows > 0 && num_rows.div_ceil(num_batches.max(1)) <= FEW_ROWS;
    let is_tiny = smallest == 1 || smallest <= FEW_ROWS && num_batches <= FEW_BATCHES;
    if !(is_tiny || are_all_tiny) {
        return None;
    }
    let rows = match smallest {
        1 => "1 row".to_string(),
        rows => format!("{rows} rows"),
    };
    let which = match are_all_tiny {
        true => format!("each batch has {rows} or little more"),
        false => format!(
            "{num_rows} training rows in batches of {} leave {rows} for the last batch",
            data.batches.batch_size
        ),
    };
    let why = match smallest {
        1 => "is 0 for one row",
        _ => "is a guess for so few rows",
    };
    let mut found = finding(
        FindingKind::TinyBatch,
        Severity::Error,
        format!(
            "{which}: batch normalisation divides by the deviation within a batch, which {why}"
        ),
    );
    found.evidence = vec![
        evidence("training rows", num_rows as f64),
        evidence("batches of an epoch", num_batches as f64),
        evidence("rows of the smallest batch", smallest as f64),
    ];
    found.causes = sentences(&[
        "a number of training rows just above a multiple of `training.batch_size`",
        "batches chosen for a network without batch normalisation",
    ]);
    found.remedies = match are_all_tiny {
        true => sentences(&["`training.batch_size = 32`"]),
        false => sentences(&[
            "`training.drop_last = true`, which leaves the short batch out",
            "another `training.batch_size`",
        ]),
    };
    found
        .remedies
        .push("`model.normalization = \"layer\"`, which needs no other rows".to_string());
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::observed_data::examples::{Table, alternating, noise};
    use emberlab_datasets::BatchSize;

    #[test]
    fn a_last_batch_of_few_rows_is_found_under_batch_normalization_alone() {
        // 48 of 64 rows are training rows.
        let mut table = Table::new(&[("x", noise(64, 1))], alternating(64));
        table.batches.batch_size = BatchSize::Size(47);
        assert_eq!(table.kinds(), []);
        table.compares_rows = true;
        // 48 = 47 + 1 = 2 · 23 + 2 = 3 · 15 + 3
        for size in [47, 23, 15] {
            table.batches.batch_size = BatchSize::Size(size);
            assert_eq!(table.kinds(), [FindingKind::TinyBatch], "{size}");
            table.batches.drop_last = true;
            assert_eq!(table.kinds(), [], "{size}");
            table.batches.drop_last = false;
        }
        // 48 = 4 · 11 + 4
        for size in [BatchSize::Size(11), BatchSize::Size(16), BatchSize::Full] {
            table.batches.batch_size = size;
            assert_eq!(table.kinds(), [], "{size}");
        }
    }

    #[test]
    fn in_an_epoch_of_many_batches_only_a_batch_of_one_row_is_found() {
        // 150 of 200 rows are training rows: 150 = 37 · 4 + 2 = 21 · 7 + 3
        let mut table = Table::new(&[("x", noise(200, 1))], alternating(200));
        table.compares_rows = true;
        let mut kinds = |size| {
            table.batches.batch_size = BatchSize::Size(size);
            table.kinds()
        };
        assert_eq!(kinds(4), []);
        assert_eq!(kinds(7), []);
        // All batches have two rows, or three.
        assert_eq!(kinds(2), [FindingKind::TinyBatch]);
        assert_eq!(kinds(3), [FindingKind::TinyBatch]);
    }
}
