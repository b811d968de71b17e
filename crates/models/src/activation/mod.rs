//! Activation functions that equal PyTorch's in value and gradient, on every device and in f32 and f64.
//!
//! Each function has a file of its own with everything that makes it: formula, derivative, host kernels, and the
//! properties that other code asks for. To add a function, write its file and add its row to the table below. Tests
//! then ask for PyTorch's numbers in `tests-data/kernels.json`, which `tests-data/kernels.py` makes, and for its
//! derivative in the closed forms of `emberlab-analysis`.

mod elu;
mod gelu;
#[cfg(test)]
mod kernel_tests;
mod leaky_relu;
mod linear;
mod mish;
mod relu;
mod selu;
mod sigmoid;
mod softmax;
mod softplus;
mod swish;
mod tanh;

use burn::tensor::Tensor;
use emberlab_fused as fused;
use emberlab_kernels as kernels;
use emberlab_menu::{Problem, menu};

pub use elu::Elu;
pub use gelu::Gelu;
pub use leaky_relu::LeakyRelu;
pub use linear::Linear;
pub use mish::Mish;
pub use relu::Relu;
pub use selu::Selu;
pub use sigmoid::Sigmoid;
pub use softmax::Softmax;
pub use softplus::Softplus;
pub use swish::Swish;
pub use tanh::Tanh;

menu! {
    /// An activation function: its name, or a table of its name and parameters.
    pub enum Activation("an activation"), written as a name or a table, dispatched by with_activation!($) {
        "linear" => Linear(Linear),
        "sigmoid" => Sigmoid(Sigmoid),
        "tanh" => Tanh(Tanh),
        "relu" => Relu(Relu),
        "leaky_relu" => LeakyRelu(LeakyRelu),
        "elu" => Elu(Elu),
        "swish" => Swish(Swish),
        "gelu" => Gelu(Gelu),
        "selu" => Selu(Selu),
        "softplus" => Softplus(Softplus),
        "mish" => Mish(Mish),
        "softmax" => Softmax(Softmax),
    }
}

/// Everything that makes an activation function. The defaults hold for most functions, and a test compares every
/// property with the function's values.
trait ActivationFunction {
    /// Checks the parameters. `key` is the activation's key in the model's table.
    fn validate(&self, _key: &str) -> Result<(), Problem> {
        Ok(())
    }

    /// The inputs or outputs, whichever [`backward`](Self::backward) takes beside `delta`.
    fn saves(&self) -> Saves {
        Saves::Input
    }

    /// See [`Activation::is_elementwise`].
    fn is_elementwise(&self) -> bool {
        true
    }

    /// Whether a larger input never gives a smaller output. A max-pool may then come before the function, which is
    /// faster.
    fn is_non_decreasing(&self) -> bool {
        false
    }

    /// See [`Activation::can_die`].
    fn can_die(&self) -> bool {
        false
    }

    /// See [`Activation::relative_slope`].
    fn relative_slope(&self, _: f64) -> Option<f64> {
        None
    }

    /// The function, with its host kernel if it has one.
    ///
    /// # Shapes
    /// - `x` and the result: any, the same
    fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D>;

    /// `delta` times the derivative, with its host kernel if it has one.
    ///
    /// # Shapes
    /// - `delta`: the loss's gradient by the outputs
    /// - `saved`: inputs or outputs, as [`saves`](Self::saves) says
    /// - result: the loss's gradient by the inputs
    fn backward<const D: usize>(&self, delta: Tensor<D>, saved: Tensor<D>) -> Tensor<D>;

    /// See [`Activation::fused`].
    fn fused(&self) -> Option<fused::Activation> {
        None
    }
}

/// The tensors of the forward pass that the backward pass needs.
enum Saves {
    /// Nothing: the function is the identity.
    Nothing,
    /// The inputs.
    Input,
    /// The outputs; the inputs can then be freed.
    Output,
}

/// What the backward pass of an activation needs.
#[derive(Debug, Clone)]
pub struct SavedActivations<const D: usize>(Saved<D>);

