//! What a training step costs: six networks on each CPU device, bare, piece by piece and in the whole loop.
//!
//! `cargo bench --bench steps` runs all, `cargo bench --bench steps -- flex` those of one device.
#![allow(missing_docs)] // divan's attribute makes public items of its own

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::module::Module;
use burn::tensor::{DType, Device, Tensor, TensorData};
use burn::train::{InferenceStep, TrainStep};
use divan::Bencher;
use divan::counter::ItemsCount;
use emberlab_datasets::{Batch, Batches, Resident};
use emberlab_models::{Activation, ModelConfig, Network};
use emberlab_storage::{CheckpointStore, Identity};
use emberlab_streams::stream;
use emberlab_training::{
    CheckpointConfig, Dashboard, EpochRecord, Fit, LossConfig, Observer, Optimizer,
    OptimizerConfig, SchedulerConfig, SplitData, StopFlag, Task, Trainee, TrainingConfig,
    TrainingError, device,
};
use serde_json::{Value, json};

/// As in the binary: small tensors are allocated all the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

/// A network of the table in `README.md`, on a device.
#[derive(Clone, Copy)]
struct Case {
    device: &'static str,
    dims: &'static [usize],
    normalization: &'static str,
    batch_size: usize,
    optimizer: &'static str,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dims: Vec<_> = self.dims.iter().map(usize::to_string).collect();
        write!(f, "{} {}", self.device, dims.join("-"))
    }
}

fn cases() -> impl Iterator<Item = Case> {
    let networks: [(&[usize], _, _, _); 6] = [
        (&[784, 100, 100, 100, 10], "batch", 32, "sgd"),
        (&[784, 20, 20, 10], "none", 32, "sgd"),
        (&[784, 256, 128, 10], "none", 256, "adam"),
        (&[64, 32, 2], "none", 70, "sgd"),
        (&[2, 16, 16, 2], "none", 700, "adam"),
        (&[4, 10, 3], "none", 8, "sgd"),
    ];
    let devices = ["flex", "ndarray"];
    let compiled = devices
        .into_iter()
        .filter(|name| device::open(name).is_ok());
    compiled.flat_map(move |device| {
        networks.map(|(dims, normalization, batch_size, optimizer)| Case {
            device,
            dims,
            normalization,
            batch_size,
            optimizer,
        })
    })
}

/// Batches of an epoch: enough that what an epoch costs weighs as in a real training.
const BATCHES: usize = 20;

impl Case {
    fn device(&self) -> Device {
        device::open(self.device).expect("only devices that open are listed")
    }

    fn network(&self) -> Network {
        let [d_input, hidden @ .., d_output] = self.dims else {
            unreachable!("a network has inputs and outputs")
        };
        let model = json!({
            "name": "mlp", "hidden": hidden, "normalization": self.normalization,
        });
        from_json::<ModelConfig>(model)
            .init(
                &[*d_input],
                *d_output,
                &mut stream(0, "init", &[]),
                &self.device().autodiff(),
                DType::F32,
            )
            .expect("a network")
    }

    fn optimizer(&self) -> OptimizerConfig {
        from_json(json!({ "name": self.optimizer, "learning_rate": 0.01 }))
    }

    fn data(&self) -> Resident {
        let rows = BATCHES * self.batch_size;
        let (width, classes) = (self.dims[0], self.dims[self.dims.len() - 1]);
        let inputs: Vec<f32> = (0..rows * width).map(|k| (1.7 * k as f32).sin()).collect();
        let mut targets = vec![0_f32; rows * classes];
        for row in 0..rows {
            targets[row * classes + row * 7 % classes] = 1.0;
        }
        let device = self.device();
        Resident {
            inputs: Tensor::from_data(TensorData::new(inputs, [rows, width]), &device),
            targets: Tensor::from_data(TensorData::new(targets, [rows, classes]), &device),
        }
    }

    fn trainee(&self) -> Trainee {
        Trainee::new(self.network(), loss()).for_training()
    }

    fn batches(&self) -> Vec<Batch> {
        Batches::new(&self.data(), &self.training(1).batches(), 0, 0).collect()
    }

    fn training(&self, num_epochs: usize) -> TrainingConfig {
        from_json(json!({ "num_epochs": num_epochs, "batch_size": self.batch_size }))
    }
}

