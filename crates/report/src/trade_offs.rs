//! The cost of a better objective: the variants by time and by parameters, and those that no other beats in both.

use emberlab_metrics::Direction;
use emberlab_pictures::{Axis, Chart, Line, Marker, Picture, Points, Stroke, Tone};
use emberlab_run_format::{ComparisonResult, VariantSummary};
use serde::Serialize;

use crate::ReportError;
use crate::comparison::medians;
use crate::document::{Block, Cell, Column, Figure, Mark, Table};
use crate::findings::capital;
use crate::number;
use crate::numbers::{count, duration, list};

/// The medians of one variant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VariantCost {
    /// The variant's name.
    pub variant: String,
    /// The objective. A trial that ended in NaN or infinity counts as infinitely bad.
    pub objective: f64,
    /// Seconds of training.
    pub seconds: f64,
    /// Trainable parameters.
    pub num_parameters: f64,
    /// Whether no other variant is better in one of objective and seconds without being worse in the other.
    pub is_on_front_of_seconds: bool,
    /// The same for the number of parameters.
    pub is_on_front_of_parameters: bool,
}

/// The cost of each variant that has finished; `num_parameters` has the median of each variant.
pub(crate) fn costs(comparison: &ComparisonResult, num_parameters: &[f64]) -> Vec<VariantCost> {
    let objective = comparison.question.objective();
    let direction = comparison.question.metric.direction();
    let medians = medians(comparison);
    let all = comparison.variants.iter().zip(medians).zip(num_parameters);
    let figures = all.filter_map(
        |((variant, median), &parameters): ((&VariantSummary, f64), _)| {
            variant.figures.get(&objective)?;
            let seconds = variant.seconds?.median;
            Some((variant.variant.clone(), median, seconds, parameters))
        },
    );
    let figures: Vec<(String, f64, f64, f64)> = figures.collect();
    let front = |cost: fn(&(String, f64, f64, f64)) -> f64| {
        let points: Vec<(f64, f64)> = figures.iter().map(|one| (cost(one), one.1)).collect();
        front(&points, direction)
    };
    let (of_seconds, of_parameters) = (front(|one| one.2), front(|one| one.3));
    let all = figures.into_iter().zip(of_seconds).zip(of_parameters);
    all.map(
        |(((variant, objective, seconds, num_parameters), of_seconds), of_parameters)| {
            VariantCost {
                variant,
                objective,
                seconds,
                num_parameters,
                is_on_front_of_seconds: of_seconds,
                is_on_front_of_parameters: of_parameters,
            }
        },
    )
    .collect()
}

/// Whether each point `(cost, objective)` is on the Pareto front: no other is at least as good in both and better in
/// one.
fn front(points: &[(f64, f64)], direction: Direction) -> Vec<bool> {
    let is_at_least = |a: f64, b: f64| !direction.is_improvement(b, a);
    let beats = |a: &(f64, f64), b: &(f64, f64)| {
        let is_better = a.0 < b.0 || direction.is_improvement(a.1, b.1);
        a.0 <= b.0 && is_at_least(a.1, b.1) && is_better
    };
    let is_number = |point: &(f64, f64)| point.0.is_finite() && point.1.is_finite();
    let on_front = |point| is_number(point) && !points.iter().any(|other| beats(other, point));
    points.iter().map(on_front).collect()
}

/// The pictures and the table of the trade-offs; nothing with fewer than two variants whose figures are finite.
///
/// # Errors
/// [`ReportError::Picture`].
pub(crate) fn trade_off_blocks(
    objective: &str,
    costs: &[VariantCost],
) -> Result<Vec<Block>, ReportError> {
    let can_be_drawn = |one: &&VariantCost| {
        let costs = [one.seconds, one.num_parameters];
        one.objective.is_finite() && costs.iter().all(|cost| cost.is_finite() && *cost > 0.0)
    };
    let costs: Vec<&VariantCost> = costs.iter().filter(can_be_drawn).collect();
    if costs.len() < 2 {
        return Ok(Vec::new());
    }
    let objective = objective.replace('_', " ");
    let (mut said, mut figures) = (Vec::new(), Vec::new());
    let of_seconds: Vec<Point> = costs
        .iter()
        .map(|one| {
            (
                one.variant.as_str(),
                one.seconds,
                one.objective,
                one.is_on_front_of_seconds,
            )
        })
        .collect();
    figures.push(front_figure(
        &objective,
        "seconds of training",
        &of_seconds,
    )?);
    said.push(sentence(&objective, "time", &of_seconds));
    // Networks of one size have nothing to trade.
    let have_one_size = costs
        .iter()
        .all(|one| one.num_parameters == costs[0].num_parameters);
    if !have_one_size {
        let of_parameters: Vec<Point> = costs
            .iter()
            .map(|one| {
                let is_on_front = one.is_on_front_of_parameters;
                (
                    one.variant.as_str(),
                    one.num_parameters,
                    one.objective,
                    is_on_front,
                )
            })
            .collect();
        figures.push(front_figure(&objective, "parameters", &of_parameters)?);
        said.push(sentence(&objective, "parameters", &of_parameters));
    }
    let mut blocks = vec![Block::List(said), Block::Figures(figures)];
    let mut shown: Vec<&VariantCost> = costs
        .iter()
        .copied()
        .filter(|one| one.is_on_front_of_seconds || !have_one_size && one.is_on_front_of_parameters)
        .collect();
    shown.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let row = |one: &VariantCost| {
        vec![
            Cell::marked(&one.variant, Mark::None),
            number(one.objective).into(),
            duration(one.seconds).into(),
            format!("{:.0}", one.num_parameters).into(),
        ]
    };
    let mut columns = vec![Column::words("variant")];
    columns.extend([objective.as_str(), "time", "parameters"].map(Column::numbers));
    blocks.push(Block::Table(Table {
        caption: "The variants that no other beats, by the time they take; medians over the seeds"
            .to_owned(),
        columns,
        rows: shown.into_iter().map(row).collect(),
    }));
    Ok(blocks)
}

