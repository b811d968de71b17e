//! The forward pass of a tile of rows, and its loss.

use pulp::Arch;

use super::buffer::Buffer;
use super::elementwise::{Loop, Run, zip3};
use super::normalization::{self, BatchForward, SampleForward, Shape};
use super::product::{Matrix, Product, Start};
use super::rows::{Rows, gather, inputs};
use super::work::LayerWork;
use super::{HostTraining, Mode, loss};
use crate::dropout::DropoutMask;
use crate::plan::{Activation, Data, Normalization, Results};
use crate::real::Real;

impl<T: Real> HostTraining<T> {
    /// The forward pass of some rows of a batch, the first of which is the batch's row `first_row`. Returns their share
    /// of the loss, whose gradient it leaves in the last layer's `delta` in training.
    pub(super) fn forward(
        &mut self,
        data: Data<'_, T>,
        rows: Rows<'_>,
        first_row: usize,
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
            step,
            step_seed,
            ..
        } = self;
        let num_rows = rows.len();
        if data.foreground.is_none() {
            gather(data.inputs, plan.d_input(), &rows, &mut work.inputs);
        }
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
            let products = &mut current.before_activation[..length];
            match data.foreground.filter(|_| index == 0) {
                Some(foreground) => {
                    work.sparse
                        .forward(*arch, foreground, &rows, layer, parameters, products);
                }
                None => {
                    let bias = layer.bias.clone().map(|bias| &parameters[bias]);
                    Product {
                        a: input,
                        b: Matrix {
                            numbers: &parameters[layer.weight.clone()],
                            stride: layer.stride,
                        },
                        start: bias.map_or(Start::Zero, Start::Row),
                        out: products,
                        out_stride: layer.stride,
                        num_rows,
                        depth: layer.d_input,
                        num_columns: layer.d_output,
                    }
                    .run_shared(*arch);
                }
            }
            if index + 1 < num_layers {
                let shape = Shape {
                    num_rows,
                    size: layer.d_output,
                    stride: layer.stride,
                };
                let scale = layout.scales.get(index).and_then(Option::as_ref);
                let scale = scale.map(|scale| {
                    (
                        &parameters[scale.gamma.clone()],
                        &parameters[scale.beta.clone()],
                    )
                });
                let running = running.get(index).and_then(Option::as_ref);
                normalize(
                    *arch,
                    plan.normalization_of(index),
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
            current.is_changed = false;
            let rate = plan.dropout_of(index);
            if mode == Mode::Training && rate > 0.0 {
                // The step that is being done counts already.
                let mask = DropoutMask::new(rate, *step_seed, *step - 1, index);
                let shape = Shape {
                    num_rows,
                    size: layer.d_output,
                    stride: layer.stride,
                };
                drop_units(*arch, mask, first_row, shape, activation, current);
            }
            if plan.is_residual_layer(index) {
                add_inputs(*arch, &input.numbers[..length], activation, current);
            }
        }
        let (Some(layer), Some(last)) = (layout.layers.last(), work.layers.last_mut()) else {
            return T::ZERO;
        };
        let d_output = layer.d_output;
        let activation = plan.activations[num_layers - 1];
        let outputs = &last.output(activation)[..num_rows * layer.stride];
        results.outputs.reserve(num_rows * d_output);
        for row in outputs.chunks_exact(layer.stride) {
            match row {
                // A copy of any length is a call, which takes longer than one or two numbers.
                [output, ..] if d_output == 1 => results.outputs.push(*output),
                [first, second, ..] if d_output == 2 => results.outputs.extend([*first, *second]),
                row => results.outputs.extend_from_slice(&row[..d_output]),
            }
        }
        work.loss.begin(num_rows, d_output);
        let share = loss::share(plan.loss, plan.reduction, batch_size, d_output);
        let share = T::from_f64(share);
        work.loss.set_samples(data, &rows, share);
        let loss = work.loss.forward(*arch, plan.loss, outputs, layer.stride);
        if mode == Mode::Training {
            let length = num_rows * layer.stride;
            last.delta.grow(length);
            work.loss.gradients(&mut last.delta[..length], layer.stride);
        }
        loss
    }
}

/// Multiplies the outputs of a layer by a mask, which it keeps for the backward pass.
fn drop_units<T: Real>(
    arch: Arch,
    mask: DropoutMask,
    first_row: usize,
    shape: Shape,
    activation: Activation,
    layer: &mut LayerWork<T>,
) {
    let length = shape.num_rows * shape.stride;
    layer.mask.grow(length);
    let factors = &mut layer.mask[..length];
    let factor = T::from_f64(mask.factor());
    arch.dispatch(Loop(
        #[inline(always)]
        || {
            for (row, factors) in factors.chunks_exact_mut(shape.stride).enumerate() {
                let first = ((first_row + row) * shape.size) as u32;
                for (unit, one) in factors[..shape.size].iter_mut().enumerate() {
                    let drops = mask.drops(first.wrapping_add(unit as u32));
                    *one = if drops { T::ZERO } else { factor };
                }
            }
        },
    ));
    let mut changed = std::mem::take(&mut layer.changed);
    changed.grow(length);
    zip3(
        arch,
        &layer.activated(activation)[..length],
        &layer.mask[..length],
        &mut changed[..length],
        #[inline(always)]
        |output, factor, _| output * factor,
    );
    (layer.changed, layer.is_changed) = (changed, true);
}

/// Adds the inputs of a layer to its outputs.
fn add_inputs<T: Real>(arch: Arch, inputs: &[T], activation: Activation, layer: &mut LayerWork<T>) {
    let length = inputs.len();
    let mut changed = std::mem::take(&mut layer.changed);
    if !layer.is_changed {
        changed.grow(length);
        changed[..length].copy_from_slice(&layer.activated(activation)[..length]);
    }
    let outputs = &mut changed[..length];
    arch.dispatch(Loop(
        #[inline(always)]
        || {
            for (output, input) in outputs.iter_mut().zip(inputs) {
                *output += *input;
            }
        },
    ));
    (layer.changed, layer.is_changed) = (changed, true);
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
