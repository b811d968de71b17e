//! Activation functions that equal PyTorch's in value and gradient, on every device and in f32 and f64.

mod passes;

use std::f64::consts::FRAC_1_SQRT_2;

use burn::tensor::activation::{log_sigmoid, relu, sigmoid, softmax};
use burn::tensor::{DType, Tensor};

use crate::ModelError;
use crate::choice::{Choice, Parameter, ParameterValue, wire_choice};

/// Klambauer et al. 2017, <https://arxiv.org/abs/1706.02515>, as in `torch.nn.SELU`.
const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;
const SELU_SCALE: f64 = 1.050_700_987_355_480_5;

/// 1 / √(2π), the normal density at zero.
const FRAC_1_SQRT_2PI: f64 = 0.398_942_280_401_432_7;

/// What the way back through an activation needs of the way forward.
#[derive(Debug, Clone)]
pub struct Kept<const D: usize>(Option<Tensor<D>>);

/// An activation function, applied to each number by itself ([`Softmax`](Self::Softmax): to each row).
///
/// Written as its name, `"gelu"`, or as a table, `{ name = "leaky_relu", alpha = 0.2 }`.
#[derive(Debug, Clone, PartialEq)]
pub enum Activation {
    /// `x`.
    Linear,
    /// `1 / (1 + exp(-x))`, in (0, 1).
    Sigmoid,
    /// `tanh(x)`, in (-1, 1).
    Tanh,
    /// `max(x, 0)`; gradient 0 at 0.
    Relu,
    /// `x` above zero, else `alpha x`; gradient `alpha` at 0.
    LeakyRelu {
        /// Slope at and below zero; 0.01 unless given.
        alpha: f64,
    },
    /// `x` above zero, else `alpha (exp(x) - 1)`; gradient `alpha` at 0.
    Elu {
        /// Minus the value far below zero; 1 unless given.
        alpha: f64,
    },
    /// `x sigmoid(x)`, PyTorch's SiLU.
    Swish,
    /// `x Φ(x)` with the exact normal distribution function, not the approximation by tanh.
    Gelu,
    /// ELU scaled so that activations keep mean 0 and variance 1 from layer to layer.
    Selu,
    /// `ln(1 + exp(x))`, without the jump of 2e-9 that PyTorch's threshold of 20 makes.
    Softplus,
    /// `x tanh(softplus(x))`.
    Mish,
    /// `exp(x) / sum(exp(x))` over the last dimension.
    Softmax,
}

impl Activation {
    /// All names, in the order in which messages list them.
    pub const NAMES: [&'static str; 12] = [
        "linear",
        "sigmoid",
        "tanh",
        "relu",
        "leaky_relu",
        "elu",
        "swish",
        "gelu",
        "selu",
        "softplus",
        "mish",
        "softmax",
    ];

