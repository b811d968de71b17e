//! Training in the host's memory, with vector instructions chosen where the program runs.
//!
//! A batch is walked through in tiles of rows that stay in the processor's cache. Sums keep one order whatever the
//! vectors' length, so a processor with AVX2 and one with AVX-512 give the same bits.

mod activation;
mod backward;
mod buffer;
mod elementwise;
mod forward;
mod layout;
mod loss;
mod normalization;
mod optimizer;
mod product;
mod rows;
mod sparse;
mod work;

use std::ops::Range;

use pulp::Arch;

use backward::bounded;
use buffer::Buffer;
use elementwise::Loop;
use layout::Layout;
use loss::LossWork;
use optimizer::Buffers;
use product::{PADDING, stride_of};
use rows::Rows;
use sparse::SparseWork;
use work::{LayerWork, Work};

use crate::noise::StepNoise;
use crate::plan::{Clipping, Data, Normalization, Plan, PlanError, Results, State};
use crate::real::Real;

/// A network in training, with its optimiser and the memory of its steps.
#[derive(Debug)]
pub struct HostTraining<T> {
    plan: Plan,
    layout: Layout,
    arch: Arch,
    parameters: Buffer<T>,
    gradients: Buffer<T>,
    /// Mean and variance of each hidden layer, padded, if it has batch normalisation.
    running: Vec<Option<(Buffer<T>, Buffer<T>)>>,
    buffers: Vec<Buffer<T>>,
    step: u64,
    step_seed: u64,
    work: Work<T>,
}

/// The mode of a forward pass.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Training,
    Evaluation,
}

/// Bytes of a tile's rows, which lie in the second-level cache: smaller tiles cost more starts than they save.
const TILE_BYTES: usize = 256 * 1024;

/// Rows of a tile whose products walk through weights larger than the first-level cache.
const ROWS_FOR_LARGE_WEIGHTS: usize = 256;

impl<T: Real> HostTraining<T> {
    /// Begins or continues a training.
    ///
    /// # Errors
    /// [`PlanError`] if plan and state do not fit together.
    pub fn new(plan: Plan, state: State<T>) -> Result<Self, PlanError> {
        plan.check(&state)?;
        let layout = Layout::new(&plan);
        let padded = |numbers: &[T]| {
            let mut buffer = Buffer::zeros(layout.length);
            layout.spread(numbers, &mut buffer);
            buffer
        };
        let mut statistics = state.running.as_slice();
        let mut statistic = |size: usize| {
            let (numbers, rest) = statistics.split_at(size);
            statistics = rest;
            let mut buffer = Buffer::zeros(stride_of(size));
            buffer[..size].copy_from_slice(numbers);
            buffer
        };
        let hidden = plan.hidden().iter().enumerate();
        let running = hidden.map(|(layer, &size)| {
            let has_some = plan.normalization_of(layer).compares_rows();
            has_some.then(|| (statistic(size), statistic(size)))
        });
        let running = running.collect();
        Ok(Self {
            parameters: padded(&state.parameters),
            gradients: Buffer::zeros(layout.length),
            running,
            buffers: state.buffers.iter().map(|buffer| padded(buffer)).collect(),
            step: state.step,
            step_seed: state.step_seed,
            work: Work {
                inputs: Buffer::zeros(0),
                layers: layout.layers.iter().map(|_| LayerWork::new()).collect(),
                transposed: Buffer::zeros(0),
                gradients: Buffer::zeros(0),
                sparse: SparseWork::default(),
                loss: LossWork::default(),
            },
            arch: Arch::new(),
            layout,
            plan,
        })
    }

    /// The plan of the training.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The numbers of the network and its optimiser. A training that begins with them continues with the same bits.
    pub fn state(&self) -> State<T> {
        State {
            parameters: self.parameters(),
            running: self.running(),
            buffers: self.buffers(),
            step: self.step,
            step_seed: self.step_seed,
        }
    }

    /// See [`State::parameters`].
    pub fn parameters(&self) -> Vec<T> {
        self.layout.gather(&self.parameters)
    }

    /// See [`State::running`].
    pub fn running(&self) -> Vec<T> {
        let mut running = Vec::with_capacity(self.plan.num_running());
        for (one, &size) in self.running.iter().zip(self.plan.hidden()) {
            if let Some((mean, variance)) = one {
                running.extend_from_slice(&mean[..size]);
                running.extend_from_slice(&variance[..size]);
            }
        }
        running
    }

    /// See [`State::buffers`].
    pub fn buffers(&self) -> Vec<Vec<T>> {
        let gather = |buffer: &Buffer<T>| self.layout.gather(buffer);
        self.buffers.iter().map(gather).collect()
    }

