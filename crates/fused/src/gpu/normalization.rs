//! Normalisations inside the kernel: statistics, and the gradient through them.

use cubecl::prelude::*;

use super::bits::Bits;
use super::layout::{Layer, Layout, Standardization};
use super::loss::{first_components, sum_of, tail};
use super::math::Four;

/// Mean and inverse deviation of each feature over the batch; the running statistics move towards them.
#[cube]
pub(super) fn batch_statistics(
    memory: &mut [Four],
    at: usize,
    records: &mut [Four],
    records_at: usize,
    num_rows: usize,
    #[comptime] momentum: Bits,
    #[comptime] epsilon: Bits,
    #[comptime] layout: Layout,
    #[comptime] layer: Layer,
) {
    let vectors = comptime!(layer.out_vectors);
    let count = f32::cast_from(num_rows);
    for vector in range_stepped(UNIT_POS as usize, vectors, comptime!(layout.units)) {
        let first = records_at + comptime!(layer.normal) + vector;
        let mut sum = Four::new(0.0);
        for row in 0..num_rows {
            sum += records[first + row * comptime!(layout.record)];
        }
        let mean = sum / Four::new(count);
        let mut squares = Four::new(0.0);
        for row in 0..num_rows {
            let distance = records[first + row * comptime!(layout.record)] - mean;
            squares += distance * distance;
        }
        let variance = squares / Four::new(count);
        memory[at + comptime!(layer.batch_mean) + vector] = mean;
        memory[at + comptime!(layer.batch_factor) + vector] = inverse_deviation(variance, epsilon);
        // The running variance is that of an unbiased estimate.
        let unbiased = squares / Four::new(max(count - 1.0, 1.0));
        let share = Four::new(comptime!(momentum.value()));
        let rest = Four::new(comptime!(1.0 - momentum.value()));
        let place = at + comptime!(layer.running_mean) + vector;
        memory[place] = memory[place] * rest + mean * share;
        let place = at + comptime!(layer.running_variance) + vector;
        memory[place] = memory[place] * rest + unbiased * share;
    }
}

/// `1 / √(variance + epsilon)`
#[cube]
fn inverse_deviation(variance: Four, #[comptime] epsilon: Bits) -> Four {
    Four::new(1.0) / (variance + Four::new(comptime!(epsilon.value()))).sqrt()
}

/// Mean and inverse deviation of each group of each row, into the row's record.
#[cube]
pub(super) fn group_statistics(
    records: &mut [Four],
    records_at: usize,
    num_rows: usize,
    #[comptime] num_groups: usize,
    #[comptime] epsilon: Bits,
    #[comptime] layout: Layout,
    #[comptime] layer: Layer,
) {
    let size = comptime!(layer.d_out / num_groups);
    let units = comptime!(layout.units);
    for item in range_stepped(UNIT_POS as usize, num_rows * num_groups, units) {
        let group = item % num_groups;
        let record = records_at + (item / num_groups) * comptime!(layout.record);
        let start = group * size;
        let end = start + size;
        let mut sum = 0.0f32;
        for vector in start / 4..(end + 3) / 4 {
            let numbers = records[record + comptime!(layer.normal) + vector];
            sum += sum_of(between(numbers, vector * 4, start, end));
        }
        let mean = sum / comptime!(size as f32);
        let mut squares = 0.0f32;
        for vector in start / 4..(end + 3) / 4 {
            let numbers = records[record + comptime!(layer.normal) + vector];
            let distance = between(numbers - Four::new(mean), vector * 4, start, end);
            squares += sum_of(distance * distance);
        }
        let variance = Four::new(squares / comptime!(size as f32));
        let mut statistics = Four::new(mean);
        statistics.insert(1usize, inverse_deviation(variance, epsilon).extract(0usize));
        records[record + comptime!(layer.groups) + group] = statistics;
    }
}

/// The components whose features lie from `start` to before `end`, the others zero. `first` is the vector's first
/// feature.
#[cube]
fn between(vector: Four, first: usize, start: usize, end: usize) -> Four {
    let mut kept = vector;
    #[unroll]
    for component in 0..4usize {
        let feature = first + component;
        let is_inside = feature >= start && feature < end;
        kept.insert(component, select(is_inside, vector.extract(component), 0.0));
    }
    kept
}

/// Four normalised outputs of a linear layer, without scale and shift.
#[cube]
pub(super) fn normalized(
    memory: &mut [Four],
    at: usize,
    records: &mut [Four],
    record: usize,
    vector: usize,
    #[comptime] layout: Layout,
    #[comptime] layer: Layer,
    #[comptime] is_training: bool,
) -> Four {
    let z = records[record + comptime!(layer.normal) + vector];
    match comptime!(layout.normalization) {
        Standardization::Batch { epsilon, .. } => {
            if is_training {
                let mean = memory[at + comptime!(layer.batch_mean) + vector];
                (z - mean) * memory[at + comptime!(layer.batch_factor) + vector]
            } else {
                let mean = memory[at + comptime!(layer.running_mean) + vector];
                let variance = memory[at + comptime!(layer.running_variance) + vector];
                (z - mean) * inverse_deviation(variance, epsilon)
            }
        }
        Standardization::Sample { num_groups, .. } => {
            let means = of_groups(records, record, vector, 0usize, num_groups, layer.clone());
            let factors = of_groups(records, record, vector, 1usize, num_groups, layer.clone());
            (z - means) * factors
        }
        Standardization::None => z,
    }
}

