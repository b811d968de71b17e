//! A loss that cannot train: its gradient by every weight is exactly zero.

use emberlab_run_format::{Finding, FindingKind, LayerHistory, Severity};

use super::vanishing_gradients::gradients_of_layers;
use crate::diagnosis::wording::{evidence, finding, sentences};
use crate::diagnosis::{Earliest, Observations, Rule, StepInspection};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::ZeroGradient,
    earliest: Earliest::AtTheEnd,
    condition: "the loss is not zero, and its gradient by every weight is exactly zero in the first batch and in every record of the layers; without records, that by every bias is zero too, and the loss does not fall",
    is_one_problem: true,
    detect,
};

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let step = observed.finite_first_step();
    let step = step.filter(|step| is_stuck(step, observed));
    step.map(without_gradient).into_iter().collect()
}

/// Whether no weight has a gradient in the first batch, nor later. One batch says little: where all its inputs are zero,
/// only the biases have a gradient.
fn is_stuck(step: &StepInspection, observed: &Observations<'_>) -> bool {
    let is_zero = !step.layers.is_empty() && step.layers.iter().all(|l| l.gradient == 0.0);
    let losses = &observed.curves.train_loss;
    let (first, last) = (losses.first().copied(), losses.last().copied());
    let is_solved = step.loss == 0.0 || last == Some(0.0);
    let has_fallen = first
        .zip(last)
        .is_some_and(|(first, last)| last < 0.99 * first);
    let rows = observed.layers.map_or(&[][..], LayerHistory::rows);
    let is_zero_later = match rows {
        [] => !step.has_gradient && !has_fallen,
        rows => rows.iter().all(|row| row.gradient_norm == 0.0),
    };
    is_zero && !is_solved && is_zero_later
}

fn without_gradient(step: &StepInspection) -> Finding {
    let (by, so) = match step.has_gradient {
        false => ("in every layer", "no step changes any weight"),
        true => ("for every weight", "steps change nothing but biases"),
    };
    let mut found = finding(
        FindingKind::ZeroGradient,
        Severity::Error,
        format!(
            "the loss is {:.4}, but its gradient is exactly zero {by}: {so}",
            step.loss
        ),
    );
    found.evidence = vec![evidence("loss of the first batch", step.loss)];
    let gradients = step.layers.iter().map(|l| (l.layer.as_str(), l.gradient));
    found.evidence.extend(gradients_of_layers(gradients));
    if step.has_flat_loss {
        found.causes = sentences(&[
            "a loss that compares outputs after a threshold: it is a step function, whose slope is zero wherever it has one",
        ]);
        found.remedies = sentences(&[
            "`loss.name = \"soft_hamming\"`, the mean of |p − y|, which has a slope",
            "`loss.name = \"bce\"`, whose slope stays large where the output is wrong",
        ]);
    } else {
        found.causes = sentences(&[
            "a layer whose units are all dead or all zero lets no gradient through",
            "a loss whose slope is zero at these outputs",
        ]);
        found.remedies = sentences(&[
            "another initialiser: `model.initializer = \"kaiming_normal\"`",
            "another activation, such as `leaky_relu`, or another loss",
        ]);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::LearningCurves;
    use crate::diagnosis::examples::{history, kinds_of_step, step};

    #[test]
    fn weights_without_a_gradient_in_one_batch_are_no_finding_if_they_have_one_later() {
        let zero = step(0.7, &[(0.5, 0.0, 0.0)]);
        let of_bias = StepInspection {
            has_gradient: true,
            ..zero.clone()
        };
        let is_found = |step: &StepInspection, losses: &[f64], gradients: &[f64]| {
            let curves = LearningCurves {
                train_loss: losses.to_vec(),
                ..LearningCurves::default()
            };
            let layers = history(&[gradients], |row, gradient| row.gradient_norm = gradient);
            let observed = Observations {
                first_step: Some(step),
                layers: (!gradients.is_empty()).then_some(&layers),
                ..Observations::of_curves(&curves)
            };
            !detect(&observed).is_empty()
        };
        // A batch whose inputs are zero, as that of the first row of a gate.
        assert!(!is_found(&of_bias, &[0.7, 0.1], &[]));
        assert!(!is_found(&zero, &[0.7, 0.1], &[]), "the loss fell");
        assert!(is_found(&zero, &[0.7, 0.7], &[]));
        assert!(!is_found(&zero, &[0.7, 0.7], &[0.0, 0.2]));
        // Weights of zero, where only the last biases learn.
        assert!(is_found(&of_bias, &[0.7, 0.6], &[0.0, 0.0]));
        assert!(
            !is_found(&of_bias, &[0.7, 0.0], &[0.0, 0.0]),
            "it is solved"
        );
    }

    #[test]
    fn a_loss_without_a_gradient_is_found_unless_it_is_zero_or_nan() {
        let zero = [(0.5, 0.0, 0.0), (0.5, 0.0, 0.0)];
        assert_eq!(
            kinds_of_step(&step(0.4, &zero)),
            [FindingKind::ZeroGradient]
        );
        assert_eq!(
            kinds_of_step(&step(0.0, &zero)),
            [],
            "the loss is already zero"
        );
        assert_eq!(
            kinds_of_step(&step(f64::NAN, &zero)),
            [],
            "NaN is another finding"
        );
    }
}
