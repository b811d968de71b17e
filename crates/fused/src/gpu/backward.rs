//! The backward pass of a tile of rows inside the kernel, and the gradients of parameters.

use cubecl::prelude::*;

use super::bits::Bits;
use super::kernel::barrier;
use super::layout::{Bound, Layer, Layout, SUMMING_UNITS, Standardization};
use super::loss::sum_of;
use super::math::Four;
use super::normalization::{backward_of_batch, backward_of_groups, scale_gradients};
use super::update::{penalized, update};

/// The gradients by the outputs of all linear layers, from that of the last. Each step ends with a barrier.
#[cube]
pub(super) fn backward(
    memory: &mut [Four],
    at: usize,
    records: &mut [Four],
    records_at: usize,
    num_rows: usize,
    is_first: bool,
    #[comptime] layout: Layout,
) {
    let hidden = comptime!(layout.layers.len() - 1);
    #[unroll]
    for index in 0..hidden {
        let above = comptime!(layout.layers[hidden - index].clone());
        let layer = comptime!(layout.layers[hidden - index - 1].clone());
        through_linear(
            memory,
            at,
            records,
            records_at,
            num_rows,
            layout.clone(),
            above,
            layer.clone(),
        );
        barrier(layout.clone());
        if comptime!(layer.scale != 0) {
            scale_gradients(
                memory,
                at,
                records,
                records_at,
                num_rows,
                is_first,
                layout.clone(),
                layer.clone(),
            );
            barrier(layout.clone());
        }
        match comptime!(layout.normalization) {
            Standardization::Batch { .. } => {
                backward_of_batch(
                    memory,
                    at,
                    records,
                    records_at,
                    num_rows,
                    layout.clone(),
                    layer.clone(),
                );
                barrier(layout.clone());
            }
            Standardization::Sample {
                num_groups,
                has_scale,
                ..
            } => {
                backward_of_groups(
                    memory,
                    at,
                    records,
                    records_at,
                    num_rows,
                    num_groups,
                    has_scale,
                    layout.clone(),
                    layer.clone(),
                );
                barrier(layout.clone());
            }
            Standardization::None => {}
        }
    }
}

/// The gradient by the values of `layer`, which are the inputs of `above`, times the derivatives of the activation.
#[cube]
fn through_linear(
    memory: &mut [Four],
    at: usize,
    records: &mut [Four],
    records_at: usize,
    num_rows: usize,
    #[comptime] layout: Layout,
    #[comptime] above: Layer,
    #[comptime] layer: Layer,
) {
    let rows = comptime!(above.backward_rows);
    let blocks = comptime!(layout.tile / above.backward_rows);
    let inputs = comptime!(above.in_vectors);
    let vectors = comptime!(above.out_vectors);
    let weight = at + comptime!(above.weight);
    let end = min(blocks, num_rows) * inputs;
    for item in range_stepped(UNIT_POS as usize, end, comptime!(layout.units)) {
        let input = item % inputs;
        let block = item / inputs;
        let mut sums = Array::<Four>::new(rows);
        #[unroll]
        for row in 0..rows {
            sums[row] = Four::new(0.0);
        }
        let first = records_at + block * comptime!(layout.record);
        #[unroll(vectors <= 16)]
        for vector in 0..vectors {
            let place = weight + input * comptime!(above.stride) + vector;
            let w0 = memory[place];
            let w1 = memory[place + comptime!(above.in_vectors * above.stride)];
            let w2 = memory[place + comptime!(2 * above.in_vectors * above.stride)];
            let w3 = memory[place + comptime!(3 * above.in_vectors * above.stride)];
            #[unroll]
            for row in 0..rows {
                let record = first + row * comptime!(blocks * layout.record);
                let mut delta = records[record + comptime!(above.delta) + vector];
                if comptime!(above.is_output && !above.d_out.is_multiple_of(4)) {
                    // The last component is the row's loss.
                    if vector == comptime!(vectors - 1) {
                        delta.insert(3usize, 0.0);
                    }
                }
                let mut sum = sums[row];
                sum.insert(0usize, sum.extract(0usize) + sum_of(w0 * delta));
                sum.insert(1usize, sum.extract(1usize) + sum_of(w1 * delta));
                sum.insert(2usize, sum.extract(2usize) + sum_of(w2 * delta));
                sum.insert(3usize, sum.extract(3usize) + sum_of(w3 * delta));
                sums[row] = sum;
            }
        }
        #[unroll]
        for row in 0..rows {
            let record = first + row * comptime!(blocks * layout.record);
            let place = record + comptime!(layer.delta) + input;
            let mut total = sums[row];
            if comptime!(above.is_residual) {
                total += records[record + comptime!(above.skip) + input];
            }
            if comptime!(layer.is_residual) {
                records[record + comptime!(layer.skip) + input] = total;
            }
            // Before this, the place of the gradient holds the derivatives of the activation.
            records[place] *= total;
        }
    }
}

