//! The search for a point along a line where the loss has fallen enough and is flat enough.

use burn::tensor::Tensor;

/// A point of the line.
#[derive(Clone)]
pub(super) struct Point {
    /// Its distance from the start, in lengths of the direction.
    pub(super) at: f64,
    pub(super) loss: f64,
    pub(super) gradient: Tensor<1>,
    /// The slope of the loss along the line.
    pub(super) slope: f64,
}

/// The share of the slope at the start by which the loss has to fall.
const LEAST_FALL: f64 = 1e-4;

/// The share of the slope at the start that may remain.
const MOST_SLOPE: f64 = 0.9;

/// A point that fulfils the strong Wolfe conditions, or the lowest one that was found, and the number of points that
/// were evaluated. `first` is the place that is tried first. The search ends where points are closer than `tolerance`,
/// of a direction whose largest number is `size`, or when `most` points were tried after the first.
///
/// # Source
/// Nocedal and Wright 2006, algorithms 3.5 and 3.6; the details are those of `torch.optim.LBFGS`.
pub(super) fn strong_wolfe(
    start: &Point,
    first: f64,
    size: f64,
    tolerance: f64,
    most: usize,
    mut evaluate: impl FnMut(f64) -> Point,
) -> (Point, usize) {
    let is_high = |point: &Point| point.loss > start.loss + LEAST_FALL * point.at * start.slope;
    let is_flat = |point: &Point| point.slope.abs() <= -MOST_SLOPE * start.slope;
    let (mut before, mut now) = (start.clone(), evaluate(first));
    let mut count = 0;
    // First the search goes on until the point lies between two that were tried.
    let mut ends = loop {
        if count == most {
            break [start.clone(), now];
        }
        if is_high(&now) || (count > 1 && now.loss >= before.loss) {
            break [before, now];
        }
        if is_flat(&now) {
            return (now, count + 1);
        }
        if now.slope >= 0.0 {
            break [before, now];
        }
        let bounds = (now.at + 0.01 * (now.at - before.at), 10.0 * now.at);
        let at = lowest_between(&before, &now, bounds);
        before = now;
        now = evaluate(at);
        count += 1;
    };
    // Then the distance between the two becomes smaller and smaller.
    let in_order = |ends: &[Point; 2]| match ends[0].loss <= ends[1].loss {
        true => (0, 1),
        false => (1, 0),
    };
    let (mut low, mut high) = in_order(&ends);
    let mut was_at_the_edge = false;
    while count < most {
        let [left, right] = [ends[0].at.min(ends[1].at), ends[0].at.max(ends[1].at)];
        if (right - left) * size < tolerance {
            break;
        }
        let mut at = lowest_between(&ends[0], &ends[1], (left, right));
        let edge = 0.1 * (right - left);
        let is_at_the_edge = (right - at).min(at - left) < edge;
        if is_at_the_edge && (was_at_the_edge || at >= right || at <= left) {
            let is_right = (at - right).abs() < (at - left).abs();
            at = if is_right { right - edge } else { left + edge };
            was_at_the_edge = false;
        } else {
            was_at_the_edge = is_at_the_edge;
        }
        let now = evaluate(at);
        count += 1;
        if is_high(&now) || now.loss >= ends[low].loss {
            ends[high] = now;
            (low, high) = in_order(&ends);
            continue;
        }
        let is_found = is_flat(&now);
        if !is_found && now.slope * (ends[high].at - ends[low].at) >= 0.0 {
            ends[high] = ends[low].clone();
        }
        ends[low] = now;
        if is_found {
            break;
        }
    }
    let [first, second] = ends;
    (if low == 0 { first } else { second }, count + 1)
}

/// The place where the cubic through the losses and slopes of two points is lowest, within bounds; the middle of the
/// bounds, if it has no lowest point.
fn lowest_between(a: &Point, b: &Point, (least, most): (f64, f64)) -> f64 {
    let first = a.slope + b.slope - 3.0 * (a.loss - b.loss) / (a.at - b.at);
    let square = first * first - a.slope * b.slope;
    if square.is_nan() || square < 0.0 {
        return (least + most) / 2.0;
    }
    let root = square.sqrt();
    let at = match a.at <= b.at {
        true => {
            b.at - (b.at - a.at) * ((b.slope + root - first) / (b.slope - a.slope + 2.0 * root))
        }
        false => {
            a.at - (a.at - b.at) * ((a.slope + root - first) / (a.slope - b.slope + 2.0 * root))
        }
    };
    at.max(least).min(most)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    /// The point of a curve with its slope.
    fn point(curve: impl Fn(f64) -> (f64, f64), at: f64) -> Point {
        let (loss, slope) = curve(at);
        Point {
            at,
            loss,
            gradient: Tensor::zeros([1], &Device::flex()),
            slope,
        }
    }

    /// Value and slope at a place.
    type Curve = fn(f64) -> (f64, f64);

    /// The place that was found and the number of places that were looked at, from first places of 0.001, 0.1, 1, 10
    /// and 1000: `torch.optim.lbfgs._strong_wolfe` of PyTorch 2.15.
    const SEARCHES: [(Curve, [(f64, usize); 5]); 3] = [
        (
            |x| ((x - 3.0).powi(2), 2.0 * (x - 3.0)),
            [(1.0, 4), (1.0, 2), (1.0, 1), (3.0, 2), (3.0, 2)],
        ),
        (
            |x| (-x / (x * x + 2.0), (x * x - 2.0) / (x * x + 2.0).powi(2)),
            [
                (0.8230493060851678, 4),
                (0.822303296454025, 2),
                (1.0, 1),
                (10.0, 1),
                // The search gives up far out, where the curve is flat.
                (333.33500000283334, 26),
            ],
        ),
        (
            |x| ((x - 1.0).powi(4) - x, 4.0 * (x - 1.0).powi(3) - 1.0),
            [
                (0.16677411262500003, 4),
                (0.1, 1),
                (1.0, 1),
                (1.8675720931161517, 3),
                (1.3064290938589729, 8),
            ],
        ),
    ];

    #[test]
    fn searches_find_what_pytorchs_find_with_as_many_evaluations() {
        for (curve, expected) in SEARCHES {
            for (first, (at, count)) in [1e-3, 0.1, 1.0, 10.0, 1000.0].into_iter().zip(expected) {
                let start = point(curve, 0.0);
                let found = strong_wolfe(&start, first, 1.0, 1e-9, 25, |at| point(curve, at));
                assert!((found.0.at - at).abs() <= 1e-9 * at, "{}, {at}", found.0.at);
                assert_eq!(found.1, count, "from {first}");
            }
        }
    }

    #[test]
    fn a_search_that_may_try_few_points_ends_where_pytorchs_does() {
        let (curve, _) = SEARCHES[2];
        // First place, bound, place that was found, number of evaluations: the same function of PyTorch, with `max_ls`.
        for (first, most, at, count) in [
            (1e-3, 0, 1e-3, 1),
            (1e-3, 1, 0.005505, 2),
            (10.0, 0, 0.0, 1),
            (10.0, 3, 1.8675720931161517, 3),
            (1000.0, 0, 0.0, 1),
            (1000.0, 3, 0.0, 4),
        ] {
            let start = point(curve, 0.0);
            let found = strong_wolfe(&start, first, 1.0, 1e-9, most, |at| point(curve, at));
            assert!((found.0.at - at).abs() <= 1e-9 * at, "{}, {at}", found.0.at);
            assert_eq!(found.1, count, "from {first}, at most {most}");
        }
    }
}
