//! Single operations on a GPU, one launch each, for networks whose trainings have no fused kernel.
//!
//! They have the formulas of the fused kernels. Each takes buffers whose numbers lie end to end, in memory of the device
//! that the client belongs to.

use cubecl::calculate_cube_count_elemwise;
use cubecl::prelude::*;

use super::activation::{Curve, activate};
use super::bits::Bits;
use super::buffer::{Buffer, read_all};
use super::error::GpuError;
use super::launches::{rate_numbers, step_factors};
use super::layout::{Error, Measure, Rule, error, rule};
use super::loss::{element_losses, sum_of, times_own_log};
use super::math::{Four, exp, is_nan, ln_1p_of_any};
use super::results::{GpuResults, Group};
use super::training::Measurement;
use super::update::moved;
use crate::{Activation, Loss, Optimizer, Reduction};

/// Units of a cube.
const UNITS: usize = 256;

/// `y = f(x)` for each number, and its derivative by `x` in `slopes` if that is asked for.
///
/// # Shapes
/// - all buffers: `[length]`
pub fn activation(
    client: &Client,
    activation: Activation,
    [x, y]: [BufferArg; 2],
    slopes: Option<BufferArg>,
    length: usize,
) {
    let curve = Curve::from(activation);
    let (count, dim) = cubes(client, length);
    match slopes {
        Some(slopes) => activate_with_slopes::launch(client, count, dim, x, y, slopes, curve),
        None => activate_all::launch(client, count, dim, x, y, curve),
    }
}

/// The buffers of a parameter's update.
///
/// # Shapes
/// - weights, gradient, moved: `[length]`
/// - state: the optimiser's buffers, none to two, each with the numbers of all parameters
pub struct UpdateBuffers {
    /// The parameter before the step.
    pub weights: BufferArg,
    /// Its gradient.
    pub gradient: BufferArg,
    /// The parameter after the step.
    pub moved: BufferArg,
    /// The optimiser's buffers, which are changed.
    pub state: Vec<BufferArg>,
}

/// Moves one parameter along its gradient, in a step that is counted from 1. The parameter's numbers in the optimiser's
/// buffers begin at `place`.
pub fn update(
    client: &Client,
    optimizer: Optimizer,
    (learning_rate, step): (f64, u64),
    buffers: UpdateBuffers,
    place: usize,
    length: usize,
) {
    let rates = rate_numbers(optimizer, learning_rate, step_factors(optimizer, step));
    let (count, dim) = cubes(client, length);
    let mut state = buffers.state.into_iter();
    let num_buffers = state.len();
    // A kernel takes no buffer that it has no use for, so it gets a small one.
    let mut next = || state.next().unwrap_or_else(|| unused(client));
    let (first, second) = (next(), next());
    update_parameter::launch(
        client,
        count,
        dim,
        buffers.weights,
        buffers.gradient,
        buffers.moved,
        first,
        second,
        RatesLaunch::new(rates[0], rates[1], rates[2], rates[3]),
        place as u32,
        rule(optimizer),
        optimizer.weight_decay().into(),
        num_buffers,
    );
}

/// The outputs of a batch, their targets, and the weights of samples, if they have any.
///
/// # Shapes
/// - outputs, targets: `[num_rows × d_output]`
/// - weights: `[num_rows]`
pub struct OutputBuffers {
    /// The outputs.
    pub outputs: BufferArg,
    /// The targets.
    pub targets: BufferArg,
    /// The weights of samples.
    pub weights: Option<BufferArg>,
    /// Rows of the batch.
    pub num_rows: usize,
    /// Width of the outputs.
    pub d_output: usize,
}

/// A loss that has a kernel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchLoss {
    error: Error,
    smoothing: Bits,
    is_mean: bool,
}

