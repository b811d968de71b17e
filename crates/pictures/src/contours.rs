//! Lines of equal value on a grid, by marching squares.

use std::collections::HashMap;

use crate::field::Field;

/// An edge of the grid, given by its first node: it leads to the node on the right, or to the one above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Edge {
    Right(usize),
    Up(usize),
}

/// The lines on which `field` has the value `level`, interpolated linearly between nodes.
pub(crate) fn contour(field: &Field, level: f64) -> Vec<Vec<(f64, f64)>> {
    let mut links: HashMap<Edge, Vec<Edge>> = HashMap::new();
    let mut order = Vec::new();
    for (a, b) in segments(field, level) {
        for (from, to) in [(a, b), (b, a)] {
            links.entry(from).or_default().push(to);
        }
        order.extend([a, b]);
    }
    // Open lines are followed first, from their ends; the lines that remain are closed.
    let ends: Vec<Edge> = order
        .iter()
        .copied()
        .filter(|edge| links[edge].len() == 1)
        .collect();
    let mut lines = Vec::new();
    for start in ends.into_iter().chain(order) {
        let mut line = vec![start];
        let mut here = start;
        while let Some(next) = links.get_mut(&here).and_then(Vec::pop) {
            if let Some(back) = links.get_mut(&next)
                && let Some(at) = back.iter().position(|edge| *edge == here)
            {
                back.swap_remove(at);
            }
            line.push(next);
            here = next;
        }
        if line.len() > 1 {
            lines.push(
                line.into_iter()
                    .map(|edge| crossing(field, level, edge))
                    .collect(),
            );
        }
    }
    lines
}

/// The pieces of the lines in every cell, each from one edge of the cell to another.
fn segments(field: &Field, level: f64) -> Vec<(Edge, Edge)> {
    let mut found = Vec::new();
    for row in 0..field.height - 1 {
        for column in 0..field.width - 1 {
            let node = row * field.width + column;
            let above = node + field.width;
            let corners = [node, node + 1, above + 1, above].map(|i| field.values[i]);
            if corners.iter().any(|value| !value.is_finite()) {
                continue;
            }
            let [bottom, right, top, left] = [
                Edge::Right(node),
                Edge::Up(node + 1),
                Edge::Right(above),
                Edge::Up(node),
            ];
            let edges = [bottom, right, top, left];
            let high = corners.map(|value| value >= level);
            let crossed: Vec<usize> = (0..4).filter(|&i| high[i] != high[(i + 1) % 4]).collect();
            match crossed.as_slice() {
                [a, b] => found.push((edges[*a], edges[*b])),
                [_, _, _, _] => {
                    // A saddle: the value in the middle of the cell decides which corners are connected.
                    let middle = corners.iter().sum::<f64>() / 4.0 >= level;
                    if middle == high[0] {
                        found.extend([(bottom, right), (top, left)]);
                    } else {
                        found.extend([(left, bottom), (right, top)]);
                    }
                }
                _ => {}
            }
        }
    }
    found
}

/// The point of an edge that has the value `level`.
fn crossing(field: &Field, level: f64, edge: Edge) -> (f64, f64) {
    let (node, other) = match edge {
        Edge::Right(node) => (node, node + 1),
        Edge::Up(node) => (node, node + field.width),
    };
    let (from, to) = (field.values[node], field.values[other]);
    let share = if to == from {
        0.5
    } else {
        (level - from) / (to - from)
    };
    let (dx, dy) = field.spacing();
    let x = field.x.0 + (node % field.width) as f64 * dx;
    let y = field.y.0 + (node / field.width) as f64 * dy;
    match edge {
        Edge::Right(_) => (x + share * dx, y),
        Edge::Up(_) => (x, y + share * dy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contour_of_a_bowl_is_one_closed_circle() {
        let field = Field::of((-2.0, 2.0), (-2.0, 2.0), 81, 81, |x, y| x * x + y * y);
        let lines = contour(&field, 1.0);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].first(), lines[0].last());
        for (x, y) in &lines[0] {
            assert!((x.hypot(*y) - 1.0).abs() < 1e-3, "({x}, {y})");
        }
    }

    #[test]
    fn a_slope_is_crossed_by_one_open_line_and_a_saddle_by_two() {
        let slope = Field::of((0.0, 1.0), (0.0, 1.0), 5, 5, |x, _| x);
        let lines = contour(&slope, 0.3);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].iter().all(|(x, _)| (x - 0.3).abs() < 1e-12));
        assert_eq!(lines[0].len(), 5);
        let saddle = Field::of((-1.0, 1.0), (-1.0, 1.0), 20, 20, |x, y| x * y);
        assert_eq!(contour(&saddle, 0.1).len(), 2);
    }
}
