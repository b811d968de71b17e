//! The predictions of a comparison's networks, for all variants beside each other.

use std::collections::BTreeSet;

use emberlab_metrics::{BinaryCurves, ConfusionMatrix};
use emberlab_run_format::{DEFAULT_THRESHOLD, RunEvaluation};

use crate::document::{Block, Cell, Column, Figure, Mark, Table};
use crate::line_chart::{ChartLine, LineChart};
use crate::predictions::{boundary_figure, confusion_table, shares, telling};
use crate::statistics::median;
use crate::{ReportError, number};

/// The evaluations of one variant's trials.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct VariantEvaluations {
    pub(crate) variant: String,
    /// The seed of each trial, and its evaluation.
    pub(crate) trials: Vec<(u64, RunEvaluation)>,
    /// The index of the trial whose objective is nearest to the variant's median.
    pub(crate) typical: usize,
}

/// The evaluations of some variants of a comparison: of all, or of the best ones.
pub(crate) struct ShownVariants<'a> {
    /// The place of each among all variants, and its evaluations.
    pub(crate) shown: Vec<(usize, &'a VariantEvaluations)>,
    /// The number of all variants.
    pub(crate) num_all: usize,
}

impl ShownVariants<'_> {
    /// `The 16 best of 200 variants: `, or nothing if all are shown.
    fn which(&self) -> String {
        match self.shown.len() < self.num_all {
            true => format!(
                "The {} best of {} variants. ",
                self.shown.len(),
                self.num_all
            ),
            false => String::new(),
        }
    }
}

/// The decision boundary of each variant's typical trial.
///
/// # Errors
/// [`ReportError::Picture`].
pub(crate) fn boundary_blocks(variants: &ShownVariants) -> Result<Vec<Block>, ReportError> {
    let mut figures: Vec<Figure> = Vec::new();
    for (_, variant) in &variants.shown {
        let Some((seed, evaluation)) = variant.trials.get(variant.typical) else {
            continue;
        };
        if let Some(boundary) = &evaluation.boundary {
            let title = format!("{}, seed {seed}", variant.variant);
            let names = &evaluation.class_names;
            let size = (320.0, 280.0);
            let figure = boundary_figure(&title, boundary, names, DEFAULT_THRESHOLD, size)?;
            figures.push(figure);
        }
    }
    if figures.is_empty() {
        return Ok(Vec::new());
    }
    let said = format!(
        "{}One trial of each variant: the one whose objective is nearest to the variant's median. The colour is the \
         predicted class, stronger where the network is more certain. On the line, both classes are equally likely.",
        variants.which()
    );
    Ok(vec![Block::Text(said), Block::Figures(figures)])
}

/// The confusion matrix of each variant, summed over its trials.
pub(crate) fn confusion_blocks(variants: &ShownVariants) -> Vec<Block> {
    let table = |variant: &VariantEvaluations| {
        let mut sum: Option<ConfusionMatrix> = None;
        let (_, first) = variant.trials.first()?;
        let split = telling(first)?.split;
        for (_, evaluation) in &variant.trials {
            let found = evaluation
                .split(split)
                .and_then(|s| s.confusion_matrix.as_ref());
            match (&mut sum, found) {
                // Trials of one variant have the same classes.
                (Some(sum), Some(matrix)) => sum.merge(matrix).ok()?,
                (None, Some(matrix)) => sum = Some(matrix.clone()),
                (_, None) => {}
            }
        }
        let caption = format!("{}, {split}", variant.variant);
        Some(confusion_table(&caption, &sum?, &first.class_names))
    };
    let shown = variants.shown.iter().map(|(_, variant)| *variant);
    let tables: Vec<Table> = shown.filter_map(table).collect();
    if tables.is_empty() {
        return Vec::new();
    }
    let said = format!(
        "{}Targets are in rows, predictions in columns. The counts are sums over all trials; the shade is the share of \
         the row.",
        variants.which()
    );
    vec![Block::Text(said), Block::Tables(tables)]
}

