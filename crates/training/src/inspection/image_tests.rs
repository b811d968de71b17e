//! Feature maps and kernels are computed another way, lie the right way round, and fit into a frame.

use burn::tensor::{DType, Device, Tensor, TensorData};
use emberlab_datasets::Batch;
use emberlab_models::{ModelConfig, Network};
use emberlab_rng::stream;
use emberlab_run_format::Frame;
use serde_json::{Value, json};

use super::{
    InspectConfig, InspectEvery, Inspector, NumberPictures, Probe, feature_maps, first_weights,
};
use crate::{LossConfig, Task};

/// A convnet with three outputs in f64.
fn convnet(settings: &Value, image: [usize; 3]) -> Network {
    let mut model = json!({ "name": "convnet", "d_hidden": 4 });
    for (key, value) in settings.as_object().expect("settings") {
        model[key] = value.clone();
    }
    let model: ModelConfig = serde_json::from_value(model).expect("a model");
    let rng = &mut stream(0, "init", &[]);
    let network = model.init(&image, 3, rng, &Device::flex(), DType::F64);
    network.expect("a network")
}

/// The network with other numbers in one of its tensors.
fn with_tensor(network: Network, name: &str, values: Vec<f64>) -> Network {
    let mut tensors = network.named_tensors();
    let (_, data) = tensors.iter_mut().find(|(own, _)| own == name).expect(name);
    *data = TensorData::new(values, data.shape().to_vec());
    network
        .load_named_tensors(tensors)
        .expect("the same shapes")
}

fn numbers(network: &Network, name: &str) -> Vec<f64> {
    let tensors = network.named_tensors();
    let found = tensors.iter().find(|(own, _)| own == name);
    found.expect(name).1.iter::<f64>().collect()
}

fn waves(count: usize) -> Vec<f64> {
    (0..count)
        .map(|i| (1.7 * i as f64 + 0.003 * (i * i) as f64).sin())
        .collect()
}

fn rows(values: Vec<f64>, num_rows: usize) -> Tensor<2> {
    let shape = [num_rows, values.len() / num_rows];
    Tensor::from_data(
        TensorData::new(values, shape),
        (&Device::flex(), DType::F64),
    )
}

/// The frame before the first step of a training whose probe batch has these images, one after the other.
fn frame(network: &Network, image: [usize; 3], images: Vec<f64>) -> Frame {
    let num_rows = images.len() / image.iter().product::<usize>();
    let targets = (0..num_rows).flat_map(|_| [1.0, 0.0, 0.0]).collect();
    let probe = Probe {
        config: InspectConfig {
            every: InspectEvery::Steps(1),
        },
        batch: Batch {
            inputs: rows(images, num_rows),
            targets: rows(targets, num_rows),
            weights: None,
        },
        grid: None,
        image: Some(image),
    };
    let loss: LossConfig =
        serde_json::from_value(json!({ "name": "cross_entropy" })).expect("loss");
    let task = Task::Multiclass { num_classes: 3 };
    let inspector = Inspector::new(probe, &loss, &task, 1, 1).expect("an inspector");
    let record = inspector.record(network, None, 0).expect("a record");
    record.frame.expect("pictures")
}

/// The largest number of a picture and where it is: row and column.
fn brightest(bytes: &[u8], width: usize) -> (u8, [usize; 2]) {
    let found = bytes.iter().enumerate().max_by_key(|(_, byte)| **byte);
    let (place, byte) = found.expect("a picture");
    (*byte, [place / width, place % width])
}

