//! The pictures of `emberlab evaluate`: boundaries, curves over thresholds, mistakes, weights, features.

use emberlab_experiments::{Axes, LoadedRun, NumberImage};
use emberlab_explanations::{Boundary, Cells, Inputs, Mistakes, SplitEvaluation};
use emberlab_metrics::{BinaryCurves, Split, ThresholdCounts};
use emberlab_pictures::{
    Axis, Bitmap, Chart, Contours, Field, HeatMap, Image, ImageGrid, Line, Marker, Matrix, Panels,
    Picture, PictureError, Points, Rule, Svg, Tone,
};

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
            for (epoch, found) in &over_epochs {
                let title = format!("after epoch {epoch}");
                let title = if *epoch == 0 {
                    "before training".to_string()
                } else {
                    title
                };
                let size = (340.0, 300.0);
                strip = strip.with(boundary_chart(&title, found, &names, self.threshold, size)?);
            }
            pictures.push(("boundary_over_epochs.svg", strip.render()?));
        }
        if let Some(matrix) = &self.evaluation.confusion_matrix {
            let title = format!("Confusion matrix, {split}");
            let picture = Matrix::confusion(title, &names, &matrix.counts);
            pictures.push(("confusion_matrix.svg", picture.render()?));
        }
        if let Some(curves) = &self.evaluation.curves {
            pictures.extend([
                ("roc.svg", roc(curves, split).render()?),
                (
                    "precision_recall.svg",
                    precision_recall(curves, split).render()?,
                ),
                ("calibration.svg", calibration(curves, split).render()?),
                (
                    "thresholds.svg",
                    thresholds(curves, split, self.threshold).render()?,
                ),
            ]);
        }
        if let Some(gallery) = self
            .mistakes
            .map(|m| mistake_gallery(m, &names))
            .transpose()?
        {
            pictures.extend(gallery.map(|svg| ("mistakes.svg", svg)));
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
                let title = match layer {
                    0 => String::new(),
                    layer => format!("convolution {layer}, after its activation"),
                };
                panels = panels.with(image_grid(&title, 8, images)?);
            }
            pictures.push(("features.svg", panels.render()?));
        }
        Ok(pictures)
    }
}

fn boundary_chart(
    title: &str,
    boundary: &Boundary,
    class_names: &[String],
    threshold: f64,
    (width, height): (f64, f64),
) -> Result<Chart, PictureError> {
    let ends = |axis: &emberlab_explanations::Axis| (f64::from(axis.from), f64::from(axis.to));
    let (x, y) = (ends(&boundary.x), ends(&boundary.y));
    let field = |values| Field::new(x, y, boundary.columns, boundary.rows, values);
    let (across, up) = (&boundary.x.name, &boundary.y.name);
    let mut chart = Chart::new(title, Axis::new(across), Axis::new(up))
        .size(width, height)
        .describe(format!(
            "The predicted class over {across} and {up}, with {} samples. {}",
            boundary.points.len(),
            boundary.note
        ));
    match &boundary.cells {
        Cells::Binary { probabilities } => {
            let field = field(probabilities.shares().collect())?;
            chart = chart
                .with(HeatMap::probabilities(&field))
                .with(Contours::at(&field, [threshold]).width(1.5));
        }
        Cells::Multiclass {
            classes,
            probabilities,
        } => {
            let of_class = |class: usize| {
                let cells = classes.0.iter().zip(probabilities.shares());
                let share = |(c, p): (&u8, f64)| if usize::from(*c) == class { p } else { 0.0 };
                field(cells.map(share).collect())
            };
            let fields: Result<Vec<Field>, PictureError> =
                (0..class_names.len()).map(of_class).collect();
            chart = chart.with(HeatMap::classes(&fields?)?);
        }
    }
    for (class, name) in class_names.iter().enumerate() {
        let samples = boundary.points.iter().zip(&boundary.classes);
        let ours = samples.filter(|(_, c)| **c as usize == class);
        let points: Vec<(f64, f64)> = ours
            .map(|([x, y], _)| (f64::from(*x), f64::from(*y)))
            .collect();
        let points = Points::new(name, points)
            .tone(Tone::Series(class))
            .marker(Marker::of_series(class))
            .radius(2.2);
        chart = chart.with(points);
    }
    Ok(chart)
}

