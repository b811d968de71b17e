//! Vanishing gradients: gradients that shrink from the last layer to the first.

use emberlab_run_format::{Evidence, Finding, FindingKind, Severity};

use crate::diagnosis::wording::{evidence, finding, in_layer, sentences};
use crate::diagnosis::{Earliest, Observations, Rule, StepInspection};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::VanishingGradients,
    earliest: Earliest::AtTheEnd,
    condition: "before training, the gradient of the first layer is a thousand times smaller than that of the last",
    is_one_problem: true,
    detect,
};

/// Gradients of the first layer below this share of the last layer's have vanished.
pub(super) const VANISHED: f64 = 1e-3;

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let found = observed.finite_first_step().and_then(shrinking_gradients);
    found.into_iter().collect()
}

fn shrinking_gradients(step: &StepInspection) -> Option<Finding> {
    let (first, last, ratio) = gradient_ratio(step)?;
    if ratio >= VANISHED {
        return None;
    }
    let mut found = finding(
        FindingKind::VanishingGradients,
        Severity::Warning,
        format!(
            "before training, gradients in {first} are {:.0} times smaller than in {last}: the first layers hardly learn",
            1.0 / ratio
        ),
    );
    found.place = in_layer(first);
    found.evidence = gradients_of_layers(step);
    found.causes = sentences(&[
        "the slope of a sigmoid is at most 1/4, so each layer makes the gradient smaller",
        "weights too small for the activation",
    ]);
    found.remedies = sentences(&[
        "`model.activation = \"relu\"` with `model.initializer = \"kaiming_normal\"`",
        "`model.normalization = \"batch\"`",
        "fewer layers",
    ]);
    Some(found)
}

/// The names of the first and the last layer, and the size of the first's gradient over that of the last; none
/// for fewer than three layers, or without a gradient.
pub(super) fn gradient_ratio(step: &StepInspection) -> Option<(&str, &str, f64)> {
    let (first, last) = (step.layers.first()?, step.layers.last()?);
    let ratio = first.gradient / last.gradient;
    if step.layers.len() < 3 || ratio.is_nan() || ratio == 0.0 {
        return None;
    }
    Some((&first.layer, &last.layer, ratio))
}

pub(super) fn gradients_of_layers(step: &StepInspection) -> Vec<Evidence> {
    let of = |layer: &crate::diagnosis::LayerStep| {
        let name = format!("gradient of {}, root mean square", layer.layer);
        evidence(name, layer.gradient)
    };
    step.layers.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::examples::{kinds_of_step, step};

    #[test]
    fn gradients_a_thousand_times_smaller_in_the_first_layer_have_vanished() {
        let fading = [(0.5, 1e-6, 1e-6), (0.5, 1e-4, 1e-4), (0.5, 1e-2, 1e-2)];
        assert_eq!(
            kinds_of_step(&step(0.7, &fading)),
            [FindingKind::VanishingGradients]
        );
    }
}
