//! A curve drawn with characters.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::symbols::Marker;
use ratatui::widgets::{Axis, Chart, Dataset, GraphType, Widget};

use crate::progress::number;

/// Draws a line over a logarithmic axis, `width` by `height` characters; nothing without two points.
///
/// `points` are positive abscissas in ascending order, and their values.
pub fn render(points: &[(f64, f64)], width: u16, height: u16) -> String {
    let points: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.log10(), *y)).collect();
    let [(left, _), .., (right, _)] = points[..] else {
        return String::new();
    };
    let values = points.iter().map(|(_, y)| *y);
    let lowest = values.clone().fold(f64::INFINITY, f64::min);
    let highest = values.fold(f64::NEG_INFINITY, f64::max);
    let middle = f64::midpoint(left, right);
    let dataset = Dataset::default()
        .marker(Marker::Braille)
        .graph_type(GraphType::Line)
        .data(&points);
    let x_axis = Axis::default()
        .bounds([left, right])
        .labels([left, middle, right].map(|x| format!("{:.0e}", 10_f64.powf(x))));
    let y_axis = Axis::default()
        .bounds([lowest, highest])
        .labels([lowest, f64::midpoint(lowest, highest), highest].map(number));
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    Chart::new(vec![dataset])
        .x_axis(x_axis)
        .y_axis(y_axis)
        .render(area, &mut buffer);
    let row = |y| {
        let cells = (0..width).map(|x| buffer[(x, y)].symbol());
        cells.collect::<String>().trim_end().to_string()
    };
    (0..height).map(row).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_falling_line_goes_from_the_top_left_to_the_bottom_right() {
        let drawn = render(&[(1e-4, 1.0), (1e-2, 0.5), (1.0, 0.0)], 40, 10);
        let rows: Vec<&str> = drawn.lines().collect();
        assert!(rows[0].starts_with("1.0000"), "{drawn}");
        assert!(
            rows[9].contains("1e-4") && rows[9].ends_with("1e0"),
            "{drawn}"
        );
        let is_dot = |c: char| ('\u{2801}'..='\u{28ff}').contains(&c);
        let first_dot = |row: &str| row.chars().position(is_dot);
        assert!(first_dot(rows[1]) < first_dot(rows[6]), "{drawn}");
    }

    #[test]
    fn a_single_point_draws_nothing() {
        assert_eq!(render(&[(1.0, 1.0)], 40, 10), "");
    }
}
