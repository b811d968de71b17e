//! Where the numbers of a network lie, with rows padded to whole vectors.

use std::ops::Range;

use super::product::stride_of;
use crate::plan::Plan;

/// Places in the padded parameters. The numbers between the rows stay zero.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) layers: Vec<Layer>,
    /// One for each hidden layer, if its normalisation has a scale.
    pub(super) scales: Vec<Option<Scale>>,
    /// Numbers in the padded parameters.
    pub(super) length: usize,
}

/// A linear layer.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    pub(super) d_input: usize,
    pub(super) d_output: usize,
    /// `d_output`, padded: numbers from one row of the weight, or of its outputs, to the next.
    pub(super) stride: usize,
    /// `[d_input × stride]`
    pub(super) weight: Range<usize>,
    /// `[stride]`
    pub(super) bias: Option<Range<usize>>,
}

/// Scale and shift of a normalisation, `[stride]` each.
#[derive(Debug, Clone)]
pub(super) struct Scale {
    pub(super) size: usize,
    pub(super) gamma: Range<usize>,
    pub(super) beta: Range<usize>,
}

impl Layout {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut length = 0;
        let mut place = |size: usize| {
            let start = length;
            length += size;
            start..length
        };
        let layers = plan.sizes.windows(2).map(|pair| {
            let stride = stride_of(pair[1]);
            Layer {
                d_input: pair[0],
                d_output: pair[1],
                stride,
                weight: place(pair[0] * stride),
                bias: plan.has_bias.then(|| place(stride)),
            }
        });
        let layers = layers.collect();
        let hidden = plan.hidden().iter().enumerate();
        let scales = hidden.map(|(layer, &size)| {
            let stride = stride_of(size);
            let has_scale = plan.normalization_of(layer).has_scale();
            has_scale.then(|| Scale {
                size,
                gamma: place(stride),
                beta: place(stride),
            })
        });
        Self {
            scales: scales.collect(),
            layers,
            length,
        }
    }

    /// The rows of all parameters in the order of [`State::parameters`](crate::State::parameters): where each begins in
    /// the padded parameters, and its length.
    pub(super) fn rows(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let layers = self.layers.iter().flat_map(|layer| {
            let weight = layer.weight.clone().step_by(layer.stride);
            let bias = layer.bias.iter().map(|bias| bias.start);
            weight.chain(bias).map(|start| (start, layer.d_output))
        });
        let scales = self.scales.iter().flatten();
        let scales = scales.flat_map(|scale| {
            [scale.gamma.start, scale.beta.start].map(|start| (start, scale.size))
        });
        layers.chain(scales)
    }

    /// Copies numbers without padding to their places.
    pub(super) fn spread<T: Copy>(&self, numbers: &[T], padded: &mut [T]) {
        let mut taken = 0;
        for (start, length) in self.rows() {
            padded[start..start + length].copy_from_slice(&numbers[taken..taken + length]);
            taken += length;
        }
    }

    /// The numbers without padding.
    pub(super) fn gather<T: Copy>(&self, padded: &[T]) -> Vec<T> {
        let rows = self.rows();
        rows.flat_map(|(start, length)| padded[start..start + length].iter().copied())
            .collect()
    }
}
