//! The kernel: one cube trains one replica, for as many actions as one launch asks for.
//!
//! An action is a step on a batch, the evaluation of a batch, or the end of an epoch. All replicas do the same actions,
//! each on its own rows.

use cubecl::prelude::*;

use super::backward::{Item, backward, bound_weights, gradients, item_of, loss_sum, update_all};
use super::dropout::MaskSource;
use super::forward::{forward, gather, load_inputs, load_targets, sample_of, store_inputs};
use super::layout::{Layout, Measure, SUMMING_UNITS};
use super::loss::{row_loss, store_loss, target_of};
use super::math::{Four, is_nan};

/// Numbers that describe an action: kind, first row, number of rows, step among the learning rates, group of counts,
/// first row of outputs, place among the losses.
pub(super) const ACTION: usize = 7;
/// A step of training on rows of the order.
pub(super) const STEP: u32 = 0;
/// An evaluation of rows of the training split, in its own order.
pub(super) const EVALUATE_TRAIN: u32 = 1;
/// An evaluation of rows of the validation split, in its own order.
pub(super) const EVALUATE_VALID: u32 = 2;
/// The end of an epoch, whose place is the second number: the state is saved.
pub(super) const END: u32 = 3;

/// Numbers of each replica in the table: first row of its training split, first row of its validation split, first of
/// its learning rates, first of its order of rows, steps done before the first learning rate, both halves of the seed of
/// its dropout.
pub(super) const TABLE: usize = 7;

/// Waits until all units of the cube are here and see what the others wrote.
#[cube]
pub(super) fn barrier(#[comptime] layout: Layout) {
    if comptime!(layout.needs_storage_barriers()) {
        sync_storage();
    } else {
        sync_cube();
    }
}

/// The buffers that a launch reads.
#[derive(CubeType, CubeLaunch)]
pub(super) struct Inputs {
    /// Samples of all splits, each `layout.sample` vectors.
    pub data: Box<[Four]>,
    /// Rows of the steps.
    pub orders: Box<[u32]>,
    /// [`ACTION`] numbers each.
    pub actions: Box<[u32]>,
    /// [`TABLE`] numbers each.
    pub table: Box<[u32]>,
    /// Learning rates and what follows from them, one vector for each step.
    pub rates: Box<[Four]>,
}

/// The buffers that a launch changes.
#[derive(CubeType, CubeLaunch)]
pub(super) struct Outputs {
    /// `layout.state` vectors for each replica.
    pub state: Box<[Four]>,
    /// The part of the state that lasts at the end of each epoch: for each epoch `layout.saved` vectors for each replica.
    pub snapshots: Box<[Four]>,
    /// Records of rows that do not fit into shared memory, `layout.tile × layout.record` vectors for each replica.
    pub records: Box<[Four]>,
    /// A loss for each batch.
    pub losses: Box<[f32]>,
    /// Confusion counts.
    pub counts: Box<[Atomic<u32>]>,
    /// Outputs of the network.
    pub outputs: Box<[f32]>,
    /// Actions done by each replica in this launch.
    pub done: Box<[u32]>,
}

/// Numbers that a launch is called with.
#[derive(CubeType, CubeLaunch)]
pub(super) struct Call {
    /// The actions of this launch, from the first to before the last.
    pub first: u32,
    pub last: u32,
    /// Losses, groups of counts and rows of outputs of one replica.
    pub num_losses: u32,
    pub num_groups: u32,
    pub num_output_rows: u32,
    /// 2: the iterations of a loop that shows whether the device still runs loops to their end.
    pub two: u32,
}