/// A convolution by its definition, with zeros around the image, and ReLU.
fn convolved(
    image: &NumberPictures,
    kernels: &[f64],
    biases: &[f64],
    side: usize,
) -> NumberPictures {
    let [height, width] = image.size;
    let channels = image.pictures.len();
    let pixel = |channel: usize, row: usize, column: usize| {
        // Zeros stand around the image: `row` and `column` are half a kernel too large.
        let (row, column) = (row.checked_sub(side / 2), column.checked_sub(side / 2));
        match (row, column) {
            (Some(row), Some(column)) if row < height && column < width => {
                image.pictures[channel][row * width + column]
            }
            _ => 0.0,
        }
    };
    let output = |out: usize, row: usize, column: usize| {
        let mut sum = biases[out];
        for channel in 0..channels {
            for i in 0..side {
                for j in 0..side {
                    let weight = kernels[((out * channels + channel) * side + i) * side + j];
                    sum += weight * pixel(channel, row + i, column + j);
                }
            }
        }
        sum.max(0.0)
    };
    let picture = |out: usize| {
        let places = (0..height).flat_map(|row| (0..width).map(move |column| (row, column)));
        places
            .map(|(row, column)| output(out, row, column))
            .collect()
    };
    NumberPictures {
        size: image.size,
        pictures: (0..biases.len()).map(picture).collect(),
    }
}

/// The largest number of each square of two by two; an odd last row or column is left out.
fn pooled(image: &NumberPictures) -> NumberPictures {
    let [height, width] = image.size;
    let half = |picture: &Vec<f64>| {
        let rows = (0..height / 2).flat_map(|row| (0..width / 2).map(move |column| (row, column)));
        let largest = |(row, column): (usize, usize)| {
            let at = |i: usize, j: usize| picture[(2 * row + i) * width + 2 * column + j];
            at(0, 0).max(at(0, 1)).max(at(1, 0)).max(at(1, 1))
        };
        rows.map(largest).collect()
    };
    NumberPictures {
        size: [height / 2, width / 2],
        pictures: image.pictures.iter().map(half).collect(),
    }
}

#[test]
fn feature_maps_equal_convolutions_by_their_definition() {
    let image = [2, 7, 9];
    let network = convnet(&json!({ "channels": [3, 4], "kernel_size": 5 }), image);
    let network = with_tensor(network, "convolutions.0.bias", vec![0.2, -0.1, 0.3]);
    let pixels = waves(2 * 7 * 9);
    let input = NumberPictures {
        size: [7, 9],
        pictures: pixels.chunks(7 * 9).map(<[f64]>::to_vec).collect(),
    };
    let layer = |input: &NumberPictures, i: usize| {
        let kernels = numbers(&network, &format!("convolutions.{i}.weight"));
        let biases = numbers(&network, &format!("convolutions.{i}.bias"));
        convolved(input, &kernels, &biases, 5)
    };
    let first = layer(&input, 0);
    let second = layer(&pooled(&first), 1);
    assert_eq!(second.size, [3, 4]);
    let found = feature_maps(&network, rows(pixels, 1), 16).expect("feature maps");
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["convolutions.0", "convolutions.1"]);
    for ((name, found), expected) in found.iter().zip([first, second]) {
        assert_eq!(found.size, expected.size, "{name}");
        assert_eq!(found.pictures.len(), expected.pictures.len(), "{name}");
        let pairs = found
            .pictures
            .concat()
            .into_iter()
            .zip(expected.pictures.concat());
        for (found, expected) in pairs {
            assert!(
                (found - expected).abs() < 1e-12,
                "{name}: {found}, {expected}"
            );
        }
    }
}

#[test]
fn a_bright_pixel_keeps_its_place_in_the_feature_map_of_the_first_row() {
    let image = [1, 4, 6];
    let network = convnet(&json!({ "channels": [1], "bias": false }), image);
    let identity = vec![0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0];
    let network = with_tensor(network, "convolutions.0.weight", identity);
    // The first image is bright in row 1 and column 4, the second one elsewhere.
    let mut images = vec![0.0; 2 * 24];
    images[6 + 4] = 3.0;
    images[24] = 5.0;
    let frame = frame(&network, image, images);
    let features = frame.layers[0].features.as_ref().expect("feature maps");
    assert_eq!((features.pixels, features.size), ([4, 6], [4, 6]));
    assert_eq!(features.maps.scales, [3.0]);
    let bytes = &features.maps.values.0;
    assert_eq!(brightest(bytes, 6), (255, [1, 4]));
    assert_eq!(bytes.iter().filter(|byte| **byte == 128).count(), 23);
    assert!(
        frame.layers[1..]
            .iter()
            .all(|layer| layer.features.is_none())
    );
}

