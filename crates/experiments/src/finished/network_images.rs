//! Images of a network of a run: the weights of its first layer, and the feature maps of its convolutions.

use burn::tensor::Tensor;
use emberlab_metrics::Split;
use emberlab_training::host;
use emberlab_training::inspection::{NumberPictures, feature_maps, first_weights};

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
    /// The weights of each unit of the first layer as an image, or the kernels of the first convolution over the first
    /// channel of the image; at most `max` of them. Empty if the inputs are not images.
    pub fn first_layer_images(&self, max: usize) -> Vec<NumberImage> {
        let image = self.prepared.samples.input_shape.as_slice().try_into().ok();
        let weights = image.and_then(|image| first_weights(&self.network, image, max));
        weights.map_or(Vec::new(), |weights| named(weights, "unit"))
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
        let &[_, height, width] = self.prepared.samples.input_shape.as_slice() else {
            return Ok(Vec::new());
        };
        let Some(data) = self.prepared.upload(split, &self.device)? else {
            return Ok(Vec::new());
        };
        let first: Tensor<2> = data.inputs.range(0..1);
        let maps = feature_maps(&self.network, first.clone(), max)?;
        if maps.is_empty() {
            return Ok(Vec::new());
        }
        let input: Vec<f64> = host(first)?;
        let input = NumberPictures {
            size: [height, width],
            pictures: input.chunks(height * width).map(<[f64]>::to_vec).collect(),
        };
        let mut input = named(input, "input, channel");
        if let [grey] = input.as_mut_slice() {
            grey.name = "input".to_string();
        }
        let maps = maps.into_iter().map(|(_, maps)| named(maps, "channel"));
        Ok([input].into_iter().chain(maps).collect())
    }
}

/// The pictures with a name and their numbers from 1 on.
fn named(pictures: NumberPictures, name: &str) -> Vec<NumberImage> {
    let [height, width] = pictures.size;
    let images = pictures.pictures.into_iter().enumerate();
    let named = images.map(|(i, values)| NumberImage {
        name: format!("{name} {}", i + 1),
        width,
        height,
        values,
    });
    named.collect()
}