/// The F1 score of each variant over the threshold, and a table of threshold-free scores.
///
/// # Errors
/// [`ReportError::Picture`].
pub(crate) fn threshold_blocks(
    variants: &ShownVariants,
    has_bands: bool,
) -> Result<Vec<Block>, ReportError> {
    let mut lines = Vec::new();
    let mut rows = Vec::new();
    let mut split = None;
    let mut positives: BTreeSet<&str> = BTreeSet::new();
    for &(place, variant) in &variants.shown {
        let found = variant.trials.iter().filter_map(|(_, evaluation)| {
            let found = telling(evaluation)?;
            positives.extend(evaluation.positive_class());
            split = Some(found.split);
            found.curves.as_ref()
        });
        let curves: Vec<&BinaryCurves> = found.collect();
        let line = f1_line(&variant.variant, place, &curves, has_bands);
        if line.points.is_empty() {
            continue;
        }
        rows.push(row_of_scores(&line, place, &curves));
        lines.push(line);
    }
    let Some(split) = split.filter(|_| !lines.is_empty()) else {
        return Ok(Vec::new());
    };
    let numbers = [
        "area under ROC",
        "average precision",
        "Brier score",
        "best f1",
        "at threshold",
    ];
    let numbers = numbers.map(Column::numbers);
    let of_class = match positives.iter().collect::<Vec<_>>()[..] {
        [positive] => format!(" of class {positive}"),
        // The variants have classes of their own.
        _ => String::new(),
    };
    let table = Table {
        caption: format!(
            "{}Medians over the trials{of_class}, {split}",
            variants.which()
        ),
        columns: [Column::words("variant")]
            .into_iter()
            .chain(numbers)
            .collect(),
        rows,
    };
    let chart = LineChart {
        title: format!("f1{of_class} over the threshold, {split}"),
        x: shares("threshold"),
        y: shares("f1"),
        caption: format!("{}The median over the seeds.", variants.which()),
        lines,
        size: (640.0, 400.0),
        ..LineChart::new("threshold")
    };
    Ok(vec![
        Block::Table(table),
        Block::Figures(vec![chart.draw()?]),
    ])
}

/// The median F1 score of these trials over the threshold; with `has_band`, also the smallest and the largest.
fn f1_line(variant: &str, place: usize, curves: &[&BinaryCurves], has_band: bool) -> ChartLine {
    let mut line = ChartLine::new(variant, place, Vec::new());
    let thresholds = curves.iter().map(|c| c.thresholds.len()).min().unwrap_or(0);
    for i in 0..thresholds {
        let f1: Vec<f64> = curves.iter().map(|c| c.thresholds[i].f1()).collect();
        line.points
            .push((curves[0].thresholds[i].threshold, median(&f1)));
        if has_band {
            let low = f1.iter().copied().fold(f64::INFINITY, f64::min);
            let high = f1.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            line.band.push((low, high));
        }
    }
    line
}

/// The row of a variant in the table of scores: medians over its trials, and the best point of its F1 line.
fn row_of_scores(f1: &ChartLine, place: usize, curves: &[&BinaryCurves]) -> Vec<Cell> {
    // Of several equally good thresholds, the one nearest to 0.5.
    let off = |point: &(f64, f64)| (point.0 - 0.5).abs();
    let points = f1.points.iter();
    let best = points.max_by(|a, b| a.1.total_cmp(&b.1).then(off(b).total_cmp(&off(a))));
    let best = best.copied().unwrap_or((f64::NAN, f64::NAN));
    let median_of = |value: fn(&BinaryCurves) -> f64| {
        number(median(&curves.iter().map(|c| value(c)).collect::<Vec<_>>()))
    };
    vec![
        Cell::marked(&f1.name, Mark::Series(place)),
        median_of(|c| c.roc.auc).into(),
        median_of(|c| c.precision_recall.average_precision).into(),
        median_of(|c| c.calibration.brier_score).into(),
        number(best.1).into(),
        number(best.0).into(),
    ]
}
