#![allow(clippy::unwrap_used)]

use super::*;
use crate::samples::{Features, Targets, numbered_classes};

/// One sample per label, its row number as its only feature.
fn labelled(labels: Vec<u32>) -> Samples {
    Samples::of_features(
        Features::Floats((0..labels.len()).map(|i| i as f32).collect()),
        Targets::Classes {
            names: numbered_classes(labels.iter().max().map_or(0, |&top| top as usize + 1)),
            labels,
        },
        vec!["row".to_owned()],
    )
}

fn of_sizes(sizes: &[usize]) -> Samples {
    let classes = sizes.iter().enumerate();
    labelled(
        classes
            .flat_map(|(k, &size)| vec![k as u32; size])
            .collect(),
    )
}

fn config(method: SplitMethod, amounts: [Amount; 3]) -> SplitConfig {
    SplitConfig {
        method,
        train: Some(amounts[0]),
        valid: amounts[1],
        test: amounts[2],
        fold: None,
    }
}

fn class_counts(samples: &Samples, rows: &[u32]) -> Vec<usize> {
    let mut counts = vec![0; samples.num_classes().unwrap()];
    for &row in rows {
        counts[samples.labels().unwrap()[row as usize] as usize] += 1;
    }
    counts
}

use Amount::{Fraction, Rows};
use SplitMethod::{Random, Sequential, Stratified};

#[test]
fn sizes_are_those_of_scikit_learn() {
    // [len(t) for t in train_test_split(np.arange(n), test_size=...)], training first
    for (rows, share, expected) in [
        (1797, 0.5, [898, 899]),
        (1001, 0.3, [700, 301]),
        (1000, 0.3, [700, 300]),
    ] {
        let samples = labelled(vec![0; rows]);
        let both = config(Random, [Fraction(1.0 - share), Fraction(share), Rows(0)]);
        let rest = SplitConfig {
            valid: Fraction(share),
            ..SplitConfig::default()
        };
        for config in [both, rest] {
            let splits = config.split(&samples.targets, None, 0).unwrap();
            assert_eq!([splits.train.len(), splits.valid.len()], expected);
        }
    }
}

#[test]
fn three_splits_fit_for_any_number_of_rows() {
    for rows in 1..200 {
        let config = config(Random, [Fraction(0.5), Fraction(0.25), Fraction(0.25)]);
        let Ok([train, valid, test]) = config.counts(rows) else {
            assert_eq!(rows, 1);
            continue;
        };
        assert!(
            train + valid + test <= rows && train + valid + test + 1 >= rows,
            "{rows}"
        );
    }
}

#[test]
fn splits_are_disjoint_and_their_union_is_the_set() {
    let samples = of_sizes(&[20, 30, 50]);
    for method in [Random, Stratified, Sequential] {
        let config = config(method, [Fraction(0.5), Rows(30), Fraction(0.2)]);
        let splits = config.split(&samples.targets, None, 0).unwrap();
        assert_eq!(
            [splits.train.len(), splits.valid.len(), splits.test.len()],
            [50, 30, 20]
        );
        let mut all = [splits.train, splits.valid, splits.test].concat();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
    }
}

#[test]
fn sequential_takes_rows_in_order() {
    let samples = labelled(vec![0; 10]);
    let splits = config(Sequential, [Rows(5), Rows(2), Rows(1)])
        .split(&samples.targets, None, 9)
        .unwrap();
    assert_eq!(
        (splits.train, splits.valid, splits.test),
        (vec![0, 1, 2, 3, 4], vec![5, 6], vec![7])
    );
}

#[test]
fn the_seed_decides_the_rows() {
    let samples = labelled(vec![0; 100]);
    for method in [Random, Stratified] {
        let config = SplitConfig {
            method,
            ..SplitConfig::default()
        };
        let split = |seed| config.split(&samples.targets, None, seed).unwrap();
        assert_eq!(split(0), split(0));
        assert_ne!(split(0), split(1));
    }
}

