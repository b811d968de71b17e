//! The ranges of the sizes that generators take.

use emberlab_menu::Problem;

/// The largest number of rows: more than anyone generates, and few enough for the memory of a small machine.
const MAX_SAMPLES: usize = 10_000_000;
/// The largest number of features of all rows together.
const MAX_NUMBERS: usize = 1_000_000_000;

pub(crate) fn check_num_samples(num_samples: usize, least: usize) -> Result<(), Problem> {
    Problem::unless(
        (least..=MAX_SAMPLES).contains(&num_samples),
        "num_samples",
        num_samples,
        format!("a whole number from {least} to {MAX_SAMPLES}"),
    )
}

pub(crate) fn check_num_features(num_features: usize, num_samples: usize) -> Result<(), Problem> {
    let most = MAX_NUMBERS / num_samples.max(1);
    Problem::unless(
        (1..=most).contains(&num_features),
        "num_features",
        num_features,
        format!("a whole number from 1 to {most} for {num_samples} samples"),
    )
}

pub(crate) fn check_num_classes(num_classes: usize, least: usize) -> Result<(), Problem> {
    const MOST: usize = 10_000;
    Problem::unless(
        (least..=MOST).contains(&num_classes),
        "num_classes",
        num_classes,
        format!("a whole number from {least} to {MOST}"),
    )
}

pub(crate) fn check_deviation(key: &str, value: f64) -> Result<(), Problem> {
    Problem::unless(
        value.is_finite() && value >= 0.0,
        key,
        value,
        "a standard deviation of 0 or more",
    )
}
