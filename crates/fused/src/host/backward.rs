//! The backward pass of a tile of rows, and the update of each parameter.

use pulp::Arch;

use super::buffer::Buffer;
use super::elementwise::{Loop, Run};
use super::normalization::{BatchBackward, SampleBackward, Shape};
use super::optimizer::{Buffers, Update};
use super::product::{Matrix, PADDING, Product, Start, TransposedProduct, num_threads, transpose};
use super::rows::{Rows, inputs};
use super::sparse::SparseColumns;
use super::work::LayerWork;
use super::{HostTraining, layout};
use crate::plan::{Clipping, Data, Normalization};
use crate::real::Real;

impl<T: Real> HostTraining<T> {
    /// The backward pass of the rows of the last forward pass. Gradients of a first tile replace those of the batch
    /// before; gradients of later tiles are added.
    ///
    /// The last tile adds the penalty's gradients. `update` comes with it, unless all gradients are needed first: each
    /// parameter moves as soon as its gradient is known and nothing else needs it.
    pub(super) fn backward(
        &mut self,
        data: Data<'_, T>,
        rows: Rows<'_>,
        is_first: bool,
        is_last: bool,
        update: Option<Update<T>>,
    ) {
        let Self {
            plan,
            layout,
            arch,
            parameters,
            gradients,
            buffers,
            work,
            ..
        } = self;
        let bound = match plan.clipping {
            Some(Clipping::Value(bound)) => Some(T::from_f64(bound)),
            Some(Clipping::Norm(_)) | None => None,
        };
        let buffers = &mut buffers[..plan.optimizer.num_buffers()];
        let penalty = plan.penalty.filter(|_| is_last);
        let num_rows = rows.len();
        for (index, layer) in layout.layers.iter().enumerate().rev() {
            let length = num_rows * layer.stride;
            let (before, current) = work.layers.split_at_mut(index);
            let current = &mut current[0];
            let is_residual = plan.is_residual_layer(index);
            if let (true, Some(before)) = (is_residual, before.last_mut()) {
                before.delta.grow(length);
                before.delta[..length].copy_from_slice(&current.delta[..length]);
            }
            if plan.dropout_of(index) > 0.0 {
                let (delta, mask) = (&mut current.delta[..length], &current.mask[..length]);
                arch.dispatch(Loop(
                    #[inline(always)]
                    || {
                        for (delta, factor) in delta.iter_mut().zip(mask) {
                            *delta = *delta * *factor;
                        }
                    },
                ));
            }
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
                let scale = layout.scales.get(index).and_then(Option::as_ref);
                normalize_backward(
                    *arch,
                    plan.normalization_of(index),
                    shape,
                    scale,
                    (parameters, gradients),
                    is_first,
                    current,
                );
            }
            let delta = Matrix {
                numbers: &current.delta[..length],
                stride: layer.stride,
            };
            let input = match before.last_mut() {
                None => match data.foreground {
                    None => Input::Dense(inputs(data.inputs, plan.d_input(), &rows, &work.inputs)),
                    Some(foreground) => {
                        Input::Sparse(work.sparse.columns(*arch, foreground, &rows, delta))
                    }
                },
                Some(before) => {
                    let stride = layout.layers[index - 1].stride;
                    before.delta.grow(num_rows * stride);
                    work.transposed.grow(layer.d_output * stride);
                    let weight = Matrix {
                        numbers: &parameters[layer.weight.clone()],
                        stride: layer.stride,
                    };
                    let transposed = &mut work.transposed;
                    transpose(
                        *arch,
                        weight,
                        layer.d_input,
                        layer.d_output,
                        transposed,
                        stride,
                    );
                    Product {
                        a: delta,
                        b: Matrix {
                            numbers: &work.transposed,
                            stride,
                        },
                        start: match is_residual {
                            true => Start::Result,
                            false => Start::Zero,
                        },
                        out: &mut before.delta[..num_rows * stride],
                        out_stride: stride,
                        num_rows,
                        depth: layer.d_output,
                        num_columns: layer.d_input,
                    }
                    .run_shared(*arch);
                    Input::Dense(Matrix {
                        numbers: before.output(plan.activations[index - 1]),
                        stride,
                    })
                }
            };
            let place = layer.weight.clone();
            let rows = WeightRows {
                first: 0,
                parameters: &mut parameters[place.clone()],
                buffers: Buffers::at(buffers, place.clone()),
                gradients: &mut gradients[place],
            };
            let backward = WeightBackward {
                input,
                delta,
                num_samples: num_rows,
                num_columns: layer.d_output,
                is_first,
                penalty: penalty.map(|penalty| [penalty.l1, penalty.l2].map(T::from_f64)),
                bound,
                update,
            };
            backward.run_shared(*arch, rows, &mut work.gradients);
            if let Some(bias) = &layer.bias {
                let gradients = &mut gradients[bias.clone()];
                sum_of_rows(*arch, delta.numbers, layer.stride, gradients, is_first);
                if let Some(update) = update {
                    bounded(*arch, bound, gradients);
                    let buffers = Buffers::at(buffers, bias.clone());
                    update.apply(*arch, &mut parameters[bias.clone()], gradients, buffers);
                }
            }
        }
        if let Some(update) = update {
            for scale in layout.scales.iter().flatten() {
                let place = scale.gamma.start..scale.beta.end;
                let gradients = &mut gradients[place.clone()];
                bounded(*arch, bound, gradients);
                let buffers = Buffers::at(buffers, place.clone());
                update.apply(*arch, &mut parameters[place], gradients, buffers);
            }
        }
    }
}

