//! The figures of a comparison as tables, for the terminal and for reports.

use std::collections::BTreeSet;

use emberlab_metrics::{BinaryScores, Metric};
use emberlab_run_format::{ComparisonResult, Spread, VariantSummary, Verdict};

use crate::document::{Cell, Column, Mark, Table};
use crate::number;
use crate::numbers::duration;
use crate::statistics::bootstrap_median;

/// The objective of every variant: number of trials, median with its interval, mean, minimum and maximum.
pub fn objective_table(comparison: &ComparisonResult) -> Table {
    let objective = comparison.question.objective();
    let has_target = comparison.question.target.is_some();
    let mut columns = vec![Column::words("variant")];
    columns.extend(["n", "median", "95 %", "mean ± sd", "min", "max"].map(Column::numbers));
    if has_target {
        columns.extend(["epochs to target", "reached"].map(Column::numbers));
    }
    columns.push(Column::numbers("time"));
    let scale = Scale::of(&comparison.variants);
    let row = |(place, variant): (usize, &VariantSummary)| {
        let mut row = vec![
            Cell::marked(&variant.variant, Mark::Series(place)),
            Cell::from(count(variant)),
        ];
        row.extend(spread(variant, variant.figures.get(&objective), &scale));
        if has_target {
            let reached = variant.epochs_to_target.map_or(0, |spread| spread.n);
            let epochs = variant.epochs_to_target.map_or("never".to_string(), |s| {
                format!("{} [{}, {}]", s.median, s.min, s.max)
            });
            row.push(epochs.into());
            row.push(format!("{reached}/{}", variant.num_done).into());
        }
        let time = variant.seconds.map(|s| duration(s.median));
        row.push(time.unwrap_or_default().into());
        row
    };
    Table {
        caption: headline(comparison),
        columns,
        rows: comparison.variants.iter().enumerate().map(row).collect(),
    }
}

/// The best variant and below it every baseline, by the figure that they are compared by; `None` if there are no
/// baselines.
pub fn baselines_table(comparison: &ComparisonResult) -> Option<Table> {
    let compared = comparison.baselines.as_ref()?;
    // Baselines have no scores of the rows that they learnt from.
    let says_something =
        |b: &VariantSummary| b.num_failed > 0 || b.figures.contains_key(&compared.figure);
    if !compared.baselines.iter().any(says_something) {
        return None;
    }
    let place = (comparison.variants.iter()).position(|v| v.variant == compared.variant)?;
    let network = &comparison.variants[place];
    // The interval of a variant is that of the objective, which may be another figure.
    let ours = comparison
        .trials
        .iter()
        .filter(|t| t.variant == compared.variant && t.is_done());
    let values: Vec<f64> = ours.filter_map(|t| t.finite(&compared.figure)).collect();
    let network = VariantSummary {
        interval: bootstrap_median(&values),
        ..network.clone()
    };
    let mut all = vec![network];
    all.extend(compared.baselines.iter().cloned());
    let scale = Scale::of(&all);
    let mut columns = vec![Column::words("predictor")];
    columns.extend(["n", "median", "95 %", "mean ± sd", "min", "max"].map(Column::numbers));
    let row = |(i, summary): (usize, &VariantSummary)| {
        let mark = if i == 0 {
            Mark::Series(place)
        } else {
            Mark::None
        };
        let name = Cell::marked(&summary.variant, mark);
        let figures = spread(summary, summary.figures.get(&compared.figure), &scale);
        [name, Cell::from(count(summary))]
            .into_iter()
            .chain(figures)
            .collect()
    };
    Some(Table {
        caption: format!(
            "{} of the best variant and of simple predictors that learnt from the same rows",
            compared.figure.replace('_', " ")
        ),
        columns,
        rows: all.iter().enumerate().map(row).collect(),
    })
}

/// The caption of the objective's table.
fn headline(comparison: &ComparisonResult) -> String {
    let question = &comparison.question;
    let target = question
        .target
        .as_ref()
        .map(|(metric, split, value)| format!("; the target is a {split} {metric} of {value}"));
    format!(
        "{}: {} {} of the last network{}",
        question.experiment,
        question.split,
        question.metric,
        target.unwrap_or_default()
    )
}

/// The medians of the headline metrics other than the objective; `None` if there are none.
pub fn median_table(comparison: &ComparisonResult) -> Option<Table> {
    let objective = comparison.question.objective();
    let names = figures(comparison).filter(|name| *name != objective && is_looked_at(name));
    let names: Vec<&str> = names.collect();
    if names.is_empty() {
        return None;
    }
    let titles = names
        .iter()
        .map(|name| Column::numbers(name.replace('_', " ")));
    let row = |variant: &VariantSummary| {
        let medians = names.iter().map(|name| median(variant, name));
        [Cell::from(&variant.variant)]
            .into_iter()
            .chain(medians)
            .collect()
    };
    Some(Table {
        caption: "Medians of the other figures".to_string(),
        columns: [Column::words("medians")]
            .into_iter()
            .chain(titles)
            .collect(),
        rows: comparison.variants.iter().map(row).collect(),
    })
}

