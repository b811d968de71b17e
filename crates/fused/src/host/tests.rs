//! Trainings on the host against the slopes of their own losses, in f64, and against themselves.

use super::HostTraining;
use crate::dropout::DropoutMask;
use crate::foreground::Foreground;
use crate::plan::{
    Activation, Average, Clipping, Data, Loss, Normalization, Optimizer, Penalty, Plan, Results,
    State,
};
use crate::real::Real;

const SGD: Optimizer = Optimizer::Sgd {
    momentum: 0.0,
    nesterov: false,
    weight_decay: 0.0,
};

const ADAM: Optimizer = Optimizer::Adam {
    beta_1: 0.9,
    beta_2: 0.999,
    epsilon: 1e-8,
    weight_decay: 0.01,
    decoupled_decay: 0.1,
};

const ACTIVATIONS: [Activation; 11] = [
    Activation::Linear,
    Activation::Sigmoid,
    Activation::Tanh,
    Activation::Relu,
    Activation::LeakyRelu { alpha: 0.2 },
    Activation::Elu { alpha: 0.7 },
    Activation::Selu,
    Activation::Swish,
    Activation::Gelu,
    Activation::Softplus,
    Activation::Mish,
];

const NORMALIZATIONS: [Normalization; 5] = [
    Normalization::None,
    Normalization::Batch {
        momentum: 0.1,
        epsilon: 1e-5,
    },
    Normalization::Sample {
        num_groups: 1,
        epsilon: 1e-5,
        has_scale: true,
    },
    Normalization::Sample {
        num_groups: 3,
        epsilon: 1e-5,
        has_scale: true,
    },
    Normalization::Sample {
        num_groups: 1,
        epsilon: 1e-5,
        has_scale: false,
    },
];

const LOSSES: [Loss; 16] = [
    Loss::BceWithLogits,
    Loss::WeightedBceWithLogits {
        positive_weight: 2.5,
    },
    Loss::Bce,
    Loss::BceNaive,
    Loss::CrossEntropy,
    Loss::SmoothedCrossEntropy {
        label_smoothing: 0.2,
    },
    Loss::CrossEntropyNaive,
    Loss::KlDivergence {
        label_smoothing: 0.2,
    },
    Loss::Mse,
    Loss::Mae,
    Loss::Huber { delta: 0.4 },
    Loss::LogCosh,
    Loss::Quantile { quantile: 0.8 },
    Loss::Poisson,
    Loss::Hinge,
    Loss::Focal {
        gamma: 2.0,
        alpha: 0.3,
    },
];

/// A network with five inputs, two hidden layers and three outputs, trained by plain SGD.
pub(crate) fn plan(activation: Activation, normalization: Normalization, loss: Loss) -> Plan {
    let output = match loss {
        Loss::Bce | Loss::BceNaive => Activation::Sigmoid,
        _ => Activation::Linear,
    };
    Plan {
        activations: vec![activation, activation, output],
        normalizations: vec![normalization; 2],
        ..Plan::new(&[5, 6, 18, 3], activation, loss, SGD)
    }
}

/// Numbers of a wave, as unlike each other as random ones.
fn wave<T: Real>(length: usize, factor: f64, shift: f64) -> Vec<T> {
    let numbers = (0..length).map(|k| factor * (1.7 * k as f64 + shift).sin());
    numbers.map(T::from_f64).collect()
}

fn state<T: Real>(plan: &Plan) -> State<T> {
    let num_parameters = plan.num_parameters();
    State {
        parameters: wave(num_parameters, 0.6, 0.3),
        // Variances are positive.
        running: vec![T::from_f64(0.8); plan.num_running()],
        buffers: vec![vec![T::ZERO; num_parameters]; plan.num_buffers()],
        step: 0,
        step_seed: 0,
    }
}

/// Samples with one-hot targets.
struct Samples<T> {
    inputs: Vec<T>,
    targets: Vec<T>,
    weights: Vec<T>,
    foreground: Option<Foreground<T>>,
}

