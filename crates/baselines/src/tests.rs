//! Every baseline against scikit-learn's numbers, and against inputs that break solvers.
//!
//! The numbers are in `tests-data/scikit_learn.json`, which `tests-data/scikit_learn.py` makes.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use serde_json::Value;

use crate::baseline::{BASELINES, Method};
use crate::bins::BinnedFeature;
use crate::error::BaselineError;
use crate::linear_regression::LinearFit;
use crate::logistic_regression::LogisticFit;
use crate::predictions::{Outcome, Predictions};
use crate::training::{Targets, Training};
use crate::tree::TreeGrower;
use crate::{Baseline, Task, baselines};

/// A data set, and what scikit-learn makes of it.
struct Case {
    name: &'static str,
    fields: Value,
    features: Vec<f64>,
    num_features: usize,
    values: Vec<f64>,
    labels: Vec<u32>,
    rows: Vec<f64>,
}

impl Case {
    fn new(name: &'static str) -> Case {
        let cases: BTreeMap<String, Value> =
            serde_json::from_str(include_str!("../tests-data/scikit_learn.json")).unwrap();
        let fields = cases[name].clone();
        let values = numbers(&fields["targets"]);
        Case {
            name,
            features: numbers(&fields["features"]),
            num_features: fields["num_features"].as_u64().unwrap() as usize,
            labels: values.iter().map(|value| *value as u32).collect(),
            values,
            rows: numbers(&fields["rows"]),
            fields,
        }
    }

    fn expected(&self, field: &str) -> Vec<f64> {
        numbers(&self.fields[field])
    }

    fn classification(&self) -> Training<'_> {
        let num_classes = *self.labels.iter().max().unwrap() as usize + 1;
        let targets = Targets::Classes {
            labels: &self.labels,
            num_classes,
        };
        Training {
            features: &self.features,
            num_features: self.num_features,
            targets,
        }
    }

    fn regression(&self) -> Training<'_> {
        let num_targets = self.values.len() / (self.features.len() / self.num_features);
        let targets = Targets::Values {
            values: &self.values,
            num_targets,
        };
        Training {
            features: &self.features,
            num_features: self.num_features,
            targets,
        }
    }

    fn predict_classes(&self, baseline: &str, seed: u64) -> (Vec<f64>, Vec<f64>) {
        let outcome = by_name(baseline)
            .predict(&self.classification(), &self.rows, seed)
            .unwrap();
        let Predictions::Classes {
            classes,
            probabilities,
        } = outcome.predictions
        else {
            panic!("{baseline} predicts numbers for classes")
        };
        (classes.into_iter().map(f64::from).collect(), probabilities)
    }

    fn predict_values(&self, baseline: &str, seed: u64) -> Vec<f64> {
        let outcome = by_name(baseline)
            .predict(&self.regression(), &self.rows, seed)
            .unwrap();
        let Predictions::Values(values) = outcome.predictions else {
            panic!("{baseline} predicts classes for numbers")
        };
        values
    }
}

const CLASSIFICATIONS: [&str; 4] = [
    "iris",
    "two classes, 30 features",
    "ten classes, 64 features, some constant",
    "classes of one-hot columns",
];
const REGRESSIONS: [&str; 5] = [
    "diabetes",
    "two targets",
    "more features than rows",
    "numbers of one-hot columns",
    "more than 255 values",
];

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap())
        .collect()
}

fn by_name(name: &str) -> &'static Baseline {
    BASELINES
        .iter()
        .find(|baseline| baseline.name == name)
        .unwrap()
}

/// Fails unless each number is within `tolerance` of the expected one, or within that share of it.
fn assert_close(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= tolerance * expected.abs().max(1.0),
            "{what}, {i}: {found}, not {expected}"
        );
    }
}

#[test]
fn the_simplest_baselines_predict_what_scikit_learn_predicts() {
    for case in CLASSIFICATIONS.map(Case::new) {
        let (classes, probabilities) = case.predict_classes("majority", 0);
        assert_eq!(classes, case.expected("majority_classes"), "{}", case.name);
        assert_close(
            &probabilities,
            &case.expected("majority_probabilities"),
            1e-15,
            case.name,
        );
    }
    for case in REGRESSIONS.map(Case::new) {
        assert_close(
            &case.predict_values("mean", 0),
            &case.expected("mean"),
            1e-14,
            case.name,
        );
    }
}

