//! The kernel against a plain training in f64, on whatever device `wgpu` finds.

use std::sync::Arc;

use super::layout::CubeLimits;
use super::reference::Reference;
use super::*;
use crate::{Activation, Clipping, Loss, Normalization, Optimizer, Plan, Reduction, State};

const SGD: Optimizer = Optimizer::Sgd {
    momentum: 0.0,
    nesterov: false,
    weight_decay: 0.0,
};

const ADAM: Optimizer = Optimizer::Adam {
    beta_1: 0.9,
    beta_2: 0.999,
    epsilon: 1e-8,
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

fn client() -> Client {
    Device::Wgpu(Default::default()).client()
}

fn plan(sizes: &[usize], activation: Activation, loss: Loss) -> Plan {
    let mut activations = vec![activation; sizes.len() - 1];
    activations[sizes.len() - 2] = Activation::Linear;
    Plan {
        sizes: sizes.to_vec(),
        has_bias: true,
        activations,
        normalization: Normalization::None,
        loss,
        reduction: Reduction::Mean,
        optimizer: SGD,
        clipping: None,
    }
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
        buffers: vec![vec![0.0; num_parameters]; plan.optimizer.num_buffers()],
        step: 0,
    }
}

fn samples(plan: &Plan, seed: u64, rows: usize, is_weighted: bool) -> Arc<Samples> {
    let (d_input, d_output) = (plan.d_input(), plan.d_output());
    let noise = numbers(seed + 1, rows * d_output);
    let targets = match plan.loss {
        Loss::CrossEntropy => (0..rows)
            .flat_map(|row| {
                let class = (noise[row].abs() * 1e4) as usize % d_output;
                (0..d_output).map(move |j| f32::from(u8::from(j == class)))
            })
            .collect(),
        Loss::BceWithLogits | Loss::Hinge | Loss::Focal { .. } => {
            noise.iter().map(|x| f32::from(u8::from(*x > 0.0))).collect()
        }
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
    rows.map(|row| row.iter().map(|&x| f64::from(x)).collect()).collect()
}

/// The rows of an epoch, in an order of their own.
fn order(num_rows: usize, seed: usize) -> Vec<u32> {
    let stride = [7, 11, 13].into_iter().find(|s| !num_rows.is_multiple_of(*s)).unwrap_or(1);
    (0..num_rows).map(|k| ((k * stride + seed) % num_rows) as u32).collect()
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
            Loss::CrossEntropy => Measurement::Classes,
            _ => Measurement::Outputs,
        };
        let replicas = 0..self.num_replicas;
        GpuSetup {
            plan: self.plan.clone(),
            batch_size: self.batch_size,
            measurement,
            states: replicas.clone().map(|r| start(&self.plan, 7 + r as u64)).collect(),
            splits: replicas.map(|replica| self.splits(replica)).collect(),
        }
    }

    fn training(&self) -> GpuTraining {
        GpuTraining::within(client(), self.setup(), self.limits).expect("covered")
    }

    /// Trains two epochs on both sides and compares losses, outputs, parameters and an evaluation.
    fn check(&self) {
        let name = format!("{:?}, {} rows of {}", self.plan, self.batch_size, self.num_rows);
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
            let rate = |replica: usize, batch: usize| {
                0.02 * (1.0 + replica as f64) / (1.0 + batch as f64)
            };
            let rates: Vec<Vec<f64>> = replicas
                .clone()
                .map(|replica| (0..num_batches).map(|b| rate(replica, b)).collect())
                .collect();
            let results = training
                .train(Steps {
                    rows: &rows,
                    learning_rates: &rates,
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
                        rows.iter().map(|&row| f64::from(weights[row as usize])).collect()
                    });
                    let (loss, y) = reference.step(
                        &pick(&inputs),
                        &pick(&targets),
                        weights.as_deref(),
                        rates[replica][batch],
                    );
                    let found = f64::from(results[replica].losses[batch]);
                    assert_near(found, loss, &format!("loss {batch} of {name}"));
                    outputs.extend(y.concat());
                }
                for (found, expected) in results[replica].outputs.iter().zip(outputs) {
                    assert_near(f64::from(*found), expected, &format!("output of {name}"));
                }
            }
        }
        let states = training.states().expect("read");
        let evaluations = training.evaluate(Split::Valid, 14).expect("evaluated");
        for (replica, reference) in references.iter_mut().enumerate() {
            let state = &states[replica];
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
            let found = f64::from(evaluations[replica].losses[0]);
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

const LOSSES: [Loss; 7] = [
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
];

const OPTIMIZERS: [Optimizer; 7] = [
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
    // An epsilon this large keeps the direction of a tiny gradient a smooth function of it.
    Optimizer::Adam {
        beta_1: 0.9,
        beta_2: 0.99,
        epsilon: 1e-3,
        weight_decay: 0.02,
        decoupled_decay: 0.0,
    },
    Optimizer::Adam {
        beta_1: 0.8,
        beta_2: 0.999,
        epsilon: 1e-3,
        weight_decay: 0.0,
        decoupled_decay: 0.1,
    },
    Optimizer::RmsProp {
        alpha: 0.95,
        epsilon: 1e-3,
        momentum: 0.0,
        weight_decay: 0.0,
    },
    Optimizer::RmsProp {
        alpha: 0.9,
        epsilon: 1e-3,
        momentum: 0.5,
        weight_decay: 0.01,
    },
];

const CLIPPINGS: [Option<Clipping>; 3] = [
    None,
    Some(Clipping::Value(0.05)),
    Some(Clipping::Norm(0.3)),
];

/// All activations with one normalisation; losses, optimisers and everything else take turns.
fn check_with(normalization: Normalization, turn: usize) {
    for (k, activation) in ACTIVATIONS.into_iter().enumerate() {
        let k = k + turn;
        let loss = LOSSES[k % LOSSES.len()];
        let d_output = [3, 1, 2, 4, 5][k % 5].max(if loss == Loss::CrossEntropy { 2 } else { 1 });
        let mut plan = plan(&[5, 6, 8, d_output], activation, loss);
        plan.normalization = normalization;
        plan.optimizer = OPTIMIZERS[(k + k / 7) % OPTIMIZERS.len()];
        plan.clipping = CLIPPINGS[k % CLIPPINGS.len()];
        plan.has_bias = k % 4 != 1;
        plan.reduction = if k % 5 == 2 { Reduction::Sum } else { Reduction::Mean };
        let mut case = Case::new(plan);
        case.is_weighted = k % 3 == 1;
        case.check();
    }
}

#[test]
fn all_activations_train_like_the_reference() {
    check_with(Normalization::None, 0);
}

#[test]
fn networks_with_batch_normalization_train_like_the_reference() {
    check_with(BATCH, 1);
}

#[test]
fn networks_with_layer_normalization_train_like_the_reference() {
    let normalization = Normalization::Sample {
        num_groups: 1,
        epsilon: 1e-5,
        has_scale: true,
    };
    check_with(normalization, 2);
}

#[test]
fn networks_with_group_normalization_train_like_the_reference() {
    let normalization = Normalization::Sample {
        num_groups: 2,
        epsilon: 1e-5,
        has_scale: false,
    };
    check_with(normalization, 3);
}