impl<T: Real> Samples<T> {
    /// Samples, four of five of whose inputs are the background of their column, which are found by their foreground.
    fn with_background(num_samples: usize, plan: &Plan) -> Self {
        let mut samples = Self::new(num_samples, plan);
        for (k, x) in samples.inputs.iter_mut().enumerate() {
            if k * 7 % 11 > 1 {
                *x = T::from_f64([0.0, -0.4, 1.5][k % plan.d_input() % 3]);
            }
        }
        samples.foreground = Foreground::of(&samples.inputs, plan, num_samples);
        assert!(samples.foreground.is_some());
        samples
    }

    fn new(num_samples: usize, plan: &Plan) -> Self {
        let d_output = plan.d_output();
        let targets = (0..num_samples * d_output).map(|k| {
            let is_class = k % d_output == k / d_output * 7 % 11 % d_output;
            T::from_f64(f64::from(u8::from(is_class)))
        });
        Self {
            inputs: wave(num_samples * plan.d_input(), 1.5, 0.0),
            targets: targets.collect(),
            weights: (0..num_samples)
                .map(|k| T::from_f64((k % 4) as f64 * 0.5))
                .collect(),
            foreground: None,
        }
    }

    fn data(&self) -> Data<'_, T> {
        Data {
            inputs: &self.inputs,
            targets: &self.targets,
            weights: Some(&self.weights),
            foreground: self.foreground.as_ref(),
        }
    }
}

fn train<T: Real>(plan: &Plan, state: State<T>, samples: &Samples<T>, rows: &[u32]) -> T {
    let mut training = HostTraining::new(plan.clone(), state).expect("a state of the plan");
    let mut results = Results::default();
    training.train(samples.data(), rows, rows.len(), &[0.1], &mut results);
    results.losses[0]
}

/// The gradients of the first step: the difference of the parameters, by a learning rate of one.
fn gradients(plan: &Plan, samples: &Samples<f64>, rows: &[u32]) -> Vec<f64> {
    let start = state(plan);
    let mut training = HostTraining::new(plan.clone(), start.clone()).expect("a state of the plan");
    training.train(
        samples.data(),
        rows,
        rows.len(),
        &[1.0],
        &mut Results::default(),
    );
    let after = training.state().parameters;
    start
        .parameters
        .iter()
        .zip(after)
        .map(|(a, b)| a - b)
        .collect()
}

/// Compares every thirteenth gradient of the first step with the slope of the loss. Gives how many it compared.
fn compare_gradients_with_slopes(plan: &Plan, rows: &[u32]) -> usize {
    let samples = Samples::new(rows.len(), plan);
    let gradients = gradients(plan, &samples, rows);
    let largest = gradients.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
    assert!(largest > 1e-3, "{plan:?}: no gradient");
    let mut num_compared = 0;
    for index in (0..gradients.len()).step_by(13) {
        let loss_at = |step: f64| {
            let mut state = state(plan);
            state.parameters[index] += step;
            train(plan, state, &samples, rows)
        };
        let slope = |step: f64| (loss_at(step) - loss_at(-step)) / (2.0 * step);
        let (wide, narrow) = (slope(2e-5), slope(1e-5));
        // Beside a kink of relu, hinge or mae the two disagree.
        if (wide - narrow).abs() > 1e-6 * largest {
            continue;
        }
        num_compared += 1;
        let difference = (narrow - gradients[index]).abs();
        assert!(
            difference <= 1e-5 * largest,
            "{plan:?}, parameter {index}: {} is not {narrow}",
            gradients[index]
        );
    }
    num_compared
}

#[test]
fn gradients_are_the_slopes_of_the_loss() {
    let rows: Vec<u32> = (0..7).map(|k| k * 3 % 7).collect();
    let mut num_compared = 0;
    for activation in ACTIVATIONS {
        for normalization in NORMALIZATIONS {
            for loss in LOSSES {
                let plan = plan(activation, normalization, loss);
                num_compared += compare_gradients_with_slopes(&plan, &rows);
            }
        }
    }
    assert!(num_compared > 10_000, "only {num_compared} were compared");
}

