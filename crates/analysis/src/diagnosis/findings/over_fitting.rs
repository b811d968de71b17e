//! Over-fitting: a validation loss that rises while the training loss goes on falling.

use emberlab_run_format::{Finding, FindingKind, Severity};

use crate::diagnosis::learning_curves::ENOUGH_EPOCHS;
use crate::diagnosis::wording::{evidence, finding, sentences};
use crate::diagnosis::{Earliest, LearningCurves, Observations, Rule};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::OverFitting,
    earliest: Earliest::WhileTraining,
    condition: "the validation loss has risen by half above its lowest value while the training loss fell by another fifth, and is now three times the training loss",
    is_one_problem: true,
    detect,
};

/// Share of the lowest validation loss by which it has to rise.
const RISE: f64 = 0.5;

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let found = observed.finite_curves().and_then(diverging_losses);
    found.into_iter().collect()
}

fn diverging_losses(curves: &LearningCurves) -> Option<Finding> {
    let (train, valid) = (&curves.train_loss, &curves.valid_loss);
    if valid.len() < ENOUGH_EPOCHS || valid.len() != train.len() {
        return None;
    }
    let lowest = (0..valid.len()).min_by(|&a, &b| valid[a].total_cmp(&valid[b]))?;
    let last = valid.len() - 1;
    // Single epochs are noisy: the end is the mean of the last tenth.
    let tail = valid.len() / 10 + 1;
    let mean = |losses: &[f64]| losses[losses.len() - tail..].iter().sum::<f64>() / tail as f64;
    let (train_end, valid_end) = (mean(train), mean(valid));
    let rises = valid_end > (1.0 + RISE) * valid[lowest];
    let falls = train_end < 0.8 * train[lowest];
    let gaps = valid_end > 3.0 * train_end && valid_end - train_end > 0.1 * valid[0];
    if !(rises && falls && gaps && last >= lowest + ENOUGH_EPOCHS) {
        return None;
    }
    let mut found = finding(
        FindingKind::OverFitting,
        Severity::Warning,
        format!(
            "the validation loss was lowest in epoch {} ({:.4}) and has risen to {valid_end:.4}, while the training loss went on falling to {train_end:.4}",
            lowest + 1,
            valid[lowest]
        ),
    );
    found.evidence = vec![
        evidence(format!("valid loss in epoch {}", lowest + 1), valid[lowest]),
        evidence(format!("train loss in epoch {}", lowest + 1), train[lowest]),
        evidence(
            format!("valid loss, mean of the last {tail} epochs"),
            valid_end,
        ),
        evidence(
            format!("train loss, mean of the last {tail} epochs"),
            train_end,
        ),
    ];
    for (split, accuracies) in [
        ("train", &curves.train_accuracy),
        ("valid", &curves.valid_accuracy),
    ] {
        let end = accuracies.last();
        found
            .evidence
            .extend(end.map(|&a| evidence(format!("{split} accuracy at the end"), a)));
    }
    found.causes = sentences(&[
        "more weights than the training rows can determine",
        "labels that are partly noise, which the network memorises",
    ]);
    found.remedies = sentences(&[
        "the network of the best epoch: `emberlab evaluate RUN --weights best`",
        "`training.early_stopping = { patience = 10 }`",
        "more training rows, fewer units, or `optimizer.weight_decay`",
    ]);
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::learning_curves::examples::{curves, decaying, kinds};

    #[test]
    fn a_validation_loss_that_rises_while_the_training_loss_falls_is_over_fitting() {
        let valid: Vec<f64> = (0..100)
            .map(|i| 0.4 + 0.3 * (-0.3 * f64::from(i)).exp() + 0.008 * f64::from(i))
            .collect();
        let found = kinds(&curves(decaying(0.1), valid.clone()));
        assert_eq!(found, [FindingKind::OverFitting]);
        // If both losses rise together, it is not.
        assert!(!kinds(&curves(valid.clone(), valid)).contains(&FindingKind::OverFitting));
    }
}
