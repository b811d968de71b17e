//! The kernel against a plain training in f64, on whatever device `wgpu` finds.

use std::sync::Arc;

use cubecl::prelude::*;

use super::activation::{Curve, activate};
use super::buffer::Buffer;
use super::layout::{CubeLimits, Layout, Measure};
use super::math::Four;
use super::reference::{self, Reference};
use super::*;
use crate::{
    Activation, Clipping, Loss, Normalization, Optimizer, Penalty, Plan, Reduction, State,
};

const SGD: Optimizer = Optimizer::Sgd {
    momentum: 0.0,
    nesterov: false,
    weight_decay: 0.0,
};

/// An epsilon this large keeps the direction of a tiny gradient, such as that of a bias before a batch normalisation, a
/// smooth function of it.
const ADAM: Optimizer = Optimizer::Adam {
    beta_1: 0.9,
    beta_2: 0.999,
    epsilon: 1e-2,
    weight_decay: 0.0,
    decoupled_decay: 0.0,
};

const BATCH: Normalization = Normalization::Batch {
    momentum: 0.1,
    epsilon: 1e-5,
};

const WHOLE: CubeLimits = CubeLimits {
    shared_memory: 16384,
    units: 256,
};

const VALID: Evaluation = Evaluation {
    split: Split::Valid,
    batch_size: 14,
};

fn gpu() -> Gpu {
    Gpu::open(&Device::Wgpu(Default::default())).expect("a GPU")
}

fn plan(sizes: &[usize], activation: Activation, loss: Loss) -> Plan {
    Plan::new(sizes, activation, loss, SGD)
}

