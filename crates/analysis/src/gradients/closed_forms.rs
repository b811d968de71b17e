//! Derivatives written out, as a textbook has them.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use emberlab_models::Activation;

/// The derivative of an activation that takes numbers one by one; none for softmax.
pub(crate) fn slope(activation: &Activation, x: f64) -> Option<f64> {
    let sigmoid = 1.0 / (1.0 + (-x).exp());
    let elu = |alpha: f64| if x > 0.0 { 1.0 } else { alpha * x.exp() };
    Some(match activation {
        Activation::Linear(_) => 1.0,
        Activation::Sigmoid(_) => sigmoid * (1.0 - sigmoid),
        Activation::Tanh(_) => 1.0 - x.tanh().powi(2),
        Activation::Relu(_) => f64::from(u8::from(x > 0.0)),
        Activation::LeakyRelu(leaky_relu) => {
            if x > 0.0 {
                1.0
            } else {
                leaky_relu.alpha
            }
        }
        Activation::Elu(function) => elu(function.alpha),
        // σ + x σ (1 − σ)
        Activation::Swish(_) => sigmoid * (1.0 + x * (1.0 - sigmoid)),
        // Φ(x) + x φ(x)
        Activation::Gelu(_) => {
            0.5 * (1.0 + erf(x * FRAC_1_SQRT_2)) + x * (-x * x / 2.0).exp() / (2.0 * PI).sqrt()
        }
        Activation::Selu(_) => 1.050_700_987_355_480_5 * elu(1.673_263_242_354_377_2),
        Activation::Softplus(_) => sigmoid,
        Activation::Mish(_) => {
            let tanh = x.exp().ln_1p().tanh();
            tanh + x * (1.0 - tanh * tanh) * sigmoid
        }
        Activation::Softmax(_) => return None,
    })
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
pub(crate) fn softmax(row: &[f64]) -> Vec<f64> {
    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exponentials: Vec<f64> = row.iter().map(|z| (z - largest).exp()).collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.iter().map(|e| e / sum).collect()
}

/// `Jᵀ g` of a row's softmax: `p (g − Σ p g)`.
pub(crate) fn softmax_backward(row: &[f64], weights: &[f64]) -> Vec<f64> {
    let p = softmax(row);
    let mean: f64 = p.iter().zip(weights).map(|(p, g)| p * g).sum();
    p.iter().zip(weights).map(|(p, g)| p * (g - mean)).collect()
}

/// Numbers brought to mean 0 and variance 1, and `1 / σ`.
pub(crate) fn standardized(numbers: &[f64], epsilon: f64) -> (Vec<f64>, f64) {
    let n = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    let scale = 1.0 / (variance + epsilon).sqrt();
    (numbers.iter().map(|x| (x - mean) * scale).collect(), scale)
}

/// The gradient by `numbers` of `Σ g x̂`: `(g − mean g − x̂ mean(g x̂)) / σ`. Ioffe and Szegedy 2015, section 3.
pub(crate) fn standardized_backward(numbers: &[f64], weights: &[f64], epsilon: f64) -> Vec<f64> {
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
