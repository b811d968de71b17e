//! Fewer points for curves, without a visible difference.

/// The curve without the points that are closer than `tolerance` to the line through the remaining ones
/// (Ramer 1972, Douglas and Peucker 1973).
pub(crate) fn simplify(path: &[(i32, i32)], tolerance: f64) -> Vec<(i32, i32)> {
    let Some(last) = path.len().checked_sub(1) else {
        return Vec::new();
    };
    let mut stays = vec![false; path.len()];
    stays[0] = true;
    stays[last] = true;
    let mut open = vec![(0, last)];
    while let Some((from, to)) = open.pop() {
        let farthest = (from + 1..to)
            .map(|i| (i, distance(path[i], path[from], path[to])))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((i, found)) = farthest
            && found > tolerance
        {
            stays[i] = true;
            open.push((from, i));
            open.push((i, to));
        }
    }
    path.iter()
        .zip(stays)
        .filter_map(|(point, stays)| stays.then_some(*point))
        .collect()
}

/// The distance from `point` to the line segment between `a` and `b`.
fn distance(point: (i32, i32), a: (i32, i32), b: (i32, i32)) -> f64 {
    let (px, py) = (f64::from(point.0 - a.0), f64::from(point.1 - a.1));
    let (dx, dy) = (f64::from(b.0 - a.0), f64::from(b.1 - a.1));
    let length = dx * dx + dy * dy;
    let along = if length > 0.0 {
        ((px * dx + py * dy) / length).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (px - along * dx).hypot(py - along * dy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_on_a_straight_line_are_left_out_and_corners_stay() {
        let path = [(0, 0), (10, 0), (20, 1), (30, 0), (30, 50)];
        assert_eq!(simplify(&path, 2.0), [(0, 0), (30, 0), (30, 50)]);
        assert_eq!(simplify(&path, 0.5).len(), 4);
    }
}
