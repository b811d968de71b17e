//! The pictures of `emberlab evaluate`: boundaries, curves over thresholds, mistakes, weights, features.

use emberlab_experiments::{Axes, LoadedRun, NumberImage};
use emberlab_pictures::{
    Bitmap, Image, ImageGrid, Matrix, Panels, Picture, PictureError, Rule, Svg,
};
use emberlab_report::predictions::{
    boundary_chart, calibration_figure, mistake_figure, precision_recall_figure, roc_figure,
    score_figure,
};
use emberlab_run_format::{Mistakes, SplitEvaluation};

use crate::failure::Failure;

/// Points of a boundary's grid on each side, alone and in a strip.
const GRID: usize = 120;
const SMALL_GRID: usize = 60;
/// Units and channels that are shown.
const MOST_IMAGES: usize = 64;
const MOST_CHANNELS: usize = 16;

/// A picture with the name of its file.
pub type NamedPicture = (&'static str, Svg);

/// What pictures are made of.
pub struct Subject<'a> {
    /// The run.
    pub loaded: &'a LoadedRun,
    /// Epochs that its network was trained for.
    pub epochs: usize,
    /// The evaluation of the split that is looked at.
    pub evaluation: &'a SplitEvaluation,
    /// Its wrong predictions.
    pub mistakes: Option<&'a Mistakes>,
    /// A probability above it is class 1.
    pub threshold: f64,
    /// The plane of the boundary.
    pub axes: Axes,
}

impl Subject<'_> {
    /// Every picture that there is of this run.
    ///
    /// # Errors
    /// [`Failure`] if the network fails or a picture cannot be drawn.
    pub fn pictures(&self) -> Result<Vec<NamedPicture>, Failure> {
        let mut pictures: Vec<NamedPicture> = Vec::new();
        let names = self.loaded.prepared.class_names();
        let split = self.evaluation.split;
        if let Some(found) = self.loaded.boundary(self.axes, GRID)? {
            let title = "What is predicted where";
            let chart = boundary_chart(title, &found, &names, self.threshold, (560.0, 460.0))?;
            pictures.push(("boundary.svg", chart.render()?));
            let over_epochs =
                self.loaded
                    .boundaries_over_epochs(self.axes, SMALL_GRID, self.epochs)?;
            let mut strip = Panels::new("What is predicted where, over the epochs", 3);
            for (epoch, mut found) in over_epochs {
                // What the axes explain in brackets has room in the larger picture.
                for axis in [&mut found.x, &mut found.y] {
                    axis.name = axis.name.split(" (").next().unwrap_or_default().to_string();
                }
                let title = format!("after epoch {epoch}");
                let title = if epoch == 0 {
                    "before training".to_string()
                } else {
                    title
                };
                let size = (340.0, 300.0);
                strip = strip.with(boundary_chart(
                    &title,
                    &found,
                    &names,
                    self.threshold,
                    size,
                )?);
            }
            pictures.push(("boundary_over_epochs.svg", strip.render()?));
        }
        let matrix = self.evaluation.confusion_matrix.as_ref();
        if let Some(matrix) = matrix.filter(|_| !self.evaluation.has_no_predictions()) {
            let title = format!("Confusion matrix, {split}");
            let picture = Matrix::confusion(title, &names, &matrix.counts);
            pictures.push(("confusion_matrix.svg", picture.render()?));
        }
        if let Some(curves) = &self.evaluation.curves {
            let in_use = Some(Rule::upright("in use", self.threshold));
            pictures.extend([
                ("roc.svg", roc_figure(curves, split)?.picture),
                (
                    "precision_recall.svg",
                    precision_recall_figure(curves, split)?.picture,
                ),
                (
                    "calibration.svg",
                    calibration_figure(curves, split)?.picture,
                ),
                (
                    "thresholds.svg",
                    score_figure(curves, split, in_use)?.picture,
                ),
            ]);
        }
        if let Some(mistakes) = self.mistakes {
            let figure = mistake_figure(mistakes, &names)?;
            pictures.extend(figure.map(|figure| ("mistakes.svg", figure.picture)));
        }
        let weights = self.loaded.first_layer_images(MOST_IMAGES);
        if !weights.is_empty() {
            let title = "Weights of the first layer: blue is negative, vermillion positive";
            pictures.push(("weights.svg", image_grid(title, 8, &weights)?.render()?));
        }
        let features = self.loaded.feature_maps(split, MOST_CHANNELS)?;
        if !features.is_empty() {
            let title = format!("What the convolutions make of the first {split} sample");
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

/// Inputs, from black to white as they were drawn.
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

/// Numbers around zero: weights, features.
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
