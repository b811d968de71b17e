//! One batch after each normalisation.

use burn::tensor::{DType, Tensor, TensorData};
use emberlab_menu::Menu as _;
use emberlab_models::Normalization;
use emberlab_pictures::{Bitmap, Image, ImageGrid, Picture};
use emberlab_rng::stream;
use emberlab_training::{TrainingError, device, host};
use rand_distr::{Distribution, StandardNormal};

use super::{GalleryError, Section};

const SAMPLES: usize = 12;
const FEATURES: usize = 8;

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

/// A normalisation with its name, its description, and the batch after it.
struct Normalized {
    name: &'static str,
    summary: String,
    numbers: Vec<f64>,
}

/// The batch after every normalisation of the menu, in training mode.
fn normalized() -> Result<Vec<Normalized>, GalleryError> {
    let device = device::open(device::DEFAULT).map_err(TrainingError::from)?;
    let apply = |(normalization, summary): (Normalization, String)| {
        let data = TensorData::new(batch(), [SAMPLES, FEATURES]);
        let x = Tensor::<2>::from_data(data, (&device, DType::F64));
        let y = match normalization.layer_on(FEATURES, &device, DType::F64) {
            Some(layer) => layer.forward_train(x, &mut Vec::new()),
            None => x,
        };
        Ok(Normalized {
            name: normalization.name(),
            summary,
            numbers: host(y)?,
        })
    };
    let menu = Normalization::examples().into_iter();
    menu.zip(Normalization::summaries()).map(apply).collect()
}

pub(super) fn section() -> Result<Section, GalleryError> {
    let mut images = Vec::new();
    let mut described = Vec::new();
    for normalized in normalized()? {
        let bitmap = Bitmap::signed(FEATURES, SAMPLES, &normalized.numbers, Some(3.0))?;
        images.push(Image::new(bitmap).caption(normalized.name));
        described.push(format!("{}: {}", normalized.name, normalized.summary));
    }
    let picture = ImageGrid::new("One batch under each normalisation", 5, images)
        .image_width(120.0)
        .describe(format!(
            "The same batch under each normalisation, samples as rows and features as columns. {}.",
            described.join("; ")
        ));
    Ok(Section {
        title: "Normalizations",
        text: "Rows are samples and columns are features; blue is negative, vermillion positive. Batch normalisation \
               gives every column mean 0 and variance 1 over the batch. Layer and instance normalisation do so for \
               every row, whatever else is in the batch; group normalisation does so for parts of rows."
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
        let normalized = normalized().expect("normalized");
        for (name, expected) in [
            ("none", (false, false, false)),
            ("batch", (true, false, false)),
            ("layer", (false, true, false)),
            ("instance", (false, true, false)),
            ("group", (false, true, true)),
        ] {
            let found = normalized.iter().find(|found| found.name == name);
            let numbers = &found.expect("a normalisation of this name").numbers;
            let column = |j: usize| -> Vec<f64> {
                numbers.iter().skip(j).step_by(FEATURES).copied().collect()
            };
            let columns = (0..FEATURES).all(|j| moments(&column(j)));
            let rows = numbers.chunks(FEATURES).all(moments);
            let halves = numbers.chunks(FEATURES / 2).all(moments);
            assert_eq!((columns, rows, halves), expected, "{name}");
        }
    }
}