/// The medians of the scores of the positive class, one row per variant and threshold; `None` without thresholds.
pub fn threshold_table(comparison: &ComparisonResult) -> Option<Table> {
    let scores = BinaryScores::METRICS.map(Metric::name);
    let accuracies = figures(comparison).filter_map(|name| name.split_once("_accuracy>"));
    let mut places: Vec<(&str, &str)> = accuracies.collect();
    let value = |threshold: &str| threshold.parse().unwrap_or(f64::NAN);
    places.sort_by(|a, b| a.0.cmp(b.0).then(value(a.1).total_cmp(&value(b.1))));
    if places.is_empty() {
        return None;
    }
    let words = ["medians", "split"].map(Column::words);
    let numbers = ["threshold"].into_iter().chain(scores).map(Column::numbers);
    let row = |variant: &VariantSummary, split: &str, threshold: &str| {
        let place = [&variant.variant, split, threshold].map(Cell::from);
        let score = |score| median(variant, &format!("{split}_{score}>{threshold}"));
        place.into_iter().chain(scores.map(score)).collect()
    };
    let rows = comparison.variants.iter().flat_map(|variant| {
        let at = |(split, threshold): &(&str, &str)| row(variant, split, threshold);
        places.iter().map(at).collect::<Vec<_>>()
    });
    let of_class = match &comparison.positive_class {
        Some(positive) => format!(" of class {positive}"),
        None => String::new(),
    };
    Some(Table {
        caption: format!("Medians of the scores{of_class} above each threshold"),
        columns: words.into_iter().chain(numbers).collect(),
        rows: rows.collect(),
    })
}

/// The names of all figures, sorted.
fn figures(comparison: &ComparisonResult) -> impl Iterator<Item = &str> {
    let names = comparison.variants.iter().flat_map(|v| v.figures.keys());
    let sorted: BTreeSet<&str> = names.map(String::as_str).collect();
    sorted.into_iter()
}

/// The difference of every variant from the best one, paired by seed; `None` if there is nothing to compare.
pub fn difference_table(comparison: &ComparisonResult) -> Option<Table> {
    let first = comparison.differences.first()?;
    let best = &first.best;
    let folds = match first.num_folds {
        Some(num_folds) => format!(", over the mean of its {num_folds} folds"),
        None => String::new(),
    };
    let mut columns = vec![Column::words("variant")];
    columns.extend(["median difference", "95 %", "p", "pairs"].map(Column::numbers));
    columns.push(Column::words("verdict"));
    let rows = comparison.differences.iter().map(|difference| {
        let verdict = match difference.verdict {
            Verdict::Worse => "worse",
            Verdict::Better => "better",
            Verdict::NotToldApart => "cannot be told apart",
        };
        vec![
            Cell::from(&difference.variant),
            signed(difference.median).into(),
            interval(difference.interval, signed).into(),
            number(difference.p_value).into(),
            difference.num_pairs.to_string().into(),
            verdict.into(),
        ]
    });
    Some(Table {
        caption: format!(
            "Difference from {best} in {}, paired by seed{folds}; Wilcoxon's signed-rank test, corrected by \
             Holm's method",
            comparison.question.objective().replace('_', " ")
        ),
        columns,
        rows: rows.collect(),
    })
}

fn median(variant: &VariantSummary, figure: &str) -> Cell {
    let spread = variant.figures.get(figure);
    spread.map_or(String::new(), |s| number(s.median)).into()
}

/// Whether a figure such as `valid_accuracy@300` is a headline metric.
fn is_looked_at(figure: &str) -> bool {
    let name = figure.split('@').next().unwrap_or_default();
    let metric = name.split_once('_').map_or(name, |(_, metric)| metric);
    Metric::from_name(metric).is_some_and(Metric::is_headline)
}

/// The number of finished trials; then how many failed or ended in NaN, if any.
fn count(variant: &VariantSummary) -> String {
    let mut text = match variant.num_done == variant.num_trials {
        true => variant.num_done.to_string(),
        false => format!("{}/{}", variant.num_done, variant.num_trials),
    };
    if variant.num_failed > 0 {
        text.push_str(&format!(", {} failed", variant.num_failed));
    }
    if variant.num_not_finite > 0 {
        text.push_str(&format!(", {} NaN", variant.num_not_finite));
    }
    text
}

fn spread(variant: &VariantSummary, spread: Option<&Spread>, scale: &Scale) -> [Cell; 5] {
    let Some(s) = spread else {
        return std::array::from_fn(|_| Cell::from(""));
    };
    let mark = variant
        .interval
        .map_or(Mark::None, |(low, high)| Mark::Interval {
            low: scale.share(low),
            middle: scale.share(s.median),
            high: scale.share(high),
        });
    [
        number(s.median).into(),
        Cell::marked(interval(variant.interval, number), mark),
        match s.n {
            // One value has no standard deviation.
            1 => number(s.mean),
            _ => format!("{} ± {}", number(s.mean), number(s.standard_deviation)),
        }
        .into(),
        number(s.min).into(),
        number(s.max).into(),
    ]
}

fn interval(interval: Option<(f64, f64)>, text: impl Fn(f64) -> String) -> String {
    interval.map_or(String::new(), |(low, high)| {
        format!("[{}, {}]", text(low), text(high))
    })
}

fn signed(value: f64) -> String {
    match value > 0.0 {
        true => format!("+{}", number(value)),
        false => number(value),
    }
}

/// The scale that all intervals of a table share.
struct Scale {
    low: f64,
    high: f64,
    is_logarithmic: bool,
}

impl Scale {
    fn of(variants: &[VariantSummary]) -> Self {
        let ends = variants.iter().filter_map(|v| v.interval);
        let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (a, b)| {
            (low.min(a), high.max(b))
        });
        Self {
            low,
            high,
            is_logarithmic: low > 0.0 && high / low > 30.0,
        }
    }

    /// The position of a value on the scale, from 0 to 1; 0.5 if all values are equal.
    fn share(&self, value: f64) -> f64 {
        let place = |x: f64| if self.is_logarithmic { x.ln() } else { x };
        let length = place(self.high) - place(self.low);
        match length > 0.0 {
            true => (place(value) - place(self.low)) / length,
            false => 0.5,
        }
    }
}
