//! Optimisers against PyTorch: f32 on flex without autodiff, by host kernels where an optimiser has one.

use burn::module::{Module, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::{Optimizer, UpdateRule};
use crate::reference::{Number, OptimizerRow, is_near, numbers, run, table, tensor};

/// Two parameters, so that the state of the second lies behind that of the first.
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

/// Compares all optimisers in these cases.
fn assert_optimizers(cases: &[&str]) {
    let rows = table().optimizers;
    for row in (rows.iter()).filter(|row| cases.contains(&row.case.as_str())) {
        assert_row(row);
    }
}

fn assert_row(row: &OptimizerRow) {
    let what = format!("{:?}, {}", row.optimizer, row.case);
    let mut module = Two::start();
    let mut optimizer = Optimizer::new(&row.optimizer, &module);
    // A tolerance is relative to the largest size that the number has had: f32 has lost the digits below.
    let mut largest = [1_f64; 3];
    assert_eq!(row.after.len(), 4, "{what}");
    for (step, (gradient, expected)) in row.gradients.iter().zip(&row.after).enumerate() {
        let rate = row.optimizer.learning_rate;
        module = run(&what, row.is_fused, || {
            optimizer.step(module, gradients(gradient), rate)
        });
        for (i, found) in module.numbers().into_iter().enumerate() {
            let expected = expected[i].value();
            largest[i] = largest[i].max(expected.abs());
            assert!(
                is_near(found, expected, 1e-6 * largest[i]),
                "{what}: parameter {i} is {found} after step {step}, expected {expected}"
            );
        }
    }
}

#[test]
fn every_optimizer_has_reference_rows() {
    let rows = table().optimizers;
    for name in UpdateRule::NAMES {
        for case in ["ordinary", "near_zero", "far_out", "nan"] {
            let is_row =
                |row: &OptimizerRow| row.optimizer.rule.name() == *name && row.case == case;
            assert!(
                rows.iter().any(is_row),
                "no row {case} in tests-data/kernels.json: {name}"
            );
        }
    }
}

#[test]
fn optimizers_without_autodiff_equal_pytorch_near_zero_and_at_ordinary_gradients() {
    assert_optimizers(&["ordinary", "near_zero"]);
}

#[test]
fn optimizers_without_autodiff_equal_pytorch_at_large_gradients() {
    assert_optimizers(&["far_out"]);
}

#[test]
fn optimizers_without_autodiff_leave_nan_where_pytorch_does() {
    assert_optimizers(&["nan"]);
}
