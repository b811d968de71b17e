//! A loss that cannot train: its gradient is exactly zero in every layer.

use emberlab_run_format::{Finding, FindingKind, Severity};

use super::vanishing_gradients::gradients_of_layers;
use crate::diagnosis::wording::{evidence, finding, sentences};
use crate::diagnosis::{Earliest, Observations, Rule, StepInspection};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::ZeroGradient,
    earliest: Earliest::AtTheEnd,
    condition: "the loss is not zero, and its gradient is exactly zero in every layer",
    is_one_problem: true,
    detect,
};

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let found = observed.finite_first_step().and_then(without_gradient);
    found.into_iter().collect()
}

fn without_gradient(step: &StepInspection) -> Option<Finding> {
    let is_zero = !step.layers.is_empty() && step.layers.iter().all(|l| l.gradient == 0.0);
    if !is_zero || step.loss == 0.0 {
        return None;
    }
    let mut found = finding(
        FindingKind::ZeroGradient,
        Severity::Error,
        format!(
            "the loss is {:.4}, but its gradient is exactly zero in every layer: no step changes any weight",
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
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::examples::{kinds_of_step, step};

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
