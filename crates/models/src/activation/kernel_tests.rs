//! The host kernels of activations against PyTorch: f32 on flex without autodiff.

use std::collections::BTreeSet;

use burn::tensor::Tensor;
use emberlab_menu::Menu as _;

use super::Activation;
use crate::reference::{ActivationRow, Number, is_near, matrix, run, table, tensor};

/// Compares values and gradients where `is_tested(input, delta)`.
fn assert_activations(is_tested: impl Fn(f64, f64) -> bool) {
    for ActivationRow {
        activation,
        is_fused,
        case,
    } in table().activations
    {
        let what = format!("{activation:?}");
        let shape = matrix(&case.shape);
        let [x, delta] = [&case.inputs, &case.delta].map(|numbers| tensor(numbers, shape));
        let outputs = run(&what, is_fused, || activation.forward(x.clone()));
        let (same, saved) = run(&what, is_fused, || activation.forward_saving(x.clone()));
        assert_eq!(bits(&outputs), bits(&same), "{what}");
        let gradient = run(&what, is_fused, || activation.backward(saved, delta));
        for (part, found, expected) in [
            ("value", outputs, &case.outputs),
            ("gradient", gradient, &case.gradient),
        ] {
            let found: Vec<f64> = found.into_data().iter::<f64>().collect();
            assert_eq!(found.len(), expected.len(), "{what}");
            let mut num_tested = 0;
            for (i, found) in found.into_iter().enumerate() {
                let (x, delta) = (case.inputs[i].value(), case.delta[i].value());
                if !is_tested(x, delta) {
                    continue;
                }
                num_tested += 1;
                let expected = expected[i].value();
                let is_equal = is_near(found, expected, 1e-6 * expected.abs().max(1.0));
                // At NaN the gradient of ELU and SELU is NaN; PyTorch's is the slope above zero.
                let is_nan_of_nan = x.is_nan() && found.is_nan();
                assert!(
                    is_equal || is_nan_of_nan,
                    "{part} of {what} at {x}, delta {delta}: {found}, expected {expected}"
                );
            }
            assert!(num_tested > 2, "{what}");
        }
    }
}

fn bits(x: &Tensor<2>) -> Vec<u32> {
    let numbers = x.to_data().try_into_vec::<f32>().expect("f32");
    numbers.into_iter().map(f32::to_bits).collect()
}

#[test]
fn every_activation_has_a_reference_row_for_its_defaults() {
    let rows = table().activations;
    for activation in Activation::examples() {
        let has_row = rows.iter().any(|row| row.activation == activation);
        assert!(has_row, "no row in tests-data/kernels.json: {activation:?}");
    }
    let names: BTreeSet<_> = rows.iter().map(|row| row.activation.name()).collect();
    assert_eq!(names.len(), Activation::NAMES.len());
}

#[test]
fn fused_activations_equal_pytorch_near_zero_and_at_ordinary_inputs() {
    assert_activations(|x, delta| x.abs() < 25.0 && !delta.is_nan());
}

#[test]
fn fused_activations_equal_pytorch_at_large_inputs() {
    assert_activations(|x, _| x.abs() >= 25.0 && x.is_finite());
}

#[test]
fn fused_activations_pass_nan_and_infinity_on_as_pytorch_does() {
    assert_activations(|x, delta| !x.is_finite() || delta.is_nan());
}

#[test]
fn fused_activations_of_one_number_or_none_keep_the_shape() {
    for activation in Activation::examples() {
        for shape in [[1, 1], [0, 3]] {
            let x = tensor(&vec![Number::Finite(0.5); shape[0]], shape);
            let (y, saved) = activation.forward_saving(x.clone());
            assert_eq!(y.dims(), shape, "{activation:?}");
            assert_eq!(
                activation.backward(saved, x).dims(),
                shape,
                "{activation:?}"
            );
        }
    }
}