/// The gradients of a weight by inputs and `delta`, and its update.
#[derive(Clone, Copy)]
struct WeightBackward<'a, T> {
    input: Input<'a, T>,
    delta: Matrix<'a, T>,
    num_samples: usize,
    num_columns: usize,
    is_first: bool,
    /// The factors `l1` and `l2` of the penalty that is added.
    penalty: Option<[T; 2]>,
    bound: Option<T>,
    update: Option<Update<T>>,
}

/// The inputs of a layer for a tile of rows.
#[derive(Clone, Copy)]
enum Input<'a, T> {
    Dense(Matrix<'a, T>),
    Sparse(SparseColumns<'a, T>),
}

/// Some rows of a weight, with their optimiser buffers and their gradients.
struct WeightRows<'a, T> {
    /// The number of the first row.
    first: usize,
    parameters: &'a mut [T],
    buffers: Buffers<'a, T>,
    gradients: &'a mut [T],
}

/// Rows of a weight whose gradients are computed before they are moved.
const ROWS_OF_AN_UPDATE: usize = 48;

impl<T: Real> WeightBackward<'_, T> {
    /// Computes the gradients and moves the parameters, all rows shared among the threads if they are many.
    fn run_shared(self, arch: Arch, rows: WeightRows<'_, T>, scratch: &mut Buffer<T>) {
        let stride = self.delta.stride;
        let num_rows = rows.parameters.len() / stride;
        let num_threads = num_threads(num_rows * self.num_samples * self.num_columns);
        if num_threads == 1 {
            return self.run(arch, rows, scratch);
        }
        let length = num_rows.div_ceil(num_threads).next_multiple_of(8) * stride;
        rayon::scope(|scope| {
            let mut rest = rows;
            while !rest.parameters.is_empty() {
                let length = length.min(rest.parameters.len());
                let (part, others) = rest.split_at(length, stride);
                rest = others;
                scope.spawn(move |_| self.run(arch, part, &mut Buffer::default()));
            }
        });
    }

    fn run(self, arch: Arch, mut rows: WeightRows<'_, T>, scratch: &mut Buffer<T>) {
        let stride = self.delta.stride;
        while !rows.parameters.is_empty() {
            let length = (ROWS_OF_AN_UPDATE * stride).min(rows.parameters.len());
            let (part, others) = rows.split_at(length, stride);
            rows = others;
            // The gradients of a batch of one tile are needed only here: one small buffer stays in the cache.
            let gradients = match (self.update, self.is_first) {
                (Some(_), true) => {
                    scratch.grow(length);
                    &mut scratch[..length]
                }
                _ => part.gradients,
            };
            match self.input {
                Input::Sparse(columns) => columns.gradients(
                    arch,
                    part.first,
                    self.delta,
                    self.num_columns,
                    self.is_first,
                    gradients,
                ),
                Input::Dense(input) => TransposedProduct(Product {
                    a: Matrix {
                        numbers: &input.numbers[part.first..],
                        stride: input.stride,
                    },
                    b: self.delta,
                    start: match self.is_first {
                        true => Start::Zero,
                        false => Start::Result,
                    },
                    out: gradients,
                    out_stride: stride,
                    num_rows: length / stride,
                    depth: self.num_samples,
                    num_columns: self.num_columns,
                })
                .run(arch),
            }
            if let Some(factors) = self.penalty {
                penalize(arch, factors, part.parameters, gradients);
            }
            if let Some(update) = self.update {
                bounded(arch, self.bound, gradients);
                update.apply(arch, part.parameters, gradients, part.buffers);
            }
        }
    }
}

