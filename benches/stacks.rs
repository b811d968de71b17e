//! The time of a step for each network of a batched model, on each CPU device.
//!
//! `cargo bench --bench stacks` runs all, `cargo bench --bench stacks -- flex` those of one device.

mod cases;
mod laps;
mod whole;

use std::sync::mpsc::channel;
use std::time::Instant;

use emberlab_datasets::{Batches, DeviceDataset};
use emberlab_models::BatchedModel;
use emberlab_training::{Optimizer, Trainer};

use crate::cases::{Case, cases, loss};
use crate::laps::micros;
use crate::whole::fit;

/// Networks in one program.
const STACKS: [usize; 4] = [1, 4, 16, 64];

fn main() {
    cases::use_one_thread();
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    println!("µs per step and network      networks      bare     whole");
    // Large networks gain nothing: they are there for their matrices alone.
    for case in cases().filter(|case| case.dims[0] < 784) {
        let name = case.to_string();
        if wanted.iter().any(|word| !name.contains(word)) {
            continue;
        }
        // Moons are one full batch, the others have epochs of some steps.
        let num_batches = if case.dims[0] == 2 { 1 } else { 20 };
        let data = case.data(num_batches);
        for num_networks in STACKS {
            let bare = |num_epochs| bare(case, &data, num_networks, num_epochs);
            let whole = |num_epochs| whole(case, &data, num_networks, num_epochs);
            let found = micros([&bare, &whole], num_batches);
            let [bare, whole] = found.map(|micros| micros / num_networks as f64);
            println!("{name:<27} {num_networks:>9} {bare:>9.2} {whole:>9.2}");
        }
    }
}

/// Batches, gradients and update, and nothing else. Returns when each epoch ended.
fn bare(case: Case, data: &DeviceDataset, num_networks: usize, num_epochs: usize) -> Vec<Instant> {
    let config = case.training(num_epochs).batches();
    let supervised = case.supervised();
    let networks = vec![supervised.network.clone(); num_networks];
    let optimizers = vec![Optimizer::new(&case.optimizer(), &supervised); num_networks];
    let mut stack = BatchedModel::new(&networks).expect("networks of one shape");
    let mut optimizer = Optimizer::stacked(&optimizers).expect("their optimisers");
    let data = DeviceDataset::stacked(&vec![data.clone(); num_networks]);
    let seeds: Vec<u64> = (0..num_networks as u64).collect();
    let rates = vec![0.01; num_networks];
    let loss = loss();
    let mut ends = Vec::new();
    for epoch in 0..num_epochs {
        for batch in Batches::stacked(&data, &config, &seeds, epoch as u64) {
            let targets = batch.targets;
            let (outputs, statistics, saved) = stack.forward_saving(batch.inputs, None);
            let (_, delta) = loss.forward_backward_stacked(outputs, targets, None, num_networks);
            let gradients = saved.backward(delta);
            let moved = optimizer.step_stack(stack.clone(), gradients, &rates);
            stack = moved.with_running_statistics(statistics);
        }
        ends.push(Instant::now());
    }
    ends
}

/// The loop of `emberlab compare --stack`. Returns when each epoch of the first network ended.
fn whole(case: Case, data: &DeviceDataset, num_networks: usize, num_epochs: usize) -> Vec<Instant> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut ends = Vec::new();
    let fits = (0..num_networks).map(|seed| {
        let own = folder.path().join(seed.to_string());
        std::fs::create_dir(&own).expect("a folder of its own");
        let (clock, told) = channel();
        ends.push(told);
        let mut fit = fit(case, data, num_epochs, &own, clock);
        fit.seed = seed as u64;
        (fit, None)
    });
    Trainer::run_all(fits.collect()).expect("trainings");
    ends[0].iter().collect()
}
