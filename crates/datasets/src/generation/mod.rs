//! The parts that generators of data sets share: labelled points, even spacing, checks of sizes.

mod labelled_points;
mod limits;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use labelled_points::LabelledPoints;
pub(crate) use limits::{
    check_deviation, check_num_classes, check_num_features, check_num_samples,
};

/// `count` evenly spaced numbers from 0 to `end`; `end` itself is one of them if `with_end`.
pub(crate) fn spaced(count: usize, end: f64, with_end: bool) -> impl Iterator<Item = f64> {
    let gaps = (count - usize::from(with_end)).max(1);
    (0..count).map(move |i| end * i as f64 / gaps as f64)
}

/// The sizes of `parts` parts of `total`, which differ by at most one, the larger ones first.
pub(crate) fn even_parts(total: usize, parts: usize) -> impl Iterator<Item = usize> {
    (0..parts).map(move |part| total / parts + usize::from(part < total % parts))
}