/// Rows of a slice whose loads are written out one after the other.
const ROWS_AT_ONCE: usize = 8;

/// A tile of 4 × 4 weights, or a vector of parameters.
#[derive(CubeType)]
pub(super) struct Item {
    /// Places in a record of what is multiplied.
    inputs: usize,
    delta: usize,
    /// Place of the first row's vector, and the distance to the next row.
    place: usize,
    step: usize,
    /// Rows and columns of the tile that exist.
    rows: usize,
    columns: usize,
    is_vector: bool,
    has_records: bool,
}

/// The tile or vector of a number. Tiles of weights come first, then the vectors.
#[cube]
pub(super) fn item_of(number: usize, #[comptime] layout: Layout) -> Item {
    let mut inputs = 0usize;
    let mut delta = 0usize;
    let mut place = 0usize;
    let mut step = 0usize;
    let mut rows = 0usize;
    let mut columns = 0usize;
    let mut is_vector = false;
    let mut has_records = false;
    #[unroll]
    for index in 0..comptime!(layout.pieces.len()) {
        let piece = comptime!(layout.pieces[index].clone());
        if number >= comptime!(piece.first) {
            let local = number - comptime!(piece.first);
            let row = local / comptime!(piece.columns);
            let column = local % comptime!(piece.columns);
            inputs = comptime!(piece.inputs) + row;
            delta = comptime!(piece.delta) + column;
            place = comptime!(piece.place) + row * comptime!(piece.row) + column;
            step = comptime!(piece.step).runtime();
            rows = rest(comptime!(piece.d_in), row);
            columns = rest(comptime!(piece.d_out), column);
            is_vector = comptime!(piece.is_vector).runtime();
            has_records = comptime!(piece.has_records).runtime();
        }
    }
    Item {
        inputs,
        delta,
        place,
        step,
        rows,
        columns,
        is_vector,
        has_records,
    }
}

/// The tile or vector of a row of four parameters, and which of its rows it is.
#[cube]
fn row_of(number: usize, #[comptime] layout: Layout) -> (Item, usize) {
    let tiles = comptime!(layout.num_tiles());
    let is_of_tile = number < comptime!(4 * tiles);
    let item = select(is_of_tile, number / 4, number - comptime!(3 * tiles));
    let row = select(is_of_tile, number % 4, 0usize);
    (item_of(item, layout), row)
}

/// How many of `count` numbers are left behind the first `vectors` vectors.
#[cube]
fn rest(#[comptime] count: usize, vectors: usize) -> usize {
    let before = min(vectors * 4, count);
    count - before
}

/// The gradients of weights and biases and the sum of losses, added up over the rows of a tile; with a direct layout
/// the update of the parameters, too.
///
/// `own` is the tile or vector of the unit's number, for a layout in which each unit has one at most. A unit owns tiles
/// of 4 × 4 weights and keeps their gradients in registers. If there are more units than tiles, each
/// adds up one slice of the rows; the order of all sums is fixed.
#[cube]
pub(super) fn gradients(
    memory: &mut [Four],
    at: usize,
    records: &mut [Four],
    records_at: usize,
    num_rows: usize,
    is_first: bool,
    rate: Four,
    own: &Item,
    #[comptime] layout: Layout,
) {
    let num_items = comptime!(layout.num_record_items());
    let slices = comptime!(layout.slices);
    if comptime!(layout.is_one_item_each()) {
        if UNIT_POS < comptime!((num_items * slices) as u32) {
            let slice = UNIT_POS as usize / num_items;
            gradient(
                memory, at, records, records_at, num_rows, is_first, rate, slice, own, layout,
            );
        }
    } else {
        for number in range_stepped(
            UNIT_POS as usize,
            comptime!(num_items * slices),
            comptime!(layout.units),
        ) {
            let slice = number / num_items;
            let item = item_of(number % num_items, layout.clone());
            gradient(
                memory,
                at,
                records,
                records_at,
                num_rows,
                is_first,
                rate,
                slice,
                &item,
                layout.clone(),
            );
        }
    }
}

