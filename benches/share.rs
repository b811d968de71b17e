//! What the whole loop costs over the bare one: six networks on each CPU device, side by side.
//!
//! `cargo bench --bench share` runs all, `cargo bench --bench share -- flex` those of one device.

mod cases;

use std::time::Instant;

use emberlab_datasets::{Batches, Resident};
use emberlab_storage::{CheckpointStore, Identity};
use emberlab_training::{
    CheckpointConfig, Dashboard, EpochRecord, Fit, Observer, Optimizer, SchedulerConfig, SplitData,
    StopFlag, Task, TrainingError,
};

use crate::cases::{Case, cases, loss};

/// Of how many measurements of a kind the fastest counts: others are slowed by other work.
const ROUNDS: usize = 25;

/// Seconds that the longer one takes, about: short enough to be left alone now and then.
const SECONDS: f64 = 0.025;

fn main() {
    cases::use_one_thread();
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    println!("µs per step            steps per epoch      bare     whole   learner's share");
    for case in cases() {
        let name = case.to_string();
        if wanted.iter().any(|word| !name.contains(word)) {
            continue;
        }
        for num_batches in [20, 1] {
            let data = case.data(num_batches);
            let [bare, whole] = micros(case, &data, num_batches);
            let share = 100.0 * (whole / bare - 1.0);
            println!("{name:<27} {num_batches:>10} {bare:>9.1} {whole:>9.1} {share:>15.1} %");
        }
    }
}

/// Microseconds per step of the bare loop and of the whole one, measured by turns.
///
/// Of each, what a long training takes more than a short one: start and last checkpoint do not count.
fn micros(case: Case, data: &Resident, num_batches: usize) -> [f64; 2] {
    let bare = |num_epochs| bare(case, data, num_epochs);
    let whole = |num_epochs| whole(case, data, num_epochs);
    let train: [&dyn Fn(usize); 2] = [&bare, &whole];
    let seconds = |path: usize, num_epochs| {
        let began = Instant::now();
        train[path](num_epochs);
        began.elapsed().as_secs_f64()
    };
    let warm_up = (100 / num_batches).max(1);
    let per_epoch = seconds(0, warm_up) / warm_up as f64;
    let short = ((SECONDS / 5.0 / per_epoch) as usize).max(1);
    let lengths = [short, 5 * short];
    let mut fastest = [[f64::INFINITY; 2]; 2];
    for _ in 0..ROUNDS {
        for (path, fastest) in fastest.iter_mut().enumerate() {
            for (fastest, length) in fastest.iter_mut().zip(lengths) {
                *fastest = fastest.min(seconds(path, length));
            }
        }
    }
    let num_steps = (lengths[1] - lengths[0]) * num_batches;
    fastest.map(|[short, long]| (long - short) / num_steps as f64 * 1e6)
}

/// Batches, gradients and update, and nothing else.
fn bare(case: Case, data: &Resident, num_epochs: usize) {
    let config = case.training(num_epochs).batches();
    let mut trainee = case.trainee();
    let mut optimizer = Optimizer::new(&case.optimizer(), &trainee);
    for epoch in 0..num_epochs {
        for batch in Batches::new(data, &config, 0, epoch as u64) {
            (trainee, _) = trainee.after_step(batch, None, &mut optimizer, 0.01);
        }
    }
}

/// The loop of `emberlab train`, with metrics, events and checkpoints, without a split to validate on.
fn whole(case: Case, data: &Resident, num_epochs: usize) {
    struct Silent;
    impl Observer for Silent {
        fn epoch_ended(&mut self, _: &EpochRecord) -> Result<(), TrainingError> {
            Ok(())
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let fit = Fit {
        label: case.to_string(),
        network: case.network(),
        loss: loss(),
        task: Task::Multiclass {
            num_classes: case.dims[case.dims.len() - 1],
        },
        optimizer: case.optimizer(),
        scheduler: SchedulerConfig::Constant {},
        training: case.training(num_epochs),
        checkpoint: CheckpointConfig::default(),
        store: Some(CheckpointStore::new(folder.path().join("run"), 2)),
        identity: Identity {
            config: String::new(),
            data_sha256: String::new(),
        },
        seed: 0,
        data: SplitData {
            train: data.clone(),
            valid: None,
            test: None,
        },
        dashboard: Dashboard::Quiet,
        stop: StopFlag::default(),
        observer: Box::new(Silent),
    };
    fit.run(None).expect("a training");
}
