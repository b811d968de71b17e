//! What initialisers do to activations and gradients, layer by layer: the picture of why Kaiming.

use burn::tensor::{DType, Tensor, TensorData};
use emberlab_models::activation::{Relu, Tanh};
use emberlab_models::{Activation, Initializer, ModelConfig, Network};
use emberlab_pictures::{Axis, Band, Chart, Line, Marker, Panels, Picture, Rule};
use emberlab_rng::stream;
use emberlab_training::{TrainingError, device, host};
use rand_distr::{Distribution, StandardNormal};
use serde_json::{Value, json};

use super::{GalleryError, Section};

const DEPTH: usize = 20;
const WIDTH: usize = 100;
const SAMPLES: usize = 200;
/// What is smaller is shown as this: an axis has to end.
const SMALLEST: f64 = 1e-9;

/// Names with what a configuration would say.
fn choices() -> Vec<(&'static str, Value)> {
    vec![
        ("normal, std 1", json!({ "name": "normal", "std": 1.0 })),
        ("normal, std 0.01", json!({ "name": "normal", "std": 0.01 })),
        ("pytorch_default", json!("pytorch_default")),
        ("xavier_normal", json!("xavier_normal")),
        ("kaiming_normal", json!("kaiming_normal")),
        (
            "orthogonal, gain √2",
            json!({ "name": "orthogonal", "gain": std::f64::consts::SQRT_2 }),
        ),
    ]
}

/// The numbers in every layer of a network at its start.
struct Layers {
    /// Outputs of each activation.
    activations: Vec<Vec<f64>>,
    /// Gradients by the inputs of each activation.
    gradients: Vec<Vec<f64>>,
}

/// Sends normal random inputs through twenty layers and normal random gradients back.
fn layers(initializer: &Value, activation: &Activation) -> Result<Layers, GalleryError> {
    let device = device::open(device::DEFAULT)
        .map_err(TrainingError::from)?
        .autodiff();
    let initializer: Initializer = serde_json::from_value(initializer.clone())
        .map_err(|error| TrainingError::Read(error.to_string()))?;
    let model: ModelConfig = serde_json::from_value(json!({
        "name": "mlp", "hidden": vec![WIDTH; DEPTH], "activation": activation, "initializer": initializer,
    }))
    .map_err(|error| TrainingError::Read(error.to_string()))?;
    let mut rng = stream(0, "init", &[]);
    let network = model.init(&[WIDTH], 1, &mut rng, &device, DType::F64)?;
    let mut noise = stream(0, "gallery", &[]);
    let mut normal = |rows: usize| {
        let numbers: Vec<f64> = (0..rows * WIDTH)
            .map(|_| StandardNormal.sample(&mut noise))
            .collect();
        Tensor::<2>::from_data(
            TensorData::new(numbers, [rows, WIDTH]),
            (&device, DType::F64),
        )
    };
    let mut x = normal(SAMPLES);
    let back = normal(SAMPLES);
    let Network::Mlp(mlp) = network else {
        return Ok(Layers {
            activations: Vec::new(),
            gradients: Vec::new(),
        });
    };
    let mut activations = Vec::with_capacity(DEPTH);
    // Gradients are kept for leaves alone: a leaf of zeros added to each layer has the gradient of that layer.
    let mut leaves = Vec::with_capacity(DEPTH);
    for layer in &mlp.layers[..DEPTH] {
        let leaf = x.zeros_like().require_grad();
        x = activation.forward(layer.forward(x) + leaf.clone()); // [samples, width]
        leaves.push(leaf);
        activations.push(host(x.clone().inner())?);
    }
    let found = (x * back).sum().backward();
    let gradients = leaves.iter().map(|leaf| match leaf.grad(&found) {
        Some(gradient) => Ok(host(gradient)?),
        None => Ok(Vec::new()),
    });
    Ok(Layers {
        activations,
        gradients: gradients.collect::<Result<_, GalleryError>>()?,
    })
}

/// The root of the mean square.
fn size(numbers: &[f64]) -> f64 {
    (numbers.iter().map(|x| x * x).sum::<f64>() / numbers.len().max(1) as f64).sqrt()
}

/// The number below which `share` of them lie.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = (share * (sorted.len().max(1) - 1) as f64).round() as usize;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

fn over_layers(numbers: &[Vec<f64>], of: impl Fn(&[f64]) -> f64) -> Vec<(f64, f64)> {
    numbers
        .iter()
        .enumerate()
        .map(|(i, numbers)| ((i + 1) as f64, of(numbers)))
        .collect()
}