/// Trains all replicas, a cube for each.
#[cube(launch)]
pub(super) fn train(
    inputs: &Inputs,
    outputs: &mut Outputs,
    call: &Call,
    #[comptime] layout: Layout,
) {
    let replica = CUBE_POS;
    let state_at = replica * comptime!(layout.state);
    let records_at = replica * comptime!(layout.tile * layout.record);
    let mut partial_sums = Shared::<[f32]>::new_slice(comptime!(layout.partial_sums));
    let mut is_cut = Shared::<[u32]>::new_slice(1usize);
    if comptime!(layout.is_state_shared) {
        let mut memory = Shared::<[Four]>::new_slice(comptime!(layout.state));
        for place in range_stepped(
            UNIT_POS as usize,
            comptime!(layout.state),
            comptime!(layout.units),
        ) {
            memory[place] = outputs.state[state_at + place];
        }
        if comptime!(layout.are_records_shared) {
            let mut records = Shared::<[Four]>::new_slice(comptime!(layout.tile * layout.record));
            act(
                inputs,
                &mut memory,
                0usize,
                &mut records,
                0usize,
                &mut outputs.snapshots,
                &mut outputs.losses,
                &outputs.counts,
                &mut outputs.outputs,
                &mut outputs.done,
                call,
                &mut partial_sums,
                &mut is_cut,
                layout.clone(),
            );
        } else {
            act(
                inputs,
                &mut memory,
                0usize,
                &mut outputs.records,
                records_at,
                &mut outputs.snapshots,
                &mut outputs.losses,
                &outputs.counts,
                &mut outputs.outputs,
                &mut outputs.done,
                call,
                &mut partial_sums,
                &mut is_cut,
                layout.clone(),
            );
        }
        for place in range_stepped(
            UNIT_POS as usize,
            comptime!(layout.state),
            comptime!(layout.units),
        ) {
            outputs.state[state_at + place] = memory[place];
        }
    } else if comptime!(layout.are_records_shared) {
        let mut records = Shared::<[Four]>::new_slice(comptime!(layout.tile * layout.record));
        act(
            inputs,
            &mut outputs.state,
            state_at,
            &mut records,
            0usize,
            &mut outputs.snapshots,
            &mut outputs.losses,
            &outputs.counts,
            &mut outputs.outputs,
            &mut outputs.done,
            call,
            &mut partial_sums,
            &mut is_cut,
            layout.clone(),
        );
    } else {
        act(
            inputs,
            &mut outputs.state,
            state_at,
            &mut outputs.records,
            records_at,
            &mut outputs.snapshots,
            &mut outputs.losses,
            &outputs.counts,
            &mut outputs.outputs,
            &mut outputs.done,
            call,
            &mut partial_sums,
            &mut is_cut,
            layout.clone(),
        );
    }
}

