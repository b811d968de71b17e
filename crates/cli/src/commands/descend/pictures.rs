//! Pictures of descents and of the loss around a network.

use emberlab_analysis::{Landscape, Surface};
use emberlab_pictures::{
    Axis, Bitmap, Chart, Contours, Field, HeatMap, Line, Marker, Picture, PictureError, Points,
    Rule, Svg, Tone,
};

use super::surface::NamedDescent;

/// Contours of the surface with every path.
pub(super) fn map(surface: &Surface, paths: &[NamedDescent]) -> Result<Svg, PictureError> {
    let (x, y) = surface.view;
    let height = |x: f64, y: f64| (surface.value)([x, y]);
    let field = Field::of((x[0], x[1]), (y[0], y[1]), 160, 140, height);
    // The logarithm of the height above the lowest: otherwise steep walls would leave valleys without contrast.
    let lowest = surface
        .minima
        .iter()
        .map(|at| (surface.value)(*at))
        .fold(f64::INFINITY, f64::min);
    let shade = field.clone().map(|value| (value - lowest + 0.1).ln());
    let mut chart = Chart::new(
        format!("f(x, y) = {}", surface.formula),
        Axis::new("x").range(x[0], x[1]),
        Axis::new("y").range(y[0], y[1]),
    )
    .size(560.0, 520.0)
    .with(HeatMap::of(&shade, Bitmap::shades(&shade, None)))
    .with(Contours::even(&field, 16).tone(Tone::Muted).width(0.8));
    for (i, path) in paths.iter().enumerate() {
        let points = path.path.iter().map(|point| (point.at[0], point.at[1]));
        let line = Line::new(&path.name, points).tone(Tone::Series(i));
        chart = chart.with(if path.path.len() <= 60 {
            line.marker(Marker::of_series(i)).width(1.6)
        } else {
            // Long paths lie on top of each other in a valley: those drawn first are wider, so that they can be seen.
            line.width(1.6 + 0.8 * (paths.len() - 1 - i) as f64)
        });
    }
    let minima = surface.minima.iter().map(|at| (at[0], at[1]));
    chart = chart.with(
        Points::new("minimum", minima)
            .marker(Marker::Star)
            .tone(Tone::Ink)
            .radius(5.0),
    );
    let ends: Vec<String> = paths
        .iter()
        .filter_map(|path| {
            let end = path.end()?;
            Some(format!(
                "{} ends at ({:.3}, {:.3}) with {:.4}",
                path.name, end.at[0], end.at[1], end.value
            ))
        })
        .collect();
    chart
        .describe(format!(
            "Contours with {} paths. {}.",
            paths.len(),
            ends.join("; ")
        ))
        .render()
}

/// The value against the step.
pub(super) fn values(surface: &Surface, paths: &[NamedDescent]) -> Result<Svg, PictureError> {
    let lowest = (surface.value)(surface.minima[0]);
    let start = paths
        .iter()
        .filter_map(|path| path.path.first())
        .map(|point| point.value)
        .fold(lowest, f64::max);
    let mut chart = Chart::new(
        "Value against step",
        Axis::new("step").whole(),
        // Without a range, paths that diverge would flatten all others.
        Axis::new("f(x, y)").range(
            lowest - 0.05 * (start - lowest),
            start + 0.05 * (start - lowest),
        ),
    )
    .size(560.0, 340.0);
    for (i, path) in paths.iter().enumerate() {
        let points = path
            .path
            .iter()
            .enumerate()
            .map(|(step, point)| (step as f64, point.value));
        chart = chart.with(Line::new(&path.name, points).tone(Tone::Series(i)));
    }
    chart.with(Rule::level("lowest", lowest)).render()
}

/// The loss over the two random directions.
pub(super) fn landscape_map(run: &str, found: &Landscape) -> Result<Svg, PictureError> {
    let side = (-found.reach, found.reach);
    let field = Field::new(
        side,
        side,
        found.num_nodes,
        found.num_nodes,
        found.losses.clone(),
    )?;
    let map = HeatMap::values(&field, "loss");
    let chart = Chart::new(
        format!("Loss around {run}"),
        Axis::new("first random direction [lengths of the weights]"),
        Axis::new("second random direction"),
    )
    .size(560.0, 500.0)
    .with(map)
    .with(Contours::even(&field, 14).tone(Tone::Series(0)).width(1.2))
    .with(
        Points::new("the trained network", [(0.0, 0.0)])
            .marker(Marker::Star)
            .tone(Tone::Ink)
            .radius(5.0),
    );
    chart.render()
}