    /// See [`State::step`].
    pub fn num_steps(&self) -> u64 {
        self.step
    }

    /// Trains one step for each batch, and appends losses and outputs from before each update to the results.
    ///
    /// # Shapes
    /// - rows: the samples of all batches end to end; each batch has `batch_size` of them, the last may have fewer
    /// - learning rates: one for each batch
    ///
    /// # Panics
    /// If a row is not in the data, or there are fewer learning rates than batches.
    pub fn train(
        &mut self,
        data: Data<'_, T>,
        rows: &[u32],
        batch_size: usize,
        learning_rates: &[f64],
        results: &mut Results<T>,
    ) {
        let batches = rows.chunks(batch_size.max(1));
        assert!(
            learning_rates.len() >= batches.len(),
            "a learning rate for each batch"
        );
        for (batch, learning_rate) in batches.zip(learning_rates) {
            let loss = self.step(data, batch, *learning_rate, results);
            results.sizes.push(batch.len());
            results.losses.push(loss);
        }
    }

    /// Evaluates samples as one batch, and appends its loss and its outputs to the results.
    ///
    /// # Panics
    /// If a sample is not in the data.
    pub fn evaluate(&mut self, data: Data<'_, T>, samples: Range<usize>, results: &mut Results<T>) {
        let size = samples.len();
        let tile = self.rows_of_a_tile(Mode::Evaluation, size);
        let mut loss = T::ZERO;
        self.swap_average();
        for start in samples.clone().step_by(tile) {
            let rows = start..(start + tile).min(samples.end);
            loss += self.forward(data, Rows::Range(rows), 0, size, Mode::Evaluation, results);
        }
        self.swap_average();
        results.sizes.push(size);
        results.losses.push(loss);
    }

    /// The parameters that are evaluated: their average, if it has begun.
    pub fn evaluated_parameters(&self) -> Vec<T> {
        match (self.has_average(), self.buffers.last()) {
            (true, Some(average)) => self.layout.gather(average),
            _ => self.parameters(),
        }
    }

    fn has_average(&self) -> bool {
        let average = self.plan.average;
        average.is_some_and(|average| average.has_begun(self.step))
    }

    /// Swaps the parameters and their average, if it has begun.
    fn swap_average(&mut self) {
        if self.has_average()
            && let Some(average) = self.buffers.last_mut()
        {
            std::mem::swap(&mut self.parameters, average);
        }
    }

    /// Adds the parameters after a step to their average, if there is one and they count.
    fn add_to_average(&mut self) {
        let weight = (self.plan.average).and_then(|average| average.weight(self.step));
        let (Some(weight), Some(average)) = (weight, self.buffers.last_mut()) else {
            return;
        };
        let (kept, weight) = (T::from_f64(1.0 - weight), T::from_f64(weight));
        let parameters = &self.parameters;
        self.arch.dispatch(Loop(
            #[inline(always)]
            || {
                for (average, &parameter) in average.iter_mut().zip(&**parameters) {
                    *average = *average * kept + parameter * weight;
                }
            },
        ));
    }

    /// One step; returns its loss.
    fn step(
        &mut self,
        data: Data<'_, T>,
        batch: &[u32],
        learning_rate: f64,
        results: &mut Results<T>,
    ) -> T {
        let tile = self.rows_of_a_tile(Mode::Training, batch.len());
        let num_tiles = batch.len().div_ceil(tile);
        self.step += 1;
        let update = self.plan.optimizer.at_step(self.step, learning_rate);
        let mut loss = T::ZERO;
        for (index, rows) in batch.chunks(tile).enumerate() {
            let rows = Rows::of(rows);
            let (first_row, mode) = (index * tile, Mode::Training);
            loss += self.forward(data, rows.clone(), first_row, batch.len(), mode, results);
            let is_last = index + 1 == num_tiles;
            let moves = is_last && !self.needs_all_gradients();
            self.backward(data, rows, index == 0, is_last, moves.then_some(update));
        }
        if self.needs_all_gradients() {
            match self.plan.clipping {
                Some(Clipping::Norm(bound)) => self.bound_norm(bound),
                Some(Clipping::Value(bound)) => {
                    bounded(self.arch, Some(T::from_f64(bound)), &mut self.gradients);
                }
                None => {}
            }
            self.add_noise();
            let num_buffers = self.plan.optimizer.num_buffers();
            let buffers = &mut self.buffers[..num_buffers];
            let buffers = Buffers::at(buffers, 0..self.layout.length);
            update.apply(self.arch, &mut self.parameters, &self.gradients, buffers);
        }
        if let Some(bound) = self.plan.max_norm {
            self.bound_weights(bound);
        }
        self.add_to_average();
        self.move_running_statistics(batch.len());
        loss
    }

