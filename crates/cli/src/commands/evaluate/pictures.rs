//! The pictures of `emberlab evaluate`: decision boundaries, curves over thresholds, wrong predictions, weights and
//! feature maps.

use emberlab_experiments::{Axes, LoadedRun, NumberImage};
use emberlab_pictures::{
    Bitmap, Image, ImageGrid, Matrix, Panels, Picture, PictureError, Rule, Svg,
};
use emberlab_report::predictions::{
    boundary_chart, calibration_figure, mistake_figure, precision_recall_figure, roc_figure,
    score_figure,
};
use emberlab_run_format::{DEFAULT_THRESHOLD, Mistakes, SplitEvaluation};

use crate::failure::Failure;

/// Points on each side of a decision boundary's grid, alone and in the series over the epochs.
const GRID: usize = 120;
const SMALL_GRID: usize = 60;
/// The most units and channels that are shown.
const MOST_IMAGES: usize = 64;
const MOST_CHANNELS: usize = 16;

/// A picture with the name of its file.
pub type NamedPicture = (&'static str, Svg);

/// A run and its evaluation, which the pictures show.
pub struct Subject<'a> {
    /// The run.
    pub loaded: &'a LoadedRun,
    /// Epochs that the network was trained for.
    pub epochs: usize,
    /// The evaluation on one split.
    pub evaluation: &'a SplitEvaluation,
    /// The wrong predictions on that split.
    pub mistakes: Option<&'a Mistakes>,
    /// Of two classes, the second is predicted where its probability is above this value.
    pub threshold: f64,
    /// The axes of the decision boundary.
    pub axes: Axes,
}

