//! What normalisations do to one batch.

use burn::module::{Param, ParamId};
use burn::tensor::{DType, Device, Tensor, TensorData};
use emberlab_models::{BatchNorm, GroupNorm, InstanceNorm, LayerNorm};
use emberlab_pictures::{Bitmap, Image, ImageGrid, Picture};
use emberlab_rng::stream;
use emberlab_training::{TrainingError, device, host};
use rand_distr::{Distribution, StandardNormal};

use super::{GalleryError, Section};

const SAMPLES: usize = 12;
const FEATURES: usize = 8;
const GROUPS: usize = 2;
const EPSILON: f64 = 1e-5;

/// A batch whose features differ in mean and spread, and some of whose samples are larger than others.
fn batch() -> Vec<f64> {
    let mut rng = stream(0, "gallery", &[1]);
    (0..SAMPLES * FEATURES)
        .map(|i| {
            let (sample, feature) = (i / FEATURES, i % FEATURES);
            let (mean, spread) = (feature as f64 / 2.0 - 1.0, 0.3 + 0.25 * feature as f64);
            let noise: f64 = StandardNormal.sample(&mut rng);
            (mean + spread * noise) * if sample % 4 == 0 { 2.0 } else { 1.0 }
        })
        .collect()
}

fn constant(value: f64, device: &Device) -> Param<Tensor<1>> {
    let data = TensorData::new(vec![value; FEATURES], [FEATURES]);
    Param::initialized(
        ParamId::from(0),
        Tensor::from_data(data, (device, DType::F64)),
    )
}

/// A normalisation's name, what it takes together, and the batch after it.
type Normalized = (&'static str, &'static str, Vec<f64>);

/// What the batch becomes under every normalisation.
fn normalized() -> Result<Vec<Normalized>, GalleryError> {
    let device = device::open(device::DEFAULT).map_err(TrainingError::from)?;
    let x = || {
        let data = TensorData::new(batch(), [SAMPLES, FEATURES]);
        Tensor::<2>::from_data(data, (&device, DType::F64))
    };
    let one = || (constant(1.0, &device), constant(0.0, &device));
    let ((gamma, beta), (running_var, running_mean)) = (one(), one());
    let batch_norm = BatchNorm {
        gamma,
        beta,
        running_mean,
        running_var,
        momentum: 0.1,
        epsilon: EPSILON,
    };
    let (gamma, beta) = one();
    let layer = LayerNorm {
        gamma,
        beta,
        epsilon: EPSILON,
    };
    let (gamma, beta) = one();
    let group = GroupNorm {
        gamma,
        beta,
        num_groups: GROUPS,
        epsilon: EPSILON,
    };
    let instance = InstanceNorm { epsilon: EPSILON };
    Ok(vec![
        ("none", "as it comes", batch()),
        (
            "batch",
            "column by column",
            host(batch_norm.forward_train(x()).0)?,
        ),
        ("layer", "row by row", host(layer.forward(x()))?),
        (
            "instance",
            "row by row, no scale",
            host(instance.forward(x()))?,
        ),
        ("group", "rows in two halves", host(group.forward(x()))?),
    ])
}

pub(super) fn section() -> Result<Section, GalleryError> {
    let mut images = Vec::new();
    for (name, what, numbers) in normalized()? {
        let bitmap = Bitmap::signed(FEATURES, SAMPLES, &numbers, Some(3.0))?;
        images.push(Image::new(bitmap).caption(name).caption(what));
    }
    let picture = ImageGrid::new("One batch under each normalization", 5, images)
        .image_width(120.0)
        .describe(
            "Five images of a batch, samples as rows and features as columns. As it comes, columns differ in colour \
             and strength; batch normalization makes columns alike, layer and instance normalization rows, group \
             normalization the halves of rows.",
        );
    Ok(Section {
        title: "Normalizations",
        text: "Rows are samples, columns features; blue is negative, vermillion positive. Batch normalization brings \
               every column to mean 0 and variance 1 over the batch; layer and instance normalization every row on \
               its own, whatever else is in the batch; group normalization parts of rows."
            .to_string(),
        pictures: vec![("normalizations".to_string(), picture.render()?)],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_and_rows_have_mean_zero_and_variance_one_where_they_should() {
        let moments = |numbers: &[f64]| {
            let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
            let variance =
                numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / numbers.len() as f64;
            (mean.abs() < 1e-9) && ((variance - 1.0).abs() < 1e-3)
        };
        for (name, _, numbers) in normalized().expect("normalized") {
            let column = |j: usize| -> Vec<f64> {
                numbers.iter().skip(j).step_by(FEATURES).copied().collect()
            };
            let columns = (0..FEATURES).all(|j| moments(&column(j)));
            let rows = numbers.chunks(FEATURES).all(moments);
            let halves = numbers.chunks(FEATURES / GROUPS).all(moments);
            let expected = match name {
                "batch" => (true, false, false),
                "layer" | "instance" => (false, true, false),
                "group" => (false, true, true),
                _ => (false, false, false),
            };
            assert_eq!((columns, rows, halves), expected, "{name}");
        }
    }
}
