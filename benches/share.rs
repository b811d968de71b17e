//! The time of the whole training loop beside the bare one: six networks on each CPU device.
//!
//! `cargo bench --bench share` runs all, `cargo bench --bench share -- flex` those of one device.

mod cases;
mod laps;
mod whole;

use std::sync::mpsc::channel;
use std::time::Instant;

use emberlab_datasets::{Batches, DeviceDataset};
use emberlab_models::StepSeeds;
use emberlab_training::{Optimizer, StepRules};

use crate::cases::{Case, cases};
use crate::laps::micros;
use crate::whole::fit;

/// Networks without dropout take no masks from this.
const NO_MASKS: StepSeeds<'static> = StepSeeds {
    seeds: &[0],
    step: 0,
};

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
            let bare = |num_epochs| bare(case, &data, num_epochs);
            let whole = |num_epochs| whole(case, &data, num_epochs);
            let [bare, whole] = micros([&bare, &whole], num_batches);
            let share = 100.0 * (whole / bare - 1.0);
            println!("{name:<27} {num_batches:>10} {bare:>9.1} {whole:>9.1} {share:>15.1} %");
        }
    }
}

/// Batches, gradients and update, and nothing else. Returns when each epoch ended.
fn bare(case: Case, data: &DeviceDataset, num_epochs: usize) -> Vec<Instant> {
    let config = case.training(num_epochs).batches();
    let mut supervised = case.supervised();
    let mut optimizer = Optimizer::new(&case.optimizer(), &supervised);
    let epochs = (0..num_epochs).map(|epoch| {
        for batch in Batches::new(data, &config, 0, epoch as u64) {
            (supervised, _) =
                supervised.after_step(batch, NO_MASKS, &StepRules::default(), &mut optimizer, 0.01);
        }
        Instant::now()
    });
    epochs.collect()
}

/// The loop of `emberlab train`. Returns when each epoch ended.
fn whole(case: Case, data: &DeviceDataset, num_epochs: usize) -> Vec<Instant> {
    let folder = tempfile::tempdir().expect("a folder");
    let (clock, ends) = channel();
    let fit = fit(case, data, num_epochs, folder.path(), clock);
    fit.run(None).expect("a training");
    ends.iter().collect()
}