    /// The name it is written by, such as `leaky_relu`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
            Self::Relu => "relu",
            Self::LeakyRelu { .. } => "leaky_relu",
            Self::Elu { .. } => "elu",
            Self::Swish => "swish",
            Self::Gelu => "gelu",
            Self::Selu => "selu",
            Self::Softplus => "softplus",
            Self::Mish => "mish",
            Self::Softmax => "softmax",
        }
    }

    /// Applies the function.
    ///
    /// # Shapes
    /// - `x` and the result: any, the same
    ///
    /// # Source
    /// Equals the functions of `torch.nn.functional` in value and in the gradient that autodiff derives.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        passes::forward(self, x).unwrap_or_else(|x| self.forward_by_operations(x))
    }

    fn forward_by_operations<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Linear => x,
            Self::Sigmoid => stable_sigmoid(x),
            Self::Tanh => x.tanh(),
            Self::Relu => relu(x),
            Self::LeakyRelu { alpha } => {
                // Burn's own has gradient 1 at zero.
                let below = x.clone().lower_equal_elem(0.0);
                let scaled = x.clone().mul_scalar(*alpha);
                x.mask_where(below, scaled)
            }
            Self::Elu { alpha } => elu(x, *alpha),
            Self::Swish => x.clone() * stable_sigmoid(x),
            Self::Gelu => {
                // Burn's own has the gradient of the approximation by tanh on some devices.
                let half = x.clone().mul_scalar(0.5);
                half.clone() + half * x.mul_scalar(FRAC_1_SQRT_2).erf()
            }
            Self::Selu => elu(x, SELU_ALPHA).mul_scalar(SELU_SCALE),
            // ln(1 + exp(x)) = -ln(sigmoid(-x)), which overflows nowhere.
            Self::Softplus => log_sigmoid(x.neg()).neg(),
            Self::Mish => x.clone() * tanh_of_softplus(x),
            Self::Softmax => softmax(x, D - 1),
        }
    }

    /// Applies the function, and keeps what [`backward`](Self::backward) needs.
    ///
    /// # Shapes
    /// - `x` and both results: any, the same
    pub fn forward_keeping<const D: usize>(&self, x: Tensor<D>) -> (Tensor<D>, Kept<D>) {
        match self {
            Self::Linear => (x, Kept(None)),
            _ if self.is_derivative_of_output() => {
                let y = self.forward(x);
                (y.clone(), Kept(Some(y)))
            }
            _ => (self.forward(x.clone()), Kept(Some(x))),
        }
    }

    /// Whether a larger input never gives a smaller output, so that maxima may be taken before.
    pub(crate) fn is_non_decreasing(&self) -> bool {
        match self {
            Self::Linear
            | Self::Sigmoid
            | Self::Tanh
            | Self::Relu
            | Self::Selu
            | Self::Softplus => true,
            Self::LeakyRelu { alpha } | Self::Elu { alpha } => *alpha >= 0.0,
            Self::Swish | Self::Gelu | Self::Mish | Self::Softmax => false,
        }
    }

    /// Whether the derivative is known from the output alone, which then need not share memory with the input.
    fn is_derivative_of_output(&self) -> bool {
        match self {
            Self::Sigmoid | Self::Tanh | Self::Relu | Self::Selu | Self::Softmax => true,
            Self::Elu { alpha } => *alpha == 1.0,
            _ => false,
        }
    }

    /// The loss's gradient by the inputs, without autodiff.
    ///
    /// # Shapes
    /// - `delta`: the loss's gradient by the outputs; like it the result
    ///
    /// # Source
    /// The derivatives written out; equal to what autodiff finds for [`forward`](Self::forward).
    pub fn backward<const D: usize>(&self, kept: Kept<D>, delta: Tensor<D>) -> Tensor<D> {
        let Kept(Some(kept)) = kept else {
            return delta;
        };
        passes::backward(self, delta, kept)
            .unwrap_or_else(|(delta, kept)| self.backward_by_operations(delta, kept))
    }

    fn backward_by_operations<const D: usize>(
        &self,
        delta: Tensor<D>,
        kept: Tensor<D>,
    ) -> Tensor<D> {
        match self {
            Self::Linear => delta,
            // Of the output y.
            Self::Sigmoid => {
                let opposite = kept.clone().neg().add_scalar(1.0);
                delta * (kept * opposite) // y (1 - y)
            }
            Self::Tanh => {
                let slope = (kept.clone() * kept).neg().add_scalar(1.0);
                delta * slope // 1 - y²
            }
            Self::Relu => {
                let below = kept.lower_equal_elem(0.0);
                delta.mask_fill(below, 0.0)
            }
            Self::Elu { alpha: 1.0 } => delta * kept.clamp_max(0.0).add_scalar(1.0),
            Self::Selu => {
                let above = kept.clone().greater_elem(0.0);
                let slope = kept.add_scalar(SELU_SCALE * SELU_ALPHA);
                delta * slope.mask_fill(above, SELU_SCALE)
            }
            Self::Softmax => {
                let mean = (delta.clone() * kept.clone()).sum_dim(D - 1);
                (delta - mean) * kept
            }
            // Of the input x.
            Self::LeakyRelu { alpha } => {
                // NaN has the slope below zero, as in PyTorch.
                let above = kept.greater_elem(0.0);
                let scaled = delta.clone().mul_scalar(*alpha);
                scaled.mask_where(above, delta)
            }
            Self::Elu { alpha } => {
                let above = kept.clone().greater_elem(0.0);
                let slope = kept.clamp_max(0.0).exp().mul_scalar(*alpha);
                delta * slope.mask_fill(above, 1.0)
            }
            Self::Swish => {
                let sigmoid = stable_sigmoid(kept.clone());
                let opposite = sigmoid.clone().neg().add_scalar(1.0);
                let slope = (kept * opposite).add_scalar(1.0) * sigmoid;
                delta * slope // σ (1 + x (1 - σ))
            }
            Self::Gelu => {
                let distribution = kept.clone().mul_scalar(FRAC_1_SQRT_2).erf();
                let distribution = distribution.add_scalar(1.0).mul_scalar(0.5);
                let density = (kept.clone() * kept.clone()).mul_scalar(-0.5).exp();
                let density = density.mul_scalar(FRAC_1_SQRT_2PI);
                delta * (distribution + kept * density) // Φ + x φ
            }
            Self::Softplus => delta * stable_sigmoid(kept),
            Self::Mish => {
                let tanh = tanh_of_softplus(kept.clone());
                let rest = (tanh.clone() * tanh.clone()).neg().add_scalar(1.0);
                let slope = tanh + kept.clone() * stable_sigmoid(kept) * rest;
                delta * slope // t + x σ (1 - t²), t = tanh(softplus(x))
            }
        }
    }

    /// Checks the parameters; `key` is where the activation stands in the model's table.
    pub(crate) fn validate(&self, key: &str) -> Result<(), ModelError> {
        match self {
            Self::LeakyRelu { alpha } | Self::Elu { alpha } if !alpha.is_finite() => Err(
                ModelError::value(format!("{key}.alpha"), alpha, "a finite number"),
            ),
            _ => Ok(()),
        }
    }
}

