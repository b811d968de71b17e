//! The fused kernels of activations and layers against PyTorch: f32 on flex without autodiff, as most trainings run.
//!
//! Tests elsewhere hold the same functions against PyTorch with autodiff or in f64, where tensor operations compute
//! them and no fused kernel is entered. The numbers here, `tests-data/kernels.json`, are made by
//! `tests-data/kernels.py`.

use std::collections::BTreeMap;

use burn::module::{Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};
use emberlab_host as host;
use emberlab_streams::stream;
use serde::Deserialize;

use crate::choice::Choice;
use crate::golden::{wave, wave_tensor};
use crate::max_pool;
use crate::parameters::Parameters;
use crate::patches::Patches;
use crate::{Activation, Convolution, Dense, Norm, Normalization};

/// Activations that tensor operations compute everywhere.
const WITHOUT_FUSED_KERNEL: [&str; 3] = ["linear", "gelu", "softmax"];

/// PyTorch's numbers.
#[derive(Deserialize)]
struct Table {
    activations: Vec<OfActivation>,
    normalizations: BTreeMap<String, BTreeMap<String, Case>>,
    dense: BTreeMap<String, Case>,
    max_pool: BTreeMap<String, Case>,
    convolution: BTreeMap<String, Case>,
}

#[derive(Deserialize)]
struct OfActivation {
    activation: Activation,
    #[serde(flatten)]
    case: Case,
}

/// A function's inputs and outputs; the loss's gradients by the outputs, `delta`, and by the inputs, `gradient`.
#[derive(Deserialize)]
struct Case {
    shape: Vec<usize>,
    inputs: Vec<Number>,
    delta: Vec<Number>,
    outputs: Vec<Number>,
    gradient: Vec<Number>,
    gamma_gradient: Option<Vec<Number>>,
    beta_gradient: Option<Vec<Number>>,
    weight_gradient: Option<Vec<Number>>,
    bias_gradient: Option<Vec<Number>>,
    running_mean: Option<Vec<Number>>,
    running_var: Option<Vec<Number>>,
    evaluated: Option<Vec<Number>>,
}

/// JSON has no NaN and no infinity; they are written as text.
#[derive(Deserialize, Clone)]
#[serde(untagged)]
enum Number {
    Finite(f64),
    Text(String),
}

impl Number {
    fn value(&self) -> f64 {
        match self {
            Self::Finite(value) => *value,
            Self::Text(text) => text.parse().expect("nan, inf or -inf"),
        }
    }
}

fn values(numbers: &[Number]) -> Vec<f64> {
    numbers.iter().map(Number::value).collect()
}

fn table() -> Table {
    serde_json::from_str(include_str!("../tests-data/kernels.json")).expect("the table parses")
}

/// A tensor that the fused kernels take.
fn tensor<const D: usize>(numbers: &[Number], shape: [usize; D]) -> Tensor<D> {
    let data = TensorData::new(values(numbers), shape);
    let tensor = Tensor::from_data(data, (&Device::flex(), DType::F32));
    assert!(host::holds(&tensor));
    tensor
}

fn param<const D: usize>(id: u64, value: Tensor<D>) -> Param<Tensor<D>> {
    assert!(host::holds(&value));
    Param::initialized(ParamId::from(id), value)
}

/// Fails unless each number is the one expected, NaN and infinity where they are expected and nowhere else.
fn assert_equal<const D: usize>(what: &str, found: &Tensor<D>, expected: &[Number], scale: Scale) {
    assert!(host::holds(found), "{what}");
    let found: Vec<f64> = found.to_data().iter::<f64>().collect();
    let expected = values(expected);
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest =
        (expected.iter().filter(|x| x.is_finite())).fold(1_f64, |max, x| max.max(x.abs()));
    for (i, (&found, &expected)) in found.iter().zip(&expected).enumerate() {
        let tolerance = match scale {
            Scale::Each(relative) => relative * expected.abs().max(1.0),
            Scale::Largest(relative) => relative * largest,
        };
        assert!(
            is_near(found, expected, tolerance),
            "{what}[{i}] is {found}, expected {expected}"
        );
    }
}

