//! Steps of an unusual size: the weights of a layer change by far more or far less than a thousandth in each step.

use emberlab_run_format::{Finding, FindingKind, LayerHistory, LayerRow, Severity};

use crate::diagnosis::wording::{evidence, finding, in_layer, sentences, significant};
use crate::diagnosis::{Earliest, Observations, Rule};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::UpdateSize,
    earliest: Earliest::AtTheEnd,
    condition: "in four records of the layers or more, the median step changes a layer by more than a hundredth of its weights, and the loss does not fall in nine of ten epochs; or no recorded step changes any layer by a ten-thousandth",
    is_one_problem: false,
    detect,
};

/// Median steps above this share of the weights are large.
const LARGE: f64 = 1e-2;
/// Steps that never reach this share of the weights are small.
const SMALL: f64 = 1e-4;
/// The share that is usual.
const USUAL: f64 = 1e-3;
/// With fewer records, their median says nothing.
const ENOUGH_RECORDS: usize = 4;

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let Some(layers) = observed.layers.filter(|_| !observed.searches()) else {
        return Vec::new();
    };
    let rate = observed.steps.map(|(optimizer, _)| optimizer.learning_rate);
    let found = match large_median(layers) {
        // Steps are not too large while the loss falls with nearly every epoch.
        Some(_) if observed.curves.falls_steadily() => None,
        Some((layer, median)) => Some(large_steps(layers, layer, median, rate)),
        None => small_steps(layers, rate),
    };
    found.into_iter().collect()
}

/// The shares of the recorded steps of a layer, ascending; those that are not finite are left out.
fn shares(layers: &LayerHistory, layer: &str) -> Vec<f64> {
    let ratios = layers.of_layer(layer).map(LayerRow::update_ratio);
    let mut shares: Vec<f64> = ratios.filter(|ratio| ratio.is_finite()).collect();
    shares.sort_by(f64::total_cmp);
    shares
}

/// The layer with the largest median of its steps over its weights, and that median, if it is large.
pub(super) fn large_median(layers: &LayerHistory) -> Option<(&str, f64)> {
    let names = layers.layers();
    let medians = names.iter().filter_map(|name| {
        let shares = shares(layers, name);
        let median = *shares.get(shares.len() / 2)?;
        (shares.len() >= ENOUGH_RECORDS).then_some((*name, median))
    });
    let largest = medians.max_by(|a, b| a.1.total_cmp(&b.1));
    largest.filter(|(_, median)| *median > LARGE)
}

fn large_steps(layers: &LayerHistory, layer: &str, median: f64, rate: Option<f64>) -> Finding {
    let first = layers
        .of_layer(layer)
        .find(|row| row.update_ratio() > LARGE)
        .map_or(0.0, |row| row.epoch);
    let mut found = finding(
        FindingKind::UpdateSize,
        Severity::Warning,
        format!(
            "a step changes {layer} by {} of the size of its weights, in the median over the records, and did so from epoch {first} on: about a thousandth is usual",
            significant(median)
        ),
    );
    found.place = in_layer(layer);
    found.evidence = vec![evidence(
        format!("change of {layer} in a step over its weights, median"),
        median,
    )];
    found.causes = sentences(&[
        "steps too large for these weights, which then forget what they have learned",
        "weights that start very small",
    ]);
    found.remedies = vec![rate_to_try(rate, USUAL / median)];
    found.remedies.extend(sentences(&[
        "a schedule that begins with small steps, such as `scheduler.name = \"linear_warmup\"`",
    ]));
    found
}

fn small_steps(layers: &LayerHistory, rate: Option<f64>) -> Option<Finding> {
    let names = layers.layers();
    let mut largest: Option<(&str, f64)> = None;
    for name in names {
        let shares = shares(layers, name);
        if shares.len() < ENOUGH_RECORDS {
            return None;
        }
        let share = *shares.last()?;
        if largest.is_none_or(|(_, other)| share > other) {
            largest = Some((name, share));
        }
    }
    let (layer, share) = largest?;
    // Without a gradient no step is the rule.
    let is_moved = |name: &&str| layers.of_layer(name).any(|row| row.gradient_norm > 0.0);
    if share >= SMALL || share == 0.0 && !layers.layers().iter().any(is_moved) {
        return None;
    }
    let summary = match share == 0.0 {
        true => "no recorded step changes any weight, although the gradient is not zero: about a thousandth of the size of the weights is usual".to_string(),
        false => format!(
            "no recorded step changes any layer by more than {} of the size of its weights ({layer}): about a thousandth is usual",
            significant(share)
        ),
    };
    let mut found = finding(FindingKind::UpdateSize, Severity::Warning, summary);
    found.place = in_layer(layer);
    found.evidence = vec![evidence(
        format!("change of {layer} in a step over its weights, largest"),
        share,
    )];
    found.causes = sentences(&[
        "steps far smaller than the weights would allow",
        "weights that start very large",
    ]);
    let rate = rate.filter(|_| share > 0.0);
    found.remedies = vec![rate_to_try(rate, USUAL / share)];
    Some(found)
}