impl Subject<'_> {
    /// All pictures that this run has.
    ///
    /// # Errors
    /// [`Failure`] if the network fails or a picture cannot be drawn.
    pub fn pictures(&self) -> Result<Vec<NamedPicture>, Failure> {
        let mut pictures = self.boundaries()?;
        pictures.extend(self.scores()?);
        pictures.extend(self.network()?);
        Ok(pictures)
    }

    /// The reason why a run has no pictures.
    pub fn without_pictures(&self) -> String {
        let num_classes = self.loaded.prepared.class_names().len();
        match self.evaluation.has_no_predictions() {
            true => "the outputs of the network are NaN".to_string(),
            false if num_classes > 0 => format!(
                "{num_classes} classes are too many for a decision boundary or a confusion matrix"
            ),
            false => "a regression of a table has no boundary, matrix or curve to draw".to_string(),
        }
    }

    /// The decision boundary at the end and over the epochs.
    fn boundaries(&self) -> Result<Vec<NamedPicture>, Failure> {
        let mut pictures: Vec<NamedPicture> = Vec::new();
        let names = self.loaded.prepared.class_names();
        if let Some(found) = self.loaded.boundary(self.axes, GRID)? {
            let title = "Decision boundary";
            let chart = boundary_chart(title, &found, &names, self.threshold, (560.0, 460.0))?;
            pictures.push(("boundary.svg", chart.render()?));
            let over_epochs =
                self.loaded
                    .boundaries_over_epochs(self.axes, SMALL_GRID, self.epochs)?;
            let mut strip = Panels::new("Decision boundary over the epochs", 3);
            for (epoch, mut found) in over_epochs {
                // The explanations in brackets fit in the larger picture only.
                for axis in [&mut found.x, &mut found.y] {
                    axis.name = axis.name.split(" (").next().unwrap_or_default().to_string();
                }
                let title = format!("after epoch {epoch}");
                let title = if epoch == 0 {
                    "before training".to_string()
                } else {
                    title
                };
                // The threshold belongs to the last of these networks only.
                let threshold = match epoch == self.epochs {
                    true => self.threshold,
                    false => DEFAULT_THRESHOLD,
                };
                let size = (340.0, 300.0);
                strip = strip.with(boundary_chart(&title, &found, &names, threshold, size)?);
            }
            pictures.push(("boundary_over_epochs.svg", strip.render()?));
        }
        Ok(pictures)
    }

    /// The confusion matrix, the curves over thresholds, and the wrong predictions.
    fn scores(&self) -> Result<Vec<NamedPicture>, Failure> {
        let mut pictures: Vec<NamedPicture> = Vec::new();
        let names = self.loaded.prepared.class_names();
        let split = self.evaluation.split;
        let matrix = self.evaluation.confusion_matrix.as_ref();
        if let Some(matrix) = matrix.filter(|_| !self.evaluation.has_no_predictions()) {
            let title = match self.threshold == DEFAULT_THRESHOLD {
                true => format!("Confusion matrix, {split}"),
                false => format!("Confusion matrix, {split}, threshold {:.4}", self.threshold),
            };
            let picture = Matrix::confusion(title, &names, &matrix.rows());
            pictures.push(("confusion_matrix.svg", picture.render()?));
        }
        if let Some(curves) = &self.evaluation.curves {
            let positive = names.get(1).map_or("1", String::as_str);
            let in_use = Some(Rule::upright("in use", self.threshold));
            pictures.extend([
                ("roc.svg", roc_figure(curves, positive, split)?.picture),
                (
                    "precision_recall.svg",
                    precision_recall_figure(curves, positive, split)?.picture,
                ),
                (
                    "calibration.svg",
                    calibration_figure(curves, positive, split)?.picture,
                ),
                (
                    "thresholds.svg",
                    score_figure(curves, positive, split, in_use)?.picture,
                ),
            ]);
        }
        if let Some(mistakes) = self.mistakes {
            let figure = mistake_figure(mistakes, &names)?;
            pictures.extend(figure.map(|figure| ("mistakes.svg", figure.picture)));
        }
        Ok(pictures)
    }

    /// The weights of the first layer, and the feature maps of convolutions.
    fn network(&self) -> Result<Vec<NamedPicture>, Failure> {
        let mut pictures: Vec<NamedPicture> = Vec::new();
        let split = self.evaluation.split;
        let weights = self.loaded.first_layer_images(MOST_IMAGES);
        if !weights.is_empty() {
            let title = "Weights of the first layer: blue is negative, vermillion positive";
            pictures.push(("weights.svg", image_grid(title, 8, &weights)?.render()?));
        }
        let features = self.loaded.feature_maps(split, MOST_CHANNELS)?;
        if !features.is_empty() {
            let title = format!("Feature maps of the first {split} sample");
            let mut panels = Panels::new(title, 1);
            for (layer, images) in features.iter().enumerate() {
                panels = panels.with(match layer {
                    0 => grey_images(images)?,
                    layer => {
                        let title = format!("convolution {layer}, after its activation");
                        image_grid(&title, 8, images)?
                    }
                });
            }
            pictures.push(("features.svg", panels.render()?));
        }
        Ok(pictures)
    }
}

/// Inputs as grey images; the smallest value is black, the largest white.
fn grey_images(images: &[NumberImage]) -> Result<ImageGrid, PictureError> {
    let drawn = images.iter().map(|image| {
        let values = image.values.iter().copied();
        let ends = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        let bitmap = Bitmap::grey(image.width, image.height, &image.values, ends)?;
        Ok(Image::new(bitmap).caption(&image.name))
    });
    let drawn: Result<Vec<Image>, PictureError> = drawn.collect();
    Ok(ImageGrid::new("", 8, drawn?))
}

/// Weights or feature maps, coloured by their sign.
fn image_grid(
    title: &str,
    columns: usize,
    images: &[NumberImage],
) -> Result<ImageGrid, PictureError> {
    let drawn = images.iter().map(|image| {
        let bitmap = Bitmap::signed(image.width, image.height, &image.values, None)?;
        Ok(Image::new(bitmap).caption(&image.name))
    });
    let drawn: Result<Vec<Image>, PictureError> = drawn.collect();
    Ok(ImageGrid::new(title, columns, drawn?))
}
