//! Training in the host's memory, with vector instructions chosen where the program runs.
//!
//! A batch is walked through in tiles of rows that stay in the processor's cache. Sums keep one order whatever the
//! vectors' length, so a processor with AVX2 and one with AVX-512 give the same bits.

mod activation;
mod buffer;
mod elementwise;
mod layout;
mod loss;
mod normalization;
mod optimizer;
mod product;

use std::ops::Range;

use pulp::Arch;

use buffer::Buffer;
use elementwise::Loop;
use layout::Layout;
use loss::LossWork;
use normalization::{BatchBackward, BatchForward, SampleBackward, SampleForward, Shape};
use product::{Matrix, PADDING, Product, Start, TransposedProduct, transpose};

use crate::plan::{Activation, Clipping, Data, Normalization, Plan, PlanError, Results, State};
use crate::real::Real;

/// A network in training, with its optimiser and the memory of its steps.
#[derive(Debug)]
pub struct HostTraining<T> {
    plan: Plan,
    layout: Layout,
    arch: Arch,
    parameters: Buffer<T>,
    gradients: Buffer<T>,
    /// Mean and variance of each hidden layer, padded.
    running: Vec<(Buffer<T>, Buffer<T>)>,
    buffers: Vec<Buffer<T>>,
    step: u64,
    work: Work<T>,
}

/// The memory of a step, which lives as long as the training.
#[derive(Debug)]
struct Work<T> {
    /// The inputs of a tile of rows.
    inputs: Buffer<T>,
    layers: Vec<LayerWork<T>>,
    /// The transposed weight of a layer.
    transposed: Buffer<T>,
    loss: LossWork<T>,
}

/// The numbers of a layer for a tile of rows, padded.
#[derive(Debug)]
struct LayerWork<T> {
    /// The products, which the normalisation replaces by its results.
    before_activation: Buffer<T>,
    /// The products without scale and shift, if there is a normalisation.
    normalized: Buffer<T>,
    /// One over the standard deviation: of each feature, or of each group of each row.
    inverse: Buffer<T>,
    mean: Buffer<T>,
    variance: Buffer<T>,
    /// Unused after the identity.
    after_activation: Buffer<T>,
    delta: Buffer<T>,
}

impl<T: Real> LayerWork<T> {
    fn new() -> Self {
        Self {
            before_activation: Buffer::zeros(0),
            normalized: Buffer::zeros(0),
            inverse: Buffer::zeros(0),
            mean: Buffer::zeros(0),
            variance: Buffer::zeros(0),
            after_activation: Buffer::zeros(0),
            delta: Buffer::zeros(0),
        }
    }

    fn output(&self, activation: Activation) -> &[T] {
        match activation {
            Activation::Linear => &self.before_activation,
            _ => &self.after_activation,
        }
    }
}

/// The mode of a forward pass.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Training,
    Evaluation,
}

