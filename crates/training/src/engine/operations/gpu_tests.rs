//! Burn operations and the kernels of single operations on a GPU give the numbers of the host.

use burn::module::{Module, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};
use emberlab_datasets::{
    Batches, DeviceDataset, DeviceInputs, Encoding, Samples, Standardize, StandardizeConfig,
    Standardizer, Targets,
};
use emberlab_kernels::{self as kernels, is_on_gpu};
use emberlab_menu::Menu as _;
use emberlab_models::Activation;
use emberlab_run_format::Ending;
use serde_json::{Value, json};

use crate::TrainingConfig;
use crate::device;
use crate::engine::fused::tests::{Run, STEPS_PER_EPOCH, difference};
use crate::engine::testing::{Settings, assert_same, from_json, has_gpu};
use crate::loss::{Loss, LossConfig};
use crate::optimizer::{Optimizer, OptimizerConfig, UpdateRule};
use crate::task::Task;

/// `count` numbers from `low` to `high`, in no order.
fn numbers(count: usize, low: f32, high: f32) -> Vec<f32> {
    let number = |i: usize| (i * 7919 % count) as f32 / (count - 1) as f32;
    (0..count).map(|i| low + (high - low) * number(i)).collect()
}

fn tensor<const D: usize>(numbers: &[f32], shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(numbers.to_vec(), shape), device)
}

fn read<const D: usize>(x: &Tensor<D>) -> Vec<f32> {
    x.to_data().try_to_vec().expect("f32")
}

fn assert_near(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        let is_near = (a - b).abs() <= tolerance * b.abs().max(1.0) || (a.is_nan() && b.is_nan());
        assert!(is_near, "{what}, number {i}: {a}, not {b}");
    }
}

/// The GPU and the host's device.
fn devices() -> [Device; 2] {
    ["wgpu", "flex"].map(|name| device::open(name).expect("a device"))
}

#[test]
fn activations_and_derivatives_on_a_gpu_equal_those_on_the_host() {
    if !has_gpu() {
        return;
    }
    // More numbers than one cube computes, and no multiple of four.
    let (rows, columns) = (345, 7);
    let mut inputs = numbers(rows * columns, -12.0, 12.0);
    inputs[..3].copy_from_slice(&[0.0, f32::NAN, -90.0]);
    let deltas = numbers(rows * columns, -1.0, 1.0);
    for activation in Activation::examples() {
        let [on_gpu, on_host] = devices().map(|device| {
            let x = tensor(&inputs, [rows, columns], &device);
            let (y, saved) = activation.forward_saving(x.clone());
            let delta = tensor(&deltas, [rows, columns], &device);
            let gradient = activation.backward(saved, delta);
            [activation.forward(x), y, gradient]
        });
        for ((x, expected), what) in on_gpu
            .iter()
            .zip(&on_host)
            .zip(["forward", "saving", "backward"])
        {
            assert!(is_on_gpu(x));
            let (found, mut expected) = (read(x), read(expected));
            if what == "backward" {
                // The derivative at NaN is of no use to anybody: one or the other, as the comparison has it.
                expected[1] = found[1];
            }
            assert_near(&found, &expected, 3e-6, &format!("{activation:?} {what}"));
        }
    }
}

#[test]
fn an_activation_keeps_the_order_of_the_dimensions_of_its_inputs() {
    if !has_gpu() {
        return;
    }
    let [gpu, host] = devices();
    let inputs = numbers(6 * 10, -2.0, 2.0);
    let relu: Activation = serde_json::from_value(json!("relu")).expect("an activation");
    let transposed = |device: &Device| {
        let x: Tensor<2> = tensor(&inputs, [6, 10], device).transpose();
        let (y, saved) = relu.forward_saving(x.clone());
        let part = relu.forward(x.clone().slice([1..7, 2..5]));
        [y, relu.backward(saved, x), part]
    };
    for (found, expected) in transposed(&gpu).iter().zip(&transposed(&host)) {
        assert_eq!(read(found), read(expected));
    }
}