#[test]
fn logistic_regression_has_scikit_learns_coefficients_and_probabilities() {
    for case in CLASSIFICATIONS.map(Case::new) {
        let mut present = case.labels.clone();
        present.sort_unstable();
        present.dedup();
        let fit =
            LogisticFit::new(&case.features, case.num_features, &case.labels, &present).unwrap();
        let coefficients: Vec<f64> = (0..fit.coefficients.ncols())
            .flat_map(|k| (0..case.num_features).map(move |j| (j, k)))
            .map(|place| fit.coefficients[place])
            .collect();
        assert_close(
            &coefficients,
            &case.expected("logistic_coefficients"),
            1e-8,
            case.name,
        );

        let (classes, probabilities) = case.predict_classes("logistic_regression", 0);
        assert_eq!(classes, case.expected("logistic_classes"), "{}", case.name);
        assert_close(
            &probabilities,
            &case.expected("logistic_probabilities"),
            1e-8,
            case.name,
        );
    }
}

#[test]
fn linear_regression_has_scikit_learns_coefficients_and_predictions() {
    for case in REGRESSIONS.map(Case::new) {
        let Targets::Values { num_targets, .. } = case.regression().targets else {
            unreachable!()
        };
        let fit =
            LinearFit::new(&case.features, case.num_features, &case.values, num_targets).unwrap();
        let coefficients: Vec<f64> = (0..num_targets)
            .flat_map(|k| (0..case.num_features).map(move |j| (j, k)))
            .map(|place| fit.coefficients[place])
            .collect();
        assert_close(
            &coefficients,
            &case.expected("linear_coefficients"),
            1e-9,
            case.name,
        );
        assert_close(
            &case.predict_values("linear_regression", 0),
            &case.expected("linear"),
            1e-9,
            case.name,
        );
    }
}

#[test]
fn nearest_neighbors_predict_what_scikit_learn_predicts() {
    for case in CLASSIFICATIONS.map(Case::new) {
        let (classes, probabilities) = case.predict_classes("nearest_neighbors", 0);
        assert_eq!(classes, case.expected("neighbors_classes"), "{}", case.name);
        assert_close(
            &probabilities,
            &case.expected("neighbors_probabilities"),
            1e-12,
            case.name,
        );
    }
    for case in REGRESSIONS.map(Case::new) {
        assert_close(
            &case.predict_values("nearest_neighbors", 0),
            &case.expected("neighbors"),
            1e-12,
            case.name,
        );
    }
}

#[test]
fn of_equally_near_rows_the_first_are_taken() {
    // Seven rows at the same distance; the first five have the class 1.
    let training = Training {
        features: &[1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0],
        num_features: 1,
        targets: Targets::Classes {
            labels: &[1, 1, 1, 1, 1, 0, 0],
            num_classes: 2,
        },
    };
    let outcome = by_name("nearest_neighbors")
        .predict(&training, &[0.0], 0)
        .unwrap();
    assert_eq!(
        outcome.predictions,
        Predictions::Classes {
            classes: vec![1],
            probabilities: vec![0.0, 1.0]
        }
    );
}

#[test]
fn a_single_tree_predicts_what_scikit_learns_tree_predicts() {
    for name in [
        "tree of numbers",
        "tree of classes",
        "tree of several features",
    ] {
        let case = Case::new(name);
        let training = if name == "tree of classes" {
            case.classification()
        } else {
            case.regression()
        };
        let binned: Vec<_> = (0..case.num_features)
            .map(|column| BinnedFeature::new(&training, column))
            .collect();
        let mut outputs =
            vec![0.0; case.rows.len() / case.num_features * training.targets.num_outputs()];
        let weights = vec![1.0; training.num_rows()];
        let num_tried = case.num_features;
        let mut grower = TreeGrower {
            training: &training,
            binned: &binned,
            weights,
            num_tried,
            sorted: Vec::new(),
        };
        grower.add_predictions(&case.rows, 0, &mut outputs);
        let found = match Predictions::from_outputs(&training, outputs) {
            Predictions::Classes { classes, .. } => classes.into_iter().map(f64::from).collect(),
            Predictions::Values(values) => values,
        };
        assert_close(&found, &case.expected("tree"), 1e-12, name);
    }
}