impl BatchLoss {
    /// The kernel of a loss.
    ///
    /// # Errors
    /// [`GpuError::NotCovered`] if there is none.
    pub fn new(loss: Loss, reduction: Reduction) -> Result<Self, GpuError> {
        Ok(Self {
            error: error(loss)?,
            smoothing: loss.label_smoothing().into(),
            is_mean: reduction == Reduction::Mean,
        })
    }

    /// The loss of a batch, and its gradient by the outputs if that is asked for.
    ///
    /// One cube adds up the losses, each unit in the order of the rows, so that the sum is the same in every run.
    ///
    /// # Shapes
    /// - total: `[1]`
    /// - gradient: like the outputs
    pub fn launch(
        self,
        client: &Client,
        batch: OutputBuffers,
        total: BufferArg,
        gradient: Option<BufferArg>,
    ) {
        let num_losses = match self.error.is_of_softmax() {
            true => batch.num_rows,
            false => batch.num_rows * batch.d_output,
        };
        let scale = match self.is_mean {
            true => 1.0 / num_losses.max(1) as f64,
            false => 1.0,
        };
        let form = LossForm {
            error: self.error,
            smoothing: self.smoothing,
            d_output: batch.d_output,
            has_weights: batch.weights.is_some(),
            has_gradient: gradient.is_some(),
        };
        batch_loss::launch(
            client,
            CubeCount::Static(1, 1, 1),
            CubeDim::new_1d(UNITS as u32),
            batch.outputs,
            batch.targets,
            batch.weights.unwrap_or_else(|| unused(client)),
            gradient.unwrap_or_else(|| unused(client)),
            total,
            batch.num_rows as u32,
            scale as f32,
            form,
        );
    }
}

/// What the kernel of a loss is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct LossForm {
    error: Error,
    smoothing: Bits,
    d_output: usize,
    has_weights: bool,
    has_gradient: bool,
}

/// The results of batches, gathered on the device until they are read.
pub struct Gathered {
    client: Client,
    measurement: Measurement,
    d_output: usize,
    most_batches: usize,
    most_rows: usize,
    /// `[most_batches]`
    losses: Buffer,
    /// `[num_classes × num_classes]`, a row for each target and a column for each prediction.
    counts: Buffer,
    /// `[most_rows × d_output]`
    outputs: Buffer,
    sizes: Vec<usize>,
    num_rows: usize,
}

impl Gathered {
    /// Memory for the results of so many batches, and for the outputs of so many rows if they are kept.
    pub fn new(
        client: &Client,
        measurement: Measurement,
        d_output: usize,
        most_batches: usize,
        most_rows: usize,
    ) -> Self {
        let most_outputs = match measurement {
            Measurement::Outputs => most_rows * d_output,
            _ => 0,
        };
        Self {
            measurement,
            d_output,
            most_batches,
            most_rows,
            losses: Buffer::of_floats(client, most_batches),
            counts: no_counts(client, measurement, d_output),
            outputs: Buffer::of_floats(client, most_outputs),
            sizes: Vec::new(),
            num_rows: 0,
            client: client.clone(),
        }
    }

    /// Whether there is room for a batch of so many rows.
    pub fn has_room(&self, num_rows: usize) -> bool {
        let keeps_outputs = matches!(self.measurement, Measurement::Outputs);
        self.sizes.len() < self.most_batches
            && (!keeps_outputs || self.num_rows + num_rows <= self.most_rows)
    }

    /// Whether there are no results.
    pub fn is_empty(&self) -> bool {
        self.sizes.is_empty()
    }

    /// Adds the results of a batch, for which there must be [room](Self::has_room).
    ///
    /// # Shapes
    /// - loss: `[1]`
    pub fn add(&mut self, loss: BufferArg, batch: OutputBuffers) {
        gather::launch(
            &self.client,
            CubeCount::Static(1, 1, 1),
            CubeDim::new_1d(UNITS as u32),
            batch.outputs,
            batch.targets,
            loss,
            self.losses.argument(),
            self.counts.argument(),
            self.outputs.argument(),
            self.sizes.len() as u32,
            self.num_rows as u32,
            batch.num_rows as u32,
            self.d_output,
            self.measurement.into(),
        );
        self.sizes.push(batch.num_rows);
        self.num_rows += batch.num_rows;
    }

