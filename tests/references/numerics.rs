//! Sigmoids and losses of very large numbers are finite and right on every device.

use burn::tensor::{DType, Device, Tensor, TensorData};
use emberlab_models::Activation;
use emberlab_models::activation::Sigmoid;
use emberlab_training::loss::{Bce, BceWithLogits, CrossEntropy};
use emberlab_training::{LossConfig, device};

/// Every device of this build and machine, with the number types that it has.
fn devices() -> Vec<(String, Device, DType)> {
    let mut found = Vec::new();
    for name in crate::lab::devices() {
        let opened = device::open(&name).unwrap().autodiff();
        if device::supports_f64(&name) {
            found.push((name.clone(), opened.clone(), DType::F64));
        }
        found.push((name, opened, DType::F32));
    }
    assert!(found.len() >= 3, "flex, ndarray or wgpu: {found:?}");
    found
}

fn row(values: &[f64], device: &Device, dtype: DType) -> Tensor<2> {
    let data = TensorData::new(values.to_vec(), [1, values.len()]);
    Tensor::from_data(data, (device, dtype))
}

/// The value of a function of a row, and its gradient.
fn value_and_gradient(
    inputs: &[f64],
    (device, dtype): (&Device, DType),
    function: impl Fn(Tensor<2>) -> Tensor<2>,
) -> (Vec<f64>, Vec<f64>) {
    let x = row(inputs, device, dtype).require_grad();
    let y = function(x.clone());
    let gradients = y.clone().sum().backward();
    let host = |tensor: Tensor<2>| tensor.into_data().iter::<f64>().collect();
    (host(y), host(x.grad(&gradients).unwrap()))
}

/// Equal to seven digits, as float32 has them; `NaN` is equal to nothing.
fn assert_close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (a, b) in found.iter().zip(expected) {
        let is_close = (a - b).abs() <= 1e-7 * b.abs().max(1.0);
        assert!(is_close, "{what}: {found:?}, expected {expected:?}");
    }
}

// σ(−100) = exp(−100) / (1 + exp(−100)) = 3.7e-44, and the slope of σ at ±100 is as small.
#[test]
fn the_sigmoid_of_plus_and_minus_one_hundred_is_finite_and_right_on_every_device() {
    for (name, device, dtype) in devices() {
        let sigmoid = |x| Activation::from(Sigmoid {}).forward(x);
        let (value, slope) = value_and_gradient(&[-100.0, 100.0], (&device, dtype), sigmoid);
        assert_close(&value, &[0.0, 1.0], &format!("{name} {dtype:?}"));
        assert_close(&slope, &[0.0, 0.0], &format!("slope, {name} {dtype:?}"));
        assert!(value[0] >= 0.0 && value[1] <= 1.0, "{name}: {value:?}");
    }
}

// Perfect predictions cost nothing. Perfectly wrong ones cost −ln 0, bounded at 100 as in `torch.nn.BCELoss`; with
// logits, ln(1 + exp(100)) = 100 and ln(exp(100) + exp(−100)) + 100 = 200.
#[test]
fn perfect_and_perfectly_wrong_predictions_cost_what_they_should_on_every_device() {
    let [bce, with_logits, cross_entropy] = [
        LossConfig::sum(Bce {}),
        LossConfig::sum(BceWithLogits::default()),
        LossConfig::sum(CrossEntropy::default()),
    ];
    // Loss, outputs, targets, cost, gradient where it is a number that the formula gives.
    type Case<'a> = (&'a LossConfig, [f64; 2], [f64; 2], f64, Option<[f64; 2]>);
    let cases: [Case; 6] = [
        (&bce, [1.0, 0.0], [1.0, 0.0], 0.0, None),
        (&bce, [0.0, 1.0], [1.0, 0.0], 200.0, None),
        (
            &with_logits,
            [100.0, -100.0],
            [1.0, 0.0],
            0.0,
            Some([0.0, 0.0]),
        ),
        (
            &with_logits,
            [-100.0, 100.0],
            [1.0, 0.0],
            200.0,
            Some([-1.0, 1.0]),
        ),
        (
            &cross_entropy,
            [100.0, -100.0],
            [1.0, 0.0],
            0.0,
            Some([0.0, 0.0]),
        ),
        (
            &cross_entropy,
            [-100.0, 100.0],
            [1.0, 0.0],
            200.0,
            Some([-1.0, 1.0]),
        ),
    ];
    for (name, device, dtype) in devices() {
        for (loss, outputs, targets, cost, expected) in &cases {
            let what = format!("{} at {outputs:?} on {name} in {dtype:?}", loss.name());
            let targets = row(targets, &device, dtype);
            let of = |x| loss.forward(x, targets.clone()).unsqueeze();
            let (value, gradient) = value_and_gradient(outputs, (&device, dtype), of);
            assert_close(&value, &[*cost], &what);
            assert!(
                gradient.iter().all(|g| g.is_finite()),
                "{what}: {gradient:?}"
            );
            if let Some(expected) = expected {
                assert_close(&gradient, expected, &what);
            }
        }
    }
}