/// Adds the product of a row's inputs and its gradient to the sums of a tile.
#[cube]
fn add_row(
    sums: &mut Array<Four>,
    records: &mut [Four],
    record: usize,
    item: &Item,
    is_there: bool,
    #[comptime] is_checked: bool,
) {
    let mut one = Four::new(0.0);
    one.insert(0usize, 1.0);
    let mut x = select(item.is_vector, one, records[record + item.inputs]);
    let mut delta = records[record + item.delta];
    if comptime!(is_checked) {
        x = select(is_there, x, Four::new(0.0));
        delta = select(is_there, delta, Four::new(0.0));
    }
    #[unroll]
    for component in 0..4usize {
        sums[component] += Four::new(x.extract(component)) * delta;
    }
}

/// The gradient of one tile of 4 × 4 weights or of one vector, over one slice of the rows.
#[cube]
fn gradient(
    memory: &mut [Four],
    at: usize,
    records: &mut [Four],
    records_at: usize,
    num_rows: usize,
    is_first: bool,
    rate: Four,
    slice: usize,
    item: &Item,
    #[comptime] layout: Layout,
) {
    let slices = comptime!(layout.slices);
    let mut sums = Array::<Four>::new(4usize);
    #[unroll]
    for component in 0..4usize {
        sums[component] = Four::new(0.0);
    }
    // Several rows at a time, so that their loads overlap.
    let rows = comptime!(layout.tile.div_ceil(layout.slices));
    if comptime!(rows <= ROWS_AT_ONCE) {
        #[unroll]
        for turn in 0..rows {
            let row = slice + comptime!(turn * slices);
            let is_there = row < num_rows;
            let row = min(row, comptime!(layout.tile - 1));
            let record = records_at + row * comptime!(layout.record);
            add_row(&mut sums, records, record, item, is_there, true);
        }
    } else {
        let block = comptime!(4 * slices);
        let whole = num_rows / block * block;
        for first in range_stepped(slice, whole, block) {
            #[unroll]
            for turn in 0..4usize {
                let row = first + comptime!(turn * slices);
                let record = records_at + row * comptime!(layout.record);
                add_row(&mut sums, records, record, item, true, false);
            }
        }
        for row in range_stepped(whole + slice, num_rows, slices) {
            let record = records_at + row * comptime!(layout.record);
            add_row(&mut sums, records, record, item, true, false);
        }
    }
    if comptime!(layout.is_direct) {
        #[unroll]
        for row in 0..4usize {
            if item.rows > row {
                let place = item.place + row * item.step;
                update(
                    memory,
                    at,
                    place,
                    sums[row],
                    rate,
                    1.0,
                    !item.is_vector,
                    item.columns,
                    layout.clone(),
                );
            }
        }
        if item.place == comptime!(layout.loss_sum()) {
            // No gradients are stored, so the sum of losses takes the place of a bias that does not exist.
            keep_loss_sum(memory, at, sums[0], layout.clone());
        }
    } else {
        let first = at + comptime!(layout.gradients) + slice * comptime!(layout.parameters);
        #[unroll]
        for row in 0..4usize {
            if row == 0 || !item.is_vector {
                add(
                    memory,
                    first + item.place + row * item.step,
                    sums[row],
                    is_first,
                );
            }
        }
    }
}

#[cube]
fn add(memory: &mut [Four], place: usize, sum: Four, is_first: bool) {
    if is_first {
        memory[place] = sum;
    } else {
        memory[place] += sum;
    }
}

/// Stores the sum of losses behind the last bias.
#[cube]
fn keep_loss_sum(memory: &mut [Four], at: usize, sum: Four, #[comptime] layout: Layout) {
    let place = at + comptime!(layout.loss_sum());
    let mut vector = memory[place];
    vector.insert(3usize, sum.extract(3usize));
    memory[place] = vector;
}

/// The sum of a batch's losses, after the gradients of its last tile and a barrier.
#[cube]
pub(super) fn loss_sum(memory: &mut [Four], at: usize, #[comptime] layout: Layout) -> f32 {
    let place = at + comptime!(layout.loss_sum());
    if comptime!(layout.is_direct) {
        memory[place].extract(3usize)
    } else {
        let mut sum = 0.0f32;
        #[unroll]
        for slice in 0..comptime!(layout.slices) {
            let gradients = place + comptime!(layout.gradients + slice * layout.parameters);
            sum += memory[gradients].extract(3usize);
        }
        sum
    }
}

