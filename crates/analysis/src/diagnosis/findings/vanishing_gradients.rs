//! Vanishing gradients: gradients that shrink from the last layer to the first.

use emberlab_run_format::{Evidence, Finding, FindingKind, LayerHistory, LayerRow, Severity};

use crate::diagnosis::wording::{evidence, finding, in_layer, sentences, significant};
use crate::diagnosis::{Earliest, Observations, Rule};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::VanishingGradients,
    earliest: Earliest::WhileTraining,
    condition: "before training, or in half of the records of the layers, the gradient of the first layer is a thousand times smaller than that of the last",
    is_one_problem: true,
    detect,
};

/// Gradients of the first layer below this share of the last layer's have vanished.
pub(super) const VANISHED: f64 = 1e-3;

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let at_start = shrinking_gradients(&observed.gradients_at_start());
    let later = || observed.layers.and_then(shrunken_gradients);
    at_start.or_else(later).into_iter().collect()
}

fn shrinking_gradients(gradients: &[(&str, f64)]) -> Option<Finding> {
    let (first, last, ratio) = gradient_ratio(gradients)?;
    if ratio >= VANISHED {
        return None;
    }
    let mut found = finding(
        FindingKind::VanishingGradients,
        Severity::Warning,
        format!(
            "before training, gradients in {first} are {} times smaller than in {last}: the first layers hardly learn",
            significant(1.0 / ratio)
        ),
    );
    found.place = in_layer(first);
    found.evidence = gradients_of_layers(gradients.iter().copied()).collect();
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

/// Gradients that were ordinary before training and shrank while the network learned.
fn shrunken_gradients(layers: &LayerHistory) -> Option<Finding> {
    let (row, ratio) = lasting_ratio(layers, |ratio| ratio < VANISHED && ratio > 0.0)?;
    let last = *layers.layers().last()?;
    let mut found = finding(
        FindingKind::VanishingGradients,
        Severity::Warning,
        format!(
            "from epoch {} on, gradients in {} are {} times smaller than in {last}, in half of the records at least: the first layers no longer learn",
            row.epoch,
            row.layer,
            significant(1.0 / ratio)
        ),
    );
    found.place = in_layer(&row.layer);
    found.evidence = vec![evidence(
        format!("gradient of {} over that of {last}, median", row.layer),
        ratio,
    )];
    found.causes = sentences(&[
        "units that saturated or died while the network learned",
        "steps too large",
    ]);
    found.remedies = sentences(&[
        "a smaller `optimizer.learning_rate`",
        "`model.normalization = \"batch\"`",
        "`model.activation = \"leaky_relu\"`",
    ]);
    Some(found)
}

/// The first record in which the gradient of the first layer over that of the last is `unusual`, and the median of that
/// ratio over all records, if it is unusual too. None for fewer than three layers, or four records.
pub(super) fn lasting_ratio(
    layers: &LayerHistory,
    unusual: impl Fn(f64) -> bool,
) -> Option<(&LayerRow, f64)> {
    let names = layers.layers();
    let (first, last) = (*names.first()?, *names.last()?);
    let pairs = layers.of_layer(first).zip(layers.of_layer(last));
    let ratios: Vec<(&LayerRow, f64)> = pairs
        .map(|(a, b)| (a, a.gradient_rms() / b.gradient_rms()))
        .filter(|(_, ratio)| ratio.is_finite())
        .collect();
    if names.len() < 3 || ratios.len() < 4 {
        return None;
    }
    let mut sorted: Vec<f64> = ratios.iter().map(|(_, ratio)| *ratio).collect();
    sorted.sort_by(f64::total_cmp);
    let median = sorted[sorted.len() / 2];
    let (row, _) = ratios.iter().find(|(_, ratio)| unusual(*ratio))?;
    unusual(median).then_some((row, median))
}

/// The names of the first and the last layer, and the size of the first's gradient over that of the last; none
/// for fewer than three layers, or without a gradient.
pub(super) fn gradient_ratio<'a>(gradients: &[(&'a str, f64)]) -> Option<(&'a str, &'a str, f64)> {
    let (first, last) = (gradients.first()?, gradients.last()?);
    let ratio = first.1 / last.1;
    if gradients.len() < 3 || ratio.is_nan() || ratio == 0.0 {
        return None;
    }
    Some((first.0, last.0, ratio))
}

/// The size of the gradient of each layer as evidence.
pub(super) fn gradients_of_layers<'a>(
    gradients: impl Iterator<Item = (&'a str, f64)>,
) -> impl Iterator<Item = Evidence> {
    gradients.map(|(layer, gradient)| {
        let name = format!("gradient of {layer}, root mean square");
        evidence(name, gradient)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::examples::{history, kinds_of_step, step};

    #[test]
    fn gradients_that_vanish_while_the_network_learns_are_named_with_their_epoch() {
        let of = |first: &[f64]| {
            let others = [1.0; 5];
            history(&[first, &others, &others], |row, norm| {
                row.gradient_norm = norm
            })
        };
        let found = shrunken_gradients(&of(&[0.5, 0.1, 1e-4, 1e-5, 1e-5])).expect("a finding");
        assert!(
            found
                .summary
                .starts_with("from epoch 2 on, gradients in layers.0")
        );
        assert_eq!(shrunken_gradients(&of(&[0.5, 0.1, 0.1, 1e-5, 1e-5])), None);
        let growing = lasting_ratio(&of(&[0.5, 5e3, 5e3, 5e3, 5e3]), |ratio| ratio > 1e3)
            .map(|(row, _)| row.epoch);
        assert_eq!(growing, Some(1.0));
    }

    #[test]
    fn gradients_a_thousand_times_smaller_in_the_first_layer_have_vanished() {
        let fading = [(0.5, 1e-6, 1e-6), (0.5, 1e-4, 1e-4), (0.5, 1e-2, 1e-2)];
        assert_eq!(
            kinds_of_step(&step(0.7, &fading)),
            [FindingKind::VanishingGradients]
        );
    }
}