    /// The results so far, as those of one replica and one group of batches. There are none afterwards.
    ///
    /// # Errors
    /// [`GpuError::Device`] if the device failed.
    pub fn take(&mut self) -> Result<GpuResults, GpuError> {
        let sizes = std::mem::take(&mut self.sizes);
        let num_rows = std::mem::take(&mut self.num_rows);
        let measure = Measure::from(self.measurement);
        let width = match measure {
            Measure::Outputs => self.d_output,
            _ => 0,
        };
        let num_cells = measure.cells(self.d_output);
        let bytes = read_all(&self.client, &[&self.losses, &self.counts, &self.outputs])?;
        self.counts = no_counts(&self.client, self.measurement, self.d_output);
        Ok(GpuResults {
            losses: f32::from_bytes(&bytes[0])[..sizes.len()].to_vec(),
            counts: u32::from_bytes(&bytes[1])[..num_cells].to_vec(),
            outputs: f32::from_bytes(&bytes[2])[..num_rows * width].to_vec(),
            groups: vec![Group {
                batches: 0..sizes.len(),
                rows: 0..num_rows,
            }],
            sizes,
            num_rows,
            num_cells,
            width,
        })
    }
}

/// Confusion counts of nothing.
fn no_counts(client: &Client, measurement: Measurement, d_output: usize) -> Buffer {
    let num_cells = Measure::from(measurement).cells(d_output);
    Buffer::integers(client, &vec![0; num_cells])
}

/// Rows of bytes on the device, each of which stands for a number of a table.
#[derive(Clone)]
pub struct PackedRows {
    client: Client,
    /// Four bytes in each, the first in the lowest bits.
    words: Buffer,
    /// `[width × 256]`: the number of each byte in each column.
    table: Buffer,
    width: usize,
}

impl PackedRows {
    /// Copies rows of bytes and their table to the device.
    ///
    /// # Shapes
    /// - bytes: `[num_rows × width]`
    /// - table: `[width × 256]`, the numbers of a column end to end
    pub fn new(client: &Client, bytes: &[u8], table: &[f32], width: usize) -> Self {
        let words = bytes.chunks(4).map(|four| {
            let mut word = [0; 4];
            word[..four.len()].copy_from_slice(four);
            u32::from_le_bytes(word)
        });
        Self {
            words: Buffer::integers(client, &words.collect::<Vec<_>>()),
            table: Buffer::floats(client, table),
            width,
            client: client.clone(),
        }
    }

    /// The numbers of some rows.
    ///
    /// # Shapes
    /// - numbers: `[rows.len() × width]`
    pub fn gather(&self, rows: &[u32], numbers: BufferArg) {
        let (count, dim) = cubes(&self.client, rows.len() * self.width);
        unpack_rows::launch(
            &self.client,
            count,
            dim,
            self.words.argument(),
            self.table.argument(),
            Buffer::integers(&self.client, rows).argument(),
            numbers,
            self.width as u32,
        );
    }
}

/// The cubes of a kernel that computes four numbers in each unit.
fn cubes(client: &Client, length: usize) -> (CubeCount, CubeDim) {
    let dim = CubeDim::new_1d(UNITS as u32);
    let count = calculate_cube_count_elemwise(client, length.div_ceil(4), dim);
    (count, dim)
}

/// A buffer for an argument that a kernel does not use.
fn unused(client: &Client) -> BufferArg {
    Buffer::of_floats(client, 1).argument()
}

/// The first number of this unit. The next are [`UNITS`] apart, so that neighbouring units read neighbouring numbers.
#[cube]
fn first_number() -> usize {
    CUBE_POS * comptime!(4 * UNITS) + UNIT_POS as usize
}

