//! Derivatives written out, as a textbook has them. They share nothing with the functions that they check.
//!
//! A new activation or loss needs a row here; a test names those that have none.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use emberlab_models::{Activation, Normalization};
use emberlab_training::loss::Loss;
use serde::Serialize;
use serde_json::Value;

/// The gradient by the inputs of an activation.
enum ActivationForm {
    /// The derivative at an input.
    Elementwise(fn(f64, &Parameters) -> f64),
    /// The gradient by a row of inputs, from that by its outputs.
    Row(fn(&[f64], &[f64]) -> Vec<f64>),
}

use ActivationForm::{Elementwise, Row};

/// The derivatives of all activations, by name.
const ACTIVATIONS: [(&str, ActivationForm); 12] = [
    ("linear", Elementwise(|_, _| 1.0)),
    (
        "sigmoid",
        Elementwise(|x, _| sigmoid(x) * (1.0 - sigmoid(x))),
    ),
    ("tanh", Elementwise(|x, _| 1.0 - x.tanh().powi(2))),
    ("relu", Elementwise(|x, _| if x > 0.0 { 1.0 } else { 0.0 })),
    (
        "leaky_relu",
        Elementwise(|x, parameters| {
            if x > 0.0 {
                1.0
            } else {
                parameters.get("alpha")
            }
        }),
    ),
    (
        "elu",
        Elementwise(|x, parameters| elu_slope(x, parameters.get("alpha"))),
    ),
    // σ + x σ (1 − σ)
    (
        "swish",
        Elementwise(|x, _| sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x)))),
    ),
    // Φ(x) + x φ(x)
    (
        "gelu",
        Elementwise(|x, _| {
            0.5 * (1.0 + erf(x * FRAC_1_SQRT_2)) + x * (-x * x / 2.0).exp() / (2.0 * PI).sqrt()
        }),
    ),
    (
        "selu",
        Elementwise(|x, _| 1.050_700_987_355_480_5 * elu_slope(x, 1.673_263_242_354_377_2)),
    ),
    ("softplus", Elementwise(|x, _| sigmoid(x))),
    (
        "mish",
        Elementwise(|x, _| {
            let tanh = x.exp().ln_1p().tanh();
            tanh + x * (1.0 - tanh * tanh) * sigmoid(x)
        }),
    ),
    ("softmax", Row(softmax_gradient)),
];

/// The gradient by the outputs of a network of a loss that is not reduced.
enum LossForm {
    /// The derivative for an output and its target.
    Elementwise(fn(f64, f64, &Parameters) -> f64),
    /// The gradient by a row of outputs with its row of targets; each row has one loss.
    Row(fn(&[f64], &[f64]) -> Vec<f64>),
}

/// The derivatives of all losses, by name.
const LOSSES: [(&str, LossForm); 16] = [
    (
        "bce_with_logits",
        LossForm::Elementwise(|z, y, _| sigmoid(z) - y),
    ),
    (
        "bce",
        LossForm::Elementwise(|p, y, _| (p - y) / (p * (1.0 - p))),
    ),
    (
        "bce_naive",
        LossForm::Elementwise(|p, y, _| (p - y) / (p * (1.0 - p))),
    ),
    ("cross_entropy", LossForm::Row(softmax_minus_targets)),
    ("cross_entropy_naive", LossForm::Row(softmax_minus_targets)),
    ("kl_divergence", LossForm::Row(softmax_minus_targets)),
    ("mse", LossForm::Elementwise(|z, y, _| 2.0 * (z - y))),
    ("mae", LossForm::Elementwise(|z, y, _| (z - y).signum())),
    (
        "huber",
        LossForm::Elementwise(|z, y, parameters| {
            let delta = parameters.get("delta");
            (z - y).max(-delta).min(delta)
        }),
    ),
    ("log_cosh", LossForm::Elementwise(|z, y, _| (z - y).tanh())),
    (
        "quantile",
        LossForm::Elementwise(|z, y, parameters| {
            let quantile = parameters.get("quantile");
            if z < y { -quantile } else { 1.0 - quantile }
        }),
    ),
    ("poisson", LossForm::Elementwise(|z, y, _| z.exp() - y)),
    (
        "hinge",
        LossForm::Elementwise(|z, y, _| {
            let side = 2.0 * y - 1.0;
            if side * z < 1.0 { -side } else { 0.0 }
        }),
    ),
    // By s z: −α_t (1 − p_t)^γ (1 − p_t − γ p_t ln p_t); Lin et al. 2017, appendix B.
    (
        "focal",
        LossForm::Elementwise(|z, y, parameters| {
            let (gamma, alpha) = (parameters.get("gamma"), parameters.get("alpha"));
            let side = 2.0 * y - 1.0;
            let p = sigmoid(side * z);
            let weight = alpha * y + (1.0 - alpha) * (1.0 - y);
            -side * weight * (1.0 - p).powf(gamma) * (1.0 - p - gamma * p * p.ln())
        }),
    ),
    ("hamming", LossForm::Elementwise(|_, _, _| 0.0)),
    (
        "soft_hamming",
        LossForm::Elementwise(|p, y, _| (p - y).signum()),
    ),
];