#[test]
fn gradients_are_the_slopes_of_the_loss_with_normalizations_that_differ_from_layer_to_layer() {
    let rows: Vec<u32> = (0..7).map(|k| k * 3 % 7).collect();
    let mut num_compared = 0;
    for first in NORMALIZATIONS {
        for second in NORMALIZATIONS {
            let mut plan = plan(Activation::Tanh, first, Loss::CrossEntropy);
            plan.normalizations[1] = second;
            num_compared += compare_gradients_with_slopes(&plan, &rows);
        }
    }
    assert!(num_compared > 300, "only {num_compared} were compared");
}

#[test]
fn gradients_are_the_slopes_of_the_loss_with_dropout_and_residual_connections() {
    let rows: Vec<u32> = (0..7).map(|k| k * 3 % 7).collect();
    let mut num_compared = 0;
    for activation in ACTIVATIONS {
        for normalization in NORMALIZATIONS {
            for residual in [vec![], vec![false, true, false]] {
                for rates in [vec![], vec![0.5, 0.0, 0.2]] {
                    let mut plan = plan(activation, normalization, Loss::CrossEntropy);
                    plan.sizes = vec![5, 6, 6, 18, 3];
                    plan.normalizations = vec![normalization; plan.hidden().len()];
                    plan.activations.insert(0, activation);
                    (plan.residual, plan.dropout) = (residual.clone(), rates);
                    num_compared += compare_gradients_with_slopes(&plan, &rows);
                }
            }
        }
    }
    assert!(num_compared > 2000, "only {num_compared} were compared");
}

#[test]
fn a_penalty_adds_its_slope_to_the_gradients_of_weights_alone() {
    let rows: Vec<u32> = (0..7).collect();
    let mut plan = plan(Activation::Tanh, NORMALIZATIONS[1], Loss::CrossEntropy);
    let samples = Samples::new(7, &plan);
    let without = gradients(&plan, &samples, &rows);
    let (l1, l2) = (0.3, 0.7);
    plan.penalty = Some(Penalty { l1, l2 });
    let with = gradients(&plan, &samples, &rows);
    let parameters = state::<f64>(&plan).parameters;
    let mut place = 0;
    for (index, length) in plan.parameter_lengths().into_iter().enumerate() {
        let is_weight = index < 2 * plan.num_layers() && index % 2 == 0;
        for i in place..place + length {
            let expected = match is_weight {
                true => l1 * parameters[i].signum() + l2 * parameters[i],
                false => 0.0,
            };
            let found = with[i] - without[i];
            assert!((found - expected).abs() < 1e-12, "{i}: {found}");
        }
        place += length;
    }
}

#[test]
fn a_penalty_is_added_before_gradients_are_clipped() {
    let rows: Vec<u32> = (0..7).collect();
    let mut plan = plan(Activation::Tanh, Normalization::None, Loss::CrossEntropy);
    plan.penalty = Some(Penalty { l1: 5.0, l2: 0.0 });
    let samples = Samples::new(7, &plan);
    plan.clipping = Some(Clipping::Norm(0.1));
    let gradients_of = |plan: &Plan| gradients(plan, &samples, &rows);
    let norm = gradients_of(&plan)
        .iter()
        .map(|g| g * g)
        .sum::<f64>()
        .sqrt();
    assert!((norm - 0.1).abs() < 1e-6, "{norm}");
    plan.clipping = Some(Clipping::Value(0.01));
    let largest = gradients_of(&plan)
        .iter()
        .fold(0.0_f64, |a, b| a.max(b.abs()));
    assert!((largest - 0.01).abs() < 1e-12, "{largest}");
}

