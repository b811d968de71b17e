//! The results of steps and evaluations: few numbers for each batch.

use std::ops::Range;

/// The results of all replicas for some groups of batches: the steps of a call, the steps or an evaluation of an epoch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GpuResults {
    pub(super) groups: Vec<Group>,
    /// Rows of each batch of one replica.
    pub(super) sizes: Vec<usize>,
    /// Rows of outputs of one replica.
    pub(super) num_rows: usize,
    /// Confusion counts of one group of one replica.
    pub(super) num_cells: usize,
    /// Outputs that are kept of a row.
    pub(super) width: usize,
    /// `[replica × batch]`
    pub(super) losses: Vec<f32>,
    /// `[replica × group × cell]`
    pub(super) counts: Vec<u32>,
    /// `[replica × row × output]`
    pub(super) outputs: Vec<f32>,
}

/// Consecutive batches whose outputs are counted together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) batches: Range<usize>,
    pub(super) rows: Range<usize>,
}

/// The results of a group of batches of one replica.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchResults<'a> {
    /// Rows of each batch.
    pub sizes: &'a [usize],
    /// The loss of each batch, reduced; of a step that before its update.
    pub losses: &'a [f32],
    /// Confusion counts of all batches, `[num_classes × num_classes]`: a row for each target, a column for each
    /// prediction. A row of outputs with a NaN is not counted. Empty unless classes are counted.
    pub counts: &'a [u32],
    /// Outputs of all batches, `[num_rows × d_output]`, in the order of their rows. Empty unless outputs are kept.
    pub outputs: &'a [f32],
}

impl GpuResults {
    /// The results of a replica for one of the groups, which are counted from 0 in the order in which they were
    /// computed.
    pub fn of(&self, replica: usize, group: usize) -> BatchResults<'_> {
        let Group { batches, rows } = &self.groups[group];
        let first_loss = replica * self.sizes.len();
        let first_row = replica * self.num_rows;
        let counts = (replica * self.groups.len() + group) * self.num_cells;
        BatchResults {
            sizes: &self.sizes[batches.clone()],
            losses: &self.losses[first_loss + batches.start..first_loss + batches.end],
            counts: &self.counts[counts..counts + self.num_cells],
            outputs: &self.outputs
                [(first_row + rows.start) * self.width..(first_row + rows.end) * self.width],
        }
    }
}