/// Does the actions of a launch for one replica.
#[cube]
#[allow(clippy::too_many_arguments)]
fn act(
    inputs: &Inputs,
    memory: &mut [Four],
    at: usize,
    records: &mut [Four],
    records_at: usize,
    snapshots: &mut [Four],
    losses: &mut [f32],
    counts: &[Atomic<u32>],
    outputs: &mut [f32],
    done: &mut [u32],
    call: &Call,
    partial_sums: &mut Shared<[f32]>,
    is_cut: &mut Shared<[u32]>,
    #[comptime] layout: Layout,
) {
    let replica = CUBE_POS;
    let table = replica * TABLE;
    let train_split = inputs.table[table] as usize;
    let valid_split = inputs.table[table + 1] as usize;
    let first_rate = inputs.table[table + 2] as usize;
    let num_items = comptime!(layout.num_record_items());
    let own = item_of(UNIT_POS as usize % num_items, layout.clone());
    let mut loaded = Array::<Four>::new(comptime!(layout.inputs_ahead().max(1)));
    let mut targets = Array::<Four>::new(comptime!(
        (layout.targets_ahead() * layout.target_vectors()).max(1)
    ));
    let first_row = inputs.table[table + 3] as usize;
    let (rows, num_rows) = rows_ahead(inputs, call, call.first, first_row, layout.clone());
    load_inputs(
        &inputs.data,
        &inputs.orders,
        &mut loaded,
        train_split,
        rows,
        num_rows,
        layout.clone(),
    );
    load_targets(
        &inputs.data,
        &inputs.orders,
        &mut targets,
        train_split,
        rows,
        num_rows,
        layout.clone(),
    );
    let mut num_done = 0u32;
    for number in call.first..call.last {
        let action = number as usize * ACTION;
        let kind = inputs.actions[action];
        let start = inputs.actions[action + 1] as usize;
        let num_rows = inputs.actions[action + 2] as usize;
        let slot = inputs.actions[action + 4] as usize + replica * call.num_groups as usize;
        let output_row = inputs.actions[action + 5] as usize;
        let loss_place = inputs.actions[action + 6] as usize + replica * call.num_losses as usize;
        let output_place = output_row + replica * call.num_output_rows as usize;
        let (next_rows, next_num_rows) =
            rows_ahead(inputs, call, number + 1, first_row, layout.clone());
        num_done += 1;
        if kind == STEP {
            let step_of_call = inputs.actions[action + 3];
            let rate = inputs.rates[first_rate + step_of_call as usize];
            let masks = MaskSource {
                low: inputs.table[table + 5],
                high: inputs.table[table + 6],
                step: inputs.table[table + 4] + step_of_call,
                first_row: 0u32,
            };
            let total = step(
                &inputs.data,
                &inputs.orders,
                memory,
                at,
                records,
                records_at,
                counts,
                outputs,
                partial_sums,
                &mut loaded,
                &mut targets,
                &own,
                train_split,
                first_row + start,
                num_rows,
                &masks,
                next_rows,
                next_num_rows,
                slot,
                output_place,
                rate,
                layout.clone(),
            );
            let loss = reduced(total, num_rows, layout.clone());
            if UNIT_POS == 0 {
                losses[loss_place] = loss;
            }
        } else {
            if kind == END {
                // The action before ended with a barrier, and no unit changes the state before the next one.
                let saved = comptime!(layout.saved);
                let first = (start * CUBE_COUNT + replica) * saved;
                for place in range_stepped(UNIT_POS as usize, saved, comptime!(layout.units)) {
                    snapshots[first + place] = memory[at + place];
                }
            } else {
                let split = select(kind == EVALUATE_TRAIN, train_split, valid_split);
                let total = evaluate(
                    &inputs.data,
                    &inputs.orders,
                    memory,
                    at,
                    records,
                    records_at,
                    counts,
                    outputs,
                    partial_sums,
                    split,
                    start,
                    num_rows,
                    slot,
                    output_place,
                    layout.clone(),
                );
                let loss = reduced(total, num_rows, layout.clone());
                if UNIT_POS == 0 {
                    losses[loss_place] = loss;
                }
            }
            load_inputs(
                &inputs.data,
                &inputs.orders,
                &mut loaded,
                train_split,
                next_rows,
                next_num_rows,
                layout.clone(),
            );
            load_targets(
                &inputs.data,
                &inputs.orders,
                &mut targets,
                train_split,
                next_rows,
                next_num_rows,
                layout.clone(),
            );
        }
    }
    // A device that ends loops early runs each further loop once at most.
    let mut turns = 0u32;
    for _ in 0..call.two {
        turns += 1;
    }
    if UNIT_POS == 0 {
        is_cut[0] = 0;
    }
    barrier(layout.clone());
    if turns < call.two || num_done < call.last - call.first {
        is_cut[0] = 1;
    }
    barrier(layout.clone());
    if UNIT_POS == 0 {
        done[replica] = select(is_cut[0] == 0, num_done, 0);
    }
}

/// The loss of a batch from the sum of its rows' losses.
#[cube]
fn reduced(total: f32, num_rows: usize, #[comptime] layout: Layout) -> f32 {
    if comptime!(layout.is_mean) {
        total / f32::cast_from(num_losses(num_rows, layout.clone()))
    } else {
        total
    }
}

/// Number of losses of rows: one each for a cross-entropy, one for each output else.
#[cube]
fn num_losses(num_rows: usize, #[comptime] layout: Layout) -> usize {
    num_rows * comptime!(losses_per_row(&layout))
}

fn losses_per_row(layout: &Layout) -> usize {
    if layout.error.is_of_softmax() {
        1
    } else {
        layout.layers[layout.layers.len() - 1].d_out
    }
}

/// The first rows of an action, if it is a step of this launch: their place in the orders, and how many belong to the
/// first tile.
#[cube]
fn rows_ahead(
    inputs: &Inputs,
    call: &Call,
    number: u32,
    first_row: usize,
    #[comptime] layout: Layout,
) -> (usize, usize) {
    let action = min(number, call.last - 1) as usize * ACTION;
    let is_step = number < call.last && inputs.actions[action] == STEP;
    let start = inputs.actions[action + 1] as usize;
    let num_rows = min(inputs.actions[action + 2] as usize, comptime!(layout.tile));
    (first_row + start, select(is_step, num_rows, 0usize))
}