#[test]
fn the_weights_of_every_unit_end_each_step_within_the_largest_norm() {
    let rows: Vec<u32> = (0..7).collect();
    let bounded = 0.9;
    let mut plan = plan(Activation::Tanh, Normalization::None, Loss::CrossEntropy);
    let samples = Samples::new(7, &plan);
    let after = |plan: &Plan| {
        let mut training = HostTraining::new(plan.clone(), state(plan)).expect("a state");
        training.train(samples.data(), &rows, 7, &[0.1], &mut Results::default());
        training.state().parameters
    };
    let free = after(&plan);
    plan.max_norm = Some(bounded);
    let held = after(&plan);
    let (mut place, mut num_scaled) = (0, 0);
    for pair in plan.sizes.windows(2) {
        for unit in 0..pair[1] {
            let weights = (0..pair[0]).map(|input| place + input * pair[1] + unit);
            let squares = |of: &[f64]| weights.clone().map(|i| of[i] * of[i]).sum::<f64>();
            let norm = squares(&free).sqrt();
            let factor = if norm > bounded {
                bounded / (norm + 1e-7)
            } else {
                1.0
            };
            num_scaled += usize::from(norm > bounded);
            for i in weights.clone() {
                assert!((held[i] - free[i] * factor).abs() < 1e-12, "{i}");
            }
        }
        let bias = place + pair[0] * pair[1];
        assert_eq!(held[bias..bias + pair[1]], free[bias..bias + pair[1]]);
        place = bias + pair[1];
    }
    assert!(num_scaled > 5, "only {num_scaled} norms were too large");
}

/// The parameters after each of some steps, and the average that is evaluated after the last.
fn steps_and_average(average: Average) -> (Vec<Vec<f64>>, Vec<f64>) {
    let rows: Vec<u32> = (0..7).collect();
    let mut plan = plan(Activation::Tanh, NORMALIZATIONS[1], Loss::CrossEntropy);
    (plan.optimizer, plan.average) = (ADAM, Some(average));
    let samples = Samples::new(7, &plan);
    let mut training = HostTraining::new(plan.clone(), state(&plan)).expect("a state");
    let mut after = Vec::new();
    for _ in 0..7 {
        training.train(samples.data(), &rows, 7, &[0.1], &mut Results::default());
        after.push(training.parameters());
    }
    let mut evaluated = Results::default();
    training.evaluate(samples.data(), 0..7, &mut evaluated);
    assert_eq!(Some(&training.parameters()), after.last());
    let averaged = training.evaluated_parameters();
    // A network with these parameters gives the outputs of the evaluation.
    let mut state = training.state();
    (state.parameters, plan.average) = (averaged.clone(), None);
    state.buffers.pop();
    let mut plain = HostTraining::new(plan, state).expect("a state");
    let mut expected = Results::default();
    plain.evaluate(samples.data(), 0..7, &mut expected);
    assert_eq!(evaluated, expected);
    (after, averaged)
}

#[test]
fn an_exponential_average_is_evaluated_in_place_of_the_parameters() {
    let (after, averaged) = steps_and_average(Average::Exponential { decay: 0.8 });
    let mut expected = after[0].clone();
    for parameters in &after[1..] {
        for (average, parameter) in expected.iter_mut().zip(parameters) {
            *average = 0.8 * *average + 0.2 * parameter;
        }
    }
    for (found, expected) in averaged.iter().zip(expected) {
        assert!(
            (found - expected).abs() < 1e-12,
            "{found} is not {expected}"
        );
    }
}

#[test]
fn an_average_of_epochs_is_the_mean_of_their_ends() {
    // Epochs end after steps 2, 4 and 6; the first does not count.
    let average = Average::Epochs {
        skipped: 1,
        steps_per_epoch: 2,
    };
    let (after, averaged) = steps_and_average(average);
    for (i, found) in averaged.iter().enumerate() {
        let expected = (after[3][i] + after[5][i]) / 2.0;
        assert!(
            (found - expected).abs() < 1e-12,
            "{found} is not {expected}"
        );
    }
    assert!(!average.has_begun(3) && average.has_begun(4));
}