/// The sizes of activations or gradients through all layers, a line for each initialiser.
fn sizes(title: String, found: &[(&str, Layers)], of: fn(&Layers) -> &Vec<Vec<f64>>) -> Chart {
    let axes = (
        Axis::new("layer").whole(),
        Axis::new("root mean square").logarithmic(),
    );
    let mut chart = Chart::new(title, axes.0, axes.1).size(480.0, 380.0);
    for (i, (name, layers)) in found.iter().enumerate() {
        let points = over_layers(of(layers), |numbers| size(numbers).max(SMALLEST));
        chart = chart.with(
            Line::new(*name, points)
                .marker(Marker::of_series(i))
                .width(1.6),
        );
    }
    chart.with(Rule::level("neither grows nor shrinks", 1.0))
}

/// How activations are distributed in every layer.
fn distribution(name: &str, numbers: &[Vec<f64>]) -> Chart {
    let mut sorted = numbers.to_vec();
    sorted
        .iter_mut()
        .for_each(|numbers| numbers.sort_by(f64::total_cmp));
    let between = |low: f64, high: f64| -> Vec<(f64, f64, f64)> {
        let lows = over_layers(&sorted, |numbers| quantile(numbers, low));
        let highs = over_layers(&sorted, |numbers| quantile(numbers, high));
        lows.into_iter()
            .zip(highs)
            .map(|((x, low), (_, high))| (x, low, high))
            .collect()
    };
    Chart::new(name, Axis::new("layer").whole(), Axis::new("activation"))
        .size(400.0, 300.0)
        .with(Band::new("98 % of all", between(0.01, 0.99)))
        .with(Band::new("half of all", between(0.25, 0.75)))
        .with(Line::new(
            "median",
            over_layers(&sorted, |numbers| quantile(numbers, 0.5)),
        ))
}

pub(super) fn section() -> Result<Section, GalleryError> {
    let mut through = Panels::new("Twenty layers of a hundred units, before the first step", 2);
    let mut distributions =
        Panels::new("How activations are distributed, layer by layer (tanh)", 3);
    for activation in [Activation::from(Relu {}), Tanh {}.into()] {
        let mut found = Vec::new();
        for (name, initializer) in choices() {
            found.push((name, layers(&initializer, &activation)?));
        }
        let title = |what: &str| format!("{what}, {}", activation.name());
        through = through
            .with(sizes(title("activations"), &found, |layers| {
                &layers.activations
            }))
            .with(sizes(title("gradients"), &found, |layers| {
                &layers.gradients
            }));
        if activation.name() == "tanh" {
            for (name, layers) in &found {
                distributions = distributions.with(distribution(name, &layers.activations));
            }
        }
    }
    Ok(Section {
        title: "Initializers",
        text: "Normal random inputs forward, normal random gradients back. Each layer multiplies sizes by one factor, \
               so twenty multiply them by its twentieth power. Kaiming's √2 makes up for the half that a ReLU takes \
               away: the line stays level, forward and back. Xavier, right for tanh near zero, loses that half in each \
               layer of ReLUs. With std 1, tanh saturates at ±1 from the first layer on. \
               What falls below 1e-9 is drawn there."
            .to_string(),
        pictures: vec![
            ("initializers/sizes".to_string(), through.render()?),
            ("initializers/distributions".to_string(), distributions.render()?),
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kaiming_keeps_the_size_through_relus_where_xavier_halves_its_square() {
        let last = |initializer: Value| {
            let found = layers(&initializer, &Relu {}.into()).expect("layers");
            assert_eq!(
                (found.activations.len(), found.gradients.len()),
                (DEPTH, DEPTH)
            );
            (
                size(&found.activations[DEPTH - 1]),
                size(&found.gradients[0]),
            )
        };
        // He et al. 2015: the variance stays; with Xavier's it halves: 2^-10 = 0.001 of the size is left.
        let (forward, back) = last(json!("kaiming_normal"));
        assert!((0.3..3.0).contains(&forward), "{forward}");
        assert!((0.2..3.0).contains(&back), "{back}");
        let (forward, back) = last(json!("xavier_normal"));
        assert!((2e-4..4e-3).contains(&forward), "{forward}");
        assert!((2e-4..4e-3).contains(&back), "{back}");
        // Variance 100 for each of twenty layers, halved each time: 50^10 = 1e17.
        let (forward, _) = last(json!({ "name": "normal", "std": 1.0 }));
        assert!((1e16..1e18).contains(&forward), "{forward:e}");
    }
}