/// The largest of each square of two by two pixels, and the gradient by the inputs where the gradient by each result is
/// its own number plus one.
fn pooled(x: &[f32], [batch, height, width]: [usize; 3], channels: usize) -> [Vec<f32>; 2] {
    let (mut results, mut gradient) = (Vec::new(), vec![0.0; x.len()]);
    for (image, row) in (0..batch).flat_map(|image| (0..height / 2).map(move |row| (image, row))) {
        for column in 0..width / 2 {
            for channel in 0..channels {
                let corners = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(down, right)| {
                    let pixel = (image * height + 2 * row + down) * width + 2 * column + right;
                    pixel * channels + channel
                });
                let taken = corners.into_iter().reduce(|taken, next| {
                    let is_larger = x[taken] < x[next] || x[next].is_nan();
                    if is_larger { next } else { taken }
                });
                let taken = taken.expect("four corners");
                gradient[taken] = (results.len() + 1) as f32;
                results.push(x[taken]);
            }
        }
    }
    [results, gradient]
}

#[test]
fn a_max_pool_on_a_gpu_takes_the_first_of_equal_pixels_and_passes_nan_on() {
    if !has_gpu() {
        return;
    }
    let [gpu, _] = devices();
    for (size, channels) in [
        ([2, 4, 6], 3),
        ([3, 5, 7], 2),
        ([1, 2, 2], 1),
        ([5, 28, 28], 16),
    ] {
        let num_pixels: usize = size.iter().product();
        // Few different numbers, so that many are equal.
        let mut x: Vec<f32> = (0..num_pixels * channels)
            .map(|i| (i * 31 % 5) as f32)
            .collect();
        x[1] = f32::NAN;
        let inputs: Tensor<2> = tensor(&x, [num_pixels, channels], &gpu);
        let results = kernels::max_pool(inputs.clone(), size).expect("it is on a GPU");
        let deltas: Vec<f32> = (1..=results.shape().num_elements())
            .map(|i| i as f32)
            .collect();
        let delta = tensor(&deltas, results.dims(), &gpu);
        let gradient = kernels::max_pool_backward(inputs, delta, size);
        let [expected, expected_gradient] = pooled(&x, size, channels);
        let bits = |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&read(&results)), bits(&expected), "{size:?}");
        assert_eq!(read(&gradient), expected_gradient, "{size:?}");
    }
}

#[test]
fn samples_of_bytes_on_a_gpu_are_the_numbers_of_the_host() {
    if !has_gpu() {
        return;
    }
    // Images whose size is no multiple of four, so that rows begin within a word.
    let num_images = 211;
    let pixels = (0..num_images * 35)
        .map(|i| (i * 7919 % 256) as u8)
        .collect();
    let targets = Targets::Classes {
        labels: (0..num_images as u32).map(|i| i % 10).collect(),
        names: (0..10).map(|class| class.to_string()).collect(),
    };
    let images = Samples::of_images(pixels, targets, [1, 5, 7]);
    let rows: Vec<u32> = (0..200).map(|i| i * 7 % 211).collect();
    let per_feature = StandardizeConfig {
        method: Standardize::PerFeature,
        ..StandardizeConfig::default()
    };
    let standardizer = Standardizer::fit(&per_feature, &images, &rows);
    let encoding = Encoding::OneHot { num_classes: 10 };
    let [on_gpu, on_host] = devices().map(|device| {
        let (rows, dtype) = (&rows, DType::F32);
        DeviceDataset::upload(&images, rows, &standardizer, &encoding, &device, dtype)
            .expect("ten classes")
    });
    assert!(matches!(on_gpu.inputs, DeviceInputs::Bytes(_)));
    assert_eq!(on_gpu.inputs.dims(), on_host.inputs.dims());
    assert_eq!(read(&on_gpu.inputs.all()), read(&on_host.inputs.all()));
    assert_eq!(
        read(&on_gpu.inputs.range(7..21)),
        read(&on_host.inputs.range(7..21))
    );
    let batching = from_json::<TrainingConfig>(&json!({ "num_epochs": 1, "batch_size": 32 }));
    let batches = |data| Batches::new(data, &batching.batches(), 3, 1);
    for (batch, expected) in batches(&on_gpu).zip(batches(&on_host)) {
        assert_eq!(read(&batch.inputs), read(&expected.inputs));
        assert_eq!(read(&batch.targets), read(&expected.targets));
    }
}