/// Bytes of a tile's rows: the first-level cache of most processors has 32 KiB or more.
const TILE_BYTES: usize = 24 * 1024;

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
            let mut buffer = Buffer::zeros(size.next_multiple_of(PADDING));
            buffer[..size].copy_from_slice(numbers);
            buffer
        };
        let running = match plan.normalization {
            Normalization::Batch { .. } => {
                let hidden = plan.hidden().iter();
                hidden
                    .map(|&size| (statistic(size), statistic(size)))
                    .collect()
            }
            Normalization::None | Normalization::Sample { .. } => Vec::new(),
        };
        Ok(Self {
            parameters: padded(&state.parameters),
            gradients: Buffer::zeros(layout.length),
            running,
            buffers: state.buffers.iter().map(|buffer| padded(buffer)).collect(),
            step: state.step,
            work: Work {
                inputs: Buffer::zeros(0),
                layers: layout.layers.iter().map(|_| LayerWork::new()).collect(),
                transposed: Buffer::zeros(0),
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
        let mut running = Vec::with_capacity(self.plan.num_running());
        for ((mean, variance), &size) in self.running.iter().zip(self.plan.hidden()) {
            running.extend_from_slice(&mean[..size]);
            running.extend_from_slice(&variance[..size]);
        }
        State {
            parameters: self.layout.gather(&self.parameters),
            running,
            buffers: self
                .buffers
                .iter()
                .map(|buffer| self.layout.gather(buffer))
                .collect(),
            step: self.step,
        }
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
        for start in samples.clone().step_by(tile) {
            let rows = start..(start + tile).min(samples.end);
            loss += self.forward(data, Rows::Range(rows), size, Mode::Evaluation, results);
        }
        results.sizes.push(size);
        results.losses.push(loss);
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
        let mut loss = T::ZERO;
        for (index, rows) in batch.chunks(tile).enumerate() {
            let rows = Rows::of(rows);
            loss += self.forward(data, rows.clone(), batch.len(), Mode::Training, results);
            self.backward(data, rows, index == 0);
        }
        self.step += 1;
        self.clip();
        self.plan.optimizer.update(
            self.arch,
            learning_rate,
            self.step,
            &mut self.parameters,
            &self.gradients,
            &mut self.buffers,
        );
        self.move_running_statistics(batch.len());
        loss
    }

    /// Rows that are walked through at once: all of a batch for batch normalisation, which needs their statistics.
    fn rows_of_a_tile(&self, mode: Mode, batch_size: usize) -> usize {
        let is_whole = matches!(self.plan.normalization, Normalization::Batch { .. });
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

    /// The forward pass of some rows of a batch. Returns their share of the loss, whose gradient it leaves in the last
    /// layer's `delta` in training.
    fn forward(
        &mut self,
        data: Data<'_, T>,
        rows: Rows<'_>,
        batch_size: usize,
        mode: Mode,
        results: &mut Results<T>,
    ) -> T {
        let Self {
            plan,
            layout,
            arch,
            parameters,
            running,
            work,
            ..
        } = self;
        let num_rows = rows.len();
        gather(data.inputs, plan.d_input(), &rows, &mut work.inputs);
        let num_layers = layout.layers.len();
        for (index, layer) in layout.layers.iter().enumerate() {
            let (before, current) = work.layers.split_at_mut(index);
            let input = match before.last() {
                None => inputs(data.inputs, plan.d_input(), &rows, &work.inputs),
                Some(before) => Matrix {
                    numbers: before.output(plan.activations[index - 1]),
                    stride: layout.layers[index - 1].stride,
                },
            };
            let current = &mut current[0];
            let length = num_rows * layer.stride;
            current.before_activation.grow(length);
            let bias = layer.bias.clone().map(|bias| &parameters[bias]);
            Product {
                a: input,
                b: Matrix {
                    numbers: &parameters[layer.weight.clone()],
                    stride: layer.stride,
                },
                start: bias.map_or(Start::Zero, Start::Row),
                out: &mut current.before_activation[..length],
                out_stride: layer.stride,
                num_rows,
                depth: layer.d_input,
                num_columns: layer.d_output,
            }
            .run(*arch);
            if index + 1 < num_layers {
                let shape = Shape {
                    num_rows,
                    size: layer.d_output,
                    stride: layer.stride,
                };
                let scale = layout.scales.get(index);
                let scale = scale.map(|scale| {
                    (
                        &parameters[scale.gamma.clone()],
                        &parameters[scale.beta.clone()],
                    )
                });
                let running = running.get(index);
                normalize(
                    *arch,
                    plan.normalization,
                    shape,
                    mode,
                    scale,
                    running,
                    current,
                );
            }
            let activation = plan.activations[index];
            if activation != Activation::Linear {
                current.after_activation.grow(length);
                activation.forward(
                    *arch,
                    &current.before_activation[..length],
                    &mut current.after_activation[..length],
                );
            }
        }
        let (Some(layer), Some(last)) = (layout.layers.last(), work.layers.last_mut()) else {
            return T::ZERO;
        };
        let d_output = layer.d_output;
        let activation = plan.activations[num_layers - 1];
        let outputs = last.output(activation);
        for row in outputs.chunks(layer.stride).take(num_rows) {
            results.outputs.extend_from_slice(&row[..d_output]);
        }
        work.loss.begin(num_rows, d_output);
        let share = loss::share(plan.loss, plan.reduction, batch_size, d_output);
        let share = T::from_f64(share);
        rows.for_each(|index, row| {
            let targets = &data.targets[row * d_output..(row + 1) * d_output];
            let factor = data.weights.map_or(share, |weights| share * weights[row]);
            work.loss.set_sample(index, targets, factor);
        });
        let loss = work.loss.forward(*arch, plan.loss, outputs, layer.stride);
        if mode == Mode::Training {
            let length = num_rows * layer.stride;
            last.delta.grow(length);
            work.loss.gradients(&mut last.delta[..length], layer.stride);
        }
        loss
    }

    /// The backward pass of the rows of the last forward pass. Gradients of a first tile replace those of the batch
    /// before; gradients of later tiles are added.
    fn backward(&mut self, data: Data<'_, T>, rows: Rows<'_>, is_first: bool) {
        let Self {
            plan,
            layout,
            arch,
            parameters,
            gradients,
            work,
            ..
        } = self;
        let num_rows = rows.len();
        for (index, layer) in layout.layers.iter().enumerate().rev() {
            let length = num_rows * layer.stride;
            let (before, current) = work.layers.split_at_mut(index);
            let current = &mut current[0];
            plan.activations[index].backward(
                *arch,
                &current.before_activation[..length],
                // The identity, which needs no output, has none.
                current.after_activation.get(..length).unwrap_or_default(),
                &mut current.delta[..length],
            );
            if index + 1 < layout.layers.len() {
                let shape = Shape {
                    num_rows,
                    size: layer.d_output,
                    stride: layer.stride,
                };
                let scale = layout.scales.get(index);
                normalize_backward(
                    *arch,
                    plan.normalization,
                    shape,
                    scale,
                    (parameters, gradients),
                    is_first,
                    current,
                );
            }
            let delta = &current.delta[..length];
            let input = match before.last_mut() {
                None => inputs(data.inputs, plan.d_input(), &rows, &work.inputs),
                Some(before) => {
                    let stride = layout.layers[index - 1].stride;
                    before.delta.grow(num_rows * stride);
                    work.transposed.grow(layer.d_output * stride);
                    let weight = Matrix {
                        numbers: &parameters[layer.weight.clone()],
                        stride: layer.stride,
                    };
                    let transposed = &mut work.transposed;
                    transpose(weight, layer.d_input, layer.d_output, transposed, stride);
                    Product {
                        a: Matrix {
                            numbers: delta,
                            stride: layer.stride,
                        },
                        b: Matrix {
                            numbers: &work.transposed,
                            stride,
                        },
                        start: Start::Zero,
                        out: &mut before.delta[..num_rows * stride],
                        out_stride: stride,
                        num_rows,
                        depth: layer.d_output,
                        num_columns: layer.d_input,
                    }
                    .run(*arch);
                    Matrix {
                        numbers: before.output(plan.activations[index - 1]),
                        stride,
                    }
                }
            };
            TransposedProduct(Product {
                a: input,
                b: Matrix {
                    numbers: delta,
                    stride: layer.stride,
                },
                start: if is_first { Start::Zero } else { Start::Result },
                out: &mut gradients[layer.weight.clone()],
                out_stride: layer.stride,
                num_rows: layer.d_input,
                depth: num_rows,
                num_columns: layer.d_output,
            })
            .run(*arch);
            if let Some(bias) = &layer.bias {
                sum_of_rows(
                    *arch,
                    delta,
                    layer.stride,
                    &mut gradients[bias.clone()],
                    is_first,
                );
            }
        }
    }

    /// Bounds the gradients.
    fn clip(&mut self) {
        let gradients = &mut self.gradients;
        match self.plan.clipping {
            None => {}
            Some(Clipping::Value(bound)) => {
                let bound = T::from_f64(bound);
                self.arch.dispatch(Loop(|| {
                    for gradient in gradients.iter_mut() {
                        let x = if *gradient > bound { bound } else { *gradient };
                        *gradient = if x < -bound { -bound } else { x };
                    }
                }));
            }
            Some(Clipping::Norm(bound)) => {
                let squares = self.layout.rows().map(|(start, length)| {
                    normalization::sum(&gradients[start..start + length], |x| x * x)
                });
                let total = squares.fold(T::ZERO, |total, square| total + square);
                // PyTorch's formula, its 1e-6 included.
                let factor = T::from_f64(bound) / (total.sqrt() + T::from_f64(1e-6));
                let factor = if factor > T::ONE { T::ONE } else { factor };
                self.arch.dispatch(Loop(|| {
                    for gradient in gradients.iter_mut() {
                        *gradient = *gradient * factor;
                    }
                }));
            }
        }
    }

    /// Moves the running statistics of batch normalisation towards those of the batch.
    fn move_running_statistics(&mut self, batch_size: usize) {
        let Normalization::Batch { momentum, .. } = self.plan.normalization else {
            return;
        };
        let unbiased = batch_size as f64 / batch_size.saturating_sub(1).max(1) as f64;
        let [share, rest, unbiased] = [momentum, 1.0 - momentum, unbiased].map(T::from_f64);
        for ((mean, variance), layer) in self.running.iter_mut().zip(&self.work.layers) {
            for (running, batch) in mean.iter_mut().zip(&*layer.mean) {
                *running = *running * rest + *batch * share;
            }
            for (running, batch) in variance.iter_mut().zip(&*layer.variance) {
                *running = *running * rest + *batch * unbiased * share;
            }
        }
    }
}

/// Samples of a split.
#[derive(Clone)]
enum Rows<'a> {
    Range(Range<usize>),
    List(&'a [u32]),
}

impl<'a> Rows<'a> {
    /// A list of samples, as a range if each follows the one before.
    fn of(rows: &'a [u32]) -> Self {
        match rows.first() {
            Some(&first) if (first..).zip(rows).all(|(expected, row)| expected == *row) => {
                Self::Range(first as usize..first as usize + rows.len())
            }
            _ => Self::List(rows),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Range(range) => range.len(),
            Self::List(rows) => rows.len(),
        }
    }

    /// Calls `f` with the index of each row and its sample.
    fn for_each(&self, mut f: impl FnMut(usize, usize)) {
        match self {
            Self::Range(range) => range.clone().enumerate().for_each(|(i, row)| f(i, row)),
            Self::List(rows) => {
                let rows = rows.iter().enumerate();
                rows.for_each(|(i, row)| f(i, *row as usize));
            }
        }
    }
}

/// Copies the inputs of a list of samples; those of a range are read where they are.
fn gather<T: Real>(all: &[T], width: usize, rows: &Rows<'_>, inputs: &mut Buffer<T>) {
    let Rows::List(rows) = rows else { return };
    inputs.grow(rows.len() * width);
    for (input, row) in inputs.chunks_mut(width).zip(*rows) {
        let start = *row as usize * width;
        input.copy_from_slice(&all[start..start + width]);
    }
}

/// The inputs of a tile.
fn inputs<'a, T: Real>(
    all: &'a [T],
    width: usize,
    rows: &Rows<'_>,
    gathered: &'a [T],
) -> Matrix<'a, T> {
    let numbers = match rows {
        Rows::Range(range) => &all[range.start * width..range.end * width],
        Rows::List(_) => gathered,
    };
    Matrix {
        numbers,
        stride: width,
    }
}

