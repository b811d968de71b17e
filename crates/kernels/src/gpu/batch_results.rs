//! [`crate::GatheredResults`] on a GPU.

use burn::tensor::Tensor;
use emberlab_fused::gpu::operations::{Gathered, OutputBuffers};
use emberlab_fused::gpu::{GpuError, GpuResults, Measurement};

use super::memory::{argument, is_on_gpu, primitive, rows};

/// The most outputs that are kept on the device, 64 MiB.
const MOST_OUTPUTS: usize = 1 << 24;

/// The losses and the outputs of batches, or the counts of their predictions, gathered on a GPU until they are read. A
/// read waits for the GPU, so few are better.
pub struct GatheredResults(Gathered);

impl GatheredResults {
    /// Memory for the results of so many batches with so many rows in all, on the GPU of their outputs; none if they are
    /// not on a GPU.
    pub fn new(
        outputs: &Tensor<2>,
        measurement: Measurement,
        most_batches: usize,
        most_rows: usize,
    ) -> Option<Self> {
        if !is_on_gpu(outputs) {
            return None;
        }
        let [num_rows, d_output] = outputs.dims();
        let most_rows = most_rows.min(MOST_OUTPUTS / d_output.max(1)).max(num_rows);
        let client = primitive(outputs.clone()).client;
        let gathered = Gathered::new(&client, measurement, d_output, most_batches, most_rows);
        Some(Self(gathered))
    }

    /// Whether there is room for a batch of so many rows.
    pub fn has_room(&self, num_rows: usize) -> bool {
        self.0.has_room(num_rows)
    }

    /// Whether there are no results.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the results of a batch, for which there must be [room](Self::has_room).
    ///
    /// # Shapes
    /// - loss: `[1]`
    /// - outputs, targets: `[num_rows, d_output]`
    pub fn add(&mut self, loss: Tensor<1>, outputs: Tensor<2>, targets: Tensor<2>) {
        let [num_rows, d_output] = outputs.dims();
        let (loss, outputs, targets) = (rows(loss), rows(outputs), rows(targets));
        let batch = OutputBuffers {
            outputs: argument(&outputs),
            targets: argument(&targets),
            weights: None,
            num_rows,
            d_output,
        };
        self.0.add(argument(&loss), batch);
    }

    /// The results so far, as those of one replica and one group of batches. There are none afterwards.
    ///
    /// # Errors
    /// [`GpuError::Device`] if the device failed.
    pub fn take(&mut self) -> Result<GpuResults, GpuError> {
        self.0.take()
    }
}
