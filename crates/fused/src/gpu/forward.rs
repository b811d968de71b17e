//! The forward pass of a tile of rows inside the kernel.

use cubecl::prelude::*;

use super::activation::{Curve, activate};
use super::dropout::{MaskKeys, MaskSource, factors, mask_keys};
use super::kernel::barrier;
use super::layout::{Layer, Layout, Standardization};
use super::loss::{first_components, tail};
use super::math::Four;
use super::normalization::{batch_statistics, group_statistics, normalized};

/// Copies the inputs of rows into their records. `rows` is the place of the first row's number in `orders`, or the
/// first row itself if the rows are those of a split in their own order.
#[cube]
pub(super) fn gather(
    data: &[Four],
    orders: &[u32],
    records: &mut [Four],
    records_at: usize,
    split: usize,
    rows: usize,
    num_rows: usize,
    is_ordered: bool,
    #[comptime] layout: Layout,
) {
    let vectors = comptime!(layout.layers[0].in_vectors);
    let end = num_rows * vectors;
    for item in range_stepped(UNIT_POS as usize, end, comptime!(layout.units)) {
        let row = item / vectors;
        let vector = item % vectors;
        let sample = sample_of(orders, split, rows + row, is_ordered, layout.clone());
        records[records_at + row * comptime!(layout.record) + vector] = data[sample + vector];
    }
}

/// Loads the inputs of rows into registers, ahead of [`store_inputs`].
#[cube]
pub(super) fn load_inputs(
    data: &[Four],
    orders: &[u32],
    inputs: &mut Array<Four>,
    split: usize,
    rows: usize,
    num_rows: usize,
    #[comptime] layout: Layout,
) {
    let vectors = comptime!(layout.layers[0].in_vectors);
    #[unroll]
    for turn in 0..comptime!(layout.inputs_ahead()) {
        let item = UNIT_POS as usize + comptime!(turn * layout.units);
        let row = item / vectors;
        if row < num_rows {
            let sample = sample_of(orders, split, rows + row, true, layout.clone());
            inputs[turn] = data[sample + item % vectors];
        }
    }
}

/// Stores the inputs that were loaded into the records of their rows.
#[cube]
pub(super) fn store_inputs(
    inputs: &mut Array<Four>,
    records: &mut [Four],
    records_at: usize,
    num_rows: usize,
    #[comptime] layout: Layout,
) {
    let vectors = comptime!(layout.layers[0].in_vectors);
    #[unroll]
    for turn in 0..comptime!(layout.inputs_ahead()) {
        let item = UNIT_POS as usize + comptime!(turn * layout.units);
        let row = item / vectors;
        if row < num_rows {
            records[records_at + row * comptime!(layout.record) + item % vectors] = inputs[turn];
        }
    }
}

/// Loads the targets and weights of the rows whose losses this unit computes into registers.
#[cube]
pub(super) fn load_targets(
    data: &[Four],
    orders: &[u32],
    targets: &mut Array<Four>,
    split: usize,
    rows: usize,
    num_rows: usize,
    #[comptime] layout: Layout,
) {
    #[unroll]
    for turn in 0..comptime!(layout.targets_ahead()) {
        let row = UNIT_POS as usize + comptime!(turn * layout.units);
        if row < num_rows {
            let sample = sample_of(orders, split, rows + row, true, layout.clone());
            let first = sample + comptime!(layout.layers[0].in_vectors);
            #[unroll]
            for vector in 0..comptime!(layout.target_vectors()) {
                targets[comptime!(turn * layout.target_vectors() + vector)] = data[first + vector];
            }
        }
    }
}

/// The place of a sample in the data.
#[cube]
pub(super) fn sample_of(
    orders: &[u32],
    split: usize,
    row: usize,
    is_ordered: bool,
    #[comptime] layout: Layout,
) -> usize {
    let mut number = row;
    if is_ordered {
        number = orders[row] as usize;
    }
    (split + number) * comptime!(layout.sample)
}