#[test]
fn random_forests_score_like_those_of_scikit_learn() {
    // scikit-learn's range is that of 20 seeds; ours may leave it by 0.03, about its own width.
    let check = |score: f64, range: &[f64], case: &str| {
        assert!(
            range[0] - 0.03 <= score && score <= range[1] + 0.03,
            "{case}: {score}, not in {range:?}"
        );
    };
    for case in [
        "iris",
        "two classes, 30 features",
        "ten classes, 64 features, some constant",
    ]
    .map(Case::new)
    {
        for seed in 0..3 {
            let (classes, _) = case.predict_classes("random_forest", seed);
            let targets = case.expected("rows_targets");
            let correct = classes
                .iter()
                .zip(&targets)
                .filter(|(class, target)| class == target)
                .count();
            check(
                correct as f64 / targets.len() as f64,
                &case.expected("forest_accuracy"),
                case.name,
            );
        }
    }
    for case in ["diabetes", "more than 255 values"].map(Case::new) {
        for seed in 0..3 {
            let targets = case.expected("rows_targets");
            let mean = targets.iter().sum::<f64>() / targets.len() as f64;
            let squares = |predictions: &[f64]| -> f64 {
                predictions
                    .iter()
                    .zip(&targets)
                    .map(|(prediction, target)| (prediction - target).powi(2))
                    .sum()
            };
            let predictions = case.predict_values("random_forest", seed);
            let r2 = 1.0 - squares(&predictions) / squares(&vec![mean; targets.len()]);
            check(r2, &case.expected("forest_r2"), case.name);
        }
    }
}

#[test]
fn a_random_forest_follows_from_its_seed() {
    let case = Case::new("diabetes");
    let first = case.predict_values("random_forest", 1);
    assert_eq!(first, case.predict_values("random_forest", 1));
    assert_ne!(first, case.predict_values("random_forest", 2));
}

#[test]
fn the_prediction_of_a_row_does_not_depend_on_the_other_rows() {
    let case = Case::new("iris");
    for baseline in baselines(Task::Classification) {
        let training = case.classification();
        let all = baseline
            .predict(&training, &case.rows, 0)
            .unwrap()
            .predictions;
        let one = baseline
            .predict(&training, &case.rows[7 * 4..8 * 4], 0)
            .unwrap()
            .predictions;
        let Predictions::Classes {
            probabilities: all, ..
        } = all
        else {
            unreachable!()
        };
        let Predictions::Classes {
            probabilities: one, ..
        } = one
        else {
            unreachable!()
        };
        assert_eq!(all[7 * 3..8 * 3], one, "{}", baseline.name);
    }
}

/// The predictions of each baseline for classes.
fn all_classes(
    features: &[f64],
    num_features: usize,
    labels: &[u32],
    rows: &[f64],
) -> Vec<Result<Outcome, BaselineError>> {
    let training = Training {
        features,
        num_features,
        targets: Targets::Classes {
            labels,
            num_classes: 3,
        },
    };
    baselines(Task::Classification)
        .map(|baseline| baseline.predict(&training, rows, 0))
        .collect()
}

/// The predictions of each baseline for numbers.
fn all_values(
    features: &[f64],
    num_features: usize,
    values: &[f64],
    rows: &[f64],
) -> Vec<Result<Outcome, BaselineError>> {
    let training = Training {
        features,
        num_features,
        targets: Targets::Values {
            values,
            num_targets: 1,
        },
    };
    baselines(Task::Regression)
        .map(|baseline| baseline.predict(&training, rows, 0))
        .collect()
}

#[test]
fn one_training_row_is_predicted_everywhere() {
    for outcome in all_classes(&[0.5, 2.0], 2, &[1], &[0.0, 0.0, 9.0, 9.0]) {
        let Predictions::Classes {
            classes,
            probabilities,
        } = outcome.unwrap().predictions
        else {
            unreachable!()
        };
        assert_eq!(
            (classes, probabilities),
            (vec![1, 1], vec![0.0, 1.0, 0.0, 0.0, 1.0, 0.0])
        );
    }
    for outcome in all_values(&[0.5, 2.0], 2, &[3.5], &[0.0, 0.0, 9.0, 9.0]) {
        assert_eq!(
            outcome.unwrap().predictions,
            Predictions::Values(vec![3.5, 3.5])
        );
    }
}