fn is_near(found: f64, expected: f64, tolerance: f64) -> bool {
    match expected.is_finite() {
        true => (found - expected).abs() <= tolerance,
        false => found == expected || found.is_nan() && expected.is_nan(),
    }
}

/// What a difference is measured by: f32 has 7 digits of each number, and of the largest where several are added.
#[derive(Clone, Copy)]
enum Scale {
    Each(f64),
    Largest(f64),
}

/// Of sums of a few numbers.
const SUMMED: Scale = Scale::Largest(2e-6);

fn two(shape: &[usize]) -> [usize; 2] {
    shape.try_into().expect("rows and columns")
}

/// Images as pixels of channels, with the size of the images.
fn pixels(case: &Case) -> ([usize; 2], [usize; 3]) {
    let [batch, height, width, channels] = case.shape[..] else {
        panic!("a batch of images");
    };
    ([batch * height * width, channels], [batch, height, width])
}

// Activations.

fn assert_activations(is_tested: impl Fn(f64, f64) -> bool) {
    let mut names: Vec<&str> = Vec::new();
    let table = table();
    for OfActivation { activation, case } in &table.activations {
        names.push(activation.name());
        let shape = two(&case.shape);
        let [x, delta] = [&case.inputs, &case.delta].map(|numbers| tensor(numbers, shape));
        assert_eq!(
            activation.enters_fused_kernels(&x),
            !WITHOUT_FUSED_KERNEL.contains(&activation.name()),
            "{activation:?}"
        );
        let outputs = activation.forward(x.clone());
        let (same, kept) = activation.forward_keeping(x.clone());
        assert!(equal_bits(&outputs, &same), "{activation:?}");
        assert_equal("inputs", &x, &case.inputs, Scale::Each(1e-8));
        let gradient = activation.backward(kept, delta);
        for (what, found, expected) in [
            ("value", outputs, &case.outputs),
            ("gradient", gradient, &case.gradient),
        ] {
            let found = found.into_data().try_into_vec::<f32>().expect("f32");
            assert_eq!(found.len(), expected.len());
            let mut num_tested = 0;
            for (i, found) in found.into_iter().enumerate() {
                let (x, delta) = (case.inputs[i].value(), case.delta[i].value());
                if !is_tested(x, delta) {
                    continue;
                }
                num_tested += 1;
                let (found, expected) = (f64::from(found), expected[i].value());
                let is_equal = is_near(found, expected, 1e-6 * expected.abs().max(1.0));
                // ELU and SELU have NaN of NaN for their gradient, too, where PyTorch has the slope of x above zero.
                let is_nan_of_nan = x.is_nan() && found.is_nan();
                assert!(
                    is_equal || is_nan_of_nan,
                    "{what} of {activation:?} at {x}, delta {delta}: {found}, expected {expected}"
                );
            }
            assert!(num_tested > 2, "{activation:?}");
        }
    }
    names.dedup();
    assert_eq!(
        names,
        Activation::NAMES,
        "reference rows for each activation"
    );
}

fn equal_bits<const D: usize>(a: &Tensor<D>, b: &Tensor<D>) -> bool {
    let bits = |x: &Tensor<D>| {
        let numbers = x.to_data().try_into_vec::<f32>().expect("f32");
        numbers.into_iter().map(f32::to_bits).collect::<Vec<_>>()
    };
    bits(a) == bits(b)
}

#[test]
fn fused_activations_equal_pytorch_near_zero_and_at_ordinary_inputs() {
    assert_activations(|x, delta| x.abs() < 25.0 && !delta.is_nan());
}

#[test]
fn fused_activations_equal_pytorch_far_out() {
    assert_activations(|x, _| x.abs() >= 25.0 && x.is_finite());
}

#[test]
fn fused_activations_pass_nan_and_infinity_on_as_pytorch_does() {
    assert_activations(|x, delta| !x.is_finite() || delta.is_nan());
}

