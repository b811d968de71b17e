//! The fused kernels of losses and optimisers against PyTorch: f32 on flex without autodiff, as most trainings run.
//!
//! Tests elsewhere hold the same functions against PyTorch with autodiff or in f64, where tensor operations compute
//! them and no fused kernel is entered. The numbers here, `tests-data/kernels.json`, are made by
//! `tests-data/kernels.py`.

use std::collections::BTreeSet;

use burn::module::{Module, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};
use emberlab_host as host;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{LossConfig, Optimizer, OptimizerConfig, Reduction};

/// Losses with a fused kernel; tensor operations compute the others everywhere.
const WITH_FUSED_KERNEL: [&str; 2] = ["bce_with_logits", "cross_entropy"];

/// PyTorch's numbers.
#[derive(Deserialize)]
struct Table {
    losses: Vec<OfLoss>,
    optimizers: Vec<OfOptimizer>,
}

#[derive(Deserialize)]
struct OfLoss {
    loss: LossConfig,
    case: String,
    shape: [usize; 2],
    outputs: Vec<Number>,
    targets: Vec<Number>,
    value: Number,
    /// None where the lab's is another than PyTorch's: zero where a logarithm is bounded.
    gradient: Option<Vec<Number>>,
}

#[derive(Deserialize)]
struct OfOptimizer {
    optimizer: OptimizerConfig,
    case: String,
    /// Of each step.
    gradients: Vec<[Number; 3]>,
    /// The parameters after each step.
    after: Vec<[Number; 3]>,
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

/// The names under which a configuration can be written.
fn names<T: JsonSchema>() -> BTreeSet<String> {
    let schema = schemars::schema_for!(T).to_value();
    let variants = schema["oneOf"].as_array().expect("one of several");
    let name = |variant: &serde_json::Value| variant["properties"]["name"]["const"].clone();
    let names = variants.iter().map(name);
    names
        .map(|name| name.as_str().expect("a name").to_owned())
        .collect()
}

/// The name under which it is written.
fn name(config: &OptimizerConfig) -> String {
    let written = serde_json::to_value(config).expect("a configuration");
    written["name"].as_str().expect("a name").to_owned()
}

/// A tensor that the fused kernels take.
fn tensor<const D: usize>(numbers: Vec<f64>, shape: [usize; D]) -> Tensor<D> {
    let data = TensorData::new(numbers, shape);
    let tensor = Tensor::from_data(data, (&Device::flex(), DType::F32));
    assert!(host::holds(&tensor));
    tensor
}

fn numbers<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
    assert!(host::holds(tensor));
    tensor.to_data().iter::<f64>().collect()
}

fn is_near(found: f64, expected: f64, tolerance: f64) -> bool {
    match expected.is_finite() {
        true => (found - expected).abs() <= tolerance,
        false => found == expected || found.is_nan() && expected.is_nan(),
    }
}

/// Equal to six digits, as f32 has seven.
fn is_equal(found: f64, expected: f64) -> bool {
    is_near(found, expected, 1e-6 * expected.abs().max(1.0))
}

// Losses.

fn assert_losses(is_tested: impl Fn(&str) -> bool) {
    let table = table();
    let mut tested = BTreeSet::new();
    for of in table.losses.iter().filter(|of| is_tested(&of.case)) {
        let (loss, what) = (&of.loss, format!("{:?}, {}", of.loss, of.case));
        tested.insert(loss.name());
        let outputs = || tensor(values(&of.outputs), of.shape);
        let targets = || tensor(values(&of.targets), of.shape);
        assert_eq!(
            loss.enters_fused_kernels(&outputs(), &targets()),
            WITH_FUSED_KERNEL.contains(&loss.name()),
            "{what}"
        );
        let value = loss.forward(outputs(), targets());
        let (same, gradient) = loss.forward_backward(outputs(), targets());
        for value in [value, same] {
            let [found] = numbers(&value)[..] else {
                panic!("{what}: one number");
            };
            let expected = of.value.value();
            assert!(
                is_equal(found, expected),
                "{what}: {found}, expected {expected}"
            );
        }
        let found = numbers(&gradient);
        match &of.gradient {
            Some(expected) => {
                assert_eq!(found.len(), expected.len(), "{what}");
                for (i, (&found, expected)) in found.iter().zip(expected).enumerate() {
                    // Of NaN it may be NaN where PyTorch has a number.
                    let is_nan_of_nan = of.outputs[i].value().is_nan() && found.is_nan();
                    let expected = expected.value();
                    assert!(
                        is_equal(found, expected) || is_nan_of_nan,
                        "{what}: gradient[{i}] is {found}, expected {expected}"
                    );
                }
            }
            None => assert!(found.iter().all(|g| g.is_finite()), "{what}: {found:?}"),
        }
    }
    let with_kernel = WITH_FUSED_KERNEL.iter().all(|name| tested.contains(name));
    assert!(with_kernel, "{tested:?}");
}

#[test]
fn every_loss_and_optimizer_has_reference_rows() {
    let table = table();
    let losses = table.losses.iter().map(|of| of.loss.name().to_owned());
    assert_eq!(losses.collect::<BTreeSet<_>>(), names::<LossConfig>());
    let optimizers = table.optimizers.iter().map(|of| name(&of.optimizer));
    assert_eq!(
        optimizers.collect::<BTreeSet<_>>(),
        names::<OptimizerConfig>()
    );
    for case in ["ordinary", "near_zero", "one_row"] {
        let losses = table.losses.iter().filter(|of| of.case == case);
        let losses: BTreeSet<_> = losses.map(|of| of.loss.name().to_owned()).collect();
        assert_eq!(losses, names::<LossConfig>(), "{case}");
    }
}