/// Normalises the products of a layer.
fn normalize<T: Real>(
    arch: Arch,
    normalization: Normalization,
    shape: Shape,
    mode: Mode,
    scale: normalization::ScaleAndShift<'_, T>,
    running: Option<&(Buffer<T>, Buffer<T>)>,
    layer: &mut LayerWork<T>,
) {
    let length = shape.num_rows * shape.stride;
    match (normalization, scale) {
        (Normalization::None, _) => {}
        (Normalization::Batch { epsilon, .. }, Some((gamma, beta))) => {
            let epsilon = T::from_f64(epsilon);
            layer.after_activation.grow(length);
            let x = &layer.before_activation[..length];
            let out = &mut layer.after_activation[..length];
            match (mode, running) {
                (Mode::Evaluation, Some((mean, variance))) => {
                    let (scale, statistics) = ((gamma, beta), (&**mean, &**variance));
                    normalization::batch_evaluate(arch, shape, epsilon, scale, statistics, x, out);
                }
                _ => {
                    layer.normalized.grow(length);
                    for row in [&mut layer.mean, &mut layer.variance, &mut layer.inverse] {
                        row.grow(shape.stride);
                    }
                    BatchForward {
                        shape,
                        epsilon,
                        gamma,
                        beta,
                        x,
                        normalized: &mut layer.normalized[..length],
                        out,
                        mean: &mut layer.mean,
                        variance: &mut layer.variance,
                        inverse: &mut layer.inverse,
                    }
                    .run(arch);
                }
            }
            std::mem::swap(&mut layer.before_activation, &mut layer.after_activation);
        }
        (Normalization::Batch { .. }, None) => unreachable!("batch normalisation has a scale"),
        (
            Normalization::Sample {
                num_groups,
                epsilon,
                ..
            },
            scale,
        ) => {
            layer.after_activation.grow(length);
            layer.normalized.grow(length);
            layer.inverse.grow(shape.num_rows * num_groups);
            SampleForward {
                shape,
                num_groups,
                epsilon: T::from_f64(epsilon),
                scale,
                x: &layer.before_activation[..length],
                normalized: &mut layer.normalized[..length],
                out: &mut layer.after_activation[..length],
                inverse: &mut layer.inverse,
            }
            .run(arch);
            std::mem::swap(&mut layer.before_activation, &mut layer.after_activation);
        }
    }
}