#[test]
fn fused_activations_of_one_number_or_of_none_keep_their_shape() {
    for activation in Activation::choices() {
        for shape in [[1, 1], [0, 3]] {
            let x = tensor(&vec![Number::Finite(0.5); shape[0]], shape);
            let (y, kept) = activation.forward_keeping(x.clone());
            assert_eq!(y.dims(), shape, "{activation:?}");
            assert_eq!(activation.backward(kept, x).dims(), shape, "{activation:?}");
        }
    }
}

// Normalisations.

const NUM_FEATURES: usize = 6;

/// A layer with the scale and shift of `tests-data/kernels.py`.
fn norm(normalization: &Normalization) -> Option<Norm> {
    let device = Device::flex();
    let mut rng = stream(0, "init", &[]);
    let mut parameters = Parameters::new(&mut rng, &device, DType::F32);
    let mut norm = normalization.init(NUM_FEATURES, &mut parameters)?;
    let wave = |phase| wave_tensor::<1>(phase, [NUM_FEATURES], &device, DType::F32);
    let gamma = param(0, wave(3.0).mul_scalar(0.5).add_scalar(1.0));
    let beta = param(1, wave(4.0));
    match &mut norm {
        Norm::Batch(norm) => (norm.gamma, norm.beta) = (gamma, beta),
        Norm::Layer(norm) => (norm.gamma, norm.beta) = (gamma, beta),
        Norm::Group(norm) => (norm.gamma, norm.beta) = (gamma, beta),
        Norm::Instance(_) => {}
    }
    Some(norm)
}

/// How near a normalised batch can come: what is far from zero has lost digits before its mean is taken off.
fn normalised(case: &str) -> Scale {
    Scale::Largest(if case == "off_centre" { 1e-4 } else { 1e-5 })
}

fn assert_normalizations(is_tested: impl Fn(&str) -> bool) {
    let table = table();
    for normalization in Normalization::choices() {
        let Some(norm) = norm(&normalization) else {
            assert_eq!(normalization, Normalization::None);
            continue;
        };
        let name = normalization.name();
        let cases = &table.normalizations[name];
        for (case_name, case) in cases.iter().filter(|(name, _)| is_tested(name)) {
            let shape = two(&case.shape);
            let [x, delta] = [&case.inputs, &case.delta].map(|numbers| tensor(numbers, shape));
            if let Norm::Batch(norm) = &norm {
                assert!(norm.enters_fused_kernels(&x));
            }
            let near = normalised(case_name);
            let what = |part: &str| format!("{part} of {name}, {case_name}");

            let mut statistics = Vec::new();
            let mut gradients = GradientsParams::new();
            let trained = norm.forward_train(x.clone(), &mut Vec::new());
            assert_equal(&what("trained"), &trained, &case.outputs, near);
            let (outputs, kept) = norm.forward_keeping(x.clone(), &mut statistics);
            assert_equal(&what("outputs"), &outputs, &case.outputs, near);
            let gradient = norm.backward(kept, delta, &mut gradients);
            assert_equal(&what("gradient"), &gradient, &case.gradient, near);
            for (id, expected) in [(0, &case.gamma_gradient), (1, &case.beta_gradient)] {
                let found = gradients.remove::<1>(ParamId::from(id));
                assert_eq!(
                    found.is_some(),
                    expected.is_some(),
                    "{}",
                    what("parameters")
                );
                if let (Some(found), Some(expected)) = (found, expected) {
                    assert_equal(&what("a parameter's gradient"), &found, expected, near);
                }
            }

            let Norm::Batch(norm) = norm.clone() else {
                assert_equal(&what("evaluated"), &norm.forward(x), &case.outputs, near);
                continue;
            };
            let norm = norm.with_running_statistics(statistics.remove(0));
            for (found, expected) in [
                (norm.running_mean.val(), &case.running_mean),
                (norm.running_var.val(), &case.running_var),
            ] {
                let expected = expected.as_ref().expect("of batch norm");
                assert_equal(&what("running statistics"), &found, expected, near);
            }
            let expected = case.evaluated.as_ref().expect("of batch norm");
            assert_equal(&what("evaluated"), &norm.forward(x), expected, near);
        }
    }
}

