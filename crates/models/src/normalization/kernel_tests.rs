//! Normalisations against PyTorch: f32 on flex without autodiff. Batch norm has host kernels.

use burn::optim::GradientsParams;
use burn::tensor::{DType, Device};
use emberlab_menu::Menu as _;

use super::tests::{layer, scale_and_shift};
use super::{BatchNormConfig, Norm, Normalization, Over};
use crate::golden::{wave, wave_tensor};
use crate::reference::{Case, Number, Tolerance, assert_equal, matrix, run, table, tensor};

/// The layer with the scale and shift of `tests-data/kernels.py`. `None` for no normalisation.
fn host_layer(normalization: &Normalization) -> Option<Norm> {
    let [gamma, beta] = scale_and_shift(&Device::flex(), DType::F32);
    layer(normalization, &gamma, &beta)
}

/// Compares every normalisation in these cases.
fn assert_normalizations(cases: &[&str]) {
    let table = table();
    for normalization in Normalization::examples() {
        let Some(norm) = host_layer(&normalization) else {
            assert!(normalization.is_none());
            continue;
        };
        let name = normalization.name();
        let row = table.normalizations.get(name);
        let row = row.unwrap_or_else(|| panic!("no row in tests-data/kernels.json: {name}"));
        for case_name in cases {
            // PyTorch refuses to take the variance of a single row.
            if *case_name == "one_row" && matches!(norm.over(), Over::Batch { .. }) {
                continue;
            }
            let what = format!("{name}, {case_name}");
            let case = row.cases.get(*case_name);
            let case = case.unwrap_or_else(|| panic!("no such case: {what}"));
            // Numbers far from zero lose digits when their mean is subtracted.
            let relative = if *case_name == "off_centre" {
                1e-4
            } else {
                1e-5
            };
            assert_case(
                &what,
                &norm,
                row.is_fused,
                case,
                Tolerance::Largest(relative),
            );
        }
    }
}

fn assert_case(what: &str, norm: &Norm, is_fused: bool, case: &Case, tolerance: Tolerance) {
    let what = |part: &str| format!("{part} of {what}");
    let shape = matrix(&case.shape);
    let [x, delta] = [&case.inputs, &case.delta].map(|numbers| tensor(numbers, shape));
    let trained = norm.forward_train(x.clone(), &mut Vec::new());
    assert_equal(&what("outputs"), &trained, &case.outputs, tolerance);

    let mut statistics = Vec::new();
    let (outputs, saved) = run(&what("outputs"), is_fused, || {
        norm.forward_saving(x.clone(), &mut statistics)
    });
    assert_equal(&what("outputs"), &outputs, &case.outputs, tolerance);
    let mut gradients = GradientsParams::new();
    let gradient = run(&what("gradient"), is_fused, || {
        norm.backward(saved, delta, &mut gradients)
    });
    assert_equal(&what("gradient"), &gradient, &case.gradient, tolerance);
    let parameters = norm.parameters();
    assert_eq!(
        parameters.scale_and_shift.is_some(),
        case.gamma_gradient.is_some()
    );
    if let Some((gamma, beta)) = parameters.scale_and_shift {
        for (param, expected) in [(gamma, &case.gamma_gradient), (beta, &case.beta_gradient)] {
            let found = gradients.remove::<1>(param.id).expect("a gradient");
            let expected = expected.as_ref().expect("a scale and a shift");
            assert_equal(&what("scale and shift"), &found, expected, tolerance);
        }
    }

    let norm = (norm.clone()).with_running_statistics(&mut statistics.into_iter(), None);
    let running = norm.parameters().running_statistics;
    assert_eq!(running.is_some(), case.running_mean.is_some());
    if let Some((mean, variance)) = running {
        for (param, expected) in [(mean, &case.running_mean), (variance, &case.running_var)] {
            let expected = expected.as_ref().expect("running statistics");
            assert_equal(
                &what("running statistics"),
                &param.val(),
                expected,
                tolerance,
            );
        }
    }
    let expected = case.evaluated.as_ref().unwrap_or(&case.outputs);
    assert_equal(&what("evaluation"), &norm.forward(x), expected, tolerance);
}

#[test]
fn normalizations_without_autodiff_equal_pytorch_near_zero_ordinary_and_large() {
    assert_normalizations(&[
        "ordinary",
        "near_zero",
        "many_rows",
        "off_centre",
        "far_out",
    ]);
}

#[test]
fn normalizations_without_autodiff_equal_pytorch_where_nothing_varies() {
    assert_normalizations(&["constant_column", "constant_row", "all_zero", "one_row"]);
}

#[test]
fn normalizations_without_autodiff_pass_nan_and_infinity_on_as_pytorch_does() {
    assert_normalizations(&["nan", "infinite"]);
}

#[test]
fn fused_batch_norm_of_one_row_is_the_shift_with_gradient_zero() {
    let normalization = BatchNormConfig::default().into();
    let Some(Norm::Batch(norm)) = host_layer(&normalization) else {
        panic!("a batch norm");
    };
    let num_features = 6;
    let x = wave_tensor(1.0, [1, num_features], &Device::flex(), DType::F32);
    let (y, saved, statistics) = run("outputs", true, || norm.forward_saving(x.clone()));
    let finite = |numbers: Vec<f64>| numbers.into_iter().map(Number::Finite).collect::<Vec<_>>();
    let exact = Tolerance::Largest(1e-7);
    assert_equal("outputs", &y, &finite(wave(4.0, num_features)), exact);
    let zeros = finite(vec![0.0; num_features]);
    let (mean, variance) = (statistics.mean, statistics.variance);
    assert_equal("mean", &mean, &finite(wave(1.0, num_features)), exact);
    assert_equal("variance", &variance, &zeros, exact);
    let mut gradients = GradientsParams::new();
    let delta = run("gradient", true, || norm.backward(saved, x, &mut gradients));
    assert_equal("gradient", &delta, &zeros, exact);
}
