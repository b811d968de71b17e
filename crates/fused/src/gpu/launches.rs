//! Launches of the kernel, as many as the actions of a call need.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Instant;

use cubecl::prelude::*;

use super::actions::Actions;
use super::buffer::{Buffer, read_all};
use super::error::GpuError;
use super::kernel::{CallLaunch, InputsLaunch, OutputsLaunch, TABLE, train};
use super::layout::Measure;
use super::pace::iterations_around;
use super::results::GpuResults;
use super::training::{GpuTraining, Steps};
use crate::Optimizer;
use crate::dropout::seed_words;
use crate::nadam::nadam_factors;

impl GpuTraining {
    /// Runs actions in as many launches as they need, and reads their results. The states at the ends of epochs go into
    /// `snapshots`.
    ///
    /// # Errors
    /// [`GpuError`] if a step is too long for the device, or if the device failed.
    pub(super) fn run(
        &mut self,
        actions: Actions,
        steps: Option<Steps<'_>>,
        snapshots: &Buffer,
    ) -> Result<GpuResults, GpuError> {
        let num_replicas = self.num_replicas();
        let num_actions = actions.iterations.len();
        let num_cells = self.layout.measure.cells(self.plan.d_output());
        let width = match self.layout.measure {
            Measure::Outputs => self.plan.d_output(),
            _ => 0,
        };
        if num_replicas == 0 || num_actions == 0 {
            let mut results = actions.results(num_cells, width);
            results.counts = vec![0; num_replicas * results.groups.len() * num_cells];
            return Ok(results);
        }
        let client = self.client.clone();
        let num_losses = num_replicas * actions.sizes.len();
        let num_counts = num_replicas * actions.groups.len() * num_cells;
        let num_outputs = num_replicas * actions.num_rows() * width;
        let (rates, first_rates) = self.rates(steps);
        let (orders, first_rows) = match steps {
            Some(steps) => shared(
                steps.rows.iter().map(|rows| (rows.as_ptr(), rows.len())),
                |replica, all| {
                    let first = all.len();
                    all.extend_from_slice(steps.rows[replica]);
                    first
                },
            ),
            None => (Vec::new(), vec![0; num_replicas]),
        };
        let mut table = Vec::with_capacity(num_replicas * TABLE);
        for replica in 0..num_replicas {
            table.extend(self.places[replica]);
            table.extend([first_rates[replica], first_rows[replica]]);
            table.push(self.steps[replica] as u32);
            table.extend(seed_words(self.step_seeds[replica]));
        }
        let numbers = Buffer::integers(&client, &actions.numbers);
        let orders = Buffer::integers(&client, &orders);
        let table = Buffer::integers(&client, &table);
        let rates = Buffer::vectors(&client, &rates);
        // The actions write every loss and every output.
        let losses = Buffer::of_floats(&client, num_losses);
        let counts = Buffer::integers(&client, &vec![0; num_counts]);
        let outputs = Buffer::of_floats(&client, num_outputs);
        let done = Buffer::integers(&client, &vec![0; num_replicas]);
        let mut first = 0;
        let mut read = Vec::new();
        while first < num_actions {
            let (last, work) = self.next_launch(&actions, first)?;
            let start = Instant::now();
            train::launch(
                &client,
                CubeCount::Static(num_replicas as u32, 1, 1),
                CubeDim::new_1d(self.layout.units as u32),
                InputsLaunch::new(
                    self.data.argument(),
                    orders.argument(),
                    numbers.argument(),
                    table.argument(),
                    rates.argument(),
                ),
                OutputsLaunch::new(
                    self.state.argument(),
                    snapshots.argument(),
                    self.records.argument(),
                    losses.argument(),
                    counts.argument(),
                    outputs.argument(),
                    done.argument(),
                ),
                CallLaunch::new(
                    first as u32,
                    last as u32,
                    actions.sizes.len() as u32,
                    actions.groups.len() as u32,
                    actions.num_rows() as u32,
                    2,
                ),
                self.layout.clone(),
            );
            // All results come with the last launch: each read waits for the device.
            let buffers = [&done, &losses, &counts, &outputs];
            let num_read = if last == num_actions {
                buffers.len()
            } else {
                1
            };
            read = read_all(&client, &buffers[..num_read])?;
            let expected = last - first;
            let done: &[u32] = u32::from_bytes(&read[0]);
            if let Some(replica) = done.iter().position(|&done| done as usize != expected) {
                return Err(GpuError::Stopped {
                    replica,
                    expected,
                    done: done[replica] as usize,
                });
            }
            self.pace.observe(work, start.elapsed());
            first = last;
        }
        let mut results = actions.results(num_cells, width);
        // A buffer for nothing has one element.
        results.losses = f32::from_bytes(&read[1])[..num_losses].to_vec();
        results.counts = u32::from_bytes(&read[2])[..num_counts].to_vec();
        results.outputs = f32::from_bytes(&read[3])[..num_outputs].to_vec();
        Ok(results)
    }

