//! The importance of the settings of a comparison: how much of the objective's variance each explains, alone and with
//! another.

use emberlab_baselines::{Predictions, Targets, Training, random_forest};
use emberlab_metrics::Direction;
use emberlab_pictures::{
    ParallelAxis, ParallelCoordinates, ParallelLine, Picture, RankedBar, RankedBars,
};
use emberlab_run_format::{ComparisonResult, TrialOutcome};
use serde::Serialize;

use crate::ReportError;
use crate::document::{Block, Cell, Column, Figure, Mark, Table};
use crate::number;
use crate::settings::{Setting, Settings};
use crate::statistics::median;

/// The importance of settings for the objective.
///
/// A random forest learns the objective from the settings of all trials and predicts it on a grid of their values. The
/// variance of its predictions is divided among the settings and their pairs. Hutter, Hoos and Leyton-Brown 2014,
/// <https://proceedings.mlr.press/v32/hutter14.html>, on a grid of the values that were tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SettingImportance {
    /// The share of the variance that each setting explains alone, the largest first.
    pub settings: Vec<(String, f64)>,
    /// The share that each pair explains beyond its two settings, the largest first.
    pub pairs: Vec<(String, String, f64)>,
}

/// The most points of the grid.
const MOST_POINTS: usize = 4096;

/// The most settings that are compared.
const MOST_SETTINGS: usize = 10;

/// The importance of the settings; `None` with fewer than two of them, with too few finished trials, or if the
/// objective is always the same.
pub(crate) fn importance(
    comparison: &ComparisonResult,
    settings: &Settings,
) -> Option<SettingImportance> {
    let keys = &settings.keys;
    if !(2..=MOST_SETTINGS).contains(&keys.len()) {
        return None;
    }
    let objective = comparison.question.objective();
    let (mut features, mut values) = (Vec::new(), Vec::new());
    for (place, variant) in comparison.variants.iter().enumerate() {
        let ours = |trial: &&TrialOutcome| trial.variant == variant.variant && trial.is_done();
        for trial in comparison.trials.iter().filter(ours) {
            let Some(value) = trial.finite(&objective) else {
                continue;
            };
            features.extend(keys.iter().map(|key| key.of_variants[place] as f64));
            values.push(value);
        }
    }
    if values.len() < 2 * keys.len() {
        return None;
    }
    let sizes = grid_sizes(keys);
    let grid = grid(keys, &sizes);
    let training = Training {
        features: &features,
        num_features: keys.len(),
        targets: Targets::Values {
            values: &values,
            num_targets: 1,
        },
    };
    let found = random_forest().predict(&training, &grid, 0).ok()?;
    let Predictions::Values(predicted) = found.predictions else {
        return None;
    };
    shares(keys, &sizes, &predicted)
}

/// The number of values of each setting on the grid.
fn grid_sizes(keys: &[Setting]) -> Vec<usize> {
    let mut most = keys.iter().map(|key| key.values.len()).max().unwrap_or(1);
    loop {
        let sizes: Vec<usize> = keys.iter().map(|key| key.values.len().min(most)).collect();
        if most <= 2 || sizes.iter().product::<usize>() <= MOST_POINTS {
            return sizes;
        }
        most -= 1;
    }
}

/// The points of the grid, row by row; of a setting with too many values, values at even distances in their order.
fn grid(keys: &[Setting], sizes: &[usize]) -> Vec<f64> {
    let num_points: usize = sizes.iter().product();
    let mut grid = Vec::with_capacity(num_points * keys.len());
    for point in 0..num_points {
        let mut rest = point;
        for (key, &size) in keys.iter().zip(sizes) {
            let (place, last) = (rest % size, key.values.len() - 1);
            rest /= size;
            let value = place * last / (size - 1).max(1);
            grid.push(value as f64);
        }
    }
    grid
}

