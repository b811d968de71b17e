//! A network that is clearly worse than a simple predictor.

use emberlab_metrics::{Direction, Metric, Split};
use emberlab_run_format::{Finding, FindingKind, Severity};

use crate::diagnosis::wording::{evidence, finding, sentences, significant};
use crate::diagnosis::{Earliest, Observations, ObservedBaselines, ObservedData, Rule};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::WorseThanBaseline,
    earliest: Earliest::AtTheEnd,
    condition: "on the test or validation split, the best simple predictor in `baselines.json` is better than the network by 0.05 in accuracy, R² or a metric like these, or by a quarter of an error that is not nearly zero; and by more than three standard errors with the rows of the split, or with those of its rarest class for F1 and other metrics of classes, besides accuracy, of which more is better",
    is_one_problem: true,
    detect,
};

/// A difference of a metric that is a share, or like one.
const CLEAR: f64 = 0.05;
/// A difference of an error, over that of the simple predictor.
const CLEAR_SHARE: f64 = 0.25;
/// An error of a classification that is not nearly zero, and the share of the variance above which that of a regression
/// is.
const NOT_ZERO: f64 = 0.05;
const NEARLY_ALL: f64 = 0.999;
/// Standard errors that chance rarely exceeds.
const STANDARD_ERRORS: f64 = 3.0;

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let found = observed.baselines.and_then(|found| {
        let rarest = observed
            .data
            .and_then(|data| rarest_class(&data, found.split));
        worse(&found, rarest)
    });
    found.into_iter().collect()
}

/// The number of rows of the rarest class that a split has; `None` for a regression.
fn rarest_class(data: &ObservedData<'_>, split: Split) -> Option<usize> {
    let rows = match split {
        Split::Train => &data.splits.train,
        Split::Valid => &data.splits.valid,
        Split::Test => &data.splits.test,
    };
    let counts = data.class_counts_of(rows).into_iter();
    let counts = counts.map(|(_, count)| count);
    counts.filter(|count| *count > 0).min()
}

fn worse(observed: &ObservedBaselines<'_>, rarest: Option<usize>) -> Option<Finding> {
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
    // At most the standard error of a share.
    let of_share = |rows: usize| STANDARD_ERRORS * (0.25 / rows as f64).sqrt();
    // That of a mean of squared errors, as a share of this mean, if the errors are normal.
    let of_squares = STANDARD_ERRORS * (2.0 / *num_rows as f64).sqrt();
    let is_worse = match metric.direction() {
        Direction::Higher => {
            // A difference of R² on the same rows varies about as much as a share.
            let is_of_all = metric == Metric::Accuracy || metric.is_of_numbers();
            let rows = if is_of_all { *num_rows } else { rarest? };
            value - own > CLEAR.max(of_share(rows))
        }
        Direction::Lower => {
            let has_errors = match network.get(Metric::R2) {
                Some(r2) => r2 < NEARLY_ALL,
                None => own > NOT_ZERO,
            };
            has_errors && own - value > value * CLEAR_SHARE.max(of_squares)
        }
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
    use emberlab_metrics::SplitMetrics;

    use super::*;
    use crate::diagnosis::examples::baselines;
    use crate::diagnosis::{LearningCurves, findings};

    /// The finding where a simple predictor has `value` and the network `own`.
    fn is_worse(
        metric: Metric,
        value: f64,
        own: f64,
        num_rows: usize,
        rarest: Option<usize>,
    ) -> Option<FindingKind> {
        let observed = ObservedBaselines {
            baselines: &baselines(metric, value),
            split: Split::Valid,
            network: &SplitMetrics::from_iter([(metric, own)]),
            num_rows,
            is_own_table: false,
        };
        worse(&observed, rarest).map(|found| found.kind)
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
                    baselines: &baselines(Metric::Accuracy, 0.9),
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
        let kind = |own: f64, num_rows: usize| is_worse(Metric::Accuracy, 0.9, own, num_rows, None);
        assert_eq!(kind(0.5, 200), Some(FindingKind::WorseThanBaseline));
        assert_eq!(kind(0.8, 2000), Some(FindingKind::WorseThanBaseline));
        assert_eq!(kind(0.8, 100), None, "three standard errors are 0.15");
        assert_eq!(kind(0.88, 100_000), None);
        assert_eq!(kind(0.95, 2000), None);
    }

    #[test]
    fn a_metric_of_classes_is_as_sure_as_the_rows_of_the_rarest_class() {
        let f1 = |rarest| is_worse(Metric::F1, 0.9, 0.7, 2000, rarest);
        assert_eq!(f1(Some(100)), Some(FindingKind::WorseThanBaseline));
        assert_eq!(f1(Some(20)), None, "three standard errors are 0.34");
        assert_eq!(f1(None), None);
    }

    #[test]
    fn an_error_is_worse_by_a_share_of_it_and_not_where_it_is_nearly_zero() {
        let found = Some(FindingKind::WorseThanBaseline);
        let mae = |value, own, num_rows| is_worse(Metric::Mae, value, own, num_rows, None);
        assert_eq!(mae(1.0, 1.3, 1000), found);
        assert_eq!(mae(1.0, 1.2, 1000), None);
        assert_eq!(mae(1.0, 1.3, 50), None, "three standard errors are 0.6");
        let brier = |value, own| is_worse(Metric::Brier, value, own, 1000, Some(400));
        assert_eq!(brier(0.0, 0.01), None);
        assert_eq!(brier(0.0, 0.2), found);
        // Three standard errors are 0.10 with 240 rows, and 0.18 with 66.
        let r2 = |num_rows| is_worse(Metric::R2, 0.56, 0.4, num_rows, None);
        assert_eq!(r2(240), found);
        assert_eq!(r2(66), None);
    }
}