#[test]
fn dropped_units_follow_from_the_row_of_the_batch_and_are_kept_in_evaluations() {
    // A batch of 500 rows is walked through in several tiles.
    let mut plan = plan(Activation::Linear, Normalization::None, Loss::Mse);
    plan.sizes = vec![5, 64, 3];
    plan.normalizations.clear();
    plan.activations.pop();
    plan.dropout = vec![0.4];
    let samples = Samples::<f64>::new(500, &plan);
    let mut training = HostTraining::new(plan.clone(), state(&plan)).expect("a state");
    let rows: Vec<u32> = (0..500).collect();
    let (mut trained, mut evaluated) = (Results::default(), Results::default());
    training.evaluate(samples.data(), 0..500, &mut evaluated);
    training.train(samples.data(), &rows, 500, &[0.0], &mut trained);
    let masks = DropoutMask::new(0.4, 0, 0, 0).factors(500, 64);
    let parameters = state::<f64>(&plan).parameters;
    let (first, second) = parameters.split_at(5 * 64 + 64);
    for row in 0..500 {
        let hidden = |unit: usize| {
            let inputs = &samples.inputs[5 * row..5 * row + 5];
            let products = inputs.iter().enumerate();
            products.fold(first[5 * 64 + unit], |sum, (i, x)| {
                sum + x * first[i * 64 + unit]
            })
        };
        for output in 0..3 {
            let sum = |factor: &dyn Fn(usize) -> f64| {
                let products = (0..64).map(|i| hidden(i) * factor(i) * second[i * 3 + output]);
                products.sum::<f64>() + second[64 * 3 + output]
            };
            let dropped = sum(&|i| masks[row * 64 + i]);
            assert!((trained.outputs[row * 3 + output] - dropped).abs() < 1e-9);
            assert!((evaluated.outputs[row * 3 + output] - sum(&|_| 1.0)).abs() < 1e-9);
        }
    }
}

#[test]
fn float32_equals_float64_to_its_precision() {
    let rows: Vec<u32> = (0..50).map(|k| k * 3 % 50).collect();
    for activation in ACTIVATIONS {
        for normalization in NORMALIZATIONS {
            for loss in LOSSES {
                let mut plan = plan(activation, normalization, loss);
                plan.optimizer = ADAM;
                let in_f64 = {
                    let samples = Samples::<f64>::new(50, &plan);
                    train(&plan, state(&plan), &samples, &rows)
                };
                let in_f32 = {
                    let samples = Samples::<f32>::new(50, &plan);
                    train(&plan, state(&plan), &samples, &rows)
                };
                let difference = (in_f64 - f64::from(in_f32)).abs();
                assert!(
                    difference <= 2e-5 * in_f64.abs().max(1.0),
                    "{plan:?}: {in_f32} is not {in_f64}"
                );
            }
        }
    }
}

#[test]
fn a_training_that_begins_with_the_state_of_another_continues_with_the_same_bits() {
    let optimizers = [
        SGD,
        ADAM,
        Optimizer::Sgd {
            momentum: 0.9,
            nesterov: true,
            weight_decay: 0.01,
        },
        Optimizer::RmsProp {
            alpha: 0.99,
            epsilon: 1e-8,
            momentum: 0.9,
            weight_decay: 0.0,
        },
        Optimizer::NAdam {
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            momentum_decay: 0.004,
            weight_decay: 0.01,
        },
        Optimizer::AdaGrad {
            epsilon: 1e-10,
            weight_decay: 0.01,
        },
    ];
    let rows: Vec<u32> = (0..120).map(|k| k * 7 % 40).collect();
    let rates = [0.02, 0.03, 0.01, 0.02, 0.05, 0.01, 0.02, 0.03];
    for optimizer in optimizers {
        for normalization in NORMALIZATIONS {
            let mut plan = plan(Activation::Tanh, normalization, Loss::CrossEntropy);
            (plan.optimizer, plan.clipping) = (optimizer, Some(Clipping::Norm(0.5)));
            (plan.dropout, plan.max_norm) = (vec![0.2, 0.5], Some(2.0));
            plan.average = Some(Average::Exponential { decay: 0.7 });
            let samples = Samples::<f32>::new(40, &plan);
            let mut whole = HostTraining::new(plan.clone(), state(&plan)).expect("a state");
            let mut results = Results::default();
            whole.train(samples.data(), &rows, 16, &rates, &mut results);
            let mut cut = HostTraining::new(plan.clone(), state(&plan)).expect("a state");
            let mut cut_results = Results::default();
            for (rows, rate) in rows.chunks(16).zip(&rates) {
                cut.train(samples.data(), rows, 16, &[*rate], &mut cut_results);
                cut = HostTraining::new(plan.clone(), cut.state()).expect("its own state");
            }
            assert_eq!(whole.state(), cut.state(), "{plan:?}");
            assert_eq!(results, cut_results, "{plan:?}");
            assert_eq!(results.sizes, [16, 16, 16, 16, 16, 16, 16, 8]);
        }
    }
}