/// The shares of the variance of predictions on the grid.
fn shares(keys: &[Setting], sizes: &[usize], predicted: &[f64]) -> Option<SettingImportance> {
    let n = predicted.len() as f64;
    let mean = predicted.iter().sum::<f64>() / n;
    let variance = predicted.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / n;
    if variance.is_nan() || variance <= 1e-12 * mean.abs().max(1e-12).powi(2) {
        return None;
    }
    let place = |point: usize, key: usize| {
        let below: usize = sizes[..key].iter().product();
        point / below % sizes[key]
    };
    // The variance of the means over all points that agree in some settings.
    let explained = |of: &[usize]| {
        let num_cells: usize = of.iter().map(|&key| sizes[key]).product();
        let mut sums = vec![0.0; num_cells];
        for (point, y) in predicted.iter().enumerate() {
            let cell = of
                .iter()
                .fold(0, |cell, &key| cell * sizes[key] + place(point, key));
            sums[cell] += y - mean;
        }
        let of_cell = n / num_cells as f64;
        let squares = sums.iter().map(|sum| (sum / of_cell).powi(2));
        squares.sum::<f64>() / num_cells as f64 / variance
    };
    let alone: Vec<f64> = (0..keys.len()).map(|key| explained(&[key])).collect();
    let mut settings: Vec<(String, f64)> = keys
        .iter()
        .map(|key| key.key.clone())
        .zip(alone.iter().copied())
        .collect();
    settings.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut pairs = Vec::new();
    for one in 0..keys.len() {
        for other in one + 1..keys.len() {
            let share = explained(&[one, other]) - alone[one] - alone[other];
            pairs.push((
                keys[one].key.clone(),
                keys[other].key.clone(),
                share.max(0.0),
            ));
        }
    }
    pairs.sort_by(|a, b| b.2.total_cmp(&a.2));
    Some(SettingImportance { settings, pairs })
}

/// The pictures of the settings, if several vary and a variant has a finite objective: their importance, the strongest
/// pair as a heat map, and parallel coordinates.
///
/// # Errors
/// [`ReportError::Picture`].
pub(crate) fn setting_blocks(
    comparison: &ComparisonResult,
    settings: &Settings,
    importance: Option<&SettingImportance>,
) -> Result<Vec<Block>, ReportError> {
    let keys = &settings.keys;
    if keys.len() < 2 || !medians(comparison).iter().any(|median| median.is_finite()) {
        return Ok(Vec::new());
    }
    let objective = comparison.question.objective().replace('_', " ");
    let mut blocks = Vec::new();
    let mut figures = Vec::new();
    if let Some(importance) = importance {
        blocks.push(Block::Text(explanation(&objective, importance)));
        let bars = importance.settings.iter().map(|(key, share)| RankedBar {
            name: key.clone(),
            value: *share,
            interval: None,
        });
        let pairs = importance
            .pairs
            .iter()
            .filter(|pair| pair.2 >= 0.01)
            .take(5);
        let pairs = pairs.map(|(one, other, share)| RankedBar {
            name: format!("{} × {}", short(one), short(other)),
            value: *share,
            interval: None,
        });
        let label = "share of the variance that it explains";
        let title = format!("What matters for the {objective}");
        figures.push(Figure {
            picture: RankedBars::new(title, label, bars.chain(pairs)).render()?,
            caption: "Each setting alone, then pairs beyond what their settings explain alone."
                .to_owned(),
            values: None,
        });
    }
    figures.push(parallel_figure(comparison, keys, &objective)?);
    blocks.push(Block::Figures(figures));
    blocks.extend(heat_map(comparison, keys, importance, &objective).map(Block::Table));
    Ok(blocks)
}

