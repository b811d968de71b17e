//! The predictions in `evaluation.json`, as tables and pictures.

use emberlab_metrics::{BinaryCurves, ClassificationReport, ConfusedPairs, ConfusionMatrix, Split};
use emberlab_pictures::{
    Axis, Bitmap, Chart, Contours, Field, HeatMap, Image, ImageGrid, Picture, Points, Rule, Tone,
};
use emberlab_run_format::{
    Boundary, Cells, DEFAULT_THRESHOLD, Inputs, Mistakes, RunEvaluation, SplitEvaluation,
    TargetScores, ThresholdInUse,
};

use crate::document::{Block, Cell, Column, Figure, Mark, Table};
use crate::line_chart::{ChartLine, LineChart};
use crate::{ReportError, number};

/// The most features in a row of the table of mistakes.
const MOST_FEATURES: usize = 6;
/// The most points of a curve that are marked, such as the bins of a calibration or the corners of a small ROC.
const MOST_MARKED: usize = 20;
/// The most rows of the table of mistakes.
const MOST_ROWS: usize = 10;
/// Images in a row of the picture of mistakes.
const IMAGES_IN_A_ROW: usize = 5;

/// The split that says most about new data: test, else validation, else training.
pub(crate) fn telling(evaluation: &RunEvaluation) -> Option<&SplitEvaluation> {
    let order = [Split::Test, Split::Valid, Split::Train];
    order.into_iter().find_map(|split| evaluation.split(split))
}

/// The tables and pictures of one run's predictions.
///
/// # Errors
/// [`ReportError::Picture`].
pub(crate) fn prediction_blocks(
    evaluation: &RunEvaluation,
    threshold: Option<&ThresholdInUse>,
) -> Result<Vec<Block>, ReportError> {
    let mut blocks = Vec::new();
    let Some(split) = telling(evaluation) else {
        return Ok(blocks);
    };
    let names = &evaluation.class_names;
    if split.has_no_predictions() {
        return Ok(vec![Block::Text(format!(
            "The outputs of the network are NaN: none of the {} {} samples has a prediction.",
            split.num_samples, split.split
        ))]);
    }
    if let Some(boundary) = &evaluation.boundary {
        let threshold = threshold.map_or(DEFAULT_THRESHOLD, |used| used.value);
        let size = (540.0, 440.0);
        let figure = boundary_figure("Decision boundary", boundary, names, threshold, size)?;
        blocks.push(Block::Figures(vec![figure]));
    }
    let matrices = evaluation.splits.iter().filter_map(|split| {
        let matrix = split.confusion_matrix.as_ref()?;
        let caption = format!("{}: targets in rows, predictions in columns", split.split);
        Some(confusion_table(&caption, matrix, names))
    });
    let matrices: Vec<Table> = matrices.collect();
    if !matrices.is_empty() {
        blocks.push(Block::Tables(matrices));
    }
    if let Some(pairs) = &split.confused_pairs {
        blocks.push(Block::Text(format!(
            "{} classes are too many for a confusion matrix that could be read, so this page has the pairs that are \
             confused most.",
            names.len()
        )));
        blocks.push(Block::Table(confused_table(pairs, names, split.split)));
    }
    if let Some(report) = &split.classification_report {
        blocks.push(Block::Table(class_table(report, split.split)));
    }
    if let Some(mistakes) = &evaluation.mistakes {
        blocks.extend(mistake_block(mistakes, names)?);
    }
    if !split.targets.is_empty() {
        blocks.push(Block::Table(target_table(split)));
    }
    if !split.predictions.is_empty() {
        blocks.push(Block::Figures(vec![regression_figure(split)?]));
    }
    Ok(blocks)
}

