//! Learning rate too low: a loss that falls steadily and slowly, or a first step that changes nothing.

use emberlab_run_format::{Finding, FindingKind, Severity};

use super::update_size::large_median;
use crate::diagnosis::learning_curves::ENOUGH_EPOCHS;
use crate::diagnosis::wording::{evidence, finding, percent, sentences};
use crate::diagnosis::{Earliest, LearningCurves, Observations, Rule, StepInspection};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::LearningRateTooLow,
    // While epochs are left, the loss may still fall far enough.
    earliest: Earliest::AtTheEnd,
    condition: "the loss fell in nine of ten epochs, by less than 40 % in all, and in the second half nearly as fast as in the first, while the median step changes no layer by more than a hundredth of its weights; or the first step moves no layer by more than a millionth of its weights, although there is a gradient",
    is_one_problem: true,
    detect,
};

/// A first step that moves all weights by less than this share of their size is small.
const SMALL_STEP: f64 = 1e-6;

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let found = [
        observed
            .finite_curves()
            .and_then(|curves| slow_fall(curves, observed)),
        observed.finite_first_step().and_then(small_step),
    ];
    found.into_iter().flatten().collect()
}

/// A loss that falls steadily and is still near its first value.
fn slow_fall(curves: &LearningCurves, observed: &Observations<'_>) -> Option<Finding> {
    let losses = &curves.train_loss;
    if losses.len() < ENOUGH_EPOCHS || losses.len() < curves.num_epochs {
        return None;
    }
    let (first, last) = (losses[0], losses[losses.len() - 1]);
    let middle = losses[losses.len() / 2];
    // A straight line: the second half gains nearly as much as the first, and neither gains much.
    let is_straight = middle - last >= 0.6 * (first - middle);
    let is_little = first - last < 0.4 * first && first - last > 0.0;
    if !(curves.falls_steadily() && is_straight && is_little) {
        return None;
    }
    // Larger steps would be too large for the weights.
    let layers = observed.layers.filter(|_| !observed.searches());
    if layers.and_then(large_median).is_some() {
        return None;
    }
    let share = (first - last) / first;
    let mut found = finding(
        FindingKind::LearningRateTooLow,
        Severity::Warning,
        format!(
            "in {} epochs the loss fell steadily, by only {} in all, and it is still falling as fast",
            losses.len(),
            percent(share)
        ),
    );
    found.evidence = vec![
        evidence("train loss in epoch 1", first),
        evidence(
            format!("train loss in epoch {}", losses.len() / 2 + 1),
            middle,
        ),
        evidence(format!("train loss in epoch {}", losses.len()), last),
        evidence(
            "share of epochs in which it fell",
            curves.share_of_falls().unwrap_or_default(),
        ),
    ];
    found.causes = sentences(&[
        "steps far smaller than the loss would allow",
        "too few epochs for this learning rate",
    ]);
    found.remedies =
        sentences(&["ten times `optimizer.learning_rate`; `emberlab find-lr` tries many"]);
    if (observed.steps).is_none_or(|(optimizer, _)| optimizer.rule.num_buffers() == 0) {
        found.remedies.extend(sentences(&[
            "another optimiser, such as `adam`, or momentum",
        ]));
    }
    let more_epochs = "more epochs: `emberlab resume RUN --set training.num_epochs=N`";
    found.remedies.push(more_epochs.to_string());
    Some(found)
}