#[derive(Debug, Clone)]
enum Saved<const D: usize> {
    Nothing,
    /// The inputs or outputs, as [`ActivationFunction::saves`] says.
    Activations(Tensor<D>),
    /// The derivatives, which a GPU computes with the outputs.
    Slopes(Tensor<D>),
}

impl Activation {
    /// Applies the function.
    ///
    /// # Shapes
    /// - `x` and the result: any, the same
    ///
    /// # Source
    /// Equals the functions of `torch.nn.functional` in value, and in the gradient that autodiff derives.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let x = match self.fused() {
            Some(function) if !self.is_identity() => match kernels::activation(x, function) {
                Ok(y) => return y,
                Err(x) => x,
            },
            _ => x,
        };
        with_activation!(self, function => function.forward(x))
    }

    /// Applies the function, and saves what [`backward`](Self::backward) needs.
    ///
    /// # Shapes
    /// - `x` and both results: any, the same
    pub fn forward_saving<const D: usize>(&self, x: Tensor<D>) -> (Tensor<D>, SavedActivations<D>) {
        let x = match self.fused() {
            Some(function) if !self.is_identity() => {
                match kernels::activation_with_slopes(x, function) {
                    Ok((y, slopes)) => return (y, SavedActivations(Saved::Slopes(slopes))),
                    Err(x) => x,
                }
            }
            _ => x,
        };
        let (y, saved) = match with_activation!(self, function => function.saves()) {
            Saves::Nothing => (self.forward(x), Saved::Nothing),
            Saves::Input => (self.forward(x.clone()), Saved::Activations(x)),
            Saves::Output => {
                let y = self.forward(x);
                (y.clone(), Saved::Activations(y))
            }
        };
        (y, SavedActivations(saved))
    }

    /// The loss's gradient by the inputs, without autodiff.
    ///
    /// # Shapes
    /// - `delta`: the loss's gradient by the outputs; the result is alike
    ///
    /// # Source
    /// The derivatives written out; equal to what autodiff finds for [`forward`](Self::forward).
    pub fn backward<const D: usize>(
        &self,
        saved: SavedActivations<D>,
        delta: Tensor<D>,
    ) -> Tensor<D> {
        match saved.0 {
            Saved::Nothing => delta,
            Saved::Activations(saved) => {
                with_activation!(self, function => function.backward(delta, saved))
            }
            Saved::Slopes(slopes) => delta * slopes,
        }
    }

    /// Whether each output depends on one input alone. Softmax works on rows instead.
    pub fn is_elementwise(&self) -> bool {
        with_activation!(self, function => function.is_elementwise())
    }

    /// Whether the function returns its input.
    pub fn is_identity(&self) -> bool {
        match with_activation!(self, function => function.saves()) {
            Saves::Nothing => true,
            Saves::Input | Saves::Output => false,
        }
    }

    /// Whether a larger input never gives a smaller output. A max-pool may then come before the function.
    pub(crate) fn is_non_decreasing(&self) -> bool {
        with_activation!(self, function => function.is_non_decreasing())
    }

    /// Whether a unit can die: output exactly zero, with gradient zero, for every sample.
    pub fn can_die(&self) -> bool {
        with_activation!(self, function => function.can_die())
    }

    /// The slope where the function has value `y`, as a share of its largest slope.
    ///
    /// `None` unless the function saturates on both sides.
    pub fn relative_slope(&self, y: f64) -> Option<f64> {
        with_activation!(self, function => function.relative_slope(y))
    }

    /// The function in the plan of a training by fused kernels; none if they cannot compute it.
    pub fn fused(&self) -> Option<fused::Activation> {
        with_activation!(self, function => function.fused())
    }

    /// Checks the parameters. `key` is the activation's key in the model's table.
    pub(crate) fn validate(&self, key: &str) -> Result<(), Problem> {
        with_activation!(self, function => function.validate(key))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device, TensorData};
    use emberlab_menu::Menu as _;

    use super::*;
    use crate::reference::{ActivationRow, is_near, matrix, table, tensor_on};

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
        let device = Device::flex().autodiff();
        for ActivationRow {
            activation, case, ..
        } in table().activations
        {
            // Above 20 PyTorch's softplus is the identity, which is wrong by up to exp(-20) = 2e-9.
            for (dtype, tolerance) in [(DType::F64, 2e-9), (DType::F32, 1e-5)] {
                let options = (&device, dtype);
                let shape = matrix(&case.shape);
                let x = tensor_on(&case.inputs, shape, options).require_grad();
                let y = activation.forward(x.clone());
                let delta = tensor_on(&case.delta, shape, options);
                let gradients = (y.clone() * delta).sum().backward();
                let gradient = x.grad(&gradients).expect("x is tracked");
                let found = [numbers(y.into_data()), numbers(gradient.into_data())];
                for (found, expected) in found.iter().zip([&case.outputs, &case.gradient]) {
                    for (i, expected) in expected.iter().enumerate() {
                        let (x, expected) = (case.inputs[i].value(), expected.value());
                        // `kernel_tests` compare larger inputs.
                        if x.is_nan() || x.abs() > 100.0 || !expected.is_finite() {
                            continue;
                        }
                        assert!(
                            is_near(found[i], expected, tolerance * expected.abs().max(1.0)),
                            "{activation:?} at {x} in {dtype:?}: {}, expected {expected}",
                            found[i]
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn sigmoid_keeps_its_tail_in_f64() {
        // python: 1 / (1 + math.exp(100))
        let (values, _) = value_and_gradient(&Sigmoid {}.into(), &[-100.0, 100.0], DType::F64);
        assert!((values[0] / 3.720_075_976_020_835_6e-44 - 1.0).abs() < 1e-12);
        assert_eq!(values[1], 1.0);
    }

    #[test]
    fn parameters_scale_the_negative_side() {
        // python: torch.nn.functional.leaky_relu(-2, .2), elu(-2, 2.0), and their gradients at -2 and 0
        for (activation, value, gradient, at_zero) in [
            (Activation::from(LeakyRelu { alpha: 0.2 }), -0.4, 0.2, 0.2),
            (
                Elu { alpha: 2.0 }.into(),
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
                let y = Activation::from(Softmax {}).forward(x.clone());
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
            numbers(Activation::from(Softmax {}).forward(x).into_data()),
            [1.0, 0.0, 0.0]
        );
    }

    #[test]
    fn the_activations_that_save_nothing_are_the_identity() {
        let device = Device::flex();
        for activation in Activation::examples() {
            let x = Tensor::<2>::from_data([[-3.0, -0.5, 0.0, 0.5, 3.0]], &device);
            let y = activation.forward(x.clone());
            let is_same = numbers(x.into_data()) == numbers(y.into_data());
            assert_eq!(activation.is_identity(), is_same, "{activation:?}");
        }
    }

    #[test]
    fn the_properties_are_those_of_the_values() {
        let inputs: Vec<f64> = (-400..=400).map(|i| f64::from(i) / 40.0).collect();
        for activation in Activation::examples() {
            if !activation.is_elementwise() {
                continue;
            }
            let (values, slopes) = value_and_gradient(&activation, &inputs, DType::F64);
            let rises = values.windows(2).all(|pair| pair[0] <= pair[1]);
            assert_eq!(activation.is_non_decreasing(), rises, "{activation:?}");
            let is_dead = values[0] == 0.0 && slopes[0] == 0.0;
            assert_eq!(activation.can_die(), is_dead, "{activation:?}");
            let largest = slopes.iter().copied().fold(0.0, f64::max);
            for (value, slope) in values.iter().zip(&slopes) {
                if let Some(relative) = activation.relative_slope(*value) {
                    assert!(
                        (relative - slope / largest).abs() < 1e-9,
                        "{activation:?} at {value}"
                    );
                }
            }
            let saturates = slopes[0] < 1e-3 && slopes[800] < 1e-3;
            let has_slope = activation.relative_slope(0.5).is_some();
            assert_eq!(has_slope, saturates, "{activation:?}");
        }
    }

    #[test]
    fn an_infinite_slope_is_refused() {
        let alpha = f64::INFINITY;
        for activation in [Activation::from(LeakyRelu { alpha }), Elu { alpha }.into()] {
            assert_eq!(
                activation.validate("activation"),
                Err(Problem::new("activation.alpha", "inf", "a finite number"))
            );
        }
    }
}