/// The gradient of four parameters: the sum over all slices.
#[cube]
fn gradient_at(
    memory: &mut [Four],
    at: usize,
    place: usize,
    has_records: bool,
    #[comptime] layout: Layout,
) -> Four {
    let first = at + comptime!(layout.gradients) + place;
    let mut sum = memory[first];
    #[unroll]
    for slice in 1..comptime!(layout.slices) {
        // Scales and shifts of a normalisation have one slice.
        if has_records {
            sum += memory[first + comptime!(slice * layout.parameters)];
        }
    }
    sum
}

/// Clips the stored gradients and moves all parameters. Ends without a barrier.
#[cube]
#[allow(clippy::single_match)] // kernels know no `if let`
pub(super) fn update_all(
    memory: &mut [Four],
    at: usize,
    partial_sums: &mut Shared<[f32]>,
    rate: Four,
    #[comptime] layout: Layout,
) {
    let rows = comptime!(layout.num_parameter_rows());
    let units = comptime!(layout.units);
    let mut factor = 1.0f32;
    match comptime!(layout.bound) {
        Some(Bound::Norm(norm)) => {
            let mut squares = 0.0f32;
            for number in range_stepped(UNIT_POS as usize, rows, units) {
                let (item, row) = row_of(number, layout.clone());
                if row < item.rows {
                    let place = item.place + row * item.step;
                    let gradient = gradient_at(memory, at, place, item.has_records, layout.clone());
                    let weights = memory[at + place];
                    let gradient = penalized(gradient, weights, !item.is_vector, layout.clone());
                    squares += sum_of(existing(gradient * gradient, item.columns));
                }
            }
            partial_sums[UNIT_POS as usize] = squares;
            barrier(layout.clone());
            // Some units add up those of every 32nd unit, each into its own place, which no other one reads.
            if UNIT_POS < comptime!(SUMMING_UNITS as u32) {
                let mut sum = 0.0f32;
                for unit in range_stepped(UNIT_POS as usize, units, SUMMING_UNITS) {
                    sum += partial_sums[unit];
                }
                partial_sums[UNIT_POS as usize] = sum;
            }
            barrier(layout.clone());
            let mut total = 0.0f32;
            for unit in 0..comptime!(min(SUMMING_UNITS, layout.units)) {
                total += partial_sums[unit];
            }
            // PyTorch's formula, its 1e-6 included. A NaN stays NaN.
            let bounded = comptime!(norm.value()) / (total.sqrt() + 1e-6);
            factor = select(bounded > 1.0, 1.0, bounded);
        }
        _ => {}
    }
    for number in range_stepped(UNIT_POS as usize, rows, units) {
        let (item, row) = row_of(number, layout.clone());
        if row < item.rows {
            let place = item.place + row * item.step;
            let gradient = gradient_at(memory, at, place, item.has_records, layout.clone());
            update(
                memory,
                at,
                place,
                gradient,
                rate,
                factor,
                !item.is_vector,
                item.columns,
                layout.clone(),
            );
        }
    }
}

/// Scales the weights that lead to each unit so that their norm is at most this. Ends without a barrier.
#[cube]
pub(super) fn bound_weights(
    memory: &mut [Four],
    at: usize,
    #[comptime] bound: Bits,
    #[comptime] layout: Layout,
) {
    #[unroll]
    for index in 0..comptime!(layout.layers.len()) {
        let layer = comptime!(layout.layers[index].clone());
        let rows = comptime!(4 * layer.in_vectors);
        let vectors = comptime!(layer.out_vectors);
        for vector in range_stepped(UNIT_POS as usize, vectors, comptime!(layout.units)) {
            let first = at + comptime!(layer.weight) + vector;
            let mut squares = Four::new(0.0);
            for row in 0..rows {
                let weights = memory[first + row * comptime!(layer.stride)];
                squares += weights * weights;
            }
            // PyTorch's `renorm`, its 1e-7 included.
            let norms = squares.sqrt();
            let bound = Four::new(comptime!(bound.value()));
            let factors = bound / (norms + Four::new(1e-7));
            let factors = select_many(norms.greater_than(&bound), factors, Four::new(1.0));
            for row in 0..rows {
                memory[first + row * comptime!(layer.stride)] *= factors;
            }
        }
    }
}

/// The first `count` components, the others zero.
#[cube]
fn existing(vector: Four, count: usize) -> Four {
    let mut kept = vector;
    #[unroll]
    for component in 0..4usize {
        kept.insert(
            component,
            select(component < count, vector.extract(component), 0.0),
        );
    }
    kept
}