/// The outputs of a tile, each in its row's record. Ends with a barrier, unless each unit computes the losses of the
/// rows whose outputs it has computed.
#[cube]
pub(super) fn forward(
    memory: &mut [Four],
    at: usize,
    records: &mut [Four],
    records_at: usize,
    num_rows: usize,
    masks: &MaskSource,
    #[comptime] layout: Layout,
    #[comptime] is_training: bool,
) {
    #[unroll]
    for index in 0..comptime!(layout.layers.len()) {
        let layer = comptime!(layout.layers[index].clone());
        let is_normalized =
            comptime!(!layer.is_output && layout.normalization != Standardization::None);
        linear(
            memory,
            at,
            records,
            records_at,
            num_rows,
            masks,
            layout.clone(),
            layer.clone(),
            is_training,
        );
        if comptime!(!layer.is_output || !layout.is_loss_fused()) {
            barrier(layout.clone());
        }
        if is_normalized {
            match comptime!(layout.normalization) {
                Standardization::Batch { momentum, epsilon } => {
                    if is_training {
                        batch_statistics(
                            memory,
                            at,
                            records,
                            records_at,
                            num_rows,
                            momentum,
                            epsilon,
                            layout.clone(),
                            layer.clone(),
                        );
                        barrier(layout.clone());
                    }
                }
                Standardization::Sample {
                    num_groups,
                    epsilon,
                    ..
                } => {
                    group_statistics(
                        records,
                        records_at,
                        num_rows,
                        num_groups,
                        epsilon,
                        layout.clone(),
                        layer.clone(),
                    );
                    barrier(layout.clone());
                }
                Standardization::None => {}
            }
            activate_normalized(
                memory,
                at,
                records,
                records_at,
                num_rows,
                masks,
                layout.clone(),
                layer.clone(),
                is_training,
            );
            barrier(layout.clone());
        }
    }
}

/// One linear layer with its activation, or without it if a normalisation comes between.
///
/// One unit computes `forward_rows` rows times four outputs, so that it loads a weight once for all of them. Rows that
/// neighbouring units compute are neighbours.
#[cube]
fn linear(
    memory: &mut [Four],
    at: usize,
    records: &mut [Four],
    records_at: usize,
    num_rows: usize,
    masks: &MaskSource,
    #[comptime] layout: Layout,
    #[comptime] layer: Layer,
    #[comptime] is_training: bool,
) {
    let is_normalized =
        comptime!(!layer.is_output && layout.normalization != Standardization::None);
    let rows = comptime!(layer.forward_rows);
    let blocks = comptime!(layout.tile / layer.forward_rows);
    let vectors = comptime!(layer.out_vectors);
    let inputs = comptime!(layer.in_vectors);
    let weight = at + comptime!(layer.weight);
    let end = min(blocks, num_rows) * vectors;
    let keys = mask_keys(masks, layer.clone());
    for item in range_stepped(UNIT_POS as usize, end, comptime!(layout.units)) {
        let vector = item % vectors;
        let block = item / vectors;
        let mut start = Four::new(0.0);
        if comptime!(layer.has_bias) {
            start = memory[at + comptime!(layer.bias) + vector];
        }
        let mut sums = Array::<Four>::new(rows);
        #[unroll]
        for row in 0..rows {
            sums[row] = start;
        }
        let first = records_at + block * comptime!(layout.record) + comptime!(layer.inputs);
        #[unroll(inputs <= 16)]
        for input in 0..inputs {
            let place = weight + input * comptime!(layer.stride) + vector;
            let w0 = memory[place];
            let w1 = memory[place + comptime!(layer.in_vectors * layer.stride)];
            let w2 = memory[place + comptime!(2 * layer.in_vectors * layer.stride)];
            let w3 = memory[place + comptime!(3 * layer.in_vectors * layer.stride)];
            #[unroll]
            for row in 0..rows {
                let x = records[first + row * comptime!(blocks * layout.record) + input];
                let sum = sums[row] + w0 * Four::new(x.extract(0usize));
                let sum = sum + w1 * Four::new(x.extract(1usize));
                let sum = sum + w2 * Four::new(x.extract(2usize));
                sums[row] = sum + w3 * Four::new(x.extract(3usize));
            }
        }
        #[unroll]
        for row in 0..rows {
            let row_of_tile = block + row * blocks;
            let record = records_at + row_of_tile * comptime!(layout.record);
            if is_normalized {
                records[record + comptime!(layer.normal) + vector] = sums[row];
            } else {
                finish(
                    records,
                    record,
                    row_of_tile,
                    vector,
                    sums[row],
                    masks,
                    &keys,
                    layer.clone(),
                    is_training,
                );
            }
        }
    }
}