    /// Whether the gradients of a step are needed before the first parameter moves: for a bound on their norm, and for
    /// noise, which is added to them all in one place.
    fn needs_all_gradients(&self) -> bool {
        self.plan.noise.is_some() || matches!(self.plan.clipping, Some(Clipping::Norm(_)))
    }

    /// Adds the noise of the step to the gradients, if there is noise.
    fn add_noise(&mut self) {
        let Some(noise) = self.plan.noise else { return };
        // The step that is being done counts already.
        let noise = StepNoise::new(noise, self.step_seed, self.step - 1);
        let mut place = 0;
        for (start, length) in self.layout.rows() {
            let gradients = &mut self.gradients[start..start + length];
            self.arch.dispatch(Loop(
                #[inline(always)]
                || noise.add_to(gradients, place),
            ));
            place += length;
        }
    }

    /// Rows that are walked through at once: all of a batch for batch normalisation, which needs their statistics.
    fn rows_of_a_tile(&self, mode: Mode, batch_size: usize) -> usize {
        let is_whole = self.plan.num_running() > 0;
        if is_whole && mode == Mode::Training {
            return batch_size.max(1);
        }
        let widths = self.layout.layers.iter().map(|layer| layer.stride);
        let row = (self.plan.d_input() + 3 * widths.sum::<usize>()) * size_of::<T>();
        let fitting = (TILE_BYTES / row).next_multiple_of(8);
        match self.layout.length * size_of::<T>() > TILE_BYTES {
            true => fitting.max(ROWS_FOR_LARGE_WEIGHTS),
            false => fitting.max(16),
        }
    }

    /// Scales all gradients together so that their norm is at most this.
    fn bound_norm(&mut self, bound: f64) {
        let gradients = &mut self.gradients;
        let squares = self.layout.rows().map(|(start, length)| {
            normalization::sum(&gradients[start..start + length], |x| x * x)
        });
        let total = squares.fold(T::ZERO, |total, square| total + square);
        // PyTorch's formula, its 1e-6 included.
        let factor = T::from_f64(bound) / (total.sqrt() + T::from_f64(1e-6));
        let factor = if factor > T::ONE { T::ONE } else { factor };
        self.arch.dispatch(Loop(
            #[inline(always)]
            || {
                for gradient in gradients.iter_mut() {
                    *gradient = *gradient * factor;
                }
            },
        ));
    }

    /// Scales the weights that lead to each unit so that their norm is at most this.
    fn bound_weights(&mut self, bound: f64) {
        let bound = T::from_f64(bound);
        // PyTorch's `renorm`, its 1e-7 included.
        let tiny = T::from_f64(1e-7);
        for layer in &self.layout.layers {
            let weight = &mut self.parameters[layer.weight.clone()];
            for column in (0..layer.stride).step_by(PADDING) {
                let mut factors = [T::ZERO; PADDING];
                self.arch.dispatch(Loop(
                    #[inline(always)]
                    || {
                        factors = [T::ZERO; PADDING];
                        for row in weight.chunks_exact(layer.stride) {
                            for (sum, &weight) in factors.iter_mut().zip(&row[column..]) {
                                *sum += weight * weight;
                            }
                        }
                        for sum in &mut factors {
                            let norm = sum.sqrt();
                            *sum = if norm > bound {
                                bound / (norm + tiny)
                            } else {
                                T::ONE
                            };
                        }
                        for row in weight.chunks_exact_mut(layer.stride) {
                            for (factor, weight) in factors.iter().zip(&mut row[column..]) {
                                *weight = *weight * *factor;
                            }
                        }
                    },
                ));
            }
        }
    }

    /// Moves the running statistics of batch normalisation towards those of the batch.
    fn move_running_statistics(&mut self, batch_size: usize) {
        let unbiased = batch_size as f64 / batch_size.saturating_sub(1).max(1) as f64;
        let layers = self.running.iter_mut().zip(&self.work.layers).enumerate();
        for (index, (running, layer)) in layers {
            let (Some((mean, variance)), Normalization::Batch { momentum, .. }) =
                (running, self.plan.normalization_of(index))
            else {
                continue;
            };
            let [share, rest, unbiased] = [momentum, 1.0 - momentum, unbiased].map(T::from_f64);
            for (running, batch) in mean.iter_mut().zip(&*layer.mean) {
                *running = *running * rest + *batch * share;
            }
            for (running, batch) in variance.iter_mut().zip(&*layer.variance) {
                *running = *running * rest + *batch * unbiased * share;
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