#[test]
fn one_class_is_predicted_everywhere() {
    for outcome in all_classes(&[0.0, 1.0, 2.0], 1, &[2, 2, 2], &[5.0]) {
        let Predictions::Classes { classes, .. } = outcome.unwrap().predictions else {
            unreachable!()
        };
        assert_eq!(classes, [2]);
    }
}

#[test]
fn constant_features_predict_the_mean() {
    let values: Vec<f64> = (0..20).map(f64::from).collect();
    let (constant, labels) = (vec![0.7; 40], [0, 0, 0, 2].repeat(5));
    for (outcome, baseline) in all_values(&constant, 2, &values, &[0.7, 0.7])
        .iter()
        .zip(baselines(Task::Regression))
    {
        let Predictions::Values(found) = &outcome.as_ref().unwrap().predictions else {
            unreachable!()
        };
        match baseline.name {
            // The mean of the first five values.
            "nearest_neighbors" => assert_eq!(found, &[2.0]),
            // The mean of a hundred means of 20 values drawn with repetition.
            "random_forest" => assert!((found[0] - 9.5).abs() < 0.5, "{found:?}"),
            _ => assert_close(found, &[9.5], 1e-12, baseline.name),
        }
    }
    for outcome in all_classes(&constant, 2, &labels, &[0.7, 0.7]) {
        let Predictions::Classes { classes, .. } = outcome.unwrap().predictions else {
            unreachable!()
        };
        assert_eq!(classes, [0]);
    }
}

#[test]
fn large_and_small_features_are_no_trouble() {
    // Seconds since 1970, a tiny number, and a class that the seconds decide.
    let features: Vec<f64> = (0..60)
        .flat_map(|i| [1.7e9 + 3600.0 * f64::from(i), 1e-9 * f64::from(i % 7)])
        .collect();
    let labels: Vec<u32> = (0..60).map(|i| u32::from(i >= 30)).collect();
    let values: Vec<f64> = (0..60).map(|i| 1e6 + f64::from(i)).collect();
    let rows = [features[0], features[1], features[118], features[119]];
    for (outcome, baseline) in all_classes(&features, 2, &labels, &rows)
        .iter()
        .zip(baselines(Task::Classification))
    {
        let Predictions::Classes { classes, .. } = &outcome.as_ref().unwrap().predictions else {
            unreachable!()
        };
        let expected = if baseline.name == "majority" {
            [0, 0]
        } else {
            [0, 1]
        };
        assert_eq!(classes, &expected, "{}", baseline.name);
    }
    for (outcome, baseline) in all_values(&features, 2, &values, &rows)
        .iter()
        .zip(baselines(Task::Regression))
    {
        let Predictions::Values(found) = &outcome.as_ref().unwrap().predictions else {
            unreachable!()
        };
        let distance = if baseline.name == "mean" { 29.5 } else { 3.0 };
        assert!(
            (found[0] - 1e6).abs() <= distance && (found[1] - 1_000_059.0).abs() <= distance,
            "{found:?}"
        );
    }
}

#[test]
fn no_row_to_predict_gives_no_prediction() {
    for outcome in all_values(&[0.0, 1.0], 1, &[0.0, 1.0], &[]) {
        assert_eq!(
            outcome.unwrap().predictions,
            Predictions::Values(Vec::new())
        );
    }
    for outcome in all_classes(&[0.0, 1.0], 1, &[0, 1], &[]) {
        let expected = Predictions::Classes {
            classes: Vec::new(),
            probabilities: Vec::new(),
        };
        assert_eq!(outcome.unwrap().predictions, expected);
    }
}