/// A statistic of the groups of four neighbouring features: component `which` of what the record keeps.
#[cube]
fn of_groups(
    records: &mut [Four],
    record: usize,
    vector: usize,
    #[comptime] which: usize,
    #[comptime] num_groups: usize,
    #[comptime] layer: Layer,
) -> Four {
    let groups = record + comptime!(layer.groups);
    let size = comptime!(layer.d_out / num_groups);
    let mut statistics = Four::new(0.0);
    #[unroll]
    for component in 0..4usize {
        // Components behind the last feature take the statistics of the last group.
        let group = min((vector * 4 + component) / size, comptime!(num_groups - 1));
        statistics.insert(component, records[groups + group].extract(which));
    }
    statistics
}

/// The gradients of scale and shift, added up over the rows of a tile.
#[cube]
pub(super) fn scale_gradients(
    memory: &mut [Four],
    at: usize,
    records: &mut [Four],
    records_at: usize,
    num_rows: usize,
    is_first: bool,
    #[comptime] layout: Layout,
    #[comptime] layer: Layer,
) {
    let vectors = comptime!(layer.out_vectors);
    let gradients = at + comptime!(layout.gradients);
    for vector in range_stepped(UNIT_POS as usize, vectors, comptime!(layout.units)) {
        let mut scale = Four::new(0.0);
        let mut shift = Four::new(0.0);
        for row in 0..num_rows {
            let record = records_at + row * comptime!(layout.record) + vector;
            let delta = records[record + comptime!(layer.delta)];
            shift += delta;
            scale += delta * records[record + comptime!(layer.normal)];
        }
        let scale_place = gradients + comptime!(layer.scale) + vector;
        let shift_place = gradients + comptime!(layer.shift) + vector;
        if !is_first {
            scale += memory[scale_place];
            shift += memory[shift_place];
        }
        memory[scale_place] = scale;
        memory[shift_place] = shift;
    }
}

/// Turns the gradient by a batch normalisation's results into that by its inputs.
#[cube]
pub(super) fn backward_of_batch(
    memory: &mut [Four],
    at: usize,
    records: &mut [Four],
    records_at: usize,
    num_rows: usize,
    #[comptime] layout: Layout,
    #[comptime] layer: Layer,
) {
    let vectors = comptime!(layer.out_vectors);
    let gradients = at + comptime!(layout.gradients);
    let count = Four::new(f32::cast_from(num_rows));
    for item in range_stepped(
        UNIT_POS as usize,
        num_rows * vectors,
        comptime!(layout.units),
    ) {
        let vector = item % vectors;
        let record = records_at + (item / vectors) * comptime!(layout.record) + vector;
        let mean = memory[gradients + comptime!(layer.shift) + vector] / count;
        let slope = memory[gradients + comptime!(layer.scale) + vector] / count;
        let factor = memory[at + comptime!(layer.scale) + vector]
            * memory[at + comptime!(layer.batch_factor) + vector];
        let normal = records[record + comptime!(layer.normal)];
        let place = record + comptime!(layer.delta);
        records[place] = (records[place] - mean - normal * slope) * factor;
    }
}

/// Turns the gradient by the results of a normalisation of groups into that by its inputs.
#[cube]
pub(super) fn backward_of_groups(
    memory: &mut [Four],
    at: usize,
    records: &mut [Four],
    records_at: usize,
    num_rows: usize,
    #[comptime] num_groups: usize,
    #[comptime] has_scale: bool,
    #[comptime] layout: Layout,
    #[comptime] layer: Layer,
) {
    let size = comptime!(layer.d_out / num_groups);
    let vectors = comptime!(layer.out_vectors);
    // A vector may lie in several groups, so one unit computes a whole row.
    for row in range_stepped(UNIT_POS as usize, num_rows, comptime!(layout.units)) {
        let record = records_at + row * comptime!(layout.record);
        for group in 0..num_groups {
            let start = group * size;
            let end = start + size;
            let mut sum = 0.0f32;
            let mut along = 0.0f32;
            for vector in start / 4..(end + 3) / 4 {
                let mut delta = records[record + comptime!(layer.delta) + vector];
                if has_scale {
                    delta *= memory[at + comptime!(layer.scale) + vector];
                }
                let delta = between(delta, vector * 4, start, end);
                sum += sum_of(delta);
                along += sum_of(delta * records[record + comptime!(layer.normal) + vector]);
            }
            // The mean is no longer needed: its place takes that of the gradient.
            let factor = records[record + comptime!(layer.groups) + group].extract(1usize);
            let mut means = Four::new(sum / comptime!(size as f32));
            means.insert(1usize, factor);
            means.insert(2usize, along / comptime!(size as f32));
            records[record + comptime!(layer.groups) + group] = means;
        }
        for vector in 0..vectors {
            let mut delta = records[record + comptime!(layer.delta) + vector];
            if has_scale {
                delta *= memory[at + comptime!(layer.scale) + vector];
            }
            let normal = records[record + comptime!(layer.normal) + vector];
            let means = of_groups(records, record, vector, 0usize, num_groups, layer.clone());
            let factors = of_groups(records, record, vector, 1usize, num_groups, layer.clone());
            let slopes = of_groups(records, record, vector, 2usize, num_groups, layer.clone());
            let mut turned = (delta - means - normal * slopes) * factors;
            if vector == vectors - 1 {
                turned = first_components(turned, comptime!(tail(layer.d_out)));
            }
            records[record + comptime!(layer.delta) + vector] = turned;
        }
    }
}