/// The backward pass of [`normalize`] in training.
fn normalize_backward<T: Real>(
    arch: Arch,
    normalization: Normalization,
    shape: Shape,
    scale: Option<&layout::Scale>,
    (parameters, gradients): (&[T], &mut [T]),
    is_first: bool,
    layer: &mut LayerWork<T>,
) {
    let length = shape.num_rows * shape.stride;
    let delta = &mut layer.delta[..length];
    let gamma = scale.map(|scale| &parameters[scale.gamma.clone()]);
    let (gamma_gradient, beta_gradient) = match scale {
        Some(scale) => {
            let both = &mut gradients[scale.gamma.start..scale.beta.end];
            both.split_at_mut(scale.gamma.len())
        }
        None => (&mut [][..], &mut [][..]),
    };
    match (normalization, gamma) {
        (Normalization::None, _) => {}
        (Normalization::Batch { .. }, Some(gamma)) => BatchBackward {
            shape,
            gamma,
            normalized: &layer.normalized[..length],
            inverse: &layer.inverse,
            delta,
            gamma_gradient,
            beta_gradient,
        }
        .run(arch),
        (Normalization::Batch { .. }, None) => unreachable!("batch normalisation has a scale"),
        (Normalization::Sample { num_groups, .. }, gamma) => {
            if is_first {
                gamma_gradient.fill(T::ZERO);
                beta_gradient.fill(T::ZERO);
            }
            SampleBackward {
                shape,
                num_groups,
                gamma,
                normalized: &layer.normalized[..length],
                inverse: &layer.inverse,
                delta,
                gamma_gradient,
                beta_gradient,
            }
            .run(arch);
        }
    }
}

/// The sum of rows, each `stride` long; added to `sums` unless it is the first of a batch.
fn sum_of_rows<T: Real>(arch: Arch, rows: &[T], stride: usize, sums: &mut [T], is_first: bool) {
    if is_first {
        sums.fill(T::ZERO);
    }
    arch.dispatch(Loop(|| {
        for (column, sums) in sums.as_chunks_mut::<PADDING>().0.iter_mut().enumerate() {
            let mut total = *sums;
            for row in rows.chunks_exact(stride) {
                if let Some((numbers, _)) = row[column * PADDING..].split_first_chunk::<PADDING>() {
                    (0..PADDING).for_each(|i| total[i] += numbers[i]);
                }
            }
            *sums = total;
        }
    }));
}

#[cfg(test)]
mod tests;
