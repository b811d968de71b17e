//! A simple predictor without errors: in a table of one's own, often a column that holds the answer.

use emberlab_metrics::Metric;
use emberlab_run_format::{Finding, FindingKind, Severity};

use crate::diagnosis::wording::{evidence, finding, sentences};
use crate::diagnosis::{Earliest, Observations, ObservedBaselines, Rule};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::PerfectBaseline,
    earliest: Earliest::AtTheEnd,
    condition: "on at least 100 test or validation rows of a table of your own, a simple predictor in `baselines.json` has an accuracy of 1 or an R² of at least 0.999, and a predictor that reads no column, such as the majority class, has not",
    is_one_problem: true,
    detect,
};

/// With fewer rows, a simple predictor may be right by chance.
const ENOUGH_ROWS: usize = 100;
/// Simple predictors that read no column. Where one of them makes no errors, the others need no column either.
const READ_NOTHING: [&str; 2] = ["majority", "mean"];
/// Nearly all of the variance.
const PERFECT_R2: f64 = 0.999;

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let found = observed.baselines.and_then(|found| perfect(&found));
    found.into_iter().collect()
}

fn perfect(observed: &ObservedBaselines<'_>) -> Option<Finding> {
    if !observed.is_own_table || observed.num_rows < ENOUGH_ROWS {
        return None;
    }
    let split = observed.split;
    let scores = observed.baselines.results.iter().filter_map(|scores| {
        let metrics = scores.metrics.get(&split)?;
        let of = |metric: Metric, least: f64| {
            let value = metrics.get(metric).filter(|value| *value >= least);
            value.map(|value| (scores, metric, value))
        };
        of(Metric::Accuracy, 1.0).or_else(|| of(Metric::R2, PERFECT_R2))
    });
    let all: Vec<_> = scores.collect();
    let reads_nothing = |name: &str| READ_NOTHING.contains(&name);
    if all.iter().any(|(scores, ..)| reads_nothing(&scores.name)) {
        return None;
    }
    let (scores, metric, value) = all.first()?;
    let title = &scores.title;
    let mut found = finding(
        FindingKind::PerfectBaseline,
        Severity::Warning,
        format!("{title} alone makes no errors on the {split} split: a column may hold the answer"),
    );
    found.evidence = vec![
        evidence(format!("{split} {metric} of {title}"), *value),
        evidence(format!("{split} rows"), observed.num_rows as f64),
    ];
    found.causes = sentences(&[
        "columns from which the target was computed, or that are known only after it",
        "a task so simple that it needs no network",
    ]);
    found.remedies = sentences(&[
        "`emberlab evaluate RUN --importance`, which names the columns that the network depends on",
        "these columns in `dataset.drop`, if they are not known when you predict",
    ]);
    Some(found)
}

#[cfg(test)]
mod tests {
    use emberlab_metrics::{Split, SplitMetrics};

    use super::*;
    use crate::diagnosis::examples::baselines;

    #[test]
    fn a_baseline_without_errors_is_found_in_tables_of_ones_own() {
        let kind = |value: f64, num_rows: usize, is_own_table: bool| {
            let found = perfect(&ObservedBaselines {
                baselines: &baselines(Metric::Accuracy, value),
                split: Split::Valid,
                network: &SplitMetrics::default(),
                num_rows,
                is_own_table,
            });
            found.map(|found| found.kind)
        };
        assert_eq!(kind(1.0, 100, true), Some(FindingKind::PerfectBaseline));
        assert_eq!(kind(1.0, 100, false), None);
        assert_eq!(kind(1.0, 50, true), None);
        assert_eq!(kind(0.999, 100, true), None);
    }

    #[test]
    fn a_majority_class_that_is_always_right_is_no_column_with_the_answer() {
        let mut forest_and_majority = baselines(Metric::Accuracy, 1.0);
        let mut majority = forest_and_majority.results[0].clone();
        majority.name = "majority".to_string();
        forest_and_majority.results.insert(0, majority);
        let found = perfect(&ObservedBaselines {
            baselines: &forest_and_majority,
            split: Split::Valid,
            network: &SplitMetrics::default(),
            num_rows: 100,
            is_own_table: true,
        });
        assert_eq!(found.map(|found| found.kind), None);
    }
}