/// Numbers from −1 to 1, the same for the same seed.
fn numbers(seed: u64, count: usize) -> Vec<f32> {
    // SplitMix64: Steele, Lea and Flood 2014, https://doi.org/10.1145/2714064.2660195.
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn start(plan: &Plan, seed: u64) -> State<f32> {
    let num_parameters = plan.num_parameters();
    let mut parameters = numbers(seed, num_parameters);
    parameters.iter_mut().for_each(|w| *w *= 0.8);
    let mut running = vec![0.0; plan.num_running()];
    let mut place = 0;
    if plan.num_running() > 0 {
        for &size in plan.hidden() {
            running[place + size..place + 2 * size].fill(1.0);
            place += 2 * size;
        }
    }
    State {
        parameters,
        running,
        buffers: vec![vec![0.0; num_parameters]; plan.num_buffers()],
        step: 0,
        step_seed: seed,
    }
}

fn samples(plan: &Plan, seed: u64, rows: usize, is_weighted: bool) -> Arc<Samples> {
    let (d_input, d_output) = (plan.d_input(), plan.d_output());
    let noise = numbers(seed + 1, rows * d_output);
    let targets = match plan.loss {
        _ if plan.loss.is_per_sample() => (0..rows)
            .flat_map(|row| {
                let class = (noise[row].abs() * 1e4) as usize % d_output;
                (0..d_output).map(move |j| f32::from(u8::from(j == class)))
            })
            .collect(),
        Loss::Poisson => noise.iter().map(|x| (3.0 * x.abs()).floor()).collect(),
        Loss::BceWithLogits
        | Loss::WeightedBceWithLogits { .. }
        | Loss::Hinge
        | Loss::Focal { .. } => noise
            .iter()
            .map(|x| f32::from(u8::from(*x > 0.0)))
            .collect(),
        _ => noise,
    };
    let weights = numbers(seed + 2, rows).iter().map(|x| x + 1.5).collect();
    Arc::new(Samples {
        inputs: numbers(seed, rows * d_input),
        targets,
        weights: is_weighted.then_some(weights),
    })
}

fn rows_of(numbers: &[f32], width: usize) -> Vec<Vec<f64>> {
    let rows = numbers.chunks_exact(width);
    rows.map(|row| row.iter().map(|&x| f64::from(x)).collect())
        .collect()
}

/// The rows of an epoch, in an order of their own.
fn order(num_rows: usize, seed: usize) -> Vec<u32> {
    let stride = [7, 11, 13]
        .into_iter()
        .find(|s| !num_rows.is_multiple_of(*s))
        .unwrap_or(1);
    (0..num_rows)
        .map(|k| ((k * stride + seed) % num_rows) as u32)
        .collect()
}

struct Case {
    plan: Plan,
    num_rows: usize,
    batch_size: usize,
    is_weighted: bool,
    limits: CubeLimits,
    num_replicas: usize,
}

impl Case {
    fn new(plan: Plan) -> Self {
        Self {
            plan,
            num_rows: 23,
            batch_size: 9,
            is_weighted: false,
            limits: WHOLE,
            num_replicas: 1,
        }
    }

    fn splits(&self, replica: usize) -> Splits {
        let seed = 100 + 10 * replica as u64;
        Splits {
            train: samples(&self.plan, seed, self.num_rows, self.is_weighted),
            valid: Some(samples(&self.plan, seed + 5, 14, self.is_weighted)),
        }
    }

    fn setup(&self) -> GpuSetup {
        let measurement = match self.plan.loss {
            loss if loss.is_per_sample() => Measurement::Classes,
            _ => Measurement::Outputs,
        };
        let replica = |replica: usize| GpuReplica {
            state: start(&self.plan, 7 + replica as u64),
            best: None,
            splits: self.splits(replica),
        };
        GpuSetup {
            plan: self.plan.clone(),
            batch_size: self.batch_size,
            measurement,
            replicas: (0..self.num_replicas).map(replica).collect(),
        }
    }

    fn training(&self) -> GpuTraining {
        GpuTraining::within(gpu(), self.setup(), self.limits).expect("covered")
    }

    /// Trains two epochs on both sides and compares losses, outputs, parameters and an evaluation.
    fn check(&self) {
        let name = format!(
            "{:?}, {} rows of {}",
            self.plan, self.batch_size, self.num_rows
        );
        let mut training = self.training();
        let replicas = 0..self.num_replicas;
        let mut references: Vec<_> = replicas
            .clone()
            .map(|replica| Reference::new(&self.plan, &start(&self.plan, 7 + replica as u64)))
            .collect();
        for epoch in 0..2 {
            let rows: Vec<_> = replicas
                .clone()
                .map(|replica| order(self.num_rows, epoch + replica))
                .collect();
            let num_batches = self.num_rows.div_ceil(self.batch_size);
            let rate =
                |replica: usize, batch: usize| 0.02 * (1.0 + replica as f64) / (1.0 + batch as f64);
            let rates: Vec<Vec<f64>> = replicas
                .clone()
                .map(|replica| (0..num_batches).map(|b| rate(replica, b)).collect())
                .collect();
            let results = training
                .train(Steps {
                    rows: &slices(&rows),
                    learning_rates: &slices(&rates),
                })
                .expect("trained");
            for (replica, reference) in references.iter_mut().enumerate() {
                let samples = self.splits(replica).train;
                let inputs = rows_of(&samples.inputs, self.plan.d_input());
                let targets = rows_of(&samples.targets, self.plan.d_output());
                let mut outputs = Vec::new();
                for (batch, rows) in rows[replica].chunks(self.batch_size).enumerate() {
                    let pick = |all: &[Vec<f64>]| -> Vec<Vec<f64>> {
                        rows.iter().map(|&row| all[row as usize].clone()).collect()
                    };
                    let weights: Option<Vec<f64>> = samples.weights.as_ref().map(|weights| {
                        rows.iter()
                            .map(|&row| f64::from(weights[row as usize]))
                            .collect()
                    });
                    let (loss, y) = reference.step(
                        &pick(&inputs),
                        &pick(&targets),
                        weights.as_deref(),
                        rates[replica][batch],
                    );
                    let found = f64::from(results.of(replica, 0).losses[batch]);
                    assert_near(found, loss, &format!("loss {batch} of {name}"));
                    outputs.extend(y.concat());
                }
                for (found, expected) in results.of(replica, 0).outputs.iter().zip(outputs) {
                    assert_near(f64::from(*found), expected, &format!("output of {name}"));
                }
            }
        }
        let states = training.states(Moment::Now).expect("read");
        let evaluations = training.evaluate(VALID).expect("evaluated");
        for (replica, reference) in references.iter_mut().enumerate() {
            let state = &states.of(replica);
            let pairs = [
                (&state.parameters, &reference.parameters),
                (&state.running, &reference.running),
            ];
            let buffers = state.buffers.iter().zip(&reference.buffers);
            for (found, expected) in pairs.into_iter().chain(buffers) {
                assert_eq!(found.len(), expected.len());
                for (k, (found, expected)) in found.iter().zip(expected).enumerate() {
                    let what = format!("number {k} of the state of {name}");
                    assert_near(f64::from(*found), *expected, &what);
                }
            }
            let samples = self.splits(replica).valid.expect("a validation split");
            let inputs = rows_of(&samples.inputs, self.plan.d_input());
            let targets = rows_of(&samples.targets, self.plan.d_output());
            let weights: Option<Vec<f64>> = samples
                .weights
                .as_ref()
                .map(|weights| weights.iter().map(|&w| f64::from(w)).collect());
            let (loss, _) = reference.evaluate(&inputs, &targets, weights.as_deref());
            let found = f64::from(evaluations.of(replica, 0).losses[0]);
            assert_near(found, loss, &format!("evaluation of {name}"));
        }
    }
}

#[track_caller]
fn assert_near(found: f64, expected: f64, what: &str) {
    let is_near = (found - expected).abs() <= 2e-4 * expected.abs().max(0.05);
    assert!(is_near, "{what}: {found} is not {expected}");
}

#[test]
fn a_plain_network_trains_like_the_reference() {
    Case::new(plan(&[4, 10, 3], Activation::Relu, Loss::CrossEntropy)).check();
}

const ACTIVATIONS: [Activation; 11] = [
    Activation::Linear,
    Activation::Sigmoid,
    Activation::Tanh,
    Activation::Relu,
    Activation::LeakyRelu { alpha: 0.1 },
    Activation::Elu { alpha: 0.7 },
    Activation::Selu,
    Activation::Swish,
    Activation::Gelu,
    Activation::Softplus,
    Activation::Mish,
];

const LOSSES: [Loss; 13] = [
    Loss::CrossEntropy,
    Loss::BceWithLogits,
    Loss::Mse,
    Loss::Mae,
    Loss::Huber { delta: 0.4 },
    Loss::Hinge,
    Loss::Focal {
        gamma: 2.0,
        alpha: 0.3,
    },
    Loss::SmoothedCrossEntropy {
        label_smoothing: 0.2,
    },
    Loss::KlDivergence {
        label_smoothing: 0.1,
    },
    Loss::WeightedBceWithLogits {
        positive_weight: 2.5,
    },
    Loss::LogCosh,
    Loss::Quantile { quantile: 0.8 },
    Loss::Poisson,
];

const OPTIMIZERS: [Optimizer; 9] = [
    SGD,
    Optimizer::Sgd {
        momentum: 0.9,
        nesterov: false,
        weight_decay: 0.01,
    },
    Optimizer::Sgd {
        momentum: 0.8,
        nesterov: true,
        weight_decay: 0.0,
    },
    // Epsilons as large as that of `ADAM`.
    Optimizer::Adam {
        beta_1: 0.9,
        beta_2: 0.99,
        epsilon: 1e-2,
        weight_decay: 0.02,
        decoupled_decay: 0.0,
    },
    Optimizer::Adam {
        beta_1: 0.8,
        beta_2: 0.999,
        epsilon: 1e-2,
        weight_decay: 0.0,
        decoupled_decay: 0.1,
    },
    Optimizer::NAdam {
        beta_1: 0.9,
        beta_2: 0.99,
        epsilon: 1e-2,
        momentum_decay: 0.1,
        weight_decay: 0.01,
    },
    Optimizer::AdaGrad {
        epsilon: 1e-2,
        weight_decay: 0.01,
    },
    Optimizer::RmsProp {
        alpha: 0.95,
        epsilon: 1e-2,
        momentum: 0.0,
        weight_decay: 0.0,
    },
    Optimizer::RmsProp {
        alpha: 0.9,
        epsilon: 1e-2,
        momentum: 0.5,
        weight_decay: 0.01,
    },
];

const CLIPPINGS: [Option<Clipping>; 3] =
    [None, Some(Clipping::Value(0.05)), Some(Clipping::Norm(0.3))];

/// Some activations on networks of some sizes; losses, optimisers and everything else take turns.
fn check_all(
    hidden: &[usize],
    normalization: Normalization,
    activations: impl IntoIterator<Item = Activation>,
    turn: usize,
) {
    for (k, activation) in activations.into_iter().enumerate() {
        let k = k + turn;
        let loss = LOSSES[k % LOSSES.len()];
        let d_output = [3, 1, 2, 4, 5][k % 5].max(if loss == Loss::CrossEntropy { 2 } else { 1 });
        let mut plan = plan(&[&[5], hidden, &[d_output]].concat(), activation, loss);
        plan.normalizations = vec![normalization; plan.hidden().len()];
        plan.optimizer = OPTIMIZERS[(k + k / 7) % OPTIMIZERS.len()];
        plan.clipping = CLIPPINGS[k % CLIPPINGS.len()];
        plan.has_bias = k % 4 != 1;
        plan.reduction = if k % 5 == 2 {
            Reduction::Sum
        } else {
            Reduction::Mean
        };
        if k % 7 == 4 {
            plan.activations.fill(activation);
        }
        let mut case = Case::new(plan);
        case.is_weighted = k % 3 == 1;
        case.check();
    }
}

/// Four activations of the list, from one on.
fn four_from(first: usize) -> impl Iterator<Item = Activation> {
    ACTIVATIONS
        .into_iter()
        .cycle()
        .skip(first)
        .step_by(3)
        .take(4)
}

#[test]
fn all_activations_train_like_the_reference() {
    check_all(&[6], Normalization::None, ACTIVATIONS, 0);
}

#[test]
fn deeper_networks_train_like_the_reference() {
    check_all(&[7, 6, 9], Normalization::None, four_from(0), 11);
}

#[test]
fn networks_with_batch_normalization_train_like_the_reference() {
    check_all(&[6, 8], BATCH, four_from(1), 1);
}

#[test]
fn networks_with_layer_normalization_train_like_the_reference() {
    let normalization = Normalization::Sample {
        num_groups: 1,
        epsilon: 1e-5,
        has_scale: true,
    };
    check_all(&[6, 8], normalization, four_from(2), 5);
}

#[test]
fn networks_with_group_normalization_train_like_the_reference() {
    let normalization = Normalization::Sample {
        num_groups: 2,
        epsilon: 1e-5,
        has_scale: false,
    };
    check_all(&[6, 8], normalization, four_from(0), 9);
}

/// The plan with dropout, residual connections, a penalty and a bound on the norm of weights.
fn regularized(mut plan: Plan) -> Plan {
    plan.dropout = (0..plan.hidden().len())
        .map(|i| 0.2 + 0.1 * i as f64)
        .collect();
    plan.residual = (0..plan.hidden().len()).map(|i| i > 0).collect();
    plan.penalty = Some(Penalty { l1: 0.02, l2: 0.05 });
    plan.max_norm = Some(1.1);
    plan
}

#[test]
fn networks_with_dropout_and_residual_connections_train_like_the_reference() {
    let groups = Normalization::Sample {
        num_groups: 2,
        epsilon: 1e-5,
        has_scale: true,
    };
    let normalizations = [Normalization::None, BATCH, groups];
    for (k, (normalization, clipping)) in normalizations.into_iter().zip(CLIPPINGS).enumerate() {
        let activation = ACTIVATIONS[3 * k + 1];
        let mut plan = regularized(plan(&[5, 6, 6, 6, 3], activation, Loss::CrossEntropy));
        plan.normalizations = vec![normalization; plan.hidden().len()];
        plan.clipping = clipping;
        plan.optimizer = OPTIMIZERS[2 * k];
        Case::new(plan).check();
    }
}

#[test]
fn dropped_units_follow_from_the_row_of_the_batch_in_any_tile() {
    let mut case = Case::new(plan(&[4, 10, 10, 3], Activation::Tanh, Loss::CrossEntropy));
    case.plan = regularized(case.plan);
    (case.num_rows, case.batch_size, case.num_replicas) = (71, 50, 2);
    for shared_memory in [8000, 2700, 400] {
        case.limits.shared_memory = shared_memory;
        assert!(layout_of(&case).tile < case.batch_size || shared_memory < 8000);
        case.check();
    }
}

#[test]
fn batches_of_any_size_train_like_the_reference() {
    for batch_size in [1, 3, 5, 17] {
        let mut case = Case::new(plan(&[3, 5, 2], Activation::Tanh, Loss::CrossEntropy));
        case.batch_size = batch_size;
        case.check();
    }
}

#[test]
fn batches_beyond_shared_memory_train_in_tiles_like_the_reference() {
    let mut case = Case::new(plan(&[4, 10, 3], Activation::Relu, Loss::CrossEntropy));
    case.plan.clipping = Some(Clipping::Norm(0.2));
    (case.num_rows, case.batch_size) = (71, 50);
    case.limits.shared_memory = 5000;
    let layout = layout_of(&case);
    assert!(layout.is_state_shared && layout.are_records_shared);
    assert!(
        layout.tile < case.batch_size && layout.shared_memory() <= 5000,
        "{layout:?}"
    );
    case.check();
}

#[test]
fn layouts_with_all_that_the_device_gives_train_like_the_reference() {
    // The networks of `benches/gpu.rs`.
    let networks: [(&[usize], usize, Optimizer); 3] = [
        (&[4, 10, 3], 8, SGD),
        (&[64, 32, 2], 70, SGD),
        (&[2, 16, 16, 2], 700, ADAM),
    ];
    for (sizes, batch_size, optimizer) in networks {
        let mut case = Case::new(plan(sizes, Activation::Relu, Loss::CrossEntropy));
        case.plan.optimizer = optimizer;
        case.batch_size = batch_size;
        case.num_rows = batch_size + batch_size / 3;
        case.num_replicas = 2;
        case.limits = gpu().limits();
        case.check();
    }
}

#[test]
fn weights_and_rows_in_global_memory_train_like_the_reference() {
    let groups = Normalization::Sample {
        num_groups: 2,
        epsilon: 1e-5,
        has_scale: true,
    };
    for (normalization, shared_memory, places) in [
        (Normalization::None, 2700, (false, true)),
        (Normalization::None, 400, (false, false)),
        (BATCH, 4500, (true, false)),
        (groups, 400, (false, false)),
    ] {
        let mut case = Case::new(plan(&[4, 10, 3], Activation::Swish, Loss::Mse));
        case.plan.normalizations = vec![normalization; case.plan.hidden().len()];
        case.plan.optimizer = ADAM;
        case.limits.shared_memory = shared_memory;
        let layout = layout_of(&case);
        assert_eq!(
            (layout.is_state_shared, layout.are_records_shared),
            places,
            "{layout:?}"
        );
        case.check();
    }
}

fn layout_of(case: &Case) -> Layout {
    let measure = Measure::Outputs;
    Layout::new(
        &case.plan,
        case.batch_size,
        case.is_weighted,
        measure,
        case.limits,
    )
    .expect("covered")
}

#[test]
fn replicas_train_like_the_reference_each_on_its_own_data_and_rates() {
    let mut case = Case::new(plan(&[4, 6, 2], Activation::Relu, Loss::Mse));
    case.num_replicas = 3;
    case.check();
}

/// All numbers of a state as bits, since a NaN equals nothing.
fn bits(state: &State<f32>) -> Vec<u32> {
    let buffers = state.buffers.iter().flatten();
    let numbers = state.parameters.iter().chain(&state.running).chain(buffers);
    numbers.map(|x| x.to_bits()).collect()
}

/// Trains some rows of the order in one call.
fn train_rows(training: &mut GpuTraining, case: &Case, rows: std::ops::Range<usize>) {
    let replicas = 0..training.num_replicas();
    let order = order(case.num_rows, 3);
    let rows: Vec<_> = replicas.map(|_| order[rows.clone()].to_vec()).collect();
    let rates = vec![vec![0.1; rows[0].len().div_ceil(case.batch_size)]; rows.len()];
    let steps = Steps {
        rows: &slices(&rows),
        learning_rates: &slices(&rates),
    };
    training.train(steps).expect("trained");
}

#[test]
fn a_training_cut_into_calls_and_launches_gives_the_same_bits() {
    let mut case = Case::new(plan(&[4, 10, 3], Activation::Gelu, Loss::CrossEntropy));
    case.plan.optimizer = ADAM;
    case.plan.normalizations = vec![BATCH; case.plan.hidden().len()];
    let mut whole = case.training();
    train_rows(&mut whole, &case, 0..23);
    let mut cut = case.training();
    cut.set_launch_length(1);
    train_rows(&mut cut, &case, 0..9);
    train_rows(&mut cut, &case, 9..23);
    // A copy through the host goes on with the same bits, too.
    let mut setup = case.setup();
    let mut first = case.training();
    train_rows(&mut first, &case, 0..18);
    setup.replicas[0].state = first.states(Moment::Now).expect("read").of(0);
    assert_eq!(setup.replicas[0].state.step, 2);
    let mut resumed = GpuTraining::within(gpu(), setup, case.limits).expect("covered");
    train_rows(&mut resumed, &case, 18..23);
    let expected = bits(&whole.states(Moment::Now).expect("read").of(0));
    assert_eq!(
        bits(&cut.states(Moment::Now).expect("read").of(0)),
        expected
    );
    assert_eq!(
        bits(&resumed.states(Moment::Now).expect("read").of(0)),
        expected
    );
}

#[test]
fn a_nan_in_one_replica_touches_no_other() {
    let mut case = Case::new(plan(&[4, 10, 3], Activation::Relu, Loss::CrossEntropy));
    let mut alone = case.training();
    train_rows(&mut alone, &case, 0..23);
    case.num_replicas = 3;
    let mut setup = case.setup();
    setup.replicas = vec![setup.replicas[0].clone(); 3];
    let mut broken = (*setup.replicas[1].splits.train).clone();
    broken.inputs[5] = f32::NAN;
    setup.replicas[1].splits.train = Arc::new(broken);
    let mut together = GpuTraining::within(gpu(), setup, case.limits).expect("covered");
    train_rows(&mut together, &case, 0..23);
    let states = together.states(Moment::Now).expect("read");
    let expected = bits(&alone.states(Moment::Now).expect("read").of(0));
    assert_eq!(bits(&states.of(0)), expected);
    assert_eq!(bits(&states.of(2)), expected);
    assert!(states.of(1).parameters.iter().all(|w| w.is_nan()));
    // A row with a NaN is no prediction, so it is not counted.
    let evaluation = Evaluation {
        split: Split::Train,
        batch_size: 9,
    };
    let results = together.evaluate(evaluation).expect("evaluated");
    let counts: Vec<u32> = (0..3)
        .map(|replica| results.of(replica, 0).counts.iter().sum())
        .collect();
    assert_eq!(counts, [23, 0, 23]);
}

#[test]
fn kept_replicas_train_on_with_the_same_bits() {
    let mut case = Case::new(plan(&[4, 6, 2], Activation::Tanh, Loss::CrossEntropy));
    case.num_replicas = 3;
    let mut all = case.training();
    let mut kept = case.training();
    train_rows(&mut all, &case, 0..9);
    train_rows(&mut kept, &case, 0..9);
    kept.go_on(&[2, 0], Moment::Now).expect("they exist");
    train_rows(&mut all, &case, 9..23);
    train_rows(&mut kept, &case, 9..23);
    let [all, kept] = [&all, &kept].map(|training| training.states(Moment::Now).expect("read"));
    assert_eq!([kept.of(0), kept.of(1)], [all.of(2), all.of(0)]);
}

/// The rows and learning rates that each replica borrows.
fn slices<T>(numbers: &[Vec<T>]) -> Vec<&[T]> {
    numbers.iter().map(Vec::as_slice).collect()
}

/// Rows and learning rates of some epochs for each replica.
fn epochs_of(case: &Case, num_epochs: usize, rate: f64) -> (Vec<Vec<u32>>, Vec<Vec<f64>>) {
    let orders = (0..num_epochs).map(|epoch| order(case.num_rows, epoch));
    let rows: Vec<u32> = orders.collect::<Vec<_>>().concat();
    let num_steps = num_epochs * case.num_rows.div_ceil(case.batch_size);
    (
        vec![rows; case.num_replicas],
        vec![vec![rate; num_steps]; case.num_replicas],
    )
}

/// Trains some epochs in one call, each with a validation in batches of five rows.
fn train_epochs(
    training: &mut GpuTraining,
    (rows, rates): &(Vec<Vec<u32>>, Vec<Vec<f64>>),
    num_epochs: usize,
) -> GpuResults {
    let steps = Steps {
        rows: &slices(rows),
        learning_rates: &slices(rates),
    };
    let evaluations = [BY_FIVE];
    let results = training.train_epochs(steps, num_epochs, &evaluations);
    results.expect("trained")
}

const BY_FIVE: Evaluation = Evaluation {
    split: Split::Valid,
    batch_size: 5,
};

/// Trains one of the epochs of [`epochs_of`] in a call of its own.
fn train_epoch(training: &mut GpuTraining, case: &Case, epoch: usize, rate: f64) -> GpuResults {
    let order = order(case.num_rows, epoch);
    let rates = vec![rate; case.num_rows.div_ceil(case.batch_size)];
    let num_replicas = training.num_replicas();
    let steps = Steps {
        rows: &vec![order.as_slice(); num_replicas],
        learning_rates: &vec![rates.as_slice(); num_replicas],
    };
    training.train(steps).expect("trained")
}

#[test]
fn epochs_in_one_call_equal_epochs_in_calls_of_their_own() {
    let mut case = Case::new(plan(&[4, 10, 3], Activation::Tanh, Loss::CrossEntropy));
    case.plan.optimizer = ADAM;
    case.plan.normalizations = vec![BATCH; case.plan.hidden().len()];
    case.num_replicas = 2;
    let mut together = case.training();
    let results = train_epochs(&mut together, &epochs_of(&case, 4, 0.1), 4);
    let mut apart = case.training();
    for epoch in 0..4 {
        let trained = train_epoch(&mut apart, &case, epoch, 0.1);
        let valid = apart.evaluate(BY_FIVE).expect("evaluated");
        let found = together.states(Moment::EndOf(epoch)).expect("read");
        let expected = apart.states(Moment::Now).expect("read");
        for replica in 0..2 {
            assert_eq!(found.of(replica), expected.of(replica), "epoch {epoch}");
            assert_eq!(results.of(replica, 2 * epoch), trained.of(replica, 0));
            assert_eq!(results.of(replica, 2 * epoch + 1), valid.of(replica, 0));
            assert_eq!(valid.of(replica, 0).sizes, [5, 5, 4]);
            assert_eq!(valid.of(replica, 0).counts.iter().sum::<u32>(), 14);
        }
    }
    let last = together.states(Moment::Now).expect("read");
    let end = together.states(Moment::EndOf(3)).expect("read");
    assert_eq!([last.of(0), last.of(1)], [end.of(0), end.of(1)]);
}

#[test]
fn a_training_goes_on_from_the_end_of_an_earlier_epoch_with_the_same_bits() {
    let mut case = Case::new(plan(&[4, 10, 3], Activation::Tanh, Loss::CrossEntropy));
    case.plan.optimizer = ADAM;
    case.num_replicas = 3;
    let mut ahead = case.training();
    train_epochs(&mut ahead, &epochs_of(&case, 4, 0.1), 4);
    ahead
        .go_on(&[2, 1], Moment::EndOf(1))
        .expect("it is remembered");
    let mut plain = case.training();
    (0..3).for_each(|epoch| {
        train_epoch(&mut plain, &case, epoch, 0.1);
    });
    train_epoch(&mut ahead, &case, 2, 0.1);
    let [found, expected] =
        [&ahead, &plain].map(|training| training.states(Moment::Now).expect("read"));
    assert_eq!(found.of(0), expected.of(2));
    assert_eq!(found.of(1), expected.of(1));
    let error = ahead.states(Moment::EndOf(0)).expect_err("no epochs");
    assert!(matches!(error, GpuError::Length { .. }), "{error}");
}

#[test]
fn the_best_weights_are_those_that_were_remembered_last() {
    let mut case = Case::new(plan(&[4, 10, 3], Activation::Tanh, Loss::CrossEntropy));
    case.plan.normalizations = vec![BATCH; case.plan.hidden().len()];
    case.num_replicas = 3;
    let mut setup = case.setup();
    let known = Weights {
        parameters: numbers(3, case.plan.num_parameters()),
        running: numbers(4, case.plan.num_running()),
    };
    setup.replicas[2].best = Some(known.clone());
    let mut training = GpuTraining::within(gpu(), setup, case.limits).expect("covered");
    train_epochs(&mut training, &epochs_of(&case, 3, 0.1), 3);
    let now = training.states(Moment::Now).expect("read");
    let first = training.states(Moment::EndOf(0)).expect("read");
    training
        .remember(&[Some(Moment::Now), Some(Moment::EndOf(0)), None])
        .expect("they exist");
    train_epoch(&mut training, &case, 3, 0.1);
    training.go_on(&[2, 1, 0], Moment::Now).expect("they exist");
    let best = training.best_weights().expect("read");
    let of_state = |state: State<f32>| Weights {
        parameters: state.parameters,
        running: state.running,
    };
    assert_eq!(best.of(0), known);
    assert_eq!(best.of(1), of_state(first.of(1)));
    assert_eq!(best.of(2), of_state(now.of(0)));
}

#[test]
fn outputs_above_the_threshold_are_counted_as_class_one() {
    let case = Case::new(plan(&[3, 1], Activation::Linear, Loss::BceWithLogits));
    let mut setup = case.setup();
    let samples = setup.replicas[0].splits.train.clone();
    // The output is the first input, without the others.
    setup.replicas[0].state.parameters = vec![1.0, 0.0, 0.0, 0.0];
    setup.measurement = Measurement::Threshold(0.25);
    let mut training = GpuTraining::within(gpu(), setup, WHOLE).expect("covered");
    let evaluation = Evaluation {
        split: Split::Train,
        batch_size: 10,
    };
    let results = training.evaluate(evaluation).expect("evaluated");
    let mut expected = [0; 4];
    for (inputs, target) in samples.inputs.chunks(3).zip(&samples.targets) {
        expected[2 * *target as usize + usize::from(inputs[0] > 0.25)] += 1;
    }
    assert_eq!(results.of(0, 0).counts, expected);
    assert!(expected.iter().all(|&count| count > 0), "{expected:?}");
}

#[test]
fn a_step_beyond_the_devices_loops_is_refused() {
    let case = Case::new(plan(&[4, 10, 3], Activation::Relu, Loss::CrossEntropy));
    let mut training = case.training();
    training.set_loop_limit(20);
    let steps = Steps {
        rows: &[&order(case.num_rows, 0)],
        learning_rates: &[&[0.1; 3]],
    };
    let error = training.train(steps).expect_err("too long");
    assert!(matches!(error, GpuError::StepTooLong { .. }), "{error}");
}

#[test]
fn a_plan_is_checked_for_the_devices_loops_and_for_its_parts() {
    let small = plan(&[4, 10, 3], Activation::Relu, Loss::CrossEntropy);
    GpuTraining::check(&gpu(), &small, 100, 8, 1024).expect("short steps");
    let naive = plan(&[4, 10, 1], Activation::Relu, Loss::BceNaive);
    let error = GpuTraining::check(&gpu(), &naive, 100, 8, 1024).expect_err("not covered");
    assert!(matches!(error, GpuError::NotCovered(_)), "{error}");
    let has_limit = Case::new(small).training().loop_limit().is_some();
    let large = plan(&[784, 256, 10], Activation::Relu, Loss::CrossEntropy);
    let is_refused = matches!(
        GpuTraining::check(&gpu(), &large, 100, 4096, 1024),
        Err(GpuError::StepTooLong { .. })
    );
    assert_eq!(is_refused, has_limit);
}

#[test]
fn a_launch_that_the_device_ends_early_is_an_error() {
    let case = Case::new(plan(&[4, 10, 3], Activation::Relu, Loss::CrossEntropy));
    let mut training = case.training();
    let Some(limit) = training.loop_limit() else {
        return; // a device that runs loops to their end
    };
    // As many iterations as the device refuses to run, in one launch.
    training.set_loop_limit(u64::MAX);
    training.set_launch_length(u64::MAX);
    let num_epochs = limit as usize / 20;
    let (rows, learning_rates) = epochs_of(&case, num_epochs, 0.1);
    let num_steps = rows[0].len().div_ceil(case.batch_size);
    let steps = Steps {
        rows: &[&rows[0]],
        learning_rates: &[&learning_rates[0][..num_steps]],
    };
    let error = training.train(steps).expect_err("ended early");
    assert!(matches!(error, GpuError::Stopped { .. }), "{error}");
}

#[test]
fn losses_without_a_kernel_are_named() {
    let case = Case::new(plan(&[4, 10, 1], Activation::Relu, Loss::BceNaive));
    let error = GpuTraining::new(gpu(), case.setup()).expect_err("not covered");
    assert_eq!(
        error.to_string(),
        "the GPU's fused kernel has no naive binary cross-entropy"
    );
}

#[test]
fn rows_that_do_not_exist_are_refused() {
    let case = Case::new(plan(&[4, 10, 3], Activation::Relu, Loss::CrossEntropy));
    let mut training = case.training();
    let steps = Steps {
        rows: &[&[22, 23]],
        learning_rates: &[&[0.1]],
    };
    let error = training.train(steps).expect_err("row 23 of 23");
    assert_eq!(error.to_string(), "row 23 of 23 does not exist");
}

/// The shapes that were fast in a trial on a real GPU fit into what Vulkan on NVIDIA gives, 48 KiB.
#[test]
fn small_networks_fit_into_shared_memory_with_their_whole_batch() {
    let limits = CubeLimits {
        shared_memory: 48 * 1024,
        units: 1024,
    };
    for (sizes, batch_size, units, tile) in [
        (&[4, 10, 3][..], 8, 32, 8),
        (&[64, 32, 2], 70, 256, 72),
        (&[2, 16, 16, 2], 700, 128, 120),
    ] {
        let plan = plan(sizes, Activation::Relu, Loss::CrossEntropy);
        let layout = Layout::new(&plan, batch_size, false, Measure::Classes, limits);
        let layout = layout.expect("covered");
        assert!(layout.is_state_shared && layout.are_records_shared);
        assert_eq!((layout.units, layout.tile), (units, tile), "{sizes:?}");
        assert!(layout.shared_memory() <= limits.shared_memory);
    }
}

#[cube(launch)]
fn activate_all(
    input: &[Four],
    values: &mut [Four],
    slopes: &mut [Four],
    #[comptime] curve: Curve,
) {
    if ABSOLUTE_POS < input.len() {
        let (value, slope) = activate(input[ABSOLUTE_POS], curve);
        values[ABSOLUTE_POS] = value;
        slopes[ABSOLUTE_POS] = slope;
    }
}

#[test]
fn activations_have_the_accuracy_of_f32() {
    let grid: Vec<f32> = (-4000..=4000)
        .map(|k| {
            let x = k as f32 / 4000.0;
            x * x * x * 100.0
        })
        .chain([0.0, 1e-20, -1e-20])
        .collect();
    let client = gpu().client;
    for activation in ACTIVATIONS {
        let input = Buffer::vectors(&client, &grid);
        let zeros = vec![0.0; grid.len()];
        let values = Buffer::vectors(&client, &zeros);
        let slopes = Buffer::vectors(&client, &zeros);
        activate_all::launch(
            &client,
            CubeCount::Static((grid.len() / 256 + 1) as u32, 1, 1),
            CubeDim::new_1d(64),
            input.argument(),
            values.argument(),
            slopes.argument(),
            activation.into(),
        );
        let values: Vec<f32> = values.read(&client).expect("read");
        let slopes: Vec<f32> = slopes.read(&client).expect("read");
        for ((&x, value), slope) in grid.iter().zip(values).zip(slopes) {
            let x = f64::from(x);
            for (found, expected) in [
                (value, reference::value(activation, x)),
                (slope, reference::slope(activation, x)),
            ] {
                let error = (f64::from(found) - expected).abs();
                let is_near = error <= 2e-6 * expected.abs().max(0.2);
                assert!(is_near, "{activation:?} at {x}: {found} is not {expected}");
            }
        }
    }
}