/// Four numbers, `step` apart; zero from `end` on.
#[cube]
fn load(numbers: &[f32], first: usize, step: usize, end: usize) -> Four {
    let mut four = Four::new(0.0);
    #[unroll]
    for component in 0..4usize {
        let at = first + component * step;
        if at < end {
            four.insert(component, numbers[at]);
        }
    }
    four
}

/// Stores four numbers, `step` apart, that lie before `end`.
#[cube]
fn store(numbers: &mut [f32], four: Four, first: usize, step: usize, end: usize) {
    #[unroll]
    for component in 0..4usize {
        let at = first + component * step;
        if at < end {
            numbers[at] = four.extract(component);
        }
    }
}

#[cube(launch)]
fn activate_all(x: &[f32], y: &mut [f32], #[comptime] curve: Curve) {
    let (first, end) = (first_number(), y.len());
    let (values, _) = activate(load(x, first, UNITS, end), curve);
    store(y, values, first, UNITS, end);
}

#[cube(launch)]
fn activate_with_slopes(x: &[f32], y: &mut [f32], slopes: &mut [f32], #[comptime] curve: Curve) {
    let (first, end) = (first_number(), y.len());
    let (values, derivatives) = activate(load(x, first, UNITS, end), curve);
    store(y, values, first, UNITS, end);
    store(slopes, derivatives, first, UNITS, end);
}

/// The learning rate and what follows from it; see `rate_numbers`.
#[derive(CubeType, CubeLaunch)]
struct Rates {
    first: f32,
    second: f32,
    third: f32,
    fourth: f32,
}

#[cube(launch)]
#[allow(clippy::too_many_arguments)]
fn update_parameter(
    weights: &[f32],
    gradient: &[f32],
    moved_weights: &mut [f32],
    first_buffer: &mut [f32],
    second_buffer: &mut [f32],
    rates: &Rates,
    place: u32,
    #[comptime] rule: Rule,
    #[comptime] weight_decay: Bits,
    #[comptime] num_buffers: usize,
) {
    let (first, end) = (first_number(), moved_weights.len());
    let (at, last) = (first + place as usize, end + place as usize);
    let mut rate = Four::new(rates.first);
    rate.insert(1usize, rates.second);
    rate.insert(2usize, rates.third);
    rate.insert(3usize, rates.fourth);
    let old = load(weights, first, UNITS, end);
    let mut g = load(gradient, first, UNITS, end);
    if comptime!(weight_decay.value() != 0.0) {
        g += old * Four::new(comptime!(weight_decay.value()));
    }
    let mut old_first = Four::new(0.0);
    let mut old_second = Four::new(0.0);
    if comptime!(num_buffers > 0) {
        old_first = load(&*first_buffer, at, UNITS, last);
    }
    if comptime!(num_buffers > 1) {
        old_second = load(&*second_buffer, at, UNITS, last);
    }
    let (new, new_first, new_second) = moved(old, g, old_first, old_second, rate, rule);
    store(moved_weights, new, first, UNITS, end);
    if comptime!(num_buffers > 0) {
        store(first_buffer, new_first, at, UNITS, last);
    }
    if comptime!(num_buffers > 1) {
        store(second_buffer, new_second, at, UNITS, last);
    }
}

