//! Saturated units: outputs where the slope of the activation is nearly zero.

use emberlab_run_format::{Finding, FindingKind, Severity};

use crate::diagnosis::wording::{evidence, finding, in_layer, percent, sentences};
use crate::diagnosis::{ActivationInspection, Earliest, Observations, Rule};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::SaturatedUnits,
    earliest: Earliest::WhileTraining,
    condition: "before training, half of the outputs of a sigmoid or tanh layer lie where the slope is below 4 % of its largest",
    is_one_problem: true,
    detect,
};

/// Share of a layer's outputs that may be saturated before training.
const MANY: f64 = 0.5;

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    saturated(&observed.activations_at_start())
        .into_iter()
        .collect()
}

fn saturated(activations: &[ActivationInspection]) -> Option<Finding> {
    let by_share = activations.iter();
    let worst = by_share.max_by(|a, b| a.saturated.total_cmp(&b.saturated))?;
    if worst.saturated < MANY {
        return None;
    }
    let mut found = finding(
        FindingKind::SaturatedUnits,
        Severity::Warning,
        format!(
            "before training, {} of the outputs of {} ({}) lie where the function is flat: their gradients are nearly zero",
            percent(worst.saturated),
            worst.layer,
            worst.activation
        ),
    );
    found.place = in_layer(&worst.layer);
    for activation in activations {
        let name = format!("share of {} that is saturated", activation.layer);
        found.evidence.push(evidence(name, activation.saturated));
    }
    found.causes = sentences(&[
        "weights so large that sums lie far out on the curve",
        "inputs that are not standardised",
    ]);
    found.remedies = sentences(&[
        "`model.initializer = \"xavier_normal\"`",
        "`standardize.method = \"per_feature\"`",
        "`model.normalization = \"batch\"`",
    ]);
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::SignalInspection;
    use crate::diagnosis::examples::{activation, kinds_at_start};

    #[test]
    fn a_layer_with_most_outputs_on_the_flat_part_is_saturated() {
        let with = |saturated| SignalInspection {
            activations: vec![activation("tanh", 0, saturated)],
            ..SignalInspection::default()
        };
        assert_eq!(kinds_at_start(&with(0.6)), [FindingKind::SaturatedUnits]);
        assert_eq!(kinds_at_start(&with(0.4)), []);
    }
}