const NOT_FINITE: [&str; 2] = ["nan", "infinite"];
const NO_VARIANCE: [&str; 4] = ["constant_column", "constant_row", "all_zero", "one_row"];

#[test]
fn every_normalization_has_reference_cases() {
    let table = table();
    let names: Vec<_> = Normalization::choices()[1..]
        .iter()
        .map(Normalization::name)
        .collect();
    let mut expected: Vec<&str> = names.clone();
    expected.sort_unstable();
    assert_eq!(table.normalizations.keys().collect::<Vec<_>>(), expected);
    for (name, cases) in &table.normalizations {
        // PyTorch refuses to take the variance of a single row.
        assert_eq!(cases.len(), if name == "batch" { 10 } else { 11 }, "{name}");
        for case in NOT_FINITE.into_iter().chain(NO_VARIANCE) {
            let is_there = cases.contains_key(case);
            assert_eq!(is_there, (name.as_str(), case) != ("batch", "one_row"));
        }
    }
}

#[test]
fn normalizations_without_autodiff_equal_pytorch_near_zero_ordinary_and_far_out() {
    assert_normalizations(|case| !NOT_FINITE.contains(&case) && !NO_VARIANCE.contains(&case));
}

#[test]
fn normalizations_without_autodiff_equal_pytorch_where_nothing_varies() {
    assert_normalizations(|case| NO_VARIANCE.contains(&case));
}

#[test]
fn normalizations_without_autodiff_pass_nan_and_infinity_on_as_pytorch_does() {
    assert_normalizations(|case| NOT_FINITE.contains(&case));
}

#[test]
fn fused_batch_norm_of_one_row_is_its_shift_with_no_gradient() {
    let Some(Norm::Batch(norm)) = norm(&Normalization::choices()[1]) else {
        panic!("batch norm comes first");
    };
    let x = wave_tensor(1.0, [1, NUM_FEATURES], &Device::flex(), DType::F32);
    assert!(norm.enters_fused_kernels(&x));
    let (y, kept, statistics) = norm.forward_keeping(x.clone());
    let finite = |numbers: Vec<f64>| numbers.into_iter().map(Number::Finite).collect::<Vec<_>>();
    let exact = Scale::Largest(1e-7);
    assert_equal("outputs", &y, &finite(wave(4.0, NUM_FEATURES)), exact);
    let zeros = finite(vec![0.0; NUM_FEATURES]);
    let (mean, variance) = (statistics.mean, statistics.variance);
    assert_equal("mean", &mean, &finite(wave(1.0, NUM_FEATURES)), exact);
    assert_equal("variance", &variance, &zeros, exact);
    let mut gradients = GradientsParams::new();
    let delta = norm.backward(kept, x, &mut gradients);
    assert_equal("gradient", &delta, &zeros, exact);
}

// Dense layers, convolutions and max-pooling.

#[test]
fn fused_dense_layers_equal_pytorch_far_out_and_with_nan() {
    for (name, case) in &table().dense {
        let [num_rows, d_input] = two(&case.shape);
        let d_output = case.outputs.len() / num_rows;
        let device = Device::flex();
        let layer = Dense {
            weight: param(
                0,
                wave_tensor(1.0, [d_input, d_output], &device, DType::F32),
            ),
            bias: Some(param(1, wave_tensor(2.0, [d_output], &device, DType::F32))),
        };
        let x: Tensor<2> = tensor(&case.inputs, [num_rows, d_input]);
        let delta: Tensor<2> = tensor(&case.delta, [num_rows, d_output]);
        let weight = layer.weight.val();
        let bias = layer.bias.as_ref().expect("a bias").val();
        assert!(host::affine(x.clone(), weight.clone(), bias.clone()).is_ok());
        assert!(host::product(x.clone().transpose(), delta.clone()).is_ok());
        assert!(host::product(delta.clone(), weight.transpose()).is_ok());
        assert!(host::sums_of_rows(delta.clone(), bias.dims()).is_ok());

        let outputs = layer.forward(x.clone());
        assert_equal(&format!("outputs, {name}"), &outputs, &case.outputs, SUMMED);
        let mut gradients = GradientsParams::new();
        let delta = layer.gradients(x, delta, &mut gradients);
        let gradient = layer.backward(delta);
        assert_equal(
            &format!("gradient, {name}"),
            &gradient,
            &case.gradient,
            SUMMED,
        );
        assert_weights(name, case, &mut gradients, |gradient: Tensor<2>| gradient);
    }
}