/// The last part of a dotted key.
fn short(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

fn explanation(objective: &str, importance: &SettingImportance) -> String {
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    let mut said = String::new();
    if let Some((key, share)) = importance.settings.first() {
        said = format!(
            "`{key}` explains {} of how the {objective} differs between the trials.",
            percent(*share)
        );
    }
    if let Some((one, other, share)) = importance.pairs.first()
        && *share >= 0.05
    {
        said.push_str(&format!(
            " How `{one}` acts depends on `{other}`: together they explain {} more than each alone.",
            percent(*share)
        ));
    }
    said.push_str(
        " A random forest has learnt the objective from the settings; it guesses what a few trials leave open.",
    );
    said
}

/// The median objective of each variant, in the order of the variants.
fn medians(comparison: &ComparisonResult) -> Vec<f64> {
    let objective = comparison.question.objective();
    let median = comparison.variants.iter().map(|variant| {
        variant
            .figures
            .get(&objective)
            .map_or(f64::NAN, |spread| spread.median)
    });
    median.collect()
}

fn parallel_figure(
    comparison: &ComparisonResult,
    keys: &[Setting],
    objective: &str,
) -> Result<Figure, ReportError> {
    let medians = medians(comparison);
    let finite = medians.iter().copied().filter(|median| median.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), median| {
        (f64::min(low, median), f64::max(high, median))
    });
    let share = |median: f64| match high > low {
        true => (median - low) / (high - low),
        false => 0.5,
    };
    let height = |place: usize, of: usize| match of {
        1 => 0.5,
        _ => place as f64 / (of - 1) as f64,
    };
    let axes = keys.iter().map(|key| {
        let num_values = key.values.len();
        // More names than these would touch each other.
        let step = num_values.div_ceil(12);
        let ticks = key.values.iter().enumerate().step_by(step);
        ParallelAxis {
            label: short(&key.key).to_owned(),
            ticks: ticks
                .map(|(i, value)| (height(i, num_values), value.clone()))
                .collect(),
        }
    });
    let ends = ParallelAxis {
        label: objective.to_owned(),
        ticks: vec![(0.0, number(low)), (1.0, number(high))],
    };
    let is_best_high = comparison.question.metric.direction() == Direction::Higher;
    let variants = comparison.variants.iter().zip(&medians).enumerate();
    let lines =
        variants
            .filter(|(_, (_, median))| median.is_finite())
            .map(|(i, (variant, &median))| {
                let heights = keys
                    .iter()
                    .map(|key| height(key.of_variants[i], key.values.len()));
                let share = share(median);
                ParallelLine {
                    name: format!("{}: {}", variant.variant, number(median)),
                    heights: heights.chain([share]).collect(),
                    strength: if is_best_high { share } else { 1.0 - share },
                }
            });
    let lines: Vec<ParallelLine> = lines.collect();
    let description = format!(
        "A line for each of {} variants across {} settings and the {objective}, from {} to {}.",
        lines.len(),
        keys.len(),
        number(low),
        number(high)
    );
    let title = format!("All variants across their settings and the {objective}");
    Ok(Figure {
        picture: ParallelCoordinates::new(title, description, axes.chain([ends]), lines)
            .render()?,
        caption: "A line for each variant; the better its objective, the stronger.".to_owned(),
        values: None,
    })
}