#[test]
fn unusable_inputs_are_refused_by_every_baseline_with_their_place() {
    let refused = |outcomes: Vec<Result<Outcome, BaselineError>>, message: &str| {
        for outcome in outcomes {
            assert_eq!(outcome.unwrap_err().to_string(), message);
        }
    };
    let expected = "expected a finite number of at most 1e100 in magnitude";
    refused(
        all_classes(&[0.0, 1.0, 2.0, f64::NAN], 2, &[0, 1], &[0.0, 0.0]),
        &format!("row 1, column 1 of the training features is NaN: {expected}"),
    );
    refused(
        all_classes(&[0.0, 1.0], 1, &[0, 1], &[0.0, f64::INFINITY]),
        &format!("row 1, column 0 of the rows to predict is inf: {expected}"),
    );
    refused(
        all_values(&[0.0, 1.0], 1, &[-1e200, 1.0], &[0.0]),
        &format!(
            "row 0, column 0 of the training targets is -1{}: {expected}",
            "0".repeat(200)
        ),
    );
    refused(
        all_classes(&[0.0, 1.0], 1, &[0, 3], &[0.0]),
        "row 1 of the training targets has the label 3, which is not below the 3 classes",
    );
    refused(
        all_classes(&[], 1, &[], &[0.0]),
        "there are no training rows",
    );
    refused(
        all_values(&[], 1, &[], &[0.0]),
        "there are no training rows",
    );
    refused(
        all_values(&[0.0, 1.0, 2.0], 2, &[0.0, 1.0], &[0.0, 0.0]),
        "the training features have 3 values where 2 rows of 2 are expected",
    );
    refused(
        all_values(&[0.0, 1.0], 1, &[], &[]),
        "there are no training rows",
    );
    refused(
        all_classes(&[], 0, &[0, 1], &[]),
        "the rows to predict have 0 values where a multiple of 0 features are expected",
    );
}

#[test]
fn targets_of_another_task_are_refused() {
    let training = Training {
        features: &[0.0],
        num_features: 1,
        targets: Targets::Values {
            values: &[0.0],
            num_targets: 1,
        },
    };
    let error = by_name("logistic_regression")
        .predict(&training, &[0.0], 0)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the baseline `logistic_regression` is not for regression"
    );
}

/// A method for ten rows at most, which predicts their mean and fails if a row has the target of another one.
struct TenRows;

impl Method for TenRows {
    fn max_train_rows(&self, _training: &Training, _num_rows: usize) -> usize {
        10
    }

    fn fit_predict(
        &self,
        training: &Training,
        _rows: &[f64],
        _seed: u64,
    ) -> Result<Predictions, BaselineError> {
        match training.targets {
            Targets::Values { values, .. } => assert_eq!(training.features, values),
            Targets::Classes { labels, .. } => {
                assert!(
                    training
                        .features
                        .iter()
                        .zip(labels)
                        .all(|(feature, label)| *feature == f64::from(*label))
                );
            }
        }
        Ok(Predictions::from_outputs(
            training,
            training.targets.mean(training.num_rows()),
        ))
    }
}

#[test]
fn too_many_training_rows_are_reduced_at_random_and_the_outcome_says_so() {
    let ten_rows = Baseline {
        name: "ten_rows",
        title: "ten rows",
        tasks: &[Task::Classification, Task::Regression],
        method: &TenRows,
    };
    let values: Vec<f64> = (0..25).map(f64::from).collect();
    let training = |values| Training {
        features: values,
        num_features: 1,
        targets: Targets::Values {
            values,
            num_targets: 1,
        },
    };
    let outcome = ten_rows.predict(&training(&values), &[0.0], 0).unwrap();
    assert_eq!(outcome.num_train_used, 10);
    assert_eq!(
        outcome,
        ten_rows.predict(&training(&values), &[0.0], 0).unwrap()
    );
    assert_ne!(
        outcome,
        ten_rows.predict(&training(&values), &[0.0], 1).unwrap()
    );
    assert_eq!(
        ten_rows
            .predict(&training(&values[..9]), &[0.0], 0)
            .unwrap()
            .num_train_used,
        9
    );

    let labels: Vec<u32> = (0..25).collect();
    let targets = Targets::Classes {
        labels: &labels,
        num_classes: 25,
    };
    let outcome = ten_rows
        .predict(
            &Training {
                features: &values,
                num_features: 1,
                targets,
            },
            &[0.0],
            0,
        )
        .unwrap();
    let Predictions::Classes { probabilities, .. } = outcome.predictions else {
        unreachable!()
    };
    // Ten different rows, so ten different classes.
    assert_eq!(
        probabilities
            .iter()
            .filter(|probability| **probability == 0.1)
            .count(),
        10
    );
}

#[test]
fn names_and_titles_are_unique_and_each_task_begins_with_the_simplest() {
    for task in [Task::Classification, Task::Regression] {
        let of_task: Vec<_> = baselines(task).collect();
        assert_eq!(of_task.len(), 4);
        assert!(["majority", "mean"].contains(&of_task[0].name));
    }
    for (i, baseline) in BASELINES.iter().enumerate() {
        assert!(
            BASELINES[..i]
                .iter()
                .all(|other| other.name != baseline.name && other.title != baseline.title)
        );
    }
}