#[test]
fn stratified_class_counts_equal_scikit_learn() {
    // y = np.repeat([0, 1, 2], sizes); train_test_split(y, train_size=..., test_size=..., stratify=y),
    // then np.bincount of both
    for (sizes, train, valid, expected) in [
        (
            [7, 11, 30],
            Rows(33),
            Fraction(0.3),
            [[5, 7, 21], [2, 4, 9]],
        ),
        (
            [13, 29, 59],
            Rows(70),
            Fraction(0.3),
            [[9, 20, 41], [4, 9, 18]],
        ),
        ([13, 29, 59], Rows(40), Rows(21), [[5, 12, 23], [3, 6, 12]]),
        (
            [50, 50, 50],
            Rows(120),
            Rows(30),
            [[40, 40, 40], [10, 10, 10]],
        ),
    ] {
        let samples = of_sizes(&sizes);
        let splits = config(Stratified, [train, valid, Rows(0)])
            .split(&samples.targets, None, 0)
            .unwrap();
        assert_eq!(class_counts(&samples, &splits.train), expected[0]);
        assert_eq!(class_counts(&samples, &splits.valid), expected[1]);
    }
}

#[test]
fn the_whole_set_can_be_trained_on() {
    let samples = labelled(vec![0; 10]);
    let splits = config(Random, [Fraction(1.0), Rows(0), Rows(0)])
        .split(&samples.targets, None, 0)
        .unwrap();
    assert_eq!((splits.train.len(), splits.valid.len()), (10, 0));
    let single = config(Random, [Rows(1), Rows(0), Rows(0)])
        .split(&samples.targets, None, 0)
        .unwrap();
    assert_eq!(single.train.len(), 1);
}

#[test]
fn impossible_splits_are_refused() {
    let samples = labelled(vec![0, 1, 2, 0, 1, 2]);
    let refusal = |config: SplitConfig| {
        config
            .split(&samples.targets, None, 0)
            .unwrap_err()
            .to_string()
    };
    for (amounts, expected) in [
        (
            [Fraction(0.8), Fraction(0.3), Rows(0)],
            "`train` is 0.8, expected fractions of at most 1.0 together, with `valid` 0.3 (the default) and `test` 0 (the default)",
        ),
        (
            [Rows(5), Rows(2), Rows(0)],
            "`train` is 5, expected at most the 6 rows there are together, with `valid` 2 and",
        ),
        (
            [Rows(0), Rows(2), Rows(0)],
            "`train` is 0 rows, expected at least one row",
        ),
        (
            [Fraction(1.5), Rows(0), Rows(0)],
            "`train` is 1.5, expected a whole number of rows, or",
        ),
        ([Rows(1), Fraction(-0.1), Rows(0)], "`valid` is -0.1,"),
        ([Rows(1), Rows(0), Fraction(f64::NAN)], "`test` is NaN,"),
    ] {
        let message = refusal(config(Random, amounts));
        assert!(message.starts_with(expected), "{message}");
    }
    let message = refusal(config(Stratified, [Rows(4), Rows(2), Rows(0)]));
    assert!(
        message.contains("at least 3 rows, one per class"),
        "{message}"
    );
}

#[test]
fn numbers_cannot_be_stratified() {
    let mut samples = labelled(vec![0; 10]);
    samples.targets = Targets::numbers([0.0; 10]);
    let config = SplitConfig {
        method: Stratified,
        ..SplitConfig::default()
    };
    let message = config
        .split(&samples.targets, None, 0)
        .unwrap_err()
        .to_string();
    assert!(message.contains("the targets are not classes"), "{message}");
}

#[test]
fn a_sequential_split_of_iris_leaves_one_class_to_validate_on() {
    let iris = crate::sources::Iris::samples();
    let splits = config(Sequential, [Rows(120), Rows(30), Rows(0)])
        .split(&iris.targets, None, 0)
        .unwrap();
    let missing = splits.missing_classes(&iris);
    assert_eq!(
        missing,
        [MissingClasses {
            split: "valid",
            classes: vec!["setosa".to_owned(), "versicolor".to_owned()],
        }]
    );
    let fair = config(Stratified, [Rows(120), Rows(30), Rows(0)])
        .split(&iris.targets, None, 0)
        .unwrap();
    assert!(fair.missing_classes(&iris).is_empty());
}

#[test]
fn whole_numbers_are_rows_and_others_fractions() {
    let parse = |text: &str| toml::from_str::<SplitConfig>(text);
    let split = parse("train = 1.0\nvalid = 0").unwrap();
    assert_eq!((split.train, split.valid), (Some(Fraction(1.0)), Rows(0)));
    assert_eq!(parse("train = 1").unwrap().train, Some(Rows(1)));
    assert_eq!(parse("").unwrap(), SplitConfig::default());
    let written = toml::to_string(&split).unwrap();
    assert_eq!(parse(&written).unwrap(), split);
    let message = parse("train = \"most\"").unwrap_err().to_string();
    assert!(
        message.contains("a whole number of rows, or a fraction from 0.0 to 1.0"),
        "{message}"
    );
}