/// The logistic function at the tensor's own precision.
fn stable_sigmoid<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    match x.dtype() {
        // Some devices compute Burn's sigmoid in f32 whatever the tensor; its logarithm they do not.
        DType::F64 => log_sigmoid(x).exp(),
        _ => sigmoid(x),
    }
}

/// `((1 + eˣ)² − 1) / ((1 + eˣ)² + 1)`, which is 1 in floating point long before the bound.
fn tanh_of_softplus<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let exponential = x.clamp_max(40.0).exp();
    let excess = exponential.clone() * exponential.add_scalar(2.0);
    excess.clone() / excess.add_scalar(2.0)
}

/// Both branches at once, each constant where the other holds: exp never sees a positive number, so
/// neither values nor gradients overflow. `clamp_max` passes the gradient at 0, `relu` does not.
fn elu<const D: usize>(x: Tensor<D>, alpha: f64) -> Tensor<D> {
    let below = x.clone().clamp_max(0.0).exp().sub_scalar(1.0);
    let below = if alpha == 1.0 {
        below
    } else {
        below.mul_scalar(alpha)
    };
    relu(x) + below
}

impl Choice for Activation {
    const WHAT: &'static str = "an activation";

    fn choices() -> Vec<Self> {
        vec![
            Self::Linear,
            Self::Sigmoid,
            Self::Tanh,
            Self::Relu,
            Self::LeakyRelu { alpha: 0.01 },
            Self::Elu { alpha: 1.0 },
            Self::Swish,
            Self::Gelu,
            Self::Selu,
            Self::Softplus,
            Self::Mish,
            Self::Softmax,
        ]
    }

    fn name(&self) -> &'static str {
        self.name()
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let (help, alpha) = match self {
            Self::LeakyRelu { alpha } => ("Slope at and below zero.", alpha),
            Self::Elu { alpha } => ("Minus the value far below zero.", alpha),
            _ => return Vec::new(),
        };
        vec![Parameter {
            key: "alpha",
            help,
            value: ParameterValue::Number(alpha),
        }]
    }
}

wire_choice!(
    Activation,
    "An activation function: its name, or a table of its name and parameters."
);

