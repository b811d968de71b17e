//! What the whole loop costs over the bare one: six networks on each CPU device, side by side.
//!
//! `cargo bench --bench share` runs all, `cargo bench --bench share -- flex` those of one device.

mod cases;

use std::sync::mpsc::{Sender, channel};
use std::time::Instant;

use emberlab_datasets::{Batches, Resident};
use emberlab_storage::{CheckpointStore, Identity};
use emberlab_training::{
    CheckpointConfig, Dashboard, EpochRecord, Fit, Observer, Optimizer, SchedulerConfig, SplitData,
    StopFlag, Task, TrainingError,
};

use crate::cases::{Case, cases, loss};

/// How often bare and whole take turns.
const ROUNDS: usize = 10;

/// Seconds that a turn takes, about.
const SECONDS: f64 = 0.1;

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

/// Microseconds per step of the bare loop and of the whole one, measured by turns: those of the fastest epoch
/// of each, since others are slowed by other work.
fn micros(case: Case, data: &Resident, num_batches: usize) -> [f64; 2] {
    let began = Instant::now();
    bare(case, data, 2);
    let num_epochs = (SECONDS / began.elapsed().as_secs_f64() * 2.0) as usize + 3;
    let mut fastest = [f64::INFINITY; 2];
    for _ in 0..ROUNDS {
        let ends = [bare(case, data, num_epochs), whole(case, data, num_epochs)];
        for (fastest, ends) in fastest.iter_mut().zip(ends) {
            for epoch in ends.windows(2) {
                *fastest = fastest.min((epoch[1] - epoch[0]).as_secs_f64());
            }
        }
    }
    fastest.map(|seconds| seconds / num_batches as f64 * 1e6)
}

/// Batches, gradients and update, and nothing else. Returns when each epoch ended.
fn bare(case: Case, data: &Resident, num_epochs: usize) -> Vec<Instant> {
    let config = case.training(num_epochs).batches();
    let mut trainee = case.trainee();
    let mut optimizer = Optimizer::new(&case.optimizer(), &trainee);
    let epochs = (0..num_epochs).map(|epoch| {
        for batch in Batches::new(data, &config, 0, epoch as u64) {
            (trainee, _) = trainee.after_step(batch, None, &mut optimizer, 0.01);
        }
        Instant::now()
    });
    epochs.collect()
}

/// Remembers when each epoch ended.
struct Clock(Sender<Instant>);

impl Observer for Clock {
    fn epoch_ended(&mut self, _: &EpochRecord) -> Result<(), TrainingError> {
        self.0.send(Instant::now()).expect("somebody listens");
        Ok(())
    }
}

/// The loop of `emberlab train`, with metrics, events and checkpoints, without a split to validate on.
/// Returns when each epoch ended.
fn whole(case: Case, data: &Resident, num_epochs: usize) -> Vec<Instant> {
    let folder = tempfile::tempdir().expect("a folder");
    let (sender, ends) = channel();
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
        observer: Box::new(Clock(sender)),
    };
    fit.run(None).expect("a training");
    ends.iter().collect()
}