#[test]
fn folds_validate_every_row_once_and_keep_the_proportions_of_classes() {
    let samples = of_sizes(&[20, 40, 40]);
    for method in [Random, Stratified, Sequential] {
        let mut seen = Vec::new();
        for index in 0..5 {
            let config = SplitConfig {
                method,
                test: Rows(10),
                fold: Some(Fold { index, of: 5 }),
                ..SplitConfig::default()
            };
            let splits = config.split(&samples.targets, None, 3).unwrap();
            assert_eq!(
                [splits.train.len(), splits.valid.len(), splits.test.len()],
                [72, 18, 10]
            );
            if method == Stratified {
                let counts = class_counts(&samples, &splits.valid);
                assert!((3..=4).contains(&counts[0]), "{counts:?}");
                assert!((7..=8).contains(&counts[1]), "{counts:?}");
            }
            let mut all = [&splits.train[..], &splits.valid, &splits.test].concat();
            all.sort();
            assert_eq!(all, (0..100).collect::<Vec<u32>>());
            seen.extend(splits.valid);
            seen.extend(if index == 0 { splits.test } else { Vec::new() });
        }
        seen.sort();
        assert_eq!(seen, (0..100).collect::<Vec<u32>>(), "{method:?}");
    }
}

#[test]
fn a_fold_beyond_the_last_is_refused() {
    let samples = of_sizes(&[3, 3]);
    for (index, of) in [(2, 2), (0, 1), (0, 7)] {
        let config = SplitConfig {
            fold: Some(Fold { index, of }),
            ..SplitConfig::default()
        };
        let error = config
            .split(&samples.targets, None, 0)
            .unwrap_err()
            .to_string();
        assert!(error.contains("fold"), "{error}");
    }
}

#[test]
fn rows_of_a_group_stay_in_one_split_and_in_one_fold() {
    let groups: Vec<u32> = (0..300).map(|row| row % 37).collect();
    let samples = of_sizes(&[150, 150]);
    for method in [SplitMethod::Random, SplitMethod::Sequential] {
        let shares = [0.6, 0.2, 0.2].map(Amount::Fraction);
        let mut config = config(method, shares);
        let mut splits = vec![config.split(&samples.targets, Some(&groups), 1).unwrap()];
        config.train = None;
        config.valid = Amount::Rows(0);
        for index in 0..4 {
            config.fold = Some(Fold { index, of: 4 });
            splits.push(config.split(&samples.targets, Some(&groups), 1).unwrap());
        }
        for splits in &splits {
            let of = |rows: &[u32]| {
                let groups = rows.iter().map(|&row| groups[row as usize]);
                groups.collect::<std::collections::BTreeSet<u32>>()
            };
            let [train, valid, test] = [&splits.train, &splits.valid, &splits.test].map(|s| of(s));
            assert!(
                train.is_disjoint(&valid) && train.is_disjoint(&test) && valid.is_disjoint(&test)
            );
            let rows = splits.train.len() + splits.valid.len() + splits.test.len();
            assert_eq!(rows, 300);
            assert!(
                (52..=68).contains(&splits.test.len()),
                "{}",
                splits.test.len()
            );
        }
        let mut valid: Vec<u32> = splits[1..].iter().flat_map(|s| s.valid.clone()).collect();
        valid.extend(&splits[1].test);
        valid.sort_unstable();
        assert_eq!(valid, (0..300).collect::<Vec<u32>>());
    }
}

#[test]
fn groups_cannot_be_stratified_and_must_be_enough() {
    let samples = of_sizes(&[5, 5]);
    let groups = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1];
    let refusal = |method| {
        let shares = [0.6, 0.2, 0.2].map(Amount::Fraction);
        let split = config(method, shares).split(&samples.targets, Some(&groups), 0);
        split.unwrap_err().to_string()
    };
    assert!(refusal(SplitMethod::Stratified).contains("dataset.group"));
    assert!(refusal(SplitMethod::Random).contains("the 2 groups are too few"));
}
