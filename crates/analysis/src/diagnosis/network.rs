//! Rules over what goes through a network: plain numbers in, findings out.

use emberlab_run_format::{Finding, FindingKind, Place, Severity};
use emberlab_training::loss::Loss;

use super::finding::{evidence, finding, percent, sentences};
use super::inspection::{SignalInspection, StepInspection};

/// Gradients of the first layer below this share of the last layer's have vanished; above its inverse
/// they explode.
const VANISHED: f64 = 1e-3;
/// Signals that are this much larger behind the last layer than before the first explode.
const EXPLODED: f64 = 30.0;
/// A first step that moves weights by this share of their size is no small step.
const LARGE_STEP: f64 = 0.5;
/// A first step that moves all weights by less than this share of their size leads nowhere.
const SMALL_STEP: f64 = 1e-6;
/// Share of a layer's units that may be dead.
const DEAD: f64 = 0.75;
/// Share of a layer's outputs that may be saturated before anything is learned.
const SATURATED: f64 = 0.5;

fn at(layer: &str) -> Option<Place> {
    Some(Place {
        epoch: None,
        step: None,
        layer: Some(layer.to_string()),
        direction: None,
        operation: None,
    })
}

/// What the first step says is wrong.
pub fn first_step_findings(step: &StepInspection, loss: &Loss) -> Vec<Finding> {
    if !step.loss.is_finite() || step.layers.iter().any(|l| !l.gradient.is_finite()) {
        // What is no number has a diagnosis of its own.
        return Vec::new();
    }
    let rules = [
        zero_gradient(step, loss),
        vanishing(step),
        large_steps(step),
        small_steps(step),
    ];
    rules.into_iter().flatten().collect()
}

fn zero_gradient(step: &StepInspection, loss: &Loss) -> Option<Finding> {
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
    for layer in &step.layers {
        let name = format!("gradient of {}, root mean square", layer.layer);
        found.evidence.push(evidence(name, layer.gradient));
    }
    found.causes = if loss.is_flat() {
        sentences(&[
            "the Hamming distance compares outputs after a threshold: a step function, flat wherever it has a slope",
        ])
    } else {
        sentences(&[
            "a layer whose units are all dead or all zero lets no gradient through",
            "a loss that is flat wherever its gradient exists",
        ])
    };
    found.remedies = if loss.is_flat() {
        sentences(&[
            "`loss.name = \"soft_hamming\"`, the mean of |p − y|, which has a slope",
            "`loss.name = \"bce\"`, whose slope does not fade where the output is wrong",
        ])
    } else {
        sentences(&[
            "another initialiser: `model.initializer = \"kaiming_normal\"`",
            "another activation, such as `leaky_relu`, or another loss",
        ])
    };
    Some(found)
}

fn vanishing(step: &StepInspection) -> Option<Finding> {
    let (first, last) = (step.layers.first()?, step.layers.last()?);
    let ratio = first.gradient / last.gradient;
    if step.layers.len() < 3 || ratio.is_nan() || ratio == 0.0 {
        return None;
    }
    let (kind, summary) = if ratio < VANISHED {
        let times = 1.0 / ratio;
        (
            FindingKind::VanishingGradients,
            format!(
                "before training, gradients in {} are {times:.0} times smaller than in {}: the first layers hardly learn",
                first.layer, last.layer
            ),
        )
    } else if ratio > 1.0 / VANISHED {
        (
            FindingKind::ExplodingGradients,
            format!(
                "before training, gradients in {} are {ratio:.0} times larger than in {}",
                first.layer, last.layer
            ),
        )
    } else {
        return None;
    };
    let mut found = finding(kind, Severity::Warning, summary);
    found.place = at(&first.layer);
    for layer in &step.layers {
        let name = format!("gradient of {}, root mean square", layer.layer);
        found.evidence.push(evidence(name, layer.gradient));
    }
    if kind == FindingKind::VanishingGradients {
        found.causes = sentences(&[
            "the slope of a sigmoid is at most 1/4: each layer takes its share of the gradient",
            "weights too small for the activation",
        ]);
        found.remedies = sentences(&[
            "`model.activation = \"relu\"` with `model.initializer = \"kaiming_normal\"`",
            "`model.normalization = \"batch\"`",
            "fewer layers",
        ]);
    } else {
        found.causes = sentences(&["weights too large: each layer multiplies the gradient"]);
        found.remedies = sentences(&[
            "`model.initializer = \"kaiming_normal\"`, or `xavier_normal` for tanh and sigmoid",
            "`training.gradient_clipping = { norm = 1.0 }`",
        ]);
    }
    Some(found)
}