fn loss() -> LossConfig {
    from_json(json!({ "name": "cross_entropy" }))
}

fn from_json<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("a configuration")
}

/// Gradients and update alone.
#[divan::bench(args = cases())]
fn bare_step(bencher: Bencher, case: Case) {
    bench_steps(bencher, case, case.trainee());
}

/// The same by autodiff.
#[divan::bench(args = cases())]
fn bare_step_by_autodiff(bencher: Bencher, case: Case) {
    bench_steps(bencher, case, Trainee::new(case.network(), loss()));
}

fn bench_steps(bencher: Bencher, case: Case, mut trainee: Trainee) {
    let batches = case.batches();
    let mut optimizer = Optimizer::new(&case.optimizer(), &trainee);
    let mut steps = 0;
    bencher.bench_local(|| {
        let output = TrainStep::step(&trainee, batches[steps % BATCHES].clone());
        steps += 1;
        trainee = optimizer.step(trainee.clone(), output.grads, 0.01);
        let statistics = output.item.statistics;
        trainee.network = trainee.network.clone().with_running_statistics(statistics);
    });
}

/// Ten epochs of twenty steps through the loop: batches, metrics, events, the checkpoint at the end.
#[divan::bench(args = cases())]
fn two_hundred_steps_of_the_loop(bencher: Bencher, case: Case) {
    struct Silent;
    impl Observer for Silent {
        fn epoch_ended(&mut self, _: &EpochRecord) -> Result<(), TrainingError> {
            Ok(())
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let run = AtomicUsize::new(0);
    let train = case.data();
    let num_classes = case.dims[case.dims.len() - 1];
    let fit = || Fit {
        label: case.to_string(),
        network: case.network(),
        loss: loss(),
        task: Task::Multiclass { num_classes },
        optimizer: case.optimizer(),
        scheduler: SchedulerConfig::Constant {},
        training: case.training(10),
        checkpoint: CheckpointConfig::default(),
        store: Some(CheckpointStore::new(
            folder
                .path()
                .join(run.fetch_add(1, Ordering::Relaxed).to_string()),
            2,
        )),
        identity: Identity {
            config: String::new(),
            data_sha256: String::new(),
        },
        seed: 0,
        data: SplitData {
            train: train.clone(),
            valid: None,
            test: None,
        },
        dashboard: Dashboard::Quiet,
        stop: StopFlag::default(),
        observer: Box::new(Silent),
    };
    bencher
        .counter(ItemsCount::new(200_usize))
        .with_inputs(fit)
        .bench_local_values(|fit| fit.run(None).expect("a training"));
}

/// Outputs alone, in evaluation mode.
#[divan::bench(args = cases())]
fn forward(bencher: Bencher, case: Case) {
    let batches = case.batches();
    let plain = case.trainee().valid();
    bencher.bench_local(|| InferenceStep::step(&plain, batches[0].clone()));
}

/// The update alone.
#[divan::bench(args = cases())]
fn optimizer(bencher: Bencher, case: Case) {
    let batch = case.batches().remove(0);
    let trainee = case.trainee();
    let mut optimizer = Optimizer::new(&case.optimizer(), &trainee);
    bencher
        .with_inputs(|| TrainStep::step(&trainee, batch.clone()).grads)
        .bench_local_values(|gradients| optimizer.step(trainee.clone(), gradients, 0.01));
}

/// All batches of a shuffled epoch.
#[divan::bench(args = cases())]
fn twenty_batches(bencher: Bencher, case: Case) {
    let data = case.data();
    let config = case.training(1).batches();
    bencher.bench_local(|| Batches::new(&data, &config, 0, 0).for_each(drop));
}

/// Each activation on 700 times 16 numbers, there and back.
#[divan::bench(args = Activation::NAMES)]
fn activation(bencher: Bencher, name: &str) {
    let activation: Activation = from_json(json!(name));
    let numbers: Vec<f32> = (0..11_200).map(|k| (1.7 * k as f32).sin()).collect();
    let device = Device::flex();
    let x = Tensor::<2>::from_data(TensorData::new(numbers, [700, 16]), &device);
    bencher.bench_local(|| {
        let (y, kept) = activation.forward_keeping(x.clone());
        activation.backward(kept, y)
    });
}