/// The remedy with the learning rate times a factor.
fn rate_to_try(rate: Option<f64>, factor: f64) -> String {
    match rate {
        Some(rate) => {
            // One significant digit: it is a place to begin.
            let text = format!("{:.0e}", rate * factor);
            let rate: f64 = text.parse().unwrap_or(rate * factor);
            format!("`optimizer.learning_rate = {rate:?}`; `emberlab find-lr` tries many")
        }
        None => "another `optimizer.learning_rate`; `emberlab find-lr` tries many".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::examples::history;
    use crate::diagnosis::findings;
    use emberlab_training::{OptimizerConfig, Penalty, StepRules};

    fn found(first: &[f64], second: &[f64]) -> Option<Finding> {
        let layers = history(&[first, second], |row, ratio| {
            row.weight_norm = 2.0;
            row.update_norm = 2.0 * ratio;
        });
        let large = large_median(&layers)
            .map(|(layer, median)| large_steps(&layers, layer, median, Some(0.1)));
        large.or_else(|| small_steps(&layers, Some(0.1)))
    }

    #[test]
    fn steps_of_a_thousandth_are_usual_and_so_are_small_ones_at_the_end() {
        assert_eq!(found(&[1e-3; 5], &[3e-3; 5]), None);
        assert_eq!(found(&[1e-3, 1e-4, 1e-5, 1e-6], &[1e-5; 4]), None);
        assert_eq!(found(&[0.1, 0.02, 1e-3, 1e-3, 1e-3], &[1e-3; 5]), None);
        assert_eq!(found(&[0.5; 3], &[0.5; 3]), None, "too few records");
    }

    #[test]
    fn weights_that_no_step_moves_are_found_where_there_is_a_gradient() {
        let found = |gradient: f64| {
            let layers = history(&[&[0.0; 5]], |row, _| {
                row.weight_norm = 2.0;
                row.gradient_norm = gradient;
            });
            small_steps(&layers, Some(1e-12))
        };
        let still = found(0.3).expect("a finding");
        assert!(
            still
                .summary
                .contains("no recorded step changes any weight")
        );
        assert!(still.remedies[0].starts_with("another `optimizer.learning_rate`"));
        assert_eq!(found(0.0), None);
    }

    #[test]
    fn the_steps_of_an_optimiser_that_searches_may_have_any_size() {
        let layers = history(&[&[0.1; 5]], |row, ratio| {
            (row.weight_norm, row.update_norm) = (2.0, 2.0 * ratio);
        });
        let curves = crate::diagnosis::LearningCurves::default();
        let found = |optimizer: &str| {
            let optimizer: OptimizerConfig = serde_json::from_str(optimizer).expect("an optimiser");
            let observed = Observations {
                layers: Some(&layers),
                steps: Some((&optimizer, StepRules::default())),
                ..Observations::of_curves(&curves)
            };
            detect(&observed).len()
        };
        assert_eq!(found(r#"{"name": "sgd", "learning_rate": 0.1}"#), 1);
        assert_eq!(found(r#"{"name": "lbfgs", "learning_rate": 1.0}"#), 0);
    }

    #[test]
    fn large_steps_with_which_the_loss_falls_are_no_finding() {
        let layers = history(&[&[0.1; 5]], |row, ratio| {
            (row.weight_norm, row.update_norm) = (2.0, 2.0 * ratio);
        });
        let found = |losses: Vec<f64>| {
            let curves = crate::diagnosis::LearningCurves {
                train_loss: losses,
                ..Default::default()
            };
            let observed = Observations {
                layers: Some(&layers),
                ..Observations::of_curves(&curves)
            };
            detect(&observed).len()
        };
        assert_eq!(found((0..20).map(|i| 0.9_f64.powi(i)).collect()), 0);
        assert_eq!(found(vec![0.7; 20]), 1);
    }

    #[test]
    fn a_key_that_keeps_weights_small_is_the_first_cause_of_large_steps() {
        let layers = history(&[&[1.0, 0.1, 0.1, 0.1, 0.1]], |row, weight| {
            (row.weight_norm, row.update_norm) = (weight, 0.01);
        });
        let curves = crate::diagnosis::LearningCurves::default();
        let sgd = r#"{"name": "sgd", "learning_rate": 0.1}"#;
        let optimizer: OptimizerConfig = serde_json::from_str(sgd).expect("an optimiser");
        let remedies = |optimizer: &OptimizerConfig, rules: StepRules| {
            let found = findings(&Observations {
                layers: Some(&layers),
                steps: Some((optimizer, rules)),
                ..Observations::of_curves(&curves)
            });
            found[0].remedies.clone()
        };
        let remedy = |rules: StepRules| remedies(&optimizer, rules)[0].clone();
        let penalty = StepRules {
            penalty: Some(Penalty { l1: 0.0, l2: 10.0 }),
            ..StepRules::default()
        };
        assert_eq!(remedy(penalty), "a smaller `training.penalty`");
        let bound = StepRules {
            max_norm: Some(0.01),
            ..StepRules::default()
        };
        assert_eq!(remedy(bound), "a larger `training.max_norm`");
        assert!(remedy(StepRules::default()).contains("learning_rate"));
        let adamw = r#"{"name": "adamw", "learning_rate": 0.1, "weight_decay": 0.1}"#;
        let adamw: OptimizerConfig = serde_json::from_str(adamw).expect("an optimiser");
        let both = remedies(&adamw, penalty);
        assert_eq!(both[0], "a smaller `training.penalty`");
        assert_eq!(both[1], "a smaller `optimizer.weight_decay`");
    }

    #[test]
    fn large_and_small_steps_are_named_with_their_layer_and_a_rate_to_try() {
        let large = found(&[1e-3; 5], &[1e-3, 0.04, 0.05, 0.05, 0.06]).expect("a finding");
        let layer = large.place.and_then(|place| place.layer);
        assert_eq!(layer.as_deref(), Some("layers.1"));
        assert!(
            large.summary.contains("from epoch 1 on"),
            "{}",
            large.summary
        );
        assert!(large.remedies[0].starts_with("`optimizer.learning_rate = 0.002`"));
        let small = found(&[1e-6; 5], &[1e-5; 5]).expect("a finding");
        assert!(small.remedies[0].starts_with("`optimizer.learning_rate = 10.0`"));
    }
}
