//! The actions of a call: steps, evaluations and ends of epochs, in the order in which all replicas do them.

use std::ops::Range;

use super::kernel::{ACTION, END, STEP};
use super::layout::Layout;
use super::pace::iterations;
use super::results::{GpuResults, Group};

/// The actions of a call, and how many results they have.
#[derive(Default)]
pub(super) struct Actions {
    /// [`ACTION`] numbers of each action.
    pub(super) numbers: Vec<u32>,
    /// Iterations of loops of each action.
    pub(super) iterations: Vec<u64>,
    /// Rows of each batch.
    pub(super) sizes: Vec<usize>,
    /// Batches whose outputs are counted together.
    pub(super) groups: Vec<Group>,
    num_steps: u32,
    num_epochs: u32,
    num_rows: usize,
}

impl Actions {
    /// Adds an action for each batch of some rows, steps or evaluations, whose outputs are counted together.
    pub(super) fn push_batches(
        &mut self,
        layout: &Layout,
        kind: u32,
        rows: Range<usize>,
        batch_size: usize,
    ) {
        let (first_batch, first_row) = (self.sizes.len(), self.num_rows);
        let batch_size = batch_size.max(1);
        for start in rows.clone().step_by(batch_size) {
            let size = batch_size.min(rows.end - start);
            let action = [
                kind,
                start as u32,
                size as u32,
                self.num_steps,
                self.groups.len() as u32,
                self.num_rows as u32,
                self.sizes.len() as u32,
            ];
            self.push(layout, action);
            self.num_steps += u32::from(kind == STEP);
            self.num_rows += size;
            self.sizes.push(size);
        }
        self.groups.push(Group {
            batches: first_batch..self.sizes.len(),
            rows: first_row..self.num_rows,
        });
    }

    /// Ends an epoch.
    pub(super) fn push_end(&mut self, layout: &Layout) {
        self.push(layout, [END, self.num_epochs, 0, 0, 0, 0, 0]);
        self.num_epochs += 1;
    }

    fn push(&mut self, layout: &Layout, action: [u32; ACTION]) {
        let work = iterations(layout, action[0], action[2] as usize);
        self.iterations.push(work);
        self.numbers.extend(action);
    }

    /// Results without numbers yet.
    pub(super) fn results(self, num_cells: usize, width: usize) -> GpuResults {
        GpuResults {
            groups: self.groups,
            sizes: self.sizes,
            num_rows: self.num_rows,
            num_cells,
            width,
            ..GpuResults::default()
        }
    }

    /// Rows of all batches.
    pub(super) fn num_rows(&self) -> usize {
        self.num_rows
    }

    /// Steps of each replica.
    pub(super) fn num_steps(&self) -> u32 {
        self.num_steps
    }
}
