//! Exploding gradients: signals or gradients that grow from layer to layer.

use emberlab_run_format::{Finding, FindingKind, LayerHistory, Severity};

use super::vanishing_gradients::{VANISHED, gradient_ratio, gradients_of_layers, lasting_ratio};
use crate::diagnosis::wording::{evidence, finding, in_layer, sentences, significant};
use crate::diagnosis::{Earliest, Observations, Rule, SignalInspection};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::ExplodingGradients,
    earliest: Earliest::WhileTraining,
    condition: "before training, or in half of the records of the layers, the gradient of the first layer is a thousand times larger than that of the last; or before training the outputs of the last layer are more than 30 times as large as the inputs",
    is_one_problem: true,
    detect,
};

/// Outputs of the last layer that are this many times as large as the inputs explode.
const GROWTH: f64 = 30.0;

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let found = [
        observed.start.and_then(growing_signals),
        growing_gradients(&observed.gradients_at_start()),
    ];
    let found: Vec<Finding> = found.into_iter().flatten().collect();
    match found.is_empty() {
        true => observed
            .layers
            .and_then(grown_gradients)
            .into_iter()
            .collect(),
        false => found,
    }
}

fn growing_signals(signals: &SignalInspection) -> Option<Finding> {
    let (layer, last) = signals.signals.last()?;
    let growth = last / signals.inputs;
    if growth.is_nan() || growth <= GROWTH {
        return None;
    }
    let mut found = finding(
        FindingKind::ExplodingGradients,
        Severity::Warning,
        format!(
            "before training, {layer} has outputs of size {} for inputs of size {}: signals grow from layer to layer, and gradients with them",
            significant(*last),
            significant(signals.inputs)
        ),
    );
    found.place = in_layer(layer);
    found.evidence = vec![evidence("inputs, root mean square", signals.inputs)];
    for (layer, size) in &signals.signals {
        found.evidence.push(evidence(
            format!("outputs of {layer}, root mean square"),
            *size,
        ));
    }
    found.causes = sentences(&[
        "weights that do not shrink with the number of inputs, such as standard normal ones",
        "inputs that are not standardised",
    ]);
    found.remedies = sentences(&[
        "`model.initializer = \"kaiming_normal\"`, or `xavier_normal` for tanh and sigmoid",
        "`model.normalization = \"batch\"`",
        "`standardize.method = \"per_feature\"`",
    ]);
    Some(found)
}

/// Gradients that were ordinary before training and grew while the network learned.
fn grown_gradients(layers: &LayerHistory) -> Option<Finding> {
    let (row, ratio) = lasting_ratio(layers, |ratio| ratio > 1.0 / VANISHED)?;
    let last = *layers.layers().last()?;
    let mut found = finding(
        FindingKind::ExplodingGradients,
        Severity::Warning,
        format!(
            "from epoch {} on, gradients in {} are {} times larger than in {last}, in half of the records at least",
            row.epoch,
            row.layer,
            significant(ratio)
        ),
    );
    found.place = in_layer(&row.layer);
    found.evidence = vec![evidence(
        format!("gradient of {} over that of {last}, median", row.layer),
        ratio,
    )];
    found.causes = sentences(&["weights that grew until each layer multiplies the gradient"]);
    found.remedies = sentences(&[
        "`training.gradient_clipping = { norm = 1.0 }`",
        "a smaller `optimizer.learning_rate`",
    ]);
    Some(found)
}

fn growing_gradients(gradients: &[(&str, f64)]) -> Option<Finding> {
    let (first, last, ratio) = gradient_ratio(gradients)?;
    if ratio <= 1.0 / VANISHED {
        return None;
    }
    let mut found = finding(
        FindingKind::ExplodingGradients,
        Severity::Warning,
        format!(
            "before training, gradients in {first} are {} times larger than in {last}",
            significant(ratio)
        ),
    );
    found.place = in_layer(first);
    found.evidence = gradients_of_layers(gradients.iter().copied()).collect();
    found.causes = sentences(&["weights too large: each layer multiplies the gradient"]);
    found.remedies = sentences(&[
        "`model.initializer = \"kaiming_normal\"`, or `xavier_normal` for tanh and sigmoid",
        "`training.gradient_clipping = { norm = 1.0 }`",
    ]);
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::examples::{kinds_at_start, kinds_of_step, step};

    #[test]
    fn signals_and_gradients_that_grow_from_layer_to_layer_explode() {
        let growing = [(0.5, 1e3, 1e-3), (0.5, 1.0, 1e-3), (0.5, 0.5, 1e-3)];
        assert_eq!(
            kinds_of_step(&step(0.7, &growing)),
            [FindingKind::ExplodingGradients]
        );
        let signals = SignalInspection {
            inputs: 1.0,
            signals: vec![
                ("layers.0".to_string(), 28.0),
                ("layers.1".to_string(), 90.0),
            ],
            activations: Vec::new(),
        };
        assert_eq!(kinds_at_start(&signals), [FindingKind::ExplodingGradients]);
    }
}
