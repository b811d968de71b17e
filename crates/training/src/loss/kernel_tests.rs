//! The host kernels of losses against PyTorch: f32 on flex without autodiff.

use emberlab_fused::{Activation, Data, HostTraining, Optimizer, Plan, Results, State};
use emberlab_menu::Menu as _;

use super::{BceWithLogits, CrossEntropy, Loss, LossConfig};
use crate::reference::{LossRow, is_near, numbers, run, table, tensor, values};

/// Whether numbers are equal to six digits; f32 has seven.
fn is_equal(found: f64, expected: f64) -> bool {
    is_near(found, expected, 1e-6 * expected.abs().max(1.0))
}

/// Compares all losses in these cases.
fn assert_losses(cases: &[&str]) {
    let rows = table().losses;
    for row in (rows.iter()).filter(|row| cases.contains(&row.case.as_str())) {
        assert_row(row);
    }
}

fn assert_row(row: &LossRow) {
    let (loss, what) = (&row.loss, format!("{:?}, {}", row.loss, row.case));
    let outputs = || tensor(values(&row.outputs), row.shape);
    let targets = || tensor(values(&row.targets), row.shape);
    let value = run(&what, row.is_fused, || loss.forward(outputs(), targets()));
    let (same, gradient) = run(&what, row.is_fused, || {
        loss.forward_backward_stacked(outputs(), targets(), None, 1)
    });
    let expected = row.value.value();
    for found in [numbers(&value), numbers(&same)].concat() {
        assert!(
            is_equal(found, expected),
            "{what}: {found}, expected {expected}"
        );
    }
    let found = numbers(&gradient);
    assert_eq!(found.len(), row.outputs.len(), "{what}");
    let Some(expected) = &row.gradient else {
        assert!(found.iter().all(|g| g.is_finite()), "{what}: {found:?}");
        return;
    };
    for (i, (&found, expected)) in found.iter().zip(values(expected)).enumerate() {
        // At a NaN output it may be NaN where PyTorch has a number.
        let is_nan_of_nan = row.outputs[i].value().is_nan() && found.is_nan();
        assert!(
            is_equal(found, expected) || is_nan_of_nan,
            "{what}: gradient[{i}] is {found}, expected {expected}"
        );
    }
}

#[test]
fn every_loss_has_reference_rows_for_its_defaults() {
    let rows = table().losses;
    for function in Loss::examples() {
        for loss in [
            LossConfig::mean(function.clone()),
            LossConfig::sum(function),
        ] {
            for case in ["ordinary", "near_zero", "one_row"] {
                let has_row = (rows.iter()).any(|row| row.loss == loss && row.case == case);
                assert!(
                    has_row,
                    "no row {case} in tests-data/kernels.json: {loss:?}"
                );
            }
        }
    }
}

#[test]
fn fused_losses_equal_pytorch_near_zero_and_at_ordinary_outputs() {
    assert_losses(&[
        "ordinary",
        "near_zero",
        "soft_targets",
        "counts",
        "one_output",
    ]);
}

#[test]
fn fused_losses_equal_pytorch_at_logits_of_800_and_more() {
    assert_losses(&["far_out", "saturated"]);
}

#[test]
fn fused_losses_of_one_row_equal_pytorch() {
    assert_losses(&["one_row"]);
}

#[test]
fn fused_losses_pass_nan_and_infinity_on_as_pytorch_does() {
    assert_losses(&["nan", "infinite"]);
}

// PyTorch gives infinity or NaN at infinite logits, depending on the signs. Here it may be either.
#[test]
fn fused_bce_of_infinite_logits_is_not_finite() {
    let loss = LossConfig::sum(BceWithLogits::default());
    for (logit, target) in [
        (f64::INFINITY, 0.0),
        (f64::INFINITY, 1.0),
        (f64::NEG_INFINITY, 0.0),
        (f64::NEG_INFINITY, 1.0),
    ] {
        let one = |x| tensor(vec![x], [1, 1]);
        let (value, _) = loss.forward_backward_stacked(one(logit), one(target), None, 1);
        assert!(!numbers(&value)[0].is_finite(), "{logit}, {target}");
    }
}