#[test]
fn losses_and_gradients_on_a_gpu_equal_those_on_the_host() {
    if !has_gpu() {
        return;
    }
    // More rows than a cube has units.
    let rows = 300;
    for columns in [2, 3, 5] {
        let outputs = numbers(rows * columns, 0.02, 0.98);
        let classes = (0..rows * columns).map(|i| i % columns == i / columns * 7 % columns);
        let targets: Vec<f32> = classes
            .map(|is_class| f32::from(u8::from(is_class)))
            .collect();
        let weights = numbers(rows, 0.0, 3.0);
        for function in Loss::examples() {
            for loss in [
                LossConfig::mean(function.clone()),
                LossConfig::sum(function),
            ] {
                for is_weighted in [false, true] {
                    let [on_gpu, on_host] = devices().map(|device| {
                        let [outputs, targets] =
                            [&outputs, &targets].map(|x| tensor(x, [rows, columns], &device));
                        let weights = is_weighted.then(|| tensor(&weights, [rows, 1], &device));
                        let weights = weights.as_ref();
                        let alone =
                            loss.forward_stacked(outputs.clone(), targets.clone(), weights, 1);
                        let (total, gradient) =
                            loss.forward_backward_stacked(outputs, targets, weights, 1);
                        [read(&alone), read(&total), read(&gradient)]
                    });
                    for (found, expected) in on_gpu.iter().zip(&on_host) {
                        let what = format!("{loss:?}, {columns} outputs, weighted {is_weighted}");
                        assert_near(found, expected, 1e-5, &what);
                    }
                }
            }
        }
    }
}

#[derive(Module, Debug)]
struct Two {
    first: Param<Tensor<2>>,
    second: Param<Tensor<1>>,
}

#[test]
fn steps_of_optimisers_on_a_gpu_equal_those_on_the_host() {
    if !has_gpu() {
        return;
    }
    let (of_first, of_second) = (numbers(37 * 31, -1.0, 1.0), numbers(9, -2.0, 2.0));
    let mut rules = UpdateRule::examples();
    let more = [
        json!({ "name": "sgd", "momentum": 0.9, "nesterov": true, "weight_decay": 0.1 }),
        json!({ "name": "sgd", "weight_decay": 0.1 }),
        json!({ "name": "rmsprop", "momentum": 0.5, "weight_decay": 0.1 }),
        json!({ "name": "adam", "weight_decay": 0.1 }),
    ];
    rules.extend(more.map(|rule: Value| serde_json::from_value(rule).expect("a rule")));
    for rule in rules {
        if rule.searches() {
            continue;
        }
        let [on_gpu, on_host] = devices().map(|device| {
            let device = device.autodiff();
            let mut module = Two {
                first: Param::initialized(
                    ParamId::from(0),
                    tensor(&of_first, [37, 31], &device).require_grad(),
                ),
                second: Param::initialized(
                    ParamId::from(1),
                    tensor(&of_second, [9], &device).require_grad(),
                ),
            };
            let mut optimizer = Optimizer::new(&OptimizerConfig::new(rule.clone(), 0.02), &module);
            let mut earlier = None;
            for step in 0..4_u8 {
                let mut gradients = GradientsParams::new();
                let scale = f32::from(step) - 1.5;
                let scaled =
                    |numbers: &[f32]| numbers.iter().map(|x| x * scale).collect::<Vec<_>>();
                let plain = device.clone().inner();
                gradients.register(
                    ParamId::from(0),
                    tensor(&scaled(&of_first), [37, 31], &plain),
                );
                gradients.register(ParamId::from(1), tensor(&scaled(&of_second), [9], &plain));
                module = optimizer.step(module, gradients, 0.02);
                if step == 1 {
                    earlier = Some((optimizer.clone(), optimizer.to_bytes().expect("bytes")));
                }
            }
            // An optimiser that shares its numbers with another is left as it was.
            let (earlier, saved) = earlier.expect("two steps");
            assert_eq!(earlier.to_bytes().expect("bytes"), saved, "{rule:?}");
            [
                read(&module.first.val().inner()),
                read(&module.second.val().inner()),
            ]
        });
        for (found, expected) in on_gpu.iter().zip(&on_host) {
            assert_near(found, expected, 1e-5, &format!("{rule:?}"));
        }
    }
}

