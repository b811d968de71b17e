//! How much work one launch is given.

use std::time::Duration;

use super::error::GpuError;
use super::kernel::{END, STEP};
use super::layout::{Layer, Layout, SUMMING_UNITS, Standardization};

/// How long a launch should take: long enough that starting it costs little, short enough that displays stay alive and
/// a stop is noticed.
const TARGET: Duration = Duration::from_millis(100);

/// Iterations of the first launch.
const FIRST: u64 = 1 << 16;

/// The share of the loops' limit that a launch uses, since iterations are estimated.
const SHARE_OF_LIMIT: f64 = 0.6;

/// Adapts the length of launches to the device.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    /// Iterations of loops that the next launch may have.
    iterations: u64,
    /// Iterations after which the device ends a launch, if it does.
    limit: Option<u64>,
    /// Whether no launch was observed yet. The first one waits until the kernel is compiled.
    is_new: bool,
}

impl Pace {
    pub(super) fn new(limit: Option<u64>) -> Self {
        let mut pace = Self {
            iterations: FIRST,
            limit,
            is_new: true,
        };
        pace.bound();
        pace
    }

    /// Iterations that the next launch may have.
    pub(super) fn iterations(&self) -> u64 {
        self.iterations
    }

    /// The most iterations that any launch may have.
    pub(super) fn limit(&self) -> Option<u64> {
        self.limit
            .map(|limit| (limit as f64 * SHARE_OF_LIMIT) as u64)
    }

    /// Checks that the device runs so many iterations in one launch.
    ///
    /// # Errors
    /// [`GpuError::StepTooLong`] if it ends the launch before.
    pub(super) fn check(&self, iterations: u64) -> Result<(), GpuError> {
        match self.limit() {
            Some(limit) if iterations > limit => Err(GpuError::StepTooLong { iterations, limit }),
            _ => Ok(()),
        }
    }

    /// Takes in how long a launch took.
    pub(super) fn observe(&mut self, iterations: u64, duration: Duration) {
        let ratio = TARGET.as_secs_f64() / duration.as_secs_f64().max(1e-6);
        let next = iterations as f64 * ratio.clamp(0.125, 8.0);
        // A launch that was shorter than allowed says nothing against a longer one.
        match ratio < 1.0 {
            true if self.is_new => {}
            true => self.iterations = next as u64,
            false => self.iterations = self.iterations.max(next as u64),
        }
        self.is_new = false;
        self.bound();
    }

    /// Fixes the work of the next launch.
    #[cfg(all(test, feature = "wgpu"))]
    pub(super) fn set(&mut self, iterations: u64) {
        self.iterations = iterations;
    }

    fn bound(&mut self) {
        if let Some(limit) = self.limit() {
            self.iterations = self.iterations.min(limit);
        }
        self.iterations = self.iterations.max(1);
    }
}

/// Iterations of loops that a unit runs for one action at most.
pub(super) fn iterations(layout: &Layout, kind: u32, num_rows: usize) -> u64 {
    let passes = |items: usize| items.div_ceil(layout.units);
    if kind == END {
        return passes(layout.saved) as u64;
    }
    let is_step = kind == STEP;
    let of_tile = |rows: usize| {
        let mut count = passes(rows * layout.layers[0].in_vectors);
        for layer in &layout.layers {
            let inner = |vectors: usize| if vectors > 16 { vectors } else { 0 };
            let blocks = rows.min(layout.tile / layer.forward_rows);
            count += passes(blocks * layer.out_vectors) * (1 + inner(layer.in_vectors));
            if is_step {
                let blocks = rows.min(layout.tile / layer.backward_rows);
                count += passes(blocks * layer.in_vectors) * (1 + inner(layer.out_vectors));
            }
            if !layer.is_output {
                count += of_normalization(layout, layer.out_vectors, layer.d_out, rows, is_step);
            }
            if layer.is_output {
                let vectors = if layer.out_vectors > 4 {
                    layer.out_vectors
                } else {
                    0
                };
                count += passes(rows) * (1 + 5 * vectors.max(layer.out_vectors));
            }
        }
        if is_step {
            let items = passes(layout.num_record_items() * layout.slices);
            count += items * (1 + rows.div_ceil(layout.slices));
        } else {
            count += rows.div_ceil(SUMMING_UNITS);
        }
        count
    };
    let (whole, rest) = (num_rows / layout.tile, num_rows % layout.tile);
    let mut count = 1 + whole * (1 + of_tile(layout.tile));
    if rest > 0 {
        count += 1 + of_tile(rest);
    }
    if is_step && !layout.is_direct {
        count += 2 * passes(layout.num_parameter_rows());
        count += layout.partial_sums.div_ceil(SUMMING_UNITS) + SUMMING_UNITS;
    }
    if is_step && layout.max_norm.is_some() {
        let of_layer = |layer: &Layer| passes(layer.out_vectors) * (1 + 8 * layer.in_vectors);
        count += layout.layers.iter().map(of_layer).sum::<usize>();
    }
    if !is_step {
        count += SUMMING_UNITS;
    }
    count as u64
}

/// Iterations of the loops of a normalisation.
fn of_normalization(
    layout: &Layout,
    vectors: usize,
    size: usize,
    rows: usize,
    is_step: bool,
) -> usize {
    let passes = |items: usize| items.div_ceil(layout.units);
    let apply = passes(rows * vectors);
    match layout.normalization {
        Standardization::None => 0,
        Standardization::Batch { .. } if is_step => 2 * apply + passes(vectors) * (2 + 3 * rows),
        Standardization::Batch { .. } => apply,
        Standardization::Sample { num_groups, .. } => {
            let of_group = (size / num_groups).div_ceil(4) + 2;
            let statistics = passes(rows * num_groups) * (1 + 2 * of_group);
            let back = passes(rows) * (1 + num_groups * of_group + vectors);
            let scale = passes(vectors) * (1 + rows);
            let back = if is_step { back + scale } else { 0 };
            apply + statistics + back
        }
    }
}

/// Iterations of the loops that load and store a state around the actions of a launch.
pub(super) fn iterations_around(layout: &Layout) -> u64 {
    (2 * layout.state.div_ceil(layout.units) + 4) as u64
}
