//! The time of a training step: six networks on each CPU device, bare and piece by piece.
//!
//! `cargo bench --bench steps` runs all, `cargo bench --bench steps -- flex` those of one device.
#![allow(missing_docs)] // divan's attribute makes public items of its own

mod cases;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use divan::Bencher;
use emberlab_datasets::{Batch, Batches};
use emberlab_models::{Activation, StepSeeds};
use emberlab_training::{Optimizer, StepRules, SupervisedModel};
use serde_json::json;

use crate::cases::{Case, cases, from_json, loss};

/// Networks without dropout take no masks from this.
const NO_MASKS: StepSeeds<'static> = StepSeeds {
    seeds: &[0],
    step: 0,
};

/// Batches to take turns with.
const BATCHES: usize = 20;

fn main() {
    cases::use_one_thread();
    divan::main();
}

fn batches(case: Case) -> Vec<Batch> {
    Batches::new(&case.data(BATCHES), &case.training(1).batches(), 0, 0).collect()
}

/// Gradients and update alone.
#[divan::bench(args = cases())]
fn bare_step(bencher: Bencher, case: Case) {
    bench_steps(bencher, case, case.supervised());
}

/// The same by autodiff.
#[divan::bench(args = cases())]
fn bare_step_by_autodiff(bencher: Bencher, case: Case) {
    bench_steps(bencher, case, SupervisedModel::new(case.network(), loss()));
}

fn bench_steps(bencher: Bencher, case: Case, mut supervised: SupervisedModel) {
    let batches = batches(case);
    let mut optimizer = Optimizer::new(&case.optimizer(), &supervised);
    let mut steps = 0;
    bencher.bench_local(|| {
        let batch = batches[steps % BATCHES].clone();
        steps += 1;
        (supervised, _) =
            supervised.after_step(batch, NO_MASKS, &StepRules::default(), &mut optimizer, 0.01);
    });
}

/// Outputs alone, in evaluation mode.
#[divan::bench(args = cases())]
fn forward(bencher: Bencher, case: Case) {
    let batches = batches(case);
    let plain = case.supervised().valid();
    bencher.bench_local(|| plain.evaluate(batches[0].clone()));
}

/// The update alone.
#[divan::bench(args = cases())]
fn optimizer(bencher: Bencher, case: Case) {
    let batch = batches(case).remove(0);
    let supervised = case.supervised();
    let mut optimizer = Optimizer::new(&case.optimizer(), &supervised);
    bencher
        .with_inputs(|| supervised.gradients(&batch, None).grads)
        .bench_local_values(|gradients| optimizer.step(supervised.clone(), gradients, 0.01));
}

/// All batches of a shuffled epoch.
#[divan::bench(args = cases())]
fn twenty_batches(bencher: Bencher, case: Case) {
    let data = case.data(BATCHES);
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
        let (y, saved) = activation.forward_saving(x.clone());
        activation.backward(saved, y)
    });
}
