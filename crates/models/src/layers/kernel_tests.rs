//! Dense layers, convolutions and max-pooling against PyTorch: f32 on flex without autodiff, by host kernels.

use std::collections::BTreeMap;

use burn::module::ParamId;
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor};

use super::{Convolution, Dense, Layer, MaxPool, PixelConvolution};
use crate::golden::wave_tensor;
use crate::reference::{Case, SUMMED, Tolerance, assert_equal, matrix, param, run, table, tensor};

/// Images as rows of pixels: the shape of the tensor and the size of the images.
fn pixels(case: &Case) -> ([usize; 2], [usize; 3]) {
    let [batch, height, width, channels] = case.shape[..] else {
        panic!("a batch of images");
    };
    ([batch * height * width, channels], [batch, height, width])
}

/// A tensor of a sine wave on the host.
fn host_wave<const D: usize>(phase: f64, shape: [usize; D]) -> Tensor<D> {
    wave_tensor(phase, shape, &Device::flex(), DType::F32)
}

/// Compares outputs and gradients of a layer whose weight has the id 0 and whose bias has the id 1.
fn assert_layer<const D: usize>(
    name: &str,
    layer: &impl Layer<2>,
    case: &Case,
    x: Tensor<2>,
    delta: Tensor<2>,
) {
    let what = |part: &str| format!("{part}, {name}");
    let assert = |part: &str, found, expected| assert_equal(&what(part), &found, expected, SUMMED);
    let (outputs, saved) = run(&what("outputs"), true, || {
        layer.forward_saving(x, &mut Vec::new())
    });
    assert("outputs", outputs, &case.outputs);
    let mut gradients = GradientsParams::new();
    let gradient = run(&what("gradient"), true, || {
        layer.backward(saved, delta, &mut gradients)
    });
    assert("gradient", gradient, &case.gradient);
    let weight = gradients.remove::<D>(ParamId::from(0)).expect("a gradient");
    let expected = case.weight_gradient.as_ref().expect("a weight");
    assert_equal(&what("gradient of the weight"), &weight, expected, SUMMED);
    let bias = gradients.remove::<1>(ParamId::from(1)).expect("a gradient");
    let expected = case.bias_gradient.as_ref().expect("a bias");
    assert_equal(&what("gradient of the bias"), &bias, expected, SUMMED);
}

fn assert_cases(cases: &BTreeMap<String, Case>, assert: impl Fn(&str, &Case)) {
    assert!(!cases.is_empty());
    for (name, case) in cases {
        assert(name, case);
    }
}

#[test]
fn fused_dense_layers_equal_pytorch_at_large_inputs_and_with_nan() {
    assert_cases(&table().dense, |name, case| {
        let [num_rows, d_input] = matrix(&case.shape);
        let d_output = case.outputs.len() / num_rows;
        let layer = Dense {
            weight: param(0, host_wave(1.0, [d_input, d_output])),
            bias: Some(param(1, host_wave(2.0, [d_output]))),
        };
        let x = tensor(&case.inputs, [num_rows, d_input]);
        let delta = tensor(&case.delta, [num_rows, d_output]);
        assert_layer::<2>(name, &layer, case, x, delta);
    });
}

#[test]
fn fused_convolutions_equal_pytorch_at_large_inputs_and_with_nan() {
    assert_cases(&table().convolution, |name, case| {
        let (shape, size) = pixels(case);
        let layer = Convolution {
            weight: param(0, host_wave(1.0, [3, 2, 3, 3])),
            bias: Some(param(1, host_wave(2.0, [3]))),
        };
        let layer = PixelConvolution {
            layer: &layer,
            size,
        };
        let x = tensor(&case.inputs, shape);
        let delta = tensor(&case.delta, [shape[0], 3]);
        assert_layer::<4>(name, &layer, case, x, delta);
    });
}

fn assert_max_pool(is_tested: impl Fn(&str) -> bool) {
    assert_cases(&table().max_pool, |name, case| {
        if !is_tested(name) {
            return;
        }
        let (shape, size) = pixels(case);
        let layer = MaxPool { size };
        // Pixels of f64 are pooled by Burn's operations.
        for dtype in [DType::F32, DType::F64] {
            let what = |part: &str| format!("{part}, {name}, {dtype:?}");
            let x = tensor(&case.inputs, shape).cast(dtype);
            let is_fused = dtype == DType::F32;
            let (outputs, saved) = run(&what("outputs"), is_fused, || {
                layer.forward_saving(x, &mut Vec::new())
            });
            let delta = tensor(&case.delta, outputs.dims()).cast(dtype);
            let gradient = layer.backward(saved, delta, &mut GradientsParams::new());
            let exact = Tolerance::Each(1e-7);
            assert_equal(&what("outputs"), &outputs, &case.outputs, exact);
            assert_equal(&what("gradient"), &gradient, &case.gradient, exact);
        }
    });
}

#[test]
fn fused_max_pool_equals_pytorch_with_equal_infinite_and_left_out_pixels() {
    assert_max_pool(|case| !case.contains("nan"));
}

#[test]
fn fused_max_pool_passes_nan_of_any_corner_on_as_pytorch_does() {
    assert_max_pool(|case| case.contains("nan"));
}
