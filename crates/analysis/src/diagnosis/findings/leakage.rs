//! Leakage: the training uses something of the rows that it is judged by.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use emberlab_datasets::{
    Features, Samples, Standardize, StandardizeConfig, Standardizer, StatisticsFrom,
};
use emberlab_run_format::{Finding, FindingKind, Severity};

use crate::diagnosis::wording::{evidence, finding, percent, sentences};
use crate::diagnosis::{Earliest, Observations, ObservedData, Rule};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::Leakage,
    earliest: Earliest::BeforeTraining,
    condition: "inputs are standardised with the mean and deviation of all rows; or 5 % of the rows of a split, and at least three, are also in the training split",
    is_one_problem: false,
    detect,
};

/// Share of a split's rows that may also be training rows: real data contain a few copies.
const FEW_COPIES: f64 = 0.05;
/// Fewer copies than this mean nothing, whatever their share.
const MIN_COPIES: usize = 3;

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let Some(data) = observed.data else {
        return Vec::new();
    };
    if data.splits.valid.is_empty() && data.splits.test.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<Finding> = shared_statistics(&data).into_iter().collect();
    found.extend(shared_rows(&data));
    found
}

fn shared_statistics(data: &ObservedData<'_>) -> Option<Finding> {
    let config = data.standardize;
    if config.statistics != StatisticsFrom::All || config.method == Standardize::None {
        return None;
    }
    let of_train = StandardizeConfig {
        statistics: StatisticsFrom::Train,
        ..*config
    };
    let fit = |config| Standardizer::fit(config, data.samples, &data.splits.train);
    let [all, train] = [config, &of_train].map(fit);
    let shifts = all.mean.iter().zip(&train.mean).zip(&train.std);
    let shift = shifts.map(|((a, t), std)| ((a - t) / std).abs());
    let mut found = finding(
        FindingKind::Leakage,
        Severity::Warning,
        "`standardize.statistics` is \"all\": the validation and test rows influence how inputs are scaled"
            .to_string(),
    );
    found.evidence = vec![evidence(
        "largest shift of a feature's mean by those rows, in standard deviations",
        shift.fold(0.0, f64::max),
    )];
    found.causes = sentences(&["mean and deviation computed before the data were split"]);
    found.remedies = sentences(&["`standardize.statistics = \"train\"`"]);
    Some(found)
}

fn shared_rows(data: &ObservedData<'_>) -> Vec<Finding> {
    let (samples, splits) = (data.samples, data.splits);
    let trained: HashSet<u64> = splits.train.iter().map(|&row| hash(samples, row)).collect();
    let mut all = Vec::new();
    for (split, rows) in [("valid", &splits.valid), ("test", &splits.test)] {
        let copies = rows
            .iter()
            .filter(|&&row| trained.contains(&hash(samples, row)));
        let num_copies = copies.count();
        let share = num_copies as f64 / rows.len().max(1) as f64;
        if num_copies < MIN_COPIES || share < FEW_COPIES {
            continue;
        }
        let mut found = finding(
            FindingKind::Leakage,
            Severity::Warning,
            format!(
                "{num_copies} of {} {split} rows ({}) are also training rows: a network that memorises them looks better than it is",
                rows.len(),
                percent(share)
            ),
        );
        found.evidence = vec![
            evidence(
                format!("{split} rows that are also in train"),
                num_copies as f64,
            ),
            evidence(format!("{split} rows"), rows.len() as f64),
        ];
        found.causes = sentences(&[
            "rows copied or augmented before the data were split",
            "a table that lists the same measurement more than once",
        ]);
        found.remedies = sentences(&["remove the copies from the table, then split"]);
        all.push(found);
    }
    all
}

/// A hash of a row's features; two rows that differ have the same with probability 2⁻⁶⁴.
fn hash(samples: &Samples, row: u32) -> u64 {
    let width = samples.num_features();
    let range = row as usize * width..(row as usize + 1) * width;
    let mut hasher = DefaultHasher::new();
    match &samples.features {
        Features::Bytes(pixels) => pixels[range].hash(&mut hasher),
        Features::Doubles(values) => {
            values[range]
                .iter()
                .for_each(|x| x.to_bits().hash(&mut hasher));
        }
        Features::Floats(values) => {
            values[range]
                .iter()
                .for_each(|x| x.to_bits().hash(&mut hasher));
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::LearningCurves;
    use emberlab_datasets::{Splits, Targets};

    #[test]
    fn rows_that_are_in_train_and_in_valid_are_counted() {
        let splits = Splits {
            train: (0..30).collect(),
            valid: (30..40).collect(),
            test: Vec::new(),
        };
        let (curves, standardize) = (LearningCurves::default(), StandardizeConfig::default());
        let of = |modulus: usize| {
            let rows = (0..40).flat_map(|i| [(i % modulus) as f32, 1.0]);
            let samples = Samples::of_features(
                Features::Floats(rows.collect()),
                Targets::Classes {
                    labels: (0..40).map(|i| i % 2).collect(),
                    names: vec!["no".to_string(), "yes".to_string()],
                },
                vec!["a".to_string(), "b".to_string()],
            );
            let data = ObservedData {
                samples: &samples,
                splits: &splits,
                standardize: &standardize,
                standardizer: &Standardizer::identity(),
            };
            crate::diagnosis::findings(&Observations {
                data: Some(data),
                ..Observations::of_curves(&curves)
            })
        };
        let found = of(30);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].kind, FindingKind::Leakage);
        assert_eq!(found[0].evidence[0].value, 10.0);
        assert_eq!(of(40), [], "no row occurs twice");
    }
}
