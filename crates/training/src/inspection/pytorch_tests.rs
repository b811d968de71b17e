//! Records equal what PyTorch's hooks see: `tests-data/inspection.json`, which `tests-data/inspection.py` makes.

use burn::tensor::{DType, Device, Tensor, TensorData};
use emberlab_datasets::Batch;
use emberlab_models::{ModelConfig, Network, StepSeeds};
use emberlab_rng::stream;
use emberlab_run_format::Histogram;
use serde::Deserialize;
use serde_json::json;

use super::{InspectConfig, InspectEvery, Inspector, Probe};
use crate::{LossConfig, Optimizer, OptimizerConfig, StepRules, SupervisedModel, Task};

#[derive(Deserialize)]
struct Row {
    mean: f64,
    std: f64,
    quantiles: [f64; 5],
    dead: f64,
    saturated: f64,
    weight_norm: f64,
    gradient_norm: f64,
    update_norm: f64,
    activations: Bins,
    weights: Bins,
    gradients: Bins,
    view: Components,
}

#[derive(Deserialize)]
struct Bins {
    low: f64,
    high: f64,
    counts: Vec<u64>,
}

#[derive(Deserialize)]
struct Components {
    points: Vec<f64>,
    explained: [f64; 2],
}

fn wave(phase: f64, count: usize) -> impl Iterator<Item = f64> {
    (0..count).map(move |k| (phase + 0.7 * k as f64).sin())
}

/// The network and the batch of `inspection.py`.
fn network_and_batch() -> (Network, Batch) {
    let device = Device::flex();
    let model = json!({ "name": "mlp", "hidden": [6, 4], "activation": ["relu", "tanh"] });
    let model: ModelConfig = serde_json::from_value(model).expect("a model");
    let network = model
        .init(&[5], 3, &mut stream(0, "init", &[]), &device, DType::F64)
        .expect("a network");
    let tensors = network.named_tensors().into_iter().enumerate();
    let filled = tensors.map(|(index, (name, data))| {
        let shape = data.shape().to_vec();
        let size = if shape.len() == 2 { 2.0 } else { 0.5 };
        let count = shape.iter().product();
        let mut values: Vec<f64> = wave(index as f64, count).map(|x| size * x).collect();
        if name == "layers.0.bias" {
            values[2] = -20.0;
        }
        (name, TensorData::new(values, shape))
    });
    let network = network
        .load_named_tensors(filled.collect())
        .expect("the same tensors");
    let tensor = |values: Vec<f64>, shape: [usize; 2]| {
        Tensor::from_data(TensorData::new(values, shape), (&device, DType::F64))
    };
    let class = |k: usize| f64::from(u8::from(k % 3 == (k / 3) % 3));
    let batch = Batch {
        inputs: tensor(wave(0.0, 24 * 5).collect(), [24, 5]),
        targets: tensor((0..24 * 3).map(class).collect(), [24, 3]),
        weights: None,
    };
    (network, batch)
}

fn assert_near(what: &str, found: f64, expected: f64) {
    let tolerance = 1e-9 * expected.abs().max(1.0);
    assert!(
        (found - expected).abs() <= tolerance,
        "{what}: {found}, {expected}"
    );
}

fn assert_same_bins(what: &str, found: &Histogram, expected: &Bins) {
    assert_near(what, found.low, expected.low);
    assert_near(what, found.high, expected.high);
    assert_eq!(found.counts, expected.counts, "{what}");
}

#[test]
fn a_record_has_the_numbers_that_hooks_of_pytorch_see() {
    let rows: Vec<Row> =
        serde_json::from_str(include_str!("../../tests-data/inspection.json")).expect("the rows");
    let (network, batch) = network_and_batch();
    let loss: LossConfig =
        serde_json::from_value(json!({ "name": "cross_entropy" })).expect("loss");
    let optimizer: OptimizerConfig =
        serde_json::from_value(json!({ "name": "sgd", "learning_rate": 0.1 })).expect("sgd");
    let before = SupervisedModel::new(network, loss.clone());
    let mut optimizer = Optimizer::new(&optimizer, &before);
    let masks = StepSeeds {
        seeds: &[0],
        step: 0,
    };
    let rules = StepRules::default();
    let (after, _) = before.after_step(batch.clone(), masks, &rules, &mut optimizer, 0.1);
    let probe = Probe {
        config: InspectConfig {
            every: InspectEvery::Steps(1),
        },
        batch,
        grid: None,
        image: None,
    };
    let task = Task::Multiclass { num_classes: 3 };
    let inspector = Inspector::new(probe, &loss, &task, 1, 1).expect("an inspector");
    let record = inspector.record(&after.network, Some(&before.network), 1);
    let record = record.expect("a record");
    let frame = record.frame.expect("pictures");
    assert_eq!(record.rows.len(), rows.len());
    for ((found, expected), pictures) in record.rows.iter().zip(&rows).zip(&frame.layers) {
        let what = &found.layer;
        assert_near(what, found.activation_mean, expected.mean);
        assert_near(what, found.activation_std, expected.std);
        let quantiles = found.activation_quantiles.iter().zip(expected.quantiles);
        quantiles.for_each(|(found, expected)| assert_near(what, *found, expected));
        assert_near(what, found.dead, expected.dead);
        assert_near(what, found.saturated, expected.saturated);
        assert_near(what, found.weight_norm, expected.weight_norm);
        assert_near(what, found.gradient_norm, expected.gradient_norm);
        assert_near(what, found.update_norm, expected.update_norm);
        assert_same_bins(what, &found.activations, &expected.activations);
        assert_same_bins(what, &found.weights, &expected.weights);
        assert_same_bins(what, &found.gradients, &expected.gradients);
        let Some(view) = &pictures.view else {
            assert_eq!(what, "layers.2", "only the outputs have no view");
            continue;
        };
        let scale = f64::from(view.scale);
        for (byte, expected) in view.points.0.iter().zip(&expected.view.points) {
            let found = (f64::from(*byte) - 128.0) / 127.0 * scale;
            assert!((found - expected).abs() <= scale / 250.0, "{what}");
        }
        for (found, expected) in view.explained.iter().zip(expected.view.explained) {
            assert!((f64::from(*found) - expected).abs() < 1e-6, "{what}");
        }
    }
}