#[cfg(test)]
impl Activation {
    /// Whether forward and backward pass of a tensor like this each run as a fused kernel.
    pub(crate) fn enters_fused_kernels(&self, x: &Tensor<2>) -> bool {
        passes::forward(self, x.clone()).is_ok()
            && passes::backward(self, x.clone(), x.clone()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use burn::tensor::{Device, TensorData};

    use super::*;

    /// Per activation and input: value, gradient. Made with PyTorch 2.15 in float64:
    ///
    /// ```python
    /// import json, torch, torch.nn.functional as F
    /// torch.set_default_dtype(torch.float64)
    /// functions = {"linear": lambda x: x * 1, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": F.relu,
    ///     "leaky_relu": F.leaky_relu, "elu": F.elu, "swish": F.silu, "gelu": F.gelu, "selu": F.selu,
    ///     "softplus": F.softplus, "mish": F.mish}
    /// table = {}
    /// for name, f in functions.items():
    ///     x = torch.tensor([-100, -10, -2, -1, -.5, 0, .5, 1, 2, 10, 100.], requires_grad=True)
    ///     y = f(x); y.sum().backward()
    ///     table[name] = list(zip(x.tolist(), y.tolist(), x.grad.tolist()))
    /// print(json.dumps(table))
    /// ```
    const TABLE: &str = include_str!("../tests-data/activations.json");

    fn value_and_gradient(
        activation: &Activation,
        inputs: &[f64],
        dtype: DType,
    ) -> (Vec<f64>, Vec<f64>) {
        let device = Device::flex().autodiff();
        let x = Tensor::<2>::from_data(
            TensorData::new(inputs.to_vec(), [1, inputs.len()]),
            (&device, dtype),
        )
        .require_grad();
        let y = activation.forward(x.clone());
        let gradients = y.clone().sum().backward();
        let gradient = x.grad(&gradients).expect("x is tracked");
        (numbers(y.into_data()), numbers(gradient.into_data()))
    }

    fn numbers(data: TensorData) -> Vec<f64> {
        data.iter::<f64>().collect()
    }

    #[test]
    fn values_and_gradients_equal_pytorch() {
        let table: BTreeMap<String, Vec<[f64; 3]>> =
            serde_json::from_str(TABLE).expect("the table parses");
        assert_eq!(table.len(), Activation::NAMES.len() - 1);
        for (dtype, tolerance) in [(DType::F64, 1e-9), (DType::F32, 1e-5)] {
            for activation in Activation::choices() {
                let Some(rows) = table.get(activation.name()) else {
                    assert_eq!(activation, Activation::Softmax);
                    continue;
                };
                let inputs: Vec<f64> = rows.iter().map(|row| row[0]).collect();
                let (values, gradients) = value_and_gradient(&activation, &inputs, dtype);
                for ((row, value), gradient) in rows.iter().zip(values).zip(gradients) {
                    for (got, expected) in [(value, row[1]), (gradient, row[2])] {
                        assert!(
                            (got - expected).abs() <= tolerance * expected.abs().max(1.0),
                            "{} at {} in {dtype:?}: {got}, expected {expected}",
                            activation.name(),
                            row[0]
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn sigmoid_keeps_its_tail_in_f64() {
        // python: 1 / (1 + math.exp(100))
        let (values, _) = value_and_gradient(&Activation::Sigmoid, &[-100.0, 100.0], DType::F64);
        assert!((values[0] / 3.720_075_976_020_835_6e-44 - 1.0).abs() < 1e-12);
        assert_eq!(values[1], 1.0);
    }

    #[test]
    fn parameters_scale_the_negative_side() {
        // python: torch.nn.functional.leaky_relu(-2, .2), elu(-2, 2.0), and their gradients at -2 and 0
        for (activation, value, gradient, at_zero) in [
            (Activation::LeakyRelu { alpha: 0.2 }, -0.4, 0.2, 0.2),
            (
                Activation::Elu { alpha: 2.0 },
                -1.729_329_433_526_774_6,
                0.270_670_566_473_225_4,
                2.0,
            ),
        ] {
            let (values, gradients) = value_and_gradient(&activation, &[-2.0, 0.0], DType::F64);
            assert!((values[0] - value).abs() < 1e-12);
            assert!((gradients[0] - gradient).abs() < 1e-12);
            assert!((gradients[1] - at_zero).abs() < 1e-12);
        }
    }

    #[test]
    fn softmax_and_its_jacobian_equal_pytorch() {
        // python: p = torch.softmax(torch.tensor([1., 2, 3]), 0); torch.diag(p) - torch.outer(p, p)
        let expected = [
            0.090_030_573_170_380_45,
            0.244_728_471_054_797_6,
            0.665_240_955_774_821_8,
        ];
        let device = Device::flex().autodiff();
        for (dtype, tolerance) in [(DType::F64, 1e-9), (DType::F32, 1e-5)] {
            for i in 0..3 {
                let x = Tensor::<2>::from_data([[1.0, 2.0, 3.0]], (&device, dtype)).require_grad();
                let y = Activation::Softmax.forward(x.clone());
                let gradients = y.clone().slice([0..1, i..i + 1]).sum().backward();
                let gradient = numbers(x.grad(&gradients).expect("x is tracked").into_data());
                for (j, value) in numbers(y.into_data()).into_iter().enumerate() {
                    assert!((value - expected[j]).abs() < tolerance);
                    let kronecker = if i == j { 1.0 } else { 0.0 };
                    let jacobian = expected[i] * (kronecker - expected[j]);
                    assert!((gradient[j] - jacobian).abs() < tolerance);
                }
            }
        }
    }

    #[test]
    fn softmax_of_huge_numbers_is_finite() {
        let x = Tensor::<2>::from_data([[1e4_f32, 0.0, -1e4]], &Device::flex());
        assert_eq!(
            numbers(Activation::Softmax.forward(x).into_data()),
            [1.0, 0.0, 0.0]
        );
    }

    #[test]
    fn names_follow_the_choices() {
        let names: Vec<_> = Activation::choices().iter().map(Activation::name).collect();
        assert_eq!(names, Activation::NAMES);
    }

    #[test]
    fn an_infinite_slope_is_refused() {
        let activation = Activation::LeakyRelu {
            alpha: f64::INFINITY,
        };
        assert_eq!(
            activation.validate("activation"),
            Err(ModelError::value(
                "activation.alpha",
                "inf",
                "a finite number"
            ))
        );
    }
}
