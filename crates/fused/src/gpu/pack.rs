//! States and samples in the layout of the kernel, and back.

use super::layout::{Layer, Layout};
use super::samples::Samples;
use super::training::Weights;
use crate::{Loss, State};

/// Places of all parameters, in the order of [`State::parameters`], counted in single numbers.
fn parameter_places(layout: &Layout) -> Vec<usize> {
    let mut places = Vec::new();
    for layer in &layout.layers {
        for i in 0..layer.d_in {
            for j in 0..layer.d_out {
                let row = (i % 4 * layer.in_vectors + i / 4) * layer.stride;
                places.push(4 * (layer.weight + row + j / 4) + j % 4);
            }
        }
        if layer.has_bias {
            places.extend(numbers(layer.bias, layer));
        }
    }
    for layer in layout.layers.iter().filter(|layer| layer.scale != 0) {
        places.extend(numbers(layer.scale, layer));
        places.extend(numbers(layer.shift, layer));
    }
    places
}

/// Places of the running statistics, in the order of [`State::running`].
fn running_places(layout: &Layout) -> Vec<usize> {
    let normalized = layout.layers.iter().filter(|layer| layer.running_mean != 0);
    normalized
        .flat_map(|layer| {
            numbers(layer.running_mean, layer).chain(numbers(layer.running_variance, layer))
        })
        .collect()
}

/// The places of as many numbers as the layer has outputs.
fn numbers(vector: usize, layer: &Layer) -> impl Iterator<Item = usize> {
    4 * vector..4 * vector + layer.d_out
}

/// Where the numbers of a state lie in the kernel's memory.
#[derive(Debug, Clone)]
pub(super) struct Packing {
    parameters: Vec<usize>,
    running: Vec<usize>,
    /// Where each buffer of the optimiser begins.
    buffers: Vec<usize>,
    /// Numbers of a replica's state, of the part that lasts, and of its weights.
    state: usize,
    saved: usize,
    weights: usize,
}

impl Packing {
    pub(super) fn new(layout: &Layout) -> Self {
        let buffers = 0..layout.num_buffers;
        Self {
            parameters: parameter_places(layout),
            running: running_places(layout),
            buffers: buffers
                .map(|buffer| 4 * (layout.weights + buffer * layout.parameters))
                .collect(),
            state: 4 * layout.state,
            saved: 4 * layout.saved,
            weights: 4 * layout.weights,
        }
    }

    /// Appends a state; what lies between its numbers is zero.
    pub(super) fn pack(&self, state: &State<f32>, memory: &mut Vec<f32>) {
        let start = memory.len();
        memory.resize(start + self.state, 0.0);
        let memory = &mut memory[start..];
        for (&place, &number) in self.parameters.iter().zip(&state.parameters) {
            memory[place] = number;
        }
        for (&place, &number) in self.running.iter().zip(&state.running) {
            memory[place] = number;
        }
        for (&first, buffer) in self.buffers.iter().zip(&state.buffers) {
            for (&place, &number) in self.parameters.iter().zip(buffer) {
                memory[first + place] = number;
            }
        }
    }

    /// Appends the best weights of a replica, zeros if there are none.
    pub(super) fn pack_weights(&self, weights: Option<&Weights>, memory: &mut Vec<f32>) {
        let start = memory.len();
        memory.resize(start + self.weights, 0.0);
        let Some(weights) = weights else { return };
        let memory = &mut memory[start..];
        for (&place, &number) in self.parameters.iter().zip(&weights.parameters) {
            memory[place] = number;
        }
        for (&place, &number) in self.running.iter().zip(&weights.running) {
            memory[place] = number;
        }
    }

    /// The state of one replica among the lasting parts of all, after so many steps.
    pub(super) fn unpack(
        &self,
        memory: &[f32],
        replica: usize,
        step: u64,
        step_seed: u64,
    ) -> State<f32> {
        let memory = &memory[replica * self.saved..(replica + 1) * self.saved];
        let buffers = self.buffers.iter();
        State {
            parameters: at(memory, &self.parameters),
            running: at(memory, &self.running),
            buffers: buffers
                .map(|&first| at(&memory[first..], &self.parameters))
                .collect(),
            step,
            step_seed,
        }
    }

    /// The best weights of one replica among those of all.
    pub(super) fn unpack_weights(&self, memory: &[f32], replica: usize) -> Weights {
        let memory = &memory[replica * self.weights..(replica + 1) * self.weights];
        Weights {
            parameters: at(memory, &self.parameters),
            running: at(memory, &self.running),
        }
    }
}

/// The numbers at some places.
fn at(memory: &[f32], places: &[usize]) -> Vec<f32> {
    places.iter().map(|&place| memory[place]).collect()
}

/// Appends samples: inputs, targets and the weight of the loss, each filled up to whole vectors.
///
/// Label smoothing replaces each target `y` by `(1 − ε) y + ε / K` for `K` classes.
pub(super) fn pack_samples(samples: &Samples, loss: Loss, layout: &Layout, memory: &mut Vec<f32>) {
    let d_input = layout.layers[0].d_in;
    let d_output = layout.layers[layout.layers.len() - 1].d_out;
    let fill = |numbers: &[f32], memory: &mut Vec<f32>| {
        memory.extend_from_slice(numbers);
        memory.resize(memory.len().next_multiple_of(4), 0.0);
    };
    let rows = samples.inputs.chunks_exact(d_input);
    let rows = rows.zip(samples.targets.chunks_exact(d_output));
    for (row, (inputs, targets)) in rows.enumerate() {
        fill(inputs, memory);
        let label_smoothing = loss.label_smoothing();
        if label_smoothing > 0.0 {
            let even = label_smoothing / targets.len() as f64;
            let smoothed = |&y: &f32| ((1.0 - label_smoothing) * f64::from(y) + even) as f32;
            fill(&targets.iter().map(smoothed).collect::<Vec<_>>(), memory);
        } else {
            fill(targets, memory);
        }
        if layout.has_sample_weights {
            let weight = samples.weights.as_ref().map_or(1.0, |weights| weights[row]);
            fill(&[weight], memory);
        }
    }
}