    /// The end of the next launch's actions, and its iterations.
    fn next_launch(&self, actions: &Actions, first: usize) -> Result<(usize, u64), GpuError> {
        let mut work = iterations_around(&self.layout);
        let mut last = first;
        for &iterations in &actions.iterations[first..] {
            let next = work + iterations + 1;
            if next > self.pace.iterations() && last > first {
                break;
            }
            work = next;
            last += 1;
        }
        self.pace.check(work)?;
        Ok((last, work))
    }

    /// The learning rate of each step and what follows from it, and the first step of each replica. Replicas with the
    /// same rates share them.
    fn rates(&self, steps: Option<Steps<'_>>) -> (Vec<f32>, Vec<u32>) {
        let Some(steps) = steps else {
            return (Vec::new(), vec![0; self.num_replicas()]);
        };
        let rates = steps.learning_rates;
        let keys = rates.iter().zip(&self.steps);
        let keys = keys.map(|(rates, steps)| (rates.as_ptr(), rates.len(), *steps));
        // Replicas are usually at the same step, and powers take longer than everything else here.
        let mut factors = (0, Vec::new());
        shared(keys, |replica, numbers| {
            let first = numbers.len() / 4;
            let (done, rates) = (self.steps[replica], rates[replica]);
            if factors.0 != done || factors.1.len() != rates.len() {
                let factors_at = |step| step_factors(self.plan.optimizer, step);
                let steps = (done + 1..).take(rates.len());
                factors = (done, steps.map(factors_at).collect());
            }
            for (factors, &rate) in factors.1.iter().zip(rates) {
                numbers.extend(rate_numbers(self.plan.optimizer, rate, *factors));
            }
            first
        })
    }
}

/// Numbers of all replicas, and where those of each begin. Replicas with the same key share them. `append` adds the numbers
/// of a replica and says where they begin.
fn shared<T, K: Eq + Hash>(
    keys: impl Iterator<Item = K>,
    mut append: impl FnMut(usize, &mut Vec<T>) -> usize,
) -> (Vec<T>, Vec<u32>) {
    let mut numbers = Vec::new();
    let mut firsts: HashMap<K, u32> = HashMap::new();
    let first_of = |(replica, key)| {
        let first = firsts.entry(key);
        *first.or_insert_with(|| append(replica, &mut numbers) as u32)
    };
    let first_of_each = keys.enumerate().map(first_of).collect();
    (numbers, first_of_each)
}

/// What follows from the number of a step, counted from 1: for Adam the divisor of its step size and the root of its second
/// correction, for NAdam the factors of the gradient and of the mean, and the same root.
pub(super) fn step_factors(optimizer: Optimizer, step: u64) -> [f64; 3] {
    match optimizer {
        Optimizer::Adam { beta_1, beta_2, .. } => {
            let step = step as f64;
            let root = (1.0 - beta_2.powf(step)).sqrt();
            [1.0 - beta_1.powf(step), root, 1.0]
        }
        Optimizer::NAdam {
            beta_1,
            beta_2,
            momentum_decay,
            ..
        } => {
            let (of_gradient, of_mean) = nadam_factors(beta_1, momentum_decay, step);
            let root = (1.0 - beta_2.powf(step as f64)).sqrt();
            [of_gradient, root, of_mean]
        }
        Optimizer::Sgd { .. } | Optimizer::RmsProp { .. } | Optimizer::AdaGrad { .. } => [1.0; 3],
    }
}

/// The learning rate; then for Adam its step size, the root of its second correction, and the factor of decoupled decay,
/// for NAdam the rates of the gradient, the same root, and of the mean.
pub(super) fn rate_numbers(optimizer: Optimizer, rate: f64, factors: [f64; 3]) -> [f32; 4] {
    let [first, root, last] = factors;
    let numbers = match optimizer {
        Optimizer::Adam {
            decoupled_decay, ..
        } => [rate, rate / first, root, 1.0 - rate * decoupled_decay],
        Optimizer::NAdam { .. } => [rate, rate * first, root, rate * last],
        Optimizer::Sgd { .. } | Optimizer::RmsProp { .. } | Optimizer::AdaGrad { .. } => {
            [rate, 0.0, 1.0, 1.0]
        }
    };
    numbers.map(|number| number as f32)
}