#[test]
fn a_kernel_is_drawn_as_it_lies_on_the_image_and_in_colour_over_the_first_channel() {
    let network = convnet(&json!({ "channels": [2] }), [3, 4, 4]);
    // Over the first channel, the first kernel has its largest weight at the top right, the second at the bottom
    // middle.
    let mut kernels = vec![0.25; 2 * 3 * 9];
    kernels[2] = 1.0;
    kernels[3 * 9 + 7] = 2.0;
    kernels[9..27].fill(9.0);
    let network = with_tensor(network, "convolutions.0.weight", kernels);
    let weights = first_weights(&network, [3, 4, 4], 16).expect("kernels");
    assert_eq!(weights.size, [3, 3]);
    let maps = frame(&network, [3, 4, 4], waves(2 * 48)).weights;
    let maps = maps.expect("kernels");
    assert_eq!(maps.scales, [1.0, 2.0]);
    assert_eq!(brightest(&maps.values.0[..9], 3), (255, [0, 2]));
    assert_eq!(brightest(&maps.values.0[9..], 3), (255, [2, 1]));
}

#[test]
fn a_dense_layer_over_grey_images_has_pictures_of_its_weights_and_no_feature_maps() {
    let model = json!({ "name": "mlp", "hidden": [20], "activation": "relu" });
    let model: ModelConfig = serde_json::from_value(model).expect("a model");
    let rng = &mut stream(0, "init", &[]);
    let network = model.init(&[1, 2, 3], 3, rng, &Device::flex(), DType::F64);
    let network = network.expect("a network");
    let mut weights = vec![0.0; 6 * 20];
    weights[5 * 20 + 1] = 1.0; // from the last pixel to the second unit
    let network = with_tensor(network, "layers.0.weight", weights);
    let in_grey = frame(&network, [1, 2, 3], waves(12));
    let maps = in_grey.weights.expect("weights");
    assert_eq!(maps.scales.len(), 16);
    assert_eq!(brightest(&maps.values.0[6..12], 3), (255, [1, 2]));
    assert!(in_grey.layers.iter().all(|layer| layer.features.is_none()));
    let in_colour = frame(&network, [3, 1, 2], waves(12));
    assert_eq!(in_colour.weights, None);
}

#[test]
fn large_pictures_are_averaged_and_many_channels_cut_short() {
    let picture = NumberPictures {
        size: [3, 5],
        pictures: vec![(0..15).map(f64::from).collect()],
    };
    assert_eq!(picture.shrunk(5), picture);
    let small = picture.shrunk(3);
    assert_eq!(small.size, [2, 3]);
    // The first is the mean of 0, 1, 5 and 6; the third of the column that is left, 4 and 9; the last is alone.
    assert_eq!(small.pictures, [[3.0, 5.0, 6.5, 10.5, 12.5, 14.0]]);

    let image = [1, 30, 57];
    let network = convnet(&json!({ "channels": [18, 2] }), image);
    let frame = frame(&network, image, waves(2 * 30 * 57));
    let of = |layer: usize| {
        let features = frame.layers[layer].features.as_ref().expect("feature maps");
        let (maps, [height, width]) = (&features.maps, features.size);
        assert_eq!(maps.values.0.len(), maps.scales.len() * height * width);
        (features.pixels, features.size, maps.scales.len())
    };
    assert_eq!(of(0), ([30, 57], [10, 19], 16));
    assert_eq!(of(1), ([15, 28], [15, 28], 2));
    assert_eq!(frame.weights.expect("kernels").scales.len(), 16);
}
