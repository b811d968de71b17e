//! Dead ReLUs: units that are zero for every sample.

use emberlab_run_format::{Finding, FindingKind, LayerHistory, Severity};

use crate::diagnosis::wording::{evidence, finding, in_layer, sentences};
use crate::diagnosis::{ActivationInspection, Earliest, Observations, Rule};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::DeadRelus,
    earliest: Earliest::WhileTraining,
    condition: "three quarters of a layer's units are zero for every one of up to 256 rows (64 images of a conv net at the end)",
    is_one_problem: true,
    detect,
};

/// Share of a layer's units that may be dead.
const MANY: f64 = 0.75;

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let now = observed.activations_now();
    let mut found = dead_units(&observed.activations_at_start(), &now);
    if let (Some(found), Some(layers)) = (&mut found, observed.layers) {
        add_epoch(found, layers);
    }
    found.into_iter().collect()
}

/// Says in which epoch the units of the layer were first seen to be dead.
fn add_epoch(found: &mut Finding, layers: &LayerHistory) {
    let place = found.place.as_ref().and_then(|place| place.layer.as_ref());
    let mut rows = layers.of_layer(place.map_or("", String::as_str));
    if let Some(row) = rows.find(|row| row.dead >= MANY) {
        let when = match row.epoch {
            0.0 => "before training".to_string(),
            epoch => format!("in epoch {epoch}"),
        };
        found.summary.push_str(&format!("; first seen {when}"));
    }
}

fn dead_units(start: &[ActivationInspection], now: &[ActivationInspection]) -> Option<Finding> {
    let share = |layer: &ActivationInspection| layer.num_dead as f64 / layer.num_units as f64;
    let layers = now.iter().filter(|a| a.num_units > 1);
    let worst = layers.max_by(|a, b| share(a).total_cmp(&share(b)))?;
    if share(worst) < MANY {
        return None;
    }
    let (severity, consequence) = if worst.num_dead == worst.num_units {
        (
            Severity::Error,
            "this layer passes nothing on, and no layer before it can learn",
        )
    } else {
        (
            Severity::Warning,
            "they pass no gradient and do not recover by themselves",
        )
    };
    let mut found = finding(
        FindingKind::DeadRelus,
        severity,
        format!(
            "{} of {} ReLUs of {} are zero for every sample that was tried: {consequence}",
            worst.num_dead, worst.num_units, worst.layer
        ),
    );
    found.place = in_layer(&worst.layer);
    for layer in now {
        let before = start.iter().find(|a| a.layer == layer.layer);
        let name = format!("share of {} that is dead", layer.layer);
        found.evidence.push(evidence(&name, share(layer)));
        found.evidence.extend(
            before.map(|before| evidence(format!("{name}, before training"), share(before))),
        );
    }
    found.causes = sentences(&[
        "one step too large, after which the sums are negative for every sample",
        "biases that start far below zero",
    ]);
    found.remedies = sentences(&[
        "a smaller `optimizer.learning_rate`",
        "`model.activation = \"leaky_relu\"` or `\"elu\"`, which let some gradient through",
        "`model.normalization = \"batch\"`",
    ]);
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::examples::{activation, history};

    #[test]
    fn dead_relus_are_counted_beside_those_before_training() {
        let with = |num_dead| [activation("relu", num_dead, 0.0)];
        assert_eq!(dead_units(&with(0), &with(5)), None);
        let found = dead_units(&with(1), &with(6)).map(|f| (f.severity, f.evidence.len()));
        assert_eq!(found, Some((Severity::Warning, 2)));
        let layers = history(&[&[0.0, 0.25, 0.75, 1.0]], |row, dead| row.dead = dead);
        let mut named = dead_units(&with(1), &with(6)).expect("a finding");
        add_epoch(&mut named, &layers);
        let end = "; first seen in epoch 2";
        assert!(named.summary.ends_with(end), "{}", named.summary);
        let found = dead_units(&with(1), &with(8)).map(|f| f.severity);
        assert_eq!(found, Some(Severity::Error));
    }
}
