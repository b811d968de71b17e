//! The time of a step on a GPU for each of many networks that train at once.
//!
//! `cargo bench -p emberlab-fused --features wgpu --bench gpu` runs all. A number behind `--` is the duration of one
//! measurement in seconds, 1 by default; a name such as `4-10-3` chooses a network.

use std::sync::Arc;
use std::time::Instant;

use emberlab_fused::gpu::{
    Device, Evaluation, Gpu, GpuReplica, GpuSetup, GpuTraining, Measurement, Moment, Samples,
    Split, Splits, Steps,
};
use emberlab_fused::{Activation, Loss, Optimizer, Plan, State};

/// Networks that train at once.
const REPLICAS: [usize; 3] = [1, 64, 1024];

/// Measurements of each case, of which the fastest counts.
const TURNS: usize = 3;

/// A network on data of its size.
struct Case {
    sizes: &'static [usize],
    batch_size: usize,
    batches_per_epoch: usize,
    optimizer: Optimizer,
    /// µs per step and network of JAX 0.10.2 for 1, 64 and 1024 networks, `vmap` over a `scan`, on an NVIDIA H200.
    jax: [f64; 3],
}

const SGD: Optimizer = Optimizer::Sgd {
    momentum: 0.0,
    nesterov: false,
    weight_decay: 0.0,
};

const CASES: [Case; 3] = [
    Case {
        sizes: &[4, 10, 3],
        batch_size: 8,
        batches_per_epoch: 15,
        optimizer: SGD,
        jax: [15.0, 0.308, 0.024],
    },
    Case {
        sizes: &[64, 32, 2],
        batch_size: 70,
        batches_per_epoch: 20,
        optimizer: SGD,
        jax: [22.0, 0.467, 0.088],
    },
    Case {
        sizes: &[2, 16, 16, 2],
        batch_size: 700,
        batches_per_epoch: 1,
        optimizer: Optimizer::Adam {
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            decoupled_decay: 0.0,
        },
        jax: [57.0, 1.222, 0.442],
    },
];

fn main() {
    let words = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'));
    let (numbers, names): (Vec<String>, Vec<String>) =
        words.partition(|word| word.parse::<f64>().is_ok());
    let seconds = numbers
        .first()
        .and_then(|word| word.parse().ok())
        .unwrap_or(1.0);
    println!("{}", gpu().name());
    println!(
        "µs per step and network, training with the loss and confusion counts of every epoch: alone (steps), with a \
         validation after each epoch (epochs); and JAX's time on an NVIDIA H200 over both"
    );
    println!(
        "{:<12} {:>5} {:>9} {:>10} {:>10} {:>12} {:>13}",
        "network", "batch", "networks", "steps", "epochs", "JAX ÷ steps", "JAX ÷ epochs"
    );
    for case in CASES {
        let name = case.name();
        if !names.is_empty() && !names.contains(&name) {
            continue;
        }
        let mut slowest = 0.0;
        for (replicas, jax) in REPLICAS.into_iter().zip(case.jax) {
            // A software device takes too long for many networks.
            let steps_of_epoch = (case.batches_per_epoch * replicas) as f64;
            if 1e-6 * slowest * steps_of_epoch > seconds {
                println!(
                    "{name:<12} {:>5} {replicas:>9}          –          –",
                    case.batch_size
                );
                continue;
            }
            let steps = case.fastest(replicas, seconds, Case::steps);
            let epochs = case.fastest(replicas, seconds, Case::epochs);
            slowest = steps.max(epochs);
            let batch_size = case.batch_size;
            println!(
                "{name:<12} {batch_size:>5} {replicas:>9} {steps:>10.4} {epochs:>10.4} {:>12.1} {:>13.1}",
                jax / steps,
                jax / epochs
            );
        }
    }
}

/// The GPU that wgpu finds.
fn gpu() -> Gpu {
    Gpu::open(&Device::Wgpu(Default::default())).expect("a GPU")
}

impl Case {
    fn name(&self) -> String {
        let sizes: Vec<String> = self.sizes.iter().map(usize::to_string).collect();
        sizes.join("-")
    }

    fn num_rows(&self) -> usize {
        self.batch_size * self.batches_per_epoch
    }

    fn plan(&self) -> Plan {
        Plan::new(
            self.sizes,
            Activation::Relu,
            Loss::CrossEntropy,
            self.optimizer,
        )
    }

    fn samples(&self, num_rows: usize, seed: u32) -> Arc<Samples> {
        let plan = self.plan();
        let mut noise = Noise(seed);
        let classes = (0..num_rows).map(|row| row % plan.d_output());
        let one_hot = classes
            .flat_map(|class| (0..plan.d_output()).map(move |j| f32::from(u8::from(j == class))));
        Arc::new(Samples {
            inputs: (0..num_rows * plan.d_input())
                .map(|_| noise.next())
                .collect(),
            targets: one_hot.collect(),
            weights: None,
        })
    }