#[test]
fn fused_losses_of_two_networks_are_those_of_each() {
    let rows = table().losses;
    for row in rows.iter().filter(|row| row.case == "ordinary") {
        let twice = |numbers| {
            let [batch, d_output] = row.shape;
            tensor(values(numbers).repeat(2), [2 * batch, d_output])
        };
        let (outputs, targets) = (twice(&row.outputs), twice(&row.targets));
        let (found, gradient) = row.loss.forward_backward_stacked(outputs, targets, None, 2);
        let expected = row.gradient.as_ref().expect("a gradient");
        for (found, expected) in [
            (numbers(&found), vec![row.value.value(); 2]),
            (numbers(&gradient), values(expected).repeat(2)),
        ] {
            assert_eq!(found.len(), expected.len());
            for (&found, expected) in found.iter().zip(expected) {
                assert!(
                    is_equal(found, expected),
                    "{:?}: {found}, {expected}",
                    row.loss
                );
            }
        }
    }
}

/// The loss of a batch and its gradient by the biases, by a whole training: one step of a layer whose outputs are its
/// inputs.
fn by_whole_training(row: &LossRow) -> Option<(f64, Vec<f64>)> {
    let [num_rows, width] = row.shape;
    let identity = (0..width * width).map(|k| f64::from(u8::from(k % (width + 1) == 0)));
    let parameters: Vec<f64> = identity.chain(vec![0.0; width]).collect();
    let sgd = Optimizer::Sgd {
        momentum: 0.0,
        nesterov: false,
        weight_decay: 0.0,
    };
    let loss = row.loss.function.fused()?;
    let plan = Plan {
        reduction: row.loss.reduction.fused(),
        ..Plan::new(&[width, width], Activation::Linear, loss, sgd)
    };
    let state = State {
        parameters,
        running: Vec::new(),
        buffers: Vec::new(),
        step: 0,
        step_seed: 0,
    };
    let (inputs, targets) = (values(&row.outputs), values(&row.targets));
    let data = Data {
        inputs: &inputs,
        targets: &targets,
        weights: None,
        foreground: None,
    };
    let rows: Vec<u32> = (0..num_rows as u32).collect();
    let mut results = Results::default();
    let mut training = HostTraining::new(plan, state).expect("a state of the plan");
    training.train(data, &rows, num_rows, &[1.0], &mut results);
    let biases = training.state().parameters.split_off(width * width);
    Some((results.losses[0], biases.iter().map(|bias| -bias).collect()))
}

#[test]
fn losses_of_whole_trainings_by_fused_kernels_equal_pytorch() {
    let mut num_compared = 0;
    for row in table().losses {
        let is_finite = row.outputs.iter().all(|output| output.value().is_finite());
        let Some(gradient) = row.gradient.as_ref().filter(|_| is_finite) else {
            continue;
        };
        let Some((value, biases)) = by_whole_training(&row) else {
            continue;
        };
        num_compared += 1;
        let what = format!("{:?}, {}", row.loss, row.case);
        let width = row.shape[1];
        let mut expected = vec![0.0; width];
        for (place, slope) in values(gradient).into_iter().enumerate() {
            expected[place % width] += slope;
        }
        let pairs = biases.into_iter().zip(expected);
        for (found, expected) in pairs.chain([(value, row.value.value())]) {
            let is_near = (found - expected).abs() <= 1e-9 * expected.abs().max(1.0);
            assert!(is_near, "{what}: {found}, expected {expected}");
        }
    }
    assert!(num_compared > 100, "only {num_compared} rows were compared");
}

#[test]
fn fused_losses_of_no_rows_sum_to_zero() {
    for loss in [
        LossConfig::sum(BceWithLogits::default()),
        LossConfig::sum(CrossEntropy::default()),
    ] {
        let none = || tensor(Vec::new(), [0, 3]);
        let (value, gradient) = loss.forward_backward_stacked(none(), none(), None, 1);
        assert_eq!(numbers(&value), [0.0], "{loss:?}");
        assert_eq!(gradient.dims(), [0, 3], "{loss:?}");
    }
}