fn small_step(step: &StepInspection) -> Option<Finding> {
    let (layer, share) = step.largest_relative_change()?;
    // Without a gradient nothing moves at any rate.
    let has_gradient = step.layers.iter().any(|layer| layer.gradient > 0.0);
    if share > SMALL_STEP || !has_gradient {
        return None;
    }
    let summary = match share == 0.0 {
        true => "the first step changes no weight, although the gradient is not zero".to_string(),
        false => format!(
            "the first step changes no layer by more than {share:.1e} of the size of its weights ({layer})"
        ),
    };
    let mut found = finding(FindingKind::LearningRateTooLow, Severity::Warning, summary);
    found.evidence = vec![evidence(
        format!("first step of {layer} over its weights"),
        share,
    )];
    found.causes = sentences(&["steps far smaller than the loss would allow"]);
    found.remedies = sentences(&[match share == 0.0 {
        true => "a larger `optimizer.learning_rate`; `emberlab find-lr` tries many",
        false => "a hundred times `optimizer.learning_rate`; `emberlab find-lr` tries many",
    }]);
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::examples::{history, kinds_of_step, step};
    use crate::diagnosis::findings;
    use crate::diagnosis::learning_curves::examples::{curves, kinds};
    use emberlab_training::{OptimizerConfig, StepRules};

    #[test]
    fn a_straight_slow_fall_is_a_low_rate() {
        let slow: Vec<f64> = (0..50).map(|i| 0.7 - 0.001 * f64::from(i)).collect();
        assert_eq!(
            kinds(&curves(slow.clone(), Vec::new())),
            [FindingKind::LearningRateTooLow]
        );
        let unfinished = LearningCurves {
            num_epochs: 500,
            ..curves(slow, Vec::new())
        };
        assert_eq!(kinds(&unfinished), [], "more epochs are to come");
    }

    #[test]
    fn a_slow_fall_in_large_steps_is_no_low_rate_and_adam_is_advised_only_without_it() {
        let slow: Vec<f64> = (0..50).map(|i| 0.7 - 0.001 * f64::from(i)).collect();
        let curves = curves(slow, Vec::new());
        let told = |share: f64, optimizer: &str| {
            let layers = history(&[&[share; 5]], |row, share| {
                (row.weight_norm, row.update_norm) = (2.0, 2.0 * share);
            });
            let optimizer: OptimizerConfig = serde_json::from_str(optimizer).expect("an optimiser");
            let found = findings(&Observations {
                layers: Some(&layers),
                steps: Some((&optimizer, StepRules::default())),
                ..Observations::of_curves(&curves)
            });
            let kinds = found.iter().map(|found| found.kind);
            let remedies = found.iter().flat_map(|found| found.remedies.clone());
            (
                kinds.collect::<Vec<_>>(),
                remedies.collect::<Vec<_>>().join("; "),
            )
        };
        let sgd = r#"{"name": "sgd", "learning_rate": 0.1}"#;
        let adam = r#"{"name": "adam", "learning_rate": 0.1}"#;
        assert!(told(1e-3, sgd).1.contains("such as `adam`"));
        assert!(!told(1e-3, adam).1.contains("such as `adam`"));
        for share in [1e-5, 1e-3] {
            let (kinds, remedies) = told(share, adam);
            assert_eq!(kinds, [FindingKind::LearningRateTooLow], "{share}");
            assert!(remedies.contains("ten times"), "{share}: {remedies}");
        }
        assert_eq!(told(0.02, adam).0, [], "the loss falls with every epoch");
    }

    #[test]
    fn a_plateau_is_not_a_low_learning_rate() {
        assert_eq!(kinds(&curves(vec![0.69; 50], Vec::new())), []);
    }

    #[test]
    fn a_first_step_of_almost_nothing_is_a_low_rate() {
        assert_eq!(
            kinds_of_step(&step(0.7, &[(0.5, 1.0, 1e-8)])),
            [FindingKind::LearningRateTooLow]
        );
        assert_eq!(
            kinds_of_step(&step(0.7, &[(0.5, 1.0, 0.0)])),
            [FindingKind::LearningRateTooLow],
            "a rate of zero, or a step below the rounding of the weights"
        );
        assert_ne!(
            kinds_of_step(&step(0.7, &[(0.5, 0.0, 0.0)])),
            [FindingKind::LearningRateTooLow],
            "without a gradient the rate is not the cause"
        );
    }
}