fn shares(label: &str) -> Axis {
    Axis::new(label).range(0.0, 1.0)
}

fn pairs(x: &[f64], y: &[f64]) -> Vec<(f64, f64)> {
    x.iter().copied().zip(y.iter().copied()).collect()
}

fn roc(curves: &BinaryCurves, split: Split) -> Chart {
    let roc = &curves.roc;
    let title = format!("ROC, {split}: area {:.4}", roc.auc);
    let points = pairs(&roc.false_positive_rate, &roc.true_positive_rate);
    Chart::new(
        title,
        shares("false positive rate"),
        shares("true positive rate"),
    )
    .with(Rule::between("guessing", (0.0, 0.0), (1.0, 1.0)))
    .with(Line::new("the network", points))
}

fn precision_recall(curves: &BinaryCurves, split: Split) -> Chart {
    let curve = &curves.precision_recall;
    let title = format!(
        "Precision and recall, {split}: average precision {:.4}",
        curve.average_precision
    );
    let points = pairs(&curve.recall, &curve.precision);
    Chart::new(title, shares("recall"), shares("precision")).with(Line::new("", points))
}

fn calibration(curves: &BinaryCurves, split: Split) -> Chart {
    let calibration = &curves.calibration;
    let title = format!(
        "Calibration, {split}: Brier score {:.4}",
        calibration.brier_score
    );
    let bins = calibration.bins.iter();
    let points = bins.map(|bin| (bin.mean_probability, bin.frequency));
    Chart::new(
        title,
        shares("predicted probability"),
        shares("frequency of class 1"),
    )
    .with(Rule::between("perfect", (0.0, 0.0), (1.0, 1.0)))
    .with(Line::new("the network", points).marker(Marker::Circle))
}

fn thresholds(curves: &BinaryCurves, split: Split, chosen: f64) -> Chart {
    type Score = fn(&ThresholdCounts) -> f64;
    let scores: [(&str, Score); 4] = [
        ("accuracy", ThresholdCounts::accuracy),
        ("precision", ThresholdCounts::precision),
        ("recall", ThresholdCounts::recall),
        ("F1", ThresholdCounts::f1),
    ];
    let line = |(name, score): (&str, Score)| {
        let counts = curves.thresholds.iter();
        Line::new(name, counts.map(|c| (c.threshold, score(c))))
    };
    let title = format!("Scores of class 1 over the threshold, {split}");
    Chart::new(title, shares("threshold"), shares("score"))
        .with_all(scores.into_iter().map(line))
        .with(Rule::upright("in use", chosen))
}

/// The mistakes drawn; none where inputs are no images.
fn mistake_gallery(mistakes: &Mistakes, names: &[String]) -> Result<Option<Svg>, PictureError> {
    let &[_, height, width] = mistakes.input_shape.as_slice() else {
        return Ok(None);
    };
    let name = |class: Option<u32>| {
        let name = class.and_then(|class| names.get(class as usize));
        name.map_or("nothing", String::as_str)
    };
    let mut images = Vec::new();
    for mistake in &mistakes.samples {
        let Inputs::Pixels(bytes) = &mistake.inputs else {
            return Ok(None);
        };
        let first = bytes.0.iter().take(width * height);
        let pixels: Vec<f64> = first.map(|byte| f64::from(*byte)).collect();
        let bitmap = Bitmap::grey(width, height, &pixels, (0.0, 255.0))?;
        let (target, taken) = (name(Some(mistake.target)), name(mistake.prediction));
        let image = Image::new(bitmap)
            .caption(format!("{target}, taken for {taken}"))
            .caption(format!("{:.1} % sure", 100.0 * mistake.confidence));
        images.push(image);
    }
    if images.is_empty() {
        return Ok(None);
    }
    let title = format!(
        "The surest of {} mistakes on {}",
        mistakes.num_mistakes, mistakes.split
    );
    let grid = ImageGrid::new(title, 5, images).image_width(96.0);
    grid.render().map(Some)
}

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
