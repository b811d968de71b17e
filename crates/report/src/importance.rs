//! The importance of the columns, and how predictions follow the most important ones, as pictures and tables.

use emberlab_metrics::{Direction, Metric};
use emberlab_pictures::{Axis, Picture, RankedBar, RankedBars};
use emberlab_run_format::{Importance, PartialDependence, Points};

use crate::ReportError;
use crate::document::{Block, Cell, Column, Figure, Mark, Table};
use crate::line_chart::{ChartLine, LineChart};
use crate::number;
use crate::numbers::count;
use crate::statistics::{bootstrap_median, median};

/// Columns in the picture.
const SHOWN: usize = 20;

/// Bars for the columns of one run, each from the smallest to the largest of its permutations, and the partial
/// dependence of the most important ones.
///
/// # Errors
/// [`ReportError::Picture`].
pub(crate) fn run_blocks(importance: &Importance) -> Result<Vec<Block>, ReportError> {
    let bars = importance.columns.iter().map(|column| {
        let finite = column.drops.iter().copied();
        let ends = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), drop| {
            (f64::min(low, drop), f64::max(high, drop))
        });
        RankedBar {
            name: column.column.clone(),
            value: column.mean(),
            interval: Some(ends),
        }
    });
    let num_permutations = importance.columns.first().map_or(0, |c| c.drops.len());
    let interval = format!(
        "the bar is the mean over {}, the line goes from the smallest to the largest",
        count(num_permutations, "permutation")
    );
    let mut blocks = vec![Block::Text(explanation(importance, &interval))];
    blocks.push(Block::Figures(vec![bars_figure(
        importance,
        bars.collect(),
    )?]));
    blocks.extend(dependence_blocks(importance, "")?);
    Ok(blocks)
}

/// Bars for the columns, the median over the seeds of a variant with its 95 % interval, and the partial dependence for
/// the first seed; nothing without importances.
///
/// # Errors
/// [`ReportError::Picture`].
pub(crate) fn comparison_blocks(
    variant: &str,
    importances: &[(u64, Importance)],
) -> Result<Vec<Block>, ReportError> {
    let Some((seed, first)) = importances.first() else {
        return Ok(Vec::new());
    };
    if importances.len() == 1 {
        return run_blocks(first);
    }
    let mut bars: Vec<RankedBar> = Vec::new();
    for column in &first.columns {
        let of_seed = |(_, importance): &(u64, Importance)| {
            let columns = importance.columns.iter();
            let found = columns.filter(|c| c.column == column.column);
            found.map(|c| c.mean()).next()
        };
        let means: Vec<f64> = importances.iter().filter_map(of_seed).collect();
        bars.push(RankedBar {
            name: column.column.clone(),
            value: median(&means),
            interval: bootstrap_median(&means),
        });
    }
    bars.sort_by(|a, b| b.value.total_cmp(&a.value));
    let interval = format!(
        "the bar is the median over {} of {variant}, the line its 95 % interval",
        count(importances.len(), "network")
    );
    let mut blocks = vec![Block::Text(explanation(first, &interval))];
    blocks.push(Block::Figures(vec![bars_figure(first, bars)?]));
    blocks.extend(dependence_blocks(first, &format!(", seed {seed}"))?);
    Ok(blocks)
}

/// Sentences about the picture of the bars. `interval` says what bars and lines are.
fn explanation(importance: &Importance, interval: &str) -> String {
    let metric = importance.metric;
    let mut said = format!(
        "How much worse the {} {metric} is when the values of a column are permuted among {} rows: {interval}. A column \
         that the network does not use has a bar of 0. Of two columns that say the same, either may look unimportant.",
        importance.split, importance.num_rows
    );
    if importance.num_rows < importance.num_split_rows {
        said.push_str(&format!(
            " The rows are a random part of the {} rows of the split.",
            importance.num_split_rows
        ));
    }
    if importance.columns.len() < importance.num_columns {
        said.push_str(&format!(
            " Only {} of {} columns were permuted.",
            importance.columns.len(),
            importance.num_columns
        ));
    }
    if importance.columns.len() > SHOWN {
        said.push_str(&format!(
            " The picture shows the {SHOWN} most important ones."
        ));
    }
    said
}

fn bars_figure(importance: &Importance, mut bars: Vec<RankedBar>) -> Result<Figure, ReportError> {
    bars.truncate(SHOWN);
    let label = match importance.metric {
        metric if metric.direction() == Direction::Lower => {
            format!("rise of the {}", lower(metric))
        }
        metric => format!("drop of the {}", lower(metric)),
    };
    let picture = RankedBars::new("Importance of the columns", label, bars).width(560.0);
    Ok(Figure {
        picture: picture.render()?,
        caption: String::new(),
        values: None,
    })
}

/// The title of a metric inside a sentence: `accuracy`, but `R²` and `ROC AUC`.
fn lower(metric: Metric) -> String {
    match metric.title().chars().any(char::is_lowercase) {
        true => metric.title().to_lowercase(),
        false => metric.title().to_string(),
    }
}

/// A chart for each numeric column among the most important ones, and a table for each other one.
fn dependence_blocks(importance: &Importance, whose: &str) -> Result<Vec<Block>, ReportError> {
    if importance.dependence.is_empty() {
        return Ok(Vec::new());
    }
    let what = match importance.metric.is_of_numbers() {
        true => "prediction",
        false => "probability",
    };
    let num_rows = importance.dependence[0].num_rows;
    let mut blocks = vec![Block::Text(format!(
        "Partial dependence: the mean {what} over {num_rows} rows{whose}, with one column set to the same value in all of \
         them. It shows what the network does, not what causes the target."
    ))];
    let mut figures = Vec::new();
    let mut tables = Vec::new();
    for dependence in &importance.dependence {
        match &dependence.points {
            Points::Numbers(x) => figures.push(line_figure(dependence, x, what)?),
            Points::Names(names) => tables.push(name_table(dependence, names, what)),
        }
    }
    blocks.extend((!figures.is_empty()).then_some(Block::Figures(figures)));
    blocks.extend((!tables.is_empty()).then_some(Block::Tables(tables)));
    Ok(blocks)
}

