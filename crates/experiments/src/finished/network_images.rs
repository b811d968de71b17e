//! Images of a network of a run: the weights of its first layer, and the feature maps of its convolutions.

use burn::tensor::Tensor;
use emberlab_metrics::Split;
use emberlab_models::{Mode, Operation};
use emberlab_training::host;

use super::LoadedRun;
use crate::error::ExperimentError;

/// Numbers to be drawn as a small grey image.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberImage {
    /// The name, such as `unit 1`.
    pub name: String,
    /// The number of columns.
    pub width: usize,
    /// The number of rows.
    pub height: usize,
    /// The numbers, `[height × width]`, row by row from the top.
    pub values: Vec<f64>,
}

impl LoadedRun {
    /// The weights of each unit of the first layer as an image, or the kernels of the first convolution; at most `max`
    /// of them. Empty if the inputs are not images.
    pub fn first_layer_images(&self, max: usize) -> Vec<NumberImage> {
        let &[channels, height, width] = self.prepared.samples.input_shape.as_slice() else {
            return Vec::new();
        };
        let tensors = self.network.named_tensors();
        let of = |name: &str| {
            let found = tensors.iter().find(|(tensor, _)| tensor == name);
            found.map(|(_, data)| {
                (
                    data.shape().to_vec(),
                    data.iter::<f64>().collect::<Vec<f64>>(),
                )
            })
        };
        let image = |unit: usize, (width, height): (usize, usize), values: Vec<f64>| NumberImage {
            name: format!("unit {}", unit + 1),
            width,
            height,
            values,
        };
        if let Some((shape, weights)) = of("convolutions.0.weight") {
            let size = shape[2] * shape[3];
            // The first channel of each kernel.
            let kernels = weights.chunks(size * shape[1]).take(max).enumerate();
            return kernels
                .map(|(unit, kernel)| image(unit, (shape[3], shape[2]), kernel[..size].to_vec()))
                .collect();
        }
        match of("layers.0.weight") {
            // [d_input, d_output]
            Some((shape, weights)) if channels == 1 => {
                let column = |unit: usize| {
                    let rows = weights.chunks(shape[1]);
                    image(unit, (width, height), rows.map(|row| row[unit]).collect())
                };
                (0..shape[1].min(max)).map(column).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The first row of a split, and the activations of each convolution for it as one image per channel, at most `max`
    /// for each convolution. Empty for networks without convolutions.
    ///
    /// # Errors
    /// [`ExperimentError::Training`] if the device fails.
    pub fn feature_maps(
        &self,
        split: Split,
        max: usize,
    ) -> Result<Vec<Vec<NumberImage>>, ExperimentError> {
        let Some(data) = self.prepared.upload(split, &self.device)? else {
            return Ok(Vec::new());
        };
        if !self.prepared.config.model.takes_images() {
            return Ok(Vec::new());
        }
        let &[num_channels, height, width] = self.prepared.samples.input_shape.as_slice() else {
            return Ok(Vec::new());
        };
        let first: Tensor<2> = data.inputs.narrow(0, 0, 1);
        let input: Vec<f64> = host(first.clone())?;
        let channels = input.chunks(height * width).enumerate();
        let input = channels.map(|(channel, values)| NumberImage {
            name: match num_channels {
                1 => "input".to_string(),
                _ => format!("input, channel {}", channel + 1),
            },
            width,
            height,
            values: values.to_vec(),
        });
        let mut layers = vec![input.collect()];
        // A convolution keeps the size of the image; pooling halves it, unless it is smaller than the pool.
        let (mut width, mut height) = (width, height);
        for stage in self.network.stages(first, Mode::Evaluation) {
            let [places, channels] = stage.outputs.dims();
            if !matches!(stage.operation, Operation::Activation(..)) || places != width * height {
                continue;
            }
            let values = host(stage.outputs)?;
            let map = |channel: usize| NumberImage {
                name: format!("channel {}", channel + 1),
                width,
                height,
                values: values
                    .chunks(channels)
                    .map(|place| place[channel])
                    .collect(),
            };
            layers.push((0..channels.min(max)).map(map).collect());
            if width >= 2 && height >= 2 {
                (width, height) = (width / 2, height / 2);
            }
        }
        Ok(layers)
    }
}