/// One step on a batch, whose first tile was loaded ahead; the rows of the next step are loaded on the way. Gives the sum of its losses to all units. Ends with a barrier.
#[cube]
#[allow(clippy::too_many_arguments, clippy::single_match)] // kernels know no `if let`
fn step(
    data: &[Four],
    orders: &[u32],
    memory: &mut [Four],
    at: usize,
    records: &mut [Four],
    records_at: usize,
    counts: &[Atomic<u32>],
    outputs: &mut [f32],
    partial_sums: &mut Shared<[f32]>,
    inputs: &mut Array<Four>,
    targets: &mut Array<Four>,
    own: &Item,
    split: usize,
    rows: usize,
    num_rows: usize,
    masks: &MaskSource,
    next_rows: usize,
    next_num_rows: usize,
    slot: usize,
    output_row: usize,
    rate: Four,
    #[comptime] layout: Layout,
) -> f32 {
    let tile = comptime!(layout.tile);
    let mut scale = 1.0f32;
    if comptime!(layout.is_mean) {
        scale = 1.0 / f32::cast_from(num_losses(num_rows, layout.clone()));
    }
    for first in range_stepped(0usize, num_rows, tile) {
        let rows_of_tile = min(tile, num_rows - first);
        let masks_of_tile = MaskSource {
            low: masks.low,
            high: masks.high,
            step: masks.step,
            first_row: first as u32,
        };
        // The rows that come after this tile: those of the next one, or of the next step.
        let is_last = first + tile >= num_rows;
        let ahead = select(is_last, next_rows, rows + first + tile);
        let rows_ahead = select(
            is_last,
            next_num_rows,
            num_rows - min(first + tile, num_rows),
        );
        let rows_ahead = min(tile, rows_ahead);
        if comptime!(layout.inputs_ahead() > 0) {
            store_inputs(inputs, records, records_at, rows_of_tile, layout.clone());
            load_inputs(
                data,
                orders,
                inputs,
                split,
                ahead,
                rows_ahead,
                layout.clone(),
            );
        } else {
            gather(
                data,
                orders,
                records,
                records_at,
                split,
                rows + first,
                rows_of_tile,
                true,
                layout.clone(),
            );
        }
        barrier(layout.clone());
        forward(
            memory,
            at,
            records,
            records_at,
            rows_of_tile,
            &masks_of_tile,
            layout.clone(),
            true,
        );
        measure_rows(
            data,
            orders,
            records,
            records_at,
            counts,
            outputs,
            targets,
            split,
            rows + first,
            rows_of_tile,
            slot,
            output_row + first,
            scale,
            layout.clone(),
            true,
        );
        load_targets(
            data,
            orders,
            targets,
            split,
            ahead,
            rows_ahead,
            layout.clone(),
        );
        barrier(layout.clone());
        backward(
            memory,
            at,
            records,
            records_at,
            rows_of_tile,
            first == 0,
            layout.clone(),
        );
        gradients(
            memory,
            at,
            records,
            records_at,
            rows_of_tile,
            first == 0,
            rate,
            own,
            layout.clone(),
        );
        barrier(layout.clone());
    }
    let total = loss_sum(memory, at, layout.clone());
    if comptime!(!layout.is_direct) {
        update_all(memory, at, partial_sums, rate, layout.clone());
        barrier(layout.clone());
    }
    match comptime!(layout.max_norm) {
        Some(bound) => {
            bound_weights(memory, at, bound, layout.clone());
            barrier(layout.clone());
        }
        None => {}
    }
    total
}

