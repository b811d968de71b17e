//! Units that are equal: all units of a layer compute the same, before training and after it.

use emberlab_run_format::{Finding, FindingKind, Severity};

use crate::diagnosis::wording::{evidence, finding, in_layer, sentences};
use crate::diagnosis::{Earliest, Observations, Rule};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::EqualUnits,
    earliest: Earliest::AtTheEnd,
    condition: "all units of a hidden layer have the same output for every one of up to 256 rows, before training and at the end",
    is_one_problem: true,
    detect,
};

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let (Some(start), Some(now)) = (observed.start, observed.now) else {
        return Vec::new();
    };
    let was_equal = |layer: &str| {
        let mut before = start.activations.iter();
        before.any(|units| units.layer == layer && units.are_equal)
    };
    let equal = (now.activations.iter()).filter(|units| units.are_equal && was_equal(&units.layer));
    equal
        .map(|units| {
            let mut found = finding(
                FindingKind::EqualUnits,
                Severity::Warning,
                format!(
                    "the {} units of {} compute the same for every sample that was tried, before training and after it: they do the work of one",
                    units.num_units, units.layer
                ),
            );
            found.place = in_layer(&units.layer);
            let name = format!("equal units of {}", units.layer);
            found.evidence = vec![evidence(name, units.num_units as f64)];
            found.causes = sentences(&[
                "weights that all begin with the same value: such units get the same gradient, and stay equal",
            ]);
            found.remedies = sentences(&[
                "random weights: `model.initializer = \"kaiming_normal\"` or `\"xavier_normal\"`",
            ]);
            found
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::examples::activation;
    use crate::diagnosis::{ActivationInspection, LearningCurves, SignalInspection, findings};

    #[test]
    fn units_that_begin_and_stay_equal_are_found() {
        let with = |are_equal| SignalInspection {
            activations: vec![ActivationInspection {
                are_equal,
                ..activation("tanh", 0, 0.0)
            }],
            ..SignalInspection::default()
        };
        let curves = LearningCurves::default();
        let kinds = |start, now| -> Vec<FindingKind> {
            let found = findings(&Observations {
                start: Some(&with(start)),
                now: Some(&with(now)),
                ..Observations::of_curves(&curves)
            });
            found.iter().map(|found| found.kind).collect()
        };
        assert_eq!(kinds(true, true), [FindingKind::EqualUnits]);
        assert_eq!(kinds(true, false), [], "dropout made them differ");
        assert_eq!(kinds(false, true), []);
    }
}
