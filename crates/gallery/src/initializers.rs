//! The sizes of activations and gradients through twenty layers, for each initialiser.

use std::f64::consts::SQRT_2;

use burn::tensor::{DType, Tensor, TensorData};
use emberlab_menu::Menu as _;
use emberlab_models::activation::{Relu, Tanh};
use emberlab_models::initializer::{Normal, Orthogonal};
use emberlab_models::{Activation, Initializer};
use emberlab_pictures::{Axis, Band, Chart, Line, Marker, Panels, Picture, Rule};
use emberlab_rng::stream;
use emberlab_training::{TrainingError, device, host};
use rand_distr::{Distribution, StandardNormal};

use super::{GalleryError, Section};

const DEPTH: usize = 20;
const WIDTH: usize = 100;
const SAMPLES: usize = 200;
/// The ends of the axis of sizes; what lies beyond is drawn at the end.
const SIZES: (f64, f64) = (1e-9, 1e9);

/// An initialiser with its label in the pictures.
struct Labelled {
    label: String,
    initializer: Initializer,
}

/// Every initialiser of the menu with its default parameters, and some with others.
fn choices() -> Vec<Labelled> {
    let defaults = Initializer::examples()
        .into_iter()
        .map(|initializer| Labelled {
            label: initializer.name().to_string(),
            initializer,
        });
    let others = [
        (
            "normal, std 0.01",
            Initializer::from(Normal {
                std: 0.01,
                ..Normal::default()
            }),
        ),
        ("orthogonal, gain √2", Orthogonal { gain: SQRT_2 }.into()),
    ];
    let others = others.map(|(label, initializer)| Labelled {
        label: label.to_string(),
        initializer,
    });
    defaults.chain(others).collect()
}

/// The numbers in every layer of a network at its start.
struct Layers {
    /// Outputs of each activation.
    activations: Vec<Vec<f64>>,
    /// Gradients by the inputs of each activation.
    gradients: Vec<Vec<f64>>,
}

/// Sends normal random inputs forward through twenty layers without biases, and normal random gradients backward.
fn layers(initializer: &Initializer, activation: &Activation) -> Result<Layers, GalleryError> {
    let device = device::open(device::DEFAULT)
        .map_err(TrainingError::from)?
        .autodiff();
    let matrix = |numbers: Vec<f64>, rows: usize| {
        let data = TensorData::new(numbers, [rows, WIDTH]);
        Tensor::<2>::from_data(data, (&device, DType::F64))
    };
    let mut noise = stream(0, "gallery", &[]);
    let mut normal = || {
        let numbers = (0..SAMPLES * WIDTH).map(|_| StandardNormal.sample(&mut noise));
        matrix(numbers.collect(), SAMPLES)
    };
    let mut x = normal();
    let gradient_of_outputs = normal();
    let mut rng = stream(0, "init", &[]);
    let mut activations = Vec::with_capacity(DEPTH);
    // Autodiff returns gradients for leaves only: a leaf of zeros that is added to a layer has the gradient of that
    // layer.
    let mut leaves = Vec::with_capacity(DEPTH);
    for _ in 0..DEPTH {
        let weight = initializer.draw(&[WIDTH, WIDTH], WIDTH, WIDTH, &mut rng);
        let leaf = x.zeros_like().require_grad();
        x = activation.forward(x.matmul(matrix(weight, WIDTH)) + leaf.clone()); // [samples, width]
        leaves.push(leaf);
        activations.push(host(x.clone().inner())?);
    }
    let found = (x * gradient_of_outputs).sum().backward();
    let gradients = leaves.iter().map(|leaf| match leaf.grad(&found) {
        Some(gradient) => Ok(host(gradient)?),
        None => Ok(vec![0.0; SAMPLES * WIDTH]),
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
fn sizes(title: String, found: &[(String, Layers)], of: fn(&Layers) -> &Vec<Vec<f64>>) -> Chart {
    let axes = (
        Axis::new("layer").whole(),
        Axis::new("root mean square").logarithmic(),
    );
    let mut chart = Chart::new(title, axes.0, axes.1).size(480.0, 380.0);
    for (i, (name, layers)) in found.iter().enumerate() {
        let points = over_layers(of(layers), |numbers| size(numbers).clamp(SIZES.0, SIZES.1));
        chart = chart.with(
            Line::new(name, points)
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
    for (activation, shows_distributions) in
        [(Activation::from(Relu {}), false), (Tanh {}.into(), true)]
    {
        let mut found = Vec::new();
        for choice in choices() {
            found.push((choice.label, layers(&choice.initializer, &activation)?));
        }
        let title = |what: &str| format!("{what}, {}", activation.name());
        through = through
            .with(sizes(title("activations"), &found, |layers| {
                &layers.activations
            }))
            .with(sizes(title("gradients"), &found, |layers| {
                &layers.gradients
            }));
        if shows_distributions {
            for (label, layers) in &found {
                distributions = distributions.with(distribution(label, &layers.activations));
            }
        }
    }
    Ok(Section {
        title: "Initializers",
        text: "Normal random inputs forward, normal random gradients backward, without biases. Each layer multiplies \
               sizes by a factor, so twenty layers multiply them by its twentieth power. The factor √2 of Kaiming \
               makes up for the half that a ReLU sets to zero: the line stays level, forward and backward. Xavier, \
               which suits tanh near zero, loses that half in each layer of ReLUs. With std 1, tanh saturates at ±1 \
               from the first layer on. Sizes below 1e-9 or above 1e9 are drawn at the edge."
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
    use emberlab_models::initializer::{KaimingNormal, XavierNormal};

    #[test]
    fn kaiming_keeps_the_size_through_relus_where_xavier_halves_its_square() {
        let last = |initializer: Initializer| {
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
        let (forward, back) = last(KaimingNormal::default().into());
        assert!((0.3..3.0).contains(&forward), "{forward}");
        assert!((0.2..3.0).contains(&back), "{back}");
        let (forward, back) = last(XavierNormal::default().into());
        assert!((2e-4..4e-3).contains(&forward), "{forward}");
        assert!((2e-4..4e-3).contains(&back), "{back}");
        // Variance 100 for each of twenty layers, halved each time: 50^10 = 1e17.
        let (forward, _) = last(Normal::default().into());
        assert!((1e16..1e18).contains(&forward), "{forward:e}");
    }
}