impl<'a, T: Real> WeightRows<'a, T> {
    /// The rows of the first `length` numbers, and the rest.
    fn split_at(self, length: usize, stride: usize) -> (Self, Self) {
        let (parameters, other_parameters) = self.parameters.split_at_mut(length);
        let (gradients, other_gradients) = self.gradients.split_at_mut(length);
        let (buffers, other_buffers) = self.buffers.split_at(length);
        let first = Self {
            first: self.first,
            parameters,
            buffers,
            gradients,
        };
        let rest = Self {
            first: self.first + length / stride,
            parameters: other_parameters,
            buffers: other_buffers,
            gradients: other_gradients,
        };
        (first, rest)
    }
}

/// Adds the penalty's gradient `l1 sign(w) + l2 w` to that of each weight.
fn penalize<T: Real>(arch: Arch, [l1, l2]: [T; 2], weights: &[T], gradients: &mut [T]) {
    arch.dispatch(Loop(
        #[inline(always)]
        || {
            for (gradient, &weight) in gradients.iter_mut().zip(weights) {
                let sign = if weight > T::ZERO { l1 } else { -l1 };
                let sign = if weight == T::ZERO { T::ZERO } else { sign };
                *gradient += sign + l2 * weight;
            }
        },
    ));
}

/// Bounds each gradient, if there is a bound.
pub(super) fn bounded<T: Real>(arch: Arch, bound: Option<T>, gradients: &mut [T]) {
    let Some(bound) = bound else { return };
    arch.dispatch(Loop(
        #[inline(always)]
        || {
            for gradient in gradients.iter_mut() {
                let x = if *gradient > bound { bound } else { *gradient };
                *gradient = if x < -bound { -bound } else { x };
            }
        },
    ));
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

/// Rows whose sums are taken side by side: one addition after another would wait for the one before.
const SUMS: usize = 4;

/// The sum of rows, each `stride` long; added to `sums` unless it is the first of a batch.
pub(super) fn sum_of_rows<T: Real>(
    arch: Arch,
    rows: &[T],
    stride: usize,
    sums: &mut [T],
    is_first: bool,
) {
    if is_first {
        sums.fill(T::ZERO);
    }
    arch.dispatch(Loop(
        #[inline(always)]
        || {
            for (column, sums) in sums.as_chunks_mut::<PADDING>().0.iter_mut().enumerate() {
                let mut parts = [[T::ZERO; PADDING]; SUMS];
                let groups = rows.chunks_exact(SUMS * stride);
                let rest = groups.remainder().chunks_exact(stride);
                for group in groups {
                    for (part, row) in parts.iter_mut().zip(group.chunks_exact(stride)) {
                        add_to(part, &row[column * PADDING..]);
                    }
                }
                for (part, row) in parts.iter_mut().zip(rest) {
                    add_to(part, &row[column * PADDING..]);
                }
                for part in &parts {
                    add_to(sums, part);
                }
            }
        },
    ));
}

/// Adds the first numbers of a row to sums.
#[inline(always)]
fn add_to<T: Real>(sums: &mut [T; PADDING], row: &[T]) {
    if let Some((numbers, _)) = row.split_first_chunk::<PADDING>() {
        (0..PADDING).for_each(|i| sums[i] += numbers[i]);
    }
}
