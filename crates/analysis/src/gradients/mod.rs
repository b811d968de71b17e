//! Gradients checked three ways: autodiff, central differences, and the closed form where there is one.

mod central_differences;
mod closed_forms;
mod functions;
mod network;

pub use central_differences::STEP;
pub use functions::functions;
pub use network::{ParameterCheck, check_network};

use burn::tensor::{DType, Device, Tensor, TensorData};
use emberlab_training::{TrainingError, host};
use serde::Serialize;

use central_differences::{Difference, central};

/// Largest relative error that passes where autodiff computes in float64.
pub const TOLERANCE_F64: f64 = 1e-5;
/// The same where it computes in float32. Differences are in float64 nevertheless.
pub const TOLERANCE_F32: f64 = 1e-3;

/// The device and precision of autodiff, and the device of the central differences.
#[derive(Debug, Clone)]
pub struct Arithmetic {
    /// The device that is checked.
    pub device: Device,
    /// Its floats.
    pub dtype: DType,
    /// A device with 64-bit floats, for the differences.
    pub reference: Device,
}

/// A function of tensors whose gradient can be checked.
pub struct TensorFunction {
    /// Its kind and name, such as `activation gelu`.
    pub name: String,
    /// The name, shape and numbers of every input.
    pub inputs: Vec<(String, Vec<usize>, Vec<f64>)>,
    /// The scalar function; the inputs are flattened and in their order.
    pub function: Function,
    /// Its gradient by every input, written out.
    pub closed_form: Option<ClosedForm>,
}

/// A scalar function of flat tensors.
pub type Function = Box<dyn Fn(&[Tensor<1>]) -> Tensor<1>>;

/// The gradient by every input at given inputs.
pub type ClosedForm = Box<dyn Fn(&[Vec<f64>]) -> Vec<Vec<f64>>>;

/// The distance of one gradient from another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Deviation {
    /// Largest absolute difference.
    pub absolute: f64,
    /// Largest relative difference: over the larger of both numbers, or a thousandth of the largest of the
    /// whole gradient if that is more.
    pub relative: f64,
    /// The place of the largest relative difference, such as `input[3]`.
    pub worst: String,
}

/// The result of checking one function.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// The name of the function.
    pub name: String,
    /// Derivatives that were compared.
    pub num_values: usize,
    /// Derivatives that were skipped because the function has a kink there.
    pub num_kinks: usize,
    /// Autodiff against central differences.
    pub numeric: Deviation,
    /// Autodiff against the closed form, at kinks too.
    pub closed_form: Option<Deviation>,
}

impl Check {
    /// Whether all errors are within `tolerance`; NaN never is.
    pub fn passes(&self, tolerance: f64) -> bool {
        let closed = self
            .closed_form
            .as_ref()
            .map_or(0.0, |deviation| deviation.relative);
        self.numeric.relative <= tolerance && closed <= tolerance
    }
}

/// Checks one function.
///
/// # Errors
/// [`TrainingError::Read`] if a device fails.
pub fn check(function: &TensorFunction, arithmetic: &Arithmetic) -> Result<Check, TrainingError> {
    let automatic = automatic(function, arithmetic)?;
    let mut numbers: Vec<Vec<f64>> = function.inputs.iter().map(|(_, _, n)| n.clone()).collect();
    let mut pairs = Vec::new();
    let mut num_kinks = 0;
    for input in 0..numbers.len() {
        for i in 0..numbers[input].len() {
            let here = numbers[input][i];
            let difference = central(here, |x| {
                numbers[input][i] = x;
                let value = value(function, &numbers, &arithmetic.reference);
                numbers[input][i] = here;
                value
            })?;
            let at = || format!("{}[{i}]", function.inputs[input].0);
            match difference {
                Difference::Kink => num_kinks += 1,
                Difference::Smooth(slope) => pairs.push((at(), automatic[input][i], slope)),
            }
        }
    }
    let closed_form = function.closed_form.as_ref().map(|closed_form| {
        let expected = closed_form(&numbers);
        let pairs = expected.iter().enumerate().flat_map(|(input, slopes)| {
            let automatic = &automatic[input];
            slopes.iter().enumerate().map(move |(i, slope)| {
                (
                    format!("{}[{i}]", function.inputs[input].0),
                    automatic[i],
                    *slope,
                )
            })
        });
        let pairs: Vec<_> = pairs.collect();
        deviation(&pairs, largest(&pairs))
    });
    Ok(Check {
        name: function.name.clone(),
        num_values: pairs.len(),
        num_kinks,
        numeric: deviation(&pairs, largest(&pairs)),
        closed_form,
    })
}

/// The function's value in float64.
fn value(
    function: &TensorFunction,
    numbers: &[Vec<f64>],
    device: &Device,
) -> Result<f64, TrainingError> {
    let inputs: Vec<Tensor<1>> = numbers
        .iter()
        .map(|numbers| {
            let data = TensorData::new(numbers.clone(), [numbers.len()]);
            Tensor::from_data(data, (device, DType::F64))
        })
        .collect();
    Ok(host((function.function)(&inputs))?[0])
}

