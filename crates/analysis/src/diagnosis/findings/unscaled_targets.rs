//! Targets that are not scaled: a regression whose targets are far from 1.

use emberlab_run_format::{Finding, FindingKind, Severity};

use crate::diagnosis::wording::{evidence, finding, sentences, significant};
use crate::diagnosis::{Earliest, Observations, ObservedData, Rule};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::UnscaledTargets,
    earliest: Earliest::BeforeTraining,
    condition: "the targets of a regression, as the network learns them, have a root mean square above 10 or a deviation below 0.01",
    is_one_problem: true,
    detect,
};

/// Targets above this size are too large.
const LARGE: f64 = 10.0;
/// Targets that deviate by less than this are too small.
const SMALL: f64 = 0.01;

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let found = observed.data.and_then(|data| unscaled(&data));
    observed.as_unscaled_data(found)
}

fn unscaled(data: &ObservedData<'_>) -> Option<Finding> {
    if data.standardize.targets {
        return None;
    }
    let targets = data.target_columns();
    targets
        .iter()
        .find_map(|(_, values)| unscaled_column(data, values))
}

fn unscaled_column(data: &ObservedData<'_>, values: &[f64]) -> Option<Finding> {
    let train = &data.splits.train;
    let mean_of = |f: &dyn Fn(f64) -> f64| {
        let sum: f64 = train.iter().map(|&row| f(values[row as usize])).sum();
        sum / train.len().max(1) as f64
    };
    let mean = mean_of(&|y| y);
    let size = mean_of(&|y| y * y).sqrt();
    let deviation = mean_of(&|y| (y - mean).powi(2)).sqrt();
    let is_small = deviation > 0.0 && deviation < SMALL;
    if !(size > LARGE || is_small) {
        return None;
    }
    let mut found = finding(
        FindingKind::UnscaledTargets,
        Severity::Warning,
        format!(
            "the targets have mean {} and deviation {}: a network begins near 0 and learns well where targets are about 1",
            significant(mean),
            significant(deviation)
        ),
    );
    found.evidence = vec![
        evidence("mean of the train targets", mean),
        evidence("standard deviation of the train targets", deviation),
    ];
    found.causes = sentences(&["targets in the unit in which they were measured"]);
    found.remedies = sentences(&[
        "`standardize.targets = true`, which leaves metrics and predictions in the unit of the targets",
    ]);
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::LearningCurves;
    use crate::diagnosis::observed_data::examples::{Table, noise};
    use emberlab_datasets::Targets;

    fn table(target: impl Fn(f32) -> f32) -> Table {
        let targets = noise(40, 2).into_iter().map(target).map(f64::from);
        Table::new(&[("x", noise(40, 1))], Targets::numbers(targets))
    }

    #[test]
    fn targets_far_from_1_are_found() {
        assert_eq!(table(|y| 1e8 * y).kinds(), [FindingKind::UnscaledTargets]);
        assert_eq!(
            table(|y| 2000.0 + y).kinds(),
            [FindingKind::UnscaledTargets]
        );
        assert_eq!(table(|y| 1e-5 * y).kinds(), [FindingKind::UnscaledTargets]);
        assert_eq!(table(|y| 3.0 + 4.0 * y).kinds(), []);
        assert_eq!(table(|_| 3.0).kinds(), [], "a constant");
    }

    #[test]
    fn standardised_targets_are_no_finding() {
        let mut table = table(|y| 1e8 * y);
        table.standardize.targets = true;
        assert_eq!(table.kinds(), []);
    }

    #[test]
    fn targets_that_are_not_scaled_explain_a_loss_that_rises() {
        let curves = LearningCurves {
            train_loss: vec![1e9, 2e9, 3e9],
            num_epochs: 3,
            ..LearningCurves::default()
        };
        let found = table(|y| 1e5 * y).findings_with(&curves);
        let kinds: Vec<FindingKind> = found.iter().map(|f| f.kind).collect();
        assert_eq!(kinds, [FindingKind::UnscaledTargets]);
        let kinds = table(|y| y).findings_with(&curves);
        assert_eq!(kinds[0].kind, FindingKind::LearningRateTooHigh);
    }
}
