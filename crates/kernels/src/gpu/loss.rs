//! [`crate::batch_loss`] on a GPU.

use burn::tensor::Tensor;
use emberlab_fused::gpu::operations::{BatchLoss, OutputBuffers};
use emberlab_fused::{Loss, Reduction};

use super::memory::{argument, empty, is_on_gpu, rows, tensor};

/// The most outputs of a batch. One cube adds up its losses, which takes long for more.
const MOST_OUTPUTS: usize = 1 << 18;

/// The loss of a batch, and its gradient by the outputs if that is asked for; none unless the tensors are on a GPU and the
/// loss has a kernel.
pub fn batch_loss(
    (loss, reduction): (Loss, Reduction),
    outputs: &Tensor<2>,
    targets: &Tensor<2>,
    weights: Option<&Tensor<2>>,
    has_gradient: bool,
) -> Option<(Tensor<1>, Option<Tensor<2>>)> {
    let [num_rows, d_output] = outputs.dims();
    let is_covered = is_on_gpu(outputs)
        && is_on_gpu(targets)
        && weights.is_none_or(is_on_gpu)
        && targets.dims() == outputs.dims()
        && (1..=MOST_OUTPUTS).contains(&(num_rows * d_output));
    if !is_covered {
        return None;
    }
    let kernel = BatchLoss::new(loss, reduction).ok()?;
    let outputs = rows(outputs.clone());
    let targets = rows(targets.clone());
    let weights = weights.map(|weights| rows(weights.clone()));
    let total = empty(&outputs, [1]);
    let gradient = has_gradient.then(|| empty(&outputs, [num_rows, d_output]));
    let batch = OutputBuffers {
        outputs: argument(&outputs),
        targets: argument(&targets),
        weights: weights.as_ref().map(argument),
        num_rows,
        d_output,
    };
    let client = &outputs.client;
    kernel.launch(
        client,
        batch,
        argument(&total),
        gradient.as_ref().map(argument),
    );
    Some((tensor(total), gradient.map(tensor)))
}