/// Applies the activation, dropout and the residual connection, and stores the outputs and, in training, their
/// derivatives.
#[cube]
#[allow(clippy::too_many_arguments, clippy::single_match)] // kernels know no `if let`
fn finish(
    records: &mut [Four],
    record: usize,
    row: usize,
    vector: usize,
    z: Four,
    masks: &MaskSource,
    keys: &MaskKeys,
    #[comptime] layer: Layer,
    #[comptime] is_training: bool,
) {
    let (activated, derivative) = activate(z, comptime!(layer.curve));
    let mut y = activated;
    let mut slope = derivative;
    match comptime!(if is_training { layer.dropout } else { None }) {
        Some(dropout) => {
            let factors = factors(masks, keys, row, vector, dropout, layer.clone());
            y *= factors;
            slope *= factors;
        }
        None => {}
    }
    if comptime!(layer.is_residual) {
        y += records[record + comptime!(layer.inputs) + vector];
    }
    store_values(records, record, vector, y, layer.clone());
    if is_training {
        store_slopes(records, record, vector, slope, layer.clone());
    }
}

/// Stores what a layer gives; components behind its outputs are zero, whatever the inputs were.
#[cube]
#[allow(clippy::collapsible_if)] // the kernel has the inner condition alone
fn store_values(
    records: &mut [Four],
    record: usize,
    vector: usize,
    values: Four,
    #[comptime] layer: Layer,
) {
    let tail = comptime!(tail(layer.d_out));
    let mut kept = values;
    if comptime!(tail < 4) {
        if vector == comptime!(layer.out_vectors - 1) {
            kept = first_components(values, tail);
        }
    }
    records[record + comptime!(layer.values) + vector] = kept;
}

/// Keeps the derivatives for the backward pass, which multiplies them by the gradient by the values.
#[cube]
fn store_slopes(
    records: &mut [Four],
    record: usize,
    vector: usize,
    slopes: Four,
    #[comptime] layer: Layer,
) {
    if comptime!(!layer.is_output) {
        records[record + comptime!(layer.delta) + vector] = slopes;
    } else if comptime!(layer.curve != Curve::Linear) {
        records[record + comptime!(layer.normal) + vector] = slopes;
    }
}

/// Normalises the outputs of a linear layer, scales and shifts them, and applies the activation.
#[cube]
fn activate_normalized(
    memory: &mut [Four],
    at: usize,
    records: &mut [Four],
    records_at: usize,
    num_rows: usize,
    masks: &MaskSource,
    #[comptime] layout: Layout,
    #[comptime] layer: Layer,
    #[comptime] is_training: bool,
) {
    let vectors = comptime!(layer.out_vectors);
    let end = num_rows * vectors;
    let has_scale = comptime!(layer.scale != 0);
    let keys = mask_keys(masks, layer.clone());
    for item in range_stepped(UNIT_POS as usize, end, comptime!(layout.units)) {
        let vector = item % vectors;
        let row = item / vectors;
        let record = records_at + row * comptime!(layout.record);
        let normal = normalized(
            memory,
            at,
            records,
            record,
            vector,
            layout.clone(),
            layer.clone(),
            is_training,
        );
        records[record + comptime!(layer.normal) + vector] = normal;
        let mut z = normal;
        if has_scale {
            z = normal * memory[at + comptime!(layer.scale) + vector]
                + memory[at + comptime!(layer.shift) + vector];
        }
        finish(
            records,
            record,
            row,
            vector,
            z,
            masks,
            &keys,
            layer.clone(),
            is_training,
        );
    }
}
