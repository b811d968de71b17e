//! Over-fitting: a validation loss that rises while the training loss goes on falling.

use emberlab_run_format::{Finding, FindingKind, Severity};

use crate::diagnosis::learning_curves::ENOUGH_EPOCHS;
use crate::diagnosis::wording::{evidence, finding, sentences};
use crate::diagnosis::{Earliest, LearningCurves, Observations, Rule};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::OverFitting,
    earliest: Earliest::WhileTraining,
    condition: "the validation loss has risen by a tenth above its lowest value, and by four times its noise, and does not fall again, while the training loss fell by another fifth; it is now 1.5 times the training loss, and the gap is a tenth of the first validation loss. All are means over a tenth of the epochs",
    is_one_problem: true,
    detect,
};

/// Share of the lowest validation loss by which it has to rise.
const RISE: f64 = 0.1;
/// A rise has to be this many times as large as the noise of a mean over the last epochs.
const ABOVE_NOISE: f64 = 4.0;

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let found = observed.finite_curves().and_then(diverging_losses);
    found.into_iter().collect()
}

fn diverging_losses(curves: &LearningCurves) -> Option<Finding> {
    let (train, valid) = (&curves.train_loss, &curves.valid_loss);
    if valid.len() < ENOUGH_EPOCHS || valid.len() != train.len() {
        return None;
    }
    // Single epochs are noisy: curves are compared by means over a tenth of the epochs.
    let span = valid.len() / 10 + 1;
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    let smooth = |losses: &[f64]| -> Vec<f64> { losses.windows(span).map(mean).collect() };
    let (train_means, valid_means) = (smooth(train), smooth(valid));
    let by_loss = |a: &usize, b: &usize| valid_means[*a].total_cmp(&valid_means[*b]);
    let turn = (0..valid_means.len()).min_by(by_loss)?;
    let (train_end, valid_end) = (*train_means.last()?, *valid_means.last()?);
    let (train_turn, valid_turn) = (train_means[turn], valid_means[turn]);
    let rise = valid_end - valid_turn;
    let rises =
        rise > RISE * valid_turn && rise > ABOVE_NOISE * noise(valid) / (span as f64).sqrt();
    let falls = train_end < 0.8 * train_turn;
    let gaps = valid_end > 1.5 * train_end && valid_end - train_end > 0.1 * valid[0];
    let is_long = valid_means.len() > turn + ENOUGH_EPOCHS;
    // A loss that rose and falls again is an early hump.
    let halfway = valid_means[(turn + valid_means.len() - 1) / 2];
    let goes_on = valid_end > halfway - 0.1 * rise;
    if !(rises && falls && gaps && is_long && goes_on) {
        return None;
    }
    let lowest = (0..valid.len()).min_by(|&a, &b| valid[a].total_cmp(&valid[b]))?;
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
            format!("valid loss, mean of the last {span} epochs"),
            valid_end,
        ),
        evidence(
            format!("train loss, mean of the last {span} epochs"),
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

/// The distance of single epochs from a smooth curve, over the second half of the epochs.
fn noise(losses: &[f64]) -> f64 {
    let half = &losses[losses.len() / 2..];
    let steps = half.windows(2).map(|pair| (pair[1] - pair[0]).powi(2));
    // The difference of two epochs has twice the variance of one.
    (steps.sum::<f64>() / (2.0 * half.len() as f64)).sqrt()
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
        // A rise of two fifths is enough, as from 0.449 to 0.627.
        let slight: Vec<f64> = (0..100)
            .map(|i| 0.45 + 0.25 * (-0.3 * f64::from(i)).exp() + 0.0018 * f64::from(i))
            .collect();
        let found = kinds(&curves(decaying(0.1), slight));
        assert_eq!(found, [FindingKind::OverFitting]);
        // If both losses rise together, it is not.
        assert!(!kinds(&curves(valid.clone(), valid)).contains(&FindingKind::OverFitting));
    }
    #[test]
    fn noise_and_an_early_hump_are_no_over_fitting() {
        let noisy = (0..100).map(|i| 0.4 + 0.1 * f64::from(i * 37 % 10));
        let found = kinds(&curves(decaying(0.03), noisy.collect()));
        assert!(!found.contains(&FindingKind::OverFitting), "{found:?}");
        let hump = |i: i32| 0.5 + 0.3 * (-f64::from((i - 10) * (i - 10)) / 50.0).exp();
        for len in [16, 20, 40] {
            let mut train = decaying(0.1);
            train.truncate(len);
            let found = kinds(&curves(train, (0..len as i32).map(hump).collect()));
            assert!(
                !found.contains(&FindingKind::OverFitting),
                "{len}: {found:?}"
            );
        }
    }
}
