//! Layers of a network on images, as pictures: its first weights, and the feature maps of its convolutions.

use burn::tensor::Tensor;
use emberlab_models::{Mode, Network};

use super::record::layer_outputs;
use crate::error::TrainingError;
use crate::metric_accumulator::host;

/// Numbers as pictures of one size.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberPictures {
    /// Height and width.
    pub size: [usize; 2],
    /// The numbers of each picture, row by row from the top.
    pub pictures: Vec<Vec<f64>>,
}

impl NumberPictures {
    /// The same pictures with at most `most_side` rows and columns: each number is the mean of a square of numbers, or
    /// of what there is of the square at the lower and the right edge. Pictures that are small enough stay as they are.
    pub fn shrunk(&self, most_side: usize) -> Self {
        let [height, width] = self.size;
        let side = height.max(width).div_ceil(most_side.max(1)).max(1);
        let size = [height.div_ceil(side), width.div_ceil(side)];
        let means = |picture: &Vec<f64>| {
            let mut sums = vec![(0.0, 0.0); size[0] * size[1]];
            for (i, value) in picture.iter().enumerate() {
                let (row, column) = (i / width / side, i % width / side);
                let (sum, count) = &mut sums[row * size[1] + column];
                *sum += value;
                *count += 1.0;
            }
            sums.iter().map(|(sum, count)| sum / count).collect()
        };
        Self {
            size,
            pictures: self.pictures.iter().map(means).collect(),
        }
    }
}

/// Each column of a table with `units` columns.
pub(super) fn columns(values: &[f64], units: usize) -> impl Iterator<Item = Vec<f64>> + '_ {
    (0..units).map(move |unit| values.iter().skip(unit).step_by(units).copied().collect())
}

/// The weights of the first units of a dense first layer over grey images, or the kernels of the first channels of a
/// first convolution over the first channel of the images; at most `most` of them. None for a dense layer over images
/// in colour.
///
/// # Shapes
/// - image: `[channels, height, width]` of the inputs
pub fn first_weights(
    network: &Network,
    [channels, height, width]: [usize; 3],
    most: usize,
) -> Option<NumberPictures> {
    let (_, weights) = network.named_tensors().into_iter().next()?;
    let values: Vec<f64> = weights.iter::<f64>().collect();
    match weights.shape()[..] {
        // [d_input, units]
        [_, units] if channels == 1 => Some(NumberPictures {
            size: [height, width],
            pictures: columns(&values, units).take(most).collect(),
        }),
        // [channels_out, channels_in, kernel_size, kernel_size]
        [_, channels, height, width] => {
            let kernels = values.chunks(channels * height * width).take(most);
            Some(NumberPictures {
                size: [height, width],
                pictures: kernels.map(|all| all[..height * width].to_vec()).collect(),
            })
        }
        _ => None,
    }
}

/// The feature maps of each convolution for one image, with the name of the convolution: the outputs of its first
/// channels, at most `most`, after the activation function and before the max-pool. Batch normalisation uses its
/// running statistics. Empty for a network without convolutions.
///
/// # Shapes
/// - image: `[1, channels * height * width]`
///
/// # Errors
/// [`TrainingError::Read`] if the device fails.
pub fn feature_maps(
    network: &Network,
    image: Tensor<2>,
    most: usize,
) -> Result<Vec<(String, NumberPictures)>, TrainingError> {
    let operations = network.summary();
    let size_of = |layer: &str| {
        let operation = operations.iter().find(|one| one.part == layer)?;
        match operation.output_shape[..] {
            [_, height, width] => Some([height, width]),
            _ => None,
        }
    };
    if size_of("convolutions.0").is_none() {
        return Ok(Vec::new());
    }
    let mut maps = Vec::new();
    for (layer, _, outputs) in layer_outputs(network.stages(image, Mode::Evaluation)) {
        let Some(size) = size_of(&layer) else {
            continue;
        };
        // A row is a pixel, from the top left to the bottom right, and a column a channel.
        let channels = outputs.dims()[1];
        let pictures = columns(&host(outputs)?, channels).take(most).collect();
        maps.push((layer, NumberPictures { size, pictures }));
    }
    Ok(maps)
}