/// A variant: its name, its cost, its objective, and whether it is on the front.
type Point<'a> = (&'a str, f64, f64, bool);

/// A sentence about the variants on a front.
fn sentence(objective: &str, cost: &str, points: &[Point]) -> String {
    let mut on_front: Vec<&Point> = points.iter().filter(|point| point.3).collect();
    on_front.sort_by(|a, b| a.1.total_cmp(&b.1));
    let names: Vec<&str> = on_front.iter().map(|point| point.0).collect();
    match names.as_slice() {
        [] => format!("No variant has a finite {objective}."),
        [one] => format!("{one} has the best {objective} and needs the least {cost} as well."),
        names if names.len() <= 6 => format!(
            "For {objective} against {cost}, the choice is between {}. Each other variant is matched or \
             beaten in both by one of them.",
            list(names)
        ),
        names => format!(
            "For {objective} against {cost}, the choice is between {}. Each other variant is matched or \
             beaten in both by one of them.",
            count(names.len(), "variant")
        ),
    }
}

/// Points by cost and objective, with the front as a line.
fn front_figure(objective: &str, cost: &str, points: &[Point]) -> Result<Figure, ReportError> {
    let mut front: Vec<(f64, f64)> = points
        .iter()
        .filter(|point| point.3)
        .map(|point| (point.1, point.2))
        .collect();
    front.sort_by(|a, b| a.0.total_cmp(&b.0));
    let others = points
        .iter()
        .filter(|point| !point.3)
        .map(|point| (point.1, point.2));
    let said = points.iter().map(|(name, cost, objective, is_on_front)| {
        let front = if *is_on_front { ", on the front" } else { "" };
        format!("{name}: {} at {}{front}", number(*objective), number(*cost))
    });
    let chart = Chart::new(
        capital(&format!("{objective} against {cost}")),
        Axis::new(cost).logarithmic(),
        Axis::new(objective),
    )
    .size(480.0, 340.0)
    .describe(format!("{}.", said.collect::<Vec<_>>().join("; ")))
    .with(Points::new("", others).tone(Tone::Muted).radius(3.5))
    .with(
        Line::new("not beaten in both", front)
            .tone(Tone::Series(0))
            .stroke(Stroke::Dashed)
            .marker(Marker::Circle),
    );
    Ok(Figure {
        picture: chart.render()?,
        caption: "The median of each variant over its seeds. The line joins those that no other beats in both."
            .to_owned(),
        values: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_holds_what_no_other_beats() {
        let points = [
            (1.0, 0.8),
            (2.0, 0.9),
            (3.0, 0.9),
            (4.0, 0.95),
            (0.5, f64::NAN),
            (4.0, 0.95),
        ];
        let found = front(&points, Direction::Higher);
        // The third costs more than the second for the same; equal points are both on the front; NaN never is.
        assert_eq!(found, [true, true, false, true, false, true]);
        let losses = [(1.0, 0.5), (2.0, 0.6), (2.0, 0.1)];
        assert_eq!(front(&losses, Direction::Lower), [true, false, true]);
    }

    #[test]
    fn the_sentence_names_the_choice() {
        let points = [
            ("big", 3.0, 0.9, true),
            ("small", 1.0, 0.8, true),
            ("bad", 2.0, 0.7, false),
        ];
        assert_eq!(
            sentence("valid accuracy", "time", &points),
            "For valid accuracy against time, the choice is between small and big. Each other variant is matched or \
             beaten in both by one of them."
        );
        let alone = [("small", 1.0, 0.8, true), ("bad", 2.0, 0.7, false)];
        assert_eq!(
            sentence("valid accuracy", "time", &alone),
            "small has the best valid accuracy and needs the least time as well."
        );
    }
}