/// The sum of the losses of rows in evaluation mode, for the first unit. Ends with a barrier.
#[cube]
#[allow(clippy::too_many_arguments)]
fn evaluate(
    data: &[Four],
    orders: &[u32],
    memory: &mut [Four],
    at: usize,
    records: &mut [Four],
    records_at: usize,
    counts: &[Atomic<u32>],
    outputs: &mut [f32],
    partial_sums: &mut Shared<[f32]>,
    split: usize,
    start: usize,
    num_rows: usize,
    slot: usize,
    output_row: usize,
    #[comptime] layout: Layout,
) -> f32 {
    let tile = comptime!(layout.tile);
    let output = comptime!(layout.layers[layout.layers.len() - 1].clone());
    let no_masks = MaskSource {
        low: 0u32,
        high: 0u32,
        step: 0u32,
        first_row: 0u32,
    };
    let mut no_targets = Array::<Four>::new(1usize);
    let mut own = 0.0f32;
    for first in range_stepped(0usize, num_rows, tile) {
        let rows_of_tile = min(tile, num_rows - first);
        gather(
            data,
            orders,
            records,
            records_at,
            split,
            start + first,
            rows_of_tile,
            false,
            layout.clone(),
        );
        barrier(layout.clone());
        forward(
            memory,
            at,
            records,
            records_at,
            rows_of_tile,
            &no_masks,
            layout.clone(),
            false,
        );
        measure_rows(
            data,
            orders,
            records,
            records_at,
            counts,
            outputs,
            &mut no_targets,
            split,
            start + first,
            rows_of_tile,
            slot,
            output_row + first,
            0.0,
            layout.clone(),
            false,
        );
        barrier(layout.clone());
        if UNIT_POS < comptime!(SUMMING_UNITS as u32) {
            for row in range_stepped(UNIT_POS as usize, rows_of_tile, SUMMING_UNITS) {
                let record = records_at + row * comptime!(layout.record);
                let last = comptime!(output.delta + (output.d_out + 1).div_ceil(4) - 1);
                own += records[record + last].extract(3usize);
            }
        }
        barrier(layout.clone());
    }
    if UNIT_POS < comptime!(SUMMING_UNITS as u32) {
        partial_sums[UNIT_POS as usize] = own;
    }
    barrier(layout.clone());
    let mut total = 0.0f32;
    if UNIT_POS == 0 {
        #[unroll]
        for unit in 0..comptime!(min(SUMMING_UNITS, layout.units)) {
            total += partial_sums[unit];
        }
    }
    barrier(layout.clone());
    total
}

/// The losses of a tile's rows, a unit for each row: gradients by the outputs, counts and outputs as asked for.
///
/// `targets` holds the targets that were loaded ahead, in training.
#[cube]
#[allow(clippy::too_many_arguments)]
fn measure_rows(
    data: &[Four],
    orders: &[u32],
    records: &mut [Four],
    records_at: usize,
    counts: &[Atomic<u32>],
    outputs: &mut [f32],
    targets: &mut Array<Four>,
    split: usize,
    rows: usize,
    num_rows: usize,
    slot: usize,
    output_row: usize,
    scale: f32,
    #[comptime] layout: Layout,
    #[comptime] is_training: bool,
) {
    let turns = comptime!(if is_training {
        layout.targets_ahead()
    } else {
        0
    });
    if comptime!(turns > 0) {
        #[unroll]
        for turn in 0..turns {
            let row = UNIT_POS as usize + comptime!(turn * layout.units);
            if row < num_rows {
                let record = records_at + row * comptime!(layout.record);
                measure_row(
                    data,
                    records,
                    counts,
                    outputs,
                    targets,
                    record,
                    0usize,
                    slot,
                    output_row + row,
                    scale,
                    turn,
                    layout.clone(),
                    is_training,
                );
            }
        }
    } else {
        for row in range_stepped(UNIT_POS as usize, num_rows, comptime!(layout.units)) {
            let record = records_at + row * comptime!(layout.record);
            let sample = sample_of(orders, split, rows + row, is_training, layout.clone());
            measure_row(
                data,
                records,
                counts,
                outputs,
                targets,
                record,
                sample + comptime!(layout.layers[0].in_vectors),
                slot,
                output_row + row,
                scale,
                0usize,
                layout.clone(),
                is_training,
            );
        }
    }
}

