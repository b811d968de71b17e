//! Learning rate too high: a loss that rises or jumps, or a first step as large as the weights.

use emberlab_run_format::{Finding, FindingKind, Severity};

use crate::diagnosis::wording::{evidence, finding, in_layer, sentences, significant};
use crate::diagnosis::{Earliest, LearningCurves, Observations, Rule, StepInspection};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::LearningRateTooHigh,
    earliest: Earliest::WhileTraining,
    condition: "the loss ends 1.5 times above that of the first epoch; or 2 % of the epochs jump to 4 times the lowest loss before; or the first step moves a layer by half the size of its weights",
    is_one_problem: true,
    detect,
};

/// A loss this many times above the lowest so far is a jump.
const JUMP: f64 = 4.0;
/// A first step that moves weights by this share of their size is large.
const LARGE_STEP: f64 = 0.5;

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let found = [
        observed.finite_curves().and_then(rising_loss),
        observed.finite_first_step().and_then(large_step),
    ];
    found.into_iter().flatten().collect()
}

/// A loss that ends far above the first epoch's, or jumps again and again.
fn rising_loss(curves: &LearningCurves) -> Option<Finding> {
    let losses = &curves.train_loss;
    let (&first, &last) = (losses.first()?, losses.last()?);
    let jumps = Jumps::of(losses);
    let ends_above = last > 1.5 * first;
    let is_jumpy = jumps.count * 50 >= losses.len() && jumps.count >= 2;
    if !(ends_above || is_jumpy) {
        return None;
    }
    let summary = if ends_above {
        format!(
            "the loss is at {}, above the {} of the first epoch: steps overshoot",
            significant(last),
            significant(first)
        )
    } else {
        format!(
            "the loss jumps: {} of {} epochs lie {JUMP} times above the lowest before, the worst {} times in epoch {}",
            jumps.count,
            losses.len(),
            significant(jumps.largest),
            jumps.epoch_of_largest
        )
    };
    let mut found = finding(FindingKind::LearningRateTooHigh, Severity::Warning, summary);
    found.evidence = vec![
        evidence("train loss in epoch 1", first),
        evidence("lowest train loss", jumps.lowest),
        evidence(format!("train loss in epoch {}", losses.len()), last),
        evidence(
            format!("epochs {JUMP} times above the lowest before"),
            jumps.count as f64,
        ),
    ];
    found.causes = sentences(&[
        "a learning rate above what the curvature of the loss allows",
        "a loss that is summed over the batch, which multiplies the gradient by its size",
    ]);
    found.remedies = sentences(&[
        "a third or a tenth of `optimizer.learning_rate`; `emberlab find-lr` tries many",
        "`training.gradient_clipping = { norm = 1.0 }`, or a schedule that warms up",
    ]);
    Some(found)
}

/// Epochs whose loss lies far above the lowest before them.
struct Jumps {
    count: usize,
    /// The factor of the largest jump.
    largest: f64,
    /// Counted from 1.
    epoch_of_largest: usize,
    lowest: f64,
}

impl Jumps {
    fn of(losses: &[f64]) -> Self {
        let first = losses[0];
        let mut jumps = Self {
            count: 0,
            largest: 1.0,
            epoch_of_largest: 0,
            lowest: first,
        };
        for (i, &loss) in losses.iter().enumerate().skip(1) {
            // Losses near zero jump by large factors that mean nothing: the first loss sets the scale.
            let floor = jumps.lowest.max(first / 20.0);
            if loss > JUMP * floor && loss > first / 2.0 {
                jumps.count += 1;
                if loss / floor > jumps.largest {
                    jumps.largest = loss / floor;
                    jumps.epoch_of_largest = i + 1;
                }
            }
            jumps.lowest = jumps.lowest.min(loss);
        }
        jumps
    }
}

fn large_step(step: &StepInspection) -> Option<Finding> {
    let (layer, share) = step.largest_relative_change()?;
    if share < LARGE_STEP {
        return None;
    }
    let mut found = finding(
        FindingKind::LearningRateTooHigh,
        Severity::Warning,
        format!(
            "the first step changes the weights of {layer} by {} times their size: the initial weights are lost",
            significant(share)
        ),
    );
    found.place = in_layer(layer);
    for layer in &step.layers {
        let name = format!("first step of {} over its weights", layer.layer);
        found
            .evidence
            .push(evidence(name, layer.change / layer.weight));
    }
    found.causes = sentences(&[
        "a learning rate above what the gradients allow",
        "weights that start so large that outputs, losses and gradients are large too",
    ]);
    found.remedies = sentences(&[
        "a third or a tenth of `optimizer.learning_rate`; `emberlab find-lr` tries many",
        "`model.initializer = \"kaiming_normal\"`",
        "`training.gradient_clipping = { norm = 1.0 }`",
    ]);
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::examples::{kinds_of_step, step};
    use crate::diagnosis::learning_curves::examples::{curves, kinds};

    #[test]
    fn a_loss_that_ends_above_its_start_or_jumps_is_a_high_rate() {
        let rising: Vec<f64> = (0..20).map(|i| 0.7 + 0.2 * f64::from(i)).collect();
        let jumping: Vec<f64> = (0..60)
            .map(|i| if i % 9 == 8 { 2.0 } else { 0.3 })
            .collect();
        for losses in [rising, jumping] {
            assert_eq!(
                kinds(&curves(losses, Vec::new())),
                [FindingKind::LearningRateTooHigh]
            );
        }
    }

    #[test]
    fn a_first_step_of_half_the_weights_is_a_high_rate() {
        assert_eq!(
            kinds_of_step(&step(0.7, &[(0.5, 1.0, 0.4)])),
            [FindingKind::LearningRateTooHigh]
        );
    }
}