#[cube(launch)]
#[allow(clippy::too_many_arguments)]
fn batch_loss(
    outputs: &[f32],
    targets: &[f32],
    weights: &[f32],
    gradient: &mut [f32],
    total: &mut [f32],
    num_rows: u32,
    scale: f32,
    #[comptime] form: LossForm,
) {
    let mut sums = Shared::<[f32]>::new_slice(UNITS);
    let num_rows = num_rows as usize;
    let sum = if comptime!(form.error.is_of_softmax()) {
        softmax_losses(outputs, targets, weights, gradient, num_rows, scale, form)
    } else {
        losses_of_elements(outputs, targets, weights, gradient, num_rows, scale, form)
    };
    sums[UNIT_POS as usize] = sum;
    sync_cube();
    #[unroll]
    for halvings in 1..9u32 {
        let half = comptime!(UNITS >> halvings);
        if (UNIT_POS as usize) < half {
            sums[UNIT_POS as usize] = sums[UNIT_POS as usize] + sums[UNIT_POS as usize + half];
        }
        sync_cube();
    }
    if UNIT_POS == 0 {
        total[0] = sums[0] * scale;
    }
}

/// The sum of this unit's losses, one for each row.
#[cube]
fn softmax_losses(
    outputs: &[f32],
    targets: &[f32],
    weights: &[f32],
    gradient: &mut [f32],
    num_rows: usize,
    scale: f32,
    #[comptime] form: LossForm,
) -> f32 {
    let d_output = comptime!(form.d_output);
    let vectors = comptime!(form.d_output.div_ceil(4));
    let smoothing = comptime!(form.smoothing.value());
    let even = comptime!(form.smoothing.value() / form.d_output as f32);
    let mut total = 0.0f32;
    for row in range_stepped(UNIT_POS as usize, num_rows, UNITS) {
        let place = row * d_output;
        let end = place + d_output;
        let mut weight = 1.0f32;
        if comptime!(form.has_weights) {
            weight = weights[row];
        }
        // The first largest output, and the exponentials of the others.
        let mut shift = outputs[place];
        let mut best = 0usize;
        for class in 1..d_output {
            let value = outputs[place + class];
            if value > shift {
                shift = value;
                best = class;
            }
        }
        let mut others = 0.0f32;
        for vector in 0..vectors {
            let y = load(outputs, place + vector * 4, 1usize, end);
            let exponentials = exp(y - Four::new(shift));
            #[unroll]
            for component in 0..4usize {
                let class = vector * 4 + component;
                let is_other = class < d_output && class != best;
                others += select(is_other, exponentials.extract(component), 0.0);
            }
        }
        let mut loss = ln_1p_of_any(others);
        for vector in 0..vectors {
            let at = place + vector * 4;
            let mut t = load(targets, at, 1usize, end);
            if comptime!(smoothing != 0.0) {
                t = t * Four::new(comptime!(1.0 - smoothing)) + Four::new(even);
            }
            let shifted = load(outputs, at, 1usize, end) - Four::new(shift);
            let mut losses = -(shifted * t);
            if comptime!(form.error == Error::KlDivergence) {
                losses += times_own_log(t);
            }
            #[unroll]
            for component in 0..4usize {
                let is_output = vector * 4 + component < d_output;
                loss += select(is_output, losses.extract(component), 0.0);
            }
            if comptime!(form.has_gradient) {
                let slopes = exp(shifted) / Four::new(1.0 + others) - t;
                store(
                    gradient,
                    slopes * Four::new(scale * weight),
                    at,
                    1usize,
                    end,
                );
            }
        }
        total += loss * weight;
    }
    total
}

/// The sum of this unit's losses, one for each output.
#[cube]
fn losses_of_elements(
    outputs: &[f32],
    targets: &[f32],
    weights: &[f32],
    gradient: &mut [f32],
    num_rows: usize,
    scale: f32,
    #[comptime] form: LossForm,
) -> f32 {
    let end = num_rows * comptime!(form.d_output);
    let mut total = 0.0f32;
    for first in range_stepped(UNIT_POS as usize, end, comptime!(4 * UNITS)) {
        let y = load(outputs, first, UNITS, end);
        let t = load(targets, first, UNITS, end);
        let (mut losses, mut slopes) = element_losses(y, t, comptime!(form.error));
        #[unroll]
        for component in 0..4usize {
            let at = first + component * UNITS;
            if at < end {
                if comptime!(form.has_weights) {
                    let weight = weights[at / comptime!(form.d_output)];
                    losses.insert(component, losses.extract(component) * weight);
                    slopes.insert(component, slopes.extract(component) * weight);
                }
            } else {
                losses.insert(component, 0.0);
            }
        }
        total += sum_of(losses);
        if comptime!(form.has_gradient) {
            store(gradient, slopes * Four::new(scale), first, UNITS, end);
        }
    }
    total
}

