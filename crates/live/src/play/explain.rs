//! How a network computes its outputs for one point.

use emberlab_models::{Mode, Network, Operation};
use emberlab_training::{Task, TrainingError, host};

use super::view::View;
use crate::message::{Explanation, InputValue, LayerValues};

/// The most values of a layer that are listed.
const MOST_VALUES: usize = 64;

/// Explains the outputs for a point of the plane.
///
/// # Errors
/// [`TrainingError::Read`] if the device fails.
pub(super) fn explain(
    network: &Network,
    view: &View,
    point: [f64; 2],
) -> Result<Explanation, TrainingError> {
    let [x, y] = point;
    let row: Vec<f64> = view.plane.inputs(x, y).collect();
    let inputs = view.inputs(&row);
    let standardized = host(inputs.clone())?;
    let names = view.input_names().into_iter();
    let values = names.zip(standardized).enumerate().take(MOST_VALUES);
    let values = values.map(|(i, (name, standardized))| InputValue {
        name,
        raw: view.raw(standardized, i),
        standardized,
    });
    let mut layers: Vec<LayerValues> = Vec::new();
    let mut outputs = Vec::new();
    for stage in network.stages(inputs.clone(), Mode::Evaluation) {
        if stage.outputs.dims()[0] != 1 {
            continue; // between convolutions, a row is a pixel
        }
        let part = stage.operation.part();
        let numbers = host(stage.outputs)?;
        let shown = numbers.iter().take(MOST_VALUES);
        let shown: Vec<Option<f64>> = shown.map(|v| Some(*v).filter(|v| v.is_finite())).collect();
        match stage.operation {
            Operation::Dense(_) => layers.push(LayerValues {
                layer: part,
                sums: shown,
                outputs: Vec::new(),
            }),
            Operation::Activation(..) | Operation::OutputActivation(_) => {
                if let Some(layer) = layers.last_mut() {
                    layer.outputs = shown;
                }
            }
            Operation::Convolution(_) | Operation::Normalization(_) => {}
        }
        outputs = numbers;
    }
    Ok(Explanation {
        scene: view.scene,
        point,
        inputs: values.collect(),
        layers,
        prediction: prediction(view, &outputs)?,
    })
}

/// The prediction in words.
fn prediction(view: &View, outputs: &[f64]) -> Result<String, TrainingError> {
    if let Task::Regression { .. } = view.task() {
        let values = view.task().in_units_of_the_data(outputs.to_vec());
        return Ok(values
            .iter()
            .map(|v| format!("{v:.4}"))
            .collect::<Vec<_>>()
            .join(", "));
    }
    let names = view.class_names();
    let shares = view
        .task()
        .probabilities(view.loss(), outputs, outputs.len())?;
    let name = |class: usize| {
        names
            .get(class)
            .cloned()
            .unwrap_or_else(|| class.to_string())
    };
    let shares = match shares.as_slice() {
        [one] => vec![1.0 - one, *one],
        _ => shares,
    };
    let best = shares.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    Ok(best.map_or(String::new(), |(class, share)| {
        format!("{} ({:.1} %)", name(class), 100.0 * share)
    }))
}