/// The gradients by autodiff, zero for inputs that the function does not depend on.
fn automatic(
    function: &TensorFunction,
    arithmetic: &Arithmetic,
) -> Result<Vec<Vec<f64>>, TrainingError> {
    let device = arithmetic.device.clone().autodiff();
    let inputs: Vec<Tensor<1>> = function
        .inputs
        .iter()
        .map(|(_, _, numbers)| {
            let data = TensorData::new(numbers.clone(), [numbers.len()]);
            Tensor::from_data(data, (&device, arithmetic.dtype)).require_grad()
        })
        .collect();
    let gradients = (function.function)(&inputs).backward();
    inputs
        .iter()
        .map(|input| match input.grad(&gradients) {
            Some(gradient) => host(gradient),
            None => Ok(vec![0.0; input.dims()[0]]),
        })
        .collect()
}

/// The largest size of the expected numbers of `(where, found, expected)`.
fn largest<'a>(pairs: impl IntoIterator<Item = &'a (String, f64, f64)>) -> f64 {
    let sizes = pairs.into_iter().map(|(_, _, expected)| expected.abs());
    sizes.fold(0.0, f64::max)
}

/// Compares `(where, found, expected)`; `largest` is the largest size of the whole gradient.
fn deviation(pairs: &[(String, f64, f64)], largest: f64) -> Deviation {
    let mut all = Deviation {
        absolute: 0.0,
        relative: 0.0,
        worst: String::new(),
    };
    for (place, found, expected) in pairs {
        let absolute = (found - expected).abs();
        let scale = found
            .abs()
            .max(expected.abs())
            .max(1e-3 * largest)
            .max(1e-6);
        let relative = absolute / scale;
        if relative.is_nan() {
            return Deviation {
                absolute: f64::NAN,
                relative: f64::NAN,
                worst: place.clone(),
            };
        }
        all.absolute = all.absolute.max(absolute);
        if relative >= all.relative {
            all.relative = relative;
            all.worst = place.clone();
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use emberlab_training::device;

    fn arithmetic(name: &str, dtype: DType) -> Arithmetic {
        let device = device::open(name).expect("a CPU device");
        let reference = device::host();
        Arithmetic {
            device,
            dtype,
            reference,
        }
    }

    #[test]
    fn every_function_and_layer_of_the_lab_has_the_gradient_it_should() {
        for (dtype, tolerance) in [(DType::F64, TOLERANCE_F64), (DType::F32, TOLERANCE_F32)] {
            for function in functions() {
                let found = check(&function, &arithmetic("flex", dtype)).expect("a check");
                assert!(found.passes(tolerance), "{dtype:?}: {found:#?}");
                assert!(found.num_values > 0, "{}: nothing was compared", found.name);
            }
        }
    }

    /// These are the functions whose derivatives courses derive by hand.
    #[test]
    fn the_functions_that_courses_derive_have_closed_forms() {
        let found: Vec<String> = functions()
            .iter()
            .filter(|s| s.closed_form.is_some())
            .map(|s| s.name.clone())
            .collect();
        for name in [
            "activation sigmoid",
            "activation relu",
            "loss bce",
            "layer dense",
            "loss cross_entropy",
            "loss hinge",
            "loss focal",
            "loss soft_hamming",
            "normalisation batch",
        ] {
            assert!(
                found.iter().any(|found| found == name),
                "{name} of {found:?}"
            );
        }
    }

    #[test]
    fn a_wrong_gradient_is_caught_and_named() {
        // The derivative of x · x without the one factor is x, half of what it should be.
        let wrong = TensorFunction {
            name: "square".to_string(),
            inputs: vec![("x".to_string(), vec![3], vec![1.0, -2.0, 3.0])],
            function: Box::new(|x| (x[0].clone() * x[0].clone().detach()).sum()),
            closed_form: Some(Box::new(|x| vec![x[0].iter().map(|x| 2.0 * x).collect()])),
        };
        let found = check(&wrong, &arithmetic("flex", DType::F64)).expect("a check");
        assert!(!found.passes(TOLERANCE_F64), "{found:?}");
        assert!((found.numeric.absolute - 3.0).abs() < 1e-6);
        assert!((found.numeric.relative - 0.5).abs() < 1e-6);
        assert!(found.numeric.worst.starts_with("x["));
        assert!(
            found
                .closed_form
                .is_some_and(|closed| (closed.relative - 0.5).abs() < 1e-12)
        );
    }

    #[test]
    fn kinks_are_left_out_and_counted_and_nothing_else_is() {
        let of = |name: &str| {
            let function = functions()
                .into_iter()
                .find(|s| s.name == name)
                .expect("a function");
            check(&function, &arithmetic("flex", DType::F64)).expect("a check")
        };
        // The inputs of activations hold zero once; elu is smooth there, relu and leaky_relu are not.
        assert_eq!(of("activation relu").num_kinks, 1);
        assert_eq!(of("activation leaky_relu").num_kinks, 1);
        for smooth in [
            "elu", "gelu", "tanh", "softplus", "mish", "swish", "sigmoid",
        ] {
            assert_eq!(of(&format!("activation {smooth}")).num_kinks, 0, "{smooth}");
        }
        assert_eq!(
            of("activation selu").num_kinks,
            1,
            "its slope jumps from 1.76 to 1.05"
        );
    }

    #[test]
    fn nan_never_passes() {
        let nan = TensorFunction {
            name: "nan".to_string(),
            inputs: vec![("x".to_string(), vec![1], vec![-1.0])],
            function: Box::new(|x| x[0].clone().sqrt().sum()),
            closed_form: None,
        };
        let found = check(&nan, &arithmetic("flex", DType::F64)).expect("a check");
        assert!(!found.passes(TOLERANCE_F64), "{found:?}");
    }
}