/// The gradients of weight and bias, the weight's as PyTorch has its axes.
fn assert_weights<const D: usize>(
    name: &str,
    case: &Case,
    gradients: &mut GradientsParams,
    as_in_pytorch: impl Fn(Tensor<D>) -> Tensor<D>,
) {
    let weight = gradients.remove::<D>(ParamId::from(0)).expect("a gradient");
    let expected = case.weight_gradient.as_ref().expect("of a layer");
    let what = format!("weight's gradient, {name}");
    assert_equal(&what, &as_in_pytorch(weight), expected, SUMMED);
    let bias = gradients.remove::<1>(ParamId::from(1)).expect("a gradient");
    let expected = case.bias_gradient.as_ref().expect("of a layer");
    assert_equal(&format!("bias's gradient, {name}"), &bias, expected, SUMMED);
}

#[test]
fn fused_convolutions_equal_pytorch_far_out_and_with_nan() {
    for (name, case) in &table().convolution {
        let (shape, size) = pixels(case);
        let device = Device::flex();
        let layer = Convolution {
            weight: param(0, wave_tensor(1.0, [3, 2, 3, 3], &device, DType::F32)),
            bias: Some(param(1, wave_tensor(2.0, [3], &device, DType::F32))),
        };
        let patches = Patches::new(size, 3, &device);
        let delta: Tensor<2> = tensor(&case.delta, [shape[0], 3]);
        let (outputs, unfolded) = layer.forward_keeping(tensor(&case.inputs, shape), &patches);
        assert!(host::holds(&unfolded));
        assert_equal(&format!("outputs, {name}"), &outputs, &case.outputs, SUMMED);
        let mut gradients = GradientsParams::new();
        let delta = layer.gradients(unfolded, delta, &mut gradients);
        let gradient = layer.backward(delta, &patches);
        assert_equal(
            &format!("gradient, {name}"),
            &gradient,
            &case.gradient,
            SUMMED,
        );
        assert_weights(name, case, &mut gradients, |gradient: Tensor<4>| gradient);
    }
}

fn assert_max_pool(is_tested: impl Fn(&str) -> bool) {
    let table = table();
    let cases = table.max_pool.iter().filter(|(name, _)| is_tested(name));
    for (name, case) in cases {
        let (shape, size) = pixels(case);
        // Tensor operations, which f64 is pooled by, take the same pixels.
        for dtype in [DType::F32, DType::F64] {
            let what = |part: &str| format!("{part}, {name}, {dtype:?}");
            let of = |numbers, shape| tensor::<2>(numbers, shape).cast(dtype);
            let (outputs, taken) = max_pool::forward(of(&case.inputs, shape), size);
            let gradient = taken.backward(of(&case.delta, outputs.dims()));
            let [outputs, gradient] = [outputs, gradient].map(|tensor| tensor.cast(DType::F32));
            let exact = Scale::Each(1e-7);
            assert_equal(&what("outputs"), &outputs, &case.outputs, exact);
            assert_equal(&what("gradient"), &gradient, &case.gradient, exact);
        }
    }
}

#[test]
fn fused_max_pool_equals_pytorch_with_equal_infinite_and_left_out_pixels() {
    assert_max_pool(|case| !case.contains("nan"));
}

#[test]
fn fused_max_pool_passes_nan_of_any_corner_on_as_pytorch_does() {
    assert_max_pool(|case| case.contains("nan"));
}