/// Trainings of classes, of two classes, of numbers, and with a metric that needs all outputs.
fn tasks() -> Vec<(Task, Value, Value)> {
    let regression = Task::Regression {
        standardizer: Standardizer {
            mean: vec![0.5, 0.0, -1.0],
            std: vec![2.0, 1.0, 0.5],
        },
        on_logs: false,
    };
    let classes = Settings::default().task;
    let running = json!({ "num_epochs": 3, "batch_size": 4, "engine": "burn" });
    let mut asked = running.clone();
    asked["metrics"] = json!(["log_loss", "roc_auc"]);
    vec![
        (
            classes.clone(),
            json!({ "name": "cross_entropy" }),
            running.clone(),
        ),
        (classes, json!({ "name": "cross_entropy" }), asked),
        (regression, json!({ "name": "mse" }), running),
    ]
}

/// Trainings by Burn operations on a device, and what they are.
fn trainings(device: &'static str) -> Vec<(String, Settings)> {
    let settings = |(task, loss, training): (Task, Value, Value)| {
        let what = format!("{task:?}, {training}");
        let settings = Settings {
            model: json!({ "name": "mlp", "hidden": [6], "activation": "tanh" }),
            optimizer: json!({ "name": "adam", "learning_rate": 0.01 }),
            dtype: DType::F32,
            task,
            loss,
            training,
            device,
            ..Settings::default()
        };
        (what, settings)
    };
    tasks().into_iter().map(settings).collect()
}

#[test]
fn weights_and_metrics_of_steps_and_evaluations_on_a_gpu_equal_those_on_the_host() {
    if !has_gpu() {
        return;
    }
    for ((what, on_gpu), (_, on_host)) in trainings("wgpu").iter().zip(&trainings("flex")) {
        assert!(is_on_gpu(&on_gpu.trainer(1, 0.01).data.train.targets));
        let numbers = |settings| {
            let mut run = Run::new(settings, &[1]);
            run.train_to(2 * STEPS_PER_EPOCH + 1);
            run.numbers(0)
        };
        let far = difference(&numbers(on_gpu), &numbers(on_host));
        assert!(far < 1e-4, "{what}: {far}");
    }
}

#[test]
fn metrics_on_a_gpu_do_not_depend_on_when_they_are_read() {
    if !has_gpu() {
        return;
    }
    for (what, settings) in trainings("wgpu") {
        let mut whole = Run::new(&settings, &[1]);
        whole.train_to(2 * STEPS_PER_EPOCH);
        let mut in_parts = Run::new(&settings, &[1]);
        for steps in 1..=2 * STEPS_PER_EPOCH {
            in_parts.train_to(steps);
        }
        assert_eq!(whole.numbers(0), in_parts.numbers(0), "{what}");
    }
}

#[test]
fn whole_trainings_by_burn_operations_on_a_gpu_equal_those_on_the_host() {
    if !has_gpu() {
        return;
    }
    // The training split is evaluated after each epoch, as the validation split is.
    let trainings = |device| {
        let evaluated = |(what, mut settings): (String, Settings)| {
            settings.training["train_metrics"] = json!("evaluated");
            (what, settings)
        };
        trainings(device).into_iter().map(evaluated)
    };
    for ((what, on_gpu), (_, on_host)) in trainings("wgpu").zip(trainings("flex")) {
        let [found] = on_gpu.alone(&[(1, 0.01)]).try_into().expect("one");
        let [expected] = on_host.alone(&[(1, 0.01)]).try_into().expect("one");
        assert_eq!(found.ending, Ending::Completed);
        assert_same(&what, &found, &expected, 1e-4);
    }
}