/// The gradient by a row of inputs, from the row and the gradient by its outputs.
type ActivationGradient = Box<dyn Fn(&[f64], &[f64]) -> Vec<f64>>;

/// The gradient of the mean loss, from outputs and targets, row by row, and the length of a row.
type LossGradient = Box<dyn Fn(&[f64], &[f64], usize) -> Vec<f64>>;

/// The closed form of an activation; none if it has no row in the table.
pub(super) fn of_activation(activation: &Activation) -> Option<ActivationGradient> {
    let (_, form) = ACTIVATIONS
        .iter()
        .find(|(name, _)| *name == activation.name())?;
    let parameters = Parameters::of(activation);
    Some(match form {
        Elementwise(slope) => Box::new(move |inputs, by_outputs| {
            let pairs = inputs.iter().zip(by_outputs);
            pairs.map(|(x, g)| g * slope(*x, &parameters)).collect()
        }),
        Row(gradient) => Box::new(gradient),
    })
}

/// The closed form of the mean of a loss; none if it has no row in the table.
pub(super) fn of_loss(loss: &Loss) -> Option<LossGradient> {
    let (_, form) = LOSSES.iter().find(|(name, _)| *name == loss.name())?;
    let parameters = Parameters::of(loss);
    Some(match form {
        LossForm::Elementwise(slope) => Box::new(move |outputs, targets, _| {
            let pairs = outputs.iter().zip(targets);
            let slopes = pairs.map(|(z, y)| slope(*z, *y, &parameters));
            slopes.map(|s| s / outputs.len() as f64).collect()
        }),
        LossForm::Row(gradient) => Box::new(move |outputs, targets, width| {
            let num_rows = outputs.len() / width;
            let rows = outputs.chunks(width).zip(targets.chunks(width));
            let slopes = rows.flat_map(|(z, y)| gradient(z, y));
            slopes.map(|s| s / num_rows as f64).collect()
        }),
    })
}

/// Positions in a batch, `[batch, features]` row by row, whose numbers are normalised together.
type Set = Vec<usize>;

/// The sets that a normalisation makes of a batch with this many rows and columns.
type Sets = fn(usize, usize, &Parameters) -> Vec<Set>;

/// The sets of all normalisations, by name.
const NORMALIZATIONS: [(&str, Sets); 4] = [
    ("batch", |rows, columns, _| {
        let column = |j: usize| (0..rows).map(|i| i * columns + j).collect();
        (0..columns).map(column).collect()
    }),
    ("layer", |rows, columns, _| {
        groups_of_features(rows, columns, 1)
    }),
    ("instance", |rows, columns, _| {
        groups_of_features(rows, columns, 1)
    }),
    ("group", |rows, columns, parameters| {
        groups_of_features(rows, columns, parameters.get("num_groups") as usize)
    }),
];

fn groups_of_features(rows: usize, columns: usize, num_groups: usize) -> Vec<Set> {
    let size = columns / num_groups;
    (0..rows * num_groups)
        .map(|group| (group * size..(group + 1) * size).collect())
        .collect()
}

/// The gradients by inputs, scale and shift, from the inputs, the scale and the gradient by the outputs.
type NormalizationGradients = Box<dyn Fn(&[f64], &[f64], &[f64]) -> Vec<Vec<f64>>>;

/// The closed form of a normalisation with scale and shift; none if it has no row in the table.
pub(super) fn of_normalization(normalization: &Normalization) -> Option<NormalizationGradients> {
    let (_, sets) = NORMALIZATIONS
        .iter()
        .find(|(name, _)| *name == normalization.name())?;
    let parameters = Parameters::of(normalization);
    let epsilon = parameters.get("epsilon");
    Some(Box::new(move |x, gamma, by_outputs| {
        let columns = gamma.len();
        let mut by_x = vec![0.0; x.len()];
        let (mut by_gamma, mut by_beta) = (vec![0.0; columns], vec![0.0; columns]);
        for set in sets(x.len() / columns, columns, &parameters) {
            let numbers: Vec<f64> = set.iter().map(|&i| x[i]).collect();
            let scaled = set.iter().map(|&i| by_outputs[i] * gamma[i % columns]);
            let scaled: Vec<f64> = scaled.collect();
            let (standard, _) = standardized(&numbers, epsilon);
            let slopes = standardized_backward(&numbers, &scaled, epsilon);
            for ((i, standard), slope) in set.into_iter().zip(standard).zip(slopes) {
                by_x[i] = slope;
                by_gamma[i % columns] += by_outputs[i] * standard;
                by_beta[i % columns] += by_outputs[i];
            }
        }
        vec![by_x, by_gamma, by_beta]
    }))
}

