//! A network that is clearly worse than a simple predictor.

use emberlab_metrics::Direction;
use emberlab_run_format::{Finding, FindingKind, Severity};

use crate::diagnosis::wording::{evidence, finding, sentences, significant};
use crate::diagnosis::{Earliest, Observations, ObservedBaselines, Rule};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::WorseThanBaseline,
    earliest: Earliest::AtTheEnd,
    condition: "on the test or validation split, the best simple predictor in `baselines.json` is better than the network by 0.05 in accuracy, R² or a metric like these, or by a quarter of an error; and by more than the chance of which rows the split has",
    is_one_problem: true,
    detect,
};

/// A difference of a metric that is a share, or like one.
const CLEAR: f64 = 0.05;
/// A difference of an error, over that of the simple predictor.
const CLEAR_SHARE: f64 = 0.25;
/// Standard errors that chance rarely exceeds.
const STANDARD_ERRORS: f64 = 3.0;

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let found = observed.baselines.and_then(|found| worse(&found));
    found.into_iter().collect()
}

fn worse(observed: &ObservedBaselines<'_>) -> Option<Finding> {
    let ObservedBaselines {
        baselines,
        split,
        network,
        num_rows,
        is_own_table,
    } = observed;
    let (best, value) = baselines.best(*split)?;
    let metric = baselines.metric;
    let own = network.get(metric)?;
    // The standard error of a share is at most this.
    let error = STANDARD_ERRORS * (0.25 / *num_rows as f64).sqrt();
    let is_worse = match metric.direction() {
        Direction::Higher => value - own > CLEAR.max(error),
        Direction::Lower => own - value > value.abs() * CLEAR_SHARE.max(error),
    };
    if !is_worse {
        return None;
    }
    let mut found = finding(
        FindingKind::WorseThanBaseline,
        Severity::Warning,
        format!(
            "{} predicts better than the network: {split} {metric} {} against {}",
            best.title,
            significant(value),
            significant(own)
        ),
    );
    found.evidence = vec![
        evidence(format!("{split} {metric} of the network"), own),
        evidence(format!("{split} {metric} of {}", best.title), value),
        evidence(format!("{split} rows"), *num_rows as f64),
    ];
    found.causes = sentences(&[
        "too few epochs, or an early stopping without patience",
        "a network that is too small, or that learns its few training rows by heart",
    ]);
    found.remedies = sentences(&[
        "more epochs: `emberlab resume RUN --set training.num_epochs=N`; or a larger `training.early_stopping.patience`",
        "more units or another hidden layer",
    ]);
    if *is_own_table {
        found.causes.extend(sentences(&[
            "columns whose values differ by orders of magnitude",
            "codes that are read as amounts",
        ]));
        found.remedies.extend(sentences(&[
            "`standardize.method = \"robust\"`",
            "codes as categories, by `dataset.types`",
        ]));
    }
    found
        .remedies
        .push("the simple predictor itself".to_string());
    Some(found)
}

#[cfg(test)]
mod tests {
    use emberlab_metrics::{Metric, Split, SplitMetrics};
    use emberlab_run_format::{BaselineScores, Baselines};

    use super::*;
    use crate::diagnosis::{LearningCurves, findings};

    fn baselines(value: f64) -> Baselines {
        let metrics = SplitMetrics::from_iter([(Metric::Accuracy, value)]);
        Baselines {
            metric: Metric::Accuracy,
            num_train: 300,
            results: vec![BaselineScores {
                name: "random_forest".to_string(),
                title: "random forest".to_string(),
                num_train_used: 300,
                metrics: [(Split::Valid, metrics)].into_iter().collect(),
                error: None,
            }],
        }
    }

    #[test]
    fn a_finding_that_says_why_is_reported_in_its_place() {
        let kinds = |train_loss: Vec<f64>| -> Vec<FindingKind> {
            let curves = LearningCurves {
                num_epochs: train_loss.len(),
                train_loss,
                ..LearningCurves::default()
            };
            let found = findings(&Observations {
                baselines: Some(ObservedBaselines {
                    baselines: &baselines(0.9),
                    split: Split::Valid,
                    network: &SplitMetrics::from_iter([(Metric::Accuracy, 0.5)]),
                    num_rows: 200,
                    is_own_table: false,
                }),
                ..Observations::of_curves(&curves)
            });
            found.iter().map(|found| found.kind).collect()
        };
        assert_eq!(kinds(vec![0.7, 0.6]), [FindingKind::WorseThanBaseline]);
        assert_eq!(kinds(vec![0.7, 2.0]), [FindingKind::LearningRateTooHigh]);
    }

    #[test]
    fn a_network_is_worse_only_beyond_what_chance_does() {
        let kind = |own: f64, num_rows: usize| {
            let found = worse(&ObservedBaselines {
                baselines: &baselines(0.9),
                split: Split::Valid,
                network: &SplitMetrics::from_iter([(Metric::Accuracy, own)]),
                num_rows,
                is_own_table: false,
            });
            found.map(|found| found.kind)
        };
        assert_eq!(kind(0.5, 200), Some(FindingKind::WorseThanBaseline));
        assert_eq!(kind(0.8, 2000), Some(FindingKind::WorseThanBaseline));
        assert_eq!(kind(0.8, 100), None, "three standard errors are 0.15");
        assert_eq!(kind(0.88, 100_000), None);
        assert_eq!(kind(0.95, 2000), None);
    }
}