    fn training(&self, replicas: usize) -> GpuTraining {
        let plan = self.plan();
        let splits = Splits {
            train: self.samples(self.num_rows(), 1),
            valid: Some(self.samples(self.num_rows() / 5, 2)),
        };
        let replica = |replica: usize| {
            let mut noise = Noise(3 + replica as u32);
            let num_parameters = plan.num_parameters();
            let state = State {
                parameters: (0..num_parameters).map(|_| 0.3 * noise.next()).collect(),
                running: Vec::new(),
                buffers: vec![vec![0.0; num_parameters]; plan.num_buffers()],
                step: 0,
                step_seed: 0,
            };
            GpuReplica {
                state,
                best: None,
                splits: splits.clone(),
            }
        };
        let setup = GpuSetup {
            batch_size: self.batch_size,
            measurement: Measurement::Classes,
            replicas: (0..replicas).map(replica).collect(),
            plan: plan.clone(),
        };
        GpuTraining::new(gpu(), setup).expect("a training that the kernel covers")
    }

    /// The fastest of some measurements, in µs per step and network.
    fn fastest(
        &self,
        replicas: usize,
        seconds: f64,
        run: impl Fn(&Self, &mut GpuTraining, usize, usize) -> f64,
    ) -> f64 {
        let mut training = self.training(replicas);
        // The first runs compile the kernel and find the length of launches.
        let mut num_epochs = 1;
        let mut duration = run(self, &mut training, replicas, num_epochs);
        duration = duration.min(run(self, &mut training, replicas, num_epochs));
        // All networks share the numbers of rows, and each has a loss for every batch.
        let is_small = |num_epochs: usize| {
            num_epochs * self.num_rows() < 1 << 24
                && num_epochs * self.batches_per_epoch * replicas < 1 << 26
        };
        while duration < seconds / 4.0 && is_small(num_epochs) {
            num_epochs *= 4;
            duration = run(self, &mut training, replicas, num_epochs);
        }
        for _ in 1..TURNS {
            duration = duration.min(run(self, &mut training, replicas, num_epochs));
        }
        let states = training.states(Moment::Now).expect("states");
        let is_finite = |replica| states.of(replica).parameters.iter().all(|w| w.is_finite());
        assert!((0..replicas).all(is_finite), "a training that diverged");
        1e6 * duration / (num_epochs * self.batches_per_epoch * replicas) as f64
    }

    /// Rows and learning rates of some epochs, which all networks share.
    fn orders(&self, num_epochs: usize) -> (Vec<u32>, Vec<f64>) {
        let num_rows = self.num_rows() as u32;
        // 7919 is a prime, so each epoch visits each row once.
        let rows = (0..num_epochs as u32)
            .flat_map(|epoch| (0..num_rows).map(move |k| (k * 7919 + epoch) % num_rows));
        let rates = vec![1e-3; num_epochs * self.batches_per_epoch];
        (rows.collect(), rates)
    }

    /// Seconds of some epochs of steps.
    fn steps(&self, training: &mut GpuTraining, replicas: usize, num_epochs: usize) -> f64 {
        let (rows, rates) = self.orders(num_epochs);
        let start = Instant::now();
        let steps = Steps {
            rows: &vec![rows.as_slice(); replicas],
            learning_rates: &vec![rates.as_slice(); replicas],
        };
        training.train(steps).expect("trained");
        start.elapsed().as_secs_f64()
    }

    /// Seconds of some epochs, each with a validation and a state that is kept.
    fn epochs(&self, training: &mut GpuTraining, replicas: usize, num_epochs: usize) -> f64 {
        let (rows, rates) = self.orders(num_epochs);
        let steps_per_epoch = self.batches_per_epoch;
        let most = training.most_epochs();
        let validation = Evaluation {
            split: Split::Valid,
            batch_size: self.num_rows(),
        };
        let start = Instant::now();
        for first in (0..num_epochs).step_by(most) {
            let last = num_epochs.min(first + most);
            let rows = &rows[first * self.num_rows()..last * self.num_rows()];
            let rates = &rates[first * steps_per_epoch..last * steps_per_epoch];
            let steps = Steps {
                rows: &vec![rows; replicas],
                learning_rates: &vec![rates; replicas],
            };
            let results = training.train_epochs(steps, last - first, &[validation]);
            results.expect("trained");
        }
        start.elapsed().as_secs_f64()
    }
}

/// Numbers from −1 to 1 that look random: a linear congruential generator.
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as f32 / (1u32 << 23) as f32 - 1.0
    }
}