#[cube(launch)]
#[allow(clippy::too_many_arguments)]
fn gather(
    outputs: &[f32],
    targets: &[f32],
    loss: &[f32],
    losses: &mut [f32],
    counts: &[Atomic<u32>],
    all_outputs: &mut [f32],
    number: u32,
    row: u32,
    num_rows: u32,
    #[comptime] d_output: usize,
    #[comptime] measure: Measure,
) {
    if UNIT_POS == 0 {
        losses[number as usize] = loss[0];
    }
    let num_rows = num_rows as usize;
    match comptime!(measure) {
        Measure::Losses => {}
        Measure::Outputs => {
            let place = row as usize * d_output;
            for number in range_stepped(UNIT_POS as usize, num_rows * d_output, UNITS) {
                all_outputs[place + number] = outputs[number];
            }
        }
        Measure::Threshold(threshold) => {
            for row in range_stepped(UNIT_POS as usize, num_rows, UNITS) {
                let y = outputs[row];
                let label = select(targets[row] > 0.5, 2usize, 0usize);
                let predicted = select(y > comptime!(threshold.value()), 1usize, 0usize);
                if !is_nan(y) {
                    counts[label + predicted].fetch_add(1);
                }
            }
        }
        Measure::Classes => {
            for row in range_stepped(UNIT_POS as usize, num_rows, UNITS) {
                count_row(outputs, targets, counts, row * d_output, d_output);
            }
        }
    }
}

/// Counts a row by its target and by its largest output, the first on ties. A row with a NaN is not counted.
#[cube]
fn count_row(
    outputs: &[f32],
    targets: &[f32],
    counts: &[Atomic<u32>],
    place: usize,
    #[comptime] d_output: usize,
) {
    let mut largest = outputs[place];
    let mut largest_target = targets[place];
    let mut predicted = 0usize;
    let mut label = 0usize;
    let mut has_nan = is_nan(largest);
    for class in 1..d_output {
        let value = outputs[place + class];
        let target = targets[place + class];
        has_nan = has_nan || is_nan(value);
        if value > largest {
            largest = value;
            predicted = class;
        }
        if target > largest_target {
            largest_target = target;
            label = class;
        }
    }
    if !has_nan {
        counts[label * d_output + predicted].fetch_add(1);
    }
}

#[cube(launch)]
fn unpack_rows(words: &[u32], table: &[f32], rows: &[u32], numbers: &mut [f32], width: u32) {
    let (first, end) = (first_number(), numbers.len());
    let width = width as usize;
    #[unroll]
    for component in 0..4usize {
        let at = first + component * UNITS;
        if at < end {
            let column = at % width;
            let byte = rows[at / width] as usize * width + column;
            let shift = (byte % 4) as u32 * 8;
            let value = (words[byte / 4] >> shift) & 255;
            numbers[at] = table[column * 256 + value as usize];
        }
    }
}

/// The largest of each square of two by two pixels, or NaN if there is one. An odd last row or column is left out.
///
/// # Shapes
/// - x: `[batch × height × width × channels]`
/// - pooled: `[batch × height / 2 × width / 2 × channels]`
pub fn max_pool(
    client: &Client,
    x: BufferArg,
    pooled: BufferArg,
    [batch, height, width]: [usize; 3],
    channels: usize,
) {
    let (count, dim) = cubes(client, batch * (height / 2) * (width / 2) * channels);
    let size = [height, width, channels].map(|size| size as u32);
    take_largest::launch(client, count, dim, x, pooled, size[0], size[1], size[2]);
}