#[test]
fn inputs_that_are_mostly_background_train_like_all_numbers_multiplied() {
    let clippings = [None, Some(Clipping::Value(0.01)), Some(Clipping::Norm(0.1))];
    // More rows than a tile has, in an order of their own and in that of the samples.
    let shuffled: Vec<u32> = (0..900).map(|k| k * 7 % 450).collect();
    let in_order: Vec<u32> = (0..900).map(|k| k % 450).collect();
    for normalization in NORMALIZATIONS {
        for clipping in clippings {
            for rows in [&shuffled, &in_order] {
                let mut plan = plan(Activation::Tanh, normalization, Loss::CrossEntropy);
                plan.sizes = vec![37, 150, 18, 3];
                (plan.optimizer, plan.clipping) = (ADAM, clipping);
                plan.penalty = Some(Penalty { l1: 0.01, l2: 0.1 });
                let mut samples = Samples::<f64>::with_background(450, &plan);
                let train = |samples: &Samples<f64>| {
                    let mut training =
                        HostTraining::new(plan.clone(), state(&plan)).expect("a state");
                    let mut results = Results::default();
                    training.train(samples.data(), rows, 450, &[0.01; 2], &mut results);
                    training.train(samples.data(), &rows[..9], 9, &[0.01], &mut results);
                    training.evaluate(samples.data(), 3..450, &mut results);
                    (training.state(), results)
                };
                let (state, results) = train(&samples);
                samples.foreground = None;
                let (dense_state, dense_results) = train(&samples);
                let pairs = [
                    (&state.parameters, &dense_state.parameters),
                    (&state.running, &dense_state.running),
                    (&results.losses, &dense_results.losses),
                    (&results.outputs, &dense_results.outputs),
                ];
                for (numbers, dense) in pairs {
                    assert_eq!(numbers.len(), dense.len());
                    for (x, y) in numbers.iter().zip(dense) {
                        // Sums in another order differ by a few units of the last place, which Adam's first steps,
                        // whatever the size of a gradient, can enlarge.
                        assert!((x - y).abs() < 1e-8, "{x} and {y} of {plan:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_weight_of_the_background_that_is_nan_spoils_every_output() {
    let mut plan = plan(Activation::Relu, Normalization::None, Loss::Mse);
    plan.sizes = vec![37, 20, 18, 3];
    let samples = Samples::<f32>::with_background(20, &plan);
    let mut state = state(&plan);
    // A weight of a column whose background is zero.
    state.parameters[0] = f32::NAN;
    let mut training = HostTraining::new(plan, state).expect("a state");
    let mut results = Results::default();
    training.evaluate(samples.data(), 0..20, &mut results);
    assert!(results.outputs.iter().all(|x| x.is_nan()));
}

#[test]
fn a_state_of_another_network_is_refused() {
    let plan = plan(Activation::Relu, Normalization::None, Loss::Mse);
    let mut other = state::<f32>(&plan);
    other.parameters.pop();
    let refused = HostTraining::new(plan.clone(), other).expect_err("a number is missing");
    let expected = plan.num_parameters();
    let found = expected - 1;
    let message = format!("expected {expected} parameters, found {found}");
    assert_eq!(refused.to_string(), message);
}

#[cfg(target_arch = "x86_64")]
#[test]
fn vectors_of_eight_and_of_sixteen_numbers_give_the_same_bits() {
    let (Some(short), Some(long)) = (pulp::x86::V3::try_new(), pulp::x86::V4::try_new()) else {
        // One of the two is missing on this processor, and there is nothing to compare.
        return;
    };
    let rows: Vec<u32> = (0..100).map(|k| k * 7 % 50).collect();
    for activation in ACTIVATIONS {
        for normalization in NORMALIZATIONS {
            for loss in LOSSES {
                let mut plan = plan(activation, normalization, loss);
                plan.optimizer = ADAM;
                plan.sizes = vec![5, 18, 18, 3];
                plan.normalizations = vec![normalization; plan.hidden().len()];
                (plan.dropout, plan.residual) = (vec![0.2, 0.5], vec![false, true]);
                (plan.penalty, plan.max_norm) = (Some(Penalty { l1: 0.01, l2: 0.1 }), Some(2.0));
                let all_samples = [
                    Samples::<f32>::new(50, &plan),
                    Samples::with_background(50, &plan),
                ];
                for samples in all_samples {
                    let train = |arch| {
                        let mut training =
                            HostTraining::new(plan.clone(), state(&plan)).expect("a state");
                        training.arch = arch;
                        let mut results = Results::default();
                        training.train(samples.data(), &rows, 17, &[0.01; 6], &mut results);
                        (training.state(), results)
                    };
                    let short = train(pulp::x86::Arch::V3(short));
                    let long = train(pulp::x86::Arch::V4(long));
                    assert_eq!(short, long, "{plan:?}");
                }
            }
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let mut plan = plan(Activation::Relu, Normalization::None, Loss::CrossEntropy);
    // The products of the first layer are large enough to be shared.
    plan.sizes = vec![600, 200, 18, 3];
    plan.normalizations.clear();
    plan.optimizer = ADAM;
    let rows: Vec<u32> = (0..260).map(|k| k * 7 % 130).collect();
    let train = |samples: &Samples<f32>, num_threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(num_threads)
            .build();
        pool.expect("threads").install(|| {
            let mut training = HostTraining::new(plan.clone(), state(&plan)).expect("a state");
            let mut results = Results::default();
            training.train(samples.data(), &rows, 100, &[0.01; 3], &mut results);
            training.evaluate(samples.data(), 0..130, &mut results);
            (training.state(), results)
        })
    };
    let all_samples = [
        Samples::new(130, &plan),
        Samples::with_background(130, &plan),
    ];
    for samples in &all_samples {
        let alone = train(samples, 1);
        assert_eq!(alone, train(samples, 2));
        assert_eq!(alone, train(samples, 5));
    }
}

#[test]
fn buffers_of_gradients_that_stay_zero_become_zero() {
    let mut plan = plan(Activation::Relu, Normalization::None, Loss::Mse);
    plan.optimizer = ADAM;
    let mut state = state::<f32>(&plan);
    // Weights of zero and targets of zero have no gradients.
    state.parameters.fill(0.0);
    for buffer in &mut state.buffers {
        buffer.fill(f32::MIN_POSITIVE);
    }
    let mut samples = Samples::new(4, &plan);
    samples.targets.fill(0.0);
    let mut training = HostTraining::new(plan, state).expect("a state of the plan");
    training.train(
        samples.data(),
        &[0, 1, 2, 3],
        4,
        &[0.1],
        &mut Results::default(),
    );
    for buffer in training.state().buffers {
        assert!(buffer.iter().all(|&x| x == 0.0));
    }
}
