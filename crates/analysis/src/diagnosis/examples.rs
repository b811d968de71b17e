//! For tests: measurements of networks, and the kinds of findings from them.

use emberlab_metrics::{Metric, Split, SplitMetrics};
use emberlab_run_format::{
    BaselineScores, Baselines, FindingKind, Histogram, LayerHistory, LayerRow, NUM_BINS,
};

use emberlab_training::inspection::LayerStep;

use crate::diagnosis::{
    ActivationInspection, LearningCurves, Observations, SignalInspection, StepInspection, findings,
};

/// A step with `(weight, gradient, change)` of each layer.
pub fn step(loss: f64, layers: &[(f64, f64, f64)]) -> StepInspection {
    let layer = |(i, &(weight, gradient, change)): (usize, &(f64, f64, f64))| LayerStep {
        layer: format!("layers.{i}"),
        weight,
        gradient,
        change,
    };
    StepInspection {
        loss,
        has_flat_loss: false,
        has_gradient: layers.iter().any(|(_, gradient, _)| *gradient != 0.0),
        layers: layers.iter().enumerate().map(layer).collect(),
    }
}

/// The records of layers, an epoch each; `set` gives a row its value.
pub fn history(layers: &[&[f64]], set: impl Fn(&mut LayerRow, f64)) -> LayerHistory {
    let mut counts = vec![0; NUM_BINS];
    counts[0] = 4;
    let weights = Histogram {
        low: 0.0,
        high: 0.0,
        counts,
    };
    let mut text = LayerRow::header();
    for epoch in 0..layers[0].len() {
        for (i, values) in layers.iter().enumerate() {
            let mut row = LayerRow {
                epoch: epoch as f64,
                step: epoch as u64,
                layer: format!("layers.{i}"),
                activation: "relu".to_string(),
                activations: weights.clone(),
                weights: weights.clone(),
                gradients: weights.clone(),
                ..LayerRow::default()
            };
            set(&mut row, values[epoch]);
            text.push_str(&row.line());
        }
    }
    LayerHistory::parse(&text).expect("rows")
}

/// An activation with eight units.
pub fn activation(name: &str, num_dead: usize, saturated: f64) -> ActivationInspection {
    ActivationInspection {
        layer: "layers.0".to_string(),
        activation: name.to_string(),
        num_units: 8,
        num_dead,
        saturated,
        are_equal: false,
    }
}

/// A random forest with this value of a metric on the validation split, by which a network is compared.
pub fn baselines(metric: Metric, value: f64) -> Baselines {
    let metrics = SplitMetrics::from_iter([(metric, value)]);
    Baselines {
        metric,
        num_train: 300,
        results: vec![BaselineScores {
            name: "random_forest".to_string(),
            title: "random forest".to_string(),
            num_train_used: 300,
            metrics: [(Split::Valid, metrics)].into_iter().collect(),
            error: None,
        }],
    }
}

/// The kinds of findings from the first step alone.
pub fn kinds_of_step(step: &StepInspection) -> Vec<FindingKind> {
    let curves = LearningCurves::default();
    let observed = Observations {
        first_step: Some(step),
        ..Observations::of_curves(&curves)
    };
    findings(&observed).iter().map(|f| f.kind).collect()
}

/// The kinds of findings from the network before training alone.
pub fn kinds_at_start(start: &SignalInspection) -> Vec<FindingKind> {
    let curves = LearningCurves::default();
    let observed = Observations {
        start: Some(start),
        ..Observations::of_curves(&curves)
    };
    findings(&observed).iter().map(|f| f.kind).collect()
}

#[test]
fn a_step_of_ordinary_sizes_is_healthy() {
    let layers = [(0.5, 0.01, 0.001), (0.3, 0.05, 0.005), (0.3, 0.1, 0.01)];
    assert_eq!(kinds_of_step(&step(0.7, &layers)), []);
}