/// The gradient by the inputs of [`max_pool`], from that by its results: each goes to the pixel that was taken.
///
/// # Shapes
/// - x, gradient: `[batch × height × width × channels]`
/// - delta: `[batch × height / 2 × width / 2 × channels]`
pub fn max_pool_backward(
    client: &Client,
    [x, delta, gradient]: [BufferArg; 3],
    [batch, height, width]: [usize; 3],
    channels: usize,
) {
    let (count, dim) = cubes(client, batch * height * width * channels);
    let size = [height, width, channels].map(|size| size as u32);
    give_to_largest::launch(
        client, count, dim, x, delta, gradient, size[0], size[1], size[2],
    );
}

/// Which of four pixels, row by row, a max-pool takes: the first of equal ones, or one with NaN.
#[cube]
fn largest_of(pixels: Four) -> u32 {
    let (a, b) = (pixels.extract(0usize), pixels.extract(1usize));
    let (c, d) = (pixels.extract(2usize), pixels.extract(3usize));
    let takes_b = a < b || is_nan(b);
    let takes_d = c < d || is_nan(d);
    let upper = select(takes_b, b, a);
    let lower = select(takes_d, d, c);
    let takes_lower = upper < lower || is_nan(lower);
    select(
        takes_lower,
        select(takes_d, 3u32, 2u32),
        select(takes_b, 1u32, 0u32),
    )
}

/// The four pixels of a square; `first` is the place of the upper left one.
#[cube]
fn square(x: &[f32], first: usize, width: usize, channels: usize) -> Four {
    let below = first + width * channels;
    let mut pixels = Four::new(x[first]);
    pixels.insert(1usize, x[first + channels]);
    pixels.insert(2usize, x[below]);
    pixels.insert(3usize, x[below + channels]);
    pixels
}

#[cube(launch)]
fn take_largest(x: &[f32], pooled: &mut [f32], height: u32, width: u32, channels: u32) {
    let (height, width, channels) = (height as usize, width as usize, channels as usize);
    let (first, end) = (first_number(), pooled.len());
    #[unroll]
    for component in 0..4usize {
        let at = first + component * UNITS;
        if at < end {
            let pixel = at / channels;
            let row = pixel / (width / 2);
            let column = pixel % (width / 2);
            let image = row / (height / 2);
            let row = image * height + row % (height / 2) * 2;
            let place = (row * width + column * 2) * channels + at % channels;
            let pixels = square(x, place, width, channels);
            let taken = largest_of(pixels);
            let mut largest = pixels.extract(0usize);
            #[unroll]
            for number in 1..4u32 {
                largest = select(taken == number, pixels.extract(number as usize), largest);
            }
            pooled[at] = largest;
        }
    }
}

#[cube(launch)]
fn give_to_largest(
    x: &[f32],
    delta: &[f32],
    gradient: &mut [f32],
    height: u32,
    width: u32,
    channels: u32,
) {
    let (height, width, channels) = (height as usize, width as usize, channels as usize);
    let (first, end) = (first_number(), gradient.len());
    #[unroll]
    for component in 0..4usize {
        let at = first + component * UNITS;
        if at < end {
            let pixel = at / channels;
            let channel = at % channels;
            let column = pixel % width;
            let image = pixel / width / height;
            let row = pixel / width % height;
            let mut found = 0.0f32;
            if row / 2 < height / 2 && column / 2 < width / 2 {
                let upper = image * height + row / 2 * 2;
                let place = (upper * width + column / 2 * 2) * channels + channel;
                let taken = largest_of(square(x, place, width, channels));
                if taken as usize == row % 2 * 2 + column % 2 {
                    let pooled = image * (height / 2) + row / 2;
                    found = delta[(pooled * (width / 2) + column / 2) * channels + channel];
                }
            }
            gradient[at] = found;
        }
    }
}