/// The curves over the thresholds of two classes, and the best thresholds.
///
/// # Errors
/// [`ReportError::Picture`].
pub(crate) fn threshold_blocks(
    evaluation: &RunEvaluation,
    threshold: Option<&ThresholdInUse>,
) -> Result<Vec<Block>, ReportError> {
    let split = telling(evaluation);
    let Some((split, curves)) = split.and_then(|s| Some((s.split, s.curves.as_ref()?))) else {
        return Ok(Vec::new());
    };
    let positive = evaluation.positive_class().unwrap_or("1");
    let mut blocks = Vec::new();
    if let Some(from) = evaluation.thresholds_from {
        let row = |best: &emberlab_metrics::BestThreshold| {
            let at = &best.counts;
            let numbers = [
                at.threshold,
                at.accuracy(),
                at.precision(),
                at.recall(),
                at.f1(),
            ];
            let cells = numbers.into_iter().map(|value| Cell::from(number(value)));
            [Cell::from(best.by.to_string())]
                .into_iter()
                .chain(cells)
                .collect()
        };
        let numbers = ["threshold", "accuracy", "precision", "recall", "f1"].map(Column::numbers);
        blocks.push(Block::Table(Table {
            caption: format!(
                "The best thresholds on the {from} split; above them, class {positive} is predicted"
            ),
            columns: [Column::words("best by")]
                .into_iter()
                .chain(numbers)
                .collect(),
            rows: evaluation.best_thresholds.iter().map(row).collect(),
        }));
    }
    let rule = |name: String, at: &emberlab_metrics::BestThreshold| {
        Rule::upright(name, at.counts.threshold)
    };
    let in_use = threshold.and_then(|used| used.chosen.as_ref());
    let best = match (in_use, evaluation.best_thresholds.first()) {
        (Some(chosen), _) => Some(rule("in use".to_string(), &chosen.best)),
        (None, best) => best.map(|best| rule(format!("best by {}", best.by), best)),
    };
    blocks.push(Block::Figures(vec![
        score_figure(curves, positive, split, best)?,
        roc_figure(curves, positive, split)?,
        precision_recall_figure(curves, positive, split)?,
        calibration_figure(curves, positive, split)?,
    ]));
    Ok(blocks)
}

/// An axis for shares from 0 to 1.
pub(crate) fn shares(label: &str) -> Axis {
    Axis::new(label).range(-0.02, 1.02)
}

/// Accuracy, and precision, recall and F1 of the class `positive`, over the threshold. A rule can mark one threshold.
///
/// # Errors
/// [`ReportError::Picture`].
pub fn score_figure(
    curves: &BinaryCurves,
    positive: &str,
    split: Split,
    marked: Option<Rule>,
) -> Result<Figure, ReportError> {
    type Score = fn(&emberlab_metrics::ThresholdCounts) -> f64;
    let scores: [(&str, Score); 4] = [
        ("accuracy", emberlab_metrics::ThresholdCounts::accuracy),
        ("precision", emberlab_metrics::ThresholdCounts::precision),
        ("recall", emberlab_metrics::ThresholdCounts::recall),
        ("f1", emberlab_metrics::ThresholdCounts::f1),
    ];
    let line = |(series, (name, score)): (usize, (&str, Score))| {
        let points = curves.thresholds.iter().map(|at| (at.threshold, score(at)));
        ChartLine::new(name, series, points.collect())
    };
    let chart = LineChart {
        title: format!("Scores over the threshold of class {positive}, {split}"),
        x: shares("threshold"),
        y: shares("score"),
        lines: scores.into_iter().enumerate().map(line).collect(),
        rules: marked.into_iter().collect(),
        ..LineChart::new("threshold")
    };
    chart.draw()
}