/// The loss of one row; see [`measure_rows`].
#[cube]
#[allow(clippy::too_many_arguments)]
fn measure_row(
    data: &[Four],
    records: &mut [Four],
    counts: &[Atomic<u32>],
    outputs: &mut [f32],
    targets: &mut Array<Four>,
    record: usize,
    target: usize,
    slot: usize,
    output_row: usize,
    scale: f32,
    #[comptime] turn: usize,
    #[comptime] layout: Layout,
    #[comptime] is_training: bool,
) {
    let output = comptime!(layout.layers[layout.layers.len() - 1].clone());
    match comptime!(layout.measure) {
        Measure::Losses => {}
        Measure::Outputs => {
            let place = output_row * comptime!(output.d_out);
            for vector in 0..comptime!(output.out_vectors) {
                let y = records[record + comptime!(output.values) + vector];
                #[unroll]
                for component in 0..4usize {
                    let number = vector * 4 + component;
                    if number < comptime!(output.d_out) {
                        outputs[place + number] = y.extract(component);
                    }
                }
            }
        }
        Measure::Threshold(threshold) => {
            let y = records[record + comptime!(output.values)].extract(0usize);
            let t = target_of(
                data,
                target,
                targets,
                0usize,
                turn,
                layout.clone(),
                is_training,
            );
            let label = select(t.extract(0usize) > 0.5, 2usize, 0usize);
            let predicted = select(y > comptime!(threshold.value()), 1usize, 0usize);
            if !is_nan(y) {
                counts[slot * 4 + label + predicted].fetch_add(1);
            }
        }
        Measure::Classes => count_class(
            data,
            records,
            counts,
            targets,
            record,
            target,
            slot,
            turn,
            layout.clone(),
            is_training,
        ),
    }
    let loss = row_loss(
        data,
        records,
        record,
        target,
        targets,
        scale,
        turn,
        layout.clone(),
        is_training,
    );
    store_loss(records, record, loss, layout.clone());
}

/// Counts a row by its target and by its largest output, the first on ties. A row with a NaN is not counted.
#[cube]
fn count_class(
    data: &[Four],
    records: &mut [Four],
    counts: &[Atomic<u32>],
    targets: &mut Array<Four>,
    record: usize,
    target: usize,
    slot: usize,
    #[comptime] turn: usize,
    #[comptime] layout: Layout,
    #[comptime] is_training: bool,
) {
    let output = comptime!(layout.layers[layout.layers.len() - 1].clone());
    let vectors = comptime!(output.out_vectors);
    let classes = comptime!(output.d_out);
    let mut largest = records[record + comptime!(output.values)].extract(0usize);
    let first = target_of(
        data,
        target,
        targets,
        0usize,
        turn,
        layout.clone(),
        is_training,
    );
    let mut largest_target = first.extract(0usize);
    let mut predicted = 0usize;
    let mut label = 0usize;
    let mut has_nan = false;
    #[unroll(vectors <= 4)]
    for vector in 0..vectors {
        let y = records[record + comptime!(output.values) + vector];
        let t = target_of(
            data,
            target,
            targets,
            vector,
            turn,
            layout.clone(),
            is_training,
        );
        #[unroll]
        for component in 0..4usize {
            let class = vector * 4 + component;
            if class < classes {
                let value = y.extract(component);
                has_nan = has_nan || is_nan(value);
                if value > largest {
                    largest = value;
                    predicted = class;
                }
                if t.extract(component) > largest_target {
                    largest_target = t.extract(component);
                    label = class;
                }
            }
        }
    }
    if !has_nan {
        counts[(slot * classes + label) * classes + predicted].fetch_add(1);
    }
}

/// A place that nothing is copied from.
pub(super) const NOWHERE: u32 = u32::MAX;

/// Copies some vectors for each replica, a cube for each: from its place, unless that is [`NOWHERE`], to its own part
/// of `stride` vectors.
#[cube(launch)]
pub(super) fn copy(from: &[Four], to: &mut [Four], places: &[u32], length: u32, stride: u32) {
    let place = places[CUBE_POS];
    if place != NOWHERE {
        let first = CUBE_POS * stride as usize;
        for number in range_stepped(UNIT_POS as usize, length as usize, CUBE_DIM as usize) {
            to[first + number] = from[place as usize + number];
        }
    }
}

/// Counts the iterations of a loop: a device that ends long loops gives fewer than asked for.
#[cube(launch)]
pub(super) fn count_iterations(count: &mut [u32], iterations: u32) {
    let mut done = 0u32;
    for _ in 0..iterations {
        done += 1;
    }
    if UNIT_POS == 0 {
        count[0] = done;
    }
}