/// The objective over the two settings of the strongest pair, or of the two most important settings: medians over all
/// trials that have both values.
fn heat_map(
    comparison: &ComparisonResult,
    keys: &[Setting],
    importance: Option<&SettingImportance>,
    objective: &str,
) -> Option<Table> {
    let importance = importance?;
    let strongest = importance.pairs.first().filter(|pair| pair.2 >= 0.01);
    let (one, other) = match (strongest, importance.settings.as_slice()) {
        (Some((one, other, _)), _) => (one, other),
        (None, [(one, _), (other, _), ..]) => (one, other),
        (None, _) => return None,
    };
    let find = |name: &String| keys.iter().find(|key| key.key == *name);
    let (Some(rows), Some(columns)) = (find(one), find(other)) else {
        return None;
    };
    if rows.values.len() > 16 || columns.values.len() > 12 {
        return None;
    }
    let figure = comparison.question.objective();
    let cell = |row: usize, column: usize| {
        let values: Vec<f64> = comparison
            .variants
            .iter()
            .enumerate()
            .filter(|(i, _)| rows.of_variants[*i] == row && columns.of_variants[*i] == column)
            .flat_map(|(_, variant)| {
                let ours = comparison
                    .trials
                    .iter()
                    .filter(|one| one.variant == variant.variant);
                ours.filter_map(|trial| trial.finite(&figure))
            })
            .collect();
        if values.is_empty() {
            f64::NAN
        } else {
            median(&values)
        }
    };
    let values: Vec<Vec<f64>> = (0..rows.values.len())
        .map(|row| {
            (0..columns.values.len())
                .map(|column| cell(row, column))
                .collect()
        })
        .collect();
    let finite = values.iter().flatten().copied();
    let finite = finite.filter(|value| value.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (f64::min(low, value), f64::max(high, value))
    });
    let is_best_high = comparison.question.metric.direction() == Direction::Higher;
    let cell = |value: &f64| match value.is_nan() {
        true => Cell::from("–"),
        false => {
            let share = if high > low {
                (value - low) / (high - low)
            } else {
                0.0
            };
            let shade = if is_best_high { share } else { 1.0 - share };
            Cell::marked(number(*value), Mark::Shade(shade))
        }
    };
    let mut head = vec![Column::words(format!(
        "{} ↓  {} →",
        short(one),
        short(other)
    ))];
    head.extend(columns.values.iter().map(Column::numbers));
    let rows = rows.values.iter().zip(&values).map(|(name, row)| {
        let first = Cell::from(name.as_str());
        [first].into_iter().chain(row.iter().map(cell)).collect()
    });
    Some(Table {
        caption: format!(
            "Median {objective} by {} and {} over all trials with both values; the better, the stronger the shade",
            short(one),
            short(other)
        ),
        columns: head,
        rows: rows.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, num_values: usize) -> Setting {
        Setting {
            key: name.to_owned(),
            values: (0..num_values).map(|value| value.to_string()).collect(),
            of_variants: Vec::new(),
        }
    }

    /// The shares for a function on the whole grid of settings with 3 and 4 values.
    fn shares_of(function: impl Fn(f64, f64) -> f64) -> SettingImportance {
        let keys = [key("a", 3), key("b", 4)];
        let sizes = grid_sizes(&keys);
        let grid = grid(&keys, &sizes);
        let predicted: Vec<f64> = grid.chunks(2).map(|x| function(x[0], x[1])).collect();
        shares(&keys, &sizes, &predicted).expect("it varies")
    }

    #[test]
    fn a_sum_is_explained_by_its_parts_in_proportion_to_their_variances() {
        let found = shares_of(|a, b| 2.0 * a + b);
        // The variances of 2 a and of b are 4 · 2/3 and 5/4.
        let total = 8.0 / 3.0 + 1.25;
        assert_eq!(found.settings[0].0, "a");
        assert!((found.settings[0].1 - 8.0 / 3.0 / total).abs() < 1e-12);
        assert!((found.settings[1].1 - 1.25 / total).abs() < 1e-12);
        assert!(found.pairs[0].2 < 1e-12);
    }

    #[test]
    fn a_product_of_centred_settings_is_explained_by_their_pair_alone() {
        let found = shares_of(|a, b| (a - 1.0) * (b - 1.5));
        assert!(found.settings.iter().all(|(_, share)| share.abs() < 1e-12));
        assert!((found.pairs[0].2 - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_grid_of_many_values_is_thinned_and_keeps_its_ends() {
        let keys = [key("a", 100), key("b", 100), key("c", 3)];
        let sizes = grid_sizes(&keys);
        assert!(sizes.iter().product::<usize>() <= MOST_POINTS && sizes[2] == 3);
        let grid = grid(&keys, &sizes);
        let first: Vec<f64> = grid.chunks(3).map(|point| point[0]).collect();
        assert!(first.contains(&0.0) && first.contains(&99.0));
    }

    #[test]
    fn without_a_finite_objective_there_is_nothing_to_show() {
        let comparison = ComparisonResult {
            question: emberlab_run_format::Question {
                experiment: "nan".to_owned(),
                metric: emberlab_metrics::Metric::Loss,
                asked_split: None,
                split: "valid".to_owned(),
                at_epochs: Vec::new(),
                target: None,
            },
            variants: Vec::new(),
            differences: Vec::new(),
            baselines: None,
            conclusion: Vec::new(),
            positive_class: None,
            trials: Vec::new(),
        };
        let settings = Settings {
            keys: vec![key("a", 3), key("b", 4)],
        };
        assert_eq!(importance(&comparison, &settings), None);
        let blocks = setting_blocks(&comparison, &settings, None).expect("no picture");
        assert!(blocks.is_empty());
    }

    #[test]
    fn an_objective_that_never_differs_has_no_importance() {
        let keys = [key("a", 2), key("b", 2)];
        assert_eq!(shares(&keys, &[2, 2], &[0.5; 4]), None);
    }
}