/// The layer that moves the most relative to its weights.
fn largest_step(step: &StepInspection) -> Option<(&str, f64)> {
    let moved = step.layers.iter().filter(|layer| layer.weight > 0.0);
    let shares = moved.map(|layer| (layer.layer.as_str(), layer.change / layer.weight));
    shares.max_by(|a, b| a.1.total_cmp(&b.1))
}

fn large_steps(step: &StepInspection) -> Option<Finding> {
    let (layer, share) = largest_step(step)?;
    if share < LARGE_STEP {
        return None;
    }
    let mut found = finding(
        FindingKind::LearningRateTooHigh,
        Severity::Warning,
        format!(
            "the first step moves the weights of {layer} by {share:.1} times their size: what it starts from is lost"
        ),
    );
    found.place = at(layer);
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

fn small_steps(step: &StepInspection) -> Option<Finding> {
    let (layer, share) = largest_step(step)?;
    if share == 0.0 || share > SMALL_STEP {
        return None;
    }
    let mut found = finding(
        FindingKind::LearningRateTooLow,
        Severity::Warning,
        format!(
            "the first step moves no layer by more than {share:.1e} of the size of its weights ({layer})"
        ),
    );
    found.evidence = vec![evidence(
        format!("first step of {layer} over its weights"),
        share,
    )];
    found.causes = sentences(&["steps far smaller than the loss would allow"]);
    found.remedies =
        sentences(&["a hundred times `optimizer.learning_rate`; `emberlab find-lr` tries many"]);
    Some(found)
}

/// What the signals of the network before training say is wrong.
pub fn start_findings(signals: &SignalInspection) -> Vec<Finding> {
    let rules = [exploding_signals(signals), saturated(signals)];
    rules.into_iter().flatten().collect()
}

fn exploding_signals(signals: &SignalInspection) -> Option<Finding> {
    let (layer, last) = signals.signals.last()?;
    let growth = last / signals.inputs;
    if growth.is_nan() || growth <= EXPLODED {
        return None;
    }
    let mut found = finding(
        FindingKind::ExplodingGradients,
        Severity::Warning,
        format!(
            "before training, {layer} puts out numbers of size {last:.0} for inputs of size {:.2}: signals grow from layer to layer, and gradients with them",
            signals.inputs
        ),
    );
    found.place = at(layer);
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

fn saturated(signals: &SignalInspection) -> Option<Finding> {
    let by_share = signals.activations.iter();
    let worst = by_share.max_by(|a, b| a.saturated.total_cmp(&b.saturated))?;
    if worst.saturated < SATURATED {
        return None;
    }
    let mut found = finding(
        FindingKind::SaturatedUnits,
        Severity::Warning,
        format!(
            "before training, {} of the outputs of {} ({}) are where the function is flat: their gradients are nearly zero",
            percent(worst.saturated),
            worst.layer,
            worst.activation
        ),
    );
    found.place = at(&worst.layer);
    for activation in &signals.activations {
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

/// Whether too many ReLUs of the network as it is now are dead; `start` is the network before training.
pub fn dead_relus(start: &SignalInspection, now: &SignalInspection) -> Option<Finding> {
    let share = |num_dead: usize, num_units: usize| num_dead as f64 / num_units as f64;
    let layers = now.activations.iter().filter(|a| a.num_units > 1);
    let worst = layers
        .max_by(|a, b| share(a.num_dead, a.num_units).total_cmp(&share(b.num_dead, b.num_units)))?;
    let dead = share(worst.num_dead, worst.num_units);
    if dead < DEAD {
        return None;
    }
    let (severity, consequence) = if worst.num_dead == worst.num_units {
        (
            Severity::Error,
            "nothing passes this layer, and nothing before it can learn",
        )
    } else {
        (
            Severity::Warning,
            "they pass no gradient and never come back by themselves",
        )
    };
    let mut found = finding(
        FindingKind::DeadRelus,
        severity,
        format!(
            "{} of {} ReLUs of {} are zero for every sample looked at: {consequence}",
            worst.num_dead, worst.num_units, worst.layer
        ),
    );
    found.place = at(&worst.layer);
    for activation in &now.activations {
        let before = start
            .activations
            .iter()
            .find(|a| a.layer == activation.layer);
        let name = format!("share of {} that is dead", activation.layer);
        let dead = share(activation.num_dead, activation.num_units);
        found.evidence.push(evidence(&name, dead));
        found.evidence.extend(before.map(|before| {
            let dead = share(before.num_dead, before.num_units);
            evidence(format!("{name}, before training"), dead)
        }));
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
    use emberlab_training::loss::{Bce, Hamming};

    use super::super::inspection::{ActivationInspection, LayerStep};
    use super::*;

    fn step(loss: f64, layers: &[(f64, f64, f64)]) -> StepInspection {
        let layer = |(i, &(weight, gradient, change)): (usize, &(f64, f64, f64))| LayerStep {
            layer: format!("layers.{i}"),
            weight,
            gradient,
            change,
        };
        StepInspection {
            loss,
            layers: layers.iter().enumerate().map(layer).collect(),
        }
    }

    fn kinds(findings: &[Finding]) -> Vec<FindingKind> {
        findings.iter().map(|f| f.kind).collect()
    }

    #[test]
    fn a_step_of_ordinary_sizes_is_healthy() {
        let step = step(
            0.7,
            &[(0.5, 0.01, 0.001), (0.3, 0.05, 0.005), (0.3, 0.1, 0.01)],
        );
        assert_eq!(first_step_findings(&step, &Bce {}.into()), []);
    }

    #[test]
    fn each_kind_of_bad_step_is_named() {
        let of = |loss, layers: &[(f64, f64, f64)]| {
            kinds(&first_step_findings(
                &step(loss, layers),
                &Hamming {}.into(),
            ))
        };
        use FindingKind::*;
        let zero = [(0.5, 0.0, 0.0), (0.5, 0.0, 0.0)];
        assert_eq!(of(0.4, &zero), [ZeroGradient]);
        assert_eq!(of(0.0, &zero), [], "nothing is left to learn");
        let fading = [(0.5, 1e-6, 1e-6), (0.5, 1e-4, 1e-4), (0.5, 1e-2, 1e-2)];
        assert_eq!(of(0.7, &fading), [VanishingGradients]);
        let growing = [(0.5, 1e3, 1e-3), (0.5, 1.0, 1e-3), (0.5, 0.5, 1e-3)];
        assert_eq!(of(0.7, &growing), [ExplodingGradients]);
        assert_eq!(of(0.7, &[(0.5, 1.0, 0.4)]), [LearningRateTooHigh]);
        assert_eq!(of(0.7, &[(0.5, 1.0, 1e-8)]), [LearningRateTooLow]);
        assert_eq!(of(f64::NAN, &zero), [], "NaN has its own rule");
    }

    #[test]
    fn signals_that_grow_and_units_that_are_flat_are_named() {
        let mut signals = SignalInspection {
            inputs: 1.0,
            signals: vec![
                ("layers.0".to_string(), 28.0),
                ("layers.1".to_string(), 90.0),
            ],
            activations: Vec::new(),
        };
        assert_eq!(
            kinds(&start_findings(&signals)),
            [FindingKind::ExplodingGradients]
        );
        signals.signals.clear();
        signals.activations.push(ActivationInspection {
            layer: "activations.0".to_string(),
            activation: "tanh",
            num_units: 8,
            num_dead: 0,
            saturated: 0.6,
        });
        assert_eq!(
            kinds(&start_findings(&signals)),
            [FindingKind::SaturatedUnits]
        );
    }

    #[test]
    fn dead_relus_are_counted_beside_those_of_the_start() {
        let with = |num_dead| SignalInspection {
            activations: vec![ActivationInspection {
                layer: "activations.0".to_string(),
                activation: "relu",
                num_units: 8,
                num_dead,
                saturated: 0.0,
            }],
            ..SignalInspection::default()
        };
        assert_eq!(dead_relus(&with(0), &with(5)), None);
        let found = dead_relus(&with(1), &with(6)).map(|f| (f.severity, f.evidence.len()));
        assert_eq!(found, Some((Severity::Warning, 2)));
        let found = dead_relus(&with(1), &with(8)).map(|f| f.severity);
        assert_eq!(found, Some(Severity::Error));
    }
}
