//! `frames.jsonl`: pictures of a network while it learns, one line for each moment.
//!
//! The first line is a [`FramesHeader`], every other one a [`Frame`]. Numbers in pictures have 8 bits.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Axis, Bytes, Cells};

/// Numbers of 8 bits each, which are written as one string in base64.
///
/// A byte `b` stands for `(b - 128) / 127`, times the scale that stands beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packed(pub Vec<u8>);

impl Packed {
    /// Numbers as shares of `scale`, which is the largest of their sizes. NaN becomes zero.
    pub fn from_values(values: impl IntoIterator<Item = f64>, scale: f64) -> Self {
        let factor = if scale > 0.0 { 127.0 / scale } else { 0.0 };
        let byte = |value: f64| match value.is_nan() {
            true => 128,
            false => (128.5 + value * factor) as u8, // rounds, because no sum is below zero
        };
        Self(values.into_iter().map(byte).collect())
    }
}

impl Serialize for Packed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Packed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Self).map_err(de::Error::custom)
    }
}

/// A header or a frame as a line of the file.
fn line(value: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string(value).map(|text| text + "\n")
}

/// The parts that all frames share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FramesHeader {
    /// The class of each row of the probe batch; empty for a regression.
    pub classes: Vec<u32>,
    /// The names of the classes; empty for a regression, or if there are very many.
    pub class_names: Vec<String>,
    /// The region of the maps, for a network with two inputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// Height and width of the pictures of first-layer weights: those of the images for a dense first layer over grey
    /// images, and those of a kernel for a convolution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<[usize; 2]>,
    /// The image from which the feature maps of convolutions are computed: the first row of the probe batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<SampleImage>,
}

impl FramesHeader {
    /// The first line of the file.
    ///
    /// # Errors
    /// [`serde_json::Error`] if a number has no JSON form.
    pub fn line(&self) -> Result<String, serde_json::Error> {
        line(self)
    }
}

/// An image of the data, not standardised. A large one is averaged down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleImage {
    /// Channels, which are 1 for grey and 3 for red, green and blue; height; width.
    pub shape: [usize; 3],
    /// Brightness from 0 (black) to 255 (white), by channel, row and column.
    pub pixels: Bytes,
}

/// The region of two inputs that maps show, with samples in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// The horizontal axis, to the right.
    pub x: Axis,
    /// The vertical axis, upwards.
    pub y: Axis,
    /// Points in a row and rows of each map. Rows go from the lowest to the highest; their first and last points lie on
    /// the ends of the axes.
    pub side: usize,
    /// The positions of samples.
    pub points: Vec<[f64; 2]>,
    /// The class of each sample; empty for a regression.
    pub classes: Vec<u32>,
}

/// A network at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// Epochs done, as a fraction.
    pub epoch: f64,
    /// Optimiser steps done.
    pub step: u64,
    /// Its layers, from the inputs to the outputs.
    pub layers: Vec<LayerFrame>,
    /// The predictions over the region, for classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<Cells>,
    /// The weights of the first units of the first layer as pictures, if the inputs are images; for a convolution the
    /// first kernels, over the first channel of the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Maps>,
}

impl Frame {
    /// The frame as a line of the file.
    ///
    /// # Errors
    /// [`serde_json::Error`] if a number has no JSON form.
    pub fn line(&self) -> Result<String, serde_json::Error> {
        line(self)
    }
}

/// One layer at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerFrame {
    /// Its name, such as `layers.0`.
    pub layer: String,
    /// The outputs of each unit over the region, after the activation function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maps: Option<Maps>,
    /// The outputs of the first channels of a convolution for one image, after the activation function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<FeatureMaps>,
    /// The activations of the probe batch, seen along their two principal components.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<View>,
}

/// The outputs of channels of a convolution for one image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureMaps {
    /// Height and width of the outputs of the convolution, in pixels.
    pub pixels: [usize; 2],
    /// Height and width of the pictures. If they are smaller than the outputs, each number is the mean of a square of
    /// pixels.
    pub size: [usize; 2],
    /// A picture of each channel, from the top to the bottom.
    pub maps: Maps,
}

/// Small pictures of the same size, such as one for each unit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Maps {
    /// The largest size of a number in each picture.
    pub scales: Vec<f32>,
    /// The numbers, picture by picture, row by row.
    pub values: Packed,
}

/// Points in two dimensions: the projection of activations on their first two principal components.
///
/// A component has the sign with which its entry of largest size is positive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// The largest size of a coordinate.
    pub scale: f32,
    /// Shares of the variance that the two components explain.
    pub explained: [f32; 2],
    /// The coordinates, point by point.
    pub points: Packed,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_of_eight_bits_are_short_text_and_read_back() {
        let packed = Packed::from_values([-2.0, 0.0, 1.0, 2.0, f64::NAN], 2.0);
        assert_eq!(packed.0, [1, 128, 192, 255, 128]);
        let json = serde_json::to_string(&packed).unwrap();
        assert_eq!(json, "\"AYDA/4A=\"");
        assert_eq!(packed, serde_json::from_str(&json).unwrap());
        assert!(serde_json::from_str::<Packed>("\"*\"").is_err());
        assert_eq!(Packed::from_values([0.0, 1.0], 0.0).0, [128, 128]);
    }

    #[test]
    fn frames_that_earlier_versions_wrote_still_parse() {
        // As the first version wrote them for a dense network on digits, with fewer numbers.
        let header = r#"{"classes":[3,1],"class_names":["0","1"],"image":[1,2]}"#;
        let frame = r#"{"epoch":0.5,"step":4,"layers":[{"layer":"layers.0","view":{"scale":1.0,"explained":[0.5,0.25],"points":"AYD/gA=="}}],"weights":{"scales":[2.0],"values":"Af8="}}"#;
        let header: FramesHeader = serde_json::from_str(header).unwrap();
        assert_eq!((header.image, header.sample), (Some([1, 2]), None));
        let frame: Frame = serde_json::from_str(frame).unwrap();
        assert_eq!(frame.layers[0].features, None);
        assert_eq!(frame.weights.unwrap().values.0, [1, 255]);
    }

    #[test]
    fn feature_maps_and_their_image_read_back() {
        let header = FramesHeader {
            classes: vec![7],
            class_names: Vec::new(),
            region: None,
            image: Some([3, 3]),
            sample: Some(SampleImage {
                shape: [1, 1, 2],
                pixels: Bytes(vec![0, 255]),
            }),
        };
        let line = header.line().unwrap();
        assert_eq!(header, serde_json::from_str(&line).unwrap());
        let features = FeatureMaps {
            pixels: [56, 58],
            size: [28, 29],
            maps: Maps {
                scales: vec![0.5],
                values: Packed(vec![128; 28 * 29]),
            },
        };
        let frame = Frame {
            epoch: 1.0,
            step: 2,
            layers: vec![LayerFrame {
                layer: "convolutions.0".to_string(),
                maps: None,
                features: Some(features),
                view: None,
            }],
            boundary: None,
            weights: None,
        };
        let line = frame.line().unwrap();
        assert_eq!(frame, serde_json::from_str(&line).unwrap());
    }
}