#[test]
fn fused_losses_equal_pytorch_near_zero_and_at_ordinary_outputs() {
    assert_losses(|case| ["ordinary", "near_zero", "soft_targets", "one_output"].contains(&case));
}

#[test]
fn fused_losses_equal_pytorch_at_logits_of_800_and_beyond() {
    assert_losses(|case| ["far_out", "saturated"].contains(&case));
}

#[test]
fn fused_losses_of_one_row_equal_pytorch() {
    assert_losses(|case| case == "one_row");
}

#[test]
fn fused_losses_pass_nan_and_infinity_on_as_pytorch_does() {
    assert_losses(|case| ["nan", "infinite"].contains(&case));
}

// At infinite logits PyTorch has infinity or NaN by the signs: a training that is lost may say so by either.
#[test]
fn fused_bce_of_infinite_logits_is_not_finite() {
    let loss = LossConfig::BceWithLogits {
        reduction: Reduction::Sum,
    };
    for (logit, target) in [
        (f64::INFINITY, 0.0),
        (f64::INFINITY, 1.0),
        (f64::NEG_INFINITY, 0.0),
        (f64::NEG_INFINITY, 1.0),
    ] {
        let of = |x| tensor(vec![x], [1, 1]);
        let (value, _) = loss.forward_backward(of(logit), of(target));
        assert!(!numbers(&value)[0].is_finite(), "{logit}, {target}");
    }
}

#[test]
fn fused_losses_of_two_networks_are_those_of_each() {
    for of in table().losses.iter().filter(|of| of.case == "ordinary") {
        let twice = |numbers: &[Number]| {
            let [batch, d_output] = of.shape;
            tensor(values(numbers).repeat(2), [2 * batch, d_output])
        };
        let (outputs, targets) = (twice(&of.outputs), twice(&of.targets));
        let (found, gradient) = of.loss.forward_backward_stacked(outputs, targets, 2);
        let expected = of.gradient.as_ref().expect("a gradient");
        for (found, expected) in [
            (numbers(&found), vec![of.value.value(); 2]),
            (numbers(&gradient), values(expected).repeat(2)),
        ] {
            assert_eq!(found.len(), expected.len());
            for (&found, expected) in found.iter().zip(expected) {
                assert!(
                    is_equal(found, expected),
                    "{:?}: {found}, {expected}",
                    of.loss
                );
            }
        }
    }
}

#[test]
fn fused_losses_of_no_rows_sum_to_zero() {
    let reduction = Reduction::Sum;
    for loss in [
        LossConfig::BceWithLogits { reduction },
        LossConfig::CrossEntropy { reduction },
    ] {
        let none = || tensor(Vec::new(), [0, 3]);
        let (value, gradient) = loss.forward_backward(none(), none());
        assert_eq!(numbers(&value), [0.0], "{loss:?}");
        assert_eq!(gradient.dims(), [0, 3], "{loss:?}");
    }
}

// Optimisers.

/// Two parameters, so that the second one's state lies behind the first one's.
#[derive(Module, Debug)]
struct Two {
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
}

impl Two {
    fn start() -> Self {
        let weight = Param::initialized(ParamId::from(0), tensor(vec![1.0, -2.0], [1, 2]));
        let bias = Param::initialized(ParamId::from(1), tensor(vec![0.5], [1]));
        Self {
            weight: weight.set_require_grad(true),
            bias: bias.set_require_grad(true),
        }
    }

    fn numbers(&self) -> Vec<f64> {
        [numbers(&self.weight.val()), numbers(&self.bias.val())].concat()
    }
}

fn gradients([a, b, c]: &[Number; 3]) -> GradientsParams {
    let mut gradients = GradientsParams::new();
    let weight: Tensor<2> = tensor(vec![a.value(), b.value()], [1, 2]);
    gradients.register(ParamId::from(0), weight);
    gradients.register(ParamId::from(1), tensor(vec![c.value()], [1]));
    gradients
}

fn assert_optimizers(is_tested: impl Fn(&str) -> bool) {
    let table = table();
    let mut tested = BTreeSet::new();
    for of in table.optimizers.iter().filter(|of| is_tested(&of.case)) {
        tested.insert(name(&of.optimizer));
        let mut module = Two::start();
        let mut optimizer = Optimizer::new(&of.optimizer, &module);
        // f32 has lost the digits of what is small beside an earlier number.
        let mut largest = [1_f64; 3];
        for (step, (gradient, expected)) in of.gradients.iter().zip(&of.after).enumerate() {
            let rate = of.optimizer.learning_rate();
            module = optimizer.step(module, gradients(gradient), rate);
            for (i, found) in module.numbers().into_iter().enumerate() {
                let expected = expected[i].value();
                largest[i] = largest[i].max(expected.abs());
                assert!(
                    is_near(found, expected, 1e-6 * largest[i]),
                    "{:?}, {}: parameter {i} is {found} after step {step}, expected {expected}",
                    of.optimizer,
                    of.case
                );
            }
        }
        assert_eq!(of.after.len(), 4);
    }
    assert_eq!(tested, names::<OptimizerConfig>());
}

#[test]
fn optimizers_without_autodiff_equal_pytorch_near_zero_and_at_ordinary_gradients() {
    assert_optimizers(|case| ["ordinary", "near_zero"].contains(&case));
}

#[test]
fn optimizers_without_autodiff_equal_pytorch_far_out() {
    assert_optimizers(|case| case == "far_out");
}

#[test]
fn optimizers_without_autodiff_leave_nan_where_it_came_as_pytorch_does() {
    assert_optimizers(|case| case == "nan");
}