/// A line of points `(x, y)`, both from 0 to 1, with a rule to compare it with.
fn share_chart(
    title: String,
    (x, y): (&'static str, &str),
    (xs, ys): (&[f64], &[f64]),
    rule: Rule,
) -> Result<Figure, ReportError> {
    let points: Vec<(f64, f64)> = xs.iter().copied().zip(ys.iter().copied()).collect();
    let line = ChartLine {
        is_marked: points.len() <= MOST_MARKED,
        ..ChartLine::new(y, 0, points)
    };
    let chart = LineChart {
        title,
        x: shares(x),
        y: shares(y),
        lines: vec![line],
        rules: vec![rule],
        ..LineChart::new(x)
    };
    chart.draw()
}

/// The ROC curve of the class `positive`: the true positive rate over the false positive rate.
///
/// # Errors
/// [`ReportError::Picture`].
pub fn roc_figure(
    curves: &BinaryCurves,
    positive: &str,
    split: Split,
) -> Result<Figure, ReportError> {
    let roc = &curves.roc;
    share_chart(
        format!("ROC of class {positive}, {split}: area {}", number(roc.auc)),
        ("false positive rate", "true positive rate"),
        (&roc.false_positive_rate, &roc.true_positive_rate),
        Rule::between("guessing", (0.0, 0.0), (1.0, 1.0)),
    )
}

/// The precision-recall curve of the class `positive`.
///
/// # Errors
/// [`ReportError::Picture`].
pub fn precision_recall_figure(
    curves: &BinaryCurves,
    positive: &str,
    split: Split,
) -> Result<Figure, ReportError> {
    let curve = &curves.precision_recall;
    let mut pairs: Vec<(f64, f64)> = curve
        .recall
        .iter()
        .copied()
        .zip(curve.precision.iter().copied())
        .collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let (recall, precision): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
    let positives = curves.thresholds.first().map_or(0.0, |at| {
        let positives = at.true_positives + at.false_negatives;
        let all = positives + at.false_positives + at.true_negatives;
        positives as f64 / all as f64
    });
    share_chart(
        format!(
            "Precision and recall of class {positive}, {split}: average precision {}",
            number(curve.average_precision)
        ),
        ("recall", "precision"),
        (&recall, &precision),
        Rule::level("guessing", positives),
    )
}

/// The calibration curve: the frequency of the class `positive` over its predicted probability.
///
/// # Errors
/// [`ReportError::Picture`].
pub fn calibration_figure(
    curves: &BinaryCurves,
    positive: &str,
    split: Split,
) -> Result<Figure, ReportError> {
    let calibration = &curves.calibration;
    let bins = calibration.bins.iter().filter(|bin| bin.num_samples > 0);
    let (probability, frequency): (Vec<f64>, Vec<f64>) = bins
        .map(|bin| (bin.mean_probability, bin.frequency))
        .unzip();
    share_chart(
        format!(
            "Calibration of class {positive}, {split}: Brier score {}",
            number(calibration.brier_score)
        ),
        ("predicted probability", "frequency"),
        (&probability, &frequency),
        Rule::between("perfectly calibrated", (0.0, 0.0), (1.0, 1.0)),
    )
}

/// The predictions over a plane, as a figure of a report.
///
/// # Errors
/// [`ReportError::Picture`].
pub(crate) fn boundary_figure(
    title: &str,
    boundary: &Boundary,
    class_names: &[String],
    threshold: f64,
    size: (f64, f64),
) -> Result<Figure, ReportError> {
    let chart = boundary_chart(title, boundary, class_names, threshold, size)?;
    Ok(Figure {
        picture: chart.render()?,
        caption: boundary.note.clone(),
        values: None,
    })
}

/// A chart of the predictions over a plane, with samples on it. For two classes, a line is drawn where the probability
/// of the second is `threshold`.
///
/// # Errors
/// [`ReportError::Picture`].
pub fn boundary_chart(
    title: &str,
    boundary: &Boundary,
    class_names: &[String],
    threshold: f64,
    (width, height): (f64, f64),
) -> Result<Chart, ReportError> {
    let ends = |axis: &emberlab_run_format::Axis| (axis.from, axis.to);
    let (x, y) = (ends(&boundary.x), ends(&boundary.y));
    let field = |values| Field::new(x, y, boundary.columns, boundary.rows, values);
    let mut chart = Chart::new(
        title,
        Axis::new(&boundary.x.name),
        Axis::new(&boundary.y.name),
    )
    .size(width, height)
    .describe(format!(
        "The predicted class over {} and {}, with {} samples.",
        boundary.x.name,
        boundary.y.name,
        boundary.points.len()
    ));
    match &boundary.cells {
        Cells::Binary { probabilities } => {
            let field = field(probabilities.shares().collect())?;
            chart = chart
                .with(HeatMap::probabilities(&field))
                .with(Contours::at(&field, [threshold]));
        }
        Cells::Multiclass {
            classes,
            probabilities,
        } => {
            let of_class = |class: usize| {
                let cells = classes.0.iter().zip(probabilities.shares());
                let value = |(c, p): (&u8, f64)| if usize::from(*c) == class { p } else { 0.0 };
                field(cells.map(value).collect())
            };
            let num_classes = class_names.len().max(1);
            let fields: Vec<Field> = (0..num_classes).map(of_class).collect::<Result<_, _>>()?;
            chart = chart.with(HeatMap::classes(&fields)?);
        }
    }
    let samples = || boundary.points.iter().zip(&boundary.classes);
    // Many large points would hide the colours behind them; a few small ones would be overlooked.
    let radius = (24.0 / (boundary.points.len().max(1) as f64).sqrt()).clamp(2.2, 6.0);
    for (class, name) in class_names.iter().enumerate() {
        let ours = samples().filter(|(_, c)| **c as usize == class);
        let points: Vec<(f64, f64)> = ours.map(|([x, y], _)| (*x, *y)).collect();
        if !points.is_empty() {
            chart = chart.with(
                Points::new(name, points)
                    .tone(Tone::Series(class))
                    .radius(radius),
            );
        }
    }
    Ok(chart)
}

/// The confusion matrix as a table, shaded by the share of the row.
pub(crate) fn confusion_table(
    caption: &str,
    matrix: &ConfusionMatrix,
    class_names: &[String],
) -> Table {
    let has_unpredicted = matrix.num_unpredicted() > 0;
    let mut columns = vec![Column::words("target")];
    columns.extend(
        class_names
            .iter()
            .map(|name| Column::numbers(heading(name))),
    );
    columns.extend(has_unpredicted.then(|| Column::numbers("none")));
    let row = |(class, name): (usize, &String)| {
        let predicted = 0..matrix.num_classes();
        let mut counts: Vec<u64> = predicted.map(|other| matrix.count(class, other)).collect();
        let unpredicted = matrix.unpredicted().get(class).copied().unwrap_or(0);
        counts.extend(has_unpredicted.then_some(unpredicted));
        let all: u64 = counts.iter().sum();
        let shade = |n: u64| Mark::Shade(n as f64 / all.max(1) as f64);
        let cells = counts
            .into_iter()
            .map(|n| Cell::marked(n.to_string(), shade(n)));
        [Cell::from(name)].into_iter().chain(cells).collect()
    };
    Table {
        caption: caption.to_string(),
        columns,
        rows: class_names.iter().enumerate().map(row).collect(),
    }
}

/// A name as the heading of a narrow column, cut if it is long.
fn heading(name: &str) -> String {
    const LONGEST: usize = 24;
    match name.chars().count() > LONGEST {
        true => name.chars().take(LONGEST - 1).chain(['…']).collect(),
        false => name.to_string(),
    }
}

/// The pairs of classes that are confused most.
fn confused_table(pairs: &ConfusedPairs, names: &[String], split: Split) -> Table {
    let num_shown = pairs.pairs.len();
    let caption = match pairs.num_left_out {
        0 => format!("Classes that are confused, {split}"),
        others => format!(
            "The {num_shown} most confused of {} pairs of classes, {split}",
            num_shown + others
        ),
    };
    let row = |pair: &emberlab_metrics::ConfusedPair| {
        vec![
            Cell::from(class_name(names, Some(pair.target))),
            Cell::from(class_name(names, Some(pair.prediction))),
            Cell::from(pair.num_samples.to_string()),
        ]
    };
    Table {
        caption,
        columns: vec![
            Column::words("target"),
            Column::words("prediction"),
            Column::numbers("samples"),
        ],
        rows: pairs.pairs.iter().map(row).collect(),
    }
}

fn class_table(report: &ClassificationReport, split: Split) -> Table {
    let row = |row: emberlab_metrics::ReportRow| {
        let share = |value: Option<f64>| Cell::from(value.map_or(String::new(), number));
        let scores = [share(row.precision), share(row.recall), share(Some(row.f1))];
        let support = Cell::from(row.support.to_string());
        [Cell::from(row.label)]
            .into_iter()
            .chain(scores)
            .chain([support])
            .collect()
    };
    let numbers = ["precision", "recall", "f1", "support"].map(Column::numbers);
    let caption = match report.num_left_out {
        0 => format!("Scores of each class, {split}"),
        others => format!(
            "Scores of the {} most frequent of {} classes, {split}",
            report.classes.len(),
            report.classes.len() + others,
        ),
    };
    Table {
        caption,
        columns: [Column::words("class")]
            .into_iter()
            .chain(numbers)
            .collect(),
        rows: report.rows().into_iter().map(row).collect(),
    }
}

/// The name of a class; "none" where no class was predicted.
fn class_name(names: &[String], label: Option<u32>) -> &str {
    let name = label.and_then(|label| names.get(label as usize));
    name.map_or("none", String::as_str)
}

fn mistake_title(mistakes: &Mistakes) -> String {
    format!(
        "The most confident of {} wrong predictions, {}",
        mistakes.num_mistakes, mistakes.split
    )
}

/// The most confident wrong predictions as images; `None` if the inputs are not images.
///
/// # Errors
/// [`ReportError::Picture`].
pub fn mistake_figure(
    mistakes: &Mistakes,
    names: &[String],
) -> Result<Option<Figure>, ReportError> {
    let [num_channels, height, width] = mistakes.input_shape[..] else {
        return Ok(None);
    };
    let mut images = Vec::new();
    for sample in &mistakes.samples {
        let Inputs::Pixels(bytes) = &sample.inputs else {
            continue;
        };
        let bitmap = match num_channels {
            3 => Bitmap::rgb(width, height, &bytes.0)?,
            _ => {
                let pixels: Vec<f64> = bytes.0.iter().map(|byte| f64::from(*byte)).collect();
                Bitmap::grey(width, height, &pixels, (0.0, 255.0))?
            }
        };
        let taken = format!(
            "{} for {}",
            class_name(names, Some(sample.target)),
            class_name(names, sample.prediction)
        );
        let certain = format!("{:.1} %", 100.0 * sample.confidence);
        images.push(Image::new(bitmap).caption(taken).caption(certain));
    }
    if images.is_empty() {
        return Ok(None);
    }
    let picture = ImageGrid::new(mistake_title(mistakes), IMAGES_IN_A_ROW, images).render()?;
    let caption = "“3 for 5” is a 3 that the network took for a 5; the percentage is the predicted probability.";
    Ok(Some(Figure {
        picture,
        caption: caption.to_string(),
        values: None,
    }))
}

/// The most confident wrong predictions: a picture if they are images, else a table.
fn mistake_block(mistakes: &Mistakes, names: &[String]) -> Result<Option<Block>, ReportError> {
    if mistakes.samples.is_empty() {
        return Ok(None);
    }
    if let Some(figure) = mistake_figure(mistakes, names)? {
        return Ok(Some(Block::Figures(vec![figure])));
    }
    let features = mistakes.feature_names.iter().take(MOST_FEATURES);
    let words = [mistakes.place_name(), "target", "prediction"].map(Column::words);
    let numbers = ["probability"]
        .into_iter()
        .map(String::from)
        .chain(features.map(|name| heading(name)));
    let row = |sample: &emberlab_run_format::Mistake| {
        let place = [
            sample.place().to_string(),
            class_name(names, Some(sample.target)).to_string(),
            class_name(names, sample.prediction).to_string(),
            format!("{:.1} %", 100.0 * sample.confidence),
        ];
        let values = match &sample.inputs {
            Inputs::Features(values) => values.as_slice(),
            Inputs::Pixels(_) => &[],
        };
        let values = values.iter().take(MOST_FEATURES).map(|v| number(*v));
        place.into_iter().chain(values).map(Cell::from).collect()
    };
    Ok(Some(Block::Table(Table {
        caption: mistake_title(mistakes),
        columns: words
            .into_iter()
            .chain(numbers.map(Column::numbers))
            .collect(),
        rows: mistakes.samples.iter().take(MOST_ROWS).map(row).collect(),
    })))
}

/// The errors of each of several targets, in their units.
pub fn target_table(split: &SplitEvaluation) -> Table {
    let numbers = ["MAE", "MSE", "RMSE", "R²", "largest error"].map(Column::numbers);
    let row = |one: &TargetScores| {
        let scores = &one.scores;
        let values = [
            scores.mae,
            scores.mse,
            scores.rmse,
            scores.r2,
            scores.max_error,
        ];
        let cells = values.into_iter().map(|value| Cell::from(number(value)));
        [Cell::from(&one.target)].into_iter().chain(cells).collect()
    };
    Table {
        caption: format!("Errors of each target, {}", split.split),
        columns: [Column::words("target")]
            .into_iter()
            .chain(numbers)
            .collect(),
        rows: split.targets.iter().map(row).collect(),
    }
}

/// The predictions over the targets, with the line on which both are equal.
fn regression_figure(split: &SplitEvaluation) -> Result<Figure, ReportError> {
    let all = split.predictions.iter().flatten().copied();
    let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let points = split
        .predictions
        .iter()
        .map(|[target, prediction]| (*target, *prediction));
    let chart = Chart::new(
        format!("Predictions against targets, {}", split.split),
        Axis::new("target"),
        Axis::new("prediction"),
    );
    let picture = chart
        .with(Rule::between("exact", (low, low), (high, high)))
        .with(Points::new("", points))
        .render()?;
    Ok(Figure {
        picture,
        caption: String::new(),
        values: None,
    })
}