/// The parameters of an entry of a menu, by their keys in a configuration.
struct Parameters(Value);

impl Parameters {
    fn of(entry: &impl Serialize) -> Self {
        Self(serde_json::to_value(entry).unwrap_or_default())
    }

    /// NaN without such a key, which no check passes.
    fn get(&self, key: &str) -> f64 {
        self.0[key].as_f64().unwrap_or(f64::NAN)
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn elu_slope(x: f64, alpha: f64) -> f64 {
    if x > 0.0 { 1.0 } else { alpha * x.exp() }
}

fn softmax_minus_targets(row: &[f64], targets: &[f64]) -> Vec<f64> {
    let probabilities = softmax(row).into_iter();
    probabilities.zip(targets).map(|(p, y)| p - y).collect()
}

/// `2/√π exp(−x²) Σ 2ⁿ x²ⁿ⁺¹ / (2n+1)!!`, whose terms all have one sign: Abramowitz and Stegun 7.1.6.
fn erf(x: f64) -> f64 {
    let (mut term, mut sum, mut n) = (x, x, 0.0);
    while term.abs() > 1e-18 * sum.abs() {
        n += 1.0;
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
    }
    2.0 / PI.sqrt() * (-x * x).exp() * sum
}

/// The probabilities of a row of logits.
fn softmax(row: &[f64]) -> Vec<f64> {
    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exponentials: Vec<f64> = row.iter().map(|z| (z - largest).exp()).collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.iter().map(|e| e / sum).collect()
}

/// The gradient by a row of logits, from the gradient `g` by their softmax `p`: `p (g − Σ p g)`.
fn softmax_gradient(row: &[f64], weights: &[f64]) -> Vec<f64> {
    let p = softmax(row);
    let mean: f64 = p.iter().zip(weights).map(|(p, g)| p * g).sum();
    p.iter().zip(weights).map(|(p, g)| p * (g - mean)).collect()
}

/// Numbers brought to mean 0 and variance 1, and `1 / σ`.
fn standardized(numbers: &[f64], epsilon: f64) -> (Vec<f64>, f64) {
    let n = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    let scale = 1.0 / (variance + epsilon).sqrt();
    (numbers.iter().map(|x| (x - mean) * scale).collect(), scale)
}

/// The gradient by `numbers` of `Σ g x̂`: `(g − mean g − x̂ mean(g x̂)) / σ`. Ioffe and Szegedy 2015, section 3.
fn standardized_backward(numbers: &[f64], weights: &[f64], epsilon: f64) -> Vec<f64> {
    let (standard, scale) = standardized(numbers, epsilon);
    let n = numbers.len() as f64;
    let mean = weights.iter().sum::<f64>() / n;
    let along = standard
        .iter()
        .zip(weights)
        .map(|(x, g)| x * g)
        .sum::<f64>()
        / n;
    standard
        .iter()
        .zip(weights)
        .map(|(x, g)| scale * (g - mean - x * along))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use emberlab_menu::Menu as _;

    #[test]
    fn every_activation_loss_and_normalization_has_a_closed_form() {
        for activation in Activation::examples() {
            let name = activation.name();
            assert!(
                of_activation(&activation).is_some(),
                "`{name}` needs a row in ACTIVATIONS"
            );
        }
        for loss in Loss::examples() {
            let name = loss.name();
            assert!(of_loss(&loss).is_some(), "`{name}` needs a row in LOSSES");
        }
        for normalization in Normalization::examples() {
            let name = normalization.name();
            assert!(
                normalization.is_none() || of_normalization(&normalization).is_some(),
                "`{name}` needs a row in NORMALIZATIONS"
            );
        }
    }

    #[test]
    fn erf_equals_pythons() {
        // python: math.erf(0.5), math.erf(-2), math.erf(3)
        for (x, expected) in [
            (0.5, 0.520_499_877_813_046_5),
            (-2.0, -0.995_322_265_018_952_7),
            (3.0, 0.999_977_909_503_001_4),
            (0.0, 0.0),
        ] {
            assert!((erf(x) - expected).abs() < 1e-15, "{x}: {}", erf(x));
        }
    }
}