fn line_figure(
    dependence: &PartialDependence,
    x: &[f64],
    what: &str,
) -> Result<Figure, ReportError> {
    let column = &dependence.column;
    let axis = match dependence.outputs.as_slice() {
        [only] if what == "probability" => format!("probability of {}", only.name),
        [only] => only.name.clone(),
        _ => what.to_string(),
    };
    let lines = dependence.outputs.iter().enumerate().map(|(i, output)| {
        let points = x.iter().copied().zip(output.means.iter().copied());
        ChartLine {
            is_marked: x.len() <= 5,
            ..ChartLine::new(&output.name, i, points.collect())
        }
    });
    let missing = dependence.missing.iter().flatten().zip(&dependence.outputs);
    let missing: Vec<String> = missing
        .map(|(mean, output)| match dependence.outputs.len() {
            1 => number(*mean),
            _ => format!("{} of {}", number(*mean), output.name),
        })
        .collect();
    let chart = LineChart {
        caption: match missing.is_empty() {
            true => String::new(),
            false => format!("Where {column} is missing: {}.", missing.join(", ")),
        },
        title: column.clone(),
        x: Axis::new(column),
        y: Axis::new(axis),
        lines: lines.collect(),
        size: (340.0, 280.0),
        ..LineChart::new(column)
    };
    chart.draw()
}

/// A row for each category, with the mean prediction of each output; the shade is the place between the smallest and
/// the largest.
fn name_table(dependence: &PartialDependence, names: &[String], what: &str) -> Table {
    let means = dependence.outputs.iter().flat_map(|output| &output.means);
    let (low, high) = means.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), mean| {
        (low.min(*mean), high.max(*mean))
    });
    let share = |mean: f64| match high > low {
        true => 0.6 * (mean - low) / (high - low),
        false => 0.0,
    };
    let row = |(place, name): (usize, &String)| {
        let cell = |mean: f64| Cell::marked(number(mean), Mark::Shade(share(mean)));
        let outputs = dependence.outputs.iter();
        [Cell::from(name.as_str())]
            .into_iter()
            .chain(outputs.map(|output| cell(output.means[place])))
            .collect()
    };
    let heading = |name: &String| match what {
        "probability" => Column::numbers(format!("probability of {name}")),
        _ => Column::numbers(name.as_str()),
    };
    Table {
        caption: dependence.column.clone(),
        columns: [Column::words(dependence.column.as_str())]
            .into_iter()
            .chain(
                dependence
                    .outputs
                    .iter()
                    .map(|output| heading(&output.name)),
            )
            .collect(),
        rows: names.iter().enumerate().map(row).collect(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use emberlab_metrics::Split;
    use emberlab_run_format::{ColumnImportance, DependentOutput};

    fn importance(sex: f64) -> Importance {
        let column = |name: &str, mean: f64| ColumnImportance {
            column: name.to_string(),
            drops: vec![mean - 0.125, mean + 0.125],
        };
        let dependence = |column: &str, points| PartialDependence {
            column: column.to_string(),
            points,
            num_rows: 90,
            outputs: vec![DependentOutput {
                name: "survived".to_string(),
                means: vec![0.25, 0.75],
            }],
            missing: (column == "age").then(|| vec![0.5]),
        };
        Importance {
            split: Split::Valid,
            metric: Metric::Accuracy,
            score: 0.8,
            num_rows: 90,
            num_split_rows: 100,
            columns: vec![column("sex", sex), column("age", 0.125)],
            num_columns: 2,
            dependence: vec![
                dependence(
                    "sex",
                    Points::Names(vec!["male".to_string(), "female".to_string()]),
                ),
                dependence("age", Points::Numbers(vec![20.0, 40.0])),
            ],
        }
    }

    #[test]
    fn a_run_has_bars_with_the_range_of_its_permutations_and_says_what_was_limited() {
        let blocks = run_blocks(&importance(0.5)).unwrap();
        let [
            Block::Text(said),
            Block::Figures(bars),
            Block::Text(_),
            Block::Figures(lines),
            Block::Tables(tables),
        ] = blocks.as_slice()
        else {
            panic!("{blocks:?}");
        };
        assert!(
            said.contains("2 permutations") && said.contains("random part of the 100 rows"),
            "{said}"
        );
        assert_eq!(
            bars[0].picture.description(),
            "drop of the accuracy. sex: 0.5 [0.375, 0.625]; age: 0.125 [0, 0.25]."
        );
        assert_eq!(lines[0].picture.title(), "age");
        assert_eq!(lines[0].caption, "Where age is missing: 0.5000.");
        assert_eq!(tables[0].rows[1][0].text, "female");
        assert_eq!(tables[0].columns[1].name, "probability of survived");
    }

    #[test]
    fn a_comparison_has_the_median_over_its_seeds() {
        let seeds = [
            (0, importance(0.25)),
            (1, importance(0.5)),
            (2, importance(0.375)),
        ];
        let blocks = comparison_blocks("relu", &seeds).unwrap();
        let Block::Figures(bars) = &blocks[1] else {
            panic!("{blocks:?}");
        };
        assert_eq!(
            bars[0].picture.description(),
            "drop of the accuracy. sex: 0.375 [0.25, 0.5]; age: 0.125 [0.125, 0.125]."
        );
        assert!(comparison_blocks("relu", &[]).unwrap().is_empty());
    }
}
